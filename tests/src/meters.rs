//! Which metrics load balancers have, by their dimensions, and what they count of users' requests. Pure.
//!
//! Contract: the combinations that AWS publishes, and no other (Elastic Load Balancing user guides, "CloudWatch metrics for your
//! Application Load Balancer" and "... Network Load Balancer", metric dimensions): a load balancer; a target group with its load
//! balancer; either with an Availability Zone, where the plan asks for that; `RequestCountPerTarget` of a target group alone too.
//! What a load balancer answers itself, it counts without target groups. Which load balancers there are is what the plan's
//! routes say. One that only a metric names is there if the plan moves a name, which may lead to it: then it is of the side that
//! the emulated AWS tells. A plan of listeners and rules has no other balancers.

use cutover::arn::{load_balancer_dimension, target_group_dimension};
use serde_json::{Value, json};

use crate::metrics::datapoint;
use crate::routes::{Place, Route, Side, Sides};
use crate::traffic::Seen;
use crate::world::Conduct;

/// The namespace of Application Load Balancers.
pub const ALB: &str = "AWS/ApplicationELB";
/// The namespace of Network Load Balancers.
pub const NLB: &str = "AWS/NetworkELB";
const BYTES_OF_A_REQUEST: usize = 1_000;
/// As many as the emulated AWS puts into a group.
const TARGETS: f64 = 3.0;
/// Those of the emulated AWS's load balancers.
const ZONES: [&str; 2] = ["eu-west-1a", "eu-west-1b"];

/// Which requests a meter counts.
#[derive(Clone, Debug, PartialEq)]
enum Scope {
    Group { name: String, side: Side },
    Routes(Vec<usize>),
    Side(Side),
}

/// One set of dimensions, and what is counted under it.
#[derive(Clone, Debug, PartialEq)]
struct Meter {
    dimensions: Value,
    scope: Scope,
    /// Only every other request: those that came through one zone.
    zone: Option<usize>,
}

/// All meters of a plan.
#[derive(Clone, Debug)]
pub struct Meters(Vec<Meter>);

impl Meters {
    /// The meters of the plan's listeners and target groups, and of the load balancers that its names may lead to.
    pub fn new(plan: &Value, routes: &[Route], sides: &Sides) -> Self {
        let mut meters = Self(Vec::new());
        for route in routes {
            let Place::Forward { arn } = &route.place else { continue };
            let Some(balancer) = load_balancer_dimension(arn) else { continue };
            meters.add(json!({"LoadBalancer": balancer}), Scope::Routes(routes_of(balancer, routes)), None);
            for (group, arn) in route.groups.iter().filter_map(|arn| Some((target_group_dimension(arn)?, arn))) {
                let scope = Scope::Group { name: group.to_string(), side: sides.of(arn) };
                meters.add(json!({"TargetGroup": group}), scope.clone(), None);
                meters.add(json!({"LoadBalancer": balancer, "TargetGroup": group}), scope, None);
            }
        }
        for dimensions in metric_dimensions(plan) {
            meters.add_asked_for(dimensions, routes, sides);
        }
        meters
    }

    fn add(&mut self, dimensions: Value, scope: Scope, zone: Option<usize>) {
        if !self.0.iter().any(|meter| meter.dimensions == dimensions) {
            self.0.push(Meter { dimensions, scope, zone });
        }
    }

    /// What only a metric of the plan names, if there is such a thing.
    fn add_asked_for(&mut self, dimensions: Value, routes: &[Route], sides: &Sides) {
        let text = |key: &str| dimensions[key].as_str().unwrap_or_default();
        let zone = ZONES.iter().position(|zone| *zone == text("AvailabilityZone"));
        let mut bare = dimensions.clone();
        if zone.is_some()
            && let Some(fields) = bare.as_object_mut()
        {
            fields.remove("AvailabilityZone");
        }
        let known = self.0.iter().find(|meter| meter.dimensions == bare).map(|meter| meter.scope.clone());
        let names = bare.as_object().into_iter().flat_map(serde_json::Map::keys);
        let is_published = !text("LoadBalancer").is_empty()
            && names.into_iter().all(|name| ["LoadBalancer", "TargetGroup"].contains(&name.as_str()));
        let has_names = routes.iter().any(|route| matches!(route.place, Place::Name { .. }));
        let is_on_a_route = !routes_of(text("LoadBalancer"), routes).is_empty();
        let behind_a_name = (has_names && !is_on_a_route).then(|| Scope::Side(sides.of(text("LoadBalancer"))));
        if let Some(scope) = known.or(behind_a_name).filter(|_| is_published) {
            self.add(dimensions, scope, zone);
        }
    }

    /// The datapoints of some requests, with both sides (the old one first) as they are now.
    pub fn datapoints(&self, seen: &[&Seen], conducts: &[Conduct; 2]) -> Vec<Value> {
        self.0.iter().flat_map(|meter| meter.datapoints(seen, conducts)).collect()
    }

    /// Whether there is ever a datapoint of a metric, if only what it counts happens.
    pub fn has(&self, namespace: &str, name: &str, dimensions: &Value) -> bool {
        let meter = self.0.iter().find(|meter| meter.dimensions == *dimensions);
        meter.is_some_and(|meter| meter.namespace() == namespace && meter.counts(name))
    }
}

impl Meter {
    fn namespace(&self) -> &'static str {
        let balancer = self.dimensions["LoadBalancer"].as_str();
        if balancer.is_some_and(|balancer| balancer.starts_with("net/")) { NLB } else { ALB }
    }

    fn is_of_group(&self) -> bool {
        self.dimensions["TargetGroup"].is_string()
    }

    /// Whether a metric has these dimensions.
    fn counts(&self, name: &str) -> bool {
        let (is_of_group, is_of_balancer) = (self.is_of_group(), self.dimensions["LoadBalancer"].is_string());
        match name {
            "RequestCountPerTarget" => is_of_group && self.namespace() == ALB,
            _ if !is_of_balancer => false,
            "HealthyHostCount" | "UnHealthyHostCount" => is_of_group,
            "ActiveFlowCount" | "NewFlowCount" | "ProcessedBytes" if self.namespace() == NLB => !is_of_group,
            _ if self.namespace() == NLB => false,
            "HTTPCode_ELB_5XX_Count" | "HTTPCode_ELB_502_Count" | "HTTPCode_ELB_503_Count" => !is_of_group,
            "RequestCount"
            | "TargetResponseTime"
            | "TargetConnectionErrorCount"
            | "HTTPCode_Target_2XX_Count"
            | "HTTPCode_Target_4XX_Count"
            | "HTTPCode_Target_5XX_Count" => true,
            _ => false,
        }
    }

    fn datapoints(&self, seen: &[&Seen], conducts: &[Conduct; 2]) -> Vec<Value> {
        let is_in_zone = |number: usize| self.zone.is_none_or(|zone| number % ZONES.len() == zone);
        let mine = seen.iter().enumerate().filter(|(number, seen)| is_in_zone(*number) && self.scope.covers(seen));
        let mine: Vec<&Seen> = mine.map(|(_, seen)| *seen).collect();
        let counted = if self.namespace() == NLB { flows(&mine) } else { requests(&mine) };
        let mut datapoints: Vec<Value> = counted
            .into_iter()
            .filter(|(name, _)| self.counts(name))
            .map(|(name, count)| datapoint(self.namespace(), name, &self.dimensions, "value", json!(count)))
            .collect();
        let times: Vec<f64> = mine.iter().filter(|seen| seen.status.is_some()).map(|seen| seen.seconds).collect();
        if self.counts("TargetResponseTime") && !times.is_empty() {
            datapoints.push(datapoint(ALB, "TargetResponseTime", &self.dimensions, "values", json!(times)));
        }
        datapoints.extend(self.hosts(conducts));
        datapoints
    }

    /// How many targets of a group are healthy, and how many are not.
    fn hosts(&self, conducts: &[Conduct; 2]) -> Vec<Value> {
        let conduct = match &self.scope {
            Scope::Group { side: Side::Old, .. } => &conducts[0],
            Scope::Group { side: Side::New, .. } => &conducts[1],
            _ => return Vec::new(),
        };
        let healthy = (TARGETS * conduct.healthy_percent / 100.0).round();
        let counts = [("HealthyHostCount", healthy), ("UnHealthyHostCount", TARGETS - healthy)];
        let counts = counts.into_iter().filter(|(name, _)| self.counts(name));
        counts.map(|(name, count)| datapoint(self.namespace(), name, &self.dimensions, "value", json!(count))).collect()
    }
}

/// What an Application Load Balancer counts, as far as it is above 0. What reached no target, or was answered by none, it
/// answered itself.
fn requests(mine: &[&Seen]) -> Vec<(&'static str, f64)> {
    let count = |is_counted: &dyn Fn(&Seen) -> bool| mine.iter().filter(|seen| is_counted(seen)).count();
    let of_class = |class: u16| count(&|seen| seen.status.is_some_and(|status| status / 100 == class));
    let sent = count(&|seen| seen.side != Side::Nowhere);
    let unanswered = count(&|seen| seen.side != Side::Nowhere && seen.status.is_none());
    let counts = [
        ("RequestCount", sent),
        ("HTTPCode_Target_2XX_Count", of_class(2)),
        ("HTTPCode_Target_4XX_Count", of_class(4)),
        ("HTTPCode_Target_5XX_Count", of_class(5)),
        ("HTTPCode_ELB_5XX_Count", mine.len() - sent + unanswered),
        ("HTTPCode_ELB_502_Count", unanswered),
        ("HTTPCode_ELB_503_Count", mine.len() - sent),
        ("TargetConnectionErrorCount", unanswered),
    ];
    let counts = counts.into_iter().map(|(name, count)| (name, count as f64));
    counts.chain([("RequestCountPerTarget", sent as f64 / TARGETS)]).filter(|(_, count)| *count > 0.0).collect()
}

/// What a Network Load Balancer counts: each request is a connection of its own.
fn flows(mine: &[&Seen]) -> Vec<(&'static str, f64)> {
    let count = mine.iter().filter(|seen| seen.side != Side::Nowhere).count();
    let all = [("ActiveFlowCount", count), ("NewFlowCount", count), ("ProcessedBytes", count * BYTES_OF_A_REQUEST)];
    let reported = all.into_iter().filter(|(name, count)| *name == "ActiveFlowCount" || *count > 0);
    reported.map(|(name, count)| (name, count as f64)).collect()
}

impl Scope {
    fn covers(&self, seen: &Seen) -> bool {
        match self {
            Self::Group { name, side } => match &seen.group {
                Some(group) => group.ends_with(name.as_str()),
                None => seen.side == *side,
            },
            Self::Routes(routes) => routes.contains(&seen.route),
            Self::Side(side) => seen.side == *side,
        }
    }
}

fn routes_of(balancer: &str, routes: &[Route]) -> Vec<usize> {
    let is_on = |route: &Route| matches!(&route.place, Place::Forward { arn } if load_balancer_dimension(arn) == Some(balancer));
    routes.iter().enumerate().filter(|(_, route)| is_on(route)).map(|(index, _)| index).collect()
}

/// The dimensions of every load balancer metric of the plan, divisors included.
fn metric_dimensions(plan: &Value) -> Vec<Value> {
    let metrics = plan["monitoring"]["metrics"].as_array().into_iter().flatten();
    let series = metrics.flat_map(|metric| [metric, &metric["divide_by"]]);
    let dimensions = series.map(|series| series["dimensions"].clone());
    dimensions.filter(|dimensions| dimensions.as_object().is_some_and(|dimensions| !dimensions.is_empty())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::routes;

    const ELB: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";
    const PORTAL: &str = "app/portal/3";

    fn meters(asked_for: &[Value], with_name: bool) -> Meters {
        let (old, new) = (format!("{ELB}:targetgroup/blue/1"), format!("{ELB}:targetgroup/green/2"));
        let metric = |dimensions: &Value| json!({"namespace": ALB, "dimensions": dimensions});
        let mut routes = vec![
            json!({"listener_arn": format!("{ELB}:listener/{PORTAL}/4"), "old_target_group_arn": old, "new_target_group_arn": new}),
        ];
        if with_name {
            routes.push(json!({"hosted_zone_id": "Z1", "record_name": "app.example.com", "records": [{"type": "A"}]}));
        }
        let metrics: Vec<Value> = asked_for.iter().map(metric).collect();
        let plan = json!({ "routes": routes, "monitoring": { "metrics": metrics } });
        let sides = Sides::new(&json!({"old": [old], "new": [new, "app/portal-new/9"]}));
        Meters::new(&plan, &routes::routes(&plan), &sides)
    }

    fn seen(route: usize, side: Side, group: Option<&str>, status: Option<u16>) -> Seen {
        let group = group.map(|group| format!("{ELB}:{group}").into());
        Seen { at: Instant::now(), route, side, group, ok: status == Some(200), status, seconds: 0.02 }
    }

    fn values(meters: &Meters, all: &[Seen], dimensions: &Value) -> Vec<(String, Value)> {
        let datapoints = meters.datapoints(&all.iter().collect::<Vec<_>>(), &Default::default());
        let mine = datapoints.iter().filter(|datapoint| datapoint["dimensions"] == *dimensions);
        let text = |datapoint: &Value| datapoint["metric_name"].as_str().unwrap_or_default().to_owned();
        mine.map(|datapoint| (text(datapoint), datapoint["value"].clone())).collect()
    }

    fn value(values: &[(String, Value)], name: &str) -> Option<f64> {
        values.iter().find(|(found, _)| found == name).and_then(|(_, value)| value.as_f64())
    }

    #[test]
    fn requests_are_counted_where_they_went() {
        let all = [
            seen(0, Side::Old, Some("targetgroup/blue/1"), Some(200)),
            seen(0, Side::New, Some("targetgroup/green/2"), Some(500)),
            seen(0, Side::New, Some("targetgroup/green/2"), None),
            seen(1, Side::New, None, Some(200)),
            seen(0, Side::Nowhere, None, None),
        ];
        let meters = meters(&[json!({"LoadBalancer": "app/portal-new/9"})], true);
        let green = values(&meters, &all, &json!({"LoadBalancer": PORTAL, "TargetGroup": "targetgroup/green/2"}));
        assert_eq!(value(&green, "RequestCount"), Some(3.0));
        assert_eq!(value(&green, "HTTPCode_Target_5XX_Count"), Some(1.0));
        assert_eq!(value(&green, "HTTPCode_ELB_5XX_Count"), None, "the balancer's own are no target group's");
        let blue = values(&meters, &all, &json!({"LoadBalancer": PORTAL, "TargetGroup": "targetgroup/blue/1"}));
        assert_eq!(value(&blue, "HTTPCode_Target_5XX_Count"), None);
        assert_eq!(value(&blue, "HealthyHostCount"), Some(3.0));
        let balancer = values(&meters, &all, &json!({"LoadBalancer": PORTAL}));
        assert_eq!(value(&balancer, "RequestCount"), Some(3.0), "what no target was chosen for is no request");
        assert_eq!(value(&balancer, "HTTPCode_ELB_5XX_Count"), Some(2.0));
        assert_eq!(value(&balancer, "HTTPCode_ELB_502_Count"), Some(1.0));
        let new = values(&meters, &all, &json!({"LoadBalancer": "app/portal-new/9"}));
        assert_eq!(value(&new, "RequestCount"), Some(3.0));
    }

    #[test]
    fn only_the_combinations_of_dimensions_that_aws_publishes_have_data() {
        let group = "targetgroup/green/2";
        for (dimensions, with_name, expected) in [
            (json!({"LoadBalancer": PORTAL}), false, true),
            (json!({"LoadBalancer": PORTAL, "TargetGroup": group}), false, true),
            (json!({"AvailabilityZone": "eu-west-1a", "LoadBalancer": PORTAL}), false, true),
            (json!({"AvailabilityZone": "eu-west-1b", "LoadBalancer": PORTAL, "TargetGroup": group}), false, true),
            (json!({"AvailabilityZone": "us-east-1a", "LoadBalancer": PORTAL}), false, false),
            (json!({"TargetGroup": group}), false, false),
            (json!({"LoadBalancer": "app/another/9"}), false, false),
            (json!({"LoadBalancer": "app/another/9", "TargetGroup": group}), false, false),
            (json!({"LoadBalancer": PORTAL, "TargetGroup": "targetgroup/green/9"}), true, false),
            (json!({"LoadBalancer": PORTAL, "Stage": "prod"}), false, false),
            (json!({"LoadBalancer": "app/portal-new/9"}), true, true),
            (json!({"LoadBalancer": "app/portal-new/9"}), false, false),
        ] {
            let meters = meters(std::slice::from_ref(&dimensions), with_name);
            let all = [
                seen(0, Side::New, Some("targetgroup/green/2"), Some(200)),
                seen(0, Side::New, Some("targetgroup/green/2"), Some(200)),
            ];
            let count = value(&values(&meters, &all, &dimensions), "RequestCount");
            assert_eq!(count.is_some(), expected, "{dimensions}");
            assert_eq!(meters.has(ALB, "RequestCount", &dimensions), expected, "{dimensions}");
        }
        let alone = json!({"TargetGroup": "targetgroup/green/2"});
        assert!(meters(&[], false).has(ALB, "RequestCountPerTarget", &alone));
    }

    #[test]
    fn a_network_load_balancer_counts_flows_and_tells_of_none() {
        let dimensions = json!({"LoadBalancer": "net/portal/3"});
        let meters = Meters(vec![Meter { dimensions: dimensions.clone(), scope: Scope::Side(Side::Old), zone: None }]);
        let none = values(&meters, &[], &dimensions);
        assert_eq!((value(&none, "ActiveFlowCount"), value(&none, "NewFlowCount")), (Some(0.0), None));
        let one = values(&meters, &[seen(0, Side::Old, None, Some(200))], &dimensions);
        assert_eq!((value(&one, "ProcessedBytes"), value(&one, "RequestCount")), (Some(1_000.0), None));
    }

    #[test]
    fn no_traffic_is_no_count() {
        let values = values(&meters(&[], false), &[], &json!({"LoadBalancer": PORTAL}));
        assert!(values.is_empty(), "{values:?}");
    }
}
