//! How a timeline stands: one text of the journal, changed only where nobody else has changed it meanwhile. Pure.

use std::collections::BTreeMap;

use cutover::error::name;
use cutover::plan::Stakeholders;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::checks::Checks;
use crate::milestone::Milestone;
use crate::single::Single;

/// How it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The wave's name.
    pub wave: String,
    /// The portfolio whose programme has it; of a single cutover, its own name.
    pub portfolio: String,
    /// A single cutover, of which no programme knows.
    #[serde(default)]
    pub single: Option<Single>,
    /// The execution that follows it.
    pub owner: String,
    /// When it was first scheduled.
    pub since: Timestamp,
    /// Who hears of it, as the wave last said: those who have heard of a date hear that it is gone.
    #[serde(default)]
    pub stakeholders: Stakeholders,
    /// When the wave's window opens, as it was last told or seen; none while the programme in force has no such wave.
    pub opens: Option<Timestamp>,
    /// When it was to open, while it has no date.
    #[serde(default)]
    pub was: Option<Timestamp>,
    /// What was told, and when; or passed over, since it was past when the wave was first scheduled.
    #[serde(default)]
    pub told: BTreeMap<Milestone, Told>,
    /// Whether somebody had heard of a date before this one: what was told of that is not in `told` any more.
    #[serde(default)]
    pub is_heard: bool,
    /// What people say is done.
    #[serde(default)]
    pub ticks: BTreeMap<String, Tick>,
    /// Whose checklists were reminded of.
    #[serde(default)]
    pub reminded: Vec<Milestone>,
    /// What only people know, by its name.
    #[serde(default)]
    pub figures: BTreeMap<String, Figure>,
    /// What prechecks have found.
    #[serde(default)]
    pub checks: Checks,
    /// When it was last told that the wave runs.
    #[serde(default)]
    pub during_at: Option<Timestamp>,
    /// Up to when digests were told, weekly and daily.
    #[serde(default)]
    pub digests: BTreeMap<Period, Timestamp>,
    /// What is still to be told: remembered before it is, so that it is the same however often it is tried.
    #[serde(default)]
    pub untold: Vec<News>,
    /// Whether nothing comes any more.
    #[serde(default)]
    pub is_over: bool,
}

/// What became of a milestone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// Whether it was passed over: another message stood in its place.
    #[serde(default)]
    pub passed_over: bool,
}

/// Something is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Who says so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A figure that only people have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// As they wrote it.
    pub value: String,
    /// Who says so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How often a digest comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// To those who decide.
    Weekly,
    /// To engineers.
    Daily,
}

impl Period {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Weekly, Self::Daily];

    /// For which format.
    pub fn format(self) -> &'static str {
        match self {
            Self::Weekly => "summary",
            Self::Daily => "technical",
        }
    }
}

/// One thing to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// What.
    pub what: What,
    /// When it was noticed; of a digest, when it was due.
    pub at: Timestamp,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A milestone, and those in whose place it stands.
    Milestone {
        /// Which.
        is: Milestone,
        /// When it was due.
        due_at: Timestamp,
        /// What was past already.
        passed_over: Vec<Milestone>,
    },
    /// Some have turned red, or green.
    Check {
        /// Red now, and not before.
        red: Vec<String>,
        /// Green now, and red before.
        green: Vec<String>,
    },
    /// Something of these checklists is late.
    Reminder(Milestone),
    /// The wave runs.
    During,
    /// Its window opens at another time, or at none; `was`: at which before.
    Moved {
        /// None: it had no date.
        was: Option<Timestamp>,
    },
    /// What the programme has done, and what comes.
    Digest(Period),
}

impl State {
    /// A timeline to which nothing has happened yet.
    pub fn opened(wave: &str, portfolio: &str, owner: &str, at: Timestamp) -> Self {
        Self {
            wave: wave.to_owned(),
            portfolio: portfolio.to_owned(),
            single: None,
            owner: owner.to_owned(),
            since: at,
            stakeholders: Stakeholders::default(),
            opens: None,
            was: None,
            told: BTreeMap::new(),
            is_heard: false,
            ticks: BTreeMap::new(),
            reminded: Vec::new(),
            figures: BTreeMap::new(),
            checks: Checks::default(),
            during_at: None,
            digests: BTreeMap::new(),
            untold: Vec::new(),
            is_over: false,
        }
    }

    /// As it is kept in the journal.
    ///
    /// # Errors
    /// `Cutover.Refused` where it cannot be read.
    pub fn read(wave: &str, text: &str) -> StepResult<Self> {
        serde_json::from_str(text)
            .map_err(|error| StepError::new(name::REFUSED, format!("the timeline of {wave}: {error}")))
    }

    /// The same, to be kept.
    ///
    /// # Errors
    /// None that is known.
    pub fn written(&self) -> StepResult<String> {
        serde_json::to_string(self).map_err(|error| StepError::invalid(format!("the timeline: {error}")))
    }

    /// What another execution is started with that follows it on; none where nothing comes any more.
    pub fn followed(&self) -> Option<Value> {
        (!self.is_over).then(|| json!({ "of": self.wave, "portfolio": self.portfolio }))
    }

    /// Whether anybody has heard of the date.
    pub fn is_heard_of(&self) -> bool {
        self.is_heard || self.told.values().any(|told| !told.passed_over)
    }

    /// The milestones that people were told of, or that another one stood for: whose checklists count.
    pub fn open_checklists(&self) -> impl Iterator<Item = Milestone> {
        Milestone::ALL.into_iter().filter(|milestone| self.told.contains_key(milestone))
    }

    /// Whether something of a checklist is not done.
    pub fn has_open_items(&self, milestone: Milestone) -> bool {
        milestone.items().iter().any(|item| !self.ticks.contains_key(item.name))
    }
}
