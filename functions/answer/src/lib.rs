//! `answer`: the pages on which people see what a run asks, and answer, by a link in a message.
//!
//! It is called by its own address (a Lambda Function URL), not by a state machine. Whoever has a link ([`links`]) is let in: the signature
//! is all that guards it, so a link is as good as the commands with the task's token in the same message.
//!
//! Reads: the question and what was answered (`ask#<id>` in the journal's table), the key of the links. Writes: the answer, once, by a
//! conditional write; then Step Functions' SendTaskSuccess or SendTaskFailure with that answer; then what became of it. Undo: there is none,
//! since a run that was answered has gone on.
//!
//! Of an incident it reads the incident (`incident#<id>`), and writes what the machine `incident` would write for a person who says the same, where
//! nobody has written meanwhile ([`of_incident`]); whoever follows the incident tells it.
//!
//! Of a wave's checklists it reads the timeline (`timeline#<wave>`), and writes that something is done, as an execution of `timeline` would for the same
//! word ([`of_checklists`]); the wave's later messages say who said so, and when.
//!
//! GET and HEAD change nothing, whatever is fetched and however often: mail scanners open every link. POST answers; a second one is told
//! who did. A call that ended between the answer's write and its sending is made up for by the next POST, with the answer that was written.
//!
//! Errors: none that Lambda sees, but for an event that is no request. What AWS refuses or delays is a page that says to try again.

mod checklist_words;
mod decide;
mod hand_over;
mod incident_words;
mod of_checklists;
mod of_incident;
mod page;
mod request;
mod words;

use cutover::ask::{Answer, Handed, Question};
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::{Asked, Journal};
use links::Link;
use links::key::Kept;

use crate::decide::{Form, Turn};
use crate::page::Notice;
pub use crate::request::{Reply, Request};

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Questions and answers.
    pub journal: Journal,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// Step Functions, which is asked once.
    pub sfn: aws_sdk_sfn::Client,
    /// The secret with the key that signs links.
    pub key_arn: String,
    /// The key, once it was read.
    pub key: Kept,
    /// The header by which whoever stands before the pages tells who has signed on; none where nobody does.
    pub identity_header: Option<String>,
    /// Where pages are seen under other addresses than the function's own: `https://<host>` each.
    pub origins: Vec<String>,
}

/// Answers a request with a page.
///
/// # Errors
/// A template of ours that is wrong.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let reply = match attend(clients, &request, now).await {
        Ok(reply) => reply,
        Err(error) => {
            tracing::error!(error = error.name, "a request was not answered: {}", error.message);
            page::notice(Notice::NotNow)?
        }
    };
    Ok(if request.is_head() { reply.without_body() } else { reply })
}

async fn attend(clients: &Clients, request: &Request, now: Timestamp) -> StepResult<Reply> {
    if let Err(notice) = decide::is_acceptable(request, &clients.origins) {
        return page::notice(notice);
    }
    let key = links::key::current(&clients.secrets, &clients.key_arn, &clients.key, now).await?;
    let link = match Link::read(&request.raw_path, &key, now) {
        Ok(link) => link,
        Err(refused) => return page::notice(refused.into()),
    };
    if of_incident::is_of_one(&link) {
        return of_incident::attend(clients, request, &link, now).await;
    }
    if let Some(wave) = timelines::by_page::wave(&link.question) {
        return of_checklists::attend(clients, request, &link, wave, now).await;
    }
    let journal = &clients.journal;
    let asked = journal.asked(&link.question).await?;
    let asked = match decide::of_link(asked, &link, &links::hash(&request.raw_path)) {
        Ok(asked) => asked,
        Err(notice) => return page::notice(notice),
    };
    if request.is_post() {
        post(clients, request, &link, &asked, now).await
    } else {
        page::question(&asked, &link, None, now)
    }
}

async fn post(clients: &Clients, request: &Request, link: &Link, asked: &Asked, now: Timestamp) -> StepResult<Reply> {
    let form = match request.form() {
        Ok(form) => form,
        Err(notice) => return page::notice(notice),
    };
    let signed_on = request.signed_on(clients.identity_header.as_deref());
    match decide::turn(asked, link, &form, signed_on, now) {
        // Who has sent it sees, by the same page, what was answered.
        Turn::Seen => Ok(Reply::see(&request.raw_path)),
        Turn::HandOver(answer) => again(clients, request, link, &asked.question, &answer).await,
        Turn::Incomplete(problem) => page::question(asked, link, Some((&form, problem.as_str())), now),
        Turn::Answer(answer) => first(clients, request, link, &asked.question, &answer).await,
    }
}

/// Writes the answer, and sends it. Whoever was faster is seen by the page.
async fn first(
    clients: &Clients,
    request: &Request,
    link: &Link,
    question: &Question,
    answer: &Answer,
) -> StepResult<Reply> {
    let journal = &clients.journal;
    if journal.answer(&link.question, answer).await? {
        tracing::info!(question = link.question, recipient = link.recipient, choice = answer.choice.name(), "answered");
        let handed = hand_over::send(&clients.sfn, question, answer).await?;
        done(clients, link, handed, Handed::Late).await?;
    }
    Ok(Reply::see(&request.raw_path))
}

/// Sends an answer of which nobody knows whether it was sent.
async fn again(
    clients: &Clients,
    request: &Request,
    link: &Link,
    question: &Question,
    answer: &Answer,
) -> StepResult<Reply> {
    let handed = hand_over::send(&clients.sfn, question, answer).await?;
    done(clients, link, handed, Handed::TakenOrLate).await?;
    Ok(Reply::see(&request.raw_path))
}

async fn done(clients: &Clients, link: &Link, was_taken: bool, otherwise: Handed) -> StepResult<()> {
    let handed = if was_taken { Handed::Taken } else { otherwise };
    tracing::info!(question = link.question, ?handed, "handed over");
    let journal = &clients.journal;
    journal.hand_over(&link.question, handed).await
}

/// An event that is no request of a Function URL.
pub(crate) fn no_request(problem: &str) -> StepError {
    StepError::invalid(format!("this is no request of a Lambda Function URL: {problem}"))
}

/// What a form says, for pages that show it once more.
pub(crate) type Said<'a> = Option<(&'a Form, &'a str)>;
