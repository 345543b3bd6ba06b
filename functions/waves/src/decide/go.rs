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

/// More names than this in one sentence help nobody.
const MOST_NAMES: usize = 5;

/// The verdict on what waits, once every precheck of it has ended.
pub(super) fn verdict(order: &Order, state: &State) -> Verdict {
    let behind = left_behind(order, state);
    let places = 0..order.members.len();
    let cutovers: Vec<usize> =
        places.filter(|place| order.members[*place].moves && state.members[*place].is == Is::Waiting).collect();
    let red: Vec<&str> = cutovers
        .iter()
        .filter(|place| state.members[**place].red.is_some())
        .map(|place| order.members[*place].name.as_str())
        .collect();
    if !cutovers.is_empty() && cutovers.iter().all(|place| behind.contains_key(place)) {
        return Verdict::NoGo(nobody_goes(order, &behind, &cutovers, &red));
    }
    match (red.len(), order.on_red, &order.approval) {
        // Where nothing waits for a cutover, there is nothing to agree to.
        (_, _, Some(_)) if !cutovers.is_empty() || state.rounds == 0 => Verdict::Ask,
        (0, _, _) | (_, OnRed::GoWithGreen, _) => Verdict::Go,
        (_, OnRed::Stop, _) => Verdict::NoGo(of_red(&red, cutovers.len())),
    }
}

fn of_red(red: &[&str], of: usize) -> String {
    let more = red.len().saturating_sub(MOST_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names: Vec<String> = red.iter().take(MOST_NAMES).map(|name| named(name, 64)).collect();
    format!("precheck found something wrong with {} of {of} applications: {}{more}", red.len(), names.join(", "))
}

/// Why none goes: what is red, or what the first of them lacks.
fn nobody_goes(order: &Order, behind: &BTreeMap<usize, String>, cutovers: &[usize], red: &[&str]) -> String {
    if !red.is_empty() {
        return of_red(red, cutovers.len());
    }
    let first = cutovers.first().and_then(|place| Some((named(&order.members[*place].name, 64), behind.get(place)?)));
    let why = first.map(|(name, why)| format!(": {name}: {why}")).unwrap_or_default();
    format!("none of the applications can be let go{why}")
}

/// Who stays behind of what waits, and why: what is red, or lacks something of an earlier wave, and whatever needs it, or moves in lockstep with it; and what needs something that was not
/// let go, or is not there.
pub fn left_behind(order: &Order, state: &State) -> BTreeMap<usize, String> {
    let mut behind: BTreeMap<usize, String> = BTreeMap::new();
    let waits = |place: &usize| state.members[*place].is == Is::Waiting;
    for place in (0..state.members.len()).filter(waits) {
        if let Some(why) = state.members[place].red.as_ref().or(state.members[place].lacks.as_ref()) {
            behind.insert(place, why.clone());
        }
    }
    loop {
        let before = behind.len();
        for place in (0..state.members.len()).filter(waits) {
            let placed = &order.members[place];
            let what = |other: &usize| match state.members[*other].is {
                Is::Waiting if behind.contains_key(other) => Some("stays behind"),
                is @ (Is::LeftBehind | Is::NotStarted | Is::Back | Is::Refused | Is::Stuck | Is::RollingBack) => {
                    Some(is.words())
                }
                _ => None,
            };
            let first = |all: &[usize]| {
                all.iter().find_map(|other| Some((named(&order.members[*other].name, 64), what(other)?)))
            };
            let why = match (first(&placed.needs), first(&placed.with)) {
                (Some((need, is)), _) => format!("it needs {need}, which {is}"),
                (None, Some((with, is))) => format!("it moves in lockstep with {with}, which {is}"),
                (None, None) => continue,
            };
            behind.entry(place).or_insert(why);
        }
        if behind.len() == before {
            return behind;
        }
    }
}
