//! What becomes of one record type of a name: most move from the old side to the new one; one that only one side has is
//! dropped or added; one that both sides answer alike stays.
//!
//! A record alone in its type answers whatever its weight, so what only one side has cannot move by weights: it comes or goes
//! whole, in the batch that gives the new side everything, and goes back with it.

use cutover::plan::{DnsRoute, RecordChange, RecordData};

use super::group::{Group, of_type};
use super::planned::{answer, final_ttl};
use super::record::RecordSet;
use super::state::NameState;

/// The record sets of one type, by what becomes of them.
pub(super) enum Family<'a> {
    /// They move by weights.
    Moved(Group<'a>),
    /// Both sides answer alike by weighted records: these stay as they are.
    Kept(Vec<&'a RecordSet>),
    /// The new side has none.
    Dropped {
        /// The record that goes.
        old: &'a RecordSet,
        /// Those that stay.
        neighbours: Vec<&'a RecordSet>,
    },
    /// The old side has none.
    Added {
        /// The record that comes, with the weight and identifier that the old side's other types have, and its neighbours' TTL.
        new: RecordSet,
        /// The old side's record of another type.
        like: &'a RecordSet,
        /// Those that are there and stay.
        neighbours: Vec<&'a RecordSet>,
    },
}

impl<'a> Family<'a> {
    /// What becomes of the type of this change.
    ///
    /// # Errors
    /// The text of the problem: no old record in the whole name, an old side that is not clear.
    pub(super) fn of(state: &'a NameState, route: &'a DnsRoute, change: &'a RecordChange) -> Result<Self, String> {
        let Some(new) = &change.new else {
            let (old, neighbours) = Group::old_and_neighbours(state, change)?;
            return Ok(Self::Dropped { old, neighbours });
        };
        if let Some(like) = others_old(state, route, change).filter(|_| has_no_old(state, change)) {
            let neighbours = of_type(state, change);
            let new = added(change, new, final_ttl(neighbours.iter().copied(), like, route.ttl), like);
            return Ok(Self::Added { new, like, neighbours });
        }
        if Group::same_on_both(state, change, new).is_some() {
            return Ok(Self::Kept(of_type(state, change)));
        }
        Group::of(state, change, new).map(Self::Moved)
    }

    /// The old side's record, where it has one.
    pub(super) fn old(&self) -> Option<&'a RecordSet> {
        match self {
            Self::Moved(Group { old, .. }) | Self::Dropped { old, .. } => Some(old),
            Self::Added { .. } | Self::Kept(_) => None,
        }
    }

    /// The record sets beside those of the sides, which the plan leaves as they are.
    pub(super) fn neighbours(&self) -> &[&'a RecordSet] {
        match self {
            Self::Moved(group) => &group.neighbours,
            Self::Dropped { neighbours, .. } | Self::Added { neighbours, .. } => neighbours,
            Self::Kept(_) => &[],
        }
    }

    /// What there is of a type that only one side has, beside its neighbours, while the new side has this share of the others.
    pub(super) fn of_one_side(&self, percent: u8) -> Option<&RecordSet> {
        match self {
            Self::Dropped { old, .. } if percent < 100 => Some(old),
            Self::Added { new, .. } if percent == 100 => Some(new),
            _ => None,
        }
    }
}

/// Whether nothing of this type is the old side's: there is nothing at all, or nothing with the identifier that is named.
fn has_no_old(state: &NameState, change: &RecordChange) -> bool {
    let has_named = |record: &RecordSet| record.set_identifier == change.old_set_identifier;
    let records = of_type(state, change);
    records.is_empty() || (change.old_set_identifier.is_some() && !records.into_iter().any(has_named))
}

/// The old side's record of another type of the plan, under the same identifier where this change names one.
fn others_old<'a>(state: &'a NameState, route: &'a DnsRoute, change: &RecordChange) -> Option<&'a RecordSet> {
    let others = route.records.iter().filter(|other| other.record_type != change.record_type);
    let found = others.filter_map(|other| Group::old_and_neighbours(state, other).ok()).map(|(old, _)| old);
    let is_named =
        |old: &&RecordSet| change.old_set_identifier.is_none() || old.set_identifier == change.old_set_identifier;
    found.into_iter().find(is_named)
}

fn added(change: &RecordChange, new: &RecordData, ttl: i64, like: &RecordSet) -> RecordSet {
    RecordSet {
        set_identifier: like.set_identifier.clone(),
        weight: like.weight,
        health_check_id: change.check(None),
        ..answer(change.record_type, new, ttl, None)
    }
}

#[cfg(test)]
mod tests {
    use cutover::plan::RecordType;

    use super::*;
    use crate::name::PairChecks;
    use crate::name::planned::tests::route;
    use crate::name::record::tests::{simple, weighted};

    fn aaaa(record: RecordSet) -> RecordSet {
        RecordSet { record_type: "AAAA".to_owned(), ..record }
    }

    /// A route that moves the A record and does this with AAAA.
    fn with_aaaa(new: Option<&str>, old_set_identifier: Option<&str>) -> DnsRoute {
        let new = new.map(|value| RecordData { values: Some(vec![value.to_owned()]), ..RecordData::default() });
        let mut route = route(old_set_identifier);
        let old_set_identifier = old_set_identifier.map(str::to_owned);
        route.records.push(RecordChange { record_type: RecordType::Aaaa, new, old_set_identifier });
        route
    }

    fn lines(state: &NameState) -> Vec<String> {
        state.records().iter().filter(|record| record.record_type == "AAAA").map(RecordSet::describe).collect()
    }

    fn at(before: &NameState, route: &DnsRoute, percent: u8) -> Vec<String> {
        lines(&before.planned(route, percent, &PairChecks::default()).unwrap())
    }

    #[test]
    fn a_type_that_the_new_side_has_not_goes_with_the_last_of_the_old_side() {
        let before = NameState::new(vec![simple("1.2.3.4", 300), aaaa(simple("2001:db8::1", 300))]);
        let route = with_aaaa(None, None);
        for percent in [0, 50, 99] {
            assert_eq!(at(&before, &route, percent), ["AAAA 2001:db8::1 ttl 60"], "{percent}");
        }
        assert_eq!(at(&before, &route, 100), [""; 0]);
        assert_eq!(lines(&before.finished(&route).unwrap()), [""; 0]);
        assert_eq!(before.check_pair(&route), Ok(()));
        assert_eq!(before.check_batches(&route), Ok(()));
    }

    #[test]
    fn a_type_that_the_old_side_had_not_comes_when_the_new_side_has_everything() {
        let before = NameState::new(vec![simple("1.2.3.4", 300)]);
        let route = with_aaaa(Some("2001:db8::2"), None);
        assert_eq!(at(&before, &route, 99), [""; 0], "alone in its type, it would answer everybody");
        assert_eq!(at(&before, &route, 100), ["AAAA 2001:db8::2 ttl 60"]);
        assert_eq!(lines(&before.finished(&route).unwrap()), ["AAAA 2001:db8::2 ttl 300"]);
        assert_eq!(before.check_pair(&route), Ok(()));
    }

    #[test]
    fn neighbours_of_a_type_that_comes_or_goes_stay() {
        let frankfurt = || aaaa(weighted("frankfurt", "2001:db8::9", 100));
        let a = || vec![weighted("ireland", "1.2.3.4", 100), weighted("frankfurt", "9.9.9.9", 100), frankfurt()];
        let comes = with_aaaa(Some("2001:db8::2"), Some("ireland"));
        let before = NameState::new(a());
        let there = "AAAA 2001:db8::9 weight 100 ttl 60 set identifier frankfurt";
        assert_eq!(at(&before, &comes, 0), [there]);
        assert_eq!(at(&before, &comes, 100), [there, "AAAA 2001:db8::2 weight 100 ttl 60 set identifier ireland"]);
        let goes = with_aaaa(None, Some("ireland"));
        let both = NameState::new([a(), vec![aaaa(weighted("ireland", "2001:db8::1", 100))]].concat());
        assert_eq!(at(&both, &goes, 100), [there]);
        assert_eq!(both.neighbours(&goes).into_iter().collect::<Vec<_>>(), ["frankfurt"]);
    }

    #[test]
    fn a_type_that_comes_has_the_ttl_of_its_neighbours_in_the_end() {
        let before = NameState::new(vec![
            RecordSet { ttl: Some(30), ..weighted("ireland", "1.2.3.4", 100) },
            RecordSet { ttl: Some(30), ..weighted("frankfurt", "9.9.9.9", 100) },
            aaaa(weighted("frankfurt", "2001:db8::9", 100)),
        ]);
        let route = with_aaaa(Some("2001:db8::2"), Some("ireland"));
        let ttls = |state: NameState| -> Vec<_> { state.records().iter().map(|record| record.ttl).collect() };
        assert_eq!(ttls(before.finished(&route).unwrap()), [30, 30, 300, 300].map(Some));
        assert_eq!(before.check_batches(&route), Ok(()));
    }

    #[test]
    fn a_weighted_type_that_both_sides_answer_alike_stays_as_it_is() {
        let b = |record: RecordSet| RecordSet { weight: Some(10), ..record };
        let a = || b(weighted("b", "1.2.3.4", 10));
        let same = || b(aaaa(weighted("b", "2001:db8::1", 10)));
        let route = with_aaaa(Some("2001:DB8:0::1"), None);
        let before = NameState::new(vec![a(), same()]);
        let there = "AAAA 2001:db8::1 weight 10 ttl 300 set identifier b";
        for percent in [0, 50, 100] {
            assert_eq!(at(&before, &route, percent), [there], "{percent}");
        }
        assert_eq!(lines(&before.finished(&route).unwrap()), [there]);
        assert_eq!((before.check_pair(&route), before.check_batches(&route)), (Ok(()), Ok(())));
        assert!(before.is_moved(&route, RecordType::A) && !before.is_moved(&route, RecordType::Aaaa));
        assert!(before.neighbours(&route).is_empty(), "the old side of A has the same identifier");
        let named = with_aaaa(Some("2001:db8::1"), Some("b"));
        let others = [weighted("other", "9.9.9.9", 1), aaaa(weighted("other", "2001:db8::9", 1))];
        let before = NameState::new([vec![a(), same()], others.to_vec()].concat());
        let there = [there, "AAAA 2001:db8::9 weight 1 ttl 300 set identifier other"];
        assert_eq!(at(&before, &named, 50), there, "the one that is named, with its neighbours");
        let only = NameState::new(vec![same()]);
        let mut route = with_aaaa(Some("2001:db8::1"), None);
        route.records.remove(0);
        assert!(only.finished(&route).unwrap().is_like(&only), "there is nothing to move");
    }

    #[test]
    fn a_name_without_any_old_record_is_not_made() {
        let before = NameState::new(vec![]);
        assert!(before.finished(&with_aaaa(Some("2001:db8::2"), None)).unwrap_err().contains("no A record"));
        assert!(before.finished(&with_aaaa(None, None)).unwrap_err().contains("no A record"));
    }

    #[test]
    fn an_identifier_that_no_type_has_is_said() {
        let before = NameState::new(vec![weighted("blue", "1.2.3.4", 1), aaaa(weighted("blue", "2001:db8::1", 1))]);
        let mut route = with_aaaa(Some("2001:db8::2"), Some("blue"));
        route.records[1].old_set_identifier = Some("bleu".to_owned());
        assert!(before.finished(&route).unwrap_err().contains("no AAAA record has the set identifier `bleu`"));
    }
}
