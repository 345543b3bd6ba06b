//! What an execution's history tells: what was done, when, and what was answered. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A weight, from when on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weight {
    /// Since when.
    pub at: Timestamp,
    /// The route's place in the plan.
    pub route: usize,
    /// The new side's share, in percent.
    pub percent: u8,
}

/// A line of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Of what kind it is.
    pub kind: Kind,
    /// What happened.
    pub text: String,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something was done.
    Done,
    /// Traffic was moved, or could be from then on.
    Moved,
    /// A person decided.
    Person,
    /// Something was wrong.
    Trouble,
}

/// An event of a history, as far as it is needed.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A state was entered.
    Entered(String),
    /// Something was called, with these parameters: JSON.
    Scheduled(String),
    /// It has answered: JSON.
    Succeeded(String),
    /// It has failed: error, cause.
    Failed(String, String),
}

/// A call that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// When it was over.
    pub at: Timestamp,
    /// The state that made it.
    pub state: String,
    /// What it asked.
    pub asked: Value,
    /// What was answered, or error and cause.
    pub answer: Result<Value, (String, String)>,
}

/// The calls of one execution, in order. What goes on side by side (the slices of a load test) is told by its state only.
pub fn calls(events: &[Event]) -> Vec<Call> {
    let (mut entered, mut state, mut asked) = (String::new(), String::new(), Value::Null);
    let mut calls = Vec::new();
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    for Event { at, what } in events {
        let answer = match what {
            What::Entered(name) => {
                entered.clone_from(name);
                continue;
            }
            What::Scheduled(parameters) => {
                asked = json(parameters)["Payload"].take();
                state = asked["state"].as_str().unwrap_or(&entered).to_owned();
                continue;
            }
            What::Succeeded(output) => {
                let mut output = json(output);
                // An answer to a task's token stands alone.
                Ok(if output["Payload"].is_null() { output } else { output["Payload"].take() })
            }
            What::Failed(error, cause) => Err((error.clone(), said(cause))),
        };
        calls.push(Call { at: *at, state: state.clone(), asked: asked.clone(), answer });
    }
    calls
}

/// The state that was entered last, and when; an iteration of a Map counts as a state of its own.
pub fn state(events: &[Event]) -> Option<(Timestamp, &str)> {
    events.iter().rev().find_map(|event| match &event.what {
        What::Entered(name) => Some((event.at, name.as_str())),
        _ => None,
    })
}

/// What was asked last, and when, if nobody has answered yet; null otherwise.
pub fn asked(events: &[Event]) -> (Option<Timestamp>, Value) {
    let last = events.iter().rev().find(|event| !matches!(event.what, What::Entered(_)));
    let Some(Event { at, what: What::Scheduled(parameters) }) = last else { return (None, Value::Null) };
    let mut parameters: Value = serde_json::from_str(parameters).unwrap_or_default();
    (Some(*at), parameters["Payload"].take())
}

/// What a function said, out of the JSON that Lambda wraps around it.
fn said(cause: &str) -> String {
    let wrapped: Option<Value> = serde_json::from_str(cause).ok();
    wrapped.and_then(|cause| cause["errorMessage"].as_str().map(str::to_owned)).unwrap_or_else(|| cause.to_owned())
}

/// The timeline: what a person would tell of it. `titles` are the routes', in the plan's order.
pub fn timeline(calls: &[Call], titles: &[String]) -> Vec<Entry> {
    calls.iter().filter_map(|call| entry(call, titles)).collect()
}

fn entry(call: &Call, titles: &[String]) -> Option<Entry> {
    let entry = |kind, text: String| Some(Entry { at: call.at, kind, text });
    let reply = match &call.answer {
        Ok(reply) => reply,
        Err((error, cause)) => return entry(Kind::Trouble, format!("{} failed: {error}: {cause}", call.state)),
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let title = || titles.get(call.asked["route"].as_u64()? as usize).cloned();
    let changed = reply["changed"] == true;
    match call.state.as_str() {
        "AwaitApproval" | "AwaitDecision" | "AskAfterLoadTest" if !is_signed(reply) => {
            entry(Kind::Person, UNSIGNED.to_owned())
        }
        "AwaitApproval" => entry(Kind::Person, format!("approved by {}: {}", text(&reply["by"]), text(&reply["why"]))),
        "AwaitDecision" => {
            entry(Kind::Person, format!("{} said to go on: {}", text(&reply["by"]), text(&reply["why"])))
        }
        "AskAfterLoadTest" => {
            entry(Kind::Person, format!("{} let the run go on after its load test", text(&reply["by"])))
        }
        "Claim" => {
            entry(Kind::Done, "the run is claimed: its way back is written down, its routes are locked".to_owned())
        }
        "TakeBaseline" if reply["lines"] != Value::Array(Vec::new()) => {
            entry(Kind::Done, "the baseline of the old side is written down".to_owned())
        }
        "PrepareListener" | "PrepareRecords" if changed => {
            entry(Kind::Moved, format!("{}: both sides are in, the new one at 0 %", title()?))
        }
        "NextLoadTurn" if reply["over"] == true => entry(Kind::Done, text(&reply["seen"])),
        "SwapListener" | "ShiftWeight" if changed => entry(
            Kind::Moved,
            format!("{}: the new side's weight is {} %", title()?, call.asked["new_weight"].as_u64()?),
        ),
        "Monitor" if reply["done"] == true => {
            let is_sure = reply["verdict"] != "too_little_data";
            let sure = if is_sure { "" } else { ", with too little data to be certain" };
            entry(Kind::Done, format!("{}: the step has been held, and nothing is wrong{sure}", title()?))
        }
        "Monitor" | "WatchSettling" if reply["verdict"] == "unhealthy" => {
            entry(Kind::Trouble, format!("{}: {}", title()?, wrong(reply)))
        }
        "Validate" if reply["passed"] == true => validated(reply).and_then(|text| entry(Kind::Done, text)),
        "FinaliseListener" | "FinaliseRecords" if changed => {
            entry(Kind::Moved, format!("{}: the new side alone", title()?))
        }
        "Finish" => entry(Kind::Done, "the run is finished: all traffic is on the new side".to_owned()),
        "TakeOverRun" => entry(Kind::Trouble, "the way back has begun".to_owned()),
        "RestoreListener" | "RestoreRecords" if changed => entry(Kind::Moved, format!("{}: put back", title()?)),
        "WriteEnding" => entry(Kind::Done, format!("the rollback has ended: {}", text(&reply["ending"]))),
        _ => None,
    }
}

/// What is said of a yes that decides nothing.
pub const UNSIGNED: &str = "a yes still said YOUR NAME or YOUR REASON, and did not count";

/// Whether a yes says whose it is, as the definitions ask (`is-signed`): the message's command as it stood is none.
pub fn is_signed(answer: &Value) -> bool {
    let text = answer.to_string();
    !["YOUR NAME", "YOUR REASON"].iter().any(|placeholder| text.contains(placeholder))
}

/// What the last look at the new side has seen: a plan without a health check asks nobody, and one without limits compares nothing.
fn validated(reply: &Value) -> Option<String> {
    let tries = reply["tries"]["attempts"].as_u64().unwrap_or(0);
    let asked = (tries > 0).then(|| "the new side answers as it should when it is asked directly".to_owned());
    let limits = reply["limits"].as_array().filter(|limits| !limits.is_empty());
    let held = limits.map(|limits| {
        let over = limits.iter().filter(|limit| limit["holds"] != true).count();
        match (over, limits.len()) {
            (0, 1) => "the plan's limit holds".to_owned(),
            (0, all) => format!("all {all} limits of the plan hold"),
            (over, all) => {
                format!("{over} of the plan's {all} limits {} not hold", if over == 1 { "does" } else { "do" })
            }
        }
    });
    let told: Vec<String> = asked.into_iter().chain(held).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// What was wrong at a look.
fn wrong(reply: &Value) -> String {
    let checks = reply["checks"].as_array().into_iter().flatten();
    let told = checks.filter(|check| check["verdict"] == "unhealthy").map(|check| {
        format!("{}: {}", check["name"].as_str().unwrap_or("a check"), check["seen"].as_str().unwrap_or_default())
    });
    told.collect::<Vec<_>>().join("; ")
}

/// The new side's weight of each route, from when on. A route that was put back is as before, which is 0 % of what the run gave it.
pub fn weights(calls: &[Call]) -> Vec<Weight> {
    let weight = |call: &Call| {
        let reply = call.answer.as_ref().ok().filter(|reply| reply["changed"] == true)?;
        let percent = match call.state.as_str() {
            "PrepareListener" | "PrepareRecords" | "RestoreListener" | "RestoreRecords" => 0,
            "SwapListener" | "ShiftWeight" => u8::try_from(call.asked["new_weight"].as_u64()?).ok()?,
            _ => return None,
        };
        (!reply.is_null()).then_some(Weight { at: call.at, route: call.asked["route"].as_u64()? as usize, percent })
    };
    calls.iter().filter_map(weight).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn call(second: i64, asked: Value, output: Value) -> [Event; 2] {
        let scheduled = What::Scheduled(json!({ "FunctionName": "f", "Payload": asked }).to_string());
        let succeeded = What::Succeeded(json!({ "Payload": output }).to_string());
        [Event { at: at(second), what: scheduled }, Event { at: at(second + 1), what: succeeded }]
    }

    fn asked(state: &str, more: Value) -> Value {
        let mut asked = json!({ "state": state, "route": 0 });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    }

    #[test]
    fn weights_are_told_from_when_they_were_changed() {
        let moved = json!({ "changed": true, "settled": false });
        let looked = json!({ "changed": false, "settled": true });
        let events: Vec<Event> = [
            call(0, asked("PrepareListener", json!({})), moved.clone()),
            call(10, asked("SwapListener", json!({ "new_weight": 10 })), moved.clone()),
            call(20, asked("SwapListener", json!({ "new_weight": 10 })), looked),
            call(30, asked("RestoreListener", json!({})), moved),
        ]
        .concat();
        let told: Vec<(i64, u8)> =
            weights(&calls(&events)).iter().map(|one| (one.at.as_second(), one.percent)).collect();
        assert_eq!(told, [(1, 0), (11, 10), (31, 0)]);
        let lines = timeline(&calls(&events), &["listener l".to_owned()]);
        let lines: Vec<&str> = lines.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(
            lines,
            [
                "listener l: both sides are in, the new one at 0 %",
                "listener l: the new side's weight is 10 %",
                "listener l: put back"
            ]
        );
    }

    #[test]
    fn a_failure_is_told_in_the_functions_own_words() {
        let cause = json!({ "errorType": "Cutover.Unhealthy", "errorMessage": "5xx is 4 %" }).to_string();
        let mut events = call(0, asked("Monitor", json!({})), Value::Null).to_vec();
        events[1].what = What::Failed("Cutover.Unhealthy".to_owned(), cause);
        let told = timeline(&calls(&events), &[]);
        assert_eq!(told[0].text, "Monitor failed: Cutover.Unhealthy: 5xx is 4 %");
    }

    #[test]
    fn where_an_execution_is_and_what_nobody_has_answered_is_told() {
        let mut events = vec![Event { at: at(0), what: What::Entered("AwaitDecision".to_owned()) }];
        assert_eq!((state(&events), super::asked(&events)), (Some((at(0), "AwaitDecision")), (None, Value::Null)));
        events.push(call(5, asked("AwaitDecision", json!({ "detail": { "why": "x" } })), Value::Null)[0].clone());
        let (when, payload) = super::asked(&events);
        assert_eq!((when, payload["detail"]["why"].as_str()), (Some(at(5)), Some("x")));
        events.push(Event { at: at(6), what: What::Succeeded("{}".to_owned()) });
        assert_eq!(super::asked(&events), (None, Value::Null));
        assert_eq!(state(&[]), None);
    }

    #[test]
    fn nobody_is_said_to_have_been_asked_or_measured_who_was_not() {
        let line = |state: &str, reply: Value| {
            let told = timeline(&calls(&call(0, asked(state, json!({})), reply)), &["listener l".to_owned()]);
            told.into_iter().map(|entry| entry.text).collect::<Vec<_>>().join("\n")
        };
        let validated = |attempts: u32, limits: Value| {
            line(
                "Validate",
                json!({ "passed": true, "tries": { "attempts": attempts, "seen": "x" }, "limits": limits }),
            )
        };
        assert_eq!(validated(0, json!([])), "", "no health check, no limits");
        assert_eq!(validated(3, json!([])), "the new side answers as it should when it is asked directly");
        assert_eq!(validated(0, json!([{ "holds": true }])), "the plan's limit holds");
        assert_eq!(
            validated(0, json!([{ "holds": true }, { "holds": false }])),
            "1 of the plan's 2 limits does not hold"
        );
        assert!(
            validated(1, json!([{ "holds": true }, { "holds": true }]))
                .ends_with("directly; all 2 limits of the plan hold")
        );
        assert_eq!(line("TakeBaseline", json!({ "lines": [] })), "");
        assert!(line("TakeBaseline", json!({ "lines": ["32 requests/s"] })).contains("written down"));
        let held = |verdict: &str| line("Monitor", json!({ "done": true, "verdict": verdict }));
        assert!(held("healthy").ends_with("nothing is wrong"));
        assert!(held("too_little_data").ends_with("nothing is wrong, with too little data to be certain"));
        for state in ["AwaitApproval", "AwaitDecision", "AskAfterLoadTest"] {
            let told = line(state, json!({ "by": "YOUR NAME", "why": "ready" }));
            assert_eq!(told, UNSIGNED, "{state}");
        }
    }

    #[test]
    fn what_a_person_answered_stands_alone() {
        let mut events = call(0, asked("AwaitApproval", json!({})), Value::Null).to_vec();
        events[1].what = What::Succeeded(json!({ "by": "Ada", "why": "ready" }).to_string());
        assert_eq!(timeline(&calls(&events), &[])[0].text, "approved by Ada: ready");
    }
}
