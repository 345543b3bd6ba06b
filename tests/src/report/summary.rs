//! The summary at the end.
//!
//! Contract: pure.

use std::fmt::Write as _;

use super::answers::{answers, looks, meaning, trouble, turned_back, why, worst};
use super::words::{BAD, BOLD, DIM, GOOD, NOTE, clock, ended, failed, findings, lines, share, weights};
use super::{heading, put};
use crate::outcome::{Ending, Execution, Outcome, SideSaw};
use crate::routes::Side;
use crate::traffic::Tally;

/// The timeline is as fine as a plot needs it.
const ROWS_OF_A_LINE: usize = 5;

/// The summary of a rehearsal.
pub fn summary(outcome: &Outcome) -> String {
    let mut text = String::new();
    ending(&mut text, outcome);
    answered(&mut text, outcome);
    warned(&mut text, outcome);
    not_done(&mut text, outcome);
    moved(&mut text, outcome);
    users_saw(&mut text, outcome);
    gates(&mut text, outcome);
    cleanup(&mut text, outcome);
    changes(&mut text, outcome);
    messages(&mut text, outcome);
    executions(&mut text, outcome);
    text
}

fn answered(text: &mut String, outcome: &Outcome) {
    for (name, answer) in answers(outcome) {
        put!(text, "  {name:<34}{answer}");
    }
}

fn warned(text: &mut String, outcome: &Outcome) {
    if outcome.warnings().is_empty() {
        return;
    }
    heading(text, "Precheck warned");
    for line in lines(outcome.warnings()) {
        put!(text, "  {line}");
    }
}

fn not_done(text: &mut String, outcome: &Outcome) {
    let not_done = outcome.not_done();
    if not_done.is_empty() {
        return;
    }
    heading(text, "Not done, or not seen to be in effect");
    for line in &not_done {
        put!(text, "  {BAD}{line}{BAD:#}");
    }
}

fn gates(text: &mut String, outcome: &Outcome) {
    if outcome.gates.is_empty() {
        return;
    }
    heading(text, "Gates");
    for gate in &outcome.gates {
        let style = if turned_back(gate) { BAD } else { GOOD };
        put!(text, "  {}", gate.name);
        put!(text, "      {style}{}{style:#}; looks: {}", worst(gate), looks(gate));
    }
    for found in &outcome.findings {
        put!(text, "  {BAD}{}{BAD:#}  {}: {}", found.path, found.problem, found.fix);
    }
}

fn cleanup(text: &mut String, outcome: &Outcome) {
    if outcome.cleanup.is_empty() {
        return;
    }
    heading(text, "Cleanup");
    for line in &outcome.cleanup {
        put!(text, "  {line}");
    }
}

fn ending(text: &mut String, outcome: &Outcome) {
    let style = match outcome.ending {
        Ending::Succeeded => GOOD,
        Ending::RolledBack => NOTE,
        _ => BAD,
    };
    put!(
        text,
        "\n{BOLD}{style}{}{style:#}{BOLD:#}: {}; after {} of virtual time",
        outcome.ending.name(),
        meaning(outcome),
        clock(outcome.seconds)
    );
    if outcome.ending != Ending::Succeeded {
        for line in why(outcome) {
            put!(text, "{style}{line}{style:#}");
        }
    }
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
    put!(text, "  {} requests, {}{}", users.requests, failed(users.failures), slow(users.slow));
    for SideSaw { side, requests, failures, slow: waited } in &users.sides {
        let name = match side {
            Side::Nowhere => "no answer from AWS".to_string(),
            _ => format!("{side} side"),
        };
        put!(text, "    {name:<20}{requests:>7} requests, {}{}", failed(*failures), slow(*waited));
    }
    put!(text, "  share of the new side from then on: {}", users.routes.join(", "));
    let mut above = String::new();
    for rows in users.timeline.chunks(ROWS_OF_A_LINE) {
        let route = |index: usize| rows.iter().map(|row| row.routes[index]).sum::<Tally>();
        let routes: Vec<Tally> = (0..users.routes.len()).map(route).collect();
        let shares: Vec<String> = routes.iter().map(share).collect();
        let failures: usize = routes.iter().map(|tally| tally.failures).sum();
        let failures = if failures > 0 { failed(failures) } else { String::new() };
        let line = format!("{}  {failures}", shares.join("   "));
        if line != above {
            put!(text, "    {}  {line}", clock(rows[0].at_seconds));
        }
        above = line;
    }
}

/// Nothing of those that were in time.
fn slow(count: usize) -> String {
    if count > 0 { format!(", {BAD}{count} too slow{BAD:#}") } else { String::new() }
}

fn changes(text: &mut String, outcome: &Outcome) {
    heading(text, "Every change made and undone");
    if outcome.changes.is_empty() {
        put!(text, "  none");
    }
    for change in &outcome.changes {
        let kind = if change.undo { format!("{NOTE}undo{NOTE:#}") } else { "do  ".to_string() };
        let status = trouble(change).map(|trouble| format!("{BAD}{trouble}{BAD:#}")).unwrap_or_default();
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
        let is_end = |line: &&str| !matches!(outcome.ending, Ending::Stuck | Ending::Held) && line.trim().is_empty();
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
            put!(
                text,
                "{}",
                findings(cause).map_or_else(|| pretty(cause, outcome), |lines| indented(&lines.join("\n")))
            );
        }
        if let Some(output) = &end.output {
            put!(text, "{}", indented(&format!("{:#}", outcome.in_virtual_time(output))));
        }
    }
}

/// A cause is JSON where a function failed, and a sentence elsewhere.
fn pretty(cause: &str, outcome: &Outcome) -> String {
    let json = serde_json::from_str::<serde_json::Value>(cause).ok();
    indented(&json.map_or_else(|| cause.to_string(), |json| format!("{:#}", outcome.in_virtual_time(&json))))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
