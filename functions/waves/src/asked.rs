//! What an execution of `wave` is started with: a wave, something that a person says of one or of the line, what EventBridge tells, or by the execution
//! before it. Pure.

use cutover::finding::Finding;
use cutover::line;
use cutover::read::Read;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::{NAME, WavePlan};

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// A wave is started.
    Open(Box<WavePlan>),
    /// A person says something of one.
    Say(Gesture),
    /// A person says something of the line: its own part of the input.
    Line(line::Gesture),
    /// An execution of `wave` has ended before its time, or one of `rollback` has ended.
    Event(Event),
}

/// What a person says of a wave: exactly one of the things below `of`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Gesture {
    /// The wave's name.
    #[schemars(regex(pattern = NAME))]
    pub of: String,
    /// One application is tried again.
    pub retry: Option<OfApplication>,
    /// A task is done.
    pub done: Option<TaskDone>,
    /// Nothing new starts for now; what runs goes on.
    pub pause: Option<Who>,
    /// The end of a pause, or of a stop.
    pub resume: Option<Who>,
    /// Nothing new starts any more; what runs comes to its own end.
    pub stop: Option<Who>,
    /// Everything is put back.
    pub roll_back: Option<Who>,
    /// How many executions have followed it before this one. Given by the one before.
    #[schemars(range(max = 1_000_000))]
    pub follow: Option<u32>,
}

/// Something that a person says of the line: of all cutovers of the stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OfLine {
    /// What.
    pub line: line::Gesture,
}

/// Who says it, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Who {
    /// Who.
    #[schemars(length(min = 1, max = 200))]
    pub by: String,
    /// Why.
    #[schemars(length(min = 1, max = 1000))]
    pub why: String,
}

/// Of which application, who says it, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OfApplication {
    /// The application's name.
    #[schemars(regex(pattern = NAME))]
    pub application: String,
    /// Who.
    #[schemars(length(min = 1, max = 200))]
    pub by: String,
    /// Why.
    #[schemars(length(min = 1, max = 1000))]
    pub why: String,
}

/// A task that is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TaskDone {
    /// The application's name.
    #[schemars(regex(pattern = NAME))]
    pub application: String,
    /// Which of its tasks, from 1 on.
    #[schemars(range(min = 1, max = 100))]
    pub task: usize,
    /// Who says so.
    #[schemars(length(min = 1, max = 200))]
    pub by: String,
    /// What there is to say of it.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub why: String,
}

/// The `detail` of Step Functions' event of an execution's status (Step Functions developer guide). An input that makes the event too long is null there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Event {
    /// The execution's ARN.
    pub execution_arn: String,
    /// `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: String,
    /// The machine's ARN.
    pub state_machine_arn: String,
    /// What it was started with.
    pub input: Option<String>,
    /// How it failed.
    pub error: Option<String>,
    /// Why.
    pub cause: Option<String>,
    /// What it came to.
    pub output: Option<String>,
}

/// Reads the input of an execution.
///
/// # Errors
/// Every error at once.
pub fn asked(input: &Value) -> Result<Asked, Vec<Finding>> {
    if input.get("executionArn").is_some() && input.get("stateMachineArn").is_some() {
        let event = cutover::input::read(input.clone());
        return event
            .map(Asked::Event)
            .map_err(|problem| vec![Finding::plan("$", problem, "this is EventBridge's to say")]);
    }
    if input.get("line").is_some() {
        let Read { value, findings, .. } = cutover::read::form::<OfLine>(input);
        return value.filter(|_| findings.is_empty()).map(|input| Asked::Line(input.line)).ok_or(findings);
    }
    if input.get("of").is_some() {
        return gesture(input).map(Asked::Say);
    }
    WavePlan::read(input).map(|wave| Asked::Open(Box::new(wave)))
}

fn gesture(input: &Value) -> Result<Gesture, Vec<Finding>> {
    let Read { value, mut findings, .. } = cutover::read::form::<Gesture>(input);
    let Some(gesture) = value.filter(|_| findings.is_empty()) else { return Err(findings) };
    let Gesture { of: _, retry, done, pause, resume, stop, roll_back, follow } = &gesture;
    let given = [
        retry.is_some(),
        done.is_some(),
        pause.is_some(),
        resume.is_some(),
        stop.is_some(),
        roll_back.is_some(),
        follow.is_some(),
    ];
    if given.into_iter().filter(|given| *given).count() != 1 {
        let fix = "give exactly one of `retry`, `done`, `pause`, `resume`, `stop`, `roll_back`";
        findings.push(Finding::plan("$", "does not say what to do", fix));
        return Err(findings);
    }
    Ok(gesture)
}

/// Findings in one text, for the error of an execution.
pub fn in_words(findings: &[Finding]) -> String {
    let line = |Finding { path, problem, fix, .. }: &Finding| format!("{path} {problem}: {fix}");
    findings.iter().map(line).collect::<Vec<_>>().join("; ")
}
