//! Rollback from every side: stopped, timed out, crashed, asked for by a person, started twice, stopped itself, met by a
//! function that outlives its run, met by somebody else's change. The account is dumped from outside the product.

use std::time::Duration;

use crate::guards;
use crate::harness::{Test, asynchronous};
use crate::support::{self, Ground, definition, dns_plan, ensure_same, listener_plan};
use anyhow::{Context, Result, ensure};
use cutover_tests::control::Request;
use cutover_tests::stage::Stage;
use serde_json::{Value, json};

const SPEED: f64 = 120.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);

/// A run that is held at 50 %, with the account from before it.
pub struct Held {
    pub ground: Ground,
    pub stage: Stage,
    before: Value,
    pub run_id: String,
}

impl Held {
    pub async fn new(plan: Value) -> Result<Self> {
        Self::at(plan, SPEED).await
    }

    async fn at(plan: Value, speed: f64) -> Result<Self> {
        let ground = Ground::new(speed).await?;
        let stage = ground.stage(&plan, json!({})).await?;
        let before = ground.account().await?;
        let run_id = ground.start("cutover", "run", &stage.plan).await?;
        ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
        Ok(Self { ground, stage, before, run_id })
    }

    pub async fn stop(&self) -> Result<()> {
        cutover_tests::follow::stop(&self.ground.client, &self.run_id).await
    }

    pub async fn ensure_rolled_back(&self) -> Result<()> {
        self.ground.wait_for_phase(&self.run_id, "rolled_back", LIMIT).await?;
        ensure_same(&self.before, &self.ground.account().await?)?;
        self.ground.ensure_no_locks(&self.run_id).await
    }

    fn application(&self) -> Value {
        json!({ "application": self.stage.plan["application"] })
    }

    /// Somebody else's change.
    pub async fn set_weights(&self, old: i32, new: i32) -> Result<()> {
        let route = &self.stage.plan["routes"][0];
        let group = |arn: &Value, weight: i32| json!({ "TargetGroupArn": arn, "Weight": weight });
        let groups = json!([group(&route["old_target_group_arn"], old), group(&route["new_target_group_arn"], new)]);
        let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
        let parameters = json!({ "ListenerArn": route["listener_arn"], "DefaultActions": actions });
        self.ground.client.call("elbv2", "modify_listener", parameters).await.map(drop)
    }
}

pub fn half(application: &str) -> Value {
    listener_plan(application, json!([{ "new_weight": 50, "hold": "60m" }, { "new_weight": 100 }]))
}

pub fn output(description: &Value) -> Result<Value> {
    Ok(serde_json::from_str(description["output"].as_str().unwrap_or("null"))?)
}

async fn a_stopped_execution_is_rolled_back_by_its_status_event() -> Result<()> {
    let held = Held::new(half("stopped")).await?;
    held.ground.client.set_events(json!({ "sweep": false })).await?;
    held.stop().await?;
    held.ensure_rolled_back().await?;
    held.ground.ensure_rollbacks(1, LIMIT).await
}

async fn a_lost_status_event_is_made_up_for_by_the_sweep() -> Result<()> {
    let held = Held::new(half("lost-event")).await?;
    // No sweep looks before it is all as it has to be.
    held.ground.client.set_events(json!({ "status_events": false, "sweep": false })).await?;
    held.stop().await?;
    // Right after the first sweep has seen it in the index, the run is somebody's: that sweep leaves it alone.
    let taken = json!({
        "TableName": held.ground.emulator.ready().journal_table,
        "Key": { "pk": { "S": format!("run#{}", held.run_id) } },
        "UpdateExpression": "SET #owner = :somebody",
        "ExpressionAttributeNames": { "#owner": "owner" },
        "ExpressionAttributeValues": { ":somebody": { "S": held.ground.execution("rollback", "somebody") } },
    });
    let just_then = json!({
        "match": { "caller": "sweep", "operation": "DescribeExecution" }, "do": "call",
        "call": { "service": "dynamodb", "operation": "update_item", "parameters": taken },
    });
    held.ground.client.set_faults(json!([just_then])).await?;
    held.ground.client.set_events(json!({ "status_events": false, "sweep": true })).await?;
    held.ensure_rolled_back().await?;
    let requests = held.ground.client.requests(0).await?;
    let mut sweeps = requests.iter().filter(|request| request.caller == "sweep");
    sweeps.find(|request| request.fault.as_deref() == Some("call")).context("the sweep did not look")?;
    let rest: Vec<&str> =
        sweeps.map(|request| request.operation.as_str()).take_while(|next| *next != "Query").collect();
    ensure!(rest.first() == Some(&"GetItem"), "it was not read again: {rest:?}");
    ensure!(!rest.contains(&"StartExecution"), "a run that is somebody's again, and the sweep starts {rest:?}");
    held.ground.ensure_rollbacks(1, LIMIT).await
}

async fn a_run_that_cannot_be_read_does_not_keep_the_sweep_from_the_others() -> Result<()> {
    let held = Held::new(half("beside-unreadable")).await?;
    held.ground.client.set_events(json!({ "status_events": false })).await?;
    // The index answers in no order that a test could rely on: one of these comes before the run.
    for key in 0..8 {
        let item = json!({ "pk": { "S": format!("run#unreadable-{key}") }, "open": { "S": "yes" } });
        let put = json!({ "TableName": held.ground.emulator.ready().journal_table, "Item": item });
        held.ground.client.call("dynamodb", "put_item", put).await?;
    }
    held.stop().await?;
    held.ensure_rolled_back().await
}

async fn a_rollback_that_is_stopped_is_taken_over() -> Result<()> {
    let held = Held::new(half("stopped-rollback")).await?;
    let rollback = held.ground.start("rollback", "by-hand", &held.application()).await?;
    held.ground.wait_for_state(&rollback, "WaitForLateWriters", LIMIT).await?;
    cutover_tests::follow::stop(&held.ground.client, &rollback).await?;
    held.ensure_rolled_back().await?;
    let run = held.ground.run(&held.run_id).await?.context("the run")?;
    ensure!(run["owner"]["S"] != rollback.as_str(), "the stopped rollback still owns the run");
    Ok(())
}

/// What the cutover marks right before the rollback takes its run over: resume is owed.
async fn a_mark_that_comes_right_before_the_takeover_counts() -> Result<()> {
    let mut plan = half("late-mark");
    plan["hooks"] = hooks("late-mark", "60s");
    let held = Held::new(plan).await?;
    // The cutover has marked its run before it was held: as if it had not, until the takeover.
    set_quiesced(&held, false).await?;
    let mark = quiesced_update(&held, true);
    let just_then = json!({
        "match": { "caller": "rollback", "operation": "TransactWriteItems" }, "times": 1, "do": "call",
        "call": { "service": "dynamodb", "operation": "update_item", "parameters": mark },
    });
    held.ground.client.set_faults(json!([just_then])).await?;
    held.stop().await?;
    held.ensure_rolled_back().await?;
    ensure!(invoked(&held.ground, "ResumeHook").await? > 0, "the writers were not resumed");
    Ok(())
}

/// Hooks that stop the old side's writers, and let them write again.
fn hooks(application: &str, timeout: &str) -> Value {
    let hook = |name: &str| {
        let arn = format!("arn:aws:lambda:eu-west-1:123456789012:function:{application}-{name}");
        json!([{ "function_arn": arn, "timeout": timeout }])
    };
    json!({ "quiesce": hook("pause"), "resume": hook("resume") })
}

fn quiesced_update(held: &Held, quiesced: bool) -> Value {
    json!({
        "TableName": held.ground.emulator.ready().journal_table,
        "Key": { "pk": { "S": format!("run#{}", held.run_id) } },
        "UpdateExpression": "SET quiesced = :quiesced",
        "ExpressionAttributeValues": { ":quiesced": { "BOOL": quiesced } },
    })
}

async fn set_quiesced(held: &Held, quiesced: bool) -> Result<()> {
    held.ground.client.call("dynamodb", "update_item", quiesced_update(held, quiesced)).await.map(drop)
}

/// How often a state has invoked what it invokes.
async fn invoked(ground: &Ground, state: &str) -> Result<usize> {
    let requests = ground.client.requests(0).await?;
    let is_its = |request: &&Request| request.caller == "states" && request.state.as_deref() == Some(state);
    Ok(requests.iter().filter(is_its).count())
}

async fn of_two_rollbacks_at_once_one_acts() -> Result<()> {
    let held = Held::new(half("two-rollbacks")).await?;
    let input = held.application();
    let one = held.ground.start("rollback", "one", &input).await?;
    let other = held.ground.start("rollback", "other", &input).await?;
    let ends = [held.ground.end_of(&one, LIMIT).await?, held.ground.end_of(&other, LIMIT).await?];
    let endings = ends.iter().map(|end| Ok(output(end)?["ending"].clone())).collect::<Result<Vec<_>>>();
    let mut endings: Vec<String> =
        endings?.iter().map(|ending| ending.as_str().unwrap_or_default().to_owned()).collect();
    endings.sort();
    // The loser of the condition may also end fenced, without an output.
    ensure!(endings.iter().filter(|ending| *ending == "RolledBack").count() == 1, "{endings:?}");
    held.ensure_rolled_back().await?;
    let end = held.ground.end_of(&held.run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "the cutover itself ended {}", end["error"]);
    Ok(())
}

async fn a_refused_second_start_leaves_the_first_run_alone() -> Result<()> {
    let plan = listener_plan("twice", json!([{ "new_weight": 50, "hold": "5m" }, { "new_weight": 100 }]));
    let held = Held::new(plan).await?;
    let second = held.ground.start("cutover", "second", &held.stage.plan).await?;
    let end = held.ground.end_of(&second, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Conflict", "the second ended {}: {}", end["error"], end["cause"]);
    ensure!(
        end["cause"].as_str().is_some_and(|cause| cause.contains(&held.run_id)),
        "names no holder: {}",
        end["cause"]
    );
    let first = held.ground.end_of(&held.run_id, LIMIT).await?;
    ensure!(first["status"] == "SUCCEEDED", "the first ended {}: {}", first["error"], first["cause"]);
    ensure!(held.ground.phase(&held.run_id).await? == "finished", "the first run is not finished");
    Ok(())
}

async fn a_finished_run_is_rolled_back_by_a_person_and_cleanup_loses() -> Result<()> {
    let mut plan = dns_plan("changed-mind", json!([{ "new_weight": 100 }]));
    plan["cleanup"] = json!({ "after": "20m" });
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&plan, json!({})).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ensure!(ground.end_of(&run_id, LIMIT).await?["status"] == "SUCCEEDED", "the cutover did not succeed");
    let rollback = ground.start("rollback", "by-hand", &json!({ "application": "changed-mind" })).await?;
    ensure!(output(&ground.end_of(&rollback, LIMIT).await?)?["ending"] == "RolledBack", "not rolled back");
    ensure_same(&before, &ground.account().await?)?;
    ensure_lost(&ground.end_of(&only_cleanup(&ground).await?, LIMIT).await?)?;
    ensure_same(&before, &ground.account().await?)
}

/// A cleanup that found nothing to do, whatever it met.
fn ensure_lost(end: &Value) -> Result<()> {
    ensure!(
        output(end)?["ending"] == "NothingToDo",
        "cleanup did not lose: {} {} {}",
        end["error"],
        end["cause"],
        end["output"]
    );
    Ok(())
}

/// Between its look at the run and its write, a rollback takes it.
async fn a_cleanup_that_loses_the_run_as_it_takes_it_ends_quietly() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    ground.client.set_events(json!({ "sweep": false, "status_events": false })).await?;
    let stage = ground.stage(&listener_plan("lost-at-once", json!([{ "new_weight": 100 }])), json!({})).await?;
    let run_id = ground.execution("cutover", "run");
    let taken = json!({
        "TableName": ground.emulator.ready().journal_table,
        "Key": { "pk": { "S": format!("run#{run_id}") } },
        "UpdateExpression": "SET #owner = :rollback, phase = :phase",
        "ExpressionAttributeNames": { "#owner": "owner" },
        "ExpressionAttributeValues": {
            ":rollback": { "S": ground.execution("rollback", "by-hand") }, ":phase": { "S": "rolling_back" },
        },
    });
    let just_then = json!({
        "match": { "caller": "cleanup", "operation": "TransactWriteItems" }, "times": 1, "do": "call",
        "call": { "service": "dynamodb", "operation": "update_item", "parameters": taken },
    });
    ground.client.set_faults(json!([just_then])).await?;
    ground.start("cutover", "run", &stage.plan).await?;
    ensure!(ground.end_of(&run_id, LIMIT).await?["status"] == "SUCCEEDED", "the cutover did not succeed");
    ensure_lost(&ground.end_of(&only_cleanup(&ground).await?, LIMIT).await?)
}

async fn only_cleanup(ground: &Ground) -> Result<String> {
    let of_cleanup = json!({ "stateMachineArn": ground.machine("cleanup") });
    let executions = ground.client.call("stepfunctions", "list_executions", of_cleanup).await?;
    Ok(executions["executions"][0]["executionArn"].as_str().context("no cleanup was started")?.to_owned())
}

async fn early_close_removes_the_old_group_and_after_it_there_is_no_way_back() -> Result<()> {
    let mut plan = listener_plan("early-close", json!([{ "new_weight": 100 }]));
    plan["cleanup"] = json!({ "after": "240h", "delete_old_target_group": true });
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&plan, json!({})).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ensure!(ground.end_of(&run_id, LIMIT).await?["status"] == "SUCCEEDED", "the cutover did not succeed");
    let close = ground.start("cleanup", "close", &json!({ "application": "early-close", "now": true })).await?;
    let closed = output(&ground.end_of(&close, LIMIT).await?)?;
    let old = &stage.plan["routes"][0]["old_target_group_arn"];
    ensure!(closed["removals"][0]["removed"][0] == *old, "removed: {}", closed["removals"]);
    let account = ground.account().await?;
    ensure!(
        account["elbv2"]["target_groups"][old.as_str().unwrap_or_default()].is_null(),
        "the old group is still there"
    );
    ensure!(ground.phase(&run_id).await? == "closed", "the run is not closed");
    ground.ensure_no_locks(&run_id).await?;
    let rollback = ground.start("rollback", "too-late", &json!({ "run_id": run_id })).await?;
    ensure!(output(&ground.end_of(&rollback, LIMIT).await?)?["ending"] == "NothingToDo", "rolled back after cleanup");
    Ok(())
}

async fn an_old_group_that_something_else_references_is_kept() -> Result<()> {
    let mut plan = listener_plan("referenced", json!([{ "new_weight": 100 }]));
    plan["cleanup"] = json!({ "after": "0s", "delete_old_target_group": true });
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&plan, json!({})).await?;
    let route = &stage.plan["routes"][0];
    let rule = json!({
        "ListenerArn": route["listener_arn"], "Priority": 7,
        "Conditions": [{ "Field": "path-pattern", "Values": ["/old/*"] }],
        "Actions": [{ "Type": "forward", "TargetGroupArn": route["old_target_group_arn"] }],
    });
    let created = ground.client.call("elbv2", "create_rule", rule).await?;
    let mut plan = stage.plan.clone();
    plan["leaves_behind"] = json!([{ "what": created["Rules"][0]["RuleArn"], "why": "the old pages stay" }]);
    let run_id = ground.start("cutover", "run", &plan).await?;
    ensure!(ground.end_of(&run_id, LIMIT).await?["status"] == "SUCCEEDED", "the cutover did not succeed");
    ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
    let old = route["old_target_group_arn"].as_str().context("the old group")?;
    ensure!(!ground.account().await?["elbv2"]["target_groups"][old].is_null(), "a group in use was deleted");
    Ok(())
}

async fn a_change_by_somebody_else_is_not_overwritten_but_told() -> Result<()> {
    let held = Held::new(half("drift")).await?;
    held.set_weights(37, 63).await?;
    held.stop().await?;
    let page = held.ground.page("CRITICAL", LIMIT).await?;
    let listener = held.stage.plan["routes"][0]["listener_arn"].as_str().context("the listener")?;
    for needle in [listener, "drift-old", "=37", "aws elbv2 modify-listener"] {
        ensure!(page.contains(needle), "the page does not say {needle}:\n{page}");
    }
    let held_locks = held.ground.ensure_no_locks(&held.run_id).await;
    ensure!(held_locks.is_err(), "a stuck run keeps its locks");
    // The person puts the listener back by hand, and asks for the rollback again.
    let before = &held.before["elbv2"]["listeners"][listener]["DefaultActions"];
    let parameters = json!({ "ListenerArn": listener, "DefaultActions": before });
    held.ground.client.call("elbv2", "modify_listener", parameters).await?;
    held.ground.start("rollback", "again", &held.application()).await?;
    held.ensure_rolled_back().await
}

async fn a_stuck_run_is_released_by_a_person() -> Result<()> {
    let held = Held::new(half("released")).await?;
    // Somebody wants a report of a run that goes its own way: nobody is paged.
    let wanted = json!({ "application": "released", "report": "CRITICAL: all is lost" });
    let report = held.ground.start("rollback", "report", &wanted).await?;
    ensure!(held.ground.end_of(&report, LIMIT).await?["error"] == "Cutover.RollbackUnfinished", "a report was made");
    let messages = held.ground.client.messages().await?;
    ensure!(messages.iter().all(|message| !message.message.contains("all is lost")), "a healthy run was told of");
    let input = json!({ "application": "released", "release": "Ada: both sides shall serve" });
    let too_early = held.ground.start("cleanup", "too-early", &input).await?;
    let told = held.ground.end_of(&too_early, LIMIT).await?;
    ensure!(told["error"] == "Cutover.InvalidGesture", "a run that is under way: {told}");
    ensure!(told["cause"].as_str().is_some_and(|cause| cause.contains("only a stuck run is released")), "{told}");
    held.set_weights(1, 1).await?;
    held.stop().await?;
    held.ground.wait_for_phase(&held.run_id, "stuck", LIMIT).await?;
    let release = held.ground.start("cleanup", "release", &input).await?;
    ensure!(output(&held.ground.end_of(&release, LIMIT).await?)?["ending"] == "Released", "not released");
    held.ground.ensure_no_locks(&held.run_id).await
}

/// The sweep gives a run up twice, and its own message is lost each time: the look that it starts pages all the same.
async fn a_run_that_is_given_up_is_paged_each_time_though_the_sweeps_own_message_is_lost() -> Result<()> {
    let held = Held::at(half("given-up"), 600.0).await?;
    let denied = |matching: Value| json!({ "match": matching, "times": null, "do": "before", "error": "AccessDenied" });
    let lost = denied(json!({ "caller": "sweep", "operation": "Publish" }));
    let begins = denied(json!({ "caller": "rollback", "operation": "TransactWriteItems" }));
    held.ground.client.set_faults(json!([begins, lost])).await?;
    held.stop().await?;
    held.ground.wait_for_phase(&held.run_id, "stuck", LIMIT).await?;
    let looks = async |wanted: usize| {
        support::wait_for(&format!("{wanted} pages after giving up"), LIMIT, async || {
            let messages = held.ground.client.messages().await?;
            let is_look = |text: &str| text.contains("cannot go on.\nThe reason: \"the run was ");
            Ok((messages.iter().filter(|message| is_look(&message.message)).count() == wanted).then_some(()))
        })
        .await
    };
    looks(1).await?;
    // A person tries again, and that cannot be ended.
    let ends = denied(json!({ "caller": "states", "state": "WriteEnding" }));
    held.ground.client.set_faults(json!([ends, lost])).await?;
    held.ground.start("rollback", "again", &held.application()).await?;
    looks(2).await
}

async fn traffic_is_not_sent_back_to_a_sick_old_side_unless_a_person_insists() -> Result<()> {
    let held = Held::new(half("sick-old-side")).await?;
    let old = held.stage.plan["routes"][0]["old_target_group_arn"].as_str().context("the old group")?;
    held.ground.client.set_target_health(old, json!({ "*": "unhealthy" })).await?;
    held.stop().await?;
    let page = held.ground.page("ACTION NEEDED: cutover of sick-old-side is held", LIMIT).await?;
    ensure!(page.contains("targets of the old target group"), "the page does not say why:\n{page}");
    for gesture in [r#"'{"application":"sick-old-side","force":"#, r#"'{"application":"sick-old-side","release":"#] {
        ensure!(page.contains(gesture), "the page does not say how to decide, {gesture}:\n{page}");
    }
    let rollback = held.ground.executions("rollback").await?;
    ensure!(rollback.len() == 1, "a run that is held has the rollbacks {rollback:?}");
    let arn = rollback[0]["executionArn"].as_str().context("no ARN")?;
    let end = held.ground.end_of(arn, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Held", "it ended {end}");
    ensure!(held.ground.ensure_no_locks(&held.run_id).await.is_err(), "a run that is held keeps its locks");
    let insist = json!({ "application": "sick-old-side", "force": "Ada: the health check is wrong" });
    // The old side stays as it is, so that looking at it again would hold again.
    held.ground.start("rollback", "insist", &insist).await?;
    held.ground.wait_for_phase(&held.run_id, "rolled_back", LIMIT).await
}

/// Three looks at a service that does not answer take longer than a function lives, if one follows the other.
async fn a_mute_service_does_not_keep_a_rollback_from_beginning() -> Result<()> {
    let mut plan = half("mute");
    let route = plan["routes"][0].clone();
    for name in ["second", "third"] {
        let route: Value = serde_json::from_str(&route.to_string().replace("mute", name))?;
        plan["routes"].as_array_mut().context("no routes")?.push(route);
    }
    let held = Held::new(plan).await?;
    let mute = json!({
        "match": { "caller": "rollback", "operation": "DescribeListeners" }, "times": null, "do": "delay", "seconds": 15,
    });
    held.ground.client.set_faults(json!([mute])).await?;
    held.stop().await?;
    held.ensure_rolled_back().await?;
    let begins = invoked(&held.ground, "TakeOverRun").await?;
    ensure!(begins == 1, "it took {begins} tries to begin");
    Ok(())
}

/// Past the point of no return a route that cannot be seen for a while holds nothing: the hold would be final.
async fn a_look_that_passes_later_does_not_hold_a_rollback() -> Result<()> {
    let held = Held::new(half("seen-later")).await?;
    let update = json!({
        "TableName": held.ground.emulator.ready().journal_table,
        "Key": { "pk": { "S": format!("run#{}", held.run_id) } },
        "UpdateExpression": "SET past_no_return = :yes",
        "ExpressionAttributeValues": { ":yes": { "BOOL": true } },
    });
    held.ground.client.call("dynamodb", "update_item", update).await?;
    // Not the new side serves, but it cannot be seen at once.
    let route = &held.stage.plan["routes"][0];
    let before =
        &held.before["elbv2"]["listeners"][route["listener_arn"].as_str().unwrap_or_default()]["DefaultActions"];
    let parameters = json!({ "ListenerArn": route["listener_arn"], "DefaultActions": before });
    held.ground.client.call("elbv2", "modify_listener", parameters).await?;
    let throttled = json!({
        "match": { "caller": "rollback", "operation": "DescribeListeners" }, "times": 6, "do": "before", "error": "Throttling",
    });
    held.ground.client.set_faults(json!([throttled])).await?;
    held.stop().await?;
    held.ensure_rolled_back().await
}

async fn what_a_person_insists_on_outlives_the_rollback_that_was_told() -> Result<()> {
    let held = Held::new(half("insisted")).await?;
    let old = held.stage.plan["routes"][0]["old_target_group_arn"].as_str().context("the old group")?;
    held.ground.client.set_target_health(old, json!({ "*": "unhealthy" })).await?;
    // It dies before it has restored anything, so that the old side's health is looked at again.
    let slow =
        json!({ "match": { "caller": "states", "state": "RestoreListener" }, "times": 1, "do": "delay", "seconds": 8 });
    held.ground.client.set_faults(json!([slow])).await?;
    let insist = json!({ "application": "insisted", "force": "Ada: the health check is wrong" });
    let rollback = held.ground.start("rollback", "insist", &insist).await?;
    held.ground.wait_for_phase(&held.run_id, "rolling_back", LIMIT).await?;
    held.stop().await?;
    cutover_tests::follow::stop(&held.ground.client, &rollback).await?;
    held.ground.wait_for_phase(&held.run_id, "rolled_back", LIMIT).await
}

async fn the_machines_own_timeout_rolls_back() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut definition = deployed(&ground).await?;
    definition["TimeoutSeconds"] = json!(6);
    ends_rolled_back_with(ground, definition, "TIMED_OUT").await
}

async fn an_error_that_no_catch_sees_rolls_back() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut definition = deployed(&ground).await?;
    let verdict = &mut definition["States"]["MonitorVerdict"];
    verdict.as_object_mut().context("no MonitorVerdict")?.remove("Default");
    ends_rolled_back_with(ground, definition, "FAILED").await
}

/// The cutover's definition as it was deployed, its placeholders filled in.
async fn deployed(ground: &Ground) -> Result<Value> {
    let machine = json!({ "stateMachineArn": ground.machine("cutover") });
    let described = ground.client.call("stepfunctions", "describe_state_machine", machine).await?;
    Ok(serde_json::from_str(described["definition"].as_str().context("no definition")?)?)
}

/// Runs a patched definition; no Catch of it sees the end, so the rule has to.
async fn ends_rolled_back_with(ground: Ground, definition: Value, status: &str) -> Result<()> {
    let update = json!({ "stateMachineArn": ground.machine("cutover"), "definition": definition.to_string() });
    ground.emulator.spoil();
    ground.client.call("stepfunctions", "update_state_machine", update).await?;
    let stage = ground.stage(&half("uncaught"), json!({})).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == status, "ended {} {}", end["status"], end["error"]);
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)
}

async fn a_plan_past_its_deadline_rolls_back() -> Result<()> {
    // No hold takes so long, but nothing is healthy either: the only metric has no data.
    let mut plan = listener_plan("deadline", json!([{ "new_weight": 50 }, { "new_weight": 100 }]));
    plan["timeout"] = json!("3s");
    let metric = json!({ "name": "silent", "namespace": "Silent", "metric_name": "Silent", "statistic": "Sum",
        "comparison": "greater_than", "threshold": 0 });
    plan["monitoring"] = json!({ "interval": "60s", "no_data_limit": 100, "metrics": [metric] });
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&plan, json!({})).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {}", end["error"]);
    ensure!(end["cause"].as_str().is_some_and(|cause| cause.contains("Cutover.DeadlineExceeded")), "{}", end["cause"]);
    ensure_same(&before, &ground.account().await?)
}

/// A clock that is a year ahead says that the deadline is over, wherever a run waits for something: that goes back, and nowhere
/// else.
#[cfg(target_os = "linux")]
async fn a_function_with_a_wrong_clock_rolls_back() -> Result<()> {
    let ground = Ground::new(guards::SPEED).await?;
    let stage = guards::staged(&ground, &guards::everything("clock")?, json!({})).await?;
    let before = ground.account().await?;
    for state in ["CheckReplication", "DrainReplication", "Monitor", "Validate"] {
        let skew = json!({ "match": { "state": state }, "times": null, "do": "skew", "seconds": 365 * 24 * 3600 });
        ground.client.set_faults(json!([skew])).await?;
        let run_id = ground.start("cutover", state, &stage.plan).await?;
        let end = ground.end_of(&run_id, LIMIT).await?;
        let is_late = end["cause"].as_str().is_some_and(|cause| cause.contains("Cutover.DeadlineExceeded"));
        ensure!(is_late, "{state}: {} {}", end["status"], end["cause"]);
        ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
        ensure_same(&before, &ground.account().await?)?;
    }
    Ok(())
}

/// At real time, since neither function time-outs nor a lost connection scale: the write of `listener-swap` is held up
/// at the boundary until long after the execution was stopped and rollback has restored the route.
async fn a_write_that_outlives_its_run_is_undone() -> Result<()> {
    let ground = Ground::new(1.0).await?;
    let plan = listener_plan("zombie", json!([{ "new_weight": 100, "hold": "60m" }]));
    let stage = ground.stage(&plan, json!({})).await?;
    let before = ground.account().await?;
    let held_up = json!({
        "match": { "caller": "listener-swap", "operation": "ModifyListener" },
        "from": 2, "times": 1, "do": "delay", "seconds": 20,
    });
    let run_id = stopped_while_held_up(&ground, &stage.plan, &held_up).await?;
    let written_late = support::wait_for("the late write", LIMIT, async || {
        let moved = ground.account().await? != before;
        Ok((ground.phase(&run_id).await? == "rolling_back" && moved).then_some(()))
    });
    written_late.await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    ensure_same(&before, &ground.account().await?)
}

/// The same of an alarm: the client of `alarms` tries again after 4 s, when rollback has long begun, and the first try has its
/// effect later still.
async fn an_alarm_that_is_set_after_the_stop_is_put_back() -> Result<()> {
    let ground = Ground::new(1.0).await?;
    let mut plan = listener_plan("late-alarm", json!([{ "new_weight": 100 }]));
    plan["alarms"] = json!([{
        "AlarmName": "late-alarm", "Namespace": "AWS/ApplicationELB", "MetricName": "TargetResponseTime", "Statistic": "Average",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
    }]);
    let stage = ground.stage(&plan, json!({})).await?;
    let before = ground.account().await?;
    let held_up = json!({
        "match": { "caller": "alarms", "operation": "PutMetricAlarm" }, "times": 1, "do": "delay", "seconds": 15,
    });
    let run_id = stopped_while_held_up(&ground, &stage.plan, &held_up).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)
}

/// A run that is stopped as soon as the fault holds one of its requests up.
async fn stopped_while_held_up(ground: &Ground, plan: &Value, fault: &Value) -> Result<String> {
    ground.client.set_faults(json!([fault])).await?;
    let run_id = ground.start("cutover", "run", plan).await?;
    let is_hit = async || Ok((ground.client.faults().await?[0]["hits"] == 1).then_some(()));
    support::wait_for("the request that is held up", LIMIT, is_hit).await?;
    cutover_tests::follow::stop(&ground.client, &run_id).await?;
    Ok(run_id)
}

/// At real time: `listener-swap` sleeps right before its write, past the stop. The fence must see that the run is no longer
/// its own: of the two writes seen, one prepares and one restores.
async fn a_function_that_sleeps_past_the_stop_does_not_write() -> Result<()> {
    let ground = Ground::new(1.0).await?;
    let stage = ground.stage(&listener_plan("fence", json!([{ "new_weight": 100, "hold": "60m" }])), json!({})).await?;
    let before = ground.account().await?;
    // Each action reads the run as it starts and right before it writes: the fourth read is the one before the shift's
    // write. What it decided by, it has read before the stop.
    let slow = json!({
        "match": { "caller": "listener-swap", "operation": "GetItem" },
        "from": 4, "times": 1, "do": "delay", "seconds": 3.5,
    });
    let run_id = stopped_while_held_up(&ground, &stage.plan, &slow).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)?;
    let requests = ground.client.requests(0).await?;
    let writes = requests.iter().filter(|request| request.operation == "ModifyListener").count();
    ensure!(writes == 2, "{writes} writes: one of them passed the fence");
    Ok(())
}

/// At real time: the hook that stops the writers is held up until its run was stopped and its rollback has resumed once. No
/// further hook is invoked, and the writers are let go again after the last of them has been stopped.
async fn a_hook_that_outlives_its_run_is_undone() -> Result<()> {
    let ground = Ground::new(1.0).await?;
    let mut plan = listener_plan("late-hook", json!([{ "new_weight": 100, "hold": "60m" }]));
    plan["hooks"] = hooks("late-hook", "20s");
    let second = hooks("late-hook-second", "20s")["quiesce"][0].clone();
    plan["hooks"]["quiesce"].as_array_mut().context("no hooks")?.push(second);
    let stage = ground.stage(&plan, json!({})).await?;
    let before = ground.account().await?;
    let held_up = json!({
        "match": { "caller": "states", "state": "QuiesceHook" }, "times": 1, "do": "delay", "seconds": 15,
    });
    let run_id = stopped_while_held_up(&ground, &stage.plan, &held_up).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)?;
    // Requests are seen when they are sent, hooks when they begin.
    let stops = invoked(&ground, "QuiesceHook").await?;
    ensure!(stops == 1, "{stops} hooks were invoked to stop writers");
    let hooks_begun = async || -> Result<Vec<String>> {
        let invocations = ground.client.invocations().await?;
        Ok(invocations.into_iter().filter(|one| one.hook).filter_map(|one| one.state).collect())
    };
    let is_late = async || Ok(hooks_begun().await?.contains(&"QuiesceHook".to_owned()).then_some(()));
    support::wait_for("the hook that was held up", LIMIT, is_late).await?;
    let begun = hooks_begun().await?;
    ensure!(begun == ["ResumeHook", "QuiesceHook", "ResumeHook"], "the writers were let go in the order {begun:?}");
    Ok(())
}

/// The rollback begins between two hooks, while the cutover's execution goes on: the second hook is not invoked.
async fn no_hook_stops_writers_once_a_rollback_has_begun() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = half("fenced-hook");
    plan["hooks"] = hooks("fenced-hook", "60s");
    let second = hooks("fenced-hook-second", "60s")["quiesce"][0].clone();
    plan["hooks"]["quiesce"].as_array_mut().context("no hooks")?.push(second);
    let stage = ground.stage(&plan, json!({})).await?;
    let slow = json!({
        "match": { "caller": "states", "state": "QuiesceHook" }, "times": 1, "do": "delay", "seconds": 8,
    });
    ground.client.set_faults(json!([slow])).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let is_hit = async || Ok((ground.client.faults().await?[0]["hits"] == 1).then_some(()));
    support::wait_for("the first hook", LIMIT, is_hit).await?;
    ground.start("rollback", "meanwhile", &json!({ "application": stage.plan["application"] })).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {}", end["error"], end["cause"]);
    let stops = invoked(&ground, "QuiesceHook").await?;
    ensure!(stops == 1, "{stops} hooks were invoked to stop writers");
    Ok(())
}

/// Deploys the rollback machine with a change; answers the definition from before.
async fn redeploy_rollback(ground: &Ground, change: impl FnOnce(&mut Value)) -> Result<String> {
    let machine = json!({ "stateMachineArn": ground.machine("rollback") });
    let described = ground.client.call("stepfunctions", "describe_state_machine", machine).await?;
    let before = described["definition"].as_str().context("no definition")?.to_owned();
    let mut definition = serde_json::from_str(&before)?;
    change(&mut definition);
    ground.emulator.spoil();
    set_rollback(ground, &definition.to_string()).await?;
    Ok(before)
}

async fn set_rollback(ground: &Ground, definition: &str) -> Result<()> {
    let update = json!({ "stateMachineArn": ground.machine("rollback"), "definition": definition });
    ground.client.call("stepfunctions", "update_state_machine", update).await.map(drop)
}

/// Not the function of a route fails, which its state would catch, but a state that cannot catch anything.
async fn what_fails_within_one_route_does_not_keep_the_others_from_their_restore() -> Result<()> {
    let mut plan = half("one-breaks");
    let second: Value = serde_json::from_str(&plan["routes"][0].to_string().replace("one-breaks", "second"))?;
    plan["routes"].as_array_mut().context("no routes")?.push(second);
    let held = Held::new(plan).await?;
    let listener = |route: usize| held.stage.plan["routes"][route]["listener_arn"].as_str().unwrap_or_default();
    // The second route is put back first.
    let breaks = "{% $states.input.route = 1 ? $error('broken on purpose') : $states.input %}";
    let before = redeploy_rollback(&held.ground, |definition| {
        let within = &mut definition["States"]["RestoreRoutes"]["ItemProcessor"]["States"]["RestoreRoute"];
        within["ItemProcessor"]["States"]["RouteToRestore"]["Assign"]["item"] = json!(breaks);
    })
    .await?;
    // The second route is where the run would have left it, had it come that far.
    let groups = &held.stage.plan["routes"][1];
    let group = |arn: &Value, weight: i32| json!({ "TargetGroupArn": arn, "Weight": weight });
    let weights = json!([group(&groups["old_target_group_arn"], 50), group(&groups["new_target_group_arn"], 50)]);
    let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": weights } }]);
    let modify = json!({ "ListenerArn": listener(1), "DefaultActions": actions });
    held.ground.client.call("elbv2", "modify_listener", modify).await?;
    held.stop().await?;
    held.ground.wait_for_phase(&held.run_id, "stuck", LIMIT).await?;
    let page = held.ground.page("CRITICAL", LIMIT).await?;
    ensure!(page.contains("broken on purpose") && page.contains(listener(1)), "the page:\n{page}");
    let now = held.ground.account().await?;
    let of = |account: &Value| account["elbv2"]["listeners"][listener(0)].clone();
    ensure_same(&of(&held.before), &of(&now)).context("the first route")?;
    set_rollback(&held.ground, &before).await?;
    held.ground.start("rollback", "again", &held.application()).await?;
    held.ensure_rolled_back().await
}

/// Nor does the failure of a whole Map: all that was to be undone is told, with the commands, and can be undone later.
async fn a_map_that_fails_does_not_end_the_rollback() -> Result<()> {
    let mut plan = half("maps-break");
    plan["hooks"] = hooks("maps-break", "60s");
    let held = Held::new(plan).await?;
    let before = redeploy_rollback(&held.ground, |definition| {
        for map in ["ResumeWriters", "RestoreRoutes", "RestoreAlarms"] {
            definition["States"][map]["Items"] = json!("{% $error('broken on purpose') %}");
        }
    })
    .await?;
    held.stop().await?;
    held.ground.wait_for_phase(&held.run_id, "stuck", LIMIT).await?;
    let page = held.ground.page("CRITICAL", LIMIT).await?;
    for told in ["broken on purpose", "modify-listener", "maps-break-resume", "not seen to have run"] {
        ensure!(page.contains(told), "the page does not tell `{told}`:\n{page}");
    }
    set_rollback(&held.ground, &before).await?;
    held.ground.start("rollback", "again", &held.application()).await?;
    held.ensure_rolled_back().await
}

async fn the_definition_waits_as_long_as_begin_says() -> Result<()> {
    let rollback = definition("rollback")?;
    let seconds = &rollback["States"]["WaitForLateWriters"]["Seconds"];
    ensure!(seconds == "{% $run.late_writers_seconds %}", "rollback waits {seconds}");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_stopped_execution_is_rolled_back_by_its_status_event,
        a_lost_status_event_is_made_up_for_by_the_sweep,
        a_run_that_cannot_be_read_does_not_keep_the_sweep_from_the_others,
        a_rollback_that_is_stopped_is_taken_over,
        a_mark_that_comes_right_before_the_takeover_counts,
        of_two_rollbacks_at_once_one_acts,
        a_refused_second_start_leaves_the_first_run_alone,
        a_finished_run_is_rolled_back_by_a_person_and_cleanup_loses,
        a_cleanup_that_loses_the_run_as_it_takes_it_ends_quietly,
        early_close_removes_the_old_group_and_after_it_there_is_no_way_back,
        an_old_group_that_something_else_references_is_kept,
        a_change_by_somebody_else_is_not_overwritten_but_told,
        a_stuck_run_is_released_by_a_person,
        a_run_that_is_given_up_is_paged_each_time_though_the_sweeps_own_message_is_lost,
        traffic_is_not_sent_back_to_a_sick_old_side_unless_a_person_insists,
        a_mute_service_does_not_keep_a_rollback_from_beginning,
        a_look_that_passes_later_does_not_hold_a_rollback,
        what_a_person_insists_on_outlives_the_rollback_that_was_told,
        the_machines_own_timeout_rolls_back,
        an_error_that_no_catch_sees_rolls_back,
        a_plan_past_its_deadline_rolls_back,
        #[cfg(target_os = "linux")]
        a_function_with_a_wrong_clock_rolls_back,
        a_write_that_outlives_its_run_is_undone,
        an_alarm_that_is_set_after_the_stop_is_put_back,
        a_function_that_sleeps_past_the_stop_does_not_write,
        a_hook_that_outlives_its_run_is_undone,
        no_hook_stops_writers_once_a_rollback_has_begun,
        what_fails_within_one_route_does_not_keep_the_others_from_their_restore,
        a_map_that_fails_does_not_end_the_rollback,
        the_definition_waits_as_long_as_begin_says,
    ]
}
