//! Record sets of a name as values: planned states, change batches, and drift.
//!
//! A state is every record set of the plan's types at the name, all identifiers, exactly as Route 53 stores them, so
//! that a DELETE repeats what is stored and a batch DELETE + CREATE is a compare-and-set (Route 53 API reference,
//! ChangeResourceRecordSets).

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use crate::listener::share;
use crate::plan::{DnsRoute, RecordChange, RecordData, RecordType};

/// The set identifier that a simple record gets while it is one of a weighted pair.
pub const OLD_IDENTIFIER: &str = "cutover-old";
/// The set identifier of the new side's record while traffic moves.
pub const NEW_IDENTIFIER: &str = "cutover-new";
/// How long resolvers keep an alias to a load balancer: its own TTL, 60 s (Route 53 developer guide).
pub const ALIAS_TTL_SECONDS: u32 = 60;

/// The most `ResourceRecord` elements of one change batch (Route 53 quotas).
pub const MOST_BATCH_RECORDS: usize = 1_000;
/// The most characters of values of one change batch (Route 53 quotas).
pub const MOST_BATCH_CHARACTERS: usize = 32_000;

/// One record set, simple or weighted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordSet {
    /// `A`, `AAAA` or `CNAME`.
    #[serde(rename = "type")]
    pub record_type: String,
    /// Tells the members of a weighted group apart.
    pub set_identifier: Option<String>,
    /// 0 to 255; none for a simple record.
    pub weight: Option<i64>,
    /// Seconds; none for an alias.
    pub ttl: Option<i64>,
    /// The values in Route 53's order.
    pub values: Vec<String>,
    /// The alias target.
    pub alias: Option<AliasTarget>,
    /// The health check that takes the record out of the answers.
    pub health_check_id: Option<String>,
}

/// Where an alias points to, normalised: lower case with the last dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AliasTarget {
    /// The resource's DNS name.
    pub dns_name: String,
    /// The hosted zone of the resource.
    pub hosted_zone_id: String,
    /// Whether Route 53 looks at the resource's health.
    pub evaluate_target_health: bool,
}

/// The record sets of a name, of the plan's types, in canonical order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NameState(Vec<RecordSet>);

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
    /// A state of these record sets.
    pub fn new(mut records: Vec<RecordSet>) -> Self {
        records.sort();
        Self(records)
    }

    /// The record sets.
    pub fn records(&self) -> &[RecordSet] {
        &self.0
    }

    /// The longest time that a resolver may keep an answer, in seconds.
    pub fn longest_ttl_seconds(&self) -> u32 {
        let ttl = |record: &RecordSet| record.ttl.map_or(Some(ALIAS_TTL_SECONDS), |ttl| u32::try_from(ttl).ok());
        self.0.iter().filter_map(ttl).max().unwrap_or(0)
    }

    /// The same state for comparisons: values in one form and order.
    fn canonical(&self) -> Self {
        let canonical = |record: &RecordSet| RecordSet {
            values: canonical_values(&record.record_type, &record.values),
            ..record.clone()
        };
        Self::new(self.0.iter().map(canonical).collect())
    }

    /// Whether two states answer alike, by health checks that may redirect traffic as well.
    pub fn is_like(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }

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
            let Ok(group) = before.group(change) else { continue };
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

    /// The planned state in which the new record has `percent` of the pair's weight: every type a weighted group,
    /// at the plan's TTL.
    ///
    /// # Errors
    /// The text of the problem: no record of a type, an ambiguous old side, a weight that is not whole.
    pub fn planned(&self, route: &DnsRoute, percent: u8, checks: &PairChecks) -> Result<Self, String> {
        let mut records = Vec::new();
        for change in &route.records {
            let group = self.group(change)?;
            let (old_weight, new_weight) = share(group.pair_weight()?, percent)?;
            let ttl = |record: &RecordSet| record.ttl.map(|_| i64::from(route.ttl));
            records.extend(group.neighbours.iter().map(|record| RecordSet { ttl: ttl(record), ..(*record).clone() }));
            records.push(RecordSet {
                set_identifier: Some(group.old_identifier()),
                weight: Some(i64::from(old_weight)),
                ttl: ttl(group.old),
                health_check_id: checks.old.clone().or_else(|| group.old.health_check_id.clone()),
                ..group.old.clone()
            });
            let new = group.new.map_or_else(|| answer(change, i64::from(route.ttl)), RecordSet::clone);
            records.push(RecordSet {
                set_identifier: Some(group.new_identifier()),
                weight: Some(i64::from(new_weight)),
                ttl: ttl(&new),
                health_check_id: checks.new.clone().or_else(|| new.health_check_id.clone()),
                ..new
            });
        }
        Ok(Self::new(records))
    }

    /// The final state: the old side's record sets with the new side's answers, and the TTL they had before. A record
    /// that was prepared by hand beside the old one stays beside it: new at the pair's weight, old at 0.
    ///
    /// # Errors
    /// As [`planned`](Self::planned).
    pub fn finished(&self, route: &DnsRoute) -> Result<Self, String> {
        let mut records = Vec::new();
        for change in &route.records {
            let group = self.group(change)?;
            let ttl = group.old.ttl.unwrap_or_else(|| i64::from(route.ttl));
            records.extend(group.neighbours.iter().map(|record| (*record).clone()));
            let after = answer(change, ttl);
            match group.new {
                None => records.push(RecordSet {
                    set_identifier: group.old.set_identifier.clone(),
                    weight: group.old.weight,
                    ..after
                }),
                Some(new) => {
                    records.push(RecordSet { weight: Some(0), ..group.old.clone() });
                    records.push(RecordSet { weight: Some(i64::from(group.pair_weight()?)), ..new.clone() });
                }
            }
        }
        Ok(Self::new(records))
    }

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

    /// Whether the old side serves and the new one does not: otherwise the way back would not lead to the old side.
    ///
    /// # Errors
    /// The text of the problem.
    pub fn check_pair(&self, route: &DnsRoute) -> Result<(), String> {
        for change in &route.records {
            let group = self.group(change)?;
            let kind = change.record_type.as_str();
            if group.old.weight == Some(0) {
                return Err(format!("the {kind} record of the old side gets no traffic: its weight is 0"));
            }
            if let Some(weight) = group.new.and_then(|record| record.weight).filter(|weight| *weight > 0) {
                return Err(format!("the {kind} record of the new side gets traffic already: its weight is {weight}"));
            }
        }
        Ok(())
    }

    /// One line for a person: the record sets with everything that is compared.
    pub fn describe(&self) -> String {
        let lines: Vec<String> = self.0.iter().map(RecordSet::describe).collect();
        lines.join("; ")
    }

    /// The record sets of one type, told apart.
    fn group<'a>(&'a self, change: &'a RecordChange) -> Result<Group<'a>, String> {
        let kind = change.record_type.as_str();
        let of_type: Vec<&RecordSet> = self.0.iter().filter(|record| record.record_type == kind).collect();
        let new = of_type.iter().copied().find(|record| record.weight.is_some() && record.answers_like(&change.new));
        let others: Vec<&RecordSet> = of_type.into_iter().filter(|record| Some(*record) != new).collect();
        let old = find_old(&others, change)?;
        let neighbours = others.into_iter().filter(|record| *record != old).collect();
        Ok(Group { old, new, neighbours })
    }
}

/// The record sets of one type at a name.
struct Group<'a> {
    old: &'a RecordSet,
    new: Option<&'a RecordSet>,
    neighbours: Vec<&'a RecordSet>,
}

impl Group<'_> {
    fn old_identifier(&self) -> String {
        self.old.set_identifier.clone().unwrap_or_else(|| OLD_IDENTIFIER.to_owned())
    }

    fn new_identifier(&self) -> String {
        let made_by_hand = self.new.and_then(|record| record.set_identifier.clone());
        made_by_hand.unwrap_or_else(|| NEW_IDENTIFIER.to_owned())
    }

    /// What the pair shares: 100, or the old record's weight where neighbours keep theirs.
    fn pair_weight(&self) -> Result<i32, String> {
        if self.neighbours.is_empty() {
            return Ok(100);
        }
        let weight = self.old.weight.unwrap_or(0);
        i32::try_from(weight).map_err(|_| format!("weight {weight} is out of range"))
    }
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

/// The new side's record set, apart from its place in a group.
fn answer(change: &RecordChange, ttl: i64) -> RecordSet {
    let alias = change.new.alias.as_ref().map(|alias| AliasTarget {
        dns_name: normalise_name(&alias.dns_name),
        hosted_zone_id: alias.hosted_zone_id.clone(),
        evaluate_target_health: alias.evaluate_target_health,
    });
    RecordSet {
        record_type: change.record_type.as_str().to_owned(),
        set_identifier: None,
        weight: None,
        ttl: alias.is_none().then_some(ttl),
        values: change.new.values.clone().unwrap_or_default(),
        alias,
        health_check_id: None,
    }
}

/// Values in one order, and IPv6 addresses, which can be written in many ways, in one form.
fn canonical_values(record_type: &str, values: &[String]) -> Vec<String> {
    let one_form = |value: &String| match value.parse::<Ipv6Addr>() {
        Ok(address) if record_type == RecordType::Aaaa.as_str() => address.to_string(),
        _ => value.clone(),
    };
    let mut values: Vec<String> = values.iter().map(one_form).collect();
    values.sort();
    values
}

impl RecordSet {
    fn answers_like(&self, data: &RecordData) -> bool {
        let canonical = |values| canonical_values(&self.record_type, values);
        match (&data.values, &data.alias) {
            (Some(values), _) => self.alias.is_none() && canonical(&self.values) == canonical(values),
            (None, Some(alias)) => self.alias.as_ref().is_some_and(|live| {
                live.dns_name == normalise_name(&alias.dns_name) && live.hosted_zone_id == alias.hosted_zone_id
            }),
            (None, None) => false,
        }
    }

    fn describe(&self) -> String {
        let answer = self.alias.as_ref().map_or_else(|| self.values.join(","), |alias| alias.dns_name.clone());
        let parts = [
            Some(format!("{} {answer}", self.record_type)),
            self.weight.map(|weight| format!("weight {weight}")),
            self.ttl.map(|ttl| format!("ttl {ttl}")),
            self.set_identifier.as_ref().map(|identifier| format!("set identifier {identifier}")),
            self.health_check_id.as_ref().map(|id| format!("health check {id}")),
            self.alias
                .as_ref()
                .filter(|alias| alias.evaluate_target_health)
                .map(|_| "evaluates target health".to_owned()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// A name as Route 53 stores it: lower case, with the last dot, `*` as `\052`.
pub fn normalise_name(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase().replace('*', "\\052");
    format!("{name}.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::Step;

    fn route(old_set_identifier: Option<&str>) -> DnsRoute {
        let new = RecordData { values: Some(vec!["5.6.7.8".to_owned()]), alias: None };
        let old_set_identifier = old_set_identifier.map(str::to_owned);
        DnsRoute {
            hosted_zone_id: "Z1".to_owned(),
            record_name: "App.Example.com".to_owned(),
            records: vec![RecordChange { record_type: RecordType::A, new, old_set_identifier }],
            ttl: 60,
            health_checks: None,
            steps: vec![Step { new_weight: 100, hold: crate::Seconds(0) }],
        }
    }

    fn simple(value: &str, ttl: i64) -> RecordSet {
        RecordSet {
            record_type: "A".to_owned(),
            set_identifier: None,
            weight: None,
            ttl: Some(ttl),
            values: vec![value.to_owned()],
            alias: None,
            health_check_id: None,
        }
    }

    fn weighted(identifier: &str, value: &str, weight: i64) -> RecordSet {
        RecordSet { set_identifier: Some(identifier.to_owned()), weight: Some(weight), ..simple(value, 300) }
    }

    /// `identifier value weight ttl` of each record set.
    fn shape(state: &NameState) -> Vec<String> {
        let line = |r: &RecordSet| {
            let identifier = r.set_identifier.as_deref().unwrap_or("-");
            format!("{identifier} {} {} {}", r.values.join(","), r.weight.unwrap_or(-1), r.ttl.unwrap_or(-1))
        };
        state.records().iter().map(line).collect()
    }

    #[test]
    fn a_simple_record_becomes_a_pair_and_then_one_record_with_its_own_ttl() {
        let before = NameState::new(vec![simple("1.2.3.4", 300)]);
        let prepared = before.planned(&route(None), 0, &PairChecks::default()).unwrap();
        assert_eq!(shape(&prepared), ["cutover-new 5.6.7.8 0 60", "cutover-old 1.2.3.4 100 60"]);
        let finished = before.finished(&route(None)).unwrap();
        assert_eq!(shape(&finished), ["- 5.6.7.8 -1 300"]);
    }

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
    fn neighbours_keep_their_weights_and_share_the_lowered_ttl() {
        let before = NameState::new(vec![weighted("blue", "1.2.3.4", 200), weighted("canary", "9.9.9.9", 0)]);
        let planned = before.planned(&route(None), 25, &PairChecks::default()).unwrap();
        assert_eq!(shape(&planned), ["blue 1.2.3.4 150 60", "canary 9.9.9.9 0 60", "cutover-new 5.6.7.8 50 60"]);
        let finished = before.finished(&route(None)).unwrap();
        assert_eq!(shape(&finished), ["blue 5.6.7.8 200 300", "canary 9.9.9.9 0 300"]);
    }

    #[test]
    fn several_serving_records_need_the_old_one_named() {
        let before = NameState::new(vec![weighted("a", "1.2.3.4", 100), weighted("b", "9.9.9.9", 100)]);
        assert!(before.finished(&route(None)).unwrap_err().contains("not clear"));
        assert_eq!(shape(&before.finished(&route(Some("b"))).unwrap())[1], "b 5.6.7.8 100 300");
        assert!(before.finished(&route(Some("c"))).unwrap_err().contains("`c`"));
    }

    #[test]
    fn a_new_record_prepared_by_hand_is_used_and_kept() {
        let before = NameState::new(vec![weighted("blue", "1.2.3.4", 100), weighted("green", "5.6.7.8", 0)]);
        let planned = before.planned(&route(None), 30, &PairChecks::default()).unwrap();
        assert_eq!(shape(&planned), ["blue 1.2.3.4 70 60", "green 5.6.7.8 30 60"]);
        let finished = before.finished(&route(None)).unwrap();
        assert_eq!(shape(&finished), ["blue 1.2.3.4 0 300", "green 5.6.7.8 100 300"]);
    }

    #[test]
    fn the_old_side_must_serve_and_the_new_one_must_not() {
        let pair = |old, new| NameState::new(vec![weighted("blue", "1.2.3.4", old), weighted("green", "5.6.7.8", new)]);
        assert_eq!(pair(100, 0).check_pair(&route(None)), Ok(()));
        assert!(pair(0, 50).check_pair(&route(None)).is_err());
        assert!(pair(50, 50).check_pair(&route(None)).is_err());
        assert!(pair(0, 0).check_pair(&route(None)).is_err());
    }

    #[test]
    fn one_address_in_two_spellings_is_one() {
        let aaaa = |value: &str| RecordSet { record_type: "AAAA".to_owned(), ..weighted("green", value, 0) };
        let [live, planned] = ["2001:DB8::77", "2001:db8:0:0::77"].map(aaaa);
        assert!(NameState::new(vec![live.clone()]).is_like(&NameState::new(vec![planned.clone()])));
        assert!(live.answers_like(&RecordData { values: Some(planned.values), alias: None }));
        assert!(!live.answers_like(&RecordData { values: Some(vec!["2001:db8::78".to_owned()]), alias: None }));
    }

    #[test]
    fn what_is_compared_is_described() {
        let alias = AliasTarget {
            dns_name: "lb.example.net.".to_owned(),
            hosted_zone_id: "Z2".to_owned(),
            evaluate_target_health: true,
        };
        let alias = RecordSet { ttl: None, values: vec![], alias: Some(alias), ..simple("", 0) };
        assert_eq!(alias.describe(), "A lb.example.net. evaluates target health");
        assert_eq!(
            checked(weighted("blue", "1.2.3.4", 90), "abc").describe(),
            "A 1.2.3.4 weight 90 ttl 300 set identifier blue health check abc"
        );
        assert_eq!(simple("1.2.3.4", 300).describe(), "A 1.2.3.4 ttl 300");
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

    fn checked(record: RecordSet, id: &str) -> RecordSet {
        RecordSet { health_check_id: Some(id.to_owned()), ..record }
    }

    /// A route that wants a health check of its new side.
    fn checked_route() -> DnsRoute {
        let check = serde_json::from_value(serde_json::json!({ "fqdn": "new.example.com" })).unwrap();
        DnsRoute { health_checks: Some(crate::plan::HealthChecks { old: None, new: Some(check) }), ..route(None) }
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

    #[test]
    fn each_type_keeps_its_own_health_check_where_the_plan_wants_none() {
        let new = |kind, value: &str| RecordChange {
            record_type: kind,
            new: RecordData { values: Some(vec![value.to_owned()]), alias: None },
            old_set_identifier: None,
        };
        let records = vec![new(RecordType::A, "5.6.7.8"), new(RecordType::Aaaa, "2001:db8::77")];
        let route = DnsRoute { records, ..route(None) };
        let aaaa = RecordSet { record_type: "AAAA".to_owned(), ..weighted("blue", "2001:db8::1", 100) };
        let before = NameState::new(vec![checked(weighted("blue", "1.2.3.4", 100), "four"), checked(aaaa, "six")]);
        let planned = before.planned(&route, 50, &PairChecks::default()).unwrap();
        let checks: Vec<_> = planned.records().iter().map(|record| record.health_check_id.as_deref()).collect();
        assert_eq!(checks, [Some("four"), None, Some("six"), None]);
    }

    #[test]
    fn names_are_compared_as_route_53_stores_them() {
        assert_eq!(normalise_name("*.Example.com"), "\\052.example.com.");
        assert_eq!(normalise_name("example.com."), "example.com.");
    }

    proptest! {
        #[test]
        fn a_batch_there_and_back_restores_the_before_image(percent in 0..=100_u8, ttl in 1..86_400_i64) {
            let before = NameState::new(vec![simple("1.2.3.4", ttl)]);
            let planned = before.planned(&route(None), percent, &PairChecks::default()).unwrap();
            let mut live = before.records().to_vec();
            for change in before.batch_to(&planned).into_iter().chain(planned.batch_to(&before)) {
                match change {
                    Change::Delete(record) => {
                        let place = live.iter().position(|r| *r == record);
                        prop_assert!(place.is_some());
                        live.remove(place.unwrap());
                    }
                    Change::Create(record) => live.push(record),
                }
            }
            prop_assert_eq!(NameState::new(live), before);
        }
    }
}
