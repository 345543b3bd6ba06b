//! What has to go back: a lockstep group of which one has failed, or the whole wave. Pure.
//!
//! An application goes back once those that need it, and go back too, are back. A rollback acts on a run that the journal has: one that has claimed nothing
//! yet is waited for.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Action, BACK_WITHIN_SECONDS, MOST_ROLLBACKS, MOST_STARTS};
use crate::order::Order;
use crate::state::{Is, Seen, State};

/// The rollbacks that are to be started now.
pub(super) fn back(order: &Order, state: &mut State, at: Timestamp) -> Vec<Action> {
    let wanted = wanted(order, state);
    let is_free = |state: &State, place: usize| {
        order.dependents(place).all(|dependent| !(wanted.contains(&dependent) && state.members[dependent].is_out()))
    };
    let due: Vec<usize> = wanted.iter().copied().filter(|place| is_free(state, *place)).collect();
    let mut actions = Vec::new();
    for place in due {
        if actions.len() >= MOST_STARTS {
            break;
        }
        let member = &mut state.members[place];
        let is_claimed = member.seen == Seen::Claimed;
        match member.is {
            Is::Running | Is::Moved if is_claimed => {
                member.is_ordered_back = true;
                (member.rollbacks, member.seen) = (1, Seen::UnderWay);
            }
            // It was asked for, and has not begun: nobody knows what became of it.
            Is::RollingBack if !is_claimed && is_late(member.since, at) && member.rollbacks < MOST_ROLLBACKS => {
                member.rollbacks += 1;
                member.since = at;
            }
            Is::RollingBack if !is_claimed && is_late(member.since, at) => {
                member.become_now(Is::Stuck, at);
                member.why = Some(format!("{MOST_ROLLBACKS} rollbacks were started, and none has begun"));
                continue;
            }
            _ => continue,
        }
        member.become_now(Is::RollingBack, at);
        actions.push(Action::RollBack(place));
    }
    actions
}

fn is_late(since: Timestamp, at: Timestamp) -> bool {
    at.duration_since(since).as_secs() >= BACK_WITHIN_SECONDS
}

/// Whatever is on its new side, or on its way there, and has to go back.
fn wanted(order: &Order, state: &State) -> BTreeSet<usize> {
    let has_lost = |place: usize| {
        let others = order.members[place].with.iter().filter(|other| **other != place);
        others.clone().any(|other| {
            let member = &state.members[*other];
            matches!(member.is, Is::Back | Is::Refused | Is::Stuck) || member.is == Is::RollingBack
        })
    };
    let is_wanted = |place: &usize| state.members[*place].is_out() && (state.goes_back.is_some() || has_lost(*place));
    (0..state.members.len()).filter(is_wanted).collect()
}
