//! Record sets in Route 53's API.

use aws_sdk_route53::types::{AliasTarget as AwsAlias, ResourceRecord, ResourceRecordSet, RrType};
use cutover::dns::normalise_name;
use cutover::error::name;
use cutover::{StepError, StepResult};

use super::record::{AliasTarget, RecordSet};

/// The name of a routing policy that is not by weight, where a record set has one.
fn other_policy(record: &ResourceRecordSet) -> Option<&'static str> {
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

/// What is observed of a record set.
///
/// # Errors
/// `Cutover.Drift` for a routing policy that cannot be moved by weights.
pub(super) fn from_aws(record: &ResourceRecordSet) -> StepResult<RecordSet> {
    if let Some(policy) = other_policy(record) {
        let (kind, name) = (record.r#type.as_str(), record.name.trim_end_matches('.'));
        let problem = format!("{kind} {name} has a {policy} routing policy, and weights cannot stand beside it");
        return Err(StepError::new(name::DRIFT, problem));
    }
    Ok(whatever_policy(record))
}

/// The same of a record set whatever its routing policy, of which nothing but the weight is kept.
pub(super) fn whatever_policy(record: &ResourceRecordSet) -> RecordSet {
    RecordSet {
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
    }
}

/// A record set as the API takes it.
///
/// # Errors
/// A required field that is missing: a record set that was never observed nor planned.
pub(super) fn to_aws(name: &str, record: &RecordSet) -> StepResult<ResourceRecordSet> {
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
