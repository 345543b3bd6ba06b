//! CPU, memory and the like before the cutover and after it. Pure.
//!
//! Before: what the baseline wrote down of the old side, in the window before the first step. After: the periods that lie wholly after every route
//! got all its weight on the new side. Compared is the old side's metric with the new side's where the plan names each once, by the same
//! namespace, name and statistic: in `baseline.resources` and in `validation.limits`. Otherwise the metric is compared with itself, which tells what the
//! cutover has done to it. What has no values on one of both sides is absent; so is a statistic other than the average whose periods are of another length
//! after than before, as a longer period has a higher maximum and a larger sum.
//!
//! It is told whether a value is higher or lower, and not whether that is better: load is not the same before and after, neighbouring minutes depend on
//! each other, so no interval holds, and only the plan knows what a metric is good for.

use cutover::Plan;
use cutover::plan::{BaselineMetric, ResourceLimit};
use serde::Serialize;
use serde_json::Value;
use watch::data::Series;

use crate::facts::RouteFacts;

/// From when on all traffic was on the new side; none where it is not.
pub fn after(routes: &[RouteFacts]) -> Option<i64> {
    let moved = |route: &RouteFacts| {
        let last = route.weights.last().filter(|last| last.percent == 100)?;
        Some(last.at.as_second())
    };
    let moved: Option<Vec<i64>> = routes.iter().map(moved).collect();
    moved?.into_iter().max()
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// The old side's metric before, and the new side's after.
    OldWithNew,
    /// One and the same metric before and after.
    WithItself,
}

/// Which way it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It is higher after.
    Higher,
    /// It is lower after.
    Lower,
    /// It is the same.
    Same,
}

/// One metric before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResourceChange {
    /// How the plan calls it before.
    pub before_name: String,
    /// How the plan calls it after.
    pub after_name: String,
    /// What is compared.
    pub compared: Compared,
    /// The median of its periods before, in the metric's own unit.
    pub before: f64,
    /// The median of its periods after.
    pub after: f64,
    /// How many periods had a value before; none where an earlier version wrote the baseline down.
    pub before_periods: Option<u64>,
    /// How many after.
    pub after_periods: u64,
    /// After against before, in percent of before; none where that is zero.
    pub percent: Option<f64>,
    /// Which way it went.
    pub direction: Direction,
}

/// What was read of the time of the run.
pub struct Seen<'a> {
    /// Of `baseline.resources`, in their order.
    pub resources: &'a [Series],
    /// Of `validation.limits`, in their order.
    pub limits: &'a [Series],
    /// The length of a period, in seconds.
    pub period_seconds: i64,
    /// From when on all traffic was on the new side.
    pub after: i64,
}

/// Every metric that has values before and after.
pub fn changes(plan: &Plan, baseline: Option<&Value>, seen: &Seen) -> Vec<ResourceChange> {
    let Some(window) = baseline.and_then(|baseline| baseline["windows"].get(0)) else { return Vec::new() };
    let resources = &plan.baseline.resources;
    let change = |(place, metric): (usize, &BaselineMetric)| {
        let kept = window["metrics"].get(place).filter(|kept| kept["name"] == metric.name.as_str())?;
        let is_comparable = metric.statistic == "Average" || window["period_seconds"] == seen.period_seconds;
        let before = kept["median"].as_f64().filter(|_| is_comparable)?;
        let (after_name, compared, series) = match counterpart(metric, plan) {
            Some((place, limit)) => (&limit.name, Compared::OldWithNew, seen.limits.get(place)?),
            None => (&metric.name, Compared::WithItself, seen.resources.get(place)?),
        };
        let mut values: Vec<f64> = series.range(seen.after..).map(|(_, value)| *value).collect();
        let after = median(&mut values)?;
        Some(ResourceChange {
            before_name: metric.name.clone(),
            after_name: after_name.clone(),
            compared,
            before,
            after,
            before_periods: kept["periods"].as_u64(),
            after_periods: values.len() as u64,
            percent: (before > 0.0).then(|| 100.0 * (after / before - 1.0)),
            direction: direction(before, after),
        })
    };
    resources.iter().enumerate().filter_map(change).collect()
}

/// The new side's metric of the same kind, where each side names it once.
fn counterpart<'a>(metric: &BaselineMetric, plan: &'a Plan) -> Option<(usize, &'a ResourceLimit)> {
    let kind =
        |metric: &BaselineMetric| (metric.namespace.clone(), metric.metric_name.clone(), metric.statistic.clone());
    let own = kind(metric);
    let is_only = plan.baseline.resources.iter().filter(|other| kind(other) == own).count() == 1;
    let is_it = |limit: &ResourceLimit| {
        (&limit.namespace, &limit.metric_name, &limit.statistic) == (&own.0, &own.1, &own.2)
            && limit.dimensions != metric.dimensions
    };
    let mut found = plan.validation.limits.iter().enumerate().filter(|(_, limit)| is_it(limit));
    found.next().filter(|_| is_only && found.next().is_none())
}

/// As the page shows it: a thousandth is no difference.
fn direction(before: f64, after: f64) -> Direction {
    if (after - before).abs() <= before.abs() / 1000.0 {
        Direction::Same
    } else if after > before {
        Direction::Higher
    } else {
        Direction::Lower
    }
}

fn median(values: &mut Vec<f64>) -> Option<f64> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::facts::Weight;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn metric(name: &str, cluster: &str, statistic: &str) -> Value {
        json!({ "name": name, "namespace": "AWS/ECS", "metric_name": "CPUUtilization", "dimensions": { "ClusterName": cluster }, "statistic": statistic })
    }

    fn plan(resources: Vec<Value>, mut limits: Vec<Value>) -> Plan {
        limits.iter_mut().for_each(|limit| limit["max"] = json!(80));
        serde_json::from_value(json!({ "application": "shop", "routes": [], "baseline": { "resources": resources },
            "validation": { "limits": limits } }))
        .unwrap()
    }

    fn baseline(metrics: Value) -> Value {
        json!({ "windows": [{ "period_seconds": 60, "metrics": metrics }, { "period_seconds": 60, "metrics": [] }] })
    }

    fn told(plan: &Plan, baseline: &Value, period_seconds: i64) -> Vec<ResourceChange> {
        // Before minute 10 the new side is idle.
        let series = |base: f64| {
            Series::from_iter((0..20).map(|minute| (minute * 60, if minute < 10 { 1.0 } else { base + minute as f64 })))
        };
        let resources: Vec<Series> = plan.baseline.resources.iter().map(|_| series(-10.0)).collect();
        let limits: Vec<Series> = plan.validation.limits.iter().map(|_| series(20.0)).collect();
        changes(plan, Some(baseline), &Seen { resources: &resources, limits: &limits, period_seconds, after: 600 })
    }

    #[test]
    fn the_old_side_before_is_compared_with_the_new_one_after() {
        let plan = plan(vec![metric("old CPU, %", "old", "Average")], vec![metric("new CPU, %", "new", "Average")]);
        let kept = baseline(json!([{ "name": "old CPU, %", "median": 50.0, "highest": 60.0, "periods": 60 }]));
        let told = told(&plan, &kept, 60);
        assert_eq!(told.len(), 1);
        let change = &told[0];
        assert_eq!((change.before_name.as_str(), change.after_name.as_str()), ("old CPU, %", "new CPU, %"));
        assert_eq!((change.compared, change.before, change.after), (Compared::OldWithNew, 50.0, 34.5));
        assert_eq!((change.before_periods, change.after_periods), (Some(60), 10));
        assert_eq!((change.percent.map(f64::round), change.direction), (Some(-31.0), Direction::Lower));
    }

    #[test]
    fn what_has_no_counterpart_or_several_is_compared_with_itself() {
        let kept = baseline(json!([{ "name": "CPU", "median": 4.5, "highest": 6.0 }]));
        let one = || vec![metric("CPU", "old", "Average")];
        let limit = |name: &str| metric(name, name, "Average");
        for limits in [vec![], vec![limit("old")], vec![limit("a"), limit("b")], vec![metric("max", "new", "Maximum")]]
        {
            let told = told(&plan(one(), limits), &kept, 60);
            assert_eq!((told[0].compared, told[0].after), (Compared::WithItself, 4.5));
            assert_eq!(
                (told[0].direction, told[0].percent, told[0].before_periods),
                (Direction::Same, Some(0.0), None)
            );
        }
    }

    #[test]
    fn what_was_not_measured_is_absent() {
        let average = || plan(vec![metric("CPU", "old", "Average")], vec![]);
        assert_eq!(told(&average(), &baseline(json!([{ "name": "CPU", "median": null }])), 60), []);
        assert_eq!(told(&average(), &baseline(json!([])), 60), []);
        assert_eq!(told(&average(), &json!({ "windows": [] }), 60), []);
        let kept = baseline(json!([{ "name": "CPU", "median": 4.0 }]));
        assert_eq!(told(&average(), &kept, 300).len(), 1);
        let maximum = plan(vec![metric("CPU", "old", "Maximum")], vec![]);
        assert_eq!(told(&maximum, &kept, 300), [], "a longer period has a higher maximum");
        assert_eq!(told(&maximum, &kept, 60).len(), 1);
        let late = Seen { resources: &[Series::from([(0, 5.0)])], limits: &[], period_seconds: 60, after: 600 };
        assert_eq!(changes(&average(), Some(&kept), &late), [], "nothing after");
    }

    #[test]
    fn after_is_when_the_last_route_has_all_its_weight_on_the_new_side() {
        let route = |weights: &[(i64, u8)]| RouteFacts {
            title: String::new(),
            weights: weights
                .iter()
                .map(|(second, percent)| Weight { at: at(*second), route: 0, percent: *percent })
                .collect(),
            sides: None,
        };
        assert_eq!(after(&[route(&[(0, 0), (60, 100)]), route(&[(90, 100)])]), Some(90));
        assert_eq!(after(&[route(&[(0, 0), (60, 100)]), route(&[(90, 50)])]), None);
        assert_eq!(after(&[route(&[(60, 100), (90, 0)])]), None, "it was put back");
        assert_eq!(after(&[route(&[])]), None);
    }
}
