//! What is said to whom: what is so, in their words.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{events, groups, told};
use cutover::plan::Format;
use messages::{Content, Templates, text};
use serde_json::{Value, json};

/// A message for a group of a format, as a text and in its parts.
fn said(event: &str, detail: &Value, format: Format) -> (String, Content) {
    let told = told(event, detail);
    let group = groups().into_iter().find(|group| group.format() == format).unwrap();
    let content = Content::of(&told, told.moment().unwrap(), &group, false, &Templates::default());
    (text::body(&content, &Templates::default()).0, content)
}

const ALL: [Format; 3] = [Format::Summary, Format::Detailed, Format::Technical];

#[test]
fn a_run_that_a_person_releases_is_not_told_as_one_that_needs_nobody() {
    let routes = json!([{ "title": "rule of shop", "restored": false, "error": "Cutover.Drift: x" }]);
    let detail = json!({ "released": true, "by": "Ada: it serves", "routes": routes });
    for format in ALL {
        let (text, content) = said("closed", &detail, format);
        assert!(!text.contains("not needed") && !text.contains("need not do anything"), "{text}");
        assert!(content.severity == "warning" && content.state != "closed", "{text}");
    }
    let (text, content) = said("closed", &detail, Format::Detailed);
    assert!(text.contains("some of it may not work as you know it") && text.contains("people look after"), "{text}");
    assert_eq!(content.state, "over, with work left to do");
    assert!(said("closed", &detail, Format::Technical).0.contains("By: \"Ada: it serves\""));
    assert!(said("closed", &json!({ "removals": [] }), Format::Detailed).0.contains("You need not do anything"));
}

/// What engineers say among themselves.
const OF_ENGINEERS: [&str; 26] = [
    "cutover",
    "rollback",
    "rolled back",
    "old side",
    "new side",
    "target group",
    "targetgroup",
    "listener",
    "monitor:",
    "precheck",
    "rehost",
    "refactor",
    "replatform",
    "console.aws",
    "arn:",
    "p95",
    "5xx",
    "execution",
    "weight",
    "page of this run",
    "stage",
    "the run",
    "report has",
    "operators",
    "drift",
    "rule of",
];

#[test]
fn business_users_read_no_word_of_engineers() {
    for (name, event, detail) in events().into_iter().filter(|(_, event, _)| *event != "digest") {
        let (_, content) = said(event, &detail, Format::Detailed);
        // Whom a person has written for is theirs; and a run's last message says that it is one.
        let is_of_a_person = name == "incident_of_a_person";
        let lists = content.lists.iter().flat_map(|list| list.items.iter().chain([&list.heading]));
        let facts = content.facts.iter().flat_map(|(name, value)| [name, value]);
        let texts = [&content.stem, &content.state, &content.headline]
            .into_iter()
            .chain(&content.paragraphs)
            .chain(facts)
            .chain(lists);
        for text in texts.filter(|_| !is_of_a_person) {
            let lower = text.to_lowercase();
            let found = OF_ENGINEERS.iter().find(|word| lower.contains(*word));
            assert!(found.is_none(), "{name} says {found:?}: {text}");
        }
        assert!(content.commands.is_empty(), "{name}");
        assert!(!content.next.contains("old side") && !content.next.contains("run"), "{name}: {}", content.next);
    }
}

#[test]
fn executives_read_no_causes_of_machines() {
    for (name, event, detail) in
        events().into_iter().filter(|(name, ..)| name.starts_with("incident_of_wave") || *name == "incident_first")
    {
        let (text, _) = said(event, &detail, Format::Summary);
        for word in ["Monitor:", "Cutover.Unhealthy: 5xx", "work is left that only", "operators' message"] {
            assert!(!text.contains(word), "{name} says {word}: {text}");
        }
    }
}

#[test]
fn executives_read_how_an_incident_ended() {
    let update = json!({ "at": "2026-11-26T21:30:00Z", "by": "Cutover", "status": "resolved", "text": "everything is exactly as it was before" });
    let detail = json!({ "kind": "end", "status": "resolved", "severity": "high", "title": "The cutover of shop goes back", "of_run": common::RUN,
        "impact": "None any more.", "updates": [update] });
    assert!(said("incident", &detail, Format::Summary).0.contains("everything is exactly as it was before"));
    assert!(said("incident", &detail, Format::Detailed).0.contains("Impact: None any more."));
}

#[test]
fn a_way_back_that_a_person_wanted_is_not_told_as_something_found_wrong() {
    let back = |why: &str| json!({ "ending": "RolledBack", "why": if why.is_empty() { Value::Null } else { json!(why) }, "routes": [] });
    for why in [
        "",
        "wave spring goes back: Ada: too many calls",
        "forced by Ada: go",
        "AskAfterLoadTest: Cutover.Rejected: Ada: no",
    ] {
        for format in ALL {
            let (text, _) = said("rolled_back", &back(why), format);
            assert!(!text.contains("found wrong"), "{why}: {text}");
            assert!(!text.contains("ended without a change"), "{text}");
        }
    }
    for why in [
        "Monitor: Cutover.Unhealthy: 5xx is 0.04",
        "Shift: States.Timeout: ",
        "forced by Ada: go; before that, Monitor: Cutover.Unhealthy: 5xx",
        "wave spring goes back: Cutover: 3 of 10 failed",
    ] {
        for format in [Format::Summary, Format::Detailed] {
            assert!(said("rolled_back", &back(why), format).0.contains("found wrong"), "{why}");
        }
        assert!(said("rolled_back", &back(why), Format::Technical).0.contains(why), "engineers read why");
    }
}

#[test]
fn a_wave_that_is_put_back_is_not_told_as_one_on_hold() {
    let detail = json!({ "goes_back": true, "held": "\"Ada\" has everything put back: too many calls", "count": 3,
        "counts": { "new": 2, "under_way": 1 }, "machine_arn": "arn:aws:states:eu-west-1:1:stateMachine:wave" });
    for format in ALL {
        let (text, content) = said("wave_held", &detail, format);
        assert!(!text.contains("on hold") && !text.contains("has moved works"), "{text}");
        assert!(content.commands.is_empty() && content.next == "The next message comes when it ends.", "{text}");
    }
    assert!(said("wave_held", &detail, Format::Technical).0.contains("Ada"));
    assert!(said("wave_held", &json!({ "counts": {} }), Format::Detailed).0.contains("on hold"));
}

#[test]
fn engineers_have_the_cause_and_what_puts_it_right() {
    let routes = json!([{ "title": "rule of shop", "restored": false, "error": "Cutover.Drift: x" }]);
    for (event, command) in [
        ("stuck", r#"{"application":"shop"}"#),
        ("held", r#""force":"YOUR NAME: YOUR REASON""#),
        ("unfinished", r#"{"application":"shop"}"#),
    ] {
        let detail = json!({ "why": "Monitor: Cutover.Unhealthy: 5xx", "routes": routes });
        let (text, content) = said(event, &detail, Format::Technical);
        assert!(text.contains("Monitor: Cutover.Unhealthy: 5xx"), "{event}: {text}");
        let has = |part: &str| content.commands.iter().any(|(_, run)| run.contains(part));
        assert!(has(command) && has(r#""release":"YOUR NAME"#) && has("stateMachine:cleanup"), "{event}: {text}");
    }
    for event in ["finished", "trouble"] {
        let (text, content) = said(event, &json!({ "why": "x" }), Format::Technical);
        assert!(content.commands.iter().any(|(_, run)| run.contains("stateMachine:rollback")), "{text}");
    }
    assert!(
        said("holding", &json!({ "why": "Cutover.Unhealthy: x" }), Format::Technical)
            .1
            .commands
            .iter()
            .any(|(_, run)| run.contains("stop-execution"))
    );
    for format in [Format::Summary, Format::Detailed] {
        assert!(said("stuck", &json!({ "routes": routes }), format).1.commands.is_empty());
    }
}

#[test]
fn who_is_called_for_a_run_reads_why_and_has_its_commands_its_dashboard_and_its_name() {
    let (_, _, detail) = events().into_iter().find(|(name, ..)| *name == "incident_escalation").unwrap();
    let (text, content) = said("incident", &detail, Format::Technical);
    for part in [
        "The new side answered too slowly.",
        common::RUN,
        "#dashboards/dashboard/cutover-run-shop-2026-11-26",
        r#"stateMachine:rollback --input '{"application":"shop"}'"#,
        r#""release":"YOUR NAME: YOUR REASON""#,
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(content.commands[0].1.contains("acknowledge"), "first of all somebody looks after it");
}

#[test]
fn who_was_called_before_is_not_called_now() {
    let escalation = |before: Value| json!({ "kind": "escalation", "title": "Logins fail", "status": "investigating", "severity": "high", "up_to_level": 2, "called_before": before });
    let (text, _) = said("incident", &escalation(json!(1)), Format::Technical);
    assert!(text.contains("others are called too") && !text.contains("you are called now"), "{text}");
    for before in [json!(0), Value::Null] {
        assert!(said("incident", &escalation(before), Format::Technical).0.contains("you are called now"));
    }
}

#[test]
fn what_is_only_done_by_people_is_not_counted_as_moved() {
    let detail = json!({ "count": 10, "counts": { "new": 7, "done": 1, "before": 1, "not_started": 1 }, "ending": "moved", "has_run": true, "milestone": "day_after" });
    for (event, words) in [
        ("wave_ended", "7 of 10 applications run in their new environment. Of 1 nothing had to move."),
        ("wave_stage", "7 of 10 applications run in their new environment."),
        ("timeline_during", "7 of 10 moved"),
        ("timeline_milestone", "7 of 10 applications run in their new environment"),
    ] {
        let (text, _) = said(event, &detail, Format::Detailed);
        assert!(text.contains(words) && !text.contains("8 of 10"), "{event}: {text}");
        let (text, _) = said(event, &detail, Format::Technical);
        assert!(!text.contains("8 of 10") && text.contains("1 done by people"), "{event}: {text}");
    }
    let announced = json!({ "count": 10, "counts": {}, "applications": [{ "name": "old-crm", "strategy": "retire" }, { "name": "shop", "strategy": "rehost" }] });
    let (text, _) = said("wave_announced", &announced, Format::Detailed);
    assert!(text.contains("old-crm: is switched off") && text.contains("shop: moves to a new environment"), "{text}");
    assert!(!text.contains("will move"), "{text}");
    assert!(said("wave_announced", &announced, Format::Technical).0.contains("shop: rehost"));
}

#[test]
fn a_plan_that_holds_does_not_promise_to_go_back_by_itself() {
    for event in ["started", "step"] {
        let detail =
            |holds: bool| json!({ "steps": [], "is_last": true, "hold_seconds": 60, "holds_on_failure": holds });
        for format in ALL {
            assert!(!said(event, &detail(true), format).0.contains("by itself"), "{event}");
        }
        assert!(said(event, &detail(false), Format::Technical).0.contains("rolled back by itself"));
    }
    assert!(
        said("started", &json!({ "holds_on_failure": true }), Format::Summary).0.contains("somebody has to decide")
    );
}

#[test]
fn a_no_is_told_as_a_no_with_whose_it_is_and_silence_as_silence() {
    let detail = |error: &str, cause: &str| json!({ "ending": "Rejected", "failure": { "state": "AwaitApproval", "error": error, "cause": cause } });
    let no = detail("Rejected", "Ada: not tonight");
    let (text, _) = said("not_started", &no, Format::Summary);
    assert!(text.contains("said no") && !text.contains("in time") && !text.contains("Ada"), "{text}");
    assert!(said("not_started", &no, Format::Technical).0.contains("Ada: not tonight"));
    assert!(
        said("not_started", &detail("States.Timeout", ""), Format::Summary)
            .0
            .contains("nobody who was asked has answered in time")
    );
}

#[test]
fn what_is_next_is_what_comes_next() {
    let steps = json!([{ "hold_seconds": 600 }, { "hold_seconds": 900 }]);
    let (text, _) = said("started", &json!({ "steps": steps }), Format::Detailed);
    assert!(
        text.contains("when the maintenance has moved everything, not before 26. November 2026, 22:50 CET"),
        "{text}"
    );
    let hold = json!({ "why": "Cutover.Unhealthy: x", "within_seconds": 3600 });
    let (text, _) = said("holding", &hold, Format::Technical);
    assert!(
        text.contains(
            "with its next step, or when it ends. Somebody decides by 26 November 2026, 22:40 UTC at the latest."
        ),
        "{text}"
    );
    for format in ALL {
        let (text, _) = said("wave_begun", &json!({ "counts": {}, "count": 2, "stages": 1 }), format);
        assert!(!text.contains("stands still, or ends"), "{text}");
    }
}

#[test]
fn what_never_began_has_no_way_back_and_no_survey_and_what_is_all_moved_nothing_to_go_on_with() {
    let detail = |ending: &str, not_started: u32| {
        json!({ "ending": ending, "count": 4, "counts": { "new": 4 - not_started, "not_started": not_started },
        "survey": "https://example.com/survey", "machine_arn": "arn:aws:states:eu-west-1:1:stateMachine:wave" })
    };
    let commands = |detail: &Value| -> Vec<String> {
        said("wave_ended", detail, Format::Technical).1.commands.into_iter().map(|(what, _)| what).collect()
    };
    assert_eq!(commands(&detail("no_go", 4)), Vec::<String>::new());
    assert_eq!(commands(&detail("moved", 0)), ["To put everything back"]);
    assert_eq!(commands(&detail("partly", 1)).len(), 2);
    for format in ALL {
        assert!(!said("wave_ended", &detail("no_go", 4), format).0.contains("survey"), "{format:?}");
        assert!(said("wave_ended", &detail("moved", 0), format).0.contains("example.com/survey"), "{format:?}");
        let day_after = |has_run: bool| json!({ "milestone": "day_after", "has_run": has_run, "survey": "https://example.com/survey" });
        assert!(!said("timeline_milestone", &day_after(false), format).0.contains("example.com/survey"));
        assert!(said("timeline_milestone", &day_after(true), format).0.contains("example.com/survey"));
    }
}

#[test]
fn messages_of_a_run_say_where_it_can_be_seen() {
    let report =
        "https://eu-west-1.console.aws.amazon.com/s3/object/reports?region=eu-west-1&prefix=runs/shop/report.html";
    for format in ALL {
        let (text, _) = said("finished", &json!({ "report": report }), format);
        let is_told = format != Format::Detailed;
        assert_eq!((text.contains(report), text.contains("#dashboards/dashboard/")), (is_told, is_told), "{text}");
        assert!(
            !said("rolled_back", &json!({ "report": report }), format).0.contains("#dashboards/"),
            "it is removed then"
        );
    }
    for other in ["runs/1/report.json", "https://a b", "javascript:alert(1)"] {
        assert!(!said("finished", &json!({ "report": other }), Format::Technical).0.contains("Report:"), "{other}");
    }
}

#[test]
fn the_end_of_a_run_says_how_long_it_took() {
    for (event, is_told) in [("finished", true), ("rolled_back", true), ("started", false)] {
        for format in ALL {
            let (text, _) = said(event, &json!({ "began_at": "2026-11-26T21:00:00Z" }), format);
            assert_eq!(text.contains("It took: 40m\n"), is_told, "{event}: {text}");
            assert!(!said(event, &json!({}), format).0.contains("It took"), "what is not known is left out");
        }
    }
}

#[test]
fn a_link_that_answers_says_that_it_is_nobody_elses() {
    let told = told("approval", &json!({}));
    let mut content = Content::of(&told, told.moment().unwrap(), &groups()[2], false, &Templates::default());
    content.answer_link = Some("https://answers.example.com/x".to_owned());
    let body = text::body(&content, &Templates::default()).0;
    assert!(
        body.contains("  https://answers.example.com/x\nWhoever has this link can answer: do not pass it on.\n"),
        "{body}"
    );
}
