//! Reports show what others wrote as text, and load nothing.

use wave_plan::{Portfolio, Refusal, Request, plan, report};

use crate::{depends, exercise, four};
use serde_json::json;

const HOSTILE: &str = "<script>alert(1)</script> | [x](http://x) \u{202e} \"'&";

#[test]
fn a_chart_stands_alone_and_has_everything_in_it() {
    let portfolio = exercise();
    let programme = plan(&portfolio, &Request::default(), &mut || false).unwrap();
    let html = report::gantt(&portfolio, &programme);
    for part in ["http://", "https://", "<script", "<link", "url(", "@import"] {
        assert!(!html.contains(part), "{part} is in the page");
    }
    assert!(portfolio.applications.iter().all(|one| html.contains(&one.name)));
    assert!(portfolio.teams.iter().all(|team| html.contains(&team.name)));
    assert!(html.contains("freeze spring sale: 2026-03-19 to 2026-03-22"));
    assert_eq!(html.matches("class=\"wave\"").count(), programme.waves.len());
    assert!(html.matches("class=\"critical\"").count() >= 2, "the critical path is marked");
}

#[test]
fn what_others_wrote_stays_text_in_every_report() {
    let mut value = four();
    value["applications"][0]["owner"] = HOSTILE.into();
    value["calendar"]["freezes"] = json!([{ "name": HOSTILE, "from": "2026-03-01", "to": "2026-03-08" }]);
    let portfolio = Portfolio::read(&value).unwrap();
    let programme = plan(&portfolio, &Request::default(), &mut || false).unwrap();
    let because = programme.placements.iter().find(|one| one.application == "a").unwrap();
    assert!(because.because.join("").contains("script"), "the freeze is the reason: {because:?}");
    let (html, markdown) = (report::gantt(&portfolio, &programme), report::markdown(&programme));
    assert!(!html.contains("<script>") && !html.contains('\u{202e}'));
    assert!(!markdown.contains("<script>") && !markdown.contains("[x](") && !markdown.contains('\u{202e}'));
    let rows = markdown
        .lines()
        .filter(|line| line.starts_with("| 2026-"))
        .map(|line| line.replace("\\|", "").matches('|').count());
    assert!(rows.into_iter().all(|cells| cells == 7 || cells == 3), "a cell was ended by what is in it");
    value["calendar"]["end"] = "2026-03-08".into();
    let portfolio = Portfolio::read(&value).unwrap();
    let refusal = plan(&portfolio, &Request::default(), &mut || false).unwrap_err();
    let told = report::refusal(&refusal);
    assert!(told.contains("script") && !told.contains("<script>"), "{told}");
}

#[test]
fn a_refusal_names_the_circle() {
    let mut value = four();
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "before" }));
    depends(&mut value, json!({ "first": "b", "then": "a", "kind": "before" }));
    let refusal: Refusal = plan(&Portfolio::read(&value).unwrap(), &Request::default(), &mut || false).unwrap_err();
    let told = report::refusal(&refusal);
    assert!(told.contains("A circle: a → b → a") || told.contains("A circle: b → a → b"), "{told}");
}

#[test]
fn a_spreadsheet_has_a_line_for_each_application_and_no_formulas() {
    let mut value = four();
    value["applications"][0]["owner"] = "=HYPERLINK(1)".into();
    let programme = plan(&Portfolio::read(&value).unwrap(), &Request::default(), &mut || false).unwrap();
    let text = report::csv(&programme).unwrap();
    assert_eq!(text.lines().count(), 5);
    assert!(text.contains("'=HYPERLINK(1)") && !text.contains(",=HYPERLINK"));
}

#[test]
fn every_report_of_a_programme_that_was_planned_anew_says_the_slip() {
    let mut value = four();
    let first = plan(&Portfolio::read(&value).unwrap(), &Request::default(), &mut || false).unwrap();
    value["applications"][0]["not_before"] = "2026-03-20".into();
    let portfolio = Portfolio::read(&value).unwrap();
    let request = Request { previous: Some(&first), ..Request::default() };
    let second = plan(&portfolio, &request, &mut || false).unwrap();
    let days = second.baseline.as_ref().unwrap().slip_days;
    assert!(days > 0);
    assert!(
        report::markdown(&second).contains(&format!("ends {days} days later than in the first plan ({})", first.end))
    );
    let html = report::gantt(&portfolio, &second);
    assert!(html.contains(&format!("+{days} days")) && html.contains("class=\"before\""), "{html}");
    let line = report::csv(&second).unwrap().lines().find(|line| line.starts_with("a,")).unwrap().to_owned();
    assert!(line.contains("2026-03-21") && line.contains(&crate::date(&first, "a").to_owned()), "{line}");
}
