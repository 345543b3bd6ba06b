//! The rollback of a run: one execution for each try, whoever starts it. The cutover, the rule and the sweep count the tries alike,
//! so that two of them who start at once start the same execution.

use cutover::arn::execution;
use cutover::contract::is_under_way;
use cutover::error::name;
use cutover::{StepError, StepResult};
use serde_json::json;

use crate::{Clients, execution_name};

/// More tries than the cutover and the sweep make together, also where people have let a run be tried again.
const MOST_TRIES: u32 = 100;

/// The name of a try: as `StartRollback` makes it, in `statemachine/cutover.asl.yaml`.
pub(crate) fn name_of(run_id: &str, attempt: u32) -> String {
    execution_name("rollback", run_id, attempt)
}

/// Starts the rollback, unless a try of it is under way; whether it did. Tries that have ended have used up their names.
///
/// # Errors
/// AWS errors.
pub(crate) async fn start(clients: &Clients, run_id: &str) -> StepResult<bool> {
    let machine = &clients.machines.rollback;
    for attempt in 1..=MOST_TRIES {
        let name = name_of(run_id, attempt);
        match executions::status(&clients.sfn, &execution(machine, &name)).await? {
            Some(status) if is_under_way(&status) => return Ok(false),
            Some(_) => {}
            None => {
                executions::start(&clients.sfn, machine, &name, &json!({ "run_id": run_id })).await?;
                return Ok(true);
            }
        }
    }
    Err(StepError::new(name::REFUSED, format!("rollback of {run_id} was tried {MOST_TRIES} times")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same in `infra/test/machine/cutover-failures.ts`.
    #[test]
    fn a_try_has_the_name_that_the_cutover_gives_it() {
        assert_eq!(name_of("RUN", 1), "rollback-ddeaded8ad8e44933f39e672a8886d49-1");
    }

    #[test]
    fn an_execution_is_one_of_its_machine() {
        let machine = "arn:aws:states:eu-west-1:1:stateMachine:rollback";
        assert_eq!(execution(machine, "x"), "arn:aws:states:eu-west-1:1:execution:rollback:x");
    }
}
