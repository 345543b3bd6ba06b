//! `weight-shift`: the weights of the records of one Route 53 name.
//!
//! | action | reads | writes, each as one atomic batch | undone by |
//! |---|---|---|---|
//! | prepare | the name's record sets; the pair's health checks, and the balancers that its aliases evaluate | health checks; every type a weighted pair 100/0, at the plan's TTL | restore |
//! | shift | the record sets, which must be as the step before left them; the change; at its end the health checks and balancers | the pair's weights | restore |
//! | finalise | the record sets, the change | the final record sets, with the TTL from before | restore |
//! | restore | the record sets, the change | the before-image; deletes the health checks | - |
//!
//! Prepare makes the run's health checks first, and attaches them, with the pair, once each is healthy, and each balancer whose
//! health an alias of the pair evaluates: it is called until then, and gives up after `DnsRoute::most_check_looks`.
//!
//! A batch deletes what was observed, or what the step before has left, and creates what is wanted, so that a change by somebody else in between makes
//! Route 53 refuse it; who looks, and when, is told in [`expected`]. An action is called until its change is INSYNC; after prepare the *old* TTL is waited out, since
//! resolvers keep their answers for that long; after a shift, the TTL that the answers have meanwhile: an alias within the
//! zone has its target's, which no plan lowers.
//!
//! Errors: `Cutover.NotPermitted` when the stack does not let plans send users to what the records say, `Cutover.Drift` when somebody else changed the records, `Cutover.Unhealthy` and `Cutover.Inconclusive` for a health
//! check that does not get healthy, `Cutover.Fenced`, and AWS errors.

mod carry;
pub mod decide;
pub mod expected;
pub mod ready;
pub mod sync;

use cutover::authority::Destinations;
use cutover::contract::{RouteAction, RouteReply, RouteRequest};
use cutover::plan::DnsRoute;
use cutover::rate::Lane;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::{Journal, Phase, Run};
use routes::name::forecast::Wanted;
use routes::name::shares::Zone;
use routes::name::{NameState, Status};

use crate::carry::{Carried, carry_out};
use crate::sync::Sync;

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] = &[
    "route53:ChangeResourceRecordSets",
    "route53:CreateHealthCheck",
    "route53:DeleteHealthCheck",
    "route53:GetChange",
    "route53:GetHealthCheck",
    "route53:GetHealthCheckStatus",
    "route53:ListHealthChecks",
    "route53:ListResourceRecordSets",
];

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Those of routes.
    pub routes: routes::any::Clients,
    /// The journal, for the fence.
    pub journal: Journal,
    /// Where plans may send users.
    pub destinations: Destinations,
}

/// Does one action on one route once.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: RouteRequest, now: Timestamp) -> StepResult<RouteReply> {
    let phase = Phase::of(request.action);
    let run = clients.journal.fence(&request.caller, phase).await?;
    let (route, before) = run.dns(request.route)?;
    if request.action != RouteAction::Restore {
        clients.destinations.check_name(route, request.route)?;
    }
    let expected = expected::change(&request, route, before)?;
    let clients = &for_run(clients, &run, &request, expected.is_some(), now).await?;
    let (live, change_id, changed) = match carry_out(clients, &request, route, before, expected).await? {
        Carried::Done { live, change_id, changed } => (live, change_id, changed),
        Carried::Waits { live, wait_seconds, why } => {
            let (route, at) = (request.route, now.to_string());
            let live = format!("{}; waits for {why}", live.describe());
            return Ok(RouteReply {
                route,
                settled: false,
                wait_seconds,
                changed: false,
                change_id: None,
                at,
                live,
                note: None,
            });
        }
    };
    let is_idle = !changed && expected::changes_nothing(&request, route, before)?;
    let change_id = change_id.filter(|_| !is_idle);
    let sync_seconds =
        if is_idle { None } else { until_in_sync(clients, &request, route, changed, change_id.as_deref()).await? };
    let settled = sync_seconds.is_none();
    let change_id = change_id.or_else(|| (!settled).then(|| sync::UNKNOWN_CHANGE.to_owned()));
    if settled && request.action == RouteAction::Restore {
        delete_checks(clients, &request, route).await?;
    }
    let wait_seconds = if is_idle { 0 } else { sync_seconds.unwrap_or_else(|| wait_after(&run, &request)) };
    let users = match request.action {
        RouteAction::Shift if settled => what_users_get(clients, route, before, &live).await,
        _ => String::new(),
    };
    let (at, live) = (now.to_string(), format!("{}{users}", live.describe()));
    let note = settled.then(|| sync::note(&route.record_name, change_id.as_deref())).flatten();
    Ok(RouteReply { route: request.route, settled, wait_seconds, changed, change_id, at, live, note })
}

/// Clients of the zone's account, whose requests to Route 53 draw their slots first, where the run is of a wave. A first call sends what it
/// expects, or lists, changes and lists again; a later one asks about the change, and lists or not.
async fn for_run(
    clients: &Clients,
    run: &Run,
    request: &RouteRequest,
    is_expected: bool,
    now: Timestamp,
) -> StepResult<Clients> {
    let lane = if request.action == RouteAction::Restore { Lane::Undo } else { Lane::Forward };
    let first = match (is_expected, request.change_id.is_none()) {
        (true, true) => 1,
        (true, false) if expected::only_asks(request) => 1,
        (false, true) => 3,
        _ => 2,
    };
    let draw = clients.journal.share(&run.plan, lane, first, now);
    let routes = clients.routes.for_run(&run.run_id, now, draw).of(&run.plan.routes[request.route]).await?;
    Ok(Clients { routes, ..clients.clone() })
}

/// What health makes of the weights that were just set: said, where it is not what they say. The hold that follows judges it. What
/// cannot be seen counts as healthy, as Route 53 has it, and is said too.
async fn what_users_get(clients: &Clients, route: &DnsRoute, before: &NameState, live: &NameState) -> String {
    let zone = Zone { id: route.hosted_zone_id.clone(), ..Zone::default() };
    let zone = zone.with_name(&route.normalised_name(), live.records());
    let wanted = Wanted::of_zone(&zone);
    let (mut health, mut said) = (wanted.all_well(), String::new());
    match routes::balancers::health(&clients.routes.elb, &wanted.targets).await {
        Ok(seen) => health.targets.extend(seen),
        Err(_) => said.push_str("; the health of its load balancers could not be looked at"),
    }
    for id in &wanted.checks {
        match routes::name::check_look::look(&clients.routes.route53, id).await {
            Ok(look) => drop(health.checks.insert(id.clone(), look.status != Status::Unhealthy)),
            Err(_) => said.push_str(&format!("; health check {id} could not be looked at")),
        }
    }
    let difference = routes::name::forecast::difference(route, before, &zone, &health);
    said + &difference.map(|difference| format!("; {difference}")).unwrap_or_default()
}

/// Deletes the health checks that this run made for this route, once no record carries them.
async fn delete_checks(clients: &Clients, request: &RouteRequest, route: &DnsRoute) -> StepResult<()> {
    if route.health_checks.is_none() {
        return Ok(());
    }
    clients.journal.fence(&request.caller, Phase::of(request.action)).await?;
    routes::name::health_check::delete_of_run(&clients.routes.route53, &request.caller.run_id, request.route).await
}

/// How long to wait before the change is looked at again; none once it is on all of Route 53's servers.
async fn until_in_sync(
    clients: &Clients,
    request: &RouteRequest,
    route: &DnsRoute,
    changed: bool,
    change_id: Option<&str>,
) -> StepResult<Option<u64>> {
    let mut sync = sync::sync(request.action, changed, change_id);
    if let Sync::Ask(change_id) = sync {
        let answer = clients.routes.route53.get_change().id(change_id).send().await;
        let answer = answer.map_err(|error| StepError::from_aws(&format!("route53:GetChange {change_id}"), &error))?;
        let status = answer.change_info().map(|change| change.status.clone());
        // Prepare may have waited for health checks before.
        sync = sync::judge(change_id, status.as_ref(), request.attempt, route.most_check_looks())?;
    }
    Ok(match sync {
        Sync::Settled => None,
        Sync::Wait(seconds) => Some(seconds),
        Sync::Ask(_) => Some(0),
    })
}

fn wait_after(run: &Run, request: &RouteRequest) -> u64 {
    let route = run.plan.routes.get(request.route).zip(run.before.get(request.route));
    route.map_or(0, |(route, before)| sync::wait_after(request.action, route, before))
}
