//! `cleanup`: what is no longer needed after a cutover, and the end of its run.
//!
//! | action | reads | writes | undone by |
//! |---|---|---|---|
//! | find | the run | who owns it: this cleanup, which now waits | - |
//! | watch | the run, its routes | - | - |
//! | begin | the run | phase `finished` to `cleaning`: from here on there is no way back | - |
//! | remove | a route, its old target group's traffic | takes the old group out of the action; deletes it, and health checks | - |
//! | close | the run | phase `closed`, no locks | - |
//! | release | the run, whatever is in its item | phase `stuck` to `closed`, no locks: a person has put things right, or decided | - |
//!
//! There is no undo: what is removed is what nothing refers to and what is known to serve no traffic; all else is kept, with the
//! reason. A rollback that started first wins: `begin` loses its condition and ends with nothing to do.
//!
//! Errors: `Cutover.Fenced` when the run is not this cleanup's, `Cutover.InvalidGesture` for what a person asks that cannot be
//! done as it stands, and AWS errors.

mod changes;
mod decide;
mod release;
mod remove;
mod traffic;

use cutover::budget::{MOST_ENDING_BYTES, fit};
use cutover::contract::Caller;
use cutover::error::name;
use cutover::plan::AfterFailure;
use cutover::rate::Lane;
use cutover::{StepError, StepResult, input};
use jiff::Timestamp;
use journal::{Ending, Journal, Phase, Run, Transition};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use crate::changes::{Elsewhere, Watch, WatchRequest};
pub use crate::remove::Removal;

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] = &[
    "cloudwatch:GetMetricData",
    "cognito-idp:DescribeUserPoolClient",
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyRule",
    "route53:DeleteHealthCheck",
    "route53:ListHealthChecks",
    "route53:ListResourceRecordSets",
];

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// CloudWatch, for the old groups' traffic.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Those of routes.
    pub routes: routes::any::Clients,
    /// The journal.
    pub journal: Journal,
}

/// What is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum Request {
    /// Find the run and wait for it.
    Find(FindRequest),
    /// See whether every route still is where the cutover left it.
    Watch(WatchRequest),
    /// Begin, if nobody has rolled back meanwhile.
    Begin(Caller),
    /// Remove what one route no longer needs.
    Remove(RemoveRequest),
    /// End the run.
    Close(CloseRequest),
}

/// Which run is meant, and who asks.
#[derive(Clone, Debug, Deserialize)]
pub struct FindRequest {
    /// The cleanup's execution.
    pub execution_arn: String,
    /// The input of the cleanup's execution.
    #[serde(deserialize_with = "cutover::read::gesture")]
    pub input: Input,
}

/// What one route no longer needs.
#[derive(Clone, Debug, Deserialize)]
pub struct RemoveRequest {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// The route's place in the plan.
    pub route: usize,
    /// How many times this has been called before.
    pub attempt: u32,
    /// What the last reply said.
    #[serde(default)]
    pub releasing: u32,
    /// Whether people were called because the new side fails, and it still does.
    #[serde(default)]
    pub is_in_trouble: bool,
}

/// The end of a run.
#[derive(Clone, Debug, Deserialize)]
pub struct CloseRequest {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// What came of each route.
    pub removals: Vec<Removal>,
    /// What this cleanup wanted to do, and did not.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// By hand, since serde does not name the fields of a tagged part.
impl TryFrom<Value> for Request {
    type Error = String;

    fn try_from(request: Value) -> Result<Self, String> {
        match input::text(&request, "action")?.as_str() {
            "find" => input::read(request).map(Self::Find),
            "watch" => input::read(request).map(Self::Watch),
            "begin" => input::read(request).map(Self::Begin),
            "remove" => input::read(request).map(Self::Remove),
            "close" => input::read(request).map(Self::Close),
            other => Err(input::not_an_action(other, &["find", "watch", "begin", "remove", "close"])),
        }
    }
}

/// The input of the cleanup machine: one of `run_id` and `application`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, extend("allOf" = cutover::read::exactly_one("run_id", "application")))]
pub struct Input {
    /// The run. Given by the cutover and the sweep.
    #[serde(default)]
    #[schemars(
        regex(pattern = "^[ \\t\\r\\n]*arn:"),
        example = "arn:aws:states:eu-west-1:123456789012:execution:cutover:shop-1"
    )]
    pub run_id: Option<String>,
    /// The application whose run is meant. Given by a person.
    #[serde(default)]
    pub application: Option<String>,
    /// The execution that died, for which this one steps in. Given by the sweep.
    #[serde(default)]
    pub instead_of: Option<String>,
    /// Do not wait: close early.
    #[serde(default)]
    pub now: bool,
    /// Release a stuck or held run as it is, or one that cannot be read: who has put things right or decided, and how. Refused as
    /// long as it says `YOUR NAME`.
    #[serde(default)]
    pub release: Option<String>,
}

/// What there is to do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FindReply {
    /// Why there is nothing to do; then all else is empty.
    pub nothing_to_do: Option<String>,
    /// A stuck or held run was released; there is nothing to remove.
    pub released: bool,
    /// Who released it.
    pub by: Option<String>,
    /// What its rollback could not put back, as its ending has it: nobody but a person knows what has become of it.
    pub left: Vec<Value>,
    /// The run.
    pub run_id: String,
    /// Its application.
    pub application: String,
    /// Who is told.
    pub topic_arn: Option<String>,
    /// How long to wait before anything is removed.
    pub wait_seconds: u64,
    /// The time between two looks meanwhile.
    pub look_seconds: u64,
    /// The last step of the cutover, for those looks: its route's place in the plan.
    pub last_route: usize,
    /// Its own place in its route.
    pub last_step: usize,
    /// Whether the run goes back by itself when the new side fails meanwhile.
    pub rolls_back: bool,
    /// The plan's routes.
    pub routes: Vec<RouteToTidy>,
}

/// A route that leaves something behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteToTidy {
    /// Its place in the plan.
    pub route: usize,
    /// What it no longer needs, for people: should it be kept, this is what they look for.
    pub leaves: String,
}

/// Does one action.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<serde_json::Value> {
    let reply = match request {
        Request::Find(FindRequest { execution_arn, input }) => {
            serde_json::to_value(find(&clients.journal, &execution_arn, &input, now).await?)
        }
        Request::Watch(request) => serde_json::to_value(changes::watch(clients, &request, now).await?),
        Request::Begin(caller) => Ok(json!({ "begun": begin(&clients.journal, &caller).await? })),
        Request::Remove(request) => serde_json::to_value(remove::remove(clients, &request, now).await?),
        Request::Close(request) => Ok(close(&clients.journal, request, now).await?),
    };
    // Whatever a route holds: the state machine can carry what is told of it.
    reply.map(|reply| fit(reply, MOST_ENDING_BYTES)).map_err(|error| StepError::invalid(error.to_string()))
}

/// Clients whose requests to Route 53 draw their slots first, where the run is of a wave.
fn for_run(clients: &Clients, run: &Run, requests: usize, now: Timestamp) -> Clients {
    let draw = clients.journal.share(&run.plan, Lane::Forward, requests, now);
    Clients { routes: clients.routes.for_run(&run.run_id, now, draw), ..clients.clone() }
}

async fn find(journal: &Journal, me: &str, input: &Input, now: Timestamp) -> StepResult<FindReply> {
    if let Some(who) = &input.release {
        return release::release(journal, me, input, who, now).await;
    }
    let run = journal.find(input.run_id.as_deref(), input.application.as_deref()).await?;
    let Some(run) = run else {
        return match &input.application {
            Some(application) => Err(release::nobody_knows(journal, application).await),
            None => Ok(nothing("there is no such run in the journal")),
        };
    };
    match run.phase {
        Phase::Finished | Phase::Cleaning if !may_take_over(&run, me, input) => {
            Ok(nothing(&format!("{} is cleaning up after this run", run.owner)))
        }
        Phase::Finished | Phase::Cleaning => {
            if run.owner != me {
                journal.transition(&Transition { run: &run, to: run.phase, owner: me, ending: None }).await?;
            }
            Ok(what_to_do(&run, input))
        }
        phase if input.application.is_some() => {
            let problem =
                format!("only a run that has finished is cleaned up after; this one is {phase}, and nothing was done");
            Err(StepError::new(name::INVALID_GESTURE, problem))
        }
        phase => Ok(nothing(&format!("the run is {phase}"))),
    }
}

fn nothing(reason: &str) -> FindReply {
    FindReply { nothing_to_do: Some(reason.to_owned()), ..FindReply::default() }
}

/// A person may always take a run over; the cutover hands over its own, and the sweep that of an execution that died.
fn may_take_over(run: &Run, me: &str, input: &Input) -> bool {
    let by_a_person = input.application.is_some();
    by_a_person || run.owner == me || run.owner == run.run_id || input.instead_of.as_deref() == Some(run.owner.as_str())
}

fn what_to_do(run: &Run, input: &Input) -> FindReply {
    let waits = run.phase == Phase::Finished && !input.now;
    FindReply {
        nothing_to_do: None,
        released: false,
        left: Vec::new(),
        by: None,
        run_id: run.run_id.clone(),
        application: run.plan.application.clone(),
        topic_arn: run.plan.notify.as_ref().map(|notify| notify.topic_arn.clone()),
        wait_seconds: if waits { run.plan.cleanup.after.0 } else { 0 },
        look_seconds: changes::interval(&run.plan).0,
        last_route: run.plan.routes.len().saturating_sub(1),
        last_step: run.plan.routes.last().map_or(0, |route| route.steps().len().saturating_sub(1)),
        rolls_back: run.plan.monitoring.until_cleanup.on_failure == AfterFailure::RollBack,
        routes: remove::routes(run),
    }
}

/// Whether cleanup may begin: not if a rollback, or another cleanup, took the run meanwhile.
async fn begin(journal: &Journal, caller: &Caller) -> StepResult<bool> {
    let run = journal.read(&caller.run_id).await?.filter(|run| may_begin(run, caller));
    if let Some(run) = run.as_ref().filter(|run| run.phase != Phase::Cleaning) {
        let owner = &caller.execution_arn;
        journal.transition(&Transition { run, to: Phase::Cleaning, owner, ending: None }).await?;
    }
    Ok(run.is_some())
}

fn may_begin(run: &Run, caller: &Caller) -> bool {
    run.owner == caller.execution_arn && matches!(run.phase, Phase::Finished | Phase::Cleaning)
}

/// Ends the run, unless an earlier try did, and says how.
async fn close(journal: &Journal, request: CloseRequest, now: Timestamp) -> StepResult<Value> {
    let CloseRequest { caller, removals, notes } = request;
    let closed = journal.read(&caller.run_id).await?;
    let is_mine = |run: &Run| run.phase == Phase::Closed && run.owner == caller.execution_arn;
    if let Some(ending) = closed.filter(is_mine).and_then(|run| run.ending) {
        return Ok(reply(ending));
    }
    let run = journal.fence(&caller, Phase::Cleaning).await?;
    // The cutover's own, which this ending takes the place of.
    let before = run.ending.as_ref().map(Ending::not_done).unwrap_or_default();
    let undelivered = journal.undelivered_lines(&caller.run_id).await;
    let not_done = journal::kept(before.into_iter().chain(notes).chain(undelivered).collect());
    // Since when all traffic is on the new side: the cutover's own ending said so, and estimates rest on it.
    let moved_at = run.ending.as_ref().map(|ending| ending.at.clone());
    let report = json!({ "ending": "Closed", "removals": removals, "not_done": not_done, "moved_at": moved_at });
    let ending = Ending { at: now.to_string(), report };
    let owner = &caller.execution_arn;
    journal.transition(&Transition { run: &run, to: Phase::Closed, owner, ending: Some(&ending) }).await?;
    Ok(reply(ending))
}

fn reply(ending: Ending) -> Value {
    let Ending { at, mut report } = ending;
    report["at"] = Value::from(at);
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(phase: Phase, owner: &str) -> Run {
        let caller = Caller { run_id: "run".to_owned(), execution_arn: owner.to_owned(), state: String::new() };
        let plan = json!({ "application": "shop", "routes": [], "cleanup": { "after": 7200 } });
        Run { phase, ..Run::claimed(&caller, serde_json::from_value(plan).unwrap(), vec![], Timestamp::UNIX_EPOCH) }
    }

    #[test]
    fn only_a_person_takes_a_run_from_a_cleanup_that_lives() {
        let by_run = |instead_of: Option<&str>| Input {
            run_id: Some("run".to_owned()),
            instead_of: instead_of.map(str::to_owned),
            ..Input::default()
        };
        let by_a_person = Input { application: Some("shop".to_owned()), ..Input::default() };
        for (owner, input, may) in [
            ("run", by_run(None), true),
            ("me", by_run(None), true),
            ("another", by_run(None), false),
            ("another", by_run(Some("a third")), false),
            ("another", by_run(Some("another")), true),
            ("another", by_a_person, true),
        ] {
            assert_eq!(may_take_over(&run(Phase::Finished, owner), "me", &input), may, "{owner} {input:?}");
        }
    }

    #[test]
    fn nothing_is_removed_unless_the_run_is_this_cleanups_and_finished() {
        let caller = Caller { run_id: "run".to_owned(), execution_arn: "me".to_owned(), state: String::new() };
        for phase in Phase::ALL {
            let is_over = matches!(phase, Phase::Finished | Phase::Cleaning);
            assert_eq!(may_begin(&run(phase, "me"), &caller), is_over, "{phase}");
            assert!(!may_begin(&run(phase, "another"), &caller), "{phase}");
        }
    }

    #[test]
    fn cleanup_waits_as_the_plan_says_unless_it_has_begun_or_a_person_closes_early() {
        let wait = |phase, now| what_to_do(&run(phase, "me"), &Input { now, ..Input::default() }).wait_seconds;
        assert_eq!(wait(Phase::Finished, false), 7200);
        assert_eq!(wait(Phase::Finished, true), 0);
        assert_eq!(wait(Phase::Cleaning, false), 0);
    }
}
