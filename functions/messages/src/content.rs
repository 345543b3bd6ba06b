//! The words of a message, for a format: a headline, paragraphs, facts, lists, and when the next one comes.

use cutover::Seconds;
use cutover::dashboards;
use cutover::plan::{Format, Group, Moment};
use cutover::text::{named, quoted, shown};
use serde::Serialize;
use serde_json::{Value, json};

use crate::templates::Templates;
use crate::{digest, incident, lists, next, timeline, wave, when, why};
use cutover::told::{self, Told};

const MOST_REASON_BYTES: usize = 400;
pub(crate) const MOST_NAME_BYTES: usize = 64;
const MOST_ARN_BYTES: usize = 250;
/// The console's address of an object: a run's name has 80 characters (Step Functions quotas), a bucket's 63 (S3 user guide).
const MOST_LINK_BYTES: usize = 300;
pub(crate) const MOST_TITLE_BYTES: usize = 250;

/// What is said, before it is put into a channel's form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Content {
    /// The moment.
    pub moment: Moment,
    /// Whom it is for.
    pub group: String,
    /// In whose words.
    pub format: Format,
    /// What the messages of one run have in common, for subjects.
    pub stem: String,
    /// One word or two: `in progress`.
    pub state: String,
    /// What happened, in one line.
    pub headline: String,
    /// What there is to say about it.
    pub paragraphs: Vec<String>,
    /// Names and values.
    pub facts: Vec<(String, String)>,
    /// What there is more than one of.
    pub lists: Vec<List>,
    /// Commands that a person can run, each with what it does. For engineers.
    pub commands: Vec<(String, String)>,
    /// The page that answers, for those who may: an address of ours. It stands in a message as it is, and in no log.
    pub answer_link: Option<String>,
    /// What that address is shown as.
    pub answer_words: &'static str,
    /// When the next message comes.
    pub next: String,
    /// What the reader has to know of the message itself: that it may come twice, that a template failed.
    pub notes: Vec<String>,
    /// `info`, `warning` or `critical`.
    pub severity: &'static str,
    /// `trigger` where a person has to act, `resolve` where that is over, and `none` where neither is so.
    pub event_action: &'static str,
    /// The run.
    pub run_id: String,
    /// What that names: `Run`, `Incident`, `Wave`.
    pub label: &'static str,
}

/// A heading and items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct List {
    /// With how many there are.
    pub heading: String,
    /// As many as are shown.
    pub items: Vec<String>,
    /// How many are not.
    pub more: usize,
}

impl Content {
    /// What a group is told of a moment. `may_be_repeat`: an earlier sending of it has no known outcome.
    pub fn of(told: &Told, moment: Moment, group: &Group, may_be_repeat: bool, templates: &Templates) -> Self {
        let format = group.format();
        let application = named(&told.application, MOST_NAME_BYTES);
        let (words, failed) = templates.words(moment, &context(told, moment, group, &application));
        let mut notes = Vec::new();
        if may_be_repeat {
            notes.push("This may be a repeat: whether it was delivered before is not known.".to_owned());
        }
        notes.extend(
            failed.map(|why| format!("A template of your own could not be used, and this is the built-in one: {why}")),
        );
        let Parts { stem, state, facts, lists, commands, next, label } = parts(told, moment, group, &application);
        Self {
            moment,
            group: group.name.clone(),
            format,
            stem,
            state,
            headline: words.headline,
            paragraphs: words.paragraphs,
            facts,
            lists,
            commands,
            answer_link: None,
            answer_words: match moment {
                Moment::Incident => incident::PAGE,
                Moment::Timeline => timeline::PAGE,
                _ => "See what is asked, and answer",
            },
            next,
            notes,
            severity: told::severity(told, moment),
            event_action: told::event_action(moment, told.detail["status"] == "resolved"),
            run_id: shown(&told.run_id, MOST_ARN_BYTES),
            label,
        }
    }

    /// A subject or title: the stem, then what is so.
    pub fn subject(&self) -> String {
        format!("{}: {}", self.stem, self.state)
    }
}

/// Six digits that tell a run from the others of its application.
fn short(run_id: &str) -> String {
    cutover::contract::digest(run_id).chars().take(6).collect()
}

/// What differs between what is told of a run, an incident, a wave, and of what is before and after one.
pub(crate) struct Parts {
    pub(crate) stem: String,
    pub(crate) state: String,
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) lists: Vec<List>,
    pub(crate) commands: Vec<(String, String)>,
    pub(crate) next: String,
    pub(crate) label: &'static str,
}

fn parts(told: &Told, moment: Moment, group: &Group, application: &str) -> Parts {
    let format = group.format();
    match moment {
        Moment::Incident => Parts {
            stem: incident::stem(told, format),
            state: incident::state(told),
            facts: incident::facts(told, group),
            lists: incident::lists(told, group),
            commands: incident::commands(told, group),
            next: incident::next(told, group),
            label: "Incident",
        },
        Moment::Wave | Moment::WaveProgress => wave::parts(told, group, application),
        Moment::Timeline => timeline::parts(told, group, application),
        Moment::Digest => digest::parts(told, group, application),
        _ => Parts {
            stem: format!("{} of {application} ({})", noun(format), short(&told.run_id)),
            state: if is_released(&told.detail) { released(format) } else { state(moment, format) }.to_owned(),
            facts: facts(told, moment, group, application),
            lists: lists::of_run(told, format),
            commands: lists::commands(told, moment, group),
            next: next::sentence(told, moment, group),
            label: "Run",
        },
    }
}

pub(crate) fn noun(format: Format) -> &'static str {
    if format == Format::Detailed { "Maintenance" } else { "Cutover" }
}

/// Whether a person has ended the run with work left to do.
pub(crate) fn is_released(detail: &Value) -> bool {
    detail["released"] == true
}

fn released(format: Format) -> &'static str {
    if format == Format::Detailed { "over, with work left to do" } else { "released by a person" }
}

fn state(moment: Moment, format: Format) -> &'static str {
    let is_maintenance = format == Format::Detailed;
    match moment {
        Moment::ApprovalWanted if is_maintenance => "scheduled",
        Moment::ApprovalWanted => "approval wanted",
        Moment::NotStarted if is_maintenance => "cancelled",
        Moment::NotStarted => "not started",
        Moment::Started if is_maintenance => "in progress",
        Moment::Started => "started",
        Moment::StepReached if is_maintenance => "in progress",
        Moment::StepReached => "step reached",
        Moment::Verifying => "verifying",
        Moment::Holding => "on hold",
        Moment::TooLittleData if is_maintenance => "on hold",
        Moment::TooLittleData => "on hold, too little data",
        Moment::Succeeded => "completed",
        Moment::RolledBack if is_maintenance => "taken back",
        Moment::RolledBack => "rolled back",
        Moment::Stuck if is_maintenance => "takes longer than planned",
        Moment::Stuck => "needs a person now",
        Moment::Trouble if is_maintenance => "may not work as it should",
        Moment::Trouble => "trouble after completion",
        Moment::CleanupDone => "closed",
        Moment::Incident => "incident",
        Moment::Wave | Moment::WaveProgress => "wave",
        Moment::Timeline => "timeline",
        Moment::Digest => "digest",
    }
}

/// What templates know. Every text in it is fit to be shown as it is.
fn context(told: &Told, moment: Moment, group: &Group, application: &str) -> Value {
    match moment {
        Moment::Wave | Moment::WaveProgress => return wave::context(told, group, application),
        Moment::Timeline => return timeline::context(told, group, application),
        Moment::Digest => return digest::context(told, group, application),
        _ => {}
    }
    let detail = &told.detail;
    let duration = |field: &str| detail[field].as_u64().map(|seconds| Seconds(seconds).to_string());
    json!({
        "application": application,
        "format": group.format().name(),
        "group": group.name,
        "event": told.event,
        "at": when::shown(told.at, group),
        "new_weight": detail["new_weight"].as_u64(),
        "hold": duration("hold_seconds"),
        "within": duration("within_seconds"),
        "cleanup_after": duration("cleanup_after_seconds"),
        "why": reason(&detail["why"]),
        "found_wrong": detail["why"].as_str().is_some_and(why::is_found_wrong),
        "holds_on_failure": detail["holds_on_failure"] == true,
        "hold_reason": reason(&detail["hold"]),
        "not_started_because": detail["ending"].as_str().map(|ending| why::why_not_started(ending, &detail["failure"])),
        "what_failed": why::what_failed(&detail["failure"]),
        "steps": detail["steps"].as_array().map(Vec::len),
        "holds": next::holds(&detail["steps"]).map(|seconds| Seconds(seconds).to_string()),
        "left": detail["routes"].as_array().map(|things| things.iter().filter(|thing| thing["restored"] != true).count()),
        "released": is_released(detail),
        "by": reason(&detail["by"]),
        "removed": lists::is_told_of(detail, "removed"),
        "kept": lists::is_told_of(detail, "kept"),
        "kind": detail["kind"].as_str(),
        "title": if moment == Moment::Incident { Some(incident::title(told, group.format())) } else { plain(&detail["title"]) },
        "description": plain(&detail["description"]).filter(|_| incident::tells_all(told, group.format())),
        "last_said": last_said(told, group.format()),
        "slower": duration("slower_seconds"),
        "is_called_before": incident::is_called_before(told, group),
    })
}

pub(crate) fn reason(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(|text| quoted(text, MOST_REASON_BYTES))
}

pub(crate) fn plain(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(|text| shown(text, MOST_REASON_BYTES))
}

/// The newest thing that somebody said of an incident.
fn last_said(told: &Told, format: Format) -> Option<String> {
    let last = told.detail["updates"].as_array().and_then(|updates| updates.last())?;
    // How it ended, those who decide read too.
    let is_end = told.detail["kind"] == "end" && format == Format::Summary;
    let last = Some(last).filter(|last| is_end || incident::is_for(last, format))?;
    Some(format!("{}: {}", quoted(last["by"].as_str()?, MOST_NAME_BYTES), plain(&last["text"])?))
}

/// Where the run can be seen: its dashboard while it stands, and its report once it is written.
fn links(told: &Told, moment: Moment) -> Vec<(&'static str, String)> {
    let is_watched = matches!(
        moment,
        Moment::Started
            | Moment::StepReached
            | Moment::Verifying
            | Moment::Holding
            | Moment::TooLittleData
            | Moment::Succeeded
            | Moment::Stuck
            | Moment::Trouble
    );
    let dashboard = is_watched.then(|| dashboards::in_console(&told.run_id)).flatten();
    let report = told.detail["report"].as_str().filter(|link| link.len() <= MOST_LINK_BYTES && is_address(link));
    let links = [("Dashboard", dashboard), ("Report", report.map(str::to_owned))];
    links.into_iter().filter_map(|(name, link)| Some((name, link?))).collect()
}

/// Of the console: one word of the characters of bucket and key.
fn is_address(link: &str) -> bool {
    link.starts_with("https://") && link.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/?&=#".contains(c))
}

fn facts(told: &Told, moment: Moment, group: &Group, application: &str) -> Vec<(String, String)> {
    let detail = &told.detail;
    let mut facts = vec![("Application", application.to_owned()), ("Time", when::shown(told.at, group))];
    let ends = matches!(moment, Moment::Succeeded | Moment::RolledBack);
    facts.extend(wave::took(told).filter(|_| ends).map(|took| ("It took", took)));
    if group.format() == Format::Technical {
        facts.extend(detail["title"].as_str().map(|title| ("Route", shown(title, MOST_TITLE_BYTES))));
        facts.extend(reason(&detail["live"]).map(|live| ("It is now", live)));
    }
    if group.format() != Format::Detailed {
        facts.extend(detail["new_weight"].as_u64().map(|weight| ("Share of the new side", format!("{weight} %"))));
        facts.extend(links(told, moment));
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
