//! Reads what is known of a run. What cannot be read beside the run item is told as not known.

use std::collections::BTreeSet;

use cutover::contract::digest;
use cutover::{StepError, StepResult};
use futures_util::{StreamExt, stream};
use history::Story;
use jiff::Timestamp;
use journal::{Phase, Run};

use crate::Clients;
use crate::known::{Known, sibling};

/// A page of running executions; there are more where a hundred cutovers wait for approval.
const MOST_PAGES: usize = 3;
/// So many of those that are not claimed yet are looked at for an application's name; so many at once, as for all pages.
const MOST_UNCLAIMED: usize = 60;
const AT_ONCE: usize = 4;

/// Everything that is known by now; none where neither the journal nor Step Functions knows such a run.
///
/// # Errors
/// AWS errors of the journal; of Step Functions for a run that is not in the journal.
pub async fn known(clients: &Clients, run_id: &str) -> StepResult<Option<Known>> {
    let run = clients.journal.read(run_id).await?;
    let mut known = Known { run_id: run_id.to_owned(), ..Known::default() };
    match history::read::story(&clients.states, run_id, Timestamp::MAX).await {
        Ok(story) => known.cutover = story,
        Err(error) if run.is_none() => return if is_missing(&error) { Ok(None) } else { Err(error) },
        Err(error) => known.not_read.push(not_read("the cutover", &error)),
    }
    match clients.journal.undelivered(run_id).await {
        Ok((messages, _)) => known.undelivered = messages.lines(),
        Err(error) => known.not_read.push(not_read_of("which messages were not delivered", &error)),
    }
    let Some(run) = run else { return Ok(Some(known)) };
    if let Some(arn) = rollback_of(&run) {
        known.rollback = other(clients, &arn, "the rollback", &mut known.not_read).await;
    }
    if let Some(arn) = cleanup_of(&run) {
        known.cleanup = other(clients, &arn, "the cleanup", &mut known.not_read).await;
    }
    if matches!(run.phase, Phase::Claimed | Phase::Forward) {
        match clients.journal.line().await {
            Ok(line) => known.line = Some(line),
            Err(error) => known.not_read.push(not_read_of("whether the line stands, and so the deadline,", &error)),
        }
    }
    known.run = Some(run);
    Ok(Some(known))
}

/// A run of an application that is not in the journal yet: it is checked, or waits for approval. The newest of them, and of how many none is, since
/// more than that are not looked at.
///
/// # Errors
/// AWS errors.
pub async fn unclaimed(clients: &Clients, application: &str) -> StepResult<Result<String, usize>> {
    let open: BTreeSet<String> = clients.journal.open_runs().await?.into_iter().map(|(run_id, _)| run_id).collect();
    let running: Vec<String> = running(clients).await?.into_iter().filter(|arn| !open.contains(arn)).collect();
    let looks = stream::iter(running.iter().take(MOST_UNCLAIMED)).map(async |arn| {
        let known = known(clients, arn).await.ok()??;
        let calls = known.calls();
        let is_meant = known.run.is_none()
            && !known.is_dry_run(&calls)
            && known.application(known.plan(&calls).as_ref(), &calls) == application;
        is_meant.then_some((known.cutover.began_at, arn.clone()))
    });
    let found: Vec<Option<(Option<Timestamp>, String)>> = looks.buffer_unordered(AT_ONCE).collect().await;
    Ok(found.into_iter().flatten().max().map(|(_, arn)| arn).ok_or(running.len().saturating_sub(MOST_UNCLAIMED)))
}

/// The history of another execution of the run. One that is not there yet has none.
async fn other(clients: &Clients, arn: &str, what: &str, problems: &mut Vec<String>) -> Option<Story> {
    match history::read::story(&clients.states, arn, Timestamp::MAX).await {
        Ok(story) => Some(story),
        Err(error) => {
            problems.extend((!is_missing(&error)).then(|| not_read(what, &error)));
            None
        }
    }
}

fn not_read(what: &str, error: &StepError) -> String {
    not_read_of(&format!("what {what} does now: its history"), error)
}

fn not_read_of(what: &str, error: &StepError) -> String {
    format!("{what} cannot be read: {}", cutover::text::quoted(&error.message, 300))
}

fn is_missing(error: &StepError) -> bool {
    error.message.contains("ExecutionDoesNotExist")
}

fn rollback_of(run: &Run) -> Option<String> {
    let is_of_rollback = matches!(run.phase, Phase::RollingBack | Phase::RolledBack | Phase::Stuck);
    (is_of_rollback && run.owner != run.run_id && run.owner.starts_with("arn:")).then(|| run.owner.clone())
}

/// The cleanup that waits, by the name that the cutover gives it; one that has begun owns the run.
fn cleanup_of(run: &Run) -> Option<String> {
    match run.phase {
        Phase::Cleaning | Phase::Closed if run.owner != run.run_id => Some(run.owner.clone()),
        Phase::Finished => sibling(&run.run_id, "cleanup", &format!("cleanup-{}", digest(&run.run_id))),
        _ => None,
    }
}

/// The cutovers that run: those that wait for approval are not in the journal yet.
///
/// # Errors
/// AWS errors.
pub async fn running(clients: &Clients) -> StepResult<Vec<String>> {
    let listed = clients.states.list_executions().state_machine_arn(&clients.cutover_arn);
    let mut pages = listed.status_filter(aws_sdk_sfn::types::ExecutionStatus::Running).into_paginator().send();
    let mut arns = Vec::new();
    for _ in 0..MOST_PAGES {
        let Some(page) = pages.next().await else { break };
        let page = page.map_err(|error| StepError::from_aws("states:ListExecutions", &error))?;
        arns.extend(page.executions().iter().map(|execution| execution.execution_arn().to_owned()));
    }
    Ok(arns)
}
