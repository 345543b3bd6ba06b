//! What an open run needs: pure.

use journal::{Phase, Run};

/// So often the sweep starts something for one run before it gives up.
pub const MOST_STARTS: u32 = 5;

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

/// The page for a run that could not be brought to an end.
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
