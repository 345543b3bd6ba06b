//! Pages and texts of runs in every state, against golden files. Run with UPDATE=1 to write them anew, and look at their diff; the pages are those that
//! are looked at in a browser.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{HOSTILE, at, settings, states};
use status_report::document;
use status_report::known::Known;
use status_report::portfolio::{Entry, Portfolio};
use status_report::status::{Status, status};
use status_report::store;

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

#[expect(clippy::disallowed_methods, reason = "the lint is for functions; who renews golden files says so")]
fn compare(name: &str, made: &str) {
    let path = golden(name);
    if std::env::var("UPDATE").is_ok() {
        fs::create_dir_all(golden("")).unwrap();
        fs::write(&path, made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "{name} is not what is made now: run `UPDATE=1 cargo test -p status-report`, and look at the diff"
    );
}

fn entries() -> Vec<Entry> {
    let of = |(_, known): (&str, _)| {
        let status = status(&known, &settings(), at(45));
        let page = format!("{}.html", store::page_of_application(&status.application));
        Entry::of(&status, page)
    };
    states().into_iter().map(of).collect()
}

#[test]
fn pages_and_texts_are_those_that_were_looked_at() {
    for (name, known) in states() {
        let status = status(&known, &settings(), at(45));
        let (_, html) = document::of_run(&status, &settings()).unwrap();
        compare(&format!("{name}.html"), &html);
        let texts = document::texts_of_run(&status, &settings()).unwrap();
        compare(&format!("{name}.txt"), &texts.join("\n----\n"));
    }
    for (name, entries) in [("all", entries()), ("none", Vec::new())] {
        let portfolio = Portfolio::of(entries, 1800, at(45));
        let (_, html) = document::of_all(&portfolio, &settings()).unwrap();
        compare(&format!("{name}.html"), &html);
        compare(&format!("{name}.txt"), &document::texts_of_all(&portfolio, &settings()).unwrap().join("\n----\n"));
    }
}

#[test]
fn the_same_facts_at_the_same_moment_make_the_same_bytes() {
    for (name, known) in states() {
        let made = || document::of_run(&status(&known, &settings(), at(45)), &settings()).unwrap();
        assert_eq!(made(), made(), "{name}");
        let (json, _) = made();
        let read: Status = serde_json::from_str(&json).unwrap();
        assert_eq!(read, status(&known, &settings(), at(45)), "{name}: the JSON is read back as it was");
    }
}

#[test]
fn whatever_others_wrote_is_no_markup_and_no_line_of_its_own() {
    for known in [common::hostile(), common::hostile_and_refused()] {
        ensure_harmless(&status(&known, &settings(), at(45)));
    }
    assert!(HOSTILE.contains("\nRun: forged"));
}

fn ensure_harmless(status: &Status) {
    let (_, html) = document::of_run(status, &settings()).unwrap();
    let portfolio = Portfolio::of(vec![Entry::of(status, "status/runs/x.html".to_owned())], 1800, at(45));
    let (_, all) = document::of_all(&portfolio, &settings()).unwrap();
    for page in [&html, &all] {
        assert!(page.contains("&lt;script&gt;"), "the test feeds nothing hostile:\n{page}");
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("onload='"), "{page}");
        assert!(!page.contains('\u{202e}'), "{page}");
        for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            let outside: String = tag.split('"').step_by(2).collect();
            assert!(!["src=", "srcset=", "data="].iter().any(|asks| outside.contains(asks)), "<{tag}>");
        }
    }
    let texts = [
        document::texts_of_run(status, &settings()).unwrap(),
        document::texts_of_all(&portfolio, &settings()).unwrap(),
    ];
    for text in texts.iter().flatten() {
        assert!(!text.contains("\nRun: forged") && !text.contains('\u{202e}') && !text.contains('\u{1b}'), "{text}");
    }
}

#[test]
fn pages_are_small_and_ask_for_nothing() {
    for (name, known) in states() {
        let (_, html) = document::of_run(&status(&known, &settings(), at(45)), &settings()).unwrap();
        assert!(html.len() < 40_000, "{name}: {} bytes", html.len());
        assert!(
            !html.contains("url(")
                && !html.contains("@import")
                && !html.contains("http://")
                && !html.contains("https://"),
            "{name}"
        );
        let is_open = status(&known, &settings(), at(45)).is_open();
        assert_eq!(html.contains("http-equiv=\"refresh\""), is_open, "{name}");
        assert_eq!(html.contains("this page is stale"), is_open, "{name}");
    }
}

fn page_of(name: &str) -> String {
    let all = states();
    let (_, known) = all.iter().find(|(known, _)| *known == name).unwrap();
    document::of_run(&status(known, &settings(), at(45)), &settings()).unwrap().1
}

#[test]
fn a_released_run_says_who_released_it_and_what_is_left_and_counts_no_time_on() {
    let page = page_of("released");
    for says in [
        "left to do",
        "a-third=1",
        "released as it was by &quot;Ada: agreed with Bob&quot;",
        "not put back: at a-third=1 when the rollback ended",
        "to be put back in spite of a reason to hold, by &quot;Ada: the health check itself is broken&quot;",
        "not by the rollback",
        "<h2>Decisions</h2>",
        "<h2>Left, or not done</h2>",
    ] {
        assert!(page.contains(says), "no {says} in\n{page}");
    }
    for is_none in ["so far", "10 %</td>", "Open issues"] {
        assert!(!page.contains(is_none), "{is_none} in\n{page}");
    }
    assert!(page_of("stuck").contains("so far"), "traffic is not back");
}

#[test]
fn a_refused_approval_is_no_yes() {
    let page = page_of("unsigned");
    assert!(page.contains("not approved: a yes still said YOUR NAME or YOUR REASON, and did not count"), "{page}");
    assert!(!page.contains("approved by"), "{page}");
}

#[test]
fn what_cleanup_kept_is_told_with_the_whole_command() {
    let page = page_of("closed").replace("&#x2f;", "/");
    let command = "to delete it, once nobody needs it: aws elbv2 delete-target-group --target-group-arn \
        arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/old/73e2d6bc24d8a067 --region eu-west-1</li>";
    assert!(page.contains("the plan does not ask to delete it") && page.contains(command), "{page}");
}

#[test]
fn what_people_hold_promises_no_time_of_its_own() {
    for (name, when) in
        [("paused", "once resumed"), ("line_stopped", "once the line is lifted"), ("approval", "once approved")]
    {
        let page = page_of(name);
        assert!(page.contains(&format!(">{when}, not before ")), "{name}: {page}");
        assert!(!page.contains("data-is=\"not before\""), "{name}: {page}");
    }
    assert!(page_of("hold").contains("data-is=\"not before\""));
}

#[test]
fn the_time_in_which_the_line_stands_is_not_the_runs() {
    let all = states();
    let (_, known) = all.iter().find(|(known, _)| *known == "line_stopped").unwrap();
    let mut without = known.clone();
    without.line = None;
    let deadline = |known: &Known, minute: i64| status(known, &settings(), at(minute)).deadline_at.unwrap();
    let stood = |minute: i64| deadline(known, minute).duration_since(deadline(&without, minute)).as_secs() / 60;
    assert_eq!([stood(45), stood(50)], [10 + 15, 10 + 20]);
    assert!(page_of("line_stopped").contains("and later while the line stands"));
}

#[test]
fn a_run_in_precheck_has_a_status_before_precheck_has_answered() {
    let all = states();
    let (_, known) = all.iter().find(|(known, _)| *known == "checking").unwrap();
    let status = status(known, &settings(), at(45));
    assert_eq!((status.application.as_str(), status.routes.len()), ("shop", 1));
    assert!(page_of("checking").contains("nothing is touched"));
    assert!(!known.is_dry_run(&known.calls()));
}

#[test]
fn the_schemas_are_those_of_the_code() {
    for (name, schema) in [("run", schemars::schema_for!(Status)), ("all", schemars::schema_for!(Portfolio))] {
        compare(&format!("../../schema/{name}.schema.json"), &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
    }
}

#[test]
fn an_applications_page_is_that_of_its_run_that_is_claimed_or_else_of_its_last() {
    let all = states();
    let of = |name: &str, run_id: &str, minute: i64| {
        let (_, known) = all.iter().find(|(known, _)| *known == name).unwrap();
        let mut status = status(known, &settings(), at(minute));
        status.run_id = run_id.to_owned();
        status.began_at = Some(at(minute));
        status
    };
    let hold = of("hold", "a", 10);
    assert!(store::takes(None, &hold) && store::takes(Some(&hold), &of("hold", "a", 10)));
    assert!(!store::takes(Some(&hold), &of("hold", "a", 9)), "an earlier look");
    assert!(!store::takes(Some(&hold), &of("not_started", "b", 20)), "a second run that was refused");
    assert!(!store::takes(Some(&hold), &of("approval", "b", 20)), "one that waits");
    assert!(store::takes(Some(&hold), &of("hold", "b", 20)), "one that has the locks");
    assert!(store::takes(Some(&of("closed", "a", 10)), &of("approval", "b", 20)));
    assert!(!store::takes(Some(&of("closed", "b", 20)), &of("closed", "a", 10)));
    assert_eq!(store::page_of_application("shop"), "status/applications/shop");
    assert_eq!(store::page_of_run("arn:aws:states:eu-west-1:1:execution:cutover:a b").len(), "status/runs/".len() + 32);
}
