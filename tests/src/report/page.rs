//! The page of a rehearsal: what happened, for whoever has to answer for it, and the plots behind it.
//!
//! Contract: pure.

use anyhow::Result;
use maud::{Markup, html};

use super::html::{Origin, document};
use super::plot::{Plot, Series};
use super::{answers, words};
use crate::gates::Gate;
use crate::outcome::{Ending, Outcome, Row, UsersSaw};
use crate::traffic::Tally;

/// The page, in one file.
///
/// # Errors
/// What cannot be drawn.
pub fn page(outcome: &Outcome, origin: &Origin) -> Result<String> {
    let application = outcome.plan["application"].as_str().unwrap_or("a plan without an application");
    let title = format!("Rehearsal of {application}");
    let plots = plots(outcome).iter().map(Plot::figure).collect::<Result<Vec<_>>>()?;
    let watched = outcome.gates.iter().filter_map(|gate| watched(gate, outcome.seconds));
    let watched = watched.map(|plot| plot.figure()).collect::<Result<Vec<_>>>()?;
    let body = html! {
        (banner(outcome))
        (facts(outcome))
        @let warnings = answers::warnings(outcome);
        @if !warnings.is_empty() {
            h2 { "Precheck warned" }
            ul { @for line in &warnings { li { (line) } } }
        }
        @let not_done = outcome.not_done();
        @if !not_done.is_empty() {
            h2 { "Not done, or not seen to be in effect" }
            ul { @for line in &not_done { li { (line) } } }
        }
        @if !outcome.findings.is_empty() {
            h2 { "Gates that guarded nothing" }
            ul { @for found in &outcome.findings { li { span.bad { (found.path) } " " (found.problem) ": " (found.fix) } } }
        }
        h2 { "What users got" }
        div.plots { @for plot in &plots { (plot) } }
        @if !outcome.gates.is_empty() {
            h2 { "Gates" }
            div.plots { @for plot in &watched { (plot) } }
            (gates(outcome))
        }
        h2 { "What moved" }
        (moved(outcome))
        @if !outcome.cleanup.is_empty() {
            h2 { "Cleanup" }
            ul { @for line in &outcome.cleanup { li { (line) } } }
        }
        h2 { "Every change made and undone" }
        (changes(outcome))
        h2 { "Messages sent" }
        (messages(outcome))
        h2 { "The plan" }
        details { summary { "As it was run" } pre { (format!("{:#}", outcome.plan)) } }
    };
    Ok(document(&title, origin, &body))
}

fn banner(outcome: &Outcome) -> Markup {
    let class = match outcome.ending {
        Ending::Succeeded => "banner good",
        Ending::RolledBack => "banner note",
        _ => "banner bad",
    };
    html! {
        div class=(class) {
            strong { (outcome.ending.name()) } ": " (answers::meaning(outcome))
            @for line in answers::why(outcome) { br; (line) }
        }
    }
}

fn facts(outcome: &Outcome) -> Markup {
    let fact = |name: &str, value: String| html! { div { dt { (name) } dd { (value) } } };
    html! {
        dl.facts {
            @for (name, value) in answers::answers(outcome) { (fact(name, value)) }
        }
    }
}

fn plots(outcome: &Outcome) -> Vec<Plot> {
    let users = &outcome.users;
    let watched_until = users.timeline.last().map_or(0.0, |row| row.at_seconds);
    let failed = |tally: &Tally| (tally.requests > 0).then(|| 100.0 * tally.failures as f64 / tally.requests as f64);
    let plot = |title: &str, series| Plot {
        title: title.to_owned(),
        series,
        limit: None,
        at_least: 100.0,
        until_seconds: outcome.seconds.max(watched_until),
    };
    let waited = |row: &Row, route: usize| row.p95_seconds.get(route).copied().flatten();
    let of_route =
        |value: &dyn Fn(&Tally) -> Option<f64>, row: &Row, route: usize| row.routes.get(route).and_then(value);
    vec![
        plot(
            "Share of users on the new side, %",
            over_time(users, |row, route| of_route(&Tally::new_percent, row, route)),
        ),
        Plot {
            at_least: 1.0,
            ..plot("Requests that failed, %", over_time(users, |row, route| of_route(&failed, row, route)))
        },
        Plot {
            at_least: 0.1,
            limit: users.slow_above_seconds,
            ..plot("How long users waited (p95), s", over_time(users, waited))
        },
    ]
}

/// A line for each route.
fn over_time(users: &UsersSaw, value: impl Fn(&Row, usize) -> Option<f64>) -> Vec<Series> {
    let line = |(index, name): (usize, &String)| Series {
        name: name.clone(),
        points: users.timeline.iter().map(|row| (row.at_seconds, value(row, index))).collect(),
    };
    users.routes.iter().enumerate().map(line).collect()
}

/// A gate's values over time, beside its limit; none of a gate that has no numbers.
fn watched(gate: &Gate, until_seconds: f64) -> Option<Plot> {
    let points: Vec<_> = gate.looks.iter().map(|look| (look.at_seconds, look.value)).collect();
    points.iter().any(|(_, value)| value.is_some()).then(|| Plot {
        title: gate.name.clone(),
        series: vec![Series { name: "seen".to_owned(), points }],
        limit: gate.threshold,
        at_least: 0.0,
        until_seconds,
    })
}

/// What each gate saw, against its limit.
fn gates(outcome: &Outcome) -> Markup {
    html! {
        div.scroll { table {
            tr { th { "gate" } th { "worst seen" } th { "looks" } }
            @for gate in &outcome.gates {
                tr {
                    td { (gate.name) }
                    td class=(if answers::turned_back(gate) { "bad" } else { "" }) { (answers::worst(gate)) }
                    td { (answers::looks(gate)) }
                }
            }
        } }
    }
}

fn moved(outcome: &Outcome) -> Markup {
    html! {
        div.scroll { table {
            tr { th { "route" } th { "before" } th { "after" } }
            @for (before, after) in outcome.before.iter().zip(&outcome.after) {
                tr {
                    td { (before.route) }
                    td { (words::weights(&before.destinations)) }
                    td { @if before.destinations == after.destinations { "unchanged" } @else { (words::weights(&after.destinations)) } }
                }
            }
        } }
        details {
            summary { "Every state on the way (" (outcome.moves.len()) ")" }
            div.scroll { table {
                @for state in &outcome.moves {
                    tr { td { (words::clock(state.at_seconds)) } td { (state.route) } td { (words::weights(&state.destinations)) } }
                }
            } }
        }
    }
}

fn changes(outcome: &Outcome) -> Markup {
    html! {
        @if outcome.changes.is_empty() { p { "none" } } @else {
            div.scroll { table {
                tr { th { "at" } th {} th { "state" } th { "call" } th {} }
                @for change in &outcome.changes {
                    tr {
                        td { (words::clock(change.at_seconds)) }
                        td { @if change.undo { span.note { "undo" } } @else { "do" } }
                        td { (change.state.as_deref().unwrap_or(&change.caller)) }
                        td { (change.service) " " (change.operation) }
                        td { @if let Some(trouble) = answers::trouble(change) { span.bad { (trouble) } } }
                    }
                }
            } }
        }
    }
}

fn messages(outcome: &Outcome) -> Markup {
    html! {
        @if outcome.messages.is_empty() { p { "none" } }
        @for message in &outcome.messages {
            details {
                summary { (message.subject.as_deref().unwrap_or("(no subject)")) }
                pre { (message.message) }
            }
        }
    }
}
