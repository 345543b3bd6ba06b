//! Locks: one cutover per application and per route at a time.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem};
use cutover::error::name;
use cutover::{Plan, StepError, StepResult};
use serde_json::Value;

use crate::Phase;
use crate::item::{Item, Run, string, text};
use crate::table::Journal;

/// What the lock of an application begins with.
const APPLICATION: &str = "lock#application#";
/// A page of a scan is 1 MB (DynamoDB developer guide), and takes some tens of milliseconds: together some seconds.
const MOST_PAGES: usize = 100;

/// The keys of all locks of a plan: its application first, then its routes in order.
pub fn keys(plan: &Plan) -> Vec<String> {
    let application = format!("application#{}", plan.application);
    std::iter::once(application).chain(plan.routes.iter().map(|route| route.lock_key())).collect()
}

/// How a run stands, also one whose item cannot be read as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its application; none: it is not told.
    pub application: Option<String>,
    /// Its phase; none: it is not one of ours.
    pub phase: Option<Phase>,
    /// Whether its ending says that a person has to decide.
    pub is_held: bool,
}

impl Standing {
    fn of(item: &Item) -> Self {
        let json = |name: &str| string(item, name).ok().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let ending = json("ending").unwrap_or_default();
        Self {
            application: json("plan").and_then(|plan| plan["application"].as_str().map(str::to_owned)),
            phase: string(item, "phase").ok().and_then(|phase| phase.parse().ok()),
            is_held: ending.pointer("/report/ending").and_then(Value::as_str) == Some("Held"),
        }
    }
}

impl Journal {
    /// Who holds these locks: `run_id` by key. In this journal, and, of routes, in the table that stacks share.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn lock_holders(&self, keys: &[String]) -> StepResult<BTreeMap<String, String>> {
        let mut holders = BTreeMap::new();
        if let Some(shared) = &self.shared_locks {
            let of_routes: Vec<&String> = keys.iter().filter(|key| is_shared(key)).collect();
            holders.extend(self.holders_in(shared, &of_routes).await?);
        }
        holders.extend(self.holders_in(&self.table, &keys.iter().collect::<Vec<_>>()).await?);
        Ok(holders)
    }

    async fn holders_in(&self, table: &str, keys: &[&String]) -> StepResult<BTreeMap<String, String>> {
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let key = |key: &&String| Item::from([("pk".to_owned(), text(format!("lock#{key}")))]);
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(keys.iter().map(key).collect()))
            .consistent_read(true)
            .build()
            .map_err(|error| StepError::invalid(error.to_string()))?;
        let answer = self.client.batch_get_item().request_items(table, wanted).send().await;
        let answer = answer.map_err(|error| StepError::from_aws("dynamodb:BatchGetItem", &error))?;
        if answer.unprocessed_keys().is_some_and(|keys| !keys.is_empty()) {
            return Err(StepError::new(name::THROTTLED, "dynamodb:BatchGetItem: keys left unprocessed"));
        }
        let items = answer.responses().and_then(|tables| tables.get(table)).into_iter().flatten();
        items
            .map(|item| {
                let key = string(item, "pk")?.trim_start_matches("lock#").to_owned();
                Ok((key, string(item, "run_id")?.to_owned()))
            })
            .collect()
    }

    /// How the holder of a lock stands, as far as its item tells; none where it has none.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn standing(&self, run_id: &str) -> StepResult<Option<Standing>> {
        Ok(self.get(Run::key(run_id)).await?.map(|item| Standing::of(&item)))
    }

    /// The applications that runs hold, in the order of their names, by a look at the whole table: for a person who has named
    /// another one.
    ///
    /// # Errors
    /// AWS errors; `Cutover.Refused` for a table that is too large for that.
    pub async fn held_applications(&self) -> StepResult<Vec<String>> {
        let mut pages = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("begins_with(pk, :lock)")
            .projection_expression("pk")
            .expression_attribute_values(":lock", text(APPLICATION))
            .into_paginator()
            .send();
        let mut applications = Vec::new();
        for _ in 0..MOST_PAGES {
            let Some(page) = pages.next().await else {
                applications.sort();
                return Ok(applications);
            };
            let page = page.map_err(|error| StepError::from_aws("dynamodb:Scan", &error))?;
            let keys = page.items().iter().filter_map(|item| string(item, "pk").ok()?.strip_prefix(APPLICATION));
            applications.extend(keys.map(str::to_owned));
        }
        Err(StepError::new(name::REFUSED, "the journal is too large to be looked through for a name"))
    }

    /// The tables that a lock is written to. What was locked before the stacks shared a table is let go of all the same.
    fn tables_of(&self, key: &str) -> impl Iterator<Item = &String> {
        std::iter::once(&self.table).chain(self.shared_locks.as_ref().filter(|_| is_shared(key)))
    }

    pub(crate) fn put_lock(&self, key: &str, run_id: &str) -> StepResult<Vec<TransactWriteItem>> {
        let put = |table: &String| {
            let put =
                Put::builder().table_name(table).item("pk", text(format!("lock#{key}"))).item("run_id", text(run_id));
            let put = put.condition_expression("attribute_not_exists(pk)").build();
            put.map(|put| TransactWriteItem::builder().put(put).build())
        };
        let puts = self.tables_of(key).map(put).collect::<Result<_, _>>();
        puts.map_err(|error| StepError::invalid(error.to_string()))
    }

    /// Deletes a lock if this run holds it; a lock that is gone is fine: the release happens twice at times.
    pub(crate) fn delete_lock(&self, key: &str, run_id: &str) -> StepResult<Vec<TransactWriteItem>> {
        let delete = |table: &String| {
            let delete = Delete::builder()
                .table_name(table)
                .key("pk", text(format!("lock#{key}")))
                .condition_expression("attribute_not_exists(pk) OR run_id = :run_id")
                .expression_attribute_values(":run_id", AttributeValue::S(run_id.to_owned()))
                .build();
            delete.map(|delete| TransactWriteItem::builder().delete(delete).build())
        };
        let deletes = self.tables_of(key).map(delete).collect::<Result<_, _>>();
        deletes.map_err(|error| StepError::invalid(error.to_string()))
    }
}

/// Applications are called as their team likes, so two stacks may have one name; a route is one thing.
fn is_shared(key: &str) -> bool {
    !key.starts_with("application#")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stacks_share_the_locks_of_routes_and_not_those_of_applications() {
        assert!(is_shared("listener#arn") && is_shared("record#Z1#a.example.com."));
        assert!(!is_shared("application#shop"));
    }

    #[test]
    fn the_application_and_each_of_its_routes_has_a_lock() {
        let listener = |arn: &str| {
            json!({ "type": "listener", "listener_arn": arn, "old_target_group_arn": "old", "new_target_group_arn": "new",
                "steps": [] })
        };
        let name = json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com", "records": [], "steps": [] });
        let plan = json!({ "application": "shop", "routes": [listener("one"), name, listener("two")] });
        let keys = keys(&serde_json::from_value(plan).unwrap());
        assert_eq!(keys.len(), 4, "{keys:?}");
        assert_eq!(
            (keys[0].as_str(), keys[1].as_str(), keys[3].as_str()),
            ("application#shop", "listener#one", "listener#two")
        );
        assert!(keys[2].starts_with("record#Z1#a.example.com"), "{keys:?}");
    }
}
