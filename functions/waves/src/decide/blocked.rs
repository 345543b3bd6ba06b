//! Why an application cannot start: for now, or for good. Pure.

use cutover::line::Line;
use cutover::text::{named as quoted, shown};
use jiff::{SignedDuration, Timestamp};

use crate::order::Order;
use crate::plan::{OnFailures, When};
use crate::state::{Is, MOST_WHY_BYTES, State};

/// Why something cannot start, in a person's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// It may later.
    ForNow(String),
    /// It cannot any more, unless a person does something.
    ForGood(String),
}

/// Why each application, with its lockstep group, cannot start; none if it can, as far as there is room. What needs something that will never come will
/// not come either, so stages are gone through in their order.
pub fn blocked(order: &Order, state: &State, line: &Line, at: Timestamp) -> Vec<Option<Blocked>> {
    let mut found: Vec<Option<Blocked>> = vec![None; order.members.len()];
    let mut places: Vec<usize> = (0..order.members.len()).collect();
    places.sort_by_key(|place| order.members[*place].stage);
    for place in places {
        found[place] = of_group(order, state, &found, place, line, at);
    }
    found
}

fn of_group(
    order: &Order,
    state: &State,
    earlier: &[Option<Blocked>],
    place: usize,
    line: &Line,
    at: Timestamp,
) -> Option<Blocked> {
    let group = &order.members[place].with;
    let reasons: Vec<Blocked> = group
        .iter()
        .filter_map(|member| of_member(order, state, earlier, *member, at))
        .chain(of_wave(order, state))
        .chain(of_time(order, state, group, at))
        .chain(group.iter().filter_map(|member| line.holds(&order.members[*member].name)).map(Blocked::ForNow))
        .collect();
    // What is for good is told first: nobody should wait for something that does not help.
    let for_good = reasons.iter().find(|reason| matches!(reason, Blocked::ForGood(_)));
    for_good.or(reasons.first()).cloned()
}

/// What stands against one application of a group.
fn of_member(
    order: &Order,
    state: &State,
    earlier: &[Option<Blocked>],
    place: usize,
    at: Timestamp,
) -> Option<Blocked> {
    let (placed, member) = (&order.members[place], &state.members[place]);
    let for_good = |why: String| Some(Blocked::ForGood(why));
    let for_now = |why: String| Some(Blocked::ForNow(why));
    let is_ready = member.is == Is::Waiting || !placed.moves && member.is == Is::Done;
    if !is_ready {
        return for_good(format!("{} {}", quoted(&placed.name, 64), member.is.words()));
    }
    if placed.moves && !member.is_let_go {
        return for_good(format!("{} was not let go", quoted(&placed.name, 64)));
    }
    for need in &placed.needs {
        let (name, needed) = (quoted(&order.members[*need].name, 64), &state.members[*need]);
        match needed.is {
            Is::Moved | Is::Done => {}
            Is::Waiting if matches!(earlier[*need], Some(Blocked::ForGood(_))) => {
                return for_good(format!("it needs {name}, which will not start"));
            }
            Is::Waiting | Is::Checking | Is::Running => {
                return for_now(format!("it needs {name}, which {}", needed.is.words()));
            }
            is => return for_good(format!("it needs {name}, which {}", is.words())),
        }
    }
    if let Some(task) = placed.tasks(When::Before).find(|task| !member.done.contains_key(task)) {
        let what = quoted(&placed.tasks[task].what, 200);
        return for_now(format!("nobody has said that task {} is done: {what}", task + 1));
    }
    // From the moment on at which anything may start.
    let let_go = state.let_go_at.unwrap_or(state.opened_at);
    let start = order.opens.map_or(let_go, |opens| opens.max(let_go)) + seconds(spread(order, place));
    if placed.stage == 1 && at < start && member.attempts == 0 {
        return for_now("the first starts are spread".to_owned());
    }
    None
}

/// What stands against everything.
fn of_wave(order: &Order, state: &State) -> Option<Blocked> {
    if let Some(said) = &state.goes_back {
        return Some(Blocked::ForGood(format!("the wave goes back: {}", said.why)));
    }
    if let Some(said) = &state.stopped {
        return Some(Blocked::ForGood(format!("{} has stopped the wave: {}", said.by, said.why)));
    }
    if order.on_failures == OnFailures::Halt
        && let Some(why) = too_many(order, state)
    {
        return Some(Blocked::ForGood(format!("the wave halts: {why}")));
    }
    state.paused.as_ref().map(|said| Blocked::ForNow(format!("{} has paused the wave: {}", said.by, said.why)))
}

/// What the clock has against a group: nothing starts that cannot finish, by its own estimate.
fn of_time(order: &Order, state: &State, group: &[usize], at: Timestamp) -> Option<Blocked> {
    let takes = group.iter().map(|place| order.members[*place].takes_seconds).max().unwrap_or(0);
    let mut start = order.opens.map_or(at, |opens| opens.max(at));
    let mut why = (start > at).then(|| format!("the window opens at {start}"));
    let mut frozen_until = None;
    // Each freeze may push it into the next one.
    for _ in 0..=order.freezes.len() {
        let frozen = group.iter().find_map(|place| frozen(order, *place, start, start + seconds(takes)));
        let Some(freeze) = frozen else { break };
        start = freeze.to;
        frozen_until = Some(format!("{} freezes it until {}", quoted(&freeze.name, 100), freeze.to));
        why.clone_from(&frozen_until);
    }
    if let Some(closes) = order.closes.filter(|closes| start + seconds(takes) > *closes) {
        let takes = cutover::Seconds(takes);
        let freeze = frozen_until.map(|why| format!("{why}, and ")).unwrap_or_default();
        return Some(Blocked::ForGood(format!(
            "{freeze}it takes {takes}, and would not finish before the window closes at {closes}"
        )));
    }
    if !is_in_time(order, state, start) {
        let timeout = cutover::Seconds(order.timeout_seconds);
        return Some(Blocked::ForGood(format!("the wave's time-out of {timeout} comes first")));
    }
    why.map(Blocked::ForNow)
}

/// Whether the wave may still begin something, or wait for people.
pub(super) fn is_in_time(order: &Order, state: &State, at: Timestamp) -> bool {
    at < state.counts_from + seconds(order.timeout_seconds) && order.closes.is_none_or(|closes| at < closes)
}

/// The freeze that an application meets between two times.
pub(super) fn frozen(order: &Order, place: usize, from: Timestamp, to: Timestamp) -> Option<&crate::order::Frozen> {
    order.freezes.iter().find(|freeze| {
        let is_its = freeze.members.is_empty() || freeze.members.contains(&place);
        is_its && freeze.from <= to && from < freeze.to
    })
}

/// Why more have failed than are tolerated; none if they have not.
pub(crate) fn too_many(order: &Order, state: &State) -> Option<String> {
    let let_go =
        state.members.iter().zip(&order.members).filter(|(member, placed)| placed.moves && member.is != Is::LeftBehind);
    let let_go = let_go.count();
    let failed = state.members.iter().filter(|member| member.has_failed()).count();
    let tolerated = order.tolerated_failures.max(order.tolerated_failures_percent * let_go / 100);
    (failed > tolerated).then(|| format!("{failed} of {let_go} failed, and {tolerated} may"))
}

/// Whatever waits was not started: with the reason of each.
pub(super) fn named(order: &Order, mut state: State, line: &Line, at: Timestamp) -> State {
    let found = blocked(order, &state, line, at);
    for (member, reason) in state.members.iter_mut().zip(found).filter(|(member, _)| member.is == Is::Waiting) {
        let why = match reason {
            Some(Blocked::ForGood(why) | Blocked::ForNow(why)) => why,
            None => "its turn did not come".to_owned(),
        };
        member.become_now(Is::NotStarted, at);
        member.why = Some(shown(&why, MOST_WHY_BYTES));
    }
    state
}

/// When in the spread an application's turn is, in seconds: by chance, and the same at every look.
fn spread(order: &Order, place: usize) -> u64 {
    let first = order.members[place].with.first().copied().unwrap_or(place);
    let name = format!("{}\n{}", order.wave, order.members[first].name);
    let digits: String = cutover::contract::digest(&name).chars().take(8).collect();
    let chance = u64::from_str_radix(&digits, 16).unwrap_or(0);
    (order.spread_seconds * chance) >> 32
}

fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}
