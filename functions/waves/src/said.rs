//! What a person's word, or an execution's end, makes of a wave. Pure: each is safe at any moment, and said twice is said once.

use cutover::gestures;
use cutover::text::named;
use jiff::Timestamp;

use crate::asked::{Event, Gesture, TaskDone, Who};
use crate::decide::{let_go, stay};
use crate::ending::Ending;
use crate::order::Order;
use crate::state::{Is, Said, Seen, Stage, State};

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

    /// A wave to which something has happened. One that was over is followed by this execution again.
    fn changed(mut state: State, me: &str, at: Timestamp, reopens: bool, said: impl Into<String>) -> Self {
        let follows = reopens && state.stage == Stage::Over;
        if follows {
            me.clone_into(&mut state.owner);
            (state.stage, state.ending, state.counts_from) = (Stage::Going, None, at);
            for member in state.members.iter_mut().filter(|member| member.is == Is::NotStarted) {
                member.become_now(Is::Waiting, at);
                member.why = None;
            }
        }
        Self { state: Some(state), follows, said: said.into() }
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
        return self::done(order, state, done, me, at);
    }
    if let Some(follow) = follow {
        return Ok(followed(State { followed: *follow, ..state }, me));
    }
    if let Some(who) = resume {
        let said = signed(who, at)?;
        if state.paused.is_none() && state.stopped.is_none() {
            return Ok(Taken::nothing("it was neither paused nor stopped"));
        }
        let state = State { paused: None, stopped: None, ..state };
        return Ok(Taken::changed(state, me, at, true, format!("{} has it go on", said.by)));
    }
    if let Some(who) = pause {
        let said = signed(who, at)?;
        let words = format!("nothing new starts until somebody resumes it; what runs goes on: {}", said.by);
        return Ok(Taken::changed(State { paused: Some(said), ..state }, me, at, false, words));
    }
    if let Some(who) = stop {
        let said = signed(who, at)?;
        let words = format!("nothing new starts any more; what runs comes to its own end: {}", said.by);
        return Ok(Taken::changed(State { stopped: Some(said), ..state }, me, at, false, words));
    }
    let Some(who) = roll_back else { return Err("nothing was said, and nothing was done".to_owned()) };
    let said = signed(who, at)?;
    let words = format!("everything goes back, in the reverse order of what it needs: {}", said.by);
    if matches!(state.stage, Stage::Checking | Stage::Asking) {
        // Nothing has moved yet.
        return Ok(Taken::changed(
            State { stopped: Some(said), ..state },
            me,
            at,
            false,
            "nothing has moved: the wave ends",
        ));
    }
    Ok(Taken::changed(State { goes_back: Some(said), ..state }, me, at, true, words))
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

/// One application, with its lockstep group, is tried again.
fn retry(order: &Order, mut state: State, application: &str, said: &Said, me: &str) -> Result<Taken, String> {
    let place = place(order, application)?;
    if let Some(back) = &state.goes_back {
        return Err(format!("the wave goes back ({}), and nothing was done: start another wave", back.why));
    }
    let group = order.members[place].with.clone();
    for other in &group {
        let (name, is) = (named(&order.members[*other].name, 64), state.members[*other].is);
        if matches!(is, Is::Running | Is::RollingBack | Is::Checking) {
            return Err(format!("{name} {}, and nothing was done: wait for its end", is.words()));
        }
        if is == Is::Stuck {
            let help = "do what its own message says, or roll it back";
            return Err(format!("{name} needs a person, and nothing was done: {help}"));
        }
        if is == Is::Moved && group.len() == 1 {
            return Ok(Taken::nothing(format!("{name} is on its new side already")));
        }
    }
    for other in group.into_iter().filter(|other| order.members[*other].moves) {
        let member = &mut state.members[other];
        if member.is != Is::Moved {
            member.become_now(Is::Waiting, said.at);
            (member.seen, member.red, member.why, member.is_ordered_back) = (Seen::Nothing, None, None, false);
        }
    }
    let words = format!("{} is tried again: {}", named(application, 64), said.by);
    Ok(Taken::changed(state, me, said.at, true, words))
}

/// A task is done.
fn done(order: &Order, mut state: State, done: &TaskDone, me: &str, at: Timestamp) -> Result<Taken, String> {
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
    Ok(Taken::changed(state, me, at, false, words))
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
    let state = State { stage: Stage::Over, ending: Some(Ending::Rejected), ..state };
    Taken { state: Some(state), follows: false, said: words }
}
