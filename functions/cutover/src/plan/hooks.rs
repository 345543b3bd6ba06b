//! Hooks: functions of the application that the state machine invokes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{default, pattern, rule};
use crate::Seconds;

/// The functions to invoke, in order, at each point. Each may be invoked more than once and must be idempotent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, extend("allOf" = rule::quiesce_has_its_undo()))]
pub struct Hooks {
    /// Stop the writers, right before the first traffic moves.
    pub quiesce: Vec<Hook>,
    /// The undo of `quiesce`: let the old side's writers write again.
    pub resume: Vec<Hook>,
    /// After the routes are prepared, before the first traffic moves.
    pub before_traffic: Vec<Hook>,
    /// After all traffic is on the new side, before the run is final.
    pub after_traffic: Vec<Hook>,
    /// Collect evidence as a rollback begins, before traffic returns. They are started and not waited for, so they can neither
    /// delay nor fail it.
    pub on_rollback: Vec<Hook>,
}

impl Hooks {
    /// The points, as a plan names them, and their hooks.
    pub fn points(&self) -> [(&'static str, &[Hook]); 5] {
        [
            ("quiesce", &self.quiesce),
            ("resume", &self.resume),
            ("before_traffic", &self.before_traffic),
            ("after_traffic", &self.after_traffic),
            ("on_rollback", &self.on_rollback),
        ]
    }
}

/// A function to invoke; an error of its own makes the run roll back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Hook {
    /// The Lambda function: one that the stack's `hookFunctionArns` lists.
    #[schemars(regex(pattern = pattern::FUNCTION_ARN))]
    pub function_arn: String,
    /// How long it may take, 1 s to 15 min; the function's own time-out must not exceed it.
    #[serde(default = "default::seconds::<60>")]
    pub timeout: Seconds,
}
