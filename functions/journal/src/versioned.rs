//! Items that are one text and its version: changed only where nobody else has changed them since.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use cutover::error::name;
use cutover::{StepError, StepResult};

use crate::followed::{Follow, OPEN};
use crate::table::Journal;

/// Which item, and which of its attributes is the text.
pub(crate) struct Versioned {
    pub(crate) pk: String,
    pub(crate) attribute: &'static str,
}

impl Journal {
    /// The text and its version; none if there is no such item.
    pub(crate) async fn versioned(&self, item: &Versioned) -> StepResult<Option<(String, u64)>> {
        let Versioned { pk, attribute } = item;
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = get.key("pk", AttributeValue::S(pk.clone())).send().await;
        let answer = answer.map_err(|error| StepError::from_aws(&format!("dynamodb:GetItem {pk}"), &error))?;
        let Some(found) = answer.item else { return Ok(None) };
        let text = found.get(*attribute).and_then(|value| value.as_s().ok().cloned());
        let version = found.get("version").and_then(|value| value.as_n().ok()?.parse().ok());
        let read = text.zip(version);
        read.map(Some).ok_or_else(|| StepError::new(name::REFUSED, format!("{pk}: the item cannot be read")))
    }

    /// Writes it in the place of a version, or where there was none; whether it was. `expires`: epoch seconds, of DynamoDB's time to live. `follow`: while
    /// an execution has to bring it to its end.
    pub(crate) async fn write_versioned(
        &self,
        item: &Versioned,
        text: String,
        version: Option<u64>,
        expires: Option<i64>,
        follow: Option<&Follow>,
    ) -> StepResult<bool> {
        let Versioned { pk, attribute } = item;
        let number = |number: i128| AttributeValue::N(number.to_string());
        let put = self.client.put_item().table_name(&self.table);
        let put = put.item("pk", AttributeValue::S(pk.clone())).item(*attribute, AttributeValue::S(text));
        let put = put.item("version", number(i128::from(version.unwrap_or(0)) + 1));
        let put = match expires {
            Some(expires) => put.item("expires", number(i128::from(expires))),
            None => put,
        };
        let put = match follow {
            Some(Follow { owner, input }) => put
                .item("open", AttributeValue::S(OPEN.to_owned()))
                .item("owner", AttributeValue::S(owner.clone()))
                .item("next_input", AttributeValue::S(input.to_string())),
            None => put,
        };
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
