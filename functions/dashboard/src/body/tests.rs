use super::*;
use crate::Step;
use jiff::Timestamp;

fn arn(rest: &str) -> String {
    format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{rest}")
}

fn listener(kind: &str) -> Value {
    json!({ "type": "listener", "listener_arn": arn(&format!("listener/{kind}/shop/1/2")), "steps": [],
        "old_target_group_arn": arn("targetgroup/shop-old/1"), "new_target_group_arn": arn("targetgroup/shop-new/2") })
}

fn name(record_name: &str) -> Value {
    json!({ "type": "dns", "hosted_zone_id": "Z", "record_name": record_name, "records": [], "steps": [] })
}

fn plan() -> Plan {
    let dimensions = json!({ "LoadBalancer": "app/shop/1", "TargetGroup": "targetgroup/shop-new/2" });
    let metric = json!({ "name": "5xx", "namespace": "AWS/ApplicationELB", "metric_name": "HTTPCode_Target_5XX_Count", "dimensions": dimensions,
        "statistic": "Sum", "divide_by": { "metric_name": "RequestCount" }, "comparison": "greater_than", "threshold": 0.01 });
    let slow = json!({ "name": "slow", "namespace": "AWS/ApplicationELB", "metric_name": "TargetResponseTime", "dimensions": dimensions,
        "statistic": "p95", "comparison": "greater_than", "threshold": 0.5 });
    let cpu = json!({ "name": "CPU, percent", "namespace": "AWS/EC2", "metric_name": "CPUUtilization", "statistic": "Average",
        "dimensions": { "AutoScalingGroupName": "shop-old" } });
    serde_json::from_value(json!({
        "application": "shop", "routes": [listener("app"), listener("net"), name("shop.example.com")],
        "monitoring": { "metrics": [metric, slow] }, "baseline": { "resources": [cpu] },
        "database": { "replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:TASK", "max_lag": 60 },
    }))
    .unwrap()
}

fn done(plan: &Plan) -> Done {
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let first = Done::after(None, plan, Step::default(), now);
    let shown = of(plan, "eu-west-1", &first).to_string();
    Done::after(Some(&shown), plan, Step { route: Some(0), new_weight: Some(10) }, now)
}

fn metrics(body: &Value, title: &str) -> Vec<Value> {
    let widgets = body["widgets"].as_array().unwrap();
    let widget = widgets.iter().find(|widget| widget["properties"]["title"] == title);
    widget.unwrap_or_else(|| panic!("no {title}"))["properties"]["metrics"].as_array().unwrap().clone()
}

#[test]
fn the_body_is_of_cloudwatchs_form() {
    let schema = include_str!("../../../../tests/local_aws/services/dashboard_schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let plan = plan();
    for done in [Done::default(), done(&plan)] {
        let body = of(&plan, "eu-west-1", &done);
        let errors: Vec<String> =
            schema.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, [] as [String; 0]);
    }
}

#[test]
fn both_sides_stand_beside_each_other_with_the_dimensions_that_cloudwatch_has() {
    let body = of(&plan(), "eu-west-1", &Done::default());
    let requests = metrics(&body, "Requests, listener 2 of shop");
    let of = |index: usize| requests[index].as_array().unwrap().iter().filter_map(Value::as_str).collect::<Vec<_>>();
    let balancer = ["LoadBalancer", "app/shop/1"];
    assert_eq!(
        of(0),
        [&["AWS/ApplicationELB", "RequestCount", "TargetGroup", "targetgroup/shop-new/2"][..], &balancer].concat()
    );
    assert_eq!(
        of(1),
        [&["AWS/ApplicationELB", "RequestCount", "TargetGroup", "targetgroup/shop-old/1"][..], &balancer].concat()
    );
    let latency = metrics(&body, "Latency, seconds, listener 2 of shop");
    let stats: Vec<&str> = latency.iter().filter_map(|series| series[6]["stat"].as_str()).collect();
    assert_eq!(stats, ["p50", "p50", "p95", "p95", "p99", "p99"]);
}

#[test]
fn a_gate_has_its_limit_and_a_rate_is_one() {
    let body = of(&plan(), "eu-west-1", &Done::default());
    let rate = metrics(&body, "5xx");
    assert_eq!(rate.len(), 3);
    assert_eq!(rate[2][0]["expression"], "part / all");
    let widgets = body["widgets"].as_array().unwrap();
    let slow = widgets.iter().find(|widget| widget["properties"]["title"] == "slow").unwrap();
    assert_eq!(slow["properties"]["annotations"]["horizontal"][0]["value"], 0.5);
    assert_eq!(slow["properties"]["metrics"][0][6]["stat"], "p95");
}

#[test]
fn every_widget_shows_what_was_done_and_none_lies_on_another() {
    let plan = plan();
    let body = of(&plan, "eu-west-1", &done(&plan));
    let mut places = std::collections::BTreeSet::new();
    for widget in body["widgets"].as_array().unwrap() {
        assert!(places.insert((widget["x"].as_u64(), widget["y"].as_u64())), "{widget}");
        if widget["type"] == "metric" {
            let labels: Vec<&str> = widget["properties"]["annotations"]["vertical"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|line| line["label"].as_str())
                .collect();
            assert_eq!(labels, ["claimed", "10 % of listener 2 of shop"]);
        }
    }
    assert_eq!(places.len(), 1 + 5 + 2 + 1 + 2 + 1 + 1);
}

#[test]
fn names_that_want_to_be_markdown_or_a_search_are_neither() {
    let mut plan = plan();
    plan.routes.push(serde_json::from_value(name("[x](http://evil.example)<img>'\" OR *")).unwrap());
    plan.database.as_mut().unwrap().replication_task_arn =
        "arn:aws:dms:eu-west-1:1:task:T\" OR MetricName=\"x".to_owned();
    let body = of(&plan, "eu-west-1", &Done::default());
    let markdown = body["widgets"][0]["properties"]["markdown"].as_str().unwrap();
    assert!(!markdown.contains('[') && !markdown.contains('<') && !markdown.contains('('), "{markdown}");
    let lag = metrics(&body, "Replication lag, seconds");
    assert_eq!(lag[0][0]["expression"].as_str().unwrap().matches('"').count(), 4, "{}", lag[0]);
}
