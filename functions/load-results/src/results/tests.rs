use super::*;

fn outcome(number: u64) -> Outcome {
    let failure = match number % 7 {
        0 => Some(Failure::Status),
        1 => Some(Failure::Timeout),
        _ => None,
    };
    Outcome {
        kind: (number % 2) as usize,
        is_measured: number >= 10,
        due: Duration::from_millis(number * 20),
        lag: Duration::from_micros(number % 13),
        service: Duration::from_micros(number * number),
        status: (number % 7 != 1).then_some(if number.is_multiple_of(7) { 503 } else { 200 }),
        failure,
        bytes: number,
    }
}

fn of(numbers: impl Iterator<Item = u64>) -> Results {
    let mut results = Results { seconds: 30.0, ..Results::new(2) };
    numbers.for_each(|number| results.count(&outcome(number), 1_000_003));
    results
}

#[test]
fn slices_add_up_to_what_one_would_have_counted() {
    let whole = of(0..3000);
    let mut merged = Results::default();
    for slice in 0..3 {
        let text = serde_json::to_string(&of((0..3000).filter(|number| number % 3 == slice))).unwrap();
        merged.add_beside(&serde_json::from_str(&text).unwrap());
    }
    assert_eq!(serde_json::to_string(&merged).unwrap(), serde_json::to_string(&whole).unwrap());
    assert_eq!((whole.sent, whole.warm_up_sent, whole.seconds), (2990, 10, 30.0));
    assert_eq!(whole.timeline.values().map(|cell| cell.sent).sum::<u64>(), 2990);
    assert!(whole.timeline.keys().all(|second| second % CELL_SECONDS == 0));
}

#[test]
fn turns_take_their_times_together() {
    let mut both = of(0..100);
    both.add_after(&of(0..100));
    assert_eq!((both.seconds, both.sent), (60.0, 180));
}

#[test]
fn a_quick_refusal_is_no_quick_answer() {
    let refused = Outcome { failure: Some(Failure::Connect), status: None, ..outcome(20) };
    let given_up = Outcome { failure: Some(Failure::Timeout), ..refused.clone() };
    let mut results = Results::new(2);
    results.count(&refused, 0);
    assert_eq!((results.sent, results.from_schedule.len()), (1, 0));
    results.count(&given_up, 0);
    assert_eq!((results.sent, results.from_schedule.len()), (2, 1), "users wait for the timeout");
    assert_eq!(results.success_percent(), Some(0.0));
}
