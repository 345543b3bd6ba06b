//! The guards around each write: whoever has lost the run stops right before the write, whoever claims it looks at every route
//! again, what is written is read back, and a change of a name is asked about until it is in sync.
//!
//! Each case takes the run away from its execution at one request, by somebody else's write to the journal, and then sees that
//! nothing more is written. No clock is in it: a guard that is taken out fails its case at once.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, ensure_same};
use anyhow::{Context, Result, ensure};
use cutover_tests::control::Request;
use cutover_tests::faults::shape::Shape;
use cutover_tests::metrics;
use cutover_tests::stage::Stage;
use serde_json::{Value, json};

/// An hour in four seconds.
pub const SPEED: f64 = 900.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
/// How long the old answers of one of a name's two types are kept: four seconds at this speed.
const OLD_TTL_SECONDS: u32 = 3600;
/// Whoever has the run now: an execution that is not there.
const SOMEBODY: &str = "arn:aws:states:eu-west-1:123456789012:execution:rollback:somebody";
/// What changes something: a run that is somebody else's must see none of it.
const WRITES: [&str; 9] = [
    "ModifyListener",
    "ModifyRule",
    "DeleteTargetGroup",
    "ChangeResourceRecordSets",
    "CreateHealthCheck",
    "DeleteHealthCheck",
    "PutMetricAlarm",
    "DeleteAlarms",
    "TransactWriteItems",
];

/// Where a run is taken from its execution.
struct Taken {
    /// The state in which a function asks.
    state: &'static str,
    /// What it asks, and for the how-manieth time.
    asks: (&'static str, u32),
    /// The state that the run names as failed.
    fails: &'static str,
}

const fn taken(state: &'static str, asks: (&'static str, u32), fails: &'static str) -> Taken {
    Taken { state, asks, fails }
}

/// A function reads the run as it starts and right before it writes: the second read is the second fence.
const FORWARD: [Taken; 16] = [
    taken("CheckReplication", ("GetItem", 1), "CheckReplication"),
    taken("AllowChanges", ("GetItem", 1), "AllowChanges"),
    taken("AllowChanges", ("TransactWriteItems", 1), "AllowChanges"),
    taken("PrepareListener", ("GetItem", 2), "PrepareListener"),
    taken("PrepareRecords", ("GetItem", 2), "PrepareRecords"),
    taken("RememberQuiesce", ("UpdateItem", 1), "QuiesceWriters"),
    taken("DrainReplication", ("GetItem", 1), "DrainReplication"),
    taken("SwapListener", ("GetItem", 2), "SwapListener"),
    taken("Monitor", ("GetItem", 1), "Monitor"),
    taken("Validate", ("GetItem", 1), "Validate"),
    taken("ShiftWeight", ("GetItem", 2), "ShiftWeight"),
    taken("SetAlarm", ("UpdateItem", 1), "FinaliseListener"),
    taken("SetAlarm", ("GetItem", 2), "FinaliseListener"),
    taken("FinaliseRecords", ("GetItem", 2), "FinaliseRecords"),
    taken("Finish", ("GetItem", 1), "Finish"),
    taken("Finish", ("TransactWriteItems", 1), "Finish"),
];

/// Of a run from whose new side nothing flows back.
const PARTED: [Taken; 1] = [taken("RememberNoReturn", ("UpdateItem", 1), "RememberNoReturn")];

/// In the order in which a rollback comes to them: what an earlier one has put back is not written again.
const ROLLBACK: [(&str, (&str, u32)); 5] = [
    ("RestoreRecords", ("GetItem", 2)),
    ("RestoreListener", ("GetItem", 2)),
    ("RestoreAlarm", ("GetItem", 2)),
    ("WriteEnding", ("GetItem", 2)),
    ("WriteEnding", ("TransactWriteItems", 1)),
];

const CLEANUP: [(&str, (&str, u32)); 6] = [
    ("BeginCleanup", ("GetItem", 1)),
    ("BeginCleanup", ("TransactWriteItems", 1)),
    ("RemoveFromRoute", ("GetItem", 1)),
    ("RemoveFromRoute", ("GetItem", 2)),
    ("RemoveFromRoute", ("GetItem", 3)),
    ("CloseRun", ("GetItem", 2)),
];

/// Somebody else's write to the run, as a fault that comes right before a request.
fn takes(ground: &Ground, run_id: &str, state: &str, (operation, nth): (&str, u32)) -> Value {
    let update = json!({
        "TableName": ground.emulator.ready().journal_table,
        "Key": { "pk": { "S": format!("run#{run_id}") } },
        "UpdateExpression": "SET #owner = :somebody",
        "ExpressionAttributeNames": { "#owner": "owner" },
        "ExpressionAttributeValues": { ":somebody": { "S": SOMEBODY } },
    });
    json!([{
        "match": { "state": state, "operation": operation }, "from": nth, "do": "call",
        "call": { "service": "dynamodb", "operation": "update_item", "parameters": update },
    }])
}

/// Nothing is written by whoever has lost the run, in the state in which it was lost: what it has asked for the third time it may
/// have written before.
async fn ensure_stopped(ground: &Ground, state: &str, (_, nth): (&str, u32)) -> Result<()> {
    let requests = ground.client.requests(0).await?;
    let is_hit = |request: &&Request| request.fault.as_deref() == Some("call");
    let hit = requests.iter().rfind(is_hit).with_context(|| format!("{state} did not ask"))?;
    let is_write = |request: &&Request| {
        let is_its = request.state == hit.state && request.execution == hit.execution && request.caller == hit.caller;
        let is_done = request.status == Some(200) && WRITES.contains(&request.operation.as_str());
        is_its && is_done && (nth < 3 || request.seq > hit.seq)
    };
    let written = requests.iter().find(is_write).map(|request| request.operation.as_str());
    ensure!(written.is_none(), "{} by {state}, whose run was somebody else's", written.unwrap_or_default());
    Ok(())
}

/// A shape as the plan of an application, moved in one step.
fn plan_of(shape: &str, application: &str) -> Result<Value> {
    let shape = Shape::all().into_iter().find(|one| one.name == shape).context("no such shape")?;
    let mut plan: Value = serde_json::from_str(&shape.plan.to_string().replace(&shape.name, application))?;
    plan["cleanup"] = json!({ "after": "7000h", "delete_old_target_group": true });
    for route in plan["routes"].as_array_mut().context("no routes")? {
        route["steps"] = json!([{ "new_weight": 100, "hold": "1m" }]);
    }
    Ok(plan)
}

/// Everything that a plan can have, but for approval.
pub fn everything(application: &str) -> Result<Value> {
    let mut plan = plan_of("whole", application)?;
    plan.as_object_mut().context("the plan is no object")?.remove("approval");
    plan["database"]["drain"] = json!(true);
    Ok(plan)
}

/// The fields of a plan that are named, and no others.
fn bare(mut plan: Value, fields: &[&str]) -> Result<Value> {
    plan.as_object_mut().context("the plan is no object")?.retain(|field, _| fields.contains(&field.as_str()));
    Ok(plan)
}

/// A plan's environment, whose metrics are healthy for as long as anybody looks.
pub async fn staged(ground: &Ground, plan: &Value, world: Value) -> Result<Stage> {
    ground.client.set_events(json!({ "sweep": false })).await?;
    let stage = ground.quiet_stage(plan, world).await?;
    ground.client.keep_steady(&metrics::healthy(&stage.plan, stage.replication())).await?;
    Ok(stage)
}

fn cause(end: &Value) -> Value {
    end["cause"].as_str().and_then(|cause| serde_json::from_str(cause).ok()).unwrap_or_default()
}

async fn a_run_that_is_lost_on_its_way_forward_stops_at_the_next_fence() -> Result<()> {
    each_stops_forward(&everything("fenced")?, &FORWARD).await
}

async fn a_run_that_is_lost_does_not_pass_the_point_of_no_return() -> Result<()> {
    each_stops_forward(&plan_of("parted", "fenced")?, &PARTED).await
}

async fn each_stops_forward(plan: &Value, cases: &[Taken]) -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = staged(&ground, plan, json!({})).await?;
    let mut failures = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        if let Err(error) = stops_forward(&ground, &stage, index, case).await {
            failures.push(format!("{} {:?}: {error:#}", case.state, case.asks));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

async fn stops_forward(ground: &Ground, stage: &Stage, index: usize, case: &Taken) -> Result<()> {
    let name = format!("run-{index}");
    let run_id = ground.execution("cutover", &name);
    let before = ground.account().await?;
    ground.client.set_faults(takes(ground, &run_id, case.state, case.asks)).await?;
    ground.start("cutover", &name, &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ground.client.set_faults(json!([])).await?;
    if end["status"] == "SUCCEEDED" {
        // Nobody stopped it: the next case starts from before all the same.
        let input = json!({ "application": stage.plan["application"], "force": "Ada: back" });
        ground.start("rollback", &name, &input).await?;
    }
    let (cause, stopped) = (cause(&end), ensure_stopped(ground, case.state, case.asks).await);
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    stopped?;
    ensure!(cause["failed_state"] == case.fails, "failed in {}: {}", cause["failed_state"], end["cause"]);
    ensure!(end["cause"].as_str().is_some_and(|cause| cause.contains("Cutover.Fenced")), "{}", end["cause"]);
    ensure_same(&before, &ground.account().await?)
}

/// A run that has finished, with alarms set and health checks made.
async fn finished(ground: &Ground, application: &str) -> Result<(String, Stage, Value)> {
    let mut plan = bare(everything(application)?, &["application", "routes", "notify", "alarms", "cleanup"])?;
    let checks = json!({ "old": { "fqdn": "old.example.com" }, "new": { "fqdn": "new.example.com" } });
    plan["routes"][1]["health_checks"] = checks;
    let long = json!({ "ttl": OLD_TTL_SECONDS, "values": ["2001:db8::1"] });
    let world = json!({ "records": { format!("{application}.example.com AAAA"): long } });
    let stage = staged(ground, &plan, world).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    Ok((run_id, stage, before))
}

/// Takes the run from one execution of a machine after the other, and lets the last of them come to its end.
async fn stops_each(
    ground: &Ground,
    run_id: &str,
    machine: &str,
    input: &Value,
    cases: &[(&str, (&str, u32))],
) -> Result<()> {
    let mut failures = Vec::new();
    for (index, (state, asks)) in cases.iter().enumerate() {
        ground.client.set_faults(takes(ground, run_id, state, *asks)).await?;
        let execution = ground.start(machine, &format!("{machine}-{index}"), input).await?;
        ground.end_of(&execution, LIMIT).await?;
        let is_hit = ground.client.faults().await?[0]["hits"] == 1;
        let stopped =
            if is_hit { ensure_stopped(ground, state, *asks).await } else { Err(anyhow::anyhow!("did not ask")) };
        failures.extend(stopped.err().map(|error| format!("{state} {asks:?}: {error:#}")));
    }
    ground.client.set_faults(json!([])).await?;
    let last = ground.start(machine, &format!("{machine}-last"), input).await?;
    ground.end_of(&last, LIMIT).await?;
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

async fn a_rollback_that_loses_its_run_stops_at_the_next_fence() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (run_id, _stage, before) = finished(&ground, "undo-fenced").await?;
    let input = json!({ "application": "undo-fenced", "force": "Ada: back" });
    let stopped = stops_each(&ground, &run_id, "rollback", &input, &ROLLBACK).await;
    let over = ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await;
    let same = ensure_same(&before, &ground.account().await?);
    let requests = ground.client.requests(0).await?;
    // Each speaks for guards of its own.
    let all = [stopped, over, same, ensure_in_order(&requests), ensure_waited(&requests, &run_id)];
    let wrong: Vec<String> = all.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

async fn a_cleanup_that_loses_its_run_stops_at_the_next_fence() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (run_id, stage, _) = finished(&ground, "tidy-fenced").await?;
    let input = json!({ "application": "tidy-fenced", "now": true });
    stops_each(&ground, &run_id, "cleanup", &input, &CLEANUP).await?;
    ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
    let account = ground.account().await?;
    let old = stage.plan["routes"][0]["old_target_group_arn"].as_str().context("the old group")?;
    ensure!(account["elbv2"]["target_groups"][old].is_null(), "the old group is there at the end");
    let checks = &account["route53"]["health_checks"];
    ensure!(checks.as_object().is_none_or(serde_json::Map::is_empty), "health checks are left: {checks}");
    ensure_in_order(&ground.client.requests(0).await?)
}

/// Right before each write the run is read, and right after it what was written.
fn ensure_in_order(requests: &[Request]) -> Result<()> {
    let reads_back = |operation: &str| match operation {
        "ModifyListener" => Some("DescribeListeners"),
        "ModifyRule" => Some("DescribeRules"),
        "ChangeResourceRecordSets" => Some("ListResourceRecordSets"),
        "PutMetricAlarm" | "DeleteAlarms" => Some("DescribeAlarms"),
        _ => None,
    };
    // Of a number of health checks the first is fenced.
    let goes_with =
        |operation: &str| ["CreateHealthCheck", "DeleteHealthCheck", "ListHealthChecks"].contains(&operation);
    let (mut writes, mut wrong) = (0, Vec::new());
    for (index, write) in requests.iter().enumerate() {
        let is_write = WRITES.contains(&write.operation.as_str()) && write.operation != "TransactWriteItems";
        if !is_write || ["states", "local"].contains(&write.caller.as_str()) {
            continue;
        }
        writes += 1;
        let is_its = |other: &&Request| other.caller == write.caller && other.execution == write.execution;
        let mut before = requests[..index].iter().rev().filter(is_its);
        let is_check = goes_with(&write.operation);
        let fence = before.find(|request| !is_check || !goes_with(&request.operation));
        let fence = fence.map(|request| request.operation.as_str());
        let (by, what) = (write.state.as_deref().unwrap_or_default(), &write.operation);
        if fence != Some("GetItem") {
            wrong.push(format!("{by}: right before {what} comes {}", fence.unwrap_or("nothing")));
        }
        let after = requests[index + 1..].iter().find(is_its).map(|request| request.operation.as_str());
        if reads_back(what).is_some_and(|reads| after != Some(reads)) {
            wrong.push(format!("{by}: right after {what} comes {}", after.unwrap_or("nothing")));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(writes >= 8, "only {writes} writes");
    Ok(())
}

/// After each change of a name nobody goes on before Route 53 was asked about it; after the first, not before the longest of the
/// old answers is forgotten.
fn ensure_waited(requests: &[Request], run_id: &str) -> Result<()> {
    let ours: Vec<&Request> = requests.iter().filter(|one| one.caller != "states" && one.caller != "local").collect();
    let mut changes = 0;
    for (index, change) in ours.iter().enumerate().filter(|(_, one)| one.operation == "ChangeResourceRecordSets") {
        changes += 1;
        let state = change.state.as_deref().unwrap_or_default();
        let later: Vec<_> = ours[index..].iter().filter(|one| one.execution == change.execution).collect();
        let of_state = later.iter().take_while(|one| one.state == change.state);
        let asked = of_state.filter(|one| one.operation == "GetChange").last();
        let asked = asked.with_context(|| format!("{state}: nobody asked whether the change is in sync"))?;
        let next = later.iter().find(|one| one.state != change.state);
        let waited = next.map(|next| (next.at - asked.at) * SPEED);
        let is_first = state == "PrepareRecords" && change.execution.as_deref() == Some(run_id);
        let needed = if is_first { f64::from(OLD_TTL_SECONDS) * 0.9 } else { 0.0 };
        ensure!(waited.is_none_or(|waited| waited >= needed), "{state}: went on after {waited:?} s, not {needed}");
    }
    ensure!(changes >= 3, "only {changes} changes of names");
    ensure_unused(&ours)
}

/// A health check is deleted once Route 53 was asked about the change that took it off its record.
fn ensure_unused(ours: &[&Request]) -> Result<()> {
    let is_delete = |one: &&Request| one.operation == "DeleteHealthCheck";
    let first = ours.iter().position(is_delete).context("no health check is deleted")?;
    let before = ours[..first].iter().rev().filter(|one| one.execution == ours[first].execution);
    let mut since_change = before.take_while(|one| one.operation != "ChangeResourceRecordSets");
    ensure!(since_change.any(|one| one.operation == "GetChange"), "a health check is deleted before it is out of use");
    Ok(())
}

/// A plan of two listeners and a name of two types, bare of all else.
fn of_three_routes(application: &str) -> Result<Value> {
    let mut plan = bare(everything(application)?, &["application", "routes", "notify"])?;
    let first = &plan["routes"][0];
    let second: Value = serde_json::from_str(
        &first
            .to_string()
            .replace(&format!("{application}-"), "second-")
            .replace(&format!("/{application}/"), "/second/"),
    )?;
    plan["routes"].as_array_mut().context("no routes")?.insert(1, second);
    Ok(plan)
}

/// Between precheck and the locks of the claim: whatever changes then, of any route and any type, is seen.
async fn a_claim_looks_at_every_route_again_and_takes_every_lock() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let plan = of_three_routes("claimed")?;
    let stage = staged(&ground, &plan, json!({})).await?;
    let (routes, before) = (&stage.plan["routes"], ground.account().await?);
    let mut cases = Vec::new();
    for (index, route) in routes.as_array().into_iter().flatten().enumerate() {
        let lock = match route["listener_arn"].as_str() {
            Some(arn) => format!("listener#{arn}"),
            None => format!("record#{}#{}.", text(&route["hosted_zone_id"])?, text(&route["record_name"])?),
        };
        cases.push((format!("lock-{index}"), "TransactWriteItems", held(&ground, &lock), "Cutover.Conflict"));
        for (record, change) in others_change(route)?.into_iter().enumerate() {
            cases.push((format!("route-{index}-{record}"), "GetItem", change, "Cutover.PrecheckFailed"));
        }
    }
    cases.push((
        "lock-application".to_owned(),
        "TransactWriteItems",
        held(&ground, "application#claimed"),
        "Cutover.Conflict",
    ));
    ensure!(cases.len() == 8, "{} cases", cases.len());
    for (name, operation, call, error) in cases {
        let fault = json!([{ "match": { "state": "Claim", "operation": operation }, "do": "call", "call": call }]);
        ground.client.set_faults(fault).await?;
        let run_id = ground.start("cutover", &name, &stage.plan).await?;
        let end = ground.end_of(&run_id, LIMIT).await?;
        ensure!(end["error"] == error, "{name}: ended {}: {}", end["error"], end["cause"]);
        ensure!(ground.run(&run_id).await?.is_none(), "{name}: the run is in the journal");
        ground.ensure_no_locks(&run_id).await.context(name)?;
        put_back(&ground, &call, &before).await?;
    }
    ensure_same(&before, &ground.account().await?)
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().with_context(|| format!("{value} is no text"))
}

/// Another run takes a lock.
fn held(ground: &Ground, key: &str) -> Value {
    let item = json!({ "pk": { "S": format!("lock#{key}") }, "run_id": { "S": SOMEBODY } });
    let table = &ground.emulator.ready().journal_table;
    json!({ "service": "dynamodb", "operation": "put_item", "parameters": { "TableName": table, "Item": item } })
}

/// What somebody else may change of a route: one thing each.
fn others_change(route: &Value) -> Result<Vec<Value>> {
    if route["type"] == "listener" {
        let group = |field: &str, weight: i32| json!({ "TargetGroupArn": route[field], "Weight": weight });
        let groups = json!([group("old_target_group_arn", 99), group("new_target_group_arn", 1)]);
        let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
        let parameters = json!({ "ListenerArn": route["listener_arn"], "DefaultActions": actions });
        return Ok(vec![json!({ "service": "elbv2", "operation": "modify_listener", "parameters": parameters })]);
    }
    let records = route["records"].as_array().context("no records")?;
    Ok(records
        .iter()
        .map(|record| {
            let value = if record["type"] == "A" { "203.0.113.9" } else { "2001:db8::9" };
            let set = json!({ "Name": route["record_name"], "Type": record["type"], "TTL": 300, "ResourceRecords": [{ "Value": value }] });
            let changes = json!({ "Changes": [{ "Action": "UPSERT", "ResourceRecordSet": set }] });
            let parameters = json!({ "HostedZoneId": route["hosted_zone_id"], "ChangeBatch": changes });
            json!({ "service": "route53", "operation": "change_resource_record_sets", "parameters": parameters })
        })
        .collect())
}

/// Undoes what somebody else did.
async fn put_back(ground: &Ground, call: &Value, before: &Value) -> Result<()> {
    let given = &call["parameters"];
    let (service, operation, parameters) = match text(&call["operation"])? {
        "put_item" => {
            let key = json!({ "TableName": given["TableName"], "Key": { "pk": given["Item"]["pk"] } });
            ("dynamodb", "delete_item", key)
        }
        "modify_listener" => {
            let arn = text(&given["ListenerArn"])?;
            let actions = &before["elbv2"]["listeners"][arn]["DefaultActions"];
            ("elbv2", "modify_listener", json!({ "ListenerArn": arn, "DefaultActions": actions }))
        }
        _ => {
            let set = &given["ChangeBatch"]["Changes"][0]["ResourceRecordSet"];
            let zone = &before["route53"]["hosted_zones"][text(&given["HostedZoneId"])?]["ResourceRecordSets"];
            let is_it = |record: &&Value| {
                record["Type"] == set["Type"]
                    && record["Name"].as_str().map(|name| name.trim_end_matches('.')) == set["Name"].as_str()
            };
            let was = zone.as_object().and_then(|records| records.values().find(is_it)).context("no such record")?;
            let changes = json!({ "Changes": [{ "Action": "UPSERT", "ResourceRecordSet": was }] });
            (
                "route53",
                "change_resource_record_sets",
                json!({ "HostedZoneId": given["HostedZoneId"], "ChangeBatch": changes }),
            )
        }
    };
    ground.client.call(service, operation, parameters).await.map(drop)
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_run_that_is_lost_on_its_way_forward_stops_at_the_next_fence,
        a_run_that_is_lost_does_not_pass_the_point_of_no_return,
        a_rollback_that_loses_its_run_stops_at_the_next_fence,
        a_cleanup_that_loses_its_run_stops_at_the_next_fence,
        a_claim_looks_at_every_route_again_and_takes_every_lock,
    ]
}
