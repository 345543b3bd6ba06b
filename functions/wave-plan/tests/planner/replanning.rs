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

/// The directory comes eleven days later, and there is no end by which all has to be done: wishes cost no day.
#[test]
fn soft_dependencies_do_not_make_a_programme_longer_that_is_planned_anew() {
    let slip = |with_wishes: bool| {
        let mut portfolio = exercise();
        portfolio.calendar.end = None;
        portfolio.dependencies.retain(|one| with_wishes || one.strength == wave_plan::portfolio::Strength::Hard);
        let first = plan(&portfolio, &Request::default(), &mut || false).unwrap();
        let directory = portfolio.applications.iter_mut().find(|one| one.name == "directory").unwrap();
        directory.not_before = Some("2026-03-26".to_owned());
        let second = again(&portfolio, &first, Progress::default());
        crate::held::check(&portfolio, &second);
        let fresh = plan(&portfolio, &Request::default(), &mut || false).unwrap();
        (second.baseline.as_ref().unwrap().slip_days, second, fresh)
    };
    let ((with, second, fresh), (without, ..)) = (slip(true), slip(false));
    assert!(with <= without, "{with} days later with soft dependencies, {without} without");
    // What would be better from scratch is said.
    assert!(fresh.quality.days < second.quality.days, "this exercise says nothing any more");
    assert_eq!(second.quality.days_from_scratch, Some(fresh.quality.days));
    let earlier = second.quality.days - fresh.quality.days;
    let told = wave_plan::report::markdown(&second);
    assert!(told.contains(&format!("It would end {earlier} day")), "{told}");
    assert_eq!(fresh.quality.days_from_scratch, None);
}

/// A wish that the programme before kept goes on being kept, where the end allows it; one that it did not keep moves nothing.
#[test]
fn wishes_that_were_kept_are_kept_and_the_others_move_nothing() {
    let mut value = four();
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "not_before_days", "days": 7, "strength": "soft" }));
    value["applications"][3]["not_before"] = "2026-03-28".into();
    let first = planned(&value).unwrap();
    assert_eq!(first.unmet, Vec::<String>::new());
    value["applications"][0]["not_before"] = "2026-03-14".into();
    let portfolio = Portfolio::read(&value).unwrap();
    let second = again(&portfolio, &first, progress("2026-03-02", &[]));
    assert_eq!((second.unmet.as_slice(), second.end == first.end), (&[][..], true), "{:?}", second.changes);
    // And this is said of it for the first time: everybody stays.
    depends(&mut value, json!({ "first": "d", "then": "c", "kind": "before", "strength": "soft" }));
    let third = again(&Portfolio::read(&value).unwrap(), &second, progress("2026-03-02", &[]));
    if date(&second, "c") < date(&second, "d") {
        assert_eq!((third.changes.len(), third.unmet.len()), (0, 1), "{third:#?}");
    }
}

#[test]
fn that_today_is_the_reason_is_said_and_that_a_date_is_kept() {
    let value = four();
    let portfolio = Portfolio::read(&value).unwrap();
    let first = planned(&value).unwrap();
    let because = |programme: &Programme, name: &str| {
        programme.placements.iter().find(|one| one.application == name).unwrap().because.join("; ")
    };
    let late = again(&portfolio, &first, progress("2026-03-10", &[]));
    let fresh =
        plan(&portfolio, &Request { progress: progress("2026-03-10", &[]), ..Request::default() }, &mut || false);
    for programme in [&late, &fresh.unwrap()] {
        let first = programme.placements.iter().find(|one| one.date == "2026-03-14").unwrap();
        assert_eq!(because(programme, &first.application), "nothing is planned before 2026-03-10 any more");
        let spread = programme.placements.iter().filter(|one| one.because.join("").contains("spread the risk"));
        assert!(spread.into_iter().all(|one| one.date.as_str() > "2026-03-14"));
    }
    // What could be earlier, and is on the date that it had.
    let mut value = four();
    value["applications"][0]["not_before"] = "2026-03-28".into();
    let first = planned(&value).unwrap();
    value["applications"][0].as_object_mut().unwrap().remove("not_before");
    let second = again(&Portfolio::read(&value).unwrap(), &first, progress("2026-03-02", &[]));
    assert_eq!(
        (date(&second, "a"), because(&second, "a").as_str()),
        ("2026-03-28", "it could be earlier, and stays on the date that it had")
    );
}
