//! From a CNAME to addresses or aliases, or back. A CNAME stands alone on its name, so there is no weighted pair: the old records
//! stay whole, then one atomic batch deletes them and creates the new ones (Route 53 API reference,
//! ChangeResourceRecordSets). So there are the shares 0 and 100 only.

use std::collections::BTreeSet;

use cutover::plan::{DnsRoute, RecordChange, RecordType};

use super::planned::{answer, lowered};
use super::record::RecordSet;
use super::state::NameState;

const CNAME: &str = "CNAME";

/// The record sets of another kind than the plan's, which give way to it.
pub(super) struct Conversion<'a> {
    route: &'a DnsRoute,
    /// Those that serve, one of each type.
    old: Vec<&'a RecordSet>,
    /// Those of weight 0 beside them, which go with them.
    idle: Vec<&'a RecordSet>,
}

/// Whether a record set of this type at the route's name is the route's concern: of the plan's types, or one that cannot stand
/// beside them.
pub(crate) fn concerns(route: &DnsRoute, record_type: &str) -> bool {
    let is_of_plan = route.records.iter().any(|change| change.record_type.as_str() == record_type);
    is_of_plan || gives_way(route, record_type)
}

fn gives_way(route: &DnsRoute, record_type: &str) -> bool {
    let to_cname = route.records.iter().any(|change| change.record_type == RecordType::Cname);
    if to_cname { ["A", "AAAA"].contains(&record_type) } else { record_type == CNAME }
}

/// Why a plan that makes health checks does not fit: none where nothing is converted. A converted name has no weighted pair.
pub(super) fn health_checks_problem(route: &DnsRoute, state: &NameState) -> Option<String> {
    let kind = state.records().iter().map(|record| &record.record_type).find(|kind| gives_way(route, kind))?;
    route.health_checks.as_ref()?;
    Some(format!("are those of a weighted pair, and the {kind} record is replaced at once"))
}

impl<'a> Conversion<'a> {
    /// What the plan converts; none where the name has the plan's kind of records already.
    ///
    /// # Errors
    /// The text of the problem: records that share a name by weight, a set identifier that is not there, health checks.
    pub(super) fn of(state: &'a NameState, route: &'a DnsRoute) -> Result<Option<Self>, String> {
        let all: Vec<&RecordSet> =
            state.records().iter().filter(|record| gives_way(route, &record.record_type)).collect();
        let kinds: BTreeSet<&str> = all.iter().map(|record| record.record_type.as_str()).collect();
        let Some(kind) = kinds.first() else { return Ok(None) };
        if let Some(problem) = health_checks_problem(route, state) {
            return Err(problem);
        }
        let (mut old, mut idle) = (Vec::new(), Vec::new());
        for kind in &kinds {
            let of_kind = || all.iter().copied().filter(|record| record.record_type == *kind);
            let serving: Vec<&RecordSet> = match &of_kind().collect::<Vec<_>>()[..] {
                [only] => vec![*only],
                several => several.iter().copied().filter(|record| record.weight != Some(0)).collect(),
            };
            let [serving] = serving[..] else {
                return Err(format!(
                    "several {kind} records share the name's users, and only one can be converted, as nothing of the others \
                     would be left: delete them first"
                ));
            };
            idle.extend(of_kind().filter(|record| *record != serving));
            old.push(serving);
        }
        for identifier in route.records.iter().filter_map(|change| change.old_set_identifier.as_ref()) {
            if !old.iter().any(|record| record.set_identifier.as_ref() == Some(identifier)) {
                return Err(format!("no {kind} record that gets traffic has the set identifier `{identifier}`"));
            }
        }
        Ok(Some(Self { route, old, idle }))
    }

    /// The records that serve the old side, one of each type.
    pub(super) fn old(&self) -> &[&'a RecordSet] {
        &self.old
    }

    /// Whether a record, at whatever TTL, is one that serves the old side.
    pub(super) fn is_old(&self, record: &RecordSet) -> bool {
        let is =
            |old: &&RecordSet| old.record_type == record.record_type && old.set_identifier == record.set_identifier;
        self.old.iter().any(is)
    }

    /// The records of weight 0 that go with those that serve, and come back with undo alone.
    pub(super) fn idle(&self) -> &[&'a RecordSet] {
        &self.idle
    }

    /// The record sets at a share, at the plan's TTL or their own where that is lower: the old ones, or the new ones.
    pub(super) fn planned(&self, percent: u8) -> Result<Vec<RecordSet>, String> {
        let all = || self.old.iter().chain(&self.idle);
        let ttl = lowered(all().copied(), self.route.ttl);
        let lowered = |record: &&RecordSet| RecordSet { ttl: record.ttl.map(|_| ttl), ..(*record).clone() };
        match percent {
            0 => Ok(all().map(lowered).collect()),
            100 => Ok(self.new_records(ttl)),
            _ => Err(format!(
                "{percent} % is not possible: a {} record cannot share a name with another type, so all moves at once",
                if gives_way(self.route, CNAME) { CNAME } else { "A or AAAA" }
            )),
        }
    }

    /// The new record sets, with the TTL that the old ones had before.
    pub(super) fn finished(&self) -> Vec<RecordSet> {
        let ttl = self.old.iter().find_map(|record| record.ttl);
        self.new_records(ttl.unwrap_or_else(|| i64::from(self.route.ttl)))
    }

    /// Weighted where the old one was: an only record answers whatever its weight.
    fn new_records(&self, ttl: i64) -> Vec<RecordSet> {
        let first = self.old.first();
        let of_change = |change: &RecordChange| {
            Some(RecordSet {
                set_identifier: first.and_then(|record| record.set_identifier.clone()),
                weight: first.and_then(|record| record.weight),
                health_check_id: change.check(first.and_then(|record| record.health_check_id.as_ref())),
                ..answer(change.record_type, change.new.as_ref()?, ttl, None)
            })
        };
        self.route.records.iter().filter_map(of_change).collect()
    }
}

#[cfg(test)]
mod tests {
    use cutover::plan::{Alias, RecordData};

    use super::*;
    use crate::name::PairChecks;
    use crate::name::batch::Change;
    use crate::name::planned::tests::route;
    use crate::name::record::tests::{simple, weighted};

    fn cname(record: RecordSet) -> RecordSet {
        RecordSet { record_type: CNAME.to_owned(), values: vec!["Old-Side.example.net".to_owned()], ..record }
    }

    fn to_alias() -> DnsRoute {
        let alias = Alias {
            dns_name: "new-side.elb.amazonaws.com".to_owned(),
            hosted_zone_id: "Z2".to_owned(),
            evaluate_target_health: None,
        };
        let change = |record_type| RecordChange {
            record_type,
            new: Some(RecordData { alias: Some(alias.clone()), ..RecordData::default() }),
            old_set_identifier: None,
        };
        DnsRoute { records: vec![change(RecordType::A), change(RecordType::Aaaa)], ..route(None) }
    }

    fn lines(state: &NameState) -> Vec<String> {
        state.records().iter().map(RecordSet::describe).collect()
    }

    #[test]
    fn a_cname_becomes_aliases_at_once_and_back() {
        let (route, before) = (to_alias(), NameState::new(vec![cname(simple("", 300))]));
        let planned = |percent| before.planned(&route, percent, &PairChecks::default());
        assert_eq!(lines(&planned(0).unwrap()), ["CNAME Old-Side.example.net ttl 60"]);
        let whole = planned(100).unwrap();
        assert_eq!(lines(&whole), ["A new-side.elb.amazonaws.com.", "AAAA new-side.elb.amazonaws.com."]);
        assert_eq!(before.finished(&route), Ok(whole.clone()));
        assert!(planned(50).unwrap_err().contains("all moves at once"));
        assert_eq!(before.check_pair(&route), Ok(()));
        let back = whole.batch_to(&before);
        assert!(
            matches!(&back[..], [Change::Delete(_), Change::Delete(_), Change::Create(cname)] if *cname == before.records()[0])
        );
    }

    #[test]
    fn addresses_become_a_cname_with_their_ttl() {
        let change = RecordChange {
            record_type: RecordType::Cname,
            new: Some(RecordData { values: Some(vec!["new.example.net".to_owned()]), ..RecordData::default() }),
            old_set_identifier: None,
        };
        let route = DnsRoute { records: vec![change], ..route(None) };
        let aaaa =
            RecordSet { record_type: "AAAA".to_owned(), values: vec!["2001:db8::1".to_owned()], ..simple("", 300) };
        let before = NameState::new(vec![simple("1.2.3.4", 300), aaaa]);
        let planned = |percent| before.planned(&route, percent, &PairChecks::default()).unwrap();
        assert_eq!(lines(&planned(0)), ["A 1.2.3.4 ttl 60", "AAAA 2001:db8::1 ttl 60"]);
        assert_eq!(lines(&planned(100)), ["CNAME new.example.net ttl 60"]);
        assert_eq!(lines(&before.finished(&route).unwrap()), ["CNAME new.example.net ttl 300"]);
    }

    #[test]
    fn what_cannot_be_converted_at_once_is_said() {
        let shared = NameState::new(vec![cname(weighted("a", "", 1)), cname(weighted("b", "", 1))]);
        assert!(shared.finished(&to_alias()).unwrap_err().contains("several CNAME records"));
        let one = NameState::new(vec![cname(weighted("a", "", 7))]);
        assert_eq!(
            lines(&one.finished(&to_alias()).unwrap())[0],
            "A new-side.elb.amazonaws.com. weight 7 set identifier a"
        );
        let mut named = to_alias();
        named.records[0].old_set_identifier = Some("b".to_owned());
        assert!(one.finished(&named).unwrap_err().contains("`b`"));
        let check = serde_json::from_value(serde_json::json!({ "fqdn": "new.example.com" })).unwrap();
        let checked =
            DnsRoute { health_checks: Some(cutover::plan::HealthChecks { old: None, new: Some(check) }), ..to_alias() };
        assert!(one.finished(&checked).unwrap_err().contains("of a weighted pair"));
    }

    #[test]
    fn what_is_at_weight_zero_goes_with_the_record_that_is_converted_and_comes_back_with_it() {
        let before = NameState::new(vec![cname(weighted("blue", "", 100)), cname(weighted("aged", "", 0))]);
        let route = to_alias();
        let whole = before.planned(&route, 100, &PairChecks::default()).unwrap();
        let lb = "new-side.elb.amazonaws.com. weight 100 set identifier blue";
        assert_eq!(lines(&whole), [format!("A {lb}"), format!("AAAA {lb}")]);
        assert_eq!(before.finished(&route), Ok(whole.clone()));
        let prepared = before.planned(&route, 0, &PairChecks::default()).unwrap();
        let ttls: Vec<_> = prepared.records().iter().map(|record| record.ttl).collect();
        assert_eq!(ttls, [Some(60), Some(60)], "of one group");
        let made: Vec<_> = whole.batch_to(&before).into_iter().filter(|one| matches!(one, Change::Create(_))).collect();
        assert_eq!(made.len(), 2, "both come back: {made:?}");
        assert_eq!(before.check_batches(&route), Ok(()));
        let conversion = Conversion::of(&before, &route).unwrap().unwrap();
        assert_eq!(conversion.idle()[0].set_identifier.as_deref(), Some("aged"));
        let mut named = to_alias();
        named.records[0].old_set_identifier = Some("aged".to_owned());
        assert!(before.finished(&named).unwrap_err().contains("no CNAME record that gets traffic"));
        let even = NameState::new(vec![cname(weighted("a", "", 0)), cname(weighted("b", "", 0))]);
        assert!(even.finished(&route).unwrap_err().contains("several CNAME records"), "all answer evenly");
    }

    #[test]
    fn a_name_of_the_plans_types_is_not_converted() {
        let before = NameState::new(vec![simple("1.2.3.4", 300)]);
        assert!(Conversion::of(&before, &route(None)).unwrap().is_none());
        assert_eq!(["A", "AAAA", "CNAME", "MX"].map(|kind| concerns(&route(None), kind)), [true, false, true, false]);
    }
}
