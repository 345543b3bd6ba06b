//! The newest reading of a replication's metrics, or what is missing for one. Pure.

use jiff::Timestamp;
use replication::{Metrics, PERIOD_SECONDS};

use crate::Mode;

/// A sample older than this says nothing about now: three periods.
pub const FRESH_SECONDS: i64 = 3 * PERIOD_SECONDS;

/// One reading of the metrics: all that the mode needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The start of its period on the state machine's clock, which counts waits: seconds since the first look, below
    /// zero before it.
    pub at: i64,
    /// The larger of source and target latency.
    pub lag_seconds: f64,
    /// Changes that wait, in rows; `None` where a metric of them is missing.
    pub backlog: Option<f64>,
    /// Rows a second that came in from the source; `None` where DMS does not say.
    pub rows_in: Option<f64>,
}

/// What there is where no reading is whole. It is no data, and never a pass; a person reads what is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// The newest lag, if that can be told.
    pub lag_seconds: Option<f64>,
    /// The metrics that have no fresh value.
    pub missing: Vec<&'static str>,
}

/// The newest fresh period for which there is all that the mode needs. While draining, one from before the first look
/// is no data: the writers had not stopped.
pub(crate) fn newest(mode: Mode, metrics: &Metrics, elapsed_seconds: u64, now: Timestamp) -> Result<Sample, Part> {
    let elapsed = i64::try_from(elapsed_seconds).unwrap_or(i64::MAX);
    let drains = mode == Mode::Drain;
    let window = if drains { elapsed.min(FRESH_SECONDS) } else { FRESH_SECONDS };
    let since = now.as_second() - window;
    let periods = metrics.source_latency.range(since..).rev();
    let mut samples = periods.filter_map(|(period, _)| {
        let lag_seconds = metrics.lag_seconds(*period)?;
        let waiting: Option<Vec<f64>> = metrics.backlog.iter().map(|series| series.get(period).copied()).collect();
        // The first counts every change that waits, the others those of them that are on their way to the target.
        let backlog = waiting.map(|waiting| match waiting[..] {
            [incoming, ref on_their_way @ ..] => incoming.max(on_their_way.iter().sum()),
            [] => 0.0,
        });
        let at = elapsed.saturating_sub(now.as_second() - period);
        Some(Sample { at, lag_seconds, backlog, rows_in: metrics.rows_in.get(period).copied() })
    });
    samples
        .find(|sample| !drains || sample.backlog.is_some())
        .ok_or_else(|| Part { lag_seconds: metrics.newest_lag_seconds(since), missing: metrics.missing(since, drains) })
}
