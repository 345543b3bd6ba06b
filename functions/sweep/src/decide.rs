//! What an open run needs: pure.

use journal::{Phase, Run};

/// So often the sweep starts something for one run before it gives up.
pub const MOST_STARTS: u32 = 5;
/// A cleanup that was given up is told again after so many sweeps: a day, at one every five minutes.
const TELL_EVERY: u32 = 288;

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

/// Whether a person is told of a cleanup that was given up, when the sweep needs it for the `count`-th time: no phase says so,
/// and the page may have got lost.
pub fn is_told(count: u32) -> bool {
    count.checked_sub(MOST_STARTS + 1).is_some_and(|later| later.is_multiple_of(TELL_EVERY))
}

/// The page for a run that is finished, and could not be cleaned up.
pub fn gave_up_cleanup(run: &Run) -> String {
    let application = &run.plan.application;
    format!(
        "The cutover of {application} (run {}) has moved all traffic to the new side, and that stays. But its cleanup did not \
         come to an end, and starting it {MOST_STARTS} times has not helped: it is {}, what the plan removes may still be \
         there, and its locks keep other cutovers away from its routes. Look at the cleanup executions, the last of them is \
         {}; then start cleanup with {{\"application\": \"{application}\", \"now\": true}}.",
        run.run_id, run.phase, run.owner
    )
}

/// The page for a run that could not be rolled back.
pub fn gave_up(run: &Run) -> String {
    format!(
        "The cutover of {} (run {}) was in phase {} and its execution {} is not running. Starting rollback {MOST_STARTS} \
         times has not helped. Its routes may be on either side; its locks are kept. The next page says how each of \
         them is. Look at the rollback executions, then start rollback with {{\"application\": \"{}\"}}.",
        run.plan.application, run.run_id, run.phase, run.owner, run.plan.application
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_with_a_running_owner_is_left_alone() {
        for phase in Phase::ALL {
            assert_eq!(action(phase, false, OwnerStatus::Running), Action::None, "{phase}");
        }
    }

    #[test]
    fn a_cleanup_that_is_given_up_is_told_once_a_day() {
        let told: Vec<u32> = (0..=600).filter(|count| is_told(*count)).collect();
        assert_eq!(told, [MOST_STARTS + 1, MOST_STARTS + 1 + TELL_EVERY, MOST_STARTS + 1 + 2 * TELL_EVERY]);
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
