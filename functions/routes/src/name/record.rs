//! One record set as a value: what of it is compared, and how a person reads it.

use std::net::Ipv6Addr;

use cutover::dns::normalise_name;
use cutover::plan::RecordData;
use serde::{Deserialize, Serialize};

/// One record set, simple or weighted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordSet {
    /// `A`, `AAAA` or `CNAME`.
    #[serde(rename = "type")]
    pub record_type: String,
    /// Tells the members of a weighted group apart.
    pub set_identifier: Option<String>,
    /// 0 to 255; none for a simple record.
    pub weight: Option<i64>,
    /// Seconds; none for an alias.
    pub ttl: Option<i64>,
    /// The values in Route 53's order.
    pub values: Vec<String>,
    /// The alias target.
    pub alias: Option<AliasTarget>,
    /// The health check that takes the record out of the answers.
    pub health_check_id: Option<String>,
}

/// Where an alias points to, normalised: lower case with the last dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AliasTarget {
    /// The resource's DNS name.
    pub dns_name: String,
    /// The hosted zone of the resource.
    pub hosted_zone_id: String,
    /// Whether Route 53 looks at the resource's health.
    pub evaluate_target_health: bool,
}

/// Values in one order, and in one form what can be written in many ways: IPv6 addresses and names.
fn canonical_values(record_type: &str, values: &[String]) -> Vec<String> {
    let ipv6 = |value: &String| value.parse::<Ipv6Addr>().map_or_else(|_| value.clone(), |address| address.to_string());
    let one_form = |value: &String| match record_type {
        "AAAA" => ipv6(value),
        "CNAME" => normalise_name(value),
        _ => value.clone(),
    };
    let mut values: Vec<String> = values.iter().map(one_form).collect();
    values.sort();
    values
}

impl RecordSet {
    /// The same record set for comparisons: values in one form and order.
    pub(super) fn canonical(&self) -> Self {
        Self { values: canonical_values(&self.record_type, &self.values), ..self.clone() }
    }

    /// The name that an alias or a CNAME leads to, in its normal form.
    pub(super) fn target(&self) -> Option<String> {
        let cname = self.values.first().filter(|_| self.record_type == "CNAME").map(|value| normalise_name(value));
        self.alias.as_ref().map(|alias| alias.dns_name.clone()).or(cname)
    }

    /// Whether it answers what a plan wants.
    pub(super) fn answers_like(&self, data: &RecordData) -> bool {
        let canonical = |values| canonical_values(&self.record_type, values);
        match (&data.values, &data.alias) {
            (Some(values), _) => self.alias.is_none() && canonical(&self.values) == canonical(values),
            (None, Some(alias)) => self.alias.as_ref().is_some_and(|live| {
                live.dns_name == normalise_name(&alias.dns_name) && live.hosted_zone_id == alias.hosted_zone_id
            }),
            (None, None) => false,
        }
    }

    /// Whether it leads where another record does.
    pub(super) fn leads_like(&self, other: &Self) -> bool {
        let place = |alias: &AliasTarget| (normalise_name(&alias.dns_name), alias.hosted_zone_id.clone());
        let values = |record: &Self| canonical_values(&record.record_type, &record.values);
        self.alias.as_ref().map(place) == other.alias.as_ref().map(place) && values(self) == values(other)
    }

    /// What it answers, and by what its health is told, for a person.
    pub(super) fn describe_health(&self) -> String {
        let answer = self.alias.as_ref().map_or_else(|| self.values.join(","), |alias| alias.dns_name.clone());
        let check = self.health_check_id.as_ref().map(|id| format!("health check {id}"));
        let target = self.alias.as_ref().filter(|alias| alias.evaluate_target_health);
        let by: Vec<String> = check.into_iter().chain(target.map(|_| "its target's health".to_owned())).collect();
        format!("{} {answer} (by {})", self.record_type, by.join(" and "))
    }

    /// Everything that is compared, for a person.
    pub(super) fn describe(&self) -> String {
        let answer = self.alias.as_ref().map_or_else(|| self.values.join(","), |alias| alias.dns_name.clone());
        let parts = [
            Some(format!("{} {answer}", self.record_type)),
            self.weight.map(|weight| format!("weight {weight}")),
            self.ttl.map(|ttl| format!("ttl {ttl}")),
            self.set_identifier.as_ref().map(|identifier| format!("set identifier {identifier}")),
            self.health_check_id.as_ref().map(|id| format!("health check {id}")),
            self.alias
                .as_ref()
                .filter(|alias| alias.evaluate_target_health)
                .map(|_| "evaluates target health".to_owned()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A simple A record.
    pub(crate) fn simple(value: &str, ttl: i64) -> RecordSet {
        RecordSet {
            record_type: "A".to_owned(),
            set_identifier: None,
            weight: None,
            ttl: Some(ttl),
            values: vec![value.to_owned()],
            alias: None,
            health_check_id: None,
        }
    }

    /// A weighted A record.
    pub(crate) fn weighted(identifier: &str, value: &str, weight: i64) -> RecordSet {
        RecordSet { set_identifier: Some(identifier.to_owned()), weight: Some(weight), ..simple(value, 300) }
    }

    /// With a health check.
    pub(crate) fn checked(record: RecordSet, id: &str) -> RecordSet {
        RecordSet { health_check_id: Some(id.to_owned()), ..record }
    }

    #[test]
    fn what_is_compared_is_described() {
        let alias = AliasTarget {
            dns_name: "lb.example.net.".to_owned(),
            hosted_zone_id: "Z2".to_owned(),
            evaluate_target_health: true,
        };
        let alias = RecordSet { ttl: None, values: vec![], alias: Some(alias), ..simple("", 0) };
        assert_eq!(alias.describe(), "A lb.example.net. evaluates target health");
        assert_eq!(
            checked(weighted("blue", "1.2.3.4", 90), "abc").describe(),
            "A 1.2.3.4 weight 90 ttl 300 set identifier blue health check abc"
        );
        assert_eq!(simple("1.2.3.4", 300).describe(), "A 1.2.3.4 ttl 300");
    }
}
