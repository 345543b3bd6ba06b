//! What CloudWatch says of alarms.

use std::collections::BTreeMap;

use access::Access;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::AlarmType;
use cutover::arn::{Place, alarm_name, by_place};
use cutover::{StepError, StepResult};

use crate::{Evaluation, Watched};

/// What CloudWatch says of an alarm: none, if there is no such alarm; or why nobody could ask.
pub type Seen = StepResult<Option<Watched>>;

/// Alarms by what the plan calls them: by name in the stack's own account and region, or by ARN wherever they are.
pub async fn alarms(own: &Client, access: &Access, called: &[String]) -> BTreeMap<String, Seen> {
    let mut seen = BTreeMap::new();
    for (place, called) in by_place(called.iter().map(String::as_str), |one| Place::of(one)) {
        let found = described(own, access, place, &called).await;
        seen.extend(called.into_iter().map(|one| {
            let of = |found: &BTreeMap<String, Watched>| found.get(alarm_name(one)).cloned();
            (one.to_owned(), found.as_ref().map(of).map_err(Clone::clone))
        }));
    }
    seen
}

async fn described(
    own: &Client,
    access: &Access,
    place: Option<Place<'_>>,
    called: &[&str],
) -> StepResult<BTreeMap<String, Watched>> {
    let names = called.iter().map(|one| alarm_name(one).to_owned()).collect();
    by_names(&access.client(own, place, Client::new).await?, names).await
}

/// Alarms of both types, by their names; at most 100 of them. Without naming the types, AWS answers metric alarms only, and
/// 50 of them a page (API reference of DescribeAlarms).
async fn by_names(cloudwatch: &Client, names: Vec<String>) -> StepResult<BTreeMap<String, Watched>> {
    let call = cloudwatch.describe_alarms().set_alarm_names(Some(names)).max_records(100);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_asked_for_where_they_are_all_of_a_place_at_once() {
        let arn = |region: &str, name: &str| format!("arn:aws:cloudwatch:{region}:222222222222:alarm:{name}");
        let called =
            ["a".to_owned(), arn("eu-west-1", "b"), "c".to_owned(), arn("us-east-1", "b"), arn("eu-west-1", "d")];
        let places = by_place(called.iter().map(String::as_str), |one| Place::of(one));
        let there = |region| Some(Place { region, account: "222222222222" });
        assert_eq!(
            places.iter().map(|(place, _)| *place).collect::<Vec<_>>(),
            [None, there("eu-west-1"), there("us-east-1")]
        );
        assert_eq!(places[0].1, ["a", "c"]);
        assert_eq!(places[1].1.iter().map(|one| alarm_name(one)).collect::<Vec<_>>(), ["b", "d"]);
    }
}
