//! How a gate is made to fail. Pure.
//!
//! Contract: in the way that the gate is for, and in no other, as far as sides can be bad in one way alone.

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

use crate::gates::{self, Gate, Kind};
use crate::meters::{ALB, NLB};
use crate::metrics;
use crate::world::World;

/// Users give up after five seconds: no latency is longer.
const LONGEST_LATENCY_MS: f64 = 4_900.0;
const HALF_A_DAY_SECONDS: u64 = 12 * 3600;

/// In which way the new side is made bad.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ill {
    /// All its users get this HTTP status.
    Status(u16),
    /// Its connections break off: the load balancer answers itself.
    Unanswered,
    /// All its answers take so long.
    LatencyMs(u64),
    /// All its targets are unhealthy.
    Targets,
    /// Its health endpoint answers 500.
    Probe,
    /// An alarm goes to ALARM.
    Alarm,
    /// The replication stays so far behind.
    LagSeconds(u64),
    /// A metric that nobody publishes here has a value on its bad side.
    Value,
}

impl Ill {
    /// For a person.
    pub fn describe(&self) -> String {
        match self {
            Self::Status(status) => format!("answers {status} to all users"),
            Self::Unanswered => "breaks off all connections".to_owned(),
            Self::LatencyMs(latency) => format!("answers after {} s", *latency as f64 / 1000.0),
            Self::Targets => "all targets unhealthy".to_owned(),
            Self::Probe => "health endpoint answers 500".to_owned(),
            Self::Alarm => "alarm set to ALARM".to_owned(),
            Self::LagSeconds(lag) => format!("replication stays {lag} s behind"),
            Self::Value => "a bad value published".to_owned(),
        }
    }

    /// The new side's change of behaviour, in a world file's words.
    fn behaviour(&self) -> Value {
        match self {
            Self::Status(status) => json!({ "error_rate": 1.0, "error_status": status }),
            Self::Unanswered => json!({ "unanswered_rate": 1.0 }),
            Self::LatencyMs(latency) => json!({ "latency_ms": latency }),
            Self::Targets => json!({ "healthy_percent": 0.0 }),
            Self::Probe => json!({ "health_status": 500 }),
            Self::Alarm | Self::LagSeconds(_) | Self::Value => json!({}),
        }
    }
}

/// A gate, and how it is made to fail; none where nobody knows how.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The gate.
    pub gate: Gate,
    /// How.
    pub ill: Option<Ill>,
    /// From when on: with this route's new side at this percentage.
    pub(super) route: usize,
    pub(super) weight: f64,
}

/// How each gate of a plan is made to fail.
pub fn trials(plan: &Value) -> Vec<Trial> {
    gates::gates(plan, &[]).into_iter().map(|gate| trial(plan, gate)).collect()
}

fn trial(plan: &Value, gate: Gate) -> Trial {
    let ill = match gate.kind {
        Kind::Metric => ill_of_metric(&gate.planned),
        Kind::Alarm => Some(Ill::Alarm),
        Kind::TargetGroup => Some(Ill::Targets),
        Kind::Replication => Some(Ill::LagSeconds(HALF_A_DAY_SECONDS)),
        Kind::Probe => Some(Ill::Probe),
    };
    let empty = Vec::new();
    let routes = plan["routes"].as_array().unwrap_or(&empty);
    let of_group = gate.planned["dimensions"]["TargetGroup"].as_str().or(gate.planned.as_str());
    let has_group = |route: &Value| {
        let new = route["new_target_group_arn"].as_str();
        new.is_some_and(|new| of_group.is_some_and(|group| new.ends_with(group)))
    };
    let route = routes.iter().position(has_group).unwrap_or(0);
    let steps = routes.get(route).and_then(|route| route["steps"].as_array()).unwrap_or(&empty);
    let mut weights = steps.iter().filter_map(|step| step["new_weight"].as_f64());
    let weight = weights.find(|weight| *weight > 0.0).unwrap_or(100.0);
    Trial { gate, ill, route, weight }
}

fn ill_of_metric(metric: &Value) -> Option<Ill> {
    let (namespace, name) = (metric["namespace"].as_str()?, metric["metric_name"].as_str()?);
    if namespace != ALB && namespace != NLB {
        return Some(Ill::Value);
    }
    match name {
        "TargetResponseTime" => {
            let latency = metric["threshold"].as_f64().unwrap_or_default() * 2_000.0 + 100.0;
            Some(Ill::LatencyMs(latency.clamp(0.0, LONGEST_LATENCY_MS) as u64))
        }
        "HealthyHostCount" | "UnHealthyHostCount" => Some(Ill::Targets),
        "HTTPCode_ELB_5XX_Count" | "HTTPCode_ELB_502_Count" | "TargetConnectionErrorCount" => Some(Ill::Unanswered),
        "HTTPCode_Target_5XX_Count" | "HTTPCode_Target_2XX_Count" => Some(Ill::Status(500)),
        "HTTPCode_Target_4XX_Count" => Some(Ill::Status(404)),
        _ => None,
    }
}

impl Trial {
    /// The world in which the gate has something to catch. What a user's world file does to the run itself is left out.
    pub(super) fn world(&self, raw: &Value) -> Result<World> {
        let mut raw = calm(raw);
        let Some(ill) = &self.ill else { return World::from_json(raw) };
        let mut change = ill.behaviour();
        change["when_new_weight"] = json!(self.weight);
        change["route"] = json!(self.route);
        raw["new"]["changes"] = json!([change]);
        if let Ill::LagSeconds(lag) = ill {
            raw["replication"]["lag_seconds"] = json!([[0, lag]]);
        }
        World::from_json(raw)
    }
}

/// A world file without what it does to the run.
pub(super) fn calm(raw: &Value) -> Value {
    let mut raw = raw.clone();
    if let Some(fields) = raw.as_object_mut() {
        for field in ["description", "expect", "old", "new", "deny", "during"] {
            fields.remove(field);
        }
    }
    if let Some(replication) = raw["replication"].as_object_mut() {
        for field in ["lag_seconds", "backlog", "reverse"] {
            replication.remove(field);
        }
    }
    if raw["replication"].is_null() {
        raw["replication"] = json!({});
    }
    raw["new"] = json!({});
    raw
}

/// Values of the metrics that nobody publishes here: good ones, but for the one that is `bad`.
pub(super) fn values_of_nobody(plan: &Value, bad: Option<&str>) -> Vec<Value> {
    let mut plan = plan.clone();
    let Some(metrics) = plan["monitoring"]["metrics"].as_array_mut() else { return Vec::new() };
    metrics.retain(|metric| ill_of_metric(metric) == Some(Ill::Value));
    for metric in metrics.iter_mut().filter(|metric| bad.is_some() && metric["name"].as_str() == bad) {
        // What is good for the opposite comparison is bad for this one.
        let wants_more = metric["comparison"].as_str().is_some_and(|comparison| comparison.starts_with("less"));
        metric["comparison"] = json!(if wants_more { "greater_than" } else { "less_than" });
    }
    metrics::healthy(&plan, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Value {
        let metric = |namespace: &str, name: &str, threshold: f64| {
            json!({ "name": name, "namespace": namespace, "metric_name": name, "threshold": threshold, "comparison": "greater_than",
                "dimensions": { "TargetGroup": "targetgroup/new/2" } })
        };
        let group = |name: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}");
        json!({
            "routes": [
                { "record_name": "a.example.com", "steps": [{ "new_weight": 0 }, { "new_weight": 20 }, { "new_weight": 100 }] },
                { "new_target_group_arn": group("new/2"), "steps": [{ "new_weight": 5 }, { "new_weight": 100 }] }],
            "database": { "replication_task_arn": "arn" }, "health_check": { "url": "https://new" },
            "monitoring": { "alarms": ["slow"], "metrics": [
                metric(ALB, "HTTPCode_Target_5XX_Count", 0.01), metric(ALB, "HTTPCode_ELB_5XX_Count", 0.01),
                metric(ALB, "TargetResponseTime", 0.8), metric(ALB, "TargetResponseTime", 800.0), metric("Shop", "Orders", 5.0),
                metric(ALB, "RequestCount", 5.0)] },
        })
    }

    #[test]
    fn each_gate_is_made_to_fail_in_its_own_way_from_its_routes_first_traffic_on() {
        let trials = trials(&plan());
        let ills: Vec<_> = trials.iter().map(|trial| trial.ill.clone()).collect();
        let expected = [
            Some(Ill::LagSeconds(43_200)),
            Some(Ill::Status(500)),
            Some(Ill::Unanswered),
            Some(Ill::LatencyMs(1_700)),
            Some(Ill::LatencyMs(4_900)),
            Some(Ill::Value),
            None,
            Some(Ill::Alarm),
            Some(Ill::Targets),
            Some(Ill::Probe),
        ];
        assert_eq!(ills, expected);
        assert_eq!((trials[1].route, trials[1].weight), (1, 5.0), "its target group is the second route's");
        assert_eq!((trials[9].route, trials[9].weight), (0, 20.0));
    }

    #[test]
    fn what_a_world_file_does_to_the_run_is_left_out_of_a_trial() -> Result<()> {
        let raw = json!({ "expect": "RolledBack", "records": {}, "deny": [{ "action": "x" }], "new": { "changes": [{ "error_rate": 1.0 }] },
            "during": [{ "do": "stop_execution" }], "replication": { "lag_seconds": [[0, 900]], "migration_type": "cdc" } });
        let trial = &trials(&plan())[1];
        let world = trial.world(&raw)?;
        assert_eq!(
            world.raw["new"]["changes"],
            json!([{ "when_new_weight": 5.0, "route": 1, "error_rate": 1.0, "error_status": 500 }])
        );
        assert!(world.during.is_empty() && world.expect.is_none() && world.replication.lag_seconds.is_empty());
        assert_eq!(world.raw["replication"], json!({ "migration_type": "cdc" }));
        Ok(())
    }

    #[test]
    fn only_metrics_that_nobody_publishes_get_values_and_one_of_them_a_bad_one() {
        let value = |bad| {
            let values = values_of_nobody(&plan(), bad);
            assert_eq!(values.len(), 1, "{values:?}");
            values[0]["value"].as_f64()
        };
        assert_eq!((value(None), value(Some("Orders"))), (Some(2.5), Some(11.0)));
    }
}
