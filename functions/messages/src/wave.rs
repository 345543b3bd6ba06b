//! A wave's messages: their subject, facts, lists, commands, and when the next one comes. Pure.

use cutover::Seconds;
use cutover::gestures;
use cutover::plan::{Format, Group};
use cutover::text::{named, quoted, shown};
use cutover::told::{Told, wave};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::content::{List, Parts, noun, plain, reason};
use crate::lists::list;
use crate::when;

const MOST_NAME_BYTES: usize = 64;
const MOST_WHY_BYTES: usize = 160;

pub(crate) fn parts(told: &Told, group: &Group, name: &str) -> Parts {
    Parts {
        stem: stem(group.format(), "Wave", name),
        state: state(told, group.format()),
        facts: facts(told, group, name),
        lists: lists(told, group.format()),
        commands: commands(told, group),
        next: next(told, group),
        label: "Wave",
    }
}

/// What a timeline is of: a wave, or a cutover of which no programme knows.
pub(crate) fn what(told: &Told) -> &'static str {
    if told.detail["is_single"] == true { "Cutover" } else { "Wave" }
}

/// Of a wave, or what else is told of, and of what is before and after it: one thread.
pub(crate) fn stem(format: Format, what: &str, name: &str) -> String {
    format!("{} {name}", if format == Format::Detailed { noun(format) } else { what })
}

fn state(told: &Told, format: Format) -> String {
    let is_maintenance = format == Format::Detailed;
    let state = match told.event.as_str() {
        wave::ANNOUNCED if is_maintenance => "scheduled",
        wave::ANNOUNCED => "is being checked",
        wave::APPROVAL => "approval wanted",
        wave::BEGUN if is_maintenance => "in progress",
        wave::BEGUN => "has begun",
        wave::STAGE if is_maintenance => "in progress",
        wave::STAGE => "stage done",
        wave::HELD if goes_back(&told.detail) && is_maintenance => "is taken back",
        wave::HELD if goes_back(&told.detail) => "goes back",
        wave::HELD => "on hold",
        wave::RESUMED => "goes on",
        _ => match ending(&told.detail) {
            "rolled back" if is_maintenance => "taken back",
            "needs a person now" if is_maintenance => "takes longer than planned",
            ending => ending,
        },
    };
    state.to_owned()
}

/// Whether somebody, or what was agreed on, has everything put back.
fn goes_back(detail: &Value) -> bool {
    detail["goes_back"] == true
}

fn ending(detail: &Value) -> &'static str {
    match detail["ending"].as_str() {
        Some("moved") => "completed",
        Some("no_go" | "rejected" | "not_started") => "not started",
        Some("rolled_back") => "rolled back",
        Some("stuck") => "needs a person now",
        _ => "completed in part",
    }
}

/// What templates know. Every text in it is fit to be shown as it is.
pub(crate) fn context(told: &Told, group: &Group, name: &str) -> Value {
    let detail = &told.detail;
    let count = |field: &str| detail["counts"][field].as_u64().unwrap_or(0);
    json!({
        "wave": name,
        "format": group.format().name(),
        "group": group.name,
        "event": told.event,
        "at": when::shown(told.at, group),
        "opens": at(&detail["opens"], group),
        "count": detail["count"].as_u64().unwrap_or(0),
        "new": count("new"),
        "done": count("done"),
        "before": count("before"),
        "not_started": count("not_started"),
        "under_way": count("under_way"),
        "person": count("person"),
        "stage": detail["stage"].as_u64(),
        "stages": detail["stages"].as_u64(),
        "held": reason(&detail["held"]),
        "goes_back": goes_back(detail),
        "let_go_by": reason(&detail["let_go_by"]),
        "within": seconds(&detail["within_seconds"]),
        "downtime": seconds(&detail["expected_downtime_seconds"]),
        "ending": ending(detail),
    })
}

/// A time as a group reads it.
pub(crate) fn at(value: &Value, group: &Group) -> Option<String> {
    value.as_str()?.parse::<Timestamp>().ok().map(|at| when::shown(at, group))
}

pub(crate) fn seconds(value: &Value) -> Option<String> {
    value.as_u64().map(|seconds| Seconds(seconds).to_string())
}

/// From when to when, and how long that is.
pub(crate) fn window(detail: &Value, group: &Group) -> Option<String> {
    let time = |field: &str| detail[field].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let closes = time("closes")?;
    let Some(opens) = time("opens") else { return Some(format!("until {}", when::shown(closes, group))) };
    let long = u64::try_from(closes.duration_since(opens).as_secs()).map(Seconds).ok()?;
    Some(format!("{} to {} ({long})", when::shown(opens, group), when::shown(closes, group)))
}

/// What people are told of a wave beforehand. What nobody has said is left out.
pub(crate) fn announced(detail: &Value, group: &Group) -> Vec<(&'static str, Option<String>)> {
    let watch = watch(detail, group);
    vec![
        ("When", window(detail, group)),
        ("Expected downtime", seconds(&detail["expected_downtime_seconds"])),
        ("What stays", plain(&detail["stays"])),
        ("Whom to ask", plain(&detail["contact"])),
        ("Where to watch", watch),
    ]
}

/// Where to read more: the console of AWS is for those who have an account there.
fn watch(detail: &Value, group: &Group) -> Option<String> {
    let is_console = |link: &String| link.contains(".console.aws") || link.contains("://console.aws");
    plain(&detail["watch"]).filter(|link| group.format() != Format::Detailed || !is_console(link))
}

pub(crate) fn given(facts: Vec<(&'static str, Option<String>)>) -> Vec<(String, String)> {
    facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn facts(told: &Told, group: &Group, name: &str) -> Vec<(String, String)> {
    let detail = &told.detail;
    let noun = if group.format() == Format::Detailed { "Maintenance" } else { "Wave" };
    let mut facts = vec![
        (noun, Some(name.to_owned())),
        ("Time", Some(when::shown(told.at, group))),
        ("Applications", detail["count"].as_u64().map(|count| count.to_string())),
    ];
    match told.event.as_str() {
        wave::ENDED => {
            facts.push(("It began", at(&detail["began_at"], group)));
            facts.push(("It took", took(told)));
            facts.push(("Whom to ask", plain(&detail["contact"])));
            facts.push(("Where to read on", watch(detail, group)));
            // Of what has not begun nobody can say how it went.
            facts.push(("How did it go", plain(&detail["survey"]).filter(|_| has_begun(detail))));
        }
        _ => facts.extend(announced(detail, group)),
    }
    given(facts)
}

/// Whether any of its cutovers has.
fn has_begun(detail: &Value) -> bool {
    ending(detail) != "not started"
}

/// From its start to its end, as measured: of a wave, its first cutover's.
pub(crate) fn took(told: &Told) -> Option<String> {
    let began = told.detail["began_at"].as_str()?.parse::<Timestamp>().ok()?;
    u64::try_from(told.at.duration_since(began).as_secs()).ok().map(|seconds| Seconds(seconds).to_string())
}

fn lists(told: &Told, format: Format) -> Vec<List> {
    let heading = match told.event.as_str() {
        wave::ANNOUNCED | wave::APPROVAL if format != Format::Summary => "What changes",
        wave::ENDED => "How each application ended",
        wave::STAGE | wave::HELD | wave::RESUMED if format == Format::Technical => "How each application stands",
        wave::BEGUN if format == Format::Technical => "What moves",
        _ => return Vec::new(),
    };
    let is_plan = matches!(told.event.as_str(), wave::ANNOUNCED | wave::APPROVAL);
    applications(&told.detail, heading, |one| if is_plan { planned(one, format) } else { standing(one, format) })
        .into_iter()
        .collect()
}

/// Of a wave's applications, as many as were told; those that were not are counted.
pub(crate) fn applications(detail: &Value, heading: &str, item: impl Fn(&Value) -> Option<String>) -> Option<List> {
    let told: Vec<String> = detail["applications"].as_array()?.iter().filter_map(item).collect();
    let count = detail["count"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(told.len());
    let more = count.saturating_sub(told.len());
    list("", told).map(|list| List { heading: format!("{heading} ({count})"), more: list.more + more, ..list })
}

/// `shop (Web): rehost, stage 2`.
pub(crate) fn planned(one: &Value, format: Format) -> Option<String> {
    let name = named(one["name"].as_str()?, MOST_NAME_BYTES);
    let owner = one["owner"].as_str().map(|owner| format!(" ({})", shown(owner, 100))).unwrap_or_default();
    let strategy = one["strategy"].as_str().map(|strategy| strategy_in_words(strategy, format));
    let stage = one["stage"].as_u64().filter(|_| format == Format::Technical).map(|stage| format!("stage {stage}"));
    let takes = seconds(&one["takes_seconds"]).map(|takes| format!("about {takes}"));
    let more: Vec<String> = [strategy, stage, takes].into_iter().flatten().collect();
    let more = if more.is_empty() { String::new() } else { format!(": {}", more.join(", ")) };
    Some(format!("{name}{owner}{more}"))
}

/// What becomes of an application, in the words of those who read it (`wave-plan`'s strategies).
fn strategy_in_words(strategy: &str, format: Format) -> String {
    match (format, strategy) {
        (Format::Technical, other) => shown(other, 40),
        (_, "retire") => "is switched off".to_owned(),
        (_, "retain") => "stays where it is".to_owned(),
        (_, "repurchase") => "a product takes its place".to_owned(),
        (_, "rehost" | "relocate" | "replatform" | "refactor") => "moves to a new environment".to_owned(),
        (_, other) => shown(other, 40),
    }
}

/// `shop was put back (in 4m): "p95 of the new side is 1.2"`.
fn standing(one: &Value, format: Format) -> Option<String> {
    let name = named(one["name"].as_str()?, MOST_NAME_BYTES);
    let is = match (one["is"].as_str()?, format) {
        ("moved", Format::Detailed) => "runs in its new environment",
        ("moved", _) => "is on its new side",
        ("done", _) => "is done",
        ("back", Format::Detailed) => "runs where it ran before",
        ("back", _) => "was put back",
        ("rolling_back", _) => "is put back",
        ("refused", _) => "was refused: nothing was touched",
        ("left_behind" | "not_started", _) => "was not started",
        ("stuck", Format::Detailed) => "takes longer than planned: people work on it",
        ("stuck", _) => "needs a person",
        ("running", _) => "moves",
        _ => "waits",
    };
    let took = seconds(&one["took_seconds"]).map(|took| format!("it took {took}"));
    let recovery = seconds(&one["recovery_seconds"]).map(|took| format!("back within {took}"));
    let measured: Vec<String> = [took, recovery].into_iter().flatten().collect();
    let measured = if measured.is_empty() { String::new() } else { format!(" ({})", measured.join(", ")) };
    let why = one["why"].as_str().filter(|_| format == Format::Technical);
    let why = why.map(|why| format!(": {}", quoted(why, MOST_WHY_BYTES))).unwrap_or_default();
    Some(format!("{name} {is}{measured}{why}"))
}

/// For engineers.
fn commands(told: &Told, group: &Group) -> Vec<(String, String)> {
    let machine = told.detail["machine_arn"].as_str().unwrap_or_default();
    if group.format() != Format::Technical {
        return Vec::new();
    }
    let say = |what: &str| gestures::of_wave(machine, &told.application, what);
    let left = told.detail["counts"]["not_started"].as_u64().is_some_and(|count| count > 0);
    let said: &[(&str, &str)] = match told.event.as_str() {
        wave::ENDED if !has_begun(&told.detail) => &[],
        wave::ENDED if !left => &[("To put everything back", "roll_back")],
        wave::ENDED => &[("To put everything back", "roll_back"), ("To go on with what was not started", "resume")],
        wave::HELD if goes_back(&told.detail) => &[],
        wave::HELD => &[("To go on", "resume"), ("To put everything back", "roll_back")],
        _ => &[("To start nothing new for now", "pause"), ("To put everything back", "roll_back")],
    };
    said.iter().map(|(what, gesture)| ((*what).to_owned(), say(gesture))).collect()
}

fn next(told: &Told, group: &Group) -> String {
    use cutover::plan::Moment::WaveProgress;
    let detail = &told.detail;
    match told.event.as_str() {
        wave::ENDED if has_begun(detail) && group.format() != Format::Detailed => {
            "This is the last message of this wave, unless a person has it go on.".to_owned()
        }
        wave::ENDED if group.format() == Format::Detailed => "This is the last message of this maintenance.".to_owned(),
        wave::ENDED => "This is the last message of this wave.".to_owned(),
        wave::ANNOUNCED => "The next message comes when it begins, or does not.".to_owned(),
        wave::APPROVAL => "The next message comes when this was answered.".to_owned(),
        wave::HELD if goes_back(detail) => "The next message comes when it ends.".to_owned(),
        wave::HELD => "The next message comes when it goes on, or ends.".to_owned(),
        _ if group.hears(WaveProgress) && group.format() != Format::Detailed => {
            "The next message comes when a stage is done, or it ends.".to_owned()
        }
        // A timeline tells how it stands, where the wave has one.
        _ => "The next message comes when there is something new, or it ends.".to_owned(),
    }
}
