//! The CDK app's template, synthesized from this checkout with the binaries of this build.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use cutover_tests::setup::{self, Checkout};
use serde_json::{Map, Value, json};

use crate::accounts;

pub const STACK: &str = "cutover";

/// The CDK, which is loaded once for all tests: `infra/test/synthesizer.ts`.
struct Synthesizer {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Synthesizer {
    fn start(infra: &Path) -> Result<Self> {
        let mut command = Command::new("node");
        command.args(["--import", "tsx", "test/synthesizer.ts"]).current_dir(infra);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start node")?;
        let stdin = process.stdin.take().context("the synthesizer has no stdin")?;
        let stdout = BufReader::new(process.stdout.take().context("the synthesizer has no stdout")?);
        Ok(Self { process, stdin, stdout })
    }

    fn synthesize(&mut self, request: &Value) -> Result<()> {
        writeln!(self.stdin, "{request}").context("the synthesizer does not listen")?;
        let mut answer = String::new();
        self.stdout.read_line(&mut answer).context("the synthesizer does not answer")?;
        ensure!(answer.trim() == "null", "{request}: {answer} {:?}", self.process.try_wait());
        Ok(())
    }
}

/// What a stack has to say of what its plans may touch, and where they may send users: everything, where a test says nothing else.
const OPEN: [&str; 9] = [
    "listeners",
    "rules",
    "targetGroups",
    "hostedZones",
    "recordNames",
    "alarmNames",
    "newTargetGroups",
    "recordValues",
    "aliasTargets",
];

/// Those of the lists that a context leaves out.
fn left_out<'a>(context: &'a [&str]) -> impl Iterator<Item = &'static str> + 'a {
    let is_given =
        |name: &str| context.iter().any(|value| value.split_once('=').is_some_and(|(given, _)| given == name));
    OPEN.into_iter().filter(move |name| !is_given(name))
}

/// Synthesizes the app into a folder of its own. A value of the context is `name=value`, as on the command line.
pub fn synthesize(name: &str, context: &[&str]) -> Result<PathBuf> {
    static SYNTHESIZER: Mutex<Option<Synthesizer>> = Mutex::new(None);
    let (infra, out, binaries) = prepare(name)?;
    let mut given: Map<String, Value> = context
        .iter()
        .filter_map(|value| value.split_once('='))
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    given.extend(left_out(context).map(|name| (name.to_owned(), json!(["*"]))));
    given.insert("binaries".to_owned(), json!(binaries));
    let mut shared = SYNTHESIZER.lock().unwrap_or_else(PoisonError::into_inner);
    let mut synthesizer = match shared.take() {
        Some(running) => running,
        None => Synthesizer::start(&infra)?,
    };
    synthesizer.synthesize(&json!({ "outdir": out, "context": given }))?;
    *shared = Some(synthesizer);
    Ok(out)
}

/// The same by the command that a user would type.
pub fn synthesize_by_command(name: &str, context: &[&str]) -> Result<PathBuf> {
    let (infra, out, binaries) = prepare(name)?;
    let binaries = format!("binaries={}", binaries.display());
    by_command(&infra, &out, &[], &[&[binaries.as_str()], context].concat())?;
    Ok(out)
}

/// The stack that lets a central one into an account, the same way.
pub fn synthesize_access(name: &str, context: &[&str]) -> Result<PathBuf> {
    let (infra, out, _) = prepare(name)?;
    by_command(&infra, &out, &["--app", "npx tsx bin/access.ts"], context)?;
    Ok(out)
}

fn by_command(infra: &Path, out: &Path, app: &[&str], context: &[&str]) -> Result<()> {
    let mut command = Command::new("npx");
    command.arg("cdk").args(app).args(["synth", "--quiet", "--output"]).arg(out).current_dir(infra);
    for value in context {
        command.args(["--context", value]);
    }
    for name in left_out(context) {
        command.arg("--context").arg(format!("{name}=*"));
    }
    run(&mut command)
}

/// The app, where to put what is synthesized, and the binaries of the functions.
fn prepare(name: &str) -> Result<(PathBuf, PathBuf, PathBuf)> {
    let checkout = accounts::options()?.checkout;
    let infra = setup::infra()?;
    let out = checkout.target.join(format!("local-aws/cdk-{name}"));
    let binaries = out.with_extension("binaries");
    link_binaries(&checkout, &binaries)?;
    Ok((infra, out, binaries))
}

/// `<folder>/<crate>/bootstrap` for every function: scripts that run the binaries of this build.
fn link_binaries(checkout: &Checkout, folder: &Path) -> Result<()> {
    for entry in fs::read_dir(checkout.root.join("functions"))? {
        let name = entry?.file_name().into_string().ok().context("a folder's name")?;
        if !checkout.root.join(format!("functions/{name}/src/main.rs")).exists() {
            continue;
        }
        let bootstrap = folder.join(&name).join("bootstrap");
        fs::create_dir_all(folder.join(&name))?;
        fs::write(&bootstrap, format!("#!/bin/sh\nexec '{}'\n", checkout.bin_dir().join(&name).display()))?;
        fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}\n{told}", output.status);
    Ok(())
}
