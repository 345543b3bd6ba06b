//! Who stays on the old side of a name: other types, other names of the zone, other zones, browsers that follow hints. Pure.

use std::collections::BTreeSet;
use std::net::IpAddr;

use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use cutover::dns::{bare_name, normalise_name};
use cutover::plan::{DnsRoute, Plan, RecordType, Route};

use super::around::{Above, Around, Delegation, Elsewhere, HostedZone, name_servers};
use super::conversion::Conversion;
use super::family::Family;
use super::record::RecordSet;
use super::state::NameState;
use crate::behind::Behind;

/// A name of a plan, as it is.
pub(super) struct Named<'a> {
    /// The whole plan: what another route of it moves does not stay.
    pub plan: &'a Plan,
    /// The route.
    pub route: &'a DnsRoute,
    /// Its place in the plan.
    pub path: &'a str,
    /// The zone that the plan names.
    pub zone: &'a HostedZone,
    /// The before-image.
    pub state: &'a NameState,
}

impl Named<'_> {
    /// Everything that goes on to lead users to the old side.
    pub(super) fn behind(&self, around: &Around) -> Vec<Behind> {
        let name = self.route.normalised_name();
        let serving = serving(&around.records);
        let of_name = serving.iter().filter(|record| binds(&normalise_name(&record.name), &name));
        let mut found: Vec<Behind> = of_name.filter_map(|record| self.hints(record)).collect();
        found.extend(around.records.iter().find_map(|record| self.delegation(record)));
        let ways = self.old_ways(&serving);
        found.extend(serving.iter().filter_map(|record| self.other_name(record, &ways)));
        found.extend(self.without_answer(&serving));
        found.extend(around.elsewhere.iter().filter(|one| one.serves(around)).filter_map(|one| self.elsewhere(one)));
        let own = name_servers(&around.records, &self.zone.name);
        found.extend(around.above.iter().filter_map(|above| self.not_delegated(above, &own)));
        found.dedup_by(|one, other| one.what == other.what);
        found
    }

    pub(super) fn say(&self, what: String, problem: String, fix: impl Into<String>) -> Behind {
        Behind { path: format!("{}.record_name", self.path), what, problem, fix: fix.into() }
    }

    /// Whether a route of the plan moves the record of this zone.
    pub(super) fn is_moved(&self, zone_id: &str, record: &ResourceRecordSet) -> bool {
        self.plan.routes.iter().any(|route| moves(route, zone_id, record))
    }

    /// The old side's records of this name.
    pub(super) fn old(&self) -> Vec<&RecordSet> {
        if let Ok(Some(conversion)) = Conversion::of(self.state, self.route) {
            return conversion.old().to_vec();
        }
        let families = self.route.records.iter().filter_map(|change| Family::of(self.state, self.route, change).ok());
        families.filter_map(|family| family.old()).collect()
    }

    /// HTTPS and SVCB records with addresses of their own, or of another host: browsers follow them instead of A and AAAA (RFC
    /// 9460).
    pub(super) fn hints(&self, record: &ResourceRecordSet) -> Option<Behind> {
        if !is_binding(record) {
            return None;
        }
        let kind = record.r#type.as_str();
        let name = self.route.normalised_name();
        if let Some(to) = target(record).filter(|to| *to != name && !self.is_new(to)) {
            let problem = format!(
                "has an {kind} record that is an alias to {}, where browsers go whatever the name answers",
                shown(&to)
            );
            return Some(self.say(
                what(record),
                problem,
                "delete it before the run, and make it anew for the new side after",
            ));
        }
        let new: Vec<&str> = self.new_values().collect();
        let leads = record.resource_records().iter().find_map(|value| leads_to(&value.value, &name, &new))?;
        let problem = format!("has an {kind} record that leads browsers to {leads}, whatever the name answers");
        Some(self.say(what(record), problem, "take the hint out of it, or give it the new side's, before the run"))
    }

    /// Where the old side's answers lead and the new side's do not.
    fn old_ways(&self, serving: &[&ResourceRecordSet]) -> BTreeSet<String> {
        let mut old = ways(self.old().iter().filter_map(|old| old.target()).collect(), serving);
        let new = ways(self.new_targets().collect(), serving);
        old.retain(|way| !new.contains(way));
        old
    }

    fn new_values(&self) -> impl Iterator<Item = &str> {
        let answers = self.route.records.iter().filter_map(|change| change.new.as_ref());
        answers.flat_map(|new| new.values.iter().flatten()).map(String::as_str)
    }

    /// NS records between the zone's own name and this one: resolvers ask those servers, and never see this zone's records.
    fn delegation(&self, record: &ResourceRecordSet) -> Option<Behind> {
        let (name, delegated) = (self.route.normalised_name(), normalise_name(&record.name));
        let is_at_or_above = name == delegated || name.ends_with(&format!(".{delegated}"));
        if record.r#type != RrType::Ns || delegated == self.zone.name || !is_at_or_above {
            return None;
        }
        let servers: Vec<&str> = record.resource_records().iter().map(|server| server.value.as_str()).collect();
        let problem = format!(
            "is not answered from this zone: {delegated} is delegated to {}, so the change would reach nobody",
            servers.join(", ")
        );
        Some(self.say(what(record), problem, format!("name the hosted zone of {delegated}")))
    }

    /// Another name of the zone that leads where the old side's records lead, and is no name on the way there.
    fn other_name(&self, record: &ResourceRecordSet, ways: &BTreeSet<String>) -> Option<Behind> {
        let name = normalise_name(&record.name);
        // The name's own bindings are hints.
        let is_hint = is_binding(record) && binds(&name, &self.route.normalised_name());
        if self.is_moved(&self.zone.id, record) || ways.contains(&name) || is_hint {
            return None;
        }
        let target = targets(record).into_iter().find(|target| ways.contains(&bare_name(target)))?;
        let name = shown(&record.name);
        let problem = format!(
            "is not the only name: {} {name} leads to {} too, and stays there",
            record.r#type.as_str(),
            shown(&target)
        );
        Some(self.say(what(record), problem, format!("add a route for {name}")))
    }

    fn is_new(&self, target: &str) -> bool {
        self.new_targets().any(|name| bare_name(&name) == bare_name(target))
    }

    /// The names that the plan's answers are, in their normal form.
    pub(super) fn new_targets(&self) -> impl Iterator<Item = String> {
        let answers = self.route.records.iter().filter_map(|change| change.new.as_ref());
        let aliases = answers.filter_map(|new| new.alias.as_ref()).map(|alias| alias.dns_name.as_str());
        aliases.chain(self.new_values()).map(normalise_name)
    }

    /// Another zone that answers for the name: in its VPCs, or wherever it is the one that is asked.
    fn elsewhere(&self, elsewhere: &Elsewhere) -> Option<Behind> {
        let Elsewhere { zone, record } = elsewhere;
        if self.is_moved(&zone.id, record) || self.answers_new(record) {
            return None;
        }
        // Of public zones, a more special one is asked only where this one delegates to it, which is found as a delegation.
        if !zone.is_private && !self.zone.is_private && zone.name != self.zone.name {
            return None;
        }
        if is_binding(record) {
            let Behind { path, what, problem, fix } = self.hints(record)?;
            let problem = format!("{problem}, in zone {}", zone.id);
            return Some(Behind { path, what: format!("{what} {}", zone.id), problem, fix });
        }
        let users = match (zone.is_private, self.zone.is_private) {
            (true, _) => "users in its VPCs",
            (false, true) => "users outside of the VPCs",
            (false, false) => "those whose resolvers ask it",
        };
        let kind = if zone.is_private { "private" } else { "public" };
        let problem = format!(
            "is answered by the {kind} zone {} ({}) as well, for {users}: {} {}",
            zone.id,
            shown(&zone.name),
            record.r#type.as_str(),
            answer(record)
        );
        Some(self.say(format!("{} {}", what(record), zone.id), problem, "add a route for the name in that zone"))
    }

    fn answers_new(&self, record: &ResourceRecordSet) -> bool {
        if record.r#type == RrType::Cname && target(record).is_some_and(|to| self.is_new(&to)) {
            return true;
        }
        let of_type = |kind: RecordType| kind.as_str() == record.r#type.as_str();
        let change = self.route.records.iter().find(|change| of_type(change.record_type));
        let new = change.and_then(|change| change.new.as_ref());
        new.is_some_and(|new| super::aws::from_aws(record).is_ok_and(|live| live.answers_like(new)))
    }

    /// A public zone right above this one that does not lead to it, as far as its name servers, `own`, are known.
    fn not_delegated(&self, above: &Above, own: &[String]) -> Option<Behind> {
        if self.zone.is_private {
            return None;
        }
        let delegates = match &above.delegation {
            Delegation::OnTheWay(_) => return None,
            Delegation::To(servers) if own.is_empty() || servers.iter().any(|server| own.contains(server)) => {
                return None;
            }
            Delegation::To(servers) => {
                let servers: Vec<&str> = servers.iter().map(|server| shown(server)).collect();
                format!("delegates {} to {}, none of which has it", shown(&self.zone.name), servers.join(", "))
            }
            Delegation::Nowhere => format!("does not delegate {} to it", shown(&self.zone.name)),
        };
        let (zone, id) = (shown(&above.zone.name), &above.zone.id);
        let problem =
            format!("is not answered from this zone: {zone} (zone {id}) {delegates}, so the change would reach nobody");
        let fix = format!("name the zone that answers, or give zone {id} this zone's NS records");
        Some(self.say(format!("NS {} {id}", shown(&self.zone.name)), problem, fix))
    }
}

/// Whether a route moves the name of a record of this zone.
pub(super) fn moves(route: &Route, zone_id: &str, record: &ResourceRecordSet) -> bool {
    match route {
        Route::Dns(route) => route.hosted_zone_id == zone_id && route.normalised_name() == normalise_name(&record.name),
        Route::Listener(_) => false,
    }
}

impl Elsewhere {
    /// As [`serves`] says, within its zone.
    fn serves(&self, around: &Around) -> bool {
        let of_zone = around.elsewhere.iter().filter(|other| other.zone.id == self.zone.id);
        serves(&self.record, of_zone.map(|other| &other.record))
    }
}

/// Those that users get.
pub(super) fn serving(records: &[ResourceRecordSet]) -> Vec<&ResourceRecordSet> {
    records.iter().filter(|record| serves(record, records.iter())).collect()
}

/// Whether users get a record set: at weight 0 they do not while another of its name and type has more, health aside.
pub(super) fn serves<'a>(record: &ResourceRecordSet, mut all: impl Iterator<Item = &'a ResourceRecordSet>) -> bool {
    let has_more = |other: &ResourceRecordSet| {
        let is_beside = other.r#type == record.r#type && other.name.eq_ignore_ascii_case(&record.name);
        is_beside && other.weight.is_some_and(|weight| weight > 0)
    };
    record.weight != Some(0) || !all.any(has_more)
}

/// Where these names lead, through the aliases and CNAMEs of the zone: themselves, and all that are on the way.
pub(super) fn ways(from: Vec<String>, records: &[&ResourceRecordSet]) -> BTreeSet<String> {
    let mut ways: BTreeSet<String> = from.iter().map(|name| bare_name(name)).collect();
    loop {
        let on_the_way = records.iter().filter(|record| ways.contains(&normalise_name(&record.name)));
        let next: BTreeSet<String> =
            on_the_way.filter_map(|record| target(record)).map(|target| bare_name(&target)).collect();
        if next.is_subset(&ways) {
            return ways;
        }
        ways.extend(next);
    }
}

fn is_binding(record: &ResourceRecordSet) -> bool {
    matches!(record.r#type, RrType::Https | RrType::Svcb)
}

/// Whether service bindings of this name are the other's: its own, or those of one of its ports and protocols, such as
/// `_8443._https.app.example.com` (RFC 9460, 2.3 and 9.1).
fn binds(name: &str, of: &str) -> bool {
    let Some(before) = name.strip_suffix(of) else { return false };
    before.split_terminator('.').all(|label| label.starts_with('_')) && (before.is_empty() || before.ends_with('.'))
}

/// `AAAA app.example.com`.
pub(super) fn what(record: &ResourceRecordSet) -> String {
    format!("{} {}", record.r#type.as_str(), shown(&record.name))
}

/// A name without its last dot.
pub(super) fn shown(name: &str) -> &str {
    name.trim_end_matches('.')
}

/// The name that an alias or a CNAME leads to, in its normal form.
pub(super) fn target(record: &ResourceRecordSet) -> Option<String> {
    if let Some(alias) = &record.alias_target {
        return Some(normalise_name(&alias.dns_name));
    }
    let cname = record.resource_records().first().filter(|_| record.r#type == RrType::Cname);
    cname.map(|value| normalise_name(&value.value))
}

/// The same, and the names that service bindings lead to: another one than their own, which `.` stands for (RFC 9460, 2.3 and 2.5).
pub(super) fn targets(record: &ResourceRecordSet) -> Vec<String> {
    if !is_binding(record) || record.alias_target.is_some() {
        return target(record).into_iter().collect();
    }
    let bindings = record.resource_records().iter().filter_map(|value| value.value.split_whitespace().nth(1));
    bindings.map(normalise_name).filter(|name| name != ".").collect()
}

fn answer(record: &ResourceRecordSet) -> String {
    let values: Vec<&str> = record.resource_records().iter().map(|value| value.value.as_str()).collect();
    record.alias_target.as_ref().map_or_else(|| values.join(", "), |alias| shown(&alias.dns_name).to_owned())
}

/// Where the value of an HTTPS or SVCB record leads, apart from the name itself and the new side's addresses.
fn leads_to(value: &str, name: &str, new: &[&str]) -> Option<String> {
    let mut words = value.split_whitespace().skip(1);
    let target = normalise_name(words.next()?);
    if target != "." && target != name {
        return Some(shown(&target).to_owned());
    }
    let hints = words.filter_map(|word| word.strip_prefix("ipv4hint=").or_else(|| word.strip_prefix("ipv6hint=")));
    let addresses: Vec<&str> = hints.flat_map(|hint| hint.trim_matches('"').split(',')).collect();
    let is_new = |address: &str| new.iter().any(|new| is_same_address(new, address));
    let is_old = addresses.iter().any(|address| !is_new(address));
    is_old.then(|| addresses.join(", "))
}

/// Whether two texts are one address: IPv6 can be written in many ways.
pub(super) fn is_same_address(one: &str, other: &str) -> bool {
    let address = |text: &str| text.parse::<IpAddr>().ok();
    one == other || (address(one).is_some() && address(one) == address(other))
}

#[cfg(test)]
pub(super) mod tests;
