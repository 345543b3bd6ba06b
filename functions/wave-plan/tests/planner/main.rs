//! The planner from outside: against brute force, on the exercise, on portfolios that cannot be, and on what people get wrong.

#![allow(clippy::unwrap_used, reason = "a test")]

mod brute;
mod contradictions;
mod core;
mod exercise;
mod generated;
mod held;
mod lockstep;
mod overnight;
#[path = "../../benches/portfolios.rs"]
mod portfolios;
mod reading;
mod replanning;
mod reports;
mod sheets;

use serde_json::{Value, json};
use wave_plan::{Portfolio, Programme, Refusal, Request, plan};

/// Where the portfolio and the schema lie.
fn event(name: &str) -> String {
    format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn read_event(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(event(name)).unwrap()).unwrap()
}

fn exercise() -> Portfolio {
    Portfolio::read(&read_event("portfolio.json")).unwrap()
}

/// Applications a, b, c and d, to be rehosted on Saturdays of six weeks, with room for all of them.
fn four() -> Value {
    let application =
        |name: &str| json!({ "name": name, "strategy": "rehost", "owner": "Owner", "cutover_plan": "p.json" });
    json!({
        "name": "four",
        "calendar": {
            "start": "2026-03-02", "end": "2026-04-12",
            "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "8h" }],
        },
        "teams": [{ "name": "platform", "days_per_week": 10 }],
        "applications": [application("a"), application("b"), application("c"), application("d")],
        "dependencies": [],
    })
}

fn depends(value: &mut Value, dependency: Value) {
    value["dependencies"].as_array_mut().unwrap().push(dependency);
}

fn planned(value: &Value) -> Result<Programme, Refusal> {
    let portfolio = Portfolio::read(value).unwrap_or_else(|findings| panic!("{findings:#?}"));
    plan(&portfolio, &Request::default(), &mut || false)
}

fn date<'a>(programme: &'a Programme, name: &str) -> &'a str {
    &programme.placements.iter().find(|one| one.application == name).unwrap().date
}
