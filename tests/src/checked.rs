//! What can be said of a plan without any AWS: its form and sense, what it takes in time, history and money, and what
//! cleanup would remove.
//!
//! Contract: pure, and by the product's own reader and rules. What only the environment can tell is precheck's.

use cutover::arn::short_name;
use cutover::authority::Patterns;
use cutover::load::{self, LoadLimits};
use cutover::plan::{Metric, Route};
use cutover::schedule::{self, MOST_HISTORY_EVENTS, ScheduledStep};
use cutover::{Finding, Plan, Severity, doubts, gates, quiesce};
use serde::Serialize;
use serde_json::Value;

use crate::bill::Bill;

/// History events of one state transition of a Standard workflow, of a Task rather too few: entered, scheduled, started, succeeded,
/// exited; of a Choice or a Wait: entered, exited.
const EVENTS_PER_TRANSITION: u64 = 3;
/// What was found out about a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checked {
    /// What is wrong with it; where there is no error among them, form and sense are right.
    pub findings: Vec<Finding>,
    /// What it takes; none where it could not be read.
    pub takes: Option<Takes>,
}

/// What a run of a plan takes when all goes well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Takes {
    /// Its steps, in their order.
    pub steps: Vec<ScheduledStep>,
    /// Holds and the TTLs that are waited for; probes, replication, hooks and the looks at each change come to it.
    pub least_seconds: u64,
    /// The plan's deadline.
    pub timeout_seconds: u64,
    /// Events of the execution's history, estimated from above.
    pub history_events: u64,
    /// How many a run may have.
    pub most_history_events: u64,
    /// What AWS asks for it, estimated from above, in dollars.
    pub dollars: f64,
    /// What cleanup removes, a sentence for each route.
    pub cleanup: Vec<String>,
}

impl Checked {
    /// Judges a plan as its author wrote it.
    pub fn of(plan: &Value) -> Self {
        match Plan::read(plan) {
            Ok(plan) => {
                let writers = [quiesce::nobody_stops_writers(&plan), quiesce::unverified(&plan)].into_iter().flatten();
                let of_plan = gates::findings(&plan).into_iter().chain(doubts::findings(&plan));
                let findings = of_plan.chain(unlisted(&plan)).chain(writers).collect();
                Self { findings, takes: Some(Takes::of(&plan)) }
            }
            Err(findings) => Self { findings, takes: None },
        }
    }
}

impl Checked {
    /// Whether a run would end at once.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

impl Takes {
    fn of(plan: &Plan) -> Self {
        let history_events = schedule::history_events(plan);
        Self {
            steps: schedule::steps(plan),
            least_seconds: schedule::least_time(plan).0,
            timeout_seconds: plan.timeout.0,
            history_events,
            most_history_events: MOST_HISTORY_EVENTS,
            dollars: bill(plan, history_events).dollars(),
            cleanup: cleanup(plan),
        }
    }
}

/// Hosts of a load test that a plan does not show to be its own, and its secret: the stack may list them.
fn unlisted(plan: &Plan) -> impl Iterator<Item = Finding> {
    let (names, answers) = (Patterns::open(), [Patterns::open(), Patterns::open()]);
    let (hosts, secrets) = (Vec::new(), Vec::new());
    let limits = LoadLimits { most_rate_per_second: u32::MAX, hosts, secrets, names, answers };
    let found = load::findings(plan, &limits).into_iter();
    found.map(|finding| Finding { severity: Severity::Warning, ..finding })
}

/// Every third transition calls a function, and every second call of a hold looks at metrics.
fn bill(plan: &Plan, history_events: u64) -> Bill {
    let transitions = history_events.div_ceil(EVENTS_PER_TRANSITION) as usize;
    let series: usize = plan.monitoring.metrics.iter().map(Metric::series).sum();
    let invocations = transitions.div_ceil(3);
    Bill { transitions, invocations, metrics: invocations * series }
}

/// What cleanup removes of each route, and when.
pub fn cleanup(plan: &Plan) -> Vec<String> {
    let after = plan.cleanup.after;
    let of_route = |route: &Route| match route {
        Route::Listener(listener) => {
            let group = short_name(&listener.old_target_group_arn);
            let then = match plan.cleanup.delete_old_target_group {
                true => "and deletes it, once CloudWatch shows that nobody uses it",
                false => "and keeps it (cleanup.delete_old_target_group is false)",
            };
            format!("{after} after the cutover takes {group} out of {}, {then}", route.title())
        }
        Route::Dns(name) if name.health_checks.is_some() => {
            format!("{after} after the cutover deletes the health checks that the run made for {}", name.record_name)
        }
        Route::Dns(name) => {
            format!("has nothing to remove of {}: the old records went with the last step", name.record_name)
        }
    };
    plan.routes.iter().map(of_route).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> Value {
        let arn = |kind: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{kind}");
        json!({
            "application": "shop",
            "notify": { "topic_arn": "arn:aws:sns:eu-west-1:123456789012:cutovers" },
            "routes": [{
                "type": "listener",
                "listener_arn": arn("listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"),
                "old_target_group_arn": arn("targetgroup/shop-old/73e2d6bc24d8a067"),
                "new_target_group_arn": arn("targetgroup/shop-new/6d0ecf831eec9f09"),
                "steps": [{ "new_weight": 10, "hold": "15m" }, { "new_weight": 100, "hold": "30m" }],
            }],
        })
    }

    #[test]
    fn a_right_plan_is_told_with_what_it_takes() {
        let checked = Checked::of(&plan());
        let takes = checked.takes.expect("it is right");
        assert_eq!(checked.findings, []);
        assert_eq!((takes.least_seconds, takes.timeout_seconds, takes.steps.len()), (45 * 60, 12 * 3600, 2));
        assert!(takes.history_events > 45 && takes.history_events < MOST_HISTORY_EVENTS, "{}", takes.history_events);
        assert!(takes.dollars > 0.001 && takes.dollars < 0.1, "{}", takes.dollars);
        assert!(takes.cleanup[0].starts_with("1d after the cutover takes shop-old out of"), "{}", takes.cleanup[0]);
    }

    #[test]
    fn writers_that_nobody_stops_are_told_before_anything_is_started() {
        let mut plan = plan();
        plan["database"] = json!({ "replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:T" });
        plan["routes"][0]["steps"] = json!([{ "new_weight": 100, "hold": "30m" }]);
        let checked = Checked::of(&plan);
        let paths: Vec<_> = checked.findings.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!((paths, checked.is_refused()), (vec!["$.hooks.quiesce"], false));
    }

    #[test]
    fn what_precheck_would_doubt_by_the_plan_alone_is_told_before_anything_is_started() {
        let mut plan = plan();
        plan.as_object_mut().map(|plan| plan.remove("notify"));
        let checked = Checked::of(&plan);
        let paths: Vec<_> = checked.findings.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!((paths, checked.is_refused()), (vec!["$.notify"], false));
    }

    #[test]
    fn a_longer_hold_costs_more_and_so_does_each_metric() {
        let cost = |plan: &Value| Checked::of(plan).takes.map_or(0.0, |takes| takes.dollars);
        let mut longer = plan();
        longer["routes"][0]["steps"][1]["hold"] = json!("2h");
        assert!(cost(&longer) > cost(&plan()));
        let mut watched = longer.clone();
        watched["monitoring"] = json!({ "metrics": [{
            "name": "n", "namespace": "AWS/ApplicationELB", "metric_name": "RequestCount", "statistic": "Sum",
            "dimensions": { "LoadBalancer": "app/shop/50dc6c495c0c9188" }, "comparison": "less_than", "threshold": 1 }] });
        assert!(cost(&watched) > cost(&longer));
    }

    #[test]
    fn a_wrong_plan_is_told_with_its_findings_alone() {
        let mut wrong = plan();
        wrong["timeout"] = json!(5);
        let checked = Checked::of(&wrong);
        assert_eq!(checked.findings.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["$.timeout"]);
        assert_eq!(checked.takes, None);
    }
}
