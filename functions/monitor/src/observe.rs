//! What Elastic Load Balancing and CloudWatch say. A look that fails is a check that says so, except that a denied call
//! ends the step: it will be denied again.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::Client as Elb;
use cutover::arn::{Place, short_name, target_group_dimension};
use cutover::error::name;
use cutover::plan::Route;
use cutover::verdict::Verdict;
use cutover::{Plan, Seconds, StepError, StepResult};
use futures_util::future::join_all;
use jiff::Timestamp;
use journal::Run;
use routes::name::balanced::Balanced;
use routes::{RouteOfRun, RouteState};
use watch::{Held, Metrics};

use crate::metrics::Window;
use crate::names::Name;
use crate::{Check, Clients, Request, alarms, decide, names, queries, share};

/// Load balancers report each minute.
const REQUESTS_PERIOD: Seconds = Seconds(60);

/// Looks at every route of the run: whether it is where the plan has it while `route` is held at `new_weight` percent.
///
/// # Errors
/// `Cutover.Drift` for a route that is not, seen twice, since a read can be behind; `Cutover.NotPermitted`.
pub async fn routes(clients: &routes::any::Clients, run: &Run, route: usize, new_weight: u8) -> StepResult<Vec<Check>> {
    let looks = (0..run.plan.routes.len()).map(|index| async move {
        let percent = decide::percent_of(index, route, new_weight);
        match is_at(clients, run, index, percent).await? {
            Ok(checks) => Ok(checks),
            Err(_) => {
                is_at(clients, run, index, percent).await?.map_err(|problem| StepError::new(name::DRIFT, problem))
            }
        }
    });
    let checks: StepResult<Vec<Vec<Check>>> = join_all(looks).await.into_iter().collect();
    Ok(checks?.into_iter().flatten().collect())
}

/// Looks, after the cutover, at what Route 53 answers the run's names by beside their weights. Whether they are where the cutover left
/// them is cleanup's to say: of one that is not, nothing is said here.
///
/// # Errors
/// `Cutover.NotPermitted`.
pub async fn finished_names(clients: &routes::any::Clients, run: &Run) -> StepResult<Vec<Check>> {
    let looks = (0..run.plan.routes.len()).map(|index| finished_name(clients, run, index));
    let checks: StepResult<Vec<Vec<Check>>> = join_all(looks).await.into_iter().collect();
    Ok(checks?.into_iter().flatten().collect())
}

async fn finished_name(clients: &routes::any::Clients, run: &Run, index: usize) -> StepResult<Vec<Check>> {
    let (of_run, title) = (run.route(index)?, run.plan.routes[index].title());
    let RouteOfRun::Dns(route, before) = of_run else { return Ok(Vec::new()) };
    let left = of_run.finished()?;
    if !names::has_health(route, before, &left) {
        return Ok(Vec::new());
    }
    let live = match routes::any::look(clients, &run.plan, of_run).await {
        Ok((live, _)) => live,
        Err(error) if is_drift(&error) => return Ok(Vec::new()),
        Err(error) => return Ok(vec![failed(title, error)?]),
    };
    match &live {
        RouteState::Dns { records, .. } if of_run.is_at(&live, &left) => {
            let name = Name { route, before, live: records, percent: 100, is_finished: true };
            health(clients, &run.plan.routes[index], name).await
        }
        _ => Ok(Vec::new()),
    }
}

/// The checks of a name's health, which are in the account of its zone.
async fn health(clients: &routes::any::Clients, route: &Route, name: Name<'_>) -> StepResult<Vec<Check>> {
    match clients.of(route).await {
        Ok(there) => names::health(&there, name).await,
        Err(error) => Ok(vec![failed(route.title(), error)?]),
    }
}

/// Whether a look says that somebody else changed what it was at, or deleted it.
fn is_drift(error: &StepError) -> bool {
    [name::DRIFT, name::REFUSED].contains(&error.name)
}

/// What is said of a route that cannot be looked at since somebody else changed it, or deleted it.
fn changed(title: &str, error: StepError) -> String {
    match error.name {
        name::REFUSED => format!("{title} cannot be looked at: {}: somebody else deleted or changed it", error.message),
        _ => error.message,
    }
}

/// Checks that say that a route is where the plan has it, or that this was not seen, and how its health checks are; a problem
/// where it is elsewhere, or gone.
async fn is_at(
    clients: &routes::any::Clients,
    run: &Run,
    index: usize,
    percent: u8,
) -> StepResult<Result<Vec<Check>, String>> {
    let (of_run, route) = (run.route(index)?, &run.plan.routes[index]);
    let planned = of_run.planned(percent)?;
    let (live, past) = match routes::any::look(clients, &run.plan, of_run).await {
        Ok(looked) => looked,
        Err(error) if is_drift(&error) => return Ok(Err(changed(&route.title(), error))),
        Err(error) => return Ok(Ok(vec![failed(route.title(), error)?])),
    };
    if !of_run.is_at(&live, &planned) {
        let (seen, planned) = (live.describe_beside(&planned), planned.describe_beside(&live));
        let title = route.title();
        return Ok(Err(format!(
            "{title} is at [{seen}], and this step has it at [{planned}]: somebody else changed it"
        )));
    }
    if let Some(past) = past {
        return Ok(Err(format!("{past}: somebody else changed it")));
    }
    let mut checks = vec![Check::new(route.title(), Verdict::Healthy, live.describe())];
    if let (RouteOfRun::Dns(name, before), RouteState::Dns { records: live, .. }) = (&of_run, &live) {
        let name = Name { route: name, before, live, percent, is_finished: false };
        checks.extend(health(clients, route, name).await?);
    }
    Ok(Ok(checks))
}

/// Looks at the requests of both sides of the route that is held, where load balancers count them: the new side's share in percent, and what it
/// says.
///
/// # Errors
/// `Cutover.NotPermitted`, of a listener.
pub async fn share(
    clients: &Clients,
    metrics: &Metrics,
    run: &Run,
    request: &Request,
    now: Timestamp,
) -> StepResult<Option<(Option<f64>, Check)>> {
    if request.after_cutover || request.new_weight == 0 {
        return Ok(None);
    }
    let title = run.plan.routes[request.route].title();
    let window = Window::of_step(REQUESTS_PERIOD, request.elapsed_seconds, request.at.unwrap_or(now));
    if window.is_empty() {
        return Ok(None);
    }
    let (counted, explained) = match run.route(request.route)? {
        RouteOfRun::Listener(route, before) => {
            let Some(balancer) = route.application_balancer() else { return Ok(None) };
            let group = |arn| {
                vec![("LoadBalancer", balancer), ("TargetGroup", target_group_dimension(arn).unwrap_or_default())]
            };
            let groups = [group(&route.new_target_group_arn), group(&route.old_target_group_arn)];
            let is_sticky = before.forward.sticky_seconds().is_some() || route.group_stickiness.is_some();
            let counted = queries::requests(metrics, groups, window).await.map(Some);
            (counted, share::explained(&run.plan, request.route, is_sticky))
        }
        RouteOfRun::Dns(route, before) => {
            let Some(balancers) = before.balanced(route) else { return Ok(None) };
            // It is told and not judged: a look that fails must not hold a step.
            let counted = match of_balancers((clients, metrics), &balancers, window).await {
                Err(error) => {
                    let seen = format!("not seen: {}", error.message);
                    return Ok(Some((None, Check::new(share::title_of(&title), Verdict::Healthy, seen))));
                }
                counted => counted,
            };
            (counted, Some(share::OF_NAME))
        }
    };
    match counted {
        Ok(None) => Ok(None),
        Ok(Some([new, old])) => {
            let looked = share::look(&title, request.new_weight, share::Requests { new, old }, explained);
            Ok(looked.map(|(percent, check)| (Some(percent), check)))
        }
        Err(error) => failed(share::title_of(&title), error).map(|check| Some((None, check))),
    }
}

/// The requests of both sides' load balancers, the new one's first; none where one of them is no Application Load Balancer of this account
/// and region.
async fn of_balancers(
    (clients, metrics): (&Clients, &Metrics),
    balancers: &Balanced,
    window: Window,
) -> StepResult<Option<[u64; 2]>> {
    let Balanced { old, new } = balancers;
    let known = routes::balancers::counted_as(&clients.routes.elb, [old, new]).await?;
    let (Some(old), Some(new)) = (known.get(old), known.get(new)) else { return Ok(None) };
    let of = |balancer| vec![("LoadBalancer", balancer)];
    queries::requests(metrics, [of(new.as_str()), of(old.as_str())], window).await.map(Some)
}

/// Looks at target groups: their ARNs, and the share of targets that must be healthy.
///
/// # Errors
/// `Cutover.NotPermitted`.
pub async fn groups(clients: &Clients, groups: BTreeMap<&str, u8>) -> StepResult<Vec<Check>> {
    let mut checks = Vec::new();
    for (arn, percent) in groups {
        let elb = clients.routes.access().client(&clients.routes.elb, Place::of(arn), Elb::new).await?;
        checks.push(match routes::listener::observe::health(&elb, arn).await {
            Ok(counts) => decide::group(arn, counts, percent),
            Err(error) => failed(format!("target group {}", short_name(arn)), error)?,
        });
    }
    Ok(checks)
}

/// Looks at the plan's alarms, as far as they have something to say while the run is where it is `held`.
///
/// # Errors
/// `Cutover.NotPermitted`.
pub async fn alarms(clients: &Clients, plan: &Plan, held: Held) -> StepResult<Vec<Check>> {
    let names = &plan.monitoring.alarms;
    let seen = watch::observe::alarms(&clients.cloudwatch, clients.routes.access(), names).await;
    let look = |name: &String| match seen.get(name)? {
        Ok(alarm) => alarms::look(plan, name, alarm.as_ref(), held).map(Ok),
        Err(error) => Some(failed(format!("alarm {name}"), error.clone())),
    };
    names.iter().filter_map(look).collect()
}

/// A look that failed. One that was throttled says nothing of the new side: it does not count towards the plan's `no_data_limit`, however often that
/// happens, and the step goes on once there is a look.
pub(crate) fn failed(check: String, error: StepError) -> StepResult<Check> {
    match error.name {
        name::NOT_PERMITTED => Err(error),
        name::THROTTLED => Ok(Check {
            is_early: true,
            ..Check::new(check, Verdict::Inconclusive, format!("not looked at: {}", error.message))
        }),
        _ => Ok(Check::new(check, Verdict::Error, error.message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_often_looks_are_throttled_no_run_goes_back_for_it_and_no_step_is_over() {
        let monitoring = cutover::plan::Monitoring { no_data_limit: 1, ..cutover::plan::Monitoring::default() };
        let hold = decide::Hold { hold_seconds: 0, elapsed_seconds: 600, paused: false };
        let mut tally = crate::Tally::default();
        for _ in 0..100 {
            let throttled = failed("a".to_owned(), StepError::new(name::THROTTLED, "slow down")).unwrap();
            let decision = decide::decide(&monitoring, hold, &[throttled], &tally).unwrap();
            assert_eq!((decision.verdict, decision.done), (Verdict::Inconclusive, false));
            tally = decision.tally;
        }
        assert_eq!((tally.inconclusive, tally.no_data_in_row), (100, 0));
    }

    #[test]
    fn a_route_that_somebody_deleted_is_drift_and_a_look_that_fails_is_not() {
        let gone = "elasticloadbalancing:DescribeRules arn: RuleNotFound: One or more rules not found";
        let deleted = StepError::new(name::REFUSED, gone);
        assert!(is_drift(&deleted));
        let told = changed("rule r of shop", deleted);
        assert!(told.starts_with("rule r of shop cannot be looked at: ") && told.contains("deleted"), "{told}");
        let elsewhere = StepError::new(name::DRIFT, "rule r: it has 2 forward actions");
        assert!(is_drift(&elsewhere));
        assert_eq!(changed("rule r", elsewhere), "rule r: it has 2 forward actions");
        for passing in [name::THROTTLED, name::TRANSIENT, name::NOT_PERMITTED] {
            assert!(!is_drift(&StepError::new(passing, "slow")), "{passing}");
        }
    }

    #[test]
    fn a_look_that_fails_is_a_check_but_a_denied_one_ends_the_step() {
        let check = failed("a".to_owned(), StepError::new(name::TRANSIENT, "it was slow")).unwrap();
        assert_eq!((check.verdict, check.is_early, check.seen.as_str()), (Verdict::Error, false, "it was slow"));
        assert!(failed("a".to_owned(), StepError::new(name::NOT_PERMITTED, "no")).is_err());
    }
}
