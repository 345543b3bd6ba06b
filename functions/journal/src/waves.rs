//! Waves, which `wave` alone reads and writes: how one stands is an item by its name, changed only where nobody else has changed it; what it goes by is
//! written once, beside it: its order, and each application's cutover plan.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use cutover::{StepError, StepResult};
use jiff::Timestamp;

use crate::item::{Ending, Item, Run, string, text};
use crate::table::Journal;
use crate::versioned::Versioned;
use crate::{Follow, Phase};

/// How long one is kept after its last change, by DynamoDB's time to live.
const KEPT_SECONDS: i64 = 400 * 24 * 3600;
/// So many items are read by one BatchGetItem (DynamoDB API reference).
const MOST_KEYS: usize = 100;
/// What DynamoDB leaves out of an answer is asked for again so often.
const MOST_TRIES: usize = 5;

/// What a wave sees of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSeen {
    /// Where it is.
    pub phase: Phase,
    /// The name of its ending: none before it, or where that stands in an item of its own.
    pub ending: Option<String>,
    /// Why it was first rolled back.
    pub why: Option<String>,
}

impl Journal {
    /// How a wave stands, and its version; none if there is no such.
    ///
    /// # Errors
    /// AWS errors; an item that cannot be read.
    pub async fn wave(&self, name: &str) -> StepResult<Option<(String, u64)>> {
        self.versioned(&of_wave(name)).await
    }

    /// Writes how it stands in the place of a version, or where there was none; whether it was: not where somebody else was faster. `follow`: until it is over.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn remember_wave(
        &self,
        name: &str,
        text: String,
        version: Option<u64>,
        follow: Option<&Follow>,
        now: Timestamp,
    ) -> StepResult<bool> {
        self.write_versioned(&of_wave(name), text, version, Some(now.as_second() + KEPT_SECONDS), follow).await
    }

    /// What a wave goes by, of the execution that claimed it: `part` is `order`, or an application's name.
    ///
    /// # Errors
    /// AWS errors; an item that cannot be read.
    pub async fn wave_part(&self, id: &str, part: &str) -> StepResult<Option<String>> {
        Ok(self.versioned(&of_part(id, part)).await?.map(|(text, _)| text))
    }

    /// Writes that, once: what is there already was written by an earlier try, and is the same.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn keep_wave_part(&self, id: &str, part: &str, text: String, now: Timestamp) -> StepResult<()> {
        let expires = now.as_second() + KEPT_SECONDS;
        self.write_versioned(&of_part(id, part), text, None, Some(expires), None).await.map(drop)
    }

    /// What can be seen of these runs, by their ARNs; nothing of those that the journal does not have. A hundred of them are one request, read consistently.
    ///
    /// # Errors
    /// AWS errors; an item that is not a run.
    pub async fn see(&self, run_ids: &[String]) -> StepResult<HashMap<String, RunSeen>> {
        let mut seen = HashMap::new();
        for run_ids in run_ids.chunks(MOST_KEYS) {
            for item in self.batch(run_ids).await? {
                seen.insert(string(&item, "run_id")?.to_owned(), RunSeen::from_item(&item)?);
            }
        }
        Ok(seen)
    }

    async fn batch(&self, run_ids: &[String]) -> StepResult<Vec<Item>> {
        let key = |run_id: &String| HashMap::from([("pk".to_owned(), text(Run::key(run_id)))]);
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(run_ids.iter().map(key).collect()))
            .consistent_read(true)
            .projection_expression("run_id, phase, ending, why")
            .build()
            .map_err(|error| StepError::invalid(error.to_string()))?;
        let mut left = HashMap::from([(self.table.clone(), keys)]);
        let mut items = Vec::new();
        for _ in 0..MOST_TRIES {
            let answer = self.client.batch_get_item().set_request_items(Some(left)).send().await;
            let answer = answer.map_err(|error| StepError::from_aws("dynamodb:BatchGetItem", &error))?;
            items.extend(answer.responses.unwrap_or_default().remove(&self.table).unwrap_or_default());
            left = answer.unprocessed_keys.unwrap_or_default();
            if left.is_empty() {
                return Ok(items);
            }
        }
        Err(StepError::new(
            cutover::error::name::THROTTLED,
            "dynamodb:BatchGetItem left some keys out, again and again",
        ))
    }

    /// Has a run hold its present step, or go on; whether the journal has it.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn hold(&self, run_id: &str, is_held: bool) -> StepResult<bool> {
        let update = self.client.update_item().table_name(&self.table).key("pk", text(Run::key(run_id)));
        let update = update.update_expression("SET paused = :paused").condition_expression("attribute_exists(pk)");
        let update = update.expression_attribute_values(":paused", AttributeValue::Bool(is_held));
        Ok(self.send_update(run_id, update).await?.is_some())
    }
}

impl From<&Run> for RunSeen {
    fn from(run: &Run) -> Self {
        let ending = run.ending.as_ref().and_then(Ending::name).map(str::to_owned);
        Self { phase: run.phase, ending, why: run.why.clone() }
    }
}

impl RunSeen {
    fn from_item(item: &Item) -> StepResult<Self> {
        let phase = string(item, "phase")?.parse().map_err(StepError::invalid)?;
        // What cannot be read says nothing of the phase, which is what counts.
        let ending = string(item, "ending").ok().and_then(|text| serde_json::from_str::<Ending>(text).ok());
        let ending = ending.and_then(|ending| ending.name().map(str::to_owned));
        Ok(Self { phase, ending, why: string(item, "why").ok().map(str::to_owned) })
    }
}

fn of_wave(name: &str) -> Versioned {
    Versioned { pk: format!("wave#{name}"), attribute: "wave" }
}

fn of_part(id: &str, part: &str) -> Versioned {
    Versioned { pk: format!("wave-part#{}#{part}", cutover::contract::digest(id)), attribute: "part" }
}
