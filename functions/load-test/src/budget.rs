//! When a slice stops by itself: once it is certain that the SLA does not hold. Pure.
//!
//! By the sequential test of the crate `judge`, second by second. **Failures** of either side are tested against the share that may fail; where the
//! SLA does not say, half of them. **Slow answers** of the new side, of which "p95 at most 500 ms" lets 5 % be slower than 500 ms, are tested against
//! that share. They come in waves (a pause, a cold start), and the SLA is about the whole test, of which this slice sees a part; so three things have to
//! come together: the test is certain, with its counts divided by how much slow answers come in clusters in these very seconds; at least
//! ten seconds were looked at, without which nobody knows that; and the bound is lost even if everything that this slice is still to send in the
//! whole test were fast. All tests of all slices together stop a side with which nothing is wrong in one load test of a hundred at the most.

use std::time::Duration;

use ::judge::Counts;
use ::judge::dispersion::dispersion;
use ::judge::sequential::{Period, Rule, Says, Test, shared};
use cutover::plan::{LoadTest, Sla};
use load_results::results::Results;

use crate::slices::Side;

/// Of a whole load test.
const FALSE_ALARM: f64 = 0.01;
/// What may fail where the SLA does not say.
const OBVIOUS: f64 = 0.5;
/// Where nearly all may fail, the limit is this: one of 1 is no rate.
const MOST: f64 = 0.999;
/// Where nothing may fail, one in so many is tested: a limit of 0 is no rate.
const LEAST: f64 = 0.0001;
/// Fewer seconds do not say whether slow answers come in clusters (`judge::dispersion`).
const LEAST_SECONDS: usize = 10;

/// Why a slice stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// More requests fail than may.
    Failures,
    /// This bound of the SLA is lost.
    Slow(&'static str),
}

/// What one slice has spent.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Whether the SLA lets every request fail: then none is one too many.
    may_all_fail: bool,
    rule: Rule,
    test: Test,
    second: i64,
    counted: Counts,
    slow: Vec<Slow>,
}

impl Budget {
    /// Of a slice of a test that has so many in each turn.
    pub fn of(test: &LoadTest, slices: u32, side: Side) -> Self {
        let bounds = bounds(&test.sla);
        let all = test.turns().saturating_mul(u64::from(slices)).saturating_mul(1 + bounds.len() as u64);
        let false_alarm = shared(FALSE_ALARM, usize::try_from(all).unwrap_or(usize::MAX));
        let seconds = test.turns_of_side() * test.turn().0;
        // The SLA is the new side's.
        let bounds = if side == Side::New { bounds } else { Vec::new() };
        let slow = bounds.into_iter().map(|(bound, share, limit)| Slow::new(bound, share, limit, seconds, false_alarm));
        Self { slow: slow.collect(), ..Self::new(test.sla.min_success_percent, false_alarm) }
    }

    /// By the share that has to succeed, and how often it may be wrong.
    pub fn new(min_success_percent: Option<f64>, false_alarm: f64) -> Self {
        let limit = min_success_percent.map_or(OBVIOUS, |percent| 1.0 - percent / 100.0).clamp(LEAST, MOST);
        let rule = Rule { limit, false_alarm, dispersion: 1.0, is_compared: false };
        let may_all_fail = min_success_percent.is_some_and(|percent| percent <= 0.0);
        Self { may_all_fail, rule, test: Test::default(), second: 0, counted: Counts::default(), slow: Vec::new() }
    }

    /// By what it is spent for certain, in this second of the slice: each is looked at when it is over.
    pub fn spent(&mut self, results: &Results, second: u64) -> Option<Stop> {
        let second = i64::try_from(second).unwrap_or(i64::MAX);
        if second > self.second {
            let all = Counts { bad: results.sent.saturating_sub(results.succeeded), all: results.sent };
            let period = period(self.second, since(all, self.counted));
            self.test.count(&self.rule, &period);
            (self.second, self.counted) = (second, all);
            self.slow.iter_mut().for_each(|slow| slow.look(results));
        }
        if !self.may_all_fail && self.test.says(&self.rule) == Says::Trouble {
            return Some(Stop::Failures);
        }
        self.slow.iter().find(|slow| slow.is_lost).map(|slow| Stop::Slow(slow.bound))
    }
}

/// The percentiles that the SLA bounds: the bound's name, the share that may be slower, and than what.
fn bounds(sla: &Sla) -> Vec<(&'static str, f64, f64)> {
    let all = [
        ("max_p50_ms", 0.5, sla.max_p50_ms),
        ("max_p90_ms", 0.1, sla.max_p90_ms),
        ("max_p95_ms", 0.05, sla.max_p95_ms),
        ("max_p99_ms", 0.01, sla.max_p99_ms),
        ("max_p999_ms", 0.001, sla.max_p999_ms),
    ];
    all.into_iter().filter_map(|(bound, share, limit)| Some((bound, share, limit?))).collect()
}

/// One percentile's bound.
#[derive(Clone, Debug)]
struct Slow {
    bound: &'static str,
    limit: Duration,
    /// How long the side is measured in the whole test.
    seconds: u64,
    rule: Rule,
    /// Slow answers, and all, of each second in which there were some.
    looks: Vec<Counts>,
    counted: Counts,
    is_lost: bool,
}

impl Slow {
    fn new(bound: &'static str, share: f64, limit_ms: f64, seconds: u64, false_alarm: f64) -> Self {
        let limit = Duration::try_from_secs_f64(limit_ms / 1000.0).unwrap_or(Duration::MAX);
        let rule = Rule { limit: share, false_alarm, dispersion: 1.0, is_compared: false };
        Self { bound, limit, seconds, rule, looks: Vec::new(), counted: Counts::default(), is_lost: false }
    }

    fn look(&mut self, results: &Results) {
        let all = Counts { bad: results.from_schedule.longer_than(self.limit), all: results.from_schedule.len() };
        let look = since(all, self.counted);
        self.counted = all;
        if look.all > 0 {
            self.looks.push(look);
        }
        self.is_lost = self.looks.len() >= LEAST_SECONDS && self.is_beyond_repair() && self.is_certain();
    }

    /// Whether more were slow than the bound allows of all that will have been sent at this rate.
    fn is_beyond_repair(&self) -> bool {
        let rest = (self.seconds as f64 / self.looks.len() as f64).max(1.0);
        self.counted.bad as f64 > self.rule.limit * self.counted.all as f64 * rest
    }

    fn is_certain(&self) -> bool {
        let rule = Rule { dispersion: dispersion(&self.looks).unwrap_or(1.0), ..self.rule };
        let mut test = Test::default();
        for (second, look) in (0..).zip(&self.looks) {
            test.count(&rule, &period(second, *look));
        }
        test.says(&rule) == Says::Trouble
    }
}

fn since(all: Counts, counted: Counts) -> Counts {
    Counts { bad: all.bad.saturating_sub(counted.bad), all: all.all.saturating_sub(counted.all) }
}

fn period(start: i64, new: Counts) -> Period {
    Period { start, new, old: Counts::default(), is_of_step: false }
}

#[cfg(test)]
mod tests {
    use load_results::results::Outcome;
    use serde_json::{Value, json};

    use super::*;

    /// After how many seconds it is spent, of 100 requests a second of which so many fail.
    fn spent_after(min_success_percent: Option<f64>, failing: impl Fn(u64) -> u64) -> Option<u64> {
        let mut budget = Budget::new(min_success_percent, 0.000_1);
        let mut results = Results::new(1);
        (1..=600).find(|second| {
            results.sent += 100;
            results.succeeded += 100 - failing(*second);
            budget.spent(&results, *second) == Some(Stop::Failures)
        })
    }

    #[test]
    fn a_budget_that_burns_stops_a_slice_soon_and_one_that_holds_never() {
        assert_eq!(spent_after(None, |_| 100), Some(1));
        assert_eq!(spent_after(Some(99.0), |_| 50), Some(1));
        assert!(spent_after(Some(99.0), |_| 4).is_some_and(|seconds| seconds < 10));
        assert_eq!(spent_after(Some(99.0), |_| 1), None, "exactly what may fail");
        assert_eq!(spent_after(None, |_| 40), None, "the SLA does not say, and most succeed");
        assert_eq!(spent_after(Some(100.0), |_| 0), None);
        assert!(spent_after(Some(100.0), |_| 1).is_some(), "where nothing may fail");
    }

    #[test]
    fn a_side_of_which_more_than_half_may_fail_is_not_stopped_at_half() {
        assert_eq!(spent_after(Some(30.0), |_| 60), None);
        assert!(spent_after(Some(30.0), |_| 90).is_some());
        assert_eq!(spent_after(Some(0.0), |_| 100), None, "all may fail");
    }

    #[test]
    fn a_second_counts_once_and_when_it_is_over() {
        let mut budget = Budget::new(Some(99.0), 0.01);
        let results = Results { sent: 500, succeeded: 0, ..Results::new(1) };
        assert_eq!(budget.spent(&results, 0), None);
        assert_eq!(budget.spent(&results, 1), Some(Stop::Failures));
        let before = budget.test.new_side();
        assert_eq!(budget.spent(&results, 1), Some(Stop::Failures));
        assert_eq!(budget.test.new_side(), before);
    }

    /// A minute of a side that is measured for two, at 100 requests a second, of which so many are slow in each second.
    fn slow_after(sla: Value, side: Side, slow: impl Fn(u64) -> u64) -> Option<(u64, Stop)> {
        let targets = json!({ "new": { "url": "http://10.0.0.2/" }, "old": { "url": "http://10.0.0.1/" } });
        let test = json!({ "targets": targets, "rate_per_second": 100, "duration": 120, "sla": sla });
        let mut budget = Budget::of(&serde_json::from_value(test).unwrap(), 1, side);
        let mut results = Results::new(1);
        (1..=60).find_map(|second| {
            for number in 0..100 {
                let service = Duration::from_millis(if number < slow(second) { 501 } else { 20 });
                let (due, lag) = (Duration::from_millis(second * 1000 + number * 10), Duration::ZERO);
                let (is_measured, failure) = (true, None);
                let outcome = Outcome { kind: 0, is_measured, due, lag, service, status: Some(200), failure, bytes: 0 };
                results.count(&outcome, 0);
            }
            Some((second, budget.spent(&results, second)?))
        })
    }

    #[test]
    fn a_bound_that_is_lost_stops_the_new_side_and_one_that_holds_never() {
        let (p95, p99) = (json!({ "max_p95_ms": 500 }), json!({ "max_p99_ms": 500 }));
        let new = |sla: &Value, slow: fn(u64) -> u64| slow_after(sla.clone(), Side::New, slow);
        assert_eq!(new(&p95, |_| 100), Some((10, Stop::Slow("max_p95_ms"))), "all are slow");
        assert_eq!(new(&p95, |_| 0), None);
        assert_eq!(new(&p95, |_| 5), None, "exactly as many as may");
        assert!(new(&p95, |_| 20).is_some_and(|(second, _)| (30..40).contains(&second)), "lost after 5 % of all");
        assert!(new(&p99, |_| 5).is_some_and(|(second, stop)| second < 40 && stop == Stop::Slow("max_p99_ms")));
        assert_eq!(new(&json!({ "max_mean_ms": 1 }), |_| 100), None, "a mean has no such test");
        assert_eq!(slow_after(p95, Side::Old, |_| 100), None, "the SLA is the new side's");
    }

    #[test]
    fn a_pause_or_a_cold_start_is_no_lost_bound() {
        let p95 = || json!({ "max_p95_ms": 500 });
        for pause in [1, 12, 59] {
            assert_eq!(slow_after(p95(), Side::New, |second| if second == pause { 100 } else { 0 }), None);
        }
        assert_eq!(slow_after(p95(), Side::New, |second| if second <= 5 { 100 } else { 0 }), None, "5 of 120 s");
        assert_eq!(
            slow_after(p95(), Side::New, |second| if second % 20 == 0 { 100 } else { 0 }),
            None,
            "5 %, in waves"
        );
    }

    /// At the limit, with chance: a hundredth of the tests at the most.
    #[test]
    fn sides_at_the_limit_are_left_alone() {
        let stopped = (0..100).filter(|seed| {
            let random = std::cell::RefCell::new(fastrand::Rng::with_seed(*seed));
            let slow = |_| (0..100).filter(|_| random.borrow_mut().f64() < 0.05).count() as u64;
            slow_after(json!({ "max_p95_ms": 500 }), Side::New, slow).is_some()
        });
        assert!(stopped.count() <= 1);
    }
}
