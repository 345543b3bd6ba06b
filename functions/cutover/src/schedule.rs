//! The plan's steps as one list for the state machine to go through, and what the run costs in history events.

use serde::{Deserialize, Serialize};

use crate::plan::{Plan, Route};
use crate::{Finding, Seconds};

/// A Standard workflow execution has 25,000 history events (Step Functions quotas); the rest is for following a
/// rollback, for retries, and for checks that need another look.
pub const MOST_HISTORY_EVENTS: u64 = 20_000;
/// Wait, function, Choice: entered, scheduled, started, succeeded, exited.
const EVENTS_PER_CHECK: u64 = 9;
/// Everything of a run that does not depend on its plan, generously.
const EVENTS_PER_RUN: u64 = 300;
/// Preparing, moving and finalising one route, with the checks until each change is in effect.
const EVENTS_PER_ROUTE: u64 = 250;
/// Moving one step, settling and telling.
const EVENTS_PER_STEP: u64 = 150;

/// One weight on one route, ready for the state machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledStep {
    /// The route's place in the plan.
    pub route: usize,
    /// `listener` or `dns`.
    #[serde(rename = "type")]
    pub route_type: String,
    /// How a person calls the route.
    pub title: String,
    /// The step's place in its route.
    pub step: usize,
    /// The new side's share, in percent.
    pub new_weight: u8,
    /// How long the step is held under watch.
    pub hold_seconds: u64,
    /// Whether this is the first traffic of the whole run on the new side.
    pub first_traffic: bool,
}

/// All steps in the order in which they are taken.
pub fn steps(plan: &Plan) -> Vec<ScheduledStep> {
    let mut steps = Vec::new();
    let mut has_traffic = false;
    for (route_index, route) in plan.routes.iter().enumerate() {
        for (step_index, step) in route.steps().iter().enumerate() {
            let first_traffic = step.new_weight > 0 && !has_traffic;
            has_traffic |= first_traffic;
            steps.push(ScheduledStep {
                route: route_index,
                route_type: route_type(route).to_owned(),
                title: route.title(),
                step: step_index,
                new_weight: step.new_weight,
                hold_seconds: step.hold.0,
                first_traffic,
            });
        }
    }
    steps
}

/// `listener` or `dns`, as in the plan.
pub fn route_type(route: &Route) -> &'static str {
    match route {
        Route::Listener(_) => "listener",
        Route::Dns(_) => "dns",
    }
}

/// How many history events a run of this plan takes when all goes well, estimated from above.
pub fn history_events(plan: &Plan) -> u64 {
    let probes = plan.health_check.as_ref().map_or(0, |probe| 2 * u64::from(probe.attempts));
    let samples = plan.database.as_ref().map_or(0, |database| {
        let checks = database.give_up_after.0 / database.interval.0.max(1) + u64::from(database.samples);
        checks * if database.drain { 2 } else { 1 }
    });
    let checks: u64 = plan.routes.iter().flat_map(Route::steps).map(|step| checks_of_hold(plan, step.hold)).sum();
    let steps: u64 = plan.routes.iter().map(|route| route.steps().len() as u64).sum();
    EVENTS_PER_RUN
        + EVENTS_PER_ROUTE * plan.routes.len() as u64
        + EVENTS_PER_STEP * steps
        + EVENTS_PER_CHECK * (probes + samples + checks)
}

fn checks_of_hold(plan: &Plan, hold: Seconds) -> u64 {
    hold.0.div_ceil(plan.monitoring.interval.0.max(1)) + u64::from(plan.monitoring.no_data_limit) + 1
}

/// Refuses a plan whose run does not fit into one execution's history, and names an interval that does.
pub(crate) fn check(plan: &Plan, findings: &mut Vec<Finding>) {
    let events = history_events(plan);
    if events <= MOST_HISTORY_EVENTS {
        return;
    }
    let fits = |interval: &u64| {
        let mut slower = plan.clone();
        slower.monitoring.interval = Seconds(*interval);
        history_events(&slower) <= MOST_HISTORY_EVENTS
    };
    let fix = match (1..=60).map(|minutes| minutes * 60).find(fits) {
        Some(interval) => format!("an interval of {} fits", Seconds(interval)),
        None => "shorten the holds, lengthen database.interval, or split the plan".to_owned(),
    };
    let problem = format!("the run would take about {events} history events, more than {MOST_HISTORY_EVENTS}");
    findings.push(Finding::plan("$.monitoring.interval", problem, fix));
}
