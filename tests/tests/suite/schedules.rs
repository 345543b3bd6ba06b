//! A scheduled cutover is started once, however often its schedule is delivered.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::template::{STACK, synthesize};
use crate::support::{Ground, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const SPEED: f64 = 120.0;
/// The topic that the plan names.
const TOPICS: &str = "topicArns=arn:aws:sns:eu-west-1:123456789012:shop-cutover";
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);

async fn a_schedule_that_is_delivered_again_starts_one_run_and_pages_nobody() -> Result<()> {
    let ground = Ground::from(SPEED, synthesize("unscheduled", &[])?).await?;
    let stage = ground.stage(&listener_plan("shop", json!([{ "new_weight": 100, "hold": "20m" }])), json!({})).await?;
    let schedules = json!([{ "name": "shop", "at": "2100-03-01T02:00:00", "input": stage.plan }]);
    let scheduled = synthesize("scheduled", &[TOPICS, &format!("schedules={schedules}")])?;
    ground.client.deploy_template(&scheduled, STACK).await?;

    let (one, other) = tokio::join!(ground.client.fire_schedule("shop"), ground.client.fire_schedule("shop"));
    ensure!(one?["delivered"] == true && other?["delivered"] == true, "not delivered");
    ensure_starts(&ground, 2, "Started").await?;
    let run_id = ground.execution("cutover", "shop-21000301T020000");
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let late = ground.client.fire_schedule("shop").await?;
    ensure!(late["delivered"] == true, "not delivered: {late}");
    ensure_starts(&ground, 1, "AlreadyStarted").await?;

    let runs = ground.executions("cutover").await?;
    ensure!(runs.len() == 1 && runs[0]["executionArn"] == run_id.as_str(), "runs: {runs:?}");
    let input: Value = serde_json::from_str(end["input"].as_str().context("no input")?)?;
    ensure!(input == stage.plan, "the run was given {input}");
    let letters = undelivered(&ground).await?;
    ensure!(letters == "0", "{letters} messages in the dead-letter queue");
    Ok(())
}

/// Of all executions of `start`, none has failed, and so many have ended in this state.
async fn ensure_starts(ground: &Ground, count: usize, state: &str) -> Result<()> {
    wait_for(&format!("{count} that ended in {state}"), LIMIT, async || {
        let mut reached = 0;
        for start in ground.executions("start").await? {
            let arn = start["executionArn"].as_str().context("no ARN")?;
            ensure!(start["status"] == "RUNNING" || start["status"] == "SUCCEEDED", "a start failed: {start}");
            reached += usize::from(ground.states(arn).await?.last().is_some_and(|last| last == state));
        }
        Ok((reached == count).then_some(()))
    })
    .await
}

/// How many deliveries lie in the schedules' dead-letter queue.
async fn undelivered(ground: &Ground) -> Result<String> {
    let queue = json!({ "QueueName": "cutover-schedules-undelivered" });
    let url = ground.client.call("sqs", "get_queue_url", queue).await?;
    let parameters = json!({ "QueueUrl": url["QueueUrl"], "AttributeNames": ["ApproximateNumberOfMessages"] });
    let answer = ground.client.call("sqs", "get_queue_attributes", parameters).await?;
    Ok(answer["Attributes"]["ApproximateNumberOfMessages"].as_str().context("no number")?.to_owned())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![a_schedule_that_is_delivered_again_starts_one_run_and_pages_nobody,]
}
