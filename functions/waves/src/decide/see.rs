//! What was seen of an application's execution, and what that makes of it. Pure.

use cutover::error::name::LINE_STOPPED;
use cutover::text::shown;
use jiff::Timestamp;

use crate::state::{Is, MOST_WHY_BYTES, Seen, State};

/// What was seen of the last execution of an application: its precheck's, or its cutover's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// Nothing was seen, or nobody looked.
    #[default]
    Nothing,
    /// The execution runs, and the journal has no run of it.
    UnderWay,
    /// The execution has ended, and the journal has no run of it: with an error, or well.
    Ended {
        /// Its error's name; none if it succeeded.
        error: Option<String>,
        /// Why.
        cause: String,
    },
    /// Its run goes forward.
    Claimed,
    /// All its traffic is on the new side.
    Moved,
    /// It is put back.
    RollingBack,
    /// Everything is as it was before.
    Back {
        /// Why it went back, where that was told.
        why: Option<String>,
    },
    /// A person has to look after it.
    Stuck {
        /// How it ended.
        why: String,
    },
}

/// Takes in what was seen.
pub(super) fn see(state: &mut State, place: usize, sight: &Sight, at: Timestamp) {
    let Some(member) = state.members.get_mut(place) else { return };
    let is = member.is;
    let said = |why: &str| Some(shown(why, MOST_WHY_BYTES));
    match (is, sight) {
        (Is::Checking | Is::Running, Sight::UnderWay) => member.seen = Seen::UnderWay,
        (Is::Checking, Sight::Ended { error, cause }) => {
            member.become_now(Is::Waiting, at);
            member.red = error.as_ref().map(|error| shown(&format!("{error}: {cause}"), MOST_WHY_BYTES));
        }
        (Is::Running, Sight::Ended { error: None, .. }) => member.become_now(Is::Moved, at),
        // Nothing was touched, and nothing is wrong with it: its turn comes again.
        (Is::Running, Sight::Ended { error: Some(error), .. }) if error == LINE_STOPPED => {
            member.become_now(Is::Waiting, at);
        }
        (Is::Running, Sight::Ended { error: Some(error), cause }) => {
            member.become_now(Is::Refused, at);
            member.why = said(&format!("{error}: {cause}"));
        }
        (Is::Running, Sight::Claimed) => member.seen = Seen::Claimed,
        (Is::Running | Is::Moved | Is::RollingBack | Is::Stuck, _) => {
            let (now, why) = match sight {
                Sight::Moved if is == Is::Running => (Is::Moved, None),
                Sight::RollingBack => (Is::RollingBack, None),
                Sight::Back { why } => (Is::Back, why.as_deref()),
                Sight::Stuck { why } => (Is::Stuck, Some(why.as_str())),
                _ => return,
            };
            member.seen = Seen::Claimed;
            member.become_now(now, at);
            if let Some(why) = why {
                member.why = said(why);
            }
        }
        _ => {}
    }
}
