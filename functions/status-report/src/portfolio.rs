//! All runs together: those that are open, and those that ended a short time ago. Pure.
//!
//! A wave or a programme is one more set of runs with the same sums: what is summed up here takes entries, wherever they come from.

use cutover::text::shown;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::risk::Level;
use crate::standing::{Group, Standing};
use crate::status::{Status, VERSION};
use crate::work::{Milestone, Work};

/// How long a run that is over stays on the page.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// So many of those at the most.
const MOST_OVER: usize = 100;
const MOST_TEXT_BYTES: usize = 300;

/// A run in a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// The application's name.
    pub application: String,
    /// The wave that it is a part of, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<String>,
    /// The ARN of the cutover's execution.
    pub run_id: String,
    /// When this was so.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// How it stands.
    pub standing: Standing,
    /// What it does now.
    pub activity: String,
    /// How far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
    /// What comes next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Milestone>,
    /// How much later it ends than planned, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slip_seconds: Option<i64>,
    /// The level of its risk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Level>,
    /// The first of the reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_reason: Option<String>,
    /// How many issues it has; what people decided is none.
    pub issues: usize,
    /// How long its rollback took until traffic was back, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_seconds: Option<u64>,
    /// Whether that met the stack's objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_recovery_met: Option<bool>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub began_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended_at: Option<Timestamp>,
    /// The key of its page in the bucket.
    pub page: String,
}

impl Entry {
    /// Of a run.
    pub fn of(status: &Status, page: String) -> Self {
        let reason = status.risk.as_ref().and_then(|risk| risk.reasons.first());
        Self {
            application: status.application.clone(),
            wave: status.wave.clone(),
            run_id: status.run_id.clone(),
            at: status.at,
            standing: status.standing,
            activity: shown(&status.activity, MOST_TEXT_BYTES),
            work: status.work,
            next: status.next_milestone().cloned(),
            slip_seconds: status.slip_seconds,
            risk: status.level(),
            risk_reason: reason.map(|reason| shown(&reason.text, MOST_TEXT_BYTES)),
            issues: status.issues.iter().filter(|issue| issue.about.is_issue()).count(),
            recovery_seconds: status.recovery.as_ref().and_then(|recovery| recovery.recovery_seconds),
            is_recovery_met: status.recovery.as_ref().and_then(|recovery| recovery.is_met),
            began_at: status.began_at,
            ended_at: status.ended_at,
            page,
        }
    }
}

/// How many runs stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// All traffic is on the new side.
    pub done: usize,
    /// Something is done.
    pub running: usize,
    /// A person is waited for.
    pub waiting: usize,
    /// Everything is as it was before.
    pub rolled_back: usize,
    /// Only a person brings it to an end.
    pub stuck: usize,
    /// Not started, or released.
    pub other: usize,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Portfolio {
    /// Of this form: 1.
    pub version: u32,
    /// When this was written.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// When it is written next at the latest; none while no run is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub next_at: Option<Timestamp>,
    /// How many runs are open.
    pub open: usize,
    /// How many stand how.
    pub counts: Counts,
    /// The work of all runs that go forward or are done; none where none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
    /// The worst level of those that are open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Level>,
    /// The runs, the most urgent first.
    pub runs: Vec<Entry>,
}

impl Portfolio {
    /// Sums entries up.
    pub fn of(mut runs: Vec<Entry>, interval_seconds: u64, at: Timestamp) -> Self {
        runs.sort_by(|one, other| {
            (one.standing, &one.application, &one.run_id).cmp(&(other.standing, &other.application, &other.run_id))
        });
        let mut counts = Counts::default();
        for run in &runs {
            *match run.standing.group() {
                Group::Done => &mut counts.done,
                Group::Running => &mut counts.running,
                Group::Waiting => &mut counts.waiting,
                Group::RolledBack => &mut counts.rolled_back,
                Group::Stuck => &mut counts.stuck,
                Group::Other => &mut counts.other,
            } += 1;
        }
        let open = runs.iter().filter(|run| run.standing.is_open()).count();
        let risk = runs.iter().filter(|run| run.standing.is_open()).filter_map(|run| run.risk).max();
        let next_at = crate::work::later(at, interval_seconds).filter(|_| open > 0);
        Self { version: VERSION, at, next_at, open, counts, work: all_work(&runs), risk, runs }
    }
}

fn all_work(runs: &[Entry]) -> Option<Work> {
    let known: Vec<Work> = runs.iter().filter_map(|run| run.work).collect();
    let planned_seconds: u64 = known.iter().map(|work| work.planned_seconds).sum();
    let done_seconds: u64 = known.iter().map(|work| work.done_seconds).sum();
    let percent = (done_seconds * 100).checked_div(planned_seconds)?;
    Some(Work { planned_seconds, done_seconds, percent: u8::try_from(percent).unwrap_or(100) })
}

/// What was known before, with what was found anew: of a run the newer; without those that are over for long, those whose application's page is another
/// run's by now, and those of which nothing is left (`gone`).
pub fn merged(before: Vec<Entry>, anew: &[Entry], gone: &[String], at: Timestamp) -> Vec<Entry> {
    let is_newer_known = |old: &Entry| anew.iter().any(|new| new.run_id == old.run_id && new.at >= old.at);
    let is_gone = |entry: &Entry| gone.contains(&entry.run_id);
    let kept: Vec<Entry> = before.into_iter().filter(|old| !is_newer_known(old) && !is_gone(old)).collect();
    let taken = anew.iter().filter(|new| !kept.iter().any(|old| old.run_id == new.run_id)).cloned();
    let (open, mut over): (Vec<Entry>, Vec<Entry>) =
        kept.iter().cloned().chain(taken).partition(|entry| entry.standing.is_open());
    let ended = |entry: &Entry| entry.ended_at.unwrap_or(entry.at);
    over.retain(|entry| at.duration_since(ended(entry)) <= KEPT);
    over.sort_by_key(|entry| std::cmp::Reverse(ended(entry)));
    let mut all = open;
    for entry in over {
        // The later run of an application comes first, and has the page.
        if all.iter().all(|other| other.page != entry.page) {
            all.push(entry);
        }
    }
    let open = all.iter().filter(|entry| entry.standing.is_open()).count();
    all.truncate(open + MOST_OVER);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn entry(name: &str, standing: Standing, second: i64) -> Entry {
        Entry {
            application: name.to_owned(),
            wave: None,
            run_id: format!("arn:{name}"),
            at: at(second),
            standing,
            activity: "x".to_owned(),
            work: Some(Work { planned_seconds: 100, done_seconds: 50, percent: 50 }),
            next: None,
            slip_seconds: None,
            risk: Some(Level::Low),
            risk_reason: None,
            issues: 0,
            recovery_seconds: None,
            is_recovery_met: None,
            began_at: None,
            ended_at: (!standing.is_open()).then(|| at(second)),
            page: format!("status/applications/{name}.html"),
        }
    }

    #[test]
    fn an_application_is_there_once_by_its_page() {
        let later = Entry { run_id: "arn:later".to_owned(), ..entry("a", Standing::Closed, 20) };
        let before = vec![entry("a", Standing::RolledBack, 10), later];
        let kept = merged(before, &[], &[], at(30));
        assert_eq!(kept.iter().map(|entry| entry.run_id.as_str()).collect::<Vec<_>>(), ["arn:later"]);
        let open = Entry { run_id: "arn:open".to_owned(), ..entry("a", Standing::Running, 5) };
        let kept = merged(kept, &[open], &[], at(30));
        assert_eq!(kept.iter().map(|entry| entry.run_id.as_str()).collect::<Vec<_>>(), ["arn:open"]);
    }

    #[test]
    fn the_newer_word_of_a_run_counts_whoever_writes_last() {
        let before = vec![entry("a", Standing::Running, 10), entry("b", Standing::Running, 10)];
        let anew = [entry("a", Standing::Stuck, 20), entry("b", Standing::Checking, 5)];
        let merged = merged(before, &anew, &[], at(30));
        let told: Vec<Standing> = Portfolio::of(merged, 60, at(30)).runs.iter().map(|run| run.standing).collect();
        assert_eq!(told, [Standing::Stuck, Standing::Running], "the most urgent first");
    }

    #[test]
    fn what_is_over_for_long_leaves_and_what_is_open_stays() {
        let week = 7 * 24 * 3600;
        let before = vec![entry("old", Standing::Closed, 0), entry("open", Standing::Running, 0)];
        let kept = merged(before, &[], &["arn:none".to_owned()], at(week + 1));
        assert_eq!(kept.iter().map(|entry| entry.application.as_str()).collect::<Vec<_>>(), ["open"]);
        assert!(merged(kept, &[], &["arn:open".to_owned()], at(week + 1)).is_empty());
        let many: Vec<Entry> = (0..150).map(|n| entry(&format!("n{n}"), Standing::Closed, n)).collect();
        let kept = merged(many, &[], &[], at(200));
        assert_eq!((kept.len(), kept[0].application.as_str()), (MOST_OVER, "n149"));
    }

    #[test]
    fn sums_are_by_work_and_risk_is_that_of_the_open_ones() {
        let mut over = entry("over", Standing::RolledBack, 0);
        (over.work, over.risk) = (None, Some(Level::Critical));
        let mut large = entry("large", Standing::WaitsForDecision, 0);
        (large.work, large.risk) =
            (Some(Work { planned_seconds: 300, done_seconds: 0, percent: 0 }), Some(Level::High));
        let all = Portfolio::of(vec![over, large, entry("a", Standing::Watched, 0)], 60, at(0));
        assert_eq!((all.work.map(|work| work.percent), all.risk, all.open), (Some(12), Some(Level::High), 2));
        assert_eq!((all.counts.waiting, all.counts.rolled_back, all.counts.done), (1, 1, 1));
        assert_eq!(all.next_at, Some(at(60)));
        let none = Portfolio::of(Vec::new(), 60, at(0));
        assert_eq!((none.work, none.risk, none.next_at), (None, None, None));
    }
}
