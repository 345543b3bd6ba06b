//! The new side beside the old one, figure by figure. Pure.
//!
//! Only where both sides were loaded, in turns, by a generator that kept up: a figure of users' traffic is never compared with a test's.
//!
//! **The interval of a change is made from two.** Each side's figure has an interval of 97.5 %, whatever its distribution: order statistics for
//! percentiles, Clopper-Pearson for shares (`judge`). With a chance of 95 % at the least both hold at once, and then new / old lies between
//! lowest new / highest old and highest new / lowest old. That is conservative: the true confidence is higher, and a difference has to be
//! larger to be told than by a test made for the pair. It takes requests for independent of each other; where slowness comes in waves, the
//! truth is less certain than it says. Turns are what keeps the time of day out of it.
//!
//! A change is told as one only where its interval does not hold zero. A mean has no interval that holds for every distribution, so it is
//! never told as better or worse.

use judge::Counts;
use judge::interval::{ranks, share};
use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;
use crate::results::Results;

/// Of each side's interval; of the change, 95 % at the least.
const CONFIDENCE_OF_SIDE: f64 = 0.975;
/// A value of a histogram is the lower bound of its bucket, which is so much wide at the most (three digits).
const BUCKET: f64 = 1.001;

/// What a change means for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The whole interval is on the good side.
    Better,
    /// The whole interval is on the bad side.
    Worse,
    /// The interval holds zero.
    NoDifference,
    /// There is no interval: too few requests, or no kind of interval that would hold.
    NotKnown,
}

/// One figure of both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Such as `p95_ms`.
    pub metric: String,
    /// The old side's figure, in the unit that the metric's name ends with.
    pub old: f64,
    /// The new side's.
    pub new: f64,
    /// How many requests the old side's figure is made from.
    pub old_sample: u64,
    /// How many the new side's is made from.
    pub new_sample: u64,
    /// New against old, in percent of the old; none where the old is zero.
    pub percent: Option<f64>,
    /// Between what the true change lies, in percent, with 95 % confidence at the least; none where that cannot be told.
    pub interval_percent: Option<(f64, f64)>,
    /// What it means.
    pub direction: Direction,
}

/// Both sides, or why they are not compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Figure by figure; empty where nothing is compared.
    pub changes: Vec<Change>,
    /// Why nothing is compared.
    pub why_not: Option<String>,
}

impl Comparison {
    /// Nothing is compared, since.
    pub fn none(why: &str) -> Self {
        Self { changes: Vec::new(), why_not: Some(why.to_owned()) }
    }

    /// Compares both sides. `is_paced`: requests came at a rate that did not depend on the answers.
    pub fn of(old: &Results, new: &Results, is_paced: bool) -> Self {
        if old.sent == 0 || new.sent == 0 {
            return Self::none("one side was sent no request");
        }
        let latency = |metric: &str, quantile: f64| Figure {
            metric: metric.to_owned(),
            old: percentile(&old.from_schedule, quantile),
            new: percentile(&new.from_schedule, quantile),
            is_less_better: true,
        };
        let mean = Figure {
            metric: "mean_ms".to_owned(),
            old: Seen::mean(&old.from_schedule),
            new: Seen::mean(&new.from_schedule),
            is_less_better: true,
        };
        let shares = Figure {
            metric: "success_percent".to_owned(),
            old: success(old, 100.0),
            new: success(new, 100.0),
            is_less_better: false,
        };
        let throughput = Figure {
            metric: "throughput_rps".to_owned(),
            old: throughput(old, is_paced),
            new: throughput(new, is_paced),
            is_less_better: false,
        };
        let percentiles = [("p50_ms", 0.5), ("p90_ms", 0.9), ("p95_ms", 0.95), ("p99_ms", 0.99), ("p999_ms", 0.999)];
        let figures = [mean].into_iter().chain(percentiles.map(|(metric, quantile)| latency(metric, quantile)));
        let changes = figures.chain([shares, throughput]).filter_map(Figure::change).collect();
        Self { changes, why_not: None }
    }
}

/// A figure of one side, with its sample, and what it lies between.
struct Seen {
    value: Option<f64>,
    sample: u64,
    interval: Option<(f64, f64)>,
}

impl Seen {
    fn mean(latencies: &Histogram) -> Self {
        Self { value: latencies.mean_ms(), sample: latencies.len(), interval: None }
    }
}

fn percentile(latencies: &Histogram, quantile: f64) -> Seen {
    let sample = latencies.len();
    let interval = ranks(sample, quantile, CONFIDENCE_OF_SIDE)
        .and_then(|(low, high)| Some((latencies.value_at_rank_ms(low)?, latencies.value_at_rank_ms(high)? * BUCKET)));
    // A value that is kept as the highest may be any above.
    let interval = interval.filter(|_| latencies.saturated() == 0);
    Seen { value: latencies.quantile_ms(quantile), sample, interval }
}

/// The share that succeeded, in so many parts: 100 for percent.
fn success(results: &Results, whole: f64) -> Seen {
    let (low, high) = share(Counts { bad: results.succeeded, all: results.sent }, CONFIDENCE_OF_SIDE);
    let value = (results.sent > 0).then(|| whole * results.succeeded as f64 / results.sent as f64);
    Seen { value, sample: results.sent, interval: Some((whole * low, whole * high)) }
}

/// At a given rate it is that rate times the share that succeeded. Of users who wait for answers no such interval can be told.
fn throughput(results: &Results, is_paced: bool) -> Seen {
    let rate = if results.seconds > 0.0 { results.sent as f64 / results.seconds } else { 0.0 };
    let seen = success(results, rate);
    Seen { value: results.throughput_rps(), interval: seen.interval.filter(|_| is_paced), ..seen }
}

struct Figure {
    metric: String,
    old: Seen,
    new: Seen,
    is_less_better: bool,
}

impl Figure {
    fn change(self) -> Option<Change> {
        let (old, new) = (self.old.value?, self.new.value?);
        let percent = |new: f64, old: f64| (old > 0.0).then(|| 100.0 * (new / old - 1.0));
        let interval =
            self.old.interval.zip(self.new.interval).and_then(|((old_low, old_high), (new_low, new_high))| {
                Some((percent(new_low, old_high)?, percent(new_high, old_low)?))
            });
        let direction = match interval {
            None => Direction::NotKnown,
            Some((low, high)) if low <= 0.0 && high >= 0.0 => Direction::NoDifference,
            Some((_, high)) if (high < 0.0) == self.is_less_better => Direction::Better,
            Some(_) => Direction::Worse,
        };
        Some(Change {
            metric: self.metric,
            old,
            new,
            old_sample: self.old.sample,
            new_sample: self.new.sample,
            percent: percent(new, old),
            interval_percent: interval,
            direction,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::results::{Failure, Outcome};

    /// So many requests in a minute, whose latencies a function gives in microseconds; every `failing`th fails.
    fn side(count: u64, mut us: impl FnMut(u64) -> u64, failing: u64) -> Results {
        let mut results = Results { seconds: 60.0, offered: count, ..Results::new(1) };
        for number in 0..count {
            let failure = (failing > 0 && number % failing == 0).then_some(Failure::Status);
            let service = Duration::from_micros(us(number));
            let (lag, due) = (Duration::ZERO, Duration::from_millis(number));
            results.count(
                &Outcome { kind: 0, is_measured: true, due, lag, service, status: Some(200), failure, bytes: 0 },
                0,
            );
        }
        results
    }

    fn of<'a>(comparison: &'a Comparison, metric: &str) -> &'a Change {
        comparison.changes.iter().find(|change| change.metric == metric).unwrap()
    }

    #[test]
    fn a_side_that_is_faster_is_told_with_its_interval() {
        let (old, new) = (side(6000, |n| 40_000 + n % 997 * 10, 0), side(6000, |n| 20_000 + n % 997 * 10, 0));
        let comparison = Comparison::of(&old, &new, true);
        let p95 = of(&comparison, "p95_ms");
        let (low, high) = p95.interval_percent.unwrap();
        let percent = p95.percent.unwrap();
        assert!(low < percent && percent < high && high < -39.0 && low > -42.0, "{p95:?}");
        assert_eq!((p95.direction, p95.old_sample, p95.new_sample), (Direction::Better, 6000, 6000));
        assert_eq!(of(&Comparison::of(&new, &old, true), "p95_ms").direction, Direction::Worse);
        assert_eq!(of(&comparison, "success_percent").direction, Direction::NoDifference);
    }

    #[test]
    fn two_sides_of_one_kind_show_no_difference() {
        let mut random = fastrand::Rng::with_seed(12);
        let mut one = || side(6000, |_| random.u64(10_000..60_000), 100);
        let comparison = Comparison::of(&one(), &one(), true);
        for change in &comparison.changes {
            let expected = if change.metric == "mean_ms" { Direction::NotKnown } else { Direction::NoDifference };
            assert_eq!(change.direction, expected, "{change:?}");
        }
        assert_eq!(comparison.changes.len(), 8);
    }

    #[test]
    fn errors_are_compared_by_their_shares() {
        let comparison = Comparison::of(&side(6000, |_| 10_000, 0), &side(6000, |_| 10_000, 10), true);
        for metric in ["success_percent", "throughput_rps"] {
            let change = of(&comparison, metric);
            assert_eq!(change.direction, Direction::Worse, "{change:?}");
            assert!((change.percent.unwrap() + 10.0).abs() < 0.1, "{change:?}");
        }
    }

    #[test]
    fn too_few_requests_tell_nothing_and_have_no_interval() {
        let comparison = Comparison::of(&side(20, |_| 40_000, 0), &side(20, |_| 10_000, 0), true);
        let p99 = of(&comparison, "p99_ms");
        assert_eq!((p99.direction, p99.interval_percent), (Direction::NotKnown, None));
        assert_eq!(of(&comparison, "p50_ms").direction, Direction::Better);
        assert_eq!(Comparison::of(&side(0, |_| 1, 0), &side(20, |_| 1, 0), true).changes, []);
    }

    #[test]
    fn what_users_who_wait_let_through_has_no_interval() {
        let (old, new) = (side(1000, |_| 10_000, 0), side(2000, |_| 10_000, 0));
        let throughput = of(&Comparison::of(&old, &new, false), "throughput_rps").clone();
        assert_eq!((throughput.direction, throughput.percent), (Direction::NotKnown, Some(100.0)));
    }

    #[test]
    fn a_percentile_that_was_cut_off_has_no_interval() {
        let slow = side(6000, |n| if n % 10 == 0 { 70_000_000 } else { 20_000 }, 0);
        let comparison = Comparison::of(&side(6000, |_| 20_000, 0), &slow, true);
        assert_eq!(of(&comparison, "p95_ms").direction, Direction::NotKnown);
    }
}
