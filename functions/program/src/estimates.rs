//! What finished runs say of the ones to come: how long cutovers take against what was planned, and how many were put back. Pure.
//!
//! An estimate is changed only where enough runs speak for it, and only to a longer one: a wave that takes less time than planned harms nobody. How many
//! runs it rests on is told with it.

use std::collections::{BTreeMap, BTreeSet};

use cutover::Seconds;
use jiff::Timestamp;
use journal::{PastRun, Phase};
use serde_json::Value;
use wave_plan::Portfolio;
use wave_plan::portfolio::Strategy;

/// Fewer runs say nothing.
const LEAST_RUNS: usize = 5;
/// Of ten cutovers, eight took no longer than that many times as long as planned.
const PERCENTILE: f64 = 0.8;
/// One run that hung for a day is no measure for others.
const MOST_TIMES: f64 = 4.0;
/// Estimates are in steps of so many seconds.
const STEP: u64 = 300;
const LONGEST: Seconds = Seconds::hours(48);

/// What was learned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Learned {
    /// How long each cutover is planned for now, where that is longer than what was written.
    pub takes: BTreeMap<String, Seconds>,
    /// In words, with how many runs each rests on.
    pub notes: Vec<String>,
}

/// A run that is over.
struct Finished {
    strategy: Strategy,
    /// How many times as long it took as was planned; none of one that was put back.
    times: Option<f64>,
}

/// What the runs of a portfolio's applications say; `settled` are those that need no estimate any more.
pub fn learned(portfolio: &Portfolio, runs: &[PastRun], settled: &BTreeSet<&str>) -> Learned {
    let finished: Vec<Finished> = runs.iter().filter_map(|run| of_run(portfolio, run)).collect();
    let mut learned = Learned::default();
    let strategies: BTreeSet<Strategy> = portfolio.applications.iter().map(|one| one.strategy).collect();
    for strategy in strategies.into_iter().filter(|strategy| strategy.moves()) {
        let open = portfolio.applications.iter().filter(|one| one.strategy == strategy);
        let open: Vec<_> = open.filter(|one| !settled.contains(one.name.as_str())).collect();
        let Some((times, rests_on, of)) = times(&finished, strategy).filter(|_| !open.is_empty()) else { continue };
        let words = format!("cutovers took {times:.1} times as long as planned, or less, in 8 of 10 cases");
        let of = if of {
            format!("{} {words}, by {rests_on} runs", strategy.name())
        } else {
            format!("{words}, by {rests_on} runs of all strategies")
        };
        if times <= 1.0 {
            learned.notes.push(format!("{of}: what is written is kept for {}", strategy.name()));
            continue;
        }
        let before = learned.takes.len();
        for one in open {
            let longer = Seconds(((one.cutover.0 as f64 * times) as u64).div_ceil(STEP) * STEP).min(LONGEST);
            if longer > one.cutover {
                learned.takes.insert(one.name.clone(), longer);
            }
        }
        let changed = learned.takes.len() - before;
        learned.notes.push(format!(
            "{of}: the {changed} of {} that are still to move are planned for so much longer",
            strategy.name()
        ));
    }
    learned.notes.extend(put_back(&finished));
    learned
}

/// The factor, how many runs it rests on, and whether they are those of the strategy.
fn times(finished: &[Finished], strategy: Strategy) -> Option<(f64, usize, bool)> {
    let of = |is_wanted: &dyn Fn(&Finished) -> bool| {
        let mut all: Vec<f64> = finished.iter().filter(|one| is_wanted(one)).filter_map(|one| one.times).collect();
        all.sort_by(f64::total_cmp);
        let place = ((all.len() as f64 * PERCENTILE).ceil() as usize).saturating_sub(1);
        (all.len() >= LEAST_RUNS).then(|| (all[place].min(MOST_TIMES), all.len()))
    };
    let own = of(&|one| one.strategy == strategy).map(|(times, runs)| (times, runs, true));
    own.or_else(|| of(&|_| true).map(|(times, runs)| (times, runs, false)))
}

fn of_run(portfolio: &Portfolio, run: &PastRun) -> Option<Finished> {
    let entry = portfolio.applications.iter().find(|one| one.name == run.application)?;
    let ending = run.ending.as_ref();
    let is_moved = match run.phase {
        Phase::Finished | Phase::Cleaning => true,
        Phase::Closed => ending.and_then(|ending| ending.name()) == Some("Closed"),
        Phase::RolledBack => false,
        _ => return None,
    };
    if !is_moved {
        return Some(Finished { strategy: entry.strategy, times: None });
    }
    // When it was closed says nothing of how long it took.
    let moved_at = ending.and_then(|ending| {
        ending
            .report
            .get("moved_at")
            .and_then(Value::as_str)
            .or_else(|| (run.phase != Phase::Closed).then_some(ending.at.as_str()))
    })?;
    let (began, ended): (Timestamp, Timestamp) = (run.started_at.parse().ok()?, moved_at.parse().ok()?);
    let seconds = ended.duration_since(began).as_secs_f64();
    Some(Finished { strategy: entry.strategy, times: Some(seconds / entry.cutover.0.max(1) as f64) })
}

/// How many were put back.
fn put_back(finished: &[Finished]) -> Option<String> {
    let back = finished.iter().filter(|one| one.times.is_none()).count();
    let all = finished.len();
    (all >= LEAST_RUNS && back > 0).then(|| {
        let percent = 100 * back / all;
        format!("{back} of {all} cutovers ({percent} %) were put back: keep dates free on which they are tried again")
    })
}

/// Writes what was learned into a portfolio's JSON.
pub fn write(portfolio: &mut Value, learned: &Learned) {
    for one in portfolio["applications"].as_array_mut().into_iter().flatten() {
        let takes = one["name"].as_str().and_then(|name| learned.takes.get(name));
        if let Some(takes) = takes {
            one["cutover"] = takes.as_written().into();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn portfolio() -> Value {
        let application = |number: usize, strategy: &str| json!({ "name": format!("{strategy}{number}"), "strategy": strategy, "owner": "Web", "cutover": "1h", "cutover_plan": "plans/a.json" });
        let all: Vec<Value> =
            (0..10).map(|number| application(number, "rehost")).chain([application(0, "refactor")]).collect();
        json!({ "name": "p", "calendar": { "start": "2026-03-02", "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "10h" }] }, "applications": all })
    }

    fn run(number: usize, phase: Phase, minutes: i64, report: Value) -> PastRun {
        let began: Timestamp = "2026-03-07T20:00:00Z".parse().unwrap();
        let at = began.checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap().to_string();
        let report = if report == json!("moved_at") { json!({ "ending": "Closed", "moved_at": at }) } else { report };
        let at = if phase == Phase::Closed { "2026-03-20T20:00:00Z".to_owned() } else { at };
        PastRun {
            run_id: "r".into(),
            application: format!("rehost{number}"),
            phase,
            started_at: began.to_string(),
            ending: Some(journal::Ending { at, report }),
        }
    }

    fn learn(runs: &[PastRun]) -> Learned {
        let read = Portfolio::read(&portfolio()).unwrap();
        let settled: BTreeSet<String> =
            runs.iter().filter(|run| run.phase != Phase::RolledBack).map(|run| run.application.clone()).collect();
        learned(&read, runs, &settled.iter().map(String::as_str).collect())
    }

    #[test]
    fn longer_runs_make_longer_estimates_and_say_how_many_they_rest_on() {
        let minutes = [60, 66, 72, 78, 120];
        let runs: Vec<PastRun> = minutes
            .iter()
            .enumerate()
            .map(|(number, minutes)| run(number, Phase::Finished, *minutes, json!({ "ending": "Succeeded" })))
            .collect();
        let learned = learn(&runs);
        assert_eq!(learned.takes["rehost7"], Seconds::minutes(80));
        assert_eq!(
            learned.takes["refactor0"],
            Seconds::minutes(80),
            "of all strategies, as there are too few of its own"
        );
        assert!(!learned.takes.contains_key("rehost0"));
        assert!(
            learned
                .notes
                .iter()
                .any(|note| note.contains("rehost cutovers took 1.3 times as long") && note.contains("by 5 runs")),
            "{:?}",
            learned.notes
        );
        let mut value = portfolio();
        write(&mut value, &learned);
        assert_eq!(
            (&value["applications"][7]["cutover"], &value["applications"][0]["cutover"]),
            (&json!("80m"), &json!("1h"))
        );
    }

    #[test]
    fn few_runs_say_nothing_and_shorter_ones_change_nothing() {
        let of = |count: usize, minutes: i64| {
            (0..count)
                .map(|number| run(number, Phase::Finished, minutes, json!({ "ending": "Succeeded" })))
                .collect::<Vec<_>>()
        };
        assert_eq!(learn(&of(4, 200)), Learned::default());
        let learned = learn(&of(6, 30));
        assert_eq!(learned.takes.len(), 0);
        assert!(learned.notes[0].contains("what is written is kept"), "{:?}", learned.notes);
        assert_eq!(
            learn(&of(6, 6000)).takes["rehost9"],
            Seconds::hours(4),
            "no run is a measure for more than four times"
        );
    }

    #[test]
    fn a_run_that_is_closed_took_as_long_as_until_it_had_moved() {
        let runs: Vec<PastRun> = (0..5).map(|number| run(number, Phase::Closed, 90, json!("moved_at"))).collect();
        assert_eq!(learn(&runs).takes["rehost9"], Seconds::minutes(90));
        // Closed by an older version, or released: it does not say.
        let old: Vec<PastRun> =
            (0..5).map(|number| run(number, Phase::Closed, 90, json!({ "ending": "Closed" }))).collect();
        assert_eq!(learn(&old).takes.len(), 0);
    }

    #[test]
    fn what_was_put_back_is_counted() {
        let mut runs: Vec<PastRun> =
            (0..3).map(|number| run(number, Phase::RolledBack, 20, json!({ "ending": "RolledBack" }))).collect();
        runs.extend((3..6).map(|number| run(number, Phase::Finished, 60, json!({ "ending": "Succeeded" }))));
        assert_eq!(
            learn(&runs).notes,
            ["3 of 6 cutovers (50 %) were put back: keep dates free on which they are tried again"]
        );
    }
}
