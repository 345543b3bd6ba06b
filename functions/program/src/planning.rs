//! From a portfolio, what was planned before and what was done since, to a programme; or to why there is none. Pure.

use std::collections::BTreeMap;

use cutover::error::name;
use cutover::finding::Finding;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use jiff::civil::Date;
use journal::{PastRun, Phase};
use serde_json::Value;
use wave_plan::{Portfolio, Programme, Progress, Request, plan, report};

use crate::zone::Zone;

/// Reads a portfolio.
///
/// # Errors
/// `Cutover.InvalidPortfolio` with every error at once.
pub fn portfolio(value: &Value) -> StepResult<Portfolio> {
    Portfolio::read(value).map_err(|findings| invalid(&findings))
}

/// What is wrong with a portfolio, each with its place and the fix.
pub fn invalid(findings: &[Finding]) -> StepError {
    let lines: Vec<String> = findings.iter().map(|one| format!("{} {}: {}", one.path, one.problem, one.fix)).collect();
    StepError::new(
        name::INVALID_PORTFOLIO,
        format!("the portfolio is not right, and nothing was done:\n{}", lines.join("\n")),
    )
}

/// What has been done since, of what is known: what people say first, then what the programme before knew, then what cutovers did.
pub fn progress(
    portfolio: &Portfolio,
    previous: Option<&Programme>,
    runs: &[PastRun],
    said: (Option<Date>, &BTreeMap<String, Date>),
    at: Timestamp,
) -> StepResult<Progress> {
    let (today, done) = said;
    let unknown = done.keys().find(|name| portfolio.applications.iter().all(|one| one.name != **name));
    if let Some(name) = unknown {
        let names = portfolio.applications.iter().map(|one| one.name.as_str());
        let meant =
            cutover::read::nearest(name, names).map(|meant| format!(": did you mean {meant}?")).unwrap_or_default();
        let problem = format!(
            "$.progress.done names {}, which is no application of the portfolio{meant}",
            cutover::text::named(name, 64)
        );
        return Err(StepError::new(name::INVALID_GESTURE, problem));
    }
    let zone = Zone::of(&portfolio.calendar.time_zone);
    let date = |at: Timestamp| zone.as_ref().map(|zone| zone.date(at));
    let begins: Date = portfolio.calendar.start.parse().unwrap_or_default();
    let mut settled = BTreeMap::new();
    for run in runs.iter().filter(|run| is_settled(run)) {
        let on = run.started_at.parse().ok().and_then(date).filter(|on| *on >= begins);
        settled.extend(on.map(|on| (run.application.clone(), on)));
    }
    let before = previous.iter().flat_map(|programme| &programme.placements).filter(|one| one.is_settled);
    settled.extend(before.filter_map(|one| Some((one.application.clone(), one.date.parse().ok()?))));
    settled.extend(done.iter().map(|(name, on)| (name.clone(), *on)));
    settled.retain(|name, _| portfolio.applications.iter().any(|one| one.name == *name));
    Ok(Progress { today: today.or_else(|| date(at)), settled })
}

/// Whether an application has moved by this run, or is moving: it is not planned again.
fn is_settled(run: &PastRun) -> bool {
    let ending = run.ending.as_ref().and_then(|ending| ending.name());
    match run.phase {
        Phase::RolledBack => false,
        Phase::Closed => ending != Some("Released"),
        _ => true,
    }
}

/// Plans it.
///
/// # Errors
/// `Cutover.NoProgramme`, in the planner's words.
pub fn programme(
    portfolio: &Portfolio,
    previous: Option<&Programme>,
    progress: Progress,
    is_late: &mut dyn FnMut() -> bool,
) -> StepResult<Programme> {
    let request = Request { effort: None, previous, progress };
    plan(portfolio, &request, is_late).map_err(|refusal| {
        let words = report::refusal(&refusal);
        StepError::new(name::NO_PROGRAMME, format!("nothing was done. {}", words.trim_start_matches(['#', ' '])))
    })
}

#[cfg(test)]
#[path = "planning_tests.rs"]
mod tests;
