//! One process of a function, from its start to its last call, measured from outside.
//!
//! Contract: CPU is that of the process's own clock, all its threads together; wall times are those of this machine, whatever else it does.
//! *Init* is from the start of the process until it asks for work; *first call* from then until it asks again; *warm* the median of the others.
//! A function that fails, answers otherwise than before, or asks what was not recorded is an error: it would be measured at other work.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use hyper::body::Bytes;
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use serde::Serialize;

use crate::endpoint::Endpoint;
use crate::quota::Quota;
use crate::runtime_api::{Event, RuntimeApi};

/// The slowest start there is: Python's, under valgrind's eyes or a small quota.
const LIMIT: Duration = Duration::from_secs(120);
const END_LIMIT: Duration = Duration::from_secs(30);

/// How a function is started.
#[derive(Clone, Debug)]
pub struct Program {
    /// The executable, and its arguments.
    pub command: Vec<String>,
    /// Its environment, beside what every function has.
    pub variables: BTreeMap<String, String>,
    /// What it is given.
    pub event: Bytes,
}

/// What one process took.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    /// Wall time of init.
    pub init_ms: f64,
    /// Wall time of the first call.
    pub first_ms: f64,
    /// Median wall time of a warm call; none where none was made.
    pub warm_ms: Option<f64>,
    /// CPU of init.
    pub cpu_init_ms: f64,
    /// CPU of init and the first call.
    pub cpu_first_ms: f64,
    /// Mean CPU of a warm call.
    pub cpu_warm_ms: Option<f64>,
    /// The most memory that was resident.
    pub rss_mb: f64,
}

/// A process that is measured; it ends with this.
pub struct Process {
    child: Child,
    pid: Pid,
    clock: ClockId,
    started: Instant,
    api: RuntimeApi,
}

impl Process {
    /// Starts it; all that it says goes to a log beside the others.
    pub fn start(program: &Program, endpoint: Option<&Endpoint>) -> Result<Self> {
        let api = RuntimeApi::serve()?;
        let (executable, arguments) = program.command.split_first().context("no command")?;
        let log = fs::File::create(log_file()?).context("cannot write the log of what is measured")?;
        let mut command = Command::new(executable);
        command.args(arguments).env_clear().envs(VARIABLES).env("AWS_LAMBDA_RUNTIME_API", &api.address);
        if let Some(endpoint) = endpoint {
            command.env("AWS_ENDPOINT_URL", &endpoint.url);
        }
        command.envs(&program.variables).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {executable}"))?;
        let pid = Pid::from_raw(i32::try_from(child.id())?);
        let clock = clock_getcpuclockid(pid).context("the process has no CPU clock")?;
        Ok(Self { child, pid, clock, started, api })
    }

    fn event(&mut self) -> Result<Event> {
        match self.api.events.recv_timeout(LIMIT) {
            Ok(Event::Failed(what)) => Err(anyhow!("it failed: {what}")),
            Ok(event) => Ok(event),
            Err(_) => bail!("it says nothing more ({:?}); its log: {}", self.child.try_wait(), said()),
        }
    }

    fn asks(&mut self) -> Result<(Instant, tokio::sync::oneshot::Sender<Bytes>)> {
        match self.event()? {
            Event::Asks(at, give) => Ok((at, give)),
            other => bail!("it should ask for work, and not: {other:?}"),
        }
    }

    fn answers(&mut self) -> Result<Bytes> {
        match self.event()? {
            Event::Answered(_, body) => Ok(body),
            other => bail!("it should answer, and not: {other:?}"),
        }
    }

    fn cpu_ms(&self) -> Result<f64> {
        Ok(Duration::from(clock_gettime(self.clock)?).as_secs_f64() * 1e3)
    }

    /// The most memory that was resident (`VmHWM`).
    fn rss_mb(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes / 1024.0)
    }

    /// Init, a first call, and so many warm ones; from the first call on under a quota, as Lambda has it: init is not.
    pub fn measure(mut self, event: &Bytes, warm: usize, quota: Option<&Quota>) -> Result<(Sample, Bytes)> {
        let (at, mut give) = self.asks()?;
        let init_ms = ms(at - self.started);
        let cpu_init_ms = self.cpu_ms()?;
        if let Some(quota) = quota {
            quota.hold(self.pid)?;
        }
        let mut sent = Instant::now();
        give.send(event.clone()).map_err(|_| anyhow!("it has gone"))?;
        let answer = self.answers()?;
        (_, give) = self.asks()?;
        let first_ms = ms(sent.elapsed());
        let cpu_first_ms = self.cpu_ms()?;
        let mut walls = Vec::with_capacity(warm);
        for _ in 0..warm {
            sent = Instant::now();
            give.send(event.clone()).map_err(|_| anyhow!("it has gone"))?;
            self.answers()?;
            (_, give) = self.asks()?;
            walls.push(ms(sent.elapsed()));
        }
        #[expect(clippy::cast_precision_loss, reason = "some dozens")]
        let cpu_warm_ms = (warm > 0).then_some((self.cpu_ms()? - cpu_first_ms) / warm as f64);
        let (warm_ms, rss_mb) = (crate::median(&walls), self.rss_mb()?);
        Ok((Sample { init_ms, first_ms, warm_ms, cpu_init_ms, cpu_first_ms, cpu_warm_ms, rss_mb }, answer))
    }

    /// So many calls, and an end by which a tool that has counted writes down what.
    pub fn count(mut self, event: &Bytes, calls: usize) -> Result<()> {
        for _ in 0..calls {
            let (_, give) = self.asks()?;
            give.send(event.clone()).map_err(|_| anyhow!("it has gone"))?;
            self.answers()?;
        }
        let (_, _waits) = self.asks()?;
        kill(self.pid, Signal::SIGTERM)?;
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            ensure!(began.elapsed() < END_LIMIT, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What Lambda gives every function.
const VARIABLES: [(&str, &str); 13] = [
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("LANG", "en_US.UTF-8"),
    ("TZ", ":UTC"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "token"),
    ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/measured"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "measured"),
];

fn log_file() -> Result<PathBuf> {
    Ok(crate::scratch()?.join("log"))
}

/// The end of what it said.
fn said() -> String {
    let text = log_file().ok().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

impl Program {
    /// A function's binary, as it is deployed and as it was invoked.
    pub fn of(
        recorded: &crate::recorded::Recorded,
        binary: &std::path::Path,
        authority: &crate::endpoint::Authority,
    ) -> Result<Self> {
        let mut variables = recorded.variables.clone();
        variables.insert("AWS_CA_BUNDLE".to_owned(), authority.with_amazons()?.display().to_string());
        Ok(Self {
            command: vec![binary.display().to_string()],
            variables,
            event: serde_json::to_vec(&recorded.event)?.into(),
        })
    }
}
