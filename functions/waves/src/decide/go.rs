//! Go or no go: whom precheck lets move, and who stays behind because of that. Pure.

use std::collections::BTreeMap;

use cutover::text::named;

use crate::order::Order;
use crate::plan::OnRed;
use crate::state::{Is, State};

/// What precheck of all applications comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Those that can be let go, go.
    Go,
    /// People are asked.
    Ask,
    /// Nothing starts.
    NoGo(String),
}

/// The verdict, once every precheck has ended.
pub(super) fn verdict(order: &Order, state: &State) -> Verdict {
    let behind = left_behind(order, state);
    let cutovers = order.members.iter().filter(|placed| placed.moves).count();
    let red = state.members.iter().filter(|member| member.red.is_some()).count();
    let moving =
        (0..order.members.len()).filter(|place| order.members[*place].moves && !behind.contains_key(place)).count();
    if cutovers > 0 && moving == 0 {
        return Verdict::NoGo("precheck lets none of the applications go".to_owned());
    }
    match (red, order.on_red, &order.approval) {
        (_, _, Some(_)) => Verdict::Ask,
        (0, _, None) | (_, OnRed::GoWithGreen, None) => Verdict::Go,
        (_, OnRed::Stop, None) => {
            Verdict::NoGo(format!("precheck found something wrong with {red} of {cutovers} applications"))
        }
    }
}

/// Who stays behind, and why: what is red, and whatever needs it, or moves in lockstep with it.
pub fn left_behind(order: &Order, state: &State) -> BTreeMap<usize, String> {
    let mut behind: BTreeMap<usize, String> = BTreeMap::new();
    for (place, member) in state.members.iter().enumerate().filter(|(_, member)| member.is != Is::Done) {
        if let Some(red) = &member.red {
            behind.insert(place, red.clone());
        }
    }
    loop {
        let before = behind.len();
        for (place, placed) in order.members.iter().enumerate() {
            let name = |place: usize| named(&order.members[place].name, 64);
            let need = placed.needs.iter().find(|need| behind.contains_key(need));
            let with = placed.with.iter().find(|with| behind.contains_key(with));
            let why = match (need, with) {
                (Some(need), _) => format!("it needs {}, which stays behind", name(*need)),
                (None, Some(with)) => format!("it moves in lockstep with {}, which stays behind", name(*with)),
                (None, None) => continue,
            };
            behind.entry(place).or_insert(why);
        }
        if behind.len() == before {
            return behind;
        }
    }
}
