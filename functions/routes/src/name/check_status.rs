//! What Route 53's checkers see, as values: whether a health check is healthy, and which checks the records of a pair carry. Pure.
//!
//! A check is healthy while more than 18 % of its checkers succeed; a disabled one always is, and an inverted one is what its
//! checkers do not say (developer guide, *How Route 53 determines whether a health check is healthy*). A check of which
//! nothing is known yet is not healthy here, though Route 53 takes it for that: no data is never a pass.

use std::collections::BTreeSet;

use cutover::dns::normalise_name;
use cutover::plan::DnsRoute;

use super::checks::PairChecks;
use super::conversion::Conversion;
use super::family::Family;
use super::record::RecordSet;
use super::state::NameState;

/// A health check is healthy while more of its checkers succeed.
const HEALTHY_PERCENT: usize = 18;
/// How a checker's report begins that succeeded (API reference, StatusReport).
const SUCCESS: &str = "Success";

/// A side of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// What serves now.
    Old,
    /// What shall serve.
    New,
}

impl Side {
    /// `old` or `new`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

/// What is known of a health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is healthy.
    Healthy,
    /// It is not.
    Unhealthy,
    /// Its checkers have not told yet.
    Unknown,
    /// There is no such check.
    Missing,
    /// Nobody can ask for the status of its kind.
    Unseen,
}

/// One look at a health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Its identifier.
    pub id: String,
    /// What it asks: `https://new.example.com:443/health`.
    pub asks: String,
    /// What it says.
    pub status: Status,
    /// What its checkers see, for a person.
    pub seen: String,
}

impl Look {
    /// One line for a person.
    pub fn describe(&self) -> String {
        format!("health check {} ({}): {}", self.id, self.asks, self.seen)
    }

    /// The same of a check that is turned round.
    pub(super) fn inverted(self) -> Self {
        let status = match self.status {
            Status::Healthy => Status::Unhealthy,
            Status::Unhealthy => Status::Healthy,
            unknown => unknown,
        };
        Self { status, seen: format!("{}, inverted", self.seen), ..self }
    }
}

/// What the checkers' reports come to.
pub(super) fn judge(reports: &[&str]) -> (Status, String) {
    let failures: Vec<&str> = reports.iter().copied().filter(|report| !report.starts_with(SUCCESS)).collect();
    let (all, healthy) = (reports.len(), reports.len() - failures.len());
    let Some(failure) = failures.first() else {
        return match all {
            0 => (Status::Unknown, "its checkers have not told yet".to_owned()),
            _ => (Status::Healthy, format!("all {all} checkers succeed")),
        };
    };
    let status = if healthy * 100 > all * HEALTHY_PERCENT { Status::Healthy } else { Status::Unhealthy };
    (status, format!("{healthy} of {all} checkers succeed, and others say: {failure}"))
}

/// What a calculated check comes to: healthy while so many of its children are.
pub(super) fn calculated(children: &[Status], least_healthy: usize) -> (Status, String) {
    let count = |wanted: Status| children.iter().filter(|status| **status == wanted).count();
    let (healthy, sick) = (count(Status::Healthy), count(Status::Unhealthy));
    let status = if healthy >= least_healthy {
        Status::Healthy
    } else if children.len() - sick < least_healthy {
        Status::Unhealthy
    } else if count(Status::Unknown) + count(Status::Missing) > 0 {
        Status::Unknown
    } else {
        Status::Unseen
    };
    (status, format!("{healthy} of its {} checks are healthy, {least_healthy} needed", children.len()))
}

/// A health check of a record of the pair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attached {
    /// Of which side.
    pub side: Side,
    /// Its identifier.
    pub id: String,
}

impl NameState {
    /// The health checks of both sides' records in this state of a run, each once for a side. Neighbours have their own.
    pub fn attached(&self, route: &DnsRoute, before: &Self) -> Vec<Attached> {
        let with_side = |record: &RecordSet| Some((side_of(record, route, before)?, record.health_check_id.clone()?));
        let found = self.records().iter().filter_map(with_side).map(|(side, id)| Attached { side, id });
        found.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What the aliases of both sides' records lead to outside of the zone and are answered by the health of, by DNS name.
    pub fn evaluated(&self, route: &DnsRoute, before: &Self) -> BTreeSet<(Side, String)> {
        let with_side = |record: &RecordSet| {
            let alias = record.alias.as_ref()?;
            let is_outside = alias.evaluate_target_health && alias.hosted_zone_id != route.hosted_zone_id;
            let side = side_of(record, route, before).filter(|_| is_outside)?;
            Some((side, normalise_name(&alias.dns_name)))
        };
        self.records().iter().filter_map(with_side).collect()
    }

    /// The health checks that a run's records carry on the way, which have to be healthy before it attaches any.
    ///
    /// # Errors
    /// As [`planned`](Self::planned).
    pub fn to_attach(&self, route: &DnsRoute, checks: &PairChecks) -> Result<Vec<Attached>, String> {
        let mut found = self.planned(route, 0, checks)?.attached(route, self);
        found.extend(self.planned(route, 100, checks)?.attached(route, self));
        found.sort();
        found.dedup();
        Ok(found)
    }
}

/// The side whose a record is in a state of a run; none for a neighbour.
pub(super) fn side_of(record: &RecordSet, route: &DnsRoute, before: &NameState) -> Option<Side> {
    let change = route.records.iter().find(|change| change.record_type.as_str() == record.record_type);
    let conversion = Conversion::of(before, route).ok().flatten();
    // What cannot stand beside the plan's types gives way to them; at weight 0 it serves neither side.
    let Some(change) = change else {
        return conversion.is_none_or(|conversion| conversion.is_old(record)).then_some(Side::Old);
    };
    if conversion.is_some() {
        return Some(Side::New);
    }
    let is_new = change.new.as_ref().is_some_and(|new| record.answers_like(new));
    let is_simple = record.set_identifier.is_none();
    let has = |identifier: &str| record.set_identifier.as_deref() == Some(identifier);
    match Family::of(before, route, change).ok()? {
        Family::Moved(group) if has(&group.new_identifier()) => Some(Side::New),
        Family::Moved(group) if has(&group.old_identifier()) || is_simple => {
            Some(if is_new { Side::New } else { Side::Old })
        }
        Family::Dropped { old, .. } if record.set_identifier == old.set_identifier => Some(Side::Old),
        Family::Added { new, .. } if record.set_identifier == new.set_identifier && is_new => Some(Side::New),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::planned::tests::route;
    use crate::name::record::tests::{checked, simple, weighted};

    fn reports(succeed: usize, fail: usize) -> Vec<&'static str> {
        let success = std::iter::repeat_n("Success: HTTP Status Code 200, OK", succeed);
        success.chain(std::iter::repeat_n("Failure: Connection refused.", fail)).collect()
    }

    #[test]
    fn a_check_is_healthy_while_more_than_18_percent_of_its_checkers_succeed() {
        for (succeed, fail, status) in [
            (0, 0, Status::Unknown),
            (16, 0, Status::Healthy),
            (3, 13, Status::Healthy),
            (2, 14, Status::Unhealthy),
            (18, 82, Status::Unhealthy),
            (19, 81, Status::Healthy),
            (0, 16, Status::Unhealthy),
        ] {
            assert_eq!(judge(&reports(succeed, fail)).0, status, "{succeed} succeed, {fail} fail");
        }
        let (_, seen) = judge(&reports(2, 14));
        assert_eq!(seen, "2 of 16 checkers succeed, and others say: Failure: Connection refused.");
    }

    #[test]
    fn a_calculated_check_counts_its_children() {
        use Status::{Healthy, Unhealthy, Unknown, Unseen};
        for (children, least, status) in [
            (vec![Healthy, Unhealthy], 1, Healthy),
            (vec![Healthy, Unhealthy], 2, Unhealthy),
            (vec![Healthy, Unknown], 2, Unknown),
            (vec![Healthy, Unseen], 2, Unseen),
            (vec![], 0, Healthy),
        ] {
            assert_eq!(calculated(&children, least).0, status, "{children:?} {least}");
        }
    }

    #[test]
    fn an_inverted_check_says_the_opposite_of_what_is_known() {
        let look = |status| Look { id: String::new(), asks: String::new(), status, seen: "seen".to_owned() };
        let turned = [Status::Healthy, Status::Unhealthy, Status::Unknown].map(|status| look(status).inverted().status);
        assert_eq!(turned, [Status::Unhealthy, Status::Healthy, Status::Unknown]);
    }

    #[test]
    fn the_checks_of_a_pair_are_told_by_side_in_every_state() {
        let before = NameState::new(vec![checked(simple("1.2.3.4", 300), "inherited")]);
        let mine = PairChecks { old: None, new: Some("mine".to_owned()) };
        let of = |side, id: &str| Attached { side, id: id.to_owned() };
        let both = vec![of(Side::Old, "inherited"), of(Side::New, "mine")];
        assert_eq!(before.attached(&route(None), &before), [of(Side::Old, "inherited")]);
        assert_eq!(before.planned(&route(None), 50, &mine).unwrap().attached(&route(None), &before), both);
        assert_eq!(before.to_attach(&route(None), &mine), Ok(both));
    }

    #[test]
    fn a_check_of_what_is_at_weight_zero_beside_a_record_that_is_converted_is_nobodys() {
        let cname = |record| crate::name::RecordSet { record_type: "CNAME".to_owned(), ..record };
        let idle = checked(weighted("aged", "aged.example.net", 0), "aged");
        let old = checked(weighted("blue", "old.example.net", 100), "blue");
        let before = NameState::new(vec![cname(old), cname(idle)]);
        assert_eq!(before.attached(&route(None), &before), [Attached { side: Side::Old, id: "blue".to_owned() }]);
    }

    #[test]
    fn a_neighbours_check_is_the_neighbours() {
        let neighbour = checked(weighted("canary", "9.9.9.9", 5), "canary");
        let before = NameState::new(vec![checked(weighted("blue", "1.2.3.4", 100), "blue"), neighbour]);
        let route = route(Some("blue"));
        assert_eq!(before.attached(&route, &before), [Attached { side: Side::Old, id: "blue".to_owned() }]);
    }
}
