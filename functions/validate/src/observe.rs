//! What CloudWatch has of the plan's limits, in one call: a plan has 20 at the most.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{MetricDataQuery, StatusCode};
use cutover::error::name;
use cutover::plan::ResourceLimit;
use cutover::{Seconds, StepError, StepResult};
use jiff::Timestamp;
use watch::metric::Asked;

const MINUTE_SECONDS: i64 = 60;
/// Datapoints arrive a minute or two late (CloudWatch user guide).
const LATE_SECONDS: i64 = 120;

/// The values of each limit's whole minutes in the window before now, in the order of the limits.
///
/// # Errors
/// AWS errors.
pub async fn values(
    cloudwatch: &Client,
    limits: &[ResourceLimit],
    window: Seconds,
    now: Timestamp,
) -> StepResult<Vec<Vec<f64>>> {
    let end = now.as_second() - LATE_SECONDS;
    let end = end - end.rem_euclid(MINUTE_SECONDS);
    let start = end - i64::try_from(window.0).unwrap_or(i64::MAX).clamp(MINUTE_SECONDS, 86_400);
    let mut pages = cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(limits.iter().enumerate().map(query).collect()))
        .start_time(DateTime::from_secs(start))
        .end_time(DateTime::from_secs(end))
        .into_paginator()
        .send();
    let mut values = vec![Vec::new(); limits.len()];
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| StepError::from_aws("cloudwatch:GetMetricData", &error))?;
        for result in page.metric_data_results.unwrap_or_default() {
            if let Some(status @ (StatusCode::InternalError | StatusCode::Forbidden)) = result.status_code() {
                let problem = format!("cloudwatch:GetMetricData answers {}", status.as_str());
                return Err(StepError::new(name::TRANSIENT, problem));
            }
            let index = result.id().and_then(|id| id.strip_prefix('l')?.parse::<usize>().ok());
            if let Some(of_limit) = index.and_then(|index| values.get_mut(index)) {
                of_limit.extend(result.values());
            }
        }
    }
    Ok(values)
}

fn query((index, limit): (usize, &ResourceLimit)) -> MetricDataQuery {
    let asked = Asked {
        namespace: &limit.namespace,
        metric_name: &limit.metric_name,
        dimensions: Asked::dimensions(&limit.dimensions),
        statistic: &limit.statistic,
        period_seconds: MINUTE_SECONDS.unsigned_abs(),
    };
    asked.query(format!("l{index}"))
}
