//! `load-test`: loads both sides before any traffic moves, and judges the new one.
//!
//! | action | reads | writes |
//! |---|---|---|
//! | next | the run, what slices have left in S3; the secret of `headers_secret_arn` | nothing; at the end the test's result, to S3 |
//! | send | the run, again every 10 s while it sends; the secret of `headers_secret_arn` | requests to one side; the slice's result, to S3 |
//!
//! The machine asks for the `next` turn, has its slices `send` at one time, and asks again, until the reply says `over`. It touches no
//! route, so there is nothing to undo; requests that write are the plan's own, and are marked as a test's (`x-cutover-load-test`).
//!
//! What is sent is honest: each request at its time whatever the answers do, latency from when it was due, connections kept as users keep
//! them, opening one counted. A test whose generator fell behind is invalid; it is repeated once with twice the slices.
//!
//! It reaches only hosts that the plan shows to be its sides' own, or that the stack lists, no faster than the stack allows
//! (`cutover::load`). A slice ends within 10 s of its run being rolled back.
//!
//! Errors: `Cutover.Unhealthy` when the SLA does not hold, `Cutover.Inconclusive` when the test stays invalid (both where the plan
//! says `roll_back`), `Cutover.Refused` for what may not be loaded, `Cutover.DeadlineExceeded`, `Cutover.Fenced`, and AWS errors.

pub mod budget;
pub mod client;
pub mod clock;
pub mod decide;
#[cfg(test)]
mod hostile;
pub mod judge;
pub mod request;
pub mod schedule;
pub mod send;
pub mod slices;
pub mod store;
mod turn;

use std::time::Instant;

use cutover::contract::Caller;
use cutover::error::name;
use cutover::load::{LoadLimits, findings};
use cutover::plan::LoadTest;
use cutover::probe::Reach;
use cutover::{StepError, StepResult, input};
use jiff::Timestamp;
use journal::{Journal, Phase, Run};
use load_results::report::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decide::{After, Next};
use crate::judge::judge;
use crate::slices::Slice;
use crate::store::Store;

/// What this function talks to, besides the sides.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The journal, for the plan and the fence.
    pub journal: Journal,
    /// Where connections may go to.
    pub reach: Reach,
    /// Where results are kept.
    pub store: Store,
    /// Secrets Manager, for headers that no plan may hold.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// What the stack allows.
    pub limits: LoadLimits,
}

/// What is asked.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// What to do.
    #[serde(flatten)]
    pub action: Action,
}

/// The actions.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum Action {
    /// Which turn comes next, or what the test says.
    Next(Asking),
    /// Send one slice of a turn.
    Send(Box<Sending>),
}

/// How far a test has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// 0, or 1 where the test is repeated.
    #[serde(default)]
    pub round: u32,
    /// How many turns are done.
    #[serde(default)]
    pub turn: u64,
}

/// Which turn is asked for.
#[derive(Clone, Debug, Deserialize)]
pub struct Asking {
    /// As a [`Place`] has it.
    #[serde(default)]
    pub round: u32,
    /// As a [`Place`] has it.
    #[serde(default)]
    pub turn: u64,
    /// What failed of a slice that left no result; empty where none did. Machines from before do not say it.
    #[serde(default)]
    pub lost: String,
}

/// What is to be sent.
#[derive(Clone, Debug, Deserialize)]
pub struct Sending {
    /// The slice, as the reply to `next` has it.
    pub slice: Slice,
}

/// By hand, since serde does not name the fields of a tagged part.
impl TryFrom<Value> for Action {
    type Error = String;

    fn try_from(request: Value) -> Result<Self, String> {
        match input::text(&request, "action")?.as_str() {
            "next" => input::read(request).map(Self::Next),
            "send" => input::read(request).map(Self::Send),
            other => Err(input::not_an_action(other, &["next", "send"])),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// Of `next`.
    Next(NextReply),
    /// Of `send`.
    Sent(SentReply),
}

/// What comes next.
#[derive(Clone, Debug, Serialize)]
pub struct NextReply {
    /// Whether the test is over. Otherwise: have the slices sent, and ask again with `round` and `turn`.
    pub over: bool,
    /// Whether a person has to say whether the run goes on.
    pub ask: bool,
    /// To be sent with the next request.
    #[serde(flatten)]
    pub place: Place,
    /// The slices of the turn that comes next.
    pub slices: Vec<Slice>,
    /// What the test says, once it is over.
    pub verdict: Option<Verdict>,
    /// For a person.
    pub seen: String,
    /// The key of the test's result in the bucket of reports.
    pub report: Option<String>,
    /// What is told at the end of the run, where the run goes on in spite of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When this was decided, RFC 3339.
    pub at: String,
}

/// What a slice did.
#[derive(Clone, Debug, Serialize)]
pub struct SentReply {
    /// Which slice.
    pub slice: Slice,
    /// How many requests were sent after the warm-up.
    pub sent: u64,
    /// How many of them were answered as expected.
    pub succeeded: u64,
    /// By how much it was too late, in milliseconds; then it sent nothing.
    pub late_by_ms: Option<i64>,
    /// Whether it stopped early.
    pub is_stopped: bool,
}

/// Does one action.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    // `now` was read just before: a slice counts from then, however long the journal takes.
    let read_at = Instant::now();
    let caller = &request.caller;
    let run = clients.journal.fence(caller, Phase::Forward).await?;
    clients.journal.check_deadline(&run, now).await?;
    let test = test_of(&run, &clients.limits)?;
    match request.action {
        Action::Next(asking) => next(clients, &run, &test, asking, now).await.map(Reply::Next),
        Action::Send(sending) => {
            turn::send(clients, caller, &test, sending.slice, (now, read_at)).await.map(Reply::Sent)
        }
    }
}

/// The plan's test, with the requests that it sends, if the stack allows it. Precheck has looked at that; a stack may have
/// been changed since.
fn test_of(run: &Run, limits: &LoadLimits) -> StepResult<LoadTest> {
    let mut test =
        run.plan.load_test.clone().ok_or_else(|| StepError::invalid("the run's plan has no load_test".to_owned()))?;
    if let Some(finding) = findings(&run.plan, limits).first() {
        let problem = format!("{} {}: {}", finding.path, finding.problem, finding.fix);
        return Err(StepError::new(name::REFUSED, problem));
    }
    test.requests = request::requests_of(&test.requests, &test.targets.new).map_err(StepError::invalid)?;
    Ok(test)
}

async fn next(clients: &Clients, run: &Run, test: &LoadTest, asking: Asking, now: Timestamp) -> StepResult<NextReply> {
    let Asking { round, turn, lost } = asking;
    let place = Place { round, turn };
    let done = if place.turn == 0 { Vec::new() } else { clients.store.slices(&run.run_id, place.round).await? };
    let reply = |place, slices: Vec<Slice>, seen: String| NextReply {
        over: false,
        ask: false,
        place,
        slices,
        verdict: None,
        seen,
        report: None,
        note: None,
        at: now.to_string(),
    };
    let report = match decide::next(test, place, &done) {
        Next::Turn(place) => {
            // Slices that fail are told by their number alone: what denies them all is told here, and by what it is.
            turn::secret(clients, test).await?;
            turn::reached(clients, test).await?;
            let slices = slices::of_turn(test, place.round, place.turn, now);
            let side = slices::side_of(test, place.turn).as_str();
            let seen = format!("turn {} of {}: the {side} side", place.turn + 1, test.turns());
            return Ok(reply(Place { turn: place.turn + 1, ..place }, slices, seen));
        }
        Next::Over => judge::with_lost(judge(test, place.round, place.turn.min(test.turns()), &done), &lost),
    };
    let key = clients.store.put_report(&run.run_id, &report).await?;
    let over = NextReply {
        over: true,
        verdict: Some(report.verdict),
        report: Some(key),
        ..reply(place, Vec::new(), report.sentence())
    };
    match decide::after(&report, test.on_violation)? {
        After::GoOn(note) => Ok(NextReply { note, ..over }),
        After::Ask => Ok(NextReply { ask: true, ..over }),
    }
}
