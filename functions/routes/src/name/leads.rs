//! Where the new side's answers lead: to something that is there, that Route 53 takes, and that is not the old side again. Pure,
//! but for one look at the zone that an alias names.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::Client;
use aws_sdk_route53::types::ResourceRecordSet;
use cutover::dns::normalise_name;
use cutover::finding::settled;
use cutover::plan::{Alias, DnsRoute, RecordChange};
use cutover::service_zones::{self, CLOUDFRONT_ZONE};
use cutover::{Finding, StepError, StepResult};

use super::behind::{Named, shown, ways};
use super::planned::answers;
use super::record::RecordSet;
use super::same;
use super::shares::Zone;

/// The types of each name of a zone that was read.
type Types = BTreeMap<String, BTreeSet<String>>;

/// What is wrong with where the plan's answers lead. `zone` is the plan's as far as they lead into it, with the types of each
/// name that was read, `records` are all of its records that were looked at.
pub(super) fn findings(named: &Named, (zone, types): (&Zone, &Types), records: &[ResourceRecordSet]) -> Vec<Finding> {
    let Named { route, path, .. } = named;
    let circle = in_a_circle(named, records);
    let mut findings = without_target(route, zone, types, records, path);
    findings.extend(made_again_without_target(named, zone, types));
    if circle.is_some() && findings.is_empty() {
        return circle.into_iter().collect();
    }
    findings.extend(same::finding(named, zone, records));
    findings.extend(from_a_private_zone(named));
    findings
}

/// Answers that lead back to the name, past other records of the zone: nobody would be answered.
fn in_a_circle(named: &Named, records: &[ResourceRecordSet]) -> Option<Finding> {
    let name = named.route.normalised_name();
    let others: Vec<&ResourceRecordSet> =
        records.iter().filter(|record| normalise_name(&record.name) != name).collect();
    let back = named.new_targets().find(|target| ways(vec![target.clone()], &others).contains(&name))?;
    let problem = format!("answers with {}, which leads back to the name itself: nobody would be served", shown(&back));
    let fix = "name the record of the new side, which leads to its addresses";
    Some(Finding::environment(format!("{}.records", named.path), problem, fix))
}

/// There are no records for CloudFront in a private zone (API reference, *AliasTarget*, DNSName).
fn from_a_private_zone(named: &Named) -> Vec<Finding> {
    let told = |(index, alias): (usize, &Alias)| {
        (named.zone.is_private && alias.hosted_zone_id == CLOUDFRONT_ZONE).then(|| {
            let path = format!("{}.records[{index}].new.alias", named.path);
            let problem = "is a CloudFront distribution, which a private zone takes no alias to: AWS would refuse it";
            Finding::environment(path, problem, "give the name a CNAME, or a load balancer")
        })
    };
    aliases(named.route).filter_map(told).collect()
}

/// An alias to a record of another zone of the account: Route 53 takes it within a zone only (API reference, *AliasTarget*,
/// HostedZoneId). What is no zone of the account is a service's.
///
/// # Errors
/// Those that a repetition may cure.
pub(super) async fn into_other_zones(
    route53: &Client,
    route: &DnsRoute,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    for (index, alias) in aliases(route) {
        let zone = &alias.hosted_zone_id;
        if *zone == route.hosted_zone_id || service_zones::of(&alias.dns_name).is_some() {
            continue;
        }
        let answer = route53.get_hosted_zone().id(zone).send().await;
        let answer = answer.map_err(|error| StepError::from_aws(&format!("route53:GetHostedZone {zone}"), &error));
        if settled(answer)?.is_ok() {
            let problem =
                format!("is {zone}, another zone of this account: an alias leads to records of its own zone only");
            let fix = "name a record of the same zone, or the resource that the record leads to";
            findings.push(Finding::environment(
                format!("{path}.records[{index}].new.alias.hosted_zone_id"),
                problem,
                fix,
            ));
        }
    }
    Ok(())
}

/// The plan's aliases, each with its place among the records.
fn aliases(route: &DnsRoute) -> impl Iterator<Item = (usize, &Alias)> {
    let places = route.records.iter().enumerate();
    places.filter_map(|(index, change)| Some((index, change.new.as_ref()?.alias.as_ref()?)))
}

/// An alias within the zone leads to a record of its own type that is there, and not to itself: Route 53 refuses the batch
/// otherwise (developer guide, *Values specific for simple alias records*).
fn without_target(
    route: &DnsRoute,
    zone: &Zone,
    types: &Types,
    records: &[ResourceRecordSet],
    path: &str,
) -> Vec<Finding> {
    let told = |(index, change): (usize, &RecordChange)| {
        let alias = change.new.as_ref()?.alias.as_ref().filter(|alias| alias.hosted_zone_id == zone.id)?;
        let (name, kind) = (normalise_name(&alias.dns_name), change.record_type.as_str());
        let shown = name.trim_end_matches('.');
        let is_there = types.get(&name).is_some_and(|types| types.contains(kind))
            || zone.records.contains_key(&(name.clone(), kind.to_owned()))
            || records.iter().any(|one| one.r#type.as_str() == kind && normalise_name(&one.name) == name);
        let (problem, fix) = if name == route.normalised_name() {
            (format!("is {shown}, the name itself"), "name the record of the new side".to_owned())
        } else if !is_there {
            let problem = format!("is {shown}, of which the zone has no {kind} record: AWS would refuse the alias");
            (problem, format!("make the {kind} record of {shown} first, or name another one"))
        } else {
            return None;
        };
        Some(Finding::environment(format!("{path}.records[{index}].new.alias.dns_name"), problem, fix))
    };
    route.records.iter().enumerate().filter_map(told).collect()
}

/// A record that is there, and an alias to a record that is not: Route 53 would refuse to make it again, for a step or on the way
/// back.
fn made_again_without_target(named: &Named, zone: &Zone, types: &Types) -> Vec<Finding> {
    let Named { route, state, path, .. } = named;
    let answers = answers(route, &[]);
    let led = state.created(route).into_iter().filter_map(|record| Some((zone.leads_to(&record)?, record)));
    let dangling = |(name, record): &(String, RecordSet)| {
        let is_read_without = types.get(name).is_some_and(|types| !types.contains(&record.record_type));
        let is_new = answers.iter().any(|new| new.record_type == record.record_type && record.leads_like(new));
        is_read_without && !is_new
    };
    let told: BTreeSet<(String, String)> =
        led.filter(dangling).map(|(name, record)| (shown(&name).to_owned(), record.record_type)).collect();
    let finding = |(name, kind): (String, String)| {
        let problem = format!(
            "has an alias to {name}, of which the zone has no {kind} record: AWS would refuse to make it again, and there \
             would be no way back"
        );
        let fix = format!("make the {kind} record of {name} first, or delete the alias");
        Finding::environment(format!("{path}.records"), problem, fix)
    };
    told.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use cutover::plan::{Plan, RecordType, Route};
    use serde_json::{Value, json};

    use super::super::around::HostedZone;
    use super::super::aws::from_aws;
    use super::super::state::NameState;
    use super::*;
    use crate::name::behind::tests::{alias, record};

    /// What is found of a plan that moves `app.example.com`, in a zone of these records.
    fn found(kind: RecordType, new: Value, records: &[ResourceRecordSet], is_private: bool) -> Vec<String> {
        let route = json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": "app.example.com",
            "records": [{ "type": kind, "new": new }], "steps": [{ "new_weight": 100 }] });
        let plan = Plan::read(&json!({ "application": "a", "routes": [route] })).unwrap();
        let Route::Dns(route) = &plan.routes[0] else { panic!("no name") };
        let own = records.iter().filter(|record| record.name == "app.example.com.");
        let state = NameState::new(own.map(|record| from_aws(record).unwrap()).collect());
        let hosted = HostedZone { id: "Z1".to_owned(), name: "example.com.".to_owned(), is_private };
        let named = Named { plan: &plan, route, path: "$", zone: &hosted, state: &state };
        let mut zone = Zone { id: "Z1".to_owned(), ..Zone::default() };
        let mut types = Types::new();
        for record in records {
            zone.add(&record.name, vec![from_aws(record).unwrap()]);
            types.entry(record.name.clone()).or_default().insert(record.r#type.as_str().to_owned());
        }
        types.entry("gone.example.com.".to_owned()).or_default();
        findings(&named, (&zone, &types), records).into_iter().map(|finding| finding.problem).collect()
    }

    fn to(name: &str) -> Value {
        json!({ "alias": { "dns_name": name, "hosted_zone_id": "Z1" } })
    }

    fn zone_with_ways() -> Vec<ResourceRecordSet> {
        vec![
            alias("A", "app.example.com.", "mid.example.com.", "Z1"),
            alias("A", "mid.example.com.", "blue.example.com.", "Z1"),
            record("A", "blue.example.com.", &["1.2.3.4"]),
            record("A", "green.example.com.", &["5.6.7.8"]),
            alias("A", "loop.example.com.", "app.example.com.", "Z1"),
        ]
    }

    #[test]
    fn an_answer_that_leads_back_to_the_name_serves_nobody() {
        let found = |kind, new, records: &[ResourceRecordSet]| found(kind, new, records, false).join("; ");
        assert!(
            found(RecordType::A, to("Loop.example.com"), &zone_with_ways()).contains("leads back to the name itself")
        );
        assert_eq!(found(RecordType::A, to("green.example.com"), &zone_with_ways()), "");
        let cname = |to: &str| json!({ "values": [to] });
        let records = [
            record("CNAME", "app.example.com.", &["old.example.net"]),
            record("CNAME", "back.example.com.", &["App.example.com"]),
        ];
        for circle in ["Back.example.com.", "BACK.example.com"] {
            assert!(found(RecordType::Cname, cname(circle), &records).contains("nobody would be served"), "{circle}");
        }
        assert_eq!(found(RecordType::Cname, cname("new.example.net"), &records), "");
    }

    #[test]
    fn an_answer_that_leads_to_the_old_side_again_moves_nobody() {
        let found = |new| found(RecordType::A, new, &zone_with_ways(), false).join("; ");
        assert!(found(to("blue.example.com")).contains("would move nobody"));
        assert!(found(json!({ "values": ["1.2.3.4"] })).contains("would move nobody"));
        assert_eq!(found(json!({ "values": ["5.6.7.8"] })), "");
    }

    #[test]
    fn a_private_zone_takes_no_alias_to_cloudfront() {
        let records = [record("A", "app.example.com.", &["1.2.3.4"])];
        let new = json!({ "alias": { "dns_name": "d1.cloudfront.net", "hosted_zone_id": CLOUDFRONT_ZONE } });
        let found = |is_private| found(RecordType::A, new.clone(), &records, is_private).join("; ");
        assert!(found(true).contains("AWS would refuse it"));
        assert_eq!(found(false), "");
    }

    #[test]
    fn an_alias_of_the_zone_leads_to_a_record_of_its_type_that_is_there() {
        let found = |kind: &str, to: &str| {
            let route = json!({ "hosted_zone_id": "Z1", "record_name": "a.example.com", "steps": [{ "new_weight": 100 }],
                "records": [{ "type": kind, "new": self::to(to) }] });
            let route: DnsRoute = serde_json::from_value(route).unwrap();
            let green = |kind: &str| ResourceRecordSet::builder().name("Green.example.com.").r#type(kind.into());
            let zone = Zone { id: "Z1".to_owned(), ..Zone::default() };
            let found = without_target(&route, &zone, &Types::new(), &[green("A").build().unwrap()], "$");
            found.into_iter().map(|finding| finding.problem).collect::<Vec<_>>()
        };
        assert_eq!(found("A", "green.example.com"), [""; 0]);
        assert!(found("AAAA", "green.example.com")[0].contains("the zone has no AAAA record"));
        assert!(
            found("A", "gren.example.com")[0].starts_with("is gren.example.com, of which the zone has no A record")
        );
        assert_eq!(found("A", "A.example.com."), ["is a.example.com, the name itself"]);
    }

    #[test]
    fn an_old_alias_that_leads_to_nothing_could_not_be_put_back() {
        let new = || json!({ "values": ["5.6.7.8"] });
        let aaaa = record("AAAA", "blue.example.com.", &["2001:db8::1"]);
        let to = |name: &str| vec![alias("A", "app.example.com.", name, "Z1"), aaaa.clone()];
        for name in ["gone.example.com.", "blue.example.com."] {
            let problems = found(RecordType::A, new(), &to(name), false);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains("no A record: AWS would refuse to make it again"), "{problems:?}");
        }
        assert_eq!(found(RecordType::A, new(), &to("unread.example.com."), false), [""; 0]);
        let there = [to("blue.example.com."), vec![record("A", "blue.example.com.", &["1.2.3.4"])]].concat();
        assert_eq!(found(RecordType::A, new(), &there, false), [""; 0]);
    }
}
