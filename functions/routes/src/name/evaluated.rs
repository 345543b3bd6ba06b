//! Aliases evaluated by health that lead to a balancer: what attaching a target group to it can do to them. Pure.
//!
//! A balancer counts as unhealthy as soon as one of its target groups has no healthy target (API reference, *AliasTarget*,
//! EvaluateTargetHealth), and a group is not checked before it is attached. So attaching a group takes the balancer out of
//! every answer that has another one to give, until the group's targets are healthy.

use std::collections::BTreeSet;

use super::forecast::Wanted;
use super::record::RecordSet;
use super::shares::{Answer, Zone};

/// Shares that differ by no more are the same, but for rounding.
pub(super) const MOST_ROUNDED: f64 = 1e-6;

/// An answer that the balancer would lose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lost {
    /// `A shop.example.com`.
    pub what: String,
    /// The percentage of users who would get another answer.
    pub percent: u32,
}

/// The answers of a zone that a balancer would lose were it not healthy, all else being well.
pub fn lost(zone: &Zone, is_balancer: impl Fn(&str) -> bool) -> BTreeSet<Lost> {
    let well = Wanted::of_zone(zone).all_well();
    let mut without = well.clone();
    without.targets.iter_mut().filter(|(name, _)| is_balancer(name)).for_each(|(_, healthy)| *healthy = false);
    if without == well {
        return BTreeSet::new();
    }
    let of_group = |(name, kind): &(String, String)| {
        let share = |health| {
            let answers = zone.answers(name, kind, health).ok()?;
            let of_balancer =
                answers.iter().filter(|(answer, _)| matches!(answer, Answer::Target(to) if is_balancer(to)));
            Some(of_balancer.map(|(_, share)| share).sum::<f64>())
        };
        let lost = share(&well)? - share(&without)?;
        let what = || format!("{kind} {}", name.trim_end_matches('.'));
        (lost > MOST_ROUNDED).then(|| Lost { what: what(), percent: (lost * 100.0).round().max(1.0) as u32 })
    };
    zone.records.keys().filter_map(of_group).collect()
}

/// The answers of another routing policy than weights, `A shop.example.com`, that would be left out were a balancer not healthy, all
/// else being well: those that are aliases to it by its health, or to aliases of the zone that are, all along. `others` are the zone's
/// records of such policies, by name.
pub fn lost_by_policy(
    zone: &Zone,
    others: &[(String, RecordSet)],
    is_balancer: impl Fn(&str) -> bool,
) -> BTreeSet<String> {
    let mut all = zone.clone();
    others.iter().for_each(|(name, record)| all.add(name, vec![record.clone()]));
    let well = Wanted::of_zone(&all).all_well();
    let mut without = well.clone();
    without.targets.iter_mut().filter(|(name, _)| is_balancer(name)).for_each(|(_, healthy)| *healthy = false);
    if without == well {
        return BTreeSet::new();
    }
    let is_lost =
        |record: &RecordSet| all.healthy(record, &well) == Ok(true) && all.healthy(record, &without) == Ok(false);
    let lost = others.iter().filter(|(_, record)| is_lost(record));
    lost.map(|(name, record)| format!("{} {}", record.record_type, name.trim_end_matches('.'))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::record::AliasTarget;
    use crate::name::record::tests::{simple, weighted};

    const BALANCER: &str = "shop.elb.amazonaws.com.";

    fn alias(record: RecordSet, evaluate_target_health: bool) -> RecordSet {
        let alias =
            AliasTarget { dns_name: BALANCER.to_owned(), hosted_zone_id: "Z2".to_owned(), evaluate_target_health };
        RecordSet { ttl: None, values: vec![], alias: Some(alias), ..record }
    }

    fn losses(records: &[RecordSet]) -> Vec<(String, u32)> {
        let zone = Zone { id: "Z1".to_owned(), ..Zone::default() };
        let zone = zone.with_name("app.example.com", records);
        lost(&zone, |name| name == BALANCER).into_iter().map(|lost| (lost.what, lost.percent)).collect()
    }

    #[test]
    fn a_balancer_beside_another_answer_loses_its_users() {
        let other = weighted("maintenance", "9.9.9.9", 0);
        assert_eq!(
            losses(&[alias(weighted("shop", "", 100), true), other.clone()]),
            [("A app.example.com".to_owned(), 100)]
        );
        assert_eq!(losses(&[alias(weighted("shop", "", 100), false), other]), [], "not evaluated");
        let half = [alias(weighted("shop", "", 1), true), weighted("other", "9.9.9.9", 1)];
        assert_eq!(losses(&half), [("A app.example.com".to_owned(), 50)]);
    }

    #[test]
    fn an_only_record_is_answered_whatever_its_health() {
        assert_eq!(losses(&[alias(simple("", 0), true)]), []);
        assert_eq!(losses(&[simple("1.2.3.4", 300)]), []);
    }

    /// What is lost of a failover record of `app.example.com`, in a zone of these records.
    fn lost_failover(record: RecordSet, records: &[(&str, RecordSet)], others: &[(&str, RecordSet)]) -> Vec<String> {
        let mut zone = Zone { id: "Z1".to_owned(), ..Zone::default() };
        records.iter().for_each(|(name, record)| zone.add(name, vec![record.clone()]));
        let others = others.iter().map(|(name, record)| ((*name).to_owned(), record.clone()));
        let others: Vec<_> = others.chain([("app.example.com.".to_owned(), record)]).collect();
        lost_by_policy(&zone, &others, |name| name == BALANCER).into_iter().collect()
    }

    fn within(name: &str, evaluate_target_health: bool) -> RecordSet {
        let (dns_name, hosted_zone_id) = (name.to_owned(), "Z1".to_owned());
        let alias = Some(AliasTarget { dns_name, hosted_zone_id, evaluate_target_health });
        RecordSet { ttl: None, values: vec![], alias, ..simple("", 0) }
    }

    #[test]
    fn a_failover_or_latency_alias_loses_a_balancer_by_way_of_others_too() {
        let to_balancer = |evaluates| alias(simple("", 0), evaluates);
        let app = ["A app.example.com"];
        assert_eq!(lost_failover(to_balancer(true), &[], &[]), app);
        assert_eq!(lost_failover(to_balancer(false), &[], &[]), [""; 0]);
        let by = |first, second| {
            lost_failover(within("lb.example.com.", first), &[("lb.example.com.", to_balancer(second))], &[])
        };
        assert_eq!(by(true, true), app);
        assert_eq!([by(false, true), by(true, false)], [[""; 0], [""; 0]], "not evaluated all along");
        let other = weighted("other", "9.9.9.9", 1);
        let group = [("lb.example.com.", alias(weighted("lb", "", 1), true)), ("lb.example.com.", other)];
        assert_eq!(lost_failover(within("lb.example.com.", true), &group, &[]), [""; 0], "another one is healthy");
        let latency = [("lb.example.com.", to_balancer(true))];
        let both = ["A app.example.com", "A lb.example.com"];
        assert_eq!(lost_failover(within("lb.example.com.", true), &[], &latency), both);
    }
}
