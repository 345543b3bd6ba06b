//! Pages and texts of runs in every state, against golden files. Run with UPDATE=1 to write them anew, and look at their diff; the pages are those that
//! are looked at in a browser.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{HOSTILE, at, settings, states};
use status_report::document;
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
