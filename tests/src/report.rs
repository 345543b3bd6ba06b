//! What people read: a line for everything that happens, and a summary at the end.
//!
//! Contract: pure but for the writer that [`Progress`] is given. Text carries ANSI colours; writers that are no
//! terminal strip them. Times are virtual, since the execution's start. A state that comes again and again (a hold's
//! wait and check) is shown once for each weight.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::approver::Answer;
use crate::follow::{End, Told};
use crate::outcome::{Ending, Execution, Outcome, SideSaw};
use crate::routes::{Destination, Side};
use crate::run::Happening;
use crate::traffic::Tally;
use crate::world::{Act, Conduct};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const NOTE: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const BAR_WIDTH: usize = 20;
const CAUSE_LIMIT: usize = 400;

/// Shows a rehearsal while it goes on.
#[derive(Debug)]
pub struct Progress<W> {
    out: W,
    shown: HashSet<(String, String)>,
}

impl<W: Write> Progress<W> {
    /// Writes lines to `out`.
    pub fn new(out: W) -> Self {
        Self { out, shown: HashSet::new() }
    }

    /// One thing that happened.
    pub fn show(&mut self, at: Duration, happening: &Happening) {
        if let Happening::Moved(_) = happening {
            self.shown.clear();
        }
        let Some(line) = self.line(happening) else { return };
        // A reader who went away (a closed pipe) must not end the rehearsal before it has cleaned up.
        let _ = writeln!(self.out, "{DIM}{}{DIM:#}  {line}", clock(at.as_secs_f64()));
    }

    fn line(&mut self, happening: &Happening) -> Option<String> {
        match happening {
            Happening::Told(label, nested, told) => {
                let line = self.told(label, told)?;
                Some(format!("{}{line}", indent(*nested)))
            }
            Happening::Ended(label, nested, end) => {
                Some(format!("{}{BOLD}{label} ends{BOLD:#} {}", indent(*nested), ended(end)))
            }
            Happening::Moved(state) => {
                Some(format!("{NOTE}weights{NOTE:#}  {}: {}", state.route, weights(&state.destinations)))
            }
            Happening::Users(routes, failures) => Some(format!("{DIM}users{DIM:#}    {}", users(routes, *failures))),
            Happening::Did(act) => Some(format!("{NOTE}{}{NOTE:#} (the world file asks for it)", did(*act))),
            Happening::Answered(Answer::Approve) => Some(format!("{NOTE}somebody approves{NOTE:#}")),
            Happening::Answered(Answer::Reject) => Some(format!("{NOTE}somebody rejects{NOTE:#}")),
            Happening::Behaves(side, conduct) => {
                Some(format!("{NOTE}the {side} side{NOTE:#} now: {}", behaviour(conduct)))
            }
        }
    }

    fn told(&mut self, label: &str, told: &Told) -> Option<String> {
        match told {
            Told::Began => Some(format!("{BOLD}{label} starts{BOLD:#}")),
            Told::Entered(_, kind) if kind == "Choice" || kind == "Pass" => None,
            Told::Entered(state, kind) => {
                let is_new = self.shown.insert((label.to_string(), state.clone()));
                let name = if kind == "Fail" { format!("{BAD}{state}{BAD:#}") } else { state.clone() };
                is_new.then(|| format!("{name} {DIM}{}{DIM:#}", kind.to_lowercase()))
            }
            Told::Failed(error, cause) => {
                let is_new = self.shown.insert((label.to_string(), format!("{error} {cause}")));
                let why = findings(cause).map_or_else(|| format!(" {}", short(cause)), |lines| below(&lines));
                is_new.then(|| format!("{BAD}{error}{BAD:#}{why}"))
            }
        }
    }
}

/// What precheck found, where a cause holds it, a line each: where, what is wrong, and what would be right.
fn findings(cause: &str) -> Option<Vec<String>> {
    let json: serde_json::Value = serde_json::from_str(cause).ok()?;
    let found = json["findings"].as_array().filter(|found| !found.is_empty())?;
    let text = |finding: &serde_json::Value, field: &str| finding[field].as_str().unwrap_or_default().to_string();
    let line = |finding: &serde_json::Value| {
        let style = if finding["severity"] == "error" { BAD } else { NOTE };
        let [severity, path, problem, fix] = ["severity", "path", "problem", "fix"].map(|field| text(finding, field));
        format!("{style}{severity:<7}{style:#}  {BOLD}{path}{BOLD:#}  {problem}: {fix}")
    };
    Some(found.iter().map(line).collect())
}

fn below(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n            {line}")).collect()
}

fn indent(nested: bool) -> &'static str {
    if nested { "    " } else { "" }
}

fn clock(seconds: f64) -> String {
    let seconds = seconds as u64;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// One line, of bounded length. What a function or a Fail state says may be in JSON.
fn short(cause: &str) -> String {
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

fn ended(end: &End) -> String {
    let style = if end.status == "SUCCEEDED" { GOOD } else { BAD };
    let detail = end.error.as_deref().or(end.told_ending()).unwrap_or_default();
    format!("{style}{}{style:#} {detail}", end.status)
}

/// `A old 90, new 10; AAAA old 90, new 10; TTL 60 s`
fn weights(destinations: &[Destination]) -> String {
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

fn users(routes: &[(String, Tally)], failures: usize) -> String {
    let shares: Vec<String> = routes.iter().map(|(label, tally)| format!("{label} {} new", share(tally))).collect();
    format!("{}   {}", shares.join("   "), failed(failures))
}

fn share(tally: &Tally) -> String {
    match tally.new_percent() {
        Some(percent) => format!("{} {percent:3.0} %", bar(percent)),
        None => format!("{} -----", bar(0.0)),
    }
}

fn bar(percent: f64) -> String {
    let full = (percent / 100.0 * BAR_WIDTH as f64).round() as usize;
    format!("{}{}", "█".repeat(full.min(BAR_WIDTH)), "░".repeat(BAR_WIDTH.saturating_sub(full)))
}

fn failed(failures: usize) -> String {
    let style = if failures == 0 { GOOD } else { BAD };
    format!("{style}{failures} failed{style:#}")
}

fn did(act: Act) -> &'static str {
    match act {
        Act::StopExecution => "the execution is stopped",
        Act::StartSecond => "a second cutover with the same plan is started",
    }
}

fn behaviour(conduct: &Conduct) -> String {
    format!(
        "answers in {} ms, {} % errors, {} % of its targets healthy, health endpoint {} {:?}",
        conduct.latency_ms,
        conduct.error_rate * 100.0,
        conduct.healthy_percent,
        conduct.health_status,
        conduct.health_body
    )
}

/// The summary of a rehearsal.
pub fn summary(outcome: &Outcome) -> String {
    let mut text = String::new();
    ending(&mut text, outcome);
    moved(&mut text, outcome);
    users_saw(&mut text, outcome);
    changes(&mut text, outcome);
    messages(&mut text, outcome);
    executions(&mut text, outcome);
    text
}

// Writing to a String cannot fail.
macro_rules! put {
    ($text:expr, $($line:tt)*) => { let _ = writeln!($text, $($line)*); };
}

fn heading(text: &mut String, name: &str) {
    put!(text, "\n{BOLD}{name}{BOLD:#}");
}

fn ending(text: &mut String, outcome: &Outcome) {
    let style = match outcome.ending {
        Ending::Succeeded => GOOD,
        Ending::RolledBack => NOTE,
        _ => BAD,
    };
    let meaning = match outcome.ending {
        Ending::Succeeded if outcome.preceding.is_none() && outcome.is_as_before() => "nothing was to be moved",
        Ending::Succeeded => outcome.success,
        Ending::RolledBack if outcome.is_as_before() => "every route is as it was before",
        Ending::RolledBack => "AND YET A ROUTE IS NOT AS BEFORE, see below",
        Ending::Stuck => "a person has to act: the messages below say how",
        Ending::Refused(_) => "nothing was touched",
        Ending::Other(_) => "an ending that Cutover does not know",
    };
    put!(
        text,
        "\n{BOLD}{style}{}{style:#}{BOLD:#}: {meaning}; after {} of virtual time",
        outcome.ending.name(),
        clock(outcome.seconds)
    );
    match &outcome.expected {
        Some(expected) if expected == outcome.ending.name() => {
            put!(text, "{GOOD}as the world file expects{GOOD:#}");
        }
        Some(expected) => {
            put!(text, "{BAD}the world file expects {expected}{BAD:#}");
        }
        None => {}
    }
}

fn moved(text: &mut String, outcome: &Outcome) {
    heading(text, "What moved");
    for (before, after) in outcome.before.iter().zip(&outcome.after) {
        if before.destinations == after.destinations {
            put!(text, "  {}: unchanged, {}", before.route, weights(&before.destinations));
        } else {
            put!(
                text,
                "  {}:\n    before  {}\n    after   {}",
                before.route,
                weights(&before.destinations),
                weights(&after.destinations)
            );
        }
    }
    if !outcome.moves.is_empty() {
        put!(text, "  {DIM}every state on the way{DIM:#}");
    }
    for state in &outcome.moves {
        put!(text, "    {}  {}: {}", clock(state.at_seconds), state.route, weights(&state.destinations));
    }
}

fn users_saw(text: &mut String, outcome: &Outcome) {
    let users = &outcome.users;
    heading(text, "What users saw");
    put!(text, "  {} requests, {}", users.requests, failed(users.failures));
    for SideSaw { side, requests, failures } in &users.sides {
        let name = match side {
            Side::Nowhere => "no answer from AWS".to_string(),
            _ => format!("{side} side"),
        };
        put!(text, "    {name:<20}{requests:>7} requests, {}", failed(*failures));
    }
    put!(text, "  share of the new side from then on: {}", users.routes.join(", "));
    let mut above = String::new();
    for row in &users.timeline {
        let shares: Vec<String> = row.routes.iter().map(share).collect();
        let failures: usize = row.routes.iter().map(|tally| tally.failures).sum();
        let failures = if failures > 0 { failed(failures) } else { String::new() };
        let line = format!("{}  {failures}", shares.join("   "));
        if line != above {
            put!(text, "    {}  {line}", clock(row.at_seconds));
        }
        above = line;
    }
}

fn changes(text: &mut String, outcome: &Outcome) {
    heading(text, "Every change made and undone");
    if outcome.changes.is_empty() {
        put!(text, "  none");
    }
    for change in &outcome.changes {
        let kind = if change.undo { format!("{NOTE}undo{NOTE:#}") } else { "do  ".to_string() };
        let status = match change.status {
            Some(status) if status < 400 => String::new(),
            Some(status) => format!("{BAD}refused ({status}){BAD:#}"),
            None => format!("{BAD}not answered{BAD:#}"),
        };
        let what = format!("{} {}", change.service, change.operation);
        let state = change.state.as_deref().unwrap_or(&change.caller);
        put!(text, "  {}  {kind}  {state:<18} {what:<36} {status}", clock(change.at_seconds));
    }
}

fn messages(text: &mut String, outcome: &Outcome) {
    heading(text, "Messages sent");
    if outcome.messages.is_empty() {
        put!(text, "  none");
    }
    for message in &outcome.messages {
        put!(text, "  {}", message.subject.as_deref().unwrap_or("(no subject)"));
        // A person who has to act needs all of it; for everybody else the first paragraph says what happened.
        let is_end = |line: &&str| outcome.ending != Ending::Stuck && line.trim().is_empty();
        for line in message.message.lines().take_while(|line| !is_end(line)) {
            put!(text, "    {DIM}{line}{DIM:#}");
        }
    }
}

fn executions(text: &mut String, outcome: &Outcome) {
    let acted = outcome.rollbacks.iter().filter(|rollback| rollback.end.told_ending() != Some("NothingToDo"));
    let all = [&outcome.execution].into_iter().chain(&outcome.started).chain(acted).chain(&outcome.second);
    for Execution { label, end, .. } in all {
        heading(text, &format!("The execution's own word: {label}"));
        put!(text, "  {}", ended(end));
        if let Some(cause) = &end.cause {
            put!(text, "{}", findings(cause).map_or_else(|| pretty(cause), |lines| indented(&lines.join("\n"))));
        }
        if let Some(output) = &end.output {
            put!(text, "{}", indented(&format!("{output:#}")));
        }
    }
}

/// A cause is JSON where a function failed, and a sentence elsewhere.
fn pretty(cause: &str) -> String {
    let json = serde_json::from_str::<serde_json::Value>(cause).ok();
    indented(&json.map_or_else(|| cause.to_string(), |json| format!("{json:#}")))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Move;

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
    fn a_loop_is_shown_once_for_each_weight() {
        let mut out = Vec::new();
        let mut progress = Progress::new(&mut out);
        let check =
            Happening::Told("cutover".to_string(), false, Told::Entered("Check".to_string(), "Task".to_string()));
        let step = Happening::Moved(Move { at_seconds: 0.0, route: "r".to_string(), destinations: Vec::new() });
        for happening in [&check, &check, &step, &check, &check] {
            progress.show(Duration::from_secs(3700), happening);
        }
        let text = anstream::adapter::strip_bytes(&out).into_vec();
        let text = String::from_utf8(text).expect("text");
        assert_eq!(text.matches("Check").count(), 2, "{text}");
        assert!(text.starts_with("01:01:40  Check task"), "{text}");
    }

    #[test]
    fn each_finding_has_a_line_of_its_own() {
        let finding = |path: &str| serde_json::json!({ "severity": "error", "kind": "plan", "path": path, "problem": "is missing", "fix": "add it" });
        let cause =
            serde_json::json!({ "application": "a", "findings": [finding("$.routes"), finding("$.application")] });
        let failed = Told::Failed("Cutover.InvalidPlan".to_string(), cause.to_string());
        let mut out = Vec::new();
        Progress::new(&mut out).show(Duration::ZERO, &Happening::Told("cutover".to_string(), false, failed));
        let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).expect("text");
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert!(lines[0].ends_with("Cutover.InvalidPlan"), "{text}");
        assert_eq!(lines[1..], ["error    $.routes  is missing: add it", "error    $.application  is missing: add it"]);
        assert_eq!(findings("a sentence"), None);
    }

    #[test]
    fn a_long_cause_is_cut_at_a_character() {
        assert_eq!(short("a\n  b"), "a b");
        assert_eq!(short(&"ä".repeat(500)).chars().count(), CAUSE_LIMIT + 3);
    }
}
