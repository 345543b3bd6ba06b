//! The routes of a run: which weight the new side has, which share of the requests it really had, and, where a rollback did not put a route back,
//! what it saw there. Pure.

use cutover::Plan;
use cutover::text::shown;
use history::{Call, Weight};
use journal::Phase;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::known::Known;
use crate::standing::{Standing, words};
use crate::status::MOST_ARN_BYTES;
use crate::work::Step;

const MOST_TEXT_BYTES: usize = 300;

/// One route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteStatus {
    /// How a person calls it.
    pub title: String,
    /// The new side's weight, in percent, as it was last set; none where somebody else may have set another since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_weight_percent: Option<u8>,
    /// Where a rollback could not put it back, or has not: how it was when that rollback ended. Nobody has looked since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<String>,
    /// The share of the requests that it really had at the last look of that step, in percent, where a load balancer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_seen_percent: Option<f64>,
    /// Why that share was not compared with the weight, where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_not_judged: Option<String>,
}

/// All of them, in the plan's order.
pub fn routes(
    known: &Known,
    plan: Option<&Plan>,
    calls: &[Call],
    steps: &[Step],
    standing: Standing,
) -> Vec<RouteStatus> {
    let back = known.rollback.as_ref().map(|story| history::calls::calls(&story.events)).unwrap_or_default();
    let weights: Vec<Weight> =
        history::calls::weights(calls).into_iter().chain(history::calls::weights(&back)).collect();
    let is_back = !history::calls::weights(&back).is_empty() || known.phase() == Some(Phase::RolledBack);
    let is_left = matches!(standing, Standing::Stuck | Standing::Held | Standing::Released);
    let report = known.reported().filter(|_| is_left);
    let of_route = |(place, title): (usize, String)| {
        let outcome = report.and_then(|report| outcome(report, place));
        let is_restored = outcome.is_some_and(|outcome| outcome["restored"] == true);
        let live = outcome.filter(|_| !is_restored).and_then(|outcome| words(&outcome["live"]));
        let last_set = weights.iter().rev().find(|weight| weight.route == place).map(|weight| weight.percent);
        let weight = if is_restored { Some(0) } else { last_set.filter(|_| live.is_none()) };
        // Of the step that the weight is of: an earlier one's share stands beside another weight.
        let is_seen = |step: &&Step| step.planned.route == place && step.moved_at.is_some() && !is_back;
        let step = steps.iter().rev().find(is_seen).filter(|_| outcome.is_none());
        let share_seen_percent = step.and_then(|step| step.share_seen_percent);
        RouteStatus {
            new_weight_percent: weight,
            live: live.map(|live| shown(live, MOST_TEXT_BYTES)),
            share_seen_percent,
            share_not_judged: share_seen_percent.and_then(|_| not_judged(calls, place, &title)),
            title: shown(&title, MOST_ARN_BYTES),
        }
    };
    Known::titles(plan).into_iter().enumerate().map(of_route).collect()
}

/// What a rollback says of a route.
fn outcome(report: &Value, place: usize) -> Option<&Value> {
    report["routes"].as_array()?.iter().find(|outcome| outcome["route"].as_u64() == Some(place as u64))
}

/// Why the share at the route's last look was told and not judged, in the monitor's own words.
fn not_judged(calls: &[Call], place: usize, title: &str) -> Option<String> {
    let is_look = |call: &&Call| call.state == "Monitor" && call.asked["route"].as_u64() == Some(place as u64);
    let told = |call: &Call| call.answer.as_ref().ok().filter(|reply| reply["share_seen_percent"].is_number()).cloned();
    let look = calls.iter().rev().filter(is_look).find_map(told)?;
    let name = format!("share of {title}");
    let check = look["checks"].as_array()?.iter().find(|check| check["name"] == name.as_str())?;
    let (_, why) = check["seen"].as_str()?.split_once("; not judged: ")?;
    Some(shown(why, MOST_TEXT_BYTES))
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
