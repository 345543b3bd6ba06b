//! The datapoints that load balancers and replication publish by themselves on AWS, made from what users really saw.
//!
//! Contract: one datapoint per meter and virtual minute, as AWS/ApplicationELB reports: counts only when above 0,
//! response times only when there is traffic; and as AWS/NetworkELB does: the active flows always. A target group's meter counts what was sent through it by its listener
//! and what its side answered under a DNS name. A load balancer that only a metric of the plan names stands for the
//! side that the emulated AWS tells.

use std::time::Duration;

use serde_json::{Value, json};

use crate::control::{Client, Replicating};
use crate::routes::{Place, Route, Side, Sides, load_balancer, target_group};
use crate::traffic::{Ledger, Seen};
use crate::world::{Load, Replication};
use crate::{Clock, real};

const ALB: &str = "AWS/ApplicationELB";
const NLB: &str = "AWS/NetworkELB";
const BYTES_OF_A_REQUEST: usize = 1_000;
/// The old side's users of this long before the run are what was reported of them.
const BEFORE_RUN: Duration = Duration::from_secs(3 * 3600);
const DMS: &str = "AWS/DMS";
const ALB_PERIOD: Duration = Duration::from_secs(60);
const DMS_PERIOD: Duration = Duration::from_secs(30);

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
}

/// All meters of a plan.
#[derive(Clone, Debug)]
pub struct Meters(Vec<Meter>);

impl Meters {
    /// The meters of the plan's listeners and target groups, and of every load balancer that its metrics name.
    pub fn new(plan: &Value, routes: &[Route], sides: &Sides) -> Self {
        let mut meters = Self(Vec::new());
        for route in routes {
            let Place::Forward { arn } = &route.place else { continue };
            let Some(balancer) = load_balancer(arn) else { continue };
            meters.add(json!({"LoadBalancer": balancer}), Scope::Routes(routes_of(balancer, routes)));
            for (group, arn) in route.groups.iter().filter_map(|arn| Some((target_group(arn)?, arn))) {
                let scope = Scope::Group { name: group.to_string(), side: sides.of(arn) };
                meters.add(json!({"TargetGroup": group}), scope.clone());
                meters.add(json!({"LoadBalancer": balancer, "TargetGroup": group}), scope);
            }
        }
        for dimensions in metric_dimensions(plan) {
            let scope = scope_of(&dimensions, routes, sides);
            meters.add(dimensions, scope);
        }
        meters
    }

    fn add(&mut self, dimensions: Value, scope: Scope) {
        if !self.0.iter().any(|meter| meter.dimensions == dimensions) {
            self.0.push(Meter { dimensions, scope });
        }
    }

    /// The datapoints of one period.
    fn datapoints(&self, seen: &[Seen]) -> Vec<Value> {
        self.0.iter().flat_map(|meter| meter.datapoints(seen)).collect()
    }

    /// Publishes a datapoint for each period, for as long as it is polled.
    pub async fn publish(self, client: Client, ledger: Ledger, clock: Clock) {
        let mut ticks = tokio::time::interval(real(ALB_PERIOD, clock.speed()));
        let mut reported = 0;
        loop {
            ticks.tick().await;
            let seen = ledger.since(reported);
            reported += seen.len();
            let datapoints = self.datapoints(&seen);
            if !datapoints.is_empty() {
                // Datapoints may get lost on AWS as well; what depends on them must bear it.
                let _ = client.put_metrics(&datapoints).await;
            }
        }
    }
}

impl Meter {
    fn datapoints(&self, seen: &[Seen]) -> Vec<Value> {
        let mine: Vec<&Seen> = seen.iter().filter(|seen| self.scope.covers(seen)).collect();
        // What reached no target was answered by the load balancer itself.
        let (answered, unanswered): (Vec<&Seen>, Vec<&Seen>) =
            mine.into_iter().partition(|seen| seen.side != Side::Nowhere);
        if self.is_network() {
            return self.flows(answered.len());
        }
        let good = answered.iter().filter(|seen| seen.ok).count();
        let counts = [
            ("RequestCount", answered.len()),
            ("HTTPCode_Target_2XX_Count", good),
            ("HTTPCode_Target_5XX_Count", answered.len() - good),
            ("HTTPCode_ELB_5XX_Count", unanswered.len()),
        ];
        let mut datapoints: Vec<Value> = Vec::new();
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            datapoints.push(datapoint(ALB, name, &self.dimensions, "value", json!(count)));
        }
        if !answered.is_empty() {
            let times: Vec<f64> = answered.iter().map(|seen| seen.seconds).collect();
            datapoints.push(datapoint(ALB, "TargetResponseTime", &self.dimensions, "values", json!(times)));
        }
        datapoints
    }
}

impl Meter {
    fn is_network(&self) -> bool {
        self.dimensions["LoadBalancer"].as_str().is_some_and(|balancer| balancer.starts_with("net/"))
    }

    /// Each request is a connection of its own.
    fn flows(&self, count: usize) -> Vec<Value> {
        let all = [("ActiveFlowCount", count), ("NewFlowCount", count), ("ProcessedBytes", count * BYTES_OF_A_REQUEST)];
        let reported = all.into_iter().filter(|(name, count)| *name == "ActiveFlowCount" || *count > 0);
        reported.map(|(name, count)| datapoint(NLB, name, &self.dimensions, "value", json!(count))).collect()
    }
}

/// What load balancers have reported of the old side's users of before the run: datapoints, and metrics that are always there.
pub fn before_run(routes: &[Route], sides: &Sides) -> (Vec<Value>, Vec<Value>) {
    let (mut datapoints, mut steady) = (Vec::new(), Vec::new());
    for route in routes {
        let Place::Forward { arn } = &route.place else { continue };
        let Some(balancer) = load_balancer(arn) else { continue };
        for group in route.groups.iter().filter(|arn| sides.of(arn) == Side::Old).filter_map(|arn| target_group(arn)) {
            let dimensions = json!({"LoadBalancer": balancer, "TargetGroup": group});
            if balancer.starts_with("net/") {
                steady.push(datapoint(NLB, "ActiveFlowCount", &dimensions, "value", json!(0)));
            } else {
                let mut counted = datapoint(ALB, "RequestCount", &dimensions, "value", json!(100));
                counted["seconds_ago"] = json!(BEFORE_RUN.as_secs());
                datapoints.push(counted);
            }
        }
    }
    (datapoints, steady)
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

/// Values at which everything that a plan watches is well, for metrics that are kept steady: on the good side of each
/// threshold, and no replication lag.
pub fn healthy(plan: &Value, replications: &[Replicating]) -> Vec<Value> {
    let metrics = plan["monitoring"]["metrics"].as_array().into_iter().flatten();
    let watched = metrics.flat_map(|metric| {
        let threshold = metric["threshold"].as_f64().unwrap_or_default();
        let wants_more = metric["comparison"].as_str().is_some_and(|comparison| comparison.starts_with("less"));
        let good = if wants_more { threshold * 2.0 + 1.0 } else { threshold / 2.0 };
        let divisor = &metric["divide_by"];
        let steady = |of: &Value, value: f64| {
            let namespace =
                [&of["namespace"], &metric["namespace"]].into_iter().find_map(Value::as_str).unwrap_or_default();
            let dimensions = if of["dimensions"].is_null() { &metric["dimensions"] } else { &of["dimensions"] };
            let name = of["metric_name"].as_str().unwrap_or_default();
            datapoint(namespace, name, dimensions, "value", json!(value))
        };
        let by = 100.0;
        if divisor.is_null() {
            vec![steady(metric, good)]
        } else {
            vec![steady(metric, good * by), steady(divisor, by)]
        }
    });
    let calm = replications.iter().flat_map(|one| replication_datapoints(one, Load::default()));
    watched.chain(calm).collect()
}

/// What DMS publishes of a replication. The target's latency is that of the whole way, the source's a part of it.
fn replication_datapoints(one: &Replicating, load: Load) -> Vec<Value> {
    let of_all = [
        ("CDCLatencySource", (load.lag_seconds / 2.0).floor()),
        ("CDCLatencyTarget", load.lag_seconds),
        ("CDCThroughputRowsSource", load.changes_per_second),
        ("CDCIncomingChanges", load.backlog),
    ];
    let of_tasks = [("CDCChangesMemoryTarget", 0.0), ("CDCChangesDiskTarget", 0.0)];
    let is_task = one.dimensions.get("ReplicationTaskIdentifier").is_some();
    let series = of_all.into_iter().chain(of_tasks.into_iter().filter(|_| is_task));
    series.map(|(name, value)| datapoint(DMS, name, &one.dimensions, "value", json!(value))).collect()
}

fn datapoint(namespace: &str, name: &str, dimensions: &Value, key: &str, value: Value) -> Value {
    let mut datapoint = json!({"namespace": namespace, "metric_name": name, "dimensions": dimensions});
    datapoint[key] = value;
    datapoint
}

fn routes_of(balancer: &str, routes: &[Route]) -> Vec<usize> {
    let is_on = |route: &Route| matches!(&route.place, Place::Forward { arn } if load_balancer(arn) == Some(balancer));
    routes.iter().enumerate().filter(|(_, route)| is_on(route)).map(|(index, _)| index).collect()
}

fn scope_of(dimensions: &Value, routes: &[Route], sides: &Sides) -> Scope {
    let text = |key: &str| dimensions[key].as_str().unwrap_or_default();
    let (group, balancer) = (text("TargetGroup"), text("LoadBalancer"));
    let mut groups = routes.iter().flat_map(|route| &route.groups);
    if groups.any(|arn| target_group(arn) == Some(group)) {
        return Scope::Group { name: group.to_string(), side: sides.of(group) };
    }
    if !group.is_empty() {
        return Scope::Side(sides.of(group));
    }
    let on_it = routes_of(balancer, routes);
    if on_it.is_empty() { Scope::Side(sides.of(balancer)) } else { Scope::Routes(on_it) }
}

/// The dimensions of every load balancer metric of the plan, divisors included.
fn metric_dimensions(plan: &Value) -> Vec<Value> {
    let metrics = plan["monitoring"]["metrics"].as_array().into_iter().flatten();
    metrics
        .flat_map(|metric| [metric, &metric["divide_by"]])
        .filter(|metric| metric["namespace"] == ALB || metric["namespace"] == NLB)
        .map(|metric| metric["dimensions"].clone())
        .filter(|dimensions| dimensions.as_object().is_some_and(|dimensions| !dimensions.is_empty()))
        .collect()
}

/// Publishes the metrics of the plan's replications, and counts their changes, for as long as it is polled.
pub async fn publish_replication(client: Client, replications: Vec<Replicating>, behaviour: Replication, clock: Clock) {
    let mut ticks = tokio::time::interval(real(DMS_PERIOD, clock.speed()));
    loop {
        ticks.tick().await;
        for one in &replications {
            let load = behaviour.load(one.is_reverse(), clock.now());
            let _ = client.put_metrics(&replication_datapoints(one, load)).await;
            let changes = (load.changes_per_second * DMS_PERIOD.as_secs_f64()).round() as i64;
            if changes > 0 {
                let _ = client.set_replication(json!({ "arn": one.arn, "changes": changes })).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::routes;

    const ELB: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

    fn meters() -> Meters {
        let (old, new) = (format!("{ELB}:targetgroup/blue/1"), format!("{ELB}:targetgroup/green/2"));
        let metric = |dimensions: Value| json!({"namespace": ALB, "dimensions": dimensions, "divide_by": {"namespace": ALB, "dimensions": dimensions}});
        let plan = json!({
            "routes": [
                {"listener_arn": format!("{ELB}:listener/app/portal/3/4"), "old_target_group_arn": old, "new_target_group_arn": new},
                {"hosted_zone_id": "Z1", "record_name": "app.example.com", "records": [{"type": "A"}]}],
            "monitoring": {"metrics": [metric(json!({"LoadBalancer": "app/portal-new/9"})), metric(json!({"TargetGroup": "targetgroup/green/2"}))]}});
        Meters::new(
            &plan,
            &routes::routes(&plan),
            &Sides::new(&json!({"old": [old], "new": [new, "app/portal-new/9"]})),
        )
    }

    fn seen(route: usize, side: Side, group: Option<&str>, ok: bool) -> Seen {
        Seen {
            at: Instant::now(),
            route,
            side,
            group: group.map(|group| format!("{ELB}:{group}").into()),
            ok,
            seconds: 0.02,
        }
    }

    fn find(datapoints: &[Value], dimensions: &Value, name: &str) -> Option<Value> {
        let found = datapoints.iter().find(|it| it["dimensions"] == *dimensions && it["metric_name"] == name);
        found.map(|datapoint| datapoint["value"].clone())
    }

    #[test]
    fn requests_are_counted_where_they_went() {
        let all = [
            seen(0, Side::Old, Some("targetgroup/blue/1"), true),
            seen(0, Side::New, Some("targetgroup/green/2"), false),
            seen(1, Side::New, None, true),
            seen(0, Side::Nowhere, None, false),
        ];
        let datapoints = meters().datapoints(&all);
        let of = |dimensions: Value, name| find(&datapoints, &dimensions, name);
        assert_eq!(of(json!({"TargetGroup": "targetgroup/green/2"}), "RequestCount"), Some(json!(2)));
        assert_eq!(of(json!({"TargetGroup": "targetgroup/green/2"}), "HTTPCode_Target_5XX_Count"), Some(json!(1)));
        assert_eq!(of(json!({"TargetGroup": "targetgroup/blue/1"}), "HTTPCode_Target_5XX_Count"), None);
        assert_eq!(of(json!({"LoadBalancer": "app/portal/3"}), "RequestCount"), Some(json!(2)));
        assert_eq!(of(json!({"LoadBalancer": "app/portal/3"}), "HTTPCode_ELB_5XX_Count"), Some(json!(1)));
        assert_eq!(of(json!({"LoadBalancer": "app/portal-new/9"}), "RequestCount"), Some(json!(2)));
    }

    #[test]
    fn a_network_load_balancer_counts_flows_and_tells_of_none() {
        let dimensions = json!({"LoadBalancer": "net/portal/3"});
        let meter = Meter { dimensions: dimensions.clone(), scope: Scope::Side(Side::Old) };
        let of = |seen: &[Seen], name| find(&meter.datapoints(seen), &dimensions, name);
        assert_eq!(of(&[], "ActiveFlowCount"), Some(json!(0)));
        assert_eq!(of(&[], "NewFlowCount"), None);
        let one = [seen(0, Side::Old, None, true)];
        assert_eq!(of(&one, "ProcessedBytes"), Some(json!(1_000)));
        assert_eq!(of(&one, "RequestCount"), None);
    }

    #[test]
    fn no_traffic_is_no_datapoint() {
        assert!(meters().datapoints(&[]).is_empty());
    }
}
