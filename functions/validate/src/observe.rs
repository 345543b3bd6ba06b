//! What CloudWatch has of the plan's limits, in one call: a plan has 20 at the most.

use aws_sdk_cloudwatch::types::{MetricDataQuery, StatusCode};
use cutover::error::name;
use cutover::plan::ResourceLimit;
use cutover::{Seconds, StepError, StepResult};
use jiff::Timestamp;
use watch::Metrics;
use watch::metric::Asked;

const MINUTE_SECONDS: i64 = 60;
/// Datapoints arrive a minute or two late (CloudWatch user guide).
const LATE_SECONDS: i64 = 120;

/// The values of each limit's whole minutes in the window before now, in the order of the limits.
///
/// # Errors
/// AWS errors.
pub async fn values(
    cloudwatch: &Metrics,
    limits: &[ResourceLimit],
    window: Seconds,
    now: Timestamp,
) -> StepResult<Vec<Vec<f64>>> {
    let end = now.as_second() - LATE_SECONDS;
    let end = end - end.rem_euclid(MINUTE_SECONDS);
    let start = end - i64::try_from(window.0).unwrap_or(i64::MAX).clamp(MINUTE_SECONDS, 86_400);
    let queries = limits.iter().enumerate().map(query).collect();
    let mut values = vec![Vec::new(); limits.len()];
    for result in watch::data::answered(cloudwatch, queries, start, end).await? {
        if let Some(status @ (StatusCode::InternalError | StatusCode::Forbidden)) = result.status_code() {
            let problem = format!("cloudwatch:GetMetricData answers {}", status.as_str());
            return Err(StepError::new(name::TRANSIENT, problem));
        }
        if let Some(of_limit) = watch::data::place(&result, 'l').and_then(|place| values.get_mut(place)) {
            of_limit.extend(result.values());
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
