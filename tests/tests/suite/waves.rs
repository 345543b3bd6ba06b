//! Waves: what moves in which order, what stays, what goes back, what people say meanwhile; and that the wave says of each application what is so, also when
//! its own execution, or its function, dies at any point.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use cutover_tests::follow;
use cutover_tests::left;
use cutover_tests::setup::Checkout;
use cutover_tests::waves::{Happening, Outcome, WaveStage, WaveWorld, rehearse};
use serde_json::{Value, json};
use waves::state::{Is, State};

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(900);
/// Of an application's plan, with which it is made.
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:good-cutover";

fn plan(application: &str) -> Value {
    listener_plan(application, json!([{ "new_weight": 50, "hold": "2m" }, { "new_weight": 100 }]))
}

/// An application of a wave, with what it has besides its plan.
fn application(name: &str, more: Value) -> Value {
    with(json!({ "name": name, "cutover": plan(name) }), more)
}

fn with(mut object: Value, more: Value) -> Value {
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        object[name] = value;
    }
    object
}

fn wave(name: &str, applications: Value, more: Value) -> Value {
    with(json!({ "wave": name, "applications": applications }), more)
}

/// A side that answers with errors once half of its users are on it.
fn sick() -> Value {
    json!({ "new": { "changes": [{ "when_new_weight": 50, "error_rate": 1.0, "healthy_percent": 0.0 }] } })
}

/// One whose precheck finds its new side unwell, where the world says so.
fn red() -> Value {
    let mut red = application("red", json!({}));
    red["cutover"]["health_check"] = json!({ "url": "http://10.0.12.34:8080/health", "attempts": 1, "successes": 1 });
    red
}

fn world(of: Value) -> Result<WaveWorld> {
    serde_json::from_value(of).context("no world")
}

async fn set(ground: &Ground, wave: &Value, of: Value) -> Result<WaveStage> {
    WaveStage::set(&ground.client, ground.emulator.ready(), wave, world(of)?, ground.speed).await
}

/// Runs a wave to its end: the wave has to be true of each application.
async fn run(stage: &WaveStage) -> Result<Outcome> {
    let ended = tokio::time::timeout(LIMIT, rehearse(stage, |_, _: &Happening| {})).await;
    let outcome = ended.context("the wave does not end")??;
    let untrue = outcome.untrue();
    ensure!(untrue.is_empty(), "the wave says what is not so: {untrue:?}");
    Ok(outcome)
}

fn is(outcome: &Outcome, application: &str) -> Option<Is> {
    outcome.members.iter().find(|member| member.application == application).map(|member| member.is)
}

fn ensure_is(outcome: &Outcome, expected: &[(&str, Is)]) -> Result<()> {
    for (application, wanted) in expected {
        ensure!(is(outcome, application) == Some(*wanted), "{application}: {:?}", outcome.members);
    }
    Ok(())
}

async fn say(ground: &Ground, name: &str, input: Value) -> Result<Value> {
    let execution = ground.start("wave", name, &input).await?;
    ground.end_of(&execution, LIMIT).await
}

async fn state(ground: &Ground, wave: &str) -> Result<Option<State>> {
    let key = json!({ "pk": { "S": format!("wave#{wave}") } });
    let get = json!({ "TableName": ground.emulator.ready().journal_table, "Key": key, "ConsistentRead": true });
    let answer = ground.client.call("dynamodb", "get_item", get).await?;
    answer["Item"]["wave"]["S"].as_str().map(|text| serde_json::from_str(text).context("a wave's item")).transpose()
}

/// Waits until the first application of a wave is somewhere.
async fn wait_until(ground: &Ground, wave: &str, place: usize, wanted: Is) -> Result<()> {
    let look = async || {
        let state = state(ground, wave).await?;
        Ok(state.is_some_and(|state| state.members[place].is == wanted).then_some(()))
    };
    wait_for(&format!("application {place} of {wave} to be {wanted:?}"), LIMIT, look).await
}

async fn the_wave_of_the_events_ends_as_it_says() -> Result<()> {
    let path = Checkout::of_this_build().root.join("events/wave.json");
    let wave: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
    let ground = Ground::new(SPEED).await?;
    let world = WaveWorld::beside(&path)?;
    let stage = WaveStage::set(&ground.client, ground.emulator.ready(), &wave, world, ground.speed).await?;
    let outcome = run(&stage).await?;
    ensure!(Some(outcome.ending()) == outcome.expected.as_deref(), "{:?}", outcome.end);
    ensure_is(
        &outcome,
        &[
            ("web-shop", Is::Moved),
            ("search", Is::Back),
            ("recommendations", Is::NotStarted),
            ("fax-gateway", Is::Done),
        ],
    )?;
    let started = |name: &str| {
        let member = outcome.members.iter().find(|member| member.application == name);
        member.and_then(|member| member.started_after_seconds).with_context(|| format!("{name} was not started"))
    };
    ensure!(started("identity")? < started("billing")? && started("billing")? < started("payments-api")?);
    ensure!(started("payments-api")? == started("payments-worker")? && started("payments-api")? < started("web-shop")?);
    Ok(())
}

async fn a_lockstep_group_of_which_one_fails_goes_back_whole() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let applications = json!([
        application("worker", json!({ "together_with": ["api"] })),
        application("api", json!({})),
        application("shop", json!({ "needs": ["api"] })),
        application("mail", json!({})),
    ]);
    let wave = wave("lockstep", applications, json!({ "on_failures": "continue" }));
    let stage = set(&ground, &wave, json!({ "applications": { "api": sick() } })).await?;
    let outcome = run(&stage).await?;
    ensure!(outcome.ending() == "Incomplete", "{:?}", outcome.end);
    ensure_is(&outcome, &[("api", Is::Back), ("worker", Is::Back), ("shop", Is::NotStarted), ("mail", Is::Moved)])
}

async fn more_failures_than_are_tolerated_put_the_whole_wave_back() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let applications = json!([
        application("db", json!({})),
        application("web", json!({ "needs": ["db"] })),
        application("bad", json!({ "needs": ["web"] })),
        application("late", json!({ "needs": ["bad"] })),
    ]);
    let wave = wave("back", applications, json!({ "on_failures": "roll_back_wave" }));
    let stage = set(&ground, &wave, json!({ "applications": { "bad": sick() } })).await?;
    let mut order = Vec::new();
    let watch = |_, happening: &Happening| {
        if let Happening::Is(name, Is::Back, _) = happening {
            order.push(name.clone());
        }
    };
    let outcome = tokio::time::timeout(LIMIT, rehearse(&stage, watch)).await.context("the wave does not end")??;
    ensure!(outcome.untrue().is_empty() && outcome.ending() == "RolledBack", "{outcome:?}");
    ensure!(order == ["bad", "web", "db"], "they went back in the order {order:?}");
    ensure_is(&outcome, &[("late", Is::NotStarted)])
}

async fn the_green_ones_go_when_a_person_says_so_and_what_depends_on_the_others_stays() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let approval = json!({ "topic_arn": TOPIC, "within": "10m" });
    let applications =
        json!([application("good", json!({})), application("needy", json!({ "needs": ["red"] })), red(),]);
    let wave = wave("partial", applications, json!({ "approval": approval }));
    let stage = set(&ground, &wave, json!({ "applications": { "red": { "new": { "health_status": 500 } } } })).await?;
    let outcome = run(&stage).await?;
    ensure!(outcome.ending() == "Succeeded", "{:?}", outcome.end);
    ensure_is(&outcome, &[("good", Is::Moved), ("needy", Is::LeftBehind), ("red", Is::LeftBehind)])?;
    let messages = ground.client.messages().await?;
    let asked = messages.iter().find(|message| message.message.contains("TOKEN='")).context("nobody was asked")?;
    let (goes, stays) = asked.message.split_once("These would stay behind").context("who stays is not named")?;
    ensure!(goes.contains("good") && !goes.contains("needy"), "{goes}");
    ensure!(stays.contains("needy: it needs red, which stays behind") && stays.contains("red: "), "{stays}");
    Ok(())
}

async fn without_anybody_to_ask_a_red_one_keeps_all_where_they_are() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let wave = wave("red", json!([application("good", json!({})), red()]), json!({}));
    let stage = set(&ground, &wave, json!({ "applications": { "red": { "new": { "health_status": 500 } } } })).await?;
    let outcome = run(&stage).await?;
    ensure!(outcome.ending() == "PrecheckFailed", "{:?}", outcome.end);
    ensure_is(&outcome, &[("good", Is::NotStarted), ("red", Is::NotStarted)])
}

/// A wave of two whose execution is stopped while the first one runs: it starts nothing new, and is followed to its end.
async fn ensure_a_stopped_wave_is_followed(ground: &Ground, name: &str) -> Result<()> {
    let applications = json!([application("first", json!({})), application("second", json!({ "needs": ["first"] }))]);
    let stage = set(ground, &wave(name, applications, json!({})), json!({})).await?;
    let stops = async {
        wait_until(ground, name, 0, Is::Running).await?;
        let state = state(ground, name).await?.context("no wave")?;
        follow::stop(&ground.client, &state.owner).await
    };
    let (outcome, stopped) = tokio::join!(run(&stage), stops);
    stopped?;
    let outcome = outcome?;
    ensure!(outcome.ending() == "Incomplete", "{:?}", outcome.end);
    ensure_is(&outcome, &[("first", Is::Moved), ("second", Is::NotStarted)])
}

async fn a_wave_whose_execution_is_stopped_starts_nothing_new_and_is_followed_to_its_end() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    ensure_a_stopped_wave_is_followed(&ground, "stopped").await?;
    // And a person has it go on.
    let resume = json!({ "of": "stopped", "resume": { "by": "Ada", "why": "the storm is over" } });
    let resumed = say(&ground, "resumed", resume).await?;
    ensure!(resumed["status"] == "SUCCEEDED", "{resumed}");
    let state = state(&ground, "stopped").await?.context("no wave")?;
    ensure!(state.members.iter().all(|member| member.is == Is::Moved), "{state:?}");
    Ok(())
}

async fn a_lost_event_of_an_executions_end_is_made_up_for_by_the_sweep() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    ground.client.set_events(json!({ "status_events": false })).await?;
    // Which is told, as the event would, that a person has stopped it.
    ensure_a_stopped_wave_is_followed(&ground, "unheard").await?;
    let started = ground.executions("wave").await?;
    let by_sweep = started.iter().filter(|one| one["name"].as_str().is_some_and(|name| name.starts_with("sweep-")));
    ensure!(by_sweep.count() == 1, "{started:?}");
    Ok(())
}

/// In each state of its machine: nothing has started before the answer, so that nothing has to be put back.
async fn an_execution_that_is_stopped_before_anything_moves_ends_with_nothing_touched() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    for (name, at) in [("taken", "TakeInput"), ("looked", "Look"), ("waited", "LookWait"), ("asked", "AskForGo")] {
        let topic = format!("arn:aws:sns:eu-west-1:123456789012:{name}-cutover");
        let wave = wave(name, json!([application(name, json!({}))]), json!({ "approval": { "topic_arn": topic } }));
        let stage = set(&ground, &wave, json!({})).await?;
        let before = stage.stages.get(name).context("no stage")?.new_percents();
        let execution = ground.start("wave", &format!("stopped-{name}"), &stage.wave).await?;
        ground.wait_for_state(&execution, at, LIMIT).await?;
        follow::stop(&ground.client, &execution).await?;
        // In this order: what was under way may have started an execution, and that one claims or follows. What claims too late for the event of
        // its execution's end is followed on by the sweep.
        let over = async || {
            let is_busy = ground.client.runs().await?.busy;
            let is_quiet = !is_busy && ground.executions("wave").await?.iter().all(|one| one["status"] != "RUNNING");
            let is_open = state(&ground, name).await?.is_some_and(|state| state.ending.is_none());
            Ok((is_quiet && !is_open).then_some(()))
        };
        wait_for(&format!("the wave that was stopped in {at} to be over"), LIMIT, over).await?;
        // Stopped while its input was taken, it may not have claimed anything; else it is over, and says so.
        if let Some(state) = state(&ground, name).await? {
            ensure!(state.ending.is_some() && state.members[0].is == Is::NotStarted, "stopped in {at}: {state:?}");
        }
        ensure!(stage.stages.get(name).context("no stage")?.new_percents() == before, "stopped in {at}, it moved");
        let cutovers = ground.executions("cutover").await?;
        let moved = cutovers.iter().any(|one| one["name"].as_str().is_some_and(|one| one.contains("-cutover-")));
        ensure!(!moved, "stopped in {at}, a cutover was started");
    }
    Ok(())
}

async fn what_people_say_is_done_and_what_cannot_be_done_is_told() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let applications = json!([application("first", json!({})), application("second", json!({ "needs": ["first"] }))]);
    let mut wave = wave("spoken", applications, json!({}));
    wave["applications"][1]["tasks"] = json!([{ "what": "call the bank" }]);
    let stage = set(&ground, &wave, json!({})).await?;
    let speaks = async {
        wait_until(&ground, "spoken", 0, Is::Moved).await?;
        for (name, input, expected) in [
            ("nobody", json!({ "of": "spoken", "pause": { "by": "YOUR NAME", "why": "x" } }), "Cutover.InvalidGesture"),
            ("unknown", json!({ "of": "spokn", "stop": { "by": "Ada", "why": "x" } }), "Cutover.InvalidGesture"),
            ("nothing", json!({ "of": "spoken" }), "Cutover.InvalidGesture"),
            (
                "task",
                json!({ "of": "spoken", "done": { "application": "second", "task": 2, "by": "Ada" } }),
                "Cutover.InvalidGesture",
            ),
            ("again", stage.wave.clone(), "Cutover.Conflict"),
        ] {
            let end = say(&ground, name, input).await?;
            ensure!(end["error"] == expected && !end["cause"].as_str().unwrap_or_default().is_empty(), "{name}: {end}");
        }
        let moved = json!({ "of": "spoken", "retry": { "application": "first", "by": "Ada", "why": "again" } });
        ensure!(say(&ground, "moved", moved).await?["output"].to_string().contains("on its new side already"));
        let done = json!({ "of": "spoken", "done": { "application": "second", "task": 1, "by": "Ada" } });
        ensure!(say(&ground, "done", done).await?["status"] == "SUCCEEDED");
        Ok(())
    };
    let (outcome, spoken) = tokio::join!(run(&stage), speaks);
    spoken?;
    ensure!(outcome?.ending() == "Succeeded");
    // What has moved can still be put back, by a gesture to the wave that is over.
    let back = json!({ "of": "spoken", "roll_back": { "by": "Ada", "why": "wrong numbers" } });
    let end = say(&ground, "back", back).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "{end}");
    for (name, stage) in &stage.stages {
        ensure!(stage.new_percents() == [0.0], "{name} is at {:?}", stage.new_percents());
    }
    Ok(())
}

async fn what_failed_is_tried_again_alone_and_the_rest_goes_on_once_somebody_says_so() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let applications = json!([application("frail", json!({})), application("next", json!({ "needs": ["frail"] }))]);
    let wave = wave("again", applications, json!({}));
    let stage = set(&ground, &wave, json!({ "applications": { "frail": sick() } })).await?;
    let outcome = run(&stage).await?;
    ensure!(outcome.ending() == "RolledBack", "{:?}", outcome.end);
    ensure_is(&outcome, &[("frail", Is::Back), ("next", Is::NotStarted)])?;
    let frail = stage.stages.get("frail").context("no stage")?;
    let sick = cutover_tests::world::Conduct { error_rate: 1.0, healthy_percent: 0.0, ..Default::default() };
    frail.behave(cutover_tests::routes::Side::New, &Default::default(), &sick).await?;
    let retry = json!({ "of": "again", "retry": { "application": "frail", "by": "Ada", "why": "mended" } });
    let end = say(&ground, "retry", retry).await?;
    ensure!(end["error"] == "Cutover.Incomplete", "{end}");
    let shares: Vec<_> = stage.stages.iter().map(|(name, stage)| (name.as_str(), stage.new_percents())).collect();
    ensure!(shares == [("frail", vec![100.0]), ("next", vec![0.0])], "more than was asked for has moved: {shares:?}");
    let rest = json!({ "of": "again", "resume": { "by": "Ada", "why": "the rest, too" } });
    let end = say(&ground, "rest", rest).await?;
    ensure!(end["status"] == "SUCCEEDED", "{end}");
    for (name, stage) in &stage.stages {
        ensure!(stage.new_percents() == [100.0], "{name} is at {:?}", stage.new_percents());
    }
    Ok(())
}

/// By a person, or by the watch that goes on until cleanup: nobody follows the wave any more, and its page says it all the same.
async fn what_is_put_back_after_its_end_is_said_by_the_wave() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut applications = json!([application("stays", json!({})), application("returns", json!({}))]);
    for application in applications.as_array_mut().into_iter().flatten() {
        application["cutover"]["cleanup"] = json!({ "after": "240h" });
    }
    let outcome = run(&set(&ground, &wave("late", applications, json!({})), json!({})).await?).await?;
    ensure!(outcome.ending() == "Succeeded", "{:?}", outcome.end);
    let back = ground.start("rollback", "back", &json!({ "application": "returns" })).await?;
    let end = ground.end_of(&back, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "{end}");
    wait_until(&ground, "late", 1, Is::Back).await?;
    let state = state(&ground, "late").await?.context("no wave")?;
    ensure!(state.members[0].is == Is::Moved && state.stage == waves::state::Stage::Over, "{state:?}");
    let page = async || {
        let page = left::object(&ground.client, "waves/late.html").await?.unwrap_or_default();
        Ok(page.contains("exactly as before").then_some(()))
    };
    wait_for("the wave's page to say so", LIMIT, page).await
}

async fn a_stopped_line_holds_a_wave_and_its_lifting_lets_it_go_on() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stopped = say(&ground, "stop", json!({ "line": { "stop": { "by": "Ada", "why": "smoke" } } })).await?;
    ensure!(stopped["status"] == "SUCCEEDED", "{stopped}");
    let stage = set(&ground, &wave("lined", json!([application("one", json!({}))]), json!({})), json!({})).await?;
    let lifts = async {
        let look =
            async || Ok(state(&ground, "lined").await?.filter(|state| state.stage == waves::state::Stage::Going));
        wait_for("the wave to be let go", LIMIT, look).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let state = state(&ground, "lined").await?.context("no wave")?;
        ensure!(state.members[0].is == Is::Waiting && state.members[0].attempts == 0, "{state:?}");
        say(&ground, "lift", json!({ "line": { "lift": { "by": "Ada", "why": "no smoke" } } })).await
    };
    let (outcome, lifted) = tokio::join!(run(&stage), lifts);
    lifted?;
    ensure!(outcome?.ending() == "Succeeded");
    Ok(())
}

async fn a_wrong_wave_is_refused_with_every_error_and_nothing_is_claimed() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut wrong = wave("wrong", json!([application("a", json!({ "needs": ["b"] })), { "name": "c" }]), json!({}));
    wrong["parallel_cutovers"] = json!(0);
    let end = say(&ground, "wrong", wrong).await?;
    let cause = end["cause"].as_str().unwrap_or_default();
    ensure!(end["error"] == "Cutover.InvalidPlan" && cause.contains("$.parallel_cutovers"), "{end}");
    let absent = wave("absent", json!([{ "name": "a", "cutover_from": "plans/a.json" }]), json!({}));
    let end = say(&ground, "absent", absent).await?;
    let cause = end["cause"].as_str().unwrap_or_default();
    ensure!(end["error"] == "Cutover.InvalidPlan" && cause.contains("put the plan at plans/a.json"), "{end}");
    ensure!(state(&ground, "wrong").await?.is_none() && state(&ground, "absent").await?.is_none());
    Ok(())
}

/// Requests of the function, each failing in the same way: the first of its kind, and the third.
fn faults(action: &str) -> Value {
    let operations =
        ["GetItem", "PutItem", "BatchGetItem", "StartExecution", "DescribeExecution", "Publish"].into_iter();
    let rules = operations.flat_map(|operation| {
        [1, 3].map(|from| {
            json!({
                "match": { "caller": "wave", "operation": operation }, "from": from, "do": action,
                "error": "ThrottlingException", "status": 400,
            })
        })
    });
    rules.collect()
}

async fn whatever_fails_in_its_looks_a_wave_ends_and_is_true() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    for action in ["before", "lose", "kill_before", "kill_after", "twice"] {
        let name = |which: &str| format!("{which}-{}", action.replace('_', "-"));
        let applications = json!([
            application(&name("db"), json!({})),
            application(&name("web"), json!({ "needs": [name("db")] })),
            application(&name("bad"), json!({ "needs": [name("db")] })),
        ]);
        let policy = if action == "twice" { "halt" } else { "roll_back_wave" };
        let topic = format!("arn:aws:sns:eu-west-1:123456789012:{}-cutover", name("db"));
        let more = json!({ "on_failures": policy, "notify": { "topic_arn": topic } });
        let wave = wave(&name("faults"), applications, more);
        let stage = set(&ground, &wave, json!({ "applications": { name("bad"): sick() } })).await?;
        ground.client.set_faults(faults(action)).await?;
        let outcome = run(&stage).await.with_context(|| format!("requests of `wave`: {action}"))?;
        let hits: u64 = ground.client.faults().await?.iter().filter_map(|rule| rule["hits"].as_u64()).sum();
        ground.client.set_faults(json!([])).await?;
        ensure!(hits >= 6, "{action}: only {hits} requests were hit");
        let expected = if action == "twice" { "Incomplete" } else { "RolledBack" };
        ensure!(outcome.ending() == expected, "{action}: {:?}", outcome.end);
        // Whatever was started was started once.
        let cutovers = ground.executions("cutover").await?;
        let of_wave = cutovers.iter().filter_map(|one| one["name"].as_str()).filter(|one| one.contains(&name("")[..]));
        let started = of_wave.filter(|one| one.contains("-cutover-")).count();
        ensure!(started <= 3, "{action}: {started} cutovers of three applications");
    }
    Ok(())
}

pub fn tests() -> Vec<Test> {
    asynchronous![
        the_wave_of_the_events_ends_as_it_says,
        a_lockstep_group_of_which_one_fails_goes_back_whole,
        more_failures_than_are_tolerated_put_the_whole_wave_back,
        the_green_ones_go_when_a_person_says_so_and_what_depends_on_the_others_stays,
        without_anybody_to_ask_a_red_one_keeps_all_where_they_are,
        a_wave_whose_execution_is_stopped_starts_nothing_new_and_is_followed_to_its_end,
        a_lost_event_of_an_executions_end_is_made_up_for_by_the_sweep,
        an_execution_that_is_stopped_before_anything_moves_ends_with_nothing_touched,
        what_people_say_is_done_and_what_cannot_be_done_is_told,
        what_failed_is_tried_again_alone_and_the_rest_goes_on_once_somebody_says_so,
        what_is_put_back_after_its_end_is_said_by_the_wave,
        a_stopped_line_holds_a_wave_and_its_lifting_lets_it_go_on,
        a_wrong_wave_is_refused_with_every_error_and_nothing_is_claimed,
        whatever_fails_in_its_looks_a_wave_ends_and_is_true,
    ]
}
