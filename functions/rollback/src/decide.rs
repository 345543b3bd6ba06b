//! Whether there is something to roll back, and whether a person has to decide: pure.

use cutover::budget::MOST_REASON_BYTES;
use cutover::contract::is_under_way;
use cutover::error::name;
use cutover::text::shown;
use journal::{Ending, Phase, Run};

/// No function of ours lives longer: its time-out.
const LONGEST_FUNCTION_SECONDS: u64 = 30;
/// For what starts late and for clocks that differ.
const MARGIN_SECONDS: u64 = 5;

/// What to do with a run that somebody asked to roll back.
#[derive(Clone, Debug, PartialEq)]
pub enum Begin {
    /// End quietly.
    NothingToDo(String),
    /// It is this rollback's already: an earlier try's answer was lost.
    GoOn(Box<Run>),
    /// Change its phase, then restore.
    TakeOver(Box<Run>),
    /// A person asked for what cannot be: they see it fail.
    TooLate(String),
}

/// What to do. `owner_is_running` speaks of another rollback that owns the run.
pub fn begin(run: Option<Run>, me: &str, owner_is_running: bool, by_a_person: bool) -> Begin {
    let Some(run) = run else {
        return Begin::NothingToDo("no run is in the journal: nothing was touched".to_owned());
    };
    match run.phase {
        Phase::Claimed | Phase::Forward | Phase::Finished => Begin::TakeOver(Box::new(run)),
        Phase::RollingBack if run.owner == me => Begin::GoOn(Box::new(run)),
        Phase::RollingBack if owner_is_running => Begin::NothingToDo(format!("{} is rolling back this run", run.owner)),
        Phase::RollingBack => Begin::TakeOver(Box::new(run)),
        Phase::Stuck if by_a_person => Begin::TakeOver(Box::new(run)),
        Phase::Stuck => {
            let ending = run.ending.as_ref().and_then(Ending::name).unwrap_or("Stuck");
            Begin::NothingToDo(format!("the run has ended {ending}, and a person was told"))
        }
        Phase::Cleaning if by_a_person => {
            Begin::TooLate("cleanup has begun: the old side is being removed, and nothing was put back".to_owned())
        }
        Phase::Cleaning => Begin::NothingToDo("cleanup has begun: the old side is being removed".to_owned()),
        Phase::Closed | Phase::RolledBack => Begin::NothingToDo(format!("the run has ended: {}", run.phase)),
    }
}

/// Why to go back in spite of a reason to hold: as a person says now, or has said to the rollback that this one takes over. One
/// that was over is not gone on with: whoever tries again says again.
pub fn force(run: &Run, said: Option<&str>, by_a_person: bool) -> Option<String> {
    let is_gone_on_with = run.phase == Phase::RollingBack && !by_a_person;
    let before = run.forced.as_deref().filter(|_| is_gone_on_with);
    said.or(before).map(|force| shown(force, MOST_REASON_BYTES))
}

/// Why a run goes back, as it is remembered: what its first starter said. A rollback that a person or the sweep starts again
/// is given no reason of its own.
pub fn why(run: &Run, said: Option<&str>) -> Option<String> {
    said.or(run.why.as_deref()).map(|why| shown(why, MOST_REASON_BYTES))
}

/// By what a rollback is counted: the name of the error that turned the run back, as Step Functions has it, where it is one of ours; a time-out; a person;
/// or that the execution was stopped, or cut off, where nobody says why. A closed set, since each is a metric of its own.
pub fn cause(said: Option<&str>, by_a_person: bool) -> &'static str {
    if by_a_person {
        return "Person";
    }
    // As the cutover says it: state, error, cause.
    let Some(error) = said.map(|why| why.split(": ").nth(1).unwrap_or_default()) else { return "Stopped" };
    match name::ALL.into_iter().find(|name| *name == error) {
        Some(name) => name,
        None if error == "States.Timeout" => "Timeout",
        None => "Other",
    }
}

/// The same as it is told, with who went back in spite of a reason to hold.
pub fn told_why(run: &Run, why: Option<String>) -> Option<String> {
    match (&run.forced, why) {
        (Some(forced), Some(why)) => Some(format!("forced by {forced}; before that, {why}")),
        (Some(forced), None) => Some(format!("forced by {forced}")),
        (None, why) => why,
    }
}

/// Whether a run that somebody wants a report of goes its own way: then nobody is called. Its owner works at it, or has finished
/// it, and cleanup comes. A run that is stuck is nobody's.
pub fn is_healthy(phase: Phase, owner_status: Option<&str>) -> bool {
    match phase {
        Phase::Claimed | Phase::Forward | Phase::RollingBack => owner_status.is_some_and(is_under_way),
        Phase::Finished => owner_status.is_some_and(|status| is_under_way(status) || status == "SUCCEEDED"),
        Phase::Stuck => false,
        Phase::Cleaning | Phase::Closed | Phase::RolledBack => true,
    }
}

/// Why a person has to decide whether traffic goes back. What would be lost outweighs an old side that is sick.
pub fn hold(stranded_writes: Option<String>, sick_old_side: Option<String>) -> Option<String> {
    stranded_writes.or(sick_old_side)
}

/// How long whoever passed the fence before it closed may still act: our functions, and the hooks that stop writers, which
/// are known to live no longer than the plan lets them.
pub fn late_writers_seconds(run: &Run) -> u64 {
    let hooks = run.plan.hooks.quiesce.iter().filter(|_| run.quiesced).map(|hook| hook.timeout.0);
    hooks.chain([LONGEST_FUNCTION_SECONDS]).max().unwrap_or_default() + MARGIN_SECONDS
}

#[cfg(test)]
mod tests {
    use cutover::Plan;
    use serde_json::json;

    use super::*;

    fn run(phase: Phase) -> Run {
        let plan = json!({ "application": "portal", "routes": [] });
        let caller = crate::caller("run", "owner");
        let plan = serde_json::from_value::<Plan>(plan).unwrap();
        Run { phase, ..Run::claimed(&caller, plan, vec![], jiff::Timestamp::UNIX_EPOCH) }
    }

    /// `-` nothing to do, `=` go on, `>` take over, `!` too late.
    fn sign(phase: Phase, me: &str, owner_is_running: bool, by_a_person: bool) -> char {
        match begin(Some(run(phase)), me, owner_is_running, by_a_person) {
            Begin::NothingToDo(_) => '-',
            Begin::GoOn(_) => '=',
            Begin::TakeOver(_) => '>',
            Begin::TooLate(_) => '!',
        }
    }

    #[test]
    fn why_a_run_was_rolled_back_outlives_its_first_rollback() {
        let failed = Run { why: Some("Monitor: 5xx".to_owned()), ..run(Phase::Stuck) };
        assert_eq!(why(&failed, None).as_deref(), Some("Monitor: 5xx"));
        assert_eq!(why(&failed, Some("Shift: denied")).as_deref(), Some("Shift: denied"));
        assert_eq!(why(&run(Phase::Stuck), None), None);
        let forced = Run { forced: Some("Ada: go".to_owned()), ..failed };
        let told = told_why(&forced, why(&forced, None));
        assert_eq!(told.as_deref(), Some("forced by Ada: go; before that, Monitor: 5xx"));
        assert_eq!(told_why(&run(Phase::Stuck), None), None);
    }

    #[test]
    fn a_rollback_is_counted_by_the_error_that_turned_it_back() {
        for (said, expected) in [
            (Some("Monitor: Cutover.Unhealthy: 5xx: too many: Cutover.Drift: no"), "Cutover.Unhealthy"),
            (Some("ShiftWeight: States.Timeout: "), "Timeout"),
            (Some("ShiftWeight: Lambda.Unknown: gone"), "Other"),
            (Some("somebody's words"), "Other"),
            (Some(""), "Other"),
            (None, "Stopped"),
        ] {
            assert_eq!(cause(said, false), expected, "{said:?}");
            assert_eq!(cause(said, true), "Person");
        }
    }

    #[test]
    fn a_run_that_is_not_there_or_is_over_is_left_alone() {
        assert!(matches!(begin(None, "me", false, false), Begin::NothingToDo(_)));
        for phase in [Phase::Closed, Phase::RolledBack] {
            assert_eq!(sign(phase, "me", false, true), '-', "{phase}");
        }
    }

    #[test]
    fn an_open_run_is_taken_over() {
        for phase in [Phase::Claimed, Phase::Forward, Phase::Finished] {
            assert_eq!(sign(phase, "me", false, false), '>', "{phase}");
        }
    }

    #[test]
    fn of_two_rollbacks_one_acts_unless_the_other_died() {
        assert_eq!(sign(Phase::RollingBack, "owner", false, false), '=');
        assert_eq!(sign(Phase::RollingBack, "me", true, false), '-');
        assert_eq!(sign(Phase::RollingBack, "me", false, false), '>');
    }

    #[test]
    fn a_person_who_comes_too_late_sees_it_fail() {
        assert_eq!(sign(Phase::Cleaning, "me", true, true), '!');
        assert_eq!(sign(Phase::Cleaning, "me", true, false), '-');
    }

    #[test]
    fn only_a_person_tries_a_stuck_run_again() {
        assert_eq!(sign(Phase::Stuck, "me", false, false), '-');
        assert_eq!(sign(Phase::Stuck, "me", false, true), '>');
    }

    #[test]
    fn a_person_who_insists_is_remembered_by_the_rollback_that_takes_over() {
        let dead = Run { forced: Some("Ada: go".to_owned()), ..run(Phase::RollingBack) };
        assert_eq!(force(&dead, None, false).as_deref(), Some("Ada: go"));
        assert_eq!(force(&dead, None, true), None, "a person who does not say so again does not insist");
        assert_eq!(force(&dead, Some("Bob: go"), true).as_deref(), Some("Bob: go"));
        assert_eq!(force(&Run { phase: Phase::Stuck, ..dead }, None, true), None);
        assert_eq!(force(&run(Phase::Forward), None, false), None);
        assert!(force(&run(Phase::Forward), Some(&"x".repeat(100_000)), true).is_some_and(|force| force.len() < 2_000));
    }

    #[test]
    fn whoever_passed_the_fence_is_outlived() {
        let hook = |seconds| json!({ "function_arn": "arn:aws:lambda:r:1:function:pause", "timeout": seconds });
        let with_hooks = |quiesced, timeouts: &[u64]| {
            let mut run = Run { quiesced, ..run(Phase::RollingBack) };
            let hooks: Vec<_> = timeouts.iter().map(|seconds| hook(*seconds)).collect();
            run.plan.hooks.quiesce = serde_json::from_value(json!(hooks)).unwrap();
            late_writers_seconds(&run)
        };
        assert_eq!(with_hooks(true, &[]), 35);
        assert_eq!(with_hooks(true, &[10]), 35);
        assert_eq!(with_hooks(true, &[60, 900, 30]), 905);
        assert_eq!(with_hooks(false, &[900]), 35);
    }

    #[test]
    fn a_report_of_a_run_that_goes_its_own_way_calls_nobody() {
        use Phase::{Claimed, Cleaning, Closed, Finished, Forward, RolledBack, RollingBack, Stuck};
        for (status, healthy) in [
            (Some("RUNNING"), vec![Claimed, Forward, Finished, Cleaning, Closed, RollingBack, RolledBack]),
            (Some("SUCCEEDED"), vec![Finished, Cleaning, Closed, RolledBack]),
            (Some("ABORTED"), vec![Cleaning, Closed, RolledBack]),
            (None, vec![Cleaning, Closed, RolledBack]),
        ] {
            for phase in Phase::ALL {
                assert_eq!(is_healthy(phase, status), healthy.contains(&phase), "{phase} {status:?}");
            }
        }
        assert!(!is_healthy(Stuck, Some("RUNNING")), "what is stuck is a person's");
    }

    #[test]
    fn the_point_of_no_return_and_a_sick_old_side_ask_a_person() {
        let (stranded, sick) = (|| Some("nothing replicates back".to_owned()), || Some("0 of 3 targets".to_owned()));
        assert_eq!(hold(None, None), None);
        assert_eq!(hold(None, sick()), sick());
        assert_eq!(hold(stranded(), None), stranded());
        assert_eq!(hold(stranded(), sick()), stranded());
    }
}
