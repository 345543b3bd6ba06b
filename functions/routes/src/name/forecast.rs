//! What users get of a name at each state of a run, compared with what the plan gives them: pure.
//!
//! The weights say what the plan wants; health can make something else of them. A difference that comes from Route 53's rules
//! is told in precheck, by numbers, before anything is touched. What is said is about the health that was seen: what was not
//! seen counts as healthy, and that is told too.

use std::collections::{BTreeMap, BTreeSet};

use cutover::Finding;
use cutover::dns::normalise_name;
use cutover::plan::DnsRoute;

use super::check_status::{Look, Status};
use super::checks::PairChecks;
use super::planned::answers;
use super::record::RecordSet;
use super::shares::{Health, Zone};
use super::state::NameState;
use crate::weights::called;

/// Shares differ when they do by more than this: half a percent point, less than any step of a plan.
const MOST_DIFFERENCE: f64 = 0.005;
/// So many states are told of one difference.
const MOST_TOLD: usize = 3;

/// What must be known to tell the shares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Ids of health checks.
    pub checks: BTreeSet<String>,
    /// DNS names of what aliases outside of the zone evaluate.
    pub targets: BTreeSet<String>,
}

impl Wanted {
    /// What the records of a zone and the plan's answers depend on.
    pub fn of(zone: &Zone, route: &DnsRoute) -> Self {
        let kinds = zone.records.iter().filter(|((name, _), _)| *name == route.normalised_name());
        let live: Vec<RecordSet> = kinds.flat_map(|(_, records)| records.clone()).collect();
        let answers = answers(route, &live);
        let mut wanted = Self::of_records(zone, zone.records.values().flatten().chain(&answers));
        let named = route.records.iter().filter_map(|change| change.new.as_ref()?.health_check_id.clone()?);
        wanted.checks.extend(named);
        wanted
    }

    /// What all records of a zone depend on.
    pub fn of_zone(zone: &Zone) -> Self {
        Self::of_records(zone, zone.records.values().flatten())
    }

    fn of_records<'a>(zone: &Zone, records: impl Iterator<Item = &'a RecordSet>) -> Self {
        let mut wanted = Self::default();
        for record in records {
            wanted.checks.extend(record.health_check_id.clone());
            let alias = record.alias.as_ref().filter(|alias| alias.evaluate_target_health);
            let outside = alias.filter(|alias| alias.hosted_zone_id != zone.id);
            wanted.targets.extend(outside.map(|alias| normalise_name(&alias.dns_name)));
        }
        wanted
    }

    /// The health of everything, if all were well.
    pub fn all_well(&self) -> Health {
        let well = |names: &BTreeSet<String>| names.iter().map(|name| (name.clone(), true)).collect();
        Health { checks: well(&self.checks), targets: well(&self.targets) }
    }

    /// What was seen; what was not seen counts as healthy, and is told.
    pub fn with(&self, seen: Health, path: &str) -> (Health, Option<Finding>) {
        let not_in = |wanted: &BTreeSet<String>, seen: &BTreeMap<String, bool>| -> Vec<String> {
            wanted.iter().filter(|name| !seen.contains_key(*name)).cloned().collect()
        };
        let checks = not_in(&self.checks, &seen.checks).into_iter().map(|id| format!("health check {id}"));
        let targets = not_in(&self.targets, &seen.targets).into_iter();
        let unseen: Vec<String> = checks.chain(targets).collect();
        let mut health = self.all_well();
        health.checks.extend(seen.checks);
        health.targets.extend(seen.targets);
        let told = (!unseen.is_empty()).then(|| {
            let problem =
                format!("depends on health that was not seen, and counts as good here: {}", unseen.join(", "));
            Finding::warning(format!("{path}.records"), problem, "make sure that it is healthy")
        });
        (health, told)
    }
}

/// What the parts of a name get of its users, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Parts {
    old: f64,
    new: f64,
    others: f64,
}

impl Parts {
    /// The new side's part of what both sides get; none where they get nothing.
    fn new_of_pair(self) -> Option<f64> {
        (self.old + self.new > 0.0).then(|| self.new / (self.old + self.new))
    }

    fn differs(self, other: Self) -> bool {
        let pairs = [(self.old, other.old), (self.new, other.new), (self.others, other.others)];
        pairs.into_iter().any(|(one, other)| (one - other).abs() > MOST_DIFFERENCE)
    }

    /// Whether the new side's users are others than the plan's.
    fn moves_otherwise(self, wanted: Self) -> bool {
        match (self.new_of_pair(), wanted.new_of_pair()) {
            (Some(real), Some(wanted)) => (real - wanted).abs() > MOST_DIFFERENCE,
            (None, Some(wanted)) => wanted > 0.0,
            (_, None) => false,
        }
    }

    fn describe(self, neighbours: &BTreeSet<String>) -> String {
        let percent = |share: f64| (share * 1000.0).round() / 10.0;
        let neighbours: Vec<&str> = neighbours.iter().map(String::as_str).collect();
        let others = (self.others > 0.0).then(|| format!(" and {} % of {}", percent(self.others), called(&neighbours)));
        format!("{} % old, {} % new{}", percent(self.old), percent(self.new), others.unwrap_or_default())
    }
}

/// The new side's part of what both sides get of a type in this state, in percent; none where they get nothing, or where health
/// that it depends on is not known.
pub fn new_percent(route: &DnsRoute, before: &NameState, live: &NameState, health: &Health, kind: &str) -> Option<f64> {
    let zone = Zone { id: route.hosted_zone_id.clone(), ..Zone::default() };
    let zone = zone.with_name(&route.normalised_name(), live.records());
    parts(route, before, &zone, health, kind)?.new_of_pair().map(|part| 100.0 * part)
}

impl Health {
    /// What Route 53 makes of what was seen of a check: of what nothing is known yet it takes for healthy.
    pub fn add(&mut self, look: &Look) {
        if look.status != Status::Unseen {
            self.checks.insert(look.id.clone(), look.status != Status::Unhealthy);
        }
    }
}

/// A state of the run, and what a person calls it.
struct Stage {
    called: String,
    state: NameState,
}

/// The findings about what users get at each state of the run, from the health that was seen.
pub fn findings(route: &DnsRoute, before: &NameState, zone: &Zone, health: &Health, path: &str) -> Vec<Finding> {
    let stages = stages(route, before);
    let kinds: BTreeSet<&str> = route.records.iter().map(|change| change.record_type.as_str()).collect();
    let of_kind = |kind: &&str| of_type(route, before, zone, health, kind, &stages, path);
    kinds.iter().filter_map(of_kind).collect()
}

/// What users of the live record sets get that their weights do not say, for a person; nothing where health changes nothing.
pub fn difference(route: &DnsRoute, before: &NameState, zone: &Zone, health: &Health) -> Option<String> {
    let well = Wanted::of(zone, route).all_well();
    let neighbours = before.neighbours(route);
    let of_kind = |kind: &str| {
        let (real, wanted) = (parts(route, before, zone, health, kind)?, parts(route, before, zone, &well, kind)?);
        let sick = || sick_records(zone, route, health, kind).join(", ");
        let told = || {
            let [real, wanted] = [real, wanted].map(|parts| parts.describe(&neighbours));
            format!("users of {kind} get {real} instead of {wanted}: not healthy: {}", sick())
        };
        real.differs(wanted).then(told)
    };
    let kinds: BTreeSet<&str> = route.records.iter().map(|change| change.record_type.as_str()).collect();
    let told: Vec<String> = kinds.into_iter().filter_map(of_kind).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn stages(route: &DnsRoute, before: &NameState) -> Vec<Stage> {
    let planned = |percent| before.planned(route, percent, &PairChecks::default()).ok();
    let prepared = planned(0).map(|state| Stage { called: "before the first step".to_owned(), state });
    let step = |percent| Some(Stage { called: format!("at {percent} %"), state: planned(percent)? });
    let steps = route.steps.iter().filter_map(|one| step(one.new_weight));
    let finished = before.finished(route).ok().map(|state| Stage { called: "in the end".to_owned(), state });
    prepared.into_iter().chain(steps).chain(finished).collect()
}

fn of_type(
    route: &DnsRoute,
    before: &NameState,
    zone: &Zone,
    health: &Health,
    kind: &str,
    stages: &[Stage],
    path: &str,
) -> Option<Finding> {
    let well = Wanted::of(zone, route).all_well();
    let neighbours = before.neighbours(route);
    let mut told = Vec::new();
    let (mut is_error, mut sick) = (false, BTreeSet::new());
    for stage in stages {
        let zone = zone.with_name(&route.normalised_name(), stage.state.records());
        let parts = |health| parts(route, before, &zone, health, kind);
        let (Some(real), Some(wanted)) = (parts(health), parts(&well)) else { continue };
        if real.differs(wanted) {
            is_error |= real.moves_otherwise(wanted);
            let [real, wanted] = [real, wanted].map(|parts| parts.describe(&neighbours));
            told.push(format!("{} {real} instead of {wanted}", stage.called));
            sick.extend(sick_records(&zone, route, health, kind));
        }
    }
    told.dedup();
    if told.is_empty() {
        return all_sick(route, zone, health, kind, stages, path);
    }
    let more = if told.len() > MOST_TOLD { ", and so on" } else { "" };
    told.truncate(MOST_TOLD);
    let sick: Vec<String> = sick.into_iter().collect();
    let problem = format!(
        "users of the {kind} records would get what the plan does not say, as health goes before weights: {}{more}. Not healthy: {}",
        told.join("; "),
        sick.join(", ")
    );
    let fix =
        "make them healthy first, or take the health check or evaluate_target_health off for the time of the move";
    let path = format!("{path}.records");
    Some(if is_error { Finding::environment(path, problem, fix) } else { Finding::warning(path, problem, fix) })
}

/// Where nothing is healthy the weights hold, until one recovers: then that one gets everything.
fn all_sick(
    route: &DnsRoute,
    zone: &Zone,
    health: &Health,
    kind: &str,
    stages: &[Stage],
    path: &str,
) -> Option<Finding> {
    let prepared = stages.first()?;
    let zone = zone.with_name(&route.normalised_name(), prepared.state.records());
    let sick = sick_records(&zone, route, health, kind);
    let count = prepared.state.records().iter().filter(|record| record.record_type == kind).count();
    (count > 0 && sick.len() == count).then(|| {
        let problem = format!(
            "none of the {kind} records is healthy, so that their weights hold for now: the first that recovers gets all users"
        );
        let fix = "make them healthy first, or take the health checks off for the time of the move";
        Finding::warning(format!("{path}.records"), problem, fix)
    })
}

/// The records of the route's name and a type that are not healthy, for a person.
fn sick_records(zone: &Zone, route: &DnsRoute, health: &Health, kind: &str) -> Vec<String> {
    let key = (route.normalised_name(), kind.to_owned());
    let records = zone.records.get(&key).map(Vec::as_slice).unwrap_or_default();
    let sick = records.iter().filter(|record| zone.healthy(record, health) == Ok(false));
    sick.map(RecordSet::describe_health).collect()
}

fn parts(route: &DnsRoute, before: &NameState, zone: &Zone, health: &Health, kind: &str) -> Option<Parts> {
    let name = route.normalised_name();
    let shares = zone.shares(&name, kind, health).ok()?;
    let neighbours = before.neighbours(route);
    let new: Vec<RecordSet> = answers(route, &[]).into_iter().filter(|answer| answer.record_type == kind).collect();
    let mut parts = Parts::default();
    for (record, share) in zone.records.get(&(name, kind.to_owned()))?.iter().zip(shares) {
        let is_new = new.iter().any(|answer| record.leads_like(answer));
        let is_neighbour = record.set_identifier.as_ref().is_some_and(|one| neighbours.contains(one));
        match (is_new, is_neighbour) {
            (true, _) => parts.new += share,
            (false, true) => parts.others += share,
            (false, false) => parts.old += share,
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use cutover::Severity;
    use cutover::plan::{Alias, RecordData};

    use super::*;
    use crate::name::planned::tests::route;
    use crate::name::record::tests::{checked, simple, weighted};

    /// What is told of a route from these records, with checks of this health.
    fn told(route: &DnsRoute, records: Vec<RecordSet>, sick: &[&str]) -> Vec<(Severity, String)> {
        let before = NameState::new(records);
        let zone = Zone { id: "Z1".to_owned(), ..Zone::default() };
        let zone = zone.with_name(&route.normalised_name(), before.records());
        let wanted = Wanted::of(&zone, route);
        let mut health = wanted.all_well();
        let all = health.checks.iter_mut().chain(&mut health.targets);
        all.for_each(|(name, healthy)| *healthy = !sick.contains(&name.as_str()));
        let found = findings(route, &before, &zone, &health, "$.routes[0]");
        found.into_iter().map(|finding| (finding.severity, finding.problem)).collect()
    }

    fn to_alias() -> DnsRoute {
        let mut route = route(None);
        let alias = Alias {
            dns_name: "lb.example.net".to_owned(),
            hosted_zone_id: "Z2".to_owned(),
            evaluate_target_health: Some(true),
        };
        route.records[0].new = Some(RecordData { alias: Some(alias), ..RecordData::default() });
        route
    }

    #[test]
    fn where_all_is_healthy_users_get_what_the_plan_says() {
        assert_eq!(told(&route(None), vec![checked(weighted("blue", "1.2.3.4", 1), "abc")], &[]), []);
        assert_eq!(told(&to_alias(), vec![simple("1.2.3.4", 300)], &[]), []);
        assert_eq!(told(&route(None), vec![weighted("blue", "1.2.3.4", 0)], &[]), [], "all at weight 0 answer");
    }

    #[test]
    fn an_old_record_whose_check_fails_would_move_everybody_before_the_first_step() {
        let found = told(&route(None), vec![checked(simple("1.2.3.4", 300), "abc")], &["abc"]);
        let [(Severity::Error, problem)] = &found[..] else { panic!("{found:?}") };
        assert!(
            problem.contains("before the first step 0 % old, 100 % new instead of 100 % old, 0 % new"),
            "{problem}"
        );
        assert!(problem.contains("health check abc"), "{problem}");
    }

    #[test]
    fn a_new_answer_that_is_not_healthy_would_never_get_users() {
        let found = told(&to_alias(), vec![simple("1.2.3.4", 300)], &["lb.example.net."]);
        let [(Severity::Error, problem)] = &found[..] else { panic!("{found:?}") };
        assert!(
            problem.contains("at 100 % 100 % old, 0 % new instead of 0 % old, 100 % new. Not"),
            "not in the end: {problem}"
        );
        let mut route = to_alias();
        route.steps.insert(0, cutover::plan::Step { new_weight: 50, hold: cutover::Seconds(0) });
        let found = told(&route, vec![simple("1.2.3.4", 300)], &["lb.example.net."]);
        let [(Severity::Error, problem)] = &found[..] else { panic!("{found:?}") };
        assert!(problem.contains("at 50 % 100 % old, 0 % new instead of 50 % old, 50 % new"), "{problem}");
    }

    #[test]
    fn of_live_records_only_what_health_changes_is_said() {
        let (route, before) = (route(None), NameState::new(vec![checked(simple("1.2.3.4", 300), "abc")]));
        let live = before.planned(&route, 25, &PairChecks::default()).unwrap();
        let zone = Zone::default().with_name(&route.normalised_name(), live.records());
        let said = |healthy| {
            let health = Health { checks: [("abc".to_owned(), healthy)].into(), ..Health::default() };
            difference(&route, &before, &zone, &health)
        };
        assert_eq!(said(true), None);
        let told = "users of A get 0 % old, 100 % new instead of 75 % old, 25 % new: not healthy: A 1.2.3.4 (by health check abc)";
        assert_eq!(said(false).as_deref(), Some(told));
    }

    #[test]
    fn a_neighbour_that_is_not_healthy_is_told_and_moves_nobody_of_the_pair() {
        let records = vec![weighted("blue", "1.2.3.4", 100), checked(weighted("canary", "9.9.9.9", 100), "abc")];
        let found = told(&route(Some("blue")), records, &["abc"]);
        let [(Severity::Warning, problem)] = &found[..] else { panic!("{found:?}") };
        assert!(problem.contains("50 % of its neighbours (canary)"), "{problem}");
    }

    #[test]
    fn where_nothing_is_healthy_the_weights_hold_until_something_recovers() {
        let records =
            vec![checked(weighted("blue", "1.2.3.4", 100), "abc"), checked(weighted("green", "5.6.7.8", 0), "def")];
        let found = told(&route(None), records, &["abc", "def"]);
        assert!(matches!(&found[..], [(Severity::Warning, problem)] if problem.contains("none of the A records")));
    }

    #[test]
    fn health_that_was_not_seen_counts_as_good_and_is_told() {
        let zone = Zone::default();
        let zone = zone.with_name("app.example.com", &[checked(simple("1.2.3.4", 300), "abc")]);
        let wanted = Wanted::of(&zone, &to_alias());
        let (health, told) = wanted.with(Health::default(), "$");
        assert_eq!(health, wanted.all_well());
        assert!(told.is_some_and(|told| told.problem.contains("health check abc, lb.example.net.")));
        let seen = Health {
            checks: [("abc".to_owned(), false)].into(),
            targets: [("lb.example.net.".to_owned(), true)].into(),
        };
        assert_eq!(wanted.with(seen.clone(), "$"), (seen, None));
    }

    #[test]
    fn a_failing_check_gives_the_other_side_everything_whatever_the_weights() {
        use Status::{Healthy, Unhealthy, Unknown, Unseen};
        let before = NameState::new(vec![simple("1.2.3.4", 300)]);
        let checks = PairChecks { old: Some("old".to_owned()), new: Some("new".to_owned()) };
        for (percent, old, new, expected) in [
            (10, Healthy, Healthy, Some(10.0)),
            (10, Healthy, Unknown, Some(10.0)),
            (0, Unhealthy, Healthy, Some(100.0)),
            (10, Unhealthy, Healthy, Some(100.0)),
            (10, Healthy, Unhealthy, Some(0.0)),
            (10, Unhealthy, Unhealthy, Some(10.0)),
            (10, Unseen, Healthy, None),
        ] {
            let mut health = Health::default();
            for (id, status) in [("old", old), ("new", new)] {
                health.add(&Look { id: id.to_owned(), asks: String::new(), status, seen: String::new() });
            }
            let live = before.planned(&route(None), percent, &checks).unwrap();
            let found = new_percent(&route(None), &before, &live, &health, "A");
            assert_eq!(found, expected, "{percent} {old:?} {new:?}");
        }
    }
}
