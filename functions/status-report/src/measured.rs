//! What was measured in a run: figures that are there, or absent. Pure.

use cutover::Plan;
use cutover::plan::Metric;
use cutover::text::{quoted, shown};
use history::Call;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::known::{Known, replies};
use crate::standing::words;

const MOST_LINES: usize = 12;
const MOST_TEXT_BYTES: usize = 300;
const MOST_NAME_BYTES: usize = 120;

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// The share of the new side's requests that were answered without an error of its own, as a check of the plan counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Availability>,
    /// Each check that the look which ended the hold names, with what it saw, where that came after all others: it answers no list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// When that look was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub failed_at: Option<Timestamp>,
    /// Each check of the last look that ended no hold, with what it saw.
    pub checks: Vec<String>,
    /// When that look was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub checked_at: Option<Timestamp>,
    /// How the old side served before the first step.
    pub baseline: Vec<String>,
    /// What the load test says, if it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_test: Option<String>,
    /// The replication, as it was last sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication: Option<String>,
}

/// The availability of the new side to its users, as measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Availability {
    /// In percent.
    pub percent: f64,
    /// Of so many requests, where they were counted one by one; of the last window otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// The check of the plan that counted.
    pub counted_by: String,
}

/// All of it.
pub fn measured(calls: &[Call], plan: Option<&Plan>) -> Measured {
    let look = calls.iter().rev().find(|call| call.state == "Monitor" && call.answer.is_ok());
    let last = look.and_then(|call| call.answer.as_ref().ok());
    let failed = plan.and_then(|plan| failed(calls, plan));
    let checks = || last.and_then(|reply| reply["checks"].as_array()).into_iter().flatten();
    let metrics = plan.map(|plan| &plan.monitoring.metrics[..]).unwrap_or_default();
    let text = |text: &str| quoted(text, MOST_TEXT_BYTES);
    let baseline = replies(calls, "TakeBaseline").next_back().and_then(|reply| reply["lines"].as_array());
    let load = replies(calls, "NextLoadTurn").find(|reply| reply["over"] == true);
    let sampled = ["DrainReplication", "CheckReplication"].iter().find_map(|state| replies(calls, state).next_back());
    Measured {
        // After a look that failed, what the one before it had counted is no news.
        availability: match &failed {
            Some(failed) => failed.checks.iter().find_map(|(name, seen)| availability_of_words(name, seen, metrics)),
            None => checks().find_map(|check| availability(check, metrics)),
        },
        failed: failed
            .iter()
            .flat_map(|failed| &failed.checks)
            .take(MOST_LINES)
            .map(|(name, seen)| line(name, seen))
            .collect(),
        failed_at: failed.map(|failed| failed.at),
        checks: checks().take(MOST_LINES).filter_map(check).collect(),
        checked_at: look.map(|call| call.at),
        baseline: baseline
            .into_iter()
            .flatten()
            .take(MOST_LINES)
            .filter_map(words)
            .map(|line| shown(line, MOST_TEXT_BYTES))
            .collect(),
        load_test: load.and_then(|reply| words(&reply["seen"])).map(text),
        replication: sampled.and_then(|reply| words(&reply["seen"])).map(text),
    }
}

/// A look that failed since the last one that did not: what its error says.
struct Failed {
    at: Timestamp,
    /// Name, and what was seen.
    checks: Vec<(String, String)>,
}

fn failed(calls: &[Call], plan: &Plan) -> Option<Failed> {
    let (names, titles) = (history::checks::names(plan), Known::titles(Some(plan)));
    let looks = calls.iter().rev().filter(|call| history::LOOKS.contains(&call.state.as_str()));
    let mut since = looks.take_while(|call| call.state != "Monitor" || call.answer.is_err());
    since.find_map(|call| {
        let (_, cause) = call.answer.as_ref().err()?;
        let (_, checks) = history::checks::named(cause, &names, &titles)?;
        let owned = checks.into_iter().map(|(name, seen)| (name.to_owned(), seen.to_owned()));
        Some(Failed { at: call.at, checks: owned.collect() })
    })
}

fn check(check: &Value) -> Option<String> {
    Some(line(words(&check["name"])?, words(&check["seen"])?))
}

fn line(name: &str, seen: &str) -> String {
    format!("{}: {}", shown(name, MOST_NAME_BYTES), quoted(seen, MOST_TEXT_BYTES))
}

/// Of a check that counts the new targets' errors among their requests.
fn availability(check: &Value, metrics: &[Metric]) -> Option<Availability> {
    let name = check["name"].as_str().filter(|name| counts_errors(name, metrics))?;
    let of = |share, requests| of_share(name, share, requests);
    let (bad, all) = (check["test"]["bad"].as_u64(), check["test"]["all"].as_u64());
    match (bad, all, check["value"].as_f64()) {
        (Some(bad), Some(all), _) if all > 0 => Some(of(bad as f64 / all as f64, Some(all))),
        (Some(_), ..) => None,
        (None, _, Some(share)) if (0.0..=1.0).contains(&share) => Some(of(share, None)),
        _ => None,
    }
}

/// The same of what a check has written: `121 of 345 requests failed, limit 5 %`, or `0.351, trouble when greater than 0.05`.
fn availability_of_words(name: &str, seen: &str, metrics: &[Metric]) -> Option<Availability> {
    if !counts_errors(name, metrics) {
        return None;
    }
    let count = |text: &str| text.replace(',', "").parse::<u64>().ok();
    let counted = seen.split_once(" requests").and_then(|(counts, _)| counts.split_once(" of "));
    if let Some((bad, all)) = counted.and_then(|(bad, all)| count(bad).zip(count(all)))
        && bad <= all
        && all > 0
    {
        return Some(of_share(name, bad as f64 / all as f64, Some(all)));
    }
    let share: f64 = seen.split_once(", trouble when ")?.0.parse().ok()?;
    (0.0..=1.0).contains(&share).then(|| of_share(name, share, None))
}

/// Whether a check of this name counts the new targets' errors among their requests.
fn counts_errors(name: &str, metrics: &[Metric]) -> bool {
    let metric = metrics.iter().find(|metric| metric.name == name);
    metric.is_some_and(|metric| metric.metric_name == "HTTPCode_Target_5XX_Count" && metric.divide_by.is_some())
}

fn of_share(name: &str, share: f64, requests: Option<u64>) -> Availability {
    // Four places: 99.9999 % and not less precise than what counts it.
    let percent = ((1.0 - share) * 1e6).round() / 1e4;
    Availability { percent, requests, counted_by: shown(name, MOST_NAME_BYTES) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> Plan {
        let metric = |name: &str, metric_name: &str, more: Value| {
            let mut metric = json!({ "name": name, "namespace": "AWS/ApplicationELB", "metric_name": metric_name, "statistic": "Sum",
                "comparison": "greater_than", "threshold": 0.05 });
            metric.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            metric
        };
        let divided = json!({ "divide_by": { "metric_name": "RequestCount" } });
        let metrics =
            [metric("5xx", "HTTPCode_Target_5XX_Count", divided), metric("p95", "TargetResponseTime", json!({}))];
        serde_json::from_value(json!({ "application": "a", "routes": [], "monitoring": { "metrics": metrics } }))
            .unwrap()
    }

    fn call(second: i64, state: &str, answer: Result<Value, (&str, &str)>) -> Call {
        let answer = answer.map_err(|(error, cause)| (error.to_owned(), cause.to_owned()));
        Call { at: Timestamp::from_second(second).unwrap(), state: state.to_owned(), asked: Value::Null, answer }
    }

    fn well(second: i64) -> Call {
        let counted = json!({ "name": "5xx", "seen": "0 of 100 requests failed", "test": { "bad": 0, "all": 100 } });
        call(second, "Monitor", Ok(json!({ "checks": [counted] })))
    }

    #[test]
    fn the_availability_after_a_look_that_failed_is_what_that_look_has_counted() {
        let plan = plan();
        let told = |cause: &str, state: &str| {
            measured(&[well(0), call(60, state, Err(("Cutover.Unhealthy", cause)))], Some(&plan))
        };
        let bad = told(
            "step 2 (50 %): trouble for certain: 5xx: 1,121 of 3,450 requests failed, limit 5 %, p < 0.1",
            "Monitor",
        );
        let availability = bad.availability.unwrap();
        assert_eq!((availability.percent, availability.requests), (67.5072, Some(3450)));
        assert_eq!(bad.failed, ["5xx: \"1,121 of 3,450 requests failed, limit 5 %, p < 0.1\""]);
        assert_eq!(
            (bad.failed_at.map(|at| at.as_second()), bad.checked_at.map(|at| at.as_second())),
            (Some(60), Some(0))
        );
        let by_threshold =
            told("2 unhealthy checks in a row: 5xx: 0.351, trouble when greater than 0.05", "WatchSettling");
        assert_eq!(by_threshold.availability.map(|one| (one.percent, one.requests)), Some((64.9, None)));
        let of_other = told("2 unhealthy checks in a row: p95: 2.1, trouble when greater than 0.8", "Monitor");
        assert_eq!(of_other.availability, None, "nobody has counted since");
    }

    #[test]
    fn what_failed_and_was_let_go_on_or_tried_again_is_not_the_last_look() {
        let wrong =
            call(60, "Monitor", Err(("Cutover.Unhealthy", "trouble for certain: 5xx: 9 of 10 requests failed")));
        let again = measured(&[well(0), wrong, well(120)], Some(&plan()));
        assert_eq!((again.availability.map(|one| one.percent), again.failed.len()), (Some(100.0), 0));
        let slow = call(60, "Monitor", Err(("Cutover.Throttled", "cloudwatch:GetMetricData: slow down")));
        let passing = measured(&[well(0), slow], Some(&plan()));
        assert_eq!((passing.availability.map(|one| one.percent), passing.failed_at), (Some(100.0), None));
    }
}
