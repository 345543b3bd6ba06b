//! `timeline`: what comes before and after a wave of a programme. It tells each milestone when it is due, has the wave's prechecks run and tells what has
//! turned red or green, tells how the wave gets on, and takes what people say is done.
//!
//! Reads: the timeline's item in the journal's table (`timeline#<wave>`), which programme is in force, how the wave stands, and what runs have done; programmes and
//! cutover plans in the bucket of reports. Writes: that item; what is to be told, to the stack's topic of moments, from which `tell` brings it to groups by their
//! channels, once each; executions of `cutover` in the mode `precheck`, which touch nothing. Undo: there is none, since what was read cannot be unread. It touches
//! nothing else: a timeline can neither start a wave nor keep one from starting.
//!
//! The machine `timeline` calls it: `take` once, and `look` until it is `done`. One execution follows a wave's timeline, and tells; every other one says its piece, and
//! ends. The wave's date is read anew at each look, from the programme in force: what is told is told of the date that is so. Of a single cutover the date is
//! what a person said last ([`timelines::single`]), and how far it is say its application's runs in the journal.
//!
//! | module | is |
//! |---|---|
//! | [`observe`] | the wave as it is scheduled, and how it stands |
//! | [`prechecks`] | prechecks, started and looked at |
//!
//! What is due is decided in [`timelines`]. Errors: `Cutover.InvalidGesture` for what a person asks that cannot be done; AWS errors.

pub mod observe;
pub mod prechecks;

use cutover::contract::TakeRequest;
use cutover::error::name;
use cutover::{StepError, StepResult, input};
use jiff::Timestamp;
use journal::{Follow, Journal};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use timelines::asked::{Asked, Cutover, asked};
use timelines::decide::{Then, next};
use timelines::message::{self, Around};
use timelines::said::{self, Taken};
use timelines::single;
use timelines::state::{State, What};

use crate::observe::Observed;

/// Changes that meet are made again so often.
const MOST_TRIES: usize = 8;

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The journal: timelines, programmes, waves, and runs.
    pub journal: Journal,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// Step Functions.
    pub sfn: aws_sdk_sfn::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// The bucket of reports.
    pub bucket: String,
    /// Where what happened goes for `tell`.
    pub moments_topic_arn: String,
    /// The ARN of `cutover`: what prechecks.
    pub cutover_arn: String,
    /// The ARN of `timeline`: people start it to say something.
    pub machine_arn: String,
}

/// One call.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum Request {
    /// Takes what an execution was started with: see [`mod@timelines::asked`].
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

/// Which timeline.
#[derive(Clone, Debug, Deserialize)]
pub struct LookRequest {
    /// The execution.
    pub execution_arn: String,
    /// The wave's name.
    pub wave: String,
    /// When the calling state was entered, RFC 3339: what is due is what was due then.
    pub at: Timestamp,
}

/// What was made of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeReply {
    /// The wave's name.
    pub wave: String,
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
    /// What was told.
    pub told: Vec<What>,
    /// Whose prechecks were started.
    pub started: Vec<String>,
}

/// Does one action.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, _now: Timestamp) -> StepResult<Value> {
    let reply = match request {
        Request::Take(request) => serde_json::to_value(take(clients, &request).await?),
        Request::Look(request) => serde_json::to_value(look(clients, &request).await?),
    };
    reply.map_err(|error| StepError::invalid(error.to_string()))
}

async fn take(clients: &Clients, request: &TakeRequest) -> StepResult<TakeReply> {
    let TakeRequest { execution_arn: me, input, at } = request;
    match asked(input).map_err(|findings| invalid(waves::asked::in_words(&findings)))? {
        Asked::Open { wave, portfolio } => follow(clients, &wave, &portfolio, me, *at).await,
        Asked::Cutover(name, said) => schedule(clients, (&name, &said), me, *at).await,
        Asked::Tick(wave, tick) => say(clients, &wave, *at, |state| said::ticked(state, &tick, *at)).await,
        Asked::Report(wave, report) => say(clients, &wave, *at, |state| said::reported(state, &report, *at)).await,
    }
}

fn missing(wave: &str) -> String {
    let named = cutover::text::named(wave, 64);
    format!("there is no timeline of a wave {named}, and nothing was done: messages have the wave's name")
}

async fn say(
    clients: &Clients,
    wave: &str,
    at: Timestamp,
    what: impl Fn(State) -> Result<Taken, String>,
) -> StepResult<TakeReply> {
    change(clients, wave, at, |state| state.map_or_else(|| Err(missing(wave)), &what)).await
}

/// The execution that has followed a timeline, where that is another one and has ended.
async fn left(clients: &Clients, wave: &str, me: &str) -> StepResult<Option<String>> {
    let known = read(&clients.journal, wave).await?.0;
    let Some(state) = known.filter(|state| state.owner != me) else { return Ok(None) };
    let owner = executions::status(&clients.sfn, &state.owner).await?;
    Ok(Some(state.owner).filter(|_| owner.is_none_or(|status| !cutover::contract::is_under_way(&status))))
}

/// A single cutover has a date, another one, or none any more.
async fn schedule(clients: &Clients, (name, said): (&str, &Cutover), me: &str, at: Timestamp) -> StepResult<TakeReply> {
    let left = left(clients, name, me).await?;
    change(clients, name, at, |state| single::scheduled(state, (name, said), me, left.as_deref(), at)).await
}

/// A timeline begins, or goes on where nobody follows it any more.
async fn follow(clients: &Clients, wave: &str, portfolio: &str, me: &str, at: Timestamp) -> StepResult<TakeReply> {
    let left = left(clients, wave, me).await?;
    change(clients, wave, at, |state| Ok(said::followed(state, wave, portfolio, me, left.as_deref(), at))).await
}

/// Makes a change to a timeline where nobody else has made one meanwhile; else decides again.
async fn change(
    clients: &Clients,
    wave: &str,
    at: Timestamp,
    decide: impl Fn(Option<State>) -> Result<Taken, String>,
) -> StepResult<TakeReply> {
    for _ in 0..MOST_TRIES {
        let (state, version) = read(&clients.journal, wave).await?;
        let Taken { state, follows, said } = decide(state).map_err(invalid)?;
        let is_written = match state {
            Some(state) => remember(clients, &state, version, at).await?,
            None => true,
        };
        if is_written {
            tracing::info!(wave, "{said}");
            return Ok(TakeReply { wave: wave.to_owned(), follows, said });
        }
    }
    Err(contended(wave))
}

/// Looks, decides, remembers, and then does. What was remembered and not told is told by a later look, in the same words: `tell` knows it.
async fn look(clients: &Clients, request: &LookRequest) -> StepResult<LookReply> {
    let LookRequest { execution_arn: me, wave, at } = request;
    for _ in 0..MOST_TRIES {
        let (Some(mut state), Some(version)) = read(&clients.journal, wave).await? else {
            return Err(StepError::new(name::REFUSED, format!("there is no timeline of {wave}")));
        };
        if state.owner != *me {
            return Ok(LookReply { done: true, wait_seconds: 0, told: Vec::new(), started: Vec::new() });
        }
        let before = state.clone();
        let observed = observe::observe(clients, &state, *at).await?;
        if let Some(plan) = &observed.plan {
            state.stakeholders = plan.stakeholders.clone();
        }
        let sights = prechecks::sights(clients, &state, observed.plan.as_ref(), *at).await;
        let next = next(state, &observed.seen, &sights, *at);
        let is_changed = next.state != before;
        if is_changed && !remember(clients, &next.state, Some(version), *at).await? {
            continue;
        }
        let started = prechecks::start(clients, &next.state, observed.plan.as_ref(), &next.start).await;
        let told = tell(clients, &next.state, &observed, me).await?;
        if !told.is_empty() {
            // Where somebody was faster, it is told again to nobody.
            let state = State { untold: Vec::new(), ..next.state };
            let version = version + u64::from(is_changed);
            remember(clients, &state, Some(version), *at).await?;
        }
        let (done, wait_seconds) = match next.then {
            Then::Over => (true, 0),
            Then::Look(then) => (false, then.duration_since(*at).as_secs().max(1)),
        };
        return Ok(LookReply { done, wait_seconds, told, started });
    }
    Err(contended(wave))
}

/// Gives what is to be told to `tell`. A digest in which there is nothing is not told.
async fn tell(clients: &Clients, state: &State, observed: &Observed, me: &str) -> StepResult<Vec<What>> {
    let around = Around {
        plan: observed.plan.as_ref(),
        closes: observed.closes,
        seen: &observed.seen,
        run: observed.run.clone(),
        bucket: &clients.bucket,
        execution_arn: me,
        machine_arn: &clients.machine_arn,
    };
    let mut told = Vec::new();
    for news in &state.untold {
        let message = match news.what {
            What::Digest(period) => observe::digest(clients, state, observed, period, news.at).await?,
            _ => Some(message::told(state, news, &around)),
        };
        if let Some(message) = message {
            let text = serde_json::to_string(&message).map_err(|error| StepError::invalid(error.to_string()))?;
            let publish = clients.sns.publish().topic_arn(&clients.moments_topic_arn).message(text);
            publish.send().await.map_err(|error| StepError::from_aws("sns:Publish", &error))?;
        }
        told.push(news.what.clone());
    }
    Ok(told)
}

async fn read(journal: &Journal, wave: &str) -> StepResult<(Option<State>, Option<u64>)> {
    let Some((text, version)) = journal.timeline(wave).await? else { return Ok((None, None)) };
    Ok((Some(State::read(wave, &text)?), Some(version)))
}

/// Writes how one stands, if nobody was faster; until it is over, with what follows it on where its execution has died.
async fn remember(clients: &Clients, state: &State, version: Option<u64>, at: Timestamp) -> StepResult<bool> {
    let follow = state.followed().map(|input| Follow::with(&state.owner, input));
    clients.journal.remember_timeline(&state.wave, state.written()?, version, follow.as_ref(), at).await
}

fn invalid(problem: String) -> StepError {
    StepError::new(name::INVALID_GESTURE, problem)
}

fn contended(wave: &str) -> StepError {
    StepError::new(name::TRANSIENT, format!("the timeline of {wave} is changed by others all the time"))
}
