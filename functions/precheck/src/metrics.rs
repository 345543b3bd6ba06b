//! Whether the plan's metrics have had data lately: a namespace or a dimension that is misspelt is never told by CloudWatch, which
//! answers nothing. A warning, never an error: a metric of the new side may have none before that side has users.
//!
//! GetMetricData, of a day, and not ListMetrics: the same call and permission as the run's own looks, exactly the metric that they
//! will ask for, and data of today; ListMetrics tells of two weeks (CloudWatch API reference), so also of a balancer that is gone.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types::MetricDataQuery;
use cutover::arn::target_group_dimension;
use cutover::finding::beside;
use cutover::gates::known::{Kind, Namespace};
use cutover::plan::{Metric, Route};
use cutover::text::named;
use cutover::{Finding, Plan, Seconds, StepResult};
use jiff::Timestamp;
use watch::Metrics;
use watch::metric::Asked;

const WINDOW: Seconds = Seconds::hours(24);
const PERIOD_SECONDS: u64 = 3600;
/// A finding shows so much of a name.
const MOST_NAME_BYTES: usize = 120;

/// A series of datapoints that a run will ask for.
#[derive(Clone, Debug, PartialEq)]
struct Series<'a> {
    /// The place of its metric among the plan's: those of `monitoring`, then the limits of `validation`.
    index: usize,
    namespace: &'a str,
    name: &'a str,
    dimensions: &'a BTreeMap<String, String>,
    /// Whether it is of the old side, with which the metric is compared: that side has users now.
    is_old: bool,
}

/// Looks for a datapoint of each metric, of what it is divided by, of both on the old side where it is compared, and of each limit.
///
/// # Errors
/// What a repetition may cure.
pub(crate) async fn observe(
    cloudwatch: &Metrics,
    plan: &Plan,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    let asked = asked(plan);
    if asked.is_empty() {
        return Ok(());
    }
    let not_seen = "whether metrics have had data lately was not looked at";
    let Some(seen) = beside(look(cloudwatch, &asked, now).await, "$.monitoring.metrics", not_seen, findings)? else {
        return Ok(());
    };
    findings.extend(silent(plan, &asked, &seen));
    Ok(())
}

/// The series that should have data by now: not those of a new target group, which has no users yet, and not counts of load
/// balancers, which AWS leaves out while there is nothing to count.
fn asked(plan: &Plan) -> Vec<Series<'_>> {
    let of_route = |route: &Route| match route {
        Route::Listener(route) => target_group_dimension(&route.new_target_group_arn).map(str::to_owned),
        Route::Dns(_) => None,
    };
    let new: BTreeSet<String> = plan.routes.iter().filter_map(of_route).collect();
    let has_data = |series: &Series| {
        let is_balancers = Namespace::named(series.namespace).is_some();
        let is_new = series.dimensions.get("TargetGroup").is_some_and(|group| new.contains(group));
        let is_left_out = Kind::of(series.name) == Kind::Count && series.name != "RequestCount";
        !(is_balancers && ((is_new && !series.is_old) || is_left_out))
    };
    let metrics = plan.monitoring.metrics.iter().enumerate().flat_map(|(index, metric)| series(index, metric));
    let limits = (plan.monitoring.metrics.len()..).zip(&plan.validation.limits).map(|(index, limit)| Series {
        index,
        namespace: &limit.namespace,
        name: &limit.metric_name,
        dimensions: &limit.dimensions,
        is_old: false,
    });
    metrics.chain(limits).filter(has_data).collect()
}

/// The metrics as a series counts them: what a person calls each, and where it stands in the plan.
fn watched(plan: &Plan) -> impl Iterator<Item = (&str, String)> {
    let metrics = plan.monitoring.metrics.iter().enumerate();
    let metrics = metrics.map(|(index, metric)| (metric.name.as_str(), format!("$.monitoring.metrics[{index}]")));
    let limits = plan.validation.limits.iter().enumerate();
    metrics.chain(limits.map(|(index, limit)| (limit.name.as_str(), format!("$.validation.limits[{index}]"))))
}

fn series(index: usize, metric: &Metric) -> impl Iterator<Item = Series<'_>> {
    let own = Series {
        index,
        namespace: &metric.namespace,
        name: &metric.metric_name,
        dimensions: &metric.dimensions,
        is_old: false,
    };
    let divisor = metric.divide_by.as_ref().map(|divisor| Series {
        index,
        namespace: divisor.namespace.as_deref().unwrap_or(&metric.namespace),
        name: &divisor.metric_name,
        dimensions: divisor.dimensions.as_ref().unwrap_or(&metric.dimensions),
        is_old: false,
    });
    let of_new = [Some(own), divisor];
    let compared = metric.compare_to.as_ref();
    let of_old =
        of_new.clone().map(|series| Some(Series { dimensions: &compared?.dimensions, is_old: true, ..series? }));
    of_new.into_iter().chain(of_old).flatten()
}

/// The places of the series that have had a datapoint. All of them in one call: 500 queries fit, and a plan has 420 at the most.
async fn look(cloudwatch: &Metrics, asked: &[Series<'_>], now: Timestamp) -> StepResult<BTreeSet<usize>> {
    let queries = asked.iter().enumerate().map(|(place, series)| query(place, series)).collect();
    let (start, end) = (now.as_second() - WINDOW.0.cast_signed(), now.as_second());
    let answered = watch::data::answered(cloudwatch, queries, start, end).await?;
    let with_data = answered.iter().filter(|result| !result.values().is_empty());
    let seen = with_data.filter_map(|result| watch::data::place(result, 'm')).collect();
    Ok(seen)
}

fn query(place: usize, series: &Series) -> MetricDataQuery {
    let asked = Asked {
        namespace: series.namespace,
        metric_name: series.name,
        dimensions: Asked::dimensions(series.dimensions),
        statistic: "SampleCount",
        period_seconds: PERIOD_SECONDS,
    };
    asked.query(format!("m{place}"))
}

/// A warning for each metric of which a series had no datapoint: pure.
fn silent(plan: &Plan, asked: &[Series], seen: &BTreeSet<usize>) -> Vec<Finding> {
    let silent: Vec<&Series> =
        asked.iter().enumerate().filter(|(place, _)| !seen.contains(place)).map(|(_, one)| one).collect();
    let told = |index: usize, is_old: bool| {
        let of_it = silent.iter().filter(|one| one.index == index && one.is_old == is_old);
        let mut told: Vec<String> = of_it.map(|one| called(one)).collect();
        told.dedup();
        (!told.is_empty()).then(|| format!("had no datapoint in the last {WINDOW}: {}", told.join("; nor ")))
    };
    let of_metric = |(index, (name, path)): (usize, (&str, String))| {
        let name = named(name, MOST_NAME_BYTES);
        let new = told(index, false).map(|silent| {
            let fix = "as it should be, if only the new side's users give it data; else compare namespace, metric_name and dimensions with the metric in CloudWatch, letter by letter";
            Finding::warning(&path, format!("{name} has {silent}"), fix)
        });
        let old = told(index, true).map(|silent| {
            let problem = format!("the old side that {name} is compared with has {silent}");
            let fix = "compare its dimensions with the metric in CloudWatch, letter by letter: without data of the old side no step passes";
            Finding::warning(format!("{path}.compare_to"), problem, fix)
        });
        new.into_iter().chain(old)
    };
    watched(plan).enumerate().flat_map(of_metric).collect()
}

/// `Shop Orders {Service: checkout}`
fn called(series: &Series) -> String {
    let dimensions = series.dimensions.iter();
    let dimensions =
        dimensions.map(|(name, value)| format!("{}: {}", named(name, MOST_NAME_BYTES), named(value, MOST_NAME_BYTES)));
    let dimensions = dimensions.collect::<Vec<_>>().join(", ");
    format!("{} {} {{{dimensions}}}", named(series.namespace, MOST_NAME_BYTES), named(series.name, MOST_NAME_BYTES))
}

#[cfg(test)]
mod tests {
    use cutover::Severity;
    use serde_json::{Value, json};

    use super::*;

    fn plan(metrics: Value) -> Plan {
        let elb = |rest: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{rest}");
        let route = json!({ "type": "listener", "listener_arn": elb("listener/app/shop/1/2"), "steps": [{ "new_weight": 100 }],
            "old_target_group_arn": elb("targetgroup/old/1"), "new_target_group_arn": elb("targetgroup/new/1") });
        Plan::read(&json!({ "application": "shop", "routes": [route], "monitoring": { "metrics": metrics } })).unwrap()
    }

    fn metric(namespace: &str, name: &str, dimensions: Value) -> Value {
        json!({ "name": format!("gate of {name}"), "namespace": namespace, "metric_name": name, "dimensions": dimensions,
            "statistic": "Sum", "comparison": "greater_than", "threshold": 1 })
    }

    #[test]
    fn what_cannot_have_data_yet_is_not_asked_for() {
        let (alb, balancer) = ("AWS/ApplicationELB", "app/shop/1");
        let of_new = json!({ "LoadBalancer": balancer, "TargetGroup": "targetgroup/new/1" });
        let of_old = json!({ "LoadBalancer": balancer, "TargetGroup": "targetgroup/old/1" });
        let mut rate = metric(alb, "HTTPCode_ELB_5XX_Count", json!({ "LoadBalancer": balancer }));
        rate["divide_by"] = json!({ "metric_name": "RequestCount" });
        let plan = plan(json!([
            metric(alb, "TargetResponseTime", of_new),
            metric(alb, "TargetResponseTime", of_old),
            rate,
            metric("Shop", "Orders", json!({ "Service": "checkout" }))
        ]));
        let asked: Vec<(usize, &str)> = asked(&plan).iter().map(|series| (series.index, series.name)).collect();
        assert_eq!(asked, [(1, "TargetResponseTime"), (2, "RequestCount"), (3, "Orders")]);
    }

    #[test]
    fn a_metric_without_data_is_a_warning_with_its_name_and_dimensions() {
        let plan = plan(json!([
            metric("Shop", "Orders", json!({ "Service": "chekout" })),
            metric("Shop", "Carts", json!({}))
        ]));
        let asked = asked(&plan);
        let found = silent(&plan, &asked, &[1].into());
        assert_eq!(
            (found.len(), found[0].severity, found[0].path.as_str()),
            (1, Severity::Warning, "$.monitoring.metrics[0]")
        );
        let told = r#""gate of Orders" has had no datapoint in the last 1d: Shop Orders {Service: chekout}"#;
        assert_eq!(found[0].problem, told);
        assert_eq!(silent(&plan, &asked, &[0, 1].into()), []);
    }

    #[test]
    fn the_old_side_that_a_metric_is_compared_with_should_have_data_by_now() {
        let (alb, balancer) = ("AWS/ApplicationELB", "app/shop/1");
        let of_new = json!({ "LoadBalancer": balancer, "TargetGroup": "targetgroup/new/1" });
        let of_old = json!({ "LoadBalancer": balancer, "TargetGroup": "targetgroup/odl/1" });
        let mut rate = metric(alb, "HTTPCode_Target_5XX_Count", of_new);
        rate["divide_by"] = json!({ "metric_name": "RequestCount" });
        rate["threshold"] = json!(0.01);
        rate["compare_to"] = json!({ "dimensions": of_old });
        let plan = plan(json!([rate]));
        let asked = asked(&plan);
        let places: Vec<(&str, bool)> = asked.iter().map(|series| (series.name, series.is_old)).collect();
        assert_eq!(places, [("RequestCount", true)], "AWS leaves errors out at zero, and the new group has no users");
        let found = silent(&plan, &asked, &BTreeSet::new());
        assert_eq!((found.len(), found[0].path.as_str()), (1, "$.monitoring.metrics[0].compare_to"));
        assert!(
            found[0].problem.starts_with(
                "the old side that \"gate of HTTPCode_Target_5XX_Count\" is compared with has had no datapoint"
            ),
            "{}",
            found[0].problem
        );
        assert!(found[0].problem.contains("targetgroup/odl/1"), "{}", found[0].problem);
    }

    #[test]
    fn a_limit_without_data_is_a_warning_at_its_place() {
        let mut plan = plan(json!([metric("Shop", "Orders", json!({}))]));
        let limit = json!({ "name": "CPU, percent", "namespace": "AWS/ECS", "metric_name": "CPUUtilization", "statistic": "Average", "max": 80 });
        plan.validation.limits = vec![serde_json::from_value(limit).unwrap()];
        let asked = asked(&plan);
        assert_eq!(asked.iter().map(|series| series.index).collect::<Vec<_>>(), [0, 1]);
        let found = silent(&plan, &asked, &[0].into());
        assert_eq!((found.len(), found[0].path.as_str()), (1, "$.validation.limits[0]"));
        assert!(found[0].problem.starts_with("\"CPU, percent\" has had no datapoint"), "{}", found[0].problem);
    }
}
