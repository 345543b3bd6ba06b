//! Latencies: HDR histograms of one shape, so that those of any slices add up exactly.
//!
//! Lowest and highest value and digits are the same everywhere, and nothing resizes. A value above the highest is kept as the highest,
//! and counted as saturated: a percentile that it reaches is "at least" that.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram as Hdr;
use hdrhistogram::serialization::{Deserializer as HdrReader, Serializer as _, V2DeflateSerializer};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The lowest value that is told from zero, in microseconds.
const LOWEST_US: u64 = 1;
/// The highest value, in microseconds: the longest timeout of a plan.
const HIGHEST_US: u64 = 60_000_000;
/// Significant decimal digits: a value is known to a thousandth.
const DIGITS: u8 = 3;

/// Durations in microseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    counts: Hdr<u64>,
    sum_us: u64,
    saturated: u64,
}

impl Default for Histogram {
    #[expect(clippy::expect_used, reason = "the bounds are constants; a test makes one")]
    fn default() -> Self {
        let counts = Hdr::new_with_bounds(LOWEST_US, HIGHEST_US, DIGITS).expect("bounds of an HDR histogram");
        Self { counts, sum_us: 0, saturated: 0 }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.saturated += u64::from(us > HIGHEST_US);
        let us = us.min(HIGHEST_US);
        self.sum_us += us;
        self.counts.saturating_record(us);
    }

    /// Adds another one's counts: exactly, as both have one shape.
    pub fn add(&mut self, other: &Self) {
        // It fails only for values out of bounds, which none of ours has.
        let added = self.counts.add(&other.counts);
        debug_assert!(added.is_ok());
        self.sum_us += other.sum_us;
        self.saturated += other.saturated;
    }

    /// How many durations were counted.
    pub fn len(&self) -> u64 {
        self.counts.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were longer than the histogram reaches.
    pub fn saturated(&self) -> u64 {
        self.saturated
    }

    /// The mean, in milliseconds; none without data.
    pub fn mean_ms(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.sum_us as f64 / self.len() as f64 / 1000.0)
    }

    /// The value below or at which this share of all lies (0.95: p95), in milliseconds: the lower bound of its bucket, a thousandth wide.
    pub fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        (!self.is_empty()).then(|| self.ms(self.counts.value_at_quantile(quantile)))
    }

    /// The longest, in milliseconds.
    pub fn max_ms(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.ms(self.counts.max()))
    }

    /// The value at this rank, of 1 to [`Self::len`], in milliseconds: what intervals of percentiles by order statistics need.
    pub fn value_at_rank_ms(&self, rank: u64) -> Option<f64> {
        let mut below = 0;
        (rank > 0).then_some(())?;
        self.counts.iter_recorded().find_map(|bucket| {
            below += bucket.count_since_last_iteration();
            (below >= rank).then(|| self.ms(bucket.value_iterated_to()))
        })
    }

    /// How many were longer than this: what a test of "p95 at most so long" counts. Exact to the bucket of the limit.
    pub fn longer_than(&self, limit: Duration) -> u64 {
        let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        let over = self
            .counts
            .iter_recorded()
            .filter(|bucket| self.counts.lowest_equivalent(bucket.value_iterated_to()) > limit);
        over.map(|bucket| bucket.count_since_last_iteration()).sum()
    }

    fn ms(&self, us: u64) -> f64 {
        self.counts.lowest_equivalent(us) as f64 / 1000.0
    }
}

/// As it is stored: HdrHistogram's own V2 format, deflated, in base64, which other tools read too.
#[derive(Serialize, Deserialize)]
struct Stored {
    v2_deflate: String,
    sum_us: u64,
    saturated: u64,
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        let written = V2DeflateSerializer::new().serialize(&self.counts, &mut bytes);
        written.map_err(|error| S::Error::custom(format!("a histogram cannot be written: {error}")))?;
        let (sum_us, saturated) = (self.sum_us, self.saturated);
        Stored { v2_deflate: STANDARD.encode(bytes), sum_us, saturated }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { v2_deflate, sum_us, saturated } = Stored::deserialize(deserializer)?;
        let bytes = STANDARD.decode(v2_deflate).map_err(D::Error::custom)?;
        let read: Result<Hdr<u64>, _> = HdrReader::new().deserialize(&mut bytes.as_slice());
        let read = read.map_err(|error| D::Error::custom(format!("a histogram cannot be read: {error}")))?;
        if (read.low(), read.high(), read.sigfig()) != (LOWEST_US, HIGHEST_US, DIGITS) {
            return Err(D::Error::custom("a histogram has other bounds than ours, and cannot be added exactly"));
        }
        let mut histogram = Self { sum_us, saturated, ..Self::default() };
        histogram
            .counts
            .add(&read)
            .map_err(|error| D::Error::custom(format!("a histogram is out of bounds: {error}")))?;
        Ok(histogram)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values_us: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        values_us.into_iter().for_each(|us| histogram.record(Duration::from_micros(us)));
        histogram
    }

    fn stored(histogram: &Histogram) -> String {
        serde_json::to_string(histogram).unwrap()
    }

    #[test]
    fn merged_slices_are_one_histogram_bit_for_bit() {
        let values = |slice: u64| (0..5_000_u64).map(move |n| (n * 4 + slice).pow(2) * 7 % 90_000_000);
        let whole = of((0..4).flat_map(values));
        let mut merged = Histogram::default();
        for slice in 0..4 {
            let carried: Histogram = serde_json::from_str(&stored(&of(values(slice)))).unwrap();
            merged.add(&carried);
        }
        assert_eq!(stored(&merged), stored(&whole));
        assert_eq!(merged, whole);
        assert!(merged.saturated() > 0 && merged.len() == 20_000);
    }

    #[test]
    fn a_value_above_the_bounds_is_kept_and_counted() {
        let histogram = of([1_000, 60_000_000, 60_000_001, 3_600_000_000]);
        assert_eq!((histogram.len(), histogram.saturated()), (4, 2));
        let max = histogram.max_ms().unwrap();
        assert!((59_940.0..=60_000.0).contains(&max), "{max}");
    }

    #[test]
    fn figures_without_data_are_absent() {
        let none = Histogram::default();
        assert_eq!(
            (none.mean_ms(), none.quantile_ms(0.5), none.max_ms(), none.value_at_rank_ms(1)),
            (None, None, None, None)
        );
    }

    #[test]
    fn ranks_and_counts_answer_what_tests_ask() {
        let histogram = of((1..=1000).map(|n| n * 1000));
        assert_eq!(histogram.mean_ms(), Some(500.5));
        let p95 = histogram.quantile_ms(0.95).unwrap();
        assert!((949.0..=950.0).contains(&p95), "{p95}");
        assert_eq!(histogram.value_at_rank_ms(1), Some(1.0));
        assert_eq!(histogram.value_at_rank_ms(0), None);
        assert_eq!(histogram.value_at_rank_ms(1001), None);
        assert_eq!(histogram.longer_than(Duration::from_millis(1000)), 0);
        let over = histogram.longer_than(Duration::from_millis(900));
        assert!((99..=100).contains(&over), "{over}");
    }

    #[test]
    fn a_histogram_of_other_bounds_is_refused() {
        let mut bytes = Vec::new();
        let other = Hdr::<u64>::new_with_bounds(1, 1000, 2).unwrap();
        V2DeflateSerializer::new().serialize(&other, &mut bytes).unwrap();
        let stored = serde_json::json!({ "v2_deflate": STANDARD.encode(bytes), "sum_us": 0, "saturated": 0 });
        let error = serde_json::from_value::<Histogram>(stored).unwrap_err().to_string();
        assert!(error.contains("other bounds"), "{error}");
    }
}
