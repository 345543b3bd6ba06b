//! The executions of a run, read from the outside: their status and their history, as the console shows them.
//!
//! Contract: [`Followed::poll`] answers what is new since the last poll, in order. An execution that has ended is
//! polled no more; its history is read after its status, so that nothing of it is missed.

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::control::Client;
use crate::routes::texts;

const STATES: &str = "stepfunctions";
/// What is new since the last look is a few events: the emulated AWS spends a third of its time on long pages.
const PAGE: u64 = 20;

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct End {
    /// SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
    pub status: String,
    /// What a succeeded one returned.
    pub output: Option<Value>,
    /// The error's name.
    pub error: Option<String>,
    /// The error's text.
    pub cause: Option<String>,
}

impl End {
    /// The ending that a succeeded execution tells in its output.
    pub fn told_ending(&self) -> Option<&str> {
        self.output.as_ref()?["ending"].as_str()
    }

    /// The executions of a machine that a succeeded one tells of in its output.
    pub fn told_executions(&self, machine: &str) -> Vec<String> {
        let of_machine = format!(":execution:{machine}:");
        let told = self.output.as_ref().map(texts).unwrap_or_default();
        told.into_iter()
            .filter(|text| text.starts_with("arn:") && text.contains(&of_machine))
            .map(str::to_owned)
            .collect()
    }

    /// The name of an ending that Cutover itself declared, without its prefix. Whoever stops an execution can write any
    /// error.
    pub fn cutover_error(&self) -> Option<&str> {
        let is_declared = self.status == "FAILED";
        self.error.as_deref().filter(|_| is_declared)?.strip_prefix("Cutover.")
    }
}

/// Something that a history tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// It started.
    Began,
    /// A state was entered; with its type: Task, Wait, Choice, ...
    Entered(String, String),
    /// A task or the execution failed, with error and cause. A task's may be retried or caught.
    Failed(String, String),
}

/// What a function that looks at gates answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// Its reply, which has `checks`, a `verdict` of its own, or, of the probe, `tries`.
    Reply(Value),
    /// The text of its error: it names the checks at which it gave up.
    Failed(String),
}

/// An execution that is being followed.
#[derive(Clone, Debug)]
pub struct Followed {
    /// Its ARN.
    pub arn: String,
    /// For people.
    pub label: String,
    /// Whether it is shown below another.
    pub nested: bool,
    /// Once it has ended.
    pub end: Option<End>,
    /// What its looks at gates answered, each with its moment in seconds since 1970, as far as it was polled.
    pub looks: Vec<(f64, Answered)>,
    last_event: u64,
}

impl Followed {
    /// Follows an execution from its beginning.
    pub fn new(arn: &str, label: &str, nested: bool) -> Self {
        Self { arn: arn.to_string(), label: label.to_string(), nested, end: None, looks: Vec::new(), last_event: 0 }
    }

    /// What is new, each with its moment in seconds since 1970.
    pub async fn poll(&mut self, client: &Client) -> Result<Vec<(f64, Told)>> {
        if self.end.is_some() {
            return Ok(Vec::new());
        }
        let description = client.call(STATES, "describe_execution", json!({"executionArn": self.arn})).await?;
        let events = self.new_events(client).await?;
        let told = events.iter().filter_map(|event| Some((moment(event), told(event)?))).collect();
        self.looks.extend(events.iter().filter_map(|event| Some((moment(event), answered(event)?))));
        self.end = end(&description);
        Ok(told)
    }

    /// Newest first until a known one: a long history is not read again and again.
    async fn new_events(&mut self, client: &Client) -> Result<Vec<Value>> {
        let mut events = Vec::new();
        let mut parameters = json!({"executionArn": self.arn, "reverseOrder": true, "maxResults": PAGE});
        loop {
            let mut page = client.call(STATES, "get_execution_history", parameters.clone()).await?;
            let Value::Array(found) = page["events"].take() else { break };
            let count = found.len();
            events.extend(found.into_iter().filter(|event| event["id"].as_u64() > Some(self.last_event)));
            let is_all_new =
                count > 0 && events.last().is_some_and(|event| event["id"].as_u64() > Some(self.last_event + 1));
            match page["nextToken"].as_str() {
                Some(token) if is_all_new => parameters["nextToken"] = json!(token),
                _ => break,
            }
        }
        events.reverse();
        self.last_event = events.last().and_then(|event| event["id"].as_u64()).unwrap_or(self.last_event);
        Ok(events)
    }
}

/// Zero, which shows as the start, for a time that cannot be read.
fn moment(event: &Value) -> f64 {
    let timestamp: Option<Timestamp> = event["timestamp"].as_str().and_then(|text| text.parse().ok());
    timestamp.map_or(0.0, |timestamp| timestamp.as_millisecond() as f64 / 1000.0)
}

fn told(event: &Value) -> Option<Told> {
    let kind = event["type"].as_str()?;
    if kind == "ExecutionStarted" {
        return Some(Told::Began);
    }
    if let Some(state_type) = kind.strip_suffix("StateEntered") {
        let state = event["stateEnteredEventDetails"]["name"].as_str()?;
        return Some(Told::Entered(state.to_string(), state_type.to_string()));
    }
    if !["Failed", "TimedOut", "Aborted"].iter().any(|ending| kind.ends_with(ending)) {
        return None;
    }
    let details = event.as_object()?.iter().find(|(key, _)| key.ends_with("EventDetails")).map(|(_, details)| details);
    let text = |key: &str| details.and_then(|details| details[key].as_str()).unwrap_or_default().to_string();
    let error = text("error");
    let is_execution = kind.starts_with("Execution");
    // A Map that failed only repeats, without a word, what failed in it.
    let name = if error.is_empty() { is_execution.then(|| kind.to_string())? } else { error };
    Some(Told::Failed(name, text("cause")))
}

/// The answer of a function that judges: of a task that succeeded or failed.
fn answered(event: &Value) -> Option<Answered> {
    match event["type"].as_str()? {
        "TaskSucceeded" => {
            let output: Value = serde_json::from_str(event["taskSucceededEventDetails"]["output"].as_str()?).ok()?;
            let reply = &output["Payload"];
            let is_a_look = reply["checks"].is_array() || reply["verdict"].is_string() || reply["tries"].is_object();
            is_a_look.then(|| Answered::Reply(reply.clone()))
        }
        "TaskFailed" => {
            event["taskFailedEventDetails"]["cause"].as_str().map(|cause| Answered::Failed(cause.to_owned()))
        }
        _ => None,
    }
}

/// The end that a description of an execution tells; none while it runs.
pub fn end(description: &Value) -> Option<End> {
    let status = description["status"].as_str().filter(|status| *status != "RUNNING")?;
    let text = |key: &str| description[key].as_str().filter(|text| !text.is_empty()).map(str::to_string);
    Some(End {
        status: status.to_string(),
        output: text("output").map(|output| serde_json::from_str(&output).unwrap_or(Value::String(output))),
        error: text("error"),
        cause: text("cause"),
    })
}

/// Starts an execution and answers its ARN.
pub async fn start(client: &Client, machine_arn: &str, name: &str, input: &Value) -> Result<String> {
    let parameters = json!({"stateMachineArn": machine_arn, "name": name, "input": input.to_string()});
    let answer = client.call(STATES, "start_execution", parameters).await?;
    Ok(answer["executionArn"].as_str().context("StartExecution answered no executionArn")?.to_string())
}

/// Stops an execution, as a person in the console would.
pub async fn stop(client: &Client, arn: &str) -> Result<()> {
    let parameters =
        json!({"executionArn": arn, "error": "Stopped", "cause": "Stopped by hand, as the world file asks."});
    client.call(STATES, "stop_execution", parameters).await.map(drop)
}

/// Executions of a machine whose input speaks of one of these executions, oldest first. Those in `known` are not looked at
/// again.
pub async fn executions_about(
    client: &Client,
    machine_arn: &str,
    run_ids: &[String],
    known: &mut Vec<String>,
) -> Result<Vec<String>> {
    let listed = client.call(STATES, "list_executions", json!({"stateMachineArn": machine_arn})).await?;
    let mut about = Vec::new();
    for arn in
        listed["executions"].as_array().into_iter().flatten().filter_map(|execution| execution["executionArn"].as_str())
    {
        if known.iter().any(|known| known == arn) {
            continue;
        }
        known.push(arn.to_string());
        let description = client.call(STATES, "describe_execution", json!({"executionArn": arn})).await?;
        let input: Value = serde_json::from_str(description["input"].as_str().unwrap_or("null")).unwrap_or_default();
        if texts(&input).iter().any(|text| run_ids.iter().any(|run_id| run_id == text)) {
            about.push(arn.to_string());
        }
    }
    about.reverse();
    Ok(about)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_tells_states_and_errors() {
        let entered = json!({"id": 2, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Claim"}});
        assert_eq!(told(&entered), Some(Told::Entered("Claim".to_string(), "Task".to_string())));
        let failed = json!({"id": 3, "type": "TaskFailed", "taskFailedEventDetails": {"error": "Cutover.Conflict", "cause": "held"}});
        assert_eq!(told(&failed), Some(Told::Failed("Cutover.Conflict".to_string(), "held".to_string())));
        assert_eq!(
            told(&json!({"id": 4, "type": "ExecutionAborted"})),
            Some(Told::Failed("ExecutionAborted".to_string(), String::new()))
        );
        let output = json!({ "StatusCode": 200, "Payload": { "verdict": "healthy", "checks": [] } }).to_string();
        let succeeded = json!({"id": 5, "type": "TaskSucceeded", "taskSucceededEventDetails": { "output": output }});
        assert_eq!(told(&succeeded), None);
        assert!(matches!(answered(&succeeded), Some(Answered::Reply(reply)) if reply["verdict"] == "healthy"));
        assert_eq!(moment(&json!({"timestamp": "1970-01-01T02:00:01.500000+02:00"})), 1.5);
    }

    #[test]
    fn an_end_is_read_from_a_description() {
        assert_eq!(end(&json!({"status": "RUNNING"})), None);
        let done = end(&json!({"status": "SUCCEEDED", "output": "{\"ending\":\"Succeeded\"}"})).expect("an end");
        assert_eq!(done.output, Some(json!({"ending": "Succeeded"})));
    }
}
