//! The promise, checked on what a run has left: pure.
//!
//! Contract: [`violations`] answers what is wrong, one sentence each; nothing if the promise was kept:
//! - *every* route is wholly on the new side, or exactly as it was before, or the run is Stuck and a page names exactly the
//!   routes that differ, with the command for each;
//! - the ending's name, the journal's phase and locks, and the account agree; nothing else has changed;
//! - what passes by itself does not cause a rollback; a second start is refused; a foreign change is not overwritten;
//! - users got their answers.

use serde_json::Value;

use super::case::{Case, Fault};
use crate::compare::differences;
use crate::control::Message;
use crate::follow::End;
use crate::routes::{Place, Route};

/// So many of the users' requests may fail on a busy machine without a fault of the product.
const TOLERATED_FAILURES_PERCENT: f64 = 2.0;

/// What a run has left.
#[derive(Clone, Debug)]
pub struct Left {
    /// How the cutover's execution ended.
    pub end: Option<End>,
    /// Of the run in the journal; none if there is no run.
    pub phase: Option<String>,
    /// The locks that the run holds.
    pub locks: Vec<String>,
    /// The account before.
    pub before: Value,
    /// The account after.
    pub after: Value,
    /// What of the account differs from before, in the plan's names.
    pub changes: Vec<String>,
    /// The new side's percentage on each route.
    pub new_percents: Vec<f64>,
    /// All messages.
    pub messages: Vec<Message>,
    /// Executions that still run, the cleanup's durable wait left out.
    pub running: Vec<String>,
    /// How the second execution ended, if there was one.
    pub second: Option<End>,
    /// Users' requests, those that failed, and those that nobody was there for.
    pub users: (usize, usize, usize),
}

/// How a run ended, as far as the account is concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// Wholly on the new side.
    New,
    /// As it was before.
    Before,
    /// A person was told what is left.
    Stuck,
}

/// The ending that a run has, by execution and journal together; an error if they do not agree.
pub fn ended(left: &Left) -> Result<Ended, String> {
    let Some(end) = &left.end else { return Err("the cutover's execution has not ended".to_owned()) };
    let error = end.error.as_deref().unwrap_or_default();
    let by_journal = match left.phase.as_deref() {
        None | Some("rolled_back") => Ended::Before,
        Some("stuck") => Ended::Stuck,
        Some("finished" | "closed") => Ended::New,
        Some("cleaning") if cleanup_given_up(&left.messages) => Ended::New,
        Some(phase) => return Err(format!("the run is left in phase {phase}")),
    };
    let agrees = match (end.status.as_str(), error) {
        ("SUCCEEDED", _) => by_journal == Ended::New,
        ("FAILED", "Cutover.InvalidPlan" | "Cutover.PrecheckFailed" | "Cutover.Rejected" | "Cutover.Conflict") => {
            left.phase.is_none() || left.phase.as_deref() == Some("rolled_back")
        }
        ("FAILED", "Cutover.RolledBack") => left.phase.as_deref() == Some("rolled_back"),
        ("FAILED", "Cutover.Stuck") => by_journal == Ended::Stuck,
        // No ending was claimed: the rule and the sweep have brought the run to one.
        _ => true,
    };
    if agrees {
        Ok(by_journal)
    } else {
        Err(format!("the execution ended {} {error}, the journal says {:?}", end.status, left.phase))
    }
}

/// What is wrong with what a run has left. `clean` is what a clean run changes, in the plan's names.
pub fn violations(left: &Left, case: Option<&Case>, routes: &[Route], clean: Option<&[String]>) -> Vec<String> {
    let ended = match ended(left) {
        Ok(ended) => ended,
        Err(sentence) => return vec![sentence],
    };
    let drifting = case.and_then(|case| case.drifting_route(routes.len())).map(|index| &routes[index]);
    let mut found = match ended {
        Ended::New => wholly_new(left, clean, drifting.is_some(), case.is_some_and(Case::tidies_up)),
        Ended::Before => as_before(left, drifting),
        Ended::Stuck => told(left, routes),
    };
    found.extend(expected(ended, case));
    found.extend(left.running.iter().map(|arn| format!("{arn} still runs")));
    found.extend(books(left, ended));
    found.extend(second(left));
    found.extend(users(left));
    found
}

/// What of the account belongs to a route.
fn is_of(route: &Route, difference: &str) -> bool {
    match &route.place {
        Place::Forward { arn } => difference.contains(arn.as_str()),
        Place::Name { zone, .. } => difference.contains(&format!("hosted_zones.{zone}")),
    }
}

fn wholly_new(left: &Left, clean: Option<&[String]>, is_drifting: bool, is_tidying: bool) -> Vec<String> {
    let mut found = Vec::new();
    if left.new_percents.iter().any(|percent| *percent != 100.0) {
        found.push(format!("the new side has {:?} %", left.new_percents));
    }
    // Somebody else's change before the first look is part of what is moved; what tidying up leaves is told.
    let is_explained = is_drifting || is_tidying && is_kept_and_told(left);
    if let Some(clean) = clean.filter(|_| !is_explained) {
        let is_among = |line: &str, others: &[String]| others.iter().any(|other| said(other) == said(line));
        let strange = left.changes.iter().filter(|line| !is_among(line, clean));
        found.extend(strange.map(|line| format!("a clean run does not change {line}")));
        // An alarm that cannot be set is reported, and does not take a good cutover back.
        let is_needed = |line: &&String| !line.starts_with("$.cloudwatch.alarms.");
        let missing = clean.iter().filter(is_needed).filter(|line| !is_among(line, &left.changes));
        found.extend(missing.map(|line| format!("a clean run also changes {line}")));
    }
    found
}

/// What a difference says: of what is gone, only that it is.
fn said(difference: &str) -> &str {
    let gone = difference.strip_suffix(" -> null").and_then(|gone| gone.split_once(": "));
    gone.map_or(difference, |(path, _)| path)
}

/// Whether a person was told that something of a finished run is still there: by the message about its end, or by a page.
fn is_kept_and_told(left: &Left) -> bool {
    let says_kept = |message: &Message| {
        let is_end = message.subject.as_deref().is_some_and(|subject| subject.ends_with(": closed"));
        is_end && message.message.contains("\"kept\": [\n")
    };
    cleanup_given_up(&left.messages) || left.messages.iter().any(says_kept)
}

fn as_before(left: &Left, drifting: Option<&Route>) -> Vec<String> {
    let differences = differences(&left.before, &left.after);
    let is_foreign = |line: &&String| drifting.is_some_and(|route| is_of(route, line));
    let mut found: Vec<String> =
        differences.iter().filter(|line| !is_foreign(line)).map(|line| format!("not as it was: {line}")).collect();
    if drifting.is_some() && differences.is_empty() {
        found.push("somebody else's change was overwritten".to_owned());
    }
    found
}

/// A page names exactly the routes that differ, each with its command.
fn told(left: &Left, routes: &[Route]) -> Vec<String> {
    let Some(page) = page(&left.messages) else { return vec!["stuck, and nobody was paged".to_owned()] };
    let differences = differences(&left.before, &left.after);
    let mut found = Vec::new();
    for route in routes {
        let differs = differences.iter().any(|line| is_of(route, line));
        if differs != commands(page).any(|command| names(route, command)) {
            let sign = if differs {
                "differs, and the page has no command for it"
            } else {
                "is as before, and the page has a command for it"
            };
            found.push(format!("{} {sign}", route.label));
        }
    }
    let of_no_route =
        differences.iter().filter(|line| !routes.iter().any(|route| is_of(route, line)) && !is_use_of_group(line));
    let in_a_command = |name: &str| commands(page).any(|command| command.contains(name));
    let is_told = |line: &&String| {
        alarm_of(line).is_some_and(in_a_command)
            || health_check_of(line).is_some_and(|(id, reference)| in_a_command(id) || page.message.contains(reference))
    };
    found.extend(of_no_route.filter(|line| !is_told(line)).map(|line| format!("left behind: {line}")));
    found
}

/// The alarm that a difference is about.
fn alarm_of(difference: &str) -> Option<&str> {
    difference.strip_prefix("$.cloudwatch.alarms.")?.split([':', '.']).next()
}

/// The identifier and the caller reference of the health check that is there, and was not before.
fn health_check_of(difference: &str) -> Option<(&str, &str)> {
    let (id, made) = difference.strip_prefix("$.route53.health_checks.")?.split_once(": null -> ")?;
    let (_, reference) = made.split_once(r#""CallerReference":""#)?;
    Some((id, reference.split('"').next()?))
}

/// A target group says which load balancers use it, and its targets are only then checked: that follows from the routes.
fn is_use_of_group(difference: &str) -> bool {
    difference.starts_with("$.elbv2.target_groups.")
        && (difference.contains(".LoadBalancerArns") || difference.contains(".TargetHealth"))
}

/// Whether a person was told that the run is finished, and cannot be tidied up.
pub fn cleanup_given_up(messages: &[Message]) -> bool {
    let is_so = |subject: &str| subject.starts_with("ACTION NEEDED: cleanup");
    messages.iter().any(|message| message.subject.as_deref().is_some_and(is_so))
}

/// The last page to a person that has commands; without any, the last one.
pub fn page(messages: &[Message]) -> Option<&Message> {
    let is_page = |message: &&Message| {
        message
            .subject
            .as_deref()
            .is_some_and(|subject| subject.starts_with("CRITICAL") || subject.starts_with("ACTION NEEDED"))
    };
    let pages = || messages.iter().rev().filter(is_page);
    pages().find(|page| commands(page).next().is_some()).or_else(|| pages().next())
}

/// The AWS CLI commands of a page that change a route.
pub fn commands(page: &Message) -> impl Iterator<Item = &str> {
    let changes = page.message.lines().filter_map(|line| line.trim_start().strip_prefix("change to make: "));
    changes.filter(|change| change.starts_with("aws "))
}

fn names(route: &Route, command: &str) -> bool {
    match &route.place {
        Place::Forward { arn } => command.contains(arn.as_str()),
        Place::Name { zone, name, .. } => command.contains(zone.as_str()) && command.contains(name.as_str()),
    }
}

/// What a fault must lead to, where that is certain.
fn expected(ended: Ended, case: Option<&Case>) -> Option<String> {
    let case = case?;
    let wanted = match case.fault {
        _ if case.fault.is_transient() && case.goes_back() => Ended::Before,
        _ if case.fault.is_transient() => Ended::New,
        Fault::SecondStart => Ended::New,
        _ => return None,
    };
    (ended != wanted).then(|| format!("{} should lead to {wanted:?}, not to {ended:?}", case.fault.name()))
}

fn books(left: &Left, ended: Ended) -> Option<String> {
    let is_over = ended == Ended::Before || left.phase.as_deref() == Some("closed");
    match (is_over, left.locks.is_empty()) {
        (true, false) => Some(format!("locks are left: {:?}", left.locks)),
        (false, true) => Some("the run holds no locks any more".to_owned()),
        _ => None,
    }
}

fn second(left: &Left) -> Option<String> {
    let error = left.second.as_ref()?.error.as_deref().unwrap_or("nothing");
    (!["Cutover.Conflict", "Cutover.PrecheckFailed"].contains(&error))
        .then(|| format!("the second start ended with {error}"))
}

fn users(left: &Left) -> Option<String> {
    let (requests, failures, nowhere) = left.users;
    let percent = 100.0 * failures as f64 / requests.max(1) as f64;
    (nowhere > 0 || percent > TOLERATED_FAILURES_PERCENT)
        .then(|| format!("of {requests} requests of users {failures} failed, {nowhere} of them had nowhere to go"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_gone_whatever_it_was() {
        let gone = "$.elbv2.target_groups.arn:aws:elasticloadbalancing:old: {\"Port\":80} -> null";
        assert_eq!(said(gone), "$.elbv2.target_groups.arn:aws:elasticloadbalancing:old");
        assert_eq!(said("$.a: 1 -> 2"), "$.a: 1 -> 2");
    }

    #[test]
    fn a_health_check_that_is_left_is_known_by_id_and_reference() {
        let left = r#"$.route53.health_checks.1f2e: null -> {"CallerReference":"cutover-d-0-new","Id":"1f2e"}"#;
        assert_eq!(health_check_of(left), Some(("1f2e", "cutover-d-0-new")));
        assert_eq!(health_check_of("$.route53.health_checks.1f2e.Port: 80 -> 443"), None);
    }

    #[test]
    fn commands_are_those_lines_of_a_page_that_begin_with_aws() {
        let message = "- name a\n  change to make: aws route53 x\n- name b\n  change to make: make it so\n";
        let page = Message { topic_arn: None, subject: None, message: message.to_owned() };
        assert_eq!(commands(&page).collect::<Vec<_>>(), ["aws route53 x"]);
    }
}
