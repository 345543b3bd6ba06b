//! Where a plan may send users: target groups, records' values, aliases' targets.
//!
//! A narrowed stack changes listed routes alone; without these lists it could still lead their users anywhere. Precheck tells of each destination that is
//! not listed, and the function that writes refuses it: IAM knows no condition for what a listener or a record says. The way back is never
//! refused: it leads to where users were.

use std::net::IpAddr;

use super::{Patterns, refuse_first};
use crate::bootstrap::Environment;
use crate::plan::{DnsRoute, ListenerRoute, Route};
use crate::probe::reach::{is_in, network};
use crate::{Finding, Plan, StepResult};

/// The destinations that a stack lists.
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    groups: Patterns,
    values: Patterns,
    aliases: Patterns,
}

impl Destinations {
    /// From `NEW_TARGET_GROUP_ARNS`, `RECORD_VALUES` and `ALIAS_TARGETS`.
    ///
    /// # Errors
    /// One of them is not set, or is no list.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        let list = |name: &str| Patterns::of(environment, name);
        Ok(Self {
            groups: list("NEW_TARGET_GROUP_ARNS")?,
            values: list("RECORD_VALUES")?,
            aliases: list("ALIAS_TARGETS")?,
        })
    }

    /// Of these lists: ARNs of target groups; addresses, networks such as `10.0.0.0/8`, and names; names of what aliases lead to.
    pub fn new(groups: Patterns, values: Patterns, aliases: Patterns) -> Self {
        Self { groups, values, aliases }
    }

    /// Every destination of a plan that is not listed.
    pub fn findings(&self, plan: &Plan) -> Vec<Finding> {
        let of = |(index, route): (usize, &Route)| match route {
            Route::Listener(route) => self.of_listener(route, index),
            Route::Dns(route) => self.of_name(route, index),
        };
        plan.routes.iter().enumerate().flat_map(of).collect()
    }

    /// Whether a listener may lead to its new group, right before it does.
    ///
    /// # Errors
    /// `Cutover.NotPermitted`.
    pub fn check_listener(&self, route: &ListenerRoute, index: usize) -> StepResult<()> {
        refuse_first(self.of_listener(route, index))
    }

    /// The same of a name.
    ///
    /// # Errors
    /// `Cutover.NotPermitted`.
    pub fn check_name(&self, route: &DnsRoute, index: usize) -> StepResult<()> {
        refuse_first(self.of_name(route, index))
    }

    fn of_listener(&self, route: &ListenerRoute, index: usize) -> Vec<Finding> {
        let group = &route.new_target_group_arn;
        let path = format!("$.routes[{index}].new_target_group_arn");
        (!self.groups.allow(group)).then(|| foreign(path, group, "newTargetGroups")).into_iter().collect()
    }

    fn of_name(&self, route: &DnsRoute, index: usize) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (place, record) in route.records.iter().enumerate() {
            let Some(new) = &record.new else { continue };
            let path = format!("$.routes[{index}].records[{place}].new");
            for (place, value) in new.values.iter().flatten().enumerate() {
                if !self.values.iter().any(|pattern| leads_to(pattern, value)) {
                    findings.push(foreign(format!("{path}.values[{place}]"), value, "recordValues"));
                }
            }
            if let Some(alias) = &new.alias
                && !self.aliases.iter().any(|pattern| leads_to(pattern, &alias.dns_name))
            {
                findings.push(foreign(format!("{path}.alias.dns_name"), &alias.dns_name, "aliasTargets"));
            }
        }
        findings
    }
}

fn foreign(path: String, destination: &str, list: &str) -> Finding {
    let problem = format!("`{destination}` is no place that plans of this stack may send users to");
    Finding::environment(path, problem, format!("have it listed in the stack's {list}, or send users elsewhere"))
}

/// Whether a destination is of a pattern: in a network, where the pattern is one; else as texts, in one spelling of both.
pub(crate) fn leads_to(pattern: &str, destination: &str) -> bool {
    match (network(pattern), destination.parse::<IpAddr>()) {
        (Some(network), Ok(address)) => is_in(network, address),
        (Some(_), Err(_)) => false,
        (None, _) => super::fits(&spelt(pattern), &spelt(destination)),
    }
}

/// Addresses as they are written shortest; names in lower case, without the last dot.
fn spelt(text: &str) -> String {
    match text.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::error::name;

    fn group(of: &str) -> String {
        format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{of}/73e2d6bc24d8a067")
    }

    fn plan() -> Plan {
        let steps = json!([{ "new_weight": 100 }]);
        let listener =
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2";
        let alias = json!({ "dns_name": "Evil.example.net.", "hosted_zone_id": "Z2" });
        let plan = json!({
            "application": "a",
            "routes": [
                { "type": "listener", "listener_arn": listener, "old_target_group_arn": group("old"),
                    "new_target_group_arn": group("evil"), "steps": steps },
                { "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com", "steps": steps, "records": [
                    { "type": "A", "new": { "values": ["10.1.2.3", "203.0.113.9"] } },
                    { "type": "AAAA", "new": { "alias": alias } },
                ] },
            ],
        });
        Plan::read(&plan).unwrap()
    }

    fn destinations(groups: Value, values: Value, aliases: Value) -> Destinations {
        let [groups, values, aliases] =
            [groups, values, aliases].map(|list| Patterns::read(&list.to_string()).unwrap());
        Destinations::new(groups, values, aliases)
    }

    const GROUP: &str = "$.routes[0].new_target_group_arn";
    const VALUE: &str = "$.routes[1].records[0].new.values[1]";
    const ALIAS: &str = "$.routes[1].records[1].new.alias.dns_name";

    #[test]
    fn users_are_sent_to_listed_places_only() {
        let plan = plan();
        let paths = |groups: Value, values: Value, aliases: Value| -> Vec<String> {
            let findings = destinations(groups, values, aliases).findings(&plan);
            findings.into_iter().map(|finding| finding.path).collect()
        };
        let theirs = json!([group("shop-*")]);
        assert_eq!(paths(theirs, json!(["10.0.0.0/8"]), json!(["*.elb.amazonaws.com"])), [GROUP, VALUE, ALIAS]);
        assert_eq!(paths(json!(["*"]), json!(["*"]), json!(["*"])), [""; 0]);
        assert_eq!(paths(json!([group("evil")]), json!(["10.*", "203.0.113.9"]), json!(["evil.example.net"])), [""; 0]);
        assert_eq!(paths(json!([]), json!([]), json!([])).len(), 4);
    }

    #[test]
    fn whoever_writes_refuses_what_precheck_has_not_seen() {
        let plan = plan();
        let narrow = destinations(json!([group("shop-*")]), json!(["10.0.0.0/8"]), json!(["*"]));
        let (Route::Listener(listener), Route::Dns(dns)) = (&plan.routes[0], &plan.routes[1]) else { panic!() };
        let denied = narrow.check_listener(listener, 0).unwrap_err();
        assert_eq!(denied.name, name::NOT_PERMITTED);
        assert!(denied.message.starts_with(GROUP) && denied.message.contains("newTargetGroups"), "{denied}");
        assert!(narrow.check_name(dns, 1).unwrap_err().message.starts_with(VALUE));
        let open = destinations(json!(["*"]), json!(["*"]), json!(["*"]));
        assert_eq!((open.check_listener(listener, 0), open.check_name(dns, 1)), (Ok(()), Ok(())));
    }

    #[test]
    fn a_network_is_no_text_and_every_spelling_of_an_address_is_the_same() {
        for (pattern, destination, is_of) in [
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "10.example.com", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("10.1.2.3/32", "10.1.2.4", false),
            ("2001:db8::/32", "2001:db8:0:0::5", true),
            ("2001:db8::/32", "2001:db9::5", false),
            ("::/0", "2001:db9::5", true),
            ("2001:DB8:0::1", "2001:db8::1", true),
            ("new.example.com.", "NEW.example.com", true),
            ("*.example.com", "new.example.com.evil.net", false),
            ("10.0.0.0/33", "10.0.0.0", false),
        ] {
            assert_eq!(leads_to(pattern, destination), is_of, "{pattern} {destination}");
        }
    }
}
