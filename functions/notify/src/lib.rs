//! `notify`: tells people what a run does, by SNS.
//!
//! Reads: nothing. Writes: one message to the plan's topic; without a topic, none. Undo: there is none, since what was
//! read cannot be unread. Publishing twice, as retries may, is harmless: a message says what is so, asks for nothing to
//! be done twice, and names its run, so that a person sees that it is the same.
//!
//! Errors: AWS errors. The state machine catches and notes them: telling never changes what a run does.

pub mod decide;

use cutover::contract::Caller;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// SNS.
    pub sns: aws_sdk_sns::Client,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Somebody has to agree before anything is touched.
    Approval,
    /// The cutover ends before it has touched anything.
    NotStarted,
    /// The cutover begins to touch things.
    Started,
    /// A step was taken.
    Step,
    /// All traffic is on the new side.
    Finished,
    /// Everything is as it was before.
    RolledBack,
    /// Work is left to do by hand.
    Stuck,
    /// The rollback waits for a person's decision.
    Held,
    /// The rollback could not be begun or ended, and is tried again.
    Unfinished,
    /// Somebody changed what directs traffic between the cutover and its cleanup.
    Changed,
    /// The run is over for good.
    Closed,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 11] = [
        Self::Approval,
        Self::NotStarted,
        Self::Started,
        Self::Step,
        Self::Finished,
        Self::RolledBack,
        Self::Stuck,
        Self::Held,
        Self::Unfinished,
        Self::Changed,
        Self::Closed,
    ];
}

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// The plan's topic; without one, nobody is told.
    #[serde(default)]
    pub topic_arn: Option<String>,
    /// The application's name.
    pub application: String,
    /// What happened.
    pub event: Event,
    /// Everything else worth knowing. `step` reads `title` and `new_weight` from it; `not_started` reads `ending`; `stuck` and `held` read `hold`, the
    /// reason, and `routes`, a list of `{title, outcome or restored and error, live, change}`; `changed` reads `routes`, a list of
    /// `{title, live, left}`.
    #[serde(default)]
    pub detail: Value,
    /// For `approval`: what answers the state machine, by Step Functions' SendTaskSuccess and SendTaskFailure. Whoever
    /// reads the topic can answer.
    #[serde(default)]
    pub task_token: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Whether SNS took the message.
    pub sent: bool,
    /// SNS's identifier of the message.
    pub message_id: Option<String>,
    /// When, RFC 3339.
    pub at: String,
}

/// Publishes once.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let Request { caller, topic_arn, application, event, detail, task_token } = request;
    let at = now.to_string();
    let Some(topic) = topic_arn else { return Ok(Reply { sent: false, message_id: None, at }) };
    let publish = clients.sns.publish().topic_arn(&topic);
    let publish = publish.subject(decide::subject(&application, event));
    let mut text = decide::message(&application, event, &caller.run_id, &detail);
    if let Some(token) = &task_token {
        text = decide::approval_commands(&caller.run_id, token) + &text;
    }
    let publish = publish.message(text);
    let answer = publish.send().await;
    let answer = answer.map_err(|error| StepError::from_aws(&format!("sns:Publish {topic}"), &error))?;
    Ok(Reply { sent: true, message_id: answer.message_id, at })
}
