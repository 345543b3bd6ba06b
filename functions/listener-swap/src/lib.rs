//! `listener-swap`: the weights of target groups on one listener or rule.
//!
//! | action | reads | writes | undone by |
//! |---|---|---|---|
//! | prepare | the actions, the new group's target health | the new group, at weight 0; the plan's group stickiness | restore |
//! | shift | the actions, which must be as the step before left them | the pair's weights | restore |
//! | finalise | the actions, who else leads to the old group | nothing: the old group stays at weight 0, health-checked, until cleanup | - |
//! | restore | the actions | the before-image's forward action | - |
//!
//! Only the forward action changes; authentication, stickiness, order and neighbours stay as they are. Neither
//! ModifyListener nor ModifyRule has a version condition, so each write is: fence, read, compare, write, read back.
//!
//! Errors: `Cutover.NotPermitted` when the stack does not let plans send users to the new group, `Cutover.Drift` when somebody else changed the actions, `Cutover.Unhealthy` when the new group does not get
//! healthy, `Cutover.Fenced`, and AWS errors.

pub mod decide;

use access::Access;
use aws_sdk_elasticloadbalancingv2::Client;
use cutover::authority::Destinations;
use cutover::contract::{RouteAction, RouteReply, RouteRequest};
use cutover::error::name;
use cutover::plan::ListenerRoute;
use cutover::verdict::at_least_percent;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::{Journal, Phase};
use routes::listener::ListenerState;
use routes::listener::actions::Live;

/// A load balancer's nodes follow a change of weights within seconds; AWS gives no number. Ten is generous.
const SETTLE_SECONDS: u64 = 10;
/// The time between two looks at the new group's health: the shortest health check interval is 5 s.
const HEALTH_INTERVAL_SECONDS: u64 = 15;
/// So many looks make ten minutes, twice the slowest default health check (10 x 30 s).
const MOST_HEALTH_LOOKS: u32 = 40;

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] = &[
    "cognito-idp:DescribeUserPoolClient",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyRule",
];

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Elastic Load Balancing, in the stack's own account and region.
    pub elb: Client,
    /// What other accounts and regions are reached by.
    pub access: Access,
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
    let run = clients.journal.fence(&request.caller, Phase::of(request.action)).await?;
    let (route, before) = run.listener(request.route)?;
    if request.action != RouteAction::Restore {
        clients.destinations.check_listener(route, request.route)?;
    }
    let access = clients.access.for_run(&request.caller.run_id, now);
    let elb = &access.client(&clients.elb, route.place(), Client::new).await?;
    let (live, target) = look(elb, &request, route, before).await?;
    let (live, changed) = match target {
        None => (live, false),
        Some(target) => {
            clients.journal.fence(&request.caller, Phase::of(request.action)).await?;
            (routes::listener::send::write(elb, route, &live, &target).await?, true)
        }
    };
    let (settled, wait_seconds) = match request.action {
        RouteAction::Prepare => health(elb, route, request.attempt).await?,
        action => (true, settle_seconds(action)),
    };
    let note = match request.action {
        RouteAction::Finalise => routes::listener::late::note(elb, &run.plan, request.route).await,
        _ => None,
    };
    Ok(RouteReply {
        route: request.route,
        settled,
        wait_seconds,
        changed,
        change_id: None,
        at: now.to_string(),
        live: live.state.describe(),
        note,
    })
}

/// The live actions and what to write. What looks like somebody else's change is looked at twice: a read can be behind.
async fn look(
    elb: &Client,
    request: &RouteRequest,
    route: &ListenerRoute,
    before: &ListenerState,
) -> StepResult<(Live, Option<ListenerState>)> {
    let decide = |live: &Live| decide::target(request.action, request.new_weight, route, before, &live.state);
    let live = routes::listener::observe::live(elb, route).await?;
    match decide(&live) {
        Err(error) if error.name == name::DRIFT => {
            let live = routes::listener::observe::live(elb, route).await?;
            let target = decide(&live)?;
            Ok((live, target))
        }
        target => Ok((live, target?)),
    }
}

/// How long the nodes may take to follow a write. A restore is looked at again anyway, and finalise writes nothing.
fn settle_seconds(action: RouteAction) -> u64 {
    match action {
        RouteAction::Shift => SETTLE_SECONDS,
        RouteAction::Prepare | RouteAction::Finalise | RouteAction::Restore => 0,
    }
}

/// Whether the new group may get traffic: attached, it is health-checked; unattached groups never are.
async fn health(elb: &Client, route: &ListenerRoute, attempt: u32) -> StepResult<(bool, u64)> {
    let (counts, reasons) = routes::listener::observe::health_with_reasons(elb, &route.new_target_group_arn).await?;
    judge(counts, &reasons, route, attempt)
}

/// Whether enough of the new group's targets are healthy; otherwise, how long to wait before the next look. Pure.
///
/// # Errors
/// `Cutover.Unhealthy` after the last look.
fn judge(
    (healthy, total): (usize, usize),
    reasons: &str,
    route: &ListenerRoute,
    attempt: u32,
) -> StepResult<(bool, u64)> {
    if at_least_percent(healthy, total, route.min_healthy_percent) {
        return Ok((true, 0));
    }
    if attempt >= MOST_HEALTH_LOOKS {
        let group = &route.new_target_group_arn;
        let problem = format!(
            "{healthy} of {total} targets of {group} are healthy{reasons}, {} % needed",
            route.min_healthy_percent
        );
        return Err(StepError::new(name::UNHEALTHY, problem));
    }
    Ok((false, HEALTH_INTERVAL_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_looked_at_once_the_nodes_have_followed() {
        let actions = [RouteAction::Prepare, RouteAction::Shift, RouteAction::Finalise, RouteAction::Restore];
        assert_eq!(actions.map(settle_seconds), [0, 10, 0, 0]);
    }

    #[test]
    fn a_new_group_is_waited_for_until_it_is_healthy_or_the_time_is_over() {
        let route = serde_json::json!({ "listener_arn": "l", "old_target_group_arn": "old", "new_target_group_arn": "new",
            "min_healthy_percent": 50, "steps": [] });
        let route = serde_json::from_value(route).unwrap();
        let judged = |counts, attempt| judge(counts, "", &route, attempt).map_err(|error| error.name);
        for attempt in [0, 39, 40, 1_000] {
            assert_eq!(judged((1, 2), attempt), Ok((true, 0)), "{attempt}");
        }
        for unhealthy in [(0, 0), (0, 2), (1, 3)] {
            assert_eq!(judged(unhealthy, 0), Ok((false, 15)), "{unhealthy:?}");
            assert_eq!(judged(unhealthy, 39), Ok((false, 15)), "{unhealthy:?}");
            assert_eq!(judged(unhealthy, 40), Err(name::UNHEALTHY), "{unhealthy:?}");
        }
        let error = judge((0, 1), " (1 Target.Timeout)", &route, 40).unwrap_err();
        assert!(error.message.contains("are healthy (1 Target.Timeout), 50 % needed"), "{}", error.message);
    }
}
