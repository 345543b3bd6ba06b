//! Every shape of route there and back: moved wholly, and, stopped at its last step, put back exactly. What is not the
//! pair's weights (authentication, stickiness, order, neighbours, other actions) is the same in every state on the way.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{self, Ground, ensure_same, listener_plan, plan};
use anyhow::{Context, Result, ensure};
use cutover_tests::faults::shape::Shape;
use serde_json::{Value, json};

const SPEED: f64 = 300.0;
const LIMIT: Duration = Duration::from_secs(60);

fn steps() -> Value {
    json!([{ "new_weight": 50 }, { "new_weight": 100, "hold": "30m" }])
}

/// The shapes with one route.
/// Those of one route whose traffic may be split: not between two databases.
fn shapes() -> Vec<Shape> {
    let is_single = |shape: &Shape| {
        shape.plan["database"].is_null() && shape.plan["routes"].as_array().is_some_and(|routes| routes.len() == 1)
    };
    let mut shapes: Vec<Shape> = Shape::all().into_iter().filter(is_single).collect();
    for shape in &mut shapes {
        shape.plan["routes"][0]["steps"] = steps();
    }
    shapes
}

/// What a route looks like from outside, without the pair's weights.
fn frame(account: &Value, plan: &Value) -> Value {
    let route = &plan["routes"][0];
    let arn = |field: &str| route[field].as_str().unwrap_or_default().to_owned();
    let mut actions = match route["rule_arn"].as_str() {
        Some(rule) => account["elbv2"]["rules"][rule]["Actions"].clone(),
        None => account["elbv2"]["listeners"][arn("listener_arn")]["DefaultActions"].clone(),
    };
    let pair = [arn("old_target_group_arn"), arn("new_target_group_arn")];
    for action in actions.as_array_mut().into_iter().flatten().filter(|action| action["Type"] == "forward") {
        action["TargetGroupArn"] = Value::Null;
        if let Some(groups) = action["ForwardConfig"]["TargetGroups"].as_array_mut() {
            groups.retain(|group| !pair.iter().any(|arn| group["TargetGroupArn"] == arn.as_str()));
        }
    }
    actions
}

/// Moves a shape to its last step, stops it there, and compares; then moves it wholly.
async fn there_and_back(ground: &Ground, shape: &Shape) -> Result<()> {
    let stage = ground.stage(&shape.plan, shape.world.clone()).await?;
    let before = ground.account().await?;
    let stopped = ground.start("cutover", &format!("{}-stopped", shape.name), &stage.plan).await?;
    ground.wait_for_entries(&stopped, "AnnounceStep", 2, LIMIT).await?;
    let half_way = ground.account().await?;
    ensure!(half_way != before, "nothing moved");
    let is_checked = half_way["route53"].to_string().contains("HealthCheckId");
    let wants_checks = !shape.plan["routes"][0]["health_checks"].is_null();
    ensure!(is_checked == wants_checks, "health checks on the way: {}", half_way["route53"]);
    if shape.plan["routes"][0]["type"] == "listener" {
        ensure_same(&frame(&before, &stage.plan), &frame(&half_way, &stage.plan)).context("on the way")?;
    }
    cutover_tests::follow::stop(&ground.client, &stopped).await?;
    ground.wait_for_phase(&stopped, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)?;

    let mut plan = stage.plan.clone();
    plan["routes"][0]["steps"] = json!([{ "new_weight": 100 }]);
    plan["cleanup"] = json!({ "after": "0s" });
    let whole = ground.start("cutover", &format!("{}-whole", shape.name), &plan).await?;
    let end = ground.end_of(&whole, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    // Of the pair: neighbours keep theirs.
    ensure!(stage.new_percents() == [100.0], "the new side has {:?} %", stage.new_percents());
    ground.wait_for_phase(&whole, "closed", LIMIT).await?;
    let route53 = &ground.account().await?["route53"];
    let checks = &route53["health_checks"];
    ensure!(checks.as_object().is_none_or(serde_json::Map::is_empty), "health checks are left: {checks}");
    let is_checked = route53.to_string().contains("HealthCheckId");
    ensure!(!is_checked, "a record carries a health check that was deleted: {route53}");
    Ok(())
}

async fn each(mine: impl Fn(&Shape) -> bool) -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut failures = Vec::new();
    for shape in shapes().iter().filter(|shape| mine(shape)) {
        if let Err(error) = there_and_back(&ground, shape).await {
            failures.push(format!("{}: {error:#}", shape.name));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

async fn listeners_and_rules_go_there_and_back() -> Result<()> {
    each(|shape| shape.plan["routes"][0]["type"] == "listener").await
}

async fn names_go_there_and_back() -> Result<()> {
    each(|shape| shape.plan["routes"][0]["type"] == "dns").await
}

async fn a_route_that_cannot_be_put_back_does_not_keep_the_others_from_it() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = plan("dns-denied")?;
    plan["routes"][1]["steps"] = steps();
    let stage = ground.stage(&plan, json!({})).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    support::wait_for("the name's last step", LIMIT, async || {
        Ok((stage.new_percents() == [100.0, 100.0]).then_some(()))
    })
    .await?;
    let denied = json!({ "match": { "operation": "ChangeResourceRecordSets" }, "do": "before", "times": null, "error": "AccessDenied", "status": 403 });
    ground.client.set_faults(json!([denied])).await?;
    cutover_tests::follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "stuck", LIMIT).await?;
    let after = ground.account().await?;
    ensure_same(&before["elbv2"]["listeners"], &after["elbv2"]["listeners"])?;
    let page = ground.page("CRITICAL", LIMIT).await?;
    ensure!(
        page.contains("aws route53") && !page.contains("aws elbv2"),
        "the page names more than what is left:\n{page}"
    );
    Ok(())
}

async fn a_new_group_that_never_gets_healthy_gets_no_traffic() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&listener_plan("sick", steps()), json!({ "new": { "healthy_percent": 0 } })).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {}", end["error"], end["cause"]);
    let cause: Value = serde_json::from_str(end["cause"].as_str().unwrap_or("null"))?;
    ensure!(cause["failed_state"] == "PrepareListener", "failed in {}", cause["failed_state"]);
    ensure_same(&before, &ground.account().await?)
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        listeners_and_rules_go_there_and_back,
        names_go_there_and_back,
        a_route_that_cannot_be_put_back_does_not_keep_the_others_from_it,
        a_new_group_that_never_gets_healthy_gets_no_traffic,
    ]
}
