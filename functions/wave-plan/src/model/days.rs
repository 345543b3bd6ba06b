//! On which days something may move.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::resources::bare_weeks;
use super::{Constraint, Terms};
use crate::portfolio::calendar::MOST_DAYS;
use crate::portfolio::{Application, Portfolio, Team, calendar};
use crate::solve::{Day, Days};

/// How many days from one date to another.
pub(super) fn between(from: Date, to: Date) -> Day {
    from.until(to).map(|span| span.get_days()).unwrap_or_default()
}

/// The number of days from the programme's start to its end, or to as far as it is looked ahead.
pub(super) fn horizon(portfolio: &Portfolio, start: Date, terms: &Terms) -> Day {
    let end = portfolio.calendar.end.as_deref().and_then(calendar::date);
    let end = end.filter(|_| !terms.without.contains(&Constraint::End)).map(|end| between(start, end) + 1);
    // What is done already may have been later.
    let settled = terms.progress.settled.values().map(|date| between(start, *date) + 1).max().unwrap_or_default();
    end.unwrap_or(terms.horizon).clamp(1, MOST_DAYS).max(settled)
}

/// For how long to look ahead, where a programme has no end: twice what its work and its waves take one after the other, all lags, and from
/// the last date that it names. Twenty years at the most.
pub(crate) fn far_enough(portfolio: &Portfolio) -> Day {
    let free = f64::from(100 - portfolio.contingency_percent.min(99)) / 100.0;
    let work = |team: &Team| {
        let efforts = portfolio.applications.iter().flat_map(|one| &one.effort);
        let days: f64 = efforts.filter(|effort| effort.team == team.name).map(|effort| effort.days).sum();
        days / (team.days_per_week * free).max(0.1)
    };
    let weeks = portfolio.teams.iter().map(work).fold(0.0, f64::max);
    let count = portfolio.applications.len() as f64;
    let per_wave = f64::from(portfolio.limits.applications_per_wave.min(portfolio.limits.critical_per_wave.max(1)));
    let lags: f64 = portfolio.dependencies.iter().filter_map(|one| one.days).map(f64::from).sum();
    let days = 2.0 * 7.0 * (weeks + count / per_wave) + lags + 400.0;
    (days + f64::from(last_date(portfolio))).min(f64::from(MOST_DAYS)) as Day
}

/// The last date that a portfolio names, apart from its end.
fn last_date(portfolio: &Portfolio) -> Day {
    let start = calendar::date(&portfolio.calendar.start).unwrap_or_default();
    let freezes = portfolio.calendar.freezes.iter().map(|freeze| freeze.to.as_str());
    let forbidden = portfolio.applications.iter().flat_map(|one| &one.forbidden).map(|period| period.to.as_str());
    let first = portfolio.applications.iter().filter_map(|one| one.not_before.as_deref());
    let days = freezes.chain(forbidden).chain(first).filter_map(calendar::date).map(|date| between(start, date));
    days.max().unwrap_or_default().max(0)
}

/// The first day on which anything may still be planned.
pub(super) fn first_open(start: Date, terms: &Terms) -> Day {
    // A wave that runs takes nobody in any more.
    let has_begun = |today: Date| Day::from(terms.progress.settled.values().any(|date| *date == today));
    terms.progress.today.map_or(0, |today| between(start, today) + has_begun(today))
}

/// The days of each group; groups that may move on the same days share them.
pub(super) fn of_groups(
    portfolio: &Portfolio,
    start: Date,
    horizon: Day,
    terms: &Terms,
    groups: &[Vec<usize>],
) -> Vec<Arc<Days>> {
    let dates: Vec<Date> = (0..horizon).map(|day| start.saturating_add(jiff::Span::new().days(day))).collect();
    let today = first_open(start, terms);
    let general = |moves: bool| -> Vec<bool> {
        let is_open = |(day, date): (usize, &Date)| {
            let is_open = if moves {
                portfolio.calendar.window_on(*date).is_some()
            } else {
                portfolio.calendar.is_working(*date)
            };
            is_open && day as Day >= today
        };
        let mut open: Vec<bool> = dates.iter().enumerate().map(is_open).collect();
        for (place, freeze) in portfolio.calendar.freezes.iter().enumerate() {
            if freeze.applications.is_empty() && !terms.without.contains(&Constraint::Freeze(place)) {
                close(&mut open, start, &freeze.from, &freeze.to);
            }
        }
        open
    };
    let general = [general(false), general(true)];
    let mut shared: BTreeMap<Vec<bool>, Arc<Days>> = BTreeMap::new();
    let plain = [Arc::new(Days::new(&general[0])), Arc::new(Days::new(&general[1]))];
    groups
        .iter()
        .map(|group| {
            let members = || group.iter().map(|place| (*place, &portfolio.applications[*place]));
            let moves = usize::from(members().any(|(_, one)| one.strategy.moves()));
            let is_plain = |(_, one): (usize, &Application)| {
                let is_free = one.forbidden.is_empty() && one.not_before.is_none() && one.not_after.is_none();
                let is_free = is_free && bare_weeks(one) == 0;
                let is_settled = terms.progress.settled.contains_key(&one.name);
                is_free
                    && !is_settled
                    && !portfolio
                        .calendar
                        .freezes
                        .iter()
                        .any(|freeze| !freeze.applications.is_empty() && freeze.concerns(&one.name))
            };
            if members().all(is_plain) {
                return Arc::clone(&plain[moves]);
            }
            let mut open = general[moves].clone();
            members().for_each(|(place, one)| restrict(&mut open, portfolio, start, terms, (place, one)));
            if let Some(date) = members().find_map(|(_, one)| terms.progress.settled.get(&one.name)) {
                let day = between(start, *date).max(0) as usize;
                open.iter_mut().enumerate().for_each(|(place, open)| *open = place == day);
            }
            Arc::clone(shared.entry(open.clone()).or_insert_with(|| Arc::new(Days::new(&open))))
        })
        .collect()
}

/// Closes the days on which one application must not move.
fn restrict(open: &mut [bool], portfolio: &Portfolio, start: Date, terms: &Terms, (place, one): (usize, &Application)) {
    let is_kept = |constraint| !terms.without.contains(&constraint);
    let prepared = (7 * bare_weeks(one)).clamp(0, open.len() as Day) as usize;
    open[..prepared].fill(false);
    for (index, freeze) in portfolio.calendar.freezes.iter().enumerate() {
        if !freeze.applications.is_empty() && freeze.concerns(&one.name) && is_kept(Constraint::Freeze(index)) {
            close(open, start, &freeze.from, &freeze.to);
        }
    }
    for (index, period) in one.forbidden.iter().enumerate() {
        if is_kept(Constraint::Forbidden(place, index)) {
            close(open, start, &period.from, &period.to);
        }
    }
    if let Some(date) =
        one.not_before.as_deref().and_then(calendar::date).filter(|_| is_kept(Constraint::NotBefore(place)))
    {
        let day = between(start, date).clamp(0, open.len() as Day) as usize;
        open[..day].fill(false);
    }
    if let Some(date) =
        one.not_after.as_deref().and_then(calendar::date).filter(|_| is_kept(Constraint::NotAfter(place)))
    {
        let day = (between(start, date) + 1).clamp(0, open.len() as Day) as usize;
        open[day..].fill(false);
    }
}

fn close(open: &mut [bool], start: Date, from: &str, to: &str) {
    if let (Some(from), Some(to)) = (calendar::date(from), calendar::date(to)) {
        let last = open.len() as Day;
        let (from, to) = (between(start, from).clamp(0, last), (between(start, to) + 1).clamp(0, last));
        open[from as usize..(to.max(from)) as usize].fill(false);
    }
}
