//! What comes before and after a wave, and what groups hear of the wave itself: each group once, of the date that is so, whatever runs twice or moves; read back
//! from the emulated AWS's mails. Looks are asked for at times of the tests' own choice: a timeline takes a month.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use cutover_tests::pages::{Browser, form, link_in};
use cutover_tests::waves::{Happening, WaveStage, WaveWorld, rehearse};
use reqwest::Method;
use serde_json::{Value, json};

const SPEED: f64 = 300.0;
const LIMIT: Duration = Duration::from_secs(240);
const GROUP: &str = "cutover-programmes";
const WAVE: &str = "spring-2100-03-06";
/// Whoever follows the timeline here: no execution.
const ME: &str = "arn:aws:states:eu-west-1:123456789012:execution:timeline:by-hand";

fn group(name: &str, to: &str) -> Value {
    json!({ "name": name, "channels": [{ "type": "mail", "to": [to] }] })
}

fn three_groups() -> Value {
    json!([
        group("executives", "board@example.com"),
        group("business-users", "shop@example.com"),
        group("technical-teams", "team@example.com"),
    ])
}

/// One application on 6 March 2100 at 20:00 in Zurich, and one a week later.
fn portfolio() -> Value {
    let moving = |name: &str| json!({ "name": name, "strategy": "rehost", "owner": "Web", "cutover_plan": format!("plans/{name}.json") });
    json!({
        "name": "spring",
        "calendar": { "time_zone": "Europe/Zurich", "start": "2100-03-01", "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "10h" }] },
        "applications": [moving("web"), moving("shop")],
        "dependencies": [{ "first": "web", "then": "shop", "kind": "not_before_days", "days": 7 }],
    })
}

async fn programme(ground: &Ground, name: &str, portfolio: &Value) -> Result<Value> {
    let waves = json!({ "announcement": { "contact": "#moves", "expected_downtime": "5m", "owners": [{ "item": "help-desk", "owner": "Ada's desk" }] } });
    let input = json!({ "portfolio": portfolio, "waves": waves });
    let end = ground.end_of(&ground.start("program", name, &input).await?, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    Ok(serde_json::from_str(end["output"].as_str().context("no output")?)?)
}

async fn call(ground: &Ground, request: Value) -> Result<Value> {
    let parameters = json!({ "FunctionName": "cutover-timeline", "Payload": request.to_string() });
    let answer = ground.client.call("lambda", "invoke", parameters).await?;
    let answer: Value = serde_json::from_str(answer["Payload"].as_str().unwrap_or_default()).context("no JSON")?;
    ensure!(answer["errorMessage"].is_null(), "{answer}");
    Ok(answer)
}

async fn take(ground: &Ground, at: &str) -> Result<Value> {
    let input = json!({ "of": WAVE, "portfolio": "spring" });
    call(ground, json!({ "action": "take", "execution_arn": ME, "input": input, "at": at })).await
}

/// A look at a time, twice at once and once more, as Step Functions may.
async fn look(ground: &Ground, at: &str) -> Result<Value> {
    let request = json!({ "action": "look", "execution_arn": ME, "wave": WAVE, "at": at });
    let (one, other) = tokio::join!(call(ground, request.clone()), call(ground, request.clone()));
    let first = if one.is_ok() { one? } else { other? };
    call(ground, request).await?;
    Ok(first)
}

/// What of the mails to an address is after the last colon of their subjects, in their order.
async fn states(ground: &Ground, to: &str) -> Result<Vec<String>> {
    let mails = ground.client.mails().await?;
    let theirs = mails.iter().filter(|mail| mail["to"] == json!([to]));
    let state = |mail: &Value| mail["subject"].as_str()?.rsplit(": ").next().map(str::to_owned);
    Ok(theirs.filter_map(state).collect())
}

/// Waits for what somebody has to have heard by now, and sees that it is no more than that.
async fn ensure_heard(ground: &Ground, to: &str, wanted: &[&str]) -> Result<()> {
    let heard = wait_for(&format!("{wanted:?} to {to}"), LIMIT, async || {
        Ok(Some(states(ground, to).await?).filter(|heard| heard.len() >= wanted.len()))
    })
    .await;
    let heard = heard.with_context(|| format!("{to} should have heard {wanted:?}"))?;
    ensure!(heard == wanted, "{to} heard {heard:?}, not {wanted:?}");
    Ok(())
}

/// The newest mail to an address.
async fn mail(ground: &Ground, to: &str) -> Result<String> {
    let mails = ground.client.mails().await?;
    let last = mails.iter().rev().find(|mail| mail["to"] == json!([to])).context("no mail")?;
    Ok(last["text"].as_str().unwrap_or_default().to_owned())
}

async fn say(ground: &Ground, name: &str, input: Value) -> Result<Value> {
    ground.end_of(&ground.start("timeline", name, &input).await?, LIMIT).await
}

async fn each_milestone_is_heard_once_and_checks_tell_what_has_changed() -> Result<()> {
    let ground = Ground::telling(SPEED, three_groups()).await?;
    programme(&ground, "first", &portfolio()).await?;
    ensure!(take(&ground, "2100-02-04T19:00:00Z").await?["follows"] == true, "it is not followed");
    look(&ground, "2100-02-04T19:00:00Z").await?;
    for to in ["board@example.com", "shop@example.com", "team@example.com"] {
        ensure_heard(&ground, to, &["in 30 days"]).await?;
    }
    let business = mail(&ground, "shop@example.com").await?;
    for words in [
        "Expected downtime: 5m",
        "Whom to ask: #moves",
        "web (Web): moves to a new environment",
        "The next message comes when",
    ] {
        ensure!(business.contains(words), "no {words} in {business}");
    }
    ensure!(mail(&ground, "team@example.com").await?.contains("[ ] help-desk: "), "no checklist");

    // What people say is done, by an execution; said twice is said once.
    let tick = json!({ "of": WAVE, "tick": { "item": "help-desk", "by": "Ada" } });
    for name in ["tick", "tick-again"] {
        ensure!(say(&ground, name, tick.clone()).await?["status"] == "SUCCEEDED", "{name} was refused");
    }
    let wrong = say(&ground, "wrong", json!({ "of": WAVE, "tick": { "item": "help-dsk", "by": "Ada" } })).await?;
    ensure!(wrong["cause"].as_str().is_some_and(|cause| cause.contains("did you mean help-desk?")), "{wrong}");

    // What is late is reminded of: three of four are.
    look(&ground, "2100-02-20T19:00:00Z").await?;
    ensure_heard(&ground, "team@example.com", &["in 30 days", "late"]).await?;
    let late = mail(&ground, "team@example.com").await?;
    ensure!(late.contains("Checklist (1 of 4 done)") && late.contains("[x] help-desk"), "{late}");

    // A week before, its plan is not there: red. Then it is.
    look(&ground, "2100-02-27T19:00:00Z").await?;
    ensure_heard(&ground, "shop@example.com", &["in 30 days", "in 7 days"]).await?;
    look(&ground, "2100-02-27T19:01:00Z").await?;
    ensure_heard(&ground, "team@example.com", &["in 30 days", "late", "in 7 days", "checks are red"]).await?;
    ensure!(mail(&ground, "team@example.com").await?.contains("put it at plans/web.json"), "it does not say why");
    let stage = ground.quiet_stage(&listener_plan("web", json!([{ "new_weight": 100 }])), json!({})).await?;
    let object = json!({ "Bucket": "cutover-reports-123456789012-eu-west-1", "Key": "plans/web.json", "Body": stage.plan.to_string() });
    ground.client.call("s3", "put_object", object).await?;
    ensure!(look(&ground, "2100-02-28T19:00:00Z").await?["done"] == false, "it is over");
    let checked = wait_for("a precheck", LIMIT, async || {
        let all = ground.executions("cutover").await?;
        Ok(all.into_iter().find(|one| one["status"] != "RUNNING"))
    })
    .await?;
    ensure!(checked["status"] == "SUCCEEDED", "{checked}");
    look(&ground, "2100-02-28T19:01:00Z").await?;
    let team = ["in 30 days", "late", "in 7 days", "checks are red", "checks are green"];
    ensure_heard(&ground, "team@example.com", &team).await?;
    ensure_heard(&ground, "board@example.com", &["in 30 days", "in 7 days", "checks are red", "checks are green"])
        .await?;

    // A day before it is go, by the prechecks of that moment: nobody hears of it before they are over.
    look(&ground, "2100-03-05T19:00:00Z").await?;
    ensure_heard(&ground, "shop@example.com", &["in 30 days", "in 7 days"]).await?;
    wait_for("two prechecks", LIMIT, async || {
        let all = ground.executions("cutover").await?;
        Ok((all.len() >= 2 && all.iter().all(|one| one["status"] != "RUNNING")).then_some(()))
    })
    .await?;
    look(&ground, "2100-03-05T19:01:00Z").await?;
    ensure_heard(&ground, "shop@example.com", &["in 30 days", "in 7 days", "tomorrow"]).await?;
    // With the digest of the week in which the wave is; those of weeks in which nothing is were not sent.
    let heard = ["in 30 days", "in 7 days", "checks are red", "checks are green", "this week", "tomorrow"];
    ensure_heard(&ground, "board@example.com", &heard).await?;
    let board = mail(&ground, "board@example.com").await?;
    ensure!(board.contains("go, every precheck is green"), "{board}");

    // It does not begin, and a day after that is said.
    look(&ground, "2100-03-06T19:15:00Z").await?;
    look(&ground, "2100-03-07T19:00:00Z").await?;
    ensure_heard(&ground, "shop@example.com", &["in 30 days", "in 7 days", "tomorrow", "has not begun", "a day after"])
        .await?;
    let after = mail(&ground, "shop@example.com").await?;
    ensure!(after.contains("did not take place"), "{after}");
    Ok(())
}

/// The schedules of the group, in the order of their names.
/// Opened by scanners, filled in by a stranger, then by two people who know what is done.
async fn a_checklist_is_ticked_once_by_its_page() -> Result<()> {
    let ground = Ground::answering(SPEED, three_groups()).await?;
    let browser = Browser::open()?;
    programme(&ground, "first", &portfolio()).await?;
    ensure!(take(&ground, "2100-02-04T19:00:00Z").await?["follows"] == true, "it is not followed");
    look(&ground, "2100-02-04T19:00:00Z").await?;
    for to in ["board@example.com", "shop@example.com", "team@example.com"] {
        ensure_heard(&ground, to, &["in 30 days"]).await?;
    }
    ensure!(link_in(&mail(&ground, "shop@example.com").await?).is_none(), "who has no checklist has a link");
    let team = mail(&ground, "team@example.com").await?;
    let link = link_in(&team).context("no link to the checklists")?.to_owned();
    ensure!(team.contains("See the checklists, and say what is done"), "{team}");

    let before = ticks(&ground).await?;
    let filled = format!("{link}?{}", form("A scanner", "", "help-desk"));
    for (method, link) in [(Method::GET, &link), (Method::HEAD, &link), (Method::GET, &filled)] {
        browser.ask(method, link, &[("user-agent", "scanner")], None).await?;
    }
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "cross-site")];
    let elsewhere = browser.ask(Method::POST, &link, &headers, Some(form("Eve", "", "help-desk"))).await?;
    ensure!(elsewhere.status == 403, "{}", elsewhere.html);
    let other = browser.get(&link.replace(WAVE, "spring-2100-03-13")).await?;
    ensure!(other.status == 403 && other.shows("This link cannot be used"), "{}", other.html);
    for (name, item, shown) in [
        ("YOUR NAME", "help-desk", "still says"),
        ("Ada", "war-room", "use one of the buttons"),
        ("Ada", "", "use one"),
    ] {
        let page = browser.answer(&link, name, "", item).await?;
        ensure!(page.status == 422 && page.shows(shown), "{name} {item}: {}", page.html);
    }
    let page = browser.get(&link).await?;
    ensure!(page.status == 200 && page.shows("4 of 4 are not done yet."), "{}", page.html);
    ensure!(ticks(&ground).await? == before && before == json!({}), "a look has changed something");

    // Two at once, and one more: one has done it, and everybody sees who.
    let (one, two) =
        tokio::join!(browser.answer(&link, "Ada <i>", "", "help-desk"), browser.answer(&link, "Bob", "", "help-desk"));
    let by = ticks(&ground).await?["help-desk"]["by"].as_str().context("nobody has done it")?.to_owned();
    let shown = by.replace('<', "&lt;").replace('>', "&gt;");
    for page in [one?, two?, browser.answer(&link, "Eve", "", "help-desk").await?] {
        ensure!(page.status == 200 && page.shows(&format!("said by &quot;{shown}&quot;")), "{}", page.html);
        ensure!(page.shows("3 of 4 are not done yet."), "{}", page.html);
    }
    ensure!(ticks(&ground).await?["help-desk"]["by"] == by.as_str(), "a later one has taken its place");

    // What is late is reminded of; that this one is not, and who has done it and when, stands there.
    look(&ground, "2100-02-20T19:00:00Z").await?;
    ensure_heard(&ground, "team@example.com", &["in 30 days", "late"]).await?;
    let late = mail(&ground, "team@example.com").await?;
    ensure!(
        late.contains("Checklist (1 of 4 done)") && late.contains("(said by \"") && late.contains("UTC)"),
        "{late}"
    );
    ensure!(link_in(&late).is_some(), "a reminder without a link: {late}");
    Ok(())
}

const ALONE: &str = "shop-2100-03-06";

/// What a person says of a single cutover, by the execution that follows it.
async fn schedule_alone(ground: &Ground, said: &Value, at: &str) -> Result<Value> {
    let input = json!({ "of": ALONE, "cutover": said });
    call(ground, json!({ "action": "take", "execution_arn": ME, "input": input, "at": at })).await
}

async fn look_alone(ground: &Ground, at: &str) -> Result<Value> {
    call(ground, json!({ "action": "look", "execution_arn": ME, "wave": ALONE, "at": at })).await
}

/// Told beforehand, moved, put off, and given a date again: each is heard by whom the plan names.
async fn a_single_cutover_has_its_timeline_and_its_date_moves() -> Result<()> {
    let ground = Ground::telling(SPEED, three_groups()).await?;
    let mut plan = ground.quiet_stage(&listener_plan("alone", json!([{ "new_weight": 100 }])), json!({})).await?.plan;
    plan["stakeholders"] = json!({ "of_stack": ["executives", "technical-teams"] });
    let first = json!({ "plan": plan, "opens": "2100-03-06T20:00:00+01:00", "announcement": { "contact": "#shop" }, "by": "Ada" });
    ensure!(schedule_alone(&ground, &first, "2100-02-04T19:00:00Z").await?["follows"] == true, "it is not followed");
    look_alone(&ground, "2100-02-04T19:00:00Z").await?;
    for to in ["board@example.com", "team@example.com"] {
        ensure_heard(&ground, to, &["in 30 days"]).await?;
    }
    ensure_heard(&ground, "shop@example.com", &[]).await?;
    let told = mail(&ground, "team@example.com").await?;
    for words in ["Cutover shop-2100-03-06 is planned for 6 March 2100", "Whom to ask: #shop", "[ ] help-desk: "] {
        ensure!(told.contains(words), "no {words} in {told}");
    }

    // It moves by a week, then has no date, then one again; what was due by an old date does not come.
    let moved = json!({ "opens": "2100-03-13T20:00:00+01:00", "by": "Ada" });
    schedule_alone(&ground, &moved, "2100-02-20T19:00:00Z").await?;
    look_alone(&ground, "2100-02-20T19:00:00Z").await?;
    ensure_heard(&ground, "board@example.com", &["in 30 days", "new date"]).await?;
    ensure!(mail(&ground, "board@example.com").await?.contains("begins at 13 March 2100"), "not the new date");
    look_alone(&ground, "2100-02-27T20:00:00Z").await?;
    ensure_heard(&ground, "board@example.com", &["in 30 days", "new date"]).await?;
    schedule_alone(&ground, &json!({ "by": "Ada" }), "2100-02-28T19:00:00Z").await?;
    look_alone(&ground, "2100-02-28T19:00:00Z").await?;
    ensure_heard(&ground, "board@example.com", &["in 30 days", "new date", "put off"]).await?;
    schedule_alone(&ground, &moved, "2100-03-01T19:00:00Z").await?;
    look_alone(&ground, "2100-03-01T19:00:00Z").await?;
    look_alone(&ground, "2100-03-06T19:00:00Z").await?;
    ensure_heard(&ground, "board@example.com", &["in 30 days", "new date", "put off", "new date", "in 7 days"]).await?;
    let wrong = json!({ "opens": "soon", "by": "Ada" });
    let refused = say(&ground, "wrong-date", json!({ "of": ALONE, "cutover": wrong })).await?;
    ensure!(refused["cause"].as_str().is_some_and(|cause| cause.contains("no time")), "{refused}");
    Ok(())
}

/// What is done, as the journal has it.
async fn ticks(ground: &Ground) -> Result<Value> {
    let dump = ground.client.dump().await?;
    let items = dump["journal"].as_array().cloned().unwrap_or_default();
    let item = items.iter().find(|item| item["pk"]["S"] == format!("timeline#{WAVE}")).context("no timeline")?;
    let state: Value = serde_json::from_str(item["timeline"]["S"].as_str().context("no text")?)?;
    Ok(state["ticks"].clone())
}

async fn schedules(ground: &Ground) -> Result<Vec<(String, String)>> {
    let listed = ground.client.call("scheduler", "list_schedules", json!({ "GroupName": GROUP })).await?;
    let mut found = Vec::new();
    for one in listed["Schedules"].as_array().into_iter().flatten() {
        let of = json!({ "GroupName": GROUP, "Name": one["Name"] });
        let got = ground.client.call("scheduler", "get_schedule", of).await?;
        let text = |key: &str| got[key].as_str().unwrap_or_default().to_owned();
        found.push((text("Name"), text("ScheduleExpression")));
    }
    found.sort();
    Ok(found)
}

async fn a_date_that_moves_takes_its_timeline_along_and_nothing_of_the_old_one_comes() -> Result<()> {
    let ground = Ground::telling(SPEED, three_groups()).await?;
    programme(&ground, "first", &portfolio()).await?;
    let timelines = async || -> Result<Vec<(String, String)>> {
        Ok(schedules(&ground).await?.into_iter().filter(|(name, _)| name.ends_with(".timeline")).collect())
    };
    let named = |name: &str, at: &str| (name.to_owned(), at.to_owned());
    let first = [
        named("spring.2100-03-06.timeline", "at(2100-02-04T20:00:00)"),
        named("spring.2100-03-13.timeline", "at(2100-02-11T20:00:00)"),
    ];
    ensure!(timelines().await? == first, "{:?}", timelines().await?);
    // Delivered twice, it is one.
    for _ in 0..2 {
        let delivery = ground.client.fire_schedule("spring.2100-03-06.timeline").await?;
        ensure!(delivery["delivered"] == true, "{delivery}");
    }
    let executions = wait_for("the timeline", LIMIT, async || {
        Ok(Some(ground.executions("timeline").await?).filter(|all| !all.is_empty()))
    })
    .await?;
    ensure!(executions.len() == 1, "{executions:?}");
    let execution = executions[0]["executionArn"].as_str().context("no execution")?;
    // Stopped before it has claimed, it would claim after somebody else has looked whether anybody does.
    ground.wait_for_state(execution, "TellWhatIsDue", LIMIT).await?;
    cutover_tests::follow::stop(&ground.client, execution).await?;
    // Nobody follows it any more: whoever is started with its input does.
    ensure!(take(&ground, "2100-02-04T19:00:00Z").await?["follows"] == true, "it is not followed on");
    look(&ground, "2100-02-04T19:00:00Z").await?;
    ensure_heard(&ground, "shop@example.com", &["in 30 days"]).await?;

    let mut later = portfolio();
    later["applications"][0]["not_before"] = "2100-03-08".into();
    programme(&ground, "later", &later).await?;
    let moved = [
        named("spring.2100-03-13.timeline", "at(2100-02-11T20:00:00)"),
        named("spring.2100-03-20.timeline", "at(2100-02-18T20:00:00)"),
    ];
    ensure!(timelines().await? == moved, "{:?}", timelines().await?);
    look(&ground, "2100-02-10T00:00:00Z").await?;
    ensure_heard(&ground, "shop@example.com", &["in 30 days", "put off"]).await?;
    for at in ["2100-02-27T19:00:00Z", "2100-03-05T19:00:00Z", "2100-03-06T19:15:00Z"] {
        look(&ground, at).await?;
    }
    // Back on its date: what came does not come again.
    let mut back = portfolio();
    back["applications"][0]["not_after"] = "2100-03-07".into();
    programme(&ground, "back", &back).await?;
    look(&ground, "2100-03-06T18:50:00Z").await?;
    ensure_heard(&ground, "shop@example.com", &["in 30 days", "put off", "new date", "soon, and not ready"]).await?;
    let late = mail(&ground, "shop@example.com").await?;
    ensure!(late.contains("This was due at ") && late.contains("7 days before was not sent"), "{late}");
    // Its timeline has begun: it has no schedule any more.
    ensure!(timelines().await? == [first[1].clone()], "{:?}", timelines().await?);
    Ok(())
}

async fn a_programme_without_timelines_has_none() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let input = json!({ "portfolio": portfolio(), "timelines": false });
    let end = ground.end_of(&ground.start("program", "none", &input).await?, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let names: Vec<String> = schedules(&ground).await?.into_iter().map(|(name, _)| name).collect();
    ensure!(names == ["spring.2100-03-06", "spring.2100-03-13"], "{names:?}");
    Ok(())
}

/// Runs a wave of two stages to its end.
async fn moved(ground: &Ground, name: &str, sick: bool) -> Result<String> {
    let plan = |application: &str| {
        listener_plan(application, json!([{ "new_weight": 50, "hold": "2m" }, { "new_weight": 100 }]))
    };
    let (first, second) = (format!("{name}-db"), format!("{name}-web"));
    let wave = json!({ "wave": name, "applications": [
        { "name": first, "cutover": plan(&first), "owner": "Data" },
        { "name": second, "cutover": plan(&second), "needs": [first] },
    ], "stakeholders": { "of_stack": ["executives", "technical-teams"] } });
    let fails = json!({ "new": { "changes": [{ "when_new_weight": 50, "error_rate": 1.0, "healthy_percent": 0.0 }] } });
    let world = if sick { json!({ "applications": { second: fails } }) } else { json!({}) };
    let world: WaveWorld = serde_json::from_value(world)?;
    let stage = WaveStage::set(&ground.client, ground.emulator.ready(), &wave, world, ground.speed).await?;
    let outcome =
        tokio::time::timeout(LIMIT, rehearse(&stage, |_, _: &Happening| {})).await.context("it never ends")??;
    Ok(outcome.ending().to_owned())
}

/// What a group has heard of a wave, without what it has heard of its runs.
async fn of_wave(ground: &Ground, to: &str, name: &str) -> Result<Vec<String>> {
    let mails = ground.client.mails().await?;
    let theirs = mails.iter().filter(|mail| mail["to"] == json!([to]));
    let prefix = format!("Wave {name}: ");
    let state = |mail: &Value| mail["subject"].as_str()?.strip_prefix(&prefix).map(str::to_owned);
    Ok(theirs.filter_map(state).collect())
}

async fn groups_hear_of_a_wave_and_a_wave_that_nobody_hears_of_ends_the_same() -> Result<()> {
    let ground = Ground::telling(SPEED, three_groups()).await?;
    let ending = moved(&ground, "heard", true).await?;
    ensure!(ending == "Incomplete", "it ended {ending}");
    let wanted = ["is being checked", "has begun", "stage done", "on hold", "completed in part"];
    let heard = wait_for("the wave's end", LIMIT, async || {
        let heard = of_wave(&ground, "team@example.com", "heard").await?;
        Ok(heard.contains(&"completed in part".to_owned()).then_some(heard))
    })
    .await?;
    let in_order = wanted.iter().filter(|state| heard.iter().any(|one| one == *state)).count();
    ensure!(in_order >= 4 && heard.len() <= wanted.len(), "{heard:?}");
    let mut once = heard.clone();
    once.sort();
    once.dedup();
    ensure!(once.len() == heard.len(), "something was told twice: {heard:?}");
    let mails = ground.client.mails().await?;
    let mut last =
        mails.iter().filter(|mail| mail["to"] == json!(["team@example.com"])).filter_map(|mail| mail["text"].as_str());
    let end = last.rfind(|text| text.starts_with("Wave heard has ended")).context("no ending")?;
    ensure!(end.contains("heard-db is on its new side (it took ") && end.contains("heard-web was put back"), "{end}");
    ensure!(of_wave(&ground, "shop@example.com", "heard").await?.is_empty(), "business users were not named");
    // To executives the wave speaks for its runs; business users, whom it does not name, hear of each.
    let of_run = async |to: &str| -> Result<usize> {
        let mails = ground.client.mails().await?;
        let is_of_run = |mail: &&Value| {
            mail["to"] == json!([to]) && mail["subject"].as_str().is_some_and(|subject| subject.contains("heard-db"))
        };
        Ok(mails.iter().filter(is_of_run).count())
    };
    wait_for("beginning, verifying and end of a run", LIMIT, async || {
        Ok((of_run("shop@example.com").await? == 3).then_some(()))
    })
    .await?;
    ensure!(of_run("board@example.com").await? == 0, "executives hear of each run, too");

    let denied = json!({ "match": { "caller": "wave", "operation": "Publish" }, "do": "before", "times": null,
        "error": "AuthorizationError", "status": 403 });
    ground.client.set_faults(json!([denied])).await?;
    let ending = moved(&ground, "unheard", false).await?;
    ensure!(ending == "Succeeded", "it ended {ending}");
    let hits = ground.client.faults().await?;
    ensure!(hits[0]["hits"].as_u64().is_some_and(|hits| hits > 0), "nothing was denied: {hits:?}");
    ensure!(of_wave(&ground, "team@example.com", "unheard").await?.is_empty(), "somebody heard of it");
    ground.client.set_faults(json!([])).await.map(drop)
}

async fn a_wave_that_names_an_unknown_group_is_refused() -> Result<()> {
    let ground = Ground::telling(SPEED, three_groups()).await?;
    let wave = json!({ "wave": "typo", "applications": [{ "name": "fax", "tasks": [{ "what": "switch it off" }] }],
        "stakeholders": { "of_stack": ["execs"] } });
    let end = ground.end_of(&ground.start("wave", "typo", &wave).await?, LIMIT).await?;
    let cause = end["cause"].as_str().unwrap_or_default();
    ensure!(end["error"] == "Cutover.InvalidPlan" && cause.contains("it has executives, business-users"), "{end}");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        each_milestone_is_heard_once_and_checks_tell_what_has_changed,
        a_checklist_is_ticked_once_by_its_page,
        a_single_cutover_has_its_timeline_and_its_date_moves,
        a_date_that_moves_takes_its_timeline_along_and_nothing_of_the_old_one_comes,
        a_programme_without_timelines_has_none,
        groups_hear_of_a_wave_and_a_wave_that_nobody_hears_of_ends_the_same,
        a_wave_that_names_an_unknown_group_is_refused,
    ]
}
