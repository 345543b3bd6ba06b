//! When something may move.

use cutover::Seconds;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DATE;

/// When something may move: from a date on, in maintenance windows, outside of freezes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Calendar {
    /// The time zone of all dates and times, by its IANA name.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: String,
    /// The first date of the programme: work begins then.
    #[schemars(regex(pattern = DATE))]
    pub start: String,
    /// The last date of the programme. Left out, it takes as long as it takes.
    #[schemars(regex(pattern = DATE))]
    pub end: Option<String>,
    /// The days of the week on which people work.
    #[serde(default = "monday_to_friday")]
    #[schemars(length(min = 1, max = 7))]
    pub working_days: Vec<Weekday>,
    /// The maintenance windows, each of which can be a wave. No two on one day, and no two that are open at the same time.
    #[schemars(length(max = 20))]
    pub windows: Vec<Window>,
    /// When nothing moves.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub freezes: Vec<Freeze>,
    /// When nobody works. A maintenance window may be on a holiday.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub holidays: Vec<Holiday>,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn monday_to_friday() -> Vec<Weekday> {
    vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday]
}

/// A maintenance window, every week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Window {
    /// On which days it opens.
    #[schemars(length(min = 1, max = 7))]
    pub days: Vec<Weekday>,
    /// When it opens, such as `22:00`.
    #[schemars(regex(pattern = "^[0-9]{2}:[0-9]{2}$"))]
    pub opens: String,
    /// How long it is open, 15 m to 48 h.
    pub lasts: Seconds,
}

/// Dates on which nothing moves, or nothing of these applications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Freeze {
    /// What it is called, for those who read the plan.
    #[schemars(length(min = 1, max = 100))]
    pub name: String,
    /// Its first date.
    #[schemars(regex(pattern = DATE))]
    pub from: String,
    /// Its last date.
    #[schemars(regex(pattern = DATE))]
    pub to: String,
    /// Whom it concerns; all, if there is none.
    #[serde(default)]
    #[schemars(length(max = 5000))]
    pub applications: Vec<String>,
}

/// A date on which nobody works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Holiday {
    /// The date.
    #[schemars(regex(pattern = DATE))]
    pub date: String,
    /// What it is called.
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
}

/// Dates from one to another, both included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Period {
    /// The first date.
    #[schemars(regex(pattern = DATE))]
    pub from: String,
    /// The last date.
    #[schemars(regex(pattern = DATE))]
    pub to: String,
    /// Why, for those who read the plan.
    #[schemars(length(min = 1, max = 300))]
    pub why: Option<String>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// As in the portfolio.
    pub fn name(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }

    /// Of a date.
    pub fn of(date: Date) -> Self {
        use jiff::civil::Weekday as Day;
        match date.weekday() {
            Day::Monday => Self::Monday,
            Day::Tuesday => Self::Tuesday,
            Day::Wednesday => Self::Wednesday,
            Day::Thursday => Self::Thursday,
            Day::Friday => Self::Friday,
            Day::Saturday => Self::Saturday,
            Day::Sunday => Self::Sunday,
        }
    }
}

/// How many days a programme has at the most: twenty years.
pub(crate) const MOST_DAYS: i32 = 20 * 366;

/// The last date that any programme has that starts on a date.
pub(crate) fn last_date(start: Date) -> Date {
    start.saturating_add(jiff::Span::new().days(MOST_DAYS - 1))
}

/// A date as portfolios write it: other forms of ISO 8601 are none.
pub(crate) fn date(text: &str) -> Option<Date> {
    let date: Date = text.parse().ok()?;
    (date.to_string() == text).then_some(date)
}

/// A time of day as portfolios write it.
pub(crate) fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':').filter(|_| text.len() == 5)?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// A time zone of the database that is built in: the same on every machine.
pub(crate) fn time_zone(name: &str) -> Option<TimeZone> {
    jiff::tz::TimeZoneDatabase::bundled().get(name).ok()
}

impl Calendar {
    /// The window that opens on a date, if there is one.
    pub fn window_on(&self, date: Date) -> Option<&Window> {
        self.windows.iter().find(|window| window.days.contains(&Weekday::of(date)))
    }

    /// When the window of a date opens.
    pub(crate) fn opens_on(&self, date: Date) -> Option<jiff::Zoned> {
        date.to_datetime(time(&self.window_on(date)?.opens)?).to_zoned(time_zone(&self.time_zone)?).ok()
    }

    /// For how many seconds the window of a date is open before another date begins; nothing where it has closed by then.
    pub(crate) fn seconds_before(&self, date: Date, begins: Date) -> Option<i64> {
        let begins = begins.to_zoned(time_zone(&self.time_zone)?).ok()?;
        let seconds = begins.timestamp().as_second() - self.opens_on(date)?.timestamp().as_second();
        (seconds < self.window_on(date)?.lasts.0 as i64).then_some(seconds.max(0))
    }

    /// Whether people work on a date.
    pub fn is_working(&self, date: Date) -> bool {
        let is_holiday = || self.holidays.iter().any(|holiday| self::date(&holiday.date) == Some(date));
        self.working_days.contains(&Weekday::of(date)) && !is_holiday()
    }
}

impl Freeze {
    /// Whether it lies on a date, for an application.
    pub fn holds(&self, date: Date, application: &str) -> bool {
        within(&self.from, &self.to, date) && self.concerns(application)
    }

    /// Whether it is for an application.
    pub fn concerns(&self, application: &str) -> bool {
        self.applications.is_empty() || self.applications.iter().any(|name| name == application)
    }
}

impl Period {
    /// Whether a date is in it.
    pub fn contains(&self, date: Date) -> bool {
        within(&self.from, &self.to, date)
    }
}

fn within(from: &str, to: &str, day: Date) -> bool {
    date(from).is_some_and(|from| from <= day) && date(to).is_some_and(|to| day <= to)
}
