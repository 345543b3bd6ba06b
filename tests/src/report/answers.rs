//! What a rehearsal answers to whoever has to decide: for the summary and the page alike.
//!
//! Contract: pure.

use serde_json::Value;

use super::plot::short;
use super::words::{clock, duration, findings_or_short, lines};
use crate::bill::Bill;
use crate::checked::Checked;
use crate::gates::Gate;
use crate::outcome::{Change, Ending, Outcome, UsersSaw};

/// A reason takes a few lines at the most.
const MOST_HOLD_BYTES: usize = 600;

/// What its ending means, in words.
pub(super) fn meaning(outcome: &Outcome) -> &'static str {
    match outcome.ending {
        Ending::Succeeded if outcome.preceding.is_none() && outcome.is_as_before() => "nothing was to be moved",
        Ending::Succeeded => outcome.success,
        Ending::RolledBack if outcome.is_as_before() => "every route is as it was before",
        Ending::RolledBack => "AND YET A ROUTE IS NOT AS BEFORE, see below",
        Ending::Stuck => "a person has to act: the messages below say how",
        Ending::Held => "a person has to decide: the messages below say why, and how",
        Ending::Refused(_) => "nothing was touched",
        Ending::Other(_) => "an ending that Cutover does not know",
    }
}

/// What a rehearsal answers to whoever has to decide: a name, and the answer.
pub(super) fn answers(outcome: &Outcome) -> Vec<(&'static str, String)> {
    let impact = outcome.users.impact;
    let mut answers = vec![("Took, in virtual time", took(outcome)), ("Users hurt", hurt(&outcome.users))];
    if let Some((first, last)) = impact.first_hurt_seconds.zip(impact.last_hurt_seconds) {
        // Resolvers keep an answer for its TTL, and are watched a little beyond the end.
        let hurt_for = match last > outcome.seconds {
            true => format!("from {} to the end, and beyond", clock(first)),
            false => format!("{}, from {} on", span(last - first), clock(first)),
        };
        answers.push(("Hurt for", hurt_for));
    }
    if let Some(seconds) = outcome.seconds_to_restored() {
        answers.push(("From the first hurt to restored", span(seconds)));
    }
    if let Some(seconds) = outcome.seconds_from_bad_look_to_restored() {
        answers.push(("First bad look to restored", span(seconds)));
    }
    answers.push(("Changes made and undone", made_and_undone(&outcome.changes)));
    let Bill { transitions, invocations, .. } = outcome.bill;
    let price = if outcome.dollars < 0.01 { "less than a cent".to_owned() } else { format!("${:.2}", outcome.dollars) };
    let costs = format!("{price}: {transitions} state transitions, {invocations} calls");
    answers.push(("Costs on AWS", costs));
    answers
}

/// Functions take real time, which counts many times at a high speed: of what a run would take on AWS, holds and TTLs are the
/// part that is exact.
fn took(outcome: &Outcome) -> String {
    let all = span(outcome.seconds);
    let is_whole = outcome.ending == Ending::Succeeded && outcome.preceding.is_none();
    let takes = is_whole.then(|| Checked::of(&outcome.plan).takes).flatten();
    match takes.map(|takes| takes.least_seconds as f64).filter(|least| *least > 0.0 && *least < outcome.seconds) {
        Some(least) => format!("{all}, of which {} are the plan's own waits", span(least)),
        None => all,
    }
}

/// Who got no good answer, or waited longer for it than the plan's latency gate allows.
fn hurt(users: &UsersSaw) -> String {
    let UsersSaw { requests, failures, slow, slow_above_seconds, .. } = users;
    let (hurt, waited) = (failures + slow, slow_above_seconds.map(short));
    match (hurt, waited) {
        (0, Some(limit)) => format!("nobody, of {requests} requests: none failed, or took longer than {limit} s"),
        (0, None) => format!("nobody, of {requests} requests: none failed"),
        (_, waited) => {
            let percent = 100.0 * hurt as f64 / (*requests).max(1) as f64;
            let slow = waited.map(|limit| format!(", {slow} took longer than {limit} s, the latency gate's limit"));
            format!("{percent:.2} % of {requests} requests: {failures} failed{}", slow.unwrap_or_default())
        }
    }
}

/// What was refused, or not answered, has neither made nor undone a thing that anybody knows of.
fn made_and_undone(changes: &[Change]) -> String {
    let done = |undo: bool| changes.iter().filter(|change| change.undo == undo && trouble(change).is_none()).count();
    let troubles = changes.iter().filter(|change| trouble(change).is_some()).count();
    let beside = if troubles > 0 { format!("; {troubles} refused or not answered") } else { String::new() };
    format!("{} and {}{beside}", done(false), done(true))
}

/// Why a person has to decide, of a run that is held.
fn hold(outcome: &Outcome) -> Option<String> {
    let of = |cause: &str| -> Option<String> {
        let cause: Value = serde_json::from_str(cause).ok()?;
        let hold = [&cause["hold"], &cause["rollback"]["report"]["hold"]].into_iter().find_map(Value::as_str)?;
        Some(cutover::text::shown(hold, MOST_HOLD_BYTES))
    };
    let ends = [&outcome.execution].into_iter().chain(outcome.rollbacks.iter().rev());
    ends.filter_map(|execution| execution.end.cause.as_deref()).find_map(of)
}

/// Why it ended so, a line each: why a person has to decide, and what failed before that.
pub fn why(outcome: &Outcome) -> Vec<String> {
    let held = (outcome.ending == Ending::Held).then(|| hold(outcome)).flatten();
    let failed = outcome.execution.end.cause.as_deref().map(findings_or_short).unwrap_or_default();
    match held {
        Some(hold) => {
            let before = failed
                .into_iter()
                .filter(|line| !line.contains(&hold))
                .map(|line| format!("It was to be rolled back because of: {line}"));
            [format!("It is held because {hold}")].into_iter().chain(before).collect()
        }
        None => failed,
    }
}

/// A length of virtual time, in whole seconds.
fn span(seconds: f64) -> String {
    duration(seconds.max(0.0).round() as u64)
}

/// What precheck warned of, without colours.
pub(super) fn warnings(outcome: &Outcome) -> Vec<String> {
    lines(outcome.warnings()).iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
}

/// What came of a request that did not do what it was for.
pub(super) fn trouble(change: &Change) -> Option<String> {
    match change.status {
        Some(status) if status < 400 => None,
        Some(status) => Some(format!("refused ({status})")),
        None => Some("not answered".to_owned()),
    }
}

/// What the worst of its looks saw: `0.5, trouble when greater than 0.05`.
pub(super) fn worst(gate: &Gate) -> &str {
    gate.worst().map_or("never looked at", |look| &look.seen)
}

/// `12, 2 of them unhealthy`
pub(super) fn looks(gate: &Gate) -> String {
    let unhealthy = gate.looks.iter().filter(|look| look.verdict == "unhealthy").count();
    let of_them = if unhealthy > 0 { format!(", {unhealthy} of them unhealthy") } else { String::new() };
    format!("{}{of_them}", gate.looks.len())
}

/// Whether any of its looks was unhealthy.
pub(super) fn turned_back(gate: &Gate) -> bool {
    gate.looks.iter().any(|look| look.verdict == "unhealthy")
}
