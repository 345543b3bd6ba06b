//! What an incident is: a value, as it lies in the journal's table. Pure.

use cutover::error::name;
use cutover::plan::Stakeholders;
use cutover::{StepError, StepResult};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::wave::OfWave;

/// How bad it is. Each has its own times: [`crate::timing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nobody is hurt yet.
    Low,
    /// Some are, or may be soon.
    Medium,
    /// Users are hurt: those who have to know are told too.
    High,
    /// Users are hurt, and only a person can end it.
    Critical,
}

impl Severity {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Whether those hear of it who do not respond, and whether an acknowledgement ends by itself.
    pub fn is_severe(self) -> bool {
        self >= Self::High
    }
}

/// How far people are with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is looked into.
    Investigating,
    /// The cause is known.
    Identified,
    /// It is mended, and watched.
    Monitoring,
    /// It is over.
    Resolved,
}

impl Status {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }
}

/// What somebody said of it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// When.
    pub at: Timestamp,
    /// How far people are.
    pub status: Status,
    /// In their words.
    pub text: String,
    /// Who.
    pub by: String,
}

/// Who looks after it, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
}

/// Who was told, and when: what the next message follows from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Those who respond were told up to this level.
    pub level: u8,
    /// When that level was told first, or when nobody looked after it any more.
    pub level_at: Timestamp,
    /// When those who respond were last told.
    pub responders_at: Timestamp,
    /// When those were last told who do not respond; none if they never were.
    #[serde(default)]
    pub informed_at: Option<Timestamp>,
    /// So many of the updates were told.
    pub updates: usize,
    /// Whether it was said that repeats come less often.
    #[serde(default)]
    pub is_slower_said: bool,
    /// Whether the end was told.
    #[serde(default)]
    pub is_end_told: bool,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// `i-` and twelve digits.
    pub id: String,
    /// The execution that follows it: it alone tells.
    pub owner: String,
    /// The run that it is about.
    #[serde(default)]
    pub run_id: Option<String>,
    /// The application that it is about.
    #[serde(default)]
    pub application: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// In one line.
    pub title: String,
    /// What happened.
    #[serde(default)]
    pub description: String,
    /// What users have of it.
    #[serde(default)]
    pub impact: String,
    /// What was done so far.
    #[serde(default)]
    pub actions_taken: Vec<String>,
    /// What comes next.
    #[serde(default)]
    pub next_steps: String,
    /// When it may be over, in somebody's words.
    #[serde(default)]
    pub estimated_resolution: String,
    /// How the rollback of its run ended that a person is needed for: `held`, `unfinished` or `stuck`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the first message is due.
    pub first_at: Timestamp,
    /// What was said of it since, oldest first.
    #[serde(default)]
    pub updates: Vec<Update>,
    /// How often it has changed whether somebody looks after it, or whether it is over: a page that was opened before decides nothing any more.
    #[serde(default)]
    pub turns: u32,
    /// Who looks after it now.
    #[serde(default)]
    pub acknowledged: Option<Acknowledged>,
    /// Executions whose end is known: what is told of them late opens nothing.
    #[serde(default)]
    pub ended: Vec<String>,
    /// Who hears of it, where a person opened it for an application that a run held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stakeholders: Option<Stakeholders>,
    /// The runs of a wave, where it is about those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_wave: Option<OfWave>,
    /// Who was told; none before the first message.
    #[serde(default)]
    pub heard: Option<Heard>,
}

impl Incident {
    /// How far people are.
    pub fn status(&self) -> Status {
        self.updates.last().map_or(Status::Investigating, |update| update.status)
    }

    /// Whether it is over.
    pub fn is_resolved(&self) -> bool {
        self.status() == Status::Resolved
    }

    /// When something is said of it at `now`: after all that is known of it, whoever's clock is behind, so that its messages have moments of their own.
    pub fn moment(&self, now: Timestamp) -> Timestamp {
        let updates = self.updates.iter().map(|update| update.at);
        let heard = self.heard.iter().flat_map(|heard| [Some(heard.responders_at), heard.informed_at]).flatten();
        let known = updates.chain(heard).chain(self.acknowledged.iter().map(|acknowledged| acknowledged.at));
        let last = known.fold(self.opened_at, Timestamp::max);
        now.max(last + SignedDuration::from_millis(1))
    }

    /// Reads one as it is kept.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn read(id: &str, text: &str) -> StepResult<Self> {
        serde_json::from_str(text).map_err(|error| StepError::new(name::REFUSED, format!("incident {id}: {error}")))
    }

    /// As it is kept.
    ///
    /// # Errors
    /// None that is known.
    pub fn written(&self) -> StepResult<String> {
        serde_json::to_string(self).map_err(|error| StepError::invalid(format!("the incident: {error}")))
    }

    /// The input that names it, for as long as an execution has to follow it: until it is resolved.
    pub fn followed(&self) -> Option<Value> {
        (!self.is_resolved()).then(|| json!({ "incident": self.id, "follow": 0 }))
    }
}
