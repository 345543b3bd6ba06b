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
    let told = Told { done: Some(&done), ..Told::default() };
    let progress = progress(&two(), None, runs, &told, at("2026-03-10T00:00:00Z")).unwrap();
    dates(progress)
}

fn dates(progress: Progress) -> BTreeMap<String, String> {
    progress.settled.into_iter().map(|(name, date)| (name, date.to_string())).collect()
}

#[test]
fn what_has_moved_or_moves_is_settled_on_the_date_of_its_window() {
    let moved = run(Phase::Finished, "2026-03-07T16:00:00Z", Some("Succeeded"));
    // At one in the morning of Sunday, in the window that had opened on Saturday.
    assert_eq!(settled(&[moved], &[]), [("a".to_owned(), "2026-03-07".to_owned())].into());
    let in_no_window = run(Phase::Finished, "2026-03-08T16:00:00Z", Some("Succeeded"));
    assert_eq!(settled(&[in_no_window], &[]), [("a".to_owned(), "2026-03-09".to_owned())].into());
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
    let refused = |done: &[(&str, &str)], not_done: &[&str]| {
        let done = done.iter().map(|(name, date)| ((*name).to_owned(), date.parse().unwrap())).collect();
        let not_done = not_done.iter().map(|name| (*name).to_owned()).collect();
        let told = Told { done: Some(&done), not_done: Some(&not_done), ..Told::default() };
        let error = progress(&two(), None, &[], &told, at("2026-03-10T00:00:00Z")).unwrap_err();
        assert_eq!(error.name, name::INVALID_GESTURE);
        error.message
    };
    let unknown = refused(&[("cmr", "2026-03-05")], &[]);
    assert!(unknown.contains("$.progress.done") && unknown.contains("did you mean crm?"), "{unknown}");
    let unknown = refused(&[], &["cmr"]);
    assert!(unknown.contains("$.progress.not_done") && unknown.contains("did you mean crm?"), "{unknown}");
}

#[test]
fn a_date_on_which_nothing_can_have_been_done_is_refused() {
    for (on, why) in [("2020-01-01", "before 2026-03-02"), ("2026-03-11", "after 2026-03-10, which is today")] {
        let done = [("crm".to_owned(), on.parse().unwrap())].into();
        let told = Told { done: Some(&done), ..Told::default() };
        let error = progress(&two(), None, &[], &told, at("2026-03-10T00:00:00Z")).unwrap_err();
        assert!(error.name == name::INVALID_GESTURE && error.message.contains(why), "{}", error.message);
    }
}

/// The programme of a portfolio of which some is done.
fn before(done: &[(&str, &str)]) -> Programme {
    let settled = done.iter().map(|(name, date)| ((*name).to_owned(), date.parse().unwrap())).collect();
    programme(&two(), None, Progress { today: None, settled }, &mut || false).unwrap()
}

#[test]
fn what_was_put_back_since_the_programme_before_or_is_said_not_to_be_done_is_planned_again() {
    let before = before(&[("a", "2026-03-07"), ("crm", "2026-03-05")]);
    let since = |runs: &[PastRun], not_done: &[&str]| {
        let not_done = not_done.iter().map(|name| (*name).to_owned()).collect();
        let told = Told { not_done: Some(&not_done), ..Told::default() };
        let progress = progress(&two(), Some(&before), runs, &told, at("2026-03-10T00:00:00Z")).unwrap();
        dates(progress).into_keys().collect::<Vec<_>>()
    };
    let moved = run(Phase::Finished, "2026-03-07T16:00:00Z", Some("Succeeded"));
    let back = run(Phase::RolledBack, "2026-03-08T16:00:00Z", Some("RolledBack"));
    assert_eq!(since(&[], &[]), ["a", "crm"], "the journal does not know of it: it was said");
    assert_eq!(since(std::slice::from_ref(&moved), &[]), ["a", "crm"]);
    assert_eq!(since(&[moved.clone(), back.clone()], &[]), ["crm"], "its newest run was put back");
    assert_eq!(since(&[back, moved.clone()], &[]), ["a", "crm"], "it was moved again");
    assert_eq!(since(&[moved], &["a", "crm"]), Vec::<String>::new());
}

#[test]
fn what_was_done_on_a_date_without_a_window_is_in_no_wave() {
    // A Wednesday.
    let programme = before(&[("a", "2026-03-04")]);
    assert_eq!(programme.waves, []);
    let a = programme.placements.iter().find(|one| one.application == "a").unwrap();
    assert_eq!((a.date.as_str(), a.wave, a.is_settled), ("2026-03-04", None, true));
}

#[test]
fn today_is_that_of_the_portfolios_zone_unless_people_say_another() {
    let today = |said: Option<Date>| {
        let told = Told { today: said, ..Told::default() };
        progress(&two(), None, &[], &told, at("2026-03-09T16:00:00Z")).unwrap().today.unwrap()
    };
    assert_eq!(today(None).to_string(), "2026-03-10");
    assert_eq!(today(Some("2026-03-04".parse().unwrap())).to_string(), "2026-03-04");
}

#[test]
fn what_is_wrong_is_told_on_one_line() {
    let portfolio = portfolio(&json!({ "name": "x", "calendar": { "start": "2026-03-02", "windows": [] }, "applications": [{ "name": "a", "stratgy": "rehost" }] })).unwrap_err();
    let mut two = two();
    two.applications[0].not_before = Some("2026-03-10".to_owned());
    two.applications[0].not_after = Some("2026-03-11".to_owned());
    let programme = programme(&two, None, Progress::default(), &mut || false).unwrap_err();
    for StepError { message, .. } in [portfolio, programme] {
        assert!(!message.contains('\n') && message.contains("; "), "{message}");
    }
    assert_eq!(
        one_line("# No\n\nThese do not:\n\n- one (`$`)\n- two\n\nMeanwhile:\n\n- three\n"),
        "No. These do not: one (`$`); two. Meanwhile: three"
    );
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
