//! What the CDK app deploys is what was tested: its synthesized template, deployed through CloudFormation, each function
//! and state machine under its own role with permissions enforced by action.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cutover_tests::setup::{self, Checkout};
use serde_json::{Value, json};
use support::{Ground, ensure_same, plan};

const SPEED: f64 = 120.0;
const LIMIT: Duration = Duration::from_secs(120);
const STACK: &str = "cutover";

/// `<folder>/<crate>/bootstrap` for every function: scripts that run the binaries of this build.
fn binaries(checkout: &Checkout) -> Result<PathBuf> {
    let folder = checkout.target.join("local-aws/binaries");
    for entry in fs::read_dir(checkout.root.join("functions"))? {
        let name = entry?.file_name().into_string().ok().context("a folder's name")?;
        let binary = checkout.bin_dir().join(&name);
        if !checkout.root.join(format!("functions/{name}/src/main.rs")).exists() {
            continue;
        }
        let bootstrap = folder.join(&name).join("bootstrap");
        fs::create_dir_all(folder.join(&name))?;
        fs::write(&bootstrap, format!("#!/bin/sh\nexec '{}'\n", binary.display()))?;
        fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755))?;
    }
    Ok(folder)
}

/// Synthesizes the app into a folder of its own.
fn synthesize(checkout: &Checkout, name: &str, context: &[&str]) -> Result<PathBuf> {
    let infra = checkout.root.join("infra");
    setup::build_functions(checkout)?;
    if !infra.join("node_modules/.package-lock.json").exists() {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&infra))?;
    }
    let out = checkout.target.join(format!("local-aws/cdk-{name}"));
    let mut command = Command::new("npx");
    command.args(["cdk", "synth", "--quiet", "--output"]).arg(&out).current_dir(&infra);
    command.arg("--context").arg(format!("binaries={}", binaries(checkout)?.display()));
    for value in context {
        command.args(["--context", value]);
    }
    run(&mut command)?;
    Ok(out)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}\n{told}", output.status);
    Ok(())
}

/// The default plan, without its hooks' functions: those are the application's, and the stack must be told of them.
fn plan_without_hooks() -> Result<Value> {
    let mut plan = plan("cutover")?;
    plan["hooks"] = json!({});
    plan["routes"][0]["steps"] = json!([{ "new_weight": 100, "hold": "5m" }]);
    Ok(plan)
}

#[tokio::test]
async fn the_deployed_stack_moves_and_restores_traffic_under_its_own_roles() -> Result<()> {
    let checkout = Checkout::of_this_build();
    let template = synthesize(&checkout, "first", &[])?;
    let changed = synthesize(&checkout, "second", &["emails=oncall@example.com"])?;
    let ground = Ground::from(SPEED, Some(template)).await?;

    let stage = ground.stage(&plan_without_hooks()?, json!({})).await?;
    let before = ground.account().await?;
    let _metrics = stage.publish_metrics(stage.clock());
    let run_id = ground.start("cutover", "stopped", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    cutover_tests::follow::stop(&ground.client, &run_id).await?;
    ground.wait_for_phase(&run_id, "rolled_back", LIMIT).await?;
    ensure_same(&before, &ground.account().await?)?;

    let run_id = ground.start("cutover", "whole", &stage.plan).await?;
    ground.wait_for_state(&run_id, "HoldWait", LIMIT).await?;
    update(&ground, &changed).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    ensure_nothing_denied(&ground).await?;
    remove(&ground, &run_id).await
}

/// An update while a cutover runs keeps the journal and does not disturb the run.
async fn update(ground: &Ground, changed: &Path) -> Result<()> {
    let runs = ground.client.dump().await?["journal"].as_array().map_or(0, Vec::len);
    let answer = ground.client.deploy_template(changed, STACK).await?;
    println!("update: {} s, {} resources", answer["seconds"], answer["resources"].as_array().map_or(0, Vec::len));
    let after = ground.client.dump().await?["journal"].as_array().map_or(0, Vec::len);
    ensure!(after >= runs && runs > 0, "the journal had {runs} items, and has {after}");
    Ok(())
}

async fn ensure_nothing_denied(ground: &Ground) -> Result<()> {
    let requests = ground.client.requests(0).await?;
    let denied: Vec<String> = requests
        .iter()
        .filter(|request| request.status == Some(403))
        .map(|request| format!("{} {}:{}", request.caller, request.service, request.operation))
        .collect();
    ensure!(denied.is_empty(), "denied: {denied:?}");
    Ok(())
}

/// Removal leaves nothing but the journal, which is retained by choice.
async fn remove(ground: &Ground, run_id: &str) -> Result<()> {
    let answer = ground.client.delete_template(STACK).await?;
    let machines = ground.client.call("stepfunctions", "list_state_machines", json!({})).await?;
    ensure!(machines["stateMachines"].as_array().is_some_and(Vec::is_empty), "machines are left: {machines}");
    ensure!(ground.run(run_id).await?.is_some(), "the journal is gone: {answer}");
    Ok(())
}
