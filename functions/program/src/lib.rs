//! `program`: plans a portfolio, publishes the programme, asks whether it is to be scheduled, and keeps one schedule for each of its waves.
//!
//! Reads: a portfolio, of its input or of the bucket of reports (`portfolios/`); which cutover plans there are (`plans/`); the programme before; what runs have done,
//! of the journal. Writes: `programmes/<portfolio>/<execution>/` in that bucket; which programme is in force (`programme#<portfolio>` in the journal); the one-time
//! schedules of its waves, in the stack's group for them; one message to those who are asked. Undo: the programme before is planned again; a schedule is deleted by
//! whoever may. It moves no traffic: `wave` does, when its schedule starts it.
//!
//! The machine `program` calls it, one action after the other, each of which may run twice: objects are written again as they were, a schedule is compared before
//! it is changed, and looked at once more after. Nothing is written before there is a programme. A schedule that is none of ours is left alone.
//!
//! | module | is |
//! |---|---|
//! | [`mod@asked`] | what an execution is started with |
//! | [`planning`], [`estimates`], [`waves`] | from a portfolio, and what runs have shown, to a programme, and to what each wave is started with |
//! | [`documents`], [`calendar`], [`plans`], [`message`] | what people read: programme, calendar, runbooks, what is asked |
//! | [`decide`], [`names`], [`zone`] | which schedules there are to be |
//! | [`schedules`], [`store`] | reading and writing |
//!
//! Errors: `Cutover.InvalidGesture` for an input, `Cutover.InvalidPortfolio` for a portfolio, `Cutover.NoProgramme` where there is none; `Cutover.Conflict` where another
//! programme of the portfolio is in force by now; `Cutover.Drift` where a schedule that a wave needs is somebody else's; AWS errors.

pub mod asked;
pub mod calendar;
pub mod decide;
pub mod documents;
pub mod estimates;
pub mod message;
pub mod names;
pub mod planning;
pub mod plans;
pub mod schedules;
pub mod store;
pub mod waves;
pub mod zone;

mod act;
mod publish;

use cutover::{Seconds, StepError, StepResult, input};
use jiff::Timestamp;
use journal::Journal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::asked::{Approval, Mode};
use crate::schedules::Schedules;
use crate::store::Store;

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The journal: which programme is in force, and what runs have done.
    pub journal: Journal,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// The topics that messages may go to.
    pub topics: cutover::authority::Topics,
    /// The bucket of reports.
    pub store: Store,
    /// The schedules of waves.
    pub schedules: Schedules,
    /// Where the commands of runbooks go.
    pub stack: runbooks::Stack,
    /// The pages that answer, where the stack has them.
    pub pages: Option<links::asking::Pages>,
}

/// One call.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum Request {
    /// Plans.
    Plan(PlanRequest),
    /// Leaves what people read.
    Publish(PublishRequest),
    /// Asks whether it is to be scheduled.
    Ask(AskRequest),
    /// Makes it the programme in force, and some of what its schedules need.
    Schedule(ScheduleRequest),
}

/// By hand, since serde does not name the fields of a tagged part.
impl TryFrom<Value> for Request {
    type Error = String;

    fn try_from(request: Value) -> Result<Self, String> {
        match input::text(&request, "action")?.as_str() {
            "plan" => input::read(request).map(Self::Plan),
            "publish" => input::read(request).map(Self::Publish),
            "ask" => input::read(request).map(Self::Ask),
            "schedule" => input::read(request).map(Self::Schedule),
            other => Err(input::not_an_action(other, &["plan", "publish", "ask", "schedule"])),
        }
    }
}

/// What an execution was started with.
#[derive(Clone, Debug, Deserialize)]
pub struct PlanRequest {
    /// The execution.
    pub execution_arn: String,
    /// Its input: see [`mod@asked`].
    pub input: Value,
    /// When the calling state was entered, RFC 3339: today is its date.
    pub at: Timestamp,
}

/// Which programme.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub struct OfProgramme {
    /// The execution that planned it.
    pub execution_arn: String,
    /// The portfolio's name.
    pub portfolio: String,
}

/// By hand, since serde does not name the fields of a flattened part.
impl TryFrom<Value> for OfProgramme {
    type Error = String;

    fn try_from(request: Value) -> Result<Self, String> {
        let text = |field| input::text(&request, field);
        Ok(Self { execution_arn: text("execution_arn")?, portfolio: text("portfolio")? })
    }
}

/// What to leave.
#[derive(Clone, Debug, Deserialize)]
pub struct PublishRequest {
    /// Which programme.
    #[serde(flatten)]
    pub of: OfProgramme,
    /// When the calling state was entered, RFC 3339: the same whenever it is tried again.
    pub at: Timestamp,
}

/// Whom to ask, and by what they answer.
#[derive(Clone, Debug, Deserialize)]
pub struct AskRequest {
    /// Which programme.
    #[serde(flatten)]
    pub of: OfProgramme,
    /// The topic of those who may agree.
    pub topic_arn: String,
    /// How long they have.
    pub within: Seconds,
    /// The address of the page.
    pub page: String,
    /// What answers the state machine.
    pub task_token: String,
}

/// What to schedule.
#[derive(Clone, Debug, Deserialize)]
pub struct ScheduleRequest {
    /// Which programme.
    #[serde(flatten)]
    pub of: OfProgramme,
    /// Which version of what is in force was there when it was planned; none: there was none.
    #[serde(default)]
    pub version: Option<u64>,
    /// How long before its window a wave is started.
    pub start_before: Seconds,
    /// Whether groups of stakeholders hear of its waves beforehand.
    #[serde(default = "yes")]
    pub timelines: bool,
    /// When the calling state was entered, RFC 3339.
    pub at: Timestamp,
}

fn yes() -> bool {
    true
}

/// What was planned.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Planned {
    /// The portfolio's name.
    pub portfolio: String,
    /// How far to go.
    pub mode: Mode,
    /// Who has to agree.
    pub approval: Option<Approval>,
    /// How long before its window a wave is started.
    pub start_before: Seconds,
    /// Whether groups of stakeholders hear of its waves beforehand.
    pub timelines: bool,
    /// Which version of what is in force was there.
    pub version: Option<u64>,
    /// The first date, and that of the last move.
    pub from_to: [String; 2],
    /// How many waves have something to move.
    pub waves: usize,
    /// How many days later than in the first plan it ends; none of a first plan.
    pub slip_days: Option<i32>,
    /// How many applications have another date than before.
    pub changes: usize,
    /// What people should know, and what keeps nothing back.
    pub notes: Vec<String>,
}

/// Where it can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Published {
    /// The page with the chart, in the console.
    pub page: String,
    /// The same as Markdown.
    pub markdown: String,
    /// Its table.
    pub table: String,
    /// A calendar to import: waves, and what is due with reminders.
    pub calendar: String,
    /// Everything, as JSON.
    pub json: String,
    /// Where all of them are; runbooks below `runbooks/`.
    pub folder: String,
    /// How many runbooks there are.
    pub runbooks: usize,
    /// What people should know of the cutover plans that are there.
    pub notes: Vec<String>,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// SNS's identifier of the message.
    pub message_id: Option<String>,
}

/// How the schedules stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Scheduled {
    /// Whether they are as they should be: what was changed is looked at once more.
    pub done: bool,
    /// How long to wait before that.
    pub wait_seconds: u64,
    /// Made by this call.
    pub made: Vec<String>,
    /// Changed by this call.
    pub moved: Vec<String>,
    /// Removed by this call.
    pub removed: Vec<String>,
    /// As they should be.
    pub kept: Vec<String>,
    /// Somebody else's, and left alone.
    pub foreign: Vec<String>,
    /// Waves whose window has closed: nothing starts them.
    pub over: Vec<String>,
}

/// Does one action.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Value> {
    let reply = match request {
        Request::Plan(request) => serde_json::to_value(act::plan(clients, &request).await?),
        Request::Publish(request) => serde_json::to_value(publish::publish(clients, &request).await?),
        Request::Ask(request) => serde_json::to_value(act::ask(clients, &request, now).await?),
        Request::Schedule(request) => serde_json::to_value(act::schedule(clients, &request, now).await?),
    };
    reply.map_err(|error| StepError::invalid(error.to_string()))
}
