//! What an execution of `rollback` means for its run's incident, and what it says of the run. Pure.

use cutover::text::{named, quoted};
use serde_json::Value;

use crate::asked::Event;
use crate::taken::{MOST_CAUSE_BYTES, MOST_NAME_BYTES};

/// What a rollback's status means for its run's incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// It has begun.
    Begins,
    /// Everything is as it was before.
    Back,
    /// A person is needed.
    Left(String),
    /// Nothing: another one is at it, or there was nothing to do.
    Nothing,
}

pub(crate) fn means(event: &Event) -> Means {
    let output: Value = event.output.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    match event.status.as_str() {
        "RUNNING" => Means::Begins,
        "SUCCEEDED" if output["ending"] == "NothingToDo" => Means::Nothing,
        // EventBridge leaves a long output out.
        "SUCCEEDED" => Means::Back,
        "ABORTED" => Means::Left("its rollback was stopped; it is started again by itself".to_owned()),
        "TIMED_OUT" => Means::Left("its rollback took too long; it is started again by itself".to_owned()),
        _ => match event.error.as_deref() {
            Some("Cutover.Fenced" | "Cutover.InvalidGesture") => Means::Nothing,
            Some("Cutover.Stuck") => Means::Left(
                "work is left that only a person can do: the operators' message of the run says precisely what"
                    .to_owned(),
            ),
            Some("Cutover.Held") => Means::Left("its rollback is held, and waits for a person to decide".to_owned()),
            error => {
                let cause = event.cause.as_deref().unwrap_or_default();
                let error = named(error.unwrap_or("no error"), MOST_NAME_BYTES);
                Means::Left(format!("its rollback ended with {error}: {}", quoted(cause, MOST_CAUSE_BYTES)))
            }
        },
    }
}

/// Why it goes back, as far as its rollback was told. A person who stops a run, or asks for it to go back, gives no reason.
pub(crate) fn described(event: &Event) -> String {
    let input: Value = event.input.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    match (input["why"].as_str(), input["force"].as_str()) {
        (_, Some(force)) => format!("A person has it go back all the same: {}.", quoted(force, MOST_CAUSE_BYTES)),
        (Some(why), None) => format!("It goes back because of: {}.", quoted(why, MOST_CAUSE_BYTES)),
        (None, None) if !input["application"].is_null() => "A person has asked for it to go back.".to_owned(),
        _ => "Its execution was stopped, or ended without a word; or a person has asked for it to go back.".to_owned(),
    }
}

/// What a person can do depends on how the rollback ended: `held`, `unfinished` or `stuck`.
pub(crate) fn left_of(event: &Event) -> String {
    let left = match event.error.as_deref() {
        Some("Cutover.Held") => "held",
        Some("Cutover.Stuck") => "stuck",
        _ => "unfinished",
    };
    left.to_owned()
}
