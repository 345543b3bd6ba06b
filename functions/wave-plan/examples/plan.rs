//! Plans a portfolio: `cargo run -p wave-plan --example plan -- events/portfolio.json [FOLDER] [--sheets FOLDER]`.
//!
//! Prints Markdown; writes the programme's JSON, its Gantt chart and its CSV into the folder, `target` by default, and the portfolio's applications and dependencies
//! as `applications.csv` and `dependencies.csv`. With `--sheets` these two are read from a folder, in place of those in the JSON.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{fs, io};

use cutover::finding::Finding;
use serde_json::Value;
use wave_plan::{Portfolio, Request, plan, report, sheet};

/// Longer than any portfolio that people plan by hand should take.
const BACKSTOP: Duration = Duration::from_secs(60);

fn main() -> io::Result<ExitCode> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let sheets = arguments.iter().position(|argument| argument == "--sheets").map(|at| arguments.split_off(at));
    let mut arguments = arguments.into_iter();
    let Some(path) = arguments.next() else {
        eprintln!(
            "give a portfolio: cargo run -p wave-plan --example plan -- events/portfolio.json [FOLDER] [--sheets FOLDER]"
        );
        return Ok(ExitCode::FAILURE);
    };
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "target".to_owned()));
    let written: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    let written = match sheets {
        Some(sheets) => with_sheets(&written, &PathBuf::from(sheets.get(1).map_or(".", String::as_str)))?,
        None => Ok(written),
    };
    let portfolio = match written.and_then(|written| Portfolio::read(&written)) {
        Ok(portfolio) => portfolio,
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
            print!("{}", report::markdown(&programme));
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("programme.json"), serde_json::to_string_pretty(&programme)? + "\n")?;
            fs::write(folder.join("programme.html"), report::gantt(&portfolio, &programme))?;
            fs::write(folder.join("programme.csv"), report::csv(&programme).map_err(io::Error::other)?)?;
            let (applications, dependencies) = sheet::write(&portfolio).map_err(io::Error::other)?;
            fs::write(folder.join("applications.csv"), applications)?;
            fs::write(folder.join("dependencies.csv"), dependencies)?;
            eprintln!("see {}", folder.join("programme.html").display());
            Ok(ExitCode::SUCCESS)
        }
        Err(refusal) => {
            print!("{}", report::refusal(&refusal));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The portfolio with the applications and dependencies of two sheets.
fn with_sheets(written: &Value, folder: &Path) -> io::Result<Result<Value, Vec<Finding>>> {
    let sheet = |name: &str| fs::read_to_string(folder.join(name));
    Ok(sheet::read(written, &sheet("applications.csv")?, &sheet("dependencies.csv")?))
}
