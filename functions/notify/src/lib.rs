//! `notify`: tells people what a run does, by SNS.
//!
//! Reads: nothing; with pages that answer, the key of their links. Writes: one message to the plan's topic, or to the stack's own where the plan's is not
//! listed (which nobody has to have read: a plan that is wrong is told of too), without a topic none; before it, with
//! pages that answer, the question (`ask#<id>` in the journal's table) and that a link to it was made; and what happened to the stack's topic of
//! moments, from which `tell` has what it tells groups of stakeholders. Whatever becomes of that neither fails this function nor holds it up: it pages operators,
//! asks for approvals, and is small. Undo: there is none, since what was
//! read cannot be unread. Publishing twice, as retries may, is harmless: a message says what is so, asks for nothing to
//! be done twice, and names its run, so that a person sees that it is the same.
//!
//! Errors: AWS errors. The state machine catches and notes them: telling never changes what a run does.

mod ask;
mod changes;
pub mod decide;
mod moments;
mod screen;
mod told;

use cutover::authority::Topics;
use cutover::contract::Caller;
use cutover::gestures::Machines;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decide::Told;
pub use links::asking::Pages;

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// The topics that messages may go to.
    pub topics: Topics,
    /// Where what happened goes for `tell`.
    pub moments_topic_arn: String,
    /// What a person can start, for the commands.
    pub machines: Machines,
    /// The pages that answer; none where the stack has none.
    pub pages: Option<Pages>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Somebody has to agree before anything is touched.
    Approval,
    /// Somebody has to say whether the run goes on in spite of its load test.
    LoadTest,
    /// The cutover ends before it has touched anything.
    NotStarted,
    /// The cutover begins to touch things.
    Started,
    /// A step was taken.
    Step,
    /// A step's checks failed, and a person has to say whether the run goes on or back.
    Holding,
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
    /// The new side fails, or shows no data, between the cutover and its cleanup.
    Trouble,
    /// The run is over for good.
    Closed,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 14] = [
        Self::Approval,
        Self::LoadTest,
        Self::NotStarted,
        Self::Started,
        Self::Step,
        Self::Holding,
        Self::Finished,
        Self::RolledBack,
        Self::Stuck,
        Self::Held,
        Self::Unfinished,
        Self::Changed,
        Self::Trouble,
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
    /// Everything else worth knowing: [`decide`] says what each event reads of it. `not_done` are texts that every event tells.
    #[serde(default)]
    pub detail: Value,
    /// For `approval`, `holding` and `load_test`: what answers the state machine, by Step Functions' SendTaskSuccess and SendTaskFailure. Whoever
    /// reads the topic can answer.
    #[serde(default)]
    pub task_token: Option<String>,
    /// When the state that tells it was entered, RFC 3339: the same for each of its tries.
    #[serde(default)]
    pub entered_at: Option<String>,
    /// Who hears of it besides, where the journal does not have the plan yet.
    #[serde(default)]
    pub stakeholders: Value,
    /// For what is asked: the plan with its defaults, which the page that answers shows.
    #[serde(default)]
    pub plan: Value,
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
    let request = changes::shown(request);
    let asked = ask::remember(clients.pages.as_ref(), &request, now).await;
    let told = page(clients, &request, asked.as_ref().map(|asked| asked.link.as_str()), now).await;
    // After the page, which is what cannot wait.
    moments::publish(clients, &request, asked.map(|asked| asked.id), now).await;
    told
}

async fn page(clients: &Clients, request: &Request, link: Option<&str>, now: Timestamp) -> StepResult<Reply> {
    let Request { caller, topic_arn, application, event, detail, task_token, .. } = request;
    let at = now.to_string();
    let Some(topic) = topic_arn.as_deref().and_then(|wanted| clients.topics.or_own(wanted)) else {
        return Ok(Reply { sent: false, message_id: None, at });
    };
    if Some(topic) != topic_arn.as_deref() {
        let run_id = &caller.run_id;
        tracing::warn!(
            run_id,
            topic_arn,
            "the plan's topic is none that this stack lists: the stack's own gets the message"
        );
    }
    let publish = clients.sns.publish().topic_arn(topic);
    let told = Told {
        application,
        event: *event,
        run_id: &caller.run_id,
        detail,
        task_token: task_token.as_deref(),
        link,
        machines: &clients.machines,
    };
    let publish = publish.subject(decide::subject_of(&told)).message(decide::message(&told));
    let answer = publish.send().await;
    let answer = answer.map_err(|error| StepError::from_aws(&format!("sns:Publish {topic}"), &error))?;
    Ok(Reply { sent: true, message_id: answer.message_id, at })
}
