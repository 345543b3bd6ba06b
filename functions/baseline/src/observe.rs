//! What CloudWatch says of the old side, in one call for each window.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::MetricDataQuery;
use cutover::{StepError, StepResult};
use watch::metric::Asked;

use crate::figures::{Series, Window};

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

/// The series, in the order in which they are wanted; one without data is empty. 500 fit into a call (API reference of
/// GetMetricData), and a plan wants 5 for each of 20 routes and 20 more.
///
/// # Errors
/// AWS errors.
pub async fn series(cloudwatch: &Client, wanted: &[Wanted], window: Window) -> StepResult<Vec<Series>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let queries = wanted.iter().enumerate().map(|(index, wanted)| query(index, wanted, window.period)).collect();
    let mut pages = cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from_secs(window.start))
        .end_time(DateTime::from_secs(window.end))
        .into_paginator()
        .send();
    let mut found = vec![Series::new(); wanted.len()];
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| StepError::from_aws("cloudwatch:GetMetricData", &error))?;
        for result in page.metric_data_results.unwrap_or_default() {
            let index = result.id().and_then(|id| id.strip_prefix('s')?.parse::<usize>().ok());
            if let Some(series) = index.and_then(|index| found.get_mut(index)) {
                series.extend(result.timestamps().iter().map(DateTime::secs).zip(result.values().iter().copied()));
            }
        }
    }
    Ok(found)
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
