//! Reading, claiming, fencing, and changing the phase of runs.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use cutover::bootstrap::Environment;
use cutover::contract::Caller;
use cutover::error::name;
use cutover::{StepError, StepResult};

use crate::item::{Ending, Item, Run, json, string, text};
use crate::{Phase, lock_keys};

/// The table of all runs.
#[derive(Clone, Debug)]
pub struct Journal {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// What came of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The run is claimed, now or by an earlier try whose answer was lost.
    Claimed,
    /// Another run holds what this one needs: the lock's key, and the holder's `run_id`.
    Held {
        /// Which lock.
        key: String,
        /// By whom.
        holder: String,
    },
}

/// A change of phase.
#[derive(Clone, Debug)]
pub struct Transition<'a> {
    /// The run as it was read: its phase and owner are the condition of the write. What its `forced` says is remembered with
    /// the change to `rolling_back`.
    pub run: &'a Run,
    /// The next phase.
    pub to: Phase,
    /// The execution that is responsible from now on.
    pub owner: &'a str,
    /// How the run ended, where it does.
    pub ending: Option<&'a Ending>,
}

impl Journal {
    /// The journal that the function's environment names, as `JOURNAL_TABLE`.
    ///
    /// # Errors
    /// The variable is missing.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        Ok(Self { client: Client::new(&environment.aws), table: environment.variable("JOURNAL_TABLE")? })
    }

    /// A run as it is now.
    ///
    /// # Errors
    /// AWS errors; an item that is not a run.
    pub async fn read(&self, run_id: &str) -> StepResult<Option<Run>> {
        self.get(Run::key(run_id)).await?.as_ref().map(Run::from_item).transpose()
    }

    /// The run that an input means: by its ARN, or by the application that it holds.
    ///
    /// # Errors
    /// `Cutover.InvalidPlan` unless exactly one is given; AWS errors.
    pub async fn find(&self, run_id: Option<&str>, application: Option<&str>) -> StepResult<Option<Run>> {
        let run_id = match (run_id, application) {
            (Some(run_id), None) => Some(run_id.to_owned()),
            (None, Some(application)) => self.holder_of(application).await?,
            _ => {
                let problem = "give exactly one of `run_id` (the cutover execution's ARN) and `application`";
                return Err(StepError::invalid(problem));
            }
        };
        match run_id {
            Some(run_id) => self.read(&run_id).await,
            None => Ok(None),
        }
    }

    /// The run that holds an application's lock.
    async fn holder_of(&self, application: &str) -> StepResult<Option<String>> {
        let lock = self.get(format!("lock#application#{application}")).await?;
        lock.map(|item| string(&item, "run_id").map(str::to_owned)).transpose()
    }

    /// The run, if it is in this phase and the caller's. Mutating functions call this right before each write.
    ///
    /// # Errors
    /// `Cutover.Fenced` when it is not; AWS errors.
    pub async fn fence(&self, caller: &Caller, phase: Phase) -> StepResult<Run> {
        pass(self.read(&caller.run_id).await?, caller, phase)
    }

    /// Writes the run item and all its locks in one transaction.
    ///
    /// # Errors
    /// AWS errors. A throttled or conflicting transaction is not a lock that is held.
    pub async fn claim(&self, run: &Run) -> StepResult<Claim> {
        let keys = lock_keys(&run.plan);
        let item = Put::builder()
            .table_name(&self.table)
            .set_item(Some(run.to_item()?))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|error| StepError::invalid(error.to_string()))?;
        let mut writes = vec![TransactWriteItem::builder().put(item).build()];
        for key in &keys {
            writes.push(self.put_lock(key, &run.run_id)?);
        }
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(Claim::Claimed),
            Err(error) if lost_condition(error.as_service_error()) => self.who_holds(run, &keys).await,
            Err(error) => Err(cancelled_for(error.as_service_error())
                .unwrap_or_else(|| StepError::from_aws("dynamodb:TransactWriteItems", &error))),
        }
    }

    /// A condition of the claim failed: an earlier try of this very run had won, or another run holds a lock.
    async fn who_holds(&self, run: &Run, keys: &[String]) -> StepResult<Claim> {
        if self.read(&run.run_id).await?.is_some() {
            return Ok(Claim::Claimed);
        }
        let holders = self.lock_holders(keys).await?;
        match holders.into_iter().next() {
            Some((key, holder)) => Ok(Claim::Held { key, holder }),
            None => Err(StepError::new(name::TRANSIENT, "a lock was released while it was asked for")),
        }
    }

    /// Changes a run's phase if it still is as it was read. Endings without locks release them in the same transaction.
    ///
    /// # Errors
    /// `Cutover.Fenced` when somebody else was faster; AWS errors.
    pub async fn transition(&self, change: &Transition<'_>) -> StepResult<()> {
        let run = change.run;
        if !run.phase.may_become(change.to) {
            let problem = format!("run {} cannot go from {} to {}", run.run_id, run.phase, change.to);
            return Err(StepError::new(name::FENCED, problem));
        }
        let mut writes = vec![TransactWriteItem::builder().update(self.update(change)?).build()];
        if matches!(change.to, Phase::RolledBack | Phase::Closed) {
            for key in lock_keys(&run.plan) {
                writes.push(self.delete_lock(&key, &run.run_id)?);
            }
        }
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(()),
            Err(error) if lost_condition(error.as_service_error()) => self.lost_transition(change).await,
            Err(error) => Err(cancelled_for(error.as_service_error())
                .unwrap_or_else(|| StepError::from_aws("dynamodb:TransactWriteItems", &error))),
        }
    }

    /// The condition failed: perhaps because an earlier try of this very change had passed and its answer was lost.
    async fn lost_transition(&self, change: &Transition<'_>) -> StepResult<()> {
        let run = self.read(&change.run.run_id).await?;
        match run {
            Some(run) if run.phase == change.to && run.owner == change.owner => Ok(()),
            Some(run) => {
                let problem = format!("run {} is in phase {}, owned by {}", run.run_id, run.phase, run.owner);
                Err(StepError::new(name::FENCED, problem))
            }
            None => Err(StepError::new(name::FENCED, format!("run {} is not in the journal", change.run.run_id))),
        }
    }

    fn update(&self, change: &Transition<'_>) -> StepResult<Update> {
        let run = change.run;
        let mut sets = "SET phase = :to, #owner = :owner".to_owned();
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(Run::key(&run.run_id)))
            .condition_expression("phase = :from AND #owner = :was_owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":from", text(run.phase.as_str()))
            .expression_attribute_values(":was_owner", text(&run.owner))
            .expression_attribute_values(":to", text(change.to.as_str()))
            .expression_attribute_values(":owner", text(change.owner));
        if let Some(ending) = change.ending {
            sets.push_str(", ending = :ending");
            update = update.expression_attribute_values(":ending", json(ending)?);
        }
        let rest = if change.to.is_open() {
            update =
                update.expression_attribute_names("#open", "open").expression_attribute_values(":yes", text("yes"));
            sets.push_str(", #open = :yes");
            match (change.to, &run.forced) {
                (Phase::RollingBack, Some(forced)) => {
                    update = update.expression_attribute_values(":forced", text(forced));
                    sets.push_str(", forced = :forced");
                    " ADD rollbacks :one REMOVE ending"
                }
                (Phase::RollingBack, None) => " ADD rollbacks :one REMOVE ending, forced",
                _ => "",
            }
        } else {
            update = update.expression_attribute_names("#open", "open");
            " REMOVE #open"
        };
        if change.to == Phase::RollingBack {
            let one = aws_sdk_dynamodb::types::AttributeValue::N("1".to_owned());
            update = update.expression_attribute_values(":one", one);
        }
        update.update_expression(format!("{sets}{rest}")).build().map_err(|error| StepError::invalid(error.to_string()))
    }

    /// Every run that is owed an ending, as the index knows them: eventually consistent. An item that is not a run is an
    /// error in its place.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn open_runs(&self) -> StepResult<Vec<StepResult<Run>>> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("open-runs")
            .key_condition_expression("#open = :yes")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":yes", text("yes"))
            .into_paginator()
            .items()
            .send();
        let mut runs = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| StepError::from_aws("dynamodb:Query open-runs", &error))?;
            runs.push(Run::from_item(&item));
        }
        Ok(runs)
    }

    async fn get(&self, key: String) -> StepResult<Option<Item>> {
        let answer =
            self.client.get_item().table_name(&self.table).key("pk", text(key)).consistent_read(true).send().await;
        Ok(answer.map_err(|error| StepError::from_aws("dynamodb:GetItem", &error))?.item)
    }
}

/// Why each write of a cancelled transaction was refused, by DynamoDB's codes.
fn reasons(error: Option<&TransactWriteItemsError>) -> Vec<&str> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error else { return vec![] };
    cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect()
}

fn lost_condition(error: Option<&TransactWriteItemsError>) -> bool {
    reasons(error).contains(&"ConditionalCheckFailed")
}

/// A cancelled transaction that lost no condition was throttled, or met another one: it may pass later.
fn cancelled_for(error: Option<&TransactWriteItemsError>) -> Option<StepError> {
    let reasons = reasons(error);
    let other = reasons.iter().find(|code| **code != "None")?;
    let name =
        if other.contains("Throttl") || other.contains("Throughput") { name::THROTTLED } else { name::TRANSIENT };
    Some(StepError::new(name, format!("dynamodb:TransactWriteItems was cancelled: {}", reasons.join(", "))))
}

pub(crate) fn fenced(caller: &Caller, problem: &str) -> StepError {
    StepError::new(name::FENCED, format!("run {} {problem}; {} stops", caller.run_id, caller.state))
}

/// Whether a caller may act on a run. Pure.
fn pass(run: Option<Run>, caller: &Caller, phase: Phase) -> StepResult<Run> {
    let run = run.ok_or_else(|| fenced(caller, "is not in the journal"))?;
    if run.phase != phase {
        return Err(fenced(caller, &format!("is in phase {}, not {phase}", run.phase)));
    }
    if run.owner != caller.execution_arn {
        return Err(fenced(caller, &format!("is owned by {}", run.owner)));
    }
    Ok(run)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_fence_lets_only_the_owner_pass_and_only_in_its_phase() {
        let caller = |execution: &str| Caller {
            run_id: "run".to_owned(),
            execution_arn: execution.to_owned(),
            state: "SwapListener".to_owned(),
        };
        let plan = serde_json::from_value(json!({ "application": "shop", "routes": [] })).unwrap();
        let claimed = Run::claimed(&caller("me"), plan, vec![], jiff::Timestamp::UNIX_EPOCH);
        for phase in Phase::ALL {
            let run = || Some(Run { phase, ..claimed.clone() });
            for wanted in Phase::ALL {
                let passed = pass(run(), &caller("me"), wanted).map(|run| run.phase).map_err(|error| error.name);
                assert_eq!(passed, if phase == wanted { Ok(phase) } else { Err(name::FENCED) }, "{phase} {wanted}");
            }
            let other = pass(run(), &caller("another"), phase).unwrap_err();
            assert_eq!((other.name, other.message.contains("owned by me")), (name::FENCED, true), "{phase}");
        }
        assert_eq!(pass(None, &caller("me"), Phase::Forward).unwrap_err().name, name::FENCED);
    }
}
