//! The datapoints that load balancers and replication publish by themselves on AWS, made from what users really saw.
//!
//! Contract: as AWS/ApplicationELB reports, counts only when above 0, response times only when there is traffic; and as
//! AWS/NetworkELB does, the active flows always. Each is published for the combinations of dimensions that AWS publishes it for
//! ([`crate::meters`]), and for no other: a metric of any other combination has no data. What is late is not lost: the emulated
//! AWS is told up to when all was published, and waits for that when it is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cutover::arn::{load_balancer_dimension, target_group_dimension};
use serde_json::{Value, json};

use crate::control::{Client, Replicating};
use crate::meters::{ALB, Meters, NLB};
use crate::routes::{Place, Route, Side, Sides};
use crate::traffic::{Ledger, Seen};
use crate::world::{Conduct, Load, Replication};
use crate::{Clock, locked, real};

/// The old side's users of this long before the run are what was reported of them.
const BEFORE_RUN: Duration = Duration::from_secs(3 * 3600);
const DMS: &str = "AWS/DMS";
/// Half of a period, so that each has datapoints, wherever it begins.
const SLOT: Duration = Duration::from_secs(30);

/// Until when a publisher has published that ends: nobody waits for it any more.
const ENDED: f64 = f64::MAX;

/// Says so as its publisher is dropped.
struct Ending(Client, &'static [&'static str]);

impl Drop for Ending {
    fn drop(&mut self) {
        let (client, namespaces) = (self.0.clone(), self.1);
        // Without a runtime the emulated AWS goes, too.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { client.publish_metrics(&[], namespaces, ENDED).await });
        }
    }
}

/// Publishes the meters' datapoints, for as long as it is polled. `conducts` are those of the old and the new side.
pub async fn publish(meters: Meters, client: Client, ledger: Ledger, conducts: Arc<Mutex<[Conduct; 2]>>, clock: Clock) {
    let mut ticks = tokio::time::interval(real(SLOT, clock.speed()));
    let (mut reported, mut from) = (0, clock.now());
    let _ending = Ending(client.clone(), &[ALB, NLB]);
    loop {
        ticks.tick().await;
        // Before the requests are read: all of them up to then are among these.
        let Some(until) = ledger.complete_until() else { return };
        let seen = ledger.since(reported);
        reported += seen.len();
        let conducts = locked(&conducts).clone();
        let mut datapoints = Vec::new();
        for (at, seen) in in_slots(&seen, from, clock.at(until), clock) {
            datapoints.extend(meters.datapoints(&seen, &conducts).into_iter().map(|datapoint| timed(datapoint, at)));
        }
        from = clock.at(until);
        // Datapoints may get lost on AWS as well; what depends on them must bear it.
        let _ = client.publish_metrics(&datapoints, &[ALB, NLB], clock.epoch_of(until)).await;
    }
}

/// Requests by slots of time, each with its middle in seconds since 1970. A slot of `from..until` is there without any.
fn in_slots(seen: &[Seen], from: Duration, until: Duration, clock: Clock) -> Vec<(f64, Vec<&Seen>)> {
    let slot = |at: Duration| (at.as_secs_f64() / SLOT.as_secs_f64()) as u64;
    let mut slots: BTreeMap<u64, Vec<&Seen>> = (slot(from)..slot(until)).map(|number| (number, Vec::new())).collect();
    for seen in seen {
        slots.entry(slot(clock.at(seen.at))).or_default().push(seen);
    }
    let middle = |number: u64| clock.epoch_at(Duration::from_secs_f64((number as f64 + 0.5) * SLOT.as_secs_f64()));
    slots.into_iter().map(|(number, seen)| (middle(number), seen)).collect()
}

fn timed(mut datapoint: Value, at: f64) -> Value {
    datapoint["timestamp_ms"] = json!(at * 1000.0);
    datapoint
}

/// What load balancers have reported of the old side's users of before the run: datapoints, and metrics that are always there.
pub fn before_run(routes: &[Route], sides: &Sides) -> (Vec<Value>, Vec<Value>) {
    let (mut datapoints, mut steady) = (Vec::new(), Vec::new());
    for route in routes {
        let Place::Forward { arn } = &route.place else { continue };
        let Some(balancer) = load_balancer_dimension(arn) else { continue };
        for group in
            route.groups.iter().filter(|arn| sides.of(arn) == Side::Old).filter_map(|arn| target_group_dimension(arn))
        {
            let dimensions = json!({"LoadBalancer": balancer, "TargetGroup": group});
            if balancer.starts_with("net/") {
                steady.push(datapoint(NLB, "ActiveFlowCount", &dimensions, "value", json!(0)));
            } else {
                for dimensions in [dimensions, json!({"LoadBalancer": balancer})] {
                    for (name, value) in [("RequestCount", 100.0), ("TargetResponseTime", 0.02)] {
                        let mut seen = datapoint(ALB, name, &dimensions, "value", json!(value));
                        seen["seconds_ago"] = json!(BEFORE_RUN.as_secs());
                        datapoints.push(seen);
                    }
                }
            }
        }
    }
    (datapoints, steady)
}

/// Values at which everything that a plan watches is well, for metrics that are kept steady: on the good side of each
/// threshold and limit, and no replication lag.
pub fn healthy(plan: &Value, replications: &[Replicating]) -> Vec<Value> {
    let metrics = plan["monitoring"]["metrics"].as_array().into_iter().flatten();
    let watched = metrics.flat_map(|metric| {
        let threshold = metric["threshold"].as_f64().unwrap_or_default();
        let wants_more = metric["comparison"].as_str().is_some_and(|comparison| comparison.starts_with("less"));
        let good = if wants_more { threshold * 2.0 + 1.0 } else { threshold / 2.0 };
        kept_at(metric, good)
    });
    let limits = plan["validation"]["limits"].as_array().into_iter().flatten();
    let held = limits.flat_map(|limit| kept_at(limit, limit["max"].as_f64().unwrap_or_default() / 2.0));
    let calm = replications.iter().flat_map(|one| replication_datapoints(one, Load::default()));
    watched.chain(held).chain(calm).collect()
}

/// The values that a world gives to metrics and limits of the plan, for those that are kept steady. A limit of which it says nothing is held: at
/// half of it, as long as nobody else publishes its metric, and no gate watches the same one.
pub fn given(plan: &Value, values: &BTreeMap<String, f64>) -> Vec<Value> {
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    let (watched, limits) = (list(&plan["monitoring"]["metrics"]), list(&plan["validation"]["limits"]));
    let of_world = |metric: &Value| values.get(metric["name"].as_str()?).copied();
    let is_one = |one: &Value, other: &Value| {
        ["namespace", "metric_name", "dimensions"].iter().all(|field| one[field] == other[field])
    };
    let is_free = |limit: &Value| {
        let is_published = [ALB, NLB, DMS].iter().any(|namespace| limit["namespace"] == *namespace);
        !is_published && !watched.iter().any(|metric| is_one(metric, limit))
    };
    let held = |limit: &Value| {
        let most = limit["max"].as_f64().filter(|_| is_free(limit))?;
        Some(most - most.abs() / 2.0)
    };
    let of_limits = limits.iter().filter_map(|limit| Some((limit, of_world(limit).or_else(|| held(limit))?)));
    // What the world says of a gate holds for a limit of the same metric, too.
    let of_gates = watched.iter().filter_map(|metric| Some((metric, of_world(metric)?)));
    of_limits.chain(of_gates).flat_map(|(metric, value)| kept_at(metric, value)).collect()
}

/// A metric that has this value; where it is divided, by a hundred.
fn kept_at(metric: &Value, value: f64) -> Vec<Value> {
    let divisor = &metric["divide_by"];
    let steady = |of: &Value, value: f64| {
        let namespace =
            [&of["namespace"], &metric["namespace"]].into_iter().find_map(Value::as_str).unwrap_or_default();
        // A metric of one's own may have none.
        let given = [&of["dimensions"], &metric["dimensions"]].into_iter().find(|dimensions| dimensions.is_object());
        let dimensions = given.cloned().unwrap_or_else(|| json!({}));
        let name = of["metric_name"].as_str().unwrap_or_default();
        datapoint(namespace, name, &dimensions, "value", json!(value))
    };
    let by = 100.0;
    if divisor.is_null() { vec![steady(metric, value)] } else { vec![steady(metric, value * by), steady(divisor, by)] }
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

pub(crate) fn datapoint(namespace: &str, name: &str, dimensions: &Value, key: &str, value: Value) -> Value {
    let mut datapoint = json!({"namespace": namespace, "metric_name": name, "dimensions": dimensions});
    datapoint[key] = value;
    datapoint
}

/// Publishes the metrics of the plan's replications, and counts their changes, for as long as it is polled.
pub async fn publish_replication(client: Client, replications: Vec<Replicating>, behaviour: Replication, clock: Clock) {
    let mut ticks = tokio::time::interval(real(SLOT, clock.speed()));
    let mut next = Duration::ZERO;
    let _ending = Ending(client.clone(), &[DMS]);
    loop {
        ticks.tick().await;
        let until = Instant::now();
        let mut datapoints = Vec::new();
        while next <= clock.at(until) {
            for one in &replications {
                let load = behaviour.load(one.is_reverse(), next);
                let of_now = replication_datapoints(one, load).into_iter();
                datapoints.extend(of_now.map(|datapoint| timed(datapoint, clock.epoch_at(next))));
                let changes = (load.changes_per_second * SLOT.as_secs_f64()).round() as i64;
                if changes > 0 {
                    let _ = client.set_replication(json!({ "arn": one.arn, "changes": changes })).await;
                }
            }
            next += SLOT;
        }
        let _ = client.publish_metrics(&datapoints, &[DMS], clock.epoch_of(until)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_gives_values_to_metrics_by_their_name() {
        let metric = |name: &str, divide_by: Value| json!({ "name": name, "namespace": "Shop", "metric_name": name, "dimensions": { "a": "b" }, "divide_by": divide_by });
        let plan = json!({ "monitoring": { "metrics": [
            metric("plain", Value::Null), metric("share", json!({ "metric_name": "All" })), metric("silent", Value::Null)] } });
        let values = BTreeMap::from([("plain".to_owned(), 7.0), ("share".to_owned(), 0.5)]);
        let told: Vec<_> = given(&plan, &values)
            .iter()
            .map(|one| (one["metric_name"].clone(), one["value"].clone(), one["dimensions"].clone()))
            .collect();
        let none =
            json!({ "monitoring": { "metrics": [{ "name": "plain", "namespace": "Shop", "metric_name": "plain" }] } });
        assert_eq!(given(&none, &values)[0]["dimensions"], json!({}));
        let at = |name: &str, value: f64| (json!(name), json!(value), json!({ "a": "b" }));
        assert_eq!(told, [at("plain", 7.0), at("share", 50.0), at("All", 100.0)]);
    }

    #[test]
    fn a_limit_is_held_without_a_world_and_has_the_value_of_one() {
        let limit = |name: &str, namespace: &str, max: f64| json!({ "name": name, "namespace": namespace, "metric_name": name, "max": max });
        let mut plan = json!({ "validation": { "limits": [
            limit("CPU", "AWS/ECS", 80.0), limit("balance", "Shop", -10.0), limit("TargetResponseTime", ALB, 1.0)] } });
        let told = |plan: &Value, values: &BTreeMap<String, f64>| -> Vec<(String, f64)> {
            let told = given(plan, values);
            told.iter()
                .map(|one| (one["metric_name"].as_str().unwrap().to_owned(), one["value"].as_f64().unwrap()))
                .collect()
        };
        let none = BTreeMap::new();
        assert_eq!(told(&plan, &none), [("CPU".to_owned(), 40.0), ("balance".to_owned(), -15.0)]);
        let hot = BTreeMap::from([("CPU".to_owned(), 99.0)]);
        assert_eq!(told(&plan, &hot)[0], ("CPU".to_owned(), 99.0));
        plan["monitoring"] = json!({ "metrics": [{ "name": "gate", "namespace": "AWS/ECS", "metric_name": "CPU" }] });
        assert_eq!(
            told(&plan, &none),
            [("balance".to_owned(), -15.0)],
            "the gate has no data, and so is seen to have none"
        );
        let gate = BTreeMap::from([("gate".to_owned(), 7.0)]);
        assert_eq!(told(&plan, &gate), [("balance".to_owned(), -15.0), ("CPU".to_owned(), 7.0)]);
    }

    fn seen(at: Instant) -> Seen {
        Seen { at, route: 0, side: Side::Old, group: None, ok: true, status: Some(200), seconds: 0.02 }
    }

    #[test]
    fn every_slot_of_time_is_published_and_each_request_in_its_own() {
        let clock = Clock::start(600.0);
        let at = |virtual_seconds: u64| clock.instant(Duration::from_secs(virtual_seconds));
        let requests = [seen(at(10)), seen(at(20)), seen(at(100))];
        let slots = in_slots(&requests, Duration::ZERO, Duration::from_secs(125), clock);
        let counts: Vec<usize> = slots.iter().map(|(_, seen)| seen.len()).collect();
        assert_eq!(counts, [2, 0, 0, 1]);
        let apart = (slots[1].0 - slots[0].0) * 600.0;
        assert!((apart - 30.0).abs() < 0.01, "{apart} virtual seconds from one to the next");
    }
}
