//! Why a run did not start, or goes back: what its reason says of it. Pure.

use cutover::text::quoted;
use serde_json::Value;

const MOST_REASON_BYTES: usize = 400;
/// What Step Functions ends a task with that nobody has answered (Step Functions developer guide, error names).
const TIMEOUT: &str = "States.Timeout";
/// What a run goes back with where somebody who was asked said no.
const REJECTED: &str = "Cutover.Rejected";
/// What names of errors begin with: ours, and those of Step Functions and Lambda.
const ERRORS: [&str; 5] = ["Cutover.", "States.", "Lambda.", "Sandbox.", "Runtime."];

/// Why a run did not start, in a few words.
pub(crate) fn why_not_started(ending: &str, failure: &Value) -> &'static str {
    match ending {
        "InvalidPlan" => "its plan is wrong",
        "Rejected" if failure["error"] == TIMEOUT => "nobody who was asked has answered in time",
        "Rejected" => "those who were asked said no, or not who they are",
        "Conflict" => "another run holds the application or one of its routes",
        "LineStopped" => "the line is stopped for every run",
        _ => "the environment is not as the plan says, or could not be observed",
    }
}

/// Where a run did not start: what failed, or who said no and why.
pub(crate) fn what_failed(failure: &Value) -> Option<String> {
    let parts = ["state", "error", "cause"].map(|part| failure[part].as_str().unwrap_or_default());
    let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (!said.is_empty()).then(|| quoted(&said.join(": "), MOST_REASON_BYTES))
}

/// Whether a run goes back because a check of it failed, as far as its reason says so: as state, error and cause. A person who stops a run gives none;
/// one who says no, forces it, or takes its whole wave back, is named.
pub(crate) fn is_found_wrong(why: &str) -> bool {
    let why = match why.strip_prefix("forced by ") {
        Some(forced) => forced.split_once("; before that, ").map_or("", |(_, before)| before),
        None => why,
    };
    if let Some((wave, by)) = why.split_once(" goes back: ") {
        return wave.starts_with("wave ") && by.starts_with("Cutover: ");
    }
    let is_error = |part: &&str| ERRORS.iter().any(|room| part.starts_with(room)) || part.ends_with("Error");
    why.split(": ").take(2).find(is_error).is_some_and(|error| error != REJECTED)
}
