//! `validate`: probes the new side directly, whatever the routes say, until enough probes in a row have passed; then holds both sides to the
//! plan's limits of CPU, memory and the like.
//!
//! Reads: the run item; the plan's health check URL, once a call; CloudWatch, once the probes have passed, where the plan has limits. Writes:
//! nothing, so there is nothing to undo. A plan without a health check passes, and the reply says so.
//!
//! Errors: `Cutover.Unhealthy` when the attempts are used up, and where limits do not hold and the plan rolls back then;
//! `Cutover.DeadlineExceeded`, `Cutover.Fenced`, and AWS
//! errors of the journal.

pub mod decide;
pub mod limits;
pub mod observe;

use access::Access;
use cutover::StepResult;
use cutover::contract::Caller;
use cutover::probe::{self, Reach, Tries};
use jiff::Timestamp;
use journal::{Journal, Phase};
use serde::{Deserialize, Serialize};
use watch::Metrics;

use crate::limits::Line;

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] = &["cloudwatch:GetMetricData"];

/// What this function talks to, besides the new side.
#[derive(Clone, Debug)]
pub struct Clients {
    /// CloudWatch, for the limits.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// What other accounts and regions are reached by.
    pub access: Access,
    /// The journal, for the plan.
    pub journal: Journal,
    /// Where probes may connect to.
    pub reach: Reach,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Whether it is over. Otherwise: wait, and call again.
    pub passed: bool,
    /// How long to wait before the next call.
    pub wait_seconds: u64,
    /// To be sent with the next request; `seen` is for a person.
    pub tries: Tries,
    /// The plan's limits, once they were looked at.
    #[serde(default)]
    pub limits: Vec<Line>,
    /// What is told at the end of the run, where it goes on in spite of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When this was observed, RFC 3339.
    pub at: String,
}

/// Probes once.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let run = clients.journal.fence(&request.caller, Phase::Forward).await?;
    clients.journal.check_deadline(&run, now).await?;
    let tries = request.tries.unwrap_or_default();
    let (tries, passed, wait_seconds) = match &run.plan.health_check {
        None => (Tries { seen: "no health check in the plan".to_owned(), ..tries }, true, 0),
        Some(probe) => {
            let (tries, passed) = decide::decide(probe, &tries, &probe::ask(probe, &clients.reach).await)?;
            (tries, passed, probe.interval.0)
        }
    };
    let asked = &run.plan.validation;
    let limits = if passed && !asked.limits.is_empty() {
        let access = clients.access.for_run(&run.run_id, now);
        let metrics = Metrics::of(&clients.cloudwatch, &access, &run.plan).await?;
        let values = observe::values(&metrics, &asked.limits, asked.window, now).await?;
        limits::lines(&asked.limits, &values)
    } else {
        Vec::new()
    };
    let note = limits::judge(&limits, asked.on_violation)?;
    Ok(Reply { passed, wait_seconds, tries, limits, note, at: now.to_string() })
}
