//! What a plan names in other accounts and regions than the stack's own: entered by a role each, and lost one by one.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{self, Ground, ensure_same};
use anyhow::{Context, Result, ensure};
use cutover_tests::stage::Stage;
use serde_json::{Value, json};

const SPEED: f64 = 120.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
/// What a page that is on its way takes at the most.
const SOON: Duration = Duration::from_secs(90);
/// Where the listener is, and where the zone is.
const APPLICATIONS: &str = "222222222222";
const NETWORK: &str = "333333333333";
/// Where databases are.
const DATABASES: &str = "444444444444";
/// Where hooks and topics are.
const HOOKS: &str = "555555555555";

/// The plan of `events/`: a listener in one account and region, a zone in another account, the stack in a third. Without its gates, which need
/// users: its rehearsal, in `scenarios`, has them.
async fn stage(ground: &Ground, world: &Value) -> Result<(Value, Stage)> {
    let mut given = json!({ "accounts": { APPLICATIONS: {}, NETWORK: {} } });
    given.as_object_mut().context("no object")?.extend(world.as_object().cloned().unwrap_or_default());
    let mut plan = support::plan("two-accounts")?;
    plan.as_object_mut().context("no object")?.remove("monitoring");
    let stage = ground.stage(&plan, given).await?;
    Ok((ground.account().await?, stage))
}

/// Every rule that hits all that is asked of an account.
fn lost(account: &str) -> Value {
    json!([{ "match": { "account": account }, "times": null, "do": "before", "error": "AccessDenied",
        "message": "the account has put Cutover out", "status": 403 }])
}

async fn a_cutover_of_a_listener_and_a_zone_in_two_accounts_and_two_regions_succeeds() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (_, stage) = stage(&ground, &json!({})).await?;
    let run = ground.start("cutover", "two-accounts", &stage.plan).await?;
    let ended = ground.end_of(&run, LIMIT).await?;
    ensure!(ended["status"] == "SUCCEEDED", "{ended}");
    let requests = ground.client.requests(0).await?;
    let of = |service: &str| -> BTreeSet<&str> {
        let writes = requests.iter().filter(|request| request.service == service && request.caller != "local");
        writes
            .filter(|request| request.operation.starts_with("Modify") || request.operation.starts_with("Change"))
            .map(|request| request.account.as_str())
            .collect()
    };
    ensure!(of("elasticloadbalancing") == BTreeSet::from([APPLICATIONS]), "{:?}", of("elasticloadbalancing"));
    ensure!(of("route53") == BTreeSet::from([NETWORK]), "{:?}", of("route53"));
    let assumed = requests.iter().filter(|request| request.operation == "AssumeRole");
    let accounts: BTreeSet<&str> = assumed.clone().map(|request| request.account.as_str()).collect();
    ensure!(accounts == BTreeSet::from([APPLICATIONS, NETWORK]), "{accounts:?}");
    let measured = requests.iter().filter(|request| request.caller == "report" && request.operation == "GetMetricData");
    let asked: BTreeSet<&str> = measured.map(|request| request.account.as_str()).collect();
    ensure!(asked.contains(APPLICATIONS), "the report did not look where the load balancer is: {asked:?}");
    // Each of the functions that enter them once for each account, whatever it is called.
    let callers: BTreeSet<(&str, &str)> =
        assumed.clone().map(|request| (request.caller.as_str(), request.account.as_str())).collect();
    ensure!(assumed.count() <= 2 * callers.len(), "sessions are not kept");
    Ok(())
}

async fn a_plan_of_one_account_assumes_no_role() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&support::listener_plan("at-home", json!([{ "new_weight": 100 }])), json!({})).await?;
    let run = ground.start("cutover", "at-home", &stage.plan).await?;
    let ended = ground.end_of(&run, LIMIT).await?;
    ensure!(ended["status"] == "SUCCEEDED", "{ended}");
    let requests = ground.client.requests(0).await?;
    ensure!(!requests.iter().any(|request| request.service == "sts"), "somebody called STS");
    Ok(())
}

async fn a_role_that_cannot_be_assumed_is_a_finding_of_precheck() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let denied = json!({ "deny": [{ "action": "sts:AssumeRole", "account": NETWORK }] });
    let (before, stage) = stage(&ground, &denied).await?;
    let run = ground.start("cutover", "denied", &stage.plan).await?;
    let ended = ground.end_of(&run, LIMIT).await?;
    ensure!(ended["error"] == "Cutover.PrecheckFailed", "{ended}");
    let cause = ended["cause"].as_str().unwrap_or_default();
    for part in ["$.routes[1]", "sts:AssumeRole arn:aws:iam::333333333333:role/cutover-access", "CutoverAccess"] {
        ensure!(cause.contains(part), "no {part} in {cause}");
    }
    ensure!(!cause.contains("$.routes[0]"), "the other account is as it should be: {cause}");
    ensure_same(&before, &ground.account().await?)
}

async fn an_account_without_a_role_is_a_finding_that_says_what_to_deploy() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (_, stage) = stage(&ground, &json!({})).await?;
    let mut plan = stage.plan.clone();
    plan["routes"][1]["account"] = json!("999999999999");
    let run = ground.start("cutover", "unknown", &plan).await?;
    let ended = ground.end_of(&run, LIMIT).await?;
    ensure!(ended["error"] == "Cutover.PrecheckFailed", "{ended}");
    let cause = ended["cause"].as_str().unwrap_or_default();
    for part in ["$.routes[1].account", "999999999999", "deploy the stack CutoverAccess in the account 999999999999"] {
        ensure!(cause.contains(part), "no {part} in {cause}");
    }
    Ok(())
}

/// The listener has moved, the name is on its way, and the listener's account puts the stack out.
async fn access_that_is_lost_in_the_middle_leaves_that_account_alone_and_says_as_whom_to_go_there() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (before, stage) = stage(&ground, &json!({})).await?;
    let run = ground.start("cutover", "lost", &stage.plan).await?;
    ground.wait_for_state(&run, "ShiftWeight", LIMIT).await?;
    ground.client.set_faults(lost(APPLICATIONS)).await?;
    let page = ground.page("CRITICAL: cutover of billing is stuck", LIMIT).await?;
    ensure!(ground.phase(&run).await? == "stuck", "it is {}", ground.phase(&run).await?);
    for part in [
        "aws elbv2 modify-listener",
        "--region eu-central-1",
        "--profile 222222222222",
        "in the account 222222222222, region eu-central-1",
        "Cutover goes there as arn:aws:iam::222222222222:role/cutover-access",
    ] {
        ensure!(page.contains(part), "no {part} in {page}");
    }
    ensure!(!page.contains("aws route53 change-resource-record-sets"), "the zone was put back: {page}");
    let after = ground.account().await?;
    ensure!(before["elbv2"] != after["elbv2"], "the listener is out of reach");
    ensure_same(&before["route53"], &after["route53"])
}

/// A session that ends before its time, and a call for a new one that has to wait, are nobody's trouble.
async fn a_session_that_ends_and_a_call_that_is_throttled_hold_nobody_up() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (_, stage) = stage(&ground, &json!({})).await?;
    let expired = |caller, account, from| expired(("ExpiredToken", 403), caller, account, from);
    let rules = json!([
        slow(NETWORK, 8),
        expired("listener-swap", APPLICATIONS, 4),
        expired("weight-shift", NETWORK, 4),
        expired("monitor", APPLICATIONS, 3)
    ]);
    succeeds_all_the_same(&ground, "expired", &stage, rules).await.map(drop)
}

/// A session of a function in an account that AWS says has expired, at its so many-th request there.
fn expired((error, status): (&str, u16), caller: &str, account: &str, from: u32) -> Value {
    json!({ "match": { "caller": caller, "account": account }, "from": from, "do": "before", "error": error,
        "message": "The security token included in the request is expired", "status": status })
}

/// Calls for a session in an account that have to wait.
fn slow(account: &str, times: u32) -> Value {
    json!({ "match": { "service": "sts", "account": account }, "times": times, "do": "before", "error": "Throttling",
        "message": "Rate exceeded", "status": 400 })
}

/// A run under faults, each of which hits something. Answers how it ended.
async fn succeeds_all_the_same(ground: &Ground, name: &str, stage: &Stage, rules: Value) -> Result<Value> {
    ground.client.set_faults(rules).await?;
    let run = ground.start("cutover", name, &stage.plan).await?;
    let ended = ground.end_of(&run, LIMIT).await?;
    ensure!(ended["status"] == "SUCCEEDED", "{ended}");
    for fault in ground.client.faults().await? {
        ensure!(fault["hits"].as_u64() > Some(0), "it hit nothing: {fault}");
    }
    Ok(ended)
}

/// A replication there and one back, in an account of their own and another region, whose lag is told where they are.
fn replicated() -> (Value, Value) {
    let arn = |id: &str| format!("arn:aws:dms:eu-central-1:{DATABASES}:task:{id}");
    let mut plan = support::listener_plan("replicated", json!([{ "new_weight": 100, "hold": "2m" }]));
    plan["database"] = json!({ "replication_task_arn": arn("FORWARD"), "reverse_replication_task_arn": arn("BACK"), "samples": 1,
        "interval": "60s" });
    (plan, json!({ "accounts": { DATABASES: {} }, "replication": { "lag_seconds": [[0, 2]] } }))
}

async fn a_database_in_another_account_and_region_has_to_catch_up_there() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (plan, world) = replicated();
    let stage = ground.stage(&plan, world).await?;
    let _metrics = stage.publish_metrics(stage.clock());
    let run = ground.start("cutover", "replicated", &stage.plan).await?;
    let ended = ground.end_of(&run, LIMIT).await?;
    ensure!(ended["status"] == "SUCCEEDED", "{ended}");
    let requests = ground.client.requests(0).await?;
    let asked = |caller: &str, operation: &str| {
        let calls = requests.iter().filter(|request| request.caller == caller && request.operation == operation);
        calls.map(|request| request.account.as_str()).collect::<BTreeSet<_>>()
    };
    for caller in ["precheck", "replication-lag"] {
        let accounts = asked(caller, "DescribeReplicationTasks");
        ensure!(accounts == BTreeSet::from([DATABASES]), "{caller} asked {accounts:?}");
        ensure!(asked(caller, "GetMetricData").contains(DATABASES), "{caller} read the lag elsewhere");
    }
    Ok(())
}

async fn a_way_back_whose_account_is_lost_holds_the_rollback() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (plan, world) = replicated();
    let stage = ground.stage(&plan, world).await?;
    let _metrics = stage.publish_metrics(stage.clock());
    let run = ground.start("cutover", "no-way-back", &stage.plan).await?;
    ground.wait_for_state(&run, "Monitor", LIMIT).await?;
    ground.client.set_faults(lost(DATABASES)).await?;
    ground.client.call("stepfunctions", "stop_execution", json!({ "executionArn": run })).await?;
    let page = ground.page("ACTION NEEDED: cutover of replicated", SOON).await?;
    for part in ["the replication back", "cannot be seen", "may be missing on the old side"] {
        ensure!(page.contains(part), "no {part} in {page}");
    }
    Ok(())
}

/// The plan of `events/` whose listener, zone, database with its alarm, and hooks with the topic are in an account each.
async fn four(ground: &Ground, world: Value) -> Result<(Value, Stage, tokio::task::JoinSet<()>)> {
    let mut given = json!({ "accounts": { APPLICATIONS: {}, NETWORK: {}, DATABASES: {}, HOOKS: {} },
        "replication": { "lag_seconds": [[0, 2]] } });
    given.as_object_mut().context("no object")?.extend(world.as_object().cloned().unwrap_or_default());
    let mut plan = support::plan("four-accounts")?;
    plan["monitoring"].as_object_mut().context("no object")?.remove("metrics");
    let stage = ground.stage(&plan, given).await?;
    let metrics = stage.publish_metrics(stage.clock());
    Ok((ground.account().await?, stage, metrics))
}

async fn a_cutover_in_four_accounts_and_two_regions_succeeds_each_with_the_role_of_its_own() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (_, stage, _metrics) = four(&ground, json!({})).await?;
    let run = ground.start("cutover", "four", &stage.plan).await?;
    let ended = ground.end_of(&run, LIMIT).await?;
    ensure!(ended["status"] == "SUCCEEDED", "{ended}");
    let requests = ground.client.requests(0).await?;
    let of = |operation: &str| {
        let made = requests.iter().filter(|request| request.operation == operation && request.caller != "local");
        made.map(|request| request.account.as_str()).collect::<BTreeSet<_>>()
    };
    for (operation, accounts) in [
        ("ModifyListener", BTreeSet::from([APPLICATIONS])),
        ("ChangeResourceRecordSets", BTreeSet::from([NETWORK])),
        ("DescribeReplicationTasks", BTreeSet::from([DATABASES])),
        ("PutMetricAlarm", BTreeSet::from([APPLICATIONS])),
        ("DescribeAlarms", BTreeSet::from([APPLICATIONS, DATABASES])),
        ("GetPolicy", BTreeSet::from([HOOKS])),
    ] {
        ensure!(of(operation) == accounts, "{operation} in {:?}", of(operation));
    }
    ensure!(of("Invoke").contains(HOOKS), "no hook was invoked where it is");
    let after = ground.account().await?;
    let alarm = "arn:aws:cloudwatch:eu-central-1:222222222222:alarm:ledger-new-5xx";
    ensure!(after["cloudwatch"]["alarms"][alarm].is_object(), "{}", after["cloudwatch"]);
    Ok(())
}

async fn what_is_in_four_accounts_is_put_back_in_all_of_them() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (before, stage, _metrics) = four(&ground, json!({})).await?;
    let run = ground.start("cutover", "four-back", &stage.plan).await?;
    ground.wait_for_phase(&run, "finished", LIMIT).await?;
    ground.end_of(&run, LIMIT).await?;
    let back = ground.start("rollback", "four-back", &json!({ "application": "ledger" })).await?;
    let ended = ground.end_of(&back, LIMIT).await?;
    ensure!(ended["status"] == "SUCCEEDED", "{ended}");
    ensure!(ground.phase(&run).await? == "rolled_back", "it is {}", ground.phase(&run).await?);
    ensure_same(&before, &ground.account().await?)
}

/// All is moved and set, and then an account puts the stack out: what is in the others is put back.
async fn lost_on_the_way_back(account: &'static str, parts: &[&str]) -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (before, stage, _metrics) = four(&ground, json!({})).await?;
    let run = ground.start("cutover", "four-lost", &stage.plan).await?;
    ground.wait_for_phase(&run, "finished", LIMIT).await?;
    ground.end_of(&run, LIMIT).await?;
    ground.client.set_faults(lost(account)).await?;
    ground.start("rollback", "four-lost", &json!({ "application": "ledger" })).await?;
    ground.wait_for_phase(&run, "stuck", LIMIT).await?;
    let ending = ground.run(&run).await?.context("no run")?.to_string();
    for part in parts {
        ensure!(ending.contains(part), "no {part} in {ending}");
    }
    ensure_same(&before["route53"], &ground.account().await?["route53"])
}

async fn an_alarm_whose_account_is_lost_is_left_with_its_command_and_as_whom() -> Result<()> {
    let parts = [
        "aws cloudwatch delete-alarms --region eu-central-1",
        "aws elbv2 modify-listener",
        "--profile 222222222222",
        "Cutover goes there as arn:aws:iam::222222222222:role/cutover-access",
    ];
    lost_on_the_way_back(APPLICATIONS, &parts).await
}

async fn a_hook_whose_account_is_lost_is_owed_with_its_command_and_as_whom() -> Result<()> {
    let parts = [
        "resume hook ledger-read-only-off",
        "aws lambda invoke --function-name arn:aws:lambda:eu-west-1:555555555555:function:ledger-read-only-off --region eu-west-1",
        "--profile 555555555555",
        "in the account 555555555555, region eu-west-1",
    ];
    lost_on_the_way_back(HOOKS, &parts).await
}

/// Of a database and of alarms: sessions that end before their time, and a call for one that has to wait.
async fn sessions_of_databases_and_alarms_that_end_hold_nobody_up() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (_, stage, _metrics) = four(&ground, json!({})).await?;
    let expired = |caller, account, from| expired(("ExpiredTokenException", 400), caller, account, from);
    let rules = json!([
        slow(DATABASES, 4),
        expired("replication-lag", DATABASES, 4),
        expired("alarms", APPLICATIONS, 2),
        expired("monitor", DATABASES, 2)
    ]);
    let ended = succeeds_all_the_same(&ground, "four-expired", &stage, rules).await?;
    ensure!(!ended["output"].as_str().unwrap_or_default().contains("was not set"), "{ended}");
    Ok(())
}

/// Precheck was let in, and the gate is not.
async fn a_role_that_is_denied_in_the_middle_turns_the_run_back() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (before, stage, _metrics) = four(&ground, json!({})).await?;
    let denied = json!([{ "match": { "service": "sts", "caller": "replication-lag" }, "times": null, "do": "before",
        "error": "AccessDenied", "message": "no longer", "status": 403 }]);
    ground.client.set_faults(denied).await?;
    let run = ground.start("cutover", "four-denied", &stage.plan).await?;
    let ended = ground.end_of(&run, LIMIT).await?;
    ensure!(ended["error"] == "Cutover.RolledBack", "{ended}");
    let cause = ended["cause"].as_str().unwrap_or_default();
    ensure!(cause.contains("sts:AssumeRole arn:aws:iam::444444444444:role/cutover-access"), "{cause}");
    ensure_same(&before, &ground.account().await?)
}

/// Before anything is touched, all at once.
async fn precheck_finds_what_refuses_the_stack_in_another_account() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (_, stage, _metrics) = four(
        &ground,
        json!({ "accounts": { APPLICATIONS: {}, NETWORK: {}, DATABASES: {}, HOOKS: { "closed": true } } }),
    )
    .await?;
    let mut plan = stage.plan.clone();
    plan["mode"] = json!("precheck");
    plan["alarms"][0]["AlarmActions"] = json!(["arn:aws:sns:eu-west-1:123456789012:cutover-pages"]);
    let nobodys = json!("arn:aws:cloudwatch:eu-central-1:999999999999:alarm:nobodys");
    plan["monitoring"]["alarms"].as_array_mut().context("no alarms")?.push(nobodys);
    plan["hooks"]["before_traffic"] =
        json!([{ "function_arn": "arn:aws:lambda:eu-central-1:555555555555:function:far" }]);
    let run = ground.start("cutover", "refused", &plan).await?;
    let ended = ground.end_of(&run, LIMIT).await?;
    ensure!(ended["error"] == "Cutover.PrecheckFailed", "{ended}");
    let cause = ended["cause"].as_str().unwrap_or_default();
    for part in [
        "its policy lets nobody of the account 123456789012 publish",
        "aws lambda add-permission --function-name arn:aws:lambda:eu-west-1:555555555555:function:ledger-read-only-on",
        "$.alarms[0].AlarmActions[0]",
        "CloudWatch takes actions of the alarm's own region alone",
        "$.monitoring.alarms[1]",
        "deploy the stack CutoverAccess in the account 999999999999",
        "$.hooks.before_traffic[0].function_arn",
        "is in eu-central-1, and this run is in eu-west-1",
    ] {
        ensure!(cause.contains(part), "no {part} in {cause}");
    }
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_cutover_of_a_listener_and_a_zone_in_two_accounts_and_two_regions_succeeds,
        a_plan_of_one_account_assumes_no_role,
        a_role_that_cannot_be_assumed_is_a_finding_of_precheck,
        an_account_without_a_role_is_a_finding_that_says_what_to_deploy,
        access_that_is_lost_in_the_middle_leaves_that_account_alone_and_says_as_whom_to_go_there,
        a_session_that_ends_and_a_call_that_is_throttled_hold_nobody_up,
        a_database_in_another_account_and_region_has_to_catch_up_there,
        a_way_back_whose_account_is_lost_holds_the_rollback,
        a_cutover_in_four_accounts_and_two_regions_succeeds_each_with_the_role_of_its_own,
        what_is_in_four_accounts_is_put_back_in_all_of_them,
        an_alarm_whose_account_is_lost_is_left_with_its_command_and_as_whom,
        a_hook_whose_account_is_lost_is_owed_with_its_command_and_as_whom,
        sessions_of_databases_and_alarms_that_end_hold_nobody_up,
        a_role_that_is_denied_in_the_middle_turns_the_run_back,
        precheck_finds_what_refuses_the_stack_in_another_account,
    ]
}
