//! How a run is, told while it goes on and when it is over: pages in the bucket of reports, written by what happens and by a schedule that really
//! fires, and answers to whoever asks.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use cutover_tests::stage::Stage;
use cutover_tests::{follow, left};
use serde_json::{Value, json};

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
const FUNCTION: &str = "cutover-status-report";

fn steps() -> Value {
    json!([{ "new_weight": 10, "hold": "2h" }, { "new_weight": 100, "hold": "10m" }])
}

/// An account whose moments are heard, and in which no schedule fires unless a test wants that.
async fn ground() -> Result<Ground> {
    let ground = Ground::telling(SPEED, json!([])).await?;
    ground.client.set_events(json!({ "sweep": false })).await?;
    Ok(ground)
}

async fn ask(ground: &Ground, request: Value) -> Result<Value> {
    let parameters = json!({ "FunctionName": FUNCTION, "Payload": request.to_string() });
    let answer = ground.client.call("lambda", "invoke", parameters).await?;
    serde_json::from_str(answer["Payload"].as_str().unwrap_or_default()).with_context(|| format!("no JSON: {answer}"))
}

/// What the page of an application was made from.
async fn stored(ground: &Ground, page: &str) -> Result<Option<Value>> {
    let text = left::object(&ground.client, &format!("status/{page}.json")).await?;
    text.map(|text| serde_json::from_str(&text).context("a status that is no JSON")).transpose()
}

/// Waits until a page tells of this.
async fn wait_for_standing(ground: &Ground, page: &str, standing: &str) -> Result<Value> {
    let look = async || Ok(stored(ground, page).await?.filter(|status| status["standing"] == standing));
    wait_for(&format!("{page} {standing}"), LIMIT, look).await
}

/// The page of all runs, once it is so: it is written after a run's own.
async fn index_that(ground: &Ground, is: impl Fn(&Value) -> bool) -> Result<Value> {
    let look = async || Ok(stored(ground, "index").await?.filter(&is));
    let found = wait_for("the page of all runs to follow", LIMIT, look).await;
    match found {
        Ok(index) => Ok(index),
        Err(error) => Err(error.context(format!("it is {:#}", stored(ground, "index").await?.unwrap_or_default()))),
    }
}

/// What belongs to every page, once it says this: it is written after what it was made from.
async fn ensure_page(ground: &Ground, page: &str, expected: &[&str]) -> Result<String> {
    let look = async || {
        let html = left::object(&ground.client, &format!("status/{page}.html")).await?;
        Ok(html.filter(|html| expected.iter().all(|text| html.contains(text))))
    };
    let html = wait_for(&format!("{page} that says {expected:?}"), LIMIT, look).await?;
    let is_small = html.len() < 60_000 && !html.contains("<script") && !html.contains("url(");
    ensure!(is_small, "{} bytes:\n{html}", html.len());
    ensure!(html.contains("Written "), "it does not say when it was written:\n{html}");
    Ok(html)
}

async fn quiet(ground: &Ground, name: &str, change: impl Fn(&mut Value)) -> Result<Stage> {
    let mut stage = ground.quiet_stage(&listener_plan(name, steps()), json!({})).await?;
    stage.plan["cleanup"] = json!({ "after": "10d" });
    stage.plan["monitoring"] = json!({ "interval": "5m" });
    change(&mut stage.plan);
    Ok(stage)
}

async fn a_run_is_told_of_while_it_is_held_and_when_all_has_moved() -> Result<()> {
    let ground = ground().await?;
    let stage = quiet(&ground, "told", |_| ()).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_entries(&run_id, "HoldWait", 2, LIMIT).await?;
    // Nothing moves on while it is looked at, however slow this machine is.
    ground.client.set_speed(1.0).await?;
    let answer = ask(&ground, json!({ "application": "told" })).await?;
    let status = &answer["status"];
    ensure!(status["standing"] == "running" && status["run_id"] == run_id, "{answer:#}");
    let [planned, done] = ["planned_seconds", "done_seconds"].map(|field| status["work"][field].as_u64());
    ensure!(planned == Some(7800) && done.is_some_and(|done| (1..7800).contains(&done)), "{:#}", status["work"]);
    let activity = status["activity"].as_str().unwrap_or_default();
    ensure!(activity.contains("on the new side, under watch"), "{activity}");
    ensure!(status["risk"]["level"] == "low", "{:#}", status["risk"]);
    ensure!(status["milestones"].as_array().is_some_and(|all| all.len() == 4), "{:#}", status["milestones"]);
    ensure!(
        answer["link"].as_str().is_some_and(|link| link.ends_with("prefix=status/applications/told.html")),
        "{answer:#}"
    );
    for format in ["summary", "detailed", "technical"] {
        ensure!(answer[format].as_str().is_some_and(|text| text.contains("Cutover of told: running")), "{answer:#}");
    }
    ensure_page(&ground, "applications/told", &["Running", "http-equiv=\"refresh\"", "this page is stale"]).await?;
    ground.client.set_speed(SPEED).await?;

    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    // By what happened alone: nobody asks.
    let status = wait_for_standing(&ground, "applications/told", "watched").await?;
    ensure!(status["work"]["percent"] == 100 && status["routes"][0]["new_weight_percent"] == 100, "{status:#}");
    let is_reached = |one: &Value| one["reached_at"].is_string();
    let milestones = status["milestones"].as_array().context("milestones")?;
    ensure!(milestones.iter().take(3).all(is_reached), "{milestones:#?}");
    let index = index_that(&ground, |index| index["counts"]["done"] == 1).await?;
    ensure!(index["counts"]["done"] == 1 && index["runs"][0]["application"] == "told", "{index:#}");
    ensure_page(&ground, "index", &["told.html", "done, watched"]).await?;

    let close = ground.start("cleanup", "close", &json!({ "application": "told", "now": true })).await?;
    ground.end_of(&close, LIMIT).await?;
    wait_for_standing(&ground, "applications/told", "closed").await?;
    let last = ensure_page(&ground, "applications/told", &["This is the last page of this run."]).await?;
    ensure!(!last.contains("http-equiv=\"refresh\"") && !last.contains("<h2>Risk"), "{last}");
    let index = index_that(&ground, |index| index["open"] == 0 && index["next_at"].is_null()).await?;
    ensure!(index["open"] == 0 && index["next_at"].is_null(), "{index:#}");
    Ok(())
}

async fn a_run_that_goes_back_is_told_of_with_its_recovery_time() -> Result<()> {
    let ground = ground().await?;
    let stage = quiet(&ground, "returned", |_| ()).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    follow::stop(&ground.client, &run_id).await?;
    let status = wait_for_standing(&ground, "applications/returned", "rolled_back").await?;
    ensure!(status["recovery"]["recovery_seconds"].is_u64() && status["recovery"]["attempts"] == 1, "{status:#}");
    ensure!(status["recovery"]["objective_seconds"].is_null() && status["recovery"]["is_met"].is_null(), "{status:#}");
    ensure!(status["work"].is_null() && status["risk"].is_null(), "{status:#}");
    ensure!(status["routes"][0]["new_weight_percent"] == 0, "{status:#}");
    ensure_page(&ground, "applications/returned", &["Rolled back", "Recovery time", "no objective is set"]).await?;
    Ok(())
}

async fn a_run_that_waits_for_people_says_for_what_and_until_when() -> Result<()> {
    let ground = ground().await?;
    let topic = json!({ "within": "2h", "topic_arn": listener_plan("asked", json!([]))["notify"]["topic_arn"] });
    let stage = quiet(&ground, "asked", |plan| {
        plan["approval"] = topic.clone();
        plan["monitoring"] =
            json!({ "interval": "60s", "alarms": ["asked-sick"], "on_failure": "hold", "hold_limit": "3h" });
    })
    .await?;
    set_alarm(&ground, "OK").await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let token = ground.approval_token(LIMIT).await?;
    // It is not in the journal yet.
    let status = wait_for_standing(&ground, "applications/asked", "waits_for_approval").await?;
    ensure!(status["phase"].is_null() && status["risk"]["level"] == "medium", "{status:#}");
    ensure!(status["milestones"].to_string().contains("an answer: silence counts as a no"), "{status:#}");
    let all = ask(&ground, json!({})).await?;
    ensure!(all["portfolio"]["counts"]["waiting"] == 1, "{all:#}");
    let answer =
        |token: &str| json!({ "taskToken": token, "output": json!({ "by": "Ada", "why": "ready" }).to_string() });
    ground.client.call("stepfunctions", "send_task_success", answer(&token)).await?;

    ground.wait_for_state(&run_id, "Monitor", LIMIT).await?;
    set_alarm(&ground, "ALARM").await?;
    let status = wait_for_standing(&ground, "applications/asked", "waits_for_decision").await?;
    ensure!(status["risk"]["level"] == "high", "{:#}", status["risk"]);
    let issues = status["issues"].to_string();
    ensure!(issues.contains("asked-sick") && issues.contains("\\\"Ada\\\""), "{issues}");
    ensure_page(&ground, "applications/asked", &["Waits for a decision", "go on, or back?"]).await?;
    follow::stop(&ground.client, &run_id).await
}

async fn set_alarm(ground: &Ground, state: &str) -> Result<()> {
    let alarm = json!({ "AlarmName": "asked-sick", "Namespace": "Shop", "MetricName": "Trouble", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold" });
    ground.client.call("cloudwatch", "put_metric_alarm", alarm).await?;
    let state = json!({ "AlarmName": "asked-sick", "StateValue": state, "StateReason": "set by the test" });
    ground.client.call("cloudwatch", "set_alarm_state", state).await.map(drop)
}

async fn a_run_that_is_stuck_is_critical_and_says_what_is_left() -> Result<()> {
    let ground = ground().await?;
    let stage = quiet(&ground, "wedged", |_| ()).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    let route = &stage.plan["routes"][0];
    let group = |side: &str, weight: i32| json!({ "TargetGroupArn": route[side], "Weight": weight });
    let weights = json!([group("old_target_group_arn", 37), group("new_target_group_arn", 63)]);
    let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": weights } }]);
    let modify = json!({ "ListenerArn": route["listener_arn"], "DefaultActions": actions });
    ground.client.call("elbv2", "modify_listener", modify).await?;
    follow::stop(&ground.client, &run_id).await?;
    let status = wait_for_standing(&ground, "applications/wedged", "stuck").await?;
    ensure!(status["risk"]["level"] == "critical", "{:#}", status["risk"]);
    ensure!(
        status["issues"][0]["about"] == "stuck" && status["issues"][0]["text"].to_string().contains("Drift"),
        "{status:#}"
    );
    ensure_page(&ground, "applications/wedged", &["Stuck", "left to do", "critical"]).await?;
    let index = index_that(&ground, |index| index["counts"]["stuck"] == 1).await?;
    ensure!(index["counts"]["stuck"] == 1 && index["risk"] == "critical", "{index:#}");

    let release = json!({ "application": "wedged", "release": "Ada: agreed with Bob" });
    let release = ground.start("cleanup", "release", &release).await?;
    ground.end_of(&release, LIMIT).await?;
    let status = wait_for_standing(&ground, "applications/wedged", "released").await?;
    let [route, recovery] = [&status["routes"][0], &status["recovery"]];
    ensure!(route["live"].is_string() && route["new_weight_percent"].is_null(), "{status:#}");
    ensure!(recovery["attempts"] == 1 && recovery["recovery_seconds"].is_null(), "{status:#}");
    let says = ["Released", "left to do", "&quot;Ada: agreed with Bob&quot;", "when the rollback ended"];
    let page = ensure_page(&ground, "applications/wedged", &says).await?;
    ensure!(!page.contains("so far"), "{page}");
    Ok(())
}

/// Precheck tries the new side for hours, and nobody is told of a run until it is claimed.
async fn a_run_in_precheck_is_found_by_its_application() -> Result<()> {
    let ground = ground().await?;
    let stage = quiet(&ground, "slow", |plan| {
        plan["health_check"] = json!({ "url": "http://127.0.0.1:9/", "attempts": 10, "interval": "20m" });
    })
    .await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "PrecheckWait", LIMIT).await?;
    let answer = ask(&ground, json!({ "application": "slow" })).await?;
    ensure!(answer["status"]["standing"] == "checking" && answer["status"]["run_id"] == run_id, "{answer:#}");
    ensure_page(&ground, "applications/slow", &["Checking", "nothing is touched"]).await?;
    follow::stop(&ground.client, &run_id).await
}

/// Nobody hears what happens here: the schedule alone writes.
async fn the_schedule_fires_and_does_next_to_nothing_where_nothing_is_open() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    // Longer than the schedule takes on a busy machine.
    let stage = quiet(&ground, "clocked", |plan| {
        plan["routes"][0]["steps"][0]["hold"] = json!("6d");
        plan["timeout"] = json!("7d");
        plan["monitoring"] = json!({ "interval": "1h" });
    })
    .await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let status = wait_for_standing(&ground, "applications/clocked", "running").await?;
    ensure!(status["run_id"] == run_id, "{status:#}");
    follow::stop(&ground.client, &run_id).await?;
    // The run has ended, and its last page is written all the same.
    wait_for_standing(&ground, "applications/clocked", "rolled_back").await?;
    wait_for("the page of all runs", LIMIT, async || {
        Ok(stored(&ground, "index").await?.filter(|index| index["open"] == 0))
    })
    .await?;
    let mine = async || -> Result<Vec<String>> {
        let requests = ground.client.requests(0).await?;
        let mine = requests.into_iter().filter(|request| request.caller == "status-report");
        Ok(mine.map(|request| request.operation).collect())
    };
    ground.client.set_events(json!({ "sweep": false })).await?;
    let before = mine().await?.len();
    let nothing = ask(&ground, json!({ "scheduled": true })).await?;
    ensure!(nothing["link"].is_null() && nothing["portfolio"].is_null(), "{nothing:#}");
    let made = mine().await?.split_off(before);
    ensure!(made == ["Query", "ListExecutions", "ListObjectsV2", "GetObject"], "{made:?}");
    Ok(())
}

async fn what_a_person_asks_wrongly_says_what_to_write() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    for (request, expected) in [
        (json!({ "application": "nobody" }), "there is no run of an application \\\"nobody\\\""),
        (json!({ "app": "nobody" }), "did you mean `application`?"),
        (json!({ "run_id": "nobody" }), "write the ARN of the cutover's execution"),
        (json!({ "run_id": ground.execution("cutover", "nobody") }), "there is no run"),
    ] {
        let answer = ask(&ground, request.clone()).await?.to_string();
        ensure!(answer.contains("Cutover.InvalidGesture"), "{request}: {answer}");
        let plain = expected.replace("\\\"", "\"");
        ensure!(answer.contains(expected) || answer.contains(&plain), "{request}: {answer}");
    }
    let all = ask(&ground, json!({})).await?;
    ensure!(all["portfolio"]["open"] == 0 && all["summary"].to_string().contains("No cutover is open"), "{all:#}");
    ensure_page(&ground, "index", &["No run is open", "It is written again when a run begins."]).await.map(drop)
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_run_is_told_of_while_it_is_held_and_when_all_has_moved,
        a_run_that_goes_back_is_told_of_with_its_recovery_time,
        a_run_that_waits_for_people_says_for_what_and_until_when,
        a_run_that_is_stuck_is_critical_and_says_what_is_left,
        a_run_in_precheck_is_found_by_its_application,
        the_schedule_fires_and_does_next_to_nothing_where_nothing_is_open,
        what_a_person_asks_wrongly_says_what_to_write,
    ]
}
