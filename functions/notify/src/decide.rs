//! What people are told. Pure.
//!
//! A message's top fits on one screen: what happened and why, then what is left or was not done, then what to do, as commands.
//! Below it stands everything that is known. Whatever somebody else wrote is in quotes, or in the detail's JSON.

mod endings;
mod questions;

use std::fmt::Write;

use cutover::Seconds;
use cutover::error::name::INCONCLUSIVE;
use cutover::gestures::{self, FILL_IN, Machines};
use cutover::text::{shown, shown_json};
use serde_json::Value;

use self::endings::{changed, closed, finished, held, is_released, rolled_back, stuck, trouble, unfinished};
use self::questions::{approval, commands, holding, load_test};
use crate::screen::{ALSO, Item, Screen};
use crate::told;
use crate::{Event, changes};

/// SNS takes subjects of under 100 characters (API reference of Publish).
const MOST_SUBJECT_CHARACTERS: usize = 99;
/// SNS takes messages of at most 256 KiB; the rest is for the message's attributes and our note.
const MOST_MESSAGE_BYTES: usize = 250 * 1024;
/// No text of a detail is longer: it stands whole in the execution.
const MOST_TEXT_BYTES: usize = 10_000;
/// An execution's has less (Step Functions: names of 80 characters).
const MOST_ARN_BYTES: usize = 250;
/// The console's address of an object: a run's name has 80 characters (Step Functions quotas), a bucket's 63 (S3 user guide).
const MOST_LINK_BYTES: usize = 300;
/// Between the page that answers and the commands that do.
const BY_COMMANDS: &str = "\nOr by commands. ";
const CUT_NOTE: &str = "\n\n[Cut here: the whole detail is in the execution's output.]\n";

/// What is told.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The application's name.
    pub application: &'a str,
    /// What happened.
    pub event: Event,
    /// The run.
    pub run_id: &'a str,
    /// Everything else.
    pub detail: &'a Value,
    /// What answers the state machine, for an approval.
    pub task_token: Option<&'a str>,
    /// The page that answers, where the stack has one: an address of ours.
    pub link: Option<&'a str>,
    /// What a person can start.
    pub machines: &'a Machines,
}

/// A subject that SNS accepts: printable ASCII on one line, under 100 characters, the first of them a letter or digit.
pub fn subject(application: &str, event: Event) -> String {
    let application = told::in_subject(application);
    let text = match event {
        Event::Stuck => format!("CRITICAL: cutover of {application} is stuck, work is left to do by hand"),
        Event::Held => format!("ACTION NEEDED: cutover of {application} is held, a person must decide"),
        Event::Unfinished => format!("CRITICAL: cutover of {application}: its rollback cannot go on"),
        Event::Approval => format!("APPROVE OR REJECT the cutover of {application}"),
        Event::LoadTest => format!("APPROVE OR REJECT the cutover of {application}: its load test"),
        Event::NotStarted => format!("Cutover of {application}: not started, nothing was touched"),
        Event::Started => format!("Cutover of {application}: started"),
        Event::Step => format!("Cutover of {application}: a step was taken"),
        Event::Holding => format!("ACTION NEEDED: cutover of {application}: a check failed, go on or back?"),
        Event::Finished => format!("Cutover of {application}: finished, all traffic is on the new side"),
        Event::RolledBack => format!("Cutover of {application}: rolled back, all is as it was before"),
        Event::Changed => format!("ACTION NEEDED: cutover of {application}: its traffic was changed since"),
        Event::Trouble => format!("ACTION NEEDED: cutover of {application}: trouble after it had finished"),
        Event::Closed => format!("Cutover of {application}: closed"),
    };
    let printable = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    text.chars().take(MOST_SUBJECT_CHARACTERS).map(printable).collect::<String>().trim_end().to_owned()
}

/// The same of a message, which is also told by what it says.
pub fn subject_of(told: &Told) -> String {
    let subject = subject(told.application, told.event);
    if told.event == Event::Holding && is_inconclusive(told) {
        return subject.replace(": a check failed,", ": too little data,");
    }
    subject
}

/// Whether a run is held because nothing could be judged.
fn is_inconclusive(told: &Told) -> bool {
    told.detail["why"].as_str().is_some_and(|why| why.starts_with(INCONCLUSIVE))
}

/// The message.
pub fn message(told: &Told) -> String {
    let (screen, below) = screen(told).text();
    let mut message = Message(screen);
    if !below.is_empty() {
        message.0.push_str(&format!("{ALSO}{below}"));
    }
    if told.link.is_some() {
        message.0.push_str(&commands(told));
    }
    if is_released(told) || matches!(told.event, Event::Stuck | Event::Held | Event::Unfinished) {
        message.0.push_str(&told::thing_by_thing(told.detail));
    }
    if told.event == Event::Closed {
        message.0.push_str(&told::to_delete(told.detail));
    }
    if !told.detail.is_null() {
        // It only fails where the message is full, which is where it is cut.
        let _ = write!(message, "\nDetail:\n{:#}\n", shown_json(told.detail, MOST_TEXT_BYTES));
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

/// Whole lines, so that no half of a command is pasted.
fn cut(mut text: String) -> String {
    if text.len() > MOST_MESSAGE_BYTES {
        text.truncate(text.floor_char_boundary(MOST_MESSAGE_BYTES));
        text.truncate(text.rfind('\n').unwrap_or(text.len()));
        text.push_str(CUT_NOTE);
    }
    text
}

/// The top of the message.
fn screen(told: &Told) -> Screen {
    let mut screen = match told.event {
        Event::Approval => approval(told),
        Event::LoadTest => load_test(told),
        Event::NotStarted => not_started(told),
        Event::Started => started(told),
        Event::Step => step(told),
        Event::Holding => holding(told),
        Event::Finished => finished(told),
        Event::RolledBack => rolled_back(told),
        Event::Stuck => stuck(told),
        Event::Held => held(told),
        Event::Unfinished => unfinished(told),
        Event::Changed => changed(told),
        Event::Trouble => trouble(told),
        Event::Closed => closed(told),
    };
    screen.lists.push(("Not done, or not as it should be".to_owned(), told::not_done(told.detail)));
    screen.rest.extend(report(told));
    screen.end = format!("\nRun: {}\n", shown(told.run_id, MOST_ARN_BYTES));
    screen
}

/// A heading with a command below it.
fn gesture(heading: &str, command: &str) -> String {
    format!("\n{heading}\n  {command}\n")
}

/// Where the run's report is. An address of ours: what is none, or has room for words, is not told as one.
fn report(told: &Told) -> Option<String> {
    let link = told.detail["report"].as_str().filter(|link| link.len() <= MOST_LINK_BYTES && is_address(link));
    link.map(|link| format!("\nReport: {link}\n"))
}

/// Of the console (`report`'s `store`): one word of the characters of bucket and key.
fn is_address(link: &str) -> bool {
    link.starts_with("https://") && link.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/?&=".contains(c))
}

fn why(told: &Told, field: &str, before: &str) -> String {
    told::reason(&told.detail[field]).map(|why| format!("{before}{why}\n")).unwrap_or_default()
}

fn not_started(told: &Told) -> Screen {
    let why_not = match told.detail["ending"].as_str() {
        Some("InvalidPlan") => "its plan is wrong",
        Some("Rejected") => "those who were asked said no, nothing in time, or not who they are",
        Some("Conflict") => "another run holds the application or a route",
        Some("LineStopped") => "the line is stopped",
        _ => "the environment is not what the plan says, or could not be observed",
    };
    let name = told::application(told.application);
    let failure = &told.detail["failure"];
    let failed = ["state", "error", "cause"].map(|part| failure[part].as_str().unwrap_or_default()).join(": ");
    let why = if failure.is_object() { why_of(&failed) } else { String::new() };
    Screen {
        top: format!("The cutover of {name} was not started: {why_not}. Nothing was touched.\n{why}"),
        lists: vec![("Precheck found".to_owned(), told::findings(told.detail))],
        ..Screen::default()
    }
}

fn why_of(text: &str) -> String {
    told::reason(&Value::from(text)).map(|why| format!("What failed: {why}\n")).unwrap_or_default()
}

fn started(told: &Told) -> Screen {
    let name = told::application(told.application);
    let steps = told::items(&told.detail["steps"]).len();
    let steps =
        if steps == 0 { String::new() } else { format!(" It has {steps} step{}.", if steps == 1 { "" } else { "s" }) };
    Screen {
        top: format!("The cutover of {name} has started.{steps}\n"),
        lists: vec![("Precheck warned of".to_owned(), told::findings(told.detail))],
        bottom: gesture("To stop it, which rolls it back:", &gestures::stop(told.run_id)),
        ..Screen::default()
    }
}

fn step(told: &Told) -> Screen {
    let Told { detail, .. } = told;
    let name = told::application(told.application);
    let taken = match (detail["title"].as_str(), detail["new_weight"].as_u64()) {
        (Some(_), Some(new_weight)) => format!(":\n- {}: the new side gets {new_weight} %", told::title(detail)),
        _ => String::new(),
    };
    let hold = detail["hold_seconds"].as_u64().map(|seconds| format!(", held for {}", Seconds(seconds)));
    Screen {
        top: format!("The cutover of {name} has taken a step{taken}{}.\n", hold.unwrap_or_default())
            + &why(told, "live", "It is now: "),
        bottom: gesture("To stop it, which rolls it back:", &gestures::stop(told.run_id)),
        ..Screen::default()
    }
}

#[cfg(test)]
mod tests;
