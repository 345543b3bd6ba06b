//! What binds applications to each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NAME;

/// What binds two applications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Dependency {
    /// The application that comes first.
    #[schemars(regex(pattern = NAME))]
    pub first: String,
    /// The application that is bound to it.
    #[schemars(regex(pattern = NAME))]
    pub then: String,
    /// What has to be kept.
    pub kind: DependencyKind,
    /// The number of days, for `not_before_days` and `within_days`.
    #[schemars(range(min = 0, max = 3650))]
    pub days: Option<u32>,
    /// Whether the programme may be planned without it.
    #[serde(default)]
    pub strength: Strength,
    /// Why, for those who read the plan.
    #[schemars(length(min = 1, max = 300))]
    pub why: Option<String>,
}

/// What has to be kept between two applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DependencyKind {
    /// `then` moves after `first`: in a later wave, or later in the same one.
    Before,
    /// Both move in the same wave, in lockstep: at once, so that neither can come after the other.
    Together,
    /// `then` moves no earlier than so many days after `first`.
    NotBeforeDays,
    /// `then` follows `first` within so many days.
    WithinDays,
}

impl DependencyKind {
    /// As in the portfolio.
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Together => "together",
            Self::NotBeforeDays => "not_before_days",
            Self::WithinDays => "within_days",
        }
    }
}

/// How much a dependency binds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// It is kept, or there is no plan.
    #[default]
    Hard,
    /// It is kept where that does not make the programme longer.
    Soft,
}
