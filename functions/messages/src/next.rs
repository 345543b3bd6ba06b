//! When the next message comes: every message says so.

use cutover::plan::{Format, Group, Moment};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::content::is_released;
use crate::when;
use cutover::told::Told;

/// One sentence.
pub(crate) fn sentence(told: &Told, moment: Moment, group: &Group) -> String {
    let after = |field: &str| told.detail[field].as_u64().and_then(|seconds| later(told.at, seconds));
    let by = |time: Option<Timestamp>| time.map(|time| format!(", by {} at the latest", when::shown(time, group)));
    let by = |field: &str| by(after(field)).unwrap_or_default();
    let run = run(group);
    match moment {
        Moment::ApprovalWanted => format!("The next message comes when this was answered{}.", by("within_seconds")),
        Moment::Holding | Moment::TooLittleData => {
            let when = if group.hears(Moment::StepReached) {
                "with its next step, or when it ends"
            } else {
                "when everything has moved, or it ends"
            };
            let by = after("within_seconds")
                .map(|time| format!(" Somebody decides by {} at the latest.", when::shown(time, group)));
            format!("The next message comes {when}.{}", by.unwrap_or_default())
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
        Moment::CleanupDone if is_released(&told.detail) => {
            format!("This is the last message of this {run}: what is left, people tell by themselves.")
        }
        Moment::Succeeded => succeeded(after("cleanup_after_seconds"), group),
        Moment::Stuck => "The next message comes when this was put right.".to_owned(),
        Moment::Trouble => "The next message comes when this was taken back, or with the cleanup.".to_owned(),
        // These say it themselves.
        Moment::Incident | Moment::Wave | Moment::WaveProgress | Moment::Timeline | Moment::Digest => String::new(),
        Moment::NotStarted | Moment::RolledBack | Moment::CleanupDone => {
            format!("This is the last message of this {run}.")
        }
    }
}

/// What it is the last message of.
fn run(group: &Group) -> &'static str {
    if group.format() == Format::Detailed { "maintenance" } else { "run" }
}

fn started(told: &Told, group: &Group) -> String {
    let steps = &told.detail["steps"];
    let not_before = |seconds: Option<u64>| {
        let time = seconds.and_then(|seconds| later(told.at, seconds));
        time.map(|time| format!(", not before {}", when::shown(time, group))).unwrap_or_default()
    };
    let what = if group.format() == Format::Detailed { "the maintenance" } else { "it" };
    if group.hears(Moment::StepReached) {
        "The next message comes with the first step.".to_owned()
    } else if group.hears(Moment::Verifying) {
        let last = steps.as_array().and_then(|steps| steps.last()).and_then(|step| step["hold_seconds"].as_u64());
        let before = not_before(holds(steps).zip(last).map(|(all, last)| all - last));
        format!("The next message comes when {what} has moved everything{before}, or earlier if it is taken back.")
    } else {
        format!("The next message comes when {what} ends{}, or earlier if it is taken back.", not_before(holds(steps)))
    }
}

fn succeeded(cleanup: Option<Timestamp>, group: &Group) -> String {
    match cleanup.filter(|_| group.hears(Moment::CleanupDone)) {
        Some(time) => {
            let what = if group.format() == Format::Detailed {
                "the old environment is given up"
            } else {
                "the old side is removed"
            };
            format!("The next message comes when {what}, not before {}.", when::shown(time, group))
        }
        None => format!("This is the last message of this {}, unless something is found later.", run(group)),
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
