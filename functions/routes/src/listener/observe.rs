//! What is there: the live actions of a listener or rule, and the health of a target group.

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{Action, TargetHealthStateEnum};
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

/// How many targets of a group are healthy, and how many there are. Targets that are leaving do not count.
///
/// # Errors
/// AWS errors.
pub async fn health(elb: &Client, group: &str) -> StepResult<(usize, usize)> {
    let answer = elb.describe_target_health().target_group_arn(group).send().await;
    let call = format!("elasticloadbalancing:DescribeTargetHealth {group}");
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error))?;
    let states = answer.target_health_descriptions().iter();
    let states: Vec<_> = states.filter_map(|target| target.target_health()?.state()).collect();
    let staying = states.iter().filter(|state| ***state != TargetHealthStateEnum::Draining);
    let healthy = staying.clone().filter(|state| ***state == TargetHealthStateEnum::Healthy);
    Ok((healthy.count(), staying.count()))
}
