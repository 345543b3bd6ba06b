//! Comparisons with the old side that guard nothing, or not for long. Pure.

use crate::Finding;
use crate::plan::{Metric, Plan, Route};

/// What is to be doubted of `compare_to`: the old side is compared while it has requests.
pub(super) fn findings(plan: &Plan) -> Vec<Finding> {
    let compared = plan.monitoring.metrics.iter().enumerate().filter(|(_, metric)| metric.compare_to.is_some());
    compared.filter_map(|(index, metric)| of_metric(plan, index, metric)).collect()
}

fn of_metric(plan: &Plan, index: usize, metric: &Metric) -> Option<Finding> {
    let path = format!("$.monitoring.metrics[{index}].compare_to");
    if never_splits(plan, metric) {
        let problem = "compares with the old side, and no step splits the traffic: at 100 % there is nothing to compare with, so that it never finds anything";
        let fix = "add a step such as { \"new_weight\": 10, \"hold\": \"15m\" } before 100, or leave it out, and the threshold is the limit";
        return Some(Finding::warning(path, problem, fix));
    }
    let is_limit_of_it = |other: &&Metric| {
        other.compare_to.is_none()
            && (&other.namespace, &other.metric_name, &other.dimensions)
                == (&metric.namespace, &metric.metric_name, &metric.dimensions)
    };
    plan.monitoring.metrics.iter().find(is_limit_of_it).is_none().then(|| {
        let problem =
            "is all that is said of this metric: once the old side has no requests, at 100 % and until cleanup, it guards nothing";
        let fix = "add the same metric without compare_to, and with the limit that is to hold whatever the old side does";
        Finding::warning(path, problem, fix)
    })
}

/// Whether none of the steps that move the compared side has traffic on both: those of the route whose old group it is, else of all routes.
fn never_splits(plan: &Plan, metric: &Metric) -> bool {
    let splits = |route: &Route| route.steps().iter().any(|step| (1..100).contains(&step.new_weight));
    let own = plan.routes.iter().find(|route| metric.compare_to.as_ref().is_some_and(|old| old.is_of(route)));
    match own {
        Some(route) => !splits(route),
        None => !plan.routes.iter().any(splits),
    }
}
