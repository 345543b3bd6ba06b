//! A name as a value: every record set of the plan's types, all identifiers, exactly as Route 53 stores them, so that a
//! DELETE repeats what is stored and a batch DELETE + CREATE is a compare-and-set (Route 53 API reference,
//! ChangeResourceRecordSets).

use serde::{Deserialize, Serialize};

use super::record::RecordSet;

/// The record sets of a name, of the plan's types, in canonical order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NameState(pub(super) Vec<RecordSet>);

impl NameState {
    /// A state of these record sets.
    pub fn new(mut records: Vec<RecordSet>) -> Self {
        records.sort();
        Self(records)
    }

    /// The record sets.
    pub fn records(&self) -> &[RecordSet] {
        &self.0
    }

    /// The same state for comparisons: values in one form and order.
    fn canonical(&self) -> Self {
        Self::new(self.0.iter().map(RecordSet::canonical).collect())
    }

    /// Whether two states answer alike, by health checks that may redirect traffic as well.
    pub fn is_like(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }

    /// One line for a person: the record sets with everything that is compared.
    pub fn describe(&self) -> String {
        let lines: Vec<String> = self.0.iter().map(RecordSet::describe).collect();
        lines.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use cutover::plan::RecordData;

    use super::*;
    use crate::name::record::tests::weighted;

    #[test]
    fn one_name_in_two_spellings_is_one() {
        let cname = |value: &str| RecordSet { record_type: "CNAME".to_owned(), ..weighted("green", value, 0) };
        let [live, planned] = ["New-Side.example.com.", "new-side.example.com"].map(cname);
        assert!(NameState::new(vec![live.clone()]).is_like(&NameState::new(vec![planned.clone()])));
        assert!(live.answers_like(&RecordData { values: Some(planned.values), ..RecordData::default() }));
        assert!(
            !live.answers_like(&RecordData {
                values: Some(vec!["other.example.com".to_owned()]),
                ..RecordData::default()
            })
        );
    }

    #[test]
    fn one_address_in_two_spellings_is_one() {
        let aaaa = |value: &str| RecordSet { record_type: "AAAA".to_owned(), ..weighted("green", value, 0) };
        let [live, planned] = ["2001:DB8::77", "2001:db8:0:0::77"].map(aaaa);
        assert!(NameState::new(vec![live.clone()]).is_like(&NameState::new(vec![planned.clone()])));
        assert!(live.answers_like(&RecordData { values: Some(planned.values), ..RecordData::default() }));
        assert!(
            !live.answers_like(&RecordData { values: Some(vec!["2001:db8::78".to_owned()]), ..RecordData::default() })
        );
    }
}
