use super::*;
use crate::document::tests::facts;
use crate::facts::{Limit, Point};

fn findings(facts: &Facts) -> Vec<(String, String)> {
    recommendations(facts).into_iter().map(|one| (one.finding, one.advice)).collect()
}

fn advice_of(facts: &Facts, finding: &str) -> Vec<String> {
    findings(facts).into_iter().filter(|(found, _)| found.contains(finding)).map(|(_, advice)| advice).collect()
}

fn cpu(name: &str, value: f64) -> Series {
    let point = Point { at: facts("").began_at, value };
    Series { name: name.to_owned(), metric_name: "CPUUtilization".to_owned(), points: vec![point] }
}

#[test]
fn sizes_are_advised_of_the_new_side_and_never_of_the_one_that_is_removed() {
    let mut facts = facts("");
    facts.resources = vec![cpu("CPU of the old side", 88.0)];
    assert!(!findings(&facts).iter().any(|(found, _)| found.contains("CPU")), "{:?}", findings(&facts));
    facts.resources_of_new = vec![cpu("CPU of the new side", 97.0)];
    assert_eq!(
        advice_of(&facts, "\"CPU of the new side\" was at 97 %"),
        ["give it more room, or let it scale out earlier"]
    );
    let broken = Limit {
        name: "CPU of the new side".to_owned(),
        max: 80.0,
        measured: Some(97.0),
        margin: Some(-17.0),
        holds: false,
    };
    facts.limits = vec![broken];
    assert_eq!(advice_of(&facts, "CPU of the new side").len(), 1, "once: {:?}", findings(&facts));
    assert_eq!(advice_of(&facts, "may be 80 at the most, and was 97").len(), 1);
}

#[test]
fn a_check_never_saw_a_value_only_where_every_look_was_without_data() {
    let told = |too_little: u32, not_known: u32| {
        let mut facts = Facts { load: None, ..facts("") };
        let gate = &mut facts.gates[0];
        (gate.looks, gate.healthy, gate.unhealthy) = (too_little + not_known, 0, 0);
        (gate.too_little, gate.not_known) = (too_little, not_known);
        findings(&facts).into_iter().map(|(found, _)| found).collect::<Vec<_>>().join("\n")
    };
    assert!(told(0, 9).contains("never saw a value"), "without a load test, too: {}", told(0, 9));
    assert!(
        !told(7, 2).contains("never saw a value") && told(7, 2).contains("too little data to be certain"),
        "{}",
        told(7, 2)
    );
}

#[test]
fn what_is_advised_of_a_bound_is_that_bounds_and_that_endings() {
    let mut facts = facts("");
    let load = facts.load.as_mut().unwrap();
    for (line, bound) in load.sla.iter_mut().zip(["min_success_percent", "max_p99_ms", "min_throughput_rps"]) {
        (line.bound, line.holds) = (bound.to_owned(), false);
    }
    let of = |facts: &Facts, bound: &str| advice_of(facts, &format!("{bound} is ")).remove(0);
    assert!(of(&facts, "min_success_percent").starts_with("find what the requests that failed have in common"));
    assert!(of(&facts, "max_p99_ms").ends_with("wait for, before the old side is removed"));
    assert!(of(&facts, "min_throughput_rps").contains("as many requests as are due"));
    facts.ending = "RolledBack".to_owned();
    assert!(of(&facts, "max_p99_ms").ends_with(", before the next try"));
    let all = findings(&facts).into_iter().map(|(_, advice)| advice).collect::<Vec<_>>().join("\n");
    assert!(!all.contains("cleanup") && !all.contains("old side is removed"), "{all}");
}

#[test]
fn a_lower_rate_is_advised_where_the_rate_was_too_high() {
    let advised = |problem: &str| of_problems(&[problem.to_owned()]);
    for slow in [
        "slice 1 used 96 % of its processor",
        "slice 1 was 12.0 ms behind its schedule (p99)",
        "slice 1 sent 6000 of 6100 requests (98.4 %)",
    ] {
        assert!(advised(slow).contains("a lower rate"), "{slow}");
    }
    for other in [
        "slice 1 began 2500 ms too late, and sent nothing",
        "turn 1 (new side), slice 1 left no result",
        "slice 1 had nothing to send",
    ] {
        assert!(!advised(other).contains("rate"), "{other}: {}", advised(other));
    }
}

#[test]
fn a_side_that_was_sent_nothing_has_no_figures() {
    let mut load = facts("").load.unwrap();
    load.new.figures.sent = 0;
    assert_eq!(load.new.line("new"), "new side: no request was sent, so nothing of it is known");
}
