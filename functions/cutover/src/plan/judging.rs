//! How a metric is judged: by a sequential test of counts, or by a threshold.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::monitoring::{Comparison, Metric, Monitoring, Series};
use super::routes::Route;
use crate::arn::target_group_dimension;

/// How a metric is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestKind {
    /// By counts of requests, over the whole run: trouble once it is certain that more of them than the limit are trouble. One such look
    /// rolls the run back.
    Sequential,
    /// By its newest value: trouble beyond the threshold, `failure_limit` times in a row.
    Threshold,
}

/// What to do when a hold is over, nothing is wrong, and a sequential test cannot tell yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TooLittleData {
    /// The step is over: the test goes on with what the next step brings.
    #[default]
    GoOn,
    /// The step is held until the test can tell, `hold_longer_at_most`; then the run is rolled back.
    Hold,
    /// The run is rolled back.
    RollBack,
}

/// The side that the new one is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ComparedTo {
    /// The dimensions of the old side: the metric and its divisor are looked at with these in the place of their own.
    pub dimensions: BTreeMap<String, String>,
}

impl ComparedTo {
    /// Whether it is the old side of this route, as far as its target group shows.
    pub fn is_of(&self, route: &Route) -> bool {
        match (self.dimensions.get("TargetGroup"), route) {
            (Some(group), Route::Listener(route)) => {
                target_group_dimension(&route.old_target_group_arn) == Some(group.as_str())
            }
            _ => false,
        }
    }
}

/// What is counted of a metric's requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Counted<'a> {
    /// This series, of those that the divisor counts.
    Part(&'a Series),
    /// Those above so much, of all samples of the metric itself.
    Above {
        /// In the metric's unit.
        value: f64,
    },
}

/// A metric as a sequential test sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Countable<'a> {
    /// What is counted.
    pub counted: Counted<'a>,
    /// Which share of the requests may be trouble: above 0, below 1.
    pub limit: f64,
}

impl Metric {
    /// The metric as counts, where it is some: a share of requests, or a percentile, since "p95 is 0.5 at the most" says that 5 % of the requests
    /// may be above 0.5.
    pub fn countable(&self) -> Option<Countable<'_>> {
        let is_more = matches!(self.comparison, Comparison::GreaterThan | Comparison::GreaterThanOrEqual);
        let counts = |statistic: &str| ["Sum", "SampleCount"].contains(&statistic);
        match &self.divide_by {
            Some(divisor) => {
                let are_counts = counts(&self.statistic) && divisor.statistic.as_deref().is_none_or(counts);
                let is_share = is_more && are_counts && self.threshold > 0.0 && self.threshold < 1.0;
                is_share.then_some(Countable { counted: Counted::Part(divisor), limit: self.threshold })
            }
            None => {
                let percentile: f64 = self.statistic.strip_prefix('p')?.parse().ok()?;
                let limit = (100.0 - percentile) / 100.0;
                let is_latency = self.comparison == Comparison::GreaterThan && self.threshold > 0.0;
                (is_latency && limit > 0.0 && limit < 1.0)
                    .then_some(Countable { counted: Counted::Above { value: self.threshold }, limit })
            }
        }
    }

    /// How many series of datapoints a look asks for.
    pub fn series(&self) -> usize {
        let counted = match self.sequential().map(|countable| countable.counted) {
            Some(Counted::Above { .. }) => 3,
            _ => 1 + usize::from(self.divide_by.is_some()),
        };
        let old = if self.sequential().is_some() && self.compare_to.is_some() { 2 } else { 0 };
        counted + old
    }

    /// The metric as a sequential test sees it, if it is judged by one: where the plan says so, and else every share of requests, and every
    /// percentile of a load balancer's latency.
    pub fn sequential(&self) -> Option<Countable<'_>> {
        let is_latency = self.namespace == "AWS/ApplicationELB" && self.metric_name == "TargetResponseTime";
        match self.test {
            Some(TestKind::Threshold) => None,
            Some(TestKind::Sequential) => self.countable(),
            None => self.countable().filter(|countable| is_latency || matches!(countable.counted, Counted::Part(_))),
        }
    }
}

impl Monitoring {
    /// How often each sequential test may be wrong in a run, so that all together are not wrong more often than `false_alarm`.
    pub fn false_alarm_of_each(&self) -> f64 {
        let tests = self.metrics.iter().filter(|metric| metric.sequential().is_some()).count();
        self.false_alarm / tests.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn metric(changes: Value) -> Metric {
        let mut metric = json!({ "name": "m", "namespace": "n", "metric_name": "m", "statistic": "Sum",
            "divide_by": { "metric_name": "d" }, "comparison": "greater_than", "threshold": 0.01 });
        let fields = metric.as_object_mut().unwrap();
        fields.extend(changes.as_object().unwrap().clone());
        serde_json::from_value(metric).unwrap()
    }

    fn latency(changes: Value) -> Metric {
        let mut fields = json!({ "namespace": "AWS/ApplicationELB", "metric_name": "TargetResponseTime", "statistic": "p95",
            "divide_by": null, "threshold": 0.5 });
        fields.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        metric(fields)
    }

    #[test]
    fn shares_of_requests_and_latencies_of_load_balancers_are_judged_by_counts() {
        let limit = |metric: &Metric| metric.sequential().map(|countable| (countable.limit * 1e6).round() / 1e6);
        assert_eq!(limit(&metric(json!({}))), Some(0.01));
        assert_eq!(
            limit(&metric(json!({ "comparison": "greater_than_or_equal", "statistic": "SampleCount" }))),
            Some(0.01)
        );
        assert_eq!(limit(&latency(json!({}))), Some(0.05));
        assert_eq!(limit(&latency(json!({ "statistic": "p99.9" }))), Some(0.001));
        assert_eq!(limit(&latency(json!({ "namespace": "Shop", "test": "sequential" }))), Some(0.05));
        for other in [
            json!({ "test": "threshold" }),
            json!({ "comparison": "less_than" }),
            json!({ "threshold": 0 }),
            json!({ "threshold": 1.0 }),
            json!({ "statistic": "Average" }),
            json!({ "divide_by": { "metric_name": "d", "statistic": "Maximum" } }),
            json!({ "divide_by": null }),
        ] {
            assert_eq!(limit(&metric(other.clone())), None, "{other}");
        }
        for other in [
            json!({ "test": "threshold" }),
            json!({ "namespace": "Shop" }),
            json!({ "statistic": "p100" }),
            json!({ "statistic": "p0" }),
            json!({ "statistic": "Average" }),
            json!({ "comparison": "greater_than_or_equal" }),
            json!({ "threshold": 0 }),
        ] {
            assert_eq!(limit(&latency(other.clone())), None, "{other}");
        }
    }

    #[test]
    fn all_tests_share_what_a_run_may_be_wrong() {
        let threshold = metric(json!({ "test": "threshold" }));
        let metrics = vec![metric(json!({})), latency(json!({})), threshold];
        assert_eq!(Monitoring { metrics, ..Monitoring::default() }.false_alarm_of_each(), 0.005);
        assert_eq!(Monitoring::default().false_alarm_of_each(), 0.01);
    }
}
