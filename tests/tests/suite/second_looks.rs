//! What is looked at twice before anybody acts on it: a read that is behind is no drift, a run that the index of open runs shows
//! may be somebody's again. A look that runs twice at once counts once. And what each part of precheck has to say, which is heard once.

use std::time::Duration;

use crate::guards::{SPEED, everything, staged};
use crate::harness::{Test, asynchronous};
use crate::support::{Ground, dns_plan, ensure_same, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);

/// States that would call a read from before the last change somebody else's change, and the read.
const BEHIND: [(&str, &str); 6] = [
    ("SwapListener", "DescribeListeners"),
    ("Monitor", "DescribeListeners"),
    ("Monitor", "ListResourceRecordSets"),
    ("ShiftWeight", "ListResourceRecordSets"),
    ("FinaliseRecords", "ListResourceRecordSets"),
    ("WatchRoutes", "ListResourceRecordSets"),
];

/// States of a cleanup whose first answer gets lost: what they do the second time is done already.
const LOST: [&str; 3] = ["BeginCleanup", "RemoveFromRoute", "CloseRun"];

/// The first read of each is behind: the run goes its way all the same, and nobody is told of a change.
async fn a_read_that_is_behind_is_looked_at_again_before_it_is_called_drift() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = everything("behind")?;
    plan["cleanup"] = json!({ "after": "20m" });
    let stage = staged(&ground, &plan, json!({})).await?;
    let behind = BEHIND.map(|(state, read)| json!({ "match": { "state": state, "operation": read }, "do": "stale" }));
    // Only what is refused makes a step of a name look: its first try has passed, and the answer was lost.
    let unheard = json!({ "match": { "state": "ShiftWeight", "operation": "ChangeResourceRecordSets" }, "do": "lose" });
    let lost = LOST.map(|state| json!({ "match": { "state": state, "caller": "states" }, "do": "timeout_after" }));
    ground.client.set_faults(json!([behind.as_slice(), &[unheard], lost.as_slice()].concat())).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
    let cleanups = json!({ "stateMachineArn": ground.machine("cleanup") });
    let cleanups = ground.client.call("stepfunctions", "list_executions", cleanups).await?;
    let cleanup = cleanups["executions"][0]["executionArn"].as_str().context("no cleanup")?;
    let end = ground.end_of(cleanup, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "cleanup ended {} {}", end["error"], end["cause"]);
    let hits = ground.client.faults().await?;
    let missed: Vec<_> = hits.iter().filter(|fault| fault["hits"] != 1).collect();
    ensure!(missed.is_empty(), "no read was behind, or no answer lost: {missed:?}");
    let told = ground.client.messages().await?;
    let told = serde_json::to_value(&told)?.to_string();
    ensure!(!told.contains("was changed"), "told of a change: {told}");
    Ok(())
}

/// What precheck says of a plan, by place and the words of the problem.
async fn ensure_told(ground: &Ground, name: &str, plan: &Value, said: &[(&str, &str)]) -> Result<()> {
    let mut plan = plan.clone();
    plan["mode"] = json!("precheck");
    let end = ground.end_of(&ground.start("cutover", name, &plan).await?, LIMIT).await?;
    let report: Value = serde_json::from_str(end["output"].as_str().or(end["cause"].as_str()).context("no report")?)?;
    let found = report["findings"].as_array().with_context(|| format!("no findings: {report}"))?;
    let is_told = |path: &str, problem: &str| {
        let is_it =
            |one: &&Value| one["path"] == path && one["problem"].as_str().is_some_and(|one| one.contains(problem));
        found.iter().any(|one| is_it(&one))
    };
    let missing: Vec<_> = said.iter().filter(|(path, problem)| !is_told(path, problem)).collect();
    ensure!(missing.is_empty(), "{name}: nothing of {missing:?} in {found:#?}");
    Ok(())
}

/// Another run holds the application's lock.
async fn hold(ground: &Ground, application: &str) -> Result<()> {
    let item = json!({ "pk": { "S": format!("lock#application#{application}") }, "run_id": { "S": "another" } });
    let put = json!({ "TableName": ground.emulator.ready().journal_table, "Item": item });
    ground.client.call("dynamodb", "put_item", put).await.map(drop)
}

async fn each_part_of_precheck_is_heard() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let of_listener = ground.stage(&listener_plan("heard", json!([{ "new_weight": 100 }])), json!({})).await?;
    let of_name = ground.stage(&dns_plan("heard-too", json!([{ "new_weight": 100, "hold": "5m" }])), json!({})).await?;
    let before = ground.account().await?;
    hold(&ground, "heard").await?;
    let mut plan = of_listener.plan.clone();
    let mut gone = plan["routes"][0].clone();
    gone["listener_arn"] =
        json!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/gone/50dc6c495c0c9188/1");
    plan["routes"].as_array_mut().context("no routes")?.push(gone);
    let group = plan["routes"][0]["new_target_group_arn"].as_str().context("an ARN")?.replace("eu-west-1", "us-east-1");
    let silent = json!({ "name": "orders", "namespace": "Heard", "metric_name": "Orders", "dimensions": { "Service": "heard" },
        "statistic": "Sum", "comparison": "less_than", "threshold": 1 });
    plan["monitoring"] =
        json!({ "alarms": ["gone"], "target_groups": [{ "target_group_arn": group }], "metrics": [silent] });
    plan["database"] = json!({ "replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:GONE" });
    plan["health_check"] =
        json!({ "url": "https://127.0.0.1:1/health", "attempts": 1, "successes": 1, "certificate": "any_issuer" });
    let told = [
        ("$.application", "is held by another"),
        ("$.routes[1].listener_arn", ""),
        ("$.monitoring.alarms[0]", "does not exist"),
        ("$.monitoring.metrics[0]", "has had no datapoint in the last 1d: Heard Orders {Service: heard}"),
        ("$.monitoring.target_groups[0].target_group_arn", "is in us-east-1"),
        ("$.database.replication_task_arn", "does not exist"),
        ("$.hooks.quiesce", "is empty"),
        ("$.health_check.url", "did not pass"),
        ("$.health_check.certificate", "is any_issuer"),
    ];
    ensure_told(&ground, "listener", &plan, &told).await?;

    let mut plan = of_name.plan.clone();
    let hook = json!([{ "function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:heard-pause" }]);
    plan["hooks"] = json!({ "quiesce": hook, "resume": hook });
    plan["timeout"] = json!("8m");
    plan.as_object_mut().context("the plan is no object")?.remove("notify");
    let told = [
        ("$.monitoring", "watches nothing"),
        ("$.hooks.quiesce", "is taken at its word"),
        ("$.hooks.quiesce[0].function_arn", "function:heard-pause does not exist"),
        ("$.timeout", "would be rolled back"),
        ("$.notify", "is missing"),
    ];
    ensure_told(&ground, "name", &plan, &told).await?;
    ensure_same(&before, &ground.account().await?)
}

/// So many requests are in every period.
const REQUESTS: u64 = 100;
const PERIOD_SECONDS: u64 = 60;

/// Lambda may deliver an event twice, and both at once. Both see the same, and want to write down the same.
async fn a_look_that_runs_twice_at_once_counts_each_period_once() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("twice", json!([{ "new_weight": 100, "hold": "5m" }]));
    let dimensions = json!({ "LoadBalancer": "app/twice/50dc6c495c0c9188", "TargetGroup": "targetgroup/twice-new/6d0ecf831eec9f09" });
    let errors = json!({ "name": "5xx", "namespace": "AWS/ApplicationELB", "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum",
        "dimensions": dimensions, "divide_by": { "metric_name": "RequestCount" }, "comparison": "greater_than", "threshold": 0.01,
        "missing": "zero_if_divisor" });
    plan["monitoring"] = json!({ "interval": "60s", "metrics": [errors] });
    let stage = ground.quiet_stage(&plan, json!({})).await?;
    let requests = json!({ "namespace": "AWS/ApplicationELB", "metric_name": "RequestCount", "value": REQUESTS,
        "dimensions": stage.plan["monitoring"]["metrics"][0]["dimensions"] });
    ground.client.keep_steady(&[requests]).await?;
    let twice = json!({ "match": { "caller": "states", "state": "Monitor" }, "times": null, "do": "twice" });
    ground.client.set_faults(json!([twice])).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let first = wait_for("the first count", LIMIT, async || counted(&ground, &run_id).await).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ensure_met(&ground).await?;
    let last = counted(&ground, &run_id).await?.context("nothing was counted")?;
    ensure!(last.periods > first.periods, "nothing was counted after {first:?}");
    ensure!(last.requests == last.periods * REQUESTS, "{last:?}");
    let passed = (last.newest - first.newest) / PERIOD_SECONDS;
    ensure!(last.periods - first.periods == passed, "{passed} periods from {first:?} to {last:?}");
    Ok(())
}

/// What the run's only test has counted.
#[derive(Debug)]
struct Counted {
    periods: u64,
    requests: u64,
    /// When the newest period began, in seconds since 1970.
    newest: u64,
}

async fn counted(ground: &Ground, run_id: &str) -> Result<Option<Counted>> {
    let item = ground.run(run_id).await?.unwrap_or_default();
    let Some(kept) = item["counted"]["S"].as_str() else { return Ok(None) };
    let test = serde_json::from_str::<Value>(kept)?["tests"]["0"].take();
    let number = |value: &Value| value.as_u64().with_context(|| format!("not a number in {test}"));
    let [periods, requests, newest] = [&test["looks"], &test["new"][1], &test["at"]].map(number);
    Ok(Some(Counted { periods: periods?, requests: requests?, newest: newest? }))
}

/// Two looks wanted to write at one time: one of them lost the condition.
async fn ensure_met(ground: &Ground) -> Result<()> {
    let requests = ground.client.requests(0).await?;
    let writes: Vec<_> =
        requests.iter().filter(|one| one.caller == "monitor" && one.operation == "UpdateItem").collect();
    let lost = writes.iter().filter(|one| one.status == Some(400)).count();
    ensure!(lost > 0, "of {} writes none met another's", writes.len());
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_read_that_is_behind_is_looked_at_again_before_it_is_called_drift,
        each_part_of_precheck_is_heard,
        a_look_that_runs_twice_at_once_counts_each_period_once,
    ]
}
