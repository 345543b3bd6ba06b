//! What DMS and CloudWatch say of a replication.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{MetricDataQuery, MetricDataResult};
use aws_sdk_databasemigration::Client as Dms;
use aws_sdk_databasemigration::types::{Filter, MigrationTypeValue, ReplicationTask, TableStatistics};
use cutover::error::name;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use watch::metric::Asked;

use crate::{
    BACKLOG, Metrics, PERIOD_SECONDS, Replication, Series, Services, Stats, Table, is_serverless, last_element,
};

/// The most that DescribeTableStatistics gives in one page (API reference).
const TABLES_PER_PAGE: i32 = 500;
/// The metrics, by the identifiers of their queries.
const METRICS: [(&str, &str); 6] = [
    ("source", "CDCLatencySource"),
    ("target", "CDCLatencyTarget"),
    ("rows", "CDCThroughputRowsSource"),
    ("incoming", BACKLOG[0]),
    ("memory", BACKLOG[1]),
    ("disk", BACKLOG[2]),
];

/// A task or serverless replication; none if there is none.
///
/// # Errors
/// AWS errors.
pub async fn replication(dms: &Dms, arn: &str) -> StepResult<Option<Replication>> {
    if is_serverless(arn) { serverless(dms, arn).await } else { task(dms, arn).await }
}

async fn task(dms: &Dms, arn: &str) -> StepResult<Option<Replication>> {
    let filter = filter("replication-task-arn", arn)?;
    let answer = match dms.describe_replication_tasks().filters(filter).without_settings(true).send().await {
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_fault()) => {
            return Ok(None);
        }
        answer => {
            answer.map_err(|error| StepError::from_aws(&format!("dms:DescribeReplicationTasks {arn}"), &error))?
        }
    };
    Ok(answer.replication_tasks().first().map(of_task))
}

/// Whether a task only compares what another one copies (`ValidationOnly` of its settings, DMS user guide *Validation only
/// tasks*). Of a serverless replication DMS does not say it here.
///
/// # Errors
/// AWS errors.
pub async fn only_validates(dms: &Dms, arn: &str) -> StepResult<bool> {
    if is_serverless(arn) {
        return Ok(false);
    }
    let answer = dms.describe_replication_tasks().filters(filter("replication-task-arn", arn)?).send().await;
    let answer = answer.map_err(|error| StepError::from_aws(&format!("dms:DescribeReplicationTasks {arn}"), &error))?;
    Ok(answer.replication_tasks().iter().filter_map(|task| task.replication_task_settings()).any(says_validation_only))
}

fn says_validation_only(settings: &str) -> bool {
    let settings: serde_json::Value = serde_json::from_str(settings).unwrap_or_default();
    settings["ValidationSettings"]["ValidationOnly"] == true
}

/// Of a configuration that was never started, DMS may list none.
async fn serverless(dms: &Dms, arn: &str) -> StepResult<Option<Replication>> {
    let filter = filter("replication-config-arn", arn)?;
    let answer = match dms.describe_replications().filters(filter).send().await {
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_fault()) => {
            return Ok(None);
        }
        answer => answer.map_err(|error| StepError::from_aws(&format!("dms:DescribeReplications {arn}"), &error))?,
    };
    Ok(answer.replications().first().map(of_serverless))
}

fn filter(filter_name: &str, value: &str) -> StepResult<Filter> {
    let filter = Filter::builder().name(filter_name).values(value).build();
    filter.map_err(|error| StepError::invalid(error.to_string()))
}

fn of_task(task: &ReplicationTask) -> Replication {
    let reasons = [task.stop_reason(), task.last_failure_message()];
    Replication {
        status: task.status().unwrap_or_default().to_owned(),
        reason: reasons.into_iter().flatten().collect::<Vec<_>>().join("; "),
        is_full_load_only: task.migration_type() == Some(&MigrationTypeValue::FullLoad),
        is_cdc_only: task.migration_type() == Some(&MigrationTypeValue::Cdc),
        stats: task
            .replication_task_stats()
            .map(|stats| Stats { errored: stats.tables_errored, unloaded: stats.tables_loading + stats.tables_queued }),
        instance_arn: task.replication_instance_arn().map(str::to_owned),
    }
}

fn of_serverless(replication: &aws_sdk_databasemigration::types::Replication) -> Replication {
    let reasons =
        replication.stop_reason().into_iter().chain(replication.failure_messages().iter().map(String::as_str));
    Replication {
        status: replication.status().unwrap_or_default().to_owned(),
        reason: reasons.collect::<Vec<_>>().join("; "),
        is_full_load_only: replication.replication_type() == Some(&MigrationTypeValue::FullLoad),
        is_cdc_only: replication.replication_type() == Some(&MigrationTypeValue::Cdc),
        stats: replication
            .replication_stats()
            .map(|stats| Stats { errored: stats.tables_errored, unloaded: stats.tables_loading + stats.tables_queued }),
        instance_arn: None,
    }
}

/// All its tables.
///
/// # Errors
/// AWS errors.
pub async fn tables(dms: &Dms, arn: &str) -> StepResult<Vec<Table>> {
    let mut tables = Vec::new();
    if is_serverless(arn) {
        let request = dms.describe_replication_table_statistics().replication_config_arn(arn);
        let mut pages = request.into_paginator().page_size(TABLES_PER_PAGE).send();
        while let Some(page) = pages.next().await {
            let call = format!("dms:DescribeReplicationTableStatistics {arn}");
            let page = page.map_err(|error| StepError::from_aws(&call, &error))?;
            tables.extend(page.replication_table_statistics().iter().map(of_table));
        }
    } else {
        let request = dms.describe_table_statistics().replication_task_arn(arn);
        let mut pages = request.into_paginator().page_size(TABLES_PER_PAGE).send();
        while let Some(page) = pages.next().await {
            let page =
                page.map_err(|error| StepError::from_aws(&format!("dms:DescribeTableStatistics {arn}"), &error))?;
            tables.extend(page.table_statistics().iter().map(of_table));
        }
    }
    Ok(tables)
}

fn of_table(table: &TableStatistics) -> Table {
    let (schema, table_name) = (table.schema_name().unwrap_or_default(), table.table_name().unwrap_or_default());
    Table {
        name: format!("{schema}.{table_name}"),
        state: table.table_state().unwrap_or_default().to_owned(),
        validation: table.validation_state().unwrap_or("no validation state").to_owned(),
        changes: table.inserts + table.updates + table.deletes + table.ddls,
    }
}

/// Its metrics of the last so many seconds.
///
/// # Errors
/// AWS errors; `Cutover.Refused` where a task's instance does not exist.
pub async fn metrics(
    Services { dms, cloudwatch }: &Services,
    arn: &str,
    replication: &Replication,
    window_seconds: i64,
    now: Timestamp,
) -> StepResult<Metrics> {
    let dimensions = dimensions(dms, arn, replication).await?;
    let minute = now.as_second() - now.as_second().rem_euclid(PERIOD_SECONDS);
    let queries = METRICS.iter().map(|(id, metric)| query(id, metric, &dimensions)).collect();
    let request = cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from_secs(minute - window_seconds))
        .end_time(DateTime::from_secs(minute + PERIOD_SECONDS));
    let call = format!("cloudwatch:GetMetricData AWS/DMS {}", last_element(arn));
    let answer = request.send().await.map_err(|error| StepError::from_aws(&call, &error))?;
    let results = answer.metric_data_results();
    // A serverless replication reports no changes in memory and on disk.
    let waiting = if is_serverless(arn) { &["incoming"][..] } else { &["incoming", "memory", "disk"] };
    Ok(Metrics {
        source_latency: series(results, "source"),
        target_latency: series(results, "target"),
        rows_in: series(results, "rows"),
        backlog: waiting.iter().map(|id| series(results, id)).collect(),
    })
}

/// What its metrics are listed under: see the table of the crate.
async fn dimensions(dms: &Dms, arn: &str, replication: &Replication) -> StepResult<Vec<(&'static str, String)>> {
    if is_serverless(arn) {
        return Ok(vec![("ReplicationConfigId", config_id(arn))]);
    }
    let instance = instance(dms, replication.instance_arn.as_deref().unwrap_or_default()).await?;
    Ok(vec![("ReplicationInstanceIdentifier", instance), ("ReplicationTaskIdentifier", last_element(arn).to_owned())])
}

/// `123456789012:K7QWZ3MXR2NPLVBD5TYAH8FJCS`.
fn config_id(arn: &str) -> String {
    format!("{}:{}", arn.split(':').nth(4).unwrap_or_default(), last_element(arn))
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

/// The worst value of each minute.
fn query(id: &str, metric_name: &str, dimensions: &[(&str, String)]) -> MetricDataQuery {
    let dimensions = dimensions.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let period_seconds = PERIOD_SECONDS.unsigned_abs();
    Asked { namespace: "AWS/DMS", metric_name, dimensions, statistic: "Maximum", period_seconds }.query(id)
}

fn series(results: &[MetricDataResult], id: &str) -> Series {
    let results = results.iter().filter(|result| result.id() == Some(id));
    let points = results.flat_map(|result| result.timestamps().iter().zip(result.values()));
    points.map(|(at, value)| (at.secs(), *value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_of_a_serverless_replication_lie_under_account_and_resource() {
        let arn = "arn:aws:dms:eu-west-1:123456789012:replication-config:K7QWZ3MXR2NPLVBD5TYAH8FJCS";
        assert_eq!(config_id(arn), "123456789012:K7QWZ3MXR2NPLVBD5TYAH8FJCS");
        assert_eq!(last_element("arn:aws:dms:eu-west-1:123456789012:task:T"), "T");
    }

    #[test]
    fn a_task_that_only_validates_is_known_by_its_settings() {
        assert!(says_validation_only(r#"{"ValidationSettings":{"EnableValidation":true,"ValidationOnly":true}}"#));
        for other in [r#"{"ValidationSettings":{"EnableValidation":true,"ValidationOnly":false}}"#, "{}", "", "null"] {
            assert!(!says_validation_only(other), "{other}");
        }
    }

    #[test]
    fn changes_of_every_kind_are_counted() {
        let table = TableStatistics::builder().schema_name("public").table_name("orders");
        let table = table.inserts(1).updates(20).deletes(300).ddls(4_000).full_load_rows(50_000).build();
        assert_eq!((of_table(&table).name.as_str(), of_table(&table).changes), ("public.orders", 4_321));
    }

    #[test]
    fn a_full_load_is_told_from_one_that_goes_on_and_from_changes_alone() {
        for (migration, only, changes_alone) in [
            (MigrationTypeValue::FullLoad, true, false),
            (MigrationTypeValue::Cdc, false, true),
            (MigrationTypeValue::FullLoadAndCdc, false, false),
        ] {
            let task = ReplicationTask::builder().migration_type(migration.clone()).status("running").build();
            assert_eq!((of_task(&task).is_full_load_only, of_task(&task).is_cdc_only), (only, changes_alone));
            let replication = aws_sdk_databasemigration::types::Replication::builder();
            let replication = replication.replication_type(migration).failure_messages("no memory").build();
            let seen = of_serverless(&replication);
            assert_eq!((seen.is_full_load_only, seen.is_cdc_only), (only, changes_alone));
            assert_eq!(of_serverless(&replication).reason, "no memory");
        }
    }
}
