//! `report`: leaves a run's report, for whoever has to answer for it.
//!
//! Reads: the run item, and which of the run's messages were not delivered; the history of the run's executions; CloudWatch, for the time of the run, where the plan's load balancers are; the load test's result in S3. Writes:
//! `runs/<execution>/report.html`, `report.md` and `report.json` in the stack's bucket of reports, and the page's address to the run item. Undo: none is needed. Called again it writes
//! the same keys, from what was so at the same moment.
//!
//! | module | is |
//! |---|---|
//! | [`gather`], [`store`] | reading and writing |
//! | [`facts`], the library `history`, [`gates`], [`load`], [`resources`] | what is known, as values; what was not measured is absent, never zero |
//! | [`verdict`], [`advice`] | what follows from it |
//! | [`document`], [`page`], [`plot`], [`words`] | the three documents |
//!
//! Errors: `Cutover.Refused` where there is no such run, and AWS errors. The state machines catch and note them: a report decides nothing. What
//! cannot be read beside the run item is told in the report.

pub mod advice;
pub mod document;
pub mod facts;
pub mod gates;
pub mod gather;
pub mod load;
pub mod page;
pub mod plot;
pub mod resources;
pub mod store;
pub mod verdict;
pub mod words;

use access::Access;
use cutover::StepResult;
use cutover::contract::Caller;
use cutover::finding::settled;
use jiff::Timestamp;
use journal::Journal;
use serde::{Deserialize, Serialize};

use crate::document::Documents;
use crate::store::Store;

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] = &["cloudwatch:GetMetricData"];

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Other accounts and regions, whose load balancers report to CloudWatch there.
    pub access: Access,
    /// The journal.
    pub journal: Journal,
    /// Step Functions.
    pub states: aws_sdk_sfn::Client,
    /// The bucket of reports.
    pub store: Store,
}

/// One call.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// The moment until which things are told, RFC 3339: when the calling state was entered, which is the same whenever it is tried again.
    pub at: Timestamp,
}

/// Where the report is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// The page's address in the console.
    pub link: String,
    /// The bucket.
    pub bucket: String,
    /// The page's key; Markdown and JSON stand beside it.
    pub key: String,
    /// The page's length.
    pub bytes: usize,
    /// The run's messages that were not delivered so far, in lines: its ending says so.
    pub undelivered: Vec<String>,
    /// When this was done, RFC 3339.
    pub at: String,
}

/// Writes it.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let undelivered = journal::kept(clients.journal.undelivered_lines(&request.caller.run_id).await);
    let mut facts = gather::facts(clients, &request.caller, request.at).await?;
    facts.not_done.extend(undelivered.iter().cloned());
    let Documents { html, markdown, json } = document::documents(&facts)?;
    let bytes = html.len();
    let run_id = &request.caller.run_id;
    let store = &clients.store;
    store.put(&store::key(run_id, "json"), "application/json", json).await?;
    store.put(&store::key(run_id, "md"), "text/markdown; charset=utf-8", markdown).await?;
    let key = store::key(run_id, "html");
    store.put(&key, "text/html; charset=utf-8", html).await?;
    let link = store.link(run_id, &key);
    // Whoever follows the run reads it there. The report is left either way.
    let _ = settled(clients.journal.remember_report(run_id, &link).await)?;
    Ok(Reply { link, bucket: store.bucket.clone(), key, bytes, undelivered, at: now.to_string() })
}
