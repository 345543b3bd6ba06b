//! `cargo rehearse --serve` keeps its promise to an outsider: `serve.py`, with boto3 and environments of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Test, synchronous};
use anyhow::{Context, Result, ensure};
use cutover_tests::setup::{self, Checkout};

const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The command, ended at the latest when this is dropped; the emulated AWS ends with it.
struct Serve {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Serve {
    fn start() -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
        command.args(["--serve", "--speed", "120"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start rehearse --serve")?;
        let stdout = child.stdout.take().context("rehearse --serve has no stdout")?;
        Ok(Self { child, stdout: BufReader::new(stdout) })
    }

    fn ready_line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).context("cannot read the ready line")?;
        ensure!(!line.is_empty(), "rehearse --serve ended before it was ready");
        Ok(line)
    }

    /// As a person stops it. Nothing but the ready line was on its stdout, and it was not an error.
    fn stop(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        ensure!(Command::new("kill").args(["-TERM", &id]).status()?.success(), "cannot stop rehearse --serve");
        let asked = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            ensure!(asked.elapsed() < STOP_LIMIT, "rehearse --serve does not stop");
            std::thread::sleep(Duration::from_millis(50));
        };
        ensure!(status.success(), "rehearse --serve ended with {status}");
        let mut more = String::new();
        self.stdout.read_line(&mut more)?;
        ensure!(more.is_empty(), "more than one line: {more}");
        Ok(())
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn an_outsider_with_boto3_gets_the_same_promise() -> Result<()> {
    let python = setup::python_environment(&Checkout::of_this_build())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/serve.py");
    let mut serve = Serve::start()?;
    let ready = serve.ready_line()?;
    let mut command = Command::new(python);
    command.arg(script).arg(ready.trim()).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().context("cannot run serve.py")?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    print!("{out}");
    ensure!(output.status.success(), "serve.py: {}\n{out}\n{err}", output.status);
    serve.stop()
}

/// What is run.
pub fn tests() -> Vec<Test> {
    synchronous![an_outsider_with_boto3_gets_the_same_promise,]
}
