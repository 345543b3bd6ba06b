//! What an open run needs: pure.

use std::collections::BTreeSet;

use cutover::StepResult;
use cutover::arn::machine_of;
use cutover::contract::is_under_way;
use cutover::gestures::Machines;
use journal::{OpenRun, Phase, Run};
use serde_json::Value;

/// So often the sweep starts something for one run before it gives up.
pub const MOST_STARTS: u32 = 5;
/// One sweep every minute.
const SWEEPS_AN_HOUR: u32 = 60;
const SWEEPS_A_DAY: u32 = 1_440;
/// So many sweeps lie between two starts, while nobody is at the run: what passes, such as an outage of minutes, does not use up all starts.
const SWEEPS_A_START: u32 = 5;

/// What the responsible execution is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerStatus {
    /// Running.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed, was stopped, timed out, or is not there.
    Dead,
}

/// What to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: somebody is at it.
    None,
    /// The rollback.
    Rollback,
    /// The cleanup.
    Cleanup,
}

impl std::fmt::Display for Action {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::None => "nothing",
            Self::Rollback => "rollback",
            Self::Cleanup => "cleanup",
        })
    }
}

/// What an open run needs. `is_handed_over` says that the owner is no longer the cutover itself but its cleanup.
pub fn action(phase: Phase, is_handed_over: bool, owner: OwnerStatus) -> Action {
    match (phase, owner) {
        (_, OwnerStatus::Running) => Action::None,
        (Phase::Claimed | Phase::Forward | Phase::RollingBack, _) => Action::Rollback,
        // A cutover that was stopped after it had finished is stopped all the same: that rolls back.
        (Phase::Finished, OwnerStatus::Dead) if !is_handed_over => Action::Rollback,
        (Phase::Finished | Phase::Cleaning, _) => Action::Cleanup,
        (Phase::Closed | Phase::RolledBack | Phase::Stuck, _) => Action::None,
    }
}

/// What a sweep does about a run that nobody is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing yet: the last start was a short while ago.
    Wait,
    /// Starts what the run needs; how many starts that makes.
    Start(u32),
    /// Starting has not helped; how many sweeps have seen that.
    GiveUp(u32),
}

/// What the `count`-th sweep that finds nobody at a run does, counted from 1.
pub fn turn(count: u32) -> Turn {
    let before = count.saturating_sub(1);
    let starts = before / SWEEPS_A_START;
    if starts >= MOST_STARTS {
        return Turn::GiveUp(count - MOST_STARTS * SWEEPS_A_START);
    }
    if before.is_multiple_of(SWEEPS_A_START) { Turn::Start(starts + 1) } else { Turn::Wait }
}

/// What another execution is started with for what one followed that has this status; nothing while that is under way, after it has ended well, and where
/// it is not there any more: then it ended three months ago. What takes no event of the end, and so not that a person has stopped it, stays stopped.
pub fn next_input(mut input: Value, status: Option<&str>) -> Option<Value> {
    let status = status.filter(|status| !is_under_way(status) && *status != "SUCCEEDED")?;
    if input.get("executionArn").is_some() {
        input["status"] = status.into();
    } else if status == "ABORTED" {
        return None;
    }
    Some(input)
}

/// Whether a run still is as the index had it. Otherwise somebody looks after it, or did.
pub fn is_as_seen(seen: &OpenRun, now: &Run) -> bool {
    now.phase == seen.phase && now.owner == seen.owner
}

/// Whether a trouble is told at its `count`-th time, counted from 1: at once, then after an hour, two more, four more and so on,
/// at the end once a day. No phase says that it was told, and a page may get lost.
pub fn is_told(count: u32) -> bool {
    let Some(since) = count.checked_sub(1) else { return false };
    let (mut next, mut gap) = (0, SWEEPS_AN_HOUR);
    while next < since {
        next += gap;
        gap = (gap * 2).min(SWEEPS_A_DAY);
    }
    next == since
}

/// The machines whose executions are responsible for open runs.
pub fn machines(runs: &[(String, StepResult<OpenRun>)]) -> BTreeSet<String> {
    machines_of(runs.iter().filter_map(|(_, run)| Some(run.as_ref().ok()?.owner.as_str())))
}

/// The machines of executions: each is asked once what it has running.
pub fn machines_of<'a>(owners: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    owners.filter_map(machine_of).collect()
}

/// The open runs in the order in which they are looked at: first those after the one at which the last look stopped, then those
/// up to it. So all have their turn, however many there are.
pub fn in_turn<T>(mut runs: Vec<(String, T)>, last: Option<&str>) -> Vec<(String, T)> {
    runs.sort_by(|(one, _), (other, _)| one.cmp(other));
    let first = last.map_or(0, |last| runs.partition_point(|(run_id, _)| run_id.as_str() <= last));
    runs.rotate_left(first);
    runs
}

/// The page for a run that is finished, and could not be cleaned up.
pub fn gave_up_cleanup(run: &Run, machines: &Machines) -> String {
    let application = &run.plan.application;
    format!(
        "The cleanup after the cutover of {application} did not come to an end: starting it {MOST_STARTS} times has not helped.\n\
         All traffic is on the new side, and that stays. What the plan removes may still be there, and the run, which\n\
         is {}, keeps its locks: no other cutover gets its routes. Look why the last cleanup failed:\n  {}\n\n\
         Once the reason is gone, this starts it again:\n  {}\n\nRun: {}\n",
        run.phase,
        run.owner,
        machines.clean_up(application),
        run.run_id
    )
}

/// Why a run could not be rolled back.
pub fn gave_up(run: &Run) -> String {
    format!(
        "the run was {}, its execution {} is not running, and starting rollback {MOST_STARTS} times has not helped",
        run.phase, run.owner
    )
}

/// The page for a run that could not be rolled back.
pub fn gave_up_page(run: &Run, machines: &Machines) -> String {
    let application = &run.plan.application;
    format!(
        "The cutover of {application} is stuck. Its routes may be on either side, and it keeps its locks.\n\
         The reason: {}.\n\n\
         The next page says how each route is. Look why the rollback executions failed. Once that is mended, this starts\n\
         rollback again:\n  {}\n\nOr leave everything as it is now, and end the run:\n  {}\n\nRun: {}\n",
        gave_up(run),
        machines.roll_back(application),
        machines.release(application),
        run.run_id
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_execution_followed_is_followed_on_where_that_has_died() {
        let event = serde_json::json!({ "executionArn": "arn", "input": "{}" });
        let own = serde_json::json!({ "of": "spring" });
        for status in [None, Some("RUNNING"), Some("PENDING_REDRIVE"), Some("SUCCEEDED")] {
            assert_eq!(next_input(event.clone(), status), None, "{status:?}");
        }
        assert_eq!(next_input(event, Some("ABORTED")).unwrap()["status"], "ABORTED");
        assert_eq!(next_input(own.clone(), Some("ABORTED")), None, "a person has stopped it");
        assert_eq!(next_input(own.clone(), Some("TIMED_OUT")), Some(own));
    }

    #[test]
    fn a_run_with_a_running_owner_is_left_alone() {
        for phase in Phase::ALL {
            assert_eq!(action(phase, false, OwnerStatus::Running), Action::None, "{phase}");
        }
    }

    #[test]
    fn a_run_that_has_moved_on_or_changed_hands_since_it_was_seen_is_left_alone() {
        let caller = serde_json::json!({ "run_id": "run", "execution_arn": "me", "state": "Claim" });
        let plan = serde_json::json!({ "application": "shop", "routes": [] });
        let (caller, plan) = (serde_json::from_value(caller).unwrap(), serde_json::from_value(plan).unwrap());
        let same = Run::claimed(&caller, plan, vec![], jiff::Timestamp::UNIX_EPOCH);
        let seen = OpenRun { run_id: same.run_id.clone(), phase: same.phase, owner: same.owner.clone() };
        let moved_on = Run { phase: Phase::RollingBack, ..same.clone() };
        let handed_over = Run { owner: "another".to_owned(), ..same.clone() };
        let later = Run { paused: true, ..same.clone() };
        assert_eq!(
            [&same, &moved_on, &handed_over, &later].map(|now| is_as_seen(&seen, now)),
            [true, false, false, true]
        );
    }

    #[test]
    fn the_first_sweep_starts_at_once_and_the_next_starts_leave_time() {
        let starts: Vec<u32> = (1..=40).filter(|count| matches!(turn(*count), Turn::Start(_))).collect();
        assert_eq!(starts, [1, 6, 11, 16, 21]);
        assert_eq!([turn(1), turn(2), turn(21), turn(25)], [Turn::Start(1), Turn::Wait, Turn::Start(5), Turn::Wait]);
        assert_eq!([turn(26), turn(27)], [Turn::GiveUp(1), Turn::GiveUp(2)]);
    }

    #[test]
    fn a_trouble_is_told_at_once_and_then_at_growing_intervals() {
        let told: Vec<u32> = (0..6_500).filter(|count| is_told(*count)).collect();
        let hours: Vec<u32> = told.iter().map(|count| (count - 1) / SWEEPS_AN_HOUR).collect();
        assert_eq!(told[0], 1);
        assert_eq!(hours, [0, 1, 3, 7, 15, 31, 55, 79, 103]);
    }

    #[test]
    fn each_machine_that_has_a_run_is_asked_once() {
        let owned_by =
            |owner: &str| Ok(OpenRun { run_id: owner.to_owned(), phase: Phase::Forward, owner: owner.to_owned() });
        let execution = |of: &str| owned_by(&format!("arn:aws:states:eu-west-1:1:execution:{of}"));
        let unreadable = Err(cutover::StepError::invalid("no phase"));
        let runs =
            [execution("cutover:a"), execution("rollback:b"), execution("cutover:c"), owned_by("nobody"), unreadable];
        let runs = runs.map(|run| (String::new(), run));
        let machine = |name: &str| format!("arn:aws:states:eu-west-1:1:stateMachine:{name}");
        assert_eq!(machines(&runs), BTreeSet::from([machine("cutover"), machine("rollback")]));
        assert_eq!(machines(&[]), BTreeSet::new());
    }

    #[test]
    fn every_run_has_its_turn() {
        let runs = || ["c", "a", "b", "d"].map(|run_id| (run_id.to_owned(), ())).to_vec();
        let order = |last| in_turn(runs(), last).into_iter().map(|(run_id, ())| run_id).collect::<String>();
        assert_eq!(order(None), "abcd");
        assert_eq!(order(Some("b")), "cdab");
        assert_eq!(order(Some("bb")), "cdab", "that run is not open any more");
        assert_eq!(order(Some("d")), "abcd");
        assert_eq!(order(Some("z")), "abcd");
        // Two at a time, beginning where the last look stopped: all four in two looks.
        assert_eq!(format!("{}{}", &order(Some("d"))[..2], &order(Some("b"))[..2]), "abcd");
    }

    #[test]
    fn every_open_run_without_one_gets_what_brings_it_to_an_end() {
        for phase in Phase::ALL {
            for owner in [OwnerStatus::Succeeded, OwnerStatus::Dead] {
                assert_eq!(action(phase, false, owner) != Action::None, phase.is_open(), "{phase} {owner:?}");
            }
        }
        assert_eq!(action(Phase::Finished, false, OwnerStatus::Succeeded), Action::Cleanup);
        assert_eq!(action(Phase::Finished, false, OwnerStatus::Dead), Action::Rollback);
        assert_eq!(action(Phase::Finished, true, OwnerStatus::Dead), Action::Cleanup);
    }
}
