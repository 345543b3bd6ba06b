//! Route 53 health checks of the pair's records.
//!
//! Each is created under a caller reference derived from the run, the route and the side: creating it again answers the
//! one that is there, and undo finds it without having been told its identifier (API reference of CreateHealthCheck).

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{HealthCheckConfig, HealthCheckType};
use cutover::contract::{RouteRequest, digest};
use cutover::plan::{DnsRoute, HealthCheck};
use cutover::record::PairChecks;
use cutover::{StepError, StepResult};

use crate::{Clients, phase_of};

/// Creates the health checks that the plan wants.
pub(crate) async fn create(clients: &Clients, request: &RouteRequest, route: &DnsRoute) -> StepResult<PairChecks> {
    let Some(wanted) = &route.health_checks else { return Ok(PairChecks::default()) };
    clients.journal.fence(&request.caller, phase_of(request.action)).await?;
    let mut made = PairChecks::default();
    if let Some(check) = &wanted.old {
        made.old =
            Some(create_one(&clients.route53, check, &reference(&request.caller.run_id, request.route, "old")).await?);
    }
    if let Some(check) = &wanted.new {
        made.new =
            Some(create_one(&clients.route53, check, &reference(&request.caller.run_id, request.route, "new")).await?);
    }
    Ok(made)
}

async fn create_one(route53: &Client, check: &HealthCheck, reference: &str) -> StepResult<String> {
    let kind = if check.port == 80 { HealthCheckType::Http } else { HealthCheckType::Https };
    let config = HealthCheckConfig::builder()
        .r#type(kind)
        .fully_qualified_domain_name(&check.fqdn)
        .resource_path(&check.path)
        .port(i32::from(check.port))
        .request_interval(if check.interval.0 == 10 { 10 } else { 30 })
        .failure_threshold(i32::from(check.failure_threshold))
        .build()
        .map_err(|error| StepError::invalid(error.to_string()))?;
    let answer = route53.create_health_check().caller_reference(reference).health_check_config(config).send().await;
    let answer = answer.map_err(|error| StepError::from_aws("route53:CreateHealthCheck", &error))?;
    Ok(answer.health_check.map(|check| check.id).unwrap_or_default())
}

/// Deletes the health checks that this run made for this route, once no record carries them.
pub(crate) async fn delete(clients: &Clients, request: &RouteRequest, route: &DnsRoute) -> StepResult<()> {
    if route.health_checks.is_none() {
        return Ok(());
    }
    clients.journal.fence(&request.caller, phase_of(request.action)).await?;
    delete_of_run(&clients.route53, &request.caller.run_id, request.route).await
}

/// Deletes the health checks that a run made for a route. Cleanup does the same as restore.
///
/// # Errors
/// AWS errors; a health check that is gone already is fine.
pub async fn delete_of_run(route53: &Client, run_id: &str, route: usize) -> StepResult<()> {
    for id in of_run(route53, run_id, route).await? {
        if let Err(error) = route53.delete_health_check().health_check_id(&id).send().await
            && !error.as_service_error().is_some_and(|error| error.is_no_such_health_check())
        {
            return Err(StepError::from_aws(&format!("route53:DeleteHealthCheck {id}"), &error));
        }
    }
    Ok(())
}

/// The identifiers of the health checks that a run made for a route.
///
/// # Errors
/// AWS errors.
pub async fn of_run(route53: &Client, run_id: &str, route: usize) -> StepResult<Vec<String>> {
    let PairChecks { old, new } = find(route53, run_id, route).await?;
    Ok([old, new].into_iter().flatten().collect())
}

/// The health checks that a run made for a route and that are there still, by their caller references.
///
/// # Errors
/// AWS errors.
pub async fn find(route53: &Client, run_id: &str, route: usize) -> StepResult<PairChecks> {
    let [old, new] = references(run_id, route);
    let mut pages = route53.list_health_checks().into_paginator().items().send();
    let mut found = PairChecks::default();
    while let Some(check) = pages.next().await {
        let check = check.map_err(|error| StepError::from_aws("route53:ListHealthChecks", &error))?;
        if check.caller_reference == old {
            found.old = Some(check.id);
        } else if check.caller_reference == new {
            found.new = Some(check.id);
        }
    }
    Ok(found)
}

/// The caller references of the health checks that a run makes for a route: of the old side, and of the new.
pub fn references(run_id: &str, route: usize) -> [String; 2] {
    ["old", "new"].map(|side| reference(run_id, route, side))
}

/// At most 64 characters (API reference), so the run is digested.
fn reference(run_id: &str, route: usize, side: &str) -> String {
    format!("cutover-{}-{route}-{side}", digest(run_id))
}
