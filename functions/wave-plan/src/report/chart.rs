//! The chart itself: a row for each application, then the teams' weeks, over one axis of days. SVG.

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::civil::Date;

use super::page::escaped;
use crate::portfolio::{Freeze, Portfolio, calendar};
use crate::programme::{Placement, Programme, TeamLoad, WeekLoad};

/// How wide the names are, in points; longer ones are cut.
const NAMES: i32 = 172;
const LONGEST_NAME: usize = 24;
const ROW: i32 = 24;
const HEAD: i32 = 52;
const TEAM: i32 = 56;

/// Days along, rows down.
pub(super) struct Chart<'a> {
    portfolio: &'a Portfolio,
    programme: &'a Programme,
    first: Date,
    days: i32,
    day_points: f64,
    /// What stays in sight.
    names: String,
    /// What is scrolled.
    svg: String,
}

impl<'a> Chart<'a> {
    pub fn new(portfolio: &'a Portfolio, programme: &'a Programme) -> Self {
        let start = calendar::date(&programme.start).unwrap_or_default();
        let first = start.saturating_sub(jiff::Span::new().days(i32::from(start.weekday().to_monday_zero_offset())));
        let weeks = programme.teams.iter().map(|team| team.weeks.len()).max().unwrap_or_default() as i32;
        let last = calendar::date(&programme.end).map_or(0, |end| day(first, end));
        let days = (weeks * 7).max((last / 7 + 1) * 7);
        // Short programmes fill the page, long ones are scrolled.
        let day_points = (1000.0 / f64::from(days)).clamp(4.0, 30.0);
        Self { portfolio, programme, first, days, day_points, names: String::new(), svg: String::new() }
    }

    /// The whole chart: the names, and beside them what is scrolled on a narrow screen.
    pub fn svg(mut self) -> String {
        let rows = self.programme.placements.len() as i32;
        let height = HEAD + rows * ROW + 24 + self.programme.teams.len() as i32 * TEAM + 8;
        let width = (f64::from(self.days) * self.day_points) as i32 + 16;
        let label = escaped(&format!("Gantt chart of {}", self.programme.portfolio));
        self.ground(rows);
        let critical: BTreeSet<&str> = self.programme.critical_path.iter().map(String::as_str).collect();
        for (row, one) in self.programme.placements.iter().enumerate() {
            self.row(one, HEAD + row as i32 * ROW, critical.contains(one.application.as_str()));
        }
        for (place, team) in self.programme.teams.iter().enumerate() {
            self.team(team, HEAD + rows * ROW + 24 + place as i32 * TEAM);
        }
        let names = format!(
            "<svg class=\"names\" width=\"{NAMES}\" height=\"{height}\" aria-hidden=\"true\">{}</svg>",
            self.names
        );
        format!(
            "{names}<svg width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{label}\">{}</svg>\n",
            self.svg
        )
    }

    fn x(&self, date: Date) -> f64 {
        f64::from(day(self.first, date)) * self.day_points
    }

    fn rect(&mut self, class: &str, (x, y): (f64, i32), (width, height): (f64, i32), title: &str) {
        let title = if title.is_empty() { String::new() } else { format!("<title>{}</title>", escaped(title)) };
        let _ = write!(
            self.svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\" rx=\"2\">{title}</rect>"
        );
    }

    fn text(&mut self, class: &str, (x, y): (f64, i32), text: &str) {
        let _ = write!(self.svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y}\">{}</text>", escaped(text));
    }

    fn name(&mut self, class: &str, y: i32, text: &str) {
        let shown: String = match text.chars().count() > LONGEST_NAME {
            true => text.chars().take(LONGEST_NAME - 1).chain(['…']).collect(),
            false => text.to_owned(),
        };
        let _ = write!(self.names, "<text class=\"{class}\" x=\"8\" y=\"{y}\">{}</text>", escaped(&shown));
    }

    /// Weeks, freezes of all, and the waves' lines.
    fn ground(&mut self, rows: i32) {
        let bottom = HEAD + rows * ROW;
        let week_points = 7.0 * self.day_points;
        for week in 0..self.days / 7 {
            let monday = self.first.saturating_add(jiff::Span::new().days(7 * week));
            let x = self.x(monday);
            if week % 2 == 0 {
                self.rect("band", (x, 0), (week_points, bottom), "");
            }
            if week_points >= 60.0 || week % 4 == 0 {
                let text = monday.strftime("%b %-d").to_string();
                self.text("quiet", (x + 4.0, 16), &text);
            }
        }
        let portfolio = self.portfolio;
        for freeze in portfolio.calendar.freezes.iter().filter(|freeze| freeze.applications.is_empty()) {
            self.freeze(freeze, "freeze", HEAD, rows * ROW);
        }
        let programme = self.programme;
        for wave in &programme.waves {
            let Some(date) = calendar::date(&wave.date) else { continue };
            let x = self.x(date) + self.day_points / 2.0;
            let _ = write!(self.svg, "<line class=\"wave\" x1=\"{x:.1}\" y1=\"38\" x2=\"{x:.1}\" y2=\"{bottom}\"/>");
            if self.day_points >= 8.0 || wave.number % 5 == 1 {
                self.text("strong", (x - 4.0, 34), &wave.number.to_string());
            }
        }
        self.name("quiet", 34, "wave");
    }

    fn freeze(&mut self, freeze: &Freeze, class: &str, y: i32, height: i32) {
        let (Some(from), Some(to)) = (calendar::date(&freeze.from), calendar::date(&freeze.to)) else { return };
        let last = self.first.saturating_add(jiff::Span::new().days(self.days));
        let (from, to) = (from.max(self.first), to.saturating_add(jiff::Span::new().days(1)).min(last));
        if from < to {
            let (x, end) = (self.x(from), self.x(to));
            self.rect(
                class,
                (x, y),
                (end - x, height),
                &format!("freeze {}: {} to {}", freeze.name, freeze.from, freeze.to),
            );
        }
    }

    fn row(&mut self, one: &Placement, y: i32, is_critical: bool) {
        let portfolio = self.portfolio;
        let own = portfolio
            .calendar
            .freezes
            .iter()
            .filter(|freeze| !freeze.applications.is_empty() && freeze.concerns(&one.application));
        own.for_each(|freeze| self.freeze(freeze, "own-freeze", y + ROW - 5, 4));
        let Some(date) = calendar::date(&one.date) else { return };
        let x = self.x(date);
        let title = format!("{}, {}: {}", one.application, one.date, one.because.join("; "));
        if let Some(from) = one.preparation_from.as_deref().and_then(calendar::date).map(|from| self.x(from)) {
            self.rect("prepare", (from, y + 7), ((x - from).max(0.0), 10), &title);
        }
        let first = self.programme.baseline.as_ref().and_then(|baseline| baseline.dates.get(&one.application));
        if let Some(before) = first.and_then(|first| calendar::date(first)).filter(|before| *before != date) {
            let width = self.day_points.max(6.0);
            self.rect("before", (self.x(before), y + 4), (width, 16), &format!("first planned for {before}"));
        }
        let class = if is_critical {
            "critical"
        } else if one.wave.is_some() {
            "move"
        } else {
            "task"
        };
        self.rect(class, (x, y + 3), (self.day_points.max(6.0), 18), &title);
        self.name(if is_critical { "strong" } else { "" }, y + 16, &one.application);
    }

    /// A bar for each week, against the line of what the team has.
    fn team(&mut self, team: &TeamLoad, y: i32) {
        let most = team.weeks.iter().map(|week| week.capacity_days.max(week.days)).fold(0.1, f64::max);
        let height = f64::from(TEAM - 14);
        let bottom = y + TEAM - 4;
        self.name("", y + 22, &team.team);
        self.name("quiet", y + 38, &format!("{most:.1} days a week"));
        for WeekLoad { monday, days, capacity_days } in &team.weeks {
            let Some(date) = calendar::date(monday) else { continue };
            let (x, width) = (self.x(date), 7.0 * self.day_points);
            let points = (days / most * height).round() as i32;
            let planned = capacity_days * (1.0 - f64::from(self.programme.quality.contingency_percent) / 100.0);
            let class = if *days > planned * 0.98 && *days > 0.0 { "full" } else { "load" };
            let title = format!("{}, week of {monday}: {days:.1} of {capacity_days:.1} person-days", team.team);
            self.rect(class, (x + 2.0, bottom - points), (width - 4.0, points), &title);
            let limit = f64::from(bottom) - planned / most * height;
            let _ = write!(
                self.svg,
                "<line class=\"limit\" x1=\"{x:.1}\" y1=\"{limit:.1}\" x2=\"{:.1}\" y2=\"{limit:.1}\"/>",
                x + width
            );
        }
    }
}

fn day(first: Date, date: Date) -> i32 {
    first.until(date).map(|span| span.get_days()).unwrap_or_default()
}
