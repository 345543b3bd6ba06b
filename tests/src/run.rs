//! One run of a machine on a stage, from its start to its ending.
//!
//! Contract: [`run`] starts the execution, lets the sides behave as the world says, follows it and what comes of it to
//! their ends, and answers what happened. It sequences nothing of the cutover: between start and end it only looks,
//! and does what the world file says a person does to a cutover. [`rehearse`] makes the run that a gesture is about first.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::approver::{Approver, Asked};
use crate::bill::{self, Bill};
use crate::checked::Checked;
use crate::follow::{self, End, Followed, Told};
use crate::gates::{self, Gate};
use crate::machines::Machine;
use crate::outcome::{Change, Ending, Execution, Move, Outcome, UsersSaw};
use crate::responder::Responder;
use crate::routes::Side;
use crate::stage::Stage;
use crate::traffic::Tally;
use crate::world::{Act, Conduct, Script};
use crate::{Clock, real};

const CUTOVER: &str = "cutover";
const ROLLBACK: &str = "rollback";
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
const GLANCE_INTERVAL: Duration = Duration::from_millis(20);
/// Over which users' share is told: as short as still holds some hundred of them, so that a step is seen as a step.
const USERS_WINDOW: Duration = Duration::from_secs(60);
/// Answers take real time.
const USERS_WINDOW_REAL: Duration = Duration::from_millis(500);
/// After the end users are watched a little longer: resolvers still have to learn it.
const EPILOGUE: Duration = Duration::from_secs(2);
/// An execution that was stopped is found by the sweep at the latest, every minute; ten of them, and some real
/// time to start.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(600);
const ROLLBACK_LIMIT_REAL: Duration = Duration::from_secs(30);

/// Something that a rehearsal shows while it goes on.
#[derive(Clone, Debug)]
pub enum Happening {
    /// What the history of an execution tells: its label, and whether it is shown below another.
    Told(String, bool, Told),
    /// An execution ended: its label, and whether it is shown below another.
    Ended(String, bool, End),
    /// A route leads elsewhere now.
    Moved(Move),
    /// What users of each route saw in the last seconds, and all failures so far.
    Users(Vec<(String, Tally)>, usize),
    /// Something was done to the run.
    Did(Act),
    /// Somebody was asked for approval, or for a decision, and has answered.
    Answered(Asked),
    /// Somebody was called for an incident, and has said by its page that they look after it.
    Acknowledged(String),
    /// A side behaves differently now.
    Behaves(Side, Conduct),
}

/// Rehearses a machine on a stage; `given` is its input, or has its plan. `watch` is told what happens, with the virtual
/// time of each run.
pub async fn rehearse(
    stage: &Stage,
    machine: &Machine,
    given: Option<&Value>,
    mut watch: impl FnMut(Duration, &Happening),
) -> Result<Outcome> {
    let preceding = match machine.is_about_a_run {
        true => Some(Box::new(run(stage, Machine::cutover(), &stage.plan, &mut watch).await?)),
        false => None,
    };
    let input = machine.input_on(stage, given);
    if let Some(cutover) = preceding.as_ref().filter(|cutover| is_refused_after(&cutover.ending, machine, &input)) {
        // Its refusal would tell nothing of the plan, and be the last word.
        return Ok(Outcome::clone(cutover));
    }
    let outcome = run(stage, machine, &input, &mut watch).await?;
    let exit_code = match &preceding {
        Some(cutover) => gates::exit_code(outcome.exit_code, &cutover.findings),
        None => outcome.exit_code,
    };
    Ok(Outcome { preceding, exit_code, ..outcome })
}

/// Only a run that has finished is cleaned up after; another one may be released.
fn is_refused_after(cutover: &Ending, machine: &Machine, input: &Value) -> bool {
    machine.name == Machine::cleanup().name && input["release"].is_null() && *cutover != Ending::Succeeded
}

#[cfg(test)]
#[test]
fn a_run_that_went_back_is_released_and_not_cleaned_up_after() {
    let (now, release) = (serde_json::json!({ "now": true }), serde_json::json!({ "release": "Ada: done" }));
    for (ending, machine, input, expected) in [
        (Ending::RolledBack, Machine::cleanup(), &now, true),
        (Ending::Succeeded, Machine::cleanup(), &now, false),
        (Ending::Stuck, Machine::cleanup(), &release, false),
        (Ending::Stuck, Machine::cutover(), &now, false),
    ] {
        assert_eq!(is_refused_after(&ending, machine, input), expected, "{ending:?} {input}");
    }
}

/// Runs a machine with an input.
async fn run(
    stage: &Stage,
    machine: &Machine,
    input: &Value,
    mut watch: impl FnMut(Duration, &Happening),
) -> Result<Outcome> {
    let clock = stage.clock();
    let seen_before = stage.ledger.count();
    let requests_before = stage.client.requests(0).await?.last().map_or(0, |request| request.seq);
    let messages_before = stage.client.messages().await?.len();
    let _metrics = stage.publish_metrics(clock);
    let mut run = Run::start(stage, clock, machine, input).await?;
    while !run.look(&mut watch).await? {
        run.until_the_next_look().await?;
    }
    let seconds = clock.now().as_secs_f64();
    tokio::time::sleep(EPILOGUE).await;
    run.see_moves();
    run.tell(&mut watch);

    let gates = run.gates();
    let decisive = run.decisive().and_then(|followed| followed.end.clone()).context("the execution has not ended")?;
    let transitions = run.transitions;
    let execution = Execution::ended(run.main).context("the execution has not ended")?;
    let brought = run.brought.into_iter().filter_map(Execution::ended);
    let (rollbacks, started): (Vec<_>, Vec<_>) = brought.partition(|execution| execution.label == ROLLBACK);
    let ends: Vec<End> = rollbacks.iter().map(|rollback| rollback.end.clone()).collect();
    let ending = Ending::of(&decisive, &ends);
    let requests = stage.client.requests(requests_before).await?;
    let findings = gates::never_seen(&gates, |metric| stage.publishes(metric));
    let moved = machine.name == CUTOVER && ending == Ending::Succeeded;
    let calls = bill::calls(&requests);
    let bill = Bill { transitions, ..Bill::of_calls(&calls, &stage.plan) };
    Ok(Outcome {
        cleanup: Checked::of(&stage.plan).takes.filter(|_| moved).map(|takes| takes.cleanup).unwrap_or_default(),
        dollars: bill.dollars(),
        bill,
        calls,
        exit_code: gates::exit_code(ending.exit_code(), &findings),
        ending,
        gates,
        findings,
        expected: stage.world.expect.clone(),
        seconds,
        execution,
        started,
        rollbacks,
        second: run.second.and_then(Execution::ended),
        before: run.before,
        after: stage.moves(&stage.routing.latest(), clock.now()),
        moves: run.moves,
        users: UsersSaw::new(
            &stage.ledger.since(seen_before),
            &stage.routes,
            gates::slow_above_seconds(&stage.plan),
            clock,
        ),
        changes: Change::among(&requests, clock),
        messages: stage.client.messages().await?.split_off(messages_before),
        pages: run.approver.pages().into_iter().chain(run.responder.pages()).collect(),
        plan: stage.plan.clone(),
        success: machine.success,
        clock,
        preceding: None,
    })
}

/// A run that is under way.
struct Run<'a> {
    stage: &'a Stage,
    clock: Clock,
    machine: &'a Machine,
    main: Followed,
    second: Option<Followed>,
    /// What came of it, by the names of their machines.
    brought: Vec<Followed>,
    known: Vec<String>,
    /// States that were entered, of all executions.
    transitions: usize,
    ended_at: Option<Instant>,
    /// Until when what succeeded is watched, in its own time.
    watched_until: Option<Duration>,
    scripts: [(Side, Script, Conduct); 2],
    done: Vec<bool>,
    approver: Approver,
    responder: Responder,
    before: Vec<Move>,
    moves: Vec<Move>,
    routings_seen: usize,
    told_users: Vec<(String, Tally)>,
    /// What the current look has found.
    found: Vec<(Duration, Happening)>,
}

impl<'a> Run<'a> {
    async fn start(stage: &'a Stage, clock: Clock, machine: &'a Machine, input: &Value) -> Result<Self> {
        let before = stage.moves(&stage.routing.latest(), Duration::ZERO);
        let found = before.iter().map(|state| (Duration::ZERO, Happening::Moved(state.clone()))).collect();
        let script = |behaviour| {
            let mut script = Script::new(behaviour);
            let conduct = script.conduct(Duration::ZERO, &[], false);
            (script, conduct)
        };
        let scripts = [(Side::Old, script(&stage.world.old)), (Side::New, script(&stage.world.new))];
        let routings_seen = stage.routing.since(0).len();
        let arn = stage.start_execution(machine.name, input).await?;
        Ok(Self {
            stage,
            clock,
            machine,
            main: Followed::new(&arn, machine.name, false),
            second: None,
            brought: Vec::new(),
            known: Vec::new(),
            transitions: 0,
            ended_at: None,
            watched_until: None,
            scripts: scripts.map(|(side, (script, conduct))| (side, script, conduct)),
            done: vec![false; stage.world.during.len()],
            approver: Approver::new(stage.world.approval, stage.world.decision),
            responder: Responder::new(stage.world.incident),
            before,
            moves: Vec::new(),
            routings_seen,
            told_users: Vec::new(),
            found,
        })
    }

    /// One look at everything; true when all has ended. What it finds is told in the order in which it happened.
    async fn look(&mut self, watch: &mut impl FnMut(Duration, &Happening)) -> Result<bool> {
        // Histories last: whatever they tell then is later than what the look before has told.
        self.see_moves();
        self.see_users();
        self.let_sides_behave().await?;
        self.do_to_the_run().await?;
        self.approve().await?;
        self.respond().await?;
        self.find_brought().await?;
        self.see_executions().await?;
        self.tell(watch);
        self.is_over()
    }

    /// Sides, and people, act at their time: what that depends on is looked at more often than what is only told.
    async fn until_the_next_look(&mut self) -> Result<()> {
        let next = Instant::now() + LOOK_INTERVAL;
        while Instant::now() < next {
            tokio::time::sleep(GLANCE_INTERVAL).await;
            self.let_sides_behave().await?;
            self.do_to_the_run().await?;
        }
        Ok(())
    }

    fn tell(&mut self, watch: &mut impl FnMut(Duration, &Happening)) {
        self.found.sort_by_key(|(at, _)| *at);
        for (at, happening) in self.found.drain(..) {
            watch(at, &happening);
        }
    }

    fn find(&mut self, happening: Happening) {
        self.found.push((self.clock.now(), happening));
    }

    async fn let_sides_behave(&mut self) -> Result<()> {
        let (now, percents) = (self.clock.now(), self.stage.new_percents());
        let end = self.decisive().and_then(|run| run.end.as_ref());
        let has_succeeded = end.is_some_and(|end| end.status == "SUCCEEDED");
        for (side, script, current) in &mut self.scripts {
            let conduct = script.conduct(now, &percents, has_succeeded);
            if conduct != *current {
                self.stage.behave(*side, &conduct, current).await?;
                self.found.push((now, Happening::Behaves(*side, conduct.clone())));
                *current = conduct;
            }
        }
        Ok(())
    }

    /// The execution whose end is the rehearsal's ending, once it has begun.
    fn decisive(&self) -> Option<&Followed> {
        [&self.main].into_iter().chain(&self.brought).find(|followed| followed.label == self.machine.decided_by)
    }

    /// The cutover that goes on, to which a person may do something.
    fn open_cutover(&self) -> Option<String> {
        self.decisive().filter(|run| run.label == CUTOVER && run.end.is_none()).map(|run| run.arn.clone())
    }

    async fn do_to_the_run(&mut self) -> Result<()> {
        let Some(run) = self.open_cutover() else { return Ok(()) };
        let percents = self.stage.new_percents();
        for (index, during) in self.stage.world.during.iter().enumerate() {
            if self.done[index] || !during.is_due(&percents) {
                continue;
            }
            self.done[index] = true;
            self.find(Happening::Did(during.act));
            match during.act {
                Act::StopExecution => follow::stop(&self.stage.client, &run).await?,
                Act::StartSecond => {
                    let arn = self.stage.start_execution(CUTOVER, &self.stage.plan).await?;
                    self.second = Some(Followed::new(&arn, "second", true));
                }
            }
        }
        Ok(())
    }

    async fn approve(&mut self) -> Result<()> {
        let plan = &self.stage.plan;
        let may_ask = !plan["approval"].is_null() || plan["monitoring"]["on_failure"] == "hold";
        if may_ask && self.open_cutover().is_some() {
            for asked in self.approver.look(&self.stage.client).await? {
                self.find(Happening::Answered(asked));
            }
        }
        Ok(())
    }

    async fn respond(&mut self) -> Result<()> {
        for incident in self.responder.look(&self.stage.client).await? {
            self.find(Happening::Acknowledged(incident));
        }
        Ok(())
    }

    /// What a followed execution told of when it ended, or what speaks of one.
    async fn find_brought(&mut self) -> Result<()> {
        for name in self.machine.brings {
            let followed: Vec<&Followed> = [&self.main].into_iter().chain(&self.brought).collect();
            let ids: Vec<String> = followed.iter().map(|followed| followed.arn.clone()).collect();
            let ends = followed.iter().filter_map(|followed| followed.end.as_ref());
            let mut found: Vec<String> = ends.flat_map(|end| end.told_executions(name)).collect();
            if let Some(machine) = self.stage.machine(name) {
                found.extend(follow::executions_about(&self.stage.client, machine, &ids, &mut self.known).await?);
            }
            for arn in found.into_iter().filter(|arn| !ids.contains(arn)) {
                self.brought.push(Followed::new(&arn, name, true));
            }
        }
        Ok(())
    }

    async fn see_executions(&mut self) -> Result<()> {
        for followed in [&mut self.main].into_iter().chain(&mut self.second).chain(&mut self.brought) {
            let (label, nested) = (followed.label.clone(), followed.nested);
            let was_running = followed.end.is_none();
            let told = followed.poll(&self.stage.client).await?;
            self.transitions += told.iter().filter(|(_, told)| matches!(told, Told::Entered(..))).count();
            let last = told.last().map_or(self.clock.now(), |(moment, _)| self.clock.at_epoch(*moment));
            for (moment, told) in told {
                self.found.push((self.clock.at_epoch(moment), Happening::Told(label.clone(), nested, told)));
            }
            if let Some(end) = followed.end.clone().filter(|_| was_running) {
                self.found.push((last, Happening::Ended(label, nested, end)));
            }
        }
        Ok(())
    }

    /// The plan's gates, with what the cutover's looks at them said.
    fn gates(&self) -> Vec<Gate> {
        let cutovers = [&self.main].into_iter().chain(&self.brought).filter(|followed| followed.label == CUTOVER);
        let looks = cutovers.flat_map(|followed| &followed.looks);
        let looks = looks.map(|(moment, answered)| (self.clock.at_epoch(*moment), answered.clone()));
        gates::gates(&self.stage.plan, &looks.collect::<Vec<_>>())
    }

    fn see_moves(&mut self) {
        for (moment, routing) in self.stage.routing.since(self.routings_seen) {
            self.routings_seen += 1;
            let at = self.clock.at(moment);
            for state in self.stage.moves(&routing, at) {
                let mut earlier = self.moves.iter().rev().chain(&self.before);
                let earlier = earlier.find(|earlier| earlier.route == state.route);
                if earlier.is_none_or(|earlier| earlier.destinations != state.destinations) {
                    self.found.push((at, Happening::Moved(state.clone())));
                    self.moves.push(state);
                }
            }
        }
    }

    fn see_users(&mut self) {
        let window = real(USERS_WINDOW, self.clock.speed()).max(USERS_WINDOW_REAL);
        let routes = self.stage.routes.iter().enumerate();
        let users: Vec<(String, Tally)> =
            routes.map(|(index, route)| (route.label.clone(), self.stage.ledger.last(index, window))).collect();
        if users.iter().all(|(_, tally)| tally.requests == 0) {
            return; // the first of them are still on their way
        }
        let mut pairs = users.iter().zip(&self.told_users);
        if self.told_users.is_empty() || pairs.any(|(now, told)| differs(&now.1, &told.1)) {
            let failures = self.stage.ledger.failures();
            self.find(Happening::Users(users.clone(), failures));
            self.told_users = users;
        }
    }

    /// After an ending of its own a cutover's rollback has ended too, but for the one that takes back what had succeeded: the world says how
    /// long that is watched for. Otherwise one is still to come: by event, or by the sweep. What succeeded without the execution that decides has still to show it.
    fn is_over(&mut self) -> Result<bool> {
        let mut followed = [&self.main].into_iter().chain(&self.second).chain(&self.brought);
        if followed.any(|followed| followed.end.is_none()) {
            return Ok(false);
        }
        let decisive = self.decisive();
        let end = decisive.and_then(|followed| followed.end.as_ref());
        let has_ending = end.is_some_and(|end| end.status == "SUCCEEDED" || end.cutover_error().is_some());
        let has_rollback = self.brought.iter().any(|followed| followed.label == ROLLBACK);
        let brings_rollback = self.machine.brings.contains(&ROLLBACK) && self.stage.machine(ROLLBACK).is_some();
        let has_failed_to_begin =
            decisive.is_none() && self.main.end.as_ref().is_some_and(|end| end.status != "SUCCEEDED");
        if has_failed_to_begin {
            bail!("the {} machine ended {}", self.main.label, self.main.end.as_ref().map_or("", |end| &end.status));
        }
        let is_over = has_ending || has_rollback || (decisive.is_some() && !brings_rollback);
        if is_over {
            let until = self.clock.now() + self.stage.world.watch_after_end;
            let until = *self.watched_until.get_or_insert(until);
            return Ok((has_rollback || self.clock.now() >= until) && !self.responder.waits());
        }
        let limit = real(ROLLBACK_LIMIT, self.clock.speed()) + ROLLBACK_LIMIT_REAL;
        if self.ended_at.get_or_insert_with(Instant::now).elapsed() > limit {
            bail!(
                "the execution ended and within {limit:?} nothing came of it that decides how: no {}",
                self.machine.decided_by
            );
        }
        Ok(false)
    }
}

/// Whether users would notice: a good part more or less on the new side, or failures that begin or cease.
fn differs(now: &Tally, told: &Tally) -> bool {
    let share = |tally: &Tally| tally.new_percent().unwrap_or(-20.0);
    let (a, b) = (share(now), share(told));
    let is_at_end = |share: f64| share == 0.0 || share == 100.0;
    (a - b).abs() >= 15.0 || (a != b && is_at_end(a)) || (now.failures > 0) != (told.failures > 0)
}
