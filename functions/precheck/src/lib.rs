//! `precheck`: reads a plan, observes everything it names, and reports every finding at once.
//!
//! Reads: listeners, rules, target groups, zones, record sets, replications, their tables and lag, metrics, alarms, the topic, hooks and
//! their policies, a load test's secret, those of stakeholders' webhooks, their topics, the locks, the line, the new
//! side's health URL. Writes: nothing; safe at any time. Undo: none needed.
//!
//! It is called until `settled`: one try of the health URL a call, with the plan's interval in between; the rest is
//! observed once the URL has passed or failed, several routes at once, nothing of them twice ([`once`]), and at a pace that Route 53
//! answers ([`pace`]). Errors: only such that a repetition may cure; all else is a finding.

mod alarms;
mod cleanup;
mod databases;
mod decide;
mod denied;
mod elsewhere;
mod hearers;
mod load_test;
mod metrics;
mod once;
mod overwritten;
mod pace;
mod policies;
mod refusing;
mod services;
mod tagged;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use cutover::authority::approval::complete_plan;
use cutover::authority::{AllowedAlarms, AllowedHooks, AllowedRoutes, Demanded, Destinations, Mails, Patterns, Topics};
use cutover::finding::{settled, soften};
use cutover::load::{self, LoadLimits};
use cutover::probe::{Progress, Reach, Tries};
use cutover::rate::Lane;
use cutover::schedule::{self, ScheduledStep};
use cutover::stakeholders::StackGroups;
use cutover::{Finding, Plan, StepResult, budget, gates, probe};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use journal::Journal;
use routes::RouteState;
use routes::behind::Behind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] = &[
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "dms:DescribeReplicationInstances",
    "dms:DescribeReplicationTableStatistics",
    "dms:DescribeReplicationTasks",
    "dms:DescribeReplications",
    "dms:DescribeTableStatistics",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "lambda:GetPolicy",
    "route53:GetHealthCheck",
    "route53:GetHealthCheckStatus",
    "route53:GetHostedZone",
    "route53:ListHostedZones",
    "route53:ListHostedZonesByName",
    "route53:ListResourceRecordSets",
    "route53:ListTagsForResource",
    "sns:GetTopicAttributes",
];

/// So many routes are looked at at once: enough that the pace, and not one answer after another, says how long it takes.
const AT_ONCE: usize = 8;

/// Secrets, topics and hooks are asked for beside each other; one that takes longer, as in a VPC without a way to its service, is taken for not seen.
const LONGEST: Duration = Duration::from_secs(4);

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// The replications of the stack's own account and region.
    pub replications: replication::Services,
    /// Those of routes.
    pub routes: routes::any::Clients,
    /// Secrets Manager, for the headers of a load test, and for webhooks.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// SNS.
    pub sns: aws_sdk_sns::Client,
    /// The journal, for the locks.
    pub journal: Journal,
    /// The functions that the state machines may invoke as hooks.
    pub hooks: AllowedHooks,
    /// The alarms that may be set, and what they may do.
    pub alarms: AllowedAlarms,
    /// Who has to agree.
    pub approval: Demanded,
    /// The listeners, rules, names and old groups that IAM lets plans change.
    pub allowed_routes: AllowedRoutes,
    /// Where plans may send users.
    pub destinations: Destinations,
    /// Where probes may connect to.
    pub reach: Reach,
    /// The user pools whose clients its functions may read.
    pub user_pools: Patterns,
    /// The topics that the stack publishes to.
    pub topics: Topics,
    /// The keys of encrypted topics that the stack may use, its own among them.
    pub topic_keys: Patterns,
    /// The addresses that the stack sends mail to.
    pub mails: Mails,
    /// The stack's groups of stakeholders.
    pub stakeholders: StackGroups,
    /// What a load test may reach, and how fast.
    pub load_limits: LoadLimits,
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
    pub before: Vec<RouteState>,
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
    let mut plan = match Plan::read(&request.plan) {
        Ok(plan) => plan,
        Err(findings) => return Ok(decide::report(None, findings, Vec::new(), Tries::default(), now)),
    };
    // A name takes a look at its zone, at the name, at the zones around it, and at what else leads there.
    let draw = clients.journal.share(&plan, Lane::Forward, 5 * plan.names(), now);
    let draw = draw.unwrap_or_else(|| Arc::new(pace::Pace::new()));
    let of_run = clients.routes.for_run(&request.run_id, now, None);
    let clients = &Clients { routes: of_run.for_one_call(draw, once::once), ..clients.clone() };
    let mut findings = gates::findings(&plan);
    findings.extend(clients.stakeholders.unknown(&plan.stakeholders));
    findings.extend(load::findings(&plan, &clients.load_limits));
    let mut tries = request.tries.unwrap_or_default();
    if let Some(wanted) = &plan.health_check {
        findings.extend(decide::any_issuer(wanted));
        tries = tries.count(&probe::ask(wanted, &clients.reach).await);
        match tries.progress(wanted) {
            Progress::TryAgain => return Ok(decide::try_again(wanted.interval, tries, now)),
            Progress::Passed => {}
            Progress::Failed => findings.push(decide::health_url(wanted, &tries)),
        }
    }
    let is_tagged = tagged::demands_approval(clients, &plan).await?;
    findings.extend(complete_plan(&clients.approval, is_tagged, &mut plan));
    findings.extend(clients.approval.own_approvers(&plan, &clients.stakeholders));
    let before = look(clients, &plan, now, &mut findings).await?;
    let accounts = clients.routes.access().accounts();
    elsewhere::tell_instead(elsewhere::findings(&plan, &request.run_id, accounts), &mut findings);
    locks(&clients.journal, &plan, &request.run_id, &mut findings).await?;
    let line = soften(clients.journal.line().await, "$.application", &mut findings)?.unwrap_or_default();
    findings.extend(decide::held_by_the_line(&line, &plan.application));
    findings.extend(decide::nobody_stops_writers(&plan));
    findings.extend(decide::quiesce_unverified(&plan));
    findings.extend(schedule::check_time(&plan, decide::old_ttls(&plan, &before)));
    findings.extend(elsewhere::actions(&plan, &request.run_id));
    findings.extend(not_allowed(clients, &plan));
    findings.extend(decide::pools_not_listed(&before, &clients.user_pools));
    denied::say_where(&plan, &request.run_id, accounts, &mut findings);
    let too_large = budget::check_before(&before);
    // What cannot be remembered cannot be carried either; the finding ends the run here.
    let before = if too_large.is_some() { Vec::new() } else { before };
    findings.extend(too_large);
    Ok(decide::report(Some(plan), findings, before, tries, now))
}

/// What the stack's owner does not let its plans do: pure.
fn not_allowed(clients: &Clients, plan: &Plan) -> Vec<Finding> {
    let mut findings = clients.destinations.findings(plan);
    findings.extend(clients.allowed_routes.findings(plan, clients.routes.access().here()));
    findings.extend(clients.topics.findings(plan));
    let own = &plan.stakeholders.groups;
    findings.extend(clients.mails.findings(own, "$.stakeholders.groups", &clients.stakeholders));
    findings.extend(clients.alarms.findings(&plan.alarms));
    findings.extend(clients.hooks.findings(&plan.application, &plan.hooks));
    findings
}

/// Looks at all that the plan names, at once; the before-images, and what was found in the order of looking.
async fn look(
    clients: &Clients,
    plan: &Plan,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> StepResult<Vec<RouteState>> {
    let (mut of_databases, mut of_services, mut of_metrics) = (Vec::new(), Vec::new(), Vec::new());
    // Boxed: the compiler gives up on futures that lie too deep in each other.
    let (before, (), (), ()) = tokio::try_join!(
        Box::pin(routes(clients, plan, findings)),
        Box::pin(databases::observe(clients, plan, now, &mut of_databases)),
        Box::pin(services::observe(clients, plan, &mut of_services)),
        Box::pin(figures(clients, plan, now, &mut of_metrics)),
    )?;
    findings.extend(of_databases.into_iter().chain(of_services).chain(of_metrics));
    Ok(before)
}

async fn figures(clients: &Clients, plan: &Plan, now: Timestamp, findings: &mut Vec<Finding>) -> StepResult<()> {
    let seen = watch::Metrics::of(&clients.cloudwatch, clients.routes.access(), plan).await;
    // An account that cannot be entered is told of with its route.
    match settled(seen)? {
        Ok(cloudwatch) => metrics::observe(&cloudwatch, plan, now, findings).await,
        Err(_) => Ok(()),
    }
}

async fn routes(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) -> StepResult<Vec<RouteState>> {
    let one = async |index| {
        let (mut findings, mut behind): (Vec<Finding>, Vec<Behind>) = Default::default();
        let looked = Box::pin(routes::any::precheck(&clients.routes, plan, index, &mut findings, &mut behind));
        let before = looked.await.map_err(|error| denied::in_its_account(plan, index, error))?;
        StepResult::Ok((before, findings, behind))
    };
    let looks: Vec<_> = stream::iter(0..plan.routes.len()).map(one).buffered(AT_ONCE).try_collect().await?;
    let (mut before, mut behind) = (Vec::new(), Vec::new());
    for (state, found, stay) in looks {
        before.extend(state);
        findings.extend(found);
        behind.extend(stay);
    }
    findings.extend(routes::behind::judge(&behind, &plan.leaves_behind));
    findings.extend(cleanup::stays(plan, &behind));
    if before.len() == plan.routes.len() {
        routes::in_dns::precheck_together(&clients.routes, plan, &before, findings).await?;
    }
    Ok(before)
}

async fn locks(journal: &Journal, plan: &Plan, run_id: &str, findings: &mut Vec<Finding>) -> StepResult<()> {
    let keys = journal::lock_keys(plan);
    let holders = soften(journal.lock_holders(&keys).await, "$", findings)?.unwrap_or_default();
    for (place, key) in keys.iter().enumerate() {
        if let Some(holder) = holders.get(key).filter(|holder| *holder != run_id) {
            let path = if place == 0 { "$.application".to_owned() } else { format!("$.routes[{}]", place - 1) };
            // What cannot be seen of the holder makes the advice less precise, and nothing else.
            let (problem, fix) = if decide::is_of_another_stack(holder, run_id) {
                decide::held_elsewhere(holder)
            } else {
                let standing = settled(journal.standing(holder).await)?.ok().flatten();
                decide::held_by(holder, standing.as_ref())
            };
            // While another run moves a route, its state is no fault of this plan.
            findings.retain(|finding| place == 0 || !finding.path.starts_with(&path));
            findings.push(Finding::conflict(path, problem, fix));
        }
    }
    Ok(())
}

/// The steps of a plan, for the report.
fn steps_of(plan: &Plan) -> (Vec<ScheduledStep>, u64) {
    (schedule::steps(plan), schedule::history_events(plan))
}
