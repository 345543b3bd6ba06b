//! Which executions are running: one list of a machine tells it of a thousand runs, where each would be one DescribeExecution, of
//! which an account has 15 a second (Step Functions quotas).
//!
//! A list may be behind. One that is still in it is left alone until the next sweep; one that is not yet in it is asked after by
//! itself, before anything is made of it. So a list that is cut short, or fails, costs requests and nothing else.

use std::collections::HashSet;
use std::time::Instant;

use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::ExecutionStatus;
use cutover::{StepError, StepResult};
use futures_util::future::join_all;

/// As many as a page takes (API reference of ListExecutions).
const PAGE: i32 = 1_000;

/// The running executions of these machines, as far as the time goes.
pub(crate) async fn executions(
    sfn: &Client,
    machines: impl IntoIterator<Item = String>,
    until: Instant,
) -> HashSet<String> {
    let lists = machines.into_iter().map(async |machine| {
        let mut running = HashSet::new();
        if let Err(error) = list(sfn, &machine, until, &mut running).await {
            tracing::warn!(error = error.name, "each owner is asked after by itself: {}", error.message);
        }
        running
    });
    join_all(lists).await.into_iter().flatten().collect()
}

async fn list(sfn: &Client, machine: &str, until: Instant, running: &mut HashSet<String>) -> StepResult<()> {
    let list = sfn.list_executions().state_machine_arn(machine).status_filter(ExecutionStatus::Running);
    let mut pages = list.max_results(PAGE).into_paginator().send();
    while Instant::now() < until {
        let Some(page) = pages.next().await else { break };
        let page = page.map_err(|error| StepError::from_aws(&format!("states:ListExecutions {machine}"), &error))?;
        running.extend(page.executions.into_iter().map(|execution| execution.execution_arn));
    }
    Ok(())
}
