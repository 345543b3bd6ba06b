//! What is around a name: the records of its zone, and what other zones of the account say of it. Reads only.
//!
//! What a team withholds from precheck's role is a warning that says what was not looked at.

use std::collections::BTreeSet;

use aws_sdk_route53::Client;
use aws_sdk_route53::types::{self, ResourceRecordSet, RrType};
use cutover::dns::normalise_name;
use cutover::finding::beside;
use cutover::plan::DnsRoute;
use cutover::{Finding, StepError, StepResult};

use super::observe::{all_of_name, all_of_zone, at_or_below};

/// So many pages of 300 records: a larger zone is looked at so far. Route 53 answers five calls a second to a whole account.
const MOST_PAGES: usize = 10;

/// What is around a name, as far as it was looked at.
#[derive(Debug, Default)]
pub(super) struct Around {
    /// The records of the plan's zone.
    pub records: Vec<ResourceRecordSet>,
    /// What other zones answer for the name.
    pub elsewhere: Vec<Elsewhere>,
    /// The public zones right above the plan's zone, and whether they delegate to it.
    pub above: Vec<Above>,
}

/// A record set of another zone that answers for the name.
#[derive(Debug)]
pub(super) struct Elsewhere {
    /// That zone.
    pub zone: HostedZone,
    /// The record set: of the name itself, or of the `*` that covers it.
    pub record: ResourceRecordSet,
}

/// A public zone above the plan's.
#[derive(Debug)]
pub(super) struct Above {
    /// That zone.
    pub zone: HostedZone,
    /// What it says of the plan's zone.
    pub delegation: Delegation,
}

/// What a zone says of one below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Delegation {
    /// These name servers have it, in their normal form.
    To(Vec<String>),
    /// It delegates a name between the two, whose servers have to be asked.
    OnTheWay(String),
    /// Nothing: it answers itself.
    Nowhere,
}

/// A hosted zone of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostedZone {
    /// Its ID.
    pub id: String,
    /// Its name in its normal form.
    pub name: String,
    /// Whether only its VPCs ask it.
    pub is_private: bool,
}

impl HostedZone {
    /// A zone as the API describes it.
    pub(super) fn of(zone: &types::HostedZone) -> Self {
        Self {
            id: zone.id.trim_start_matches("/hostedzone/").to_owned(),
            name: normalise_name(&zone.name),
            is_private: zone.config.as_ref().is_some_and(|config| config.private_zone),
        }
    }
}

/// The records of the plan's zone, as far as they are looked at, and whether these are all.
///
/// # Errors
/// AWS errors.
pub(super) async fn records(route53: &Client, zone: &HostedZone) -> StepResult<(Vec<ResourceRecordSet>, bool)> {
    all_of_zone(route53, &zone.id, MOST_PAGES).await
}

/// Looks around, from what [`zones`] and [`records`] have answered.
///
/// # Errors
/// Those that a repetition may cure; what is denied is a warning.
pub(super) async fn observe(
    route53: &Client,
    route: &DnsRoute,
    (zone, records): (&HostedZone, StepResult<(Vec<ResourceRecordSet>, bool)>),
    zones: StepResult<Vec<HostedZone>>,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<Around> {
    let (records, is_whole) = seen(records, "the zone's other records", path, findings)?.unwrap_or_default();
    if !is_whole {
        let problem = format!(
            "is in a zone of which only the first {} records were looked at for others that lead to the old side",
            records.len()
        );
        findings.push(Finding::warning(path, problem, "see to the zone's other records yourself"));
    }
    let mut around = Around { records, ..Around::default() };
    let zones = seen(zones, "other zones of the name", path, findings)?.unwrap_or_default();
    // Each zone is delegated by the nearest one above it alone.
    let nearest = zones.iter().filter(|other| is_above(other, zone)).map(|other| other.name.len()).max();
    for other in zones.into_iter().filter(|other| other.id != zone.id) {
        let what = format!("what zone {} answers for the name", other.id);
        if is_above(&other, zone) {
            if Some(other.name.len()) == nearest
                && let Some(delegation) = seen(delegation(route53, &other, zone).await, &what, path, findings)?
            {
                around.above.push(Above { zone: other, delegation });
            }
        } else if let Some(found) = seen(answers(route53, route, &other).await, &what, path, findings)? {
            around.elsewhere.extend(found.into_iter().map(|record| Elsewhere { zone: other.clone(), record }));
        }
    }
    Ok(around)
}

/// What a zone above says of the plan's zone.
async fn delegation(route53: &Client, above: &HostedZone, zone: &HostedZone) -> StepResult<Delegation> {
    for name in suffixes(&zone.name).into_iter().filter(|name| name.len() > above.name.len()) {
        let servers = name_servers(&all_of_name(route53, &above.id, name).await?, name);
        if !servers.is_empty() && name == zone.name {
            return Ok(Delegation::To(servers));
        }
        if !servers.is_empty() {
            return Ok(Delegation::OnTheWay(name.to_owned()));
        }
    }
    Ok(Delegation::Nowhere)
}

/// The name servers that the NS records of a name say, in their normal form.
pub(super) fn name_servers(records: &[ResourceRecordSet], name: &str) -> Vec<String> {
    let of_name = records.iter().filter(|one| one.r#type == RrType::Ns && normalise_name(&one.name) == name);
    of_name.flat_map(|record| record.resource_records()).map(|server| normalise_name(&server.value)).collect()
}

/// Whether the plan's zone is answered only where another one delegates to it. Users of a private zone ask it itself; and
/// nobody asks an account for a public top-level domain.
fn is_above(other: &HostedZone, zone: &HostedZone) -> bool {
    let is_top = other.name.matches('.').count() == 1;
    other.name.len() < zone.name.len() && !is_top && !other.is_private && !zone.is_private
}

/// What was seen; a denied look is a warning.
fn seen<T>(look: StepResult<T>, what: &str, path: &str, findings: &mut Vec<Finding>) -> StepResult<Option<T>> {
    let not_seen = format!("may leave users on the old side: {what} could not be looked at");
    beside(look, path, &not_seen, findings)
}

/// The zones of the account that could answer for the name: those of its own name and of every name above it.
///
/// Zones come by their labels from the right (API reference of ListHostedZonesByName): those of a name stand behind those of the
/// names above it. So one page that begins at the top-level domain has them all, unless the account has a hundred zones below
/// that: then the next one begins at the next name. Private zones may have a top-level domain for their name, such as `corp`.
///
/// # Errors
/// AWS errors.
pub(super) async fn zones(route53: &Client, route: &DnsRoute) -> StepResult<Vec<HostedZone>> {
    let name = route.normalised_name();
    let suffixes = suffixes(&name);
    let mut found = Vec::new();
    for suffix in suffixes.iter().rev() {
        let (page, is_whole) = zones_from(route53, suffix).await?;
        found.extend(page);
        if is_whole {
            break;
        }
    }
    found.retain(|other| suffixes.contains(&other.name.as_str()));
    let mut known = BTreeSet::new();
    found.retain(|other| known.insert(other.id.clone()));
    Ok(found)
}

/// The zones from a name on, one page of them, and whether all are there that are of the name or below it.
async fn zones_from(route53: &Client, name: &str) -> StepResult<(Vec<HostedZone>, bool)> {
    let answer = route53.list_hosted_zones_by_name().dns_name(name).send().await;
    let answer =
        answer.map_err(|error| StepError::from_aws(&format!("route53:ListHostedZonesByName {name}"), &error))?;
    let zones: Vec<_> = answer.hosted_zones.iter().map(HostedZone::of).collect();
    let is_whole = !answer.is_truncated || zones.last().is_some_and(|last| !is_within(&last.name, name));
    Ok((zones, is_whole))
}

/// Whether a name is another one, or below it.
fn is_within(name: &str, above: &str) -> bool {
    name == above || name.ends_with(&format!(".{above}"))
}

/// The name, and every name above it.
fn suffixes(name: &str) -> Vec<&str> {
    let starts = std::iter::once(0).chain(name.match_indices('.').map(|(dot, _)| dot + 1));
    starts.map(|start| &name[start..]).filter(|suffix| !suffix.is_empty()).collect()
}

/// What another zone answers for the name: its own record sets, also those that browsers follow, else those of the `*` right below
/// the nearest name above it that is there. A name that has records of any type, or names below it, is there and is not answered
/// by a `*` (RFC 4592, 2.2 and 3.3).
async fn answers(route53: &Client, route: &DnsRoute, zone: &HostedZone) -> StepResult<Vec<ResourceRecordSet>> {
    let name = route.normalised_name();
    let is_answer = |record: &ResourceRecordSet| {
        matches!(record.r#type, RrType::A | RrType::Aaaa | RrType::Cname | RrType::Https | RrType::Svcb)
    };
    let (mut found, has_below) = at_or_below(route53, &zone.id, &name).await?;
    if found.is_empty() && !has_below {
        found = covering(route53, &name, zone).await?;
    }
    found.retain(is_answer);
    Ok(found)
}

/// The record sets of the `*` that covers a name which is not there.
async fn covering(route53: &Client, name: &str, zone: &HostedZone) -> StepResult<Vec<ResourceRecordSet>> {
    for above in names_above(name, &zone.name) {
        let found = all_of_name(route53, &zone.id, &wildcard(above)).await?;
        if !found.is_empty() || above == zone.name {
            return Ok(found);
        }
        let (own, has_below) = at_or_below(route53, &zone.id, above).await?;
        if !own.is_empty() || has_below {
            return Ok(Vec::new());
        }
    }
    Ok(Vec::new())
}

/// The names above a name within a zone, the nearest first.
fn names_above<'a>(name: &'a str, zone: &str) -> Vec<&'a str> {
    suffixes(name).into_iter().skip(1).filter(|suffix| suffix.len() >= zone.len()).collect()
}

fn wildcard(above: &str) -> String {
    normalise_name(&format!("*.{above}"))
}

#[cfg(test)]
mod tests {
    use cutover::error::name;

    use super::*;

    #[test]
    fn every_zone_that_could_hold_a_name_is_asked_for() {
        assert_eq!(suffixes("a.b.example.com."), ["a.b.example.com.", "b.example.com.", "example.com.", "com."]);
        assert_eq!(suffixes("app.corp."), ["app.corp.", "corp."], "a private zone may have one label");
    }

    #[test]
    fn a_name_is_within_the_names_above_it() {
        let is = |name| is_within(name, "example.com.");
        assert!(is("example.com.") && is("a.example.com.") && is("a.b.example.com."));
        assert!(!is("com.") && !is("counterexample.com.") && !is("example.net."));
    }

    #[test]
    fn wildcards_cover_names_within_their_zone() {
        let wildcards = |name, zone| names_above(name, zone).into_iter().map(wildcard).collect::<Vec<_>>();
        assert_eq!(wildcards("a.b.example.com.", "example.com."), ["\\052.b.example.com.", "\\052.example.com."]);
        assert_eq!(wildcards("a.x.corp.", "corp."), ["\\052.x.corp.", "\\052.corp."]);
        assert_eq!(wildcards("a.example.com.", "a.example.com."), [""; 0]);
    }

    #[test]
    fn only_public_zones_lead_to_each_other() {
        let zone = |name: &str, is_private| HostedZone { id: "Z".to_owned(), name: name.to_owned(), is_private };
        let is = |above, below| is_above(&zone("example.com.", above), &zone("app.example.com.", below));
        assert_eq!(
            [(false, false), (false, true), (true, false), (true, true)].map(|(a, b)| is(a, b)),
            [true, false, false, false]
        );
        assert!(!is_above(&zone("example.com.", false), &zone("example.com.", false)), "the same name");
        assert!(!is_above(&zone("com.", false), &zone("example.com.", false)), "a registry's");
    }

    #[test]
    fn a_denied_look_is_a_warning_and_a_passing_trouble_is_tried_again() {
        let mut findings = Vec::new();
        let denied = Err::<(), _>(StepError::new(name::NOT_PERMITTED, "route53:ListHostedZonesByName: denied"));
        assert_eq!(seen(denied, "other zones of the name", "$.routes[0]", &mut findings).unwrap(), None);
        assert_eq!(findings[0].severity, cutover::Severity::Warning);
        assert!(findings[0].problem.contains("other zones of the name could not be looked at"), "{findings:?}");
        let slow = Err::<(), _>(StepError::new(name::THROTTLED, "slow"));
        assert_eq!(seen(slow, "", "", &mut findings).unwrap_err().name, name::THROTTLED);
    }
}
