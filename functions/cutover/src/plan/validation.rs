//! What has to hold once all traffic is on the new side, beside its health check.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern;
use crate::Seconds;

/// What has to hold once all traffic is on the new side, beside its health check: CPU, memory and the like of both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Validation {
    /// Limits of metrics.
    #[schemars(length(max = 20))]
    pub limits: Vec<ResourceLimit>,
    /// How far back they are looked at, 3 min to 3 h: no longer than the last step is held, or what was before counts too.
    pub window: Seconds,
    /// What happens when one does not hold.
    pub on_violation: OnLimit,
}

impl Default for Validation {
    fn default() -> Self {
        Self { limits: Vec::new(), window: Seconds::minutes(5), on_violation: OnLimit::default() }
    }
}

/// A metric that must not be above a limit in any minute. One without a value does not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ResourceLimit {
    /// How a person calls it, with its side and unit.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// The metric's namespace, such as `AWS/ECS`.
    #[schemars(length(min = 1, max = 255))]
    pub namespace: String,
    /// The metric's name, such as `CPUUtilization`.
    #[schemars(length(min = 1, max = 255))]
    pub metric_name: String,
    /// The metric's dimensions; CloudWatch matches all of them exactly.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p99`.
    #[schemars(regex(pattern = pattern::STATISTIC))]
    pub statistic: String,
    /// The highest value that holds, in the metric's own unit.
    pub max: f64,
}

/// What happens when a limit does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnLimit {
    /// The run is rolled back.
    #[default]
    RollBack,
    /// It is told with the run's end, and the run goes on.
    Report,
}
