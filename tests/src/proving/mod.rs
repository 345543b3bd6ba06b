//! `cargo prove`: plans run on an environment in the user's own account, judged as the faults are, and what AWS answers compared with what the
//! emulated AWS answered.
//!
//! Contract: nothing here needs more than AWS's public API. [`aws`] makes the calls and notes the shapes of their answers ([`shape`]), [`ground`] finds the stacks,
//! [`probes`] asks what AWS refuses, [`play`] takes a [`trial`] through its [`run`] and judges the [`state`] that it leaves, [`reset`] puts the ground back,
//! [`report`] tells, without the [`names`] of whoever tried. `answers.json` is what the emulated AWS answered (`UPDATE=1` and the suite `proving`).

pub mod aws;
pub mod ground;
pub mod names;
pub mod play;
pub mod probes;
pub mod report;
pub mod reset;
pub mod run;
pub mod shape;
pub mod state;
pub mod trial;

use std::time::Duration;

use anyhow::{Context, Result};

use aws::Aws;
use ground::Ground;
use play::Played;
use report::Report;
use shape::Answers;
use trial::Trial;

/// What the emulated AWS answered to the same calls.
const EMULATED: &str = include_str!("answers.json");

/// What the emulated AWS answered, as it was recorded.
///
/// # Errors
/// The record cannot be read.
pub fn emulated() -> Result<Answers> {
    serde_json::from_str(EMULATED).context("tests/src/proving/answers.json")
}

/// Plays the trials one after the other, and compares. `say` is told what happens: the trial, the time since its start, and what. A trial that breaks
/// down is told of as one whose promise was not kept, and the next one is played.
///
/// # Errors
/// AWS was not reached, or the ground is not there.
pub async fn prove(
    aws: &Aws,
    ground: &Ground,
    trials: &[Trial],
    look: Duration,
    mut say: impl FnMut(Trial, Duration, &str),
) -> Result<Report> {
    reset::take_back(aws, ground, look).await?;
    reset::reset(aws, ground).await?;
    probes::ask(aws, ground).await?;
    let mut played = Vec::new();
    for trial in trials {
        let one = play::play(aws, ground, *trial, look, |at, what| say(*trial, at, what)).await;
        played.push(one.unwrap_or_else(|error| Played {
            trial: *trial,
            ended: None,
            end: "broken".to_owned(),
            cause: String::new(),
            violations: vec![format!("could not be judged: {error:#}")],
            seconds: 0.0,
        }));
        reset::undo_act(aws, ground).await?;
    }
    run::read_list(aws, ground).await?;
    Ok(Report::new(played, aws.answers(), &emulated()?, &ground.names()))
}
