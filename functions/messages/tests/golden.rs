//! Every message, in every format and form, as it is; `UPDATE=1` renews the files, and `MAILS=<folder>` leaves the HTML to be looked at.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::path::{Path, PathBuf};

use cutover::plan::Format;

use common::{RUN, events, groups, told};
use messages::mail::Envelope;
use messages::{Content, Templates, chat, mail, text};
use serde_json::Value;

const MOST_MAIL_BYTES: usize = 60 * 1024;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// All forms of one message, one after the other.
fn forms(content: &Content, at: &str, key: &str) -> String {
    let templates = Templates::default();
    let to = ["team@example.com".to_owned()];
    let envelope = Envelope {
        from: "cutover@example.com",
        from_name: "Cutover",
        to: &to,
        key,
        run_id: RUN,
        at: at.parse().unwrap(),
    };
    let (raw, failed) = mail::raw(content, &templates, &envelope).unwrap();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(raw.len() <= MOST_MAIL_BYTES, "{} bytes", raw.len());
    let raw = String::from_utf8(raw).unwrap();
    let (headers, _) = raw.split_once("\r\n\r\n").unwrap();
    let pretty = |value: Value| serde_json::to_string_pretty(&value).unwrap();
    let teams = chat::teams(content);
    assert!(teams.to_string().len() <= 28_000);
    let slack = chat::slack(content);
    assert!(slack["blocks"].as_array().unwrap().len() <= 50);
    [
        ("subject of a topic", text::topic_subject(content)),
        ("text", text::body(content, &templates).0),
        ("headers of a mail", headers.replace("\r\n", "\n")),
        ("HTML", mail::html(content, &templates).0),
        ("JSON", pretty(chat::plain(content, at))),
        ("Slack", pretty(slack)),
        ("Teams", pretty(teams)),
        ("Amazon Q", pretty(chat::amazon_q(content))),
    ]
    .map(|(name, form)| format!("==== {name}\n{}\n", form.trim_end()))
    .concat()
}

#[test]
fn every_message_is_as_it_was() {
    let update = std::env::var_os("UPDATE").is_some();
    let looked_at = std::env::var_os("MAILS").map(PathBuf::from);
    let mut different = Vec::new();
    let mut names = Vec::new();
    for (name, event, detail) in events() {
        let told = told(event, &detail);
        let moment = told.moment().unwrap();
        for group in groups() {
            let mut content = Content::of(&told, moment, &group, false, &Templates::default());
            // As `tell` gives it to those who may.
            let asks = ["approval", "incident"].contains(&event);
            if asks && content.format == Format::Technical && told.detail["status"] != "resolved" {
                content.answer_link =
                    Some("https://answers.example.com/i/kv/1795903200/group.team/signature".to_owned());
            }
            let made = forms(&content, &told.at.to_string(), &told.key());
            let file = format!("{name}.{}.txt", content.format.name());
            if let Some(folder) = &looked_at {
                std::fs::write(folder.join(format!("{file}.html")), mail::html(&content, &Templates::default()).0)
                    .unwrap();
            }
            let path = folder().join(&file);
            if update {
                std::fs::create_dir_all(folder()).unwrap();
                std::fs::write(&path, &made).unwrap();
            } else if std::fs::read_to_string(&path).ok().as_ref() != Some(&made) {
                different.push(file.clone());
            }
            names.push(file);
        }
    }
    assert!(different.is_empty(), "not as they were (UPDATE=1 renews them): {different:?}");
    let kept = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let unknown: Vec<String> = kept.filter(|file| !names.contains(file)).collect();
    assert!(unknown.is_empty(), "files of no message: {unknown:?}");
}
