//! What Route 53's checkers see of health checks that are there.

use std::collections::BTreeMap;

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{HealthCheckConfig, HealthCheckType};
use cutover::error::name;
use cutover::{StepError, StepResult};

/// The share of checkers above which Route 53 takes an endpoint for healthy (developer guide, *How Route 53 determines
/// whether a health check is healthy*).
const HEALTHY_PERCENT: usize = 18;

/// Of these health checks, by id: what the checkers see. One that cannot be seen is left out.
///
/// # Errors
/// Those that a repetition may cure.
pub async fn checks<'a>(
    route53: &Client,
    ids: impl IntoIterator<Item = &'a String>,
) -> StepResult<BTreeMap<String, bool>> {
    let mut seen = BTreeMap::new();
    for id in ids {
        match check(route53, id).await {
            Ok(Some(healthy)) => drop(seen.insert(id.clone(), healthy)),
            Err(error) if [name::THROTTLED, name::TRANSIENT].contains(&error.name) => return Err(error),
            Ok(None) | Err(_) => {}
        }
    }
    Ok(seen)
}

async fn check(route53: &Client, id: &str) -> StepResult<Option<bool>> {
    let answer = route53.get_health_check().health_check_id(id).send().await;
    let answer = answer.map_err(|error| StepError::from_aws(&format!("route53:GetHealthCheck {id}"), &error))?;
    let Some(config) = answer.health_check.and_then(|check| check.health_check_config) else { return Ok(None) };
    if config.disabled == Some(true) {
        return Ok(Some(config.inverted != Some(true)));
    }
    if !is_asked_by_checkers(&config) {
        return Ok(None);
    }
    let answer = route53.get_health_check_status().health_check_id(id).send().await;
    let answer = answer.map_err(|error| StepError::from_aws(&format!("route53:GetHealthCheckStatus {id}"), &error))?;
    let statuses = answer.health_check_observations().iter().filter_map(|one| one.status_report()?.status());
    Ok(judge(&statuses.collect::<Vec<_>>(), config.inverted == Some(true)))
}

/// GetHealthCheckStatus tells of endpoints only: not of calculated checks, nor of alarms (API reference).
fn is_asked_by_checkers(config: &HealthCheckConfig) -> bool {
    use HealthCheckType::{Http, HttpStrMatch, Https, HttpsStrMatch, Tcp};
    [Http, Https, HttpStrMatch, HttpsStrMatch, Tcp].contains(&config.r#type)
}

/// What many checkers' reports mean; nothing where there is none.
fn judge(statuses: &[&str], inverted: bool) -> Option<bool> {
    let succeeding = statuses.iter().filter(|status| status.starts_with("Success")).count();
    (!statuses.is_empty()).then_some((succeeding * 100 > HEALTHY_PERCENT * statuses.len()) != inverted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_eighteen_percent_of_the_checkers_decide() {
        let of = |good: usize| {
            let mut statuses = vec!["Success: HTTP Status Code 200, OK"; good];
            statuses.resize(50, "Failure: Connection timed out.");
            statuses
        };
        assert_eq!([judge(&of(9), false), judge(&of(10), false)], [Some(false), Some(true)]);
        assert_eq!(judge(&of(50), true), Some(false), "an inverted check");
        assert_eq!(judge(&[], false), None);
    }
}
