//! How the old side served its users before the first step.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern;
use crate::Seconds;

/// What is written down of the old side before the first step: its load balancers' requests, errors and latency. It is
/// information about users' traffic, for the report; no step depends on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Baseline {
    /// How long before now, 5 min to 24 h.
    pub window: Seconds,
    /// Whether the same time a week ago is written down, too.
    pub week_ago: bool,
    /// Further metrics of the old side, such as CPU and memory.
    #[schemars(length(max = 20))]
    pub resources: Vec<BaselineMetric>,
    /// What a person knows of the old side: CloudWatch is not asked for these figures then.
    pub given: Option<Figures>,
}

impl Default for Baseline {
    fn default() -> Self {
        Self { window: Seconds::hours(1), week_ago: true, resources: Vec::new(), given: None }
    }
}

/// A metric of the old side that is written down: its average and its highest minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BaselineMetric {
    /// How a person calls it, with its unit.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// The metric's namespace, such as `AWS/EC2`.
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
}

/// How a side served its users. What is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Figures {
    /// Requests in the whole window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub requests: Option<f64>,
    /// Those of them that the targets answered with 5xx, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub error_percent: Option<f64>,
    /// Half of the answers took no longer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub p50_ms: Option<f64>,
    /// 95 of 100 answers took no longer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub p95_ms: Option<f64>,
    /// 99 of 100 answers took no longer, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub p99_ms: Option<f64>,
}
