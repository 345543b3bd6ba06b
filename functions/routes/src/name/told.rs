//! What else is worth knowing around a name: who moves with it, who shares its addresses, and who will put it back. Pure.

use std::collections::BTreeMap;

use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use cutover::Finding;
use cutover::dns::normalise_name;

use super::around::{Above, Around, Delegation};
use super::behind::{Named, is_same_address, serving, shown, targets};

/// So many names are told; more help nobody.
const MOST_NAMES: usize = 5;

impl Named<'_> {
    /// Warnings about the records around a name.
    pub(super) fn told(&self, around: &Around) -> Vec<Finding> {
        let serving = serving(&around.records);
        let others = || serving.iter().filter(|record| !self.is_moved(&self.zone.id, record));
        let followers = self.followers(&serving);
        let mut findings: Vec<Finding> = self.keeper(around).into_iter().collect();
        if !followers.is_empty() {
            let problem = format!("takes with it what leads to it: {}", list(&followers));
            findings.push(self.warn(problem, "make sure that the new side serves these, too"));
        }
        let mut sharing = BTreeMap::<&str, Vec<&str>>::new();
        for record in others() {
            if let Some(value) = self.shared_address(record) {
                let names = sharing.entry(value).or_default();
                let name = shown(&record.name);
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        findings.extend(sharing.into_iter().map(|(value, names)| {
            let problem = format!("is not the only name of {value}, which these have too, and keep: {}", list(&names));
            self.warn(problem, "add a route for each that is more than a name of the old side itself")
        }));
        findings.extend(around.above.iter().filter_map(|above| self.on_the_way(above)));
        findings
    }

    /// A delegation between the zone above and this one: who has the name in between is not looked at.
    fn on_the_way(&self, above: &Above) -> Option<Finding> {
        let Delegation::OnTheWay(between) = &above.delegation else { return None };
        let problem = format!(
            "is answered from this zone only where the servers of {} say so, to whom {} (zone {}) delegates, and who were not asked",
            shown(between),
            shown(&above.zone.name),
            above.zone.id
        );
        Some(self.warn(problem, "see yourself that they delegate to this zone's name servers"))
    }

    fn warn(&self, problem: String, fix: &str) -> Finding {
        Finding::warning(format!("{}.record_name", self.path), problem, fix)
    }

    /// The zone's names that lead to this one, by aliases, which Route 53 answers with its target's records, or by CNAMEs; each
    /// once, those that lead here by others after these.
    fn followers<'a>(&self, serving: &[&'a ResourceRecordSet]) -> Vec<&'a str> {
        let is_elsewhere = |record: &ResourceRecordSet| {
            record.alias_target.as_ref().is_some_and(|alias| alias.hosted_zone_id != self.zone.id)
        };
        // These do not follow: they would answer nothing, which is an error of its own.
        let lost = self.lost(serving);
        let is_lost = |record: &ResourceRecordSet| lost.iter().any(|one| std::ptr::eq(*one, record));
        let others = || {
            let here = serving.iter().copied().filter(|record| !is_elsewhere(record) && !is_lost(record));
            here.filter(|record| !self.is_moved(&self.zone.id, record))
        };
        let mut found: Vec<&str> = Vec::new();
        let mut next = vec![self.route.normalised_name()];
        while let Some(name) = next.pop() {
            for record in others().filter(|record| targets(record).contains(&name)) {
                if !found.contains(&shown(&record.name)) {
                    found.push(shown(&record.name));
                    next.insert(0, normalise_name(&record.name));
                }
            }
        }
        found
    }

    /// The address of the old side that another name has as well: perhaps it is the side's own.
    fn shared_address<'a>(&self, record: &'a ResourceRecordSet) -> Option<&'a str> {
        let is_address = matches!(record.r#type, RrType::A | RrType::Aaaa);
        let old: Vec<&str> = self.old().into_iter().flat_map(|old| &old.values).map(String::as_str).collect();
        let values = record.resource_records().iter().map(|value| value.value.as_str());
        values.filter(|_| is_address).find(|value| old.iter().any(|old| is_same_address(old, value)))
    }

    /// external-dns marks what it keeps by a TXT record of the same name, or with a prefix or suffix, `a-` by default
    /// (external-dns, *The TXT registry*). A mark that fits several names is that of the longest.
    fn keeper(&self, around: &Around) -> Option<Finding> {
        let name = self.route.normalised_name();
        let is_answer = |record: &&ResourceRecordSet| [RrType::A, RrType::Aaaa, RrType::Cname].contains(&record.r#type);
        let longer: Vec<String> =
            around.records.iter().filter(is_answer).map(|record| normalise_name(&record.name)).collect();
        let longer: Vec<&String> = longer.iter().filter(|other| other.len() > name.len()).collect();
        let is_of_name = |record: &ResourceRecordSet| {
            let txt = normalise_name(&record.name);
            marks(&txt, &name) && !longer.iter().any(|other| marks(&txt, other))
        };
        let texts = around.records.iter().filter(|record| record.r#type == RrType::Txt && is_of_name(record));
        let mark = texts
            .flat_map(|record| record.resource_records())
            .find(|text| text.value.contains("heritage=external-dns"))?;
        let part = |key: &str| {
            let words = mark.value.trim_matches('"').split(',');
            words.filter_map(|word| word.strip_prefix(key)).next().unwrap_or("unknown").to_owned()
        };
        let problem = format!(
            "is kept by external-dns (owner {}, for {}), which puts its own answer back within minutes",
            part("external-dns/owner="),
            part("external-dns/resource=")
        );
        Some(self.warn(problem, "change what it reads to the new side, or have it leave this name alone for the run"))
    }
}

/// Whether a TXT record could be the mark of a name: the name itself, with something before its first label, after it, or both,
/// set off by `-`, `_` or, before it, a dot.
fn marks(txt: &str, name: &str) -> bool {
    let (label, zone) = name.split_once('.').unwrap_or((name, ""));
    let Some(head) = txt.strip_suffix(zone).and_then(|head| head.strip_suffix('.')) else { return false };
    head.match_indices(label).any(|(start, _)| {
        let (before, after) = (&head[..start], &head[start + label.len()..]);
        (before.is_empty() || before.ends_with(['-', '_', '.'])) && (after.is_empty() || after.starts_with(['-', '_']))
    })
}

fn list(names: &[&str]) -> String {
    // A `*` as people write it.
    let shown = names.iter().take(MOST_NAMES).copied().collect::<Vec<_>>().join(", ").replace("\\052.", "*.");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use cutover::Severity;

    use super::super::around::HostedZone;
    use super::*;
    use crate::name::behind::tests::{alias, found, plan, record, simple, values, with};

    fn told(records: Vec<ResourceRecordSet>) -> Vec<String> {
        let told = found(&plan(values(), &[]), simple(), |named| named.told(&with(records)));
        assert!(told.iter().all(|finding| finding.severity == Severity::Warning));
        told.into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn names_that_follow_or_share_an_address_are_told() {
        let others = vec![
            simple(),
            alias("A", "www.example.com.", "app.example.com.", "Z1"),
            alias("A", "elsewhere.example.com.", "app.example.com.", "Z2"),
            record("CNAME", "shop.example.com.", &["App.example.com"]),
            record("CNAME", "old-shop.example.com.", &["shop.example.com."]),
            record("A", "blue.example.com.", &["1.2.3.4"]),
            record("TXT", "blue.example.com.", &["1.2.3.4"]),
            record("A", "other.example.com.", &["9.9.9.9"]),
        ];
        assert_eq!(
            told(others),
            [
                "takes with it what leads to it: www.example.com, shop.example.com, old-shop.example.com",
                "is not the only name of 1.2.3.4, which these have too, and keep: blue.example.com"
            ]
        );
    }

    #[test]
    fn a_delegation_on_the_way_to_the_zone_is_told_as_not_looked_at() {
        let zone = HostedZone { id: "Z0".to_owned(), name: "com.".to_owned(), is_private: false };
        let above = Above { zone, delegation: Delegation::OnTheWay("on.com.".to_owned()) };
        let around = Around { above: vec![above], ..Around::default() };
        let told = found(&plan(values(), &[]), simple(), |named| named.told(&around));
        let [Finding { severity: Severity::Warning, problem, .. }] = &told[..] else { panic!("{told:?}") };
        assert!(problem.contains("the servers of on.com") && problem.contains("zone Z0"), "{problem}");
    }

    #[test]
    fn a_name_is_listed_once_and_a_wildcard_as_people_write_it() {
        let one = |identifier: &str, name: &str| {
            let mut record = record("A", name, &["1.2.3.4"]);
            record.set_identifier = Some(identifier.to_owned());
            record
        };
        let problems =
            told(vec![one("a", "b.example.com."), one("b", "b.example.com."), one("c", "\\052.example.com.")]);
        assert!(problems[0].ends_with("and keep: b.example.com, *.example.com"), "{problems:?}");
    }

    #[test]
    fn many_names_are_one_warning() {
        let names: Vec<String> = (0..100).map(|index| format!("n{index}.example.com.")).collect();
        let problems = told(names.iter().map(|name| record("A", name, &["1.2.3.4"])).collect());
        assert_eq!(problems.len(), 1);
        assert!(problems[0].ends_with("n4.example.com and 95 more"), "{problems:?}");
    }

    #[test]
    fn a_name_that_a_controller_keeps_is_told_with_who_it_is() {
        let mark = "\"heritage=external-dns,external-dns/owner=shop,external-dns/resource=ingress/shop/web\"";
        for name in ["app.example.com.", "a-app.example.com.", "extdns.app.example.com."] {
            let problems = told(vec![record("TXT", name, &[mark])]);
            assert_eq!(problems.len(), 1, "{name}");
            assert!(problems[0].contains("owner shop, for ingress/shop/web"), "{problems:?}");
        }
        assert_eq!(told(vec![record("TXT", "myapp.example.com.", &[mark])]), [""; 0], "another name's");
        for name in ["edns_app.example.com.", "a-app-txt.example.com.", "a-app_txt.example.com."] {
            assert_eq!(told(vec![record("TXT", name, &[mark])]).len(), 1, "{name}: a prefix or suffix of one's own");
        }
        for name in ["my-app.example.com.", "a-my-app.example.com.", "app-blue.example.com."] {
            let others = ["my-app.example.com.", "app-blue.example.com."].map(|name| record("A", name, &["9.9.9.9"]));
            let records = [vec![record("TXT", name, &[mark])], others.to_vec()].concat();
            assert_eq!(told(records), [""; 0], "{name} is a longer name's mark");
        }
        assert_eq!(told(vec![record("TXT", "app.example.com.", &["\"v=spf1 -all\""])]), [""; 0]);
    }
}
