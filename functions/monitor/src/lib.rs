//! `monitor`: looks once at everything that must hold while a step is held, and says whether to go on.
//!
//! Reads: the run item; the routes, and the health checks of names; the health of target groups; metrics; alarm states. Writes:
//! nothing, so there is nothing to undo. A step is over when its hold is, the last look was healthy, and nobody paused the run;
//! all waiting is the state machine's.
//!
//! | look | healthy | unhealthy | inconclusive | error |
//! |---|---|---|---|---|
//! | route | it is where the plan has it at this step | - | - | the call failed |
//! | health check of a name's record | its checkers succeed | they do not | they have not told | the call failed |
//! | target group | enough targets are healthy | they are not | - | the call failed |
//! | metric | its newest value is no trouble | it is | there is no value | the call failed |
//! | alarm | OK | ALARM | INSUFFICIENT_DATA | there is no such alarm, the call failed |
//!
//! What a failing health check does to users is said beside it; that of an old record without weight is told and no more.
//!
//! The plan may say what a metric or an alarm without data means. What cannot have data yet does not count towards the plan's
//! `no_data_limit`: a metric in the first periods of a step; an alarm until it must have seen the new side's traffic. Before
//! that side has any, an alarm without data is not looked at.
//!
//! A route that is not where this step has it, looked at twice, was changed by somebody else: that ends the step at once.
//!
//! Errors: `Cutover.Drift` for that; `Cutover.Unhealthy` and `Cutover.Inconclusive` at the plan's limits, `Cutover.NotPermitted`,
//! `Cutover.DeadlineExceeded`, `Cutover.Fenced`, and AWS errors of the journal.

pub mod alarms;
pub mod decide;
pub mod metrics;
pub mod names;
pub mod observe;

use cutover::contract::Caller;
use cutover::deadline::check_deadline;
use cutover::verdict::Verdict;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::{Journal, Phase};
use serde::{Deserialize, Serialize};
use watch::Held;

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// CloudWatch, for metrics and alarms.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Those of routes, which also see target health.
    pub routes: routes::any::Clients,
    /// The journal, for the plan.
    pub journal: Journal,
}

/// One look. It is repeated, with what the last reply said, until the reply says `done`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// The route's place in the plan.
    pub route: usize,
    /// The step's place in its route.
    pub step: usize,
    /// The new side's share in percent, in this step.
    pub new_weight: u8,
    /// How long the step is held.
    pub hold_seconds: u64,
    /// How long the state machine has waited in this step.
    #[serde(default)]
    pub elapsed_seconds: u64,
    /// The last reply's tally; none at first.
    #[serde(default)]
    pub tally: Option<Tally>,
}

/// How the looks of a step went so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Unhealthy looks since the last healthy one.
    pub unhealthy_in_row: u32,
    /// Looks without data, or that failed, since the last healthy one.
    pub no_data_in_row: u32,
    /// All looks.
    pub checks: u32,
    /// Healthy ones.
    pub healthy: u32,
    /// Unhealthy ones.
    pub unhealthy: u32,
    /// Those without data.
    pub inconclusive: u32,
    /// Those that failed.
    pub error: u32,
}

/// What one check saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// What it says.
    pub verdict: Verdict,
    /// The value and its threshold, for a person.
    pub seen: String,
    /// Whether a value could not be expected yet: it then does not count towards the plan's `no_data_limit`.
    #[serde(skip)]
    pub is_early: bool,
}

/// What one look comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The worst of the checks.
    pub verdict: Verdict,
    /// Whether the step is over. Otherwise: wait, and call again.
    pub done: bool,
    /// How long to wait before the next call.
    pub wait_seconds: u64,
    /// To be sent with the next request.
    pub tally: Tally,
    /// Everything that was looked at.
    pub checks: Vec<Check>,
    /// When this was observed, RFC 3339.
    pub at: String,
}

/// Looks once.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let run = clients.journal.fence(&request.caller, Phase::Forward).await?;
    check_deadline(&run.started_at, run.plan.timeout, now)?;
    let (plan, elapsed_seconds) = (&run.plan, request.elapsed_seconds);
    let routes = observe::routes(&clients.routes, &run, request.route, request.new_weight).await;
    let mut checks = routes.map_err(|error| at_step(&request, error))?;
    let groups = decide::groups(plan, request.route, request.new_weight);
    checks.extend(observe::groups(&clients.routes.elb, groups).await?);
    checks.extend(observe::metrics(&clients.cloudwatch, &plan.monitoring.metrics, elapsed_seconds, now).await?);
    let held = Held { route: request.route, step: request.step, elapsed_seconds };
    checks.extend(observe::alarms(&clients.cloudwatch, plan, held).await?);
    let hold = decide::Hold { hold_seconds: request.hold_seconds, elapsed_seconds, paused: run.paused };
    let decision = decide::decide(&plan.monitoring, hold, &checks, &request.tally.clone().unwrap_or_default());
    let decision = decision.map_err(|error| at_step(&request, error))?;
    Ok(Reply {
        verdict: decision.verdict,
        done: decision.done,
        wait_seconds: decision.wait_seconds,
        tally: decision.tally,
        checks,
        at: now.to_string(),
    })
}

/// Says where in the plan it happened.
fn at_step(request: &Request, error: StepError) -> StepError {
    let Request { route, step, new_weight, .. } = request;
    let place = format!("routes[{route}].steps[{step}], {new_weight} % on the new side");
    StepError::new(error.name, format!("{place}: {}", error.message))
}
