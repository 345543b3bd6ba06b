use cutover::contract::Caller;
use history::{Event, Story, What};
use jiff::Timestamp;
use journal::{Ending, Run};
use serde_json::json;

use super::*;

const TITLE: &str = "listener f2f7 of shop";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn plan() -> Plan {
    let listener = "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/shop/50dc/f2f7";
    let route = json!({ "type": "listener", "listener_arn": listener, "old_target_group_arn": "old", "new_target_group_arn": "new",
        "steps": [{ "new_weight": 10, "hold": 60 }] });
    serde_json::from_value(json!({ "application": "shop", "routes": [route] })).unwrap()
}

fn moved_to_ten_percent(checks: Value) -> Story {
    let call = |state: &str, more: Value, reply: Value| {
        let mut payload = json!({ "state": state, "route": 0 });
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let scheduled = What::Scheduled(json!({ "Payload": payload }).to_string());
        [scheduled, What::Succeeded(json!({ "Payload": reply }).to_string())].map(|what| Event { at: at(1), what })
    };
    let look = json!({ "done": false, "verdict": "healthy", "checks": checks, "share_seen_percent": 50.0 });
    let events = [
        call("SwapListener", json!({ "new_weight": 10 }), json!({ "changed": true, "settled": true })),
        call("Monitor", json!({ "elapsed_seconds": 30 }), look),
    ];
    Story { events: events.concat(), ..Story::default() }
}

fn of(phase: Phase, ending: Option<Value>, checks: Value, standing: Standing) -> RouteStatus {
    let caller = Caller { run_id: "run".to_owned(), execution_arn: "me".to_owned(), state: String::new() };
    let ending = ending.map(|report| Ending { at: at(9).to_string(), report });
    let run = Run { phase, ending, ..Run::claimed(&caller, plan(), vec![], at(0)) };
    let known = Known { cutover: moved_to_ten_percent(checks), run: Some(run), ..Known::default() };
    let (plan, calls) = (plan(), known.calls());
    let steps = crate::work::steps(&plan, &calls, &known.cutover.events);
    routes(&known, Some(&plan), &calls, &steps, standing).remove(0)
}

#[test]
fn a_route_that_was_not_put_back_is_where_the_rollback_saw_it_and_not_at_its_last_step() {
    let outcome = |restored: bool| json!([{ "route": 0, "title": TITLE, "restored": restored, "live": "a-third=1" }]);
    let stuck = json!({ "ending": "Stuck", "routes": outcome(false) });
    let released = json!({ "ending": "Released", "by": "Ada: agreed with Bob", "was": stuck });
    for (phase, ending, standing) in [
        (Phase::Stuck, stuck.clone(), Standing::Stuck),
        (Phase::Stuck, json!({ "ending": "Held", "hold": "sick", "routes": outcome(false) }), Standing::Held),
        (Phase::Closed, released, Standing::Released),
    ] {
        let route = of(phase, Some(ending), json!([]), standing);
        let seen = (route.new_weight_percent, route.live.as_deref(), route.share_seen_percent);
        assert_eq!(seen, (None, Some("a-third=1"), None), "{standing:?}");
    }
    let restored = json!({ "ending": "Stuck", "routes": outcome(true) });
    let route = of(Phase::Stuck, Some(restored), json!([]), Standing::Stuck);
    assert_eq!((route.new_weight_percent, route.live, route.share_seen_percent), (Some(0), None, None));
    let route = of(Phase::Forward, None, json!([]), Standing::Running);
    assert_eq!((route.new_weight_percent, route.live, route.share_seen_percent), (Some(10), None, Some(50.0)));
}

#[test]
fn a_share_that_was_not_judged_says_why() {
    let title = plan().routes[0].title();
    let share = |seen: &str| json!([{ "name": format!("share of {title}"), "verdict": "healthy", "seen": seen }]);
    let why = |seen: &str| of(Phase::Forward, None, share(seen), Standing::Running).share_not_judged;
    let seen = "50.0 % of 1,234 requests on the new side, weight 10 %";
    assert_eq!(why(seen), None);
    let because = "a name of the plan may lead to one of the groups";
    assert_eq!(why(&format!("{seen}; not judged: {because}")).as_deref(), Some(because));
}
