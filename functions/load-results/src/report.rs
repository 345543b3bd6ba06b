//! The whole test's result, as it is stored. Pure.

use serde::{Deserialize, Serialize};

use crate::compare::Comparison;
use crate::results::Results;
use crate::sla::{Figures, Line};

/// What the test says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The SLA holds.
    Passed,
    /// It does not.
    Violated,
    /// The load could not be made as it was meant: nobody can tell.
    Invalid,
}

/// One side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfSide {
    /// The figures that people read.
    pub figures: Figures,
    /// What they are made from: counts, and whole histograms for ranks and shares.
    pub results: Results,
}

/// The test's result, as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What the test says.
    pub verdict: Verdict,
    /// Why it is invalid, where it is: what kept the generator from its task, and what is missing.
    pub problems: Vec<String>,
    /// What has to be known to read the figures.
    pub notes: Vec<String>,
    /// The SLA, bound by bound, on the new side.
    pub sla: Vec<Line>,
    /// 0 to 100; information, which decides nothing.
    pub score: Option<f64>,
    /// Whether the test stopped early: more requests failed than may, or a bound was lost.
    pub is_stopped: bool,
    /// The bound that was lost for certain, where that is why it stopped.
    #[serde(default)]
    pub stopped_by: Option<String>,
    /// The new side.
    pub new: OfSide,
    /// The old side, where it was loaded too.
    pub old: Option<OfSide>,
    /// New against old, figure by figure; or why not.
    #[serde(default)]
    pub comparison: Comparison,
}

impl Report {
    /// In a sentence, for the console and for messages.
    pub fn sentence(&self) -> String {
        let Figures { sent, success_percent, p50_ms, p95_ms, p99_ms, achieved_rps, .. } = self.new.figures;
        let ms = |value: Option<f64>| value.map_or("-".to_owned(), |ms| format!("{ms:.1}"));
        let measured = format!(
            "{sent} requests at {} a second, {} % as expected, p50 {} ms, p95 {} ms, p99 {} ms",
            ms(achieved_rps),
            success_percent.map_or("-".to_owned(), |percent| format!("{percent:.2}")),
            ms(p50_ms),
            ms(p95_ms),
            ms(p99_ms),
        );
        match self.verdict {
            Verdict::Passed => format!("load test of the new side passed: {measured}"),
            Verdict::Violated if self.is_stopped => {
                let why = self.stopped_by.as_ref().map_or_else(
                    || "more requests failed than may".to_owned(),
                    |bound| format!("{bound} is lost for certain"),
                );
                format!("load test of the new side was stopped, as {why}: {measured}")
            }
            Verdict::Violated => format!("load test of the new side: {}; {measured}", self.violations().join("; ")),
            Verdict::Invalid => {
                format!("load test is invalid, and says nothing of the new side: {}", self.problems.join("; "))
            }
        }
    }

    fn violations(&self) -> Vec<String> {
        let broken = self.sla.iter().filter(|line| !line.holds);
        let told = broken.map(|line| match line.measured {
            Some(measured) => format!("{} is {}, measured {measured:.3}", line.bound, line.limit),
            None => format!("{} is {}, and nothing was measured", line.bound, line.limit),
        });
        let told: Vec<String> = told.collect();
        if told.is_empty() { vec!["nothing was sent".to_owned()] } else { told }
    }
}
