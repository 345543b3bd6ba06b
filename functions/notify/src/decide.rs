//! What people are told. Pure.

use std::fmt::Write;

use cutover::text::region_option;
use serde_json::Value;

use crate::Event;

/// SNS takes subjects of under 100 characters (API reference of Publish).
const MOST_SUBJECT_CHARACTERS: usize = 99;
/// SNS takes messages of at most 256 KiB; the rest is for the message's attributes and our note.
const MOST_MESSAGE_BYTES: usize = 250 * 1024;
const CUT_NOTE: &str = "\n\n[Cut here: the whole detail is in the execution's output.]\n";

/// A subject that SNS accepts: printable ASCII on one line, under 100 characters, the first of them a letter or digit.
pub fn subject(application: &str, event: Event) -> String {
    let text = match event {
        Event::Stuck => format!("CRITICAL {application}: the rollback is stuck, work is left to do by hand"),
        Event::Held => format!("ACTION NEEDED {application}: the rollback is held, a person must decide"),
        Event::Unfinished => {
            format!("CRITICAL {application}: the rollback cannot go on, work may be left to do by hand")
        }
        Event::Approval => format!("APPROVE OR REJECT the cutover of {application}"),
        Event::NotStarted => format!("Cutover of {application}: not started, nothing was touched"),
        Event::Started => format!("Cutover of {application}: started"),
        Event::Step => format!("Cutover of {application}: a step was taken"),
        Event::Finished => format!("Cutover of {application}: finished, all traffic is on the new side"),
        Event::RolledBack => format!("Cutover of {application}: rolled back, all is as it was before"),
        Event::Changed => format!("ACTION NEEDED {application}: its traffic was changed after the cutover"),
        Event::Closed => format!("Cutover of {application}: closed"),
    };
    fit(&text)
}

/// Makes any text fit for a subject that starts with a word of ours.
fn fit(text: &str) -> String {
    let printable = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    text.chars().take(MOST_SUBJECT_CHARACTERS).map(printable).collect::<String>().trim_end().to_owned()
}

/// The message: sentences for a person, then everything that is known.
pub fn message(application: &str, event: Event, run_id: &str, detail: &Value) -> String {
    let mut text = format!("{}\n\nRun: {run_id}\n", sentences(application, event, detail));
    if matches!(event, Event::Stuck | Event::Held | Event::Unfinished) {
        text.push_str(&left_to_do(detail));
    }
    let mut message = Message(text);
    if !detail.is_null() {
        // It only fails where the message is full, which is where it is cut.
        let _ = write!(message, "\nDetail:\n{detail:#}\n");
    }
    cut(message.0)
}

/// A text that takes no more once it is full: indented, a deep detail is a hundred times as long as it was sent.
struct Message(String);

impl Write for Message {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.0.len() > MOST_MESSAGE_BYTES {
            return Err(std::fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

fn sentences(application: &str, event: Event, detail: &Value) -> String {
    match event {
        Event::Approval => format!(
            "The cutover of {application} waits for a yes or a no; silence is a no. Nothing has been touched. The detail \
             tells what precheck found and what will change."
        ),
        Event::NotStarted => format!(
            "The cutover of {application} was not started: {}. Nothing was touched. The detail tells why.",
            why_not_started(detail)
        ),
        Event::Started => format!("The cutover of {application} has started. Stopping its execution rolls it back."),
        Event::Step => format!("The cutover of {application} has taken a step{}.", step(detail)),
        Event::Finished => format!(
            "The cutover of {application} has finished: all traffic is on the new side. Until cleanup it can still be \
             rolled back."
        ),
        Event::RolledBack => {
            let why = detail["why"]
                .as_str()
                .map_or_else(|| "it was stopped, or a person asked for it".to_owned(), str::to_owned);
            format!(
                "The cutover of {application} was rolled back: every route is exactly as it was before. Why: {why}."
            )
        }
        Event::Stuck => format!(
            "The rollback of {application} could not restore everything. It has stopped and keeps its locks. Somebody \
             must finish it by hand, now. Then start rollback again with the application's name: it checks, and \
             releases the locks; or release the run as it is, by cleanup."
        ),
        Event::Unfinished => format!(
            "The rollback of {application} cannot go on: {}. Until then this is how its routes are.",
            plain(&detail["why"])
        ),
        Event::Held => format!(
            "The rollback of {application} is held: sending traffic back to the old side could do harm. A person \
             must decide. The reason: {}.",
            plain(&detail["hold"])
        ),
        Event::Changed => format!(
            "Somebody, or something, changed what directs the traffic of {application} after its cutover had finished. Nothing \
             was put back. If it is not meant, put it right; until cleanup the whole cutover can still be rolled back.{}",
            changes(detail)
        ),
        Event::Closed => format!("The cutover of {application} is closed. It can no longer be rolled back."),
    }
}

/// What is not as the cutover left it, route by route.
fn changes(detail: &Value) -> String {
    let routes = detail["routes"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
    let change = |route: &Value| {
        let [title, live, left] = ["title", "live", "left"].map(|field| plain(&route[field]));
        format!("\n\n- {title}\n  it is now: {live}\n  the cutover left: {left}")
    };
    routes.map(change).collect()
}

fn why_not_started(detail: &Value) -> &'static str {
    match detail["ending"].as_str() {
        Some("InvalidPlan") => "its plan is wrong",
        Some("Rejected") => "those who were asked said no, or nothing in time",
        Some("Conflict") => "another run holds the application or a route",
        _ => "the environment is not what the plan says, or could not be observed",
    }
}

/// The exact commands that approve and reject a run.
pub fn approval_commands(run_id: &str, task_token: &str) -> String {
    let region = region_option(run_id);
    format!(
        "To approve:\n\n  aws stepfunctions send-task-success{region} --task-token '{task_token}' \
         --task-output '{{\"by\": \"YOUR NAME\", \"why\": \"YOUR REASON\"}}'\n\n\
         To reject:\n\n  aws stepfunctions send-task-failure{region} --task-token '{task_token}' --error Rejected \
         --cause 'YOUR NAME: YOUR REASON'\n\n"
    )
}

fn step(detail: &Value) -> String {
    match (detail["title"].as_str(), detail["new_weight"].as_u64()) {
        (Some(title), Some(new_weight)) => format!(": {title} gives the new side {new_weight} %"),
        _ => String::new(),
    }
}

/// What a person has to do: route by route, what is left, how it is now, and the change to make.
fn left_to_do(detail: &Value) -> String {
    let routes = detail["routes"].as_array().map(Vec::as_slice).unwrap_or_default();
    if routes.is_empty() {
        return "\nWhich routes are left is not known. Compare each of the plan's with its before-image.\n".to_owned();
    }
    let mut text = "\nRoute by route:\n".to_owned();
    for route in routes {
        text.push_str(&format!("\n- {}: {}\n", plain(&route["title"]), outcome(route)));
        if route["restored"] != true {
            let (live, change) = (plain(&route["live"]), plain(&route["change"]));
            text.push_str(&format!("  it is now: {live}\n  change to make: {change}\n"));
        }
    }
    text
}

/// What came of a route: in words, or as `restored` and `error` tell.
fn outcome(route: &Value) -> String {
    match (&route["outcome"], &route["error"], route["restored"].as_bool()) {
        (Value::String(outcome), _, _) => outcome.clone(),
        (_, _, Some(true)) => "restored".to_owned(),
        (_, Value::String(error), _) => format!("not restored: {error}"),
        _ => "not restored".to_owned(),
    }
}

/// A value in a sentence: text without quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "not known".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn cut(mut text: String) -> String {
    if text.len() > MOST_MESSAGE_BYTES {
        text.truncate(text.floor_char_boundary(MOST_MESSAGE_BYTES));
        text.push_str(CUT_NOTE);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stuck_rollback_is_critical_and_says_what_to_do() {
        let detail = json!({ "routes": [
            { "title": "name app.example.com in zone Z1", "outcome": "denied", "live": "old 0, new 100",
              "change": "set the weight of `app-old` to 100" },
            { "title": "rule r", "restored": false, "error": "Cutover.Drift", "live": { "weights": [1] } },
            { "title": "listener l", "restored": true } ] });
        assert!(subject("shop", Event::Stuck).starts_with("CRITICAL"));
        let text = message("shop", Event::Stuck, "arn:run", &detail);
        for expected in [
            "- name app.example.com in zone Z1: denied\n  it is now: old 0, new 100\n  change to make: set the weight",
            "- rule r: not restored: Cutover.Drift\n  it is now: {\"weights\":[1]}\n  change to make: not known",
            "- listener l: restored\n\nDetail:",
            "Run: arn:run",
        ] {
            assert!(text.contains(expected), "{expected}\nin\n{text}");
        }
        assert!(message("shop", Event::Stuck, "arn:run", &Value::Null).contains("is not known"));
    }

    #[test]
    fn a_held_rollback_says_why_and_what_would_be_to_do() {
        let detail = json!({ "hold": "the old side is unhealthy", "routes": [
            { "title": "listener l", "restored": false, "live": "new 100", "change": "give the old group 100" } ] });
        let text = message("shop", Event::Held, "arn:run", &detail);
        assert!(text.contains("The reason: the old side is unhealthy."), "{text}");
        assert!(text.contains("- listener l: not restored\n  it is now: new 100\n  change to make: give"), "{text}");
    }

    #[test]
    fn a_rollback_that_cannot_go_on_says_what_is_left_meanwhile() {
        let detail = json!({ "why": "Begin: Cutover.NotPermitted: denied. It is started again", "routes": [
            { "title": "listener l", "restored": false, "live": "new 100", "change": "give the old group 100" },
            { "title": "rule r", "restored": true } ] });
        let text = message("shop", Event::Unfinished, "arn:run", &detail);
        assert!(text.starts_with("The rollback of shop cannot go on: Begin: Cutover.NotPermitted"), "{text}");
        assert!(
            text.contains("change to make: give the old group 100") && text.contains("- rule r: restored"),
            "{text}"
        );
    }

    #[test]
    fn a_change_after_the_cutover_is_told_with_what_it_was() {
        let detail = json!({ "routes": [{ "title": "listener l", "live": "old=100", "left": "new=100" }] });
        let text = message("shop", Event::Changed, "arn:run", &detail);
        assert!(text.contains("- listener l\n  it is now: old=100\n  the cutover left: new=100"), "{text}");
        assert!(text.contains("Nothing was put back"), "{text}");
    }

    #[test]
    fn only_what_needs_a_person_cries_out() {
        for event in Event::ALL {
            let subject = subject("shop", event);
            let is_critical = matches!(event, Event::Stuck | Event::Unfinished);
            assert_eq!(subject.starts_with("CRITICAL"), is_critical, "{subject}");
            assert_eq!(subject.starts_with("ACTION"), matches!(event, Event::Held | Event::Changed), "{subject}");
            assert!(subject.contains("shop"), "{subject}");
        }
    }

    #[test]
    fn what_was_not_started_says_why() {
        for (ending, expected) in [
            ("InvalidPlan", "its plan is wrong"),
            ("Rejected", "said no"),
            ("Conflict", "another run holds"),
            ("PrecheckFailed", "not what the plan says"),
        ] {
            let detail = json!({ "ending": ending, "findings": [{ "problem": "there is no such listener" }] });
            let text = message("shop", Event::NotStarted, "arn:run", &detail);
            assert!(text.contains(expected) && text.contains("there is no such listener"), "{text}");
        }
    }

    #[test]
    fn the_commands_of_an_approval_act_where_the_run_is() {
        let commands = approval_commands("arn:aws:states:eu-west-1:1:execution:cutover:run", "T");
        for command in ["send-task-success", "send-task-failure"] {
            let expected = format!("  aws stepfunctions {command} --region eu-west-1 --task-token 'T' ");
            assert!(commands.contains(&expected), "{expected}\nin\n{commands}");
        }
    }

    #[test]
    fn a_step_says_where_and_how_much() {
        let detail = json!({ "title": "listener l", "new_weight": 50 });
        let text = message("shop", Event::Step, "arn:run", &detail);
        assert!(text.starts_with("The cutover of shop has taken a step: listener l gives the new side 50 %.\n"));
        assert!(message("shop", Event::Step, "arn:run", &Value::Null).starts_with("The cutover of shop has taken"));
    }

    #[test]
    fn a_message_that_is_too_long_is_cut_with_a_note() {
        let detail = json!({ "text": "ü".repeat(300 * 1024) });
        let text = message("shop", Event::Finished, "arn:run", &detail);
        assert!(text.len() <= 256 * 1024 && text.ends_with(CUT_NOTE), "{}", text.len());
    }

    #[test]
    fn a_deep_detail_does_not_grow_by_its_indentation() {
        let items = Value::from(vec![0; 100_000]);
        let detail = (0..120).fold(items, |inner, _| json!([inner]));
        let text = message("shop", Event::Finished, "arn:run", &detail);
        assert!(text.capacity() < 1024 * 1024 && text.ends_with(CUT_NOTE), "{}", text.capacity());
    }

    fn any_event() -> impl Strategy<Value = Event> {
        prop::sample::select(Event::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn every_subject_is_one_that_sns_takes(application in any::<String>(), event in any_event()) {
            let subject = subject(&application, event);
            prop_assert!((1..100).contains(&subject.len()));
            prop_assert!(subject.chars().all(|c| c == ' ' || c.is_ascii_graphic()));
            prop_assert!(subject.starts_with(|c: char| c.is_ascii_alphanumeric()));
        }

        #[test]
        fn no_detail_breaks_a_message(event in any_event(), title in any::<String>(), live in any::<Option<i64>>()) {
            let detail = json!({ "title": title, "routes": [{ "title": title, "live": live }, 7, null] });
            let text = message("shop", event, "arn:run", &detail);
            prop_assert!(!text.is_empty() && text.len() <= 256 * 1024);
        }
    }
}
