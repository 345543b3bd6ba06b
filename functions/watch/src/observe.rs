//! What CloudWatch says of alarms.

use std::collections::BTreeMap;

use access::Access;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, CompositeAlarm, MetricAlarm};
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
        found.extend(page.metric_alarms().iter().filter_map(of_metric));
        found.extend(page.composite_alarms().iter().filter_map(of_composite));
    }
    Ok(found)
}

fn of_metric(alarm: &MetricAlarm) -> Option<(String, Watched)> {
    let watched = Watched {
        state: alarm.state_value()?.as_str().to_owned(),
        reason: alarm.state_reason().unwrap_or_default().to_owned(),
        rings_without_data: alarm.treat_missing_data() == Some("breaching"),
        evaluation: Evaluation::of(alarm),
    };
    Some((alarm.alarm_name()?.to_owned(), watched))
}

fn of_composite(alarm: &CompositeAlarm) -> Option<(String, Watched)> {
    let watched = Watched {
        state: alarm.state_value()?.as_str().to_owned(),
        reason: alarm.state_reason().unwrap_or_default().to_owned(),
        ..Watched::default()
    };
    Some((alarm.alarm_name()?.to_owned(), watched))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudwatch::types::StateValue;

    #[test]
    fn an_alarm_says_its_state_why_and_whether_it_rings_without_data() {
        let alarm = |treats: &str| {
            let alarm = MetricAlarm::builder().alarm_name("a").state_value(StateValue::Alarm).state_reason("no data");
            of_metric(&alarm.treat_missing_data(treats).build()).unwrap().1
        };
        assert_eq!((alarm("breaching").state.as_str(), alarm("breaching").reason.as_str()), ("ALARM", "no data"));
        assert!(alarm("breaching").rings_without_data && !alarm("missing").rings_without_data);
        let composite = CompositeAlarm::builder().alarm_name("c").state_value(StateValue::Ok).build();
        assert_eq!(of_composite(&composite).unwrap().1.state, "OK");
    }

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
