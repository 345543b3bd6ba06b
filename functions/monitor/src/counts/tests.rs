//! Of [`super`].

use cutover::plan::Plan;
use serde_json::{Value, json};

use super::*;

/// A whole minute.
const NOW: i64 = 1_800_000_000;

fn monitoring(changes: Value) -> Monitoring {
    let mut metric = json!({ "name": "5xx", "namespace": "AWS/ApplicationELB", "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum",
        "dimensions": { "TargetGroup": "new" }, "divide_by": { "metric_name": "RequestCount" }, "comparison": "greater_than",
        "threshold": 0.01, "missing": "zero_if_divisor" });
    metric.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let route = json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com",
        "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }], "steps": [{ "new_weight": 100 }] });
    Plan::read(&json!({ "application": "a", "monitoring": { "metrics": [metric] }, "routes": [route] }))
        .unwrap()
        .monitoring
}

fn p95() -> Monitoring {
    monitoring(
        json!({ "metric_name": "TargetResponseTime", "statistic": "p95", "threshold": 0.5, "divide_by": null, "missing": "inconclusive" }),
    )
}

/// A look when the step has been held for so many whole minutes.
fn look(monitoring: &Monitoring, step: u16, minutes: i64, now: i64) -> Look<'_> {
    let now = Timestamp::from_second(now).unwrap();
    Look { monitoring, step: [0, step], shares: &[], clusters: None, elapsed_seconds: 60 * minutes as u64, now }
}

/// Values at so many minutes before now.
fn ago(values: &[(i64, f64)]) -> Series {
    values.iter().map(|(minutes, value)| (NOW - 60 * minutes, *value)).collect()
}

fn rate(bad: &[(i64, f64)], all: &[(i64, f64)]) -> Datapoints {
    Datapoints { values: ago(bad), divisors: ago(all), ..Datapoints::default() }
}

/// What one look counts and says.
fn judged(monitoring: &Monitoring, minutes: i64, datapoints: Datapoints) -> (Check, Tests) {
    let look = look(monitoring, 0, minutes, NOW);
    let mut tests = Tests::new();
    look.count(&mut tests, &[Some(datapoints.clone())]);
    let metric = &monitoring.metrics[0];
    let test = tests.get(&0).cloned().unwrap_or_default();
    (look.judge(metric, &metric.sequential().unwrap(), &test, &datapoints), tests)
}

#[test]
fn trouble_is_told_with_its_numbers_and_final() {
    let (check, _) = judged(&monitoring(json!({})), 4, rate(&[(3, 22.0), (2, 18.0)], &[(3, 700.0), (2, 600.0)]));
    assert_eq!((check.verdict, check.is_final), (Verdict::Unhealthy, true), "{}", check.seen);
    assert!(check.seen.starts_with("40 of 1,300 requests failed, limit 1 %, p < 0.00"), "{}", check.seen);
}

#[test]
fn too_little_data_says_what_is_missing() {
    let (check, _) = judged(&monitoring(json!({})), 4, rate(&[], &[(3, 60.0), (2, 60.0)]));
    assert_eq!((check.verdict, check.is_final, check.value), (Verdict::TooLittleData, false, Some(0.0)));
    let needed = "0 of 120 requests failed, limit 1 %: no trouble so far, to tell it needs about 670 requests, has 120";
    assert_eq!(check.seen, needed);
    let seen = check.test.unwrap();
    assert_eq!((seen.bad, seen.all, seen.has), (0, 120, Some(120)));
}

#[test]
fn a_side_that_is_surely_below_the_limit_is_healthy() {
    let (check, _) = judged(&monitoring(json!({})), 4, rate(&[], &[(3, 600.0), (2, 600.0)]));
    assert_eq!(check.verdict, Verdict::Healthy, "{}", check.seen);
}

#[test]
fn requests_are_what_makes_a_value() {
    for all in [vec![], vec![(2, 0.0)]] {
        let (check, tests) = judged(&monitoring(json!({})), 10, rate(&[], &all));
        assert_eq!((check.verdict, check.is_early, tests), (Verdict::Inconclusive, false, Tests::new()), "{all:?}");
    }
    let (check, _) = judged(&monitoring(json!({})), 1, rate(&[(3, 100.0)], &[(3, 100.0)]));
    assert_eq!((check.verdict, check.is_early), (Verdict::Inconclusive, true), "before the step");
}

#[test]
fn every_complete_period_of_the_run_counts_once_whatever_the_looks() {
    let monitoring = monitoring(json!({}));
    let all: Vec<(i64, f64)> = (0..30).map(|minute| (minute, 100.0)).collect();
    let datapoints = [Some(rate(&[], &all))];
    let mut tests = Tests::new();
    // Twenty minutes of the first step; the period that ends now, and the one before, are not complete.
    look(&monitoring, 0, 10, NOW - 600).count(&mut tests, &datapoints);
    assert_eq!(tests[&0].new_side().all, 900);
    let before = tests.clone();
    look(&monitoring, 0, 10, NOW - 600).count(&mut tests, &datapoints);
    assert_eq!(tests, before, "a repeated look");
    look(&monitoring, 0, 9, NOW - 660).count(&mut tests, &datapoints);
    assert_eq!(tests, before, "an older look");
    // The next step began three minutes ago: what was between counts too, for trouble, and not for this step's health.
    look(&monitoring, 1, 3, NOW).count(&mut tests, &datapoints);
    assert_eq!((tests[&0].new_side().all, tests[&0].in_step().all), (1_900, 200));
    assert_eq!(read(Some(&written(&tests, 1).unwrap()), 1), tests);
    assert_eq!(read(Some(&written(&tests, 1).unwrap()), 2), Tests::new(), "a person has decided since");
    assert_eq!(read(Some("{\"0\":7}"), 0), Tests::new());
}

#[test]
fn a_period_whose_errors_are_not_known_does_not_count() {
    let unknown = monitoring(json!({ "missing": "inconclusive" }));
    let (_, tests) = judged(&unknown, 10, rate(&[(4, 1.0), (2, 1.0)], &[(4, 100.0), (3, 100.0), (2, 100.0)]));
    assert_eq!(tests[&0].new_side(), Counts { bad: 2, all: 200 });
    let (_, tests) = judged(&monitoring(json!({})), 10, rate(&[(4, f64::NAN)], &[(4, 100.0), (3, f64::INFINITY)]));
    assert_eq!(tests, Tests::new());
}

#[test]
fn a_percentile_is_judged_by_how_many_are_above() {
    let slow = Datapoints {
        values: ago(&[(3, 0.9), (2, 0.9)]),
        divisors: ago(&[(3, 100.0), (2, 100.0)]),
        above: ago(&[(3, 20.0), (2, 25.0)]),
        ..Datapoints::default()
    };
    let (check, _) = judged(&p95(), 4, slow.clone());
    assert!(check.is_final, "{}", check.seen);
    assert!(check.seen.starts_with("45 of 200 requests took longer than 0.5 s, limit 5 %, p < "), "{}", check.seen);
    // Where CloudWatch does not count them, the percentile itself is looked at, and that is not certain.
    let (check, tests) = judged(&p95(), 4, Datapoints { above: Series::new(), ..slow.clone() });
    assert_eq!((check.verdict, check.is_final, tests), (Verdict::Unhealthy, false, Tests::new()), "{}", check.seen);
    let quick = Datapoints { values: ago(&[(3, 0.1), (2, 0.1)]), above: Series::new(), ..slow };
    let (check, tests) = judged(&p95(), 4, quick);
    assert_eq!(
        (check.verdict, tests[&0].new_side()),
        (Verdict::Healthy, Counts { bad: 0, all: 200 }),
        "{}",
        check.seen
    );
}

#[test]
fn the_old_side_is_compared_by_what_was_counted_there() {
    let compared = monitoring(json!({ "compare_to": { "dimensions": { "TargetGroup": "old" } } }));
    let with_old = |bad: f64| Datapoints {
        old_bad: ago(&[(3, bad), (2, bad)]),
        old_all: ago(&[(3, 1000.0), (2, 1000.0)]),
        ..rate(&[(3, 12.0), (2, 12.0)], &[(3, 100.0), (2, 100.0)])
    };
    let (check, _) = judged(&compared, 4, with_old(2.0));
    assert!(check.is_final, "{}", check.seen);
    assert!(
        check.seen.starts_with("24 of 200 requests failed, and 4 of 2,000 on the old side, limit 1 %"),
        "{}",
        check.seen
    );
    let (check, _) = judged(&compared, 4, with_old(120.0));
    assert_eq!(check.verdict, Verdict::TooLittleData, "{}", check.seen);
    assert!(check.seen.ends_with("no trouble so far, and too near to it to tell"), "{}", check.seen);
}

#[test]
fn a_comparison_with_nothing_is_no_health_while_the_old_side_should_have_requests() {
    let plan = |group: &str| {
        let elb = |rest: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{rest}");
        let route = |name: &str| {
            json!({ "type": "listener", "listener_arn": elb(&format!("listener/app/{name}/1/2")), "steps": [{ "new_weight": 10 }, { "new_weight": 100 }],
            "old_target_group_arn": elb(&format!("targetgroup/{name}-old/1")), "new_target_group_arn": elb(&format!("targetgroup/{name}-new/1")) })
        };
        let metric = json!({ "name": "5xx", "namespace": "Shop", "metric_name": "Errors", "statistic": "Sum", "divide_by": { "metric_name": "Requests" },
            "comparison": "greater_than", "threshold": 0.01, "missing": "zero_if_divisor", "compare_to": { "dimensions": { "TargetGroup": group } } });
        let plan = json!({ "application": "a", "monitoring": { "metrics": [metric] }, "routes": [route("shop"), route("till")] });
        Plan::read(&plan).unwrap()
    };
    let judged = |group: &str, percents: [u8; 2], old: &[(i64, f64)]| {
        let plan = plan(group);
        let shares: Vec<_> = plan.routes.iter().zip(percents).collect();
        let held = u16::from(percents[0] == 100 && percents[1] > 0);
        let look = Look { shares: &shares, step: [held, 0], ..look(&plan.monitoring, 0, 10, NOW) };
        let datapoints = Datapoints { old_all: ago(old), ..rate(&[(3, 300.0), (2, 300.0)], &[(3, 600.0), (2, 600.0)]) };
        let mut tests = Tests::new();
        look.count(&mut tests, &[Some(datapoints.clone())]);
        let metric = &plan.monitoring.metrics[0];
        let check = look.judge(metric, &metric.sequential().unwrap(), &tests[&0], &datapoints);
        (check.verdict, check.seen)
    };
    let (verdict, seen) = judged("targetgroup/shop-odl/1", [10, 0], &[]);
    assert_eq!(verdict, Verdict::Inconclusive);
    let told = "600 of 1,200 requests failed, and none were counted on the old side, limit 1 %: no data of the old side, with which it is compared";
    assert_eq!(seen, told);
    let own = "targetgroup/shop-old/1";
    assert_eq!(judged(own, [10, 0], &[]).0, Verdict::Inconclusive, "also where it is spelt right");
    assert_eq!(judged(own, [10, 0], &[(3, 1000.0)]).0, Verdict::Unhealthy, "some of it are something to compare with");
    let (verdict, seen) = judged(own, [100, 0], &[]);
    assert_eq!((verdict, seen.ends_with("nothing to compare with")), (Verdict::TooLittleData, true), "{seen}");
    assert_eq!(judged(own, [100, 10], &[]).0, Verdict::TooLittleData, "its own route has moved, another one is held");
    assert_eq!(judged("targetgroup/shop-odl/1", [100, 10], &[]).0, Verdict::Inconclusive);
}

#[test]
fn what_a_step_lacks_is_told_of_the_step() {
    let monitoring = monitoring(json!({}));
    let datapoints = rate(&[], &[(6, 11.0), (5, 100.0), (3, 120.0), (2, 128.0)]);
    let mut tests = Tests::new();
    look(&monitoring, 0, 10, NOW - 240).count(&mut tests, &[Some(datapoints.clone())]);
    let look = look(&monitoring, 1, 3, NOW);
    look.count(&mut tests, &[Some(datapoints.clone())]);
    let metric = &monitoring.metrics[0];
    let seen = look.judge(metric, &metric.sequential().unwrap(), &tests[&0], &datapoints).seen;
    assert!(seen.starts_with("0 of 359 requests failed") && seen.ends_with("requests in this step, has 248"), "{seen}");
}

#[test]
fn looks_one_after_the_other_count_each_its_own() {
    let monitoring = monitoring(json!({}));
    let all: Vec<(i64, f64)> = (-40..2).map(|minute| (minute, 100.0)).collect();
    let datapoints = [Some(rate(&[], &all))];
    let mut counted: Option<String> = None;
    for minute in 2..30 {
        let mut tests = read(counted.as_deref(), 0);
        look(&monitoring, 0, minute, NOW + 60 * minute).count(&mut tests, &datapoints);
        assert_eq!(tests[&0].new_side().all, 100 * (minute as u64 - 1), "{minute}");
        counted = Some(written(&tests, 0).unwrap());
    }
}
