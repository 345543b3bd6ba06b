//! The sense of records: what a name shall answer on the new side.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::routes::is_zone_id;
use super::{Report, is_plain};
use crate::dns::{fits, normalise_name};
use crate::plan::{Alias, DnsRoute, RecordChange, RecordType};
use crate::service_zones::{self, CLOUDFRONT_ZONE};

pub(super) fn check(route: &DnsRoute, record: &RecordChange, path: &str, report: &mut Report) {
    let [record_type, new, values, target] =
        ["type", "new", "new.values", "new.alias"].map(|name| format!("{path}.{name}"));
    let Some(answer) = &record.new else { return };
    match (&answer.values, &answer.alias) {
        (Some(found), None) if report.is_read(&record_type) => {
            record_values(record.record_type, found, &values, report);
            if record.record_type == RecordType::Cname {
                leads_to_itself(route, found.first(), &format!("{values}[0]"), "give the name of the new side", report);
            }
        }
        (Some(_), None) => {}
        (None, Some(found)) => {
            alias(found, &target, report);
            if found.hosted_zone_id == route.hosted_zone_id {
                let field = format!("{target}.dns_name");
                leads_to_itself(route, Some(&found.dns_name), &field, "give the name of the new side's record", report);
            }
            if record.record_type == RecordType::Cname && service_zones::of(&found.dns_name).is_some() {
                let problem = "is an alias of type CNAME to an AWS resource, which answers A and AAAA only";
                report.say_beside(&[&record_type], target, problem, "name the types A and AAAA, or give values");
            }
        }
        (None, None) => report.say_beside(&[&values, &target], new, "has no answer", "give values or alias"),
        (Some(_), Some(_)) => report.say(new, "has both values and alias", "give one of the two"),
    }
}

/// Whoever asks for such a name is sent round in a circle.
fn leads_to_itself(route: &DnsRoute, name: Option<&String>, path: &str, fix: &str, report: &mut Report) {
    if name.is_some_and(|name| normalise_name(name) == route.normalised_name()) {
        report.say(path, "is the name itself, which is moved: nobody would be served", fix);
    }
}

fn alias(target: &Alias, path: &str, report: &mut Report) {
    let Alias { dns_name, hosted_zone_id, .. } = target;
    let wrong_name = no_name(dns_name);
    let is_name = wrong_name.is_none();
    if let Some((problem, fix)) = wrong_name {
        report.say(format!("{path}.dns_name"), problem, fix);
    }
    if !is_zone_id(hosted_zone_id) {
        let fix = "give the zone ID of the resource itself: a load balancer's CanonicalHostedZoneId";
        report.say(format!("{path}.hosted_zone_id"), format!("`{hosted_zone_id}` is not a zone's ID"), fix);
    } else if let Some(right) = service_zones::of(dns_name).filter(|right| right != hosted_zone_id) {
        let problem = format!("is {hosted_zone_id}, in which {dns_name} is not: AWS would refuse the alias");
        let fix = format!("use {right}, the zone of what has such a name (a load balancer's CanonicalHostedZoneId)");
        report.say_beside(&[&format!("{path}.dns_name")], format!("{path}.hosted_zone_id"), problem, fix);
    } else if let Some(names) =
        service_zones::names_in(hosted_zone_id).filter(|_| is_name && service_zones::of(dns_name).is_none())
    {
        let problem =
            format!("is {hosted_zone_id}, which holds names such as {names} alone: AWS would refuse the alias");
        let fix = "give the resource's own name as dns_name, or the zone that holds this one; a name of another zone takes a CNAME";
        report.say_beside(&[&format!("{path}.dns_name")], format!("{path}.hosted_zone_id"), problem, fix);
    }
    if hosted_zone_id == CLOUDFRONT_ZONE && target.evaluate_target_health == Some(true) {
        let fix = "leave it out, or set it to false";
        let problem =
            "is true, and the health of a CloudFront distribution cannot be evaluated: AWS would refuse the alias";
        report.say(format!("{path}.evaluate_target_health"), problem, fix);
    }
}

/// What is wrong with the name of an alias, and what would be right.
fn no_name(dns_name: &str) -> Option<(String, &'static str)> {
    let shown: String = dns_name.chars().take(80).collect();
    if dns_name.starts_with("arn:") {
        let fix = "give its DNS name: the DNSName of a load balancer (`aws elbv2 describe-load-balancers`), the domain of a distribution";
        return Some((format!("`{shown}` is an ARN"), fix));
    }
    if dns_name.contains(['/', ':']) {
        return Some((format!("`{shown}` is not a DNS name"), "give the name alone, without https://, port and path"));
    }
    (!fits(dns_name) || !is_plain(dns_name))
        .then(|| (format!("is `{shown}`"), "give the DNS name of the resource, as the resource itself is described"))
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
        let is_right = match record_type {
            RecordType::A => value.parse::<Ipv4Addr>().is_ok(),
            RecordType::Aaaa => value.parse::<Ipv6Addr>().is_ok(),
            // Route 53 takes an address, and nobody finds such a name.
            RecordType::Cname => is_name(value),
        };
        if !is_right {
            let shown: String = value.chars().take(80).collect();
            report.say(format!("{path}[{index}]"), format!("is `{shown}`"), value_fix(record_type, value));
        }
    }
}

fn is_name(value: &str) -> bool {
    let is_address = value.parse::<IpAddr>().is_ok();
    !is_address && fits(value) && is_plain(value) && !value.contains(['/', ':'])
}

/// What would be right instead of a value that its type does not take.
fn value_fix(record_type: RecordType, value: &str) -> String {
    let address: Option<IpAddr> = value.parse().ok();
    if let (RecordType::Cname, Some(_)) = (record_type, address) {
        return "a CNAME leads to a name: take the type A or AAAA for an address".to_owned();
    }
    if record_type == RecordType::Cname {
        return "should be a DNS name alone: no https://, no port, no path".to_owned();
    }
    let (this, other, wanted) = match record_type {
        RecordType::Aaaa => ("an IPv6 address", RecordType::A, IpAddr::is_ipv6 as fn(&IpAddr) -> bool),
        _ => ("an IPv4 address", RecordType::Aaaa, IpAddr::is_ipv4 as fn(&IpAddr) -> bool),
    };
    if address.is_some() {
        return format!("should be {this}; this one belongs to the type {}", other.as_str());
    }
    // Of a range, a URL or a socket, the address.
    let bare = value.split_once("://").map_or(value, |(_, rest)| rest);
    let bare = bare.split('/').next().unwrap_or_default();
    let socket = bare.parse::<SocketAddr>().map(|socket| socket.ip());
    if let Some(address) = socket.or_else(|_| bare.parse()).ok().filter(wanted) {
        return format!("should be {this} alone: write {address}; a record has no port, path or range");
    }
    let is_host = value.contains(|c: char| c.is_ascii_alphabetic()) && !value.contains(':') && is_name(value);
    match is_host {
        true => format!("should be {this}; to lead to a name, give `alias` for an AWS resource, or the type CNAME"),
        false => format!("should be {this}"),
    }
}
