//! When the next message comes: every message says so.

use cutover::plan::{Format, Group, Moment};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::when;
use cutover::told::Told;

/// One sentence.
pub(crate) fn sentence(told: &Told, moment: Moment, group: &Group) -> String {
    let after = |field: &str| told.detail[field].as_u64().and_then(|seconds| later(told.at, seconds));
    let by = |time: Option<Timestamp>| time.map(|time| format!(", by {} at the latest", when::shown(time, group)));
    let by = |field: &str| by(after(field)).unwrap_or_default();
    match moment {
        Moment::ApprovalWanted => format!("The next message comes when this was answered{}.", by("within_seconds")),
        Moment::Holding | Moment::TooLittleData => {
            format!("The next message comes when somebody has decided{}.", by("within_seconds"))
        }
        Moment::Started => started(told, group),
        Moment::StepReached => after("hold_seconds").map_or_else(
            || "The next message comes with the next step, or when it ends.".to_owned(),
            |time| format!("The next message comes with the next step, not before {}.", when::shown(time, group)),
        ),
        Moment::Verifying => after("hold_seconds").map_or_else(
            || "The next message comes when it ends.".to_owned(),
            |time| format!("The next message comes when it ends, not before {}.", when::shown(time, group)),
        ),
        Moment::Succeeded => succeeded(after("cleanup_after_seconds"), group),
        Moment::Stuck => "The next message comes when this was put right.".to_owned(),
        Moment::Trouble => "The next message comes when this was taken back, or with the cleanup.".to_owned(),
        // These say it themselves.
        Moment::Incident | Moment::Wave | Moment::WaveProgress | Moment::Timeline | Moment::Digest => String::new(),
        Moment::NotStarted | Moment::RolledBack | Moment::CleanupDone => {
            "This is the last message of this run.".to_owned()
        }
    }
}

fn started(told: &Told, group: &Group) -> String {
    let end = holds(&told.detail["steps"]).and_then(|seconds| later(told.at, seconds));
    let not_before = end.map(|end| format!(", not before {}", when::shown(end, group))).unwrap_or_default();
    if group.hears(Moment::StepReached) {
        "The next message comes with the first step.".to_owned()
    } else {
        let what = if group.format() == Format::Detailed { "the maintenance" } else { "it" };
        format!("The next message comes when {what} ends{not_before}, or earlier if it is taken back.")
    }
}

fn succeeded(cleanup: Option<Timestamp>, group: &Group) -> String {
    match cleanup.filter(|_| group.hears(Moment::CleanupDone)) {
        Some(time) => {
            format!("The next message comes when the old side is removed, not before {}.", when::shown(time, group))
        }
        None => "This is the last message of this run, unless something is found later.".to_owned(),
    }
}

fn later(at: Timestamp, seconds: u64) -> Option<Timestamp> {
    at.checked_add(SignedDuration::from_secs(i64::try_from(seconds).ok()?)).ok()
}

/// The sum of a plan's holds, where an event has its steps.
pub(crate) fn holds(steps: &Value) -> Option<u64> {
    let steps = steps.as_array().filter(|steps| !steps.is_empty())?;
    steps.iter().map(|step| step["hold_seconds"].as_u64()).sum()
}
