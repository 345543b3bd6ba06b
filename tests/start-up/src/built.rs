//! Release binaries, and the packages that Lambda is given: built, and their sizes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::recorded::FUNCTIONS;

/// The smallest function, which all others are measured against: `hello/`.
pub const HELLO: &str = "hello";

/// Builds functions for release, or hello world; answers the folder of their binaries. Whichever are asked for, features are those of all that
/// are measured together: cargo unites them, and figures would depend on the selection.
pub fn release(binaries: &[&str]) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--release", "--locked"]).current_dir(crate::root());
    for package in FUNCTIONS.into_iter().chain([HELLO]) {
        command.args(["--package", package]);
    }
    for binary in binaries {
        command.args(["--bin", binary]);
    }
    run(command.arg("--target-dir").arg(crate::target()))?;
    Ok(crate::target().join("release"))
}

/// Builds what has a lock file of its own; answers the folder of its binaries.
pub fn apart(folder: &Path) -> Result<PathBuf> {
    let target = crate::target().join("start-up/naive");
    let mut command = cargo();
    // The checkout's own configuration switches off what costs most of it.
    command.env("AWS_LC_SYS_NO_JITTER_ENTROPY", "0").current_dir(folder);
    run(command.args(["build", "--release", "--locked", "--target-dir"]).arg(&target))?;
    Ok(target.join("release"))
}

/// Without what a test inherits from the cargo that runs it: build scripts would run again, and again after us.
fn cargo() -> Command {
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    command.arg("--quiet");
    command
}

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Size {
    /// Of the executable.
    pub binary: u64,
    /// Of the package with it, as `bootstrap`.
    pub zip: u64,
}

impl Size {
    /// Those of an executable.
    pub fn of(binary: &Path) -> Result<Self> {
        let folder = crate::scratch()?.join("package");
        std::fs::create_dir_all(&folder)?;
        std::fs::copy(binary, folder.join("bootstrap")).with_context(|| format!("no {}", binary.display()))?;
        let zip = ["-m", "zipfile", "-c", "package.zip", "bootstrap"];
        run(Command::new("python3").args(zip).current_dir(&folder))?;
        let bytes = |file: &Path| std::fs::metadata(file).map(|file| file.len());
        Ok(Self { binary: bytes(binary)?, zip: bytes(&folder.join("package.zip"))? })
    }
}

/// Runs a command, and tells what it said where it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    Ok(())
}
