//! How many instructions a function takes for its init and two calls: what repeats within a percent on any machine of the same kind, which no time
//! does.
//!
//! Contract: by valgrind's callgrind, whose processor has no more than AVX2, so that the choices that crates and the C library make at run time are
//! the same everywhere. `None` where valgrind is not installed.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, ensure};

use crate::endpoint::{Authority, Endpoint};
use crate::process::{Process, Program};
use crate::recorded::Recorded;

/// The init, and so many calls.
pub const CALLS: usize = 2;

/// Whether instructions can be counted here.
pub fn is_possible() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// The least of so many counts: on a busy machine a call may be tried again under valgrind, which is slow, and takes more.
const TRIES: usize = 3;

/// The instructions of a binary at its recorded invocation, counted until they are as few as is enough; where they were spent stays in
/// `target/start-up/<function>.callgrind`.
pub fn instructions(
    binary: &Path,
    recorded: &Recorded,
    authority: &Authority,
    is_enough: impl Fn(u64) -> bool,
) -> Result<u64> {
    let mut least = None;
    let mut failed = None;
    for _ in 0..TRIES {
        match once(binary, recorded, authority) {
            Ok(count) if is_enough(count) => return Ok(count),
            Ok(count) => least = Some(least.map_or(count, |least: u64| least.min(count))),
            Err(error) => failed = Some(error),
        }
    }
    least.ok_or_else(|| failed.unwrap_or_else(|| anyhow!("nothing was counted")))
}

fn once(binary: &Path, recorded: &Recorded, authority: &Authority) -> Result<u64> {
    let endpoint = Endpoint::serve(authority, recorded)?;
    let profile = crate::scratch()?.join(format!("{}.callgrind", recorded.function));
    let options = ["--tool=callgrind".to_owned(), format!("--callgrind-out-file={}", profile.display())];
    let mut program = Program::of(recorded, binary, authority)?;
    program.command = ["valgrind".to_owned()].into_iter().chain(options).chain(program.command).collect();
    Process::start(&program, Some(&endpoint))?.count(&program.event, CALLS)?;
    let unknown = endpoint.unknown();
    ensure!(unknown.is_empty(), "it asks what was not recorded: {unknown:?}");
    total(&crate::endpoint::read(&profile)?)
}

/// The total of a profile, of which the last line but for some is `totals: 123`: pure.
fn total(profile: &str) -> Result<u64> {
    let totals = profile.lines().find_map(|line| line.strip_prefix("totals: ")).context("a profile without totals")?;
    totals.trim().parse().context("a profile's totals")
}
