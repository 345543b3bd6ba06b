//! The sense of a name's Route 53 health checks.

use std::net::IpAddr;

use super::{Report, is_plain};
use crate::Seconds;
use crate::dns::normalise_name;
use crate::plan::{CheckProtocol, DnsRoute, HealthCheck};

pub(super) fn check(route: &DnsRoute, path: &str, report: &mut Report) {
    for (side, check) in route.health_checks.iter().flat_map(|both| both.of_sides()) {
        let place = format!("{path}.health_checks.{side}");
        who_is_asked(check, route, &place, report);
        how_it_is_asked(check, &place, report);
    }
    let is_made = route.health_checks.as_ref().is_some_and(|both| both.new.is_some());
    for (index, record) in route.records.iter().enumerate() {
        let place = format!("{path}.records[{index}].new.health_check_id");
        let Some(id) = record.check(None) else { continue };
        if !(1..=64).contains(&id.len()) || !is_plain(&id) || id.contains(['/', ':']) {
            let problem = format!("`{}` is not a health check's ID", id.chars().take(80).collect::<String>());
            report.say(&place, problem, "give the ID or ARN of a health check that is there, or null");
        }
        if is_made {
            let fix = "a record carries one health check: leave out this one, or health_checks.new";
            report.say_beside(&[&format!("{path}.health_checks.new")], place, "is one of two for the new record", fix);
        }
    }
}

fn who_is_asked(check: &HealthCheck, route: &DnsRoute, path: &str, report: &mut Report) {
    let [fqdn, ip_address] = ["fqdn", "ip_address"].map(|name| format!("{path}.{name}"));
    let is_host = |name: &String| super::is_host_name(name.strip_suffix('.').unwrap_or(name));
    if let Some(name) = check.fqdn.as_ref().filter(|name| !is_host(name)) {
        let problem = format!("`{}` is not a host name", name.chars().take(80).collect::<String>());
        report.say(&fqdn, problem, "give the host that is asked alone, without https://, port and path");
    }
    if let Some(problem) = check.ip_address.as_ref().and_then(|address| unreachable(address)) {
        report.say(&ip_address, problem, "give a public address: Route 53's checkers ask from the internet");
    }
    match (&check.fqdn, &check.ip_address) {
        (None, None) => report.say_beside(&[&fqdn, &ip_address], path, "asks nobody", "give fqdn, or ip_address"),
        (Some(name), None) if normalise_name(name) == route.normalised_name() => {
            let fix = "give ip_address beside it, or a host name that leads to this side alone";
            report.say(fqdn, "is the name that is moved, which leads to both sides", fix);
        }
        _ => {}
    }
}

/// Why Route 53's checkers cannot ask an address: they take no local, private or multicast ones (API reference,
/// HealthCheckConfig, IPAddress).
fn unreachable(address: &str) -> Option<String> {
    let is_public = match address.parse::<IpAddr>() {
        Err(_) => return Some(format!("`{}` is not an IP address", address.chars().take(80).collect::<String>())),
        Ok(IpAddr::V4(v4)) => {
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.is_unspecified())
        }
        Ok(IpAddr::V6(v6)) => {
            !(v6.is_unique_local() || v6.is_loopback() || v6.is_unicast_link_local() || v6.is_multicast())
        }
    };
    (!is_public).then(|| format!("{address} is not reached from the internet"))
}

fn how_it_is_asked(check: &HealthCheck, path: &str, report: &mut Report) {
    let [protocol, port] = ["protocol", "port"].map(|name| format!("{path}.{name}"));
    if ![Seconds(10), Seconds(30)].contains(&check.interval) {
        let problem = format!("is {}", check.interval);
        report.say(format!("{path}.interval"), problem, "Route 53 asks every 10s or 30s");
    }
    if !check.path.starts_with('/') || check.path.len() > 255 || !is_plain(&check.path) {
        report.say(format!("{path}.path"), "is not a path", "give a path such as /health");
    }
    if !check.says_protocol() {
        let problem = format!("is missing, and port {} does not tell it", check.port());
        report.say_beside(&[&port], protocol, problem, "say how the port is asked: http, https or tcp");
    }
    if check.protocol != Some(CheckProtocol::Tcp) {
        return;
    }
    if check.port.is_none() {
        report.say(&port, "is missing", "say which port is asked: a connection has no usual one");
    }
    for (field, is_given) in [("path", check.path != "/"), ("search_string", check.search_string.is_some())] {
        if is_given {
            let fix = "leave it out, or ask by http or https";
            report.say(format!("{path}.{field}"), "is not asked for by tcp, which only connects", fix);
        }
    }
}
