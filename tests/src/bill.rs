//! What AWS asks for a run: counts of what is paid for, and their price.
//!
//! Contract: pure. Prices are list prices of us-east-1, without free tiers; what costs less than a thousandth of a cent for a run
//! (the journal's reads and writes, messages) is left out.

use std::collections::BTreeMap;

use cutover::plan::Metric;
use serde::Serialize;
use serde_json::Value;

use crate::control::Request;

/// Step Functions, Standard workflows.
const DOLLARS_PER_TRANSITION: f64 = 0.025 / 1_000.0;
/// CloudWatch, metrics requested by GetMetricData.
const DOLLARS_PER_METRIC: f64 = 0.01 / 1_000.0;
/// Lambda, requests; and arm64 functions of 256 MB, for the fifth of a second that a call with some AWS calls in it takes.
const DOLLARS_PER_INVOCATION: f64 = 0.20 / 1_000_000.0 + 0.25 * 0.2 * 0.000_013_333_4;

/// Counts of what is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bill {
    /// States that were entered.
    pub transitions: usize,
    /// Functions that were invoked.
    pub invocations: usize,
    /// Metrics that were asked for.
    pub metrics: usize,
}

impl Bill {
    /// From the calls of a run of a plan; without its transitions.
    pub fn of_calls(calls: &BTreeMap<String, usize>, plan: &Value) -> Self {
        let count = |call: &str| calls.get(call).copied().unwrap_or_default();
        let metrics = plan["monitoring"]["metrics"].as_array().into_iter().flatten();
        let series: usize = metrics.map(series).sum();
        Self {
            transitions: 0,
            invocations: count("lambda Invoke"),
            metrics: count("cloudwatch GetMetricData") * series,
        }
    }

    /// In dollars.
    pub fn dollars(self) -> f64 {
        self.transitions as f64 * DOLLARS_PER_TRANSITION
            + self.invocations as f64 * DOLLARS_PER_INVOCATION
            + self.metrics as f64 * DOLLARS_PER_METRIC
    }
}

/// How many series of a metric are asked for; the plan is as its author wrote it.
fn series(metric: &Value) -> usize {
    let mut normal = metric.clone();
    // Durations are texts there.
    for place in ["", "/divide_by"] {
        normal.pointer_mut(place).and_then(Value::as_object_mut).and_then(|fields| fields.remove("period"));
    }
    let of_own = 1 + usize::from(!metric["divide_by"].is_null());
    serde_json::from_value(normal).map_or(of_own, |metric: Metric| metric.series())
}

/// The requests that a run made itself, counted by service and operation.
pub fn calls(requests: &[Request]) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for request in requests.iter().filter(|request| !matches!(request.caller.as_str(), "local" | "events")) {
        *calls.entry(format!("{} {}", request.service, request.operation)).or_default() += 1;
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transitions_are_what_costs() {
        let bill = Bill { transitions: 1_000, invocations: 400, metrics: 100 };
        assert!((bill.dollars() - 0.026_35).abs() < 0.000_1, "{}", bill.dollars());
        assert_eq!(Bill::default().dollars(), 0.0);
    }

    #[test]
    fn the_calls_of_the_set_up_are_not_the_runs() -> Result<(), serde_json::Error> {
        let request = |caller: &str| {
            serde_json::from_value(serde_json::json!({
                "seq": 1, "at": 10.0, "caller": caller, "service": "route53", "operation": "GetChange", "status": 200, "actions": [],
            }))
        };
        let requests: Vec<Request> =
            ["local", "weight-shift", "weight-shift"].map(request).into_iter().collect::<Result<_, _>>()?;
        assert_eq!(calls(&requests), [("route53 GetChange".to_owned(), 2)].into());
        let counted = [("lambda Invoke".to_owned(), 7), ("cloudwatch GetMetricData".to_owned(), 3)].into();
        let plan = serde_json::json!({ "monitoring": { "metrics": [{ "divide_by": {} }, {}] } });
        assert_eq!(Bill::of_calls(&counted, &plan), Bill { transitions: 0, invocations: 7, metrics: 9 });
        let latency = serde_json::json!({ "name": "p95", "namespace": "AWS/ApplicationELB", "metric_name": "TargetResponseTime",
            "statistic": "p95", "period": "60s", "comparison": "greater_than", "threshold": 0.8 });
        assert_eq!(series(&latency), 3);
        Ok(())
    }
}
