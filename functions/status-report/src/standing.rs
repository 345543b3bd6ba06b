//! How a run stands, and what it does now, in words. Pure.

use cutover::text::{quoted, shown};
use history::Call;
use jiff::Timestamp;
use journal::Phase;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::doing::doing;
use crate::known::Known;
use crate::work::Step;

pub(crate) const MOST_TITLE_BYTES: usize = 250;
pub(crate) const MOST_REASON_BYTES: usize = 400;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Work is left that only a person can do.
    Stuck,
    /// A rollback waits for a person's decision.
    Held,
    /// A check or a load test failed, and a person is asked whether the run goes on.
    WaitsForDecision,
    /// Traffic is put back, or that is owed.
    RollingBack,
    /// A person has paused it.
    Paused,
    /// It holds where it is, since the line is stopped.
    LineStopped,
    /// Somebody has to agree before anything is touched.
    WaitsForApproval,
    /// It moves traffic, or is about to.
    Running,
    /// It looks at what the plan names; nothing is touched.
    Checking,
    /// All traffic is on the new side, which is watched until the old one is removed.
    Watched,
    /// The old side is being removed.
    CleaningUp,
    /// Over: everything is as it was before.
    RolledBack,
    /// Over: nothing was touched.
    NotStarted,
    /// Over: a person released it as it was.
    Released,
    /// Over: the new side stays.
    Closed,
}

impl Standing {
    /// In one or two words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Held => "rollback held",
            Self::WaitsForDecision => "waits for a decision",
            Self::RollingBack => "rolling back",
            Self::Paused => "paused",
            Self::LineStopped => "line stopped",
            Self::WaitsForApproval => "waits for approval",
            Self::Running => "running",
            Self::Checking => "checking",
            Self::Watched => "done, watched",
            Self::CleaningUp => "done, cleaning up",
            Self::RolledBack => "rolled back",
            Self::NotStarted => "not started",
            Self::Released => "released",
            Self::Closed => "closed",
        }
    }

    /// Whether something still comes.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::RolledBack | Self::NotStarted | Self::Released | Self::Closed)
    }

    /// Whether the run is on its way to the new side, or waits there.
    pub fn is_going_forward(self) -> bool {
        use Standing::{Checking, LineStopped, Paused, Running, WaitsForApproval, WaitsForDecision};
        matches!(self, WaitsForDecision | Paused | LineStopped | WaitsForApproval | Running | Checking)
    }

    /// What has to come before it goes on, where people hold it.
    pub fn goes_on(self) -> Option<&'static str> {
        match self {
            Self::Paused => Some("once resumed"),
            Self::LineStopped => Some("once the line is lifted"),
            Self::WaitsForDecision => Some("once it may go on"),
            Self::WaitsForApproval => Some("once approved"),
            _ => None,
        }
    }

    /// Whether a person is asked, and silence ends it.
    pub fn waits_for_a_person(self) -> bool {
        matches!(self, Self::WaitsForDecision | Self::WaitsForApproval)
    }

    /// How it is counted.
    pub fn group(self) -> Group {
        match self {
            Self::Running | Self::Checking | Self::RollingBack => Group::Running,
            Self::WaitsForDecision | Self::Paused | Self::LineStopped | Self::WaitsForApproval => Group::Waiting,
            Self::Stuck | Self::Held => Group::Stuck,
            Self::Watched | Self::CleaningUp | Self::Closed => Group::Done,
            Self::RolledBack => Group::RolledBack,
            Self::NotStarted | Self::Released => Group::Other,
        }
    }
}

/// What a run counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// All traffic is on the new side.
    Done,
    /// Something is done.
    Running,
    /// A person is waited for.
    Waiting,
    /// It is as before.
    RolledBack,
    /// Only a person brings it to an end.
    Stuck,
    /// It was not started, or was released.
    Other,
}

/// How a run stands: the journal's word first, then the execution's.
pub fn standing(known: &Known) -> Standing {
    let Some(run) = &known.run else { return unclaimed(known) };
    match run.phase {
        Phase::Stuck if known.ending() == Some("Held") => Standing::Held,
        Phase::Stuck => Standing::Stuck,
        Phase::RollingBack => Standing::RollingBack,
        Phase::RolledBack => Standing::RolledBack,
        Phase::Closed if known.ending() == Some("Released") => Standing::Released,
        Phase::Closed => Standing::Closed,
        Phase::Cleaning => Standing::CleaningUp,
        Phase::Finished => Standing::Watched,
        Phase::Claimed | Phase::Forward => forward(known, run.paused),
    }
}

fn forward(known: &Known, is_paused: bool) -> Standing {
    let state = history::calls::state(&known.cutover.events).map_or("", |(_, state)| state);
    match state {
        // The execution was stopped, or goes back: the way back is owed.
        _ if known.cutover.ended.is_some() => Standing::RollingBack,
        "StartRollback" | "WaitForRollback" | "LookAtRollback" | "RollbackVerdict" => Standing::RollingBack,
        "AwaitDecision" | "AskAfterLoadTest" => Standing::WaitsForDecision,
        _ if is_paused => Standing::Paused,
        _ if held_by_line(&known.calls()).is_some() => Standing::LineStopped,
        _ => Standing::Running,
    }
}

/// What the run's last look at the line says, where it is stopped: who stopped it, since when and why.
pub fn held_by_line(calls: &[Call]) -> Option<String> {
    let is_look = |call: &&Call| ["Monitor", "CheckLine"].contains(&call.state.as_str());
    let last = calls.iter().rev().filter(is_look).find_map(|call| call.answer.as_ref().ok())?;
    last["held"].as_str().map(|held| shown(held, 2 * MOST_REASON_BYTES))
}

fn unclaimed(known: &Known) -> Standing {
    match history::calls::state(&known.cutover.events).map_or("", |(_, state)| state) {
        _ if known.cutover.ended.is_some() => Standing::NotStarted,
        "AnnounceNothingTouched" | "WhyNothingTouched" => Standing::NotStarted,
        "AwaitApproval" => Standing::WaitsForApproval,
        _ => Standing::Checking,
    }
}

/// What it does now, and since when.
pub fn activity(
    known: &Known,
    calls: &[Call],
    steps: &[Step],
    standing: Standing,
    at: Timestamp,
) -> (String, Option<Timestamp>) {
    let entered = history::calls::state(&known.cutover.events);
    let (state, since) = entered.map_or(("", None), |(at, state)| (state, Some(at)));
    let text = |text: &str| text.to_owned();
    let why = || known.run.as_ref().and_then(|run| run.why.as_deref()).map_or_else(|| stopped(known), reason);
    match standing {
        Standing::Stuck => (format!("a person was told what is left to do by hand{}", why()), known.ended_at()),
        Standing::Held => (format!("a person was asked how the run goes on{}", why()), known.ended_at()),
        Standing::RollingBack if known.phase() != Some(Phase::RollingBack) => {
            (format!("going forward has ended{}, and the way back is about to begin", stopped(known)), since)
        }
        Standing::RollingBack => {
            let began_at = known.rollback.as_ref().and_then(|story| story.began_at);
            (format!("puts every route back as it was{}", why()), began_at)
        }
        Standing::RolledBack => (format!("everything is as it was before{}", why()), known.ended_at()),
        Standing::Watched => (text("all traffic is on the new side, which is watched until cleanup"), None),
        Standing::CleaningUp => (text("removes what nobody needs any more of the old side"), None),
        Standing::Closed => (text("the run is over: all traffic is on the new side"), known.ended_at()),
        Standing::Released => (released(known), known.ended_at()),
        Standing::NotStarted => (not_started(known), known.cutover.ended.as_ref().map(|ended| ended.at)),
        Standing::WaitsForDecision => (asked(known, "asks a person whether it goes on or back"), since),
        Standing::WaitsForApproval => (text("asks those who may agree; nothing is touched before"), since),
        Standing::LineStopped => {
            let held = held_by_line(calls).map(|held| format!("; {held}")).unwrap_or_default();
            (format!("{}{held}", doing(state, known, calls, steps, at)), since)
        }
        Standing::Paused => {
            let doing = doing(state, known, calls, steps, at);
            (format!("{doing}; a person has paused it, and it goes on once it is resumed"), since)
        }
        Standing::Running | Standing::Checking => (doing(state, known, calls, steps, at), since),
    }
}

fn reason(why: &str) -> String {
    format!(", because of {}", quoted(why, MOST_REASON_BYTES))
}

/// That somebody, or its machine's time limit, stopped the execution itself.
fn stopped(known: &Known) -> String {
    let told = match known.cutover.ended.as_ref().map(|ended| ended.status) {
        Some("ABORTED") => ", since its execution was stopped",
        Some("TIMED_OUT") => ", since its execution ran out of time",
        _ => "",
    };
    told.to_owned()
}

fn released(known: &Known) -> String {
    let by = known.released_by().map(|by| format!(": {}", quoted(by, MOST_REASON_BYTES)));
    format!("a person released the run as it was{}", by.unwrap_or_default())
}

fn asked(known: &Known, what: &str) -> String {
    let (_, asked) = history::calls::asked(&known.cutover.events);
    let why = asked["detail"]["why"].as_str().map(reason).unwrap_or_default();
    format!("{what}{why}")
}

fn not_started(known: &Known) -> String {
    let ended = known.cutover.ended.as_ref();
    let error = ended.and_then(|ended| ended.error.as_deref()).or(ended.map(|ended| ended.status));
    let error = error.filter(|_| stopped(known).is_empty());
    let error = error.map(|error| format!(" ({})", shown(error, MOST_TITLE_BYTES))).unwrap_or_default();
    format!("the run ended before anything was touched{error}{}", stopped(known))
}

/// A value's text; none for what is no text.
pub fn words(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
#[path = "standing_tests.rs"]
mod tests;
