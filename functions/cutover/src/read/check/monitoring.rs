//! The sense of what is watched while a step is held.

use super::super::hint;
use super::{LONGEST_RUN, Report, arns, between};
use crate::Seconds;
use crate::alarm::STATISTICS;
use crate::plan::{Comparison, Metric, Missing, Monitoring, TestKind};

/// The longest that a person has to decide: the state machine outlives it.
const LONGEST_HOLD: Seconds = Seconds::hours(7 * 24);

pub(super) fn check(monitoring: &Monitoring, report: &mut Report) {
    between(monitoring.interval, Seconds(10), Seconds::hours(1), "$.monitoring.interval", report);
    between(monitoring.hold_limit, Seconds(10), LONGEST_HOLD, "$.monitoring.hold_limit", report);
    let until_cleanup = monitoring.until_cleanup.interval;
    between(until_cleanup, Seconds(60), Seconds::hours(1), "$.monitoring.until_cleanup.interval", report);
    for (index, group) in monitoring.target_groups.iter().enumerate() {
        let path = format!("$.monitoring.target_groups[{index}].target_group_arn");
        arns::check(&group.target_group_arn, &arns::GROUP, &path, report);
    }
    for (index, arn) in monitoring.alarms.iter().enumerate().filter(|(_, name)| name.starts_with("arn:")) {
        arns::check(arn, &arns::ALARM, &format!("$.monitoring.alarms[{index}]"), report);
    }
    for name in monitoring.alarms_missing.keys().filter(|name| !monitoring.alarms.contains(name)) {
        let path = format!("$.monitoring.alarms_missing.{name}");
        report.say_beside(&["$.monitoring.alarms"], path, "is not a watched alarm", "name one of monitoring.alarms");
    }
    for (index, metric) in monitoring.metrics.iter().enumerate() {
        let path = format!("$.monitoring.metrics[{index}]");
        watched_metric(metric, &path, report);
        judged_metric(metric, &path, report);
    }
    judging(monitoring, report);
}

/// What holds for all tests together.
fn judging(monitoring: &Monitoring, report: &mut Report) {
    let path = |field: &str| format!("$.monitoring.{field}");
    between(monitoring.hold_longer_at_most, Seconds(1), LONGEST_RUN, &path("hold_longer_at_most"), report);
    between(monitoring.minimum_hold, Seconds(0), LONGEST_RUN, &path("minimum_hold"), report);
    let is_sequential = |metric: &Metric| metric.sequential().is_some();
    let are_read = !report.unread.iter().any(|unread| unread.starts_with("$.monitoring.metrics"));
    if monitoring.early_end && are_read && !monitoring.metrics.iter().any(is_sequential) {
        let fix = "watch a share of requests or a percentile of latency, or leave early_end out";
        let problem = "is true without a sequential test, which alone is ever certain of health";
        report.say(path("early_end"), problem, fix);
    }
}

/// Whether the test that the plan wants can be made.
fn judged_metric(metric: &Metric, path: &str, report: &mut Report) {
    let of = |field: &str| format!("{path}.{field}");
    let needed = ["statistic", "comparison", "threshold", "divide_by", "test"].map(of);
    let needed: Vec<&str> = needed.iter().map(String::as_str).collect();
    let is_sequential = metric.sequential().is_some();
    if metric.test == Some(TestKind::Sequential) && !is_sequential {
        let problem = format!("is sequential, and {}", why_not_countable(metric));
        let fix = "divide a Sum by a Sum, greater_than a threshold between 0 and 1; or take a percentile below p100, greater_than a threshold \
                   above 0; or write threshold";
        report.say_beside(&needed, of("test"), problem, fix);
        return;
    }
    if metric.dispersion.is_some_and(|dispersion| dispersion > 1.0) && !is_sequential {
        let problem = "is given for a metric that is judged by its threshold: it says nothing there";
        report.say_beside(&needed, of("dispersion"), problem, "leave it out, or write `\"test\": \"sequential\"`");
    }
    let Some(old) = &metric.compare_to else { return };
    if !is_sequential {
        let problem = "is given for a metric that is judged by its threshold: only counts are compared";
        report.say_beside(&needed, of("compare_to"), problem, "leave it out, or write `\"test\": \"sequential\"`");
    } else if old.dimensions == metric.dimensions {
        let problem = "are those of the metric itself: a side is no worse than itself";
        let dimensions = of("dimensions");
        report.say_beside(&[&dimensions], of("compare_to.dimensions"), problem, "name the old side's dimensions");
    }
}

/// What is in the way of a sequential test.
fn why_not_countable(metric: &Metric) -> &'static str {
    match metric.comparison {
        Comparison::LessThan | Comparison::LessThanOrEqual => "trouble is here to be less",
        _ if metric.divide_by.is_none() => "this is neither a share nor a percentile of requests",
        _ if metric.threshold <= 0.0 || metric.threshold >= 1.0 => "its threshold is no share between 0 and 1",
        _ => "these are not two counts",
    }
}

fn watched_metric(metric: &Metric, path: &str, report: &mut Report) {
    let [period, divisor_path] = ["period", "divide_by"].map(|name| format!("{path}.{name}"));
    statistic(&metric.statistic, &format!("{path}.statistic"), report);
    if metric.period.0 == 0 || !metric.period.0.is_multiple_of(60) || metric.period > Seconds::hours(1) {
        let problem = format!("is {}", metric.period);
        report.say(&period, problem, "should be a multiple of 60s, one hour at most");
    }
    if metric.missing == Missing::ZeroIfDivisor && metric.divide_by.is_none() {
        let fix = "add divide_by, or choose inconclusive, healthy or unhealthy";
        let problem = "is zero_if_divisor without a divisor";
        report.say_beside(&[&divisor_path], format!("{path}.missing"), problem, fix);
    }
    if let Some(divisor) = &metric.divide_by {
        if let Some(text) = &divisor.statistic {
            statistic(text, &format!("{divisor_path}.statistic"), report);
        }
        if divisor.period.is_some_and(|period| period != metric.period) {
            let problem = "is not that of the metric it divides";
            report.say_beside(&[&period], format!("{divisor_path}.period"), problem, "leave it out");
        }
    }
}

/// One that CloudWatch has.
pub(super) fn statistic(text: &str, path: &str, report: &mut Report) {
    let is_digit = |c: char| c.is_ascii_digit();
    let is_percentile = text
        .strip_prefix('p')
        .filter(|number| number.starts_with(is_digit) && number.ends_with(is_digit))
        .filter(|number| number.chars().all(|c| is_digit(c) || c == '.'))
        .filter(|number| {
            *number == "100" || number.starts_with("100.") || number.find('.').unwrap_or(number.len()) <= 2
        })
        .and_then(|number| number.parse::<f64>().ok())
        .is_some_and(|number| (0.0..=100.0).contains(&number));
    if !is_percentile && !STATISTICS.contains(&text) {
        let number = text.strip_prefix('P').filter(|number| number.parse::<f64>().is_ok());
        let percentile = number.map(|number| format!("write p{number}, if that is meant; it "));
        let nearest =
            || hint::nearest(text, STATISTICS.into_iter()).map(|name| format!("write {name}, if that is meant; it "));
        let hint = percentile.or_else(nearest).unwrap_or_default();
        let fix = format!("{hint}should be {} or a percentile such as p99", STATISTICS.join(", "));
        report.say(path, format!("is `{}`", text.chars().take(80).collect::<String>()), fix);
    }
}
