use serde_json::{Value, json};

use super::*;
use crate::Severity;

const ELB: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

fn plan() -> Value {
    json!({
        "application": "portal",
        "notify": { "topic_arn": "arn:aws:sns:eu-west-1:123456789012:cutovers" },
        "routes": [
            { "type": "listener", "listener_arn": format!("{ELB}:listener/app/a/1/2"),
              "old_target_group_arn": format!("{ELB}:targetgroup/old/1"), "new_target_group_arn": format!("{ELB}:targetgroup/new/1"),
              "steps": [{ "new_weight": 10 }, { "new_weight": 100 }] },
            { "type": "dns", "hosted_zone_id": "Z1", "record_name": "App.example.com.",
              "records": [{ "type": "A", "new": { "values": ["192.0.2.7"] } }], "steps": [{ "new_weight": 100 }] },
        ],
    })
}

/// Place, problem and fix of each doubt about the plan with these values at JSON pointers.
fn doubts(with: &[(&str, Value)]) -> Vec<(String, String, String)> {
    let mut plan = plan();
    for (pointer, value) in with {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        plan.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    let plan = Plan::read(&plan).unwrap();
    let findings = findings(&plan);
    assert!(findings.iter().all(|finding| finding.severity == Severity::Warning));
    findings.into_iter().map(|finding| (finding.path, finding.problem, finding.fix)).collect()
}

fn paths(with: &[(&str, Value)]) -> Vec<String> {
    doubts(with).into_iter().map(|(path, ..)| path).collect()
}

#[test]
fn a_plan_with_a_topic_leaves_no_doubt_and_one_without_is_told() {
    assert_eq!(doubts(&[]), []);
    assert_eq!(paths(&[("/notify", Value::Null)]), ["$.notify"]);
}

#[test]
fn whoever_responds_and_hears_of_no_incident_is_told() {
    let said = |responds: u8, moments: Value| {
        let group = json!({ "name": "team", "responds": responds, "moments": moments,
            "channels": [{ "type": "sns", "topic_arn": "arn:aws:sns:eu-west-1:123456789012:team" }] });
        paths(&[("/stakeholders", json!({ "groups": [group] }))])
    };
    assert_eq!(said(1, json!(["stuck"])), ["$.stakeholders.groups[0].responds"]);
    for (responds, moments) in [(1, json!(["stuck", "incident"])), (1, Value::Null), (0, json!(["stuck"]))] {
        assert!(said(responds, moments.clone()).is_empty(), "{responds} {moments}");
    }
}

#[test]
fn a_probe_of_the_name_that_moves_is_told_however_it_is_spelt() {
    for url in ["https://app.example.com/health", "http://APP.Example.com:8443", "https://app.example.com./health"] {
        let told = doubts(&[("/health_check", json!({ "url": url }))]);
        let (path, problem, fix) = &told[0];
        assert_eq!((told.len(), path.as_str()), (1, "$.health_check.url"), "{url}");
        assert!(problem.contains("the name that the plan moves") && problem.contains("old side until"), "{problem}");
        assert!(fix.contains("\"host\": \"App.example.com\""), "{fix}");
    }
    let side = |url: &str| json!({ "url": url, "host": "app.example.com" });
    for url in ["https://192.0.2.7/health", "https://new.app.example.com/", "https://app.example.org/"] {
        assert_eq!(doubts(&[("/health_check", side(url))]), [], "{url}");
    }
    // The old side of a load test is asked by that name, and the new one never.
    let test = json!({ "targets": { "new": { "url": "https://app.example.com/" }, "old": { "url": "https://app.example.com/?" } },
                       "rate_per_second": 10, "sla": { "max_p95_ms": 250 } });
    assert_eq!(paths(&[("/load_test", test)]), ["$.load_test.targets.new.url"]);
}

#[test]
fn a_comparison_that_guards_nothing_or_not_for_long_is_told() {
    let metric = |compared: bool| {
        let mut metric = json!({ "name": if compared { "beside" } else { "limit" }, "namespace": "AWS/ApplicationELB", "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum",
            "dimensions": { "LoadBalancer": "app/a/1", "TargetGroup": "targetgroup/new/1" }, "divide_by": { "metric_name": "RequestCount" },
            "comparison": "greater_than", "threshold": 0.01, "missing": "zero_if_divisor" });
        if compared {
            metric["compare_to"] =
                json!({ "dimensions": { "LoadBalancer": "app/a/1", "TargetGroup": "targetgroup/old/1" } });
        }
        metric
    };
    let with = |metrics: Value| ("/monitoring", json!({ "metrics": metrics }));
    assert_eq!(doubts(&[with(json!([metric(true), metric(false)]))]), []);
    let alone = doubts(&[with(json!([metric(true)]))]);
    assert_eq!((alone.len(), alone[0].0.as_str()), (1, "$.monitoring.metrics[0].compare_to"));
    assert!(alone[0].1.contains("until cleanup, it guards nothing"), "{alone:?}");
    let at_once = ("/routes/0/steps", json!([{ "new_weight": 0 }, { "new_weight": 100 }]));
    let told = doubts(&[with(json!([metric(false), metric(true)])), at_once]);
    assert_eq!((told.len(), told[0].0.as_str()), (1, "$.monitoring.metrics[1].compare_to"));
    assert!(told[0].1.contains("no step splits the traffic"), "{told:?}");
}

#[test]
fn a_wildcard_that_moves_says_nothing_of_a_probe_below_it() {
    let with = [
        ("/routes/1/record_name", json!("*.example.com")),
        ("/health_check", json!({ "url": "https://new.example.com/" })),
    ];
    assert_eq!(doubts(&with), []);
}

#[test]
fn a_share_where_a_metric_is_in_percent_is_told() {
    let limit = |namespace: &str, metric: &str, max: f64| json!([{ "name": "l", "namespace": namespace, "metric_name": metric, "statistic": "Average", "max": max }]);
    let told = doubts(&[("/validation", json!({ "limits": limit("AWS/ECS", "CPUUtilization", 0.8) }))]);
    assert_eq!(told[0].0, "$.validation.limits[0].max");
    assert!(told[0].2.starts_with("write 80,"), "{told:?}");
    for (namespace, metric, max) in [
        ("AWS/ECS", "CPUUtilization", 80.0),
        ("AWS/Lambda", "ProvisionedConcurrencyUtilization", 0.8),
        ("Shop", "PoolUtilization", 0.8),
        ("AWS/ECS", "Errors", 1.0),
        ("AWS/ECS", "CPUUtilization", 0.0),
    ] {
        assert_eq!(doubts(&[("/validation", json!({ "limits": limit(namespace, metric, max) }))]), [], "{metric}");
    }
    let gate = json!([{ "name": "cpu", "namespace": "AWS/EC2", "metric_name": "CPUUtilization", "statistic": "Average",
                        "comparison": "greater_than", "threshold": 0.8 }]);
    assert_eq!(paths(&[("/monitoring", json!({ "metrics": gate }))]), ["$.monitoring.metrics[0].threshold"]);
}

#[test]
fn bounds_of_a_load_test_that_cannot_be_meant_are_told() {
    let of = |sla: Value| {
        let test = json!({ "targets": { "new": { "url": "https://192.0.2.7/" } }, "rate_per_second": 100, "sla": sla });
        doubts(&[("/load_test", test)])
    };
    assert_eq!(of(json!({ "max_p95_ms": 250, "max_p99_ms": 250, "min_success_percent": 99.5 })), []);
    for (sla, path, word) in [
        (json!({}), "", "decides nothing"),
        (json!({ "min_success_percent": 0.99 }), ".min_success_percent", "write 99,"),
        (json!({ "min_success_percent": 1 }), ".min_success_percent", "write 100,"),
        (json!({ "max_p95_ms": 0.25 }), ".max_p95_ms", "write 250,"),
        (json!({ "max_mean_ms": 0.5 }), ".max_mean_ms", "write 500,"),
        (json!({ "max_p95_ms": 300, "max_p99_ms": 200 }), ".max_p99_ms", "give 300 or more"),
        (json!({ "max_p50_ms": 300, "max_p999_ms": 200 }), ".max_p999_ms", "leave max_p50_ms out"),
    ] {
        let told = of(sla.clone());
        assert_eq!((told.len(), told[0].0.as_str()), (1, format!("$.load_test.sla{path}").as_str()), "{sla}");
        assert!(told[0].1.contains(word) || told[0].2.contains(word), "{sla}: {told:?}");
    }
}

#[test]
fn percentiles_of_too_few_requests_and_bounds_beyond_the_time_out_are_told() {
    let of = |fields: Value| {
        let mut test =
            json!({ "targets": { "new": { "url": "https://192.0.2.7/" } }, "rate_per_second": 20, "duration": "1m" });
        test.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        doubts(&[("/load_test", test)])
    };
    let told = of(json!({ "sla": { "max_p95_ms": 250, "max_p999_ms": 800 } }));
    assert_eq!((told.len(), told[0].0.as_str()), (1, "$.load_test.sla.max_p999_ms"));
    assert!(told[0].1.contains("1200 requests are sent to the side: it takes 2995"), "{told:?}");
    assert!(
        of(json!({ "rate_per_second": 1, "duration": "2s", "sla": { "max_p50_ms": 250 } }))[0].1.contains("it takes 5")
    );
    assert_eq!(of(json!({ "rate_per_second": 50, "sla": { "max_p999_ms": 800 } })), []);
    assert_eq!(of(json!({ "rate_per_second": 5, "sla": { "max_p99_ms": 800 } })), [], "300 of 299");
    let beyond = of(json!({ "timeout": "2s", "sla": { "max_p95_ms": 2000 } }));
    assert_eq!((beyond.len(), beyond[0].0.as_str()), (1, "$.load_test.sla.max_p95_ms"));
    assert!(beyond[0].1.contains("waited for longer than 2s"), "{beyond:?}");
    assert_eq!(of(json!({ "timeout": "2s", "sla": { "max_p95_ms": 1999 } })), []);
}

#[test]
fn figures_that_are_upside_down_and_a_percentile_that_is_not_judged_by_counts_are_told() {
    let given = |p50: u32, p95: u32, p99: u32| {
        paths(&[("/baseline", json!({ "given": { "p50_ms": p50, "p95_ms": p95, "p99_ms": p99 } }))])
    };
    assert_eq!(given(20, 50, 100), [""; 0]);
    assert_eq!(given(20, 20, 20), [""; 0]);
    assert_eq!(given(100, 50, 20), ["$.baseline.given.p95_ms"]);
    assert_eq!(given(20, 50, 30), ["$.baseline.given.p99_ms"]);
    let gate = |fields: Value| {
        let mut gate = json!({ "name": "p95", "namespace": "AWS/ApplicationELB", "metric_name": "TargetResponseTime", "statistic": "p95",
            "comparison": "greater_than_or_equal", "threshold": 0.8 });
        gate.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        paths(&[("/monitoring", json!({ "metrics": [gate] }))])
    };
    assert_eq!(gate(json!({})), ["$.monitoring.metrics[0].comparison"]);
    assert_eq!(gate(json!({ "test": "threshold" })), [""; 0]);
    assert_eq!(gate(json!({ "comparison": "greater_than" })), [""; 0]);
    assert_eq!(gate(json!({ "statistic": "Average" })), [""; 0]);
}

#[test]
fn two_metrics_of_one_name_are_told() {
    let metric = json!({ "name": "m", "namespace": "n", "metric_name": "m", "statistic": "Sum", "comparison": "greater_than",
                         "threshold": 7 });
    let limit = json!({ "name": "m", "namespace": "n", "metric_name": "m", "statistic": "Sum", "max": 7 });
    let with = |metrics: Value, limits: Value| {
        paths(&[("/monitoring", json!({ "metrics": metrics })), ("/validation", json!({ "limits": limits }))])
    };
    assert_eq!(with(json!([metric]), json!([limit])), [""; 0]);
    assert_eq!(with(json!([metric, metric]), json!([])), ["$.monitoring.metrics[1].name"]);
    assert_eq!(with(json!([]), json!([limit, limit])), ["$.validation.limits[1].name"]);
}

#[test]
fn watching_the_old_group_is_told() {
    let groups =
        |name: &str| json!({ "target_groups": [{ "target_group_arn": format!("{ELB}:targetgroup/{name}/1") }] });
    assert_eq!(paths(&[("/monitoring", groups("old"))]), ["$.monitoring.target_groups[0].target_group_arn"]);
    assert_eq!(paths(&[("/monitoring", groups("other"))]), [""; 0]);
}

#[test]
fn a_ramp_that_is_never_held_is_told() {
    let ramp = |hold: &str| -> Value {
        (0..=100).map(|n| json!({ "new_weight": n, "hold": if n == 50 { hold } else { "0s" } })).collect()
    };
    assert_eq!(paths(&[("/routes/0/steps", ramp("0s"))]), ["$.routes[0].steps"]);
    assert_eq!(paths(&[("/routes/0/steps", ramp("15m"))]), [""; 0]);
    let canary = json!([{ "new_weight": 10 }, { "new_weight": 100, "hold": "30m" }]);
    assert_eq!(paths(&[("/routes/0/steps", canary)]), [""; 0]);
}
