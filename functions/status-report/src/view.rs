//! What stands on the page and in the texts of one run: every value as a person reads it. Pure.

use cutover::Seconds;
use jiff::Timestamp;
use messages::when;
use serde::Serialize;

use crate::issues::About;
use crate::measured::Measured;
use crate::recovery::Recovery;
use crate::risk::{Level, Risk};
use crate::routes::RouteStatus;
use crate::standing::{Group, Standing};
use crate::status::{Settings, Status};
use crate::work::Milestone;

/// How often a browser asks for the page again, in seconds.
const REFRESH_SECONDS: u32 = 60;
/// So many lines of a list are on a page; the JSON has all.
const MOST_LINES: usize = 60;

/// A page, or a text, about one run.
#[derive(Clone, Debug, Serialize)]
pub struct RunView {
    /// The application.
    pub application: String,
    /// The ARN of the run.
    pub run_id: String,
    /// The execution's name.
    pub execution: String,
    /// How it stands, in words.
    pub standing: &'static str,
    /// `good`, `note`, `bad` or `plain`.
    pub class: &'static str,
    /// What it does now.
    pub activity: String,
    /// The share of work that is done.
    pub percent: Option<u8>,
    /// Names and values.
    pub facts: Vec<(&'static str, String)>,
    /// The risk, where there is one.
    pub risk: Option<RiskView>,
    /// What comes and has come.
    pub milestones: Vec<MilestoneView>,
    /// Title, weight or how it is, share, and why the share was not judged.
    pub routes: Vec<[String; 4]>,
    /// Of the rollback.
    pub recovery: Vec<(&'static str, String)>,
    /// Kind and text, of what somebody may have to see to.
    pub issues: Vec<(&'static str, String)>,
    /// What stands above them.
    pub issues_heading: &'static str,
    /// What people have decided.
    pub decisions: Vec<String>,
    /// What cleanup kept, and why, and how it is deleted.
    pub kept: Vec<String>,
    /// Heading and lines.
    pub measured: Vec<(String, Vec<String>)>,
    /// When this was so, and what comes next of it.
    pub when: WhenView,
}

/// The risk.
#[derive(Clone, Debug, Serialize)]
pub struct RiskView {
    /// In a word.
    pub level: &'static str,
    /// Its class.
    pub class: &'static str,
    /// Level, class and text.
    pub reasons: Vec<(&'static str, &'static str, String)>,
    /// What is not known.
    pub not_known: Vec<String>,
}

/// A milestone.
#[derive(Clone, Debug, Serialize)]
pub struct MilestoneView {
    /// What.
    pub what: String,
    /// `done`, `next`, `later`, or `missed`, which does not come any more.
    pub state: &'static str,
    /// Whether it is a limit.
    pub is_limit: bool,
    /// Whether people hold it.
    pub is_held: bool,
    /// By the first plan.
    pub planned: String,
    /// When it was, or is not before.
    pub comes: String,
}

/// When a page was written.
#[derive(Clone, Debug, Serialize)]
pub struct WhenView {
    /// When.
    pub written: String,
    /// By when the next one comes; none where none does.
    pub next: Option<String>,
    /// How often a browser asks again, in seconds; none where nothing more comes.
    pub refresh_seconds: Option<u32>,
}

/// Shows times in a zone, beside a moment.
pub(crate) struct Clock<'a> {
    pub(crate) zone: &'a str,
    pub(crate) at: Timestamp,
}

impl Clock<'_> {
    pub(crate) fn near(&self, at: Timestamp) -> String {
        when::near(at, self.at, self.zone)
    }

    /// What is expected then, and not before people do what comes first: `once resumed, not before 08:20`.
    pub(crate) fn after(&self, after: Option<&String>, at: Timestamp) -> String {
        let near = self.near(at);
        after.map_or(near.clone(), |after| format!("{after}, not before {near}"))
    }

    pub(crate) fn maybe(&self, at: Option<Timestamp>) -> String {
        at.map(|at| self.near(at)).unwrap_or_default()
    }

    pub(crate) fn page(&self, next_at: Option<Timestamp>) -> WhenView {
        WhenView {
            written: when::in_zone(self.at, self.zone, cutover::plan::Language::En),
            next: next_at.map(|next| self.near(next)),
            refresh_seconds: next_at.map(|_| REFRESH_SECONDS),
        }
    }
}

/// The class of a level.
pub(crate) fn class_of(level: Level) -> &'static str {
    match level {
        Level::Low => "good",
        Level::Unknown | Level::Medium => "note",
        Level::High | Level::Critical => "bad",
    }
}

pub(crate) fn class(standing: Standing) -> &'static str {
    match standing.group() {
        Group::Stuck => "bad",
        Group::Waiting => "note",
        Group::Done => "good",
        Group::RolledBack | Group::Other => "plain",
        Group::Running if standing == Standing::RollingBack => "bad",
        Group::Running => "run",
    }
}

pub(crate) fn execution(run_id: &str) -> String {
    cutover::arn::execution_name(run_id).to_owned()
}

/// `12m later than planned`; nothing where it is not known.
pub(crate) fn slip(seconds: Option<i64>) -> String {
    let told = |seconds: i64| match (seconds, Seconds(seconds.unsigned_abs())) {
        (-59..=59, _) => "as planned".to_owned(),
        (late, by) if late > 0 => format!("{} later than planned", to_minutes(by)),
        (_, by) => format!("{} earlier than planned", to_minutes(by)),
    };
    seconds.map(told).unwrap_or_default()
}

/// Seconds are of no use in a forecast.
fn to_minutes(seconds: Seconds) -> Seconds {
    Seconds(seconds.0 / 60 * 60)
}

/// One run.
pub fn run(status: &Status, settings: &Settings) -> RunView {
    let clock = Clock { zone: &settings.time_zone, at: status.at };
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    let mut add = |name, value: String| {
        if !value.is_empty() {
            facts.push((name, value));
        }
    };
    add("Wave", status.wave.clone().unwrap_or_default());
    add("Phase", status.phase.clone().unwrap_or_else(|| "not claimed".to_owned()).replace('_', " "));
    add("So since", clock.maybe(status.since));
    add("Began", clock.maybe(status.began_at));
    add("Ended", clock.maybe(status.ended_at));
    let is_held = status.standing.goes_on().is_some();
    let so_far = if is_held && status.slip_seconds.is_some() { " so far" } else { "" };
    add("Against the first plan", format!("{}{so_far}", slip(status.slip_seconds)));
    let moves = if status.standing == Standing::LineStopped { ", and later while the line stands" } else { "" };
    add("Deadline", status.deadline_at.map(|at| format!("{}{moves}", clock.near(at))).unwrap_or_default());
    if let Some(work) = status.work.filter(|work| work.percent < 100) {
        add("Planned work left", Seconds(work.planned_seconds - work.done_seconds).to_string());
    }
    if let Some(availability) = &status.measured.availability {
        add("Availability of the new side, as measured", format!("{} %", availability.percent));
    }
    let of = |is: &dyn Fn(About) -> bool| status.issues.iter().filter(|issue| is(issue.about)).collect::<Vec<_>>();
    let texts = |kind: About| of(&|about| about == kind).into_iter().map(|issue| issue.text.clone()).collect();
    let issues = of(&About::is_issue);
    RunView {
        application: status.application.clone(),
        execution: execution(&status.run_id),
        run_id: status.run_id.clone(),
        standing: status.standing.words(),
        class: class(status.standing),
        activity: status.activity.clone(),
        percent: status.work.map(|work| work.percent),
        facts,
        risk: status.risk.as_ref().map(risk),
        milestones: milestones(&status.milestones, &clock),
        routes: status.routes.iter().map(route).collect(),
        recovery: status.recovery.as_ref().map(|recovery| recovered(recovery, status, &clock)).unwrap_or_default(),
        issues: issues.into_iter().map(|issue| (issue.about.words(), issue.text.clone())).collect(),
        issues_heading: match status.standing {
            Standing::NotStarted => "What was found",
            standing if standing.is_open() => "Open issues",
            _ => "Left, or not done",
        },
        decisions: texts(About::Decision),
        kept: texts(About::Kept),
        measured: measured(&status.measured, &clock),
        when: clock.page(status.next_at),
    }
}

fn risk(risk: &Risk) -> RiskView {
    let reason = |reason: &crate::risk::Reason| (reason.level.as_str(), class_of(reason.level), reason.text.clone());
    RiskView {
        level: risk.level.as_str(),
        class: class_of(risk.level),
        reasons: risk.reasons.iter().map(reason).collect(),
        not_known: risk.not_known.clone(),
    }
}

fn milestones(milestones: &[Milestone], clock: &Clock) -> Vec<MilestoneView> {
    let next = milestones.iter().position(|one| one.reached_at.is_none() && one.expected_at.is_some());
    let view = |(place, one): (usize, &Milestone)| {
        let comes = |expected| match (&one.after, one.is_limit) {
            (_, true) => format!("by {}", clock.near(expected)),
            (after, _) => clock.after(after.as_ref(), expected),
        };
        let (state, comes) = match (one.reached_at, one.expected_at) {
            (Some(reached), _) => ("done", clock.near(reached)),
            (None, Some(expected)) if Some(place) == next => ("next", comes(expected)),
            (None, Some(expected)) => ("later", comes(expected)),
            (None, None) if one.is_asked => ("missed", "asked for, and not known whether users had it".to_owned()),
            (None, None) => ("missed", "not reached".to_owned()),
        };
        MilestoneView {
            what: one.what.clone(),
            state,
            is_limit: one.is_limit,
            is_held: one.after.is_some(),
            planned: clock.maybe(one.planned_at),
            comes,
        }
    };
    milestones.iter().enumerate().take(MOST_LINES).map(view).collect()
}

fn route(route: &RouteStatus) -> [String; 4] {
    let percent = |value: Option<String>| value.map(|value| format!("{value} %")).unwrap_or_default();
    let share = route.share_seen_percent.map(|share| format!("{share:.1}"));
    let live = route.live.as_ref().map(|live| format!("not put back: at {live} when the rollback ended"));
    let weight = live.unwrap_or_else(|| percent(route.new_weight_percent.map(|weight| weight.to_string())));
    let not_judged = route.share_not_judged.as_ref().map(|why| format!("not judged: {why}"));
    [route.title.clone(), weight, percent(share), not_judged.unwrap_or_default()]
}

fn recovered(recovery: &Recovery, status: &Status, clock: &Clock) -> Vec<(&'static str, String)> {
    let mut lines = vec![("Rollbacks begun", recovery.attempts.to_string())];
    lines.push(("Went back", clock.maybe(recovery.began_at)));
    lines.push(("Traffic back", clock.maybe(recovery.traffic_back_at)));
    lines.push(("Ended", clock.maybe(recovery.ended_at)));
    // Whoever released it may have put it back by hand: nobody has looked.
    let is_released = status.standing == Standing::Released;
    lines.extend(is_released.then(|| ("Traffic back", "not by the rollback".to_owned())));
    let so_far = if recovery.traffic_back_at.is_none() && status.is_open() { " so far" } else { "" };
    let took = recovery.recovery_seconds.map(|seconds| format!("{}{so_far}", Seconds(seconds)));
    lines.push(("Recovery time", took.unwrap_or_default()));
    let against = match (recovery.objective_seconds, recovery.is_met) {
        (None, _) => "no objective is set".to_owned(),
        (Some(seconds), Some(true)) => format!("{}, met", Seconds(seconds)),
        (Some(seconds), Some(false)) => format!("{}, missed", Seconds(seconds)),
        (Some(seconds), None) if status.is_open() => format!("{}, open", Seconds(seconds)),
        (Some(seconds), None) => format!("{}, not known whether met", Seconds(seconds)),
    };
    lines.push(("Objective", against));
    lines.retain(|(_, value)| !value.is_empty());
    lines
}

fn measured(measured: &Measured, clock: &Clock) -> Vec<(String, Vec<String>)> {
    let availability = measured.availability.as_ref().map(|one| {
        let of = one.requests.map(|requests| format!(" of {requests} requests")).unwrap_or_default();
        format!("{} %{of}, counted by {}", one.percent, one.counted_by)
    });
    let one = |line: &Option<String>| line.iter().cloned().collect::<Vec<_>>();
    let which = if measured.failed_at.is_some() { "the last look that was well" } else { "the last look" };
    let headed = |what: &str, at: Option<Timestamp>| {
        at.map_or_else(|| what.to_owned(), |at| format!("{what}, {}", clock.near(at)))
    };
    let failed = headed("Wrong at the last look", measured.failed_at);
    let looked = headed(&format!("Checks, at {which}"), measured.checked_at);
    let all = vec![
        ("Availability of the new side", one(&availability)),
        (failed.as_str(), measured.failed.clone()),
        (looked.as_str(), measured.checks.clone()),
        ("Load test", one(&measured.load_test)),
        ("Replication", one(&measured.replication)),
        ("The old side before", measured.baseline.clone()),
    ];
    let told = all.into_iter().filter(|(_, lines)| !lines.is_empty());
    told.map(|(heading, lines)| (heading.to_owned(), lines)).collect()
}
