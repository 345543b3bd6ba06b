//! The wave's page: one file that a person can keep open, in the bucket of reports under `waves/<name>.html`, with the same as JSON beside it. Written
//! whenever something has changed; a page that cannot be written keeps nothing from moving.

use cutover::text::shown;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use waves::decide::Blocked;
use waves::state::{Is, Stage, State};
use waves::{Order, decide};

use crate::Clients;

const MOST_VALUE_BYTES: usize = 400;

/// What the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    wave: String,
    at: String,
    is_over: bool,
    headline: String,
    class: &'static str,
    notes: Vec<String>,
    settled: usize,
    percent: usize,
    counts: Vec<(&'static str, usize)>,
    members: Vec<MemberView>,
    stages: Vec<StageView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct StageView {
    number: usize,
    members: Vec<MemberView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct MemberView {
    name: String,
    owner: Option<String>,
    strategy: Option<String>,
    is: &'static str,
    class: &'static str,
    since: String,
    why: Vec<String>,
    needs: Vec<String>,
    together_with: Vec<String>,
}

/// In words, and in which colour.
fn words(is: Is) -> (&'static str, &'static str) {
    match is {
        Is::Waiting => ("waits", "plain"),
        Is::LeftBehind => ("left behind", "note"),
        Is::NotStarted => ("not started", "note"),
        Is::Checking => ("is checked", "run"),
        Is::Running => ("moves", "run"),
        Is::Moved => ("on its new side", "good"),
        Is::RollingBack => ("is put back", "bad"),
        Is::Back => ("exactly as before", "note"),
        Is::Refused => ("refused, nothing touched", "note"),
        Is::Stuck => ("needs a person", "bad"),
        Is::Done => ("done", "good"),
    }
}

/// What the page shows of a wave; `blocked` says what each application waits for.
pub fn view(order: &Order, state: &State, blocked: &[Option<Blocked>], at: Timestamp) -> View {
    let of_member = |place: usize| member(order, state, blocked.get(place).and_then(Option::as_ref), place);
    let last = order.members.iter().map(|placed| placed.stage).max().unwrap_or(0);
    let stages = (1..=last).map(|number| {
        let places = (0..order.members.len()).filter(|place| order.members[*place].stage == number);
        StageView { number, members: places.map(of_member).collect() }
    });
    let is_settled = |is: Is| !matches!(is, Is::Waiting | Is::Checking | Is::Running | Is::RollingBack);
    let settled = state.members.iter().filter(|member| is_settled(member.is)).count();
    let kinds = [
        Is::Moved,
        Is::Done,
        Is::Running,
        Is::Waiting,
        Is::RollingBack,
        Is::Back,
        Is::Refused,
        Is::LeftBehind,
        Is::NotStarted,
        Is::Stuck,
    ];
    let counts = kinds.map(|is| (words(is).0, state.members.iter().filter(|member| member.is == is).count()));
    let (headline, class) = headline(state);
    View {
        wave: order.wave.clone(),
        at: at.to_string(),
        is_over: state.stage == Stage::Over,
        headline,
        class,
        notes: notes(order, state),
        settled,
        percent: settled * 100 / state.members.len().max(1),
        counts: counts.into_iter().filter(|(_, count)| *count > 0).collect(),
        members: (0..order.members.len()).map(of_member).collect(),
        stages: stages.collect(),
    }
}

fn headline(state: &State) -> (String, &'static str) {
    use waves::ending::Ending;
    match (state.stage, state.ending) {
        (Stage::Over, Some(ending)) => {
            let class = match ending {
                Ending::Moved => "good",
                Ending::Stuck => "bad",
                _ => "note",
            };
            (ending.words().to_owned(), class)
        }
        (Stage::Checking, _) => ("every application is checked; nothing is touched".to_owned(), "run"),
        (Stage::Asking, _) => ("people are asked whether it may go".to_owned(), "note"),
        _ if state.goes_back.is_some() => ("everything is put back".to_owned(), "bad"),
        _ if state.line.is_some() => {
            ("the line is stopped: nothing new starts, and what runs holds its step".to_owned(), "note")
        }
        _ if state.paused.is_some() || state.stopped.is_some() => {
            ("nothing new starts; what runs goes on".to_owned(), "note")
        }
        _ => ("cutovers run".to_owned(), "run"),
    }
}

/// What people have said, and by when it has to be over.
fn notes(order: &Order, state: &State) -> Vec<String> {
    let said = [
        ("Let go by", &state.approval),
        ("Paused by", &state.paused),
        ("Stopped by", &state.stopped),
        ("Put back by", &state.goes_back),
    ];
    let line = |(words, said): (&str, &Option<waves::state::Said>)| {
        said.as_ref().map(|said| fit(&format!("{words} {}: {}", said.by, said.why)))
    };
    let closes = order.closes.map(|closes| format!("Its window closes at {closes}."));
    let stands = state.line.as_ref().filter(|_| state.stage != Stage::Over).map(|why| fit(&capitalised(why)));
    stands.into_iter().chain(said.into_iter().filter_map(line)).chain(closes).collect()
}

fn member(order: &Order, state: &State, blocked: Option<&Blocked>, place: usize) -> MemberView {
    let (placed, member) = (&order.members[place], &state.members[place]);
    let (is, class) = words(member.is);
    let names = |places: &[usize]| -> Vec<String> {
        let others = places.iter().filter(|other| **other != place);
        others.map(|other| order.members[*other].name.clone()).collect()
    };
    let waits_for =
        blocked.filter(|_| member.is == Is::Waiting && state.stage == Stage::Going).map(|blocked| match blocked {
            Blocked::ForNow(why) | Blocked::ForGood(why) => why.clone(),
        });
    let mut why: Vec<&String> = member.red.iter().chain(&member.lacks).chain(&member.why).chain(&waits_for).collect();
    why.dedup();
    let open = (0..placed.tasks.len()).filter(|task| !member.done.contains_key(task));
    let tasks = open.map(|task| format!("Task {}: {}", task + 1, placed.tasks[task].what));
    let held = member.is_held.then(|| "It holds its step while a freeze lasts.".to_owned());
    MemberView {
        name: placed.name.clone(),
        owner: placed.owner.as_deref().map(fit),
        strategy: placed.strategy.as_deref().map(fit),
        is,
        class,
        since: member.since.to_string(),
        why: why.into_iter().cloned().chain(held).chain(tasks).map(|line| fit(&line)).collect(),
        needs: names(&placed.needs),
        together_with: names(&placed.with),
    }
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

fn fit(text: &str) -> String {
    shown(text, MOST_VALUE_BYTES)
}

/// The page.
///
/// # Errors
/// A template that does not fit its values, which the tests show.
pub fn html(view: &View) -> StepResult<String> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    let page = templates.render_str(include_str!("../templates/wave.html"), view);
    page.map_err(|error| StepError::invalid(format!("the wave's page: {error:#}")))
}

/// Writes page and JSON, where something has changed. What cannot be written is logged.
pub(crate) async fn write(clients: &Clients, order: &Order, state: &State, line: &cutover::line::Line, at: Timestamp) {
    let view = view(order, state, &decide::blocked(order, state, line, at), at);
    let json = serde_json::to_string_pretty(&view).map_err(|error| StepError::invalid(error.to_string()));
    for (kind, content_type, text) in
        [("html", "text/html; charset=utf-8", html(&view)), ("json", "application/json", json)]
    {
        let key = format!("waves/{}.{kind}", order.wave);
        let written = match text {
            Ok(text) => bucket::put(&clients.s3, &clients.bucket, &key, content_type, text.into_bytes()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(key, "the wave's page was not written: {error}");
        }
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
