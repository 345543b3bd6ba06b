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
    match sent {
        Ok(change_id) if after.is_like(target) || after.is_like(live) => Ok((after, Some(change_id))),
        Err(_) if after.is_like(target) => Ok((after, None)),
        Err(error) if after.is_like(live) => Err(error),
        _ => {
            let problem = format!(
                "{} reads back as [{}], not [{}]: somebody else changed it",
                route.record_name,
                after.describe(),
                target.describe()
            );
            Err(StepError::new(name::DRIFT, problem))
        }
    }
}

async fn send(route53: &Client, route: &DnsRoute, changes: Vec<Change>) -> StepResult<String> {
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
