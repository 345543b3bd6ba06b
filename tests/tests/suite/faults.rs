//! Nothing leaves a mixture: each operation of a run is met by each fault, and what is left is checked.
//!
//! A case that is broken is played once more, alone: a machine too busy for its emulated AWS breaks a case, too. What is broken
//! twice fails the test; the first is printed.
//!
//! This is the quick set. The full one, each request with each fault, is `cargo rehearse --faults all`; its last results lie in
//! `tests/faults.md`.

use std::collections::BTreeSet;

use crate::accounts;
use crate::harness::{self, Test, asynchronous};
use anyhow::{Result, ensure};
use clap::ValueEnum;
use cutover_tests::faults::campaign::{self, Judged, Selection};
use cutover_tests::faults::case::Fault;
use cutover_tests::faults::report;
use cutover_tests::faults::shape::Shape;

/// A run varies a little: how often it looks depends on the machine.
const MOST_MISSED_PERCENT: usize = 5;

async fn each_operation_with_each_fault_leaves_no_mixture() -> Result<()> {
    let options = accounts::options()?;
    let judged =
        campaign::run(&options, Shape::of_every_request(), &Selection::Quick, harness::seats(), |_| {}).await?;
    println!("{}\n{}", report::by_state(&judged), report::counts(&judged, "fault", |one| one.case.fault.name()));

    let broken: Vec<&Judged> = judged.iter().filter(|one| one.is_broken()).collect();
    println!("{} of {} cases are broken\n{}", broken.len(), judged.len(), said(&broken));
    if !broken.is_empty() {
        let names = Selection::Named(broken.iter().map(|one| one.case.id()).collect());
        let again = campaign::run(&options, Shape::of_every_request(), &names, 1, |_| {}).await?;
        let again: Vec<&Judged> = again.iter().filter(|one| one.is_broken()).collect();
        ensure!(again.is_empty(), "{} cases are broken twice:\n{}", again.len(), said(&again));
    }
    let hit: BTreeSet<Fault> = judged.iter().filter(|one| one.played.is_hit).map(|one| one.case.fault).collect();
    ensure!(hit.len() == Fault::value_variants().len(), "only these faults came to pass: {hit:?}");
    // What was not asked before the last change has no answer from before it.
    let should_hit = |one: &&Judged| one.case.fault != Fault::Stale && !one.played.is_hit;
    let missed: Vec<String> = judged.iter().filter(should_hit).map(|one| one.case.id()).collect();
    ensure!(missed.len() * 100 <= judged.len() * MOST_MISSED_PERCENT, "nothing was hit: {}", missed.join(", "));
    Ok(())
}

fn said(broken: &[&Judged]) -> String {
    let said = |one: &&Judged| {
        format!("{}: {:?}\n  again: {}", one.case.id(), one.played.violations, report::replay(None, one))
    };
    broken.iter().map(said).collect::<Vec<_>>().join("\n")
}

/// What is run.
pub fn tests() -> Vec<Test> {
    asynchronous![each_operation_with_each_fault_leaves_no_mixture].into_iter().map(Test::alone).collect()
}
