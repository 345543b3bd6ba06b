//! How a run is, as the JSON has it. Pure: what is known and a moment in, a status out, the same whenever it is made again.
//!
//! What is not known is absent, never zero.

use cutover::Plan;
use cutover::text::shown;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::issues::{Issue, issues};
use crate::known::Known;
use crate::measured::{Measured, measured};
use crate::recovery::{Recovery, recovery};
use crate::risk::{Level, Risk, risk};
use crate::routes::{RouteStatus, routes};
use crate::signs::signs;
use crate::standing::{Standing, activity, standing};
use crate::work::{self, Milestone, Work, later};

/// Of the form that is described here.
pub const VERSION: u32 = 1;
const MOST_NAME_BYTES: usize = 100;
pub(crate) const MOST_ARN_BYTES: usize = 250;

/// What the stack says of statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How often pages are written while a run is open, in seconds.
    pub interval_seconds: u64,
    /// How long a rollback may take, in seconds, where the stack has an objective.
    pub recovery_objective_seconds: Option<u64>,
    /// The time zone of pages and texts, such as `Europe/Berlin`.
    pub time_zone: String,
}

/// How one run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Of this form: 1.
    pub version: u32,
    /// The application's name.
    pub application: String,
    /// The wave that it is a part of, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<String>,
    /// The ARN of the cutover's execution.
    pub run_id: String,
    /// When this was so, RFC 3339.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// When it is looked at next at the latest; none once nothing more comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub next_at: Option<Timestamp>,
    /// How it stands.
    pub standing: Standing,
    /// Its phase in the journal; none before it is claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// What it does now, in words.
    pub activity: String,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// How far it is, by work; none before its plan is known, and once it goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
    /// When its execution began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub began_at: Option<Timestamp>,
    /// When it is rolled back if it has not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub deadline_at: Option<Timestamp>,
    /// When it ended: all traffic on the new side, or put back, or not started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    /// How much later it ends than the first plan had it, in seconds; earlier is negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slip_seconds: Option<i64>,
    /// What comes, and has come, in order.
    pub milestones: Vec<Milestone>,
    /// The routes.
    pub routes: Vec<RouteStatus>,
    /// Its rollback, if one was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// What somebody should know of, or has to do.
    pub issues: Vec<Issue>,
    /// What was measured in this run.
    pub measured: Measured,
    /// How likely it is to need somebody; none once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
}

impl Status {
    /// Whether something still comes.
    pub fn is_open(&self) -> bool {
        self.standing.is_open()
    }

    /// The level of its risk, where it has one.
    pub fn level(&self) -> Option<Level> {
        self.risk.as_ref().map(|risk| risk.level)
    }

    /// The next milestone that is still to come.
    pub fn next_milestone(&self) -> Option<&Milestone> {
        self.milestones.iter().find(|milestone| milestone.reached_at.is_none() && milestone.expected_at.is_some())
    }
}

/// Makes it.
pub fn status(known: &Known, settings: &Settings, at: Timestamp) -> Status {
    let calls = known.calls();
    let plan = known.plan(&calls);
    let standing = standing(known);
    let steps = plan.as_ref().map(|plan| work::steps(plan, &calls, &known.cutover.events)).unwrap_or_default();
    let finished_at = known.finished_at(&calls);
    let is_going = standing.is_going_forward();
    let mut milestones = match &plan {
        Some(plan) => work::milestones(plan, &steps, &calls, (known.claimed_at(), finished_at, at), is_going),
        None => Vec::new(),
    };
    let slip_seconds =
        if is_going || finished_at.is_some() { work::slip(&milestones).filter(|_| known.run.is_some()) } else { None };
    // Nothing goes on before that.
    let first = milestones.iter().position(|milestone| milestone.reached_at.is_none()).unwrap_or(milestones.len());
    milestones.splice(first..first, answer(known, standing));
    for milestone in milestones.iter_mut().filter(|milestone| milestone.expected_at.is_some() && !milestone.is_limit) {
        milestone.after = standing.goes_on().map(str::to_owned);
    }
    milestones.extend(beyond(known, plan.as_ref(), standing, finished_at, at));
    let counts = is_going || matches!(standing, Standing::Watched | Standing::CleaningUp | Standing::Closed);
    let work = plan.as_ref().filter(|_| counts);
    let work = work.map(|plan| work::work(plan, &steps, &calls, finished_at.is_some(), at));
    let (activity, since) = activity(known, &calls, &steps, standing, at);
    let measured = measured(&calls, plan.as_ref());
    let signs = signs(known, &calls, plan.as_ref(), standing, work, at);
    Status {
        version: VERSION,
        application: shown(&known.application(plan.as_ref(), &calls), MOST_NAME_BYTES),
        wave: plan.as_ref().and_then(|plan| plan.wave.clone()),
        run_id: shown(&known.run_id, MOST_ARN_BYTES),
        at,
        next_at: later(at, settings.interval_seconds).filter(|_| standing.is_open()),
        standing,
        phase: known.phase().map(|phase| phase.as_str().to_owned()),
        activity,
        since,
        work,
        began_at: known.cutover.began_at.or(known.claimed_at()),
        deadline_at: known.deadline(plan.as_ref(), at).filter(|_| is_going),
        ended_at: ended_at(known, standing, finished_at),
        slip_seconds,
        milestones,
        routes: routes(known, plan.as_ref(), &calls, &steps, standing),
        recovery: recovery(known, &calls, settings, at),
        issues: issues(known, &calls, standing),
        measured,
        risk: standing.is_open().then(|| risk(&signs)),
    }
}

fn ended_at(known: &Known, standing: Standing, finished_at: Option<Timestamp>) -> Option<Timestamp> {
    match standing {
        Standing::NotStarted => known.cutover.ended.as_ref().map(|ended| ended.at),
        Standing::Watched | Standing::CleaningUp => finished_at.or(known.ended_at()),
        Standing::Closed | Standing::RolledBack | Standing::Released | Standing::Stuck | Standing::Held => {
            known.ended_at()
        }
        _ => None,
    }
}

/// Until when a person can answer.
fn answer(known: &Known, standing: Standing) -> Option<Milestone> {
    let (at, asked) = history::calls::asked(&known.cutover.events);
    let by = later(at?, asked["detail"]["within_seconds"].as_u64()?);
    standing.waits_for_a_person().then(|| to_come("an answer: silence counts as a no", by, true))
}

fn to_come(what: &str, expected_at: Option<Timestamp>, is_limit: bool) -> Milestone {
    Milestone {
        what: what.to_owned(),
        planned_at: None,
        reached_at: None,
        expected_at,
        after: None,
        is_limit,
        is_asked: false,
    }
}

/// What comes beside the steps: the deadline, the removal of the old side.
fn beyond(
    known: &Known,
    plan: Option<&Plan>,
    standing: Standing,
    finished_at: Option<Timestamp>,
    at: Timestamp,
) -> Vec<Milestone> {
    let mut more = Vec::new();
    if standing.is_going_forward() && known.run.is_some() {
        let what = if known.is_deadline_held() {
            "the deadline: the run goes back if it has not ended; it moves on for as long as the line stands"
        } else {
            "the deadline: the run goes back if it has not ended"
        };
        more.push(to_come(what, known.deadline(plan, at), true));
    }
    if standing == Standing::Watched {
        let after = plan.zip(finished_at).and_then(|(plan, at)| later(at, plan.cleanup.after.0));
        more.push(to_come("the old side is removed, and with it the way back", after, false));
    }
    more
}
