//! The plan's deadline: the one place where clocks are compared. Every other wait is counted by the state machine.

use jiff::{SignedDuration, Timestamp};

use crate::error::name;
use crate::{Seconds, StepError, StepResult};

/// Whether a run that started at `started_at` (RFC 3339) may go on at `now`; `stood_still`: how long the line stood meanwhile, which is not its time.
///
/// # Errors
/// `Cutover.DeadlineExceeded` after `timeout`; `Cutover.InvalidPlan` where `started_at` is not a time.
pub fn check_deadline(
    started_at: &str,
    timeout: Seconds,
    stood_still: SignedDuration,
    now: Timestamp,
) -> StepResult<()> {
    let started: Timestamp = started_at
        .parse()
        .map_err(|error| StepError::invalid(format!("the run's start `{started_at}` is not a time: {error}")))?;
    let length = SignedDuration::from_secs(i64::try_from(timeout.0).unwrap_or(i64::MAX));
    // A deadline beyond the end of time is none.
    match started.checked_add(length.saturating_add(stood_still)) {
        Ok(deadline) if now > deadline => {
            let stood = Seconds(u64::try_from(stood_still.as_secs()).unwrap_or(0));
            let stood = if stood.0 > 0 { format!(", {stood} of a stopped line not counted,") } else { String::new() };
            let problem = format!("the run started at {started}; its timeout of {timeout}{stood} passed at {deadline}");
            Err(StepError::new(name::DEADLINE_EXCEEDED, problem))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(started_at: &str, timeout: u64, now: &str) -> Option<&'static str> {
        of_line(started_at, timeout, 0, now)
    }

    fn of_line(started_at: &str, timeout: u64, stood_seconds: i64, now: &str) -> Option<&'static str> {
        let stood_still = SignedDuration::from_secs(stood_seconds);
        let checked = check_deadline(started_at, Seconds(timeout), stood_still, now.parse().unwrap());
        checked.err().map(|error| error.name)
    }

    #[test]
    fn the_time_in_which_the_line_stood_is_not_the_runs() {
        let started = "2026-01-01T00:00:00Z";
        assert_eq!(of_line(started, 60, 30, "2026-01-01T00:01:30Z"), None);
        assert_eq!(of_line(started, 60, 30, "2026-01-01T00:01:31Z"), Some(name::DEADLINE_EXCEEDED));
        assert_eq!(of_line(started, u64::MAX, i64::MAX, "2026-01-01T00:01:31Z"), None);
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
