//! A cutover that has ended without success: is its run owed a rollback that nobody has begun? The journal says so. A run that
//! touched nothing is not in it, and one that has its ending, or a rollback at work, is not owed any.

use cutover::StepResult;
use journal::Run;

use crate::decide::{self, Action, OwnerStatus};
use crate::{Clients, Reply, owner_status, rollback};

/// Starts the rollback of a run, if one is owed.
///
/// # Errors
/// AWS errors: the next sweep makes up for it.
pub(crate) async fn look_after(clients: &Clients, run_id: &str) -> StepResult<Reply> {
    let Some(run) = clients.journal.read(run_id).await? else { return Ok(Reply::default()) };
    let owner = match known(&run) {
        Some(status) => status,
        None => owner_status(&clients.sfn, &run.owner).await?,
    };
    let is_owed = decide::action(run.phase, run.owner != run.run_id, owner) == Action::Rollback;
    let is_started = is_owed && rollback::start(clients, run_id).await?;
    let done = is_started.then(|| format!("rollback of {run_id} started, as its cutover has ended"));
    Ok(Reply { open: usize::from(run.phase.is_open()), done: done.into_iter().collect(), ..Reply::default() })
}

/// The cutover itself has ended: that is what the event says, and DescribeExecution may be behind it.
fn known(run: &Run) -> Option<OwnerStatus> {
    (run.owner == run.run_id).then_some(OwnerStatus::Dead)
}

#[cfg(test)]
mod tests {
    use cutover::contract::Caller;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_owner_that_is_not_the_cutover_is_asked_after() {
        let owned_by = |owner: &str| {
            let caller = Caller { run_id: "run".to_owned(), execution_arn: owner.to_owned(), state: String::new() };
            let plan = serde_json::from_value(json!({ "application": "shop", "routes": [] })).unwrap();
            Run::claimed(&caller, plan, vec![], jiff::Timestamp::UNIX_EPOCH)
        };
        assert_eq!(known(&owned_by("run")), Some(OwnerStatus::Dead));
        assert_eq!(known(&owned_by("rollback")), None);
    }
}
