//! Route 53 health checks of the pair's records.
//!
//! Each is created under a caller reference derived from the run, the route and the side: creating it again answers the
//! one that is there, and undo finds it without having been told its identifier (API reference of CreateHealthCheck).

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{HealthCheckConfig, HealthCheckType};
use cutover::plan::{CheckProtocol, DnsRoute, HealthCheck};
use cutover::{StepError, StepResult};

use super::by_hand;
use super::checks::{PairChecks, reference, references};
use crate::Left;

/// Creates the health checks that the plan wants.
///
/// # Errors
/// AWS errors.
pub async fn create(route53: &Client, run_id: &str, index: usize, route: &DnsRoute) -> StepResult<PairChecks> {
    let mut made = PairChecks::default();
    let Some(wanted) = &route.health_checks else { return Ok(made) };
    if let Some(check) = &wanted.old {
        made.old = Some(create_one(route53, check, &reference(run_id, index, "old")).await?);
    }
    if let Some(check) = &wanted.new {
        made.new = Some(create_one(route53, check, &reference(run_id, index, "new")).await?);
    }
    Ok(made)
}

async fn create_one(route53: &Client, check: &HealthCheck, reference: &str) -> StepResult<String> {
    let config = config(check)?;
    let answer = route53.create_health_check().caller_reference(reference).health_check_config(config).send().await;
    let answer = answer.map_err(|error| StepError::from_aws("route53:CreateHealthCheck", &error))?;
    Ok(answer.health_check.map(|check| check.id).unwrap_or_default())
}

/// A health check as the API takes it. A server of several names needs the one that is asked in its TLS greeting too.
fn config(check: &HealthCheck) -> StepResult<HealthCheckConfig> {
    let is_searched = check.search_string.is_some();
    let kind = match check.protocol() {
        CheckProtocol::Http if is_searched => HealthCheckType::HttpStrMatch,
        CheckProtocol::Http => HealthCheckType::Http,
        CheckProtocol::Https if is_searched => HealthCheckType::HttpsStrMatch,
        CheckProtocol::Https => HealthCheckType::Https,
        CheckProtocol::Tcp => HealthCheckType::Tcp,
    };
    let has_path = check.protocol() != CheckProtocol::Tcp;
    let greets = check.protocol() == CheckProtocol::Https && check.fqdn.is_some();
    HealthCheckConfig::builder()
        .r#type(kind)
        .set_ip_address(check.ip_address.clone())
        .set_fully_qualified_domain_name(check.fqdn.clone())
        .set_resource_path(has_path.then(|| check.path.clone()))
        .set_search_string(check.search_string.clone())
        .set_enable_sni(greets.then_some(true))
        .port(i32::from(check.port()))
        .request_interval(if check.interval.0 == 10 { 10 } else { 30 })
        .failure_threshold(i32::from(check.failure_threshold))
        .build()
        .map_err(|error| StepError::invalid(error.to_string()))
}

/// Deletes the health checks that a run made for a route.
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
async fn of_run(route53: &Client, run_id: &str, route: usize) -> StepResult<Vec<String>> {
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

/// What of a run's health checks for a route is there still, each with the command that deletes it.
///
/// # Errors
/// AWS errors.
pub async fn left(route53: &Client, run_id: &str, index: usize, route: &DnsRoute) -> StepResult<Vec<Left>> {
    if route.health_checks.is_none() {
        return Ok(Vec::new());
    }
    let left = |id: &String| Left { live: format!("{id} is there"), change: by_hand::health_check(id) };
    Ok(of_run(route53, run_id, index).await?.iter().map(left).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Type, host, address, port, path, text, SNI.
    fn asked(check: serde_json::Value) -> String {
        let config = config(&serde_json::from_value(check).unwrap()).unwrap();
        let text = |field: Option<&str>| field.unwrap_or("-").to_owned();
        let parts = [
            config.r#type.as_str().to_owned(),
            text(config.fully_qualified_domain_name()),
            text(config.ip_address()),
            config.port().map_or_else(|| "-".to_owned(), |port| port.to_string()),
            text(config.resource_path()),
            text(config.search_string()),
            config.enable_sni().map_or_else(|| "-".to_owned(), |on| on.to_string()),
        ];
        parts.join(" ")
    }

    #[test]
    fn a_check_asks_as_the_plan_says() {
        use serde_json::json;
        for (check, expected) in [
            (json!({ "fqdn": "x", "path": "/health" }), "HTTPS x - 443 /health - true"),
            (json!({ "fqdn": "x", "port": 80 }), "HTTP x - 80 / - -"),
            (json!({ "fqdn": "x", "port": 8080, "protocol": "http" }), "HTTP x - 8080 / - -"),
            (
                json!({ "fqdn": "x", "ip_address": "1.2.3.4", "protocol": "https", "search_string": "ok" }),
                "HTTPS_STR_MATCH x 1.2.3.4 443 / ok true",
            ),
            (json!({ "fqdn": "x", "protocol": "http", "search_string": "ok" }), "HTTP_STR_MATCH x - 80 / ok -"),
            (json!({ "ip_address": "1.2.3.4", "protocol": "tcp", "port": 5432 }), "TCP - 1.2.3.4 5432 - - -"),
            (json!({ "ip_address": "1.2.3.4" }), "HTTPS - 1.2.3.4 443 / - -"),
            // What earlier versions kept.
            (json!({ "fqdn": "x", "path": "/", "port": 8443 }), "HTTPS x - 8443 / - true"),
        ] {
            assert_eq!(asked(check.clone()), expected, "{check}");
        }
    }
}
