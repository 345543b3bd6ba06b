//! What is seen of a wave's applications: their runs in the journal, and the executions that have claimed none.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use cutover::StepResult;
use cutover::arn::execution;
use cutover::contract::is_under_way;
use jiff::Timestamp;
use journal::{Phase, RunSeen};
use serde_json::Value;
use waves::asked::Event;
use waves::decide::Sight;
use waves::state::{Child, Is, Member, Seen, Stage, State};
use waves::{Order, earlier};

use crate::Clients;

/// So many executions are described in one look; where there are more, they take turns.
const MOST_DESCRIBED: usize = 15;

/// The run of an application: its last cutover's execution.
pub(crate) fn run_id(clients: &Clients, state: &State, name: &str, member: &Member) -> String {
    execution(&clients.machines.cutover, &state.execution_name(name, Child::Cutover(member.attempts)))
}

/// What is seen of each application, in their places.
pub(crate) async fn sights(clients: &Clients, order: &Order, state: &State, at: Timestamp) -> StepResult<Vec<Sight>> {
    let places = || state.members.iter().zip(&order.members).enumerate();
    let with_run = places().filter(|(_, (member, _))| {
        member.attempts > 0 && matches!(member.is, Is::Running | Is::Moved | Is::RollingBack | Is::Stuck)
    });
    let run_ids: HashMap<usize, String> =
        with_run.map(|(place, (member, placed))| (place, run_id(clients, state, &placed.name, member))).collect();
    // What has not claimed is described first: one that has ended, and still is not in the journal after that, has never claimed.
    let mut described = HashMap::new();
    for place in to_describe(order, state, at) {
        let (member, placed) = (&state.members[place], &order.members[place]);
        let what =
            if member.is == Is::Checking { Child::Check(member.checks) } else { Child::Cutover(member.attempts) };
        let arn = execution(&clients.machines.cutover, &state.execution_name(&placed.name, what));
        described.insert(
            place,
            executions::describe(&clients.sfn, &arn).await?.map_or(Sight::Nothing, |answer| ended(&answer)),
        );
    }
    let mut asked: Vec<String> = run_ids.values().cloned().collect();
    asked.sort();
    let runs = clients.journal.see(&asked).await?;
    let sight = |(place, _)| {
        let run = run_ids.get(&place).and_then(|run_id| runs.get(run_id));
        run.map(of_run).or_else(|| described.remove(&place)).unwrap_or_default()
    };
    Ok(places().map(sight).collect())
}

/// How a wave stands that is checked, with what its applications lack of earlier waves.
pub(crate) async fn earlier(clients: &Clients, order: &Order, mut state: State) -> StepResult<State> {
    let wanted = if state.stage == Stage::Checking { earlier::wanted(order, &state) } else { BTreeSet::new() };
    if wanted.is_empty() {
        return Ok(state);
    }
    let mut waves = earlier::Waves::new();
    for wave in wanted {
        let found = crate::read(clients, &wave).await?;
        waves.insert(wave, found.map(|(order, state, _)| (order, state)));
    }
    earlier::note(order, &mut state, &waves);
    Ok(state)
}

/// What has claimed nothing as far as is known. What was started a moment ago is left alone.
fn to_describe(order: &Order, state: &State, at: Timestamp) -> Vec<usize> {
    let is_open = |member: &Member| match member.is {
        Is::Checking => true,
        Is::Running => member.seen != Seen::Claimed,
        _ => false,
    };
    let mut places: Vec<usize> = (0..order.members.len())
        .filter(|place| is_open(&state.members[*place]) && state.members[*place].since < at)
        .collect();
    // Turn by turn: which ones come first moves on with the time.
    let turn = usize::try_from(at.as_second()).unwrap_or(0) / 5 * MOST_DESCRIBED % places.len().max(1);
    places.rotate_left(turn);
    places.truncate(MOST_DESCRIBED);
    places
}

fn ended(answer: &DescribeExecutionOutput) -> Sight {
    let status = answer.status().as_str();
    if is_under_way(status) {
        return Sight::UnderWay;
    }
    let error = match status {
        "SUCCEEDED" => None,
        // A person has stopped it, or its time was over.
        "ABORTED" | "TIMED_OUT" => Some(answer.error().unwrap_or(status).to_owned()),
        _ => Some(answer.error().unwrap_or("no error").to_owned()),
    };
    Sight::Ended { error, cause: waves::ending::cause(answer.cause().unwrap_or_default()) }
}

/// What a run's item says.
pub(crate) fn of_run(run: &RunSeen) -> Sight {
    match run.phase {
        Phase::Claimed | Phase::Forward => Sight::Claimed,
        Phase::Closed if run.ending.as_deref() == Some("Released") => {
            Sight::Stuck { why: "a person has released it as it was".to_owned() }
        }
        Phase::Finished | Phase::Cleaning | Phase::Closed => Sight::Moved,
        Phase::RollingBack => Sight::RollingBack,
        Phase::RolledBack => Sight::Back { why: run.why.clone() },
        Phase::Stuck => {
            let ending = run.ending.as_deref().unwrap_or("Stuck");
            Sight::Stuck { why: format!("{ending}: its own message says what is left") }
        }
    }
}

/// Whether nobody follows a wave that is not over.
pub(crate) async fn is_left(sfn: &aws_sdk_sfn::Client, state: &State, me: &str) -> StepResult<bool> {
    if state.stage == Stage::Over || state.owner == me {
        return Ok(false);
    }
    let owner = executions::describe(sfn, &state.owner).await?;
    Ok(owner.is_none_or(|owner| !is_under_way(owner.status().as_str())))
}

/// The wave that an execution of `wave` has followed, by its input; none where it said something only.
pub(crate) async fn wave_of(sfn: &aws_sdk_sfn::Client, event: &Event) -> StepResult<Option<String>> {
    let given = match &event.input {
        Some(input) => Some(input.clone()),
        // EventBridge leaves a long one out.
        None => executions::describe(sfn, &event.execution_arn).await?.and_then(|answer| answer.input),
    };
    let given: Value = given.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    if let Ok(of) = cutover::input::read::<Event>(given.clone())
        && !of.execution_arn.is_empty()
    {
        // It followed one whose execution had died before it.
        return Box::pin(wave_of(sfn, &of)).await;
    }
    let name = given["wave"].as_str().or_else(|| given["of"].as_str());
    Ok(name.map(str::to_owned))
}

#[cfg(test)]
#[path = "observe_tests.rs"]
mod tests;
