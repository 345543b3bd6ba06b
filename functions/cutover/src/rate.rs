//! The share of an account's limit that all runs of waves draw from: one queue of slots in time, whoever asks. Pure.
//!
//! Route 53 answers five requests a second for the whole account, whatever they are (Route 53 developer guide, quotas). Each request of a
//! wave's run takes the next slot first, and is sent when that has come; so however many runs there are, they never send more than their share
//! a second, in order of asking, and nobody is throttled by the others.
//!
//! | lane | takes | waits |
//! |---|---|---|
//! | forward | the next free slot | behind everything that was taken before |
//! | undo | the next free slot, or the next of the undo lane, which has half the share on top of it | at the most behind other undos |
//!
//! What undo takes is taken from the forward lane as well: those who ask next wait that much longer. So the whole stays below the share, but for
//! the slots that were given away when the undo came: while those last it may be half as much again.

use std::fmt;
use std::pin::Pin;

/// How far ahead of now a slot may lie. What is farther was written by a clock that is wrong: nobody waits for it.
const MOST_AHEAD_MS: i64 = 300_000;

/// The slots that are free next, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Of the share that all take from.
    pub forward_ms: i64,
    /// Of the lane of undo.
    pub undo_ms: i64,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What moves traffic, looks or cleans up: it can wait.
    Forward,
    /// What puts traffic back: it comes first.
    Undo,
}

/// What was taken: the first request may be sent at `start_ms`, each further one `spacing_ms` later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The first slot.
    pub start_ms: i64,
    /// How far the slots are apart.
    pub spacing_ms: i64,
}

impl Slots {
    /// Takes so many slots, where the first comes within `most_wait_ms`; how long it would take to come otherwise, and nothing is taken.
    ///
    /// # Errors
    /// The milliseconds until the first slot.
    pub fn take(
        self,
        now_ms: i64,
        requests: u32,
        spacing_ms: i64,
        lane: Lane,
        most_wait_ms: i64,
    ) -> Result<(Self, Taken), i64> {
        let free = |slot_ms: i64| if slot_ms > now_ms + MOST_AHEAD_MS { now_ms } else { slot_ms.max(now_ms) };
        let (forward_ms, undo_ms) = (free(self.forward_ms), free(self.undo_ms));
        let is_own_lane = lane == Lane::Undo && undo_ms < forward_ms;
        let spacing_of_lane_ms = if is_own_lane { 2 * spacing_ms } else { spacing_ms };
        let start_ms = if is_own_lane { undo_ms } else { forward_ms };
        if start_ms - now_ms > most_wait_ms {
            return Err(start_ms - now_ms);
        }
        let requests = i64::from(requests);
        let next = Self {
            forward_ms: forward_ms + requests * spacing_ms,
            undo_ms: if is_own_lane { undo_ms + requests * spacing_of_lane_ms } else { undo_ms },
        };
        Ok((next, Taken { start_ms, spacing_ms: spacing_of_lane_ms }))
    }
}

/// How many requests a second, as a deployment gives it.
///
/// # Errors
/// In words.
pub fn spacing_ms(requests_per_second: &str) -> Result<i64, String> {
    let rate: Option<f64> = requests_per_second.parse().ok().filter(|rate| (0.1..=50.0).contains(rate));
    let rate = rate.ok_or_else(|| format!("should be a number from 0.1 to 50, not `{requests_per_second}`"))?;
    Ok((1000.0 / rate).ceil() as i64)
}

/// Why a request was not sent: its slot comes too late for who asks. It is a throttle as AWS's own, and nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooSlow(pub String);

impl fmt::Display for TooSlow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for TooSlow {}

/// What comes of drawing, in time.
pub type Drawing<'a> = Pin<Box<dyn Future<Output = Result<(), TooSlow>> + Send + 'a>>;

/// Where each request draws its slot from, and waits for it.
pub trait Draw: fmt::Debug + Send + Sync {
    /// Comes back when one request may be sent.
    fn draw(&self) -> Drawing<'_>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The moments at which requests are sent: each of `asks` is when it is asked, for how many, and by whom. Who waits too long asks no more.
    fn sent(asks: &[(i64, u32, Lane)], spacing_ms: i64, most_wait_ms: i64) -> Vec<(i64, Lane)> {
        let (mut slots, mut sent) = (Slots::default(), Vec::new());
        for (now_ms, requests, lane) in asks {
            if let Ok((next, taken)) = slots.take(*now_ms, *requests, spacing_ms, *lane, most_wait_ms) {
                slots = next;
                sent.extend((0..i64::from(*requests)).map(|nth| (taken.start_ms + nth * taken.spacing_ms, *lane)));
            }
        }
        sent.sort_by_key(|(at_ms, _)| *at_ms);
        sent
    }

    /// The most that is sent within any second.
    fn busiest(sent: &[(i64, Lane)]) -> usize {
        let within = |from: i64| sent.iter().filter(|(at_ms, _)| (from..from + 1000).contains(at_ms)).count();
        sent.iter().map(|(at_ms, _)| within(*at_ms)).max().unwrap_or(0)
    }

    #[test]
    fn however_many_ask_at_once_no_second_has_more_than_the_share() {
        let asks: Vec<_> = (0..200).map(|nth| (nth / 50, 2, Lane::Forward)).collect();
        let sent = sent(&asks, 334, i64::MAX);
        assert_eq!((sent.len(), busiest(&sent)), (400, 3));
        assert_eq!(sent.last().unwrap().0, 399 * 334, "and no slot is left free");
    }

    #[test]
    fn nobody_takes_a_slot_that_comes_too_late() {
        let (slots, _) = Slots::default().take(1_000, 30, 334, Lane::Forward, 10_000).unwrap();
        let late = slots.take(1_000, 1, 334, Lane::Forward, 10_000);
        assert_eq!(late, Err(30 * 334));
        assert!(slots.take(1_100, 1, 334, Lane::Forward, 10_000).is_ok());
        assert_eq!(Slots::default().take(1_000, 1, 334, Lane::Forward, 0).unwrap().1.start_ms, 1_000);
    }

    #[test]
    fn undo_comes_before_what_waits_and_the_whole_stays_below_one_and_a_half_shares() {
        let mut asks: Vec<_> = (0..30).map(|nth| (nth, 1, Lane::Forward)).collect();
        asks.push((100, 4, Lane::Undo));
        asks.extend((0..30).map(|nth| (200 + nth, 1, Lane::Forward)));
        let sent = sent(&asks, 334, i64::MAX);
        let undone: Vec<i64> = sent.iter().filter(|(_, lane)| *lane == Lane::Undo).map(|(at_ms, _)| *at_ms).collect();
        assert_eq!(undone, [100, 768, 1436, 2104]);
        assert!(busiest(&sent) <= 5, "{}", busiest(&sent));
        assert_eq!(sent.last().unwrap().0, (60 + 4 - 1) * 334, "those who came later have made room for it");
    }

    #[test]
    fn undo_alone_has_the_whole_share_and_its_own_lane() {
        let asks: Vec<_> = (0..90).map(|_| (0, 1, Lane::Undo)).collect();
        let sent = sent(&asks, 334, i64::MAX);
        assert!(busiest(&sent) <= 5 && sent.last().unwrap().0 <= 31_000, "{:?}", sent.last());
    }

    #[test]
    fn a_clock_that_is_wrong_keeps_nobody_waiting() {
        let year_ms = 365 * 24 * 3_600_000;
        let (slots, _) = Slots::default().take(year_ms, 5, 334, Lane::Forward, 0).unwrap();
        let (again, taken) = slots.take(0, 1, 334, Lane::Forward, 0).unwrap();
        assert_eq!((taken.start_ms, again.forward_ms), (0, 334));
    }

    #[test]
    fn a_share_is_a_number_of_requests_a_second() {
        assert_eq!((spacing_ms("3"), spacing_ms("0.5"), spacing_ms("5")), (Ok(334), Ok(2000), Ok(200)));
        for wrong in ["", "0", "-1", "NaN", "inf", "51", "three"] {
            assert!(spacing_ms(wrong).is_err(), "{wrong}");
        }
    }
}
