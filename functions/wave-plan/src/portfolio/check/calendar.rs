//! What makes dates, windows and freezes sensible.

use std::collections::{BTreeMap, BTreeSet};

use cutover::text::quoted;

use super::Report;
use crate::portfolio::{Calendar, Period, Portfolio, Weekday, Window, calendar};
use cutover::Seconds;

const SHORTEST_WINDOW: Seconds = Seconds::minutes(15);
const LONGEST_WINDOW: Seconds = Seconds::hours(48);

pub(super) fn check(portfolio: &Portfolio, report: &mut Report) {
    let calendar = &portfolio.calendar;
    if calendar::time_zone(&calendar.time_zone).is_none() {
        let problem = format!("{} is no time zone", quoted(&calendar.time_zone, 80));
        report.say("$.calendar.time_zone", problem, "write an IANA name, such as `Europe/Zurich` or `UTC`");
    }
    date(&calendar.start, "$.calendar.start", report);
    optional_date(calendar.end.as_deref(), "$.calendar.end", report);
    if let Some(end) = &calendar.end {
        in_order(&calendar.start, end, "$.calendar.end", "the programme's start", report);
    }
    windows(portfolio, report);
    let names: BTreeSet<&str> = portfolio.applications.iter().map(|application| application.name.as_str()).collect();
    for (place, freeze) in calendar.freezes.iter().enumerate() {
        let at = format!("$.calendar.freezes[{place}]");
        from_to(&freeze.from, &freeze.to, &at, report);
        for (index, name) in freeze.applications.iter().enumerate() {
            if !names.contains(name.as_str()) {
                let problem = format!("{} is no application of the portfolio", quoted(name, 80));
                report.say(
                    format!("{at}.applications[{index}]"),
                    problem,
                    super::known(names.iter().copied(), name, "applications"),
                );
            }
        }
    }
    for (place, holiday) in calendar.holidays.iter().enumerate() {
        date(&holiday.date, &format!("$.calendar.holidays[{place}].date"), report);
    }
}

fn windows(portfolio: &Portfolio, report: &mut Report) {
    let Calendar { windows, .. } = &portfolio.calendar;
    let mut days = BTreeMap::new();
    if windows.is_empty() && portfolio.applications.iter().any(|application| application.strategy.moves()) {
        let fix = "add one, such as { \"days\": [\"saturday\"], \"opens\": \"22:00\", \"lasts\": \"8h\" }";
        report.say("$.calendar.windows", "is empty, and there is something to move", fix);
    }
    for (place, window) in windows.iter().enumerate() {
        let at = format!("$.calendar.windows[{place}]");
        if calendar::time(&window.opens).is_none() {
            let problem = format!("is {}", quoted(&window.opens, 80));
            report.say(format!("{at}.opens"), problem, "write hours and minutes, such as \"22:00\"");
        }
        if !(SHORTEST_WINDOW..=LONGEST_WINDOW).contains(&window.lasts) {
            report.say(format!("{at}.lasts"), format!("is {}", window.lasts), "should be 15m to 48h");
        }
        for day in &window.days {
            if let Some(before) = days.insert(*day, place) {
                let problem = format!("has a day that $.calendar.windows[{before}] has too");
                report.say(
                    format!("{at}.days"),
                    problem,
                    "have one window a day: make it longer, or choose another day",
                );
            }
        }
    }
    overlapping(windows, report);
}

const WEEK_SECONDS: u64 = 7 * 24 * 3_600;

/// Windows that are open at the same time, through midnight and over the week's end too: two waves would run at once.
fn overlapping(windows: &[Window], report: &mut Report) {
    let mut open: Vec<(u64, Weekday, usize)> = Vec::new();
    for (place, window) in windows.iter().enumerate() {
        let Some(opens) = calendar::time(&window.opens) else { continue };
        let of_day = 3_600 * opens.hour() as u64 + 60 * opens.minute() as u64;
        open.extend(window.days.iter().map(|day| (24 * 3_600 * *day as u64 + of_day, *day, place)));
    }
    open.sort_unstable();
    // Two on one day were told.
    open.dedup_by_key(|(_, day, _)| *day);
    let mut told = BTreeSet::new();
    for (at, (opens, day, place)) in open.iter().enumerate() {
        let last = at + 1 == open.len();
        let (next_opens, next_day, next) = open[(at + 1) % open.len()];
        let free = next_opens + if last { WEEK_SECONDS } else { 0 } - opens;
        let lasts = windows[*place].lasts;
        if lasts.0 > free && lasts <= LONGEST_WINDOW && told.insert(place) {
            let problem = format!(
                "is {lasts}: opened on {}, it is still open as $.calendar.windows[{next}] opens on {}, at {}",
                day.name(),
                next_day.name(),
                windows[next].opens
            );
            let fix = format!("let it last {} at the most, or leave one of the two out", Seconds(free));
            report.say(format!("$.calendar.windows[{place}].lasts"), problem, fix);
        }
    }
}

pub(super) fn periods(periods: &[Period], at: &str, report: &mut Report) {
    for (place, period) in periods.iter().enumerate() {
        from_to(&period.from, &period.to, &format!("{at}[{place}]"), report);
    }
}

fn from_to(from: &str, to: &str, at: &str, report: &mut Report) {
    date(from, &format!("{at}.from"), report);
    date(to, &format!("{at}.to"), report);
    in_order(from, to, &format!("{at}.to"), "its first date", report);
}

fn in_order(from: &str, to: &str, path: &str, what: &str, report: &mut Report) {
    if let (Some(first), Some(last)) = (calendar::date(from), calendar::date(to))
        && last < first
    {
        report.say(path, format!("is {last}, before {what}, {first}"), "exchange them, or correct one");
    }
}

pub(super) fn optional_date(text: Option<&str>, path: &str, report: &mut Report) {
    if let Some(text) = text {
        date(text, path, report);
    }
}

/// The planner looks ahead for twenty years: nothing is planned after them.
pub(super) fn in_sight(start: &str, text: Option<&str>, path: &str, report: &mut Report) {
    if let (Some(last), Some(date)) = (calendar::date(start).map(calendar::last_date), text.and_then(calendar::date))
        && date > last
    {
        let problem = format!("is {date}, and the planner looks ahead to {last}, twenty years from the start");
        report.say(path, problem, "bring it forward, or leave what comes so late to a later programme");
    }
}

fn date(text: &str, path: &str, report: &mut Report) {
    if calendar::date(text).is_none() {
        report.say(path, format!("is {}", quoted(text, 80)), "write a date of the calendar, such as \"2026-03-07\"");
    }
}
