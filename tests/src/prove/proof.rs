//! What came of the trials: which gate caught what. Pure.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::trial::{Ill, Trial};
use crate::gates::{Gate, Kind};
use crate::outcome::{Ending, Outcome};
use crate::own::OwnNames;
use crate::report;
use crate::routes::{Destination, Side};

/// The exit code where a gate has caught nothing.
pub const CAUGHT_NOTHING: u8 = 7;

/// What came of a trial.
#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    /// The gate's place in the plan.
    pub path: String,
    /// Its name.
    pub gate: String,
    /// What was done to the new side; none: not tried.
    pub ill: Option<Ill>,
    /// How the run ended.
    pub ending: Option<Ending>,
    /// The state that ended it.
    pub state: Option<String>,
    /// And why.
    pub cause: Option<String>,
    /// Whether this gate turned it back.
    pub is_caught: bool,
    /// The other gates that saw trouble as well: name and place.
    pub others: Vec<String>,
    /// Virtual seconds from the new side's going bad to the look that ended the run.
    pub caught_after_seconds: Option<f64>,
    /// Virtual seconds from the new side's going bad to the run's end.
    pub ended_after_seconds: Option<f64>,
    /// How many users' requests failed.
    pub failures: usize,
}

/// Everything that was tried.
#[derive(Clone, Debug, Serialize)]
pub struct Proofs {
    /// The plan with a good new side.
    pub without_trouble: Ending,
    /// And why, where it did not succeed, a line each.
    pub why: Vec<String>,
    /// The gates that turned it back then: name and place.
    pub turned_back_by: Vec<String>,
    /// How many times faster than the clock the runs went.
    pub speed: f64,
    /// Of each gate.
    pub gates: Vec<Proof>,
    /// The exit code.
    pub exit_code: u8,
}

impl Proof {
    pub(super) fn not_tried(trial: &Trial) -> Self {
        Self {
            path: trial.gate.path.clone(),
            gate: trial.gate.name.clone(),
            ill: trial.ill.clone(),
            ending: None,
            state: None,
            cause: None,
            is_caught: false,
            others: Vec::new(),
            caught_after_seconds: None,
            ended_after_seconds: None,
            failures: 0,
        }
    }
}

/// What a run says of the gate that was to turn it back.
pub(super) fn proof(trial: &Trial, outcome: &Outcome, own: &OwnNames) -> Proof {
    let (state, cause) = failed(outcome);
    let gate = outcome.gates.iter().find(|gate| gate.path == trial.gate.path);
    let is_named = gate.is_some_and(|gate| {
        let is_judged_by_looks = !matches!(gate.kind, Kind::Probe | Kind::Replication);
        names(gate, state.as_deref(), cause.as_deref()) && (saw_trouble(Some(gate)) || !is_judged_by_looks)
    });
    let others = outcome.gates.iter().filter(|other| other.path != trial.gate.path && saw_trouble(Some(other)));
    let bad_at = bad_at(trial, outcome);
    let last_look = outcome.gates.iter().flat_map(|gate| &gate.looks).map(|look| look.at_seconds).reduce(f64::max);
    let is_hit = outcome.ending != Ending::Succeeded && bad_at.is_some();
    Proof {
        ending: Some(outcome.ending.clone()),
        is_caught: outcome.ending != Ending::Succeeded && is_named,
        others: others.map(|gate| own.in_text(&format!("{} ({})", gate.name, gate.path))).collect(),
        caught_after_seconds: last_look
            .zip(bad_at)
            .filter(|_| is_hit && is_named)
            .map(|(look, bad)| (look - bad).max(0.0)),
        ended_after_seconds: bad_at.filter(|_| is_hit).map(|bad| outcome.seconds - bad),
        failures: outcome.users.failures,
        state,
        cause: cause.map(|cause| own.in_text(&cause)),
        ..Proof::not_tried(trial)
    }
}

/// The state in which a run failed, and why, as its cause tells.
fn failed(outcome: &Outcome) -> (Option<String>, Option<String>) {
    let cause = outcome.execution.end.cause.as_deref();
    let told: Value = cause.and_then(|cause| serde_json::from_str(cause).ok()).unwrap_or_default();
    let text = |field: &str| told[field].as_str().map(str::to_owned);
    (text("failed_state"), text("cause"))
}

/// Whether what ended a run names a gate: the probe and the replication by their states, the others by their names.
fn names(gate: &Gate, state: Option<&str>, cause: Option<&str>) -> bool {
    let is_at = |part: &str| state.is_some_and(|state| state.contains(part));
    match gate.kind {
        Kind::Probe => is_at("Validate"),
        Kind::Replication => is_at("Gate") || is_at("Replication") || is_at("Drain"),
        _ => is_at("Monitor") && cause.is_some_and(|cause| cause.contains(&format!("{}: ", gate.name))),
    }
}

/// The gates that turned a run back: of those that its end names the unhealthy ones, or all, where none had a value.
fn turned_back_by(outcome: &Outcome) -> Vec<&Gate> {
    let (state, cause) = failed(outcome);
    let is_named = |gate: &&Gate| names(gate, state.as_deref(), cause.as_deref());
    let named: Vec<&Gate> = outcome.gates.iter().filter(is_named).collect();
    let unhealthy: Vec<&Gate> = named.iter().copied().filter(|gate| saw_trouble(Some(gate))).collect();
    if unhealthy.is_empty() { named } else { unhealthy }
}

fn saw_trouble(gate: Option<&Gate>) -> bool {
    gate.is_some_and(|gate| gate.looks.iter().any(|look| look.verdict == "unhealthy"))
}

/// When the new side went bad: with its route's weight. A replication's lag is there from the beginning.
fn bad_at(trial: &Trial, outcome: &Outcome) -> Option<f64> {
    if trial.gate.kind == Kind::Replication {
        return Some(0.0);
    }
    let label = &outcome.before.get(trial.route)?.route;
    let moved = |destinations: &[Destination]| {
        destinations.iter().any(|one| one.side == Side::New && one.weight.is_none_or(|weight| weight > 0))
    };
    let first = outcome.moves.iter().find(|state| state.route == *label && moved(&state.destinations));
    first.map(|state| state.at_seconds)
}

impl Proofs {
    pub(super) fn of(without_trouble: &Outcome, own: &OwnNames, gates: Vec<Proof>, speed: f64) -> Self {
        let is_uncaught = |proof: &Proof| proof.ill.is_some() && !proof.is_caught;
        let exit_code = match without_trouble.ending.exit_code() {
            0 if gates.iter().any(is_uncaught) => CAUGHT_NOTHING,
            code => code,
        };
        let is_bad = without_trouble.ending != Ending::Succeeded;
        let why = if is_bad { report::why(without_trouble) } else { Vec::new() };
        let called = |gate: &Gate| own.in_text(&format!("{} ({})", gate.name, gate.path));
        let turned_back_by = if is_bad { turned_back_by(without_trouble) } else { Vec::new() };
        Self {
            without_trouble: without_trouble.ending.clone(),
            why: why.iter().map(|line| own.in_text(line)).collect(),
            turned_back_by: turned_back_by.into_iter().map(called).collect(),
            speed,
            gates,
            exit_code,
        }
    }

    /// What the times are worth.
    pub(super) fn caveat(&self) -> String {
        format!(
            "Times are virtual, at speed {}: what a function takes, in real time, counts as much longer. At a lower --speed they are \
             nearer to AWS.",
            self.speed
        )
    }

    /// What came of the run with a good new side: where it did not succeed, which gate turned it back, and what that means for
    /// the others.
    pub(super) fn good_run(&self) -> Vec<String> {
        let ending = self.without_trouble.name();
        if self.without_trouble == Ending::Succeeded {
            return vec![format!("With a good new side: {ending}")];
        }
        let by = match &self.turned_back_by[..] {
            [] => String::new(),
            gates => format!(", turned back by {}", gates.join(", and ")),
        };
        let first = format!("WITH A GOOD NEW SIDE TOO: {ending}{by}");
        let last = "Mend that first: a run that is turned back in any case proves none of its gates.".to_owned();
        std::iter::once(first).chain(self.why.iter().map(|line| format!("  {line}"))).chain([last]).collect()
    }

    /// How many of those that were tried caught something.
    pub(super) fn count(&self) -> String {
        let tried = self.gates.iter().filter(|proof| proof.ill.is_some());
        let caught = self.gates.iter().filter(|proof| proof.is_caught).count();
        format!("{caught} of {} gates caught what they are for", tried.count())
    }

    /// A table: of each gate what was done, and what came of it.
    pub fn table(&self) -> String {
        let mut text: String = self.good_run().into_iter().map(|line| line + "\n").collect();
        for proof in &self.gates {
            text += &proof.lines();
        }
        text + &format!("\n{}\n{}\n", self.count(), self.caveat())
    }
}

/// `6m 4s`
pub(super) fn time(seconds: Option<f64>) -> String {
    let whole = Duration::from_secs(seconds.unwrap_or_default() as u64);
    seconds.map_or("-".to_owned(), |_| humantime::format_duration(whole).to_string())
}

impl Proof {
    fn lines(&self) -> String {
        let Some(ill) = &self.ill else {
            return format!("\nNOT TRIED  {}  {}\n  nobody knows here how to make it fail\n", self.gate, self.path);
        };
        let verdict = if self.is_caught { "caught   " } else { "NOTHING  " };
        let others = if self.others.is_empty() { "no other gate".to_owned() } else { self.others.join(", ") };
        format!(
            "\n{verdict}  {}  {}\n  new side      {}\n  ended         {} by {}: {}\n  seen after    {}, over after {}; {} failed requests\n  \
             seen also by  {others}\n",
            self.gate,
            self.path,
            ill.describe(),
            self.ending.as_ref().map_or("-", Ending::name),
            self.state.as_deref().unwrap_or("no state"),
            self.cause.as_deref().unwrap_or("all went well"),
            time(self.caught_after_seconds),
            time(self.ended_after_seconds),
            self.failures,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proofs(without_trouble: Ending, turned_back_by: &[&str]) -> Proofs {
        Proofs {
            without_trouble,
            why: vec!["step 1 of 2 (10 %) of rule 9 of shop: 2 unhealthy checks in a row: p95: 0.2".to_owned()],
            turned_back_by: turned_back_by.iter().map(|gate| (*gate).to_owned()).collect(),
            speed: 600.0,
            gates: Vec::new(),
            exit_code: 0,
        }
    }

    #[test]
    fn a_good_run_that_is_turned_back_says_by_which_gate_before_all_else() {
        let table = proofs(Ending::RolledBack, &["p95 ($.monitoring.metrics[0])"]).table();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "WITH A GOOD NEW SIDE TOO: RolledBack, turned back by p95 ($.monitoring.metrics[0])");
        assert!(lines[1].starts_with("  step 1 of 2") && lines[2].starts_with("Mend that first"), "{table}");
        assert_eq!(proofs(Ending::Succeeded, &[]).table().lines().next(), Some("With a good new side: Succeeded"));
    }

    #[test]
    fn a_gate_is_named_by_the_state_or_by_its_name() {
        let gate = |kind, name: &str| Gate {
            kind,
            path: String::new(),
            name: name.to_owned(),
            comparison: None,
            threshold: None,
            looks: Vec::new(),
            planned: Value::Null,
        };
        let cause =
            Some("step 1 of 2 (10 %) of x: 2 unhealthy checks in a row: p95: 0.2, trouble when greater than 0.1");
        assert!(names(&gate(Kind::Metric, "p95"), Some("Monitor"), cause));
        assert!(!names(&gate(Kind::Metric, "p99"), Some("Monitor"), cause));
        assert!(names(&gate(Kind::Probe, "health check"), Some("Validate"), None));
        assert!(names(&gate(Kind::Replication, "replication"), Some("CheckReplication"), None));
        assert!(!names(&gate(Kind::Replication, "replication"), Some("Monitor"), cause));
    }
}
