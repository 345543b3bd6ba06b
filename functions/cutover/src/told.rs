//! What happened, as `notify` passes it on to the stack's topic of moments, and which moment that is. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::name::INCONCLUSIVE;
use crate::plan::{Group, Moment, Stakeholders};
use crate::text::is_plain_command;
use crate::{StepError, StepResult};

/// The event of an incident's messages. Their `run_id` is the incident's id; whom one is for, it says itself.
pub const INCIDENT: &str = "incident";

/// The events of a wave. Their `run_id` is the execution that claimed it; whom one is for, it says itself. What is told of a stage, and that somebody is
/// asked, is for those who follow a wave closely.
pub mod wave {
    /// It is about to be checked.
    pub const ANNOUNCED: &str = "wave_announced";
    /// Somebody has to let it go.
    pub const APPROVAL: &str = "wave_approval";
    /// Its first cutovers start.
    pub const BEGUN: &str = "wave_begun";
    /// A stage is done.
    pub const STAGE: &str = "wave_stage";
    /// Nothing new starts, or everything goes back.
    pub const HELD: &str = "wave_held";
    /// It goes on.
    pub const RESUMED: &str = "wave_resumed";
    /// It is over.
    pub const ENDED: &str = "wave_ended";
}

/// The events of a timeline. Their `run_id` is the wave's name; whom one is for, it says itself.
pub mod timeline {
    /// What is due so long before, or after, a wave.
    pub const MILESTONE: &str = "timeline_milestone";
    /// Prechecks have turned from green to red, or back.
    pub const CHECK: &str = "timeline_check";
    /// Something of a checklist is late.
    pub const REMINDER: &str = "timeline_reminder";
    /// The wave runs.
    pub const DURING: &str = "timeline_during";
    /// The wave is not on this date any more, or is again.
    pub const MOVED: &str = "timeline_moved";
    /// What a programme has done, and what comes.
    pub const DIGEST: &str = "digest";
}

/// The command by which a person deletes what a removal of cleanup's kept, where it is a command and nothing else: it is shown whole.
pub fn by_hand(removal: &Value) -> Option<&str> {
    removal["by_hand"].as_str().filter(|command| is_plain_command(command))
}

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
            wave::APPROVAL | wave::STAGE => Moment::WaveProgress,
            wave::ANNOUNCED | wave::BEGUN | wave::HELD | wave::RESUMED | wave::ENDED => Moment::Wave,
            timeline::MILESTONE | timeline::CHECK | timeline::REMINDER | timeline::DURING | timeline::MOVED => {
                Moment::Timeline
            }
            timeline::DIGEST => Moment::Digest,
            _ => return None,
        })
    }

    /// Whether it is of a run, and not of an incident, a wave or what is before and after one.
    pub fn is_of_run(&self) -> bool {
        let of_others = [Moment::Incident, Moment::Wave, Moment::WaveProgress, Moment::Timeline, Moment::Digest];
        self.moment().is_none_or(|moment| !of_others.contains(&moment))
    }

    /// Whether a group hears of it, as far as its moments go. Of an incident those who respond hear up to a level, and the others where it says so; what a
    /// timeline tells may be for groups of some formats only.
    pub fn is_for(&self, group: &Group, moment: Moment) -> bool {
        let is_called = || match group.level() {
            Some(level) => self.detail["up_to_level"].as_u64().is_some_and(|up_to| u64::from(level) <= up_to),
            None => self.detail["informs"] == true,
        };
        let is_of_format = || match self.detail["formats"].as_array() {
            Some(formats) => formats.iter().any(|format| format == group.format().name()),
            None => true,
        };
        group.hears(moment)
            && match moment {
                Moment::Incident => is_called(),
                Moment::Timeline | Moment::Digest => is_of_format(),
                _ => true,
            }
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
        // It went on: what somebody was asked before is decided, by whom ever, and whatever is wrong then is told anew.
        Moment::Started | Moment::StepReached | Moment::Verifying => "resolve",
        // The runs of a wave say by themselves what needs a person.
        Moment::Wave | Moment::WaveProgress | Moment::Timeline | Moment::Digest => "none",
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
        Moment::CleanupDone if told.detail["released"] == true => "warning",
        Moment::Wave | Moment::WaveProgress | Moment::Timeline | Moment::Digest => {
            match told.detail["severity"].as_str() {
                Some("critical") => "critical",
                Some("warning") => "warning",
                _ => "info",
            }
        }
        Moment::ApprovalWanted | Moment::Holding | Moment::TooLittleData | Moment::Trouble | Moment::RolledBack => {
            "warning"
        }
        _ => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_is_resolved_once_the_run_goes_on() {
        for asks in [Moment::ApprovalWanted, Moment::Holding, Moment::TooLittleData] {
            assert_eq!(event_action(asks, false), "trigger");
        }
        for goes_on in [Moment::Started, Moment::StepReached, Moment::Verifying] {
            assert_eq!(event_action(goes_on, false), "resolve");
        }
    }
}
