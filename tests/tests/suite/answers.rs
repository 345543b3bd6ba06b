//! What users get of a name, end to end: health before weights, aliases with their target's TTL, identifiers that are taken.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, dns_plan, ensure_same, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use cutover_tests::control::Client;
use cutover_tests::stage::Stage;
use serde_json::{Value, json};

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
const ZONE: &str = "Z0123456789TEST00";

/// A whole run, and how it ended.
async fn run(ground: &Ground, name: &str, plan: &Value) -> Result<Value> {
    ground.end_of(&ground.start("cutover", name, plan).await?, LIMIT).await
}

/// Every `wait_seconds` that a function answered in a state.
async fn waits(ground: &Ground, execution: &str, state: &str) -> Result<Vec<u64>> {
    let parameters = json!({ "executionArn": execution, "maxResults": 1000 });
    let history = ground.client.call("stepfunctions", "get_execution_history", parameters).await?;
    let (mut here, mut waits) = (String::new(), Vec::new());
    for event in history["events"].as_array().into_iter().flatten() {
        if let Some(name) = event["stateEnteredEventDetails"]["name"].as_str() {
            here = name.to_owned();
        }
        let output = event["taskSucceededEventDetails"]["output"].as_str().filter(|_| here == state);
        let Some(output) = output else { continue };
        let output: Value = serde_json::from_str(output)?;
        let payload = if output["Payload"].is_object() { &output["Payload"] } else { &output };
        waits.extend(payload["wait_seconds"].as_u64());
    }
    Ok(waits)
}

async fn change_records(client: &Client, zone: &Value, changes: Vec<Value>) -> Result<()> {
    let parameters = json!({ "HostedZoneId": zone, "ChangeBatch": { "Changes": changes } });
    client.call("route53", "change_resource_record_sets", parameters).await.map(drop)
}

/// A name that moves between aliases to records of its own zone.
fn within_the_zone(application: &str) -> Value {
    let mut plan = dns_plan(application, json!([{ "new_weight": 100 }]));
    let alias = json!({ "dns_name": format!("green-{application}.example.com"), "hosted_zone_id": ZONE });
    plan["routes"][0]["records"] = json!([{ "type": "A", "new": { "alias": alias } }]);
    plan
}

async fn an_alias_of_the_zone_is_waited_out_as_long_as_its_target_is_kept() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&within_the_zone("zoned"), json!({})).await?;
    let blue = json!({ "Name": "old-green-zoned.example.com", "Type": "A", "TTL": 1800,
        "ResourceRecords": [{ "Value": "192.0.2.10" }] });
    let zone = &stage.plan["routes"][0]["hosted_zone_id"];
    change_records(&ground.client, zone, vec![json!({ "Action": "UPSERT", "ResourceRecordSet": blue })]).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    for state in ["PrepareRecords", "ShiftWeight"] {
        let waits = waits(&ground, &run_id, state).await?;
        ensure!(waits.last() == Some(&1800), "{state} waited {waits:?}, and resolvers keep the answer for 1800 s");
    }
    Ok(())
}

/// Left by another run, or made by hand.
async fn a_set_identifier_that_is_taken_does_not_stop_a_run_there_and_back() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let plan = dns_plan("taken", json!([{ "new_weight": 100, "hold": "30m" }]));
    let member = |identifier: &str, weight: u32, value: &str| json!({ "set_identifier": identifier, "weight": weight, "ttl": 60, "values": [value] });
    let members = json!([member("cutover-new", 100, "192.0.2.1"), member("cutover-old", 0, "192.0.2.9")]);
    let world = json!({ "records": { "taken.example.com A": { "members": members } } });
    let stage = ground.stage(&plan, world).await?;
    let before = ground.account().await?;
    let stopped = ground.start("cutover", "stopped", &stage.plan).await?;
    ground.wait_for_state(&stopped, "HoldWait", LIMIT).await?;
    ensure!(stage.new_percents() == [100.0], "at its step the new side has {:?} %", stage.new_percents());
    cutover_tests::follow::stop(&ground.client, &stopped).await?;
    ground.wait_for_phase(&stopped, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)?;

    let mut plan = stage.plan.clone();
    plan["routes"][0]["steps"] = json!([{ "new_weight": 100 }]);
    let end = run(&ground, "whole", &plan).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ensure!(stage.new_percents() == [100.0], "in the end the new side has {:?} %", stage.new_percents());
    Ok(())
}

/// A world in which the name has one weighted record, with a health check of this health.
fn checked_world(name: &str, health: &str) -> Value {
    let member =
        json!({ "set_identifier": "blue", "weight": 100, "ttl": 60, "values": ["192.0.2.10"], "health": health });
    json!({ "records": { format!("{name}.example.com A"): { "members": [member] } } })
}

/// With a pair beside it the failing record would not be answered, and the new one, at weight 0, would.
async fn an_old_record_whose_check_fails_is_told_by_numbers_before_anything_is_touched() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let steps = json!([{ "new_weight": 50 }, { "new_weight": 100 }]);
    let stage = ground.stage(&dns_plan("failing", steps), checked_world("failing", "unhealthy")).await?;
    wait_for("the checkers' first look", LIMIT, async || has_been_looked_at(&ground).await).await?;
    let before = ground.account().await?;
    let end = run(&ground, "run", &stage.plan).await?;
    let cause = end["cause"].as_str().unwrap_or_default();
    ensure!(end["error"] == "Cutover.PrecheckFailed", "ended {} {cause}", end["error"]);
    let numbers = "before the first step 0 % old, 100 % new instead of 100 % old, 0 % new";
    ensure!(cause.contains(numbers), "the cause says nothing of the shares: {cause}");
    ensure_same(&before, &ground.account().await?)
}

/// A new check has told nothing yet, of which precheck only warns.
async fn has_been_looked_at(ground: &Ground) -> Result<Option<()>> {
    let checks = ground.client.call("route53", "list_health_checks", json!({})).await?;
    let id = &checks["HealthChecks"][0]["Id"];
    let status = ground.client.call("route53", "get_health_check_status", json!({ "HealthCheckId": id })).await?;
    Ok(status["HealthCheckObservations"].as_array().is_some_and(|seen| !seen.is_empty()).then_some(()))
}

async fn users_go_where_health_sends_them_whatever_the_weights() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let steps = json!([{ "new_weight": 0, "hold": "120m" }, { "new_weight": 100 }]);
    let mut plan = dns_plan("sent", steps);
    // The run itself looks on: here it is about what users get meanwhile.
    plan["monitoring"] = json!({ "interval": "30m", "failure_limit": 100 });
    let stage = ground.stage(&plan, checked_world("sent", "healthy")).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    wait_for_users(&stage, 0.0).await?;
    let checks = ground.client.call("route53", "list_health_checks", json!({})).await?;
    let id = checks["HealthChecks"][0]["Id"].as_str().context("a health check")?;
    let tags = json!([{ "Key": "localaws:health", "Value": "unhealthy" }]);
    let tag = json!({ "ResourceType": "healthcheck", "ResourceId": id, "AddTags": tags });
    ground.client.call("route53", "change_tags_for_resource", tag).await?;
    wait_for_users(&stage, 100.0).await?;
    cutover_tests::follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    wait_for_users(&stage, 0.0).await
}

/// Until all users of the only route are on one side.
async fn wait_for_users(stage: &Stage, percent: f64) -> Result<()> {
    let what = format!("{percent} % of users on the new side");
    wait_for(&what, LIMIT, async || {
        let tally = stage.ledger.last(0, Duration::from_secs(1));
        Ok((tally.requests > 10 && tally.new_percent() == Some(percent)).then_some(()))
    })
    .await
}

/// A listener and a name of one plan, and the balancer of the listener.
async fn with_balancer(ground: &Ground, application: &str) -> Result<(Stage, Value)> {
    let mut plan = listener_plan(application, json!([{ "new_weight": 100 }]));
    let name = dns_plan(application, json!([{ "new_weight": 50 }, { "new_weight": 100 }]))["routes"][0].clone();
    plan["routes"].as_array_mut().context("routes")?.push(name);
    let stage = ground.stage(&plan, json!({})).await?;
    let listener = json!({ "ListenerArns": [stage.plan["routes"][0]["listener_arn"]] });
    let listeners = ground.client.call("elbv2", "describe_listeners", listener).await?;
    let balancer = json!({ "LoadBalancerArns": [listeners["Listeners"][0]["LoadBalancerArn"]] });
    let balancers = ground.client.call("elbv2", "describe_load_balancers", balancer).await?;
    Ok((stage, balancers["LoadBalancers"][0].clone()))
}

fn alias_of(balancer: &Value, evaluate_target_health: bool) -> Value {
    json!({ "HostedZoneId": balancer["CanonicalHostedZoneId"], "DNSName": balancer["DNSName"],
        "EvaluateTargetHealth": evaluate_target_health })
}

/// A group is not checked before it is attached, and a balancer with a group without healthy targets is out of DNS.
async fn a_group_is_not_attached_where_dns_would_leave_its_balancer() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (stage, balancer) = with_balancer(&ground, "evaluated").await?;
    let shop = |evaluate| {
        json!({ "Name": "shop.example.com", "Type": "A", "SetIdentifier": "shop", "Weight": 100,
        "AliasTarget": alias_of(&balancer, evaluate) })
    };
    let sorry = json!({ "Name": "shop.example.com", "Type": "A", "SetIdentifier": "sorry", "Weight": 0, "TTL": 60,
        "ResourceRecords": [{ "Value": "192.0.2.200" }] });
    let upsert = |record: Value| json!({ "Action": "UPSERT", "ResourceRecordSet": record });
    let zone = &stage.plan["routes"][1]["hosted_zone_id"];
    change_records(&ground.client, zone, vec![upsert(shop(true)), upsert(sorry)]).await?;
    let before = ground.account().await?;
    // The zone is found also where no route of the plan is in it.
    let mut alone = stage.plan.clone();
    alone["routes"].as_array_mut().context("routes")?.truncate(1);
    for (name, plan) in [("evaluated", &stage.plan), ("alone", &alone)] {
        let end = run(&ground, name, plan).await?;
        let cause = end["cause"].as_str().unwrap_or_default();
        ensure!(end["error"] == "Cutover.PrecheckFailed", "{name} ended {} {cause}", end["error"]);
        ensure!(cause.contains("A shop.example.com (100 % of its users)"), "the cause is {cause}");
    }
    ensure_same(&before, &ground.account().await?)?;

    change_records(&ground.client, zone, vec![upsert(shop(false))]).await?;
    let end = run(&ground, "plain", &stage.plan).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    Ok(())
}

async fn a_new_answer_whose_balancer_is_not_healthy_is_told_by_numbers() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (stage, balancer) = with_balancer(&ground, "unhealthy").await?;
    let group = stage.plan["routes"][0]["old_target_group_arn"].as_str().context("an ARN")?;
    ground.client.set_target_health(group, json!({ "*": "unhealthy" })).await?;
    let mut plan = stage.plan.clone();
    plan["routes"] = json!([stage.plan["routes"][1]]);
    plan["routes"][0]["records"][0]["new"] = json!({ "alias": { "dns_name": balancer["DNSName"],
        "hosted_zone_id": balancer["CanonicalHostedZoneId"], "evaluate_target_health": true } });
    let end = run(&ground, "run", &plan).await?;
    let cause = end["cause"].as_str().unwrap_or_default();
    ensure!(end["error"] == "Cutover.PrecheckFailed", "ended {} {cause}", end["error"]);
    ensure!(cause.contains("at 50 % 100 % old, 0 % new instead of 50 % old, 50 % new"), "the cause is {cause}");
    Ok(())
}

/// Route 53 would answer with the other record alone, whatever the weights.
async fn a_balancer_that_falls_ill_after_precheck_is_waited_for_before_the_pair_is_made() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (stage, balancer) = with_balancer(&ground, "ill").await?;
    let group = stage.plan["routes"][0]["old_target_group_arn"].as_str().context("an ARN")?;
    let mut plan = stage.plan.clone();
    plan["routes"] = json!([stage.plan["routes"][1]]);
    plan["routes"][0]["records"][0]["new"] = json!({ "alias": { "dns_name": balancer["DNSName"],
        "hosted_zone_id": balancer["CanonicalHostedZoneId"], "evaluate_target_health": true } });
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &plan).await?;
    ground.wait_for_state(&run_id, "Claim", LIMIT).await?;
    ground.client.set_target_health(group, json!({ "*": "unhealthy" })).await?;
    ground.wait_for_entries(&run_id, "PrepareRecords", 3, LIMIT).await?;
    ensure_same(&before["route53"]["hosted_zones"], &ground.account().await?["route53"]["hosted_zones"])
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        an_alias_of_the_zone_is_waited_out_as_long_as_its_target_is_kept,
        a_set_identifier_that_is_taken_does_not_stop_a_run_there_and_back,
        an_old_record_whose_check_fails_is_told_by_numbers_before_anything_is_touched,
        users_go_where_health_sends_them_whatever_the_weights,
        a_group_is_not_attached_where_dns_would_leave_its_balancer,
        a_new_answer_whose_balancer_is_not_healthy_is_told_by_numbers,
        a_balancer_that_falls_ill_after_precheck_is_waited_for_before_the_pair_is_made,
    ]
}
