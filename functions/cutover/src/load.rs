//! What a load test may reach, and how hard: rules of the plan, and of the stack's configuration. Pure.
//!
//! A load test asks only hosts that a plan shows to belong to the side. The new side's are the host of `health_check`, and the
//! answers of the routes' `new`: addresses, names, aliases. The old side's are the routes' names, which lead to the old side alone as long
//! as no traffic has moved. A load balancer that a plan names by ARN only has no name in it: for such, the stack lists hosts.

use crate::dns::bare_name;
use crate::plan::{LoadTarget, LoadTest, Route};
use crate::probe::Target;
use crate::{Finding, Plan};

/// What the stack's configuration allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadLimits {
    /// Requests a second to one side, all slices together.
    pub most_rate_per_second: u32,
    /// Hosts that may be loaded beside those that the plan shows to be its own.
    pub hosts: Vec<String>,
}

impl LoadLimits {
    /// From the variables `MAX_LOAD_RATE_PER_SECOND`, a number, and `LOAD_TEST_HOSTS`, hosts with commas in between.
    ///
    /// # Errors
    /// The first is not a number.
    pub fn read(rate: &str, hosts: &str) -> Result<Self, String> {
        let most = rate.trim().parse().map_err(|_| format!("MAX_LOAD_RATE_PER_SECOND is `{rate}`, not a number"))?;
        let hosts = hosts.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_owned).collect();
        Ok(Self { most_rate_per_second: most, hosts })
    }
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

fn foreign(plan: &Plan, target: &LoadTarget, side: Side, limits: &LoadLimits) -> Option<Finding> {
    let host = bare_host(&Target::parse(&target.url).ok()?.host);
    let own = match side {
        Side::New => new_hosts(plan),
        Side::Old => old_hosts(plan),
    };
    let allowed = own.into_iter().chain(limits.hosts.iter().cloned()).any(|allowed| bare_host(&allowed) == host);
    (!allowed).then(|| {
        let (field, fix) = match side {
            Side::New => ("new", "use the host of health_check.url, an address or name of a route's `new`"),
            Side::Old => ("old", "use a route's record_name, which still leads to the old side"),
        };
        let path = format!("$.load_test.targets.{field}.url");
        let problem = format!("`{}` is not shown to belong to the {field} side", target.url);
        Finding::plan(path, problem, format!("{fix}, or have the host listed in `loadTestHosts` of the stack"))
    })
}

fn new_hosts(plan: &Plan) -> Vec<String> {
    let probed = plan.health_check.as_ref().and_then(|probe| Target::parse(&probe.url).ok()).map(|target| target.host);
    let answers = plan.routes.iter().flat_map(|route| match route {
        Route::Dns(route) => route.records.as_slice(),
        Route::Listener(_) => &[],
    });
    let answers = answers.filter_map(|record| record.new.as_ref()).flat_map(|new| {
        let alias = new.alias.as_ref().map(|alias| alias.dns_name.clone());
        new.values.iter().flatten().cloned().chain(alias)
    });
    probed.into_iter().chain(answers).collect()
}

fn old_hosts(plan: &Plan) -> Vec<String> {
    let names = plan.routes.iter().filter_map(|route| match route {
        Route::Dns(route) => Some(route.record_name.clone()),
        Route::Listener(_) => None,
    });
    names.collect()
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
        let limits = LoadLimits::read("100", hosts).unwrap();
        findings(&plan, &limits).into_iter().map(|finding| finding.path).collect()
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
    fn the_stack_has_a_ceiling() {
        assert_eq!(paths("https://new.example.com/", None, 101, ""), ["$.load_test.rate_per_second"]);
        let users =
            plan(json!({ "targets": { "new": { "url": "https://new.example.com/" } }, "concurrent_users": 101 }));
        let found = findings(&users, &LoadLimits::read("100", "").unwrap());
        assert_eq!(found[0].problem, "is 101, above the stack's ceiling of 100");
        assert!(LoadLimits::read("many", "").is_err());
    }
}
