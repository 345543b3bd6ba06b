//! `wave`: moves the applications of a wave, in the order of what they need; follows what runs, and tells the truth about each.
//!
//! Reads: the wave's items in the journal's table, its runs' items, executions that have claimed nothing; cutover plans in the bucket of reports. Writes: the
//! wave's items; its page in the bucket of reports; what groups of stakeholders hear, to the stack's topic of moments; executions of `cutover` and `rollback` under names that are the same at every try; the flag that holds a run's step; messages to the topics
//! that the wave names. It touches no traffic: each application's cutover does, and undoes it by itself.
//! Undo: what it has started undoes itself; a person's `roll_back`, or more failures than are tolerated, has everything put back.
//!
//! The machine `wave` calls it: `take` once, `look` until it is `over`, `ask` where people have to agree, and `answered` with what they say. One execution
//! follows a wave; every other one says its piece, and ends. An execution that dies is followed by another, which a rule of EventBridge starts. Runs are
//! looked at in the journal, a hundred in one request; executions are described only before they have claimed, and few at a look: DescribeExecution
//! refills at 15 a second for the account (Step Functions quotas).
//!
//! | module | is |
//! |---|---|
//! | [`open`] | a wave is claimed |
//! | [`observe`] | what is seen of its applications |
//! | [`act`] | what it starts |
//! | [`late`] | what is put back after its end |
//! | [`tell`] | what people are asked and told |
//! | [`page`] | the page that says how it stands |
//!
//! What is decided, is decided in [`waves`]. Errors: `Cutover.InvalidPlan`, `Cutover.Conflict`, `Cutover.InvalidGesture` for what cannot be done as it stands;
//! AWS errors.

pub mod act;
mod late;
pub mod observe;
pub mod open;
pub mod page;
pub mod tell;

use cutover::contract::TakeRequest;
use cutover::error::name;
use cutover::stakeholders::StackGroups;
use cutover::{StepError, StepResult, input};
use jiff::Timestamp;
use journal::{Follow, Journal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use waves::asked::{Asked, Event, asked, in_words};
use waves::decide::{Then, next};
use waves::said::{self, Taken};
use waves::state::{Said, Stage, State};
use waves::{Order, ending, news};

/// Changes that meet are made again so often.
const MOST_TRIES: usize = 8;

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The journal: waves, and runs.
    pub journal: Journal,
    /// S3, for plans that are too many for an execution's input.
    pub s3: aws_sdk_s3::Client,
    /// Step Functions.
    pub sfn: aws_sdk_sfn::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// Who has to agree.
    pub approval: cutover::authority::Demanded,
    /// The topics that messages may go to.
    pub topics: cutover::authority::Topics,
    /// The addresses that mail may go to.
    pub mails: cutover::authority::Mails,
    /// The bucket of reports.
    pub bucket: String,
    /// Where what happened goes for `tell`.
    pub moments_topic_arn: String,
    /// The stack's groups.
    pub stack: StackGroups,
    /// What is started.
    pub machines: Machines,
    /// The pages that answer, where the stack has them.
    pub pages: Option<links::asking::Pages>,
}

/// State machines, by their ARNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machines {
    /// Moves one application.
    pub cutover: String,
    /// Puts one back.
    pub rollback: String,
    /// This function's own: people speak to it.
    pub wave: String,
}

/// One call.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum Request {
    /// Takes what an execution was started with: see [`mod@waves::asked`].
    Take(TakeRequest),
    /// Looks at everything, and starts what can start.
    Look(LookRequest),
    /// Asks those who have to agree.
    Ask(AskRequest),
    /// Takes what they have said.
    Answered(AnsweredRequest),
}

/// By hand, since serde does not name the fields of a tagged part.
impl TryFrom<Value> for Request {
    type Error = String;

    fn try_from(request: Value) -> Result<Self, String> {
        match input::text(&request, "action")?.as_str() {
            "take" => input::read(request).map(Self::Take),
            "look" => input::read(request).map(Self::Look),
            "ask" => input::read(request).map(Self::Ask),
            "answered" => input::read(request).map(Self::Answered),
            other => Err(input::not_an_action(other, &["take", "look", "ask", "answered"])),
        }
    }
}

/// Which wave.
#[derive(Clone, Debug, Deserialize)]
pub struct LookRequest {
    /// The execution.
    pub execution_arn: String,
    /// The wave's name.
    pub wave: String,
    /// When the calling state was entered, RFC 3339: what is decided is decided for then.
    pub at: Timestamp,
}

/// Whom to ask: the wave says.
#[derive(Clone, Debug, Deserialize)]
pub struct AskRequest {
    /// The wave's name.
    pub wave: String,
    /// What answers the machine.
    pub task_token: String,
}

/// What those who were asked have said.
#[derive(Clone, Debug, Deserialize)]
pub struct AnsweredRequest {
    /// The execution.
    pub execution_arn: String,
    /// The wave's name.
    pub wave: String,
    /// Whether they agree.
    pub yes: bool,
    /// Who said it, as far as they say.
    pub by: String,
    /// Why.
    pub why: String,
    /// When the calling state was entered, RFC 3339.
    pub at: Timestamp,
}

/// What was made of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeReply {
    /// The wave's name; none where there is none.
    pub wave: Option<String>,
    /// Whether this execution follows it.
    pub follows: bool,
    /// How many executions have followed it before.
    pub followed: u32,
    /// What was done.
    pub said: String,
}

/// What a look came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookReply {
    /// `look`, `ask` or `over`.
    pub next: String,
    /// How long to wait before the next look.
    pub wait_seconds: u64,
    /// How long those who are asked have to answer.
    pub within_seconds: u64,
    /// How it ended, once it has: a name.
    pub ending: Option<String>,
    /// The error with which the execution fails; none where it succeeds.
    pub error: Option<String>,
    /// Each application, by where it is.
    pub told: String,
    /// What was started.
    pub started: Vec<String>,
}

/// Does one action.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Value> {
    let reply = match request {
        Request::Take(request) => serde_json::to_value(take(clients, &request, now).await?),
        Request::Look(request) => serde_json::to_value(look(clients, &request).await?),
        Request::Ask(request) => serde_json::to_value(tell::ask(clients, &request, now).await?),
        Request::Answered(request) => serde_json::to_value(answered(clients, &request).await?),
    };
    reply.map_err(|error| StepError::invalid(error.to_string()))
}

async fn take(clients: &Clients, request: &TakeRequest, now: Timestamp) -> StepResult<TakeReply> {
    let TakeRequest { execution_arn: me, input, at } = request;
    let is_of_one = input.get("of").or(input.get("line")).is_some();
    let asked = asked(input).map_err(|findings| {
        let name = if is_of_one { name::INVALID_GESTURE } else { name::INVALID_PLAN };
        StepError::new(name, in_words(&findings))
    })?;
    match asked {
        Asked::Open(wave) => open::open(clients, *wave, me, *at).await,
        Asked::Say(gesture) => {
            change(clients, &gesture.of, me, *at, |order, state| said::said(order, state, &gesture, me, *at)).await
        }
        Asked::Line(gesture) => {
            // By the clock of the functions that heed it.
            let said = clients.journal.line_said(&gesture, now).await?;
            Ok(TakeReply { wave: None, follows: false, followed: 0, said })
        }
        Asked::Event(event) => died(clients, &event, me, *at).await,
    }
}

/// An execution of `wave` has ended before its time: what it followed is followed on by this one. Or a rollback has ended, perhaps after its wave.
async fn died(clients: &Clients, event: &Event, me: &str, at: Timestamp) -> StepResult<TakeReply> {
    let nothing = |said: &str| TakeReply { wave: None, follows: false, followed: 0, said: said.to_owned() };
    if event.state_machine_arn == clients.machines.rollback {
        return Ok(nothing(&late::rolled_back(clients, event, at).await?));
    }
    if event.state_machine_arn != clients.machines.wave {
        return Ok(nothing("another machine's execution"));
    }
    let Some(wave) = observe::wave_of(&clients.sfn, event).await? else { return Ok(nothing("it followed none")) };
    if clients.journal.wave(&wave).await?.is_none() {
        return Ok(nothing("it had claimed none"));
    }
    change(clients, &wave, me, at, |_, state| Ok(said::died(state, event, me, at))).await
}

async fn answered(clients: &Clients, request: &AnsweredRequest) -> StepResult<TakeReply> {
    let said = Said { by: request.by.clone(), why: request.why.clone(), at: request.at };
    change(clients, &request.wave, &request.execution_arn, request.at, |order, state| {
        Ok(said::answered(order, state, request.yes, said.clone()))
    })
    .await
}

/// Makes a change to a wave where nobody else has made one meanwhile; else decides again. A wave that nobody follows, since the event that tells of its
/// execution's end was lost, or came before a claim that was on its way, is followed by whoever speaks of it.
async fn change(
    clients: &Clients,
    wave: &str,
    me: &str,
    at: Timestamp,
    decide: impl Fn(&Order, State) -> Result<Taken, String>,
) -> StepResult<TakeReply> {
    for _ in 0..MOST_TRIES {
        let Some((order, state, version)) = read(clients, wave).await? else {
            return Err(invalid(format!("there is no wave {}, and nothing was done", cutover::text::named(wave, 64))));
        };
        let followed = state.followed;
        let mut taken = decide(&order, state.clone()).map_err(invalid)?;
        if !taken.follows && observe::is_left(&clients.sfn, &state, me).await? {
            let Taken { state, follows, .. } = said::left(taken.state.unwrap_or(state), me);
            taken = Taken { state, follows, said: taken.said };
        }
        let Taken { state, follows, said } = taken;
        let followed = state.as_ref().map_or(followed, |state| state.followed);
        let is_written = match state {
            Some(state) => remember(clients, wave, &state, Some(version), at).await?,
            None => true,
        };
        if is_written {
            tracing::info!(wave, "{said}");
            return Ok(TakeReply { wave: Some(wave.to_owned()), follows, followed, said });
        }
    }
    Err(contended(wave))
}

/// Looks, decides, remembers, and then does. What was remembered and not done is done by a later look, under the same names.
async fn look(clients: &Clients, request: &LookRequest) -> StepResult<LookReply> {
    let LookRequest { execution_arn: me, wave, at } = request;
    for _ in 0..MOST_TRIES {
        let Some((order, state, version)) = read(clients, wave).await? else {
            return Err(StepError::new(name::REFUSED, format!("there is no wave {wave}")));
        };
        if state.owner != *me {
            return Ok(LookReply::handed_over());
        }
        let sights = observe::sights(clients, &order, &state, *at).await?;
        let before = state.clone();
        let state = observe::earlier(clients, &order, state).await?;
        let line = clients.journal.line().await?;
        let mut next = next(&order, state, &sights, &line, *at);
        news::notice(&order, &mut next.state, *at);
        let is_changed = next.state != before;
        if is_changed && !remember(clients, wave, &next.state, Some(version), *at).await? {
            continue;
        }
        let started = act::act(clients, &order, &next.state, &next.actions).await?;
        if is_changed {
            page::write(clients, &order, &next.state, &line, *at).await;
        }
        if next.state.is_to_be_told() || !next.state.untold.is_empty() {
            tell::groups(clients, &order, &next.state).await?;
            if next.state.is_to_be_told() {
                tell::tell(clients, &order, &next.state).await?;
            }
            // Where somebody was faster, they are told again: a message says what is so, and does no harm.
            let told = State { told: Some(next.state.stage), untold: Vec::new(), ..next.state.clone() };
            remember(clients, wave, &told, Some(version + u64::from(is_changed)), *at).await?;
        }
        return Ok(LookReply::of(&order, &next.state, &next.then, started));
    }
    Err(contended(wave))
}

impl LookReply {
    fn of(order: &Order, state: &State, then: &Then, started: Vec<String>) -> Self {
        let (then, wait_seconds, ending) = match then {
            Then::Look(seconds) => ("look", *seconds, None),
            Then::Ask => ("ask", 0, None),
            Then::Over(ending) => ("over", 0, Some(*ending)),
        };
        let within_seconds = order.approval.as_ref().map_or(0, |approval| approval.within.0);
        Self {
            next: then.to_owned(),
            wait_seconds,
            within_seconds,
            ending: ending.map(|ending| ending.words().to_owned()),
            error: ending.and_then(|ending| ending.error()).map(str::to_owned),
            told: ending::sentence(order, state),
            started,
        }
    }

    /// Another execution follows it.
    fn handed_over() -> Self {
        Self {
            next: "over".to_owned(),
            wait_seconds: 0,
            within_seconds: 0,
            ending: Some("another execution follows it".to_owned()),
            error: None,
            told: String::new(),
            started: Vec::new(),
        }
    }
}

/// How a wave stands, and what it goes by.
async fn read(clients: &Clients, wave: &str) -> StepResult<Option<(Order, State, u64)>> {
    let Some((text, version)) = clients.journal.wave(wave).await? else { return Ok(None) };
    let unreadable = |error: serde_json::Error| StepError::new(name::REFUSED, format!("wave {wave}: {error}"));
    let state: State = serde_json::from_str(&text).map_err(unreadable)?;
    let order = clients.journal.wave_part(&state.id, waves::order::PART).await?;
    let order = order.ok_or_else(|| StepError::new(name::REFUSED, format!("wave {wave}: its order is not there")))?;
    Ok(Some((serde_json::from_str(&order).map_err(unreadable)?, state, version)))
}

/// Writes how a wave stands, if nobody was faster; until it is over, with what follows it on where the event of its execution's end is lost.
pub(crate) async fn remember(
    clients: &Clients,
    wave: &str,
    state: &State,
    version: Option<u64>,
    at: Timestamp,
) -> StepResult<bool> {
    let text = state.text().map_err(|error| StepError::invalid(format!("the wave: {error}")))?;
    let follow = (state.stage != Stage::Over).then(|| Follow::by_event(&state.owner, &json!({ "of": wave })));
    clients.journal.remember_wave(wave, text, version, follow.as_ref(), at).await
}

fn invalid(problem: String) -> StepError {
    StepError::new(name::INVALID_GESTURE, problem)
}

fn contended(wave: &str) -> StepError {
    StepError::new(name::TRANSIENT, format!("wave {wave} is changed by others all the time"))
}
