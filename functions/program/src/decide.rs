//! Which schedules there are to be, and what has to change for that. Pure.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::names;
use crate::waves::Planned;
use crate::zone::{self, Zone};

/// A wave whose time has come is started so many seconds after it was scheduled: EventBridge Scheduler has a precision of a minute.
const AT_ONCE_SECONDS: u64 = 120;
/// A timeline begins so long before its wave: with its first milestone.
const TIMELINE_SECONDS: u64 = 30 * 24 * 3600;

/// A schedule as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// On the clock of the zone: `2026-03-07T19:45:00`.
    pub at: String,
    /// By its IANA name.
    pub zone: String,
    /// What `start` is started with.
    pub input: String,
    /// For people who look at it in the console.
    pub description: String,
}

/// A schedule as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Its expression.
    pub expression: String,
    /// Its time zone.
    pub zone: String,
    /// Its target's input.
    pub input: String,
    /// Its target.
    pub target_arn: String,
    /// As whom it is delivered.
    pub role_arn: String,
    /// Whether it is enabled.
    pub is_enabled: bool,
}

/// What it is delivered to.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The machine `start`.
    pub start_arn: &'a str,
    /// The machine `wave`.
    pub wave_arn: &'a str,
    /// The machine `timeline`.
    pub timeline_arn: &'a str,
    /// As whom.
    pub role_arn: &'a str,
}

/// What has to be done with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is none yet.
    Make(Wanted),
    /// There is one of that name, with another time or input.
    Change(Wanted),
    /// Its wave is gone.
    Remove(String),
}

/// What there is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Todo {
    /// In this order: what is gone first, so that nothing starts twice.
    pub changes: Vec<Change>,
    /// Schedules that are as they should be.
    pub kept: Vec<String>,
    /// Schedules of our names that somebody else has made or changed: they are left alone.
    pub foreign: Vec<String>,
    /// Waves whose window has closed.
    pub over: Vec<String>,
}

/// The name of the execution that runs a wave, by how the journal has one of its name: another one where that is over, since nothing starts under a name that was
/// used. While it runs, or has never been claimed, the same one as ever: delivered twice, it starts one.
pub fn execution(wave: &str, last: Option<&waves::State>) -> String {
    match last {
        Some(last) if last.stage == waves::state::Stage::Over => names::wave_again(wave, &last.id),
        _ => wave.to_owned(),
    }
}

/// The schedule of a wave, which starts it as this execution; none where its window has closed.
pub fn wanted(
    portfolio: &str,
    (wave, execution): (&Planned, &str),
    before_seconds: u64,
    zone: (&str, &Zone),
    target: Target,
    at: Timestamp,
) -> Option<Wanted> {
    let (opens, closes): (Timestamp, Timestamp) = (wave.opens.parse().ok()?, wave.closes.parse().ok()?);
    let soonest = at.checked_add(jiff::SignedDuration::from_secs(AT_ONCE_SECONDS as i64)).ok()?;
    let starts = zone::before(opens, before_seconds).max(soonest);
    let again = if execution == names::wave(portfolio, &wave.date) { "" } else { ", once more" };
    let input = json!({ "state_machine_arn": target.wave_arn, "name": execution, "input": wave.input });
    (starts < closes).then(|| Wanted {
        name: names::schedule(portfolio, &wave.date),
        at: zone.1.local(starts),
        zone: zone.0.to_owned(),
        input: input.to_string(),
        description: format!("Starts wave {} of the programme {portfolio}{again}", wave.number),
    })
}

/// The schedule of what comes before a wave, thirty days before its window opens, or at once; none where that is open.
pub fn wanted_timeline(
    portfolio: &str,
    wave: &Planned,
    zone: (&str, &Zone),
    target: Target,
    at: Timestamp,
) -> Option<Wanted> {
    let opens: Timestamp = wave.opens.parse().ok()?;
    let soonest = at.checked_add(jiff::SignedDuration::from_secs(AT_ONCE_SECONDS as i64)).ok()?;
    let begins = zone::before(opens, TIMELINE_SECONDS).max(soonest);
    let of = names::wave(portfolio, &wave.date);
    let input = json!({ "portfolio": portfolio, "of": of });
    let input = json!({ "state_machine_arn": target.timeline_arn, "name": names::timeline(&of), "input": input });
    (begins < opens).then(|| Wanted {
        name: names::timeline_schedule(portfolio, &wave.date),
        at: zone.1.local(begins),
        zone: zone.0.to_owned(),
        input: input.to_string(),
        description: format!("Begins the timeline of wave {} of the programme {portfolio}", wave.number),
    })
}

/// Compares what is with what should be.
pub fn compare(wanted: Vec<Wanted>, found: &[Found], target: Target, at: Timestamp) -> Todo {
    let mut todo = Todo::default();
    for one in found.iter().filter(|found| !is_ours(found, target)) {
        todo.foreign.push(one.name.clone());
    }
    for one in found.iter().filter(|found| is_ours(found, target)) {
        if wanted.iter().all(|wanted| wanted.name != one.name) {
            todo.changes.push(Change::Remove(one.name.clone()));
        }
    }
    for one in wanted {
        match found.iter().find(|found| found.name == one.name) {
            None => todo.changes.push(Change::Make(one)),
            Some(found) if !is_ours(found, target) => {}
            Some(found) if is_right(found, &one, target, at) => todo.kept.push(one.name),
            Some(_) => todo.changes.push(Change::Change(one)),
        }
    }
    todo
}

/// It starts, by our machine, the wave that its name says, or its timeline: nobody else has made it.
fn is_ours(found: &Found, target: Target) -> bool {
    let input: Value = serde_json::from_str(&found.input).unwrap_or_default();
    let starts = (input["state_machine_arn"].as_str(), input["name"].as_str());
    let is_of_us = if names::is_timeline(&found.name) {
        let of = input["input"]["of"].as_str().map(names::timeline);
        starts.0 == Some(target.timeline_arn) && starts.1.is_some() && starts.1.map(str::to_owned) == of
    } else {
        let of = names::wave_of(&found.name);
        starts.0 == Some(target.wave_arn) && starts.1.zip(of).is_some_and(|(name, of)| names::is_of_wave(name, &of))
    };
    found.target_arn == target.start_arn && is_of_us
}

fn is_right(found: &Found, wanted: &Wanted, target: Target, at: Timestamp) -> bool {
    let same =
        |one: &str, other: &str| serde_json::from_str::<Value>(one).ok() == serde_json::from_str::<Value>(other).ok();
    let is_time = found.expression == format!("at({})", wanted.at) || is_about_to_start(found, wanted, at);
    is_time
        && found.zone == wanted.zone
        && found.role_arn == target.role_arn
        && found.is_enabled
        && same(&found.input, &wanted.input)
}

/// One that is due at once was due at once when it was made, too: its time is not put off by looking at it again.
fn is_about_to_start(found: &Found, wanted: &Wanted, now: Timestamp) -> bool {
    let local = found.expression.strip_prefix("at(").and_then(|rest| rest.strip_suffix(')'));
    let zone = Zone::of(&found.zone);
    let times = zone.and_then(|zone| Some((zone.at(local?)?, zone.at(&wanted.at)?)));
    times.is_some_and(|(found, wanted)| {
        let is_at_once = wanted.duration_since(now).as_secs() <= AT_ONCE_SECONDS as i64;
        is_at_once && (now..=wanted).contains(&found)
    })
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
