//! What is watched while a step is held.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{default, pattern};
use crate::Seconds;

/// The checks of a hold, and how many of them may fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Monitoring {
    /// The time between two checks.
    pub interval: Seconds,
    /// So many unhealthy checks in a row roll the run back.
    #[schemars(range(min = 1, max = 100))]
    pub failure_limit: u32,
    /// So many checks in a row without data roll the run back.
    #[schemars(range(min = 1, max = 100))]
    pub no_data_limit: u32,
    /// Target groups whose targets must be healthy.
    pub target_groups: Vec<GroupHealth>,
    /// CloudWatch metrics and the values that mean trouble.
    #[schemars(length(max = 100))]
    pub metrics: Vec<Metric>,
    /// CloudWatch alarms that must be OK.
    #[schemars(length(max = 100))]
    pub alarms: Vec<String>,
    /// What INSUFFICIENT_DATA means, by the alarm's name, once the alarm must have seen the new side's traffic: for
    /// those of `alarms` where it is not inconclusive.
    pub alarms_missing: BTreeMap<String, AlarmMissing>,
}

impl Default for Monitoring {
    fn default() -> Self {
        Self {
            interval: Seconds(60),
            failure_limit: 2,
            no_data_limit: 3,
            target_groups: Vec::new(),
            metrics: Vec::new(),
            alarms: Vec::new(),
            alarms_missing: BTreeMap::new(),
        }
    }
}

impl Monitoring {
    /// What it means that this alarm has no data.
    pub fn missing_of(&self, alarm: &str) -> AlarmMissing {
        self.alarms_missing.get(alarm).copied().unwrap_or_default()
    }
}

/// What an alarm without data means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlarmMissing {
    /// Nobody can tell; it counts towards `no_data_limit`.
    #[default]
    Inconclusive,
    /// All is well: only for alarms on metrics that are silent when nothing is wrong.
    Healthy,
    /// Trouble.
    Unhealthy,
}

/// A target group whose targets must be healthy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GroupHealth {
    /// The target group.
    #[schemars(regex(pattern = pattern::ELB_ARN))]
    pub target_group_arn: String,
    /// The share of its targets that must be healthy, compared exactly.
    #[serde(default = "default::u8::<80>")]
    #[schemars(range(min = 1, max = 100))]
    pub min_healthy_percent: u8,
}

/// A metric and the value that means trouble: `statistic [/ divide_by] comparison threshold` is unhealthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Metric {
    /// How a person calls it.
    pub name: String,
    /// The metric's namespace, such as `AWS/ApplicationELB`.
    pub namespace: String,
    /// The metric's name.
    pub metric_name: String,
    /// The metric's dimensions; CloudWatch matches all of them exactly.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p99`.
    #[schemars(regex(pattern = pattern::STATISTIC))]
    pub statistic: String,
    /// The length of one datapoint; a multiple of 60 s.
    #[serde(default = "default::seconds::<60>")]
    pub period: Seconds,
    /// A second series that divides this one: a rate instead of a count.
    pub divide_by: Option<Series>,
    /// When the value is trouble.
    pub comparison: Comparison,
    /// The value compared with; 0 is a threshold like any other.
    pub threshold: f64,
    /// What a missing value means.
    #[serde(default)]
    pub missing: Missing,
}

/// A series of datapoints: what a metric is divided by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Series {
    /// The metric's namespace; that of the metric it divides where it is left out.
    pub namespace: Option<String>,
    /// The metric's name.
    pub metric_name: String,
    /// The dimensions; those of the metric it divides where they are left out.
    pub dimensions: Option<BTreeMap<String, String>>,
    /// The statistic; that of the metric it divides where it is left out.
    #[schemars(regex(pattern = pattern::STATISTIC))]
    pub statistic: Option<String>,
    /// The length of one datapoint; it must be that of the metric it divides.
    pub period: Option<Seconds>,
}

/// When a value is trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Above the threshold.
    GreaterThan,
    /// At the threshold or above.
    GreaterThanOrEqual,
    /// Below the threshold.
    LessThan,
    /// At the threshold or below.
    LessThanOrEqual,
}

impl Comparison {
    /// Whether `value` is trouble.
    pub fn is_trouble(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThan => value > threshold,
            Self::GreaterThanOrEqual => value >= threshold,
            Self::LessThan => value < threshold,
            Self::LessThanOrEqual => value <= threshold,
        }
    }
}

/// What a missing value means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Nobody can tell; it counts towards `no_data_limit`.
    #[default]
    Inconclusive,
    /// Zero, provided that the divisor has a value above zero: for metrics that AWS reports only when there is
    /// something to count. Without a divisor's value, inconclusive.
    ZeroIfDivisor,
    /// All is well: only for metrics that are silent when nothing is wrong.
    Healthy,
    /// Trouble.
    Unhealthy,
}
