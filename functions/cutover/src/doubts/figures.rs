//! Figures that contradict each other, and gates that are judged by another rule than their author may think. Pure.

use crate::Finding;
use crate::plan::{Comparison, Plan};

/// A percentile is never faster than a lower one.
pub(super) fn falling(plan: &Plan) -> Option<Finding> {
    let given = plan.baseline.given.as_ref()?;
    let all = [("p50_ms", given.p50_ms), ("p95_ms", given.p95_ms), ("p99_ms", given.p99_ms)];
    let given: Vec<(&str, f64)> = all.into_iter().filter_map(|(field, value)| Some((field, value?))).collect();
    given.windows(2).find(|pair| pair[0].1 > pair[1].1).map(|pair| {
        let ((lower, more), (higher, less)) = (pair[0], pair[1]);
        let problem = format!("is {less}, below {lower} ({more}), which it is never faster than");
        Finding::warning(format!("$.baseline.given.{higher}"), problem, "look at the two again: they may be swapped")
    })
}

/// Latencies of load balancers are judged by counts where trouble is to be above the threshold: at it or above is another rule.
pub(super) fn silently_by_threshold(plan: &Plan) -> impl Iterator<Item = Finding> {
    let metrics = plan.monitoring.metrics.iter().enumerate();
    let silent = metrics.filter(|(_, metric)| {
        let above = crate::plan::Metric { comparison: Comparison::GreaterThan, ..(*metric).clone() };
        metric.comparison == Comparison::GreaterThanOrEqual
            && metric.test.is_none()
            && metric.sequential().is_none()
            && above.sequential().is_some()
    });
    silent.map(|(index, metric)| {
        let problem = format!(
            "is greater_than_or_equal: so {} is judged by its newest value, and not by counts over the whole run",
            metric.statistic
        );
        let fix = "write greater_than, or `\"test\": \"threshold\"` if that is meant";
        Finding::warning(format!("$.monitoring.metrics[{index}].comparison"), problem, fix)
    })
}
