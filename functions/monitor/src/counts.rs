//! What a sequential test of a metric's counts says. Pure: datapoints, the time and what was counted before are arguments.
//!
//! The test spans the whole run: a period counts from the first one that lies wholly in the step at which the metric was first looked at, also those in
//! which one step goes over into the next. Each counts once (`judge::sequential`), when it is complete: as late as a threshold would look at it.
//! A period without requests, or whose trouble is not known, does not count; once a later one has, it never does.

use std::collections::BTreeMap;

use cutover::plan::{Countable, Counted, Metric, Missing, Monitoring, Route};
use cutover::verdict::Verdict;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use judge::Counts;
use judge::need::need;
use judge::sequential::{Period, Rule, Says, Test};
use serde::{Deserialize, Serialize};

use crate::metrics::{Datapoints, Series, Window, is_warm, newest};
use crate::{Check, Seen, clusters, words};

/// So many periods back a look counts at the most: what is older was missed.
const MOST_PERIODS: i64 = 180;

/// The tests of a run, by their metrics' places in the plan.
pub type Tests = BTreeMap<usize, Test>;

/// One look at the metrics of a run.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// What is watched.
    pub monitoring: &'a Monitoring,
    /// The route's place in the plan, and the step's in its route.
    pub step: [u16; 2],
    /// The routes of the plan, each with the new side's share in percent.
    pub shares: &'a [(&'a Route, u8)],
    /// How much errors come in clusters, as the baseline has it of the old side.
    pub clusters: Option<f64>,
    /// How long the state machine has waited in this step.
    pub elapsed_seconds: u64,
    /// The time.
    pub now: Timestamp,
}

/// What the journal keeps.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// How often a person had let the run go on in spite of a failed check: what was counted before that is passed over.
    #[serde(default)]
    decisions: u32,
    tests: Tests,
}

/// What was counted since the last of so many decisions. What another version wrote in a form of its own is passed over, too: the tests begin again.
pub fn read(counted: Option<&str>, decisions: u32) -> Tests {
    let kept = counted.and_then(|text| serde_json::from_str::<Kept>(text).ok());
    kept.filter(|kept| kept.decisions == decisions).unwrap_or_default().tests
}

/// The text to keep.
///
/// # Errors
/// None that is known: a test is plain numbers.
pub fn written(tests: &Tests, decisions: u32) -> StepResult<String> {
    let kept = Kept { decisions, tests: tests.clone() };
    serde_json::to_string(&kept).map_err(|error| StepError::invalid(error.to_string()))
}

impl Look<'_> {
    /// The periods that a test has still to count.
    pub fn to_count(&self, metric: &Metric, test: Option<&Test>) -> Window {
        let of_step = Window::of_step(metric.period, self.elapsed_seconds, self.now);
        let period = i64::try_from(metric.period.0).unwrap_or(i64::MAX);
        let counted = test.and_then(Test::counted_until).map(|at| at.saturating_add(period));
        let oldest = of_step.end.saturating_sub(MOST_PERIODS.saturating_mul(period));
        Window { start: counted.unwrap_or(of_step.start).max(oldest), end: of_step.end }
    }

    fn rule(&self, metric: &Metric, countable: &Countable<'_>) -> Rule {
        Rule {
            limit: countable.limit,
            false_alarm: self.monitoring.false_alarm_of_each(),
            dispersion: clusters::of(metric, self.clusters),
            is_compared: metric.compare_to.is_some(),
        }
    }

    /// Whether the old side that a metric is compared with should have requests: where the plan's routes show whose it is, that route has not all
    /// its traffic on the new side; else the route that is held has not.
    fn expects_old(&self, metric: &Metric) -> bool {
        let Some(old) = &metric.compare_to else { return false };
        let held = self.shares.get(usize::from(self.step[0]));
        let share = self.shares.iter().find(|(route, _)| old.is_of(route)).or(held);
        share.is_some_and(|(_, percent)| *percent < 100)
    }

    /// Counts what is new of each metric. `datapoints` stand in the places of the metrics, where there are any.
    pub fn count(&self, tests: &mut Tests, datapoints: &[Option<Datapoints>]) {
        for (index, (metric, datapoints)) in self.monitoring.metrics.iter().zip(datapoints).enumerate() {
            if let Some(test) = tests.get_mut(&index) {
                test.enter(self.step);
            }
            let (Some(countable), Some(datapoints)) = (metric.sequential(), datapoints) else { continue };
            let window = self.to_count(metric, tests.get(&index));
            let step_began = Window::of_step(metric.period, self.elapsed_seconds, self.now).start;
            let rule = self.rule(metric, &countable);
            for period in periods(metric, &countable, datapoints, window, step_began) {
                let test = tests.entry(index).or_default();
                test.enter(self.step);
                test.count(&rule, &period);
            }
        }
    }

    /// What a metric's test says, and its newest value.
    pub fn judge(&self, metric: &Metric, countable: &Countable<'_>, test: &Test, datapoints: &Datapoints) -> Check {
        let rule = self.rule(metric, countable);
        let says = test.says(&rule);
        let need = if says == Says::Nothing { need(&rule, test) } else { None };
        let counted = words::counted(metric, countable, test);
        let check = |verdict, seen: String| Check {
            name: metric.name.clone(),
            verdict,
            seen,
            value: None,
            is_early: false,
            is_final: false,
            test: Some(Seen::of(test, countable.limit, need)),
        };
        if says == Says::Trouble {
            let seen = format!("{counted}, {}", words::p_value(test.p_value()));
            return Check { is_final: true, ..check(Verdict::Unhealthy, seen) };
        }
        let is_warm = is_warm(&self.monitoring.metrics, self.elapsed_seconds);
        let (at, value) =
            match newest(metric, datapoints, Window::new(metric.period, self.elapsed_seconds, self.now), is_warm) {
                Ok(newest) => newest,
                Err(no_value) => return *no_value,
            };
        let check = |verdict, seen| Check { value: Some(value), ..check(verdict, seen) };
        if matches!(countable.counted, Counted::Above { .. })
            && value > metric.threshold
            && !datapoints.above.contains_key(&at)
        {
            let seen = format!("{}, and CloudWatch does not count the requests above it", words::beyond(metric, value));
            return check(Verdict::Unhealthy, seen);
        }
        if test.new_side().all > 0 && test.old_side().all == 0 && self.expects_old(metric) {
            // Silence there is no health here: a name that is misspelt is answered with nothing, too.
            let seen = format!("{counted}: no data of the old side, with which it is compared");
            return Check { is_early: !is_warm, ..check(Verdict::Inconclusive, seen) };
        }
        match (says, need) {
            (Says::Health, _) => check(Verdict::Healthy, format!("{counted}: surely below it in this step")),
            // At 100 % there may never have been anything to compare with.
            (_, None) if metric.compare_to.is_some() && test.old_side().all == 0 => {
                check(Verdict::TooLittleData, format!("{counted}: nothing to compare with"))
            }
            (_, Some(need)) => {
                let [needed, has] = [words::about(need.needed), words::grouped(need.has)];
                // Health is of one step, and what is counted is of the whole run.
                let of_step = if need.has == test.new_side().all { "" } else { " in this step" };
                let seen = format!(
                    "{counted}: no trouble so far, to tell it needs about {needed} requests{of_step}, has {has}"
                );
                check(Verdict::TooLittleData, seen)
            }
            (_, None) => {
                check(Verdict::TooLittleData, format!("{counted}: no trouble so far, and too near to it to tell"))
            }
        }
    }
}

/// What can be counted, in the order of time.
fn periods(
    metric: &Metric,
    countable: &Countable<'_>,
    datapoints: &Datapoints,
    window: Window,
    step_began: i64,
) -> Vec<Period> {
    let bad_of = |bad: &Series, at: i64| match (bad.get(&at), metric.missing) {
        (Some(bad), _) => Some(*bad),
        (None, Missing::ZeroIfDivisor | Missing::Healthy) => Some(0.0),
        (None, _) => None,
    };
    // Where CloudWatch counts none above it, its percentile shows whether there were any.
    let is_within = |at: i64| datapoints.values.get(&at).is_some_and(|value| *value <= metric.threshold);
    let new_side = |at: i64, all: f64| {
        let bad = match countable.counted {
            Counted::Part(_) => bad_of(&datapoints.values, at),
            Counted::Above { .. } => datapoints.above.get(&at).copied().or_else(|| is_within(at).then_some(0.0)),
        };
        Counts::observed(bad?, all)
    };
    let old_side = |at: i64| {
        let all = datapoints.old_all.get(&at)?;
        let bad = match countable.counted {
            Counted::Part(_) => bad_of(&datapoints.old_bad, at),
            Counted::Above { .. } => Some(datapoints.old_bad.get(&at).copied().unwrap_or(0.0)),
        };
        Counts::observed(bad?, *all)
    };
    let counted = datapoints.divisors.range(window.start..window.end.max(window.start));
    let period = |(at, all): (&i64, &f64)| {
        let new = new_side(*at, *all).filter(|counts| counts.all > 0)?;
        Some(Period { start: *at, new, old: old_side(*at).unwrap_or_default(), is_of_step: *at >= step_began })
    };
    counted.filter_map(period).collect()
}

#[cfg(test)]
mod tests;
