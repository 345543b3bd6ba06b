//! An incident's messages: their subject, facts, lists, commands, and when the next one comes. Pure.

use cutover::dashboards;
use cutover::gestures::{self, Machines};
use cutover::plan::{Format, Group};
use cutover::text::{named, quoted, shown};
use cutover::told::Told;
use jiff::Timestamp;
use serde_json::Value;

use crate::content::List;
use crate::lists::{list, of_left};
use crate::when;

/// What the address of its page is shown as.
pub(crate) const PAGE: &str = "See how it stands, and say that you look after it";
const MOST_TITLE_BYTES: usize = 120;
const MOST_TEXT_BYTES: usize = 600;
const MOST_WHY_BYTES: usize = 160;
const MOST_NAME_BYTES: usize = 64;
const MOST_ARN_BYTES: usize = 250;
/// Who speaks where nobody does (`incidents`).
const ITSELF: &str = "Cutover";

/// What its messages have in common, for subjects.
pub(crate) fn stem(told: &Told, format: Format) -> String {
    format!("Incident {}: {}", named(&told.run_id, MOST_NAME_BYTES), title(told, format))
}

/// What it is called: of runs in the words of those who read it, otherwise as whoever opened it said.
pub(crate) fn title(told: &Told, format: Format) -> String {
    let detail = &told.detail;
    match (format, detail["wave"]["id"].as_str()) {
        (Format::Detailed, Some(wave)) => {
            format!("The maintenance {} is taken back in part", named(wave, MOST_NAME_BYTES))
        }
        (Format::Detailed, None) if is_of_runs(detail) => {
            format!("The maintenance of {} is taken back", named(&told.application, MOST_NAME_BYTES))
        }
        _ => shown(detail["title"].as_str().unwrap_or("without a title"), MOST_TITLE_BYTES),
    }
}

/// Whether its words are ours: it was opened by what went back, and by no person.
fn is_of_runs(detail: &Value) -> bool {
    !detail["of_run"].is_null() || !detail["wave"].is_null()
}

/// Whether a reader is told what engineers write for each other: causes, next steps, what the machines say.
pub(crate) fn tells_all(told: &Told, format: Format) -> bool {
    format == Format::Technical || !is_of_runs(&told.detail)
}

/// Whether somebody wrote an update for people: what the machines say is for engineers.
pub(crate) fn is_for(update: &Value, format: Format) -> bool {
    format == Format::Technical || update["by"] != ITSELF
}

/// Whether a group that is called now was called before.
pub(crate) fn is_called_before(told: &Told, group: &Group) -> bool {
    let before = told.detail["called_before"].as_u64();
    group.level().zip(before).is_some_and(|(level, before)| u64::from(level) <= before)
}

/// What it does to those who work with what it is of.
fn impact(told: &Told, format: Format) -> Option<String> {
    let detail = &told.detail;
    let said = detail["impact"].as_str().filter(|text| !text.trim().is_empty());
    if format != Format::Detailed || !is_of_runs(detail) {
        return said.map(|text| shown(text, MOST_TEXT_BYTES));
    }
    let is_none = said.is_some_and(|said| said.starts_with("None any more"));
    let words = match (detail["status"] == "resolved", detail["severity"] == "critical") {
        (true, _) if is_none => "None any more.",
        (true, _) => "Some of it may not work as you know it.",
        (false, true) => "Some of it may not work as it should, and people work on it.",
        (false, false) if is_none => "None any more.",
        (false, false) => "It returns to where it ran before. Until then you may see errors.",
    };
    Some(words.to_owned())
}

/// One word or two.
pub(crate) fn state(told: &Told) -> String {
    let detail = &told.detail;
    let status = known(detail["status"].as_str(), &["investigating", "identified", "monitoring", "resolved"]);
    match detail["kind"].as_str() {
        Some("end") => "resolved".to_owned(),
        Some("escalation" | "repeat" | "acknowledgement_over") => "nobody looks after it".to_owned(),
        _ => format!("{}, {status}", severity(detail)),
    }
}

fn severity(detail: &Value) -> &'static str {
    known(detail["severity"].as_str(), &["low", "medium", "high", "critical"])
}

/// A word of ours: nothing else gets into a subject.
fn known(word: Option<&str>, words: &[&'static str]) -> &'static str {
    words.iter().find(|known| Some(**known) == word).copied().unwrap_or("not known")
}

/// Names and values. What nobody has said is left out.
pub(crate) fn facts(told: &Told, group: &Group) -> Vec<(String, String)> {
    let detail = &told.detail;
    let text = |field: &str| {
        let text = detail[field].as_str().filter(|text| !text.trim().is_empty());
        text.map(|text| shown(text, MOST_TEXT_BYTES))
    };
    let at = |value: &Value| value.as_str()?.parse::<Timestamp>().ok().map(|at| when::shown(at, group));
    let acknowledged = &detail["acknowledged"];
    let by = acknowledged["by"].as_str().map(|by| quoted(by, MOST_NAME_BYTES)).zip(at(&acknowledged["at"]));
    let application = Some(&told.application).filter(|name| !name.is_empty()).map(|name| named(name, MOST_NAME_BYTES));
    let acknowledged = by.map_or_else(|| "nobody".to_owned(), |(by, at)| format!("{by}, since {at}"));
    let is_open = detail["status"] != "resolved";
    let run = detail["of_run"].as_str().filter(|_| group.format() == Format::Technical);
    let facts = [
        ("Wave", detail["wave"]["id"].as_str().map(|id| named(id, MOST_NAME_BYTES))),
        ("Application", application),
        ("Severity", Some(severity(detail).to_owned())),
        ("Open since", at(&detail["opened_at"])),
        ("Looked after by", is_open.then_some(acknowledged)),
        ("Impact", impact(told, group.format())),
        ("Next steps", text("next_steps").filter(|_| tells_all(told, group.format()))),
        ("May be over", text("estimated_resolution").filter(|_| is_open)),
        ("Dashboard", run.and_then(dashboards::in_console)),
        ("Run", run.map(|run| shown(run, MOST_ARN_BYTES))),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// What was said and done.
pub(crate) fn lists(told: &Told, group: &Group) -> Vec<List> {
    let detail = &told.detail;
    let items = |field: &str| detail[field].as_array().cloned().unwrap_or_default();
    let update = |update: &Value| {
        let at = update["at"].as_str()?.parse::<Timestamp>().ok()?;
        let by = quoted(update["by"].as_str()?, MOST_NAME_BYTES);
        Some(format!("{}, {by}: {}", when::shown(at, group), shown(update["text"].as_str()?, MOST_TEXT_BYTES)))
    };
    let format = group.format();
    let updates: Vec<String> =
        items("updates").iter().rev().filter(|update| is_for(update, format)).filter_map(update).collect();
    let actions: Vec<String> =
        items("actions_taken").iter().filter_map(|text| Some(shown(text.as_str()?, MOST_TEXT_BYTES))).collect();
    let earlier = detail["earlier_updates"].as_u64().and_then(|count| usize::try_from(count).ok());
    // Which of those were the machines' is not known.
    let earlier = earlier.filter(|_| tells_all(told, format)).unwrap_or(0);
    let heading = format!("Updates, the newest first ({})", updates.len() + earlier);
    let said = list("", updates).map(|list| List { heading, more: list.more + earlier, ..list });
    said.into_iter().chain(cutovers(&detail["wave"], format)).chain(list("Actions taken", actions)).collect()
}

/// Those of a wave, the ones that need a person first.
fn cutovers(wave: &Value, format: Format) -> Option<List> {
    let cutover = |one: &Value| {
        let name = named(one["application"].as_str()?, MOST_NAME_BYTES);
        let why = one["why"].as_str().filter(|_| format == Format::Technical);
        let why = why.map(|why| format!(": {}", quoted(why, MOST_WHY_BYTES))).unwrap_or_default();
        Some(match one["standing"].as_str()? {
            "left" if format == Format::Detailed => format!("{name} takes longer than planned: people work on it"),
            "left" => format!("{name} needs a person{why}"),
            "over" => format!("{name} is back"),
            _ => format!("{name} goes back{why}"),
        })
    };
    let told: Vec<String> = wave["cutovers"].as_array()?.iter().filter_map(cutover).collect();
    let count = wave["count"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(told.len());
    let more = count.saturating_sub(told.len());
    list("", told).map(|list| List {
        heading: format!("{} ({count})", if format == Format::Detailed { "Applications" } else { "Cutovers" }),
        more: list.more + more,
        ..list
    })
}

/// For those who respond.
pub(crate) fn commands(told: &Told, group: &Group) -> Vec<(String, String)> {
    let machine = told.detail["machine_arn"].as_str().unwrap_or_default();
    if group.level().is_none() || group.format() != Format::Technical || told.detail["status"] == "resolved" {
        return Vec::new();
    }
    let command = |what: &str, input: Value| gestures::of_incident(machine, &told.run_id, what, &input);
    let me = serde_json::json!({ "by": "YOUR NAME" });
    let with_text = serde_json::json!({ "by": "YOUR NAME", "text": "WHAT IS SO NOW" });
    [
        ("To say that you look after it", command("acknowledge", me)),
        ("To say how it stands", command("update", with_text.clone())),
        ("To end it", command("resolve", with_text)),
    ]
    .map(|(what, run)| (what.to_owned(), run))
    .into_iter()
    .chain(of_its_run(told))
    .collect()
}

/// Of a run that needs a person: what puts it right.
fn of_its_run(told: &Told) -> Vec<(String, String)> {
    let detail = &told.detail;
    let needs_one = detail["severity"] == "critical" && !told.application.is_empty();
    let machines = detail["of_run"].as_str().filter(|_| needs_one).and_then(|run| Machines::beside(run, "cutover"));
    let event = detail["left"].as_str().unwrap_or_default();
    machines.map(|machines| of_left(&machines, &told.application, event).into()).unwrap_or_default()
}

/// When the next message comes.
pub(crate) fn next(told: &Told, group: &Group) -> String {
    let detail = &told.detail;
    if detail["status"] == "resolved" {
        return "This is the last message of this incident.".to_owned();
    }
    let field = if group.level().is_some() { "next_for_responders" } else { "next_for_informed" };
    let at = detail[field].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    at.map_or_else(
        || "The next message comes when something changes.".to_owned(),
        |at| format!("The next message comes when something changes, or at {}.", when::shown(at, group)),
    )
}
