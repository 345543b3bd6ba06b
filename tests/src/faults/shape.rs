//! The plans that a campaign runs: a user's own, or one of every shape of route.
//!
//! Contract: values only. A plan is made short, not simple: holds are cut to [`LONGEST_HOLD`], and but
//! for two of ours cleanup stays away from the comparison. Which calls are made stays the same.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::world::World;

const LONGEST_HOLD: &str = "2m";
const ELB: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

/// A plan and the world that it meets.
#[derive(Clone, Debug)]
pub struct Shape {
    /// For people, and for the names of cases.
    pub name: String,
    /// The plan.
    pub plan: Value,
    /// As in a world file.
    pub world: Value,
}

impl Shape {
    /// A user's plan, made short.
    pub fn of_plan(path: &Path, mut plan: Value) -> Result<Self> {
        let world = World::beside(path)?.raw;
        let name = path.file_stem().and_then(|stem| stem.to_str()).context("the plan's file has no name")?;
        shorten(&mut plan);
        Ok(Self { name: name.to_owned(), plan, world })
    }

    /// Those that between them have every kind of request: the quick set of the tests.
    pub fn of_every_request() -> Vec<Self> {
        Self::all().into_iter().filter(|shape| ["whole", "rule", "checked"].contains(&shape.name.as_str())).collect()
    }

    /// Every shape of route, the richest first.
    pub fn all() -> Vec<Self> {
        let mut shapes = vec![whole(), bare(whole()), parted(), two_way()];
        shapes.extend(listeners());
        shapes.extend(names());
        for shape in &mut shapes {
            shorten(&mut shape.plan);
        }
        shapes.extend([cleaned(), cookies()]);
        shapes
    }
}

/// Cuts a plan's holds, and puts its cleanup off: which calls are made stays the same, how often does not.
pub fn shorten(plan: &mut Value) {
    for step in plan["routes"].as_array_mut().into_iter().flatten().filter_map(|route| route["steps"].as_array_mut()) {
        for step in step.iter_mut().filter(|step| !step["hold"].is_null()) {
            step["hold"] = json!(LONGEST_HOLD);
        }
    }
    if let Some(fields) = plan.as_object_mut() {
        fields.insert("cleanup".to_owned(), json!({ "after": "7000h" }));
    }
}

fn steps() -> Value {
    json!([{ "new_weight": 50, "hold": LONGEST_HOLD }, { "new_weight": 100, "hold": LONGEST_HOLD }])
}

fn listener_route(application: &str) -> Value {
    json!({
        "type": "listener",
        "listener_arn": format!("{ELB}:listener/app/{application}/50dc6c495c0c9188/f2f7dc8efc522ab2"),
        "old_target_group_arn": format!("{ELB}:targetgroup/{application}-old/73e2d6bc24d8a067"),
        "new_target_group_arn": format!("{ELB}:targetgroup/{application}-new/6d0ecf831eec9f09"),
        "steps": steps(),
    })
}

fn dns_route(application: &str, records: Value) -> Value {
    json!({
        "type": "dns",
        "hosted_zone_id": "Z0123456789TEST00",
        "record_name": format!("{application}.example.com"),
        "records": records,
        "steps": steps(),
    })
}

fn plan(application: &str, routes: Value) -> Value {
    json!({
        "application": application,
        "routes": routes,
        "notify": { "topic_arn": format!("arn:aws:sns:eu-west-1:123456789012:{application}-cutover") },
    })
}

fn a_record() -> Value {
    json!([{ "type": "A", "new": { "values": ["198.51.100.77"] } }])
}

/// Listener and name, with everything that a plan can have: approval, database gate, quiesce, hooks, metrics, limits, alarms. But for a load test,
/// which takes real time.
fn whole() -> Shape {
    let records = json!([
        { "type": "A", "new": { "values": ["198.51.100.77"] } },
        { "type": "AAAA", "new": { "values": ["2001:db8::77"] } },
    ]);
    let mut plan = plan("whole", json!([listener_route("whole"), dns_route("whole", records)]));
    let hook =
        |name: &str| json!([{ "function_arn": format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}") }]);
    let dimensions = json!({ "LoadBalancer": "app/whole/50dc6c495c0c9188", "TargetGroup": "targetgroup/whole-new/6d0ecf831eec9f09" });
    plan["health_check"] = json!({ "url": "https://new.whole.example.com/health", "successes": 1, "interval": "5s" });
    plan["database"] = json!({
        "replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:WHOLE", "samples": 1, "interval": "60s", "shared": true,
    });
    plan["hooks"] = json!({
        "before_traffic": hook("whole-smoke"), "quiesce": hook("whole-pause"), "resume": hook("whole-resume"), "after_traffic": hook("whole-smoke"),
    });
    plan["monitoring"] = json!({
        "interval": "60s", "failure_limit": 2, "no_data_limit": 5,
        "metrics": [{
            "name": "p99 latency", "namespace": "AWS/ApplicationELB", "metric_name": "TargetResponseTime", "dimensions": dimensions,
            "statistic": "p99", "period": "60s", "comparison": "greater_than", "threshold": 1.0,
        }],
    });
    let cpu = |side: &str| {
        json!({ "name": format!("CPU of the {side} side, percent"), "namespace": "AWS/ECS", "metric_name": "CPUUtilization", "statistic": "Average",
            "dimensions": { "ClusterName": "whole", "ServiceName": side } })
    };
    let mut limit = cpu("new");
    limit["max"] = json!(80.0);
    plan["baseline"] = json!({ "resources": [cpu("old")] });
    plan["validation"] = json!({ "limits": [limit], "window": "3m" });
    plan["approval"] = json!({ "within": "24h", "topic_arn": "arn:aws:sns:eu-west-1:123456789012:whole-approvers" });
    plan["alarms"] = json!([{
        "AlarmName": "whole-latency", "Namespace": "AWS/ApplicationELB", "MetricName": "TargetResponseTime", "Statistic": "Average",
        "Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
    }]);
    Shape { name: "whole".to_owned(), plan, world: json!({ "replication": { "lag_seconds": [[0, 0]] } }) }
}

/// The same routes without approval, database, hooks, metrics and alarms.
fn bare(whole: Shape) -> Shape {
    let mut plan = whole.plan;
    if let Some(fields) = plan.as_object_mut() {
        fields.retain(|field, _| ["application", "routes", "notify"].contains(&field.as_str()));
    }
    Shape { name: "bare".to_owned(), plan, world: json!({}) }
}

/// Each side has a database of its own.
fn databases(name: &str) -> Shape {
    let mut plan = plan(name, json!([listener_route(name)]));
    plan["routes"][0]["steps"] = json!([{ "new_weight": 100, "hold": LONGEST_HOLD }]);
    let hook = |hook: &str| json!([{ "function_arn": format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}-{hook}") }]);
    let task = format!("arn:aws:dms:eu-west-1:123456789012:task:{}", name.to_uppercase());
    plan["database"] = json!({ "replication_task_arn": task, "samples": 1, "interval": "60s", "shared": false });
    plan["hooks"] = json!({ "quiesce": hook("pause"), "resume": hook("resume") });
    Shape { name: name.to_owned(), plan, world: json!({ "replication": { "lag_seconds": [[0, 0]] } }) }
}

/// Nothing replicates back: once the new side has traffic, a person is asked.
fn parted() -> Shape {
    databases("parted")
}

/// The same with a replication back: a rollback depends on it.
fn two_way() -> Shape {
    let mut shape = databases("two-way");
    shape.plan["database"]["reverse_replication_task_arn"] = json!("arn:aws:dms:eu-west-1:123456789012:task:BACK");
    shape
}

fn listener(name: &str, world: Value) -> Shape {
    let route = listener_route(name);
    let arn = route["listener_arn"].as_str().unwrap_or_default().to_owned();
    Shape { name: name.to_owned(), plan: plan(name, json!([route])), world: json!({ "listeners": { arn: world } }) }
}

fn listeners() -> Vec<Shape> {
    let neighbours = json!([{ "name": "canary", "weight": 1 }, { "name": "beta", "weight": 3 }]);
    vec![
        listener("plain", json!({})),
        listener("sticky", json!({ "stickiness_seconds": 3600 })),
        listener("oidc", json!({ "authenticate": "oidc" })),
        listener("cognito", json!({ "authenticate": "cognito", "stickiness_seconds": 60 })),
        listener("crowded", json!({ "old_weight": 4, "neighbours": neighbours })),
        rule(),
        network(),
        function(),
    ]
}

/// A listener of a Network Load Balancer.
fn network() -> Shape {
    let mut shape = listener("network", json!({}));
    let arn = format!("{ELB}:listener/net/network/50dc6c495c0c9188/f2f7dc8efc522ab2");
    shape.plan["routes"][0]["listener_arn"] = json!(arn);
    shape.world = json!({});
    shape
}

/// From addresses to a function.
fn function() -> Shape {
    let mut shape = listener("function", json!({}));
    let new = shape.plan["routes"][0]["new_target_group_arn"].as_str().unwrap_or_default().to_owned();
    shape.world = json!({ "groups": { new: { "target_type": "lambda" } } });
    shape
}

fn rule() -> Shape {
    let arn = format!("{ELB}:listener-rule/app/rule/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee");
    let mut route = listener_route("rule");
    if let Some(fields) = route.as_object_mut() {
        fields.remove("listener_arn");
        fields.insert("rule_arn".to_owned(), json!(arn));
    }
    let world = json!({ "listeners": { arn: { "stickiness_seconds": 900 } } });
    Shape { name: "rule".to_owned(), plan: plan("rule", json!([route])), world }
}

/// Listener and name, and what they leave is removed at once.
fn cleaned() -> Shape {
    let mut name = dns_route("cleaned", a_record());
    name["health_checks"] = json!({ "old": { "fqdn": "old.example.com" }, "new": { "fqdn": "new.example.com" } });
    let mut plan = plan("cleaned", json!([listener_route("cleaned"), name]));
    plan["cleanup"] = json!({ "after": "0s", "delete_old_target_group": true });
    Shape { name: "cleaned".to_owned(), plan, world: json!({}) }
}

/// The old group has cookies of its own: group stickiness is on while both are in the action, and goes with the old one.
fn cookies() -> Shape {
    let mut shape = listener("cookies", json!({}));
    shape.plan["routes"][0]["group_stickiness"] = json!("5m");
    shape.plan["cleanup"] = json!({ "after": "0s" });
    let old = shape.plan["routes"][0]["old_target_group_arn"].as_str().unwrap_or_default().to_owned();
    shape.world = json!({ "groups": { old: { "stickiness": true } } });
    shape
}

/// The run makes a health check for the old record; the new one gets one that is there already, and keeps it.
fn attached() -> Shape {
    let new = json!({ "values": ["198.51.100.77"], "health_check_id": "0f8fad5b-d9cb-469f-a165-70867728950e" });
    let mut shape = name("attached", json!([{ "type": "A", "new": new }]), json!({}));
    shape.plan["routes"][0]["health_checks"] = json!({ "old": { "fqdn": "old.example.com" } });
    shape
}

fn name(name: &str, records: Value, world: Value) -> Shape {
    Shape {
        name: name.to_owned(),
        plan: plan(name, json!([dns_route(name, records)])),
        world: json!({ "records": world }),
    }
}

fn names() -> Vec<Shape> {
    let alias = json!({ "dns_name": "new-lb.eu-west-1.elb.amazonaws.com", "hosted_zone_id": "Z32O12XQLNTSW2", "evaluate_target_health": true });
    let both = json!([
        { "type": "A", "new": { "values": ["198.51.100.77"] } },
        { "type": "AAAA", "new": { "values": ["2001:db8::77"] } },
    ]);
    let member = |identifier: &str, weight: u32, value: &str| json!({ "set_identifier": identifier, "weight": weight, "ttl": 120, "values": [value] });
    let neighbour = json!([member("blue", 200, "192.0.2.1"), member("canary", 0, "192.0.2.2")]);
    let by_hand = json!([member("blue", 10, "192.0.2.1"), member("green", 0, "198.51.100.77")]);
    // With the plan's TTL, so that only the health checks are what is to be taken off at the end.
    let ready = json!([member("blue", 100, "192.0.2.1"), member("green", 0, "198.51.100.77")]);
    let dropped = json!([both[0], { "type": "AAAA", "new": null }]);
    let health_checks = json!({ "old": { "fqdn": "old.example.com" }, "new": { "fqdn": "new.example.com" } });
    let mut checked = name("checked", a_record(), json!({}));
    let mut ready = name("ready", a_record(), json!({ "ready.example.com A": { "members": ready } }));
    ready.plan["routes"][0]["ttl"] = json!(120);
    for shape in [&mut checked, &mut ready] {
        shape.plan["routes"][0]["health_checks"] = health_checks.clone();
    }
    vec![
        name(
            "simple",
            a_record(),
            json!({ "simple.example.com A": { "ttl": 900, "values": ["192.0.2.10", "192.0.2.11"] } }),
        ),
        name("alias", json!([{ "type": "A", "new": { "alias": alias } }]), json!({})),
        name("cname", json!([{ "type": "CNAME", "new": { "values": ["new.example.net"] } }]), json!({})),
        name("dropped", dropped, json!({})),
        name("added", both.clone(), json!({ "added.example.com AAAA": { "members": [] } })),
        name("both", both, json!({})),
        name("weighted", a_record(), json!({ "weighted.example.com A": { "members": neighbour } })),
        name("by-hand", a_record(), json!({ "by-hand.example.com A": { "members": by_hand } })),
        checked,
        ready,
        attached(),
    ]
}
