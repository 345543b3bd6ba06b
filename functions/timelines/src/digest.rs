//! What a programme has done since the last digest, and what comes until the next; none where that is nothing. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::Period;

/// So many are told; the rest is counted by whoever makes the message.
const MOST: usize = 40;

/// What is read of a programme: `programme.json`, as the planner leaves it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Programme {
    /// Its time zone.
    pub time_zone: String,
    /// The date of its last move.
    pub end: String,
    /// Each application.
    pub placements: Vec<Placement>,
    /// How far it is from the first plan.
    pub baseline: Option<Baseline>,
}

/// An application of a programme.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Placement {
    /// Its name.
    pub application: String,
    /// Whether nothing is to be done for it any more.
    pub is_settled: bool,
}

/// How far a programme is from the first one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Baseline {
    /// In days, later.
    pub slip_days: i32,
}

/// A wave of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// Its name.
    pub name: String,
    /// When its window opens.
    pub opens: Timestamp,
    /// When it closes.
    pub closes: Timestamp,
    /// How many applications it has.
    pub count: usize,
}

/// A run that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Of which application.
    pub application: String,
    /// How.
    pub ending: String,
    /// When.
    pub at: Timestamp,
}

/// What the digest of a period says; none where nothing ended in it and nothing comes in the next. `from` to `to`: the period; `next`: the end of the next one.
pub fn digest(
    programme: &Programme,
    waves: &[Wave],
    ended: &[Ended],
    (from, to, next): (Timestamp, Timestamp, Timestamp),
    period: Period,
) -> Option<Value> {
    let of_programme: BTreeSet<&str> = programme.placements.iter().map(|one| one.application.as_str()).collect();
    let mut ended: Vec<&Ended> = ended
        .iter()
        .filter(|one| (from..to).contains(&one.at) && of_programme.contains(one.application.as_str()))
        .collect();
    let mut coming: Vec<&Wave> = waves.iter().filter(|wave| (to..next).contains(&wave.opens)).collect();
    if ended.is_empty() && coming.is_empty() {
        return None;
    }
    ended.sort_by_key(|one| one.at);
    coming.sort_by_key(|wave| wave.opens);
    let settled = programme.placements.iter().filter(|one| one.is_settled).count();
    Some(json!({
        "period": period,
        "from": from,
        "to": to,
        "settled": settled,
        "applications": programme.placements.len(),
        "waves": waves.len(),
        "waves_over": waves.iter().filter(|wave| wave.closes <= to).count(),
        "ends_at": ends_at(programme),
        "slip_days": programme.baseline.as_ref().map(|baseline| baseline.slip_days),
        "ended": ended.iter().take(MOST).map(|one| json!({ "application": one.application, "ending": one.ending, "at": one.at })).collect::<Vec<_>>(),
        "coming": coming.iter().take(MOST).map(|wave| json!({ "wave": wave.name, "opens": wave.opens, "count": wave.count })).collect::<Vec<_>>(),
        "next_at": next,
    }))
}

/// The end of the day of its last move.
fn ends_at(programme: &Programme) -> Option<Timestamp> {
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(&programme.time_zone).ok()?;
    let end: jiff::civil::Date = programme.end.parse().ok()?;
    end.tomorrow().ok()?.to_zoned(zone).ok().map(|end| end.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_empty_one_is_none_and_others_say_what_was_and_what_comes() {
        let programme: Programme = serde_json::from_value(json!({
            "portfolio": "spring", "time_zone": "UTC", "end": "2026-04-10", "baseline": { "slip_days": 3, "end": "2026-04-07" },
            "placements": [{ "application": "shop", "is_settled": true }, { "application": "web" }],
        }))
        .unwrap();
        let wave = |name: &str, opens: &str| Wave {
            name: name.into(),
            opens: time(opens),
            closes: time(opens) + jiff::SignedDuration::from_hours(8),
            count: 2,
        };
        let waves = [wave("a", "2026-03-07T19:00:00Z"), wave("b", "2026-03-14T19:00:00Z")];
        let ended = |application: &str, at: &str| Ended {
            application: application.into(),
            ending: "Succeeded".into(),
            at: time(at),
        };
        let weeks = |from: &str, to: &str, next: &str| (time(from), time(to), time(next));
        let all = [ended("shop", "2026-03-07T20:00:00Z"), ended("other", "2026-03-07T20:00:00Z")];
        let week = weeks("2026-03-02T07:00:00Z", "2026-03-09T07:00:00Z", "2026-03-16T07:00:00Z");
        let said = digest(&programme, &waves, &all, week, Period::Weekly).unwrap();
        assert_eq!((&said["settled"], &said["applications"], &said["slip_days"]), (&json!(1), &json!(2), &json!(3)));
        assert_eq!(said["ended"].as_array().map(Vec::len), Some(1), "another programme's is not told");
        assert_eq!((&said["coming"][0]["wave"], &said["waves_over"]), (&json!("b"), &json!(1)));
        assert_eq!(said["ends_at"], "2026-04-11T00:00:00Z");
        let empty = weeks("2026-03-23T07:00:00Z", "2026-03-30T07:00:00Z", "2026-04-06T07:00:00Z");
        assert_eq!(digest(&programme, &waves, &all, empty, Period::Weekly), None);
    }
}
