//! A programme as a calendar that people import or subscribe to: the waves with their windows, and what people retire, retain or replace with owner, checklist, due
//! date and reminders. iCalendar (RFC 5545). Pure.

use std::fmt::Write;

use cutover::contract::digest;
use cutover::text::shown;
use jiff::Timestamp;
use jiff::civil::Date;
use wave_plan::portfolio::{Application, When};
use wave_plan::{Placement, Portfolio, Programme, Wave};

/// What is due is reminded of so long before, and on the morning itself.
const REMINDERS: [&str; 3] = ["-P7D", "-P1D", "PT8H"];
/// A line has 75 octets, and goes on in the next one behind a space.
const MOST_LINE_BYTES: usize = 75;
const MOST_TEXT_BYTES: usize = 2_000;

/// The calendar; `at` is when it was made, and nothing else.
pub fn calendar(portfolio: &Portfolio, programme: &Programme, at: Timestamp) -> String {
    let mut text =
        String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Cutover//Programme//EN\r\nCALSCALE:GREGORIAN\r\n");
    line(&mut text, "X-WR-CALNAME", &format!("Programme {}", programme.portfolio));
    for wave in &programme.waves {
        text.push_str(&of_wave(programme, wave, at).unwrap_or_default());
    }
    for placed in programme.placements.iter().filter(|placed| !placed.strategy.moves()) {
        let entry = portfolio.applications.iter().find(|one| one.name == placed.application);
        text.push_str(&entry.and_then(|entry| of_tasks(programme, placed, entry, at)).unwrap_or_default());
    }
    text + "END:VCALENDAR\r\n"
}

fn of_wave(programme: &Programme, wave: &Wave, at: Timestamp) -> Option<String> {
    let (opens, closes): (Timestamp, Timestamp) = (wave.opens.parse().ok()?, wave.closes.parse().ok()?);
    let names: Vec<&str> = wave.applications.iter().map(|one| one.name.as_str()).collect();
    let mut text = begin(programme, &format!("wave {}", wave.date), at);
    let _ = write!(text, "DTSTART:{}\r\nDTEND:{}\r\n", utc(opens), utc(closes));
    line(
        &mut text,
        "SUMMARY",
        &format!("Wave {} of {}: {} applications", wave.number, programme.portfolio, names.len()),
    );
    line(&mut text, "DESCRIPTION", &names.join(", "));
    remind(&mut text, &["-P1D"]);
    Some(text + "END:VEVENT\r\n")
}

fn of_tasks(programme: &Programme, placed: &Placement, entry: &Application, at: Timestamp) -> Option<String> {
    let due: Date = placed.date.parse().ok()?;
    let day = |date: Date| date.strftime("%Y%m%d").to_string();
    let mut text = begin(programme, &format!("due {}", placed.application), at);
    let _ = write!(text, "DTSTART;VALUE=DATE:{}\r\nDTEND;VALUE=DATE:{}\r\n", day(due), day(due.tomorrow().ok()?));
    line(&mut text, "SUMMARY", &format!("{} {}: due ({})", placed.strategy.name(), placed.application, placed.owner));
    let before = entry.tasks.iter().filter(|task| task.when == When::Before);
    let tasks: Vec<String> =
        before.map(|task| format!("[ ] {} ({})", task.what, task.owner.as_deref().unwrap_or(&entry.owner))).collect();
    line(&mut text, "DESCRIPTION", &tasks.join("\n"));
    if placed.is_settled {
        text.push_str("STATUS:CANCELLED\r\n");
    } else {
        remind(&mut text, &REMINDERS);
    }
    Some(text + "END:VEVENT\r\n")
}

/// The same event has the same name in every programme: whoever imports the next one moves it.
fn begin(programme: &Programme, what: &str, at: Timestamp) -> String {
    let uid = digest(&format!("{}\n{what}", programme.portfolio));
    format!("BEGIN:VEVENT\r\nUID:{uid}@cutover\r\nDTSTAMP:{}\r\n", utc(at))
}

fn remind(text: &mut String, when: &[&str]) {
    for trigger in when {
        let _ = write!(
            text,
            "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\nTRIGGER:{trigger}\r\nEND:VALARM\r\n"
        );
    }
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A property whose text others wrote: nothing in it ends it, and it is folded.
fn line(text: &mut String, name: &str, value: &str) {
    let mut escaped = String::new();
    for part in value.split('\n') {
        let part = shown(part, MOST_TEXT_BYTES).replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
        escaped.push_str(if escaped.is_empty() { "" } else { "\\n" });
        escaped.push_str(&part);
    }
    let (mut length, mut folded) = (name.len() + 1, format!("{name}:"));
    for c in escaped.chars() {
        if length + c.len_utf8() > MOST_LINE_BYTES {
            folded.push_str("\r\n ");
            length = 1;
        }
        folded.push(c);
        length += c.len_utf8();
    }
    text.push_str(&folded);
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wave_plan::{Progress, Request, plan};

    use super::*;

    fn made(done: bool) -> String {
        let portfolio = Portfolio::read(&json!({
            "name": "spring",
            "calendar": { "time_zone": "Europe/Zurich", "start": "2026-03-02", "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "10h" }] },
            "applications": [
                { "name": "web", "strategy": "rehost", "owner": "Web", "cutover_plan": "plans/web.json" },
                { "name": "crm", "strategy": "repurchase", "owner": "Sales; and others", "tasks": [
                    { "what": "sign the contract, at last", "owner": "Purchasing" }, { "what": "train\r\nEND:VEVENT everybody who works with it, all of them, before the day comes" },
                    { "what": "close the old accounts", "when": "after" }] },
            ],
            "dependencies": [{ "first": "crm", "then": "web", "kind": "before" }],
        }))
        .unwrap();
        let settled =
            if done { [("crm".to_owned(), "2026-03-03".parse().unwrap())].into() } else { Default::default() };
        let request = Request { progress: Progress { today: None, settled }, ..Request::default() };
        let programme = plan(&portfolio, &request, &mut || false).unwrap();
        calendar(&portfolio, &programme, "2026-02-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn waves_have_their_windows_and_what_is_due_its_list_and_reminders() {
        let unfolded = made(false).replace("\r\n ", "");
        for expected in [
            "DTSTART:20260307T190000Z\r\nDTEND:20260308T050000Z\r\nSUMMARY:Wave 1 of spring: 1 applications",
            "SUMMARY:repurchase crm: due (Sales\\; and others)",
            "[ ] sign the contract\\, at last (Purchasing)\\n[ ] train",
            "TRIGGER:-P7D",
        ] {
            assert!(unfolded.contains(expected), "no {expected} in\n{unfolded}");
        }
        assert!(!unfolded.contains("close the old accounts"));
    }

    #[test]
    fn nothing_that_others_wrote_ends_an_event_and_no_line_is_too_long() {
        let text = made(false);
        assert_eq!((text.matches("\r\nBEGIN:VEVENT").count(), text.matches("\r\nEND:VEVENT").count()), (2, 2));
        assert!(text.split("\r\n").all(|line| line.len() <= MOST_LINE_BYTES), "{text}");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    }

    #[test]
    fn what_is_done_reminds_nobody() {
        let text = made(true);
        assert!(text.contains("STATUS:CANCELLED") && !text.contains("TRIGGER:-P7D"), "{text}");
    }
}
