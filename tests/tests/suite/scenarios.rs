//! Every scenario of `events/`, by the command that a user would type, ends as its world file says.

use std::process::Command;

use crate::harness::{Test, synchronous};
use anyhow::{Context, Result, ensure};
use cutover_tests::setup::Checkout;
use serde_json::{Value, json};

/// Rehearses a scenario and answers the JSON document.
fn rehearse(name: &str, exit_code: i32) -> Result<Value> {
    rehearse_at("120", name, exit_code)
}

/// The same at another speed, for runs that take hours.
fn rehearse_at(speed: &str, name: &str, exit_code: i32) -> Result<Value> {
    let plan = Checkout::of_this_build().root.join(format!("events/{name}.json"));
    let output = Command::new(env!("CARGO_BIN_EXE_rehearse")).arg(plan).args(["--speed", speed, "--json"]).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(exit_code), "exit code {:?}, not {exit_code}:\n{told}", output.status.code());
    let outcome: Value = serde_json::from_slice(&output.stdout).context("stdout is not one JSON document")?;
    ensure!(outcome["ending"] == outcome["expected"], "ended {}, expected {}", outcome["ending"], outcome["expected"]);
    Ok(outcome)
}

/// Why the monitor turned a run back.
fn turned_back(outcome: &Value) -> Result<String> {
    let cause = outcome["execution"]["cause"].as_str().context("no cause")?;
    let cause: Value = serde_json::from_str(cause)?;
    ensure!(cause["failed_state"] == "Monitor", "failed in {}", cause["failed_state"]);
    Ok(cause["cause"].to_string())
}

fn ensure_says(text: &str, parts: &[&str]) -> Result<()> {
    for part in parts {
        ensure!(text.contains(part), "nothing of `{part}` in {text}");
    }
    Ok(())
}

/// Where every route leads: of moves, without their times.
fn led(moves: &Value) -> Vec<Value> {
    moves.as_array().into_iter().flatten().map(|one| one["destinations"].clone()).collect()
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

/// A listener with a 5 % step, a gate for the share of errors and one for latency; `more` are further gates.
fn five_percent(more: &[Value]) -> Value {
    let elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
    let dimensions =
        json!({ "LoadBalancer": "app/shop/50dc6c495c0c9188", "TargetGroup": "targetgroup/shop-new/6d0ecf831eec9f09" });
    let mut metrics = vec![
        json!({ "name": "5xx", "namespace": "AWS/ApplicationELB", "metric_name": "HTTPCode_Target_5XX_Count", "dimensions": dimensions,
            "statistic": "Sum", "divide_by": { "metric_name": "RequestCount" }, "comparison": "greater_than", "threshold": 0.01,
            "missing": "zero_if_divisor" }),
        json!({ "name": "p95", "namespace": "AWS/ApplicationELB", "metric_name": "TargetResponseTime", "dimensions": dimensions,
            "statistic": "p95", "comparison": "greater_than", "threshold": 0.8 }),
    ];
    metrics.extend_from_slice(more);
    json!({
        "application": "five-percent", "monitoring": { "metrics": metrics },
        "routes": [{ "type": "listener", "listener_arn": format!("{elb}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"),
            "old_target_group_arn": format!("{elb}:targetgroup/shop-old/73e2d6bc24d8a067"),
            "new_target_group_arn": format!("{elb}:targetgroup/shop-new/6d0ecf831eec9f09"),
            "steps": [{ "new_weight": 5, "hold": "5m" }, { "new_weight": 100, "hold": "2m" }] }],
        "notify": { "topic_arn": "arn:aws:sns:eu-west-1:123456789012:shop-cutover" },
    })
}

/// Rehearses a plan of our own; answers the JSON document.
fn rehearse_plan(name: &str, plan: &Value, arguments: &[&str], exit_code: i32) -> Result<Value> {
    let folder = Checkout::of_this_build().target.join("rehearsed");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.json"));
    std::fs::write(&path, plan.to_string())?;
    let output = Command::new(env!("CARGO_BIN_EXE_rehearse")).arg(path).args(arguments).arg("--json").output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.code() == Some(exit_code),
        "exit code {:?}, not {exit_code}:\n{told}\n{text:.3000}",
        output.status.code()
    );
    serde_json::from_str(&text).context("stdout is not one JSON document")
}

fn a_plan_with_a_small_step_succeeds_at_the_greatest_speed_and_each_gate_has_seen_values() -> Result<()> {
    let outcome = rehearse_plan("five-percent", &five_percent(&[]), &["--speed", "3600"], 0)?;
    ensure!(outcome["ending"] == "Succeeded" && outcome["findings"] == json!([]), "{}", outcome["findings"]);
    for name in ["5xx", "p95"] {
        let mut gates = outcome["gates"].as_array().into_iter().flatten();
        let gate = gates.find(|gate| gate["name"] == name).context("no such gate")?;
        let looks = gate["looks"].as_array().into_iter().flatten();
        ensure!(looks.filter(|look| look["value"].is_number()).count() > 1, "{name} has seen too little: {gate}");
    }
    let checks = &outcome["execution"]["output"]["steps"][0]["checks"];
    ensure!(checks["too_little_data"].as_u64() > Some(0), "of six requests a minute it could tell: {checks}");
    Ok(())
}

fn a_gate_that_never_sees_a_value_is_a_finding_of_the_rehearsal() -> Result<()> {
    let dead = json!({ "name": "another balancer's", "namespace": "AWS/ApplicationELB", "metric_name": "HTTPCode_ELB_5XX_Count",
        "dimensions": { "LoadBalancer": "app/another/0123456789abcdef" }, "statistic": "Sum", "comparison": "greater_than",
        "threshold": 5, "missing": "healthy" });
    let outcome = rehearse_plan("dead-gate", &five_percent(&[dead]), &["--speed", "600"], 6)?;
    ensure!(outcome["ending"] == "Succeeded", "{}", outcome["ending"]);
    let paths: Vec<&Value> = outcome["findings"].as_array().into_iter().flatten().map(|found| &found["path"]).collect();
    ensure!(paths == ["$.monitoring.metrics[2]"], "{paths:?}");
    let warnings = &outcome["execution"]["output"]["warnings"];
    ensure!(warnings.to_string().contains("which no route of the plan has"), "precheck did not warn: {warnings}");
    Ok(())
}

fn each_gate_is_made_to_fail_and_one_that_catches_nothing_is_told() -> Result<()> {
    let milliseconds = json!({ "name": "p95 in ms", "namespace": "AWS/ApplicationELB", "metric_name": "TargetResponseTime",
        "dimensions": { "LoadBalancer": "app/shop/50dc6c495c0c9188", "TargetGroup": "targetgroup/shop-new/6d0ecf831eec9f09" },
        "statistic": "p95", "comparison": "greater_than", "threshold": 800 });
    let proofs = rehearse_plan("proved", &five_percent(&[milliseconds]), &["--prove-gates"], 7)?;
    ensure!(proofs["without_trouble"] == "Succeeded", "{proofs}");
    let gates: Vec<&Value> = proofs["gates"].as_array().into_iter().flatten().collect();
    let caught: Vec<bool> = gates.iter().map(|gate| gate["is_caught"] == true).collect();
    ensure!(caught == [true, true, false, true], "5xx, p95, p95 in ms, targets: {proofs:#}");
    ensure!(gates[..2].iter().all(|gate| gate["ending"] == "RolledBack" && gate["state"] == "Monitor"), "{proofs:#}");
    ensure!(
        gates[0]["cause"].as_str().is_some_and(|cause| cause.contains("listener f2f7dc8efc522ab2 of shop")),
        "{proofs:#}"
    );
    let others = &gates[2]["others"];
    ensure!(others.to_string().contains("$.monitoring.metrics[1]"), "the gate in seconds has seen it: {proofs:#}");
    Ok(())
}

fn a_plan_that_is_turned_back_with_a_good_new_side_says_by_which_gate() -> Result<()> {
    let mut plan = five_percent(&[]);
    plan["monitoring"]["metrics"][1]["threshold"] = json!(0.001);
    let report = Checkout::of_this_build().target.join("rehearsed/turned-back.html");
    let report_path = report.to_str().context("a path")?;
    let proofs = rehearse_plan("turned-back", &plan, &["--prove-gates", "--speed", "600", "--report", report_path], 3)?;
    ensure!(proofs["without_trouble"] == "RolledBack", "{proofs:#}");
    ensure!(proofs["turned_back_by"] == json!(["p95 ($.monitoring.metrics[1])"]), "{proofs:#}");
    let page = std::fs::read_to_string(&report)?;
    ensure!(page.contains("WITH A GOOD NEW SIDE TOO: RolledBack, turned back by p95"), "the page does not say so");
    Ok(())
}

fn a_side_that_is_slow_hurts_its_users() -> Result<()> {
    let world = Checkout::of_this_build().target.join("rehearsed/slow.world.json");
    std::fs::create_dir_all(world.parent().context("a folder")?)?;
    std::fs::write(&world, json!({ "new": { "latency_ms": 1_500 } }).to_string())?;
    let outcome = rehearse_plan("slow", &five_percent(&[]), &["--speed", "600"], 3)?;
    let users = &outcome["users"];
    ensure!(
        users["failures"] == 0 && users["slow"].as_u64() > Some(0),
        "{} failed, {} slow",
        users["failures"],
        users["slow"]
    );
    ensure!(users["slow_above_seconds"] == 0.8 && users["first_hurt_seconds"].is_number(), "{users:.300}");
    let rows = users["timeline"].as_array().into_iter().flatten();
    ensure!(rows.filter(|row| row["p95_seconds"][0].is_number()).count() > 50, "nobody waited at any time");
    Ok(())
}

fn a_rollback_by_a_person_is_rehearsed_after_a_run() -> Result<()> {
    let outcome = rehearse_machine(&["--machine", "rollback"], 3)?;
    ensure!(outcome["ending"] == "RolledBack" && outcome["preceding"]["ending"] == "Succeeded", "{outcome}");
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
        let good = ["healthy", "too_little_data"].map(|verdict| step["checks"][verdict].as_u64().unwrap_or(0));
        ensure!(good.iter().sum::<u64>() > 0, "a step went on without a check at which nothing was wrong: {step}");
        ensure!(step["held_seconds"].as_u64() >= Some(300), "a hold was cut short: {step}");
    }
    ensure!(failures(&outcome, "new") + failures(&outcome, "old") == 0, "users saw failures");
    ensure_says(&output["baseline"].to_string(), &["portal-old, before the cutover: ", " requests", "a week ago: "])
}

fn a_new_side_that_turns_unhealthy_is_left() -> Result<()> {
    rehearse("new-side-unhealthy", 3).map(drop)
}

fn a_new_side_that_answers_errors_is_left() -> Result<()> {
    rehearse("errors-at-half", 3).map(drop)
}

fn a_new_side_that_is_slower_in_its_p95_only_is_left() -> Result<()> {
    let cause = turned_back(&rehearse_at("600", "slower-at-p95", 3)?)?;
    ensure_says(&cause, &["trouble for certain: p95 of ", " requests took longer than 0.8 s, limit 5 %"])?;
    ensure!(!cause.contains("p50"), "{cause}");
    Ok(())
}

fn two_percent_of_errors_are_seen_with_little_traffic() -> Result<()> {
    let cause = turned_back(&rehearse_at("600", "few-errors", 3)?)?;
    let (step, told) = ("step 1 of 2 (25 %) of listener ", " requests failed, limit 0.5 %, p < 0.0");
    ensure_says(&cause, &[step, "trouble for certain: 5xx of ", told])
}

fn an_old_side_that_is_the_slower_one_is_no_reason_to_go_back() -> Result<()> {
    let outcome = rehearse_at("600", "old-side-slower", 0)?;
    let steps = outcome["execution"]["output"]["steps"].as_array().into_iter().flatten();
    ensure!(
        steps.clone().all(|step| step["checks"]["unhealthy"] == 0),
        "a false alarm: {:?}",
        steps.collect::<Vec<_>>()
    );
    ensure!(failures(&outcome, "old") > 0 && failures(&outcome, "new") > 0, "there was nothing to compare");
    Ok(())
}

fn a_load_test_that_cannot_be_made_is_neither_a_pass_nor_a_failure_and_is_told() -> Result<()> {
    let outcome = rehearse("load-test-invalid", 0)?;
    let notes = outcome["execution"]["output"]["not_done"].to_string();
    ensure_says(
        &notes,
        &["load test is invalid, and says nothing of the new side: ", " ms too late, and sent nothing"],
    )?;
    ensure_says(&outcome["messages"].to_string(), &["load test is invalid"])
}

fn too_little_data_goes_back_where_the_plan_says_so() -> Result<()> {
    let cause = turned_back(&rehearse_at("600", "too-little-data", 3)?)?;
    let needs = " requests failed, limit 1 %: no trouble so far, to tell it needs about ";
    ensure_says(&cause, &["too little data after a hold of ", needs])
}

fn trouble_after_the_run_has_succeeded_takes_it_back_by_itself() -> Result<()> {
    let outcome = rehearse_at("300", "trouble-after-100", 3)?;
    ensure!(outcome["execution"]["status"] == "SUCCEEDED", "not after its end: {}", outcome["execution"]);
    ensure!(outcome["rollbacks"].as_array().is_some_and(|all| all.len() == 1), "{}", outcome["rollbacks"]);
    ensure!(led(&outcome["after"]) == led(&outcome["before"]), "not as before: {}", outcome["after"]);
    let page = "Cutover of accounts: rolled back";
    ensure_says(
        &outcome["messages"].to_string(),
        &[page, "after the cutover, 100 % on the new side: trouble for certain: 5xx"],
    )
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

/// The mails and pages are what a person finds beside the rehearsal's page.
fn an_incident_is_acknowledged_by_its_page_and_every_later_message_says_by_whom() -> Result<()> {
    let root = Checkout::of_this_build();
    let report = root.target.join("rehearsed/incident.html");
    let report = report.to_str().context("a path")?;
    let plan = root.root.join("events/incident-acknowledged.json");
    let output = Command::new(env!("CARGO_BIN_EXE_rehearse"))
        .arg(plan)
        .args(["--speed", "120", "--json", "--report", report])
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(4), "exit code {:?}:\n{told}", output.status.code());
    ensure_says(&told, &["somebody looks after incident i-", "Looked after by: \"the rehearsal\", since "])?;
    let files = |kind: &str| -> Result<Vec<String>> {
        let folder = root.target.join(format!("rehearsed/incident.{kind}"));
        let files = std::fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
        let mut paths = files.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
        paths.sort();
        paths.iter().filter(|path| path.is_file()).map(|path| Ok(std::fs::read_to_string(path)?)).collect()
    };
    let mails: Vec<String> = files("mails")?.into_iter().filter(|mail| mail.contains("Incident i-")).collect();
    let by = |mail: &&String| mail.contains("&quot;the rehearsal&quot;, since");
    let first = mails.iter().position(|mail| by(&mail)).context("no mail says who looks after it")?;
    ensure!(first > 0, "the first mail of the incident knows already who looks after it");
    let last = mails.last().context("no mail of the incident")?;
    ensure!(by(&last) && last.contains("critical"), "the last mail does not say who looks after it: {last}");
    let pages = files("answers")?;
    ensure!(pages.len() == 2, "{} pages", pages.len());
    ensure!(pages.iter().any(|page| page.contains("Nobody looks after it.")), "no page of before");
    ensure!(pages.iter().any(|page| page.contains("&quot;the rehearsal&quot; looks after it.")), "no page of after");
    ensure!(!files("status")?.is_empty(), "no status page");
    Ok(())
}

fn a_cutover_of_two_accounts_and_two_regions_succeeds_and_its_gates_see_its_balancer() -> Result<()> {
    let outcome = rehearse("two-accounts", 0)?;
    ensure!(outcome["findings"] == json!([]), "{}", outcome["findings"]);
    let baseline = outcome["execution"]["output"]["baseline"].to_string();
    ensure_says(&baseline, &["billing-old, before the cutover", "requests"])?;
    for step in outcome["execution"]["output"]["steps"].as_array().into_iter().flatten() {
        ensure!(step["checks"]["inconclusive"].as_u64() < step["checks"]["checks"].as_u64(), "no data: {step}");
    }
    Ok(())
}

fn a_cutover_of_four_accounts_and_two_regions_succeeds_and_everything_in_them_is_seen() -> Result<()> {
    let outcome = rehearse("four-accounts", 0)?;
    ensure!(outcome["findings"] == json!([]), "{}", outcome["findings"]);
    ensure!(outcome["execution"]["output"]["alarms"][0]["changed"] == true, "{}", outcome["execution"]["output"]);
    let steps = outcome["execution"]["output"]["steps"].as_array().into_iter().flatten();
    for step in steps {
        ensure!(step["checks"]["healthy"].as_u64() > Some(0), "nothing was seen: {step}");
    }
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    synchronous![
        a_cutover_of_four_accounts_and_two_regions_succeeds_and_everything_in_them_is_seen,
        a_cutover_of_two_accounts_and_two_regions_succeeds_and_its_gates_see_its_balancer,
        each_gate_is_made_to_fail_and_one_that_catches_nothing_is_told,
        a_plan_that_is_turned_back_with_a_good_new_side_says_by_which_gate,
        a_side_that_is_slow_hurts_its_users,
        a_plan_with_a_small_step_succeeds_at_the_greatest_speed_and_each_gate_has_seen_values,
        a_gate_that_never_sees_a_value_is_a_finding_of_the_rehearsal,
        the_default_plan_succeeds_and_its_summary_tells_what_was_measured,
        a_new_side_that_turns_unhealthy_is_left,
        a_new_side_that_answers_errors_is_left,
        a_new_side_that_is_slower_in_its_p95_only_is_left,
        two_percent_of_errors_are_seen_with_little_traffic,
        an_old_side_that_is_the_slower_one_is_no_reason_to_go_back,
        a_load_test_that_cannot_be_made_is_neither_a_pass_nor_a_failure_and_is_told,
        too_little_data_goes_back_where_the_plan_says_so,
        trouble_after_the_run_has_succeeded_takes_it_back_by_itself,
        lag_that_falls_is_waited_for,
        lag_that_stays_moves_no_traffic,
        a_denied_change_puts_everything_back,
        a_stopped_execution_puts_everything_back,
        a_second_cutover_is_refused_and_the_first_succeeds,
        a_rollback_that_cannot_write_says_what_to_do_by_hand,
        an_incident_is_acknowledged_by_its_page_and_every_later_message_says_by_whom,
        a_rollback_by_a_person_is_rehearsed_after_a_run,
        a_cleanup_by_a_person_is_rehearsed_after_a_run,
        a_scheduled_start_is_rehearsed_to_the_end_of_what_it_starts,
    ]
}
