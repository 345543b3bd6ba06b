//! A broken product is caught: each patch of `tests/mutants/` breaks the promise in another way, and the quick set of faults
//! of `cargo test` must say so. Ignored by default, since each one builds functions of its own; that they still apply is always
//! tested.
//!
//! `cargo test --workspace --test suite mutants:: -- --ignored`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{self, Test, asynchronous, synchronous};
use anyhow::{Context, Result, ensure};
use cutover_tests::emulator::Options;
use cutover_tests::faults::campaign::{self, Judged, Selection};
use cutover_tests::faults::shape::Shape;
use cutover_tests::setup::{self, Checkout};

/// What a build needs, and what is deployed.
const COPIED: [&str; 7] =
    ["Cargo.toml", "Cargo.lock", ".cargo", "rust-toolchain.toml", "functions", "statemachine", "tests"];

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

/// A copy of this checkout, with a patch.
fn patched(checkout: &Checkout, name: &str) -> Result<PathBuf> {
    let root = checkout.target.join("mutants").join(name);
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("cannot remove {}", root.display()))?;
    }
    fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
    run(Command::new("cp").arg("-R").args(COPIED.map(|part| checkout.root.join(part))).arg(&root))?;
    let patch = checkout.root.join(format!("tests/mutants/{name}.patch"));
    run(Command::new("patch").args(["--quiet", "--strip", "1", "--directory"]).arg(&root).arg("--input").arg(patch))?;
    Ok(root)
}

fn build(root: &Path, target: &Path) -> Result<()> {
    let args = ["build", "--workspace", "--exclude", "cutover-tests", "--bins", "--lib"];
    run(Command::new("cargo").args(args).current_dir(root).env("CARGO_TARGET_DIR", target))
}

/// What the quick set finds in a mutant.
async fn broken_promises(name: &str) -> Result<Vec<Judged>> {
    let checkout = Checkout::of_this_build();
    let python = setup::python_environment(&checkout)?;
    let target = checkout.target.join("mutants/build");
    let root = patched(&checkout, name)?;
    build(&root, &target)?;
    let checkout = Checkout { root, target };
    let definitions = setup::definitions(&checkout)?;
    let options = Options { checkout, definitions, python, port: 0, speed: 1.0, template: None };
    let judged =
        campaign::run(&options, Shape::of_every_request(), &Selection::Quick, harness::seats(), |_| {}).await?;
    let cases = judged.len();
    let broken: Vec<Judged> = judged.into_iter().filter(Judged::is_broken).collect();
    println!("{name}: {} of {cases} cases break the promise", broken.len());
    for one in broken.iter().take(3) {
        println!("  {}: {}", one.case.id(), one.played.violations.join("; "));
    }
    Ok(broken)
}

fn the_patches_still_apply() -> Result<()> {
    let root = Checkout::of_this_build().root;
    for file in fs::read_dir(root.join("tests/mutants")).context("no patches")? {
        let path = file.context("no patch")?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            run(Command::new("git").args(["apply", "--check"]).arg(path).current_dir(&root))?;
        }
    }
    Ok(())
}

async fn a_rollback_that_skips_names_is_caught() -> Result<()> {
    // Not even the run without a fault can be rolled back.
    let caught = broken_promises("rollback-skips-dns").await;
    let error = caught.err().context("the clean run was rolled back")?;
    ensure!(format!("{error:#}").contains("not as it was"), "{error:#}");
    Ok(())
}

async fn a_claim_after_the_swap_is_caught() -> Result<()> {
    let broken = broken_promises("claim-after-the-swap").await?;
    let is_seen = |one: &Judged| one.played.violations.iter().any(|sentence| sentence.contains("holds no locks"));
    ensure!(broken.iter().any(is_seen), "nobody missed the locks");
    Ok(())
}

async fn an_undo_that_does_not_compare_is_caught() -> Result<()> {
    let broken = broken_promises("undo-without-compare").await?;
    ensure!(broken.iter().any(|one| one.case.fault.is_drift()), "no foreign change was missed");
    Ok(())
}

async fn a_step_that_does_not_compare_is_caught() -> Result<()> {
    let broken = broken_promises("step-without-compare").await?;
    ensure!(broken.iter().any(|one| one.case.fault.is_drift()), "no foreign change was missed");
    Ok(())
}

async fn writers_that_stay_stopped_are_missed() -> Result<()> {
    // Not even the run without a fault is turned back as it should be.
    let error = broken_promises("writers-stay-stopped").await.err().context("the clean run was turned back")?;
    ensure!(format!("{error:#}").contains("ends Stuck, not Before"), "{error:#}");
    Ok(())
}

/// What is run.
pub fn tests() -> Vec<Test> {
    let with_builds = asynchronous![
        a_rollback_that_skips_names_is_caught,
        a_claim_after_the_swap_is_caught,
        an_undo_that_does_not_compare_is_caught,
        a_step_that_does_not_compare_is_caught,
        writers_that_stay_stopped_are_missed,
    ];
    let ignored = with_builds.into_iter().map(|test| test.alone().ignored());
    synchronous![the_patches_still_apply].into_iter().chain(ignored).collect()
}
