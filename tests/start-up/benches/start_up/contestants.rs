//! Who is measured: hello world, the functions as they are deployed, the same with every default, and handlers on boto3 that make the same calls.
//! Each trusts what it trusts by default, and the authority of this process.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use hyper::body::Bytes;
use serde::Serialize;
use start_up::built::{self, HELLO, Size, run};
use start_up::endpoint::{Authority, Endpoint, read};
use start_up::process::Program;
use start_up::recorded::{Body, FUNCTIONS, Recorded};

/// Of these there are others to compare with.
const COMPARED: [&str; 4] = ["monitor", "weight-shift", "listener-swap", "precheck"];
/// Where machines keep their roots.
const BUNDLES: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// What it is built of.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Hello world on the same runtime client and profile.
    Hello,
    /// As it is deployed.
    Cutover,
    /// The same code with every default.
    Naive,
    /// Python.
    Boto3,
}

/// One of them.
pub struct Contestant {
    pub kind: Kind,
    /// The function.
    pub function: String,
    pub program: Program,
    /// None of hello world: it asks nothing.
    pub endpoint: Option<Endpoint>,
    /// None of Python.
    pub size: Option<Size>,
}

impl Contestant {
    /// For people.
    pub fn name(&self) -> String {
        match self.kind {
            Kind::Hello => "hello world (F0)".to_owned(),
            Kind::Cutover => self.function.clone(),
            Kind::Naive => format!("{}, naive", self.function),
            Kind::Boto3 => format!("{}, boto3", self.function),
        }
    }
}

/// All of them, built, but for the kinds and functions that are left out.
pub fn all(authority: &Authority, without: &[String]) -> Result<Vec<Contestant>> {
    let is_in = |name: &str| !without.iter().any(|one| one == name);
    let functions: Vec<&str> = FUNCTIONS.into_iter().filter(|function| is_in(function)).collect();
    eprintln!("building the functions (the first time, some minutes)...");
    let binaries: Vec<&str> = functions.iter().copied().chain([HELLO]).collect();
    let ours = built::release(&binaries)?;
    let naive = is_in("naive").then(|| {
        eprintln!("building them naively (the first time, some minutes)...");
        built::apart(&start_up::folder().join("naive"))
    });
    let naive = naive.transpose()?;
    let python = is_in("boto3").then(python).transpose()?;
    let mut all = vec![hello(&ours)?];
    for function in functions {
        let recorded = Recorded::of(function)?;
        let binary = ours.join(function);
        all.push(Contestant {
            kind: Kind::Cutover,
            function: function.to_owned(),
            program: Program::of(&recorded, &binary, authority)?,
            endpoint: Some(Endpoint::serve(authority, &recorded)?),
            size: Some(Size::of(&binary)?),
        });
        if !COMPARED.contains(&function) {
            continue;
        }
        if let Some(naive) = &naive {
            all.push(naively(&recorded, &naive.join(function), authority)?);
        }
        if let Some(python) = &python {
            all.push(on_boto3(&recorded, python, authority)?);
        }
    }
    Ok(all)
}

fn hello(binaries: &Path) -> Result<Contestant> {
    let binary = binaries.join(HELLO);
    let program = Program {
        command: vec![binary.display().to_string()],
        variables: BTreeMap::new(),
        event: Bytes::from_static(b"{}"),
    };
    let size = Some(Size::of(&binary)?);
    Ok(Contestant { kind: Kind::Hello, function: HELLO.to_owned(), program, endpoint: None, size })
}

fn naively(recorded: &Recorded, binary: &Path, authority: &Authority) -> Result<Contestant> {
    let machines = BUNDLES.iter().map(Path::new).find(|bundle| bundle.exists());
    let machines = read(machines.context("this machine has no bundle of roots where those of Debian and Fedora lie")?)?;
    let mut program = Program::of(recorded, binary, authority)?;
    program.variables.remove("AWS_CA_BUNDLE");
    let bundle = authority.bundle("machine.pem", &machines)?;
    program.variables.insert("SSL_CERT_FILE".to_owned(), bundle.display().to_string());
    Ok(Contestant {
        kind: Kind::Naive,
        function: recorded.function.clone(),
        program,
        endpoint: Some(Endpoint::serve(authority, recorded)?),
        size: Some(Size::of(binary)?),
    })
}

fn on_boto3(recorded: &Recorded, python: &Python, authority: &Authority) -> Result<Contestant> {
    let mut program = Program::of(recorded, &python.interpreter, authority)?;
    let handler = format!("{}.handler", recorded.function.replace('-', "_"));
    program.command.extend(["-m".to_owned(), "awslambdaric".to_owned(), handler.clone()]);
    let bundle = authority.bundle("botocore.pem", &read(&python.roots)?)?;
    let handlers = start_up::folder().join("boto3");
    for (name, value) in [
        ("AWS_CA_BUNDLE", bundle.display().to_string()),
        ("PYTHONPATH", handlers.display().to_string()),
        ("LAMBDA_TASK_ROOT", handlers.display().to_string()),
        ("_HANDLER", handler),
    ] {
        program.variables.insert(name.to_owned(), value);
    }
    Ok(Contestant {
        kind: Kind::Boto3,
        function: recorded.function.clone(),
        program,
        endpoint: Some(Endpoint::serve(authority, &in_json(recorded, python)?)?),
        size: None,
    })
}

/// What was answered in CBOR (`/service/<service>/operation/<operation>`), as boto3 asks for it.
fn in_json(recorded: &Recorded, python: &Python) -> Result<Recorded> {
    let mut recorded = recorded.clone();
    for exchange in &mut recorded.exchanges {
        let Body::Base64(answer) = &exchange.answer else { continue };
        let named = exchange.path.split('/').collect::<Vec<_>>();
        let [_, "service", service, "operation", operation] = named.as_slice() else { continue };
        exchange.target = Some(format!("{service}.{operation}"));
        exchange.headers = BTreeMap::from([("content-type".to_owned(), "application/x-amz-json-1.0".to_owned())]);
        let (name, _) = exchange.operation.split_once(' ').context("an operation without its service")?;
        exchange.answer = Body::Text(python.restate([name, operation], answer)?);
    }
    Ok(recorded)
}

impl Python {
    fn restate(&self, arguments: [&str; 2], answer: &str) -> Result<String> {
        let script = start_up::folder().join("boto3/restate.py");
        let mut command = Command::new(&self.interpreter);
        let command = command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start Python")?;
        child.stdin.take().context("no stdin")?.write_all(answer.as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "restate.py failed: {}", output.status);
        Ok(String::from_utf8(output.stdout)?)
    }
}

struct Python {
    interpreter: PathBuf,
    roots: PathBuf,
}

/// An environment of its own, with what `requirements.txt` pins, compiled as it is in Lambda's runtime.
fn python() -> Result<Python> {
    let requirements = start_up::folder().join("boto3/requirements.txt");
    let environment = start_up::scratch()?.join("boto3");
    let (interpreter, done) = (environment.join("bin/python"), environment.join("requirements.txt"));
    if fs::read(&done).ok() != Some(fs::read(&requirements)?) {
        eprintln!("installing boto3 and Lambda's runtime client of Python...");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"];
        run(Command::new(&interpreter).args(install).arg(&requirements))?;
        fs::copy(&requirements, &done)?;
    }
    let ask = "import botocore, os; print(os.path.join(os.path.dirname(botocore.__file__), 'cacert.pem'))";
    let answer = Command::new(&interpreter).args(["-c", ask]).output().context("cannot start Python")?;
    Ok(Python { interpreter, roots: String::from_utf8_lossy(&answer.stdout).trim().into() })
}
