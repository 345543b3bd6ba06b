//! What one route no longer needs: its old target group, or the health checks of its pair. What becomes of it is decided in
//! [`decide`](crate::decide).

use aws_sdk_elasticloadbalancingv2::types::TargetGroup;
use cutover::contract::Caller;
use cutover::error::name;
use cutover::plan::{ListenerRoute, Plan, Route};
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::{Phase, Run};
use routes::listener::actions::Live;
use routes::listener::{ListenerState, arns, pair};
use serde::{Deserialize, Serialize};

use crate::decide::{self, Facts, Next, Place};
use crate::traffic::{self, Traffic};
use crate::{Clients, RemoveRequest, RouteToTidy, for_run};

/// What came of one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The route's place in the plan.
    pub route: usize,
    /// Whether this is the result; otherwise wait, and call again.
    pub settled: bool,
    /// How long to wait.
    pub wait_seconds: u64,
    /// How often AWS has said that the group is still in use although nothing refers to it: to be sent with the next call.
    #[serde(default)]
    pub releasing: u32,
    /// What was removed.
    pub removed: Vec<String>,
    /// What was kept, and why.
    pub kept: Vec<String>,
    /// The command that deletes what was kept, once nobody needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<String>,
}

impl Removal {
    fn done(route: usize) -> Self {
        Self {
            route,
            settled: true,
            wait_seconds: 0,
            releasing: 0,
            removed: Vec::new(),
            kept: Vec::new(),
            by_hand: None,
        }
    }

    fn keeping(route: usize, reason: String) -> Self {
        Self { kept: vec![reason], ..Self::done(route) }
    }

    /// With the command that deletes the group, where it is kept.
    fn or_by_hand(self, group: &str) -> Self {
        let by_hand = (!self.kept.is_empty()).then(|| decide::by_hand(group));
        Self { by_hand, ..self }
    }

    fn waiting(route: usize, wait_seconds: u64) -> Self {
        Self { settled: false, wait_seconds, ..Self::done(route) }
    }
}

/// The routes, and what each leaves behind.
pub(crate) fn routes(run: &Run) -> Vec<RouteToTidy> {
    let to_tidy =
        |(index, route)| RouteToTidy { route: index, leaves: routes::kind::leaves(route, &run.run_id, index) };
    run.plan.routes.iter().enumerate().map(to_tidy).collect()
}

/// Removes what a route no longer needs.
pub(crate) async fn remove(clients: &Clients, request: &RemoveRequest, now: Timestamp) -> StepResult<Removal> {
    let (caller, route) = (&request.caller, request.route);
    let run = clients.journal.fence(caller, Phase::Cleaning).await?;
    match run.plan.routes.get(route) {
        Some(Route::Listener(_)) => old_target_group(clients, request, &run, now).await,
        Some(Route::Dns(dns)) if dns.health_checks.is_some() => {
            let clients = &for_run(clients, &run, 1, now);
            let there = clients.routes.of(&run.plan.routes[route]).await?;
            routes::name::health_check::delete_of_run(&there.route53, &run.run_id, route).await?;
            Ok(Removal { removed: vec![format!("health checks of {}", dns.record_name)], ..Removal::done(route) })
        }
        Some(Route::Dns(_)) => Ok(Removal::done(route)),
        None => Err(StepError::invalid(format!("routes[{route}] is not in the plan"))),
    }
}

async fn old_target_group(
    clients: &Clients,
    request: &RemoveRequest,
    run: &Run,
    now: Timestamp,
) -> StepResult<Removal> {
    let index = request.route;
    let (route, before) = run.listener(index)?;
    let clients = &at(clients, run, index, now).await?;
    let group = &route.old_target_group_arn;
    let is_asked = run.plan.cleanup.delete_old_target_group;
    let live = routes::listener::observe::live(&clients.routes.elb, route).await?;
    let finished = before.finished(pair(route), is_asked);
    let place = place(route, before, &live.state, &finished)?;
    let facts = look(clients, request, run, (route, &live.state, place), now).await?;
    let go = || let_go(clients, &request.caller, route, (&live, &finished));
    match decide::next(&facts) {
        Next::Gone => Ok(Removal::keeping(index, gone(group, is_asked))),
        Next::Wait => Ok(Removal::waiting(index, decide::TRAFFIC_INTERVAL_SECONDS)),
        // Somebody else has given it traffic: theirs to say when nobody needs it.
        Next::Keep(reason) if matches!(facts.place, Place::Elsewhere(_)) => Ok(Removal::keeping(index, reason)),
        Next::Keep(reason) => Ok(Removal::keeping(index, reason).or_by_hand(group)),
        Next::LetGo(reason) => go().await.map(|()| Removal::keeping(index, reason).or_by_hand(group)),
        Next::Leave => go().await.map(|()| Removal::done(index)),
        Next::Delete => {
            go().await?;
            delete(clients, request, group).await
        }
    }
}

/// The clients of the account and region where a route is, its balancer's metrics among them.
async fn at(clients: &Clients, run: &Run, index: usize, now: Timestamp) -> StepResult<Clients> {
    let own = clients.routes.for_run(&run.run_id, now, None);
    let route = &run.plan.routes[index];
    let Some(routes) = own.elsewhere(route).await? else { return Ok(clients.clone()) };
    let cloudwatch = own.access().client(&clients.cloudwatch, route.place(), aws_sdk_cloudwatch::Client::new).await?;
    Ok(Clients { routes, cloudwatch, ..clients.clone() })
}

/// Everything that is known of the old group.
async fn look<'a>(
    clients: &Clients,
    request: &RemoveRequest,
    run: &'a Run,
    (route, live, place): (&'a ListenerRoute, &ListenerState, Place),
    now: Timestamp,
) -> StepResult<Facts<'a>> {
    let group = &route.old_target_group_arn;
    let described = describe(&clients.routes.elb, group).await?;
    let balancers = balancers(route, described.as_ref());
    let traffic = match &described {
        Some(_) => {
            let place = traffic::Place { group, balancers: &balancers, started_at: &run.started_at };
            traffic::of(&clients.cloudwatch, place, now).await?
        }
        None => Traffic::Silent,
    };
    Ok(Facts {
        arn: route.arn(),
        group,
        is_asked: run.plan.cleanup.delete_old_target_group,
        is_in_trouble: request.is_in_trouble,
        exists: described.is_some(),
        later: later(&run.plan, request.route, group),
        led_by: led_by(clients, route, &balancers, &traffic).await?,
        place,
        lingers: lingers(route, live),
        traffic,
        attempt: request.attempt,
        most_looks: decide::most_looks(run.plan.routes.len()),
    })
}

/// Where the action is, seen from the states that the run and cleanup give it.
fn place(
    route: &ListenerRoute,
    before: &ListenerState,
    live: &ListenerState,
    finished: &ListenerState,
) -> StepResult<Place> {
    let whole = before.planned(pair(route), 100).map_err(StepError::invalid)?;
    Ok(if live.is_like(finished) {
        Place::Finished
    } else if live.is_like(&whole) {
        Place::Whole
    } else {
        Place::Elsewhere(live.describe_beside(&whole))
    })
}

/// Whether clients may stay with a group of weight 0: by group stickiness, or by connections that go on.
fn lingers(route: &ListenerRoute, live: &ListenerState) -> bool {
    live.forward.sticky_seconds().is_some() || arns::is_network(route.arn())
}

/// The load balancers that may have sent the old group traffic: those that have it, and the route's own, which may have let it
/// go just now.
fn balancers(route: &ListenerRoute, described: Option<&TargetGroup>) -> Vec<String> {
    let mut balancers: Vec<String> = described.map(TargetGroup::load_balancer_arns).unwrap_or_default().to_vec();
    let own = arns::balancer(route.arn()).filter(|own| !balancers.contains(own));
    balancers.extend(own);
    balancers
}

/// A later route of the plan that moves traffic away from the same group.
fn later(plan: &Plan, index: usize, group: &str) -> Option<usize> {
    let is_from_it = |route: &Route| matches!(route, Route::Listener(route) if route.old_target_group_arn == group);
    plan.routes.iter().skip(index + 1).position(is_from_it).map(|place| index + 1 + place)
}

/// Who else forwards to a group that serves. What may not be looked at is nobody.
async fn led_by(
    clients: &Clients,
    route: &ListenerRoute,
    balancers: &[String],
    traffic: &Traffic,
) -> StepResult<Option<String>> {
    if *traffic != Traffic::Serves {
        return Ok(None);
    }
    let group = &route.old_target_group_arn;
    match routes::listener::behind::another(&clients.routes.elb, balancers, group, route.arn()).await {
        Err(error) if error.name == name::NOT_PERMITTED => Ok(None),
        found => found,
    }
}

/// Takes the old group out of the action, unless it is out of it.
async fn let_go(
    clients: &Clients,
    caller: &Caller,
    route: &ListenerRoute,
    (live, finished): (&Live, &ListenerState),
) -> StepResult<()> {
    if !live.state.is_like(finished) {
        clients.journal.fence(caller, Phase::Cleaning).await?;
        routes::listener::send::write(&clients.routes.elb, route, live, finished).await?;
    }
    Ok(())
}

/// Deletes the group if no load balancer refers to it any more. AWS lets go of one only after a while.
async fn delete(clients: &Clients, request: &RemoveRequest, group: &str) -> StepResult<Removal> {
    let described = describe(&clients.routes.elb, group).await?;
    if let Some(balancer) = described.as_ref().and_then(|group| group.load_balancer_arns().first()) {
        return Ok(in_use(request, format!("{group}: {balancer} still refers to it")).or_by_hand(group));
    }
    clients.journal.fence(&request.caller, Phase::Cleaning).await?;
    match clients.routes.elb.delete_target_group().target_group_arn(group).send().await {
        Ok(_) => Ok(Removal { removed: vec![group.to_owned()], ..Removal::done(request.route) }),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) => {
            Ok(in_use(request, format!("{group}: {NOT_RELEASED}")).or_by_hand(group))
        }
        Err(error) => Err(StepError::from_aws(&format!("elasticloadbalancing:DeleteTargetGroup {group}"), &error)),
    }
}

/// Nothing refers to it that could be seen.
const NOT_RELEASED: &str = "Elastic Load Balancing has not released it yet, and no load balancer has it any more";

/// A group that is not there. Whether this cleanup deleted it, at a try whose answer was lost, or somebody else, nobody can say.
fn gone(group: &str, is_asked: bool) -> String {
    let by = if is_asked { ", by an earlier try of this cleanup or by somebody else" } else { "" };
    format!("{group}: it is gone already{by}")
}

/// A group in use is tried again for some minutes, then kept.
fn in_use(request: &RemoveRequest, reason: String) -> Removal {
    if decide::is_release_awaited(request.releasing, request.attempt) {
        let waiting = Removal::waiting(request.route, decide::RELEASE_INTERVAL_SECONDS);
        return Removal { releasing: request.releasing + 1, ..waiting };
    }
    Removal::keeping(request.route, reason)
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

#[cfg(test)]
mod tests {
    use routes::listener::{Forward, Stickiness, WeightedGroup};
    use serde_json::json;

    use super::*;

    fn route(balancer: &str, group_stickiness: Option<u64>) -> ListenerRoute {
        let arn = format!("arn:aws:elasticloadbalancing:r:1:listener/{balancer}/shop/1/2");
        let route = json!({ "listener_arn": arn, "old_target_group_arn": "old", "new_target_group_arn": "new",
            "group_stickiness": group_stickiness, "steps": [{ "new_weight": 100 }] });
        serde_json::from_value(route).unwrap()
    }

    fn state(groups: &[(&str, i32)], sticky_seconds: Option<i32>) -> ListenerState {
        let groups = groups.iter().map(|(arn, weight)| WeightedGroup { arn: (*arn).to_owned(), weight: Some(*weight) });
        let stickiness = sticky_seconds.map(|seconds| Stickiness { enabled: true, duration_seconds: Some(seconds) });
        let forward = Forward { order: None, target_group_arn: None, groups: groups.collect(), stickiness };
        ListenerState { forward, others: vec![] }
    }

    #[test]
    fn an_action_is_where_the_run_left_it_or_as_its_owner_would_write_it_or_somebody_elses() {
        let (route, before) = (route("app", None), state(&[("old", 1)], None));
        let place = |live: &[(&str, i32)]| {
            place(&route, &before, &state(live, None), &before.finished(pair(&route), true)).unwrap()
        };
        assert_eq!(place(&[("old", 0), ("new", 100)]), Place::Whole);
        assert_eq!(place(&[("new", 1)]), Place::Finished);
        for live in [&[("old", 1)][..], &[("old", 50), ("new", 50)], &[("new", 100)]] {
            assert!(matches!(place(live), Place::Elsewhere(_)), "{live:?}");
        }
    }

    #[test]
    fn the_runs_own_stickiness_goes_with_the_old_group() {
        let (route, before) = (route("app", Some(60)), state(&[("old", 1)], None));
        let finished = before.finished(pair(&route), false);
        let live = state(&[("old", 0), ("new", 100)], Some(60));
        assert_eq!(place(&route, &before, &live, &finished), Ok(Place::Whole));
        assert_eq!(finished, state(&[("new", 1)], None));
        assert!(lingers(&route, &live), "its clients are waited for");
    }

    #[test]
    fn clients_stay_by_stickiness_or_by_connections() {
        let silent = state(&[("old", 0), ("new", 100)], None);
        assert!(!lingers(&route("app", None), &silent));
        assert!(lingers(&route("app", None), &state(&[("new", 1)], Some(60))));
        assert!(lingers(&route("net", None), &silent));
    }

    #[test]
    fn a_load_balancer_that_has_just_let_the_group_go_is_still_looked_at() {
        let own = "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/shop/1".to_owned();
        let group = |arns: &[&str]| {
            let arns = arns.iter().map(|arn| (*arn).to_owned()).collect();
            TargetGroup::builder().set_load_balancer_arns(Some(arns)).build()
        };
        let of = |group: TargetGroup| balancers(&route("app", None), Some(&group));
        assert_eq!(of(group(&[])), std::slice::from_ref(&own));
        assert_eq!(of(group(&[&own])), std::slice::from_ref(&own));
        assert_eq!(of(group(&["other"])), ["other".to_owned(), own]);
    }

    #[test]
    fn the_last_route_from_a_group_is_the_one_after_which_none_comes() {
        let route = |arn: &str, old: &str| {
            json!({ "type": "listener", "listener_arn": arn, "old_target_group_arn": old,
            "new_target_group_arn": "new", "steps": [] })
        };
        let plan = json!({ "application": "a", "routes": [route("1", "old"), route("2", "other"), route("3", "old")] });
        let plan: Plan = serde_json::from_value(plan).unwrap();
        assert_eq!([0, 1, 2].map(|index| later(&plan, index, "old")), [Some(2), Some(2), None]);
        assert_eq!(later(&plan, 0, "other"), Some(1));
        assert_eq!(later(&plan, 1, "other"), None);
    }

    fn request(releasing: u32) -> RemoveRequest {
        let request = json!({ "run_id": "run", "execution_arn": "me", "state": "RemoveFromRoute", "route": 3, "attempt": 0, "releasing": releasing });
        serde_json::from_value(request).unwrap()
    }

    #[test]
    fn a_group_that_is_not_there_is_not_called_removed() {
        assert_eq!(gone("old", false), "old: it is gone already");
        assert_eq!(gone("old", true), "old: it is gone already, by an earlier try of this cleanup or by somebody else");
    }

    #[test]
    fn a_group_in_use_is_tried_again_and_then_kept() {
        let waits = in_use(&request(2), "why".to_owned());
        assert_eq!((waits.settled, waits.releasing, waits.route), (false, 3, 3));
        assert_eq!(waits.wait_seconds, decide::RELEASE_INTERVAL_SECONDS);
        assert_eq!(in_use(&request(10), "why".to_owned()), Removal::keeping(3, "why".to_owned()));
    }

    #[test]
    fn what_is_kept_has_the_command_beside_its_reason_and_what_is_gone_has_none() {
        let group = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/old/1";
        let kept = Removal::keeping(0, format!("{group}: nobody knows")).or_by_hand(group);
        let command = format!("aws elbv2 delete-target-group --target-group-arn {group} --region eu-west-1");
        assert_eq!((kept.kept, kept.by_hand), (vec![format!("{group}: nobody knows")], Some(command)));
        assert_eq!(Removal::done(0).or_by_hand(group).by_hand, None);
        assert_eq!(Removal::waiting(0, 30).or_by_hand(group).by_hand, None);
        let before = json!({ "route": 0, "settled": true, "wait_seconds": 0, "removed": [], "kept": ["x"] });
        assert!(serde_json::from_value::<Removal>(before).is_ok_and(|removal| removal.by_hand.is_none()));
    }
}
