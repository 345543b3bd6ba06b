//! Every shape of route there and back: moved wholly, and, stopped at its last step, put back exactly. What is not the
//! pair's weights (authentication, stickiness, order, neighbours, other actions) is the same in every state on the way.

mod support;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use support::{Ground, dns_plan, ensure_same, listener_plan, plan};

const SPEED: f64 = 300.0;
const LIMIT: Duration = Duration::from_secs(60);

struct Shape {
    name: &'static str,
    plan: Value,
    world: Value,
}

fn steps() -> Value {
    json!([{ "new_weight": 50 }, { "new_weight": 100, "hold": "30m" }])
}

fn listener(name: &'static str, world: Value) -> Shape {
    let plan = listener_plan(name, steps());
    let arn = plan["routes"][0]["listener_arn"].as_str().unwrap_or_default().to_owned();
    Shape { name, plan, world: json!({ "listeners": { arn: world } }) }
}

fn rule() -> Shape {
    let mut shape = listener("rule", json!({}));
    let route = shape.plan["routes"][0].as_object_mut();
    if let Some(route) = route {
        route.remove("listener_arn");
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/rule/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee";
        route.insert("rule_arn".to_owned(), json!(arn));
        shape.world = json!({ "listeners": { arn: { "stickiness_seconds": 900 } } });
    }
    shape
}

fn dns(name: &'static str, records: Value, world: Value) -> Shape {
    let mut plan = dns_plan(name, steps());
    plan["routes"][0]["records"] = records;
    Shape { name, plan, world: json!({ "records": world }) }
}

fn shapes() -> Vec<Shape> {
    let a = || json!([{ "type": "A", "new": { "values": ["198.51.100.77"] } }]);
    let member = |identifier: &str, weight: u32, value: &str| json!({ "set_identifier": identifier, "weight": weight, "ttl": 120, "values": [value] });
    let alias = json!({ "dns_name": "new-lb.eu-west-1.elb.amazonaws.com", "hosted_zone_id": "Z32O12XQLNTSW2", "evaluate_target_health": true });
    let mut checked = dns("checked", a(), json!({}));
    checked.plan["routes"][0]["health_checks"] =
        json!({ "old": { "fqdn": "old.example.com" }, "new": { "fqdn": "new.example.com" } });
    vec![
        listener("plain", json!({})),
        listener("sticky", json!({ "stickiness_seconds": 3600 })),
        listener("oidc", json!({ "authenticate": "oidc" })),
        listener("cognito", json!({ "authenticate": "cognito", "stickiness_seconds": 60 })),
        listener(
            "crowded",
            json!({ "old_weight": 4, "neighbours": [{ "name": "canary", "weight": 1 }, { "name": "beta", "weight": 3 }] }),
        ),
        rule(),
        dns("simple", a(), json!({ "simple.example.com A": { "ttl": 900, "values": ["192.0.2.10", "192.0.2.11"] } })),
        dns("alias", json!([{ "type": "A", "new": { "alias": alias } }]), json!({})),
        dns("cname", json!([{ "type": "CNAME", "new": { "values": ["new.example.net"] } }]), json!({})),
        dns(
            "both",
            json!([{ "type": "A", "new": { "values": ["198.51.100.77"] } }, { "type": "AAAA", "new": { "values": ["2001:db8::77"] } }]),
            json!({}),
        ),
        dns(
            "weighted",
            a(),
            json!({ "weighted.example.com A": { "members": [member("blue", 200, "192.0.2.1"), member("canary", 0, "192.0.2.2")] } }),
        ),
        dns(
            "by-hand",
            a(),
            json!({ "by-hand.example.com A": { "members": [member("blue", 10, "192.0.2.1"), member("green", 0, "198.51.100.77")] } }),
        ),
        checked,
    ]
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
    support::wait_for("the last step", LIMIT, async || {
        let states = ground.states(&stopped).await?;
        Ok((states.iter().filter(|state| *state == "AnnounceStep").count() == 2).then_some(()))
    })
    .await?;
    let half_way = ground.account().await?;
    ensure!(half_way != before, "nothing moved");
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
    let checks = &ground.account().await?["route53"]["health_checks"];
    ensure!(checks.as_object().is_none_or(serde_json::Map::is_empty), "health checks are left: {checks}");
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

#[tokio::test]
async fn listeners_and_rules_go_there_and_back() -> Result<()> {
    each(|shape| shape.plan["routes"][0]["type"] == "listener").await
}

#[tokio::test]
async fn names_go_there_and_back() -> Result<()> {
    each(|shape| shape.plan["routes"][0]["type"] == "dns").await
}

#[tokio::test]
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

#[tokio::test]
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
