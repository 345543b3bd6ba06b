//! The promise, checked on what a run has left: pure.
//!
//! Contract: [`violations`] answers what is wrong, one sentence each; nothing if the promise was kept:
//! - *every* route is wholly on the new side, or exactly as it was before, or the run is Stuck and the last page names exactly
//!   the things that differ, with their live state and the command for each;
//! - the ending's name, the journal's phase, ending and locks, and the account agree; nothing else has changed;
//! - writers that were stopped write again, unless all traffic has moved or a person was told;
//! - what passes by itself does not cause a rollback; a stop does; a second start is refused; a foreign change stays;
//! - users got their answers, and every route led somewhere at every moment.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::case::{Case, Fault, Turn};
use super::left::{Change, Left, is_of, of_account};
use super::page::{Item, cleanup_given_up, commands, items, page};
use crate::compare::differences;
use crate::control::{Invocation, Message};
use crate::routes::{Place, Route};

/// So many of the users' requests may fail on a busy machine without a fault of the product.
const TOLERATED_FAILURES_PERCENT: f64 = 2.0;
/// The states that stop the old side's writers, and let them write again.
const QUIESCE: &str = "QuiesceHook";
const RESUME: &str = "ResumeHook";

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

/// What is known of a plan before faults are tried.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// What a clean run changes.
    pub clean: Vec<Change>,
    /// How runs end that are turned back: as before, unless the plan's point of no return lies before that.
    pub turned: BTreeMap<Turn, Ended>,
}

/// The ending that a run has, by execution and journal together; an error if they do not agree.
pub fn ended(left: &Left, case: Option<&Case>) -> Result<Ended, String> {
    let Some(end) = &left.end else { return Err("the cutover's execution has not ended".to_owned()) };
    let error = end.error.as_deref().unwrap_or_default();
    let phase = left.journal.phase();
    let by_journal = match phase {
        None | Some("rolled_back") => Ended::Before,
        Some("stuck") => Ended::Stuck,
        Some("finished" | "closed") => Ended::New,
        Some("cleaning") if cleanup_given_up(&left.messages) => Ended::New,
        Some(phase) => return Err(format!("the run is left in phase {phase}")),
    };
    let agrees = match (end.status.as_str(), error) {
        ("SUCCEEDED", _) => by_journal == Ended::New,
        ("FAILED", "Cutover.InvalidPlan" | "Cutover.PrecheckFailed" | "Cutover.Rejected" | "Cutover.Conflict") => {
            by_journal == Ended::Before
        }
        ("FAILED", "Cutover.RolledBack") => phase == Some("rolled_back"),
        ("FAILED", "Cutover.Stuck" | "Cutover.Held") => by_journal == Ended::Stuck,
        // No ending was claimed: the rule and the sweep have brought the run to one.
        ("FAILED", "Cutover.RollbackUnfinished") => matches!(phase, Some("rolled_back" | "stuck")),
        ("FAILED", _) => by_journal != Ended::New && case.is_some_and(Case::may_end_unnamed),
        ("ABORTED", _) => case.is_some_and(Case::stops_the_cutover),
        _ => false,
    };
    if agrees {
        Ok(by_journal)
    } else {
        Err(format!("the execution ended {} {error}, the journal says {phase:?}", end.status))
    }
}

/// What is wrong with what a run has left.
pub fn violations(left: &Left, case: Option<&Case>, routes: &[Route], known: Option<&Known>) -> Vec<String> {
    let ended = match ended(left, case) {
        Ok(ended) => ended,
        Err(sentence) => return vec![sentence],
    };
    let drifting = case.and_then(|case| case.drifting_route(routes.len()));
    let mut found = match ended {
        Ended::New => wholly_new(left, known, drifting, case),
        Ended::Before => as_before(left, drifting, routes),
        Ended::Stuck => told(left, routes, case),
    };
    if ended == Ended::New {
        found.extend(drifting.and_then(|drifting| overwritten(left, &routes[drifting])));
    }
    found.extend(expected(ended, case, known));
    found.extend(left.running.iter().map(|arn| format!("{arn} still runs")));
    found.extend(books(left, ended, routes.len()));
    found.extend(writers(left, ended));
    found.extend(second(left, case));
    found.extend(users(left, routes));
    found
}

/// As a clean run leaves it; but for what somebody else changed, and what tidying up could not remove and has told.
fn wholly_new(left: &Left, known: Option<&Known>, drifting: Option<usize>, case: Option<&Case>) -> Vec<String> {
    let mut found = Vec::new();
    if left.new_percents.iter().any(|percent| *percent != 100.0) {
        found.push(format!("the new side has {:?} %", left.new_percents));
    }
    let Some(known) = known else { return found };
    let is_excused = |change: &&Change| drifting.is_some_and(|drifting| change.route == Some(drifting));
    let is_told = case.is_some_and(Case::tidies_up) && is_kept_and_told(left);
    let is_leftover = |change: &Change| {
        let removed = ["$.elbv2.", "$.route53.health_checks."];
        is_told && removed.iter().any(|path| change.line.starts_with(path))
    };
    let is_among =
        |change: &Change, others: &[Change]| others.iter().any(|other| said(&other.line) == said(&change.line));
    for change in left.changes.iter().filter(|change| !is_excused(change)) {
        if !is_among(change, &known.clean) && !is_leftover(change) {
            found.push(format!("a clean run does not change {}", change.line));
        }
    }
    for change in known.clean.iter().filter(|change| !is_excused(change)) {
        // An alarm that cannot be set does not take a good cutover back.
        let is_reported = alarm_of(&change.line).is_some_and(|name| is_named(left, name));
        if !is_among(change, &left.changes) && !is_leftover(change) && !is_reported {
            found.push(format!("a clean run also changes {}", change.line));
        }
    }
    found
}

/// What a difference says: of what is gone, only that it is.
fn said(difference: &str) -> &str {
    let gone = difference.strip_suffix(" -> null").and_then(|gone| gone.split_once(": "));
    gone.map_or(difference, |(path, _)| path)
}

/// Whether a message or the execution's output names something.
fn is_named(left: &Left, name: &str) -> bool {
    let output = left.end.as_ref().and_then(|end| end.output.as_ref()).map(Value::to_string);
    output.is_some_and(|output| output.contains(name))
        || left.messages.iter().any(|message| message.message.contains(name))
}

/// Whether a person was told that something of a finished run is still there: by the message about its end, or by a page.
fn is_kept_and_told(left: &Left) -> bool {
    let says_kept = |message: &Message| {
        let is_end = message.subject.as_deref().is_some_and(|subject| subject.ends_with(": closed"));
        is_end && message.message.contains("\"kept\": [\n")
    };
    cleanup_given_up(&left.messages) || left.messages.iter().any(says_kept)
}

fn as_before(left: &Left, drifting: Option<usize>, routes: &[Route]) -> Vec<String> {
    let differences = differences(&left.before, &left.after);
    let is_foreign = |line: &&String| drifting.is_some_and(|index| is_of(&routes[index], line)) && is_mark(line);
    let mut found: Vec<String> =
        differences.iter().filter(|line| !is_foreign(line)).map(|line| format!("not as it was: {line}")).collect();
    if drifting.is_some() && differences.is_empty() {
        found.push("somebody else's change was overwritten".to_owned());
    }
    found
}

/// Whether a difference is what `tests/local_aws/faults/drift.py` makes: a stickiness or a time to live that no plan has.
fn is_mark(difference: &str) -> bool {
    let is_on = difference.contains(".TargetGroupStickinessConfig.Enabled:") && difference.ends_with(" -> true");
    let is_for = difference.contains(".TargetGroupStickinessConfig.DurationSeconds:") && difference.ends_with(" -> 77");
    let is_ttl = difference.contains(".TTL:") && difference.ends_with(" -> 17");
    is_on || is_for || is_ttl || difference.contains(".EvaluateTargetHealth:")
}

/// Somebody else's change of a route is still there. An alias has none that its successor would take over.
fn overwritten(left: &Left, route: &Route) -> Option<String> {
    let is_there = of_account(&left.after, route).iter().any(|part| {
        let text = part.to_string();
        text.contains(r#""DurationSeconds":77"#) || text.contains(r#""TTL":17"#) || text.contains("AliasTarget")
    });
    (!is_there).then(|| format!("somebody else's change of {} was overwritten", route.label))
}

/// The last page names exactly what differs, each with its live state and its command.
fn told(left: &Left, routes: &[Route], case: Option<&Case>) -> Vec<String> {
    let Some(page) = page(&left.messages) else { return vec!["stuck, and nobody was paged".to_owned()] };
    let differences = differences(&left.before, &left.after);
    let mut found = Vec::new();
    for route in routes {
        let differs = differences.iter().any(|line| is_of(route, line));
        let item = items(page).into_iter().find(|item| item.change.starts_with("aws ") && names(route, item.change));
        match (differs, item) {
            (true, None) => found.push(format!("{} differs, and the page has no command for it", route.label)),
            (false, Some(_)) => found.push(format!("{} is as before, and the page has a command for it", route.label)),
            (true, Some(item)) if !case.is_some_and(Case::blinds_the_end) => found.extend(untrue(&item, left, route)),
            _ => {}
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

/// What the page says of a route's live state, against the account.
fn untrue(item: &Item, left: &Left, route: &Route) -> Option<String> {
    let facts: BTreeSet<String> = of_account(&left.after, route).into_iter().flat_map(facts).collect();
    let missing: Vec<&String> = facts.iter().filter(|fact| !item.live.contains(fact.as_str())).collect();
    (!missing.is_empty()).then(|| format!("the page says of {}: `{}`, and not {missing:?}", route.label, item.live))
}

/// What a person wants to know of a listener, a rule or a record set: weights, stickiness, time to live.
fn facts(part: &Value) -> Vec<String> {
    let actions = ["DefaultActions", "Actions"].iter().filter_map(|list| part[list].as_array()).flatten();
    let mut facts = Vec::new();
    for config in actions.map(|action| &action["ForwardConfig"]) {
        for group in config["TargetGroups"].as_array().into_iter().flatten() {
            let name = group["TargetGroupArn"].as_str().and_then(|arn| arn.rsplit('/').nth(1));
            facts.push(format!("{}={}", name.unwrap_or_default(), group["Weight"]));
        }
        let sticky = &config["TargetGroupStickinessConfig"];
        if sticky["Enabled"] == true {
            facts.push(format!("sticky {}", sticky["DurationSeconds"]));
        }
    }
    facts.extend(part["Weight"].as_u64().map(|weight| format!("weight {weight}")));
    facts.extend(part["TTL"].as_u64().map(|ttl| format!("ttl {ttl}")));
    facts
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

fn names(route: &Route, command: &str) -> bool {
    match &route.place {
        Place::Forward { arn } => command.contains(arn.as_str()),
        Place::Name { zone, name, .. } => {
            command.contains(zone.as_str()) && command.contains(&format!(r#""Name":"{}."#, name.to_ascii_lowercase()))
        }
    }
}

/// After the changes by hand: what is still not as it was, but for what the page could only describe.
pub fn after_by_hand(left: &Left, account: &Value) -> Vec<String> {
    let described = page(&left.messages).map(|page| page.message.as_str()).unwrap_or_default();
    let is_described =
        |line: &&String| health_check_of(line).is_some_and(|(_, reference)| described.contains(reference));
    let differences = differences(&left.before, account);
    let not = differences.iter().filter(|line| !is_described(line));
    not.map(|line| format!("after the change by hand: {line}")).collect()
}

/// What a fault must lead to, where that is certain.
fn expected(ended: Ended, case: Option<&Case>, known: Option<&Known>) -> Option<String> {
    let case = case?;
    let turned = case.point.turned.map(|turn| known.and_then(|known| known.turned.get(&turn)).copied());
    let wanted = match (case.fault, turned) {
        (fault, Some(turned)) if fault.is_transient() || fault.stops() => turned.unwrap_or(Ended::Before),
        (fault, None) if fault.is_transient() || fault == Fault::SecondStart => Ended::New,
        (_, None) if case.stops_the_cutover() && !case.hands_over() => Ended::Before,
        // Rollback works: nobody has to be called.
        (fault, None) if ended == Ended::Stuck && !fault.is_drift() && fault != Fault::DeniedForGood => Ended::Before,
        _ => return None,
    };
    // Past its point of no return a plan has no way back but by a person.
    let asks = known.is_some_and(|known| known.turned.values().any(|turned| *turned == Ended::Stuck));
    if asks && (wanted, ended) == (Ended::Before, Ended::Stuck) {
        return None;
    }
    (ended != wanted).then(|| format!("{} should lead to {wanted:?}, not to {ended:?}", case.fault.name()))
}

/// The journal agrees: who holds which locks, and what the run's ending says.
fn books(left: &Left, ended: Ended, routes: usize) -> Vec<String> {
    let journal = &left.journal;
    let is_over = ended == Ended::Before || journal.phase() == Some("closed");
    let (keys, holders) = journal.holders();
    let mine = journal.run.as_ref().and_then(|run| run["run_id"]["S"].as_str()).unwrap_or_default();
    let mut found = Vec::new();
    // The application and each route.
    if keys.len() != if is_over { 0 } else { 1 + routes } || holders.iter().any(|holder| *holder != mine) {
        found.push(format!("locks in the journal: {keys:?}, held by {holders:?}"));
    }
    if journal.other_runs > 0 {
        found.push(format!("{} more runs are in the journal", journal.other_runs));
    }
    let ending = journal.ending();
    let says = ending.as_ref().map(|report| report["ending"].as_str().unwrap_or_default());
    let agrees = match journal.phase() {
        Some("rolled_back") => says == Some("RolledBack"),
        Some("stuck") => matches!(says, Some("Stuck" | "Held")),
        Some("finished" | "cleaning") => says == Some("Succeeded"),
        Some("closed") => says == Some("Closed"),
        _ => says.is_none(),
    };
    if !agrees {
        found.push(format!("the run is {:?}, and its ending says {says:?}", journal.phase()));
    }
    // Of a rollback that was given up the ending knows no routes.
    let outcomes = ending.as_ref().and_then(|report| report["routes"].as_array()).filter(|routes| !routes.is_empty());
    let is_all = outcomes.map(|outcomes| outcomes.iter().all(|outcome| outcome["restored"] == true));
    if is_all.is_some_and(|is_all| is_all != (ended == Ended::Before)) {
        found.push(format!("the run ended {ended:?}, and its ending says that all is restored: {is_all:?}"));
    }
    found
}

/// Who stopped the old side's writers lets them write again, or says so; but not where traffic has moved for good.
fn writers(left: &Left, ended: Ended) -> Vec<String> {
    let is_for = |call: &Invocation, state: &str| call.state.as_deref() == Some(state);
    let Some(stopped) = left.hooks.iter().rposition(|call| is_for(call, QUIESCE)) else { return vec![] };
    let resuming = left.hooks[stopped..].iter().filter(|call| is_for(call, RESUME) && call.error.is_none());
    let resumed: BTreeSet<&str> = resuming.map(|call| call.function.as_str()).collect();
    if ended == Ended::New {
        return resumed.iter().map(|name| format!("{name} was called, and all traffic has moved")).collect();
    }
    let plan = left.journal.run.as_ref().and_then(|run| run["plan"]["S"].as_str()).unwrap_or_default();
    let owed = serde_json::from_str::<Value>(plan).unwrap_or_default()["hooks"]["resume"].clone();
    let told = page(&left.messages).filter(|_| ended == Ended::Stuck).map(|page| page.message.as_str());
    let owed = owed.as_array().into_iter().flatten().filter_map(|hook| hook["function_arn"].as_str());
    owed.filter(|arn| !resumed.contains(arn.rsplit(':').next().unwrap_or(arn)))
        .filter(|arn| !told.is_some_and(|page| page.contains(arn)))
        .map(|arn| format!("writers were stopped, {arn} did not let them write again, and nobody was told"))
        .collect()
}

fn second(left: &Left, case: Option<&Case>) -> Option<String> {
    let Some(end) = &left.second else {
        let is_missing = case.is_some_and(|case| case.fault == Fault::SecondStart);
        return is_missing.then(|| "the second start left no trace".to_owned());
    };
    let error = end.error.as_deref().unwrap_or("nothing");
    (!["Cutover.Conflict", "Cutover.PrecheckFailed"].contains(&error))
        .then(|| format!("the second start ended with {error}"))
}

fn users(left: &Left, routes: &[Route]) -> Vec<String> {
    let mut found = Vec::new();
    if let Some((requests, failures, nowhere)) = left.users {
        let percent = 100.0 * failures as f64 / requests.max(1) as f64;
        if requests == 0 || nowhere > 0 || percent > TOLERATED_FAILURES_PERCENT {
            found.push(format!(
                "of {requests} requests of users {failures} failed, {nowhere} of them had nowhere to go"
            ));
        }
    }
    for route in routes {
        let gaps = left.routings.iter().filter(|routing| !route.leads_somewhere(routing)).count();
        if gaps > 0 {
            found.push(format!("{} led nowhere after {gaps} of the changes", route.label));
        }
    }
    found
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
    fn what_a_run_leaves_on_is_not_taken_for_somebody_elses_change() {
        let sticky = "$.elbv2.listeners.arn.DefaultActions[0].ForwardConfig.TargetGroupStickinessConfig";
        assert!(is_mark(&format!("{sticky}.DurationSeconds: null -> 77")));
        assert!(!is_mark(&format!("{sticky}.DurationSeconds: null -> 300")), "the plan's own");
        let ttl = "$.route53.hosted_zones.Z1.ResourceRecordSets.app.example.com A.TTL";
        assert!(is_mark(&format!("{ttl}: 300 -> 17")) && !is_mark(&format!("{ttl}: 300 -> 60")));
    }

    #[test]
    fn a_health_check_that_is_left_is_known_by_id_and_reference() {
        let left = r#"$.route53.health_checks.1f2e: null -> {"CallerReference":"cutover-d-0-new","Id":"1f2e"}"#;
        assert_eq!(health_check_of(left), Some(("1f2e", "cutover-d-0-new")));
        assert_eq!(health_check_of("$.route53.health_checks.1f2e.Port: 80 -> 443"), None);
    }
}
