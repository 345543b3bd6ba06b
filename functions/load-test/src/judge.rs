//! The whole test: slices merged by side, the generator's own health, and the verdict. Pure.
//!
//! A test whose generator fell behind, or that lacks a slice, is invalid: never a pass, and never a failure. Otherwise the SLA decides
//! on the new side's figures.

use std::collections::BTreeMap;

use cutover::plan::LoadTest;
use load_results::compare::Comparison;
use load_results::report::{OfSide, Report, Verdict};
use load_results::results::Results;
use load_results::sla::{Figures, lines, score};
use serde::{Deserialize, Serialize};

use crate::slices::{Side, Slice, side_of};

/// Of what was due, so much must have been sent.
const LEAST_ACHIEVED_PERCENT: f64 = 99.0;
/// A generator that uses more of its one processor is too slow for its task.
const MOST_CPU_PERCENT: f64 = 85.0;
/// Its own delay, at the 99th percentile, in milliseconds.
const MOST_LAG_P99_MS: f64 = 10.0;
/// More problems than this are not told one by one.
const MOST_PROBLEMS: usize = 10;

/// What one function run leaves behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Which slice it was.
    pub slice: Slice,
    /// By how much it was too late, in milliseconds; then it sent nothing.
    pub late_by_ms: Option<i64>,
    /// The share of one processor that it used, in percent.
    pub cpu_percent: f64,
    /// Whether it stopped early: more requests failed than may, or a bound was lost.
    pub is_stopped: bool,
    /// The bound of the SLA that was lost for certain, where that is why it stopped.
    #[serde(default)]
    pub stopped_by: Option<String>,
    /// What came of its requests.
    pub results: Results,
}

/// The verdict on everything that was left behind by the slices of a round. After a slice that stopped early, turns that were not begun
/// are not missing.
pub fn judge(test: &LoadTest, round: u32, turns: u64, done: &[Done]) -> Report {
    let problems = problems(test, round, turns, done);
    let new = of_side(done, Side::New);
    let sla = lines(&test.sla, &new.figures);
    let is_stopped = done.iter().any(|done| done.is_stopped && done.slice.side == Side::New);
    let stopped_by = done.iter().filter(|done| done.slice.side == Side::New).find_map(|done| done.stopped_by.clone());
    let is_certain = is_stopped && (problems.is_empty() || stopped_by.is_none());
    // What a slow generator measures is its own slowness; what fails, fails.
    let verdict = if is_certain {
        Verdict::Violated
    } else if !problems.is_empty() {
        Verdict::Invalid
    } else if sla.iter().all(|line| line.holds) && new.results.sent > 0 {
        Verdict::Passed
    } else {
        Verdict::Violated
    };
    let old = test.targets.old.is_some().then(|| of_side(done, Side::Old));
    let comparison = comparison(test, verdict, &old, &new);
    Report {
        verdict,
        problems,
        notes: notes(test, &new.results),
        score: score(&sla),
        sla,
        is_stopped,
        stopped_by,
        new,
        old,
        comparison,
    }
}

/// How a problem says that a slice is missing.
const NO_RESULT: &str = "left no result";

/// Says first what failed of a slice, where one left no result in the round that is judged.
pub fn with_lost(mut report: Report, lost: &str) -> Report {
    if !lost.is_empty() && report.problems.iter().any(|problem| problem.ends_with(NO_RESULT)) {
        report.problems.insert(0, format!("a slice failed: {lost}"));
    }
    report
}

/// Of an invalid test nothing is compared: its figures are the generator's.
fn comparison(test: &LoadTest, verdict: Verdict, old: &Option<OfSide>, new: &OfSide) -> Comparison {
    match old {
        None => Comparison::none("the old side was not loaded"),
        Some(_) if verdict == Verdict::Invalid => Comparison::none("the test is invalid"),
        Some(old) => Comparison::of(&old.results, &new.results, test.concurrent_users.is_none()),
    }
}

/// Slices of a turn went on side by side, turns one after the other.
fn of_side(done: &[Done], side: Side) -> OfSide {
    let mut turns: BTreeMap<u64, Results> = BTreeMap::new();
    for done in done.iter().filter(|done| done.slice.side == side) {
        turns.entry(done.slice.turn).or_default().add_beside(&done.results);
    }
    let mut results = Results::default();
    turns.values().for_each(|turn| results.add_after(turn));
    OfSide { figures: Figures::from(&results), results }
}

fn problems(test: &LoadTest, round: u32, turns: u64, done: &[Done]) -> Vec<String> {
    let mut problems: Vec<String> = done.iter().flat_map(of_slice).collect();
    for turn in 0..turns {
        for slice in 0..test.slices(round) {
            if !done.iter().any(|done| (done.slice.turn, done.slice.slice) == (turn, slice)) {
                let side = side_of(test, turn).as_str();
                problems.push(format!("turn {} ({side} side), slice {} {NO_RESULT}", turn + 1, slice + 1));
            }
        }
    }
    let more = problems.len().saturating_sub(MOST_PROBLEMS);
    problems.truncate(MOST_PROBLEMS);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    problems
}

/// What kept one function from its task.
fn of_slice(done: &Done) -> Vec<String> {
    let title = done.slice.title();
    if let Some(late) = done.late_by_ms {
        return vec![format!("{title} began {late} ms too late, and sent nothing")];
    }
    let mut problems = Vec::new();
    let Results { offered, sent, lag, .. } = &done.results;
    let achieved = 100.0 * *sent as f64 / (*offered).max(1) as f64;
    if *offered == 0 {
        problems.push(format!("{title} had nothing to send"));
    } else if achieved < LEAST_ACHIEVED_PERCENT {
        problems.push(format!("{title} sent {sent} of {offered} requests ({achieved:.1} %)"));
    }
    if done.cpu_percent > MOST_CPU_PERCENT {
        problems.push(format!("{title} used {:.0} % of its processor", done.cpu_percent));
    }
    if let Some(lag) = lag.quantile_ms(0.99).filter(|lag| *lag > MOST_LAG_P99_MS) {
        problems.push(format!("{title} was {lag:.1} ms behind its schedule (p99)"));
    }
    problems
}

fn notes(test: &LoadTest, new: &Results) -> Vec<String> {
    let mut notes = Vec::new();
    if test.concurrent_users.is_some() {
        notes.push(
            "concurrent_users: each user waited for an answer before asking again, so while a side was slow fewer requests came, and the \
             time that others would have waited is in no percentile; the rate is what the side let them reach"
                .to_owned(),
        );
    }
    if test.targets.old.is_none() {
        notes.push("the old side was not loaded: nothing is compared".to_owned());
    }
    if new.from_schedule.saturated() > 0 {
        notes.push(format!("{} answers took more than 60 s, and count as 60 s", new.from_schedule.saturated()));
    }
    if new.waited > 0 {
        let waited = new.waited;
        notes
            .push(format!("{waited} requests waited for a connection, as all were in use; their latency has it in it"));
    }
    notes
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
