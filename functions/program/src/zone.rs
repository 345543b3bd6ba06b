//! A portfolio's time zone. Pure.

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, Zoned};

/// A time zone of the database that is built in: the planner's.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// By its IANA name.
    pub fn of(name: &str) -> Option<Self> {
        TimeZoneDatabase::bundled().get(name).ok().map(Self)
    }

    /// The date at a moment.
    pub fn date(&self, at: Timestamp) -> Date {
        at.to_zoned(self.0.clone()).date()
    }

    /// From the first date's beginning to the last one's end.
    pub fn days(&self, from: &str, to: &str) -> Option<(Zoned, Zoned)> {
        let begins = |date: Date| date.to_zoned(self.0.clone()).ok();
        let (from, to): (Date, Date) = (from.parse().ok()?, to.parse().ok()?);
        Some((begins(from)?, begins(to.tomorrow().ok()?)?))
    }

    /// The clock on the wall, as EventBridge Scheduler has it: `2026-03-07T19:45:00`.
    pub fn local(&self, at: Timestamp) -> String {
        at.to_zoned(self.0.clone()).strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// When the clock on the wall shows that; of a time that is there twice, the earlier.
    pub fn at(&self, local: &str) -> Option<Timestamp> {
        let local: jiff::civil::DateTime = local.parse().ok()?;
        local.to_zoned(self.0.clone()).ok().map(|at| at.timestamp())
    }
}

/// With the offset from UTC.
pub fn written(at: &Zoned) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// So many seconds before.
pub fn before(at: Timestamp, seconds: u64) -> Timestamp {
    let seconds = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0));
    at.checked_sub(seconds).unwrap_or(at)
}
