//! `precheck`: reads a plan, observes everything it names, and reports every finding at once.
//!
//! Reads: listeners, rules, target groups, zones, record sets, replications, their tables and lag, alarms, the topic, the locks, the new
//! side's health URL. Writes: nothing; safe at any time. Undo: none needed.
//!
//! It is called until `settled`: one try of the health URL a call, with the plan's interval in between; the rest is
//! observed once the URL has passed or failed. Errors: only such that a repetition may cure; all else is a finding.

mod databases;
mod decide;
mod listeners;
mod names;
mod services;

use cutover::contract::BeforeImage;
use cutover::error::name;
use cutover::plan::Route;
use cutover::probe::{Progress, Tries};
use cutover::schedule::{self, ScheduledStep};
use cutover::{Finding, Plan, StepError, StepResult, probe};
use jiff::Timestamp;
use journal::Journal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::decide::AllowedHooks;

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Database Migration Service.
    pub dms: aws_sdk_databasemigration::Client,
    /// Elastic Load Balancing.
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    /// Route 53.
    pub route53: aws_sdk_route53::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// The journal, for the locks.
    pub journal: Journal,
    /// The functions that the state machines may invoke as hooks.
    pub hooks: AllowedHooks,
}

/// What is asked.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// The run: the ARN of its execution.
    pub run_id: String,
    /// The plan as its author wrote it.
    pub plan: Value,
    /// What the last reply said.
    #[serde(default)]
    pub tries: Option<Tries>,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Reply {
    /// Whether this is the report; otherwise wait, and call again with `tries`.
    pub settled: bool,
    /// How long to wait.
    pub wait_seconds: u64,
    /// The health URL's tries so far.
    pub tries: Tries,
    /// How the run ends here: `InvalidPlan`, `Conflict`, `PrecheckFailed`, or not at all.
    pub ending: Option<&'static str>,
    /// Everything that was found.
    pub findings: Vec<Finding>,
    /// The plan with every default filled in.
    pub plan: Option<Plan>,
    /// The before-image of each route, in the plan's order; complete if nothing ended the run.
    pub before: Vec<BeforeImage>,
    /// Every step of every route in order.
    pub steps: Vec<ScheduledStep>,
    /// How many history events the run takes, at the most, when all goes well.
    pub history_events: u64,
    /// When this was observed, RFC 3339.
    pub at: String,
}

/// Looks once.
///
/// # Errors
/// Throttled or transient AWS errors.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let plan = match Plan::read(&request.plan) {
        Ok(plan) => plan,
        Err(findings) => return Ok(decide::report(None, findings, Vec::new(), Tries::default(), now)),
    };
    let mut findings = Vec::new();
    let mut tries = request.tries.unwrap_or_default();
    if let Some(wanted) = &plan.health_check {
        tries = tries.count(&probe::ask(wanted).await);
        match tries.progress(wanted) {
            Progress::TryAgain => return Ok(decide::try_again(wanted.interval, tries, now)),
            Progress::Passed => {}
            Progress::Failed => findings.push(decide::health_url(wanted, &tries)),
        }
    }
    let before = routes(clients, &plan, &mut findings).await?;
    databases::observe(clients, &plan, now, &mut findings).await?;
    services::observe(clients, &plan, &mut findings).await?;
    locks(&clients.journal, &plan, &request.run_id, &mut findings).await?;
    decide::nothing_watched(&plan, &mut findings);
    findings.extend(decide::nobody_stops_writers(&plan));
    findings.extend(decide::quiesce_unverified(&plan));
    findings.extend(schedule::check_time(&plan, decide::old_ttls(&before)));
    findings.extend(decide::hooks_not_allowed(&plan.hooks, &clients.hooks));
    Ok(decide::report(Some(plan), findings, before, tries, now))
}

async fn routes(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) -> StepResult<Vec<BeforeImage>> {
    let mut before = Vec::new();
    for (index, route) in plan.routes.iter().enumerate() {
        let path = format!("$.routes[{index}]");
        match route {
            Route::Listener(route) => before
                .extend(listeners::observe(&clients.elb, route, &path, findings).await?.map(BeforeImage::Listener)),
            Route::Dns(route) => before.extend(
                names::observe(&clients.route53, route, &path, findings)
                    .await?
                    .map(|records| BeforeImage::Dns { records }),
            ),
        }
    }
    Ok(before)
}

async fn locks(journal: &Journal, plan: &Plan, run_id: &str, findings: &mut Vec<Finding>) -> StepResult<()> {
    let keys = journal::lock_keys(plan);
    let holders = soften(journal.lock_holders(&keys).await, "$", findings)?.unwrap_or_default();
    for (place, key) in keys.iter().enumerate() {
        if let Some(holder) = holders.get(key).filter(|holder| *holder != run_id) {
            let path = if place == 0 { "$.application".to_owned() } else { format!("$.routes[{}]", place - 1) };
            let fix = "wait until that run is closed, close it early, roll it back, or release it if it is stuck";
            // While another run moves a route, its state is no fault of this plan.
            findings.retain(|finding| place == 0 || !finding.path.starts_with(&path));
            findings.push(Finding::conflict(path, format!("is held by {holder}"), fix));
        }
    }
    Ok(())
}

/// Turns what a repetition does not cure into a finding: a denied call is a missing permission, a refused one says that
/// something is not what the plan says.
fn soften<T>(result: StepResult<T>, path: &str, findings: &mut Vec<Finding>) -> StepResult<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(StepError { name: name::THROTTLED | name::TRANSIENT, message }) => {
            Err(StepError::new(name::TRANSIENT, message))
        }
        Err(StepError { name: name::NOT_PERMITTED, message }) => {
            let fix = "allow the functions' roles this action";
            findings.push(Finding::environment(
                path,
                format!("cannot be observed: permission missing: {message}"),
                fix,
            ));
            Ok(None)
        }
        Err(StepError { message, .. }) => {
            findings.push(Finding::environment(path, message, "correct the plan, or the environment"));
            Ok(None)
        }
    }
}

/// The steps of a plan, for the report.
fn steps_of(plan: &Plan) -> (Vec<ScheduledStep>, u64) {
    (schedule::steps(plan), schedule::history_events(plan))
}
