//! What the checks of the holds saw, out of the calls of a history. Pure.

use std::collections::BTreeMap;

use history::Call;
use jiff::Timestamp;
use serde_json::Value;

use crate::facts::{Gate, Point};

/// What each check of the holds saw, in the order in which they were first looked at. A look that turned the run back answers no list but an error,
/// which names the step by its route's title, and then the checks that did; `names` are those of the plan's metrics, which may have been looked at for the first time.
pub fn gates(calls: &[Call], names: &[&str], titles: &[String]) -> Vec<Gate> {
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
            Err((error, cause)) => gates.fail(error, after_step(cause, titles), names),
        }
    }
    gates.all
}

/// What an error says after the step at which it was: a route's title is the name of a check, too.
fn after_step<'a>(cause: &'a str, titles: &[String]) -> &'a str {
    let said = titles.iter().find_map(|title| cause.split_once(&format!(" of {title}: ")));
    said.filter(|(step, _)| step.starts_with("step ")).map_or(cause, |(_, said)| said)
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

    fn fail(&mut self, error: &str, cause: &str, names: &[&str]) {
        let known: Vec<String> = self.all.iter().map(|gate| gate.name.clone()).collect();
        let mut named: Vec<&str> = known.iter().map(String::as_str).chain(names.iter().copied()).collect();
        named.sort_unstable();
        named.dedup();
        for name in named.into_iter().filter(|name| !name.is_empty()) {
            let Some((_, seen)) = cause.split_once(&format!("{name}: ")) else { continue };
            let gate = self.of(name);
            gate.looks += 1;
            match error {
                "Cutover.Unhealthy" => gate.unhealthy += 1,
                _ => gate.not_known += 1,
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
            _ => self.not_known += 1,
        }
        self.last_seen = check["seen"].as_str().unwrap_or_default().to_owned();
        self.points.extend(check["value"].as_f64().map(|value| Point { at, value }));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(second: i64, asked: Value, output: Value) -> [Event; 2] {
        let at = |second| Timestamp::from_second(second).unwrap();
        let scheduled = What::Scheduled(json!({ "FunctionName": "f", "Payload": asked }).to_string());
        let succeeded = What::Succeeded(json!({ "Payload": output }).to_string());
        [Event { at: at(second), what: scheduled }, Event { at: at(second + 1), what: succeeded }]
    }

    fn asked(state: &str, _more: Value) -> Value {
        json!({ "state": state, "route": 0 })
    }
    use history::calls::calls;
    use history::{Event, What};

    #[test]
    fn gates_count_their_looks_and_keep_values_that_were_there() {
        let look = |verdict: &str, value: Value| json!({ "done": false, "verdict": verdict, "checks": [{ "name": "5xx", "verdict": verdict, "seen": "s", "value": value }] });
        let events = [
            call(0, asked("Monitor", json!({})), look("inconclusive", Value::Null)),
            call(60, asked("Monitor", json!({})), look("healthy", json!(0.001))),
            call(120, asked("Monitor", json!({})), look("unhealthy", json!(0.4))),
        ]
        .concat();
        let gates = gates(&calls(&events), &[], &[]);
        let gate = &gates[0];
        assert_eq!((gate.looks, gate.healthy, gate.unhealthy, gate.not_known), (3, 1, 1, 1));
        assert_eq!(gate.points.iter().map(|point| point.value).collect::<Vec<_>>(), [0.001, 0.4]);
    }

    #[test]
    fn a_look_that_turned_the_run_back_counts_for_the_checks_that_it_names() {
        let cause = "step 2 of 3 (50 %) of name x: trouble for certain: 5xx rate: 45 of 166 requests failed, limit 5 %";
        let well = json!({ "checks": [{ "name": "name x", "verdict": "healthy", "seen": "as planned" }] });
        let mut events = call(60, asked("Monitor", json!({})), Value::Null).to_vec();
        events[1].what = What::Failed("Cutover.Unhealthy".to_owned(), json!({ "errorMessage": cause }).to_string());
        let events = [call(0, asked("Monitor", json!({})), well).to_vec(), events].concat();
        let gates = gates(&calls(&events), &["5xx rate", "p99"], &["name x".to_owned()]);
        let [route, gate] = &gates[..] else { panic!("{gates:?}") };
        assert_eq!(
            (route.name.as_str(), route.looks, route.unhealthy),
            ("name x", 1, 0),
            "the step is called by its route"
        );
        assert_eq!((gate.name.as_str(), gate.looks, gate.unhealthy), ("5xx rate", 1, 1));
        assert_eq!(gate.last_seen, "45 of 166 requests failed, limit 5 %");
    }
}
