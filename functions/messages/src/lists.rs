//! What there is more than one of in a run's message, and what engineers can do about it: lists and commands. Pure.

use cutover::gestures::{self, FILL_IN, Machines};
use cutover::plan::{Format, Group, Moment};
use cutover::text::{named, quoted, shown};
use cutover::told::{Told, by_hand};
use serde_json::Value;

use crate::content::{List, MOST_NAME_BYTES, MOST_TITLE_BYTES};

/// Of a list so many items are shown, and the rest is counted.
const MOST_ITEMS: usize = 10;
const MOST_ITEM_BYTES: usize = 200;

/// For engineers; for others the count of what matters is in the words.
pub(crate) fn of_run(told: &Told, format: Format) -> Vec<List> {
    if format != Format::Technical {
        return Vec::new();
    }
    let detail = &told.detail;
    let items = |value: &Value, item: &dyn Fn(&Value) -> Option<String>| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(item).collect()
    };
    let text = |value: &Value| value.as_str().map(|text| quoted(text, MOST_ITEM_BYTES));
    let finding = |finding: &Value| {
        let path = named(finding["path"].as_str().unwrap_or("$"), MOST_NAME_BYTES);
        Some(format!("{}: {path}: {}", severity_of(finding), text(&finding["problem"])?))
    };
    let left = |thing: &Value| {
        let title = shown(thing["title"].as_str().unwrap_or("something without a name"), MOST_TITLE_BYTES);
        let error = text(&thing["error"]).map(|error| format!(": {error}")).unwrap_or_default();
        (thing["restored"] != true).then(|| format!("{title}{error}"))
    };
    let of =
        |removal: &Value, what: &str| Some(items(&removal[what], &text).join("; ")).filter(|text| !text.is_empty());
    let lists = [
        ("Precheck found", items(&detail["findings"], &finding)),
        (if told.event == "changed" { "Changed" } else { "Left" }, items(&detail["routes"], &left)),
        ("The old side, before", items(&detail["baseline"], &text)),
        ("Removed", items(&detail["removals"], &|removal| of(removal, "removed"))),
        ("Kept, and why", items(&detail["removals"], &|removal| of(removal, "kept"))),
        ("Not done, or not as it should be", items(&detail["not_done"], &text)),
    ];
    lists.into_iter().filter_map(|(heading, items)| list(heading, items)).collect()
}

fn severity_of(finding: &Value) -> &'static str {
    if finding["severity"] == "error" { "error" } else { "warning" }
}

/// Whether cleanup has removed, or kept, anything.
pub(crate) fn is_told_of(detail: &Value, what: &str) -> bool {
    let removals = detail["removals"].as_array().into_iter().flatten();
    removals.filter_map(|removal| removal[what].as_array()).any(|texts| !texts.is_empty())
}

/// A list with its count, cut.
pub(crate) fn list(heading: &str, mut items: Vec<String>) -> Option<List> {
    let count = items.len();
    items.truncate(MOST_ITEMS);
    let more = count - items.len();
    (count > 0).then(|| List { heading: format!("{heading} ({count})"), items, more })
}

/// For engineers.
pub(crate) fn commands(told: &Told, moment: Moment, group: &Group) -> Vec<(String, String)> {
    match moment {
        Moment::Started | Moment::StepReached | Moment::Verifying if group.format() == Format::Technical => {
            vec![("To stop it, which rolls it back".to_owned(), gestures::stop(&told.run_id))]
        }
        Moment::CleanupDone if group.format() == Format::Technical => {
            let removals = told.detail["removals"].as_array().into_iter().flatten();
            let heading = "To delete what was kept, once nobody needs it";
            removals
                .filter_map(by_hand)
                .take(MOST_ITEMS)
                .map(|command| (heading.to_owned(), command.to_owned()))
                .collect()
        }
        _ if group.format() == Format::Technical => of_machines(told, moment),
        _ => Vec::new(),
    }
}

/// What a person can start: to go back, to go back all the same, and to leave everything as it is.
fn of_machines(told: &Told, moment: Moment) -> Vec<(String, String)> {
    let Some(machines) = Machines::beside(&told.run_id, "cutover") else { return Vec::new() };
    let name = &told.application;
    let back = machines.roll_back(name);
    let commands: Vec<(String, String)> = match moment {
        Moment::Stuck => of_left(&machines, name, &told.event).into(),
        Moment::Succeeded | Moment::Trouble => vec![("Until cleanup, to roll it back".to_owned(), back)],
        Moment::Holding | Moment::TooLittleData => {
            vec![("To stop it, which rolls it back".to_owned(), gestures::stop(&told.run_id))]
        }
        _ => Vec::new(),
    };
    commands
}

/// For a run of which something is left to put back.
pub(crate) fn of_left(machines: &Machines, application: &str, event: &str) -> [(String, String); 2] {
    let leave = format!("To leave everything as it is now, and end the run ({FILL_IN})");
    let back = match event {
        "held" => (format!("To roll it back all the same ({FILL_IN})"), machines.force(application)),
        "unfinished" => ("Once the reason is gone, to start it again".to_owned(), machines.roll_back(application)),
        _ => (
            "Once what is left was put right by hand, to have rollback see that and end the run".to_owned(),
            machines.roll_back(application),
        ),
    };
    [back, (leave, machines.release(application))]
}
