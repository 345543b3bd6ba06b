//! A plan is checked before anything is touched: every error at once, each with its path and what would be right.

#![allow(clippy::unwrap_used, reason = "a test")]

use cutover::plan::{HealthCheck, RecordData};
use cutover::schedule;
use cutover::{Finding, Plan, Seconds};
use proptest::prelude::*;
use serde_json::{Value, json};

const ELB: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

fn plan() -> Value {
    json!({
        "application": "portal",
        "health_check": { "url": "https://new.example.com/health" },
        "database": { "replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:T", "shared": true },
        "routes": [
            { "type": "listener", "listener_arn": format!("{ELB}:listener/app/a/1/2"),
              "old_target_group_arn": format!("{ELB}:targetgroup/old/1"), "new_target_group_arn": format!("{ELB}:targetgroup/new/1"),
              "steps": [{ "new_weight": 10, "hold": "15m" }, { "new_weight": 100 }] },
            { "type": "dns", "hosted_zone_id": "Z1", "record_name": "app.example.com",
              "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }], "steps": [{ "new_weight": 100 }] },
        ],
        "monitoring": { "metrics": [{ "name": "m", "namespace": "n", "metric_name": "m", "statistic": "Sum",
            "comparison": "greater_than", "threshold": 0 }] },
        "hooks": {},
        "alarms": [{ "AlarmName": "a", "Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
            "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold" }],
    })
}

/// The paths of the findings on the plan with the value at a JSON pointer replaced (removed where it is null).
fn findings_with(pointer: &str, value: Value) -> Vec<Finding> {
    let mut plan = plan();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match plan.pointer_mut(parent).unwrap() {
        Value::Object(fields) if value.is_null() => drop(fields.remove(key)),
        Value::Object(fields) => drop(fields.insert(key.to_owned(), value)),
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        other => panic!("{other}"),
    }
    Plan::read(&plan).err().unwrap_or_default()
}

fn assert_found(pointer: &str, value: Value, path: &str) {
    let findings = findings_with(pointer, value.clone());
    assert!(findings.iter().any(|finding| finding.path == path), "{pointer} = {value}: {findings:#?}");
    assert!(findings.iter().all(|finding| !finding.problem.is_empty() && !finding.fix.is_empty()));
}

#[test]
fn the_plan_of_these_tests_is_right() {
    assert_eq!(Plan::read(&plan()).err(), None);
}

#[test]
fn every_rule_names_the_place() {
    let steps = |weights: &[u64]| weights.iter().map(|weight| json!({ "new_weight": weight })).collect::<Value>();
    let cases = [
        ("/application", json!("a b"), "$.application"),
        ("/application", json!("x".repeat(65)), "$.application"),
        ("/application", json!(7), "$.application"),
        ("/application", Value::Null, "$.application"),
        ("/mode", json!("dry"), "$.mode"),
        ("/surprise", json!(1), "$.surprise"),
        ("/timeout", json!("12"), "$.timeout"),
        ("/timeout", json!(12), "$.timeout"),
        ("/timeout", json!("1.5s"), "$.timeout"),
        ("/routes", json!([]), "$.routes"),
        ("/routes/0", json!({ "type": "nlb" }), "$.routes[0].type"),
        ("/routes/0", json!("listener"), "$.routes[0]"),
        ("/routes/0/rule_arn", json!(format!("{ELB}:listener-rule/app/a/1/2/3")), "$.routes[0]"),
        ("/routes/0/listener_arn", Value::Null, "$.routes[0]"),
        ("/routes/0/listener_arn", json!("a"), "$.routes[0].listener_arn"),
        (
            "/routes/0/new_target_group_arn",
            json!(format!("{ELB}:targetgroup/old/1")),
            "$.routes[0].new_target_group_arn",
        ),
        ("/routes/0/min_healthy_percent", json!(0), "$.routes[0].min_healthy_percent"),
        ("/routes/0/group_stickiness", json!("0s"), "$.routes[0].group_stickiness"),
        ("/routes/0/group_stickiness", json!("169h"), "$.routes[0].group_stickiness"),
        ("/routes/0/steps", json!([]), "$.routes[0].steps"),
        ("/routes/0/steps", steps(&[50, 20, 100]), "$.routes[0].steps[1].new_weight"),
        ("/routes/0/steps", steps(&[50]), "$.routes[0].steps[0].new_weight"),
        ("/routes/0/steps", steps(&[101]), "$.routes[0].steps[0].new_weight"),
        ("/routes/0/steps/0/hold", json!("soon"), "$.routes[0].steps[0].hold"),
        ("/routes/1/record_name", json!("a..b"), "$.routes[1].record_name"),
        ("/routes/1/hosted_zone_id", json!("/change/Z1"), "$.routes[1].hosted_zone_id"),
        ("/routes/1/hosted_zone_id", json!("xyz"), "$.routes[1].hosted_zone_id"),
        ("/routes/1/record_name", json!("büro.example.com"), "$.routes[1].record_name"),
        ("/routes/1/hosted_zone_id", json!("/hostedzone/"), "$.routes[1].hosted_zone_id"),
        ("/routes/1/ttl", json!(0), "$.routes[1].ttl"),
        ("/routes/1/records", json!([]), "$.routes[1].records"),
        ("/routes/1/records/0/new", json!({}), "$.routes[1].records[0].new"),
        ("/routes/1/records", json!([{ "type": "A", "new": null }]), "$.routes[1].records"),
        ("/leaves_behind", json!([{ "what": "x" }]), "$.leaves_behind[0].why"),
        ("/routes/1/records/0/new/values", json!(["::1"]), "$.routes[1].records[0].new.values[0]"),
        (
            "/routes/1/records/0",
            json!({ "type": "CNAME", "new": { "values": ["APP.example.com."] } }),
            "$.routes[1].records[0].new.values[0]",
        ),
        (
            "/routes/1/records/0/new",
            json!({ "alias": { "dns_name": "app.example.com", "hosted_zone_id": "Z1" } }),
            "$.routes[1].records[0].new.alias.dns_name",
        ),
        (
            "/routes/1/records/0/new",
            json!({ "alias": { "dns_name": format!("{ELB}:loadbalancer/app/a/1"), "hosted_zone_id": "Z2" } }),
            "$.routes[1].records[0].new.alias.dns_name",
        ),
        (
            "/load_test",
            json!({ "targets": { "new": { "url": "https://5.6.7.8/" } }, "rate_per_second": 20, "sla": { "min_throughput_rps": 40 } }),
            "$.load_test.sla.min_throughput_rps",
        ),
        ("/routes/1/records/0/type", json!("MX"), "$.routes[1].records[0].type"),
        (
            "/routes/1/health_checks",
            json!({ "new": { "fqdn": "x", "interval": "15s" } }),
            "$.routes[1].health_checks.new.interval",
        ),
        ("/health_check/url", json!("new.example.com"), "$.health_check.url"),
        ("/health_check/url", json!("https://new.example.com:99999/"), "$.health_check.url"),
        ("/health_check/host", json!("shop.example.com:443"), "$.health_check.host"),
        ("/health_check/host", json!("https://shop.example.com"), "$.health_check.host"),
        ("/health_check/host", json!("shop.example.com.."), "$.health_check.host"),
        (
            "/routes/1/records/0/new",
            json!({ "values": ["5.6.7.8"], "health_check_id": "arn:aws:route53:::hostedzone/Z1" }),
            "$.routes[1].records[0].new.health_check_id",
        ),
        ("/monitoring/metrics/0/statistic", json!("p099"), "$.monitoring.metrics[0].statistic"),
        (
            "/monitoring/alarms",
            json!(["arn:aws:cloudwatch:eu-west-1:123456789012:dashboard/a"]),
            "$.monitoring.alarms[0]",
        ),
        ("/health_check/certificate", json!("any"), "$.health_check.certificate"),
        ("/health_check/successes", json!(11), "$.health_check.successes"),
        ("/health_check/expect_status", json!("2xx"), "$.health_check.expect_status"),
        ("/health_check/timeout", json!("60s"), "$.health_check.timeout"),
        ("/database/replication_task_arn", json!("T"), "$.database.replication_task_arn"),
        (
            "/database/replication_task_arn",
            json!("arn:aws:dms:eu-west-1:123456789012:endpoint:T"),
            "$.database.replication_task_arn",
        ),
        (
            "/database/reverse_replication_task_arn",
            json!("arn:aws:dms:eu-west-1:123456789012:rep:T"),
            "$.database.reverse_replication_task_arn",
        ),
        (
            "/database/reverse_replication_task_arn",
            json!("arn:aws:dms:eu-west-1:123456789012:task:T"),
            "$.database.reverse_replication_task_arn",
        ),
        ("/database/drain_latency", json!("2h"), "$.database.drain_latency"),
        ("/database/shared", json!(false), "$.routes[0].steps[0].new_weight"),
        ("/database/samples", json!(0), "$.database.samples"),
        ("/monitoring/failure_limit", json!(0), "$.monitoring.failure_limit"),
        ("/monitoring/metrics/0/statistic", json!("p101"), "$.monitoring.metrics[0].statistic"),
        ("/monitoring/metrics/0/period", json!("90s"), "$.monitoring.metrics[0].period"),
        ("/monitoring/metrics/0/missing", json!("zero_if_divisor"), "$.monitoring.metrics[0].missing"),
        ("/monitoring/metrics/0/comparison", json!(">"), "$.monitoring.metrics[0].comparison"),
        (
            "/hooks/quiesce",
            json!([{ "function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:f" }]),
            "$.hooks.resume",
        ),
        ("/alarms/0/Period", json!(45), "$.alarms[0].Period"),
        ("/alarms/0/Surprise", json!(1), "$.alarms[0].Surprise"),
        ("/alarms/0/Period", json!("60"), "$.alarms[0].Period"),
        ("/alarms/0/Dimensions", json!([{ "Name": "n", "Value": 7 }]), "$.alarms[0].Dimensions[0].Value"),
        ("/routes/0/listener_arn", json!(format!("{ELB}:listener/app/a/1/2; reboot")), "$.routes[0].listener_arn"),
        ("/routes/1/record_name", json!("a\nb.example.com"), "$.routes[1].record_name"),
        (
            "/routes/1/records/0/new",
            json!({ "alias": { "dns_name": "", "hosted_zone_id": "Z" } }),
            "$.routes[1].records[0].new.alias.dns_name",
        ),
        ("/routes/1/health_checks", json!({ "new": { "fqdn": "x", "port": 0 } }), "$.routes[1].health_checks.new.port"),
        (
            "/routes/1/records/0/new",
            json!({ "alias": { "dns_name": "new-1.eu-west-1.elb.amazonaws.com", "hosted_zone_id": "Z35SXDOTRQ7X7K" } }),
            "$.routes[1].records[0].new.alias.hosted_zone_id",
        ),
        (
            "/routes/1/records/0/new",
            json!({ "alias": { "dns_name": "new.example.org", "hosted_zone_id": "Z32O12XQLNTSW2" } }),
            "$.routes[1].records[0].new.alias.hosted_zone_id",
        ),
        (
            "/routes/1/records/0",
            json!({ "type": "CNAME", "new": { "values": ["a..b.example.net"] } }),
            "$.routes[1].records[0].new.values[0]",
        ),
        (
            "/routes/1/records/0/new",
            json!({ "alias": { "dns_name": "d1.cloudfront.net", "hosted_zone_id": "Z2FDTNDATAQYW2", "evaluate_target_health": true } }),
            "$.routes[1].records[0].new.alias.evaluate_target_health",
        ),
        (
            "/routes/1/records/0",
            json!({ "type": "CNAME", "new": { "alias": { "dns_name": "new-1.eu-west-1.elb.amazonaws.com", "hosted_zone_id": "Z32O12XQLNTSW2" } } }),
            "$.routes[1].records[0].new.alias",
        ),
        (
            "/routes/1/records/0/new",
            json!({ "values": ["5.6.7.8", "5.6.7.8"] }),
            "$.routes[1].records[0].new.values[1]",
        ),
        (
            "/routes/1/records/0",
            json!({ "type": "AAAA", "new": { "values": ["2001:db8::2", "2001:DB8:0::2"] } }),
            "$.routes[1].records[0].new.values[1]",
        ),
        ("/routes/0/listener_arn", json!(format!("{ELB}:listener-rule/app/a/1/2/3")), "$.routes[0].listener_arn"),
        ("/routes/0/listener_arn", json!(format!("{ELB}:loadbalancer/app/a/1")), "$.routes[0].listener_arn"),
        (
            "/routes/0/new_target_group_arn",
            json!(format!("{ELB}:listener/app/a/1/2")),
            "$.routes[0].new_target_group_arn",
        ),
        ("/notify", json!({ "topic_arn": "portal" }), "$.notify.topic_arn"),
        ("/notify", json!({ "topic_arn": "arn:aws:sns:eu-west-1:123456789012:portal.fifo" }), "$.notify.topic_arn"),
        ("/approval", json!({ "topic_arn": "arn:aws:sns:eu-west-1:123456789012:portal.fifo" }), "$.approval.topic_arn"),
        ("/cleanup", json!({ "after": "400 days" }), "$.cleanup.after"),
    ];
    for (pointer, value, path) in cases {
        assert_found(pointer, value, path);
    }
}

#[test]
fn all_errors_come_at_once() {
    let wrong = json!({ "application": 7, "routes": [{ "type": "dns", "steps": "no" }], "timeout": "soon", "x": 1 });
    let findings = Plan::read(&wrong).unwrap_err();
    let paths: Vec<&str> = findings.iter().map(|finding| finding.path.as_str()).collect();
    for path in ["$.application", "$.routes[0].steps", "$.routes[0].record_name", "$.timeout", "$.x"] {
        assert!(paths.contains(&path), "{path} is not among {paths:?}");
    }
}

#[test]
fn a_health_check_says_whom_it_asks_and_how() {
    for (check, place) in [
        (json!({ "fqdn": "x", "port": 8080 }), ".protocol"),
        (json!({ "fqdn": "x", "port": 8080, "protocol": "udp" }), ".protocol"),
        (json!({ "fqdn": "x", "protocol": "tcp" }), ".port"),
        (json!({ "fqdn": "x", "protocol": "tcp", "port": 5432, "path": "/health" }), ".path"),
        (json!({ "fqdn": "x", "protocol": "tcp", "port": 5432, "search_string": "ok" }), ".search_string"),
        (json!({ "fqdn": "x", "search_string": "" }), ".search_string"),
        (json!({ "fqdn": "APP.example.com." }), ".fqdn"),
        (json!({ "ip_address": "new" }), ".ip_address"),
        (json!({ "ip_address": "10.0.0.1", "fqdn": "x" }), ".ip_address"),
        (json!({ "fqdn": "https://app.example.org" }), ".fqdn"),
        (json!({ "fqdn": "app..example.org" }), ".fqdn"),
        (json!({}), ""),
    ] {
        let mut plan = plan();
        plan["routes"][1]["health_checks"] = json!({ "new": check });
        assert_eq!(places(&plan), [format!("$.routes[1].health_checks.new{place}")], "{check}");
    }
    for check in [
        json!({ "fqdn": "x" }),
        json!({ "fqdn": "x", "port": 80 }),
        json!({ "fqdn": "x", "port": 8080, "protocol": "http", "search_string": "ok" }),
        json!({ "fqdn": "app.example.com", "ip_address": "203.0.113.7" }),
        json!({ "ip_address": "2001:db8::7", "protocol": "tcp", "port": 5432 }),
    ] {
        let findings = findings_with("/routes/1/health_checks", json!({ "new": check }));
        assert_eq!(findings, [], "{check}");
    }
}

#[test]
fn a_record_carries_one_health_check() {
    let place = "$.routes[1].records[0].new.health_check_id";
    let mut plan = plan();
    plan["routes"][1]["records"][0]["new"]["health_check_id"] = json!("a b");
    assert_eq!(places(&plan), [place]);
    plan["routes"][1]["records"][0]["new"]["health_check_id"] = json!("1f2e");
    assert_eq!(places(&plan), [""; 0]);
    plan["routes"][1]["health_checks"] = json!({ "new": { "fqdn": "x" } });
    assert_eq!(places(&plan), [place]);
    plan["routes"][1]["records"][0]["new"]["health_check_id"] = Value::Null;
    assert_eq!(places(&plan), [""; 0], "made for the run, and none in the end");
}

/// Null says something, so it is kept; and what earlier versions kept means what it meant.
#[test]
fn health_checks_are_kept_as_they_were_meant() {
    let read = |data: Value| serde_json::from_value::<RecordData>(data).unwrap();
    for data in [json!({}), json!({ "health_check_id": null }), json!({ "health_check_id": "1f2e" })] {
        assert_eq!(serde_json::to_value(read(data.clone())).unwrap(), data);
    }
    for (check, asks) in [
        (json!({ "fqdn": "x", "path": "/", "port": 443 }), "https://x:443/"),
        (json!({ "fqdn": "x", "path": "/", "port": 80 }), "http://x:80/"),
        (json!({ "fqdn": "x", "path": "/health", "port": 8080 }), "https://x:8080/health"),
        (json!({ "fqdn": "x", "protocol": "http" }), "http://x:80/"),
        (
            json!({ "fqdn": "x", "ip_address": "203.0.113.7", "protocol": "tcp", "port": 5432 }),
            "tcp://203.0.113.7:5432",
        ),
    ] {
        assert_eq!(serde_json::from_value::<HealthCheck>(check).unwrap().describe(), asks);
    }
}

/// The places of all findings.
fn places(plan: &Value) -> Vec<String> {
    Plan::read(plan).err().unwrap_or_default().into_iter().map(|finding| finding.path).collect()
}

#[test]
fn form_and_sense_come_together_in_the_order_of_the_plan() {
    let mut plan = plan();
    plan["application"] = json!("a b");
    plan["timeout"] = json!(12);
    plan["surprise"] = json!(1);
    plan["routes"][0]["steps"] = json!([{ "new_weight": 50 }, { "new_weight": 20, "hold": 5 }, { "new_weight": 100 }]);
    plan["routes"][1]["records"][0]["new"]["values"] = json!(["::1", 7]);
    plan["monitoring"]["metrics"][0]["statistic"] = json!("p101");
    assert_eq!(
        places(&plan),
        [
            "$.application",
            "$.monitoring.metrics[0].statistic",
            "$.routes[0].steps[1].hold",
            "$.routes[0].steps[1].new_weight",
            "$.routes[1].records[0].new.values[0]",
            "$.routes[1].records[0].new.values[1]",
            "$.surprise",
            "$.timeout",
        ]
    );
}

/// What could not be read has no follow-up: neither where it stands, nor in a rule over it and another place.
#[test]
fn what_could_not_be_read_makes_no_noise() {
    for (pointer, value, place) in [
        ("/application", json!(7), "$.application"),
        ("/routes", json!({}), "$.routes"),
        ("/routes/0", json!("listener"), "$.routes[0]"),
        ("/routes/0/listener_arn", json!(7), "$.routes[0].listener_arn"),
        ("/routes/0/old_target_group_arn", json!([]), "$.routes[0].old_target_group_arn"),
        ("/routes/0/steps", json!("all"), "$.routes[0].steps"),
        ("/routes/0/steps/0/new_weight", json!("all"), "$.routes[0].steps[0].new_weight"),
        ("/routes/0/steps/1/new_weight", json!("all"), "$.routes[0].steps[1].new_weight"),
        ("/routes/1/records", json!("A"), "$.routes[1].records"),
        ("/routes/1/records/0/type", json!("MX"), "$.routes[1].records[0].type"),
        ("/routes/1/records/0/new", json!("5.6.7.8"), "$.routes[1].records[0].new"),
        ("/routes/1/records/0/new/values", json!("5.6.7.8"), "$.routes[1].records[0].new.values"),
        ("/health_check", json!({ "url": "http://x/", "successes": 11, "attempts": "ten" }), "$.health_check.attempts"),
        ("/hooks/resume", json!("r"), "$.hooks.resume"),
        ("/alarms/0/Statistic", json!(7), "$.alarms[0].Statistic"),
        ("/alarms/0/EvaluationPeriods", json!(0), "$.alarms[0].EvaluationPeriods"),
        ("/timeout", json!("soon"), "$.timeout"),
    ] {
        let mut plan = plan();
        plan["hooks"] = json!({ "quiesce": [{ "function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:f" }], "resume": [] });
        plan["hooks"]["resume"] = plan["hooks"]["quiesce"].clone();
        assert_eq!(Plan::read(&plan).err(), None);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match plan.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
            fields => fields[key] = value,
        }
        assert_eq!(places(&plan), [place], "{pointer}");
    }
}

/// An editor's hint is no part of the plan, and a zone is named as the console or as an SDK does.
#[test]
fn what_people_paste_is_taken() {
    let mut pasted = plan();
    pasted["$schema"] = json!("https://example.com/cutover.schema.json");
    pasted["routes"][1]["hosted_zone_id"] = json!("/hostedzone/Z1");
    let alias = |zone: &str| json!({ "alias": { "dns_name": "x.example.com.", "hosted_zone_id": zone } });
    pasted["routes"][1]["records"][0]["new"] = alias("hostedzone/Z2");
    let mut plan = plan();
    plan["routes"][1]["records"][0]["new"] = alias("Z2");
    assert_eq!(Plan::read(&pasted), Plan::read(&plan));
    assert!(Plan::read(&pasted).is_ok());
    pasted["routes"][1]["records"] = json!([pasted["routes"][1]["records"][0], { "type": "AAAA", "new": null }]);
    assert!(Plan::read(&pasted).is_ok(), "{:?}", Plan::read(&pasted));
    pasted["health_check"] = json!({ "url": "HTTPS://10.0.0.1/", "host": "Shop.example.com." });
    assert!(Plan::read(&pasted).is_ok(), "{:?}", Plan::read(&pasted));
    pasted["$schema"] = json!(7);
    assert_eq!(places(&pasted), ["$.$schema"]);
}

#[test]
fn a_missing_field_is_called_missing() {
    for (pointer, path) in [
        ("/application", "$.application"),
        ("/routes", "$.routes"),
        ("/routes/0/type", "$.routes[0].type"),
        ("/routes/0/new_target_group_arn", "$.routes[0].new_target_group_arn"),
        ("/routes/0/steps/0/new_weight", "$.routes[0].steps[0].new_weight"),
        ("/routes/1/records/0/type", "$.routes[1].records[0].type"),
        ("/routes/1/records/0/new", "$.routes[1].records[0].new"),
        ("/health_check/url", "$.health_check.url"),
        ("/alarms/0/AlarmName", "$.alarms[0].AlarmName"),
        ("/alarms/0/EvaluationPeriods", "$.alarms[0].EvaluationPeriods"),
    ] {
        let findings = findings_with(pointer, Value::Null);
        assert_eq!(findings.len(), 1, "{findings:#?}");
        assert_eq!((findings[0].path.as_str(), findings[0].problem.as_str()), (path, "is missing"));
    }
}

/// Without its type, or with a wrong one, a route is still read: as the type that its fields are of, or as far as every type
/// has the same.
#[test]
fn a_route_of_no_type_is_read_as_what_its_fields_say() {
    for (route, wrong, place) in [(0, "nlb", "listener_arn"), (1, "DNS", "record_name")] {
        let mut plan = plan();
        plan["routes"][route]["type"] = json!(wrong);
        plan["routes"][route]["steps"] = json!([{ "new_weight": 50 }]);
        plan["routes"][route][place] = json!("a b");
        let path = |field: &str| format!("$.routes[{route}].{field}");
        assert_eq!(places(&plan), [path(place), path("steps[0].new_weight"), path("type")]);
        plan["routes"][route].as_object_mut().unwrap().remove("type");
        assert_eq!(places(&plan), [path(place), path("steps[0].new_weight"), path("type")]);
    }
    let mut plan = plan();
    plan["routes"][0] = json!({ "steps": [{ "new_weight": 50 }] });
    assert_eq!(places(&plan), ["$.routes[0].steps[0].new_weight", "$.routes[0].type"]);
}

/// What AWS's console, CLI and SDKs print is taken as it is.
#[test]
fn identifiers_are_taken_as_aws_gives_them() {
    let mut pasted = plan();
    pasted["routes"][0]["listener_arn"] = json!(format!(" {ELB}:listener/app/a/1/2\n"));
    pasted["routes"][0]["new_target_group_arn"] = json!(format!("{ELB}:targetgroup/new/1\t"));
    pasted["routes"][1]["hosted_zone_id"] = json!("arn:aws:route53:::hostedzone/Z1");
    pasted["routes"][1]["records"][0]["new"]["values"] = json!([" 5.6.7.8 "]);
    pasted["health_check"]["host"] = json!("shop.example.com.");
    pasted["timeout"] = json!(" 12h ");
    let mut plain = plan();
    plain["health_check"]["host"] = json!("shop.example.com");
    assert_eq!(Plan::read(&pasted), Plan::read(&plain));
    assert!(Plan::read(&pasted).is_ok(), "{:?}", Plan::read(&pasted));
    for id in ["1f2e-3d", "/healthcheck/1f2e-3d", "healthcheck/1f2e-3d", "arn:aws:route53:::healthcheck/1f2e-3d"] {
        plain["routes"][1]["records"][0]["new"]["health_check_id"] = json!(id);
        let read = serde_json::to_value(Plan::read(&plain).unwrap()).unwrap();
        assert_eq!(read["routes"][1]["records"][0]["new"]["health_check_id"], "1f2e-3d", "{id}");
    }
}

/// Its state is no part of what is set.
#[test]
fn an_alarm_is_taken_as_describe_alarms_answers_it() {
    let mut described = plan();
    described["alarms"] = json!([
        { "AlarmName": "a", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a", "ActionsEnabled": true,
          "AlarmConfigurationUpdatedTimestamp": "2026-11-26T09:00:00.000Z", "StateValue": "OK", "StateReason": "r",
          "StateReasonData": "{}", "StateUpdatedTimestamp": "2026-11-26T09:00:00.000Z",
          "StateTransitionedTimestamp": "2026-11-26T09:00:00.000Z", "EvaluationPeriods": 3, "DatapointsToAlarm": 2,
          "OKActions": [], "AlarmActions": [], "InsufficientDataActions": [], "Dimensions": [], "Threshold": 0.01,
          "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching", "Tags": [{ "Key": "team", "Value": "a" }],
          "Metrics": [
              { "Id": "rate", "Expression": "errors / requests", "ReturnData": true },
              { "Id": "errors", "ReturnData": false, "MetricStat": { "Period": 60, "Stat": "Sum",
                "Metric": { "Namespace": "n", "MetricName": "e", "Dimensions": [{ "Name": "n", "Value": "v" }] } } },
              { "Id": "requests", "ReturnData": false, "MetricStat": { "Period": 60, "Stat": "Sum",
                "Metric": { "Namespace": "n", "MetricName": "r" } } }] },
    ]);
    let read = Plan::read(&described).unwrap_or_else(|findings| panic!("{findings:#?}"));
    assert_eq!((read.alarms[0].metrics.len(), read.alarms[0].tags.len()), (3, 1));
    assert_eq!(serde_json::to_value(&read).unwrap()["alarms"][0]["StateValue"], Value::Null);
}

/// Each stands for one mistake of somebody, and for what that person reads. With `UPDATE=1` the messages are written anew:
/// read them as one who sees them for the first time.
#[test]
fn what_people_get_wrong_is_told_so_that_they_can_put_it_right() {
    let file = |name: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes").join(name);
    let mistakes: Value = serde_json::from_str(&std::fs::read_to_string(file("mistakes.json")).unwrap()).unwrap();
    let mut told = String::new();
    for mistake in mistakes.as_array().unwrap() {
        let mut plan = plan();
        for (pointer, value) in mistake["with"].as_object().unwrap() {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            match plan.pointer_mut(pointer) {
                Some(place) => *place = value.clone(),
                None => plan.pointer_mut(parent).unwrap()[key] = value.clone(),
            }
        }
        for pointer in mistake["without"].as_array().into_iter().flatten() {
            let (parent, key) = pointer.as_str().unwrap().rsplit_once('/').unwrap();
            plan.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key).unwrap();
        }
        let findings = Plan::read(&plan).err().unwrap_or_default();
        told += &format!("# {}\n", mistake["who"].as_str().unwrap());
        for finding in &findings {
            told += &format!("{}\n    {}\n    -> {}\n", finding.path, finding.problem, finding.fix);
        }
        told += "\n";
        assert!(!findings.is_empty(), "{mistake}");
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file("messages.txt"), &told).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file("messages.txt")).unwrap_or_default(), told);
}

#[test]
fn what_is_no_plan_at_all_is_told_once() {
    for plan in [json!([]), json!([plan()]), json!("plan"), json!(7), Value::Null] {
        let findings = Plan::read(&plan).unwrap_err();
        assert_eq!(findings.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["$"], "{plan}");
    }
}

/// What people begin with: the scenarios, and the plans of the README.
#[test]
fn the_plans_that_people_begin_with_leave_nothing_in_doubt() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = std::fs::read_dir(root.join("events")).unwrap().map(|file| file.unwrap().path());
    let events = files
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let blocks = readme.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let blocks = blocks.enumerate().map(|(index, text)| (format!("README.md, plan {index}"), text.to_owned()));
    let mut read = 0;
    for (name, text) in events.chain(blocks) {
        let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
        let Ok(plan) = Plan::read(&value) else { continue };
        read += 1;
        assert_eq!(cutover::doubts::findings(&plan), [], "{name}");
    }
    assert!(read > 20, "{read}");
}

#[test]
fn an_alarm_is_named_once() {
    let mut plan = plan();
    plan["alarms"] = json!([plan["alarms"][0], plan["alarms"][0]]);
    assert_eq!(Plan::read(&plan).unwrap_err()[0].path, "$.alarms[1].AlarmName");
}

/// At the end of a run all users have moved: what PutMetricAlarm refuses has to be refused before it.
#[test]
fn an_alarm_that_cloudwatch_would_refuse_is_refused_before_anything_moves() {
    let with = |changes: Value| {
        let mut plan = plan();
        let alarm = plan["alarms"][0].as_object_mut().unwrap();
        alarm.extend(changes.as_object().unwrap().clone());
        alarm.retain(|_, value| !value.is_null());
        places(&plan)
    };
    let at = |field: &str| vec![format!("$.alarms[0].{field}")];
    let days = |period: i64, periods: i64| with(json!({ "Period": period, "EvaluationPeriods": periods }));
    for (period, periods) in [(60, 1440), (3600, 168), (86_400, 7)] {
        assert_eq!(days(period, periods), [""; 0], "{period} s");
    }
    for (period, periods) in [(60, 1441), (3540, 25), (3600, 169)] {
        assert_eq!(days(period, periods), at("EvaluationPeriods"), "{period} s");
    }
    let items = |count: usize| vec![json!("arn:aws:sns:eu-west-1:123456789012:t"); count];
    for actions in ["AlarmActions", "OKActions", "InsufficientDataActions"] {
        assert_eq!(with(json!({ actions: items(5) })), [""; 0]);
        assert_eq!(with(json!({ actions: items(6) })), at(actions));
    }
    let dimensions = |count: usize| vec![json!({ "Name": "n", "Value": "v" }); count];
    assert_eq!(with(json!({ "Dimensions": dimensions(30) })), [""; 0]);
    assert_eq!(with(json!({ "Dimensions": dimensions(31) })), at("Dimensions"));
    assert_eq!(with(json!({ "AlarmDescription": "x".repeat(1025) })), at("AlarmDescription"));
    assert_eq!(with(json!({ "AlarmName": "a\tb" })), at("AlarmName"));
    assert_eq!(with(json!({ "Unit": "Requests" })), at("Unit"));
    let extended = |text: &str| with(json!({ "Statistic": null, "ExtendedStatistic": text }));
    for right in ["p0", "p99", "p99.95", "p100", "p100.0", "tm90", "wm99.9", "IQM", "TM(10%:90%)", "PR(:300)"] {
        assert_eq!(extended(right), [""; 0], "{right}");
    }
    for wrong in ["p101", "p100.1", "p", "P99", "99", "p.5", "p5.", "p-1", "Sum", "iqm", "TM10", "TM(10%)", "max"] {
        assert_eq!(extended(wrong), at("ExtendedStatistic"), "{wrong}");
    }
}

#[test]
fn an_alarm_on_several_metrics_that_cloudwatch_would_refuse_is_refused_too() {
    let stat = |period: i64, stat: &str| json!({ "Period": period, "Stat": stat, "Metric": { "Namespace": "n", "MetricName": "m" } });
    let metric = |id: &str, wanted: Value| json!({ "Id": id, "ReturnData": false, "MetricStat": wanted });
    let with = |periods: i64, metrics: &[Value]| {
        let mut plan = plan();
        plan["alarms"] = json!([{ "AlarmName": "a", "EvaluationPeriods": periods, "Threshold": 1, "Metrics": metrics,
            "ComparisonOperator": "GreaterThanThreshold" }]);
        places(&plan)
    };
    let rate = || json!({ "Id": "rate", "Expression": "m / 2" });
    assert_eq!(with(1440, &[rate(), metric("m", stat(60, "p99"))]), [""; 0]);
    assert_eq!(with(1441, &[rate(), metric("m", stat(60, "p99"))]), ["$.alarms[0].Metrics"]);
    assert_eq!(with(24, &[rate(), metric("m", stat(60, "p101"))]), ["$.alarms[0].Metrics[1].MetricStat.Stat"]);
    assert_eq!(with(24, &[rate(), metric("M", stat(60, "Sum"))]), ["$.alarms[0].Metrics[1].Id"]);
    assert_eq!(with(24, &[metric("m", stat(60, "Sum"))]), ["$.alarms[0].Metrics"], "it looks at none");
    let both = json!({ "Id": "m", "MetricStat": stat(60, "Sum") });
    assert_eq!(with(24, &[rate(), both]), ["$.alarms[0].Metrics"], "it looks at two");
    let many: Vec<Value> = (0..11).map(|index| metric(&format!("m{index}"), stat(60, "Sum"))).chain([rate()]).collect();
    assert_eq!(with(24, &many[1..]), [""; 0]);
    assert_eq!(with(24, &many), ["$.alarms[0].Metrics"]);
}

#[test]
fn more_alarms_than_anybody_sets_are_refused() {
    let findings = findings_with("/alarms", vec![json!({}); 10_000].into());
    assert!(findings.iter().any(|finding| finding.path == "$.alarms"), "{findings:?}");
}

#[test]
fn ten_thousand_errors_are_told_by_some() {
    let findings = findings_with("/routes/0/steps", vec![json!({}); 10_000].into());
    assert_eq!(findings.len(), cutover::finding::MOST_FINDINGS);
    let findings = findings_with("/routes/0/steps", vec![json!({ "new_weight": 101 }); 10_000].into());
    assert_eq!(findings.len(), cutover::finding::MOST_FINDINGS);
}

#[test]
fn what_a_finding_repeats_is_cut_and_visible() {
    let finding = &findings_with("/\u{202e}\u{0}", json!(1))[0];
    assert_eq!(finding.path, "$.\\u{202e}\\u{0}");
    let finding = &findings_with("/routes/1/hosted_zone_id", json!("é".repeat(100_000)))[0];
    assert!(finding.problem.len() < 1_100, "{}", finding.problem.len());
}

#[test]
fn a_plan_that_the_state_machine_cannot_carry_is_refused() {
    let findings = findings_with("/health_check/expect_body", json!("x".repeat(64 * 1024)));
    assert_eq!(findings[0].path, "$");
    let hook = json!({ "function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:f" });
    let findings = findings_with("/hooks/before_traffic", vec![hook; 2_000].into());
    assert!(findings[0].path == "$" && findings[0].problem.contains("history events"), "{:?}", findings[0]);
}

#[test]
fn a_route_is_named_once() {
    let route = plan()["routes"][0].clone();
    let findings = findings_with("/routes/1", route);
    assert!(findings.iter().any(|finding| finding.path == "$.routes[1]" && finding.problem.contains("second time")));
}

#[test]
fn a_plan_that_does_not_fit_into_one_history_names_an_interval_that_does() {
    let mut plan = plan();
    plan["timeout"] = json!("160h");
    plan["monitoring"]["interval"] = json!("10s");
    plan["routes"][0]["steps"][0]["hold"] = json!("100h");
    let findings = Plan::read(&plan).unwrap_err();
    assert_eq!(findings[0].path, "$.monitoring.interval");
    let interval = findings[0].fix.split(" of ").nth(1).and_then(|text| text.strip_suffix(" fits")).unwrap().to_owned();
    plan["monitoring"]["interval"] = json!(interval);
    let fitting = Plan::read(&plan).unwrap();
    assert!(schedule::history_events(&fitting) <= schedule::MOST_HISTORY_EVENTS);
}

#[test]
fn a_plan_that_must_miss_its_deadline_is_refused() {
    // 15 min of hold, and the name's last step waits for resolvers: 60 s.
    assert_eq!(findings_with("/timeout", json!("961s")), []);
    assert_eq!(findings_with("/timeout", json!("960s"))[0].path, "$.timeout");
    let plan = Plan::read(&plan()).unwrap();
    let spare = Seconds(plan.timeout.0 - 961);
    assert_eq!(schedule::check_time(&plan, spare), None);
    assert!(schedule::check_time(&plan, Seconds(spare.0 + 1)).is_some());
}

#[test]
fn a_metric_with_long_periods_holds_each_step_for_two_of_them_and_the_timeout_allows_for_it() {
    let with = |timeout: &str, period: &str, hold: &str| {
        let mut plan = plan();
        plan["timeout"] = json!(timeout);
        plan["monitoring"]["metrics"] = json!([{ "name": "orders", "namespace": "Shop", "metric_name": "Orders", "statistic": "Sum",
            "comparison": "less_than", "threshold": 5, "period": period }]);
        let steps = json!([{ "new_weight": 10, "hold": hold }, { "new_weight": 50, "hold": hold }, { "new_weight": 100, "hold": "0s" }]);
        plan["routes"] = json!([plan["routes"][0]]);
        plan["routes"][0]["steps"] = steps;
        Plan::read(&plan)
    };
    let findings = with("2h", "1h", "5m").unwrap_err();
    assert_eq!(findings[0].path, "$.timeout");
    assert!(
        findings[0].problem.contains("each 2h at the least") && findings[0].problem.contains("alone take 4h"),
        "{findings:?}"
    );
    assert!(findings[0].fix.ends_with("shorten the metrics' periods"), "{findings:?}");
    let long = with("12h", "1h", "5m").unwrap();
    assert_eq!(schedule::least_time(&long), Seconds::hours(4), "a step that is not held waits for nothing");
    let short = with("2h", "1m", "5m").unwrap();
    assert_eq!(schedule::least_time(&short), Seconds::minutes(10), "the hold is longer");
    assert!(schedule::history_events(&long) > schedule::history_events(&short) + 3_000, "every look of three hours");
}

#[test]
fn a_load_test_that_does_not_fit_into_one_history_is_what_is_named() {
    let test = json!({ "targets": { "new": { "url": "https://192.0.2.7/" } }, "rate_per_second": 20000,
        "duration": "40m", "sla": { "max_p95_ms": 250 } });
    let mut plan = plan();
    plan["timeout"] = json!("24h");
    plan["load_test"] = test;
    let findings = Plan::read(&plan).unwrap_err();
    assert_eq!(findings[0].path, "$.load_test.duration", "{findings:?}");
    let duration =
        findings[0].fix.strip_prefix("a duration of ").and_then(|rest| rest.split(" fits").next()).unwrap().to_owned();
    plan["load_test"]["duration"] = json!(duration);
    assert!(Plan::read(&plan).is_ok(), "{duration}");
    let hook = json!({ "function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:f" });
    let findings = findings_with("/hooks/before_traffic", vec![hook; 2_000].into());
    let fix = "shorten the holds, or lengthen database.interval, or split the plan";
    assert_eq!(findings[0].fix, fix, "nothing that the plan does not have");
}

#[test]
fn a_load_test_asks_for_what_can_be_sent_and_answered() {
    let found = |fields: Value| {
        let mut request = json!({ "path": "/" });
        request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let test = json!({ "targets": { "new": { "url": "https://192.0.2.7/" } }, "rate_per_second": 20, "requests": [request],
            "sla": { "max_p95_ms": 250 } });
        findings_with("/load_test", test).into_iter().map(|finding| (finding.path, finding.fix)).collect::<Vec<_>>()
    };
    let at = |field: &str| format!("$.load_test.requests[0].{field}");
    for path in ["/search?q=\"lamp\"", "/<x>", "/a?b=<c>", "/`x"] {
        let told = found(json!({ "path": path }));
        assert_eq!(told.first().map(|told| told.0.clone()), Some(at("path")), "{path}");
        assert!(told[0].1.contains("percent-encoded"), "{told:?}");
    }
    for path in ["/search?q=%22lamp%22", "/a;b=c?d=[e]&f=|", "/~a/!$&'()*+,;=:@"] {
        assert_eq!(found(json!({ "path": path })), [], "{path}");
    }
    for fields in [json!({ "method": "HEAD" }), json!({ "expect_status": "204" }), json!({ "expect_status": "304" })] {
        let mut fields = fields;
        assert_eq!(found(fields.clone()), [], "{fields}");
        fields["expect_body"] = json!("ok");
        let told = found(fields.clone());
        assert_eq!((told.len(), told[0].0.clone()), (1, at("expect_body")), "{fields}");
    }
    assert_eq!(found(json!({ "expect_status": "200-299", "expect_body": "ok" })), []);
    let url = findings_with(
        "/load_test",
        json!({ "targets": { "new": { "url": "https://192.0.2.7/?q=\"x\"" } }, "rate_per_second": 20,
        "sla": { "max_p95_ms": 250 } }),
    );
    assert_eq!(url.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["$.load_test.targets.new.url"]);
    assert!(!url[0].problem.contains("lamp") && url[0].problem.contains("cannot be sent"), "{url:?}");
}

#[test]
fn as_many_as_are_sent_can_be_answered() {
    let test = |least: f64| {
        json!({ "targets": { "new": { "url": "https://192.0.2.7/" } }, "rate_per_second": 20,
        "sla": { "min_throughput_rps": least } })
    };
    assert_eq!(findings_with("/load_test", test(20.0)), []);
    assert!(findings_with("/load_test", test(21.0))[0].fix.starts_with("give 20 or less"));
}

#[test]
fn the_first_traffic_of_a_run_is_marked_once() {
    let plan = Plan::read(&plan()).unwrap();
    let steps = schedule::steps(&plan);
    let marked: Vec<(usize, usize)> =
        steps.iter().filter(|step| step.first_traffic).map(|step| (step.route, step.step)).collect();
    assert_eq!((steps.len(), marked), (3, vec![(0, 0)]));
}

/// Any JSON, strange Unicode and extreme numbers among it, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,12}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Every pointer into a value.
fn pointers(value: &Value, here: &str, all: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => vec![],
    };
    for (key, child) in children {
        let path = format!("{here}/{key}");
        pointers(child, &path, all);
        all.push(path);
    }
}

proptest! {
    #[test]
    fn anything_but_a_plan_is_refused_with_a_reason(value in any_json()) {
        let findings = Plan::read(&value).unwrap_err();
        prop_assert!(!findings.is_empty());
        prop_assert!(findings.iter().all(|finding| finding.path.starts_with('$') && !finding.fix.is_empty()));
    }

    #[test]
    fn a_plan_with_one_value_replaced_is_read_or_refused_but_never_panics(choice in any::<prop::sample::Index>(), value in any_json()) {
        let mut plan = plan();
        let mut all = Vec::new();
        pointers(&plan, "", &mut all);
        *plan.pointer_mut(&all[choice.index(all.len())]).unwrap() = value;
        match Plan::read(&plan) {
            Ok(read) => {
                let again: Plan = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
                prop_assert_eq!(again, read);
            }
            Err(findings) => prop_assert!(!findings.is_empty()),
        }
    }

    #[test]
    fn weights_that_rise_to_one_hundred_pass_and_others_do_not(weights in prop::collection::vec(0..=110_u64, 1..6)) {
        let steps: Value = weights.iter().map(|weight| json!({ "new_weight": weight })).collect();
        let is_right = weights.is_sorted() && weights.last() == Some(&100);
        prop_assert_eq!(findings_with("/routes/0/steps", steps).is_empty(), is_right);
    }
}
