//! Plans a portfolio: `cargo run -p wave-plan --example plan -- events/portfolio.json [FOLDER] [--sheets FOLDER]`.
//!
//! Prints Markdown; writes the programme's JSON, its Gantt chart and its CSV into the folder, `target` by default, and the portfolio's applications and dependencies
//! as `applications.csv` and `dependencies.csv`. With `--sheets` these two are read from a folder, in place of those in the JSON. The portfolio that was planned,
//! with what the sheets say, is written as `portfolio.json`: that is what the machine `program` takes.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cutover::finding::Finding;
use serde_json::Value;
use wave_plan::sheet::Lines;
use wave_plan::{Portfolio, Request, plan, report, sheet};

/// Longer than any portfolio that people plan by hand should take.
const BACKSTOP: Duration = Duration::from_secs(60);
const USAGE: &str = "cargo run -p wave-plan --example plan -- events/portfolio.json [FOLDER] [--sheets FOLDER]";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// What the command line names.
struct Arguments {
    portfolio: PathBuf,
    folder: PathBuf,
    sheets: Option<PathBuf>,
}

impl Arguments {
    fn read(given: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut paths, mut sheets) = (Vec::new(), None);
        let mut given = given.peekable();
        while let Some(argument) = given.next() {
            if argument == "--sheets" {
                let folder =
                    given.next().ok_or("--sheets needs the folder of applications.csv and dependencies.csv")?;
                sheets = Some(PathBuf::from(folder));
            } else if argument.starts_with('-') {
                return Err(format!("there is no {argument}: {USAGE}"));
            } else {
                paths.push(PathBuf::from(argument));
            }
        }
        let mut paths = paths.into_iter();
        let portfolio = paths.next().ok_or_else(|| format!("give a portfolio: {USAGE}"))?;
        let folder = paths.next().unwrap_or_else(|| "target".into());
        match paths.next() {
            Some(more) => Err(format!("{} is one argument too many: {USAGE}", more.display())),
            None => Ok(Self { portfolio, folder, sheets }),
        }
    }
}

fn run() -> Result<ExitCode, String> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let path = &arguments.portfolio;
    let written: Value =
        serde_json::from_slice(&read(path)?).map_err(|error| format!("{} is no JSON: {error}", path.display()))?;
    let read = match &arguments.sheets {
        Some(folder) => with_sheets(&written, folder)?,
        None => Portfolio::read(&written).map(|portfolio| (written, portfolio, Lines::default())),
    };
    let (written, portfolio, lines) = match read {
        Ok(read) => read,
        Err(findings) => {
            findings.iter().for_each(|one| eprintln!("{} {}: {}", one.path, one.problem, one.fix));
            return Ok(ExitCode::FAILURE);
        }
    };
    let began = Instant::now();
    let programme = plan(&portfolio, &Request::default(), &mut || began.elapsed() > BACKSTOP);
    eprintln!("planned in {:.1?}", began.elapsed());
    match programme {
        Ok(programme) => {
            out(&report::markdown(&programme));
            let (applications, dependencies) = sheet::write(&portfolio)?;
            let json = |value: Result<String, serde_json::Error>| {
                value.map(|text| text + "\n").map_err(|error| error.to_string())
            };
            let files = [
                ("programme.json", json(serde_json::to_string_pretty(&programme))?),
                ("programme.html", report::gantt(&portfolio, &programme)),
                ("programme.csv", report::csv(&programme).map_err(|error| error.to_string())?),
                ("applications.csv", applications),
                ("dependencies.csv", dependencies),
                ("portfolio.json", json(serde_json::to_string_pretty(&written))?),
            ];
            keep(&arguments.folder, &files)?;
            eprintln!("see {}", arguments.folder.join("programme.html").display());
            Ok(ExitCode::SUCCESS)
        }
        Err(refusal) => {
            out(&lines.named(&report::refusal(&refusal)));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// That who reads has gone (`| head`) is no reason to fail: the files are still written.
fn out(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn keep(folder: &Path, files: &[(&str, String)]) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// The portfolio with the applications and dependencies of two sheets, and where what of it stands in them.
type Sheets = Result<(Value, Portfolio, Lines), Vec<Finding>>;

fn with_sheets(written: &Value, folder: &Path) -> Result<Sheets, String> {
    let text = |name: &str| read(&folder.join(name)).map(|content| sheet::text(name, content));
    Ok(match (text("applications.csv")?, text("dependencies.csv")?) {
        (Ok(applications), Ok(dependencies)) => sheet::portfolio(written, &applications, &dependencies),
        (one, other) => Err([one.err(), other.err()].into_iter().flatten().collect()),
    })
}
