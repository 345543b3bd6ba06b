//! What happened, as `tell` is given it: values, which `messages` puts into words. Pure.

use cutover::arn::object_in_console;
use cutover::plan::Format;
use cutover::told::{Told, timeline};
use jiff::Timestamp;
use serde_json::{Value, json};
use waves::WavePlan;
use waves::plan::{Announcement, Member};

use crate::decide::{Run, Seen, during_next, next_message};
use crate::milestone::Milestone;
use crate::state::{News, Period, State, What};

/// So many applications, and red ones, are told; the rest is counted.
const MOST: usize = 40;
/// What is told later than this was due is told late, in seconds.
const LATE_SECONDS: i64 = 2 * 3600;

/// What a message is made of, besides the timeline.
#[derive(Clone, Debug)]
pub struct Around<'a> {
    /// The wave as it is scheduled; none where it has no date any more.
    pub plan: Option<&'a WavePlan>,
    /// When its window closes.
    pub closes: Option<Timestamp>,
    /// What was seen of it.
    pub seen: &'a Seen,
    /// How its run stands, as the wave tells it: `counts`, `count`, `began_at`, `ended_at`. Null where it has not begun.
    pub run: Value,
    /// The bucket of reports.
    pub bucket: &'a str,
    /// The execution that tells, and the machine: people start that to say something.
    pub execution_arn: &'a str,
    /// The machine's ARN.
    pub machine_arn: &'a str,
}

/// What is told of a wave.
pub fn told(state: &State, news: &News, around: &Around<'_>) -> Told {
    let event = match news.what {
        What::Milestone { .. } => timeline::MILESTONE,
        What::Check { .. } => timeline::CHECK,
        What::Reminder(_) => timeline::REMINDER,
        What::During => timeline::DURING,
        What::Moved { .. } => timeline::MOVED,
        What::Digest(_) => timeline::DIGEST,
    };
    let mut detail = common(state, around);
    add(&mut detail, of_news(state, news, around));
    Told {
        run_id: state.wave.clone(),
        application: state.wave.clone(),
        event: event.to_owned(),
        at: news.at,
        detail,
        stakeholders: Some(state.stakeholders.clone()),
        ask: None,
    }
}

/// What a programme has done and what comes: the same of whichever wave's timeline tells it.
pub fn digest(state: &State, said: Value, period: Period, at: Timestamp) -> Told {
    let mut detail = said;
    let open: usize = state.open_checklists().map(|milestone| open_items(state, milestone)).sum();
    let more = json!({ "severity": "info", "formats": [period.format()], "red": state.checks.red.len(), "open_items": open, "figures": figures(state) });
    add(&mut detail, more);
    Told {
        run_id: format!("programme {} {}", state.portfolio, period.format()),
        application: state.portfolio.clone(),
        event: timeline::DIGEST.to_owned(),
        at,
        detail,
        stakeholders: Some(state.stakeholders.clone()),
        ask: None,
    }
}

fn add(detail: &mut Value, more: Value) {
    if let (Some(detail), Value::Object(more)) = (detail.as_object_mut(), more) {
        detail.extend(more);
    }
}

fn common(state: &State, around: &Around<'_>) -> Value {
    let none = Announcement::default();
    let said = around.plan.map_or(&none, |plan| &plan.announcement);
    let page = || object_in_console(around.execution_arn, around.bucket, &format!("waves/{}.html", state.wave));
    let members = around.plan.map_or(&[][..], |plan| &plan.applications);
    json!({
        "severity": "info",
        "opens": state.opens,
        "closes": around.closes.filter(|_| state.opens.is_some()),
        "count": members.len(),
        "applications": members.iter().take(MOST).map(planned).collect::<Vec<_>>(),
        "contact": said.contact,
        "stays": said.stays,
        "expected_downtime_seconds": said.expected_downtime.map(|downtime| downtime.0),
        "watch": said.watch.clone().or_else(|| around.plan.filter(|_| state.single.is_none()).map(|_| page())),
        "survey": said.survey,
        "red": state.checks.red.iter().take(MOST).map(|(name, why)| json!({ "name": name, "why": why })).collect::<Vec<_>>(),
        "checked": state.checks.checked,
        "unknown": state.checks.unknown.len(),
        "figures": figures(state),
        "machine_arn": around.machine_arn,
        "is_single": state.single.is_some(),
    })
}

fn planned(member: &Member) -> Value {
    json!({
        "name": member.name,
        "owner": member.owner,
        "strategy": member.strategy,
        "takes_seconds": member.takes.map(|takes| takes.0),
    })
}

fn figures(state: &State) -> Vec<Value> {
    let told = |(name, figure): (&String, &crate::state::Figure)| json!({ "figure": name, "value": figure.value, "by": figure.by });
    state.figures.iter().map(told).collect()
}

fn of_news(state: &State, news: &News, around: &Around<'_>) -> Value {
    let next = |formats: &[Format]| {
        let zone = &around.seen.time_zone;
        let all = formats.iter().filter_map(|format| next_message(state, format.name(), zone, news.at));
        all.min()
    };
    let everybody = || next(&[Format::Detailed]);
    let warned = |is: bool| if is { "warning" } else { "info" };
    match &news.what {
        What::Milestone { is, due_at, passed_over } => {
            let (mut detail, is_red) = (json!({}), !state.checks.red.is_empty());
            if matches!(is, Milestone::Start | Milestone::DayAfter) {
                add(&mut detail, run(around));
            }
            let is_warned = *is == Milestone::Start || *is == Milestone::DayBefore && is_red;
            add(
                &mut detail,
                json!({
                    "severity": warned(is_warned),
                    "milestone": is,
                    "due_at": due_at,
                    "is_late": news.at.duration_since(*due_at).as_secs() > LATE_SECONDS,
                    "passed_over": passed_over,
                    "checklist": checklists(state, around, |milestone| milestone == *is || passed_over.contains(&milestone)),
                    "next_at": everybody(),
                }),
            );
            detail
        }
        What::Check { red, green } => json!({
            "severity": warned(!red.is_empty()),
            "formats": [Format::Technical, Format::Summary],
            "turned_red": red.iter().take(MOST).collect::<Vec<_>>(),
            "turned_green": green.iter().take(MOST).collect::<Vec<_>>(),
            "next_at": everybody(),
        }),
        What::Reminder(milestone) => json!({
            "severity": "warning",
            "formats": [Format::Technical],
            "checklist": checklists(state, around, |other| other == *milestone),
            "next_at": next(&[Format::Technical]),
        }),
        What::During => {
            let mut detail = run(around);
            add(&mut detail, json!({ "next_at": during_next(around.seen, news.at) }));
            detail
        }
        What::Moved { was } => json!({ "severity": "warning", "was": was, "next_at": everybody() }),
        What::Digest(_) => json!({}),
    }
}

/// How its run stands.
fn run(around: &Around<'_>) -> Value {
    let mut detail = around.run.clone();
    if !detail.is_object() {
        detail = json!({});
    }
    let has_run = around.seen.run != Run::NotBegun;
    add(&mut detail, json!({ "has_run": has_run, "is_over": around.seen.run == Run::Over }));
    detail
}

/// The items of checklists, with their owners and whether they are done.
fn checklists(state: &State, around: &Around<'_>, wanted: impl Fn(Milestone) -> bool) -> Vec<Value> {
    let owners = around.plan.map_or(&[][..], |plan| &plan.announcement.owners);
    let all = Milestone::ALL.into_iter().filter(|milestone| wanted(*milestone));
    let item = |milestone: Milestone, item: &crate::milestone::Item| {
        let owner = owners.iter().find(|owner| owner.item == item.name).map_or(item.owner, |owner| &owner.owner);
        json!({
            "item": item.name,
            "what": item.what,
            "owner": owner,
            "due_at": state.opens.map(|opens| milestone.items_due(opens)),
            "done_by": state.ticks.get(item.name).map(|tick| &tick.by),
            "done_at": state.ticks.get(item.name).map(|tick| tick.at),
        })
    };
    all.flat_map(|milestone| milestone.items().iter().map(move |one| item(milestone, one))).collect()
}

fn open_items(state: &State, milestone: Milestone) -> usize {
    milestone.items().iter().filter(|item| !state.ticks.contains_key(item.name)).count()
}
