//! Whether the SLA holds. Pure.
//!
//! Bounds are inclusive: exactly the bound holds. A figure that is missing violates its bound: no data is never a pass. Margins are
//! signed: what is left until the bound, below zero what is too much. The score is information; it decides nothing.

use cutover::plan::Sla;
use serde::{Deserialize, Serialize};

use crate::results::Results;

/// The figures of one side; each is absent where there is nothing to tell it from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// How long was measured, in seconds.
    pub seconds: f64,
    /// How many requests were sent: the sample's size.
    pub sent: u64,
    /// How many requests were due, a second.
    pub offered_rps: Option<f64>,
    /// How many were sent, a second.
    pub achieved_rps: Option<f64>,
    /// How many were answered as expected, a second.
    pub throughput_rps: Option<f64>,
    /// The share that was answered as expected, in percent.
    pub success_percent: Option<f64>,
    /// Latency from when requests were due, in milliseconds: the mean.
    pub mean_ms: Option<f64>,
    /// The median.
    pub p50_ms: Option<f64>,
    /// The 90th percentile.
    pub p90_ms: Option<f64>,
    /// The 95th percentile.
    pub p95_ms: Option<f64>,
    /// The 99th percentile.
    pub p99_ms: Option<f64>,
    /// The 99.9th percentile.
    pub p999_ms: Option<f64>,
    /// The longest.
    pub max_ms: Option<f64>,
    /// Latency from when requests were taken up: the median.
    pub service_p50_ms: Option<f64>,
    /// The 95th percentile of the same.
    pub service_p95_ms: Option<f64>,
}

impl From<&Results> for Figures {
    fn from(results: &Results) -> Self {
        let rate = |count: u64| (results.seconds > 0.0).then(|| count as f64 / results.seconds);
        let of = |quantile| results.from_schedule.quantile_ms(quantile);
        Self {
            seconds: results.seconds,
            sent: results.sent,
            offered_rps: rate(results.offered),
            achieved_rps: rate(results.sent),
            throughput_rps: results.throughput_rps(),
            success_percent: results.success_percent(),
            mean_ms: results.from_schedule.mean_ms(),
            p50_ms: of(0.5),
            p90_ms: of(0.9),
            p95_ms: of(0.95),
            p99_ms: of(0.99),
            p999_ms: of(0.999),
            max_ms: results.from_schedule.max_ms(),
            service_p50_ms: results.service.quantile_ms(0.5),
            service_p95_ms: results.service.quantile_ms(0.95),
        }
    }
}

/// One bound, and whether it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The bound, as the plan names it.
    pub bound: String,
    /// The bound's value.
    pub limit: f64,
    /// What was measured.
    pub measured: Option<f64>,
    /// What is left until the bound; below zero, what is too much.
    pub margin: Option<f64>,
    /// Whether it holds.
    pub holds: bool,
    /// What part of the score it is, in points.
    pub weight: f64,
    /// How many of these it has: all where it holds, none at twice the bound.
    pub points: f64,
    /// How many requests it was measured of; none where an earlier version wrote it down.
    #[serde(default)]
    pub requests: Option<u64>,
    /// So many requests it takes, at the least, to tell with 95 % confidence that a percentile is within its bound; none of other bounds.
    #[serde(default)]
    pub needs: Option<u64>,
}

impl Line {
    /// Whether it holds, and of so few requests that this says nothing: the slowest that there would be may be in none of them.
    pub fn is_unsure(&self) -> bool {
        self.holds && self.requests.zip(self.needs).is_some_and(|(has, needs)| has < needs)
    }
}

/// Which side of a bound is the good one.
#[derive(Clone, Copy, PartialEq)]
enum Bound {
    AtMost,
    AtLeast,
    /// At least so many percent: what is missing to 100 is compared.
    Percent,
}

/// Every bound of the SLA, in the plan's order.
pub fn lines(sla: &Sla, figures: &Figures) -> Vec<Line> {
    use Bound::{AtLeast, AtMost, Percent};
    let all = [
        ("max_mean_ms", AtMost, sla.max_mean_ms, figures.mean_ms, 5.0),
        ("max_p50_ms", AtMost, sla.max_p50_ms, figures.p50_ms, 10.0),
        ("max_p90_ms", AtMost, sla.max_p90_ms, figures.p90_ms, 5.0),
        ("max_p95_ms", AtMost, sla.max_p95_ms, figures.p95_ms, 20.0),
        ("max_p99_ms", AtMost, sla.max_p99_ms, figures.p99_ms, 15.0),
        ("max_p999_ms", AtMost, sla.max_p999_ms, figures.p999_ms, 5.0),
        ("min_success_percent", Percent, sla.min_success_percent, figures.success_percent, 30.0),
        ("min_throughput_rps", AtLeast, sla.min_throughput_rps, figures.throughput_rps, 10.0),
    ];
    let asked: f64 = all.iter().filter(|(_, _, limit, ..)| limit.is_some()).map(|(.., weight)| weight).sum();
    let lines = all.into_iter().filter_map(|(bound, kind, limit, measured, weight)| {
        let limit = limit?;
        let margin = measured.map(|measured| if kind == AtMost { limit - measured } else { measured - limit });
        let holds = margin.is_some_and(|margin| margin >= 0.0);
        let weight = 100.0 * weight / asked;
        let points = weight * measured.map_or(0.0, |measured| share_of_points(kind, limit, measured));
        let needs = Sla::requests_needed(bound);
        let requests = Some(figures.sent);
        Some(Line { bound: bound.to_owned(), limit, measured, margin, holds, weight, points, requests, needs })
    });
    lines.collect()
}

/// The whole score, 0 to 100; none where no bound is asked for.
pub fn score(lines: &[Line]) -> Option<f64> {
    (!lines.is_empty()).then(|| lines.iter().map(|line| line.points).sum())
}

/// 1 within the bound, falling to 0 at twice of it (of what may be missing, for a share; at nothing, for a rate).
fn share_of_points(kind: Bound, limit: f64, measured: f64) -> f64 {
    let (used, allowed) = match kind {
        Bound::AtMost => (measured, limit),
        Bound::Percent => (100.0 - measured, 100.0 - limit),
        Bound::AtLeast => (2.0 * limit - measured, limit),
    };
    if used <= allowed { 1.0 } else { (2.0 - used / allowed.max(f64::MIN_POSITIVE)).clamp(0.0, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(sla: Sla, figures: Figures) -> Line {
        lines(&sla, &figures).remove(0)
    }

    #[test]
    fn bounds_are_inclusive() {
        let figures = Figures { p95_ms: Some(500.0), success_percent: Some(99_900.0 / 1000.0), ..Figures::default() };
        let sla = Sla { max_p95_ms: Some(500.0), min_success_percent: Some(99.9), ..Sla::default() };
        let lines = lines(&sla, &figures);
        assert!(lines.iter().all(|line| line.holds && line.margin == Some(0.0)), "{lines:?}");
        assert_eq!(score(&lines), Some(100.0));
    }

    #[test]
    fn what_is_missing_is_a_violation() {
        let missing = line(Sla { max_p50_ms: Some(1.0), ..Sla::default() }, Figures::default());
        assert_eq!((missing.holds, missing.measured, missing.margin, missing.points), (false, None, None, 0.0));
        assert_eq!(lines(&Sla::default(), &Figures::default()), []);
        assert_eq!(score(&[]), None);
    }

    #[test]
    fn margins_keep_their_sign() {
        let sla = |max, min| Sla { max_p99_ms: max, min_throughput_rps: min, ..Sla::default() };
        let figures = Figures { p99_ms: Some(120.0), throughput_rps: Some(95.0), ..Figures::default() };
        assert_eq!(line(sla(Some(100.0), None), figures).margin, Some(-20.0));
        assert_eq!(line(sla(Some(150.0), None), figures).margin, Some(30.0));
        assert_eq!(line(sla(None, Some(100.0)), figures).margin, Some(-5.0));
        assert_eq!(line(sla(None, Some(90.0)), figures).margin, Some(5.0));
    }

    #[test]
    fn a_score_of_80_does_not_hide_a_violation() {
        let sla = Sla { max_p95_ms: Some(100.0), min_success_percent: Some(99.0), ..Sla::default() };
        let figures = Figures { p95_ms: Some(150.0), success_percent: Some(100.0), ..Figures::default() };
        let lines = lines(&sla, &figures);
        assert_eq!(score(&lines), Some(80.0));
        assert_eq!(lines.iter().map(|line| line.holds).collect::<Vec<_>>(), [false, true]);
        assert_eq!(
            lines.iter().map(|line| (line.weight, line.points)).collect::<Vec<_>>(),
            [(40.0, 20.0), (60.0, 60.0)]
        );
    }

    #[test]
    fn a_percentile_of_few_requests_says_of_how_many_and_that_they_are_too_few() {
        let sla = Sla { max_p999_ms: Some(100.0), max_mean_ms: Some(100.0), ..Sla::default() };
        let of = |sent| lines(&sla, &Figures { sent, p999_ms: Some(5.0), mean_ms: Some(5.0), ..Figures::default() });
        let told = |sent| of(sent).iter().map(|line| (line.requests, line.needs, line.is_unsure())).collect::<Vec<_>>();
        assert_eq!(told(2), [(Some(2), None, false), (Some(2), Some(2_995), true)]);
        assert!(!told(2_995)[1].2);
        let broken = lines(&sla, &Figures { sent: 2, p999_ms: Some(500.0), ..Figures::default() });
        assert!(broken.iter().all(|line| !line.is_unsure()), "what is violated is seen of two");
    }

    #[test]
    fn all_must_succeed_where_the_plan_says_so() {
        let sla = Sla { min_success_percent: Some(100.0), ..Sla::default() };
        let of = |percent| line(sla, Figures { success_percent: Some(percent), ..Figures::default() });
        assert_eq!((of(100.0).holds, of(100.0).points), (true, 100.0));
        assert_eq!((of(99.999).holds, of(99.999).points), (false, 0.0));
    }
}
