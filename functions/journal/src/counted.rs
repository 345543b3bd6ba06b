//! What the sequential tests of a run have counted: one text of the run item, whose form is the monitor's own. The journal only keeps it, so that
//! a rollback reads a run whatever stands there.

use aws_sdk_dynamodb::types::AttributeValue;
use cutover::budget::MOST_COUNTED_BYTES;
use cutover::contract::Caller;
use cutover::error::name;
use cutover::{StepError, StepResult};

use crate::item::{COUNTED, Run, TIMES_COUNTED, text};
use crate::marks::{MINE, no_longer_mine};
use crate::table::Journal;

impl Journal {
    /// Remembers what was counted, unless somebody has since `run` was read: then it answers false, nothing is written, and the caller reads
    /// and counts again. So of two looks at once each period counts once.
    ///
    /// # Errors
    /// `Cutover.Fenced` when the run is no longer the caller's; `Cutover.Refused` beyond the budget; AWS errors.
    pub async fn remember_counted(&self, caller: &Caller, run: &Run, counted: &str) -> StepResult<bool> {
        if counted.len() > MOST_COUNTED_BYTES {
            let problem = format!(
                "the tests of the run's metrics have {} bytes, and the journal has {MOST_COUNTED_BYTES}",
                counted.len()
            );
            return Err(StepError::new(name::REFUSED, problem));
        }
        // The number of the writes never goes to an item of its own, as the text may.
        let as_read = if run.times_counted == 0 { "attribute_not_exists(#times)" } else { "#times = :times" };
        let number = |times: u32| AttributeValue::N(times.to_string());
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(Run::key(&caller.run_id)))
            .update_expression("SET #counted = :counted, #times = :next")
            .condition_expression(format!("{MINE} AND {as_read}"))
            .expression_attribute_names("#counted", COUNTED)
            .expression_attribute_names("#times", TIMES_COUNTED)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":counted", text(counted))
            .expression_attribute_values(":next", number(run.times_counted.saturating_add(1)))
            .expression_attribute_values(":phase", text(run.phase.as_str()))
            .expression_attribute_values(":owner", text(&caller.execution_arn));
        if run.times_counted > 0 {
            update = update.expression_attribute_values(":times", number(run.times_counted));
        }
        if self.send_update(&caller.run_id, update).await?.is_some() {
            return Ok(true);
        }
        match self.read(&caller.run_id).await? {
            Some(now) if now.phase == run.phase && now.owner == caller.execution_arn => Ok(false),
            _ => Err(no_longer_mine(caller)),
        }
    }
}
