//! What people are asked while a run waits for them, and what they answer. Pure.
//!
//! A question is known by its [`id`], which is made of the run and the task's token: whoever stores it twice writes the same. The token
//! answers the state machine, so it stands in the journal, and in no page, link or log.
//!
//! A new kind of question is a variant of [`Kind`] with its [`Choice`]s; what a choice does to whoever waits is its [`Effect`]. An incident asks no
//! question of a run, and no machine waits for it: its links have choices, and what one does is in the incident itself.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::budget::{MOST_FINDING_BYTES, MOST_PLAN_BYTES, json_bytes};
use crate::contract::digest;
use crate::gestures;
use crate::{Plan, StepResult};

/// A name takes a line; the machine keeps 1,000 characters of it.
pub const MOST_NAME_CHARACTERS: usize = 200;
/// The machine keeps as many.
pub const MOST_REASON_CHARACTERS: usize = 1_000;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Whether the run may begin.
    Approval,
    /// Whether it goes on in spite of its load test.
    LoadTest,
    /// Whether it goes on in spite of a check that failed.
    Decision,
    /// Whether a wave may begin, with those that would go.
    Wave,
    /// Whether the waves of a programme are to be scheduled.
    Programme,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Approval, Self::LoadTest, Self::Decision, Self::Wave, Self::Programme];

    /// What may be answered.
    pub fn choices(self) -> &'static [Choice] {
        match self {
            Self::Approval | Self::LoadTest | Self::Wave | Self::Programme => &[Choice::Approve, Choice::Reject],
            Self::Decision => &[Choice::GoOn, Choice::GoBack],
        }
    }
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Yes, it may begin.
    Approve,
    /// No.
    Reject,
    /// Yes, in spite of what failed.
    GoOn,
    /// No, everything is put back.
    GoBack,
    /// Of an incident: somebody looks after it.
    Acknowledge,
    /// Of an incident: it is over.
    Resolve,
    /// Of a wave's checklists: something is done. Which, its form says.
    Tick,
}

/// What a choice does to whoever waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The task succeeds: Step Functions' SendTaskSuccess.
    Succeed,
    /// The task fails with this error: SendTaskFailure. The names are those of the messages' commands ([`gestures`]).
    Fail(&'static str),
    /// No task waits: it is said of an incident, or of a checklist.
    Say,
}

impl Choice {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Approve, Self::Reject, Self::GoOn, Self::GoBack, Self::Acknowledge, Self::Resolve, Self::Tick];

    /// Its name, in forms and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::GoOn => "go_on",
            Self::GoBack => "go_back",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::Tick => "tick",
        }
    }

    /// The letter that stands for it in a link.
    pub fn letter(self) -> char {
        match self {
            Self::Approve => 'a',
            Self::Reject => 'r',
            Self::GoOn => 'o',
            Self::GoBack => 'b',
            Self::Acknowledge => 'k',
            Self::Resolve => 'v',
            Self::Tick => 't',
        }
    }

    /// What it does.
    pub fn effect(self) -> Effect {
        match self {
            Self::Approve | Self::GoOn => Effect::Succeed,
            Self::Reject => Effect::Fail("Rejected"),
            Self::GoBack => Effect::Fail("GoBack"),
            Self::Acknowledge | Self::Resolve | Self::Tick => Effect::Say,
        }
    }
}

/// What is remembered of a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// What is asked.
    pub kind: Kind,
    /// The run: the ARN of its cutover execution; of a wave or a programme, of theirs.
    pub run_id: String,
    /// The application's name; the wave's, the portfolio's.
    pub application: String,
    /// What answers the state machine.
    pub task_token: String,
    /// Since when.
    pub asked_at: Timestamp,
    /// When silence becomes the answer.
    pub ends_at: Timestamp,
    /// Findings, steps, why, `lists` of sentences (each with `title` and `items`): what the message says, too.
    pub detail: Value,
    /// The plan with its defaults, as the run goes by it.
    pub plan: Value,
}

/// No time to answer is longer (a plan's `within`), and no clock goes wrong by it.
const MOST_SECONDS: u64 = 400 * 24 * 3600;

/// When silence becomes the answer.
pub fn ends_at(now: Timestamp, within_seconds: u64) -> Timestamp {
    let within = i64::try_from(within_seconds.min(MOST_SECONDS)).unwrap_or_default();
    now.saturating_add(SignedDuration::from_secs(within)).unwrap_or(now)
}

/// A plan as a question keeps it: one that is larger than any that precheck passes is not shown.
pub fn kept(plan: Value) -> Value {
    if json_bytes(&plan) <= MOST_PLAN_BYTES { plan } else { json!("too large to be shown") }
}

/// What a question may have beside its plan.
pub const MOST_DETAIL_BYTES: usize = 2 * MOST_FINDING_BYTES;

impl Question {
    /// Its id.
    pub fn id(&self) -> String {
        id(&self.run_id, &self.task_token)
    }
}

/// 32 hexadecimal digits that stand for a question of a run: from them nobody gets to the token.
pub fn id(run_id: &str, task_token: &str) -> String {
    digest(&format!("ask\n{run_id}\n{task_token}"))
}

/// For whom a topic's link is made: whoever subscribed to it.
pub fn of_topic(topic_arn: &str) -> String {
    format!("topic.{}", topic_arn.rsplit(':').next().unwrap_or_default())
}

/// For whom a group's is.
pub fn of_group(name: &str) -> String {
    format!("group.{name}")
}

/// Who answered what, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What.
    pub choice: Choice,
    /// Who, as they say; or, where `verified`, as whoever stands before the pages has found out.
    pub by: String,
    /// Whether they have signed on before they answered.
    #[serde(default)]
    pub verified: bool,
    /// Why.
    pub why: String,
    /// By whose link: `topic.<name>` or `group.<name>`.
    pub recipient: String,
    /// When.
    pub at: Timestamp,
}

impl Answer {
    /// The output of a task that succeeds by it, as the messages' commands have it, with the question: by that the journal tells who answered.
    pub fn output(&self, question: &Question) -> String {
        json!({ "by": self.by, "why": self.why, "plan": digest_of(&question.plan), "question": question.id() })
            .to_string()
    }

    /// The cause of a task that fails by it.
    pub fn cause(&self) -> String {
        format!("{}: {}", self.by, self.why)
    }
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handed {
    /// The run has taken it.
    Taken,
    /// Nobody waited for it any more: it has changed nothing.
    Late,
    /// Nobody waits for it any more, and whether an earlier try was in time is not known.
    TakenOrLate,
}

/// What a person who answers says of themselves, made fit.
///
/// # Errors
/// `Cutover.InvalidGesture`, which says what is to be written: what is missing, too long, or still a placeholder of ours.
pub fn said(name: &str, reason: &str) -> StepResult<(String, String)> {
    let (name, reason) = (name.trim(), reason.trim());
    gestures::signed_as("Your name", name, "write who you are")?;
    // On a page, and in an answer of a few words, "ok" is a reason: whose it is, the name says.
    gestures::said_as("Your reason", reason, "write why")?;
    gestures::short_enough("Your name", name.chars().count(), MOST_NAME_CHARACTERS)?;
    gestures::short_enough("Your reason", reason.chars().count(), MOST_REASON_CHARACTERS)?;
    Ok((name.to_owned(), reason.to_owned()))
}

/// A plan as it is asked about, compared and shown: as a run goes by it, however its numbers were written on the way. What is no plan is left as it is.
pub fn normal(plan: &Value) -> Value {
    let read = serde_json::from_value::<Plan>(plan.clone()).ok();
    read.and_then(|plan| serde_json::to_value(plan).ok()).unwrap_or_else(|| plan.clone())
}

/// What a plan is known by: [`digest_of`] of its normal form.
pub fn plan_digest(plan: &Value) -> String {
    digest_of(&normal(plan))
}

/// The SHA-256 of a value's canonical JSON, in hexadecimal: `jq -cSj . | sha256sum`.
pub fn digest_of(value: &Value) -> String {
    Sha256::digest(canonical(value).as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same for the same content: names sorted, no blanks, everything else as it is.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            let field = |(name, value): &(&String, &Value)| format!("{}:{}", json!(name), canonical(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
