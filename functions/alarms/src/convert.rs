//! Between CloudWatch's alarms and the plan's. Pure.

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmInputBuilder;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension as LiveDimension, EvaluationWindow, Metric as LiveMetric, MetricAlarm,
    MetricDataQuery as LiveQuery, MetricStat as LiveStat, StandardUnit, Statistic, Tag as LiveTag,
};
use cutover::alarm::{Alarm, Dimension, Metric, MetricDataQuery, MetricStat};

/// An alarm as CloudWatch describes it. `None`: it has settings that the plan's form does not hold (a PromQL query, a wall
/// clock window, a warm-up, settings of its actions), so that setting and putting back would lose them.
pub fn from_live(live: &MetricAlarm) -> Option<Alarm> {
    let window_fits = live.evaluation_window().is_none_or(EvaluationWindow::is_sliding_window);
    let is_on_metrics = !live.metrics().is_empty();
    let is_on_one_metric = live.metric_name().is_some() && live.namespace().is_some() && live.period.is_some();
    let has_a_number = live.threshold_metric_id().is_none() && live.threshold.is_some();
    let is_plain = (is_on_metrics || (is_on_one_metric && has_a_number))
        && live.evaluation_criteria().is_none()
        && live.warm_up_configuration().is_none()
        && live.action_configuration().is_none();
    if !is_plain || !window_fits {
        return None;
    }
    Some(Alarm {
        alarm_name: live.alarm_name()?.to_owned(),
        // Where it is, whoever described it knows.
        alarm_arn: None,
        alarm_description: live.alarm_description.clone(),
        actions_enabled: live.actions_enabled,
        ok_actions: live.ok_actions().to_vec(),
        alarm_actions: live.alarm_actions().to_vec(),
        insufficient_data_actions: live.insufficient_data_actions().to_vec(),
        metric_name: live.metric_name.clone(),
        namespace: live.namespace.clone(),
        statistic: live.statistic().map(|statistic| statistic.as_str().to_owned()),
        extended_statistic: live.extended_statistic.clone(),
        dimensions: live.dimensions().iter().map(dimension).collect::<Option<_>>()?,
        period: live.period,
        unit: live.unit().map(|unit| unit.as_str().to_owned()),
        evaluation_periods: live.evaluation_periods?,
        datapoints_to_alarm: live.datapoints_to_alarm,
        threshold: live.threshold,
        threshold_metric_id: live.threshold_metric_id.clone(),
        comparison_operator: live.comparison_operator()?.as_str().to_owned(),
        treat_missing_data: live.treat_missing_data.clone(),
        evaluate_low_sample_count_percentile: live.evaluate_low_sample_count_percentile.clone(),
        metrics: live.metrics().iter().map(query).collect::<Option<_>>()?,
        // Not described, and never changed on an alarm that exists.
        tags: Vec::new(),
    })
}

fn query(live: &LiveQuery) -> Option<MetricDataQuery> {
    let stat = |live: &LiveStat| {
        let metric = live.metric()?;
        let metric = Metric {
            namespace: metric.namespace()?.to_owned(),
            metric_name: metric.metric_name()?.to_owned(),
            dimensions: metric.dimensions().iter().map(dimension).collect::<Option<_>>()?,
        };
        let unit = live.unit().map(|unit| unit.as_str().to_owned());
        Some(MetricStat { metric, period: live.period?, stat: live.stat()?.to_owned(), unit })
    };
    Some(MetricDataQuery {
        id: live.id()?.to_owned(),
        metric_stat: match live.metric_stat() {
            Some(live) => Some(stat(live)?),
            None => None,
        },
        expression: live.expression.clone(),
        label: live.label.clone(),
        return_data: live.return_data,
        period: live.period,
        account_id: live.account_id.clone(),
    })
}

fn dimension(live: &LiveDimension) -> Option<Dimension> {
    Some(Dimension { name: live.name()?.to_owned(), value: live.value()?.to_owned() })
}

/// The input of PutMetricAlarm that makes the alarm exactly this.
pub fn to_input(alarm: &Alarm) -> PutMetricAlarmInputBuilder {
    // An empty list is refused (API reference of PutMetricAlarm: at least one item).
    let metrics: Vec<LiveQuery> = alarm.metrics.iter().map(live_query).collect();
    let tag = |tag: &cutover::alarm::Tag| LiveTag::builder().key(&tag.key).value(&tag.value).build();
    let tags: Vec<LiveTag> = alarm.tags.iter().map(tag).collect();
    PutMetricAlarmInputBuilder::default()
        .alarm_name(&alarm.alarm_name)
        .set_alarm_description(alarm.alarm_description.clone())
        .set_actions_enabled(alarm.actions_enabled)
        .set_ok_actions(Some(alarm.ok_actions.clone()))
        .set_alarm_actions(Some(alarm.alarm_actions.clone()))
        .set_insufficient_data_actions(Some(alarm.insufficient_data_actions.clone()))
        .set_metric_name(alarm.metric_name.clone())
        .set_namespace(alarm.namespace.clone())
        .set_statistic(alarm.statistic.as_deref().map(Statistic::from))
        .set_extended_statistic(alarm.extended_statistic.clone())
        .set_dimensions(Some(alarm.dimensions.iter().map(live_dimension).collect()))
        .set_period(alarm.period)
        .set_unit(alarm.unit.as_deref().map(StandardUnit::from))
        .evaluation_periods(alarm.evaluation_periods)
        .set_datapoints_to_alarm(alarm.datapoints_to_alarm)
        .set_threshold(alarm.threshold)
        .set_threshold_metric_id(alarm.threshold_metric_id.clone())
        .comparison_operator(ComparisonOperator::from(alarm.comparison_operator.as_str()))
        .set_treat_missing_data(alarm.treat_missing_data.clone())
        .set_evaluate_low_sample_count_percentile(alarm.evaluate_low_sample_count_percentile.clone())
        .set_metrics(Some(metrics).filter(|metrics| !metrics.is_empty()))
        .set_tags(Some(tags).filter(|tags| !tags.is_empty()))
}

fn live_dimension(one: &Dimension) -> LiveDimension {
    LiveDimension::builder().name(&one.name).value(&one.value).build()
}

fn live_query(query: &MetricDataQuery) -> LiveQuery {
    let stat = |stat: &MetricStat| {
        let metric = LiveMetric::builder()
            .namespace(&stat.metric.namespace)
            .metric_name(&stat.metric.metric_name)
            .set_dimensions(Some(stat.metric.dimensions.iter().map(live_dimension).collect()))
            .build();
        let unit = stat.unit.as_deref().map(StandardUnit::from);
        LiveStat::builder().metric(metric).period(stat.period).stat(&stat.stat).set_unit(unit).build()
    };
    LiveQuery::builder()
        .id(&query.id)
        .set_metric_stat(query.metric_stat.as_ref().map(stat))
        .set_expression(query.expression.clone())
        .set_label(query.label.clone())
        .set_return_data(query.return_data)
        .set_period(query.period)
        .set_account_id(query.account_id.clone())
        .build()
}

/// Whether two alarms are the same to CloudWatch: what is left out has its default, and the order of lists is nothing.
pub fn is_like(one: &Alarm, other: &Alarm) -> bool {
    normalised(one) == normalised(other)
}

/// The defaults are those of PutMetricAlarm's API reference.
fn normalised(alarm: &Alarm) -> Alarm {
    let mut alarm = alarm.clone();
    alarm.alarm_description = alarm.alarm_description.filter(|text| !text.is_empty());
    alarm.actions_enabled.get_or_insert(true);
    alarm.datapoints_to_alarm.get_or_insert(alarm.evaluation_periods);
    alarm.treat_missing_data.get_or_insert_with(|| "missing".to_owned());
    alarm.evaluate_low_sample_count_percentile.get_or_insert_with(|| "evaluate".to_owned());
    alarm.ok_actions.sort();
    alarm.alarm_actions.sort();
    alarm.insufficient_data_actions.sort();
    let by_name = |one: &Dimension, other: &Dimension| one.name.cmp(&other.name);
    alarm.dimensions.sort_by(by_name);
    for query in &mut alarm.metrics {
        query.return_data.get_or_insert(true);
        if let Some(stat) = &mut query.metric_stat {
            stat.metric.dimensions.sort_by(by_name);
        }
    }
    alarm.metrics.sort_by(|one, other| one.id.cmp(&other.id));
    // That says where it is, and not how.
    alarm.alarm_arn = None;
    // CloudWatch describes none, and leaves those of an alarm that exists as they are.
    alarm.tags.clear();
    alarm
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_sdk_cloudwatch::types::{SlidingWindow, WallClockWindow, WarmUpConfiguration};

    use super::*;

    /// An alarm with every field set.
    pub(crate) fn full() -> Alarm {
        let text = |text: &str| Some(text.to_owned());
        let list = |text: &str| vec![format!("arn:{text}:2"), format!("arn:{text}:1")];
        let dimension = |name: &str| Dimension { name: name.to_owned(), value: format!("{name} value") };
        Alarm {
            alarm_name: "shop-5xx".to_owned(),
            alarm_arn: None,
            alarm_description: text("5xx of the shop"),
            actions_enabled: Some(false),
            ok_actions: list("ok"),
            alarm_actions: list("alarm"),
            insufficient_data_actions: list("data"),
            metric_name: text("HTTPCode_Target_5XX_Count"),
            namespace: text("AWS/ApplicationELB"),
            statistic: text("Sum"),
            extended_statistic: None,
            dimensions: vec![dimension("TargetGroup"), dimension("LoadBalancer")],
            period: Some(60),
            unit: text("Count/Second"),
            evaluation_periods: 3,
            datapoints_to_alarm: Some(2),
            threshold: Some(0.5),
            threshold_metric_id: None,
            comparison_operator: "GreaterThanOrEqualToThreshold".to_owned(),
            treat_missing_data: text("notBreaching"),
            evaluate_low_sample_count_percentile: text("ignore"),
            metrics: vec![],
            tags: vec![],
        }
    }

    /// An alarm on an anomaly band over a rate.
    pub(crate) fn on_math() -> Alarm {
        let metric = |id: &str, name: &str| MetricDataQuery {
            id: id.to_owned(),
            metric_stat: Some(MetricStat {
                metric: Metric {
                    namespace: "AWS/ApplicationELB".to_owned(),
                    metric_name: name.to_owned(),
                    dimensions: vec![Dimension { name: "LoadBalancer".to_owned(), value: "app/shop/1".to_owned() }],
                },
                period: 60,
                stat: "Sum".to_owned(),
                unit: Some("Count".to_owned()),
            }),
            return_data: Some(false),
            ..MetricDataQuery::default()
        };
        let expression = |id: &str, text: &str| MetricDataQuery {
            id: id.to_owned(),
            expression: Some(text.to_owned()),
            label: Some("rate".to_owned()),
            return_data: Some(true),
            ..MetricDataQuery::default()
        };
        Alarm {
            alarm_name: "shop-rate".to_owned(),
            evaluation_periods: 3,
            comparison_operator: "GreaterThanUpperThreshold".to_owned(),
            threshold_metric_id: Some("band".to_owned()),
            metrics: vec![
                metric("errors", "HTTPCode_Target_5XX_Count"),
                metric("all", "RequestCount"),
                expression("rate", "errors / all"),
                expression("band", "ANOMALY_DETECTION_BAND(rate, 2)"),
            ],
            ..Alarm::default()
        }
    }

    /// What CloudWatch describes after it was given this input.
    pub(crate) fn live(alarm: &Alarm) -> MetricAlarm {
        let input = to_input(alarm).build().unwrap();
        MetricAlarm::builder()
            .set_alarm_name(input.alarm_name)
            .set_alarm_description(input.alarm_description)
            .set_actions_enabled(input.actions_enabled)
            .set_ok_actions(input.ok_actions)
            .set_alarm_actions(input.alarm_actions)
            .set_insufficient_data_actions(input.insufficient_data_actions)
            .set_metric_name(input.metric_name)
            .set_namespace(input.namespace)
            .set_statistic(input.statistic)
            .set_extended_statistic(input.extended_statistic)
            .set_dimensions(input.dimensions)
            .set_period(input.period)
            .set_unit(input.unit)
            .set_evaluation_periods(input.evaluation_periods)
            .set_datapoints_to_alarm(input.datapoints_to_alarm)
            .set_threshold(input.threshold)
            .set_comparison_operator(input.comparison_operator)
            .set_treat_missing_data(input.treat_missing_data)
            .set_evaluate_low_sample_count_percentile(input.evaluate_low_sample_count_percentile)
            .set_metrics(input.metrics)
            .set_threshold_metric_id(input.threshold_metric_id)
            .build()
    }

    /// The least that PutMetricAlarm takes.
    pub(crate) fn plain() -> Alarm {
        Alarm {
            alarm_name: "shop-latency".to_owned(),
            metric_name: Some("TargetResponseTime".to_owned()),
            namespace: Some("AWS/ApplicationELB".to_owned()),
            extended_statistic: Some("p99".to_owned()),
            period: Some(60),
            evaluation_periods: 2,
            threshold: Some(0.0),
            comparison_operator: "GreaterThanThreshold".to_owned(),
            ..Alarm::default()
        }
    }

    #[test]
    fn nothing_is_lost_on_the_way_to_cloudwatch_and_back() {
        for alarm in [full(), plain(), on_math()] {
            assert_eq!(from_live(&live(&alarm)), Some(alarm));
        }
    }

    #[test]
    fn an_alarm_that_could_not_be_put_back_is_not_read() {
        let base = live(&full());
        let with = |change: &dyn Fn(&mut MetricAlarm)| {
            let mut alarm = base.clone();
            change(&mut alarm);
            from_live(&alarm)
        };
        let wall_clock = EvaluationWindow::WallClockWindow(WallClockWindow::builder().build());
        let sliding = EvaluationWindow::SlidingWindow(SlidingWindow::builder().build());
        let warm_up = WarmUpConfiguration::builder().build();
        assert_eq!(with(&|alarm| alarm.metrics = Some(vec![LiveQuery::builder().build()])), None);
        assert_eq!(with(&|alarm| alarm.metric_name = None), None);
        assert_eq!(with(&|alarm| alarm.threshold_metric_id = Some("band".to_owned())), None);
        assert_eq!(with(&|alarm| alarm.evaluation_window = Some(wall_clock.clone())), None);
        assert_eq!(with(&|alarm| alarm.warm_up_configuration = Some(warm_up.clone())), None);
        assert_eq!(with(&|alarm| alarm.evaluation_window = Some(sliding.clone())), Some(full()));
    }

    #[test]
    fn defaults_and_order_make_no_difference_and_everything_else_does() {
        let filled = Alarm {
            alarm_description: Some(String::new()),
            actions_enabled: Some(true),
            datapoints_to_alarm: Some(2),
            treat_missing_data: Some("missing".to_owned()),
            evaluate_low_sample_count_percentile: Some("evaluate".to_owned()),
            ..plain()
        };
        assert!(is_like(&plain(), &filled));
        let mut turned = full();
        turned.dimensions.reverse();
        turned.alarm_actions.reverse();
        assert!(is_like(&full(), &turned));
        assert!(!is_like(&full(), &Alarm { threshold: Some(0.6), ..full() }));
        assert!(!is_like(&full(), &Alarm { unit: None, ..full() }));
        assert!(!is_like(&full(), &Alarm { alarm_actions: vec![], ..full() }));
        let tag = cutover::alarm::Tag { key: "team".to_owned(), value: "shop".to_owned() };
        assert!(is_like(&full(), &Alarm { tags: vec![tag], ..full() }));
        let mut turned = on_math();
        turned.metrics.reverse();
        turned.metrics[0].return_data = None;
        assert!(is_like(&on_math(), &turned));
        turned.metrics[0].expression = Some("all".to_owned());
        assert!(!is_like(&on_math(), &turned));
    }
}
