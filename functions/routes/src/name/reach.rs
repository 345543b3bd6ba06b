//! What a name's answers lead to within its zone: the records behind aliases, as far as they can be read.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::Client;
use cutover::dns::normalise_name;
use cutover::finding::soften;
use cutover::plan::DnsRoute;
use cutover::{Finding, StepError, StepResult};

use super::aws::{from_aws, whatever_policy};
use super::observe;
use super::planned::answers;
use super::record::RecordSet;
use super::shares::Zone;
use super::state::NameState;

/// More names than this are not followed: of one name's aliases, so many are a mistake.
const MOST_NAMES: usize = 32;
/// So many pages of 300 records: a larger zone is looked at so far.
const MOST_PAGES: usize = 10;
/// So many zones are looked at: Route 53 answers five calls a second to a whole account.
const MOST_ZONES: i32 = 20;

/// What was read of a zone.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    /// Its records, as far as weights move them.
    pub zone: Zone,
    /// The types of each name that was read, whatever their routing policy.
    pub types: BTreeMap<String, BTreeSet<String>>,
}

/// The zone as far as the name's records and the plan's answers lead into it. What is not read is a warning: its TTL
/// and its health are not known then. That an alias of the name itself leads to nothing is told in `leads`.
///
/// # Errors
/// Those that a repetition may cure.
pub async fn zone(
    route53: &Client,
    route: &DnsRoute,
    state: &NameState,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<Reached> {
    let zone = Zone { id: route.hosted_zone_id.clone(), ..Zone::default() };
    let mut reached = Reached { zone, ..Reached::default() };
    reached.zone.add(&route.normalised_name(), state.records().to_vec());
    let direct: Vec<String> =
        answers(route, &[]).iter().chain(state.records()).filter_map(|one| reached.zone.leads_to(one)).collect();
    let mut wanted = direct.clone();
    let mut seen = vec![route.normalised_name()];
    while let Some(name) = wanted.pop() {
        if seen.contains(&name) || seen.len() > MOST_NAMES {
            continue;
        }
        seen.push(name.clone());
        let mut problems = Vec::new();
        let all = observe::all_of_name(route53, &route.hosted_zone_id, &name).await;
        let all = soften(all, path, &mut problems)?;
        if let Some(all) = &all {
            let types = all.iter().map(|record| record.r#type.as_str().to_owned()).collect();
            reached.types.insert(name.clone(), types);
        }
        let records = soften(all.iter().flatten().map(from_aws).collect::<StepResult<Vec<_>>>(), path, &mut problems)?;
        let records = records.unwrap_or_default();
        if records.is_empty() && !(problems.is_empty() && direct.contains(&name)) {
            let why = problems.first().map_or("there is no such record", |finding| finding.problem.as_str());
            findings.push(not_known(&name, why, path));
        }
        wanted.extend(records.iter().filter_map(|record| reached.zone.leads_to(record)));
        reached.zone.add(&name, records);
    }
    Ok(reached)
}

fn not_known(name: &str, why: &str, path: &str) -> Finding {
    let problem = format!("has an alias to {name}, of which TTL and health are not known: {why}");
    let fix = "see to it yourself that its TTL is short and its health checks succeed";
    Finding::warning(format!("{path}.records"), problem, fix)
}

/// The ids of the account's hosted zones, of the first page only, and whether these are all.
///
/// # Errors
/// AWS errors.
pub async fn zones_of_account(route53: &Client) -> StepResult<(Vec<String>, bool)> {
    let answer = route53.list_hosted_zones().max_items(MOST_ZONES).send().await;
    let answer = answer.map_err(|error| StepError::from_aws("route53:ListHostedZones", &error))?;
    let ids = answer.hosted_zones.iter().map(|zone| zone.id.trim_start_matches("/hostedzone/").to_owned());
    Ok((ids.collect(), !answer.is_truncated))
}

/// A whole zone, as far as weights move it, and its records with another routing policy, each with its name: they are answered by
/// other rules.
///
/// # Errors
/// AWS errors.
pub async fn whole(route53: &Client, zone_id: &str) -> StepResult<(Zone, Vec<(String, RecordSet)>)> {
    let (records, _) = observe::all_of_zone(route53, zone_id, MOST_PAGES).await?;
    let mut zone = Zone { id: zone_id.to_owned(), ..Zone::default() };
    let mut others = Vec::new();
    for record in &records {
        match from_aws(record) {
            Ok(own) => zone.add(&record.name, vec![own]),
            Err(_) => others.push((normalise_name(&record.name), whatever_policy(record))),
        }
    }
    Ok((zone, others))
}
