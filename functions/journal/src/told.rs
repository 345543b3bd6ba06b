//! What was told of a moment of a run: an item beside the run's, which `tell` alone reads and writes.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use cutover::error::name;
use cutover::{StepError, StepResult};
use jiff::Timestamp;

use crate::table::Journal;

/// How long it is kept, by DynamoDB's time to live: as long as an execution's history.
const KEPT_SECONDS: i64 = 90 * 24 * 3600;

impl Journal {
    /// What is remembered of a moment, and its version; none if nothing is.
    ///
    /// # Errors
    /// AWS errors; an item that cannot be read.
    pub async fn told(&self, moment: &str) -> StepResult<Option<(String, u64)>> {
        let pk = pk(moment);
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = get.key("pk", AttributeValue::S(pk.clone())).send().await;
        let answer = answer.map_err(|error| StepError::from_aws(&format!("dynamodb:GetItem {pk}"), &error))?;
        let Some(item) = answer.item else { return Ok(None) };
        let text = item.get("messages").and_then(|value| value.as_s().ok().cloned());
        let version = item.get("version").and_then(|value| value.as_n().ok()?.parse().ok());
        let read = text.zip(version);
        read.map(Some).ok_or_else(|| StepError::new(name::REFUSED, format!("{pk}: the item cannot be read")))
    }

    /// Writes it in the place of a version, or where there was none; whether it was: not where somebody else was faster.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn remember_told(
        &self,
        moment: &str,
        text: String,
        version: Option<u64>,
        now: Timestamp,
    ) -> StepResult<bool> {
        let pk = pk(moment);
        let number = |number: i128| AttributeValue::N(number.to_string());
        let put = self.client.put_item().table_name(&self.table);
        let put = put.item("pk", AttributeValue::S(pk.clone())).item("messages", AttributeValue::S(text));
        let put = put.item("version", number(i128::from(version.unwrap_or(0)) + 1));
        let put = put.item("expires", number(i128::from(now.as_second() + KEPT_SECONDS)));
        let put = match version {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(version) => put
                .condition_expression("#version = :version")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", number(i128::from(version))),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(StepError::from_aws(&format!("dynamodb:PutItem {pk}"), &error)),
        }
    }
}

fn pk(moment: &str) -> String {
    format!("told#{moment}")
}
