//! Load balancers that DNS leads to, as Route 53 sees them: which ones there are, and whether they count as healthy.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{IpAddressType, LoadBalancer};
use cutover::dns::bare_name;
use cutover::{StepError, StepResult};

use crate::listener::{self, arns};
use crate::name::shares::balancer_is_healthy;

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
        healthy.push(listener::observe::health(elb, group.target_group_arn().unwrap_or_default()).await?.0);
    }
    Ok(balancer_is_healthy(&healthy))
}

/// Of these DNS names, those of balancers in this account and region, and whether each has IPv6 addresses.
///
/// # Errors
/// AWS errors.
pub(crate) async fn with_ipv6(elb: &Client, names: &BTreeSet<String>) -> StepResult<BTreeMap<String, bool>> {
    let mut seen = BTreeMap::new();
    let mut balancers = elb.describe_load_balancers().into_paginator().items().send();
    while let Some(balancer) = balancers.next().await {
        let balancer =
            balancer.map_err(|error| StepError::from_aws("elasticloadbalancing:DescribeLoadBalancers", &error))?;
        if let Some(name) = balancer.dns_name().map(bare_name).filter(|name| names.contains(name)) {
            seen.insert(name, balancer.ip_address_type() != Some(&IpAddressType::Ipv4));
        }
    }
    Ok(seen)
}

/// Of these DNS names, as they are compared, those of Application Load Balancers in this account and region, each as the dimension `LoadBalancer`
/// of its metrics.
///
/// # Errors
/// AWS errors.
pub async fn counted_as(elb: &Client, names: [&str; 2]) -> StepResult<BTreeMap<String, String>> {
    let mut seen = BTreeMap::new();
    let mut balancers = elb.describe_load_balancers().into_paginator().items().send();
    while let Some(balancer) = balancers.next().await {
        let balancer =
            balancer.map_err(|error| StepError::from_aws("elasticloadbalancing:DescribeLoadBalancers", &error))?;
        let dimension =
            balancer.load_balancer_arn().map(arns::balancer_dimension).filter(|one| one.starts_with("app/"));
        let own = balancer.dns_name().map(bare_name).filter(|own| names.contains(&own.as_str()));
        seen.extend(own.zip(dimension.map(str::to_owned)));
    }
    Ok(seen)
}

/// The balancer of a listener or rule.
///
/// # Errors
/// AWS errors.
pub async fn of_listener(elb: &Client, arn: &str) -> StepResult<Option<LoadBalancer>> {
    let Some(balancer) = arns::balancer(arn) else { return Ok(None) };
    let answer = elb.describe_load_balancers().load_balancer_arns(&balancer).send().await;
    let call = format!("elasticloadbalancing:DescribeLoadBalancers {balancer}");
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error))?;
    Ok(answer.load_balancers.unwrap_or_default().into_iter().next())
}
