//! What precheck says of the health checks that a name's records have, and of those that the plan names.
//!
//! What failing ones do to users is told with the shares, in `forecast`.

use std::collections::BTreeSet;

use aws_sdk_route53::Client;
use cutover::finding::settled;
use cutover::plan::DnsRoute;
use cutover::{Finding, StepResult};

use super::check_look;
use super::check_status::{Attached, Look, Side, Status};
use super::checks::PairChecks;
use super::state::NameState;

/// Looks at the health checks of both sides' records as they will be, and whether those of their neighbours are there, where the
/// run makes these again; and says what does not fit.
///
/// # Errors
/// Those that a repetition may cure. What cannot be seen is told with the shares.
pub(super) async fn observe(
    route53: &Client,
    route: &DnsRoute,
    state: &NameState,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    // A plan that does not fit has findings of its own.
    let attached = state.to_attach(route, &PairChecks::default()).unwrap_or_default();
    for one in &attached {
        if let Some(look) = seen(route53, &one.id).await? {
            findings.extend(judge(route, state, one, &look, path));
        }
    }
    for id in neighbours(route, state, &attached) {
        let look = seen(route53, &id).await?;
        findings.extend(look.filter(|look| look.status == Status::Missing).map(|look| gone(&look, path)));
    }
    Ok(())
}

async fn seen(route53: &Client, id: &str) -> StepResult<Option<Look>> {
    settled(check_look::look(route53, id).await).map(Result::ok)
}

/// The checks that no side's record has, of the records that the run makes again. Pure.
fn neighbours(route: &DnsRoute, state: &NameState, attached: &[Attached]) -> BTreeSet<String> {
    let made = state.created(route).into_iter().filter_map(|record| record.health_check_id);
    made.filter(|id| !attached.iter().any(|one| one.id == *id)).collect()
}

/// A check that a record has and that was deleted: the record cannot be made again, not for a step and not for the way back (API
/// reference of ChangeResourceRecordSets, NoSuchHealthCheck).
fn gone(look: &Look, path: &str) -> Finding {
    let problem = format!(
        "has a record with the health check {}, which does not exist any more: AWS would refuse to make the record again",
        look.id
    );
    let fix = "take the check off the record first, or give it one that is there";
    Finding::environment(format!("{path}.records"), problem, fix)
}

/// What is to be said of one check. Pure.
fn judge(route: &DnsRoute, state: &NameState, attached: &Attached, look: &Look, path: &str) -> Vec<Finding> {
    let is_named = |id: Option<String>| id.as_ref() == Some(&attached.id);
    match route.records.iter().position(|change| is_named(change.check(None))) {
        Some(index) if attached.side == Side::New => {
            named(look, format!("{path}.records[{index}].new.health_check_id")).into_iter().collect()
        }
        _ if look.status == Status::Missing => vec![gone(look, path)],
        _ => vec![carried(route, state, attached, look, format!("{path}.records"))],
    }
}

/// A check that the plan names for the new record is attached only once it is healthy.
fn named(look: &Look, path: String) -> Option<Finding> {
    let fix = "let the new side pass it first, name another one, or leave it out";
    match look.status {
        Status::Missing => Some(Finding::environment(path, "names a health check that does not exist", fix)),
        Status::Unhealthy => {
            let problem = format!("is attached only once it is healthy, and is not: {}", look.describe());
            Some(Finding::environment(path, problem, fix))
        }
        Status::Unknown => {
            let problem = format!("is attached only once it is healthy: {}", look.describe());
            Some(Finding::warning(path, problem, fix))
        }
        Status::Healthy | Status::Unseen => None,
    }
}

/// A check that a record has already goes before its weight; and the final record keeps it, whatever it asks.
fn carried(route: &DnsRoute, state: &NameState, attached: &Attached, look: &Look, path: String) -> Finding {
    let side = attached.side.as_str();
    let article = if attached.side == Side::Old { "an" } else { "a" };
    let problem = format!("has {article} {side} record whose health goes before its weight: {}", look.describe());
    let finished = state.finished(route).map(|finished| finished.attached(route, state)).unwrap_or_default();
    let is_kept = finished.contains(&Attached { side: Side::New, id: attached.id.clone() });
    if !is_kept || attached.side == Side::New {
        return Finding::warning(path, problem, "make sure that it is healthy and stays so");
    }
    let problem = format!("{problem}. The final record keeps this check");
    let fix = "where it watches the old side alone, name the new side's in new.health_check_id, or null for none";
    Finding::warning(path, problem, fix)
}

#[cfg(test)]
mod tests {
    use cutover::Severity;

    use super::*;
    use crate::name::planned::tests::route;
    use crate::name::record::tests::{checked, simple, weighted};

    /// What is said of a check of a record, or of one that the plan names.
    fn told(named: Option<Option<&str>>, side: Side, id: &str, status: Status) -> Option<(Severity, String)> {
        let mut route = route(None);
        route.records[0].new.as_mut().unwrap().health_check_id = named.map(|named| named.map(str::to_owned));
        let state = NameState::new(vec![checked(simple("1.2.3.4", 300), "old")]);
        let attached = Attached { side, id: id.to_owned() };
        let look = Look {
            id: id.to_owned(),
            asks: "https://x:443/".to_owned(),
            status,
            seen: "0 of 16 checkers succeed".to_owned(),
        };
        let found = judge(&route, &state, &attached, &look, "$");
        found.into_iter().next().map(|finding| (finding.severity, finding.problem))
    }

    #[test]
    fn a_named_check_must_be_there_and_pass() {
        let named = |status| told(Some(Some("new")), Side::New, "new", status);
        assert_eq!(named(Status::Healthy), None);
        for status in [Status::Missing, Status::Unhealthy] {
            assert!(matches!(named(status), Some((Severity::Error, _))), "{status:?}");
        }
        assert!(named(Status::Unhealthy).is_some_and(|(_, problem)| problem.contains("0 of 16 checkers")));
        assert!(matches!(named(Status::Unknown), Some((Severity::Warning, _))));
    }

    #[test]
    fn a_check_that_was_deleted_refuses_the_plan() {
        for named in [None, Some(None), Some(Some("new"))] {
            let (severity, problem) = told(named, Side::Old, "old", Status::Missing).unwrap();
            assert_eq!(severity, Severity::Error, "{named:?}");
            assert!(problem.contains("health check old, which does not exist any more"), "{problem}");
        }
    }

    #[test]
    fn the_checks_of_neighbours_are_looked_for_where_the_run_makes_them_again() {
        let found = |ttl| {
            let neighbour = checked(weighted("canary", "9.9.9.9", 0), "canary");
            let records = vec![checked(weighted("blue", "1.2.3.4", 100), "blue"), neighbour];
            let records = records.into_iter().map(|record| crate::name::RecordSet { ttl: Some(ttl), ..record });
            let (state, route) = (NameState::new(records.collect()), route(None));
            let attached = state.to_attach(&route, &PairChecks::default()).unwrap();
            neighbours(&route, &state, &attached).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(found(300), ["canary"], "its TTL is lowered");
        assert_eq!(found(60), [""; 0], "nobody touches it");
    }

    #[test]
    fn a_check_that_the_final_record_keeps_is_told_with_what_it_asks() {
        let keeps = |named| told(named, Side::Old, "old", Status::Healthy).unwrap();
        let (severity, problem) = keeps(None);
        assert_eq!(severity, Severity::Warning);
        assert!(
            problem.contains("https://x:443/") && problem.contains("The final record keeps this check"),
            "{problem}"
        );
        for named in [Some(None), Some(Some("new"))] {
            assert!(!keeps(named).1.contains("keeps"), "{named:?}");
        }
    }
}
