//! Every function's own process, sent what its JSON reader or its memory might not survive.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::inputs;
use crate::harness::{Test, asynchronous};
use crate::support::Ground;

/// A function has 256 MB in this project's deployment; a debug build is given half of it.
const MOST_RESIDENT_KIB: u64 = 128 * 1024;

/// A payload, and what the function's error says of it. The emulator's own reader goes no deeper than some hundred levels:
/// ten thousand of them are a test of the bootstrap's.
fn payloads() -> Vec<(String, &'static str)> {
    let deep = |open: &str, close: &str| open.repeat(500) + "null" + &close.repeat(500);
    vec![
        (deep("[", "]"), "recursion limit"),
        (deep("{\"a\":", "}"), "recursion limit"),
        (json!("x".repeat(5_000_000)).to_string(), "bytes"),
        (format!("[{}0]", "[],".repeat(400_000)), "bytes"),
        (r#"{"run_id": "\ud800"}"#.to_owned(), "cannot be read"),
        (r#"{"run_id": 1e999}"#.to_owned(), "cannot be read"),
        ("null".to_owned(), "input is not right"),
        ("[]".to_owned(), "input is not right"),
        ("{}".to_owned(), "missing field"),
        ("\"\\u0000\"".to_owned(), "input is not right"),
    ]
}

/// Invokes a function with these very bytes, and answers what it said.
async fn invoke(ground: &Ground, function: &str, payload: &str) -> Result<Value> {
    let parameters = json!({ "FunctionName": format!("cutover-{function}"), "Payload": payload });
    let answer = ground.client.call("lambda", "invoke", parameters).await;
    let answer = answer.with_context(|| format!("{function} of {payload:.50}"))?;
    match &answer["Payload"] {
        Value::String(text) => serde_json::from_str(text).with_context(|| format!("{function} answered {text:.200}")),
        other => Ok(other.clone()),
    }
}

/// The function's processes in this emulated AWS: their numbers, and the most memory that each ever had. Linux only.
fn processes(ground: &Ground, function: &str) -> BTreeMap<u32, u64> {
    let endpoint = format!("AWS_ENDPOINT_URL={}", ground.emulator.ready().endpoint_url);
    let name = format!("AWS_LAMBDA_FUNCTION_NAME=cutover-{function}");
    let numbers = std::fs::read_dir("/proc").into_iter().flatten();
    let numbers = numbers.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let is_its = |number: &u32| {
        let environment = std::fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        let has = |wanted: &str| environment.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes());
        has(&endpoint) && has(&name)
    };
    numbers.filter(is_its).filter_map(|number| Some((number, most_resident_kib(number)?))).collect()
}

fn most_resident_kib(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

async fn every_function_survives_hostile_payloads() -> Result<()> {
    let ground = Ground::new(60.0).await?;
    let mut recorded = inputs::recorded();
    recorded.dedup_by(|(one, _), (other, _)| inputs::function(one) == inputs::function(other));
    for (name, input) in recorded {
        let function = inputs::function(&name);
        let valid = invoke(&ground, function, &input.to_string()).await?;
        let before = processes(&ground, function);
        for (payload, expected) in payloads() {
            let answer = invoke(&ground, function, &payload).await?;
            // The sweep needs nothing of its event, and a status report that is asked for nothing is of all runs.
            if ["status-report", "sweep"].contains(&function) && ["{}", "[]"].contains(&payload.as_str()) {
                continue;
            }
            let said = answer["errorMessage"].as_str().unwrap_or_default();
            ensure!(answer["errorType"] == "Cutover.InvalidPlan", "{name}: {payload:.50}: {answer}");
            ensure!(said.contains(expected), "{name}: {payload:.50}: {said}");
        }
        let again = invoke(&ground, function, &input.to_string()).await?;
        ensure!(valid["errorType"] == again["errorType"], "{name}: {valid}, and then {again}");
        let after = processes(&ground, function);
        ensure!(before.keys().all(|number| after.contains_key(number)), "{name}: of {before:?} there are {after:?}");
        ensure!(after.values().all(|kib| *kib < MOST_RESIDENT_KIB), "{name}: {after:?} KiB");
        eprintln!("{function}: {after:?} KiB at the most");
    }
    ten_thousand_bad_steps_end_as_an_invalid_plan(&ground).await
}

/// Through the state machine: what precheck found is carried to the execution's end.
async fn ten_thousand_bad_steps_end_as_an_invalid_plan(ground: &Ground) -> Result<()> {
    let mut plan = super::plans::full();
    plan["routes"][0]["steps"] = vec![json!({}); 10_000].into();
    let execution = ground.start("cutover", "ten-thousand", &plan).await?;
    let end = ground.end_of(&execution, Duration::from_secs(60)).await?;
    ensure!(end["error"] == "Cutover.InvalidPlan", "ended {} {}", end["error"], end["cause"]);
    let cause = end["cause"].as_str().unwrap_or_default();
    ensure!(cause.contains("$.routes[0].steps[0].new_weight") && cause.contains("more errors"), "{cause:.500}");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![every_function_survives_hostile_payloads,]
}
