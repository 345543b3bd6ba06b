//! What precheck looks at in a hosted zone: the name's before-image, and what does not fit the plan.

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{ResourceRecordSet, TagResourceType};
use cutover::finding::soften_to;
use cutover::plan::{DnsRoute, Plan, RecordChange, RecordType};
use cutover::{Finding, StepError, StepResult};

use super::around::{self, HostedZone};
use super::batch::Refused;
use super::behind::{Named, serving};
use super::checks::PairChecks;
use super::conversion::{Conversion, health_checks_problem};
use super::family::Family;
use super::group::MOST_WEIGHT;
use super::planned::answers;
use super::reach::{self, Reached};
use super::record::RecordSet;
use super::shares::Zone;
use super::state::NameState;
use super::ttl::AliasTtls;
use super::{leads, observe, precheck_health};
use crate::behind::Behind;
use crate::weights::whole_fix;

/// What is right where a name's records do not go by weight.
const OTHER_POLICY: &str =
    "a run moves simple and weighted records: name the records that these lead to, or change the policy first";

/// What was seen of a name.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its before-image.
    pub state: NameState,
    /// How long resolvers keep what its aliases lead to.
    pub alias_ttls: AliasTtls,
    /// Its zone, as far as its answers lead.
    pub zone: Zone,
}

/// The tags of a name's hosted zone: records have none.
///
/// # Errors
/// AWS errors.
pub(crate) async fn tags(route53: &Client, route: &DnsRoute) -> StepResult<Vec<(String, String)>> {
    let asked = route53.list_tags_for_resource().resource_type(TagResourceType::Hostedzone);
    let answer = asked.resource_id(&route.hosted_zone_id).send().await;
    let answer = answer.map_err(|error| StepError::from_aws("route53:ListTagsForResource", &error))?;
    let tags = answer.resource_tag_set().map(|set| set.tags()).unwrap_or_default();
    Ok(tags
        .iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect())
}

/// The before-image of a name, and everything that does not fit the plan.
///
/// # Errors
/// Those that a repetition may cure; all else is a finding.
pub async fn observe(
    route53: &Client,
    plan: &Plan,
    route: &DnsRoute,
    path: &str,
    findings: &mut Vec<Finding>,
    behind: &mut Vec<Behind>,
) -> StepResult<Option<Seen>> {
    let zones = around::zones(route53, route).await;
    let Some(hosted) = zone_of_name(route53, route, &zones, path, findings).await? else { return Ok(None) };
    let name_path = format!("{path}.record_name");
    let records = around::records(route53, &hosted).await;
    let all = match &records {
        // One look at the zone tells of all its names.
        Ok((records, true)) => Ok(observe::of_name(records, &route.normalised_name())),
        _ => observe::all_of_name(route53, &hosted.id, &route.normalised_name()).await,
    };
    let Some(all) = soften_to(all, &name_path, OTHER_POLICY, findings)? else { return Ok(None) };
    let state = observe::state_of(route, &all);
    let Some(state) = soften_to(state, &name_path, OTHER_POLICY, findings)? else { return Ok(None) };
    findings.extend(fits(route, &state, path));
    behind.extend(other_family(route, &state, &all, path));
    findings.extend(beside_a_cname(route, &all, path));
    precheck_health::observe(route53, route, &state, path, findings).await?;
    let around = around::observe(route53, route, (&hosted, records), zones, path, findings).await?;
    let named = Named { plan, route, path, zone: &hosted, state: &state };
    behind.extend(named.behind(&around));
    findings.extend(named.told(&around));
    let Reached { zone, types } = reach::zone(route53, route, &state, path, findings).await?;
    findings.extend(leads::findings(&named, (&zone, &types), &around.records));
    leads::into_other_zones(route53, route, path, findings).await?;
    let alias_ttls = AliasTtls::of(&zone, state.records().iter().chain(&answers(route, &[])));
    findings.extend(alias_ttls.findings(route, &state, path));
    Ok(Some(Seen { state, alias_ttls, zone }))
}

/// The plan's zone, where the name is in it: most often among those that could answer for the name, which were asked for anyway.
async fn zone_of_name(
    route53: &Client,
    route: &DnsRoute,
    zones: &StepResult<Vec<HostedZone>>,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<Option<HostedZone>> {
    let known = zones.iter().flatten().find(|zone| zone.id == route.hosted_zone_id);
    if let Some(zone) = known {
        return Ok(Some(zone.clone()));
    }
    let answer = route53.get_hosted_zone().id(&route.hosted_zone_id).send().await;
    let call = format!("route53:GetHostedZone {}", route.hosted_zone_id);
    let answer = answer.map_err(|error| StepError::from_aws(&call, &error));
    let answer = soften_to(answer, &format!("{path}.hosted_zone_id"), "name a hosted zone of this account", findings)?;
    let Some(zone) = answer.and_then(|answer| answer.hosted_zone).map(|zone| HostedZone::of(&zone)) else {
        return Ok(None);
    };
    let name = route.normalised_name();
    if name == zone.name || name.ends_with(&format!(".{}", zone.name)) {
        return Ok(Some(zone));
    }
    let problem = format!("is not in the zone, which is {}", zone.name);
    findings.push(Finding::environment(format!("{path}.record_name"), problem, "name a record of this zone"));
    Ok(None)
}

/// Whether the plan can be carried out from this state: pure.
fn fits(route: &DnsRoute, state: &NameState, path: &str) -> Vec<Finding> {
    let records = format!("{path}.records");
    if let Some(problem) = health_checks_problem(route, state) {
        return vec![Finding::environment(format!("{path}.health_checks"), problem, "leave health_checks out")];
    }
    let finished = match state.finished(route) {
        Ok(finished) => finished,
        Err(problem) => {
            return vec![Finding::environment(records, problem, right_pair(state))];
        }
    };
    if finished.is_like(state) {
        return vec![Finding::environment(records, "answers with the new side already", "there is nothing to move")];
    }
    let mut findings = Vec::new();
    if let Err(problem) = state.check_pair(route) {
        let fix = "give the old side the traffic and the new one weight 0, so that the before-image is the old side";
        findings.push(Finding::environment(&records, problem, fix));
    }
    for (index, step) in route.steps.iter().enumerate() {
        if let Err(problem) = state.planned(route, step.new_weight, &PairChecks::default()) {
            let fix = step_fix(route, state);
            findings.push(Finding::plan(format!("{path}.steps[{index}].new_weight"), problem, fix));
        }
    }
    if findings.is_empty()
        && let Err(Refused { problem, fix }) = state.check_batches(route)
    {
        findings.push(Finding::environment(&records, problem, fix));
    }
    findings.extend(of_one_side(route, state, &records));
    findings.extend(goes_with_it(route, state, &records));
    findings.extend(inherits_nothing(route, state, &records));
    if evaluates_health(route, state) {
        let problem =
            "has an alias that evaluates its target's health, which can redirect traffic away from its weight";
        findings.push(Finding::warning(records, problem, "make sure that the targets are healthy"));
    }
    findings
}

/// What is right where a step cannot be written into the name's records.
fn step_fix(route: &DnsRoute, state: &NameState) -> String {
    if matches!(Conversion::of(state, route), Ok(Some(_))) {
        return "give it steps of 0 and 100 alone".to_owned();
    }
    let weights = |change: &RecordChange| match Family::of(state, route, change) {
        Ok(Family::Moved(group)) => group.weights(),
        _ => None,
    };
    let groups: Vec<(i32, i32)> = route.records.iter().filter_map(weights).collect();
    whole_fix(&groups, &route.steps, MOST_WEIGHT)
}

/// What would be right where the old side of a name is not clear: the identifiers, as they are written.
fn right_pair(state: &NameState) -> String {
    let mut named: Vec<String> = state.records().iter().filter_map(|record| record.set_identifier.clone()).collect();
    named.dedup();
    let fix = "name the types that the name has; a type that neither side has, or that has no record to take away, is left out; \
               where several records get traffic, set old_set_identifier";
    if named.is_empty() { fix.to_owned() } else { format!("{fix}: one of {}", named.join(", ")) }
}

/// A type that only one side has cannot move by weights: what that means for its users.
fn of_one_side(route: &DnsRoute, state: &NameState, path: &str) -> Vec<Finding> {
    let told = |(index, change): (usize, &RecordChange)| {
        let kind = change.record_type.as_str();
        let (problem, fix) = match Family::of(state, route, change).ok()? {
            Family::Moved(_) | Family::Kept(_) => return None,
            Family::Dropped { .. } => (
                format!(
                    "takes the {kind} records away with the change to 100 %: until then all who use them are on the old side, \
                     and those who have nothing else are not served after"
                ),
                "make sure that every user can do without",
            ),
            Family::Added { .. } => (
                format!("adds {kind} records, which the name does not have yet, with the change to 100 %"),
                "try the new side by them beforehand: no step before tries them",
            ),
        };
        Some(Finding::warning(format!("{path}[{index}]"), problem, fix))
    };
    route.records.iter().enumerate().filter_map(told).collect()
}

/// A type that the old side has not takes no health check and no evaluation from another type, which are of other targets.
fn inherits_nothing(route: &DnsRoute, state: &NameState, path: &str) -> Vec<Finding> {
    let told = |(index, change): (usize, &RecordChange)| {
        let Family::Added { new, like, .. } = Family::of(state, route, change).ok()? else { return None };
        let evaluates = |record: &RecordSet| record.alias.as_ref().is_some_and(|alias| alias.evaluate_target_health);
        let [has_check, has_evaluation] = [
            like.health_check_id.is_some() && new.health_check_id.is_none(),
            new.alias.is_some() && evaluates(like) && !evaluates(&new),
        ];
        let what = match (has_check, has_evaluation) {
            (true, true) => "the health check and the evaluation of its target's health",
            (true, false) => "the health check",
            (false, true) => "the evaluation of its target's health",
            (false, false) => return None,
        };
        let (kind, other) = (change.record_type.as_str(), &like.record_type);
        let problem = format!("adds {kind} records without {what} that the {other} record has");
        let fix = "say so in new.health_check_id, and evaluate_target_health of its alias, where they shall have them";
        Some(Finding::warning(format!("{path}[{index}]"), problem, fix))
    };
    route.records.iter().enumerate().filter_map(told).collect()
}

/// What is at weight 0 beside a record that changes its kind cannot stay beside the new one.
fn goes_with_it(route: &DnsRoute, state: &NameState, path: &str) -> Option<Finding> {
    let conversion = Conversion::of(state, route).ok().flatten()?;
    let idle: Vec<String> = conversion.idle().iter().map(|record| record.describe()).collect();
    (!idle.is_empty()).then(|| {
        let problem = format!("takes away what is at weight 0, with the change to 100 %: {}", idle.join("; "));
        Finding::warning(path, problem, "make sure that nobody needs it: only undo makes it again")
    })
}

/// Whether an alias among the records, or among the plan's answers, gets no traffic while its target is not healthy.
fn evaluates_health(route: &DnsRoute, state: &NameState) -> bool {
    let live = state.records().iter().filter_map(|record| record.alias.as_ref());
    let planned = route.records.iter().filter_map(|change| change.new.as_ref()?.alias.as_ref());
    live.map(|alias| alias.evaluate_target_health)
        .chain(planned.map(|alias| alias.evaluate_target_health == Some(true)))
        .any(|on| on)
}

/// A and AAAA are separate record sets: moving one alone splits clients by address family. Those of a neighbour stay with it.
pub(super) fn other_family(
    route: &DnsRoute,
    state: &NameState,
    all: &[ResourceRecordSet],
    path: &str,
) -> Option<Behind> {
    let in_plan = |kind: &str| route.records.iter().any(|record| record.record_type.as_str() == kind);
    if in_plan("CNAME") {
        return None;
    }
    let neighbours = state.neighbours(route);
    let is_left = |record: &ResourceRecordSet| {
        !record.set_identifier.as_ref().is_some_and(|identifier| neighbours.contains(identifier))
    };
    let left = ["A", "AAAA"].into_iter().find(|kind| {
        !in_plan(kind) && serving(all).iter().any(|record| record.r#type.as_str() == *kind && is_left(record))
    })?;
    let problem = format!("leaves the name's {left} records on the old side: clients would be split by address family");
    let what = format!("{left} {}", route.normalised_name().trim_end_matches('.'));
    let fix =
        format!("add the new {left} answer to the plan, or {left} with \"new\": null where the new side has none");
    Some(Behind { path: format!("{path}.records"), what, problem, fix })
}

/// Route 53 takes no CNAME beside a record of another type, and none at the zone's own name, where NS and SOA are.
fn beside_a_cname(route: &DnsRoute, all: &[ResourceRecordSet], path: &str) -> Option<Finding> {
    let to_cname = route.records.iter().any(|change| change.record_type == RecordType::Cname);
    let beside = all.iter().map(|record| record.r#type.as_str()).find(|kind| !["A", "AAAA", "CNAME"].contains(kind));
    let kind = beside.filter(|_| to_cname)?;
    let problem = format!("has records of type {kind}, beside which there can be no CNAME");
    Some(Finding::environment(format!("{path}.records"), problem, "give the name an alias, or addresses"))
}

#[cfg(test)]
mod tests;
