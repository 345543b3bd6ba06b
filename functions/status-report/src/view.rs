//! What stands on the pages and in the texts: every value as a person reads it. Pure.

use cutover::Seconds;
use jiff::Timestamp;
use messages::when;
use serde::Serialize;

use crate::measured::Measured;
use crate::portfolio::{Entry, Portfolio};
use crate::recovery::Recovery;
use crate::risk::{Level, Risk};
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
    /// Title, weight, share.
    pub routes: Vec<[String; 3]>,
    /// Of the rollback.
    pub recovery: Vec<(&'static str, String)>,
    /// Kind and text.
    pub issues: Vec<(&'static str, String)>,
    /// Heading and lines.
    pub measured: Vec<(&'static str, Vec<String>)>,
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

/// All runs.
#[derive(Clone, Debug, Serialize)]
pub struct AllView {
    /// Whether any run is open.
    pub is_open: bool,
    /// How many are.
    pub open: usize,
    /// The worst level, and its class.
    pub risk: Option<(&'static str, &'static str)>,
    /// The share of all work that is done.
    pub percent: Option<u8>,
    /// Name and count.
    pub counts: Vec<(&'static str, usize)>,
    /// The runs.
    pub runs: Vec<LineView>,
    /// When this was so.
    pub when: WhenView,
}

/// A run in a line.
#[derive(Clone, Debug, Serialize)]
pub struct LineView {
    /// The application.
    pub application: String,
    /// The wave that it is a part of; nothing where it is of none.
    pub wave: String,
    /// The execution's name.
    pub execution: String,
    /// The page, from the page of all runs.
    pub href: String,
    /// How it stands.
    pub standing: &'static str,
    /// Its class.
    pub class: &'static str,
    /// What it does.
    pub activity: String,
    /// The share of work that is done.
    pub percent: Option<u8>,
    /// The level of its risk, and its class.
    pub risk: Option<(&'static str, &'static str)>,
    /// Why.
    pub risk_reason: Option<String>,
    /// What comes next.
    pub next: String,
    /// Later or earlier than planned.
    pub slip: String,
    /// How many issues.
    pub issues: usize,
    /// When it ended.
    pub ended: String,
    /// How long its rollback took.
    pub recovery: String,
    /// When this was so, where that is not when the page was written.
    pub as_of: Option<String>,
}

/// Shows times in a zone, beside a moment.
struct Clock<'a> {
    zone: &'a str,
    at: Timestamp,
}

impl Clock<'_> {
    fn near(&self, at: Timestamp) -> String {
        when::near(at, self.at, self.zone)
    }

    fn maybe(&self, at: Option<Timestamp>) -> String {
        at.map(|at| self.near(at)).unwrap_or_default()
    }

    fn page(&self, next_at: Option<Timestamp>) -> WhenView {
        WhenView {
            written: when::in_zone(self.at, self.zone, cutover::plan::Language::En),
            next: next_at.map(|next| self.near(next)),
            refresh_seconds: next_at.map(|_| REFRESH_SECONDS),
        }
    }
}

/// The class of a level.
fn class_of(level: Level) -> &'static str {
    match level {
        Level::Low => "good",
        Level::Unknown | Level::Medium => "note",
        Level::High | Level::Critical => "bad",
    }
}

fn class(standing: Standing) -> &'static str {
    match standing.group() {
        Group::Stuck => "bad",
        Group::Waiting => "note",
        Group::Done => "good",
        Group::RolledBack | Group::Other => "plain",
        Group::Running if standing == Standing::RollingBack => "bad",
        Group::Running => "run",
    }
}

fn execution(run_id: &str) -> String {
    cutover::arn::execution_name(run_id).to_owned()
}

/// `12m later than planned`; nothing where it is not known.
fn slip(seconds: Option<i64>) -> String {
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
    add("Against the first plan", slip(status.slip_seconds));
    add("Deadline", clock.maybe(status.deadline_at));
    if let Some(work) = status.work.filter(|work| work.percent < 100) {
        add("Planned work left", Seconds(work.planned_seconds - work.done_seconds).to_string());
    }
    if let Some(availability) = &status.measured.availability {
        add("Availability of the new side, as measured", format!("{} %", availability.percent));
    }
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
        recovery: status.recovery.as_ref().map(|recovery| recovered(recovery, &clock)).unwrap_or_default(),
        issues: status.issues.iter().map(|issue| (issue.about.words(), issue.text.clone())).collect(),
        measured: measured(&status.measured),
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
        let limit = if one.is_limit { "by " } else { "" };
        let (state, comes) = match (one.reached_at, one.expected_at) {
            (Some(reached), _) => ("done", clock.near(reached)),
            (None, Some(expected)) if Some(place) == next => ("next", format!("{limit}{}", clock.near(expected))),
            (None, Some(expected)) => ("later", format!("{limit}{}", clock.near(expected))),
            (None, None) => ("missed", "not reached".to_owned()),
        };
        MilestoneView {
            what: one.what.clone(),
            state,
            is_limit: one.is_limit,
            planned: clock.maybe(one.planned_at),
            comes,
        }
    };
    milestones.iter().enumerate().take(MOST_LINES).map(view).collect()
}

fn route(route: &crate::status::RouteStatus) -> [String; 3] {
    let percent = |value: Option<String>| value.map(|value| format!("{value} %")).unwrap_or_default();
    let share = route.share_seen_percent.map(|share| format!("{share:.1}"));
    [route.title.clone(), percent(route.new_weight_percent.map(|weight| weight.to_string())), percent(share)]
}

fn recovered(recovery: &Recovery, clock: &Clock) -> Vec<(&'static str, String)> {
    let mut lines = vec![("Rollbacks begun", recovery.attempts.to_string())];
    lines.push(("Went back", clock.maybe(recovery.began_at)));
    lines.push(("Traffic back", clock.maybe(recovery.traffic_back_at)));
    lines.push(("Ended", clock.maybe(recovery.ended_at)));
    let so_far = if recovery.traffic_back_at.is_none() { " so far" } else { "" };
    let took = recovery.recovery_seconds.map(|seconds| format!("{}{so_far}", Seconds(seconds)));
    lines.push(("Recovery time", took.unwrap_or_default()));
    let against = match (recovery.objective_seconds, recovery.is_met) {
        (None, _) => "no objective is set".to_owned(),
        (Some(seconds), Some(true)) => format!("{}, met", Seconds(seconds)),
        (Some(seconds), Some(false)) => format!("{}, missed", Seconds(seconds)),
        (Some(seconds), None) => format!("{}, open", Seconds(seconds)),
    };
    lines.push(("Objective", against));
    lines.retain(|(_, value)| !value.is_empty());
    lines
}

fn measured(measured: &Measured) -> Vec<(&'static str, Vec<String>)> {
    let availability = measured.availability.as_ref().map(|one| {
        let of = one.requests.map(|requests| format!(" of {requests} requests")).unwrap_or_default();
        format!("{} %{of}, counted by {}", one.percent, one.counted_by)
    });
    let one = |line: &Option<String>| line.iter().cloned().collect::<Vec<_>>();
    let all = vec![
        ("Availability of the new side", one(&availability)),
        ("Checks, at the last look", measured.checks.clone()),
        ("Load test", one(&measured.load_test)),
        ("Replication", one(&measured.replication)),
        ("The old side before", measured.baseline.clone()),
    ];
    all.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
}

/// All runs.
pub fn all(portfolio: &Portfolio, settings: &Settings) -> AllView {
    let clock = Clock { zone: &settings.time_zone, at: portfolio.at };
    let counts = portfolio.counts;
    let counts = [
        ("done", counts.done),
        ("running", counts.running),
        ("waiting", counts.waiting),
        ("stuck or held", counts.stuck),
        ("rolled back", counts.rolled_back),
        ("not started or released", counts.other),
    ];
    AllView {
        is_open: portfolio.open > 0,
        open: portfolio.open,
        risk: portfolio.risk.map(|level| (level.as_str(), class_of(level))),
        percent: portfolio.work.map(|work| work.percent),
        counts: counts.into(),
        runs: portfolio.runs.iter().map(|entry| line(entry, &clock)).collect(),
        when: clock.page(portfolio.next_at),
    }
}

fn line(entry: &Entry, clock: &Clock) -> LineView {
    let next = entry.next.as_ref().and_then(|next| Some(format!("{}: {}", clock.near(next.expected_at?), next.what)));
    let recovery = entry.recovery_seconds.map(|seconds| {
        let met = match entry.is_recovery_met {
            Some(true) => ", objective met",
            Some(false) => ", objective missed",
            None => "",
        };
        format!("{}{met}", Seconds(seconds))
    });
    LineView {
        application: entry.application.clone(),
        wave: entry.wave.clone().unwrap_or_default(),
        execution: execution(&entry.run_id),
        href: entry.page.strip_prefix("status/").unwrap_or(&entry.page).to_owned(),
        standing: entry.standing.words(),
        class: class(entry.standing),
        activity: entry.activity.clone(),
        percent: entry.work.map(|work| work.percent),
        risk: entry.risk.map(|level| (level.as_str(), class_of(level))),
        risk_reason: entry.risk_reason.clone(),
        next: next.unwrap_or_default(),
        slip: slip(entry.slip_seconds),
        issues: entry.issues,
        ended: clock.maybe(entry.ended_at),
        recovery: recovery.unwrap_or_default(),
        as_of: (entry.at != clock.at && entry.standing.is_open()).then(|| clock.near(entry.at)),
    }
}
