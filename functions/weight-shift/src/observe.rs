//! What is there: the record sets of a name, and their form in Route 53's API.

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{AliasTarget as AwsAlias, ResourceRecord, ResourceRecordSet, RrType};
use cutover::error::name;
use cutover::plan::DnsRoute;
use cutover::record::{AliasTarget, NameState, RecordSet, normalise_name};
use cutover::{StepError, StepResult};

/// All record sets of the plan's types at the route's name, every set identifier.
///
/// ListResourceRecordSets starts at a name and goes on in its own order, 300 at most a page; a page that has gone past
/// the name ends the search (Route 53 API reference).
///
/// # Errors
/// AWS errors; `Cutover.Drift` for a routing policy that cannot be moved by weights.
pub async fn name(route53: &Client, route: &DnsRoute) -> StepResult<NameState> {
    let wanted = route.normalised_name();
    let of_plan = |kind: &str| route.records.iter().any(|record| record.record_type.as_str() == kind);
    let records = all_of_name(route53, route, &wanted).await?;
    let records = records.iter().filter(|record| of_plan(record.r#type.as_str())).map(from_aws);
    Ok(NameState::new(records.collect::<StepResult<_>>()?))
}

/// Every record set at the route's name, of all types.
///
/// # Errors
/// AWS errors.
pub async fn all_of_name(route53: &Client, route: &DnsRoute, wanted: &str) -> StepResult<Vec<ResourceRecordSet>> {
    let call = format!("route53:ListResourceRecordSets {}", route.hosted_zone_id);
    let mut found = Vec::new();
    let mut start = (wanted.to_owned(), None, None);
    loop {
        let (start_name, start_type, start_identifier) = start;
        let answer = route53
            .list_resource_record_sets()
            .hosted_zone_id(&route.hosted_zone_id)
            .start_record_name(start_name)
            .set_start_record_type(start_type)
            .set_start_record_identifier(start_identifier)
            .send()
            .await
            .map_err(|error| StepError::from_aws(&call, &error))?;
        let is_past = answer.resource_record_sets.iter().any(|record| record.name.to_ascii_lowercase() != wanted);
        found.extend(
            answer.resource_record_sets.into_iter().filter(|record| record.name.to_ascii_lowercase() == wanted),
        );
        match answer.next_record_name {
            Some(next) if answer.is_truncated && !is_past => {
                start = (next, answer.next_record_type, answer.next_record_identifier);
            }
            _ => return Ok(found),
        }
    }
}

/// The name of a routing policy that is not by weight, where a record set has one.
pub fn other_policy(record: &ResourceRecordSet) -> Option<&'static str> {
    let policies = [
        (record.region.is_some(), "latency"),
        (record.geo_location.is_some(), "geolocation"),
        (record.geo_proximity_location.is_some(), "geoproximity"),
        (record.failover.is_some(), "failover"),
        (record.multi_value_answer.is_some(), "multivalue answer"),
        (record.cidr_routing_config.is_some(), "IP-based"),
        (record.traffic_policy_instance_id.is_some(), "traffic policy"),
    ];
    policies.into_iter().find_map(|(has, name)| has.then_some(name))
}

fn from_aws(record: &ResourceRecordSet) -> StepResult<RecordSet> {
    if let Some(policy) = other_policy(record) {
        let problem = format!("{} {} has a {policy} routing policy", record.name, record.r#type.as_str());
        return Err(StepError::new(name::DRIFT, problem));
    }
    Ok(RecordSet {
        record_type: record.r#type.as_str().to_owned(),
        set_identifier: record.set_identifier.clone(),
        weight: record.weight,
        ttl: record.ttl,
        values: record.resource_records().iter().map(|value| value.value.clone()).collect(),
        alias: record.alias_target.as_ref().map(|alias| AliasTarget {
            dns_name: normalise_name(&alias.dns_name),
            hosted_zone_id: alias.hosted_zone_id.clone(),
            evaluate_target_health: alias.evaluate_target_health,
        }),
        health_check_id: record.health_check_id.clone(),
    })
}

/// A record set as the API takes it.
///
/// # Errors
/// A required field that is missing: a record set that was never observed nor planned.
pub fn to_aws(name: &str, record: &RecordSet) -> StepResult<ResourceRecordSet> {
    let invalid = |error: aws_sdk_route53::error::BuildError| StepError::invalid(error.to_string());
    let values = record.values.iter().map(|value| ResourceRecord::builder().value(value).build().map_err(invalid));
    let values: Vec<ResourceRecord> = values.collect::<StepResult<_>>()?;
    let alias = record.alias.as_ref().map(|alias| {
        AwsAlias::builder()
            .dns_name(&alias.dns_name)
            .hosted_zone_id(&alias.hosted_zone_id)
            .evaluate_target_health(alias.evaluate_target_health)
            .build()
            .map_err(invalid)
    });
    ResourceRecordSet::builder()
        .name(name)
        .r#type(RrType::from(record.record_type.as_str()))
        .set_set_identifier(record.set_identifier.clone())
        .set_weight(record.weight)
        .set_ttl(record.ttl)
        .set_resource_records((!values.is_empty()).then_some(values))
        .set_alias_target(alias.transpose()?)
        .set_health_check_id(record.health_check_id.clone())
        .build()
        .map_err(invalid)
}
