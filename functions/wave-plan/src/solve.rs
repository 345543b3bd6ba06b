//! Schedules: the search for every size, the exact engine for small projects, a lower bound for all. Deterministic: work is
//! counted in schedules and decisions. The clock is a backstop, and said to be when it was one.

mod bound;
mod exact;
mod generate;
mod justify;
mod placed;
mod profile;
mod project;
mod random;
mod search;
mod temporal;
mod window;

pub(crate) use self::placed::Placed;
pub use self::project::{Activity, Day, Days, Lag, Project, Use};
pub(crate) use self::random::Random;
use self::temporal::Temporal;
pub use self::window::{Cutover, Windows};

/// How much work a schedule is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// How many schedules the search makes at the most.
    pub schedules: usize,
    /// How many decisions the exact engine takes at the most to make a schedule shorter, or prove that none is; more where there is
    /// none yet. 0 leaves it out.
    pub decisions: usize,
    /// What the search's choices begin with: another seed may find another schedule of the same length.
    pub seed: u64,
}

impl Effort {
    /// What is worth while for so many activities.
    pub fn for_size(activities: usize) -> Self {
        let schedules = (200_000 / activities.max(1)).clamp(200, 2_000);
        // A small portfolio is planned while somebody waits; one of medium size is worth some seconds.
        let decisions = match activities {
            0..=40 => 3_000,
            41..=MOST_EXACT => 20_000,
            _ => 0,
        };
        Self { schedules, decisions, seed: 1 }
    }

    fn for_existence(self) -> usize {
        self.decisions.max(self.decisions.saturating_mul(FOR_EXISTENCE).min(MOST_FOR_EXISTENCE))
    }
}

/// So many times the decisions are taken where no schedule was found, up to a number: there it is asked whether there is one at all.
const FOR_EXISTENCE: usize = 20;
const MOST_FOR_EXISTENCE: usize = 60_000;
/// Projects with more activities are not given to the exact engine.
const MOST_EXACT: usize = 150;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Solution {
    /// The start of each activity, if a schedule was found.
    pub starts: Option<Vec<Day>>,
    /// No schedule ends before this day.
    pub bound: Day,
    /// Whether there is a proof: that no schedule ends earlier, or, without one, that there is none.
    pub is_proved: bool,
    /// How many schedules the search made.
    pub schedules: usize,
    /// How many decisions the exact engine took.
    pub decisions: usize,
    /// Whether the clock ended the work: another run may find more.
    pub is_out_of_time: bool,
}

/// Solves a project. `is_late` is asked now and then, and ends the work when it says so.
pub fn solve(project: &Project, effort: Effort, is_late: &mut dyn FnMut() -> bool) -> Solution {
    let Ok(temporal) = Temporal::of(project) else {
        return Solution { is_proved: true, ..Solution::default() };
    };
    solve_with(project, &temporal, effort, is_late)
}

/// Looks for a schedule, whatever its end, or for the proof that there is none.
pub(crate) fn find_any(project: &Project, effort: Effort, is_late: &mut dyn FnMut() -> bool) -> Solution {
    let Ok(temporal) = Temporal::of(project) else {
        return Solution { is_proved: true, ..Solution::default() };
    };
    // More is used of something in all than there is of it.
    if bound::lower(project, &temporal) > project.horizon {
        return Solution { is_proved: true, ..Solution::default() };
    }
    let effort_of_search = search::Effort { schedules: effort.schedules, bound: project.horizon, seed: effort.seed };
    let found = search::search(project, &temporal, effort_of_search, is_late);
    let mut solution =
        Solution { schedules: found.schedules, is_out_of_time: found.is_out_of_time, ..Solution::default() };
    solution.starts = found.best.map(|(_, starts)| starts);
    if solution.starts.is_none() && effort.decisions > 0 {
        let last = project.horizon;
        let exact = exact::solve(project, &temporal, (last, last), effort.for_existence(), is_late);
        solution.starts = exact.best.map(|(_, starts)| starts);
        (solution.is_proved, solution.decisions) = (exact.is_proved, exact.decisions);
    }
    solution
}

/// Looks for a schedule that ends by a day, with the search alone.
pub(crate) fn find_by(
    project: &Project,
    end: Day,
    effort: Effort,
    is_late: &mut dyn FnMut() -> bool,
) -> Option<Vec<Day>> {
    let temporal = Temporal::of(project).ok()?;
    if bound::lower(project, &temporal) > end {
        return None;
    }
    let effort = search::Effort { schedules: effort.schedules, bound: end, seed: effort.seed };
    let found = search::search(project, &temporal, effort, is_late);
    found.best.filter(|(found, _)| *found <= end).map(|(_, starts)| starts)
}

/// A schedule that is as near to another as one pass gets: nothing starts before its day in that, and in the order of those days
/// each starts on the first day that is free.
pub(crate) fn repair(project: &Project, wished: &[Day]) -> Option<Vec<Day>> {
    let temporal = Temporal::of(project).ok()?;
    let order = generate::Order::by(&temporal, wished.to_vec());
    generate::Generator::new(project, &temporal).generate(&order, Some(wished))
}

/// As [`solve`], of a project whose lags and calendars are known not to contradict each other.
fn solve_with(project: &Project, temporal: &Temporal, effort: Effort, is_late: &mut dyn FnMut() -> bool) -> Solution {
    let bound = bound::lower(project, temporal);
    if bound > project.horizon {
        return Solution { bound, is_proved: true, ..Solution::default() };
    }
    let for_search = search::Effort { schedules: effort.schedules, bound, seed: effort.seed };
    let first = search::Effort {
        schedules: if effort.decisions > 0 { effort.schedules / 4 } else { effort.schedules },
        ..for_search
    };
    let found = search::search(project, temporal, first, is_late);
    let mut solution = Solution {
        bound,
        schedules: found.schedules,
        is_out_of_time: found.is_out_of_time,
        is_proved: found.best.as_ref().is_some_and(|(end, _)| *end <= bound),
        ..Solution::default()
    };
    let mut best = found.best;
    if !solution.is_proved && effort.decisions > 0 {
        let last = best.as_ref().map_or(project.horizon, |(end, _)| end - 1);
        let decisions = if best.is_some() { effort.decisions } else { effort.for_existence() };
        let exact = exact::solve(project, temporal, (bound, last), decisions, is_late);
        (solution.is_proved, solution.decisions) = (exact.is_proved, exact.decisions);
        best = exact.best.or(best);
        if !solution.is_proved {
            let rest = search::Effort { seed: effort.seed.wrapping_add(1), ..for_search };
            let found = search::search(project, temporal, rest, is_late);
            solution.schedules += found.schedules;
            best = [best, found.best].into_iter().flatten().min_by_key(|(end, _)| *end);
        }
        solution.is_out_of_time |= is_late();
    }
    if let Some((end, starts)) = best {
        solution.bound = if solution.is_proved { end } else { bound };
        solution.is_proved |= end <= bound;
        solution.starts = Some(starts);
    }
    solution
}
