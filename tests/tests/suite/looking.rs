//! What is looked at, and what can be seen: alarms that only the new side's traffic gives data; a new side that is not in DNS
//! yet.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, dns_plan, ensure_same, listener_plan};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

const SPEED: f64 = 300.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);

/// A plan that watches the alarm `<application>-slow`, and gives up at the first look without data that counts.
fn watching(application: &str, steps: Value) -> Value {
    let mut plan = listener_plan(application, steps);
    plan["monitoring"] = json!({ "interval": "60s", "no_data_limit": 1, "alarms": [format!("{application}-slow")] });
    plan
}

/// The alarm has one period of five minutes: it has seen the traffic after twelve.
async fn put_alarm(ground: &Ground, application: &str, state: &str) -> Result<()> {
    let name = format!("{application}-slow");
    let alarm = json!({ "AlarmName": name, "Namespace": "AWS/ApplicationELB", "MetricName": "TargetResponseTime",
        "Statistic": "Average", "Period": 300, "EvaluationPeriods": 1, "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold" });
    ground.client.call("cloudwatch", "put_metric_alarm", alarm).await?;
    let state = json!({ "AlarmName": name, "StateValue": state, "StateReason": "set by the test" });
    ground.client.call("cloudwatch", "set_alarm_state", state).await.map(drop)
}

/// At 0 % nobody waits for it, at 10 % everybody does.
async fn an_alarm_that_only_the_new_sides_traffic_gives_data_is_waited_for() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let steps = json!([{ "new_weight": 0, "hold": "3m" }, { "new_weight": 10, "hold": "2m" }, { "new_weight": 100 }]);
    let stage = ground.stage(&watching("waited", steps), json!({})).await?;
    put_alarm(&ground, "waited", "INSUFFICIENT_DATA").await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    ground.wait_for_entries(&run_id, "AnnounceStep", 2, LIMIT).await?;
    let monitored = ground.states(&run_id).await?.iter().filter(|state| *state == "Monitor").count();
    ground.wait_for_entries(&run_id, "Monitor", monitored + 6, LIMIT).await?;
    put_alarm(&ground, "waited", "OK").await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let output: Value = serde_json::from_str(end["output"].as_str().context("an output")?)?;
    let held: Vec<u64> =
        output["steps"].as_array().into_iter().flatten().filter_map(|step| step["held_seconds"].as_u64()).collect();
    ensure!(held[0] == 180, "at 0 % it was held for {} s", held[0]);
    // The sixth look: the first comes a minute after the weight changed, of which ten seconds were no hold yet, and one at the hold's end.
    ensure!(held[1] >= 300, "at 10 % it was held for {} s, without a word of the alarm", held[1]);
    Ok(())
}

async fn an_alarm_that_never_gets_data_ends_inconclusive() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let steps = json!([{ "new_weight": 10, "hold": "1m" }, { "new_weight": 100 }]);
    let stage = ground.stage(&watching("silent", steps), json!({})).await?;
    put_alarm(&ground, "silent", "INSUFFICIENT_DATA").await?;
    let before = ground.account().await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    let cause = end["cause"].as_str().context("a cause")?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {cause}", end["error"]);
    ensure!(cause.contains("Cutover.Inconclusive") && cause.contains("alarm silent-slow"), "{cause}");
    let monitored = ground.states(&run_id).await?.iter().filter(|state| *state == "Monitor").count();
    ensure!((12..=13).contains(&monitored), "{monitored} looks, a minute each");
    ensure_same(&before, &ground.account().await?)
}

/// A new side that answers 200, with a certificate of its own making for `shop.example.com`. Answers its address.
async fn self_signed_side() -> Result<String> {
    let made = rcgen::generate_simple_self_signed(["shop.example.com".to_owned()])?;
    let key = made.signing_key.serialize_der().try_into().map_err(anyhow::Error::msg)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![made.cert.into()], key)?));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 2048]).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            let _ = stream.shutdown().await;
        }
    });
    Ok(address)
}

/// The new side is reached by its address, and has the certificate of the name that users ask for.
async fn a_side_that_is_not_in_dns_yet_is_probed_under_its_name() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&listener_plan("probed", json!([{ "new_weight": 100 }])), json!({})).await?;
    let url = format!("https://{}/health", self_signed_side().await?);
    let mut plan = stage.plan.clone();
    plan["health_check"] = json!({ "url": url, "attempts": 2, "interval": "10s" });
    let end = ground.end_of(&ground.start("cutover", "by-address", &plan).await?, LIMIT).await?;
    let cause = end["cause"].as_str().context("a cause")?;
    ensure!(end["error"] == "Cutover.PrecheckFailed", "ended {} {cause}", end["error"]);
    for words in ["the certificate is for shop.example.com, and not for 127.0.0.1", "self-signed", "health_check.host"]
    {
        ensure!(cause.contains(words), "nothing of `{words}` in {cause}");
    }

    plan["health_check"]["host"] = json!("shop.example.com");
    plan["health_check"]["certificate"] = json!("any_issuer");
    let end = ground.end_of(&ground.start("cutover", "by-name", &plan).await?, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let output = end["output"].as_str().context("an output")?;
    ensure!(output.contains("is any_issuer"), "the report does not say that nobody checks the issuer: {output}");
    Ok(())
}

/// What a stranger reads who pasted the wrong thing: the place, what is wrong, and what would be right.
async fn what_is_elsewhere_or_misspelt_is_told_in_words() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = ground.stage(&listener_plan("refused", json!([{ "new_weight": 100 }])), json!({})).await?;
    let mut plan = stage.plan.clone();
    plan["mode"] = json!("precheck");
    plan["routes"] = serde_json::from_str(&plan["routes"].to_string().replace("eu-west-1", "us-east-1"))?;
    let end = ground.end_of(&ground.start("cutover", "region", &plan).await?, LIMIT).await?;
    let cause: Value = serde_json::from_str(end["cause"].as_str().context("a cause")?)?;
    let found = cause["findings"].as_array().context("findings")?;
    let errors: Vec<&Value> = found.iter().filter(|finding| finding["severity"] == "error").collect();
    ensure!(errors.iter().any(|error| error["path"] == "$.routes[0].listener_arn"), "{errors:?}");
    let problem = "is in us-east-1, and this run is in eu-west-1, whose stack has no role for it";
    ensure!(errors.iter().all(|error| error["problem"] == problem), "this, and not what AWS says of it: {errors:?}");

    let mut plan = dns_plan("refused", json!([{ "new_weight": 100, "hold": 60 }]));
    plan["routes"][0]["hosted_zone_id"] = json!("z0123456789");
    plan["routes"][0]["record_name"] = json!("büro.example.com");
    let end = ground.end_of(&ground.start("cutover", "words", &plan).await?, LIMIT).await?;
    let cause = end["cause"].as_str().context("a cause")?;
    ensure!(end["error"] == "Cutover.InvalidPlan", "ended {} {cause}", end["error"]);
    for words in ["`z0123456789` is not a zone's ID", "write it in punycode: xn--bro-hoa.example.com", "add its unit"] {
        ensure!(cause.contains(words), "nothing of `{words}` in {cause}");
    }
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        an_alarm_that_only_the_new_sides_traffic_gives_data_is_waited_for,
        an_alarm_that_never_gets_data_ends_inconclusive,
        a_side_that_is_not_in_dns_yet_is_probed_under_its_name,
        what_is_elsewhere_or_misspelt_is_told_in_words,
    ]
}
