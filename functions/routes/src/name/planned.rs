//! The states that a plan gives a name: every type a weighted pair, old and new, among its neighbours; and the final one.

use cutover::dns::normalise_name;
use cutover::plan::{DnsRoute, RecordChange, RecordData, RecordType};
use cutover::service_zones::CLOUDFRONT_ZONE;
use cutover::{StepError, StepResult};

use super::checks::PairChecks;
use super::conversion::Conversion;
use super::family::Family;
use super::group::Group;
use super::record::{AliasTarget, RecordSet};
use super::state::NameState;
use crate::weights::{before_step, divide, percents};

/// Every weighted state that a run of this plan writes.
///
/// # Errors
/// `Cutover.InvalidPlan`, as [`NameState::planned`] says.
pub fn planned_states(route: &DnsRoute, before: &NameState, checks: &PairChecks) -> StepResult<Vec<NameState>> {
    percents(&route.steps).map(|percent| before.planned(route, percent, checks).map_err(StepError::invalid)).collect()
}

/// The states from which the step to `new_weight` starts.
///
/// # Errors
/// As [`planned_states`].
pub fn states_before_step(
    route: &DnsRoute,
    before: &NameState,
    new_weight: u8,
    checks: &PairChecks,
) -> StepResult<Vec<NameState>> {
    let percents = before_step(&route.steps, new_weight).into_iter();
    percents.map(|percent| before.planned(route, percent, checks).map_err(StepError::invalid)).collect()
}

impl NameState {
    /// The planned state in which the new record has `percent` of the pair's weight: every type a weighted group,
    /// at the plan's TTL, or at its own where that is lower.
    ///
    /// # Errors
    /// The text of the problem: no record of a type, an ambiguous old side, a weight that is not whole.
    pub fn planned(&self, route: &DnsRoute, percent: u8, checks: &PairChecks) -> Result<Self, String> {
        if percent > 100 {
            return Err(format!("there is no {percent} % of the traffic"));
        }
        if let Some(conversion) = Conversion::of(self, route)? {
            return conversion.planned(percent).map(Self::new);
        }
        let mut records = Vec::new();
        for change in &route.records {
            let family = Family::of(self, route, change)?;
            match &family {
                Family::Moved(group) => records.extend(planned_pair(group, route, change, percent, checks)?),
                Family::Kept(kept) => records.extend(kept.iter().map(|record| (*record).clone())),
                _ => {
                    let here = family.neighbours().iter().copied().chain(family.of_one_side(percent));
                    let ttl = lowered(here.clone(), route.ttl);
                    records.extend(here.map(|record| at_ttl(record, ttl)));
                }
            }
        }
        Ok(Self::new(records))
    }

    /// The final state: the old side's record sets with the new side's answers, and the TTL and health check that they had
    /// before, unless the plan names another check, or none. A record
    /// that was prepared by hand beside the old one stays beside it: new at the pair's weight, old at 0.
    ///
    /// # Errors
    /// As [`planned`](Self::planned).
    pub fn finished(&self, route: &DnsRoute) -> Result<Self, String> {
        if let Some(conversion) = Conversion::of(self, route)? {
            return Ok(Self::new(conversion.finished()));
        }
        let mut records = Vec::new();
        for change in &route.records {
            let family = Family::of(self, route, change)?;
            records.extend(family.neighbours().iter().map(|record| (*record).clone()));
            match &family {
                Family::Moved(group) => records.extend(finished_pair(group, route, change)?),
                Family::Kept(kept) => records.extend(kept.iter().map(|record| (*record).clone())),
                _ => records.extend(family.of_one_side(100).cloned()),
            }
        }
        Ok(Self::new(records))
    }

    /// The final state without health checks that it inherits: so did 0.1 leave it.
    ///
    /// # Errors
    /// As [`planned`](Self::planned).
    pub fn finished_bare(&self, route: &DnsRoute) -> Result<Self, String> {
        let mut bare = route.clone();
        for new in bare.records.iter_mut().filter_map(|change| change.new.as_mut()) {
            new.health_check_id.get_or_insert(None);
        }
        self.finished(&bare)
    }

    /// Whether the old side serves and the new one does not: otherwise the way back would not lead to the old side.
    ///
    /// # Errors
    /// The text of the problem.
    pub fn check_pair(&self, route: &DnsRoute) -> Result<(), String> {
        if Conversion::of(self, route)?.is_some() {
            return Ok(());
        }
        for change in &route.records {
            let Family::Moved(group) = Family::of(self, route, change)? else { continue };
            let kind = change.record_type.as_str();
            if group.is_even() && group.new.is_some() {
                return Err(format!(
                    "all weights of its {kind} records are 0, so that all answer: the new side has users already"
                ));
            }
            if group.old.weight == Some(0) && !(group.is_even() && group.new.is_none()) {
                return Err(format!("the {kind} record of the old side gets no traffic: its weight is 0"));
            }
            if let Some(weight) = group.new.and_then(|record| record.weight).filter(|weight| *weight > 0) {
                return Err(format!("the {kind} record of the new side gets traffic already: its weight is {weight}"));
            }
        }
        Ok(())
    }
}

/// The new side's record sets, apart from their place in a group, and from their TTL. `live` are the name's records, of which
/// they may inherit that their target's health is evaluated.
pub(super) fn answers(route: &DnsRoute, live: &[RecordSet]) -> Vec<RecordSet> {
    let of_change = |change: &RecordChange| {
        let evaluates = |record: &&RecordSet| record.alias.as_ref().is_some_and(|alias| alias.evaluate_target_health);
        let mut of_type = live.iter().filter(|record| record.record_type == change.record_type.as_str());
        let old = of_type.find(evaluates);
        let health_check_id = change.check(None);
        Some(RecordSet { health_check_id, ..answer(change.record_type, change.new.as_ref()?, 0, old) })
    };
    route.records.iter().filter_map(of_change).collect()
}

/// The TTL of records of one name and type while traffic moves, in seconds: the plan's, or their own where that is lower
/// already. Weighted records of one name and type have one (developer guide, *Values specific for weighted records*).
pub(super) fn lowered<'a>(records: impl Iterator<Item = &'a RecordSet>, planned: u32) -> i64 {
    records.filter_map(|record| record.ttl).fold(i64::from(planned), i64::min)
}

/// The TTL of a record that stays, in seconds: that of its own type's records, which share it (as [`lowered`] says), else what
/// the old side's record has, else the plan's.
pub(super) fn final_ttl<'a>(of_type: impl IntoIterator<Item = &'a RecordSet>, old: &RecordSet, planned: u32) -> i64 {
    let shared = of_type.into_iter().find_map(|record| record.ttl);
    shared.or(old.ttl).unwrap_or_else(|| i64::from(planned))
}

/// A record set at this TTL, where it has one of its own.
fn at_ttl(record: &RecordSet, ttl: i64) -> RecordSet {
    RecordSet { ttl: record.ttl.map(|_| ttl), ..record.clone() }
}

/// A pair at a share, among its neighbours.
fn planned_pair(
    group: &Group,
    route: &DnsRoute,
    change: &RecordChange,
    percent: u8,
    checks: &PairChecks,
) -> Result<Vec<RecordSet>, String> {
    let neighbours: Vec<&str> = group.neighbours.iter().filter_map(|record| record.set_identifier.as_deref()).collect();
    let (old_weight, new_weight) = divide(group.pair_weight()?, percent, &neighbours)?;
    let ttl = lowered(group.records(), route.ttl);
    let neighbour = |record: &&RecordSet| RecordSet { weight: group.neighbour_weight(record), ..at_ttl(record, ttl) };
    let mut records: Vec<RecordSet> = group.neighbours.iter().map(neighbour).collect();
    records.push(RecordSet {
        set_identifier: Some(group.old_identifier()),
        weight: Some(i64::from(old_weight)),
        health_check_id: checks.old.clone().or_else(|| group.old.health_check_id.clone()),
        ..at_ttl(group.old, ttl)
    });
    let made = || change.new.as_ref().map(|new| answer(change.record_type, new, ttl, Some(group.old)));
    let by_hand = group.new.map(|new| evaluating(new, change));
    records.extend(by_hand.or_else(made).map(|new| RecordSet {
        set_identifier: Some(group.new_identifier()),
        weight: Some(i64::from(new_weight)),
        health_check_id: checks.new.clone().or_else(|| change.check(new.health_check_id.as_ref())),
        ..at_ttl(&new, ttl)
    }));
    Ok(records)
}

/// A record that was made by hand, with the plan's word on its target's health where it has one.
fn evaluating(new: &RecordSet, change: &RecordChange) -> RecordSet {
    let said = change.new.as_ref().and_then(|new| new.alias.as_ref()?.evaluate_target_health);
    let mut new = new.clone();
    if let (Some(alias), Some(said)) = (&mut new.alias, said) {
        alias.evaluate_target_health = said;
    }
    new
}

/// What is left of a pair at the end.
fn finished_pair(group: &Group, route: &DnsRoute, change: &RecordChange) -> Result<Vec<RecordSet>, String> {
    if let Some(new) = group.new {
        let weight = Some(i64::from(group.pair_weight()?));
        let health_check_id = change.check(new.health_check_id.as_ref());
        let new = RecordSet { weight, health_check_id, ..evaluating(new, change) };
        return Ok(vec![RecordSet { weight: Some(0), ..group.old.clone() }, new]);
    }
    let ttl = final_ttl(group.records(), group.old, route.ttl);
    let after = change.new.iter().map(|new| RecordSet {
        set_identifier: group.old.set_identifier.clone(),
        weight: group.old.weight,
        health_check_id: change.check(group.old.health_check_id.as_ref()),
        ..answer(change.record_type, new, ttl, Some(group.old))
    });
    Ok(after.collect())
}

/// The new side's record set, apart from its place in a group. Where the plan does not say whether an alias evaluates its
/// target's health, it does as the old record, but for CloudFront's, which cannot.
pub(super) fn answer(record_type: RecordType, new: &RecordData, ttl: i64, old: Option<&RecordSet>) -> RecordSet {
    let inherited = old.and_then(|old| old.alias.as_ref()).is_some_and(|alias| alias.evaluate_target_health);
    let alias = new.alias.as_ref().map(|alias| AliasTarget {
        dns_name: normalise_name(&alias.dns_name),
        hosted_zone_id: alias.hosted_zone_id.clone(),
        evaluate_target_health: alias
            .evaluate_target_health
            .unwrap_or(inherited && alias.hosted_zone_id != CLOUDFRONT_ZONE),
    });
    RecordSet {
        record_type: record_type.as_str().to_owned(),
        set_identifier: None,
        weight: None,
        ttl: alias.is_none().then_some(ttl),
        values: new.values.clone().unwrap_or_default(),
        alias,
        health_check_id: None,
    }
}

#[cfg(test)]
pub(super) mod tests;
