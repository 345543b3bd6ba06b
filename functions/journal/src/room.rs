//! Room in a run's item: DynamoDB refuses to write one of more than 400 KB, whatever the write is. Then nothing could end the
//! run. So the largest of its attributes goes to an item of its own, and the write is sent again.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use cutover::error::name;
use cutover::{StepError, StepResult};

use crate::item::{BESIDE, Item, Run, beside, text};
use crate::table::Journal;

/// What the journal, its indexes and every function need at hand, and what each ending replaces.
const STAY: [&str; 9] = ["pk", "run_id", "application", "phase", "owner", "open", "ending", "started_at", BESIDE];
/// Less than this makes no room worth a write.
const LEAST_BYTES: usize = 1_024;
/// So many attributes are moved for one write at the most.
const MOST_MOVES: u32 = 4;
/// How DynamoDB says that an item has no room: of a put, and of an update ("Item size to update has exceeded ...").
const TOO_LARGE: &str = "exceeded the maximum allowed size";

/// What came of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// All of it was written.
    Written,
    /// Nothing was: the conditions of these writes do not hold.
    Lost(Vec<usize>),
}

impl Journal {
    /// Sends a transaction about a run. Where the run's item is full, room is made first.
    ///
    /// # Errors
    /// AWS errors. A throttled or conflicting transaction is not a condition that was lost.
    pub(crate) async fn send(&self, run_id: &str, writes: Vec<TransactWriteItem>) -> StepResult<Sent> {
        for _ in 0..=MOST_MOVES {
            let request = self.client.transact_write_items().set_transact_items(Some(writes.clone()));
            let Err(error) = request.send().await else { return Ok(Sent::Written) };
            let lost = lost_conditions(error.as_service_error());
            if !lost.is_empty() {
                return Ok(Sent::Lost(lost));
            }
            if !is_too_large(error.as_service_error()) {
                return Err(cancelled_for(&error));
            }
            if !self.make_room(run_id).await? {
                break;
            }
        }
        Err(full(run_id))
    }

    /// Sends an update of a run's item, the same way. `None`: its condition does not hold.
    ///
    /// # Errors
    /// AWS errors.
    pub(crate) async fn send_update(
        &self,
        run_id: &str,
        update: UpdateItemFluentBuilder,
    ) -> StepResult<Option<UpdateItemOutput>> {
        for _ in 0..=MOST_MOVES {
            let error = match update.clone().send().await {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => error,
            };
            let service_error = error.as_service_error();
            if service_error.is_some_and(UpdateItemError::is_conditional_check_failed_exception) {
                return Ok(None);
            }
            if !service_error.and_then(|error| error.meta().message()).is_some_and(says_too_large) {
                return Err(StepError::from_aws("dynamodb:UpdateItem", &error));
            }
            if !self.make_room(run_id).await? {
                break;
            }
        }
        Err(full(run_id))
    }

    /// Moves the largest attribute of a run's item to an item of its own, if it is as it was read. False: there is none that
    /// would make room.
    async fn make_room(&self, run_id: &str) -> StepResult<bool> {
        let Some(item) = self.get(Run::key(run_id)).await? else { return Ok(false) };
        let Some(attribute) = largest(&item) else { return Ok(false) };
        let Some(value) = item.get(&attribute).cloned() else { return Ok(false) };
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(Run::key(run_id)))
            .update_expression("ADD beside :name REMOVE #moved")
            .condition_expression("#moved = :value")
            .expression_attribute_names("#moved", &attribute)
            .expression_attribute_values(":name", AttributeValue::Ss(vec![attribute.clone()]))
            .expression_attribute_values(":value", value.clone())
            .build()
            .map_err(|error| StepError::invalid(error.to_string()))?;
        let part = self.put_part(run_id, &attribute, value, None)?;
        let writes = vec![TransactWriteItem::builder().update(update).build(), part];
        let result = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        match result {
            Ok(_) => Ok(true),
            // Somebody else has changed it meanwhile: the write itself tells whether there is room now.
            Err(error) if !lost_conditions(error.as_service_error()).is_empty() => Ok(true),
            Err(error) => Err(cancelled_for(&error)),
        }
    }

    /// An item for one attribute of a run.
    pub(crate) fn put_part(
        &self,
        run_id: &str,
        attribute: &str,
        value: AttributeValue,
        condition: Option<&str>,
    ) -> StepResult<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .item("pk", text(part_key(run_id, attribute)))
            .item("run_id", text(run_id))
            .item("attribute", text(attribute))
            .item("value", value)
            .set_condition_expression(condition.map(str::to_owned))
            .build()
            .map_err(|error| StepError::invalid(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A run's item with the attributes that stand beside it. What the item itself has is newer.
    ///
    /// # Errors
    /// A part that is named and not there; AWS errors.
    pub(crate) async fn whole(&self, run_id: &str, mut item: Item) -> StepResult<Item> {
        for attribute in beside(&item) {
            if item.contains_key(&attribute) {
                continue;
            }
            let part = self.get(part_key(run_id, &attribute)).await?;
            let value = part.and_then(|mut part| part.remove("value"));
            let missing =
                || StepError::invalid(format!("run#{run_id}: `{attribute}`, which stands beside it, is gone"));
            item.insert(attribute.clone(), value.ok_or_else(missing)?);
        }
        Ok(item)
    }
}

fn part_key(run_id: &str, attribute: &str) -> String {
    format!("part#{run_id}#{attribute}")
}

/// The largest attribute that may stand elsewhere. Pure.
fn largest(item: &Item) -> Option<String> {
    let movable = item.iter().filter(|(name, _)| !STAY.contains(&name.as_str()));
    let (name, bytes) = movable.map(|(name, value)| (name, bytes(value))).max_by_key(|(_, bytes)| *bytes)?;
    (bytes >= LEAST_BYTES).then(|| name.clone())
}

/// About what DynamoDB counts (developer guide, item sizes).
fn bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::Ss(texts) | AttributeValue::Ns(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(|blob| blob.as_ref().len()).sum(),
        AttributeValue::L(values) => values.iter().map(bytes).sum(),
        AttributeValue::M(fields) => fields.iter().map(|(name, value)| name.len() + bytes(value)).sum(),
        _ => 1,
    }
}

fn full(run_id: &str) -> StepError {
    let problem = format!("run#{run_id} is full (DynamoDB takes 400 KB), and nothing in it can be put elsewhere");
    StepError::new(name::REFUSED, problem)
}

fn says_too_large(message: &str) -> bool {
    message.contains(TOO_LARGE)
}

fn is_too_large(error: Option<&TransactWriteItemsError>) -> bool {
    match error {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let messages = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.message());
            messages.into_iter().any(says_too_large)
        }
        Some(other) => other.meta().message().is_some_and(says_too_large),
        None => false,
    }
}

/// The places of the writes whose conditions do not hold.
fn lost_conditions(error: Option<&TransactWriteItemsError>) -> Vec<usize> {
    let lost = reasons(error).into_iter().enumerate().filter(|(_, code)| *code == "ConditionalCheckFailed");
    lost.map(|(place, _)| place).collect()
}

/// Why each write of a cancelled transaction was refused, by DynamoDB's codes.
fn reasons(error: Option<&TransactWriteItemsError>) -> Vec<&str> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error else { return vec![] };
    cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect()
}

/// A cancelled transaction that lost no condition was refused for its content, throttled, or met another one: it may pass
/// later.
fn cancelled_for(error: &SdkError<TransactWriteItemsError, aws_sdk_dynamodb::config::http::HttpResponse>) -> StepError {
    let reasons = reasons(error.as_service_error());
    let Some(other) = reasons.iter().find(|code| **code != "None") else {
        return StepError::from_aws("dynamodb:TransactWriteItems", error);
    };
    let name = match *other {
        code if code.contains("Throttl") || code.contains("Throughput") => name::THROTTLED,
        "ValidationError" => name::REFUSED,
        _ => name::TRANSIENT,
    };
    StepError::new(name, format!("dynamodb:TransactWriteItems was cancelled: {}", reasons.join(", ")))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::CancellationReason;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;

    use super::*;

    fn cancelled(reasons: &[(&str, &str)]) -> TransactWriteItemsError {
        let reason =
            |(code, message): &(&str, &str)| CancellationReason::builder().code(*code).message(*message).build();
        let cancelled = TransactionCanceledException::builder();
        let cancelled = cancelled.set_cancellation_reasons(Some(reasons.iter().map(reason).collect()));
        TransactWriteItemsError::TransactionCanceledException(cancelled.build())
    }

    #[test]
    fn the_largest_part_goes_and_what_everybody_needs_stays() {
        let long = |bytes: usize| text("x".repeat(bytes));
        let mut item = Item::from(STAY.map(|name| (name.to_owned(), long(300_000))));
        assert_eq!(largest(&item), None);
        item.insert("before".to_owned(), long(1_000));
        assert_eq!(largest(&item), None, "it would make no room");
        item.insert("plan".to_owned(), long(60_000));
        item.insert("alarm_before#a".to_owned(), long(70_000));
        assert_eq!(largest(&item).as_deref(), Some("alarm_before#a"));
        let of_another_version =
            AttributeValue::L(vec![AttributeValue::M(Item::from([("a".to_owned(), long(80_000))]))]);
        item.insert("added_later".to_owned(), of_another_version);
        assert_eq!(largest(&item).as_deref(), Some("added_later"));
    }

    #[test]
    fn a_full_item_is_told_from_a_lost_condition() {
        let update = ("ValidationError", "Item size to update has exceeded the maximum allowed size");
        let put = ("ValidationError", "Item size has exceeded the maximum allowed size");
        for full in [update, put] {
            let error = cancelled(&[full, ("None", "")]);
            assert!(is_too_large(Some(&error)) && lost_conditions(Some(&error)).is_empty());
        }
        let error = cancelled(&[("None", ""), ("ConditionalCheckFailed", "The conditional request failed")]);
        assert!(!is_too_large(Some(&error)));
        assert_eq!(lost_conditions(Some(&error)), [1]);
    }
}
