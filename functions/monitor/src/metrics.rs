//! What a metric's datapoints say. Pure: datapoints and the time are arguments.

use std::collections::BTreeMap;

use cutover::Seconds;
use cutover::plan::{Metric, Missing};
use cutover::verdict::Verdict;
use jiff::Timestamp;

use crate::{Check, words};

/// A value older than so many periods says nothing about now.
const MOST_PERIODS: i64 = 5;
/// After so many of the longest period a metric must have had the time to report: one is cut off by the step's
/// beginning, and load balancers report a period or two late (CloudWatch user guide).
const WARM_UP_PERIODS: u64 = 4;

/// Values by the start of their period, in seconds since 1970.
pub type Series = BTreeMap<i64, f64>;

/// The datapoints of one metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Datapoints {
    /// The metric itself.
    pub values: Series,
    /// What it is divided by, where the plan says so; for a sequential test all that is counted.
    pub divisors: Series,
    /// How many are above the threshold, for a sequential test of a percentile.
    pub above: Series,
    /// Of the old side, where it is compared: how many are trouble.
    pub old_bad: Series,
    /// The same: all that is counted.
    pub old_all: Series,
}

/// The periods that count, in seconds since 1970: from `start`, up to but without `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The start of the first period that lies wholly in the step.
    pub start: i64,
    /// The start of the first period that is not judged: the newest complete one arrives late and is left out.
    pub end: i64,
}

impl Window {
    /// The window for datapoints of this length that say something about now, when the step has been held for `elapsed_seconds`.
    pub fn new(period: Seconds, elapsed_seconds: u64, now: Timestamp) -> Self {
        let Self { start, end } = Self::of_step(period, elapsed_seconds, now);
        let period = i64::try_from(period.0).unwrap_or(i64::MAX).clamp(1, 86_400);
        Self { start: start.max(end - (MOST_PERIODS - 1) * period), end }
    }

    /// All of the step's.
    pub fn of_step(period: Seconds, elapsed_seconds: u64, now: Timestamp) -> Self {
        let period = i64::try_from(period.0).unwrap_or(i64::MAX).clamp(1, 86_400);
        let now = now.as_second();
        let began = now.saturating_sub(i64::try_from(elapsed_seconds).unwrap_or(i64::MAX));
        let this_period = now - now.rem_euclid(period);
        // Rounded up: a period in which the step began also holds samples from before it.
        let first_whole = began.saturating_add((period - began.rem_euclid(period)) % period);
        Self { start: first_whole, end: this_period - period }
    }

    /// Whether no period lies in it: it is too early for any value.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }

    fn contains(self, at: i64) -> bool {
        (self.start..self.end).contains(&at)
    }
}

/// Whether every metric has had the time to report since the step began.
pub fn is_warm(metrics: &[Metric], elapsed_seconds: u64) -> bool {
    let longest = metrics.iter().map(|metric| metric.period.0).max().unwrap_or(0);
    elapsed_seconds >= WARM_UP_PERIODS * longest
}

/// Judges a metric's newest value in the window by its threshold.
pub fn judge(metric: &Metric, datapoints: &Datapoints, window: Window, is_warm: bool) -> Check {
    let (_, value) = match newest(metric, datapoints, window, is_warm) {
        Ok(newest) => newest,
        Err(no_value) => return *no_value,
    };
    let trouble = metric.comparison.is_trouble(value, metric.threshold);
    let verdict = if trouble { Verdict::Unhealthy } else { Verdict::Healthy };
    Check { value: Some(value), ..Check::new(&metric.name, verdict, words::beyond(metric, value)) }
}

/// The newest value in the window, with the start of its period; or what it means that there is none.
pub(crate) fn newest(
    metric: &Metric,
    datapoints: &Datapoints,
    window: Window,
    is_warm: bool,
) -> Result<(i64, f64), Box<Check>> {
    let check = |verdict, seen: String| Check::new(&metric.name, verdict, seen);
    let early = |seen: &str| Check { is_early: true, ..check(Verdict::Inconclusive, seen.to_owned()) };
    if window.is_empty() {
        return Err(Box::new(early("too early for a value from this step")));
    }
    let means = |problem: &'static str| match metric.missing {
        Missing::Healthy => check(Verdict::Healthy, format!("{problem}, which the plan calls healthy")),
        _ if !is_warm => early(problem),
        Missing::Unhealthy => check(Verdict::Unhealthy, format!("{problem}, which the plan calls unhealthy")),
        Missing::Inconclusive | Missing::ZeroIfDivisor => check(Verdict::Inconclusive, problem.to_owned()),
    };
    newest_value(metric, datapoints, window).map_err(|problem| Box::new(means(problem)))
}

/// The value at the newest period for which there is anything at all.
fn newest_value(metric: &Metric, datapoints: &Datapoints, window: Window) -> Result<(i64, f64), &'static str> {
    let Datapoints { values, divisors, .. } = datapoints;
    let periods = values.keys().chain(divisors.keys()).copied();
    let at = periods.filter(|at| window.contains(*at)).max().ok_or("no value")?;
    let value = values.get(&at).copied();
    if metric.divide_by.is_none() {
        return value.map(|value| (at, value)).ok_or("no value");
    }
    // Nothing to divide by means that nothing happened, and nobody can tell how it would have gone.
    let divisor = divisors.get(&at).copied().ok_or("no value to divide by")?;
    if divisor <= 0.0 {
        return Err("the value to divide by is 0");
    }
    match (value, metric.missing) {
        (Some(value), _) => Ok((at, value / divisor)),
        (None, Missing::ZeroIfDivisor) => Ok((at, 0.0)),
        (None, _) => Err("no value"),
    }
}

#[cfg(test)]
mod tests {
    use cutover::plan::{Comparison, Series as Divisor};

    use super::*;

    /// A whole minute.
    const NOW: i64 = 1_800_000_000;

    fn window(elapsed_seconds: u64, seconds_into_minute: i64) -> Window {
        Window::new(Seconds(60), elapsed_seconds, Timestamp::from_second(NOW + seconds_into_minute).unwrap())
    }

    fn metric(missing: Missing, divided: bool) -> Metric {
        let divisor = Divisor {
            namespace: None,
            metric_name: "RequestCount".to_owned(),
            dimensions: None,
            statistic: None,
            period: None,
        };
        Metric {
            name: "5xx rate".to_owned(),
            namespace: "AWS/ApplicationELB".to_owned(),
            metric_name: "HTTPCode_Target_5XX_Count".to_owned(),
            dimensions: BTreeMap::new(),
            statistic: "Sum".to_owned(),
            period: Seconds(60),
            divide_by: divided.then_some(divisor),
            comparison: Comparison::GreaterThan,
            threshold: 0.01,
            test: None,
            compare_to: None,
            dispersion: None,
            missing,
        }
    }

    /// Values at so many minutes before now.
    fn minutes_ago(values: &[(i64, f64)]) -> Series {
        values.iter().map(|(minutes, value)| (NOW - 60 * minutes, *value)).collect()
    }

    fn verdict(metric: &Metric, values: &[(i64, f64)], divisors: &[(i64, f64)]) -> Verdict {
        let datapoints =
            Datapoints { values: minutes_ago(values), divisors: minutes_ago(divisors), ..Datapoints::default() };
        judge(metric, &datapoints, window(600, 0), true).verdict
    }

    #[test]
    fn the_window_starts_in_the_step_and_leaves_out_the_newest_periods() {
        // Held for 250 s at 30 s past the minute: the step began 20 s into the minute five minutes before.
        assert_eq!(window(250, 30), Window { start: NOW - 180, end: NOW - 60 });
        assert_eq!(window(3600, 30), Window { start: NOW - 300, end: NOW - 60 });
        assert_eq!(window(240, 0), Window { start: NOW - 240, end: NOW - 60 });
        for elapsed in [0, 59, 60, 119] {
            assert!(window(elapsed, 0).is_empty(), "{elapsed}");
        }
        for seconds in 0..60 {
            assert!(!window(240, seconds).is_empty(), "warm means that there is a period to look at");
        }
    }

    #[test]
    fn the_newest_value_in_the_window_decides() {
        let metric = metric(Missing::Inconclusive, false);
        assert_eq!(verdict(&metric, &[(3, 1.0), (2, 0.0)], &[]), Verdict::Healthy);
        assert_eq!(verdict(&metric, &[(3, 0.0), (2, 1.0)], &[]), Verdict::Unhealthy);
        assert_eq!(verdict(&metric, &[(2, 0.0), (1, 1.0), (0, 1.0)], &[]), Verdict::Healthy, "late periods left out");
        assert_eq!(verdict(&metric, &[(6, 0.0)], &[]), Verdict::Inconclusive, "too old");
    }

    #[test]
    fn a_sample_from_before_the_step_is_no_data() {
        let datapoints = Datapoints { values: minutes_ago(&[(4, 0.0)]), ..Datapoints::default() };
        let metric = metric(Missing::Inconclusive, false);
        assert_eq!(judge(&metric, &datapoints, window(239, 0), true).verdict, Verdict::Inconclusive);
        assert_eq!(judge(&metric, &datapoints, window(240, 0), true).verdict, Verdict::Healthy);
    }

    #[test]
    fn a_rate_needs_both_values_of_one_period() {
        let metric = metric(Missing::Inconclusive, true);
        assert_eq!(verdict(&metric, &[(2, 2.0)], &[(2, 100.0)]), Verdict::Unhealthy);
        assert_eq!(verdict(&metric, &[(2, 1.0)], &[(2, 100.0)]), Verdict::Healthy, "0.01 is not above 0.01");
        assert_eq!(verdict(&metric, &[(2, 0.0)], &[(3, 100.0)]), Verdict::Inconclusive);
        assert_eq!(verdict(&metric, &[(2, 0.0)], &[(2, 0.0)]), Verdict::Inconclusive);
        assert_eq!(verdict(&metric, &[], &[(2, 100.0)]), Verdict::Inconclusive);
    }

    #[test]
    fn missing_errors_are_zero_only_while_there_are_requests() {
        let metric = metric(Missing::ZeroIfDivisor, true);
        assert_eq!(verdict(&metric, &[], &[(2, 100.0)]), Verdict::Healthy);
        assert_eq!(verdict(&metric, &[(3, 50.0)], &[(3, 100.0), (2, 100.0)]), Verdict::Healthy);
        assert_eq!(verdict(&metric, &[], &[(2, 0.0)]), Verdict::Inconclusive);
        assert_eq!(verdict(&metric, &[], &[]), Verdict::Inconclusive);
        assert_eq!(verdict(&metric, &[(2, 3.0)], &[]), Verdict::Inconclusive);
    }

    #[test]
    fn a_plan_may_say_what_a_missing_value_means_once_it_could_be_there() {
        let nothing = Datapoints::default();
        for (missing, warm, expected) in [
            (Missing::Healthy, true, (Verdict::Healthy, false)),
            (Missing::Unhealthy, true, (Verdict::Unhealthy, false)),
            (Missing::Inconclusive, true, (Verdict::Inconclusive, false)),
            (Missing::ZeroIfDivisor, true, (Verdict::Inconclusive, false)),
            (Missing::Healthy, false, (Verdict::Healthy, false)),
            (Missing::Unhealthy, false, (Verdict::Inconclusive, true)),
            (Missing::Inconclusive, false, (Verdict::Inconclusive, true)),
        ] {
            let check = judge(&metric(missing, true), &nothing, window(200, 0), warm);
            assert_eq!((check.verdict, check.is_early), expected, "{missing:?} {warm}");
            let check = judge(&metric(missing, true), &nothing, window(0, 0), false);
            assert_eq!((check.verdict, check.is_early), (Verdict::Inconclusive, true), "{missing:?}: too early");
        }
    }

    #[test]
    fn any_comparison_and_any_threshold_holds() {
        for (comparison, threshold, value, expected) in [
            (Comparison::GreaterThan, 0.0, 0.0, Verdict::Healthy),
            (Comparison::GreaterThan, 0.0, 0.1, Verdict::Unhealthy),
            (Comparison::GreaterThanOrEqual, 0.0, 0.0, Verdict::Unhealthy),
            (Comparison::LessThan, 0.0, -0.1, Verdict::Unhealthy),
            (Comparison::LessThan, 100.0, 100.0, Verdict::Healthy),
            (Comparison::LessThanOrEqual, 100.0, 100.0, Verdict::Unhealthy),
        ] {
            let metric = Metric { comparison, threshold, ..metric(Missing::Inconclusive, false) };
            assert_eq!(verdict(&metric, &[(2, value)], &[]), expected, "{comparison:?} {threshold} {value}");
        }
    }

    #[test]
    fn warm_is_four_of_the_longest_period() {
        let slow = Metric { period: Seconds(300), ..metric(Missing::Inconclusive, false) };
        let metrics = [metric(Missing::Inconclusive, false), slow];
        assert!(!is_warm(&metrics, 1199));
        assert!(is_warm(&metrics, 1200));
        assert!(is_warm(&[], 0));
    }
}
