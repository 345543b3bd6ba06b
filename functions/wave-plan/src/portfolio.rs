//! The portfolio: what a programme of migrations consists of, as types. A field's type, bounds, default and words stand here,
//! once: `events/portfolio.schema.json` is made from them, and [`Portfolio::read`] judges by that schema.

pub(crate) mod calendar;
mod check;
mod dependency;
mod read;

use cutover::Seconds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::calendar::{Calendar, Freeze, Holiday, Period, Weekday, Window};
pub use self::dependency::{Dependency, DependencyKind, Strength};

/// A civil date.
pub(crate) const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
/// A name that also a cutover plan may have.
pub(crate) const NAME: &str = "^[A-Za-z0-9_-]{1,64}$";

/// Applications that move, who moves them, and what has to be kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Portfolio {
    /// What the programme is called: 1 to 64 of `A-Z a-z 0-9 - _`.
    #[schemars(regex(pattern = NAME))]
    pub name: String,
    /// When something may move.
    pub calendar: Calendar,
    /// Who does the work.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub teams: Vec<Team>,
    /// How much a wave may hold.
    #[serde(default)]
    pub limits: Limits,
    /// The part of every team's capacity and of every window that is kept free for what goes otherwise than planned.
    #[serde(default = "twenty")]
    #[schemars(range(min = 0, max = 90))]
    pub contingency_percent: u32,
    /// What moves, or is retired, or stays.
    #[schemars(length(max = 5000))]
    pub applications: Vec<Application>,
    /// What has to come after, or together with, what.
    #[serde(default)]
    #[schemars(length(max = 20000))]
    pub dependencies: Vec<Dependency>,
}

fn twenty() -> u32 {
    20
}

/// A team, and how much it can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Team {
    /// The team's name: 1 to 64 of `A-Z a-z 0-9 - _`.
    #[schemars(regex(pattern = NAME))]
    pub name: String,
    /// Person-days a week, 0 to 1,000. A week with holidays has less, in proportion.
    pub days_per_week: f64,
}

/// How much a wave may hold. A wave is one maintenance window with the cutovers in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Limits {
    /// Cutovers in one wave.
    #[schemars(range(min = 1, max = 1000))]
    pub applications_per_wave: u32,
    /// Cutovers of applications of criticality `critical` in one wave.
    #[schemars(range(min = 0, max = 1000))]
    pub critical_per_wave: u32,
    /// Cutovers that run at a time.
    #[schemars(range(min = 1, max = 1000))]
    pub parallel_cutovers: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { applications_per_wave: 10, critical_per_wave: 2, parallel_cutovers: 4 }
    }
}

/// One application, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Application {
    /// The application's name, as in its cutover plan: 1 to 64 of `A-Z a-z 0-9 - _`.
    #[schemars(regex(pattern = NAME))]
    pub name: String,
    /// What becomes of it.
    pub strategy: Strategy,
    /// Who answers for it: a person or a team, in words.
    #[schemars(length(min = 1, max = 100))]
    pub owner: String,
    /// How bad it is if it fails.
    #[serde(default)]
    pub criticality: Criticality,
    /// Whether it goes first: nothing else moves before all pilots have, on an earlier day. What is bound to it in lockstep goes
    /// with it.
    #[serde(default)]
    pub pilot: bool,
    /// What its move is worth to the business; of two that could go first, the one that is worth more does.
    #[serde(default = "fifty")]
    #[schemars(range(min = 0, max = 100))]
    pub business_value: u32,
    /// How much data moves with it.
    #[schemars(range(min = 0, max = 10_000_000))]
    pub data_gib: Option<u32>,
    /// The work that precedes its day, by team.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub effort: Vec<Effort>,
    /// Over how many weeks before its day it is prepared, from the programme's first date on at the earliest; the work of its teams is
    /// spread over them. Left out: as many as its teams need at full capacity, one at least; none where no team works for it.
    #[schemars(range(min = 1, max = 52))]
    pub preparation_weeks: Option<u32>,
    /// How long its cutover takes, 1 m to 48 h. Only of what moves.
    #[serde(default = "an_hour")]
    pub cutover: Seconds,
    /// Where its cutover plan is. What moves has one, or `tasks`.
    #[schemars(length(min = 1, max = 300))]
    pub cutover_plan: Option<String>,
    /// What people do for it.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub tasks: Vec<Task>,
    /// The first date on which it may move.
    #[schemars(regex(pattern = DATE))]
    pub not_before: Option<String>,
    /// The last date on which it may move.
    #[schemars(regex(pattern = DATE))]
    pub not_after: Option<String>,
    /// When its owner would rather have it move. The programme does not get longer for it.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub preferred: Vec<Period>,
    /// When it must not move.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub forbidden: Vec<Period>,
}

impl Application {
    /// Whether a machine moves it: it takes one of the places of the cutovers that run at a time.
    pub(crate) fn has_cutover(&self) -> bool {
        self.strategy.moves() && self.cutover_plan.is_some()
    }
}

fn fifty() -> u32 {
    50
}

fn an_hour() -> Seconds {
    Seconds::hours(1)
}

/// The seven strategies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// It is switched off.
    Retire,
    /// It stays where it is; what depends on it has to know when that is settled.
    Retain,
    /// It moves as it is.
    Rehost,
    /// Its whole platform moves as it is.
    Relocate,
    /// It moves, with some of what it stands on changed.
    Replatform,
    /// A product takes its place.
    Repurchase,
    /// It is rebuilt for the cloud.
    Refactor,
}

impl Strategy {
    /// Whether it ends in a cutover, within a maintenance window. The others are tasks of a working day.
    pub fn moves(self) -> bool {
        matches!(self, Self::Rehost | Self::Relocate | Self::Replatform | Self::Refactor)
    }

    /// As in the portfolio.
    pub fn name(self) -> &'static str {
        match self {
            Self::Retire => "retire",
            Self::Retain => "retain",
            Self::Rehost => "rehost",
            Self::Relocate => "relocate",
            Self::Replatform => "replatform",
            Self::Repurchase => "repurchase",
            Self::Refactor => "refactor",
        }
    }
}

/// How bad a failure is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Criticality {
    /// Hardly anybody notices.
    Low,
    /// Some people cannot work.
    #[default]
    Medium,
    /// Customers notice.
    High,
    /// The business stands still.
    Critical,
}

/// What a team has to do for an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Effort {
    /// One of the portfolio's teams.
    #[schemars(regex(pattern = NAME))]
    pub team: String,
    /// Person-days, 0 to 10,000.
    pub days: f64,
}

/// Something that a person does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Task {
    /// What is to be done.
    #[schemars(length(min = 1, max = 200))]
    pub what: String,
    /// Who does it, if not the application's owner.
    #[schemars(length(min = 1, max = 100))]
    pub owner: Option<String>,
    /// When it is done.
    #[serde(default)]
    pub when: When,
}

/// When a task is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Before the application's day ends: its day waits for it.
    #[default]
    Before,
    /// After its day.
    After,
}
