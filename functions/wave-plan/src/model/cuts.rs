//! What begins while a window is open: a freeze, or a period in which an application must not move. Whoever it concerns has to have
//! ended by then, as the wave itself will say that night.

use jiff::civil::Date;

use super::days::between;
use super::{Constraint, Terms, planned_part};
use crate::portfolio::{Freeze, Portfolio, calendar};
use crate::solve::Day;

/// A window that is shorter than it says, for all or for one application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The day on which it opens.
    pub day: Day,
    /// How many minutes may be planned until it is over.
    pub minutes: i32,
    /// What begins then.
    pub constraint: Constraint,
}

/// The cuts of freezes that are for all.
pub(crate) fn of_all(portfolio: &Portfolio, start: Date, terms: &Terms) -> Vec<Cut> {
    let freezes = freezes(portfolio).filter(|(_, freeze)| freeze.applications.is_empty());
    freezes.flat_map(|(place, freeze)| of(portfolio, start, terms, &freeze.from, Constraint::Freeze(place))).collect()
}

/// The cuts for one application: of freezes that name it, and of its own periods.
pub(crate) fn of_one(portfolio: &Portfolio, start: Date, terms: &Terms, place: usize) -> Vec<Cut> {
    let one = &portfolio.applications[place];
    let freezes = freezes(portfolio).filter(|(_, freeze)| freeze.applications.contains(&one.name));
    let freezes = freezes.map(|(freeze, it)| (it.from.as_str(), Constraint::Freeze(freeze)));
    let forbidden = one.forbidden.iter().enumerate();
    let forbidden = forbidden.map(|(index, it)| (it.from.as_str(), Constraint::Forbidden(place, index)));
    freezes.chain(forbidden).flat_map(|(from, constraint)| of(portfolio, start, terms, from, constraint)).collect()
}

fn freezes(portfolio: &Portfolio) -> impl Iterator<Item = (usize, &Freeze)> {
    portfolio.calendar.freezes.iter().enumerate()
}

/// The windows that are open as something begins: of the two days before, since none is open for longer.
fn of(portfolio: &Portfolio, start: Date, terms: &Terms, from: &str, constraint: Constraint) -> Vec<Cut> {
    let Some(begins) = calendar::date(from).filter(|_| !terms.without.contains(&constraint)) else { return Vec::new() };
    let cut = |days: i32| {
        let date = begins.checked_sub(jiff::Span::new().days(days)).ok()?;
        let seconds = portfolio.calendar.seconds_before(date, begins)?;
        let minutes = (seconds as f64 / 60.0 * planned_part(portfolio) + 1e-6).floor() as i32;
        Some(Cut { day: between(start, date), minutes, constraint })
    };
    (1..=2).filter_map(cut).collect()
}
