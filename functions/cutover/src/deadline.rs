//! The plan's deadline: the one place where clocks are compared. Every other wait is counted by the state machine.

use jiff::{SignedDuration, Timestamp};

use crate::error::name;
use crate::{Seconds, StepError, StepResult};

/// Whether a run that started at `started_at` (RFC 3339) may go on at `now`.
///
/// # Errors
/// `Cutover.DeadlineExceeded` after `timeout`; `Cutover.InvalidPlan` where `started_at` is not a time.
pub fn check_deadline(started_at: &str, timeout: Seconds, now: Timestamp) -> StepResult<()> {
    let started: Timestamp = started_at
        .parse()
        .map_err(|error| StepError::invalid(format!("the run's start `{started_at}` is not a time: {error}")))?;
    let length = SignedDuration::from_secs(i64::try_from(timeout.0).unwrap_or(i64::MAX));
    // A deadline beyond the end of time is none.
    match started.checked_add(length) {
        Ok(deadline) if now > deadline => {
            let problem = format!("the run started at {started}; its timeout of {timeout} passed at {deadline}");
            Err(StepError::new(name::DEADLINE_EXCEEDED, problem))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(started_at: &str, timeout: u64, now: &str) -> Option<&'static str> {
        check_deadline(started_at, Seconds(timeout), now.parse().unwrap()).err().map(|error| error.name)
    }

    #[test]
    fn a_run_may_use_its_whole_time_and_no_more() {
        let started = "2026-01-01T00:00:00Z";
        assert_eq!(ending(started, 60, "2026-01-01T00:01:00Z"), None);
        assert_eq!(ending(started, 60, "2026-01-01T00:01:01Z"), Some(name::DEADLINE_EXCEEDED));
        assert_eq!(ending(started, u64::MAX, "2026-01-01T00:01:01Z"), None);
        assert_eq!(ending("yesterday", 60, "2026-01-01T00:00:00Z"), Some(name::INVALID_PLAN));
    }
}
