//! What happened, as `notify` passes it on to the stack's topic of moments, and which moment that is. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::name::INCONCLUSIVE;
use crate::plan::{Group, Moment, Stakeholders};
use crate::{StepError, StepResult};

/// The event of an incident's messages. Their `run_id` is the incident's id; whom one is for, it says itself.
pub const INCIDENT: &str = "incident";

/// What happened in a run: never with the token that answers its state machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The run: the ARN of its execution.
    pub run_id: String,
    /// The application's name.
    pub application: String,
    /// The name of `notify`'s event.
    pub event: String,
    /// When the state that tells it was entered: the same for each of its tries.
    pub at: Timestamp,
    /// What the event says besides.
    #[serde(default)]
    pub detail: Value,
    /// Who hears of the run, where the journal does not say it yet: it has the plan once the run is claimed.
    #[serde(default)]
    pub stakeholders: Option<Stakeholders>,
    /// The id of the question ([`crate::ask`]) that can be answered by a page; none where nothing is asked, or no page answers it.
    #[serde(default)]
    pub ask: Option<String>,
}

impl Told {
    /// Which moment this is; none for an event that no group hears of.
    pub fn moment(&self) -> Option<Moment> {
        let is_inconclusive = self.detail["why"].as_str().is_some_and(|why| why.starts_with(INCONCLUSIVE));
        Some(match self.event.as_str() {
            "approval" | "load_test" => Moment::ApprovalWanted,
            "not_started" => Moment::NotStarted,
            "started" => Moment::Started,
            "step" if self.detail["is_last"] == true => Moment::Verifying,
            "step" => Moment::StepReached,
            "holding" if is_inconclusive => Moment::TooLittleData,
            "holding" => Moment::Holding,
            "finished" => Moment::Succeeded,
            "rolled_back" => Moment::RolledBack,
            "stuck" | "held" | "unfinished" => Moment::Stuck,
            "changed" | "trouble" => Moment::Trouble,
            "closed" => Moment::CleanupDone,
            INCIDENT => Moment::Incident,
            _ => return None,
        })
    }

    /// Whether a group hears of it, as far as its moments go. Of an incident those who respond hear up to a level, and the others where it says so.
    pub fn is_for(&self, group: &Group, moment: Moment) -> bool {
        let is_called = || match group.level() {
            Some(level) => self.detail["up_to_level"].as_u64().is_some_and(|up_to| u64::from(level) <= up_to),
            None => self.detail["informs"] == true,
        };
        group.hears(moment) && (moment != Moment::Incident || is_called())
    }

    /// What tells this moment from every other, of this run and of others; the same however often it is told.
    pub fn key(&self) -> String {
        format!("{}#{}#{}", self.run_id, self.event, self.at)
    }
}

/// One notification of the topic of moments, as SNS calls Lambda with it (SNS developer guide, Lambda endpoints).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What was published.
    #[serde(rename = "Sns")]
    pub sns: Notification,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// A [`Told`], as JSON.
    #[serde(rename = "Message")]
    pub message: String,
}

impl Record {
    /// What happened.
    ///
    /// # Errors
    /// `Cutover.InvalidPlan` for a message that is no [`Told`].
    pub fn told(&self) -> StepResult<Told> {
        serde_json::from_str(&self.sns.message)
            .map_err(|error| StepError::invalid(format!("what happened cannot be read: {error}")))
    }
}

/// What an incident tool makes of a moment.
pub fn event_action(moment: Moment, is_over: bool) -> &'static str {
    match moment {
        Moment::Incident if is_over => "resolve",
        Moment::Incident => "trigger",
        Moment::ApprovalWanted | Moment::Holding | Moment::TooLittleData | Moment::Stuck | Moment::Trouble => "trigger",
        Moment::NotStarted | Moment::Succeeded | Moment::RolledBack | Moment::CleanupDone => "resolve",
        Moment::Started | Moment::StepReached | Moment::Verifying => "none",
    }
}

/// How bad it is: `info`, `warning` or `critical`.
pub fn severity(told: &Told, moment: Moment) -> &'static str {
    match moment {
        Moment::Incident => match told.detail["severity"].as_str() {
            _ if told.detail["status"] == "resolved" => "info",
            Some("high" | "critical") => "critical",
            _ => "warning",
        },
        Moment::Stuck => "critical",
        Moment::ApprovalWanted | Moment::Holding | Moment::TooLittleData | Moment::Trouble | Moment::RolledBack => {
            "warning"
        }
        _ => "info",
    }
}
