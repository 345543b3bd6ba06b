//! The signs by which the risk of a run is judged, out of what is known of it. Pure.

use cutover::Plan;
use cutover::plan::{Comparison, Metric};
use history::calls::is_signed;
use history::{Call, Story};
use jiff::Timestamp;
use serde_json::Value;

use crate::known::{Known, replies};
use crate::risk::{Asked, Budget, Lag, Look, Signs};
use crate::standing::{Standing, held_by_line};
use crate::work::Work;

/// So many samples of the lag are looked at.
const SAMPLES: usize = 3;

/// Everything that the level is made from.
pub fn signs(
    known: &Known,
    calls: &[Call],
    plan: Option<&Plan>,
    standing: Standing,
    work: Option<Work>,
    at: Timestamp,
) -> Signs {
    let run = known.run.as_ref();
    let watched = known.cleanup.as_ref().map(Story::calls).unwrap_or_default();
    let looks = if standing == Standing::Watched { &watched[..] } else { calls };
    let look = last_look(looks);
    let is_looked_at = standing.is_going_forward() || standing == Standing::Watched;
    let look = look.filter(|_| is_looked_at);
    let is_unseen = standing == Standing::Watched && look.is_none();
    let tally = |name: &str| look.and_then(|reply| reply["tally"][name].as_u64()?.try_into().ok());
    Signs {
        is_stuck: standing == Standing::Stuck,
        is_held: standing == Standing::Held,
        is_going_back: standing == Standing::RollingBack,
        asked: asked(known, standing),
        is_paused: run.is_some_and(|run| run.paused) && standing.is_going_forward(),
        held_by_line: held_by_line(calls).filter(|_| standing.is_going_forward()),
        look: look.map(counted),
        last_of_run: last_look(calls).filter(|_| is_unseen).map(counted),
        no_data_in_row: tally("no_data_in_row").zip(plan.map(|plan| plan.monitoring.no_data_limit)),
        budgets: look.zip(plan).map(|(look, plan)| budgets(look, &plan.monitoring.metrics)).unwrap_or_default(),
        false_alarm: plan.map(|plan| plan.monitoring.false_alarm),
        lag: plan.and_then(|plan| lag(calls, plan)).filter(|_| standing.is_going_forward()),
        decisions: decisions(calls),
        // The one that is at work, or has ended so, is told of by the standing.
        rollbacks_before: run.map_or(0, |run| run.rollbacks.saturating_sub(1)),
        retries: retries(calls),
        time: time(known, plan, standing, work, at),
        has_no_way_back: run.is_some_and(|run| run.past_no_return) && standing.is_open(),
        not_known: not_known(known, calls, plan, standing),
    }
}

fn asked(known: &Known, standing: Standing) -> Option<Asked> {
    match standing {
        Standing::WaitsForApproval => Some(Asked::Approval),
        Standing::WaitsForDecision => match history::calls::state(&known.cutover.events) {
            Some((_, "AskAfterLoadTest")) => Some(Asked::LoadTest),
            _ => Some(Asked::Decision),
        },
        _ => None,
    }
}

/// The last look of the present step: one of an earlier step says nothing of this one.
fn last_look(calls: &[Call]) -> Option<&Value> {
    let moved = calls.iter().rposition(|call| {
        ["SwapListener", "ShiftWeight"].contains(&call.state.as_str())
            && call.answer.as_ref().is_ok_and(|reply| reply["changed"] == true)
    });
    replies(&calls[moved.unwrap_or(0)..], "Monitor").next_back()
}

fn counted(reply: &Value) -> Look {
    let mut look = Look::default();
    for check in reply["checks"].as_array().into_iter().flatten() {
        match check["verdict"].as_str() {
            Some("healthy") => look.healthy += 1,
            Some("unhealthy") => look.unhealthy += 1,
            Some("too_little_data") => look.too_little += 1,
            // What could not be expected yet is no trouble.
            _ if check["is_early"] == true => {}
            _ => look.without_data += 1,
        }
    }
    look
}

/// What was seen of each metric, of its limit. One that must not fall below a value has no budget to use up.
fn budgets(reply: &Value, metrics: &[Metric]) -> Vec<Budget> {
    let checks = reply["checks"].as_array().into_iter().flatten();
    checks.filter_map(|check| budget(check, metrics)).collect()
}

fn budget(check: &Value, metrics: &[Metric]) -> Option<Budget> {
    let name = check["name"].as_str()?;
    let metric = metrics.iter().find(|metric| metric.name == name)?;
    let test = &check["test"];
    let p_value = test["p_value"].as_f64();
    let used = match (test["bad"].as_f64(), test["all"].as_f64(), test["limit"].as_f64()) {
        // Beside the old side a limit is no share.
        (Some(_), Some(_), Some(_)) if metric.compare_to.is_some() => 0.0,
        (Some(bad), Some(all), Some(limit)) if all > 0.0 && limit > 0.0 => bad / all / limit,
        (Some(_), ..) => 0.0,
        _ if !matches!(metric.comparison, Comparison::GreaterThan | Comparison::GreaterThanOrEqual) => 0.0,
        _ if metric.threshold > 0.0 => check["value"].as_f64()? / metric.threshold,
        _ => return None,
    };
    Some(Budget { name: name.to_owned(), used, p_value })
}

/// The lag that the last samples saw; of the gate, or of the drain, whichever came later.
fn lag(calls: &[Call], plan: &Plan) -> Option<Lag> {
    let database = plan.database.as_ref()?;
    let last =
        calls.iter().rev().find(|call| ["CheckReplication", "DrainReplication"].contains(&call.state.as_str()))?;
    let most_seconds = if last.state == "CheckReplication" { database.max_lag } else { database.drain_latency };
    let mut samples: Vec<f64> =
        replies(calls, &last.state).rev().filter_map(|reply| reply["lag_seconds"].as_f64()).take(SAMPLES).collect();
    samples.reverse();
    let is_over = last.answer.as_ref().is_ok_and(|reply| reply["passed"] == true);
    (!samples.is_empty() && !is_over).then_some(Lag { samples, most_seconds: most_seconds.0 as f64 })
}

/// How often a person has let it go on.
fn decisions(calls: &[Call]) -> usize {
    let signed = |state| replies(calls, state).filter(|reply| is_signed(reply)).count();
    let answers = ["AwaitDecision", "AskAfterLoadTest"].map(signed);
    answers.into_iter().sum()
}

/// Calls that failed for a reason that passes: each of them was made again.
fn retries(calls: &[Call]) -> usize {
    let passing = ["Cutover.Throttled", "Cutover.Transient", "Sandbox.Timedout", "Runtime.ExitError", "Lambda."];
    let failed = |call: &&Call| {
        call.answer.as_ref().is_err_and(|(error, _)| passing.iter().any(|passing| error.starts_with(passing)))
    };
    calls.iter().filter(failed).count()
}

fn time(
    known: &Known,
    plan: Option<&Plan>,
    standing: Standing,
    work: Option<Work>,
    at: Timestamp,
) -> Option<(i64, u64)> {
    let deadline = known.deadline(plan, at)?;
    let left = work?.planned_seconds.saturating_sub(work?.done_seconds);
    standing.is_going_forward().then(|| (deadline.duration_since(at).as_secs(), left))
}

/// What nobody could tell.
fn not_known(known: &Known, calls: &[Call], plan: Option<&Plan>, standing: Standing) -> Vec<String> {
    let mut told = known.not_read.clone();
    let Some(plan) = plan else {
        told.push("work, milestones and checks: the plan is not known yet".to_owned());
        return told;
    };
    if plan.monitoring.metrics.is_empty() && plan.monitoring.alarms.is_empty() {
        told.push("how users are served: the plan watches no metric and no alarm".to_owned());
    }
    let is_sampled =
        ["CheckReplication", "DrainReplication"].iter().any(|state| replies(calls, state).next().is_some());
    if plan.database.is_some() && !is_sampled && standing.is_going_forward() {
        told.push("the replication's lag: it has not been sampled yet".to_owned());
    }
    let silent = known.cleanup.as_ref().is_none_or(|story| last_look(&story.calls()).is_none());
    if standing == Standing::Watched && silent {
        told.push("how the new side does since the end: it has not been looked at yet".to_owned());
    }
    told
}
