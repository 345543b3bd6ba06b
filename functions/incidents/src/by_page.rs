//! What a page of an incident may say, and whether it still counts. Pure.
//!
//! Who looks after it is in the incident itself, and so is whether it is over: a page offers what is not so yet. A link outlives an acknowledgement
//! that has run out, and acknowledges anew; but a form counts only in the turn in which its page was opened. So one that is sent twice, or comes late,
//! neither acknowledges in somebody's absence nor ends what has begun again meanwhile.

use cutover::ask::Choice;
use cutover::gestures;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::asked::{Asked, asked};
use crate::incident::Incident;
use crate::taken;

/// What can be said by a page.
pub const CHOICES: [Choice; 2] = [Choice::Acknowledge, Choice::Resolve];
/// A link lasts for as long as is left of a day of the incident, and another one: what is told within a day has the same link.
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MOST_NAME_CHARACTERS: usize = 100;
const MOST_TEXT_CHARACTERS: usize = 1_000;

/// What a form says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form<'a> {
    /// Who, as they wrote it.
    pub name: &'a str,
    /// What is so now; may be empty.
    pub text: &'a str,
    /// The name of the button.
    pub choice: &'a str,
    /// The turn in which the page was opened, as the page has it.
    pub turn: &'a str,
}

/// What a form does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing: it is so already.
    Seen,
    /// Nothing: something else has changed since the page was opened.
    Outdated,
    /// Nothing: something has to be written first.
    Incomplete(String),
    /// This is said.
    Said(Box<Incident>),
}

/// When a link of a message ends.
pub fn ends_at(opened_at: Timestamp, at: Timestamp) -> Timestamp {
    let days = i32::try_from(at.duration_since(opened_at).as_hours() / 24).unwrap_or(i32::MAX / 2);
    opened_at.checked_add(DAY * (days.max(0) + 2)).unwrap_or(Timestamp::MAX)
}

/// What can be said of it now.
pub fn choices(incident: &Incident) -> &'static [Choice] {
    match (incident.is_resolved(), &incident.acknowledged) {
        (true, _) => &[],
        (false, Some(_)) => &CHOICES[1..],
        (false, None) => &CHOICES,
    }
}

/// What a form does, by a link for `recipient` that lets say `allowed`.
pub fn turn(incident: &Incident, form: &Form, allowed: &[Choice], recipient: &str, now: Timestamp) -> Turn {
    let Some(choice) = CHOICES.into_iter().find(|choice| choice.name() == form.choice && allowed.contains(choice))
    else {
        return Turn::Incomplete("Nothing was done: use one of the buttons.".to_owned());
    };
    if incident.is_resolved() || choice == Choice::Acknowledge && incident.acknowledged.is_some() {
        return Turn::Seen;
    }
    if form.turn.parse() != Ok(incident.turns) {
        return Turn::Outdated;
    }
    match say(incident, choice, form, recipient, now) {
        Ok(incident) => Turn::Said(Box::new(incident)),
        Err(problem) => Turn::Incomplete(format!("{problem}.")),
    }
}

/// By the same way as what is said by a command.
fn say(incident: &Incident, choice: Choice, form: &Form, recipient: &str, now: Timestamp) -> Result<Incident, String> {
    let fit = || {
        gestures::signed_as("Your name", form.name, "write who you are")?;
        gestures::short_enough("Your name", form.name.chars().count(), MOST_NAME_CHARACTERS)?;
        if !form.text.trim().is_empty() {
            gestures::said_as("What is so now", form.text, "write it, or leave it empty")?;
        }
        gestures::short_enough("What is so now", form.text.chars().count(), MOST_TEXT_CHARACTERS)
    };
    fit().map_err(|error| error.message)?;
    let said = json!({ "incident": incident.id, choice.name(): { "by": form.name, "text": form.text } });
    let Asked::Say(_, what, said) = asked(&said)? else { return Err("this says nothing of an incident".to_owned()) };
    let taken = taken::said_by(incident.clone(), what, said, Some(recipient), incident.moment(now))?;
    taken.incident.ok_or(taken.said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asked::{Open, Say, What};
    use crate::decide::{Due, due, told};
    use crate::incident::Severity;
    use crate::timing::Timing;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_730_400 + seconds).unwrap()
    }

    fn incident() -> Incident {
        let open = Open {
            severity: Severity::Critical,
            title: "Logins fail".to_owned(),
            by: "Ada".to_owned(),
            application: None,
            description: String::new(),
            impact: String::new(),
            next_steps: String::new(),
            estimated_resolution: String::new(),
        };
        taken::opened(open, "i-0123456789ab", "me", cutover::plan::Stakeholders::default(), at(0)).incident.unwrap()
    }

    fn sent(incident: &Incident, choice: &str, turn_seen: u32, seconds: i64) -> Turn {
        let (name, seen) = (" Bob <b>", turn_seen.to_string());
        turn(incident, &Form { name, text: "", choice, turn: &seen }, &CHOICES, "the group team", at(seconds))
    }

    fn said(turn: Turn) -> Incident {
        match turn {
            Turn::Said(incident) => *incident,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_looks_after_it_and_whoever_comes_later_sees_who() {
        let open = incident();
        assert_eq!(choices(&open), [Choice::Acknowledge, Choice::Resolve]);
        let taken = said(sent(&open, "acknowledge", 0, 60));
        let acknowledged = taken.acknowledged.as_ref().unwrap();
        assert_eq!((acknowledged.by.as_str(), acknowledged.at), ("Bob <b>", at(60)));
        assert_eq!(taken.updates.last().unwrap().text, "acknowledged by the link for the group team");
        assert_eq!((sent(&taken, "acknowledge", 0, 61), choices(&taken)), (Turn::Seen, &CHOICES[1..]));
        // What was opened before somebody looked after it does not end it either.
        assert_eq!(sent(&taken, "resolve", 0, 62), Turn::Outdated);
        let over = said(sent(&taken, "resolve", 1, 63));
        assert!(over.is_resolved() && choices(&over).is_empty());
        for choice in ["acknowledge", "resolve"] {
            assert_eq!(sent(&over, choice, 2, 64), Turn::Seen, "{choice}");
        }
    }

    /// The link goes on to work, and no form of before does.
    #[test]
    fn what_has_run_out_is_acknowledged_anew_by_a_page_that_was_opened_since() {
        let timing = Timing::default();
        let mut incident = said(sent(&incident(), "acknowledge", 0, 60));
        for second in (0..4_000).step_by(30) {
            while let Due::Now(message) = due(&incident, &timing, 1, at(second)) {
                incident = told(incident, &message);
            }
        }
        assert_eq!(incident.acknowledged, None, "it has run out");
        assert_eq!(sent(&incident, "acknowledge", 0, 4_001), Turn::Outdated, "the same form once more");
        let again = said(sent(&incident, "acknowledge", incident.turns, 4_001));
        assert_eq!(again.acknowledged.unwrap().at, at(4_001));
    }

    #[test]
    fn what_is_back_is_not_ended_by_a_form_of_before() {
        let over = said(sent(&incident(), "resolve", 0, 60));
        let back = Incident { updates: Vec::new(), ..over };
        assert_eq!(sent(&back, "resolve", 0, 61), Turn::Outdated);
    }

    #[test]
    fn what_is_said_comes_after_all_that_is_known_whoevers_clock_is_behind() {
        let timing = Timing::default();
        let Due::Now(first) = due(&incident(), &timing, 1, at(600)) else { panic!("nothing is due") };
        let heard = told(incident(), &first);
        let ahead = Incident {
            heard: heard.heard.map(|heard| crate::incident::Heard { responders_at: at(900), ..heard }),
            ..incident()
        };
        let taken = said(sent(&ahead, "acknowledge", 0, 60));
        assert_eq!(taken.updates.last().unwrap().at, at(900) + SignedDuration::from_millis(1));
    }

    #[test]
    fn what_is_missing_or_a_commands_word_is_refused() {
        let form = |name, text, choice, turn| Form { name, text, choice, turn };
        for (form, problem) in [
            (form("", "", "acknowledge", "0"), "Your name is empty"),
            (form("YOUR NAME", "", "resolve", "0"), "Your name still says"),
            (form("Ada", "what is so now", "resolve", "0"), "What is so now still says"),
            (form("Ada", "", "approve", "0"), "use one of the buttons"),
            (form("Ada", "", "", "0"), "use one of the buttons"),
        ] {
            let turn = turn(&incident(), &form, &CHOICES, "the group team", at(1));
            assert!(matches!(&turn, Turn::Incomplete(said) if said.contains(problem)), "{form:?}: {turn:?}");
        }
        let form = form("Ada", "", "resolve", "0");
        let only = turn(&incident(), &form, &[Choice::Acknowledge], "the group team", at(1));
        assert!(matches!(only, Turn::Incomplete(_)), "the link does not let it");
        for turn_seen in ["", "x", "-1", "00x"] {
            let form = Form { turn: turn_seen, ..form.clone() };
            assert_eq!(turn(&incident(), &form, &CHOICES, "x", at(1)), Turn::Outdated, "{turn_seen}");
        }
    }

    #[test]
    fn a_days_messages_have_one_link_that_lasts_for_a_day_at_least() {
        let hour = 3_600;
        for (seconds, days) in [(0, 2), (23 * hour, 2), (24 * hour, 3), (100 * hour, 6), (-5, 2)] {
            assert_eq!(ends_at(at(0), at(seconds)), at(days * 24 * hour), "{seconds}");
        }
    }

    #[test]
    fn a_commands_acknowledgement_counts_as_a_turn_too() {
        let say = Say { by: "Ada".to_owned(), ..Say::default() };
        let taken = taken::said(incident(), What::Acknowledged, say, at(5)).unwrap().incident.unwrap();
        assert_eq!(sent(&taken, "resolve", 0, 6), Turn::Outdated);
    }
}
