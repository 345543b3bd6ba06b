//! The load test, as the report tells it: figures, and points to draw. Pure.

use std::collections::BTreeMap;

use load_results::compare::Comparison;
use load_results::report::{OfSide, Report, Verdict};
use load_results::results::{CELL_SECONDS, Failure};
use load_results::sla::{Figures, Line};
use serde::Serialize;

use crate::words::short;

/// The shares at which the distribution is drawn, as far as there are requests to tell.
const QUANTILES: [f64; 14] = [0.01, 0.1, 0.25, 0.5, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9995, 0.9999];
/// So many cells of the timeline are kept: of a longer test, several are told as one.
const MOST_CELLS: i64 = 60;

/// The load test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Load {
    /// What it says.
    pub verdict: Verdict,
    /// The same in a sentence.
    pub sentence: String,
    /// Why it is invalid.
    pub problems: Vec<String>,
    /// What has to be known to read the figures.
    pub notes: Vec<String>,
    /// The SLA, bound by bound.
    pub sla: Vec<Line>,
    /// 0 to 100; information.
    pub score: Option<f64>,
    /// The new side.
    pub new: Side,
    /// The old side, where it was loaded.
    pub old: Option<Side>,
    /// New against old.
    pub comparison: Comparison,
}

/// One side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Its figures.
    pub figures: Figures,
    /// Failures by their reason.
    pub failures: BTreeMap<Failure, u64>,
    /// Connections that were opened.
    pub connections: u64,
    /// Share of requests, and the latency in milliseconds that so many have at the most.
    pub distribution: Vec<(f64, f64)>,
    /// Over time.
    pub cells: Vec<Cell>,
}

/// Some seconds of a side's turns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// When it begins, in seconds since the first request of the test.
    pub second: i64,
    /// Requests a second.
    pub rate_rps: f64,
    /// The share that failed, in percent.
    pub error_percent: f64,
    /// The 95th percentile, in milliseconds.
    pub p95_ms: Option<f64>,
}

impl Load {
    /// From the test's result, as it is stored.
    pub fn of(report: &Report) -> Self {
        let sides = [Some(&report.new), report.old.as_ref()];
        let first = sides.iter().flatten().filter_map(|side| side.results.timeline.keys().next()).min();
        let last = sides.iter().flatten().filter_map(|side| side.results.timeline.keys().next_back()).max();
        let (first, last) = (first.copied().unwrap_or(0), last.copied().unwrap_or(0));
        let together = ((last - first) / CELL_SECONDS / MOST_CELLS + 1) * CELL_SECONDS;
        Self {
            verdict: report.verdict,
            sentence: report.sentence(),
            problems: report.problems.clone(),
            notes: report.notes.clone(),
            sla: report.sla.clone(),
            score: report.score,
            new: side(&report.new, first, together),
            old: report.old.as_ref().map(|old| side(old, first, together)),
            comparison: report.comparison.clone(),
        }
    }
}

impl Side {
    /// What the table of figures does not say: rates, the longest, failures by their reason.
    pub fn line(&self, name: &str) -> String {
        let told = |value: Option<f64>| value.map_or("not measured".to_owned(), short);
        let Figures { sent, offered_rps, achieved_rps, max_ms, .. } = self.figures;
        if sent == 0 {
            return format!("{name} side: no request was sent, so nothing of it is known");
        }
        let failures: Vec<String> =
            self.failures.iter().map(|(why, count)| format!("{} {count}", why.word())).collect();
        let failures =
            if failures.is_empty() { "no failure".to_owned() } else { format!("failures: {}", failures.join(", ")) };
        let (offered, achieved, longest) = (told(offered_rps), told(achieved_rps), told(max_ms));
        format!(
            "{name} side: {sent} requests, {offered} a second offered and {achieved} sent, the longest {longest} ms, {failures}"
        )
    }
}

fn side(of: &OfSide, first: i64, cell_seconds: i64) -> Side {
    let results = &of.results;
    let all = results.from_schedule.len() as f64;
    // Beyond the last ten requests a percentile is chance.
    let told = QUANTILES.iter().filter(|quantile| all * (1.0 - **quantile) >= 10.0);
    let distribution = told.filter_map(|quantile| Some((*quantile, results.from_schedule.quantile_ms(*quantile)?)));
    let mut cells: BTreeMap<i64, load_results::results::Cell> = BTreeMap::new();
    for (second, cell) in &results.timeline {
        let merged = cells.entry((second - first) / cell_seconds * cell_seconds).or_default();
        merged.sent += cell.sent;
        merged.succeeded += cell.succeeded;
        merged.from_schedule.add(&cell.from_schedule);
    }
    let cell = |(second, cell): (i64, load_results::results::Cell)| Cell {
        second,
        rate_rps: cell.sent as f64 / cell_seconds as f64,
        error_percent: 100.0 * (cell.sent - cell.succeeded) as f64 / cell.sent.max(1) as f64,
        p95_ms: cell.from_schedule.quantile_ms(0.95),
    };
    Side {
        figures: of.figures,
        failures: results.by_failure.clone(),
        connections: results.connections,
        distribution: distribution.collect(),
        cells: cells.into_iter().map(cell).collect(),
    }
}
