use history::What;
use history::calls::calls;
use serde_json::json;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn plan() -> Plan {
    let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
    let route = json!({ "type": "listener", "listener_arn": format!("{arn}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"),
        "old_target_group_arn": format!("{arn}:targetgroup/old/73e2d6bc24d8a067"),
        "new_target_group_arn": format!("{arn}:targetgroup/new/6d0ecf831eec9f09"),
        "steps": [{ "new_weight": 10, "hold": "10m" }, { "new_weight": 100, "hold": "30m" }] });
    Plan::read(&json!({ "application": "shop", "routes": [route], "health_check": { "url": "http://10.0.0.1/" } }))
        .unwrap()
}

fn asked(second: i64, state: &str, more: Value) -> Event {
    let mut payload = json!({ "state": state, "route": 0 });
    payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Event { at: at(second), what: What::Scheduled(json!({ "Payload": payload }).to_string()) }
}

fn answered(second: i64, reply: Value) -> Event {
    Event { at: at(second), what: What::Succeeded(json!({ "Payload": reply }).to_string()) }
}

fn moved(second: i64, weight: u8) -> [Event; 2] {
    let reply = json!({ "changed": true, "settled": true });
    [asked(second, "SwapListener", json!({ "new_weight": weight })), answered(second, reply)]
}

fn look(second: i64, elapsed: u64, done: bool) -> [Event; 2] {
    [
        asked(second, "Monitor", json!({ "elapsed_seconds": elapsed })),
        answered(second, json!({ "done": done, "share_seen_percent": 9.5 })),
    ]
}

fn work_of(events: &[Event], now: i64) -> Work {
    let (plan, calls) = (plan(), calls(events));
    let steps = steps(&plan, &calls, events);
    work(&plan, &steps, &calls, false, at(now))
}

#[test]
fn work_is_planned_time_that_is_behind() {
    let mut events = moved(0, 10).to_vec();
    assert_eq!(work_of(&events, 0), Work { planned_seconds: 2400, done_seconds: 0, percent: 0 });
    assert_eq!(work_of(&events, 120).done_seconds, 120, "a hold goes on between looks");
    events.extend(look(300, 300, false));
    assert_eq!(work_of(&events, 360).done_seconds, 360);
    assert_eq!(work_of(&events, 5000).done_seconds, 600, "no longer than planned");
    events.extend(look(600, 600, true));
    events.extend(moved(610, 100));
    events.extend(look(1810, 1200, false));
    assert_eq!(work_of(&events, 1810), Work { planned_seconds: 2400, done_seconds: 1800, percent: 75 });
    events.extend(look(2410, 1800, true));
    assert_eq!(work_of(&events, 2500).percent, 99, "until it is finished");
    let (plan, calls) = (plan(), calls(&events));
    assert_eq!(work(&plan, &steps(&plan, &calls, &events), &calls, true, at(0)).percent, 100);
}

#[test]
fn a_hold_that_begins_again_counts_again_and_none_while_a_person_is_asked() {
    let mut events = moved(0, 10).to_vec();
    events.extend(look(300, 300, false));
    events.push(asked(301, "AwaitDecision", json!({})));
    assert_eq!(work_of(&events, 4000).done_seconds, 300);
    events.push(Event { at: at(4000), what: What::Succeeded(json!({ "by": "Ada" }).to_string()) });
    assert_eq!(work_of(&events, 4060).done_seconds, 60);
}

#[test]
fn milestones_have_the_first_plan_what_was_and_what_is_not_before() {
    let mut events = moved(60, 10).to_vec();
    events.extend(look(360, 300, false));
    let (plan, calls) = (plan(), calls(&events));
    let steps = steps(&plan, &calls, &events);
    let made = milestones(&plan, &steps, &calls, (Some(at(0)), None, at(360)), true);
    let times: Vec<_> = made.iter().map(|one| (one.planned_at, one.reached_at, one.expected_at)).collect();
    assert_eq!(
        times,
        [
            (Some(at(0)), Some(at(60)), None),
            (Some(at(600)), None, Some(at(660))),
            (Some(at(2400)), None, Some(at(2460)))
        ]
    );
    assert_eq!(slip(&made), Some(60));
    assert_eq!(steps[0].share_seen_percent, Some(9.5));
    let over = milestones(&plan, &steps, &calls, (Some(at(0)), None, at(360)), false);
    assert!(over[1].expected_at.is_none(), "what goes back has nothing to come");
    let unclaimed = milestones(&plan, &steps, &calls, (None, None, at(360)), true);
    assert_eq!((unclaimed[1].planned_at, slip(&unclaimed)), (None, None));
}

proptest::proptest! {
    #[test]
    fn nothing_that_a_history_says_makes_more_work_than_is_planned(
        seconds in proptest::collection::vec((0_i64..100_000, 0_u64..u64::MAX / 4, proptest::bool::ANY), 0..20),
        now in -1_000_i64..200_000,
    ) {
        let mut events = moved(0, 10).to_vec();
        for (second, elapsed, done) in seconds {
            events.extend(look(second, elapsed, done));
            events.extend(moved(second, 100));
        }
        let made = work_of(&events, now);
        proptest::prop_assert!(made.done_seconds <= made.planned_seconds && made.percent <= 99);
    }
}

#[test]
fn a_step_whose_answer_was_lost_is_not_said_to_be_not_reached() {
    let lost = [
        asked(0, "SwapListener", json!({ "new_weight": 10 })),
        Event { at: at(1), what: What::Failed("Cutover.Transient".to_owned(), "slow".to_owned()) },
    ];
    let milestones = |events: &[Event], is_going: bool| {
        let (plan, calls) = (plan(), calls(events));
        let steps = steps(&plan, &calls, events);
        milestones(&plan, &steps, &calls, (Some(at(0)), None, at(9)), is_going).remove(0)
    };
    for events in [&lost[..1], &lost[..]] {
        let stopped = milestones(events, false);
        assert_eq!((stopped.reached_at, stopped.expected_at, stopped.is_asked), (None, None, true));
        assert!(!milestones(events, true).is_asked, "it is still to come");
    }
    let seen = [
        asked(2, "SwapListener", json!({ "new_weight": 10 })),
        answered(3, json!({ "changed": false, "settled": true })),
    ];
    let again = milestones(&[&lost[..], &seen[..]].concat(), false);
    assert_eq!((again.reached_at, again.is_asked), (Some(at(3)), false), "it was found changed");
}
