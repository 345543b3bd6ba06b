use jiff::Timestamp;
use serde_json::json;

use super::*;

fn two() -> Portfolio {
    portfolio(&json!({
        "name": "two",
        "calendar": { "time_zone": "Asia/Tokyo", "start": "2026-03-02", "windows": [{ "days": ["saturday"], "opens": "20:00", "lasts": "10h" }] },
        "applications": [
            { "name": "a", "strategy": "rehost", "owner": "Web", "cutover_plan": "plans/a.json" },
            { "name": "crm", "strategy": "repurchase", "owner": "Sales", "tasks": [{ "what": "sign" }] },
        ],
    }))
    .unwrap()
}

fn run(phase: Phase, started_at: &str, ending: Option<&str>) -> PastRun {
    let report = |name| json!({ "ending": name });
    PastRun {
        run_id: "r".to_owned(),
        application: "a".to_owned(),
        phase,
        started_at: started_at.to_owned(),
        ending: ending.map(|name| journal::Ending { at: started_at.to_owned(), report: report(name) }),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn settled(runs: &[PastRun], done: &[(&str, &str)]) -> BTreeMap<String, String> {
    let done = done.iter().map(|(name, date)| ((*name).to_owned(), date.parse().unwrap())).collect();
    let progress = progress(&two(), None, runs, (None, &done), at("2026-03-10T00:00:00Z")).unwrap();
    progress.settled.into_iter().map(|(name, date)| (name, date.to_string())).collect()
}

#[test]
fn what_has_moved_or_moves_is_settled_on_the_date_of_its_zone() {
    let moved = run(Phase::Finished, "2026-03-07T16:00:00Z", Some("Succeeded"));
    assert_eq!(settled(&[moved], &[]), [("a".to_owned(), "2026-03-08".to_owned())].into());
    for (phase, ending) in [(Phase::Forward, None), (Phase::Closed, Some("Closed")), (Phase::Stuck, Some("Stuck"))] {
        assert_eq!(settled(&[run(phase, "2026-03-07T02:00:00Z", ending)], &[]).len(), 1, "{phase}");
    }
}

#[test]
fn what_was_put_back_released_or_moved_before_the_programme_is_not() {
    let back = run(Phase::RolledBack, "2026-03-07T16:00:00Z", Some("RolledBack"));
    let released = run(Phase::Closed, "2026-03-07T16:00:00Z", Some("Released"));
    let long_ago = run(Phase::Closed, "2025-03-07T16:00:00Z", Some("Closed"));
    assert_eq!(settled(&[back, released, long_ago], &[]), BTreeMap::new());
}

#[test]
fn what_people_say_counts_and_only_of_applications_that_there_are() {
    assert_eq!(settled(&[], &[("crm", "2026-03-05")]), [("crm".to_owned(), "2026-03-05".to_owned())].into());
    let done = [("cmr".to_owned(), "2026-03-05".parse().unwrap())].into();
    let error = progress(&two(), None, &[], (None, &done), at("2026-03-10T00:00:00Z")).unwrap_err();
    assert_eq!(error.name, name::INVALID_GESTURE);
    assert!(error.message.contains("did you mean crm?"), "{}", error.message);
}

#[test]
fn today_is_that_of_the_portfolios_zone_unless_people_say_another() {
    let today = |said: Option<Date>| {
        progress(&two(), None, &[], (said, &BTreeMap::new()), at("2026-03-09T16:00:00Z")).unwrap().today.unwrap()
    };
    assert_eq!(today(None).to_string(), "2026-03-10");
    assert_eq!(today(Some("2026-03-04".parse().unwrap())).to_string(), "2026-03-04");
}

#[test]
fn every_error_of_a_portfolio_comes_with_its_place() {
    let error = portfolio(&json!({ "name": "x", "calendar": { "start": "2026-03-02", "windows": [] }, "applications": [{ "name": "a", "stratgy": "rehost", "owner": "W" }] })).unwrap_err();
    assert_eq!(error.name, name::INVALID_PORTFOLIO);
    assert!(
        error.message.contains("$.applications[0].stratgy") && error.message.contains("nothing was done"),
        "{}",
        error.message
    );
}

#[test]
fn where_there_is_no_programme_the_planner_says_why() {
    let mut two = two();
    two.applications[0].not_before = Some("2026-03-10".to_owned());
    two.applications[0].not_after = Some("2026-03-11".to_owned());
    let error = programme(&two, None, Progress::default(), &mut || false).unwrap_err();
    assert_eq!(error.name, name::NO_PROGRAMME);
    assert!(error.message.contains("not_before") || error.message.contains("2026-03-11"), "{}", error.message);
}
