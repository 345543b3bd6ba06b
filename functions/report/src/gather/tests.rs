use serde_json::json;

use super::*;

#[test]
fn limits_are_those_of_the_last_look_that_had_some() {
    let at = Timestamp::from_second(0).unwrap();
    let call = |state: &str, reply: serde_json::Value| Call {
        at,
        state: state.to_owned(),
        asked: serde_json::Value::Null,
        answer: Ok(reply),
    };
    let line = |margin: f64| json!({ "name": "CPU", "max": 80.0, "measured": 80.0 - margin, "margin": margin, "holds": margin >= 0.0 });
    let calls = [
        call("Validate", json!({ "passed": false })),
        call("Validate", json!({ "passed": true, "limits": [line(1.0)] })),
        call("Validate", json!({ "passed": true, "limits": [line(-13.5)] })),
        call("SetAlarm", json!({ "limits": [line(2.0)] })),
    ];
    assert_eq!(
        limits(&calls).iter().map(|limit| (limit.margin, limit.holds)).collect::<Vec<_>>(),
        [(Some(-13.5), false)]
    );
    assert_eq!(limits(&calls[..1]), []);
}

#[test]
fn periods_are_so_few_that_they_can_be_drawn() {
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    for (seconds, period) in [(0, 60), (3600, 60), (3 * 3600, 300), (86_400, 900), (7 * 86_400, 6 * 3600)] {
        let window = window(at(1_800_000_030), at(1_800_000_030 + seconds));
        assert_eq!((window.period, window.start % period), (period, 0), "{seconds}");
        let all = periods(&std::array::from_fn(|_| Values::new()), window).len();
        assert!((1..=MOST_PERIODS as usize + 1).contains(&all), "{seconds}: {all}");
    }
}
