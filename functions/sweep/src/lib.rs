//! `sweep`: every few minutes, looks for open runs whose responsible execution is not running, and starts what brings
//! them to an end. Status events are best effort; this is the second way.
//!
//! Reads: the index of open runs, their owners' executions. Writes: the count of its starts, executions of `rollback` and
//! `cleanup`; when starting has not helped a number of times, a page, and for a rollback the phase `stuck`. Undo: none; a
//! start too many finds nothing to do. Errors: AWS errors, after all runs were looked at.

pub mod decide;

use cutover::contract::{digest, is_under_way};
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::{Ending, Journal, Phase, Run, Transition};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::decide::{Action, OwnerStatus};

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Step Functions.
    pub sfn: aws_sdk_sfn::Client,
    /// SNS, for the page.
    pub sns: aws_sdk_sns::Client,
    /// The journal.
    pub journal: Journal,
    /// The ARN of the machine `rollback`.
    pub rollback_machine: String,
    /// The ARN of the machine `cleanup`.
    pub cleanup_machine: String,
}

/// The schedule's event; nothing in it is needed.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {}

/// What was found and done.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reply {
    /// How many runs are open.
    pub open: usize,
    /// What was started, or given up.
    pub done: Vec<String>,
}

/// Looks at every open run; trouble with one, or one that cannot be read, does not keep it from the others.
///
/// # Errors
/// The first error, once all runs were looked at.
pub async fn handle(clients: &Clients, _: Request, now: Timestamp) -> StepResult<Reply> {
    let runs = clients.journal.open_runs().await?;
    let mut reply = Reply { open: runs.len(), done: Vec::new() };
    let mut first_error = None;
    for run in runs {
        let result = match &run {
            Ok(run) => look_after(clients, run, now).await,
            Err(error) => Err(error.clone()),
        };
        match result {
            Ok(done) => reply.done.extend(done),
            Err(error) => {
                log_error(run.as_ref().map_or("", |run| &run.run_id), &error);
                first_error.get_or_insert(error);
            }
        }
    }
    first_error.map_or(Ok(reply), Err)
}

fn log_error(run_id: &str, error: &StepError) {
    tracing::error!(run_id, error = error.name, "the sweep could not look after a run: {}", error.message);
}

async fn look_after(clients: &Clients, run: &Run, now: Timestamp) -> StepResult<Option<String>> {
    let status = owner_status(&clients.sfn, &run.owner).await?;
    let action = decide::action(run.phase, run.owner != run.run_id, status);
    if action == Action::None {
        return Ok(None);
    }
    // The index may be behind: a run that has moved on since is somebody's again.
    let Some(run) =
        clients.journal.read(&run.run_id).await?.filter(|now| now.phase == run.phase && now.owner == run.owner)
    else {
        return Ok(None);
    };
    let count = clients.journal.count_sweep(&run.run_id).await?;
    if count > decide::MOST_STARTS {
        return match action {
            Action::Cleanup => give_up_cleanup(clients, &run, count).await,
            _ => give_up(clients, &run, count, now).await,
        }
        .map(Some);
    }
    let (machine, input) = match action {
        Action::Cleanup => (&clients.cleanup_machine, json!({ "run_id": run.run_id, "instead_of": run.owner })),
        _ => (&clients.rollback_machine, json!({ "run_id": run.run_id })),
    };
    start(&clients.sfn, machine, &run.run_id, &input, count).await?;
    Ok(Some(format!("{action} of {} started, the {count}. time", run.run_id)))
}

async fn owner_status(sfn: &aws_sdk_sfn::Client, execution_arn: &str) -> StepResult<OwnerStatus> {
    use aws_sdk_sfn::types::ExecutionStatus;
    match sfn.describe_execution().execution_arn(execution_arn).send().await {
        Ok(answer) => Ok(match answer.status() {
            status if is_under_way(status.as_str()) => OwnerStatus::Running,
            ExecutionStatus::Succeeded => OwnerStatus::Succeeded,
            _ => OwnerStatus::Dead,
        }),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist()) => {
            Ok(OwnerStatus::Dead)
        }
        Err(error) => Err(StepError::from_aws(&format!("states:DescribeExecution {execution_arn}"), &error)),
    }
}

/// Starts an execution under a name that is used once.
async fn start(
    sfn: &aws_sdk_sfn::Client,
    machine: &str,
    run_id: &str,
    input: &serde_json::Value,
    count: u32,
) -> StepResult<()> {
    let result = sfn
        .start_execution()
        .state_machine_arn(machine)
        .name(format!("sweep-{}-{count}", digest(run_id)))
        .input(input.to_string())
        .send()
        .await;
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_already_exists()) => Ok(()),
        Err(error) => Err(StepError::from_aws(&format!("states:StartExecution {machine}"), &error)),
    }
}

/// Starting cleanup has not helped: a person is told. The run stays as it is, locks included.
async fn give_up_cleanup(clients: &Clients, run: &Run, count: u32) -> StepResult<String> {
    if decide::is_told(count) {
        let subject = format!("ACTION NEEDED: cleanup after cutover of {}", run.plan.application);
        tell(clients, run, subject, decide::gave_up_cleanup(run)).await?;
    }
    Ok(format!("{} is still {}: starting cleanup has not helped", run.run_id, run.phase))
}

/// Starting rollback has not helped: a person is told. The locks stay. No part waits for another one to go well: after this
/// the sweep does not come back to the run.
async fn give_up(clients: &Clients, run: &Run, count: u32, now: Timestamp) -> StepResult<String> {
    let subject = format!("CRITICAL: cutover of {} is stuck", run.plan.application);
    let told = tell(clients, run, subject, decide::gave_up(run)).await;
    let left = leave_stuck(&clients.journal, run, now).await;
    // Which routes are left, and how, is rollback's to see, if it can do that much.
    let look = json!({ "run_id": run.run_id, "report": decide::gave_up(run) });
    let looked = start(&clients.sfn, &clients.rollback_machine, &run.run_id, &look, count).await;
    told.and(left).and(looked)?;
    Ok(format!("{} is stuck: starting rollback has not helped", run.run_id))
}

async fn leave_stuck(journal: &Journal, run: &Run, now: Timestamp) -> StepResult<()> {
    let report = json!({ "ending": "Stuck", "hold": null, "routes": [], "problem": decide::gave_up(run) });
    let ending = Ending { at: now.to_string(), report };
    if run.phase != Phase::RollingBack {
        let first = Transition { run, to: Phase::RollingBack, owner: &run.owner, ending: None };
        journal.transition(&first).await?;
    }
    let run = Run { phase: Phase::RollingBack, ..run.clone() };
    journal.transition(&Transition { run: &run, to: Phase::Stuck, owner: &run.owner, ending: Some(&ending) }).await
}

async fn tell(clients: &Clients, run: &Run, subject: String, message: String) -> StepResult<()> {
    let Some(notify) = &run.plan.notify else { return Ok(()) };
    let page = clients.sns.publish().topic_arn(&notify.topic_arn).subject(subject).message(message);
    page.send().await.map(drop).map_err(|error| StepError::from_aws("sns:Publish", &error))
}
