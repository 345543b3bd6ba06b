//! Writes pages: of one run, and of all.

use std::time::{Duration, Instant};

use cutover::StepResult;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use crate::portfolio::{Entry, Portfolio, merged};
use crate::status::Status;
use crate::store::{self, INDEX};
use crate::{Clients, Reply, document, gather, look};

/// So many runs are looked at at once: a look reads one or two histories, of which an account has 400 in a burst and 20 a second after that
/// (Step Functions quotas).
const AT_ONCE: usize = 4;
/// No look begins later: the function has 30 s.
const LONGEST_LOOKS: Duration = Duration::from_secs(15);

/// Writes a run's page: its application's, or one of its own where another run has that. Answers which, without its ending.
///
/// # Errors
/// AWS errors.
pub(crate) async fn page(clients: &Clients, status: &Status, has_plan: bool) -> StepResult<String> {
    let written = document::of_run(status, &clients.settings)?;
    if has_plan {
        let page = store::page_of_application(&status.application);
        let make = |stored: Option<Status>| {
            let takes = store::takes(stored.as_ref(), status);
            let is_mine = stored.is_some_and(|stored| stored.run_id == status.run_id);
            Ok((takes || is_mine).then(|| takes.then(|| written.clone())))
        };
        // What is newer stays, and is this run's all the same.
        if let Some(page) = take(clients, page, make).await? {
            return Ok(page);
        }
    }
    let page = store::page_of_run(&status.run_id);
    let make =
        |stored: Option<Status>| Ok(Some(stored.is_none_or(|stored| status.at >= stored.at).then(|| written.clone())));
    take(clients, page.clone(), make).await?;
    Ok(page)
}

/// Writes what `make` says: none where the page is another run's; none within, where what is there stays.
async fn take(
    clients: &Clients,
    page: String,
    make: impl Fn(Option<Status>) -> StepResult<Option<Option<(String, String)>>>,
) -> StepResult<Option<String>> {
    let is_ours = std::cell::Cell::new(true);
    let inner = |stored: Option<Status>| {
        let made = make(stored)?;
        is_ours.set(made.is_some());
        Ok(made.flatten())
    };
    clients.store.replace(&page, inner).await?;
    Ok(is_ours.get().then_some(page))
}

/// Writes the page of all runs, from what it said before and what was found anew.
///
/// # Errors
/// AWS errors.
pub(crate) async fn index(clients: &Clients, anew: &[Entry], gone: &[String], now: Timestamp) -> StepResult<Portfolio> {
    let last = std::cell::RefCell::new(None);
    let make = |before: Option<Portfolio>| {
        // Written by somebody who looked later: what was found here stays, and the moment does not go back.
        let at = before.as_ref().map_or(now, |before| before.at.max(now));
        let at = anew.iter().fold(at, |at, entry| at.max(entry.at));
        let runs = merged(before.map(|before| before.runs).unwrap_or_default(), anew, gone, at);
        let portfolio = Portfolio::of(runs, clients.settings.interval_seconds, at);
        let written = document::of_all(&portfolio, &clients.settings)?;
        last.replace(Some(portfolio));
        Ok(Some(written))
    };
    if let Err(error) = clients.store.replace(INDEX, make).await {
        if error.name != cutover::error::name::TRANSIENT {
            return Err(error);
        }
        // Each run's own page is written; the next call writes this one.
        tracing::warn!("the page of all runs is left to the next call: {}", error.message);
    }
    Ok(last.into_inner().unwrap_or_else(|| Portfolio::of(anew.to_vec(), clients.settings.interval_seconds, now)))
}

/// Looks at all runs, and writes all pages. `is_scheduled`: not where nothing is open, and nothing was at the last look.
///
/// # Errors
/// The first trouble, once all runs were looked at.
pub(crate) async fn all(clients: &Clients, is_scheduled: bool, now: Timestamp) -> StepResult<Reply> {
    let mut wanted: Vec<String> = clients.journal.open_runs().await?.into_iter().map(|(run_id, _)| run_id).collect();
    wanted.extend(gather::running(clients).await?);
    let before: Option<Portfolio> = clients.store.get(INDEX).await?;
    let was_open = before.iter().flat_map(|before| &before.runs).filter(|run| run.standing.is_open());
    wanted.extend(was_open.map(|run| run.run_id.clone()));
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() && is_scheduled {
        return Ok(Reply::default());
    }
    let until = Instant::now() + LONGEST_LOOKS;
    let looks = stream::iter(wanted).map(async |run_id| {
        let look = if Instant::now() < until { Some(look(clients, &run_id, now).await) } else { None };
        (run_id, look)
    });
    let mut looks = Box::pin(looks.buffer_unordered(AT_ONCE));
    let (mut entries, mut gone, mut left, mut trouble) = (Vec::new(), Vec::new(), 0, None);
    while let Some((run_id, look)) = looks.next().await {
        match look {
            None => left += 1,
            Some(Ok(Some((_, entry)))) => entries.push(entry),
            Some(Ok(None)) => gone.push(run_id),
            Some(Err(error)) => {
                tracing::error!(run_id, error = error.name, "how a run is cannot be told: {}", error.message);
                trouble = trouble.or(Some(error));
            }
        }
    }
    let portfolio = index(clients, &entries, &gone, now).await?;
    match trouble {
        Some(error) => Err(error),
        None => reply(clients, portfolio, left),
    }
}

fn reply(clients: &Clients, portfolio: Portfolio, left: usize) -> StepResult<Reply> {
    let [summary, detailed, technical] = document::texts_of_all(&portfolio, &clients.settings)?.map(Some);
    let key = format!("{INDEX}.html");
    Ok(Reply {
        link: Some(clients.store.link(&clients.cutover_arn, &key)),
        bucket: clients.store.bucket.clone(),
        key: Some(key),
        portfolio: Some(portfolio),
        summary,
        detailed,
        technical,
        left,
        ..Reply::default()
    })
}
