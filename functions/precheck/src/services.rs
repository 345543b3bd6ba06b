//! What precheck looks at besides routes and databases: alarms, watched target groups, a load test's secret; topics and hooks are in
//! [`refusing`], those of groups of people in [`hearers`], webhooks in [`webhooks`].

use aws_sdk_cloudwatch::Client as CloudWatch;
use aws_sdk_cloudwatch::types::{AlarmType, CompositeAlarm, Dimension, MetricAlarm, MetricDataQuery};
use aws_sdk_elasticloadbalancingv2::Client as Elb;
use cutover::alarm::Alarm;
use cutover::arn::{Place, by_place};
use cutover::budget::{check_alarm, json_bytes};
use cutover::finding::{soften, soften_to};
use cutover::{Finding, Plan, StepError, StepResult, doubts};

use crate::elsewhere::reached;
use crate::{Clients, alarms, hearers, load_test, overwritten, refusing, webhooks};

/// Observes everything that is no route and no database; and tells what the plan itself leaves in doubt.
pub(crate) async fn observe(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) -> StepResult<()> {
    watched_alarms(clients, plan, findings).await?;
    alarms_to_set(clients, plan, findings).await?;
    for (index, group) in plan.monitoring.target_groups.iter().enumerate() {
        let path = format!("$.monitoring.target_groups[{index}].target_group_arn");
        let arn = &group.target_group_arn;
        let elb = clients.routes.access().client(&clients.routes.elb, Place::of(arn), Elb::new).await;
        let Some(elb) = soften(elb, &path, findings)? else { continue };
        let health = routes::listener::observe::health(&elb, arn).await;
        soften_to(health, &path, "name a target group that exists", findings)?;
    }
    load_test::observe(clients, plan, findings).await?;
    webhooks::observe(clients, plan, findings).await;
    hearers::observe(clients, plan, findings).await;
    refusing::topics(clients, plan, findings).await?;
    refusing::hooks(clients, plan, findings).await?;
    findings.extend(doubts::findings(plan));
    Ok(())
}

/// Alarms of both types, by their names.
#[derive(Debug, Default)]
struct Alarms {
    metric: Vec<MetricAlarm>,
    composite: Vec<CompositeAlarm>,
}

/// Looks up at most 100 alarms of both types: without naming the types, AWS answers metric alarms only, and 50 of them a
/// page (API reference of DescribeAlarms).
async fn describe_alarms(cloudwatch: &CloudWatch, names: Vec<String>) -> StepResult<Alarms> {
    let call = cloudwatch.describe_alarms().set_alarm_names(Some(names)).max_records(100);
    let call = call.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
    let mut pages = call.into_paginator().send();
    let mut alarms = Alarms::default();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| StepError::from_aws("cloudwatch:DescribeAlarms", &error))?;
        alarms.metric.extend(page.metric_alarms.unwrap_or_default());
        alarms.composite.extend(page.composite_alarms.unwrap_or_default());
    }
    Ok(alarms)
}

/// Alarms that are watched exist, are not ringing before anything has moved, and have the time to see each step.
async fn watched_alarms(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) -> StepResult<()> {
    let names = &plan.monitoring.alarms;
    let mut seen = watch::observe::alarms(&clients.cloudwatch, clients.routes.access(), names).await;
    for (index, name) in names.iter().enumerate() {
        let Some(alarm) = seen.remove(name) else { continue };
        if let Some(alarm) = soften(alarm, &format!("$.monitoring.alarms[{index}]"), findings)? {
            findings.extend(alarms::judge(plan, index, alarm.as_ref()));
        }
    }
    Ok(())
}

/// Alarms that will be set do not overwrite what could not be put back.
async fn alarms_to_set(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) -> StepResult<()> {
    for (place, of_place) in by_place(plan.alarms.iter().enumerate(), |(_, alarm)| alarm.place()) {
        let path = place.and(of_place.first()).map_or("$.alarms".to_owned(), |(first, _)| format!("$.alarms[{first}]"));
        let cloudwatch = clients.routes.access().client(&clients.cloudwatch, place, CloudWatch::new).await;
        let Some(cloudwatch) = reached(cloudwatch, &path, findings)? else { continue };
        let names = of_place.iter().map(|(_, alarm)| alarm.alarm_name.clone()).collect();
        if let Some(there) = soften(describe_alarms(&cloudwatch, names).await, &path, findings)? {
            findings.extend(of_place.into_iter().flat_map(|(index, alarm)| to_set(clients, index, alarm, &there)));
        }
    }
    Ok(())
}

/// What does not fit about one that will be set: pure.
fn to_set(clients: &Clients, index: usize, alarm: &Alarm, there: &Alarms) -> Vec<Finding> {
    let path = format!("$.alarms[{index}].AlarmName");
    let is_it = |name: Option<&str>| name == Some(&alarm.alarm_name);
    let now = there.metric.iter().find(|alarm| is_it(alarm.alarm_name()));
    let mut findings: Vec<Finding> = now.and_then(|now| check_alarm(index, settings_bytes(now))).into_iter().collect();
    findings.extend(now.and_then(|now| overwritten::judge(alarm, now, &clients.alarms, &path)));
    let by_query = now.is_some_and(|now| now.evaluation_criteria().is_some());
    if by_query || there.composite.iter().any(|alarm| is_it(alarm.alarm_name())) {
        let problem = "exists, and is a composite alarm or one on a query, which undo could not restore";
        findings.push(Finding::environment(path, problem, "choose another name"));
    }
    findings
}

/// About as many bytes as an alarm has when a run remembers it, rather more than less: pure.
fn settings_bytes(alarm: &MetricAlarm) -> usize {
    /// The name of a field, with what JSON puts around it and its value.
    const FIELD_BYTES: usize = 32;
    let text = |text: Option<&str>| text.map_or(0, |text| json_bytes(&text) + FIELD_BYTES);
    let dimensions = |dimensions: &[Dimension]| -> usize {
        dimensions.iter().map(|one| text(one.name()) + text(one.value())).sum::<usize>()
    };
    let metric = |query: &MetricDataQuery| {
        let metric = query.metric_stat().and_then(|stat| stat.metric());
        let of_metric = metric.map_or(0, |metric| {
            text(metric.namespace()) + text(metric.metric_name()) + dimensions(metric.dimensions()) + 4 * FIELD_BYTES
        });
        text(query.id()) + text(query.expression()) + text(query.label()) + of_metric + 4 * FIELD_BYTES
    };
    let actions = [alarm.ok_actions(), alarm.alarm_actions(), alarm.insufficient_data_actions()];
    text(alarm.alarm_name())
        + text(alarm.alarm_description())
        + text(alarm.namespace())
        + text(alarm.metric_name())
        + actions.into_iter().flatten().map(|action| text(Some(action))).sum::<usize>()
        + dimensions(alarm.dimensions())
        + alarm.metrics().iter().map(metric).sum::<usize>()
        + 16 * FIELD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_that_could_not_be_remembered_is_told_from_a_large_one() {
        let with = |metrics: usize, bytes: usize| {
            let query = |n: usize| MetricDataQuery::builder().id(format!("m{n}")).expression("x".repeat(bytes)).build();
            let alarm = MetricAlarm::builder().alarm_name("a").set_metrics(Some((0..metrics).map(query).collect()));
            check_alarm(0, settings_bytes(&alarm.build())).is_some()
        };
        assert!(!with(20, 2_000), "twenty metrics with long expressions can be remembered");
        assert!(with(40, 2_000) && with(1, 70_000));
    }
}
