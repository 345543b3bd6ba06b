//! `cargo plan`, as a person types it: what it drafts of an environment passes precheck, and moves it.

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, dns_plan, listener_plan};
use anyhow::{Context, Result, ensure};
use cutover::arn::short_name;
use cutover_tests::checked::Checked;
use cutover_tests::machines::Machine;
use cutover_tests::run::rehearse;
use serde_json::{Value, json};
use tokio::process::Command;

const SPEED: f64 = 300.0;
const APPLICATION: &str = "drafted";
const NAME: &str = "drafted.example.com";
const OLD: &str = "old-lb-1.eu-west-1.elb.amazonaws.com";
const NEW: &str = "new-lb-2.eu-west-1.elb.amazonaws.com";
const ELB_ZONE: &str = "Z32O12XQLNTSW2";

/// A listener, a rule of it beside a neighbour, and a name with two types.
fn environment() -> (Value, Value) {
    let at_once = json!([{ "new_weight": 100 }]);
    let mut plan = listener_plan(APPLICATION, at_once.clone());
    let mut rule = plan["routes"][0].clone();
    let listener = rule.as_object_mut().and_then(|rule| rule.remove("listener_arn")).unwrap_or_default();
    let listener = listener.as_str().unwrap_or_default().replace(":listener/", ":listener-rule/");
    rule["rule_arn"] = json!(format!("{listener}/9683b2d02a6cabee"));
    let mut name = dns_plan(APPLICATION, at_once)["routes"][0].take();
    let new = json!({ "alias": { "dns_name": NEW, "hosted_zone_id": ELB_ZONE } });
    name["records"] = json!([{ "type": "A", "new": new }, { "type": "AAAA", "new": new }]);
    let alias = json!({ "alias": { "dns_name": OLD } });
    let target = json!({ "DNSName": OLD, "HostedZoneId": ELB_ZONE, "EvaluateTargetHealth": false });
    let www = json!({ "Name": format!("www.{NAME}."), "Type": "A", "AliasTarget": target });
    let world = json!({
        "listeners": { rule["rule_arn"].as_str().unwrap_or_default(): {
            "old_weight": 4, "neighbours": [{ "name": "drafted-third", "weight": 20 }] } },
        "records": { format!("{NAME} A"): alias, format!("{NAME} AAAA"): alias },
        "more_records": [{ "hosted_zone_id": name["hosted_zone_id"], "record": www }],
    });
    let routes = plan["routes"].as_array_mut();
    routes.into_iter().for_each(|routes| routes.extend([rule.clone(), name.clone()]));
    (plan, world)
}

/// What `cargo plan` prints: the plan, and what it tells.
async fn plan(endpoint_url: &str, arguments: &[&str]) -> Result<(Value, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plan"));
    command.args(["--endpoint-url", endpoint_url]).args(arguments);
    let output = command.output().await.context("cannot run cargo plan")?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let plan = serde_json::from_slice(&output.stdout).with_context(|| format!("no plan: {told}"))?;
    ensure!(output.status.success(), "{}: {told}", output.status);
    Ok((plan, told))
}

/// `shop-old` of a target group's ARN.
fn group_name(arn: &Value) -> &str {
    arn.as_str().map(short_name).unwrap_or_default()
}

fn weights(route: &Value) -> Vec<u64> {
    let steps = route["steps"].as_array().into_iter().flatten();
    steps.filter_map(|step| step["new_weight"].as_u64()).collect()
}

async fn what_is_drafted_passes_precheck_and_moves_everything() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (planned, world) = environment();
    let mut stage = ground.stage(&planned, world).await?;
    let route = &stage.plan["routes"][0];
    let (old, new) = (group_name(&route["old_target_group_arn"]), group_name(&route["new_target_group_arn"]));
    put_alarm(&ground, old, &route["old_target_group_arn"]).await?;
    was_slow(&ground, route).await?;
    let topic = stage.plan["notify"]["topic_arn"].as_str().unwrap_or_default();
    let before = ground.account().await?;
    let arguments = ["--old", old, "--new", new, "--name", NAME, "--new-alias", NEW, "--topic", topic];
    let (mut draft, told) = plan(&ground.emulator.ready().endpoint_url, &arguments).await?;
    crate::support::ensure_same(&before, &ground.account().await?).context("a draft writes nothing")?;

    let routes = draft["routes"].as_array().context("routes")?;
    ensure!(routes.len() == 3, "{draft:#}");
    ensure!(routes.iter().any(|route| !route["rule_arn"].is_null() && weights(route) == [25, 50, 100]), "{draft:#}");
    ensure!(
        routes.iter().any(|route| !route["listener_arn"].is_null() && weights(route) == [10, 50, 100]),
        "{draft:#}"
    );
    ensure!(routes[2]["records"].as_array().is_some_and(|records| records.len() == 2), "{draft:#}");
    let left = draft["leaves_behind"].as_array().context("leaves_behind")?;
    ensure!(left.len() == 1 && left[0]["what"] == format!("A www.{NAME}"), "{left:#?}");
    ensure!(draft["monitoring"]["metrics"].as_array().is_some_and(|metrics| metrics.len() == 5), "{draft:#}");
    let thresholds = draft["monitoring"]["metrics"].as_array().into_iter().flatten().map(|metric| &metric["threshold"]);
    ensure!(thresholds.into_iter().any(|threshold| threshold == 1.6), "not twice the old side's: {draft:#}");
    ensure!(draft["alarms"][0]["AlarmName"] == format!("{new}-hosts"), "{draft:#}");
    for says in ["health_check:", "is a guess", "leaves_behind: A www.", "hooks:"] {
        ensure!(told.contains(says), "{says} is not told: {told}");
    }
    let checked = Checked::of(&draft);
    ensure!(!checked.is_refused(), "{:#?}", checked.findings);

    draft["leaves_behind"][0]["why"] = json!("the old pages stay until March");
    for route in draft["routes"].as_array_mut().into_iter().flatten() {
        route["steps"].as_array_mut().into_iter().flatten().for_each(|step| step["hold"] = json!("4m"));
    }
    stage.plan = draft;
    // With its metrics: users see the gates' values.
    let outcome = rehearse(&stage, Machine::cutover(), None, |_, _| ()).await?;
    ensure!(outcome.exit_code == 0, "ended {:#?}", outcome.ending);
    ensure!(outcome.findings.is_empty(), "gates that never saw a value: {:#?}", outcome.findings);
    ensure!(stage.new_percents() == [100.0; 3], "the new side has {:?} %", stage.new_percents());
    Ok(())
}

async fn put_alarm(ground: &Ground, name: &str, group: &Value) -> Result<()> {
    let dimension = group.as_str().and_then(|arn| arn.rsplit(':').next()).unwrap_or_default();
    let alarm = json!({ "AlarmName": format!("{name}-hosts"), "Namespace": "AWS/ApplicationELB",
        "MetricName": "UnHealthyHostCount", "Dimensions": [{ "Name": "TargetGroup", "Value": dimension }],
        "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 3, "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold" });
    ground.client.call("cloudwatch", "put_metric_alarm", alarm).await.map(drop)
}

/// The old side answered in 0.8 s.
async fn was_slow(ground: &Ground, route: &Value) -> Result<()> {
    let end = |field: &str, before: &str| {
        let arn = route[field].as_str().unwrap_or_default();
        arn.split_once(before).map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    };
    let balancer = end("listener_arn", ":listener/").rsplit_once('/').map(|(balancer, _)| balancer.to_owned());
    let group = format!("targetgroup/{}", end("old_target_group_arn", ":targetgroup/"));
    let dimensions = json!([{ "Name": "LoadBalancer", "Value": balancer }, { "Name": "TargetGroup", "Value": group }]);
    let data = json!({ "Namespace": "AWS/ApplicationELB", "MetricData": [{
        "MetricName": "TargetResponseTime", "Dimensions": dimensions, "Value": 0.8 }] });
    ground.client.call("cloudwatch", "put_metric_data", data).await.map(drop)
}

async fn what_is_not_there_is_told_with_what_is() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.quiet_stage(&listener_plan("misspelt", json!([{ "new_weight": 100 }])), json!({})).await?;
    let old = group_name(&stage.plan["routes"][0]["old_target_group_arn"]);
    let error = plan(&ground.emulator.ready().endpoint_url, &["--old", &format!("{old}d"), "--new", "new"]).await;
    let told = format!("{:?}", error.err());
    ensure!(told.contains(&format!("--old {old}d: there is no such target group")), "{told}");
    ensure!(told.contains("do you mean one of"), "{told}");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![what_is_drafted_passes_precheck_and_moves_everything, what_is_not_there_is_told_with_what_is,]
}
