//! What comes before and after a wave: its subject, facts, checklists, and when the next message comes. Pure.

use cutover::gestures;
use cutover::plan::{Format, Group};
use cutover::text::{named, quoted, shown};
use cutover::told::{Told, timeline};
use serde_json::{Value, json};

use crate::content::{List, Parts, plain};
use crate::lists::list;
use crate::wave::{announced, applications, at, given, planned, seconds, stem, what};
use crate::when;

/// What the link to the page of its checklists is shown as.
pub(crate) const PAGE: &str = "See the checklists, and say what is done";
const MOST_NAME_BYTES: usize = 64;
const MOST_TEXT_BYTES: usize = 200;
const MOST_WHY_BYTES: usize = 160;
/// More commands than this make a message that nobody reads.
const MOST_COMMANDS: usize = 4;

pub(crate) fn parts(told: &Told, group: &Group, name: &str) -> Parts {
    Parts {
        stem: stem(group.format(), what(told), name),
        state: state(told).to_owned(),
        facts: facts(told, group, name),
        lists: lists(told, group),
        commands: commands(told, group),
        next: next(told, group),
        label: what(told),
    }
}

fn state(told: &Told) -> &'static str {
    let detail = &told.detail;
    match told.event.as_str() {
        timeline::CHECK if is_red(detail) => "checks are red",
        timeline::CHECK => "checks are green",
        timeline::REMINDER => "late",
        timeline::DURING => "in progress",
        timeline::MOVED if detail["opens"].is_null() => "put off",
        timeline::MOVED => "new date",
        _ => match detail["milestone"].as_str() {
            // Sent later than it was due: what was so many days away is nearer now.
            Some("thirty_days" | "seven_days") if detail["is_late"] == true => "announced",
            Some("day_before") if detail["is_late"] == true && is_red(detail) => "soon, and not ready",
            Some("day_before") if detail["is_late"] == true => "soon",
            Some("thirty_days") => "in 30 days",
            Some("seven_days") => "in 7 days",
            Some("day_before") if is_red(detail) => "tomorrow, and not ready",
            Some("day_before") => "tomorrow",
            Some("start") => "has not begun",
            _ => "a day after",
        },
    }
}

fn is_red(detail: &Value) -> bool {
    detail["red"].as_array().is_some_and(|red| !red.is_empty())
}

/// What templates know. Every text in it is fit to be shown as it is.
pub(crate) fn context(told: &Told, group: &Group, name: &str) -> Value {
    let detail = &told.detail;
    let number = |field: &str| detail[field].as_u64().unwrap_or(0);
    let counted = |field: &str| detail["counts"][field].as_u64().unwrap_or(0);
    let lower = what(told).to_lowercase();
    json!({
        "wave": name,
        "noun": if group.format() == Format::Detailed { "maintenance" } else { lower.as_str() },
        "what": what(told),
        "lower": lower,
        "format": group.format().name(),
        "group": group.name,
        "event": told.event,
        "milestone": known(detail["milestone"].as_str()),
        "at": when::shown(told.at, group),
        "opens": at(&detail["opens"], group),
        "was": at(&detail["was"], group),
        "due": at(&detail["due_at"], group).filter(|_| detail["is_late"] == true),
        "passed_over": detail["passed_over"].as_array().map(|all| words(all)).filter(|words| !words.is_empty()),
        "count": number("count"),
        "checked": number("checked"),
        "unknown": number("unknown"),
        "red": detail["red"].as_array().map_or(0, Vec::len),
        "turned_red": names(&detail["turned_red"]),
        "turned_green": names(&detail["turned_green"]),
        "open_items": open(detail).count(),
        "has_run": detail["has_run"] == true,
        "is_over": detail["is_over"] == true,
        "new": counted("new"),
        "done": counted("done"),
        "before": counted("before"),
        "not_started": counted("not_started"),
        "under_way": counted("under_way"),
        "person": counted("person"),
        "downtime": seconds(&detail["expected_downtime_seconds"]),
        "contact": plain(&detail["contact"]),
    })
}

/// A word of ours: nothing else gets into a template's choice.
fn known(milestone: Option<&str>) -> &'static str {
    let all = ["thirty_days", "seven_days", "day_before", "start"];
    all.into_iter().find(|known| Some(*known) == milestone).unwrap_or("day_after")
}

/// `30 days and 7 days before`.
fn words(milestones: &[Value]) -> String {
    let word = |milestone: &Value| match known(milestone.as_str()) {
        "thirty_days" => "30 days",
        "seven_days" => "7 days",
        _ => "24 hours",
    };
    let all: Vec<&str> = milestones.iter().map(word).collect();
    if all.is_empty() { String::new() } else { format!("{} before", all.join(" and ")) }
}

/// As many as fit into a sentence.
fn names(value: &Value) -> Option<String> {
    let all: Vec<&str> = value.as_array()?.iter().filter_map(Value::as_str).collect();
    let more = all.len().saturating_sub(5);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let shown: Vec<String> = all.iter().take(5).map(|name| named(name, MOST_NAME_BYTES)).collect();
    (!all.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}

fn facts(told: &Told, group: &Group, name: &str) -> Vec<(String, String)> {
    let detail = &told.detail;
    let noun = if group.format() == Format::Detailed { "Maintenance" } else { what(told) };
    let mut facts = vec![(noun, Some(name.to_owned()))];
    if detail["milestone"] == "day_after" {
        facts.push(("It began", at(&detail["began_at"], group)));
        facts.push(("It took", seconds(&detail["took_seconds"])));
        facts.push(("Whom to ask", plain(&detail["contact"])));
        facts.push(("How did it go", plain(&detail["survey"]).filter(|_| detail["has_run"] == true)));
        return given(facts).into_iter().chain(reported(detail)).collect();
    }
    facts.push(("Applications", detail["count"].as_u64().filter(|count| *count > 0).map(|count| count.to_string())));
    facts.extend(announced(detail, group));
    given(facts)
}

/// What only people know, marked so.
pub(crate) fn reported(detail: &Value) -> Vec<(String, String)> {
    let figure = |figure: &Value| {
        let name = named(figure["figure"].as_str()?, MOST_NAME_BYTES);
        let by = quoted(figure["by"].as_str()?, MOST_NAME_BYTES);
        Some((name, format!("{} (reported by {by})", shown(figure["value"].as_str()?, MOST_TEXT_BYTES))))
    };
    detail["figures"].as_array().into_iter().flatten().filter_map(figure).collect()
}

fn lists(told: &Told, group: &Group) -> Vec<List> {
    let (detail, format) = (&told.detail, group.format());
    let is_technical = format == Format::Technical;
    let mut lists = Vec::new();
    let is_before = matches!(detail["milestone"].as_str(), Some("thirty_days" | "seven_days" | "day_before"));
    if is_before && told.event == timeline::MILESTONE && format != Format::Summary {
        lists.extend(applications(detail, "What changes", |one| planned(one, format)));
    }
    if format != Format::Detailed {
        lists.extend(list("Red", red(detail, is_technical)));
    }
    if is_technical {
        let items: Vec<String> =
            detail["checklist"].as_array().into_iter().flatten().filter_map(|one| item(one, group)).collect();
        let done = items.iter().filter(|item| item.starts_with("[x]")).count();
        let heading = format!("Checklist ({done} of {} done)", items.len());
        lists.extend(list("", items).map(|list| List { heading, ..list }));
    }
    lists
}

fn red(detail: &Value, with_why: bool) -> Vec<String> {
    let one = |one: &Value| {
        let name = named(one["name"].as_str()?, MOST_NAME_BYTES);
        let why = one["why"].as_str().filter(|_| with_why).map(|why| format!(": {}", quoted(why, MOST_WHY_BYTES)));
        Some(format!("{name}{}", why.unwrap_or_default()))
    };
    detail["red"].as_array().into_iter().flatten().filter_map(one).collect()
}

/// `[ ] help-desk: the help desk knows the dates (Help desk, by 3 March 2026, 20:00 CET)`.
fn item(one: &Value, group: &Group) -> Option<String> {
    let name = named(one["item"].as_str()?, MOST_NAME_BYTES);
    let what = shown(one["what"].as_str()?, MOST_TEXT_BYTES);
    let owner = shown(one["owner"].as_str().unwrap_or("nobody is named"), MOST_NAME_BYTES);
    Some(match one["done_by"].as_str() {
        Some(by) => {
            let when = at(&one["done_at"], group).map(|when| format!(", {when}")).unwrap_or_default();
            format!("[x] {name}: {what} (said by {}{when})", quoted(by, MOST_NAME_BYTES))
        }
        None => {
            let by = at(&one["due_at"], group).map(|due| format!(", by {due}")).unwrap_or_default();
            format!("[ ] {name}: {what} ({owner}{by})")
        }
    })
}

fn open(detail: &Value) -> impl Iterator<Item = &str> {
    let items = detail["checklist"].as_array().into_iter().flatten();
    items.filter(|item| item["done_by"].is_null()).filter_map(|item| item["item"].as_str())
}

/// For engineers: what says that something is done.
fn commands(told: &Told, group: &Group) -> Vec<(String, String)> {
    let machine = told.detail["machine_arn"].as_str().unwrap_or_default();
    if group.format() != Format::Technical {
        return Vec::new();
    }
    let command = |item: &str| {
        let what = format!("To say that {} is done", named(item, MOST_NAME_BYTES));
        (what, gestures::tick(machine, &told.application, item))
    };
    open(&told.detail).take(MOST_COMMANDS).map(command).collect()
}

pub(crate) fn next(told: &Told, group: &Group) -> String {
    let by = at(&told.detail["next_at"], group);
    match (told.event.as_str(), by) {
        (timeline::MOVED, None) => "The next message comes when it has a date again.".to_owned(),
        (_, Some(by)) => format!("The next message comes when something changes, or at {by}."),
        (timeline::DURING, None) => "The next message comes when it ends.".to_owned(),
        (_, None) => format!("This is the last message of this {}.", what(told).to_lowercase()),
    }
}
