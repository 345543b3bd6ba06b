//! What came of it, for people and for the maintainers: Markdown and JSON, without names or account numbers.
//!
//! Contract: pure. Every text that AWS or a run wrote goes through [`Names`]; shapes of answers have no values in them.

use std::fmt::Write;

use serde::Serialize;

use super::names::Names;
use super::play::Played;
use super::shape::{Answers, Difference, differences};

/// The report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Of Cutover.
    pub version: &'static str,
    /// Whether it was asked of an emulated AWS on this machine.
    pub emulated: bool,
    /// What came of each trial.
    pub trials: Vec<Told>,
    /// How AWS's answers differ from what the emulated AWS answered.
    pub differences: Vec<Difference>,
    /// The shapes of all answers.
    pub answers: Answers,
}

/// A trial, as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// Its name.
    pub trial: String,
    /// Whether the promise was kept.
    pub kept: bool,
    /// The end of its execution.
    pub end: String,
    /// The error's cause.
    pub cause: String,
    /// What is wrong.
    pub violations: Vec<String>,
    /// In real time.
    pub seconds: u64,
}

impl Report {
    /// Of trials, and of what was answered.
    pub fn new(played: Vec<Played>, answers: Answers, emulated: &Answers, names: &Names) -> Self {
        let told = |played: Played| Told {
            trial: played.trial.name(),
            kept: played.violations.is_empty(),
            end: names.out_of(&played.end),
            cause: names.out_of(&played.cause),
            violations: played.violations.iter().map(|line| names.out_of(line)).collect(),
            seconds: played.seconds.round() as u64,
        };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            emulated: false,
            trials: played.into_iter().map(told).collect(),
            differences: differences(&answers, emulated),
            answers,
        }
    }

    /// Whether every trial has kept the promise.
    pub fn is_kept(&self) -> bool {
        self.trials.iter().all(|trial| trial.kept)
    }

    /// For people.
    pub fn markdown(&self) -> String {
        let mut text = format!("# Cutover {} on the proving ground\n\n", self.version);
        text.push_str(if self.emulated {
            "Asked of the emulated AWS: this says nothing about AWS itself.\n\n"
        } else {
            "Asked of AWS. Names, account numbers and identifiers are left out.\n\n"
        });
        text.push_str("| trial | promise | the execution ended | seconds |\n|---|---|---|---|\n");
        for Told { trial, kept, end, seconds, .. } in &self.trials {
            let kept = if *kept { "kept" } else { "**broken**" };
            let _ = writeln!(text, "| {trial} | {kept} | {end} | {seconds} |");
        }
        for told in self.trials.iter().filter(|told| !told.kept) {
            let _ = write!(text, "\n## {}\n\n", told.trial);
            if !told.cause.is_empty() {
                let _ = writeln!(text, "{}\n", told.cause);
            }
            text.extend(told.violations.iter().map(|line| format!("- {line}\n")));
        }
        text.push_str(&self.compared());
        text
    }

    fn compared(&self) -> String {
        let outcomes: usize = self.answers.values().map(|outcomes| outcomes.len()).sum();
        let calls = self.answers.len();
        let mut text = format!("\n## Answers\n\n{calls} kinds of calls, {outcomes} kinds of answers to them. ");
        if self.differences.is_empty() {
            text.push_str(
                "None differs in its fields, their kinds, or its error from what the emulated AWS answered.\n",
            );
            return text;
        }
        let _ = write!(text, "Differences from what the emulated AWS answered: {}.\n\n", self.differences.len());
        text.push_str("| call | where in the answer | difference |\n|---|---|---|\n");
        for Difference { call, path, what } in &self.differences {
            let _ = writeln!(text, "| {call} | {} | {what} |", if path.is_empty() { "" } else { path });
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::shape::{ANSWERED, Shape, note};
    use super::super::trial::Trial;
    use super::*;

    #[test]
    fn a_report_says_what_is_wrong_and_nobodys_name() {
        let zone = "Z0123456789ABCDEFGHIJ";
        let played = Played {
            trial: Trial::Denied,
            ended: None,
            end: "FAILED Cutover.Stuck".to_owned(),
            cause: format!("User: arn:aws:sts::210987654321:assumed-role/acme-swap/x may not, of {zone}"),
            violations: vec![format!("$.route53.{zone}.app.acme.internal A: 1 -> 2")],
            seconds: 61.4,
        };
        let mut answers = Answers::new();
        note(&mut answers, "elbv2 describe_rules", ANSWERED, Shape::of(&json!({ "Rules": [], "Extra": "acme" })));
        let mut emulated = Answers::new();
        note(&mut emulated, "elbv2 describe_rules", ANSWERED, Shape::of(&json!({ "Rules": [] })));
        let names = Names::new([(zone.to_owned(), "zone".to_owned()), ("acme".to_owned(), "prefix".to_owned())]);
        let report = Report::new(vec![played], answers, &emulated, &names);
        assert!(!report.is_kept());
        let both = [report.markdown(), serde_json::to_string(&report).expect("JSON")];
        for text in both {
            assert!(text.contains("Extra") && text.contains("only here") && text.contains("Cutover.Stuck"), "{text}");
            for secret in ["acme", "210987654321", zone] {
                assert!(!text.contains(secret), "{secret} is told: {text}");
            }
        }
    }
}
