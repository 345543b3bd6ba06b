//! The record sets of one type at a name, told apart: the old side's, the new side's, and their neighbours.

use std::collections::BTreeSet;

use cutover::plan::{DnsRoute, RecordChange, RecordData, RecordType};

use super::family::Family;
use super::record::RecordSet;
use super::state::NameState;

/// The set identifier that a simple record gets while it is one of a weighted pair.
const OLD_IDENTIFIER: &str = "cutover-old";
/// The set identifier of the new side's record while traffic moves.
const NEW_IDENTIFIER: &str = "cutover-new";

/// What a pair shares that nobody else has a part of, so that a percentage is a weight.
const ALONE: i64 = 100;

/// The largest weight of a record (API reference, `ResourceRecordSet`, Weight).
pub(super) const MOST_WEIGHT: i32 = 255;

/// The record sets of one type at a name.
pub(super) struct Group<'a> {
    pub(super) old: &'a RecordSet,
    pub(super) new: Option<&'a RecordSet>,
    pub(super) neighbours: Vec<&'a RecordSet>,
}

impl<'a> Group<'a> {
    /// The record sets of one type that moves to `new`, told apart.
    pub(super) fn of(state: &'a NameState, change: &RecordChange, new: &RecordData) -> Result<Self, String> {
        let of_type = of_type(state, change);
        let new = of_type.iter().copied().find(|record| record.weight.is_some() && record.answers_like(new));
        let others: Vec<&RecordSet> = of_type.into_iter().filter(|record| Some(*record) != new).collect();
        let old = find_old(&others, change)?;
        let neighbours = others.into_iter().filter(|record| *record != old).collect();
        Ok(Self { old, new, neighbours })
    }

    /// The weighted record that answers alike on both sides: the one that is named, or the only one that gets traffic.
    pub(super) fn same_on_both(state: &'a NameState, change: &RecordChange, new: &RecordData) -> Option<&'a RecordSet> {
        let old = find_old(&of_type(state, change), change).ok()?;
        (old.weight.is_some() && old.answers_like(new)).then_some(old)
    }

    /// The old side's record of one type, and its neighbours.
    pub(super) fn old_and_neighbours(
        state: &'a NameState,
        change: &RecordChange,
    ) -> Result<(&'a RecordSet, Vec<&'a RecordSet>), String> {
        if let Some(new) = change.new.as_ref().filter(|new| Self::same_on_both(state, change, new).is_none()) {
            let group = Self::of(state, change, new)?;
            return Ok((group.old, group.neighbours));
        }
        let of_type = of_type(state, change);
        let old = find_old(&of_type, change)?;
        Ok((old, of_type.into_iter().filter(|record| *record != old).collect()))
    }

    pub(super) fn old_identifier(&self) -> String {
        self.old.set_identifier.clone().unwrap_or_else(|| OLD_IDENTIFIER.to_owned())
    }

    /// That of the record made by hand, or one of the run's own that no record of the group has: `cutover-new` may be left
    /// from another run, and Route 53 takes an identifier once.
    pub(super) fn new_identifier(&self) -> String {
        let made_by_hand = self.new.and_then(|record| record.set_identifier.clone());
        made_by_hand.unwrap_or_else(|| self.free_identifier())
    }

    /// `cutover-new`, or `cutover-new-2` and so on: a function of the before-image, so that every action finds the same one.
    fn free_identifier(&self) -> String {
        let is_taken = |identifier: &String| {
            let others = self.neighbours.iter().copied().filter_map(|record| record.set_identifier.as_ref());
            others.chain([&self.old_identifier()]).any(|other| other == identifier)
        };
        let numbered = (2..).map(|number: u32| format!("{NEW_IDENTIFIER}-{number}"));
        let mut candidates = std::iter::once(NEW_IDENTIFIER.to_owned()).chain(numbered);
        candidates.find(|identifier| !is_taken(identifier)).unwrap_or_else(|| NEW_IDENTIFIER.to_owned())
    }

    /// All of them.
    pub(super) fn records(&self) -> impl Iterator<Item = &'a RecordSet> {
        self.neighbours.iter().copied().chain([self.old]).chain(self.new)
    }

    /// Whether every weight is 0: then all records answer evenly (API reference, ResourceRecordSet, Weight).
    pub(super) fn is_even(&self) -> bool {
        self.records().all(|record| record.weight == Some(0))
    }

    /// The weight that gives a neighbour what it gets now, beside the [`pair_weight`](Self::pair_weight).
    pub(super) fn neighbour_weight(&self, neighbour: &RecordSet) -> Option<i64> {
        if self.is_even() { Some(ALONE) } else { neighbour.weight }
    }

    /// What the pair shares: 100, or the old record's weight where neighbours that get traffic keep theirs.
    pub(super) fn pair_weight(&self) -> Result<i32, String> {
        if self.is_even() || self.neighbours.iter().all(|record| record.weight == Some(0)) {
            return Ok(ALONE as i32);
        }
        let weight = self.old.weight.unwrap_or(0);
        i32::try_from(weight).map_err(|_| format!("weight {weight} is out of range"))
    }

    /// What the pair shares, and the largest weight of the group.
    pub(super) fn weights(&self) -> Option<(i32, i32)> {
        let largest = self.records().filter_map(|record| record.weight).max().unwrap_or_default();
        Some((self.pair_weight().ok()?, i32::try_from(largest).ok()?))
    }
}

impl NameState {
    /// The set identifiers of the records that the route leaves as they are, of its types.
    pub fn neighbours(&self, route: &DnsRoute) -> BTreeSet<String> {
        let families: Vec<_> = route.records.iter().filter_map(|change| Family::of(self, route, change).ok()).collect();
        let neighbours = families.iter().flat_map(Family::neighbours);
        neighbours.filter_map(|record| record.set_identifier.clone()).collect()
    }

    /// Whether the route moves users of this type; one that answers alike on both sides stays as it is.
    pub fn is_moved(&self, route: &DnsRoute, record_type: RecordType) -> bool {
        let mut of_type = route.records.iter().filter(|change| change.record_type == record_type);
        !of_type.any(|change| matches!(Family::of(self, route, change), Ok(Family::Kept(_))))
    }
}

/// The record sets of a change's type.
pub(super) fn of_type<'a>(state: &'a NameState, change: &RecordChange) -> Vec<&'a RecordSet> {
    state.0.iter().filter(|record| record.record_type == change.record_type.as_str()).collect()
}

fn find_old<'a>(candidates: &[&'a RecordSet], change: &RecordChange) -> Result<&'a RecordSet, String> {
    let kind = change.record_type.as_str();
    if let Some(identifier) = &change.old_set_identifier {
        let named = candidates.iter().find(|record| record.set_identifier.as_ref() == Some(identifier));
        return named.copied().ok_or_else(|| format!("no {kind} record has the set identifier `{identifier}`"));
    }
    let serving: Vec<&RecordSet> = candidates.iter().copied().filter(|record| record.weight != Some(0)).collect();
    match (candidates, &serving[..]) {
        ([], _) => Err(format!("there is no {kind} record that serves the old side")),
        ([only], _) | (_, [only]) => Ok(only),
        _ => Err(format!("several {kind} records get traffic, so which one is the old side is not clear")),
    }
}
