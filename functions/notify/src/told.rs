//! What a detail tells, as lines for a person: every text in it is somebody else's until it is shown. Pure.

use cutover::accounts::NOTE_OF_ACCOUNT;
use cutover::arn::{Place, is_account};
use cutover::error::name::{DRIFT, NOT_PERMITTED};
use cutover::text::{is_word, named, quoted, region_option, shown};
use cutover::told::by_hand;
use serde_json::Value;

use crate::screen::Item;

/// A reason takes three lines of a screen at the most.
const MOST_REASON_BYTES: usize = 240;
/// One of several takes two.
const MOST_ITEM_BYTES: usize = 150;
/// With a command in it, four.
const MOST_FIX_BYTES: usize = 400;
/// Where there is room for all of it.
const MOST_TEXT_BYTES: usize = 4_000;
const MOST_TITLE_BYTES: usize = 250;
const MOST_NAME_BYTES: usize = 64;
/// In a subject there is less room.
const MOST_SUBJECT_NAME_BYTES: usize = 40;
/// So many accounts that deny something are told of one by one.
const MOST_DENIALS: usize = 2;
/// An application has 64 characters at the most.
const MOST_APPLICATION_BYTES: usize = 64;

/// An application, or whatever stands in its place.
pub fn application(name: &str) -> String {
    named(name, MOST_APPLICATION_BYTES)
}

/// The same where there is less room.
pub fn in_subject(name: &str) -> String {
    named(name, MOST_SUBJECT_NAME_BYTES)
}

/// A reason.
pub fn reason(value: &Value) -> Option<String> {
    text(value).map(|text| quoted(&text, MOST_REASON_BYTES))
}

/// A text where there is room for it; `not known` for none.
pub fn whole(value: &Value) -> String {
    text(value).map_or_else(|| "not known".to_owned(), |text| quoted(&text, MOST_TEXT_BYTES))
}

/// How a person calls a route, hook or alarm. It is a function's of ours, and what is not in it is quoted there.
pub fn title(thing: &Value) -> String {
    text(&thing["title"]).map_or_else(|| "something without a name".to_owned(), |text| shown(&text, MOST_TITLE_BYTES))
}

/// A list's items; none for what is no list.
pub fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Texts, each of them fit to be shown.
pub fn texts(value: &Value) -> Vec<String> {
    items(value).iter().filter_map(text).map(|text| quoted(&text, MOST_ITEM_BYTES)).collect()
}

/// What was not done, or not as it should be.
pub fn not_done(detail: &Value) -> Vec<Item> {
    texts(&detail["not_done"]).into_iter().map(Item::from).collect()
}

/// What precheck found, errors first.
pub fn findings(detail: &Value) -> Vec<Item> {
    let mut findings: Vec<&Value> = items(&detail["findings"]).iter().collect();
    findings.sort_by_key(|finding| finding["severity"] != "error");
    let told = |finding: &Value| {
        let severity = if finding["severity"] == "error" { "error" } else { "warning" };
        let path = named(finding["path"].as_str().unwrap_or("$"), MOST_SUBJECT_NAME_BYTES);
        // Of a conflict the fix is what a person has to do before the same plan can be started: with inputs to be pasted, so it stands as it is.
        let fix = text(&finding["fix"]).filter(|_| finding["kind"] == "conflict");
        let fix = fix.map(|fix| format!("; {}", shown(&fix, MOST_FIX_BYTES))).unwrap_or_default();
        let problem = quoted(&text(&finding["problem"]).unwrap_or_default(), MOST_ITEM_BYTES);
        Item { title: format!("{severity} {path}"), more: format!(": {problem}{fix}") }
    };
    findings.into_iter().map(told).collect()
}

/// What is left, a line each.
pub fn left(detail: &Value) -> Vec<Item> {
    let left = items(&detail["routes"]).iter().filter(|thing| thing["restored"] != true);
    let told = |thing: &Value| {
        let error = text(&thing["error"]).map(|error| format!(": {}", quoted(&error, MOST_ITEM_BYTES)));
        Item { title: title(thing), more: error.unwrap_or_default() }
    };
    left.map(told).collect()
}

/// What has to come before things that are left are put right: their errors say who stands in the way, and where.
pub fn first(detail: &Value, run_id: &str) -> Vec<String> {
    let left = || items(&detail["routes"]).iter().filter(|thing| thing["restored"] != true);
    let is = |thing: &&Value, name: &str| thing["error"].as_str().is_some_and(|error| error.starts_with(name));
    let drift = left().find(|thing| is(thing, DRIFT)).map(|thing| {
        let ask = "Somebody else changed what is left. First ask who did it, and why. CloudTrail has their name:";
        format!("{ask}\n  {}", who_changed(thing))
    });
    let mut denied: Vec<String> = Vec::new();
    for thing in left().filter(|thing| is(thing, NOT_PERMITTED)) {
        let ask = permit(thing, run_id);
        if !denied.contains(&ask) {
            denied.push(ask);
        }
    }
    let more = denied.len().saturating_sub(MOST_DENIALS);
    denied.truncate(MOST_DENIALS);
    let more = (more > 0).then(|| format!("And {more} more like it, in the detail."));
    drift.into_iter().chain(denied).chain(more).collect()
}

/// The end of the call by which a role of another account is entered. This function makes none.
const ENTERS: &str = ":AssumeRole";

/// Who has to let a call be made that was denied: in another account its people, by the role that Cutover enters it by.
fn permit(thing: &Value, run_id: &str) -> String {
    let here = Place::of(run_id).map_or("", |place| place.account);
    let Some(account) = account(thing).filter(|account| *account != here) else {
        return "AWS denied a call. First give the function's role its permission back.".to_owned();
    };
    let error = thing["error"].as_str().unwrap_or_default();
    let word = |text: &str| is_word(text) && text.len() <= MOST_NAME_BYTES;
    let named = |mark: &str| Some(error.split_once(mark)?.1.split([' ', ':']).next().unwrap_or_default());
    let entered = named(":assumed-role/").and_then(|role| role.split('/').next());
    let role = entered.or_else(|| named(":role/").and_then(|role| role.rsplit('/').next()));
    let role = role.filter(|role| word(role)).unwrap_or("cutover-access");
    let action = error.split(' ').nth(1).filter(|action| word(action) && action.contains(':'));
    let ask = match action {
        Some(action) if action.ends_with(ENTERS) => {
            format!("the role {role} has to be there and let this stack enter by it")
        }
        Some(action) => format!("the role {role} has to allow {action}"),
        None => format!("the role {role} has to allow it"),
    };
    format!("AWS denied a call in account {account}. First, in that account: {ask}, and no SCP may deny it.")
}

/// The account that a thing lies in, as far as that is told: by its ARN, by the role that was not entered, or by the note beside its change.
fn account(thing: &Value) -> Option<&str> {
    let text = |field: &str| thing[field].as_str().unwrap_or_default();
    let after = |text, mark: &str| Some(str::split_once(text, mark)?.1);
    let found = [
        Place::of(text("arn")).map(|place| place.account),
        after(text("error"), &format!("{ENTERS} ")).and_then(Place::of).map(|place| place.account),
        after(text("change"), NOTE_OF_ACCOUNT).and_then(|rest| rest.split([',', ':']).next()),
    ];
    found.into_iter().flatten().find(|account| is_account(account))
}

/// The command that lists who made such changes. Those of Route 53 are in us-east-1 (Route 53 developer guide, CloudTrail).
fn who_changed(thing: &Value) -> String {
    let (region, call) = match thing["title"].as_str().and_then(|title| title.split(' ').next()) {
        Some("listener") => (region_option(thing["arn"].as_str().unwrap_or_default()), "ModifyListener"),
        Some("rule") => (region_option(thing["arn"].as_str().unwrap_or_default()), "ModifyRule"),
        Some("alarm") => (String::new(), "PutMetricAlarm"),
        _ => (" --region us-east-1".to_owned(), "ChangeResourceRecordSets"),
    };
    let is_plain =
        region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b" -".contains(&byte));
    let region = if is_plain { region } else { String::new() };
    format!(
        "aws cloudtrail lookup-events{region} --lookup-attributes AttributeKey=EventName,AttributeValue={call} --max-items 5"
    )
}

/// What a plan would change.
pub fn changes(detail: &Value) -> Vec<Item> {
    items(&detail[crate::changes::CHANGES]).iter().filter_map(text).map(|line| parted(&line)).collect()
}

/// What cleanup removed, or kept.
pub fn removals(detail: &Value, what: &str) -> Vec<Item> {
    let removals = items(&detail["removals"]).iter().flat_map(|removal| items(&removal[what]));
    removals.filter_map(text).map(|text| parted(&text)).collect()
}

/// A line in which what it is of stands before what is said of it.
fn parted(line: &str) -> Item {
    let line = quoted(line, 2 * MOST_ITEM_BYTES);
    let (title, more) = line.split_at(line.find(": ").unwrap_or(line.len()));
    Item { title: title.to_owned(), more: more.to_owned() }
}

/// The commands that delete what cleanup kept: each whole, on a line of its own.
pub fn to_delete(detail: &Value) -> String {
    let commands = items(&detail["removals"]).iter().filter_map(by_hand);
    let lines: Vec<String> = commands.map(|command| format!("  {command}\n")).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("\n{TO_DELETE}\n{}", lines.concat())
}

/// What stands above those commands.
pub const TO_DELETE: &str = "To delete what was kept, once nobody needs it:";

/// What stands above all that is left.
const ONE_BY_ONE: &str = "\nOne by one:\n";

/// What a person has to do: thing by thing, what is left, how it is now, and the change to make.
pub fn thing_by_thing(detail: &Value) -> String {
    let things = items(&detail["routes"]);
    if things.is_empty() {
        return format!(
            "{ONE_BY_ONE}\nWhich routes are left is not known. Compare each of the plan's with its before-image.\n"
        );
    }
    let mut told = ONE_BY_ONE.to_owned();
    for thing in things {
        told.push_str(&format!("\n- {}: {}\n", title(thing), outcome(thing)));
        if let Some(arn) = text(&thing["arn"]) {
            told.push_str(&format!("  ARN: {}\n", named(&arn, MOST_TITLE_BYTES)));
        }
        if thing["restored"] != true {
            let (live, change) = (whole(&thing["live"]), change(&thing["change"]));
            told.push_str(&format!("  it is now: {live}\n  change to make: {change}\n"));
        }
    }
    told
}

/// What came of a thing.
fn outcome(thing: &Value) -> String {
    let error = text(&thing["error"]).map(|error| quoted(&error, MOST_TEXT_BYTES));
    match (thing["restored"].as_bool(), error) {
        (Some(true), None) => "restored".to_owned(),
        (Some(true), Some(error)) => format!("as it was before; but {error}"),
        (_, Some(error)) => format!("not restored: {error}"),
        _ => "not restored".to_owned(),
    }
}

/// A command of ours, which is plain ASCII, as it is; and notes on lines of their own.
fn change(value: &Value) -> String {
    let Some(change) = text(value) else { return "not known".to_owned() };
    let lines: Vec<String> = change.lines().map(|line| shown(line.trim(), usize::MAX)).collect();
    lines.join("\n    ")
}

/// A value as a text; none for none.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
