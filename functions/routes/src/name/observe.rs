//! What is there: the record sets of a name.

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use cutover::dns::normalise_name;
use cutover::plan::{DnsRoute, Plan};
use cutover::{StepError, StepResult};

use super::around::HostedZone;
use super::aws::from_aws;
use super::behind::{Named, serving};
use super::conversion::concerns;
use super::precheck::other_family;
use super::state::NameState;
use crate::behind::Behind;

/// All record sets of the plan's types at the route's name, every set identifier; and those that cannot stand beside them.
///
/// ListResourceRecordSets starts at a name and goes on in its own order, 300 at most a page; a page that has gone past
/// the name ends the search (Route 53 API reference).
///
/// # Errors
/// AWS errors; `Cutover.Drift` for a routing policy that cannot be moved by weights.
pub async fn live(route53: &Client, route: &DnsRoute) -> StepResult<NameState> {
    let wanted = route.normalised_name();
    let records = all_of_name(route53, &route.hosted_zone_id, &wanted).await?;
    state_of(route, &records)
}

/// The same of a run's name, and what leads users past it: records of an address family that the plan does not move, or that
/// browsers follow, which came after precheck or they would be named in the plan.
///
/// # Errors
/// As [`live`].
pub async fn look(
    route53: &Client,
    plan: &Plan,
    route: &DnsRoute,
    before: &NameState,
) -> StepResult<(NameState, Option<String>)> {
    let records = all_of_name(route53, &route.hosted_zone_id, &route.normalised_name()).await?;
    Ok((state_of(route, &records)?, past(plan, route, before, &records)))
}

/// What leads users past a name's pair, for a person: pure.
fn past(plan: &Plan, route: &DnsRoute, before: &NameState, records: &[ResourceRecordSet]) -> Option<String> {
    let is_news = |other: &Behind| !other.is_named_in(&plan.leaves_behind);
    let name = &route.record_name;
    let family = other_family(route, before, records, "").filter(is_news).map(|other| {
        let what = other.what;
        format!("{name} answers with {what} as well, which the plan does not move: clients are split by address family")
    });
    let hints = || {
        let zone = HostedZone { id: route.hosted_zone_id.clone(), name: String::new(), is_private: false };
        let named = Named { plan, route, path: "", zone: &zone, state: before };
        let hint = serving(records).into_iter().filter_map(|record| named.hints(record)).find(is_news)?;
        Some(format!("{name} {}", hint.problem))
    };
    family.or_else(hints)
}

/// What of a name's record sets is the route's concern.
///
/// # Errors
/// `Cutover.Drift` for a routing policy that cannot be moved by weights.
pub(super) fn state_of(route: &DnsRoute, records: &[ResourceRecordSet]) -> StepResult<NameState> {
    let records = records.iter().filter(|record| concerns(route, record.r#type.as_str())).map(from_aws);
    Ok(NameState::new(records.collect::<StepResult<_>>()?))
}

/// Those at a name, of a zone's record sets.
pub(super) fn of_name(records: &[ResourceRecordSet], wanted: &str) -> Vec<ResourceRecordSet> {
    records.iter().filter(|record| normalise_name(&record.name) == wanted).cloned().collect()
}

/// Every record set at a name of a zone, of all types.
///
/// # Errors
/// AWS errors.
pub async fn all_of_name(route53: &Client, zone_id: &str, wanted: &str) -> StepResult<Vec<ResourceRecordSet>> {
    at_or_below(route53, zone_id, wanted).await.map(|(found, _)| found)
}

/// The same, and whether the zone has records below the name: these come right after its own.
///
/// # Errors
/// AWS errors.
pub(super) async fn at_or_below(
    route53: &Client,
    zone_id: &str,
    wanted: &str,
) -> StepResult<(Vec<ResourceRecordSet>, bool)> {
    let (mut found, mut has_below) = (Vec::new(), false);
    let below = format!(".{wanted}");
    let mut start = Some(Start { name: Some(wanted.to_owned()), ..Start::default() });
    while let Some(from) = start {
        let (records, next) = page(route53, zone_id, from).await?;
        let is_wanted = |record: &ResourceRecordSet| normalise_name(&record.name) == wanted;
        has_below |= records.iter().any(|record| normalise_name(&record.name).ends_with(&below));
        start = next.filter(|_| records.iter().all(is_wanted));
        found.extend(records.into_iter().filter(is_wanted));
    }
    Ok((found, has_below))
}

/// The record sets of a zone, this many pages of them, and whether these are all.
///
/// # Errors
/// AWS errors.
pub(super) async fn all_of_zone(
    route53: &Client,
    zone_id: &str,
    most_pages: usize,
) -> StepResult<(Vec<ResourceRecordSet>, bool)> {
    let (mut found, mut start) = (Vec::new(), Some(Start::default()));
    for _ in 0..most_pages {
        let Some(from) = start else { break };
        let (records, next) = page(route53, zone_id, from).await?;
        found.extend(records);
        start = next;
    }
    Ok((found, start.is_none()))
}

/// Where a page starts.
#[derive(Default)]
struct Start {
    name: Option<String>,
    record_type: Option<RrType>,
    identifier: Option<String>,
}

/// One page, of 300 record sets at the most, and where the next one starts.
async fn page(route53: &Client, zone_id: &str, from: Start) -> StepResult<(Vec<ResourceRecordSet>, Option<Start>)> {
    let answer = route53
        .list_resource_record_sets()
        .hosted_zone_id(zone_id)
        .set_start_record_name(from.name)
        .set_start_record_type(from.record_type)
        .set_start_record_identifier(from.identifier)
        .send()
        .await
        .map_err(|error| StepError::from_aws(&format!("route53:ListResourceRecordSets {zone_id}"), &error))?;
    let next = answer.next_record_name.filter(|_| answer.is_truncated).map(|name| Start {
        name: Some(name),
        record_type: answer.next_record_type,
        identifier: answer.next_record_identifier,
    });
    Ok((answer.resource_record_sets, next))
}

#[cfg(test)]
mod tests {
    use cutover::plan::Route;
    use serde_json::json;

    use super::*;
    use crate::name::behind::tests::{record, simple};

    #[test]
    fn what_leads_users_past_the_pair_is_told_unless_the_plan_names_it() {
        let route = json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": "app.example.com",
            "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }], "steps": [{ "new_weight": 100 }] });
        let before = NameState::new(vec![from_aws(&simple()).unwrap()]);
        let past = |other: ResourceRecordSet, named: &[&str]| {
            let named: Vec<_> = named.iter().map(|what| json!({ "what": what, "why": "later" })).collect();
            let plan = json!({ "application": "a", "routes": [route], "leaves_behind": named });
            let plan = Plan::read(&plan).unwrap();
            let Route::Dns(route) = &plan.routes[0] else { panic!("no name") };
            past(&plan, route, &before, &[simple(), other])
        };
        let aaaa = || record("AAAA", "app.example.com.", &["2001:db8::1"]);
        let hint = |value: &str| record("HTTPS", "app.example.com.", &[value]);
        assert!(past(aaaa(), &[]).is_some_and(|told| told.contains("split by address family")));
        assert!(past(hint("1 . ipv4hint=1.2.3.4"), &[]).is_some_and(|told| told.contains("leads browsers to 1.2.3.4")));
        assert_eq!(past(hint("1 . ipv4hint=5.6.7.8"), &[]), None, "the new side's own");
        assert_eq!(past(aaaa(), &["AAAA app.example.com"]), None);
        assert_eq!(past(hint("1 . ipv4hint=1.2.3.4"), &["HTTPS app.example.com"]), None);
    }
}
