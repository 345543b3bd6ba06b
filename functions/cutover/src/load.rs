//! What a load test may reach, and how hard: rules of the plan, and of the stack's configuration. Pure.
//!
//! A load test asks only hosts that a plan shows to belong to the side, as far as the stack's own lists agree: a plan says of whatever host it likes that it is
//! its own. The new side's are the answers of the routes' `new` (addresses, names, aliases), which precheck holds against the same lists, and the host of `health_check` where users might be
//! sent to it. The old side's are the routes' names that the stack may change, which lead to the old side alone as long
//! as no traffic has moved. A load balancer that a plan names by ARN only has no name in it: for such, the stack lists hosts.

use std::collections::BTreeMap;

use hyper::header::{HeaderName, HeaderValue};

use crate::authority::{Patterns, fits, leads_to};
use crate::bootstrap::Environment;
use crate::dns::{bare_name, normalise_name};
use crate::plan::{LoadTarget, LoadTest, Route};
use crate::probe::{Target, shown};
use crate::{Finding, Plan};

/// Headers that the sender says itself: how long a body is, whom it asks, how connections are used.
pub const OWN_HEADERS: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "upgrade"];
/// Servers take about 8 KB of headers in all (nginx, Apache); the plan's own and ours are beside these.
const MOST_SECRET_BYTES: usize = 4_096;

/// What the stack's configuration allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadLimits {
    /// Requests a second to one side, all slices together.
    pub most_rate_per_second: u32,
    /// Hosts that may be loaded beside those that the plan shows to be its own.
    pub hosts: Vec<String>,
    /// Secrets whose headers may be sent: ARNs, in which `*` and `?` stand for what they do in IAM.
    pub secrets: Vec<String>,
    /// The names that plans may change: `recordNames`.
    pub names: Patterns,
    /// Where records may send users: `recordValues` and `aliasTargets`.
    pub answers: [Patterns; 2],
}

impl LoadLimits {
    /// From the variables `MAX_LOAD_RATE_PER_SECOND`, a number, `LOAD_TEST_HOSTS` and `LOAD_TEST_SECRET_ARNS`, both with commas in between, and the lists
    /// `RECORD_NAMES`, `RECORD_VALUES` and `ALIAS_TARGETS`.
    ///
    /// # Errors
    /// One is not set, the first is not a number, or one of the last is no list.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        let [rate, hosts, secrets] = ["MAX_LOAD_RATE_PER_SECOND", "LOAD_TEST_HOSTS", "LOAD_TEST_SECRET_ARNS"]
            .map(|name| environment.variable(name));
        let list = |name: &str| Patterns::of(environment, name);
        let (names, answers) = (list("RECORD_NAMES")?, [list("RECORD_VALUES")?, list("ALIAS_TARGETS")?]);
        Ok(Self { names, answers, ..Self::read(&rate?, &hosts?, &secrets?)? })
    }

    /// From the first three of these; of the lists nothing is allowed.
    fn read(rate: &str, hosts: &str, secrets: &str) -> Result<Self, String> {
        let most = rate.trim().parse().map_err(|_| format!("MAX_LOAD_RATE_PER_SECOND is `{rate}`, not a number"))?;
        Ok(Self { most_rate_per_second: most, hosts: listed(hosts), secrets: listed(secrets), ..Self::default() })
    }

    /// Whether users might be sent there by some record, as far as the stack says.
    fn lets_answer(&self, host: &str) -> bool {
        // Aliases may have this before the name, and lead to the same.
        let spellings = [host.to_owned(), format!("dualstack.{host}")];
        let is_of = |pattern: &str| spellings.iter().any(|spelling| leads_to(pattern, spelling));
        self.answers.iter().flat_map(Patterns::iter).any(is_of)
    }

    /// Whether plans may change this name, so that it is the old side's of one.
    fn lets_change(&self, name: &str) -> bool {
        let normal = normalise_name(name);
        self.names.is_open() || self.names.iter().any(|listed| normalise_name(listed) == normal)
    }

    /// Whether the headers of this secret may be sent.
    pub fn lets_read(&self, secret_arn: &str) -> bool {
        self.secrets.iter().any(|listed| fits(listed, secret_arn))
    }
}

fn listed(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Which side a host must belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Old,
    New,
}

/// What the stack does not allow of a plan's load test, and hosts that are not its own.
pub fn findings(plan: &Plan, limits: &LoadLimits) -> Vec<Finding> {
    let Some(test) = &plan.load_test else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(too_fast(test, limits));
    findings.extend(secret_not_listed(test, limits));
    findings.extend(foreign(plan, &test.targets.new, Side::New, limits));
    findings.extend(test.targets.old.as_ref().and_then(|old| foreign(plan, old, Side::Old, limits)));
    findings
}

/// Of users no more than the ceiling can ask at all; how fast they ask is bounded while they do.
fn too_fast(test: &LoadTest, limits: &LoadLimits) -> Option<Finding> {
    let most = limits.most_rate_per_second;
    let (field, wanted) = match (test.rate_per_second, test.concurrent_users) {
        (Some(rate), _) => ("rate_per_second", rate),
        (None, Some(users)) => ("concurrent_users", users),
        (None, None) => return None,
    };
    (wanted > most).then(|| {
        let fix = format!("ask for {most} at the most, or raise `maxLoadRatePerSecond` of the stack");
        Finding::plan(format!("$.load_test.{field}"), format!("is {wanted}, above the stack's ceiling of {most}"), fix)
    })
}

fn secret_not_listed(test: &LoadTest, limits: &LoadLimits) -> Option<Finding> {
    let arn = test.headers_secret_arn.as_ref()?;
    (!limits.lets_read(arn)).then(|| {
        let problem = format!("`{arn}` is none of the secrets that load tests of this stack may read");
        Finding::plan(SECRET_PATH, problem, "have it listed in `loadTestSecretArns` of the stack, or leave it out")
    })
}

/// Where a plan names the secret.
pub const SECRET_PATH: &str = "$.load_test.headers_secret_arn";

/// The headers that a secret's text is.
///
/// # Errors
/// What is wrong, for a person: nothing of the text is in it but headers of [`OWN_HEADERS`], as whatever stands in a secret may be one.
pub fn secret_headers(text: &str) -> Result<BTreeMap<String, String>, String> {
    const FORM: &str =
        "the secret's text should be a JSON object of header to value, such as {\"authorization\": \"Bearer ...\"}";
    if text.len() > MOST_SECRET_BYTES {
        return Err(format!(
            "the secret's text has {} bytes, more than the {MOST_SECRET_BYTES} of headers",
            text.len()
        ));
    }
    let headers: BTreeMap<String, String> = serde_json::from_str(text).map_err(|_| FORM.to_owned())?;
    if headers.is_empty() {
        return Err(format!("the secret has no header: {FORM}"));
    }
    for (name, value) in &headers {
        let own = OWN_HEADERS.iter().find(|own| name.eq_ignore_ascii_case(own));
        if let Some(own) = own {
            return Err(format!("the secret has the header `{own}`, which the sender says itself: leave it out"));
        }
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err("the secret has a name that is no header's: use letters, digits and -".to_owned());
        }
        if HeaderValue::from_str(value).is_err() {
            return Err(
                "the secret has a value that cannot be sent: use characters that can be seen, on one line".to_owned()
            );
        }
    }
    Ok(headers)
}

fn foreign(plan: &Plan, target: &LoadTarget, side: Side, limits: &LoadLimits) -> Option<Finding> {
    let host = bare_host(&Target::parse(&target.url).ok()?.host);
    let own = match side {
        Side::New => new_hosts(plan, limits),
        Side::Old => old_hosts(plan, limits),
    };
    let allowed = own.into_iter().chain(limits.hosts.iter().cloned()).any(|allowed| bare_host(&allowed) == host);
    (!allowed).then(|| {
        let (field, fix) = match side {
            Side::New => {
                ("new", "use an address or name of a route's `new`, or the host of health_check.url where it is one")
            }
            Side::Old => {
                ("old", "use a route's record_name of the stack's recordNames, which still leads to the old side")
            }
        };
        let path = format!("$.load_test.targets.{field}.url");
        let problem = format!("`{}` is not shown to belong to the {field} side", shown(&target.url));
        Finding::plan(path, problem, format!("{fix}, or have the host listed in `loadTestHosts` of the stack"))
    })
}

fn new_hosts(plan: &Plan, limits: &LoadLimits) -> Vec<String> {
    let probed = plan.health_check.as_ref().and_then(|probe| Target::parse(&probe.url).ok()).map(|target| target.host);
    let answers = plan.routes.iter().flat_map(|route| match route {
        Route::Dns(route) => route.records.as_slice(),
        Route::Listener(_) => &[],
    });
    let answers = answers.filter_map(|record| record.new.as_ref()).flat_map(|new| {
        let alias = new.alias.as_ref().map(|alias| alias.dns_name.clone());
        new.values.iter().flatten().cloned().chain(alias)
    });
    probed.filter(|host| limits.lets_answer(host)).into_iter().chain(answers).collect()
}

fn old_hosts(plan: &Plan, limits: &LoadLimits) -> Vec<String> {
    let names = plan.routes.iter().filter_map(|route| match route {
        Route::Dns(route) => Some(route.record_name.clone()),
        Route::Listener(_) => None,
    });
    names.filter(|name| limits.lets_change(name)).collect()
}

/// Names are compared as DNS has them, addresses as they are.
fn bare_host(host: &str) -> String {
    match host.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => bare_name(host),
    }
}

#[cfg(test)]
mod tests {
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
        let users =
            plan(json!({ "targets": { "new": { "url": "https://new.example.com/" } }, "concurrent_users": 101 }));
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
        for other in
            ["", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-load-?????", &SECRET[..40], "?", "*x"]
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
}
