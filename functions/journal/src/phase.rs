//! Phases of a run, and which may follow which.

use std::fmt;
use std::str::FromStr;

use cutover::contract::RouteAction;
use serde::{Deserialize, Serialize};

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Locked, with its before-images; nothing is touched.
    Claimed,
    /// Traffic is being moved.
    Forward,
    /// All traffic is on the new side; a person can still roll back.
    Finished,
    /// What is no longer needed is being removed.
    Cleaning,
    /// Over: the new side stays. No locks.
    Closed,
    /// Everything is being put back.
    RollingBack,
    /// Over: everything is as it was before. No locks.
    RolledBack,
    /// A person was told what is left, or has to decide about going back: the ending says which, `Stuck` or `Held`. A phase says
    /// who may act, and that is the same for both: nobody but a person. Keeps its locks until released.
    Stuck,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 8] = [
        Self::Claimed,
        Self::Forward,
        Self::Finished,
        Self::Cleaning,
        Self::Closed,
        Self::RollingBack,
        Self::RolledBack,
        Self::Stuck,
    ];

    /// The phase of a run in which an action on a route is done.
    pub fn of(action: RouteAction) -> Self {
        match action {
            RouteAction::Prepare | RouteAction::Shift | RouteAction::Finalise => Self::Forward,
            RouteAction::Restore => Self::RollingBack,
        }
    }

    /// Whether `next` may follow. Staying in a phase is a change of owner: the run is handed over, or
    /// taken over from an execution that died.
    pub fn may_become(self, next: Self) -> bool {
        use Phase::{Claimed, Cleaning, Closed, Finished, Forward, RolledBack, RollingBack, Stuck};
        match self {
            Claimed => matches!(next, Forward | RollingBack),
            Forward => matches!(next, Finished | RollingBack),
            // Staying finished hands the run over to its cleanup, which waits.
            Finished => matches!(next, Finished | Cleaning | RollingBack),
            Cleaning => matches!(next, Cleaning | Closed),
            RollingBack => matches!(next, RollingBack | RolledBack | Stuck),
            // A person may order another try, or release the run as it is.
            Stuck => matches!(next, RollingBack | Closed),
            Closed | RolledBack => false,
        }
    }

    /// Whether somebody owes the run an ending: the sweep looks after these.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Claimed | Self::Forward | Self::Finished | Self::Cleaning | Self::RollingBack)
    }

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Forward => "forward",
            Self::Finished => "finished",
            Self::Cleaning => "cleaning",
            Self::Closed => "closed",
            Self::RollingBack => "rolling_back",
            Self::RolledBack => "rolled_back",
            Self::Stuck => "stuck",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Phase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|phase| phase.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is not a phase"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_traffic_acts_in_a_run_that_goes_forward_and_undo_in_one_that_is_rolled_back() {
        use RouteAction::{Finalise, Prepare, Restore, Shift};
        assert_eq!([Prepare, Shift, Finalise].map(Phase::of), [Phase::Forward; 3]);
        assert_eq!(Phase::of(Restore), Phase::RollingBack);
    }

    #[test]
    fn what_is_over_stays_over() {
        for next in Phase::ALL {
            assert!(!Phase::Closed.may_become(next) && !Phase::RolledBack.may_become(next), "{next}");
        }
    }

    #[test]
    fn cleanup_and_rollback_exclude_each_other() {
        assert!(!Phase::Cleaning.may_become(Phase::RollingBack));
        assert!(!Phase::RollingBack.may_become(Phase::Cleaning));
    }

    #[test]
    fn every_open_phase_has_a_way_out() {
        for phase in Phase::ALL.into_iter().filter(|phase| phase.is_open()) {
            assert!(Phase::ALL.into_iter().any(|next| next != phase && phase.may_become(next)), "{phase}");
        }
    }

    /// Every pair, so that a way more or less is seen.
    #[test]
    fn no_phase_follows_another_but_these() {
        use Phase::{Claimed, Cleaning, Closed, Finished, Forward, RolledBack, RollingBack, Stuck};
        let ways = [
            (Claimed, vec![Forward, RollingBack]),
            (Forward, vec![Finished, RollingBack]),
            (Finished, vec![Finished, Cleaning, RollingBack]),
            (Cleaning, vec![Cleaning, Closed]),
            (Closed, vec![]),
            (RollingBack, vec![RollingBack, RolledBack, Stuck]),
            (RolledBack, vec![]),
            (Stuck, vec![Closed, RollingBack]),
        ];
        for (from, next) in ways {
            let found: Vec<Phase> = Phase::ALL.into_iter().filter(|to| from.may_become(*to)).collect();
            assert_eq!(found, next, "{from}");
        }
    }

    #[test]
    fn names_read_back() {
        for phase in Phase::ALL {
            assert_eq!(phase.as_str().parse(), Ok(phase));
        }
    }
}
