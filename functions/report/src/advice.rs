//! What follows from what was found. Pure: facts in, recommendations out, most important first.
//!
//! | kind | says it when |
//! |---|---|
//! | now | the run was turned back, or waits for a person |
//! | tuning | a bound of the SLA is violated; a figure is worse than the old side's; p99 is 5 times the median or more; one request in ten or more needs a new connection |
//! | measure | there is no load test, it was invalid, or its rate was below the peak of users' traffic; a check never saw a value, or never enough |
//! | watch | the old side still had requests after all weight was on the new one; a check found something wrong on the way |
//! | sizing | a limit of the plan does not hold; a metric in percent of a resource of the new side was at 80 or above |
//! | cost | all of such a metric was below 20; the old side costs until its cleanup |
//!
//! What was not measured gives no advice but to measure it. Of resources only the new side's are advised on, which are those that the plan limits, once all
//! traffic was there: the old side is removed.

use load_results::compare::Direction;
use load_results::report::Verdict as LoadVerdict;
use serde::Serialize;

use crate::facts::{Facts, Gate, Series};
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
        all.extend(of_load(load, ending(facts)));
    }
    all.extend(of_changes(facts));
    all.extend(of_measuring(facts));
    all.extend(of_traffic(facts));
    all.extend(of_limits(facts));
    let is_broken = |series: &&Series| facts.limits.iter().any(|limit| !limit.holds && limit.name == series.name);
    all.extend(facts.resources_of_new.iter().filter(|series| !is_broken(series)).filter_map(of_resource));
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

fn of_load(load: &Load, ending: Ending) -> Vec<Advice> {
    let mut all = Vec::new();
    if load.verdict == LoadVerdict::Invalid {
        let found = format!("the load test is invalid: {}", load.problems.join("; "));
        return vec![advice(About::Measure, found, &of_problems(&load.problems))];
    }
    for line in load.sla.iter().filter(|line| !line.holds) {
        let measured = line.measured.map_or("nothing".to_owned(), short);
        let found = format!("{} is {}, and {measured} was measured", line.bound, short(line.limit));
        let before = match ending {
            Ending::Moved => ", before the old side is removed",
            Ending::Back => ", before the next try",
            Ending::Other => "",
        };
        all.push(advice(About::Tuning, found, &format!("{}{before}", of_bound(&line.bound))));
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

/// What makes a bound hold.
fn of_bound(bound: &str) -> &'static str {
    match bound {
        "min_success_percent" => {
            "find what the requests that failed have in common: their reasons stand with the load test's figures"
        }
        "min_throughput_rps" => "find what keeps the new side from answering as many requests as are due",
        _ => "find what the requests beyond the bound wait for",
    }
}

/// What makes a load test valid, by what kept it from being so.
fn of_problems(problems: &[String]) -> String {
    let has = |words: &[&str]| problems.iter().any(|problem| words.iter().any(|word| problem.contains(word)));
    let mut todo = Vec::new();
    if has(&["of its processor", "behind its schedule"])
        || problems.iter().any(|problem| problem.contains(" sent ") && problem.contains(" of "))
    {
        todo.push("with a lower rate, or with functions that have more of a processor");
    }
    if has(&["too late"]) {
        todo.push("at a time at which its functions can start at once: the account's concurrency may be used up");
    }
    if has(&["left no result"]) {
        todo.push("once it was looked at why slices left no result: their errors stand in the log of load-test");
    }
    if has(&["had nothing to send"]) {
        todo.push("for longer: it had nothing to send");
    }
    if todo.is_empty() {
        "repeat the load test, once that is mended".to_owned()
    } else {
        format!("repeat the load test {}", todo.join("; and "))
    }
}

/// How a run ended, as far as advice goes.
#[derive(Clone, Copy)]
enum Ending {
    /// All traffic is on the new side, and cleanup is to come.
    Moved,
    /// It was put back.
    Back,
    /// It is closed, or a person has to act.
    Other,
}

fn ending(facts: &Facts) -> Ending {
    match facts.ending.as_str() {
        "Succeeded" => Ending::Moved,
        "RolledBack" => Ending::Back,
        _ => Ending::Other,
    }
}

fn of_limits(facts: &Facts) -> Vec<Advice> {
    let told = facts.limits.iter().filter(|limit| !limit.holds).map(|limit| {
        let name = cutover::text::quoted(&limit.name, 200);
        match limit.measured {
            Some(measured) => advice(
                About::Sizing,
                format!("{name} may be {} at the most, and was {}", short(limit.max), short(measured)),
                "give the new side more room, or find what it needs so much for",
            ),
            None => advice(
                About::Measure,
                format!("{name} is limited, and has no value"),
                "mend this limit or take it out: it guarded nothing",
            ),
        }
    });
    told.collect()
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
    let mut all: Vec<Advice> = facts.gates.iter().filter_map(of_gate_without_data).collect();
    let Some(load) = &facts.load else {
        let found = "there is no load test of the new side".to_owned();
        all.push(advice(About::Measure, found, "give the next plan a load_test of both sides, with an sla"));
        return all;
    };
    let peaks: Vec<f64> = facts.routes.iter().filter_map(crate::facts::RouteFacts::peak_rps).collect();
    let peak = peaks.into_iter().max_by(f64::total_cmp);
    if let (Some(peak), Some(rate)) = (peak, load.new.figures.achieved_rps)
        && rate < peak
    {
        let found = format!("the load test had {} requests a second, users up to {}", short(rate), short(peak));
        all.push(advice(About::Measure, found, "load both sides with more than the peak of users' traffic"));
    }
    all
}

/// A check that could never tell: without data it guarded nothing; with too little it would still have seen much trouble.
fn of_gate_without_data(gate: &Gate) -> Option<Advice> {
    let name = cutover::text::quoted(&gate.name, 200);
    if gate.looks > 0 && gate.looks == gate.not_known {
        let found = format!("the check {name} never saw a value");
        return Some(advice(About::Measure, found, "mend this check or take it out: it guarded nothing"));
    }
    let is_unsure = gate.too_little > 0 && gate.healthy == 0 && gate.unhealthy == 0;
    is_unsure.then(|| {
        let found = format!("the check {name} had too little data to be certain, at every look that had some");
        advice(
            About::Measure,
            found,
            "hold the steps for longer, or give this check a limit that fewer requests can tell",
        )
    })
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
            all.push(advice(
                About::Watch,
                found,
                match ending(facts) {
                    Ending::Moved => "find out who still reaches the old side, before cleanup removes it",
                    _ => "find out who still reaches the old side",
                },
            ));
        }
    }
    for gate in facts.gates.iter().filter(|gate| gate.unhealthy > 0) {
        let found = format!(
            "the check {} found something wrong at {} of {} looks",
            cutover::text::quoted(&gate.name, 200),
            gate.unhealthy,
            gate.looks
        );
        all.push(advice(
            About::Watch,
            found,
            match ending(facts) {
                Ending::Moved => "watch it until cleanup, and set an alarm on it",
                Ending::Back => "find why, before the next try",
                Ending::Other => "watch it, and set an alarm on it",
            },
        ));
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

#[cfg(test)]
#[path = "advice_tests.rs"]
mod tests;
