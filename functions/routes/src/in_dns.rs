//! Names and balancers together: what users get of a name by the health of what it leads to, and what attaching a target group
//! does to the answers that lead to its balancer. For precheck.

use std::collections::BTreeSet;

use cutover::plan::{DnsRoute, ListenerRoute, Plan, Route};
use cutover::{Finding, StepError, StepResult, error};

use crate::any::Clients;
use crate::balancers;
use crate::kind::RouteState;
use crate::name::precheck::Seen;
use crate::name::shares::{Health, Zone};
use crate::name::users::Wanted;
use crate::name::{self, NameState, PairChecks};

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
    let health = Health { checks: name::seen::checks(&clients.route53, &wanted.checks).await?, targets };
    let (health, unseen) = wanted.with(health, path);
    findings.extend(unseen);
    findings.extend(name::users::findings(route, &seen.state, &seen.zone, &health, path));
    Ok(())
}

/// What is found only when a plan's routes are seen together: a target group that is attached to a balancer which DNS
/// answers with by its health.
///
/// # Errors
/// Those that a repetition may cure.
pub async fn precheck_together(
    clients: &Clients,
    plan: &Plan,
    before: &[RouteState],
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    let listeners = plan.routes.iter().enumerate().filter_map(|(index, route)| match route {
        Route::Listener(route) => Some((index, route)),
        Route::Dns(_) => None,
    });
    let listeners: Vec<(usize, &ListenerRoute)> = listeners.collect();
    let names: Vec<_> = plan.routes.iter().zip(before).filter_map(name_of).collect();
    if listeners.is_empty() || names.is_empty() {
        return Ok(());
    }
    let mut zones = Vec::new();
    for zone_id in names.iter().map(|(route, _)| &route.hosted_zone_id).collect::<BTreeSet<_>>() {
        zones.extend(overlooked(name::reach::whole(&clients.route53, zone_id).await)?);
    }
    for (index, route) in listeners {
        let Some(balancer) = overlooked(balancers::of_listener(&clients.elb, route.arn()).await)?.flatten() else {
            continue;
        };
        let own = balancers::bare_name(balancer.dns_name().unwrap_or_default());
        let lost = answers_lost(&zones, &names, &own);
        let group = &route.new_target_group_arn;
        if lost.is_empty()
            || overlooked(balancers::healthy_targets(&clients.elb, group).await)?.is_none_or(|some| some > 0)
        {
            continue;
        }
        findings.push(takes_balancer_out(&own, &lost, &format!("$.routes[{index}].new_target_group_arn")));
    }
    Ok(())
}

fn name_of<'a>((route, before): (&'a Route, &'a RouteState)) -> Option<(&'a DnsRoute, &'a NameState)> {
    match (route, before) {
        (Route::Dns(route), RouteState::Dns { records, .. }) => Some((route, records)),
        _ => None,
    }
}

/// What a balancer would lose in DNS as it is, and as the plan's names are once they are prepared.
fn answers_lost(
    zones: &[(Zone, Vec<(String, String)>)],
    names: &[(&DnsRoute, &NameState)],
    balancer: &str,
) -> BTreeSet<String> {
    let is_balancer = |name: &str| balancers::bare_name(name) == balancer;
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
        lost.extend(others.iter().filter(|(_, target)| is_balancer(target)).map(|(what, _)| what.clone()));
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
    let fix = "set evaluate_target_health of these records to false for the time of the move, or attach the group to a rule \
               that matches nothing and wait until its targets are healthy";
    Finding::environment(path, problem, fix)
}

/// What cannot be seen for lack of a permission, or because it is elsewhere, is not known; a passing trouble is told.
fn overlooked<T>(seen: StepResult<T>) -> StepResult<Option<T>> {
    match seen {
        Err(error) if [error::name::THROTTLED, error::name::TRANSIENT].contains(&error.name) => {
            Err(StepError::new(error::name::TRANSIENT, error.message))
        }
        seen => Ok(seen.ok()),
    }
}
