use serde_json::{Value, json};

use super::*;

fn plan(load_test: Value) -> Plan {
    let plan = json!({
        "application": "shop",
        "health_check": { "url": "https://new.example.com/health" },
        "routes": [{ "type": "dns", "hosted_zone_id": "Z1", "record_name": "shop.example.com", "records": [
            { "type": "A", "new": { "alias": { "dns_name": "dualstack.shop-2.elb.amazonaws.com", "hosted_zone_id": "Z2" } } },
            { "type": "AAAA", "new": { "values": ["2001:db8::20"] } },
        ], "steps": [{ "new_weight": 100, "hold": "1m" }] }],
        "load_test": load_test,
    });
    Plan::read(&plan).unwrap()
}

fn paths(new: &str, old: Option<&str>, rate: u32, hosts: &str) -> Vec<String> {
    let targets = json!({ "new": { "url": new }, "old": old.map(|url| json!({ "url": url })) });
    let plan = plan(json!({ "targets": targets, "rate_per_second": rate }));
    found(&plan, &limits(hosts, "[\"*\"]", "[\"*\"]"))
}

fn found(plan: &Plan, limits: &LoadLimits) -> Vec<String> {
    findings(plan, limits).into_iter().map(|finding| finding.path).collect()
}

fn limits(hosts: &str, names: &str, answers: &str) -> LoadLimits {
    let [names, answers] = [names, answers].map(|list| Patterns::read(list).unwrap());
    LoadLimits { names, answers: [answers, Patterns::default()], ..LoadLimits::read("100", hosts, "").unwrap() }
}

#[test]
fn only_hosts_that_the_plan_shows_to_be_its_own_are_loaded() {
    let none: [&str; 0] = [];
    for new in [
        "https://new.example.com/",
        "https://NEW.example.com:8443/cart",
        "http://shop-2.elb.amazonaws.com/",
        "http://[2001:db8:0::20]/",
    ] {
        assert_eq!(paths(new, Some("https://shop.example.com/"), 100, ""), none, "{new}");
    }
    assert_eq!(
        paths("https://shop.example.com/", None, 1, ""),
        ["$.load_test.targets.new.url"],
        "it leads to the old side"
    );
    assert_eq!(paths("https://new.example.com.evil.net/", None, 1, ""), ["$.load_test.targets.new.url"]);
    assert_eq!(paths("https://new.example.com/", Some("http://10.0.0.1/"), 1, ""), ["$.load_test.targets.old.url"]);
    assert_eq!(paths("https://new.example.com/", Some("http://10.0.0.1/"), 1, "a.net, 10.0.0.1"), none);
}

#[test]
fn a_host_is_no_sides_own_because_a_plan_says_so() {
    let (new, old) = ("https://new.example.com/", "https://shop.example.com/");
    let targets = json!({ "new": { "url": new }, "old": { "url": old } });
    let plan = plan(json!({ "targets": targets, "rate_per_second": 1 }));
    let none: [&str; 0] = [];
    let both = ["$.load_test.targets.new.url", "$.load_test.targets.old.url"];
    for (hosts, names, answers, expected) in [
        ("", "[]", "[]", &both[..]),
        ("", r#"["pay.example.com"]"#, r#"["203.0.113.0/24", "*.elb.amazonaws.com"]"#, &both),
        ("", r#"["Shop.example.com."]"#, r#"["*.elb.amazonaws.com"]"#, &both[..1]),
        ("", r#"["*.example.com"]"#, r#"["new.example.com"]"#, &both[1..]),
        ("", r#"["shop.example.com"]"#, r#"["dualstack.new.example.com"]"#, &none),
        ("new.example.com, shop.example.com", "[]", "[]", &none),
    ] {
        assert_eq!(found(&plan, &limits(hosts, names, answers)), expected, "{hosts} {names} {answers}");
    }
}

#[test]
fn the_stack_has_a_ceiling() {
    assert_eq!(paths("https://new.example.com/", None, 101, ""), ["$.load_test.rate_per_second"]);
    let users = plan(json!({ "targets": { "new": { "url": "https://new.example.com/" } }, "concurrent_users": 101 }));
    let found = findings(&users, &limits("", "[]", "[\"*\"]"));
    assert_eq!(found[0].problem, "is 101, above the stack's ceiling of 100");
    assert!(LoadLimits::read("many", "", "").is_err());
}

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-load-AbCdEf";

#[test]
fn only_listed_secrets_are_read() {
    let plan = plan(
        json!({ "targets": { "new": { "url": "https://new.example.com/" } }, "rate_per_second": 1, "headers_secret_arn": SECRET }),
    );
    let found = |secrets: &str| {
        let secrets = listed(secrets);
        findings(&plan, &LoadLimits { secrets, ..limits("", "[]", "[\"*\"]") })
    };
    for listed in [SECRET, "x, arn:aws:secretsmanager:*:secret:shop-load-??????", "*", "arn:*-AbCdEf"] {
        assert_eq!(found(listed), [], "{listed}");
    }
    for other in ["", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-load-?????", &SECRET[..40], "?", "*x"]
    {
        let found = found(other);
        assert_eq!((found.len(), found[0].path.as_str()), (1, SECRET_PATH), "{other}");
        assert!(found[0].fix.contains("loadTestSecretArns"), "{}", found[0].fix);
    }
}

#[test]
fn a_secret_is_headers_and_nothing_of_it_is_told() {
    let headers = secret_headers(r#"{ "authorization": "Bearer s3cr3t", "x-team": "shop" }"#).unwrap();
    assert_eq!((headers.len(), headers["authorization"].as_str()), (2, "Bearer s3cr3t"));
    let long = format!(r#"{{ "s3cr3t": "{}" }}"#, "s3cr3t".repeat(1_000));
    for (text, part) in [
        ("s3cr3t", "JSON object"),
        (r#"["s3cr3t"]"#, "JSON object"),
        (r#"{ "s3cr3t": 5 }"#, "JSON object"),
        ("{}", "no header"),
        (r#"{ "HOST": "s3cr3t" }"#, "`host`, which the sender says itself"),
        (r#"{ "Content-Length": "s3cr3t" }"#, "`content-length`"),
        (r#"{ "transfer-encoding": "s3cr3t" }"#, "`transfer-encoding`"),
        (r#"{ "s3cr3t: x": "y" }"#, "a name"),
        (r#"{ "x-a": "s3cr3t\r\nhost: other" }"#, "a value"),
        (r#"{ "x-a": "s3cr3t\n" }"#, "a value"),
        (r#"{ "x-a\r\ns3cr3t": "y" }"#, "a name"),
        (&long, "bytes"),
    ] {
        let problem = secret_headers(text).unwrap_err();
        assert!(problem.contains(part) && !problem.contains("s3cr3t"), "{text}: {problem}");
    }
}
