//! What datapoints come to. Pure.

use cutover::Seconds;
use cutover::plan::Figures;
use jiff::Timestamp;
use judge::Counts;
use serde::Serialize;
use watch::data::{Series, Window};

/// Minutes are kept for 15 days (CloudWatch user guide), so those of a week ago are still there.
const MINUTE_SECONDS: i64 = 60;
/// Above this, five minutes are one datapoint: a call answers so many at the most.
const MOST_SECONDS_BY_MINUTE: u64 = 3 * 3600;
/// A load balancer reports a minute or two late.
const LATE_SECONDS: i64 = 120;
const WEEK_SECONDS: i64 = 7 * 24 * 3600;

/// The last whole periods of that length before now.
pub fn window_before(now: Timestamp, length: Seconds) -> Window {
    let period = if length.0 > MOST_SECONDS_BY_MINUTE { 5 * MINUTE_SECONDS } else { MINUTE_SECONDS };
    let end = now.as_second() - LATE_SECONDS;
    let end = end - end.rem_euclid(period);
    let length = i64::try_from(length.0).unwrap_or(i64::MAX);
    Window { start: end - length.max(period), end, period }
}

/// The same a week before.
pub fn week_before(window: Window) -> Window {
    Window { start: window.start - WEEK_SECONDS, end: window.end - WEEK_SECONDS, ..window }
}

/// What a load balancer says of one target group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Requests in each period.
    pub requests: Series,
    /// Answers with 5xx in each; the load balancer is silent where there is none.
    pub errors: Series,
    /// The median latency of each, in seconds.
    pub p50: Series,
    /// The 95th percentile.
    pub p95: Series,
    /// The 99th percentile.
    pub p99: Series,
}

/// How a side served its users, and how its errors came.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// The figures; a percentile is the median of the periods' own, since percentiles cannot be added.
    #[serde(flatten)]
    pub figures: Figures,
    /// How much the errors come in clusters, at least 1 (`judge::dispersion`); none where too little was seen to say it.
    pub dispersion: Option<f64>,
    /// The highest 95th percentile of any period, in milliseconds.
    pub highest_p95_ms: Option<f64>,
}

/// None where there was no request at all: nobody can tell how it would have served.
pub fn side(observed: &Observed) -> Option<Side> {
    let requests: f64 = observed.requests.values().sum();
    if requests <= 0.0 {
        return None;
    }
    // A sum of nothing is -0.
    let errors: f64 = observed.errors.values().sum::<f64>() + 0.0;
    let milliseconds = |series: &Series| median(series).map(|seconds| rounded(seconds * 1000.0, 1));
    let highest = observed.p95.values().copied().max_by(f64::total_cmp);
    Some(Side {
        figures: Figures {
            requests: Some(requests),
            error_percent: Some(rounded(100.0 * errors / requests, 4)),
            p50_ms: milliseconds(&observed.p50),
            p95_ms: milliseconds(&observed.p95),
            p99_ms: milliseconds(&observed.p99),
        },
        dispersion: dispersion(&observed.requests, &observed.errors).map(|value| rounded(value, 2)),
        highest_p95_ms: highest.map(|seconds| rounded(seconds * 1000.0, 1)),
    })
}

/// How much the errors come in clusters, by period.
fn dispersion(requests: &Series, errors: &Series) -> Option<f64> {
    let look = |(at, all): (&i64, &f64)| Counts::observed(errors.get(at).copied().unwrap_or(0.0), *all);
    judge::dispersion::dispersion(&requests.iter().filter_map(look).collect::<Vec<_>>())
}

/// The middle of a series' values.
pub fn median(series: &Series) -> Option<f64> {
    let mut values: Vec<f64> = series.values().copied().filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// So many digits behind the point.
pub fn rounded(value: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    (value * factor).round() / factor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        (0..).step_by(60).zip(values.iter().copied()).collect()
    }

    #[test]
    fn a_window_is_whole_periods_that_have_been_reported() {
        let now = Timestamp::from_second(1_800_000_000 + 30).unwrap();
        let hour = window_before(now, Seconds::hours(1));
        assert_eq!((hour.end, hour.end - hour.start, hour.period), (1_800_000_000 - 120, 3600, 60));
        assert_eq!(hour.start - week_before(hour).start, 7 * 24 * 3600);
        let day = window_before(now, Seconds::hours(24));
        assert_eq!((day.period, day.end % 300, day.end - day.start), (300, 0, 24 * 3600));
    }

    #[test]
    fn figures_are_of_all_requests_and_none_without_any() {
        let observed = Observed {
            requests: series(&[100.0, 300.0, 100.0]),
            errors: series(&[1.0]),
            p50: series(&[0.02, 0.03, 0.01]),
            p95: series(&[0.2, 0.4]),
            p99: Series::new(),
        };
        let seen = side(&observed).unwrap();
        assert_eq!((seen.figures.requests, seen.figures.error_percent), (Some(500.0), Some(0.2)));
        assert_eq!((seen.figures.p50_ms, seen.figures.p95_ms, seen.figures.p99_ms), (Some(20.0), Some(300.0), None));
        assert_eq!(seen.highest_p95_ms, Some(400.0));
        let whole = Observed { errors: Series::new(), ..observed.clone() };
        assert_eq!(side(&whole).unwrap().figures.error_percent.unwrap().to_string(), "0", "and no sign");
        assert_eq!(side(&Observed { requests: series(&[0.0]), ..observed }), None);
        assert_eq!(side(&Observed::default()), None);
    }

    #[test]
    fn errors_are_counted_by_period_for_their_dispersion_and_a_silent_period_has_none() {
        let busy = series(&[50.0; 12]);
        assert_eq!(dispersion(&busy, &Series::new()), None);
        assert_eq!(dispersion(&busy, &series(&[2.0; 12])), Some(1.0), "less than chance is no dispersion");
        let clustered = dispersion(&busy, &series(&[0.0, 0.0, 0.0, 12.0])).unwrap();
        // 12 of 600 in one of twelve periods: (11^2 + 11 * 1) / (1 * 0.98) / 11.
        assert!((clustered - 132.0 / 0.98 / 11.0).abs() < 1e-9, "{clustered}");
        assert_eq!(dispersion(&series(&[50.0; 9]), &series(&[5.0; 9])), None, "too few periods");
    }
}
