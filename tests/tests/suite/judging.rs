//! How a new side is judged while traffic moves: by counts, over the whole run. Rehearsed with 120 requests a minute, by the command that a user
//! would type; more of it is among the scenarios.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{Test, synchronous};
use anyhow::{Context, Result, ensure};
use cutover_tests::setup::Checkout;
use serde_json::{Value, json};

const BALANCER: &str = "app/shop/50dc6c495c0c9188";

/// The dimensions of a side's group.
fn group(side: &str) -> Value {
    let id = if side == "old" { "73e2d6bc24d8a067" } else { "6d0ecf831eec9f09" };
    json!({ "LoadBalancer": BALANCER, "TargetGroup": format!("targetgroup/shop-{side}/{id}") })
}

/// A gate for the share of errors, with this limit.
fn errors(limit: f64) -> Value {
    json!({ "name": "5xx", "namespace": "AWS/ApplicationELB", "metric_name": "HTTPCode_Target_5XX_Count", "dimensions": group("new"),
        "statistic": "Sum", "divide_by": { "metric_name": "RequestCount" }, "comparison": "greater_than", "threshold": limit,
        "missing": "zero_if_divisor" })
}

/// A listener that moves by these steps, judged by `monitoring`.
fn plan(steps: &Value, monitoring: &Value) -> Value {
    let elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
    json!({
        "application": "judged", "monitoring": monitoring,
        "routes": [{ "type": "listener", "listener_arn": format!("{elb}:listener/{BALANCER}/f2f7dc8efc522ab2"),
            "old_target_group_arn": format!("{elb}:targetgroup/shop-old/73e2d6bc24d8a067"),
            "new_target_group_arn": format!("{elb}:targetgroup/shop-new/6d0ecf831eec9f09"), "steps": steps }],
        "notify": { "topic_arn": "arn:aws:sns:eu-west-1:123456789012:shop-cutover" },
    })
}

/// Rehearses a plan in a world; it must end so. Answers the JSON document.
fn rehearse(name: &str, plan: &Value, world: &Value, ending: &str) -> Result<Value> {
    let folder = Checkout::of_this_build().target.join("rehearsed");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.json"));
    std::fs::write(&path, plan.to_string())?;
    std::fs::write(folder.join(format!("{name}.world.json")), world.to_string())?;
    let output = Command::new(env!("CARGO_BIN_EXE_rehearse")).arg(path).args(["--speed", "600", "--json"]).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let outcome: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{name}: stdout is not one JSON document:\n{told:.5000}"))?;
    ensure!(outcome["ending"] == ending, "{name} ended {}, not {ending}:\n{told:.5000}", outcome["ending"]);
    Ok(outcome)
}

/// Why the run was turned back.
fn cause(outcome: &Value) -> Result<String> {
    let cause = outcome["execution"]["cause"].as_str().context("no cause")?;
    let cause: Value = serde_json::from_str(cause)?;
    ensure!(cause["failed_state"] == "Monitor", "failed in {}", cause["failed_state"]);
    Ok(cause["cause"].to_string())
}

fn ensure_says(cause: &str, parts: &[&str]) -> Result<()> {
    for part in parts {
        ensure!(cause.contains(part), "nothing of `{part}` in {cause}");
    }
    Ok(())
}

/// A step's `field`, in the output of a run that succeeded.
fn step(outcome: &Value, index: usize) -> &Value {
    &outcome["execution"]["output"]["steps"][index]
}

fn half_a_percent_where_one_is_allowed_is_not_turned_back_at_sixty_requests_a_minute() -> Result<()> {
    let steps = json!([{ "new_weight": 50, "hold": "90m" }, { "new_weight": 100, "hold": "30m" }]);
    // Every period counts, whatever the interval of the looks.
    let plan = plan(&steps, &json!({ "interval": "3m", "metrics": [errors(0.01)] }));
    let outcome = rehearse("half-a-percent", &plan, &json!({ "new": { "error_rate": 0.005 } }), "Succeeded")?;
    let checks = &step(&outcome, 0)["checks"];
    ensure!(checks["checks"].as_u64() >= Some(30) && checks["unhealthy"] == 0, "{checks}");
    Ok(())
}

fn a_step_is_held_longer_until_there_is_enough_data_where_the_plan_says_so() -> Result<()> {
    let steps = json!([{ "new_weight": 5, "hold": "6m" }, { "new_weight": 100, "hold": "5m" }]);
    let longer =
        json!({ "metrics": [errors(0.01)], "too_little_data": "hold", "hold_longer_at_most": "3h", "interval": "5m" });
    let outcome = rehearse("held", &plan(&steps, &longer), &json!({}), "Succeeded")?;
    let seconds = step(&outcome, 0)["held_seconds"].as_u64();
    ensure!(seconds > Some(10 * 60), "the first step was held for {seconds:?} s, with six requests a minute");
    Ok(())
}

fn a_step_ends_early_when_the_test_is_certain() -> Result<()> {
    let monitoring = json!({ "metrics": [errors(0.05)], "early_end": true, "minimum_hold": "4m" });
    let plan = plan(&json!([{ "new_weight": 100, "hold": "3h" }]), &monitoring);
    let outcome = rehearse("early", &plan, &json!({}), "Succeeded")?;
    let seconds = step(&outcome, 0)["held_seconds"].as_u64().context("held_seconds")?;
    ensure!((240..3_600).contains(&seconds), "the step was held for {seconds} s");
    Ok(())
}

fn a_new_side_that_is_worse_than_an_old_one_with_errors_of_its_own_is_turned_back() -> Result<()> {
    let mut metric = errors(0.01);
    metric["compare_to"] = json!({ "dimensions": group("old") });
    let steps = json!([{ "new_weight": 50, "hold": "30m" }, { "new_weight": 100, "hold": "5m" }]);
    let plan = plan(&steps, &json!({ "interval": "2m", "metrics": [metric] }));
    let world = json!({ "old": { "error_rate": 0.04 }, "new": { "error_rate": 0.2 } });
    let outcome = rehearse("worse", &plan, &world, "RolledBack")?;
    ensure_says(&cause(&outcome)?, &["trouble for certain: 5xx: ", " on the old side, limit 1 %, p < 0.0"])
}

/// 2,000 requests in 100 s are due: after ten seconds of slow answers the rest could not make up for them. A side lets nobody wait longer than
/// 50 ms, whatever it says. Where the machine is too busy for a generator the test is made again, and stops again.
fn a_load_test_stops_once_a_latency_bound_is_lost_for_certain() -> Result<()> {
    let mut plan = plan(&json!([{ "new_weight": 100, "hold": "5m" }]), &json!({ "metrics": [errors(0.05)] }));
    plan["health_check"] = json!({ "url": "https://new.shop.example.com/health" });
    plan["load_test"] = json!({ "targets": { "new": { "url": "https://new.shop.example.com/" } }, "rate_per_second": 20,
        "duration": "100s", "warm_up": "0s", "sla": { "max_p95_ms": 25, "min_success_percent": 99 } });
    let started = Instant::now();
    let slow = json!({ "new": { "slow_rate": 0.5, "slow_ms": 700 } });
    let outcome = rehearse("lost-bound", &plan, &slow, "RolledBack")?;
    let took = started.elapsed();
    ensure!(took < Duration::from_secs(90), "it went on for {took:?}");
    let cause = outcome["execution"]["cause"].as_str().context("no cause")?;
    ensure!(cause.contains("max_p95_ms") || cause.contains("behind its schedule"), "{cause}");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    synchronous![
        half_a_percent_where_one_is_allowed_is_not_turned_back_at_sixty_requests_a_minute,
        a_step_is_held_longer_until_there_is_enough_data_where_the_plan_says_so,
        a_step_ends_early_when_the_test_is_certain,
        a_new_side_that_is_worse_than_an_old_one_with_errors_of_its_own_is_turned_back,
        a_load_test_stops_once_a_latency_bound_is_lost_for_certain,
    ]
}
