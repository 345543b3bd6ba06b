//! The ground as it was deployed: what trials change, put back.
//!
//! Contract: [`reset`] compares before it writes, and may be repeated. [`undo_act`] takes back what a trial did to the account beside its run, whatever
//! became of that: it is called also when the tool is interrupted. [`take_back`] brings a run of an earlier trial to its end: one that was stopped is
//! waited for, a finished or stuck one is rolled back, and one that goes on is an error that says what to do. Before that it takes back what the trial did: a tool
//! that was cut off has not, and what is denied or changed by others is never put back by a run.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::aws::{Aws, refused};
use super::ground::{APPLICATION, Ground, TTL};
use super::run;
use super::state::{records_of_name, routing};
use super::trial::Act;
use crate::control::ForwardState;

const POLICY: &str = "cutover-proving-ground-denies";
const HEALTHY: &str = "200";
const UNHEALTHY: &str = "503";
/// As the judge of the faults knows somebody else's change.
const FOREIGN_SECONDS: u64 = 77;
/// How long a changed function takes at the most.
const UPDATE_LIMIT: Duration = Duration::from_secs(120);

/// Does it.
///
/// # Errors
/// AWS errors.
pub async fn act(aws: &Aws, ground: &Ground, act: Act, execution: &str) -> Result<()> {
    match act {
        Act::FailHealthChecks => answer_health(aws, ground, UNHEALTHY).await,
        Act::Stop => {
            let stop =
                json!({ "executionArn": execution, "error": "Stopped", "cause": "Stopped by a person: cargo prove" });
            aws.call("stepfunctions", "stop_execution", stop).await.map(drop)
        }
        Act::Deny => {
            let deny = json!({ "Effect": "Deny", "Action": "elasticloadbalancing:ModifyListener", "Resource": "*" });
            let document = json!({ "Version": "2012-10-17", "Statement": [deny] }).to_string();
            let policy = json!({ "RoleName": ground.swap_role, "PolicyName": POLICY, "PolicyDocument": document });
            aws.call("iam", "put_role_policy", policy).await.map(drop)
        }
        Act::Change => change(aws, ground).await,
    }
}

/// Somebody else's change: the same weights, and a stickiness that no plan has.
async fn change(aws: &Aws, ground: &Ground) -> Result<()> {
    let state = routing(aws, ground).await?;
    let groups = state.listeners.get(&ground.listener).map(|state| state.target_groups.clone()).unwrap_or_default();
    let groups: Vec<Value> =
        groups.iter().map(|group| json!({ "TargetGroupArn": group.arn, "Weight": group.weight })).collect();
    let sticky = json!({ "Enabled": true, "DurationSeconds": FOREIGN_SECONDS });
    let config = json!({ "TargetGroups": groups, "TargetGroupStickinessConfig": sticky });
    modify_listener(aws, ground, json!({ "Type": "forward", "ForwardConfig": config })).await
}

async fn modify_listener(aws: &Aws, ground: &Ground, action: Value) -> Result<()> {
    let modify = json!({ "ListenerArn": ground.listener, "DefaultActions": [action] });
    aws.call("elbv2", "modify_listener", modify).await.map(drop)
}

/// Takes the stickiness off that [`change`] has put on, with the weights as they are: what the run has written, so that it knows its own again.
///
/// # Errors
/// AWS errors.
pub async fn undo_change(aws: &Aws, ground: &Ground) -> Result<()> {
    let state = routing(aws, ground).await?;
    let Some(live) = state.listeners.get(&ground.listener).filter(|live| is_changed(live)) else { return Ok(()) };
    let groups = live.target_groups.iter();
    let groups: Vec<Value> =
        groups.map(|group| json!({ "TargetGroupArn": group.arn, "Weight": group.weight })).collect();
    let config = json!({ "TargetGroups": groups, "TargetGroupStickinessConfig": { "Enabled": false } });
    modify_listener(aws, ground, json!({ "Type": "forward", "ForwardConfig": config })).await
}

/// No plan of the ground's has this stickiness.
fn is_changed(live: &ForwardState) -> bool {
    live.sticky_seconds == Some(FOREIGN_SECONDS)
}

/// Lets the new side be healthy, and `listener-swap` do what it may.
///
/// # Errors
/// AWS errors.
pub async fn undo_act(aws: &Aws, ground: &Ground) -> Result<()> {
    let policy = json!({ "RoleName": ground.swap_role, "PolicyName": POLICY });
    match aws.call("iam", "delete_role_policy", policy).await {
        Err(error) if refused(&error) != Some("NoSuchEntity") => return Err(error),
        _ => {}
    }
    answer_health(aws, ground, HEALTHY).await
}

async fn answer_health(aws: &Aws, ground: &Ground, status: &str) -> Result<()> {
    let function = json!({ "FunctionName": ground.new_function });
    let live = aws.call("lambda", "get_function_configuration", function.clone()).await?;
    let mut variables = live["Environment"]["Variables"].clone();
    if variables["HEALTH"] == status {
        return Ok(());
    }
    variables["HEALTH"] = json!(status);
    let update = json!({ "FunctionName": ground.new_function, "Environment": { "Variables": variables } });
    aws.call("lambda", "update_function_configuration", update).await?;
    let started = Instant::now();
    loop {
        let live = aws.call("lambda", "get_function_configuration", function.clone()).await?;
        if live["LastUpdateStatus"] != "InProgress" && live["Environment"]["Variables"]["HEALTH"] == status {
            return Ok(());
        }
        ensure!(started.elapsed() < UPDATE_LIMIT, "the function {} does not change: {live}", ground.new_function);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The listener wholly on the old side, the name with its one answer, and nothing denied.
///
/// # Errors
/// AWS errors.
pub async fn reset(aws: &Aws, ground: &Ground) -> Result<()> {
    undo_act(aws, ground).await?;
    let state = routing(aws, ground).await?;
    let forward = state.listeners.get(&ground.listener).context("the listener has gone: deploy the stack anew")?;
    let is_old = matches!(&forward.target_groups[..], [only] if only.arn == ground.old_group);
    if !is_old || forward.sticky_seconds.is_some() {
        modify_listener(aws, ground, json!({ "Type": "forward", "TargetGroupArn": ground.old_group })).await?;
    }
    let wanted = json!({ "Name": format!("{}.", ground.name), "Type": "A", "TTL": TTL,
        "ResourceRecords": [{ "Value": ground.old_address }] });
    let live = records_of_name(aws, ground).await?;
    if live != [wanted.clone()] {
        let mut changes: Vec<Value> =
            live.into_iter().map(|record| json!({ "Action": "DELETE", "ResourceRecordSet": record })).collect();
        changes.push(json!({ "Action": "CREATE", "ResourceRecordSet": wanted }));
        let batch = json!({ "HostedZoneId": ground.zone, "ChangeBatch": { "Changes": changes } });
        aws.call("route53", "change_resource_record_sets", batch).await?;
    }
    Ok(())
}

/// Ends a run that an earlier trial has left.
///
/// # Errors
/// It goes on, or cannot be taken back; AWS errors.
pub async fn take_back(aws: &Aws, ground: &Ground, look: Duration) -> Result<()> {
    let Some(run_id) = run::holder(aws, ground).await? else { return Ok(()) };
    undo_act(aws, ground).await?;
    undo_change(aws, ground).await?;
    if run::end_of(aws, &run_id).await?.is_none() {
        bail!(
            "a run of `{APPLICATION}` goes on: wait for its end, or stop it, which rolls it back: \
             aws stepfunctions stop-execution --execution-arn {run_id}"
        );
    }
    // One that was stopped is on its way back.
    let started = Instant::now();
    while !run::is_over(aws, ground, &run_id, false).await? {
        ensure!(started.elapsed() < run::LIMIT, "the run {run_id} does not come to its end");
        tokio::time::sleep(look).await;
    }
    match run::phase(aws, ground, &run_id).await?.as_deref() {
        Some("finished" | "stuck") => run::roll_back(aws, ground, &run_id, look).await,
        _ => Ok(()),
    }
}
