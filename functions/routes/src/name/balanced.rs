//! A name that moves from one load balancer to another: both count requests. Pure.

use std::collections::BTreeSet;

use cutover::dns::bare_name;
use cutover::plan::DnsRoute;

use super::family::Family;
use super::state::NameState;

/// The load balancers of both sides, by the DNS names that their aliases lead to, as they are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balanced {
    /// The old side's.
    pub old: String,
    /// The new side's.
    pub new: String,
}

impl NameState {
    /// Both sides' load balancers, where every type of the name is answered by an alias on either side, each side has one, and nobody else
    /// has a part of the name: otherwise their requests say nothing of its shares. `self` is the before-image. Whether an alias leads to a load
    /// balancer at all, Elastic Load Balancing says.
    pub fn balanced(&self, route: &DnsRoute) -> Option<Balanced> {
        let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
        for change in &route.records {
            let Ok(Family::Moved(group)) = Family::of(self, route, change) else { return None };
            if !group.neighbours.is_empty() {
                return None;
            }
            old.insert(bare_name(&group.old.alias.as_ref()?.dns_name));
            new.insert(bare_name(&change.new.as_ref()?.alias.as_ref()?.dns_name));
        }
        let only = |names: BTreeSet<String>| if names.len() == 1 { names.into_iter().next() } else { None };
        let (old, new) = (only(old)?, only(new)?);
        (old != new).then_some(Balanced { old, new })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::name::record::tests::{simple, weighted};
    use crate::name::record::{AliasTarget, RecordSet};

    fn alias(record: RecordSet, kind: &str, dns_name: &str) -> RecordSet {
        let (dns_name, hosted_zone_id) = (dns_name.to_owned(), "Z2".to_owned());
        let alias = AliasTarget { dns_name, hosted_zone_id, evaluate_target_health: false };
        RecordSet { record_type: kind.to_owned(), ttl: None, values: vec![], alias: Some(alias), ..record }
    }

    fn route(new: &[(&str, Value)]) -> DnsRoute {
        let records: Vec<Value> = new.iter().map(|(kind, new)| json!({ "type": kind, "new": new })).collect();
        serde_json::from_value(
            json!({ "hosted_zone_id": "Z", "record_name": "a.example.com", "records": records, "steps": [] }),
        )
        .unwrap()
    }

    fn to(dns_name: &str) -> Value {
        json!({ "alias": { "dns_name": dns_name, "hosted_zone_id": "Z2" } })
    }

    #[test]
    fn a_name_between_two_balancers_has_both() {
        let old = "dualstack.old.elb.amazonaws.com.";
        let before = NameState::new(vec![alias(simple("", 0), "A", old), alias(simple("", 0), "AAAA", old)]);
        let both = |a: &str, aaaa: &str| before.balanced(&route(&[("A", to(a)), ("AAAA", to(aaaa))]));
        let found = both("NEW.elb.amazonaws.com", "dualstack.new.elb.amazonaws.com").unwrap();
        assert_eq!((found.old.as_str(), found.new.as_str()), ("old.elb.amazonaws.com.", "new.elb.amazonaws.com."));
        assert_eq!(both("new.elb.amazonaws.com", "another.elb.amazonaws.com"), None, "two on one side");
        assert_eq!(both("old.elb.amazonaws.com", "old.elb.amazonaws.com"), None, "the same on both");
    }

    #[test]
    fn what_is_no_alias_or_has_neighbours_is_not_known() {
        let balancer = || route(&[("A", to("new.elb.amazonaws.com"))]);
        assert_eq!(NameState::new(vec![simple("192.0.2.1", 60)]).balanced(&balancer()), None);
        let old = || alias(simple("", 0), "A", "old.elb.amazonaws.com.");
        let values = route(&[("A", json!({ "values": ["192.0.2.1"] }))]);
        assert_eq!(NameState::new(vec![old()]).balanced(&values), None);
        let member = |identifier: &str, dns_name: &str| alias(weighted(identifier, "", 50), "A", dns_name);
        let group = vec![member("blue", "old.elb.amazonaws.com."), member("canary", "canary.elb.amazonaws.com.")];
        let mut of_blue = balancer();
        of_blue.records[0].old_set_identifier = Some("blue".to_owned());
        assert_eq!(NameState::new(group).balanced(&of_blue), None);
    }
}
