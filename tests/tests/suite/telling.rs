//! Who hears what of a run, and that they hear it once, whatever becomes of the sending; read back from the emulated AWS, and from
//! web servers that stand in for chats.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, listener_plan, wait_for};
use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
const STEPS: [u32; 2] = [50, 100];

/// A web server that keeps what it is told, and answers the same status to all; 0: it does not answer.
struct Chat {
    address: String,
    bodies: Arc<Mutex<Vec<Value>>>,
    status: Arc<AtomicU16>,
}

impl Chat {
    async fn open(status: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}/services/T0/B0/a-secret-path", listener.local_addr()?);
        let chat = Self { address, bodies: Arc::default(), status: Arc::new(AtomicU16::new(status)) };
        let (bodies, status) = (chat.bodies.clone(), chat.status.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (bodies, status) = (bodies.clone(), status.clone());
                let answer = service_fn(move |request| answer(request, bodies.clone(), status.load(Ordering::Relaxed)));
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                tokio::spawn(connection);
            }
        });
        Ok(chat)
    }

    fn bodies(&self) -> Vec<Value> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(
    request: Request<Incoming>,
    bodies: Arc<Mutex<Vec<Value>>>,
    status: u16,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    bodies.lock().unwrap_or_else(PoisonError::into_inner).push(body);
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let mut response = Response::new(Full::new(Bytes::from_static(b"ok")));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}

fn mail(to: &str) -> Value {
    json!({ "type": "mail", "to": [to] })
}

fn three_groups() -> Value {
    json!([
        { "name": "executives", "time_zone": "America/New_York", "channels": [mail("board@example.com")] },
        { "name": "business-users", "time_zone": "Europe/Berlin", "language": "de", "channels": [mail("shop@example.com")] },
        { "name": "technical-teams", "channels": [mail("team@example.com")] },
    ])
}

async fn secret(ground: &Ground, name: &str, text: &str) -> Result<Value> {
    let parameters = json!({ "Name": name, "SecretString": text });
    Ok(ground.client.call("secretsmanager", "create_secret", parameters).await?["ARN"].clone())
}

async fn topic(ground: &Ground, name: &str) -> Result<Value> {
    Ok(ground.client.call("sns", "create_topic", json!({ "Name": name })).await?["TopicArn"].clone())
}

/// What of the mails to an address is after the colon of their subjects.
async fn states(ground: &Ground, to: &str) -> Result<Vec<String>> {
    let mails = ground.client.mails().await?;
    let theirs = mails.iter().filter(|mail| mail["to"] == json!([to]));
    let state =
        |mail: &Value| mail["subject"].as_str().and_then(|subject| subject.rsplit(": ").next().map(str::to_owned));
    let mut states: Vec<String> = theirs.filter_map(state).collect();
    states.sort();
    Ok(states)
}

async fn wait_for_states(ground: &Ground, to: &str, wanted: &[&str]) -> Result<()> {
    let mut wanted: Vec<String> = wanted.iter().map(|state| (*state).to_owned()).collect();
    wanted.sort();
    let look = async || Ok((states(ground, to).await?.len() >= wanted.len()).then_some(()));
    wait_for(&format!("{wanted:?} to {to}"), LIMIT, look).await?;
    let found = states(ground, to).await?;
    ensure!(found == wanted, "{to} heard {found:?}, not {wanted:?}");
    Ok(())
}

fn steps() -> Value {
    json!(STEPS.map(|weight| json!({ "new_weight": weight, "hold": "10m" })))
}

async fn each_group_hears_what_it_should_in_its_own_words() -> Result<()> {
    let ground = Ground::telling(SPEED, three_groups()).await?;
    let (slack, teams, plain) = (Chat::open(200).await?, Chat::open(202).await?, Chat::open(200).await?);
    let mut stage = ground.quiet_stage(&listener_plan("heard", steps()), json!({})).await?;
    let webhook = async |name: &str, chat: &Chat, form: &str| -> Result<Value> {
        Ok(json!({ "type": "webhook", "secret_arn": secret(&ground, name, &chat.address).await?, "form": form }))
    };
    let channels = json!([
        webhook("slack", &slack, "slack").await?,
        webhook("teams", &teams, "teams").await?,
        webhook("plain", &plain, "json").await?,
        { "type": "chat", "topic_arn": topic(&ground, "to-amazon-q").await? },
        { "type": "sns", "topic_arn": topic(&ground, "to-on-call").await? },
    ]);
    let own =
        json!({ "name": "on-call", "format": "technical", "channels": channels, "moments": ["started", "succeeded"] });
    stage.plan["stakeholders"] = json!({ "of_stack": ["executives", "business-users"], "groups": [own] });
    stage.plan["cleanup"] = json!({ "after": "10d" });
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);

    wait_for_states(&ground, "board@example.com", &["started", "completed"]).await?;
    wait_for_states(&ground, "shop@example.com", &["in progress", "verifying", "completed"]).await?;
    wait_for_states(&ground, "team@example.com", &[]).await?;
    let mails = ground.client.mails().await?;
    for mail in &mails {
        let [text, html] = ["text", "html"].map(|part| mail[part].as_str().unwrap_or_default());
        ensure!(text.contains("message") && html.contains("heard"), "a mail without both parts: {mail}");
        ensure!(mail["bytes"].as_u64().is_some_and(|bytes| bytes <= 60 * 1024), "{} bytes", mail["bytes"]);
    }
    let references: Vec<&Value> = mails.iter().map(|mail| &mail["headers"]["References"]).collect();
    ensure!(references.windows(2).all(|pair| pair[0] == pair[1] && pair[0].is_string()), "{references:?}");
    let german =
        mails.iter().any(|mail| mail["text"].as_str().is_some_and(|text| text.contains(". ") && text.contains(" CE")));
    ensure!(german, "no mail has a time of Berlin");

    for (name, chat) in [("slack", &slack), ("teams", &teams), ("plain", &plain)] {
        wait_for(name, LIMIT, async || Ok((chat.bodies().len() >= 2).then_some(()))).await?;
        ensure!(chat.bodies().len() == 2, "{name} was told {:?}", chat.bodies());
    }
    ensure!(slack.bodies()[0]["blocks"][0]["type"] == "header", "{:?}", slack.bodies());
    ensure!(teams.bodies()[0]["attachments"][0]["content"]["type"] == "AdaptiveCard", "{:?}", teams.bodies());
    let actions: Vec<Value> = plain.bodies().iter().map(|body| body["event_action"].clone()).collect();
    ensure!(actions == [json!("resolve"), json!("resolve")], "{actions:?}");
    let messages = ground.client.messages().await?;
    let to = |topic: &str| {
        messages
            .iter()
            .filter(|message| message.topic_arn.as_deref().is_some_and(|arn| arn.ends_with(topic)))
            .collect::<Vec<_>>()
    };
    let (chat, on_call) = (to("to-amazon-q"), to("to-on-call"));
    ensure!(chat.len() == 2 && on_call.len() == 2, "{messages:?}");
    let notification: Value = serde_json::from_str(&chat[0].message)?;
    ensure!(notification["version"] == "1.0" && notification["source"] == "custom", "{notification}");
    ensure!(on_call[0].message.contains("stop-execution"), "{}", on_call[0].message);
    ensure_secrets_are_kept(&ground, &[&slack, &teams, &plain])
}

/// In no log of a function.
fn ensure_secrets_are_kept(ground: &Ground, chats: &[&Chat]) -> Result<()> {
    for file in std::fs::read_dir(ground.emulator.ready().home.join("logs"))? {
        let path = file?.path();
        let log = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
        let told = chats.iter().any(|chat| log.contains(&chat.address)) || log.contains("a-secret-path");
        ensure!(!told, "{} has the address of a webhook", path.display());
    }
    Ok(())
}

async fn a_cutover_ends_the_same_whatever_becomes_of_its_messages() -> Result<()> {
    let ground = Ground::telling(SPEED, three_groups()).await?;
    let (failing, silent) = (Chat::open(500).await?, Chat::open(0).await?);
    let secrets =
        [secret(&ground, "failing", &failing.address).await?, secret(&ground, "silent", &silent.address).await?];
    let mut stage = ground.quiet_stage(&listener_plan("deaf", steps()), json!({})).await?;
    let channels = json!([
        { "type": "webhook", "secret_arn": secrets[0] },
        { "type": "webhook", "secret_arn": secrets[1], "form": "slack" },
        { "type": "webhook", "secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:none-AbCdEf" },
        { "type": "sns", "topic_arn": topic(&ground, "denied").await? },
        { "type": "chat", "topic_arn": "arn:aws:sns:eu-west-1:123456789012:gone" },
    ]);
    stage.plan["stakeholders"] =
        json!({ "groups": [{ "name": "nobody", "format": "technical", "channels": channels }] });
    ground.client.set_mail(&json!({ "sandbox": true })).await?;
    let denied = json!({ "match": { "caller": "tell", "operation": "Publish" }, "do": "before", "times": null,
        "error": "AuthorizationError", "status": 403 });
    let unheard = json!({ "match": { "caller": "notify" }, "do": "before", "times": null,
        "error": "AuthorizationError", "status": 403 });
    ground.client.set_faults(json!([denied])).await?;
    let end = ground.end_of(&ground.start("cutover", "deaf", &stage.plan).await?, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ensure!(ground.client.mails().await?.is_empty(), "a mail left the sandbox");
    ensure_summary_says_who_was_not_told(&end)?;
    wait_for("the failing chat", LIMIT, async || Ok((failing.bodies().len() >= 3).then_some(()))).await?;
    ensure_secrets_are_kept(&ground, &[&failing, &silent])?;
    // The page says it of the last message too, once that was tried.
    let page = async || {
        let parameters = json!({ "FunctionName": "cutover-status-report", "Payload": json!({ "application": stage.plan["application"] }).to_string() });
        let answer = ground.client.call("lambda", "invoke", parameters).await?;
        let answer: Value = serde_json::from_str(answer["Payload"].as_str().unwrap_or_default())?;
        let issues = answer["status"]["issues"].as_array().cloned().unwrap_or_default();
        let mut told =
            issues.iter().filter(|issue| issue["about"] == "not_delivered").map(|issue| issue["text"].to_string());
        Ok(told.any(|text| text.contains("to nobody by webhook") && text.contains("succeeded")).then_some(()))
    };
    wait_for("the status page to say what was not delivered", LIMIT, page).await?;

    // Nor does it where what happened cannot even be handed over.
    let mut again = ground.quiet_stage(&listener_plan("mute", steps()), json!({})).await?;
    again.plan["cleanup"] = json!({ "after": "10d" });
    ground.client.set_faults(json!([unheard])).await?;
    let end = ground.end_of(&ground.start("cutover", "mute", &again.plan).await?, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ground.client.set_faults(json!([])).await.map(drop)
}

/// What a run answers at its end says which messages were not delivered, to whom, by what and why, without an address; and precheck has warned of
/// webhooks that cannot work before anything was touched.
fn ensure_summary_says_who_was_not_told(end: &Value) -> Result<()> {
    let output: Value = serde_json::from_str(end["output"].as_str().context("no output")?)?;
    let not_done = output["not_done"].as_array().context("no not_done")?;
    for (channel, moment, why) in [
        ("webhook", "started", "the webhook answered 500"),
        ("webhook", "started", "none-AbCdEf"),
        ("mail", "started", ""),
    ] {
        let says = |line: &&Value| {
            let line = line.as_str().unwrap_or_default();
            let group = if channel == "mail" { "executives" } else { "nobody" };
            line.starts_with(&format!("not delivered to {group} by {channel}: "))
                && line.contains(moment)
                && line.contains(why)
        };
        ensure!(not_done.iter().any(|line| says(&line)), "no {channel} {moment} {why}: {not_done:?}");
    }
    ensure!(!output.to_string().contains("a-secret-path"), "the address of a webhook is in the run's output");
    let warned = |warning: &Value| {
        warning["path"] == "$.stakeholders.groups[0].channels[2].secret_arn" && warning["severity"] == "warning"
    };
    ensure!(output["warnings"].as_array().is_some_and(|all| all.iter().any(warned)), "{}", output["warnings"]);
    Ok(())
}

/// Calls `tell` as Lambda does, once; what it answered.
async fn call_tell(ground: &Ground, told: &Value) -> Result<Value> {
    let event = json!({ "Records": [{ "Sns": { "Message": told.to_string() } }] });
    let parameters = json!({ "FunctionName": "cutover-tell", "Payload": event.to_string() });
    let answer = ground.client.call("lambda", "invoke", parameters).await?;
    serde_json::from_str(answer["Payload"].as_str().unwrap_or_default()).context("tell answered no JSON")
}

fn started(run: usize) -> Value {
    json!({
        "run_id": format!("arn:aws:states:eu-west-1:123456789012:execution:cutover:run-{run}"),
        "application": format!("app-{run}"), "event": "started", "at": "2026-11-26T21:40:00Z",
        "detail": { "findings": [], "steps": [] }, "stakeholders": {},
    })
}

/// What goes wrong with the sending of one mail.
const MISHAPS: [Option<&str>; 6] =
    [None, Some("before"), Some("lose"), Some("kill_before"), Some("kill_after"), Some("late")];

#[expect(clippy::disallowed_methods, reason = "the lint is for functions; who wants more runs says so")]
async fn no_message_is_lost_and_none_is_doubled_without_saying_so() -> Result<()> {
    let runs: usize = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(12);
    let ground =
        Ground::telling(SPEED, json!([{ "name": "executives", "channels": [mail("board@example.com")] }])).await?;
    let repeats = AtomicUsize::new(0);
    for run in 0..runs {
        let told = started(run);
        let send = json!({ "caller": "tell", "operation": "SendRawEmail" });
        let fault =
            |action: &str| json!({ "match": send, "do": action, "error": "Throttling", "status": 400, "seconds": 6 });
        let mishap = MISHAPS[run % MISHAPS.len()].filter(|action| *action != "late" || run < MISHAPS.len());
        ground.client.set_faults(json!(mishap.map(fault).into_iter().collect::<Vec<_>>())).await?;
        // Twice at once, as Lambda may.
        let (one, other) = tokio::join!(call_tell(&ground, &told), call_tell(&ground, &told));
        one.and(other)?;
        // Again, after the time that a claim lasts, on a machine whose clock is there already.
        let later = json!({ "match": { "caller": "local", "operation": "Invoke" }, "do": "skew", "seconds": 130, "times": null });
        ground.client.set_faults(json!([later])).await?;
        for _ in 0..2 {
            call_tell(&ground, &told).await?;
        }
        ground.client.set_faults(json!([])).await?;
    }
    let mut by_run: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for mail in ground.client.mails().await? {
        let subject = mail["subject"].as_str().context("no subject")?.to_owned();
        let says_so = mail["text"].as_str().is_some_and(|text| text.contains("This may be a repeat"));
        by_run.entry(subject).or_default().push(says_so);
    }
    ensure!(by_run.len() == runs, "{runs} runs, of which {} were told", by_run.len());
    for (subject, mails) in &by_run {
        let unmarked = mails.iter().filter(|says_so| !**says_so).count();
        ensure!(unmarked <= 1, "{subject} was sent {} times, {unmarked} of them without saying so", mails.len());
        repeats.fetch_add(mails.len() - 1, Ordering::Relaxed);
    }
    eprintln!("{runs} runs, each told at least once; {} repeats, each marked", repeats.load(Ordering::Relaxed));
    Ok(())
}

/// The tests of this module.
pub fn tests() -> Vec<Test> {
    asynchronous![
        each_group_hears_what_it_should_in_its_own_words,
        a_cutover_ends_the_same_whatever_becomes_of_its_messages,
        no_message_is_lost_and_none_is_doubled_without_saying_so,
    ]
}
