//! What is there: the live actions of a listener or rule, and the health of a target group.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{Action, TargetHealth, TargetHealthReasonEnum, TargetHealthStateEnum};
use cutover::error::name;
use cutover::plan::ListenerRoute;
use cutover::{StepError, StepResult};

use super::actions::Live;

/// Reads the actions of a route's listener or rule.
///
/// # Errors
/// AWS errors; `Cutover.Drift` where there is not exactly one forward action.
pub async fn live(elb: &Client, route: &ListenerRoute) -> StepResult<Live> {
    let actions = match &route.rule_arn {
        Some(rule) => rule_actions(elb, rule).await?,
        None => listener_actions(elb, route.arn()).await?,
    };
    Live::of(actions).map_err(|problem| StepError::new(name::DRIFT, format!("{}: {problem}", route.arn())))
}

async fn listener_actions(elb: &Client, arn: &str) -> StepResult<Vec<Action>> {
    let answer = elb.describe_listeners().listener_arns(arn).send().await;
    let call = format!("elasticloadbalancing:DescribeListeners {arn}");
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error))?;
    let listener = answer.listeners.unwrap_or_default().into_iter().next();
    let listener =
        listener.ok_or_else(|| StepError::new(name::REFUSED, format!("{call}: there is no such listener")))?;
    Ok(listener.default_actions.unwrap_or_default())
}

async fn rule_actions(elb: &Client, arn: &str) -> StepResult<Vec<Action>> {
    let answer = elb.describe_rules().rule_arns(arn).send().await;
    let call = format!("elasticloadbalancing:DescribeRules {arn}");
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error))?;
    let rule = answer.rules.unwrap_or_default().into_iter().next();
    let rule = rule.ok_or_else(|| StepError::new(name::REFUSED, format!("{call}: there is no such rule")))?;
    if rule.is_default == Some(true) {
        let problem = format!("{arn} is a default rule, which only its listener can change: name the listener_arn");
        return Err(StepError::new(name::REFUSED, problem));
    }
    Ok(rule.actions.unwrap_or_default())
}

/// How many targets of a group are healthy, and how many there are. Targets that are leaving do not count; those whose health
/// nobody checks, as of functions unless asked for, are not sick.
///
/// # Errors
/// AWS errors.
pub async fn health(elb: &Client, group: &str) -> StepResult<(usize, usize)> {
    Ok(health_with_reasons(elb, group).await?.0)
}

/// [`health`], and what Elastic Load Balancing says of those that are not healthy: nothing, or ` (1 Target.Timeout: Request timed
/// out)`.
///
/// # Errors
/// AWS errors.
pub async fn health_with_reasons(elb: &Client, group: &str) -> StepResult<((usize, usize), String)> {
    let answer = elb.describe_target_health().target_group_arn(group).send().await;
    let call = format!("elasticloadbalancing:DescribeTargetHealth {group}");
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error))?;
    let staying = staying(answer.target_health_descriptions().iter().filter_map(|target| target.target_health()));
    Ok((counted(&staying), reasons(&staying)))
}

/// Those that are not leaving.
fn staying<'a>(targets: impl Iterator<Item = &'a TargetHealth>) -> Vec<&'a TargetHealth> {
    targets.filter(|target| target.state() != Some(&TargetHealthStateEnum::Draining)).collect()
}

/// How many of these are healthy, and how many they are.
fn counted(staying: &[&TargetHealth]) -> (usize, usize) {
    (staying.iter().filter(|target| is_healthy(target)).count(), staying.len())
}

/// A target in a zone that the load balancer does not serve looks like one that is slow to start, but for these words.
fn reasons(staying: &[&TargetHealth]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for target in staying.iter().filter(|target| !is_healthy(target)) {
        let code = target.reason().map(|reason| reason.as_str()).or(target.state().map(|state| state.as_str()));
        let words = [code, target.description()].map(|text| text.unwrap_or_default());
        *counts.entry(words.join(": ").trim_end_matches(": ").to_owned()).or_default() += 1;
    }
    let told: Vec<String> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) }
}

fn is_healthy(target: &TargetHealth) -> bool {
    match target.state() {
        Some(TargetHealthStateEnum::Healthy) => true,
        Some(TargetHealthStateEnum::Unavailable) => {
            target.reason() == Some(&TargetHealthReasonEnum::HealthCheckDisabled)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(targets: &[(&str, Option<&str>)]) -> (usize, usize) {
        let target = |(state, reason): &(&str, Option<&str>)| {
            TargetHealth::builder().state((*state).into()).set_reason(reason.map(Into::into)).build()
        };
        let targets: Vec<TargetHealth> = targets.iter().map(target).collect();
        counted(&staying(targets.iter()))
    }

    #[test]
    fn what_is_not_healthy_is_told_with_the_load_balancers_words() {
        let zone = "Target is in an Availability Zone that is not enabled for the load balancer";
        let unused =
            TargetHealth::builder().state("unused".into()).reason("Target.NotInUse".into()).description(zone).build();
        let starting = TargetHealth::builder().state("initial".into()).build();
        let healthy = TargetHealth::builder().state("healthy".into()).build();
        assert_eq!(reasons(&[&healthy]), "");
        assert_eq!(
            reasons(&[&unused, &healthy, &unused, &starting]),
            format!(" (2 Target.NotInUse: {zone}; 1 initial)")
        );
    }

    #[test]
    fn a_target_whose_health_nobody_checks_is_not_sick() {
        assert_eq!(count(&[("unavailable", Some("Target.HealthCheckDisabled"))]), (1, 1));
        assert_eq!(count(&[("unavailable", Some("Elb.InternalError"))]), (0, 1));
        assert_eq!(count(&[("unavailable", None)]), (0, 1));
    }

    #[test]
    fn only_healthy_targets_count_and_those_that_leave_do_not() {
        let all = [
            ("healthy", None),
            ("draining", Some("Target.DeregistrationInProgress")),
            ("unused", Some("Target.NotInUse")),
            ("initial", Some("Elb.InitialHealthChecking")),
            ("unhealthy", Some("Target.Timeout")),
        ];
        assert_eq!(count(&all), (1, 4));
    }
}
