//! Each role of the template allows exactly the actions that recorded runs have needed: none is missing, none unused. With
//! `--nocapture` it prints the roles as a Markdown table: actions, resources, and the keys of conditions.
//!
//! Left out are `logs:` and `xray:`: the emulated functions and machines write neither logs nor traces through AWS's APIs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::locked::{alarm, fill, garble, make_large_alarms};
use crate::support::template::{STACK, synthesize};
use crate::support::{self, Ground, dns_plan, listener_plan, plan};
use anyhow::{Context, Result, ensure};
use cutover_tests::stage::Stage;
use cutover_tests::{follow, pages};
use jiff::SignedDuration;
use serde_json::{Value, json};
use waves::ending::Ending;
use waves::state::State;

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(600);
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:cutover-pages";

/// The secret with a chat's address; its ARN has six letters more.
const CHAT: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-chat";

/// The secret with headers of a load test, as the plan names it.
const HEADERS: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-load";

type Actions = BTreeMap<String, BTreeSet<String>>;

async fn roles_allow_what_recorded_runs_need_and_nothing_else() -> Result<()> {
    let hooks = ["smoke-test", "pause-batch-jobs", "resume-batch-jobs"]
        .map(|hook| format!("arn:aws:lambda:eu-west-1:123456789012:function:portal-{hook}"))
        .join(",");
    let hosts = "loadTestHosts=127.0.0.1";
    let schedules = json!([{ "name": "shop", "at": "2100-03-01T02:00:00", "input": {} }]);
    let mails = ["mailFrom=cutover@example.com", "mailTo=example.com"].map(str::to_owned);
    let told = [&mails[..], &[format!("webhookSecretArns={CHAT}-??????")]].concat();
    let pages = "answers=true".to_owned();
    let on_call = json!([{ "name": "on-call", "format": "technical", "moments": ["incident"],
        "channels": [{ "type": "sns", "topic_arn": TOPIC }] }]);
    let context = [
        format!("hookFunctionArns={hooks}"),
        format!("schedules={schedules}"),
        hosts.to_owned(),
        pages,
        format!("stakeholders={on_call}"),
    ];
    let secret = [format!("loadTestSecretArns={HEADERS}-??????")];
    let incidents = ["incidents={}".to_owned()];
    let lists = ["topicArns=*", "alarmActions=*", "userPoolArns=*"].map(str::to_owned);
    let context = [&context[..], &told, &secret, &incidents, &lists].concat();
    let template = synthesize("permissions", &context.iter().map(String::as_str).collect::<Vec<_>>())?;
    let ground = Ground::from(SPEED, template.clone()).await?;

    a_delivered_and_an_undelivered_schedule(&ground).await?;
    // The first stage of an account keeps the plan's names, by which the stack was told of the hooks.
    let stage = stage_with_everything(&ground).await?;
    tokio::try_join!(
        there_back_and_there_again(&ground, &stage),
        a_rule_stopped_then_moved(&ground),
        a_failing_run(&ground),
        an_incident_that_outlives_an_execution(&ground),
        a_programme_planned_anew(&ground),
        a_wave_that_nobody_agrees_to(&ground),
        a_wave_that_a_freeze_holds_and_a_person_puts_back(&ground),
        a_look_at_a_checked_name(&ground),
        a_name_that_leads_to_a_balancer(&ground),
        a_conflict_after_the_approval(&ground),
        a_stop_with_no_way_back(&ground),
        a_stop_with_a_way_back(&ground, ("task", "replication-config")),
        a_stop_with_a_way_back(&ground, ("replication-config", "task")),
    )?;
    a_delivered_and_an_undelivered_wave(&ground).await?;
    a_timeline_with_a_precheck_and_a_digest(&ground).await?;
    a_yes_and_a_no_by_a_page(&ground).await?;
    a_rollback_that_the_sweep_gives_up(&ground).await?;

    let statements = statements(&template)?;
    println!("{}", table(&statements));
    let used = used(&ground, &template).await?;
    ensure!(!statements.is_empty(), "the template has no roles");
    compare(&allowed(&statements), &used)
}

/// The plan in it is wrong: that is for `cutover` to say. The second delivery finds Step Functions out of order.
async fn a_delivered_and_an_undelivered_schedule(ground: &Ground) -> Result<()> {
    ground.client.fire_schedule("shop").await?;
    let run_id = ground.execution("cutover", "shop-21000301T020000");
    support::wait_for("the scheduled run", LIMIT, async || Ok(ground.describe(&run_id).await.ok())).await?;
    let out_of_order =
        json!({ "match": { "caller": "scheduler", "operation": "StartExecution" }, "times": 1, "do": "before" });
    ground.client.set_faults(json!([out_of_order])).await?;
    let delivery = ground.client.fire_schedule("shop").await?;
    ensure!(delivery["dead_letter"] == true, "not in the dead-letter queue: {delivery}");
    Ok(())
}

/// The schedule of a programme's wave, the same way.
async fn a_delivered_and_an_undelivered_wave(ground: &Ground) -> Result<()> {
    let group = json!({ "GroupName": "cutover-programmes" });
    let listed = ground.client.call("scheduler", "list_schedules", group).await?;
    let name = listed["Schedules"][0]["Name"].as_str().context("no schedule of a wave")?;
    let delivery = ground.client.fire_schedule(name).await?;
    ensure!(delivery["delivered"] == true, "not delivered: {delivery}");
    let out_of_order =
        json!({ "match": { "caller": "scheduler", "operation": "StartExecution" }, "times": 1, "do": "before" });
    ground.client.set_faults(json!([out_of_order])).await?;
    let delivery = ground.client.fire_schedule(name).await?;
    ensure!(delivery["dead_letter"] == true, "not in the dead-letter queue: {delivery}");
    Ok(())
}

/// The default plan with all that it leaves out.
async fn stage_with_everything(ground: &Ground) -> Result<Stage> {
    let mut plan = plan("cutover")?;
    plan["routes"][0]["steps"] = json!([{ "new_weight": 100 }]);
    plan["routes"][1]["steps"] = json!([{ "new_weight": 100 }]);
    plan["routes"][1]["health_checks"] =
        json!({ "old": { "fqdn": "old.example.com" }, "new": { "fqdn": "new.example.com" } });
    plan["monitoring"]["alarms"] = json!(["portal-errors"]);
    plan["alarms"][0]["Tags"] = json!([{ "Key": "team", "Value": "portal" }]);
    let cpu = json!({ "name": "CPU, percent", "namespace": "AWS/ECS", "metric_name": "CPUUtilization", "statistic": "Average", "max": 80 });
    plan["validation"] = json!({ "limits": [cpu], "on_violation": "report" });
    plan["cleanup"] = json!({ "after": "240h" });
    plan["load_test"]["headers_secret_arn"] = json!(format!("{HEADERS}-AbCdEf"));
    // What they were before goes to items of their own.
    let large = ["large", "larger", "largest", "even-larger"].map(str::to_owned);
    let alarms = plan["alarms"].as_array_mut().context("no alarms")?;
    alarms.extend(large.iter().map(|name| alarm(name)));
    let stage = ground.stage(&plan, json!({})).await?;
    make_large_alarms(ground, &large).await?;
    Ok(stage)
}

/// Moved, put back by itself, moved again, and cleaned up.
async fn there_back_and_there_again(ground: &Ground, stage: &Stage) -> Result<()> {
    let _metrics = stage.publish_metrics(stage.clock());
    let mut plan = with_own_topic(&stage.plan);
    plan["cleanup"] = json!({ "after": "24h" });
    let held_up =
        json!({ "match": { "caller": "states", "state": "TakeBaseline" }, "times": 1, "do": "delay", "seconds": 5 });
    ground.client.set_faults(json!([held_up])).await?;
    let run_id = ground.start("cutover", "there", &plan).await?;
    ground.wait_for_state(&run_id, "TakeBaseline", LIMIT).await?;
    fill(ground, &run_id).await?; // baseline makes room
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    let second = ground.start("cutover", "beside", &plan).await?;
    let end = ground.end_of(&second, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Conflict", "ended {} {}", end["error"], end["cause"]);
    fill(ground, &run_id).await?; // the monitor makes room for what it counts
    succeeded(ground, &run_id).await?;
    let nobody = ground.start("rollback", "nobody", &json!({ "application": "nobody" })).await?;
    let end = ground.end_of(&nobody, LIMIT).await?;
    ensure!(end["error"] == "Cutover.InvalidGesture", "ended {} {}", end["error"], end["cause"]);
    // The cleanup that waits sees the new side fail, and starts the rollback.
    let state =
        |state: &str| json!({ "AlarmName": "portal-errors", "StateValue": state, "StateReason": "set by the test" });
    ground.client.call("cloudwatch", "set_alarm_state", state("ALARM")).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ground.client.call("cloudwatch", "set_alarm_state", state("OK")).await?;

    plan["cleanup"] = json!({ "after": "1h", "delete_old_target_group": true });
    let run_id = ground.start("cutover", "there-again", &plan).await?;
    succeeded(ground, &run_id).await?;
    fill(ground, &run_id).await?; // cleanup makes room
    ground.wait_for_phase(&run_id, "closed", LIMIT).await
}

/// Agreed to, then planned anew with one wave less and another rule: schedules are made, changed and removed.
async fn a_programme_planned_anew(ground: &Ground) -> Result<()> {
    let moving = |name: &str| json!({ "name": name, "strategy": "rehost", "owner": "Web", "cutover_plan": format!("plans/{name}.json") });
    let mut portfolio = json!({
        "name": "anew",
        "calendar": { "start": "2100-03-01", "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "10h" }] },
        "applications": [moving("one"), moving("two")],
        "dependencies": [{ "first": "one", "then": "two", "kind": "not_before_days", "days": 7 }],
    });
    let object = |key: &str, value: &Value| json!({ "Bucket": "cutover-reports-123456789012-eu-west-1", "Key": key, "Body": value.to_string() });
    ground.client.call("s3", "put_object", object("portfolios/anew.json", &portfolio)).await?;
    ground
        .client
        .call("s3", "put_object", object("plans/one.json", &listener_plan("one", json!([{ "new_weight": 100 }]))))
        .await?;
    let asked = json!({ "portfolio_from": "portfolios/anew.json", "approval": { "topic_arn": TOPIC } });
    let first = ground.start("program", "anew-first", &asked).await?;
    let message = ground.page("[Cutover] anew: schedule these waves?", LIMIT).await?;
    let answer =
        json!({ "taskToken": token_in(&message)?, "output": json!({ "by": "Ada", "why": "it fits" }).to_string() });
    ground.client.call("stepfunctions", "send_task_success", answer).await?;
    succeeded(ground, &first).await?;
    portfolio["applications"].as_array_mut().context("no applications")?.truncate(1);
    portfolio["dependencies"] = json!([]);
    let again = ground.start("program", "anew-again", &json!({ "portfolio": portfolio, "start_before": "1h" })).await?;
    succeeded(ground, &again).await
}

/// Its schedule begins it; then it is looked at on days of its month: a week before, when a precheck runs, and on the next morning, when a digest is due.
async fn a_timeline_with_a_precheck_and_a_digest(ground: &Ground) -> Result<()> {
    let group = json!({ "GroupName": "cutover-programmes" });
    let listed = ground.client.call("scheduler", "list_schedules", group).await?;
    let names = listed["Schedules"].as_array().into_iter().flatten().filter_map(|one| one["Name"].as_str());
    let name = names.into_iter().find(|name| name.ends_with(".timeline")).context("no schedule of a timeline")?;
    let date = name.split('.').nth(1).context("no date")?.to_owned();
    let delivery = ground.client.fire_schedule(name).await?;
    ensure!(delivery["delivered"] == true, "not delivered: {delivery}");
    let execution = ground.execution("timeline", &format!("anew-{date}-timeline"));
    ground.wait_for_state(&execution, "LookWait", LIMIT).await?;
    // Waits take hours of its month; somebody else looks meanwhile, for the same execution.
    let look = async |days: i64, minutes: i64| -> Result<Value> {
        let opens: jiff::Timestamp = format!("{date}T20:00:00Z").parse()?;
        let at = opens - SignedDuration::from_hours(24 * days) + SignedDuration::from_mins(minutes);
        let request = json!({ "action": "look", "execution_arn": execution, "wave": format!("anew-{date}"), "at": at });
        let parameters = json!({ "FunctionName": "cutover-timeline", "Payload": request.to_string() });
        let answer = ground.client.call("lambda", "invoke", parameters).await?;
        let answer: Value = serde_json::from_str(answer["Payload"].as_str().unwrap_or_default())?;
        ensure!(answer["errorMessage"].is_null(), "{answer}");
        Ok(answer)
    };
    let week = look(7, 0).await?;
    ensure!(week["started"] == json!(["one"]), "no precheck: {week}");
    look(7, 1).await?;
    let morning = look(6, 0).await?;
    let told = morning["told"].to_string();
    ensure!(told.contains("digest"), "no digest: {morning}");
    let tick = json!({ "of": format!("anew-{date}"), "tick": { "item": "war-room", "by": "Ada" } });
    succeeded(ground, &ground.start("timeline", "ticked", &tick).await?).await?;
    // It would wait for years of this test's time.
    let stop = json!({ "executionArn": execution });
    ground.client.call("stepfunctions", "stop_execution", stop).await.map(drop)
}

/// The token in the commands of a message.
fn token_in(message: &str) -> Result<&str> {
    let token = message.lines().find_map(|line| line.trim().strip_prefix("TOKEN="));
    token.map(|token| token.trim_matches('\'')).context("no token")
}

/// How a wave stands.
async fn wave(ground: &Ground, name: &str) -> Result<State> {
    let key = json!({ "pk": { "S": format!("wave#{name}") } });
    let get = json!({ "TableName": ground.emulator.ready().journal_table, "Key": key, "ConsistentRead": true });
    support::wait_for(&format!("the wave {name}"), LIMIT, async || {
        let answer = ground.client.call("dynamodb", "get_item", get.clone()).await?;
        answer["Item"]["wave"]["S"].as_str().map(|text| serde_json::from_str(text).context("a wave")).transpose()
    })
    .await
}

/// Those who are asked say no, by the page.
async fn a_wave_that_nobody_agrees_to(ground: &Ground) -> Result<()> {
    let asking = json!({
        "wave": "asking", "timeout": "30d", "approval": { "topic_arn": TOPIC, "within": "6d" },
        "applications": [{ "name": "phone", "tasks": [{ "what": "switch it off" }] }],
    });
    let execution = ground.start("wave", "asking", &asking).await?;
    let message = ground.page("Approval wanted: wave asking", LIMIT).await?;
    let link = pages::link_in(&message).with_context(|| format!("no link in {message}"))?;
    let page = pages::Browser::open()?.answer(link, "Ada", "not this week", "reject").await?;
    ensure!(page.shows("The wave ends, or goes back, by it."), "{}", page.html);
    let end = ground.end_of(&execution, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Rejected", "ended {} {}", end["error"], end["cause"]);
    Ok(())
}

/// Held by a freeze in the middle of its move, and then put back; another one waits for a person for so long that another execution goes on with it.
async fn a_wave_that_a_freeze_holds_and_a_person_puts_back(ground: &Ground) -> Result<()> {
    let patient = json!({ "wave": "patient", "timeout": "30d", "applications": [{ "name": "fax", "tasks": [{ "what": "switch it off" }] }] });
    let first = ground.start("wave", "patient", &patient).await?;
    // The machines' own time.
    let now = wave(ground, "patient").await?.opened_at;
    let later = |minutes: i64| (now + SignedDuration::from_mins(minutes)).to_string();
    let mut plan = listener_plan("waved", json!([{ "new_weight": 50, "hold": "6d" }, { "new_weight": 100 }]));
    plan["timeout"] = json!("7d");
    plan["monitoring"] = json!({ "interval": "1h" });
    let stage = ground.stage(&plan, json!({})).await?;
    let plan = with_own_topic(&stage.plan).to_string();
    let object = json!({ "Bucket": "cutover-reports-123456789012-eu-west-1", "Key": "plans/waved.json", "Body": plan });
    ground.client.call("s3", "put_object", object).await?;
    let freeze = json!({ "name": "sale", "from": later(1_000), "to": later(9_000) });
    let held = json!({
        "wave": "held", "timeout": "30d", "freezes": [freeze], "notify": { "topic_arn": TOPIC },
        "applications": [{ "name": "waved", "cutover_from": "plans/waved.json", "takes": "1m" }],
    });
    ground.start("wave", "held", &held).await?;
    ground.page("Wave held has begun", LIMIT).await?;
    let wait = async |what: &str, is_so: fn(&State) -> bool| {
        support::wait_for(what, LIMIT, async || Ok(is_so(&wave(ground, "held").await?).then_some(()))).await
    };
    wait("the freeze to hold the run", |state| state.members[0].is_held).await?;
    let back = json!({ "of": "held", "roll_back": { "by": "Ada", "why": "it is only a test" } });
    ground.end_of(&ground.start("wave", "back", &back).await?, LIMIT).await?;
    wait("the wave to be put back", |state| state.ending == Some(Ending::RolledBack)).await?;
    let end = ground.end_of(&first, LIMIT).await?;
    ensure!(
        end["output"].as_str().is_some_and(|output| output.contains("followed")),
        "the first execution ended {end}"
    );
    let stop = json!({ "of": "patient", "stop": { "by": "Ada", "why": "it is only a test" } });
    ground.end_of(&ground.start("wave", "stop", &stop).await?, LIMIT).await.map(drop)
}

/// So long that another execution goes on with it.
async fn an_incident_that_outlives_an_execution(ground: &Ground) -> Result<()> {
    let open = json!({ "open": { "severity": "low", "title": "Logins are slow", "by": "Ada" } });
    let first = ground.start("incident", "long", &open).await?;
    let end = ground.end_of(&first, LIMIT).await?;
    let output: Value = serde_json::from_str(end["output"].as_str().unwrap_or("null"))?;
    ensure!(output["followed"] == 1, "the first execution ended {end}");
    let update = json!({ "incident": output["incident"], "update": { "by": "Ada", "text": "we are at it" } });
    let said = ground.start("incident", "said", &update).await?;
    ensure!(ground.end_of(&said, LIMIT).await?["status"] == "SUCCEEDED", "not said");
    let id = output["incident"].as_str().context("no incident")?;
    let message = ground.page(&format!("Incident {id}: Logins are slow"), LIMIT).await?;
    let link = pages::link_in(&message).with_context(|| format!("no link in {message}"))?;
    let page = pages::Browser::open()?.say(link, "Ada", "mended", "resolve").await?;
    ensure!(page.shows("It is over."), "{}", page.html);
    Ok(())
}

async fn a_rule_stopped_then_moved(ground: &Ground) -> Result<()> {
    let mut plan = listener_plan("rule", json!([{ "new_weight": 50 }, { "new_weight": 100, "hold": "30m" }]));
    let rule = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/rule/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee";
    let route = plan["routes"][0].as_object_mut().context("a route")?;
    route.remove("listener_arn");
    route.insert("rule_arn".to_owned(), json!(rule));
    plan["cleanup"] = json!({ "after": "0s", "delete_old_target_group": true });
    // Whoever sends an authentication by Cognito back needs a permission for it.
    let world = json!({ "listeners": { rule: { "authenticate": "cognito" } } });
    let stage = ground.stage(&plan, world).await?;
    let plan = with_own_topic(&stage.plan);
    let run_id = ground.start("cutover", "rule-stopped", &plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    let run_id = ground.start("cutover", "rule-moved", &plan).await?;
    succeeded(ground, &run_id).await?;
    ground.wait_for_phase(&run_id, "closed", LIMIT).await
}

/// Precheck looks at the health checks that a name's records carry; and, where a name is of another zone than the plan says, at that zone.
async fn a_look_at_a_checked_name(ground: &Ground) -> Result<()> {
    let mut plan = beside_the_portal(dns_plan("checked", json!([{ "new_weight": 100 }])));
    plan["mode"] = json!("precheck");
    let member =
        json!({ "set_identifier": "blue", "weight": 1, "ttl": 60, "values": ["192.0.2.10"], "health": "healthy" });
    let stage = ground.stage(&plan, json!({ "records": { "checked.example.net A": { "members": [member] } } })).await?;
    let run_id = ground.start("cutover", "checked", &stage.plan).await?;
    succeeded(ground, &run_id).await?;
    let mut astray = stage.plan.clone();
    astray["routes"][0]["record_name"] = json!("checked.example.org");
    let end = ground.end_of(&ground.start("cutover", "astray", &astray).await?, LIMIT).await?;
    let cause = end["cause"].as_str().unwrap_or_default();
    ensure!(cause.contains("is not in the zone, which is example.net."), "ended {} {cause}", end["error"]);
    Ok(())
}

/// Monitor looks at the balancer behind an alias that is answered by its health; cleanup, while it waits, at the name.
async fn a_name_that_leads_to_a_balancer(ground: &Ground) -> Result<()> {
    let steps = json!([{ "new_weight": 100, "hold": "5m" }]);
    let mut plan = beside_the_portal(dns_plan("led", steps.clone()));
    // Its requests to Route 53 are drawn from the share of waves.
    plan["wave"] = json!("patient");
    let listener = listener_plan("led", steps)["routes"][0].clone();
    plan["routes"].as_array_mut().context("routes")?.push(listener);
    let stage = ground.stage(&plan, json!({})).await?;
    let listener = json!({ "ListenerArns": [stage.plan["routes"][1]["listener_arn"]] });
    let listeners = ground.client.call("elbv2", "describe_listeners", listener).await?;
    let balancer = json!({ "LoadBalancerArns": [listeners["Listeners"][0]["LoadBalancerArn"]] });
    let balancers = ground.client.call("elbv2", "describe_load_balancers", balancer).await?;
    let balancer = &balancers["LoadBalancers"][0];
    let mut plan = stage.plan.clone();
    plan["routes"].as_array_mut().context("routes")?.truncate(1);
    plan["routes"][0]["records"][0]["new"] = json!({ "alias": { "dns_name": balancer["DNSName"],
        "hosted_zone_id": balancer["CanonicalHostedZoneId"], "evaluate_target_health": true } });
    plan["cleanup"] = json!({ "after": "10m" });
    let run_id = ground.start("cutover", "led", &plan).await?;
    succeeded(ground, &run_id).await?;
    ground.wait_for_phase(&run_id, "closed", LIMIT).await
}

async fn a_failing_run(ground: &Ground) -> Result<()> {
    let plan = listener_plan("failing", json!([{ "new_weight": 50, "hold": "60m" }, { "new_weight": 100 }]));
    let stage = ground.stage(&plan, json!({})).await?;
    let run_id = ground.start("cutover", "failing", &with_own_topic(&told_to_all(ground, &stage.plan).await?)).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    fill(ground, &run_id).await?; // rollback makes room
    let new = stage.plan["routes"][0]["new_target_group_arn"].as_str().context("no target group")?;
    ground.client.set_target_health(new, json!({ "*": "unhealthy" })).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {}", end["error"], end["cause"]);
    Ok(())
}

/// While those who may agree are asked, another run takes the application.
async fn a_conflict_after_the_approval(ground: &Ground) -> Result<()> {
    let mut plan = listener_plan("asked", json!([{ "new_weight": 100 }]));
    plan["approval"] = json!({ "within": "1h", "topic_arn": plan["notify"]["topic_arn"] });
    let asked = ground.stage(&plan, json!({})).await?;
    let other = ground.stage(&listener_plan("other", json!([{ "new_weight": 100 }])), json!({})).await?;
    let run_id = ground.start("cutover", "asked", &asked.plan).await?;
    // Others are asked meanwhile, too.
    let message = ground.page("APPROVE OR REJECT the cutover of asked", LIMIT).await?;
    let token = token_in(&message)?;

    let mut plan = with_own_topic(&other.plan);
    plan["application"] = json!("asked");
    let holder = ground.start("cutover", "other", &plan).await?;
    succeeded(ground, &holder).await?;
    let answer = json!({ "taskToken": token, "output": json!({ "by": "Ada" }).to_string() });
    ground.client.call("stepfunctions", "send_task_success", answer).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Conflict", "ended {} {}", end["error"], end["cause"]);
    Ok(())
}

/// Each by a page; the answer to `notify`'s first write of a question is lost, and a group that may answer hears of both.
async fn a_yes_and_a_no_by_a_page(ground: &Ground) -> Result<()> {
    let lost = json!({ "match": { "caller": "notify", "operation": "PutItem" }, "do": "lose", "times": 1 });
    ground.client.set_faults(json!([lost])).await?;
    for (application, choice, ending) in
        [("agreed", "approve", Value::Null), ("refused", "reject", json!("Cutover.Rejected"))]
    {
        let mut plan = listener_plan(application, json!([{ "new_weight": 100 }]));
        let channels = json!([{ "type": "sns", "topic_arn": TOPIC }]);
        let group = json!({ "name": "team", "format": "technical", "channels": channels, "may_answer": true });
        plan["stakeholders"] = json!({ "groups": [group] });
        plan["approval"] = json!({ "within": "10h", "topic_arn": TOPIC });
        let stage = ground.stage(&plan, json!({})).await?;
        let run_id = ground.start("cutover", application, &with_own_topic(&stage.plan)).await?;
        ground.page(&format!("Cutover of {application} ("), LIMIT).await?;
        let message = ground.page(&format!("APPROVE OR REJECT the cutover of {application}"), LIMIT).await?;
        let link = pages::link_in(&message).with_context(|| format!("no link in {message}"))?;
        let page = pages::Browser::open()?.answer(link, "Ada", "as agreed", choice).await?;
        ensure!(page.shows("by it."), "{}", page.html);
        let end = ground.end_of(&run_id, LIMIT).await?;
        ensure!(end["error"] == ending, "{application} ended {} {}", end["error"], end["cause"]);
    }
    Ok(())
}

/// The new side has written to a database of its own: rollback looks whether it still serves, and asks a person, who is told
/// of the name's health checks too. The run is released when nobody can read it.
async fn a_stop_with_no_way_back(ground: &Ground) -> Result<()> {
    let mut plan = beside_the_portal(dns_plan("one-way", json!([{ "new_weight": 100, "hold": "60m" }])));
    plan["routes"][0]["health_checks"] = json!({ "new": { "fqdn": "new.example.com" } });
    plan["database"] =
        json!({ "replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:ONEWAY", "shared": false });
    let stage = ground.stage(&plan, json!({})).await?;
    let _metrics = stage.publish_metrics(stage.clock());
    let run_id = ground.start("cutover", "one-way", &with_own_topic(&stage.plan)).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "stuck", LIMIT).await?;
    garble(ground, &run_id).await?;
    fill(ground, &run_id).await?;
    ground.start("cleanup", "release", &json!({ "run_id": run_id, "release": "Ada: it serves" })).await?;
    ground.wait_for_phase(&run_id, "closed", LIMIT).await
}

/// Replications of both kinds, there and back: the rollback looks at the way back.
async fn a_stop_with_a_way_back(ground: &Ground, (there, back): (&str, &str)) -> Result<()> {
    let application = format!("back-by-{back}");
    let mut plan = listener_plan(&application, json!([{ "new_weight": 100, "hold": "60m" }]));
    let arn = |kind: &str, name: &str| format!("arn:aws:dms:eu-west-1:123456789012:{kind}:{name}");
    let (forward, reverse) = (arn(there, "THERE"), arn(back, "BACK"));
    plan["database"] =
        json!({ "replication_task_arn": forward, "reverse_replication_task_arn": reverse, "samples": 1 });
    let stage = ground.stage(&plan, json!({})).await?;
    let _metrics = stage.publish_metrics(stage.clock());
    let run_id = ground.start("cutover", &application, &with_own_topic(&stage.plan)).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await
}

/// The status event is lost, and `rollback` fails as often as the sweep starts it.
async fn a_rollback_that_the_sweep_gives_up(ground: &Ground) -> Result<()> {
    let plan = listener_plan("given-up", json!([{ "new_weight": 50, "hold": "60m" }, { "new_weight": 100 }]));
    let stage = ground.stage(&plan, json!({})).await?;
    ground.client.set_events(json!({ "status_events": false })).await?;
    let failing = json!({ "function": "cutover-rollback", "state": "WriteEnding" });
    let fault = json!({ "match": failing, "times": null, "do": "before", "error": "Cutover.Refused" });
    ground.client.set_faults(json!([fault])).await?;
    let run_id = ground.start("cutover", "given-up", &with_own_topic(&stage.plan)).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    fill(ground, &run_id).await?; // the sweep makes room
    follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "stuck", LIMIT).await?;
    ground.page("CRITICAL", LIMIT).await.map(drop)
}

/// A group that is told by mail, in a chat that does not answer, and by the stack's own topic.
async fn told_to_all(ground: &Ground, plan: &Value) -> Result<Value> {
    ground.client.call("ses", "verify_email_identity", json!({ "EmailAddress": "cutover@example.com" })).await?;
    let address = json!({ "Name": "shop-chat", "SecretString": "http://127.0.0.1:9/chat" });
    let secret = ground.client.call("secretsmanager", "create_secret", address).await?;
    let channels = json!([
        { "type": "mail", "to": ["team@example.com"] },
        { "type": "webhook", "secret_arn": secret["ARN"], "form": "slack" },
        { "type": "sns", "topic_arn": TOPIC },
    ]);
    let mut plan = plan.clone();
    plan["stakeholders"] = json!({ "groups": [{ "name": "team", "format": "technical", "channels": channels }] });
    Ok(plan)
}

/// In a domain of its own: a zone above the portal's would have to delegate to it.
fn beside_the_portal(mut plan: Value) -> Value {
    plan["routes"][0]["record_name"] =
        json!(format!("{}.example.net", plan["application"].as_str().unwrap_or_default()));
    plan
}

/// The stack's own topic is encrypted, so that publishing takes its key.
fn with_own_topic(plan: &Value) -> Value {
    let mut plan = plan.clone();
    plan["notify"]["topic_arn"] = json!(TOPIC);
    plan
}

async fn succeeded(ground: &Ground, run_id: &str) -> Result<()> {
    let end = ground.end_of(run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "{run_id} ended {} {}", end["error"], end["cause"]);
    Ok(())
}

fn roles(template: &Path) -> Result<BTreeMap<String, Value>> {
    let text = fs::read_to_string(template.join("Cutover.template.json")).context("cannot read the template")?;
    let mut template: Value = serde_json::from_str(&text)?;
    let resources: BTreeMap<String, Value> = serde_json::from_value(template["Resources"].take())?;
    Ok(resources.into_iter().filter(|(_, resource)| resource["Type"] == "AWS::IAM::Role").collect())
}

/// A role's construct, as `permissions.ts` and the constructs name it: `Functions/Alarms`.
fn name(role: &Value) -> Result<String> {
    let path = role["Metadata"]["aws:cdk:path"].as_str().context("a role without its path")?;
    Ok(path.trim_start_matches("Cutover/").trim_end_matches("/Resource").trim_end_matches("/Role").to_owned())
}

/// What a role may do on some resources.
struct Statement {
    role: String,
    actions: BTreeSet<String>,
    resources: Vec<String>,
    conditions: Vec<String>,
}

/// What each role of the template may do, role by role.
fn statements(template: &Path) -> Result<Vec<Statement>> {
    let mut statements = Vec::new();
    for role in roles(template)?.values() {
        let policies = role["Properties"]["Policies"].as_array().into_iter().flatten();
        for statement in policies.flat_map(|policy| several(&policy["PolicyDocument"]["Statement"])) {
            let conditions = statement["Condition"].as_object().into_iter().flat_map(|operators| operators.values());
            let keys = conditions.filter_map(Value::as_object).flat_map(|keys| keys.keys().cloned());
            statements.push(Statement {
                role: name(role)?,
                actions: several(&statement["Action"]).iter().map(shown).collect(),
                resources: several(&statement["Resource"]).iter().map(shown).collect(),
                conditions: keys.collect::<BTreeSet<_>>().into_iter().collect(),
            });
        }
    }
    statements.sort_by(|one, other| (&one.role, &one.actions).cmp(&(&other.role, &other.actions)));
    Ok(statements)
}

/// Templates leave out the list around a single one.
fn several(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(several) => several.clone(),
        one => vec![one.clone()],
    }
}

/// A text of the template, with `<Id>` or `<Id.Attribute>` for what is known at deployment only.
fn shown(value: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match value {
        Value::String(text) => text.clone(),
        _ if value["Ref"].is_string() => format!("<{}>", text(&value["Ref"])),
        _ if value["Fn::GetAtt"].is_array() => {
            format!("<{}>", several(&value["Fn::GetAtt"]).iter().map(text).collect::<Vec<_>>().join("."))
        }
        _ if value["Fn::Join"][1].is_array() => several(&value["Fn::Join"][1]).iter().map(shown).collect(),
        other => other.to_string(),
    }
}

/// As Markdown.
fn table(statements: &[Statement]) -> String {
    let row = |Statement { role, actions, resources, conditions }: &Statement| {
        let actions = actions.iter().cloned().collect::<Vec<_>>();
        let cells = [&actions, resources, conditions].map(|cell| cell.join("<br>").replace('|', "\\|"));
        format!("| {role} | {} |\n", cells.join(" | "))
    };
    let head = "| role | actions | resources | conditions on |\n|---|---|---|---|\n";
    head.to_owned() + &statements.iter().map(row).collect::<String>()
}

/// What each role may do, without what nothing here does.
fn allowed(statements: &[Statement]) -> Actions {
    let mut allowed = Actions::new();
    for Statement { role, actions, .. } in statements {
        let actions = actions.iter().filter(|action| !is_telemetry(action)).cloned();
        allowed.entry(role.clone()).or_default().extend(actions);
    }
    allowed
}

fn is_telemetry(action: &str) -> bool {
    action.starts_with("logs:") || action.starts_with("xray:")
}

/// What was needed in each role, refused or not.
async fn used(ground: &Ground, template: &Path) -> Result<Actions> {
    let roles = roles(template)?;
    let stack = json!({ "StackName": STACK });
    let described = ground.client.call("cloudformation", "describe_stack_resources", stack).await?;
    let mut names = BTreeMap::new();
    for resource in described["StackResources"].as_array().into_iter().flatten() {
        if let Some(role) = resource["LogicalResourceId"].as_str().and_then(|id| roles.get(id)) {
            names.insert(resource["PhysicalResourceId"].as_str().context("no physical id")?.to_owned(), name(role)?);
        }
    }
    let mut used = Actions::new();
    for request in ground.client.requests(0).await? {
        // Hooks, which are the application's, have another role.
        if let Some(name) = request.role.as_ref().and_then(|role| names.get(role)) {
            used.entry(name.clone()).or_default().extend(request.actions);
        }
    }
    Ok(used)
}

/// What differs.
fn compare(allowed: &Actions, used: &Actions) -> Result<()> {
    let none = BTreeSet::new();
    let mut differences = Vec::new();
    for role in allowed.keys().chain(used.keys()).collect::<BTreeSet<_>>() {
        let (allowed, used) = (allowed.get(role).unwrap_or(&none), used.get(role).unwrap_or(&none));
        differences.extend(used.difference(allowed).map(|action| format!("{role} lacks {action}")));
        differences.extend(allowed.difference(used).map(|action| format!("{role} has no use for {action}")));
    }
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![roles_allow_what_recorded_runs_need_and_nothing_else,]
}
