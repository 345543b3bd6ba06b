//! How many messages go to one place in a second, counted for all who send: an item a place and second, of which nobody hears again.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use cutover::contract::digest;
use cutover::{StepError, StepResult};

use crate::table::Journal;

/// How long a count is kept, by DynamoDB's time to live.
const KEPT_SECONDS: i64 = 3600;

impl Journal {
    /// Counts one more message to a place in a second (since 1970), where fewer than `most` were; whether it was counted.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn count_sent(&self, place: &str, second: i64, most: u32) -> StepResult<bool> {
        let pk = format!("pace#{}#{second}", digest(place));
        let number = |number: i64| AttributeValue::N(number.to_string());
        let update = self.client.update_item().table_name(&self.table).key("pk", AttributeValue::S(pk.clone()));
        let update = update
            .update_expression("SET expires = :expires ADD #sent :one")
            .condition_expression("attribute_not_exists(#sent) OR #sent < :most")
            .expression_attribute_names("#sent", "sent")
            .expression_attribute_values(":expires", number(second.saturating_add(KEPT_SECONDS)))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(i64::from(most)));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(StepError::from_aws(&format!("dynamodb:UpdateItem {pk}"), &error)),
        }
    }
}
