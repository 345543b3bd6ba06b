//! Marks on a run item: what must be remembered before it is done, so that undo knows of it.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use cutover::alarm::Alarm;
use cutover::contract::Caller;
use cutover::{StepError, StepResult};

use crate::Phase;
use crate::item::{Run, json, text};
use crate::table::{Journal, fenced};

impl Journal {
    /// Remembers that the quiesce hooks are about to run.
    ///
    /// # Errors
    /// `Cutover.Fenced` when the run is no longer the caller's; AWS errors.
    pub async fn mark_quiesced(&self, caller: &Caller) -> StepResult<()> {
        self.mark(caller, "quiesced", AttributeValue::Bool(true)).await
    }

    /// Remembers that writes are about to reach a database from which nothing flows back.
    ///
    /// # Errors
    /// As [`mark_quiesced`](Self::mark_quiesced).
    pub async fn mark_past_no_return(&self, caller: &Caller) -> StepResult<()> {
        self.mark(caller, "past_no_return", AttributeValue::Bool(true)).await
    }

    /// Remembers what an alarm was before it is set; the first memory stays.
    ///
    /// # Errors
    /// As [`mark_quiesced`](Self::mark_quiesced).
    pub async fn remember_alarm(&self, caller: &Caller, name: &str, before: Option<&Alarm>) -> StepResult<()> {
        self.mark(caller, &format!("alarm_before#{name}"), json(&before)?).await
    }

    /// Counts one more start by the sweep, and answers how many there were.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn count_sweep(&self, run_id: &str) -> StepResult<u32> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(Run::key(run_id)))
            .update_expression("ADD sweeps :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| StepError::from_aws("dynamodb:UpdateItem", &error))?;
        let sweeps = answer.attributes().and_then(|item| item.get("sweeps")).and_then(|value| value.as_n().ok());
        Ok(sweeps.and_then(|number| number.parse().ok()).unwrap_or(0))
    }

    async fn mark(&self, caller: &Caller, attribute: &str, value: AttributeValue) -> StepResult<()> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(Run::key(&caller.run_id)))
            .update_expression("SET #mark = if_not_exists(#mark, :value)")
            .condition_expression("phase = :forward AND #owner = :owner")
            .expression_attribute_names("#mark", attribute)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":value", value)
            .expression_attribute_values(":forward", text(Phase::Forward.as_str()))
            .expression_attribute_values(":owner", text(&caller.execution_arn))
            .send()
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Err(fenced(caller, "is no longer moving forward under this execution"))
            }
            Err(error) => Err(StepError::from_aws("dynamodb:UpdateItem", &error)),
        }
    }
}
