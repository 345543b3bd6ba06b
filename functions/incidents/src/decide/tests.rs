use proptest::prelude::*;

use super::*;
use crate::incident::{Severity, Status, Update};

fn start() -> Timestamp {
    "2026-11-26T22:00:00Z".parse().unwrap()
}

fn at_minute(minutes: i64) -> Timestamp {
    start() + SignedDuration::from_mins(minutes)
}

fn incident(severity: Severity) -> Incident {
    let value = serde_json::json!({ "id": "i-0123456789ab", "owner": "me", "severity": severity, "title": "Logins fail",
        "opened_at": start(), "first_at": start() });
    serde_json::from_value(value).unwrap()
}

fn say(mut incident: Incident, at: Timestamp, status: Status) -> Incident {
    incident.updates.push(Update { at, status, text: "said".to_owned(), by: "Ada".to_owned() });
    incident
}

fn acknowledge(incident: Incident, at: Timestamp) -> Incident {
    let status = incident.status();
    Incident { acknowledged: Some(Acknowledged { at, by: "Ada".to_owned() }), ..say(incident, at, status) }
}

/// What somebody does at a minute.
type Deed = (i64, fn(Incident, Timestamp) -> Incident);

/// All messages in so many minutes, looked for every `look_seconds`, while people do what they do.
fn hear(
    mut incident: Incident,
    deeds: &[Deed],
    minutes: i64,
    levels: impl Into<Levels> + Copy,
    look_seconds: i64,
) -> (Vec<Message>, Incident) {
    let timing = Timing::default();
    let mut messages = Vec::new();
    for second in (0..=minutes * 60).step_by(usize::try_from(look_seconds).unwrap()) {
        let now = start() + SignedDuration::from_secs(second);
        for (minute, deed) in deeds {
            let at = at_minute(*minute);
            let is_now = at <= now && at > now - SignedDuration::from_secs(look_seconds);
            if is_now {
                incident = deed(incident, at);
            }
        }
        while let Due::Now(message) = due(&incident, &timing, levels, now) {
            incident = told(incident, &message);
            messages.push(message);
            assert!(messages.len() < 10_000, "it does not end");
        }
    }
    (messages, incident)
}

/// `First 0 1+`: kind, minute, level, and whether others are informed.
fn shown(messages: &[Message]) -> Vec<String> {
    let one = |message: &Message| {
        let minute = message.at.duration_since(start()).as_secs() / 60;
        let level = message.up_to_level.map(|level| level.to_string()).unwrap_or_default();
        let informs = if message.informs { "+" } else { "" };
        let slower = if message.slower_seconds.is_some() { " slower" } else { "" };
        format!("{:?} {minute} {level}{informs}{slower}", message.kind)
    };
    messages.iter().map(one).collect()
}

#[test]
fn a_critical_one_is_repeated_every_two_minutes_and_calls_the_next_level_after_five() {
    let (messages, _) = hear(incident(Severity::Critical), &[], 12, 3, 1);
    let expected = [
        "First 0 1+",
        "Repeat 2 1",
        "Repeat 4 1",
        "Escalation 5 2",
        "Repeat 7 2",
        "Repeat 9 2",
        "Escalation 10 3",
        "Repeat 12 3",
    ];
    assert_eq!(shown(&messages), expected);
}

#[test]
fn each_severity_has_its_times_and_the_last_level_is_repeated_to() {
    for (severity, repeats, escalation) in
        [(Severity::Low, 30, 60), (Severity::Medium, 15, 30), (Severity::High, 5, 15)]
    {
        let (messages, _) = hear(incident(severity), &[], escalation * 2, 2, 1);
        let at = |kind: Kind| -> Vec<i64> {
            messages
                .iter()
                .filter(|message| message.kind == kind)
                .map(|message| message.at.duration_since(start()).as_mins())
                .collect()
        };
        assert_eq!(at(Kind::Escalation), [escalation], "{severity:?}");
        assert_eq!(at(Kind::Repeat)[0], repeats, "{severity:?}");
        let told = messages.iter().filter(|message| message.up_to_level.is_some()).count();
        assert_eq!(i64::try_from(told).unwrap(), 1 + escalation * 2 / repeats, "{severity:?}");
    }
}

#[test]
fn those_who_are_informed_hear_of_severe_ones_first_each_change_every_half_hour_and_the_end() {
    let deeds: [Deed; 3] = [
        (1, |incident, at| acknowledge(incident, at)),
        (10, |incident, at| say(incident, at, Status::Identified)),
        (50, |incident, at| say(incident, at, Status::Resolved)),
    ];
    let (messages, _) = hear(incident(Severity::High), &deeds, 120, 1, 1);
    let informed: Vec<String> = shown(&messages).into_iter().filter(|shown| shown.contains('+')).collect();
    assert_eq!(informed, ["First 0 1+", "Change 1 1+", "Change 10 1+", "StillOpen 40 +", "End 50 1+"]);
    let (messages, _) = hear(incident(Severity::Medium), &deeds, 120, 1, 1);
    assert!(messages.iter().all(|message| !message.informs), "{:?}", shown(&messages));
    assert_eq!(messages.last().map(|message| message.kind), Some(Kind::End));
}

#[test]
fn an_acknowledgement_ends_repeats_and_of_a_severe_one_it_runs_out() {
    let deeds: [Deed; 1] = [(3, |incident, at| acknowledge(incident, at))];
    let (messages, incident_after) = hear(incident(Severity::Critical), &deeds, 40, 2, 1);
    let told: Vec<String> = shown(&messages).into_iter().filter(|shown| !shown.starts_with("StillOpen")).collect();
    let expected = [
        "First 0 1+",
        "Repeat 2 1",
        "Change 3 1+",
        "AcknowledgementOver 33 1",
        "Repeat 35 1",
        "Repeat 37 1",
        "Escalation 38 2",
        "Repeat 40 2",
    ];
    assert_eq!(told, expected);
    assert_eq!(incident_after.acknowledged, None);
    let (messages, _) = hear(incident(Severity::Low), &deeds, 600, 2, 1);
    assert_eq!(shown(&messages), ["First 0 1", "Change 3 1"], "of a low one it lasts");
}

#[test]
fn after_two_hours_it_is_repeated_less_often_and_that_is_said_once() {
    let (messages, _) = hear(incident(Severity::Critical), &[], 180, 1, 1);
    let repeats: Vec<i64> = messages
        .iter()
        .filter(|message| message.kind == Kind::Repeat)
        .map(|message| message.at.duration_since(start()).as_mins())
        .collect();
    assert_eq!(repeats.iter().filter(|minute| **minute <= 120).count(), 60);
    assert_eq!(repeats.iter().filter(|minute| **minute > 120).copied().collect::<Vec<_>>(), [135, 150, 165, 180]);
    assert_eq!(messages.iter().filter(|message| message.slower_seconds == Some(900)).count(), 1);
    let (messages, _) = hear(incident(Severity::Low), &[], 180, 1, 1);
    assert!(messages.iter().all(|message| message.slower_seconds.is_none()), "a low one comes seldom enough");
}

#[test]
fn one_that_is_over_before_its_first_message_is_told_to_nobody() {
    let late = Incident { first_at: at_minute(1), ..incident(Severity::High) };
    let deeds: [Deed; 1] = [(0, |incident, at| say(incident, at, Status::Resolved))];
    let (messages, after) = hear(late, &deeds, 10, 1, 1);
    assert_eq!(shown(&messages), Vec::<String>::new());
    assert_eq!(due(&after, &Timing::default(), 1, at_minute(20)), Due::Nothing);
}

#[test]
fn an_end_goes_to_whoever_heard_the_beginning() {
    // It was medium, so nobody was informed; raised, they are; and so they hear the end.
    let raise: Deed =
        (5, |incident, at| Incident { severity: Severity::Critical, ..say(incident, at, Status::Identified) });
    let end: Deed = (6, |incident, at| say(incident, at, Status::Resolved));
    let (messages, _) = hear(incident(Severity::Medium), &[raise, end], 10, 1, 1);
    assert_eq!(shown(&messages), ["First 0 1", "Change 5 1+", "End 6 1+"]);
    let lower: Deed = (5, |incident, at| Incident { severity: Severity::Low, ..say(incident, at, Status::Identified) });
    let (messages, _) = hear(incident(Severity::High), &[lower, end], 10, 1, 1);
    assert_eq!(shown(&messages), ["First 0 1+", "Change 5 1+", "End 6 1+"]);
}

#[test]
fn who_was_informed_hears_that_it_is_lowered() {
    let lower: Deed = (5, |incident, at| Incident { severity: Severity::Low, ..say(incident, at, Status::Identified) });
    let (messages, after) = hear(incident(Severity::Critical), &[lower], 50, 1, 1);
    let informed: Vec<String> = shown(&messages).into_iter().filter(|shown| shown.contains('+')).collect();
    assert_eq!(informed, ["First 0 1+", "Change 5 1+"], "and of a low one nothing while nobody says anything");
    assert_eq!(next(&after, &Timing::default(), 1, at_minute(5)).informed, None, "which is what they are told");
    let (messages, _) = hear(incident(Severity::Low), &[lower], 50, 1, 1);
    assert!(messages.iter().all(|message| !message.informs), "who was never told is not told now");
}

#[test]
fn a_level_that_nobody_has_is_passed_over() {
    let escalations = |levels: &[u8]| -> Vec<String> {
        let levels = Levels::of(levels.iter().copied());
        let (messages, _) = hear(incident(Severity::Critical), &[], 16, levels, 1);
        shown(&messages).into_iter().filter(|shown| !shown.starts_with("Repeat")).collect()
    };
    assert_eq!(escalations(&[1, 2, 4]), ["First 0 1+", "Escalation 5 2", "Escalation 10 4"]);
    assert_eq!(escalations(&[3, 3]), ["First 0 3+"], "the first one that somebody has is called at once");
    assert_eq!(escalations(&[]), ["First 0 1+"], "nobody responds: those who are informed hear of it");
}

#[test]
fn what_was_missed_is_made_up_for_by_one_message() {
    let (messages, _) = hear(incident(Severity::Critical), &[], 60, 1, 1_800);
    let kinds: Vec<Kind> = messages.iter().map(|message| message.kind).collect();
    assert_eq!(kinds, [Kind::First, Kind::Repeat, Kind::StillOpen, Kind::Repeat, Kind::StillOpen]);
}

fn any_severity() -> impl Strategy<Value = Severity> {
    prop::sample::select(Severity::ALL.to_vec())
}

proptest! {
    /// However seldom it is looked, and whatever people do: no two messages to one audience have the same name, levels only rise, and the end is the last.
    #[test]
    fn no_message_has_the_name_of_another_and_the_end_is_the_last(
        severity in any_severity(), look in 1i64..120, levels in 1u8..5,
        acknowledged in prop::collection::vec(0i64..170, 0..4), resolved in prop::option::of(0i64..170),
    ) {
        let mut deeds: Vec<Deed> = acknowledged.iter().map(|minute| (*minute, acknowledge as fn(Incident, Timestamp) -> Incident)).collect();
        deeds.extend(resolved.map(|minute| (minute, (|incident, at| say(incident, at, Status::Resolved)) as fn(Incident, Timestamp) -> Incident)));
        deeds.sort_by_key(|(minute, _)| *minute);
        let deeds: Vec<Deed> = deeds.into_iter().filter(|(minute, _)| resolved.is_none_or(|end| *minute <= end)).collect();
        let (messages, after) = hear(incident(severity), &deeds, 180, levels, look);
        let names = |of: &dyn Fn(&&Message) -> bool| -> Vec<Timestamp> { messages.iter().filter(of).map(|message| message.at).collect() };
        for heard in [names(&|message| message.up_to_level.is_some()), names(&|message| message.informs)] {
            let mut once = heard.clone();
            once.sort();
            once.dedup();
            prop_assert_eq!(once.len(), heard.len(), "{:?}", shown(&messages));
        }
        let told: Vec<u8> = messages.iter().filter_map(|message| message.up_to_level).collect();
        prop_assert!(told.is_sorted() && told.iter().all(|level| *level <= levels), "{:?}", shown(&messages));
        if let Some(minute) = resolved.filter(|minute| *minute < 170) {
            let last = messages.last().map(|message| message.kind);
            prop_assert!(after.is_resolved() && (last == Some(Kind::End) || messages.is_empty()), "{minute} {:?}", shown(&messages));
        }
    }
}
