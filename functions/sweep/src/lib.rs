//! `sweep`: every minute, looks for open runs whose responsible execution is not running, and starts what brings
//! them to an end. Status events are best effort; this is the second way. And the first: a rule sends it the run of a cutover that
//! has ended without success, and a rollback is started if the journal says that one is owed.
//!
//! Reads: the index of open runs, and of waves, timelines and incidents that an execution follows; what their machines have running, and the execution
//! of each owner that is not among them. Writes: the counts of its starts and troubles, whose turn is next, executions of `rollback` and `cleanup`, and of
//! the machines that follow; when starting has not helped a number of times, a page, and for a rollback the
//! phase `stuck`. Undo: none; a start too many finds nothing to do. Errors: AWS errors, after all runs were looked at.

pub mod decide;
mod ended;
mod followed;
mod rollback;
mod running;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use cutover::contract::{digest, is_under_way};
use cutover::error::name;
use cutover::gestures::Machines;
use cutover::{StepError, StepResult};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use journal::{Ending, Journal, OpenRun, Phase, Run, Transition};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::decide::{Action, OwnerStatus, Turn};

/// So many runs that no list has as running are looked at at once: each look is one DescribeExecution, of which an account has 300
/// in a burst and 15 a second after that (Step Functions quotas).
const AT_ONCE: usize = 10;
/// No page of a list and no look begins later: a call and its retries take 10 s at the most, and the function has 30 s.
const LONGEST_LOOKS: Duration = Duration::from_secs(15);

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Step Functions.
    pub sfn: aws_sdk_sfn::Client,
    /// SNS, for the page.
    pub sns: aws_sdk_sns::Client,
    /// The topics that messages may go to.
    pub topics: cutover::authority::Topics,
    /// The journal.
    pub journal: Journal,
    /// What is started.
    pub machines: Machines,
}

/// The schedule's event, of which nothing is needed, or what the rule makes of a cutover's end.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Request {
    /// The cutover's execution that has ended without success.
    #[serde(default)]
    pub run_id: Option<String>,
}

/// What was found and done.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reply {
    /// How many runs are open.
    pub open: usize,
    /// How many of them the next sweep begins with.
    pub left: usize,
    /// What was started, or given up.
    pub done: Vec<String>,
}

/// Looks at the open runs whose owners are not listed as running, several at once, in turn: from where the last look stopped, as
/// far as the time goes. Trouble with one, or one that cannot be read, does not keep it from the others. It is told at once, and
/// then at growing intervals.
///
/// # Errors
/// The first trouble that is to be told, once all runs were looked at.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    if let Some(run_id) = &request.run_id {
        return ended::look_after(clients, run_id).await;
    }
    let until = Instant::now() + LONGEST_LOOKS;
    let runs = look_after_runs(clients, now, until).await;
    // Whatever came of the runs, and after them: traffic first.
    let followed = followed::look_after(clients, now, until).await;
    let mut reply = runs?;
    reply.done.extend(followed?);
    Ok(reply)
}

async fn look_after_runs(clients: &Clients, now: Timestamp, until: Instant) -> StepResult<Reply> {
    let mut runs = clients.journal.open_runs().await?;
    let mut reply = Reply { open: runs.len(), ..Reply::default() };
    let running = running::executions(&clients.sfn, decide::machines(&runs), until).await;
    runs.retain(|(_, run)| !run.as_ref().is_ok_and(|run| running.contains(&run.owner)));
    if runs.is_empty() {
        return Ok(reply);
    }
    let last = clients.journal.turn().await?;
    let runs = decide::in_turn(runs, last.as_deref());
    // A service that is asked too much is not asked again until the next sweep.
    let is_throttled = AtomicBool::new(false);
    let look = async |(run_id, run): (String, StepResult<OpenRun>)| {
        if is_throttled.load(Relaxed) || Instant::now() >= until {
            return (run_id, Look::NotYet);
        }
        let look = look(clients, &run_id, run, now).await;
        is_throttled.fetch_or(look == Look::Throttled, Relaxed);
        (run_id, look)
    };
    let mut looks = stream::iter(runs).map(look).buffered(AT_ONCE);
    let (mut turn, mut error, mut is_in_turn) = (None, None, true);
    while let Some((run_id, look)) = looks.next().await {
        is_in_turn &= !matches!(look, Look::NotYet | Look::Throttled);
        if is_in_turn {
            turn = Some(run_id);
        }
        match look {
            Look::NotYet | Look::Throttled => reply.left += 1,
            Look::Done(done) => reply.done.extend(done),
            Look::Trouble(trouble) => error = error.or(Some(trouble)),
        }
    }
    if turn.is_none() && is_throttled.load(Relaxed) {
        error = error.or_else(|| Some(StepError::new(name::THROTTLED, "no open run could be looked at")));
    }
    if let Some(turn) = turn.filter(|turn| last.as_ref() != Some(turn)) {
        clients.journal.set_turn(&turn).await?;
    }
    error.map_or(Ok(reply), Err)
}

/// What came of a look at one run.
#[derive(Clone, Debug, PartialEq)]
enum Look {
    /// It was not looked at: the next sweep begins with it.
    NotYet,
    /// AWS asked to slow down.
    Throttled,
    /// What was done, if anything.
    Done(Option<String>),
    /// What kept the sweep from it, and is to be told.
    Trouble(StepError),
}

async fn look(clients: &Clients, run_id: &str, run: StepResult<OpenRun>, now: Timestamp) -> Look {
    let result = match run {
        Ok(run) => look_after(clients, &run, now).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(done) => Look::Done(done),
        Err(error) if error.name == name::THROTTLED => Look::Throttled,
        Err(error) => {
            tracing::error!(
                run_id,
                error = error.name,
                "the sweep could not look after a run: {}. If its item cannot be read, see to its \
                routes, and then start cleanup with its run_id and `release`",
                error.message
            );
            // What cannot be counted is told.
            let count = clients.journal.count_trouble(run_id).await.unwrap_or(1).max(1);
            if decide::is_told(count) { Look::Trouble(error) } else { Look::Done(None) }
        }
    }
}

async fn look_after(clients: &Clients, run: &OpenRun, now: Timestamp) -> StepResult<Option<String>> {
    let status = owner_status(&clients.sfn, &run.owner).await?;
    let action = decide::action(run.phase, run.owner != run.run_id, status);
    if action == Action::None {
        return Ok(None);
    }
    // The index may be behind: a run that has moved on since is somebody's again.
    let Some(run) = clients.journal.read(&run.run_id).await?.filter(|now| decide::is_as_seen(run, now)) else {
        return Ok(None);
    };
    let count = clients.journal.count_sweep(&run.run_id).await?;
    let nth = match (decide::turn(count), action) {
        (Turn::Wait, _) => return Ok(None),
        (Turn::Start(nth), _) => nth,
        (Turn::GiveUp(since), Action::Cleanup) => return give_up_cleanup(clients, &run, since).await.map(Some),
        (Turn::GiveUp(since), _) => return give_up(clients, &run, since, now).await.map(Some),
    };
    if action == Action::Cleanup {
        let input = json!({ "run_id": run.run_id, "instead_of": run.owner });
        executions::start(
            &clients.sfn,
            &clients.machines.cleanup,
            &execution_name("sweep", &run.run_id, count),
            &input,
        )
        .await?;
    } else if !rollback::start(clients, &run.run_id).await? {
        return Ok(None);
    }
    Ok(Some(format!("{action} of {} started, the {nth}. time", run.run_id)))
}

async fn owner_status(sfn: &aws_sdk_sfn::Client, execution_arn: &str) -> StepResult<OwnerStatus> {
    let status = executions::status(sfn, execution_arn).await?;
    Ok(match status.as_deref() {
        Some(status) if is_under_way(status) => OwnerStatus::Running,
        Some("SUCCEEDED") => OwnerStatus::Succeeded,
        _ => OwnerStatus::Dead,
    })
}

/// A name that is used once.
fn execution_name(what: &str, run_id: &str, count: u32) -> String {
    format!("{what}-{}-{count}", digest(run_id))
}

/// Starting cleanup has not helped: a person is told. The run stays as it is, locks included.
async fn give_up_cleanup(clients: &Clients, run: &Run, since: u32) -> StepResult<String> {
    if decide::is_told(since) {
        let subject = format!("ACTION NEEDED: cleanup after cutover of {}", run.plan.application);
        tell(clients, run, subject, decide::gave_up_cleanup(run, &clients.machines)).await?;
    }
    Ok(format!("{} is still {}: starting cleanup has not helped", run.run_id, run.phase))
}

/// Starting rollback has not helped: a person is told. The locks stay. No part waits for another one to go well: after this
/// the sweep does not come back to the run. Where it does, since the run cannot be left stuck, that is told at growing intervals.
async fn give_up(clients: &Clients, run: &Run, since: u32, now: Timestamp) -> StepResult<String> {
    let left = leave_stuck(&clients.journal, run, now).await;
    if left.is_ok() || decide::is_told(since) {
        let subject = format!("CRITICAL: cutover of {} is stuck", run.plan.application);
        let told = tell(clients, run, subject, decide::gave_up_page(run, &clients.machines)).await;
        // Which routes are left, and how, is rollback's to see, if it can do that much.
        let look = json!({ "run_id": run.run_id, "report": decide::gave_up(run) });
        let looked = executions::start(
            &clients.sfn,
            &clients.machines.rollback,
            &execution_name("report", &run.run_id, since),
            &look,
        )
        .await;
        told.and(looked)?;
    }
    left?;
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
    let Some(topic) = clients.topics.or_own(&notify.topic_arn) else { return Ok(()) };
    let page = clients.sns.publish().topic_arn(topic).subject(subject).message(message);
    page.send().await.map(drop).map_err(|error| StepError::from_aws("sns:Publish", &error))
}
