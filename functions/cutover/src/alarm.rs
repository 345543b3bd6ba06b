//! Alarms to set after the shift: CloudWatch's PutMetricAlarm input, by its own field names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An input of PutMetricAlarm (CloudWatch API reference). It overwrites the whole alarm of its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct Alarm {
    /// The alarm's name.
    #[schemars(length(min = 1, max = 255))]
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
    /// The metric, with namespace, statistic and period; or `Metrics`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub metric_name: Option<String>,
    /// Its namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub namespace: Option<String>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 604_800))]
    pub period: Option<i32>,
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
    /// The threshold; or `ThresholdMetricId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Of `Metrics`, the anomaly band that is the threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_metric_id: Option<String>,
    /// Such as `GreaterThanThreshold`.
    pub comparison_operator: String,
    /// `breaching`, `notBreaching`, `ignore` or `missing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<String>,
    /// `evaluate` or `ignore`, for percentiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluate_low_sample_count_percentile: Option<String>,
    /// Metrics and math on them, in the place of one metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub metrics: Vec<MetricDataQuery>,
    /// Tags of an alarm that is made. CloudWatch leaves those of one that exists as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub tags: Vec<Tag>,
}

/// A metric, or an expression over others (CloudWatch API reference, MetricDataQuery).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct MetricDataQuery {
    /// How expressions call it.
    #[schemars(length(min = 1, max = 255))]
    pub id: String,
    /// The metric; or `Expression`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_stat: Option<MetricStat>,
    /// Metric math.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether it is what the alarm looks at; `true` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_data: Option<bool>,
    /// The length of one datapoint of an expression, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 604_800))]
    pub period: Option<i32>,
    /// The account whose metric it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

/// A statistic of a metric (CloudWatch API reference, MetricStat).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct MetricStat {
    /// The metric.
    pub metric: Metric,
    /// The length of one datapoint, in seconds.
    #[schemars(range(min = 1, max = 604_800))]
    pub period: i32,
    /// Such as `Sum` or `p99`.
    pub stat: String,
    /// The unit, where the metric has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// A metric by its name (CloudWatch API reference, Metric).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields, rename = "AlarmMetric")]
pub struct Metric {
    /// Such as `AWS/ApplicationELB`.
    pub namespace: String,
    /// Such as `RequestCount`.
    pub metric_name: String,
    /// Its dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Dimension>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct Tag {
    /// Its key.
    #[schemars(length(min = 1, max = 128))]
    pub key: String,
    /// Its value.
    #[schemars(length(max = 256))]
    pub value: String,
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
