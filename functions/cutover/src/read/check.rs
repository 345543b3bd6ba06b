//! What makes a well-formed plan sensible. Every rule reports on its own, so that all errors come at once. The bounds of a
//! single number stand at its field, in the plan's types.

use std::collections::BTreeSet;

use crate::plan::{
    Alias, Database, DnsRoute, HealthCheck, Hook, ListenerRoute, Metric, Missing, Monitoring, Plan, Probe,
    RecordChange, RecordType, Route, Step,
};
use crate::{Finding, Seconds, alarm, schedule};

/// The longest an HTTP probe may take: a function's time-out is 30 s.
const LONGEST_PROBE: Seconds = Seconds(20);
/// The longest a hook may take: Lambda's own limit.
const LONGEST_HOOK: Seconds = Seconds(900);
/// The longest run, and the longest wait for approval: the state machine's own time-out is longer than both and the
/// longest probing before them.
const LONGEST_RUN: Seconds = Seconds::hours(7 * 24);
/// The longest wait before cleanup: an execution lives a year at most.
const LONGEST_CLEANUP: Seconds = Seconds::hours(300 * 24);

/// Every error of sense in a plan.
pub(super) fn plan(plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    application(&plan.application, &mut findings);
    routes(&plan.routes, &mut findings);
    if let Some(probe) = &plan.health_check {
        health_check(probe, &mut findings);
    }
    if let Some(database) = &plan.database {
        replication(database, &mut findings);
        split_writers(database, &plan.routes, &mut findings);
    }
    monitoring(&plan.monitoring, &mut findings);
    hooks(plan, &mut findings);
    alarms(&plan.alarms, &mut findings);
    if let Some(notify) = &plan.notify {
        topic(&notify.topic_arn, "$.notify.topic_arn", &mut findings);
    }
    if let Some(approval) = &plan.approval {
        topic(&approval.topic_arn, "$.approval.topic_arn", &mut findings);
        between(approval.within, Seconds(1), LONGEST_RUN, "$.approval.within", &mut findings);
    }
    between(plan.cleanup.after, Seconds(0), LONGEST_CLEANUP, "$.cleanup.after", &mut findings);
    between(plan.timeout, Seconds(1), LONGEST_RUN, "$.timeout", &mut findings);
    if findings.is_empty() {
        schedule::check(plan, &mut findings);
        schedule::check_size(plan, &mut findings);
        findings.extend(schedule::check_time(plan, Seconds(0)));
    }
    findings
}

fn application(name: &str, findings: &mut Vec<Finding>) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
        let problem = format!("`{}` is not a name", name.chars().take(80).collect::<String>());
        findings.push(Finding::plan("$.application", problem, "use 1 to 64 of A-Z a-z 0-9 - _"));
    }
}

fn routes(routes: &[Route], findings: &mut Vec<Finding>) {
    if routes.is_empty() {
        findings.push(Finding::plan("$.routes", "is empty", "name at least one listener, rule or DNS name to move"));
    }
    let mut seen = BTreeSet::new();
    for (index, route) in routes.iter().enumerate() {
        let path = format!("$.routes[{index}]");
        match route {
            Route::Listener(route) => listener(route, &path, findings),
            Route::Dns(route) => dns(route, &path, findings),
        }
        steps(route.steps(), &format!("{path}.steps"), findings);
        if !seen.insert(route.lock_key()) {
            let problem = format!("moves {} a second time", route.title());
            findings.push(Finding::plan(path, problem, "name each route once, with all its steps"));
        }
    }
}

fn listener(route: &ListenerRoute, path: &str, findings: &mut Vec<Finding>) {
    match (&route.listener_arn, &route.rule_arn) {
        (Some(listener), None) => {
            arn(listener, "elasticloadbalancing", &format!("{path}.listener_arn"), findings);
        }
        (None, Some(rule)) => arn(rule, "elasticloadbalancing", &format!("{path}.rule_arn"), findings),
        (None, None) => findings.push(Finding::plan(path, "names no listener", "give listener_arn or rule_arn")),
        (Some(_), Some(_)) => findings.push(Finding::plan(
            path,
            "names both a listener and a rule",
            "give listener_arn for its default action, or rule_arn; move both as two routes",
        )),
    }
    for (group, field) in
        [(&route.old_target_group_arn, "old_target_group_arn"), (&route.new_target_group_arn, "new_target_group_arn")]
    {
        arn(group, "elasticloadbalancing", &format!("{path}.{field}"), findings);
    }
    if route.old_target_group_arn == route.new_target_group_arn {
        let path = format!("{path}.new_target_group_arn");
        findings.push(Finding::plan(path, "is the old target group", "name the new side's target group"));
    }
}

fn dns(route: &DnsRoute, path: &str, findings: &mut Vec<Finding>) {
    let zone = &route.hosted_zone_id;
    if !(1..=32).contains(&zone.len()) || !zone.chars().all(|c| c.is_ascii_alphanumeric()) {
        let fix = "use the zone's ID alone, such as Z0123456789ABCDEFGHIJ";
        findings.push(Finding::plan(format!("{path}.hosted_zone_id"), format!("`{zone}` is not an ID"), fix));
    }
    let labels_fit = route.record_name.trim_end_matches('.').split('.').all(|label| (1..=63).contains(&label.len()));
    if !labels_fit || route.record_name.len() > 255 || !is_plain(&route.record_name) {
        let fix = "use a full name such as app.example.com, non-ASCII labels in punycode";
        findings.push(Finding::plan(format!("{path}.record_name"), "is not a DNS name", fix));
    }
    let types: BTreeSet<RecordType> = route.records.iter().map(|record| record.record_type).collect();
    let records = format!("{path}.records");
    if types.is_empty() {
        findings.push(Finding::plan(&records, "is empty", "say what the name shall answer, by record type"));
    }
    if types.len() < route.records.len() {
        findings.push(Finding::plan(&records, "has a record type twice", "name each type once"));
    }
    if types.contains(&RecordType::Cname) && types.len() > 1 {
        findings.push(Finding::plan(&records, "has a CNAME beside another type", "a CNAME stands alone on its name"));
    }
    for (index, record) in route.records.iter().enumerate() {
        record_change(record, &format!("{records}[{index}]"), findings);
    }
    for (side, check) in route.health_checks.iter().flat_map(|both| [("old", &both.old), ("new", &both.new)]) {
        if let Some(check) = check {
            route53_health_check(check, &format!("{path}.health_checks.{side}"), findings);
        }
    }
}

fn record_change(record: &RecordChange, path: &str, findings: &mut Vec<Finding>) {
    let path = format!("{path}.new");
    match (&record.new.values, &record.new.alias) {
        (Some(values), None) => record_values(record.record_type, values, &format!("{path}.values"), findings),
        (None, Some(target)) => alias(target, &format!("{path}.alias"), findings),
        (None, None) => findings.push(Finding::plan(path, "has no answer", "give values or alias")),
        (Some(_), Some(_)) => findings.push(Finding::plan(path, "has both values and alias", "give one of the two")),
    }
}

fn alias(target: &Alias, path: &str, findings: &mut Vec<Finding>) {
    for (text, most, field) in [(&target.dns_name, 255, "dns_name"), (&target.hosted_zone_id, 32, "hosted_zone_id")] {
        if text.is_empty() || text.len() > most || !is_plain(text) {
            let fix = "give the DNS name and the zone of the resource, as the resource itself is described";
            findings.push(Finding::plan(format!("{path}.{field}"), format!("is `{text}`"), fix));
        }
    }
}

/// Whether a text has only characters that names and identifiers are made of: no spaces, nothing that cannot be seen.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic())
}

fn record_values(record_type: RecordType, values: &[String], path: &str, findings: &mut Vec<Finding>) {
    if values.is_empty() {
        findings.push(Finding::plan(path, "is empty", "give 1 to 400 values"));
    }
    if record_type == RecordType::Cname && values.len() > 1 {
        findings.push(Finding::plan(path, "has several values", "a CNAME has one"));
    }
    for (index, value) in values.iter().enumerate() {
        let right = match record_type {
            RecordType::A => value.parse::<std::net::Ipv4Addr>().is_ok(),
            RecordType::Aaaa => value.parse::<std::net::Ipv6Addr>().is_ok(),
            RecordType::Cname => !value.is_empty() && value.len() <= 255 && is_plain(value),
        };
        if !right {
            let fix = match record_type {
                RecordType::A => "should be an IPv4 address",
                RecordType::Aaaa => "should be an IPv6 address",
                RecordType::Cname => "should be a DNS name",
            };
            findings.push(Finding::plan(format!("{path}[{index}]"), format!("is `{value}`"), fix));
        }
    }
}

fn route53_health_check(check: &HealthCheck, path: &str, findings: &mut Vec<Finding>) {
    if ![Seconds(10), Seconds(30)].contains(&check.interval) {
        let problem = format!("is {}", check.interval);
        findings.push(Finding::plan(format!("{path}.interval"), problem, "Route 53 asks every 10s or 30s"));
    }
    if check.fqdn.is_empty() || check.fqdn.len() > 255 || !is_plain(&check.fqdn) {
        findings.push(Finding::plan(format!("{path}.fqdn"), "is not a host name", "give the host that is asked"));
    }
    if !check.path.starts_with('/') || check.path.len() > 255 || !is_plain(&check.path) {
        findings.push(Finding::plan(format!("{path}.path"), "is not a path", "give a path such as /health"));
    }
}

fn steps(steps: &[Step], path: &str, findings: &mut Vec<Finding>) {
    let Some(last) = steps.last() else {
        findings.push(Finding::plan(path, "is empty", "end with {\"new_weight\": 100}"));
        return;
    };
    for (index, step) in steps.iter().enumerate() {
        let weight = step.new_weight;
        let step_path = format!("{path}[{index}]");
        let weight_path = format!("{step_path}.new_weight");
        if index > 0 && weight < steps[index - 1].new_weight {
            let problem = format!("falls from {} to {weight}", steps[index - 1].new_weight);
            findings.push(Finding::plan(weight_path, problem, "weights rise or stay"));
        }
        between(step.hold, Seconds(0), LONGEST_RUN, &format!("{step_path}.hold"), findings);
    }
    if last.new_weight < 100 {
        let path = format!("{path}[{}].new_weight", steps.len() - 1);
        findings.push(Finding::plan(path, format!("ends at {}", last.new_weight), "the last step is 100"));
    }
}

fn health_check(probe: &Probe, findings: &mut Vec<Finding>) {
    let path = "$.health_check";
    if let Err(problem) = crate::probe::Target::parse(&probe.url) {
        let fix = "give a full URL such as https://new.example.com/health";
        findings.push(Finding::plan(format!("{path}.url"), problem, fix));
    }
    if probe.successes > probe.attempts {
        let problem = format!("is {}, with only {} attempts", probe.successes, probe.attempts);
        findings.push(Finding::plan(format!("{path}.successes"), problem, "allow at least as many attempts"));
    }
    between(probe.interval, Seconds(1), Seconds::hours(1), &format!("{path}.interval"), findings);
    between(probe.timeout, Seconds(1), LONGEST_PROBE, &format!("{path}.timeout"), findings);
    if crate::probe::status_range(&probe.expect_status).is_none() {
        let problem = format!("is `{}`", probe.expect_status);
        findings.push(Finding::plan(format!("{path}.expect_status"), problem, "write 200, or a range 200-299"));
    }
}

fn replication(database: &Database, findings: &mut Vec<Finding>) {
    let path = "$.database";
    replication_arn(&database.replication_task_arn, &format!("{path}.replication_task_arn"), findings);
    if let Some(reverse) = &database.reverse_replication_task_arn {
        let path = format!("{path}.reverse_replication_task_arn");
        replication_arn(reverse, &path, findings);
        if *reverse == database.replication_task_arn {
            let fix = "name the replication from the new side's database to the old side's, or leave it out";
            findings.push(Finding::plan(path, "is the replication to the new side", fix));
        }
    }
    between(database.drain_latency, Seconds(0), Seconds::hours(1), &format!("{path}.drain_latency"), findings);
    between(database.interval, Seconds(1), Seconds::hours(1), &format!("{path}.interval"), findings);
    between(database.give_up_after, Seconds(1), LONGEST_RUN, &format!("{path}.give_up_after"), findings);
}

/// A replication task or a serverless replication: DMS has ARNs of endpoints and instances too.
fn replication_arn(text: &str, path: &str, findings: &mut Vec<Finding>) {
    let before = findings.len();
    arn(text, "dms", path, findings);
    let resource = text.splitn(6, ':').last().unwrap_or_default();
    let is_replication = ["task:", "replication-config:"].iter().any(|kind| resource.starts_with(kind));
    if findings.len() == before && !is_replication {
        let fix =
            "give the ARN of a replication task (...:task:...) or serverless replication (...:replication-config:...)";
        findings.push(Finding::plan(path, format!("`{text}` is no replication"), fix));
    }
}

/// Two sides that take traffic at once write at once: to two databases, unless they share one.
fn split_writers(database: &Database, routes: &[Route], findings: &mut Vec<Finding>) {
    if database.shared {
        return;
    }
    for (route_index, route) in routes.iter().enumerate() {
        for (step_index, step) in route.steps().iter().enumerate() {
            if (1..100).contains(&step.new_weight) {
                findings.push(Finding::plan(
                    format!("$.routes[{route_index}].steps[{step_index}].new_weight"),
                    format!("splits traffic at {} % while each side writes to its own database", step.new_weight),
                    "go from 0 to 100 in one step, or set database.shared if both sides write to one database",
                ));
            }
        }
    }
}

fn monitoring(monitoring: &Monitoring, findings: &mut Vec<Finding>) {
    let path = "$.monitoring";
    between(monitoring.interval, Seconds(10), Seconds::hours(1), &format!("{path}.interval"), findings);
    for (index, group) in monitoring.target_groups.iter().enumerate() {
        let path = format!("{path}.target_groups[{index}]");
        arn(&group.target_group_arn, "elasticloadbalancing", &format!("{path}.target_group_arn"), findings);
    }
    for (index, metric) in monitoring.metrics.iter().enumerate() {
        watched_metric(metric, &format!("{path}.metrics[{index}]"), findings);
    }
}

fn watched_metric(metric: &Metric, path: &str, findings: &mut Vec<Finding>) {
    statistic(&metric.statistic, &format!("{path}.statistic"), findings);
    if metric.period.0 == 0 || !metric.period.0.is_multiple_of(60) || metric.period > Seconds::hours(1) {
        let problem = format!("is {}", metric.period);
        findings.push(Finding::plan(
            format!("{path}.period"),
            problem,
            "should be a multiple of 60s, one hour at most",
        ));
    }
    if !metric.threshold.is_finite() {
        findings.push(Finding::plan(format!("{path}.threshold"), "is not a number", "give a number"));
    }
    if metric.missing == Missing::ZeroIfDivisor && metric.divide_by.is_none() {
        let fix = "add divide_by, or choose inconclusive, healthy or unhealthy";
        findings.push(Finding::plan(format!("{path}.missing"), "is zero_if_divisor without a divisor", fix));
    }
    if let Some(divisor) = &metric.divide_by {
        if let Some(text) = &divisor.statistic {
            statistic(text, &format!("{path}.divide_by.statistic"), findings);
        }
        if divisor.period.is_some_and(|period| period != metric.period) {
            let path = format!("{path}.divide_by.period");
            findings.push(Finding::plan(path, "is not that of the metric it divides", "leave it out"));
        }
    }
}

fn statistic(text: &str, path: &str, findings: &mut Vec<Finding>) {
    let is_percentile = text
        .strip_prefix('p')
        .and_then(|number| number.parse::<f64>().ok())
        .is_some_and(|number| (0.0..=100.0).contains(&number));
    if !is_percentile && !["Sum", "Average", "Minimum", "Maximum", "SampleCount"].contains(&text) {
        let fix = "should be Sum, Average, Minimum, Maximum, SampleCount or a percentile such as p99";
        findings.push(Finding::plan(path, format!("is `{text}`"), fix));
    }
}

fn hooks(plan: &Plan, findings: &mut Vec<Finding>) {
    let hooks = &plan.hooks;
    if !hooks.quiesce.is_empty() && hooks.resume.is_empty() {
        let fix = "add a hook that lets the old side's writers write again: it is the undo of quiesce";
        findings.push(Finding::plan("$.hooks.resume", "is empty while quiesce is not", fix));
    }
    for (name, list) in hooks.points() {
        for (index, Hook { function_arn, timeout }) in list.iter().enumerate() {
            let path = format!("$.hooks.{name}[{index}]");
            arn(function_arn, "lambda", &format!("{path}.function_arn"), findings);
            between(*timeout, Seconds(1), LONGEST_HOOK, &format!("{path}.timeout"), findings);
        }
    }
}

/// A second alarm of one name would overwrite the first, and find it changed.
fn alarms(alarms: &[alarm::Alarm], findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (index, alarm) in alarms.iter().enumerate() {
        let path = format!("$.alarms[{index}]");
        alarm::check(alarm, &path, findings);
        if !seen.insert(&alarm.alarm_name) {
            let problem = "is the name of an earlier alarm";
            findings.push(Finding::plan(format!("{path}.AlarmName"), problem, "name each alarm once"));
        }
    }
}

/// A FIFO topic refuses a message without a group (SNS API reference, Publish), and takes no e-mail subscriptions.
fn topic(text: &str, path: &str, findings: &mut Vec<Finding>) {
    arn(text, "sns", path, findings);
    if text.ends_with(".fifo") {
        findings.push(Finding::plan(path, "is a FIFO topic, which refuses our messages", "name a standard topic"));
    }
}

/// `arn:partition:service:region:account:resource`, of the service expected.
fn arn(text: &str, service: &str, path: &str, findings: &mut Vec<Finding>) {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let right = matches!(parts[..], ["arn", partition, found, _, _, resource]
        if !partition.is_empty() && found == service && !resource.is_empty());
    if !right || text.len() > 2048 || !is_plain(text) {
        let problem = format!("`{}` is not an ARN of {service}", text.chars().take(80).collect::<String>());
        findings.push(Finding::plan(path, problem, format!("should look like arn:aws:{service}:region:account:...")));
    }
}

fn between(value: Seconds, least: Seconds, most: Seconds, path: &str, findings: &mut Vec<Finding>) {
    if value < least || value > most {
        findings.push(Finding::plan(path, format!("is {value}"), format!("should be {least} to {most}")));
    }
}
