//! How one call is carried out: what is expected is sent, and only what is refused, or not known, is looked at first and read back.

use std::collections::BTreeMap;

use cutover::contract::{RouteAction, RouteRequest};
use cutover::error::name;
use cutover::plan::DnsRoute;
use cutover::{StepError, StepResult};
use journal::Phase;
use routes::name::{NameState, PairChecks, Side};

use crate::expected::{self, Expected};
use crate::ready::Readiness;
use crate::{Clients, decide, ready};

/// What came of a call.
pub(crate) enum Carried {
    /// The name is so, by this change; `changed` is whether this call has sent it.
    Done { live: NameState, change_id: Option<String>, changed: bool },
    /// Nothing was written: a health check is waited for.
    Waits { live: NameState, wait_seconds: u64, why: String },
}

/// Sends what the step is expected to change, and looks only where that is not taken, or not known.
pub(crate) async fn carry_out(
    clients: &Clients,
    request: &RouteRequest,
    route: &DnsRoute,
    before: &NameState,
    expected: Option<Expected>,
) -> StepResult<Carried> {
    let Some(Expected { from, to }) = expected else {
        let live = routes::name::observe::live(&clients.routes.route53, route).await?;
        return look_and_change(clients, request, route, before, live).await;
    };
    if expected::only_asks(request) {
        return Ok(Carried::Done { live: to, change_id: request.change_id.clone(), changed: false });
    }
    let mut refused = None;
    if request.change_id.is_none() {
        if let Some(waits) = held_back(clients, request, route, before, &from, &PairChecks::default()).await? {
            return Ok(waits);
        }
        match routes::name::send::send(&clients.routes.route53, route, from.batch_to(&to)).await {
            Ok(change_id) => return Ok(Carried::Done { live: to, change_id: Some(change_id), changed: true }),
            Err(error) => refused = Some(error),
        }
    }
    let mut live = routes::name::observe::live(&clients.routes.route53, route).await?;
    if refused.as_ref().is_some_and(|error| error.name == name::REFUSED) && live == from {
        // Route 53 compares with what is there: so this read is behind.
        live = routes::name::observe::live(&clients.routes.route53, route).await?;
    }
    match refused {
        // Not for what is there: it would be refused again.
        Some(error) if live == from => Err(error),
        _ => look_and_change(clients, request, route, before, live).await,
    }
}

/// Changes what a look has found, and reads it back.
async fn look_and_change(
    clients: &Clients,
    request: &RouteRequest,
    route: &DnsRoute,
    before: &NameState,
    live: NameState,
) -> StepResult<Carried> {
    let checks = pair_checks(clients, request, route, before, &live).await?;
    let (live, target) = decide_twice(clients, request, route, before, live, &checks).await?;
    let Some(target) = target else {
        return Ok(Carried::Done { live, change_id: request.change_id.clone(), changed: false });
    };
    if let Some(waits) = held_back(clients, request, route, before, &live, &checks).await? {
        return Ok(waits);
    }
    let (live, change_id) = routes::name::send::write(&clients.routes.route53, route, &live, &target).await?;
    Ok(Carried::Done { live, change_id, changed: true })
}

/// What comes right before a write: prepare waits for the health of what it attaches, and the run must still be its execution's.
async fn held_back(
    clients: &Clients,
    request: &RouteRequest,
    route: &DnsRoute,
    before: &NameState,
    live: &NameState,
    checks: &PairChecks,
) -> StepResult<Option<Carried>> {
    if request.action == RouteAction::Prepare
        && let Readiness::NotYet(wait_seconds, why) = readiness(clients, request, route, before, checks).await?
    {
        return Ok(Some(Carried::Waits { live: live.clone(), wait_seconds, why }));
    }
    clients.journal.fence(&request.caller, Phase::of(request.action)).await?;
    Ok(None)
}

/// The live record sets and what to write. What looks like somebody else's change is looked at twice: a read can be behind.
async fn decide_twice(
    clients: &Clients,
    request: &RouteRequest,
    route: &DnsRoute,
    before: &NameState,
    live: NameState,
    checks: &PairChecks,
) -> StepResult<(NameState, Option<NameState>)> {
    let decide = |live: &NameState| decide::target(request.action, request.new_weight, route, before, live, checks);
    match decide(&live) {
        Err(error) if error.name == name::DRIFT => {
            let live = routes::name::observe::live(&clients.routes.route53, route).await?;
            let target = decide(&live)?;
            Ok((live, target))
        }
        target => Ok((live, target?)),
    }
}

/// The health checks that the run made for the pair: made by prepare, found again by every other action. What the live
/// records carry may be somebody else's.
async fn pair_checks(
    clients: &Clients,
    request: &RouteRequest,
    route: &DnsRoute,
    before: &NameState,
    live: &NameState,
) -> StepResult<PairChecks> {
    if route.health_checks.is_none() {
        return Ok(PairChecks::default());
    }
    let run_id = &request.caller.run_id;
    if request.action == RouteAction::Prepare && live.is_like(before) {
        clients.journal.fence(&request.caller, Phase::of(request.action)).await?;
        return routes::name::health_check::create(&clients.routes.route53, run_id, request.route, route).await;
    }
    routes::name::health_check::find(&clients.routes.route53, run_id, request.route).await
}

/// Whether the health checks that the pair's records will carry are healthy, and the balancers that they will be answered by. One
/// that is not seen, since it is elsewhere or may not be, is not waited for.
async fn readiness(
    clients: &Clients,
    request: &RouteRequest,
    route: &DnsRoute,
    before: &NameState,
    checks: &PairChecks,
) -> StepResult<Readiness> {
    let mut looks = Vec::new();
    for attached in before.to_attach(route, checks).map_err(StepError::invalid)? {
        let look = routes::name::check_look::look(&clients.routes.route53, &attached.id).await?;
        looks.push((attached, look));
    }
    let evaluated = before.planned(route, 0, checks).map_err(StepError::invalid)?.evaluated(route, before);
    let names = evaluated.iter().map(|(_, target)| target.clone()).collect();
    let health = match routes::balancers::health(&clients.routes.elb, &names).await {
        Err(error) if error.name == name::NOT_PERMITTED => BTreeMap::new(),
        health => health?,
    };
    let is_sick = |(_, target): &(Side, String)| health.get(target) == Some(&false);
    let sick: Vec<(Side, String)> = evaluated.into_iter().filter(is_sick).collect();
    ready::judge(&looks, &sick, request.attempt, route.most_check_looks())
}
