//! From a portfolio to a programme. First the shortest; then, of the same length, soft dependencies, and risk that is spread.

use serde::{Deserialize, Serialize};

use crate::assemble;
use crate::conflict::{self, Conflict};
use crate::model::{Model, Progress, Terms, far_enough};
use crate::portfolio::{Portfolio, Strength};
use crate::programme::Programme;
use crate::replan;
use crate::solve::{self, Day, Effort, Solution};
use crate::spread;

/// What is asked of the planner, beside the portfolio.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    /// How much work it is worth; what its size is worth, if nothing is said.
    pub effort: Option<Effort>,
    /// The programme before, of which as little as possible changes.
    pub previous: Option<&'a Programme>,
    /// What has been done since.
    pub progress: Progress,
}

/// Why there is no programme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Refusal {
    /// Constraints contradict each other: proved.
    Infeasible {
        /// Each contradiction, of other constraints than the others.
        conflicts: Vec<Conflict>,
    },
    /// None was found, and it is not proved that there is none.
    NotFound {
        /// How many schedules were tried.
        schedules: usize,
        /// How many decisions the exact engine took.
        decisions: usize,
    },
}

/// Plans a portfolio. `is_late` is a backstop, asked now and then: the programme says if it ended the search.
///
/// # Errors
/// Why there is no programme.
pub fn plan(portfolio: &Portfolio, request: &Request, is_late: &mut dyn FnMut() -> bool) -> Result<Programme, Refusal> {
    let terms = Terms { progress: request.progress.clone(), horizon: far_enough(portfolio), ..Terms::default() };
    let model = Model::new(portfolio, &terms);
    let effort = request.effort.unwrap_or_else(|| Effort::for_size(model.project.activities.len()));
    let solution = match model.is_impossible {
        false => solve::solve(&model.project, effort, is_late),
        true => Solution { is_proved: true, ..Solution::default() },
    };
    let Some(starts) = solution.starts.clone() else {
        return Err(refusal(portfolio, &terms, &solution, effort, is_late));
    };
    if let Some(previous) = request.previous
        && let Some(kept) = replan::keep(portfolio, &terms, previous, is_late)
    {
        let from_scratch = model.project.end(&starts);
        let mut programme = assemble::programme(&kept.model, &kept.starts, Some(&kept.had), &solution, effort);
        programme.quality.days_from_scratch = Some(from_scratch).filter(|days| *days < programme.quality.days);
        return Ok(replan::compare(programme, previous));
    }
    let (model, starts) = with_soft(portfolio, &terms, model, starts, effort, is_late);
    let starts = spread::spread(&model, &starts, effort.seed, is_late);
    let programme = assemble::programme(&model, &starts, None, &solution, effort);
    Ok(match request.previous {
        Some(previous) => replan::compare(programme, previous),
        None => programme,
    })
}

fn refusal(
    portfolio: &Portfolio,
    terms: &Terms,
    solution: &Solution,
    effort: Effort,
    is_late: &mut dyn FnMut() -> bool,
) -> Refusal {
    if solution.is_proved {
        let conflicts = conflict::all(portfolio, terms, effort, is_late);
        if !conflicts.is_empty() {
            return Refusal::Infeasible { conflicts };
        }
    }
    Refusal::NotFound { schedules: solution.schedules, decisions: solution.decisions }
}

/// How many schedules are made to see whether some soft dependencies can be kept.
const SCHEDULES_FOR_WISHES: usize = 100;
/// How often that is asked at the most.
const MOST_TRIES_FOR_WISHES: usize = 30;

/// Keeps as many of the soft dependencies as can be without a later end: all, or else the halves of them that can.
fn with_soft<'a>(
    portfolio: &'a Portfolio,
    terms: &Terms,
    model: Model<'a>,
    starts: Vec<Day>,
    effort: Effort,
    is_late: &mut dyn FnMut() -> bool,
) -> (Model<'a>, Vec<Day>) {
    let soft = portfolio.dependencies.iter().enumerate().filter(|(_, one)| one.strength == Strength::Soft);
    let soft: Vec<usize> = soft.map(|(place, _)| place).collect();
    let end = model.project.end(&starts);
    let effort = Effort { schedules: effort.schedules.min(SCHEDULES_FOR_WISHES), ..effort };
    let (mut best, mut terms) = ((model, starts), terms.clone());
    by_halves(soft, is_late, &mut |part, is_late| {
        let mut with = terms.clone();
        with.soft.extend(part.iter().copied());
        let model = Model::new(portfolio, &with);
        let starts = match model.is_impossible {
            true => None,
            false => solve::find_by(&model.project, end, effort, is_late),
        };
        starts.map(|starts| (best, terms) = ((model, starts), with)).is_some()
    });
    best
}

/// Whether some wishes can be kept beside those that are; then they are taken. Asked with the backstop.
type Takes<'a> = dyn FnMut(&[usize], &mut dyn FnMut() -> bool) -> bool + 'a;

/// Tries wishes: all of them, or else the halves of them, and so on, so often and no more.
pub(crate) fn by_halves(wishes: Vec<usize>, is_late: &mut dyn FnMut() -> bool, takes: &mut Takes<'_>) {
    let mut open = vec![wishes];
    let mut tries = MOST_TRIES_FOR_WISHES;
    while let Some(part) = open.pop().filter(|_| tries > 0 && !is_late()) {
        if part.is_empty() {
            continue;
        }
        tries -= 1;
        if !takes(&part, is_late) && part.len() > 1 {
            let (one, other) = part.split_at(part.len() / 2);
            open.extend([other.to_vec(), one.to_vec()]);
        }
    }
}
