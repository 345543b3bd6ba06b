//! What CloudWatch says of alarms.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::AlarmType;
use cutover::{StepError, StepResult};

use crate::{Evaluation, Watched};

/// Alarms of both types, by their names; at most 100 of them. Without naming the types, AWS answers metric alarms only, and
/// 50 of them a page (API reference of DescribeAlarms).
///
/// # Errors
/// AWS errors.
pub async fn alarms(cloudwatch: &Client, names: &[String]) -> StepResult<BTreeMap<String, Watched>> {
    let call = cloudwatch.describe_alarms().set_alarm_names(Some(names.to_vec())).max_records(100);
    let call = call.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
    let mut pages = call.into_paginator().send();
    let mut found = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| StepError::from_aws("cloudwatch:DescribeAlarms", &error))?;
        let metric = page.metric_alarms().iter();
        let metric = metric.map(|alarm| (alarm.alarm_name(), alarm.state_value(), Evaluation::of(alarm)));
        let composite = page.composite_alarms().iter();
        let composite = composite.map(|alarm| (alarm.alarm_name(), alarm.state_value(), Evaluation::default()));
        for (name, state, evaluation) in metric.chain(composite) {
            if let (Some(name), Some(state)) = (name, state) {
                found.insert(name.to_owned(), Watched { state: state.as_str().to_owned(), evaluation });
            }
        }
    }
    Ok(found)
}
