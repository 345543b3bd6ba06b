//! What makes a well-formed portfolio sensible. Every rule reports on its own, so that all errors come at once; one whose
//! place could not be read is silent. Whether a schedule exists is not asked here.

mod calendar;
mod lockstep;

use std::collections::{BTreeMap, BTreeSet};

use cutover::finding::{Finding, MOST_FINDINGS};
use cutover::text::named;
use cutover::{Seconds, text};

use super::{Application, Dependency, DependencyKind, Portfolio};

const LONGEST_CUTOVER: Seconds = Seconds::hours(48);
const MOST_DAYS_PER_WEEK: f64 = 1_000.0;
const MOST_EFFORT_DAYS: f64 = 10_000.0;

/// Every error of sense, in what could be read.
pub(super) fn portfolio(portfolio: &Portfolio, unread: &[String]) -> Vec<Finding> {
    let mut report = Report { unread, findings: Vec::new() };
    name(&portfolio.name, "$.name", &mut report);
    calendar::check(portfolio, &mut report);
    teams(portfolio, &mut report);
    applications(portfolio, &mut report);
    dependencies(portfolio, &mut report);
    lockstep::check(portfolio, &mut report);
    report.findings
}

pub(super) struct Report<'a> {
    unread: &'a [String],
    findings: Vec<Finding>,
}

impl Report<'_> {
    /// Whether a field could be read: what stands in for it says nothing.
    fn is_read(&self, path: &str) -> bool {
        !self.unread.iter().any(|unread| unread == path)
    }

    pub(super) fn say(&mut self, path: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) {
        let path = path.into();
        let is_unread = self.unread.iter().any(|unread| {
            path.strip_prefix(unread.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        if self.findings.len() <= MOST_FINDINGS && !is_unread {
            self.findings.push(Finding::plan(path, problem, fix));
        }
    }
}

pub(super) fn quoted(name: &str) -> String {
    named(name, 80)
}

fn name(text: &str, path: &str, report: &mut Report) {
    if !text::is_name(text, 64) {
        let problem = format!("is {}", text::quoted(text, 80));
        report.say(path, problem, "give 1 to 64 of the characters A-Z a-z 0-9 - _");
    }
}

/// Names in a list that are there twice.
fn twice<'a>(names: impl Iterator<Item = &'a str>, path: impl Fn(usize) -> String, report: &mut Report) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, name) in names.enumerate() {
        if let Some(before) = first.get(name) {
            let problem = format!("{} is also {}", quoted(name), path(*before));
            report.say(path(place), problem, "give each a name of its own, or remove one");
        } else {
            first.insert(name, place);
        }
    }
}

fn teams(portfolio: &Portfolio, report: &mut Report) {
    twice(portfolio.teams.iter().map(|team| team.name.as_str()), |place| format!("$.teams[{place}].name"), report);
    for (place, team) in portfolio.teams.iter().enumerate() {
        name(&team.name, &format!("$.teams[{place}].name"), report);
        between(team.days_per_week, MOST_DAYS_PER_WEEK, format!("$.teams[{place}].days_per_week"), report);
    }
}

fn between(days: f64, most: f64, path: String, report: &mut Report) {
    if !(0.0..=most).contains(&days) {
        report.say(path, format!("is {days}"), format!("should be 0 to {most} person-days"));
    }
}

fn applications(portfolio: &Portfolio, report: &mut Report) {
    let at = |place: usize| format!("$.applications[{place}]");
    let names = portfolio.applications.iter().map(|application| application.name.as_str());
    twice(names, |place| format!("{}.name", at(place)), report);
    let teams: BTreeSet<&str> = portfolio.teams.iter().map(|team| team.name.as_str()).collect();
    if portfolio.applications.is_empty() {
        report.say("$.applications", "is empty", "name the applications of the programme");
    }
    for (place, application) in portfolio.applications.iter().enumerate() {
        let at = at(place);
        name(&application.name, &format!("{at}.name"), report);
        calendar::periods(&application.preferred, &format!("{at}.preferred"), report);
        calendar::periods(&application.forbidden, &format!("{at}.forbidden"), report);
        calendar::optional_date(application.not_before.as_deref(), &format!("{at}.not_before"), report);
        let not_before = application.not_before.as_deref();
        calendar::in_sight(&portfolio.calendar.start, not_before, &format!("{at}.not_before"), report);
        calendar::optional_date(application.not_after.as_deref(), &format!("{at}.not_after"), report);
        how(application, &at, report);
        effort(application, &teams, &at, report);
    }
}

/// A cutover has a plan or tasks, a task has tasks.
fn how(application: &Application, at: &str, report: &mut Report) {
    if !(Seconds::minutes(1)..=LONGEST_CUTOVER).contains(&application.cutover) {
        report.say(format!("{at}.cutover"), format!("is {}", application.cutover), "should be 1m to 48h");
    }
    if !report.is_read(&format!("{at}.strategy")) {
        return;
    }
    let strategy = application.strategy.name();
    let moves = application.strategy.moves();
    if moves && application.cutover_plan.is_none() && application.tasks.is_empty() {
        let problem = format!("is missing, and so are tasks: nothing says how to {strategy} it");
        report.say(
            format!("{at}.cutover_plan"),
            problem,
            "name its cutover plan, such as \"plans/shop.json\", or list its tasks",
        );
    }
    if !moves && application.cutover_plan.is_some() {
        let problem = format!("is given, and to {strategy} is no cutover");
        report.say(format!("{at}.cutover_plan"), problem, "remove it, or choose a strategy that moves the application");
    }
    if !moves && application.tasks.is_empty() {
        let problem = format!("is empty: nothing says how to {strategy} it");
        report.say(
            format!("{at}.tasks"),
            problem,
            "list what people do for it, such as { \"what\": \"revoke the accounts\" }",
        );
    }
}

fn effort(application: &Application, teams: &BTreeSet<&str>, at: &str, report: &mut Report) {
    let names = application.effort.iter().map(|effort| effort.team.as_str());
    twice(names, |place| format!("{at}.effort[{place}].team"), report);
    for (place, effort) in application.effort.iter().enumerate() {
        between(effort.days, MOST_EFFORT_DAYS, format!("{at}.effort[{place}].days"), report);
        if !teams.contains(effort.team.as_str()) {
            let problem = format!("{} is no team of the portfolio", quoted(&effort.team));
            report.say(
                format!("{at}.effort[{place}].team"),
                problem,
                known(teams.iter().copied(), &effort.team, "teams"),
            );
        }
    }
}

/// The name that was meant, or where to add it.
fn known<'a>(names: impl Iterator<Item = &'a str>, name: &str, list: &str) -> String {
    match cutover::read::nearest(name, names) {
        Some(nearest) => format!("write {}, if that is meant, or add it to `{list}`", quoted(nearest)),
        None => format!("add it to `{list}`, or correct the name"),
    }
}

fn dependencies(portfolio: &Portfolio, report: &mut Report) {
    let names: BTreeSet<&str> = portfolio.applications.iter().map(|application| application.name.as_str()).collect();
    let mut seen: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for (place, dependency) in portfolio.dependencies.iter().enumerate() {
        let at = format!("$.dependencies[{place}]");
        for (field, name) in [("first", &dependency.first), ("then", &dependency.then)] {
            if !names.contains(name.as_str()) {
                let problem = format!("{} is no application of the portfolio", quoted(name));
                report.say(format!("{at}.{field}"), problem, known(names.iter().copied(), name, "applications"));
            }
        }
        if dependency.first == dependency.then {
            let problem = format!("{} would depend on itself", quoted(&dependency.then));
            report.say(format!("{at}.then"), problem, "name another application, or remove the dependency");
        }
        days(dependency, &at, report);
        let key = (dependency.first.as_str(), dependency.then.as_str(), dependency.kind.name());
        if let Some(before) = seen.insert(key, place) {
            let problem = format!("is the same as $.dependencies[{before}]");
            report.say(at, problem, "remove one of them");
        }
    }
}

fn days(dependency: &Dependency, at: &str, report: &mut Report) {
    let counts = matches!(dependency.kind, DependencyKind::NotBeforeDays | DependencyKind::WithinDays);
    let kind = dependency.kind.name();
    match dependency.days {
        None if counts => {
            report.say(format!("{at}.days"), format!("is missing, and `{kind}` counts days"), "add `days`, such as 7");
        }
        Some(_) if !counts => {
            let fix = "remove it, or make the kind `not_before_days` or `within_days`";
            report.say(format!("{at}.days"), format!("is given, and `{kind}` counts none"), fix);
        }
        _ => {}
    }
}
