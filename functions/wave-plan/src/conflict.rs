//! Why no programme is possible: few constraints that contradict each other. Leave any one of them out and the others can be kept;
//! keep them all and nothing can. Found by leaving out what is not needed for the contradiction, in ever smaller parts.

use std::collections::BTreeSet;

use cutover::text::named;
use serde::{Deserialize, Serialize};

use crate::model::{Constraint, Model, Terms, preparation_weeks};
use crate::portfolio::{Application, Portfolio, calendar};
use crate::solve::{self, Effort};

/// Constraints that cannot be kept together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Each in plain words. Without any one of them, the others can be kept.
    pub constraints: Vec<String>,
    /// Where each stands in the portfolio, as a JSON path, in the same order.
    pub paths: Vec<String>,
    /// What else is so of the applications that they name, in plain words: how long each is prepared.
    pub given: Vec<String>,
    /// The applications of a circle of dependencies, if that is what it is.
    pub cycle: Vec<String>,
    /// Whether each is proved to be needed; otherwise one or the other may have nothing to do with it.
    pub is_minimal: bool,
}

/// How many schedules are tried for each answer: where there is one, the first ones mostly find it.
const MOST_SCHEDULES: usize = 50;
/// And how many of the exact engine's decisions.
const MOST_DECISIONS: usize = 1_000;
/// How much is told of the applications that a contradiction names.
const MOST_GIVEN: usize = 6;
/// So many contradictions are told at once, if they have nothing to do with each other.
const MOST_CONFLICTS: usize = 5;

/// Whether a portfolio can be planned under some terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Feasible,
    Infeasible,
    Undecided,
}

/// Whether everything can be kept, but what the terms leave out.
pub(crate) fn is_feasible(
    portfolio: &Portfolio,
    terms: &Terms,
    effort: Effort,
    is_late: &mut dyn FnMut() -> bool,
) -> Answer {
    let model = Model::new(portfolio, terms);
    if model.is_impossible {
        return Answer::Infeasible;
    }
    let found = solve::find_any(&model.project, effort, is_late);
    match (found.starts.is_some(), found.is_proved) {
        (true, _) => Answer::Feasible,
        (false, true) => Answer::Infeasible,
        (false, false) => Answer::Undecided,
    }
}

/// Every contradiction of a portfolio that cannot be planned, each of other constraints than the ones before.
pub(crate) fn all(
    portfolio: &Portfolio,
    terms: &Terms,
    effort: Effort,
    is_late: &mut dyn FnMut() -> bool,
) -> Vec<Conflict> {
    let (schedules, decisions) = (effort.schedules.min(MOST_SCHEDULES), effort.decisions.min(MOST_DECISIONS));
    let effort = Effort { schedules, decisions, ..effort };
    let mut search = Search {
        portfolio,
        terms,
        effort,
        is_late,
        is_decided: true,
        all: Constraint::all(portfolio).into_iter().collect(),
    };
    let mut left: Vec<Constraint> = Constraint::all(portfolio);
    let mut conflicts = Vec::new();
    while conflicts.len() < MOST_CONFLICTS && search.is_infeasible(&left) {
        let conflict = search.reduce(left.clone());
        left.retain(|constraint| !conflict.contains(constraint));
        let is_empty = conflict.is_empty();
        conflicts.push(search.in_words(&conflict));
        if is_empty {
            break;
        }
    }
    conflicts
}

struct Search<'a> {
    portfolio: &'a Portfolio,
    terms: &'a Terms,
    effort: Effort,
    is_late: &'a mut dyn FnMut() -> bool,
    is_decided: bool,
    all: BTreeSet<Constraint>,
}

impl Search<'_> {
    /// Whether these alone contradict each other. What cannot be told counts as no contradiction, and is said.
    fn is_infeasible(&mut self, kept: &[Constraint]) -> bool {
        let mut without = self.all.clone();
        kept.iter().for_each(|constraint| {
            without.remove(constraint);
        });
        let terms = Terms { without, ..self.terms.clone() };
        let answer = is_feasible(self.portfolio, &terms, self.effort, self.is_late);
        self.is_decided &= answer != Answer::Undecided;
        answer == Answer::Infeasible
    }

    /// Leaves out what is not needed: half of it at once, then a quarter, until every single one was tried.
    fn reduce(&mut self, mut kept: Vec<Constraint>) -> Vec<Constraint> {
        let mut size = kept.len().div_ceil(2).max(1);
        loop {
            let mut place = 0;
            while place < kept.len() {
                let last = (place + size).min(kept.len());
                let fewer: Vec<Constraint> = [&kept[..place], &kept[last..]].concat();
                match self.is_infeasible(&fewer) {
                    true => kept = fewer,
                    false => place = last,
                }
            }
            if size == 1 {
                return self.verified(kept);
            }
            size = size.div_ceil(2);
        }
    }

    /// Tries each of them once more: what could not be told with many others beside it may be told now.
    fn verified(&mut self, mut kept: Vec<Constraint>) -> Vec<Constraint> {
        loop {
            self.is_decided = true;
            let needless = (0..kept.len()).find(|place| {
                let fewer: Vec<Constraint> = [&kept[..*place], &kept[place + 1..]].concat();
                self.is_infeasible(&fewer)
            });
            match needless {
                Some(place) => {
                    kept.remove(place);
                }
                None => return kept,
            }
        }
    }

    fn in_words(&self, conflict: &[Constraint]) -> Conflict {
        Conflict {
            constraints: conflict.iter().map(|constraint| constraint.words(self.portfolio)).collect(),
            paths: conflict.iter().map(|constraint| constraint.path()).collect(),
            given: self.given(conflict),
            cycle: self.cycle(conflict),
            is_minimal: self.is_decided,
        }
    }

    fn given(&self, conflict: &[Constraint]) -> Vec<String> {
        let portfolio = self.portfolio;
        let start = calendar::date(&portfolio.calendar.start).unwrap_or_default();
        let longest = |constraint: &Constraint| match constraint {
            Constraint::Team(team) => longest_work(portfolio, *team),
            _ => None,
        };
        let named_by: BTreeSet<usize> = conflict
            .iter()
            .flat_map(|constraint| constraint.applications(portfolio).into_iter().chain(longest(constraint)))
            .collect();
        let preparation = |place: usize| {
            let one = &portfolio.applications[place];
            let weeks = preparation_weeks(portfolio, one);
            let first = start.saturating_add(jiff::Span::new().days(7 * weeks));
            let name = named(&one.name, 80);
            let s = if weeks == 1 { "" } else { "s" };
            (weeks > 0).then(|| format!("{name} is prepared for {weeks} week{s}: it moves on {first} at the earliest"))
        };
        // Without an end of its own, a programme ends where nobody looks any more.
        let is_at_the_horizon = self.terms.horizon >= calendar::MOST_DAYS && !conflict.contains(&Constraint::End);
        let last = calendar::last_date(start);
        let horizon =
            is_at_the_horizon.then(|| format!("the planner looks ahead to {last}, twenty years from the start"));
        horizon.into_iter().chain(named_by.into_iter().filter_map(preparation)).take(MOST_GIVEN).collect()
    }

    /// The applications of a circle, each bound to the one before it; empty where the constraints are none.
    fn cycle(&self, conflict: &[Constraint]) -> Vec<String> {
        let mut edges: Vec<(&str, &str)> = Vec::new();
        for constraint in conflict {
            let Constraint::Dependency(place) = constraint else { return Vec::new() };
            let one = &self.portfolio.dependencies[*place];
            edges.push((&one.first, &one.then));
        }
        let Some((first, mut at)) = edges.first().copied() else { return Vec::new() };
        let mut names = vec![first.to_owned()];
        let mut left: Vec<(&str, &str)> = edges[1..].to_vec();
        while at != first {
            names.push(at.to_owned());
            // A maximum lag and a lockstep bind both ways.
            let Some(place) = left.iter().position(|(one, other)| *one == at || *other == at) else {
                return Vec::new();
            };
            let (one, other) = left.remove(place);
            at = if one == at { other } else { one };
        }
        names.push(first.to_owned());
        if left.is_empty() { names } else { Vec::new() }
    }
}

/// The application of which a team has the most to do.
fn longest_work(portfolio: &Portfolio, team: usize) -> Option<usize> {
    let name = &portfolio.teams[team].name;
    let days =
        |one: &Application| one.effort.iter().filter(|effort| effort.team == *name).map(|effort| effort.days).sum();
    let work = portfolio.applications.iter().map(|one| -> f64 { days(one) }).enumerate();
    let (place, days) = work.max_by(|one, other| one.1.total_cmp(&other.1).then(other.0.cmp(&one.0)))?;
    (days > 0.0).then_some(place)
}
