//! What a plan's alarm would overwrite: pure. PutMetricAlarm replaces the whole alarm of its name, whoever made it.

use aws_sdk_cloudwatch::types::MetricAlarm;
use cutover::Finding;
use cutover::alarm::{Alarm, Dimension, MetricDataQuery};
use cutover::authority::AllowedAlarms;

/// A warning that shows both; an error where undo could not put back what is there.
pub(crate) fn judge(planned: &Alarm, live: &MetricAlarm, allowed: &AllowedAlarms, path: &str) -> Option<Finding> {
    let now = as_planned(live);
    if let Some(action) = allowed.denied(now.actions()) {
        let problem = format!(
            "exists with the action `{action}`, which the stack's role may not set: undo could not put it back"
        );
        return Some(Finding::environment(path, problem, "choose another name, or list the action in alarmActions"));
    }
    if now.actions().next().is_none() && !allowed.lets_do_nothing() {
        let problem = "exists without an action, and the stack's role may set none such: undo could not put it back";
        return Some(Finding::environment(path, problem, "choose another name"));
    }
    let (now, then) = (now.summary(), planned.summary());
    (now != then).then(|| {
        let problem = format!("exists, and is overwritten. It is: {now}. It becomes: {then}");
        Finding::warning(path, problem, "see that it is this application's own, or choose another name")
    })
}

/// As far as a summary needs it.
fn as_planned(live: &MetricAlarm) -> Alarm {
    let texts = |texts: &[String]| texts.to_vec();
    let dimension = |one: &aws_sdk_cloudwatch::types::Dimension| Dimension {
        name: one.name().unwrap_or_default().to_owned(),
        value: one.value().unwrap_or_default().to_owned(),
    };
    let query = |one: &aws_sdk_cloudwatch::types::MetricDataQuery| MetricDataQuery {
        id: one.id().unwrap_or_default().to_owned(),
        expression: one.expression().map(str::to_owned),
        ..MetricDataQuery::default()
    };
    Alarm {
        alarm_name: live.alarm_name().unwrap_or_default().to_owned(),
        actions_enabled: live.actions_enabled(),
        ok_actions: texts(live.ok_actions()),
        alarm_actions: texts(live.alarm_actions()),
        insufficient_data_actions: texts(live.insufficient_data_actions()),
        metric_name: live.metric_name().map(str::to_owned),
        namespace: live.namespace().map(str::to_owned),
        statistic: live.statistic().map(|statistic| statistic.as_str().to_owned()),
        extended_statistic: live.extended_statistic().map(str::to_owned),
        dimensions: live.dimensions().iter().map(dimension).collect(),
        period: live.period(),
        evaluation_periods: live.evaluation_periods().unwrap_or_default(),
        datapoints_to_alarm: live.datapoints_to_alarm(),
        threshold: live.threshold(),
        threshold_metric_id: live.threshold_metric_id().map(str::to_owned),
        comparison_operator: live.comparison_operator().map(|one| one.as_str().to_owned()).unwrap_or_default(),
        treat_missing_data: live.treat_missing_data().map(str::to_owned),
        metrics: live.metrics().iter().map(query).collect(),
        ..Alarm::default()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::types::{ComparisonOperator, Statistic};
    use cutover::Severity;
    use cutover::authority::Patterns;

    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:pages";
    const STOP: &str = "arn:aws:automate:eu-west-1:ec2:stop";

    fn live(actions: &[&str]) -> MetricAlarm {
        let alarm = MetricAlarm::builder().alarm_name("pay-errors").namespace("Pay").metric_name("Errors");
        let alarm = alarm.statistic(Statistic::Sum).period(60).evaluation_periods(3).threshold(5.0);
        let alarm = alarm.comparison_operator(ComparisonOperator::GreaterThanThreshold);
        alarm.set_alarm_actions(Some(actions.iter().map(|action| (*action).to_owned()).collect())).build()
    }

    fn judged(planned: &Alarm, live: &MetricAlarm, actions: &str) -> Option<Finding> {
        let list = |text: &str| Patterns::read(text).unwrap();
        let allowed = AllowedAlarms::new(list(r#"["*"]"#), list(actions), list("[]"));
        judge(planned, live, &allowed, "$.alarms[0].AlarmName")
    }

    #[test]
    fn overwriting_somebody_elses_alarm_is_a_warning_that_shows_both() {
        let planned = Alarm { threshold: Some(500.0), ..as_planned(&live(&[TOPIC])) };
        let found = judged(&planned, &live(&[TOPIC]), r#"["*"]"#).unwrap();
        assert_eq!(found.severity, Severity::Warning);
        for part in
            ["Pay Errors, Sum of 60 s", "GreaterThanThreshold 5 in 3 of 3", "GreaterThanThreshold 500 in", TOPIC]
        {
            assert!(found.problem.contains(part), "no {part} in {}", found.problem);
        }
        let silent = Alarm { alarm_actions: Vec::new(), ..as_planned(&live(&[TOPIC])) };
        assert!(judged(&silent, &live(&[TOPIC]), r#"["*"]"#).unwrap().problem.contains("tells nobody"));
        assert_eq!(judged(&as_planned(&live(&[TOPIC])), &live(&[TOPIC]), r#"["*"]"#), None, "it is as planned");
    }

    #[test]
    fn an_alarm_that_undo_could_not_put_back_is_not_overwritten() {
        let planned = as_planned(&live(&[TOPIC]));
        let listed = format!(r#"["{TOPIC}"]"#);
        let found = judged(&planned, &live(&[TOPIC, STOP]), &listed).unwrap();
        assert!(found.severity == Severity::Error && found.problem.contains(STOP), "{}", found.problem);
        assert_eq!(judged(&planned, &live(&[]), &listed).unwrap().severity, Severity::Error);
        assert_eq!(judged(&planned, &live(&[STOP]), r#"["*"]"#).unwrap().severity, Severity::Warning);
    }
}
