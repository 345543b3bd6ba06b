//! What a rehearsal found out: the ending, what moved, what users saw, what was changed.
//!
//! Contract: values only, as `cargo rehearse --json` prints them. Times are virtual seconds since the execution's
//! start.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::Clock;
use crate::approver::Answered;
use crate::bill::Bill;
use crate::control::{Message, Request};
use crate::follow::{End, Followed};
use crate::gates::{Gate, GateFinding, Look};
use crate::routes::{Destination, Route, Side};
use crate::traffic::{Seen, Tally};

const TIMELINE_ROWS: u32 = 100;
/// What operations that change something begin with.
const VERBS: [&str; 10] =
    ["Add", "Change", "Create", "Delete", "Deregister", "Modify", "Put", "Register", "Remove", "Set"];
/// Services that a run writes its own records, pages, reports and messages to, or calls its functions by.
const BOOKS: [&str; 7] = ["dynamodb", "s3", "sns", "stepfunctions", "states", "lambda", "events"];

/// How a run ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Traffic is on the new side.
    Succeeded,
    /// Everything is as it was.
    RolledBack,
    /// A person has to act.
    Stuck,
    /// A person has to decide.
    Held,
    /// Nothing was touched: InvalidPlan, PrecheckFailed, Conflict, LineStopped, Rejected, NothingToDo, InvalidGesture.
    Refused(String),
    /// Anything else, by its status or error.
    Other(String),
}

impl Ending {
    /// From the end of the execution and of its rollbacks. A stopped execution has no ending of its own: its rollback's
    /// counts; and so does that of one which took back what had succeeded.
    pub fn of(end: &End, rollbacks: &[End]) -> Self {
        let is_taken_back = rollbacks.iter().any(|rollback| rollback.told_ending() != Some("NothingToDo"));
        if end.status == "SUCCEEDED" && !is_taken_back {
            let told = end.told_ending().filter(|told| ["RolledBack", "NothingToDo"].contains(told));
            return told.map_or(Self::Succeeded, Self::named);
        }
        if let Some(name) = end.cutover_error() {
            return Self::named(name);
        }
        let acted = rollbacks.iter().rev().find(|end| end.told_ending() != Some("NothingToDo"));
        match acted {
            Some(rollback) if rollback.status == "SUCCEEDED" => {
                Self::named(rollback.told_ending().unwrap_or("RolledBack"))
            }
            Some(rollback) => {
                let error = rollback.error.as_deref().unwrap_or(&rollback.status);
                Self::named(error.strip_prefix("Cutover.").unwrap_or(error))
            }
            None => Self::named(end.error.as_deref().unwrap_or(&end.status)),
        }
    }

    /// The ending that a name stands for.
    pub fn named(name: &str) -> Self {
        match name {
            "Succeeded" => Self::Succeeded,
            "RolledBack" => Self::RolledBack,
            "Stuck" => Self::Stuck,
            "Held" => Self::Held,
            "InvalidPlan" | "PrecheckFailed" | "Conflict" | "LineStopped" | "Rejected" | "NothingToDo"
            | "InvalidGesture" => Self::Refused(name.to_string()),
            other => Self::Other(other.to_string()),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::RolledBack => "RolledBack",
            Self::Stuck => "Stuck",
            Self::Held => "Held",
            Self::Refused(name) | Self::Other(name) => name,
        }
    }

    /// The exit code of a rehearsal that ended like this.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Refused(_) => 2,
            Self::RolledBack => 3,
            Self::Stuck => 4,
            Self::Held => 5,
            Self::Other(_) => 1,
        }
    }
}

impl Serialize for Ending {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The state of a route from a moment on.
#[derive(Clone, Debug, Serialize)]
pub struct Move {
    /// Virtual seconds since the start.
    pub at_seconds: f64,
    /// The route's label.
    pub route: String,
    /// Where it leads.
    pub destinations: Vec<Destination>,
}

/// A request that changed something.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// Virtual seconds since the start.
    pub at_seconds: f64,
    /// The state machine in whose course it was made.
    pub machine: String,
    /// The state that called for it.
    pub state: Option<String>,
    /// Which function, or `states` for the state machine itself.
    pub caller: String,
    /// The service.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The HTTP status; none if it was never answered.
    pub status: Option<u16>,
    /// Whether it takes back what the run had done.
    pub undo: bool,
}

/// What users saw in one part of the rehearsal.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Virtual seconds since the start.
    pub at_seconds: f64,
    /// By route.
    pub routes: Vec<Tally>,
    /// By route: how long the slowest twentieth took at the least (p95), in seconds; none without an answer.
    pub p95_seconds: Vec<Option<f64>>,
}

/// What users saw of one side.
#[derive(Clone, Debug, Serialize)]
pub struct SideSaw {
    /// Which.
    pub side: Side,
    /// All requests that landed there.
    pub requests: usize,
    /// Those without a good answer.
    pub failures: usize,
    /// Those with a good one that took too long.
    pub slow: usize,
}

/// When users were hurt, in virtual seconds since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Impact {
    /// The first request that failed or was slow.
    pub first_hurt_seconds: Option<f64>,
    /// The last one.
    pub last_hurt_seconds: Option<f64>,
}

impl Impact {
    fn of(seen: &[Seen], slow_above_seconds: Option<f64>, clock: Clock) -> Self {
        let is_hurt = |seen: &&Seen| !seen.ok || is_slow(seen, slow_above_seconds);
        let hurt = || seen.iter().filter(is_hurt).map(|seen| clock.at(seen.at).as_secs_f64());
        Self { first_hurt_seconds: hurt().reduce(f64::min), last_hurt_seconds: hurt().reduce(f64::max) }
    }
}

/// Whether a user waited too long for a good answer. Without a limit nobody did.
fn is_slow(seen: &Seen, above_seconds: Option<f64>) -> bool {
    seen.ok && above_seconds.is_some_and(|limit| seen.seconds > limit)
}

/// The 95th percentile, nearest rank, of how long answers took.
fn p95_seconds<'a>(seen: impl Iterator<Item = &'a Seen>) -> Option<f64> {
    let mut seconds: Vec<f64> = seen.filter(|seen| seen.status.is_some()).map(|seen| seen.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let rank = (seconds.len() * 95).div_ceil(100);
    seconds.get(rank.checked_sub(1)?).copied()
}

/// What users saw.
#[derive(Clone, Debug, Serialize)]
pub struct UsersSaw {
    /// All requests since the start.
    pub requests: usize,
    /// Those without a good answer.
    pub failures: usize,
    /// Those with a good answer that took longer than `slow_above_seconds`.
    pub slow: usize,
    /// What is too long: the least limit of the plan's latency gates. None without one: then nobody counts as slow.
    pub slow_above_seconds: Option<f64>,
    /// When they were hurt.
    #[serde(flatten)]
    pub impact: Impact,
    /// By the side they landed on.
    pub sides: Vec<SideSaw>,
    /// The labels of the timeline's routes.
    pub routes: Vec<String>,
    /// Over time.
    pub timeline: Vec<Row>,
}

/// An execution that was followed.
#[derive(Clone, Debug, Serialize)]
pub struct Execution {
    /// cutover, rollback, second.
    pub label: String,
    /// Its ARN.
    pub arn: String,
    /// How it ended.
    #[serde(flatten)]
    pub end: End,
}

/// What happened.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// How the run ended.
    pub ending: Ending,
    /// The exit code for that.
    pub exit_code: u8,
    /// The ending that the world file expects.
    pub expected: Option<String>,
    /// How long it took, in virtual seconds.
    pub seconds: f64,
    /// The run.
    pub execution: Execution,
    /// What it started, but for rollbacks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub started: Vec<Execution>,
    /// Its rollbacks.
    pub rollbacks: Vec<Execution>,
    /// A second execution that the world file started meanwhile.
    pub second: Option<Execution>,
    /// The routes at the beginning.
    pub before: Vec<Move>,
    /// The routes at the end.
    pub after: Vec<Move>,
    /// Every state of a route in between.
    pub moves: Vec<Move>,
    /// What users saw.
    pub users: UsersSaw,
    /// Every request that changed something, the journal's own writes left out.
    pub changes: Vec<Change>,
    /// Messages sent.
    pub messages: Vec<Message>,
    /// The pages on which it was answered.
    #[serde(skip)]
    pub pages: Vec<Answered>,
    /// The plan's gates, and what each said at each look.
    pub gates: Vec<Gate>,
    /// What the rehearsal itself has to say: gates that never saw anything.
    pub findings: Vec<GateFinding>,
    /// The plan as it was run, with the ARNs of the emulated environment.
    pub plan: Value,
    /// What cleanup removes of it, and when; of a run that moved something.
    pub cleanup: Vec<String>,
    /// What AWS asks for it.
    pub bill: Bill,
    /// Its price, in dollars.
    pub dollars: f64,
    /// Every call that it made, by service and operation.
    pub calls: BTreeMap<String, usize>,
    /// What it means that it succeeded.
    #[serde(skip)]
    pub success: &'static str,
    /// The run's time.
    #[serde(skip)]
    pub clock: Clock,
    /// The run that a gesture is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preceding: Option<Box<Outcome>>,
}

impl Outcome {
    /// Whether every route leads where it led before: before the run, where this is a gesture about one.
    pub fn is_as_before(&self) -> bool {
        let before = self.preceding.as_ref().map_or(&self.before, |preceding| &preceding.before);
        before.iter().zip(&self.after).all(|(before, after)| before.destinations == after.destinations)
    }
}

impl Outcome {
    /// What precheck warned of, of a run that it let through.
    pub fn warnings(&self) -> &[Value] {
        let output = self.execution.end.output.as_ref();
        output.and_then(|output| output["warnings"].as_array()).map(Vec::as_slice).unwrap_or_default()
    }

    /// What the run wanted to do, and did not: by its output, or by its cause and the rollback's ending in it.
    pub fn not_done(&self) -> Vec<String> {
        let end = &self.execution.end;
        let cause =
            end.cause.as_deref().and_then(|cause| serde_json::from_str::<Value>(cause).ok()).unwrap_or_default();
        let output = end.output.as_ref().map(|output| &output["not_done"]);
        let said = [output, Some(&cause["notes"]), Some(&cause["rollback"]["report"]["not_done"])];
        let texts = said.into_iter().flatten().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        texts.map(|text| cutover::text::shown(text, 500)).collect()
    }

    /// What an execution said, its times told in the rehearsal's own: `00:56:12`, where AWS's says when that was on this machine.
    pub fn in_virtual_time(&self, said: &Value) -> Value {
        match said {
            Value::String(text) => match text.parse::<jiff::Timestamp>() {
                Ok(at) => {
                    crate::report::clock(self.clock.at_epoch(at.as_millisecond() as f64 / 1_000.0).as_secs_f64()).into()
                }
                Err(_) => said.clone(),
            },
            Value::Array(items) => items.iter().map(|item| self.in_virtual_time(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, field)| (name.clone(), self.in_virtual_time(field))).collect()
            }
            _ => said.clone(),
        }
    }

    /// From the first of the looks that turned the run back to the last change that put a route back.
    pub fn seconds_from_bad_look_to_restored(&self) -> Option<f64> {
        let restored = self.moves.last().filter(|_| self.ending == Ending::RolledBack)?.at_seconds;
        let is_bad = |look: &Look| {
            look.verdict == "unhealthy"
                || (["inconclusive", "error"].contains(&look.verdict.as_str()) && !look.is_early)
        };
        let looks = self.gates.iter().flat_map(|gate| &gate.looks).filter(|look| look.at_seconds <= restored);
        let mut looks: Vec<(f64, bool)> = looks.map(|look| (look.at_seconds, is_bad(look))).collect();
        looks.sort_by(|one, other| one.0.total_cmp(&other.0));
        let of_one_moment = looks.chunk_by(|one, other| one.0 == other.0);
        let first = of_one_moment
            .fold(None, |first, looks| looks.iter().any(|(_, is_bad)| *is_bad).then(|| first.unwrap_or(looks[0].0)));
        first.map(|first| restored - first)
    }

    /// From the first request that failed or was slow to the last change that put a route back, of a run that was rolled back.
    pub fn seconds_to_restored(&self) -> Option<f64> {
        let restored = self.moves.last().filter(|_| self.ending == Ending::RolledBack)?;
        let first = self.users.impact.first_hurt_seconds?;
        (restored.at_seconds > first).then_some(restored.at_seconds - first)
    }
}

impl UsersSaw {
    /// Sums up what was seen.
    pub fn new(seen: &[Seen], routes: &[Route], slow_above_seconds: Option<f64>, clock: Clock) -> Self {
        let all = Tally::of(seen.iter());
        let of_route = |index: usize| seen.iter().filter(move |seen| seen.route == index);
        let of_side = |side: Side| Tally::of(seen.iter().filter(move |seen| seen.side == side));
        let length = clock.now() / TIMELINE_ROWS;
        let is_in = |seen: &Seen, row: u32| (length * row..length * (row + 1)).contains(&clock.at(seen.at));
        let in_row = |route: usize, row: u32| of_route(route).filter(move |seen| is_in(seen, row));
        let row = |row: u32| Row {
            at_seconds: (length * row).as_secs_f64(),
            routes: (0..routes.len()).map(|route| Tally::of(in_row(route, row))).collect(),
            p95_seconds: (0..routes.len()).map(|route| p95_seconds(in_row(route, row))).collect(),
        };
        let slow_of = |side: Option<Side>| {
            let of_side = seen.iter().filter(|seen| side.is_none_or(|side| seen.side == side));
            of_side.filter(|seen| is_slow(seen, slow_above_seconds)).count()
        };
        Self {
            requests: all.requests,
            failures: all.failures,
            slow: slow_of(None),
            slow_above_seconds,
            impact: Impact::of(seen, slow_above_seconds, clock),
            sides: [Side::Old, Side::New, Side::Other, Side::Nowhere]
                .map(|side| {
                    let tally = of_side(side);
                    SideSaw { side, requests: tally.requests, failures: tally.failures, slow: slow_of(Some(side)) }
                })
                .into_iter()
                .filter(|saw| saw.requests > 0)
                .collect(),
            routes: routes.iter().map(|route| route.label.clone()).collect(),
            timeline: (0..TIMELINE_ROWS).map(row).collect(),
        }
    }
}

impl Execution {
    /// An execution that has ended.
    pub fn ended(followed: Followed) -> Option<Self> {
        Some(Self { label: followed.label, arn: followed.arn, end: followed.end? })
    }
}

impl Change {
    /// The requests that changed something outside the product's own books.
    pub fn among(requests: &[Request], clock: Clock) -> Vec<Self> {
        let change = |request: &Request| {
            let machine = request.machine().unwrap_or_default().to_string();
            Self {
                at_seconds: clock.at_epoch(request.at).as_secs_f64(),
                undo: machine == "rollback",
                machine,
                state: request.state.clone(),
                caller: request.caller.clone(),
                service: request.service.clone(),
                operation: request.operation.clone(),
                status: request.status,
            }
        };
        requests.iter().filter(|request| is_change(request)).map(change).collect()
    }
}

fn is_change(request: &Request) -> bool {
    let is_mutation =
        VERBS.iter().any(|verb| request.operation.starts_with(verb)) && request.operation != "PutMetricData";
    let is_booking = BOOKS.contains(&request.service.as_str());
    let is_harness = matches!(request.caller.as_str(), "local" | "events");
    is_mutation && !is_booking && !is_harness
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn end(status: &str, error: Option<&str>, output: Option<Value>) -> End {
        End { status: status.to_string(), output, error: error.map(str::to_string), cause: None }
    }

    #[test]
    fn whoever_waited_too_long_is_hurt_though_not_failed() {
        let clock = Clock::start(60.0);
        let seen = |seconds: f64, ok: bool| Seen {
            at: std::time::Instant::now(),
            route: 0,
            side: Side::New,
            group: None,
            ok,
            status: Some(if ok { 200 } else { 500 }),
            seconds,
        };
        let all = [seen(0.1, true), seen(0.9, true), seen(2.0, false)];
        let saw = |limit| UsersSaw::new(&all, &[], limit, clock);
        assert_eq!((saw(Some(0.8)).slow, saw(Some(0.8)).failures, saw(None).slow), (1, 1, 0));
        assert_eq!(saw(Some(0.8)).sides[0].slow, 1);
        let impact = Impact::of(&all[..2], Some(0.8), clock);
        assert!(impact.first_hurt_seconds.is_some() && Impact::of(&all[..2], None, clock).first_hurt_seconds.is_none());
        let many: Vec<Seen> = (1..=20).map(|n| seen(f64::from(n), true)).collect();
        assert_eq!((p95_seconds(many.iter()), p95_seconds([].iter())), (Some(19.0), None));
    }

    #[test]
    fn changes_are_the_products_own_and_undo_is_the_rollbacks() -> Result<(), serde_json::Error> {
        let request = |machine: &str, caller: &str, operation: &str| {
            let service = if operation == "PutObject" { "s3" } else { "route53" };
            let execution = format!("arn:aws:states:eu-west-1:123456789012:execution:{machine}:x");
            serde_json::from_value(json!({
                "seq": 1, "at": 10.0, "caller": caller, "service": service, "operation": operation, "status": 200,
                "state": "Shift", "execution": execution, "actions": [],
            }))
        };
        let requests = [
            request("cutover", "weight-shift", "ChangeResourceRecordSets")?,
            request("cutover", "weight-shift", "ListResourceRecordSets")?,
            request("cutover", "local", "ChangeResourceRecordSets")?,
            request("rollback", "weight-shift", "ChangeResourceRecordSets")?,
            request("cutover", "status-report", "PutObject")?,
            request("rollback", "report", "PutObject")?,
        ];
        let changes = Change::among(&requests, Clock::start(1.0));
        let told: Vec<_> = changes.iter().map(|change| (change.machine.as_str(), change.undo)).collect();
        assert_eq!(told, [("cutover", false), ("rollback", true)]);
        Ok(())
    }

    #[test]
    fn an_ending_comes_from_the_run_or_from_its_rollback() {
        let rolled_back = end("SUCCEEDED", None, Some(json!({"ending": "RolledBack"})));
        let nothing = end("SUCCEEDED", None, Some(json!({"ending": "NothingToDo"})));
        let stuck = end("FAILED", Some("Cutover.Stuck"), None);
        let aborted = end("ABORTED", None, None);
        for (run, rollbacks, name, code) in [
            (end("SUCCEEDED", None, None), vec![], "Succeeded", 0),
            (end("FAILED", Some("Cutover.PrecheckFailed"), None), vec![nothing.clone()], "PrecheckFailed", 2),
            (end("FAILED", Some("Cutover.RolledBack"), None), vec![], "RolledBack", 3),
            (aborted.clone(), vec![rolled_back.clone(), nothing.clone()], "RolledBack", 3),
            (end("SUCCEEDED", None, None), vec![nothing.clone(), rolled_back], "RolledBack", 3),
            (end("SUCCEEDED", None, None), vec![nothing.clone()], "Succeeded", 0),
            (aborted.clone(), vec![stuck], "Stuck", 4),
            (aborted.clone(), vec![end("FAILED", Some("Cutover.Held"), None)], "Held", 5),
            (end("FAILED", Some("Cutover.Held"), None), vec![], "Held", 5),
            (aborted, vec![nothing.clone()], "ABORTED", 1),
            (end("SUCCEEDED", None, Some(json!({"ending": "RolledBack"}))), vec![], "RolledBack", 3),
            (nothing, vec![], "NothingToDo", 2),
            (end("SUCCEEDED", None, Some(json!({"ending": "Released"}))), vec![], "Succeeded", 0),
            (end("FAILED", Some("States.Runtime"), None), vec![], "States.Runtime", 1),
        ] {
            let ending = Ending::of(&run, &rollbacks);
            assert_eq!((ending.name(), ending.exit_code()), (name, code), "{run:?}");
        }
    }
}
