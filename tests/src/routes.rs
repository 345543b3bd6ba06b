//! The routes of a plan, and which side a destination belongs to.
//!
//! Contract: reads plans in the shape of events/cutover.schema.json, but leniently: a plan that the product will refuse
//! must still be rehearsable, so that its refusal is seen. Pure: live state comes in as a value.

use std::collections::HashMap;

use cutover::arn::{load_balancer_dimension, short_name, target_group_dimension};
use serde::Serialize;
use serde_json::Value;

use crate::control::{RecordMember, Routing};

/// Where a user lands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Ord, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The environment that traffic leaves.
    Old,
    /// The environment that traffic goes to.
    New,
    /// Neighbours: members of a route that the plan does not name.
    Other,
    /// No answer at all: no record, or every weight of a forward action is 0.
    Nowhere,
}

impl std::fmt::Display for Side {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Other => "other",
            Self::Nowhere => "nowhere",
        })
    }
}

/// Which side a target group, a record's value or an alias name belongs to.
#[derive(Clone, Debug, Default)]
pub struct Sides(HashMap<String, Side>);

impl Sides {
    /// Reads the `sides` of the environment: every text below `old` and `new` is a destination of that side.
    pub fn new(sides: &Value) -> Self {
        let mut known = HashMap::new();
        for (key, side) in [("old", Side::Old), ("new", Side::New)] {
            for text in texts(&sides[key]) {
                known.insert(normal(text), side);
                // Metrics name a target group by the end of its ARN.
                known.extend(target_group_dimension(text).map(|name| (normal(name), side)));
            }
        }
        Self(known)
    }

    /// The side of a destination; what nobody knows is a neighbour.
    pub fn of(&self, destination: &str) -> Side {
        self.0.get(&normal(destination)).copied().unwrap_or(Side::Other)
    }
}

impl Sides {
    /// The side of an answer: of the first name on its way that somebody knows.
    pub fn of_path(&self, path: &[String]) -> Side {
        path.iter().map(|destination| self.of(destination)).find(|side| *side != Side::Other).unwrap_or(Side::Other)
    }
}

/// Names are compared as DNS does; the `dualstack.` prefix of a load balancer's name does not change where it leads.
fn normal(destination: &str) -> String {
    let name = destination.trim_end_matches('.').to_ascii_lowercase();
    name.strip_prefix("dualstack.").map_or(name.clone(), str::to_string)
}

/// Every text in a JSON value.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// What a user asks to be sent somewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A listener or a rule of an application load balancer.
    Forward {
        /// Its ARN.
        arn: String,
    },
    /// A name in Route 53.
    Name {
        /// The hosted zone's id.
        zone: String,
        /// Without the final dot.
        name: String,
        /// A, AAAA, ...
        types: Vec<String>,
    },
}

/// A route of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Short, for people.
    pub label: String,
    /// What directs its traffic.
    pub place: Place,
    /// Its target groups, for a listener or a rule.
    pub groups: Vec<String>,
}

/// One destination of a route, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Destination {
    /// The record type, for a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_type: Option<String>,
    /// A target group, a value, an alias name.
    pub name: String,
    /// Whose it is.
    pub side: Side,
    /// None for a simple record.
    pub weight: Option<u64>,
    /// In seconds, for records that are no alias.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<u64>,
}

/// The routes of a plan whose ARNs are those of the environment.
pub fn routes(plan: &Value) -> Vec<Route> {
    plan["routes"].as_array().into_iter().flatten().filter_map(route).collect()
}

fn route(route: &Value) -> Option<Route> {
    if let Some(arn) = route["listener_arn"].as_str().or(route["rule_arn"].as_str()) {
        let kind = if route["rule_arn"].is_string() { "rule" } else { "listener" };
        let groups = ["old_target_group_arn", "new_target_group_arn"];
        return Some(Route {
            label: format!("{kind} {}", load_balancer_dimension(arn).map_or(arn, short_name)),
            place: Place::Forward { arn: arn.to_string() },
            groups: groups.iter().filter_map(|key| route[key].as_str()).map(str::to_string).collect(),
        });
    }
    let name = route["record_name"].as_str()?.trim_end_matches('.');
    let records = route["records"].as_array().into_iter().flatten();
    Some(Route {
        label: name.to_string(),
        place: Place::Name {
            zone: bare_zone(route["hosted_zone_id"].as_str().unwrap_or_default()).to_string(),
            name: name.to_string(),
            types: records.filter_map(|record| record["type"].as_str()).map(str::to_string).collect(),
        },
        groups: Vec::new(),
    })
}

fn bare_zone(zone: &str) -> &str {
    zone.trim_start_matches("/hostedzone/")
}

impl RecordMember {
    /// Where this record leads: its first value, or the name it is an alias of.
    pub fn destination(&self) -> Option<&str> {
        self.alias.as_deref().or_else(|| self.values.as_ref()?.first().map(String::as_str))
    }
}

impl Route {
    /// The key of one of its record sets in the live routing.
    pub fn record_key(zone: &str, name: &str, record_type: &str) -> String {
        format!("{}/{name}/{record_type}", bare_zone(zone))
    }

    /// All destinations with their weights: by record type as the plan lists them, the old side first.
    pub fn destinations(&self, routing: &Routing, sides: &Sides) -> Vec<Destination> {
        match &self.place {
            Place::Forward { arn } => {
                let groups = routing.listeners.get(arn).map(|state| state.target_groups.as_slice()).unwrap_or_default();
                sorted(groups.iter().map(|group| {
                    Destination {
                        record_type: None,
                        name: target_group_dimension(&group.arn)
                            .and_then(|name| name.split('/').nth(1))
                            .unwrap_or(&group.arn)
                            .to_string(),
                        side: sides.of(&group.arn),
                        weight: Some(group.weight),
                        ttl_seconds: None,
                    }
                }))
            }
            Place::Name { zone, name, types } => types
                .iter()
                .filter_map(|kind| Some((kind, routing.records.get(&Self::record_key(zone, name, kind))?)))
                .flat_map(|(kind, state)| {
                    sorted(state.members.iter().map(|member| Destination {
                        record_type: Some(kind.clone()),
                        name: member.destination().unwrap_or("nothing").to_string(),
                        side: member.destination().map_or(Side::Nowhere, |name| sides.of(name)),
                        weight: member.weight,
                        ttl_seconds: state.ttl,
                    }))
                })
                .collect(),
        }
    }

    /// Whether a request is sent anywhere at all: a group with a weight, or an answer for one of the types.
    pub fn leads_somewhere(&self, routing: &Routing) -> bool {
        match &self.place {
            Place::Forward { arn } => {
                routing.listeners.get(arn).is_some_and(|state| state.target_groups.iter().any(|group| group.weight > 0))
            }
            // A type that only one side has may be missing.
            Place::Name { zone, name, types } => types.iter().any(|kind| {
                let state = routing.records.get(&Self::record_key(zone, name, kind));
                state.is_some_and(|state| !state.members.is_empty())
            }),
        }
    }

    /// The new side's share of what the old and the new side get together, in percent: what a plan's `new_weight`
    /// speaks of.
    pub fn new_percent(&self, routing: &Routing, sides: &Sides) -> f64 {
        let mut destinations = self.destinations(routing, sides);
        // A simple record has no weight: it takes everything. Beside weighted ones it is of a type that only one side has.
        if destinations.iter().any(|it| it.weight.is_some()) {
            destinations.retain(|it| it.weight.is_some());
        }
        let of = |side| {
            destinations.iter().filter(|it| it.side == side).map(|it| it.weight.unwrap_or(1)).sum::<u64>() as f64
        };
        let (old, new) = (of(Side::Old), of(Side::New));
        if old + new > 0.0 { 100.0 * new / (old + new) } else { 0.0 }
    }
}

fn sorted(destinations: impl Iterator<Item = Destination>) -> Vec<Destination> {
    let mut sorted: Vec<Destination> = destinations.collect();
    sorted.sort_by(|one, other| (one.side, &one.name).cmp(&(other.side, &other.name)));
    sorted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::control::{ForwardState, GroupWeight, RecordState};

    const LISTENER: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/portal/1a/2b";
    const RULE: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/portal/1a/2b/3c";
    const OLD: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/blue/4d";
    const NEW: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/green/5e";

    fn sides() -> Sides {
        Sides::new(
            &json!({"old": {"target_groups": [OLD], "values": ["192.0.2.10"]}, "new": {"groups": [NEW], "x": {"y": ["New-LB.example.com."]}}}),
        )
    }

    #[test]
    fn arns_name_load_balancers_and_groups_as_cloudwatch_does() {
        assert_eq!(load_balancer_dimension(LISTENER), Some("app/portal/1a"));
        assert_eq!(load_balancer_dimension(RULE), Some("app/portal/1a"));
        assert_eq!(target_group_dimension(OLD), Some("targetgroup/blue/4d"));
    }

    #[test]
    fn destinations_belong_to_sides_however_they_are_written() {
        assert_eq!(sides().of("dualstack.new-lb.EXAMPLE.com"), Side::New);
        assert_eq!(sides().of("192.0.2.10"), Side::Old);
        assert_eq!(sides().of("192.0.2.99"), Side::Other);
    }

    #[test]
    fn a_share_leaves_neighbours_out() {
        let plan = json!({"routes": [{"type": "listener", "listener_arn": LISTENER, "old_target_group_arn": OLD, "new_target_group_arn": NEW}]});
        let group = |arn: &str, weight| GroupWeight { arn: arn.to_string(), weight };
        let state = ForwardState {
            target_groups: vec![group(OLD, 3), group(NEW, 1), group("elsewhere", 6)],
            sticky_seconds: None,
        };
        let routing = Routing { listeners: [(LISTENER.to_string(), state)].into(), ..Routing::default() };
        assert_eq!(routes(&plan)[0].label, "listener portal");
        assert_eq!(routes(&plan)[0].new_percent(&routing, &sides()), 25.0);
    }

    #[test]
    fn a_simple_record_takes_everything() {
        let plan = json!({"routes": [{"type": "dns", "hosted_zone_id": "/hostedzone/Z1", "record_name": "app.example.com.", "records": [{"type": "A"}]}]});
        let member = |alias: Option<&str>, values: &[&str]| RecordMember {
            alias: alias.map(str::to_string),
            values: Some(values.iter().map(ToString::to_string).collect()),
            ..RecordMember::default()
        };
        let at = |member| {
            let records = [("Z1/app.example.com/A".to_string(), RecordState { ttl: Some(300), members: vec![member] })];
            routes(&plan)[0].new_percent(&Routing { records: records.into(), ..Routing::default() }, &sides())
        };
        assert_eq!(at(member(None, &["192.0.2.10"])), 0.0);
        assert_eq!(at(member(Some("new-lb.example.com"), &[])), 100.0);
    }
}
