//! The emulated AWS: its process.
//!
//! Contract: [`Emulator::start`] answers when everything is deployed. The process ends with the [`Emulator`]: when it
//! is stopped or dropped, and, because the process watches its stdin, even when we are killed. It lies in a process
//! group of its own, so that Ctrl-C reaches only us and we decide the order of the end. Errors of the emulator carry
//! its answer, or the end of its log.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;

use crate::control::Client;
use crate::setup::{self, Checkout};
use crate::wall_clock;

const START_LIMIT: Duration = Duration::from_secs(300);
const STOP_LIMIT: Duration = Duration::from_secs(5);
const KEPT_LOGS_AGE: Duration = Duration::from_secs(24 * 3600);

/// How to start an emulated AWS.
#[derive(Clone, Debug)]
pub struct Options {
    /// The checkout to deploy from.
    pub checkout: Checkout,
    /// The definitions to deploy, as [`crate::setup::definitions`] renders them.
    pub definitions: PathBuf,
    /// The interpreter of [`crate::setup::python_environment`].
    pub python: PathBuf,
    /// 0: any free port.
    pub port: u16,
    /// Waits and retry delays are divided by it.
    pub speed: f64,
    /// A synthesized CDK app (`cdk.out`) to deploy through CloudFormation, each function in its own role with permissions
    /// enforced, instead of the checkout's functions and definitions themselves.
    pub template: Option<PathBuf>,
    /// The stack's groups of stakeholders, which hear of every run: a JSON list. `None`: nobody does, not even a plan's own.
    pub stakeholders: Option<Value>,
    /// Whether messages have links to pages that answer.
    pub answers: bool,
}

impl Options {
    /// Of the checkout that this harness was built from, on any free port. Does all the set-up that there is to do.
    pub fn of_this_build(speed: f64) -> Result<Self> {
        let checkout = Checkout::of_this_build();
        let python = setup::python_environment(&checkout)?;
        let definitions = setup::definitions(&checkout)?;
        setup::build_functions(&checkout)?;
        Ok(Self { checkout, definitions, python, port: 0, speed, template: None, stakeholders: None, answers: false })
    }
}

/// What the emulated AWS tells when it is ready.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Ready {
    /// Where AWS's APIs are, for every service.
    pub endpoint_url: String,
    /// The region everything lies in.
    pub region: String,
    /// ARN by name: cutover, rollback, cleanup.
    pub state_machines: BTreeMap<String, String>,
    /// The journal's DynamoDB table.
    pub journal_table: String,
    /// The folder with the logs of the emulator and of the functions.
    pub home: PathBuf,
    /// Account, functions, and whatever else it tells.
    #[serde(flatten)]
    pub more: BTreeMap<String, Value>,
}

/// A running emulated AWS.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    stdin: Option<ChildStdin>,
    drain: JoinHandle<()>,
    ready: Ready,
    client: Client,
}

impl Emulator {
    /// Starts the process and waits until it is ready.
    pub async fn start(options: &Options) -> Result<Self> {
        let home = new_home(&options.checkout.target)?;
        let log = home.join("emulator.log");
        let mut child = spawn(options, &home, &log)?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("the emulated AWS has no stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = match tokio::time::timeout(START_LIMIT, ready_line(&mut lines)).await {
            Ok(Ok(ready)) => ready,
            Ok(Err(error)) => return Err(error.context(failed_start(&log))),
            Err(_) => bail!("the emulated AWS was not ready within {START_LIMIT:?}; {}", failed_start(&log)),
        };
        let client = Client::new(&ready.endpoint_url)?;
        // A full pipe would block the process: whatever it prints later is read and dropped.
        let drain = tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, stdin, drain, ready, client })
    }

    /// What it told when it was ready.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// A client of its control API.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Resolves when the process has ended by itself, which is trouble.
    pub async fn ended(&mut self) -> anyhow::Error {
        let log = self.ready.home.join("emulator.log");
        match self.child.wait().await {
            Ok(status) => anyhow!("the emulated AWS ended by itself: {status}; {}", failed_start(&log)),
            Err(error) => anyhow!(error).context("cannot wait for the emulated AWS"),
        }
    }

    /// Ends the process and its functions: closing its stdin asks it to, killing it is the last resort.
    pub async fn stop(mut self) -> Result<()> {
        drop(self.stdin.take());
        if tokio::time::timeout(STOP_LIMIT, self.child.wait()).await.is_err() {
            self.child.kill().await.context("cannot stop the emulated AWS")?;
        }
        self.drain.abort();
        Ok(())
    }
}

fn spawn(options: &Options, home: &Path, log: &Path) -> Result<Child> {
    let log = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
    let mut command = tokio::process::Command::new(&options.python);
    if let Some(template) = &options.template {
        command.args(["-m", "local_aws", "--iam", "--template"]).arg(template);
    } else {
        command.args(["-m", "local_aws"]);
    }
    if let Some(stakeholders) = &options.stakeholders {
        command.args(["--stakeholders", &stakeholders.to_string()]);
    }
    if options.answers {
        command.arg("--answers");
    }
    command
        .args(["--port", &options.port.to_string(), "--speed", &options.speed.to_string()])
        .arg("--bin-dir")
        .arg(options.checkout.bin_dir())
        .arg("--root")
        .arg(&options.checkout.root)
        .arg("--definitions")
        .arg(&options.definitions)
        .arg("--home")
        .arg(home)
        .env("PYTHONPATH", Checkout::python_path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", options.python.display()))
}

async fn ready_line(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<Ready> {
    let line = lines.next_line().await.context("cannot read what the emulated AWS prints")?;
    let line = line.context("the emulated AWS ended before it was ready")?;
    serde_json::from_str(&line).with_context(|| format!("the emulated AWS is not ready but says: {line}"))
}

fn failed_start(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(15)..].join("\n");
    format!("the end of its log {}:\n{tail}", log.display())
}

/// A folder for the logs of one emulated AWS. Those of a day ago are removed.
fn new_home(target: &Path) -> Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let runs = target.join("local-aws/runs");
    fs::create_dir_all(&runs).with_context(|| format!("cannot create {}", runs.display()))?;
    remove_old(&runs);
    let stamp = humantime::format_rfc3339_millis(wall_clock()).to_string().replace([':', '.'], "-");
    let home = runs.join(format!("{stamp}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    Ok(home)
}

/// Only tidiness: another process may be removing the same folder, so failures do not matter.
fn remove_old(runs: &Path) {
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| wall_clock().duration_since(modified).ok());
        if age.is_some_and(|age| age > KEPT_LOGS_AGE) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
