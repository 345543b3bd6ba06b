//! Nothing locks a run for ever: an item that is full or that nobody can read, an alarm that was never set, a thousand runs
//! that are open at once.

use std::time::{Duration, Instant};

use crate::harness::{Test, asynchronous};
use crate::rollback::{Held, half, output};
use crate::support::{Ground, ensure_same, listener_plan};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const SPEED: f64 = 120.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
/// 400 KB (DynamoDB quotas).
const ITEM_BYTES: usize = 400 * 1024;
/// The sweep's own time-out.
const SWEEP_LIMIT: Duration = Duration::from_secs(30);

/// Makes a run's item one that nobody can read, as a version wrote it that had no list of locks.
pub async fn garble(ground: &Ground, run_id: &str) -> Result<()> {
    rewrite(ground, run_id, &[("before", "[{ not JSON")], "locks").await
}

/// Makes alarms of these names, each with more settings than a run's item has room for beside those of another.
pub async fn make_large_alarms(ground: &Ground, names: &[String]) -> Result<()> {
    for name in names {
        let query = |n: usize| {
            json!({ "Id": format!("m{n}"), "Expression": format!("{} + {n}", "FILL(METRICS(), 0) + ".repeat(90)),
                "Label": format!("of {name}"), "ReturnData": n == 0 })
        };
        let metrics: Vec<Value> = (0..20).map(query).collect();
        let before = json!({ "AlarmName": name, "Metrics": metrics, "EvaluationPeriods": 3, "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold" });
        ground.client.call("cloudwatch", "put_metric_alarm", before).await?;
    }
    Ok(())
}

/// Sets texts of a run's item, and takes others out of it.
async fn rewrite(ground: &Ground, run_id: &str, texts: &[(&str, &str)], out: &str) -> Result<()> {
    let sets: Vec<String> = (0..texts.len()).map(|n| format!("#n{n} = :v{n}")).collect();
    let mut names: Value = texts.iter().enumerate().map(|(n, (name, _))| (format!("#n{n}"), json!(name))).collect();
    let values: Value =
        texts.iter().enumerate().map(|(n, (_, text))| (format!(":v{n}"), json!({ "S": text }))).collect();
    if !out.is_empty() {
        names["#out"] = json!(out); // by name: some are reserved words
    }
    let out = if out.is_empty() { "" } else { " REMOVE #out" };
    let update = json!({
        "TableName": ground.emulator.ready().journal_table,
        "Key": { "pk": { "S": format!("run#{run_id}") } },
        "UpdateExpression": format!("SET {}{out}", sets.join(", ")),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    });
    ground.client.call("dynamodb", "update_item", update).await.map(drop)
}

/// Fills a run's item to the last byte, by an attribute that another version may have written. Where a function writes just then,
/// there is less to fill than was read.
pub async fn fill(ground: &Ground, run_id: &str) -> Result<()> {
    for _ in 0..5 {
        if fill_once(ground, run_id).await.is_ok() {
            return Ok(());
        }
    }
    fill_once(ground, run_id).await
}

async fn fill_once(ground: &Ground, run_id: &str) -> Result<()> {
    let bytes_of = |(name, value): (&String, &Value)| {
        let text = |value: &Value| value.as_str().map_or(1, str::len);
        let texts = |value: &Value| value.as_array().map_or_else(|| text(value), |set| set.iter().map(text).sum());
        let bytes = value.as_object().into_iter().flatten().map(|(_, value)| texts(value));
        name.len() + bytes.sum::<usize>()
    };
    let item = ground.run(run_id).await?.context("the run")?;
    let taken: usize = item.as_object().into_iter().flatten().map(bytes_of).sum();
    // What filled it before may stand beside it by now.
    let is_again = item["beside"].to_string().contains("written_by_another_version");
    let name = if is_again { "written_by_yet_another_version" } else { "written_by_another_version" };
    let filler = "x".repeat(ITEM_BYTES - taken - name.len());
    rewrite(ground, run_id, &[(name, &filler)], "").await?;
    let one_more = rewrite(ground, run_id, &[("one_more", "x")], "").await;
    ensure!(one_more.is_err(), "the item is not full");
    Ok(())
}

async fn a_run_whose_item_is_full_is_rolled_back() -> Result<()> {
    let held = Held::new(half("full")).await?;
    fill(&held.ground, &held.run_id).await?;
    held.stop().await?;
    held.ensure_rolled_back().await?;
    let run = held.ground.run(&held.run_id).await?.context("the run")?;
    ensure!(run["beside"]["SS"] == json!(["written_by_another_version"]), "{}", run["beside"]);
    Ok(())
}

/// Full, its before-images no JSON, and without the list of its locks, as a version wrote it that did not have one.
async fn a_stuck_run_that_is_full_and_cannot_be_read_is_released() -> Result<()> {
    let held = Held::new(half("unreadable")).await?;
    held.set_weights(1, 1).await?;
    held.stop().await?;
    held.ground.wait_for_phase(&held.run_id, "stuck", LIMIT).await?;
    held.ground.page("CRITICAL", LIMIT).await?;
    garble(&held.ground, &held.run_id).await?;
    fill(&held.ground, &held.run_id).await?;
    let input = json!({ "application": "unreadable", "release": "Ada: both sides shall serve" });
    let release = held.ground.start("cleanup", "release", &input).await?;
    let end = held.ground.end_of(&release, LIMIT).await?;
    ensure!(output(&end)?["ending"] == "Released", "not released: {end}");
    held.ground.ensure_no_locks(&held.run_id).await?;
    let run = held.ground.run(&held.run_id).await?.context("the run")?;
    let ending = run["ending"]["S"].as_str().unwrap_or_default();
    ensure!(run["phase"]["S"] == "closed" && ending.contains("Ada") && ending.contains("not to be read"), "{ending}");
    Ok(())
}

/// Somebody has deleted the run's item: its locks are what is left.
async fn the_locks_of_a_run_that_is_gone_are_released() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let table = &ground.emulator.ready().journal_table;
    for key in ["application#gone", "listener#gone"] {
        let item = json!({ "pk": { "S": format!("lock#{key}") }, "run_id": { "S": "gone-run" } });
        ground.client.call("dynamodb", "put_item", json!({ "TableName": table, "Item": item })).await?;
    }
    let input = json!({ "application": "gone", "release": "Ada: it was a test" });
    let release = ground.start("cleanup", "release", &input).await?;
    let end = ground.end_of(&release, LIMIT).await?;
    ensure!(output(&end)?["ending"] == "Released", "not released: {end}");
    ground.ensure_no_locks("gone-run").await
}

pub fn alarm(name: &str) -> Value {
    json!({ "AlarmName": name, "Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Statistic": "Sum",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "LessThanThreshold" })
}

/// Of an alarm whose setting was denied, the delete is denied as well.
async fn an_alarm_that_was_never_set_does_not_make_a_rollback_stuck() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("never-set", json!([{ "new_weight": 100 }]));
    plan["alarms"] = json!([alarm("never-set-quiet")]);
    let stage = ground.stage(&plan, json!({})).await?;
    let before = ground.account().await?;
    let denied = |operation: &str| {
        json!({ "match": { "caller": "alarms", "operation": operation }, "times": null, "do": "before",
            "error": "AccessDenied" })
    };
    ground.client.set_faults(json!([denied("PutMetricAlarm"), denied("DeleteAlarms")])).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ensure!(output(&end)?["alarms"][0]["error"] == "Cutover.NotPermitted", "{}", output(&end)?["alarms"]);
    ground.start("rollback", "by-hand", &json!({ "application": "never-set" })).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)
}

/// What the alarms were before has more bytes than the run's item has room for in its budget.
async fn large_alarms_are_remembered_beside_the_run_and_put_back() -> Result<()> {
    const ALARMS: usize = 4;
    let ground = Ground::new(SPEED).await?;
    let names: Vec<String> = (0..ALARMS).map(|n| format!("large-{n}")).collect();
    let mut plan = listener_plan("large-alarms", json!([{ "new_weight": 100 }]));
    plan["alarms"] = names.iter().map(|name| alarm(name)).collect();
    let stage = ground.stage(&plan, json!({})).await?;
    make_large_alarms(&ground, &names).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ensure!(output(&end)?["alarms"][ALARMS - 1]["changed"] == true, "{}", output(&end)?["alarms"]);
    let run = ground.run(&run_id).await?.context("the run")?;
    let beside = run["beside"]["SS"].as_array().map_or(0, Vec::len);
    ensure!((1..ALARMS).contains(&beside), "{beside} of {ALARMS} alarms are remembered beside the run");
    ensure!(run.to_string().len() < ITEM_BYTES / 2, "the run's item has {} bytes", run.to_string().len());
    ground.start("rollback", "by-hand", &json!({ "application": "large-alarms" })).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)
}

/// Starts a machine of one state.
async fn start_alone(ground: &Ground, name: &str, state: Value) -> Result<String> {
    let definition = json!({ "QueryLanguage": "JSONata", "StartAt": name, "States": { name: state } });
    let machine = json!({ "name": name, "definition": definition.to_string(),
        "roleArn": "arn:aws:iam::123456789012:role/alone" });
    let created = ground.client.call("stepfunctions", "create_state_machine", machine).await?;
    let arn = created["stateMachineArn"].as_str().context("no machine")?;
    cutover_tests::follow::start(&ground.client, arn, "once", &json!({})).await
}

/// A thousand runs that somebody is at; and one after them, in the order in which they are looked at, that was stopped.
async fn one_sweep_looks_at_1000_open_runs() -> Result<()> {
    const OPEN: usize = 1_000;
    // The index in pages of 1 MB, a list of each machine that owns a run, and what the one that was stopped takes.
    const MOST_REQUESTS: usize = 20;
    let held = Held::new(half("one-of-many")).await?;
    let (ground, run_id) = (&held.ground, &held.run_id);
    ground.client.set_events(json!({ "sweep": false, "status_events": false })).await?;
    let busy = start_alone(ground, "busy", json!({ "Type": "Wait", "Seconds": 1_000_000, "End": true })).await?;
    let item = ground.run(run_id).await?.context("the run")?;
    let other = |n: usize| {
        let mut run = item.clone();
        let other = format!("arn:aws:another-run:{n:04}");
        run["pk"] = json!({ "S": format!("run#{other}") });
        run["run_id"] = json!({ "S": other });
        run["owner"] = json!({ "S": busy });
        json!({ "PutRequest": { "Item": run } })
    };
    // As many as one batch takes (API reference of BatchWriteItem).
    for batch in (0..OPEN).map(other).collect::<Vec<_>>().chunks(25) {
        let mut requests = json!({});
        requests[&ground.emulator.ready().journal_table] = json!(batch);
        ground.client.call("dynamodb", "batch_write_item", json!({ "RequestItems": requests })).await?;
    }
    held.stop().await?;
    let since = ground.client.requests(0).await?.len() as u64;
    let started = Instant::now();
    let sweep = json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
        "Arguments": { "FunctionName": "cutover-sweep", "Payload": {} }, "Output": "{% $states.result.Payload %}" });
    let sweep = start_alone(ground, "sweep", sweep).await?;
    let end = ground.end_of(&sweep, LIMIT).await?;
    let took = started.elapsed();
    let reply = output(&end).with_context(|| format!("the sweep: {end}"))?;
    ensure!(reply["open"] == OPEN + 1 && reply["left"] == 0, "{reply}");
    ensure!(reply["done"] == json!([format!("rollback of {run_id} started, the 1. time")]), "{reply}");
    ensure!(took < SWEEP_LIMIT, "a sweep took {took:?}");
    let requests = ground.client.requests(since).await?;
    let looks = requests.iter().filter(|request| request.caller == "sweep").count();
    eprintln!("one sweep of {} open runs took {took:?} and {looks} requests", OPEN + 1);
    ensure!(looks <= MOST_REQUESTS, "a sweep of {} open runs made {looks} requests", OPEN + 1);
    held.ensure_rolled_back().await
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_run_whose_item_is_full_is_rolled_back,
        a_stuck_run_that_is_full_and_cannot_be_read_is_released,
        the_locks_of_a_run_that_is_gone_are_released,
        an_alarm_that_was_never_set_does_not_make_a_rollback_stuck,
        large_alarms_are_remembered_beside_the_run_and_put_back,
        one_sweep_looks_at_1000_open_runs,
    ]
}
