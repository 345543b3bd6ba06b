//! What a wave starts: executions under names that are the same at every try.

use cutover::{StepError, StepResult};
use serde_json::{Value, json};
use waves::Order;
use waves::decide::Action;
use waves::state::{Child, State};

use crate::Clients;
use crate::observe::run_id;

/// Does what was decided; answers with what was started. One that fails does not keep the others from being done: the first error comes last.
pub(crate) async fn act(
    clients: &Clients,
    order: &Order,
    state: &State,
    actions: &[Action],
) -> StepResult<Vec<String>> {
    let (mut started, mut failed) = (Vec::new(), None);
    for action in actions {
        match one(clients, order, state, *action).await {
            Ok(what) => started.push(what),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(started), Err)
}

async fn one(clients: &Clients, order: &Order, state: &State, action: Action) -> StepResult<String> {
    match action {
        Action::Check(place) => {
            let (name, member) = (&order.members[place].name, &state.members[place]);
            let input = plan(clients, state, name, &order.wave, "precheck").await?;
            let execution = state.execution_name(name, Child::Check(member.checks));
            executions::start(&clients.sfn, &clients.machines.cutover, &execution, &input).await?;
            Ok(execution)
        }
        Action::Start(place) => {
            let (name, member) = (&order.members[place].name, &state.members[place]);
            let input = plan(clients, state, name, &order.wave, "execute").await?;
            let execution = state.execution_name(name, Child::Cutover(member.attempts));
            executions::start(&clients.sfn, &clients.machines.cutover, &execution, &input).await?;
            Ok(execution)
        }
        Action::RollBack(place) => {
            let (name, member) = (&order.members[place].name, &state.members[place]);
            let why = match &state.goes_back {
                Some(said) => format!("wave {} goes back: {}: {}", order.wave, said.by, said.why),
                None => format!("wave {}: another one of its lockstep group has failed", order.wave),
            };
            let input =
                json!({ "run_id": run_id(clients, state, name, member), "why": cutover::text::shown(&why, 500) });
            let execution = state.execution_name(name, Child::Rollback(member.attempts, member.rollbacks));
            executions::start(&clients.sfn, &clients.machines.rollback, &execution, &input).await?;
            Ok(execution)
        }
        Action::Hold(place, is_held) => {
            let name = &order.members[place].name;
            clients.journal.hold(&run_id(clients, state, name, &state.members[place]), is_held).await?;
            Ok(format!("{name} {}", if is_held { "holds its step" } else { "goes on" }))
        }
    }
}

/// An application's cutover plan, as it was when the wave was claimed.
async fn plan(clients: &Clients, state: &State, name: &str, wave: &str, mode: &str) -> StepResult<Value> {
    let missing =
        || StepError::new(cutover::error::name::REFUSED, format!("wave {wave}: the plan of {name} is not there"));
    let text = clients.journal.wave_part(&state.id, name).await?.ok_or_else(missing)?;
    let mut plan: Value =
        serde_json::from_str(&text).map_err(|error| StepError::invalid(format!("{name}: {error}")))?;
    if let Some(plan) = plan.as_object_mut() {
        plan.insert("mode".to_owned(), mode.into());
        plan.insert("wave".to_owned(), wave.into());
    }
    Ok(plan)
}
