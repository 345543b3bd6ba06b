//! What to do with an alarm. Pure.

use cutover::alarm::Alarm;
use cutover::error::name;
use cutover::{StepError, StepResult};

use crate::convert::is_like;

/// The one write that is needed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Write<'a> {
    /// None: it is as it should be.
    Nothing,
    /// PutMetricAlarm, which overwrites the whole alarm.
    Put(&'a Alarm),
    /// DeleteAlarms.
    Delete,
}

/// Sets the planned alarm. `before` is what was remembered when this run first set it: `None`, nothing yet.
///
/// # Errors
/// `Cutover.Drift` where somebody else changed the alarm since then.
pub fn set<'a>(planned: &'a Alarm, live: Option<&Alarm>, before: Option<&Option<Alarm>>) -> StepResult<Write<'a>> {
    if live.is_some_and(|live| is_like(live, planned)) {
        return Ok(Write::Nothing);
    }
    match before {
        Some(before) if !same(before.as_ref(), live) => Err(drift(planned, live)),
        _ => Ok(Write::Put(planned)),
    }
}

/// Puts back what was there before. An alarm that this run never set stays as it is. One that this run made and that is
/// not seen is deleted all the same: CloudWatch may be behind, and deleting what is not there does no harm.
///
/// # Errors
/// `Cutover.Drift` where the alarm is neither as before nor as planned: somebody else changed it.
pub fn restore<'a>(planned: &Alarm, live: Option<&Alarm>, before: Option<&'a Option<Alarm>>) -> StepResult<Write<'a>> {
    let Some(before) = before else { return Ok(Write::Nothing) };
    match (before, live) {
        (None, None) => Ok(Write::Delete),
        _ if same(before.as_ref(), live) => Ok(Write::Nothing),
        _ if same(Some(planned), live) => Ok(before.as_ref().map_or(Write::Delete, Write::Put)),
        _ => Err(drift(planned, live)),
    }
}

/// What a refused delete comes to. Where there was no alarm before it, and there is none after it, nothing was to be undone:
/// setting it may have been refused as well.
///
/// # Errors
/// The refusal, where the alarm is there, or was; and where it may pass, since CloudWatch may be behind.
pub fn refused(error: StepError, was: Option<&Alarm>, after: Option<&Alarm>) -> StepResult<()> {
    if was.is_none() && after.is_none() && !error.is_passing() { Ok(()) } else { Err(error) }
}

/// Whether two alarms, or their absence, are the same.
pub fn same(one: Option<&Alarm>, other: Option<&Alarm>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => is_like(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// Whether what was written reads back: `was` before, `wanted` written, `after` read.
///
/// # Errors
/// `Cutover.Transient` where it is as before: a read that is behind. `Cutover.Drift` where somebody else changed it.
pub fn read_back(alarm: &str, was: Option<&Alarm>, wanted: Option<&Alarm>, after: Option<&Alarm>) -> StepResult<()> {
    if same(after, wanted) {
        return Ok(());
    }
    let problem = format!("alarm {alarm} does not read back as it was written");
    Err(StepError::unlike_written(same(after, was), problem))
}

fn drift(planned: &Alarm, live: Option<&Alarm>) -> StepError {
    let is_now = if live.is_some() { "is neither as before nor as planned" } else { "is gone" };
    StepError::new(name::DRIFT, format!("alarm {} {is_now}: somebody else changed it", planned.alarm_name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::tests::{full, plain};

    fn error<T>(result: StepResult<T>) -> Option<&'static str> {
        result.err().map(|error| error.name)
    }

    /// The planned alarm, what was there before, and what somebody else made of it.
    fn alarms() -> (Alarm, Alarm, Alarm) {
        (full(), Alarm { threshold: Some(9.0), ..full() }, Alarm { alarm_name: full().alarm_name, ..plain() })
    }

    #[test]
    fn setting_twice_writes_once() {
        let (planned, before, other) = alarms();
        let remembered = Some(before.clone());
        assert_eq!(set(&planned, None, None), Ok(Write::Put(&planned)));
        assert_eq!(set(&planned, Some(&before), None), Ok(Write::Put(&planned)));
        assert_eq!(set(&planned, Some(&planned), None), Ok(Write::Nothing));
        assert_eq!(set(&planned, Some(&planned), Some(&remembered)), Ok(Write::Nothing));
        assert_eq!(set(&planned, Some(&before), Some(&remembered)), Ok(Write::Put(&planned)));
        assert_eq!(error(set(&planned, Some(&other), Some(&remembered))), Some(name::DRIFT));
        assert_eq!(error(set(&planned, None, Some(&remembered))), Some(name::DRIFT));
    }

    #[test]
    fn a_denied_delete_of_what_is_not_there_is_restored() {
        let (planned, ..) = alarms();
        let denied = |name| StepError::new(name, "cloudwatch:DeleteAlarms");
        assert_eq!(refused(denied(name::NOT_PERMITTED), None, None), Ok(()));
        assert_eq!(error(refused(denied(name::NOT_PERMITTED), None, Some(&planned))), Some(name::NOT_PERMITTED));
        assert_eq!(error(refused(denied(name::NOT_PERMITTED), Some(&planned), None)), Some(name::NOT_PERMITTED));
        assert_eq!(error(refused(denied(name::THROTTLED), None, None)), Some(name::THROTTLED), "it is tried again");
    }

    #[test]
    fn restoring_puts_back_exactly_what_was_there() {
        let (planned, before, other) = alarms();
        let remembered = Some(before.clone());
        assert_eq!(restore(&planned, Some(&planned), None), Ok(Write::Nothing), "never set by this run");
        assert_eq!(restore(&planned, Some(&planned), Some(&remembered)), Ok(Write::Put(&before)));
        assert_eq!(restore(&planned, Some(&before), Some(&remembered)), Ok(Write::Nothing));
        assert_eq!(restore(&planned, Some(&planned), Some(&None)), Ok(Write::Delete));
        assert_eq!(restore(&planned, None, Some(&None)), Ok(Write::Delete), "CloudWatch may be behind");
        assert_eq!(error(restore(&planned, Some(&other), Some(&remembered))), Some(name::DRIFT));
        assert_eq!(error(restore(&planned, None, Some(&remembered))), Some(name::DRIFT));
        assert_eq!(error(restore(&planned, Some(&other), Some(&None))), Some(name::DRIFT));
    }

    #[test]
    fn what_reads_back_otherwise_is_behind_if_it_is_as_before_and_somebody_elses_if_not() {
        let (planned, before, other) = alarms();
        let judged = |was, wanted, after| error(read_back("alarm", was, wanted, after));
        assert_eq!(judged(Some(&before), Some(&planned), Some(&planned)), None);
        assert_eq!(judged(Some(&before), Some(&planned), Some(&before)), Some(name::TRANSIENT));
        assert_eq!(judged(None, Some(&planned), None), Some(name::TRANSIENT));
        assert_eq!(judged(Some(&before), Some(&planned), Some(&other)), Some(name::DRIFT));
        assert_eq!(judged(Some(&before), Some(&planned), None), Some(name::DRIFT), "it was deleted");
        assert_eq!(judged(Some(&planned), None, None), None);
        assert_eq!(judged(Some(&planned), None, Some(&planned)), Some(name::TRANSIENT));
        assert_eq!(judged(Some(&planned), None, Some(&other)), Some(name::DRIFT));
    }
}
