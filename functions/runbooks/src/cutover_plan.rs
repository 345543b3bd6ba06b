//! What a cutover does, in the order of its machine, in words. Pure.

use cutover::plan::{Hook, Metric, Route};
use cutover::{Plan, Seconds, schedule};

use crate::book::Step;

/// Every part that the plan has.
pub(crate) fn steps(plan: &Plan) -> Vec<Step> {
    let mut steps = vec![
        Step::of("Precheck observes everything that the plan names, and reports every finding at once.")
            .checked("no finding is an error; else nothing is touched"),
    ];
    if let Some(approval) = &plan.approval {
        let asked = Step::of(format!(
            "Those who may agree are asked, with the findings before them; silence is a no after {}.",
            approval.within
        ));
        steps.push(asked.by(&approval.topic_arn));
    }
    steps.push(Step::of("The application and its routes are claimed: no other run touches them, and what they were before is written down."));
    if let Some(database) = &plan.database {
        let check = format!("the lag is {} at the most, {} samples in a row", database.max_lag, database.samples);
        let tables = if database.require_validated_tables { ", and every table is validated" } else { "" };
        steps.push(
            Step::of("The replication has caught up.")
                .checked(format!("{check}{tables}; it is waited for {}", database.give_up_after)),
        );
    }
    for route in &plan.routes {
        steps.push(prepared(route));
    }
    if let Some(test) = &plan.load_test {
        let old = if test.targets.old.is_some() { "both sides" } else { "the new side" };
        steps.push(
            Step::of(format!("A load test of {old}, before any traffic moves: {} at the least.", test.least_time()))
                .checked(crate::criteria::sla(test)),
        );
    }
    steps.extend(hooks("before any traffic moves, and has to pass", &plan.hooks.before_traffic));
    steps.extend(hooks("stops the old side's writers", &plan.hooks.quiesce));
    if plan.looks_before_traffic() {
        let latency = plan.database.as_ref().map_or(Seconds::default(), |database| database.drain_latency);
        steps.push(
            Step::of("The replication runs dry.")
                .checked(format!("no change waits, and the lag is {latency} at the most")),
        );
    }
    for step in schedule::steps(plan) {
        let first = if step.first_traffic { " This is the first of users' traffic." } else { "" };
        let what = format!(
            "{}: the new side gets {} %, for {}.{first}",
            step.title,
            step.new_weight,
            Seconds(step.hold_seconds)
        );
        steps.push(Step::of(what).checked(watched(plan)));
    }
    if let Some(probe) = &plan.health_check {
        steps.push(
            Step::of(format!("The new side is probed directly at {}.", probe.title()))
                .checked(format!("{}, {} times in a row", probe.expect_status, probe.successes)),
        );
    }
    steps.extend(hooks("after all traffic has moved, and has to pass", &plan.hooks.after_traffic));
    for alarm in &plan.alarms {
        steps.push(Step::of(format!("The alarm {} is set; what it was before is written down.", alarm.alarm_name)));
    }
    steps.push(Step::of("The routes are made final, everybody is told, and the run leaves its report."));
    steps
}

fn prepared(route: &Route) -> Step {
    let title = route.title();
    match route {
        Route::Listener(_) => Step::of(format!("{title}: the new target group is attached at weight 0."))
            .checked("its targets are healthy"),
        Route::Dns(route) => {
            Step::of(format!("{title}: its records become a weighted pair 100 to 0, with a TTL of {} s.", route.ttl))
                .checked("the change is in effect, and the old TTL is waited out")
        }
    }
}

fn hooks(what: &'static str, hooks: &[Hook]) -> impl Iterator<Item = Step> {
    hooks.iter().map(move |hook| {
        let name = hook.function_arn.rsplit(':').next().unwrap_or_default();
        Step::of(format!("The hook {name} {what}.")).checked(format!("it answers within {}", hook.timeout))
    })
}

/// What is looked at while a step is held.
fn watched(plan: &Plan) -> String {
    let monitoring = &plan.monitoring;
    let mut watched = vec!["the weights are as they were set, and the targets are healthy".to_owned()];
    watched.extend(monitoring.metrics.iter().map(metric));
    let alarms = monitoring.alarms.len();
    if alarms > 0 {
        watched.push(format!(
            "{alarms} alarm{} quiet: {}",
            if alarms == 1 { " is" } else { "s are" },
            monitoring.alarms.join(", ")
        ));
    }
    format!("every {}: {}", monitoring.interval, watched.join("; "))
}

/// A metric, and what would be trouble.
pub(crate) fn metric(metric: &Metric) -> String {
    use cutover::plan::Comparison;
    let trouble = match metric.comparison {
        Comparison::GreaterThan => "not above",
        Comparison::GreaterThanOrEqual => "below",
        Comparison::LessThan => "not below",
        Comparison::LessThanOrEqual => "above",
    };
    format!("{} is {trouble} {}", metric.name, metric.threshold)
}
