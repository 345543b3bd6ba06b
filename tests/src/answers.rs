//! What DNS and load balancers answer, as the product itself says: its shares, drawn from.
//!
//! Contract: pure; the draw, in 0..1, is an argument. The emulated AWS tells which member of a record set is healthy, by its own
//! account of Route 53's rules; what that means for the answers is said by `routes::name::shares`, and an alias within the zone is
//! followed to its end: its TTL is that of what it leads to.

use std::collections::BTreeMap;
use std::time::Duration;

use routes::listener::{self, Forward, WeightedGroup};
use routes::name::RecordSet;
use routes::name::shares::{Health, Zone};

use crate::control::{ForwardState, RecordMember, RecordState, Routing};

/// Route 53 answers for an alias to a load balancer with the load balancer's own TTL.
const ALIAS_TTL: Duration = Duration::from_secs(60);
/// Aliases to aliases are followed so far.
const MOST_ALIASES: usize = 16;
/// One name that stands for the group that is asked for.
const GROUP: &str = "group.";

/// An answer of DNS.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Where it leads: the names of the aliases on the way, and at the end a value, or a name outside of the zone.
    pub path: Vec<String>,
    /// How long a resolver keeps it.
    pub ttl: Duration,
}

/// What a name answers to one query; nothing where there is no such record.
pub fn of_name(routing: &Routing, key: &str, draw: f64) -> Option<Answer> {
    let (zone, kind) = (key.split('/').next()?, key.rsplit('/').next()?);
    let (mut state, mut draw, mut path) = (routing.records.get(key)?, draw, Vec::new());
    for _ in 0..MOST_ALIASES {
        let (index, rest) = choose(&shares(state), draw)?;
        let member = &state.members[index];
        path.push(member.destination()?.to_string());
        let inside = member.alias.as_ref().filter(|_| member.alias_zone.as_deref() == Some(zone));
        let Some(name) = inside else {
            let own = Duration::from_secs(state.ttl.unwrap_or(0));
            return Some(Answer { path, ttl: if member.alias.is_some() { ALIAS_TTL } else { own } });
        };
        (state, draw) = (routing.records.get(&format!("{zone}/{}/{kind}", name.trim_end_matches('.')))?, rest);
    }
    None
}

/// The share of each member of a record set, by Route 53's rules.
pub fn shares(state: &RecordState) -> Vec<f64> {
    let record = |(index, member): (usize, &RecordMember)| RecordSet {
        record_type: "A".to_owned(),
        set_identifier: member.set_identifier.clone(),
        weight: member.weight.and_then(|weight| i64::try_from(weight).ok()),
        ttl: None,
        values: vec![],
        alias: None,
        // What the emulated AWS makes of the member's check and of its target stands for both.
        health_check_id: member.healthy.map(|_| index.to_string()),
    };
    let records: Vec<RecordSet> = state.members.iter().enumerate().map(record).collect();
    let seen = state.members.iter().enumerate();
    let checks: BTreeMap<String, bool> =
        seen.filter_map(|(index, member)| Some((index.to_string(), member.healthy?))).collect();
    let zone = Zone { id: String::new(), records: [((GROUP.to_owned(), "A".to_owned()), records)].into() };
    zone.shares(GROUP, "A", &Health { checks, ..Health::default() }).unwrap_or_default()
}

/// The target group that a forward action sends a request to; none if every weight is 0.
pub fn of_forward(state: &ForwardState, draw: f64) -> Option<String> {
    let weighted = |group: &crate::control::GroupWeight| WeightedGroup {
        arn: group.arn.clone(),
        weight: i32::try_from(group.weight).ok(),
    };
    let groups = state.target_groups.iter().map(weighted).collect();
    let forward = Forward { order: None, target_group_arn: None, groups, stickiness: None };
    let shares = listener::shares::shares(&forward);
    let of_group = |group: &crate::control::GroupWeight| shares.get(group.arn.as_str()).copied().unwrap_or(0.0);
    let shares: Vec<f64> = state.target_groups.iter().map(of_group).collect();
    let (index, _) = choose(&shares, draw)?;
    Some(state.target_groups[index].arn.clone())
}

/// Chooses by share, and what is left of the draw for a choice within the chosen one. None if nobody has a share.
fn choose(shares: &[f64], draw: f64) -> Option<(usize, f64)> {
    let mut below = 0.0;
    for (index, share) in shares.iter().copied().enumerate() {
        if draw < below + share {
            return Some((index, (draw - below) / share));
        }
        below += share;
    }
    // Shares are 1 in all but for rounding.
    let last = shares.iter().rposition(|share| *share > 0.0)?;
    Some((last, draw))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(value: &str, weight: Option<u64>, healthy: Option<bool>) -> RecordMember {
        RecordMember { weight, healthy, values: Some(vec![value.to_owned()]), ..RecordMember::default() }
    }

    fn state(ttl: u64, members: &[RecordMember]) -> RecordState {
        RecordState { ttl: Some(ttl), members: members.to_vec() }
    }

    #[test]
    fn a_draw_hits_in_proportion_and_never_what_has_no_share() {
        let draws = || (0..1000).map(|step| f64::from(step) / 1000.0);
        let hits =
            |index| draws().filter(|&draw| choose(&[0.75, 0.0, 0.25], draw).is_some_and(|hit| hit.0 == index)).count();
        assert_eq!([hits(0), hits(1), hits(2)], [750, 0, 250]);
        assert_eq!(choose(&[0.0, 0.0], 0.5), None);
        assert_eq!(choose(&[], 0.5), None);
        assert_eq!(choose(&[0.5, 0.5], 0.75), Some((1, 0.5)), "what is left of the draw");
    }

    #[test]
    fn health_goes_before_weights() {
        let pair = |old, new| shares(&state(60, &[member("old", Some(100), old), member("new", Some(0), new)]));
        assert_eq!(pair(None, None), [1.0, 0.0]);
        assert_eq!(pair(Some(false), None), [0.0, 1.0], "a record of weight 0 answers where no other is healthy");
        assert_eq!(pair(Some(false), Some(false)), [1.0, 0.0], "all sick count as healthy");
        assert_eq!(shares(&state(60, &[member("old", Some(0), None), member("new", Some(0), None)])), [0.5, 0.5]);
    }

    #[test]
    fn an_alias_within_the_zone_has_its_targets_answer_and_ttl() {
        let alias = |name: &str, zone: &str| RecordMember {
            alias: Some(name.to_owned()),
            alias_zone: Some(zone.to_owned()),
            ..RecordMember::default()
        };
        let records = [
            ("Z1/app.example.com/A", RecordState { ttl: None, members: vec![alias("blue.example.com.", "Z1")] }),
            ("Z1/out.example.com/A", RecordState { ttl: None, members: vec![alias("lb.example.net.", "Z2")] }),
            (
                "Z1/blue.example.com/A",
                state(3600, &[member("192.0.2.1", Some(1), None), member("192.0.2.2", Some(1), None)]),
            ),
            ("Z1/circle.example.com/A", RecordState { ttl: None, members: vec![alias("circle.example.com.", "Z1")] }),
        ];
        let records = records.map(|(key, state)| (key.to_owned(), state)).into();
        let routing = Routing { records, ..Routing::default() };
        let answer = |name: &str, draw| of_name(&routing, &format!("Z1/{name}.example.com/A"), draw);
        let of_blue = |value: &str| Answer {
            path: vec!["blue.example.com.".to_owned(), value.to_owned()],
            ttl: Duration::from_secs(3600),
        };
        assert_eq!([answer("app", 0.2), answer("app", 0.8)], [Some(of_blue("192.0.2.1")), Some(of_blue("192.0.2.2"))]);
        assert_eq!(answer("out", 0.5), Some(Answer { path: vec!["lb.example.net.".to_owned()], ttl: ALIAS_TTL }));
        assert_eq!([answer("circle", 0.5), answer("nothing", 0.5)], [None, None]);
    }
}
