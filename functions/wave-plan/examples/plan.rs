//! Plans a portfolio: `cargo run -p wave-plan --example plan -- events/portfolio.json [FOLDER]`.
//!
//! Prints Markdown; writes the programme's JSON, its Gantt chart and its CSV into the folder, `target` by default.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{fs, io};

use wave_plan::{Portfolio, Request, plan, report};

/// Longer than any portfolio that people plan by hand should take.
const BACKSTOP: Duration = Duration::from_secs(60);

fn main() -> io::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        eprintln!("give a portfolio: cargo run -p wave-plan --example plan -- events/portfolio.json [FOLDER]");
        return Ok(ExitCode::FAILURE);
    };
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "target".to_owned()));
    let portfolio = match Portfolio::read(&serde_json::from_str(&fs::read_to_string(path)?)?) {
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
            eprintln!("see {}", folder.join("programme.html").display());
            Ok(ExitCode::SUCCESS)
        }
        Err(refusal) => {
            print!("{}", report::refusal(&refusal));
            Ok(ExitCode::FAILURE)
        }
    }
}
