//! Whether somebody has to agree because of what the plan moves: by its tags, where the stack's owner says so.
//!
//! Reads the tags of each route's listener or rule, load balancer and groups, or of its hosted zone; nothing on a stack that asks by number only.
//! What cannot be read is asked about: whoever hides a tag gains nothing.

use cutover::finding::settled;
use cutover::{Plan, StepResult};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{AT_ONCE, Clients};

/// Whether a tag of what the plan moves demands that somebody agrees.
///
/// # Errors
/// Those that a repetition may cure.
pub(crate) async fn demands_approval(clients: &Clients, plan: &Plan) -> StepResult<bool> {
    if !clients.approval.asks_tags() {
        return Ok(false);
    }
    let demands = async |index: usize| {
        let tags = settled(routes::any::tags(&clients.routes, &plan.routes[index]).await)?;
        let demands = |(key, value): &(String, String)| clients.approval.is_for_tag(key, value);
        StepResult::Ok(tags.map_or(true, |tags| tags.iter().any(demands)))
    };
    let each: Vec<bool> = stream::iter(0..plan.routes.len()).map(demands).buffered(AT_ONCE).try_collect().await?;
    Ok(each.contains(&true))
}
