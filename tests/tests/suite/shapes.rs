//! Every shape of route there and back: moved wholly, and, stopped at its last step, put back exactly. What is not the
//! pair's weights (authentication, stickiness, order, neighbours, other actions) is the same in every state on the way.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{self, Ground, dns_plan, ensure_same, listener_plan, plan};
use anyhow::{Context, Result, ensure};
use cutover_tests::faults::shape::Shape;
use serde_json::{Value, json};

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);

fn steps() -> Value {
    json!([{ "new_weight": 50 }, { "new_weight": 100, "hold": "30m" }])
}

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

/// What a route looks like from outside, without the pair's weights, and the group stickiness that a plan switches on.
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
        if !route["group_stickiness"].is_null() {
            action["ForwardConfig"]["TargetGroupStickinessConfig"] = Value::Null;
        }
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
    // One that the plan names was there before, and stays.
    let is_named = |id: &String| stage.plan.to_string().contains(id.as_str());
    ensure!(checks.as_object().is_none_or(|checks| checks.keys().all(is_named)), "health checks are left: {checks}");
    let names_one = shape.plan.to_string().contains("health_check_id");
    let is_checked = route53.to_string().contains("HealthCheckId");
    ensure!(is_checked == names_one, "a record carries a health check that was deleted: {route53}");
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
    ground.ensure_rollbacks(1, LIMIT).await?;
    ensure_same(&before, &ground.account().await?)
}

/// Two steps, the first held for so long that somebody can come in between.
fn long_steps() -> Value {
    json!([{ "new_weight": 25, "hold": "60m" }, { "new_weight": 100 }])
}

/// Holds a run at its first step, lets somebody put the weights back to 100 : 0 as a template says, and waits for its end.
async fn put_back(ground: &Ground, plan: &Value, reset: impl AsyncFn(&Value) -> Result<()>) -> Result<()> {
    let stage = ground.stage(plan, json!({})).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "held", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    reset(&stage.plan["routes"][0]).await?;
    let looks = looks(&ground.states(&run_id).await?);
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {}", end["error"], end["cause"]);
    let cause = end["cause"].as_str().unwrap_or_default();
    ensure!(cause.contains("Cutover.Drift") && cause.contains("somebody else changed it"), "the cause is {cause}");
    // One look may have been under way when the weights changed; the next one sees it.
    let more = looks_of(ground, &run_id).await? - looks;
    ensure!(more <= 2, "the run looked {more} more times");
    ensure_same(&before, &ground.account().await?)
}

fn looks(states: &[String]) -> usize {
    states.iter().filter(|state| *state == "Monitor").count()
}

async fn looks_of(ground: &Ground, execution: &str) -> Result<usize> {
    Ok(looks(&ground.states(execution).await?))
}

async fn a_listeners_weights_that_are_put_back_in_a_hold_are_drift_within_one_interval() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    put_back(&ground, &listener_plan("reset", long_steps()), async |route| {
        let groups = json!([
            { "TargetGroupArn": route["old_target_group_arn"], "Weight": 100 },
            { "TargetGroupArn": route["new_target_group_arn"], "Weight": 0 },
        ]);
        let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
        let change = json!({ "ListenerArn": route["listener_arn"], "DefaultActions": actions });
        ground.client.call("elbv2", "modify_listener", change).await.map(drop)
    })
    .await
}

async fn a_names_weights_that_are_put_back_in_a_hold_are_drift_within_one_interval() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    put_back(&ground, &dns_plan("reset", long_steps()), async |route| {
        let sets = record_sets(&ground, route).await?;
        let weight = |set: &Value| if set["SetIdentifier"] == "cutover-new" { 0 } else { 100 };
        let changes = sets.into_iter().map(|mut set| {
            set["Weight"] = json!(weight(&set));
            json!({ "Action": "UPSERT", "ResourceRecordSet": set })
        });
        change_records(&ground, route, changes.collect()).await
    })
    .await
}

/// Between the cutover and its cleanup: told once within one look, and nothing is put back.
async fn weights_that_are_put_back_after_the_cutover_are_told_once_and_left_alone() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("reset-later", json!([{ "new_weight": 100 }]));
    plan["cleanup"] = json!({ "after": "2h" });
    let stage = ground.stage(&plan, json!({})).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_phase(&run_id, "finished", LIMIT).await?;
    let route = &stage.plan["routes"][0];
    let old = json!([{ "Type": "forward", "TargetGroupArn": route["old_target_group_arn"] }]);
    let change = json!({ "ListenerArn": route["listener_arn"], "DefaultActions": old });
    ground.client.call("elbv2", "modify_listener", change).await?;
    let page = ground.page("ACTION NEEDED: cutover of reset-later", LIMIT).await?;
    ensure!(page.contains("Nothing was put back") && page.contains("the cutover left: "), "{page}");
    let changed = ground.account().await?["elbv2"]["listeners"].clone();
    // Cleanup keeps what somebody else changed, and says so.
    ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
    ensure_same(&changed, &ground.account().await?["elbv2"]["listeners"])?;
    let messages = ground.client.messages().await?;
    let told =
        |word: &str| messages.iter().filter(|m| m.subject.as_deref().is_some_and(|s| s.starts_with(word))).count();
    ensure!(told("ACTION NEEDED") == 1, "told {} times", told("ACTION NEEDED"));
    Ok(())
}

/// The record sets of a route's name.
async fn record_sets(ground: &Ground, route: &Value) -> Result<Vec<Value>> {
    let list = json!({ "HostedZoneId": route["hosted_zone_id"] });
    let answer = ground.client.call("route53", "list_resource_record_sets", list).await?;
    let name = format!("{}.", route["record_name"].as_str().context("a name")?);
    let sets = answer["ResourceRecordSets"].as_array().into_iter().flatten();
    Ok(sets.filter(|set| set["Name"] == name.as_str()).cloned().collect())
}

async fn change_records(ground: &Ground, route: &Value, changes: Vec<Value>) -> Result<()> {
    let batch = json!({ "HostedZoneId": route["hosted_zone_id"], "ChangeBatch": { "Changes": changes } });
    ground.client.call("route53", "change_resource_record_sets", batch).await.map(drop)
}

/// The most usual move of a name: a CNAME to the old balancer becomes an alias to the new one, at once; and back.
async fn a_cname_becomes_an_alias_there_and_back() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = dns_plan("converted", json!([{ "new_weight": 100, "hold": "30m" }]));
    let alias = json!({ "dns_name": "new-side-2.eu-west-1.elb.amazonaws.com", "hosted_zone_id": "Z32O12XQLNTSW2" });
    plan["routes"][0]["records"] = json!([{ "type": "A", "new": { "alias": alias } }]);
    let stage = ground.stage(&plan, json!({})).await?;
    let route = stage.plan["routes"][0].clone();
    let change = |action: &str, set: Value| json!({ "Action": action, "ResourceRecordSet": set });
    let mut changes: Vec<Value> =
        record_sets(&ground, &route).await?.into_iter().map(|set| change("DELETE", set)).collect();
    let cname = json!({ "Name": format!("{}.", route["record_name"].as_str().unwrap_or_default()), "Type": "CNAME",
        "TTL": 300, "ResourceRecords": [{ "Value": "Old-Side-1.eu-west-1.elb.amazonaws.com" }] });
    changes.push(change("CREATE", cname));
    change_records(&ground, &route, changes).await?;
    let before = ground.account().await?;

    let types = async || -> Result<Vec<String>> {
        let sets = record_sets(&ground, &route).await?;
        Ok(sets.iter().map(|set| set["Type"].as_str().unwrap_or_default().to_owned()).collect())
    };
    let run_id = ground.start("cutover", "stopped", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    ensure!(types().await? == ["A"], "at its step the name has {:?}", types().await?);
    cutover_tests::follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)?;

    let mut plan = stage.plan.clone();
    plan["routes"][0]["steps"] = json!([{ "new_weight": 100 }]);
    let end = ground.end_of(&ground.start("cutover", "whole", &plan).await?, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ensure!(types().await? == ["A"], "in the end the name has {:?}", types().await?);
    Ok(())
}

/// What an earlier deployment left at weight 0 gets nothing, so there is nothing of it to keep: steps are of the whole.
async fn neighbours_without_traffic_do_not_limit_the_steps() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let steps = json!([{ "new_weight": 10 }, { "new_weight": 100 }]);
    let mut plan = listener_plan("left", steps.clone());
    let name = dns_plan("left", steps)["routes"][0].clone();
    plan["routes"].as_array_mut().context("routes")?.push(name);
    let member = |identifier: &str, weight: u32, value: &str| json!({ "set_identifier": identifier, "weight": weight, "ttl": 60, "values": [value] });
    let members = json!([member("blue", 1, "192.0.2.1"), member("before-blue", 0, "192.0.2.9")]);
    let listener = plan["routes"][0]["listener_arn"].as_str().context("an ARN")?.to_owned();
    let world = json!({
        "listeners": { listener: { "old_weight": 1, "neighbours": [{ "name": "left-over", "weight": 0 }] } },
        "records": { "left.example.com A": { "members": members } },
    });
    let stage = ground.stage(&plan, world).await?;
    let end = ground.end_of(&ground.start("cutover", "run", &stage.plan).await?, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ensure!(stage.new_percents() == [100.0, 100.0], "the new side has {:?} %", stage.new_percents());
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        listeners_and_rules_go_there_and_back,
        names_go_there_and_back,
        a_route_that_cannot_be_put_back_does_not_keep_the_others_from_it,
        a_new_group_that_never_gets_healthy_gets_no_traffic,
        a_listeners_weights_that_are_put_back_in_a_hold_are_drift_within_one_interval,
        a_names_weights_that_are_put_back_in_a_hold_are_drift_within_one_interval,
        weights_that_are_put_back_after_the_cutover_are_told_once_and_left_alone,
        a_cname_becomes_an_alias_there_and_back,
        neighbours_without_traffic_do_not_limit_the_steps,
    ]
}
