//! `monitor`: looks once at everything that must hold while a step is held, and says whether to go on.
//!
//! Reads: the run item, and the line (`cutover::line`); the routes, and the health checks of names; the health of target groups; metrics; alarm states. Writes:
//! what its sequential tests have counted, into the run item; it ends with the run, so there is nothing to undo. A step is over when its hold is,
//! the last look was healthy, and nobody paused the run or stopped the line; all waiting is the state machine's.
//!
//! While the line is stopped a hold goes on as long as that lasts, and all that is looked at is judged as ever: an unhealthy look turns the
//! run back. The time does not count towards the run's `timeout`. Looks become more seldom, since each is kept in the execution's history; one
//! at which something is wrong is followed by another after the plan's interval.
//!
//! | look | healthy | too little data | unhealthy | inconclusive | error |
//! |---|---|---|---|---|---|
//! | route | it is where the plan has it at this step, and nothing else answers for it | - | - | - | the call failed |
//! | health check of a name's record | its checkers succeed | - | they do not | they have not told | the call failed |
//! | target group | enough targets are healthy | - | they are not | - | the call failed |
//! | share of the requests (`share`) | it is that of the weight, as far as chance goes; of a name always | - | - | it is not | the call failed |
//! | metric, by threshold | its newest value is no trouble | - | it is | there is no value | the call failed |
//! | metric, by sequential test | it is surely below the limit | nothing is wrong, and it is not sure | it is trouble for certain | there is no value, or below 100 % never one of the old side that it is compared with | the call failed |
//! | alarm | OK | - | ALARM | INSUFFICIENT_DATA | there is no such alarm, the call failed |
//!
//! A sequential test (`counts`, the crate `judge`) spans the whole run, and counts each period once. When it finds trouble that is certain: the
//! run is turned back at this look, and `failure_limit` has no say. A look with too little data is one at which nothing is wrong: it ends a row of
//! unhealthy ones, and a step with it is over as `too_little_data` of the plan says. Without any request there is no value, and nothing goes on.
//!
//! What a failing health check does to users is said beside it; that of an old record without weight is told and no more.
//!
//! The plan may say what a metric or an alarm without data means. What cannot have data yet does not count towards the plan's
//! `no_data_limit`: a metric in the first periods of a step; an alarm until it must have seen the new side's traffic. Before
//! that side has any, an alarm without data is not looked at.
//!
//! While a change settles (`WatchSettling`) the same is looked at, since traffic flows already. Users may not have followed yet, so what has no
//! data then does not count towards `no_data_limit`.
//!
//! A look that AWS throttled says nothing, and counts towards no limit: the step waits until there is one.
//!
//! A route that is not where this step has it, looked at twice, was changed by somebody else, or deleted: that ends the step at once.
//!
//! After the cutover the same is looked at until cleanup, but for where the routes are, which cleanup watches, and for the share. Of health
//! checks and load balancers, those of the final records (`names`).
//!
//! Errors: `Cutover.Drift` for that; `Cutover.Unhealthy` for trouble that is certain, and at the plan's limit; `Cutover.Inconclusive` at the plan's
//! limits, also that of too little data; `Cutover.NotPermitted`,
//! `Cutover.DeadlineExceeded`, `Cutover.Fenced`, and AWS errors of the journal.

pub mod alarms;
pub mod clusters;
pub mod counts;
pub mod decide;
pub mod judged;
pub mod metrics;
pub mod names;
pub mod observe;
pub mod queries;
pub mod share;
pub mod words;

use cutover::contract::Caller;
use cutover::line::Line;
use cutover::rate::Lane;
use cutover::verdict::Verdict;
use cutover::{Plan, StepError, StepResult};
use jiff::Timestamp;
use journal::{Journal, Phase, Run};
use judge::Counts;
use judge::need::Need;
use judge::sequential::Test;
use serde::{Deserialize, Serialize};
use watch::{Held, Metrics};

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] = &[
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTargetHealth",
    "route53:GetHealthCheck",
    "route53:GetHealthCheckStatus",
    "route53:ListResourceRecordSets",
];

/// The state that looks while a change is not in effect everywhere yet.
const SETTLING: &str = "WatchSettling";

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
    /// When the state machine came to this look, RFC 3339: metrics are looked at as of then, so that a look that is tried again counts the
    /// same periods. None of machines from before: now.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The last reply's tally; none at first.
    #[serde(default)]
    pub tally: Option<Tally>,
    /// How often a person has let the run go on in spite of a failed check, and after the cutover, how often it was unhealthy since: the tests begin
    /// again each time.
    #[serde(default)]
    pub decisions: u32,
    /// Whether the run is finished, and watched until its cleanup, which is then the caller. Whether the routes are where the cutover
    /// left them is not this function's to say then.
    #[serde(default)]
    pub after_cutover: bool,
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
    /// Those at which nothing was wrong, and a test could not tell.
    pub too_little_data: u32,
    /// Unhealthy ones.
    pub unhealthy: u32,
    /// Those without data.
    pub inconclusive: u32,
    /// Those that failed.
    pub error: u32,
}

/// What one check saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// What it says.
    pub verdict: Verdict,
    /// The value and its threshold, for a person.
    pub seen: String,
    /// A metric's value, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Whether a value could not be expected yet: it then does not count towards the plan's `no_data_limit`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_early: bool,
    /// Whether it is certain: one such look turns the run back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_final: bool,
    /// What a sequential test has counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Seen>,
}

impl Check {
    /// A check that says no more than this.
    pub fn new(name: impl Into<String>, verdict: Verdict, seen: impl Into<String>) -> Self {
        let (name, seen) = (name.into(), seen.into());
        Self { name, verdict, seen, value: None, is_early: false, is_final: false, test: None }
    }
}

/// What a sequential test has counted in the whole run, and what it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Requests of the new side that were trouble.
    pub bad: u64,
    /// All its requests.
    pub all: u64,
    /// The same of the old side, where it is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_bad: Option<u64>,
    /// All requests of the old side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_all: Option<u64>,
    /// Which share of the requests may be trouble.
    pub limit: f64,
    /// The anytime-valid p-value of "it is no worse than it may be".
    pub p_value: f64,
    /// About so many requests it needs to tell, where that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<u64>,
    /// So many of them there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has: Option<u64>,
}

impl Seen {
    fn of(test: &Test, limit: f64, need: Option<Need>) -> Self {
        let (Counts { bad, all }, old) = (test.new_side(), test.old_side());
        let is_compared = old.all > 0;
        Self {
            bad,
            all,
            old_bad: is_compared.then_some(old.bad),
            old_all: is_compared.then_some(old.all),
            limit,
            p_value: test.p_value(),
            needs: need.map(|need| need.needed),
            has: need.map(|need| need.has),
        }
    }
}

/// What one look comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The worst of the checks.
    pub verdict: Verdict,
    /// Whether the step is over. Otherwise: wait, and call again.
    pub done: bool,
    /// How long to wait before the next call.
    pub wait_seconds: u64,
    /// To be sent with the next request.
    pub tally: Tally,
    /// Why the hold does not end, where the line is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// Which share of the requests the new side has had in this step, in percent, where a load balancer counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_seen_percent: Option<f64>,
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
    let (run, line) = run_of(clients, &request, now).await?;
    let held_by_line = line.holds(&run.plan.application);
    let draw = clients.journal.share(&run.plan, Lane::Forward, run.plan.names(), now);
    let clients = &Clients { routes: clients.routes.for_run(&run.run_id, now, draw), ..clients.clone() };
    let (plan, elapsed_seconds) = (&run.plan, request.elapsed_seconds);
    let metrics = &Metrics::of(&clients.cloudwatch, clients.routes.access(), plan).await?;
    let mut checks = if request.after_cutover {
        observe::finished_names(&clients.routes, &run).await?
    } else {
        let routes = observe::routes(&clients.routes, &run, request.route, request.new_weight).await;
        routes.map_err(|error| at_step(plan, &request, error))?
    };
    let share = observe::share(clients, metrics, &run, &request, now).await?;
    let share_seen_percent = share.as_ref().and_then(|(percent, _)| *percent);
    checks.extend(share.map(|(_, check)| check));
    let groups = decide::groups(plan, request.route, request.new_weight);
    checks.extend(observe::groups(clients, groups).await?);
    checks.extend(judged::metrics(clients, metrics, &run, &request, now).await?);
    let held = Held { route: request.route, step: request.step, elapsed_seconds };
    checks.extend(observe::alarms(clients, plan, held).await?);
    let checks = if request.caller.state == SETTLING { while_settling(checks) } else { checks };
    let decision = decide::decide(
        &plan.monitoring,
        hold(&request, run.paused || held_by_line.is_some()),
        &checks,
        &request.tally.clone().unwrap_or_default(),
    );
    let decision = decision.map_err(|error| at_step(plan, &request, error))?;
    Ok(Reply {
        verdict: decision.verdict,
        done: decision.done,
        wait_seconds: wait_seconds(&request, &decision, held_by_line.is_some().then_some(&line), now),
        held: held_by_line,
        tally: decision.tally,
        share_seen_percent,
        checks,
        at: now.to_string(),
    })
}

/// The run, if it is the caller's, and where the caller believes it to be, and the line. The run's deadline ends with the cutover, and there
/// is nothing that the line could hold then.
async fn run_of(clients: &Clients, request: &Request, now: Timestamp) -> StepResult<(Run, Line)> {
    if request.after_cutover {
        return Ok((clients.journal.fence(&request.caller, Phase::Finished).await?, Line::default()));
    }
    let run = clients.journal.fence(&request.caller, Phase::Forward).await?;
    let line = clients.journal.line().await?;
    run.check_deadline(&line, now)?;
    Ok((run, line))
}

/// How long to wait before the next look: longer where the line holds a step whose time is over, and nothing is wrong.
fn wait_seconds(request: &Request, decision: &decide::Decision, held_by: Option<&Line>, now: Timestamp) -> u64 {
    match held_by {
        Some(line) if decision.verdict == Verdict::Healthy && request.elapsed_seconds >= request.hold_seconds => {
            line.wait_seconds(decision.wait_seconds, now)
        }
        _ => decision.wait_seconds,
    }
}

/// After the cutover no hold ends: that there is too little data to tell is nothing to decide about then.
fn hold(request: &Request, paused: bool) -> decide::Hold {
    let hold_seconds = if request.after_cutover { u64::MAX } else { request.hold_seconds };
    decide::Hold { hold_seconds, elapsed_seconds: request.elapsed_seconds, paused }
}

/// Says where on the way it happened: people count from 1.
fn at_step(plan: &Plan, request: &Request, error: StepError) -> StepError {
    if request.after_cutover {
        return StepError::new(error.name, format!("after the cutover, 100 % on the new side: {}", error.message));
    }
    let Request { route, step, new_weight, .. } = request;
    let of = plan
        .routes
        .get(*route)
        .map(|route| format!(" of {} ({new_weight} %) of {}", route.steps().len(), route.title()));
    let place = of.unwrap_or_else(|| format!(" ({new_weight} %)"));
    StepError::new(error.name, format!("step {}{place}: {}", step + 1, error.message))
}

/// Users follow a change as their resolvers do: until then nothing need be counted of the new side. Pure.
fn while_settling(mut checks: Vec<Check>) -> Vec<Check> {
    for check in &mut checks {
        check.is_early |= check.verdict == Verdict::Inconclusive;
    }
    checks
}

#[cfg(test)]
mod tests {
    use cutover::error::name;
    use serde_json::json;

    use super::*;

    #[test]
    fn too_little_data_after_the_cutover_is_no_trouble() {
        let request = |after_cutover: bool| {
            let request = json!({ "run_id": "run", "execution_arn": "me", "state": "WatchHealth", "route": 0, "step": 0, "new_weight": 100,
                "hold_seconds": 0, "elapsed_seconds": 36_000, "after_cutover": after_cutover });
            serde_json::from_value::<Request>(request).unwrap()
        };
        let monitoring = cutover::plan::Monitoring {
            too_little_data: cutover::plan::TooLittleData::RollBack,
            ..cutover::plan::Monitoring::default()
        };
        let checks = [Check::new("rate", Verdict::TooLittleData, "0 of 3 requests failed")];
        let looked = |after| decide::decide(&monitoring, hold(&request(after), false), &checks, &Tally::default());
        assert!(looked(false).is_err());
        assert_eq!(looked(true).unwrap().verdict, Verdict::TooLittleData);
    }

    #[test]
    fn while_a_change_settles_no_data_counts_towards_no_limit_and_trouble_does() {
        let checks = [Verdict::Inconclusive, Verdict::Unhealthy, Verdict::Error, Verdict::Healthy]
            .map(|verdict| Check::new("x", verdict, ""));
        let early: Vec<bool> = while_settling(checks.to_vec()).iter().map(|check| check.is_early).collect();
        assert_eq!(early, [true, false, false, false]);
    }

    #[test]
    fn looks_become_more_seldom_only_where_the_line_holds_a_step_that_is_over_and_well() {
        let request = |elapsed: u64| {
            let request = json!({ "run_id": "run", "execution_arn": "me", "state": "Monitor", "route": 0, "step": 0, "new_weight": 10,
                "hold_seconds": 600, "elapsed_seconds": elapsed });
            serde_json::from_value::<Request>(request).unwrap()
        };
        let decision = |verdict| decide::Decision { verdict, done: false, wait_seconds: 60, tally: Tally::default() };
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let stop = cutover::line::Stop {
            by: "Ada".to_owned(),
            why: "x".to_owned(),
            at: now - jiff::SignedDuration::from_hours(1),
        };
        let line = Line { stopped: Some(stop), ..Line::default() };
        let waits = |elapsed, verdict, line| wait_seconds(&request(elapsed), &decision(verdict), line, now);
        assert_eq!(waits(600, Verdict::Healthy, Some(&line)), 360);
        assert_eq!(waits(599, Verdict::Healthy, Some(&line)), 60);
        assert_eq!(waits(600, Verdict::Unhealthy, Some(&line)), 60);
        assert_eq!(waits(600, Verdict::Healthy, None), 60);
    }

    #[test]
    fn what_fails_at_a_step_says_which_of_how_many_and_of_what() {
        let listener = "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/shop/50dc/f2f7";
        let route = json!({ "type": "listener", "listener_arn": listener, "old_target_group_arn": "old", "new_target_group_arn": "new",
            "steps": [{ "new_weight": 10 }, { "new_weight": 50 }, { "new_weight": 100 }] });
        let plan = serde_json::from_value(json!({ "application": "shop", "routes": [route] })).unwrap();
        let request = json!({ "run_id": "run", "execution_arn": "run", "state": "Monitor", "route": 0, "step": 1, "new_weight": 50,
            "hold_seconds": 60 });
        let error = StepError::new(name::UNHEALTHY, "2 unhealthy checks in a row: p95");
        let told = at_step(&plan, &serde_json::from_value(request).unwrap(), error);
        assert_eq!(told.message, "step 2 of 3 (50 %) of listener f2f7 of shop: 2 unhealthy checks in a row: p95");
    }
}
