use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const OPENS: &str = "2026-03-07T19:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn seen(opens: Option<&str>) -> Seen {
    Seen {
        opens: opens.map(time),
        applications: vec!["shop".to_owned()],
        run: Run::NotBegun,
        time_zone: "Europe/Zurich".to_owned(),
    }
}

fn open(at: &str) -> State {
    State::opened("spring-2026-03-07", "spring", "arn:me", time(at))
}

/// Goes from look to look until a time, as the machine does; every precheck is green at once. What was told, and when.
fn played(state: &mut State, seen: &dyn Fn(Timestamp) -> Seen, from: &str, to: &str) -> Vec<(Timestamp, What)> {
    let (mut at, mut told, mut sights) = (time(from), Vec::new(), Vec::new());
    for _ in 0..5000 {
        let next = next(state.clone(), &seen(at), &sights, at);
        sights = next.start.into_iter().map(|name| (name, Sight::Ended(None))).collect();
        *state = next.state;
        told.extend(std::mem::take(&mut state.untold).into_iter().map(|news| (at, news.what)));
        match next.then {
            Then::Look(then) if then <= time(to) => at = then,
            _ => return told,
        }
    }
    panic!("it never ends");
}

fn milestones(told: &[(Timestamp, What)]) -> Vec<(String, Milestone)> {
    let of = |(at, what): &(Timestamp, What)| match what {
        What::Milestone { is, .. } => Some((at.to_string(), *is)),
        _ => None,
    };
    told.iter().filter_map(of).collect()
}

fn with(run: Run) -> Seen {
    Seen { run, ..seen(Some(OPENS)) }
}

/// It runs for three hours from its opening on.
fn moves(at: Timestamp) -> Seen {
    let opens = time(OPENS);
    match at.duration_since(opens).as_secs() {
        ..0 => with(Run::NotBegun),
        0..10_800 => with(Run::Going(opens)),
        _ => with(Run::Over),
    }
}

#[test]
fn each_milestone_is_told_once_at_its_time() {
    let mut state = open("2026-01-20T09:00:00Z");
    let told = played(&mut state, &moves, "2026-01-20T09:00:00Z", "2026-04-01T00:00:00Z");
    let expected = [
        ("2026-02-05T19:00:00Z", Milestone::ThirtyDays),
        ("2026-02-28T19:00:00Z", Milestone::SevenDays),
        // The prechecks of that moment came first.
        ("2026-03-06T19:01:00Z", Milestone::DayBefore),
        ("2026-03-08T19:00:00Z", Milestone::DayAfter),
    ];
    assert_eq!(milestones(&told), expected.map(|(at, milestone)| (at.to_owned(), milestone)));
    let during = told.iter().filter(|(_, what)| *what == What::During).count();
    assert_eq!(during, 5, "every half hour of three, but the first and the last, which the wave tells");
    let reminders: Vec<Milestone> = told
        .iter()
        .filter_map(|(_, what)| if let What::Reminder(milestone) = what { Some(*milestone) } else { None })
        .collect();
    assert_eq!(reminders, [Milestone::ThirtyDays, Milestone::SevenDays, Milestone::DayBefore, Milestone::DayAfter]);
    assert!(state.is_over);
    assert!(told.iter().all(|(_, what)| !matches!(what, What::Check { .. })), "all were green all the time");
}

#[test]
fn what_is_past_when_a_wave_is_scheduled_is_not_sent_late_without_saying_so() {
    let mut state = open("2026-03-04T09:00:00Z");
    let told = played(&mut state, &moves, "2026-03-04T09:00:00Z", "2026-03-05T09:00:00Z");
    let What::Milestone { is, due_at, passed_over } = &told[0].1 else { panic!("{told:?}") };
    assert_eq!((*is, *due_at), (Milestone::SevenDays, time("2026-02-28T19:00:00Z")));
    assert_eq!(passed_over, &[Milestone::ThirtyDays]);
    assert_eq!(milestones(&told).len(), 1);
    // Its checklist was due before anybody had heard of it: the message says so, and no reminder comes.
    assert!(told.iter().all(|(_, what)| *what != What::Reminder(Milestone::ThirtyDays)));
    // After its window has opened nothing of before is told.
    let mut state = open("2026-03-07T20:00:00Z");
    let told = played(&mut state, &moves, "2026-03-07T20:00:00Z", "2026-03-09T09:00:00Z");
    assert_eq!(milestones(&told), [("2026-03-08T19:00:00Z".to_owned(), Milestone::DayAfter)]);
}

#[test]
fn a_wave_that_has_not_begun_is_told_of_and_one_that_has_is_not() {
    let mut state = open("2026-03-06T20:00:00Z");
    let told = played(&mut state, &|_| with(Run::NotBegun), "2026-03-06T20:00:00Z", "2026-03-12T00:00:00Z");
    let is: Vec<Milestone> = milestones(&told).into_iter().map(|(_, milestone)| milestone).collect();
    assert_eq!(is, [Milestone::DayBefore, Milestone::Start, Milestone::DayAfter]);
}

#[test]
fn a_date_that_moves_is_told_and_its_old_milestones_never_come() {
    let mut state = open("2026-01-20T09:00:00Z");
    let gone_on = time("2026-02-20T00:00:00Z");
    let gone = |at: Timestamp| if at < gone_on { seen(Some(OPENS)) } else { seen(None) };
    let told = played(&mut state, &gone, "2026-01-20T09:00:00Z", "2026-04-01T00:00:00Z");
    assert_eq!(milestones(&told).len(), 1, "30 days before");
    let moved: Vec<&(Timestamp, What)> = told.iter().filter(|(_, what)| matches!(what, What::Moved { .. })).collect();
    let [(at, What::Moved { was })] = moved[..] else { panic!("{told:?}") };
    assert!(at.duration_since(gone_on).as_hours() < 6 && *was == Some(time(OPENS)), "{at}");
    assert!(state.is_over, "it ends a day after it was to be");
    // Back on its date: the rest comes, and what came does not come again.
    let mut state = open("2026-01-20T09:00:00Z");
    let back_on = time("2026-02-22T00:00:00Z");
    let back = |at: Timestamp| if at < gone_on || at >= back_on { moves(at) } else { seen(None) };
    let told = played(&mut state, &back, "2026-01-20T09:00:00Z", "2026-04-01T00:00:00Z");
    assert_eq!(milestones(&told).len(), 4);
    assert_eq!(told.iter().filter(|(_, what)| matches!(what, What::Moved { .. })).count(), 2);
}

#[test]
fn nobody_hears_of_a_date_that_goes_before_they_have_heard_of_it() {
    let mut state = open("2026-01-20T09:00:00Z");
    let gone = |at: Timestamp| if at < time("2026-01-22T00:00:00Z") { seen(Some(OPENS)) } else { seen(None) };
    let told = played(&mut state, &gone, "2026-01-20T09:00:00Z", "2026-04-01T00:00:00Z");
    assert!(told.iter().all(|(_, what)| matches!(what, What::Digest(_))), "{told:?}");
}

#[test]
fn a_wave_that_has_moved_stays_on_its_date_whatever_is_planned_anew() {
    let mut state = open("2026-01-20T09:00:00Z");
    let planned_anew = |at: Timestamp| {
        let moves = moves(at);
        Seen { opens: moves.opens.filter(|_| moves.run == Run::NotBegun), ..moves }
    };
    let told = played(&mut state, &planned_anew, "2026-01-20T09:00:00Z", "2026-04-01T00:00:00Z");
    assert!(told.iter().all(|(_, what)| !matches!(what, What::Moved { .. })), "{told:?}");
    assert_eq!(milestones(&told).len(), 4);
}

#[test]
fn digests_come_by_the_programmes_clock() {
    let zone = "Europe/Zurich";
    let at = time("2026-03-04T12:00:00Z"); // a Wednesday
    assert_eq!(around(Period::Weekly, zone, at), Some((time("2026-03-02T07:00:00Z"), time("2026-03-09T07:00:00Z"))));
    assert_eq!(around(Period::Daily, zone, at), Some((time("2026-03-04T06:00:00Z"), time("2026-03-05T06:00:00Z"))));
    let early = time("2026-03-02T06:59:59Z"); // Monday, a second before eight
    assert_eq!(around(Period::Weekly, zone, early), Some((time("2026-02-23T07:00:00Z"), time("2026-03-02T07:00:00Z"))));
    let mut state = open("2026-03-01T12:00:00Z");
    let told = played(&mut state, &moves, "2026-03-01T12:00:00Z", "2026-03-12T00:00:00Z");
    let count = |period| told.iter().filter(|(_, what)| *what == What::Digest(period)).count();
    assert_eq!((count(Period::Weekly), count(Period::Daily)), (2, 10));
}

#[test]
fn every_message_knows_when_the_next_one_comes() {
    let mut state = open("2026-01-20T09:00:00Z");
    let look = next(state.clone(), &seen(Some(OPENS)), &[], time("2026-02-05T19:00:00Z"));
    state = look.state;
    let next = |format: &str| next_message(&state, format, "UTC", time("2026-02-05T19:00:00Z"));
    assert_eq!(next("detailed"), Some(time("2026-02-28T19:00:00Z")));
    assert_eq!(next("technical"), Some(time("2026-02-06T07:00:00Z")), "the daily digest");
}

proptest! {
    /// Looks come at any times, some twice, the wave comes and goes: nothing is told twice, and every look ends.
    #[test]
    fn whatever_happens_no_milestone_is_told_twice(
        first in 0_i64..40 * 24, steps in prop::collection::vec((0_i64..60, any::<bool>(), 0_u8..20), 1..120),
    ) {
        let opens = time(OPENS);
        let mut at = opens - jiff::SignedDuration::from_hours(first);
        let mut state = State::opened("w", "p", "arn:me", at);
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        let mut run = Run::NotBegun;
        for (hours, again, fate) in steps {
            at += jiff::SignedDuration::from_hours(hours);
            if at >= opens && run == Run::NotBegun && fate % 2 == 0 { run = Run::Going(at) }
            if matches!(run, Run::Going(_)) && fate > 15 { run = Run::Over }
            let seen = Seen { opens: (fate != 7).then_some(opens), run, ..seen(Some(OPENS)) };
            for _ in 0..=u8::from(again) {
                let next = next(state.clone(), &seen, &[], at);
                state = next.state;
                for news in std::mem::take(&mut state.untold) {
                    if let What::Milestone { is, .. } = news.what { *told.entry(is.name().to_owned()).or_default() += 1 }
                }
                if let Then::Look(then) = next.then { prop_assert!(then > at) }
            }
        }
        prop_assert!(told.values().all(|count| *count == 1), "{told:?}");
    }
}

#[test]
fn what_is_to_come_by_a_new_date_is_told_and_done_anew() {
    let (old, new) = (OPENS, "2026-03-08T23:00:00Z");
    let tick = || crate::state::Tick { by: "Ada".to_owned(), at: time("2026-03-06T20:00:00Z") };
    let mut state = open("2026-01-20T09:00:00Z");
    played(&mut state, &|_| seen(Some(old)), "2026-01-20T09:00:00Z", "2026-03-06T21:00:00Z");
    for item in ["go-no-go", "war-room", "help-desk"] {
        state.ticks.insert(item.to_owned(), tick());
    }
    assert!(state.told.contains_key(&Milestone::DayBefore) && state.reminded.contains(&Milestone::ThirtyDays));
    let told = played(&mut state, &|_| seen(Some(new)), "2026-03-06T21:10:00Z", "2026-03-08T01:00:00Z");
    assert!(matches!(told[0].1, What::Moved { .. }), "{told:?}");
    assert_eq!(milestones(&told), [("2026-03-07T23:01:00Z".to_owned(), Milestone::DayBefore)], "at its new time, once");
    assert_eq!(state.ticks.keys().collect::<Vec<_>>(), ["help-desk", "war-room"], "a go is of its date");
    assert!(state.reminded.contains(&Milestone::ThirtyDays), "what is past stays");
}

#[test]
fn whoever_heard_of_a_date_hears_of_each_one_after_it() {
    let mut state = open("2026-02-01T09:00:00Z");
    let on = |opens: &'static str| move |_: Timestamp| seen(Some(opens));
    played(&mut state, &on(OPENS), "2026-02-01T09:00:00Z", "2026-02-06T09:00:00Z");
    let is_moved = |told: &[(Timestamp, What)]| told.iter().any(|(_, what)| matches!(what, What::Moved { .. }));
    let first = played(&mut state, &on("2026-06-07T19:00:00Z"), "2026-02-06T10:00:00Z", "2026-02-06T11:00:00Z");
    assert!(is_moved(&first) && state.told.is_empty(), "{first:?}");
    let second = played(&mut state, &on("2026-07-07T19:00:00Z"), "2026-02-06T12:00:00Z", "2026-02-06T13:00:00Z");
    assert!(is_moved(&second), "{second:?}");
}
