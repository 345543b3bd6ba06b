//! A run as a DynamoDB item, and back.
//!
//! Runs outlive versions: one that began under an older version is rolled back by a newer one, and after a deployment is
//! taken back also the other way round. So an item is read by what is in it: what its writer did not know yet has its
//! default, what its reader does not know is passed over. `tests/stored` keeps items as each version wrote them: they are
//! never renewed, only added to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use cutover::alarm::Alarm;
use cutover::contract::Caller;
use cutover::plan::{DnsRoute, ListenerRoute};
use cutover::text::shown;
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

/// The keys of the run's locks, as a JSON list.
pub(crate) const LOCKS: &str = "locks";
/// The attributes of a run that stand in items of their own, as a set.
pub(crate) const BESIDE: &str = "beside";
/// What an alarm was before it was set: this, and its name.
pub(crate) const ALARM_BEFORE: &str = "alarm_before#";
/// What the sequential tests have counted, as the monitor writes it.
pub(crate) const COUNTED: &str = "counted";
/// How often that was written.
pub(crate) const TIMES_COUNTED: &str = "times_counted";

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
    /// Why it was first rolled back, as its starter said: remembered by the change to `rolling_back`, so that whoever goes on
    /// tells it in the end.
    pub why: Option<String>,
    /// How often a rollback of this run was begun.
    pub rollbacks: u32,
    /// How often the sweep had to start something for this run.
    pub sweeps: u32,
    /// What alarms of the plan were before they were set; `None`: there was none.
    pub alarms_before: BTreeMap<String, Option<Alarm>>,
    /// How the old side served before the first step, as `baseline` wrote it down.
    pub baseline: Option<Value>,
    /// What the sequential tests of its metrics have counted, in the monitor's own form.
    pub counted: Option<String>,
    /// How often that was written.
    pub times_counted: u32,
    /// How the run ended, once it has.
    pub ending: Option<Ending>,
    /// The attributes that stand in items of their own.
    pub beside: BTreeSet<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// RFC 3339.
    pub at: String,
    /// What was done or is left, as its function reported it.
    pub report: Value,
}

impl Ending {
    /// How the run ended, by name: `RolledBack`, `Stuck`, `Held`, `Succeeded`, `Closed`, `Released`.
    pub fn name(&self) -> Option<&str> {
        self.report.get("ending").and_then(Value::as_str)
    }

    /// What the run wanted to do, and did not, as it was told.
    pub fn not_done(&self) -> Vec<String> {
        let listed = self.report.get("not_done").and_then(Value::as_array).into_iter().flatten();
        listed.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }
}

/// So many texts of what was not done are kept, and so much of each: an item has 400 KB (DynamoDB).
const MOST_KEPT: usize = 30;
const MOST_KEPT_BYTES: usize = 500;

/// What is kept of what was not done: fit to be shown, as much as an ending has room for.
pub fn kept(not_done: Vec<String>) -> Vec<String> {
    let more = not_done.len().saturating_sub(MOST_KEPT);
    let kept = not_done.iter().take(MOST_KEPT).map(|text| shown(text, MOST_KEPT_BYTES));
    kept.chain((more > 0).then(|| format!("and {more} more"))).collect()
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
            why: None,
            rollbacks: 0,
            sweeps: 0,
            alarms_before: BTreeMap::new(),
            baseline: None,
            counted: None,
            times_counted: 0,
            ending: None,
            beside: BTreeSet::new(),
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
            // So that a run can be released whose plan nobody can read.
            (LOCKS.to_owned(), json(&crate::lock_keys(&self.plan))?),
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
        let alarms = item.iter().filter_map(|(name, value)| Some((name.strip_prefix(ALARM_BEFORE)?, value)));
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
            why: string(item, "why").ok().map(str::to_owned),
            rollbacks: count(item, "rollbacks"),
            sweeps: count(item, "sweeps"),
            alarms_before,
            baseline: item
                .get("baseline")
                .and_then(|value| value.as_s().ok())
                .map(|s| parse(s, "baseline"))
                .transpose()?,
            counted: string(item, COUNTED).ok().map(str::to_owned),
            times_counted: count(item, TIMES_COUNTED),
            ending: item.get("ending").and_then(|value| value.as_s().ok()).map(|s| parse(s, "ending")).transpose()?,
            beside: beside(item),
        })
    }
}

/// The attributes of a run's item that stand in items of their own.
pub(crate) fn beside(item: &Item) -> BTreeSet<String> {
    let names = item.get(BESIDE).and_then(|value| value.as_ss().ok());
    names.into_iter().flatten().cloned().collect()
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
    use cutover::Seconds;
    use serde_json::json;

    use super::*;

    const STORED: [&str; 3] = [
        include_str!("../tests/stored/0.1.0-every-field.json"),
        include_str!("../tests/stored/0.1.0-finished.json"),
        include_str!("../tests/stored/0.1.0-rolled-back.json"),
    ];

    /// An item from DynamoDB's JSON.
    fn item(stored: &str) -> Item {
        let attributes: HashMap<String, HashMap<String, Value>> = serde_json::from_str(stored).unwrap();
        let attribute = |value: HashMap<String, Value>| match value.into_iter().next() {
            Some((kind, Value::String(text))) if kind == "S" => AttributeValue::S(text),
            Some((kind, Value::String(number))) if kind == "N" => AttributeValue::N(number),
            Some((kind, Value::Bool(flag))) if kind == "BOOL" => AttributeValue::Bool(flag),
            other => panic!("{other:?}"),
        };
        attributes.into_iter().map(|(name, value)| (name, attribute(value))).collect()
    }

    fn json_of(item: &Item, name: &str) -> Value {
        serde_json::from_str(string(item, name).unwrap()).unwrap()
    }

    fn set_json(item: &mut Item, name: &str, value: &Value) {
        item.insert(name.to_owned(), text(value.to_string()));
    }

    /// Fields that plans have since 0.1.0: where, which, and what a plan from before means.
    const ADDED: [(&str, &str, &str); 22] = [
        ("/database", "drain_latency", "5"),
        ("", "leaves_behind", "[]"),
        ("", "load_test", "null"),
        ("/monitoring", "alarms_missing", "{}"),
        ("/monitoring", "false_alarm", "0.01"),
        ("/monitoring", "too_little_data", "\"go_on\""),
        ("/monitoring", "hold_longer_at_most", "3600"),
        ("/monitoring", "early_end", "false"),
        ("/monitoring", "minimum_hold", "300"),
        ("/monitoring/metrics/0", "test", "null"),
        ("/monitoring/metrics/0", "compare_to", "null"),
        ("/monitoring/metrics/1", "test", "null"),
        ("/monitoring/metrics/1", "compare_to", "null"),
        ("/health_check", "certificate", "\"trusted\""),
        ("/monitoring", "on_failure", "\"roll_back\""),
        ("/monitoring", "hold_limit", "3600"),
        ("/monitoring", "until_cleanup", r#"{ "interval": 300, "on_failure": "roll_back" }"#),
        ("/hooks", "on_rollback", "[]"),
        ("", "validation", r#"{ "limits": [], "window": 300, "on_violation": "roll_back" }"#),
        ("", "baseline", r#"{ "window": 3600, "week_ago": true, "resources": [], "given": null }"#),
        ("", "stakeholders", r#"{ "of_stack": null, "groups": [] }"#),
        ("", "wave", "null"),
    ];

    fn with_what_was_added(mut plan: Value) -> Value {
        for (place, field, default) in ADDED {
            if let Some(Value::Object(fields)) = plan.pointer_mut(place) {
                fields.entry(field).or_insert(serde_json::from_str(default).unwrap());
            }
        }
        plan
    }

    /// What an item says is what the run is: nothing is lost, nothing is made up.
    #[test]
    fn items_of_every_version_are_read_whole() {
        for stored in STORED.map(item) {
            let run = Run::from_item(&stored).unwrap();
            let written = run.to_item().unwrap();
            for (name, value) in &stored {
                match name.as_str() {
                    "plan" => assert_eq!(with_what_was_added(json_of(&stored, name)), json_of(&written, name)),
                    "before" | "approval" => assert_eq!(json_of(&stored, name), json_of(&written, name)),
                    "ending" => assert_eq!(json_of(&stored, name), serde_json::to_value(&run.ending).unwrap()),
                    "paused" => assert_eq!(value, &AttributeValue::Bool(run.paused)),
                    "quiesced" => assert_eq!(value, &AttributeValue::Bool(run.quiesced)),
                    "past_no_return" => assert_eq!(value, &AttributeValue::Bool(run.past_no_return)),
                    "rollbacks" => assert_eq!(value, &AttributeValue::N(run.rollbacks.to_string())),
                    "sweeps" => assert_eq!(value, &AttributeValue::N(run.sweeps.to_string())),
                    "forced" => assert_eq!(value.as_s().ok(), run.forced.as_ref()),
                    _ => match name.strip_prefix("alarm_before#") {
                        Some(alarm) => assert_eq!(json_of(&stored, name), json!(run.alarms_before[alarm])),
                        None => assert_eq!(Some(value), written.get(name), "{name}"),
                    },
                }
            }
        }
    }

    #[test]
    fn of_what_was_not_done_as_much_is_kept_as_there_is_room_for() {
        assert_eq!(kept(vec!["a\n".to_owned()]), ["a\\u{a}"]);
        let kept = kept(vec!["x".repeat(10_000); 100]);
        assert_eq!((kept.len(), kept.last().map(String::as_str)), (31, Some("and 70 more")));
        assert!(kept.iter().all(|text| text.len() < 600));
    }

    /// Takes every field out of a value without which it can still be read.
    fn strip(value: &mut Value, is_readable: &dyn Fn(&Value) -> bool) {
        for pointer in pointers(value, String::new()) {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let mut without = value.clone();
            if let Some(Value::Object(fields)) = without.pointer_mut(parent) {
                fields.remove(name);
                if is_readable(&without) {
                    *value = without;
                }
            }
        }
    }

    /// Every place of a value, the inner ones first.
    fn pointers(value: &Value, here: String) -> Vec<String> {
        let fields = value.as_object().into_iter().flatten().map(|(name, field)| (name.clone(), field));
        let items = value.as_array().into_iter().flatten().enumerate().map(|(index, item)| (index.to_string(), item));
        let inner = fields.chain(items).flat_map(|(name, inner)| pointers(inner, format!("{here}/{name}")));
        inner.chain([here.clone()].into_iter().filter(|here| !here.is_empty())).collect()
    }

    #[test]
    fn an_item_that_lacks_what_was_added_since_gets_the_defaults() {
        let mut stored = item(STORED[0]);
        let mut plan = json_of(&stored, "plan");
        strip(&mut plan, &|plan| serde_json::from_value::<Plan>(plan.clone()).is_ok());
        let elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
        let groups = json!({ "old_target_group_arn": format!("{elb}:targetgroup/old/1"),
            "new_target_group_arn": format!("{elb}:targetgroup/new/1") });
        let route = |own: Value| {
            let mut route = own;
            route.as_object_mut().unwrap().extend(groups.as_object().unwrap().clone());
            route
        };
        let steps = |weights: &[u8]| weights.iter().map(|weight| json!({ "new_weight": weight })).collect::<Value>();
        // A field that is added here would be one that items of 0.1.0 lack: no rollback could read them.
        assert_eq!(
            plan,
            json!({ "application": "shop", "routes": [
                route(json!({ "type": "listener", "steps": steps(&[10, 100]) })),
                route(json!({ "type": "listener", "steps": steps(&[0, 50, 100]) })),
                { "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com",
                  "records": [{ "type": "A", "new": {} }, { "type": "AAAA", "new": {} }], "steps": steps(&[100]) },
                { "type": "dns", "hosted_zone_id": "Z1", "record_name": "*.b.example.com.",
                  "records": [{ "type": "CNAME", "new": {} }], "steps": steps(&[100]) },
            ] })
        );
        set_json(&mut stored, "plan", &plan);
        for attribute in ["paused", "quiesced", "past_no_return", "sweeps", "rollbacks", "open", "locks"] {
            stored.remove(attribute);
        }
        let run = Run::from_item(&stored).unwrap();
        let ListenerRoute { min_healthy_percent, .. } = run.listener(0).unwrap().0;
        assert_eq!((*min_healthy_percent, run.plan.timeout, run.paused), (80, Seconds::hours(12), false));
    }

    /// Adds a field to every object, but for maps, whose fields are no names of ours, and what others wrote.
    fn add_unknown(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields.iter_mut() {
                    if !["dimensions", "others"].contains(&name.as_str()) {
                        add_unknown(field);
                    }
                }
                fields.insert("added_later".to_owned(), json!({ "some": ["thing"] }));
            }
            Value::Array(items) => items.iter_mut().for_each(add_unknown),
            _ => {}
        }
    }

    #[test]
    fn what_a_newer_version_wrote_is_read_but_for_what_is_not_known() {
        for stored in STORED.map(item) {
            let run = Run::from_item(&stored).unwrap();
            let mut newer = stored.clone();
            newer.insert("added_later".to_owned(), AttributeValue::L(vec![AttributeValue::Bool(true)]));
            let names = ["plan", "before", "ending", "alarm_before#a"];
            for name in names.into_iter().filter(|name| stored.contains_key(*name)) {
                let mut value = json_of(&stored, name);
                if name == "ending" {
                    value["added_later"] = json!(1);
                } else {
                    add_unknown(&mut value);
                }
                set_json(&mut newer, name, &value);
            }
            assert_eq!(Run::from_item(&newer).unwrap(), run);
        }
    }

    #[test]
    fn an_item_that_cannot_be_read_is_named() {
        let item = Item::from([("pk".to_owned(), text("run#r")), ("run_id".to_owned(), text("r"))]);
        let error = Run::from_item(&item).unwrap_err();
        assert_eq!(error.message, "run#r: the run item has no `phase`");
    }
}
