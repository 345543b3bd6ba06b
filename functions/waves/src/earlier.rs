//! What applications need of earlier waves: a date is no proof that something has moved. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cutover::text::{named, shown};

use crate::order::Order;
use crate::plan::NeedsMoved;
use crate::state::{Is, MOST_WHY_BYTES, State};

/// Earlier waves by their names, as the journal has them; none of what was never claimed.
pub type Waves = BTreeMap<String, Option<(Order, State)>>;

/// The earlier waves of which something is needed by what waits to be let go.
pub fn wanted(order: &Order, state: &State) -> BTreeSet<String> {
    let members = state.members.iter().zip(&order.members).filter(|(member, _)| member.is == Is::Waiting);
    members.flat_map(|(_, placed)| placed.needs_moved.iter().map(|need| need.wave.clone())).collect()
}

/// Notes what each application that waits lacks of them.
pub fn note(order: &Order, state: &mut State, waves: &Waves) {
    for (member, placed) in state.members.iter_mut().zip(&order.members).filter(|(member, _)| member.is == Is::Waiting)
    {
        let lacks = placed.needs_moved.iter().find_map(|need| lacks(need, waves));
        member.lacks = lacks.map(|why| shown(&why, MOST_WHY_BYTES));
    }
}

/// Why something that is needed is not on its new side; none if it is.
fn lacks(need: &NeedsMoved, waves: &Waves) -> Option<String> {
    let [application, wave] = [&need.application, &need.wave].map(|name| named(name, 64));
    let Some((order, state)) = waves.get(&need.wave).and_then(Option::as_ref) else {
        return Some(format!("it needs {application}, which has not moved: wave {wave} has not begun"));
    };
    let Some(member) = order.place(&need.application).and_then(|place| state.members.get(place)) else {
        let fix = "plan the programme anew";
        return Some(format!("it needs {application}, of which wave {wave} knows nothing: {fix}"));
    };
    (!member.is_there()).then(|| format!("it needs {application}, which {} in wave {wave}", member.is.words()))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::WavePlan;
    use crate::decide::left_behind;

    fn order(value: serde_json::Value) -> Order {
        Order::of(&WavePlan::read(&value).unwrap(), &[])
    }

    fn first() -> Order {
        order(json!({ "wave": "first", "applications": [{ "name": "a", "cutover_from": "plans/a.json" }] }))
    }

    fn second() -> Order {
        order(json!({ "wave": "second", "applications": [
            { "name": "b", "cutover_from": "plans/b.json", "needs_moved": [{ "application": "a", "wave": "first" }] },
            { "name": "c", "cutover_from": "plans/c.json", "needs": ["b"] },
            { "name": "d", "cutover_from": "plans/d.json" },
        ] }))
    }

    fn behind(waves: &Waves) -> BTreeMap<usize, String> {
        let order = second();
        let mut state = State::opened(&order, "arn:me", Timestamp::UNIX_EPOCH);
        assert_eq!(wanted(&order, &state), ["first".to_owned()].into());
        note(&order, &mut state, waves);
        left_behind(&order, &state)
    }

    fn waves(is: Is) -> Waves {
        let mut state = State::opened(&first(), "arn:first", Timestamp::UNIX_EPOCH);
        state.members[0].is = is;
        [("first".to_owned(), Some((first(), state)))].into()
    }

    #[test]
    fn what_needs_something_that_has_not_moved_stays_behind_and_says_what() {
        for is in [Is::NotStarted, Is::Back, Is::LeftBehind, Is::Running, Is::Stuck] {
            let behind = behind(&waves(is));
            assert_eq!(behind.keys().copied().collect::<Vec<_>>(), [0, 1], "{is:?}");
            assert_eq!(behind[&0], format!("it needs a, which {} in wave first", is.words()));
            assert_eq!(behind[&1], "it needs b, which stays behind");
        }
        let never = behind(&[("first".to_owned(), None)].into());
        assert!(never[&0].contains("wave first has not begun"), "{never:?}");
        assert_eq!(behind(&waves(Is::Moved)), BTreeMap::new());
    }

    #[test]
    fn a_wave_does_not_need_what_is_its_own_of_an_earlier_one() {
        let wave = json!({ "wave": "second", "applications": [
            { "name": "b", "tasks": [{ "what": "x" }], "needs_moved": [{ "application": "a", "wave": "second" }] } ] });
        let found = WavePlan::read(&wave).unwrap_err();
        assert_eq!(found[0].path, "$.applications[0].needs_moved[0].wave");
    }
}
