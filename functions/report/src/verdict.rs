//! What the facts say of the new side, in a word and in three sentences. Pure.
//!
//! "As good" is never claimed: what can be told is whether anything that was measured says that the new side is worse.

use cutover::Seconds;
use cutover::verdict::words::LIMITS;
use judge::Counts;
use judge::interval::share;
use load_results::compare::{Change, Direction};
use load_results::report::Verdict as LoadVerdict;
use serde::Serialize;

use crate::facts::{Facts, RouteFacts};
use crate::words::short;

/// How surely the true share of errors lies in the interval that is made of it: a verdict is made once for every route.
const CONFIDENCE: f64 = 0.9999;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// All traffic is on the new side, and nothing that was measured says that it is worse.
    Good,
    /// All traffic is on the new side, and something says that it is worse, or too little was measured to say anything.
    Doubtful,
    /// It was put back.
    TurnedBack,
    /// A person has to act.
    NeedsPerson,
}

/// The verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// How it stands.
    pub standing: Standing,
    /// In a line.
    pub line: String,
}

/// The verdict of a run.
pub fn verdict(facts: &Facts) -> Verdict {
    let of = |standing, line: &str| Verdict { standing, line: line.to_owned() };
    match facts.ending.as_str() {
        "Succeeded" | "Closed" => {}
        "RolledBack" => return of(Standing::TurnedBack, "Turned back: every route is as it was before."),
        other => return of(Standing::NeedsPerson, &format!("A person has to act: the run is {other}.")),
    }
    let doubts = doubts(facts);
    let was_looked_at = facts.gates.iter().any(|gate| gate.is_of_service && gate.healthy > 0);
    let was_loaded = facts.load.as_ref().is_some_and(|load| load.verdict != LoadVerdict::Invalid);
    if !doubts.is_empty() {
        of(Standing::Doubtful, &format!("All traffic is on the new side, though {}.", doubts.join("; and ")))
    } else if !was_looked_at && !was_loaded {
        of(Standing::Doubtful, "All traffic is on the new side; nothing was measured that could say how it does.")
    } else {
        of(Standing::Good, "All traffic is on the new side; nothing that was measured says that it is worse.")
    }
}

/// Everything that was measured and says that the new side is worse, or not as the plan wants it.
fn doubts(facts: &Facts) -> Vec<String> {
    let violated = facts
        .load
        .as_ref()
        .is_some_and(|load| load.sla.iter().any(|line| !line.holds) && load.verdict != LoadVerdict::Invalid);
    let worse = changes(facts).any(|change| change.direction == Direction::Worse);
    let told = [
        violated.then(|| "its load test violated the SLA".to_owned()),
        broken_limits(facts),
        users_errors(facts),
        wrong_checks(facts),
        worse.then(|| "under the same load it is worse than the old one".to_owned()),
    ];
    told.into_iter().flatten().collect()
}

fn broken_limits(facts: &Facts) -> Option<String> {
    let (broken, all) = (facts.limits.iter().filter(|limit| !limit.holds).count(), facts.limits.len());
    match (broken, all) {
        // What the run noted, where its history could not be read.
        (0, _) if facts.not_done.iter().any(|text| text.starts_with(LIMITS)) => {
            Some("limits of the plan do not hold".to_owned())
        }
        (0, _) => None,
        (1, 1) => Some("the plan's limit does not hold".to_owned()),
        (1, all) => Some(format!("1 of the plan's {all} limits does not hold")),
        (broken, all) => Some(format!("{broken} of the plan's {all} limits do not hold")),
    }
}

/// Whether users' requests failed for certain more often on the new side than on the old one, on any route.
fn users_errors(facts: &Facts) -> Option<String> {
    let is_worse = |[old, new]: &[Counts; 2]| share(*new, CONFIDENCE).0 > share(*old, CONFIDENCE).1;
    let [old, new] = facts.routes.iter().filter_map(RouteFacts::errors).find(is_worse)?;
    Some(format!(
        "{} of {} of users' requests failed there, and {} of {} on the old side",
        new.bad, new.all, old.bad, old.all
    ))
}

fn wrong_checks(facts: &Facts) -> Option<String> {
    let mut wrong = facts.gates.iter().filter(|gate| gate.unhealthy > 0);
    let first = wrong.next()?;
    let more = match wrong.count() {
        0 => String::new(),
        1 => ", and so did another one".to_owned(),
        more => format!(", and so did {more} others"),
    };
    let name = cutover::text::quoted(&first.name, 100);
    Some(format!("the check {name} found something wrong at {} of {} looks{more}", first.unhealthy, first.looks))
}

/// The executive summary: what happened, how the new side does, what comes next.
pub fn summary(facts: &Facts, next: &str) -> [String; 3] {
    [happened(facts), measured(facts), next.to_owned()]
}

fn happened(facts: &Facts) -> String {
    let took = Seconds(u64::try_from(facts.until.as_second() - facts.began_at.as_second()).unwrap_or(0));
    let application = cutover::text::named(&facts.application, 64);
    let why =
        facts.why.as_ref().map(|why| format!(", because of: {}", cutover::text::quoted(why, 600))).unwrap_or_default();
    match facts.ending.as_str() {
        "Succeeded" | "Closed" => {
            format!("In {took} the cutover of {application} moved all of its traffic to the new side.")
        }
        "RolledBack" => format!(
            "The cutover of {application} was rolled back after {took}{why}; every route is exactly as it was before."
        ),
        other => {
            format!("The cutover of {application} is {other} after {took}{why}; a person was told what is left to do.")
        }
    }
}

fn measured(facts: &Facts) -> String {
    let Some(load) = &facts.load else {
        let of_service = || facts.gates.iter().filter(|gate| gate.is_of_service || gate.unhealthy > 0);
        let looks: u32 = of_service().map(|gate| gate.looks).sum();
        let unhealthy: u32 = of_service().map(|gate| gate.unhealthy).sum();
        return match looks {
            0 => "Nothing was measured of the new side, neither under load nor while it had traffic.".to_owned(),
            _ => format!(
                "It was not loaded beside the old side, so the two are not compared; of {looks} checks while traffic moved, {unhealthy} found something wrong."
            ),
        };
    };
    if load.verdict == LoadVerdict::Invalid {
        let first = load.problems.first().map(|problem| format!(" ({problem})")).unwrap_or_default();
        return format!("The load test is invalid{first}, so its figures say nothing, and nothing is compared.");
    }
    let sentence = capital(&load.sentence);
    match (&load.comparison.why_not, headline(facts)) {
        (Some(why), _) => format!("{sentence}; nothing is compared, since {why}."),
        (None, Some(headline)) => format!("{sentence}; {headline}."),
        (None, None) => format!("{sentence}; between the sides there is no difference to tell."),
    }
}

/// The change that matters most: what is worse first, then latency at p95.
fn headline(facts: &Facts) -> Option<String> {
    let order = |change: &&Change| (change.direction != Direction::Worse, change.metric != "p95_ms");
    let told = changes(facts).filter(|change| matches!(change.direction, Direction::Worse | Direction::Better));
    told.min_by_key(order).map(of_change)
}

/// A change in words; of one that cannot be told, that it cannot.
pub fn of_change(change: &Change) -> String {
    let name = metric(&change.metric);
    let (Some(percent), Some((low, high))) = (change.percent, change.interval_percent) else {
        return format!("{name}: there is no interval to tell a difference by");
    };
    let is_latency = change.metric.ends_with("_ms");
    let how = match (is_latency, percent < 0.0) {
        (true, true) => "faster",
        (true, false) => "slower",
        (false, true) => "lower",
        (false, false) => "higher",
    };
    match change.direction {
        Direction::Better | Direction::Worse => {
            let (least, most) = if percent < 0.0 { (-high, -low) } else { (low, high) };
            let (percent, least, most) = (short(percent.abs()), short(least), short(most));
            format!("{name} of the new side is {percent} % {how} (with 95 % confidence {least} to {most} %)")
        }
        _ => format!("{name}: no difference to tell ({} to {} %)", signed(low), signed(high)),
    }
}

/// A number with its sign.
pub fn signed(value: f64) -> String {
    if value > 0.0 { format!("+{}", short(value)) } else { short(value) }
}

/// What a figure is called.
pub fn metric(name: &str) -> &str {
    match name {
        "mean_ms" => "mean latency",
        "p50_ms" => "median latency",
        "p90_ms" => "latency at p90",
        "p95_ms" => "latency at p95",
        "p99_ms" => "latency at p99",
        "p999_ms" => "latency at p99.9",
        "success_percent" => "the share of successes",
        "throughput_rps" => "throughput",
        other => other,
    }
}

/// All changes of the load test's comparison.
pub fn changes(facts: &Facts) -> impl Iterator<Item = &Change> {
    facts.load.iter().flat_map(|load| &load.comparison.changes)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
