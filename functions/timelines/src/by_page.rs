//! What the page of a wave's checklists does. Pure.
//!
//! An item is ticked once, whoever says so first: a form that is sent twice, or by two, says it once. Nobody takes a tick back by the page.

use cutover::gestures;
use jiff::{SignedDuration, Timestamp};

use crate::asked::Ticked;
use crate::milestone::Milestone;
use crate::said;
use crate::state::State;

/// What the id of a link's question begins with: the rest is the wave's name.
const OF_WAVE: &str = "t-";
/// A link lasts for so long after the window opens, or after its message: until everything of the last checklist is due, and some days.
const LASTS: SignedDuration = SignedDuration::from_hours(7 * 24);
const MOST_NAME_CHARACTERS: usize = 100;

/// What a form does.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// Nothing: it is done already, and the page says who said so.
    Seen,
    /// Nothing: something has to be written first, or is not to be ticked.
    Incomplete(String),
    /// This is said.
    Said(Box<State>),
}

/// What a link of a wave's checklists is known by.
pub fn id(wave: &str) -> String {
    format!("{OF_WAVE}{wave}")
}

/// The wave of such a link; none of a link to something else.
pub fn wave(id: &str) -> Option<&str> {
    id.strip_prefix(OF_WAVE)
}

/// When the link of a message ends.
pub fn ends_at(opens: Timestamp, at: Timestamp) -> Timestamp {
    opens.max(at).checked_add(LASTS).unwrap_or(Timestamp::MAX)
}

/// What a form does that says `name` has done `item`.
pub fn turn(state: &State, name: &str, item: &str, at: Timestamp) -> Turn {
    let is_open = |milestone: &Milestone| state.told.contains_key(milestone);
    let Some(_) = Milestone::of_item(item).filter(is_open) else {
        return Turn::Incomplete("Nothing was done: use one of the buttons.".to_owned());
    };
    if state.ticks.contains_key(item) {
        return Turn::Seen;
    }
    let fit = gestures::signed_as("Your name", name, "write who you are");
    let fit = fit.and_then(|()| gestures::short_enough("Your name", name.chars().count(), MOST_NAME_CHARACTERS));
    if let Err(error) = fit {
        return Turn::Incomplete(format!("{}.", error.message));
    }
    let tick = Ticked { item: item.to_owned(), by: name.trim().to_owned() };
    match said::ticked(state.clone(), &tick, at) {
        Ok(taken) => taken.state.map_or(Turn::Seen, |state| Turn::Said(Box::new(state))),
        Err(problem) => Turn::Incomplete(format!("{problem}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Told;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_who_says_so_has_done_it_and_nobody_ticks_what_was_not_told_of() {
        let now = at("2026-03-01T08:00:00Z");
        let mut state = State::opened("w", "p", "arn:me", now);
        assert!(matches!(turn(&state, "Ada", "help-desk", now), Turn::Incomplete(_)), "nobody was told of it yet");
        state.told.insert(Milestone::ThirtyDays, Told { at: now, passed_over: false });
        for (name, item, expected) in [
            ("", "help-desk", "Your name is empty"),
            ("YOUR NAME", "help-desk", "still says"),
            (&"x".repeat(101), "help-desk", "101 characters"),
            ("Ada", "tea", "use one of the buttons"),
            ("Ada", "", "use one of the buttons"),
            ("Ada", "war-room", "use one of the buttons"),
        ] {
            let said = turn(&state, name, item, now);
            assert!(matches!(&said, Turn::Incomplete(problem) if problem.contains(expected)), "{item}: {said:?}");
        }
        let Turn::Said(ticked) = turn(&state, " Ada ", "help-desk", now) else { panic!("it was not said") };
        assert_eq!((ticked.ticks["help-desk"].by.as_str(), ticked.ticks["help-desk"].at), ("Ada", now));
        assert_eq!(turn(&ticked, "Bob", "help-desk", now), Turn::Seen);
        assert_eq!(turn(&ticked, "", "help-desk", now), Turn::Seen);
    }

    #[test]
    fn a_link_is_of_a_wave_and_lasts_until_all_is_due() {
        assert_eq!(
            (wave(&id("spring-2026-03-07")), wave("i-0123456789ab"), wave("0a")),
            (Some("spring-2026-03-07"), None, None)
        );
        let opens = at("2026-03-07T19:00:00Z");
        assert_eq!(ends_at(opens, at("2026-02-05T19:00:00Z")), at("2026-03-14T19:00:00Z"));
        assert!(ends_at(opens, at("2026-02-05T19:00:00Z")) > Milestone::DayAfter.items_due(opens));
        assert_eq!(ends_at(opens, at("2026-03-11T19:00:00Z")), at("2026-03-18T19:00:00Z"));
    }
}
