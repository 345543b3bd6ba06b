//! From a portfolio, what was planned before and what was done since, to a programme; or to why there is none. Pure.

use std::collections::{BTreeMap, BTreeSet};

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
        format!("the portfolio is not right, and nothing was done: {}", lines.join("; ")),
    )
}

/// What people say of it.
#[derive(Clone, Debug, Default)]
pub struct Told<'a> {
    /// The date on which it is planned; today's, if they say none.
    pub today: Option<Date>,
    /// What is done, with its date.
    pub done: Option<&'a BTreeMap<String, Date>>,
    /// What is not, whatever else is known.
    pub not_done: Option<&'a BTreeSet<String>>,
}

/// What has been done since, of what is known: what people say first, then what cutovers did, then what the programme before knew. What that one took for
/// done is not, if its newest run was put back since.
///
/// # Errors
/// `Cutover.InvalidGesture`: a name that is none of the portfolio's, a date on which nothing can have been done.
pub fn progress(
    portfolio: &Portfolio,
    previous: Option<&Programme>,
    runs: &[PastRun],
    told: &Told<'_>,
    at: Timestamp,
) -> StepResult<Progress> {
    let zone = Zone::of(&portfolio.calendar.time_zone);
    let begins: Date = portfolio.calendar.start.parse().unwrap_or_default();
    let today = told.today.or_else(|| zone.as_ref().map(|zone| zone.date(at)));
    let (done, not_done) = (told.done.into_iter().flatten(), told.not_done.into_iter().flatten());
    done.clone().try_for_each(|(name, _)| known(portfolio, name, "done"))?;
    not_done.clone().try_for_each(|name| known(portfolio, name, "not_done"))?;
    done.clone().try_for_each(|(name, on)| possible(name, *on, begins, today))?;
    let newest: BTreeMap<&str, &PastRun> = runs.iter().map(|run| (run.application.as_str(), run)).collect();
    let mut settled = BTreeMap::new();
    let before = previous.iter().flat_map(|programme| &programme.placements).filter(|one| one.is_settled);
    settled.extend(before.filter_map(|one| Some((one.application.clone(), one.date.parse().ok()?))));
    settled.retain(|name, _| newest.get(name.as_str()).is_none_or(|run| is_settled(run)));
    for (name, run) in newest.into_iter().filter(|(_, run)| is_settled(run)) {
        let began: Option<Timestamp> = run.started_at.parse().ok();
        let on = began.zip(zone.as_ref()).map(|(began, zone)| window_of(portfolio, zone, began));
        settled.extend(on.filter(|on| *on >= begins).map(|on| (name.to_owned(), on)));
    }
    settled.extend(done.map(|(name, on)| (name.clone(), *on)));
    for name in not_done {
        settled.remove(name);
    }
    settled.retain(|name, _| portfolio.applications.iter().any(|one| one.name == *name));
    Ok(Progress { today, settled })
}

fn known(portfolio: &Portfolio, name: &str, field: &str) -> StepResult<()> {
    let names = || portfolio.applications.iter().map(|one| one.name.as_str());
    if names().any(|one| one == name) {
        return Ok(());
    }
    let meant =
        cutover::read::nearest(name, names()).map(|meant| format!(": did you mean {meant}?")).unwrap_or_default();
    let name = cutover::text::named(name, 64);
    let problem = format!("$.progress.{field} names {name}, which is no application of the portfolio{meant}");
    Err(StepError::new(name::INVALID_GESTURE, problem))
}

/// Nothing is done before the programme begins, or after today.
fn possible(name: &str, on: Date, begins: Date, today: Option<Date>) -> StepResult<()> {
    let why = match today {
        _ if on < begins => {
            format!("before {begins}, on which the portfolio's calendar starts: write a date from then on")
        }
        Some(today) if on > today => format!("after {today}, which is today: write it once it is done"),
        _ => return Ok(()),
    };
    let name = cutover::text::named(name, 64);
    Err(StepError::new(name::INVALID_GESTURE, format!("$.progress.done says that {name} was done on {on}, {why}")))
}

/// The date of the window in which a run began, which may have opened the day before, or two: a window lasts 48 hours at the most. Of one that began in none,
/// the date on which it did.
fn window_of(portfolio: &Portfolio, zone: &Zone, began: Timestamp) -> Date {
    let calendar = &portfolio.calendar;
    let on = zone.date(began);
    let is_open = |date: &Date| {
        calendar.window_on(*date).is_some_and(|window| {
            let opens = zone.at(&format!("{date}T{}:00", window.opens));
            opens.is_some_and(|opens| {
                let open_seconds = began.duration_since(opens).as_secs();
                (0..i64::try_from(window.lasts.0).unwrap_or(i64::MAX)).contains(&open_seconds)
            })
        })
    };
    let before = |days: i64| on.checked_sub(jiff::Span::new().days(days)).unwrap_or(on);
    (0..=2).map(before).find(is_open).unwrap_or(on)
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
        StepError::new(name::NO_PROGRAMME, format!("nothing was done. {}", one_line(&report::refusal(&refusal))))
    })
}

/// A report in Markdown as one line, which is what an execution's cause is shown on.
fn one_line(markdown: &str) -> String {
    let mut text = String::new();
    let mut was_item = false;
    for line in markdown.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (item, is_item) =
            line.strip_prefix("- ").map_or((line.trim_start_matches(['#', ' ']), false), |item| (item, true));
        let between = match (was_item, is_item) {
            _ if text.is_empty() => "",
            (true, true) => "; ",
            _ if text.ends_with(['.', ':']) => " ",
            _ => ". ",
        };
        text.push_str(between);
        text.push_str(item);
        was_item = is_item;
    }
    text
}

#[cfg(test)]
#[path = "planning_tests.rs"]
mod tests;
