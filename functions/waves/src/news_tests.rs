use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::WavePlan;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn order(more: &Value) -> Order {
    let mut wave = json!({ "wave": "spring-2", "applications": [
        { "name": "db", "cutover_from": "plans/db.json", "owner": "Data" },
        { "name": "web", "cutover_from": "plans/web.json", "needs": ["db"] },
        { "name": "api", "cutover_from": "plans/api.json", "needs": ["db"] },
    ] });
    for (field, value) in more.as_object().unwrap() {
        wave[field] = value.clone();
    }
    Order::of(&WavePlan::read(&wave).unwrap(), &[])
}

/// What is noticed of a state; what was noticed before is told, and gone.
fn noticed(order: &Order, state: &mut State, at: Timestamp) -> Vec<What> {
    notice(order, state, at);
    std::mem::take(&mut state.untold).into_iter().map(|news| news.what).collect()
}

#[test]
fn groups_hear_of_a_wave_from_its_announcement_to_its_end_and_of_nothing_twice() {
    let order = order(&json!({}));
    let at = time("2026-03-07T20:00:00Z");
    let mut state = State::opened(&order, "arn:me", at);
    assert_eq!(noticed(&order, &mut state, at), [What::Announced]);
    assert_eq!(noticed(&order, &mut state, at), []);
    state.stage = Stage::Asking;
    assert_eq!(noticed(&order, &mut state, at), [What::Approval]);
    state.stage = Stage::Going;
    state.members[0].become_now(Is::Running, at);
    assert_eq!(noticed(&order, &mut state, at), [What::Begun]);
    assert_eq!(noticed(&order, &mut state, at), []);
    state.members[0].become_now(Is::Moved, at);
    state.members[1].become_now(Is::Running, at);
    assert_eq!(noticed(&order, &mut state, at), [What::Stage(1)]);
    state.paused = Some(Said { by: "Ada".to_owned(), why: "lunch".to_owned(), at });
    assert_eq!(noticed(&order, &mut state, at), [What::Held]);
    assert_eq!(state.heard.held.as_deref(), Some("\"Ada\" has paused it: lunch"));
    state.paused = None;
    assert_eq!(noticed(&order, &mut state, at), [What::Resumed]);
    (state.stage, state.ending) = (Stage::Over, Some(Ending::Incomplete));
    assert_eq!(noticed(&order, &mut state, at), [What::Ended]);
    assert_eq!(noticed(&order, &mut state, at), []);
    // A person has it go on.
    (state.stage, state.ending) = (Stage::Going, None);
    assert_eq!(noticed(&order, &mut state, at), [What::Resumed]);
    (state.stage, state.ending) = (Stage::Over, Some(Ending::Moved));
    assert_eq!(noticed(&order, &mut state, at), [What::Ended]);
}

#[test]
fn a_question_that_is_asked_anew_is_told_anew_and_a_wave_that_halts_says_why() {
    let order = order(&json!({}));
    let at = time("2026-03-07T20:00:00Z");
    let mut state = State { stage: Stage::Asking, ..State::opened(&order, "arn:me", at) };
    assert_eq!(noticed(&order, &mut state, at), [What::Approval]);
    state.stage = Stage::Checking;
    state.heard.announced = true;
    noticed(&order, &mut state, at);
    state.stage = Stage::Asking;
    assert_eq!(noticed(&order, &mut state, at), [What::Approval]);
    state.stage = Stage::Going;
    state.members[0].become_now(Is::Moved, at);
    state.members[1].become_now(Is::Running, at);
    state.members[2].become_now(Is::Back, at);
    assert_eq!(noticed(&order, &mut state, at), [What::Begun, What::Stage(1), What::Held]);
    assert_eq!(state.heard.held.as_deref(), Some("nothing new starts: 1 of 3 failed, and 0 may"));
}

#[test]
fn an_ending_has_each_applications_own_with_the_times_that_were_measured() {
    let order = order(&json!({ "announcement": { "contact": "#moves", "expected_downtime": "5m" } }));
    let at = time("2026-03-07T20:00:00Z");
    let later = |minutes: i64| at + SignedDuration::from_mins(minutes);
    let mut state = State::opened(&order, "arn:aws:states:eu-west-1:1:execution:wave:spring-2", at);
    state.members[0].started_at = Some(at);
    state.members[0].become_now(Is::Moved, later(12));
    state.members[1].started_at = Some(later(12));
    state.members[1].become_now(Is::RollingBack, later(20));
    state.members[1].become_now(Is::Back, later(24));
    state.members[2].become_now(Is::Stuck, later(20));
    (state.stage, state.ending) = (Stage::Over, Some(Ending::Stuck));
    notice(&order, &mut state, later(25));
    let place = Where { bucket: "reports", machine_arn: "arn:wave" };
    let told = told(&order, &state, &state.untold[0], place);
    assert_eq!((told.event.as_str(), told.application.as_str()), ("wave_ended", "spring-2"));
    let names: Vec<&str> =
        told.detail["applications"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["api", "web", "db"], "what needs a person comes first");
    assert_eq!(told.detail["applications"][1]["recovery_seconds"], 240);
    assert_eq!(told.detail["applications"][2]["took_seconds"], 720);
    assert_eq!(
        told.detail["counts"],
        json!({ "new": 1, "done": 0, "before": 1, "not_started": 0, "under_way": 0, "person": 1 })
    );
    assert_eq!(
        (&told.detail["severity"], &told.detail["expected_downtime_seconds"]),
        (&json!("critical"), &json!(300))
    );
    assert_eq!(told.detail["goes_back"], false);
    state.goes_back = Some(Said { by: "Ada".to_owned(), why: "wrong numbers".to_owned(), at });
    let back = super::told(&order, &state, &News { what: What::Held, at }, place);
    assert_eq!(back.detail["goes_back"], true, "it does not only stand still");
    assert!(told.detail["watch"].as_str().unwrap().contains("waves/spring-2.html"));
}

#[test]
fn of_a_thousand_applications_as_many_are_told_as_a_message_holds() {
    let applications: Vec<Value> =
        (0..1000).map(|n| json!({ "name": format!("app-{n}"), "cutover_from": "plans/a.json" })).collect();
    let order = order(&json!({ "applications": applications }));
    let at = time("2026-03-07T20:00:00Z");
    let mut state = State::opened(&order, "arn:me", at);
    notice(&order, &mut state, at);
    let told = told(&order, &state, &state.untold[0], Where { bucket: "reports", machine_arn: "arn:wave" });
    assert_eq!(told.detail["applications"].as_array().unwrap().len(), MOST_APPLICATIONS);
    assert_eq!(told.detail["count"], 1000);
    assert!(serde_json::to_string(&told).unwrap().len() < 64 * 1024);
}
