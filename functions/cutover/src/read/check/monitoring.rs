//! The sense of what is watched while a step is held.

use super::{Report, arn, between};
use crate::Seconds;
use crate::plan::{Metric, Missing, Monitoring};

pub(super) fn check(monitoring: &Monitoring, report: &mut Report) {
    between(monitoring.interval, Seconds(10), Seconds::hours(1), "$.monitoring.interval", report);
    for (index, group) in monitoring.target_groups.iter().enumerate() {
        let path = format!("$.monitoring.target_groups[{index}].target_group_arn");
        arn(&group.target_group_arn, "elasticloadbalancing", &path, report);
    }
    for name in monitoring.alarms_missing.keys().filter(|name| !monitoring.alarms.contains(name)) {
        let path = format!("$.monitoring.alarms_missing.{name}");
        report.say_beside(&["$.monitoring.alarms"], path, "is not a watched alarm", "name one of monitoring.alarms");
    }
    for (index, metric) in monitoring.metrics.iter().enumerate() {
        watched_metric(metric, &format!("$.monitoring.metrics[{index}]"), report);
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

fn statistic(text: &str, path: &str, report: &mut Report) {
    let is_digit = |c: char| c.is_ascii_digit();
    let is_percentile = text
        .strip_prefix('p')
        .filter(|number| number.starts_with(is_digit) && number.ends_with(is_digit))
        .filter(|number| number.chars().all(|c| is_digit(c) || c == '.'))
        .and_then(|number| number.parse::<f64>().ok())
        .is_some_and(|number| (0.0..=100.0).contains(&number));
    if !is_percentile && !["Sum", "Average", "Minimum", "Maximum", "SampleCount"].contains(&text) {
        let fix = "should be Sum, Average, Minimum, Maximum, SampleCount or a percentile such as p99";
        report.say(path, format!("is `{text}`"), fix);
    }
}
