//! A line for everything that happens.
//!
//! Contract: pure but for the writer that [`Progress`] is given. A state that comes again and again (a hold's wait and check) is
//! shown once for each weight.

use std::collections::HashSet;
use std::io::Write;
use std::time::Duration;

use super::words::{BAD, BOLD, DIM, NOTE, clock, ended, failed, findings, share, short, weights};
use crate::approver::{Answer, Asked, Decision};
use crate::follow::Told;
use crate::own::OwnNames;
use crate::run::Happening;
use crate::traffic::Tally;
use crate::world::{Act, Conduct};

/// Shows a rehearsal while it goes on.
#[derive(Debug)]
pub struct Progress<W> {
    out: W,
    own: OwnNames,
    shown: HashSet<(String, String)>,
}

impl<W: Write> Progress<W> {
    /// Writes lines to `out`, with these names.
    pub fn new(out: W, own: OwnNames) -> Self {
        Self { out, own, shown: HashSet::new() }
    }

    /// One thing that happened.
    pub fn show(&mut self, at: Duration, happening: &Happening) {
        if let Happening::Moved(_) = happening {
            self.shown.clear();
        }
        let Some(line) = self.line(happening) else { return };
        let line = self.own.in_text(&line);
        // A reader who went away (a closed pipe) must not end the rehearsal before it has cleaned up.
        let _ = writeln!(self.out, "{DIM}{}{DIM:#}  {line}", clock(at.as_secs_f64()));
    }

    fn line(&mut self, happening: &Happening) -> Option<String> {
        match happening {
            Happening::Told(label, nested, told) => {
                let line = self.told(label, told)?;
                Some(format!("{}{line}", indent(*nested)))
            }
            Happening::Ended(label, nested, end) => {
                Some(format!("{}{BOLD}{label} ends{BOLD:#} {}", indent(*nested), ended(end)))
            }
            Happening::Moved(state) => {
                Some(format!("{NOTE}weights{NOTE:#}  {}: {}", state.route, weights(&state.destinations)))
            }
            Happening::Users(routes, failures) => Some(format!("{DIM}users{DIM:#}    {}", users(routes, *failures))),
            Happening::Did(act) => Some(format!("{NOTE}{}{NOTE:#} (the world file asks for it)", did(*act))),
            Happening::Acknowledged(id) => {
                Some(format!("{NOTE}somebody looks after incident {id}, by its page{NOTE:#}"))
            }
            Happening::Answered(asked) => Some(format!("{NOTE}somebody {}{NOTE:#}", answered(*asked))),
            Happening::Behaves(side, conduct) => {
                Some(format!("{NOTE}the {side} side{NOTE:#} now: {}", behaviour(conduct)))
            }
        }
    }

    fn told(&mut self, label: &str, told: &Told) -> Option<String> {
        match told {
            Told::Began => Some(format!("{BOLD}{label} starts{BOLD:#}")),
            Told::Entered(_, kind) if kind == "Choice" || kind == "Pass" => None,
            Told::Entered(state, kind) => {
                let is_new = self.shown.insert((label.to_string(), state.clone()));
                let name = if kind == "Fail" { format!("{BAD}{state}{BAD:#}") } else { state.clone() };
                is_new.then(|| format!("{name} {DIM}{}{DIM:#}", kind.to_lowercase()))
            }
            Told::Failed(error, cause) => {
                let is_new = self.shown.insert((label.to_string(), format!("{error} {cause}")));
                let why = findings(cause).map_or_else(|| format!(" {}", short(cause)), |lines| below(&lines));
                is_new.then(|| format!("{BAD}{error}{BAD:#}{why}"))
            }
        }
    }
}

fn below(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n            {line}")).collect()
}

fn indent(nested: bool) -> &'static str {
    if nested { "    " } else { "" }
}

fn users(routes: &[(String, Tally)], failures: usize) -> String {
    let shares: Vec<String> = routes.iter().map(|(label, tally)| format!("{label} {} new", share(tally))).collect();
    format!("{}   {}", shares.join("   "), failed(failures))
}

fn answered(asked: Asked) -> &'static str {
    match asked {
        Asked::Approval(Answer::Approve) => "approves",
        Asked::Approval(Answer::Reject) => "rejects",
        Asked::Decision(Decision::GoOn) => "says: go on in spite of it",
        Asked::Decision(Decision::GoBack) => "says: go back",
        Asked::Decision(Decision::Silence) => "says nothing",
    }
}

fn did(act: Act) -> &'static str {
    match act {
        Act::StopExecution => "the execution is stopped",
        Act::StartSecond => "a second cutover with the same plan is started",
    }
}

fn behaviour(conduct: &Conduct) -> String {
    format!(
        "answers in {} ms, {} % errors, {} % of its targets healthy, health endpoint {} {:?}",
        conduct.latency_ms,
        conduct.error_rate * 100.0,
        conduct.healthy_percent,
        conduct.health_status,
        conduct.health_body
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Move;

    #[test]
    fn a_loop_is_shown_once_for_each_weight() {
        let mut out = Vec::new();
        let mut progress = Progress::new(&mut out, OwnNames::default());
        let check =
            Happening::Told("cutover".to_string(), false, Told::Entered("Check".to_string(), "Task".to_string()));
        let step = Happening::Moved(Move { at_seconds: 0.0, route: "r".to_string(), destinations: Vec::new() });
        for happening in [&check, &check, &step, &check, &check] {
            progress.show(Duration::from_secs(3700), happening);
        }
        let text = anstream::adapter::strip_bytes(&out).into_vec();
        let text = String::from_utf8(text).expect("text");
        assert_eq!(text.matches("Check").count(), 2, "{text}");
        assert!(text.starts_with("01:01:40  Check task"), "{text}");
    }

    #[test]
    fn each_finding_has_a_line_of_its_own() {
        let finding = |path: &str| serde_json::json!({ "severity": "error", "kind": "plan", "path": path, "problem": "is missing", "fix": "add it" });
        let cause =
            serde_json::json!({ "application": "a", "findings": [finding("$.routes"), finding("$.application")] });
        let failed = Told::Failed("Cutover.InvalidPlan".to_string(), cause.to_string());
        let mut out = Vec::new();
        Progress::new(&mut out, OwnNames::default())
            .show(Duration::ZERO, &Happening::Told("cutover".to_string(), false, failed));
        let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).expect("text");
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert!(lines[0].ends_with("Cutover.InvalidPlan"), "{text}");
        assert_eq!(lines[1..], ["error    $.routes  is missing: add it", "error    $.application  is missing: add it"]);
        assert_eq!(findings("a sentence"), None);
    }
}
