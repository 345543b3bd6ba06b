//! The write: one atomic batch that deletes what was observed and creates what is wanted, read back.

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{ChangeAction, ChangeBatch};
use cutover::error::name;
use cutover::plan::DnsRoute;
use cutover::{StepError, StepResult};

use super::aws::to_aws;
use super::batch::Change;
use super::observe;
use super::state::NameState;

/// Sends the batch and reads back. What reads back as before an accepted batch is a read that is behind: the next look,
/// which waits for the change to be in sync, sees it or sends it again. A refused batch is looked at again: its first
/// try may have passed with its answer lost, or somebody else may have changed the records.
///
/// Answers the state now, and the identifier of the change where its answer was not lost.
///
/// # Errors
/// `Cutover.Drift` when it reads back as something else, and AWS errors.
pub async fn write(
    route53: &Client,
    route: &DnsRoute,
    live: &NameState,
    target: &NameState,
) -> StepResult<(NameState, Option<String>)> {
    let sent = send(route53, route, live.batch_to(target)).await;
    let after = observe::live(route53, route).await?;
    let change_id = judge(&route.record_name, sent, live, target, &after)?;
    Ok((after, change_id))
}

/// What came of a batch: `was` before, `target` sent, `after` read. Answers the change's identifier, where it is known. Pure.
fn judge(
    record_name: &str,
    sent: StepResult<String>,
    was: &NameState,
    target: &NameState,
    after: &NameState,
) -> StepResult<Option<String>> {
    match sent {
        Ok(change_id) if after.is_like(target) || after.is_like(was) => Ok(Some(change_id)),
        Err(_) if after.is_like(target) => Ok(None),
        Err(error) if after.is_like(was) => Err(error),
        _ => {
            let (after, target) = (after.describe(), target.describe());
            let problem = format!("{record_name} reads back as [{after}], not [{target}]: somebody else changed it");
            Err(StepError::new(name::DRIFT, problem))
        }
    }
}

/// Sends a batch, and answers the change's identifier: accepted, it is a change that Route 53 has made.
///
/// # Errors
/// AWS errors; `Cutover.Refused` where what it deletes is not there as it says.
pub async fn send(route53: &Client, route: &DnsRoute, changes: Vec<Change>) -> StepResult<String> {
    let changes = changes.into_iter().map(|change| {
        let (action, record) = match change {
            Change::Delete(record) => (ChangeAction::Delete, record),
            Change::Create(record) => (ChangeAction::Create, record),
        };
        aws_sdk_route53::types::Change::builder()
            .action(action)
            .resource_record_set(to_aws(&route.normalised_name(), &record)?)
            .build()
            .map_err(|error| StepError::invalid(error.to_string()))
    });
    let batch = ChangeBatch::builder()
        .comment("cutover")
        .set_changes(Some(changes.collect::<StepResult<_>>()?))
        .build()
        .map_err(|error| StepError::invalid(error.to_string()))?;
    let answer =
        route53.change_resource_record_sets().hosted_zone_id(&route.hosted_zone_id).change_batch(batch).send().await;
    let call = format!("route53:ChangeResourceRecordSets {}", route.record_name);
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error))?;
    Ok(answer.change_info.map(|change| change.id).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::record::tests::simple;

    #[test]
    fn a_batch_is_believed_as_far_as_it_reads_back() {
        let state = |value: &str| NameState::new(vec![simple(value, 300)]);
        let refused = || Err(StepError::new(name::REFUSED, "InvalidChangeBatch"));
        let judged = |sent: StepResult<&str>, after| {
            let judged = judge("www", sent.map(str::to_owned), &state("1.1.1.1"), &state("2.2.2.2"), &state(after));
            judged.map_err(|error| error.name)
        };
        let known = |id: &str| Ok(Some(id.to_owned()));
        assert_eq!(judged(Ok("C1"), "2.2.2.2"), known("C1"));
        assert_eq!(judged(Ok("C1"), "1.1.1.1"), known("C1"), "a read that is behind");
        assert_eq!(judged(Ok("C1"), "3.3.3.3"), Err(name::DRIFT));
        assert_eq!(judged(refused(), "2.2.2.2"), Ok(None), "its first try has passed, and its answer was lost");
        assert_eq!(judged(refused(), "1.1.1.1"), Err(name::REFUSED));
        assert_eq!(judged(refused(), "3.3.3.3"), Err(name::DRIFT));
    }
}
