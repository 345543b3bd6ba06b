use serde_json::{Value, json};

use super::*;

const ELB: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
const BALANCER: &str = "app/shop/50dc6c495c0c9188";
const NEW: &str = "targetgroup/shop-new/6d0ecf831eec9f09";

fn listener() -> Value {
    json!({ "type": "listener", "listener_arn": format!("{ELB}:listener/{BALANCER}/f2f7dc8efc522ab2"),
        "old_target_group_arn": format!("{ELB}:targetgroup/shop-old/73e2d6bc24d8a067"),
        "new_target_group_arn": format!("{ELB}:{NEW}"), "steps": [{ "new_weight": 100 }] })
}

fn name(new: Value) -> Value {
    json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com", "steps": [{ "new_weight": 100 }],
        "records": [{ "type": "A", "new": new }] })
}

/// What is found of a metric: severity, path below the metric, problem and fix.
fn found(route: Value, fields: Value) -> Vec<(Severity, String, String)> {
    let mut metric = json!({ "name": "gate", "namespace": "AWS/ApplicationELB", "metric_name": "TargetResponseTime",
        "dimensions": { "LoadBalancer": BALANCER, "TargetGroup": NEW }, "statistic": "p95", "comparison": "greater_than",
        "threshold": 0.8 });
    for (field, value) in fields.as_object().unwrap() {
        metric[field] = value.clone();
    }
    let plan = json!({ "application": "shop", "routes": [route], "monitoring": { "metrics": [metric] } });
    let findings = findings(&Plan::read(&plan).unwrap());
    let told = |finding: Finding| {
        let path = finding.path.trim_start_matches("$.monitoring.metrics[0]").to_owned();
        (finding.severity, path, format!("{}: {}", finding.problem, finding.fix))
    };
    findings.into_iter().map(told).collect()
}

fn of_dimensions(route: Value, dimensions: Value) -> Option<(Severity, String)> {
    let mut found = found(route, json!({ "dimensions": dimensions }));
    assert!(found.len() < 2, "{found:?}");
    found.pop().map(|(severity, path, text)| {
        assert_eq!(path, ".dimensions");
        (severity, text)
    })
}

#[test]
fn dimensions_that_cannot_have_data_are_errors_with_the_right_value() {
    for (dimensions, expected) in [
        (
            json!({ "LoadBalancer": "app/other/1", "TargetGroup": NEW }),
            "write LoadBalancer: `app/shop/50dc6c495c0c9188`",
        ),
        (json!({ "LoadBalancer": "app/shop/1111111111111111" }), "write LoadBalancer: `app/shop/50dc6c495c0c9188`"),
        (
            json!({ "LoadBalancer": BALANCER, "TargetGroup": "targetgroup/shop-new/1" }),
            "write TargetGroup: `targetgroup/shop-new/6d0ecf831eec9f09`",
        ),
        (json!({ "TargetGroup": NEW }), "add LoadBalancer: `app/shop/50dc6c495c0c9188`"),
        (json!({}), "add LoadBalancer: `app/shop/50dc6c495c0c9188`"),
        (json!({ "LoadBalancer": format!("{ELB}:loadbalancer/{BALANCER}") }), "write `app/shop/50dc6c495c0c9188`"),
        (json!({ "LoadBalancer": "shop" }), "write app/<name>/<id>"),
        (json!({ "LoadBalancer": "net/shop/1" }), "take the namespace of this kind"),
        (json!({ "LoadBalancer": BALANCER, "TargetGroup": "shop-new" }), "write targetgroup/<name>/<id>"),
    ] {
        let (severity, text) = of_dimensions(listener(), dimensions.clone()).expect("a finding");
        assert!(severity == Severity::Error && text.contains(expected), "{dimensions}: {text}");
    }
}

#[test]
fn dimensions_that_may_be_meant_are_warnings() {
    let another = json!({ "LoadBalancer": "app/another/1" });
    let (severity, text) = of_dimensions(listener(), another.clone()).expect("a finding");
    assert_eq!(severity, Severity::Warning);
    let expected = "`app/another/1`, which no route of the plan has: it tells nothing of this cutover's users: write LoadBalancer: \
                    `app/shop/50dc6c495c0c9188`, TargetGroup: `targetgroup/shop-new/6d0ecf831eec9f09`";
    assert!(text.contains(expected), "{text}");
    let neighbour = json!({ "LoadBalancer": BALANCER, "TargetGroup": "targetgroup/canary/1" });
    assert_eq!(of_dimensions(listener(), neighbour).map(|found| found.0), Some(Severity::Warning));
    let old = json!({ "LoadBalancer": BALANCER, "TargetGroup": NEW.replace("shop-new/6d0ecf831eec9f09", "shop-old/73e2d6bc24d8a067") });
    let (severity, text) = of_dimensions(listener(), old).expect("a finding");
    assert!(severity == Severity::Warning && text.contains("the old target group"), "{text}");
    let with_stage = json!({ "LoadBalancer": BALANCER, "Stage": "prod" });
    assert_eq!(of_dimensions(listener(), with_stage).map(|found| found.0), Some(Severity::Warning));
}

#[test]
fn right_dimensions_are_silent() {
    for dimensions in [
        json!({ "LoadBalancer": BALANCER }),
        json!({ "LoadBalancer": BALANCER, "TargetGroup": NEW }),
        json!({ "LoadBalancer": BALANCER, "AvailabilityZone": "eu-west-1a" }),
    ] {
        assert_eq!(of_dimensions(listener(), dimensions.clone()), None, "{dimensions}");
    }
    let per_target =
        json!({ "metric_name": "RequestCountPerTarget", "statistic": "Sum", "dimensions": { "TargetGroup": NEW } });
    assert_eq!(found(listener(), per_target), []);
    let own = json!({ "namespace": "Shop", "metric_name": "Latency", "dimensions": {}, "threshold": 800, "statistic": "p95" });
    assert_eq!(found(listener(), own), [], "of a namespace of the user's own nothing is known");
}

#[test]
fn a_name_may_lead_to_a_balancer_of_its_own() {
    let balancer = json!({ "LoadBalancer": "app/shop-new/1" });
    assert_eq!(of_dimensions(name(json!({ "values": ["192.0.2.1"] })), balancer.clone()), None);
    let alias = |dns_name: &str| {
        let alias = json!({ "dns_name": dns_name, "hosted_zone_id": "Z32O12XQLNTSW2", "evaluate_target_health": true });
        name(json!({ "alias": alias }))
    };
    assert_eq!(of_dimensions(alias("dualstack.Shop-New-123.eu-west-1.elb.amazonaws.com."), balancer.clone()), None);
    assert_eq!(of_dimensions(alias("internal-shop-new-123.eu-west-1.elb.amazonaws.com"), balancer.clone()), None);
    let other = of_dimensions(alias("shop-green-123.eu-west-1.elb.amazonaws.com"), balancer).expect("a finding");
    assert_eq!(other.0, Severity::Warning);
}

#[test]
fn a_balancers_own_answers_are_no_target_groups() {
    let own = json!({ "metric_name": "HTTPCode_ELB_5XX_Count", "statistic": "Sum", "missing": "zero_if_divisor",
        "divide_by": { "metric_name": "RequestCount" }, "threshold": 0.01 });
    let found = found(listener(), own);
    assert!(
        found.len() == 1 && found[0].0 == Severity::Error && found[0].2.contains("name the LoadBalancer alone"),
        "{found:?}"
    );
}

#[test]
fn a_divisors_own_dimensions_are_looked_at_in_their_place() {
    let rate = json!({ "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum", "missing": "zero_if_divisor", "threshold": 0.01,
        "divide_by": { "metric_name": "RequestCount", "dimensions": { "LoadBalancer": "app/shop/1" } } });
    let found = found(listener(), rate);
    assert_eq!(found.iter().map(|found| found.1.as_str()).collect::<Vec<_>>(), [".divide_by.dimensions"]);
}

#[test]
fn the_old_side_that_a_metric_is_compared_with_is_looked_at_as_the_new_one_is() {
    let old = NEW.replace("shop-new/6d0ecf831eec9f09", "shop-old/73e2d6bc24d8a067");
    let compared = |dimensions: Value| {
        json!({ "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum", "missing": "zero_if_divisor", "threshold": 0.01,
            "divide_by": { "metric_name": "RequestCount" }, "compare_to": { "dimensions": dimensions } })
    };
    let right = json!({ "LoadBalancer": BALANCER, "TargetGroup": old });
    assert_eq!(found(listener(), compared(right.clone())), [], "the old group is meant here");
    assert_eq!(found(listener(), json!({ "compare_to": { "dimensions": right } })), []);
    let (error, warning) = (Severity::Error, Severity::Warning);
    for (dimensions, severity, expected) in [
        (
            json!({ "LoadBalancer": BALANCER, "TargetGroup": "targetgroup/shop-odl/73e2d6bc24d8a067" }),
            warning,
            &*format!("write TargetGroup: `{old}`, if the old side is meant"),
        ),
        (
            json!({ "LoadBalancer": BALANCER, "TargetGroup": "targetgroup/shop-old/1" }),
            error,
            &*format!("write TargetGroup: `{old}`"),
        ),
        (
            json!({ "LoadBalancer": "app/another/1", "TargetGroup": old }),
            error,
            "with another LoadBalancer than its own",
        ),
        (json!({ "LoadBalancer": "app/another/1" }), warning, &*format!("TargetGroup: `{old}`")),
        (json!({ "LoadBalancer": "app/shop/1" }), error, "has another id"),
        (
            json!({ "LoadBalancer": format!("{ELB}:loadbalancer/{BALANCER}"), "TargetGroup": old }),
            error,
            "write `app/shop/50dc6c495c0c9188`",
        ),
        (json!({ "TargetGroup": old }), error, "add LoadBalancer"),
        (json!({ "LoadBalancer": BALANCER }), warning, "counts both sides"),
        (json!({}), error, "names no LoadBalancer"),
    ] {
        let told = found(listener(), compared(dimensions.clone()));
        assert!(
            !told.is_empty() && told.iter().all(|told| told.1 == ".compare_to.dimensions"),
            "{dimensions}: {told:?}"
        );
        assert!(told[0].0 == severity && told[0].2.contains(expected), "{dimensions}: {told:?}");
        assert_eq!(told.len(), 1, "once, although the divisor has them too: {told:?}");
    }
    let own = json!({ "compare_to": { "dimensions": { "LoadBalancer": BALANCER, "TargetGroup": NEW, "AvailabilityZone": "eu-west-1a" } } });
    let told = found(listener(), own);
    assert!(told.len() == 1 && told[0].2.contains("a side is no worse than itself"), "{told:?}");
    let alias = json!({ "alias": { "dns_name": "shop-new-1.eu-west-1.elb.amazonaws.com", "hosted_zone_id": "Z32O12XQLNTSW2", "evaluate_target_health": true } });
    let of_name = json!({ "dimensions": { "LoadBalancer": "app/shop-new/1" }, "compare_to": { "dimensions": { "LoadBalancer": "app/shop-old/1" } } });
    assert_eq!(found(name(alias), of_name), [], "the plan does not say where a name leads before");
}

#[test]
fn units_that_cannot_be_meant_are_warnings() {
    let count = |fields: Value| {
        let mut metric = json!({ "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum", "threshold": 0.01,
            "missing": "zero_if_divisor", "divide_by": { "metric_name": "RequestCount" } });
        for (field, value) in fields.as_object().unwrap() {
            metric[field] = value.clone();
        }
        metric
    };
    assert_eq!(found(listener(), count(json!({}))), []);
    for (fields, path, expected) in [
        (json!({ "threshold": 800 }), ".threshold", "is in seconds, and nobody waits so long: write 0.8 for 800 ms"),
        (json!({ "statistic": "Sum" }), ".statistic", "Sum of times"),
        (
            json!({ "metric_name": "TargetResponsTime" }),
            ".metric_name",
            "which AWS/ApplicationELB is not known to have",
        ),
        (json!({ "metric_name": "HealthyHostCount", "statistic": "Sum" }), ".statistic", "again and again"),
        (count(json!({ "threshold": 5 })), ".threshold", "a part of 1, and never more: write 0.05 for 5 %"),
        (count(json!({ "statistic": "p99" })), ".statistic", "is p99 of a count"),
        (count(json!({ "statistic": "Average" })), ".statistic", "is Average of a count"),
        (
            count(json!({ "divide_by": { "metric_name": "RequestCount", "statistic": "SampleCount" } })),
            ".divide_by.statistic",
            "is not Sum",
        ),
        (
            count(json!({ "divide_by": null, "missing": "inconclusive" })),
            ".missing",
            "leaves HTTPCode_Target_5XX_Count out at zero",
        ),
    ] {
        let found = found(listener(), fields.clone());
        let told = found.iter().find(|found| found.1 == path).unwrap_or_else(|| panic!("{fields}: {found:?}"));
        assert!(told.0 == Severity::Warning && told.2.contains(expected), "{told:?}");
    }
}

#[test]
fn silence_at_zero_is_said_to_be_health_also_where_errors_are_divided() {
    let share = |fields: Value| {
        let mut metric = json!({ "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum", "threshold": 0.01,
            "divide_by": { "metric_name": "RequestCount" } });
        metric.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        found(listener(), metric)
    };
    let (error, warning) = (Severity::Error, Severity::Warning);
    for (fields, expected) in [
        (json!({}), Some(error)),
        (json!({ "missing": "inconclusive" }), Some(error)),
        (json!({ "missing": "unhealthy" }), Some(error)),
        (json!({ "missing": "unhealthy", "test": "threshold" }), Some(warning)),
        (json!({ "test": "threshold" }), Some(warning)),
        (json!({ "missing": "zero_if_divisor" }), None),
        (json!({ "missing": "healthy" }), None),
        (json!({ "metric_name": "RequestCount", "divide_by": { "metric_name": "RequestCount" } }), None),
    ] {
        let told = share(fields.clone());
        assert_eq!(told.first().map(|told| told.0), expected, "{fields}: {told:?}");
        let is_told_right =
            told.iter().all(|told| told.1 == ".missing" && told.2.contains("write \"missing\": \"zero_if_divisor\""));
        assert!(is_told_right, "{told:?}");
    }
}

#[test]
fn errors_may_be_divided_by_the_samples_of_a_latency() {
    let by_samples = json!({ "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum", "threshold": 0.01, "missing": "zero_if_divisor",
        "divide_by": { "metric_name": "TargetResponseTime", "statistic": "SampleCount" } });
    assert_eq!(found(listener(), by_samples), [], "its Sum would be seconds");
}

#[test]
fn a_metric_is_asked_for_by_dimensions_that_it_has() {
    let alone = json!({ "LoadBalancer": BALANCER });
    let per_group = json!({ "metric_name": "HealthyHostCount", "statistic": "Minimum", "comparison": "less_than", "threshold": 1,
        "dimensions": alone });
    let told = found(listener(), per_group);
    assert!(told.len() == 1 && told[0].0 == Severity::Error && told[0].2.contains(NEW), "{told:?}");
    let own =
        json!({ "metric_name": "RejectedConnectionCount", "statistic": "Sum", "missing": "healthy", "threshold": 5 });
    let told = found(listener(), own);
    assert!(told.len() == 1 && told[0].0 == Severity::Error && told[0].2.contains("LoadBalancer alone"), "{told:?}");
    for zone in ["eu-west-1", "euw1-az1", "us-east-1a", "a"] {
        let told = of_dimensions(listener(), json!({ "LoadBalancer": BALANCER, "AvailabilityZone": zone }));
        assert_eq!(told.map(|told| told.0), Some(Severity::Error), "{zone}");
    }
}

#[test]
fn a_namespace_of_load_balancers_is_known_by_its_near_misses() {
    for (namespace, expected) in [
        ("AWS/ApplicationElb", Some(Severity::Error)),
        ("AWS/ALB", Some(Severity::Error)),
        ("AWS/ELB", Some(Severity::Error)),
        ("aws/applicationelb", Some(Severity::Warning)),
        ("ApplicationELB", Some(Severity::Warning)),
        ("Shop", None),
    ] {
        let told = found(listener(), json!({ "namespace": namespace }));
        assert_eq!(told.first().map(|told| told.0), expected, "{namespace}: {told:?}");
        let is_told_right =
            told.iter().all(|told| told.1 == ".namespace" && told.2.contains("write AWS/ApplicationELB"));
        assert!(is_told_right, "{told:?}");
    }
    for (namespace, dimensions) in [
        ("AWS/CloudFront", json!({ "DistributionId": "E1", "Region": "Global" })),
        ("AWS/ApiGateway", json!({ "ApiName": "shop", "Stage": "prod" })),
        ("AWS/ELB", json!({ "LoadBalancerName": "shop" })),
        ("AWS/GatewayELB", json!({ "LoadBalancer": "gwy/shop/1" })),
    ] {
        let right = json!({ "namespace": namespace, "metric_name": "Latency", "dimensions": dimensions });
        assert_eq!(found(listener(), right), [], "{namespace}");
    }
}

#[test]
fn a_metric_that_cannot_be_there_is_an_error() {
    let capitals = json!({ "metric_name": "targetresponsetime" });
    let told = found(listener(), capitals);
    assert!(
        told.iter().any(|told| told.0 == Severity::Error && told.2.contains("write TargetResponseTime")),
        "{told:?}"
    );
    let told = found(listener(), json!({ "metric_name": "ActiveFlowCount", "statistic": "Average" }));
    assert!(told.iter().any(|told| told.0 == Severity::Error && told.2.contains("AWS/NetworkELB")), "{told:?}");
}

#[test]
fn a_threshold_can_be_reached_and_kept() {
    for (comparison, threshold, expected) in [
        ("less_than", 0.0, Some(Severity::Error)),
        ("less_than_or_equal", -1.0, Some(Severity::Error)),
        ("greater_than_or_equal", 0.0, Some(Severity::Warning)),
        ("greater_than", 0.0, Some(Severity::Warning)),
        ("greater_than", -0.5, Some(Severity::Warning)),
        ("greater_than_or_equal", 0.5, None),
    ] {
        let told = found(listener(), json!({ "comparison": comparison, "threshold": threshold }));
        assert_eq!(told.first().map(|told| told.0), expected, "{comparison} {threshold}: {told:?}");
    }
    let count = json!({ "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum", "missing": "healthy", "threshold": 0.05 });
    let told = found(listener(), count.clone());
    assert!(told.len() == 1 && told[0].1 == ".threshold" && told[0].2.contains("divide_by"), "{told:?}");
    let mut any = count;
    any["threshold"] = json!(0);
    assert_eq!(found(listener(), any), [], "any error at all is trouble");
}

#[test]
fn a_comparison_says_what_is_trouble() {
    let share = |comparison: &str| {
        json!({ "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum", "missing": "zero_if_divisor", "threshold": 0.01,
            "divide_by": { "metric_name": "RequestCount" }, "comparison": comparison })
    };
    let hosts = |comparison: &str| json!({ "metric_name": "HealthyHostCount", "statistic": "Minimum", "threshold": 2, "comparison": comparison });
    for (metric, expected) in [
        (share("less_than"), Some("write greater_than")),
        (share("greater_than"), None),
        (json!({ "comparison": "less_than_or_equal", "threshold": 0.8 }), Some("write greater_than")),
        (hosts("greater_than"), Some("write less_than")),
        (hosts("less_than"), None),
        (json!({ "metric_name": "RequestCount", "statistic": "Sum", "threshold": 5, "comparison": "less_than" }), None),
    ] {
        let told = found(listener(), metric.clone());
        let of_it = told.iter().find(|told| told.1 == ".comparison");
        assert_eq!(of_it.is_some(), expected.is_some(), "{metric}: {told:?}");
        assert!(
            expected.is_none_or(|fix| of_it.is_some_and(|told| told.0 == Severity::Warning && told.2.contains(fix)))
        );
    }
}

#[test]
fn a_share_is_one_of_the_same_side() {
    let by = |dimensions: Value| {
        json!({ "metric_name": "HTTPCode_Target_5XX_Count", "statistic": "Sum", "missing": "zero_if_divisor", "threshold": 0.01,
            "divide_by": { "metric_name": "RequestCount", "dimensions": dimensions } })
    };
    let told = found(listener(), by(json!({ "LoadBalancer": BALANCER })));
    assert_eq!(told.iter().map(|told| told.1.as_str()).collect::<Vec<_>>(), [".divide_by.dimensions"]);
    assert_eq!(found(listener(), by(json!({ "LoadBalancer": BALANCER, "TargetGroup": NEW }))), []);
}

#[test]
fn gates_are_judged_as_far_as_a_plan_with_errors_could_be_read() {
    let metric = |comparison: &str, balancer: &str| {
        json!({ "name": "gate", "namespace": "AWS/ApplicationELB", "metric_name": "TargetResponseTime", "statistic": "p95",
            "dimensions": { "LoadBalancer": balancer, "TargetGroup": NEW }, "comparison": comparison, "threshold": 800 })
    };
    let told = |route: Value, metric: Value| {
        let plan =
            json!({ "application": "shop", "timeout": 5, "routes": [route], "monitoring": { "metrics": [metric] } });
        Plan::read(&plan).unwrap_err().into_iter().map(|finding| finding.path).collect::<Vec<_>>()
    };
    let (dimensions, threshold) = ("$.monitoring.metrics[0].dimensions", "$.monitoring.metrics[0].threshold");
    assert_eq!(told(listener(), metric("greater_than", "app/other/1")), [dimensions, threshold, "$.timeout"]);
    let comparison = "$.monitoring.metrics[0].comparison";
    assert_eq!(told(listener(), metric(">", "app/other/1")), [comparison, dimensions, "$.timeout"]);
    let mut unread = listener();
    unread["listener_arn"] = json!(7);
    let of_no_route = told(unread, metric("greater_than", "app/other/1"));
    assert_eq!(
        of_no_route,
        [threshold, "$.routes[0].listener_arn", "$.timeout"],
        "routes that are not read blame no balancer"
    );
}
