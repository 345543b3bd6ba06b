//! What becomes of a new side that fails: a person decides, evidence is collected, and it is watched until cleanup (that it is left then: a scenario).

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, ensure_same, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);

/// A plan that watches the alarm `<application>-sick`.
fn watching(application: &str, monitoring: Value) -> Value {
    let mut plan = listener_plan(application, json!([{ "new_weight": 10, "hold": "10m" }, { "new_weight": 100 }]));
    plan["monitoring"] = json!({ "interval": "60s", "alarms": [format!("{application}-sick")] });
    for (field, value) in monitoring.as_object().into_iter().flatten() {
        plan["monitoring"][field] = value.clone();
    }
    plan
}

async fn set_alarm(ground: &Ground, application: &str, state: &str) -> Result<()> {
    let name = format!("{application}-sick");
    let alarm = json!({ "AlarmName": name, "Namespace": "Shop", "MetricName": "Trouble", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold" });
    ground.client.call("cloudwatch", "put_metric_alarm", alarm).await?;
    let state = json!({ "AlarmName": name, "StateValue": state, "StateReason": "set by the test" });
    ground.client.call("cloudwatch", "set_alarm_state", state).await.map(drop)
}

/// A run that is at its first step, with the alarm in `ALARM`.
async fn failing(ground: &Ground, plan: &Value, application: &str) -> Result<String> {
    set_alarm(ground, application, "OK").await?;
    let run_id = ground.start("cutover", "run", plan).await?;
    ground.wait_for_state(&run_id, "Monitor", LIMIT).await?;
    set_alarm(ground, application, "ALARM").await?;
    Ok(run_id)
}

/// How many messages have a subject with this in it.
async fn told(ground: &Ground, text: &str) -> Result<usize> {
    let messages = ground.client.messages().await?;
    Ok(messages.iter().filter(|one| one.subject.as_deref().is_some_and(|subject| subject.contains(text))).count())
}

async fn a_failed_check_is_held_for_a_person_who_lets_the_run_go_on() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let plan = watching("decided", json!({ "on_failure": "hold", "hold_limit": "3h" }));
    let stage = ground.stage(&plan, json!({})).await?;
    let run_id = failing(&ground, &stage.plan, "decided").await?;
    let page = ground.page("ACTION NEEDED: cutover of decided: a check failed", LIMIT).await?;
    ensure!(page.contains("holds its step, with 10 % on the new side"), "{page}");
    ensure!(page.contains("alarm decided-sick: ALARM") && page.contains("To go on in spite of it:"), "{page}");
    let token = ground.approval_token(LIMIT).await?;
    set_alarm(&ground, "decided", "OK").await?;
    let answer = json!({ "by": "Ada", "why": "it was the test's own load" }).to_string();
    ground.client.call("stepfunctions", "send_task_success", json!({ "taskToken": token, "output": answer })).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let output: Value = serde_json::from_str(end["output"].as_str().context("an output")?)?;
    let decision = &output["decisions"][0];
    ensure!(decision["by"] == "Ada" && decision["new_weight"] == 10, "{decision}");
    ensure!(decision["in_spite_of"].as_str().is_some_and(|why| why.contains("decided-sick")), "{decision}");
    Ok(())
}

async fn silence_after_a_failed_check_takes_the_run_back() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let plan = watching("undecided", json!({ "on_failure": "hold", "hold_limit": "10s" }));
    let stage = ground.stage(&plan, json!({})).await?;
    set_alarm(&ground, "undecided", "OK").await?;
    let before = ground.account().await?;
    let run_id = failing(&ground, &stage.plan, "undecided").await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    let cause = end["cause"].as_str().context("a cause")?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {cause}", end["error"]);
    ensure!(cause.contains("alarm undecided-sick: ALARM; held for a decision: nobody answered within 10 s"), "{cause}");
    set_alarm(&ground, "undecided", "OK").await?;
    ensure_same(&before["elbv2"], &ground.account().await?["elbv2"])
}

async fn where_the_plan_says_page_a_new_side_that_fails_before_cleanup_is_told_once_and_kept() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = watching("paged", json!({ "until_cleanup": { "interval": "2m", "on_failure": "page" } }));
    plan["cleanup"] = json!({ "after": "1h", "delete_old_target_group": true });
    let stage = ground.stage(&plan, json!({})).await?;
    set_alarm(&ground, "paged", "OK").await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_phase(&run_id, "finished", LIMIT).await?;
    let finished = ground.account().await?["elbv2"].clone();
    set_alarm(&ground, "paged", "ALARM").await?;
    let page = ground.page("ACTION NEEDED: cutover of paged: trouble", LIMIT).await?;
    ensure!(page.contains("alarm paged-sick: ALARM") && page.contains("this rolls the cutover back:"), "{page}");
    ensure_same(&finished, &ground.account().await?["elbv2"])?;
    ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
    let times = told(&ground, "trouble").await?;
    ensure!(times == 1, "told {times} times");
    // The plan asks to delete the old group, and people may want the way back.
    ensure_same(&finished, &ground.account().await?["elbv2"])?;
    ground.ensure_rollbacks(0, LIMIT).await
}

/// It fails, and nobody waits for it.
async fn evidence_is_collected_as_a_rollback_begins_and_cannot_hold_it_up() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = watching("evidence", json!({}));
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:evidence-collect";
    plan["hooks"] = json!({ "on_rollback": [{ "function_arn": arn }] });
    let stage = ground.stage(&plan, json!({ "hooks": { arn: { "fail": true } } })).await?;
    let run_id = failing(&ground, &stage.plan, "evidence").await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {}", end["error"], end["cause"]);
    let called = wait_for("the hook", LIMIT, async || {
        let invocations = ground.client.invocations().await?;
        Ok(invocations.into_iter().find(|one| one.hook && one.function == "evidence-collect"))
    });
    called.await?;
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_failed_check_is_held_for_a_person_who_lets_the_run_go_on,
        silence_after_a_failed_check_takes_the_run_back,
        where_the_plan_says_page_a_new_side_that_fails_before_cleanup_is_told_once_and_kept,
        evidence_is_collected_as_a_rollback_begins_and_cannot_hold_it_up,
    ]
}
