//! When a slice stops by itself: once it is certain that more requests fail than the SLA allows. Pure.
//!
//! The sequential test of the crate `judge`, second by second, against the share that may fail; where the SLA does not say, half of them. All
//! slices of a test together stop a side with which nothing is wrong in one test of a hundred at the most.

use ::judge::Counts;
use ::judge::sequential::{Period, Rule, Says, Test, shared};
use cutover::plan::LoadTest;

use crate::results::Results;

/// Of a whole load test.
const FALSE_ALARM: f64 = 0.01;
/// What may fail where the SLA does not say.
const OBVIOUS: f64 = 0.5;
/// Where nothing may fail, one in so many is tested: a limit of 0 is no rate.
const LEAST: f64 = 0.0001;

/// What one slice has spent.
#[derive(Clone, Debug)]
pub struct Budget {
    rule: Rule,
    test: Test,
    second: i64,
    counted: Counts,
}

impl Budget {
    /// Of a slice of a test that has so many in each turn.
    pub fn of(test: &LoadTest, slices: u32) -> Self {
        let all = usize::try_from(test.turns().saturating_mul(u64::from(slices))).unwrap_or(usize::MAX);
        Self::new(test.sla.min_success_percent, shared(FALSE_ALARM, all))
    }

    /// By the share that has to succeed, and how often it may be wrong.
    pub fn new(min_success_percent: Option<f64>, false_alarm: f64) -> Self {
        let limit = min_success_percent.map_or(OBVIOUS, |percent| 1.0 - percent / 100.0).clamp(LEAST, OBVIOUS);
        let rule = Rule { limit, false_alarm, dispersion: 1.0, is_compared: false };
        Self { rule, test: Test::default(), second: 0, counted: Counts::default() }
    }

    /// Whether it is spent for certain, in this second of the slice: each is looked at when it is over.
    pub fn is_spent(&mut self, results: &Results, second: u64) -> bool {
        let second = i64::try_from(second).unwrap_or(i64::MAX);
        if second > self.second {
            let all = Counts { bad: results.sent.saturating_sub(results.succeeded), all: results.sent };
            let new =
                Counts { bad: all.bad.saturating_sub(self.counted.bad), all: all.all.saturating_sub(self.counted.all) };
            let period = Period { start: self.second, new, old: Counts::default(), is_of_step: false };
            self.test.count(&self.rule, &period);
            (self.second, self.counted) = (second, all);
        }
        self.test.says(&self.rule) == Says::Trouble
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many seconds it is spent, of 100 requests a second of which so many fail.
    fn spent_after(min_success_percent: Option<f64>, failing: impl Fn(u64) -> u64) -> Option<u64> {
        let mut budget = Budget::new(min_success_percent, 0.000_1);
        let mut results = Results::new(1);
        (1..=600).find(|second| {
            results.sent += 100;
            results.succeeded += 100 - failing(*second);
            budget.is_spent(&results, *second)
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
    fn a_second_counts_once_and_when_it_is_over() {
        let mut budget = Budget::new(Some(99.0), 0.01);
        let results = Results { sent: 500, succeeded: 0, ..Results::new(1) };
        assert!(!budget.is_spent(&results, 0));
        assert!(budget.is_spent(&results, 1));
        let before = budget.test.new_side();
        assert!(budget.is_spent(&results, 1));
        assert_eq!(budget.test.new_side(), before);
    }
}
