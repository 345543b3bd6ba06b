use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::asked::{Say, What};
use crate::decide::{Due, Kind, Message, due, told};
use crate::taken::said;

const WHY: &str = "Monitor: Cutover.Unhealthy: 5xx of the new targets is 0.04";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_730_400 + seconds).unwrap()
}

fn failure(application: usize, why: &str) -> Failure {
    let application = format!("app-{application}");
    let run_id = format!("arn:aws:states:eu-west-1:1:execution:cutover:{application}");
    let run = OfRun { run_id, application };
    Failure { run, wave: "wave-2".to_owned(), why: Some(why.to_owned()), stakeholders: Stakeholders::default() }
}

fn event(application: usize, status: &str, error: Option<&str>) -> Event {
    let output = (status == "SUCCEEDED").then(|| r#"{"ending":"RolledBack"}"#.to_owned());
    Event {
        execution_arn: format!("arn:aws:states:eu-west-1:1:execution:rollback:of-{application}"),
        status: status.to_owned(),
        error: error.map(str::to_owned),
        output,
        ..Event::default()
    }
}

/// The incidents of a wave as the journal has them, and the executions that follow them.
#[derive(Default)]
struct World {
    incidents: BTreeMap<String, Incident>,
    pointers: BTreeMap<String, String>,
    heard: Vec<Message>,
}

impl World {
    /// As `incident` does with what EventBridge tells it.
    fn take(&mut self, event: &Event, failure: &Failure, now: Timestamp) {
        let known = self.pointers.get(&failure.run.run_id).cloned();
        let cause = cause(failure.why.as_deref());
        let parts = (0..MOST_PARTS).map(|part| id_of_part(&failure.wave, &cause, part));
        let ids: Vec<String> = known.map_or_else(|| parts.collect(), |id| vec![id]);
        for id in ids {
            let me = format!("{}{}", event.execution_arn, event.status);
            let incident = self.incidents.get(&id).cloned();
            let Some(taken) = joined(incident, &id, event, failure, &me, &Timing::default(), now) else { continue };
            if let Some(incident) = taken.incident {
                assert!(serde_json::to_string(&incident).unwrap().len() < 380_000, "no item has room for it");
                self.incidents.insert(id.clone(), incident);
                self.pointers.insert(failure.run.run_id.clone(), id);
            }
            return;
        }
        panic!("no incident takes it");
    }

    /// One look at each of them.
    fn look(&mut self, now: Timestamp) {
        for incident in self.incidents.values_mut() {
            if let Some(over) = ended(incident, now) {
                *incident = over;
            }
            while let Due::Now(message) = due(incident, &Timing::default(), 2, now) {
                *incident = told(incident.clone(), &message);
                self.heard.push(message);
            }
        }
    }

    /// How many messages a level, or those who are informed, had until then.
    fn count(&self, level: Option<u8>, until: Timestamp) -> usize {
        let hears = |message: &&Message| match level {
            Some(level) => message.up_to_level.is_some_and(|up_to| level <= up_to),
            None => message.informs,
        };
        self.heard.iter().filter(hears).filter(|message| message.at < until).count()
    }
}

/// Failures at their seconds: each is back, or stuck, so much later. Looks come every half minute, whatever the follower waits for.
fn play(failures: &[(i64, i64, bool)], seconds: i64) -> World {
    let mut world = World::default();
    for second in 0..=seconds {
        for (application, (begins, takes, is_stuck)) in failures.iter().enumerate() {
            let failure = failure(application, &format!("{WHY}{application}"));
            if *begins == second {
                world.take(&event(application, "RUNNING", None), &failure, at(second));
            }
            if begins + takes == second {
                let end = if *is_stuck { ("FAILED", Some("Cutover.Stuck")) } else { ("SUCCEEDED", None) };
                world.take(&event(application, end.0, end.1), &failure, at(second));
            }
        }
        if second % 30 == 0 {
            world.look(at(second));
        }
    }
    world
}

#[test]
fn two_hundred_that_fail_at_once_are_one_incident_and_few_messages() {
    let failures: Vec<(i64, i64, bool)> = (0..200).map(|n| (n % 25, 90 + n % 60, n == 7)).collect();
    let world = play(&failures, 620);
    assert_eq!(world.incidents.len(), 1);
    let first = &world.heard[0];
    assert_eq!((first.kind, first.at), (Kind::First, at(30)));
    let incident = world.incidents.values().next().unwrap();
    let of_wave = incident.of_wave.as_ref().unwrap();
    assert_eq!((of_wave.members.len(), incident.severity), (200, Severity::Critical));
    assert_eq!(of_wave.sum(), "of 200 cutovers, 1 needs a person, 199 are back");
    for level in [Some(1), Some(2), None] {
        let count = world.count(level, at(600));
        assert!((1..=5).contains(&count), "{level:?} heard {count}: {:?}", world.heard);
    }
}

#[test]
fn all_that_are_back_end_it_once_and_nobody_is_called_meanwhile() {
    let world = play(&[(0, 60, false), (5, 200, false), (20, 100, false)], 1_500);
    let kinds: Vec<(Kind, i64)> =
        world.heard.iter().map(|message| (message.kind, message.at.duration_since(at(0)).as_secs())).collect();
    assert_eq!(kinds, [(Kind::First, 30), (Kind::Change, 180), (Kind::Change, 330), (Kind::End, 810)], "{kinds:?}");
    let incident = world.incidents.values().next().unwrap();
    assert_eq!(incident.updates.last().unwrap().text, "nothing of them is left to put back: of 3 cutovers, 3 are back");
    // Whoever fails an hour later, of the same cause, has another one.
    let mut world = world;
    world.take(&event(9, "RUNNING", None), &failure(9, WHY), at(5_000));
    assert_eq!(world.incidents.len(), 2);
}

#[test]
fn another_cause_is_another_incident_and_whose_words_differ_is_not() {
    let mut world = World::default();
    for (application, why) in [
        WHY,
        "Monitor: Cutover.Unhealthy: p95 of app-1 is 3.2",
        "ShiftWeight: Cutover.NotPermitted: denied",
        "Cutover.Unhealthy: of the sweep",
    ]
    .iter()
    .enumerate()
    {
        world.take(&event(application, "RUNNING", None), &failure(application, why), at(1));
    }
    assert_eq!(world.incidents.len(), 2);
    for (why, expected) in [
        (Some(WHY), "Cutover.Unhealthy"),
        (Some("the execution was ABORTED"), "stopped"),
        (Some("It said: no. It did not: work"), "stopped"),
        (Some("Validate: States.Timeout: 30 s"), "States.Timeout"),
        (None, "stopped"),
    ] {
        assert_eq!(cause(why), expected, "{why:?}");
    }
}

#[test]
fn events_that_come_twice_or_late_change_nothing() {
    let mut world = play(&[(0, 60, false), (5, 50, true)], 90);
    let before = world.incidents.clone();
    for (application, status, error) in
        [(0, "RUNNING", None), (0, "SUCCEEDED", None), (1, "FAILED", Some("Cutover.Stuck")), (1, "RUNNING", None)]
    {
        world.take(&event(application, status, error), &failure(application, WHY), at(100));
        assert_eq!(world.incidents, before, "{application} {status}");
    }
    // Another rollback of the stuck one loses: a person is needed still. One that wins ends that.
    let other = |status: &str, error: Option<&str>| Event {
        execution_arn: "arn:aws:states:eu-west-1:1:execution:rollback:again".to_owned(),
        ..event(1, status, error)
    };
    world.take(&other("FAILED", Some("Cutover.Fenced")), &failure(1, WHY), at(110));
    let standing =
        |world: &World| world.incidents.values().next().unwrap().of_wave.as_ref().unwrap().members[1].standing;
    assert_eq!(standing(&world), Standing::Left);
    let last = Event {
        execution_arn: "arn:aws:states:eu-west-1:1:execution:rollback:last".to_owned(),
        ..event(1, "SUCCEEDED", None)
    };
    world.take(&last, &failure(1, WHY), at(120));
    assert_eq!(standing(&world), Standing::Over);
}

#[test]
fn what_a_person_says_is_told_at_once_and_a_released_run_is_over() {
    let world = play(&[(0, 20, true), (5, 40, false)], 90);
    let incident = world.incidents.into_values().next().unwrap();
    let say = Say { by: "Ada".to_owned(), text: "on it".to_owned(), ..Say::default() };
    let spoken = said(incident.clone(), What::Acknowledged, say, at(91)).unwrap().incident.unwrap();
    assert!(matches!(due(&spoken, &Timing::default(), 1, at(91)), Due::Now(Message { kind: Kind::Change, .. })));
    let run_id = &failure(0, WHY).run.run_id;
    let over = run_is_over(&incident, run_id, at(95)).unwrap();
    assert!(over.of_wave.as_ref().unwrap().is_over() && run_is_over(&over, run_id, at(96)).is_none());
    assert!(ended(&over, at(95 + 600)).is_some_and(|over| over.is_resolved()) && ended(&over, at(600)).is_none());
}

#[test]
fn of_more_than_one_has_room_for_the_rest_is_in_the_next() {
    let mut world = World::default();
    let why = "x".repeat(500);
    for application in 0..MOST_RUNS + 1 {
        world.take(&event(application, "RUNNING", None), &failure(application, &format!("{WHY}{why}")), at(1));
    }
    let counts: Vec<usize> = world.incidents.values().map(|one| one.of_wave.as_ref().unwrap().members.len()).collect();
    assert_eq!((counts.iter().sum::<usize>(), counts.iter().max()), (MOST_RUNS + 1, Some(&MOST_RUNS)));
}

#[test]
fn who_hears_of_several_plans_is_who_hears_of_any() {
    let group = |name: &str, to: &str| -> Group {
        serde_json::from_value(
            serde_json::json!({ "name": name, "channels": [{ "type": "mail", "to": [to] }], "moments": ["incident"] }),
        )
        .unwrap()
    };
    let of = |of_stack: Option<Vec<&str>>, groups: Vec<Group>| Stakeholders {
        of_stack: of_stack.map(|names| names.into_iter().map(str::to_owned).collect()),
        groups,
    };
    let one = of(Some(vec!["a"]), vec![group("team", "one@example.com")]);
    let other = of(Some(vec!["a", "b"]), vec![group("team", "two@example.com"), group("leads", "l@example.com")]);
    let both = together(&one, &other);
    assert_eq!(both, of(Some(vec!["a", "b"]), vec![group("team", "one@example.com"), group("leads", "l@example.com")]));
    assert_eq!(together(&both, &of(None, vec![])).of_stack, None);
    let hearers: Vec<&Group> = both.groups.iter().collect();
    assert!(
        is_told(&one.groups[0], &hearers) && !is_told(&other.groups[0], &hearers),
        "by other channels it is another one"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// However they come, and however they end.
    #[test]
    fn nobody_hears_more_than_five_messages_in_the_first_ten_minutes(
        failures in prop::collection::vec((0_i64..600, 5_i64..500, prop::bool::weighted(0.2)), 200),
    ) {
        let world = play(&failures, 1_300);
        let first = failures.iter().map(|(begins, ..)| *begins).min().unwrap();
        for level in [Some(1), Some(2), None] {
            let count = world.count(level, at(first + 600));
            prop_assert!(count <= 5, "{level:?} heard {count}");
        }
        prop_assert_eq!(world.incidents.len(), 1);
        prop_assert!(world.heard[0].at <= at(first + 60), "the first message came at {}", world.heard[0].at);
    }
}

#[test]
fn the_impact_is_that_of_how_its_runs_stand() {
    let mut world = World::default();
    let impact = |world: &World| world.incidents.values().next().unwrap().impact.clone();
    for application in [1, 2] {
        world.take(&event(application, "RUNNING", None), &failure(application, WHY), at(0));
    }
    assert!(impact(&world).contains("moved back to the old side"), "{}", impact(&world));
    world.take(&event(1, "FAILED", Some("Cutover.Stuck")), &failure(1, WHY), at(60));
    assert!(impact(&world).contains("need a person"), "{}", impact(&world));
    world.take(&event(2, "SUCCEEDED", None), &failure(2, WHY), at(70));
    let again = Event {
        execution_arn: "arn:aws:states:eu-west-1:1:execution:rollback:again".to_owned(),
        ..event(1, "SUCCEEDED", None)
    };
    world.take(&again, &failure(1, WHY), at(90));
    assert!(impact(&world).starts_with("None any more"), "{}", impact(&world));
}
