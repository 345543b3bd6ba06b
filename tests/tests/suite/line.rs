//! The line: one flag that Claim and every look of a hold read. People speak of it by the machine of waves.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, ensure_same, listener_plan};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const SPEED: f64 = 120.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
/// Ten minutes of a run's time.
const A_WHILE: Duration = Duration::from_secs(5);

/// A person says something of the line.
async fn say(ground: &Ground, gesture: Value) -> Result<Value> {
    let name = format!("said-{}", ground.executions("wave").await?.len());
    let execution = ground.start("wave", &name, &json!({ "line": gesture })).await?;
    ground.end_of(&execution, LIMIT).await
}

async fn said(ground: &Ground, gesture: Value) -> Result<()> {
    let end = say(ground, gesture).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    Ok(())
}

fn stop() -> Value {
    json!({ "stop": { "by": "Ada", "why": "the new network loses packets" } })
}

/// The line is stopped right before a state of a run does anything: whoever waits for a state and stops it then may be too late.
async fn stopped_at(ground: &Ground, state: &str) -> Result<()> {
    let taken = json!({ "action": "take", "execution_arn": ground.execution("wave", "said"), "input": { "line": stop() }, "at": "2026-01-01T00:00:00Z" });
    let parameters = json!({ "FunctionName": "cutover-wave", "Payload": taken.to_string() });
    let just_then = json!({
        "match": { "caller": "states", "state": state }, "do": "call",
        "call": { "service": "lambda", "operation": "invoke", "parameters": parameters },
    });
    ground.client.set_faults(json!([just_then])).await.map(drop)
}

fn lift() -> Value {
    json!({ "lift": { "by": "Ada", "why": "it is mended" } })
}

fn in_two_steps(application: &str) -> Value {
    listener_plan(application, json!([{ "new_weight": 50, "hold": "2m" }, { "new_weight": 100 }]))
}

async fn succeeds(ground: &Ground, run_id: &str) -> Result<()> {
    let end = ground.end_of(run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    Ok(())
}

/// How often a run was looked at.
async fn looks(ground: &Ground, run_id: &str, state: &str) -> Result<usize> {
    Ok(ground.states(run_id).await?.iter().filter(|entered| *entered == state).count())
}

async fn a_run_in_a_hold_stays_there_under_watch_until_the_line_is_lifted() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&in_two_steps("held"), json!({})).await?;
    stopped_at(&ground, "Monitor").await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_entries(&run_id, "HoldWait", 2, LIMIT).await?;
    let before = looks(&ground, &run_id, "Monitor").await?;
    tokio::time::sleep(A_WHILE).await;
    ensure!(stage.new_percents() == [50.0], "a held run went on to {:?}", stage.new_percents());
    ensure!(looks(&ground, &run_id, "Monitor").await? > before + 1, "a held run is not watched");
    let asked = json!({ "application": "held" }).to_string();
    let status = json!({ "FunctionName": "cutover-status-report", "Payload": asked });
    let text = ground.client.call("lambda", "invoke", status).await?.to_string();
    ensure!(text.contains("the line is stopped by") && text.contains("the new network loses packets"), "{text}");
    said(&ground, lift()).await?;
    succeeds(&ground, &run_id).await
}

async fn a_run_before_its_first_traffic_stays_there_until_the_line_is_lifted() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&in_two_steps("early"), json!({})).await?;
    stopped_at(&ground, "PrepareListener").await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_entries(&run_id, "CheckLine", 2, LIMIT).await?;
    ensure!(stage.new_percents().iter().all(|percent| *percent == 0.0), "it has moved {:?}", stage.new_percents());
    said(&ground, lift()).await?;
    succeeds(&ground, &run_id).await
}

async fn nothing_claims_while_the_line_is_stopped_and_the_ending_says_how_it_is_lifted() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&in_two_steps("refused"), json!({})).await?;
    let before = ground.account().await?;
    said(&ground, stop()).await?;
    let run_id = ground.start("cutover", "first", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    let cause = end["cause"].as_str().context("a cause")?.replace('\\', "");
    ensure!(end["error"] == "Cutover.LineStopped", "ended {} {cause}", end["error"]);
    for part in ["is stopped by", "Ada", "the new network loses packets", "nothing was touched", r#"{"line": {"lift""#]
    {
        ensure!(cause.contains(part), "no {part} in {cause}");
    }
    ensure_same(&before, &ground.account().await?)?;
    ensure!(ground.run(&run_id).await?.is_none(), "a refused run is in the journal");
    let page = ground.page("Cutover of refused: not started", LIMIT).await?;
    ensure!(page.contains("the line is stopped"), "{page}");
    said(&ground, lift()).await?;
    succeeds(&ground, &ground.start("cutover", "second", &stage.plan).await?).await
}

async fn a_run_that_gets_unhealthy_goes_back_although_the_line_is_stopped() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&in_two_steps("sick"), json!({})).await?;
    stopped_at(&ground, "Monitor").await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_entries(&run_id, "HoldWait", 2, LIMIT).await?;
    let monitored = looks(&ground, &run_id, "Monitor").await?;
    ground.wait_for_entries(&run_id, "Monitor", monitored + 3, LIMIT).await?;
    let new = stage.plan["routes"][0]["new_target_group_arn"].as_str().context("the new group")?;
    ground.client.set_target_health(new, json!({ "*": "unhealthy" })).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {}", end["error"], end["cause"]);
    ensure!(stage.new_percents() == [0.0], "it is at {:?}", stage.new_percents());
    Ok(())
}

async fn an_exception_goes_on_once_a_second_person_agrees_and_nobody_else_does() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut runs = Vec::new();
    for application in ["excepted", "other"] {
        let steps = json!([{ "new_weight": 50, "hold": "60m" }, { "new_weight": 100 }]);
        let stage = ground.stage(&listener_plan(application, steps), json!({})).await?;
        let run_id = ground.start("cutover", application, &stage.plan).await?;
        ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
        runs.push((run_id, stage));
    }
    said(&ground, stop()).await?;
    let except = json!({ "except": { "application": "excepted", "by": "Ada", "why": "it is on the old network" } });
    said(&ground, except).await?;
    let approve = |by: &str| json!({ "approve": { "application": "excepted", "by": by } });
    let refused = say(&ground, approve("ada")).await?;
    let cause = refused["cause"].as_str().unwrap_or_default();
    ensure!(refused["error"] == "Cutover.InvalidGesture" && cause.contains("a second person"), "{refused}");
    tokio::time::sleep(3 * A_WHILE).await;
    for (run_id, stage) in &runs {
        ensure!(stage.new_percents() == [50.0], "{run_id} went on to {:?}", stage.new_percents());
    }
    said(&ground, approve("Grace")).await?;
    succeeds(&ground, &runs[0].0).await?;
    ensure!(runs[1].1.new_percents() == [50.0], "the other went on to {:?}", runs[1].1.new_percents());
    said(&ground, lift()).await?;
    succeeds(&ground, &runs[1].0).await
}

/// Monitor's clock is a year ahead, which without the line is a year past the plan's `timeout`.
async fn the_time_that_the_line_stands_is_not_the_runs() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&in_two_steps("patient"), json!({})).await?;
    stopped_at(&ground, "Monitor").await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_entries(&run_id, "HoldWait", 2, LIMIT).await?;
    let monitored = looks(&ground, &run_id, "Monitor").await?;
    ground.wait_for_entries(&run_id, "Monitor", monitored + 2, LIMIT).await?;
    let skew = json!({ "match": { "state": "Monitor" }, "times": null, "do": "skew", "seconds": 365 * 24 * 3600 });
    ground.client.set_faults(json!([skew])).await?;
    let monitored = looks(&ground, &run_id, "Monitor").await?;
    ground.wait_for_entries(&run_id, "Monitor", monitored + 3, LIMIT).await?;
    ensure!(stage.new_percents() == [50.0], "a held run went on to {:?}", stage.new_percents());
    ground.client.set_faults(json!([])).await?;
    let monitored = looks(&ground, &run_id, "Monitor").await?;
    ground.wait_for_entries(&run_id, "Monitor", monitored + 2, LIMIT).await?;
    said(&ground, lift()).await?;
    succeeds(&ground, &run_id).await
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        the_time_that_the_line_stands_is_not_the_runs,
        a_run_in_a_hold_stays_there_under_watch_until_the_line_is_lifted,
        a_run_before_its_first_traffic_stays_there_until_the_line_is_lifted,
        nothing_claims_while_the_line_is_stopped_and_the_ending_says_how_it_is_lifted,
        a_run_that_gets_unhealthy_goes_back_although_the_line_is_stopped,
        an_exception_goes_on_once_a_second_person_agrees_and_nobody_else_does,
    ]
}
