//! The sense of routes: what they name, and the steps by which they move.

use std::collections::BTreeSet;

use super::{LONGEST_RUN, Report, arns, between, health_checks, is_plain, records};
use crate::Seconds;
use crate::arn::{Place, is_account, title_of_listener};
use crate::dns::{fits, name_fix};
use crate::plan::{DnsRoute, ListenerRoute, RecordChange, RecordType, Route, Step};

/// Elastic Load Balancing's limit (API reference of `TargetGroupStickinessConfig`): 604,800 s.
const LONGEST_GROUP_STICKINESS: Seconds = Seconds::hours(7 * 24);

/// What is right for a zone that is none.
const ZONE_ID_FIX: &str =
    "use the ID as Route 53 lists it: Z, then capital letters and digits, such as Z0123456789ABCDEFGHIJ";

pub(super) fn check(routes: &[Route], report: &mut Report) {
    if routes.is_empty() {
        report.say("$.routes", "is empty", "name at least one listener, rule or DNS name to move");
    }
    let mut seen = BTreeSet::new();
    for (index, route) in routes.iter().enumerate() {
        let path = format!("$.routes[{index}]");
        match route {
            Route::Listener(route) => listener(route, &path, report),
            Route::Dns(route) => dns(route, &path, report),
        }
        steps(route.steps(), &format!("{path}.steps"), report);
        let names = ["type", "listener_arn", "rule_arn", "hosted_zone_id", "record_name"];
        let is_named = names.iter().all(|name| report.is_read(&format!("{path}.{name}")));
        if is_named && !seen.insert(route.lock_key()) {
            let problem = format!("moves `{}` a second time", route.title());
            report.say(path, problem, "name each route once, with all its steps");
        }
    }
}

fn listener(route: &ListenerRoute, path: &str, report: &mut Report) {
    let [listener_arn, rule_arn, old, new] =
        ["listener_arn", "rule_arn", "old_target_group_arn", "new_target_group_arn"]
            .map(|name| format!("{path}.{name}"));
    match (&route.listener_arn, &route.rule_arn) {
        (Some(listener), None) => arns::check(listener, &arns::LISTENER, &listener_arn, report),
        (None, Some(rule)) => arns::check(rule, &arns::RULE, &rule_arn, report),
        (None, None) => {
            let fix = "give listener_arn or rule_arn";
            report.say_beside(&[&listener_arn, &rule_arn], path, "names no listener", fix);
        }
        (Some(_), Some(_)) => report.say(
            path,
            "names both a listener and a rule",
            "give listener_arn for its default action, or rule_arn; move both as two routes",
        ),
    }
    if let Some(stickiness) = route.group_stickiness {
        between(stickiness, Seconds(1), LONGEST_GROUP_STICKINESS, &format!("{path}.group_stickiness"), report);
    }
    arns::check(&route.old_target_group_arn, &arns::GROUP, &old, report);
    arns::check(&route.new_target_group_arn, &arns::GROUP, &new, report);
    for (group, path) in [(&route.old_target_group_arn, &old), (&route.new_target_group_arn, &new)] {
        if [&listener_arn, &rule_arn, path].iter().all(|path| report.is_sound(path)) {
            elsewhere(group, route.arn(), path, report);
        }
    }
    if route.old_target_group_arn == route.new_target_group_arn {
        report.say_beside(&[&old], new, "is the old target group", "name the new side's target group");
    }
}

/// A load balancer forwards to groups of its own region and account (Elastic Load Balancing user guide, target groups).
fn elsewhere(group: &str, listener: &str, path: &str, report: &mut Report) {
    let Some((there, here)) = Place::of(group).zip(Place::of(listener)) else { return };
    let places = [("", there.region, here.region), ("the account ", there.account, here.account)];
    if let Some((kind, there, here)) = places.into_iter().find(|(_, there, here)| there != here) {
        let what = title_of_listener(listener);
        let problem = format!(
            "is in {kind}{there}, and {what} is in {kind}{here}: a load balancer forwards to groups of its own region and account"
        );
        report.say(path, problem, format!("name a target group of {here}"));
    }
}

fn dns(route: &DnsRoute, path: &str, report: &mut Report) {
    let zone = &route.hosted_zone_id;
    if !is_zone_id(zone) {
        let problem = format!("`{}` is not a zone's ID", zone.chars().take(80).collect::<String>());
        report.say(format!("{path}.hosted_zone_id"), problem, ZONE_ID_FIX);
    }
    if let Some(account) = route.account.as_ref().filter(|account| !is_account(account)) {
        let problem = format!("`{}` is not an account", account.chars().take(80).collect::<String>());
        report.say(
            format!("{path}.account"),
            problem,
            "give its twelve digits, or leave it out where it is the stack's own",
        );
    }
    record_name(&route.record_name, &format!("{path}.record_name"), report);
    let records = format!("{path}.records");
    if route.records.is_empty() {
        report.say(&records, "is empty", "say what the name shall answer, by record type");
    }
    record_types(&route.records, &records, report);
    let is_read = (0..route.records.len()).all(|index| report.is_read(&format!("{records}[{index}].new")));
    if is_read && !route.records.is_empty() && route.records.iter().all(|record| record.new.is_none()) {
        report.say(&records, "leaves the name without an answer", "give at least one type an answer on the new side");
    }
    for (index, record) in route.records.iter().enumerate() {
        records::check(route, record, &format!("{records}[{index}]"), report);
    }
    health_checks::check(route, path, report);
}

fn record_name(written: &str, path: &str, report: &mut Report) {
    let name = written.strip_suffix('.').unwrap_or(written);
    let shown: String = name.chars().take(80).collect();
    if name.contains("://") {
        return report.say(path, format!("`{shown}` is a URL"), "give the name alone, without https:// and path");
    }
    if !fits(written) || !is_plain(written) {
        report.say(path, format!("`{shown}` is not a DNS name"), name_fix(name));
    }
}

/// As Route 53 makes them: `Z`, then capital letters and digits.
pub(super) fn is_zone_id(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    (2..=32).contains(&text.len()) && text.starts_with('Z') && text.chars().all(is_part)
}

fn record_types(records: &[RecordChange], path: &str, report: &mut Report) {
    let is_read = |index: &usize| report.is_read(&format!("{path}[{index}].type"));
    let read: Vec<RecordType> = (0..records.len()).filter(is_read).map(|index| records[index].record_type).collect();
    let types: BTreeSet<RecordType> = read.iter().copied().collect();
    if types.len() < read.len() {
        report.say(path, "has a record type twice", "name each type once");
    }
    if types.contains(&RecordType::Cname) && types.len() > 1 {
        report.say(path, "has a CNAME beside another type", "name the types of the new answer only: a CNAME stands alone on its name, and the one that is there goes by itself");
    }
}

/// A weight that could not be read is passed over: the weights around it are still compared.
fn steps(steps: &[Step], path: &str, report: &mut Report) {
    if steps.is_empty() {
        report.say(path, "is empty", "end with {\"new_weight\": 100}");
    }
    let mut before = 0;
    for (index, step) in steps.iter().enumerate() {
        let weight_path = format!("{path}[{index}].new_weight");
        between(step.hold, Seconds(0), LONGEST_RUN, &format!("{path}[{index}].hold"), report);
        if !report.is_read(&weight_path) {
            continue;
        }
        let weight = step.new_weight;
        let is_last = index + 1 == steps.len();
        if weight < before {
            report.say(
                &weight_path,
                format!("falls from {before} to {weight}"),
                format!("weights rise or stay: give {before} or more here"),
            );
        }
        if is_last && weight < 100 {
            report.say(weight_path, format!("ends at {weight}"), "end with {\"new_weight\": 100}");
        }
        before = weight;
    }
}
