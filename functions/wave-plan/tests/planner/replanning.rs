//! Planning anew keeps what is done, and moves as little as possible.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};
use wave_plan::{Portfolio, Programme, Progress, Request, plan};

use crate::{date, depends, exercise, four, planned};

fn progress(today: &str, settled: &[(&str, &str)]) -> Progress {
    let settled = settled.iter().map(|(name, date)| ((*name).to_owned(), date.parse::<Date>().unwrap())).collect();
    Progress { today: Some(today.parse().unwrap()), settled }
}

fn again(portfolio: &Portfolio, previous: &Programme, progress: Progress) -> Programme {
    plan(portfolio, &Request { effort: None, previous: Some(previous), progress }, &mut || false).unwrap()
}

fn settled_before(programme: &Programme, today: &str) -> Vec<(String, String)> {
    let past = programme.placements.iter().filter(|one| one.date.as_str() < today);
    past.map(|one| (one.application.clone(), one.date.clone())).collect()
}

#[test]
fn nothing_moves_where_nothing_has_changed() {
    let portfolio = exercise();
    let first = plan(&portfolio, &Request::default(), &mut || false).unwrap();
    let done = settled_before(&first, "2026-03-20");
    let done: Vec<(&str, &str)> = done.iter().map(|(name, date)| (name.as_str(), date.as_str())).collect();
    assert!(done.len() > 4);
    let second = again(&portfolio, &first, progress("2026-03-20", &done));
    assert_eq!(second.changes, []);
    assert_eq!(second.baseline.unwrap().slip_days, 0);
}

#[test]
fn only_what_has_to_moves_and_the_slip_is_told() {
    let mut value = four();
    value["applications"][3]["cutover"] = "2h".into();
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "not_before_days", "days": 7 }));
    let portfolio = |value: &Value| Portfolio::read(value).unwrap();
    let first = planned(&value).unwrap();
    assert_eq!((date(&first, "a"), date(&first, "b")), ("2026-03-07", "2026-03-14"));
    // a was put back on its day, and is tried again a week later.
    value["applications"][0]["not_before"] = "2026-03-14".into();
    let others: Vec<(&str, &str)> = ["c", "d"]
        .into_iter()
        .map(|name| (name, date(&first, name)))
        .filter(|(_, date)| *date < "2026-03-09")
        .collect();
    let second = again(&portfolio(&value), &first, progress("2026-03-09", &others));
    let moved: BTreeMap<&str, i32> =
        second.changes.iter().map(|change| (change.application.as_str(), change.days_later)).collect();
    assert_eq!(moved, [("a", 7), ("b", 7)].into_iter().collect());
    assert_eq!(second.baseline.as_ref().unwrap().slip_days, 7);
    // The baseline stays the first plan's.
    value["applications"][0]["not_before"] = "2026-03-21".into();
    let third = again(&portfolio(&value), &second, progress("2026-03-16", &others));
    let baseline = third.baseline.unwrap();
    assert_eq!((baseline.end.as_str(), baseline.slip_days), (first.end.as_str(), 14));
}

#[test]
fn what_is_done_stays_though_it_should_have_waited() {
    let mut value = four();
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "before" }));
    let portfolio = Portfolio::read(&value).unwrap();
    let first = planned(&value).unwrap();
    let second = again(&portfolio, &first, progress("2026-03-10", &[("b", "2026-03-07")]));
    assert_eq!(date(&second, "b"), "2026-03-07");
    assert!(date(&second, "a") >= "2026-03-10");
    let b = second.placements.iter().find(|one| one.application == "b").unwrap();
    assert!(b.is_settled);
}

#[test]
fn a_wave_that_runs_takes_nobody_in() {
    let portfolio = Portfolio::read(&four()).unwrap();
    let first = planned(&four()).unwrap();
    let second = again(&portfolio, &first, progress("2026-03-07", &[("a", "2026-03-07")]));
    assert_eq!(date(&second, "a"), "2026-03-07");
    assert!(["b", "c", "d"].into_iter().all(|name| date(&second, name) > "2026-03-07"), "{second:#?}");
}

#[test]
fn an_application_that_is_new_gets_a_place_and_one_that_is_gone_is_told() {
    let mut value = four();
    let first = planned(&value).unwrap();
    value["applications"][3]["name"] = "e".into();
    let second = again(&Portfolio::read(&value).unwrap(), &first, progress("2026-03-02", &[]));
    let changed: Vec<(&str, bool, bool)> = second
        .changes
        .iter()
        .map(|change| (change.application.as_str(), change.before.is_some(), change.now.is_some()))
        .collect();
    assert_eq!(changed, [("d", true, false), ("e", false, true)]);
}
