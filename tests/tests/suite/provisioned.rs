//! What the CDK app deploys is what was tested: its synthesized template, deployed through CloudFormation, each function
//! and state machine under its own role with permissions enforced by action.

use std::path::Path;
use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::template::{STACK, synthesize};
use crate::support::{Ground, ensure_same, plan};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const SPEED: f64 = 120.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
const VPC: &str = r#"probeVpc={"subnetIds": ["subnet-0a1b2c3d"], "securityGroupIds": ["sg-0c1d2e3f"]}"#;
const SCHEDULES: &str = r#"schedules=[{"name": "shop", "at": "2100-03-01T02:00:00", "input": {}}]"#;

/// How to list the resources of a type. Left out are those that go with another one (policies, permissions), and the topic's
/// key, which AWS keeps for 30 days.
const LISTINGS: [(&str, &str, &str); 12] = [
    ("AWS::CloudWatch::Alarm", "cloudwatch", "describe_alarms"),
    ("AWS::CloudWatch::Dashboard", "cloudwatch", "list_dashboards"),
    ("AWS::Events::Rule", "events", "list_rules"),
    ("AWS::IAM::Role", "iam", "list_roles"),
    ("AWS::Lambda::Function", "lambda", "list_functions"),
    ("AWS::Logs::LogGroup", "logs", "describe_log_groups"),
    ("AWS::SNS::Subscription", "sns", "list_subscriptions"),
    ("AWS::SNS::Topic", "sns", "list_topics"),
    ("AWS::SQS::Queue", "sqs", "list_queues"),
    ("AWS::Scheduler::Schedule", "scheduler", "list_schedules"),
    ("AWS::Scheduler::ScheduleGroup", "scheduler", "list_schedule_groups"),
    ("AWS::StepFunctions::StateMachine", "stepfunctions", "list_state_machines"),
];

const HOOK: &str = "arn:aws:lambda:eu-west-1:123456789012:function:portal-smoke-test";

/// The default plan with one hook, of which the stack is told.
fn plan_with_a_hook() -> Result<Value> {
    let mut plan = plan("cutover")?;
    plan["hooks"] = json!({ "after_traffic": [{ "function_arn": HOOK }] });
    plan["routes"][0]["steps"] = json!([{ "new_weight": 100, "hold": "5m" }]);
    plan["load_test"] = Value::Null; // this stack lists no hosts for it
    Ok(plan)
}

async fn the_deployed_stack_moves_and_restores_traffic_under_its_own_roles() -> Result<()> {
    let hooks = format!("hookFunctionArns={HOOK}");
    let topics = format!("topicArns={}", plan_with_a_hook()?["notify"]["topic_arn"].as_str().context("no topic")?);
    let template = synthesize("first", &[&hooks, &topics])?;
    // What the running cutover still uses changes too: its own role, that of `notify`, and all functions.
    let (hooks, plan) = (format!("{hooks},{HOOK}-2"), plan_with_a_hook()?);
    let changes = ["emails=oncall@example.com", SCHEDULES, VPC, &hooks, &topics, "architecture=x86_64"];
    let changed = synthesize("second", &changes)?;
    let ground = Ground::from(SPEED, template).await?;

    let stage = ground.stage(&plan, json!({})).await?;
    let before = ground.account().await?;
    let _metrics = stage.publish_metrics(stage.clock());
    let run_id = ground.start("cutover", "stopped", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    cutover_tests::follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)?;

    let run_id = ground.start("cutover", "whole", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    update(&ground, &changed).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ensure_nothing_denied(&ground).await?;
    remove(&ground, &run_id).await
}

/// An update while a cutover runs keeps the journal and does not disturb the run.
async fn update(ground: &Ground, changed: &Path) -> Result<()> {
    let runs = ground.client.dump().await?["journal"].as_array().map_or(0, Vec::len);
    let answer = ground.client.deploy_template(changed, STACK).await?;
    println!("update: {} s, {} resources", answer["seconds"], answer["resources"].as_array().map_or(0, Vec::len));
    let after = ground.client.dump().await?["journal"].as_array().map_or(0, Vec::len);
    ensure!(after >= runs && runs > 0, "the journal had {runs} items, and has {after}");
    Ok(())
}

async fn ensure_nothing_denied(ground: &Ground) -> Result<()> {
    let requests = ground.client.requests(0).await?;
    let denied: Vec<String> = requests
        .iter()
        .filter(|request| request.status == Some(403))
        .map(|request| format!("{} {}:{}", request.caller, request.service, request.operation))
        .collect();
    ensure!(denied.is_empty(), "denied: {denied:?}");
    Ok(())
}

/// Removal leaves nothing but the journal and the reports, which are retained by choice.
async fn remove(ground: &Ground, run_id: &str) -> Result<()> {
    let stack = json!({ "StackName": STACK });
    let described = ground.client.call("cloudformation", "describe_stack_resources", stack).await?;
    let resources = described["StackResources"].as_array().context("no resources")?;
    for (kind, found, all) in there_are(ground, resources).await? {
        ensure!(found.len() == all && all > 0, "of {all} {kind}, these are listed: {found:?}");
    }
    let answer = ground.client.delete_template(STACK).await?;
    let retained = answer["retained"].as_array().context("nothing is said of what was retained")?;
    let journal = ground.emulator.ready().journal_table.as_str();
    let kept: Vec<&Value> = retained.iter().map(|resource| &resource["type"]).collect();
    ensure!(kept == ["AWS::DynamoDB::Table", "AWS::S3::Bucket"], "retained: {retained:?}");
    ensure!(retained[0]["physical_id"] == journal, "retained: {retained:?}");
    for (kind, found, _) in there_are(ground, resources).await? {
        ensure!(found.is_empty(), "{kind} left: {found:?}");
    }
    ensure!(ground.run(run_id).await?.is_some(), "the journal is gone: {answer}");
    Ok(())
}

/// Of each type: which of these resources are listed, and how many of them there are.
async fn there_are(ground: &Ground, resources: &[Value]) -> Result<Vec<(&'static str, Vec<String>, usize)>> {
    let mut found = Vec::new();
    for (kind, service, operation) in LISTINGS {
        let listed = ground.client.call(service, operation, json!({})).await?.to_string();
        let ids = resources.iter().filter(|resource| resource["ResourceType"] == kind);
        let ids: Vec<String> = ids.map(|resource| resource["PhysicalResourceId"].to_string()).collect();
        let (all, ids) = (ids.len(), ids.into_iter().filter(|id| listed.contains(id.as_str())));
        found.push((kind, ids.collect(), all));
    }
    Ok(found)
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![the_deployed_stack_moves_and_restores_traffic_under_its_own_roles,]
}
