//! Turns and slices: which side is loaded when, by how many functions. Pure.
//!
//! Sides take turns: old, new, old, new. Turns of a pair send the same requests in the same order. The slices of a turn are function
//! runs that begin at one absolute time.

use std::time::Duration;

use cutover::plan::{LOAD_LEAD, LoadTarget, LoadTest};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::schedule::{Arrivals, Mix};
use crate::send::{Pace, Users};

/// A slice that begins later than this sends nothing: what it missed would come all at once.
pub const MOST_LATE: SignedDuration = SignedDuration::from_secs(1);

/// A side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The old one.
    Old,
    /// The new one.
    New,
}

impl Side {
    /// For a person.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
        }
    }

    /// Where its requests go.
    pub fn target(self, test: &LoadTest) -> Option<&LoadTarget> {
        match self {
            Self::Old => test.targets.old.as_ref(),
            Self::New => Some(&test.targets.new),
        }
    }
}

/// One function run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// The whole test's number: 0, and 1 where it had to be repeated with twice the slices.
    pub round: u32,
    /// The turn, from 0.
    pub turn: u64,
    /// The turn's side.
    pub side: Side,
    /// The slice's place in its turn.
    pub slice: u32,
    /// How many slices the turn has.
    pub slices: u32,
    /// When all of them begin, RFC 3339.
    pub start_at: Timestamp,
}

/// The slices of a turn, to begin soon.
pub fn of_turn(test: &LoadTest, round: u32, turn: u64, now: Timestamp) -> Vec<Slice> {
    let slices = test.slices(round);
    let (side, start_at) = (side_of(test, turn), now + lead());
    (0..slices).map(|slice| Slice { round, turn, side, slice, slices, start_at }).collect()
}

fn lead() -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(LOAD_LEAD.0).unwrap_or_default())
}

/// Which side a turn is of: the old one first, so that the new one never profits from being asked last.
pub fn side_of(test: &LoadTest, turn: u64) -> Side {
    if test.targets.old.is_some() && turn.is_multiple_of(2) { Side::Old } else { Side::New }
}

impl Slice {
    /// How its requests are paced. Users are no faster than the stack's ceiling, of which each slice has its part.
    pub fn pace(&self, test: &LoadTest, most_rate_per_second: u32) -> Pace {
        let warm_up = Duration::from_secs(test.warm_up.0);
        let slices = self.slices.max(1);
        let arrivals = Arrivals {
            rate_per_second: test.rate_per_second.unwrap_or(1).into(),
            warm_up,
            end: warm_up + Duration::from_secs(test.turn().0),
            slice: self.slice.into(),
            slices: slices.into(),
        };
        match (test.rate_per_second, test.concurrent_users) {
            (None, Some(users)) => {
                let more = u32::from(self.slice < users % slices);
                let most_rate_per_second = f64::from(most_rate_per_second) / f64::from(slices);
                Pace::Users(Users { count: users / slices + more, most_rate_per_second, arrivals })
            }
            _ => Pace::Rate(arrivals),
        }
    }

    /// The order of its requests: both turns of a pair have the same.
    pub fn mix(&self, test: &LoadTest) -> Mix {
        let sides = if test.targets.old.is_some() { 2 } else { 1 };
        Mix::new(self.turn / sides, &test.requests)
    }

    /// What messages call it.
    pub fn title(&self) -> String {
        let Self { turn, side, slice, slices, .. } = self;
        format!("turn {} ({} side), slice {} of {slices}", turn + 1, side.as_str(), slice + 1)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn test(with_old: bool, rate: Option<u32>, users: Option<u32>, seconds: u64) -> LoadTest {
        let old = with_old.then(|| json!({ "url": "http://10.0.0.1/" }));
        let targets = json!({ "new": { "url": "http://10.0.0.2/" }, "old": old });
        serde_json::from_value(json!({ "targets": targets, "rate_per_second": rate, "concurrent_users": users,
            "duration": seconds, "requests": [{ "path": "/a" }, { "path": "/b" }] }))
        .unwrap()
    }

    fn sides(test: &LoadTest) -> String {
        (0..test.turns()).map(|turn| &side_of(test, turn).as_str()[..1]).collect()
    }

    #[test]
    fn sides_take_turns_of_a_minute_at_the_most() {
        let of = |with_old, seconds| {
            let test = test(with_old, Some(10), None, seconds);
            (sides(&test), test.turn().0)
        };
        assert_eq!(of(true, 180), ("ononon".to_owned(), 60));
        assert_eq!(of(true, 90), ("onon".to_owned(), 45));
        assert_eq!(of(true, 20), ("on".to_owned(), 20));
        assert_eq!(of(false, 120), ("nn".to_owned(), 60));
    }

    #[test]
    fn slices_of_a_turn_begin_together_and_twice_as_many_the_second_time() {
        let test = test(true, Some(2500), None, 60);
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let slices = of_turn(&test, 0, 1, now);
        assert_eq!(slices.len(), 3);
        assert!(slices.iter().all(|slice| slice.side == Side::New && slice.start_at == now + lead()));
        assert_eq!(of_turn(&test, 1, 1, now).len(), 6);
    }

    #[test]
    fn there_are_no_more_slices_than_requests_or_a_map_can_run() {
        assert_eq!(test(false, Some(1), None, 60).slices(1), 1);
        assert_eq!(test(false, Some(20_000), None, 60).slices(0), 20);
        assert_eq!(test(false, Some(20_000), None, 60).slices(1), 40);
        assert_eq!(test(false, None, Some(500), 60).slices(0), 5);
    }

    #[test]
    fn users_are_divided_among_the_slices() {
        let test = test(false, None, Some(101), 60);
        let slices = of_turn(&test, 0, 0, Timestamp::UNIX_EPOCH);
        let users = slices.iter().map(|slice| match slice.pace(&test, 1000) {
            Pace::Users(Users { count, most_rate_per_second, .. }) => (count, most_rate_per_second),
            Pace::Rate(_) => (0, 0.0),
        });
        assert_eq!(users.collect::<Vec<_>>(), [(51, 500.0), (50, 500.0)]);
    }

    #[test]
    fn both_turns_of_a_pair_send_the_same_in_the_same_order() {
        let test = test(true, Some(10), None, 120);
        let order = |turn| {
            let slice = of_turn(&test, 0, turn, Timestamp::UNIX_EPOCH).remove(0);
            let mix = slice.mix(&test);
            (0..100).map(|number| mix.choose(number)).collect::<Vec<_>>()
        };
        assert_eq!(order(0), order(1));
        assert_eq!(order(2), order(3));
        assert_ne!(order(0), order(2));
    }
}
