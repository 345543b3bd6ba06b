//! Each gate of a plan made to fail once: does it turn the run back?
//!
//! Contract: [`trials`] says, for each gate, how the new side is made bad in just that way ([`Ill`]), from the first traffic on
//! that it gets; [`run`] rehearses all of them, and once the plan with a good new side, on several emulated AWSs at once. A gate
//! has caught something if the run did not succeed and the look that ended it names the gate. What of a metric nobody publishes
//! here (no load balancer's, no replication's), the rehearsal publishes itself: a good value, and then a bad one. A dead gate of
//! a load balancer gets none, so that it shows.

mod page;
mod proof;
mod trial;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::emulator::{Emulator, Options};
use crate::gates;
use crate::locked;
use crate::machines::Machine;
use crate::outcome::Outcome;
use crate::own::OwnNames;
use crate::run::rehearse;
use crate::stage::Stage;
use crate::world::World;

pub use page::page;
use proof::proof;
pub use proof::{CAUGHT_NOTHING, Proof, Proofs};
pub use trial::{Ill, Trial, trials};
use trial::{calm, values_of_nobody};

const GLANCE_INTERVAL: Duration = Duration::from_millis(50);

/// Rehearses the plan with a good new side, and with each gate's trouble, on `fields` emulated AWSs at once, at the options'
/// speed. `watch` is told of each that is over.
pub async fn run(
    options: &Options,
    plan: &Value,
    world: &Value,
    fields: usize,
    mut watch: impl FnMut(&str),
) -> Result<Proofs> {
    let trials = trials(plan);
    let jobs: VecDeque<Option<usize>> = [None]
        .into_iter()
        .chain(trials.iter().enumerate().filter(|(_, trial)| trial.ill.is_some()).map(|(index, _)| Some(index)))
        .collect();
    let fields = fields.clamp(1, jobs.len());
    let shared = Arc::new(Work { plan: plan.clone(), world: world.clone(), trials, jobs: Mutex::new(jobs) });
    let (sender, mut done) = mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    for _ in 0..fields {
        workers.spawn(work(options.clone(), shared.clone(), sender.clone()));
    }
    drop(sender);
    let mut proofs: Vec<Proof> = shared.trials.iter().map(Proof::not_tried).collect();
    let mut without_trouble = None;
    while let Some((job, outcome, own)) = done.recv().await {
        match job {
            Some(index) => {
                proofs[index] = proof(&shared.trials[index], &outcome, &own);
                watch(&proofs[index].gate);
            }
            None => {
                watch("without trouble");
                without_trouble = Some((outcome, own));
            }
        }
    }
    while let Some(ended) = workers.join_next().await {
        ended.context("a trial broke down")??;
    }
    let (without_trouble, own) = without_trouble.context("the plan was not rehearsed without trouble")?;
    Ok(Proofs::of(&without_trouble, &own, proofs, options.speed))
}

struct Work {
    plan: Value,
    world: Value,
    trials: Vec<Trial>,
    jobs: Mutex<VecDeque<Option<usize>>>,
}

/// What became of a job, with the user's names for what stands in it.
type Done = (Option<usize>, Outcome, OwnNames);

async fn work(options: Options, work: Arc<Work>, sender: mpsc::UnboundedSender<Done>) -> Result<()> {
    let emulator = Emulator::start(&options).await?;
    let next = || locked(&work.jobs).pop_front();
    while let Some(job) = next() {
        let trial = job.map(|index| &work.trials[index]);
        let name = trial.map_or("without trouble", |trial| &trial.gate.name);
        let (outcome, own) =
            play(&emulator, &work, trial, options.speed).await.with_context(|| format!("the trial of {name}"))?;
        // Nobody listens any more when all is given up.
        let _ = sender.send((job, outcome, own));
        emulator.client().clear().await?;
    }
    emulator.stop().await
}

async fn play(emulator: &Emulator, work: &Work, trial: Option<&Trial>, speed: f64) -> Result<(Outcome, OwnNames)> {
    let world = match trial {
        Some(trial) => trial.world(&work.world)?,
        None => World::from_json(calm(&work.world))?,
    };
    let stage = Stage::set(emulator.client(), emulator.ready(), &work.plan, world, speed).await?;
    let own = OwnNames::new(&stage.mapping);
    emulator.client().keep_steady(&values_of_nobody(&stage.plan, None)).await?;
    let rehearsal = rehearse(&stage, Machine::cutover(), None, |_, _| {});
    let Some(trial) = trial else { return Ok((rehearsal.await?, own)) };
    let made_bad = async {
        make_bad(&stage, trial).await?;
        std::future::pending::<Result<Outcome>>().await
    };
    let outcome = tokio::select! {
        outcome = rehearsal => outcome,
        error = made_bad => error,
    }?;
    Ok((outcome, own))
}

/// What is no behaviour of the side itself happens once its route has the weight.
async fn make_bad(stage: &Stage, trial: &Trial) -> Result<()> {
    if !matches!(trial.ill, Some(Ill::Alarm | Ill::Value)) {
        return Ok(());
    }
    let has_weight = || stage.new_percents().get(trial.route).is_some_and(|percent| percent + 0.25 >= trial.weight);
    while !has_weight() {
        tokio::time::sleep(GLANCE_INTERVAL).await;
    }
    // By its place: names of alarms are others in the emulated environment.
    let gates = gates::gates(&stage.plan, &[]);
    let gate =
        gates.iter().find(|gate| gate.path == trial.gate.path).context("the gate is not in the plan as it runs")?;
    if trial.ill == Some(Ill::Value) {
        return stage.client.keep_steady(&values_of_nobody(&stage.plan, Some(&gate.name))).await.map(drop);
    }
    let alarm = json!({ "AlarmName": gate.planned, "StateValue": "ALARM", "StateReason": "the gate is proved" });
    stage.client.call("cloudwatch", "set_alarm_state", alarm).await.map(drop)
}
