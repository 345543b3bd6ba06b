//! The release of a run whatever is in its item: written by another version, full, not to be parsed, or gone. A person has put
//! things right; nothing in the journal may keep the locks.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use cutover::error::name;
use cutover::{StepError, StepResult};
use serde_json::Value;

use crate::item::{Ending, Item, LOCKS, Run, json, string, text};
use crate::room::Sent;
use crate::table::Journal;
use crate::{Phase, lock_keys};

/// A run that a person wants to be released, read as far as it can be.
#[derive(Clone, Debug)]
pub struct Owed {
    /// The run.
    pub run_id: String,
    /// Its item as it is; none where only its locks are left.
    item: Option<Item>,
    /// The item read as a run, or why it cannot be.
    pub run: StepResult<Run>,
}

/// What is known of a run that was released.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// Its application.
    pub application: Option<String>,
    /// Who is told.
    pub topic_arn: Option<String>,
}

impl Owed {
    /// The phase as it is written; empty where there is none.
    pub fn phase(&self) -> &str {
        self.of_item("phase").unwrap_or_default()
    }

    /// The execution that is responsible, as it is written.
    pub fn owner(&self) -> &str {
        self.of_item("owner").unwrap_or_default()
    }

    /// What of it tells people: also where the run as a whole cannot be read.
    pub fn told(&self) -> Released {
        let plan = self.of_item("plan").and_then(|plan| serde_json::from_str::<Value>(plan).ok()).unwrap_or_default();
        let of_plan = |pointer: &str| plan.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let application = self.of_item("application").map(str::to_owned).or_else(|| of_plan("/application"));
        Released { application, topic_arn: of_plan("/notify/topic_arn") }
    }

    /// Why it is not for a person to release; none: it is. A run that can be read has ways of its own to its ending until it is
    /// stuck. One that cannot be read has no other way.
    pub fn not_released(&self) -> Option<String> {
        match &self.run {
            Ok(run) if run.phase != Phase::Stuck => {
                Some(format!("only a stuck run is released; this one is {}", run.phase))
            }
            Ok(_) => None,
            Err(_) => {
                let phase = self.phase().parse::<Phase>().ok();
                let is_over = matches!(phase, Some(Phase::Closed | Phase::RolledBack));
                is_over.then(|| format!("only a run that has not ended is released; this one is {}", self.phase()))
            }
        }
    }

    /// The keys of its locks, as far as the item tells; none: it does not.
    fn lock_keys(&self) -> Option<Vec<String>> {
        let listed = self.of_item(LOCKS).and_then(|keys| serde_json::from_str(keys).ok());
        listed.or_else(|| self.run.as_ref().ok().map(|run| lock_keys(&run.plan)))
    }

    fn of_item(&self, attribute: &str) -> Option<&str> {
        string(self.item.as_ref()?, attribute).ok()
    }
}

impl Journal {
    /// The run that an input means, as far as it can be read; none where there is neither a run nor a lock.
    ///
    /// # Errors
    /// `Cutover.InvalidPlan` unless exactly one is given; AWS errors.
    pub async fn owed(&self, run_id: Option<&str>, application: Option<&str>) -> StepResult<Option<Owed>> {
        let Some(run_id) = self.meant(run_id, application).await? else { return Ok(None) };
        let Some(item) = self.get(Run::key(&run_id)).await? else {
            let has_locks = !self.locks_of(&run_id).await?.is_empty();
            let run = Err(StepError::invalid(format!("run#{run_id} is not in the journal")));
            return Ok(has_locks.then_some(Owed { run_id, item: None, run }));
        };
        let run = match self.whole(&run_id, item.clone()).await {
            Ok(whole) => Run::from_item(&whole),
            Err(error) if error.is_passing() || error.name == name::NOT_PERMITTED => return Err(error),
            Err(error) => Err(error),
        };
        Ok(Some(Owed { run_id, item: Some(item), run }))
    }

    /// Closes a run as it is, and deletes its locks, in one transaction: if phase and owner are as they were read.
    ///
    /// # Errors
    /// `Cutover.Fenced` when somebody else was faster; AWS errors.
    pub async fn release(&self, owed: &Owed, owner: &str, ending: &Ending) -> StepResult<()> {
        let keys = match owed.lock_keys() {
            Some(keys) => keys.into_iter().collect(),
            None => self.locks_of(&owed.run_id).await?,
        };
        let mut writes: Vec<TransactWriteItem> = Vec::new();
        if let Some(item) = &owed.item {
            writes.push(TransactWriteItem::builder().update(self.closed(owed, item, owner, ending)?).build());
        }
        for key in keys {
            writes.extend(self.delete_lock(&key, &owed.run_id)?);
        }
        match self.send(&owed.run_id, writes).await? {
            Sent::Written => Ok(()),
            Sent::Lost(_) => {
                let problem = format!("run {} has changed while it was released: look again", owed.run_id);
                Err(StepError::new(name::FENCED, problem))
            }
        }
    }

    fn closed(&self, owed: &Owed, item: &Item, owner: &str, ending: &Ending) -> StepResult<Update> {
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(Run::key(&owed.run_id)))
            .update_expression("SET phase = :closed, #owner = :owner, ending = :ending REMOVE #open")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#open", "open")
            .expression_attribute_values(":closed", text(Phase::Closed.as_str()))
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":ending", json(&ending.within_budget())?);
        let mut conditions = vec!["attribute_exists(pk)".to_owned()];
        for (attribute, name, value) in [("phase", "phase", ":was_phase"), ("owner", "#owner", ":was_owner")] {
            match item.get(attribute) {
                Some(was) => {
                    conditions.push(format!("{name} = {value}"));
                    update = update.expression_attribute_values(value, was.clone());
                }
                None => conditions.push(format!("attribute_not_exists({name})")),
            }
        }
        let update = update.condition_expression(conditions.join(" AND "));
        update.build().map_err(|error| StepError::invalid(error.to_string()))
    }

    /// The keys of all locks that a run holds, by a look at the whole table: for a run of which nothing else tells.
    async fn locks_of(&self, run_id: &str) -> StepResult<BTreeSet<String>> {
        let mut items = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .filter_expression("begins_with(pk, :lock) AND run_id = :run_id")
            .projection_expression("pk")
            .expression_attribute_values(":lock", text("lock#"))
            .expression_attribute_values(":run_id", AttributeValue::S(run_id.to_owned()))
            .into_paginator()
            .items()
            .send();
        let mut keys = BTreeSet::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| StepError::from_aws("dynamodb:Scan", &error))?;
            keys.extend(string(&item, "pk").ok().and_then(|key| key.strip_prefix("lock#")).map(str::to_owned));
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owed(item: Option<Value>) -> Owed {
        let item = item.map(|fields| {
            let fields = fields.as_object().cloned().unwrap_or_default();
            fields.into_iter().map(|(name, value)| (name, text(value.as_str().unwrap_or_default()))).collect::<Item>()
        });
        let run = item.as_ref().map_or(Err(StepError::invalid("gone")), Run::from_item);
        Owed { run_id: "run".to_owned(), item, run }
    }

    fn readable(phase: &str) -> Value {
        let plan = json!({ "application": "shop", "routes": [], "notify": { "topic_arn": "arn:aws:sns:r:1:t" } });
        json!({ "pk": "run#run", "run_id": "run", "phase": phase, "owner": "o", "started_at": "t", "before": "[]",
            "plan": plan.to_string() })
    }

    #[test]
    fn a_run_that_can_be_read_is_released_when_it_is_stuck_and_another_one_until_it_has_ended() {
        for phase in Phase::ALL {
            let of = |item: Value| owed(Some(item)).not_released().is_none();
            assert_eq!(of(readable(phase.as_str())), phase == Phase::Stuck, "{phase}");
            let mut unreadable = readable(phase.as_str());
            unreadable["before"] = json!("[{ not JSON");
            let is_over = matches!(phase, Phase::Closed | Phase::RolledBack);
            assert_eq!(of(unreadable), !is_over, "{phase}");
        }
        for odd in [json!({}), json!({ "phase": "of another version" })] {
            assert_eq!(owed(Some(odd)).not_released(), None);
        }
        assert_eq!(owed(None).not_released(), None, "only its locks are left");
    }

    #[test]
    fn locks_and_people_are_found_in_a_run_that_cannot_be_read() {
        let mut item = readable("stuck");
        assert_eq!(owed(Some(item.clone())).lock_keys(), Some(vec!["application#shop".to_owned()]));
        item["plan"] = json!(json!({ "application": "shop", "routes": 7, "notify": { "topic_arn": "t" } }).to_string());
        let unreadable = owed(Some(item.clone()));
        assert!(unreadable.run.is_err());
        assert_eq!(unreadable.lock_keys(), None);
        let told = Released { application: Some("shop".to_owned()), topic_arn: Some("t".to_owned()) };
        assert_eq!(unreadable.told(), told);
        item["locks"] = json!(r#"["application#shop","listener#l"]"#);
        assert_eq!(owed(Some(item)).lock_keys().map(|keys| keys.len()), Some(2));
        assert_eq!(owed(None).told(), Released::default());
    }
}
