//! The whole test's result, as it is stored. Pure.

use serde::{Deserialize, Serialize};

use crate::compare::Comparison;
use crate::results::{Failure, Results};
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
        let measured = self.measured();
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

    /// What was measured of the new side, as far as it was, and why requests failed.
    fn measured(&self) -> String {
        let Figures { sent, success_percent, p50_ms, p95_ms, p99_ms, achieved_rps, .. } = self.new.figures;
        let at = achieved_rps.map(|rate| format!(" at {rate:.1} a second")).unwrap_or_default();
        let ms = |name: &str, value: Option<f64>| value.map(|ms| format!("{name} {ms:.1} ms"));
        let parts = [
            Some(format!("{sent} requests{at}")),
            success_percent.map(|percent| format!("{percent:.2} % as expected")),
            ms("p50", p50_ms),
            ms("p95", p95_ms),
            ms("p99", p99_ms),
        ];
        let measured = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        [Some(measured), failures(&self.new.results)].into_iter().flatten().collect::<Vec<_>>().join("; ")
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

/// So many of the plan's requests are told of one by one.
const MOST_KINDS: usize = 5;

/// Why requests failed, which answers came, and to which of the plan's requests; none where none failed.
fn failures(results: &Results) -> Option<String> {
    let by_reason: Vec<String> = results
        .by_failure
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(why, count)| match why {
            Failure::Status => format!("{} {count}{}", why.word(), answers(results)),
            _ => format!("{} {count}", why.word()),
        })
        .collect();
    if by_reason.is_empty() {
        return None;
    }
    let kinds = results.by_kind.iter().enumerate().filter(|(_, kind)| kind.succeeded < kind.sent);
    let kinds: Vec<String> = kinds
        .take(MOST_KINDS)
        .map(|(place, kind)| format!("number {}: {} of {}", place + 1, kind.sent - kind.succeeded, kind.sent))
        .collect();
    let of_kinds = if results.by_kind.len() > 1 && !kinds.is_empty() {
        format!(", of the plan's requests {}", kinds.join(", "))
    } else {
        String::new()
    };
    Some(format!("failures: {}{of_kinds}", by_reason.join(", ")))
}

/// The answers that are no success, by their status.
fn answers(results: &Results) -> String {
    let others = results.by_status.iter().filter(|(status, _)| !(200..300).contains(*status));
    let told: Vec<String> = others.map(|(status, count)| format!("{status}: {count}")).collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::KindCounts;

    fn stopped(results: Results) -> Report {
        Report {
            verdict: Verdict::Violated,
            problems: Vec::new(),
            notes: Vec::new(),
            sla: Vec::new(),
            score: None,
            is_stopped: true,
            stopped_by: None,
            new: OfSide { figures: Figures::from(&results), results },
            old: None,
            comparison: Comparison::default(),
        }
    }

    #[test]
    fn a_load_test_that_failed_says_why_and_which_of_the_plans_requests() {
        let counts = |sent, succeeded| KindCounts { sent, succeeded };
        let results = Results {
            seconds: 10.0,
            sent: 40,
            succeeded: 15,
            by_failure: [(Failure::Connect, 21), (Failure::Status, 4)].into(),
            by_status: [(200, 15), (503, 4)].into(),
            by_kind: vec![counts(15, 15), counts(25, 0)],
            ..Results::default()
        };
        assert_eq!(
            stopped(results).sentence(),
            "load test of the new side was stopped, as more requests failed than may: 40 requests at 4.0 a second, 37.50 % as expected; \
             failures: connect 21, status 4 (503: 4), of the plan's requests number 2: 25 of 25"
        );
    }

    #[test]
    fn what_was_not_measured_is_not_told() {
        let told = stopped(Results::default()).sentence();
        assert!(told.ends_with("than may: 0 requests"), "{told}");
    }
}
