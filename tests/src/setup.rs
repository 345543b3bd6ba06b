//! Sets up what a rehearsal needs on a fresh machine: the Python environment of the emulated AWS, the state machines'
//! definitions as JSON, and the functions' binaries.
//!
//! Contract: all are safe to call from several processes at once (file locks; cargo has its own), and do nothing but
//! check when all is there. What takes long says so on stderr. Needs `python3` (3.11 or later, with venv), Node.js (20 or
//! later, with npm) and the cargo that runs us.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

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

    let environment = home.join(fingerprint(&(pins, python_version()?)));
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

/// Answers the folder with the definitions of `statemachine/` as JSON: what is deployed, tested and rehearsed. They are
/// rendered by the CDK app's own renderer, whichever checkout they come from, and again only when one of its inputs has
/// changed.
pub fn definitions(checkout: &Checkout) -> Result<PathBuf> {
    let from = checkout.root.join("statemachine");
    let home = checkout.target.join("definitions");
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    let lock = File::create(home.join("lock")).context("cannot create the lock of the definitions")?;
    lock.lock().context("cannot lock the definitions")?;
    let folder = home.join(fingerprint(&inputs_of_definitions(&from)?));
    if !folder.exists() {
        let infra = infra()?;
        // Only whole folders have the name that is looked for.
        let unfinished = home.join("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).with_context(|| format!("cannot remove {}", unfinished.display()))?;
        }
        let command = ["--import", "tsx", "bin/definitions.ts", "render"];
        run(Command::new("node").args(command).arg(&from).arg(&unfinished).current_dir(infra))
            .context("rendering the definitions failed")?;
        fs::rename(&unfinished, &folder).context("cannot keep the rendered definitions")?;
    }
    Ok(folder)
}

/// The texts that what is rendered depends on.
fn inputs_of_definitions(from: &Path) -> Result<Vec<String>> {
    let mut files: Vec<PathBuf> = fs::read_dir(from)
        .with_context(|| format!("cannot read {}", from.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files.extend(
        ["bin/definitions.ts", "lib/definitions.ts", "package-lock.json"].map(|file| infra_folder().join(file)),
    );
    let text = |file: PathBuf| {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(format!("{}\n{text}", file.file_name().unwrap_or_default().display()))
    };
    files.into_iter().map(text).collect()
}

fn infra_folder() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).join("infra")
}

/// Answers the folder of the CDK app, its packages installed as package-lock.json says.
pub fn infra() -> Result<PathBuf> {
    let infra = infra_folder();
    let home = Checkout::of_this_build().target.join("local-aws");
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    let lock = File::create(home.join("infra.lock")).context("cannot create the lock of the CDK app")?;
    lock.lock().context("cannot lock the CDK app")?;
    if !is_installed(&infra)? {
        eprintln!("CDK app: installing its packages (first run only, about a minute)...");
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&infra)).context(
            "installing the packages of infra/ failed (Node.js 20 or later has to be on the PATH, a package registry reachable)",
        )?;
    }
    Ok(infra)
}

/// npm keeps a list of what it has installed: of each package the version that is locked, optional ones for other
/// machines left out.
fn is_installed(infra: &Path) -> Result<bool> {
    let packages = |file: &Path| -> Result<Map<String, Value>> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut lock: Value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))?;
        Ok(serde_json::from_value(lock["packages"].take())?)
    };
    let list = infra.join("node_modules/.package-lock.json");
    if !list.exists() {
        return Ok(false);
    }
    let (wanted, installed) = (packages(&infra.join("package-lock.json"))?, packages(&list)?);
    Ok(is_complete(&wanted, &installed))
}

fn is_complete(wanted: &Map<String, Value>, installed: &Map<String, Value>) -> bool {
    wanted.iter().filter(|(path, _)| !path.is_empty()).all(|(path, package)| match installed.get(path) {
        Some(installed) => installed["version"] == package["version"],
        None => package["optional"] == true,
    })
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

fn fingerprint(inputs: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    inputs.hash(&mut hasher);
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
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
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

/// The commit of a checkout, for people; empty where there is none.
pub fn commit(root: &Path) -> String {
    let git = |arguments: &[&str]| Command::new("git").arg("-C").arg(root).args(arguments).output().ok();
    let told = git(&["describe", "--always", "--dirty", "--exclude=*"]).filter(|output| output.status.success());
    told.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_environment_is_renewed_when_a_pin_or_python_changes() {
        let first = fingerprint(&("moto==5.2.5", "Python 3.11.7"));
        assert_eq!(first, fingerprint(&("moto==5.2.5", "Python 3.11.7")));
        assert_ne!(first, fingerprint(&("moto==5.2.6", "Python 3.11.7")));
        assert_ne!(first, fingerprint(&("moto==5.2.5", "Python 3.12.0")));
        assert_eq!(first.len(), 12);
    }

    #[test]
    fn packages_are_installed_when_each_has_its_locked_version() -> Result<()> {
        let packages = |yaml: &str| -> Result<Map<String, Value>> {
            let packages =
                json!({ "node_modules/yaml": { "version": yaml }, "node_modules/tsx": { "version": "4.0.0" } });
            Ok(serde_json::from_value(packages)?)
        };
        let mut wanted = packages("2.9.1")?;
        wanted.insert(String::new(), json!({ "name": "cutover-infra" }));
        wanted.insert("node_modules/other-processor".to_owned(), json!({ "version": "1.0.0", "optional": true }));
        assert!(is_complete(&wanted, &packages("2.9.1")?));
        assert!(!is_complete(&wanted, &packages("2.9.0")?), "an older version is there");
        wanted.insert("node_modules/new".to_owned(), json!({ "version": "1.0.0" }));
        assert!(!is_complete(&wanted, &packages("2.9.1")?), "one is missing");
        Ok(())
    }

    #[test]
    fn definitions_are_rendered_anew_when_a_text_changes() -> Result<()> {
        let target = Checkout::of_this_build().target.join("definitions-test");
        let root = target.join("checkout");
        fs::create_dir_all(root.join("statemachine"))?;
        let checkout = Checkout { root, target };
        let render = |comment: &str| -> Result<(PathBuf, Value)> {
            fs::write(
                checkout.root.join("statemachine/shared.yaml"),
                format!("x-shared: &shared {{ Comment: {comment} }}\n"),
            )?;
            fs::write(checkout.root.join("statemachine/small.asl.yaml"), "<<: *shared\n")?;
            let folder = definitions(&checkout)?;
            let text = fs::read_to_string(folder.join("small.asl.json"))?;
            Ok((folder, serde_json::from_str(&text)?))
        };
        let (first, definition) = render("one")?;
        assert_eq!(definition, json!({ "Comment": "one" }));
        assert_eq!(render("one")?.0, first);
        assert_eq!(render("two")?.1, json!({ "Comment": "two" }));
        Ok(())
    }

    #[test]
    fn libraries_are_not_functions() -> Result<()> {
        let names = functions(&Checkout::of_this_build().root)?;
        assert!(!names.iter().any(|name| name == "cutover" || name == "journal"));
        Ok(())
    }
}
