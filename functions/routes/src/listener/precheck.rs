//! What precheck looks at on a load balancer: the before-image of a listener or rule, and what does not fit the plan.
//!
//! Reads beside the listener or rule: both target groups with their health and attributes, the load balancer, all its listeners
//! and rules, and the tags of all these. What the run itself does not need and may not be seen is a warning (see [`behind`]).

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{TargetGroup, TargetTypeEnum};
use cutover::error::name;
use cutover::finding::{beside, is_missing, soften, soften_to};
use cutover::plan::{ListenerRoute, Plan, Route};
use cutover::verdict::at_least_percent;
use cutover::{Finding, StepError, StepResult};

use super::fit::Surroundings;
use super::owners::Tags;
use super::planned::pair;
use super::state::ListenerState;
use super::{arns, behind, fit, observe, owners, sticky};
use crate::behind::Behind;

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
            let fix = "choose such weights, or multiply all weights of the action first; it takes five target groups at the most";
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
            group_stickiness: None,
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
        let used = TargetGroup::builder().load_balancer_arns("balancer").build();
        let severity =
            |healthy, total| sick_old_side(&route(), &used, (healthy, total), String::new()).map(|f| f.severity);
        assert_eq!(severity(4, 5), None);
        assert_eq!(severity(3, 5), Some(Severity::Warning));
        assert_eq!(severity(0, 0), Some(Severity::Warning));
    }

    #[test]
    fn an_old_group_that_no_listener_uses_is_told_as_such_and_not_as_sick() {
        let told = sick_old_side(&route(), &TargetGroup::builder().build(), (0, 2), String::new()).unwrap();
        assert!(
            told.problem.starts_with("is of no listener or rule") && !told.problem.contains("healthy,"),
            "{told:?}"
        );
        assert_eq!(told.fix, "name the target group that serves now");
    }

    #[test]
    fn what_to_name_is_said_by_what_is_wrong_with_the_listener() {
        let of = |name, message: &str| what_to_name(&StepError::new(name, message));
        let missing = "elasticloadbalancing:DescribeListeners arn: ListenerNotFound: One or more listeners not found";
        assert_eq!(of(name::REFUSED, missing), NO_LISTENER);
        assert_eq!(of(name::REFUSED, "elasticloadbalancing:DescribeRules a: there is no such rule"), NO_LISTENER);
        assert_eq!(of(name::REFUSED, "a is a default rule, which only its listener can change"), DEFAULT_RULE);
        let redirect = "a: it forwards to no target group, its action is redirect";
        assert_eq!(of(name::DRIFT, redirect), NOT_FORWARDING);
    }

    fn plan_of(routes: &[(&str, &str)], delete: bool) -> Plan {
        let route = |(balancer, new): &(&str, &str)| {
            let arn = format!("arn:aws:elasticloadbalancing:r:1:listener/{balancer}/1/2");
            serde_json::json!({ "type": "listener", "listener_arn": arn, "old_target_group_arn": "old",
                "new_target_group_arn": new, "steps": [] })
        };
        let routes: Vec<_> = routes.iter().map(route).collect();
        let cleanup = serde_json::json!({ "delete_old_target_group": delete });
        serde_json::from_value(serde_json::json!({ "application": "a", "routes": routes, "cleanup": cleanup })).unwrap()
    }

    fn told_by_arns(routes: &[(&str, &str)], delete: bool) -> Vec<(Severity, String)> {
        let plan = plan_of(routes, delete);
        let index = routes.len() - 1;
        let Route::Listener(route) = &plan.routes[index] else { return Vec::new() };
        by_arns(&plan, index, route, "$").into_iter().map(|found| (found.severity, found.path)).collect()
    }

    #[test]
    fn a_new_group_for_two_load_balancers_is_an_error_of_the_plan() {
        let error = (Severity::Error, "$.new_target_group_arn".to_owned());
        assert_eq!(told_by_arns(&[("app/one", "new"), ("app/two", "new")], false), [error]);
        assert_eq!(told_by_arns(&[("app/one", "new"), ("app/one", "new")], false), []);
        assert_eq!(told_by_arns(&[("app/one", "new"), ("app/two", "newer")], false), []);
    }

    #[test]
    fn each_kind_of_load_balancer_is_told_by_its_arn() {
        assert_eq!(told_by_arns(&[("gwy/wall", "new")], false), [(Severity::Error, "$".to_owned())]);
        let connections = (Severity::Warning, "$".to_owned());
        assert_eq!(told_by_arns(&[("net/mail", "new")], false), std::slice::from_ref(&connections));
        let flows = (Severity::Warning, "$.old_target_group_arn".to_owned());
        assert_eq!(told_by_arns(&[("net/mail", "new")], true), [connections, flows]);
        assert_eq!(told_by_arns(&[("app/shop", "new")], true), []);
    }

    #[test]
    fn a_new_group_without_targets_is_an_error_and_one_without_health_checks_a_warning() {
        let told = |kind: TargetTypeEnum, is_checked: bool, total: usize| {
            let group = TargetGroup::builder().target_type(kind).health_check_enabled(is_checked).build();
            new_targets(&route(), &group, ((0, total), ""), "$").map(|found| (found.severity, found.fix))
        };
        let error = |fix: &str| Some((Severity::Error, fix.to_owned()));
        assert_eq!(told(TargetTypeEnum::Lambda, false, 0), error("register the new side's function"));
        assert_eq!(told(TargetTypeEnum::Ip, true, 0), error("register the new side's targets"));
        assert_eq!(told(TargetTypeEnum::Ip, true, 1), None);
        assert_eq!(told(TargetTypeEnum::Lambda, true, 1), None);
        assert!(told(TargetTypeEnum::Lambda, false, 1).is_some_and(|(severity, _)| severity == Severity::Warning));
    }

    #[test]
    fn a_new_group_that_is_checked_already_and_sick_is_a_warning() {
        let told = |balancers: Option<Vec<String>>, healthy| {
            let group = TargetGroup::builder().set_load_balancer_arns(balancers).build();
            new_targets(&route(), &group, ((healthy, 5), ""), "$").map(|found| found.severity)
        };
        let attached = || Some(vec!["balancer".to_owned()]);
        assert_eq!(told(attached(), 3), Some(Severity::Warning));
        assert_eq!(told(attached(), 4), None);
        assert_eq!(told(None, 0), None, "nobody checks it yet");
    }

    #[test]
    fn a_rule_is_looked_at_with_its_listener() {
        let rule = "arn:aws:elasticloadbalancing:r:1:listener-rule/app/shop/1/2/3".to_owned();
        let of_rule = ListenerRoute { rule_arn: Some(rule), listener_arn: None, ..route() };
        let names = |route| parts(&route).into_iter().map(|(part, _)| part).collect::<Vec<_>>();
        let groups = [owners::OLD_GROUP, owners::NEW_GROUP];
        assert_eq!(names(of_rule), [&["the rule", "its listener", "the load balancer"][..], &groups].concat());
    }

    #[test]
    fn stickiness_is_a_warning() {
        assert_eq!(findings(&[("old", 1)], true), [(Severity::Warning, "$.routes[0]".to_owned())]);
    }
}
