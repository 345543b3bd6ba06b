//! From a programme to what each wave is started with: `events/wave.schema.json` has its form. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cutover::finding::Finding;
use cutover::text::is_key_below;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wave_plan::portfolio::{Application, DependencyKind, Strength, Task, When};
use wave_plan::{Portfolio, Programme, Wave};
use waves::WavePlan;

use crate::names;
use crate::zone::Zone;

/// EventBridge's targets take 256 KiB, and the machine `start` has some of it for itself.
const MOST_INPUT_BYTES: usize = 200 * 1024;
/// A wave's own bound.
const MOST_TASKS: usize = 100;

/// A wave as it is scheduled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// Its number in the programme.
    pub number: usize,
    /// Its date, which names it.
    pub date: String,
    /// When its window opens, with the offset from UTC.
    pub opens: String,
    /// When its window closes.
    pub closes: String,
    /// What `wave` is started with.
    pub input: Value,
}

/// The waves of a programme in which something is still to move.
///
/// # Errors
/// What no wave can be given, with its place in the portfolio.
pub fn planned(
    portfolio: &Portfolio,
    programme: &Programme,
    rules: &Map<String, Value>,
) -> Result<Vec<Planned>, Vec<Finding>> {
    let settled = programme.placements.iter().filter(|one| one.is_settled).map(|one| one.application.as_str());
    let of = Of {
        portfolio,
        programme,
        applications: portfolio.applications.iter().map(|one| (one.name.as_str(), one)).collect(),
        settled: settled.collect(),
        zone: Zone::of(&programme.time_zone),
    };
    let mut findings = of.plans_elsewhere();
    let mut all = Vec::new();
    for wave in &programme.waves {
        let Some(input) = of.input(wave, rules) else { continue };
        findings.extend(of.refused(wave, &input));
        let bytes = input.to_string().len();
        if bytes > MOST_INPUT_BYTES {
            let problem =
                format!("makes an input of {bytes} bytes of the wave of {}, more than {MOST_INPUT_BYTES}", wave.date);
            findings.push(Finding::plan(
                "$.limits.applications_per_wave",
                problem,
                "let fewer applications move in a wave",
            ));
        }
        let Wave { number, date, opens, closes, .. } = wave.clone();
        all.push(Planned { number, date, opens, closes, input });
    }
    if findings.is_empty() { Ok(all) } else { Err(cutover::finding::in_order(findings)) }
}

struct Of<'a> {
    portfolio: &'a Portfolio,
    programme: &'a Programme,
    applications: BTreeMap<&'a str, &'a Application>,
    settled: BTreeSet<&'a str>,
    zone: Option<Zone>,
}

impl Of<'_> {
    /// Cutover plans that a wave could not read.
    fn plans_elsewhere(&self) -> Vec<Finding> {
        let all = self.portfolio.applications.iter().enumerate();
        let elsewhere = all.filter_map(|(place, one)| Some((place, one.cutover_plan.as_deref()?)));
        let elsewhere = elsewhere.filter(|(_, key)| !is_key_below("plans/", key));
        let told = elsewhere.map(|(place, key)| {
            let problem = format!("is {}, where no wave finds it", cutover::text::quoted(key, 200));
            let fix = "put the plan into the stack's bucket of reports, below plans/, and write its key, such as \"plans/shop.json\"";
            Finding::plan(format!("$.applications[{place}].cutover_plan"), problem, fix)
        });
        told.collect()
    }

    /// What the wave itself would not take: of what is said of all waves, most of all.
    fn refused(&self, wave: &Wave, input: &Value) -> Vec<Finding> {
        let Err(findings) = WavePlan::read(input) else { return Vec::new() };
        let place = |path: &str| format!("wave of {}: {path}", wave.date);
        // Where its cutover plan is was judged at its place in the portfolio.
        let others = findings.into_iter().filter(|one| !one.path.ends_with(".cutover_from"));
        others.map(|one| Finding::plan(place(&one.path), one.problem, one.fix)).collect()
    }

    /// None where nothing of the wave is still to move.
    fn input(&self, wave: &Wave, rules: &Map<String, Value>) -> Option<Value> {
        let open = wave.applications.iter().filter(|one| !self.settled.contains(one.name.as_str()));
        let open: BTreeMap<&str, &[String]> =
            open.map(|one| (one.name.as_str(), one.together_with.as_slice())).collect();
        if open.is_empty() {
            return None;
        }
        let staged = wave.applications.iter().filter(|one| open.contains_key(one.name.as_str()));
        let members: Vec<Value> = staged.filter_map(|one| self.member(&one.name, &open)).collect();
        let mut input = rules.clone();
        input.insert("wave".to_owned(), names::wave(&self.programme.portfolio, &wave.date).into());
        input.insert("applications".to_owned(), members.into());
        input.insert("parallel_cutovers".to_owned(), self.portfolio.limits.parallel_cutovers.into());
        input.insert("window".to_owned(), json!({ "opens": wave.opens, "closes": wave.closes }));
        let freezes = self.freezes(wave, &open);
        if !freezes.is_empty() {
            input.insert("freezes".to_owned(), freezes.into());
        }
        Some(input.into())
    }

    fn member(&self, name: &str, open: &BTreeMap<&str, &[String]>) -> Option<Value> {
        let one = self.applications.get(name)?;
        let mut member = Map::new();
        member.insert("name".to_owned(), name.into());
        if let Some(key) = &one.cutover_plan {
            member.insert("cutover_from".to_owned(), key.as_str().into());
        }
        let tasks: Vec<Value> =
            self.awaited(name).into_iter().chain(one.tasks.iter().map(task)).take(MOST_TASKS).collect();
        let together: Vec<&str> =
            open[name].iter().map(String::as_str).filter(|other| open.contains_key(other)).collect();
        let needs = self.needs(name, open, &together);
        let lists = [
            ("tasks", json!(tasks)),
            ("needs", json!(needs)),
            ("needs_moved", json!(self.needs_moved(name, open))),
            ("together_with", json!(together)),
        ];
        let given = lists.into_iter().filter(|(_, list)| list.as_array().is_some_and(|list| !list.is_empty()));
        member.extend(given.map(|(field, list)| (field.to_owned(), list)));
        member.insert("takes".to_owned(), one.cutover.as_written().into());
        member.insert("owner".to_owned(), one.owner.as_str().into());
        member.insert("strategy".to_owned(), one.strategy.name().into());
        Some(member.into())
    }

    /// What of the same wave comes first. What moves in lockstep moves at once, and waits for nobody of it.
    fn needs<'a>(&'a self, name: &str, open: &BTreeMap<&str, &[String]>, together: &[&str]) -> BTreeSet<&'a str> {
        let all = self.portfolio.dependencies.iter().filter(|one| one.then == name && one.strength == Strength::Hard);
        let ordered = all.filter(|one| one.kind != DependencyKind::Together).map(|one| one.first.as_str());
        // Wishes that the programme keeps: a stage of its own alone binds nobody that night.
        let staged = self.programme.waves.iter().flat_map(|wave| &wave.applications).filter(|one| one.name == name);
        let wished = staged.flat_map(|one| &one.also_after).map(String::as_str);
        ordered.chain(wished).filter(|first| open.contains_key(first) && !together.contains(first)).collect()
    }

    /// What moves in an earlier wave, and comes first: the wave looks whether it did. A date is no proof.
    fn needs_moved(&self, name: &str, open: &BTreeMap<&str, &[String]>) -> Vec<Value> {
        let all = self.portfolio.dependencies.iter().filter(|one| one.then == name && one.strength == Strength::Hard);
        let ordered = all.filter(|one| one.kind != DependencyKind::Together).map(|one| one.first.as_str());
        let elsewhere: BTreeSet<&str> =
            ordered.filter(|first| !open.contains_key(first) && !self.settled.contains(first)).collect();
        let moving =
            elsewhere.into_iter().filter(|first| self.applications.get(first).is_some_and(|one| one.strategy.moves()));
        let told = moving.filter_map(|first| {
            let placed = self.programme.placements.iter().find(|placed| placed.application == first)?;
            let wave = names::wave(&self.programme.portfolio, &placed.date);
            Some(json!({ "application": first, "wave": wave }))
        });
        told.collect()
    }

    /// What people have to have done before, as a task: no machine can see that a contract is signed.
    fn awaited(&self, name: &str) -> Vec<Value> {
        let all = runbooks::awaited::awaited(self.portfolio, self.programme, name);
        all.into_iter().map(|one| json!({ "what": one.what, "owner": one.owner })).collect()
    }

    /// The freezes that begin before the wave's window closes and end after it opens; with them, as freezes of their own, the times in which
    /// one of its applications must not move: whoever starts late that night is held by them as the planner was.
    fn freezes(&self, wave: &Wave, open: &BTreeMap<&str, &[String]>) -> Vec<Value> {
        let frozen = self.portfolio.calendar.freezes.iter().filter_map(|freeze| {
            let concerned: Vec<&str> =
                freeze.applications.iter().map(String::as_str).filter(|name| open.contains_key(name)).collect();
            let concerns = freeze.applications.is_empty() || !concerned.is_empty();
            concerns.then(|| (freeze.name.clone(), &freeze.from, &freeze.to, concerned))
        });
        let applications = self.portfolio.applications.iter().filter(|one| open.contains_key(one.name.as_str()));
        let mut forbidden: BTreeMap<(&String, &String, &str), Vec<&str>> = BTreeMap::new();
        for application in applications {
            for period in &application.forbidden {
                let why = period.why.as_deref().unwrap_or("a time in which it must not move");
                forbidden.entry((&period.from, &period.to, why)).or_default().push(&application.name);
            }
        }
        let forbidden = forbidden.into_iter().map(|((from, to, why), concerned)| (why.to_owned(), from, to, concerned));
        let touching = frozen.chain(forbidden).filter_map(|(what, from, to, concerned)| {
            let (from, to) = self.zone.as_ref()?.days(from, to)?;
            let (opens, closes): (Timestamp, Timestamp) = (wave.opens.parse().ok()?, wave.closes.parse().ok()?);
            let touches = from.timestamp() < closes && opens < to.timestamp();
            touches.then(|| of_freeze(&what, &concerned, &crate::zone::written(&from), &crate::zone::written(&to)))
        });
        touching.collect()
    }
}

/// A wave's freeze has a name of 100 characters at the most.
fn of_freeze(what: &str, concerned: &[&str], from: &str, to: &str) -> Value {
    let name: String = what.chars().take(100).collect();
    let mut told = json!({ "name": name, "from": from, "to": to });
    if !concerned.is_empty() {
        told["applications"] = json!(concerned);
    }
    told
}

fn task(task: &Task) -> Value {
    let mut told = json!({ "what": task.what });
    if let Some(owner) = &task.owner {
        told["owner"] = owner.as_str().into();
    }
    if task.when == When::After {
        told["when"] = "after".into();
    }
    told
}

#[cfg(test)]
#[path = "waves_tests.rs"]
mod tests;
