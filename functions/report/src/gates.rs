//! What the checks of the holds saw, out of the calls of a history. Pure.

use std::collections::BTreeMap;

use cutover::Plan;
use cutover::plan::Route;
use history::Call;
use history::checks::{self, Said};
use jiff::Timestamp;
use serde_json::Value;

use crate::facts::{Gate, Point};

/// What each check of the holds saw, in the order in which they were first looked at. A look that turned the run back answers no list but an error,
/// which names the checks that did; one of the plan's may have been looked at for the first time then.
pub fn gates(calls: &[Call], plan: &Plan) -> Vec<Gate> {
    let titles: Vec<String> = plan.routes.iter().map(Route::title).collect();
    let mut gates = Gates::default();
    for call in calls.iter().filter(|call| history::LOOKS.contains(&call.state.as_str())) {
        match &call.answer {
            Ok(reply) => {
                for check in reply["checks"].as_array().into_iter().flatten() {
                    if let Some(name) = check["name"].as_str() {
                        gates.of(name).count(call.at, check);
                    }
                }
            }
            Err((_, cause)) => gates.fail(cause, checks::names(plan), &titles),
        }
    }
    for gate in &mut gates.all {
        let metric = plan.monitoring.metrics.iter().find(|metric| metric.name == gate.name);
        gate.limit = metric.map(|metric| metric.threshold);
        // Where the routes are, and which share of the requests the new side has, says nothing of how it does.
        let is_named = ["alarm ", "target group "].iter().any(|start| gate.name.starts_with(start));
        gate.is_of_service = metric.is_some() || is_named;
    }
    gates.all
}

/// Gates, and where each stands among them.
#[derive(Default)]
struct Gates {
    all: Vec<Gate>,
    places: BTreeMap<String, usize>,
}

impl Gates {
    fn of(&mut self, name: &str) -> &mut Gate {
        let place = *self.places.entry(name.to_owned()).or_insert_with(|| {
            self.all.push(Gate { name: name.to_owned(), ..Gate::default() });
            self.all.len() - 1
        });
        &mut self.all[place]
    }

    fn fail(&mut self, cause: &str, mut names: Vec<String>, titles: &[String]) {
        names.extend(self.all.iter().map(|gate| gate.name.clone()));
        let Some((said, checks)) = checks::named(cause, &names, titles) else { return };
        for (name, seen) in checks {
            let gate = self.of(name);
            gate.looks += 1;
            match said {
                Said::Wrong => gate.unhealthy += 1,
                Said::TooLittle => gate.too_little += 1,
                Said::NotKnown => gate.not_known += 1,
            }
            seen.clone_into(&mut gate.last_seen);
        }
    }
}

impl Gate {
    fn count(&mut self, at: Timestamp, check: &Value) {
        self.looks += 1;
        match check["verdict"].as_str() {
            Some("healthy") => self.healthy += 1,
            Some("unhealthy") => self.unhealthy += 1,
            Some("too_little_data") => self.too_little += 1,
            _ => self.not_known += 1,
        }
        self.last_seen = check["seen"].as_str().unwrap_or_default().to_owned();
        self.points.extend(check["value"].as_f64().map(|value| Point { at, value }));
    }
}

#[cfg(test)]
mod tests {
    use history::calls::calls;
    use history::{Event, What};
    use serde_json::json;

    use super::*;

    fn plan(metrics: &[&str]) -> Plan {
        let metric = |name: &&str| json!({ "name": name, "namespace": "N", "metric_name": "M", "statistic": "Sum", "comparison": "greater_than", "threshold": 5.0 });
        let metrics: Vec<Value> = metrics.iter().map(metric).collect();
        let name = json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": "x", "records": [], "steps": [] });
        serde_json::from_value(json!({ "application": "a", "routes": [name], "monitoring": { "metrics": metrics } }))
            .unwrap()
    }

    fn look(second: i64, output: What) -> [Event; 2] {
        let at = |second| Timestamp::from_second(second).unwrap();
        let asked = json!({ "FunctionName": "f", "Payload": { "state": "Monitor", "route": 0 } });
        [Event { at: at(second), what: What::Scheduled(asked.to_string()) }, Event { at: at(second + 1), what: output }]
    }

    fn seen(second: i64, name: &str, verdict: &str, value: Value) -> [Event; 2] {
        let checks = json!([{ "name": name, "verdict": verdict, "seen": "s", "value": value }]);
        look(second, What::Succeeded(json!({ "Payload": { "done": false, "checks": checks } }).to_string()))
    }

    fn failed(second: i64, error: &str, cause: &str) -> [Event; 2] {
        look(second, What::Failed(error.to_owned(), json!({ "errorMessage": cause }).to_string()))
    }

    #[test]
    fn gates_count_their_looks_and_keep_values_that_were_there() {
        let events = [
            seen(0, "5xx", "inconclusive", Value::Null),
            seen(60, "5xx", "healthy", json!(0.001)),
            seen(120, "5xx", "unhealthy", json!(0.4)),
            seen(180, "5xx", "too_little_data", json!(0.0)),
        ];
        let gates = gates(&calls(&events.concat()), &plan(&["5xx"]));
        let gate = &gates[0];
        assert_eq!((gate.looks, gate.healthy, gate.unhealthy, gate.too_little, gate.not_known), (4, 1, 1, 1, 1));
        assert_eq!(gate.points.iter().map(|point| point.value).collect::<Vec<_>>(), [0.001, 0.4, 0.0]);
        assert_eq!((gate.limit, gate.is_of_service), (Some(5.0), true));
    }

    #[test]
    fn a_look_that_turned_the_run_back_counts_for_the_checks_that_it_names() {
        let route = "name x in zone Z1";
        let cause = format!("step 2 of 3 (50 %) of {route}: trouble for certain: 5xx rate: 45 of 166 requests failed");
        let events = [seen(0, route, "healthy", Value::Null), failed(60, "Cutover.Unhealthy", &cause)];
        let gates = gates(&calls(&events.concat()), &plan(&["5xx rate", "p99", "rate"]));
        let [of_route, gate] = &gates[..] else { panic!("{gates:?}") };
        assert_eq!((of_route.name.as_str(), of_route.looks, of_route.unhealthy), (route, 1, 0), "of the step's words");
        assert!(!of_route.is_of_service);
        assert_eq!((gate.name.as_str(), gate.looks, gate.unhealthy), ("5xx rate", 1, 1));
        assert_eq!(gate.last_seen, "45 of 166 requests failed");
    }

    #[test]
    fn a_healthy_check_is_not_blamed_for_one_whose_name_ends_like_its_own() {
        let cause = "2 unhealthy checks in a row: p95 latency: 62 of 62 requests took longer than 0.1 s";
        let events = [seen(0, "latency", "healthy", json!(0.2)), failed(60, "Cutover.Unhealthy", cause)].concat();
        let gates = gates(&calls(&events), &plan(&["latency", "p95 latency"]));
        assert_eq!((gates[0].name.as_str(), gates[0].unhealthy, gates[0].last_seen.as_str()), ("latency", 0, "s"));
        assert_eq!((gates[1].name.as_str(), gates[1].unhealthy), ("p95 latency", 1));
    }

    #[test]
    fn a_hold_that_ended_with_too_little_data_is_no_missing_data() {
        let cause = "too little data after a hold of 5m: 5xx: 0 of 2,646 requests failed, about 4,000 are needed";
        let events = [
            seen(0, "5xx", "too_little_data", json!(0.0)),
            failed(60, "Cutover.Inconclusive", cause),
            failed(120, "Cutover.Inconclusive", "3 checks in a row without data: 5xx: no datapoint"),
        ];
        let gates = gates(&calls(&events.concat()), &plan(&["5xx"]));
        assert_eq!((gates[0].looks, gates[0].too_little, gates[0].not_known), (3, 2, 1));
    }
}
