//! A route of any kind, as AWS has it: each place here lists the kinds.

use std::sync::Arc;
use std::time::Duration;

use access::Access;
use aws_sdk_route53::config::SharedHttpClient;
use aws_sdk_route53::config::retry::RetryConfig;
use aws_sdk_route53::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use cutover::arn::Place;
use cutover::bootstrap::Environment;
use cutover::finding::{settled, unreached};
use cutover::paced::paced;
use cutover::plan::{Plan, Route};
use cutover::rate::Draw;
use cutover::verdict::at_least_percent;
use cutover::{Finding, StepResult};
use jiff::Timestamp;

use crate::behind::Behind;
use crate::kind::{Left, RouteOfRun, RouteState};
use crate::{in_dns, listener, name};

/// So often a request of a call that goes on where it is throttled is tried, each time after a pause.
const TRIES_OF_ONE_CALL: u32 = 8;
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Puts something between clients and their connections.
type Over = fn(SharedHttpClient) -> SharedHttpClient;

/// What routes are observed and moved by.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Elastic Load Balancing.
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    /// Route 53.
    pub route53: aws_sdk_route53::Client,
    /// What they are made of.
    aws: SdkConfig,
    access: Access,
    draw: Option<Arc<dyn Draw>>,
    over: Option<Over>,
}

impl Clients {
    /// The clients of a function, in the stack's own account and region. Elsewhere it does no more than these actions.
    ///
    /// # Errors
    /// Those of [`Access::of`].
    pub fn new(environment: &Environment, actions: &'static [&'static str]) -> Result<Self, lambda_runtime::Error> {
        Ok(Self::over(&environment.aws, Access::of(environment, actions)?))
    }

    /// Those of a tool beside the functions, which enters no other account.
    pub fn of_one_place(aws: &SdkConfig) -> Self {
        Self::over(aws, Access::nowhere_else(aws))
    }

    fn over(aws: &SdkConfig, access: Access) -> Self {
        let elb = aws_sdk_elasticloadbalancingv2::Client::new(aws);
        Self { elb, route53: aws_sdk_route53::Client::new(aws), aws: aws.clone(), access, draw: None, over: None }
    }

    /// For a run, in whose name other accounts are entered. Each request to Route 53 draws a slot first; `None` waits for nothing.
    pub fn for_run(&self, run_id: &str, now: Timestamp, draw: Option<Arc<dyn Draw>>) -> Self {
        Self { access: self.access.for_run(run_id, now), ..self.drawing(draw) }
    }

    /// What other accounts and regions are reached by.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Those of the account and region where a route is. The balancers that a name's records lead to are not where its zone is: they
    /// are looked for in the stack's own account and region.
    ///
    /// # Errors
    /// Those of [`Access`].
    pub async fn of(&self, route: &Route) -> StepResult<Self> {
        Ok(self.elsewhere(route).await?.unwrap_or_else(|| self.clone()))
    }

    /// The same; none where the route is in the stack's own account and region.
    ///
    /// # Errors
    /// Those of [`Access`].
    pub async fn elsewhere(&self, route: &Route) -> StepResult<Option<Self>> {
        self.there(route.place(), matches!(route, Route::Dns(_))).await
    }

    async fn there(&self, place: Option<Place<'_>>, is_name: bool) -> StepResult<Option<Self>> {
        let Some(aws) = self.access.at(place).await? else { return Ok(None) };
        let there = Self::over(&aws, self.access.clone());
        let there = match (self.draw.clone(), self.over) {
            (Some(draw), Some(over)) => there.for_one_call(draw, over),
            (draw, _) => there.drawing(draw),
        };
        Ok(Some(if is_name { Self { elb: self.elb.clone(), ..there } } else { there }))
    }

    async fn of_run(&self, route: RouteOfRun<'_>) -> StepResult<Self> {
        let there = match route {
            RouteOfRun::Listener(route, _) => self.there(route.place(), false).await?,
            RouteOfRun::Dns(route, _) => self.there(route.place(), true).await?,
        };
        Ok(there.unwrap_or_else(|| self.clone()))
    }

    fn drawing(&self, draw: Option<Arc<dyn Draw>>) -> Self {
        let same = Self { draw: draw.clone(), ..self.clone() };
        let (Some(draw), Some(http)) = (draw, self.aws.http_client()) else { return same };
        let config = aws_sdk_route53::config::Builder::from(&self.aws).http_client(paced(http, draw));
        // The wait for the slot must not count: each try has its time-out below.
        let config = config.timeout_config(TimeoutConfig::disabled()).build();
        Self { route53: aws_sdk_route53::Client::from_conf(config), ..same }
    }

    /// The same for one call that reads much: each request to Route 53 draws a slot, and is tried again for as long as the call has.
    /// `over` is put between the clients and their connections, above the slots: once for each, and anew in each account and region.
    pub fn for_one_call(&self, draw: Arc<dyn Draw>, over: fn(SharedHttpClient) -> SharedHttpClient) -> Self {
        let same = Self { draw: Some(draw.clone()), over: Some(over), ..self.clone() };
        let Some(http) = self.aws.http_client() else { return same };
        let elb = aws_sdk_elasticloadbalancingv2::config::Builder::from(&self.aws).http_client(over(http.clone()));
        let retries = RetryConfig::standard().with_max_attempts(TRIES_OF_ONE_CALL).with_max_backoff(LONGEST_PAUSE);
        let route53 = aws_sdk_route53::config::Builder::from(&self.aws).http_client(over(paced(http, draw)));
        // As where slots are drawn: the waits must not count.
        let route53 = route53.retry_config(retries).timeout_config(TimeoutConfig::disabled());
        Self {
            elb: aws_sdk_elasticloadbalancingv2::Client::from_conf(elb.build()),
            route53: aws_sdk_route53::Client::from_conf(route53.build()),
            ..same
        }
    }
}

/// The live state of a route.
///
/// # Errors
/// AWS errors, and `Cutover.Drift` for a state that no plan can move.
pub async fn observe(clients: &Clients, route: &Route) -> StepResult<RouteState> {
    let clients = &clients.of(route).await?;
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
    let clients = &clients.of_run(of_run).await?;
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
    let clients = &match settled(clients.of(&plan.routes[index]).await)? {
        Ok(clients) => clients,
        Err(error) => {
            findings.push(unreached(path, &error));
            return Ok(None);
        }
    };
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

/// The tags, key and value, of all that a route moves: of a listener or rule, its load balancer and the groups; of a name's hosted zone.
///
/// # Errors
/// AWS errors, and those of [`Access`].
pub async fn tags(clients: &Clients, route: &Route) -> StepResult<Vec<(String, String)>> {
    let clients = &clients.of(route).await?;
    match route {
        Route::Listener(route) => {
            let tags = listener::precheck::tags(&clients.elb, route).await?;
            Ok(tags.into_iter().flat_map(|(_, tags)| tags).collect())
        }
        Route::Dns(route) => name::precheck::tags(&clients.route53, route).await,
    }
}

/// Why traffic that the new side has should not go back to the old one by itself: that is not healthy. None where the new
/// side has none, or where nothing speaks of the old side's health.
///
/// # Errors
/// AWS errors.
pub async fn sick_old_side(clients: &Clients, of_run: RouteOfRun<'_>) -> StepResult<Option<String>> {
    let RouteOfRun::Listener(route, before) = of_run else { return Ok(None) };
    let clients = &clients.of_run(of_run).await?;
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
        Route::Dns(name) => name::health_check::left(&clients.of(route).await?.route53, run_id, index, name).await,
    }
}
