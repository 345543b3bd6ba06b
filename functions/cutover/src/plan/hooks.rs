//! Hooks: functions of the application that the state machine invokes.

use deserr::Deserr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Seconds;

/// The functions to invoke, in order, at each point. Each may be invoked more than once and must be idempotent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Deserr, JsonSchema)]
#[deserr(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub struct Hooks {
    /// Stop the writers, right before the first traffic moves.
    #[deserr(default)]
    #[serde(default)]
    pub quiesce: Vec<Hook>,
    /// The undo of `quiesce`: let the old side's writers write again.
    #[deserr(default)]
    #[serde(default)]
    pub resume: Vec<Hook>,
    /// After the routes are prepared, before the first traffic moves.
    #[deserr(default)]
    #[serde(default)]
    pub before_traffic: Vec<Hook>,
    /// After all traffic is on the new side, before the run is final.
    #[deserr(default)]
    #[serde(default)]
    pub after_traffic: Vec<Hook>,
}

impl Hooks {
    /// The points, as a plan names them, and their hooks.
    pub fn points(&self) -> [(&'static str, &[Hook]); 4] {
        [
            ("quiesce", &self.quiesce),
            ("resume", &self.resume),
            ("before_traffic", &self.before_traffic),
            ("after_traffic", &self.after_traffic),
        ]
    }
}

/// A function to invoke; an error of its own makes the run roll back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Deserr, JsonSchema)]
#[deserr(deny_unknown_fields)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// The Lambda function.
    pub function_arn: String,
    /// How long it may take; the function's own time-out must not exceed it.
    #[deserr(default = Seconds(60))]
    #[serde(default = "one_minute")]
    pub timeout: Seconds,
}

fn one_minute() -> Seconds {
    Seconds(60)
}
