//! Health checks of names: made, waited for, attached, watched, and taken away again.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, dns_plan, ensure_same};

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);

/// A plan with a health check of the new side, which listens with plain HTTP.
fn checked_plan(application: &str, steps: Value) -> Value {
    let mut plan = dns_plan(application, steps);
    let check = json!({ "fqdn": "new.example.com", "path": "/health", "port": 8080, "protocol": "http" });
    plan["routes"][0]["health_checks"] = json!({ "new": check });
    plan
}

fn steps() -> Value {
    json!([{ "new_weight": 50, "hold": "10m" }, { "new_weight": 100 }])
}

/// What the checkers see of the checks of a host.
fn seen(fqdn: &str, health: Value) -> Value {
    json!({ "match": { "fqdn": fqdn }, "health": health })
}

fn attached(account: &Value) -> bool {
    account["route53"]["hosted_zones"].to_string().contains("HealthCheckId")
}

fn checks(account: &Value) -> usize {
    account["route53"]["health_checks"].as_object().map_or(0, serde_json::Map::len)
}

/// The cause of a run that was rolled back.
async fn cause_of_rollback(ground: &Ground, run_id: &str) -> Result<Value> {
    let end = ground.end_of(run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {} {}", end["status"], end["error"], end["cause"]);
    serde_json::from_str(end["cause"].as_str().context("a cause")?).context("the cause is no JSON")
}

async fn a_check_is_attached_only_once_it_is_healthy() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let world = json!({ "health_checks": [seen("new.example.com", json!("unknown"))] });
    let stage = ground.stage(&checked_plan("late", steps()), world).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_entries(&run_id, "PrepareRecords", 4, LIMIT).await?;
    let waiting = ground.account().await?;
    ensure!(checks(&waiting) == 1, "the check is there before it is attached: {}", waiting["route53"]["health_checks"]);
    ensure_same(&before["route53"]["hosted_zones"], &waiting["route53"]["hosted_zones"])?;
    ground.client.set_health_checks(&[seen("new.example.com", json!(0))]).await?;
    let looks = ground.states(&run_id).await?.iter().filter(|state| *state == "PrepareRecords").count();
    ground.wait_for_entries(&run_id, "PrepareRecords", looks + 2, LIMIT).await?;
    ensure_same(&before["route53"]["hosted_zones"], &ground.account().await?["route53"]["hosted_zones"])?;
    ground.client.set_health_checks(&[]).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    ensure!(attached(&ground.account().await?), "the check is not attached");
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    Ok(())
}

async fn a_check_asks_as_the_plan_says() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = checked_plan("asks", json!([{ "new_weight": 100, "hold": "30m" }]));
    plan["routes"][0]["health_checks"]["old"] = json!({ "ip_address": "192.0.2.10", "protocol": "tcp", "port": 5432 });
    plan["routes"][0]["health_checks"]["new"]["search_string"] = json!("ok");
    let stage = ground.stage(&plan, json!({})).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    let checks = ground.account().await?["route53"]["health_checks"].clone();
    let mut configs: Vec<Value> =
        checks.as_object().into_iter().flatten().map(|(_, check)| check["HealthCheckConfig"].clone()).collect();
    configs.sort_by_key(|config| config["Type"].to_string());
    let asked =
        |index: usize, fields: &[&str]| fields.iter().map(|field| configs[index][field].clone()).collect::<Value>();
    let http = asked(0, &["Type", "FullyQualifiedDomainName", "Port", "ResourcePath", "SearchString"]);
    ensure!(http == json!(["HTTP_STR_MATCH", "new.example.com", 8080, "/health", "ok"]), "asked {http}");
    let tcp = asked(1, &["Type", "IPAddress", "Port"]);
    ensure!(tcp == json!(["TCP", "192.0.2.10", 5432]), "asked {tcp}");
    Ok(())
}

/// A run with a check that cannot pass ends with its words, nobody moved, and no check is left.
async fn rolls_back_before_anybody_moves(plan: Value, sick: &str, words: &[&str]) -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let failure = json!({ "percent": 0, "failure": "Failure: Connection refused." });
    let stage = ground.stage(&plan, json!({ "health_checks": [seen(sick, failure)] })).await?;
    let before = ground.account().await?;
    let started = ground.client.requests(0).await?.iter().map(|request| request.seq).max().unwrap_or_default();
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let cause = cause_of_rollback(&ground, &run_id).await?;
    ensure!(cause["failed_state"] == "PrepareRecords", "failed in {}", cause["failed_state"]);
    ensure_says(&cause.to_string(), words)?;
    ensure_same(&before, &ground.account().await?)?;
    let after = ground.client.requests(started).await?;
    let changes = after.iter().filter(|request| request.operation == "ChangeResourceRecordSets").count();
    ensure!(changes == 0, "the records were changed {changes} times");
    Ok(())
}

async fn a_check_that_never_passes_rolls_back_before_anybody_moves() -> Result<()> {
    let words = ["new side", "http://new.example.com:8080/health", "0 of 16 checkers", "Connection refused"];
    rolls_back_before_anybody_moves(checked_plan("never", steps()), "new.example.com", &words).await
}

/// Route 53 would answer with the new record of weight 0, before writers are stopped and the replication has drained.
async fn a_check_of_the_old_side_that_never_passes_moves_nobody() -> Result<()> {
    let mut plan = checked_plan("both", steps());
    plan["routes"][0]["health_checks"]["old"] = json!({ "fqdn": "old.example.com", "port": 8080, "protocol": "https" });
    let words = ["old side", "https://old.example.com:8080/", "0 of 16 checkers"];
    rolls_back_before_anybody_moves(plan, "old.example.com", &words).await
}

/// Holds a run at its first step, lets a host's checks fail, and answers the cause of its end.
async fn fails_in_a_hold(plan: &Value, world: Value, host: &str) -> Result<String> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(plan, world).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    ground.client.set_health_checks(&[seen(host, json!("unhealthy"))]).await?;
    let cause = cause_of_rollback(&ground, &run_id).await?;
    ensure!(cause["failed_state"] == "Monitor", "failed in {}", cause["failed_state"]);
    ensure_same(&before, &ground.account().await?)?;
    Ok(cause.to_string())
}

fn ensure_says(text: &str, words: &[&str]) -> Result<()> {
    for word in words {
        ensure!(text.contains(word), "it does not say {word}: {text}");
    }
    Ok(())
}

async fn a_check_that_fails_later_is_an_unhealthy_look() -> Result<()> {
    let plan = checked_plan("later", json!([{ "new_weight": 50, "hold": "2h" }, { "new_weight": 100 }]));
    let cause = fails_in_a_hold(&plan, json!({}), "new.example.com").await?;
    let effect = "of A the new side gets 0 %, not 50 %";
    ensure_says(&cause, &["Cutover.Unhealthy", "2 unhealthy checks", "new side", "0 of 16 checkers", effect])
}

/// The old record's own check counts too: when it fails, all users move, whatever the step says.
async fn a_check_that_the_old_record_has_already_is_watched() -> Result<()> {
    let plan = dns_plan("inherited", json!([{ "new_weight": 50, "hold": "2h" }, { "new_weight": 100 }]));
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&plan, json!({})).await?;
    let id = give_the_old_record_a_check(&ground, &stage.plan["routes"][0]).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    ground.client.set_health_checks(&[json!({ "match": { "id": id }, "health": "unhealthy" })]).await?;
    let cause = cause_of_rollback(&ground, &run_id).await?.to_string();
    ensure_says(&cause, &[&id, "old side", "0 of 16 checkers", "of A the new side gets 100 %, not 50 %"])
}

/// A health check of the old record, there before any run; its identifier.
async fn give_the_old_record_a_check(ground: &Ground, route: &Value) -> Result<String> {
    let config = json!({ "Type": "HTTPS", "FullyQualifiedDomainName": "old.example.com" });
    let make = json!({ "CallerReference": "by-its-owner", "HealthCheckConfig": config });
    let made = ground.client.call("route53", "create_health_check", make).await?;
    let id = made["HealthCheck"]["Id"].as_str().context("an identifier")?.to_owned();
    let name = format!("{}.", route["record_name"].as_str().context("a name")?);
    let list = json!({ "HostedZoneId": route["hosted_zone_id"] });
    let sets = ground.client.call("route53", "list_resource_record_sets", list).await?;
    let mut sets = sets["ResourceRecordSets"].as_array().into_iter().flatten();
    let mut set = sets.find(|set| set["Name"] == name.as_str()).context("a record")?.clone();
    set["HealthCheckId"] = json!(id);
    let batch = json!({ "Changes": [{ "Action": "UPSERT", "ResourceRecordSet": set }] });
    let change = json!({ "HostedZoneId": route["hosted_zone_id"], "ChangeBatch": batch });
    ground.client.call("route53", "change_resource_record_sets", change).await?;
    Ok(id)
}

async fn the_final_record_inherits_the_check_unless_the_plan_says_otherwise() -> Result<()> {
    for named in [json!("inherit"), json!("named"), Value::Null] {
        let ground = Ground::new(SPEED).await?;
        let stage = ground.stage(&dns_plan("final", json!([{ "new_weight": 100 }])), json!({})).await?;
        let mut plan = stage.plan.clone();
        let old = give_the_old_record_a_check(&ground, &plan["routes"][0]).await?;
        let config = json!({ "Type": "HTTPS", "FullyQualifiedDomainName": "new.example.com" });
        let make = json!({ "CallerReference": "for-the-new-side", "HealthCheckConfig": config });
        let made = ground.client.call("route53", "create_health_check", make).await?;
        let new = &mut plan["routes"][0]["records"][0]["new"];
        let wanted = match named.as_str() {
            Some("inherit") => json!(old),
            Some(_) => made["HealthCheck"]["Id"].clone(),
            None => Value::Null,
        };
        if named != "inherit" {
            new["health_check_id"] = wanted.clone();
        }
        plan["cleanup"] = json!({ "after": "0s" });
        let run_id = ground.start("cutover", "run", &plan).await?;
        let end = ground.end_of(&run_id, LIMIT).await?;
        ensure!(end["status"] == "SUCCEEDED", "{named}: ended {} {}", end["error"], end["cause"]);
        ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
        let account = ground.account().await?;
        let sets = account["route53"]["hosted_zones"].as_object().into_iter().flatten();
        let mut sets = sets.flat_map(|(_, zone)| zone["ResourceRecordSets"].as_object().into_iter().flatten());
        let (_, set) = sets.find(|(name, _)| name.starts_with("final.example.com")).context("the final record")?;
        ensure!(set["HealthCheckId"] == wanted, "{named}: the final record is {set}");
        ensure!(checks(&account) == 2, "{named}: a check that the run did not make is gone");
    }
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_check_is_attached_only_once_it_is_healthy,
        a_check_asks_as_the_plan_says,
        a_check_that_never_passes_rolls_back_before_anybody_moves,
        a_check_of_the_old_side_that_never_passes_moves_nobody,
        a_check_that_fails_later_is_an_unhealthy_look,
        a_check_that_the_old_record_has_already_is_watched,
        the_final_record_inherits_the_check_unless_the_plan_says_otherwise,
    ]
}
