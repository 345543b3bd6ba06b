//! The link that answers, for the groups that may.

use std::time::Duration;

use cutover::ask::Question;
use cutover::plan::Group;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use links::Link;
use messages::Told;

use crate::Clients;

/// A message may not wait for longer: this function's time-out is 30 s.
const LONGEST: Duration = Duration::from_secs(5);

/// The pages that answer.
#[derive(Clone, Debug)]
pub struct Pages {
    /// The secret with the key that signs links.
    pub key_arn: String,
    /// The address of the pages.
    pub url: String,
    /// The key, once it was read.
    pub key: links::key::Kept,
}

/// A group's link; none where it may not answer, nothing is asked, no page answers, or it could not be made.
pub(crate) async fn link(clients: &Clients, told: &Told, group: &Group, now: Timestamp) -> Option<String> {
    let (pages, ask) = (clients.pages.as_ref()?, told.ask.as_deref()?);
    if !group.may_answer {
        return None;
    }
    let made = tokio::time::timeout(LONGEST, make(clients, pages, ask, group, now)).await;
    let why = match made {
        Ok(Ok(link)) => return Some(link),
        Ok(Err(error)) => error.message,
        Err(_) => format!("that took more than {} s", LONGEST.as_secs()),
    };
    tracing::error!(run_id = told.run_id, group = group.name, "the message has no link that answers: {why}");
    None
}

async fn make(clients: &Clients, pages: &Pages, ask: &str, group: &Group, now: Timestamp) -> StepResult<String> {
    let journal = &clients.journal;
    let key = links::key::current(&clients.secrets, &pages.key_arn, &pages.key, now).await?;
    let asked = journal.asked(ask).await?;
    let asked = asked.ok_or_else(|| StepError::invalid(format!("the question {ask} is gone")))?;
    let link = of(&asked.question, group);
    let path = link.path(&key);
    journal.remember_link(ask, &links::hash(&path), &link.recipient).await?;
    Ok(format!("{}{path}", pages.url.trim_end_matches('/')))
}

fn of(question: &Question, group: &Group) -> Link {
    Link {
        question: question.id(),
        choices: question.kind.choices().to_vec(),
        ends_at: question.ends_at,
        recipient: links::of_group(&group.name),
    }
}
