//! What a page says of a question: how it stands, what may be answered, what there is to know. Pure.

use cutover::Seconds;
use cutover::ask::{Answer, Choice, Effect, Handed, Kind, Question};
use cutover::error::name::INCONCLUSIVE;
use cutover::schedule::MOST_DECISIONS;
use cutover::text::{named, quoted};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use journal::Asked;
use links::Link;
use serde::Serialize;
use serde_json::Value;

use crate::decide::choices;

/// An application has 64 characters at the most.
const MOST_NAME_BYTES: usize = 64;
/// A name or reason that somebody gave: 1,000 characters, each of them escaped.
const MOST_SAID_BYTES: usize = 4_000;

/// What the template is filled with, beside the plan.
#[derive(Debug, Serialize)]
pub(crate) struct Words {
    title: String,
    class: &'static str,
    standing: String,
    sentences: Vec<String>,
    choices: Vec<Button>,
    again: bool,
    why: Option<String>,
    asks_findings: bool,
    findings: Vec<Finding>,
    steps: Vec<Step>,
    lists: Vec<List>,
    of_what: &'static str,
    recipient: String,
    has_commands: bool,
    ends_at: String,
}

/// What is pressed.
#[derive(Debug, Serialize)]
pub(crate) struct Button {
    name: &'static str,
    class: &'static str,
    label: &'static str,
}

#[derive(Debug, Serialize)]
struct Finding {
    class: &'static str,
    path: String,
    problem: String,
    fix: String,
}

/// Sentences under a heading.
#[derive(Debug, Serialize)]
struct List {
    title: String,
    items: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Step {
    title: String,
    new_weight: u64,
    hold: String,
}

impl Words {
    /// Of a question as it stands.
    pub(crate) fn of(asked: &Asked, link: &Link, now: Timestamp) -> Self {
        let Asked { question, answer, handed, .. } = asked;
        let detail = &question.detail;
        let (class, standing, sentences) = match answer {
            None => ("note", waits(question).to_owned(), open(question, now)),
            Some(answer) => answered(of_what(question.kind), answer, *handed),
        };
        let open = if answer.is_none() { choices(asked, link) } else { Vec::new() };
        Self {
            title: title(question),
            class,
            standing,
            sentences,
            choices: open.into_iter().map(button).collect(),
            again: answer.is_some() && handed.is_none(),
            why: text(&detail["why"]).map(|why| quoted(why, MOST_SAID_BYTES)),
            asks_findings: question.kind == Kind::Approval,
            findings: findings(detail),
            steps: steps(detail),
            lists: lists(detail),
            of_what: of_what(question.kind),
            recipient: of_whom(&link.recipient),
            // Whoever can answer without a link has the commands: those of the topic, and no group.
            has_commands: link.recipient.starts_with("topic."),
            ends_at: moment(question.ends_at),
        }
    }
}

fn title(question: &Question) -> String {
    let name = named(&question.application, MOST_NAME_BYTES);
    match question.kind {
        Kind::Approval => format!("May the cutover of {name} begin?"),
        Kind::LoadTest => format!("May the cutover of {name} go on in spite of its load test?"),
        Kind::Decision => format!("Does the cutover of {name} go on, or back?"),
        Kind::Wave => format!("May wave {name} begin?"),
        Kind::Programme => format!("May the waves of {name} be scheduled?"),
    }
}

/// What waits for the answer.
fn of_what(kind: Kind) -> &'static str {
    match kind {
        Kind::Approval | Kind::LoadTest | Kind::Decision => "run",
        Kind::Wave => "wave",
        Kind::Programme => "programme",
    }
}

fn is_inconclusive(question: &Question) -> bool {
    question.detail["why"].as_str().is_some_and(|why| why.starts_with(INCONCLUSIVE))
}

fn waits(question: &Question) -> &'static str {
    match question.kind {
        Kind::Approval | Kind::LoadTest | Kind::Wave | Kind::Programme => "It waits for a yes or a no.",
        Kind::Decision if is_inconclusive(question) => {
            "There is too little data to go on by, and somebody has to decide."
        }
        Kind::Decision => "A check failed, and somebody has to decide.",
    }
}

/// What is so while nobody has answered, and what silence does.
fn open(question: &Question, now: Timestamp) -> Vec<String> {
    let seconds = u64::try_from(question.ends_at.as_second() - now.as_second()).unwrap_or(0);
    let until = format!("{} ({} from now)", moment(question.ends_at), Seconds(seconds));
    let weight = question.detail["new_weight"].as_u64();
    match question.kind {
        Kind::Programme => vec![
            "Nothing is scheduled, or moved to another date, before a yes.".to_owned(),
            format!("A no, or no answer until {until}, leaves every schedule as it is."),
        ],
        Kind::Approval | Kind::Wave => vec![
            "Nothing was touched so far.".to_owned(),
            format!("A no, or no answer until {until}, ends it with nothing touched."),
        ],
        Kind::LoadTest => vec![
            "Its load test did not pass. No traffic has moved.".to_owned(),
            format!("A no, or no answer until {until}, rolls it back."),
        ],
        Kind::Decision => {
            let step = text(&question.detail["title"]).map(|title| format!(" of {}", quoted(title, 250)));
            let share = weight.map_or_else(String::new, |weight| format!(", with {weight} % on the new side"));
            vec![
                format!("Its step{} is held{share}. Traffic stays as it is.", step.unwrap_or_default()),
                format!("To go back, or no answer until {until}, rolls it back."),
            ]
            .into_iter()
            .chain(what_a_yes_does(question))
            .collect()
        }
    }
}

/// A yes is no promise to be left alone: what it begins, and how often it is asked.
fn what_a_yes_does(question: &Question) -> Option<String> {
    let yes = if question.detail["ends_step"].as_bool()? {
        "To go on ends the step with what is known of it, and takes the next."
    } else {
        "To go on begins the hold and its tests again; what fails then is asked again."
    };
    let of = MOST_DECISIONS;
    let asked =
        question.detail["asked"].as_u64().map(|asked| format!(" This is question {asked} of {of} at the most."));
    Some(format!("{yes}{}", asked.unwrap_or_default()))
}

/// Who answered what, and what became of it.
fn answered(what: &str, answer: &Answer, handed: Option<Handed>) -> (&'static str, String, Vec<String>) {
    let [by, why] = [&answer.by, &answer.why].map(|text| quoted(text, MOST_SAID_BYTES));
    let who = if answer.verified { "who had signed on" } else { "a name that nobody has verified" };
    let given = format!("{} by {by} ({who}), {}.", done(answer.choice), moment(answer.at));
    let reason = format!("Why: {why}");
    let by_link = format!("By the link for {}.", of_whom(&answer.recipient));
    let (class, became) = match handed {
        Some(Handed::Taken) if matches!(answer.choice.effect(), Effect::Succeed) => {
            ("good", format!("The {what} goes on by it."))
        }
        Some(Handed::Taken) => ("good", format!("The {what} ends, or goes back, by it.")),
        Some(Handed::Late) => (
            "bad",
            format!(
                "It came too late and has changed nothing: nobody waited for it any more. The time was over, somebody had answered by \
                 the commands of the message, or the {what} was stopped."
            ),
        ),
        Some(Handed::TakenOrLate) => (
            "note",
            format!(
                "Nobody waits for an answer any more. Whether the {what} has taken this one in time, or the time was over before, is in \
                 its later messages and in its execution."
            ),
        ),
        None => ("note", format!("It is written, and whether the {what} has it is not known yet.")),
    };
    match handed {
        // Whoever reads one line only must not take it for what has happened.
        Some(Handed::Late) => (class, "An answer came too late.".to_owned(), vec![given, reason, by_link, became]),
        _ => (class, given, vec![reason, by_link, became]),
    }
}

fn done(choice: Choice) -> &'static str {
    match choice {
        Choice::Approve => "Approved",
        Choice::Reject => "Rejected",
        Choice::GoOn => "To go on, decided",
        Choice::GoBack => "To go back, decided",
        Choice::Acknowledge => "Acknowledged",
        Choice::Resolve => "Resolved",
        Choice::Tick => "Done",
    }
}

pub(crate) fn button(choice: Choice) -> Button {
    let (class, label) = match choice {
        Choice::Approve => ("yes", "Approve"),
        Choice::Reject => ("no", "Reject"),
        Choice::GoOn => ("yes", "Go on in spite of it"),
        Choice::GoBack => ("no", "Go back"),
        Choice::Acknowledge => ("yes", "I look after it"),
        Choice::Resolve => ("again", "It is over"),
        Choice::Tick => ("yes", "It is done"),
    };
    Button { name: choice.name(), class, label }
}

/// What precheck found, errors first.
fn findings(detail: &Value) -> Vec<Finding> {
    let mut findings: Vec<&Value> = detail["findings"].as_array().into_iter().flatten().collect();
    findings.sort_by_key(|finding| finding["severity"] != "error");
    let of = |value: &Value| text(value).unwrap_or_default().to_owned();
    let finding = |finding: &Value| Finding {
        class: if finding["severity"] == "error" { "error" } else { "warning" },
        path: of(&finding["path"]),
        problem: of(&finding["problem"]),
        fix: of(&finding["fix"]),
    };
    findings.into_iter().map(finding).collect()
}

fn steps(detail: &Value) -> Vec<Step> {
    let step = |step: &Value| Step {
        title: text(&step["title"]).unwrap_or("a route").to_owned(),
        new_weight: step["new_weight"].as_u64().unwrap_or_default(),
        hold: Seconds(step["hold_seconds"].as_u64().unwrap_or_default()).to_string(),
    };
    detail["steps"].as_array().into_iter().flatten().map(step).collect()
}

/// What the plan would change, and whatever else was written into the question.
fn lists(detail: &Value) -> Vec<List> {
    let changes = List { title: "What it would change".to_owned(), items: changes(detail) };
    let items = |list: &Value| {
        let items = list["items"].as_array().into_iter().flatten();
        items.filter_map(|item| text(item).map(str::to_owned)).collect()
    };
    let list = |list: &Value| List { title: text(&list["title"]).unwrap_or_default().to_owned(), items: items(list) };
    let others = detail["lists"].as_array().into_iter().flatten().map(list);
    std::iter::once(changes).chain(others).filter(|list| !list.items.is_empty()).collect()
}

/// What the plan would change: it was written by its author, so each line is a quotation.
fn changes(detail: &Value) -> Vec<String> {
    let lines = detail["changes"].as_array().into_iter().flatten().filter_map(text);
    lines.map(|line| quoted(line, MOST_SAID_BYTES)).collect()
}

/// `the topic cutovers`, `the group executives`.
pub(crate) fn of_whom(recipient: &str) -> String {
    match recipient.split_once('.') {
        Some((kind @ ("topic" | "group"), name)) => format!("the {kind} {}", named(name, 300)),
        _ => named(recipient, 300),
    }
}

/// `2026-11-27 05:00:00 UTC`.
pub(crate) fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%F %T UTC").to_string()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.trim().is_empty())
}
