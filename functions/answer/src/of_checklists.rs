//! The page of a wave's checklists, by a link of one of its messages: what has to be done before and after the wave, what is done, and who said so.
//!
//! GET changes nothing. POST says that one thing is done ([`timelines::by_page`]): it writes the timeline where nobody has written since it was read, and
//! decides again where somebody has, so that of two who say so one has. Whoever has signed on says it under that name.

use cutover::error::name;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::Follow;
use links::Link;
use timelines::by_page::{self, Turn};
use timelines::state::State;

use crate::checklist_words::Words;
use crate::page::{self, Notice};
use crate::request::{Reply, Request};
use crate::{Clients, Said};

/// Changes that meet are made again so often.
const MOST_TRIES: usize = 8;

/// Shows them, or takes what is said.
pub(crate) async fn attend(
    clients: &Clients,
    request: &Request,
    link: &Link,
    wave: &str,
    now: Timestamp,
) -> StepResult<Reply> {
    let hash = links::hash(&request.raw_path);
    let journal = &clients.journal;
    if !journal.knows_page_link(&link.question, &hash).await? {
        return page::notice(Notice::Wrong);
    }
    if request.is_post() {
        return post(clients, request, link, wave, now).await;
    }
    match read(clients, wave).await? {
        Some((state, _)) => shown(&state, link, None, 200),
        None => page::notice(Notice::Over),
    }
}

async fn post(clients: &Clients, request: &Request, link: &Link, wave: &str, now: Timestamp) -> StepResult<Reply> {
    let form = match request.form() {
        Ok(form) => form,
        Err(notice) => return page::notice(notice),
    };
    let name = request.said_by(&form, clients.identity_header.as_deref());
    for _ in 0..MOST_TRIES {
        let Some((state, version)) = read(clients, wave).await? else { return page::notice(Notice::Over) };
        match by_page::turn(&state, name, &form.choice, now) {
            // Who has sent it sees, by the same page, who did.
            Turn::Seen => return Ok(Reply::see(&request.raw_path)),
            Turn::Incomplete(problem) => return shown(&state, link, Some((&form, &problem)), 422),
            Turn::Said(said) => {
                if remember(clients, &said, version, now).await? {
                    tracing::info!(wave, recipient = link.recipient, item = form.choice, "done, as a page says");
                    return Ok(Reply::see(&request.raw_path));
                }
            }
        }
    }
    Err(StepError::new(name::TRANSIENT, format!("the timeline of {wave} is changed by others all the time")))
}

async fn read(clients: &Clients, wave: &str) -> StepResult<Option<(State, u64)>> {
    let journal = &clients.journal;
    let Some((text, version)) = journal.timeline(wave).await? else { return Ok(None) };
    Ok(Some((State::read(wave, &text)?, version)))
}

/// Whoever follows it goes on to.
async fn remember(clients: &Clients, state: &State, version: u64, now: Timestamp) -> StepResult<bool> {
    let follow = state.followed().map(|input| Follow::with(&state.owner, input));
    let journal = &clients.journal;
    journal.remember_timeline(&state.wave, state.written()?, Some(version), follow.as_ref(), now).await
}

fn shown(state: &State, link: &Link, said: Said, status: u16) -> StepResult<Reply> {
    page::checklists(&Words::of(state, link), said, status)
}
