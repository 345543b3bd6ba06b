//! Statistics and thresholds that cannot be meant.

use std::collections::BTreeMap;

use super::known::{Kind, Namespace};
use super::{Report, Series};
use crate::plan::{Comparison, Metric, Missing};

/// A load balancer gives up after 60 s unless it is told otherwise: nobody waits for the new side so long.
const LONGEST_MEANT_SECONDS: f64 = 60.0;
const REQUESTS: &str = "RequestCount";
const GROUP: &str = "TargetGroup";

/// Whether the namespace has the metric, and whether its statistic says something.
pub(super) fn check_series(namespace: Namespace, series: &Series, report: &mut Report) {
    let Series { path, metric_name, statistic, .. } = series;
    if !namespace.has(metric_name) {
        unknown(namespace, metric_name, &format!("{path}.metric_name"), report);
    }
    let is_percentile = statistic.starts_with('p');
    let problem = match Kind::of(metric_name) {
        Kind::Count if is_percentile => {
            format!("is {statistic} of a count: each request counts 1, whatever the percentile")
        }
        Kind::Count if ["Average", "Minimum", "Maximum"].contains(statistic) => {
            format!("is {statistic} of a count: each request counts 1, so that is what it always says")
        }
        Kind::Seconds if *statistic == "Sum" => {
            "is the Sum of times: it grows with the traffic, not with the latency".to_owned()
        }
        Kind::Level if *statistic == "Sum" => {
            "is the Sum of a number that is reported again and again: it grows with the reports".to_owned()
        }
        _ => return,
    };
    let fix = match Kind::of(metric_name) {
        Kind::Count => "take Sum",
        Kind::Seconds => "take a percentile such as p95, or Average",
        _ => "take Minimum, Maximum or Average",
    };
    report.warn(&format!("{path}.statistic"), problem, fix);
}

/// CloudWatch compares names with their capitals.
fn unknown(namespace: Namespace, metric_name: &str, path: &str, report: &mut Report) {
    let (name, other) = (namespace.name(), namespace.other());
    let problem = format!("is `{metric_name}`, which {name} is not known to have");
    if let Some(meant) = namespace.in_other_capitals(metric_name) {
        report.dead(path, problem, format!("write {meant}: capitals count"));
    } else if other.has(metric_name) {
        report.dead(path, problem, format!("it is one of {}: take that namespace, or another metric", other.name()));
    } else {
        report.warn(path, problem, "look at its spelling, letter by letter");
    }
}

/// Whether the threshold can be reached, and whether silence means what the plan says.
pub(super) fn check_threshold(metric: &Metric, path: &str, report: &mut Report) {
    if Namespace::named(&metric.namespace).is_none() {
        return;
    }
    let (kind, threshold) = (Kind::of(&metric.metric_name), metric.threshold);
    let wants_less = matches!(metric.comparison, Comparison::GreaterThan | Comparison::GreaterThanOrEqual);
    let path_of = |field: &str| format!("{path}.{field}");
    let is_time = kind == Kind::Seconds && metric.statistic != "SampleCount" && metric.divide_by.is_none();
    if is_time && wants_less && threshold >= LONGEST_MEANT_SECONDS {
        let problem = format!("is {threshold}: {} is in seconds, and nobody waits so long", metric.metric_name);
        report.warn(&path_of("threshold"), problem, format!("write {} for {threshold} ms", threshold / 1000.0));
    }
    reach(metric, kind, &path_of("threshold"), report);
    upside_down(metric, kind, &path_of("comparison"), report);
    let Some(divisor) = &metric.divide_by else {
        if kind == Kind::Count && metric.statistic == "Sum" && threshold > 0.0 && threshold < 1.0 {
            let problem = format!("is {threshold} of a count, which is trouble from the first one or never");
            report.warn(
                &path_of("threshold"),
                problem,
                "add divide_by RequestCount for a share, or write a whole number",
            );
        }
        return silent_at_zero(metric, kind, &path_of("missing"), report);
    };
    silent_at_zero(metric, kind, &path_of("missing"), report);
    let is_part_of_all = kind == Kind::Count && divisor.metric_name == REQUESTS && metric.metric_name != REQUESTS;
    let is_beyond = threshold > 1.0 || (threshold == 1.0 && metric.comparison == Comparison::GreaterThan);
    if is_part_of_all && wants_less && is_beyond {
        let problem = format!("is {threshold}: {} by {REQUESTS} is a part of 1, and never more", metric.metric_name);
        report.warn(&path_of("threshold"), problem, format!("write {} for {threshold} %", threshold / 100.0));
    }
    let group_of = |dimensions: &BTreeMap<String, String>| dimensions.get(GROUP).cloned();
    let divisors_group = divisor.dimensions.as_ref().map(group_of);
    let is_told = report.0.iter().any(|found| found.path == path_of("divide_by.dimensions"));
    let is_of_another = divisors_group.is_some_and(|group| group != group_of(&metric.dimensions));
    if kind == Kind::Count && is_of_another && !is_told {
        let problem = "names another TargetGroup than what it divides, or none: the share is not that of one side";
        report.warn(&path_of("divide_by.dimensions"), problem, "leave it out, unless it is meant");
    }
    // SampleCount of a latency is its requests, whatever is divided: only of counts it is another thing than their Sum.
    let is_of_a_count = Kind::of(&divisor.metric_name) == Kind::Count;
    let is_another = divisor.statistic.as_ref().is_some_and(|statistic| *statistic != metric.statistic);
    if is_another && kind == Kind::Count && is_of_a_count {
        let problem = format!("is not {}, the statistic of what it divides", metric.statistic);
        report.warn(&path_of("divide_by.statistic"), problem, "leave it out, and take Sum for both");
    }
}

/// No value of a load balancer is below 0.
fn reach(metric: &Metric, kind: Kind, path: &str, report: &mut Report) {
    let Metric { threshold, comparison, .. } = metric;
    let is_never = match comparison {
        Comparison::LessThan => *threshold <= 0.0,
        Comparison::LessThanOrEqual => *threshold < 0.0,
        _ => false,
    };
    let is_time = kind == Kind::Seconds && metric.statistic != "SampleCount";
    let is_always = match comparison {
        Comparison::GreaterThan => *threshold < 0.0 || (*threshold == 0.0 && is_time),
        Comparison::GreaterThanOrEqual => *threshold <= 0.0,
        _ => false,
    };
    if is_never {
        let problem = format!("is {threshold}: no value is below it, so that this is never trouble");
        report.dead(path, problem, "write the least value that is healthy");
    } else if is_always {
        let problem = format!("is {threshold}: every value is trouble, also a healthy one");
        report.warn(path, problem, "write the greatest value that is healthy, with greater_than");
    }
}

/// A comparison says what is trouble, and is taken for what is right.
fn upside_down(metric: &Metric, kind: Kind, path: &str, report: &mut Report) {
    let name = metric.metric_name.as_str();
    let is_bad = name.contains("_5XX_") || name.contains("Error") || name == "UnHealthyHostCount";
    let is_slow = kind == Kind::Seconds && metric.statistic != "SampleCount";
    let wants_more = matches!(metric.comparison, Comparison::LessThan | Comparison::LessThanOrEqual);
    if (is_bad || is_slow) && wants_more && metric.threshold > 0.0 {
        let problem = format!("calls it trouble when {name} is low, as it is on a healthy side");
        report.warn(path, problem, "write greater_than: it says what is trouble");
    } else if name == "HealthyHostCount" && !wants_more {
        let problem = "calls it trouble when many targets are healthy".to_owned();
        report.warn(path, problem, "write less_than: it says what is trouble");
    }
}

/// AWS leaves error counts out while there are none, so that a healthy side has no value. A sequential test would then count the periods with
/// errors alone, and find trouble in a healthy side; a threshold has no value.
fn silent_at_zero(metric: &Metric, kind: Kind, path: &str, report: &mut Report) {
    let is_count_of_traffic = metric.metric_name.ends_with(REQUESTS) || metric.metric_name.starts_with("New");
    let is_said = matches!(metric.missing, Missing::Healthy | Missing::ZeroIfDivisor);
    if kind != Kind::Count || is_count_of_traffic || is_said {
        return;
    }
    let name = &metric.metric_name;
    let problem = match metric.missing {
        Missing::Unhealthy => format!("calls it trouble that there is no {name}: AWS leaves it out at zero"),
        _ => format!("does not say that no value is healthy: AWS leaves {name} out at zero"),
    };
    let of_healthy = "a healthy side would be turned back";
    match &metric.divide_by {
        None => report.warn(path, problem, "divide by RequestCount and write zero_if_divisor"),
        Some(_) if metric.sequential().is_some() => {
            report.dead(path, format!("{problem}, and {of_healthy}"), "write \"missing\": \"zero_if_divisor\"")
        }
        Some(_) => report.warn(path, format!("{problem}, and {of_healthy}"), "write \"missing\": \"zero_if_divisor\""),
    }
}
