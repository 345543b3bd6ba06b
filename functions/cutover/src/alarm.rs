//! Alarms to set after the shift: CloudWatch's PutMetricAlarm input, by its own field names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An input of PutMetricAlarm (CloudWatch API reference). It overwrites the whole alarm of its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct Alarm {
    /// The alarm's name.
    pub alarm_name: String,
    /// What a person should know when it rings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_description: Option<String>,
    /// Whether its actions are carried out; `true` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions_enabled: Option<bool>,
    /// ARNs of what happens when it becomes OK.
    #[serde(rename = "OKActions", default, skip_serializing_if = "Vec::is_empty")]
    pub ok_actions: Vec<String>,
    /// ARNs of what happens when it rings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarm_actions: Vec<String>,
    /// ARNs of what happens when data is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub insufficient_data_actions: Vec<String>,
    /// The metric.
    pub metric_name: String,
    /// Its namespace.
    pub namespace: String,
    /// `Sum`, `Average`, `Minimum`, `Maximum` or `SampleCount`; or `ExtendedStatistic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<String>,
    /// A percentile such as `p99`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_statistic: Option<String>,
    /// The metric's dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Dimension>,
    /// The length of one datapoint, in seconds.
    #[schemars(range(min = 10, max = 604_800))]
    pub period: i32,
    /// The unit, where the metric has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// How many periods are looked at.
    #[schemars(range(min = 1, max = 60_480))]
    pub evaluation_periods: i32,
    /// How many of them must be beyond the threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 60_480))]
    pub datapoints_to_alarm: Option<i32>,
    /// The threshold.
    pub threshold: f64,
    /// Such as `GreaterThanThreshold`.
    pub comparison_operator: String,
    /// `breaching`, `notBreaching`, `ignore` or `missing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<String>,
    /// `evaluate` or `ignore`, for percentiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluate_low_sample_count_percentile: Option<String>,
}

/// A dimension of a metric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct Dimension {
    /// Such as `LoadBalancer`.
    pub name: String,
    /// Such as `app/my-load-balancer/50dc6c495c0c9188`.
    pub value: String,
}
