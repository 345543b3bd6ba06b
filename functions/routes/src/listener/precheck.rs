//! What precheck looks at on a load balancer: the before-image of a listener or rule, and what does not fit the plan.

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::TargetGroup;
use cutover::finding::soften;
use cutover::plan::{ListenerRoute, Plan};
use cutover::verdict::at_least_percent;
use cutover::{Finding, StepError, StepResult};

use super::planned::pair;
use super::state::ListenerState;
use super::{behind, observe};
use crate::behind::Behind;

/// The before-image of a listener or rule, and everything that does not fit the plan.
///
/// # Errors
/// Those that a repetition may cure; all else is a finding.
pub async fn observe(
    elb: &Client,
    route: &ListenerRoute,
    (plan, index): (&Plan, usize),
    findings: &mut Vec<Finding>,
    behind: &mut Vec<Behind>,
) -> StepResult<Option<ListenerState>> {
    let path = &format!("$.routes[{index}]");
    let old = target_groups(elb, route, path, findings).await?;
    if let Some(old) = old {
        behind.extend(behind::look(elb, (plan, index), old.load_balancer_arns(), findings).await?);
    }
    let Some(live) = soften(observe::live(elb, route).await, path, findings)? else { return Ok(None) };
    findings.extend(fits(route, &live.state, path));
    stack_owned(elb, route, path, findings).await?;
    Ok(Some(live.state))
}

/// Whether the plan can be carried out from this state: pure.
fn fits(route: &ListenerRoute, state: &ListenerState, path: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let weights = state.forward.weights();
    match weights.get(route.old_target_group_arn.as_str()) {
        None => {
            let problem = format!("is not a target group of {}, which forwards to {}", route.arn(), state.describe());
            let fix = "name the target group that serves now";
            return vec![Finding::environment(format!("{path}.old_target_group_arn"), problem, fix)];
        }
        Some(0) => {
            let problem = "gets no traffic: its weight is 0";
            let fix = "name the target group that serves now";
            findings.push(Finding::environment(format!("{path}.old_target_group_arn"), problem, fix));
        }
        Some(_) => {}
    }
    if let Some(weight) = weights.get(route.new_target_group_arn.as_str()).filter(|weight| **weight > 0) {
        let problem = format!("gets traffic already: its weight is {weight}");
        let fix = "set its weight to 0 first, so that the before-image is the old side";
        findings.push(Finding::environment(format!("{path}.new_target_group_arn"), problem, fix));
    }
    for (index, step) in route.steps.iter().enumerate() {
        if let Err(problem) = state.planned(pair(route), step.new_weight) {
            let fix = "choose weights that fit the neighbours', five target groups in all";
            findings.push(Finding::plan(format!("{path}.steps[{index}].new_weight"), problem, fix));
        }
    }
    if let Some(seconds) = state.forward.sticky_seconds() {
        let problem = format!("keeps sticky clients on the old target group for up to {seconds} s after a shift");
        findings.push(Finding::warning(path, problem, "allow for it in the steps' holds and in cleanup.after"));
    }
    findings
}

/// Both groups exist, are of one kind, and the new one has targets; the old one, where it was seen.
async fn target_groups(
    elb: &Client,
    route: &ListenerRoute,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<Option<TargetGroup>> {
    let old = target_group(elb, &route.old_target_group_arn, &format!("{path}.old_target_group_arn"), findings).await?;
    let new_path = format!("{path}.new_target_group_arn");
    let new = target_group(elb, &route.new_target_group_arn, &new_path, findings).await?;
    let (Some(old), Some(new)) = (old.clone(), new) else { return Ok(old) };
    if old.vpc_id != new.vpc_id {
        let problem = format!("is in VPC {:?}, the old one in {:?}", new.vpc_id, old.vpc_id);
        findings.push(Finding::environment(&new_path, problem, "a load balancer forwards within its VPC"));
    }
    let old_path = format!("{path}.old_target_group_arn");
    let health = observe::health(elb, &route.old_target_group_arn).await;
    if let Some(health) = soften(health, &old_path, findings)? {
        findings.extend(sick_old_side(route, health, old_path));
    }
    let health = observe::health(elb, &route.new_target_group_arn).await;
    if soften(health, &new_path, findings)?.is_some_and(|(_, total)| total == 0) {
        findings.push(Finding::environment(new_path, "has no registered targets", "register the new side's targets"));
    }
    Ok(Some(old))
}

/// A rollback does not by itself send traffic back to an old side that is not healthy: pure.
fn sick_old_side(route: &ListenerRoute, (healthy, total): (usize, usize), path: String) -> Option<Finding> {
    (!at_least_percent(healthy, total, route.min_healthy_percent)).then(|| {
        let needed = route.min_healthy_percent;
        let problem = format!(
            "has {healthy} of {total} targets healthy, {needed} % needed: an automatic rollback would be held, and a person \
             asked"
        );
        Finding::warning(path, problem, "mend the old side first, or lower min_healthy_percent")
    })
}

async fn target_group(
    elb: &Client,
    arn: &str,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<Option<TargetGroup>> {
    let answer = elb.describe_target_groups().target_group_arns(arn).send().await;
    let call = format!("elasticloadbalancing:DescribeTargetGroups {arn}");
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error));
    Ok(soften(answer, path, findings)?.and_then(|answer| answer.target_groups.unwrap_or_default().into_iter().next()))
}

/// A stack that owns the listener resets its weights at its next update.
async fn stack_owned(elb: &Client, route: &ListenerRoute, path: &str, findings: &mut Vec<Finding>) -> StepResult<()> {
    let answer = elb.describe_tags().resource_arns(route.arn()).send().await;
    let answer = answer.map_err(|error| StepError::from_aws("elasticloadbalancing:DescribeTags", &error));
    let Some(answer) = soften(answer, path, findings)? else { return Ok(()) };
    let tags = answer.tag_descriptions().iter().flat_map(|description| description.tags());
    let stack = tags.filter(|tag| tag.key() == Some("aws:cloudformation:stack-name")).find_map(|tag| tag.value());
    if let Some(stack) = stack {
        let problem = format!("belongs to the CloudFormation stack {stack}, whose next update resets the weights");
        findings.push(Finding::warning(
            path,
            problem,
            "change the stack's template to the new side before its next update",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cutover::plan::Step;
    use cutover::{Seconds, Severity};

    use super::*;
    use crate::listener::{Forward, Stickiness, WeightedGroup};

    fn route() -> ListenerRoute {
        ListenerRoute {
            listener_arn: Some("listener".to_owned()),
            rule_arn: None,
            old_target_group_arn: "old".to_owned(),
            new_target_group_arn: "new".to_owned(),
            min_healthy_percent: 80,
            steps: vec![Step { new_weight: 50, hold: Seconds(0) }, Step { new_weight: 100, hold: Seconds(0) }],
        }
    }

    fn findings(groups: &[(&str, i32)], sticky: bool) -> Vec<(Severity, String)> {
        let groups = groups.iter().map(|(arn, weight)| WeightedGroup { arn: (*arn).to_owned(), weight: Some(*weight) });
        let stickiness = Some(Stickiness { enabled: sticky, duration_seconds: Some(3600) });
        let forward = Forward { order: None, target_group_arn: None, groups: groups.collect(), stickiness };
        let state = ListenerState { forward, others: vec![] };
        fits(&route(), &state, "$.routes[0]").into_iter().map(|finding| (finding.severity, finding.path)).collect()
    }

    #[test]
    fn the_old_group_must_serve_and_the_new_one_must_not() {
        assert_eq!(findings(&[("old", 1)], false), []);
        let error = |field: &str| (Severity::Error, format!("$.routes[0].{field}"));
        assert_eq!(findings(&[("other", 1)], false), [error("old_target_group_arn")]);
        assert_eq!(
            findings(&[("old", 0), ("new", 1)], false),
            [error("old_target_group_arn"), error("new_target_group_arn")]
        );
    }

    #[test]
    fn weights_that_neighbours_cannot_represent_are_found_by_step() {
        assert_eq!(
            findings(&[("old", 1), ("other", 1)], false),
            [(Severity::Error, "$.routes[0].steps[0].new_weight".to_owned())]
        );
        assert_eq!(findings(&[("old", 2), ("other", 1)], false), []);
    }

    #[test]
    fn an_old_side_that_a_rollback_would_not_return_to_is_a_warning() {
        let severity = |healthy, total| sick_old_side(&route(), (healthy, total), String::new()).map(|f| f.severity);
        assert_eq!(severity(4, 5), None);
        assert_eq!(severity(3, 5), Some(Severity::Warning));
        assert_eq!(severity(0, 0), Some(Severity::Warning));
    }

    #[test]
    fn stickiness_is_a_warning() {
        assert_eq!(findings(&[("old", 1)], true), [(Severity::Warning, "$.routes[0]".to_owned())]);
    }
}
