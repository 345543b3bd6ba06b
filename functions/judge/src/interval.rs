//! Intervals that hold whatever the distribution is.

use statrs::distribution::{Beta, Binomial, ContinuousCDF, DiscreteCDF};

use crate::Counts;

/// Between what the true share lies: Clopper-Pearson, which covers it with `confidence` (above 0, below 1) at the least. Without requests it
/// may be anything.
pub fn share(counts: Counts, confidence: f64) -> (f64, f64) {
    let (bad, all) = (counts.bad.min(counts.all) as f64, counts.all as f64);
    let each = (1.0 - confidence) / 2.0;
    let quantile = |a: f64, b: f64, q: f64| Beta::new(a, b).map(|beta| beta.inverse_cdf(q)).ok();
    let low = if bad == 0.0 { None } else { quantile(bad, all - bad + 1.0, each) };
    let high = if bad == all { None } else { quantile(bad + 1.0, all - bad, 1.0 - each) };
    (low.unwrap_or(0.0), high.unwrap_or(1.0))
}

/// Which of `n` values in ascending order, counted from 1, hold the true `quantile` (0.95 for p95) between them with `confidence` at the
/// least, whatever the distribution. `None` where there are too few values for that.
pub fn ranks(n: u64, quantile: f64, confidence: f64) -> Option<(u64, u64)> {
    let below = Binomial::new(quantile, n).ok()?;
    let each = (1.0 - confidence) / 2.0;
    // The quantile is below the value of rank r with the chance that r - 1 or fewer of them are below it.
    let low = last(n, |rank| below.cdf(rank - 1) <= each)?;
    let high = first(n, |rank| below.cdf(rank - 1) >= 1.0 - each)?;
    Some((low, high))
}

/// The last of 1 to `n` for which it holds, where it holds up to there.
fn last(n: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    match first(n, |rank| !holds(rank)) {
        Some(rank) => (rank > 1).then(|| rank - 1),
        None => (n > 0).then_some(n),
    }
}

/// The first of 1 to `n` for which it holds, where it holds from there on.
fn first(n: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut low, mut high) = (1, n.checked_add(1)?);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    (low <= n).then_some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded((low, high): (f64, f64)) -> (f64, f64) {
        ((low * 1e4).round() / 1e4, (high * 1e4).round() / 1e4)
    }

    #[test]
    fn intervals_are_those_of_the_tables() {
        // R: binom.test(k, n)$conf.int
        assert_eq!(rounded(share(Counts { bad: 0, all: 10 }, 0.95)), (0.0, 0.3085));
        assert_eq!(rounded(share(Counts { bad: 1, all: 10 }, 0.95)), (0.0025, 0.445));
        assert_eq!(rounded(share(Counts { bad: 5, all: 100 }, 0.95)), (0.0164, 0.1128));
        assert_eq!(rounded(share(Counts { bad: 10, all: 10 }, 0.95)), (0.6915, 1.0));
        assert_eq!(share(Counts::default(), 0.95), (0.0, 1.0));
    }

    #[test]
    fn an_interval_of_many_requests_is_narrow_and_holds_what_was_seen() {
        let (low, high) = share(Counts { bad: 100_000, all: 10_000_000 }, 0.95);
        assert!(low < 0.01 && 0.01 < high && high - low < 0.000_2, "{low} {high}");
    }

    #[test]
    fn ranks_are_those_of_the_binomial() {
        // The median of 10: the second and the ninth value, 97.9 %.
        assert_eq!(ranks(10, 0.5, 0.95), Some((2, 9)));
        assert_eq!(ranks(5, 0.5, 0.95), None, "the five lie on one side of it with a chance of 6 %");
        assert_eq!(ranks(6, 0.5, 0.95), Some((1, 6)));
        assert_eq!(ranks(0, 0.5, 0.95), None);
        let (low, high) = ranks(1_000, 0.95, 0.95).unwrap();
        assert!((930..950).contains(&low) && (951..970).contains(&high), "{low} {high}");
    }

    #[test]
    fn ranks_hold_the_quantile_with_the_confidence_and_narrower_ones_do_not() {
        for (n, quantile) in [(20, 0.5), (100, 0.9), (500, 0.99), (10_000, 0.95)] {
            let (low, high) = ranks(n, quantile, 0.95).unwrap();
            let below = Binomial::new(quantile, n).unwrap();
            let covers = |low: u64, high: u64| below.cdf(high - 1) - below.cdf(low - 1);
            assert!(covers(low, high) >= 0.95, "{n} {quantile}");
            assert!(below.cdf(low) > 0.025 && below.cdf(high.saturating_sub(2)) < 0.975, "{n} {quantile}");
        }
    }
}
