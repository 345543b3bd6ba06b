//! Names of a draft: which zone answers one, and what each of its types becomes. The choices are pure.

use anyhow::{Result, bail};
use cutover::dns::{bare_name, normalise_name};
use cutover::plan::{Alias, RecordChange, RecordData, RecordType};

use super::find::{Balancer, listed};
use super::wanted::Answers;

/// A zone of the account that may answer a name, and what it has there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answering {
    /// Its ID.
    pub id: String,
    /// Its name.
    pub zone: String,
    /// Whether only VPCs ask it.
    pub is_private: bool,
    /// The types that it has at the name, of those that direct traffic.
    pub types: Vec<RecordType>,
    /// The names that these are aliases of.
    pub aliases: Vec<String>,
}

/// Whether a zone is at or above a name.
pub fn is_above(zone: &str, name: &str) -> bool {
    let (zone, name) = (normalise_name(zone), normalise_name(name));
    name == zone || name.ends_with(&format!(".{zone}"))
}

/// The zone that is meant: the public one that is nearest to the name, or the only one.
///
/// # Errors
/// None has the name, or several do.
pub fn choose<'a>(name: &str, zones: &'a [Answering], looked_at: &[String]) -> Result<&'a Answering> {
    let all: Vec<&Answering> = zones.iter().filter(|zone| !zone.types.is_empty()).collect();
    let public: Vec<&Answering> = all.iter().copied().filter(|zone| !zone.is_private).collect();
    let from = if public.is_empty() { &all } else { &public };
    let longest = from.iter().map(|zone| zone.zone.len()).max();
    let nearest: Vec<&Answering> = from.iter().copied().filter(|zone| Some(zone.zone.len()) == longest).collect();
    match nearest[..] {
        [one] => Ok(one),
        [] => {
            let zones = listed(looked_at.iter().map(String::as_str));
            bail!(
                "--name {name}: no hosted zone of this account has an A, AAAA or CNAME record of it; looked at {zones}"
            )
        }
        _ => {
            let kind = |zone: &Answering| if zone.is_private { "private" } else { "public" };
            let told: Vec<String> =
                nearest.iter().map(|zone| format!("{} ({}, {})", zone.id, zone.zone, kind(zone))).collect();
            bail!("--name {name}: several hosted zones answer it; say which by --zone: {}", told.join(", "))
        }
    }
}

/// What a name shall lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Addresses, or another name.
    Values(Answers),
    /// An alias, and whether it answers IPv6; none where that is not known.
    Alias(Alias, Option<bool>),
}

/// The alias that is meant: a load balancer by its name or DNS name, or a DNS name whose zone is known.
///
/// # Errors
/// It is neither.
pub fn alias(text: &str, zone: Option<&str>, balancers: &[Balancer]) -> Result<Target> {
    let known = balancers.iter().find(|one| one.name == text || bare_name(&one.dns_name) == bare_name(text));
    if let Some(balancer) = known {
        return Ok(Target::Alias(alias_to(&balancer.dns_name, &balancer.zone), Some(balancer.is_dual)));
    }
    if !text.contains('.') {
        let names = listed(balancers.iter().map(|one| one.name.as_str()));
        bail!("--new-alias {text}: there is no such load balancer in this account and region; there are {names}");
    }
    match zone.or_else(|| cutover::service_zones::of(text)) {
        Some(zone) => Ok(Target::Alias(alias_to(text, zone), None)),
        None => bail!("--new-alias {text}: its hosted zone is not known; say it by --new-alias-zone"),
    }
}

fn alias_to(dns_name: &str, zone: &str) -> Alias {
    let dns_name = dns_name.trim_end_matches('.').to_lowercase();
    Alias { dns_name, hosted_zone_id: zone.to_owned(), evaluate_target_health: None }
}

/// What each type of a name becomes, and what of it a person has to know.
pub fn changes(name: &str, types: &[RecordType], target: &Target) -> (Vec<RecordChange>, Vec<String>) {
    let (mut changes, mut told) = (Vec::new(), Vec::new());
    let is_only_cname = types == [RecordType::Cname];
    for record_type in [RecordType::A, RecordType::Aaaa, RecordType::Cname] {
        let is_there = types.contains(&record_type);
        let new = answer(record_type, target, is_there, is_only_cname);
        match (is_there, &new) {
            (false, None) => continue,
            (true, None) if record_type != RecordType::Cname => {
                let kind = record_type.as_str();
                told.push(format!(
                    "{name} has {kind} records, and the new side has no {kind} answer: they go at 100 %. Is that meant?"
                ));
            }
            (false, Some(_)) if !is_only_cname && !types.contains(&RecordType::Cname) => {
                let kind = record_type.as_str();
                told.push(format!("{name} has no {kind} record yet: it comes at 100 %. Is that meant?"));
            }
            _ => {}
        }
        changes.push(RecordChange { record_type, new, old_set_identifier: None });
    }
    if matches!(target, Target::Alias(_, Some(true))) && !types.contains(&RecordType::Aaaa) {
        told.push(format!(
            "{name} has no AAAA record, and its new load balancer answers IPv6: add one if that is wanted"
        ));
    }
    (changes, told)
}

fn answer(record_type: RecordType, target: &Target, is_there: bool, is_only_cname: bool) -> Option<RecordData> {
    match target {
        Target::Alias(alias, is_dual) => {
            let is_wanted = match record_type {
                RecordType::A => is_there || is_only_cname,
                RecordType::Aaaa => is_there && *is_dual != Some(false),
                RecordType::Cname => false,
            };
            is_wanted.then(|| RecordData { alias: Some(alias.clone()), ..RecordData::default() })
        }
        Target::Values(answers) => {
            let values = match record_type {
                RecordType::A => answers.ipv4.clone(),
                RecordType::Aaaa => answers.ipv6.clone(),
                RecordType::Cname => answers.host.iter().cloned().collect(),
            };
            (!values.is_empty()).then(|| RecordData { values: Some(values), ..RecordData::default() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "shop.example.com";

    fn zone(id: &str, zone: &str, is_private: bool, types: &[RecordType]) -> Answering {
        let (id, zone) = (id.to_owned(), zone.to_owned());
        Answering { id, zone, is_private, types: types.to_vec(), aliases: Vec::new() }
    }

    #[test]
    fn the_nearest_public_zone_that_has_the_name_is_meant() {
        let a = [RecordType::A];
        let zones = [
            zone("Z1", "example.com.", false, &a),
            zone("Z2", "shop.example.com.", false, &a),
            zone("Z3", "shop.example.com.", true, &a),
        ];
        assert_eq!(choose(NAME, &zones, &[]).unwrap().id, "Z2");
        assert_eq!(choose(NAME, &zones[2..], &[]).unwrap().id, "Z3", "an internal name");
        let empty = [zone("Z1", "example.com.", false, &a), zone("Z2", "shop.example.com.", false, &[])];
        assert_eq!(choose(NAME, &empty, &[]).unwrap().id, "Z1");
        assert!(is_above("example.com.", "Shop.Example.com") && !is_above("ample.com", NAME));
    }

    #[test]
    fn a_name_that_is_in_no_zone_or_in_several_is_told_with_what_there_is() {
        let a = [RecordType::A];
        let told = |zones: &[Answering]| choose(NAME, zones, &["example.com.".to_owned()]).unwrap_err().to_string();
        assert!(told(&[]).ends_with("looked at example.com."), "{}", told(&[]));
        let two = [zone("Z1", "example.com.", false, &a), zone("Z2", "example.com.", false, &a)];
        assert!(told(&two).ends_with("say which by --zone: Z1 (example.com., public), Z2 (example.com., public)"));
    }

    fn balancer(is_dual: bool) -> Balancer {
        let [arn, name, dns_name, zone] =
            ["arn", "shop-2", "Shop-2-1.eu-west-1.elb.amazonaws.com", "ZELB"].map(str::to_owned);
        Balancer { arn, name, dns_name, zone, is_dual }
    }

    #[test]
    fn an_alias_is_a_load_balancer_or_a_name_whose_zone_is_known() {
        let Target::Alias(to, is_dual) = alias("shop-2", None, &[balancer(true)]).unwrap() else { panic!("no alias") };
        assert_eq!(
            (to.dns_name.as_str(), to.hosted_zone_id.as_str()),
            ("shop-2-1.eu-west-1.elb.amazonaws.com", "ZELB")
        );
        assert_eq!(is_dual, Some(true));
        let told = |text: &str| alias(text, None, &[balancer(true)]).unwrap_err().to_string();
        assert!(told("shop-3").ends_with("there are shop-2"));
        assert!(told("new.example.com").ends_with("by --new-alias-zone"));
        assert!(alias("new.example.com", Some("Z1"), &[]).is_ok());
        assert!(alias("d111111abcdef8.cloudfront.net", None, &[]).is_ok());
    }

    fn shown(types: &[RecordType], target: &Target) -> (Vec<(RecordType, bool)>, usize) {
        let (changes, told) = changes(NAME, types, target);
        (changes.iter().map(|change| (change.record_type, change.new.is_some())).collect(), told.len())
    }

    #[test]
    fn every_type_of_the_name_moves_or_goes() {
        use RecordType::{A, Aaaa, Cname};
        let dual = |is_dual| alias("shop-2", None, &[balancer(is_dual)]).unwrap();
        assert_eq!(shown(&[A, Aaaa], &dual(true)), (vec![(A, true), (Aaaa, true)], 0));
        assert_eq!(shown(&[A, Aaaa], &dual(false)), (vec![(A, true), (Aaaa, false)], 1), "no IPv6 there");
        assert_eq!(shown(&[A], &dual(true)), (vec![(A, true)], 1), "IPv6 would be new");
        assert_eq!(shown(&[Cname], &dual(false)), (vec![(A, true), (Cname, false)], 0));
        let values = |ipv6: &[&str]| {
            let ipv6 = ipv6.iter().map(|text| (*text).to_owned()).collect();
            Target::Values(Answers { ipv4: vec!["198.51.100.20".to_owned()], ipv6, host: None })
        };
        assert_eq!(shown(&[A, Aaaa], &values(&["2001:db8::20"])), (vec![(A, true), (Aaaa, true)], 0));
        assert_eq!(shown(&[A, Aaaa], &values(&[])), (vec![(A, true), (Aaaa, false)], 1));
        assert_eq!(shown(&[A], &values(&["2001:db8::20"])), (vec![(A, true), (Aaaa, true)], 1));
    }
}
