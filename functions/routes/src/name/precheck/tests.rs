use cutover::Severity;
use serde_json::{Value, json};

use super::*;
use crate::name::behind::tests::weighing;

fn found(new: Value, record: Value) -> Vec<(Severity, String)> {
    let route = json!({ "hosted_zone_id": "Z1", "record_name": "a.example.com", "steps": [{ "new_weight": 100 }],
        "records": [{ "type": "A", "new": new }] });
    let mut record = record;
    record["type"] = json!("A");
    record["values"] = record.get("values").cloned().unwrap_or(json!([]));
    let (route, state) = (serde_json::from_value(route).unwrap(), serde_json::from_value(json!([record])).unwrap());
    fits(&route, &state, "$").into_iter().map(|finding| (finding.severity, finding.problem)).collect()
}

#[test]
fn a_type_that_is_added_says_what_it_does_not_inherit() {
    let alias =
        |on: bool| json!({ "dns_name": "lb.example.net.", "hosted_zone_id": "Z2", "evaluate_target_health": on });
    let told = |on: bool, check: Option<&str>| {
        let record = json!({ "type": "A", "values": [], "alias": alias(on), "health_check_id": check });
        let state: NameState = serde_json::from_value(json!([record])).unwrap();
        let mut route = route("A", &json!("5.6.7.8"));
        let aaaa =
            json!({ "type": "AAAA", "new": { "alias": { "dns_name": "new.example.net", "hosted_zone_id": "Z2" } } });
        route.records.push(serde_json::from_value(aaaa).unwrap());
        let found = inherits_nothing(&route, &state, "$");
        found.into_iter().map(|finding| finding.problem).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(told(false, None), "");
    assert!(told(false, Some("check")).contains("adds AAAA records without the health check that the A record has"));
    assert!(told(true, Some("check")).contains("the health check and the evaluation"));
    assert!(told(true, None).contains("without the evaluation"));
}

#[test]
fn a_conversion_says_what_does_not_fit_it_and_what_goes_with_it() {
    let cname = |identifier: &str, weight: i64| json!({ "type": "CNAME", "set_identifier": identifier, "weight": weight, "ttl": 60, "values": ["x.example.net"] });
    let state: NameState = serde_json::from_value(json!([cname("blue", 100), cname("aged", 0)])).unwrap();
    let told = fits(&route("A", &json!("5.6.7.8")), &state, "$");
    let [Finding { severity: Severity::Warning, problem, .. }] = &told[..] else { panic!("{told:?}") };
    assert!(problem.contains("at weight 0") && problem.ends_with("set identifier aged"), "{problem}");
    let mut route = route("A", &json!("5.6.7.8"));
    route.health_checks = serde_json::from_value(json!({ "new": { "fqdn": "new.example.com" } })).unwrap();
    let told = fits(&route, &state, "$");
    let [Finding { severity: Severity::Error, path, fix, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((path.as_str(), fix.as_str()), ("$.health_checks", "leave health_checks out"));
}

fn route(kind: &str, new: &Value) -> DnsRoute {
    let route = json!({ "hosted_zone_id": "Z1", "record_name": "a.example.com", "steps": [{ "new_weight": 100 }],
        "records": [{ "type": kind, "new": { "values": [new] } }] });
    serde_json::from_value(route).unwrap()
}

fn of_aws(kind: &str, identifier: Option<&str>) -> ResourceRecordSet {
    let builder = ResourceRecordSet::builder().name("a.example.com.").r#type(kind.into());
    builder.set_set_identifier(identifier.map(str::to_owned)).build().unwrap()
}

#[test]
fn a_neighbours_other_family_is_the_neighbours() {
    let weighted = |identifier: &str, weight: i64, value: &str| json!({ "type": "A", "set_identifier": identifier, "weight": weight, "ttl": 60, "values": [value] });
    let state = json!([weighted("blue", 100, "1.2.3.4"), weighted("canary", 0, "9.9.9.9")]);
    let state = serde_json::from_value(state).unwrap();
    let route = route("A", &json!("5.6.7.8"));
    let left = |identifier| other_family(&route, &state, &[of_aws("AAAA", identifier)], "$").is_some();
    assert_eq!([Some("canary"), Some("blue"), None].map(left), [false, true, true]);
    let aaaa = |identifier, weight| weighing(weight, of_aws("AAAA", Some(identifier)));
    let with = |weight| other_family(&route, &state, &[aaaa("canary", 100), aaaa("left", weight)], "$").is_some();
    assert_eq!([1, 0].map(with), [true, false], "a leftover at weight 0 answers nobody");
}

#[test]
fn a_cname_needs_its_name_for_itself() {
    let found = |kind, new, beside| {
        beside_a_cname(&route(kind, &json!(new)), &[of_aws(beside, None)], "$").map(|finding| finding.problem)
    };
    assert!(found("CNAME", "new.example.net", "SOA").is_some_and(|problem| problem.contains("SOA")));
    assert_eq!(found("CNAME", "new.example.net", "A"), None);
    assert_eq!(found("A", "5.6.7.8", "MX"), None);
}

#[test]
fn what_redirects_traffic_is_a_warning() {
    let alias =
        |on: bool| json!({ "dns_name": "lb.example.net.", "hosted_zone_id": "Z2", "evaluate_target_health": on });
    let plain = |value: &str| json!({ "ttl": 60, "values": [value] });
    let new = json!({ "values": ["5.6.7.8"] });
    assert_eq!(found(new.clone(), plain("1.2.3.4")), []);
    assert_eq!(found(new.clone(), json!({ "alias": alias(false) })), []);
    let warnings =
        [found(new, json!({ "alias": alias(true) })), found(json!({ "alias": alias(true) }), plain("1.2.3.4"))];
    for warning in warnings {
        assert!(matches!(&warning[..], [(Severity::Warning, text)] if text.contains("redirect")), "{warning:?}");
    }
}
