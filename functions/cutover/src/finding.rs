//! Findings: what precheck has to say, each with where, what is wrong, and what would be right.

use serde::{Deserialize, Serialize};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; the run goes on.
    Warning,
    /// The run ends here, with nothing touched.
    Error,
}

/// What kind of error a finding is; it decides the name of the run's ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The environment is not what the plan says.
    Environment,
    /// The plan itself is wrong.
    Plan,
    /// Another run holds the application or a route.
    Conflict,
}

/// One thing to say about a plan or its environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Whether the run ends here.
    pub severity: Severity,
    /// What kind of finding it is.
    pub kind: Kind,
    /// The place in the plan, as a JSON path: `$.routes[0].steps[1].new_weight`.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub fix: String,
}

impl Finding {
    /// The plan itself is wrong.
    pub fn plan(path: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::of(Severity::Error, Kind::Plan, path.into(), problem.into(), fix.into())
    }

    /// The environment is not what the plan says.
    pub fn environment(path: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::of(Severity::Error, Kind::Environment, path.into(), problem.into(), fix.into())
    }

    /// Another run holds what this one needs.
    pub fn conflict(path: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::of(Severity::Error, Kind::Conflict, path.into(), problem.into(), fix.into())
    }

    /// Worth knowing; the run goes on.
    pub fn warning(path: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::of(Severity::Warning, Kind::Environment, path.into(), problem.into(), fix.into())
    }

    fn of(severity: Severity, kind: Kind, path: String, problem: String, fix: String) -> Self {
        Self { severity, kind, path, problem, fix }
    }
}
