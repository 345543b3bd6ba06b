//! `replication-lag`: whether the database on the new side has caught up, and whether the old side's writers have stopped.
//!
//! | mode | passes when, in `samples` fresh samples in a row | phase of the run |
//! |---|---|---|
//! | gate | the lag is at most `max_lag` | claimed or forward |
//! | drain | no change waits and the lag is at most `drain_latency`, sampled after the writers stopped | forward |
//!
//! Both need the replication running, its tables loaded, none in error and, where the plan asks for it, all validated. A drain
//! after quiesce hooks also needs the source to be seen quiet ([`writers`]), and only that where the plan asks for no drain.
//!
//! Reads: the run item; the replication, its tables, metrics of `AWS/DMS`, in the account and region of its ARN. The API of DMS tells no
//! lag. Writes: nothing, so there is nothing to undo.
//!
//! Errors: `Cutover.Unhealthy` when waiting does not help (somebody writes past the hooks, for one) or the time is up,
//! `Cutover.Inconclusive` when the time is up and there never was data, `Cutover.NotPermitted` for an account that does not let the
//! stack in, `Cutover.DeadlineExceeded`, `Cutover.Fenced`, and AWS errors.

pub mod decide;
pub mod sample;
mod told;
pub mod writers;

use access::Access;
use cutover::contract::Caller;
use cutover::error::name;
use cutover::verdict::Verdict;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::{Journal, Phase, Run};
use replication::Services;
use serde::{Deserialize, Serialize};

use crate::decide::{Observed, Wanted};
use crate::sample::FRESH_SECONDS;
use crate::writers::Writers;

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] = &[
    "cloudwatch:GetMetricData",
    "dms:DescribeReplicationInstances",
    "dms:DescribeReplicationTableStatistics",
    "dms:DescribeReplicationTasks",
    "dms:DescribeReplications",
    "dms:DescribeTableStatistics",
];

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The replications of the stack's own account and region.
    pub own: Services,
    /// What those of others are reached by.
    pub access: Access,
    /// The journal, for the plan.
    pub journal: Journal,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// That the replication has nearly caught up.
    Gate,
    /// That, the writers stopped, nothing is left to replicate.
    Drain,
}

/// One look. It is repeated, with what the last reply said, until the reply says `passed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// What is waited for.
    pub mode: Mode,
    /// How long the state machine has waited so far.
    #[serde(default)]
    pub elapsed_seconds: u64,
    /// The last reply's tally; none at first.
    #[serde(default)]
    pub tally: Option<Tally>,
}

/// What is remembered from look to look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// How many of the latest samples were good in a row.
    pub passed_in_row: u32,
    /// When the newest sample was taken, in seconds since the first look as the state machine counts them: a sample
    /// counts once.
    pub newest: Option<i64>,
    /// The last lag that was seen.
    pub lag_seconds: Option<f64>,
    /// What the source's changes say of the writers.
    pub writers: Writers,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What this look says.
    pub verdict: Verdict,
    /// Whether it is over. Otherwise: wait, and call again.
    pub passed: bool,
    /// How long to wait before the next call.
    pub wait_seconds: u64,
    /// To be sent with the next request.
    pub tally: Tally,
    /// For a person.
    pub seen: String,
    /// The larger of source and target latency.
    pub lag_seconds: Option<f64>,
    /// Changes that wait, in rows.
    pub backlog: Option<f64>,
    /// When this was observed, RFC 3339.
    pub at: String,
}

/// Looks once.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let run = run_of(&clients.journal, &request.caller, request.mode).await?;
    clients.journal.check_deadline(&run, now).await?;
    let Some(wanted) = Wanted::of(request.mode, &run.plan) else { return Ok(nothing_to_wait_for(now)) };
    let database = wanted.database;
    let arn = &database.replication_task_arn;
    let services = clients.own.of(&clients.access.for_run(&run.run_id, now), arn).await?;
    let observed = look(&services, arn, now).await?;
    let tally = request.tally.unwrap_or_default();
    let decision = decide::decide(&wanted, &observed, &tally, request.elapsed_seconds, now)?;
    Ok(Reply {
        verdict: decision.verdict,
        passed: decision.passed,
        wait_seconds: database.interval.0,
        tally: decision.tally,
        seen: decision.seen,
        lag_seconds: decision.lag_seconds,
        backlog: decision.sample.and_then(|sample| sample.backlog),
        at: now.to_string(),
    })
}

/// Looks at everything.
async fn look(services: &Services, arn: &str, now: Timestamp) -> StepResult<Observed> {
    let dms = &services.dms;
    let replication = replication::observe::replication(dms, arn).await?;
    let replication = replication
        .ok_or_else(|| StepError::new(name::REFUSED, format!("DMS knows no {} {arn}", replication::kind(arn))))?;
    let window = FRESH_SECONDS + 2 * replication::PERIOD_SECONDS;
    let metrics = replication::observe::metrics(services, arn, &replication, window, now).await?;
    Ok(Observed { metrics, tables: replication::observe::tables(dms, arn).await?, replication })
}

fn nothing_to_wait_for(now: Timestamp) -> Reply {
    Reply {
        verdict: Verdict::Healthy,
        passed: true,
        wait_seconds: 0,
        tally: Tally::default(),
        seen: "no database in the plan".to_owned(),
        lag_seconds: None,
        backlog: None,
        at: now.to_string(),
    }
}

/// The caller's run. The gate comes before anything moves, when the run may still be `claimed`.
async fn run_of(journal: &Journal, caller: &Caller, mode: Mode) -> StepResult<Run> {
    if mode == Mode::Drain {
        return journal.fence(caller, Phase::Forward).await;
    }
    let run = journal.read(&caller.run_id).await?;
    run.filter(|run| may_look(run, caller)).ok_or_else(|| {
        let problem = format!("run {} is not, or no longer, {}'s to move forward", caller.run_id, caller.execution_arn);
        StepError::new(name::FENCED, format!("{problem}; {} stops", caller.state))
    })
}

fn may_look(run: &Run, caller: &Caller) -> bool {
    matches!(run.phase, Phase::Claimed | Phase::Forward) && run.owner == caller.execution_arn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_looks_before_and_while_the_run_moves_and_for_its_owner_only() {
        let caller = |me: &str| Caller { run_id: "run".to_owned(), execution_arn: me.to_owned(), state: String::new() };
        let plan = serde_json::from_value(serde_json::json!({ "application": "shop", "routes": [] })).unwrap();
        let run = Run::claimed(&caller("me"), plan, vec![], Timestamp::UNIX_EPOCH);
        for phase in Phase::ALL {
            let run = Run { phase, ..run.clone() };
            let moves = matches!(phase, Phase::Claimed | Phase::Forward);
            assert_eq!(may_look(&run, &caller("me")), moves, "{phase}");
            assert!(!may_look(&run, &caller("another")), "{phase}");
        }
    }
}
