//! How long a rollback takes, or took. Pure.
//!
//! It is measured from when the cutover went back (or, where it was stopped, from its end), and not from the rollback's own start: until then users were served as
//! badly. Two ends are told: when the last route was put back, which is what users see, and when the rollback had ended, with its second look after late writers.
//! The objective is compared with the first, and is the stack's (`recoveryObjectiveMinutes`): the plan's `timeout` bounds how long a run may go forward, and says
//! nothing of how long going back may take.

use history::{Call, Weight};
use jiff::Timestamp;
use journal::Phase;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::known::Known;
use crate::status::Settings;

/// One rollback: the last of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recovery {
    /// How many rollbacks of this run were begun.
    pub attempts: u32,
    /// When the run went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub began_at: Option<Timestamp>,
    /// When the last route was put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub traffic_back_at: Option<Timestamp>,
    /// When it had ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    /// From the beginning until traffic was back, or until now; none where nothing had to be put back, and of a run that a person has released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_seconds: Option<u64>,
    /// What the stack wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective_seconds: Option<u64>,
    /// Whether it was met; none while that is open, and where there is no objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_met: Option<bool>,
}

/// The rollback of a run, if one was begun.
pub fn recovery(known: &Known, calls: &[Call], settings: &Settings, at: Timestamp) -> Option<Recovery> {
    let run = known.run.as_ref()?;
    let story = known.rollback.as_ref();
    if story.is_none() && run.rollbacks == 0 {
        return None;
    }
    let back = story.map(|story| story.calls()).unwrap_or_default();
    let began_at = went_back(known, calls).or_else(|| story?.began_at);
    let put_back: Vec<Weight> = history::calls::weights(&back);
    let is_back = run.phase == Phase::RolledBack;
    let traffic_back_at = put_back.last().map(|weight| weight.at).filter(|_| is_back);
    // What came after a person released it nobody has looked at.
    let until = match run.phase {
        Phase::RolledBack => traffic_back_at,
        Phase::Closed => None,
        _ => Some(at),
    };
    let ended_at = match run.phase {
        Phase::RolledBack | Phase::Stuck => known.ended_at(),
        Phase::Closed => known.reported().and_then(|report| report["at"].as_str()?.parse().ok()),
        _ => None,
    };
    let recovery_seconds =
        began_at.zip(until).and_then(|(from, until)| u64::try_from(until.duration_since(from).as_secs()).ok());
    let objective_seconds = settings.recovery_objective_seconds;
    let compared = recovery_seconds.zip(objective_seconds).map(|(seconds, objective)| seconds <= objective);
    Some(Recovery {
        attempts: run.rollbacks,
        began_at,
        traffic_back_at,
        ended_at,
        recovery_seconds,
        objective_seconds,
        // While traffic is not back it can only be missed.
        is_met: compared.filter(|is_met| is_back || !is_met),
    })
}

/// When the cutover went back, or was ended.
fn went_back(known: &Known, calls: &[Call]) -> Option<Timestamp> {
    let entered = known.cutover.events.iter().find_map(|event| match &event.what {
        history::What::Entered(state) if state == "StartRollback" => Some(event.at),
        _ => None,
    });
    let ended = known.cutover.ended.as_ref();
    // One that has succeeded did not go back: a later rollback has its own beginning.
    let stopped = ended.filter(|ended| ended.status != "SUCCEEDED").map(|ended| ended.at);
    entered.or(stopped.filter(|_| known.finished_at(calls).is_none()))
}
