//! A broken product is caught: each patch of `tests/mutants/` breaks the promise in another way, and the quick set of faults
//! of `cargo test` must say so; each of `tests/mutants/guards/` takes one guard out, and the tests that it names must fail.
//! Ignored by default, since each one builds functions of its own; that they still apply is always tested.
//!
//! `cargo test --workspace --test suite mutants:: -- --ignored`, and what came of it: `tests/mutants.md`.

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

/// A copy of this checkout. What is older than the last build stays older: cargo builds what differs.
fn copy(checkout: &Checkout, name: &str, parts: &[&str]) -> Result<PathBuf> {
    let root = checkout.target.join("mutants").join(name);
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("cannot remove {}", root.display()))?;
    }
    fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;
    let parts = parts.iter().map(|part| checkout.root.join(part)).filter(|part| part.exists());
    run(Command::new("cp").args(["-R", "--preserve=timestamps"]).args(parts).arg(&root))?;
    Ok(root)
}

/// A copy of this checkout, with a patch.
fn patched(checkout: &Checkout, name: &str) -> Result<PathBuf> {
    let root = copy(checkout, name, &COPIED)?;
    let patch = checkout.root.join(format!("tests/mutants/{name}.patch"));
    apply(&root, &patch, &[])?;
    Ok(root)
}

fn apply(root: &Path, patch: &Path, options: &[&str]) -> Result<()> {
    let mut command = Command::new("patch");
    command.args(["--quiet", "--strip", "1", "--directory"]).arg(root).arg("--input").arg(patch);
    run(command.args(options))
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
    let options = Options {
        checkout,
        definitions,
        python,
        port: 0,
        speed: 1.0,
        template: None,
        stakeholders: None,
        answers: false,
    };
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

/// The patches of a folder, in the order of their names.
fn patches(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no patches in {}", folder.display()))?;
    let paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let mut patches: Vec<PathBuf> =
        paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "patch")).collect();
    patches.sort();
    ensure!(!patches.is_empty(), "no patches in {}", folder.display());
    Ok(patches)
}

fn guards(checkout: &Checkout) -> PathBuf {
    checkout.root.join("tests/mutants/guards")
}

fn the_patches_still_apply() -> Result<()> {
    let checkout = Checkout::of_this_build();
    for folder in [checkout.root.join("tests/mutants"), guards(&checkout)] {
        for patch in patches(&folder)? {
            run(Command::new("git").args(["apply", "--check"]).arg(&patch).current_dir(&checkout.root))?;
        }
    }
    for patch in patches(&guards(&checkout))? {
        Catcher::of(&patch)?;
    }
    Ok(())
}

/// Which tests a mutant of a guard must make fail.
#[derive(Debug, PartialEq)]
struct Catcher {
    /// `--lib`, or `--test suite`.
    target: &'static [&'static str],
    /// A part of their names.
    filter: String,
}

impl Catcher {
    /// What a patch says, in its line `Caught by: lib ...` or `Caught by: suite ...`.
    fn of(patch: &Path) -> Result<Self> {
        let text = fs::read_to_string(patch).with_context(|| format!("cannot read {}", patch.display()))?;
        let named = text.lines().find_map(|line| line.strip_prefix("Caught by: "));
        let (kind, filter) = named.and_then(|named| named.split_once(' ')).with_context(|| {
            format!("{} does not say `Caught by: lib FILTER` or `Caught by: suite FILTER`", patch.display())
        })?;
        let target: &[&str] = match kind {
            "lib" => &["--lib"],
            "suite" => &["--test", "suite"],
            _ => anyhow::bail!("{}: {kind} is neither lib nor suite", patch.display()),
        };
        Ok(Self { target, filter: filter.to_owned() })
    }

    /// Whether the tests fail in a copy: those that it names, and not the compiler.
    fn catches(&self, root: &Path, target: &Path) -> Result<bool> {
        let cargo = |more: &[&str]| {
            let mut command = Command::new("cargo");
            command.args(["test", "--workspace", "--no-fail-fast"]).args(self.target).args(more);
            command.current_dir(root).env("CARGO_TARGET_DIR", target).env("CARGO_INCREMENTAL", "0");
            command
        };
        run(&mut cargo(&["--no-run", "--quiet"])).context("the mutant does not compile")?;
        let output = cargo(&[&self.filter]).output().context("cannot run cargo")?;
        let told = String::from_utf8_lossy(&output.stdout);
        let count =
            |verdict: &str| told.lines().filter(|line| line.starts_with("test ") && line.ends_with(verdict)).count();
        ensure!(count("ok") + count("FAILED") > 0, "no test is called {}", self.filter);
        Ok(count("FAILED") > 0)
    }
}

/// `GUARDS=part-of-a-name` tries some of them only. They share a copy, so that each builds only what it changes.
fn no_guard_is_taken_out_unseen() -> Result<()> {
    let checkout = Checkout::of_this_build();
    let wanted = std::env::var_os("GUARDS").unwrap_or_default();
    let root = copy(&checkout, "guards", &[&COPIED[..], &["infra", "events", "README.md"]].concat())?;
    let mut unseen = Vec::new();
    for patch in patches(&guards(&checkout))? {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !name.contains(&*wanted.to_string_lossy()) {
            continue;
        }
        apply(&root, &patch, &[])?;
        let caught = Catcher::of(&patch)?.catches(&root, &checkout.target.join("mutants/build"));
        apply(&root, &patch, &["--reverse"])?;
        println!("{name}: {caught:?}");
        if !matches!(caught, Ok(true)) {
            unseen.push(format!("{name}: {caught:?}"));
        }
    }
    ensure!(unseen.is_empty(), "taken out unseen:\n{}", unseen.join("\n"));
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
    let ignored =
        with_builds.into_iter().chain(synchronous![no_guard_is_taken_out_unseen]).map(|test| test.alone().ignored());
    synchronous![the_patches_still_apply].into_iter().chain(ignored).collect()
}
