//! Plans under mutation: refused with the place, or read, normalised and planned without a panic.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::Result;
use cutover::finding::shown_path;
use cutover::{Plan, Severity};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::hostile::{self, Key};
use crate::harness::{Test, synchronous};

/// For 256 KiB, which is what Step Functions carries, in the dev profile; larger ones in proportion.
const LONGEST_READ: Duration = Duration::from_secs(1);
/// What one state's output may be (Step Functions quotas).
const MOST_STATE_BYTES: usize = 256 * 1024;

/// A plan that uses every field.
pub fn full() -> Value {
    let elb = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
    let hook = |name: &str| json!([{ "function_arn": format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}"), "timeout": "2m" }]);
    let mut plan = json!({
        "application": "a",
        "mode": "execute",
        "health_check": { "url": "https://new.example.com/", "host": "shop.example.com", "certificate": "any_issuer", "attempts": 10, "interval": "30s", "timeout": "10s", "successes": 2,
                          "expect_status": "200-299", "expect_body": "ok" },
        "database": { "replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:T", "max_lag": "60s", "samples": 3,
                      "interval": "30s", "give_up_after": "30m", "require_validated_tables": true, "drain": true, "drain_latency": "5s", "shared": true,
                      "reverse_replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:R" },
        "routes": [
            { "type": "listener", "listener_arn": format!("{elb}:listener/app/a/1/2"),
              "old_target_group_arn": format!("{elb}:targetgroup/old/1"), "new_target_group_arn": format!("{elb}:targetgroup/new/1"),
              "min_healthy_percent": 70, "steps": [{ "new_weight": 10, "hold": "5m" }, { "new_weight": 100 }] },
            { "type": "listener", "rule_arn": format!("{elb}:listener-rule/app/a/1/2/3"),
              "old_target_group_arn": format!("{elb}:targetgroup/old/1"), "new_target_group_arn": format!("{elb}:targetgroup/new/1"),
              "steps": [{ "new_weight": 0 }, { "new_weight": 50 }, { "new_weight": 100 }] },
            { "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com", "ttl": 60,
              "records": [{ "type": "A", "old_set_identifier": "blue", "new": { "alias": {
                              "dns_name": "x.example.com", "hosted_zone_id": "Z2", "evaluate_target_health": true } } },
                          { "type": "AAAA", "new": { "values": ["2001:db8::1"] } }],
              "health_checks": { "new": { "fqdn": "new.example.com", "path": "/health", "port": 443, "interval": "10s", "failure_threshold": 3 },
                                 "old": { "fqdn": "old.example.com" } },
              "steps": [{ "new_weight": 100, "hold": "1h" }] },
            { "type": "dns", "hosted_zone_id": "Z1", "record_name": "*.b.example.com.",
              "records": [{ "type": "CNAME", "new": { "values": ["x.example.com"] } }], "steps": [{ "new_weight": 100 }] },
        ],
        "monitoring": {
            "interval": "60s", "failure_limit": 2, "no_data_limit": 3, "alarms": ["errors"],
            "alarms_missing": { "errors": "healthy" }, "false_alarm": 0.05, "too_little_data": "hold", "hold_longer_at_most": "30m",
            "early_end": true, "minimum_hold": "2m", "on_failure": "hold", "hold_limit": "30m",
            "until_cleanup": { "interval": "10m", "on_failure": "page" },
            "target_groups": [{ "target_group_arn": format!("{elb}:targetgroup/new/1"), "min_healthy_percent": 90 }],
            "metrics": [{ "name": "m", "namespace": "n", "metric_name": "m", "dimensions": { "LoadBalancer": "l" }, "statistic": "Sum",
                          "period": "60s", "comparison": "greater_than", "threshold": 0.5, "missing": "zero_if_divisor",
                          "test": "sequential", "compare_to": { "dimensions": { "LoadBalancer": "o" } }, "dispersion": 2.5,
                          "divide_by": { "namespace": "n", "metric_name": "d", "dimensions": { "L": "l" }, "statistic": "Sum", "period": "60s" } }],
        },
        "baseline": {
            "window": "2h", "week_ago": false, "given": { "requests": 5000, "error_percent": 0.1, "p50_ms": 20, "p95_ms": 200, "p99_ms": 400 },
            "resources": [{ "name": "CPU, percent", "namespace": "AWS/EC2", "metric_name": "CPUUtilization", "dimensions": { "A": "a" },
                            "statistic": "Average" }],
        },
        "validation": {
            "window": "10m", "on_violation": "report",
            "limits": [{ "name": "CPU, percent", "namespace": "AWS/EC2", "metric_name": "CPUUtilization", "dimensions": { "A": "a" },
                         "statistic": "Average", "max": 80.5 }],
        },
        "load_test": {
            "targets": { "new": { "url": "https://new.example.com/", "host": "shop.example.com", "certificate": "trusted" },
                         "old": { "url": "https://a.example.com/" } },
            "rate_per_second": 100, "duration": "2m", "warm_up": "5s", "timeout": "10s", "http_version": "2",
            "requests": [{ "method": "POST", "path": "/cart", "headers": { "accept": "text/html" }, "body": "{}", "weight": 2,
                           "expect_status": "201", "expect_body": "ok" }],
            "sla": { "max_mean_ms": 100.5, "max_p50_ms": 1.5, "max_p90_ms": 1.5, "max_p95_ms": 1.5, "max_p99_ms": 1.5, "max_p999_ms": 1.5,
                     "min_success_percent": 99.5, "min_throughput_rps": 99.5 },
            "headers_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s",
            "on_violation": "report",
        },
        "hooks": { "quiesce": hook("q"), "resume": hook("r"), "before_traffic": hook("b"), "after_traffic": hook("f"), "on_rollback": hook("e") },
        "alarms": [{ "AlarmName": "a", "AlarmDescription": "d", "ActionsEnabled": true, "OKActions": ["o"], "AlarmActions": ["a"],
                     "InsufficientDataActions": ["i"], "MetricName": "m", "Namespace": "n", "Statistic": "Sum",
                     "Dimensions": [{ "Name": "n", "Value": "v" }], "Period": 60, "Unit": "Count", "EvaluationPeriods": 3,
                     "DatapointsToAlarm": 2, "Threshold": 1.5, "ComparisonOperator": "GreaterThanThreshold",
                     "TreatMissingData": "notBreaching", "Tags": [{ "Key": "team", "Value": "a" }] },
                   { "AlarmName": "band", "EvaluationPeriods": 3, "ComparisonOperator": "GreaterThanUpperThreshold",
                     "ThresholdMetricId": "band", "Metrics": [
                         { "Id": "rate", "ReturnData": true, "MetricStat": { "Period": 60, "Stat": "Sum", "Unit": "Count", "Metric": {
                             "Namespace": "n", "MetricName": "m", "Dimensions": [{ "Name": "n", "Value": "v" }] } } },
                         { "Id": "band", "Expression": "ANOMALY_DETECTION_BAND(rate, 2)", "Label": "l", "ReturnData": true }] }],
        "notify": { "topic_arn": "arn:aws:sns:eu-west-1:123456789012:t" },
        "stakeholders": {
            "of_stack": ["executives"],
            "groups": [{ "name": "g", "format": "summary", "time_zone": "Europe/Berlin", "language": "de", "moments": ["started", "incident"], "may_answer": true, "responds": 2,
                "channels": [
                    { "type": "mail", "to": ["a@example.com"] },
                    { "type": "sns", "topic_arn": "arn:aws:sns:eu-west-1:123456789012:t" },
                    { "type": "chat", "topic_arn": "arn:aws:sns:eu-west-1:123456789012:t" },
                    { "type": "webhook", "secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:s", "form": "slack" },
                ] }],
        },
        "approval": { "topic_arn": "arn:aws:sns:eu-west-1:123456789012:t", "within": "24h" },
        "cleanup": { "after": "24h", "delete_old_target_group": true },
        "timeout": "12h",
    });
    // More fields than these are too deep for the macro.
    plan["wave"] = json!("w");
    plan
}

/// Reads a plan, and checks what holds for any plan at all.
fn read(input: &Value) -> Result<Option<Plan>, TestCaseError> {
    let parts = u32::try_from(input.to_string().len().div_ceil(MOST_STATE_BYTES)).unwrap_or(1);
    let started = busy();
    let read = Plan::read(input);
    let took = busy().saturating_sub(started);
    prop_assert!(took < LONGEST_READ * parts, "reading {parts} x 256 KiB took {took:?}");
    match read {
        Ok(plan) => {
            accepted(&plan)?;
            Ok(Some(plan))
        }
        Err(findings) => {
            refused(input, &findings)?;
            Ok(None)
        }
    }
}

/// What this thread has computed so far: other work on the machine does not count. Where that is not known, the time.
fn busy() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split(' ').next().and_then(|text| text.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// The state machine can carry it and its schedule, twice over; it reads back as itself.
fn accepted(plan: &Plan) -> Result<(), TestCaseError> {
    let normalised = serde_json::to_value(plan).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let again: Plan =
        serde_json::from_value(normalised.clone()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&again, plan);
    prop_assert_eq!(serde_json::to_value(&again).ok(), Some(normalised.clone()));
    let steps = json!(cutover::schedule::steps(plan));
    let bytes = normalised.to_string().len() + steps.to_string().len();
    prop_assert!(bytes <= MOST_STATE_BYTES / 4, "the plan and its steps have {bytes} bytes");
    Ok(())
}

/// The findings can be carried and shown, and each says where, what and what else.
fn refused(input: &Value, findings: &[cutover::Finding]) -> Result<(), TestCaseError> {
    prop_assert!(!findings.is_empty());
    let bytes = json!(findings).to_string().len();
    prop_assert!(bytes <= MOST_STATE_BYTES * 3 / 4, "{} findings have {bytes} bytes", findings.len());
    let places = shown_places(input);
    for finding in findings {
        let texts = [&finding.path, &finding.problem, &finding.fix];
        prop_assert!(texts.iter().all(|text| !text.is_empty()), "{finding:?}");
        prop_assert!(texts.iter().all(|text| !text.contains(char::is_control)), "{finding:?}");
        prop_assert!(is_or_lacks(&places, &finding.path), "there is no {}", finding.path);
    }
    Ok(())
}

/// Every path of a value as findings show it, the whole included.
fn shown_places(value: &Value) -> HashSet<String> {
    let mut all = HashSet::new();
    let mut open = vec![("$".to_owned(), value)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(fields) => open.extend(fields.iter().map(|(name, field)| (format!("{path}.{name}"), field))),
            Value::Array(items) => {
                open.extend(items.iter().enumerate().map(|(index, item)| (format!("{path}[{index}]"), item)));
            }
            _ => {}
        }
        all.insert(shown_path(&path));
    }
    all
}

/// Whether a path leads to something, or to a field that something lacks.
fn is_or_lacks(places: &HashSet<String>, path: &str) -> bool {
    let parent = path.rsplit_once('.').map(|(parent, _)| parent);
    // `monitoring` as a whole may be left out, and its interval still be too short.
    places.contains(path) || parent.is_some_and(|parent| places.contains(parent)) || path == "$.monitoring.interval"
}

/// Whether a finding may be the answer to a mutation: it is about the place, something in it, or what it is part of.
fn is_about(finding: &str, place: &[Key]) -> bool {
    let touched = shown_path(&hostile::path(place));
    let parent = shown_path(&hostile::path(&place[..place.len().saturating_sub(1)]));
    let is_beside = place.len() > 1 && finding.starts_with(&parent);
    finding.starts_with(&touched) || touched.starts_with(finding) || is_beside || depends(finding, &touched)
}

/// Rules over two places.
fn depends(finding: &str, touched: &str) -> bool {
    match finding {
        // The history that a run takes depends on every hold, hook, and count.
        "$.monitoring.interval" => true,
        "$.monitoring.on_failure" => touched.starts_with("$.notify"),
        // Holds and TTLs of all routes have to fit.
        "$.timeout" => touched.starts_with("$.routes"),
        "$.monitoring.early_end" => touched.starts_with("$.monitoring.metrics"),
        // Whether a metric is judged by counts.
        _ if finding.starts_with("$.monitoring.metrics[") => {
            finding.rsplit_once('.').is_some_and(|(metric, _)| touched.starts_with(metric))
        }
        "$.hooks.resume" => touched.starts_with("$.hooks.quiesce"),
        // Whether weights may split, and whether a route is moved twice.
        _ if finding.starts_with("$.routes[") => touched.starts_with("$.database") || touched.starts_with("$.routes"),
        // The band of an alarm is one of its metrics.
        _ if finding.ends_with(".ThresholdMetricId") => {
            touched.starts_with(&finding.replace("ThresholdMetricId", "Metrics"))
        }
        // The whole plan is too large, or has more errors than are told.
        _ => finding == "$",
    }
}

/// Every finding on a valid plan after one mutation is about that mutation.
fn check_mutation(valid: &Value, choice: Index, mutation: &hostile::Mutation) -> Result<(), TestCaseError> {
    let hostile::Mutated { value, touched } = hostile::mutate(valid, choice, mutation);
    read(&value)?;
    // Warnings are about what the plan was before, too.
    let findings = Plan::read(&value).err().unwrap_or_default();
    for finding in findings.into_iter().filter(|finding| finding.severity == Severity::Error) {
        let is_about = touched.iter().any(|place| is_about(&finding.path, place));
        let touched: Vec<String> = touched.iter().map(|place| hostile::path(place)).collect();
        prop_assert!(is_about, "{touched:?} was touched: {finding:?}");
    }
    Ok(())
}

fn the_full_plan_is_right_and_uses_every_field() -> Result<()> {
    let plan = Plan::read(&full()).map_err(|findings| anyhow::anyhow!("{findings:#?}"))?;
    let normalised = serde_json::to_value(&plan)?;
    let nulls: Vec<String> = hostile::places(&normalised)
        .into_iter()
        .map(|place| (normalised.pointer(&pointer(&place)).is_some_and(Value::is_null), hostile::path(&place)))
        .filter_map(|(is_null, path)| is_null.then_some(path))
        .collect();
    anyhow::ensure!(nulls.is_empty(), "not used: {nulls:?}");
    Ok(())
}

pub fn pointer(place: &[Key]) -> String {
    place
        .iter()
        .map(|key| match key {
            Key::Field(name) => format!("/{name}"),
            Key::Item(index) => format!("/{index}"),
        })
        .collect()
}

fn ten_thousand_of_anything_are_answered_in_time_and_in_bounds() -> Result<()> {
    let plan = full();
    let lists: Vec<hostile::Place> = hostile::places(&plan)
        .into_iter()
        .filter(|place| plan.pointer(&pointer(place)).is_some_and(Value::is_array))
        .collect();
    for place in lists {
        let own = plan.pointer(&pointer(&place)).and_then(|list| list.get(0)).cloned();
        for item in [json!({}), own.unwrap_or_default()] {
            let mut large = plan.clone();
            if let Some(list) = large.pointer_mut(&pointer(&place)) {
                *list = vec![item.clone(); 10_000].into();
            }
            read(&large).map_err(|error| anyhow::anyhow!("{} = 10,000 x {item}: {error}", hostile::path(&place)))?;
        }
    }
    Ok(())
}

proptest! {
    fn a_full_plan_after_one_mutation(choice in any::<Index>(), mutation in hostile::mutation()) {
        check_mutation(&full(), choice, &mutation)?;
    }

    fn a_plan_to_start_from_after_one_mutation(
        plan in prop::sample::select(super::plans_to_start_from()), choice in any::<Index>(), mutation in hostile::mutation(),
    ) {
        check_mutation(&plan, choice, &mutation)?;
    }

    fn a_full_plan_after_several_mutations(mutations in prop::collection::vec((any::<Index>(), hostile::mutation()), 2..6)) {
        let mutated = mutations.iter().fold(full(), |plan, (choice, mutation)| {
            if hostile::places(&plan).is_empty() { plan } else { hostile::mutate(&plan, *choice, mutation).value }
        });
        read(&mutated)?;
    }

    fn anything_but_a_plan(value in hostile::json_value()) {
        prop_assert_eq!(read(&value)?, None);
    }
}

/// What is run.
pub fn tests() -> Vec<Test> {
    synchronous![
        the_full_plan_is_right_and_uses_every_field,
        ten_thousand_of_anything_are_answered_in_time_and_in_bounds,
        a_full_plan_after_one_mutation,
        a_plan_to_start_from_after_one_mutation,
        a_full_plan_after_several_mutations,
        anything_but_a_plan,
    ]
}
