//! What comes after a turn, and after the test. Pure.

use cutover::error::name;
use cutover::plan::{LoadTest, OnViolation};
use cutover::{StepError, StepResult};
use load_results::report::{Report, Verdict};

use crate::Place;
use crate::judge::{Done, judge};
use crate::slices::Side;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This turn.
    Turn(Place),
    /// Nothing more: the test is to be judged.
    Over,
}

/// What the run does after the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// It goes on, and this is told at its end.
    GoOn(Option<String>),
    /// A person is asked.
    Ask,
}

/// A test that the generator could not carry is repeated once, with twice the slices. A new side on which more requests fail than
/// may, or which is slower than may be for certain, is not loaded any further.
pub fn next(test: &LoadTest, place: Place, done: &[Done]) -> Next {
    let is_stopped = done.iter().any(|done| done.is_stopped && done.slice.side == Side::New);
    if place.turn < test.turns() && !is_stopped {
        return Next::Turn(place);
    }
    match judge(test, place.round, place.turn.min(test.turns()), done).verdict {
        Verdict::Invalid if place.round == 0 => Next::Turn(Place { round: 1, turn: 0 }),
        _ => Next::Over,
    }
}

/// # Errors
/// `Cutover.Unhealthy` and `Cutover.Inconclusive` where the plan rolls back.
pub fn after(report: &Report, on_violation: OnViolation) -> StepResult<After> {
    let error = match report.verdict {
        Verdict::Passed => return Ok(After::GoOn(None)),
        Verdict::Violated => name::UNHEALTHY,
        Verdict::Invalid => name::INCONCLUSIVE,
    };
    match on_violation {
        OnViolation::RollBack => Err(StepError::new(error, report.sentence())),
        OnViolation::Hold => Ok(After::Ask),
        OnViolation::Report => Ok(After::GoOn(Some(report.sentence()))),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::slices::of_turn;
    use load_results::results::Results;

    fn test() -> LoadTest {
        let targets = json!({ "new": { "url": "http://10.0.0.2/" }, "old": { "url": "http://10.0.0.1/" } });
        serde_json::from_value(json!({ "targets": targets, "rate_per_second": 100, "duration": 60 })).unwrap()
    }

    fn done(round: u32, turn: u64, cpu_percent: f64) -> Done {
        let slice = of_turn(&test(), round, turn, Timestamp::UNIX_EPOCH).remove(0);
        let results = Results { seconds: 60.0, offered: 10, sent: 10, succeeded: 10, ..Results::new(1) };
        Done { slice, late_by_ms: None, cpu_percent, is_stopped: false, stopped_by: None, results }
    }

    #[test]
    fn turns_follow_each_other_until_all_are_done() {
        let of = |round, turn, done: &[Done]| next(&test(), Place { round, turn }, done);
        assert_eq!(of(0, 0, &[]), Next::Turn(Place { round: 0, turn: 0 }));
        assert_eq!(of(0, 1, &[done(0, 0, 10.0)]), Next::Turn(Place { round: 0, turn: 1 }));
        assert_eq!(of(0, 2, &[done(0, 0, 10.0), done(0, 1, 10.0)]), Next::Over);
    }

    #[test]
    fn an_invalid_test_is_repeated_once() {
        let of = |round, cpu| next(&test(), Place { round, turn: 2 }, &[done(round, 0, 10.0), done(round, 1, cpu)]);
        assert_eq!(of(0, 99.0), Next::Turn(Place { round: 1, turn: 0 }));
        assert_eq!(of(1, 99.0), Next::Over);
    }

    #[test]
    fn a_side_on_which_most_requests_fail_is_left_alone() {
        let of = |turn| next(&test(), Place { round: 0, turn: 1 }, &[Done { is_stopped: true, ..done(0, turn, 10.0) }]);
        assert_eq!(of(1), Next::Over);
        assert_eq!(
            of(0),
            Next::Turn(Place { round: 0, turn: 1 }),
            "the old side's errors are no verdict on the new one"
        );
    }

    #[test]
    fn a_bound_that_a_slow_generator_lost_is_tried_again_once() {
        let of = |round, cpu, stopped_by: Option<&str>| {
            let stopped_by = stopped_by.map(str::to_owned);
            let stopped = Done { is_stopped: true, stopped_by, ..done(round, 1, cpu) };
            next(&test(), Place { round, turn: 2 }, &[done(round, 0, 10.0), stopped])
        };
        assert_eq!(of(0, 10.0, Some("max_p95_ms")), Next::Over);
        assert_eq!(of(0, 99.0, Some("max_p95_ms")), Next::Turn(Place { round: 1, turn: 0 }));
        assert_eq!(of(1, 99.0, Some("max_p95_ms")), Next::Over);
        assert_eq!(of(0, 99.0, None), Next::Over, "what fails, fails");
    }

    #[test]
    fn the_plan_says_what_a_violation_means() {
        let report = |verdict| Report { verdict, ..judge(&test(), 1, 2, &[]) };
        let of = |verdict, on_violation| after(&report(verdict), on_violation).map_err(|error| error.name);
        assert_eq!(of(Verdict::Passed, OnViolation::RollBack), Ok(After::GoOn(None)));
        assert_eq!(of(Verdict::Violated, OnViolation::RollBack), Err(name::UNHEALTHY));
        assert_eq!(of(Verdict::Invalid, OnViolation::RollBack), Err(name::INCONCLUSIVE), "no data is never a pass");
        assert_eq!(of(Verdict::Violated, OnViolation::Hold), Ok(After::Ask));
        assert!(matches!(of(Verdict::Invalid, OnViolation::Report), Ok(After::GoOn(Some(_)))));
    }
}
