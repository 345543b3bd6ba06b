//! What the page of a wave's checklists says. Pure.

use cutover::ask::Choice;
use cutover::text::quoted;
use links::Link;
use serde::Serialize;
use timelines::milestone::Milestone;
use timelines::state::State;

use crate::words::{moment, of_whom};

/// A name, each character of it escaped.
const MOST_NAME_BYTES: usize = 1_000;

/// What the template is filled with. Whatever somebody else wrote is as they wrote it: the template shows it fit.
#[derive(Debug, Serialize)]
pub(crate) struct Words {
    of_what: &'static str,
    wave: String,
    class: &'static str,
    standing: String,
    sentence: String,
    lists: Vec<List>,
    may_tick: bool,
    recipient: String,
    ends_at: String,
}

#[derive(Debug, Serialize)]
struct List {
    title: &'static str,
    due: Option<String>,
    items: Vec<Item>,
}

#[derive(Debug, Serialize)]
struct Item {
    name: &'static str,
    what: &'static str,
    owner: &'static str,
    done: Option<String>,
}

impl Words {
    /// Of a timeline as it stands: the checklists that people were told of.
    pub(crate) fn of(state: &State, link: &Link) -> Self {
        let lists: Vec<List> =
            state.open_checklists().filter(|one| !one.items().is_empty()).map(|one| list(state, one)).collect();
        let all = lists.iter().flat_map(|list| &list.items);
        let (count, left) = (all.clone().count(), all.filter(|item| item.done.is_none()).count());
        let (class, standing) = match left {
            0 => ("good", "Everything on these checklists is done.".to_owned()),
            left => ("note", format!("{left} of {count} are not done yet.")),
        };
        let of_what = if state.single.is_some() { "cutover" } else { "wave" };
        let sentence = match state.opens {
            Some(opens) => format!("The {of_what} begins, or has begun, {}.", moment(opens)),
            None => format!("The {of_what} has no date now."),
        };
        Self {
            of_what,
            wave: state.wave.clone(),
            class,
            standing,
            sentence,
            lists,
            may_tick: left > 0 && link.choices.contains(&Choice::Tick),
            recipient: of_whom(&link.recipient),
            ends_at: moment(link.ends_at),
        }
    }
}

fn list(state: &State, milestone: Milestone) -> List {
    let item = |item: &timelines::milestone::Item| Item {
        name: item.name,
        what: item.what,
        owner: item.owner,
        done: state
            .ticks
            .get(item.name)
            .map(|tick| format!("said by {}, {}", quoted(&tick.by, MOST_NAME_BYTES), moment(tick.at))),
    };
    List {
        title: match milestone {
            Milestone::ThirtyDays => "Thirty days before",
            Milestone::SevenDays => "Seven days before",
            Milestone::DayBefore => "The day before",
            Milestone::Start => "As it begins",
            Milestone::DayAfter => "The day after",
        },
        due: state.opens.map(|opens| moment(milestone.items_due(opens))),
        items: milestone.items().iter().map(item).collect(),
    }
}

#[cfg(test)]
mod tests {
    use timelines::state::{Tick, Told};

    use super::*;
    use crate::page::checklists;

    #[test]
    fn what_is_left_has_a_button_and_what_is_done_says_who_said_so() {
        let at = "2026-03-01T08:00:00Z".parse().unwrap();
        let mut state = State::opened("spring", "p", "arn:me", at);
        state.opens = "2026-03-07T19:00:00Z".parse().ok();
        state.told.insert(Milestone::ThirtyDays, Told { at, passed_over: true });
        state.ticks.insert("help-desk".to_owned(), Tick { by: "Ada <b>".to_owned(), at });
        let link = Link {
            question: timelines::by_page::id("spring"),
            choices: vec![Choice::Tick],
            ends_at: at,
            recipient: "group.team".to_owned(),
        };
        let page = |state: &State| checklists(&Words::of(state, &link), None, 200).unwrap().body;
        let open = page(&state);
        for expected in [
            "3 of 4 are not done yet.",
            "said by &quot;Ada &lt;b&gt;&quot;, 2026-03-01 08:00:00 UTC",
            "name=\"choice\" value=\"training\"",
            "the group team",
            "2026-03-07 19:00:00 UTC",
        ] {
            assert!(open.contains(expected), "{expected}\n{open}");
        }
        assert!(!open.contains("value=\"help-desk\"") && !open.contains("war-room") && !open.contains("<b>"));
        for item in Milestone::ThirtyDays.items() {
            state.ticks.insert(item.name.to_owned(), Tick { by: "Ada".to_owned(), at });
        }
        let done = page(&state);
        assert!(done.contains("Everything on these checklists is done.") && !done.contains("<form"), "{done}");
    }
}
