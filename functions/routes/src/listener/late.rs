//! Who came to a route's old target group after precheck had looked: a rule or a listener that somebody added for it while the run
//! was under way, or that its own check could not see.
//!
//! Reads: as [`behind`]. Writes nothing. What it finds, and what it cannot see, is told at the run's end and decides nothing: the
//! traffic that the plan names has moved.

use aws_sdk_elasticloadbalancingv2::Client;
use cutover::Finding;
use cutover::plan::{Plan, Route};

use super::{arns, behind};
use crate::behind::Behind;

/// Who stays on the old group of a route at the end of its run, though the plan neither moves nor leaves it, for the run's notes.
/// For routes of one load balancer the first one tells it for all.
pub async fn note(elb: &Client, plan: &Plan, index: usize) -> Option<String> {
    let Some(Route::Listener(route)) = plan.routes.get(index) else { return None };
    let balancer = arns::balancer(route.arn())?;
    let mut not_seen = Vec::new();
    match behind::look(elb, (plan, index), &[balancer], &mut not_seen).await {
        Ok(stays) => told(&stays, &not_seen, plan),
        Err(error) => Some(format!("routes[{index}]: nobody saw who else leads to the old group at the end: {error}")),
    }
}

fn told(stays: &[Behind], not_seen: &[Finding], plan: &Plan) -> Option<String> {
    let unnamed = stays.iter().filter(|one| !one.is_named_in(&plan.leaves_behind));
    let mut notes: Vec<String> =
        unnamed.map(|one| format!("users stay on the old side: {}: {}", one.path, one.problem)).collect();
    notes.extend(not_seen.iter().map(|finding| format!("{}: {}", finding.path, finding.problem)));
    (!notes.is_empty()).then(|| notes.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_came_in_the_run_is_told_unless_the_plan_leaves_it() {
        let plan = |left: serde_json::Value| {
            let group = |name| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/1");
            let listener = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/1/2";
            let route = serde_json::json!({ "type": "listener", "listener_arn": listener, "old_target_group_arn": group("old"),
                "new_target_group_arn": group("new"), "steps": [{ "new_weight": 100 }] });
            let plan = serde_json::json!({ "application": "shop", "routes": [route], "leaves_behind": left });
            Plan::read(&plan).unwrap()
        };
        let came = Behind {
            path: "$.routes[0].old_target_group_arn".to_owned(),
            what: "arn:rule".to_owned(),
            problem: "rule 7 forwards to it".to_owned(),
            fix: "add a route".to_owned(),
        };
        let note = told(std::slice::from_ref(&came), &[], &plan(serde_json::json!([])));
        let says = "users stay on the old side: $.routes[0].old_target_group_arn: rule 7 forwards to it";
        assert_eq!(note.as_deref(), Some(says));
        let left = serde_json::json!([{ "what": "arn:rule", "why": "it is ours" }]);
        assert_eq!(told(&[came], &[], &plan(left.clone())), None);
        let not_seen = Finding::warning("$.routes[0]", "nobody looked", "look");
        assert_eq!(told(&[], &[not_seen], &plan(left)).as_deref(), Some("$.routes[0]: nobody looked"));
    }
}
