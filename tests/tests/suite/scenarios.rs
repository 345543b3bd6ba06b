//! Every scenario of `events/`, by the command that a user would type, ends as its world file says.

use std::process::Command;

use crate::harness::{Test, synchronous};
use anyhow::{Context, Result, ensure};
use cutover_tests::setup::Checkout;
use serde_json::Value;

/// Rehearses a scenario and answers the JSON document.
fn rehearse(name: &str, exit_code: i32) -> Result<Value> {
    let plan = Checkout::of_this_build().root.join(format!("events/{name}.json"));
    let output = Command::new(env!("CARGO_BIN_EXE_rehearse")).arg(plan).args(["--speed", "120", "--json"]).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(exit_code), "exit code {:?}, not {exit_code}:\n{told}", output.status.code());
    let outcome: Value = serde_json::from_slice(&output.stdout).context("stdout is not one JSON document")?;
    ensure!(outcome["ending"] == outcome["expected"], "ended {}, expected {}", outcome["ending"], outcome["expected"]);
    Ok(outcome)
}

/// What people saw of the old and the new side.
fn failures(outcome: &Value, side: &str) -> u64 {
    let sides = outcome["users"]["sides"].as_array().into_iter().flatten();
    sides.filter(|saw| saw["side"] == side).filter_map(|saw| saw["failures"].as_u64()).sum()
}

/// Another machine of the stack, on the world of the default plan, in JSON.
fn rehearse_machine(arguments: &[&str], exit_code: i32) -> Result<Value> {
    let output =
        Command::new(env!("CARGO_BIN_EXE_rehearse")).args(arguments).args(["--speed", "240", "--json"]).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(exit_code), "exit code {:?}, not {exit_code}:\n{told}", output.status.code());
    serde_json::from_slice(&output.stdout).context("stdout is not one JSON document")
}

fn a_rollback_by_a_person_is_rehearsed_after_a_run() -> Result<()> {
    let outcome = rehearse_machine(&["--machine", "rollback"], 3)?;
    ensure!(outcome["ending"] == "RolledBack" && outcome["preceding"]["ending"] == "Succeeded", "{outcome}");
    let led = |moves: &Value| {
        moves.as_array().into_iter().flatten().map(|one| one["destinations"].clone()).collect::<Vec<_>>()
    };
    ensure!(led(&outcome["after"]) == led(&outcome["preceding"]["before"]), "not as before: {}", outcome["after"]);
    Ok(())
}

fn a_cleanup_by_a_person_is_rehearsed_after_a_run() -> Result<()> {
    let outcome = rehearse_machine(&["--machine", "cleanup"], 0)?;
    ensure!(outcome["execution"]["label"] == "cleanup" && outcome["preceding"]["ending"] == "Succeeded", "{outcome}");
    let removed = outcome["changes"].as_array().into_iter().flatten();
    let operations: Vec<&str> = removed.filter_map(|change| change["operation"].as_str()).collect();
    ensure!(operations.contains(&"DeleteTargetGroup"), "the old group is still there: {operations:?}");
    Ok(())
}

fn a_scheduled_start_is_rehearsed_to_the_end_of_what_it_starts() -> Result<()> {
    let outcome = rehearse_machine(&["--machine", "start"], 0)?;
    ensure!(outcome["ending"] == "Succeeded" && outcome["started"][0]["label"] == "cutover", "{}", outcome["started"]);
    Ok(())
}

fn the_default_plan_succeeds_and_its_summary_tells_what_was_measured() -> Result<()> {
    let outcome = rehearse("cutover", 0)?;
    let output = &outcome["execution"]["output"];
    let steps = output["steps"].as_array().context("the output has no steps")?;
    ensure!(steps.len() == 5, "{} steps", steps.len());
    for step in steps {
        for field in ["changed_at", "settled_at", "ended_at"] {
            ensure!(step[field].as_str().is_some_and(|at| at.ends_with('Z')), "{field} of {step}");
        }
        ensure!(step["checks"]["healthy"].as_u64() > Some(0), "a step went on without a healthy check: {step}");
        ensure!(step["held_seconds"].as_u64() >= Some(300), "a hold was cut short: {step}");
    }
    ensure!(failures(&outcome, "new") + failures(&outcome, "old") == 0, "users saw failures");
    Ok(())
}

fn a_new_side_that_turns_unhealthy_is_left() -> Result<()> {
    rehearse("new-side-unhealthy", 3).map(drop)
}

fn a_new_side_that_answers_errors_is_left() -> Result<()> {
    rehearse("errors-at-half", 3).map(drop)
}

fn lag_that_falls_is_waited_for() -> Result<()> {
    rehearse("lag-falls", 0).map(drop)
}

fn lag_that_stays_moves_no_traffic() -> Result<()> {
    let outcome = rehearse("lag-stays", 3)?;
    let sides = outcome["users"]["sides"].as_array().into_iter().flatten();
    let on_new: u64 = sides.filter(|saw| saw["side"] == "new").filter_map(|saw| saw["requests"].as_u64()).sum();
    ensure!(on_new == 0, "{on_new} requests reached the new side");
    Ok(())
}

fn a_denied_change_puts_everything_back() -> Result<()> {
    rehearse("dns-denied", 3).map(drop)
}

fn a_stopped_execution_puts_everything_back() -> Result<()> {
    rehearse("stopped", 3).map(drop)
}

fn a_second_cutover_is_refused_and_the_first_succeeds() -> Result<()> {
    let outcome = rehearse("second-cutover", 0)?;
    ensure!(outcome["second"]["error"] == "Cutover.Conflict", "the second: {}", outcome["second"]);
    Ok(())
}

fn a_rollback_that_cannot_write_says_what_to_do_by_hand() -> Result<()> {
    let outcome = rehearse("cannot-go-back", 4)?;
    let messages = outcome["messages"].as_array().into_iter().flatten();
    let page =
        messages.filter_map(|message| message["subject"].as_str()).find(|subject| subject.starts_with("CRITICAL"));
    ensure!(page.is_some(), "nobody was paged");
    ensure!(
        outcome["messages"].to_string().contains("aws route53 change-resource-record-sets"),
        "no command in the page"
    );
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    synchronous![
        the_default_plan_succeeds_and_its_summary_tells_what_was_measured,
        a_new_side_that_turns_unhealthy_is_left,
        a_new_side_that_answers_errors_is_left,
        lag_that_falls_is_waited_for,
        lag_that_stays_moves_no_traffic,
        a_denied_change_puts_everything_back,
        a_stopped_execution_puts_everything_back,
        a_second_cutover_is_refused_and_the_first_succeeds,
        a_rollback_that_cannot_write_says_what_to_do_by_hand,
        a_rollback_by_a_person_is_rehearsed_after_a_run,
        a_cleanup_by_a_person_is_rehearsed_after_a_run,
        a_scheduled_start_is_rehearsed_to_the_end_of_what_it_starts,
    ]
}
