//! The sense of alarms: what CloudWatch would refuse (API reference of PutMetricAlarm).

use std::collections::BTreeSet;

use super::{Report, arns};
use crate::alarm::{Alarm, BAND_OPERATORS, OPERATORS};

const WEEK_SECONDS: i64 = 7 * 86_400;

/// A second alarm of one name would overwrite the first, and find it changed.
pub(super) fn check(alarms: &[Alarm], report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (index, alarm) in alarms.iter().enumerate() {
        let path = format!("$.alarms[{index}]");
        own(alarm, &path, report);
        let name = format!("{path}.AlarmName");
        if report.is_read(&name) && !seen.insert(alarm.key()) {
            report.say(name, "is the name of an earlier alarm", "name each alarm once");
        }
        if let Some(arn) = &alarm.alarm_arn {
            place(arn, alarm, &path, report);
        }
    }
}

/// Its ARN says where it is, and is of the same name.
fn place(arn: &str, alarm: &Alarm, path: &str, report: &mut Report) {
    let field = format!("{path}.AlarmArn");
    arns::check(arn, &arns::ALARM, &field, report);
    if let Some((_, name)) = arn.split_once(":alarm:").filter(|(_, name)| *name != alarm.alarm_name) {
        let problem = format!("is the ARN of `{name}`, and AlarmName is `{}`", alarm.alarm_name);
        report.say_beside(&[&format!("{path}.AlarmName")], field, problem, "give the same name, or leave AlarmArn out");
    }
}

fn own(alarm: &Alarm, path: &str, report: &mut Report) {
    let field = |name: &str| format!("{path}.{name}");
    if alarm.metrics.is_empty() {
        one_metric(alarm, path, report)
    } else {
        metrics(alarm, path, report)
    }
    let (is_band, operators) = match &alarm.threshold_metric_id {
        Some(_) => (true, &BAND_OPERATORS[..]),
        None => (false, &OPERATORS[..]),
    };
    if alarm.threshold.is_some() == is_band {
        let (problem, fix) = if is_band {
            ("is given beside ThresholdMetricId", "give one of the two")
        } else {
            ("is missing", "add `Threshold`")
        };
        report.say_beside(&[&field("ThresholdMetricId"), &field("Metrics")], field("Threshold"), problem, fix);
    }
    let periods = field("EvaluationPeriods");
    let period = alarm.period.unwrap_or_default();
    if i64::from(alarm.evaluation_periods) * i64::from(period) > WEEK_SECONDS {
        let problem = format!("is {}", alarm.evaluation_periods);
        report.say_beside(&[&field("Period")], &periods, problem, "should be a week in all at the most");
    }
    if alarm.datapoints_to_alarm.is_some_and(|datapoints| datapoints > alarm.evaluation_periods) {
        let fix = "should be 1 to EvaluationPeriods";
        report.say_beside(&[&periods], field("DatapointsToAlarm"), "is out of range", fix);
    }
    if !operators.contains(&alarm.comparison_operator.as_str()) {
        let problem = format!("is `{}`", alarm.comparison_operator);
        report.say_beside(&[&field("ThresholdMetricId")], field("ComparisonOperator"), problem, operators.join(" or "));
    }
}

/// An alarm on one metric, which needs all of these unless it has `Metrics`.
fn one_metric(alarm: &Alarm, path: &str, report: &mut Report) {
    let field = |name: &str| format!("{path}.{name}");
    let metrics = field("Metrics");
    for (text, name) in [(&alarm.metric_name, "MetricName"), (&alarm.namespace, "Namespace")] {
        if text.is_none() {
            report.say_beside(&[&metrics], field(name), "is missing", format!("add `{name}`, or `Metrics`"));
        }
    }
    match alarm.period {
        None => report.say_beside(&[&metrics], field("Period"), "is missing", "add `Period`, or `Metrics`"),
        Some(period) if ![10, 20, 30].contains(&period) && period % 60 != 0 => {
            let fix = "should be 10, 20, 30 or a multiple of 60 seconds";
            report.say(field("Period"), format!("is {period}"), fix);
        }
        Some(_) => {}
    }
    if alarm.statistic.is_some() == alarm.extended_statistic.is_some() {
        let others = [&field("ExtendedStatistic")[..], &metrics];
        report.say_beside(&others, field("Statistic"), "is not exactly one", "give Statistic or ExtendedStatistic");
    }
    if alarm.threshold_metric_id.is_some() {
        let problem = "is given without Metrics";
        report.say_beside(&[&metrics], field("ThresholdMetricId"), problem, "the band is one of Metrics");
    }
}

/// An alarm on several metrics, which names none of its own (API reference of PutMetricAlarm, Metrics).
fn metrics(alarm: &Alarm, path: &str, report: &mut Report) {
    let own = [
        ("MetricName", alarm.metric_name.is_some()),
        ("Namespace", alarm.namespace.is_some()),
        ("Period", alarm.period.is_some()),
        ("Statistic", alarm.statistic.is_some()),
        ("ExtendedStatistic", alarm.extended_statistic.is_some()),
        ("Unit", alarm.unit.is_some()),
        ("Dimensions", !alarm.dimensions.is_empty()),
    ];
    for (name, _) in own.into_iter().filter(|(_, is_given)| *is_given) {
        report.say(format!("{path}.{name}"), "is given beside Metrics", "give it within Metrics");
    }
    let (mut ids, mut all_are_read) = (BTreeSet::new(), true);
    for (index, query) in alarm.metrics.iter().enumerate() {
        let here = format!("{path}.Metrics[{index}]");
        let [id, stat, expression] = ["Id", "MetricStat", "Expression"].map(|name| format!("{here}.{name}"));
        if query.metric_stat.is_some() == query.expression.is_some() {
            report.say_beside(&[&stat, &expression], here, "is not exactly one", "give MetricStat or Expression");
        }
        all_are_read &= report.is_read(&id);
        if report.is_read(&id) && !ids.insert(&query.id) {
            report.say(id, "is the Id of an earlier one", "give each an Id of its own");
        }
    }
    if let Some(band) = alarm.threshold_metric_id.as_ref().filter(|band| all_are_read && !ids.contains(band)) {
        let problem = format!("`{band}` is none of Metrics");
        report.say_beside(
            &[&format!("{path}.Metrics")],
            format!("{path}.ThresholdMetricId"),
            problem,
            "name one of their Ids",
        );
    }
}
