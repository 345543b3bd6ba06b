//! What the bench of start-up replays is what functions ask: recorded in one run, there and back. `UPDATE=1 cargo test --workspace --test suite
//! start_up::` records it anew.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::guards::{SPEED, staged};
use crate::harness::{Test, asynchronous};
use crate::support::{Ground, dns_plan, listener_plan};
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use start_up::recorded::{Exchange, Recorded};

/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);

/// Of each function, the state that invokes it for what is measured.
const MEASURED: [(&str, &str); 6] = [
    ("monitor", "Monitor"),
    ("weight-shift", "ShiftWeight"),
    ("listener-swap", "SwapListener"),
    ("precheck", "Precheck"),
    ("notify", "AnnounceStep"),
    ("rollback", "TakeOverRun"),
];

/// An exchange as the emulated AWS keeps it.
#[derive(Deserialize)]
struct Kept {
    invocation: String,
    function: String,
    state: Option<String>,
    event: Value,
    #[serde(flatten)]
    exchange: Exchange,
}

/// A name and a listener with metrics, held long enough to be turned back.
fn plan() -> Value {
    let mut plan =
        listener_plan("start-up", json!([{ "new_weight": 50, "hold": "3m" }, { "new_weight": 100, "hold": "60m" }]));
    let name = dns_plan("start-up", json!([{ "new_weight": 100, "hold": "2m" }]));
    let listener = plan["routes"][0].take();
    plan["routes"] = json!([name["routes"][0], listener]);
    let of = |metric: Value| {
        let mut of = json!({ "namespace": "AWS/ApplicationELB", "comparison": "greater_than",
            "dimensions": { "LoadBalancer": "app/start-up/50dc6c495c0c9188", "TargetGroup": "targetgroup/start-up-new/6d0ecf831eec9f09" } });
        if let (Some(of), Some(metric)) = (of.as_object_mut(), metric.as_object()) {
            of.extend(metric.clone());
        }
        of
    };
    plan["monitoring"] = json!({ "metrics": [
        of(json!({ "name": "5xx", "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum", "threshold": 0.01,
            "divide_by": { "metric_name": "RequestCount" }, "missing": "zero_if_divisor" })),
        of(json!({ "name": "p95", "metric_name": "TargetResponseTime", "statistic": "p95", "threshold": 0.8 })),
    ] });
    plan
}

async fn what_the_bench_replays_is_what_functions_ask() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let stage = staged(&ground, &plan(), json!({})).await?;
    ground.client.keep_exchanges().await?;
    let run_id = ground.start("cutover", "start-up", &stage.plan).await?;
    ground.wait_for_entries(&run_id, "Monitor", 7, LIMIT).await?;
    ground.start("rollback", "back", &json!({ "application": "start-up" })).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["error"] == "Cutover.RolledBack", "ended {} {}", end["error"], end["cause"]);
    let kept: Vec<Kept> = ground.client.exchanges().await?;
    let mut changed = Vec::new();
    for (function, state) in MEASURED {
        let recorded = recorded(&ground, &kept, function, state).await?;
        if std::env::var_os("UPDATE").is_some() {
            recorded.keep()?;
        }
        let before = Recorded::of(function)?;
        if before.operations() != recorded.operations() {
            changed.push(format!("{function} asks {:?}, not {:?}", recorded.operations(), before.operations()));
        }
    }
    ensure!(
        changed.is_empty(),
        "the bench of start-up replays what is asked no more; `UPDATE=1 cargo test --workspace --test suite start_up::` records it \
         anew:\n{}",
        changed.join("\n")
    );
    Ok(())
}

/// The first of the invocations of a function by a state in which it asked most.
async fn recorded(ground: &Ground, kept: &[Kept], function: &str, state: &str) -> Result<Recorded> {
    let mut invocations: Vec<(&str, Vec<&Kept>)> = Vec::new();
    for one in kept.iter().filter(|one| one.function == function && one.state.as_deref() == Some(state)) {
        match invocations.iter_mut().find(|(invocation, _)| *invocation == one.invocation) {
            Some((_, exchanges)) => exchanges.push(one),
            None => invocations.push((&one.invocation, vec![one])),
        }
    }
    let most = invocations.iter().map(|(_, exchanges)| exchanges.len()).max();
    let (_, exchanges) = invocations
        .into_iter()
        .find(|(_, exchanges)| Some(exchanges.len()) == most)
        .with_context(|| format!("{state} has not invoked {function}"))?;
    let parameters = json!({ "FunctionName": format!("cutover-{function}") });
    let configuration = ground.client.call("lambda", "get_function_configuration", parameters).await?;
    let variables: BTreeMap<String, String> = serde_json::from_value(configuration["Environment"]["Variables"].clone())
        .context("the function's variables")?;
    Ok(Recorded {
        function: function.to_owned(),
        state: state.to_owned(),
        variables,
        event: exchanges[0].event.clone(),
        exchanges: exchanges.into_iter().map(|one| one.exchange.clone()).collect(),
    })
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![what_the_bench_replays_is_what_functions_ask]
}
