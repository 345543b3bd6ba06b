use serde_json::json;

use super::*;

const START: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:start";
const WAVE: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:wave";
const TIMELINE: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:timeline";
const TARGET: Target<'static> = Target { start_arn: START, wave_arn: WAVE, timeline_arn: TIMELINE, role_arn: "role" };

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn planned(date: &str) -> Planned {
    Planned {
        number: 1,
        date: date.to_owned(),
        opens: format!("{date}T20:00:00+01:00"),
        closes: format!("{date}T23:00:00+01:00"),
        input: json!({ "wave": format!("spring-{date}") }),
    }
}

fn want(date: &str, now: &str) -> Option<Wanted> {
    let zone = Zone::of("Europe/Zurich").unwrap();
    wanted("spring", (&planned(date), &format!("spring-{date}")), 900, ("Europe/Zurich", &zone), TARGET, at(now))
}

fn there(wanted: &Wanted) -> Found {
    Found {
        name: wanted.name.clone(),
        expression: format!("at({})", wanted.at),
        zone: wanted.zone.clone(),
        input: wanted.input.clone(),
        target_arn: START.to_owned(),
        role_arn: "role".to_owned(),
        is_enabled: true,
    }
}

const NOW: &str = "2026-03-01T08:00:00Z";

#[test]
fn a_wave_is_started_before_its_window_on_the_clock_of_its_zone() {
    let one = want("2026-03-07", NOW).unwrap();
    assert_eq!(
        (one.name.as_str(), one.at.as_str(), one.zone.as_str()),
        ("spring.2026-03-07", "2026-03-07T19:45:00", "Europe/Zurich")
    );
    let input: Value = serde_json::from_str(&one.input).unwrap();
    assert_eq!((&input["name"], &input["state_machine_arn"]), (&json!("spring-2026-03-07"), &json!(WAVE)));
}

#[test]
fn within_its_window_it_is_started_at_once_and_after_it_never() {
    assert_eq!(want("2026-03-07", "2026-03-07T20:00:00Z").unwrap().at, "2026-03-07T21:02:00");
    assert_eq!(want("2026-03-07", "2026-03-07T21:59:00Z"), None);
    assert_eq!(want("2026-03-07", "2026-03-08T20:00:00Z"), None);
}

#[test]
fn what_is_right_is_kept_what_is_gone_is_removed_first_and_what_is_new_is_made() {
    let [one, two] = ["2026-03-07", "2026-03-14"].map(|date| want(date, NOW).unwrap());
    let gone = there(&want("2026-03-10", NOW).unwrap());
    let todo = compare(vec![one.clone(), two.clone()], &[there(&one), gone], TARGET, at(NOW));
    assert_eq!(todo.kept, std::slice::from_ref(&one.name));
    assert_eq!(todo.changes, [Change::Remove("spring.2026-03-10".to_owned()), Change::Make(two.clone())]);
    let all = [there(&one), there(&two)];
    assert_eq!(compare(vec![one, two], &all, TARGET, at(NOW)).changes, []);
}

#[test]
fn what_differs_is_changed() {
    let one = want("2026-03-07", NOW).unwrap();
    let differing: [fn(&mut Found); 4] = [
        |found| found.expression = "at(2026-03-07T18:00:00)".to_owned(),
        |found| found.zone = "UTC".to_owned(),
        |found| found.role_arn = "another".to_owned(),
        |found| found.is_enabled = false,
    ];
    for change in differing {
        let mut found = there(&one);
        change(&mut found);
        let todo = compare(vec![one.clone()], &[found], TARGET, at(NOW));
        assert_eq!(todo.changes, [Change::Change(one.clone())]);
    }
    let mut found = there(&one);
    found.input = found.input.replace("\"input\":{", "\"input\":{\"tolerated_failures\":1,");
    assert_eq!(compare(vec![one.clone()], &[found], TARGET, at(NOW)).changes, [Change::Change(one)]);
}

#[test]
fn a_schedule_of_somebody_else_is_left_alone() {
    let one = want("2026-03-07", NOW).unwrap();
    let others: [fn(&mut Found); 4] = [
        |found| found.target_arn = WAVE.to_owned(),
        |found| found.input = "{}".to_owned(),
        |found| found.input = found.input.replace("stateMachine:wave", "stateMachine:cutover"),
        |found| found.input = found.input.replace("\"name\":\"spring-2026-03-07\"", "\"name\":\"mine\""),
    ];
    for change in others {
        let mut found = there(&one);
        change(&mut found);
        let todo = compare(vec![one.clone()], &[found.clone()], TARGET, at(NOW));
        assert_eq!((todo.changes, todo.foreign), (vec![], vec![one.name.clone()]));
        assert_eq!(compare(vec![], &[found], TARGET, at(NOW)).changes, []);
    }
}

#[test]
fn a_start_at_once_is_not_put_off_by_looking_again() {
    let first = want("2026-03-07", "2026-03-07T20:00:00Z").unwrap();
    let later = want("2026-03-07", "2026-03-07T20:01:00Z").unwrap();
    assert_ne!(first.at, later.at);
    let todo = compare(vec![later.clone()], &[there(&first)], TARGET, at("2026-03-07T20:01:00Z"));
    assert_eq!(todo.kept, std::slice::from_ref(&first.name));
    // Its time has passed, and it is still there: it was not delivered.
    let much_later = want("2026-03-07", "2026-03-07T20:10:00Z").unwrap();
    let todo = compare(vec![much_later.clone()], &[there(&first)], TARGET, at("2026-03-07T20:10:00Z"));
    assert_eq!(todo.changes, [Change::Change(much_later)]);
}

#[test]
fn a_timeline_begins_thirty_days_before_or_at_once_and_is_known_as_ours() {
    let zone = Zone::of("Europe/Zurich").unwrap();
    let want = |now: &str| wanted_timeline("spring", &planned("2026-04-07"), ("Europe/Zurich", &zone), TARGET, at(now));
    let one = want(NOW).unwrap();
    // Thirty times twenty-four hours: the clocks change in between.
    assert_eq!((one.name.as_str(), one.at.as_str()), ("spring.2026-04-07.timeline", "2026-03-08T20:00:00"));
    let input: Value = serde_json::from_str(&one.input).unwrap();
    assert_eq!((&input["name"], &input["state_machine_arn"]), (&json!("spring-2026-04-07-timeline"), &json!(TIMELINE)));
    assert_eq!(want("2026-04-01T10:00:00Z").unwrap().at, "2026-04-01T12:02:00");
    assert_eq!(want("2026-04-08T00:00:00Z"), None);
    let todo = compare(vec![one.clone()], &[there(&one)], TARGET, at(NOW));
    assert_eq!((todo.kept.len(), todo.changes.len(), todo.foreign.len()), (1, 0, 0));
    let gone = compare(Vec::new(), &[there(&one)], TARGET, at(NOW));
    assert_eq!(gone.changes, [Change::Remove(one.name.clone())]);
    // Of its name, and it starts something else.
    let foreign = Found { input: json!({ "state_machine_arn": WAVE, "name": "x" }).to_string(), ..there(&one) };
    assert_eq!(compare(vec![one.clone()], &[foreign], TARGET, at(NOW)).foreign, [one.name]);
}

#[test]
fn a_wave_that_has_run_already_is_started_once_more_and_under_one_name() {
    let wave =
        json!({ "wave": "spring-2026-03-07", "applications": [{ "name": "a", "cutover_from": "plans/a.json" }] });
    let order = waves::Order::of(&waves::WavePlan::read(&wave).unwrap(), &[]);
    let runs = waves::State::opened(&order, "arn:aws:states:eu-west-1:123456789012:execution:wave:first", at(NOW));
    let over = waves::State { stage: waves::state::Stage::Over, ..runs.clone() };
    let name = "spring-2026-03-07";
    assert_eq!((execution(name, None), execution(name, Some(&runs))), (name.to_owned(), name.to_owned()));
    let again = execution(name, Some(&over));
    assert!(again != name && again == execution(name, Some(&over)), "{again}");
    let next = waves::State { id: "arn:aws:states:eu-west-1:123456789012:execution:wave:second".to_owned(), ..over };
    assert_ne!(again, execution(name, Some(&next)));

    let zone = Zone::of("Europe/Zurich").unwrap();
    let of = |execution: &str| {
        wanted("spring", (&planned("2026-03-07"), execution), 900, ("Europe/Zurich", &zone), TARGET, at(NOW)).unwrap()
    };
    let input: Value = serde_json::from_str(&of(&again).input).unwrap();
    assert_eq!((&input["name"], &input["input"]["wave"]), (&json!(again), &json!(name)));
    assert!(of(&again).description.ends_with("once more"));
    // Its schedule is ours, whichever of the two it has.
    let todo = compare(vec![of(&again)], &[there(&of(name))], TARGET, at(NOW));
    assert_eq!((todo.changes, todo.foreign), (vec![Change::Change(of(&again))], vec![]));
    let todo = compare(vec![of(&again)], &[there(&of(&again))], TARGET, at(NOW));
    assert_eq!((todo.changes, todo.foreign), (vec![], vec![]));
}
