//! Looks at Route 53 health checks: what they ask, and what their checkers see.

use std::collections::BTreeMap;

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{HealthCheckConfig, HealthCheckType};
use cutover::{StepError, StepResult};

use super::check_status::{Look, Status, calculated, judge};

/// Looks at a health check.
///
/// # Errors
/// AWS errors; one that is not there is a look that says so.
pub async fn look(route53: &Client, id: &str) -> StepResult<Look> {
    let Some(config) = config_of(route53, id).await? else { return Ok(missing(id)) };
    if config.r#type != HealthCheckType::Calculated || config.disabled() == Some(true) {
        return own(route53, id, &config).await;
    }
    let mut statuses = Vec::new();
    for child in config.child_health_checks() {
        statuses.push(match config_of(route53, child).await? {
            Some(config) => own(route53, child, &config).await?.status,
            None => Status::Missing,
        });
    }
    let least_healthy = usize::try_from(config.health_threshold().unwrap_or_default()).unwrap_or_default();
    Ok(told(id, &config, calculated(&statuses, least_healthy)))
}

/// Of these health checks, by id: whether they are healthy. One of which that is not known is left out.
///
/// # Errors
/// Those that a repetition may cure.
pub async fn seen<'a>(
    route53: &Client,
    ids: impl IntoIterator<Item = &'a String>,
) -> StepResult<BTreeMap<String, bool>> {
    let mut seen = BTreeMap::new();
    for id in ids {
        match look(route53, id).await {
            Ok(Look { status: status @ (Status::Healthy | Status::Unhealthy), .. }) => {
                seen.insert(id.clone(), status == Status::Healthy);
            }
            Err(error) if error.is_passing() => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(seen)
}

/// What a check asks; none where it is not there.
async fn config_of(route53: &Client, id: &str) -> StepResult<Option<HealthCheckConfig>> {
    match route53.get_health_check().health_check_id(id).send().await {
        Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_health_check()) => Ok(None),
        Err(error) => Err(StepError::from_aws(&format!("route53:GetHealthCheck {id}"), &error)),
        Ok(answer) => Ok(answer.health_check.and_then(|check| check.health_check_config)),
    }
}

/// A look at a check that does not count others.
async fn own(route53: &Client, id: &str, config: &HealthCheckConfig) -> StepResult<Look> {
    let not_asked = |seen: &str| (Status::Unseen, seen.to_owned());
    let seen = match &config.r#type {
        _ if config.disabled() == Some(true) => (Status::Healthy, "it is disabled, which counts as healthy".to_owned()),
        HealthCheckType::Calculated => not_asked("it is calculated from others, which are not looked at"),
        HealthCheckType::RecoveryControl => not_asked("its status cannot be asked for"),
        _ => reports(route53, id).await?,
    };
    Ok(told(id, config, seen))
}

fn told(id: &str, config: &HealthCheckConfig, (status, seen): (Status, String)) -> Look {
    let look = Look { id: id.to_owned(), asks: asks(config), status, seen };
    if config.inverted() == Some(true) { look.inverted() } else { look }
}

fn missing(id: &str) -> Look {
    let seen = "it does not exist, and what Route 53 answers then is not said".to_owned();
    Look { id: id.to_owned(), asks: "nothing".to_owned(), status: Status::Missing, seen }
}

async fn reports(route53: &Client, id: &str) -> StepResult<(Status, String)> {
    let call = format!("route53:GetHealthCheckStatus {id}");
    let answer = match route53.get_health_check_status().health_check_id(id).send().await {
        Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_health_check()) => {
            return Ok((Status::Missing, "it does not exist any more".to_owned()));
        }
        answer => answer.map_err(|error| StepError::from_aws(&call, &error))?,
    };
    let reports = answer.health_check_observations().iter();
    let reports: Vec<&str> = reports.filter_map(|one| one.status_report().and_then(|report| report.status())).collect();
    Ok(judge(&reports))
}

/// What a check asks, for a person.
fn asks(config: &HealthCheckConfig) -> String {
    let scheme = match &config.r#type {
        HealthCheckType::Http | HealthCheckType::HttpStrMatch => "http",
        HealthCheckType::Https | HealthCheckType::HttpsStrMatch => "https",
        HealthCheckType::Tcp => "tcp",
        HealthCheckType::Calculated => return "of other checks".to_owned(),
        HealthCheckType::CloudwatchMetric => {
            let alarm = config.alarm_identifier().map_or("an alarm", |alarm| alarm.name());
            return format!("of the alarm {alarm}");
        }
        other => return format!("of type {}", other.as_str()),
    };
    let host = config.ip_address().or(config.fully_qualified_domain_name()).unwrap_or_default();
    let port = config.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{scheme}://{host}{port}{}", config.resource_path().unwrap_or_default())
}
