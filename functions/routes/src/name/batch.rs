//! Change batches: what is sent to lead a name from one state to another.

use cutover::plan::DnsRoute;

use super::checks::PairChecks;
use super::record::RecordSet;
use super::state::NameState;

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
    /// The text of the problem; as [`planned`](Self::planned).
    pub fn check_batches(&self, route: &DnsRoute) -> Result<(), String> {
        let mut states = vec![self.clone()];
        for percent in std::iter::once(0).chain(route.steps.iter().map(|step| step.new_weight)) {
            states.push(self.planned(route, percent, &PairChecks::default())?);
        }
        states.push(self.finished(route)?);
        let forward = states.windows(2).map(|pair| pair[0].batch_to(&pair[1]));
        for batch in forward.chain(states.iter().map(|state| state.batch_to(self))) {
            let records: Vec<&RecordSet> = batch.iter().map(Change::record).collect();
            // An alias has no values, and counts as one element: the quota does not say, and one too many is safe.
            let elements: usize = records.iter().map(|record| record.values.len().max(1)).sum();
            let characters: usize = records.iter().flat_map(|record| &record.values).map(|value| value.len()).sum();
            if elements > MOST_BATCH_RECORDS || characters > MOST_BATCH_CHARACTERS {
                return Err(format!(
                    "a change of the name has {elements} values with {characters} characters; Route 53 takes \
                     {MOST_BATCH_RECORDS} with {MOST_BATCH_CHARACTERS}"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::planned::tests::route;
    use crate::name::record::tests::simple;

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
        assert!(with(125).check_batches(&route(None)).unwrap_err().contains("1001 values"));
        let long = NameState::new(vec![RecordSet { values: vec!["x".repeat(10_000); 2], ..simple("", 300) }]);
        assert!(long.check_batches(&route(None)).unwrap_err().contains("characters"));
    }
}
