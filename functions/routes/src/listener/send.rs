//! The write: neither ModifyListener nor ModifyRule has a version condition, so it is read back.

use aws_sdk_elasticloadbalancingv2::Client;
use cutover::plan::ListenerRoute;
use cutover::{StepError, StepResult};

use super::actions::Live;
use super::observe;
use super::state::ListenerState;

/// Writes the forward action and reads it back.
///
/// # Errors
/// `Cutover.Drift` when it reads back differently, `Cutover.Transient` when it reads back as it was before; AWS errors.
pub async fn write(elb: &Client, route: &ListenerRoute, live: &Live, target: &ListenerState) -> StepResult<Live> {
    let actions = live.actions_with(&target.forward)?;
    match &route.rule_arn {
        Some(rule) => {
            let result = elb.modify_rule().rule_arn(rule).set_actions(Some(actions)).send().await;
            result.map_err(|error| StepError::from_aws(&format!("elasticloadbalancing:ModifyRule {rule}"), &error))?;
        }
        None => {
            let listener = route.arn();
            let result = elb.modify_listener().listener_arn(listener).set_default_actions(Some(actions)).send().await;
            let call = format!("elasticloadbalancing:ModifyListener {listener}");
            result.map_err(|error| StepError::from_aws(&call, &error))?;
        }
    }
    let after = observe::live(elb, route).await?;
    if after.state.is_like(target) {
        return Ok(after);
    }
    let problem = format!("{} reads back as {}, not {}", route.arn(), after.state.describe(), target.describe());
    Err(StepError::unlike_written(after.state.is_like(&live.state), problem))
}
