//! Databases: what of a replication is refused before anything is touched, when it has run dry, whether the writers have
//! stopped, and what holds a rollback.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{self, Ground, ensure_same, listener_plan};
use anyhow::{Context, Result, ensure};
use cutover_tests::follow;
use cutover_tests::stage::Stage;
use serde_json::{Value, json};
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
struct Started<'a> {
    ground: &'a Ground,
    stage: Stage,
    run_id: String,
    _metrics: JoinSet<()>,
}

impl<'a> Started<'a> {
    async fn new(ground: &'a Ground, plan: Value, world: Value) -> Result<Self> {
        let stage = ground.stage(&plan, world).await?;
        let _metrics = stage.publish_metrics(stage.clock());
        let name = plan["application"].as_str().context("no application")?;
        let run_id = ground.start("cutover", name, &stage.plan).await?;
        Ok(Self { ground, stage, run_id, _metrics })
    }

    async fn ensure_succeeded(&self) -> Result<()> {
        let end = self.ground.end_of(&self.run_id, LIMIT).await?;
        ensure!(end["status"] == "SUCCEEDED", "{} ended {} {}", self.run_id, end["error"], end["cause"]);
        Ok(())
    }

    /// Ended with this error, and without locks; answers the cause.
    async fn ensure_ended(&self, error: &str) -> Result<String> {
        let end = self.ground.end_of(&self.run_id, LIMIT).await?;
        ensure!(end["error"] == error, "{} ended {} {} {}", self.run_id, end["status"], end["error"], end["cause"]);
        self.ground.ensure_no_locks(&self.run_id).await?;
        Ok(end["cause"].as_str().context("no cause")?.to_owned())
    }

    /// How often the run, or its rollback, has invoked one of its hooks.
    async fn invoked(&self, hook: &str) -> Result<usize> {
        let function = self.stage.plan["hooks"][hook][0]["function_arn"].as_str().context("no such hook")?;
        let invocations = self.ground.client.invocations().await?;
        Ok(invocations.iter().filter(|invocation| function.ends_with(&invocation.function)).count())
    }
}

fn lag(seconds: u32) -> Value {
    json!({ "replication": { "lag_seconds": [[0, seconds]] } })
}

async fn what_can_never_pass_is_refused_with_a_way_out_and_nothing_is_touched() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let off = json!([{ "schema": "public", "table": "orders", "state": "Not enabled" }]);
    let off = json!({ "replication": { "lag_seconds": [[0, 0]], "tables": off } });
    let once = json!({ "replication": { "lag_seconds": [[0, 0]], "migration_type": "full-load" } });
    let unvalidated = Started::new(&ground, plan("unvalidated", json!({})), off).await?;
    let copied_once = Started::new(&ground, plan("copied-once", json!({})), once).await?;
    let before = ground.account().await?;

    let cause = unvalidated.ensure_ended("Cutover.PrecheckFailed").await?;
    ensure!(cause.contains("does not validate its data") && cause.contains("public.orders"), "{cause}");
    ensure!(cause.contains("EnableValidation") && cause.contains("require_validated_tables"), "{cause}");
    let cause = copied_once.ensure_ended("Cutover.PrecheckFailed").await?;
    ensure!(cause.contains("copies the tables once") && cause.contains("full-load-and-cdc"), "{cause}");

    for refused in [&unvalidated, &copied_once] {
        ensure!(ground.run(&refused.run_id).await?.is_none(), "a refused run is in the journal");
        ensure!(refused.invoked("quiesce").await? == 0, "the writers were stopped");
    }
    ensure_same(&before, &ground.account().await?)
}

async fn a_run_whose_database_is_ready_succeeds() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    tokio::try_join!(
        a_latency_that_stays_at_two_seconds_is_rest(&ground),
        writers_that_stop_a_while_after_the_hook_are_waited_for(&ground),
        serverless_replications_pass_the_gate_and_bring_everything_back(&ground),
    )?;
    Ok(())
}

async fn a_latency_that_stays_at_two_seconds_is_rest(ground: &Ground) -> Result<()> {
    Started::new(ground, plan("at-rest", json!({})), lag(2)).await?.ensure_succeeded().await
}

async fn writers_that_stop_a_while_after_the_hook_are_waited_for(ground: &Ground) -> Result<()> {
    let world = json!({ "replication": { "lag_seconds": [[0, 2]], "changes_per_second": [[0, 4], ["7m", 0]] } });
    Started::new(ground, plan("slow-to-stop", json!({})), world).await?.ensure_succeeded().await
}

async fn serverless_replications_pass_the_gate_and_bring_everything_back(ground: &Ground) -> Result<()> {
    let database = json!({
        "replication_task_arn": format!("{DMS}:replication-config:FORWARD"),
        "reverse_replication_task_arn": format!("{DMS}:replication-config:BACK"),
    });
    let started = Started::new(ground, plan("serverless", database), lag(1)).await?;
    started.ensure_succeeded().await?;
    ground.start("rollback", "back", &json!({ "application": "serverless" })).await?;
    ground.wait_for_phase(&started.run_id, "rolled_back", LIMIT).await
}

async fn a_run_whose_database_is_not_ready_is_turned_back_before_traffic_moves() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let before = json!({ "drain_latency": "2s", "give_up_after": "6m" });
    let restless = Started::new(&ground, plan("restless", before), lag(3)).await?;
    let serverless = format!("{DMS}:replication-config:FORWARD");
    let behind = json!({ "replication_task_arn": serverless, "give_up_after": "3m" });
    let behind = Started::new(&ground, plan("serverless-behind", behind), lag(300)).await?;
    let in_load =
        json!([{ "schema": "public", "table": "orders", "state": "Not enabled", "table_state": "Full load" }]);
    let in_load = json!({ "replication": { "lag_seconds": [[0, 0]], "tables": in_load } });
    let unvalidated = json!({ "require_validated_tables": false, "give_up_after": "3m" });
    let loading = Started::new(&ground, plan("still-loading", unvalidated), in_load).await?;
    let world = json!({ "replication": { "lag_seconds": [[0, 2]], "changes_per_second": [[0, 4]] } });
    let undrained = plan("undrained", json!({ "drain": false }));
    let undrained = Started::new(&ground, undrained, world.clone()).await?;
    let written_to = Started::new(&ground, plan("round-the-hook", json!({})), world).await?;

    let cause = restless.ensure_ended("Cutover.RolledBack").await?;
    ensure!(cause.contains("has not run dry within 6m"), "{cause}");
    ensure!(cause.contains("3 s behind (at most 2s is allowed)"), "{cause}");

    let cause = behind.ensure_ended("Cutover.RolledBack").await?;
    ensure!(cause.contains("serverless replication"), "{cause}");
    ensure!(cause.contains("300 s behind (at most 1m is allowed)"), "{cause}");

    let cause = loading.ensure_ended("Cutover.RolledBack").await?;
    ensure!(cause.contains("not loaded yet: public.orders (Full load)"), "{cause}");

    let cause = written_to.ensure_ended("Cutover.RolledBack").await?;
    ensure!(cause.contains("Writers went round the hooks"), "{cause}");
    ensure!(!cause.contains("within 30m"), "it was waited for in vain: {cause}");
    ensure!(written_to.invoked("resume").await? > 0, "the writers that had stopped were not resumed");

    // The writers are looked at also where the plan asks for no drain.
    let cause = undrained.ensure_ended("Cutover.RolledBack").await?;
    ensure!(cause.contains("Writers went round the hooks"), "{cause}");

    for turned_back in [&restless, &behind, &loading, &written_to, &undrained] {
        let states = ground.states(&turned_back.run_id).await?;
        ensure!(!states.iter().any(|state| state == "SwapListener"), "traffic has moved: {states:?}");
    }
    Ok(())
}

/// The way back dies while the new side serves: its writes would be missing on the old one.
async fn a_way_back_that_is_dead_holds_the_rollback_until_somebody_insists() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stopped = Started::new(&ground, with_way_back("stopped-way-back"), lag(1)).await?;
    let far =
        json!({ "replication": { "lag_seconds": [[0, 1]], "reverse": { "lag_seconds": [[0, 1], ["6m", 900]] } } });
    let far = Started::new(&ground, with_way_back("far-way-back"), far).await?;
    for started in [&stopped, &far] {
        ground.wait_for_state(&started.run_id, "HoldWait", LIMIT).await?;
    }
    let back = stopped.stage.replication().iter().find(|one| one.is_reverse()).context("no reverse replication")?;
    ground.client.set_replication(json!({ "arn": back.arn, "status": "stopped" })).await?;
    follow::stop(&ground.client, &stopped.run_id).await?;
    ground.wait_for_phase(&stopped.run_id, "stuck", LIMIT).await?;
    let page = ground.page("ACTION NEEDED: cutover of stopped-way-back", LIMIT).await?;
    ensure!(page.contains(&format!("the replication back, {}, is stopped", back.arn)), "{page}");

    support::wait_for("six minutes", LIMIT, async || {
        let states = ground.states(&far.run_id).await?;
        Ok((states.iter().filter(|state| *state == "Monitor").count() > 8).then_some(()))
    })
    .await?;
    follow::stop(&ground.client, &far.run_id).await?;
    ground.wait_for_phase(&far.run_id, "stuck", LIMIT).await?;
    let page = ground.page("ACTION NEEDED: cutover of far-way-back", LIMIT).await?;
    ensure!(page.contains("is 900 s behind, and 1m is the most"), "{page}");

    let insist = json!({ "application": "stopped-way-back", "force": "Ada: nothing was written" });
    ground.start("rollback", "insist", &insist).await?;
    ground.wait_for_phase(&stopped.run_id, "rolled_back", LIMIT).await
}

fn with_way_back(application: &str) -> Value {
    let mut plan = plan(application, json!({ "reverse_replication_task_arn": format!("{DMS}:task:BACK") }));
    plan["routes"][0]["steps"] = json!([{ "new_weight": 100, "hold": "60m" }]);
    plan
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        what_can_never_pass_is_refused_with_a_way_out_and_nothing_is_touched,
        a_run_whose_database_is_ready_succeeds,
        a_run_whose_database_is_not_ready_is_turned_back_before_traffic_moves,
        a_way_back_that_is_dead_holds_the_rollback_until_somebody_insists,
    ]
}
