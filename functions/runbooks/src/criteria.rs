//! What it means that a cutover has succeeded, as its plan measures it. Pure.

use cutover::Plan;
use cutover::plan::LoadTest;

use crate::book::Step;
use crate::cutover_plan::metric;

/// All of it.
pub(crate) fn of(plan: &Plan) -> Vec<Step> {
    let mut all = vec![Step::of(format!(
        "{} of {} routes lead all users to the new side.",
        plan.routes.len(),
        plan.routes.len()
    ))];
    if let Some(probe) = &plan.health_check {
        all.push(Step::of(format!(
            "{} answers {}, {} times in a row.",
            probe.title(),
            probe.expect_status,
            probe.successes
        )));
    }
    if let Some(test) = &plan.load_test {
        all.push(Step::of(format!("The load test: {}.", sla(test))));
    }
    all.extend(plan.monitoring.metrics.iter().map(|one| Step::of(format!("At every step: {}.", metric(one)))));
    let limits = plan.validation.limits.iter();
    all.extend(limits.map(|limit| Step::of(format!("At the end: {} is within its limit.", limit.name))));
    if let Some(database) = &plan.database {
        let tables = if database.require_validated_tables { " and every table was validated" } else { "" };
        all.push(Step::of(format!("No change was left behind in the old database{tables}.")));
    }
    let until = &plan.monitoring.until_cleanup;
    all.push(Step::of(format!(
        "Nothing of this fails in the {} until cleanup, looked at every {}.",
        plan.cleanup.after, until.interval
    )));
    all
}

/// The bounds of a load test.
pub(crate) fn sla(test: &LoadTest) -> String {
    let sla = &test.sla;
    let bounds = [
        (sla.max_mean_ms, "the mean is at most", "ms"),
        (sla.max_p50_ms, "p50 is at most", "ms"),
        (sla.max_p90_ms, "p90 is at most", "ms"),
        (sla.max_p95_ms, "p95 is at most", "ms"),
        (sla.max_p99_ms, "p99 is at most", "ms"),
        (sla.max_p999_ms, "p99.9 is at most", "ms"),
        (sla.min_success_percent, "successes are at least", "%"),
        (sla.min_throughput_rps, "throughput is at least", "requests a second"),
    ];
    let told: Vec<String> =
        bounds.into_iter().filter_map(|(bound, words, unit)| Some(format!("{words} {} {unit}", bound?))).collect();
    if told.is_empty() { "it is valid; no bound is set".to_owned() } else { told.join(", ") }
}

/// Whether the new side's writes have no way back to the old one.
pub(crate) fn has_no_way_back(plan: &Plan) -> bool {
    plan.database.as_ref().is_some_and(|database| !database.shared && database.reverse_replication_task_arn.is_none())
}
