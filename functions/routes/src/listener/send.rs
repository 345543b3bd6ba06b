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
    judge(route.arn(), &live.state, target, &after.state)?;
    Ok(after)
}

/// Whether what was written reads back: `was` before, `target` written, `after` read. Pure.
fn judge(arn: &str, was: &ListenerState, target: &ListenerState, after: &ListenerState) -> StepResult<()> {
    if after.is_like(target) {
        return Ok(());
    }
    let problem =
        format!("{arn} reads back as {}, not {}", after.describe_beside(target), target.describe_beside(after));
    Err(StepError::unlike_written(after.is_like(was), problem))
}

#[cfg(test)]
mod tests {
    use cutover::error::name;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_reads_back_otherwise_is_behind_if_it_is_as_before_and_somebody_elses_if_not() {
        let state = |new: i32| -> ListenerState {
            let group = |arn: &str, weight: i32| json!({ "arn": arn, "weight": weight });
            let groups = [group("old", 100 - new), group("new", new)];
            let forward = json!({ "order": null, "target_group_arn": null, "stickiness": null, "groups": groups });
            serde_json::from_value(json!({ "forward": forward, "others": [] })).unwrap()
        };
        let judged = |after| judge("listener", &state(0), &state(50), &state(after)).map_err(|error| error.name);
        assert_eq!(judged(50), Ok(()));
        assert_eq!(judged(0), Err(name::TRANSIENT));
        assert_eq!(judged(30), Err(name::DRIFT));
    }
}
