//! What users of a name get of its two sides, from the live record sets and health. Pure.

use std::collections::BTreeMap;

use cutover::plan::{DnsRoute, RecordType};

use super::check_status::{Look, Side, Status, side_of};
use super::record::RecordSet;
use super::shares::{Health, Zone};
use super::state::NameState;

impl NameState {
    /// The new side's share of what both sides get of one type, in percent; none where neither gets anything.
    ///
    /// # Errors
    /// What would have to be known and is not, such as the health of a neighbour's check.
    pub fn new_percent(
        &self,
        route: &DnsRoute,
        before: &Self,
        record_type: RecordType,
        health: &Health,
    ) -> Result<Option<f64>, String> {
        let (name, kind) = (route.normalised_name(), record_type.as_str());
        let records: Vec<RecordSet> =
            self.records().iter().filter(|record| record.record_type == kind).cloned().collect();
        let sides: Vec<Option<Side>> = records.iter().map(|record| side_of(record, route, before)).collect();
        let records = BTreeMap::from([((name.clone(), kind.to_owned()), records)]);
        let shares = Zone { id: route.hosted_zone_id.clone(), records }.shares(&name, kind, health)?;
        let of = |wanted: Side| -> f64 {
            sides.iter().zip(&shares).filter(|(side, _)| **side == Some(wanted)).map(|(_, share)| share).sum()
        };
        let (old, new) = (of(Side::Old), of(Side::New));
        Ok((old + new > 0.0).then(|| 100.0 * new / (old + new)))
    }
}

impl Health {
    /// What Route 53 makes of what was seen: of what nothing is known yet it takes for healthy.
    pub fn add(&mut self, look: &Look) {
        if look.status != Status::Unseen {
            self.checks.insert(look.id.clone(), look.status != Status::Unhealthy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::PairChecks;
    use crate::name::planned::tests::route;
    use crate::name::record::tests::{checked, simple, weighted};

    fn seen(id: &str, status: Status) -> Look {
        Look { id: id.to_owned(), asks: String::new(), status, seen: String::new() }
    }

    fn percent(before: &NameState, at: u8, looks: &[Look]) -> Result<Option<f64>, String> {
        let route = route(None);
        let checks = PairChecks { old: Some("old".to_owned()), new: Some("new".to_owned()) };
        let mut health = Health::default();
        looks.iter().for_each(|look| health.add(look));
        let live = before.planned(&route, at, &checks).unwrap();
        live.new_percent(&route, before, RecordType::A, &health)
    }

    #[test]
    fn a_failing_check_gives_the_other_side_everything_whatever_the_weights() {
        use Status::{Healthy, Unhealthy, Unknown};
        let before = NameState::new(vec![simple("1.2.3.4", 300)]);
        for (at, old, new, expected) in [
            (10, Healthy, Healthy, 10.0),
            (10, Healthy, Unknown, 10.0),
            (0, Unhealthy, Healthy, 100.0),
            (10, Unhealthy, Healthy, 100.0),
            (10, Healthy, Unhealthy, 0.0),
            (10, Unhealthy, Unhealthy, 10.0),
        ] {
            let looks = [seen("old", old), seen("new", new)];
            assert_eq!(percent(&before, at, &looks), Ok(Some(expected)), "{at} {old:?} {new:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        let neighbour = checked(weighted("canary", "9.9.9.9", 0), "canary");
        let before = NameState::new(vec![weighted("blue", "1.2.3.4", 100), neighbour]);
        let looks = [seen("old", Status::Healthy), seen("new", Status::Healthy)];
        assert!(percent(&before, 10, &looks).unwrap_err().contains("canary"));
    }
}
