//! The sense of alarms: what CloudWatch would refuse (API reference of PutMetricAlarm).

use std::collections::BTreeSet;

use super::Report;
use crate::alarm::Alarm;

const OPERATORS: [&str; 4] =
    ["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"];
const TREATMENTS: [&str; 4] = ["breaching", "notBreaching", "ignore", "missing"];
const WEEK_SECONDS: i64 = 7 * 86_400;

/// A second alarm of one name would overwrite the first, and find it changed.
pub(super) fn check(alarms: &[Alarm], report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (index, alarm) in alarms.iter().enumerate() {
        let path = format!("$.alarms[{index}]");
        own(alarm, &path, report);
        let name = format!("{path}.AlarmName");
        if report.is_read(&name) && !seen.insert(&alarm.alarm_name) {
            report.say(name, "is the name of an earlier alarm", "name each alarm once");
        }
    }
}

fn own(alarm: &Alarm, path: &str, report: &mut Report) {
    let field = |name: &str| format!("{path}.{name}");
    for (text, name, fix) in [
        (&alarm.alarm_name, "AlarmName", "give the alarm a name"),
        (&alarm.metric_name, "MetricName", "name the metric that is watched"),
        (&alarm.namespace, "Namespace", "name the metric that is watched"),
    ] {
        if text.is_empty() || text.len() > 255 {
            report.say(field(name), "is empty or longer than 255", fix);
        }
    }
    if alarm.statistic.is_some() == alarm.extended_statistic.is_some() {
        let others = [&field("ExtendedStatistic")[..]];
        report.say_beside(&others, field("Statistic"), "is not exactly one", "give Statistic or ExtendedStatistic");
    }
    if ![10, 20, 30].contains(&alarm.period) && alarm.period % 60 != 0 {
        let fix = "should be 10, 20, 30 or a multiple of 60 seconds";
        report.say(field("Period"), format!("is {}", alarm.period), fix);
    }
    let periods = field("EvaluationPeriods");
    if i64::from(alarm.evaluation_periods) * i64::from(alarm.period) > WEEK_SECONDS {
        let problem = format!("is {}", alarm.evaluation_periods);
        report.say_beside(&[&field("Period")], &periods, problem, "should be a week in all at the most");
    }
    if alarm.datapoints_to_alarm.is_some_and(|datapoints| datapoints > alarm.evaluation_periods) {
        let fix = "should be 1 to EvaluationPeriods";
        report.say_beside(&[&periods], field("DatapointsToAlarm"), "is out of range", fix);
    }
    if !OPERATORS.contains(&alarm.comparison_operator.as_str()) {
        let problem = format!("is `{}`", alarm.comparison_operator);
        report.say(field("ComparisonOperator"), problem, OPERATORS.join(" or "));
    }
    if alarm.treat_missing_data.as_deref().is_some_and(|treatment| !TREATMENTS.contains(&treatment)) {
        report.say(field("TreatMissingData"), "is not a treatment", TREATMENTS.join(" or "));
    }
}
