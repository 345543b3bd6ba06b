//! The gates of a plan: what each said at each look of a run, and which of them never saw anything. Pure.
//!
//! Contract: a gate is whatever can turn a run back by what it sees: the plan's metrics and alarms, target groups, the probe, the
//! replication. What a look said is what the function answered; of the look at which it gave up, what its error says. Times are
//! virtual seconds since the start of the execution.
//!
//! A metric or an alarm that was looked at, when it could have had a value, and never had one, has shown nothing: the plan would
//! have succeeded just as well with a broken new side. That is a finding of the rehearsal, with an exit code of its own
//! ([`NEVER_SEEN`]) where the run succeeded. A metric that is silent while all is well, by the plan's own word (`missing:
//! healthy`), is one as well unless the load balancers here would publish it.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::follow::Answered;
use crate::meters::{ALB, NLB};

/// The exit code of a rehearsal whose run succeeded, and in which a gate never saw a value.
pub const NEVER_SEEN: u8 = 6;

/// What a gate looks at.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One of `monitoring.metrics`.
    Metric,
    /// One of `monitoring.alarms`.
    Alarm,
    /// A target group: one of `monitoring.target_groups`, or a route's new one.
    TargetGroup,
    /// The replication, before the first traffic.
    Replication,
    /// `health_check`, when all traffic has moved.
    Probe,
}

/// What a gate said at one look.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Look {
    /// When.
    pub at_seconds: f64,
    /// healthy, too_little_data, unhealthy, inconclusive or error.
    pub verdict: String,
    /// A metric's value, or the replication's lag in seconds.
    pub value: Option<f64>,
    /// The same for a person.
    pub seen: String,
    /// Whether no value could be expected yet.
    pub is_early: bool,
}

impl Look {
    fn has_seen(&self) -> bool {
        self.value.is_some() || self.seen == "OK" || self.seen == "ALARM"
    }
}

/// A gate, and what it said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// What it looks at.
    pub kind: Kind,
    /// Its place in the plan.
    pub path: String,
    /// As the function that looks at it calls it.
    pub name: String,
    /// Of a metric: when its value is trouble.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<String>,
    /// Of a metric: with what its value is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// In the order of time.
    pub looks: Vec<Look>,
    /// As the plan has it.
    #[serde(skip)]
    pub planned: Value,
}

impl Gate {
    /// The look that says most against the new side: of unhealthy ones the last, else the last at which a sequential test had counted, since it
    /// counts on; else that of the value nearest to the limit, else the last that saw something.
    pub fn worst(&self) -> Option<&Look> {
        if let Some(look) = self.looks.iter().rev().find(|look| look.verdict == "unhealthy") {
            return Some(look);
        }
        if let Some(look) = self.looks.iter().rev().find(|look| look.seen.contains(" requests ")) {
            return Some(look);
        }
        let is_less_worse = self.comparison.as_deref().is_some_and(|comparison| comparison.starts_with("less"));
        let badness =
            |look: &&Look| look.value.map_or(f64::NEG_INFINITY, |value| if is_less_worse { -value } else { value });
        let valued = self.looks.iter().filter(|look| look.value.is_some());
        valued
            .max_by(|one, other| badness(one).total_cmp(&badness(other)))
            .or_else(|| self.looks.iter().rev().find(|look| !look.is_early))
    }
}

/// What a rehearsal has to say about a gate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GateFinding {
    /// Its place in the plan.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub fix: String,
}

/// The gates of a plan, with what the looks at them said.
pub fn gates(plan: &Value, looks: &[(Duration, Answered)]) -> Vec<Gate> {
    let mut gates = planned(plan);
    for (at, answered) in looks {
        for gate in &mut gates {
            gate.looks.extend(said(gate, at.as_secs_f64(), answered));
        }
    }
    gates
}

fn planned(plan: &Value) -> Vec<Gate> {
    let monitoring = &plan["monitoring"];
    let list = |field: &str| monitoring[field].as_array().cloned().unwrap_or_default().into_iter().enumerate();
    let gate = |kind, path: String, name: &str, planned: Value| Gate {
        kind,
        path,
        name: name.to_owned(),
        comparison: planned["comparison"].as_str().map(str::to_owned),
        threshold: planned["threshold"].as_f64(),
        looks: Vec::new(),
        planned,
    };
    let mut gates = Vec::new();
    if plan["database"].is_object() {
        gates.push(gate(Kind::Replication, "$.database".to_owned(), "replication", plan["database"].clone()));
    }
    for (index, metric) in list("metrics") {
        let path = format!("$.monitoring.metrics[{index}]");
        gates.push(gate(Kind::Metric, path, metric["name"].as_str().unwrap_or_default(), metric.clone()));
    }
    for (index, alarm) in list("alarms") {
        let name = format!("alarm {}", alarm.as_str().unwrap_or_default());
        gates.push(gate(Kind::Alarm, format!("$.monitoring.alarms[{index}]"), &name, alarm));
    }
    let watched = list("target_groups").map(|(index, group)| {
        (format!("$.monitoring.target_groups[{index}].target_group_arn"), group["target_group_arn"].clone())
    });
    let routes = plan["routes"].as_array().into_iter().flatten().enumerate();
    let moved = routes.map(|(index, route)| {
        (format!("$.routes[{index}].new_target_group_arn"), route["new_target_group_arn"].clone())
    });
    for (path, group) in watched.chain(moved) {
        let Some(arn) = group.as_str() else { continue };
        let name = format!("target group {}", cutover::arn::short_name(arn));
        if !gates.iter().any(|gate| gate.name == name) {
            gates.push(gate(Kind::TargetGroup, path, &name, group));
        }
    }
    if plan["health_check"].is_object() {
        gates.push(gate(Kind::Probe, "$.health_check".to_owned(), "health check", plan["health_check"].clone()));
    }
    gates
}

/// What an answer says of a gate.
fn said(gate: &Gate, at_seconds: f64, answered: &Answered) -> Option<Look> {
    match answered {
        Answered::Reply(reply) if gate.kind == Kind::Probe => probed(reply, at_seconds),
        Answered::Reply(reply) => {
            let is_replications = gate.kind == Kind::Replication && reply["lag_seconds"].is_number();
            let mut checks = reply["checks"].as_array().into_iter().flatten();
            let said = if is_replications { reply } else { checks.find(|check| check["name"] == gate.name)? };
            let text = |field: &str| said[field].as_str().unwrap_or_default().to_owned();
            Some(Look {
                at_seconds,
                verdict: text("verdict"),
                value: said["value"].as_f64().or(said["lag_seconds"].as_f64()),
                seen: text("seen"),
                is_early: said["is_early"] == true,
            })
        }
        Answered::Failed(cause) => {
            let json: Option<Value> = serde_json::from_str(cause).ok();
            let cause = json.as_ref().and_then(|json| json["errorMessage"].as_str()).unwrap_or(cause);
            let (verdict, failing) = gave_up(cause)?;
            let mut failing = failing.split("; ");
            let seen = failing.find_map(|one| one.strip_prefix(&gate.name)?.strip_prefix(": "))?;
            let value =
                seen.split(", trouble when").next().and_then(|text| text.parse().ok()).or_else(|| share(gate, seen));
            let is_without_value = value.is_none() && !seen.contains(" requests ");
            let verdict = if is_without_value && gate.kind == Kind::Metric { "inconclusive" } else { verdict };
            Some(Look { at_seconds, verdict: verdict.to_owned(), value, seen: seen.to_owned(), is_early: false })
        }
    }
}

/// Why a look ended the run, and what it names.
fn gave_up(cause: &str) -> Option<(&'static str, &str)> {
    for (words, verdict) in [
        ("trouble for certain: ", "unhealthy"),
        (" unhealthy checks in a row: ", "unhealthy"),
        (" checks in a row without data: ", "inconclusive"),
    ] {
        if let Some((_, failing)) = cause.split_once(words) {
            return Some((verdict, failing));
        }
    }
    let (_, hold) = cause.split_once("too little data after a hold of ")?;
    Some(("too_little_data", hold.split_once(": ")?.1))
}

/// The share that a sequential test of errors tells: `22 of 1,300 requests failed`. That of a latency is not the metric's value.
fn share(gate: &Gate, seen: &str) -> Option<f64> {
    let (bad, rest) = seen.split_once(" of ")?;
    let number = |text: &str| text.replace(',', "").parse::<f64>().ok();
    let all = number(rest.split_once(" requests ")?.0).filter(|all| *all > 0.0)?;
    let is_share = !gate.planned["divide_by"].is_null();
    is_share.then_some(number(bad)? / all)
}

/// What a try of the probe saw: one that passed counts from 1 again.
fn probed(reply: &Value, at_seconds: f64) -> Option<Look> {
    let tries = &reply["tries"];
    let verdict = if tries["passed_in_row"].as_u64()? > 0 { "healthy" } else { "unhealthy" };
    let seen = tries["seen"].as_str().unwrap_or_default().to_owned();
    Some(Look { at_seconds, verdict: verdict.to_owned(), value: None, seen, is_early: false })
}

/// From how many seconds on an answer is slow: the least limit of the plan's gates on the response time of an Application Load
/// Balancer's targets; none where there is no such gate.
pub fn slow_above_seconds(plan: &Value) -> Option<f64> {
    let metrics = plan["monitoring"]["metrics"].as_array().into_iter().flatten();
    let is_latency = |metric: &&Value| {
        metric["namespace"] == ALB
            && metric["metric_name"] == "TargetResponseTime"
            && metric["statistic"] != "SampleCount"
            && metric["divide_by"].is_null()
            && metric["comparison"].as_str().is_some_and(|comparison| comparison.starts_with("greater"))
    };
    metrics.filter(is_latency).filter_map(|metric| metric["threshold"].as_f64()).reduce(f64::min)
}

/// Metrics and alarms that never had a value; `publishes` tells whether the load balancers here publish a metric.
pub fn never_seen(gates: &[Gate], publishes: impl Fn(&Value) -> bool) -> Vec<GateFinding> {
    let is_dead = |gate: &&Gate| {
        let could_have_seen = gate.looks.iter().any(|look| !look.is_early);
        let is_silent_when_well = gate.kind == Kind::Metric
            && gate.planned["missing"] == "healthy"
            && gate.planned["divide_by"].is_null()
            && publishes(&gate.planned);
        [Kind::Metric, Kind::Alarm].contains(&gate.kind)
            && could_have_seen
            && !is_silent_when_well
            && !gate.looks.iter().any(Look::has_seen)
    };
    gates.iter().filter(is_dead).map(finding).collect()
}

fn finding(gate: &Gate) -> GateFinding {
    let looks = gate.looks.iter().filter(|look| !look.is_early).count();
    let looks = if looks == 1 { "one look".to_owned() } else { format!("{looks} looks") };
    let (problem, fix) = if gate.kind == Kind::Alarm {
        let problem = format!("`{}` had no data at any of {looks}: it has guarded nothing", gate.name);
        let fix = "look at the alarm's metric; in a rehearsal its state is that of the world file";
        (problem, fix.to_owned())
    } else {
        let problem = format!("`{}` had no value at any of {looks}: it has guarded nothing", gate.name);
        let fix = match gate.planned["namespace"].as_str() {
            Some(ALB | NLB) => {
                "compare metric_name and dimensions with the metric in CloudWatch, letter by letter".to_owned()
            }
            _ => format!(
                "here nobody publishes it: give it a value in the world file, `\"metrics\": {{ {}: 0 }}`, and compare namespace, \
                 metric_name and dimensions with the metric in CloudWatch",
                json!(gate.name)
            ),
        };
        (problem, fix)
    };
    GateFinding { path: gate.path.clone(), problem, fix }
}

/// The exit code of a rehearsal: that of the run's ending, unless it succeeded past a gate that never saw anything.
pub fn exit_code(of_ending: u8, findings: &[GateFinding]) -> u8 {
    if of_ending == 0 && !findings.is_empty() { NEVER_SEEN } else { of_ending }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn plan(missing: &str) -> Value {
        json!({
            "routes": [{ "new_target_group_arn": "arn:g" }], "database": {}, "health_check": {},
            "monitoring": { "alarms": ["slow"], "metrics": [{ "name": "p95", "comparison": "greater_than", "threshold": 0.8, "missing": missing }] },
        })
    }

    fn look(checks: Value) -> (Duration, Answered) {
        (Duration::from_secs(60), Answered::Reply(json!({ "verdict": "healthy", "checks": checks })))
    }

    #[test]
    fn what_each_gate_said_is_kept_with_its_time() {
        let checks = json!([
            { "name": "p95", "verdict": "healthy", "seen": "0.2, trouble when greater than 0.8", "value": 0.2 },
            { "name": "alarm slow", "verdict": "healthy", "seen": "OK" }, { "name": "target group arn:g", "verdict": "healthy", "seen": "3 of 3" }]);
        let failed = "step 1 of 2 (5 %) of listener l: 2 unhealthy checks in a row: p95: 1.5, trouble when greater than 0.8; alarm slow: ALARM";
        let lag = Answered::Reply(json!({ "verdict": "healthy", "lag_seconds": 3.0, "seen": "3 s behind" }));
        let looks =
            [(Duration::ZERO, lag), look(checks), (Duration::from_secs(120), Answered::Failed(failed.to_owned()))];
        let gates = gates(&plan("inconclusive"), &looks);
        let of = |name: &str| gates.iter().find(|gate| gate.name == name).expect("a gate");
        let said = |name: &str| -> Vec<_> {
            of(name).looks.iter().map(|look| (look.at_seconds, look.verdict.as_str(), look.value)).collect()
        };
        assert_eq!(said("p95"), [(60.0, "healthy", Some(0.2)), (120.0, "unhealthy", Some(1.5))]);
        assert_eq!(said("alarm slow"), [(60.0, "healthy", None), (120.0, "unhealthy", None)]);
        assert_eq!(said("replication"), [(0.0, "healthy", Some(3.0))]);
        assert_eq!((of("p95").threshold, of("health check").kind), (Some(0.8), Kind::Probe));
        assert_eq!(never_seen(&gates, |_| true), []);
    }

    #[test]
    fn a_gate_that_never_saw_a_value_is_a_finding() {
        let checks = |is_early: bool| {
            json!([{ "name": "p95", "verdict": "healthy", "seen": "no value, which the plan calls healthy", "is_early": is_early },
                { "name": "alarm slow", "verdict": "healthy", "seen": "INSUFFICIENT_DATA, which the plan calls healthy", "is_early": is_early }])
        };
        let paths = |missing: &str, is_early: bool, is_published: bool| -> Vec<String> {
            let findings = never_seen(&gates(&plan(missing), &[look(checks(is_early))]), |_| is_published);
            findings.into_iter().map(|found| found.path).collect()
        };
        let (metric, alarm) = ("$.monitoring.metrics[0]", "$.monitoring.alarms[0]");
        assert_eq!(paths("inconclusive", false, true), [metric, alarm]);
        assert_eq!(paths("healthy", false, false), [metric, alarm]);
        assert_eq!(paths("healthy", false, true), [alarm], "silent because nothing is wrong");
        assert_eq!(paths("inconclusive", true, true), [""; 0], "it was too early for a value");
        assert_eq!(never_seen(&gates(&plan("inconclusive"), &[]), |_| true), [], "nobody has looked");
    }

    #[test]
    fn an_answer_is_slow_above_the_least_limit_of_a_latency_gate() {
        let metric = |statistic: &str, comparison: &str, threshold: f64| {
            json!({ "namespace": ALB, "metric_name": "TargetResponseTime", "statistic": statistic, "comparison": comparison,
                "threshold": threshold })
        };
        let above = |metrics: &[Value]| slow_above_seconds(&json!({ "monitoring": { "metrics": metrics } }));
        assert_eq!(
            above(&[metric("p99", "greater_than", 1.5), metric("p95", "greater_than_or_equal", 0.8)]),
            Some(0.8)
        );
        assert_eq!(above(&[metric("p95", "less_than", 0.1), metric("SampleCount", "greater_than", 5.0)]), None);
        assert_eq!(slow_above_seconds(&json!({})), None);
    }

    #[test]
    fn what_a_sequential_test_told_is_kept_with_its_numbers() {
        let mut plan = plan("zero_if_divisor");
        plan["monitoring"]["metrics"][0]["divide_by"] = json!({ "metric_name": "RequestCount" });
        let counted = |seen: &str| json!([{ "name": "p95", "verdict": "too_little_data", "seen": seen, "value": 0.0 }]);
        let failed = "routes[0].steps[0], 5 % on the new side: trouble for certain: p95: 22 of 1,100 requests failed, limit 1 %, p < 0.002";
        let looks = [
            look(counted("0 of 60 requests failed, limit 1 %")),
            look(counted("1 of 120 requests failed, limit 1 %")),
            (Duration::from_secs(240), Answered::Failed(failed.to_owned())),
        ];
        let metric = |looks: &[(Duration, Answered)]| {
            gates(&plan, looks).into_iter().find(|gate| gate.kind == Kind::Metric).expect("a metric")
        };
        let gate = metric(&looks[..2]);
        assert_eq!(gate.worst().map(|look| look.seen.as_str()), Some("1 of 120 requests failed, limit 1 %"));
        let gate = metric(&looks);
        let last = gate.worst().expect("a look");
        assert_eq!((last.verdict.as_str(), last.value), ("unhealthy", Some(0.02)));
        let too_little = "routes[0].steps[0], 5 % on the new side: too little data after a hold of 5m: p95: 0 of 60 requests failed, limit 1 %";
        let gate = metric(&[(Duration::from_secs(300), Answered::Failed(too_little.to_owned()))]);
        assert_eq!(gate.looks[0].verdict, "too_little_data");
    }

    #[test]
    fn only_a_run_that_succeeded_has_the_exit_code_of_its_gates() {
        let found = vec![GateFinding { path: String::new(), problem: String::new(), fix: String::new() }];
        assert_eq!([exit_code(0, &[]), exit_code(0, &found), exit_code(3, &found)], [0, NEVER_SEEN, 3]);
    }
}
