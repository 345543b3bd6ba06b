//! `validate`: probes the new side directly, whatever the routes say, until enough probes in a row have passed.
//!
//! Reads: the run item; the plan's health check URL, once a call. Writes: nothing, so there is nothing to undo. A plan
//! without a health check passes, and the reply says so.
//!
//! Errors: `Cutover.Unhealthy` when the attempts are used up, `Cutover.DeadlineExceeded`, `Cutover.Fenced`, and AWS
//! errors of the journal.

pub mod decide;

use cutover::StepResult;
use cutover::contract::Caller;
use cutover::deadline::check_deadline;
use cutover::probe::{self, Tries};
use jiff::Timestamp;
use journal::{Journal, Phase};
use serde::{Deserialize, Serialize};

/// What this function talks to, besides the new side.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The journal, for the plan.
    pub journal: Journal,
}

/// One probe. It is repeated, with what the last reply said, until the reply says `passed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// The last reply's tries; none at first.
    #[serde(default)]
    pub tries: Option<Tries>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Whether it is over. Otherwise: wait, and call again.
    pub passed: bool,
    /// How long to wait before the next call.
    pub wait_seconds: u64,
    /// To be sent with the next request; `seen` is for a person.
    pub tries: Tries,
    /// When this was observed, RFC 3339.
    pub at: String,
}

/// Probes once.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let run = clients.journal.fence(&request.caller, Phase::Forward).await?;
    check_deadline(&run.started_at, run.plan.timeout, now)?;
    let tries = request.tries.unwrap_or_default();
    let at = now.to_string();
    let Some(probe) = &run.plan.health_check else {
        let tries = Tries { seen: "no health check in the plan".to_owned(), ..tries };
        return Ok(Reply { passed: true, wait_seconds: 0, tries, at });
    };
    let (tries, passed) = decide::decide(probe, &tries, &probe::ask(probe).await)?;
    Ok(Reply { passed, wait_seconds: probe.interval.0, tries, at })
}
