//! A route of any kind, as AWS has it: each place here lists the kinds.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_route53::config::SharedHttpClient;
use aws_sdk_route53::config::retry::RetryConfig;
use aws_sdk_route53::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use cutover::paced::paced;
use cutover::plan::{Plan, Route};
use cutover::rate::Draw;
use cutover::verdict::at_least_percent;
use cutover::{Finding, StepResult};

use crate::behind::Behind;
use crate::kind::{Left, RouteOfRun, RouteState};
use crate::{in_dns, listener, name};

/// So often a request of a call that goes on where it is throttled is tried, each time after a pause.
const TRIES_OF_ONE_CALL: u32 = 8;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What routes are observed and moved by.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Elastic Load Balancing.
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    /// Route 53.
    pub route53: aws_sdk_route53::Client,
    /// What they are made of.
    aws: SdkConfig,
}

impl Clients {
    /// The clients of a function.
    pub fn new(aws: &SdkConfig) -> Self {
        let elb = aws_sdk_elasticloadbalancingv2::Client::new(aws);
        Self { elb, route53: aws_sdk_route53::Client::new(aws), aws: aws.clone() }
    }

    /// The same, where each request to Route 53 draws a slot first: `None` waits for nothing.
    pub fn drawing(&self, draw: Option<Arc<dyn Draw>>) -> Self {
        let (Some(draw), Some(http)) = (draw, self.aws.http_client()) else { return self.clone() };
        let config = aws_sdk_route53::config::Builder::from(&self.aws).http_client(paced(http, draw));
        // The wait for the slot must not count: each try has its time-out below.
        let config = config.timeout_config(TimeoutConfig::disabled()).build();
        Self { route53: aws_sdk_route53::Client::from_conf(config), ..self.clone() }
    }

    /// The same for one call that reads much: each request to Route 53 draws a slot, and is tried again for as long as the call has.
    /// `over` is put between the clients and their connections, above the slots.
    pub fn for_one_call(&self, draw: Arc<dyn Draw>, over: impl Fn(SharedHttpClient) -> SharedHttpClient) -> Self {
        let Some(http) = self.aws.http_client() else { return self.clone() };
        let elb = aws_sdk_elasticloadbalancingv2::config::Builder::from(&self.aws).http_client(over(http.clone()));
        let retries = RetryConfig::standard().with_max_attempts(TRIES_OF_ONE_CALL).with_max_backoff(LONGEST_PAUSE);
        let route53 = aws_sdk_route53::config::Builder::from(&self.aws).http_client(over(paced(http, draw)));
        // As where slots are drawn: the waits must not count.
        let route53 = route53.retry_config(retries).timeout_config(TimeoutConfig::disabled());
        Self {
            elb: aws_sdk_elasticloadbalancingv2::Client::from_conf(elb.build()),
            route53: aws_sdk_route53::Client::from_conf(route53.build()),
            aws: self.aws.clone(),
        }
    }
}

/// The live state of a route.
///
/// # Errors
/// AWS errors, and `Cutover.Drift` for a state that no plan can move.
pub async fn observe(clients: &Clients, route: &Route) -> StepResult<RouteState> {
    match route {
        Route::Listener(route) => Ok(RouteState::Listener(listener::observe::live(&clients.elb, route).await?.state)),
        Route::Dns(route) => Ok(name::observe::live(&clients.route53, route).await?.into()),
    }
}

/// The live state of a route of a run, and what else leads users past it by now, for a person: of that nothing was there when
/// precheck looked, or the plan names it.
///
/// # Errors
/// As [`observe`].
pub async fn look(clients: &Clients, plan: &Plan, of_run: RouteOfRun<'_>) -> StepResult<(RouteState, Option<String>)> {
    match of_run {
        RouteOfRun::Listener(route, _) => {
            Ok((RouteState::Listener(listener::observe::live(&clients.elb, route).await?.state), None))
        }
        RouteOfRun::Dns(route, before) => {
            let (live, past) = name::observe::look(&clients.route53, plan, route, before).await?;
            Ok((live.into(), past))
        }
    }
}

/// The before-image of a route, everything that does not fit the plan, and who would stay on the old side.
///
/// # Errors
/// Those that a repetition may cure; all else is a finding.
pub async fn precheck(
    clients: &Clients,
    plan: &Plan,
    index: usize,
    findings: &mut Vec<Finding>,
    behind: &mut Vec<Behind>,
) -> StepResult<Option<RouteState>> {
    let path = &format!("$.routes[{index}]");
    match &plan.routes[index] {
        Route::Listener(route) => {
            let state = listener::precheck::observe(&clients.elb, route, (plan, index), findings, behind).await?;
            Ok(state.map(RouteState::Listener))
        }
        Route::Dns(route) => {
            let seen = name::precheck::observe(&clients.route53, plan, route, path, findings, behind).await?;
            if let Some(seen) = &seen {
                in_dns::what_users_get(clients, route, seen, path, findings).await?;
                in_dns::balancers_of_answers(clients, route, path, findings).await?;
            }
            Ok(seen.map(|seen| RouteState::Dns { records: seen.state, alias_ttls: seen.alias_ttls }))
        }
    }
}

/// Why traffic that the new side has should not go back to the old one by itself: that is not healthy. None where the new
/// side has none, or where nothing speaks of the old side's health.
///
/// # Errors
/// AWS errors.
pub async fn sick_old_side(clients: &Clients, of_run: RouteOfRun<'_>) -> StepResult<Option<String>> {
    let RouteOfRun::Listener(route, before) = of_run else { return Ok(None) };
    let live = listener::observe::live(&clients.elb, route).await?.state;
    if !listener::has_both_sides(route, &live) || live.is_like(before) {
        return Ok(None);
    }
    let group = &route.old_target_group_arn;
    let (healthy, total) = listener::observe::health(&clients.elb, group).await?;
    let is_sick = !at_least_percent(healthy, total, route.min_healthy_percent);
    let reason = || format!("{healthy} of {total} targets of the old target group {group} are healthy");
    Ok(is_sick.then(reason))
}

/// What a run made beside a route and that is there still.
///
/// # Errors
/// AWS errors.
pub async fn left(clients: &Clients, route: &Route, run_id: &str, index: usize) -> StepResult<Vec<Left>> {
    match route {
        Route::Listener(_) => Ok(Vec::new()),
        Route::Dns(route) => name::health_check::left(&clients.route53, run_id, index, route).await,
    }
}
