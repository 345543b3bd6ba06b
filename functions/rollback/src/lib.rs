//! `rollback`: begins and ends a rollback. Routes are restored in between, by the functions that moved them.
//!
//! | action | reads | writes | undone by |
//! |---|---|---|---|
//! | begin | the run, its owner's execution, the old side's health, the replication back | phase `rolling_back`, and who owns it | - |
//! | end | the routes that could not be restored | phase `rolled_back` and no locks, or `stuck`; the ending: RolledBack, Stuck or Held | - |
//! | report | the run, its owner's execution, and all its routes | nothing | - |
//!
//! A rollback acts only on a run that exists and has no ending; anything else is nothing to do. It never overwrites what
//! somebody else changed: that is left, and said precisely.
//!
//! Errors: `Cutover.Fenced` when another rollback was faster, `Cutover.InvalidGesture` for what a person asks that cannot be done
//! as it stands, and AWS errors.

mod by_hand;
pub mod decide;
mod end;
mod look;
mod report;
mod way_back;

use cutover::contract::{Caller, is_under_way};
use cutover::error::name;
use cutover::plan::Hook;
use cutover::rate::Lane;
use cutover::schedule::route_type;
use cutover::text::shown;
use cutover::{StepError, StepResult, counted, gestures, input};
use jiff::Timestamp;
use journal::{Journal, Phase, Run, Transition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decide::Begin;
pub use crate::end::{EndReply, EndRequest, Outcome};
pub use crate::report::{Report, ReportRequest};

/// Of what failed, so much is told on.
const MOST_WHY_BYTES: usize = 10_000;

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] = &[
    "cloudwatch:GetMetricData",
    "dms:DescribeReplicationInstances",
    "dms:DescribeReplicationTasks",
    "dms:DescribeReplications",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetHealth",
    "route53:ListHealthChecks",
    "route53:ListResourceRecordSets",
];

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Those of routes, to look.
    pub routes: routes::any::Clients,
    /// To look at the replication from new to old: those of the stack's own account and region.
    pub replications: replication::Services,
    /// Step Functions, to see whether an owner is alive.
    pub sfn: aws_sdk_sfn::Client,
    /// The journal.
    pub journal: Journal,
}

/// What is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum Request {
    /// Find the run, and take it over.
    Begin(BeginRequest),
    /// Say how it ended.
    End(EndRequest),
    /// Say what is left of a run whose rollback could not be begun or ended.
    Report(ReportRequest),
}

/// By hand, since serde does not name the fields of a tagged part.
impl TryFrom<Value> for Request {
    type Error = String;

    fn try_from(request: Value) -> Result<Self, String> {
        match input::text(&request, "action")?.as_str() {
            "begin" => input::read(request).map(Self::Begin),
            "end" => input::read(request).map(Self::End),
            "report" => input::read(request).map(Self::Report),
            other => Err(input::not_an_action(other, &["begin", "end", "report"])),
        }
    }
}

/// Which run to roll back, and who asks.
#[derive(Clone, Debug, Deserialize)]
pub struct BeginRequest {
    /// The rollback's execution.
    pub execution_arn: String,
    /// The input of the rollback's execution.
    #[serde(deserialize_with = "cutover::read::gesture")]
    pub input: Input,
}

/// The input of the rollback machine: one of `run_id` and `application`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, extend("allOf" = cutover::read::exactly_one("run_id", "application")))]
pub struct Input {
    /// The run: the ARN of the cutover's execution. Given by the rule, the sweep and the cutover itself.
    #[serde(default)]
    #[schemars(
        regex(pattern = "^[ \\t\\r\\n]*arn:"),
        example = "arn:aws:states:eu-west-1:123456789012:execution:cutover:shop-1"
    )]
    pub run_id: Option<String>,
    /// The application whose run is meant. Given by a person.
    #[serde(default)]
    pub application: Option<String>,
    /// What failed. Given by the cutover, for the message.
    #[serde(default)]
    pub why: Option<String>,
    /// Who goes back in spite of a reason to hold, and why. Given by a person, and refused as long as it says `YOUR NAME`.
    #[serde(default)]
    pub force: Option<String>,
    /// Why nothing is put back, and people are only told what is left; of a run that goes its own way they are told nothing. Given by
    /// the sweep when it gives up.
    #[serde(default)]
    pub report: Option<String>,
}

/// What there is to do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BeginReply {
    /// Why there is nothing to do; then all else is empty.
    pub nothing_to_do: Option<String>,
    /// Why a person has to decide; then nothing is restored.
    pub hold: Option<String>,
    /// What failed, as far as the starter said.
    pub why: Option<String>,
    /// The run.
    pub run_id: String,
    /// Its application.
    pub application: String,
    /// Who is told.
    pub topic_arn: Option<String>,
    /// The routes to restore, in the order in which they are put back.
    pub routes: Vec<RouteToRestore>,
    /// The hooks that undo quiesce, if it may have run.
    pub resume: Vec<Hook>,
    /// The hooks that collect evidence.
    pub evidence: Vec<Hook>,
    /// The plan's places of the alarms that were set.
    pub alarms: Vec<usize>,
    /// How long whoever passed the fence before it closed may still act.
    pub late_writers_seconds: u64,
    /// When this was decided, RFC 3339.
    pub at: String,
}

/// A route that is put back.
#[derive(Clone, Debug, Serialize)]
pub struct RouteToRestore {
    /// Its place in the plan.
    pub route: usize,
    /// `listener` or `dns`.
    #[serde(rename = "type")]
    pub route_type: &'static str,
    /// How a person calls it.
    pub title: String,
}

/// Does one action.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<serde_json::Value> {
    let reply = match request {
        Request::Begin(request) => serde_json::to_value(begin(clients, &request, now).await?),
        Request::End(request) => return end::end(clients, request, now).await,
        Request::Report(request) => return report::report(clients, request, now).await,
    };
    reply.map_err(|error| StepError::invalid(error.to_string()))
}

async fn begin(clients: &Clients, request: &BeginRequest, now: Timestamp) -> StepResult<BeginReply> {
    let input = &request.input;
    input.force.as_deref().map_or(Ok(()), |force| gestures::said("force", force))?;
    let run = clients.journal.find(input.run_id.as_deref(), input.application.as_deref()).await?;
    if let (None, Some(application)) = (&run, &input.application) {
        let held = clients.journal.held_applications().await.ok();
        return Err(gestures::no_such_run(application, held.as_deref()));
    }
    let owner_is_running = match &run {
        Some(run) if run.phase == Phase::RollingBack && run.owner != request.execution_arn => {
            executions::status(&clients.sfn, &run.owner).await?.as_deref().is_some_and(is_under_way)
        }
        _ => false,
    };
    let by_a_person = input.application.is_some();
    let nothing = |reason: String| BeginReply { nothing_to_do: Some(reason), ..BeginReply::default() };
    let run = match decide::begin(run, &request.execution_arn, owner_is_running, by_a_person) {
        Begin::NothingToDo(reason) => return Ok(nothing(reason)),
        Begin::TooLate(reason) => return Err(StepError::new(name::INVALID_GESTURE, reason)),
        Begin::GoOn(run) => *run,
        Begin::TakeOver(run) => {
            let (owner, phase) = (&request.execution_arn, run.phase);
            let forced = decide::force(&run, input.force.as_deref(), by_a_person);
            let run = Run { forced, why: decide::why(&run, input.why.as_deref()), ..*run };
            let change = Transition { run: &run, to: Phase::RollingBack, owner, ending: None };
            clients.journal.transition(&change).await?;
            // One that is gone on with, or tried again, was counted when it began.
            if !matches!(phase, Phase::RollingBack | Phase::Stuck) {
                let cause = decide::cause(input.why.as_deref(), by_a_person);
                counted::count(now, &[("Cause", cause)], &[("Rollbacks", 1)]);
            }
            // The cutover may have marked its run between the read and the transition; from here on it cannot.
            clients.journal.fence(&caller(&run.run_id, owner), Phase::RollingBack).await?
        }
    };
    let clients = &for_run(clients, &run, now);
    let hold = match &run.forced {
        Some(_) => None,
        None => {
            let stranded = way_back::stranded(clients, &run, now);
            let (stranded, sick_old_side) = tokio::join!(stranded, look::sick_old_side(clients, &run));
            decide::hold(stranded?, sick_old_side)
        }
    };
    let why = input.why.as_ref().map(|why| shown(why, MOST_WHY_BYTES));
    let why = decide::told_why(&run, why.or_else(|| run.why.clone()));
    Ok(BeginReply { why, ..what_to_do(&run, hold, now) })
}

/// Clients whose requests to Route 53 draw their slots first, where the run is of a wave: before those that move traffic.
pub(crate) fn for_run(clients: &Clients, run: &Run, now: Timestamp) -> Clients {
    let draw = clients.journal.share(&run.plan, Lane::Undo, 1, now);
    Clients { routes: clients.routes.for_run(&run.run_id, now, draw), ..clients.clone() }
}

fn what_to_do(run: &Run, hold: Option<String>, now: Timestamp) -> BeginReply {
    let routes = run.plan.routes.iter().enumerate().rev().map(|(index, route)| RouteToRestore {
        route: index,
        route_type: route_type(route),
        title: route.title(),
    });
    let was_set = |index: &usize| run.alarms_before.contains_key(run.plan.alarms[*index].key());
    BeginReply {
        nothing_to_do: None,
        hold,
        why: None,
        run_id: run.run_id.clone(),
        application: run.plan.application.clone(),
        topic_arn: run.plan.notify.as_ref().map(|notify| notify.topic_arn.clone()),
        routes: routes.collect(),
        resume: if run.quiesced { run.plan.hooks.resume.clone() } else { Vec::new() },
        evidence: run.plan.hooks.on_rollback.clone(),
        alarms: (0..run.plan.alarms.len()).filter(was_set).collect(),
        late_writers_seconds: decide::late_writers_seconds(run),
        at: now.to_string(),
    }
}

/// Who calls, for the fence.
pub(crate) fn caller(run_id: &str, execution_arn: &str) -> Caller {
    Caller { run_id: run_id.to_owned(), execution_arn: execution_arn.to_owned(), state: "rollback".to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run() -> Run {
        let route = |arn: &str| {
            json!({ "type": "listener", "listener_arn": arn, "old_target_group_arn": "old",
                "new_target_group_arn": "new", "steps": [] })
        };
        let alarm = |name: &str| json!({ "AlarmName": name, "EvaluationPeriods": 1, "ComparisonOperator": "x" });
        let plan = json!({ "application": "shop", "routes": [route("one"), route("two"), route("three")],
            "hooks": { "resume": [{ "function_arn": "resume" }] }, "alarms": [alarm("a"), alarm("b"), alarm("c")] });
        let plan = serde_json::from_value(plan).unwrap();
        Run::claimed(&caller("run", "me"), plan, vec![], Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn routes_are_put_back_last_to_first() {
        let places: Vec<usize> =
            what_to_do(&run(), None, Timestamp::UNIX_EPOCH).routes.iter().map(|route| route.route).collect();
        assert_eq!(places, [2, 1, 0]);
    }

    #[test]
    fn what_was_not_done_is_not_undone() {
        let nothing = what_to_do(&run(), None, Timestamp::UNIX_EPOCH);
        assert_eq!((nothing.resume.len(), nothing.alarms), (0, vec![]));
        let alarms_before = [("a".to_owned(), None), ("c".to_owned(), None)].into();
        let done = what_to_do(&Run { quiesced: true, alarms_before, ..run() }, None, Timestamp::UNIX_EPOCH);
        assert_eq!((done.resume.len(), done.alarms), (1, vec![0, 2]), "an alarm that was not there before was set too");
    }
}
