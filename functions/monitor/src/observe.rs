//! What Elastic Load Balancing and CloudWatch say. A look that fails is a check that says so, except that a denied call
//! ends the step: it will be denied again.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client as CloudWatch;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, StatusCode};
use aws_sdk_elasticloadbalancingv2::Client as Elb;
use cutover::error::name;
use cutover::plan::{self, Series as Divisor};
use cutover::verdict::Verdict;
use cutover::{Plan, Seconds, StepError, StepResult};
use futures_util::future::join_all;
use jiff::Timestamp;
use journal::Run;
use routes::any::Clients;
use routes::{RouteOfRun, RouteState};
use watch::Held;

use crate::metrics::{Datapoints, Series, Window, is_warm, judge};
use crate::names::Name;
use crate::{Check, alarms, decide, names};

/// Looks at every route of the run: whether it is where the plan has it while `route` is held at `new_weight` percent.
///
/// # Errors
/// `Cutover.Drift` for a route that is not, seen twice, since a read can be behind; `Cutover.NotPermitted`.
pub async fn routes(clients: &Clients, run: &Run, route: usize, new_weight: u8) -> StepResult<Vec<Check>> {
    let looks = (0..run.plan.routes.len()).map(|index| async move {
        let percent = decide::percent_of(index, route, new_weight);
        match is_at(clients, run, index, percent).await? {
            Ok(checks) => Ok(checks),
            Err(_) => {
                is_at(clients, run, index, percent).await?.map_err(|problem| StepError::new(name::DRIFT, problem))
            }
        }
    });
    let checks: StepResult<Vec<Vec<Check>>> = join_all(looks).await.into_iter().collect();
    Ok(checks?.into_iter().flatten().collect())
}

/// Checks that say that a route is where the plan has it, or that this was not seen, and how its health checks are; a problem
/// where it is elsewhere.
async fn is_at(clients: &Clients, run: &Run, index: usize, percent: u8) -> StepResult<Result<Vec<Check>, String>> {
    let (of_run, route) = (run.route(index)?, &run.plan.routes[index]);
    let planned = of_run.planned(percent)?;
    let live = match routes::any::observe(clients, route).await {
        Ok(live) => live,
        Err(error) if error.name == name::DRIFT => return Ok(Err(error.message)),
        Err(error) => return Ok(Ok(vec![failed(route.title(), error)?])),
    };
    let seen = live.describe();
    if !of_run.is_at(&live, &planned) {
        let (title, planned) = (route.title(), planned.describe());
        return Ok(Err(format!(
            "{title} is at [{seen}], and this step has it at [{planned}]: somebody else changed it"
        )));
    }
    let mut checks = vec![Check { name: route.title(), verdict: Verdict::Healthy, seen, is_early: false }];
    if let (RouteOfRun::Dns(route, before), RouteState::Dns { records: live, .. }) = (&of_run, &live) {
        checks.extend(names::health(clients, Name { route, before, live, percent }).await?);
    }
    Ok(Ok(checks))
}

/// Looks at target groups: their ARNs, and the share of targets that must be healthy.
///
/// # Errors
/// `Cutover.NotPermitted`.
pub async fn groups(elb: &Elb, groups: BTreeMap<&str, u8>) -> StepResult<Vec<Check>> {
    let mut checks = Vec::new();
    for (arn, percent) in groups {
        checks.push(match routes::listener::observe::health(elb, arn).await {
            Ok(counts) => decide::group(arn, counts, percent),
            Err(error) => failed(format!("target group {arn}"), error)?,
        });
    }
    Ok(checks)
}

/// Looks at the plan's alarms, as far as they have something to say while the run is where it is `held`.
///
/// # Errors
/// `Cutover.NotPermitted`.
pub async fn alarms(cloudwatch: &CloudWatch, plan: &Plan, held: Held) -> StepResult<Vec<Check>> {
    let names = &plan.monitoring.alarms;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    match watch::observe::alarms(cloudwatch, names).await {
        Ok(found) => Ok(names.iter().filter_map(|name| alarms::look(plan, name, found.get(name), held)).collect()),
        Err(error) => names.iter().map(|alarm| failed(format!("alarm {alarm}"), error.clone())).collect(),
    }
}

/// Looks at metrics, all in one call: 500 queries fit, and a plan has at most 100 metrics.
///
/// # Errors
/// `Cutover.NotPermitted`.
pub async fn metrics(
    cloudwatch: &CloudWatch,
    metrics: &[plan::Metric],
    elapsed_seconds: u64,
    now: Timestamp,
) -> StepResult<Vec<Check>> {
    if metrics.is_empty() {
        return Ok(Vec::new());
    }
    let window = |metric: &plan::Metric| Window::new(metric.period, elapsed_seconds, now);
    let results = match data(cloudwatch, metrics, &metrics.iter().map(window).collect::<Vec<_>>()).await {
        Ok(results) => results,
        Err(error) => return metrics.iter().map(|metric| failed(metric.name.clone(), error.clone())).collect(),
    };
    let is_warm = is_warm(metrics, elapsed_seconds);
    let judge = |(index, metric): (usize, &plan::Metric)| match datapoints(&results, index) {
        Ok(datapoints) => Ok(judge(metric, &datapoints, window(metric), is_warm)),
        Err(error) => failed(metric.name.clone(), error),
    };
    metrics.iter().enumerate().map(judge).collect()
}

async fn data(
    cloudwatch: &CloudWatch,
    metrics: &[plan::Metric],
    windows: &[Window],
) -> StepResult<Vec<MetricDataResult>> {
    let queries = metrics.iter().enumerate().flat_map(|(index, metric)| queries(index, metric)).collect();
    let longest = metrics.iter().map(|metric| metric.period).max().unwrap_or(Seconds(60)).0 as i64;
    let end = windows.iter().map(|window| window.end).max().unwrap_or(0);
    // While every window is empty there is no value to come, but the call still shows whether it is permitted.
    let start = windows.iter().map(|window| window.start).min().unwrap_or(0).min(end - 1);
    let mut pages = cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from_secs(start - start.rem_euclid(longest.max(1))))
        .end_time(DateTime::from_secs(end))
        .into_paginator()
        .send();
    let mut results = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| StepError::from_aws("cloudwatch:GetMetricData", &error))?;
        results.extend(page.metric_data_results.unwrap_or_default());
    }
    Ok(results)
}

/// The query of a metric, and that of its divisor, which takes over what it leaves out.
fn queries(index: usize, metric: &plan::Metric) -> Vec<MetricDataQuery> {
    let own = Divisor {
        namespace: None,
        metric_name: metric.metric_name.clone(),
        dimensions: None,
        statistic: None,
        period: None,
    };
    let mut queries = vec![query(value_id(index), metric, &own)];
    queries.extend(metric.divide_by.iter().map(|divisor| query(divisor_id(index), metric, divisor)));
    queries
}

fn value_id(index: usize) -> String {
    format!("value{index}")
}

fn divisor_id(index: usize) -> String {
    format!("divisor{index}")
}

fn query(id: String, metric: &plan::Metric, series: &Divisor) -> MetricDataQuery {
    let dimensions = series.dimensions.as_ref().unwrap_or(&metric.dimensions).iter();
    let dimensions = dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let what = Metric::builder()
        .namespace(series.namespace.as_ref().unwrap_or(&metric.namespace))
        .metric_name(&series.metric_name)
        .set_dimensions(Some(dimensions.collect()))
        .build();
    let stat = MetricStat::builder()
        .metric(what)
        .period(i32::try_from(metric.period.0).unwrap_or(i32::MAX))
        .stat(series.statistic.as_ref().unwrap_or(&metric.statistic))
        .build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

/// The datapoints of one metric, or why CloudWatch could not give them.
fn datapoints(results: &[MetricDataResult], index: usize) -> StepResult<Datapoints> {
    let series = |id: String| -> StepResult<Series> {
        let mut series = Series::new();
        for result in results.iter().filter(|result| result.id() == Some(&id)) {
            if let Some(status @ (StatusCode::InternalError | StatusCode::Forbidden)) = result.status_code() {
                let problem = format!("cloudwatch:GetMetricData answers {}", status.as_str());
                return Err(StepError::new(name::TRANSIENT, problem));
            }
            series.extend(result.timestamps().iter().map(DateTime::secs).zip(result.values().iter().copied()));
        }
        Ok(series)
    };
    Ok(Datapoints { values: series(value_id(index))?, divisors: series(divisor_id(index))? })
}

/// A look that failed.
pub(crate) fn failed(check: String, error: StepError) -> StepResult<Check> {
    if error.name == name::NOT_PERMITTED {
        return Err(error);
    }
    Ok(Check { name: check, verdict: Verdict::Error, seen: error.message, is_early: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_fails_is_a_check_but_a_denied_one_ends_the_step() {
        let check = failed("a".to_owned(), StepError::new(name::THROTTLED, "slow down")).unwrap();
        assert_eq!((check.verdict, check.seen.as_str()), (Verdict::Error, "slow down"));
        assert!(failed("a".to_owned(), StepError::new(name::NOT_PERMITTED, "no")).is_err());
    }

    #[test]
    fn datapoints_are_told_apart_by_their_query_and_joined_over_pages() {
        let result = |id: &str, at: i64, value: f64| {
            MetricDataResult::builder().id(id).timestamps(DateTime::from_secs(at)).values(value).build()
        };
        let results = [result("value0", 60, 1.0), result("value0", 120, 2.0), result("divisor0", 60, 4.0)];
        let points = datapoints(&results, 0).unwrap();
        assert_eq!(points.values, Series::from([(60, 1.0), (120, 2.0)]));
        assert_eq!(points.divisors, Series::from([(60, 4.0)]));
        assert_eq!(datapoints(&results, 1).unwrap(), Datapoints::default());
        let broken = MetricDataResult::builder().id("value1").status_code(StatusCode::InternalError).build();
        assert!(datapoints(&[broken], 1).is_err());
    }

    #[test]
    fn a_divisor_takes_over_what_it_leaves_out() {
        let metric: plan::Metric = plan_metric();
        let queries = queries(3, &metric);
        let stats: Vec<_> = queries.iter().filter_map(MetricDataQuery::metric_stat).collect();
        assert_eq!(queries.iter().filter_map(MetricDataQuery::id).collect::<Vec<_>>(), ["value3", "divisor3"]);
        let metrics: Vec<_> = stats.iter().filter_map(|stat| stat.metric()).collect();
        assert_eq!((metrics[0].metric_name(), metrics[1].metric_name()), (Some("Errors"), Some("Requests")));
        assert_eq!(
            (metrics[0].namespace(), metrics[0].dimensions()),
            (metrics[1].namespace(), metrics[1].dimensions())
        );
        assert_eq!((stats[1].stat(), stats[1].period()), (Some("Sum"), Some(60)));
    }

    fn plan_metric() -> plan::Metric {
        plan::Metric {
            name: "rate".to_owned(),
            namespace: "Shop".to_owned(),
            metric_name: "Errors".to_owned(),
            dimensions: BTreeMap::from([("Side".to_owned(), "new".to_owned())]),
            statistic: "Sum".to_owned(),
            period: Seconds(60),
            divide_by: Some(Divisor {
                namespace: None,
                metric_name: "Requests".to_owned(),
                dimensions: None,
                statistic: None,
                period: None,
            }),
            comparison: plan::Comparison::GreaterThan,
            threshold: 0.0,
            missing: plan::Missing::ZeroIfDivisor,
        }
    }
}
