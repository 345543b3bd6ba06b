//! What begins while a window is open ends it, for those whom it concerns.

use serde_json::{Value, json};
use wave_plan::{Portfolio, Programme, Refusal};

use crate::{date, four, held, planned};

/// a takes four hours of a window from Saturday 20:00 to Sunday 04:00, of which a fifth is kept free.
fn over_midnight() -> Value {
    let mut value = four();
    value["applications"][0]["cutover"] = "4h".into();
    value
}

fn held(value: &Value) -> Programme {
    let programme = planned(value).unwrap();
    held::check(&Portfolio::read(value).unwrap(), &programme);
    programme
}

fn because(programme: &Programme, name: &str) -> String {
    programme.placements.iter().find(|one| one.application == name).unwrap().because.join("; ")
}

#[test]
fn a_freeze_that_begins_while_the_window_is_open_has_to_be_awaited_by_what_takes_longer() {
    let mut value = over_midnight();
    assert_eq!(date(&held(&value), "a"), "2026-03-07");
    value["calendar"]["freezes"] =
        json!([{ "name": "sale", "from": "2026-03-08", "to": "2026-03-13", "applications": ["a"] }]);
    let programme = held(&value);
    assert_eq!(date(&programme, "a"), "2026-03-14");
    // Of the others one is as good as another day.
    assert_eq!(
        because(&programme, "a"),
        "the window of 2026-03-07 is too short for it before the freeze \"sale\" begins on 2026-03-08"
    );
    // For all: nobody's window is longer than until midnight.
    value["calendar"]["freezes"][0].as_object_mut().unwrap().remove("applications");
    let programme = held(&value);
    assert_eq!(date(&programme, "a"), "2026-03-14");
    let wave = programme.waves.iter().find(|wave| wave.date == "2026-03-07");
    assert!(wave.is_none_or(|wave| wave.planned_minutes_most == 192), "{wave:?}");
}

#[test]
fn a_period_in_which_an_application_must_not_move_ends_its_window() {
    let mut value = over_midnight();
    value["applications"][0]["forbidden"] = json!([{ "from": "2026-03-08", "to": "2026-03-09" }]);
    let programme = held(&value);
    assert_eq!(date(&programme, "a"), "2026-03-14");
    assert_eq!(
        because(&programme, "a"),
        "the window of 2026-03-07 is too short for it before 2026-03-08, from when on a must not move"
    );
}

#[test]
fn what_ends_before_midnight_moves_in_the_evening_before_a_freeze() {
    let mut value = over_midnight();
    value["applications"][0]["cutover"] = "3h".into();
    value["applications"][0]["not_after"] = "2026-03-07".into();
    value["calendar"]["freezes"] =
        json!([{ "name": "sale", "from": "2026-03-08", "to": "2026-03-13", "applications": ["a"] }]);
    // With the others it would take longer: three hours at four at a time, and an hour more.
    value["limits"] = json!({ "parallel_cutovers": 1 });
    let programme = held(&value);
    let wave = &programme.waves[0];
    assert_eq!((wave.date.as_str(), wave.planned_minutes_most, wave.applications.len()), ("2026-03-07", 192, 1));
}

#[test]
fn a_freeze_that_leaves_too_little_of_every_window_is_a_contradiction() {
    let mut value = over_midnight();
    value["calendar"]["end"] = "2026-03-08".into();
    value["calendar"]["freezes"] = json!([{ "name": "sale", "from": "2026-03-08", "to": "2026-03-13" }]);
    let Err(Refusal::Infeasible { conflicts }) = planned(&value) else { panic!("it is planned") };
    assert_eq!(
        conflicts[0].constraints,
        ["nothing moves from 2026-03-08 to 2026-03-13 (freeze \"sale\")", "the programme ends by 2026-03-08"]
    );
}

/// On the 29th of March, the clocks go from two to three.
#[test]
fn the_time_until_a_freeze_is_that_of_the_clocks() {
    let mut value = over_midnight();
    value["calendar"]["time_zone"] = "Europe/Zurich".into();
    value["calendar"]["windows"] = json!([{ "days": ["saturday"], "opens": "20:00", "lasts": "30h" }]);
    value["calendar"]["freezes"] = json!([{ "name": "sale", "from": "2026-03-30", "to": "2026-04-12" },
        { "name": "audit", "from": "2026-03-02", "to": "2026-03-27" }]);
    let programme = held(&value);
    assert_eq!(
        (programme.waves[0].date.as_str(), programme.waves[0].planned_minutes_most),
        ("2026-03-28", 27 * 60 * 8 / 10)
    );
}
