//! What else is worth knowing around a name: who moves with it, who shares its addresses, and who will put it back. Pure.

use std::collections::BTreeMap;

use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use cutover::Finding;
use cutover::dns::normalise_name;

use super::around::Around;
use super::behind::{Named, shown};

/// So many names are told; more help nobody.
const MOST_NAMES: usize = 5;

impl Named<'_> {
    /// Warnings about the records around a name.
    pub(super) fn told(&self, around: &Around) -> Vec<Finding> {
        let others = || around.records.iter().filter(|record| !self.is_moved(&self.zone.id, record));
        let followers: Vec<&str> =
            others().filter(|record| self.follows(record)).map(|record| shown(&record.name)).collect();
        let mut findings: Vec<Finding> = self.keeper(around).into_iter().collect();
        if !followers.is_empty() {
            let problem = format!("takes with it what is an alias to it: {}", list(&followers));
            findings.push(self.warn(problem, "make sure that the new side serves these, too"));
        }
        let mut sharing = BTreeMap::<&str, Vec<&str>>::new();
        for record in others() {
            if let Some(value) = self.shared_address(record) {
                sharing.entry(value).or_default().push(shown(&record.name));
            }
        }
        findings.extend(sharing.into_iter().map(|(value, names)| {
            let problem = format!("is not the only name of {value}, which these have too, and keep: {}", list(&names));
            self.warn(problem, "add a route for each that is more than a name of the old side itself")
        }));
        findings
    }

    fn warn(&self, problem: String, fix: &str) -> Finding {
        Finding::warning(format!("{}.record_name", self.path), problem, fix)
    }

    /// An alias to this name: Route 53 answers it with this name's records.
    fn follows(&self, record: &ResourceRecordSet) -> bool {
        record.alias_target.as_ref().is_some_and(|alias| {
            alias.hosted_zone_id == self.zone.id && normalise_name(&alias.dns_name) == self.route.normalised_name()
        })
    }

    /// The address of the old side that another name has as well: perhaps it is the side's own.
    fn shared_address<'a>(&self, record: &'a ResourceRecordSet) -> Option<&'a str> {
        let is_address = matches!(record.r#type, RrType::A | RrType::Aaaa);
        let old: Vec<&str> = self.old().into_iter().flat_map(|old| &old.values).map(String::as_str).collect();
        let values = record.resource_records().iter().map(|value| value.value.as_str());
        values.filter(|_| is_address).find(|value| old.contains(value))
    }

    /// external-dns marks what it keeps by a TXT record of the same name, or with a prefix of its own, `a-` by default
    /// (external-dns, *The TXT registry*).
    fn keeper(&self, around: &Around) -> Option<Finding> {
        let name = self.route.normalised_name();
        let is_of_name = |record: &ResourceRecordSet| {
            let txt = normalise_name(&record.name);
            txt.strip_suffix(name.as_str()).is_some_and(|prefix| prefix.is_empty() || prefix.ends_with(['-', '.']))
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

fn list(names: &[&str]) -> String {
    let shown = names.iter().take(MOST_NAMES).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use cutover::Severity;

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
            record("A", "blue.example.com.", &["1.2.3.4"]),
            record("TXT", "blue.example.com.", &["1.2.3.4"]),
            record("A", "other.example.com.", &["9.9.9.9"]),
        ];
        assert_eq!(
            told(others),
            [
                "takes with it what is an alias to it: www.example.com",
                "is not the only name of 1.2.3.4, which these have too, and keep: blue.example.com"
            ]
        );
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
        assert_eq!(told(vec![record("TXT", "app.example.com.", &["\"v=spf1 -all\""])]), [""; 0]);
    }
}
