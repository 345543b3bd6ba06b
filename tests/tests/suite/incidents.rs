//! Incidents: a rollback opens one by itself, those who respond are called until somebody looks after it, the others hear of it, and its end goes to
//! whoever heard its beginning; read back from the emulated SES. How often each is told, to the second, is the crate's own test.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use cutover_tests::pages::{Browser, Page, form, link_in};
use reqwest::Method;
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
    // One that is over at once has called nobody; whoever was called hears the end. Mails are on their way for a while after it.
    for to in [BOARD, ON_CALL] {
        let hears_the_end = async || {
            let heard = heard(&ground, to).await?;
            Ok(heard.last().is_none_or(|last| last == "resolved").then_some(()))
        };
        wait_for(&format!("{to}, if called, to hear the end"), LIMIT, hears_the_end).await?;
    }
    let leads = heard(&ground, LEADS).await?;
    ensure!(leads.is_empty(), "a rollback that went well calls no second level: {leads:?}");
    ensure_counted(&ground, "Stopped")
}

/// A rollback's cause is a metric: CloudWatch makes it of a line of the function's log.
fn ensure_counted(ground: &Ground, cause: &str) -> Result<()> {
    let wanted = json!({ "Namespace": "Cutover", "Dimensions": [["Cause"]], "Metrics": [{ "Name": "Rollbacks", "Unit": "Count" }] });
    for file in std::fs::read_dir(ground.emulator.ready().home.join("logs"))? {
        let log = String::from_utf8_lossy(&std::fs::read(file?.path())?).into_owned();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let is_it = |line: &Value| {
            line["_aws"]["CloudWatchMetrics"] == json!([wanted]) && line["Cause"] == cause && line["Rollbacks"] == 1
        };
        if lines.into_iter().any(|line| is_it(&line)) {
            return Ok(());
        }
    }
    anyhow::bail!("no log counts a rollback of the cause {cause}")
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

async fn one_whose_executions_end_nobody_was_told_of_is_followed_on_by_the_sweep() -> Result<()> {
    let ground = Ground::telling(SPEED, groups()).await?;
    ground.client.set_events(json!({ "status_events": false })).await?;
    let open =
        json!({ "open": { "severity": "high", "title": "Logins fail", "by": "Ada", "impact": "about one in ten" } });
    let first = ground.start("incident", "unheard", &open).await?;
    wait_to_hear(&ground, ON_CALL, "high, investigating").await?;
    cutover_tests::follow::stop(&ground.client, &first).await?;
    let followed = async || {
        let executions = ground.executions("incident").await?;
        let by_sweep = |one: &Value| one["name"].as_str().is_some_and(|name| name.starts_with("sweep-"));
        Ok(executions.iter().any(|one| by_sweep(one) && one["status"] == "RUNNING").then_some(()))
    };
    wait_for("another execution to follow it", LIMIT, followed).await?;
    let resolve = json!({ "incident": id(&ground).await?, "resolve": { "by": "Ada" } });
    ensure!(say(&ground, "over", &resolve).await?["status"] == "SUCCEEDED", "not resolved");
    wait_to_hear(&ground, ON_CALL, "resolved").await
}

/// The link in the newest mail to an address that has one.
async fn link_to(ground: &Ground, to: &str) -> Result<Option<String>> {
    let mails = ground.client.mails().await?;
    let theirs = mails.iter().rev().filter(|mail| mail["to"] == json!([to]));
    Ok(theirs.filter_map(|mail| link_in(mail["text"].as_str()?)).map(str::to_owned).next())
}

/// What a look at a page must leave as it is: whoever follows the incident writes what was told, and nothing else.
async fn said_so_far(ground: &Ground, id: &str) -> Result<Value> {
    let dump = ground.client.dump().await?;
    let items = dump["journal"].as_array().cloned().unwrap_or_default();
    let item = items.iter().find(|item| item["pk"]["S"] == format!("incident#{id}")).context("no incident")?;
    let incident: Value = serde_json::from_str(item["incident"]["S"].as_str().context("no text")?)?;
    Ok(json!([incident["updates"], incident["acknowledged"], incident["turns"]]))
}

fn ensure_page(page: &Page, status: u16, shown: &[&str]) -> Result<()> {
    ensure!(page.status == status, "status {} instead of {status}: {}", page.status, page.html);
    let missing: Vec<_> = shown.iter().filter(|text| !page.shows(text)).collect();
    ensure!(missing.is_empty(), "no {missing:?} in {}", page.html);
    Ok(())
}

async fn one_is_acknowledged_again_and_ended_by_its_page() -> Result<()> {
    let ground = Ground::answering(SPEED, groups()).await?;
    let browser = Browser::open()?;
    let open = json!({ "open": { "severity": "high", "title": "Logins <b>fail</b>", "by": "Ada" } });
    ground.start("incident", "opened", &open).await?;
    wait_to_hear(&ground, ON_CALL, "high, investigating").await?;
    wait_to_hear(&ground, BOARD, "high, investigating").await?;
    ensure!(link_to(&ground, BOARD).await?.is_none(), "who does not respond has a link");
    let link = link_to(&ground, ON_CALL).await?.context("no link to those who respond")?;
    let id = id(&ground).await?;

    // Scanners open everything, and fill forms in, by GET.
    let before = said_so_far(&ground, &id).await?;
    for choice in ["acknowledge", "resolve"] {
        let filled = format!("{link}?turn=0&{}", form("A scanner", "it submits everything", choice));
        for (method, link) in [(Method::GET, &link), (Method::HEAD, &link), (Method::GET, &filled)] {
            browser.ask(method, link, &[("user-agent", "scanner")], None).await?;
        }
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
        let page = browser.ask(Method::POST, &link, &headers, Some(form("Eve", "mine", choice))).await?;
        ensure_page(&page, 403, &["Nothing was done"])?;
    }
    let other = link.replace("/kv/", "/v/");
    ensure_page(&browser.get(&other).await?, 403, &["This link cannot be used"])?;
    let shown = browser.get(&link).await?;
    ensure_page(
        &shown,
        200,
        &["Logins &lt;b&gt;fail&lt;&#x2f;b&gt;", "Nobody looks after it.", "the group technical-teams"],
    )?;
    ensure_page(&browser.say(&link, "YOUR NAME", "", "acknowledge").await?, 422, &["still says"])?;
    ensure!(said_so_far(&ground, &id).await? == before, "a look has changed something");

    let page = browser.say(&link, "Ada", "on it", "acknowledge").await?;
    ensure_page(
        &page,
        200,
        &["&quot;Ada&quot; looks after it.", "acknowledged by the link for the group technical-teams: on it"],
    )?;
    let second = browser.say_in_turn(&link, "0", "Bob", "me too", "acknowledge").await?;
    ensure_page(&second, 200, &["&quot;Ada&quot; looks after it."])?;
    let late = browser.say_in_turn(&link, "0", "Bob", "", "resolve").await?;
    ensure_page(&late, 409, &["somebody has said something since", "&quot;Ada&quot; looks after it."])?;
    wait_for("everybody to hear who looks after it", LIMIT, async || {
        let mails = ground.client.mails().await?;
        let heard = |to: &str| {
            let says = |mail: &&Value| {
                mail["text"].as_str().is_some_and(|text| text.contains("Looked after by: \"Ada\", since"))
            };
            mails.iter().filter(|mail| mail["to"] == json!([to])).any(|mail| says(&mail))
        };
        Ok((heard(BOARD) && heard(ON_CALL)).then_some(()))
    })
    .await?;

    // It runs out, and the same link acknowledges anew; the form of before does not.
    wait_for("the acknowledgement to run out", LIMIT, async || {
        Ok(said_so_far(&ground, &id).await?[1].is_null().then_some(()))
    })
    .await?;
    let old = browser.say_in_turn(&link, "0", "Ada", "", "acknowledge").await?;
    ensure_page(&old, 409, &["Nobody looks after it."])?;
    let page = browser.say(&link, "Bob", "", "acknowledge").await?;
    ensure_page(&page, 200, &["&quot;Bob&quot; looks after it."])?;
    let over = browser.say(&link, "Bob", "mended", "resolve").await?;
    ensure_page(&over, 200, &["It is over.", "Said by &quot;Bob&quot;"])?;
    for to in [BOARD, ON_CALL] {
        wait_to_hear(&ground, to, "resolved").await?;
    }
    ensure_page(&browser.say_in_turn(&link, "3", "Eve", "", "resolve").await?, 200, &["Said by &quot;Bob&quot;"])?;
    ensure!(!heard(&ground, LEADS).await?.is_empty() || !heard(&ground, BOARD).await?.is_empty(), "nobody heard");
    ensure_over(&ground).await
}

async fn one_of_a_run_that_a_person_releases_is_over() -> Result<()> {
    let ground = Ground::telling(SPEED, groups()).await?;
    let run_id = stuck(&ground, "released").await?;
    wait_to_hear(&ground, ON_CALL, "critical, identified").await?;
    ground.start("cleanup", "release", &json!({ "application": "released", "release": "Ada: it serves" })).await?;
    ground.wait_for_phase(&run_id, "closed", LIMIT).await?;
    for to in [BOARD, ON_CALL] {
        wait_to_hear(&ground, to, "resolved").await?;
    }
    let mails = ground.client.mails().await?;
    let says = |mail: &Value| {
        mail["text"].as_str().unwrap_or_default().contains("has released the run as it was: \"Ada: it serves\"")
    };
    ensure!(mails.iter().any(says), "nobody was told who released it");
    ensure_over(&ground).await
}

/// Three runs of a wave that are stopped at once: one incident with a list, and nobody hears of each.
async fn runs_of_a_wave_that_go_back_of_one_cause_are_one_incident() -> Result<()> {
    let mut groups = groups();
    for group in groups.as_array_mut().context("groups")? {
        group["moments"] = json!(["incident", "rolled_back", "stuck"]);
    }
    let ground = Ground::answering(SPEED, groups).await?;
    let mut stages = Vec::new();
    let mut runs = Vec::new();
    for application in ["wave-a", "wave-b", "wave-c"] {
        let mut plan = listener_plan(application, json!([{ "new_weight": 50, "hold": "600m" }, { "new_weight": 100 }]));
        plan["wave"] = json!("wave-2");
        plan["timeout"] = json!("24h");
        let stage = ground.stage(&plan, json!({})).await?;
        runs.push(ground.start("cutover", application, &stage.plan).await?);
        stages.push(stage);
    }
    for run_id in &runs {
        ground.wait_for_state(run_id, "HoldWait", LIMIT).await?;
    }
    for run_id in &runs {
        cutover_tests::follow::stop(&ground.client, run_id).await?;
    }
    for run_id in &runs {
        ground.wait_for_phase(run_id, "rolled_back", LIMIT).await?;
    }
    for to in [BOARD, ON_CALL] {
        wait_to_hear(&ground, to, "resolved").await?;
    }
    ensure_over(&ground).await?;
    let mails = ground.client.mails().await?;
    let subjects: Vec<&str> = mails.iter().filter_map(|mail| mail["subject"].as_str()).collect();
    ensure!(
        subjects.iter().all(|subject| subject.starts_with("Incident ")),
        "runs were told of on their own: {subjects:?}"
    );
    let ids: std::collections::BTreeSet<_> = subjects.iter().filter_map(|subject| subject.split(':').next()).collect();
    ensure!(ids.len() == 1, "several incidents: {subjects:?}");
    for to in [BOARD, ON_CALL] {
        let theirs: Vec<&Value> = mails.iter().filter(|mail| mail["to"] == json!([to])).collect();
        let last = theirs.last().and_then(|mail| mail["text"].as_str()).context("no text")?;
        for told in ["Wave: wave-2", "Cutovers (3)", "wave-a is back", "wave-b is back", "wave-c is back"] {
            ensure!(last.contains(told), "no {told:?} in {last}");
        }
    }
    // It has its page, as one of a single run has.
    let link = link_to(&ground, ON_CALL).await?.context("those who respond have no link to the wave's incident")?;
    let page = Browser::open()?.get(&link).await?;
    ensure_page(&page, 200, &["It is over.", "The cutovers", "wave-a", "wave-b", "wave-c", "is back", "wave-2"])?;
    for group in ["executives", "technical-teams", "leads"] {
        let count = early(&ground, group).await?;
        let is_called = group != "leads";
        ensure!(
            count <= 5 && (count > 0 || !is_called),
            "{group} heard {count} messages in the first ten minutes: {subjects:?}"
        );
    }
    Ok(())
}

/// How many messages of its only incident a group was told in the first ten minutes, by when each was due: the records of what was told have that.
async fn early(ground: &Ground, group: &str) -> Result<usize> {
    let dump = ground.client.dump().await?;
    let items = dump["journal"].as_array().cloned().unwrap_or_default();
    let mut moments: Vec<jiff::Timestamp> = Vec::new();
    for item in &items {
        let (_, at) = match item["pk"]["S"].as_str().and_then(|pk| pk.strip_prefix("told#i-")?.split_once("#incident#"))
        {
            Some(found) if item.to_string().contains(&format!("{group}/")) => found,
            _ => continue,
        };
        moments.push(at.parse()?);
    }
    let Some(first) = moments.iter().min() else { return Ok(0) };
    Ok(moments.iter().filter(|at| at.duration_since(*first).as_secs() < 600 - 30).count())
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
            "acknowledge.by still says `YOUR NAME`",
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
        one_is_acknowledged_again_and_ended_by_its_page,
        one_of_a_run_that_a_person_releases_is_over,
        runs_of_a_wave_that_go_back_of_one_cause_are_one_incident,
        one_that_a_person_opens_outlives_the_execution_that_follows_it,
        one_whose_executions_end_nobody_was_told_of_is_followed_on_by_the_sweep,
        what_a_person_gets_wrong_is_said_with_the_fix,
    ]
}
