//! What makes a well-formed plan sensible. Every rule reports on its own, so that all errors come at once; one whose place
//! could not be read is silent. The bounds of a single number stand at its field, in the plan's types.

mod alarms;
mod arns;
mod health_checks;
mod load_test;
mod monitoring;
mod records;
mod routes;
mod stakeholders;

pub use self::stakeholders::problems as problems_of_groups;
use crate::plan::{Database, Hook, OnFailure, Plan, Probe, Route};
use crate::text::is_name;
use crate::{Finding, Seconds, finding, probe, schedule};

/// The longest an HTTP probe may take: a function's time-out is 30 s.
const LONGEST_PROBE: Seconds = Seconds(20);
/// The longest a hook may take: Lambda's own limit.
const LONGEST_HOOK: Seconds = Seconds(900);
/// The longest run, and the longest wait for approval: the state machine's own time-out is longer than both and the
/// longest probing before them.
const LONGEST_RUN: Seconds = Seconds::hours(7 * 24);
/// The longest wait before cleanup: an execution lives a year at most.
const LONGEST_CLEANUP: Seconds = Seconds::hours(300 * 24);
/// The longest name of an application.
const MOST_APPLICATION_BYTES: usize = 64;
/// The longest id of a wave: an execution may be named by it.
const MOST_WAVE_BYTES: usize = 80;
/// The fields, wherever they are, on which the time of a run depends.
const TIMED: [&str; 7] = ["routes", "steps", "hold", "ttl", "load_test", "duration", "warm_up"];
/// The fields, wherever they are, on which the history of a run depends.
const COUNTED: [&str; 28] = [
    "routes",
    "steps",
    "hold",
    "monitoring",
    "interval",
    "no_data_limit",
    "too_little_data",
    "hold_longer_at_most",
    "health_check",
    "health_checks",
    "failure_threshold",
    "attempts",
    "database",
    "give_up_after",
    "samples",
    "drain",
    "shared",
    "hooks",
    "quiesce",
    "resume",
    "before_traffic",
    "after_traffic",
    "on_rollback",
    "on_failure",
    "alarms",
    "load_test",
    "duration",
    "rate_per_second",
];

/// Every error of sense in a plan, in what could be read of it. `unread` are the paths of the rest; the plan has something
/// in its place, about which nothing is said.
pub(super) fn plan(plan: &Plan, unread: &[String]) -> Vec<Finding> {
    let mut report = Report { unread, findings: Vec::new() };
    name(&plan.application, MOST_APPLICATION_BYTES, "$.application", &mut report);
    if let Some(wave) = &plan.wave {
        name(wave, MOST_WAVE_BYTES, "$.wave", &mut report);
    }
    routes::check(&plan.routes, &mut report);
    if let Some(probe) = &plan.health_check {
        health_check(probe, &mut report);
    }
    if let Some(database) = &plan.database {
        replication(database, &mut report);
        split_writers(database, &plan.routes, &mut report);
    }
    load_test::check(plan, &mut report);
    monitoring::check(&plan.monitoring, &mut report);
    between(plan.baseline.window, Seconds(300), Seconds::hours(24), "$.baseline.window", &mut report);
    for (index, resource) in plan.baseline.resources.iter().enumerate() {
        monitoring::statistic(&resource.statistic, &format!("$.baseline.resources[{index}].statistic"), &mut report);
    }
    between(plan.validation.window, Seconds(180), Seconds::hours(3), "$.validation.window", &mut report);
    for (index, limit) in plan.validation.limits.iter().enumerate() {
        monitoring::statistic(&limit.statistic, &format!("$.validation.limits[{index}].statistic"), &mut report);
    }
    hooks(plan, &mut report);
    alarms::check(&plan.alarms, &mut report);
    if plan.monitoring.on_failure == OnFailure::Hold && plan.notify.is_none() {
        let fix = "add notify with the topic_arn of those who decide, or choose roll_back";
        report.say_beside(&["$.notify"], "$.monitoring.on_failure", "is hold, and nobody would be told to decide", fix);
    }
    if let Some(notify) = &plan.notify {
        topic(&notify.topic_arn, "$.notify.topic_arn", &mut report);
    }
    stakeholders::check(&plan.stakeholders, &mut report);
    if let Some(approval) = &plan.approval {
        topic(&approval.topic_arn, "$.approval.topic_arn", &mut report);
        between(approval.within, Seconds(1), LONGEST_RUN, "$.approval.within", &mut report);
    }
    between(plan.cleanup.after, Seconds(0), LONGEST_CLEANUP, "$.cleanup.after", &mut report);
    between(plan.timeout, Seconds(1), LONGEST_RUN, "$.timeout", &mut report);
    carried(plan, &mut report);
    report.findings
}

/// What is found, by rules that know what could be read.
struct Report<'a> {
    unread: &'a [String],
    findings: Vec<Finding>,
}

impl Report<'_> {
    /// A rule over one place was broken.
    fn say(&mut self, path: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) {
        let path = path.into();
        if self.findings.len() <= finding::MOST_FINDINGS && self.is_read(&path) {
            self.findings.push(Finding::plan(path, problem, fix));
        }
    }

    /// A rule over several places was broken: this one, and others.
    fn say_beside(
        &mut self,
        others: &[&str],
        path: impl Into<String>,
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) {
        if others.iter().all(|other| self.is_read(other)) {
            self.say(path, problem, fix);
        }
    }

    /// Whether neither the place nor anything that it lies in could not be read.
    fn is_read(&self, path: &str) -> bool {
        !self.unread.iter().any(|unread| {
            path.strip_prefix(unread.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// Whether nothing is wrong at a place.
    fn is_sound(&self, path: &str) -> bool {
        self.is_read(path) && self.findings.iter().all(|finding| finding.path != path)
    }

    /// Whether nothing is wrong at, or unread of, any field of these names.
    fn are_sound(&self, fields: &[&str]) -> bool {
        let found = self.findings.iter().map(|finding| &finding.path);
        !self.unread.iter().chain(found).any(|path| fields.contains(&last_field(path)))
    }
}

/// `steps` of `$.routes[0].steps[1]`.
fn last_field(path: &str) -> &str {
    let name = path.rsplit('.').next().unwrap_or(path);
    name.split('[').next().unwrap_or(name)
}

/// What a run cannot carry, or cannot end in time: as far as everything that it depends on is right.
fn carried(plan: &Plan, report: &mut Report) {
    if report.are_sound(&COUNTED) {
        report.findings.extend(schedule::check_history(plan));
    }
    report.findings.extend(schedule::check_size(plan));
    if report.are_sound(&TIMED) && report.is_sound("$.timeout") {
        report.findings.extend(schedule::check_time(plan, Seconds(0)));
    }
}

fn name(name: &str, most_bytes: usize, path: &str, report: &mut Report) {
    if !is_name(name, most_bytes) {
        let problem = format!("`{}` is not a name", name.chars().take(80).collect::<String>());
        report.say(path, problem, format!("use 1 to {most_bytes} of A-Z a-z 0-9 - _"));
    }
}

fn health_check(wanted: &Probe, report: &mut Report) {
    let path = "$.health_check";
    if let Err(problem) = probe::Target::parse(&wanted.url) {
        let fix = "give a full URL such as https://new.example.com/health";
        report.say(format!("{path}.url"), problem, fix);
    }
    if let Some(host) = wanted.host.as_ref().filter(|host| !is_host_name(host)) {
        let problem = format!("`{}` is not a host name", host.chars().take(80).collect::<String>());
        report.say(format!("{path}.host"), problem, "give the name alone, such as shop.example.com: no port, no path");
    }
    if wanted.successes > wanted.attempts {
        let problem = format!("is {}, with only {} attempts", wanted.successes, wanted.attempts);
        let attempts = format!("{path}.attempts");
        report.say_beside(&[&attempts], format!("{path}.successes"), problem, "allow at least as many attempts");
    }
    between(wanted.interval, Seconds(1), Seconds::hours(1), &format!("{path}.interval"), report);
    between(wanted.timeout, Seconds(1), LONGEST_PROBE, &format!("{path}.timeout"), report);
    if probe::status_range(&wanted.expect_status).is_none() {
        let problem = format!("is `{}`", wanted.expect_status);
        report.say(format!("{path}.expect_status"), problem, "write 200, or a range 200-299");
    }
}

/// Labels of letters, digits, `-` and `_`.
fn is_host_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.len() <= 253 && text.split('.').all(|label| (1..=63).contains(&label.len()) && label.chars().all(allowed))
}

fn replication(database: &Database, report: &mut Report) {
    let path = "$.database";
    let forward = format!("{path}.replication_task_arn");
    arns::check(&database.replication_task_arn, &arns::REPLICATION, &forward, report);
    if let Some(reverse) = &database.reverse_replication_task_arn {
        let path = format!("{path}.reverse_replication_task_arn");
        arns::check(reverse, &arns::REPLICATION, &path, report);
        if *reverse == database.replication_task_arn {
            let fix = "name the replication from the new side's database to the old side's, or leave it out";
            report.say_beside(&[&forward], path, "is the replication to the new side", fix);
        }
    }
    between(database.drain_latency, Seconds(0), Seconds::hours(1), &format!("{path}.drain_latency"), report);
    between(database.interval, Seconds(1), Seconds::hours(1), &format!("{path}.interval"), report);
    between(database.give_up_after, Seconds(1), LONGEST_RUN, &format!("{path}.give_up_after"), report);
}

/// Two sides that take traffic at once write at once: to two databases, unless they share one.
fn split_writers(database: &Database, routes: &[Route], report: &mut Report) {
    if database.shared {
        return;
    }
    for (route_index, route) in routes.iter().enumerate() {
        for (step_index, step) in route.steps().iter().enumerate() {
            if (1..100).contains(&step.new_weight) {
                report.say_beside(
                    &["$.database.shared"],
                    format!("$.routes[{route_index}].steps[{step_index}].new_weight"),
                    format!("splits traffic at {} % while each side writes to its own database", step.new_weight),
                    "go from 0 to 100 in one step, or set database.shared if both sides write to one database",
                );
            }
        }
    }
}

fn hooks(plan: &Plan, report: &mut Report) {
    let hooks = &plan.hooks;
    if !hooks.quiesce.is_empty() && hooks.resume.is_empty() {
        let fix = "add a hook that lets the old side's writers write again: it is the undo of quiesce";
        report.say("$.hooks.resume", "is empty while quiesce is not", fix);
    }
    for (name, list) in hooks.points() {
        for (index, Hook { function_arn, timeout }) in list.iter().enumerate() {
            let path = format!("$.hooks.{name}[{index}]");
            arns::check(function_arn, &arns::FUNCTION, &format!("{path}.function_arn"), report);
            between(*timeout, Seconds(1), LONGEST_HOOK, &format!("{path}.timeout"), report);
        }
    }
}

/// A FIFO topic refuses a message without a group (SNS API reference, Publish), and takes no e-mail subscriptions.
fn topic(text: &str, path: &str, report: &mut Report) {
    arns::check(text, &arns::TOPIC, path, report);
    if text.ends_with(".fifo") {
        report.say(path, "is a FIFO topic, which refuses our messages", "name a standard topic");
    }
}

/// Whether a text has only characters that names and identifiers are made of: no spaces, nothing that cannot be seen.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic())
}

fn between(value: Seconds, least: Seconds, most: Seconds, path: &str, report: &mut Report) {
    if value < least || value > most {
        report.say(path, format!("is {value}"), format!("should be {least} to {most}"));
    }
}
