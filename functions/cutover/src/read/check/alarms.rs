//! The sense of alarms: what CloudWatch would refuse (API reference of PutMetricAlarm).

use std::collections::BTreeSet;

use super::{Report, arns};
use crate::alarm::{Alarm, BAND_OPERATORS, OPERATORS, STATISTICS};

const HOUR_SECONDS: i64 = 3_600;
const DAY_SECONDS: i64 = 86_400;
const WEEK_SECONDS: i64 = 7 * DAY_SECONDS;
/// So many metrics, and so many expressions, are in an alarm at the most (MetricDataQuery).
const MOST_OF_A_KIND: usize = 10;

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
    if alarm.alarm_name.contains(|c: char| c.is_ascii_control()) {
        report.say(field("AlarmName"), "has control characters", "leave them out");
    }
    evaluated(alarm, path, report);
    let periods = field("EvaluationPeriods");
    if alarm.datapoints_to_alarm.is_some_and(|datapoints| datapoints > alarm.evaluation_periods) {
        let fix = "should be 1 to EvaluationPeriods";
        report.say_beside(&[&periods], field("DatapointsToAlarm"), "is out of range", fix);
    }
    if !operators.contains(&alarm.comparison_operator.as_str()) {
        let problem = format!("is `{}`", alarm.comparison_operator);
        report.say_beside(&[&field("ThresholdMetricId")], field("ComparisonOperator"), problem, operators.join(" or "));
    }
}

/// How far it looks back (Period). Of several metrics, the longest period counts.
fn evaluated(alarm: &Alarm, path: &str, report: &mut Report) {
    let [period, periods, metrics] = ["Period", "EvaluationPeriods", "Metrics"].map(|name| format!("{path}.{name}"));
    let of_metrics =
        alarm.metrics.iter().filter_map(|query| query.period.max(query.metric_stat.as_ref().map(|stat| stat.period)));
    let seconds = i64::from(alarm.period.into_iter().chain(of_metrics).max().unwrap_or_default());
    let (most, fix) = if seconds < HOUR_SECONDS {
        (DAY_SECONDS, "should be a day in all at the most, since the period is below an hour")
    } else {
        (WEEK_SECONDS, "should be a week in all at the most")
    };
    let count = i64::from(alarm.evaluation_periods);
    if count * seconds <= most {
        return;
    }
    if alarm.metrics.is_empty() {
        report.say_beside(&[&period], periods, format!("is {count}, of {seconds} s each"), fix);
    } else {
        report.say_beside(&[&periods], metrics, format!("have {count} periods of {seconds} s"), fix);
    }
}

/// A percentile or another statistic of CloudWatch's beside the plain ones (ExtendedStatistic).
fn is_extended(text: &str) -> bool {
    let is_share = |number: &str| {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_below = whole.len() <= 2 || (whole == "100" && fraction.bytes().all(|byte| byte == b'0'));
        is_number(whole) && is_number(fraction) && is_below
    };
    let is_range = |range: &str| {
        let range = range.strip_prefix('(').and_then(|range| range.strip_suffix(')'));
        let is_bound = |bound: &str| bound.bytes().all(|byte| byte.is_ascii_digit() || b".%".contains(&byte));
        range.and_then(|range| range.split_once(':')).is_some_and(|(least, most)| is_bound(least) && is_bound(most))
    };
    let after = |names: &[&str], is_it: &dyn Fn(&str) -> bool| {
        names.iter().filter_map(|name| text.strip_prefix(name)).any(is_it)
    };
    text == "IQM"
        || after(&["p", "tm", "tc", "ts", "wm"], &is_share)
        || after(&["PR", "TC", "TM", "TS", "WM"], &is_range)
}

/// A statistic that CloudWatch does not know.
fn statistic(text: &str, plain: &[&str], path: String, report: &mut Report) {
    if !plain.contains(&text) && !is_extended(text) {
        let problem = format!("is `{}`", text.chars().take(80).collect::<String>());
        let plain = plain.iter().map(|name| format!("{name}, ")).collect::<String>();
        report.say(path, problem, format!("should be {plain}p0 to p100, or one such as tm90, IQM or TM(10%:90%)"));
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
    if let Some(text) = &alarm.extended_statistic {
        statistic(text, &[], field("ExtendedStatistic"), report);
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
        if !is_id(&query.id) {
            let problem = format!("is `{}`", query.id.chars().take(80).collect::<String>());
            report.say(&id, problem, "use a-z first, then A-Z a-z 0-9 _, 255 at the most");
        }
        if let Some(wanted) = &query.metric_stat {
            statistic(&wanted.stat, &STATISTICS, format!("{stat}.Stat"), report);
        }
        if report.is_read(&id) && !ids.insert(&query.id) {
            report.say(id, "is the Id of an earlier one", "give each an Id of its own");
        }
    }
    of_each_kind(alarm, path, report);
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

fn is_id(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.len() <= 255 && text.bytes().all(is_word)
}

/// How many of Metrics there are of each kind, and which one the alarm looks at. Beside a band it is the band's metric, too.
fn of_each_kind(alarm: &Alarm, path: &str, report: &mut Report) {
    let place = format!("{path}.Metrics");
    let stats = alarm.metrics.iter().filter(|query| query.metric_stat.is_some()).count();
    let expressions = alarm.metrics.iter().filter(|query| query.expression.is_some()).count();
    if stats > MOST_OF_A_KIND || expressions > MOST_OF_A_KIND {
        let problem = format!("are {stats} metrics and {expressions} expressions");
        report.say(&place, problem, format!("have {MOST_OF_A_KIND} of each at the most"));
    }
    let marks: Vec<String> = (0..alarm.metrics.len()).map(|index| format!("{place}[{index}].ReturnData")).collect();
    let looked_at = alarm.metrics.iter().filter(|query| query.return_data.unwrap_or(true)).count();
    if looked_at != 1 && alarm.threshold_metric_id.is_none() && marks.iter().all(|mark| report.is_read(mark)) {
        let problem = format!("have {looked_at} that the alarm looks at");
        let fix = "leave ReturnData true at one, and set it to false at all others";
        report.say_beside(&[&format!("{path}.ThresholdMetricId")], place, problem, fix);
    }
}
