//! The health checks that a run makes for a pair's records, and how states are compared while some are not known.

use cutover::contract::digest;
use cutover::plan::DnsRoute;

use super::family::Family;
use super::record::RecordSet;
use super::state::NameState;

/// The health checks that the run made for the pair, where the plan wants them, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairChecks {
    /// Of the old side's records.
    pub old: Option<String>,
    /// Of the new side's records.
    pub new: Option<String>,
}

impl PairChecks {
    /// Whether the plan wants a check of the old side, and of the new, that is not known here.
    fn unknown(&self, route: &DnsRoute) -> [bool; 2] {
        let Some(wanted) = &route.health_checks else { return [false; 2] };
        [wanted.old.is_some() && self.old.is_none(), wanted.new.is_some() && self.new.is_none()]
    }

    /// Whether every check that the plan wants is known.
    pub fn are_known(&self, route: &DnsRoute) -> bool {
        self.unknown(route) == [false; 2]
    }
}

/// The caller references of the health checks that a run makes for a route: of the old side, and of the new.
pub fn references(run_id: &str, route: usize) -> [String; 2] {
    ["old", "new"].map(|side| reference(run_id, route, side))
}

/// At most 64 characters (API reference), so the run is digested.
pub(super) fn reference(run_id: &str, route: usize, side: &str) -> String {
    format!("cutover-{}-{route}-{side}", digest(run_id))
}

impl NameState {
    /// Whether this live state may be one that the run planned: as [`is_like`](Self::is_like), but for those health checks of
    /// the run that are not known. Undo deletes them, and a function that outlives the run may have left them on a record.
    pub fn may_be(&self, planned: &Self, route: &DnsRoute, before: &Self, checks: &PairChecks) -> bool {
        let known = |state: &Self| state.without_unknown(route, before, checks);
        known(self).is_like(&known(planned))
    }

    /// The state without what the pair's records carry on the sides whose health check is not known.
    fn without_unknown(&self, route: &DnsRoute, before: &Self, checks: &PairChecks) -> Self {
        let [old, new] = checks.unknown(route);
        let mut records = self.0.clone();
        for change in &route.records {
            let Ok(Family::Moved(group)) = Family::of(before, route, change) else { continue };
            let sides = [(old, group.old_identifier()), (new, group.new_identifier())];
            let forgotten = |record: &RecordSet| {
                let is_of = |identifier| record.set_identifier.as_ref() == Some(identifier);
                sides.iter().any(|(is_unknown, identifier)| *is_unknown && is_of(identifier))
            };
            let of_type = records.iter_mut().filter(|record| record.record_type == change.record_type.as_str());
            for record in of_type.filter(|record| forgotten(record)) {
                record.health_check_id = None;
            }
        }
        Self(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::planned::tests::route;
    use crate::name::record::tests::weighted;

    /// A route that wants a health check of its new side.
    fn checked_route() -> DnsRoute {
        let check = serde_json::from_value(serde_json::json!({ "fqdn": "new.example.com" })).unwrap();
        DnsRoute { health_checks: Some(cutover::plan::HealthChecks { old: None, new: Some(check) }), ..route(None) }
    }

    #[test]
    fn a_health_check_makes_a_state_another_one() {
        let plain = NameState::new(vec![weighted("blue", "1.2.3.4", 100), weighted("green", "5.6.7.8", 0)]);
        let mine = PairChecks { old: None, new: Some("mine".to_owned()) };
        let planned = plain.planned(&checked_route(), 0, &mine).unwrap();
        assert_eq!(planned.records()[1].health_check_id.as_deref(), Some("mine"));
        let without = plain.planned(&checked_route(), 0, &PairChecks::default()).unwrap();
        assert!(!planned.is_like(&without));
    }

    #[test]
    fn only_a_health_check_of_the_run_that_is_not_known_any_more_is_overlooked() {
        let route = checked_route();
        let before = NameState::new(vec![weighted("blue", "1.2.3.4", 100), weighted("green", "5.6.7.8", 0)]);
        let mine = PairChecks { old: None, new: Some("mine".to_owned()) };
        let unknown = PairChecks::default();
        let planned = |checks| before.planned(&route, 50, checks).unwrap();
        let live = |blue: &str, green: &str| {
            let mut records = planned(&unknown).records().to_vec();
            for (record, id) in records.iter_mut().zip([blue, green]) {
                record.health_check_id = Some(id.to_owned()).filter(|id| !id.is_empty());
            }
            NameState::new(records)
        };
        let may_be = |live: NameState, checks| live.may_be(&planned(checks), &route, &before, checks);
        assert!(may_be(live("", "mine"), &mine));
        assert!(!may_be(live("", "foreign"), &mine));
        assert!(!may_be(live("", ""), &mine));
        assert!(may_be(live("", "gone"), &unknown));
        assert!(!may_be(live("foreign", "gone"), &unknown), "the plan wants no check of the old side");
    }
}
