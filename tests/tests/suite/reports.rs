//! What a run leaves for whoever has to answer for it: a page, Markdown and JSON in the bucket of reports, and where they are in the message and
//! in the output.

use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, plan};
use anyhow::{Context, Result, ensure};
use cutover_tests::{left, metrics};
use serde_json::{Value, json};

const SPEED: f64 = 900.0;
const LIMIT: Duration = Duration::from_secs(240);
const MOST_PAGE_BYTES: usize = 500_000;
/// Whatever stands in a plan's texts is a text.
const HOSTILE: &str =
    "</title><script>alert('x')</script>\n\"quoted\" <img src=http://127.0.0.1:9/x> [a](http://127.0.0.1:9/)";

/// The default plan, with names that somebody hostile, or careless, has chosen.
fn hostile_plan(name: &str) -> Result<Value> {
    let mut plan = plan("cutover")?;
    plan["application"] = json!(name);
    plan["load_test"]["sla"] = json!({ "max_p95_ms": 60_000.0 });
    plan["cleanup"] = json!({ "after": "7000h" });
    for metric in plan["monitoring"]["metrics"].as_array_mut().into_iter().flatten() {
        metric["name"] = json!(format!("{}{HOSTILE}", metric["name"].as_str().unwrap_or_default()));
    }
    let cpu =
        json!({ "name": HOSTILE, "namespace": "AWS/EC2", "metric_name": "CPUUtilization", "statistic": "Average" });
    let mut of_new = cpu.clone();
    of_new["dimensions"] = json!({ "InstanceId": "new" });
    of_new["max"] = json!(99.0);
    plan["baseline"] = json!({ "resources": [cpu] });
    plan["validation"] = json!({ "limits": [of_new] });
    Ok(plan)
}

/// A run of that plan, on which nothing goes wrong but this.
async fn run(ground: &Ground, name: &str, faults: Value) -> Result<(String, Value)> {
    let stage = ground.quiet_stage(&hostile_plan(name)?, json!({})).await?;
    let gates = stage.plan["monitoring"]["metrics"].as_array().into_iter().flatten();
    let healthy = gates.flat_map(|metric| {
        [("RequestCount", 100.0), ("TargetResponseTime", 0.05)].map(|(name, value)| {
            json!({ "namespace": "AWS/ApplicationELB", "metric_name": name, "dimensions": metric["dimensions"], "value": value })
        })
    });
    let mut steady: Vec<Value> = healthy.chain(metrics::healthy(&Value::Null, stage.replication())).collect();
    steady.push(json!({ "namespace": "AWS/EC2", "metric_name": "CPUUtilization", "dimensions": {}, "value": 91.0 }));
    let of_new = json!({ "InstanceId": "new" });
    steady
        .push(json!({ "namespace": "AWS/EC2", "metric_name": "CPUUtilization", "dimensions": of_new, "value": 45.5 }));
    ground.client.keep_steady(&steady).await?;
    ground.client.set_faults(faults).await?;
    let execution = ground.start("cutover", name, &stage.plan).await?;
    let end = ground.end_of(&execution, LIMIT).await?;
    Ok((execution, end))
}

async fn files(ground: &Ground, run_id: &str) -> Result<[String; 3]> {
    let mut files = Vec::new();
    for kind in left::KINDS {
        files.push(left::report(&ground.client, run_id, kind).await?.with_context(|| format!("no report.{kind}"))?);
    }
    files.try_into().map_err(|_| anyhow::anyhow!("not three files"))
}

fn ensure_harmless(html: &str, markdown: &str) -> Result<()> {
    ensure!(html.len() <= MOST_PAGE_BYTES, "{} bytes", html.len());
    ensure!(html.contains("&lt;script&gt;") && !html.contains("<script"), "a name is markup");
    for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        // What stands in quotes is a value, which only these would load.
        let outside: String = tag.split('"').step_by(2).collect();
        ensure!(
            !["src=", "href=", "srcset=", "data="].iter().any(|asks| outside.contains(asks)),
            "it asks for something: <{tag}>"
        );
    }
    ensure!(!html.contains("url(") && !html.contains("@import"), "a style asks for something");
    ensure!(
        !markdown.contains("<script") && !markdown.contains("<img") && !markdown.contains("[a]("),
        "a name is markup"
    );
    Ok(())
}

async fn a_run_leaves_its_report_and_says_where() -> Result<()> {
    let ground = &Ground::new(SPEED).await?;
    let (run_id, end) = run(ground, "reported", json!([])).await?;
    let output: Value = serde_json::from_str(end["output"].as_str().with_context(|| format!("{end}"))?)?;
    let link = output["report"].as_str().with_context(|| format!("no link: {output}"))?;
    ensure!(link.starts_with("https://eu-west-1.console.aws.amazon.com/s3/object/cutover-reports-"), "{link}");
    ensure!(link.ends_with("prefix=runs/reported/report.html"), "{link}");
    let page = ground.page("Cutover of reported: finished", LIMIT).await?;
    ensure!(page.contains(&format!("\nReport: {link}\n")), "{page}");

    let [html, markdown, json] = files(ground, &run_id).await?;
    ensure_harmless(&html, &markdown)?;
    for section in [
        "SLA: the new side under load",
        "max_p95_ms",
        "Load test: new against old",
        "Recommendations",
        "weight and real share",
        "Baseline",
    ] {
        ensure!(html.contains(section), "no {section} in the page");
    }
    let whole: Value = serde_json::from_str(&json)?;
    let weights = |route: usize| -> Vec<u64> {
        let weights = whole["facts"]["routes"][route]["weights"].as_array().into_iter().flatten();
        weights.filter_map(|weight| weight["percent"].as_u64()).collect()
    };
    ensure!(
        weights(0) == [0, 10, 100] && weights(1) == [0, 10, 50, 100],
        "{:?} {:?}, not measured: {}",
        weights(0),
        weights(1),
        whole["facts"]["not_measured"]
    );
    let recommended = whole["recommendations"].to_string();
    ensure!(!recommended.contains("91 %"), "of the side that is removed: {recommended}");
    ensure!(whole["facts"]["limits"][0]["holds"] == true, "{:#}", whole["facts"]["limits"]);
    let facts = &whole["facts"];
    let change = &facts["resource_changes"][0];
    ensure!(change["compared"] == "old_with_new" && change["direction"] == "lower", "{:#}", facts["resource_changes"]);
    ensure!(change["percent"].as_f64().is_some_and(|percent| (percent + 50.0).abs() < 0.1), "{change}");
    ensure!(change["before_periods"].as_u64() > Some(0) && change["after_periods"].as_u64() > Some(0), "{change}");
    ensure!(facts["load"]["new"]["figures"]["sent"].as_u64() > Some(0), "{:#}", facts["load"]["new"]["figures"]);
    ensure!(facts["not_measured"].to_string().contains("DNS counts no requests"), "{:#}", facts["not_measured"]);
    ensure!(facts["gates"].as_array().is_some_and(|gates| gates.len() >= 4), "{:#}", facts["gates"]);
    Ok(())
}

async fn a_run_that_was_turned_back_leaves_its_report_too() -> Result<()> {
    let ground = &Ground::new(SPEED).await?;
    let execution = ground.execution("cutover", "returned");
    let failing = json!([{ "match": { "caller": "states", "state": "Validate", "execution": execution }, "do": "before",
        "times": null, "error": "Cutover.Unhealthy", "message": HOSTILE }]);
    let (run_id, end) = run(ground, "returned", failing).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "{end}");
    let page = ground.page("Cutover of returned: rolled back", LIMIT).await?;
    ensure!(page.contains("\nReport: https://") && page.contains("prefix=runs/returned/report.html\n"), "{page}");
    // Where the cutover's own ending looks for it; at this speed its three looks are over before the report is written.
    let item = ground.run(&run_id).await?.context("no run")?;
    let link = item["report"]["S"].as_str().unwrap_or_default();
    ensure!(link.ends_with("prefix=runs/returned/report.html"), "{}", item["report"]);
    let [html, markdown, json] = files(ground, &run_id).await?;
    ensure_harmless(&html, &markdown)?;
    ensure!(html.contains("Turned back: every route is as it was before."), "no verdict");
    let whole: Value = serde_json::from_str(&json)?;
    let weights = whole["facts"]["routes"][0]["weights"].as_array().context("no weights")?;
    ensure!(
        weights.last().is_some_and(|last| last["percent"] == 0),
        "the rollback's own history is not told: {weights:?}"
    );
    ensure!(
        whole["facts"]["timeline"].to_string().contains("the way back has begun"),
        "{:#}",
        whole["facts"]["timeline"]
    );
    Ok(())
}

async fn a_report_that_cannot_be_written_is_noted_and_nothing_more() -> Result<()> {
    let ground = &Ground::new(SPEED).await?;
    let refusing = json!([{ "match": { "caller": "report", "service": "s3", "operation": "PutObject" }, "do": "before",
        "times": null, "status": 403, "error": "AccessDenied", "message": "no" }]);
    let (run_id, end) = run(ground, "unreported", refusing).await?;
    let output: Value = serde_json::from_str(end["output"].as_str().with_context(|| format!("{end}"))?)?;
    ensure!(output["ending"] == "Succeeded" && output["report"].is_null(), "{output}");
    ensure!(output["not_done"].to_string().contains("WriteReport: "), "{}", output["not_done"]);
    ensure!(left::report(&ground.client, &run_id, "html").await?.is_none(), "it was written all the same");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![
        a_run_leaves_its_report_and_says_where,
        a_run_that_was_turned_back_leaves_its_report_too,
        a_report_that_cannot_be_written_is_noted_and_nothing_more,
    ]
}
