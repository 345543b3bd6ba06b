//! The bench of start-up: functions as they are deployed, beside hello world, the same built by every default, and Python.
//!
//!     cargo bench --package start-up                      # 30 rounds, then 10 under each quota; a quarter of an hour
//!     cargo bench --package start-up -- --rounds 5        # rougher
//!     cargo bench --package start-up -- --without naive   # hello, cutover, naive, boto3, or a function
//!     UPDATE=1 cargo bench --package start-up             # writes tests/start-up.md and its picture, too
//!
//! Needs Rust, Python 3 with venv, and a package index; root for the quotas, valgrind for the instructions, and says which it goes without.
//! What it makes lies in `target/start-up/`: `start-up.md`, `start-up.json` with every sample, `start-up.svg`.

mod contestants;
mod plot;
mod rounds;
mod table;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use contestants::{Contestant, Kind};
use rounds::Samples;
use serde_json::json;
use start_up::counted;
use start_up::endpoint::Authority;
use start_up::quota::Quota;
use start_up::recorded::Recorded;

/// Warm calls of a process.
const WARM: usize = 20;
/// And under a quota, where each takes long.
const WARM_HELD: usize = 5;
/// Memory sizes whose share of a processor is tried.
const MEMORY_MB: [u32; 3] = [128, 256, 512];

fn main() -> Result<()> {
    let Asked { rounds, without } = Asked::read(std::env::args().skip(1))?;
    let authority = Authority::new()?;
    let all = contestants::all(&authority, &without)?;
    let load = load();
    eprint!("{rounds} rounds of {}", all.len());
    let samples = rounds::measure(&all, rounds, WARM, None)?;
    let quotas = under_quotas(&all, (rounds / 3).max(1))?;
    let instructions = instructions(&all, &authority)?;
    let figures = table::figures(&all, &samples, &quotas, &instructions);
    let text = head(rounds, &without, &load) + &table::markdown(&figures);
    println!("{text}");
    let folder = start_up::scratch()?;
    fs::write(folder.join("start-up.md"), &text)?;
    let (commit, told) = (git(&["describe", "--always", "--dirty", "--exclude=*"]), serde_json::to_value(&figures)?);
    let json = json!({ "commit": commit, "rounds": rounds, "machine": load, "figures": told });
    fs::write(folder.join("start-up.json"), serde_json::to_string_pretty(&json)? + "\n")?;
    let picture = folder.join("start-up.svg");
    plot::draw(&figures, &picture)?;
    if std::env::var_os("UPDATE").is_some() {
        keep(&text, &picture)?;
    }
    eprintln!("in {}: start-up.md, start-up.json, start-up.svg", folder.display());
    Ok(())
}

/// What is asked on the command line.
struct Asked {
    rounds: usize,
    without: Vec<String>,
}

impl Asked {
    /// `cargo bench` adds `--bench`.
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut asked = Self { rounds: 30, without: Vec::new() };
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            let value = arguments.next().with_context(|| format!("{argument} wants a value"))?;
            match argument.as_str() {
                "--rounds" => asked.rounds = value.parse().context("--rounds wants a number")?,
                "--without" => asked.without = value.split(',').map(str::to_owned).collect(),
                _ => bail!("only --rounds <number> and --without <kind or function>,... may be said, not {argument}"),
            }
        }
        Ok(asked)
    }
}

fn under_quotas(all: &[Contestant], rounds: usize) -> Result<Vec<(u32, Vec<Samples>)>> {
    let mut held = Vec::new();
    for memory in MEMORY_MB {
        let quota = match Quota::of(memory) {
            Ok(quota) => quota,
            Err(error) => {
                eprintln!("without quotas: {error:#}");
                return Ok(Vec::new());
            }
        };
        eprint!("{rounds} rounds with the share of {memory} MB");
        held.push((memory, rounds::measure(all, rounds, WARM_HELD, Some(&quota))?));
    }
    Ok(held)
}

/// Of hello world and of the functions as they are deployed.
fn instructions(all: &[Contestant], authority: &Authority) -> Result<Vec<Option<u64>>> {
    if !counted::is_possible() {
        eprintln!("without instructions: valgrind is not installed");
        return Ok(Vec::new());
    }
    eprintln!("counting instructions...");
    let count = |one: &Contestant| match one.kind {
        Kind::Cutover => {
            let binary = one.program.command.first().context("no command")?;
            let counted = counted::instructions(Path::new(binary), &Recorded::of(&one.function)?, authority, |_| false);
            Ok(Some(counted.with_context(|| one.name())?))
        }
        _ => Ok(None),
    };
    all.iter().map(count).collect()
}

/// What was asked, when, of what, and what else the machine did.
fn head(rounds: usize, without: &[String], load: &str) -> String {
    let commit = git(&["describe", "--always", "--dirty", "--exclude=*"]);
    let date = today();
    let without = if without.is_empty() { String::new() } else { format!(" -- --without {}", without.join(",")) };
    format!(
        "# What a function's start costs\n\nMade by `UPDATE=1 cargo bench --package start-up{without}` at commit {commit}, {date}; {rounds} \
         rounds. {load}\n\n"
    )
}

#[expect(clippy::disallowed_methods, reason = "a table says when it was made")]
fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

fn load() -> String {
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!("The machine: {cores} cores of {}, a load of {load} from others when it began.", std::env::consts::ARCH)
}

fn git(arguments: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(start_up::root()).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// The table and its picture become those of the checkout; what is written below the table by hand stays.
fn keep(text: &str, picture: &Path) -> Result<()> {
    let tests = start_up::root().join("tests");
    let file = tests.join("start-up.md");
    let before = fs::read_to_string(&file).unwrap_or_default();
    let notes = before.find(NOTES).map_or(NOTES, |at| &before[at..]);
    fs::write(&file, format!("{text}\n![]({PICTURE})\n\n{notes}"))?;
    fs::copy(picture, tests.join(PICTURE))?;
    Ok(())
}

const PICTURE: &str = "start-up.svg";
const NOTES: &str = "## What it says\n";
