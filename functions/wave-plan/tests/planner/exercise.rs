//! The exercise: 25 applications in six weeks.

use std::collections::BTreeMap;

use serde_json::json;
use wave_plan::{Request, plan, report};

use crate::{date, depends, exercise, four, held, planned};

#[test]
fn the_exercise_is_what_it_says_and_is_planned_within_its_six_weeks() {
    let portfolio = exercise();
    let mut strategies: BTreeMap<&str, usize> = BTreeMap::new();
    portfolio.applications.iter().for_each(|one| *strategies.entry(one.strategy.name()).or_default() += 1);
    let wanted = [("refactor", 3), ("rehost", 10), ("replatform", 4), ("repurchase", 3), ("retire", 5)];
    assert_eq!(strategies, wanted.into_iter().collect());
    let programme = plan(&portfolio, &Request::default(), &mut || false).unwrap();
    held::check(&portfolio, &programme);
    assert!(programme.quality.days <= 42 && programme.quality.is_shortest, "{:?}", programme.quality);
    assert!(programme.placements.iter().all(|one| !one.because.is_empty()), "each place has a reason");
    assert!(!programme.critical_path.is_empty());
    let last = programme.critical_path.last().unwrap();
    assert_eq!(date(&programme, last), programme.end, "the critical path ends with the programme");
}

#[test]
fn the_same_portfolio_leads_to_the_same_programme_in_every_byte() {
    let portfolio = exercise();
    let programme = || plan(&portfolio, &Request::default(), &mut || false).unwrap();
    let (one, other) = (programme(), programme());
    assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&other).unwrap());
    assert_eq!(report::gantt(&portfolio, &one), report::gantt(&portfolio, &other));
}

/// The clocks go forward in the night of the 28th: a window of ten hours ends an hour later on the clock.
#[test]
fn windows_are_in_the_programmes_time_zone() {
    let programme = plan(&exercise(), &Request::default(), &mut || false).unwrap();
    let wave = programme.waves.iter().find(|wave| wave.date == "2026-03-28").unwrap();
    assert_eq!((wave.opens.as_str(), wave.closes.as_str()), ("2026-03-28T20:00:00+01:00", "2026-03-29T07:00:00+02:00"));
}

#[test]
fn lockstep_groups_move_together_and_later_stages_after_what_they_need() {
    let mut value = four();
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "together" }));
    depends(&mut value, json!({ "first": "b", "then": "c", "kind": "before" }));
    let programme = planned(&value).unwrap();
    let wave = &programme.waves[0];
    let stage = |name: &str| wave.applications.iter().find(|one| one.name == name).unwrap();
    assert_eq!((stage("a").stage, stage("b").stage, stage("c").stage), (1, 1, 2));
    assert_eq!(stage("a").together_with, ["b"]);
    // What one of them needs, both wait for.
    depends(&mut value, json!({ "first": "d", "then": "a", "kind": "before" }));
    let programme = planned(&value).unwrap();
    let stages: Vec<(&str, usize)> =
        programme.waves[0].applications.iter().map(|one| (one.name.as_str(), one.stage)).collect();
    assert_eq!(stages, [("d", 1), ("a", 2), ("b", 2), ("c", 3)]);
}

#[test]
fn pilots_go_first_and_alone() {
    let mut value = four();
    value["applications"][3]["pilot"] = true.into();
    let programme = planned(&value).unwrap();
    assert_eq!(programme.waves[0].applications.len(), 1);
    assert_eq!(date(&programme, "d"), "2026-03-07");
    assert_eq!(date(&programme, "a"), "2026-03-14");
}

#[test]
fn a_part_of_every_team_and_window_is_kept_free() {
    let mut value = four();
    // Four of 2.4 days in one week are 9.6 of 10.
    for place in 0..4 {
        value["applications"][place]["effort"] = json!([{ "team": "platform", "days": 2.4 }]);
    }
    let with = planned(&value).unwrap();
    value["contingency_percent"] = 0.into();
    let without = planned(&value).unwrap();
    assert_eq!((with.end.as_str(), without.end.as_str()), ("2026-03-21", "2026-03-14"));
    // Four of two hours, one at a time, are eight: all of the window.
    let mut value = four();
    value["limits"] = json!({ "parallel_cutovers": 1 });
    for place in 0..4 {
        value["applications"][place]["cutover"] = "2h".into();
    }
    let with = planned(&value).unwrap();
    value["contingency_percent"] = 0.into();
    assert_eq!((with.waves.len(), planned(&value).unwrap().waves.len()), (2, 1));
}

#[test]
fn a_soft_dependency_is_kept_where_it_costs_nothing_and_told_where_it_would() {
    let soft = |first: &str, then: &str, days: u32| {
        let mut value = four();
        value["limits"] = json!({ "applications_per_wave": 2 });
        let wish = json!({ "first": first, "then": then, "kind": "not_before_days", "days": days, "strength": "soft" });
        depends(&mut value, wish);
        planned(&value).unwrap()
    };
    // Either way round: neither is so by itself.
    for (first, then) in [("d", "a"), ("a", "d"), ("b", "c"), ("c", "b")] {
        let programme = soft(first, then, 7);
        assert_eq!(programme.unmet, Vec::<String>::new());
        assert_eq!((date(&programme, first), date(&programme, then)), ("2026-03-07", "2026-03-14"));
    }
    let programme = soft("d", "a", 14);
    assert_eq!(programme.unmet, ["a moves no earlier than 14 days after d"]);
    assert_eq!(programme.end, "2026-03-14");
}

#[test]
fn a_programme_without_an_end_takes_as_long_as_it_takes() {
    let mut value = four();
    value["calendar"].as_object_mut().unwrap().remove("end");
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "not_before_days", "days": 400 }));
    let programme = planned(&value).unwrap();
    assert_eq!(date(&programme, "b"), "2027-04-17");
}

/// In the week of a holiday a team does four fifths: what would be full has to go around it.
#[test]
fn a_week_with_a_holiday_has_less_of_a_team() {
    let mut value = four();
    value["applications"][0]["effort"] = json!([{ "team": "platform", "days": 8 }]);
    value["applications"][0]["preparation_weeks"] = 1.into();
    assert_eq!(date(&planned(&value).unwrap(), "a"), "2026-03-14");
    value["calendar"]["holidays"] = json!([{ "date": "2026-03-11" }]);
    assert_eq!(date(&planned(&value).unwrap(), "a"), "2026-03-28");
}

/// Whatever a portfolio names, it is looked ahead beyond it.
#[test]
fn long_waits_are_no_contradiction() {
    let mut value = four();
    value["calendar"].as_object_mut().unwrap().remove("end");
    value["applications"][0]["not_before"] = "2031-01-01".into();
    for (first, then) in [("a", "b"), ("b", "c"), ("c", "d")] {
        depends(&mut value, json!({ "first": first, "then": then, "kind": "not_before_days", "days": 900 }));
    }
    let programme = planned(&value).unwrap();
    assert_eq!((date(&programme, "a"), date(&programme, "d")), ("2031-01-04", "2038-06-05"));
}

#[test]
fn reasons_name_what_is_in_the_way() {
    let mut value = four();
    value["applications"][0]["not_after"] = "2026-03-10".into();
    value["calendar"]["freezes"] =
        json!([{ "name": "stocktaking", "from": "2026-03-08", "to": "2026-03-15", "applications": ["b"] }]);
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "not_before_days", "days": 7 }));
    let programme = planned(&value).unwrap();
    let because = &programme.placements.iter().find(|one| one.application == "b").unwrap().because;
    assert_eq!(date(&programme, "b"), "2026-03-21");
    assert_eq!(because.join("; "), "the freeze \"stocktaking\" ends on 2026-03-15");
    value["calendar"]["freezes"] = json!([]);
    let programme = planned(&value).unwrap();
    let because = &programme.placements.iter().find(|one| one.application == "b").unwrap().because;
    assert_eq!(because.join("; "), "it comes no earlier than 7 days after a (wave 1)");
}

/// In one wave, a wish that is kept is a stage; of two that contradict each other, one is kept and the other told.
#[test]
fn a_soft_order_within_one_wave_is_a_stage_or_is_told() {
    let mut value = four();
    let wish = |first: &str, then: &str| json!({ "first": first, "then": then, "kind": "before", "strength": "soft" });
    depends(&mut value, wish("b", "a"));
    let programme = planned(&value).unwrap();
    let staged = |programme: &wave_plan::Programme, name: &str| {
        let wave = programme.waves.iter().find(|wave| wave.applications.iter().any(|one| one.name == name)).unwrap();
        let one = wave.applications.iter().find(|one| one.name == name).unwrap();
        (wave.number, one.stage, one.also_after.clone())
    };
    value["calendar"]["end"] = "2026-03-07".into();
    let within = planned(&value).unwrap();
    assert_eq!((staged(&within, "b"), staged(&within, "a")), ((1, 1, vec![]), (1, 2, vec!["b".to_owned()])));
    assert_eq!((programme.unmet, within.unmet), (Vec::<String>::new(), Vec::<String>::new()));
    depends(&mut value, wish("a", "b"));
    let programme = planned(&value).unwrap();
    assert_eq!(programme.unmet.len(), 1, "{:?}", programme.unmet);
    let (kept, then) = if programme.unmet[0] == "b moves after a" { ("b", "a") } else { ("a", "b") };
    assert!(staged(&programme, kept).1 < staged(&programme, then).1, "{:?}", programme.waves);
}

/// A lockstep that is only a wish, and that lies on one day by chance, is no lockstep.
#[test]
fn a_soft_lockstep_that_cannot_be_is_told_though_both_are_on_one_day() {
    let mut value = four();
    value["calendar"]["end"] = "2026-03-07".into();
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "before" }));
    depends(&mut value, json!({ "first": "a", "then": "b", "kind": "together", "strength": "soft" }));
    let programme = planned(&value).unwrap();
    assert_eq!(programme.unmet, ["a and b move together"]);
    let stages: Vec<(&str, usize)> =
        programme.waves[0].applications.iter().map(|one| (one.name.as_str(), one.stage)).collect();
    assert_eq!(stages, [("a", 1), ("c", 1), ("d", 1), ("b", 2)]);
}

#[test]
fn what_is_prepared_without_a_team_is_prepared_all_the_same() {
    let mut value = four();
    value["applications"][0]["preparation_weeks"] = 3.into();
    let programme = planned(&value).unwrap();
    let a = programme.placements.iter().find(|one| one.application == "a").unwrap();
    assert_eq!((a.date.as_str(), a.preparation_from.as_deref()), ("2026-03-28", Some("2026-03-07")));
    assert_eq!(a.because, ["its preparation takes 3 weeks"]);
    value["applications"][0]["not_after"] = "2026-03-20".into();
    let Err(wave_plan::Refusal::Infeasible { conflicts }) = planned(&value) else { panic!("it is planned") };
    assert_eq!(conflicts[0].constraints, ["a moves on 2026-03-20 at the latest"]);
    assert_eq!(conflicts[0].given, ["a is prepared for 3 weeks: it moves on 2026-03-23 at the earliest"]);
}
