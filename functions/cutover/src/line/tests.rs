use serde_json::{Value, json};

use super::*;
use crate::error::name;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
}

fn gesture(value: Value) -> Gesture {
    serde_json::from_value(value).unwrap()
}

fn stop(by: &str) -> Gesture {
    gesture(json!({ "stop": { "by": by, "why": "packets are lost" } }))
}

fn lift() -> Gesture {
    gesture(json!({ "lift": { "by": "Ada", "why": "mended" } }))
}

fn except(by: &str) -> Gesture {
    gesture(json!({ "except": { "application": "shop", "by": by, "why": "on another network" } }))
}

fn approve(by: &str) -> Gesture {
    gesture(json!({ "approve": { "application": "shop", "by": by } }))
}

fn line(gestures: &[Gesture]) -> Line {
    let mut line = Line::default();
    for (minute, gesture) in (0_i64..).zip(gestures) {
        line.say(gesture, at(minute)).unwrap();
    }
    line
}

#[test]
fn a_stopped_line_holds_everybody_until_it_is_lifted() {
    assert_eq!(line(&[]).holds("shop"), None);
    let stopped = line(&[stop("Ada")]);
    let words = stopped.holds("shop").unwrap();
    assert_eq!(words, "the line is stopped by \"Ada\" since 2027-01-15 08:00:00 UTC: \"packets are lost\"");
    assert_eq!(line(&[stop("Ada"), lift()]).holds("shop"), None);
}

#[test]
fn what_is_said_twice_changes_nothing() {
    for (before, again) in [
        (vec![stop("Ada")], stop("Grace")),
        (vec![], lift()),
        (vec![stop("Ada"), except("Ada")], except("Grace")),
        (vec![stop("Ada"), except("Ada"), approve("Grace")], approve("Barbara")),
        (vec![stop("Ada"), except("Ada"), approve("Grace")], except("Ada")),
    ] {
        let mut again_said = line(&before);
        let words = again_said.say(&again, at(60)).unwrap();
        assert!(words.starts_with("nothing was changed: "), "{words}");
        assert_eq!(again_said, line(&before), "{again:?}");
    }
}

#[test]
fn an_exception_needs_a_second_person() {
    let asked = line(&[stop("Ada"), except("Ada Lovelace")]);
    assert!(asked.holds("shop").is_some_and(|why| why.ends_with("and a second person has to approve it")));
    for same in ["Ada Lovelace", " ada  lovelace "] {
        let mut line = asked.clone();
        let error = line.say(&approve(same), at(2)).unwrap_err();
        assert_eq!(error.name, name::INVALID_GESTURE);
        assert!(error.message.contains("a second person has to approve it"), "{error}");
        assert_eq!(line, asked);
    }
    let approved = line(&[stop("Ada"), except("Ada Lovelace"), approve("Grace")]);
    assert_eq!(approved.holds("shop"), None);
    assert!(approved.holds("billing").is_some(), "it is an exception for one application");
}

#[test]
fn two_names_are_said_to_be_names_that_nobody_has_verified() {
    let mut line = line(&[stop("Ada")]);
    for (gesture, part) in [(except("Ada"), "asked by \"Ada\""), (approve("Bob"), "approved by \"Bob\"")] {
        let words = line.say(&gesture, at(2)).unwrap();
        assert!(words.contains(part) && words.contains("nobody has verified"), "{words}");
    }
}

#[test]
fn an_exception_is_of_one_stop_only() {
    let anew = line(&[stop("Ada"), except("Ada"), approve("Grace"), lift(), stop("Ada")]);
    assert!(anew.holds("shop").is_some());
    for gesture in [except("Ada"), approve("Grace")] {
        assert!(line(&[]).say(&gesture, at(0)).is_err_and(|error| error.message.contains("is not stopped")));
    }
    assert!(
        line(&[stop("Ada")]).say(&approve("Grace"), at(1)).is_err_and(|error| error.message.contains("by \"except\""))
    );
}

#[test]
fn what_was_not_filled_in_is_refused_with_what_to_write() {
    for (gesture, field) in [
        (stop("YOUR NAME"), "`stop.by`"),
        (gesture(json!({ "stop": { "by": "Ada", "why": " " } })), "`stop.why`"),
        (gesture(json!({ "lift": { "by": "", "why": "mended" } })), "`lift.by`"),
        (gesture(json!({ "lift": { "by": "Ada", "why": "your reason" } })), "`lift.why`"),
        (gesture(json!({ "except": { "application": "a b", "by": "Ada", "why": "x" } })), "`except.application`"),
        (except("YOUR NAME"), "`except.by`"),
        (approve(""), "`approve.by`"),
        (gesture(json!({})), "should be one of these"),
        (Gesture { lift: lift().lift, ..stop("Ada") }, "should be one of these"),
    ] {
        let mut line = line(&[stop("Ada"), super::tests::except("Ada")]);
        let before = line.clone();
        let error = line.say(&gesture, at(5)).unwrap_err();
        assert_eq!((error.name, &line), (name::INVALID_GESTURE, &before), "{gesture:?}");
        assert!(error.message.contains(field) && error.message.contains("nothing was done"), "{error}");
    }
}

#[test]
fn the_time_that_it_stood_is_counted_within_a_run_only() {
    // Stopped from minute 0 to 1, and since 2.
    let line = line(&[stop("Ada"), lift(), stop("Ada")]);
    let stood = |since, now| line.stood_still(at(since), at(now)).as_secs() / 60;
    assert_eq!([stood(-10, 10), stood(1, 10), stood(5, 10), stood(-10, -5), stood(0, 0)], [9, 8, 5, 0, 0]);
    let lifted = super::tests::line(&[stop("Ada"), lift()]);
    assert_eq!(lifted.stood_still(at(-10), at(10)).as_secs(), 60);
}

#[test]
fn of_the_past_there_is_no_more_than_a_run_needs() {
    let gestures: Vec<Gesture> = (0..200).flat_map(|_| [stop("Ada"), lift()]).collect();
    let line = line(&gestures);
    assert_eq!((line.past.len(), line.past.last().unwrap().to), (MOST_PAST, at(399)));
}

#[test]
fn the_longer_it_stands_the_more_seldom_it_is_looked_at() {
    let line = line(&[stop("Ada")]);
    let waits = [0, 5, 50, 100, 10_000].map(|minute| line.wait_seconds(60, at(minute)));
    assert_eq!(waits, [60, 60, 300, 600, 600]);
    assert_eq!(line.wait_seconds(1_200, at(100)), 1_200);
    assert_eq!(Line::default().wait_seconds(60, at(0)), 60);
}
