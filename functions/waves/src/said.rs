//! What a person's word, or an execution's end, makes of a wave. Pure: each is safe at any moment, and said twice is said once.

use cutover::gestures;
use cutover::text::named;
use jiff::Timestamp;

use crate::asked::{Event, Gesture, TaskDone, Who};
use crate::decide::{let_go, stay};
use crate::ending::Ending;
use crate::order::Order;
use crate::state::{Is, Said, Seen, Stage, State};

const IS_OVER: &str = "the wave is over: nothing starts in it unless somebody says so, and nothing was changed";

/// What becomes of a wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// How it stands now; none where nothing has to be written.
    pub state: Option<State>,
    /// Whether this execution follows it from now on.
    pub follows: bool,
    /// What was done, in words.
    pub said: String,
}

impl Taken {
    fn nothing(said: impl Into<String>) -> Self {
        Self { state: None, follows: false, said: said.into() }
    }

    /// A wave to which something has happened, and that is followed as before.
    fn changed(state: State, said: impl Into<String>) -> Self {
        Self { state: Some(state), follows: false, said: said.into() }
    }
}

/// Takes what a person has said.
///
/// # Errors
/// What cannot be done as it stands, in a person's words. Nothing was changed then.
pub fn said(order: &Order, state: State, gesture: &Gesture, me: &str, at: Timestamp) -> Result<Taken, String> {
    let Gesture { of: _, retry, done, pause, resume, stop, roll_back, follow } = gesture;
    if let Some(retry) = retry {
        let said = signed(&Who { by: retry.by.clone(), why: retry.why.clone() }, at)?;
        return self::retry(order, state, &retry.application, &said, me);
    }
    if let Some(done) = done {
        return self::done(order, state, done, at);
    }
    if let Some(follow) = follow {
        return Ok(followed(State { followed: *follow, ..state }, me));
    }
    if let Some(who) = resume {
        return resumed(state, &signed(who, at)?, me);
    }
    if let Some(who) = pause {
        let said = signed(who, at)?;
        if state.stage == Stage::Over {
            return Ok(Taken::nothing(IS_OVER));
        }
        let words = format!("nothing new starts until somebody resumes it; what runs goes on: {}", said.by);
        return Ok(Taken::changed(State { paused: Some(said), ..state }, words));
    }
    if let Some(who) = stop {
        let said = signed(who, at)?;
        if state.stage == Stage::Over {
            return Ok(Taken::nothing(IS_OVER));
        }
        let words = format!("nothing new starts any more; what runs comes to its own end: {}", said.by);
        return Ok(Taken::changed(State { stopped: Some(said), ..state }, words));
    }
    let Some(who) = roll_back else { return Err("nothing was said, and nothing was done".to_owned()) };
    Ok(rolled_back(state, signed(who, at)?, me))
}

/// The end of a pause or of a stop; and a wave that has ended goes on with what was not started.
fn resumed(state: State, said: &Said, me: &str) -> Result<Taken, String> {
    if let Some(back) = &state.goes_back {
        return Err(format!("the wave goes back ({}), and nothing was done: start another wave", back.why));
    }
    let is_held = state.paused.is_some() || state.stopped.is_some();
    let mut state = State { paused: None, stopped: None, ..state };
    let left: Vec<usize> =
        (0..state.members.len()).filter(|place| state.members[*place].is == Is::NotStarted).collect();
    if state.stage != Stage::Over || left.is_empty() {
        if !is_held {
            return Ok(Taken::nothing("it was neither paused nor stopped, and nothing is left that was not started"));
        }
        return Ok(Taken::changed(state, format!("{} has it go on", said.by)));
    }
    for place in left {
        wait_again(&mut state, place, said.at);
    }
    let (state, how) = reopened(state, me, said.at);
    Ok(Taken { state: Some(state), follows: true, said: format!("{} has it go on{how}", said.by) })
}

/// Everything goes back. Nothing is started in a wave that does.
fn rolled_back(mut state: State, said: Said, me: &str) -> Taken {
    let words = format!("everything goes back, in the reverse order of what it needs: {}", said.by);
    let has_moved = state.members.iter().any(|member| member.attempts > 0);
    if matches!(state.stage, Stage::Checking | Stage::Asking) && !has_moved {
        return Taken::changed(State { stopped: Some(said), ..state }, "nothing has moved: the wave ends");
    }
    let follows = state.stage == Stage::Over;
    if follows {
        me.clone_into(&mut state.owner);
        (state.ending, state.counts_from, state.told) = (None, said.at, None);
    }
    Taken { state: Some(State { goes_back: Some(said), stage: Stage::Going, ..state }), follows, said: words }
}

/// One application waits again, as if it had not been tried.
fn wait_again(state: &mut State, place: usize, at: Timestamp) {
    let member = &mut state.members[place];
    member.become_now(Is::Waiting, at);
    (member.seen, member.is_ordered_back) = (Seen::Nothing, false);
    (member.red, member.lacks, member.why) = (None, None, None);
}

/// A wave that was over is followed by this execution. What waits in it goes on where all of it was let go; else all of it is checked first, and asked for
/// where somebody has to agree.
fn reopened(mut state: State, me: &str, at: Timestamp) -> (State, &'static str) {
    // Of a wave that was stored before applications said so, its ending tells.
    let was_touched = !matches!(state.ending, Some(Ending::NoGo | Ending::Rejected));
    let mut waiting = state.members.iter().filter(|member| member.is == Is::Waiting);
    let is_let_go = was_touched && waiting.all(|member| member.is_let_go);
    me.clone_into(&mut state.owner);
    (state.ending, state.counts_from, state.told) = (None, at, None);
    if is_let_go {
        return (State { stage: Stage::Going, ..state }, "");
    }
    state.members.iter_mut().filter(|member| member.is == Is::Waiting).for_each(|member| member.is_let_go = false);
    let rounds = state.rounds + 1;
    (State { stage: Stage::Checking, rounds, approval: None, ..state }, ": it was not let go, so it is checked first")
}

fn signed(who: &Who, at: Timestamp) -> Result<Said, String> {
    gestures::said("by", &who.by).map_err(|error| error.message)?;
    gestures::said("why", &who.why).map_err(|error| error.message)?;
    Ok(Said { by: who.by.clone(), why: who.why.clone(), at })
}

fn place(order: &Order, application: &str) -> Result<usize, String> {
    order.place(application).ok_or_else(|| {
        let near = cutover::read::nearest_name(application, order.members.iter().map(|member| member.name.as_str()));
        let near = near.map(|near| format!(": did you mean {}?", named(near, 64))).unwrap_or_default();
        format!("{} is no application of wave {}, and nothing was done{near}", named(application, 64), order.wave)
    })
}

/// One application, with its lockstep group, is tried again; nothing else is started for it.
fn retry(order: &Order, mut state: State, application: &str, said: &Said, me: &str) -> Result<Taken, String> {
    let place = place(order, application)?;
    let moves = order.members[place].with.iter().copied().filter(|other| order.members[*other].moves);
    let group: Vec<usize> = moves.filter(|other| state.members[*other].is != Is::Moved).collect();
    if !order.members[place].moves {
        return Err(format!(
            "{} has tasks only, and nothing was done: say that they are `done`",
            named(application, 64)
        ));
    }
    refused(order, &state, place)?;
    if group.is_empty() {
        return Ok(Taken::nothing(format!("{} is on its new side already", named(application, 64))));
    }
    let is_let_go = group.iter().all(|other| state.members[*other].is_let_go);
    if let Some(lacks) =
        group.iter().find_map(|other| state.members[*other].lacks.as_ref().filter(|_| state.stage == Stage::Going))
    {
        return Err(format!("{lacks}, and nothing was done: once the wave has ended, `retry` looks again"));
    }
    if state.stage == Stage::Going && !is_let_go {
        if order.approval.is_some() {
            let name = named(application, 64);
            let fix = "once the wave has ended, `retry` has it checked, and asks for it";
            return Err(format!("{name} was left behind by those who let the wave go, and nothing was done: {fix}"));
        }
        // Nobody has to agree, and its own cutover checks it before it touches anything.
        group.iter().for_each(|other| state.members[*other].is_let_go = true);
    }
    for other in group {
        wait_again(&mut state, other, said.at);
    }
    let name = named(application, 64);
    let paused = if state.paused.is_some() { "; the wave is paused: it waits for `resume`" } else { "" };
    if state.stage != Stage::Over {
        return Ok(Taken::changed(state, format!("{name} is tried again: {}{paused}", said.by)));
    }
    let rest = others_wait(&mut state, &name);
    let (state, how) = reopened(state, me, said.at);
    let words = format!("{name} is tried again: {}{how}{paused}{rest}", said.by);
    Ok(Taken { state: Some(state), follows: true, said: words })
}

/// Whatever else was not started stays so, and says what starts it.
fn others_wait(state: &mut State, name: &str) -> &'static str {
    let mut rest = "";
    for member in state.members.iter_mut().filter(|member| member.is == Is::NotStarted) {
        member.why = Some(format!("only {name} was tried again: `resume` starts what was not started"));
        rest = "; what else was not started waits for `resume`";
    }
    rest
}

/// Why nothing can be tried again as it stands.
fn refused(order: &Order, state: &State, place: usize) -> Result<(), String> {
    if let Some(back) = &state.goes_back {
        return Err(format!("the wave goes back ({}), and nothing was done: start another wave", back.why));
    }
    if let Some(stopped) = &state.stopped {
        let fix = "say `resume` first";
        return Err(format!("{} has stopped the wave ({}), and nothing was done: {fix}", stopped.by, stopped.why));
    }
    match state.stage {
        Stage::Checking => {
            return Err("the wave is being checked, and nothing was done: wait for what comes of it".to_owned());
        }
        Stage::Asking => {
            let fix =
                "wait for their answer, or `stop` the wave and `resume` it: then it is checked, and asked for, anew";
            return Err(format!("people are asked about what was found, and nothing was done: {fix}"));
        }
        Stage::Going | Stage::Over => {}
    }
    for other in &order.members[place].with {
        let (name, is) = (named(&order.members[*other].name, 64), state.members[*other].is);
        if matches!(is, Is::Running | Is::RollingBack | Is::Checking) {
            return Err(format!("{name} {}, and nothing was done: wait for its end", is.words()));
        }
        if is == Is::Stuck {
            let help = "do what its own message says, or roll it back";
            return Err(format!("{name} needs a person, and nothing was done: {help}"));
        }
    }
    Ok(())
}

/// A task is done.
fn done(order: &Order, mut state: State, done: &TaskDone, at: Timestamp) -> Result<Taken, String> {
    gestures::said("by", &done.by).map_err(|error| error.message)?;
    let place = place(order, &done.application)?;
    let tasks = &order.members[place].tasks;
    let Some(task) = done.task.checked_sub(1).filter(|task| *task < tasks.len()) else {
        let known = format!("it has {} of them, counted from 1", tasks.len());
        return Err(format!("there is no task {} of {}, and nothing was done: {known}", done.task, done.application));
    };
    if state.members[place].done.contains_key(&task) {
        return Ok(Taken::nothing("that was said before"));
    }
    let said = Said { by: done.by.clone(), why: done.why.clone(), at };
    state.members[place].done.insert(task, said);
    let words =
        format!("task {} of {} is done: {}", done.task, named(&done.application, 64), named(&tasks[task].what, 200));
    Ok(Taken::changed(state, words))
}

/// This execution follows a wave in the place of another.
pub fn followed(state: State, me: &str) -> Taken {
    if state.stage == Stage::Over {
        return Taken::nothing("it is over");
    }
    if state.owner == me {
        return Taken { state: None, follows: true, said: "it is followed".to_owned() };
    }
    Taken { state: Some(State { owner: me.to_owned(), ..state }), follows: true, said: "it is followed on".to_owned() }
}

/// The execution that followed it has ended before its time: this one goes on. A person who stopped it wants nothing new to start.
pub fn died(state: State, event: &Event, me: &str, at: Timestamp) -> Taken {
    if state.owner != event.execution_arn && state.owner != me {
        return Taken::nothing("another execution follows it");
    }
    let mut state = state;
    if event.status == "ABORTED" && state.stage != Stage::Over && state.stopped.is_none() {
        let why = "its execution was stopped; what runs comes to its own end".to_owned();
        state.stopped = Some(Said { by: "whoever stopped the execution".to_owned(), why, at });
    }
    left(state, me)
}

/// Nobody follows a wave any more, whatever became of its execution: this one does.
pub fn left(mut state: State, me: &str) -> Taken {
    if state.stage == Stage::Asking {
        // Who was asked can no longer answer: the question went with the execution.
        state.stage = Stage::Checking;
    }
    followed(state, me)
}

/// What those who were asked have said, or their silence.
pub fn answered(order: &Order, state: State, is_yes: bool, said: Said) -> Taken {
    if state.stage != Stage::Asking {
        return Taken::nothing("nobody asks any more");
    }
    let at = said.at;
    if let (true, None) = (is_yes, &state.stopped) {
        let words = format!("let go by {}: {}", said.by, said.why);
        let state = let_go(order, State { approval: Some(said), ..state }, at);
        return Taken { state: Some(state), follows: false, said: words };
    }
    let words = match &state.stopped {
        Some(stopped) => format!("{} has stopped the wave: {}", stopped.by, stopped.why),
        None => format!("not let go by {}: {}", said.by, said.why),
    };
    let state = stay(state, &words, at);
    let is_untouched = state.members.iter().all(|member| member.attempts == 0);
    let ending = if is_untouched { Ending::Rejected } else { Ending::of(order, &state) };
    let state = State { stage: Stage::Over, ending: Some(ending), ..state };
    Taken { state: Some(state), follows: false, said: words }
}

#[cfg(test)]
#[path = "said_tests.rs"]
mod tests;
