//! Pages that answer: opened and sent as browsers and mail scanners do, by the links of real messages, with the functions' real binaries behind
//! them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cutover_tests::pages::{Browser, Page, form, link_in};
use cutover_tests::stage::Stage;
use cutover_tests::waves::WaveStage;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, ensure_same, listener_plan, wait_for};

/// An hour of a plan is a minute here: nobody's time runs out while a page is looked at.
const SPEED: f64 = 60.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
const APPROVERS: &str = "arn:aws:sns:eu-west-1:123456789012:approvers";
const FORM: &str = "application/x-www-form-urlencoded";

/// Who may answer, and who may not.
fn groups() -> Value {
    let mail = |to: &str| json!([{ "type": "mail", "to": [to] }]);
    json!([
        { "name": "technical-teams", "channels": mail("team@example.com"), "may_answer": true },
        { "name": "on-call", "format": "technical", "channels": mail("on-call@example.com") },
    ])
}

fn asking(application: &str) -> Value {
    let mut plan =
        listener_plan(application, json!([{ "new_weight": 50, "hold": "5m" }, { "new_weight": 100, "hold": "5m" }]));
    plan["approval"] = json!({ "within": "10h", "topic_arn": APPROVERS });
    plan
}

/// A plan whose step is held when an alarm rings.
fn holding(application: &str) -> Value {
    let mut plan =
        listener_plan(application, json!([{ "new_weight": 10, "hold": "10m" }, { "new_weight": 100, "hold": "2m" }]));
    plan["monitoring"] = json!({ "interval": "1m", "failure_limit": 1, "alarms": [format!("{application}-sick")],
        "on_failure": "hold", "hold_limit": "10h" });
    plan
}

/// A run that waits for an answer, and the link of its message.
struct Waiting {
    run_id: String,
    link: String,
    _stage: Stage,
}

async fn waiting(ground: &Ground, plan: &Value) -> Result<Waiting> {
    let stage = ground.quiet_stage(plan, json!({})).await?;
    let name = plan["application"].as_str().context("a name")?;
    let run_id = ground.start("cutover", name, &stage.plan).await?;
    Ok(Waiting {
        link: link_of(ground, &format!("APPROVE OR REJECT the cutover of {name}")).await?,
        run_id,
        _stage: stage,
    })
}

async fn link_of(ground: &Ground, subject: &str) -> Result<String> {
    let message = ground.page(subject, LIMIT).await?;
    link_in(&message).map(str::to_owned).with_context(|| format!("no link in {message}"))
}

/// The journal's item of a link's question.
async fn question(ground: &Ground, link: &str) -> Result<Value> {
    let id = link.split('/').nth(3).context("no question")?;
    let dump = ground.client.dump().await?;
    let item = dump["journal"].as_array().into_iter().flatten().find(|item| item["pk"]["S"] == format!("ask#{id}"));
    item.cloned().context("the question is not in the journal")
}

/// All that a look must leave as it is.
async fn state(ground: &Ground, run_id: &str) -> Result<Value> {
    let history =
        ground.client.call("stepfunctions", "get_execution_history", json!({ "executionArn": run_id })).await?;
    let events = history["events"].as_array().map(Vec::len);
    Ok(
        json!({ "dump": ground.client.dump().await?, "status": ground.describe(run_id).await?["status"], "events": events }),
    )
}

fn ensure_page(page: &Page, status: u16, shown: &[&str]) -> Result<()> {
    ensure!(page.status == status, "status {} instead of {status}: {}", page.status, page.html);
    for text in shown {
        ensure!(page.shows(text), "no {text:?} in {}", page.html);
    }
    Ok(())
}

/// Opens everything that a text leads to, by GET and HEAD, and every form by GET with and without its fields filled in.
async fn scan(browser: &Browser, texts: &[&str]) -> Result<usize> {
    let mut looked = 0;
    let mut left: Vec<String> = texts.iter().filter_map(|text| link_in(text)).map(str::to_owned).collect();
    let mut known = left.clone();
    while let Some(link) = left.pop() {
        for method in [Method::GET, Method::HEAD, Method::GET, Method::OPTIONS] {
            let page = browser.ask(method, &link, &[("user-agent", "scanner")], None).await?;
            looked += 1;
            let places = ["href=\"", "src=\"", "action=\"", "url="].map(|mark| page.html.split(mark).skip(1));
            let found = places.into_iter().flatten().filter_map(|rest| rest.split('"').next());
            let found: Vec<String> = found.chain(page.header("location")).map(str::to_owned).collect();
            let base = reqwest::Url::parse(&link)?;
            for place in found.iter().filter_map(|place| base.join(place).ok()).map(String::from) {
                if !known.contains(&place) {
                    known.push(place.clone());
                    left.push(place);
                }
            }
        }
        for choice in ["approve", "reject", "go_on", "go_back", "again"] {
            let link = format!("{link}?{}", form("A scanner", "it submits everything", choice));
            browser.ask(Method::GET, &link, &[], None).await?;
            looked += 1;
        }
    }
    Ok(looked)
}

async fn a_scanner_changes_nothing_and_the_first_answer_counts() -> Result<()> {
    let ground = Ground::answering(SPEED, groups()).await?;
    let browser = Browser::open()?;
    let Waiting { run_id, link, _stage } = waiting(&ground, &asking("approved")).await?;
    let mails = wait_for("a mail to those who may answer", LIMIT, async || {
        let mails = ground.client.mails().await?;
        Ok(mails.iter().any(|mail| mail["to"] == json!(["team@example.com"])).then_some(mails))
    })
    .await?;
    let texts: Vec<String> = mails.iter().map(|mail| format!("{} {}", mail["text"], mail["html"])).collect();
    let message = ground.page("APPROVE OR REJECT", LIMIT).await?;
    let all: Vec<&str> = texts.iter().map(String::as_str).chain([message.as_str()]).collect();

    let before = state(&ground, &run_id).await?;
    let looked = scan(&browser, &all).await?;
    ensure!(looked >= 18, "only {looked} looks: the topic's link and the group's");
    ensure_same(&before, &state(&ground, &run_id).await?)?;

    let page = browser.get(&link).await?;
    let digest =
        page.html.split("<code>").filter_map(|part| part.split("</code>").next()).find(|part| part.len() == 64);
    ensure_page(
        &page,
        200,
        &["May the cutover of approved begin?", "name=\"choice\" value=\"reject\"", "50 %", "the topic approvers"],
    )?;
    ensure!(digest.is_some(), "no digest of the plan");
    ensure!(!page.shows("TOKEN") && !page.shows(&ground.approval_token(LIMIT).await?), "the token is on the page");

    // Neither whoever does not say who and why, nor a form that another site sends.
    ensure_page(
        &browser.answer(&link, "", "agreed", "approve").await?,
        422,
        &["Your name is empty", "agreed</textarea>"],
    )?;
    ensure_page(&browser.answer(&link, "YOUR NAME", "x", "approve").await?, 422, &["still says"])?;
    ensure_page(&browser.answer(&link, "Ada", "agreed", "go_on").await?, 422, &["one of the two buttons"])?;
    for (name, value) in [("origin", "https://evil.example.com"), ("sec-fetch-site", "cross-site")] {
        let headers = [("content-type", FORM), (name, value)];
        let page = browser.ask(Method::POST, &link, &headers, Some(form("Eve", "mine", "approve"))).await?;
        ensure_page(&page, 403, &["Nothing was done"])?;
    }
    let large = form("Eve", &"x".repeat(20_000), "approve");
    ensure_page(&browser.ask(Method::POST, &link, &[("content-type", FORM)], Some(large)).await?, 413, &[])?;
    ensure_same(&before, &state(&ground, &run_id).await?)?;

    let page = browser.answer(&link, "Ada", "the change is agreed", "approve").await?;
    ensure_page(&page, 200, &["Approved by &quot;Ada&quot;", "the change is agreed", "The run goes on by it."])?;
    let second = browser.answer(&link, "Bob", "no", "reject").await?;
    ensure_page(&second, 200, &["Approved by &quot;Ada&quot;"])?;
    ensure!(!second.shows("Bob"), "the second answer is seen");
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let summary: Value = serde_json::from_str(end["output"].as_str().context("no output")?)?;
    ensure!(summary["approval"]["by"] == "Ada", "{}", summary["approval"]);
    let run = ground.run(&run_id).await?.context("the run")?;
    ensure!(
        run["approval"]["S"].as_str().is_some_and(|text| text.contains("the change is agreed")),
        "{}",
        run["approval"]
    );
    Ok(())
}

/// Each of them is as good as none, and tells nothing of the run.
async fn a_link_that_is_not_ours_or_has_ended_tells_nothing_and_does_nothing() -> Result<()> {
    let ground = Ground::answering(SPEED, groups()).await?;
    let browser = Browser::open()?;
    let first = waiting(&ground, &asking("one")).await?;
    let second = waiting(&ground, &asking("other")).await?;
    let before = [state(&ground, &first.run_id).await?, state(&ground, &second.run_id).await?];
    let parts: Vec<&str> = first.link.split('/').collect();
    let with = |place: usize, value: &str| {
        let mut parts = parts.clone();
        parts[place] = value;
        parts.join("/")
    };
    let other: Vec<&str> = second.link.split('/').collect();
    let mut wrong = vec![
        with(3, other[3]),
        with(4, "r"),
        with(5, "4102444800"),
        with(6, "topic.everybody"),
        with(7, other[7]),
        with(7, ""),
        format!("{}x", first.link),
        format!("{}/", first.link),
        parts[..3].join("/"),
        parts[..3].join("/") + "/favicon.ico",
    ];
    wrong.dedup();
    for link in &wrong {
        for method in [Method::GET, Method::POST] {
            let body = (method == Method::POST).then(|| form("Eve", "mine", "approve"));
            let page = browser.ask(method, link, &[("content-type", FORM)], body).await?;
            ensure_page(&page, 403, &["This link cannot be used"])?;
            ensure!(!page.shows("cutover of") && !page.shows("approvers"), "{link} tells of the run: {}", page.html);
        }
    }
    // The same link, on a machine whose clock is there already.
    let later = json!({ "match": { "caller": "local", "operation": "Invoke" }, "do": "skew", "seconds": 11 * 3600, "times": null });
    ground.client.set_faults(json!([later])).await?;
    for method in [Method::GET, Method::POST] {
        let body = (method == Method::POST).then(|| form("Ada", "late", "approve"));
        let page = browser.ask(method, &first.link, &[("content-type", FORM)], body).await?;
        ensure_page(&page, 410, &["This link has ended"])?;
        ensure!(!page.shows("cutover of one"), "{}", page.html);
    }
    ground.client.set_faults(json!([])).await?;
    for (run, before) in [&first, &second].into_iter().zip(&before) {
        ensure_same(before, &state(&ground, &run.run_id).await?)?;
    }
    // What is right is right still, and says no.
    let page = browser.answer(&first.link, "Ada", "not on a Friday", "reject").await?;
    ensure_page(&page, 200, &["Rejected by &quot;Ada&quot;", "The run ends, or goes back, by it."])?;
    let end = ground.end_of(&first.run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Rejected", "ended {} {}", end["error"], end["cause"]);
    ensure!(end["cause"].as_str().is_some_and(|cause| cause.contains("Ada: not on a Friday")), "{}", end["cause"]);
    ensure!(ground.run(&first.run_id).await?.is_none(), "a rejected run is in the journal");
    Ok(())
}

async fn held(ground: &Ground, application: &str) -> Result<Waiting> {
    let stage = ground.quiet_stage(&holding(application), json!({})).await?;
    alarm(ground, application, "OK").await?;
    let run_id = ground.start("cutover", application, &stage.plan).await?;
    ground.wait_for_state(&run_id, "Monitor", LIMIT).await?;
    alarm(ground, application, "ALARM").await?;
    let link = link_of(ground, &format!("ACTION NEEDED: cutover of {application}: a check failed")).await?;
    alarm(ground, application, "OK").await?;
    Ok(Waiting { run_id, link, _stage: stage })
}

async fn alarm(ground: &Ground, application: &str, state: &str) -> Result<()> {
    let alarm =
        json!({ "AlarmName": format!("{application}-sick"), "StateValue": state, "StateReason": "set by the test" });
    ground.client.call("cloudwatch", "set_alarm_state", alarm).await?;
    Ok(())
}

async fn a_held_step_goes_on_or_back_by_its_page() -> Result<()> {
    let ground = Ground::answering(SPEED, groups()).await?;
    let browser = Browser::open()?;
    let on = held(&ground, "on").await?;
    let page = browser.get(&on.link).await?;
    ensure_page(
        &page,
        200,
        &["Does the cutover of on go on, or back?", "with 10 % on the new side", "on-sick: ALARM", "value=\"go_back\""],
    )?;
    let page = browser.answer(&on.link, "Ada", "it was the test's own load", "go_on").await?;
    ensure_page(&page, 200, &["To go on, decided by &quot;Ada&quot;", "The run goes on by it."])?;
    let end = ground.end_of(&on.run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let output: Value = serde_json::from_str(end["output"].as_str().context("an output")?)?;
    ensure!(output["decisions"][0]["by"] == "Ada", "{}", output["decisions"]);

    let back = held(&ground, "back").await?;
    let page = browser.answer(&back.link, "Ada", "it is sick", "go_back").await?;
    ensure_page(&page, 200, &["To go back, decided by &quot;Ada&quot;", "by it."])?;
    let end = ground.end_of(&back.run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {}", end["error"], end["cause"]);
    ensure!(end["cause"].as_str().is_some_and(|cause| cause.contains("GoBack: Ada: it is sick")), "{}", end["cause"]);
    Ok(())
}

/// The function dies right after the answer is written.
async fn an_answer_that_was_cut_off_is_handed_over_by_the_next_who_asks() -> Result<()> {
    let ground = Ground::answering(SPEED, groups()).await?;
    let browser = Browser::open()?;
    let Waiting { run_id, link, _stage } = waiting(&ground, &asking("cut-off")).await?;
    let dies = json!({ "match": { "caller": "answer", "operation": "UpdateItem" }, "do": "kill_after", "times": 1 });
    ground.client.set_faults(json!([dies])).await?;
    ensure!(browser.answer(&link, "Ada", "the change is agreed", "approve").await?.status == 502, "it did not die");
    ground.client.set_faults(json!([])).await?;
    let written = question(&ground, &link).await?;
    ensure!(written["answer"]["S"].is_string() && written["handed"].is_null(), "{written}");
    let before = state(&ground, &run_id).await?;
    let page = browser.get(&link).await?;
    ensure_page(
        &page,
        200,
        &["Approved by &quot;Ada&quot;", "whether the run has it is not known", "Hand the same answer over again"],
    )?;
    ensure_same(&before, &state(&ground, &run_id).await?)?;
    // Whatever the next form says, the answer that was written is sent.
    let page = browser.answer(&link, "Bob", "no", "reject").await?;
    ensure_page(&page, 200, &["Approved by &quot;Ada&quot;", "The run goes on by it."])?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let summary: Value = serde_json::from_str(end["output"].as_str().context("no output")?)?;
    ensure!(summary["approval"]["by"] == "Ada", "{}", summary["approval"]);
    Ok(())
}

/// Both have read that nobody has answered yet: the other one's answer is written right before this one's.
async fn of_two_answers_at_once_one_counts() -> Result<()> {
    let ground = Ground::answering(SPEED, groups()).await?;
    let browser = Browser::open()?;
    let Waiting { run_id, link, _stage } = waiting(&ground, &asking("at-once")).await?;
    let key = question(&ground, &link).await?["pk"].clone();
    let answer = json!({ "choice": "reject", "by": "Bob", "why": "not on a Friday", "recipient": "topic.approvers", "at": "2026-11-27T02:00:00Z" });
    let parameters = json!({ "TableName": ground.emulator.ready().journal_table, "Key": { "pk": key }, "UpdateExpression": "SET answer = :answer",
        "ExpressionAttributeValues": { ":answer": { "S": answer.to_string() } } });
    let other = json!({ "service": "dynamodb", "operation": "update_item", "parameters": parameters });
    let first =
        json!({ "match": { "caller": "answer", "operation": "UpdateItem" }, "do": "call", "call": other, "times": 1 });
    ground.client.set_faults(json!([first])).await?;
    let page = browser.answer(&link, "Ada", "the change is agreed", "approve").await?;
    ensure_page(&page, 200, &["Rejected by &quot;Bob&quot;", "Hand the same answer over again"])?;
    ensure!(!page.shows("Ada"), "both are seen: {}", page.html);
    let page = browser.answer(&link, "", "", "again").await?;
    ensure_page(&page, 200, &["Rejected by &quot;Bob&quot;", "The run ends, or goes back, by it."])?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Rejected", "ended {} {}", end["error"], end["cause"]);
    ensure!(end["cause"].as_str().is_some_and(|cause| cause.contains("Bob: not on a Friday")), "{}", end["cause"]);
    Ok(())
}

/// Somebody was faster, by a command.
async fn an_answer_that_nobody_waits_for_says_so() -> Result<()> {
    let ground = Ground::answering(SPEED, groups()).await?;
    let browser = Browser::open()?;
    let Waiting { run_id, link, _stage } = waiting(&ground, &asking("late")).await?;
    let token = ground.approval_token(LIMIT).await?;
    let answer = json!({ "taskToken": token, "error": "Rejected", "cause": "Ada: by a command" });
    ground.client.call("stepfunctions", "send_task_failure", answer).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Rejected", "ended {} {}", end["error"], end["cause"]);
    let page = browser.answer(&link, "Bob", "yes", "approve").await?;
    ensure_page(&page, 200, &["Approved by &quot;Bob&quot;", "It came too late and has changed nothing"])?;
    ensure!(question(&ground, &link).await?["handed"]["S"] == "\"late\"", "the question does not say so");
    Ok(())
}

/// Names in the form, which the page and the mails show ever after; and a group that may not answer has no link.
async fn whatever_is_written_is_text_and_only_who_may_answer_has_a_link() -> Result<()> {
    let ground = Ground::answering(SPEED, groups()).await?;
    let browser = Browser::open()?;
    let Waiting { run_id, .. } = waiting(&ground, &asking("hostile")).await?;
    let mail = async |to: &str| {
        wait_for(&format!("a mail to {to}"), LIMIT, async || {
            let mails = ground.client.mails().await?;
            let theirs = mails.into_iter().find(|mail| mail["to"] == json!([to]));
            Ok(theirs.map(|mail| format!("{}\n{}", mail["text"].as_str().unwrap_or_default(), mail["html"])))
        })
        .await
    };
    ensure!(link_in(&mail("on-call@example.com").await?).is_none(), "who may not answer has a link");
    let link = link_in(&mail("team@example.com").await?).context("who may answer has no link")?.to_owned();
    ensure!(link.contains("/group.technical-teams/"), "{link}");
    let before = question(&ground, &link).await?;
    let links = before["links"]["M"].as_object().context("no links")?;
    ensure!(links.len() == 2 && !before.to_string().contains(link.rsplit('/').next().unwrap_or_default()), "{before}");
    let name = "<script>alert(1)</script>\"'>\u{202e}";
    let page = browser.answer(&link, name, "</textarea><img src=x onerror=alert(1)>", "approve").await?;
    ensure_page(&page, 200, &["&lt;script&gt;alert(1)", "\\u{202e}", "the group technical-teams"])?;
    ensure!(!page.shows("<script") && !page.shows("<img"), "{}", page.html);
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    Ok(())
}

/// Without the key, or without the journal, people are asked all the same.
async fn a_message_that_can_have_no_link_goes_out_with_its_commands() -> Result<()> {
    let ground = Ground::answering(SPEED, groups()).await?;
    let denied = json!({ "match": { "caller": "notify", "operation": "GetSecretValue" }, "do": "before", "error": "AccessDeniedException", "status": 400, "times": null });
    ground.client.set_faults(json!([denied])).await?;
    let stage = ground.quiet_stage(&asking("without"), json!({})).await?;
    let run_id = ground.start("cutover", "without", &stage.plan).await?;
    let message = ground.page("APPROVE OR REJECT", LIMIT).await?;
    ensure!(link_in(&message).is_none() && message.contains("send-task-success"), "{message}");
    let output = json!({ "by": "Ada", "why": "agreed" }).to_string();
    let answer = json!({ "taskToken": ground.approval_token(LIMIT).await?, "output": output });
    ground.client.call("stepfunctions", "send_task_success", answer).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    Ok(())
}

/// Who reads the page knows whom the yes leaves behind; a link that somebody opens says nothing.
async fn a_wave_begins_by_its_page() -> Result<()> {
    let ground = Ground::answering(SPEED, groups()).await?;
    ground.client.call("sns", "create_topic", json!({ "Name": "approvers" })).await?;
    let mut red = json!({ "name": "red", "cutover": listener_plan("red", json!([{ "new_weight": 100 }])) });
    red["cutover"]["health_check"] = json!({ "url": "http://10.0.12.34:8080/health", "attempts": 1, "successes": 1 });
    let green = json!({ "name": "green", "cutover": listener_plan("green", json!([{ "new_weight": 100 }])) });
    let wave = json!({ "wave": "by-page", "applications": [green, red],
        "approval": { "topic_arn": APPROVERS, "within": "10h" } });
    let world = serde_json::from_value(json!({ "applications": { "red": { "new": { "health_status": 503 } } } }))?;
    let stage = WaveStage::set(&ground.client, ground.emulator.ready(), &wave, world, ground.speed).await?;
    let execution = ground.start("wave", "by-page", &stage.wave).await?;
    let link = link_of(&ground, "Approval wanted: wave by-page").await?;
    let browser = Browser::open()?;
    let page = browser.get(&link).await?;
    ensure_page(&page, 200, &["May wave by-page begin?", "stage 1: green", "These would stay behind", "red: "])?;
    scan(&browser, &[&link]).await?;
    ensure!(ground.describe(&execution).await?["status"] == "RUNNING", "a look has answered");
    ensure_page(&browser.answer(&link, "Ada", "red can wait", "approve").await?, 200, &["The wave goes on by it."])?;
    let end = ground.end_of(&execution, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    Ok(())
}

async fn the_waves_of_a_programme_are_scheduled_or_not_by_its_page() -> Result<()> {
    let ground = Ground::answering(SPEED, groups()).await?;
    ground.client.call("sns", "create_topic", json!({ "Name": "approvers" })).await?;
    let portfolio = json!({
        "name": "paged",
        "calendar": { "start": "2100-03-01", "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "10h" }] },
        "applications": [{ "name": "one", "strategy": "rehost", "owner": "Web", "tasks": [{ "what": "move it" }] }],
    });
    let input = json!({ "portfolio": portfolio, "approval": { "topic_arn": APPROVERS } });
    let execution = ground.start("program", "paged", &input).await?;
    let link = link_of(&ground, "[Cutover] paged: schedule these waves?").await?;
    let browser = Browser::open()?;
    let page = browser.get(&link).await?;
    ensure_page(&page, 200, &["May the waves of paged be scheduled?", "1 applications in 1 waves", ": one"])?;
    let answered = browser.answer(&link, "Ada", "not in March", "reject").await?;
    ensure_page(&answered, 200, &["The programme ends, or goes back, by it.", "not in March"])?;
    let end = ground.end_of(&execution, LIMIT).await?;
    ensure!(end["error"] == "Cutover.Rejected", "ended {} {}", end["error"], end["cause"]);
    Ok(())
}

/// The tests of this module.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_scanner_changes_nothing_and_the_first_answer_counts,
        a_link_that_is_not_ours_or_has_ended_tells_nothing_and_does_nothing,
        a_held_step_goes_on_or_back_by_its_page,
        an_answer_that_was_cut_off_is_handed_over_by_the_next_who_asks,
        of_two_answers_at_once_one_counts,
        an_answer_that_nobody_waits_for_says_so,
        whatever_is_written_is_text_and_only_who_may_answer_has_a_link,
        a_message_that_can_have_no_link_goes_out_with_its_commands,
        a_wave_begins_by_its_page,
        the_waves_of_a_programme_are_scheduled_or_not_by_its_page,
    ]
}
