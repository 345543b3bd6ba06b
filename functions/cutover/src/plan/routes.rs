//! Routes: the places that direct traffic, and the steps by which their weights move.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::checks::HealthChecks;
use super::{checks, default, pattern, rule};
use crate::Seconds;
use crate::arn::Place;

/// A place that directs traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "a plan has some dozens at the most")]
pub enum Route {
    /// Weights of target groups on an Application Load Balancer's listener or rule, or a Network Load Balancer's listener.
    Listener(ListenerRoute),
    /// Weights of the records of a Route 53 name.
    Dns(DnsRoute),
}

impl Route {
    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Listener(route) => &route.steps,
            Self::Dns(route) => &route.steps,
        }
    }

    /// How a person calls it, for messages: what it is and what tells it from others.
    pub fn title(&self) -> String {
        match self {
            Self::Listener(route) => crate::arn::title_of_listener(route.arn()),
            Self::Dns(route) => format!("name {} in zone {}", route.record_name, route.hosted_zone_id),
        }
    }

    /// Its whole ARN; none of a name.
    pub fn arn(&self) -> Option<&str> {
        match self {
            Self::Listener(route) => Some(route.arn()),
            Self::Dns(_) => None,
        }
    }

    /// Where it is, as far as the plan says so.
    pub fn place(&self) -> Option<Place<'_>> {
        match self {
            Self::Listener(route) => route.place(),
            Self::Dns(route) => route.place(),
        }
    }

    /// The keys that lock this route: two plans that share one of them cannot run at once.
    pub fn lock_key(&self) -> String {
        match self {
            Self::Listener(route) => format!("listener#{}", route.arn()),
            Self::Dns(route) => format!("record#{}#{}", route.hosted_zone_id, route.normalised_name()),
        }
    }
}

/// A target of traffic on a load balancer: exactly one of `listener_arn` and `rule_arn`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, extend("allOf" = rule::one_of("listener_arn", "rule_arn")))]
pub struct ListenerRoute {
    /// The listener whose default action forwards; or `rule_arn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::LISTENER_ARN))]
    pub listener_arn: Option<String>,
    /// The rule whose action forwards; or `listener_arn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::RULE_ARN))]
    pub rule_arn: Option<String>,
    /// The target group that serves now.
    #[schemars(regex(pattern = pattern::GROUP_ARN))]
    pub old_target_group_arn: String,
    /// The target group that shall serve.
    #[schemars(regex(pattern = pattern::GROUP_ARN))]
    pub new_target_group_arn: String,
    /// The share of the new group's targets, in percent, that must be healthy before it gets traffic, compared exactly. An automatic
    /// rollback, too, is held while less of the old group's targets are.
    #[serde(default = "default::u8::<80>")]
    #[schemars(range(min = 1, max = 100))]
    pub min_healthy_percent: u8,
    /// Group stickiness for the run: for how long clients keep the target group that they got (1 s to 7 days), while the run has
    /// both in the action. AWS wants it where a group has target stickiness. It is switched on with the new group, and off with
    /// the old one's leaving, or by undo; where it is on already, it stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_stickiness: Option<Seconds>,
    /// The weights to go through: they rise or stay, and end at 100.
    #[schemars(length(min = 1), extend("allOf" = rule::all_in_the_end()))]
    pub steps: Vec<Step>,
}

impl ListenerRoute {
    /// The Application Load Balancer that it hangs on, as CloudWatch names it, `app/<name>/<id>`: those count requests by target group. None on a
    /// Network Load Balancer.
    pub fn application_balancer(&self) -> Option<&str> {
        crate::arn::load_balancer_dimension(self.arn()).filter(|balancer| balancer.starts_with("app/"))
    }

    /// Where it is, by its ARN.
    pub fn place(&self) -> Option<Place<'_>> {
        Place::of(self.arn())
    }

    /// The ARN of the listener or rule; the plan's check makes sure that there is exactly one.
    pub fn arn(&self) -> &str {
        self.rule_arn.as_deref().or(self.listener_arn.as_deref()).unwrap_or_default()
    }
}

/// A name in a Route 53 hosted zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DnsRoute {
    /// The hosted zone, such as `Z0123456789ABCDEFGHIJ`; or `/hostedzone/Z0123456789ABCDEFGHIJ`, as AWS's SDKs give it.
    #[serde(deserialize_with = "zone_id")]
    #[schemars(regex(pattern = pattern::ZONE_ID))]
    pub hosted_zone_id: String,
    /// The account of the hosted zone, where it is another one than the stack's own: one of those that the stack has a role for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::ACCOUNT))]
    pub account: Option<String>,
    /// The name, with or without the last dot.
    #[schemars(regex(pattern = pattern::DNS_NAME))]
    pub record_name: String,
    /// What the name shall answer, by record type. All types of a name move in one atomic batch.
    #[schemars(length(min = 1), extend("allOf" = rule::records_of_a_name()))]
    pub records: Vec<RecordChange>,
    /// The TTL while traffic is moved, a number of seconds; the records get their own TTL back at the end.
    #[serde(default = "default::u32::<60>")]
    #[schemars(range(min = 1, max = 86400))]
    pub ttl: u32,
    /// Route 53 health checks to create for the weighted pair; removed at cleanup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_checks: Option<HealthChecks>,
    /// The weights to go through: they rise or stay, and end at 100.
    #[schemars(length(min = 1), extend("allOf" = rule::all_in_the_end()))]
    pub steps: Vec<Step>,
}

impl DnsRoute {
    /// Where its zone is: in the stack's own account, unless the plan names another one, and in no region.
    pub fn place(&self) -> Option<Place<'_>> {
        self.account.as_deref().map(|account| Place { region: "", account })
    }

    /// The name as Route 53 stores it: lower case, with the last dot, `*` escaped.
    pub fn normalised_name(&self) -> String {
        crate::dns::normalise_name(&self.record_name)
    }

    /// How many looks the health checks of the pair have until they must be healthy.
    pub fn most_check_looks(&self) -> u32 {
        checks::most_looks(self.health_checks.as_ref())
    }

    /// Whether the plan brings a health check with it, made for the run or named.
    pub fn brings_checks(&self) -> bool {
        self.health_checks.is_some() || self.records.iter().any(|record| record.check(None).is_some())
    }

    /// How long resolvers may keep the answer from before a step.
    pub fn settle_seconds(&self) -> u64 {
        u64::from(self.ttl.max(crate::dns::ALIAS_TTL_SECONDS))
    }
}

/// What one record type of a name shall answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, extend("required" = ["type", "new"], "allOf" = rule::values_of_their_type()))]
pub struct RecordChange {
    /// The record type.
    #[serde(rename = "type")]
    pub record_type: RecordType,
    /// The answer on the new side; `null` where it has none of this type, whose record then goes. A type of which the old
    /// side has no record comes with the new side. Both happen at 100 %, with the change of the other types.
    #[serde(deserialize_with = "Option::deserialize")]
    pub new: Option<RecordData>,
    /// Which record is the old side, where the name has several weighted records of this type: its set identifier. Left
    /// out, it is the only one that gets traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub old_set_identifier: Option<String>,
}

impl RecordChange {
    /// The health check that the plan names for the new answer; where it says nothing, the one that is inherited.
    pub fn check(&self, inherited: Option<&String>) -> Option<String> {
        let named = self.new.as_ref().and_then(|new| new.health_check_id.clone());
        named.unwrap_or_else(|| inherited.cloned())
    }
}

/// The record types that direct traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Another name.
    Cname,
}

impl RecordType {
    /// As Route 53 writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
        }
    }
}

/// An answer: exactly one of `values` and `alias`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, extend("allOf" = rule::one_of("values", "alias")))]
pub struct RecordData {
    /// Addresses, each once, or one name: IPv4 addresses for `A`, IPv6 addresses for `AAAA`, one name for `CNAME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 400), extend("uniqueItems" = true), inner(regex(pattern = pattern::RECORD_VALUE)))]
    pub values: Option<Vec<String>>,
    /// An alias, of the types `A` and `AAAA` to an AWS resource, or of any type to a record of the same zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<Alias>,
    /// A Route 53 health check that is there already, for the new record, by its ID or ARN: attached once it is healthy, kept
    /// in the end, never deleted. Left out, the final record inherits the old record's; null: it has none.
    #[serde(default, deserialize_with = "named_or_none", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::HEALTH_CHECK_ID))]
    pub health_check_id: Option<Option<String>>,
}

/// A Route 53 alias target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Alias {
    /// The resource's DNS name.
    #[schemars(regex(pattern = pattern::LEADING_NAME))]
    pub dns_name: String,
    /// The hosted zone of the resource (of the load balancer, not of the record).
    #[serde(deserialize_with = "zone_id")]
    #[schemars(regex(pattern = pattern::ZONE_ID))]
    pub hosted_zone_id: String,
    /// Whether Route 53 looks at the resource's own health. Left out, it does where it does so for the old record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluate_target_health: Option<bool>,
}

/// One weight, and how long it is held under watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Step {
    /// The new side's share of the pair, in percent: a number without a sign.
    #[schemars(range(min = 0, max = 100))]
    pub new_weight: u8,
    /// How long the step is held under watch, 7 days at the most; at zero it is checked once.
    #[serde(default)]
    pub hold: Seconds,
}

/// AWS's SDKs give a zone's ID with its kind before it, and ARNs have it too; the journal, locks and requests have the ID
/// alone.
fn zone_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map(|id| bare_id(id, "hostedzone/"))
}

/// A field that says null is not one that is left out.
fn named_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    let id = Option::<String>::deserialize(deserializer)?;
    Ok(Some(id.map(|id| bare_id(id, "healthcheck/"))))
}

/// `Z1` of `Z1`, `hostedzone/Z1`, `/hostedzone/Z1` and `arn:aws:route53:::hostedzone/Z1`.
fn bare_id(id: String, kind: &str) -> String {
    let of_arn = match id.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", partition, "route53", "", "", resource] if !partition.is_empty() => Some(resource),
        _ => None,
    };
    let resource = of_arn.or_else(|| id.strip_prefix('/')).unwrap_or(&id);
    resource.strip_prefix(kind).map(str::to_owned).unwrap_or(id)
}
