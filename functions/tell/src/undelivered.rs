//! Which messages of a run were not delivered, for its summary. Whatever becomes of that record changes nothing of the telling.

use cutover::StepResult;
use cutover::plan::Moment;
use cutover::told::Told;
use cutover::undelivered::{Missed, Undelivered};
use jiff::Timestamp;
use journal::Journal;

use crate::addressee;
use crate::decide::Outcome;

/// Calls that meet read again so often.
const MOST_TRIES: usize = 5;

/// Writes down what came of a run's messages. `was_tried`: one of them was before, and may be in the record.
pub(crate) async fn remember(
    journal: &Journal,
    told: &Told,
    moment: Moment,
    outcomes: &[(String, Outcome)],
    was_tried: bool,
    now: Timestamp,
) {
    let is_all_well = !was_tried && outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Sent);
    if is_all_well || !told.is_of_run() {
        return;
    }
    let run_id = &told.run_id;
    match write(journal, told, moment, outcomes, now).await {
        Ok(true) => {}
        Ok(false) => tracing::error!(run_id, "the run's summary misses this: its record is changed all the time"),
        Err(error) => {
            tracing::error!(run_id, error = error.name, "the run's summary misses this: {}", error.message);
        }
    }
}

async fn write(
    journal: &Journal,
    told: &Told,
    moment: Moment,
    outcomes: &[(String, Outcome)],
    now: Timestamp,
) -> StepResult<bool> {
    for _ in 0..MOST_TRIES {
        let (before, version) = journal.undelivered(&told.run_id).await?;
        let after = with(before.clone(), told, moment, outcomes);
        if after == before || journal.remember_undelivered(&told.run_id, &after, version, now).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The record with what came of these.
fn with(mut record: Undelivered, told: &Told, moment: Moment, outcomes: &[(String, Outcome)]) -> Undelivered {
    for (key, outcome) in outcomes {
        let message = format!("{}#{} {key}", told.event, told.at);
        let (group, channel) = addressee(key);
        match outcome.why() {
            None => record.sent(&message),
            Some(why) => {
                let (group, channel, why) = (group.to_owned(), channel.to_owned(), why.to_owned());
                record.missed(message, Missed { moment, group, channel, why });
            }
        }
    }
    record
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fails_is_in_the_record_until_it_is_sent() {
        let told = json!({ "run_id": "r", "application": "shop", "event": "started", "at": "2026-11-26T21:40:00Z" });
        let told: Told = serde_json::from_value(told).unwrap();
        let outcomes =
            |second: Outcome| [("board/mail.0".to_owned(), Outcome::Sent), ("a/b/webhook.1".to_owned(), second)];
        let why = "the webhook answered 500".to_owned();
        let record = with(Undelivered::default(), &told, Moment::Started, &outcomes(Outcome::Unknown { why }));
        assert_eq!(record.lines(), ["not delivered to a/b by webhook: started: the webhook answered 500"]);
        assert_eq!(with(record, &told, Moment::Started, &outcomes(Outcome::Sent)), Undelivered::default());
    }
}
