//! Incidents: a rollback opens one by itself, those who respond are called until somebody looks after it, the others hear of it, and its end goes to
//! whoever heard its beginning; read back from the emulated SES. How often each is told, to the second, is the crate's own test.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// Two minutes between two calls are a second.
const SPEED: f64 = 120.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);

const BOARD: &str = "board@example.com";
const ON_CALL: &str = "oncall@example.com";
const LEADS: &str = "leads@example.com";

fn groups() -> Value {
    let group = |name: &str, to: &str, responds: u8| {
        let channels = json!([{ "type": "mail", "to": [to] }]);
        json!({ "name": name, "channels": channels, "moments": ["incident"], "responds": responds })
    };
    json!([group("executives", BOARD, 0), group("technical-teams", ON_CALL, 1), group("leads", LEADS, 2)])
}

/// The subjects of the mails to an address, in order, without what they have in common: `critical, identified`.
async fn heard(ground: &Ground, to: &str) -> Result<Vec<String>> {
    let mails = ground.client.mails().await?;
    let theirs = mails.iter().filter(|mail| mail["to"] == json!([to]));
    let last =
        |mail: &Value| mail["subject"].as_str().and_then(|subject| subject.rsplit(": ").next().map(str::to_owned));
    Ok(theirs.filter_map(last).collect())
}

async fn wait_to_hear(ground: &Ground, to: &str, what: &str) -> Result<()> {
    let look = async || Ok(heard(ground, to).await?.iter().any(|one| one == what).then_some(()));
    wait_for(&format!("`{what}` to {to}"), LIMIT, look).await
}

/// The incident's id, as a message to those who respond has it.
async fn id(ground: &Ground) -> Result<String> {
    let mails = ground.client.mails().await?;
    let subjects = mails.iter().filter_map(|mail| mail["subject"].as_str());
    let id = subjects.filter_map(|subject| subject.strip_prefix("Incident ")?.split(':').next()).next_back();
    Ok(id.context("no mail of an incident")?.to_owned())
}

/// A person says something of it.
async fn say(ground: &Ground, name: &str, input: &Value) -> Result<Value> {
    let execution = ground.start("incident", name, input).await?;
    ground.end_of(&execution, LIMIT).await
}

/// The execution that follows an incident which a rollback has opened, and how it ended.
async fn ensure_over(ground: &Ground) -> Result<()> {
    let over = async || {
        let executions = ground.executions("incident").await?;
        let running = executions.iter().filter(|execution| execution["status"] == "RUNNING").count();
        Ok((running == 0).then_some(executions))
    };
    let executions = wait_for("no incident is followed any more", LIMIT, over).await?;
    ensure!(executions.iter().all(|execution| execution["status"] == "SUCCEEDED"), "{executions:?}");
    Ok(())
}

/// A run that is held at 50 %, whose listener somebody else then changes: it is stuck.
async fn stuck(ground: &Ground, application: &str) -> Result<String> {
    let plan = listener_plan(application, json!([{ "new_weight": 50, "hold": "60m" }, { "new_weight": 100 }]));
    let stage = ground.stage(&plan, json!({})).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    let route = &stage.plan["routes"][0];
    let group = |arn: &Value, weight: i32| json!({ "TargetGroupArn": arn, "Weight": weight });
    let groups = json!([group(&route["old_target_group_arn"], 37), group(&route["new_target_group_arn"], 63)]);
    let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
    let parameters = json!({ "ListenerArn": route["listener_arn"], "DefaultActions": actions });
    ground.client.call("elbv2", "modify_listener", parameters).await?;
    ground.wait_for_phase(&run_id, "stuck", LIMIT).await?;
    Ok(run_id)
}

async fn a_stuck_run_calls_level_by_level_until_somebody_looks_after_it() -> Result<()> {
    let ground = Ground::telling(SPEED, groups()).await?;
    stuck(&ground, "stuck").await?;
    wait_to_hear(&ground, ON_CALL, "critical, identified").await?;
    wait_to_hear(&ground, LEADS, "nobody looks after it").await?;
    let id = id(&ground).await?;
    let acknowledged =
        say(&ground, "ack", &json!({ "incident": id, "acknowledge": { "by": "Ada", "text": "on it" } })).await?;
    ensure!(acknowledged["status"] == "SUCCEEDED", "{acknowledged}");
    let said = async || {
        let mails = ground.client.mails().await?;
        let text = |mail: &Value| mail["text"].as_str().unwrap_or_default().contains("Looked after by: \"Ada\"");
        Ok((mails.iter().filter(|mail| text(mail)).count() >= 3).then_some(mails.len()))
    };
    let told = wait_for("everybody to hear who looks after it", LIMIT, said).await?;
    // For some of what would have been repeats, nobody is called.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let after = ground.client.mails().await?.len();
    ensure!(after == told, "{} messages although somebody looks after it", after - told);
    let resolved = json!({ "incident": id, "resolve": { "by": "Ada", "text": "put back by hand" } });
    ensure!(say(&ground, "resolve", &resolved).await?["status"] == "SUCCEEDED", "not resolved");
    for to in [BOARD, ON_CALL, LEADS] {
        wait_to_hear(&ground, to, "resolved").await?;
    }
    let board = heard(&ground, BOARD).await?;
    ensure!(!board.iter().any(|one| one == "nobody looks after it"), "the board is no pager: {board:?}");
    ensure_over(&ground).await
}

async fn a_rollback_that_puts_everything_back_ends_its_incident() -> Result<()> {
    let ground = Ground::telling(SPEED, groups()).await?;
    let plan = listener_plan("back", json!([{ "new_weight": 50, "hold": "60m" }, { "new_weight": 100 }]));
    let stage = ground.stage(&plan, json!({})).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    cutover_tests::follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_over(&ground).await?;
    // One that is over at once has called nobody; whoever was called hears the end.
    for to in [BOARD, ON_CALL, LEADS] {
        let heard = heard(&ground, to).await?;
        ensure!(heard.last().is_none_or(|last| last == "resolved"), "{to} heard {heard:?}");
        ensure!(to != LEADS || heard.is_empty(), "a rollback that went well calls no second level: {heard:?}");
    }
    Ok(())
}

async fn one_that_a_person_opens_outlives_the_execution_that_follows_it() -> Result<()> {
    let ground = Ground::telling(SPEED, groups()).await?;
    let open = json!({ "open": { "severity": "high", "title": "Logins <b>fail</b>", "by": "Ada", "impact": "about one in ten" } });
    let first = ground.start("incident", "opened", &open).await?;
    wait_to_hear(&ground, ON_CALL, "high, investigating").await?;
    wait_to_hear(&ground, BOARD, "high, investigating").await?;
    cutover_tests::follow::stop(&ground.client, &first).await?;
    let followed = async || {
        let executions = ground.executions("incident").await?;
        Ok(executions.iter().any(|execution| execution["status"] == "RUNNING").then_some(()))
    };
    wait_for("another execution to follow it", LIMIT, followed).await?;
    let id = id(&ground).await?;
    ensure!(
        say(&ground, "over", &json!({ "incident": id, "resolve": { "by": "Ada" } })).await?["status"] == "SUCCEEDED",
        "not resolved"
    );
    wait_to_hear(&ground, ON_CALL, "resolved").await?;
    wait_to_hear(&ground, BOARD, "resolved").await?;
    let beginnings = heard(&ground, BOARD).await?.iter().filter(|one| *one == "high, investigating").count();
    ensure!(beginnings == 1, "the board heard the beginning {beginnings} times");
    Ok(())
}

async fn what_a_person_gets_wrong_is_said_with_the_fix() -> Result<()> {
    let ground = Ground::telling(SPEED, groups()).await?;
    for (name, input, problem) in [
        ("nothing", json!({}), "should be one of these"),
        (
            "unknown",
            json!({ "incident": "i-000000000000", "resolve": { "by": "Ada" } }),
            "there is no incident i-000000000000",
        ),
        (
            "field",
            json!({ "open": { "severity": "high", "titel": "x", "by": "Ada" } }),
            "$.open.titel is not a field here",
        ),
        (
            "nobody",
            json!({ "incident": "i-000000000000", "acknowledge": { "by": "YOUR NAME" } }),
            "acknowledge.by should say who you are",
        ),
    ] {
        let end = say(&ground, name, &input).await?;
        let cause = end["cause"].as_str().unwrap_or_default();
        ensure!(
            end["error"] == "Cutover.InvalidGesture" && cause.contains(problem),
            "{name}: {} {cause}",
            end["error"]
        );
    }
    ensure!(ground.client.mails().await?.is_empty(), "somebody was told of nothing");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_stuck_run_calls_level_by_level_until_somebody_looks_after_it,
        a_rollback_that_puts_everything_back_ends_its_incident,
        one_that_a_person_opens_outlives_the_execution_that_follows_it,
        what_a_person_gets_wrong_is_said_with_the_fix,
    ]
}
