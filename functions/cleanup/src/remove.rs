//! What one route no longer needs: its old target group, or the health checks of its pair.

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_sdk_elasticloadbalancingv2::types::TargetGroup;
use cutover::contract::Caller;
use cutover::plan::{ListenerRoute, Route};
use cutover::schedule::MOST_HISTORY_EVENTS;
use cutover::{StepError, StepResult};
use jiff::{SignedDuration, Timestamp};
use journal::{Phase, Run};
use routes::listener::pair;
use serde::{Deserialize, Serialize};

use crate::{Clients, RouteToTidy};

/// The time between two looks at an old group that still serves sticky clients.
const TRAFFIC_INTERVAL_SECONDS: u64 = 3600;
/// So many looks make a week: group stickiness lasts 604,800 s at the most.
const MOST_TRAFFIC_LOOKS: u32 = 168;
/// The function, a Choice, a Wait: entered, scheduled, started, succeeded, exited.
const EVENTS_PER_LOOK: u64 = 9;
/// ALB datapoints arrive a period or two late; five minutes see them.
const TRAFFIC_WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// What came of one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The route's place in the plan.
    pub route: usize,
    /// Whether this is the result; otherwise wait, and call again.
    pub settled: bool,
    /// How long to wait.
    pub wait_seconds: u64,
    /// What was removed.
    pub removed: Vec<String>,
    /// What was kept, and why.
    pub kept: Vec<String>,
}

impl Removal {
    fn done(route: usize) -> Self {
        Self { route, settled: true, wait_seconds: 0, removed: Vec::new(), kept: Vec::new() }
    }

    fn keeping(route: usize, reason: String) -> Self {
        Self { kept: vec![reason], ..Self::done(route) }
    }
}

/// The routes, and what each leaves behind.
pub(crate) fn routes(run: &Run) -> Vec<RouteToTidy> {
    let to_tidy =
        |(index, route)| RouteToTidy { route: index, leaves: routes::kind::leaves(route, &run.run_id, index) };
    run.plan.routes.iter().enumerate().map(to_tidy).collect()
}

/// Removes what a route no longer needs.
pub(crate) async fn remove(
    clients: &Clients,
    caller: &Caller,
    route: usize,
    attempt: u32,
    now: Timestamp,
) -> StepResult<Removal> {
    let run = clients.journal.fence(caller, Phase::Cleaning).await?;
    match run.plan.routes.get(route) {
        Some(Route::Listener(_)) => old_target_group(clients, caller, &run, route, attempt, now).await,
        Some(Route::Dns(dns)) if dns.health_checks.is_some() => {
            routes::name::health_check::delete_of_run(&clients.routes.route53, &run.run_id, route).await?;
            Ok(Removal { removed: vec![format!("health checks of {}", dns.record_name)], ..Removal::done(route) })
        }
        Some(Route::Dns(_)) => Ok(Removal::done(route)),
        None => Err(StepError::invalid(format!("routes[{route}] is not in the plan"))),
    }
}

/// How often a route is looked at while its old group still serves: one execution looks after all of them, one after the
/// other, and its history has to have room.
fn most_looks(routes: usize) -> u32 {
    let fitting = MOST_HISTORY_EVENTS / EVENTS_PER_LOOK / routes.max(1) as u64;
    u32::try_from(fitting).unwrap_or(u32::MAX).min(MOST_TRAFFIC_LOOKS)
}

async fn old_target_group(
    clients: &Clients,
    caller: &Caller,
    run: &Run,
    index: usize,
    attempt: u32,
    now: Timestamp,
) -> StepResult<Removal> {
    let (route, before) = run.listener(index)?;
    let group = &route.old_target_group_arn;
    if !run.plan.cleanup.delete_old_target_group {
        return Ok(Removal::keeping(index, format!("{group}: the plan does not ask to delete it")));
    }
    let Some(described) = describe(&clients.routes.elb, group).await? else {
        return Ok(Removal { removed: vec![group.clone()], ..Removal::done(index) });
    };
    if serves(&clients.cloudwatch, &described, now).await? {
        let routes = run.plan.routes.len();
        if attempt >= most_looks(routes) {
            let hours = u64::from(attempt) * TRAFFIC_INTERVAL_SECONDS / 3600;
            return Ok(Removal::keeping(
                index,
                format!("{group}: it still serves traffic after {hours} hours of looking"),
            ));
        }
        return Ok(Removal { settled: false, wait_seconds: TRAFFIC_INTERVAL_SECONDS, ..Removal::done(index) });
    }
    let whole = before.planned(pair(route), 100).map_err(StepError::invalid)?;
    let live = routes::listener::observe::live(&clients.routes.elb, route).await?;
    let without = before.finished(pair(route), true);
    if live.state.is_like(&whole) {
        clients.journal.fence(caller, Phase::Cleaning).await?;
        routes::listener::send::write(&clients.routes.elb, route, &live, &without).await?;
    } else if !live.state.is_like(&without) {
        let reason = format!("{group}: {} was changed to {} since", route.arn(), live.state.describe());
        return Ok(Removal::keeping(index, reason));
    }
    delete(clients, caller, route, index).await
}

/// Deletes the group if no load balancer routes to it any more.
async fn delete(clients: &Clients, caller: &Caller, route: &ListenerRoute, index: usize) -> StepResult<Removal> {
    let group = &route.old_target_group_arn;
    let described = describe(&clients.routes.elb, group).await?;
    if let Some(balancer) = described.as_ref().and_then(|group| group.load_balancer_arns().first()) {
        return Ok(Removal::keeping(index, format!("{group}: {balancer} still references it")));
    }
    clients.journal.fence(caller, Phase::Cleaning).await?;
    match clients.routes.elb.delete_target_group().target_group_arn(group).send().await {
        Ok(_) => Ok(Removal { removed: vec![group.clone()], ..Removal::done(index) }),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) => {
            Ok(Removal::keeping(index, format!("{group}: a listener or rule still references it")))
        }
        Err(error) => Err(StepError::from_aws(&format!("elasticloadbalancing:DeleteTargetGroup {group}"), &error)),
    }
}

async fn describe(elb: &aws_sdk_elasticloadbalancingv2::Client, group: &str) -> StepResult<Option<TargetGroup>> {
    match elb.describe_target_groups().target_group_arns(group).send().await {
        Ok(answer) => Ok(answer.target_groups.unwrap_or_default().into_iter().next()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_target_group_not_found_exception()) => {
            Ok(None)
        }
        Err(error) => Err(StepError::from_aws(&format!("elasticloadbalancing:DescribeTargetGroups {group}"), &error)),
    }
}

/// Whether the group served requests lately. RequestCount is reported whenever there is traffic (ALB metrics guide), so
/// its absence over the whole window is absence of traffic.
async fn serves(cloudwatch: &aws_sdk_cloudwatch::Client, group: &TargetGroup, now: Timestamp) -> StepResult<bool> {
    for balancer in group.load_balancer_arns() {
        let query = request_count(group.target_group_arn().unwrap_or_default(), balancer);
        let answer = cloudwatch
            .get_metric_data()
            .metric_data_queries(query)
            .start_time(seconds(now - TRAFFIC_WINDOW))
            .end_time(seconds(now))
            .send()
            .await
            .map_err(|error| StepError::from_aws("cloudwatch:GetMetricData RequestCount", &error))?;
        if answer.metric_data_results().iter().any(|result| result.values().iter().any(|count| *count > 0.0)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn seconds(at: Timestamp) -> aws_sdk_cloudwatch::primitives::DateTime {
    aws_sdk_cloudwatch::primitives::DateTime::from_secs(at.as_second())
}

fn request_count(group: &str, balancer: &str) -> MetricDataQuery {
    let last = |arn: &str, kind: &str| arn.split_once(kind).map_or(arn.to_owned(), |(_, rest)| rest.to_owned());
    let dimension = |name: &str, value: String| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace("AWS/ApplicationELB")
        .metric_name("RequestCount")
        .dimensions(dimension("TargetGroup", format!("targetgroup/{}", last(group, ":targetgroup/"))))
        .dimensions(dimension("LoadBalancer", last(balancer, ":loadbalancer/")))
        .build();
    let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
    MetricDataQuery::builder().id("requests").metric_stat(stat).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_looks_of_all_routes_fit_into_one_history() {
        const MOST_ROUTES: usize = 20;
        const QUOTA: u64 = 25_000;
        let others_in_cleanup = 1_000;
        for routes in 1..=MOST_ROUTES {
            let looks = u64::from(most_looks(routes)) + 1; // the last one gives up
            assert!(looks * routes as u64 * EVENTS_PER_LOOK + others_in_cleanup < QUOTA, "{routes} routes");
        }
        assert_eq!(most_looks(1), MOST_TRAFFIC_LOOKS);
        assert_eq!(most_looks(13), MOST_TRAFFIC_LOOKS);
        assert!(most_looks(MOST_ROUTES) > 4 * 24, "fewer than four days");
    }
}
