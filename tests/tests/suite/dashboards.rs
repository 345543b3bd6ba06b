//! The dashboard of a run: it is there while the run is, tells each step, and is gone when all is as it was.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const SPEED: f64 = 120.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);

async fn names(ground: &Ground) -> Result<Vec<String>> {
    let listed = ground
        .client
        .call("cloudwatch", "list_dashboards", json!({ "DashboardNamePrefix": "cutover-run-shown-1-" }))
        .await?;
    let entries = listed["DashboardEntries"].as_array().context("no list")?;
    Ok(entries.iter().filter_map(|entry| entry["DashboardName"].as_str().map(str::to_owned)).collect())
}

async fn labels(ground: &Ground, name: &str) -> Result<Vec<String>> {
    let shown = ground.client.call("cloudwatch", "get_dashboard", json!({ "DashboardName": name })).await?;
    let body: Value = serde_json::from_str(shown["DashboardBody"].as_str().context("no body")?)?;
    let lines = body["widgets"][1]["properties"]["annotations"]["vertical"].as_array().context("no lines")?;
    Ok(lines.iter().filter_map(|line| line["label"].as_str().map(str::to_owned)).collect())
}

async fn a_run_has_a_dashboard_that_tells_its_steps_until_all_is_as_it_was() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground
        .stage(&listener_plan("shown", json!([{ "new_weight": 20, "hold": "2h" }, { "new_weight": 100 }])), json!({}))
        .await?;
    let run_id = ground.start("cutover", "shown.1", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    let names_shown = names(&ground).await?;
    ensure!(names_shown.len() == 1, "{names_shown:?}");
    let told = labels(&ground, &names_shown[0]).await?;
    ensure!(told.len() == 2 && told[0] == "claimed" && told[1].starts_with("20 % of listener"), "{told:?}");
    let weights = ground.client.call("cloudwatch", "list_metrics", json!({ "Namespace": "Cutover" })).await?;
    ensure!(weights["Metrics"][0]["MetricName"] == "NewWeight", "{weights}");
    ground.start("rollback", "by-hand", &json!({ "application": "shown" })).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {}", end["error"], end["cause"]);
    // The rollback tells everybody before it removes it, and the cutover has ended by then.
    wait_for("the dashboard to be gone", LIMIT, async || Ok(names(&ground).await?.is_empty().then_some(()))).await
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![a_run_has_a_dashboard_that_tells_its_steps_until_all_is_as_it_was]
}
