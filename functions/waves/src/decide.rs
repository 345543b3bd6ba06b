//! What comes next in a wave, from how it stands and what was seen. Pure.
//!
//! [`next`] is asked at every look. It takes in what was seen, and says what is to be started, and whether to wait, to ask people, or to end. What is to be
//! started is remembered before it is: a look that dies in between is made up for by the next one, which starts under the same name again.

mod back;
mod blocked;
mod go;
mod see;

use cutover::line::Line;
use jiff::Timestamp;

pub(crate) use self::blocked::too_many;
pub use self::blocked::{Blocked, blocked};
pub use self::go::{Verdict, left_behind};
pub use self::see::Sight;
use crate::ending::Ending;
use crate::order::Order;
use crate::plan::{OnFailures, When};
use crate::state::{Is, Said, Seen, Stage, State};

/// So many prechecks run at a time: each asks AWS a few dozen questions.
const MOST_CHECKS: usize = 10;
/// So long after its start something must be seen of it, in seconds; then it is started again, under the same name.
const SEEN_WITHIN_SECONDS: i64 = 60;
/// A rollback that has not begun by then is asked for once more, in seconds.
const BACK_WITHIN_SECONDS: i64 = 120;
/// How often it is.
const MOST_ROLLBACKS: u32 = 5;
/// So much is started in one look: a function has 30 s.
const MOST_STARTS: usize = 50;
/// A look comes so often while something runs, in seconds.
const LOOK_SECONDS: u64 = 5;
/// And so often while only people, or the clock, are waited for.
const IDLE_SECONDS: u64 = 30;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start its precheck.
    Check(usize),
    /// Start its cutover.
    Start(usize),
    /// Start a rollback of its run.
    RollBack(usize),
    /// Have its run hold its step, or go on.
    Hold(usize, bool),
}

/// What comes after that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Another look, after so many seconds.
    Look(u64),
    /// People are asked.
    Ask,
    /// The end.
    Over(Ending),
}

/// What comes next.
#[derive(Clone, Debug, PartialEq)]
pub struct Next {
    /// How the wave stands now.
    pub state: State,
    /// What is to be done.
    pub actions: Vec<Action>,
    /// And after that.
    pub then: Then,
}

/// What comes next. `sights` are in the applications' places; `line`: whether nothing may start anywhere.
pub fn next(order: &Order, state: State, sights: &[Sight], line: &Line, at: Timestamp) -> Next {
    let mut state = state;
    for (place, sight) in sights.iter().enumerate() {
        see::see(&mut state, place, sight, at);
    }
    tick(order, &mut state, at);
    state.line = line.stopped.as_ref().map(cutover::line::Stop::words);
    match state.stage {
        Stage::Checking => checking(order, state, line, at),
        Stage::Asking => Next { state, actions: Vec::new(), then: Then::Ask },
        Stage::Going | Stage::Over => going(order, state, line, at),
    }
}

/// What has tasks only is there as soon as people have said that all are done.
fn tick(order: &Order, state: &mut State, at: Timestamp) {
    for (member, placed) in state.members.iter_mut().zip(&order.members) {
        let is_done = !placed.moves && (0..placed.tasks.len()).all(|task| member.done.contains_key(&task));
        if is_done && matches!(member.is, Is::Waiting | Is::NotStarted | Is::LeftBehind) {
            member.become_now(Is::Done, at);
            member.why = None;
        }
    }
}

fn checking(order: &Order, mut state: State, line: &Line, at: Timestamp) -> Next {
    if let Some(said) = state.stopped.clone() {
        return over(order, stay(state, &format!("{} has stopped the wave: {}", said.by, said.why), at));
    }
    let is_due = |place: &usize| {
        let (member, placed) = (&state.members[*place], &order.members[*place]);
        placed.moves && member.checks <= state.rounds && member.is == Is::Waiting
    };
    let due: Vec<usize> = (0..state.members.len()).filter(is_due).collect();
    let running = |state: &State| state.members.iter().filter(|member| member.is == Is::Checking).count();
    let mut actions: Vec<Action> = unseen(&state, Is::Checking, at).map(Action::Check).collect();
    for place in due.into_iter().take(MOST_CHECKS.saturating_sub(running(&state))) {
        let round = state.rounds + 1;
        let member = &mut state.members[place];
        member.become_now(Is::Checking, at);
        (member.checks, member.seen, member.red) = (round, Seen::Nothing, None);
        actions.push(Action::Check(place));
    }
    if running(&state) > 0 {
        return Next { state, actions, then: Then::Look(LOOK_SECONDS) };
    }
    match go::verdict(order, &state) {
        Verdict::Go => going(order, let_go(order, state, at), line, at),
        Verdict::Ask => Next { state: State { stage: Stage::Asking, ..state }, actions, then: Then::Ask },
        Verdict::NoGo(why) => over(order, stay(state, &why, at)),
    }
}

/// Cutovers run from now on, of all that can be let go.
pub(crate) fn let_go(order: &Order, mut state: State, at: Timestamp) -> State {
    for (place, why) in go::left_behind(order, &state) {
        state.members[place].become_now(Is::LeftBehind, at);
        state.members[place].why = Some(why);
    }
    state.members.iter_mut().filter(|member| member.is == Is::Waiting).for_each(|member| member.is_let_go = true);
    State { stage: Stage::Going, let_go_at: Some(at), ..state }
}

/// Nobody starts any more: everything that waits stays where it is.
pub(crate) fn stay(mut state: State, why: &str, at: Timestamp) -> State {
    for member in state.members.iter_mut().filter(|member| matches!(member.is, Is::Waiting | Is::Checking)) {
        member.become_now(Is::NotStarted, at);
        member.why = Some(cutover::text::shown(why, crate::state::MOST_WHY_BYTES));
    }
    state
}

fn over(order: &Order, state: State) -> Next {
    let ending = state.ending.filter(|_| state.stage == Stage::Over).unwrap_or_else(|| Ending::of(order, &state));
    Next {
        state: State { stage: Stage::Over, ending: Some(ending), ..state },
        actions: Vec::new(),
        then: Then::Over(ending),
    }
}

fn going(order: &Order, mut state: State, line: &Line, at: Timestamp) -> Next {
    if state.goes_back.is_none()
        && order.on_failures == OnFailures::RollBackWave
        && let Some(why) = blocked::too_many(order, &state)
    {
        state.goes_back = Some(Said { by: "Cutover".to_owned(), why, at });
    }
    let mut actions: Vec<Action> = unseen(&state, Is::Running, at).map(Action::Start).take(MOST_STARTS).collect();
    actions.extend(back::back(order, &mut state, at));
    actions.extend(holds(order, &mut state, at));
    actions.extend(starts(order, &mut state, line, at));
    let is_busy = state.members.iter().any(|member| matches!(member.is, Is::Running | Is::RollingBack | Is::Checking));
    if is_busy {
        return Next { state, actions, then: Then::Look(LOOK_SECONDS) };
    }
    match waits(order, &state, line, at) {
        Some(seconds) => Next { state, actions, then: Then::Look(seconds) },
        None => over(order, blocked::named(order, state, line, at)),
    }
}

/// How a wave stands whose application was put back, or not wholly, after its end; none where that is known, or the wave is not over and whoever
/// follows it will see it.
pub fn ended_otherwise(order: &Order, state: State, place: usize, sight: &Sight, at: Timestamp) -> Option<State> {
    if state.stage != Stage::Over || matches!(sight, Sight::RollingBack) {
        return None;
    }
    let mut now = state.clone();
    see::see(&mut now, place, sight, at);
    if now == state {
        return None;
    }
    now.ending = Some(Ending::of(order, &now));
    Some(now)
}

/// What was asked for, and has not been seen: it may never have been started.
fn unseen(state: &State, is: Is, at: Timestamp) -> impl Iterator<Item = usize> {
    (0..state.members.len()).filter(move |place| {
        let member = &state.members[*place];
        let is_old = at.duration_since(member.since).as_secs() >= SEEN_WITHIN_SECONDS;
        member.is == is && member.seen == Seen::Nothing && is_old
    })
}

/// Starts whatever can start, in the order of the stages; a lockstep group whole, or not at all. One for which there is no room yet is waited for, so
/// that smaller ones do not overtake it for ever.
fn starts(order: &Order, state: &mut State, line: &Line, at: Timestamp) -> Vec<Action> {
    let mut places: Vec<usize> = (0..order.members.len()).collect();
    places.sort_by_key(|place| (order.members[*place].stage, *place));
    let blocked = blocked(order, state, line, at);
    let mut actions = Vec::new();
    for place in places {
        let group = &order.members[place].with;
        let is_first = group.first() == Some(&place);
        if !is_first || blocked[place].is_some() {
            continue;
        }
        let wanted: Vec<usize> = group.iter().copied().filter(|place| order.members[*place].moves).collect();
        let taken = state.members.iter().filter(|member| matches!(member.is, Is::Running | Is::RollingBack)).count();
        if wanted.is_empty() {
            continue;
        }
        if taken + wanted.len() > order.parallel_cutovers || actions.len() + wanted.len() > MOST_STARTS {
            break;
        }
        for place in wanted {
            let member = &mut state.members[place];
            member.become_now(Is::Running, at);
            member.attempts += 1;
            (member.seen, member.rollbacks, member.why) = (Seen::Nothing, 0, None);
            member.started_at = member.started_at.or(Some(at));
            actions.push(Action::Start(place));
        }
    }
    actions
}

/// A run that is under way when a freeze begins holds its step, and goes on when it is over.
fn holds(order: &Order, state: &mut State, at: Timestamp) -> Vec<Action> {
    let mut actions = Vec::new();
    for (place, member) in state.members.iter_mut().enumerate() {
        let is_frozen = blocked::frozen(order, place, at, at).is_some();
        let is_claimed = member.is == Is::Running && member.seen == Seen::Claimed;
        if is_claimed && member.is_held != is_frozen {
            member.is_held = is_frozen;
            actions.push(Action::Hold(place, is_frozen));
        }
    }
    actions
}

/// How long to wait for what does not run: for the clock, or for people. None where nothing can come any more.
fn waits(order: &Order, state: &State, line: &Line, at: Timestamp) -> Option<u64> {
    let blocked = blocked(order, state, line, at);
    let can_come = |place: usize| match state.members[place].is {
        Is::Waiting => !matches!(blocked[place], Some(Blocked::ForGood(_))),
        Is::Moved => is_time_left(order, state, at) && has_open_task(order, state, place),
        _ => false,
    };
    (0..state.members.len()).any(can_come).then_some(IDLE_SECONDS)
}

fn is_time_left(order: &Order, state: &State, at: Timestamp) -> bool {
    blocked::is_in_time(order, state, at) && state.stopped.is_none() && state.goes_back.is_none()
}

/// Whether people have something left to do for an application that has moved.
fn has_open_task(order: &Order, state: &State, place: usize) -> bool {
    order.members[place].tasks(When::After).any(|task| !state.members[place].done.contains_key(&task))
}

#[cfg(test)]
#[path = "decide/tests.rs"]
mod tests;
