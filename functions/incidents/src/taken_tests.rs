use super::*;
use crate::decide::{Due, due, told};

fn now() -> Timestamp {
    "2026-11-26T22:00:00Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn run() -> OfRun {
    OfRun { run_id: "arn:aws:states:eu-west-1:1:execution:cutover:shop".to_owned(), application: "shop".to_owned() }
}

fn event(execution: &str, status: &str, error: Option<&str>, output: Option<&str>) -> Event {
    Event {
        execution_arn: execution.to_owned(),
        status: status.to_owned(),
        error: error.map(str::to_owned),
        output: output.map(str::to_owned),
        ..Event::default()
    }
}

fn take(incident: Option<Incident>, event: &Event, me: &str, at: Timestamp) -> (Option<Incident>, bool) {
    let before = incident.clone();
    let taken = of_rollback(incident, event, &run(), me, &Timing::default(), at);
    (taken.incident.or(before), taken.follows)
}

/// All that is due is told.
fn all_told(mut incident: Incident, at: Timestamp) -> Incident {
    while let Due::Now(message) = due(&incident, &Timing::default(), 1, at) {
        incident = told(incident, &message);
    }
    incident
}

#[test]
fn a_rollback_opens_a_high_one_and_its_good_end_ends_it() {
    let (incident, follows) = take(None, &event("r1", "RUNNING", None, None), "me", now());
    let incident = incident.unwrap();
    assert!(follows && incident.severity == Severity::High && incident.first_at == later(30));
    let end = event("r1", "SUCCEEDED", None, Some(r#"{"ending":"RolledBack"}"#));
    let (after, follows) = take(Some(incident), &end, "another", later(90));
    let after = after.unwrap();
    assert!(after.is_resolved() && !follows && after.owner == "me");
    let (again, follows) = take(Some(after.clone()), &end, "a third", later(95));
    assert_eq!((again, follows), (Some(after), false), "told twice, it changes nothing");
}

#[test]
fn a_stuck_rollback_raises_the_one_that_is_there() {
    let (incident, _) = take(None, &event("r1", "RUNNING", None, None), "me", now());
    let told = all_told(incident.unwrap(), later(60));
    let (raised, follows) = take(Some(told), &event("r1", "FAILED", Some("Cutover.Stuck"), None), "another", later(90));
    let raised = raised.unwrap();
    assert!(!follows && raised.owner == "me" && raised.severity == Severity::Critical && !raised.is_resolved());
    // Another rollback puts everything back: it is over.
    let (same, follows) = take(Some(raised), &event("r2", "RUNNING", None, None), "x", later(600));
    assert!(!follows);
    let (over, _) = take(same, &event("r2", "SUCCEEDED", None, Some(r#"{"ending":"RolledBack"}"#)), "x", later(700));
    assert!(over.unwrap().is_resolved());
}

#[test]
fn what_comes_late_or_alone_is_told_all_the_same() {
    // The end before the beginning.
    let (incident, follows) =
        take(None, &event("r1", "SUCCEEDED", None, Some(r#"{"ending":"RolledBack"}"#)), "me", now());
    assert!(!follows && incident.as_ref().unwrap().is_resolved());
    let (same, follows) = take(incident.clone(), &event("r1", "RUNNING", None, None), "other", later(1));
    assert_eq!((same, follows), (incident, false));
    // The beginning was lost.
    let (incident, follows) = take(None, &event("r1", "TIMED_OUT", None, None), "me", now());
    let incident = incident.unwrap();
    assert!(follows && incident.severity == Severity::Critical && incident.first_at == now());
}

#[test]
fn one_that_lost_opens_and_raises_nothing() {
    for (status, error, output) in [
        ("FAILED", Some("Cutover.Fenced"), None),
        ("FAILED", Some("Cutover.InvalidGesture"), None),
        ("SUCCEEDED", None, Some(r#"{"ending":"NothingToDo"}"#)),
    ] {
        let end = event("r1", status, error, output);
        assert_eq!(take(None, &end, "me", now()), (None, false), "{error:?}");
        let (incident, _) = take(None, &event("r1", "RUNNING", None, None), "me", now());
        let (after, _) = take(incident, &end, "me", later(2));
        let after = after.unwrap();
        assert!(after.is_resolved() && after.severity == Severity::High, "{error:?}");
        assert_eq!(due(&after, &Timing::default(), 1, later(60)), Due::Nothing, "nobody had heard of it");
    }
}

#[test]
fn a_loser_does_not_end_what_is_stuck() {
    let (stuck, _) = take(None, &event("r1", "FAILED", Some("Cutover.Stuck"), None), "me", now());
    let (after, _) = take(stuck, &event("r2", "FAILED", Some("Cutover.Fenced"), None), "me", later(5));
    assert!(!after.unwrap().is_resolved());
}

#[test]
fn one_that_was_over_and_is_stuck_again_is_followed_again() {
    let (incident, _) = take(None, &event("r1", "FAILED", Some("Cutover.Stuck"), None), "me", now());
    let say = Say { by: "Ada".to_owned(), text: "put right by hand".to_owned(), ..Say::default() };
    let resolved = said(incident.unwrap(), What::Resolved, say, later(60)).unwrap().incident.unwrap();
    let ended = all_told(resolved, later(61));
    let (again, follows) = take(Some(ended), &event("r2", "FAILED", Some("Cutover.Stuck"), None), "new", later(300));
    let again = again.unwrap();
    assert!(follows && again.owner == "new" && !again.is_resolved());
    assert!(matches!(due(&again, &Timing::default(), 1, later(301)), Due::Now(_)));
}

#[test]
fn people_say_things_and_what_they_say_stays() {
    let open = Open {
        severity: Severity::Low,
        title: "Logins are slow".to_owned(),
        by: "Ada".to_owned(),
        application: None,
        description: String::new(),
        impact: String::new(),
        next_steps: String::new(),
        estimated_resolution: String::new(),
    };
    let incident = opened(open, "i-0123456789ab", "me", Stakeholders::default(), now()).incident.unwrap();
    let say = |text: &str| Say { by: "Bob".to_owned(), text: text.to_owned(), ..Say::default() };
    let incident = said(incident, What::Acknowledged, say(""), later(1)).unwrap().incident.unwrap();
    assert_eq!(incident.acknowledged.as_ref().map(|who| who.by.as_str()), Some("Bob"));
    let count = incident.updates.len();
    let incident = said(incident, What::Acknowledged, say(""), later(9)).unwrap().incident.unwrap();
    assert_eq!(
        (incident.updates.len(), incident.acknowledged.as_ref().unwrap().at),
        (count, later(9)),
        "anew, and quietly"
    );
    let raise = Say { severity: Some(Severity::High), action_taken: Some("restarted".to_owned()), ..say("worse") };
    let incident = said(incident, What::Updated, raise, later(20)).unwrap().incident.unwrap();
    assert_eq!(incident.updates.last().unwrap().text, "investigating, high from now on, was low: worse");
    assert_eq!(incident.actions_taken, ["restarted"]);
    let over = said(incident, What::Resolved, say("mended"), later(30)).unwrap().incident.unwrap();
    assert!(over.is_resolved());
    assert_eq!(said(over.clone(), What::Resolved, say("mended"), later(31)).unwrap().incident, None);
    assert!(
        said(over, What::Updated, say("back"), later(31)).unwrap_err().contains("is resolved, and nothing was done")
    );
}

#[test]
fn of_very_many_updates_the_newest_stay_and_none_is_told_twice() {
    let (incident, _) = take(None, &event("r1", "FAILED", Some("Cutover.Stuck"), None), "me", now());
    let mut incident = all_told(incident.unwrap(), now());
    for second in 1..200 {
        let say = Say { by: "Ada".to_owned(), text: format!("{second}"), ..Say::default() };
        incident = said(incident, What::Updated, say, later(second)).unwrap().incident.unwrap();
        assert!(matches!(due(&incident, &Timing::default(), 1, later(second)), Due::Now(_)), "{second}");
        incident = all_told(incident, later(second));
    }
    assert_eq!(incident.updates.len(), MOST_UPDATES);
}

#[test]
fn an_execution_that_died_is_followed_by_another_and_one_that_is_over_by_none() {
    let (incident, _) = take(None, &event("r1", "FAILED", Some("Cutover.Stuck"), None), "me", now());
    let incident = incident.unwrap();
    let taken = followed(incident.clone(), "next");
    assert!(taken.follows && taken.incident.unwrap().owner == "next");
    assert_eq!(followed(incident.clone(), "me").incident, None, "twice");
    let say = Say { by: "Ada".to_owned(), ..Say::default() };
    let over = all_told(said(all_told(incident, now()), What::Resolved, say, now()).unwrap().incident.unwrap(), now());
    assert!(!followed(over, "next").follows);
}

#[test]
fn one_of_a_run_that_is_released_or_back_is_over_once() {
    let (stuck, _) = take(None, &event("r1", "FAILED", Some("Cutover.Stuck"), None), "me", now());
    let stuck = all_told(stuck.unwrap(), now());
    for (run, text) in [
        (RunIsOver::Back, "everything is exactly as it was before"),
        (
            RunIsOver::Released("Ada: it serves".to_owned()),
            "a person has released the run as it was: \"Ada: it serves\"",
        ),
        (RunIsOver::Stays, "the run is closed, and its new side stays"),
    ] {
        let over = run_is_over(&stuck, &run, later(60)).unwrap();
        assert_eq!(over.updates.last().map(|update| update.text.as_str()), Some(text));
        assert!(over.is_resolved() && over.turns > stuck.turns);
        assert_eq!(over.impact == "None any more.", run == RunIsOver::Back);
        assert!(
            matches!(due(&over, &Timing::default(), 1, later(60)), Due::Now(message) if message.kind == crate::decide::Kind::End)
        );
        assert_eq!(run_is_over(&over, &run, later(61)), None);
    }
}

#[test]
fn what_is_told_of_a_run_says_why_it_goes_back_and_how_it_was_left() {
    let begins = |input: Option<&str>| {
        let event = Event { input: input.map(str::to_owned), ..event("r1", "RUNNING", None, None) };
        take(None, &event, "me", now()).0.unwrap().description
    };
    let why = begins(Some(r#"{"run_id":"arn:x","why":"Monitor: Cutover.Unhealthy: 5xx is 0.04"}"#));
    assert_eq!(why, "It goes back because of: \"Monitor: Cutover.Unhealthy: 5xx is 0.04\".");
    assert_eq!(begins(Some(r#"{"application":"shop"}"#)), "A person has asked for it to go back.");
    assert!(begins(Some(r#"{"application":"shop","force":"Ada: go"}"#)).contains("\"Ada: go\""));
    assert!(begins(None).contains("was stopped") && begins(Some("no JSON")).contains("was stopped"));
    for (error, left) in [("Cutover.Stuck", "stuck"), ("Cutover.Held", "held"), ("States.Runtime", "unfinished")] {
        let incident = take(None, &event("r1", "FAILED", Some(error), None), "me", now()).0.unwrap();
        assert_eq!(incident.left.as_deref(), Some(left));
        assert!(incident.next_steps.contains("operators' message"), "{}", incident.next_steps);
    }
}

#[test]
fn one_that_a_person_opens_keeps_who_hears_of_it() {
    let open = || Open {
        severity: Severity::High,
        title: "Logins fail".to_owned(),
        by: "Ada".to_owned(),
        application: Some("shop".to_owned()),
        description: String::new(),
        impact: String::new(),
        next_steps: String::new(),
        estimated_resolution: String::new(),
    };
    let of_plan = Stakeholders { of_stack: Some(vec!["board".to_owned()]), groups: Vec::new() };
    let incident = opened(open(), "i-1", "me", of_plan.clone(), now()).incident.unwrap();
    assert_eq!(incident.stakeholders, Some(of_plan));
    let read = Incident::read("i-1", &incident.written().unwrap()).unwrap();
    assert_eq!(read, incident);
    let of_none = opened(open(), "i-1", "me", Stakeholders::default(), now()).incident.unwrap();
    assert!(of_none.stakeholders.is_none() && !of_none.written().unwrap().contains("stakeholders"));
}
