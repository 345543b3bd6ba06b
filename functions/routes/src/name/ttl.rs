//! How long resolvers keep what a name answers: pure.
//!
//! | record | is kept for | from |
//! |---|---|---|
//! | values | its TTL | |
//! | an alias to a record of its zone | that record's TTL | developer guide, *Choosing between alias and non-alias records* |
//! | any other alias | 60 s, as load balancers have it | the same |
//!
//! What an alias of the zone leads to is no record of the plan: its TTL is observed by precheck and kept with the before-image,
//! so that the waits of the run are those that precheck counted.

use std::collections::BTreeMap;

use cutover::Finding;
use cutover::dns::ALIAS_TTL_SECONDS;
use cutover::plan::DnsRoute;
use serde::{Deserialize, Serialize};

use super::checks::PairChecks;
use super::record::RecordSet;
use super::shares::Zone;
use super::state::NameState;

/// The TTLs of what aliases lead to within their zone, in seconds, by type and name: `A blue.example.com.`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AliasTtls(BTreeMap<String, u32>);

impl AliasTtls {
    /// Those of the aliases among some records, as far as the zone was read.
    pub fn of<'a>(zone: &Zone, records: impl IntoIterator<Item = &'a RecordSet>) -> Self {
        let ttl = |record: &RecordSet| {
            let alias = record.alias.as_ref().filter(|alias| alias.hosted_zone_id == zone.id)?;
            Some((key(record)?, zone.ttl_seconds(&alias.dns_name, &record.record_type)?))
        };
        Self(records.into_iter().filter_map(ttl).collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How long a resolver keeps an answer from this record, in seconds.
    fn of_record(&self, record: &RecordSet) -> u32 {
        match record.ttl {
            Some(ttl) => u32::try_from(ttl).unwrap_or(0),
            None => key(record).and_then(|key| self.0.get(&key)).copied().unwrap_or(ALIAS_TTL_SECONDS),
        }
    }

    /// The longest time that a resolver may keep an answer, in seconds.
    pub fn longest_of(&self, state: &NameState) -> u32 {
        state.records().iter().map(|record| self.of_record(record)).max().unwrap_or(0)
    }

    /// How long resolvers may give the answer from before a step of the plan, in seconds: the answers of those records that
    /// get traffic once the name is prepared. 0 for a plan that cannot be carried out.
    pub fn settle_seconds(&self, route: &DnsRoute, before: &NameState) -> u32 {
        let Ok(prepared) = before.planned(route, 0, &PairChecks::default()) else { return 0 };
        let answering = prepared.records().iter().filter(|record| record.weight != Some(0));
        answering.map(|record| self.of_record(record)).max().unwrap_or(0)
    }

    /// What it means for a run that the plan's TTL is not that of an alias.
    pub(crate) fn findings(&self, route: &DnsRoute, before: &NameState, path: &str) -> Vec<Finding> {
        let longer = self.0.iter().filter(|(_, ttl)| **ttl > route.ttl);
        let is_old = |target: &str| before.records().iter().any(|record| key(record).as_deref() == Some(target));
        let told = |(target, ttl): (&String, &u32)| {
            let (kind, name) = target.split_once(' ').unwrap_or(("", target));
            let name = name.trim_end_matches('.');
            let what = if is_old(target) { "every step waits" } else { "a way back takes" };
            let problem = format!(
                "the {kind} answer is an alias to {name}, whose TTL is {ttl} s: resolvers keep it for that long, and {what} \
                 {ttl} s"
            );
            let fix = format!("lower the TTL of {name} to {} s, and wait {ttl} s before you start", route.ttl);
            Finding::warning(format!("{path}.records"), problem, fix)
        };
        longer.map(told).collect()
    }
}

/// `A blue.example.com.` of an alias.
fn key(record: &RecordSet) -> Option<String> {
    record.alias.as_ref().map(|alias| format!("{} {}", record.record_type, alias.dns_name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::planned::tests::route;
    use crate::name::record::AliasTarget;
    use crate::name::record::tests::{simple, weighted};

    fn alias_to(name: &str, zone: &str) -> RecordSet {
        let alias =
            AliasTarget { dns_name: name.to_owned(), hosted_zone_id: zone.to_owned(), evaluate_target_health: false };
        RecordSet { ttl: None, values: vec![], alias: Some(alias), ..simple("", 0) }
    }

    fn zone(records: &[(&str, RecordSet)]) -> Zone {
        let of = |(name, record): &(&str, RecordSet)| (((*name).to_owned(), "A".to_owned()), vec![record.clone()]);
        Zone { id: "Z1".to_owned(), records: records.iter().map(of).collect() }
    }

    #[test]
    fn an_alias_of_the_zone_is_kept_as_long_as_its_target_and_any_other_for_a_minute() {
        let zone = zone(&[
            ("blue.example.com.", simple("1.2.3.4", 3600)),
            ("way.example.com.", alias_to("blue.example.com.", "Z1")),
            ("out.example.com.", alias_to("lb.example.net.", "Z2")),
        ]);
        let kept =
            |record: &RecordSet| AliasTtls::of(&zone, [record]).longest_of(&NameState::new(vec![record.clone()]));
        assert_eq!(kept(&alias_to("blue.example.com.", "Z1")), 3600);
        assert_eq!(kept(&alias_to("way.example.com.", "Z1")), 3600, "through another alias");
        assert_eq!(kept(&alias_to("out.example.com.", "Z1")), 60);
        assert_eq!(kept(&alias_to("lb.example.net.", "Z2")), 60);
        assert_eq!(kept(&simple("1.2.3.4", 300)), 300);
        assert_eq!(kept(&alias_to("unread.example.com.", "Z1")), 60);
    }

    #[test]
    fn a_step_waits_for_what_answers_and_not_for_what_never_did() {
        let ttls = AliasTtls::of(
            &zone(&[("blue.example.com.", simple("1.2.3.4", 3600))]),
            &[alias_to("blue.example.com.", "Z1")],
        );
        let settle = |before: Vec<RecordSet>| ttls.settle_seconds(&route(None), &NameState::new(before));
        assert_eq!(settle(vec![simple("1.2.3.4", 300)]), 60, "the plan's TTL");
        assert_eq!(settle(vec![simple("1.2.3.4", 20)]), 20, "its own, which is lower");
        assert_eq!(settle(vec![alias_to("blue.example.com.", "Z1")]), 3600);
        let left = RecordSet {
            set_identifier: Some("left".to_owned()),
            weight: Some(0),
            ..alias_to("blue.example.com.", "Z1")
        };
        assert_eq!(settle(vec![weighted("blue", "1.2.3.4", 1), left]), 60, "a record without traffic");
    }

    #[test]
    fn a_ttl_of_an_alias_that_is_longer_than_the_plans_is_told() {
        let old = alias_to("blue.example.com.", "Z1");
        let zone =
            zone(&[("blue.example.com.", simple("1.2.3.4", 3600)), ("green.example.com.", simple("5.6.7.8", 90))]);
        let ttls = AliasTtls::of(&zone, [&old, &alias_to("green.example.com.", "Z1")]);
        let found = ttls.findings(&route(None), &NameState::new(vec![old]), "$.routes[0]");
        let problems: Vec<&str> = found.iter().map(|finding| finding.problem.as_str()).collect();
        assert!(
            matches!(&problems[..], [old, new]
            if old.contains("blue.example.com, whose TTL is 3600 s") && old.ends_with("every step waits 3600 s")
            && new.ends_with("a way back takes 90 s")),
            "{problems:?}"
        );
        let ttls = AliasTtls::default();
        assert_eq!(ttls.findings(&route(None), &NameState::new(vec![]), "$"), []);
    }
}
