//! Alarms to set after the shift: CloudWatch's PutMetricAlarm input, by its own field names.

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::arn::Place;
use crate::plan::{pattern, rule};

/// How a value is compared with a threshold.
pub(crate) const OPERATORS: [&str; 4] =
    ["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"];
/// The same, of an anomaly band.
pub(crate) const BAND_OPERATORS: [&str; 3] =
    ["LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"];
const TREATMENTS: [&str; 4] = ["breaching", "notBreaching", "ignore", "missing"];
/// Statistics that are no percentiles.
pub(crate) const STATISTICS: [&str; 5] = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];
const LOW_SAMPLES: [&str; 2] = ["evaluate", "ignore"];
const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// What DescribeAlarms answers beside what PutMetricAlarm takes (CloudWatch API reference, MetricAlarm).
pub const STATE: [&str; 7] = [
    "AlarmConfigurationUpdatedTimestamp",
    "EvaluationState",
    "StateReason",
    "StateReasonData",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "StateValue",
];

/// An alarm is taken as DescribeAlarms answers it; its state is no part of what is set.
fn with_its_state(schema: &mut Schema) {
    let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for name in STATE {
        let description = "Of DescribeAlarms' answer; passed over.";
        fields.insert(name.to_owned(), json!({ "type": ["string", "null"], "description": description }));
    }
}

/// These texts, or null.
fn or_null(texts: &[&str]) -> Value {
    texts.iter().copied().map(Value::from).chain([Value::Null]).collect()
}

/// An input of PutMetricAlarm (CloudWatch API reference). It overwrites the whole alarm of its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields, transform = with_its_state, extend("allOf" = rule::alarm(&OPERATORS, &BAND_OPERATORS)))]
pub struct Alarm {
    /// The alarm's name; an alarm that has it is overwritten.
    #[schemars(length(min = 1, max = 255))]
    pub alarm_name: String,
    /// Where the alarm is, where that is another account or region than the stack's: its ARN,
    /// `arn:aws:cloudwatch:<region>:<account>:alarm:<AlarmName>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::ALARM_ARN))]
    pub alarm_arn: Option<String>,
    /// What a person should know when it rings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub alarm_description: Option<String>,
    /// Whether its actions are carried out; `true` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions_enabled: Option<bool>,
    /// ARNs of what happens when it becomes OK.
    #[serde(rename = "OKActions", default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub ok_actions: Vec<String>,
    /// ARNs of what happens when it rings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub alarm_actions: Vec<String>,
    /// ARNs of what happens when data is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub insufficient_data_actions: Vec<String>,
    /// The metric, with namespace, statistic and period; or `Metrics`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub metric_name: Option<String>,
    /// The metric's namespace, such as `AWS/ApplicationELB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub namespace: Option<String>,
    /// `Sum`, `Average`, `Minimum`, `Maximum` or `SampleCount`; or `ExtendedStatistic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = or_null(&STATISTICS)))]
    pub statistic: Option<String>,
    /// A percentile such as `p99`, or another of CloudWatch's, such as `tm90` or `IQM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::EXTENDED_STATISTIC))]
    pub extended_statistic: Option<String>,
    /// The metric's dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30))]
    pub dimensions: Vec<Dimension>,
    /// The length of one datapoint, a number of seconds: 10, 20, 30 or a multiple of 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 604_800))]
    pub period: Option<i32>,
    /// The unit, where the metric has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = or_null(&UNITS)))]
    pub unit: Option<String>,
    /// How many periods are looked at; with periods below an hour a day in all, else a week.
    #[schemars(range(min = 1, max = 60_480))]
    pub evaluation_periods: i32,
    /// How many of them must be beyond the threshold; all of them where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 60_480))]
    pub datapoints_to_alarm: Option<i32>,
    /// The threshold; or `ThresholdMetricId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Of `Metrics`, the anomaly band that is the threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub threshold_metric_id: Option<String>,
    /// Such as `GreaterThanThreshold`; with `ThresholdMetricId`, such as `GreaterThanUpperThreshold`.
    #[schemars(extend("enum" = [&OPERATORS[..], &BAND_OPERATORS[..]].concat()))]
    pub comparison_operator: String,
    /// `breaching`, `notBreaching`, `ignore` or `missing`; `missing` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = or_null(&TREATMENTS)))]
    pub treat_missing_data: Option<String>,
    /// `evaluate` or `ignore`, for percentiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = or_null(&LOW_SAMPLES)))]
    pub evaluate_low_sample_count_percentile: Option<String>,
    /// Metrics and math on them, in the place of one metric: ten of each at the most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub metrics: Vec<MetricDataQuery>,
    /// Tags of an alarm that is made. CloudWatch leaves those of one that exists as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub tags: Vec<Tag>,
}

impl Alarm {
    /// Where it is, as its ARN says; none: in the stack's own account and region.
    pub fn place(&self) -> Option<Place<'_>> {
        self.alarm_arn.as_deref().and_then(Place::of)
    }

    /// What tells it from others, also from one of its name elsewhere: its ARN where the plan has it, else its name.
    pub fn key(&self) -> &str {
        self.alarm_arn.as_deref().unwrap_or(&self.alarm_name)
    }

    /// Everything that it does, in whichever state.
    pub fn actions(&self) -> impl Iterator<Item = &String> {
        self.ok_actions.iter().chain(&self.alarm_actions).chain(&self.insufficient_data_actions)
    }

    /// What it looks at, when it rings, and whom it tells, on one line for people.
    pub fn summary(&self) -> String {
        let tells = self.actions().map(String::as_str).collect::<Vec<_>>().join(" and ");
        let tells = match (self.actions_enabled, tells.as_str()) {
            (Some(false), _) => "tells nobody: its actions are switched off".to_owned(),
            (_, "") => "tells nobody".to_owned(),
            (_, tells) => format!("tells {tells}"),
        };
        let threshold = self.threshold.map(|threshold| threshold.to_string());
        let threshold = threshold.or_else(|| self.threshold_metric_id.clone()).unwrap_or_default();
        let periods = self.evaluation_periods;
        let rings = format!(
            "{} {threshold} in {} of {periods} periods",
            self.comparison_operator,
            self.datapoints_to_alarm.unwrap_or(periods)
        );
        format!("{}, {rings}, {tells}", self.looks_at())
    }

    fn looks_at(&self) -> String {
        if !self.metrics.is_empty() {
            let query =
                |one: &MetricDataQuery| format!("{}={}", one.id, one.expression.as_deref().unwrap_or("a metric"));
            return self.metrics.iter().map(query).collect::<Vec<_>>().join(", ");
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let dimensions = self.dimensions.iter().map(|one| format!("{}={}", one.name, one.value)).collect::<Vec<_>>();
        let of = if dimensions.is_empty() { String::new() } else { format!(" of {}", dimensions.join(" ")) };
        let statistic = self.statistic.as_ref().or(self.extended_statistic.as_ref());
        let (statistic, period) = (text(&statistic.cloned()), self.period.unwrap_or_default());
        format!("{} {}{of}, {statistic} of {period} s", text(&self.namespace), text(&self.metric_name))
    }
}

/// A metric, or an expression over others (CloudWatch API reference, MetricDataQuery).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields, extend("allOf" = rule::one_of("MetricStat", "Expression")))]
pub struct MetricDataQuery {
    /// How expressions call it, such as `errors`.
    #[schemars(regex(pattern = pattern::METRIC_ID))]
    pub id: String,
    /// The metric and its statistic; or `Expression`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_stat: Option<MetricStat>,
    /// Metric math over the others' Ids, such as `errors / requests`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub expression: Option<String>,
    /// What a graph calls it, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether it is what the alarm looks at; `true` where it is left out, and of one alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_data: Option<bool>,
    /// The length of one datapoint of an expression, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 604_800))]
    pub period: Option<i32>,
    /// The account whose metric it is, where that is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub account_id: Option<String>,
}

/// A statistic of a metric (CloudWatch API reference, MetricStat).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct MetricStat {
    /// The metric that is watched.
    pub metric: Metric,
    /// The length of one datapoint, in seconds.
    #[schemars(range(min = 1, max = 604_800))]
    pub period: i32,
    /// Such as `Sum` or `p99`.
    #[schemars(regex(pattern = pattern::ANY_STATISTIC))]
    pub stat: String,
    /// The unit, where the metric has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = or_null(&UNITS)))]
    pub unit: Option<String>,
}

/// A metric by its name (CloudWatch API reference, Metric).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields, rename = "AlarmMetric")]
pub struct Metric {
    /// Such as `AWS/ApplicationELB`.
    #[schemars(length(min = 1, max = 255))]
    pub namespace: String,
    /// Such as `RequestCount`.
    #[schemars(length(min = 1, max = 255))]
    pub metric_name: String,
    /// The metric's dimensions: all that it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30))]
    pub dimensions: Vec<Dimension>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct Tag {
    /// The tag's key.
    #[schemars(length(min = 1, max = 128))]
    pub key: String,
    /// The tag's value.
    #[schemars(length(max = 256))]
    pub value: String,
}

/// A dimension of a metric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct Dimension {
    /// The dimension's name, such as `LoadBalancer`.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Its value, such as `app/my-load-balancer/50dc6c495c0c9188`.
    #[schemars(length(min = 1, max = 1024))]
    pub value: String,
}
