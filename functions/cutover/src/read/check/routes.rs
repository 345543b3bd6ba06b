//! The sense of routes: what they name, and the steps by which they move.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{LONGEST_RUN, Report, arns, between, health_checks, is_plain};
use crate::Seconds;
use crate::arn::{Place, is_account, title_of_listener};
use crate::dns::name_fix;
use crate::plan::{Alias, DnsRoute, ListenerRoute, RecordChange, RecordType, Route, Step};
use crate::service_zones::{self, CLOUDFRONT_ZONE};

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
        record_change(record, &format!("{records}[{index}]"), report);
    }
    health_checks::check(route, path, report);
}

fn record_name(written: &str, path: &str, report: &mut Report) {
    let name = written.strip_suffix('.').unwrap_or(written);
    let shown: String = name.chars().take(80).collect();
    if name.contains("://") {
        return report.say(path, format!("`{shown}` is a URL"), "give the name alone, without https:// and path");
    }
    let labels_fit = name.split('.').all(|label| (1..=63).contains(&label.len()));
    if !labels_fit || written.len() > 255 || !is_plain(written) {
        report.say(path, format!("`{shown}` is not a DNS name"), name_fix(name));
    }
}

/// As Route 53 makes them: `Z`, then capital letters and digits.
fn is_zone_id(text: &str) -> bool {
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

fn record_change(record: &RecordChange, path: &str, report: &mut Report) {
    let [record_type, new, values, target] =
        ["type", "new", "new.values", "new.alias"].map(|name| format!("{path}.{name}"));
    let Some(answer) = &record.new else { return };
    match (&answer.values, &answer.alias) {
        (Some(found), None) if report.is_read(&record_type) => {
            record_values(record.record_type, found, &values, report);
        }
        (Some(_), None) => {}
        (None, Some(found)) => {
            alias(found, &target, report);
            if record.record_type == RecordType::Cname && service_zones::of(&found.dns_name).is_some() {
                let problem = "is an alias of type CNAME to an AWS resource, which answers A and AAAA only";
                report.say_beside(&[&record_type], target, problem, "name the types A and AAAA, or give values");
            }
        }
        (None, None) => report.say_beside(&[&values, &target], new, "has no answer", "give values or alias"),
        (Some(_), Some(_)) => report.say(new, "has both values and alias", "give one of the two"),
    }
}

fn alias(target: &Alias, path: &str, report: &mut Report) {
    let Alias { dns_name, hosted_zone_id, .. } = target;
    if dns_name.is_empty() || dns_name.len() > 255 || !is_plain(dns_name) {
        let fix = "give the DNS name of the resource, as the resource itself is described";
        report.say(format!("{path}.dns_name"), format!("is `{dns_name}`"), fix);
    }
    if !is_zone_id(hosted_zone_id) {
        let fix = "give the zone ID of the resource itself: a load balancer's CanonicalHostedZoneId";
        report.say(format!("{path}.hosted_zone_id"), format!("`{hosted_zone_id}` is not a zone's ID"), fix);
    } else if let Some(right) = service_zones::of(dns_name).filter(|right| right != hosted_zone_id) {
        let problem = format!("is {hosted_zone_id}, in which {dns_name} is not: AWS would refuse the alias");
        let fix = format!("use {right}, the zone of what has such a name (a load balancer's CanonicalHostedZoneId)");
        report.say_beside(&[&format!("{path}.dns_name")], format!("{path}.hosted_zone_id"), problem, fix);
    }
    if hosted_zone_id == CLOUDFRONT_ZONE && target.evaluate_target_health == Some(true) {
        let fix = "leave it out, or set it to false";
        let problem =
            "is true, and the health of a CloudFront distribution cannot be evaluated: AWS would refuse the alias";
        report.say(format!("{path}.evaluate_target_health"), problem, fix);
    }
}

fn record_values(record_type: RecordType, values: &[String], path: &str, report: &mut Report) {
    if values.is_empty() {
        report.say(path, "is empty", "give 1 to 400 values");
    }
    if record_type == RecordType::Cname && values.len() > 1 {
        report.say(path, "has several values", "a CNAME has one");
    }
    let one_form = |value: &String| value.parse::<IpAddr>().map_or_else(|_| value.clone(), |one| one.to_string());
    let mut seen = BTreeSet::new();
    for (index, value) in values.iter().enumerate() {
        if !seen.insert(one_form(value)) {
            let problem = format!("is `{value}` a second time: AWS would refuse it");
            report.say(format!("{path}[{index}]"), problem, "give each value once");
        }
        let (is_right, fix) = match record_type {
            RecordType::A => (value.parse::<std::net::Ipv4Addr>().is_ok(), "should be an IPv4 address"),
            RecordType::Aaaa => (value.parse::<std::net::Ipv6Addr>().is_ok(), "should be an IPv6 address"),
            // Route 53 takes it, and nobody finds such a name.
            RecordType::Cname if value.parse::<std::net::IpAddr>().is_ok() => {
                (false, "a CNAME leads to a name: take the type A or AAAA for an address")
            }
            RecordType::Cname => (!value.is_empty() && value.len() <= 255 && is_plain(value), "should be a DNS name"),
        };
        if !is_right {
            report.say(format!("{path}[{index}]"), format!("is `{value}`"), fix);
        }
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
