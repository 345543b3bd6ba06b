//! What the applications of a programme share: the places in a wave, and the teams.

use jiff::civil::Date;

use super::{Constraint, Terms, cuts};
use crate::portfolio::{Application, Criticality, Portfolio};
use crate::solve::{Day, Use};

/// More than any portfolio can use.
const WITHOUT_LIMIT: i32 = i32::MAX / 8;
/// A person-day a week in the solver's whole numbers.
const HUNDREDTHS: f64 = 100.0;

/// What a capacity is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Applications in a wave.
    PerWave,
    /// Critical applications in a wave.
    CriticalPerWave,
    /// Minutes of a window, times the cutovers that run at a time.
    WindowMinutes,
    /// Hundredths of a person-day a week, of the team at this place.
    Team(usize),
}

/// All resources, with their capacity on each day. What is kept free is not in it.
pub(super) fn of(portfolio: &Portfolio, start: Date, horizon: Day, terms: &Terms) -> (Vec<Resource>, Vec<Vec<i32>>) {
    let limits = &portfolio.limits;
    let days = horizon as usize;
    let unless =
        |constraint, capacity: u32| if terms.without.contains(&constraint) { WITHOUT_LIMIT } else { capacity as i32 };
    let minutes = window_minutes(portfolio, start, horizon, terms);
    let longest = minutes.iter().copied().max().unwrap_or_default();
    // Days without a window are closed by the calendar: an even capacity there costs the exact engine nothing.
    let of_window = |minutes: &i32| {
        (if *minutes == 0 { longest } else { *minutes })
            .saturating_mul(limits.parallel_cutovers as i32)
            .min(WITHOUT_LIMIT)
    };
    let mut resources = vec![Resource::PerWave, Resource::CriticalPerWave, Resource::WindowMinutes];
    let mut capacities = vec![
        vec![unless(Constraint::PerWave, limits.applications_per_wave); days],
        vec![unless(Constraint::CriticalPerWave, limits.critical_per_wave); days],
        minutes.iter().map(of_window).collect(),
    ];
    let parts = working_parts(portfolio, start, days);
    for (place, team) in portfolio.teams.iter().enumerate() {
        resources.push(Resource::Team(place));
        let free = team.days_per_week * HUNDREDTHS * planned_part(portfolio);
        capacities.push(match terms.without.contains(&Constraint::Team(place)) {
            true => vec![WITHOUT_LIMIT; days],
            false => parts.iter().map(|part| (free * part + 1e-6).floor() as i32).collect(),
        });
    }
    (resources, capacities)
}

/// The part of everything that may be planned.
pub(crate) fn planned_part(portfolio: &Portfolio) -> f64 {
    1.0 - f64::from(portfolio.contingency_percent) / 100.0
}

/// For each day, which part of its week's working days is no holiday.
pub(crate) fn working_parts(portfolio: &Portfolio, start: Date, days: usize) -> Vec<f64> {
    let calendar = &portfolio.calendar;
    let nominal = calendar.working_days.len().max(1) as f64;
    let mut parts = Vec::with_capacity(days);
    let mut monday = start.saturating_sub(jiff::Span::new().days(i32::from(start.weekday().to_monday_zero_offset())));
    while parts.len() < days {
        let week: Vec<Date> = (0..7).map(|day| monday.saturating_add(jiff::Span::new().days(day))).collect();
        let working = week.iter().filter(|date| calendar.is_working(**date)).count() as f64;
        parts.extend(week.iter().filter(|date| **date >= start).map(|_| working / nominal));
        monday = monday.saturating_add(jiff::Span::new().days(7));
    }
    parts.truncate(days);
    parts
}

/// The minutes that may be planned of each day's window; 0 where there is none.
pub(super) fn window_minutes(portfolio: &Portfolio, start: Date, horizon: Day, terms: &Terms) -> Vec<i32> {
    let is_without = terms.without.contains(&Constraint::WindowLength);
    let of_day = |day: Day| {
        let window = portfolio.calendar.window_on(start.saturating_add(jiff::Span::new().days(day)));
        window.map_or(0, |window| match is_without {
            true => WITHOUT_LIMIT,
            false => (window.lasts.0 as f64 / 60.0 * planned_part(portfolio) + 1e-6).floor() as i32,
        })
    };
    let mut minutes: Vec<i32> = (0..horizon).map(of_day).collect();
    for cut in cuts::of_all(portfolio, start, terms) {
        if let Some(minutes) = usize::try_from(cut.day).ok().and_then(|day| minutes.get_mut(day)) {
            *minutes = cut.minutes.min(*minutes);
        }
    }
    minutes
}

/// Over how many weeks an application's work is spread.
pub(crate) fn preparation_weeks(portfolio: &Portfolio, application: &Application) -> Day {
    weeks_of(portfolio, application, &Terms::default())
}

/// Over how many weeks an application is prepared though no team of the portfolio works for it: by its owner, or by others.
pub(super) fn bare_weeks(application: &Application) -> Day {
    let has_work = application.effort.iter().any(|effort| effort.days > 0.0);
    application.preparation_weeks.filter(|_| !has_work).map_or(0, |weeks| weeks as Day)
}

/// As [`preparation_weeks`], where a team that is left out has its work done at once.
fn weeks_of(portfolio: &Portfolio, application: &Application, terms: &Terms) -> Day {
    let of_effort = |effort: &crate::portfolio::Effort| {
        let place = portfolio.teams.iter().position(|team| team.name == effort.team);
        if effort.days <= 0.0 || place.is_some_and(|place| terms.without.contains(&Constraint::Team(place))) {
            return None;
        }
        let free = place.map_or(0.0, |place| portfolio.teams[place].days_per_week * planned_part(portfolio));
        Some(if free > 0.0 { ((effort.days / free - 1e-6).ceil() as Day).max(1) } else { 1 })
    };
    let needed = || application.effort.iter().filter_map(of_effort).max();
    application.preparation_weeks.map(|weeks| weeks as Day).or_else(needed).unwrap_or_default().min(520)
}

/// What an application takes.
pub(super) fn uses(
    portfolio: &Portfolio,
    application: &Application,
    resources: &[Resource],
    terms: &Terms,
) -> Vec<Use> {
    let on_the_day = |resource, amount| Use { resource, offset: 0, length: 1, amount };
    let weeks = weeks_of(portfolio, application, terms);
    let mut uses = Vec::new();
    for (place, resource) in resources.iter().enumerate() {
        match resource {
            Resource::Team(team) => {
                let name = &portfolio.teams[*team].name;
                let days: f64 =
                    application.effort.iter().filter(|effort| effort.team == *name).map(|effort| effort.days).sum();
                if days > 0.0 && weeks > 0 {
                    let amount = (days * HUNDREDTHS / f64::from(weeks) - 1e-6).ceil() as i32;
                    uses.push(Use { resource: place, offset: -7 * weeks, length: 7 * weeks, amount });
                }
            }
            _ if !application.strategy.moves() => {}
            Resource::PerWave => uses.push(on_the_day(place, 1)),
            Resource::CriticalPerWave if application.criticality == Criticality::Critical => {
                uses.push(on_the_day(place, 1))
            }
            Resource::CriticalPerWave => {}
            Resource::WindowMinutes => uses.push(on_the_day(place, application.cutover.0.div_ceil(60) as i32)),
        }
    }
    uses
}
