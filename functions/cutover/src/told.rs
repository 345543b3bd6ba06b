//! What happened, as `notify` passes it on to the stack's topic of moments, and which moment that is. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::name::INCONCLUSIVE;
use crate::plan::{Moment, Stakeholders};

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
            _ => return None,
        })
    }

    /// What tells this moment from every other, of this run and of others; the same however often it is told.
    pub fn key(&self) -> String {
        format!("{}#{}#{}", self.run_id, self.event, self.at)
    }
}

/// What an incident tool makes of a moment.
pub fn event_action(moment: Moment) -> &'static str {
    match moment {
        Moment::ApprovalWanted | Moment::Holding | Moment::TooLittleData | Moment::Stuck | Moment::Trouble => "trigger",
        Moment::NotStarted | Moment::Succeeded | Moment::RolledBack | Moment::CleanupDone => "resolve",
        Moment::Started | Moment::StepReached | Moment::Verifying => "none",
    }
}

/// How bad it is: `info`, `warning` or `critical`.
pub fn severity(moment: Moment) -> &'static str {
    match moment {
        Moment::Stuck => "critical",
        Moment::ApprovalWanted | Moment::Holding | Moment::TooLittleData | Moment::Trouble | Moment::RolledBack => {
            "warning"
        }
        _ => "info",
    }
}
