//! Headers of a load test that no plan may hold: what is sent, what is told of it, and what is refused before anything is touched.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, ensure_same, listener_plan};
use anyhow::{Result, ensure};
use cutover::arn::execution_name;
use cutover_tests::left;
use cutover_tests::stage::Stage;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
const TOKEN: &str = "Bearer 9f2c-of-nobody";
const HEADER: &str = "x-shop-token";

/// A web server that keeps the headers that it is asked with.
struct Side {
    url: String,
    asked: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Side {
    async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let side = Self { url: format!("http://{}/", listener.local_addr()?), asked: Arc::default() };
        let asked = side.asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let asked = asked.clone();
                let answer = service_fn(move |request: Request<Incoming>| {
                    asked.lock().unwrap_or_else(PoisonError::into_inner).push(request.headers().clone());
                    async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"ok")))) }
                });
                let connection =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                tokio::spawn(connection);
            }
        });
        Ok(side)
    }

    /// Every request had the secret's header, in the place of the plan's, and named itself.
    fn ensure_told(&self) -> Result<()> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(asked.len() >= 10, "{} was asked {} times", self.url, asked.len());
        for headers in asked.iter() {
            ensure!(headers.get(HEADER).is_some_and(|value| value == TOKEN), "{headers:?}");
            ensure!(headers.get_all(HEADER).iter().count() == 1, "{headers:?}");
            ensure!(headers.get("user-agent").is_some_and(|value| value.as_bytes().starts_with(b"cutover-load-test/")));
        }
        Ok(())
    }
}

/// A plan with a load test of both sides, and the secret that it names, with this text.
async fn stage(ground: &Ground, name: &str, text: &str, world: Value) -> Result<Stage> {
    let mut plan = listener_plan(name, json!([{ "new_weight": 100, "hold": "2m" }]));
    plan["load_test"] = json!({
        "targets": { "new": { "url": "http://127.0.0.1/" }, "old": { "url": "http://127.0.0.2/" } },
        "rate_per_second": 10, "duration": "2s", "warm_up": "0s", "on_violation": "report",
        "requests": [{ "path": "/", "headers": { (HEADER): "the plan's own" } }],
        "headers_secret_arn": format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf"),
    });
    let stage = ground.quiet_stage(&plan, world).await?;
    let put = json!({ "SecretId": stage.plan["load_test"]["headers_secret_arn"], "SecretString": text });
    ground.client.call("secretsmanager", "put_secret_value", put).await?;
    Ok(stage)
}

/// Nothing of it in a log, in the journal, in what the machines said, or in the bucket of reports.
async fn ensure_kept(ground: &Ground, run_id: &str) -> Result<()> {
    for file in std::fs::read_dir(ground.emulator.ready().home.join("logs"))? {
        let path = file?.path();
        ensure!(!String::from_utf8_lossy(&std::fs::read(&path)?).contains(TOKEN), "{} has it", path.display());
    }
    let mut dump = ground.client.dump().await?;
    if let Some(services) = dump.as_object_mut() {
        services.retain(|name, _| !name.starts_with("secrets"));
    }
    ensure!(!dump.to_string().contains(TOKEN), "the account has it");
    let parameters = json!({ "executionArn": run_id, "maxResults": 1000 });
    let history = ground.client.call("stepfunctions", "get_execution_history", parameters).await?;
    ensure!(!history.to_string().contains(TOKEN), "the run's history has it");
    for message in ground.client.messages().await? {
        ensure!(!message.message.contains(TOKEN), "a message has it");
    }
    for kind in ["load-test.json", "report.html", "report.md", "report.json"] {
        let text = left::object(&ground.client, &format!("runs/{}/{kind}", execution_name(run_id))).await?;
        ensure!(text.is_none_or(|text| !text.contains(TOKEN)), "{kind} has it");
    }
    Ok(())
}

async fn both_sides_get_the_headers_of_a_secret_and_nobody_else_hears_of_them() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let (old, new) = (Side::open().await?, Side::open().await?);
    let mut stage = stage(&ground, "told", &json!({ (HEADER): TOKEN }).to_string(), json!({})).await?;
    stage.plan["load_test"]["targets"] = json!({ "new": { "url": new.url }, "old": { "url": old.url } });
    let run_id = ground.start("cutover", "told", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    old.ensure_told()?;
    new.ensure_told()?;
    ensure_kept(&ground, &run_id).await
}

async fn a_secret_that_is_no_set_of_headers_ends_the_run_with_nothing_touched() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    for (name, text, part) in [
        ("no-json", TOKEN.to_owned(), "JSON object of header to value"),
        ("two-lines", json!({ (HEADER): format!("{TOKEN}\r\nhost: other") }).to_string(), "cannot be sent"),
        ("smuggled", json!({ "Transfer-Encoding": TOKEN }).to_string(), "`transfer-encoding`, which"),
    ] {
        let stage = stage(&ground, name, &text, json!({})).await?;
        let before = ground.account().await?;
        let run_id = ground.start("cutover", name, &stage.plan).await?;
        let end = ground.end_of(&run_id, LIMIT).await?;
        let cause = end["cause"].to_string();
        ensure!(end["error"] == "Cutover.PrecheckFailed", "{name} ended {} {cause}", end["error"]);
        ensure!(cause.contains("$.load_test.headers_secret_arn") && cause.contains(part), "{cause}");
        ensure!(!cause.contains(TOKEN), "{cause}");
        ensure_same(&before, &ground.account().await?)?;
        ensure_kept(&ground, &run_id).await?;
    }
    Ok(())
}

async fn a_secret_that_is_denied_ends_as_an_error_that_says_what_to_do() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let text = json!({ (HEADER): TOKEN }).to_string();
    let denied = |from: u32| json!({ "deny": [{ "action": "secretsmanager:GetSecretValue", "from": from }] });
    // Before anything is touched; and between precheck and the test, when the run has begun.
    for (name, from, error) in [("denied", 1, "Cutover.PrecheckFailed"), ("withdrawn", 2, "Cutover.RolledBack")] {
        let stage = stage(&ground, name, &text, denied(from)).await?;
        let run_id = ground.start("cutover", name, &stage.plan).await?;
        let end = ground.end_of(&run_id, LIMIT).await?;
        let cause = end["cause"].to_string();
        ensure!(end["error"] == error, "{name} ended {} {cause}", end["error"]);
        ensure!(cause.contains("secretsmanager:GetSecretValue") && cause.contains("loadTestSecretArns"), "{cause}");
        ensure_kept(&ground, &run_id).await?;
    }
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        both_sides_get_the_headers_of_a_secret_and_nobody_else_hears_of_them,
        a_secret_that_is_no_set_of_headers_ends_the_run_with_nothing_touched,
        a_secret_that_is_denied_ends_as_an_error_that_says_what_to_do,
    ]
}
