//! What a run does now, in the words of the state that its execution is in. Pure.

use cutover::Seconds;
use cutover::text::{quoted, shown};
use history::Call;
use jiff::Timestamp;

use crate::known::{Known, replies};
use crate::standing::{MOST_REASON_BYTES, MOST_TITLE_BYTES};
use crate::work::Step;

/// The words of a state of the cutover.
pub(crate) fn doing(state: &str, known: &Known, calls: &[Call], steps: &[Step], at: Timestamp) -> String {
    let seen = |state: &str| {
        let seen = replies(calls, state).next_back().and_then(|reply| reply["seen"].as_str());
        seen.map(|seen| format!(": {}", quoted(seen, MOST_REASON_BYTES))).unwrap_or_default()
    };
    match state {
        "" | "Start" | "Precheck" | "PrecheckVerdict" | "PrecheckWait" | "PrecheckPassed" => {
            "looks at everything that the plan names; nothing is touched".to_owned()
        }
        "IsAnswerSigned" | "Claim" | "ShowRun" | "AnnounceStart" | "HasDatabase" | "AllowChanges" | "TakeBaseline" => {
            "is claimed: the way back is written down before anything is touched".to_owned()
        }
        "CheckReplication" | "ReplicationVerdict" | "ReplicationWait" => {
            format!("waits until the database has caught up{}", seen("CheckReplication"))
        }
        "NextRouteToPrepare" | "PrepareListener" | "PrepareRecords" | "PrepareWait" | "PrepareVerdict" => {
            "prepares the routes: both sides in, the new one at 0 %".to_owned()
        }
        "HasLoadTest" | "NextLoadTurn" | "LoadTestVerdict" | "SendLoad" | "SendSlice" | "SliceLost" => {
            "loads both sides before any traffic moves".to_owned()
        }
        "IsLoadAnswerSigned" | "BeforeTrafficHooks" | "BeforeTrafficHook" => {
            "runs the application's checks before any traffic moves".to_owned()
        }
        "CheckLine" | "LineVerdict" | "LineWait" => "is about to move the first traffic".to_owned(),
        "MustWritersStop" | "QuiesceWriters" | "RememberQuiesce" | "QuiesceHook" => {
            "stops the old side's writers".to_owned()
        }
        "MustReplicationDrain"
        | "DrainReplication"
        | "DrainVerdict"
        | "DrainWait"
        | "IsThereAWayBack"
        | "RememberNoReturn" => format!("waits until the replication has run dry{}", seen("DrainReplication")),
        "Validate" | "ValidateVerdict" | "ValidateWait" => validating(known),
        "AfterTrafficHooks" | "AfterTrafficHook" => {
            "runs the application's checks after all traffic has moved".to_owned()
        }
        "SetAlarms" | "SetAlarm" | "AlarmNotSet" => "sets the plan's alarms".to_owned(),
        "NextRouteToFinalise"
        | "FinaliseListener"
        | "FinaliseRecords"
        | "FinaliseWait"
        | "FinaliseVerdict"
        | "Finish"
        | "WriteReport"
        | "AnnounceFinish"
        | "StartCleanup"
        | "Succeeded" => "makes the routes final: the new side alone".to_owned(),
        _ => stepping(steps, at),
    }
}

fn stepping(steps: &[Step], at: Timestamp) -> String {
    let Some(step) = steps.iter().find(|step| step.done_at.is_none()) else {
        return "all steps are done".to_owned();
    };
    let title = shown(&step.planned.title, MOST_TITLE_BYTES);
    let percent = step.planned.new_weight;
    if step.settled_at.is_none() {
        return format!("moves {title} to {percent} % on the new side");
    }
    let [held, hold] = [step.held(at), step.planned.hold_seconds].map(Seconds);
    format!("holds {title} at {percent} % on the new side, under watch: {held} of {hold}")
}

/// What is asked once all traffic has moved: what the plan says.
fn validating(known: &Known) -> String {
    let plan = known.run.as_ref().map(|run| &run.plan);
    let asks = plan.is_some_and(|plan| plan.health_check.is_some()).then_some("asks it directly whether it is well");
    let compares = plan.is_some_and(|plan| !plan.validation.limits.is_empty());
    let looks: Vec<&str> = asks.into_iter().chain(compares.then_some("looks at the plan's limits")).collect();
    let looks = if looks.is_empty() { "nothing else is to be looked at".to_owned() } else { looks.join(", and ") };
    format!("all traffic is on the new side; {looks}")
}
