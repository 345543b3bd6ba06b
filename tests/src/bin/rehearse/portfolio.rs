//! `cargo rehearse events/portfolio.json`: a portfolio in the place of a plan.

use std::path::PathBuf;

use anyhow::Result;
use cutover::finding::Finding;
use cutover_tests::control::Client;
use cutover_tests::emulator::Ready;
use cutover_tests::programme::{Judged, Outcome, is_portfolio, rehearse};
use serde_json::{Value, json};
use wave_plan::{Portfolio, Request, plan, report};

use crate::arguments::Arguments;

const NOT_MOVED: u8 = 3;
const AHEAD_SECONDS: i64 = 86_400;

/// The portfolio that the command line names, if it is one.
pub fn given(arguments: &Arguments) -> Option<Value> {
    let text = std::fs::read_to_string(arguments.plan.as_ref()?).ok()?;
    // What is no JSON, the reader of plans tells.
    serde_json::from_str(&text).ok().filter(is_portfolio)
}

/// Judges it alone: every error at once, why it cannot be planned, or the programme as it would be. The exit code.
pub fn check(portfolio: &Value, is_json: bool) -> u8 {
    let planned = Portfolio::read(portfolio).map(|portfolio| plan(&portfolio, &Request::default(), &mut || false));
    if is_json {
        crate::out(format_args!("{}\n", json!(Judged::of(&planned))));
    }
    let (text, code) = match &planned {
        Ok(Ok(programme)) => (report::markdown(programme), 0),
        Ok(Err(refusal)) => (report::refusal(refusal), crate::PLAN_AT_FAULT),
        Err(findings) => {
            let told = |one: &Finding| format!("ERROR {} {}\n      {}\n", one.path, one.problem, one.fix);
            (findings.iter().map(told).collect(), crate::PLAN_AT_FAULT)
        }
    };
    if !is_json {
        crate::out(format_args!("{text}\n"));
    }
    code
}

/// Where its documents are left.
pub fn folder(arguments: &Arguments) -> PathBuf {
    arguments.report.as_ref().map_or_else(|| "target/programme".into(), |page| page.with_extension("programme"))
}

/// Plans it, schedules its waves, and runs the first.
#[expect(
    clippy::disallowed_methods,
    reason = "the lint is for functions; here it is only told where the calendar is moved to"
)]
pub async fn play(arguments: &Arguments, client: &Client, ready: &Ready, portfolio: &Value, speed: f64) -> Result<u8> {
    // The time of runs is a day ahead of the clock: `tests/local_aws/services/cloudwatch.py`.
    let ahead = if speed > 1.0 { AHEAD_SECONDS } else { 0 };
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead);
    let mut tell = |line: &str| crate::out(format_args!("{line}\n"));
    let outcome = rehearse(client, ready, portfolio, now, speed, &folder(arguments), &mut tell).await?;
    Ok(match outcome {
        Outcome::Moved => 0,
        Outcome::Refused(why) => {
            crate::out(format_args!("Refused, and nothing was done: {why}\n"));
            crate::PLAN_AT_FAULT
        }
        Outcome::NotMoved(why) => {
            crate::out(format_args!("The first wave did not move everything: {why}\n"));
            NOT_MOVED
        }
    })
}
