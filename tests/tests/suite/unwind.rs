//! Unwind: every Task state of the cutover is made to fail, before its effect, after its effect, and by a time-out after
//! its effect. The end is either the new state or the before-image, the ending's name says which, and the state that is
//! named as failed is the one that was made to fail.
//!
//! The states come from the definition, so that a new one is covered by itself. Faults are injected at the HTTP boundary
//! between the state machine and what it calls; the comparison is of a dump of the whole account.

use std::time::Duration;

use crate::harness::{self, Test};
use crate::support::{Ground, definition, ensure_same, plan, task_states};
use anyhow::{Context, Result, bail, ensure};
use cutover_tests::approver::{Answer, Approver, Decision};
use cutover_tests::faults::shape;
use cutover_tests::metrics;
use cutover_tests::stage::Stage;
use serde_json::{Value, json};

/// An hour in four seconds.
const SPEED: f64 = 900.0;
/// A run with all its retries, on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Before,
    After,
    TimeoutAfter,
}

const FAULTS: [Fault; 3] = [Fault::Before, Fault::After, Fault::TimeoutAfter];

#[derive(Clone, Debug)]
struct Case {
    /// The Task state that fails.
    task: String,
    /// The top-level state that holds it: what the run names as failed.
    named: String,
    fault: Fault,
}

impl Case {
    fn rule(&self, execution: &str) -> Value {
        let act = match self.fault {
            Fault::Before => "before",
            Fault::After => "after",
            Fault::TimeoutAfter => "timeout_after",
        };
        json!({
            "match": { "caller": "states", "state": self.task, "execution": execution },
            "do": act, "times": null, "error": "Injected", "message": "injected by the test",
        })
    }

    /// What a run in which this state fails for good must end with.
    fn endings(&self) -> &'static [&'static str] {
        match (self.named.as_str(), self.fault) {
            ("Precheck" | "AnnounceNothingTouched", _) | ("Claim", Fault::Before) => &["Cutover.PrecheckFailed"],
            ("AwaitApproval", _) => &["Cutover.Rejected"],
            (
                "ShowRun" | "AnnounceStart" | "TakeBaseline" | "AnnounceStep" | "ShowStep" | "WriteReport"
                | "AnnounceFinish" | "SetAlarms" | "StartCleanup",
                _,
            ) => &["Succeeded"],
            // A slice that is missing makes the load test invalid, which this plan only reports.
            ("SendLoad", _) => &["Succeeded"],
            // The rollback could not be started, or not be followed, from here: the rule on the failed execution starts it.
            ("StartRollback", Fault::Before) | ("LookAtRollback", _) => &["Cutover.RollbackUnfinished"],
            _ => &["Cutover.RolledBack"],
        }
    }

    /// States that only a failing run comes to need a first failure.
    fn first_failure(&self, execution: &str) -> Option<Value> {
        let (failing, error) = match self.task.as_str() {
            "StartRollback" | "LookAtRollback" => ("Validate", "Injected"),
            "AnnounceNothingTouched" => ("Precheck", "Injected"),
            "AwaitDecision" => ("Monitor", "Cutover.Unhealthy"),
            _ => return None,
        };
        Some(json!({
            "match": { "caller": "states", "state": failing, "execution": execution },
            "do": "before", "times": null, "error": error,
        }))
    }
}

/// The plan that reaches a state: the default one, or one whose new database has no way back.
fn plan_for(task: &str, index: usize) -> Result<Value> {
    let mut plan = if task == "RememberNoReturn" {
        let mut plan = plan("lag-falls")?;
        plan["database"]["reverse_replication_task_arn"] = Value::Null;
        plan
    } else {
        plan("cutover")?
    };
    if task == "AwaitApproval" {
        plan["approval"] = json!({ "topic_arn": plan["notify"]["topic_arn"] });
    }
    if !["NextLoadTurn", "SendSlice", "AskAfterLoadTest"].contains(&task) {
        plan["load_test"] = Value::Null; // it takes real time
    }
    if task == "AwaitDecision" {
        plan["monitoring"]["on_failure"] = json!("hold");
    }
    if task == "AskAfterLoadTest" {
        plan["approval"] = json!({ "topic_arn": plan["notify"]["topic_arn"] });
        plan["load_test"]["sla"] = json!({ "max_p50_ms": 0.001 });
        plan["load_test"]["on_violation"] = json!("hold");
    }
    // A run that succeeds keeps its locks until cleanup, which must not begin while other cases compare the account.
    shape::shorten(&mut plan);
    plan["application"] = json!(format!("unwind-{index}"));
    Ok(plan)
}

/// Healthy metrics of the new side and of replication, for as long as anybody looks: no dice are thrown here.
fn healthy(stage: &Stage) -> Vec<Value> {
    let metrics = stage.plan["monitoring"]["metrics"].as_array().into_iter().flatten();
    let balancing = metrics.flat_map(|metric| {
        [("RequestCount", 100.0), ("TargetResponseTime", 0.05)].map(|(name, value)| {
            json!({ "namespace": "AWS/ApplicationELB", "metric_name": name, "dimensions": metric["dimensions"], "value": value })
        })
    });
    balancing.chain(metrics::healthy(&Value::Null, stage.replication())).collect()
}

/// Whoever asks gets a yes, until the run ends.
async fn approve(ground: &Ground) -> Result<()> {
    let mut approver = Approver::new(Answer::Approve, Decision::GoBack);
    loop {
        approver.look(&ground.client).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn unwinds(index: usize, case: &Case) -> Result<()> {
    let ground = &Ground::new(SPEED).await?;
    ground.client.set_events(json!({ "sweep": false })).await?;
    let stage = ground.quiet_stage(&plan_for(&case.task, index)?, json!({})).await?;
    ground.client.keep_steady(&healthy(&stage)).await?;
    let name = format!("unwind-{index}");
    let execution = ground.execution("cutover", &name);
    let before = ground.account().await?;
    let rules: Vec<Value> = std::iter::once(case.rule(&execution)).chain(case.first_failure(&execution)).collect();
    ground.client.set_faults(json!(rules)).await?;
    ground.start("cutover", &name, &stage.plan).await?;
    let end = tokio::select! {
        end = ground.end_of(&execution, LIMIT) => end?,
        approved = approve(ground), if case.task == "AskAfterLoadTest" => return approved,
    };
    let hits = ground.client.faults().await?.first().and_then(|rule| rule["hits"].as_u64());
    ensure!(hits > Some(0), "{} was never reached; the run ended {}: {}", case.task, end["error"], end["cause"]);
    let ending = end["error"].as_str().unwrap_or("Succeeded").to_owned();
    ensure!(case.endings().contains(&ending.as_str()), "ended {ending}: {}", end["cause"]);
    match ending.as_str() {
        "Succeeded" => ensure_wholly_new(&before, &ground.account().await?, &stage.plan)?,
        _ => ensure_as_before(ground, case, &execution, &end, &before).await?,
    }
    Ok(())
}

/// The before-image, the name of the failed state, no locks; and a second rollback changes nothing.
async fn ensure_as_before(ground: &Ground, case: &Case, execution: &str, end: &Value, before: &Value) -> Result<()> {
    let phase = ground.phase(execution).await?;
    if phase != "none" {
        ground.wait_for_phase(execution, "rolled_back", LIMIT).await?;
    }
    ensure_same(before, &ground.account().await?)?;
    ground.ensure_no_locks(execution).await?;
    if case.first_failure(execution).is_none() {
        let cause: Value = serde_json::from_str(end["cause"].as_str().unwrap_or("null"))?;
        ensure!(cause["failed_state"] == case.named.as_str(), "names {} as failed", cause["failed_state"]);
    }
    let name = format!("again-{}", execution.rsplit(':').next().unwrap_or_default());
    ground.start("rollback", &name, &json!({ "run_id": execution })).await?;
    let again = ground.end_of(&ground.execution("rollback", &name), LIMIT).await?;
    ensure!(again["output"].as_str().is_some_and(|output| output.contains("NothingToDo")), "undone twice: {again}");
    ensure_same(before, &ground.account().await?)
}

/// All weight of the listener on the new group, the old one beside it at 0; the name with the new answers and its old
/// TTL; nothing else changed but what follows from that.
fn ensure_wholly_new(before: &Value, after: &Value, plan: &Value) -> Result<()> {
    let differences = cutover_tests::compare::differences(before, after);
    let listener = &after["elbv2"]["listeners"][text(&plan["routes"][0]["listener_arn"])?];
    let groups = &listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"];
    let (old, new) = (&plan["routes"][0]["old_target_group_arn"], &plan["routes"][0]["new_target_group_arn"]);
    let expected = json!([{ "TargetGroupArn": old, "Weight": 0 }, { "TargetGroupArn": new, "Weight": 100 }]);
    ensure!(*groups == expected, "the listener forwards to {groups}");
    let zone = text(&plan["routes"][1]["hosted_zone_id"])?;
    let records = after["route53"]["hosted_zones"][zone]["ResourceRecordSets"].as_object().context("no records")?;
    for change in plan["routes"][1]["records"].as_array().into_iter().flatten() {
        let of_type: Vec<&Value> = records.values().filter(|record| record["Type"] == change["type"]).collect();
        let [record] = of_type[..] else { bail!("not one {} record: {of_type:?}", change["type"]) };
        ensure!(record["TTL"] == 300 && record["SetIdentifier"].is_null(), "{record}");
        ensure!(record["ResourceRecords"][0]["Value"] == change["new"]["values"][0], "{record}");
    }
    let listener_path = format!("$.elbv2.listeners.{}", text(&plan["routes"][0]["listener_arn"])?);
    let expected_paths = [
        listener_path,
        format!("$.elbv2.rules.{}", ""),
        format!("$.elbv2.target_groups.{}", text(new)?),
        format!("$.route53.hosted_zones.{zone}"),
        "$.cloudwatch.alarms.portal-new-unhealthy-hosts".to_owned(),
    ];
    let strange: Vec<&String> =
        differences.iter().filter(|line| !expected_paths.iter().any(|path| line.starts_with(path.as_str()))).collect();
    ensure!(strange.is_empty(), "more changed than the cutover: {strange:?}");
    Ok(())
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("{value} is no text"))
}

/// One test for each case: they differ in nothing but what fails.
pub fn tests() -> Result<Vec<Test>> {
    let tasks = task_states(&definition("cutover")?);
    ensure!(!tasks.is_empty(), "the definition has no Task state");
    let cases = tasks
        .iter()
        .flat_map(|(task, named)| FAULTS.map(|fault| Case { task: task.clone(), named: named.clone(), fault }));
    let test = |(index, case): (usize, Case)| {
        let name = format!("every_failing_state_unwinds::{}_{:?}", case.task, case.fault);
        Test::new(module_path!(), &name, move || harness::block_on(unwinds(index, &case))?)
    };
    Ok(cases.enumerate().map(test).collect())
}
