//! What repeats of the bench: how many instructions a function takes for its init and two calls, and how large it is. No time is measured here.
//!
//!     cargo test --workspace --test figures -- --ignored two          # two functions
//!     cargo test --workspace --test figures -- --ignored all          # all that are measured
//!     UPDATE=1 cargo test --workspace --test figures -- --ignored all # writes figures.json anew
//!
//! Not in CI: the release build of the AWS crates and of one function each, whole-program optimised, takes longer than what CI has left.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use start_up::built::{self, Size};
use start_up::counted;
use start_up::endpoint::Authority;
use start_up::recorded::{FUNCTIONS, Recorded};

/// The smallest that changes something, and the one that is called most.
const TWO: [&str; 2] = ["weight-shift", "monitor"];
/// How far a count may be from what is written down, in percent.
const NEAR_PERCENT: f64 = 1.0;
/// How much larger a file may be than what is written down, in percent: paths of the machine that builds are in it.
const LARGER_PERCENT: f64 = 2.0;
/// Counts are those of a processor as valgrind has it: of one kind.
const COUNTED_ON: &str = "x86_64";

/// A function's figures.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Figures {
    instructions: u64,
    binary: u64,
    zip: u64,
}

type All = BTreeMap<String, Figures>;

fn read() -> Result<All> {
    let text = start_up::endpoint::read(&start_up::folder().join("figures.json"))?;
    serde_json::from_str(&text).context("figures.json is not as figures.rs says")
}

fn measure(functions: &[&str], written: &All) -> Result<BTreeMap<String, (Option<u64>, Size)>> {
    let is_counted = counted::is_possible() && std::env::consts::ARCH == COUNTED_ON;
    if !is_counted {
        // Not `eprintln!`: that is kept quiet in a test that passes.
        writeln!(
            std::io::stderr(),
            "instructions are not counted: it takes valgrind (apt-get install valgrind) and {COUNTED_ON}; sizes are looked at"
        )?;
    }
    let binaries = built::release(functions)?;
    let authority = Authority::new()?;
    let mut measured = BTreeMap::new();
    for &function in functions {
        let binary = binaries.join(function);
        let written = written.get(function).map(|figures| figures.instructions);
        let is_enough = |count| written.is_some_and(|written| near(count, written).is_none());
        let count = || counted::instructions(&binary, &Recorded::of(function)?, &authority, is_enough);
        let instructions = is_counted.then(count).transpose().with_context(|| function.to_owned())?;
        measured.insert(function.to_owned(), (instructions, Size::of(&binary)?));
    }
    Ok(measured)
}

/// What is wrong with a figure: pure.
#[expect(clippy::cast_precision_loss, reason = "percents of it")]
fn wrong(what: &str, seen: u64, written: u64, least_percent: f64, most_percent: f64) -> Option<String> {
    let percent = (seen as f64 / written as f64 - 1.0) * 100.0;
    let is_right = (least_percent..=most_percent).contains(&percent);
    (!is_right).then(|| format!("{what}: {seen}, and not {written} as in figures.json ({percent:+.1} %)"))
}

fn near(seen: u64, written: u64) -> Option<String> {
    wrong("instructions", seen, written, -NEAR_PERCENT, NEAR_PERCENT)
}

fn compare(functions: &[&str]) -> Result<()> {
    if std::env::var_os("UPDATE").is_some() {
        return write(&measure(functions, &All::new())?);
    }
    let all = read()?;
    let measured = measure(functions, &all)?;
    let mut problems = Vec::new();
    for (function, (instructions, size)) in &measured {
        let written = all.get(function).with_context(|| format!("figures.json has no {function}"))?;
        let near = |seen| near(seen, written.instructions);
        let larger = |what, seen, written| wrong(what, seen, written, -100.0, LARGER_PERCENT);
        let found = [
            instructions.and_then(near),
            larger("bytes of the binary", size.binary, written.binary),
            larger("bytes of the zip", size.zip, written.zip),
        ];
        problems.extend(found.into_iter().flatten().map(|problem| format!("{function}: {problem}")));
    }
    ensure!(
        problems.is_empty(),
        "{}\nIf it should be so: UPDATE=1 cargo test --workspace --test figures -- --ignored all. Where they are spent: callgrind_annotate \
         target/start-up/<function>.callgrind",
        problems.join("\n")
    );
    Ok(())
}

/// What is not measured now stays as it was.
fn write(measured: &BTreeMap<String, (Option<u64>, Size)>) -> Result<()> {
    let mut all = read().unwrap_or_default();
    for (function, (instructions, size)) in measured {
        let instructions = instructions.context("only where instructions are counted may they be written down")?;
        all.insert(function.clone(), Figures { instructions, binary: size.binary, zip: size.zip });
    }
    let text = serde_json::to_string_pretty(&all)? + "\n";
    fs::write(start_up::folder().join("figures.json"), text).context("cannot write figures.json")
}

#[test]
#[ignore = "a release build: minutes"]
fn instructions_and_sizes_of_two_functions_are_as_written_down() -> Result<()> {
    compare(&TWO)
}

#[test]
#[ignore = "a release build: many minutes"]
fn instructions_and_sizes_of_all_that_are_measured_are_as_written_down() -> Result<()> {
    compare(&FUNCTIONS)
}

#[test]
fn a_figure_that_is_off_is_told() {
    assert_eq!(wrong("instructions", 1_009, 1_000, -1.0, 1.0), None);
    assert!(wrong("instructions", 1_011, 1_000, -1.0, 1.0).is_some_and(|told| told.contains("+1.1 %")));
    assert!(wrong("instructions", 980, 1_000, -1.0, 1.0).is_some());
    assert_eq!(wrong("bytes", 1, 1_000, -100.0, 2.0), None);
}
