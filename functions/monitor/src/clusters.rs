//! How much a metric's errors come in clusters, where the plan does not say: as the baseline has it of the old side. Pure.
//!
//! The baseline counts what an Application Load Balancer's targets answered with 5xx, so it speaks of shares of 5xx only. One bad minute of the
//! old side must not make the test blind: with [`MOST`] half of the requests failing is still seen at once (the README of `judge`).

use cutover::plan::{Counted, Metric};
use serde_json::Value;

/// More than that is not taken over from the baseline.
const MOST: f64 = 5.0;

/// What the baseline says: of its newest window that says something, the highest of its sides.
pub fn of_baseline(baseline: Option<&Value>) -> Option<f64> {
    let windows = baseline?["windows"].as_array()?;
    let of_window = |window: &Value| {
        let sides = window["sides"].as_array().into_iter().flatten();
        sides.filter_map(|side| side["saw"]["dispersion"].as_f64()).max_by(f64::total_cmp)
    };
    windows.iter().find_map(of_window).map(|dispersion| dispersion.clamp(1.0, MOST))
}

/// What holds for a metric.
pub fn of(metric: &Metric, of_baseline: Option<f64>) -> f64 {
    let is_share = metric.sequential().is_some_and(|countable| matches!(countable.counted, Counted::Part(_)));
    let is_known = is_share && metric.namespace == "AWS/ApplicationELB" && metric.metric_name.contains("5XX");
    metric.dispersion.or(of_baseline.filter(|_| is_known)).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_newest_window_that_says_something_counts_with_its_highest_side_and_a_bound() {
        let window = |sides: Value| json!({ "sides": sides });
        let side =
            |dispersion: Value| json!({ "target_group": "old", "saw": { "requests": 5.0, "dispersion": dispersion } });
        let of = |windows: Vec<Value>| of_baseline(Some(&json!({ "windows": windows })));
        let silent = || window(json!([{ "target_group": "old", "saw": null }]));
        assert_eq!(
            of(vec![window(json!([side(json!(2.5)), side(json!(3.5))])), window(json!([side(json!(4.0))]))]),
            Some(3.5)
        );
        assert_eq!(
            of(vec![silent(), window(json!([side(json!(null))])), window(json!([side(json!(4.0))]))]),
            Some(4.0)
        );
        assert_eq!(of(vec![window(json!([side(json!(700.0))]))]), Some(MOST));
        assert_eq!((of(vec![silent()]), of_baseline(None), of_baseline(Some(&json!(7)))), (None, None, None));
    }

    #[test]
    fn it_holds_for_shares_of_5xx_and_the_plan_comes_first() {
        let metric = |changes: Value| {
            let mut metric = json!({ "name": "5xx", "namespace": "AWS/ApplicationELB", "metric_name": "HTTPCode_Target_5XX_Count",
                "statistic": "Sum", "divide_by": { "metric_name": "RequestCount" }, "comparison": "greater_than", "threshold": 0.01 });
            metric.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            serde_json::from_value::<Metric>(metric).unwrap()
        };
        assert_eq!(of(&metric(json!({})), Some(3.0)), 3.0);
        assert_eq!(of(&metric(json!({})), None), 1.0);
        assert_eq!(of(&metric(json!({ "dispersion": 1.0 })), Some(3.0)), 1.0);
        assert_eq!(of(&metric(json!({ "metric_name": "HTTPCode_Target_4XX_Count" })), Some(3.0)), 1.0);
        let latency =
            json!({ "metric_name": "TargetResponseTime", "statistic": "p95", "divide_by": null, "threshold": 0.5 });
        assert_eq!(of(&metric(latency), Some(3.0)), 1.0);
    }
}
