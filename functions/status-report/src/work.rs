//! How far a run is, by work: what its plan gives time to. Pure.
//!
//! Work is the load test's least time, and of each step its hold and what resolvers keep; a step without either counts a second. Preparing, probing and
//! making final have no time of their own in a plan, and count for nothing. A hold is counted as the state machine counts it, plus what has passed since the last
//! look. So the percentage is the share of planned time that is behind the run, not a share of steps, and not a forecast.

use cutover::Plan;
use cutover::plan::Route;
use cutover::schedule::{self, ScheduledStep};
use history::calls::is_signed;
use history::{Call, Event};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A step of the plan, and how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is planned.
    pub planned: ScheduledStep,
    /// How long its change takes to be everywhere, in seconds.
    pub settle_seconds: u64,
    /// When its weight was changed, or was seen to be.
    pub moved_at: Option<Timestamp>,
    /// Whether its weight was asked for: where nobody has answered, users may have had it.
    pub is_asked: bool,
    /// When that was in effect everywhere.
    pub settled_at: Option<Timestamp>,
    /// How long it has been held, as the state machine counts, at the last look that was asked for.
    pub held_seconds: u64,
    /// When that look was asked for, or the hold began.
    pub looked_at: Option<Timestamp>,
    /// The share of requests that the new side really had, in percent, where it is counted.
    pub share_seen_percent: Option<f64>,
    /// When its hold was over.
    pub done_at: Option<Timestamp>,
}

impl Step {
    /// Its work, in seconds.
    pub fn seconds(&self) -> u64 {
        (self.settle_seconds + self.planned.hold_seconds).max(1)
    }

    /// How much of it is behind the run at a moment.
    fn done_seconds(&self, at: Timestamp) -> u64 {
        match (self.done_at, self.settled_at) {
            (Some(_), _) => self.seconds(),
            (None, Some(_)) => self.settle_seconds + self.held(at),
            (None, None) => 0,
        }
    }

    /// How long it has been held at a moment, its planned hold at the most.
    pub fn held(&self, at: Timestamp) -> u64 {
        let since = self.looked_at.map_or(0, |looked| u64::try_from(at.duration_since(looked).as_secs()).unwrap_or(0));
        (self.held_seconds + since).min(self.planned.hold_seconds)
    }

    /// Its name in a line.
    pub fn title(&self) -> String {
        format!("{}: {} % on the new side", self.planned.title, self.planned.new_weight)
    }
}

/// The steps of a plan, in the order in which they are taken, with what a history tells of each.
pub fn steps(plan: &Plan, calls: &[Call], events: &[Event]) -> Vec<Step> {
    let settle = |place: usize| match plan.routes.get(place) {
        Some(Route::Dns(route)) => route.settle_seconds(),
        Some(Route::Listener(_)) | None => 0,
    };
    let mut steps: Vec<Step> = schedule::steps(plan)
        .into_iter()
        .map(|planned| Step {
            settle_seconds: settle(planned.route),
            planned,
            moved_at: None,
            is_asked: false,
            settled_at: None,
            held_seconds: 0,
            looked_at: None,
            share_seen_percent: None,
            done_at: None,
        })
        .collect();
    // The machine takes one step after the other, so each call belongs to the first that is not over.
    let mut place = 0;
    for call in calls {
        let Some(step) = steps.get_mut(place) else { break };
        if tell(step, call) {
            place += 1;
        }
    }
    ask(steps.get_mut(place), history::calls::asked(events));
    steps
}

/// Tells a step of a call; whether it is over then.
fn tell(step: &mut Step, call: &Call) -> bool {
    let Ok(reply) = &call.answer else {
        if call.state == "Monitor" {
            looked(step, call.at, &call.asked);
        }
        step.is_asked |= is_move(&call.state);
        return false;
    };
    match call.state.as_str() {
        "SwapListener" | "ShiftWeight" => {
            if reply["changed"] == true {
                step.moved_at = step.moved_at.or(Some(call.at));
            }
            if reply["settled"] == true {
                // Whoever asks again after an answer was lost finds it changed.
                step.moved_at = step.moved_at.or(Some(call.at));
                step.settled_at = Some(call.at);
                step.looked_at = Some(call.at);
            }
        }
        "Monitor" => {
            looked(step, call.at, &call.asked);
            step.share_seen_percent = reply["share_seen_percent"].as_f64().or(step.share_seen_percent);
            step.done_at = (reply["done"] == true).then_some(call.at);
        }
        // The hold begins again; a yes that is not signed has decided nothing.
        "AwaitDecision" if is_signed(reply) => {
            step.held_seconds = 0;
            step.looked_at = Some(call.at);
        }
        _ => {}
    }
    step.done_at.is_some()
}

/// A look that nobody has answered yet tells how long the step was held, too. While a person is asked, nothing is counted.
fn ask(step: Option<&mut Step>, (at, asked): (Option<Timestamp>, Value)) {
    let (Some(step), Some(at)) = (step, at) else { return };
    match asked["state"].as_str() {
        Some("Monitor") => looked(step, at, &asked),
        Some("AwaitDecision") => step.looked_at = None,
        Some(state) => step.is_asked |= is_move(state),
        None => {}
    }
}

/// Whether a state moves traffic.
fn is_move(state: &str) -> bool {
    ["SwapListener", "ShiftWeight"].contains(&state)
}

fn looked(step: &mut Step, at: Timestamp, asked: &Value) {
    step.held_seconds = asked["elapsed_seconds"].as_u64().unwrap_or(step.held_seconds);
    step.looked_at = Some(at);
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Work {
    /// All that is planned, in seconds.
    pub planned_seconds: u64,
    /// What of it is behind the run, in seconds.
    pub done_seconds: u64,
    /// The share of it, in whole percent, rounded down.
    pub percent: u8,
}

/// The work of a load test, in seconds, and how much of it is behind the run.
fn load(plan: &Plan, calls: &[Call], has_steps: bool) -> (u64, u64) {
    let Some(test) = &plan.load_test else { return (0, 0) };
    let all = test.least_time().0;
    let last = crate::known::replies(calls, "NextLoadTurn").next_back();
    let is_over = has_steps || last.is_some_and(|reply| reply["over"] == true);
    let turn = last.and_then(|reply| reply["turn"].as_u64()).unwrap_or(0);
    (all, if is_over { all } else { (all * turn.saturating_sub(1) / test.turns().max(1)).min(all) })
}

/// The work of a run at a moment. One that is finished has done all of it, whatever a plan without holds says.
pub fn work(plan: &Plan, steps: &[Step], calls: &[Call], is_finished: bool, at: Timestamp) -> Work {
    let (load_seconds, loaded) = load(plan, calls, steps.iter().any(|step| step.moved_at.is_some()));
    let planned_seconds = load_seconds + steps.iter().map(Step::seconds).sum::<u64>();
    let done = loaded + steps.iter().map(|step| step.done_seconds(at)).sum::<u64>();
    let done_seconds = if is_finished { planned_seconds } else { done.min(planned_seconds) };
    let percent =
        (done_seconds * 100).checked_div(planned_seconds).unwrap_or(0).min(if is_finished { 100 } else { 99 });
    Work { planned_seconds, done_seconds, percent: u8::try_from(percent).unwrap_or(100) }
}

/// Something that comes, or has come, at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Milestone {
    /// What.
    pub what: String,
    /// By the first plan: the claim, and what is planned before it. None before the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub planned_at: Option<Timestamp>,
    /// When it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub reached_at: Option<Timestamp>,
    /// Not before then, if nothing holds the run up from now on; of a limit, then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub expected_at: Option<Timestamp>,
    /// What has to come first, where people hold the run: `once resumed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Whether it is a limit, by when something has to have happened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_limit: bool,
    /// Whether it was asked for and never answered, and does not come any more: users may have had it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_asked: bool,
}

/// So many seconds later, where time goes that far.
pub fn later(at: Timestamp, seconds: u64) -> Option<Timestamp> {
    at.checked_add(SignedDuration::from_secs(i64::try_from(seconds).ok()?)).ok()
}

/// Each step's beginning, and the end of the last hold. `is_going`: whether what is not reached yet is still to come.
pub fn milestones(
    plan: &Plan,
    steps: &[Step],
    calls: &[Call],
    (claimed_at, finished_at, at): (Option<Timestamp>, Option<Timestamp>, Timestamp),
    is_going: bool,
) -> Vec<Milestone> {
    let (load_seconds, loaded) = load(plan, calls, steps.iter().any(|step| step.moved_at.is_some()));
    let (mut planned, mut left) = (load_seconds, load_seconds.saturating_sub(loaded));
    let of = |what: String, reached_at: Option<Timestamp>, planned: u64, left: u64| Milestone {
        what,
        planned_at: claimed_at.and_then(|claimed| later(claimed, planned)),
        reached_at,
        expected_at: if is_going && reached_at.is_none() { later(at, left) } else { None },
        after: None,
        is_limit: false,
        is_asked: false,
    };
    let mut milestones = Vec::new();
    for step in steps {
        let is_asked = !is_going && step.is_asked && step.moved_at.is_none();
        milestones.push(Milestone { is_asked, ..of(step.title(), step.moved_at, planned, left) });
        planned += step.seconds();
        left += step.seconds() - step.done_seconds(at).min(step.seconds());
    }
    milestones.push(of("all traffic on the new side, the last hold over".to_owned(), finished_at, planned, left));
    milestones
}

/// How much later the run ends, or has ended, than the first plan had it, in seconds; earlier is negative.
pub fn slip(milestones: &[Milestone]) -> Option<i64> {
    let end = milestones.last()?;
    let comes_at = end.reached_at.or(end.expected_at)?;
    Some(comes_at.duration_since(end.planned_at?).as_secs())
}

#[cfg(test)]
#[path = "work_tests.rs"]
mod tests;
