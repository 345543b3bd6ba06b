use serde_json::json;
use waves::WavePlan;

use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn order() -> Order {
    let wave = json!({ "wave": "first", "applications": [
        { "name": "db", "cutover_from": "plans/db.json", "owner": "<b>Data</b> & co", "strategy": "replatform" },
        { "name": "web", "cutover_from": "plans/web.json", "needs": ["db"], "together_with": ["api"] },
        { "name": "api", "cutover_from": "plans/api.json" },
        { "name": "fax", "tasks": [{ "what": "<script>alert(1)</script>" }] },
    ] });
    Order::of(&WavePlan::read(&wave).unwrap(), &[])
}

#[test]
fn a_page_says_where_each_application_is_and_what_it_waits_for() {
    let order = order();
    let at = time("2026-03-07T20:00:00Z");
    let mut state = State { stage: Stage::Going, ..State::opened(&order, "arn:me", at) };
    state.members.iter_mut().for_each(|member| member.is_let_go = true);
    state.members[0].is = Is::Running;
    let line = cutover::line::Line::default();
    let view = view(&order, &state, &decide::blocked(&order, &state, &line, at), at);
    assert_eq!((view.stages.len(), view.settled, view.percent, view.is_over), (2, 0, 0, false));
    let page = html(&view).unwrap();
    assert!(page.contains("it needs db, which runs") && page.contains("in lockstep with api"), "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
    assert!(page.contains("&lt;b&gt;Data&lt;") && page.contains("http-equiv=\"refresh\""), "{page}");
}

#[test]
fn a_page_says_that_the_line_is_stopped_and_that_nothing_new_starts() {
    let order = order();
    let at = time("2026-03-07T20:00:00Z");
    let state = State { stage: Stage::Going, ..State::opened(&order, "arn:me", at) };
    let stopped = cutover::line::Stop { by: "Ada".to_owned(), why: "smoke".to_owned(), at };
    let line = cutover::line::Line { stopped: Some(stopped), ..cutover::line::Line::default() };
    let sights = vec![decide::Sight::Nothing; 4];
    let state = decide::next(&order, state, &sights, &line, at).state;
    let of = |state: &State| html(&view(&order, state, &[], at)).unwrap();
    let page = of(&state);
    assert!(page.contains("the line is stopped: nothing new starts") && !page.contains("cutovers run"), "{page}");
    assert!(page.contains("The line is stopped by") && page.contains("smoke"), "{page}");
    let paused = waves::state::Said { by: "Ada".to_owned(), why: "lunch".to_owned(), at };
    let page = of(&State { stage: Stage::Going, line: None, paused: Some(paused), ..state });
    assert!(page.contains("nothing new starts; what runs goes on") && page.contains("Paused by Ada"), "{page}");
}

#[test]
fn a_page_of_a_wave_that_is_over_says_how_it_ended_and_loads_no_more() {
    let order = order();
    let at = time("2026-03-07T20:00:00Z");
    let mut state = State::opened(&order, "arn:me", at);
    (state.stage, state.ending) = (Stage::Over, Some(waves::ending::Ending::Incomplete));
    for (member, is) in state.members.iter_mut().zip([Is::Moved, Is::Back, Is::Back, Is::Done]) {
        member.is = is;
        member.why = (is == Is::Back).then(|| "too many errors".to_owned());
    }
    let view = view(&order, &state, &[], at);
    assert_eq!((view.settled, view.percent, view.class), (4, 100, "note"));
    let page = html(&view).unwrap();
    assert!(
        page.contains("too many errors") && page.contains("The wave is over.") && !page.contains("refresh"),
        "{page}"
    );
}

#[test]
fn a_page_of_a_thousand_applications_has_less_than_two_megabytes() {
    let names: Vec<_> = (0..1_000)
        .map(|place| json!({ "name": format!("application-{place:04}"), "cutover_from": "plans/x.json" }))
        .collect();
    let wave = json!({ "wave": "large", "applications": names });
    let order = Order::of(&WavePlan::read(&wave).unwrap(), &[]);
    let at = time("2026-03-07T20:00:00Z");
    let state = State::opened(&order, "arn:me", at);
    let page = html(&view(&order, &state, &[], at)).unwrap();
    assert!(page.len() < 2_000_000, "{}", page.len());
}
