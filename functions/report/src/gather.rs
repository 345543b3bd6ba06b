//! Reads what is known of a run. What cannot be read beside the run item is told as not measured.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sfn::Client as States;
use cutover::arn::{load_balancer_dimension, target_group_dimension};
use cutover::contract::Caller;
use cutover::error::name;
use cutover::plan::{ListenerRoute, Route};
use cutover::{StepError, StepResult};
use history::Call;
use jiff::Timestamp;
use journal::Run;
use watch::Metrics;
use watch::data::{Series as Values, Wanted, Window};

use crate::Clients;
use crate::facts::{Facts, Limit, Period, Point, RouteFacts, Series, Sides};
use crate::load::Load;
use crate::resources::Seen;
use cutover::verdict::words::LIMITS;

/// As many periods as a plot has room for.
const MOST_PERIODS: i64 = 120;
/// The lengths of a period, in seconds. Minutes are kept for 15 days (CloudWatch user guide).
const PERIODS: [i64; 6] = [60, 300, 900, 3600, 6 * 3600, 24 * 3600];
/// A call takes 500 (API reference of GetMetricData).
const MOST_SERIES: usize = 500;

/// Everything up to a moment.
///
/// # Errors
/// `Cutover.Refused` where there is no such run; AWS errors of the journal.
pub async fn facts(clients: &Clients, caller: &Caller, until: Timestamp) -> StepResult<Facts> {
    let run = clients.journal.read(&caller.run_id).await?;
    let run = run.ok_or_else(|| StepError::new(name::REFUSED, format!("there is no run {}", caller.run_id)))?;
    let mut not_measured = Vec::new();
    let (began_at, calls) = match story(&clients.states, &run, caller, until).await {
        Ok(found) => found,
        Err(error) => {
            not_measured
                .push(format!("timeline and weights: the executions' history cannot be read: {}", error.message));
            (run.started_at.parse().unwrap_or(until), Vec::new())
        }
    };
    let load = match clients.store.load_test(&run.run_id).await {
        Ok(found) => found.map(|report| Load::of(&report)),
        Err(error) => {
            not_measured.push(format!("load test: its result cannot be read: {}", error.message));
            None
        }
    };
    let mut facts = known(&run, &calls, (began_at, until), load);
    if let Err(error) = measure(clients, &run, &mut facts).await {
        not_measured.push(format!("users' traffic over time: CloudWatch cannot be read: {}", error.message));
    }
    facts.not_measured = not_measured.into_iter().chain(missing(&run, &facts)).collect();
    Ok(facts)
}

/// What stands in the run item and the histories. Pure.
fn known(run: &Run, calls: &[Call], (began_at, until): (Timestamp, Timestamp), load: Option<Load>) -> Facts {
    let titles: Vec<String> = run.plan.routes.iter().map(Route::title).collect();
    let weights = history::calls::weights(calls);
    let routes = titles.iter().enumerate().map(|(place, title)| RouteFacts {
        title: title.clone(),
        weights: weights.iter().filter(|weight| weight.route == place).copied().collect(),
        sides: None,
    });
    let ending = run.ending.as_ref();
    let limits = limits(calls);
    // They have a place of their own.
    let is_told = |text: &String| !limits.is_empty() && text.starts_with(LIMITS);
    let not_done = ending.map(|ending| ending.not_done()).unwrap_or_default();
    Facts {
        application: run.plan.application.clone(),
        run_id: run.run_id.clone(),
        ending: ending.and_then(|ending| ending.name()).unwrap_or(run.phase.as_str()).to_owned(),
        began_at,
        until,
        why: run.why.clone(),
        recovery_seconds: history::recovery::recovery(calls).map(|recovery| recovery.seconds()),
        routes: routes.collect(),
        gates: crate::gates::gates(calls, &run.plan),
        resources: Vec::new(),
        resources_of_new: Vec::new(),
        resource_changes: Vec::new(),
        load,
        baseline: run.baseline.as_ref().map(cutover::baseline::lines).unwrap_or_default(),
        timeline: history::calls::timeline(calls, &titles),
        not_done: not_done.into_iter().filter(|text| !is_told(text)).collect(),
        limits,
        not_measured: Vec::new(),
        cleanup_after_seconds: run.plan.cleanup.after.0,
    }
}

/// The plan's limits, as they were last looked at. Pure.
fn limits(calls: &[Call]) -> Vec<Limit> {
    let replies =
        calls.iter().rev().filter(|call| call.state == "Validate").filter_map(|call| call.answer.as_ref().ok());
    let mut lists = replies.filter_map(|reply| serde_json::from_value::<Vec<Limit>>(reply["limits"].clone()).ok());
    lists.find(|limits| !limits.is_empty()).unwrap_or_default()
}

/// What was not measured, and why. Pure.
fn missing(run: &Run, facts: &Facts) -> Vec<String> {
    let mut missing = Vec::new();
    match &run.plan.load_test {
        None => missing.push("both sides under the same load: the plan has no load_test".to_owned()),
        Some(_) if facts.load.is_none() => {
            missing.push("both sides under the same load: the load test left no result".to_owned())
        }
        Some(_) => {}
    }
    let counted: BTreeSet<String> = facts.gates.iter().map(|gate| gate.name.clone()).collect();
    for (route, facts) in run.plan.routes.iter().zip(&facts.routes) {
        match route {
            Route::Dns(_) if counted.contains(&format!("share of {}", facts.title)) => missing.push(format!(
                "users' real shares of {}: DNS counts no requests; what both load balancers counted, whoever asked them, is among the checks",
                facts.title
            )),
            Route::Dns(_) => missing.push(format!("users' real shares of {}: DNS counts no requests", facts.title)),
            Route::Listener(listener) if listener.application_balancer().is_none() => {
                missing
                    .push(format!("users' real shares of {}: a Network Load Balancer counts no requests", facts.title));
            }
            Route::Listener(_) if facts.sides.is_some() && facts.requests().is_none() => {
                missing
                    .push(format!("users' real shares of {}: CloudWatch has no requests of either side", facts.title));
            }
            Route::Listener(_) => {}
        }
    }
    let resources = &run.plan.baseline.resources;
    if resources.is_empty() {
        missing.push("CPU and memory: the plan names none (baseline.resources)".to_owned());
    }
    // Of a run that was turned back there is no after.
    let has_after = crate::resources::after(&facts.routes).is_some();
    let compared = |name: &String| facts.resource_changes.iter().any(|change| change.before_name == *name);
    for metric in resources.iter().filter(|metric| has_after && !compared(&metric.name)) {
        missing.push(format!(
            "{}, before and after: there are no values of one of both that can be compared",
            metric.name
        ));
    }
    if facts.routes.iter().any(|route| route.sides.is_some()) {
        missing.push("the last two minutes: load balancers report late".to_owned());
    }
    missing
}

/// The calls of the run's execution, and of the rollback that writes this report; with the moment at which the first event was.
async fn story(states: &States, run: &Run, caller: &Caller, until: Timestamp) -> StepResult<(Timestamp, Vec<Call>)> {
    let told = history::read::story(states, &run.run_id, until).await?;
    let mut calls = history::calls::calls(&told.events);
    if caller.execution_arn != run.run_id {
        calls.extend(history::calls::calls(&history::read::story(states, &caller.execution_arn, until).await?.events));
    }
    Ok((told.began_at.unwrap_or(until), calls))
}

/// Asks CloudWatch for both sides of the routes, where their load balancers are, and for the metrics that the plan names, over the time of the run.
async fn measure(clients: &Clients, run: &Run, facts: &mut Facts) -> StepResult<()> {
    let access = clients.access.for_run(&run.run_id, facts.until);
    let metrics = Metrics::of(&clients.cloudwatch, &access, &run.plan).await?;
    let window = window(facts.began_at, facts.until);
    let counted: Vec<Option<&ListenerRoute>> = run.plan.routes.iter().map(counted).collect();
    let resources = &run.plan.baseline.resources;
    let mut wanted: Vec<Wanted> = counted.iter().flatten().flat_map(|route| of_both_groups(route)).collect();
    wanted.extend(resources.iter().map(|metric| Wanted {
        namespace: metric.namespace.clone(),
        metric_name: metric.metric_name.clone(),
        dimensions: metric.dimensions.clone(),
        statistic: metric.statistic.clone(),
    }));
    wanted.extend(run.plan.validation.limits.iter().map(|limit| Wanted {
        namespace: limit.namespace.clone(),
        metric_name: limit.metric_name.clone(),
        dimensions: limit.dimensions.clone(),
        statistic: limit.statistic.clone(),
    }));
    wanted.truncate(MOST_SERIES);
    let mut series = watch::data::series(&metrics, &wanted, window).await?.into_iter();
    for (route, listener) in facts.routes.iter_mut().zip(counted) {
        if listener.is_some() {
            let mut side = || {
                let four: [Values; 4] = std::array::from_fn(|_| series.next().unwrap_or_default());
                periods(&four, window)
            };
            route.sides = Some(Sides { period_seconds: window.period, old: side(), new: side() });
        }
    }
    let named: Vec<Values> = series.collect();
    let (of_old, of_limits) = named.split_at(resources.len().min(named.len()));
    if let Some(after) = crate::resources::after(&facts.routes) {
        let seen = Seen { resources: of_old, limits: of_limits, period_seconds: window.period, after };
        facts.resource_changes = crate::resources::changes(&run.plan, run.baseline.as_ref(), &seen);
        let limits = run.plan.validation.limits.iter().zip(of_limits);
        let since = limits.map(|(limit, values)| told(&limit.name, &limit.metric_name, values.range(after..)));
        facts.resources_of_new = since.collect();
    }
    let all = resources.iter().zip(of_old);
    facts.resources = all.map(|(metric, values)| told(&metric.name, &metric.metric_name, values.iter())).collect();
    Ok(())
}

/// A series as the report tells it.
fn told<'a>(name: &str, metric_name: &str, values: impl Iterator<Item = (&'a i64, &'a f64)>) -> Series {
    let point = |(at, value): (&i64, &f64)| Some(Point { at: Timestamp::from_second(*at).ok()?, value: *value });
    Series { name: name.to_owned(), metric_name: metric_name.to_owned(), points: values.filter_map(point).collect() }
}

/// Whole periods around the run, so few that a plot has room for them.
fn window(began_at: Timestamp, until: Timestamp) -> Window {
    let (start, end) = (began_at.as_second(), until.as_second());
    let period = PERIODS.into_iter().find(|period| (end - start) / period < MOST_PERIODS).unwrap_or(24 * 3600);
    let start = start - start.rem_euclid(period);
    Window { start, end: end.max(start + period), period }
}

fn counted(route: &Route) -> Option<&ListenerRoute> {
    match route {
        Route::Listener(route) if route.application_balancer().is_some() => Some(route),
        _ => None,
    }
}

const OF_GROUP: [(&str, &str); 4] = [
    ("RequestCount", "Sum"),
    ("HTTPCode_Target_5XX_Count", "Sum"),
    ("TargetResponseTime", "p50"),
    ("TargetResponseTime", "p95"),
];

fn of_both_groups(route: &ListenerRoute) -> Vec<Wanted> {
    let balancer = load_balancer_dimension(route.arn()).unwrap_or_default();
    let of_group = |arn: &String| {
        let group = target_group_dimension(arn).unwrap_or_default();
        let dimensions = [("LoadBalancer", balancer), ("TargetGroup", group)];
        let dimensions: BTreeMap<String, String> =
            dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        OF_GROUP.map(|(metric_name, statistic)| Wanted {
            namespace: "AWS/ApplicationELB".to_owned(),
            metric_name: metric_name.to_owned(),
            dimensions: dimensions.clone(),
            statistic: statistic.to_owned(),
        })
    };
    [&route.old_target_group_arn, &route.new_target_group_arn].into_iter().flat_map(of_group).collect()
}

/// Every period of the window, in order; what was not told is absent.
fn periods([requests, errors, p50, p95]: &[Values; 4], window: Window) -> Vec<Period> {
    let milliseconds = |values: &Values, at: i64| values.get(&at).map(|seconds| seconds * 1000.0);
    let period = |at: i64| {
        Some(Period {
            at: Timestamp::from_second(at).ok()?,
            requests: requests.get(&at).copied(),
            errors: errors.get(&at).copied(),
            p50_ms: milliseconds(p50, at),
            p95_ms: milliseconds(p95, at),
        })
    };
    (window.start..window.end).step_by(window.period.max(1) as usize).filter_map(period).collect()
}

#[cfg(test)]
mod tests;
