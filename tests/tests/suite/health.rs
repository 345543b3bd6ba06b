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
    let text = cause.to_string();
    for word in words {
        ensure!(text.contains(word), "the cause does not say {word}: {text}");
    }
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

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_check_is_attached_only_once_it_is_healthy,
        a_check_asks_as_the_plan_says,
        a_check_that_never_passes_rolls_back_before_anybody_moves,
        a_check_of_the_old_side_that_never_passes_moves_nobody,
    ]
}
