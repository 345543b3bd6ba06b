//! `status-report`: says how runs are: as JSON, in three formats for people, and as a page that a person can keep open.
//!
//! Reads: the journal (open runs, run items), the histories of the runs' executions, which cutovers run, and its own pages' JSON. Writes:
//! `status/applications/<application>.html`, `status/index.html` and the JSON of each in the stack's bucket of reports; of a run that is not its application's newest
//! `status/runs/<execution>.html`. Undo: none is needed. Called again it writes the same keys; of the same facts at the same moment, the same bytes.
//!
//! No state machine calls it, so nothing that is slow, denied or down here can delay a cutover. It is called
//!
//! - by the topic of moments, with what happened: that run's page and line are written;
//! - by a schedule, `{"scheduled": true}`: all open runs, and those that have ended since. While there is none, that is one query, one list and one read;
//! - by a person, `{}`: all of them; `{"application": "shop"}` or `{"run_id": "arn:..."}`: one. They get the JSON, the three texts and where the page is.
//!
//! | module | is |
//! |---|---|
//! | [`gather`], [`store`] | reading and writing |
//! | [`known`] | what could be read, as values |
//! | [`standing`], [`work`], [`routes`], [`issues`], [`measured`], [`recovery`] | what follows of it; what is not known is absent |
//! | [`signs`], [`risk`] | how likely it is to need somebody, and why |
//! | [`status`], [`portfolio`] | the JSON of one run, and of all |
//! | [`view`], [`view_all`], [`document`] | pages and texts |
//!
//! Errors: `Cutover.InvalidGesture` where a person names a run that there is not; AWS errors, after all runs were looked at.

mod configuration;
pub mod document;
mod doing;
pub mod gather;
pub mod issues;
pub mod known;
pub mod measured;
pub mod portfolio;
pub mod recovery;
mod request;
pub mod risk;
pub mod routes;
pub mod signs;
pub mod standing;
pub mod status;
pub mod store;
pub mod view;
pub mod view_all;
pub mod work;
mod write;

use cutover::error::name;
use cutover::text::quoted;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::Journal;
use serde::Serialize;

pub use crate::configuration::settings;
use crate::portfolio::{Entry, Portfolio};
pub use crate::request::{Asked, Request};
use crate::status::{Settings, Status, status};
use crate::store::Store;

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The journal.
    pub journal: Journal,
    /// Step Functions.
    pub states: aws_sdk_sfn::Client,
    /// The bucket of reports.
    pub store: Store,
    /// The machine whose executions are runs.
    pub cutover_arn: String,
    /// What the stack says of statuses.
    pub settings: Settings,
}

/// What was found and written.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Reply {
    /// The page's address in the console; none where nothing was written.
    pub link: Option<String>,
    /// The bucket.
    pub bucket: String,
    /// The page's key; its JSON stands beside it.
    pub key: Option<String>,
    /// One run, where one was asked for.
    pub status: Option<Status>,
    /// All runs, otherwise.
    pub portfolio: Option<Portfolio>,
    /// For those who decide: some lines.
    pub summary: Option<String>,
    /// For those whose work depends on it.
    pub detailed: Option<String>,
    /// For engineers: everything.
    pub technical: Option<String>,
    /// How many runs are open, of which some could not be looked at in time: the next call does.
    pub left: usize,
}

/// Looks, writes, and answers.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    match request.asked()? {
        Asked::Moments(run_ids) => {
            let mut entries = Vec::new();
            for run_id in run_ids {
                entries.extend(look(clients, &run_id, now).await?.map(|(_, entry)| entry));
            }
            if !entries.is_empty() {
                write::index(clients, &entries, &[], now).await?;
            }
            Ok(Reply::default())
        }
        Asked::All { is_scheduled } => write::all(clients, is_scheduled, now).await,
        Asked::Run(run_id) => one(clients, &run_id, now).await,
        Asked::Application(application) => {
            let run_id = newest(clients, &application).await?;
            one(clients, &run_id, now).await
        }
    }
}

/// A run's status and line, once its page is written; none for what is no run: a dry run, or one whose plan is not known yet.
async fn look(clients: &Clients, run_id: &str, now: Timestamp) -> StepResult<Option<(Status, Entry)>> {
    let Some(known) = gather::known(clients, run_id).await? else { return Ok(None) };
    let calls = known.calls();
    let plan = known.plan(&calls);
    if known.run.is_none() && (known.is_dry_run(&calls) || plan.is_none() && !known.is_told_not_started()) {
        return Ok(None);
    }
    let status = status(&known, &clients.settings, known.moment(now));
    let page = write::page(clients, &status, plan.is_some()).await?;
    let entry = Entry::of(&status, format!("{page}.html"));
    Ok(Some((status, entry)))
}

/// What a person asked for.
async fn one(clients: &Clients, run_id: &str, now: Timestamp) -> StepResult<Reply> {
    let found = look(clients, run_id, now).await?;
    let (status, entry) = found.ok_or_else(|| {
        let problem = format!(
            "there is no run {}, or it is a dry run, or has begun this very moment: ask again in some seconds",
            quoted(run_id, 200)
        );
        StepError::new(name::INVALID_GESTURE, problem)
    })?;
    write::index(clients, std::slice::from_ref(&entry), &[], now).await?;
    let [summary, detailed, technical] = document::texts_of_run(&status, &clients.settings)?.map(Some);
    let (store, key) = (&clients.store, entry.page);
    Ok(Reply {
        link: Some(store.link(&clients.cutover_arn, &key)),
        bucket: store.bucket.clone(),
        key: Some(key),
        status: Some(status),
        summary,
        detailed,
        technical,
        ..Reply::default()
    })
}

/// The run that holds an application, or one that has not claimed it yet, or the last that its page told of.
async fn newest(clients: &Clients, application: &str) -> StepResult<String> {
    if let Some(run) = clients.journal.find(None, Some(application)).await? {
        return Ok(run.run_id);
    }
    let not_looked_at = match gather::unclaimed(clients, application).await? {
        Ok(run_id) => return Ok(run_id),
        Err(not_looked_at) => not_looked_at,
    };
    let page = store::page_of_application(application);
    let stored: Option<Status> = clients.store.get(&page).await?;
    stored.map(|status| status.run_id).ok_or_else(|| nobody_knows(application, not_looked_at))
}

/// No run of it: none that holds it, none that is checked, and no page.
fn nobody_knows(application: &str, not_looked_at: usize) -> StepError {
    let but = match not_looked_at {
        0 => String::new(),
        more => format!(", but for {more} that are checked now and were too many to look at"),
    };
    let problem = format!(
        "there is no run of an application {}{but}: ask with {{}} for those that there are, or with the `run_id`",
        quoted(application, 100)
    );
    StepError::new(name::INVALID_GESTURE, problem)
}
