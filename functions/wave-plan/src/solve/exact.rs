//! The exact engine: Pumpkin, a constraint solver that learns from its conflicts. It proves that no schedule ends earlier, or
//! that there is none at all. Its work is counted in decisions, not in seconds.

use pumpkin_conflict_resolvers::resolvers::ResolutionResolver;
use pumpkin_core::options::SolverOptions;
use pumpkin_core::predicate;
use pumpkin_core::predicates::Predicate;
use pumpkin_core::results::{ProblemSolution, SatisfactionResult};
use pumpkin_core::termination::TerminationCondition;
use pumpkin_core::variables::{AffineView, DomainId, TransformableVariable};
use pumpkin_core::{DefaultBrancher, Solver};

use super::project::{Day, Project};
use super::temporal::Temporal;

/// What the engine found.
#[derive(Clone, Debug)]
pub(crate) struct Exact {
    /// The best schedule: its end and starts. Nothing if none was found that ends before the limit.
    pub best: Option<(Day, Vec<Day>)>,
    /// Whether it is proved that none ends earlier, or, without one, that there is none.
    pub is_proved: bool,
    /// How many decisions it took.
    pub decisions: usize,
}

/// Looks for the schedule that ends first, of those that end on the day `last` or before. `first` is a lower bound.
pub(crate) fn solve(
    project: &Project,
    temporal: &Temporal,
    (first, last): (Day, Day),
    most_decisions: usize,
    is_late: &mut dyn FnMut() -> bool,
) -> Exact {
    let mut stop = Stop { decisions: 0, most: most_decisions, is_late };
    let Some(mut model) = Model::new(project, temporal, first, last) else {
        return Exact { best: None, is_proved: true, decisions: 0 };
    };
    let mut best: Option<(Day, Vec<Day>)> = None;
    let mut brancher = model.solver.default_brancher();
    loop {
        match model.next(&mut brancher, &mut stop) {
            Next::Schedule(starts) => match overfull(project, &starts) {
                Some(activities) => model.forbid(project, &starts, &activities),
                None => {
                    let end = project.end(&starts);
                    model.end_before(end);
                    best = Some((end, starts));
                    if end <= first {
                        return Exact { best, is_proved: true, decisions: stop.decisions };
                    }
                }
            },
            Next::None => return Exact { best, is_proved: true, decisions: stop.decisions },
            Next::Stopped => return Exact { best, is_proved: false, decisions: stop.decisions },
        }
    }
}

fn overfull(project: &Project, starts: &[Day]) -> Option<Vec<usize>> {
    project.windows.as_ref()?.first_overfull(starts).map(|(_, activities)| activities)
}

/// Counts decisions; looks at the clock now and then.
struct Stop<'a> {
    decisions: usize,
    most: usize,
    is_late: &'a mut dyn FnMut() -> bool,
}

impl TerminationCondition for Stop<'_> {
    fn should_stop(&mut self) -> bool {
        self.decisions += 1;
        self.decisions > self.most || (self.decisions.is_multiple_of(256) && (self.is_late)())
    }
}

enum Next {
    Schedule(Vec<Day>),
    None,
    Stopped,
}

/// The project as the engine's constraints.
struct Model {
    solver: Solver,
    starts: Vec<DomainId>,
    end: DomainId,
    is_impossible: bool,
}

impl Model {
    /// Nothing, where no day is left for something.
    fn new(project: &Project, temporal: &Temporal, first: Day, last: Day) -> Option<Self> {
        let options = SolverOptions { memory_preallocated: 1, ..SolverOptions::default() };
        let mut solver = Solver::with_options(options);
        let mut starts = Vec::with_capacity(project.activities.len());
        for (place, activity) in project.activities.iter().enumerate() {
            let latest = temporal.latest[place].min(last - activity.duration);
            let mut days = Vec::new();
            let mut day = temporal.earliest[place];
            while day <= latest {
                days.push(day);
                day = activity.at_or_after(day + 1).unwrap_or(Day::MAX);
            }
            starts.push(match (days.first(), days.last()) {
                (Some(from), Some(to)) if (to - from) as usize + 1 == days.len() => {
                    solver.new_bounded_integer(*from, *to)
                }
                (Some(_), Some(_)) => solver.new_sparse_integer(days),
                _ => return None,
            });
        }
        let end = (first <= last).then(|| solver.new_bounded_integer(first, last))?;
        let mut model = Self { solver, starts, end, is_impossible: false };
        model.add_lags(project);
        (0..project.capacities.len()).for_each(|resource| model.add_resource(project, resource, last));
        Some(model)
    }

    fn add_lags(&mut self, project: &Project) {
        for lag in &project.lags {
            let (from, to) = (self.starts[lag.from], self.starts[lag.to]);
            self.add_less_or_equal(from, to, -lag.days);
        }
        for (place, activity) in project.activities.iter().enumerate() {
            self.add_less_or_equal(self.starts[place], self.end, -activity.duration);
        }
    }

    /// One is at most the other and so many days.
    fn add_less_or_equal(&mut self, one: DomainId, other: DomainId, days: Day) {
        if self.is_open() {
            let tag = self.solver.new_constraint_tag();
            let terms = vec![one.scaled(1), other.scaled(-1)];
            self.solver.add_constraint(pumpkin_constraints::less_than_or_equals(terms, days, tag)).post();
        }
    }

    /// What uses a resource, and, where less of it is there than on the best day, what is missing.
    fn add_resource(&mut self, project: &Project, resource: usize, last: Day) {
        let days = &project.capacities[resource];
        let days = &days[..days.len().min(last.max(0) as usize)];
        let most = days.iter().copied().max().unwrap_or_default();
        let mut tasks: Vec<(AffineView<DomainId>, Day, i32)> = Vec::new();
        for (start, activity) in self.starts.iter().zip(&project.activities) {
            let uses =
                activity.uses.iter().filter(|used| used.resource == resource && used.amount > 0 && used.length > 0);
            tasks.extend(uses.map(|used| (start.offset(used.offset), used.length, used.amount)));
        }
        if tasks.is_empty() || !self.is_open() {
            return;
        }
        let mut day = 0;
        for run in days.chunk_by(|one, other| one == other) {
            if run[0] < most {
                let fixed = self.solver.new_bounded_integer(day, day);
                tasks.push((fixed.offset(0), run.len() as Day, most - run[0]));
            }
            day += run.len() as Day;
        }
        let tag = self.solver.new_constraint_tag();
        let starts: Vec<_> = tasks.iter().map(|(start, ..)| *start).collect();
        let lengths: Vec<_> = tasks.iter().map(|(_, length, _)| *length).collect();
        let amounts: Vec<_> = tasks.iter().map(|(.., amount)| *amount).collect();
        self.solver.add_constraint(pumpkin_constraints::cumulative(starts, lengths, amounts, most, tag)).post();
    }

    /// A contradiction that shows while constraints are added is final.
    fn is_open(&mut self) -> bool {
        self.is_impossible |= self.solver.is_inconsistent();
        !self.is_impossible
    }

    fn next(&mut self, brancher: &mut DefaultBrancher, stop: &mut Stop) -> Next {
        if !self.is_open() {
            return Next::None;
        }
        let mut resolver = ResolutionResolver::default();
        match self.solver.satisfy(brancher, stop, &mut resolver) {
            SatisfactionResult::Satisfiable(found) => {
                let solution = found.solution();
                Next::Schedule(self.starts.iter().map(|start| solution.get_integer_value(*start)).collect())
            }
            SatisfactionResult::Unsatisfiable(..) => Next::None,
            SatisfactionResult::Unknown(..) => Next::Stopped,
        }
    }

    fn end_before(&mut self, end: Day) {
        let variable = self.end;
        self.add_clause(vec![predicate![variable <= end - 1]]);
    }

    /// These activities are too much for the window of their day: so they are for that of every day that has no longer one for them.
    fn forbid(&mut self, project: &Project, starts: &[Day], activities: &[usize]) {
        let (Some(windows), Some(first)) = (&project.windows, activities.first()) else { return };
        let minutes = windows.most_on(starts[*first], activities);
        // Days without a window are closed by calendars.
        let has_window = |day: &Day| windows.minutes[*day as usize] > 0 || *day == starts[*first];
        let too_short = |day: &Day| windows.most_on(*day, activities) <= minutes;
        for day in (0..windows.minutes.len() as Day).filter(has_window).filter(too_short) {
            let clause = activities.iter().map(|activity| {
                let start = self.starts[*activity];
                predicate![start != day]
            });
            self.add_clause(clause.collect());
        }
    }

    fn add_clause(&mut self, clause: Vec<Predicate>) {
        if self.is_open() {
            let tag = self.solver.new_constraint_tag();
            self.solver.add_clause(clause, tag);
        }
    }
}
