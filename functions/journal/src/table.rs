//! Reading, claiming, fencing, and changing the phase of runs.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use cutover::bootstrap::Environment;
use cutover::budget::{MOST_BEFORE_BYTES, MOST_ENDING_BYTES, MOST_PLAN_BYTES, fit, json_bytes};
use cutover::contract::Caller;
use cutover::error::name;
use cutover::rate::spacing_ms;
use cutover::text::quoted;
use cutover::{StepError, StepResult};

use crate::item::{Ending, Item, Run, json, string, text};
use crate::room::Sent;
use crate::{Phase, lock_keys};

/// The table of all runs.
#[derive(Clone, Debug)]
pub struct Journal {
    pub(crate) client: Client,
    pub(crate) table: String,
    /// Where stacks that may meet on a route lock it for each other, beside their own journals.
    pub(crate) shared_locks: Option<String>,
    /// How far the requests of waves' runs to Route 53 are apart.
    pub(crate) spacing_ms: i64,
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
    /// The run as it was read: its phase and owner are the condition of the write. What its `forced` and `why` say is remembered
    /// with the change to `rolling_back`.
    pub run: &'a Run,
    /// The next phase.
    pub to: Phase,
    /// The execution that is responsible from now on.
    pub owner: &'a str,
    /// How the run ended, where it does.
    pub ending: Option<&'a Ending>,
}

impl Journal {
    /// The journal that the function's environment names, as `JOURNAL_TABLE`, the table of locks that stacks share, as `LOCKS_TABLE` (empty: none), and the share of Route 53's limit, as
    /// `ROUTE53_REQUESTS_PER_SECOND`.
    ///
    /// # Errors
    /// A variable is missing, or is no share.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        let rate = environment.variable("ROUTE53_REQUESTS_PER_SECOND")?;
        let spacing_ms = spacing_ms(&rate).map_err(|problem| format!("ROUTE53_REQUESTS_PER_SECOND {problem}"))?;
        Ok(Self {
            client: Client::new(&environment.aws),
            table: environment.variable("JOURNAL_TABLE")?,
            shared_locks: Some(environment.variable("LOCKS_TABLE")?).filter(|name| !name.is_empty()),
            spacing_ms,
        })
    }

    /// A run as it is now.
    ///
    /// # Errors
    /// AWS errors; an item that is not a run.
    pub async fn read(&self, run_id: &str) -> StepResult<Option<Run>> {
        let Some(item) = self.get(Run::key(run_id)).await? else { return Ok(None) };
        Run::from_item(&self.whole(run_id, item).await?).map(Some)
    }

    /// The run that an input means: by its ARN, or by the application that it holds.
    ///
    /// # Errors
    /// `Cutover.InvalidGesture` unless exactly one is given; AWS errors.
    pub async fn find(&self, run_id: Option<&str>, application: Option<&str>) -> StepResult<Option<Run>> {
        match self.meant(run_id, application).await? {
            Some(run_id) => self.read(&run_id).await,
            None => Ok(None),
        }
    }

    /// The ARN of the run that an input means.
    pub(crate) async fn meant(&self, run_id: Option<&str>, application: Option<&str>) -> StepResult<Option<String>> {
        match (run_id, application) {
            // The name of an execution is no run's: as one that was never claimed, it would end as a success.
            (Some(run_id), None) if !run_id.starts_with("arn:") => {
                let problem = format!(
                    "`run_id` is {}, and nothing was done: write the ARN of the cutover's execution, or name its `application`",
                    quoted(run_id, 100)
                );
                Err(StepError::new(name::INVALID_GESTURE, problem))
            }
            (Some(run_id), None) => Ok(Some(run_id.to_owned())),
            (None, Some(application)) => self.holder_of(application).await,
            _ => {
                let problem =
                    "nothing was done: give exactly one of `run_id` (the cutover execution's ARN) and `application`";
                Err(StepError::new(name::INVALID_GESTURE, problem))
            }
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
    /// `Cutover.PrecheckFailed` for a run that is beyond its budget; AWS errors. A throttled or conflicting transaction is not
    /// a lock that is held.
    pub async fn claim(&self, run: &Run) -> StepResult<Claim> {
        within_budget(run)?;
        let keys = lock_keys(&run.plan);
        let item = Put::builder()
            .table_name(&self.table)
            .set_item(Some(run.to_item()?))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|error| StepError::invalid(error.to_string()))?;
        let mut writes = vec![TransactWriteItem::builder().put(item).build()];
        for key in &keys {
            writes.extend(self.put_lock(key, &run.run_id)?);
        }
        match self.send(&run.run_id, writes).await? {
            Sent::Written => Ok(Claim::Claimed),
            Sent::Lost(_) => self.who_holds(run, &keys).await,
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
                writes.extend(self.delete_lock(&key, &run.run_id)?);
            }
        }
        match self.send(&run.run_id, writes).await? {
            Sent::Written => Ok(()),
            Sent::Lost(_) => self.lost_transition(change).await,
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
            update = update.expression_attribute_values(":ending", json(&ending.within_budget())?);
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
            if let Some(why) = &run.why {
                sets.push_str(", why = :why");
                update = update.expression_attribute_values(":why", text(why));
            }
        }
        update.update_expression(format!("{sets}{rest}")).build().map_err(|error| StepError::invalid(error.to_string()))
    }

    pub(crate) async fn get(&self, key: String) -> StepResult<Option<Item>> {
        let answer =
            self.client.get_item().table_name(&self.table).key("pk", text(key)).consistent_read(true).send().await;
        Ok(answer.map_err(|error| StepError::from_aws("dynamodb:GetItem", &error))?.item)
    }
}

/// What precheck has found to fit, fits still: what is written here can be written to until the run has ended.
fn within_budget(run: &Run) -> StepResult<()> {
    let before: usize = run.before.iter().map(json_bytes).sum();
    let parts = [("plan", json_bytes(&run.plan), MOST_PLAN_BYTES), ("before-images", before, MOST_BEFORE_BYTES)];
    match parts.into_iter().find(|(_, bytes, most)| bytes > most) {
        None => Ok(()),
        Some((what, bytes, most)) => {
            let problem = format!(
                "the run's {what} have {bytes} bytes, and the journal has {most} for them; nothing was touched"
            );
            Err(StepError::new(name::PRECHECK_FAILED, problem))
        }
    }
}

impl Ending {
    /// The ending with a report that the journal has room for: what is too long in it is cut, and says so.
    pub(crate) fn within_budget(&self) -> Self {
        Self { at: self.at.clone(), report: fit(self.report.clone(), MOST_ENDING_BYTES) }
    }
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

    #[test]
    fn a_run_beyond_its_budget_is_not_claimed() {
        let caller = Caller { run_id: "run".to_owned(), execution_arn: "me".to_owned(), state: String::new() };
        let plan = serde_json::from_value(json!({ "application": "shop", "routes": [] })).unwrap();
        let of_name = |bytes: usize| {
            let record = json!({ "type": "TXT", "ttl": 60, "values": ["x".repeat(bytes)] });
            serde_json::from_value(json!({ "type": "dns", "records": [record] })).unwrap()
        };
        let mut run = Run::claimed(&caller, plan, vec![of_name(1_000)], jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(within_budget(&run), Ok(()));
        run.before = vec![of_name(MOST_BEFORE_BYTES / 2), of_name(MOST_BEFORE_BYTES / 2)];
        let error = within_budget(&run).unwrap_err();
        assert_eq!(error.name, name::PRECHECK_FAILED);
        assert!(error.message.contains("before-images") && error.message.contains("nothing was touched"), "{error}");
    }

    #[test]
    fn an_ending_that_is_too_long_is_cut() {
        let report = json!({ "ending": "Stuck", "routes": [{ "title": "t", "change": "c".repeat(500_000) }] });
        let ending = Ending { at: "now".to_owned(), report }.within_budget();
        assert!(json_bytes(&ending.report) <= MOST_ENDING_BYTES);
        assert_eq!(ending.report["routes"][0]["title"], "t");
    }
}
