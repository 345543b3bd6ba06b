//! The pace of an invocation outside a wave: as many requests as Route 53 answers to a whole account, and no more, so that a plan of
//! many names is looked at in one call where it alone would otherwise be throttled, fail, and start over.
//!
//! Where others ask at the same time, it is throttled all the same, and each request is tried again by its client.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use cutover::rate::{Draw, Drawing, TooSlow};

/// Route 53 answers so many a second, and what was not used of a second may come at once (developer guide, quotas).
const A_SECOND: u64 = 5;
/// How long a request may wait, of a function's 30 s.
const MOST_WAIT: Duration = Duration::from_secs(20);

/// What one invocation has sent.
#[derive(Debug)]
pub(crate) struct Pace {
    began: Instant,
    sent: AtomicU64,
}

impl Pace {
    /// Begins now.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), sent: AtomicU64::new(0) }
    }
}

/// When the request with this number, from 0, may be sent: the first ones at once, which take up a second, then one after another.
fn due(number: u64) -> Duration {
    let after_burst = number.checked_sub(A_SECOND).map(|nth| 1000 + nth * 1000 / A_SECOND);
    Duration::from_millis(after_burst.unwrap_or(0))
}

impl Draw for Pace {
    fn draw(&self) -> Drawing<'_> {
        let due = due(self.sent.fetch_add(1, Relaxed));
        let wait = due.saturating_sub(self.began.elapsed());
        Box::pin(async move {
            if due > MOST_WAIT {
                let problem = "the plan has more to look at than one call may ask of Route 53, five requests a second";
                return Err(TooSlow(problem.to_owned()));
            }
            tokio::time::sleep(wait).await;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_has_more_than_the_account_is_answered() {
        let sent: Vec<u128> = (0..60).map(|number| due(number).as_millis()).collect();
        for from in &sent {
            assert!(sent.iter().filter(|at| (*from..from + 1000).contains(*at)).count() <= 5, "from {from} ms");
        }
        assert_eq!((sent[4], sent[5], sent[21]), (0, 1000, 4200));
    }
}
