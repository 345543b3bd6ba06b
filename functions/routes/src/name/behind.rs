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
        self.plan.routes.iter().any(|route| match route {
            Route::Dns(route) => {
                route.hosted_zone_id == zone_id && route.normalised_name() == normalise_name(&record.name)
            }
            Route::Listener(_) => false,
        })
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
        let problem = format!(
            "is not answered from this zone: {zone} (zone {id}) {delegates}, so the change would reach nobody"
        );
        let fix = format!("name the zone that answers, or give zone {id} this zone's NS records");
        Some(self.say(format!("NS {} {id}", shown(&self.zone.name)), problem, fix))
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
pub(super) fn serves<'a>(
    record: &ResourceRecordSet,
    mut all: impl Iterator<Item = &'a ResourceRecordSet>,
) -> bool {
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
        let next: BTreeSet<String> = on_the_way.filter_map(|record| target(record)).map(|target| bare_name(&target)).collect();
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
pub(super) mod tests {
    use aws_sdk_route53::types::{AliasTarget, ResourceRecord};
    use serde_json::{Value, json};

    use super::*;

    const LB: &str = "old-lb.eu-west-1.elb.amazonaws.com";

    pub(crate) fn record(kind: &str, name: &str, values: &[&str]) -> ResourceRecordSet {
        let values = values.iter().map(|value| ResourceRecord::builder().value(*value).build().unwrap());
        let record = ResourceRecordSet::builder().name(name).r#type(RrType::from(kind)).ttl(60);
        record.set_resource_records(Some(values.collect())).build().unwrap()
    }

    pub(crate) fn alias(kind: &str, name: &str, target: &str, zone: &str) -> ResourceRecordSet {
        let target = AliasTarget::builder().dns_name(target).hosted_zone_id(zone).evaluate_target_health(false).build();
        let record = ResourceRecordSet::builder().name(name).r#type(RrType::from(kind));
        record.alias_target(target.unwrap()).build().unwrap()
    }

    fn zone(id: &str, name: &str, is_private: bool) -> HostedZone {
        HostedZone { id: id.to_owned(), name: name.to_owned(), is_private }
    }

    /// A plan that moves `app.example.com` in zone Z1 from `live` to `new`, and the names given.
    pub(crate) fn plan(new: Value, also: &[(&str, &str)]) -> Plan {
        let route = |zone: &str, name: &str, new: &Value| {
            json!({ "type": "dns", "hosted_zone_id": zone, "record_name": name, "records": [{ "type": "A", "new": new }],
                "steps": [{ "new_weight": 100 }] })
        };
        let also = also.iter().map(|(zone, name)| route(zone, name, &json!({ "values": ["5.6.7.8"] })));
        let routes: Vec<Value> = std::iter::once(route("Z1", "app.example.com", &new)).chain(also).collect();
        Plan::read(&json!({ "application": "a", "routes": routes })).unwrap()
    }

    pub(crate) fn values() -> Value {
        json!({ "values": ["5.6.7.8"] })
    }

    pub(crate) fn found<T>(plan: &Plan, live: ResourceRecordSet, judge: impl FnOnce(&Named) -> T) -> T {
        let Route::Dns(route) = &plan.routes[0] else { panic!("no name") };
        let state = NameState::new(vec![super::super::aws::from_aws(&live).unwrap()]);
        let zone = zone("Z1", "example.com.", false);
        judge(&Named { plan, route, path: "$.routes[0]", zone: &zone, state: &state })
    }

    fn behind(plan: &Plan, live: ResourceRecordSet, around: &Around) -> Vec<String> {
        found(plan, live, |named| named.behind(around)).into_iter().map(|one| one.what).collect()
    }

    pub(crate) fn simple() -> ResourceRecordSet {
        record("A", "app.example.com.", &["1.2.3.4"])
    }

    pub(crate) fn with(records: Vec<ResourceRecordSet>) -> Around {
        Around { records, ..Around::default() }
    }

    #[test]
    fn browsers_that_follow_a_hint_to_the_old_side_stay() {
        let https = |value: &str| with(vec![record("HTTPS", "app.example.com.", &[value])]);
        let stays = |value: &str| !behind(&plan(values(), &[]), simple(), &https(value)).is_empty();
        assert!(stays("1 . alpn=\"h3,h2\" ipv4hint=1.2.3.4"));
        assert!(stays("1 app.example.com. ipv6hint=\"2001:db8::1\""));
        assert!(stays("1 cdn.example.net."), "another host");
        assert!(!stays("1 . alpn=\"h3,h2\""));
        assert!(!stays("1 . ipv4hint=5.6.7.8"), "the new side's own address");
        let hint = "1 . ipv6hint=2001:DB8:0::2";
        assert_eq!(leads_to(hint, "app.example.com.", &["2001:db8::2"]), None, "the same address, written otherwise");
        assert!(leads_to(hint, "app.example.com.", &["2001:db8::3"]).is_some());
    }

    pub(crate) fn weighing(weight: i64, mut record: ResourceRecordSet) -> ResourceRecordSet {
        record.set_identifier.get_or_insert(format!("at-{weight}"));
        record.weight = Some(weight);
        record
    }

    #[test]
    fn what_is_at_weight_zero_beside_others_leads_nobody_to_the_old_side() {
        let live = || alias("A", "app.example.com.", &format!("dualstack.{LB}."), "Z32O12XQLNTSW2");
        let www = |weight, to: &str| weighing(weight, alias("A", "www.example.com.", to, "Z32O12XQLNTSW2"));
        let https = |weight, value: &str| weighing(weight, record("HTTPS", "app.example.com.", &[value]));
        let stays = |records: Vec<ResourceRecordSet>| {
            behind(&plan(values(), &[]), live(), &with([vec![live()], records].concat())).join(", ")
        };
        assert_eq!(stays(vec![www(0, LB), www(100, "new.example.net.")]), "");
        assert_eq!(stays(vec![www(1, LB), www(100, "new.example.net.")]), "A www.example.com");
        assert_eq!(stays(vec![www(0, LB)]), "A www.example.com", "alone it answers");
        assert_eq!(stays(vec![https(0, "1 . ipv4hint=1.2.3.4"), https(100, "1 . alpn=h2")]), "");
        assert_eq!(stays(vec![https(0, "1 . ipv4hint=1.2.3.4")]), "HTTPS app.example.com");
        let private = |records: Vec<ResourceRecordSet>| {
            let of_zone = |record| Elsewhere { zone: zone("Z2", "example.com.", true), record };
            let elsewhere = records.into_iter().map(of_zone).collect();
            behind(&plan(values(), &[]), simple(), &Around { elsewhere, ..Around::default() }).join(", ")
        };
        let a = |weight, value: &str| weighing(weight, record("A", "app.example.com.", &[value]));
        assert_eq!(private(vec![a(0, "1.2.3.4"), a(100, "5.6.7.8")]), "");
        assert_eq!(private(vec![a(0, "1.2.3.4")]), "A app.example.com Z2");
    }

    #[test]
    fn another_name_whose_bindings_lead_to_the_old_balancer_stays() {
        let live = || alias("A", "app.example.com.", LB, "Z32O12XQLNTSW2");
        let www = |value: &str| with(vec![live(), record("HTTPS", "www.example.com.", &["1 . alpn=h2", value])]);
        let stays = |value: &str| behind(&plan(values(), &[]), live(), &www(value)).join(", ");
        assert_eq!(stays(&format!("0 {LB}.")), "HTTPS www.example.com");
        assert_eq!(stays(&format!("2 dualstack.{LB}. alpn=h3")), "HTTPS www.example.com");
        assert_eq!([stays("0 cdn.example.net."), stays("0 app.example.com.")], ["", ""]);
    }

    #[test]
    fn bindings_of_the_names_ports_are_the_names_own() {
        let https = |name: &str| with(vec![record("HTTPS", name, &["1 . ipv4hint=1.2.3.4"])]);
        let stays = |name: &str| behind(&plan(values(), &[]), simple(), &https(name)).join(",");
        assert_eq!(stays("_8443._https.app.example.com."), "HTTPS _8443._https.app.example.com");
        for other in ["www.app.example.com.", "_8443._httpsapp.example.com.", "_8443._https.example.com."] {
            assert_eq!(stays(other), "", "{other}");
        }
    }

    #[test]
    fn browsers_that_follow_an_alias_of_their_own_type_stay() {
        let cloudfront = |name: &str| alias("HTTPS", "app.example.com.", name, "Z2FDTNDATAQYW2");
        let new = json!({ "alias": { "dns_name": "new.cloudfront.net", "hosted_zone_id": "Z2FDTNDATAQYW2" } });
        let stays = |to: &str| behind(&plan(new.clone(), &[]), simple(), &with(vec![cloudfront(to)]));
        assert_eq!(stays("old.cloudfront.net."), ["HTTPS app.example.com"]);
        assert_eq!(stays("New.cloudfront.net."), [""; 0], "the new side's own");
    }

    #[test]
    fn another_name_that_leads_to_the_old_side_by_another_way_stays() {
        let live = || alias("A", "app.example.com.", "blue.example.com.", "Z1");
        let records = vec![
            live(),
            alias("A", "blue.example.com.", &format!("{LB}."), "Z32O12XQLNTSW2"),
            alias("A", "www.example.com.", &format!("dualstack.{LB}."), "Z32O12XQLNTSW2"),
            record("CNAME", "shop.example.com.", &["app.example.com"]),
        ];
        let stays = behind(&plan(values(), &[]), live(), &with(records.clone()));
        assert_eq!(stays, ["A www.example.com"], "not blue, which is the side's own name, nor who follows the name");
        let green = alias("A", "green.example.com.", &format!("{LB}."), "Z32O12XQLNTSW2");
        let same = json!({ "alias": { "dns_name": "green.example.com", "hosted_zone_id": "Z1" } });
        let records = [records.clone(), vec![green]].concat();
        assert_eq!(behind(&plan(same, &[]), live(), &with(records)), [""; 0], "the new side's way, too");
        let circle = vec![live(), alias("A", "blue.example.com.", "app.example.com.", "Z1")];
        assert_eq!(behind(&plan(values(), &[]), live(), &with(circle)), [""; 0]);
    }

    #[test]
    fn a_delegation_at_or_above_the_name_makes_the_change_reach_nobody() {
        let ns = |name: &str| with(vec![record("NS", name, &["ns1.example.net."])]);
        let reaches_nobody = |name: &str| behind(&plan(values(), &[]), simple(), &ns(name));
        assert_eq!(reaches_nobody("app.example.com."), ["NS app.example.com"]);
        assert_eq!(reaches_nobody("example.com."), [""; 0], "the zone's own");
        assert_eq!(reaches_nobody("pp.example.com."), [""; 0]);
        assert_eq!(reaches_nobody("x.app.example.com."), [""; 0], "below the name");
    }

    #[test]
    fn another_name_that_leads_to_the_old_balancer_stays_unless_the_plan_moves_it() {
        let live = || alias("A", "app.example.com.", &format!("dualstack.{LB}."), "Z32O12XQLNTSW2");
        let around = || {
            let cname = record("CNAME", "shop.example.com.", &[&LB.to_uppercase()]);
            with(vec![live(), alias("A", "www.example.com.", &format!("{LB}."), "Z32O12XQLNTSW2"), cname])
        };
        let stays = |also: &[(&str, &str)]| behind(&plan(values(), also), live(), &around());
        assert_eq!(stays(&[]), ["A www.example.com", "CNAME shop.example.com"]);
        assert_eq!(stays(&[("Z1", "www.example.com")]), ["CNAME shop.example.com"]);
        let same_balancer =
            json!({ "alias": { "dns_name": LB, "hosted_zone_id": "Z32O12XQLNTSW2", "evaluate_target_health": true } });
        assert_eq!(behind(&plan(same_balancer, &[]), live(), &around()), [""; 0], "the new side's too");
    }

    #[test]
    fn another_name_stays_on_the_old_side_of_a_name_that_changes_its_kind() {
        let live = || record("CNAME", "app.example.com.", &[LB]);
        let www = |to: &str| with(vec![live(), record("CNAME", "www.example.com.", &[to])]);
        let stays = |to: &str| behind(&plan(values(), &[]), live(), &www(to)).join(", ");
        assert_eq!(stays(&format!("dualstack.{LB}")), "CNAME www.example.com");
        assert_eq!(stays("new.example.net"), "");
    }

    #[test]
    fn a_private_zone_or_a_second_public_one_of_the_same_name_answers_others() {
        let elsewhere = |id: &str, name: &str, is_private: bool, value: &str| {
            let record = record("A", "app.example.com.", &[value]);
            let zone = zone(id, name, is_private);
            Around { elsewhere: vec![Elsewhere { zone, record }], ..Around::default() }
        };
        let stays = |around: &Around| behind(&plan(values(), &[]), simple(), around);
        assert_eq!(stays(&elsewhere("Z2", "example.com.", true, "10.0.0.1")), ["A app.example.com Z2"]);
        assert_eq!(stays(&elsewhere("Z2", "example.com.", false, "1.2.3.4")), ["A app.example.com Z2"]);
        assert_eq!(stays(&elsewhere("Z2", "app.example.com.", true, "10.0.0.1")), ["A app.example.com Z2"]);
        assert_eq!(stays(&elsewhere("Z2", "app.example.com.", false, "10.0.0.1")), [""; 0], "nobody is led there");
        assert_eq!(
            stays(&elsewhere("Z2", "example.com.", true, "5.6.7.8")),
            [""; 0],
            "it answers the new side already"
        );
        let cname = |to: &str| {
            let record = record("CNAME", "app.example.com.", &[to]);
            let zone = zone("Z2", "example.com.", true);
            let new = json!({ "alias": { "dns_name": LB, "hosted_zone_id": "Z32O12XQLNTSW2" } });
            let around = Around { elsewhere: vec![Elsewhere { zone, record }], ..Around::default() };
            behind(&plan(new, &[]), simple(), &around).len()
        };
        assert_eq!([&format!("dualstack.{LB}"), "old.example.net"].map(cname), [0, 1], "by a CNAME");
        let both = plan(values(), &[("Z2", "app.example.com")]);
        assert_eq!(behind(&both, simple(), &elsewhere("Z2", "example.com.", true, "10.0.0.1")), [""; 0]);
    }

    #[test]
    fn whoever_is_outside_of_a_private_zones_vpcs_is_answered_by_any_public_zone() {
        let of_private = |public: &str, record: ResourceRecordSet| {
            let plan = plan(values(), &[]);
            let Route::Dns(route) = &plan.routes[0] else { panic!("no name") };
            let state = NameState::new(vec![super::super::aws::from_aws(&simple()).unwrap()]);
            let own = zone("Z1", "example.com.", true);
            let elsewhere = vec![Elsewhere { zone: zone("Z2", public, false), record }];
            let named = Named { plan: &plan, route, path: "$", zone: &own, state: &state };
            let behind = named.behind(&Around { elsewhere, ..Around::default() });
            behind.into_iter().map(|one| (one.what, one.problem)).collect::<Vec<_>>()
        };
        for public in ["com.", "example.com.", "app.example.com."] {
            let found = of_private(public, record("A", "app.example.com.", &["1.2.3.4"]));
            let [(what, problem)] = &found[..] else { panic!("{public}: {found:?}") };
            assert!(what == "A app.example.com Z2" && problem.contains("users outside of the VPCs"), "{problem}");
        }
        let hint = |value: &str| of_private("example.com.", record("HTTPS", "app.example.com.", &[value])).len();
        assert_eq!(["1 . alpn=h2", "1 . ipv4hint=1.2.3.4", "1 . ipv4hint=5.6.7.8"].map(hint), [0, 1, 0]);
    }

    #[test]
    fn a_zone_above_leads_to_the_plans_zone_by_its_own_name_servers() {
        let found = |delegation: Delegation, own: &[&str]| {
            let above = vec![Above { zone: zone("Z0", "com.", false), delegation }];
            let records = vec![record("NS", "example.com.", own)];
            let around = Around { above, records, ..Around::default() };
            let behind = found(&plan(values(), &[]), simple(), |named| named.behind(&around));
            behind.into_iter().map(|one| format!("{}: {}", one.what, one.problem)).collect::<Vec<_>>().join("; ")
        };
        let to = |servers: &[&str]| Delegation::To(servers.iter().map(|server| normalise_name(server)).collect());
        let own = ["NS-1.awsdns-1.com.", "ns-2.awsdns-2.net."];
        assert!(found(Delegation::Nowhere, &own).starts_with("NS example.com Z0: is not answered from this zone"));
        assert_eq!(found(to(&["ns-2.awsdns-2.net", "ns.vanity.example"]), &own), "", "one is enough");
        let elsewhere = found(to(&["ada.ns.example", "bob.ns.example"]), &own);
        assert!(elsewhere.contains("delegates example.com to ada.ns.example, bob.ns.example, none of which has it"));
        assert_eq!(found(to(&["ada.ns.example"]), &[]), "", "its own are not known");
        assert_eq!(found(Delegation::OnTheWay("on.com.".to_owned()), &own), "", "others have to be asked");
    }
}
