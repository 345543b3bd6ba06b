//! Waves under Route 53's limit of five requests a second for the account: everybody ends well, nobody goes back for a throttle.
//!
//! The suite does this with few names. With as many as wanted, and the table of calls, an hour or so for 200:
//!
//!     NAMES=200 cargo test --workspace --test suite shares::as_many_names_as_asked_for -- --ignored --nocapture
//!
//! With 24 names, on two processors that others used too (27 November 2026): 682 requests, 28.4 each, in 228 s; at three a second they take 227 s; none refused.
//!
//! The limit and the functions' waits are of real time, the machines' waits are scaled. So a wave is as long as its requests take, and the holds
//! hardly count.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::harness::{Test, asynchronous};
use crate::support::{Ground, dns_plan};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// Slow enough that a machine's second try comes seconds later, as it does on AWS.
const SPEED: f64 = 20.0;
/// As `deploy.py` has it.
const SHARE_PER_SECOND: f64 = 3.0;
const FEW: usize = 6;

/// What the account lets pass, whoever asks: five a second, and as many at once.
fn limit() -> Value {
    json!([{ "match": { "service": "route53" }, "times": null, "do": "limit", "rate": 5, "burst": 5 }])
}

fn plan_of(index: usize, is_of_wave: bool) -> Value {
    let mut plan = dns_plan(
        &format!("app-{index:03}"),
        json!([{ "new_weight": 50, "hold": "60s" }, { "new_weight": 100, "hold": "60s" }]),
    );
    plan["monitoring"] = json!({ "interval": "60s" });
    if is_of_wave {
        plan["wave"] = json!("scale");
    }
    plan
}

/// What Route 53 was asked, by state: how often, and how often it answered that this was too much.
#[derive(Debug, Default)]
struct Asked {
    by_state: BTreeMap<String, (usize, usize)>,
    times: Vec<f64>,
}

impl Asked {
    async fn of(ground: &Ground) -> Result<Self> {
        let mut asked = Self::default();
        for request in ground.client.requests(0).await? {
            if request.service != "route53" || request.caller == "local" {
                continue;
            }
            let count = asked.by_state.entry(request.state.unwrap_or(request.caller)).or_default();
            count.0 += 1;
            count.1 += usize::from(request.fault.is_some());
            asked.times.push(request.at);
        }
        asked.times.sort_by(f64::total_cmp);
        Ok(asked)
    }

    fn all(&self) -> usize {
        self.times.len()
    }

    fn refused(&self) -> usize {
        self.by_state.values().map(|(_, refused)| refused).sum()
    }

    /// The seconds from the first request to the last.
    fn took(&self) -> f64 {
        self.times.last().zip(self.times.first()).map_or(0.0, |(last, first)| last - first)
    }

    /// The most within ten seconds: functions begin late now and then, and a second is too short to judge by.
    fn busiest(&self) -> usize {
        let within = |from: f64| self.times.iter().filter(|at| (from..from + 10.0).contains(*at)).count();
        self.times.iter().map(|at| within(*at)).max().unwrap_or(0)
    }
}

/// So many applications of one name each, begun at once. Answers what was asked of Route 53.
async fn wave(count: usize, limit_on_end: Duration) -> Result<Asked> {
    let ground = Ground::new(SPEED).await?;
    ground.client.set_events(json!({ "sweep": false })).await?;
    // One zone with all names, as an account has it.
    let mut all = plan_of(0, true);
    all["routes"] = (0..count).map(|index| plan_of(index, true)["routes"][0].take()).collect();
    let all = ground.client.world(&all, &json!({}), json!({ "old": 1, "new": 2 })).await?.plan;
    let plan_of = |index: usize| {
        let mut plan = plan_of(index, true);
        plan["routes"] = json!([all["routes"][index]]);
        plan["notify"] = all["notify"].clone();
        plan
    };
    ground.client.set_faults(limit()).await?;
    let began = Instant::now();
    let mut runs = Vec::new();
    for index in 0..count {
        runs.push(ground.start("cutover", &format!("app-{index:03}"), &plan_of(index)).await?);
    }
    for run_id in &runs {
        let end = ground.end_of(run_id, limit_on_end.saturating_sub(began.elapsed())).await?;
        ensure!(end["status"] == "SUCCEEDED", "{run_id} ended {} {}", end["error"], end["cause"]);
    }
    let asked = Asked::of(&ground).await?;
    println!(
        "{count} names: {} requests to Route 53, {:.1} each, in {:.0} s; at {SHARE_PER_SECOND} a second they take {:.0} s; {} refused; {} in the busiest ten seconds",
        asked.all(),
        asked.all() as f64 / count as f64,
        asked.took(),
        asked.all() as f64 / SHARE_PER_SECOND,
        asked.refused(),
        asked.busiest(),
    );
    for (state, (all, refused)) in &asked.by_state {
        println!("  {state:<24} {:>6.2} each {all:>6} {refused:>6} refused", *all as f64 / count as f64);
    }
    Ok(asked)
}

async fn a_wave_keeps_below_its_share_of_the_limit_and_all_of_it_ends_well() -> Result<()> {
    let asked = wave(FEW, Duration::from_secs(420)).await?;
    ensure!(asked.refused() == 0, "{} requests were refused", asked.refused());
    ensure!(asked.busiest() <= 33, "{} requests within ten seconds", asked.busiest());
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the lint is for functions; who wants more names says so")]
async fn as_many_names_as_asked_for() -> Result<()> {
    let count: usize = std::env::var("NAMES").unwrap_or_else(|_| "20".to_owned()).parse().context("NAMES")?;
    let asked = wave(count, Duration::from_secs(7200)).await?;
    let floor = asked.all() as f64 / SHARE_PER_SECOND;
    ensure!(asked.took() <= 1.2 * floor, "{:.0} s, and the floor is {floor:.0} s", asked.took());
    Ok(())
}

/// Whoever is of no wave draws nothing. Where the limit refuses it again and again, it waits, and goes back for nothing.
async fn a_throttle_that_lasts_is_waited_out_at_every_state() -> Result<()> {
    let ground = Ground::new(300.0).await?;
    let stage = ground.quiet_stage(&plan_of(0, false), json!({})).await?;
    // Ten calls of the machine, of three tries each: one more than it makes for other trouble.
    let refuse = |state: &str| json!({ "match": { "service": "route53", "state": state }, "times": 30, "do": "before", "error": "Throttling" });
    ground.client.set_faults(["Precheck", "Claim", "ShiftWeight", "Monitor"].map(refuse).into_iter().collect()).await?;
    let run_id = ground.start("cutover", "run", &stage.plan).await?;
    let end = ground.end_of(&run_id, Duration::from_secs(400)).await?;
    ensure!(end["status"] == "SUCCEEDED", "ended {} {}", end["error"], end["cause"]);
    let hits: Vec<u64> = ground.client.faults().await?.iter().filter_map(|rule| rule["hits"].as_u64()).collect();
    ensure!(hits == [30; 4], "{hits:?} were refused");
    let item = ground
        .client
        .call(
            "dynamodb",
            "get_item",
            json!({ "TableName": ground.emulator.ready().journal_table, "Key": { "pk": { "S": "share#route53" } } }),
        )
        .await?;
    ensure!(item["Item"].is_null(), "a run of no wave has drawn: {item}");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    let mut tests = asynchronous![
        a_throttle_that_lasts_is_waited_out_at_every_state,
        a_wave_keeps_below_its_share_of_the_limit_and_all_of_it_ends_well,
    ];
    tests.extend(asynchronous![as_many_names_as_asked_for].into_iter().map(Test::ignored));
    tests
}
