//! `baseline`: writes down how the old side served its users before the first step.
//!
//! Reads: the run item; CloudWatch's metrics of the old target groups, and those that the plan names, in the plan's window and
//! in the same one a week ago. Writes: the run item's `baseline`, once; undo: none is needed, it is what was seen. It is for the
//! report and for people: no step depends on it, and the state machine goes on without it, and says so.
//!
//! Load balancers that count no requests (Network Load Balancers) and names say nothing of their users: that is told.
//!
//! Errors: `Cutover.Fenced`, and AWS errors.

pub mod figures;

use std::collections::BTreeMap;

use access::Access;
use cutover::arn::{short_name, target_group_dimension};
use cutover::baseline::lines;
use cutover::budget::{MOST_BASELINE_BYTES, fit};
use cutover::contract::Caller;
use cutover::plan::{Baseline, ListenerRoute, Plan, Route};
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::{Journal, Phase, Run};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use watch::Metrics;
use watch::data::{Series, Wanted, Window};

use crate::figures::{Observed, median, rounded, side, week_before, window_before};

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] = &["cloudwatch:GetMetricData"];

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// What other accounts and regions are reached by.
    pub access: Access,
    /// The journal.
    pub journal: Journal,
}

/// One call.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
}

/// What was written down.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reply {
    /// It, for people, a line each.
    pub lines: Vec<String>,
    /// When, RFC 3339.
    pub at: String,
}

/// Writes it down once.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let run = clients.journal.fence(&request.caller, Phase::Forward).await?;
    let baseline = match run.baseline {
        Some(earlier) => earlier,
        None => {
            let taken = fit(take(&everywhere(clients, &run, now).await?, &run.plan, now).await?, MOST_BASELINE_BYTES);
            clients.journal.remember_baseline(&request.caller, &taken).await?;
            taken
        }
    };
    Ok(Reply { lines: lines(&baseline), at: now.to_string() })
}

async fn everywhere(clients: &Clients, run: &Run, now: Timestamp) -> StepResult<Metrics> {
    Metrics::of(&clients.cloudwatch, &clients.access.for_run(&run.run_id, now), &run.plan).await
}

async fn take(cloudwatch: &Metrics, plan: &Plan, now: Timestamp) -> StepResult<Value> {
    let asked = &plan.baseline;
    let counted: Vec<&ListenerRoute> = if asked.given.is_some() { Vec::new() } else { counted(plan).collect() };
    let wanted: Vec<Wanted> = counted.iter().flat_map(|route| of_group(route)).chain(named(asked)).collect();
    let recent = window_before(now, asked.window);
    let mut windows = vec![("before the cutover", recent)];
    windows.extend(asked.week_ago.then(|| ("a week ago", week_before(recent))));
    let mut seen = Vec::new();
    for (when, window) in windows {
        let series = watch::data::series(cloudwatch, &wanted, window).await?;
        seen.push(of_window(when, window, &counted, asked, series)?);
    }
    Ok(json!({ "at": now.to_string(), "given": asked.given, "windows": seen, "not_known": not_known(plan) }))
}

/// The routes whose load balancer counts requests by target group.
fn counted(plan: &Plan) -> impl Iterator<Item = &ListenerRoute> {
    plan.routes.iter().filter_map(|route| match route {
        Route::Listener(route) => route.application_balancer().map(|_| route),
        Route::Dns(_) => None,
    })
}

/// Of whom CloudWatch does not say how its users are served.
fn not_known(plan: &Plan) -> Vec<String> {
    if plan.baseline.given.is_some() {
        return Vec::new();
    }
    let told = |route: &Route| match route {
        Route::Dns(_) => Some(format!("{}: DNS counts no requests", route.title())),
        Route::Listener(listener) => listener
            .application_balancer()
            .is_none()
            .then(|| format!("{}: a Network Load Balancer counts no requests", route.title())),
    };
    plan.routes.iter().filter_map(told).collect()
}

const OF_GROUP: [(&str, &str); 5] = [
    ("RequestCount", "Sum"),
    ("HTTPCode_Target_5XX_Count", "Sum"),
    ("TargetResponseTime", "p50"),
    ("TargetResponseTime", "p95"),
    ("TargetResponseTime", "p99"),
];

fn of_group(route: &ListenerRoute) -> Vec<Wanted> {
    let dimension = |name: &str, value: Option<&str>| (name.to_owned(), value.unwrap_or_default().to_owned());
    let group = target_group_dimension(&route.old_target_group_arn);
    let dimensions =
        BTreeMap::from([dimension("LoadBalancer", route.application_balancer()), dimension("TargetGroup", group)]);
    let wanted = |(metric_name, statistic): (&str, &str)| Wanted {
        namespace: "AWS/ApplicationELB".to_owned(),
        metric_name: metric_name.to_owned(),
        dimensions: dimensions.clone(),
        statistic: statistic.to_owned(),
    };
    OF_GROUP.map(wanted).into()
}

fn named(asked: &Baseline) -> impl Iterator<Item = Wanted> {
    asked.resources.iter().map(|metric| Wanted {
        namespace: metric.namespace.clone(),
        metric_name: metric.metric_name.clone(),
        dimensions: metric.dimensions.clone(),
        statistic: metric.statistic.clone(),
    })
}

/// A window as it is kept; `series` are in the order in which they were wanted.
fn of_window(
    when: &str,
    window: Window,
    counted: &[&ListenerRoute],
    asked: &Baseline,
    series: Vec<Series>,
) -> StepResult<Value> {
    let mut series = series.into_iter();
    let mut next = || series.next().unwrap_or_default();
    let mut sides = Vec::new();
    for route in counted {
        let observed = Observed { requests: next(), errors: next(), p50: next(), p95: next(), p99: next() };
        let group = short_name(&route.old_target_group_arn);
        sides.push(json!({ "target_group": group, "saw": side(&observed) }));
    }
    let metrics: Vec<Value> = asked
        .resources
        .iter()
        .map(|metric| {
            let values = next();
            let highest = values.values().copied().max_by(f64::total_cmp);
            json!({ "name": metric.name, "periods": values.len(), "median": median(&values).map(|value| rounded(value, 4)),
                "highest": highest.map(|value| rounded(value, 4)) })
        })
        .collect();
    let second = |second| {
        Timestamp::from_second(second).map(|at| at.to_string()).map_err(|error| StepError::invalid(error.to_string()))
    };
    Ok(json!({ "when": when, "from": second(window.start)?, "to": second(window.end)?, "period_seconds": window.period,
        "sides": sides, "metrics": metrics }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(baseline: Value) -> Plan {
        let arn = |rest: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{rest}");
        let route = |listener: &str| {
            json!({ "type": "listener", "listener_arn": arn(listener), "old_target_group_arn": arn("targetgroup/shop-old/1"),
                "new_target_group_arn": arn("targetgroup/shop-new/2"), "steps": [] })
        };
        let name = json!({ "type": "dns", "hosted_zone_id": "Z", "record_name": "shop.example.com", "records": [], "steps": [] });
        serde_json::from_value(json!({ "application": "shop", "baseline": baseline,
            "routes": [route("listener/app/shop/1/2"), route("listener/net/shop/1/2"), name] }))
        .unwrap()
    }

    #[test]
    fn balancers_that_count_requests_are_asked_and_all_others_are_told() {
        let plan = plan(json!({}));
        let asked: Vec<Wanted> = counted(&plan).flat_map(of_group).collect();
        assert_eq!(asked.len(), 5);
        assert_eq!(asked[0].dimensions["LoadBalancer"], "app/shop/1");
        assert_eq!(asked[4].dimensions["TargetGroup"], "targetgroup/shop-old/1");
        let told = not_known(&plan);
        assert!(told.len() == 2 && told[0].contains("Network") && told[1].contains("DNS"), "{told:?}");
        assert_eq!(not_known(&super::tests::plan(json!({ "given": { "requests": 5 } }))), Vec::<String>::new());
    }

    #[test]
    fn what_is_kept_is_told_in_lines() {
        let plan = plan(
            json!({ "resources": [{ "name": "CPU, percent", "namespace": "AWS/EC2", "metric_name": "CPUUtilization", "statistic": "Average" }] }),
        );
        let routes: Vec<&ListenerRoute> = counted(&plan).collect();
        let window = Window { start: 0, end: 3600, period: 60 };
        let series = |value: f64| Series::from([(0, value)]);
        let seen = [200.0, 1.0, 0.02, 0.2, 0.3, 40.0].map(series).into();
        let kept = of_window("before the cutover", window, &routes, &plan.baseline, seen).unwrap();
        let silent = of_window("a week ago", week_before(window), &routes, &plan.baseline, vec![]).unwrap();
        let told = lines(&json!({ "windows": [kept, silent], "not_known": ["a name"] }));
        assert_eq!(
            told,
            [
                "shop-old, before the cutover: 200 requests, 0.5 % errors, p50 20 ms, p95 200 ms, p99 300 ms (1970-01-01T00:00:00Z to \
                 1970-01-01T01:00:00Z; a percentile is the median of those of each 1m)",
                "CPU, percent, before the cutover: 40 in the median, 40 at the highest",
                "shop-old, a week ago: no requests (1969-12-25T00:00:00Z to 1969-12-25T01:00:00Z)",
                "CPU, percent, a week ago: no data",
                "a name",
            ]
        );
        let given = lines(&json!({ "given": { "requests": 5.0, "p95_ms": 90.0 }, "windows": [] }));
        assert_eq!(given, ["old side, as the plan says: 5 requests, p95 90 ms"]);
    }
}
