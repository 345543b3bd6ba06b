//! Load balancers that DNS leads to, as Route 53 sees them: which ones there are, and whether they count as healthy.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{
    LoadBalancer, TargetHealth, TargetHealthReasonEnum, TargetHealthStateEnum,
};
use cutover::dns::normalise_name;
use cutover::{StepError, StepResult};

use crate::name::shares::balancer_is_healthy;

/// A balancer's DNS name as it is compared: aliases may have `dualstack.` before it, which leads to the same nodes.
pub fn bare_name(dns_name: &str) -> String {
    let name = normalise_name(dns_name);
    name.strip_prefix("dualstack.").map_or(name.clone(), str::to_owned)
}

/// Of these DNS names, those of balancers in this account and region, and whether Route 53 counts each as healthy.
///
/// # Errors
/// AWS errors.
pub async fn health(elb: &Client, names: &BTreeSet<String>) -> StepResult<BTreeMap<String, bool>> {
    let mut seen = BTreeMap::new();
    if names.is_empty() {
        return Ok(seen);
    }
    let mut balancers = elb.describe_load_balancers().into_paginator().items().send();
    while let Some(balancer) = balancers.next().await {
        let balancer =
            balancer.map_err(|error| StepError::from_aws("elasticloadbalancing:DescribeLoadBalancers", &error))?;
        let Some(own) = balancer.dns_name().map(bare_name) else { continue };
        let wanted: Vec<&String> = names.iter().filter(|name| bare_name(name) == own).collect();
        if let (Some(arn), false) = (balancer.load_balancer_arn(), wanted.is_empty()) {
            let healthy = is_healthy(elb, arn).await?;
            seen.extend(wanted.into_iter().map(|name| (name.clone(), healthy)));
        }
    }
    Ok(seen)
}

async fn is_healthy(elb: &Client, arn: &str) -> StepResult<bool> {
    let call = format!("elasticloadbalancing:DescribeTargetGroups {arn}");
    let mut groups = elb.describe_target_groups().load_balancer_arn(arn).into_paginator().items().send();
    let mut healthy = Vec::new();
    while let Some(group) = groups.next().await {
        let group = group.map_err(|error| StepError::from_aws(&call, &error))?;
        healthy.push(healthy_targets(elb, group.target_group_arn().unwrap_or_default()).await?);
    }
    Ok(balancer_is_healthy(&healthy))
}

/// How many targets of a group count as healthy; one whose health is not checked does.
///
/// # Errors
/// AWS errors.
pub async fn healthy_targets(elb: &Client, group: &str) -> StepResult<usize> {
    let answer = elb.describe_target_health().target_group_arn(group).send().await;
    let call = format!("elasticloadbalancing:DescribeTargetHealth {group}");
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error))?;
    let targets = answer.target_health_descriptions().iter().filter_map(|target| target.target_health());
    Ok(targets.filter(|health| serves(health)).count())
}

fn serves(health: &TargetHealth) -> bool {
    let is_unchecked = health.reason() == Some(&TargetHealthReasonEnum::HealthCheckDisabled);
    health.state() == Some(&TargetHealthStateEnum::Healthy) || is_unchecked
}

/// The balancer of a listener or rule.
///
/// # Errors
/// AWS errors.
pub async fn of_listener(elb: &Client, arn: &str) -> StepResult<Option<LoadBalancer>> {
    let Some(balancer) = balancer_arn(arn) else { return Ok(None) };
    let answer = elb.describe_load_balancers().load_balancer_arns(&balancer).send().await;
    let call = format!("elasticloadbalancing:DescribeLoadBalancers {balancer}");
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error))?;
    Ok(answer.load_balancers.unwrap_or_default().into_iter().next())
}

/// `...:loadbalancer/app/shop/50dc` of `...:listener/app/shop/50dc/f2f7` or `...:listener-rule/app/shop/50dc/f2f7/1a2b`.
fn balancer_arn(arn: &str) -> Option<String> {
    let (account, path) = arn.split_once(":listener-rule/").or_else(|| arn.split_once(":listener/"))?;
    let parts: Vec<&str> = path.split('/').take(3).collect();
    Some(format!("{account}:loadbalancer/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balancer_is_named_by_its_listeners_and_rules() {
        let arn = |path: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{path}");
        let balancer = Some(arn("loadbalancer/app/shop/50dc"));
        assert_eq!(balancer_arn(&arn("listener/app/shop/50dc/f2f7")), balancer);
        assert_eq!(balancer_arn(&arn("listener-rule/app/shop/50dc/f2f7/1a2b")), balancer);
        assert_eq!(balancer_arn(&arn("targetgroup/shop/50dc")), None);
    }

    #[test]
    fn an_aliases_name_for_both_families_is_the_balancers() {
        assert_eq!(bare_name("dualstack.Shop-1.eu-west-1.elb.amazonaws.com"), "shop-1.eu-west-1.elb.amazonaws.com.");
    }

    #[test]
    fn a_target_whose_health_is_not_checked_counts_and_an_unused_one_does_not() {
        let health = |state, reason| TargetHealth::builder().state(state).set_reason(reason).build();
        assert!(serves(&health(TargetHealthStateEnum::Healthy, None)));
        assert!(serves(&health(TargetHealthStateEnum::Unavailable, Some(TargetHealthReasonEnum::HealthCheckDisabled))));
        assert!(!serves(&health(TargetHealthStateEnum::Unused, Some(TargetHealthReasonEnum::NotInUse))));
    }
}
