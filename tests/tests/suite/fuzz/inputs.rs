//! Every function's input under mutation: read, or refused with the field's name.
//!
//! `inputs.json` holds one input of every action, as the emulated AWS recorded them (`GET /_local/invocations`) while
//! `events/cutover.json` was run, rolled back by hand, run again and cleaned up.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::hostile::{self, Key};
use crate::harness::{Test, synchronous};

/// In the dev profile, for what Step Functions carries.
const LONGEST_READ: Duration = Duration::from_secs(1);

/// By the name of the function and what is asked of it.
static RECORDED: LazyLock<BTreeMap<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("inputs.json")).unwrap_or_default());

/// One input of every action of every function.
pub fn recorded() -> Vec<(String, Value)> {
    RECORDED.iter().map(|(name, input)| (name.clone(), input.clone())).collect()
}

/// The function's name, without what is asked of it.
pub fn function(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name)
}

/// Reads an input as the function's bootstrap does.
fn read(name: &str, input: Value) -> Result<(), String> {
    fn only<T>(_: T) {}
    match function(name) {
        "answer" => cutover::input::read::<answer::Request>(input).map(only),
        "alarms" => cutover::input::read::<alarms::Request>(input).map(only),
        "baseline" => cutover::input::read::<baseline::Request>(input).map(only),
        "claim" => cutover::input::read::<claim::Request>(input).map(only),
        "cleanup" => cutover::input::read::<cleanup::Request>(input).map(only),
        "listener-swap" | "weight-shift" => cutover::input::read::<cutover::contract::RouteRequest>(input).map(only),
        "dashboard" => cutover::input::read::<dashboard::Request>(input).map(only),
        "incident" => cutover::input::read::<incident::Request>(input).map(only),
        "load-test" => cutover::input::read::<load_test::Request>(input).map(only),
        "monitor" => cutover::input::read::<monitor::Request>(input).map(only),
        "notify" => cutover::input::read::<notify::Request>(input).map(only),
        "program" => cutover::input::read::<program::Request>(input).map(only),
        "precheck" => cutover::input::read::<precheck::Request>(input).map(only),
        "replication-lag" => cutover::input::read::<replication_lag::Request>(input).map(only),
        "report" => cutover::input::read::<report::Request>(input).map(only),
        "rollback" => cutover::input::read::<rollback::Request>(input).map(only),
        "status-report" => cutover::input::read::<status_report::Request>(input).map(only),
        "sweep" => cutover::input::read::<sweep::Request>(input).map(only),
        "tell" => cutover::input::read::<tell::Request>(input).map(only),
        "timeline" => cutover::input::read::<timeline::Request>(input).map(only),
        "wave" => cutover::input::read::<wave::Request>(input).map(only),
        "validate" => cutover::input::read::<validate::Request>(input).map(only),
        other => Err(format!("there is no function {other}")),
    }
}

/// Whether a problem names a field that was touched, or one that it is in. Inside of a plan's route or a before-image,
/// which are tagged, it may be that part's name.
fn names(problem: &str, place: &[Key]) -> bool {
    place.iter().any(|key| matches!(key, Key::Field(name) if problem.contains(name.as_str())))
}

fn every_function_has_a_recorded_input_and_reads_it() -> Result<()> {
    let folders = std::fs::read_dir(super::root().join("functions"))?.filter_map(|entry| Some(entry.ok()?.path()));
    let names = folders.filter(|folder| folder.join("src/main.rs").exists());
    for folder in names {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ensure!(RECORDED.keys().any(|recorded| function(recorded) == name), "no input of {name} is recorded");
    }
    for (name, input) in recorded() {
        read(&name, input).map_err(|problem| anyhow::anyhow!("{name}: {problem}"))?;
    }
    Ok(())
}

fn every_field_that_is_of_another_kind_is_named() -> Result<()> {
    for (name, input) in recorded() {
        for field in input.as_object().into_iter().flatten().map(|(field, _)| field.clone()) {
            for wrong in [json!(null), json!(-0.5), json!([[]]), json!({ "": 0 }), json!("\u{0}")] {
                let mut hostile = input.clone();
                hostile[&field] = wrong.clone();
                if let Err(problem) = read(&name, hostile) {
                    ensure!(problem.contains(&format!("`{field}")), "{name}, {field} = {wrong}: {problem}");
                }
            }
        }
    }
    Ok(())
}

/// A person types these.
fn the_fields_of_a_gesture_are_named() {
    for (function, action) in [("rollback", "begin"), ("cleanup", "find")] {
        let with = |input: Value| json!({ "action": action, "execution_arn": "e", "input": input });
        for (input, expected) in [
            (
                json!({ "application": 7 }),
                "nothing was done, since the input is not right: $.application is the number 7: write it in quotes",
            ),
            (json!({ "aplication": "shop" }), "$.aplication is not a field here: rename it to `application`"),
            (json!({ "run_id": 7, "x": 1 }), "write it in quotes: \"7\"; $.x is not a field here"),
            (json!("shop"), "$ is the text \"shop\": should be an object"),
        ] {
            let problem = read(function, with(input)).err().unwrap_or_default();
            assert!(problem.contains(expected), "{function}: {problem}");
        }
        let problem = read(function, json!({ "action": "x\u{0}" })).err().unwrap_or_default();
        assert!(problem.contains("`action`") && problem.contains(action), "{problem}");
    }
}

proptest! {
    fn an_input_after_one_mutation((name, input) in select(recorded()), choice in any::<Index>(), mutation in hostile::mutation()) {
        let hostile::Mutated { value, touched } = hostile::mutate(&input, choice, &mutation);
        let started = Instant::now();
        let read = read(&name, value);
        prop_assert!(started.elapsed() < LONGEST_READ, "reading took {:?}", started.elapsed());
        if let Err(problem) = read {
            prop_assert!(touched.iter().any(|place| names(&problem, place)), "{name}: {touched:?} was touched: {problem}");
        }
    }

    fn anything_at_all_as_an_input((name, _) in select(recorded()), value in hostile::json_value()) {
        let started = Instant::now();
        // The sweep reads nothing of its event.
        if let Err(problem) = read(&name, value) {
            prop_assert!(!problem.is_empty());
        }
        prop_assert!(started.elapsed() < LONGEST_READ, "reading took {:?}", started.elapsed());
    }
}

/// What is run.
pub fn tests() -> Vec<Test> {
    synchronous![
        every_function_has_a_recorded_input_and_reads_it,
        every_field_that_is_of_another_kind_is_named,
        the_fields_of_a_gesture_are_named,
        an_input_after_one_mutation,
        anything_at_all_as_an_input,
    ]
}
