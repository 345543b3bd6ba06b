//! What is there: the record sets of a name.

use aws_sdk_route53::Client;
use aws_sdk_route53::types::ResourceRecordSet;
use cutover::dns::normalise_name;
use cutover::plan::DnsRoute;
use cutover::{StepError, StepResult};

use super::aws::from_aws;
use super::conversion::concerns;
use super::state::NameState;

/// All record sets of the plan's types at the route's name, every set identifier; and those that cannot stand beside them.
///
/// ListResourceRecordSets starts at a name and goes on in its own order, 300 at most a page; a page that has gone past
/// the name ends the search (Route 53 API reference).
///
/// # Errors
/// AWS errors; `Cutover.Drift` for a routing policy that cannot be moved by weights.
pub async fn live(route53: &Client, route: &DnsRoute) -> StepResult<NameState> {
    let wanted = route.normalised_name();
    let records = all_of_name(route53, route, &wanted).await?;
    let records = records.iter().filter(|record| concerns(route, record.r#type.as_str())).map(from_aws);
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
        let is_wanted = |record: &ResourceRecordSet| normalise_name(&record.name) == wanted;
        let is_past = !answer.resource_record_sets.iter().all(is_wanted);
        found.extend(answer.resource_record_sets.into_iter().filter(is_wanted));
        match answer.next_record_name {
            Some(next) if answer.is_truncated && !is_past => {
                start = (next, answer.next_record_type, answer.next_record_identifier);
            }
            _ => return Ok(found),
        }
    }
}

/// A zone has 10,000 record sets by default (Route 53 quotas), and a page 300: so many pages are read at the most.
const MOST_PAGES: usize = 40;

/// All record sets of a zone, and whether there are more than can be read.
///
/// # Errors
/// AWS errors.
pub async fn whole_zone(route53: &Client, zone_id: &str) -> StepResult<(Vec<ResourceRecordSet>, bool)> {
    let call = format!("route53:ListResourceRecordSets {zone_id}");
    let mut found = Vec::new();
    let mut start = (None, None, None);
    for _ in 0..MOST_PAGES {
        let (start_name, start_type, start_identifier) = start;
        let answer = route53
            .list_resource_record_sets()
            .hosted_zone_id(zone_id)
            .set_start_record_name(start_name)
            .set_start_record_type(start_type)
            .set_start_record_identifier(start_identifier)
            .send()
            .await
            .map_err(|error| StepError::from_aws(&call, &error))?;
        found.extend(answer.resource_record_sets);
        if !answer.is_truncated {
            return Ok((found, false));
        }
        start = (answer.next_record_name, answer.next_record_type, answer.next_record_identifier);
    }
    Ok((found, true))
}
