//! Where an application is, and what is known of its execution. Pure.

use serde::{Deserialize, Serialize};

/// Where an application is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Is {
    /// On its old side, and not yet started.
    Waiting,
    /// On its old side: it was not let go.
    LeftBehind,
    /// On its old side: the wave ended before its turn.
    NotStarted,
    /// Its precheck runs.
    Checking,
    /// Its cutover runs.
    Running,
    /// Wholly on its new side.
    Moved,
    /// It is put back.
    RollingBack,
    /// Exactly as it was before.
    Back,
    /// Its cutover ended before anything was touched.
    Refused,
    /// A person has to look after it: some of it may be on either side.
    Stuck,
    /// It has no cutover, and its tasks are done.
    Done,
}

impl Is {
    /// In words that follow an application's name.
    pub fn words(self) -> &'static str {
        match self {
            Self::Waiting => "waits",
            Self::LeftBehind => "is left behind",
            Self::NotStarted => "was not started",
            Self::Checking => "is checked",
            Self::Running => "runs",
            Self::Moved => "is on its new side",
            Self::RollingBack => "is put back",
            Self::Back => "was put back",
            Self::Refused => "was refused",
            Self::Stuck => "needs a person",
            Self::Done => "is done",
        }
    }
}

/// What is known of an execution that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// Nothing: it may not even have been started.
    #[default]
    Nothing,
    /// It runs, and has claimed nothing.
    UnderWay,
    /// Its run is in the journal.
    Claimed,
}
