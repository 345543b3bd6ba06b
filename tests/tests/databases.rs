//! Databases: what of a replication is refused before anything is touched, when it has run dry, whether the writers have
//! stopped, and what holds a rollback.

mod support;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cutover_tests::follow;
use cutover_tests::stage::Stage;
use serde_json::{Value, json};
use support::{Ground, ensure_same, listener_plan};
use tokio::task::JoinSet;

const SPEED: f64 = 120.0;
const LIMIT: Duration = Duration::from_secs(120);
const DMS: &str = "arn:aws:dms:eu-west-1:123456789012";

/// All traffic at once, from a database of the old side's to one of the new side's, with hooks for the writers.
fn plan(application: &str, database: Value) -> Value {
    let mut plan = listener_plan(application, json!([{ "new_weight": 100, "hold": "2m" }]));
    let hook =
        |name: &str| json!([{ "function_arn": format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}") }]);
    plan["database"] =
        json!({ "replication_task_arn": format!("{DMS}:task:FORWARD"), "samples": 1, "interval": "60s" });
    for (field, value) in database.as_object().into_iter().flatten() {
        plan["database"][field] = value.clone();
    }
    plan["hooks"] = json!({
        "quiesce": hook(&format!("{application}-stop-writers")), "resume": hook(&format!("{application}-start-writers")),
    });
    plan
}

/// A run in a world of its own, whose metrics are published until it is dropped.
struct Started {
    ground: Ground,
    stage: Stage,
    before: Value,
    run_id: String,
    _metrics: JoinSet<()>,
}

impl Started {
    async fn new(plan: Value, world: Value) -> Result<Self> {
        let ground = Ground::new(SPEED).await?;
        let stage = ground.stage(&plan, world).await?;
        let before = ground.account().await?;
        let _metrics = stage.publish_metrics(stage.clock());
        let run_id = ground.start("cutover", "run", &stage.plan).await?;
        Ok(Self { ground, stage, before, run_id, _metrics })
    }

    async fn end(&self) -> Result<Value> {
        self.ground.end_of(&self.run_id, LIMIT).await
    }

    async fn ensure_succeeded(&self) -> Result<()> {
        let end = self.end().await?;
        ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
        Ok(())
    }

    /// Ended with this error, and the account as it was; answers the cause.
    async fn ensure_ended(&self, error: &str) -> Result<String> {
        let end = self.end().await?;
        ensure!(end["error"] == error, "ended {} {} {}", end["status"], end["error"], end["cause"]);
        ensure_same(&self.before, &self.ground.account().await?)?;
        self.ground.ensure_no_locks(&self.run_id).await?;
        Ok(end["cause"].as_str().context("no cause")?.to_owned())
    }

    async fn invoked(&self, state: &str) -> Result<usize> {
        let requests = self.ground.client.requests(0).await?;
        let is_its = |request: &&cutover_tests::control::Request| {
            request.caller == "states" && request.state.as_deref() == Some(state)
        };
        Ok(requests.iter().filter(is_its).count())
    }
}

fn lag(seconds: u32) -> Value {
    json!({ "replication": { "lag_seconds": [[0, seconds]] } })
}

#[tokio::test]
async fn validation_that_is_off_is_refused_with_a_way_out_and_nothing_is_touched() -> Result<()> {
    let tables = json!([{ "schema": "public", "table": "orders", "state": "Not enabled" }]);
    let world = json!({ "replication": { "lag_seconds": [[0, 0]], "tables": tables } });
    let started = Started::new(plan("unvalidated", json!({})), world).await?;
    let cause = started.ensure_ended("Cutover.PrecheckFailed").await?;
    ensure!(cause.contains("does not validate its data") && cause.contains("public.orders"), "{cause}");
    ensure!(cause.contains("EnableValidation") && cause.contains("require_validated_tables"), "{cause}");
    ensure!(started.ground.run(&started.run_id).await?.is_none(), "a refused run is in the journal");
    ensure!(started.invoked("InvokeQuiesce").await? == 0, "the writers were stopped");
    Ok(())
}

#[tokio::test]
async fn a_replication_that_only_copies_once_is_refused() -> Result<()> {
    let world = json!({ "replication": { "lag_seconds": [[0, 0]], "migration_type": "full-load" } });
    let started = Started::new(plan("copied-once", json!({})), world).await?;
    let cause = started.ensure_ended("Cutover.PrecheckFailed").await?;
    ensure!(cause.contains("copies the tables once") && cause.contains("full-load-and-cdc"), "{cause}");
    Ok(())
}

#[tokio::test]
async fn a_replication_at_rest_runs_dry_though_its_latency_stays_at_two_seconds() -> Result<()> {
    Started::new(plan("at-rest", json!({})), lag(2)).await?.ensure_succeeded().await
}

#[tokio::test]
async fn a_replication_above_its_latency_at_rest_does_not_run_dry() -> Result<()> {
    let impatient = json!({ "drain_latency": "2s", "give_up_after": "6m" });
    let started = Started::new(plan("restless", impatient), lag(3)).await?;
    let cause = started.ensure_ended("Cutover.RolledBack").await?;
    ensure!(
        cause.contains("has not run dry within 6m") && cause.contains("3 s behind (at most 2s is allowed)"),
        "{cause}"
    );
    Ok(())
}

#[tokio::test]
async fn writers_that_go_round_the_hook_are_seen_and_the_others_resume() -> Result<()> {
    let world = json!({ "replication": { "lag_seconds": [[0, 2]], "changes_per_second": [[0, 4]] } });
    let started = Started::new(plan("round-the-hook", json!({})), world).await?;
    let cause = started.ensure_ended("Cutover.RolledBack").await?;
    ensure!(cause.contains("Writers went round the hooks"), "{cause}");
    ensure!(!cause.contains("within 30m"), "it was waited for in vain: {cause}");
    ensure!(started.invoked("InvokeResume").await? > 0, "the writers that had stopped were not resumed");
    let states = started.ground.states(&started.run_id).await?;
    ensure!(!states.iter().any(|state| state == "SwapListener"), "traffic has moved: {states:?}");
    Ok(())
}

/// Writers that take a while to stop are waited for.
#[tokio::test]
async fn writers_that_stop_a_while_after_the_hook_are_no_reason_to_go_back() -> Result<()> {
    let world = json!({ "replication": { "lag_seconds": [[0, 2]], "changes_per_second": [[0, 4], ["7m", 0]] } });
    let started = Started::new(plan("slow-to-stop", json!({})), world).await?;
    started.ensure_succeeded().await
}

#[tokio::test]
async fn serverless_replications_pass_the_gate_and_bring_everything_back() -> Result<()> {
    let database = json!({
        "replication_task_arn": format!("{DMS}:replication-config:FORWARD"),
        "reverse_replication_task_arn": format!("{DMS}:replication-config:BACK"),
    });
    let started = Started::new(plan("serverless", database), lag(1)).await?;
    started.ensure_succeeded().await?;
    started.ground.start("rollback", "back", &json!({ "application": "serverless" })).await?;
    started.ground.wait_for_phase(&started.run_id, "rolled_back", LIMIT).await?;
    ensure_same(&started.before, &started.ground.account().await?)
}

#[tokio::test]
async fn a_serverless_replication_that_is_behind_does_not_pass_the_gate() -> Result<()> {
    let database =
        json!({ "replication_task_arn": format!("{DMS}:replication-config:FORWARD"), "give_up_after": "3m" });
    let started = Started::new(plan("serverless-behind", database), lag(300)).await?;
    let cause = started.ensure_ended("Cutover.RolledBack").await?;
    ensure!(
        cause.contains("serverless replication") && cause.contains("300 s behind (at most 1m is allowed)"),
        "{cause}"
    );
    Ok(())
}

/// The way back dies while the new side serves: its writes would be missing on the old one.
#[tokio::test]
async fn a_way_back_that_has_died_holds_the_rollback_until_somebody_insists() -> Result<()> {
    let mut plan = plan("dead-way-back", json!({ "reverse_replication_task_arn": format!("{DMS}:task:BACK") }));
    plan["routes"][0]["steps"] = json!([{ "new_weight": 100, "hold": "60m" }]);
    let Started { ground, stage, run_id, _metrics, .. } = Started::new(plan, lag(1)).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    let back = stage.replication().iter().find(|one| one.is_reverse()).context("no reverse replication")?;
    ground.client.set_replication(json!({ "arn": back.arn, "status": "stopped" })).await?;
    follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "stuck", LIMIT).await?;
    let page = ground.page("ACTION NEEDED", LIMIT).await?;
    ensure!(page.contains("the replication back") && page.contains(&back.arn) && page.contains("is stopped"), "{page}");
    let insist = json!({ "application": "dead-way-back", "force": "Ada: nothing was written" });
    ground.start("rollback", "insist", &insist).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await
}

#[tokio::test]
async fn a_way_back_that_is_far_behind_holds_the_rollback() -> Result<()> {
    let mut plan = plan("far-way-back", json!({ "reverse_replication_task_arn": format!("{DMS}:task:BACK") }));
    plan["routes"][0]["steps"] = json!([{ "new_weight": 100, "hold": "60m" }]);
    let world =
        json!({ "replication": { "lag_seconds": [[0, 1]], "reverse": { "lag_seconds": [[0, 1], ["6m", 900]] } } });
    let Started { ground, run_id, _metrics, .. } = Started::new(plan, world).await?;
    ground.wait_for_state(&run_id, "Monitor", LIMIT).await?;
    support::wait_for("a lag of the way back", LIMIT, async || {
        let states = ground.states(&run_id).await?;
        Ok((states.iter().filter(|state| *state == "Monitor").count() > 6).then_some(()))
    })
    .await?;
    follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "stuck", LIMIT).await?;
    let page = ground.page("ACTION NEEDED", LIMIT).await?;
    ensure!(page.contains("is 900 s behind, and 1m is the most"), "{page}");
    Ok(())
}
