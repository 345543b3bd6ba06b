//! What people do to a run: approve, reject, stay silent, pause, resume; and what they paste without filling it in. Each by the AWS call that the README names.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::rollback::{Held, half, output};
use crate::support::{Ground, ensure_same, listener_plan};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

const SPEED: f64 = 120.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
const APPROVERS: &str = "arn:aws:sns:eu-west-1:123456789012:approvers";

fn plan(application: &str, within: &str) -> Value {
    let mut plan = listener_plan(application, json!([{ "new_weight": 100 }]));
    plan["approval"] = json!({ "within": within, "topic_arn": APPROVERS });
    plan
}

async fn an_approved_run_goes_on_and_remembers_who_agreed() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&plan("approved", "1h"), json!({})).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let output = json!({ "by": "Ada", "why": "the change is agreed" }).to_string();
    let answer = json!({ "taskToken": ground.approval_token(LIMIT).await?, "output": output });
    ground.client.call("stepfunctions", "send_task_success", answer).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let summary: Value = serde_json::from_str(end["output"].as_str().context("no output")?)?;
    ensure!(summary["approval"]["by"] == "Ada" && summary["approval"]["at"].is_string(), "{}", summary["approval"]);
    let run = ground.run(&run_id).await?.context("the run")?;
    ensure!(
        run["approval"]["S"].as_str().is_some_and(|text| text.contains("the change is agreed")),
        "{}",
        run["approval"]
    );
    Ok(())
}

async fn an_approved_run_that_goes_back_says_who_agreed() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = plan("regretted", "1h");
    plan["routes"][0]["steps"] = json!([{ "new_weight": 50, "hold": "60m" }, { "new_weight": 100 }]);
    let stage = ground.stage(&plan, json!({})).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let output = json!({ "by": "Ada", "why": "the change is agreed" }).to_string();
    let answer = json!({ "taskToken": ground.approval_token(LIMIT).await?, "output": output });
    ground.client.call("stepfunctions", "send_task_success", answer).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    ground.start("rollback", "by-hand", &json!({ "application": "regretted" })).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {}", end["error"], end["cause"]);
    let cause: Value = serde_json::from_str(end["cause"].as_str().context("no cause")?)?;
    ensure!(cause["approval"]["by"] == "Ada" && cause["approval"]["at"].is_string(), "{}", cause["approval"]);
    Ok(())
}

async fn a_rejected_run_touches_nothing() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&plan("rejected", "1h"), json!({})).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let answer = json!({ "taskToken": ground.approval_token(LIMIT).await?, "error": "Rejected", "cause": "Ada: not on a Friday" });
    ground.client.call("stepfunctions", "send_task_failure", answer).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Rejected", "ended {} {}", end["error"], end["cause"]);
    ensure!(end["cause"].as_str().is_some_and(|cause| cause.contains("not on a Friday")), "{}", end["cause"]);
    ensure_same(&before, &ground.account().await?)?;
    ensure!(ground.run(&run_id).await?.is_none(), "a rejected run is in the journal");
    Ok(())
}

/// Whoever pastes the command as it stands has not said who agrees.
async fn a_yes_that_was_not_filled_in_touches_nothing_and_says_so() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&plan("unsigned", "1h"), json!({})).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let token = ground.approval_token(LIMIT).await?;
    let page = ground.page("APPROVE OR REJECT", LIMIT).await?;
    let (_, pasted) = page.split_once("--task-output '").context("no command to approve")?;
    let output = pasted.split('\'').next().unwrap_or_default();
    let answer = json!({ "taskToken": token, "output": output });
    ground.client.call("stepfunctions", "send_task_success", answer).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Rejected", "ended {} {}", end["error"], end["cause"]);
    ensure!(end["cause"].as_str().is_some_and(|cause| cause.contains("still said YOUR NAME")), "{}", end["cause"]);
    ensure_same(&before, &ground.account().await?)
}

/// The input of a page's command that has this field.
fn pasted(page: &str, field: &str) -> Result<Value> {
    let inputs = page.lines().filter_map(|line| line.split_once(" --input '")?.1.strip_suffix('\''));
    let inputs = inputs.filter_map(|input| serde_json::from_str::<Value>(input).ok());
    inputs.into_iter().find(|input| input[field].is_string()).with_context(|| format!("no command with {field}"))
}

/// What is not filled in, or is about a run that nobody knows, fails with what to write; it calls nobody, and changes nothing. A
/// plan that meets a held run is told the gestures, and not to wait.
async fn a_gesture_that_cannot_be_done_as_it_stands_fails_and_says_what_to_write() -> Result<()> {
    let held = Held::new(half("pasted")).await?;
    let ground = &held.ground;
    let old = held.stage.plan["routes"][0]["old_target_group_arn"].as_str().context("the old group")?;
    ground.client.set_target_health(old, json!({ "*": "unhealthy" })).await?;
    held.stop().await?;
    let page = ground.page("ACTION NEEDED: cutover of pasted is held", LIMIT).await?;
    let told = ground.client.messages().await?.len();
    let (force, release) = (pasted(&page, "force")?, pasted(&page, "release")?);
    let (fill_in, known) = ("write who you are and why", "did you mean pasted? Open runs are those of pasted");
    let misspelt = |given: &Value, why: &str| {
        let mut given = given.clone();
        given["application"] = json!("psated");
        given.as_object_mut().into_iter().flat_map(|given| given.iter_mut()).for_each(|(name, value)| {
            if name != "application" {
                *value = json!(why);
            }
        });
        given
    };
    for (name, machine, given, said) in [
        ("force", "rollback", force.clone(), fill_in),
        ("release", "cleanup", release.clone(), fill_in),
        ("force-of-nobody", "rollback", misspelt(&force, "Ada: it serves"), known),
        ("back-of-nobody", "rollback", json!({ "application": "psated" }), known),
        ("release-of-nobody", "cleanup", misspelt(&release, "Ada: it serves"), known),
        ("close-of-nobody", "cleanup", json!({ "application": "psated", "now": true }), known),
        (
            "close-of-a-held-run",
            "cleanup",
            json!({ "application": "pasted", "now": true }),
            "only a run that has finished",
        ),
        ("back-of-an-unknown-field", "rollback", json!({ "aplication": "pasted" }), "rename it to `application`"),
        ("back-of-an-executions-name", "rollback", json!({ "run_id": "second" }), "write the ARN"),
        ("close-of-nothing", "cleanup", json!({}), "give exactly one of"),
    ] {
        let run = ground.start(machine, name, &given).await?;
        let end = ground.end_of(&run, LIMIT).await?;
        ensure!(end["error"] == "Cutover.InvalidGesture", "{name} ended {} {}", end["error"], end["output"]);
        ensure!(end["cause"].as_str().is_some_and(|cause| cause.contains(said)), "{name}: {}", end["cause"]);
    }
    ensure!(ground.client.messages().await?.len() == told, "somebody was called");
    let mut quiet = held.stage.plan.clone();
    quiet.as_object_mut().context("no plan")?.remove("notify");
    let second = ground.start("cutover", "second", &quiet).await?;
    let end = ground.end_of(&second, LIMIT).await?;
    let cause = end["cause"].as_str().unwrap_or_default().replace('\\', "");
    ensure!(end["error"] == "Cutover.Conflict", "the second ended {} {cause}", end["error"]);
    for part in ["which is held itself", r#"{"application": "pasted", "force": "YOUR NAME"#, r#""release": "YOUR NAME"#]
    {
        ensure!(cause.contains(part), "no {part} in {cause}");
    }
    let filled = json!({ "application": "pasted", "release": "Ada: the new side's fine" });
    let run = ground.start("cleanup", "filled-in", &filled).await?;
    ensure!(output(&ground.end_of(&run, LIMIT).await?)?["ending"] == "Released", "not released");
    ground.ensure_no_locks(&held.run_id).await
}

/// Task time-outs are not scaled: the approvers are given two real seconds.
async fn silence_is_a_no() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&plan("silence", "2s"), json!({})).await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Rejected", "ended {} {}", end["error"], end["cause"]);
    ensure_same(&before, &ground.account().await?)
}

/// The update that the README names, for pause and for resume.
async fn set_paused(ground: &Ground, run_id: &str, paused: bool) -> Result<()> {
    let update = json!({
        "TableName": ground.emulator.ready().journal_table,
        "Key": { "pk": { "S": format!("run#{run_id}") } },
        "UpdateExpression": "SET paused = :paused",
        "ConditionExpression": "phase = :forward",
        "ExpressionAttributeValues": { ":paused": { "BOOL": paused }, ":forward": { "S": "forward" } },
    });
    ground.client.call("dynamodb", "update_item", update).await.map(drop)
}

async fn a_paused_run_holds_its_step_until_it_is_resumed() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let plan = listener_plan("paused", json!([{ "new_weight": 50, "hold": "2m" }, { "new_weight": 100 }]));
    let stage = ground.stage(&plan, json!({})).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    set_paused(&ground, &run_id, true).await?;
    // Ten minutes of the run's time: five times the hold.
    tokio::time::sleep(Duration::from_secs(5)).await;
    ensure!(stage.new_percents() == [50.0], "a paused run went on to {:?}", stage.new_percents());
    set_paused(&ground, &run_id, false).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let refused = set_paused(&ground, &run_id, true).await.err().map(|error| format!("{error:#}"));
    ensure!(refused.as_deref().is_some_and(|error| error.contains("ConditionalCheckFailed")), "paused: {refused:?}");
    Ok(())
}

async fn a_dry_run_reports_and_touches_nothing() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut plan = listener_plan("dry", json!([{ "new_weight": 100 }]));
    plan["mode"] = json!("precheck");
    let stage = ground.stage(&plan, json!({ "listeners": { plan["routes"][0]["listener_arn"].as_str().unwrap_or_default(): { "stickiness_seconds": 600 } } })).await?;
    let before = ground.client.dump().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    let report: Value = serde_json::from_str(end["output"].as_str().context("no output")?)?;
    ensure!(report["ending"] == "PrecheckPassed", "{report}");
    ensure!(report["findings"][0]["severity"] == "warning", "stickiness is not told: {}", report["findings"]);
    ensure_same(&before, &ground.client.dump().await?)
}

/// Nobody looks at a scheduled run: the topic of its plan is told why it was not started, also where the plan cannot be read
/// but for that.
async fn a_run_that_was_not_started_is_told() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut unseen = ground.stage(&listener_plan("unseen", json!([{ "new_weight": 100 }])), json!({})).await?.plan;
    unseen["routes"][0]["listener_arn"] =
        json!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/gone/50dc6c495c0c9188/1");
    let mut unreadable = listener_plan("unreadable", json!([{ "new_weight": 100 }]));
    unreadable["notify"] = unseen["notify"].clone();
    unreadable["rotues"] = json!([]);
    for (mut plan, error) in [(unseen, "Cutover.PrecheckFailed"), (unreadable, "Cutover.InvalidPlan")] {
        let application = plan["application"].as_str().context("no application")?.to_owned();
        // What cannot be told for the moment is told again.
        let busy = json!({ "match": { "caller": "notify" }, "do": "before", "error": "KMSThrottling", "status": 400 });
        ground.client.set_faults(json!([busy])).await?;
        let run_id = ground.start("cutover", &application, &plan).await?;
        let end = ground.end_of(&run_id, LIMIT).await?;
        ensure!(end["error"] == error, "ended {} {}", end["error"], end["cause"]);
        let page = ground.page(&format!("Cutover of {application}: not started"), LIMIT).await?;
        ensure!(page.contains("Nothing was touched") && page.contains(&run_id), "{page}");
        plan["mode"] = json!("precheck");
        let dry = ground.start("cutover", &format!("{application}-dry"), &plan).await?;
        ensure!(ground.end_of(&dry, LIMIT).await?["error"] == error, "the dry run ended otherwise");
    }
    let told = ground.client.messages().await?.len();
    ensure!(told == 2, "{told} messages: a dry run is for the person who looks");
    ground.ensure_rollbacks(0, LIMIT).await
}

/// Telling decides nothing: the ending is the same where nobody can be told.
async fn a_run_that_was_not_started_ends_the_same_though_nobody_can_be_told() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    for (name, input) in
        [("list", json!([])), ("text", json!("shop")), ("topic", json!({ "notify": { "topic_arn": "x" } }))]
    {
        let run_id = ground.start("cutover", name, &input).await?;
        let end = ground.end_of(&run_id, LIMIT).await?;
        ensure!(end["error"] == "Cutover.InvalidPlan", "{name} ended {} {}", end["error"], end["cause"]);
    }
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        an_approved_run_goes_on_and_remembers_who_agreed,
        an_approved_run_that_goes_back_says_who_agreed,
        a_rejected_run_touches_nothing,
        silence_is_a_no,
        a_yes_that_was_not_filled_in_touches_nothing_and_says_so,
        a_gesture_that_cannot_be_done_as_it_stands_fails_and_says_what_to_write,
        a_paused_run_holds_its_step_until_it_is_resumed,
        a_dry_run_reports_and_touches_nothing,
        a_run_that_was_not_started_is_told,
        a_run_that_was_not_started_ends_the_same_though_nobody_can_be_told,
    ]
}
