//! The programme: what the planner answers with. It is JSON, and the source of every report.

use serde::{Deserialize, Serialize};

use crate::portfolio::{Criticality, Strategy};

/// When everything of a portfolio moves, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Programme {
    /// The portfolio's name.
    pub portfolio: String,
    /// The time zone of its dates.
    pub time_zone: String,
    /// The first date.
    pub start: String,
    /// The date of the last move.
    pub end: String,
    /// How it was found, and how good it is.
    pub quality: Quality,
    /// The waves, in order: maintenance windows with cutovers in them.
    pub waves: Vec<Wave>,
    /// Every application, in the order of the days.
    pub placements: Vec<Placement>,
    /// What the teams do, week by week.
    pub teams: Vec<TeamLoad>,
    /// The applications that decide the end, from the first to the last: each waits for the one before it.
    pub critical_path: Vec<String>,
    /// Soft dependencies and preferred dates that are not kept, in words.
    pub unmet: Vec<String>,
    /// What the first plan said, and how far this one is from it.
    pub baseline: Option<Baseline>,
    /// What is otherwise than in the programme before.
    pub changes: Vec<Change>,
}

/// How a programme was found, and how good it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// How many days the programme takes, both ends included.
    pub days: i32,
    /// No programme is shorter than this.
    pub bound_days: i32,
    /// How much longer it is than that, in percent.
    pub gap_percent: f64,
    /// How many days it would take if everything that is not done might move, where it was planned anew and that is fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_from_scratch: Option<i32>,
    /// Whether it is proved that none is shorter.
    pub is_shortest: bool,
    /// How many schedules were made.
    pub schedules: usize,
    /// How many decisions the exact engine took.
    pub decisions: usize,
    /// What the search began with: the same seed, the same programme.
    pub seed: u64,
    /// Whether the clock ended the search; then another run may find another programme.
    pub is_out_of_time: bool,
    /// The part of every team and window that is kept free.
    pub contingency_percent: u32,
}

/// One maintenance window with the cutovers in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wave {
    /// From 1 on.
    pub number: usize,
    /// Its date.
    pub date: String,
    /// When its window opens, with the offset from UTC.
    pub opens: String,
    /// When its window closes.
    pub closes: String,
    /// What moves, stage by stage.
    pub applications: Vec<Staged>,
    /// How many minutes the cutovers take, whatever their order, and how many may be planned.
    pub minutes: i32,
    /// What may be planned of the window: the rest is kept free, and so is what comes after the beginning of a freeze or of a period in
    /// which one of them must not move.
    pub planned_minutes_most: i32,
    /// The sum of its applications' risk.
    pub risk: i64,
}

/// An application in a wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// Its name.
    pub name: String,
    /// From 1 on; what depends on another of the same wave is in a later stage.
    pub stage: usize,
    /// With which others it moves in lockstep.
    pub together_with: Vec<String>,
    /// Which others it comes after, by soft dependencies that are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_after: Vec<String>,
}

/// Where an application has its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Its name.
    pub application: String,
    /// What becomes of it.
    pub strategy: Strategy,
    /// Who answers for it.
    pub owner: String,
    /// How bad a failure is.
    pub criticality: Criticality,
    /// Whether it goes first.
    pub pilot: bool,
    /// The date on which it moves, or is done.
    pub date: String,
    /// The wave in which it moves; none for what does not move, and for what was done on a date without a window.
    pub wave: Option<usize>,
    /// When its preparation begins.
    pub preparation_from: Option<String>,
    /// Its risk, as a number to compare by.
    pub risk: i64,
    /// Whether it has ended, or runs.
    pub is_settled: bool,
    /// Why then, and not before.
    pub because: Vec<String>,
}

/// What a team does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamLoad {
    /// The team's name.
    pub team: String,
    /// Its weeks, from the programme's first to its last.
    pub weeks: Vec<WeekLoad>,
}

/// What a team does in one week.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeekLoad {
    /// The week's Monday.
    pub monday: String,
    /// Person-days that are planned.
    pub days: f64,
    /// Person-days that the team has, less holidays.
    pub capacity_days: f64,
}

/// The first plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Its last date.
    pub end: String,
    /// Its date for each application.
    pub dates: std::collections::BTreeMap<String, String>,
    /// How many days later the programme ends now; fewer than 0 for earlier.
    pub slip_days: i32,
}

/// An application that has another place than in the programme before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its name.
    pub application: String,
    /// Its date before; none if it is new.
    pub before: Option<String>,
    /// Its date now; none if it is gone.
    pub now: Option<String>,
    /// How many days later.
    pub days_later: i32,
}
