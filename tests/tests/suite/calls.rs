//! What a run calls, counted from the recorded requests of runs in which nothing goes wrong, shape by shape of plan. A call too many is
//! found here, and `tests/costs.md` says what there is: `UPDATE=1 cargo test --workspace --test suite calls::` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, dns_plan, listener_plan};
use anyhow::{Context, Result, ensure};
use cutover_tests::control::Request;
use cutover_tests::setup::Checkout;
use serde_json::{Value, json};

const SPEED: f64 = 120.0;
/// Several tests run at once, on whatever machine there is.
const LIMIT: Duration = Duration::from_secs(240);
const FILE: &str = "tests/costs.md";
/// The states whose calls are looks: how many there are is the plan's to say, by its holds and its interval.
const LOOKS: [&str; 2] = ["WatchSettling", "Monitor"];

/// A plan's shape, and what it may take at the most: what it took, and a question or two more about a change that is not in effect yet.
struct Shape {
    name: &'static str,
    plan: fn() -> Value,
    most_calls: usize,
    most_route53: usize,
}

const SHAPES: [Shape; 3] = [
    Shape { name: "a listener, one step", plan: listener, most_calls: 46, most_route53: 1 },
    Shape { name: "a name, one step", plan: name, most_calls: 32, most_route53: 13 },
    Shape { name: "a listener and a name, one step each", plan: both, most_calls: 67, most_route53: 17 },
];

fn listener() -> Value {
    listener_plan("calls-listener", json!([{ "new_weight": 100, "hold": "2m" }]))
}

fn name() -> Value {
    dns_plan("calls-name", json!([{ "new_weight": 100, "hold": "2m" }]))
}

fn both() -> Value {
    let mut plan = listener_plan("calls-both", json!([{ "new_weight": 100, "hold": "2m" }]));
    let of_name = dns_plan("calls-both", json!([{ "new_weight": 100, "hold": "2m" }]));
    plan["routes"] = json!([plan["routes"][0], of_name["routes"][0]]);
    plan
}

/// What a run took.
#[derive(Debug, Default)]
struct Counted {
    /// By state, `service operation` and how often; without the journal's and those of looks.
    calls: BTreeMap<(String, String), usize>,
    journal: usize,
    looks: usize,
    invocations: usize,
    transitions: usize,
}

impl Counted {
    fn of(requests: &[Request], transitions: usize) -> Self {
        let mut counted = Self { transitions, ..Self::default() };
        for request in requests {
            let state = request.state.clone().unwrap_or_default();
            match (request.caller.as_str(), request.service.as_str()) {
                ("local" | "events", _) => {}
                ("states", "lambda") => {
                    counted.invocations += 1;
                    counted.looks += usize::from(LOOKS.contains(&state.as_str()));
                }
                (_, "dynamodb") => counted.journal += 1,
                _ if LOOKS.contains(&state.as_str()) => {}
                (_, service) => {
                    *counted.calls.entry((state, format!("{service} {}", request.operation))).or_default() += 1;
                }
            }
        }
        counted
    }

    fn all(&self) -> usize {
        self.calls.values().sum()
    }

    fn of_service(&self, service: &str) -> usize {
        let calls = self.calls.iter().filter(|((_, call), _)| call.starts_with(&format!("{service} ")));
        calls.map(|(_, count)| count).sum()
    }
}

async fn a_run_makes_no_call_too_many() -> Result<()> {
    let ground = Ground::new(SPEED).await?;
    let mut text = HEAD.to_owned();
    let mut too_many = Vec::new();
    let mut details = String::new();
    for shape in &SHAPES {
        let counted = count(&ground, &(shape.plan)()).await.with_context(|| shape.name)?;
        let (all, route53) = (counted.all(), counted.of_service("route53"));
        if all > shape.most_calls || route53 > shape.most_route53 {
            too_many.push(format!("{}: {all} calls, {route53} to Route 53", shape.name));
        }
        let elb = counted.of_service("elasticloadbalancing");
        let Counted { journal, looks, invocations, transitions, .. } = counted;
        let name = shape.name;
        let _ = writeln!(
            text,
            "| {name} | {all} | {route53} | {elb} | {journal} | {looks} | {invocations} | {transitions} |"
        );
        let _ = writeln!(details, "\n## {name}\n\n| state | call | times |\n|---|---|---|");
        for ((state, call), count) in &counted.calls {
            let _ = writeln!(details, "| {state} | {call} | {count} |");
        }
    }
    text.push_str(&details);
    eprintln!("{text}");
    if std::env::var_os("UPDATE").is_some() {
        let file = Checkout::of_this_build().root.join(FILE);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    ensure!(too_many.is_empty(), "too many calls: {}", too_many.join("; "));
    Ok(())
}

const HEAD: &str = "\
# What a run calls

Made by `UPDATE=1 cargo test --workspace --test suite calls::`, from the recorded requests of runs in which nothing goes wrong, each step held for two
minutes at the default interval. How often a change is asked about until it is in effect differs by one or two from run to run.

*Calls* are those of AWS's APIs beside the journal's and those of the looks at a step, whose number is the plan's to say.

| plan | calls | to Route 53 | to Elastic Load Balancing | journal | looks | functions called | transitions |
|---|---|---|---|---|---|---|---|
";

async fn count(ground: &Ground, plan: &Value) -> Result<Counted> {
    let stage = ground.quiet_stage(plan, json!({})).await?;
    let run_id = ground.start("cutover", plan["application"].as_str().context("no name")?, &stage.plan).await?;
    let end = ground.end_of(&run_id, LIMIT).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let requests = ground.client.requests(0).await?;
    let own: Vec<Request> =
        requests.into_iter().filter(|request| request.execution.as_deref() == Some(&run_id)).collect();
    Ok(Counted::of(&own, ground.states(&run_id).await?.len()))
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![a_run_makes_no_call_too_many]
}
