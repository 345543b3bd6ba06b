//! Round by round, everybody once, in an order that moves on: whatever else the machine does, it does to all.

use anyhow::{Context, Result, ensure};
use start_up::process::{Process, Sample};
use start_up::quota::Quota;

use crate::contestants::Contestant;

/// The samples of one contestant, one for each round.
pub type Samples = Vec<Sample>;

/// Measures so many rounds, after one that warms the machine's caches, and that shows whether all work.
pub fn measure(all: &[Contestant], rounds: usize, warm: usize, quota: Option<&Quota>) -> Result<Vec<Samples>> {
    let mut samples: Vec<Samples> = vec![Vec::with_capacity(rounds); all.len()];
    for round in 0..=rounds {
        for place in 0..all.len() {
            let at = (place + round) % all.len();
            let sample = once(&all[at], warm, quota).with_context(|| all[at].name())?;
            if round > 0 {
                samples[at].push(sample);
            }
        }
        eprint!(".");
    }
    eprintln!();
    Ok(samples)
}

fn once(contestant: &Contestant, warm: usize, quota: Option<&Quota>) -> Result<Sample> {
    let process = Process::start(&contestant.program, contestant.endpoint.as_ref())?;
    let (sample, answer) = process.measure(&contestant.program.event, warm, quota)?;
    let unknown = contestant.endpoint.as_ref().map(|endpoint| endpoint.unknown()).unwrap_or_default();
    ensure!(unknown.is_empty(), "it asks what was not recorded, {unknown:?}, and answers {answer:?}");
    Ok(sample)
}
