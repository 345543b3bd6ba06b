//! Programmes: a portfolio is planned, published and agreed to, and every wave has one schedule, whatever happens meanwhile.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, wait_for};
use anyhow::{Context, Result, ensure};
use cutover_tests::approver::task_token;
use cutover_tests::left;
use cutover_tests::setup::Checkout;
use serde_json::{Value, json};

const SPEED: f64 = 300.0;
const LIMIT: Duration = Duration::from_secs(180);
const GROUP: &str = "cutover-programmes";
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:programme";

/// Three that move, one after the other in a week's distance, and one that is retired.
fn portfolio(name: &str) -> Value {
    let moving = |name: &str| json!({ "name": name, "strategy": "rehost", "owner": "Web", "cutover_plan": format!("plans/{name}.json") });
    let after = |first: &str, then: &str| json!({ "first": first, "then": then, "kind": "not_before_days", "days": 7 });
    json!({
        "name": name,
        "calendar": { "time_zone": "Europe/Zurich", "start": "2100-03-01", "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "10h" }] },
        "applications": [moving("web"), moving("shop"), moving("search"),
            { "name": "fax", "strategy": "retire", "owner": "Office", "tasks": [{ "what": "switch it off" }] }],
        "dependencies": [after("web", "shop"), after("shop", "search")],
    })
}

/// An execution of `program`, and how it ended.
async fn run(ground: &Ground, name: &str, input: &Value) -> Result<Value> {
    let execution = ground.start("program", name, input).await?;
    ground.end_of(&execution, LIMIT).await
}

fn output(end: &Value) -> Result<Value> {
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let mut output: Value = serde_json::from_str(end["output"].as_str().context("no output")?)?;
    // Timelines come and go with their waves: `timelines` has its own tests.
    for field in ["made", "moved", "removed", "schedules", "foreign"] {
        if let Some(names) = output[field].as_array_mut() {
            names.retain(|name| name.as_str().is_none_or(|name| !name.ends_with(".timeline")));
        }
    }
    Ok(output)
}

/// The schedules of waves in the group, without those of their timelines: name, time, and what they start, in the order of their names.
async fn schedules(ground: &Ground) -> Result<Vec<(String, String, Value)>> {
    let listed = ground.client.call("scheduler", "list_schedules", json!({ "GroupName": GROUP })).await?;
    let mut found = Vec::new();
    let is_wave = |one: &&Value| one["Name"].as_str().is_some_and(|name| !name.ends_with(".timeline"));
    for one in listed["Schedules"].as_array().into_iter().flatten().filter(is_wave) {
        let of = json!({ "GroupName": GROUP, "Name": one["Name"] });
        let got = ground.client.call("scheduler", "get_schedule", of).await?;
        let text = |key: &str| got[key].as_str().unwrap_or_default().to_owned();
        let input = serde_json::from_str(got["Target"]["Input"].as_str().unwrap_or("null"))?;
        found.push((text("Name"), text("ScheduleExpression"), input));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

async fn names(ground: &Ground) -> Result<Vec<String>> {
    Ok(schedules(ground).await?.into_iter().map(|(name, _, _)| name).collect())
}

async fn put(ground: &Ground, key: &str, value: &Value) -> Result<()> {
    let object = json!({ "Bucket": "cutover-reports-123456789012-eu-west-1", "Key": key, "Body": value.to_string() });
    ground.client.call("s3", "put_object", object).await.map(drop)
}

async fn is_left(ground: &Ground, key: &str) -> Result<bool> {
    Ok(left::object(&ground.client, key).await?.is_some())
}

/// Whatever is wrong is told, in words, before anything is written.
async fn a_bad_portfolio_leaves_nothing_behind() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut value = portfolio("bad");
        change(&mut value);
        json!({ "portfolio": value })
    };
    let cases: [(&str, Value, &str, &str); 7] = [
        (
            "unknown-field",
            with(&|value| value["applications"][0]["stratgy"] = "rehost".into()),
            "Cutover.InvalidPortfolio",
            "$.applications[0].stratgy",
        ),
        (
            "unknown-dependency",
            with(&|value| value["dependencies"][0]["first"] = "wbe".into()),
            "Cutover.InvalidPortfolio",
            "write web",
        ),
        (
            "cycle",
            with(&|value| {
                value["dependencies"] = json!([
                { "first": "web", "then": "shop", "kind": "before" }, { "first": "shop", "then": "web", "kind": "before" }])
            }),
            "Cutover.NoProgramme",
            "A circle: ",
        ),
        (
            "window",
            with(&|value| value["applications"][0]["cutover"] = "12h".into()),
            "Cutover.NoProgramme",
            "fit into its window",
        ),
        (
            "capacity",
            with(&|value| {
                value["teams"] = json!([{ "name": "platform", "days_per_week": 1 }]);
                value["calendar"]["end"] = "2100-03-28".into();
                value["applications"][0]["effort"] = json!([{ "team": "platform", "days": 100 }]);
            }),
            "Cutover.NoProgramme",
            "team platform has 1 person-days a week",
        ),
        (
            "plan-elsewhere",
            with(&|value| value["applications"][1]["cutover_plan"] = "shop.json".into()),
            "Cutover.InvalidPortfolio",
            "$.applications[1].cutover_plan",
        ),
        (
            "nowhere",
            json!({ "portfolio_from": "portfolios/nowhere.json" }),
            "Cutover.InvalidGesture",
            "there is no object portfolios/nowhere.json",
        ),
    ];
    for (name, input, error, words) in cases {
        let end = run(&ground, name, &input).await?;
        let cause = end["cause"].as_str().unwrap_or_default();
        ensure!(end["error"] == error && cause.contains(words), "{name}: {} {cause}", end["error"]);
        ensure!(cause.contains("nothing was done"), "{name}: {cause}");
        ensure!(!is_left(&ground, &format!("programmes/bad/{name}/")).await?, "{name} has left something");
    }
    ensure!(names(&ground).await?.is_empty(), "something was scheduled");
    Ok(())
}

/// It is read from the bucket, published, and nothing more.
async fn a_dry_run_publishes_and_touches_no_schedule() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    put(&ground, "portfolios/dry.json", &portfolio("dry")).await?;
    put(&ground, "plans/web.json", &json!({})).await?;
    let end = run(
        &ground,
        "dry",
        &json!({ "portfolio_from": "portfolios/dry.json", "mode": "plan", "approval": { "topic_arn": TOPIC } }),
    )
    .await?;
    let output = output(&end)?;
    ensure!(output["waves"] == 3 && output["from_to"][1] == "2100-03-20", "{output}");
    let page = output["page"].as_str().context("no page")?;
    ensure!(
        page.contains("console.aws.amazon.com/s3/object/cutover-reports")
            && page.ends_with("programmes/dry/dry/programme.html"),
        "{page}"
    );
    let note = output["notes"][0].as_str().context("no note")?;
    ensure!(note.contains("plans/shop.json, plans/search.json") && !note.contains("plans/web.json"), "{note}");
    for (key, words) in [
        ("html", "<svg"),
        ("md", "## Waves"),
        ("csv", "application,strategy"),
        ("ics", "SUMMARY:retire fax: due (Office)"),
        ("json", "\"waves\""),
    ] {
        let text = left::object(&ground.client, &format!("programmes/dry/dry/programme.{key}")).await?;
        ensure!(text.is_some_and(|text| text.contains(words)), "no {words} in the {key}");
    }
    ensure!(names(&ground).await?.is_empty(), "a dry run has scheduled something");
    let asked = ground.client.messages().await?;
    ensure!(asked.iter().all(|message| message.topic_arn.as_deref() != Some(TOPIC)), "a dry run has asked somebody");
    Ok(())
}

/// Planned anew, what is right stays, what moves moves, what is gone goes; and what is not ours is left alone.
async fn schedules_follow_the_programme_and_are_never_doubled() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let dates = |dates: &[&str]| dates.iter().map(|date| format!("spring.{date}")).collect::<Vec<_>>();
    let first = output(
        &run(&ground, "first", &json!({ "portfolio": portfolio("spring"), "waves": { "on_failures": "continue" } }))
            .await?,
    )?;
    let all = dates(&["2100-03-06", "2100-03-13", "2100-03-20"]);
    ensure!(first["made"] == json!(all) && first["schedules"] == json!(all), "{first}");
    let there = schedules(&ground).await?;
    let (_, at, input) = &there[0];
    ensure!(at == "at(2100-03-06T19:45:00)", "{at}");
    ensure!(
        input["state_machine_arn"].as_str().is_some_and(|arn| arn.ends_with(":stateMachine:wave"))
            && input["name"] == "spring-2100-03-06",
        "{input}"
    );
    ensure!(
        input["input"]["applications"][0]["cutover_from"] == "plans/web.json"
            && input["input"]["on_failures"] == "continue",
        "{input}"
    );

    // Somebody else's, of a name of ours and of none.
    let mut foreign = json!({ "GroupName": GROUP, "Name": "spring.2100-01-01", "ScheduleExpression": "at(2100-01-01T00:00:00)",
        "FlexibleTimeWindow": { "Mode": "OFF" }, "Target": { "Arn": ground.machine("cutover"), "RoleArn": "arn:aws:iam::123456789012:role/me", "Input": "{}" } });
    ground.client.call("scheduler", "create_schedule", foreign.clone()).await?;
    foreign["Name"] = "spring-cleaning.2100-03-06".into();
    ground.client.call("scheduler", "create_schedule", foreign).await?;

    let again = output(
        &run(&ground, "again", &json!({ "portfolio": portfolio("spring"), "waves": { "on_failures": "continue" } }))
            .await?,
    )?;
    ensure!(again["schedules"] == json!(all) && again["foreign"] == json!(["spring.2100-01-01"]), "{again}");
    for nothing in ["made", "moved", "removed"] {
        ensure!(again[nothing] == json!([]), "{nothing}: {again}");
    }
    // `shop` is put off: its wave and the next are on other dates, and the first has another rule.
    let mut later = portfolio("spring");
    later["applications"][1]["not_before"] = "2100-03-15".into();
    let moved = output(&run(&ground, "later", &json!({ "portfolio": later })).await?)?;
    ensure!(
        moved["removed"] == json!(["spring.2100-03-13"]) && moved["made"] == json!(["spring.2100-03-27"]),
        "{moved}"
    );
    ensure!(
        moved["moved"] == json!(["spring.2100-03-06", "spring.2100-03-20"])
            && moved["slip_days"] == 7
            && moved["changes"] == 2,
        "{moved}"
    );
    let expected = [
        "spring-cleaning.2100-03-06",
        "spring.2100-01-01",
        "spring.2100-03-06",
        "spring.2100-03-20",
        "spring.2100-03-27",
    ];
    ensure!(names(&ground).await? == expected, "{:?}", names(&ground).await?);

    // What has moved is in no wave any more: people say so.
    let done = json!({ "portfolio": later, "progress": { "done": { "web": "2100-03-06", "shop": "2100-03-20" }, "today": "2100-03-22" } });
    let last = output(&run(&ground, "done", &done).await?)?;
    ensure!(
        last["removed"] == json!(["spring.2100-03-06", "spring.2100-03-20"])
            && last["schedules"] == json!(["spring.2100-03-27"]),
        "{last}"
    );
    Ok(())
}

/// A wave whose schedule is somebody else's would not be started: that is told.
async fn a_schedule_of_somebody_else_in_the_place_of_a_wave_is_an_error() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let foreign = json!({ "GroupName": GROUP, "Name": "spring.2100-03-13", "ScheduleExpression": "at(2100-01-01T00:00:00)",
        "FlexibleTimeWindow": { "Mode": "OFF" }, "Target": { "Arn": ground.machine("cutover"), "RoleArn": "arn:aws:iam::123456789012:role/me", "Input": "{}" } });
    ground.client.call("scheduler", "create_schedule", foreign).await?;
    let end = run(&ground, "taken", &json!({ "portfolio": portfolio("spring") })).await?;
    ensure!(end["error"] == "Cutover.Drift", "ended {} {}", end["error"], end["cause"]);
    ensure!(end["cause"].as_str().is_some_and(|cause| cause.contains("spring.2100-03-13")), "{}", end["cause"]);
    let there = schedules(&ground).await?;
    let kept = there.iter().find(|(name, _, _)| name == "spring.2100-03-13").context("it is gone")?;
    ensure!(kept.1 == "at(2100-01-01T00:00:00)" && there.len() == 3, "{there:?}");
    Ok(())
}

/// The token of an execution's question.
async fn token(ground: &Ground, page: &str) -> Result<(String, String)> {
    wait_for("a question", LIMIT, async || {
        let messages = ground.client.messages().await?;
        let asked = messages
            .into_iter()
            .find(|message| message.topic_arn.as_deref() == Some(TOPIC) && message.message.contains(page));
        Ok(asked.and_then(|asked| Some((task_token(&asked)?.to_owned(), asked.message.clone()))))
    })
    .await
}

/// Only a yes that says whose it is schedules; and of two that were planned from the same one, only the first.
async fn nothing_is_scheduled_without_a_yes() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    ground.client.call("sns", "create_topic", json!({ "Name": "programme" })).await?;
    let input = json!({ "portfolio": portfolio("asked"), "approval": { "topic_arn": TOPIC, "within": "168h" } });
    let no = ground.start("program", "no", &input).await?;
    let (answer, message) = token(&ground, "programmes/asked/no/").await?;
    for words in
        ["3 applications in 3 waves", "Silence is a no", "1. 2100-03-06T20:00:00+01:00: web", "send-task-success"]
    {
        ensure!(message.contains(words), "no {words} in {message}");
    }
    let rejects = json!({ "taskToken": answer, "error": "Rejected", "cause": "Ada: not yet" });
    ground.client.call("stepfunctions", "send_task_failure", rejects).await?;
    let end = ground.end_of(&no, LIMIT).await?;
    ensure!(
        end["error"] == "Cutover.Rejected" && end["cause"] == "Ada: not yet",
        "ended {} {}",
        end["error"],
        end["cause"]
    );

    let unsigned = ground.start("program", "unsigned", &input).await?;
    let (answer, _) = token(&ground, "programmes/asked/unsigned/").await?;
    let as_it_stood = json!({ "taskToken": answer, "output": "{\"by\": \"YOUR NAME\", \"why\": \"YOUR REASON\"}" });
    ground.client.call("stepfunctions", "send_task_success", as_it_stood).await?;
    ensure!(ground.end_of(&unsigned, LIMIT).await?["error"] == "Cutover.Rejected", "an unsigned yes counts");
    ensure!(names(&ground).await?.is_empty(), "something was scheduled without a yes");

    let (one, other) = (ground.start("program", "one", &input).await?, ground.start("program", "other", &input).await?);
    let yes = |answer: String| json!({ "taskToken": answer, "output": "{\"by\": \"Ada\", \"why\": \"it fits\"}" });
    let (of_one, of_other) =
        (token(&ground, "programmes/asked/one/").await?.0, token(&ground, "programmes/asked/other/").await?.0);
    ground.client.call("stepfunctions", "send_task_success", yes(of_other)).await?;
    ensure!(output(&ground.end_of(&other, LIMIT).await?)?["agreed"] == "Ada", "not agreed");
    let there = schedules(&ground).await?;
    ground.client.call("stepfunctions", "send_task_success", yes(of_one)).await?;
    let end = ground.end_of(&one, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Conflict", "ended {} {}", end["error"], end["cause"]);
    ensure!(schedules(&ground).await? == there && there.len() == 3, "the second has changed schedules");
    Ok(())
}

/// The function dies before and after each of its writes and reads, and is called twice at once: the same schedules.
async fn every_action_runs_twice_safely() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let operations = ["PutObject", "GetObject", "PutItem", "CreateSchedule", "ListSchedules"];
    let deaths = ["kill_before", "kill_after"].map(|how| operations.map(|operation| (how, operation)));
    let twice = [1, 2, 3, 4].map(|nth| (nth, "twice", "Invoke"));
    let cases = deaths.into_iter().flatten().map(|(how, operation)| (1, how, operation)).chain(twice);
    for (nth, how, operation) in cases {
        let fault = json!({ "match": { "operation": operation }, "from": nth, "times": 1, "do": how });
        ground.client.set_faults(json!([fault])).await?;
        let name = format!("{}-{how}-{nth}", operation.to_lowercase());
        let output = output(&run(&ground, &name, &json!({ "portfolio": portfolio(&name) })).await?)
            .with_context(|| name.clone())?;
        ensure!(output["schedules"].as_array().is_some_and(|all| all.len() == 3), "{name}: {output}");
        let own: Vec<String> =
            names(&ground).await?.into_iter().filter(|one| one.starts_with(&format!("{name}."))).collect();
        ensure!(own.len() == 3, "{name}: {own:?}");
        let hits = ground.client.faults().await?;
        ensure!(hits[0]["hits"] == 1, "{name}: it did not happen: {hits:?}");
    }
    Ok(())
}

/// Before anything is started: the programme as it would be, or what is wrong.
async fn a_portfolio_is_judged_alone() -> Result<()> {
    let check = |path: &Path| Command::new(env!("CARGO_BIN_EXE_rehearse")).arg(path).arg("--check").output();
    let checkout = Checkout::of_this_build();
    let good = check(&checkout.root.join("events/portfolio.json"))?;
    let said = String::from_utf8_lossy(&good.stdout);
    ensure!(good.status.success() && said.contains("17 applications move in 8 waves"), "{said}");
    let mut wrong = portfolio("wrong");
    wrong["applications"][0]["owner"] = Value::Null;
    let path = checkout.target.join("wrong-portfolio.json");
    std::fs::write(&path, wrong.to_string())?;
    let bad = check(&path)?;
    let said = String::from_utf8_lossy(&bad.stdout);
    ensure!(bad.status.code() == Some(2) && said.contains("$.applications[0].owner"), "{said}");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_bad_portfolio_leaves_nothing_behind,
        a_portfolio_is_judged_alone,
        a_dry_run_publishes_and_touches_no_schedule,
        schedules_follow_the_programme_and_are_never_doubled,
        a_schedule_of_somebody_else_in_the_place_of_a_wave_is_an_error,
        nothing_is_scheduled_without_a_yes,
        every_action_runs_twice_safely,
    ]
}
