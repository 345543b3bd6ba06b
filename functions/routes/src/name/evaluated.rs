//! Aliases evaluated by health that lead to a balancer: what attaching a target group to it can do to them. Pure.
//!
//! A balancer counts as unhealthy as soon as one of its target groups has no healthy target (API reference, *AliasTarget*,
//! EvaluateTargetHealth), and a group is not checked before it is attached. So attaching a group takes the balancer out of
//! every answer that has another one to give, until the group's targets are healthy.

use std::collections::BTreeSet;

use super::forecast::Wanted;
use super::shares::{Answer, Zone};

/// Shares that differ by no more are the same, but for rounding.
const MOST_ROUNDED: f64 = 1e-6;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::record::tests::{simple, weighted};
    use crate::name::record::{AliasTarget, RecordSet};

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
}
