//! Shares against Route 53's own tables, and against a second account of its rules: the choice as the developer guide tells
//! it, one draw after the other.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use routes::name::shares::{Answer, Health, Zone, balancer_is_healthy};
use routes::name::{AliasTarget, RecordSet};

const ZONE: &str = "Z1";
const ELSEWHERE: &str = "Z32O12XQLNTSW2";

fn record(value: &str, weight: Option<i64>) -> RecordSet {
    RecordSet {
        record_type: "A".to_owned(),
        set_identifier: weight.map(|_| value.to_owned()),
        weight,
        ttl: Some(60),
        values: vec![value.to_owned()],
        alias: None,
        health_check_id: None,
    }
}

fn alias(dns_name: &str, zone: &str, evaluate_target_health: bool, weight: Option<i64>) -> RecordSet {
    let alias = AliasTarget { dns_name: dns_name.to_owned(), hosted_zone_id: zone.to_owned(), evaluate_target_health };
    RecordSet { ttl: None, values: vec![], alias: Some(alias), ..record(dns_name, weight) }
}

fn checked(record: RecordSet, id: &str) -> RecordSet {
    RecordSet { health_check_id: Some(id.to_owned()), ..record }
}

fn zone(names: &[(&str, Vec<RecordSet>)]) -> Zone {
    let records = names.iter().map(|(name, records)| ((format!("{name}."), "A".to_owned()), records.clone()));
    Zone { id: ZONE.to_owned(), records: records.collect() }
}

fn seen<const COUNT: usize>(checks: [(&str, bool); COUNT]) -> BTreeMap<String, bool> {
    checks.into_iter().map(|(id, healthy)| (id.to_owned(), healthy)).collect()
}

/// The shares of records with these weights; each has a check of this health, or none.
fn shares(records: &[(i64, Option<bool>)]) -> Result<Vec<f64>, String> {
    let of = |(index, (weight, check)): (usize, &(i64, Option<bool>))| {
        let record = record(&format!("192.0.2.{index}"), Some(*weight));
        if check.is_some() { checked(record, &index.to_string()) } else { record }
    };
    let zone = zone(&[("app", records.iter().enumerate().map(of).collect())]);
    let seen = records.iter().enumerate().filter_map(|(index, (_, check))| Some((index.to_string(), (*check)?)));
    zone.shares("app", "A", &Health { checks: seen.collect(), ..Health::default() })
}

/// Developer guide, *Health checks and weighted routing*: both tables, row by row.
#[test]
fn a_record_of_weight_zero_answers_as_the_guides_tables_say() {
    let (well, sick) = (Some(true), Some(false));
    for (health, answers) in [
        ([sick, sick, well], [0.0, 0.0, 1.0]),
        ([sick, sick, sick], [0.5, 0.5, 0.0]),
        ([sick, well, sick], [0.0, 1.0, 0.0]),
        ([well, well, sick], [0.5, 0.5, 0.0]),
        ([well, well, well], [0.5, 0.5, 0.0]),
        // The record of weight 0 has no check.
        ([well, well, None], [0.5, 0.5, 0.0]),
        ([sick, sick, None], [0.0, 0.0, 1.0]),
        ([sick, well, None], [0.0, 1.0, 0.0]),
    ] {
        assert_eq!(shares(&[(1, health[0]), (1, health[1]), (0, health[2])]), Ok(answers.to_vec()), "{health:?}");
    }
}

#[test]
fn one_record_of_weight_zero_answers_and_several_answer_evenly() {
    assert_eq!(shares(&[(0, None)]), Ok(vec![1.0]));
    assert_eq!(shares(&[(0, Some(false))]), Ok(vec![1.0]));
    assert_eq!(shares(&[(0, None), (0, None)]), Ok(vec![0.5, 0.5]));
    assert_eq!(shares(&[(0, Some(false)), (0, None)]), Ok(vec![0.0, 1.0]));
}

/// The new record at weight 0 has no check, the old one's fails: all users move before any gate.
#[test]
fn a_failing_check_moves_everybody_to_the_record_of_weight_zero() {
    assert_eq!(shares(&[(100, Some(false)), (0, None)]), Ok(vec![0.0, 1.0]));
}

#[test]
fn a_simple_record_answers_whatever_its_health() {
    let sick = checked(record("192.0.2.1", None), "check");
    let health = Health { checks: seen([("check", false)]), ..Health::default() };
    assert_eq!(zone(&[("app", vec![sick])]).shares("app", "A", &health), Ok(vec![1.0]));
}

#[test]
fn an_alias_with_a_check_is_healthy_only_with_its_target() {
    let pair = [checked(alias("lb.aws.", ELSEWHERE, true, Some(50)), "check"), record("192.0.2.1", Some(50))];
    let zone = zone(&[("app", pair.to_vec())]);
    for (check, target, share) in [(true, true, 0.5), (true, false, 0.0), (false, true, 0.0), (false, false, 0.0)] {
        let health = Health { checks: seen([("check", check)]), targets: seen([("lb.aws.", target)]) };
        assert_eq!(zone.shares("app", "A", &health), Ok(vec![share, 1.0 - share]), "{check} {target}");
    }
}

#[test]
fn an_alias_is_sick_only_when_all_of_its_group_is() {
    let group = [checked(record("192.0.2.1", Some(1)), "one"), checked(record("192.0.2.2", Some(0)), "two")];
    let app = vec![alias("blue.", ZONE, true, Some(0)), alias("green.", ZONE, true, Some(100))];
    let zone = zone(&[("app", app), ("blue", vec![record("192.0.2.9", None)]), ("green", group.to_vec())]);
    let asked = |one, two| {
        let health = Health { checks: seen([("one", one), ("two", two)]), ..Health::default() };
        zone.answers("app", "A", &health).unwrap()
    };
    let all = |value: &str| BTreeMap::from([(Answer::Values(vec![value.to_owned()]), 1.0)]);
    assert_eq!(asked(true, false), all("192.0.2.1"));
    assert_eq!(asked(false, true), all("192.0.2.2"));
    assert_eq!(asked(false, false), all("192.0.2.9"), "the whole branch is left");
}

#[test]
fn what_is_not_known_is_an_error_and_no_guess() {
    let check = zone(&[("app", vec![checked(record("192.0.2.1", Some(1)), "check"), record("192.0.2.2", Some(1))])]);
    let target = zone(&[("app", vec![alias("lb.aws.", ELSEWHERE, true, None)])]);
    let missing = zone(&[("app", vec![alias("blue.", ZONE, false, None)])]);
    let circle = zone(&[("app", vec![alias("app.", ZONE, true, None)])]);
    for (zone, text) in
        [(check, "check check"), (target, "lb.aws."), (missing, "no A record of blue."), (circle, "circle")]
    {
        let problem = zone.answers("app", "A", &Health::default()).unwrap_err();
        assert!(problem.contains(text), "{problem}");
    }
}

#[test]
fn a_balancer_with_one_group_without_healthy_targets_is_sick() {
    assert!(balancer_is_healthy(&[2, 1]));
    assert!(!balancer_is_healthy(&[2, 0]));
    assert!(!balancer_is_healthy(&[]));
}

/// The choice as the guide tells it: draw one of those with weight, by weight; a sick one is put aside, and it is drawn again;
/// then of those without weight; where nobody is left, the first draw stands.
fn drawn(weights: &[i64], healthy: &[bool]) -> Vec<f64> {
    fn draw(pool: &[usize], weight: &dyn Fn(usize) -> f64, healthy: &[bool], mass: f64, got: &mut [f64]) -> f64 {
        if pool.is_empty() {
            return mass;
        }
        let whole: f64 = pool.iter().map(|index| weight(*index)).sum();
        let mut nobody = 0.0;
        for index in pool {
            let chance = mass * weight(*index) / whole;
            if healthy[*index] {
                got[*index] += chance;
            } else {
                let rest: Vec<usize> = pool.iter().copied().filter(|other| other != index).collect();
                nobody += draw(&rest, weight, healthy, chance, got);
            }
        }
        nobody
    }
    let (with, without): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(|index| weights[*index] > 0);
    let mut got = vec![0.0; weights.len()];
    let by_weight = |index: usize| weights[index] as f64;
    let nobody = draw(&with, &by_weight, healthy, 1.0, &mut got);
    let nobody = draw(&without, &|_| 1.0, healthy, nobody, &mut got);
    let all_well = vec![true; weights.len()];
    let nobody = draw(&with, &by_weight, &all_well, nobody, &mut got);
    draw(&without, &|_| 1.0, &all_well, nobody, &mut got);
    got
}

/// Whether something is healthy, by its name.
type Seen = BTreeMap<String, bool>;

/// A zone in which each name's aliases lead only to names before it: `name-0`, `name-1` and so on; and its health.
fn zones() -> impl Strategy<Value = (Vec<Vec<RecordSet>>, Seen, Seen)> {
    let kind = (0..3_u8, any::<prop::sample::Index>(), any::<bool>());
    let check = proptest::option::weighted(0.6, select(vec!["check-0", "check-1", "check-2", "check-3"]));
    let one = (kind, check, select(vec![0, 0, 1, 3, 100, 255]), 0..4_u8);
    let names = vec(vec(one, 1..5), 1..5);
    let health = vec(any::<bool>(), 8);
    (names, health).prop_map(|(names, health)| {
        let checks = (0..4).map(|index| (format!("check-{index}"), health[index])).collect();
        let targets = (0..4).map(|index| (format!("lb-{index}.aws."), health[4 + index])).collect();
        let build = |(place, sets): (usize, Vec<_>)| {
            let is_simple = sets.len() == 1;
            let set = |((kind, to, evaluates), check, weight, value): (
                (u8, prop::sample::Index, bool),
                Option<&str>,
                i64,
                u8,
            )| {
                let weight = (!is_simple).then_some(weight);
                let record = match kind {
                    0 if place > 0 => alias(&format!("name-{}.", to.index(place)), ZONE, evaluates, weight),
                    1 => alias(&format!("lb-{value}.aws."), ELSEWHERE, evaluates, weight),
                    _ => record(&format!("192.0.2.{value}"), weight),
                };
                check.map_or(record.clone(), |id| checked(record, id))
            };
            sets.into_iter().map(set).collect()
        };
        (names.into_iter().enumerate().map(build).collect(), checks, targets)
    })
}

proptest! {
    #[test]
    fn a_group_is_shared_as_it_is_drawn(records in vec((select(vec![0, 1, 2, 50, 255]), proptest::option::of(any::<bool>())), 1..6)) {
        let weights: Vec<i64> = records.iter().map(|(weight, _)| *weight).collect();
        let healthy: Vec<bool> = records.iter().map(|(_, check)| check.unwrap_or(true)).collect();
        let (shared, drawn) = (shares(&records).unwrap(), drawn(&weights, &healthy));
        for (share, expected) in shared.iter().zip(&drawn) {
            prop_assert!((share - expected).abs() < 1e-9, "{shared:?}, drawn {drawn:?}");
        }
        prop_assert!((shared.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    /// Names are worked off from those without aliases upwards, where the product goes down from the name that is asked.
    #[test]
    fn a_zone_answers_as_it_is_drawn((names, checks, targets) in zones()) {
        let mut is_well: Vec<bool> = Vec::new();
        let mut answers: Vec<BTreeMap<Answer, f64>> = Vec::new();
        let place = |name: &str| name.trim_start_matches("name-").trim_end_matches('.').parse::<usize>().unwrap();
        for sets in &names {
            let healthy: Vec<bool> = sets.iter().map(|set| {
                let passes = set.health_check_id.as_ref().is_none_or(|id| checks[id]);
                passes && set.alias.as_ref().filter(|alias| alias.evaluate_target_health).is_none_or(|alias| {
                    if alias.hosted_zone_id == ZONE { is_well[place(&alias.dns_name)] } else { targets[&alias.dns_name] }
                })
            }).collect();
            let weights: Vec<i64> = sets.iter().map(|set| set.weight.unwrap_or(1)).collect();
            let mut mine = BTreeMap::new();
            for (set, chance) in sets.iter().zip(drawn(&weights, &healthy)) {
                match &set.alias {
                    Some(alias) if alias.hosted_zone_id == ZONE => for (answer, share) in &answers[place(&alias.dns_name)] {
                        *mine.entry(answer.clone()).or_insert(0.0) += chance * share;
                    },
                    Some(alias) => *mine.entry(Answer::Target(alias.dns_name.clone())).or_insert(0.0) += chance,
                    None => *mine.entry(Answer::Values(set.values.clone())).or_insert(0.0) += chance,
                }
            }
            is_well.push(healthy.contains(&true));
            answers.push(mine);
        }
        let records = names.iter().enumerate().map(|(index, sets)| ((format!("name-{index}."), "A".to_owned()), sets.clone()));
        let zone = Zone { id: ZONE.to_owned(), records: records.collect() };
        let health = Health { checks, targets };
        for (index, expected) in answers.iter().enumerate() {
            let found = zone.answers(&format!("name-{index}"), "A", &health).unwrap();
            for answer in found.keys().chain(expected.keys()) {
                let [share, expected] = [&found, expected].map(|shares| shares.get(answer).copied().unwrap_or(0.0));
                prop_assert!((share - expected).abs() < 1e-9, "name-{}: {:?} {}, drawn {}", index, answer, share, expected);
            }
        }
    }
}
