//! Nothing leaves a mixture: each operation of a run is met by each fault, and what is left is checked.
//!
//! This is the quick set. The full one, every request with every fault on every shape of route, is
//! `cargo rehearse --faults all`; its last result lies in `tests/faults.md`.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use cutover_tests::emulator::Options;
use cutover_tests::faults::campaign::{self, Judged, Selection};
use cutover_tests::faults::case::Fault;
use cutover_tests::faults::report;
use cutover_tests::faults::shape::Shape;

/// Between them they have every kind of request.
const SHAPES: [&str; 3] = ["whole", "rule", "checked"];
const FIELDS: usize = 6;

#[tokio::test]
async fn each_operation_with_each_fault_leaves_no_mixture() -> Result<()> {
    let options = Options::of_this_build(1.0)?;
    let shapes = Shape::all().into_iter().filter(|shape| SHAPES.contains(&shape.name.as_str())).collect();
    let judged = campaign::run(&options, shapes, &Selection::Quick, FIELDS, |_| {}).await?;
    println!("{}\n{}", report::by_state(&judged), report::counts(&judged, "fault", |one| one.case.fault.name()));

    let broken: Vec<String> = judged.iter().filter(|one| one.is_broken()).map(said).collect();
    ensure!(broken.is_empty(), "{} of {} cases:\n{}", broken.len(), judged.len(), broken.join("\n"));
    let hit: BTreeSet<Fault> = judged.iter().filter(|one| one.played.is_hit).map(|one| one.case.fault).collect();
    ensure!(hit.len() == Fault::value_variants().len(), "only these faults came to pass: {hit:?}");
    Ok(())
}

fn said(one: &Judged) -> String {
    format!("{}: {:?}\n  again: {}", one.case.id(), one.played.violations, report::replay(None, one))
}
