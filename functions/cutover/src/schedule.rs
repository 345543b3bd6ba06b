//! The plan's steps as one list for the state machine to go through, and what the run costs in history events.

use serde::{Deserialize, Serialize};

use crate::budget::{MOST_PLAN_BYTES, json_bytes};
use crate::plan::{LoadTest, OnFailure, Plan, Route, TooLittleData};
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
/// One turn of a load test, beside its slices, and one slice.
const EVENTS_PER_LOAD_TURN: u64 = 15;
const EVENTS_PER_LOAD_SLICE: u64 = 9;
/// One hook or alarm: an iteration of a Map with at most two Tasks in it.
const EVENTS_PER_ITEM: u64 = 15;
/// So many periods of a metric have to be over before it has a value of a step, at the least and at the most: one is cut off by the step's beginning,
/// and the newest complete one arrives late.
const LEAST_PERIODS: u64 = 2;
const MOST_PERIODS: u64 = 3;
/// So many times at the most a person is asked whether a run goes on: the state machine counts.
pub const MOST_DECISIONS: u64 = 5;

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

/// How long a look at a held step has no value of a metric yet: until periods of it that lie wholly in the step are complete, two at the least,
/// three at the most. No step is over before.
fn until_values(plan: &Plan, periods: u64) -> Seconds {
    let longest = plan.monitoring.metrics.iter().map(|metric| metric.period.0).max().unwrap_or(0);
    Seconds(periods * longest)
}

/// How long a step is held at the least, or, with one period more, until all has been seen.
fn held(plan: &Plan, hold: Seconds, periods: u64) -> Seconds {
    if hold.0 == 0 { hold } else { hold.max(until_values(plan, periods)) }
}

/// How many history events a run of this plan takes when all goes well, estimated from above.
pub fn history_events(plan: &Plan) -> u64 {
    events_at(plan, plan.monitoring.interval)
}

/// The same, if the plan's monitoring had this interval.
fn events_at(plan: &Plan, interval: Seconds) -> u64 {
    let longer =
        if plan.monitoring.too_little_data == TooLittleData::Hold { plan.monitoring.hold_longer_at_most.0 } else { 0 };
    let looks = |seconds: u64| seconds.div_ceil(interval.0.max(1));
    let of_hold = |hold: Seconds| {
        looks(held(plan, hold, MOST_PERIODS).0) + looks(longer) + u64::from(plan.monitoring.no_data_limit) + 1
    };
    let probes = plan.health_check.as_ref().map_or(0, |probe| 2 * u64::from(probe.attempts));
    let samples = plan.database.as_ref().map_or(0, |database| {
        let checks = database.give_up_after.0 / database.interval.0.max(1) + u64::from(database.samples);
        checks * if plan.looks_before_traffic() { 2 } else { 1 }
    });
    let checks: u64 = plan.routes.iter().flat_map(Route::steps).map(|step| of_hold(step.hold)).sum();
    let until_healthy: u64 = plan.routes.iter().map(looks_until_healthy).sum();
    let steps: u64 = plan.routes.iter().map(|route| route.steps().len() as u64).sum();
    let hooks = &plan.hooks;
    let items = hooks.points().map(|(_, list)| list.len()).iter().sum::<usize>() + plan.alarms.len();
    let decisions = if plan.monitoring.on_failure == OnFailure::Hold { MOST_DECISIONS } else { 0 };
    let looks_at_trouble = u64::from(plan.monitoring.failure_limit.max(plan.monitoring.no_data_limit)) + 1;
    EVENTS_PER_RUN
        + plan.load_test.as_ref().map_or(0, load_events)
        + EVENTS_PER_ITEM * items as u64
        + EVENTS_PER_ROUTE * plan.routes.len() as u64
        + EVENTS_PER_STEP * steps
        + decisions * (EVENTS_PER_ITEM + EVENTS_PER_CHECK * looks_at_trouble)
        + EVENTS_PER_CHECK * (probes + samples + checks + until_healthy)
}

/// A load test that has to be repeated, with twice the slices.
fn load_events(test: &LoadTest) -> u64 {
    let of_round = |round| EVENTS_PER_LOAD_TURN + EVENTS_PER_LOAD_SLICE * u64::from(test.slices(round));
    test.turns() * (of_round(0) + of_round(1))
}

/// Most looks at the health checks that a plan brings with it, until they are attached.
fn looks_until_healthy(route: &Route) -> u64 {
    match route {
        Route::Dns(route) if route.brings_checks() => u64::from(route.most_check_looks()),
        Route::Listener(_) | Route::Dns(_) => 0,
    }
}

/// The least time that load test and steps take: their holds, as long as metrics need for a value, and what resolvers keep.
pub fn least_time(plan: &Plan) -> Seconds {
    let of_route = |route: &Route| {
        let settle = match route {
            Route::Listener(_) => 0,
            Route::Dns(route) => route.settle_seconds(),
        };
        route.steps().iter().map(|step| held(plan, step.hold, LEAST_PERIODS).0 + settle).sum::<u64>()
    };
    let load = plan.load_test.as_ref().map_or(0, |test| test.least_time().0);
    Seconds(load + plan.routes.iter().map(of_route).sum::<u64>())
}

/// Refuses a plan whose run would be rolled back at its deadline, with traffic moved, though all goes well. `old_ttls` is
/// how long the names' answers from before are waited out, once that is known.
pub fn check_time(plan: &Plan, old_ttls: Seconds) -> Option<Finding> {
    let least = Seconds(least_time(plan).0 + old_ttls.0);
    (least >= plan.timeout).then(|| {
        let mut holds = plan.routes.iter().flat_map(Route::steps).map(|step| step.hold);
        let values = until_values(plan, LEAST_PERIODS);
        let (what, shorten) = if holds.any(|hold| hold.0 > 0 && hold < values) {
            (format!("holds (each {values} at the least, two periods of a metric) and TTLs"), "the metrics' periods")
        } else {
            ("holds and TTLs".to_owned(), "the holds")
        };
        let problem = format!("is {}, and {what} alone take {least}: the run would be rolled back", plan.timeout);
        let fix = format!("allow for the time that everything else takes too, or shorten {shorten}");
        Finding::plan("$.timeout", problem, fix)
    })
}

/// Refuses a plan that the state machine cannot carry.
pub(crate) fn check_size(plan: &Plan) -> Option<Finding> {
    let bytes = json_bytes(plan) + json_bytes(&steps(plan));
    (bytes > MOST_PLAN_BYTES).then(|| {
        let problem = format!(
            "has {bytes} bytes with its defaults and steps, more than the {MOST_PLAN_BYTES} that a run carries"
        );
        Finding::plan("$", problem, "split the plan, or watch and set less")
    })
}

/// Refuses a plan whose run does not fit into one execution's history, and names what makes it long, with a value that fits where there is one.
pub(crate) fn check_history(plan: &Plan) -> Option<Finding> {
    let events = history_events(plan);
    if events <= MOST_HISTORY_EVENTS {
        return None;
    }
    let problem = format!("the run would take about {events} history events, more than {MOST_HISTORY_EVENTS}");
    let fits = |interval: &Seconds| events_at(plan, *interval) <= MOST_HISTORY_EVENTS;
    if let Some(interval) = (1..=60).map(Seconds::minutes).find(fits) {
        return Some(Finding::plan("$.monitoring.interval", problem, format!("an interval of {interval} fits")));
    }
    if let Some(duration) = fitting_load(plan) {
        let fix = format!("a duration of {duration} fits, or send less");
        return Some(Finding::plan("$.load_test.duration", problem, fix));
    }
    let mut fixes = Vec::new();
    fixes.extend(plan.load_test.as_ref().map(|_| "shorten load_test.duration"));
    fixes.extend(plan.routes.iter().flat_map(Route::steps).any(|step| step.hold.0 > 0).then_some("shorten the holds"));
    fixes.extend(plan.database.as_ref().map(|_| "lengthen database.interval"));
    fixes.push("split the plan");
    Some(Finding::plan("$", problem, fixes.join(", or ")))
}

/// The longest load test, in whole minutes, with which the run would fit.
fn fitting_load(plan: &Plan) -> Option<Seconds> {
    let test = plan.load_test.as_ref()?;
    let without = history_events(plan).saturating_sub(load_events(test));
    let mut minutes = (1..=test.duration.0 / 60).rev().map(Seconds::minutes);
    minutes.find(|duration| {
        let test = LoadTest { duration: *duration, ..test.clone() };
        without + load_events(&test) <= MOST_HISTORY_EVENTS
    })
}
