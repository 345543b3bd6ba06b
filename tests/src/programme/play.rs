//! What is done with a portfolio, step by step, and what is told of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::moved::{Moved, moved};
use crate::approver::task_token;
use crate::control::Client;
use crate::emulator::Ready;
use crate::follow;
use crate::left;
use crate::pages::{self, Browser};
use crate::stage::Stage;
use crate::traffic::Pace;
use crate::world::World;

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:programme";
const GROUP: &str = "cutover-programmes";
/// What the names of timelines' schedules end with.
const TIMELINE: &str = ".timeline";
const ONE_LOOK: Duration = Duration::from_millis(250);
/// In real time: planning takes a second, and an approver here answers at once.
const LONGEST_PLANNING: Duration = Duration::from_secs(180);
/// A wave of a few short cutovers takes some minutes at the default speed.
const LONGEST_WAVE: Duration = Duration::from_secs(900);
/// Each cutover of the first wave.
const STEPS: [(u8, &str); 2] = [(50, "2m"), (100, "2m")];

/// What is told while it goes on: lines for a person.
pub type Told<'a> = &'a mut dyn FnMut(&str);

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Planned, scheduled, and the first wave is where it was to be.
    Moved,
    /// The portfolio is wrong, or has no programme: the product said why.
    Refused(String),
    /// The first wave ended otherwise.
    NotMoved(String),
}

/// Rehearses a portfolio, and leaves its documents in a folder.
pub async fn rehearse(
    client: &Client,
    ready: &Ready,
    portfolio: &Value,
    now: Timestamp,
    speed: f64,
    folder: &Path,
    tell: Told<'_>,
) -> Result<Outcome> {
    let moved = moved(portfolio, now)?;
    let given = moved.as_ref().map_or(portfolio, |moved| &moved.portfolio);
    let name = given["name"].as_str().unwrap_or("portfolio").to_owned();
    let mut stages = Vec::new();
    if let Some(Moved { first, members, days, .. }) = &moved {
        tell(&format!("All dates are {days:+} days, so that the first wave's window opens now, on {first}."));
        stages = environments(client, ready, given, members, speed).await?;
    }
    let key = format!("portfolios/{name}.json");
    put(client, &key, given).await?;
    tell(&format!("Put into the bucket: {key}, and the cutover plans of the first wave."));

    let planned = match program(client, ready, &name, &key, given, tell).await? {
        Ok(planned) => planned,
        Err(why) => return Ok(Outcome::Refused(why)),
    };
    documents(client, planned["folder"].as_str().context("no folder")?, folder, tell).await?;
    let schedules = schedules(client, tell).await?;
    let (timelines, waves): (Vec<&String>, Vec<&String>) = schedules.iter().partition(|name| name.ends_with(TIMELINE));
    beforehand(client, &timelines, tell).await?;
    let first = waves.first().context("no schedule")?;
    wave(client, ready, first, &stages, tell).await
}

/// The environments of those that move first, with users; their plans, with what was made for them, go into the bucket.
async fn environments(
    client: &Client,
    ready: &Ready,
    portfolio: &Value,
    members: &[String],
    speed: f64,
) -> Result<Vec<Stage>> {
    let mut stages = Vec::new();
    let applications = portfolio["applications"].as_array().into_iter().flatten();
    for one in applications.filter(|one| members.iter().any(|name| one["name"] == name.as_str())) {
        let (Some(name), Some(key)) = (one["name"].as_str(), one["cutover_plan"].as_str()) else { continue };
        let stage = Stage::with_users(client, ready, &cutover(name), World::default(), Pace::few(speed)).await?;
        put(client, key, &stage.plan).await?;
        stages.push(stage);
    }
    Ok(stages)
}

/// A short cutover of one listener.
fn cutover(application: &str) -> Value {
    let elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
    let steps: Vec<Value> = STEPS.map(|(weight, hold)| json!({ "new_weight": weight, "hold": hold })).into();
    json!({
        "application": application,
        "routes": [{
            "type": "listener",
            "listener_arn": format!("{elb}:listener/app/{application}/50dc6c495c0c9188/f2f7dc8efc522ab2"),
            "old_target_group_arn": format!("{elb}:targetgroup/{application}-old/73e2d6bc24d8a067"),
            "new_target_group_arn": format!("{elb}:targetgroup/{application}-new/6d0ecf831eec9f09"),
            "steps": steps,
        }],
        "notify": { "topic_arn": format!("arn:aws:sns:eu-west-1:123456789012:{application}-cutover") },
    })
}

async fn put(client: &Client, key: &str, value: &Value) -> Result<()> {
    let bucket = left::bucket(client).await?.context("the stack has no bucket of reports")?;
    client.call("s3", "put_object", json!({ "Bucket": bucket, "Key": key, "Body": value.to_string() })).await.map(drop)
}

/// Plans it by the deployed machine, and agrees to it: its output, or in which words it was refused.
async fn program(
    client: &Client,
    ready: &Ready,
    name: &str,
    key: &str,
    portfolio: &Value,
    tell: Told<'_>,
) -> Result<Result<Value, String>> {
    client.call("sns", "create_topic", json!({ "Name": "programme" })).await?;
    let machine = ready.state_machines.get("program").context("no state machine program: it has no definition")?;
    let input = json!({
        "portfolio_from": key,
        "approval": { "topic_arn": TOPIC },
        "waves": { "announcement": {
            "contact": "moves@example.com, or the help desk",
            "expected_downtime": "5m",
            "stays": "Addresses, names and passwords stay as they are.",
            "survey": "https://survey.example.com/spring",
        } },
        // As on the first day: all of its work is still to come.
        "progress": { "today": portfolio["calendar"]["start"] },
    });
    tell(&format!("Started: program, with {input}"));
    let execution = follow::start(client, machine, &format!("{name}-rehearsed"), &input).await?;
    let started = std::time::Instant::now();
    let mut is_answered = false;
    loop {
        let described =
            client.call("stepfunctions", "describe_execution", json!({ "executionArn": execution })).await?;
        if let Some(end) = follow::end(&described) {
            let why = || format!("{}: {}", end.error.as_deref().unwrap_or("?"), end.cause.as_deref().unwrap_or("?"));
            return Ok(end.output.clone().filter(|_| end.status == "SUCCEEDED").ok_or_else(why));
        }
        if !is_answered {
            is_answered = agree(client, tell).await?;
        }
        ensure!(started.elapsed() < LONGEST_PLANNING, "program has not ended within {LONGEST_PLANNING:?}: {execution}");
        tokio::time::sleep(ONE_LOOK).await;
    }
}

async fn agree(client: &Client, tell: Told<'_>) -> Result<bool> {
    let messages = client.messages().await?;
    let asked = messages.iter().find(|message| message.topic_arn.as_deref() == Some(TOPIC));
    let Some((asked, token)) = asked.and_then(|asked| Some((asked, task_token(asked)?))) else { return Ok(false) };
    tell(&format!("Asked: {}", asked.subject.as_deref().unwrap_or_default()));
    let beginning = asked.message.lines().take_while(|line| !line.starts_with("The whole programme"));
    beginning.filter(|line| !line.is_empty()).for_each(|line| tell(&format!("  | {line}")));
    let (by, why) = ("the rehearsal", "to see it");
    if let Some(link) = pages::link(asked) {
        Browser::open()?.answer(link, by, why, "approve").await?;
        tell("Answered by its page: yes");
    } else {
        let yes = json!({ "taskToken": token, "output": json!({ "by": by, "why": why }).to_string() });
        client.call("stepfunctions", "send_task_success", yes).await?;
        tell("Answered: yes");
    }
    Ok(true)
}

/// What the programme left, as files to open.
async fn documents(client: &Client, from: &str, folder: &Path, tell: Told<'_>) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut written: Vec<PathBuf> = Vec::new();
    for key in left::keys(client, &format!("{from}/")).await? {
        let Some(text) = left::object(client, &key).await? else { continue };
        let path = folder.join(key.trim_start_matches(from).trim_start_matches('/'));
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        written.push(path);
    }
    ensure!(written.iter().any(|path| path.ends_with("programme.html")), "the programme left no page");
    tell(&format!(
        "The programme: {} ({} files beside it)",
        folder.join("programme.html").display(),
        written.len() - 1
    ));
    Ok(())
}

/// The schedules that there are, in the order of their names, which is that of their dates.
async fn schedules(client: &Client, tell: Told<'_>) -> Result<Vec<String>> {
    let listed = client.call("scheduler", "list_schedules", json!({ "GroupName": GROUP })).await?;
    let mut names: Vec<String> = listed["Schedules"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| Some(one["Name"].as_str()?.to_owned()))
        .collect();
    names.sort();
    tell(&format!("Schedules of the group {GROUP}:"));
    for name in &names {
        let got = client.call("scheduler", "get_schedule", json!({ "GroupName": GROUP, "Name": name })).await?;
        let text = |key: &str| got[key].as_str().unwrap_or_default().to_owned();
        tell(&format!(
            "  {name}  {} {}  {}",
            text("ScheduleExpression"),
            text("ScheduleExpressionTimezone"),
            text("Description")
        ));
    }
    Ok(names)
}

/// What groups hear of the waves before they begin: the schedules of their timelines are delivered, twice each.
async fn beforehand(client: &Client, timelines: &[&String], tell: Told<'_>) -> Result<()> {
    for name in timelines {
        for _ in 0..2 {
            let delivery = client.fire_schedule(name).await?;
            ensure!(delivery["delivered"] == true, "the schedule {name} was not delivered: {delivery}");
        }
    }
    tell(&format!("Delivered, twice: {} timelines, which tell of their waves beforehand", timelines.len()));
    Ok(())
}

/// The first wave's schedule is delivered, twice.
async fn wave(client: &Client, ready: &Ready, schedule: &str, stages: &[Stage], tell: Told<'_>) -> Result<Outcome> {
    let machine = ready.state_machines.get("wave").context("no state machine wave: it has no definition")?;
    let _metrics: Vec<_> = stages.iter().map(|stage| stage.publish_metrics(stage.clock())).collect();
    for _ in 0..2 {
        let delivery = client.fire_schedule(schedule).await?;
        ensure!(delivery["delivered"] == true, "the schedule {schedule} was not delivered: {delivery}");
    }
    tell(&format!("Delivered, twice: {schedule}"));
    let started = std::time::Instant::now();
    let mut shown = String::new();
    loop {
        let listed = client.call("stepfunctions", "list_executions", json!({ "stateMachineArn": machine })).await?;
        let executions: Vec<Value> = listed["executions"].as_array().cloned().unwrap_or_default();
        if let Some(one) = executions.first().filter(|one| one["status"] != "RUNNING") {
            ensure!(executions.len() == 1, "{} executions of wave, where one was to be started", executions.len());
            let described = client
                .call("stepfunctions", "describe_execution", json!({ "executionArn": one["executionArn"] }))
                .await?;
            return Ok(ended(&described, tell));
        }
        let runs = client.runs().await?.runs;
        let phases: Vec<String> = runs.iter().map(|(run, state)| format!("{} {}", name_of(run), state.phase)).collect();
        let line = phases.join(", ");
        if line != shown {
            tell(&format!("  {line}"));
            shown = line;
        }
        ensure!(started.elapsed() < LONGEST_WAVE, "the wave has not ended within {LONGEST_WAVE:?}");
        tokio::time::sleep(ONE_LOOK).await;
    }
}

fn name_of(run: &str) -> &str {
    run.rsplit(':').next().unwrap_or(run)
}

fn ended(described: &Value, tell: Told<'_>) -> Outcome {
    let text = |key: &str| described[key].as_str().unwrap_or_default();
    if text("status") == "SUCCEEDED" {
        tell(&format!("The wave is over: {}", text("output")));
        return Outcome::Moved;
    }
    Outcome::NotMoved(format!("{}: {}", text("error"), text("cause")))
}
