//! Whether the new side's answers are the old side's by another way, so that the run would move nobody. Pure.
//!
//! Compared is what users get in the end, health aside: addresses, or the name of a resource, `dualstack.` or not; aliases and CNAMEs
//! within the zone are followed, and what the plan's other routes move there has moved.

use std::collections::BTreeMap;

use aws_sdk_route53::types::ResourceRecordSet;
use cutover::Finding;
use cutover::dns::{bare_name, normalise_name};
use cutover::plan::{DnsRoute, Route};

use super::aws::from_aws;
use super::behind::Named;
use super::evaluated::MOST_ROUNDED;
use super::forecast::Wanted;
use super::observe;
use super::shares::{Answer, Health, Zone};
use super::state::NameState;

/// CNAMEs are followed so far; a longer row is a circle.
const MOST_CNAMES: usize = 16;
type Ends = BTreeMap<Answer, f64>;

/// The old side's answers by another way. `zone` is what the name leads to, `records` are all of the zone that were looked at.
pub(super) fn finding(named: &Named, zone: &Zone, records: &[ResourceRecordSet]) -> Option<Finding> {
    let Named { route, state, .. } = named;
    let finished = state.finished(route).ok().filter(|finished| !finished.is_like(state))?;
    let name = route.normalised_name();
    let mut before = whole(zone, records);
    replace(&mut before, &name, state, Some(state));
    let mut after = before.clone();
    for (other, state) in others(named, records) {
        replace(&mut after, &other.normalised_name(), &state, state.finished(other).ok().as_ref());
    }
    replace(&mut after, &name, state, Some(&finished));
    let mut health = Wanted::of_zone(&before).all_well();
    let Health { checks, targets } = Wanted::of_zone(&after).all_well();
    health.checks.extend(checks);
    health.targets.extend(targets);
    let ends = |zone: &Zone, kind: &str| ends(zone, &name, kind, &health, MOST_CNAMES);
    moves_nobody(route, state, |kind| (ends(&before, kind), ends(&after, kind))).then(|| {
        let problem = "answers in the end what it answers now, by another way: the run would move nobody";
        Finding::environment(format!("{}.records", named.path), problem, "name what leads to the new side")
    })
}

/// Whether every type of the plan answers alike before and after. A CNAME answers for both families, of which one may have nothing;
/// what changes its kind moves at least from one kind to another.
fn moves_nobody(route: &DnsRoute, state: &NameState, ends: impl Fn(&str) -> (Option<Ends>, Option<Ends>)) -> bool {
    let has = |kind: &str| state.records().iter().any(|record| record.record_type == kind);
    let mut kinds = route.records.iter().map(|change| change.record_type.as_str());
    let is_same = |kind: &str| matches!(ends(kind), (Some(old), Some(new)) if are_same(&old, &new));
    let goes = |kind: &str| matches!(ends(kind), (_, None));
    kinds.all(|kind| match kind {
        "CNAME" => {
            has(kind)
                && ["A", "AAAA"].into_iter().any(is_same)
                && ["A", "AAAA"].into_iter().all(|kind| is_same(kind) || goes(kind))
        }
        _ => has(kind) && is_same(kind),
    })
}

fn are_same(old: &Ends, new: &Ends) -> bool {
    old.len() == new.len()
        && old.iter().all(|(end, share)| new.get(end).is_some_and(|other| (share - other).abs() < MOST_ROUNDED))
}

/// Everything that is known of a zone, as far as weights move it.
fn whole(zone: &Zone, records: &[ResourceRecordSet]) -> Zone {
    let mut whole = Zone { id: zone.id.clone(), ..Zone::default() };
    for record in records {
        if let Ok(own) = from_aws(record) {
            whole.add(&record.name, vec![own]);
        }
    }
    whole.records.extend(zone.records.clone());
    whole
}

/// The plan's other names of the zone, each as it is.
fn others<'a>(named: &'a Named, records: &[ResourceRecordSet]) -> Vec<(&'a DnsRoute, NameState)> {
    let of_zone = named.plan.routes.iter().filter_map(|route| match route {
        Route::Dns(route) if route.hosted_zone_id == named.zone.id && route != named.route => Some(route),
        _ => None,
    });
    let with_state = |route: &'a DnsRoute| {
        let all = observe::of_name(records, &route.normalised_name());
        Some((route, observe::state_of(route, &all).ok()?))
    };
    of_zone.filter_map(with_state).collect()
}

/// Gives a name other records of the types of these; none where they are not known, and then nothing is said of what leads there.
fn replace(zone: &mut Zone, name: &str, before: &NameState, after: Option<&NameState>) {
    for record in before.records() {
        zone.records.remove(&(name.to_owned(), record.record_type.clone()));
    }
    zone.add(name, after.map(|after| after.records().to_vec()).unwrap_or_default());
}

/// What users of one family get of a name; none where that is not known, or nothing.
fn ends(zone: &Zone, name: &str, family: &str, health: &Health, cnames_left: usize) -> Option<Ends> {
    let name = normalise_name(name);
    let has = |kind: &str| zone.records.get(&(name.clone(), kind.to_owned())).is_some_and(|found| !found.is_empty());
    let kind = if has(family) { family } else { "CNAME" };
    let mut ends = Ends::new();
    for (answer, share) in zone.answers(&name, kind, health).ok()? {
        let found = match &answer {
            Answer::Target(target) => Ends::from([(Answer::Target(bare_name(target)), 1.0)]),
            Answer::Values(values) if kind == "CNAME" => {
                let to = normalise_name(values.first()?);
                if zone.records.keys().any(|(known, _)| *known == to) {
                    self::ends(zone, &to, family, health, cnames_left.checked_sub(1)?)?
                } else {
                    Ends::from([(Answer::Target(bare_name(&to)), 1.0)])
                }
            }
            Answer::Values(_) => Ends::from([(answer, 1.0)]),
        };
        for (end, part) in found {
            *ends.entry(end).or_default() += share * part;
        }
    }
    Some(ends)
}

#[cfg(test)]
mod tests {
    use cutover::plan::Plan;
    use serde_json::{Value, json};

    use super::*;
    use crate::name::around::HostedZone;
    use crate::name::behind::tests::{alias, record};

    const LB: &str = "old-lb.eu-west-1.elb.amazonaws.com.";
    const NEW: &str = "new-lb.eu-west-1.elb.amazonaws.com.";
    const ELB: &str = "Z32O12XQLNTSW2";

    /// Whether nobody would move by a plan whose first route is `app.example.com`, to this; `b` moves to another balancer with it.
    fn moves_nobody(kind: &str, new: Value, with_b: bool, records: &[ResourceRecordSet]) -> bool {
        let route = |name: &str, kind: &str, new: &Value| {
            json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": name, "steps": [{ "new_weight": 100 }],
                "records": [{ "type": kind, "new": new }] })
        };
        let mut routes = vec![route("app.example.com", kind, &new)];
        routes.extend(with_b.then(|| route("b.example.com", "A", &to(NEW, ELB))));
        let plan = Plan::read(&json!({ "application": "a", "routes": routes })).unwrap();
        let Route::Dns(route) = &plan.routes[0] else { panic!("no name") };
        let state = observe::state_of(route, &observe::of_name(records, "app.example.com.")).unwrap();
        let hosted = HostedZone { id: "Z1".to_owned(), name: "example.com.".to_owned(), is_private: false };
        let named = Named { plan: &plan, route, path: "$", zone: &hosted, state: &state };
        let zone = Zone { id: "Z1".to_owned(), ..Zone::default() };
        finding(&named, &zone, records).is_some()
    }

    fn to(name: &str, zone: &str) -> Value {
        json!({ "alias": { "dns_name": name, "hosted_zone_id": zone } })
    }

    fn cname(name: &str) -> Value {
        json!({ "values": [name] })
    }

    #[test]
    fn an_old_balancer_by_another_of_its_names_moves_nobody() {
        let live = [alias("A", "app.example.com.", LB, ELB)];
        assert!(moves_nobody("A", to(&format!("dualstack.{LB}"), ELB), false, &live));
        assert!(!moves_nobody("A", to(NEW, ELB), false, &live));
        let live = [record("CNAME", "app.example.com.", &[LB])];
        assert!(moves_nobody("CNAME", cname(&format!("dualstack.{LB}")), false, &live));
    }

    #[test]
    fn a_cname_by_way_of_the_zone_to_the_old_side_moves_nobody() {
        let live = record("CNAME", "app.example.com.", &[LB]);
        let by = |www: ResourceRecordSet| moves_nobody("CNAME", cname("www.example.com"), false, &[live.clone(), www]);
        assert!(by(record("CNAME", "www.example.com.", &[LB])));
        assert!(by(alias("A", "www.example.com.", LB, ELB)));
        assert!(!by(record("CNAME", "www.example.com.", &[NEW])));
        assert!(!by(alias("A", "www.example.com.", NEW, ELB)));
        assert!(!by(record("CNAME", "www.example.com.", &["www.example.com"])), "a circle");
    }

    #[test]
    fn a_name_that_follows_another_route_of_the_plan_moves_with_it() {
        let live = [alias("A", "app.example.com.", LB, ELB), alias("A", "b.example.com.", LB, ELB)];
        let to_b = || to("b.example.com", "Z1");
        assert!(moves_nobody("A", to_b(), false, &live));
        assert!(!moves_nobody("A", to_b(), true, &live));
    }

    #[test]
    fn a_change_of_kind_is_no_way_to_the_old_side() {
        let live = [record("CNAME", "app.example.com.", &[LB])];
        assert!(!moves_nobody("A", to(LB, ELB), false, &live));
    }
}
