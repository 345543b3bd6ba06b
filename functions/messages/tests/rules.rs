//! What holds of every message, whatever is in it.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::collections::BTreeMap;

use common::{events, groups, told};
use cutover::plan::Moment;
use messages::mail::Envelope;
use messages::{Branding, Content, Templates, chat, mail, text};
use proptest::prelude::*;
use serde_json::Value;

const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "\r\nBcc: everybody@example.com",
    "\"><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% for a in b %}",
    "<!channel> <@U1> [free](http://evil.example)",
    "\u{202e}dlrow\u{0}\u{1b}[31m",
    "*bold* _it_ `code` &amp; &lt;",
    "]]>--><!--",
];

/// The same value with every text of it replaced.
fn with_texts(value: &Value, text: &str) -> Value {
    match value {
        Value::String(_) => Value::from(text),
        Value::Array(items) => items.iter().map(|item| with_texts(item, text)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), with_texts(field, text))).collect(),
        other => other.clone(),
    }
}

fn raw(content: &Content, templates: &Templates, key: &str) -> String {
    let to = ["team@example.com".to_owned()];
    let at = "2026-11-26T21:40:00Z".parse().unwrap();
    let run_id = &content.run_id;
    let envelope = Envelope { from: "cutover@example.com", from_name: "Cutover", to: &to, key, run_id, at };
    String::from_utf8(mail::raw(content, templates, &envelope).unwrap().0).unwrap()
}

/// The names of a mail's headers, in order.
fn header_names(raw: &str) -> Vec<String> {
    let (headers, _) = raw.split_once("\r\n\r\n").unwrap();
    let lines = headers.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    lines.map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect()
}

/// The elements of an HTML text, in order, without their attributes.
fn tags(html: &str) -> Vec<String> {
    let tag = |part: &str| {
        part.split(|c: char| !(c.is_ascii_alphanumeric() || "/!".contains(c))).next().unwrap_or_default().to_owned()
    };
    html.split('<').skip(1).map(tag).collect()
}

fn is_clean(text: &str) -> bool {
    !text.chars().any(|c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c))
}

#[test]
fn hostile_texts_make_no_markup_and_no_header() {
    let templates = Templates::default();
    for (name, event, detail) in events() {
        for hostile in HOSTILE {
            for group in groups() {
                let plain = told(event, &with_texts(&detail, "plain word"));
                let mut hostile_told = told(event, &with_texts(&detail, hostile));
                hostile_told.application = hostile.to_owned();
                let moment = hostile_told.moment().unwrap();
                let content = Content::of(&hostile_told, moment, &group, false, &templates);
                let harmless = Content::of(&plain, plain.moment().unwrap(), &group, false, &templates);
                let context = format!("{name}, {}, {hostile}", group.name);
                assert_eq!(
                    tags(&mail::html(&content, &templates).0),
                    tags(&mail::html(&harmless, &templates).0),
                    "{context}"
                );
                let (made, expected) = (raw(&content, &templates, "k"), raw(&harmless, &templates, "k"));
                assert_eq!(header_names(&made), header_names(&expected), "{context}");
                assert!(made.len() <= 60 * 1024, "{context}");
                let body = text::body(&content, &templates).0;
                assert_eq!(body.lines().count(), text::body(&harmless, &templates).0.lines().count(), "{context}");
                assert!(is_clean(&body) && !body.contains("49"), "{context}: {body}");
                let slack = chat::slack(&content);
                assert!(!slack["text"].as_str().unwrap().contains('<'), "{context}");
                assert!(slack["blocks"].as_array().unwrap().iter().all(|block| !block.to_string().contains("mrkdwn")));
                let q = chat::amazon_q(&content).to_string();
                assert!(!q.contains("](") && !q.contains('<'), "{context}: {q}");
                let subject = text::topic_subject(&content);
                assert!(
                    subject.is_ascii() && subject.len() < 100 && subject.starts_with(char::is_alphabetic),
                    "{subject}"
                );
            }
        }
    }
}

#[test]
fn all_mails_of_a_run_are_one_thread_and_all_of_an_incident() {
    for (kind, subject) in [
        ("run", "Subject: Cutover of shop ("),
        ("incident", "Subject: Incident i-0123456789ab:"),
        ("wave", "Subject: Wave shop:"),
        ("timeline", "Subject: Wave shop:"),
        ("digest", "Subject: Programme shop:"),
    ] {
        one_thread(kind, subject);
    }
}

/// What an event is of.
fn kind(event: &str) -> &str {
    let kind = event.split('_').next().unwrap_or_default();
    if ["incident", "wave", "timeline", "digest"].contains(&kind) { kind } else { "run" }
}

fn one_thread(of: &str, subject: &str) {
    let templates = Templates::default();
    let mut roots = Vec::new();
    let mut ids = Vec::new();
    for (name, event, detail) in events().into_iter().filter(|(_, event, _)| kind(event) == of) {
        let told = told(event, &detail);
        let content = Content::of(&told, told.moment().unwrap(), &groups()[2], false, &templates);
        let mail = raw(&content, &templates, &format!("{}{name}", told.key()));
        let header =
            |name: &str| mail.split("\r\n").find_map(|line| line.strip_prefix(name).map(str::to_owned)).unwrap();
        // A long one is written in an encoding.
        let plain = mail.replace("=?us-ascii?Q?", "").replace('_', " ");
        assert!(plain.contains(&format!("\r\n{subject}")), "{mail}");
        roots.push(header("References: "));
        ids.push(header("Message-ID: "));
    }
    roots.dedup();
    assert_eq!(roots.len(), 1);
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn a_template_that_fails_gives_way_to_the_built_in_one_and_says_so() {
    let (_, event, detail) = events().into_iter().find(|(name, ..)| *name == "finished").unwrap();
    let told = told(event, &detail);
    let built_in = Content::of(&told, Moment::Succeeded, &groups()[0], false, &Templates::default());
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    for (source, problem) in
        [("{{ nothing }}", "undefined"), ("{% if %}", "syntax"), ("  ", "no headline"), (endless, "fuel")]
    {
        let own = BTreeMap::from([("succeeded.txt".to_owned(), source.to_owned())]);
        let content =
            Content::of(&told, Moment::Succeeded, &groups()[0], false, &Templates::new(own, Branding::default()));
        assert_eq!(content.headline, built_in.headline);
        assert_eq!(content.notes.len(), 1);
        assert!(
            content.notes[0].contains("succeeded.txt") && content.notes[0].contains(problem),
            "{:?}",
            content.notes
        );
    }
    let own = BTreeMap::from([("succeeded.txt".to_owned(), "{{ application }} is over\n\nThanks.".to_owned())]);
    let branding = Branding { name: "Team <Shop>".to_owned(), ..Branding::default() };
    let templates = Templates::new(own, branding);
    let content = Content::of(&told, Moment::Succeeded, &groups()[0], true, &templates);
    assert_eq!(
        (content.headline.as_str(), content.paragraphs.as_slice()),
        ("shop is over", ["Thanks.".to_owned()].as_slice())
    );
    assert!(content.notes[0].starts_with("This may be a repeat"));
    assert!(mail::html(&content, &templates).0.contains("Team &lt;Shop&gt;"));
}

#[test]
fn a_layout_that_fails_gives_way_to_the_built_in_one_and_the_message_says_so() {
    let (_, event, detail) = events().into_iter().find(|(name, ..)| *name == "finished").unwrap();
    let told = told(event, &detail);
    let own = ["layout.txt", "layout.html"].map(|name| (name.to_owned(), "{{ nothing }}".to_owned()));
    let templates = Templates::new(own.into(), Branding::default());
    let content = Content::of(&told, Moment::Succeeded, &groups()[0], false, &templates);
    for (made, failed) in [text::body(&content, &templates), mail::html(&content, &templates)] {
        assert!(made.contains("A layout of your own could not be used"), "{made}");
        assert!(made.contains(&content.headline) && failed.is_some(), "{made}");
    }
}

#[test]
fn a_template_that_was_written_on_windows_has_its_paragraphs() {
    let (_, event, detail) = events().into_iter().find(|(name, ..)| *name == "finished").unwrap();
    let own = "{{ application }} is over\r\n\r\n{% if application %}\r\nThanks.\r\n{% endif %}\r\n".to_owned();
    let templates = Templates::new([("succeeded.txt".to_owned(), own)].into(), Branding::default());
    let content = Content::of(&told(event, &detail), Moment::Succeeded, &groups()[0], false, &templates);
    assert_eq!((content.headline.as_str(), &content.paragraphs[..]), ("shop is over", &["Thanks.".to_owned()][..]));
}

#[test]
fn every_message_says_when_the_next_comes_and_what_is_cut() {
    for (name, event, detail) in events() {
        let told = told(event, &detail);
        for group in groups() {
            let content = Content::of(&told, told.moment().unwrap(), &group, false, &Templates::default());
            let says = content.next.starts_with("The next message comes")
                || content.next.starts_with("This is the last message");
            assert!(says, "{name}: {}", content.next);
            assert!(text::body(&content, &Templates::default()).0.contains(&content.next));
            if name == "started" && group.name == "technical-teams" {
                assert_eq!(
                    (content.lists[0].heading.as_str(), content.lists[0].items.len(), content.lists[0].more),
                    ("Precheck found (14)", 10, 4)
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn any_detail_makes_a_message(text in ".{0,300}", index in 0usize..64) {
        let (_, event, detail) = events().swap_remove(index % events().len());
        let told = told(event, &with_texts(&detail, &text));
        for group in groups() {
            let content = Content::of(&told, told.moment().unwrap(), &group, false, &Templates::default());
            prop_assert!(!content.headline.is_empty() && content.notes.is_empty());
            prop_assert!(raw(&content, &Templates::default(), "k").len() <= 60 * 1024);
            prop_assert!(chat::teams(&content).to_string().len() <= 28_000);
        }
    }
}
