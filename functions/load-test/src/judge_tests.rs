use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::slices::of_turn;
use load_results::results::{Failure, Outcome};

fn test(sla: Value, with_old: bool) -> LoadTest {
    let old = with_old.then(|| json!({ "url": "http://10.0.0.1/" }));
    let targets = json!({ "new": { "url": "http://10.0.0.2/" }, "old": old });
    serde_json::from_value(json!({ "targets": targets, "rate_per_second": 100, "duration": 60, "sla": sla })).unwrap()
}

/// One slice that has sent everything, in this time each.
fn done(test: &LoadTest, turn: u64, service_ms: u64) -> Done {
    let mut results = Results { seconds: 60.0, offered: 6000, ..Results::new(1) };
    for number in 0..6000 {
        let (lag, service) = (Duration::from_micros(50), Duration::from_millis(service_ms));
        let due = Duration::from_millis(number * 10);
        let (is_measured, failure) = (true, None);
        results.count(&Outcome { kind: 0, is_measured, due, lag, service, status: Some(200), failure, bytes: 2 }, 0);
    }
    let slice = of_turn(test, 0, turn, Timestamp::UNIX_EPOCH).remove(0);
    Done { slice, late_by_ms: None, cpu_percent: 20.0, is_stopped: false, stopped_by: None, results }
}

fn verdict(test: &LoadTest, done: &[Done]) -> (Verdict, String) {
    let report = judge(test, 0, test.turns(), done);
    (report.verdict, report.sentence())
}

#[test]
fn why_a_slice_left_no_result_is_told_first_and_only_where_one_did() {
    let test = test(json!({ "max_p95_ms": 50.0 }), false);
    let error = "Cutover.InvalidPlan: the path `/search` is not one";
    let lost = with_lost(judge(&test, 0, 1, &[]), error);
    assert_eq!(lost.problems[0], format!("a slice failed: {error}"));
    assert!(lost.problems[1].ends_with("left no result"), "{:?}", lost.problems);
    let made = with_lost(judge(&test, 0, 1, &[done(&test, 0, 20)]), error);
    assert!(!made.problems.iter().any(|problem| problem.contains(error)), "of another round: {:?}", made.problems);
    assert_eq!(with_lost(judge(&test, 0, 1, &[]), "").problems.len(), lost.problems.len() - 1);
}

#[test]
fn the_sla_decides_on_the_new_side() {
    let test = test(json!({ "max_p95_ms": 50.0, "min_success_percent": 99.9 }), true);
    let both = |old, new| [done(&test, 0, old), done(&test, 1, new)];
    assert_eq!(verdict(&test, &both(500, 20)).0, Verdict::Passed, "the old side may be slow");
    let (violated, sentence) = verdict(&test, &both(20, 80));
    assert_eq!(violated, Verdict::Violated);
    assert!(sentence.contains("max_p95_ms is 50, measured 80"), "{sentence}");
    let report = judge(&test, 0, 2, &both(500, 20));
    let (old, new) = (report.old.unwrap().figures, report.new.figures);
    assert!(old.p50_ms.unwrap() > 499.0 && new.p50_ms.unwrap() < 21.0);
    assert_eq!((new.sent, new.achieved_rps), (6000, Some(100.0)));
}

#[test]
fn a_generator_that_fell_behind_neither_passes_nor_fails_anybody() {
    for sla in [json!({ "max_p95_ms": 1000.0 }), json!({ "max_p95_ms": 1.0 })] {
        let test = test(sla, false);
        let good = done(&test, 0, 20);
        let busy = Done { cpu_percent: 86.0, ..good.clone() };
        let late = Done { late_by_ms: Some(2500), results: Results::new(1), ..good.clone() };
        let mut behind = good.clone();
        behind.results.offered = 6100;
        let mut lagging = good.clone();
        (0..100).for_each(|_| lagging.results.lag.record(Duration::from_millis(11)));
        let cases = [
            (vec![busy], "used 86 % of its processor"),
            (vec![late], "began 2500 ms too late"),
            (vec![behind], "sent 6000 of 6100 requests (98.4 %)"),
            (vec![lagging], "ms behind its schedule (p99)"),
            (vec![], "left no result"),
        ];
        for (done, expected) in cases {
            let (verdict, sentence) = verdict(&test, &done);
            assert_eq!(verdict, Verdict::Invalid, "{expected}");
            assert!(sentence.contains(expected), "{sentence}");
        }
    }
}

#[test]
fn bounds_of_the_generator_are_inclusive() {
    let test = test(json!({}), false);
    let mut slice = Done { cpu_percent: 85.0, ..done(&test, 0, 20) };
    slice.results.offered = 6060;
    assert_eq!(verdict(&test, &[slice]).0, Verdict::Passed, "99.01 % were sent, by 85 % of a processor");
}

#[test]
fn most_requests_failing_is_a_violation_whatever_is_missing() {
    let test = test(json!({}), true);
    let mut stopped = Done { is_stopped: true, ..done(&test, 1, 20) };
    stopped.results.by_failure.insert(Failure::Connect, 200);
    let (verdict, sentence) = verdict(&test, &[stopped]);
    assert_eq!(verdict, Verdict::Violated);
    assert!(sentence.contains("stopped, as more requests failed than may"), "{sentence}");
}

#[test]
fn what_a_closed_loop_hides_is_said() {
    let mut test = test(json!({}), false);
    (test.rate_per_second, test.concurrent_users) = (None, Some(10));
    let report = judge(&test, 0, 1, &[done(&test, 0, 20)]);
    assert!(
        report.notes.iter().any(|note| note.contains("waited for an answer before asking again")),
        "{:?}",
        report.notes
    );
}

#[test]
fn a_report_is_stored_and_read_whole() {
    let test = test(json!({ "max_p95_ms": 50.0 }), true);
    let report = judge(&test, 0, 2, &[done(&test, 0, 10), done(&test, 1, 20)]);
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    assert!(text.len() < 60_000, "{} bytes", text.len());
}
