//! JSON bodies: plain, Slack's blocks, an adaptive card for Teams, and what Amazon Q Developer in chat applications reads.
//!
//! Texts go where no markup is read: `plain_text` in Slack, text runs in Teams. Where there is no such place they are escaped.

use cutover::contract::digest;
use serde_json::{Value, json};

use crate::content::Content;

/// A header block's (Slack API reference, blocks).
const MOST_HEADER_CHARACTERS: usize = 150;
/// A section's.
const MOST_SECTION_CHARACTERS: usize = 3000;
/// Teams takes 28 KB; its lines are cut to stay below.
const MOST_CARD_BYTES: usize = 20 * 1024;
/// A title's, and a description's (Amazon Q Developer in chat applications, custom notifications).
const MOST_TITLE_CHARACTERS: usize = 250;
const MOST_DESCRIPTION_CHARACTERS: usize = 8000;

/// Plain JSON. `dedup_key` is the run's: what is triggered for a run is resolved for it. `event_action` is `trigger` where a person has to
/// act, `resolve` where that is over or the run goes on, and `none` where neither is so.
pub fn plain(content: &Content, at: &str) -> Value {
    json!({
        "dedup_key": digest(&content.run_id),
        "event_action": content.event_action,
        "severity": content.severity,
        "summary": content.subject(),
        "moment": content.moment,
        "group": content.group,
        "run_id": content.run_id,
        "at": at,
        "headline": content.headline,
        "paragraphs": content.paragraphs,
        "facts": content.facts.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect::<Vec<_>>(),
        "lists": content.lists,
        "commands": content.commands.iter().map(|(what, run)| json!({ "what": what, "run": run })).collect::<Vec<_>>(),
        "answer_link": content.answer_link,
        "next": content.next,
        "notes": content.notes,
    })
}

/// Slack's blocks.
pub fn slack(content: &Content) -> Value {
    let plain_text = |text: &str, most: usize| json!({ "type": "plain_text", "text": cut(text, most), "emoji": false });
    let section = |text: &str| json!({ "type": "section", "text": plain_text(text, MOST_SECTION_CHARACTERS) });
    let mut blocks = vec![json!({ "type": "header", "text": plain_text(&content.subject(), MOST_HEADER_CHARACTERS) })];
    blocks.extend(lines(content).iter().map(|line| section(line)));
    let mrkdwn = |link: &String| json!({ "type": "mrkdwn", "text": format!("<{link}|{}>", content.answer_words) });
    blocks.extend(content.answer_link.iter().map(|link| json!({ "type": "section", "text": mrkdwn(link) })));
    blocks.push(json!({ "type": "context", "elements": [plain_text(&content.next, MOST_SECTION_CHARACTERS)] }));
    // What a notification shows: Slack reads its three characters of control here.
    json!({ "text": escaped(&content.headline), "blocks": blocks })
}

/// An adaptive card in a message, as workflows of Teams take it.
pub fn teams(content: &Content) -> Value {
    let run = |text: &str, weight: &str, size: &str| {
        let inline = json!({ "type": "TextRun", "text": text, "weight": weight, "size": size });
        json!({ "type": "RichTextBlock", "inlines": [inline] })
    };
    let mut body = vec![run(&content.subject(), "Bolder", "Large")];
    let mut left = MOST_CARD_BYTES;
    for line in lines(content).into_iter().chain([content.next.clone()]) {
        let line = cut(&line, left.saturating_sub(200));
        left = left.saturating_sub(line.len() + 100);
        body.push(run(&line, "Default", "Default"));
    }
    let open = |link: &String| json!({ "type": "Action.OpenUrl", "title": content.answer_words, "url": link });
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": content.headline,
        "body": body,
    });
    if let Some(link) = &content.answer_link {
        card["actions"] = json!([open(link)]);
    }
    let attachment =
        json!({ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card });
    json!({ "type": "message", "attachments": [attachment] })
}

/// A custom notification of Amazon Q Developer in chat applications; one thread a run.
pub fn amazon_q(content: &Content) -> Value {
    let lines = lines(content).iter().map(|line| without_links(&escaped(line))).collect::<Vec<_>>().join("\n\n");
    let answer = content.answer_link.as_ref().map(|link| format!("[{}]({link})\n\n", content.answer_words));
    let answer = answer.unwrap_or_default();
    let description = answer + &lines;
    json!({
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": cut(&without_links(&escaped(&content.subject())), MOST_TITLE_CHARACTERS),
            "description": cut(&description, MOST_DESCRIPTION_CHARACTERS),
            "nextSteps": [without_links(&escaped(&content.next))],
        },
        "metadata": { "threadId": digest(&content.run_id), "summary": content.state, "eventType": content.moment },
    })
}

/// The message as lines of text, each a paragraph.
fn lines(content: &Content) -> Vec<String> {
    let facts: Vec<String> = content.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut lines = vec![content.headline.clone()];
    lines.extend(content.paragraphs.iter().cloned());
    lines.push(facts.join("\n"));
    for list in &content.lists {
        let more = (list.more > 0).then(|| format!("- and {} more", list.more));
        let items = list.items.iter().map(|item| format!("- {item}")).chain(more);
        lines.push(format!("{}:\n{}", list.heading, items.collect::<Vec<_>>().join("\n")));
    }
    lines.extend(content.commands.iter().map(|(what, run)| format!("{what}:\n{run}")));
    lines.extend(content.notes.iter().cloned());
    lines
}

fn cut(text: &str, most_characters: usize) -> String {
    match text.char_indices().nth(most_characters) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most_characters.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Slack's three characters of control (formatting text, escaping), which other markdowns know too.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Markdown's links.
fn without_links(text: &str) -> String {
    text.replace("](", "] (")
}
