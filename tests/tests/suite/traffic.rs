//! Users follow the live state, whoever changes it: weights are flipped by hand on the emulated AWS, and traffic moves.

use std::time::Duration;

use crate::accounts::{self, Account};
use crate::harness::{Test, asynchronous};
use anyhow::{Context, Result, ensure};
use cutover_tests::emulator::Options;
use cutover_tests::routes::Place;
use cutover_tests::setup::Checkout;
use cutover_tests::stage::Stage;
use cutover_tests::world::World;
use serde_json::{Value, json};

const SPEED: f64 = 120.0;
const ELB: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333";

fn plan() -> Value {
    json!({
        "application": "customer-portal",
        "routes": [
            {"type": "listener", "listener_arn": format!("{ELB}:listener/app/portal/1a/2b"), "old_target_group_arn": format!("{ELB}:targetgroup/portal-old/3c"),
             "new_target_group_arn": format!("{ELB}:targetgroup/portal-new/4d"), "steps": [{"new_weight": 100}]},
            {"type": "dns", "hosted_zone_id": "Z0PORTAL", "record_name": "app.example.com", "ttl": 60,
             "records": [{"type": "A", "new": {"values": ["203.0.113.6"]}}], "steps": [{"new_weight": 100}]}]
    })
}

/// The share of the new side that users of a route see, once it has come near what is expected.
async fn wait_for_share(stage: &Stage, route: usize, expected: f64) -> Result<()> {
    let mut last = None;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let tally = stage.ledger.last(route, Duration::from_secs(1));
        last = tally.new_percent().filter(|_| tally.requests > 15);
        // 30 users or so: a half is seen with a spread of ten percent.
        if last.is_some_and(|percent| (percent - expected).abs() <= if expected % 100.0 == 0.0 { 0.0 } else { 20.0 }) {
            return Ok(());
        }
    }
    anyhow::bail!("users of route {route} see {last:?} % new, not {expected}")
}

async fn set_listener(emulator: &Account, stage: &Stage, old: u32, new: u32) -> Result<()> {
    let route = &stage.routes[0];
    let Place::Forward { arn } = &route.place else { anyhow::bail!("the first route is a listener") };
    let groups =
        json!([{"TargetGroupArn": route.groups[0], "Weight": old}, {"TargetGroupArn": route.groups[1], "Weight": new}]);
    let actions = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]);
    emulator.client().call("elbv2", "modify_listener", json!({"ListenerArn": arn, "DefaultActions": actions})).await?;
    Ok(())
}

async fn set_records(emulator: &Account, stage: &Stage, changes: Value) -> Result<()> {
    let zone = &stage.plan["routes"][1]["hosted_zone_id"];
    let parameters = json!({"HostedZoneId": zone, "ChangeBatch": {"Changes": changes}});
    emulator.client().call("route53", "change_resource_record_sets", parameters).await?;
    Ok(())
}

fn simple(action: &str) -> Value {
    let record =
        json!({"Name": "app.example.com", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "192.0.2.10"}]});
    json!({"Action": action, "ResourceRecordSet": record})
}

fn weighted(action: &str, side: &str, value: &str, weight: u32) -> Value {
    json!({"Action": action, "ResourceRecordSet": {"Name": "app.example.com", "Type": "A", "SetIdentifier": side, "Weight": weight,
        "TTL": 60, "ResourceRecords": [{"Value": value}]}})
}

async fn users_follow_weights_that_are_flipped_by_hand() -> Result<()> {
    let checkout = Checkout::of_this_build();
    // Nothing is deployed: an empty folder has no functions and no definitions.
    let root = checkout.target.join("local-aws/nothing");
    std::fs::create_dir_all(root.join("functions")).context("cannot make an empty checkout")?;
    let (definitions, checkout) = (root.clone(), Checkout { root, ..checkout });
    let options = Options { checkout, definitions, speed: SPEED, ..accounts::options()? };
    let emulator = accounts::start(&options).await?;
    let world = World::from_json(json!({}))?;
    let stage = Stage::set(emulator.client(), emulator.ready(), &plan(), world, SPEED).await?;

    wait_for_share(&stage, 0, 0.0).await?;
    wait_for_share(&stage, 1, 0.0).await?;
    set_listener(&emulator, &stage, 1, 1).await?;
    wait_for_share(&stage, 0, 50.0).await?;
    set_listener(&emulator, &stage, 0, 1).await?;
    wait_for_share(&stage, 0, 100.0).await?;
    set_listener(&emulator, &stage, 1, 0).await?;
    wait_for_share(&stage, 0, 0.0).await?;

    let pair = |action: &str, old, new| {
        [weighted(action, "old", "192.0.2.10", old), weighted(action, "new", "203.0.113.6", new)]
    };
    set_records(&emulator, &stage, json!([vec![simple("DELETE")], pair("CREATE", 100, 100).to_vec()].concat())).await?;
    wait_for_share(&stage, 1, 50.0).await?;
    set_records(&emulator, &stage, json!(pair("UPSERT", 0, 100))).await?;
    wait_for_share(&stage, 1, 100.0).await?;
    set_records(&emulator, &stage, json!([pair("DELETE", 0, 100).to_vec(), vec![simple("CREATE")]].concat())).await?;
    wait_for_share(&stage, 1, 0.0).await?;

    let seen = stage.ledger.since(0);
    ensure!(seen.iter().all(|seen| seen.ok), "both sides were healthy all the time, and yet users saw failures");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![users_follow_weights_that_are_flipped_by_hand,]
}
