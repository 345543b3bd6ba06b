//! What stands on the page and in the texts of all runs: every value as a person reads it. Pure.

use cutover::Seconds;
use serde::Serialize;

use crate::portfolio::{Entry, Portfolio};
use crate::status::Settings;
use crate::view::{Clock, WhenView, class, class_of, execution, slip};

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
    let next = entry
        .next
        .as_ref()
        .and_then(|next| Some(format!("{}: {}", clock.after(next.after.as_ref(), next.expected_at?), next.what)));
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
