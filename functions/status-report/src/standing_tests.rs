use cutover::contract::Caller;
use history::{Ended, Event, Story, What};
use journal::{Ending, Run};
use serde_json::json;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn in_state(state: &str, phase: Option<Phase>) -> Known {
    let events = vec![Event { at: at(0), what: What::Entered(state.to_owned()) }];
    let caller = Caller { run_id: "run".to_owned(), execution_arn: "me".to_owned(), state: String::new() };
    let plan = serde_json::from_value(json!({ "application": "shop", "routes": [] })).unwrap();
    let run = phase.map(|phase| Run { phase, ..Run::claimed(&caller, plan, vec![], at(0)) });
    Known { cutover: Story { events, ..Story::default() }, run, ..Known::default() }
}

#[test]
fn the_journal_says_how_a_run_stands_and_before_the_claim_its_execution() {
    for (state, phase, expected) in [
        ("Precheck", None, Standing::Checking),
        ("AwaitApproval", None, Standing::WaitsForApproval),
        ("AnnounceNothingTouched", None, Standing::NotStarted),
        ("HoldWait", Some(Phase::Forward), Standing::Running),
        ("AwaitDecision", Some(Phase::Forward), Standing::WaitsForDecision),
        ("AskAfterLoadTest", Some(Phase::Forward), Standing::WaitsForDecision),
        ("WaitForRollback", Some(Phase::Forward), Standing::RollingBack),
        ("WaitForRollback", Some(Phase::RollingBack), Standing::RollingBack),
        ("WaitForRollback", Some(Phase::Stuck), Standing::Stuck),
        ("RolledBack", Some(Phase::RolledBack), Standing::RolledBack),
        ("Succeeded", Some(Phase::Finished), Standing::Watched),
        ("Succeeded", Some(Phase::Cleaning), Standing::CleaningUp),
        ("Succeeded", Some(Phase::Closed), Standing::Closed),
    ] {
        assert_eq!(standing(&in_state(state, phase)), expected, "{state} {phase:?}");
    }
}

#[test]
fn a_run_whose_execution_was_stopped_is_owed_its_way_back() {
    let mut known = in_state("HoldWait", Some(Phase::Forward));
    known.cutover.ended = Some(Ended { at: at(9), status: "ABORTED", error: None });
    assert_eq!(standing(&known), Standing::RollingBack);
    let words = |known: &Known, standing| activity(known, &[], &[], standing, at(9)).0;
    let told = words(&known, Standing::RollingBack);
    assert_eq!(told, "going forward has ended, since its execution was stopped, and the way back is about to begin");
    known.run.as_mut().unwrap().phase = Phase::RolledBack;
    let told = words(&known, Standing::RolledBack);
    assert_eq!(told, "everything is as it was before, since its execution was stopped");
    known.run = None;
    assert_eq!(standing(&known), Standing::NotStarted);
    let told = words(&known, Standing::NotStarted);
    assert_eq!(told, "the run ended before anything was touched, since its execution was stopped");
}

#[test]
fn a_paused_run_is_paused_unless_something_graver_is_so() {
    for (state, expected) in [
        ("HoldWait", Standing::Paused),
        ("AwaitDecision", Standing::WaitsForDecision),
        ("StartRollback", Standing::RollingBack),
    ] {
        let mut known = in_state(state, Some(Phase::Forward));
        known.run.as_mut().unwrap().paused = true;
        assert_eq!(standing(&known), expected, "{state}");
    }
}

#[test]
fn a_run_that_the_line_holds_says_so_until_a_look_finds_it_lifted() {
    let answered = |known: &mut Known, state: &str, reply: serde_json::Value| {
        let event = |what| Event { at: at(1), what };
        let asked = json!({ "Payload": {} }).to_string();
        known.cutover.events.extend([
            event(What::Entered(state.to_owned())),
            event(What::Scheduled(asked)),
            event(What::Succeeded(json!({ "Payload": reply }).to_string())),
            event(What::Entered("HoldWait".to_owned())),
        ]);
    };
    let held = json!({ "held": "the line is stopped by \"Ada\" since 2026-11-27 08:00:00 UTC: \"packets are lost\"" });
    for state in ["Monitor", "CheckLine"] {
        let mut known = in_state("NextStep", Some(Phase::Forward));
        answered(&mut known, state, held.clone());
        assert_eq!(standing(&known), Standing::LineStopped, "{state}");
        let (words, _) = activity(&known, &known.calls(), &[], Standing::LineStopped, at(2));
        assert!(
            words.ends_with("; the line is stopped by \"Ada\" since 2026-11-27 08:00:00 UTC: \"packets are lost\""),
            "{words}"
        );
        answered(&mut known, "Monitor", json!({ "done": true }));
        assert_eq!(standing(&known), Standing::Running, "{state}");
    }
}

#[test]
fn held_and_released_are_endings() {
    let ended = |phase, name: &str| {
        let mut known = in_state("", Some(phase));
        let ending = Ending { at: at(1).to_string(), report: json!({ "ending": name }) };
        known.run.as_mut().unwrap().ending = Some(ending);
        standing(&known)
    };
    assert_eq!(ended(Phase::Stuck, "Held"), Standing::Held);
    assert_eq!(ended(Phase::Stuck, "Stuck"), Standing::Stuck);
    assert_eq!(ended(Phase::Closed, "Released"), Standing::Released);
}

#[test]
fn a_run_that_a_person_released_says_who_and_why() {
    let mut known = in_state("", Some(Phase::Closed));
    let report =
        json!({ "ending": "Released", "by": "Ada: agreed with Bob", "was": { "ending": "Stuck", "routes": [] } });
    known.run.as_mut().unwrap().ending = Some(Ending { at: at(1).to_string(), report });
    let (words, _) = activity(&known, &[], &[], Standing::Released, at(2));
    assert_eq!(words, "a person released the run as it was: \"Ada: agreed with Bob\"");
}

#[test]
fn nobody_is_said_to_be_asked_where_the_plan_has_no_health_check() {
    let mut known = in_state("Validate", Some(Phase::Forward));
    let words = |known: &Known| activity(known, &[], &[], Standing::Running, at(2)).0;
    assert_eq!(words(&known), "all traffic is on the new side; nothing else is to be looked at");
    let with = |known: &mut Known, more: serde_json::Value| {
        let mut plan = json!({ "application": "shop", "routes": [] });
        plan.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        known.run.as_mut().unwrap().plan = serde_json::from_value(plan).unwrap();
    };
    with(&mut known, json!({ "health_check": { "url": "http://10.0.0.1/" } }));
    assert_eq!(words(&known), "all traffic is on the new side; asks it directly whether it is well");
}

/// Every state of the cutover has words: those that only hold a step's are the step's.
#[test]
fn every_state_of_the_definition_has_words() {
    let definition = include_str!("../../../statemachine/cutover.asl.yaml");
    let states = definition.lines().filter_map(|line| {
        let name = line.trim().split(':').next()?;
        let is_state = line.starts_with("  ") && name.starts_with(char::is_uppercase);
        (is_state && name.chars().all(char::is_alphanumeric)).then_some(name)
    });
    let of_steps = [
        "NextStep",
        "SwapListener",
        "ShiftWeight",
        "SettleWait",
        "SettleVerdict",
        "WatchSettling",
        "AnnounceStep",
        "ShowStep",
        "HoldWait",
        "Monitor",
        "MonitorVerdict",
        "GoBackOrHold",
    ];
    let elsewhere = [
        "AwaitApproval",
        "AwaitDecision",
        "IsDecisionSigned",
        "AskAfterLoadTest",
        "StartRollback",
        "WaitForRollback",
        "LookAtRollback",
        "RollbackVerdict",
        "AnnounceNothingTouched",
        "WhyNothingTouched",
        "InvalidPlan",
        "PrecheckFailed",
        "Rejected",
        "Conflict",
        "LineStopped",
        "RolledBack",
        "Stuck",
        "Held",
        "RollbackUnfinished",
    ];
    let mut seen = 0;
    let text = [include_str!("standing.rs"), include_str!("doing.rs")].concat();
    for state in states.filter(|state| {
        definition.contains(&format!("  {state}:\n    Type:")) || definition.contains(&format!("  {state}:\n    <<:"))
    }) {
        seen += 1;
        let is_known =
            of_steps.contains(&state) || elsewhere.contains(&state) || text.contains(&format!("\"{state}\""));
        assert!(is_known, "{state} has no words");
    }
    assert!(seen > 40, "{seen} states");
}
