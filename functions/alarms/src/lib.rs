//! `alarms`: sets one of the plan's alarms after the shift, and puts back what was there, in the account and region of its ARN.
//!
//! | action | reads | writes | undone by |
//! |---|---|---|---|
//! | set | the run item, the alarm | what was there, into the journal; then the planned alarm | restore |
//! | restore | the run item, the alarm | what was there before, or deletes the alarm | - |
//!
//! PutMetricAlarm overwrites the whole alarm and keeps its state; it has no version condition, so each write is: fence,
//! compare, write, read back. Both actions may run twice.
//!
//! Errors: `Cutover.NotPermitted` where the stack does not let plans set such an alarm, `Cutover.Drift` where somebody else changed the alarm, or where it is of a kind that could not be put back
//! (composite, metric math), `Cutover.NotPermitted` also for an account that does not let the stack in, `Cutover.Fenced`, and AWS errors.

pub mod convert;
pub mod decide;

use access::Access;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::AlarmType;
use cutover::alarm::Alarm;
use cutover::authority::AllowedAlarms;
use cutover::contract::Caller;
use cutover::error::name;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::{Journal, Phase};
use serde::{Deserialize, Serialize};

use crate::decide::Write;

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] =
    &["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"];

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// CloudWatch.
    pub cloudwatch: Client,
    /// What other accounts and regions are reached by.
    pub access: Access,
    /// The journal, for the fence and for what was there before.
    pub journal: Journal,
    /// The alarms that plans may set, and what these may do.
    pub allowed: AllowedAlarms,
}

/// What is done to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Make it as the plan says.
    Set,
    /// Undo of `set`.
    Restore,
}

/// One action on one alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// What to do.
    pub action: Action,
    /// The alarm's place in the plan.
    pub index: usize,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The alarm's name.
    pub name: String,
    /// Whether this call wrote.
    pub changed: bool,
    /// When, RFC 3339.
    pub at: String,
}

/// Does one action on one alarm once.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let Request { caller, action, index } = request;
    let phase = phase_of(action);
    let run = clients.journal.fence(&caller, phase).await?;
    let planned = run.plan.alarms.get(index);
    let planned = planned.ok_or_else(|| StepError::invalid(format!("the plan has no alarms[{index}]")))?;
    if action == Action::Set {
        clients.allowed.check(planned, index)?;
    }
    let reply = |changed| Reply { name: planned.alarm_name.clone(), changed, at: now.to_string() };
    let before = run.alarms_before.get(planned.key());
    if action == Action::Restore && before.is_none() {
        return Ok(reply(false));
    }
    let access = clients.access.for_run(&run.run_id, now);
    let cloudwatch = &access.client(&clients.cloudwatch, planned.place(), Client::new).await?;
    let live = live(cloudwatch, &planned.alarm_name).await?;
    let target = match action {
        Action::Set => decide::set(planned, live.as_ref(), before)?,
        Action::Restore => decide::restore(planned, live.as_ref(), before)?,
    };
    if target == Write::Nothing {
        return Ok(reply(false));
    }
    if action == Action::Set {
        clients.journal.remember_alarm(&caller, &run, planned.key(), live.as_ref()).await?;
    }
    clients.journal.fence(&caller, phase).await?;
    write(cloudwatch, &planned.alarm_name, live.as_ref(), target).await?;
    Ok(reply(true))
}

fn phase_of(action: Action) -> Phase {
    match action {
        Action::Set => Phase::Forward,
        Action::Restore => Phase::RollingBack,
    }
}

/// The alarm of this name; `None`: there is none.
async fn live(cloudwatch: &Client, alarm: &str) -> StepResult<Option<Alarm>> {
    let request = cloudwatch.describe_alarms().alarm_names(alarm);
    let request = request.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
    let call = format!("cloudwatch:DescribeAlarms {alarm}");
    let answer = request.send().await.map_err(|error| StepError::from_aws(&call, &error))?;
    let foreign = || {
        let problem = format!("alarm {alarm} exists and is of a kind that could not be put back");
        StepError::new(name::DRIFT, problem)
    };
    if !answer.composite_alarms().is_empty() {
        return Err(foreign());
    }
    answer.metric_alarms().first().map(|live| convert::from_live(live).ok_or_else(foreign)).transpose()
}

/// Writes, and reads back.
async fn write(cloudwatch: &Client, alarm: &str, was: Option<&Alarm>, target: Write<'_>) -> StepResult<()> {
    let mut refused = None;
    let wanted = match target {
        Write::Nothing => return Ok(()),
        Write::Put(wanted) => {
            let result = convert::to_input(wanted).send_with(cloudwatch).await;
            let call = format!("cloudwatch:PutMetricAlarm {alarm}");
            result.map_err(|error| StepError::from_aws(&call, &error))?;
            Some(wanted)
        }
        Write::Delete => {
            let result = cloudwatch.delete_alarms().alarm_names(alarm).send().await;
            let call = format!("cloudwatch:DeleteAlarms {alarm}");
            match result {
                Err(error) if !error.as_service_error().is_some_and(|error| error.is_resource_not_found()) => {
                    refused = Some(StepError::from_aws(&call, &error));
                    None
                }
                _ => None,
            }
        }
    };
    let after = live(cloudwatch, alarm).await?;
    if let Some(error) = refused {
        return decide::refused(error, was, after.as_ref());
    }
    decide::read_back(alarm, was, wanted, after.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_set_in_a_run_that_goes_forward_and_put_back_in_one_that_is_rolled_back() {
        assert_eq!([Action::Set, Action::Restore].map(phase_of), [Phase::Forward, Phase::RollingBack]);
    }
}
