//! What was measured in a run: figures that are there, or absent. Pure.

use cutover::Plan;
use cutover::plan::Metric;
use cutover::text::{quoted, shown};
use history::Call;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::known::replies;
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
    /// Each check of the last look, with what it saw.
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
    let checks = || last.and_then(|reply| reply["checks"].as_array()).into_iter().flatten();
    let metrics = plan.map(|plan| &plan.monitoring.metrics[..]).unwrap_or_default();
    let text = |text: &str| quoted(text, MOST_TEXT_BYTES);
    let baseline = replies(calls, "TakeBaseline").next_back().and_then(|reply| reply["lines"].as_array());
    let load = replies(calls, "NextLoadTurn").find(|reply| reply["over"] == true);
    let sampled = ["DrainReplication", "CheckReplication"].iter().find_map(|state| replies(calls, state).next_back());
    Measured {
        availability: checks().find_map(|check| availability(check, metrics)),
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

fn check(check: &Value) -> Option<String> {
    let (name, seen) = (words(&check["name"])?, words(&check["seen"])?);
    Some(format!("{}: {}", shown(name, MOST_NAME_BYTES), quoted(seen, MOST_TEXT_BYTES)))
}

/// Of a check that counts the new targets' errors among their requests.
fn availability(check: &Value, metrics: &[Metric]) -> Option<Availability> {
    let name = check["name"].as_str()?;
    let metric = metrics.iter().find(|metric| metric.name == name)?;
    if metric.metric_name != "HTTPCode_Target_5XX_Count" || metric.divide_by.is_none() {
        return None;
    }
    let of = |share: f64, requests: Option<u64>| Availability {
        // Four places: 99.9999 % and not less precise than what counts it.
        percent: ((1.0 - share) * 1e6).round() / 1e4,
        requests,
        counted_by: shown(name, MOST_NAME_BYTES),
    };
    let (bad, all) = (check["test"]["bad"].as_u64(), check["test"]["all"].as_u64());
    match (bad, all, check["value"].as_f64()) {
        (Some(bad), Some(all), _) if all > 0 => Some(of(bad as f64 / all as f64, Some(all))),
        (Some(_), ..) => None,
        (None, _, Some(share)) if (0.0..=1.0).contains(&share) => Some(of(share, None)),
        _ => None,
    }
}
