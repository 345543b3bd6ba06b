//! Datapoints, as CloudWatch answers them.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{MetricDataQuery, MetricDataResult};
use cutover::{StepError, StepResult};

use crate::metric::Asked;
use crate::metrics::Metrics;

/// Values by the start of their period, in seconds since 1970.
pub type Series = BTreeMap<i64, f64>;

/// A stretch of time, whole periods of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first second, since 1970.
    pub start: i64,
    /// The second after its last.
    pub end: i64,
    /// The length of one datapoint, in seconds.
    pub period: i64,
}

/// One series: its namespace, name, dimensions and statistic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Such as `AWS/ApplicationELB`.
    pub namespace: String,
    /// Such as `RequestCount`.
    pub metric_name: String,
    /// All of them.
    pub dimensions: BTreeMap<String, String>,
    /// Such as `Sum`.
    pub statistic: String,
}

/// What is answered to some queries between two moments, in seconds since 1970, from all pages. 500 queries fit into a call (API reference of
/// GetMetricData).
///
/// # Errors
/// AWS errors.
pub async fn answered(
    metrics: &Metrics,
    queries: Vec<MetricDataQuery>,
    start: i64,
    end: i64,
) -> StepResult<Vec<MetricDataResult>> {
    let mut results = Vec::new();
    for (cloudwatch, queries) in metrics.split(queries) {
        results.extend(answered_by(cloudwatch, queries, start, end).await?);
    }
    Ok(results)
}

async fn answered_by(
    cloudwatch: &Client,
    queries: Vec<MetricDataQuery>,
    start: i64,
    end: i64,
) -> StepResult<Vec<MetricDataResult>> {
    let mut pages = cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from_secs(start))
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

/// The series, in the order in which they are wanted; one without data is empty. A plan wants 5 for each of 20 routes and 20 more.
///
/// # Errors
/// AWS errors.
pub async fn series(metrics: &Metrics, wanted: &[Wanted], window: Window) -> StepResult<Vec<Series>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let queries = wanted.iter().enumerate().map(|(index, wanted)| query(index, wanted, window.period)).collect();
    let mut found = vec![Series::new(); wanted.len()];
    for result in answered(metrics, queries, window.start, window.end).await? {
        if let Some(series) = place(&result, 's').and_then(|place| found.get_mut(place)) {
            series.extend(result.timestamps().iter().map(DateTime::secs).zip(result.values().iter().copied()));
        }
    }
    Ok(found)
}

/// The place of an answer among the queries whose ids are a letter and their place.
pub fn place(result: &MetricDataResult, letter: char) -> Option<usize> {
    result.id()?.strip_prefix(letter)?.parse().ok()
}

fn query(index: usize, wanted: &Wanted, period: i64) -> MetricDataQuery {
    let asked = Asked {
        namespace: &wanted.namespace,
        metric_name: &wanted.metric_name,
        dimensions: Asked::dimensions(&wanted.dimensions),
        statistic: &wanted.statistic,
        period_seconds: period.unsigned_abs(),
    };
    asked.query(format!("s{index}"))
}
