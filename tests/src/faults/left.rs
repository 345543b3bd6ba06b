//! What a run has left, as far as the promise is concerned: values only.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::control::{Invocation, Message, Routing};
use crate::follow::End;
use crate::routes::{Place, Route};

/// What a run has left.
#[derive(Clone, Debug)]
pub struct Left {
    /// How the cutover's execution ended.
    pub end: Option<End>,
    /// The account before.
    pub before: Value,
    /// The account after.
    pub after: Value,
    /// Where they differ, in the plan's names.
    pub changes: Vec<Change>,
    /// The new side's percentage on each route.
    pub new_percents: Vec<f64>,
    /// Every routing that there was on the way.
    pub routings: Vec<Routing>,
    /// The journal.
    pub journal: Journal,
    /// All messages.
    pub messages: Vec<Message>,
    /// Calls of the plan's hooks, in their order.
    pub hooks: Vec<Invocation>,
    /// Executions that still run, the cleanup's durable wait left out.
    pub running: Vec<String>,
    /// How the second execution ended, if there was one.
    pub second: Option<End>,
    /// Users' requests, those that failed, and those that nobody was there for; none where nobody sent any.
    pub users: Option<(usize, usize, usize)>,
}

/// Where the account differs from before.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Change {
    /// The route that it belongs to.
    pub route: Option<usize>,
    /// `$.path: one -> other`, in the plan's names.
    pub line: String,
}

/// The journal after a run.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// The run's item; none if it was never claimed.
    pub run: Option<Value>,
    /// Run items of others.
    pub other_runs: usize,
    /// Every lock and the run that holds it.
    pub locks: Vec<(String, String)>,
}

impl Journal {
    /// Sorts the items of the table.
    pub fn of(items: &[Value], run_id: &str) -> Self {
        let text = |item: &Value, field: &str| item[field]["S"].as_str().unwrap_or_default().to_owned();
        let mut journal = Self::default();
        for item in items {
            match text(item, "pk").split_once('#') {
                Some(("lock", key)) => journal.locks.push((key.to_owned(), text(item, "run_id"))),
                Some(("run", id)) if id == run_id => journal.run = Some(item.clone()),
                Some(("run", _)) => journal.other_runs += 1,
                // Parts of a run that its item has no room for, and the sweep's place.
                _ => {}
            }
        }
        journal
    }

    /// The run's phase.
    pub fn phase(&self) -> Option<&str> {
        self.run.as_ref()?["phase"]["S"].as_str()
    }

    /// What the run's ending says, once there is one.
    pub fn ending(&self) -> Option<Value> {
        let ending: Value = serde_json::from_str(self.run.as_ref()?["ending"]["S"].as_str()?).ok()?;
        Some(ending["report"].clone())
    }

    /// The keys of all locks, and those who hold them.
    pub fn holders(&self) -> (BTreeSet<&str>, BTreeSet<&str>) {
        self.locks.iter().map(|(key, holder)| (key.as_str(), holder.as_str())).unzip()
    }
}

/// Whether a difference between two accounts is about a route.
pub fn is_of(route: &Route, difference: &str) -> bool {
    match &route.place {
        Place::Forward { arn } => difference.contains(arn.as_str()),
        Place::Name { zone, name, .. } => {
            let records = format!("hosted_zones.{zone}.ResourceRecordSets.{} ", name.to_ascii_lowercase());
            difference.contains(&records)
        }
    }
}

/// The listener, the rule or the record sets of a route in an account.
pub fn of_account<'a>(account: &'a Value, route: &Route) -> Vec<&'a Value> {
    match &route.place {
        Place::Forward { arn } => {
            let balancing = &account["elbv2"];
            ["listeners", "rules"].iter().filter_map(|kind| balancing[kind].get(arn)).collect()
        }
        Place::Name { zone, name, .. } => {
            let prefix = format!("{} ", name.to_ascii_lowercase());
            let records = account["route53"]["hosted_zones"][zone]["ResourceRecordSets"].as_object();
            records
                .into_iter()
                .flatten()
                .filter(|(key, _)| key.starts_with(&prefix))
                .map(|(_, record)| record)
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn route(name: &str) -> Route {
        let plan = json!({ "routes": [{ "hosted_zone_id": "Z1", "record_name": name, "records": [{ "type": "A" }] }] });
        crate::routes::routes(&plan).remove(0)
    }

    #[test]
    fn a_difference_belongs_to_the_name_that_it_names() {
        let line = "$.route53.hosted_zones.Z1.ResourceRecordSets.app.example.com A old.Weight: 100 -> 50";
        assert!(is_of(&route("App.example.com."), line));
        assert!(!is_of(&route("example.com"), line) && !is_of(&route("app.example"), line));
    }

    #[test]
    fn a_journal_tells_its_run_from_others_and_who_holds_locks() {
        let item = |pk: &str, run_id: &str| json!({ "pk": { "S": pk }, "run_id": { "S": run_id } });
        let mut mine = item("run#arn:a", "arn:a");
        mine["phase"] = json!({ "S": "stuck" });
        mine["ending"] = json!({ "S": r#"{"at":"now","report":{"ending":"Stuck"}}"# });
        let journal = Journal::of(
            &[mine, item("run#arn:b", "arn:b"), item("lock#application#x", "arn:b"), item("sweep#turn", "")],
            "arn:a",
        );
        assert_eq!((journal.phase(), journal.other_runs), (Some("stuck"), 1));
        assert_eq!(journal.ending(), Some(json!({ "ending": "Stuck" })));
        assert_eq!(journal.holders(), (["application#x"].into(), ["arn:b"].into()));
    }
}
