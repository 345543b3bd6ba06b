//! One trial: its run started, followed, hit, and judged.
//!
//! Contract: [`play`] begins and ends with the ground as it was deployed. It judges by `faults::check` and `faults::finished`, as the faults are judged, of what
//! [`super::state`] and [`super::run`] see; nobody sends users here, so that nothing is said of them. A stuck run is put right by its page's commands,
//! and a finished one is taken back by a person, and both are judged too. Errors are those of AWS; what is wrong with the run is in [`Played`].

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::aws::Aws;
use super::ground::Ground;
use super::reset::{act, reset, take_back, undo_act};
use super::trial::Trial;
use super::{run, state};
use crate::compare::differences;
use crate::control::{Message, Routing};
use crate::faults::by_hand::{Typed, call_of};
use crate::faults::check::{self, Ended};
use crate::faults::finished;
use crate::faults::left::{Change, Journal, Left, is_of};
use crate::faults::page::{commands, page};
use crate::follow::End;
use crate::routes::{Route, Sides, routes};

/// What the account shows late: that a group is no longer used, and how healthy it is.
const LATE: [&str; 2] = [".LoadBalancerArns", ".TargetHealth"];
/// How long it may take to, and messages to come.
const SETTLE_LIMIT: Duration = Duration::from_secs(300);
const MESSAGES_LIMIT: Duration = Duration::from_secs(60);
const TURNED_PERCENT: f64 = 25.0;

/// What came of a trial.
#[derive(Clone, Debug)]
pub struct Played {
    /// Which one.
    pub trial: Trial,
    /// How the account, the journal and the execution say that it ended.
    pub ended: Option<Ended>,
    /// Status of the execution, with the error's name.
    pub end: String,
    /// The error's cause.
    pub cause: String,
    /// What is wrong; empty if the promise was kept.
    pub violations: Vec<String>,
    /// In real time.
    pub seconds: f64,
}

/// A run that is looked at.
struct Scene<'a> {
    aws: &'a Aws,
    ground: &'a Ground,
    trial: Trial,
    look: Duration,
    plan: Value,
    routes: Vec<Route>,
    sides: Sides,
    before: Value,
    run_id: String,
    started: Instant,
    routings: Vec<Routing>,
}

/// Plays it; `say` is told what happens, with the time since its start.
///
/// # Errors
/// AWS errors, and a run that does not end.
pub async fn play(
    aws: &Aws,
    ground: &Ground,
    trial: Trial,
    look: Duration,
    mut say: impl FnMut(Duration, &str),
) -> Result<Played> {
    take_back(aws, ground, look).await?;
    reset(aws, ground).await?;
    run::heard(aws, ground, 0).await?;
    let plan = trial.plan(ground);
    let before = settled(aws, ground, None, look).await?;
    let run_id = run::start(aws, &ground.cutover, &trial.name(), &plan).await?;
    let mut scene = Scene {
        aws,
        ground,
        trial,
        look,
        routes: routes(&plan),
        sides: ground.sides(),
        plan,
        before,
        run_id,
        started: Instant::now(),
        routings: Vec::new(),
    };
    scene.follow(&mut say).await?;
    let played = scene.judge(&mut say).await?;
    // A closed run is not taken back.
    reset(aws, ground).await?;
    Ok(played)
}

/// The ground, once what it shows late is as it was before, or clearly will not be.
async fn settled(aws: &Aws, ground: &Ground, before: Option<&Value>, look: Duration) -> Result<Value> {
    let started = Instant::now();
    loop {
        let account = state::read(aws, ground).await?;
        let is_late = |line: &String| LATE.iter().any(|late| line.contains(late));
        let is_settled = match before {
            Some(before) => !differences(before, &account).iter().any(is_late),
            // Before a run the new group serves nobody, and the old one is well.
            None => {
                let groups = &account["elbv2"]["target_groups"];
                let state = |arn: &str| groups[arn]["TargetHealth"][0]["TargetHealth"]["State"].clone();
                state(&ground.old_group) == "healthy" && state(&ground.new_group) == "unused"
            }
        };
        if is_settled || started.elapsed() > SETTLE_LIMIT {
            return Ok(account);
        }
        tokio::time::sleep(look).await;
    }
}

impl Scene<'_> {
    fn closes(&self) -> bool {
        self.trial == Trial::Cleanup
    }

    async fn follow(&mut self, say: &mut impl FnMut(Duration, &str)) -> Result<()> {
        let mut act_is_due = self.trial.act();
        let mut told = BTreeSet::new();
        loop {
            let routing = state::routing(self.aws, self.ground).await?;
            let percents: Vec<f64> = self.routes.iter().map(|route| route.new_percent(&routing, &self.sides)).collect();
            if self.routings.last() != Some(&routing) {
                self.routings.push(routing);
            }
            if let Some(due) = act_is_due.filter(|_| percents[0] + 0.5 >= TURNED_PERCENT) {
                act_is_due = None;
                say(self.started.elapsed(), due.told());
                act(self.aws, self.ground, due, &self.run_id).await?;
            }
            let line = self.line(&percents).await?;
            // A hold goes back and forth between a few states.
            if told.insert(line.clone()) {
                say(self.started.elapsed(), &line);
            }
            if run::is_over(self.aws, self.ground, &self.run_id, self.closes()).await? {
                return Ok(());
            }
            if self.started.elapsed() > run::LIMIT {
                bail!("the run {} has not come to its end within {:?}", self.run_id, run::LIMIT);
            }
            tokio::time::sleep(self.look).await;
        }
    }

    async fn line(&self, percents: &[f64]) -> Result<String> {
        let state = run::state(self.aws, &self.run_id).await?.unwrap_or_default();
        let labels = ["listener", "name"];
        let shares: Vec<String> =
            labels.iter().zip(percents).map(|(label, percent)| format!("{label} {percent:.0} %")).collect();
        Ok(format!("{state}: new side of {}", shares.join(", ")))
    }

    async fn judge(&self, say: &mut impl FnMut(Duration, &str)) -> Result<Played> {
        let (aws, ground, case) = (self.aws, self.ground, self.trial.case());
        let end = run::end_of(aws, &self.run_id).await?;
        run::read_history(aws, &self.run_id).await?;
        let is_back = run::phase(aws, ground, &self.run_id).await?.as_deref() == Some("rolled_back");
        let after = match is_back {
            true => settled(aws, ground, Some(&self.before), self.look).await?,
            false => state::read(aws, ground).await?,
        };
        let left = self.left(end.clone(), after).await?;
        let ended = check::ended(&left, case.as_ref()).ok();
        let mut violations = check::violations(&left, case.as_ref(), &self.routes, None);
        let phase = left.journal.phase();
        if (ended, phase) != (Some(self.trial.ending()), Some(self.trial.phase())) {
            let wanted = (self.trial.ending(), self.trial.phase());
            violations.push(format!("the run should have ended {wanted:?}, and it has {ended:?}, in phase {phase:?}"));
        }
        match ended {
            Some(Ended::New) => {
                violations.extend(finished::problems(&left, &self.plan, &self.routes, &self.sides));
                if !self.closes() {
                    say(
                        self.started.elapsed(),
                        "a person takes it back (the machine rollback, by the application's name)",
                    );
                    violations.extend(self.taken_back().await?);
                }
            }
            Some(Ended::Stuck) => {
                say(
                    self.started.elapsed(),
                    "what was denied is allowed again, and the commands of the page are typed in",
                );
                violations.extend(self.put_right(&left).await?);
            }
            _ => {}
        }
        let text = |field: fn(&End) -> Option<&String>| end.as_ref().and_then(field).cloned().unwrap_or_default();
        let status = end.as_ref().map(|end| end.status.clone()).unwrap_or_default();
        Ok(Played {
            trial: self.trial,
            ended,
            end: format!("{status} {}", text(|end| end.error.as_ref())).trim_end().to_owned(),
            cause: text(|end| end.cause.as_ref()),
            violations,
            seconds: self.started.elapsed().as_secs_f64(),
        })
    }

    async fn left(&self, end: Option<End>, after: Value) -> Result<Left> {
        let items = run::items(self.aws, self.ground, &self.run_id).await?;
        let routing = state::routing(self.aws, self.ground).await?;
        let change = |line: String| Change { route: self.routes.iter().position(|route| is_of(route, &line)), line };
        Ok(Left {
            end,
            changes: differences(&self.before, &after).into_iter().map(change).collect(),
            before: self.before.clone(),
            after,
            new_percents: self.routes.iter().map(|route| route.new_percent(&routing, &self.sides)).collect(),
            routings: self.routings.clone(),
            journal: Journal::of(&items, &self.run_id),
            messages: self.messages().await?,
            hooks: vec![],
            running: vec![],
            second: None,
            users: None,
        })
    }

    /// What was told; of a stuck run until its page has come.
    async fn messages(&self) -> Result<Vec<Message>> {
        let started = Instant::now();
        let mut messages = run::heard(self.aws, self.ground, 0).await?;
        while self.trial.ending() == Ended::Stuck && page(&messages).is_none() && started.elapsed() < MESSAGES_LIMIT {
            messages.extend(run::heard(self.aws, self.ground, 1).await?);
        }
        Ok(messages)
    }

    /// Does what the page says: then everything must be as it was, and another rollback has nothing left to do.
    async fn put_right(&self, left: &Left) -> Result<Vec<String>> {
        let Some(page) = page(&left.messages) else { return Ok(vec![]) };
        undo_act(self.aws, self.ground).await?;
        for command in commands(page) {
            let Typed { service, operation, parameters, .. } = call_of(command)?;
            let done = self.aws.call(&service, &operation, parameters).await;
            done.with_context(|| format!("by hand: {command}"))?;
        }
        let account = settled(self.aws, self.ground, Some(&self.before), self.look).await?;
        let mut wrong = check::after_by_hand(left, &account);
        wrong.extend(self.taken_back().await?);
        Ok(wrong)
    }

    /// A person's rollback, and everything as it was.
    async fn taken_back(&self) -> Result<Vec<String>> {
        if let Err(error) = run::roll_back(self.aws, self.ground, &self.run_id, self.look).await {
            return Ok(vec![format!("{error:#}")]);
        }
        let account = settled(self.aws, self.ground, Some(&self.before), self.look).await?;
        let differences = differences(&self.before, &account);
        Ok(differences.iter().map(|line| format!("after a rollback by a person: {line}")).collect())
    }
}
