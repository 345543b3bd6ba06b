//! Sets up what a rehearsal needs on a fresh machine: the Python environment of the emulated AWS, and the functions'
//! binaries.
//!
//! Contract: both are safe to call from several processes at once (a file lock; cargo has its own), and do nothing but
//! check when all is there. What takes long says so on stderr. Needs `python3` (3.11 or later, with venv) and the cargo
//! that runs us.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// The folders of a checkout that the harness uses.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// Where functions/, statemachine/ and events/ lie.
    pub root: PathBuf,
    /// cargo's target directory.
    pub target: PathBuf,
}

impl Checkout {
    /// The checkout that this harness was built from.
    pub fn of_this_build() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().unwrap_or(manifest).to_path_buf();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |given| root.join(given));
        Self { root, target }
    }

    /// The folder with the Python package `local_aws`, wherever definitions come from.
    pub fn python_path() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    /// Where cargo puts the functions' binaries.
    pub fn bin_dir(&self) -> PathBuf {
        self.target.join("debug")
    }
}

/// Answers the Python interpreter of an environment that holds exactly what requirements.txt pins; makes it if need be.
pub fn python_environment(checkout: &Checkout) -> Result<PathBuf> {
    let requirements = Checkout::python_path().join("local_aws/requirements.txt");
    let pins = fs::read_to_string(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let home = checkout.target.join("local-aws");
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;

    let environment = home.join(fingerprint(&pins, &python_version()?));
    let python = environment.join("bin/python");
    let complete = environment.join("complete");
    if complete.exists() {
        return Ok(python);
    }
    let lock = File::create(home.join("lock")).context("cannot create the lock of the Python environment")?;
    lock.lock().context("cannot lock the Python environment")?;
    if !complete.exists() {
        eprintln!("Python environment: installing (first run only, about a minute)...");
        install(&environment, &requirements)?;
        File::create(&complete).context("cannot mark the Python environment as complete")?;
    }
    Ok(python)
}

/// A half-made environment of an interrupted run is thrown away: only the marker says that it is whole.
fn install(environment: &Path, requirements: &Path) -> Result<()> {
    if environment.exists() {
        fs::remove_dir_all(environment).with_context(|| format!("cannot remove {}", environment.display()))?;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(environment))
        .context("making the virtual environment failed (on Debian and Ubuntu: install python3-venv)")?;
    run(Command::new(environment.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement"])
        .arg(requirements))
    .with_context(|| format!("installing {} failed (is a package index reachable?)", requirements.display()))
}

fn python_version() -> Result<String> {
    let answer = Command::new("python3")
        .arg("--version")
        .output()
        .context("cannot start python3: the emulated AWS needs Python 3.11 or later on the PATH")?;
    Ok(String::from_utf8_lossy(&answer.stdout).trim().to_string())
}

fn fingerprint(pins: &str, version: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (pins, version).hash(&mut hasher);
    format!("{:012x}", hasher.finish() >> 16)
}

fn run(command: &mut Command) -> Result<()> {
    let answer = command.output().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    ensure!(
        answer.status.success(),
        "{}\n{}{}",
        answer.status,
        String::from_utf8_lossy(&answer.stdout),
        String::from_utf8_lossy(&answer.stderr)
    );
    Ok(())
}

/// Builds the binary of every function. Cargo holds no lock while `cargo run` or `cargo test` runs what it built, so
/// this cannot deadlock.
pub fn build_functions(checkout: &Checkout) -> Result<()> {
    let functions = functions(&checkout.root)?;
    if functions.is_empty() {
        return Ok(());
    }
    if !functions.iter().all(|function| checkout.bin_dir().join(function).exists()) {
        eprintln!("Functions: building {} of them (the first time, some minutes)...", functions.len());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut command = Command::new(cargo);
    // The whole workspace, not the functions alone: cargo unites the features of what is built together, so that this
    // is what `cargo test` has built already. Otherwise every AWS crate would be compiled twice.
    command.current_dir(&checkout.root).args(["build", "--workspace", "--bins", "--lib"]);
    command.arg("--target-dir").arg(&checkout.target);
    // What a test inherits from the cargo that runs it would make build scripts (ring's) run again, and again after us.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name.to_string_lossy().starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    if !std::io::stderr().is_terminal() {
        command.arg("--quiet"); // no progress bar there, but a line for each of some hundred crates
    }
    // Cargo tells errors on stderr, ours as well: stdout stays free for a report.
    let status = command.stdout(std::io::stderr()).status().context("cannot start cargo")?;
    if !status.success() {
        bail!("building the functions failed: {status}; the compiler's messages are above");
    }
    Ok(())
}

/// Every folder of functions/ with a src/main.rs is a function; the others are libraries.
fn functions(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("functions");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        if entry.path().join("src/main.rs").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_renewed_when_a_pin_or_python_changes() {
        let first = fingerprint("moto==5.2.5", "Python 3.11.7");
        assert_eq!(first, fingerprint("moto==5.2.5", "Python 3.11.7"));
        assert_ne!(first, fingerprint("moto==5.2.6", "Python 3.11.7"));
        assert_ne!(first, fingerprint("moto==5.2.5", "Python 3.12.0"));
        assert_eq!(first.len(), 12);
    }

    #[test]
    fn libraries_are_not_functions() -> Result<()> {
        let names = functions(&Checkout::of_this_build().root)?;
        assert!(!names.iter().any(|name| name == "cutover" || name == "journal"));
        Ok(())
    }
}
