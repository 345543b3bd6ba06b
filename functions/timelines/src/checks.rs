//! Rounds of prechecks: every application's, daily from seven days before, every half hour from a day before; and what has turned red or green since the
//! round before. Pure.

use std::collections::BTreeMap;

use cutover::text::shown;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::milestone::plus;

/// So many run at a time: each asks AWS a few dozen questions.
const MOST_AT_ONCE: usize = 10;
/// What has no answer by then is not known, in seconds. The machine's own prechecks take a minute or two.
const LONGEST_SECONDS: i64 = 15 * 60;
const HALF_HOUR: i64 = 1800;
const DAY: i64 = 24 * 3600;
const MOST_WHY_BYTES: usize = 200;

/// What prechecks have found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checks {
    /// The round that runs.
    pub round: Option<Round>,
    /// When the last one began that is over.
    pub last_at: Option<Timestamp>,
    /// How many applications it checked.
    pub checked: usize,
    /// What it found red, and why.
    pub red: BTreeMap<String, String>,
    /// Of which it is not known.
    pub unknown: Vec<String>,
}

/// One round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// When it was due: it names its executions.
    pub at: Timestamp,
    /// When it began.
    pub began_at: Timestamp,
    /// What was not started yet.
    pub waiting: Vec<String>,
    /// What runs.
    pub running: Vec<String>,
    /// What is over: why it is red, or nothing where it is green.
    pub over: BTreeMap<String, Option<String>>,
}

/// What was seen of an application's precheck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It runs, or nobody knows.
    UnderWay,
    /// There is no such execution: it is started again.
    Missing,
    /// It has ended: why it is red, or nothing.
    Ended(Option<String>),
}

/// What a round has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// Red now, and not before.
    pub red: Vec<String>,
    /// Green now, and red before.
    pub green: Vec<String>,
}

/// When the last round was due at `now`: none before the seven days.
pub fn due_at(opens: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let before = opens.duration_since(now).as_secs();
    if before > 7 * DAY || before <= 0 {
        return None;
    }
    let every = if before > DAY { DAY } else { HALF_HOUR };
    // The first multiple before the opening that is not later than now.
    Some(plus(opens, -((before + every - 1) / every * every)))
}

/// When the next round is due after `now`; none once its window opens.
pub fn next_at(opens: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let before = opens.duration_since(now).as_secs();
    if before > 7 * DAY {
        return Some(plus(opens, -7 * DAY));
    }
    if before <= HALF_HOUR {
        return None;
    }
    let every = if before > DAY { DAY } else { HALF_HOUR };
    Some(plus(opens, -((before - 1) / every * every)))
}

impl Checks {
    /// Begins the round that is due, if none runs and it was not begun before.
    pub fn begin(&mut self, opens: Timestamp, applications: &[String], now: Timestamp) {
        let Some(at) = due_at(opens, now) else { return };
        if self.round.is_some() || self.last_at.is_some_and(|last| last >= at) || applications.is_empty() {
            return;
        }
        let waiting = applications.to_vec();
        self.round = Some(Round { at, began_at: now, waiting, running: Vec::new(), over: BTreeMap::new() });
    }

    /// Takes in what was seen, and says what is to be started now.
    pub fn go_on(&mut self, sights: &[(String, Sight)], now: Timestamp) -> (Vec<String>, Option<Turned>) {
        let Some(round) = &mut self.round else { return (Vec::new(), None) };
        for (name, sight) in sights {
            match sight {
                Sight::UnderWay => {}
                Sight::Missing => {
                    round.running.retain(|one| one != name);
                    if !round.waiting.contains(name) {
                        round.waiting.push(name.clone());
                    }
                }
                Sight::Ended(red) => {
                    round.running.retain(|one| one != name);
                    round.over.insert(name.clone(), red.as_ref().map(|why| shown(why, MOST_WHY_BYTES)));
                }
            }
        }
        let is_late = now.duration_since(round.began_at).as_secs() >= LONGEST_SECONDS;
        if is_late || round.waiting.is_empty() && round.running.is_empty() {
            return (Vec::new(), self.end());
        }
        let room = MOST_AT_ONCE.saturating_sub(round.running.len()).min(round.waiting.len());
        let start: Vec<String> = round.waiting.drain(..room).collect();
        round.running.extend(start.iter().cloned());
        (start, None)
    }

    /// A round is over: what is not known stays as it was.
    fn end(&mut self) -> Option<Turned> {
        let round = self.round.take()?;
        let unknown: Vec<String> = round.waiting.iter().chain(&round.running).cloned().collect();
        let mut red: BTreeMap<String, String> =
            round.over.iter().filter_map(|(name, red)| Some((name.clone(), red.clone()?))).collect();
        let turned = Turned {
            red: red.keys().filter(|name| !self.red.contains_key(*name)).cloned().collect(),
            green: self.red.keys().filter(|name| matches!(round.over.get(*name), Some(None))).cloned().collect(),
        };
        red.extend(
            self.red.iter().filter(|(name, _)| unknown.contains(name)).map(|(name, why)| (name.clone(), why.clone())),
        );
        self.checked = round.over.len() + unknown.len();
        (self.last_at, self.red, self.unknown) = (Some(round.at), red, unknown);
        Some(turned).filter(|turned| *turned != Turned::default())
    }

    /// Forgets what it knew: the wave has another date, or none.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn rounds_are_daily_from_seven_days_before_and_every_half_hour_from_a_day_before() {
        let opens = time("2026-03-07T19:00:00Z");
        for (now, due, next) in [
            ("2026-02-20T00:00:00Z", None, Some("2026-02-28T19:00:00Z")),
            ("2026-02-28T18:59:59Z", None, Some("2026-02-28T19:00:00Z")),
            ("2026-02-28T19:00:00Z", Some("2026-02-28T19:00:00Z"), Some("2026-03-01T19:00:00Z")),
            ("2026-03-01T18:00:00Z", Some("2026-02-28T19:00:00Z"), Some("2026-03-01T19:00:00Z")),
            ("2026-03-06T18:59:00Z", Some("2026-03-05T19:00:00Z"), Some("2026-03-06T19:00:00Z")),
            ("2026-03-06T19:00:00Z", Some("2026-03-06T19:00:00Z"), Some("2026-03-06T19:30:00Z")),
            ("2026-03-07T18:40:00Z", Some("2026-03-07T18:30:00Z"), None),
            ("2026-03-07T19:00:00Z", None, None),
        ] {
            let (due, next) = (due.map(time), next.map(time));
            assert_eq!((due_at(opens, time(now)), next_at(opens, time(now))), (due, next), "{now}");
        }
        // From one to the next there are 7 days' rounds, and 48 of a day's.
        let (mut now, mut rounds) = (time("2026-02-01T00:00:00Z"), 0);
        while let Some(next) = next_at(opens, now) {
            (now, rounds) = (next, rounds + 1);
        }
        assert_eq!(rounds, 6 + 48);
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// A whole round, in which what is named is red.
    fn round(checks: &mut Checks, opens: Timestamp, now: Timestamp, red: &[&str]) -> Option<Turned> {
        checks.begin(opens, &names(&["shop", "web"]), now);
        let (started, nothing) = checks.go_on(&[], now);
        assert_eq!((started.len(), nothing), (2, None));
        let why = |name: &str| red.contains(&name).then(|| "sick".to_owned());
        let sights: Vec<_> = started.iter().map(|name| (name.clone(), Sight::Ended(why(name)))).collect();
        checks.go_on(&sights, now).1
    }

    #[test]
    fn only_what_has_changed_is_told() {
        let opens = time("2026-03-07T19:00:00Z");
        let day = |day: i64| plus(opens, -day * DAY);
        let mut checks = Checks::default();
        assert_eq!(round(&mut checks, opens, day(7), &[]), None);
        let turned = round(&mut checks, opens, day(6), &["shop"]).unwrap();
        assert_eq!((turned.red, turned.green), (names(&["shop"]), names(&[])));
        assert_eq!(round(&mut checks, opens, day(5), &["shop"]), None);
        let turned = round(&mut checks, opens, day(4), &["web"]).unwrap();
        assert_eq!((turned.red, turned.green), (names(&["web"]), names(&["shop"])));
        assert_eq!((checks.checked, checks.red.len(), checks.last_at), (2, 1, Some(day(4))));
        // The same round is not begun twice.
        checks.begin(opens, &names(&["shop", "web"]), plus(day(4), 60));
        assert_eq!(checks.round, None);
    }

    #[test]
    fn what_does_not_answer_is_not_known_and_stays_as_it_was() {
        let opens = time("2026-03-07T19:00:00Z");
        let day = |day: i64| plus(opens, -day * DAY);
        let mut checks = Checks::default();
        round(&mut checks, opens, day(7), &["shop"]);
        checks.begin(opens, &names(&["shop", "web"]), day(6));
        checks.go_on(&[], day(6));
        let (again, _) = checks.go_on(&[("web".to_owned(), Sight::Missing)], plus(day(6), 30));
        assert_eq!(again, names(&["web"]));
        checks.go_on(&[("web".to_owned(), Sight::Ended(None))], plus(day(6), 60));
        assert_eq!(checks.go_on(&[("shop".to_owned(), Sight::UnderWay)], plus(day(6), 899)).1, None);
        assert!(checks.round.is_some());
        assert_eq!(checks.go_on(&[], plus(day(6), 900)).1, None);
        assert_eq!((checks.unknown.clone(), checks.red.len(), checks.checked), (names(&["shop"]), 1, 2));
    }
}
