//! Names and balancers together: what users get of a name by the health of what it leads to, and what attaching a target group
//! does to the answers that lead to its balancer. For precheck.

use std::collections::{BTreeMap, BTreeSet};

use cutover::dns::bare_name;
use cutover::finding::settled;
use cutover::plan::{DnsRoute, Plan, RecordChange, RecordType, Route};
use cutover::{Finding, StepResult};

use crate::any::Clients;
use crate::balancers;
use crate::kind::RouteState;
use crate::listener;
use crate::name::forecast::Wanted;
use crate::name::precheck::Seen;
use crate::name::shares::{Health, Zone};
use crate::name::{self, NameState, PairChecks, RecordSet};

/// A zone's records, and those of other policies than weights, by name.
type ZoneSeen = (Zone, Vec<(String, RecordSet)>);

/// What users would get of a name at each state of the run, by the health that can be seen now.
///
/// # Errors
/// Those that a repetition may cure.
pub(crate) async fn what_users_get(
    clients: &Clients,
    route: &DnsRoute,
    seen: &Seen,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    let wanted = Wanted::of(&seen.zone, route);
    let targets = overlooked(balancers::health(&clients.elb, &wanted.targets).await)?.unwrap_or_default();
    let health = Health { checks: name::check_look::seen(&clients.route53, &wanted.checks).await?, targets };
    let (health, unseen) = wanted.with(health, path);
    findings.extend(unseen);
    findings.extend(name::forecast::findings(route, &seen.state, &seen.zone, &health, path));
    Ok(())
}

/// What does not fit where a name shall lead to load balancers of this region: there is none of that name in the account, or it
/// has no IPv6 addresses to answer with.
///
/// # Errors
/// Those that a repetition may cure.
pub(crate) async fn balancers_of_answers(
    clients: &Clients,
    route: &DnsRoute,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    let region = clients.elb.config().region().map(ToString::to_string).unwrap_or_default();
    let wanted = balancers_named(route, &region);
    if wanted.is_empty() {
        return Ok(());
    }
    let names = wanted.iter().map(|(_, name)| name.clone()).collect();
    if let Some(known) = overlooked(balancers::with_ipv6(&clients.elb, &names).await)? {
        findings.extend(
            wanted.iter().filter_map(|(index, name)| answered_by(route, *index, known.get(name).copied(), path)),
        );
    }
    Ok(())
}

/// The plan's aliases to load balancers of a region: their places among the records, and their names.
fn balancers_named(route: &DnsRoute, region: &str) -> Vec<(usize, String)> {
    let ends = [format!(".{region}.elb.amazonaws.com."), format!(".elb.{region}.amazonaws.com.")];
    let named = |(index, change): (usize, &RecordChange)| {
        let name = bare_name(&change.new.as_ref()?.alias.as_ref()?.dns_name);
        ends.iter().any(|end| name.ends_with(end)).then_some((index, name))
    };
    route.records.iter().enumerate().filter_map(named).collect()
}

/// What is said of an alias to a load balancer; `has_ipv6` where there is one of that name.
fn answered_by(route: &DnsRoute, index: usize, has_ipv6: Option<bool>, path: &str) -> Option<Finding> {
    let (problem, fix) = match has_ipv6 {
        None => (
            "is no load balancer of this account: AWS refuses an alias to one that does not exist",
            "see whether it exists; if it is another account's, this is as it should be",
        ),
        Some(false) if route.records[index].record_type == RecordType::Aaaa => (
            "is a load balancer without IPv6 addresses: this type has no answer on the new side",
            "make the load balancer dual-stack first, or leave the type out; with \"new\": null it goes",
        ),
        Some(_) => return None,
    };
    Some(Finding::warning(format!("{path}.records[{index}].new.alias.dns_name"), problem, fix))
}

/// What is found only when a plan's routes are seen together: a target group that is attached to a balancer which DNS
/// answers with by its health. The account's zones are looked at, not only the plan's: a plan of listeners names none.
///
/// # Errors
/// Those that a repetition may cure.
pub async fn precheck_together(
    clients: &Clients,
    plan: &Plan,
    before: &[RouteState],
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    let attached = attached_sick(clients, plan).await?;
    if attached.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = plan.routes.iter().zip(before).filter_map(name_of).collect();
    let (zones, is_whole) = zones(clients, plan).await?;
    for (index, balancer) in attached {
        let path = format!("$.routes[{index}].new_target_group_arn");
        let lost = answers_lost(&zones, &names, &balancer);
        if !lost.is_empty() {
            findings.push(takes_balancer_out(&balancer, &lost, &path));
        } else if !is_whole {
            findings.push(not_all_looked_at(&balancer, zones.len(), &path));
        }
    }
    Ok(())
}

/// The listeners' places in the plan whose new group has no healthy target now, each with its balancer's DNS name.
async fn attached_sick(clients: &Clients, plan: &Plan) -> StepResult<Vec<(usize, String)>> {
    let mut found = Vec::new();
    for (index, of_plan) in plan.routes.iter().enumerate() {
        let Route::Listener(route) = of_plan else { continue };
        let Some(clients) = overlooked(clients.of(of_plan).await)? else { continue };
        let healthy = overlooked(listener::observe::health(&clients.elb, &route.new_target_group_arn).await)?;
        if healthy.is_none_or(|(healthy, _)| healthy > 0) {
            continue;
        }
        let balancer = overlooked(balancers::of_listener(&clients.elb, route.arn()).await)?.flatten();
        let name = balancer.and_then(|balancer| balancer.dns_name().map(bare_name));
        found.extend(name.map(|name| (index, name)));
    }
    Ok(found)
}

/// The plan's zones and the account's, as far as they may be read, and whether these are all.
async fn zones(clients: &Clients, plan: &Plan) -> StepResult<(Vec<ZoneSeen>, bool)> {
    let mut ids: BTreeMap<String, Option<&Route>> = BTreeMap::new();
    let of_account = overlooked(name::reach::zones_of_account(&clients.route53).await)?;
    let mut is_whole = of_account.as_ref().is_some_and(|(_, is_whole)| *is_whole);
    ids.extend(of_account.into_iter().flat_map(|(ids, _)| ids).map(|id| (id, None)));
    ids.extend(plan.routes.iter().filter_map(|route| match route {
        Route::Dns(name) => Some((name.hosted_zone_id.clone(), Some(route))),
        Route::Listener(_) => None,
    }));
    let mut zones = Vec::new();
    for (id, route) in ids {
        let there = match route {
            Some(route) => overlooked(clients.of(route).await)?,
            None => Some(clients.clone()),
        };
        let zone = match there {
            Some(there) => overlooked(name::reach::whole(&there.route53, &id).await)?,
            None => None,
        };
        is_whole &= zone.is_some();
        zones.extend(zone);
    }
    Ok((zones, is_whole))
}

fn not_all_looked_at(balancer: &str, looked_at: usize, path: &str) -> Finding {
    let balancer = balancer.trim_end_matches('.');
    let problem = format!(
        "has no healthy target as long as it is not attached, and only {looked_at} of the account's zones could be looked at for \
         records that answer with {balancer} by its health, which would leave it meanwhile"
    );
    let fix = format!("make sure that no weighted or failover alias to {balancer} has evaluate_target_health");
    Finding::warning(path, problem, fix)
}

fn name_of<'a>((route, before): (&'a Route, &'a RouteState)) -> Option<(&'a DnsRoute, &'a NameState)> {
    match (route, before) {
        (Route::Dns(route), RouteState::Dns { records, .. }) => Some((route, records)),
        _ => None,
    }
}

/// What a balancer would lose in DNS as it is, and as the plan's names are once they are prepared.
fn answers_lost(zones: &[ZoneSeen], names: &[(&DnsRoute, &NameState)], balancer: &str) -> BTreeSet<String> {
    let is_balancer = |name: &str| bare_name(name) == balancer;
    let mut lost = BTreeSet::new();
    for (zone, others) in zones {
        let mut prepared = zone.clone();
        for (route, before) in names.iter().filter(|(route, _)| route.hosted_zone_id == zone.id) {
            if let Ok(state) = before.planned(route, 0, &PairChecks::default()) {
                prepared = prepared.with_name(&route.normalised_name(), state.records());
            }
        }
        let now =
            name::evaluated::lost(zone, is_balancer).into_iter().chain(name::evaluated::lost(&prepared, is_balancer));
        lost.extend(now.map(|lost| format!("{} ({} % of its users)", lost.what, lost.percent)));
        let by_policy = |zone: &Zone| name::evaluated::lost_by_policy(zone, others, is_balancer);
        lost.extend(by_policy(zone).into_iter().chain(by_policy(&prepared)));
    }
    lost
}

fn takes_balancer_out(balancer: &str, lost: &BTreeSet<String>, path: &str) -> Finding {
    let lost: Vec<&str> = lost.iter().map(String::as_str).collect();
    let balancer = balancer.trim_end_matches('.');
    let problem = format!(
        "has no healthy target as long as it is not attached, and attaching it takes {balancer} out of DNS until it has one, \
         since these answers evaluate its health: {}",
        lost.join(", ")
    );
    let fix = "set evaluate_target_health of these records to false for the time of the move";
    Finding::environment(path, problem, fix)
}

/// What cannot be seen for lack of a permission, or because it is elsewhere, is not known; a passing trouble is told.
fn overlooked<T>(seen: StepResult<T>) -> StepResult<Option<T>> {
    settled(seen).map(Result::ok)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nobody_is_advised_to_attach_a_group_that_is_not_healthy() {
        let lost = BTreeSet::from(["A shop.example.com (100 % of its users)".to_owned()]);
        let finding = takes_balancer_out("lb.example.net.", &lost, "$");
        assert!(finding.problem.contains("A shop.example.com (100 % of its users)"), "{finding:?}");
        assert!(finding.fix.contains("evaluate_target_health") && !finding.fix.contains("attach"), "{finding:?}");
    }

    #[test]
    fn an_alias_needs_a_balancer_with_addresses_of_its_type() {
        let change = |kind: &str, name: &str| json!({ "type": kind, "new": { "alias": { "dns_name": name, "hosted_zone_id": "Z2" } } });
        let (own, net) = ("dualstack.Shop-1.eu-west-1.elb.amazonaws.com", "shop-2.elb.eu-west-1.amazonaws.com");
        let records = [change("A", own), change("AAAA", net), change("AAAA", "shop-1.us-east-1.elb.amazonaws.com")];
        let route = json!({ "hosted_zone_id": "Z1", "record_name": "a.example.com", "steps": [], "records": records });
        let route: DnsRoute = serde_json::from_value(route).unwrap();
        let named = balancers_named(&route, "eu-west-1");
        assert_eq!(named, [(0, "shop-1.eu-west-1.elb.amazonaws.com.".to_owned()), (1, format!("{net}."))]);
        let told = |index, has_ipv6| answered_by(&route, index, has_ipv6, "$").map(|finding| finding.problem);
        assert_eq!([told(0, Some(true)), told(0, Some(false)), told(1, Some(true))], [None, None, None]);
        assert!(told(1, Some(false)).is_some_and(|problem| problem.contains("without IPv6 addresses")));
        assert!(told(0, None).is_some_and(|problem| problem.contains("does not exist")));
    }
}
