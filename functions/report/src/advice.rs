//! What follows from what was found. Pure: facts in, recommendations out, most important first.
//!
//! | kind | says it when |
//! |---|---|
//! | now | the run was turned back, or waits for a person |
//! | tuning | a bound of the SLA is violated; a figure is worse than the old side's; p99 is 5 times the median or more; one request in ten or more needs a new connection |
//! | measure | there is no load test, it was invalid, or its rate was below the peak of users' traffic; a check never saw a value |
//! | watch | the old side still had requests after all weight was on the new one; a check found something wrong on the way |
//! | sizing | a metric in percent of a resource was at 80 or above |
//! | cost | all of such a metric was below 20; the old side costs until its cleanup |
//!
//! What was not measured gives no advice but to measure it.

use load_results::compare::Direction;
use load_results::report::Verdict as LoadVerdict;
use serde::Serialize;

use crate::facts::{Facts, Series};
use crate::load::Load;
use crate::verdict::{changes, metric, of_change};
use crate::words::short;
use cutover::Seconds;

const BUSY_PERCENT: f64 = 80.0;
const IDLE_PERCENT: f64 = 20.0;
const LONG_TAIL: f64 = 5.0;
const OFTEN_CONNECTED: f64 = 0.1;

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// What comes before all else.
    Now,
    /// What makes it quicker, or fail less.
    Tuning,
    /// What is not known.
    Measure,
    /// What to keep watching.
    Watch,
    /// How large it should be.
    Sizing,
    /// What it costs.
    Cost,
}

/// One recommendation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What it is about.
    pub about: About,
    /// What was found.
    pub finding: String,
    /// What to do.
    pub advice: String,
}

fn advice(about: About, finding: String, advice: &str) -> Advice {
    Advice { about, finding, advice: advice.to_owned() }
}

/// All of it.
pub fn recommendations(facts: &Facts) -> Vec<Advice> {
    let mut all: Vec<Advice> = of_ending(facts).into_iter().collect();
    if let Some(load) = &facts.load {
        all.extend(of_load(load));
    }
    all.extend(of_changes(facts));
    all.extend(of_measuring(facts));
    all.extend(of_traffic(facts));
    all.extend(facts.resources.iter().filter_map(of_resource));
    all.extend(of_cost(facts));
    all.sort_by_key(|one| one.about);
    all
}

/// The third sentence of the summary.
pub fn next(facts: &Facts, all: &[Advice]) -> String {
    match (all.first(), facts.ending.as_str()) {
        (Some(first), _) => format!("Next: {}.", first.advice),
        (None, "Succeeded") => "Nothing is left to do but to let cleanup remove the old side.".to_owned(),
        (None, _) => "What is left to do stands in the message that people got.".to_owned(),
    }
}

fn of_ending(facts: &Facts) -> Option<Advice> {
    let why = facts
        .why
        .as_ref()
        .map_or("it was stopped, or a person asked for it".to_owned(), |why| cutover::text::quoted(why, 400));
    match facts.ending.as_str() {
        "Succeeded" | "Closed" => None,
        "RolledBack" => Some(advice(
            About::Now,
            format!("the run was turned back: {why}"),
            "mend what turned the run back, and start it again",
        )),
        other => Some(advice(
            About::Now,
            format!("the run is {other}: {why}"),
            "do what the message to people says; nothing goes on by itself",
        )),
    }
}

fn of_load(load: &Load) -> Vec<Advice> {
    let mut all = Vec::new();
    if load.verdict == LoadVerdict::Invalid {
        let found = format!("the load test is invalid: {}", load.problems.join("; "));
        return vec![advice(
            About::Measure,
            found,
            "repeat the load test with a lower rate, or with functions that have more of a processor",
        )];
    }
    for line in load.sla.iter().filter(|line| !line.holds) {
        let measured = line.measured.map_or("nothing".to_owned(), short);
        let found = format!("{} is {}, and {measured} was measured", line.bound, short(line.limit));
        all.push(advice(
            About::Tuning,
            found,
            "find what the requests beyond the bound wait for, before the old side is removed",
        ));
    }
    let figures = &load.new.figures;
    if let (Some(p50), Some(p99)) = (figures.p50_ms, figures.p99_ms)
        && p50 > 0.0
        && p99 >= LONG_TAIL * p50
    {
        let found = format!("the new side's p99 ({} ms) is {} times its median", short(p99), short(p99 / p50));
        all.push(advice(
            About::Tuning,
            found,
            "look at what few requests wait for: pauses, pools that are too small, caches that are cold",
        ));
    }
    let connected = load.new.connections as f64 / figures.sent.max(1) as f64;
    if figures.sent >= 100 && connected >= OFTEN_CONNECTED {
        let found = format!("{} connections were opened for {} requests", load.new.connections, figures.sent);
        all.push(advice(
            About::Tuning,
            found,
            "let the new side keep connections open for longer than its balancer does",
        ));
    }
    all
}

fn of_changes(facts: &Facts) -> Vec<Advice> {
    let worse = changes(facts).filter(|change| change.direction == Direction::Worse);
    let told = worse.map(|change| {
        advice(
            About::Tuning,
            of_change(change),
            &format!(
                "compare {} of both sides under the same load again, once it was looked at why",
                metric(&change.metric)
            ),
        )
    });
    told.collect()
}

fn of_measuring(facts: &Facts) -> Vec<Advice> {
    let mut all = Vec::new();
    let Some(load) = &facts.load else {
        let found = "there is no load test of the new side".to_owned();
        return vec![advice(About::Measure, found, "give the next plan a load_test of both sides, with an sla")];
    };
    let peaks: Vec<f64> = facts.routes.iter().filter_map(crate::facts::RouteFacts::peak_rps).collect();
    let peak = peaks.into_iter().max_by(f64::total_cmp);
    if let (Some(peak), Some(rate)) = (peak, load.new.figures.achieved_rps)
        && rate < peak
    {
        let found = format!("the load test had {} requests a second, users up to {}", short(rate), short(peak));
        all.push(advice(About::Measure, found, "load both sides with more than the peak of users' traffic"));
    }
    for gate in facts.gates.iter().filter(|gate| gate.looks > 0 && gate.looks == gate.not_known) {
        let found = format!("the check {} never saw a value", cutover::text::quoted(&gate.name, 200));
        all.push(advice(About::Measure, found, "mend this check or take it out: it guarded nothing"));
    }
    all
}

fn of_traffic(facts: &Facts) -> Vec<Advice> {
    let mut all = Vec::new();
    for route in &facts.routes {
        if let Some(left) = facts.all_moved_at().and_then(|since| route.left_behind(since)).filter(|left| *left > 0.0) {
            let found = format!(
                "{}: the old side had {} requests after all weight was on the new one",
                route.title,
                short(left)
            );
            all.push(advice(About::Watch, found, "find out who still reaches the old side, before cleanup removes it"));
        }
    }
    for gate in facts.gates.iter().filter(|gate| gate.unhealthy > 0) {
        let found = format!(
            "the check {} found something wrong at {} of {} looks",
            cutover::text::quoted(&gate.name, 200),
            gate.unhealthy,
            gate.looks
        );
        all.push(advice(About::Watch, found, "watch it until cleanup, and set an alarm on it"));
    }
    all
}

/// Of metrics in percent of something that is used up.
fn of_resource(series: &Series) -> Option<Advice> {
    let is_percent = ["CPUUtilization", "MemoryUtilization", "mem_used_percent"].contains(&series.metric_name.as_str());
    let highest = series.points.iter().map(|point| point.value).filter(|_| is_percent).max_by(f64::total_cmp)?;
    let name = cutover::text::quoted(&series.name, 200);
    if highest >= BUSY_PERCENT {
        let found = format!("{name} was at {} % at the highest", short(highest));
        return Some(advice(About::Sizing, found, "give it more room, or let it scale out earlier"));
    }
    let found = format!("{name} was never above {} %", short(highest));
    (highest < IDLE_PERCENT).then(|| advice(About::Cost, found, "try a smaller size: it has room to spare"))
}

fn of_cost(facts: &Facts) -> Option<Advice> {
    let found = format!(
        "the old side is still there, and cleanup begins {} after the run",
        Seconds(facts.cleanup_after_seconds)
    );
    (facts.ending == "Succeeded").then(|| {
        advice(
            About::Cost,
            found,
            "remove what runs behind the old side once cleanup has closed the run: it costs until then",
        )
    })
}
