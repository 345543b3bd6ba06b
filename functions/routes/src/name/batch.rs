//! Change batches: what is sent to lead a name from one state to another.

use std::collections::BTreeSet;

use cutover::plan::DnsRoute;

use super::checks::PairChecks;
use super::record::RecordSet;
use super::state::NameState;
use crate::weights::percents;

/// The most `ResourceRecord` elements of one change batch (Route 53 quotas).
const MOST_BATCH_RECORDS: usize = 1_000;
/// The most characters of values of one change batch (Route 53 quotas).
const MOST_BATCH_CHARACTERS: usize = 32_000;

/// One change of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Deletes exactly this record set.
    Delete(RecordSet),
    /// Creates it.
    Create(RecordSet),
}

/// A batch, or the state that it leads to, that Route 53 takes of nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub fix: &'static str,
}

impl Change {
    /// What is deleted or created.
    fn record(&self) -> &RecordSet {
        match self {
            Self::Delete(record) | Self::Create(record) => record,
        }
    }
}

impl NameState {
    /// The changes that lead from this observed state to `target`, as one atomic batch: what is there is deleted as it
    /// was observed, so that a change by somebody else in between makes Route 53 refuse the batch.
    pub fn batch_to(&self, target: &Self) -> Vec<Change> {
        let gone = self.0.iter().filter(|record| !target.0.contains(record)).cloned().map(Change::Delete);
        let come = target.0.iter().filter(|record| !self.0.contains(record)).cloned().map(Change::Create);
        gone.chain(come).collect()
    }

    /// Whether Route 53 takes every batch of a run that starts from this state: forward from each state to the next, and
    /// back from each.
    ///
    /// # Errors
    /// What it would refuse; as [`planned`](Self::planned).
    pub fn check_batches(&self, route: &DnsRoute) -> Result<(), Refused> {
        let states = self.states(route).map_err(|problem| Refused { problem, fix: "make the plan fit the records" })?;
        let refused = states.iter().find_map(Self::refused_group);
        let refused = refused.or_else(|| self.batches(&states).iter().find_map(|batch| refused_size(batch)));
        refused.map_or(Ok(()), Err)
    }

    /// Every record set that a batch of a run creates, there or back; none where the plan does not fit.
    pub(super) fn created(&self, route: &DnsRoute) -> Vec<RecordSet> {
        let batches = self.states(route).map(|states| self.batches(&states)).unwrap_or_default();
        let changes = batches.into_iter().flatten();
        let created = changes.filter_map(|change| match change {
            Change::Create(record) => Some(record),
            Change::Delete(_) => None,
        });
        created.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// This state, and those that a run leads the name through, in order.
    fn states(&self, route: &DnsRoute) -> Result<Vec<Self>, String> {
        let mut states = vec![self.clone()];
        for percent in percents(&route.steps) {
            states.push(self.planned(route, percent, &PairChecks::default())?);
        }
        states.push(self.finished(route)?);
        Ok(states)
    }

    /// The batches between these states of a run, and back from each to this one.
    fn batches(&self, states: &[Self]) -> Vec<Vec<Change>> {
        let forward = states.windows(2).map(|pair| pair[0].batch_to(&pair[1]));
        forward.chain(states.iter().map(|state| state.batch_to(self))).collect()
    }

    /// What Route 53 takes of no name: of the records of one type all are weighted or there is one, each has an identifier of
    /// its own, and all have one TTL (developer guide, *Values specific for weighted records*).
    fn refused_group(&self) -> Option<Refused> {
        let kinds: BTreeSet<&str> = self.0.iter().map(|record| record.record_type.as_str()).collect();
        kinds.into_iter().find_map(|kind| {
            let of_kind: Vec<&RecordSet> = self.0.iter().filter(|record| record.record_type == kind).collect();
            let identifiers: BTreeSet<_> = of_kind.iter().map(|record| record.set_identifier.as_deref()).collect();
            let ttls: BTreeSet<i64> = of_kind.iter().filter_map(|record| record.ttl).collect();
            let (problem, fix) = if identifiers.len() > 1 && identifiers.contains(&None) {
                let problem = format!("a simple {kind} record would stand beside weighted ones");
                (problem, "give the simple record a weight and a set identifier first")
            } else if identifiers.len() < of_kind.len() {
                let problem = format!("two {kind} records would have one set identifier");
                (problem, "give one of the records another set identifier first")
            } else if ttls.len() > 1 {
                let ttls: Vec<String> = ttls.iter().map(i64::to_string).collect();
                let problem = format!("the {kind} records would have TTLs of {} s", ttls.join(" and "));
                (problem, "give all records of the name and type one TTL first")
            } else {
                return None;
            };
            Some(Refused { problem: format!("{problem}: AWS would refuse it"), fix })
        })
    }
}

/// What is wrong with the size of a batch.
fn refused_size(batch: &[Change]) -> Option<Refused> {
    let records: Vec<&RecordSet> = batch.iter().map(Change::record).collect();
    // An alias has no values, and counts as one element: the quota does not say, and one too many is safe.
    let elements: usize = records.iter().map(|record| record.values.len().max(1)).sum();
    let characters: usize = records.iter().flat_map(|record| &record.values).map(|value| value.len()).sum();
    (elements > MOST_BATCH_RECORDS || characters > MOST_BATCH_CHARACTERS).then(|| Refused {
        problem: format!(
            "a change of the name has {elements} values with {characters} characters; Route 53 takes \
             {MOST_BATCH_RECORDS} with {MOST_BATCH_CHARACTERS}"
        ),
        fix: "give the name's records fewer values",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::planned::tests::route;
    use crate::name::record::tests::{simple, weighted};

    #[test]
    fn converting_deletes_the_simple_record_before_it_creates_the_pair() {
        let before = NameState::new(vec![simple("1.2.3.4", 300)]);
        let prepared = before.planned(&route(None), 0, &PairChecks::default()).unwrap();
        let batch = before.batch_to(&prepared);
        assert_eq!(batch[0], Change::Delete(simple("1.2.3.4", 300)));
        assert!(matches!(batch[1..], [Change::Create(_), Change::Create(_)]));
        let back = prepared.batch_to(&before);
        assert!(matches!(back[..], [Change::Delete(_), Change::Delete(_), Change::Create(_)]));
    }

    #[test]
    fn a_batch_that_route_53_refuses_is_known_beforehand() {
        let many =
            |count: u8| RecordSet { values: (0..count).map(|n| format!("1.2.3.{n}")).collect(), ..simple("", 300) };
        let with = |count: u8| {
            let records = (0..4).map(|group| RecordSet {
                set_identifier: Some(format!("group-{group}")),
                weight: Some(if group == 0 { 100 } else { 0 }),
                ..many(count)
            });
            NameState::new(records.collect())
        };
        // A change of TTL deletes and creates four records with so many values, and creates the new side's one.
        assert_eq!(with(124).check_batches(&route(None)), Ok(()));
        assert!(with(125).check_batches(&route(None)).unwrap_err().problem.contains("1001 values"));
        let long = NameState::new(vec![RecordSet { values: vec!["x".repeat(10_000); 2], ..simple("", 300) }]);
        assert!(long.check_batches(&route(None)).unwrap_err().problem.contains("characters"));
    }

    #[test]
    fn a_group_that_route_53_takes_of_nobody_is_known_beforehand() {
        let refused = |records: Vec<RecordSet>| NameState::new(records).refused_group().map(|refused| refused.problem);
        let pair = || vec![weighted("blue", "1.2.3.4", 1), weighted("green", "5.6.7.8", 1)];
        assert_eq!(refused(pair()), None);
        let with = |other: RecordSet| refused([pair(), vec![other]].concat()).unwrap_or_default();
        assert!(with(simple("9.9.9.9", 300)).contains("a simple A record would stand beside weighted ones"));
        assert!(with(weighted("blue", "9.9.9.9", 1)).contains("two A records would have one set identifier"));
        let slow = RecordSet { ttl: Some(3600), ..weighted("red", "9.9.9.9", 1) };
        assert!(with(slow.clone()).contains("TTLs of 300 and 3600 s"));
        assert_eq!(with(RecordSet { record_type: "AAAA".to_owned(), ..slow }), "", "another type");
    }

    #[test]
    fn what_is_added_beside_a_simple_record_of_its_type_is_refused_beforehand() {
        use cutover::plan::{RecordChange, RecordData, RecordType};
        let new = RecordData { values: Some(vec!["2001:db8::2".to_owned()]), ..RecordData::default() };
        let old_set_identifier = Some("ireland".to_owned());
        let mut route = route(Some("ireland"));
        route.records.push(RecordChange { record_type: RecordType::Aaaa, new: Some(new), old_set_identifier });
        let aaaa = RecordSet { record_type: "AAAA".to_owned(), ..simple("2001:db8::9", 300) };
        let before = NameState::new(vec![weighted("ireland", "1.2.3.4", 100), aaaa]);
        assert!(before.check_batches(&route).unwrap_err().problem.contains("a simple AAAA record"));
    }
}
