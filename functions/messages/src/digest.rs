//! Digests of a programme: what was done since the last one, and what comes until the next. Pure.

use cutover::plan::{Format, Group};
use cutover::text::named;
use cutover::told::Told;
use serde_json::{Value, json};

use crate::content::{List, Parts};
use crate::lists::list;
use crate::timeline::{self, reported};
use crate::wave::{at, given};
use crate::when;

const MOST_NAME_BYTES: usize = 64;

pub(crate) fn parts(told: &Told, group: &Group, name: &str) -> Parts {
    Parts {
        stem: format!("Programme {name}"),
        state: period(&told.detail).to_owned(),
        facts: facts(told, group, name),
        lists: lists(told, group),
        commands: Vec::new(),
        next: timeline::next(told, group).replace("when something changes, or at", "at"),
        label: "Programme",
    }
}

fn period(detail: &Value) -> &'static str {
    if detail["period"] == "weekly" { "this week" } else { "today" }
}

/// What templates know. Every text in it is fit to be shown as it is.
pub(crate) fn context(told: &Told, group: &Group, name: &str) -> Value {
    let detail = &told.detail;
    let number = |field: &str| detail[field].as_u64().unwrap_or(0);
    let count = |field: &str| detail[field].as_array().map_or(0, Vec::len);
    json!({
        "programme": name,
        "format": group.format().name(),
        "group": group.name,
        "event": told.event,
        "at": when::shown(told.at, group),
        "period": if detail["period"] == "weekly" { "week" } else { "day" },
        "settled": number("settled"),
        "applications": number("applications"),
        "waves_over": number("waves_over"),
        "waves": number("waves"),
        "ended": count("ended"),
        "coming": count("coming"),
        "slip_days": detail["slip_days"].as_i64(),
        "red": number("red"),
        "open_items": number("open_items"),
    })
}

fn facts(told: &Told, group: &Group, name: &str) -> Vec<(String, String)> {
    let detail = &told.detail;
    let slip = detail["slip_days"].as_i64().map(|days| match days {
        0 => "as first planned".to_owned(),
        days => format!("{days:+} days against the first plan"),
    });
    let of = |part: &str, whole: &str| {
        detail[part].as_u64().zip(detail[whole].as_u64()).map(|(part, whole)| format!("{part} of {whole}"))
    };
    let facts = vec![
        ("Programme", Some(name.to_owned())),
        ("From", at(&detail["from"], group)),
        ("To", at(&detail["to"], group)),
        ("Applications settled", of("settled", "applications")),
        ("Waves over", of("waves_over", "waves")),
        ("Its end", at(&detail["ends_at"], group)),
        ("Slip", slip),
    ];
    given(facts).into_iter().chain(reported(detail)).collect()
}

fn lists(told: &Told, group: &Group) -> Vec<List> {
    let detail = &told.detail;
    let of = |field: &str, item: &dyn Fn(&Value) -> Option<String>| -> Vec<String> {
        detail[field].as_array().into_iter().flatten().filter_map(item).collect()
    };
    let ended = |one: &Value| {
        let name = named(one["application"].as_str()?, MOST_NAME_BYTES);
        let words = match one["ending"].as_str()? {
            "Succeeded" | "Closed" => "moved",
            "RolledBack" => "was put back",
            "Stuck" | "Held" => "needs a person",
            _ => "ended",
        };
        Some(format!("{name} {words}, {}", at(&one["at"], group)?))
    };
    let coming = |one: &Value| {
        let name = named(one["wave"].as_str()?, MOST_NAME_BYTES);
        let count = one["count"].as_u64()?;
        Some(format!("{name}: {count} application{}, {}", if count == 1 { "" } else { "s" }, at(&one["opens"], group)?))
    };
    let heading = if group.format() == Format::Technical { "Runs that ended" } else { "What moved, and what did not" };
    list(heading, of("ended", &ended)).into_iter().chain(list("What comes", of("coming", &coming))).collect()
}
