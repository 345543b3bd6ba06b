//! The end of a rollback: what was restored, and, precisely, what is left.

use cutover::contract::BeforeImage;
use cutover::plan::Route;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::{Ending, Phase, Run, Transition};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Clients, by_hand, caller};

/// What is asked.
#[derive(Clone, Debug, Deserialize)]
pub struct EndRequest {
    /// The run.
    pub run_id: String,
    /// The rollback's execution.
    pub execution_arn: String,
    /// Why nothing was restored, if a person has to decide.
    #[serde(default)]
    pub hold: Option<String>,
    /// What came of the hooks that undo quiesce.
    #[serde(default)]
    pub hooks: Vec<Outcome>,
    /// What came of each route, at the second look.
    pub outcomes: Vec<Outcome>,
    /// What came of each route at the first.
    #[serde(default)]
    pub first: Vec<Outcome>,
}

/// What came of undoing one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The route's place in the plan; none for a hook or an alarm.
    #[serde(default)]
    pub route: Option<usize>,
    /// How a person calls it.
    pub title: String,
    /// Whether it is as it was before.
    pub restored: bool,
    /// Whether this rollback wrote.
    #[serde(default)]
    pub changed: bool,
    /// What went wrong.
    #[serde(default)]
    pub error: Option<String>,
    /// The live state.
    #[serde(default)]
    pub live: Option<String>,
    /// The exact change to make by hand.
    #[serde(default)]
    pub change: Option<String>,
    /// When, RFC 3339.
    #[serde(default)]
    pub at: Option<String>,
}

/// How it ended.
#[derive(Clone, Debug, Serialize)]
pub struct EndReply {
    /// `RolledBack` or `Stuck`.
    pub ending: &'static str,
    /// Why a person has to decide, if so.
    pub hold: Option<String>,
    /// What came of each thing.
    pub routes: Vec<Outcome>,
    /// When, RFC 3339.
    pub at: String,
}

/// Looks at what is left, and writes the ending.
pub(crate) async fn end(clients: &Clients, request: EndRequest, now: Timestamp) -> StepResult<EndReply> {
    let run = match clients.journal.read(&request.run_id).await? {
        Some(run) if run.owner == request.execution_arn && matches!(run.phase, Phase::RolledBack | Phase::Stuck) => {
            return already_ended(&run);
        }
        _ => clients.journal.fence(&caller(&request.run_id, &request.execution_arn), Phase::RollingBack).await?,
    };
    let routes = request.outcomes.into_iter().map(|outcome| with_first_pass(outcome, &request.first));
    let mut outcomes: Vec<Outcome> = routes.chain(request.hooks).collect();
    if request.hold.is_some() {
        outcomes = run.plan.routes.iter().enumerate().map(held).collect();
    }
    for outcome in outcomes.iter_mut().filter(|outcome| !outcome.restored) {
        describe(clients, &run, outcome).await;
    }
    let to = if outcomes.iter().all(|outcome| outcome.restored) { Phase::RolledBack } else { Phase::Stuck };
    let reply = EndReply { ending: name_of(to), hold: request.hold, routes: outcomes, at: now.to_string() };
    let report = serde_json::to_value(&reply).map_err(|error| StepError::invalid(error.to_string()))?;
    let ending = Ending { at: now.to_string(), report };
    let change = Transition { run: &run, to, owner: &request.execution_arn, ending: Some(&ending) };
    clients.journal.transition(&change).await?;
    Ok(reply)
}

/// What the first pass wrote was written by this rollback too, and at its time.
fn with_first_pass(second: Outcome, first: &[Outcome]) -> Outcome {
    let first = first.iter().find(|first| first.route == second.route && first.changed && !second.changed);
    first.map_or(second.clone(), |first| Outcome { changed: true, at: first.at.clone(), ..second })
}

fn name_of(phase: Phase) -> &'static str {
    if phase == Phase::RolledBack { "RolledBack" } else { "Stuck" }
}

fn held((index, route): (usize, &Route)) -> Outcome {
    Outcome {
        route: Some(index),
        title: route.title(),
        restored: false,
        changed: false,
        error: None,
        live: None,
        change: None,
        at: None,
    }
}

/// An earlier try wrote the ending, and its answer was lost.
fn already_ended(run: &Run) -> StepResult<EndReply> {
    let report = run.ending.as_ref().map_or(Value::Null, |ending| ending.report.clone());
    let routes = report.get("routes").cloned().unwrap_or(Value::Array(Vec::new()));
    Ok(EndReply {
        ending: name_of(run.phase),
        hold: report.get("hold").and_then(Value::as_str).map(str::to_owned),
        routes: serde_json::from_value(routes).map_err(|error| StepError::invalid(error.to_string()))?,
        at: run.ending.as_ref().map(|ending| ending.at.clone()).unwrap_or_default(),
    })
}

/// The live state of a route that is not restored, and the exact change that restores it.
async fn describe(clients: &Clients, run: &Run, outcome: &mut Outcome) {
    let Some(index) = outcome.route else { return };
    match (run.plan.routes.get(index), run.before.get(index)) {
        (Some(Route::Listener(route)), Some(BeforeImage::Listener(before))) => {
            let live = listener_swap::observe::live(&clients.elb, route).await;
            outcome.live = Some(live.map_or_else(|error| error.to_string(), |live| live.state.describe()));
            outcome.change = Some(by_hand::listener(route, before));
        }
        (Some(Route::Dns(route)), Some(BeforeImage::Dns { records })) => {
            match weight_shift::observe::name(&clients.route53, route).await {
                Ok(live) => {
                    outcome.change = Some(by_hand::records(route, &live, records));
                    outcome.live = Some(live.describe());
                }
                Err(error) => {
                    outcome.change = Some(format!("make {} answer: {}", route.record_name, records.describe()));
                    outcome.live = Some(error.to_string());
                }
            }
        }
        _ => {}
    }
}
