//! The question behind a message, where the stack has pages that answer: it is stored before the message is sent, and the message gets a link.
//!
//! Whatever fails here, the message goes out: its commands answer as well.

use std::time::Duration;

use cutover::ask::Question;
use cutover::bootstrap::Environment;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::Journal;

use crate::{Key, Link, hash, key, of_topic};

/// The message may not wait for longer.
const LONGEST: Duration = Duration::from_secs(5);

/// What stands before a link in a message.
pub const BY_PAGE: &str =
    "To see the plan and all that was found, and to answer (a page; whoever has the link can answer)";

/// The pages that answer.
#[derive(Clone, Debug)]
pub struct Pages {
    /// Where questions are stored.
    pub journal: Journal,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// The secret with the key that signs links.
    pub key_arn: String,
    /// The address of the pages, with a slash at its end.
    pub url: String,
    /// The key, once it was read.
    pub key: key::Kept,
}

/// A question that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// What answers it, for those who read the topic.
    pub link: String,
}

impl Pages {
    /// Of `ANSWERS_URL` and `ANSWERS_KEY_ARN`; none where the stack has no pages.
    ///
    /// # Errors
    /// A variable that is missing.
    pub fn of(environment: &Environment) -> Result<Option<Self>, lambda_runtime::Error> {
        let (url, key_arn) = (environment.variable("ANSWERS_URL")?, environment.variable("ANSWERS_KEY_ARN")?);
        if url.is_empty() {
            return Ok(None);
        }
        let secrets = aws_sdk_secretsmanager::Client::new(&environment.aws);
        let journal = Journal::of(environment)?;
        Ok(Some(Self { journal, secrets, key_arn, url, key: key::Kept::default() }))
    }

    /// The address of a link's path.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url.trim_end_matches('/'))
    }
}

/// Stores what is asked, and makes the link for those who read a topic; none where no page answers, or that could not be done in time.
pub async fn remember(pages: Option<&Pages>, question: Question, topic_arn: &str, now: Timestamp) -> Option<Asked> {
    let pages = pages?;
    let run_id = question.run_id.clone();
    match tokio::time::timeout(LONGEST, store(pages, question, topic_arn, now)).await {
        Ok(Ok(asked)) => Some(asked),
        Ok(Err(error)) => {
            tracing::error!(run_id, error = error.name, "the message has no link that answers: {}", error.message);
            None
        }
        Err(_) => {
            tracing::error!(
                run_id,
                "the message has no link that answers: that took more than {} s",
                LONGEST.as_secs()
            );
            None
        }
    }
}

async fn store(pages: &Pages, question: Question, topic_arn: &str, now: Timestamp) -> StepResult<Asked> {
    let journal = &pages.journal;
    let id = question.id();
    // An earlier try of the same call may have stored it: the end is then that one's, and so is the link.
    let question = if journal.ask(&question).await? { question } else { stored(journal, &id).await? };
    let link = link(pages, &question, &of_topic(topic_arn), now).await?;
    Ok(Asked { id, link })
}

/// The key that signs.
///
/// # Errors
/// AWS errors; a secret that is none.
pub async fn key_of(pages: &Pages, now: Timestamp) -> StepResult<Key> {
    key::current(&pages.secrets, &pages.key_arn, &pages.key, now).await
}

/// The link that answers a stored question, for a recipient: the journal knows it from now on.
///
/// # Errors
/// AWS errors; a key that is none; a question that is not stored.
pub async fn link(pages: &Pages, question: &Question, recipient: &str, now: Timestamp) -> StepResult<String> {
    let journal = &pages.journal;
    let path = path(&key_of(pages, now).await?, question, recipient);
    journal.remember_link(&question.id(), &hash(&path), recipient).await?;
    Ok(pages.address(&path))
}

/// A question that was stored.
///
/// # Errors
/// AWS errors; it is gone.
pub async fn stored(journal: &Journal, id: &str) -> StepResult<Question> {
    let asked = journal.asked(id).await?;
    asked.map(|asked| asked.question).ok_or_else(|| StepError::invalid(format!("the question {id} is gone")))
}

/// The path of the link that answers a question with all of its choices.
pub fn path(key: &Key, question: &Question, recipient: &str) -> String {
    let link = Link {
        question: question.id(),
        choices: question.kind.choices().to_vec(),
        ends_at: question.ends_at,
        recipient: recipient.to_owned(),
    };
    link.path(key)
}
