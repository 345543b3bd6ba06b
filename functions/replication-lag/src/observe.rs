//! What DMS and CloudWatch say about the replication task.

use aws_sdk_cloudwatch::Client as CloudWatch;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat};
use aws_sdk_databasemigration::Client as Dms;
use aws_sdk_databasemigration::types::{Filter, ReplicationTask, TableStatistics};
use cutover::error::name;
use cutover::plan::Database;
use cutover::{StepError, StepResult};
use jiff::Timestamp;

use crate::Clients;
use crate::decide::{Metrics, Observed, PERIOD_SECONDS, Series, Table, Task, TaskStats};

/// The most that DescribeTableStatistics gives in one page (API reference).
const TABLES_PER_PAGE: i32 = 500;
/// The metrics, by the identifiers of their queries.
const METRICS: [(&str, &str); 5] = [
    ("source", "CDCLatencySource"),
    ("target", "CDCLatencyTarget"),
    ("incoming", "CDCIncomingChanges"),
    ("memory", "CDCChangesMemoryTarget"),
    ("disk", "CDCChangesDiskTarget"),
];

/// Looks at everything.
///
/// # Errors
/// AWS errors; `Cutover.Refused` where the task or its instance does not exist.
pub async fn look(clients: &Clients, database: &Database, now: Timestamp) -> StepResult<Observed> {
    let arn = &database.replication_task_arn;
    let task = task(&clients.dms, arn).await?;
    let instance = instance(&clients.dms, task.replication_instance_arn().unwrap_or_default()).await?;
    let metrics = metrics(&clients.cloudwatch, &instance, last_element(arn), now).await?;
    let tables = if database.require_validated_tables { Some(tables(&clients.dms, arn).await?) } else { None };
    Ok(Observed { task: read_task(&task), metrics, tables })
}

/// The identifier of a task in its metrics: the last element of its ARN, not its name (DMS user guide).
fn last_element(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

async fn task(dms: &Dms, arn: &str) -> StepResult<ReplicationTask> {
    let filter = filter("replication-task-arn", arn)?;
    let answer = dms.describe_replication_tasks().filters(filter).without_settings(true).send().await;
    let call = format!("dms:DescribeReplicationTasks {arn}");
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error))?;
    let task = answer.replication_tasks.unwrap_or_default().into_iter().next();
    task.ok_or_else(|| StepError::new(name::REFUSED, format!("{call}: there is no such task")))
}

async fn instance(dms: &Dms, arn: &str) -> StepResult<String> {
    let filter = filter("replication-instance-arn", arn)?;
    let answer = dms.describe_replication_instances().filters(filter).send().await;
    let call = format!("dms:DescribeReplicationInstances {arn}");
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error))?;
    let instance = answer.replication_instances.unwrap_or_default().into_iter().next();
    let identifier = instance.and_then(|instance| instance.replication_instance_identifier);
    identifier.ok_or_else(|| StepError::new(name::REFUSED, format!("{call}: there is no such instance")))
}

fn filter(filter_name: &str, value: &str) -> StepResult<Filter> {
    let filter = Filter::builder().name(filter_name).values(value).build();
    filter.map_err(|error| StepError::invalid(error.to_string()))
}

fn read_task(task: &ReplicationTask) -> Task {
    let reasons = [task.stop_reason(), task.last_failure_message()];
    Task {
        status: task.status().unwrap_or("unknown").to_owned(),
        reason: reasons.into_iter().flatten().collect::<Vec<_>>().join("; "),
        stats: task.replication_task_stats().map(|stats| TaskStats {
            errored: stats.tables_errored,
            unloaded: stats.tables_loading + stats.tables_queued,
        }),
    }
}

async fn tables(dms: &Dms, arn: &str) -> StepResult<Vec<Table>> {
    let request = dms.describe_table_statistics().replication_task_arn(arn);
    let mut pages = request.into_paginator().page_size(TABLES_PER_PAGE).send();
    let mut tables = Vec::new();
    while let Some(page) = pages.next().await {
        let call = format!("dms:DescribeTableStatistics {arn}");
        let page = page.map_err(|error| StepError::from_aws(&call, &error))?;
        tables.extend(page.table_statistics().iter().map(read_table));
    }
    Ok(tables)
}

fn read_table(table: &TableStatistics) -> Table {
    let (schema, table_name) = (table.schema_name().unwrap_or_default(), table.table_name().unwrap_or_default());
    Table {
        name: format!("{schema}.{table_name}"),
        validation: table.validation_state().unwrap_or("no validation state").to_owned(),
    }
}

async fn metrics(cloudwatch: &CloudWatch, instance: &str, task: &str, now: Timestamp) -> StepResult<Metrics> {
    let minute = now.as_second() - now.as_second().rem_euclid(PERIOD_SECONDS);
    let queries = METRICS.iter().map(|(id, metric)| query(id, metric, instance, task)).collect();
    let request = cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from_secs(minute - 5 * PERIOD_SECONDS))
        .end_time(DateTime::from_secs(minute + PERIOD_SECONDS));
    let call = format!("cloudwatch:GetMetricData AWS/DMS {task}");
    let answer = request.send().await.map_err(|error| StepError::from_aws(&call, &error))?;
    let results = answer.metric_data_results();
    Ok(Metrics {
        source_latency: series(results, "source"),
        target_latency: series(results, "target"),
        backlog: ["incoming", "memory", "disk"].map(|id| series(results, id)),
    })
}

/// The worst value of each minute.
fn query(id: &str, metric: &str, instance: &str, task: &str) -> MetricDataQuery {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace("AWS/DMS")
        .metric_name(metric)
        .dimensions(dimension("ReplicationInstanceIdentifier", instance))
        .dimensions(dimension("ReplicationTaskIdentifier", task))
        .build();
    let stat = MetricStat::builder().metric(metric).period(PERIOD_SECONDS as i32).stat("Maximum").build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

fn series(results: &[MetricDataResult], id: &str) -> Series {
    let results = results.iter().filter(|result| result.id() == Some(id));
    let points = results.flat_map(|result| result.timestamps().iter().zip(result.values()));
    points.map(|(at, value)| (at.secs(), *value)).collect()
}
