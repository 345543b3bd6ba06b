//! The dashboard on CloudWatch: read, put, removed; and the weights as a metric.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::operation::get_dashboard::GetDashboardError;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use cutover::{Plan, StepError, StepResult};
use jiff::Timestamp;

use crate::{Step, body, stale};

/// What a removal says of a dashboard that is not there: its documentation, and its model, have a code each.
const NOT_FOUND: [&str; 2] = ["ResourceNotFound", "DashboardNotFoundError"];

/// Its body as it is, unless there is none.
pub(crate) async fn read(cloudwatch: &Client, name: &str) -> StepResult<Option<String>> {
    match cloudwatch.get_dashboard().dashboard_name(name).send().await {
        Ok(found) => Ok(found.dashboard_body),
        Err(error) if error.as_service_error().is_some_and(GetDashboardError::is_dashboard_not_found_error) => Ok(None),
        Err(error) => Err(StepError::from_aws("cloudwatch:GetDashboard", &error)),
    }
}

/// Puts it, and answers what CloudWatch said of it: it answers warnings with 200 (API reference of PutDashboard).
pub(crate) async fn put(cloudwatch: &Client, name: &str, body: &str) -> StepResult<Vec<String>> {
    let answer = cloudwatch.put_dashboard().dashboard_name(name).dashboard_body(body).send().await;
    let answer = answer.map_err(|error| StepError::from_aws("cloudwatch:PutDashboard", &error))?;
    let said = answer.dashboard_validation_messages();
    Ok(said
        .iter()
        .map(|said| [said.data_path(), said.message()].into_iter().flatten().collect::<Vec<_>>().join(": "))
        .collect())
}

/// Removes those, each alone: of a list with one that is not there, none would be removed (API reference of DeleteDashboards).
pub(crate) async fn remove(cloudwatch: &Client, names: &[String]) -> StepResult<()> {
    for name in names {
        match cloudwatch.delete_dashboards().dashboard_names(name).send().await {
            Ok(_) => {}
            Err(error) if error.code().is_some_and(|code| NOT_FOUND.contains(&code)) => {}
            Err(error) => return Err(StepError::from_aws("cloudwatch:DeleteDashboards", &error)),
        }
    }
    Ok(())
}

/// Removes those of this stack that were left.
pub(crate) async fn remove_stale(cloudwatch: &Client, prefix: &str, now: Timestamp) -> StepResult<()> {
    let mut pages = cloudwatch.list_dashboards().dashboard_name_prefix(prefix).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(entry) = pages.next().await {
        let entry = entry.map_err(|error| StepError::from_aws("cloudwatch:ListDashboards", &error))?;
        let written = entry.last_modified().and_then(|at| Timestamp::from_second(at.secs()).ok());
        found.extend(entry.dashboard_name().map(str::to_owned).zip(written));
    }
    remove(cloudwatch, &stale::of(found.iter().map(|(name, at)| (name.as_str(), *at)), prefix, now)).await
}

/// What the plan wants the new side to have from now on: a metric for each route.
pub(crate) async fn weight(cloudwatch: &Client, plan: &Plan, step: Step, now: Timestamp) -> StepResult<()> {
    let route = step.route.and_then(|route| plan.routes.get(route));
    let (Some(route), Some(new_weight)) = (route, step.new_weight) else { return Ok(()) };
    let dimensions = body::dimensions_of_weight(plan, route);
    let dimensions = dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(value).build());
    let datum = MetricDatum::builder()
        .metric_name(body::WEIGHT)
        .set_dimensions(Some(dimensions.collect()))
        .value(f64::from(new_weight))
        .unit(StandardUnit::Percent)
        .timestamp(DateTime::from_secs(now.as_second()))
        .build();
    let sent = cloudwatch.put_metric_data().namespace(body::NAMESPACE).metric_data(datum).send().await;
    sent.map(drop).map_err(|error| StepError::from_aws("cloudwatch:PutMetricData", &error))
}
