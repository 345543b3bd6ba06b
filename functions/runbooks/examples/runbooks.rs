//! Makes the runbooks of a portfolio: `cargo run -p runbooks --example runbooks -- events/portfolio-three-tier.json [FOLDER]`.
//!
//! Cutover plans are read from beside the portfolio: `plans/shop.json` is `shop.json` there. Writes Markdown and a page for each application into the
//! folder, `target/runbooks` by default.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{fs, io};

use cutover::Plan;
use cutover::gestures::Machines;
use runbooks::{Of, Stack, markdown, page, runbook};
use wave_plan::{Portfolio, Request, plan};

fn main() -> io::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next().map(PathBuf::from) else {
        eprintln!(
            "give a portfolio: cargo run -p runbooks --example runbooks -- events/portfolio-three-tier.json [FOLDER]"
        );
        return Ok(ExitCode::FAILURE);
    };
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "target/runbooks".to_owned()));
    let portfolio = match Portfolio::read(&serde_json::from_str(&fs::read_to_string(&path)?)?) {
        Ok(portfolio) => portfolio,
        Err(findings) => {
            findings.iter().for_each(|one| eprintln!("{} {}: {}", one.path, one.problem, one.fix));
            return Ok(ExitCode::FAILURE);
        }
    };
    let Ok(programme) = plan(&portfolio, &Request::default(), &mut || false) else {
        eprintln!("there is no programme for it: `cargo run -p wave-plan --example plan` says why");
        return Ok(ExitCode::FAILURE);
    };
    let arn = |name: &str| format!("arn:aws:states:eu-west-1:123456789012:stateMachine:{name}");
    let machines = Machines { rollback: arn("rollback"), cleanup: arn("cleanup") };
    let bucket = "cutover-reports-123456789012-eu-west-1".to_owned();
    let stack = Stack { cutover: arn("cutover"), machines, wave: arn("wave"), bucket };
    fs::create_dir_all(&folder)?;
    for application in &portfolio.applications {
        let file = application
            .cutover_plan
            .as_deref()
            .and_then(|key| key.strip_prefix("plans/"))
            .map(|file| path.with_file_name(file));
        let text = file.and_then(|file| fs::read_to_string(file).ok());
        let read = text.and_then(|text| Plan::read(&serde_json::from_str(&text).ok()?).ok());
        let placed = programme.placements.iter().find(|one| one.application == application.name);
        let wave_name = placed.map(|placed| format!("{}-{}", portfolio.name, placed.date)).unwrap_or_default();
        let (portfolio, programme, plan) = (&portfolio, &programme, read.as_ref());
        let of = Of { portfolio, programme, application, plan, wave_name: &wave_name, stack: &stack };
        let book = runbook(&of);
        fs::write(folder.join(format!("{}.md", application.name)), markdown(&book).map_err(io::Error::other)?)?;
        fs::write(folder.join(format!("{}.html", application.name)), page(&book).map_err(io::Error::other)?)?;
    }
    println!("{} runbooks in {}", portfolio.applications.len(), folder.display());
    Ok(ExitCode::SUCCESS)
}
