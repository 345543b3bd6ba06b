use routes::name::PairChecks;
use serde_json::json;

use super::*;

fn route() -> DnsRoute {
    let route = json!({ "hosted_zone_id": "Z1", "record_name": "a.example.com", "steps": [{ "new_weight": 100 }],
        "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }] });
    serde_json::from_value(route).unwrap()
}

/// What is said of the check of a side that is in a state, the other one's being healthy.
fn judged(side: Side, status: Status, percent: u8) -> (Verdict, String) {
    let record = json!([{ "type": "A", "ttl": 300, "values": ["1.2.3.4"] }]);
    let (route, before) = (route(), serde_json::from_value::<NameState>(record).unwrap());
    let checks = PairChecks { old: Some("old".to_owned()), new: Some("new".to_owned()) };
    let live = before.planned(&route, percent, &checks).unwrap();
    let name = Name { route: &route, before: &before, live: &live, percent, is_finished: false };
    let look = |of: Side| Look {
        id: of.as_str().to_owned(),
        asks: "https://x:443/".to_owned(),
        status: if of == side { status } else { Status::Healthy },
        seen: "seen".to_owned(),
    };
    let mut health = Health::default();
    [Side::Old, Side::New].map(look).iter().for_each(|look| health.add(look));
    let attached = Attached { side, id: side.as_str().to_owned() };
    let check = name.judge_check(&attached, &look(side), &name.effect(&health));
    (check.verdict, check.seen)
}

#[test]
fn a_failing_check_is_an_unhealthy_look_while_its_side_has_users_to_lose_or_to_get() {
    use Side::{New, Old};
    use Status::{Healthy, Unhealthy, Unknown, Unseen};
    for (side, status, percent, verdict) in [
        (New, Healthy, 10, Verdict::Healthy),
        (New, Unhealthy, 0, Verdict::Unhealthy),
        (New, Unhealthy, 100, Verdict::Unhealthy),
        (Old, Unhealthy, 0, Verdict::Unhealthy),
        (Old, Unhealthy, 99, Verdict::Unhealthy),
        (Old, Unhealthy, 100, Verdict::Healthy),
        (New, Unknown, 10, Verdict::Inconclusive),
        (Old, Unknown, 100, Verdict::Healthy),
        (New, Unseen, 10, Verdict::Healthy),
    ] {
        assert_eq!(judged(side, status, percent).0, verdict, "{side:?} {status:?} {percent}");
    }
}

#[test]
fn what_a_failing_check_does_to_users_is_said() {
    assert_eq!(judged(Side::New, Status::Healthy, 10).1, "https://x:443/: seen");
    let old = judged(Side::Old, Status::Unhealthy, 10).1;
    assert_eq!(old, "https://x:443/: seen; so of A the new side gets 100 %, not 10 %");
    let new = judged(Side::New, Status::Unhealthy, 10).1;
    assert_eq!(new, "https://x:443/: seen; so of A the new side gets 0 %, not 10 %");
    assert_eq!(judged(Side::New, Status::Unhealthy, 0).1, "https://x:443/: seen");
}

/// What is said after the cutover of the checks of final records, while this check fails.
fn after(route: &DnsRoute, before: &serde_json::Value, sick: &str) -> Vec<(Side, Verdict, String)> {
    let before: NameState = serde_json::from_value(before.clone()).unwrap();
    let live = before.finished(route).unwrap();
    let name = Name { route, before: &before, live: &live, percent: 100, is_finished: true };
    let look = |attached: Attached| {
        let status = if attached.id == sick { Status::Unhealthy } else { Status::Healthy };
        let look = Look { id: attached.id.clone(), asks: "asks".to_owned(), status, seen: "seen".to_owned() };
        (attached, look)
    };
    let looks: Vec<(Attached, Look)> = live.attached(route, &before).into_iter().map(look).collect();
    let mut health = Health::default();
    looks.iter().for_each(|(_, look)| health.add(look));
    let effect = name.effect(&health);
    let judged = |(attached, look): &(Attached, Look)| {
        let check = name.judge_check(attached, look, &effect);
        (attached.side, check.verdict, check.seen)
    };
    looks.iter().map(judged).collect()
}

fn member(identifier: &str, value: &str, weight: u8, check: Option<&str>) -> serde_json::Value {
    json!({ "type": "A", "ttl": 60, "values": [value], "set_identifier": identifier, "weight": weight,
        "health_check_id": check })
}

#[test]
fn until_cleanup_a_failing_check_of_the_new_side_sends_the_run_back_where_the_old_record_answers_again() {
    let pair = json!([member("blue", "1.2.3.4", 100, None), member("green", "5.6.7.8", 0, Some("new"))]);
    let told = after(&route(), &pair, "new");
    assert_eq!((told.len(), told[0].0, told[0].1), (1, Side::New, Verdict::Unhealthy));
    assert!(told[0].2.contains("so users of A get 100 % old, 0 % new instead of 0 % old, 100 % new"), "{told:?}");
    assert_eq!(after(&route(), &pair, "").first().map(|told| told.1), Some(Verdict::Healthy));
}

#[test]
fn until_cleanup_a_check_that_the_final_record_kept_is_told_where_neighbours_take_its_users() {
    let mut of_several = route();
    of_several.records[0].old_set_identifier = Some("ie".to_owned());
    let beside = json!([member("ie", "1.2.3.4", 100, Some("kept")), member("fr", "9.9.9.9", 100, None)]);
    let told = after(&of_several, &beside, "kept");
    assert_eq!((told[0].0, told[0].1), (Side::New, Verdict::Inconclusive), "to go back would not help");
    assert!(told[0].2.contains("100 % of its neighbours (fr)"), "{told:?}");
    let alone = json!([{ "type": "A", "ttl": 60, "values": ["1.2.3.4"], "health_check_id": "kept" }]);
    let told = after(&route(), &alone, "kept");
    assert_eq!((told[0].0, told[0].1), (Side::New, Verdict::Healthy), "a record alone is answered all the same");
    assert!(told[0].2.contains("the old record had this check too"), "{told:?}");
}

#[test]
fn a_name_without_checks_is_not_looked_at_after_the_cutover() {
    let state = |record: serde_json::Value| serde_json::from_value::<NameState>(json!([record])).unwrap();
    let plain = state(json!({ "type": "A", "ttl": 60, "values": ["5.6.7.8"] }));
    let checked = state(json!({ "type": "A", "ttl": 60, "values": ["5.6.7.8"], "health_check_id": "one" }));
    let before = state(json!({ "type": "A", "ttl": 60, "values": ["1.2.3.4"] }));
    let has = |state: &NameState| has_health(&route(), &before, &RouteState::from(state.clone()));
    assert_eq!([has(&plain), has(&checked)], [false, true]);
}

#[test]
fn a_balancer_that_cannot_be_seen_ends_no_step_and_a_sick_one_does() {
    let (route, before) = (route(), NameState::new(vec![]));
    let judged = |side, healthy, percent| {
        let name = Name { route: &route, before: &before, live: &before, percent, is_finished: false };
        name.judge_target(side, "lb.example.net.", healthy, "").verdict
    };
    assert_eq!(judged(Side::New, None, 10), Verdict::Healthy);
    assert_eq!(judged(Side::New, Some(true), 10), Verdict::Healthy);
    assert_eq!(judged(Side::New, Some(false), 10), Verdict::Unhealthy);
    assert_eq!(judged(Side::Old, Some(false), 10), Verdict::Unhealthy);
    assert_eq!(judged(Side::Old, Some(false), 100), Verdict::Healthy);
}
