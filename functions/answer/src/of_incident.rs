//! The page of an incident, by a link of one of its messages: who looks after it, what was said, and what can be said.
//!
//! GET changes nothing. POST says something once in a turn ([`incidents::by_page`]): it writes the incident where nobody has written since it was
//! read, and decides again where somebody has. A write whose answer is lost is found by the next try, which sees that it is so already. Whoever has signed
//! on says it under that name.

use cutover::error::name;
use cutover::{StepError, StepResult};
use incidents::by_page::{self, Turn};
use incidents::incident::Incident;
use jiff::Timestamp;
use journal::Follow;
use links::Link;

use crate::incident_words::Words;
use crate::page::{self, Notice};
use crate::request::{Reply, Request};
use crate::words::of_whom;
use crate::{Clients, Said};

/// Changes that meet are made again so often.
const MOST_TRIES: usize = 8;
const OUTDATED: &str =
    "Nothing was done: somebody has said something since this page was opened. It is shown as it is now.";

/// Whether a link is of an incident, not of a question of a run, whose ids are hexadecimal digits.
pub(crate) fn is_of_one(link: &Link) -> bool {
    link.question.starts_with("i-")
}

/// Shows it, or takes what is said of it.
pub(crate) async fn attend(clients: &Clients, request: &Request, link: &Link, now: Timestamp) -> StepResult<Reply> {
    let hash = links::hash(&request.raw_path);
    let journal = &clients.journal;
    if !journal.knows_page_link(&link.question, &hash).await? {
        return page::notice(Notice::Wrong);
    }
    if request.is_post() {
        return post(clients, request, link, now).await;
    }
    match read(clients, link).await? {
        Some((incident, _)) => shown(&incident, link, None, 200),
        None => page::notice(Notice::Over),
    }
}

async fn post(clients: &Clients, request: &Request, link: &Link, now: Timestamp) -> StepResult<Reply> {
    let form = match request.form() {
        Ok(form) => form,
        Err(notice) => return page::notice(notice),
    };
    let name = request.said_by(&form, clients.identity_header.as_deref());
    let filled = by_page::Form { name, text: &form.reason, choice: &form.choice, turn: &form.turn };
    for _ in 0..MOST_TRIES {
        let Some((incident, version)) = read(clients, link).await? else { return page::notice(Notice::Over) };
        match by_page::turn(&incident, &filled, &link.choices, &of_whom(&link.recipient), now) {
            // Who has sent it sees, by the same page, who did.
            Turn::Seen => return Ok(Reply::see(&request.raw_path)),
            Turn::Outdated => return shown(&incident, link, Some((&form, OUTDATED)), 409),
            Turn::Incomplete(problem) => return shown(&incident, link, Some((&form, &problem)), 422),
            Turn::Said(said) => {
                let journal = &clients.journal;
                let follow = said.followed().map(|named| Follow::by_event(&said.owner, &named));
                let text = said.written()?;
                if journal.remember_incident(&said.id, text, Some(version), follow.as_ref(), now).await? {
                    let (incident, recipient) = (&said.id, &link.recipient);
                    tracing::info!(incident, recipient, choice = form.choice, "said by a page");
                    return Ok(Reply::see(&request.raw_path));
                }
            }
        }
    }
    Err(StepError::new(name::TRANSIENT, format!("incident {} is changed by others all the time", link.question)))
}

async fn read(clients: &Clients, link: &Link) -> StepResult<Option<(Incident, u64)>> {
    let journal = &clients.journal;
    let Some((text, version)) = journal.incident(&link.question).await? else { return Ok(None) };
    Ok(Some((Incident::read(&link.question, &text)?, version)))
}

fn shown(incident: &Incident, link: &Link, said: Said, status: u16) -> StepResult<Reply> {
    page::incident(&Words::of(incident, link), said, status)
}
