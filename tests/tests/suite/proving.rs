//! `cargo prove`, as a person types it: the proving ground is deployed, every trial is run and judged, and the stack goes. Here on the emulated AWS, of which
//! it needs nothing that AWS has not.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::template::synthesize;
use crate::support::{Ground, wait_for};
use anyhow::{Context, Result, ensure};
use cutover_tests::proving::emulated;
use cutover_tests::proving::shape::Answers;
use cutover_tests::setup::Checkout;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Holds of a minute are a third of a second: long enough to be seen in.
const SPEED: f64 = 180.0;
const LIMIT: Duration = Duration::from_secs(60);
const STACK: &str = "cutover-proving-ground";
const TRIALS: [&str; 6] = ["succeed", "unhealthy", "stopped", "denied", "drift", "cleanup"];

fn command(ground: &Ground, out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prove"));
    let endpoint_url = ground.emulator.ready().endpoint_url.as_str();
    command.args(["--endpoint-url", endpoint_url, "--look", "150ms", "--out"]).arg(out).args(more);
    command
}

async fn prove(ground: &Ground, out: &Path, more: &[&str]) -> Result<Output> {
    command(ground, out, more).output().await.context("cannot run cargo prove")
}

/// The template that the CDK app's own tests compare with what it synthesizes.
fn template() -> Result<String> {
    let file = Checkout::of_this_build().root.join("infra/test/proving-ground.snapshot.json");
    std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

async fn cloudformation(ground: &Ground, operation: &str, more: Value) -> Result<Value> {
    let mut parameters = json!({ "StackName": STACK });
    if let (Some(parameters), Some(more)) = (parameters.as_object_mut(), more.as_object()) {
        parameters.extend(more.clone());
    }
    ground.client.call("cloudformation", operation, parameters).await
}

async fn a_ground_is_deployed_proves_every_trial_and_goes() -> Result<()> {
    let ground = Ground::from(SPEED, synthesize("proving", &["topicArns=*"])?).await?;
    let before = ground.account().await?;
    let out = Checkout::of_this_build().target.join("local-aws/prove");
    let told = prove(&ground, &out, &[]).await?;
    let says = String::from_utf8_lossy(&told.stderr).into_owned();
    ensure!(told.status.code() == Some(2) && says.contains("there is no stack cutover-proving-ground"), "{says}");

    cloudformation(&ground, "create_stack", json!({ "TemplateBody": template()?, "Capabilities": ["CAPABILITY_IAM"] }))
        .await?;
    let told = prove(&ground, &out, &[]).await?;
    let says = String::from_utf8_lossy(&told.stderr).into_owned();
    println!("{says}");
    let report = report(&out).with_context(|| says.clone())?;
    judge(&report, &says)?;
    ensure!(told.status.success(), "{}: {says}\n{report:#}", told.status);

    what_is_not_as_it_was_is_told(&ground, &out.with_extension("broken")).await?;
    what_is_interrupted_is_put_back(&ground, &out).await?;
    what_is_cut_off_is_put_back(&ground, &out).await?;
    cloudformation(&ground, "delete_stack", json!({})).await?;
    crate::support::ensure_same(&before, &ground.account().await?).context("after the stack has gone")
}

/// Somebody tags a target group during a run that goes back: the judge sees it, and the report says so without a name.
async fn what_is_not_as_it_was_is_told(ground: &Ground, out: &Path) -> Result<()> {
    let told = after_line(command(ground, out, &["stopped"]), "the execution is stopped", async || {
        let groups = json!({ "Names": ["cutover-proving-old"] });
        let described = ground.client.call("elbv2", "describe_target_groups", groups).await?;
        let arn = described["TargetGroups"][0]["TargetGroupArn"].clone();
        let tags = json!({ "ResourceArns": [arn], "Tags": [{ "Key": "owner", "Value": "acme" }] });
        ground.client.call("elbv2", "add_tags", tags).await?;
        Ok(arn)
    });
    let (arn, mut proving) = told.await?;
    let status = tokio::time::timeout(LIMIT, proving.wait()).await.context("it does not end")??;
    let report = report(out)?;
    ensure!(status.code() == Some(1) && report["trials"][0]["kept"] == false, "{status}: {report:#}");
    ensure!(
        report["trials"][0]["violations"].to_string().contains("not as it was: $.elbv2.tags.<old target group>: "),
        "{report:#}"
    );
    let is_same = report["differences"] == json!([]) || is_renewing();
    ensure!(!report.to_string().contains("acme") && is_same, "{report:#}");
    let untag = json!({ "ResourceArns": [arn], "TagKeys": ["owner"] });
    ground.client.call("elbv2", "remove_tags", untag).await.map(drop)
}

/// Starts a command, and does something once it has said something.
async fn after_line<T>(mut command: Command, says: &str, then: impl AsyncFn() -> Result<T>) -> Result<(T, Child)> {
    let mut started = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().context("cannot run cargo prove")?;
    let mut lines = BufReader::new(started.stderr.take().context("no stderr")?).lines();
    while let Some(line) = lines.next_line().await? {
        if line.contains(says) {
            let done = then().await?;
            // Whoever prints into a pipe that nobody reads is ended.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok((done, started));
        }
    }
    anyhow::bail!("it never said `{says}`")
}

/// Ctrl-C while the new side is unhealthy: the run goes back, and nothing is left unhealthy or denied.
async fn what_is_interrupted_is_put_back(ground: &Ground, out: &Path) -> Result<()> {
    let before = ground.account().await?;
    let ((), mut interrupted) =
        after_line(command(ground, out, &["unhealthy"]), "fails its health checks", async || Ok(())).await?;
    let pid = interrupted.id().context("it has ended by itself")?.to_string();
    ensure!(Command::new("kill").args(["-INT", &pid]).status().await?.success(), "it cannot be interrupted");
    let status = tokio::time::timeout(LIMIT, interrupted.wait()).await.context("it does not end")??;
    ensure!(status.code() == Some(130), "{status}");
    let function = json!({ "FunctionName": "cutover-proving-new" });
    let live = ground.client.call("lambda", "get_function_configuration", function).await?;
    ensure!(live["Environment"]["Variables"]["HEALTH"] == "200", "{live:#}");
    let told = prove(ground, out, &["--reset"]).await?;
    ensure!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    crate::support::ensure_same(&before, &ground.account().await?).context("after an interrupted trial")
}

/// Killed while a policy denies the function, or after somebody else's change: nobody is there to take that back, and the run is stuck by it.
async fn what_is_cut_off_is_put_back(ground: &Ground, out: &Path) -> Result<()> {
    let before = ground.account().await?;
    for (trial, says) in [("denied", "is denied ModifyListener"), ("drift", "somebody else")] {
        let ((), mut cut_off) = after_line(command(ground, out, &[trial]), says, async || Ok(())).await?;
        // It has said what it is about to do.
        tokio::time::sleep(Duration::from_millis(500)).await;
        cut_off.kill().await?;
        let reset = wait_for("the reset", LIMIT, async || {
            let told = prove(ground, out, &["--reset"]).await?;
            let says = String::from_utf8_lossy(&told.stderr).into_owned();
            // Its run may still be on its way to where it is stuck.
            ensure!(told.status.success() || says.contains("goes on"), "{trial}: {says}");
            Ok(told.status.success().then_some(()))
        });
        reset.await.with_context(|| format!("after {trial} was cut off"))?;
        crate::support::ensure_same(&before, &ground.account().await?).with_context(|| format!("after {trial}"))?;
    }
    Ok(())
}

/// A person who has not signed in, or has not said where: nobody is asked anything.
async fn whoever_is_not_signed_in_is_told_to() -> Result<()> {
    crate::accounts::options()?;
    for (region, says) in [(&["--region", "eu-west-1"][..], "aws sso login"), (&[], "--region, or AWS_REGION")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prove"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        let told = command.args(region).output().await.context("cannot run cargo prove")?;
        let told = (told.status.code(), String::from_utf8_lossy(&told.stderr).into_owned());
        ensure!(told.0 == Some(2) && told.1.contains(says), "{told:?}");
    }
    Ok(())
}

fn is_renewing() -> bool {
    std::env::var_os("UPDATE").is_some()
}

fn report(out: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(out.join("report.json")).context("there is no report")?;
    serde_json::from_str(&text).context("the report is no JSON")
}

fn judge(report: &Value, says: &str) -> Result<()> {
    let trials = report["trials"].as_array().context("trials")?;
    for (trial, name) in trials.iter().zip(TRIALS) {
        ensure!(trial["trial"] == name && trial["kept"] == true, "{says}\n{trials:#?}");
    }
    ensure!(trials.len() == TRIALS.len(), "{report:#}");
    let text = report.to_string();
    for secret in ["123456789012", "arn:aws", "192.0.2.10"] {
        ensure!(!text.contains(secret), "{secret} is in the report");
    }
    let answers: Answers = serde_json::from_value(report["answers"].clone())?;
    if is_renewing() {
        let file: PathBuf = Checkout::of_this_build().root.join("tests/src/proving/answers.json");
        return std::fs::write(file, format!("{}\n", serde_json::to_string_pretty(&answers)?)).context("answers.json");
    }
    // The same calls were answered in the same way when that was recorded.
    let recorded = emulated()?;
    let asked = |answers: &Answers| answers.keys().cloned().collect::<Vec<_>>();
    ensure!(report["differences"] == json!([]), "if it is right: UPDATE=1: {:#}", report["differences"]);
    ensure!(asked(&answers) == asked(&recorded), "other calls than recorded: UPDATE=1: {:?}", asked(&answers));
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![a_ground_is_deployed_proves_every_trial_and_goes, whoever_is_not_signed_in_is_told_to,]
}
