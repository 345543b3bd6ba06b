//! A portfolio on other dates: all of them later or earlier by as many days, and the days of the week along. So it has much the same programme, on other dates: only a team's week begins on Monday all the same.

use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use jiff::tz::TimeZoneDatabase;
use jiff::{Span, Timestamp};
use serde_json::Value;
use wave_plan::{Portfolio, Request, plan};

const WEEK: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A portfolio whose first wave's window opens at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The portfolio.
    pub portfolio: Value,
    /// The date of its first wave.
    pub first: String,
    /// What moves in the first wave.
    pub members: Vec<String>,
    /// How many days later everything is.
    pub days: i32,
}

/// Moves a portfolio; one that is wrong, or that has no programme, stays as it is: that is for the product to say.
pub fn moved(portfolio: &Value, now: Timestamp) -> Result<Option<Moved>> {
    let Ok(read) = Portfolio::read(portfolio) else { return Ok(None) };
    let Ok(programme) = plan(&read, &Request::default(), &mut || false) else { return Ok(None) };
    let Some(first) = programme.waves.first() else {
        bail!("nothing moves in this portfolio: there is no wave to rehearse")
    };
    let zone = TimeZoneDatabase::bundled().get(&read.calendar.time_zone).context("the portfolio's time zone")?;
    let local = now.to_zoned(zone);
    let date: Date = first.date.parse().context("a wave's date")?;
    let days = date.until(local.date()).map(|span| span.get_days()).context("the first wave's date")?;
    let mut portfolio = portfolio.clone();
    // What is left out would stay on its days.
    let working: Vec<Value> = WEEK[..5].iter().map(|day| (*day).into()).collect();
    let calendar = portfolio["calendar"].as_object_mut().context("a calendar")?;
    calendar.entry("working_days").or_insert(working.into());
    every_date(&mut portfolio, days);
    let weekday = WEEK[usize::try_from(local.date().weekday().to_monday_zero_offset())?];
    opens_at(&mut portfolio["calendar"]["windows"], weekday, &local.strftime("%H:%M").to_string());
    let members = first.applications.iter().map(|one| one.name.clone()).collect();
    Ok(Some(Moved { portfolio, first: local.date().to_string(), members, days }))
}

/// Dates as portfolios write them, and days of the week.
fn every_date(value: &mut Value, days: i32) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|value| every_date(value, days)),
        Value::Array(items) => items.iter_mut().for_each(|value| every_date(value, days)),
        Value::String(text) => {
            if let Some(date) = text.parse::<Date>().ok().filter(|date| date.to_string() == *text) {
                *text = date.saturating_add(Span::new().days(days)).to_string();
            } else if let Some(place) = WEEK.iter().position(|day| day == text) {
                let later = (place as i32 + days).rem_euclid(7);
                *text = WEEK[later as usize].to_owned();
            }
        }
        _ => {}
    }
}

/// The window of that day opens then.
fn opens_at(windows: &mut Value, weekday: &str, opens: &str) {
    let all = windows.as_array_mut().into_iter().flatten();
    let of_day =
        all.filter(|window| window["days"].as_array().is_some_and(|days| days.iter().any(|day| day == weekday)));
    of_day.for_each(|window| window["opens"] = opens.into());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_window_opens_now_and_the_programme_is_the_same() -> Result<()> {
        let portfolio: Value = serde_json::from_str(include_str!("../../../events/portfolio.json"))?;
        let now: Timestamp = "2026-11-27T09:12:34Z".parse()?;
        let Moved { portfolio: later, first, members, days } = moved(&portfolio, now)?.context("it has a programme")?;
        let [before, after] = [&portfolio, &later]
            .map(|value| Portfolio::read(value).map(|read| plan(&read, &Request::default(), &mut || false)));
        let (Ok(Ok(before)), Ok(Ok(after))) = (before, after) else { bail!("no programme") };
        assert_eq!((first.as_str(), after.waves[0].date.as_str()), ("2026-11-27", "2026-11-27"));
        assert!(after.waves[0].opens.starts_with("2026-11-27T10:12:00"), "{}", after.waves[0].opens);
        assert_eq!(members, before.waves[0].applications.iter().map(|one| one.name.clone()).collect::<Vec<_>>());
        // A team's week begins on Monday all the same, so later waves may have other dates.
        let first = &before.waves[0];
        assert_eq!(first.date.parse::<Date>()?.saturating_add(Span::new().days(days)).to_string(), "2026-11-27");
        assert_eq!(before.placements.len(), after.placements.len());
        Ok(())
    }

    #[test]
    fn days_of_the_week_move_along() {
        let mut value =
            json!({ "days": ["saturday"], "from": "2026-03-07", "what": "monday mornings", "to": "2026-3-7" });
        every_date(&mut value, -8);
        assert_eq!(
            value,
            json!({ "days": ["friday"], "from": "2026-02-27", "what": "monday mornings", "to": "2026-3-7" })
        );
    }
}
