//! The words that progress, summary and page share.
//!
//! Contract: pure. Text carries ANSI colours; writers that are no terminal strip them. Times are virtual, since the start.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::follow::End;
use crate::routes::Destination;
use crate::traffic::Tally;

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const NOTE: Style = AnsiColor::Yellow.on_default();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();
const BAR_WIDTH: usize = 20;
const CAUSE_LIMIT: usize = 400;

/// What precheck found, where a cause holds it, a line each: where, what is wrong, and what would be right.
pub(super) fn findings(cause: &str) -> Option<Vec<String>> {
    let json: serde_json::Value = serde_json::from_str(cause).ok()?;
    json["findings"].as_array().filter(|found| !found.is_empty()).map(|found| lines(found))
}

/// A line for each finding.
pub(super) fn lines(found: &[serde_json::Value]) -> Vec<String> {
    let text = |finding: &serde_json::Value, field: &str| finding[field].as_str().unwrap_or_default().to_string();
    let line = |finding: &serde_json::Value| {
        let style = if finding["severity"] == "error" { BAD } else { NOTE };
        let [severity, path, problem, fix] = ["severity", "path", "problem", "fix"].map(|field| text(finding, field));
        format!("{style}{severity:<7}{style:#}  {BOLD}{path}{BOLD:#}  {problem}: {fix}")
    };
    found.iter().map(line).collect()
}

/// The same without colours; of another cause its message, on one line.
pub(super) fn findings_or_short(cause: &str) -> Vec<String> {
    let plain = |line: String| anstream::adapter::strip_str(&line).to_string();
    findings(cause).map_or_else(|| vec![short(cause)], |lines| lines.into_iter().map(plain).collect())
}

/// `01:05:00`, of virtual time.
pub(crate) fn clock(seconds: f64) -> String {
    let seconds = seconds as u64;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// One line, of bounded length. What a function or a Fail state says may be in JSON.
pub(super) fn short(cause: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(cause).ok();
    let message = json.as_ref().and_then(|json| json["errorMessage"].as_str().or(json["cause"].as_str()));
    let text = message.unwrap_or(cause);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= CAUSE_LIMIT {
        line
    } else {
        line.chars().take(CAUSE_LIMIT).chain("...".chars()).collect()
    }
}

pub(super) fn ended(end: &End) -> String {
    let style = if end.status == "SUCCEEDED" { GOOD } else { BAD };
    let detail = end.error.as_deref().or(end.told_ending()).unwrap_or_default();
    format!("{style}{}{style:#} {detail}", end.status)
}

/// `A old 90, new 10; AAAA old 90, new 10; TTL 60 s`
pub(super) fn weights(destinations: &[Destination]) -> String {
    let mut text = String::new();
    let mut kind = None;
    for destination in destinations {
        let separator = if text.is_empty() {
            ""
        } else if kind == destination.record_type.as_deref() {
            ", "
        } else {
            "; "
        };
        text.push_str(separator);
        if let Some(record_type) = destination.record_type.as_deref().filter(|given| kind != Some(*given)) {
            let _ = write!(text, "{record_type} ");
        }
        kind = destination.record_type.as_deref();
        let _ = match destination.weight {
            Some(weight) => write!(text, "{} {weight}", destination.side),
            None => write!(text, "{} {} (simple)", destination.side, destination.name),
        };
    }
    if let Some(ttl_seconds) = destinations.iter().find_map(|destination| destination.ttl_seconds) {
        let _ = write!(text, "; TTL {ttl_seconds} s");
    }
    if text.is_empty() { "leads nowhere".to_string() } else { text }
}

pub(super) fn share(tally: &Tally) -> String {
    match tally.new_percent() {
        Some(percent) => format!("{} {percent:3.0} %", bar(percent)),
        None => format!("{} -----", bar(0.0)),
    }
}

fn bar(percent: f64) -> String {
    let full = (percent / 100.0 * BAR_WIDTH as f64).round() as usize;
    format!("{}{}", "█".repeat(full.min(BAR_WIDTH)), "░".repeat(BAR_WIDTH.saturating_sub(full)))
}

pub(super) fn failed(failures: usize) -> String {
    let style = if failures == 0 { GOOD } else { BAD };
    format!("{style}{failures} failed{style:#}")
}

/// A duration as plans write it.
pub(super) fn duration(seconds: u64) -> String {
    cutover::Seconds(seconds).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Side;

    fn destination(record_type: Option<&str>, side: Side, weight: Option<u64>) -> Destination {
        Destination {
            record_type: record_type.map(str::to_string),
            name: "192.0.2.10".to_string(),
            side,
            weight,
            ttl_seconds: record_type.map(|_| 60),
        }
    }

    #[test]
    fn weights_are_told_by_record_type() {
        let pair = |kind| [destination(kind, Side::Old, Some(90)), destination(kind, Side::New, Some(10))];
        assert_eq!(weights(&pair(None)), "old 90, new 10");
        assert_eq!(
            weights(&[pair(Some("A")), pair(Some("AAAA"))].concat()),
            "A old 90, new 10; AAAA old 90, new 10; TTL 60 s"
        );
        assert_eq!(weights(&[destination(Some("A"), Side::Old, None)]), "A old 192.0.2.10 (simple); TTL 60 s");
        assert_eq!(weights(&[]), "leads nowhere");
    }

    #[test]
    fn a_long_cause_is_cut_at_a_character() {
        assert_eq!(short("a\n  b"), "a b");
        assert_eq!(short(&"ä".repeat(500)).chars().count(), CAUSE_LIMIT + 3);
    }
}
