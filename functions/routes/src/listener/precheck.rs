//! What precheck looks at on a load balancer: the before-image of a listener or rule, and what does not fit the plan.
//!
//! Reads beside the listener or rule: both target groups with their health and attributes, the load balancer, all its listeners
//! and rules, and the tags of all these. What the run itself does not need and may not be seen is a warning (see [`behind`]).

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{TargetGroup, TargetTypeEnum};
use cutover::error::name;
use cutover::finding::{beside, is_missing, soften, soften_to};
use cutover::plan::{ListenerRoute, Plan, Route};
use cutover::verdict::at_least_percent;
use cutover::{Finding, StepError, StepResult};

use super::fit::Surroundings;
use super::owners::Tags;
use super::planned::{MOST_TARGET_GROUPS, MOST_WEIGHT, pair};
use super::state::ListenerState;
use super::{arns, behind, fit, observe, owners, sticky};
use crate::behind::Behind;
use crate::weights::whole_fix;

/// What is right where a listener or rule cannot be moved.
const NOT_FORWARDING: &str =
    "name a listener or rule that forwards to the old target group: a redirect has nothing to move";
/// What is right where there is no such listener or rule.
const NO_LISTENER: &str = "name a listener or rule that is there: `aws elbv2 describe-listeners --load-balancer-arn ...` and `aws elbv2 \
                           describe-rules --listener-arn ...` list them";
/// What is right where a rule is its listener's default one.
const DEFAULT_RULE: &str = "name the listener, by `listener_arn`";
/// What is right where there is no such group.
const NO_GROUP: &str = "name a target group of this account and region";

/// The before-image of a listener or rule, everything that does not fit the plan, and who would stay on the old side.
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
    findings.extend(by_arns(plan, index, route, path));
    if arns::is_gateway(route.arn()) {
        return Ok(None);
    }
    let (old_path, new_path) = (format!("{path}.old_target_group_arn"), format!("{path}.new_target_group_arn"));
    let old = target_group(elb, &route.old_target_group_arn, &old_path, findings).await?;
    let new = target_group(elb, &route.new_target_group_arn, &new_path, findings).await?;
    let live = observe::live(elb, route).await;
    // What is not there has no surroundings, and is told of once.
    let is_there = !live.as_ref().is_err_and(is_missing);
    if let Some(old) = &old {
        behind.extend(behind::look(elb, (plan, index), old.load_balancer_arns(), findings).await?);
    }
    if let (Some(old), Some(new)) = (&old, &new) {
        if is_there {
            let here = surroundings(elb, route, path, findings).await?;
            let misfits = fit::misfits(&here, old, new).into_iter();
            findings.extend(misfits.map(|(problem, fix)| Finding::environment(&new_path, problem, fix)));
        }
        health(elb, route, (old, new), (&old_path, &new_path), findings).await?;
    }
    let fix = live.as_ref().err().map_or("", what_to_name);
    let Some(live) = soften_to(live, &own_path(route, path), fix, findings)? else { return Ok(None) };
    findings.extend(fits(route, &live.state, path));
    let misfit = new.as_ref().and_then(|new| fit::beside_others(&live.state, new));
    findings.extend(misfit.map(|(problem, fix)| Finding::environment(&new_path, problem, fix)));
    // Of a group that is not there AWS tells nothing of the others either, asked for together.
    if old.is_some() && new.is_some() {
        let cookies = cookies(elb, route, &live.state, path, findings).await?;
        findings.extend(sticky::findings(route, &live.state, &cookies, path));
        owned(elb, route, (plan, path), findings).await?;
    }
    Ok(Some(live.state))
}

/// What is right where a listener or rule cannot be moved, or is not there: pure.
fn what_to_name(error: &StepError) -> &'static str {
    match error {
        error if is_missing(error) => NO_LISTENER,
        StepError { name: name::REFUSED, message } if message.contains("default rule") => DEFAULT_RULE,
        _ => NOT_FORWARDING,
    }
}

/// What the ARNs of the plan tell by themselves: pure.
fn by_arns(plan: &Plan, index: usize, route: &ListenerRoute, path: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if arns::is_gateway(route.arn()) {
        let problem = "is on a Gateway Load Balancer, which knows no weights";
        findings.push(Finding::plan(path, problem, "move a listener of an Application or Network Load Balancer"));
    }
    let balancer = arns::balancer(route.arn());
    let is_elsewhere = |other: &Route| {
        matches!(other, Route::Listener(other) if other.new_target_group_arn == route.new_target_group_arn
            && arns::balancer(other.arn()) != balancer)
    };
    if let Some(other) = plan.routes[..index].iter().position(is_elsewhere) {
        let problem = format!(
            "is that of routes[{other}], too, which is on another load balancer: AWS lets it belong to one only"
        );
        let fix = "make a target group of its own for each load balancer";
        findings.push(Finding::plan(format!("{path}.new_target_group_arn"), problem, fix));
    }
    if arns::is_network(route.arn()) {
        let problem = "is on a Network Load Balancer: a connection stays on its target group until it ends, up to an hour \
                       after a shift while it is in use; only new ones follow the weights";
        findings.push(Finding::warning(path, problem, "allow for it in the steps' holds and in cleanup.after"));
        if plan.cleanup.delete_old_target_group {
            let problem = "is of a Network Load Balancer, whose flows AWS counts for the load balancer as a whole: where \
                           nothing is counted for the group, cleanup keeps it";
            let fix = "delete it by hand, as cleanup's report says";
            findings.push(Finding::warning(format!("{path}.old_target_group_arn"), problem, fix));
        }
    }
    findings
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
            let fix = step_fix(route, &weights);
            findings.push(Finding::plan(format!("{path}.steps[{index}].new_weight"), problem, fix));
        }
    }
    let sticky = state.planned(pair(route), 0).ok().and_then(|prepared| prepared.forward.sticky_seconds());
    if let Some(seconds) = sticky {
        let problem = format!("keeps sticky clients on the old target group for up to {seconds} s after a shift");
        findings.push(Finding::warning(path, problem, "allow for it in the steps' holds and in cleanup.after"));
    }
    findings
}

/// What is right where a step cannot be written into an action of these weights.
fn step_fix(route: &ListenerRoute, weights: &BTreeMap<&str, i32>) -> String {
    let is_there = weights.contains_key(route.new_target_group_arn.as_str());
    if weights.len() + usize::from(!is_there) > MOST_TARGET_GROUPS {
        return format!("take a group out first: an action takes {MOST_TARGET_GROUPS} target groups at the most");
    }
    let old = weights.get(route.old_target_group_arn.as_str()).copied().unwrap_or_default();
    whole_fix(&[(old, weights.values().copied().max().unwrap_or_default())], &route.steps, MOST_WEIGHT)
}

/// The load balancer and its listener's protocol, as far as they may be seen.
async fn surroundings(
    elb: &Client,
    route: &ListenerRoute,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<Surroundings> {
    let Some(balancer) = arns::balancer(route.arn()) else { return Ok(Surroundings::default()) };
    let not_seen = "nobody looked at the load balancer's VPC and kind of addresses";
    let answer = elb.describe_load_balancers().load_balancer_arns(&balancer).send().await;
    let call = format!("elasticloadbalancing:DescribeLoadBalancers {balancer}");
    let answer = beside(answer.map_err(|error| StepError::from_aws(&call, &error)), path, not_seen, findings)?;
    let described = answer.and_then(|answer| answer.load_balancers.unwrap_or_default().into_iter().next());
    let listener = arns::listener(route.arn()).unwrap_or_default();
    let not_seen = "nobody looked at the listener's protocol";
    let answer = elb.describe_listeners().listener_arns(&listener).send().await;
    let call = format!("elasticloadbalancing:DescribeListeners {listener}");
    let answer = beside(answer.map_err(|error| StepError::from_aws(&call, &error)), path, not_seen, findings)?;
    let protocol = answer.and_then(|answer| answer.listeners.unwrap_or_default().into_iter().next()?.protocol);
    Ok(Surroundings {
        balancer,
        vpc_id: described.as_ref().and_then(|balancer| balancer.vpc_id.clone()),
        ip_address_type: described.and_then(|balancer| balancer.ip_address_type),
        protocol: protocol.map(|protocol| protocol.as_str().to_owned()),
    })
}

/// The old group could be gone back to, and the new one has targets.
async fn health(
    elb: &Client,
    route: &ListenerRoute,
    (old, new): (&TargetGroup, &TargetGroup),
    (old_path, new_path): (&str, &str),
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    let health = observe::health(elb, &route.old_target_group_arn).await;
    if let Some(health) = soften(health, old_path, findings)? {
        findings.extend(sick_old_side(route, old, health, old_path.to_owned()));
    }
    let health = observe::health_with_reasons(elb, &route.new_target_group_arn).await;
    if let Some((health, reasons)) = soften(health, new_path, findings)? {
        findings.extend(new_targets(route, new, (health, &reasons), new_path));
    }
    Ok(())
}

/// What the new group's targets say beforehand: pure. Of a group that nothing forwards to yet nobody checks the health.
fn new_targets(
    route: &ListenerRoute,
    new: &TargetGroup,
    ((healthy, total), reasons): ((usize, usize), &str),
    path: &str,
) -> Option<Finding> {
    let is_function = new.target_type() == Some(&TargetTypeEnum::Lambda);
    if total == 0 {
        let fix = if is_function { "register the new side's function" } else { "register the new side's targets" };
        return Some(Finding::environment(path, "has no registered targets", fix));
    }
    let needed = route.min_healthy_percent;
    if !new.load_balancer_arns().is_empty() && !at_least_percent(healthy, total, needed) {
        let problem = format!(
            "has {healthy} of {total} targets healthy{reasons}, {needed} % needed: the run waits for them, and is turned \
             back if they do not get healthy"
        );
        return Some(Finding::warning(path, problem, "mend the new side first"));
    }
    (new.health_check_enabled() == Some(false)).then(|| {
        let problem = "has no health checks (of functions they are off unless asked for): its targets count as healthy";
        Finding::warning(path, problem, "switch health checks on, or watch metrics or alarms of the function")
    })
}

/// A rollback does not by itself send traffic back to an old side that is not healthy: pure. Of a group that nothing forwards to nobody
/// checks the health.
fn sick_old_side(
    route: &ListenerRoute,
    old: &TargetGroup,
    (healthy, total): (usize, usize),
    path: String,
) -> Option<Finding> {
    if old.load_balancer_arns().is_empty() {
        let problem = "is of no listener or rule: it serves nobody, and nobody checks the health of its targets";
        return Some(Finding::warning(path, problem, "name the target group that serves now"));
    }
    (!at_least_percent(healthy, total, route.min_healthy_percent)).then(|| {
        let needed = route.min_healthy_percent;
        let problem = format!(
            "has {healthy} of {total} targets healthy, {needed} % needed: an automatic rollback would be held, and a person \
             asked"
        );
        Finding::warning(path, problem, "mend the old side first, or lower min_healthy_percent")
    })
}

/// Where the plan names the listener or rule itself.
fn own_path(route: &ListenerRoute, path: &str) -> String {
    format!("{path}.{}", if route.rule_arn.is_some() { "rule_arn" } else { "listener_arn" })
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
    Ok(soften_to(answer, path, NO_GROUP, findings)?
        .and_then(|answer| answer.target_groups.unwrap_or_default().into_iter().next()))
}

/// The groups of the run's action that have target stickiness by cookies. Behind a Network Load Balancer it is by address, and
/// told here.
async fn cookies(
    elb: &Client,
    route: &ListenerRoute,
    state: &ListenerState,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<BTreeSet<String>> {
    let mut cookies = BTreeSet::new();
    let mut groups: BTreeSet<&str> = state.forward.weights().into_keys().collect();
    groups.insert(&route.new_target_group_arn);
    for group in groups {
        let answer = elb.describe_target_group_attributes().target_group_arn(group).send().await;
        let call = format!("elasticloadbalancing:DescribeTargetGroupAttributes {group}");
        let answer = answer.map_err(|error| StepError::from_aws(&call, &error));
        let not_seen =
            "nobody looked whether the groups have target stickiness, with which AWS may refuse the run's actions";
        let Some(answer) = beside(answer, path, not_seen, findings)? else { break };
        let attributes = answer.attributes.unwrap_or_default();
        let is =
            |key: &str, value: &str| attributes.iter().any(|one| one.key() == Some(key) && one.value() == Some(value));
        let is_sticky = is("stickiness.enabled", "true");
        if is_sticky && arns::is_network(route.arn()) {
            let problem = format!(
                "has target stickiness by address on {group}: AWS does not say that a client stays with one of two groups"
            );
            findings.push(Finding::warning(
                path,
                problem,
                "move at once (one step to 100), or switch it off for the run",
            ));
        } else if is_sticky && !is("stickiness.type", "source_ip") {
            cookies.insert(group.to_owned());
        }
    }
    Ok(cookies)
}

/// Who keeps the listener, the load balancer or the groups, and would put back what the run changes.
async fn owned(
    elb: &Client,
    route: &ListenerRoute,
    (plan, path): (&Plan, &str),
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    let not_seen =
        "nobody looked at the tags, which tell whether a stack or a controller puts back what the run changes";
    let Some(tagged) = beside(tags(elb, route).await, path, not_seen, findings)? else { return Ok(()) };
    findings.extend(owners::findings(&tagged, path));
    if plan.cleanup.delete_old_target_group {
        findings.extend(owners::deleted(&tagged, path));
    }
    Ok(())
}

/// The tags of the listener or rule, the load balancer and the groups, each by what it is called.
///
/// # Errors
/// AWS errors.
pub(crate) async fn tags(elb: &Client, route: &ListenerRoute) -> StepResult<Vec<(&'static str, Tags)>> {
    let parts = parts(route);
    let arns: Vec<String> = parts.iter().map(|(_, arn)| arn.clone()).collect();
    let answer = elb.describe_tags().set_resource_arns(Some(arns)).send().await;
    let answer = answer.map_err(|error| StepError::from_aws("elasticloadbalancing:DescribeTags", &error))?;
    let described = answer.tag_descriptions();
    let tags_of = |arn: &str| -> Tags {
        let of_it = described.iter().filter(|one| one.resource_arn() == Some(arn)).flat_map(|one| one.tags());
        of_it.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
    };
    Ok(parts.iter().map(|(part, arn)| (*part, tags_of(arn))).collect())
}

/// The parts of a route that can have an owner, and their ARNs.
fn parts(route: &ListenerRoute) -> Vec<(&'static str, String)> {
    let arn = route.arn();
    let listener = arns::listener(arn).filter(|listener| listener != arn);
    let mut parts =
        vec![if listener.is_some() { ("the rule", arn.to_owned()) } else { ("the listener", arn.to_owned()) }];
    parts.extend(listener.map(|listener| ("its listener", listener)));
    parts.extend(arns::balancer(arn).map(|balancer| ("the load balancer", balancer)));
    parts.push((owners::OLD_GROUP, route.old_target_group_arn.clone()));
    parts.push((owners::NEW_GROUP, route.new_target_group_arn.clone()));
    parts
}

#[cfg(test)]
mod tests;
