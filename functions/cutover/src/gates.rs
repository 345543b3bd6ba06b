//! Gates that cannot work: metrics of load balancers for which there will never be a datapoint of this plan's users, and
//! values that cannot be meant. Pure.
//!
//! Contract: [`findings`] looks, beside whether anything is watched at all, at every metric of `monitoring.metrics` in AWS/ApplicationELB and AWS/NetworkELB, at what it
//! is divided by, and at the same two of the old side where it is compared. An error is a gate that is dead for certain; a warning is one that may be meant. Which metrics there are, by
//! which dimensions and in which unit: Elastic Load Balancing user guides, "CloudWatch metrics for your Application Load
//! Balancer" and "... Network Load Balancer" ([`known`]). Of other namespaces nothing is said, but where one of load
//! balancers is meant.

mod dimensions;
pub mod known;
mod units;

use std::collections::BTreeMap;

use crate::plan::{ComparedTo, Metric, Plan, Route};
use crate::{Finding, Severity};

/// What is wrong with the plan's metrics of load balancers, and whether it watches anything.
pub fn findings(plan: &Plan) -> Vec<Finding> {
    let mut findings = of_metrics(plan, &dimensions::Balancing::of(plan));
    findings.extend(nothing_watched(plan));
    findings
}

/// The same of a plan that could not be read as a whole: as far as what it depends on could be. `is_read` tells of a path, and
/// all below it, whether nothing was wrong there.
pub(crate) fn findings_as_far_as(plan: &Plan, is_read: impl Fn(&str) -> bool) -> Vec<Finding> {
    let are_routes_read = is_read("$.routes");
    let balancing = if are_routes_read { dimensions::Balancing::of(plan) } else { dimensions::Balancing::unknown() };
    let series = ["namespace", "metric_name", "dimensions", "divide_by", "statistic", "compare_to"];
    let value = ["threshold", "comparison", "missing", "period"];
    let of_metric = |path: &str| {
        let metric = path.strip_prefix("$.monitoring.metrics[").and_then(|rest| rest.split(']').next());
        let below =
            |field: &&str| metric.is_none_or(|index| is_read(&format!("$.monitoring.metrics[{index}].{field}")));
        let is_of_value = value.iter().any(|field| path.ends_with(&format!(".{field}")));
        series.iter().all(&below) && (!is_of_value || value.iter().all(&below))
    };
    let mut findings = of_metrics(plan, &balancing);
    findings.retain(|finding| of_metric(&finding.path));
    findings.extend(nothing_watched(plan).filter(|_| are_routes_read && is_read("$.monitoring")));
    findings
}

/// Of a route to a new target group its health is watched in any case.
fn nothing_watched(plan: &Plan) -> Option<Finding> {
    let watched = &plan.monitoring;
    let has_group = plan.routes.iter().any(|route| matches!(route, Route::Listener(_)));
    let is_empty = watched.metrics.is_empty() && watched.alarms.is_empty() && watched.target_groups.is_empty();
    (!has_group && is_empty).then(|| {
        let problem = "watches nothing: a step is held, and nothing is looked at";
        Finding::warning("$.monitoring", problem, "name metrics, alarms or target groups of the new side")
    })
}

fn of_metrics(plan: &Plan, balancing: &dimensions::Balancing) -> Vec<Finding> {
    let mut report = Report(Vec::new());
    for (index, metric) in plan.monitoring.metrics.iter().enumerate() {
        let path = format!("$.monitoring.metrics[{index}]");
        for series in Series::of(metric, &path) {
            if let Some(namespace) = known::Namespace::named(series.namespace) {
                dimensions::check(namespace, &series, balancing, &mut report);
                if !series.is_old {
                    units::check_series(namespace, &series, &mut report);
                }
            } else if !series.is_old {
                check_namespace(&series, &mut report);
            }
        }
        units::check_threshold(metric, &path, &mut report);
    }
    report.0
}

/// A namespace that is not one of load balancers, though one is meant. Nobody but AWS publishes in `AWS/...` (API reference of
/// PutMetricData, Namespace).
fn check_namespace(series: &Series, report: &mut Report) {
    let name = series.namespace;
    let has = |dimension: &str, starts: &[&str]| {
        series.dimension(dimension).is_some_and(|value| starts.iter().any(|start| value.starts_with(start)))
    };
    let is_balancers = has("LoadBalancer", &["app/", "net/"]) || has("TargetGroup", &["targetgroup/"]);
    let is_aws = name.starts_with("AWS/") && name != "AWS/GatewayELB";
    let meant = known::Namespace::nearly(name).or_else(|| {
        let kind =
            if has("LoadBalancer", &["net/"]) { known::Namespace::Network } else { known::Namespace::Application };
        (is_aws && is_balancers).then_some(kind)
    });
    let Some(meant) = meant else { return };
    let path = if series.has_own_namespace { format!("{}.namespace", series.path) } else { series.path.clone() };
    let (problem, fix) =
        (format!("is `{name}`, in which there are no such metrics"), format!("write {}", meant.name()));
    if is_aws { report.dead(&path, problem, fix) } else { report.warn(&path, problem, fix) }
}

/// One series of datapoints that is asked for.
#[derive(Clone)]
struct Series<'a> {
    /// Its place in the plan.
    path: String,
    /// The place of its dimensions: those of a divisor may be those of the metric it divides.
    dimensions_path: String,
    namespace: &'a str,
    /// Whether it says so itself.
    has_own_namespace: bool,
    metric_name: &'a str,
    dimensions: &'a BTreeMap<String, String>,
    statistic: &'a str,
    /// Whether it is the old side's, with which the metric is compared: it differs from the new side's by its dimensions only.
    is_old: bool,
}

impl<'a> Series<'a> {
    /// The metric's own, and that of its divisor, which takes over what it leaves out; then both of the old side.
    fn of(metric: &'a Metric, path: &str) -> Vec<Self> {
        let own = Self {
            path: path.to_owned(),
            dimensions_path: format!("{path}.dimensions"),
            namespace: &metric.namespace,
            has_own_namespace: true,
            metric_name: &metric.metric_name,
            dimensions: &metric.dimensions,
            statistic: &metric.statistic,
            is_old: false,
        };
        let divisor = metric.divide_by.as_ref().map(|divisor| {
            let own_path = format!("{path}.divide_by");
            let has_dimensions = divisor.dimensions.is_some();
            Self {
                dimensions_path: if has_dimensions { format!("{own_path}.dimensions") } else { own_path.clone() },
                path: own_path,
                has_own_namespace: divisor.namespace.is_some(),
                namespace: divisor.namespace.as_deref().unwrap_or(&metric.namespace),
                metric_name: &divisor.metric_name,
                dimensions: divisor.dimensions.as_ref().unwrap_or(&metric.dimensions),
                statistic: divisor.statistic.as_deref().unwrap_or(&metric.statistic),
                is_old: false,
            }
        });
        let mut all: Vec<Self> = [own].into_iter().chain(divisor).collect();
        let of_old = |old: &'a ComparedTo, series: &Self| Self {
            path: format!("{path}.compare_to"),
            dimensions_path: format!("{path}.compare_to.dimensions"),
            dimensions: &old.dimensions,
            is_old: true,
            ..series.clone()
        };
        let compared = metric.compare_to.as_ref();
        let old: Vec<Self> = compared.iter().flat_map(|old| all.iter().map(|series| of_old(old, series))).collect();
        all.extend(old);
        all
    }

    /// As a person calls its side.
    fn side(&self) -> &'static str {
        if self.is_old { "old" } else { "new" }
    }

    fn dimension(&self, name: &str) -> Option<&'a str> {
        self.dimensions.get(name).map(String::as_str)
    }
}

/// What is found, each place's first error only: what follows from it is no news.
struct Report(Vec<Finding>);

impl Report {
    fn dead(&mut self, path: &str, problem: impl Into<String>, fix: impl Into<String>) {
        let is_told = self.0.iter().any(|found| found.severity == Severity::Error && found.path == path);
        if !is_told {
            self.0.push(Finding::plan(path, problem, fix));
        }
    }

    fn warn(&mut self, path: &str, problem: impl Into<String>, fix: impl Into<String>) {
        let finding = Finding::warning(path, problem, fix);
        // A metric and what divides it may have the same dimensions, and then the same is wrong with them.
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }
}

#[cfg(test)]
mod tests;
