//! The milestones of a wave, what stands on their checklists, and when each is due. Pure.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// When something is told of a wave, counted from when its window opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// Executive briefing, awareness, training, help desk.
    ThirtyDays,
    /// Confirmation, timeline, war room, rollback communication.
    SevenDays,
    /// Go or no go, by prechecks that run at that moment; everybody is told; support stands by.
    DayBefore,
    /// Its window opens: told where it has not begun a quarter of an hour later.
    Start,
    /// What came of it, as measured; the survey, and what was learned.
    DayAfter,
}

/// Something that a person does, and says that it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: &'static str,
    /// What is done when it is.
    pub what: &'static str,
    /// Who does it, where the wave does not say.
    pub owner: &'static str,
}

const fn item(name: &'static str, what: &'static str, owner: &'static str) -> Item {
    Item { name, what, owner }
}

const THIRTY_DAYS: &[Item] = &[
    item("executive-briefing", "executives know what moves, when, and what it brings", "programme lead"),
    item("awareness", "whoever uses the applications knows the date", "communications"),
    item("training", "training is offered to those who will work otherwise", "training"),
    item("help-desk", "the help desk knows the date, and what to answer", "help desk"),
];
const SEVEN_DAYS: &[Item] = &[
    item("date-confirmed", "every owner has confirmed the date", "programme lead"),
    item("hours-shared", "the plan hour by hour is shared", "programme lead"),
    item("war-room", "the war room is booked, with people and numbers", "operations"),
    item("rollback-words", "it is written who tells whom if something goes back", "communications"),
];
const DAY_BEFORE: &[Item] = &[
    item("go-no-go", "the prechecks were looked at, and it is decided", "programme lead"),
    item("everybody-told", "everybody was told, those without mail too", "communications"),
    item("support-standby", "support stands by, and knows whom to call", "operations"),
    item("dashboard-shared", "where to watch is shared", "operations"),
];
const DAY_AFTER: &[Item] = &[
    item("results-shared", "what came of it is shared, with its figures", "programme lead"),
    item("survey-sent", "the survey is sent", "communications"),
    item("lessons", "what was learned is written down", "programme lead"),
];

const DAY: i64 = 24 * 3600;
/// So long after its window has opened a wave that has not begun is told of, in seconds.
const NOT_BEGUN_AFTER: i64 = 900;

impl Milestone {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::ThirtyDays, Self::SevenDays, Self::DayBefore, Self::Start, Self::DayAfter];
    /// Those before the wave.
    pub const BEFORE: [Self; 3] = [Self::ThirtyDays, Self::SevenDays, Self::DayBefore];

    /// When it is due.
    pub fn at(self, opens: Timestamp) -> Timestamp {
        plus(
            opens,
            match self {
                Self::ThirtyDays => -30 * DAY,
                Self::SevenDays => -7 * DAY,
                Self::DayBefore => -DAY,
                Self::Start => NOT_BEGUN_AFTER,
                Self::DayAfter => DAY,
            },
        )
    }

    /// When what stands on its checklist should be done.
    pub fn items_due(self, opens: Timestamp) -> Timestamp {
        plus(
            opens,
            match self {
                Self::ThirtyDays => -14 * DAY,
                Self::SevenDays => -2 * DAY,
                Self::DayBefore => -2 * 3600,
                Self::Start => 0,
                Self::DayAfter => 4 * DAY,
            },
        )
    }

    /// Its checklist.
    pub fn items(self) -> &'static [Item] {
        match self {
            Self::ThirtyDays => THIRTY_DAYS,
            Self::SevenDays => SEVEN_DAYS,
            Self::DayBefore => DAY_BEFORE,
            Self::Start => &[],
            Self::DayAfter => DAY_AFTER,
        }
    }

    /// As in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::ThirtyDays => "thirty_days",
            Self::SevenDays => "seven_days",
            Self::DayBefore => "day_before",
            Self::Start => "start",
            Self::DayAfter => "day_after",
        }
    }

    /// The milestone on whose checklist an item stands.
    pub fn of_item(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|milestone| milestone.items().iter().any(|item| item.name == name))
    }
}

/// The names of all items.
pub fn item_names() -> impl Iterator<Item = &'static str> {
    Milestone::ALL.into_iter().flat_map(|milestone| milestone.items().iter().map(|item| item.name))
}

/// So many seconds later. What no calendar has stays where it is.
pub(crate) fn plus(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_a_name_of_its_own_and_is_due_after_it_is_told_of() {
        let mut names: Vec<&str> = item_names().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names.iter().all(|name| cutover::text::is_name(name, 40)));
        let opens: Timestamp = "2026-03-07T19:00:00Z".parse().unwrap();
        for milestone in Milestone::ALL.into_iter().filter(|milestone| !milestone.items().is_empty()) {
            assert!(milestone.items_due(opens) > milestone.at(opens), "{milestone:?}");
        }
        assert_eq!(Milestone::of_item("war-room"), Some(Milestone::SevenDays));
        assert_eq!(Milestone::of_item("tea"), None);
    }
}
