use cutover::plan::{Alias, Step};
use proptest::prelude::*;

use super::*;
use crate::name::batch::Change;
use crate::name::record::tests::{checked, simple, weighted};

/// A route that moves a name's A record to `5.6.7.8` in one step.
pub(crate) fn route(old_set_identifier: Option<&str>) -> DnsRoute {
    let new = RecordData { values: Some(vec!["5.6.7.8".to_owned()]), ..RecordData::default() };
    let old_set_identifier = old_set_identifier.map(str::to_owned);
    DnsRoute {
        hosted_zone_id: "Z1".to_owned(),
        account: None,
        record_name: "App.Example.com".to_owned(),
        records: vec![RecordChange { record_type: RecordType::A, new: Some(new), old_set_identifier }],
        ttl: 60,
        health_checks: None,
        steps: vec![Step { new_weight: 100, hold: cutover::Seconds(0) }],
    }
}

/// `identifier value weight ttl` of each record set.
fn shape(state: &NameState) -> Vec<String> {
    let line = |r: &RecordSet| {
        let identifier = r.set_identifier.as_deref().unwrap_or("-");
        format!("{identifier} {} {} {}", r.values.join(","), r.weight.unwrap_or(-1), r.ttl.unwrap_or(-1))
    };
    state.records().iter().map(line).collect()
}

#[test]
fn a_simple_record_becomes_a_pair_and_then_one_record_with_its_own_ttl() {
    let before = NameState::new(vec![simple("1.2.3.4", 300)]);
    let prepared = before.planned(&route(None), 0, &PairChecks::default()).unwrap();
    assert_eq!(shape(&prepared), ["cutover-new 5.6.7.8 0 60", "cutover-old 1.2.3.4 100 60"]);
    let finished = before.finished(&route(None)).unwrap();
    assert_eq!(shape(&finished), ["- 5.6.7.8 -1 300"]);
}

#[test]
fn neighbours_keep_their_weights_and_share_the_lowered_ttl() {
    let before = NameState::new(vec![weighted("blue", "1.2.3.4", 200), weighted("canary", "9.9.9.9", 1)]);
    let route = route(Some("blue"));
    let planned = before.planned(&route, 25, &PairChecks::default()).unwrap();
    assert_eq!(shape(&planned), ["blue 1.2.3.4 150 60", "canary 9.9.9.9 1 60", "cutover-new 5.6.7.8 50 60"]);
    let finished = before.finished(&route).unwrap();
    assert_eq!(shape(&finished), ["blue 5.6.7.8 200 300", "canary 9.9.9.9 1 300"]);
}

#[test]
fn neighbours_without_traffic_have_nothing_to_keep() {
    let before = NameState::new(vec![weighted("blue", "1.2.3.4", 1), weighted("left", "9.9.9.9", 0)]);
    let planned = before.planned(&route(None), 10, &PairChecks::default()).unwrap();
    assert_eq!(shape(&planned), ["blue 1.2.3.4 90 60", "cutover-new 5.6.7.8 10 60", "left 9.9.9.9 0 60"]);
    assert_eq!(shape(&before.finished(&route(None)).unwrap()), ["blue 5.6.7.8 1 300", "left 9.9.9.9 0 300"]);
}

#[test]
fn a_ttl_that_is_lower_than_the_plans_is_not_raised() {
    let short = |record: RecordSet| RecordSet { ttl: Some(20), ..record };
    let before = NameState::new(vec![short(weighted("blue", "1.2.3.4", 1)), short(weighted("left", "9.9.9.9", 0))]);
    let planned = before.planned(&route(None), 10, &PairChecks::default()).unwrap();
    assert_eq!(shape(&planned), ["blue 1.2.3.4 90 20", "cutover-new 5.6.7.8 10 20", "left 9.9.9.9 0 20"]);
    assert_eq!(shape(&before.finished(&route(None)).unwrap()), ["blue 5.6.7.8 1 20", "left 9.9.9.9 0 20"]);
}

#[test]
fn what_takes_the_place_of_a_weighted_alias_has_the_ttl_of_its_neighbours() {
    let alias = AliasTarget {
        dns_name: "lb.example.net.".to_owned(),
        hosted_zone_id: "Z2".to_owned(),
        evaluate_target_health: false,
    };
    let old = RecordSet { ttl: None, values: vec![], alias: Some(alias), ..weighted("blue", "", 100) };
    for weight in [0, 100] {
        let before = NameState::new(vec![old.clone(), weighted("left", "9.9.9.9", weight)]);
        let finished = before.finished(&route(Some("blue"))).unwrap();
        let neighbour = format!("left 9.9.9.9 {weight} 300");
        assert_eq!(shape(&finished), ["blue 5.6.7.8 100 300", &neighbour]);
        assert_eq!(before.check_batches(&route(Some("blue"))), Ok(()), "{weight}");
    }
    let alone = NameState::new(vec![old]).finished(&route(None)).unwrap();
    assert_eq!(shape(&alone), ["blue 5.6.7.8 100 60"], "the plan's");
}

#[test]
fn a_set_identifier_that_is_taken_is_left_to_its_record() {
    let left = weighted("cutover-old", "1.2.3.4", 0);
    let before = NameState::new(vec![left.clone(), weighted("cutover-new", "9.9.9.9", 100)]);
    let planned = before.planned(&route(None), 30, &PairChecks::default()).unwrap();
    assert_eq!(
        shape(&planned),
        ["cutover-new 9.9.9.9 70 60", "cutover-new-2 5.6.7.8 30 60", "cutover-old 1.2.3.4 0 60"]
    );
    let finished = before.finished(&route(None)).unwrap();
    assert_eq!(shape(&finished), ["cutover-new 5.6.7.8 100 300", "cutover-old 1.2.3.4 0 300"]);
    let more = [left, weighted("cutover-new", "9.9.9.9", 100), weighted("cutover-new-2", "9.9.9.8", 0)];
    let planned = NameState::new(more.to_vec()).planned(&route(None), 30, &PairChecks::default()).unwrap();
    assert!(shape(&planned).contains(&"cutover-new-3 5.6.7.8 30 60".to_owned()), "{planned:?}");
}

#[test]
fn one_record_at_weight_zero_answers_and_is_moved() {
    let before = NameState::new(vec![weighted("blue", "1.2.3.4", 0)]);
    assert_eq!(before.check_pair(&route(None)), Ok(()));
    let planned = before.planned(&route(None), 30, &PairChecks::default()).unwrap();
    assert_eq!(shape(&planned), ["blue 1.2.3.4 70 60", "cutover-new 5.6.7.8 30 60"]);
    assert_eq!(shape(&before.finished(&route(None)).unwrap()), ["blue 5.6.7.8 0 300"]);
}

#[test]
fn records_that_are_all_at_weight_zero_answer_evenly_and_neighbours_keep_their_part() {
    let before = NameState::new(vec![weighted("blue", "1.2.3.4", 0), weighted("canary", "9.9.9.9", 0)]);
    let route = route(Some("blue"));
    assert_eq!(before.check_pair(&route), Ok(()));
    let planned = before.planned(&route, 30, &PairChecks::default()).unwrap();
    assert_eq!(shape(&planned), ["blue 1.2.3.4 70 60", "canary 9.9.9.9 100 60", "cutover-new 5.6.7.8 30 60"]);
    assert_eq!(shape(&before.finished(&route).unwrap()), ["blue 5.6.7.8 0 300", "canary 9.9.9.9 0 300"]);
}

#[test]
fn what_answers_evenly_with_the_new_side_among_it_serves_both() {
    let before = NameState::new(vec![weighted("blue", "1.2.3.4", 0), weighted("green", "5.6.7.8", 0)]);
    let problem = before.check_pair(&route(Some("blue"))).unwrap_err();
    assert!(problem.contains("all weights of its A records are 0"), "{problem}");
}

#[test]
fn several_serving_records_need_the_old_one_named() {
    let before = NameState::new(vec![weighted("a", "1.2.3.4", 100), weighted("b", "9.9.9.9", 100)]);
    assert!(before.finished(&route(None)).unwrap_err().contains("not clear"));
    assert_eq!(shape(&before.finished(&route(Some("b"))).unwrap())[1], "b 5.6.7.8 100 300");
    assert!(before.finished(&route(Some("c"))).unwrap_err().contains("`c`"));
}

#[test]
fn a_new_record_prepared_by_hand_is_used_and_kept() {
    let before = NameState::new(vec![weighted("blue", "1.2.3.4", 100), weighted("green", "5.6.7.8", 0)]);
    let planned = before.planned(&route(None), 30, &PairChecks::default()).unwrap();
    assert_eq!(shape(&planned), ["blue 1.2.3.4 70 60", "green 5.6.7.8 30 60"]);
    let finished = before.finished(&route(None)).unwrap();
    assert_eq!(shape(&finished), ["blue 1.2.3.4 0 300", "green 5.6.7.8 100 300"]);
}

#[test]
fn the_old_side_must_serve_and_the_new_one_must_not() {
    let pair = |old, new| NameState::new(vec![weighted("blue", "1.2.3.4", old), weighted("green", "5.6.7.8", new)]);
    assert_eq!(pair(100, 0).check_pair(&route(None)), Ok(()));
    let moved = pair(0, 50);
    assert!(moved.finished(&route(None)).unwrap().is_like(&moved), "there is nothing to move");
    assert!(pair(50, 50).check_pair(&route(None)).is_err());
    assert!(pair(0, 0).check_pair(&route(None)).is_err());
}

#[test]
fn each_type_keeps_its_own_health_check_where_the_plan_wants_none() {
    let new = |kind, value: &str| RecordChange {
        record_type: kind,
        new: Some(RecordData { values: Some(vec![value.to_owned()]), ..RecordData::default() }),
        old_set_identifier: None,
    };
    let records = vec![new(RecordType::A, "5.6.7.8"), new(RecordType::Aaaa, "2001:db8::77")];
    let route = DnsRoute { records, ..route(None) };
    let aaaa = RecordSet { record_type: "AAAA".to_owned(), ..weighted("blue", "2001:db8::1", 100) };
    let before = NameState::new(vec![checked(weighted("blue", "1.2.3.4", 100), "four"), checked(aaaa, "six")]);
    let planned = before.planned(&route, 50, &PairChecks::default()).unwrap();
    let checks: Vec<_> = planned.records().iter().map(|record| record.health_check_id.as_deref()).collect();
    assert_eq!(checks, [Some("four"), None, Some("six"), None]);
}

#[test]
fn the_final_record_inherits_its_health_check_unless_the_plan_says_otherwise() {
    let before = NameState::new(vec![checked(simple("1.2.3.4", 300), "old")]);
    let found = |named: Option<Option<&str>>| {
        let mut route = route(None);
        route.records[0].new.as_mut().unwrap().health_check_id = named.map(|named| named.map(str::to_owned));
        let of = |state: NameState| -> Vec<Option<String>> {
            state.records().iter().map(|record| record.health_check_id.clone()).collect()
        };
        let pair = of(before.planned(&route, 50, &PairChecks::default()).unwrap());
        (pair, of(before.finished(&route).unwrap()))
    };
    let text = |id: &str| Some(id.to_owned());
    // The pair is the new record and the old one: a check of the old side says nothing of the new one.
    assert_eq!(found(None), (vec![None, text("old")], vec![text("old")]));
    assert_eq!(found(Some(None)), (vec![None, text("old")], vec![None]));
    assert_eq!(found(Some(Some("new"))), (vec![text("new"), text("old")], vec![text("new")]));
}

#[test]
fn an_alias_evaluates_its_targets_health_as_the_old_one_did_unless_the_plan_says_otherwise() {
    let old = |on| {
        let alias = AliasTarget {
            dns_name: "old-lb.example.net.".to_owned(),
            hosted_zone_id: "Z2".to_owned(),
            evaluate_target_health: on,
        };
        NameState::new(vec![RecordSet { ttl: None, values: vec![], alias: Some(alias), ..simple("", 0) }])
    };
    let found = |before: &NameState, said: Option<bool>, zone: &str| {
        let alias = Alias {
            dns_name: "new-lb.example.net".to_owned(),
            hosted_zone_id: zone.to_owned(),
            evaluate_target_health: said,
        };
        let mut route = route(None);
        route.records[0].new = Some(RecordData { alias: Some(alias), ..RecordData::default() });
        let finished = before.finished(&route).unwrap();
        finished.records()[0].alias.as_ref().is_some_and(|alias| alias.evaluate_target_health)
    };
    for (on, said, zone, expected) in [
        (true, None, "Z2", true),
        (false, None, "Z2", false),
        (true, Some(false), "Z2", false),
        (false, Some(true), "Z2", true),
        (true, None, CLOUDFRONT_ZONE, false),
    ] {
        assert_eq!(found(&old(on), said, zone), expected, "{on} {said:?} {zone}");
    }
    assert!(!found(&NameState::new(vec![simple("1.2.3.4", 300)]), None, "Z2"));
}

#[test]
fn a_record_prepared_by_hand_evaluates_its_targets_health_as_the_plan_says() {
    let alias = |evaluate_target_health| AliasTarget {
        dns_name: "lb.example.net.".to_owned(),
        hosted_zone_id: "Z2".to_owned(),
        evaluate_target_health,
    };
    for (live, said, expected) in [(false, Some(true), true), (true, Some(false), false), (true, None, true)] {
        let green = RecordSet { ttl: None, values: vec![], alias: Some(alias(live)), ..weighted("green", "", 0) };
        let before = NameState::new(vec![weighted("blue", "1.2.3.4", 100), green]);
        let new = Alias {
            dns_name: "lb.example.net".to_owned(),
            hosted_zone_id: "Z2".to_owned(),
            evaluate_target_health: said,
        };
        let mut route = route(None);
        route.records[0].new = Some(RecordData { alias: Some(new), ..RecordData::default() });
        for state in [before.planned(&route, 0, &PairChecks::default()), before.finished(&route)] {
            let state = state.unwrap();
            assert_eq!(state.records()[1].alias, Some(alias(expected)), "{live} {said:?}");
        }
    }
}

#[test]
fn a_record_prepared_by_hand_keeps_its_own_health_check() {
    let before = NameState::new(vec![
        checked(weighted("blue", "1.2.3.4", 100), "old"),
        checked(weighted("green", "5.6.7.8", 0), "own"),
    ]);
    let of = |state: &NameState| -> Vec<Option<String>> {
        state.records().iter().map(|record| record.health_check_id.clone()).collect()
    };
    let kept = [Some("old".to_owned()), Some("own".to_owned())];
    assert_eq!(of(&before.planned(&route(None), 50, &PairChecks::default()).unwrap()), kept);
    assert_eq!(of(&before.finished(&route(None)).unwrap()), kept);
}

proptest! {
    #[test]
    fn a_batch_there_and_back_restores_the_before_image(percent in 0..=100_u8, ttl in 1..86_400_i64) {
        let before = NameState::new(vec![simple("1.2.3.4", ttl)]);
        let planned = before.planned(&route(None), percent, &PairChecks::default()).unwrap();
        let mut live = before.records().to_vec();
        for change in before.batch_to(&planned).into_iter().chain(planned.batch_to(&before)) {
            match change {
                Change::Delete(record) => {
                    let place = live.iter().position(|r| *r == record);
                    prop_assert!(place.is_some());
                    live.remove(place.unwrap());
                }
                Change::Create(record) => live.push(record),
            }
        }
        prop_assert_eq!(NameState::new(live), before);
    }
}
