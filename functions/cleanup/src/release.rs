//! The release of a run as it is: a person has put things right. It works on any run, whatever is in its item.

use cutover::budget::MOST_REASON_BYTES;
use cutover::error::name;
use cutover::text::shown;
use cutover::{StepError, StepResult, gestures};
use jiff::Timestamp;
use journal::{Ending, Journal, Owed};
use serde_json::{Value, json};

use crate::{FindReply, Input};

/// What a person reads who has named a run that there is not: which there are, as far as that can be seen.
pub(crate) async fn nobody_knows(journal: &Journal, named: &str) -> StepError {
    let held = journal.held_applications().await.ok();
    gestures::no_such_run(named, held.as_deref())
}

/// Closes the run, and deletes its locks. An earlier try whose answer was lost has done so.
pub(crate) async fn release(
    journal: &Journal,
    me: &str,
    input: &Input,
    who: &str,
    now: Timestamp,
) -> StepResult<FindReply> {
    gestures::said("release", who)?;
    let (run_id, application) = (input.run_id.as_deref(), input.application.as_deref());
    let Some(owed) = journal.owed(run_id, application).await? else {
        return Err(nobody_knows(journal, application.or(run_id).unwrap_or_default()).await);
    };
    let is_done = owed.phase() == "closed" && owed.owner() == me;
    if let Some(reason) = owed.not_released().filter(|_| !is_done) {
        return Err(StepError::new(name::INVALID_GESTURE, format!("{reason}, and nothing was done")));
    }
    if !is_done {
        let ending = Ending { at: now.to_string(), report: report(&owed, who) };
        journal.release(&owed, me, &ending).await?;
    }
    Ok(reply(&owed, input, who))
}

/// What was left, as far as it can be read.
fn report(owed: &Owed, who: &str) -> Value {
    let was = match &owed.run {
        Ok(run) => run.ending.as_ref().map_or(Value::Null, |ending| ending.report.clone()),
        Err(error) => json!(format!("in phase `{}`, and not to be read: {error}", shown(owed.phase(), 100))),
    };
    json!({ "ending": "Released", "by": shown(who, MOST_REASON_BYTES), "was": was })
}

fn reply(owed: &Owed, input: &Input, who: &str) -> FindReply {
    let told = owed.told();
    let application = told.application.or_else(|| input.application.clone());
    FindReply {
        released: true,
        by: Some(shown(who, MOST_REASON_BYTES)),
        left: left(owed),
        run_id: owed.run_id.clone(),
        application: application.unwrap_or_else(|| "an application that is not known".to_owned()),
        topic_arn: told.topic_arn,
        ..FindReply::default()
    }
}

/// Of a run that can be read, what its ending says was not put back.
fn left(owed: &Owed) -> Vec<Value> {
    let ending = owed.run.as_ref().ok().and_then(|run| run.ending.as_ref());
    let things = ending.and_then(|ending| ending.report["routes"].as_array()).into_iter().flatten();
    things.filter(|thing| thing["restored"] != true).cloned().collect()
}
