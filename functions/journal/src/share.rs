//! The stack's share of Route 53's limit, as one item: which slots the runs of waves have taken ([`cutover::rate`]).
//!
//! One read and one write for each draw, and a draw is of all the requests that a call will surely make; a run outside a wave draws nothing. Two
//! that draw at once: the condition of the write lets one pass, the other draws again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cutover::Plan;
use cutover::error::name;
use cutover::rate::{Draw, Drawing, Lane, Slots, Taken, TooSlow};
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::table::Journal;
use crate::versioned::Versioned;

/// How long a call may wait for its first slot. Whoever would wait longer takes none, and is called again by its machine: so those who have
/// begun can end.
const MOST_FIRST_WAIT_MS: i64 = 10_000;
/// How long a call may wait in all, of a function's 30 s.
const MOST_WAIT_MS: i64 = 20_000;
/// So often a draw meets another one.
const TRIES: u32 = 12;
/// The longest pause before the next try.
const MOST_PAUSE_MS: u64 = 150;

/// What one invocation draws.
#[derive(Debug)]
struct Share {
    journal: Journal,
    lane: Lane,
    /// So many requests the call will surely make.
    first: u32,
    spacing_ms: i64,
    began_at: Timestamp,
    began: Instant,
    held: Mutex<Held>,
}

/// The slots that are taken and not used yet.
#[derive(Debug, Default)]
struct Held {
    has_begun: bool,
    left: u32,
    taken: Option<Taken>,
}

impl Journal {
    /// Where the requests of this invocation draw their slots from; none for a run outside a wave, which does not wait. `first`: so many
    /// requests it will surely make.
    pub fn share(&self, plan: &Plan, lane: Lane, first: usize, now: Timestamp) -> Option<Arc<dyn Draw>> {
        plan.wave.as_ref()?;
        Some(Arc::new(Share {
            journal: self.clone(),
            lane,
            first: u32::try_from(first).unwrap_or(1).max(1),
            spacing_ms: self.spacing_ms,
            began_at: now,
            began: Instant::now(),
            held: Mutex::default(),
        }))
    }
}

impl Draw for Share {
    fn draw(&self) -> Drawing<'_> {
        Box::pin(async move {
            let at_ms = match self.slot().await {
                Ok(at_ms) => at_ms,
                Err(Refused::Late(slow)) => return Err(slow),
                // The way back waits for nobody's books.
                Err(Refused::Unknown(_)) if self.lane == Lane::Undo => return Ok(()),
                Err(Refused::Unknown(error)) => return Err(TooSlow(format!("no slot could be drawn: {error}"))),
            };
            let wait_ms = u64::try_from(at_ms - self.now_ms()).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            Ok(())
        })
    }
}

/// Why there is no slot.
enum Refused {
    Late(TooSlow),
    Unknown(StepError),
}

impl Share {
    fn waited_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn now_ms(&self) -> i64 {
        self.began_at.as_millisecond().saturating_add(self.waited_ms())
    }

    /// When the next request may be sent.
    async fn slot(&self) -> Result<i64, Refused> {
        let mut held = self.held.lock().await;
        if held.left == 0 {
            let requests = if held.has_begun { 1 } else { self.first };
            let most_ms = if held.has_begun { MOST_WAIT_MS } else { MOST_FIRST_WAIT_MS };
            held.taken = Some(self.take(requests, most_ms.min(MOST_WAIT_MS - self.waited_ms())).await?);
            (held.left, held.has_begun) = (requests, true);
        }
        held.left -= 1;
        let taken = held.taken.ok_or_else(|| Refused::Unknown(StepError::invalid("no slot was taken")))?;
        held.taken = Some(Taken { start_ms: taken.start_ms + taken.spacing_ms, ..taken });
        Ok(taken.start_ms)
    }

    async fn take(&self, requests: u32, most_wait_ms: i64) -> Result<Taken, Refused> {
        for attempt in 0..TRIES {
            let (slots, version) = self.read().await.map_err(Refused::Unknown)?;
            let taken = slots.take(self.now_ms(), requests, self.spacing_ms, self.lane, most_wait_ms);
            let (next, taken) = taken.map_err(|wait_ms| Refused::Late(self.too_slow(wait_ms)))?;
            let text = format!("{} {}", next.forward_ms, next.undo_ms);
            if self.journal.write_versioned(&item(), text, version, None, None).await.map_err(Refused::Unknown)? {
                return Ok(taken);
            }
            tokio::time::sleep(self.pause(attempt)).await;
        }
        let problem = "others draw slots at the same time, again and again";
        Err(Refused::Unknown(StepError::new(name::TRANSIENT, problem)))
    }

    /// Whoever lost tries again after another pause than the others: the clock's microseconds are as good as dice.
    fn pause(&self, attempt: u32) -> Duration {
        let dice = u64::from(self.began.elapsed().subsec_micros()) + self.began_at.as_microsecond().unsigned_abs();
        Duration::from_millis(dice % (MOST_PAUSE_MS / 4 * u64::from(attempt.min(3) + 1)))
    }

    async fn read(&self) -> StepResult<(Slots, Option<u64>)> {
        let Some((text, version)) = self.journal.versioned(&item()).await? else { return Ok((Slots::default(), None)) };
        let mut parts = text.split(' ').map(|part| part.parse().ok());
        // What cannot be read is no reason to wait: it is written anew.
        let slots = parts.next().flatten().zip(parts.next().flatten());
        let slots = slots.map_or(Slots::default(), |(forward_ms, undo_ms)| Slots { forward_ms, undo_ms });
        Ok((slots, Some(version)))
    }

    fn too_slow(&self, wait_ms: i64) -> TooSlow {
        let rate = 1000.0 / self.spacing_ms as f64;
        let seconds = (wait_ms + 999) / 1000;
        TooSlow(format!(
            "the share of Route 53's limit that runs of waves have, {rate:.1} requests a second, is taken for the next {seconds} s; nothing was sent"
        ))
    }
}

fn item() -> Versioned {
    Versioned { pk: "share#route53".to_owned(), attribute: "slots" }
}
