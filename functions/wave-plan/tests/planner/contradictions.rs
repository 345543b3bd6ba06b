//! Portfolios that cannot be: few constraints are named, without any one of which the portfolio can be planned.

use serde_json::{Value, json};
use wave_plan::{Conflict, Portfolio, Refusal, Request, plan};

use crate::{depends, exercise, four, planned};

fn conflicts(value: &Value) -> Vec<Conflict> {
    match planned(value) {
        Err(Refusal::Infeasible { conflicts }) => conflicts,
        other => panic!("{other:#?}"),
    }
}

/// Takes away what stands at a path.
fn without(value: &Value, path: &str) -> Value {
    let mut value = value.clone();
    let pointer = path.trim_start_matches('$').replace(['.', '['], "/").replace(']', "");
    match pointer.as_str() {
        "/limits/applications_per_wave" => value["limits"]["applications_per_wave"] = 1000.into(),
        "/limits/critical_per_wave" => value["limits"]["critical_per_wave"] = 1000.into(),
        "/calendar/windows" => value["calendar"]["windows"][0]["lasts"] = "48h".into(),
        "/applications/*/pilot" => {
            value["applications"].as_array_mut().unwrap().iter_mut().for_each(|one| one["pilot"] = false.into())
        }
        pointer if pointer.ends_with("days_per_week") => *value.pointer_mut(pointer).unwrap() = 1000.into(),
        pointer => {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            match value.pointer_mut(parent).unwrap() {
                Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                Value::Object(fields) => drop(fields.remove(name)),
                _ => unreachable!("{pointer}"),
            }
        }
    }
    value
}

/// The one contradiction is of these words; with all of it there is no programme, without any one of it there is.
fn is_minimal(value: &Value, words: &[&str]) {
    let conflicts = conflicts(value);
    assert_eq!(conflicts.len(), 1, "{conflicts:#?}");
    let conflict = &conflicts[0];
    let mut found: Vec<&str> = conflict.constraints.iter().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, words);
    assert!(conflict.is_minimal);
    for (path, words) in conflict.paths.iter().zip(&conflict.constraints) {
        let less = without(value, path);
        assert!(planned(&less).is_ok(), "still none without: {words}");
    }
}

#[test]
fn a_circle_is_named() {
    let mut value = four();
    for (first, then) in [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")] {
        depends(&mut value, json!({ "first": first, "then": then, "kind": "before" }));
    }
    is_minimal(&value, &["a moves after c", "b moves after a", "c moves after b"]);
    let mut cycle = conflicts(&value)[0].cycle.clone();
    assert_eq!(cycle.first(), cycle.last());
    cycle.pop();
    cycle.sort_unstable();
    assert_eq!(cycle, ["a", "b", "c"]);
}

#[test]
fn lags_that_ask_for_more_than_they_allow_are_named() {
    let mut value = four();
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "not_before_days", "days": 14 }));
    depends(&mut value, json!({ "first": "b", "then": "c", "kind": "before" }));
    depends(&mut value, json!({ "first": "a", "then": "c", "kind": "within_days", "days": 7 }));
    is_minimal(&value, &["b moves no earlier than 14 days after a", "c follows a within 7 days", "c moves after b"]);
}

#[test]
fn a_lockstep_pair_that_never_may_move_at_once_is_named() {
    let mut value = four();
    value["applications"][0]["not_after"] = "2026-03-10".into();
    value["applications"][1]["not_before"] = "2026-03-20".into();
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "together" }));
    is_minimal(
        &value,
        &["a and b move together", "a moves on 2026-03-10 at the latest", "b moves on 2026-03-20 at the earliest"],
    );
}

/// Lockstep means at once: nothing fits between the two.
#[test]
fn a_circle_through_a_lockstep_pair_is_named() {
    let mut value = four();
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "together" }));
    depends(&mut value, json!({ "first": "b", "then": "c", "kind": "before" }));
    depends(&mut value, json!({ "first": "c", "then": "a", "kind": "before" }));
    is_minimal(&value, &["a and b move together", "a moves after c", "c moves after b"]);
}

#[test]
fn a_window_that_is_too_short_is_named() {
    let mut value = four();
    value["applications"][2]["cutover"] = "7h".into();
    is_minimal(&value, &["a wave's cutovers, 4 at a time, fit into its window, of which 20 % are kept free"]);
}

#[test]
fn a_team_that_cannot_do_it_by_the_end_is_named() {
    let mut value = four();
    for place in 0..4 {
        value["applications"][place]["effort"] = json!([{ "team": "platform", "days": 16 }]);
    }
    is_minimal(
        &value,
        &["team platform has 10 person-days a week, of which 20 % are kept free", "the programme ends by 2026-04-12"],
    );
}

/// What one application takes is more than its team has until the end, whoever else needs it.
#[test]
fn one_application_that_its_team_cannot_do_by_the_end_is_named() {
    let mut value = four();
    value["applications"][2]["effort"] = json!([{ "team": "platform", "days": 400 }]);
    is_minimal(
        &value,
        &["team platform has 10 person-days a week, of which 20 % are kept free", "the programme ends by 2026-04-12"],
    );
    assert_eq!(
        conflicts(&value)[0].given,
        ["c is prepared for 50 weeks: it moves on 2027-02-15 at the earliest"],
        "the team's work that takes longest"
    );
}

#[test]
fn a_limit_and_a_freeze_and_the_end_are_named() {
    let mut value = four();
    value["calendar"]["end"] = "2026-03-22".into();
    value["limits"] = json!({ "applications_per_wave": 2 });
    value["calendar"]["freezes"] = json!([{ "name": "audit", "from": "2026-03-10", "to": "2026-03-31" }]);
    is_minimal(
        &value,
        &[
            "a wave has 2 applications at the most",
            "nothing moves from 2026-03-10 to 2026-03-31 (freeze \"audit\")",
            "the programme ends by 2026-03-22",
        ],
    );
}

/// Waits that lead out of what the planner looks at: that is said, and not only that they cannot be kept.
#[test]
fn waits_beyond_twenty_years_are_told_with_how_far_the_planner_looks() {
    let mut value = four();
    value["calendar"].as_object_mut().unwrap().remove("end");
    for (first, then) in [("a", "b"), ("b", "c"), ("c", "d")] {
        depends(&mut value, json!({ "first": first, "then": then, "kind": "not_before_days", "days": 3000 }));
    }
    let conflicts = conflicts(&value);
    assert_eq!(conflicts[0].given, ["the planner looks ahead to 2046-03-16, twenty years from the start"]);
}

#[test]
fn a_pilot_that_needs_what_is_none_is_named() {
    let mut value = four();
    value["applications"][1]["pilot"] = true.into();
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "before" }));
    is_minimal(&value, &["b moves after a", "pilots move before all others, on an earlier day"]);
}

#[test]
fn contradictions_that_have_nothing_to_do_with_each_other_are_told_at_once() {
    let mut value = four();
    for (first, then) in [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")] {
        depends(&mut value, json!({ "first": first, "then": then, "kind": "before" }));
    }
    let conflicts = conflicts(&value);
    assert_eq!(
        conflicts.iter().map(|conflict| conflict.constraints.len()).collect::<Vec<_>>(),
        [2, 2],
        "{conflicts:#?}"
    );
}

/// Among all that the exercise has to keep, the two that contradict each other are found.
#[test]
fn the_exercise_with_one_impossible_wish_names_what_it_contradicts() {
    let mut portfolio = exercise();
    let payroll = portfolio.applications.iter().position(|one| one.name == "payroll").unwrap();
    portfolio.applications[payroll].not_after = Some("2026-03-10".to_owned());
    let Err(Refusal::Infeasible { conflicts }) = plan(&portfolio, &Request::default(), &mut || false) else {
        panic!("it is possible")
    };
    assert_eq!(conflicts.len(), 1, "{conflicts:#?}");
    assert!(conflicts[0].is_minimal && conflicts[0].constraints.len() <= 3, "{conflicts:#?}");
    assert!(
        conflicts[0].constraints.contains(&"payroll moves on 2026-03-10 at the latest".to_owned()),
        "{conflicts:#?}"
    );
    assert_eq!(conflicts[0].given, ["payroll is prepared for 2 weeks: it moves on 2026-03-16 at the earliest"]);
    let value: Value = serde_json::to_value(&portfolio).unwrap();
    assert!(Portfolio::read(&value).is_err(), "the kept form has durations as numbers, and is not what people write");
}
