//! What precheck looks at besides routes and databases: alarms, watched target groups, a load test's secret, the topic.

use std::collections::HashMap;

use aws_sdk_cloudwatch::types::{AlarmType, CompositeAlarm, Dimension, MetricAlarm, MetricDataQuery};
use aws_sdk_elasticloadbalancingv2::Client as Elb;
use cutover::arn::Place;
use cutover::budget::{check_alarm, json_bytes};
use cutover::finding::{soften, soften_to};
use cutover::{Finding, Plan, StepError, StepResult};

use crate::{Clients, alarms, load_test, overwritten};

/// Observes everything that is no route and no database.
pub(crate) async fn observe(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) -> StepResult<()> {
    watched_alarms(&clients.cloudwatch, plan, findings).await?;
    alarms_to_set(clients, plan, findings).await?;
    for (index, group) in plan.monitoring.target_groups.iter().enumerate() {
        let path = format!("$.monitoring.target_groups[{index}].target_group_arn");
        let arn = &group.target_group_arn;
        let Some(there) = soften(clients.routes.settings(Place::of(arn)).await, &path, findings)? else { continue };
        let elb = there.map_or_else(|| clients.routes.elb.clone(), |there| Elb::new(&there));
        let health = routes::listener::observe::health(&elb, arn).await;
        soften_to(health, &path, "name a target group that exists", findings)?;
    }
    load_test::observe(clients, plan, findings).await?;
    let notify = plan.notify.iter().map(|notify| ("$.notify.topic_arn", &notify.topic_arn));
    let approval = plan.approval.iter().map(|approval| ("$.approval.topic_arn", &approval.topic_arn));
    // One that is not listed is told of as such, and not asked for.
    for (path, topic) in notify.chain(approval).filter(|(path, topic)| clients.topics.check(path, topic).is_ok()) {
        let answer = clients.sns.get_topic_attributes().topic_arn(topic).send().await;
        let answer = answer.map_err(|error| StepError::from_aws("sns:GetTopicAttributes", &error));
        let attributes =
            soften_to(answer, path, "name a topic that exists", findings)?.and_then(|answer| answer.attributes);
        findings.extend(attributes.iter().flat_map(|attributes| reaches_somebody(attributes, path)));
    }
    if plan.notify.is_none() {
        let problem = "is missing: nobody is told of anything, not even of a run that is stuck";
        findings.push(Finding::warning("$.notify", problem, "name an SNS topic that somebody reads"));
    }
    Ok(())
}

/// Whether a topic takes what is published, and passes it on: pure.
fn reaches_somebody(attributes: &HashMap<String, String>, path: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if attributes.get("SubscriptionsConfirmed").is_some_and(|count| count == "0") {
        let problem = "has no confirmed subscription: what is published there reaches nobody";
        findings.push(Finding::warning(path, problem, "subscribe to the topic, and confirm it"));
    }
    // The role of the function that publishes needs to use a key of the customer's own.
    let key = attributes.get("KmsMasterKeyId").filter(|key| !key.is_empty() && !key.ends_with("alias/aws/sns"));
    if let Some(key) = key {
        let problem = format!("is encrypted with the key {key}");
        findings.push(Finding::warning(path, problem, "the stack must list the key in topicKeyArns"));
    }
    findings
}

/// Alarms of both types, by their names.
#[derive(Debug, Default)]
struct Alarms {
    metric: Vec<MetricAlarm>,
    composite: Vec<CompositeAlarm>,
}

/// Looks up at most 100 alarms of both types: without naming the types, AWS answers metric alarms only, and 50 of them a
/// page (API reference of DescribeAlarms).
async fn describe_alarms(cloudwatch: &aws_sdk_cloudwatch::Client, names: Vec<String>) -> StepResult<Alarms> {
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
async fn watched_alarms(
    cloudwatch: &aws_sdk_cloudwatch::Client,
    plan: &Plan,
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    let names = &plan.monitoring.alarms;
    if names.is_empty() {
        return Ok(());
    }
    let found = watch::observe::alarms(cloudwatch, names).await;
    let Some(found) = soften(found, "$.monitoring.alarms", findings)? else { return Ok(()) };
    for (index, name) in names.iter().enumerate() {
        findings.extend(alarms::judge(plan, index, found.get(name)));
    }
    Ok(())
}

/// Alarms that will be set do not overwrite what could not be put back.
async fn alarms_to_set(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) -> StepResult<()> {
    if plan.alarms.is_empty() {
        return Ok(());
    }
    let names = plan.alarms.iter().map(|alarm| alarm.alarm_name.clone()).collect();
    let Some(there) = soften(describe_alarms(&clients.cloudwatch, names).await, "$.alarms", findings)? else {
        return Ok(());
    };
    for (index, alarm) in plan.alarms.iter().enumerate() {
        let path = format!("$.alarms[{index}].AlarmName");
        let is_it = |name: Option<&str>| name == Some(&alarm.alarm_name);
        let now = there.metric.iter().find(|alarm| is_it(alarm.alarm_name()));
        findings.extend(now.and_then(|now| check_alarm(index, settings_bytes(now))));
        findings.extend(now.and_then(|now| overwritten::judge(alarm, now, &clients.alarms, &path)));
        let by_query =
            there.metric.iter().any(|alarm| is_it(alarm.alarm_name()) && alarm.evaluation_criteria().is_some());
        if by_query || there.composite.iter().any(|alarm| is_it(alarm.alarm_name())) {
            let problem = "exists, and is a composite alarm or one on a query, which undo could not restore";
            findings.push(Finding::environment(path, problem, "choose another name"));
        }
    }
    Ok(())
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

    #[test]
    fn a_topic_that_reaches_nobody_is_a_warning() {
        let found = |confirmed: &str, key: Option<&str>| {
            let count = [("SubscriptionsConfirmed", Some(confirmed)), ("KmsMasterKeyId", key)];
            let attributes = count.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
            let findings = reaches_somebody(&attributes.collect(), "$.notify.topic_arn");
            findings.into_iter().map(|finding| finding.fix).collect::<Vec<_>>()
        };
        assert_eq!(found("1", None), [""; 0]);
        assert_eq!(found("12", Some("alias/aws/sns")), [""; 0]);
        assert_eq!(found("0", None), ["subscribe to the topic, and confirm it"]);
        assert_eq!(found("10", Some("alias/ours")), ["the stack must list the key in topicKeyArns"]);
    }
}
