//! What is watched while a step is held.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judging::{ComparedTo, TestKind, TooLittleData};
use super::{default, pattern, rule};
use crate::Seconds;

/// The checks of a hold, and how many of them may fail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Monitoring {
    /// The time between two checks, 10 s to 1 h.
    pub interval: Seconds,
    /// So many unhealthy checks in a row roll the run back; a sequential test that finds trouble does at once.
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
    /// CloudWatch alarms that must be OK: by their names, or by their ARNs where they are in another account or region.
    #[schemars(length(max = 100), extend("allOf" = rule::alarms_by_name_or_arn()))]
    pub alarms: Vec<String>,
    /// What INSUFFICIENT_DATA means, by the alarm's name or ARN as it stands in `alarms`, once the alarm must have seen the new side's traffic: for
    /// those of `alarms` where it is not inconclusive.
    pub alarms_missing: BTreeMap<String, AlarmMissing>,
    /// What happens when a limit is reached while a step is held.
    pub on_failure: OnFailure,
    /// With `"on_failure": "hold"`: how long a person has to decide, 10 s to 7 days. Silence rolls back.
    pub hold_limit: Seconds,
    /// The watch over all traffic on the new side, until cleanup begins.
    pub until_cleanup: UntilCleanup,
    /// In which share of runs all sequential tests together may roll back a side with which nothing is wrong.
    #[schemars(range(min = 0.0001, max = 0.5))]
    pub false_alarm: f64,
    /// What to do when a hold is over, nothing is wrong, and a sequential test cannot tell yet. Without any request nothing goes on.
    pub too_little_data: TooLittleData,
    /// For so long a step is held beyond its hold, where `too_little_data` is `hold`; 1 s to a week.
    pub hold_longer_at_most: Seconds,
    /// Whether a step is over before its hold is, once every sequential test is certain of health and all else is healthy.
    pub early_end: bool,
    /// For so long a step is held in any case, where `early_end` is true; a week at the most.
    pub minimum_hold: Seconds,
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
            on_failure: OnFailure::RollBack,
            hold_limit: Seconds::hours(1),
            until_cleanup: UntilCleanup::default(),
            false_alarm: 0.01,
            too_little_data: TooLittleData::default(),
            hold_longer_at_most: Seconds::hours(1),
            early_end: false,
            minimum_hold: Seconds::minutes(5),
        }
    }
}

impl Monitoring {
    /// What it means that this alarm has no data.
    pub fn missing_of(&self, alarm: &str) -> AlarmMissing {
        self.alarms_missing.get(alarm).copied().unwrap_or_default()
    }
}

/// What happens when a limit is reached while a step is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The run goes back at once.
    #[default]
    RollBack,
    /// The step stays as it is, people are called, and one of them says whether the run goes on or back. Weights do not change
    /// meanwhile, and neither does what users suffer.
    Hold,
}

/// The watch between the cutover and its cleanup: the same checks as during a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct UntilCleanup {
    /// The time between two looks, 1 min to 1 h. It is longer where `cleanup.after` is so long that an execution's history would not
    /// have room for them.
    pub interval: Seconds,
    /// What happens when `failure_limit` is reached. Without data for `no_data_limit` looks nothing goes back: people are told.
    pub on_failure: AfterFailure,
}

impl Default for UntilCleanup {
    fn default() -> Self {
        Self { interval: Seconds::minutes(5), on_failure: AfterFailure::RollBack }
    }
}

/// What happens when the new side fails after the cutover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterFailure {
    /// The run goes back by itself.
    #[default]
    RollBack,
    /// People are called, and nothing is put back.
    Page,
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
    #[schemars(regex(pattern = pattern::GROUP_ARN))]
    pub target_group_arn: String,
    /// The share of its targets that must be healthy, in percent, compared exactly.
    #[serde(default = "default::u8::<80>")]
    #[schemars(range(min = 1, max = 100))]
    pub min_healthy_percent: u8,
}

/// A metric and the value that means trouble: `statistic [/ divide_by] comparison threshold` is unhealthy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, extend("allOf" = rule::zero_needs_a_divisor()))]
pub struct Metric {
    /// How a person calls it.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// The metric's namespace, such as `AWS/ApplicationELB`.
    #[schemars(length(min = 1, max = 255))]
    pub namespace: String,
    /// The metric's name, such as `HTTPCode_Target_5XX_Count`.
    #[schemars(length(min = 1, max = 255))]
    pub metric_name: String,
    /// The metric's dimensions; CloudWatch matches all of them exactly. A `LoadBalancer` is the end of its ARN, `app/<name>/<id>`.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p99`.
    #[schemars(regex(pattern = pattern::STATISTIC))]
    pub statistic: String,
    /// The length of one datapoint; a multiple of 60 s, 1 h at the most.
    #[serde(default = "default::seconds::<60>")]
    pub period: Seconds,
    /// A second series that divides this one: a rate instead of a count.
    pub divide_by: Option<Series>,
    /// When the value is trouble.
    pub comparison: Comparison,
    /// The value compared with, in the metric's own unit: `TargetResponseTime` is in seconds. A rate is a share: 0.01 is 1 %.
    /// For a sequential test it is the limit.
    pub threshold: f64,
    /// How it is judged. Left out: `sequential` for a share of requests (Sum divided by Sum, greater than a threshold between 0 and 1) and for a
    /// percentile of a load balancer's TargetResponseTime, `threshold` for all else.
    pub test: Option<TestKind>,
    /// The old side: then trouble is to be worse than it, by counts of both, not to be above the limit. Once that side has no requests it guards nothing.
    pub compare_to: Option<ComparedTo>,
    /// How much more errors vary from look to look than chance has it (variance over mean): above 1 where they come in clusters. Left out: for a
    /// share of requests that an Application Load Balancer answers with 5xx, what the baseline shows of the old side, 5 at the most; else 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0, max = 1000.0))]
    pub dispersion: Option<f64>,
    /// What a missing value means. A share of errors that AWS leaves out at zero needs `zero_if_divisor`.
    #[serde(default)]
    pub missing: Missing,
}

/// A series of datapoints: what a metric is divided by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Series {
    /// The metric's namespace; that of the metric it divides where it is left out.
    pub namespace: Option<String>,
    /// The metric's name, such as `RequestCount`.
    #[schemars(length(min = 1, max = 255))]
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
