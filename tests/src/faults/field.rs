//! One emulated AWS on which runs with faults are made, one after the other.
//!
//! Contract: [`Field::record`] and [`Field::play`] leave the account empty, but for what is deployed. Waits are short
//! ([`SPEED`]); functions and their clients live in real time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::by_hand::type_in;
use super::case::{Case, Fault, Point, Scene, Turn, of_turning_back, points};
use super::check::{self, Ended, Known};
use super::finished;
use super::left::{Change, Journal, Left, is_of};
use super::page::{cleanup_given_up, commands, page};
use super::shape::Shape;
use crate::approver::{Answer, Approver, Decision};
use crate::compare::{differences, in_plan_names};
use crate::control::{Client, RunState, Runs};
use crate::emulator::{Emulator, Options};
use crate::follow;
use crate::metrics;
use crate::routes::Side;
use crate::stage::Stage;
use crate::traffic::{Pace, Tally};
use crate::world::World;

/// An hour in six seconds. The sweep comes twice a second.
pub const SPEED: f64 = 600.0;
/// A run that has not come to its end by then never will.
const LIMIT: Duration = Duration::from_secs(120);
const LOOK_INTERVAL: Duration = Duration::from_millis(60);
const STATES: &str = "stepfunctions";

/// An emulated AWS with Cutover on it.
#[derive(Debug)]
pub struct Field {
    emulator: Emulator,
    client: Client,
}

/// What is known of a plan before faults are tried.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Where faults can hit: of a clean run, and of two that are turned back.
    pub points: Vec<Point>,
    /// What these runs leave.
    pub known: Known,
    /// How many routes the plan has.
    pub routes: usize,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub struct Played {
    /// How it ended.
    pub ended: Option<Ended>,
    /// The end of the cutover's execution.
    pub error: String,
    /// Its cause.
    pub cause: String,
    /// What is wrong; empty if the promise was kept.
    pub violations: Vec<String>,
    /// Whether the fault came to pass.
    pub is_hit: bool,
    /// In real time.
    pub seconds: f64,
}

impl Played {
    /// A case that could not be judged.
    pub fn broken(error: &anyhow::Error) -> Self {
        let violations = vec![format!("could not be judged: {error:#}")];
        Self { ended: None, error: "broken".to_owned(), cause: String::new(), violations, is_hit: false, seconds: 0.0 }
    }
}

/// A run that has come to its end.
struct Done {
    stage: Stage,
    left: Left,
    run_id: String,
    hits: u64,
}

impl Field {
    /// Starts one.
    pub async fn start(options: &Options) -> Result<Self> {
        let emulator = Emulator::start(&Options { speed: SPEED, ..options.clone() }).await?;
        Ok(Self { client: emulator.client().clone(), emulator })
    }

    /// Ends it.
    pub async fn stop(self) -> Result<()> {
        self.emulator.stop().await
    }

    /// Runs a plan without a fault: there and, in two more runs, back.
    pub async fn record(&self, shape: &Shape) -> Result<Recorded> {
        let there = self.run(shape, |_| vec![], true).await.context("the run without a fault")?;
        let error = end_of(&there.left);
        ensure!(error == "Succeeded", "without any fault the plan ends with {error}: {:?}", there.left.end);
        ensure!(there.left.journal.run.is_some(), "the plan is a dry run: there is nothing to prove");
        let routes = &there.stage.routes;
        let mut wrong = check::violations(&there.left, None, routes, None);
        wrong.extend(finished::problems(&there.left, &there.stage.plan, routes, &there.stage.sides));
        ensure!(wrong.is_empty(), "without any fault: {wrong:?}");
        let clean = points(&self.client.requests(0).await?, None);
        let (changes, routes) = (there.left.changes, there.stage.routes.len());
        self.client.clear().await?;

        let mut recorded =
            Recorded { points: clean.clone(), known: Known { clean: changes, ..Known::default() }, routes };
        for turn in Turn::ALL {
            let (turned, ended) =
                self.record_back(shape, turn).await.with_context(|| format!("turned back {turn:?}"))?;
            recorded.points.extend(of_turning_back(turned, &clean));
            recorded.known.turned.insert(turn, ended);
        }
        Ok(recorded)
    }

    /// Runs a plan that is turned back. Past its point of no return a person is asked.
    async fn record_back(&self, shape: &Shape, turn: Turn) -> Result<(Vec<Point>, Ended)> {
        let back = self.run(shape, |stage| vec![turn.rule(&stage.plan)], true).await?;
        let wrong = check::violations(&back.left, None, &back.stage.routes, None);
        ensure!(wrong.is_empty(), "{wrong:?} {:?}", back.left.end);
        let ended = check::ended(&back.left, None).map_err(anyhow::Error::msg)?;
        let wanted = if has_way_back(&back.stage.plan) { Ended::Before } else { Ended::Stuck };
        ensure!(ended == wanted, "a run that is turned back ends {ended:?}, not {wanted:?}: {:?}", back.left.end);
        let turned = points(&self.client.requests(0).await?, Some(turn));
        self.client.clear().await?;
        Ok((turned, ended))
    }

    /// Runs a plan with a fault, and judges what is left.
    pub async fn play(&self, shape: &Shape, case: &Case, known: &Known) -> Result<Played> {
        let started = Instant::now();
        let machine = self.machine("cutover")?;
        let rules = |stage: &Stage| case.rules(&Scene { plan: &stage.plan, cutover_machine: &machine });
        let has_events = case.fault != Fault::StoppedUnseen;
        let done = self.run(shape, rules, has_events).await?;
        let is_hit = done.hits > 0;
        // What was not hit is a clean run.
        let hitting = is_hit.then_some(case);
        let mut violations = check::violations(&done.left, hitting, &done.stage.routes, Some(known));
        let ended = check::ended(&done.left, hitting).ok();
        if ended == Some(Ended::Stuck) && violations.is_empty() {
            violations = self.put_right(&done).await?;
        }
        self.client.clear().await?;
        let seconds = started.elapsed().as_secs_f64();
        let cause = done.left.end.as_ref().and_then(|end| end.cause.clone()).unwrap_or_default();
        Ok(Played { ended, error: end_of(&done.left), cause, violations, is_hit, seconds })
    }

    async fn run(&self, shape: &Shape, rules: impl FnOnce(&Stage) -> Vec<Value>, has_events: bool) -> Result<Done> {
        let ready = self.emulator.ready();
        self.client.set_events(json!({ "status_events": has_events })).await?;
        let world = World::from_json(shape.world.clone())?;
        let stage = Stage::with_users(&self.client, ready, &shape.plan, world, Pace::few(SPEED)).await?;
        self.client.keep_steady(&metrics::healthy(&stage.plan, stage.replication())).await?;
        let (before, _) = self.dump().await?;
        self.client.set_faults(json!(rules(&stage))).await?;
        let machine = self.machine("cutover")?;
        let run_id = follow::start(&self.client, &machine, "run", &stage.plan).await?;
        self.wait_for_the_end(&run_id, &stage.plan).await?;
        let hits = self.client.faults().await?.first().and_then(|rule| rule["hits"].as_u64()).unwrap_or_default();
        self.client.set_faults(json!([])).await?;
        let left = self.left(&stage, &run_id, before).await?;
        Ok(Done { stage, left, run_id, hits })
    }

    /// Until nothing runs any more, and the journal has an ending; or until it is clear that this will not come.
    async fn wait_for_the_end(&self, run_id: &str, plan: &Value) -> Result<()> {
        let started = Instant::now();
        let closes = closes(plan);
        let mut approver = (!plan["approval"].is_null()).then(|| Approver::new(Answer::Approve, Decision::GoBack));
        loop {
            if let Some(approver) = &mut approver {
                approver.look(&self.client).await?;
            }
            let runs = self.client.runs().await?;
            let is_quiet = under_way(&runs, closes).is_empty() && !runs.busy;
            let is_open = runs.runs.get(run_id).is_some_and(|run| is_open(run, closes));
            let is_over = is_quiet && (!is_open || cleanup_given_up(&self.client.messages().await?));
            if is_over || started.elapsed() > LIMIT {
                return Ok(());
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    fn machine(&self, name: &str) -> Result<String> {
        self.emulator.ready().state_machines.get(name).cloned().with_context(|| format!("no state machine {name}"))
    }

    /// The account, and the journal's items.
    async fn dump(&self) -> Result<(Value, Vec<Value>)> {
        let mut account = self.client.dump().await?;
        let journal = account.as_object_mut().and_then(|dump| dump.remove("journal")).context("no journal")?;
        forget_default_rules(&mut account);
        Ok((account, serde_json::from_value(journal).context("the journal is no list")?))
    }

    async fn left(&self, stage: &Stage, run_id: &str, before: Value) -> Result<Left> {
        let (after, items) = self.dump().await?;
        let runs = self.client.runs().await?;
        let seen = stage.ledger.since(0);
        let tally = Tally::of(seen.iter());
        let nowhere = seen.iter().filter(|seen| seen.side == Side::Nowhere).count();
        Ok(Left {
            end: self.end_of(run_id).await?,
            changes: changes(stage, &before, &after),
            before,
            after,
            new_percents: self.new_percents(stage).await?,
            routings: self.client.routings().await?,
            journal: Journal::of(&items, run_id),
            messages: self.client.messages().await?,
            hooks: self.client.invocations().await?.into_iter().filter(|call| call.hook).collect(),
            running: under_way(&runs, closes(&stage.plan)),
            second: self.end_of(&run_id.replace(":run", ":second")).await?,
            users: Some((tally.requests, tally.failures, nowhere)),
        })
    }

    async fn new_percents(&self, stage: &Stage) -> Result<Vec<f64>> {
        let routing = self.client.routing().await?;
        Ok(stage.routes.iter().map(|route| route.new_percent(&routing, &stage.sides)).collect())
    }

    /// None for an execution that does not exist, or still runs.
    async fn end_of(&self, execution: &str) -> Result<Option<follow::End>> {
        let answer = self.client.call(STATES, "describe_execution", json!({ "executionArn": execution })).await;
        Ok(answer.ok().and_then(|description| follow::end(&description)))
    }

    /// Does what the page says: then everything must be as it was, and another rollback has nothing left to do.
    async fn put_right(&self, done: &Done) -> Result<Vec<String>> {
        let page = page(&done.left.messages).context("stuck without a page")?;
        for command in commands(page) {
            type_in(&self.client, command).await.with_context(|| format!("by hand: {command}"))?;
        }
        let (account, _) = self.dump().await?;
        let mut wrong = check::after_by_hand(&done.left, &account);
        // Only a person, who knows the application's name, tries a stuck run again.
        let again = json!({ "application": done.stage.plan["application"] });
        follow::start(&self.client, &self.machine("rollback")?, "again", &again).await?;
        self.wait_for_the_end(&done.run_id, &done.stage.plan).await?;
        let (account, items) = self.dump().await?;
        let differences = differences(&done.left.before, &account);
        wrong.extend(differences.iter().map(|line| format!("after another rollback: {line}")));
        let journal = Journal::of(&items, &done.run_id);
        if journal.phase() != Some("rolled_back") || !journal.locks.is_empty() {
            wrong.push(format!("after another rollback the run is {:?}, with {:?}", journal.phase(), journal.locks));
        }
        Ok(wrong)
    }
}

/// Where the account differs, line by line in the plan's names.
fn changes(stage: &Stage, before: &Value, after: &Value) -> Vec<Change> {
    let lines = differences(before, after);
    let change = |line: String| Change {
        route: stage.routes.iter().position(|route| is_of(route, &line)),
        line: in_plan_names(&[line], &stage.mapping).concat(),
    };
    let mut changes: Vec<Change> = lines.into_iter().map(change).collect();
    changes.sort();
    changes
}

/// Whether what the new side writes can be taken back.
fn has_way_back(plan: &Value) -> bool {
    let database = &plan["database"];
    database.is_null() || database["shared"] == true || !database["reverse_replication_task_arn"].is_null()
}

/// A listener's default rule shows its default action once more, under an id that no plan names.
fn forget_default_rules(account: &mut Value) {
    if let Some(rules) = account["elbv2"]["rules"].as_object_mut() {
        rules.retain(|_, rule| rule["IsDefault"] != true);
    }
}

/// Whether the plan's cleanup comes at once, and not after a durable wait.
fn closes(plan: &Value) -> bool {
    plan["cleanup"]["after"] == "0s"
}

/// Executions under way, the cleanup's durable wait left out.
fn under_way(runs: &Runs, closes: bool) -> Vec<String> {
    runs.running.iter().filter(|arn| closes || !arn.contains(":cleanup:")).cloned().collect()
}

/// Whether somebody still has to bring the run to an end. A finished one that does not close at once only waits for its
/// cleanup, once that is under way.
fn is_open(run: &RunState, closes: bool) -> bool {
    match run.phase.as_str() {
        "finished" => closes || !run.owner.contains(":cleanup:"),
        phase => !["rolled_back", "stuck", "closed"].contains(&phase),
    }
}

/// The name of the ending that the cutover's execution shows.
fn end_of(left: &Left) -> String {
    match &left.end {
        Some(end) if end.status == "SUCCEEDED" => "Succeeded".to_owned(),
        Some(end) => end.error.clone().filter(|_| end.status == "FAILED").unwrap_or_else(|| end.status.clone()),
        None => "running".to_owned(),
    }
}
