//! What a person's word makes of a timeline. Pure: said twice is said once.

use cutover::gestures;
use cutover::text::named;
use jiff::Timestamp;

use crate::asked::{Reported, Ticked};
use crate::milestone::{Milestone, item_names};
use crate::state::{Figure, State, Tick};

/// What becomes of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// How it stands now; none where nothing has to be written.
    pub state: Option<State>,
    /// Whether this execution follows it from now on.
    pub follows: bool,
    /// What was done, in words.
    pub said: String,
}

fn said(state: Option<State>, said: String) -> Taken {
    Taken { state, follows: false, said }
}

/// Something is done.
///
/// # Errors
/// What cannot be done as it stands, in a person's words. Nothing was changed then.
pub fn ticked(mut state: State, tick: &Ticked, at: Timestamp) -> Result<Taken, String> {
    gestures::said("by", &tick.by).map_err(|error| error.message)?;
    let Some(milestone) = Milestone::of_item(&tick.item) else {
        let near = cutover::read::nearest_name(&tick.item, item_names());
        let near = near.map(|near| format!(": did you mean {near}?")).unwrap_or_default();
        return Err(format!("{} is on no checklist, and nothing was done{near}", named(&tick.item, 40)));
    };
    if let Some(before) = state.ticks.get(&tick.item) {
        return Ok(said(None, format!("that was said before, by {}", before.by)));
    }
    state.ticks.insert(tick.item.clone(), Tick { by: tick.by.clone(), at });
    let left = milestone.items().iter().filter(|item| !state.ticks.contains_key(item.name)).count();
    let words = format!("{} is done: {}; {left} of its checklist are left", tick.item, tick.by);
    Ok(said(Some(state), words))
}

/// A figure that only people have: the last word counts.
///
/// # Errors
/// As [`ticked`].
pub fn reported(mut state: State, report: &Reported, at: Timestamp) -> Result<Taken, String> {
    gestures::said("by", &report.by).map_err(|error| error.message)?;
    gestures::said_as("`value`", &report.value, "write the figure, such as 3").map_err(|error| error.message)?;
    let name = report.figure.name();
    let figure = Figure { value: report.value.clone(), by: report.by.clone(), at };
    if state.figures.get(name).is_some_and(|before| before.value == figure.value && before.by == figure.by) {
        return Ok(said(None, "that was said before".to_owned()));
    }
    state.figures.insert(name.to_owned(), figure);
    Ok(said(Some(state), format!("{name}: {}, reported by {}", report.value, report.by)))
}

/// A timeline begins, or goes on where its execution has ended. `left`: the execution that has, of those that may have followed it.
pub fn followed(
    state: Option<State>,
    wave: &str,
    portfolio: &str,
    me: &str,
    left: Option<&str>,
    at: Timestamp,
) -> Taken {
    let follows = |state: State, words: &str| Taken { state: Some(state), follows: true, said: words.to_owned() };
    match state {
        None => follows(State::opened(wave, portfolio, me, at), "the timeline begins"),
        Some(state) if state.owner == me => Taken { state: None, follows: true, said: "it is followed".to_owned() },
        Some(state) if state.is_over => said(None, "it is over".to_owned()),
        Some(state) if left == Some(&state.owner) => {
            follows(State { owner: me.to_owned(), ..state }, "it is followed on")
        }
        Some(_) => said(None, "another execution follows it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_is_said_once_and_what_is_on_no_list_is_not_done() {
        let at: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let state = State::opened("w", "p", "arn:me", at);
        let tick = |item: &str, by: &str| Ticked { item: item.into(), by: by.into() };
        let taken = ticked(state.clone(), &tick("help-desk", "Ada"), at).unwrap();
        assert!(taken.said.contains("3 of its checklist are left"), "{}", taken.said);
        let ticked_once = taken.state.unwrap();
        let again = ticked(ticked_once, &tick("help-desk", "Bob"), at).unwrap();
        assert_eq!((again.state, again.said.as_str()), (None, "that was said before, by Ada"));
        assert!(ticked(state.clone(), &tick("help-dsk", "Ada"), at).unwrap_err().contains("did you mean help-desk?"));
        assert!(ticked(state.clone(), &tick("help-desk", "YOUR NAME"), at).is_err());
        let report = Reported { figure: crate::asked::Figure::Tickets, value: "17".into(), by: "Ada".into() };
        let state = reported(state, &report, at).unwrap().state.unwrap();
        assert_eq!(state.figures["Tickets"].value, "17");
        assert_eq!(reported(state, &report, at).unwrap().state, None);
    }

    #[test]
    fn one_execution_follows_and_another_only_where_that_has_ended() {
        let at: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let state = followed(None, "w", "p", "arn:1", None, at).state.unwrap();
        assert!(followed(Some(state.clone()), "w", "p", "arn:1", None, at).follows, "asked again");
        assert!(!followed(Some(state.clone()), "w", "p", "arn:2", Some("arn:0"), at).follows);
        let taken = followed(Some(state.clone()), "w", "p", "arn:2", Some("arn:1"), at);
        assert_eq!((taken.follows, taken.state.unwrap().owner.as_str()), (true, "arn:2"));
        let over = State { is_over: true, ..state };
        assert!(!followed(Some(over), "w", "p", "arn:2", Some("arn:1"), at).follows);
    }
}
