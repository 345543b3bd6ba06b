//! `incident`: opens incidents, takes what people say of them, and tells those who have to know, until it is over.
//!
//! Reads: the incident's item in the journal's table, the run that it is about, the stack's groups. Writes: that item; what is to be told, to the
//! stack's topic of moments, from which `tell` brings it to groups by their channels, once each. Undo: there is none, since what was read cannot be
//! unread. It touches nothing else: an incident cannot change what a cutover does.
//!
//! The machine `incident` calls it: `take` once, and `look` until it is `done`. One execution follows an incident, and tells; every other one says its
//! piece, and ends. An execution that dies is followed by another, which a rule of EventBridge starts.
//!
//! What an incident is, what is due, and what anything said makes of it, is in the library [`incidents`]; what a message says, in [`message`].
//!
//! Errors: `Cutover.InvalidGesture` for what a person asks that cannot be done; AWS errors.

pub mod message;
mod open;
mod waves;

use cutover::contract::TakeRequest;
use cutover::counted;
use cutover::error::name;
use cutover::plan::{Moment, Stakeholders};
use cutover::stakeholders::StackGroups;
use cutover::{StepError, StepResult, input};
use incidents::asked::{Asked, Event, asked};
use incidents::decide::{self, Due, Levels, due, told};
use incidents::incident::Incident;
use incidents::taken::{self, OfRun, RunIsOver, Taken};
use incidents::timing::Timing;
use jiff::Timestamp;
use journal::{Follow, Journal, Phase, Run};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Changes that meet are made again so often.
const MOST_TRIES: usize = 8;
/// So many messages may be due at once: one of each kind, and then the next look has its turn.
const MOST_MESSAGES: usize = 8;
/// A look comes so often at the least, in seconds: what somebody says is told within this.
const LONGEST_WAIT_SECONDS: i64 = 30;

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The journal: incidents, and runs' plans.
    pub journal: Journal,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// Where what happened goes for `tell`.
    pub moments_topic_arn: String,
    /// What people start to say something: the ARN of `incident`.
    pub machine_arn: String,
    /// The stack's groups.
    pub stack: StackGroups,
    /// The times between messages.
    pub timing: Timing,
}

/// One call.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum Request {
    /// Takes what an execution was started with: see [`incidents::asked`].
    Take(TakeRequest),
    /// Tells what is due.
    Look(LookRequest),
}

/// By hand, since serde does not name the fields of a tagged part.
impl TryFrom<Value> for Request {
    type Error = String;

    fn try_from(request: Value) -> Result<Self, String> {
        match input::text(&request, "action")?.as_str() {
            "take" => input::read(request).map(Self::Take),
            "look" => input::read(request).map(Self::Look),
            other => Err(input::not_an_action(other, &["take", "look"])),
        }
    }
}

/// Which incident.
#[derive(Clone, Debug, Deserialize)]
pub struct LookRequest {
    /// The execution.
    pub execution_arn: String,
    /// The incident's id.
    pub incident: String,
    /// When the calling state was entered, RFC 3339: what is due is what was due then.
    pub at: Timestamp,
}

/// What was made of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeReply {
    /// The incident's id; none where there is none.
    pub incident: Option<String>,
    /// Whether this execution follows it.
    pub follows: bool,
    /// What was done.
    pub said: String,
}

/// What a look came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookReply {
    /// Whether nothing is left to tell, or another execution follows.
    pub done: bool,
    /// How long to wait before the next look.
    pub wait_seconds: i64,
    /// What was told: the kinds.
    pub told: Vec<decide::Kind>,
    /// How far people are.
    pub status: String,
}

/// Does one action.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, _now: Timestamp) -> StepResult<Value> {
    let reply = match request {
        Request::Take(request) => serde_json::to_value(take(clients, &request, request.at).await?),
        Request::Look(request) => serde_json::to_value(look(clients, &request, request.at).await?),
    };
    reply.map_err(|error| StepError::invalid(error.to_string()))
}

async fn take(clients: &Clients, request: &TakeRequest, now: Timestamp) -> StepResult<TakeReply> {
    let me = &request.execution_arn;
    match asked(&request.input).map_err(invalid)? {
        Asked::Open(open) => open::opened(clients, open, me, now).await,
        Asked::Say(id, what, say) => {
            let reply = change(clients, &id, now, |incident| match incident {
                Some(incident) => taken::said(incident, what, say.clone(), now),
                None => Err(format!("there is no incident {id}, and nothing was done: messages have the id")),
            })
            .await?;
            counted::count(now, &[("Said", what.name())], &[("Incidents", 1)]);
            Ok(reply)
        }
        Asked::Follow(id) => follow(clients, &id, me, now).await,
        Asked::Event(event) if event.state_machine_arn == clients.machine_arn => died(clients, &event, me, now).await,
        Asked::Event(event) => rolled(clients, &event, me, now).await,
    }
}

async fn follow(clients: &Clients, id: &str, me: &str, now: Timestamp) -> StepResult<TakeReply> {
    change(clients, id, now, |incident| match incident {
        Some(incident) => Ok(taken::followed(incident, me)),
        None => Err(format!("there is no incident {id}, and nothing was done")),
    })
    .await
}

/// An execution of `incident` ended before its time: what it followed is followed on by this one.
async fn died(clients: &Clients, event: &Event, me: &str, now: Timestamp) -> StepResult<TakeReply> {
    let given: Value = event.input.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let id = match asked(&given) {
        Ok(Asked::Open(_)) => Some(taken::id_of(&event.execution_arn)),
        Ok(Asked::Follow(id)) => Some(id),
        Ok(Asked::Event(of)) if of.state_machine_arn == clients.machine_arn => None,
        Ok(Asked::Event(of)) => match run_of(clients, &of).await? {
            Some(run) => Some(waves::id_of(clients, &run).await?),
            None => None,
        },
        _ => None,
    };
    let Some(id) = id else {
        return Ok(TakeReply { incident: None, follows: false, said: "it followed none".to_owned() });
    };
    let was = &event.execution_arn;
    change(clients, &id, now, |incident| match incident {
        Some(incident) if incident.owner == *was || incident.owner == me => Ok(taken::followed(incident, me)),
        _ => Ok(Taken { incident: None, follows: false, said: "another execution follows it".to_owned() }),
    })
    .await
}

/// An execution of `rollback` has begun or ended.
async fn rolled(clients: &Clients, event: &Event, me: &str, now: Timestamp) -> StepResult<TakeReply> {
    let Some(run) = run_of(clients, event).await? else {
        return Ok(TakeReply { incident: None, follows: false, said: "the journal has no such run".to_owned() });
    };
    let is_over = matches!(run.phase, Phase::RolledBack | Phase::Closed);
    if is_over && event.status == "RUNNING" {
        return Ok(TakeReply { incident: None, follows: false, said: format!("the run is {}", run.phase) });
    }
    let of_run = OfRun { run_id: run.run_id.clone(), application: run.plan.application.clone() };
    let id = taken::id_of(&of_run.run_id);
    if let Some(wave) = run.plan.wave.clone() {
        return waves::rolled(clients, event, of_run, &run, wave, (me, now)).await;
    }
    change(clients, &id, now, |incident| Ok(taken::of_rollback(incident, event, &of_run, me, &clients.timing, now)))
        .await
}

/// The run that a rollback is of: its output says it, or its input, or whoever holds the application.
async fn run_of(clients: &Clients, event: &Event) -> StepResult<Option<Run>> {
    let read = |text: &Option<String>| -> Value {
        text.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    let (output, input) = (read(&event.output), read(&event.input));
    let named = output["run_id"].as_str().or_else(|| input["run_id"].as_str());
    match (named, input["application"].as_str()) {
        (Some(run_id), _) if run_id.starts_with("arn:") => clients.journal.read(run_id).await,
        (None, Some(application)) => clients.journal.find(None, Some(application)).await,
        _ => Ok(None),
    }
}

/// Makes a change to an incident where nobody else has made one meanwhile; else decides again.
async fn change(
    clients: &Clients,
    id: &str,
    now: Timestamp,
    decide: impl Fn(Option<Incident>) -> Result<Taken, String>,
) -> StepResult<TakeReply> {
    for _ in 0..MOST_TRIES {
        let (incident, version) = read(&clients.journal, id).await?;
        let is_known = incident.is_some();
        let Taken { incident, follows, said } = decide(incident).map_err(invalid)?;
        let has_one = is_known || incident.is_some();
        let is_written = match incident {
            Some(incident) => remember(&clients.journal, &incident, version, now).await?,
            None => true,
        };
        if is_written {
            tracing::info!(incident = id, "{said}");
            return Ok(TakeReply { incident: has_one.then(|| id.to_owned()), follows, said });
        }
    }
    Err(contended(id))
}

/// Tells what is due, and remembers it. What was told and not remembered is told again by the next look, under the same name: `tell` knows it.
async fn look(clients: &Clients, request: &LookRequest, now: Timestamp) -> StepResult<LookReply> {
    let mut kinds = Vec::new();
    for _ in 0..MOST_MESSAGES {
        let (incident, version) = read(&clients.journal, &request.incident).await?;
        let Some(incident) = incident else {
            return Err(StepError::new(name::REFUSED, format!("there is no incident {}", request.incident)));
        };
        let reply = |done, wait_seconds, told| LookReply {
            done,
            wait_seconds,
            told,
            status: incident.status().name().to_owned(),
        };
        if incident.owner != request.execution_arn {
            return Ok(reply(true, 0, kinds));
        }
        if let Some(over) = over_by_itself(clients, &incident, now).await? {
            remember(&clients.journal, &over, version, now).await?;
            continue;
        }
        let stakeholders = stakeholders(clients, &incident).await?;
        let hearing = clients.stack.hearers(&stakeholders);
        let levels =
            Levels::of(hearing.iter().filter(|group| group.hears(Moment::Incident)).filter_map(|group| group.level()));
        match due(&incident, &clients.timing, levels, now) {
            Due::Nothing => return Ok(reply(true, 0, kinds)),
            Due::Then(at) => {
                let wait = at.duration_since(now).as_secs() + 1;
                return Ok(reply(false, wait.clamp(1, LONGEST_WAIT_SECONDS), kinds));
            }
            Due::Now(due) => {
                let after = told(incident.clone(), &due);
                let next = decide::next(&after, &clients.timing, levels, due.at);
                publish(clients, message::told(&incident, &due, &next, &clients.machine_arn, stakeholders)).await?;
                // Not remembered where somebody has said something meanwhile: then that is looked at, and this told again to nobody.
                if remember(&clients.journal, &after, version, now).await? {
                    kinds.push(due.kind);
                }
            }
        }
    }
    Ok(LookReply { done: false, wait_seconds: 1, told: kinds, status: String::new() })
}

/// Who hears of it: whom its run's plan names, or those of its wave, or those of the run that held the application when a person opened it.
async fn stakeholders(clients: &Clients, incident: &Incident) -> StepResult<Stakeholders> {
    if let Some(of_wave) = &incident.of_wave {
        return Ok(of_wave.stakeholders.clone());
    }
    let Some(run_id) = &incident.run_id else { return Ok(incident.stakeholders.clone().unwrap_or_default()) };
    Ok(clients.journal.read(run_id).await?.map(|run| run.plan.stakeholders).unwrap_or_default())
}

/// The incident as it is once the journal says that its run is over, if it does.
async fn over_by_itself(clients: &Clients, incident: &Incident, now: Timestamp) -> StepResult<Option<Incident>> {
    if incident.is_resolved() {
        return Ok(None);
    }
    if incident.of_wave.is_some() {
        return waves::over_by_itself(clients, incident, now).await;
    }
    let Some(run_id) = &incident.run_id else { return Ok(None) };
    let over = clients.journal.read(run_id).await?.as_ref().and_then(run_is_over);
    Ok(over.and_then(|over| taken::run_is_over(incident, &over, now)))
}

/// Whether nothing of a run is left to put back: what was not told by an event is seen here, and a release is told by none.
fn run_is_over(run: &Run) -> Option<RunIsOver> {
    match run.phase {
        Phase::RolledBack => Some(RunIsOver::Back),
        Phase::Closed => {
            let by = run.ending.as_ref().filter(|ending| ending.name() == Some("Released"));
            let by = by.map(|ending| ending.report["by"].as_str().unwrap_or("somebody").to_owned());
            Some(by.map_or(RunIsOver::Stays, RunIsOver::Released))
        }
        _ => None,
    }
}

async fn publish(clients: &Clients, told: cutover::told::Told) -> StepResult<()> {
    let text = serde_json::to_string(&told).map_err(|error| StepError::invalid(error.to_string()))?;
    let publish = clients.sns.publish().topic_arn(&clients.moments_topic_arn).message(text);
    publish.send().await.map(drop).map_err(|error| StepError::from_aws("sns:Publish", &error))
}

/// Writes it, if nobody was faster; until it is resolved, with what follows it on where the event of its execution's end is lost.
async fn remember(journal: &Journal, incident: &Incident, version: Option<u64>, now: Timestamp) -> StepResult<bool> {
    let follow = incident.followed().map(|named| Follow::by_event(&incident.owner, &named));
    journal.remember_incident(&incident.id, incident.written()?, version, follow.as_ref(), now).await
}

async fn read(journal: &Journal, id: &str) -> StepResult<(Option<Incident>, Option<u64>)> {
    let Some((text, version)) = journal.incident(id).await? else { return Ok((None, None)) };
    Ok((Some(Incident::read(id, &text)?), Some(version)))
}

fn invalid(problem: String) -> StepError {
    StepError::new(name::INVALID_GESTURE, problem)
}

fn contended(id: &str) -> StepError {
    StepError::new(name::TRANSIENT, format!("incident {id} is changed by others all the time"))
}
