//! Marks on a run item: what must be remembered before it is done, so that undo knows of it.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, TransactWriteItem, Update};
use cutover::alarm::Alarm;
use cutover::budget::{MOST_ALARM_BYTES, MOST_ALARM_BYTES_OF_RUN, json_bytes};
use cutover::contract::Caller;
use cutover::error::name;
use cutover::{StepError, StepResult};

use crate::Phase;
use crate::item::{ALARM_BEFORE, Run, json, text};
use crate::room::Sent;
use crate::table::{Journal, fenced};

/// The condition of every mark.
pub(crate) const MINE: &str = "phase = :phase AND #owner = :owner";

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

    /// Remembers how the old side served; the first memory stays.
    ///
    /// # Errors
    /// As [`mark_quiesced`](Self::mark_quiesced).
    pub async fn remember_baseline(&self, caller: &Caller, baseline: &serde_json::Value) -> StepResult<()> {
        self.mark(caller, "baseline", json(baseline)?).await
    }

    /// Remembers where the run's report is, whosever the run is: the newest address stays. An item that is full gets no room for it.
    ///
    /// # Errors
    /// AWS errors; `Cutover.Refused` where there is no such run, or no room.
    pub async fn remember_report(&self, run_id: &str, link: &str) -> StepResult<()> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(Run::key(run_id)))
            .update_expression("SET report = :link")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":link", text(link));
        let sent = update.send().await;
        sent.map(drop).map_err(|error| StepError::from_aws("dynamodb:UpdateItem", &error))
    }

    /// Remembers what an alarm was before it is set; the first memory stays. Where the run's item has no room for it in its
    /// budget, in an item of its own, in the same transaction.
    ///
    /// # Errors
    /// `Cutover.Refused` where it is too large to be remembered, which precheck finds; otherwise as
    /// [`mark_quiesced`](Self::mark_quiesced).
    pub async fn remember_alarm(
        &self,
        caller: &Caller,
        run: &Run,
        name: &str,
        before: Option<&Alarm>,
    ) -> StepResult<()> {
        let attribute = format!("{ALARM_BEFORE}{name}");
        match place(run, name, json_bytes(&before)) {
            Place::OfRun => self.mark(caller, &attribute, json(&before)?).await,
            Place::Beside => self.mark_beside(caller, &attribute, json(&before)?).await,
            Place::None => Err(StepError::new(
                name::REFUSED,
                format!("the alarm {name} has more settings than a run remembers: it could not be put back"),
            )),
        }
    }

    async fn mark_beside(&self, caller: &Caller, attribute: &str, value: AttributeValue) -> StepResult<()> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(Run::key(&caller.run_id)))
            .update_expression("ADD beside :name")
            .condition_expression(MINE)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":name", AttributeValue::Ss(vec![attribute.to_owned()]))
            .expression_attribute_values(":phase", text(Phase::Forward.as_str()))
            .expression_attribute_values(":owner", text(&caller.execution_arn))
            .build()
            .map_err(|error| StepError::invalid(error.to_string()))?;
        let part = self.put_part(&caller.run_id, attribute, value, Some("attribute_not_exists(pk)"))?;
        let writes = vec![TransactWriteItem::builder().update(update).build(), part];
        match self.send(&caller.run_id, writes).await? {
            Sent::Written => Ok(()),
            Sent::Lost(places) if places.contains(&0) => Err(no_longer_mine(caller)),
            // An earlier try has remembered it, and its answer was lost.
            Sent::Lost(_) => Ok(()),
        }
    }

    /// Counts one more sweep that found nobody at the run, and answers how many there were.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn count_sweep(&self, run_id: &str) -> StepResult<u32> {
        self.count(run_id, "sweeps").await
    }

    /// Counts one more trouble of the sweep with a run, whatever is in its item, and answers how many there were.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn count_trouble(&self, run_id: &str) -> StepResult<u32> {
        self.count(run_id, "troubles").await
    }

    async fn count(&self, run_id: &str, attribute: &str) -> StepResult<u32> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(Run::key(run_id)))
            .update_expression("ADD #count :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#count", attribute)
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .return_values(ReturnValue::UpdatedNew);
        let answer = self.send_update(run_id, update).await?;
        let counted = answer.as_ref().and_then(|answer| answer.attributes()?.get(attribute)?.as_n().ok());
        Ok(counted.and_then(|number| number.parse().ok()).unwrap_or(0))
    }

    async fn mark(&self, caller: &Caller, attribute: &str, value: AttributeValue) -> StepResult<()> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(Run::key(&caller.run_id)))
            .update_expression("SET #mark = if_not_exists(#mark, :value)")
            .condition_expression(MINE)
            .expression_attribute_names("#mark", attribute)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":value", value)
            .expression_attribute_values(":phase", text(Phase::Forward.as_str()))
            .expression_attribute_values(":owner", text(&caller.execution_arn));
        let written = self.send_update(&caller.run_id, update).await?;
        written.map(drop).ok_or_else(|| no_longer_mine(caller))
    }
}

pub(crate) fn no_longer_mine(caller: &Caller) -> StepError {
    fenced(caller, "is no longer moving forward under this execution")
}

/// Where an alarm's memory goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The run's own item.
    OfRun,
    /// An item of its own.
    Beside,
    /// Nowhere.
    None,
}

/// Pure. One that is remembered already is asked for again where it is.
fn place(run: &Run, name: &str, bytes: usize) -> Place {
    let attribute = |name: &str| format!("{ALARM_BEFORE}{name}");
    let of_run = run.alarms_before.iter().filter(|(name, _)| !run.beside.contains(&attribute(name)));
    let taken: usize = of_run.map(|(name, before)| name.len() + json_bytes(before)).sum();
    match bytes {
        _ if run.beside.contains(&attribute(name)) => Place::Beside,
        _ if run.alarms_before.contains_key(name) => Place::OfRun,
        bytes if bytes > MOST_ALARM_BYTES => Place::None,
        bytes if taken + name.len() + bytes > MOST_ALARM_BYTES_OF_RUN => Place::Beside,
        _ => Place::OfRun,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_runs_item_has_no_room_for_gets_an_item_of_its_own() {
        let plan = serde_json::from_value(json!({ "application": "shop", "routes": [] })).unwrap();
        let caller = Caller { run_id: "run".to_owned(), execution_arn: "me".to_owned(), state: String::new() };
        let mut run = Run::claimed(&caller, plan, vec![], jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(place(&run, "a", 4), Place::OfRun);
        assert_eq!(place(&run, "a", MOST_ALARM_BYTES), Place::Beside, "with its name it is more");
        assert_eq!(place(&run, "a", MOST_ALARM_BYTES + 1), Place::None);
        let large = Alarm { alarm_description: Some("x".repeat(MOST_ALARM_BYTES_OF_RUN - 1_000)), ..Alarm::default() };
        run.alarms_before.insert("large".to_owned(), Some(large));
        assert_eq!(place(&run, "a", 500), Place::OfRun);
        assert_eq!(place(&run, "a", 5_000), Place::Beside);
        assert_eq!(place(&run, "large", 60_000), Place::OfRun, "it is there already");
        run.beside.insert("alarm_before#large".to_owned());
        assert_eq!(place(&run, "a", 5_000), Place::OfRun, "what stands beside takes no room");
        assert_eq!(place(&run, "large", 5), Place::Beside);
    }
}
