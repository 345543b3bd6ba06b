//! What the state machines and the functions say to each other about routes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::input;

/// Who is calling: part of every request, so that logs and the fence can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct Caller {
    /// The run: the ARN of its cutover execution.
    pub run_id: String,
    /// The execution that calls: the cutover itself, its rollback or its cleanup.
    pub execution_arn: String,
    /// The calling state's name, for the logs.
    pub state: String,
}

/// What an execution was started with, for a function that decides what to make of it.
#[derive(Clone, Debug, Deserialize)]
pub struct TakeRequest {
    /// The execution.
    pub execution_arn: String,
    /// Its input, as somebody wrote it.
    pub input: Value,
    /// When the calling state was entered, RFC 3339: the same whenever it is tried again. What was said is said then.
    pub at: Timestamp,
}

/// By hand, since serde does not name the fields of a flattened part.
impl TryFrom<Value> for Caller {
    type Error = String;

    fn try_from(request: Value) -> Result<Self, String> {
        let text = |field| input::text(&request, field);
        Ok(Self { run_id: text("run_id")?, execution_arn: text("execution_arn")?, state: text("state")? })
    }
}

/// 32 hexadecimal digits that stand for a text wherever AWS allows only short names: execution names, caller references.
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether an execution in this status (`DescribeExecution`) is still at work, or about to be.
pub fn is_under_way(status: &str) -> bool {
    ["RUNNING", "PENDING_REDRIVE"].contains(&status)
}

/// What is done to a route. The four actions of `listener-swap` and `weight-shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteAction {
    /// Make the route ready: both sides in it, the new one at weight 0.
    Prepare,
    /// Give the new side its share.
    Shift,
    /// Leave only what shall stay.
    Finalise,
    /// Undo of all three: the before-image.
    Restore,
}

/// One action on one route. It is repeated, with what the last reply said, until the reply says `settled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRequest {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// What to do.
    pub action: RouteAction,
    /// The route's place in the plan.
    pub route: usize,
    /// The new side's share in percent, for `shift`.
    #[serde(default)]
    pub new_weight: u8,
    /// The step's place in its route, for `shift` of a name. None of machines from before.
    #[serde(default)]
    pub step: Option<usize>,
    /// How many times this action has been called before.
    #[serde(default)]
    pub attempt: u32,
    /// What an earlier reply of this action gave: the Route 53 change whose spreading is waited for.
    #[serde(default)]
    pub change_id: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteReply {
    /// The route's place in the plan.
    pub route: usize,
    /// Whether the route is in its planned state and that is in effect. Otherwise: wait, and call again.
    pub settled: bool,
    /// How long to wait, before the next call or before the next state.
    pub wait_seconds: u64,
    /// Whether this call wrote.
    pub changed: bool,
    /// The Route 53 change to ask after.
    pub change_id: Option<String>,
    /// When this was observed, RFC 3339.
    pub at: String,
    /// The live state, for a person.
    pub live: String,
    /// What could not be seen to be in effect, for a person; told at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_that_is_about_to_go_on_is_under_way() {
        let under_way = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"].map(is_under_way);
        assert_eq!(under_way, [true, false, false, false, false, true]);
    }
}
