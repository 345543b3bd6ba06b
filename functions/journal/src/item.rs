//! A run as a DynamoDB item, and back.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use cutover::alarm::Alarm;
use cutover::contract::Caller;
use cutover::plan::{DnsRoute, ListenerRoute};
use cutover::{Plan, StepError, StepResult};
use jiff::Timestamp;
use routes::listener::ListenerState;
use routes::name::NameState;
use routes::{RouteOfRun, RouteState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Phase;

/// An item's attributes.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A run: everything that its functions need to know, and what undo restores.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The ARN of the cutover's execution.
    pub run_id: String,
    /// Where the run is.
    pub phase: Phase,
    /// The execution that is responsible for this phase.
    pub owner: String,
    /// The normalised plan.
    pub plan: Plan,
    /// The before-image of each route, in the plan's order.
    pub before: Vec<RouteState>,
    /// When the run was claimed, RFC 3339: its deadline counts from here.
    pub started_at: String,
    /// Who agreed to it, when and why, if somebody was asked.
    pub approval: Option<Value>,
    /// A person asked to hold the present step.
    pub paused: bool,
    /// The quiesce hooks may have run: resume is owed.
    pub quiesced: bool,
    /// Writes may have reached a database from which nothing flows back.
    pub past_no_return: bool,
    /// Why a person wants it rolled back in spite of a reason to hold: remembered by the change to `rolling_back`, for the
    /// rollback that takes over from one that dies.
    pub forced: Option<String>,
    /// How often a rollback of this run was begun.
    pub rollbacks: u32,
    /// How often the sweep had to start something for this run.
    pub sweeps: u32,
    /// What alarms of the plan were before they were set; `None`: there was none.
    pub alarms_before: BTreeMap<String, Option<Alarm>>,
    /// How the run ended, once it has.
    pub ending: Option<Ending>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// RFC 3339.
    pub at: String,
    /// What was done or is left, as its function reported it.
    pub report: Value,
}

impl Run {
    /// A run as it is claimed: the caller's own, and nothing has happened yet.
    pub fn claimed(caller: &Caller, plan: Plan, before: Vec<RouteState>, now: Timestamp) -> Self {
        Self {
            run_id: caller.run_id.clone(),
            phase: Phase::Claimed,
            owner: caller.execution_arn.clone(),
            plan,
            before,
            started_at: now.to_string(),
            approval: None,
            paused: false,
            quiesced: false,
            past_no_return: false,
            forced: None,
            rollbacks: 0,
            sweeps: 0,
            alarms_before: BTreeMap::new(),
            ending: None,
        }
    }

    /// A route of the plan, with its before-image.
    ///
    /// # Errors
    /// The place does not exist: the state machine and the journal disagree.
    pub fn route(&self, index: usize) -> StepResult<RouteOfRun<'_>> {
        match (self.plan.routes.get(index), self.before.get(index)) {
            (Some(route), Some(before)) => RouteOfRun::of(route, before),
            _ => Err(StepError::invalid(format!("routes[{index}] of run {} is not there", self.run_id))),
        }
    }

    /// A route of the plan that is a listener or rule, with its before-image.
    ///
    /// # Errors
    /// The place does not exist, or is another kind of route: the state machine and the journal disagree.
    pub fn listener(&self, index: usize) -> StepResult<(&ListenerRoute, &ListenerState)> {
        match self.route(index) {
            Ok(RouteOfRun::Listener(route, before)) => Ok((route, before)),
            _ => Err(StepError::invalid(format!("routes[{index}] of run {} is not a listener", self.run_id))),
        }
    }

    /// A route of the plan that is a DNS name, with its before-image.
    ///
    /// # Errors
    /// As [`listener`](Self::listener).
    pub fn dns(&self, index: usize) -> StepResult<(&DnsRoute, &NameState)> {
        match self.route(index) {
            Ok(RouteOfRun::Dns(route, before)) => Ok((route, before)),
            _ => Err(StepError::invalid(format!("routes[{index}] of run {} is not a DNS name", self.run_id))),
        }
    }

    /// The partition key of a run's item.
    pub(crate) fn key(run_id: &str) -> String {
        format!("run#{run_id}")
    }

    pub(crate) fn to_item(&self) -> StepResult<Item> {
        let mut item = Item::from([
            ("pk".to_owned(), text(Self::key(&self.run_id))),
            ("run_id".to_owned(), text(&self.run_id)),
            ("application".to_owned(), text(&self.plan.application)),
            ("phase".to_owned(), text(self.phase.as_str())),
            ("owner".to_owned(), text(&self.owner)),
            ("plan".to_owned(), json(&self.plan)?),
            ("before".to_owned(), json(&self.before)?),
            ("started_at".to_owned(), text(&self.started_at)),
        ]);
        if let Some(approval) = &self.approval {
            item.insert("approval".to_owned(), json(approval)?);
        }
        if self.phase.is_open() {
            item.insert("open".to_owned(), text("yes"));
        }
        Ok(item)
    }

    /// # Errors
    /// Names the item, and what of it cannot be read.
    pub(crate) fn from_item(item: &Item) -> StepResult<Self> {
        let key = || string(item, "pk").unwrap_or("a run without a key");
        Self::read(item).map_err(|error| StepError::new(error.name, format!("{}: {}", key(), error.message)))
    }

    fn read(item: &Item) -> StepResult<Self> {
        let alarms = item.iter().filter_map(|(name, value)| Some((name.strip_prefix("alarm_before#")?, value)));
        let alarms_before = alarms
            .map(|(name, value)| Ok((name.to_owned(), parse(value.as_s().map_or("", String::as_str), name)?)))
            .collect::<StepResult<_>>()?;
        Ok(Self {
            run_id: string(item, "run_id")?.to_owned(),
            phase: string(item, "phase")?.parse().map_err(StepError::invalid)?,
            owner: string(item, "owner")?.to_owned(),
            plan: parse(string(item, "plan")?, "plan")?,
            before: parse(string(item, "before")?, "before")?,
            started_at: string(item, "started_at")?.to_owned(),
            approval: item
                .get("approval")
                .and_then(|value| value.as_s().ok())
                .map(|s| parse(s, "approval"))
                .transpose()?,
            paused: flag(item, "paused"),
            quiesced: flag(item, "quiesced"),
            past_no_return: flag(item, "past_no_return"),
            forced: string(item, "forced").ok().map(str::to_owned),
            rollbacks: count(item, "rollbacks"),
            sweeps: count(item, "sweeps"),
            alarms_before,
            ending: item.get("ending").and_then(|value| value.as_s().ok()).map(|s| parse(s, "ending")).transpose()?,
        })
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn json(value: &impl Serialize) -> StepResult<AttributeValue> {
    serde_json::to_string(value).map(AttributeValue::S).map_err(|error| StepError::invalid(error.to_string()))
}

pub(crate) fn string<'a>(item: &'a Item, name: &str) -> StepResult<&'a str> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or_else(|| StepError::invalid(format!("the run item has no `{name}`")))
}

fn parse<T: serde::de::DeserializeOwned>(value: &str, name: &str) -> StepResult<T> {
    serde_json::from_str(value).map_err(|error| StepError::invalid(format!("`{name}` of the run item: {error}")))
}

fn flag(item: &Item, name: &str) -> bool {
    item.get(name).and_then(|value| value.as_bool().ok()).copied().unwrap_or(false)
}

fn count(item: &Item, name: &str) -> u32 {
    item.get(name).and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_cannot_be_read_is_named() {
        let item = Item::from([("pk".to_owned(), text("run#r")), ("run_id".to_owned(), text("r"))]);
        let error = Run::from_item(&item).unwrap_err();
        assert_eq!(error.message, "run#r: the run item has no `phase`");
    }
}
