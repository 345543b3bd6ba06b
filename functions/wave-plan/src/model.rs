//! A portfolio as a [`Project`]: days from the programme's first date on, an activity for each lockstep group, lags for the
//! dependencies, resources for the limits of a wave and for the teams.
//!
//! An activity starts on the day on which its applications move. Its teams work on it in the weeks before: so many person-days
//! a week, on every day of them alike, weekends too. So a team's capacity is a rate, and a week with holidays has less of it.

mod constraint;
mod cuts;
mod days;
mod resources;
mod together;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

pub(crate) use self::constraint::Constraint;
use self::cuts::Cut;
pub(crate) use self::days::far_enough;
use self::resources::bare_weeks;
pub(crate) use self::resources::{Resource, planned_part, preparation_weeks, working_parts};
use self::together::{Kept, groups, is_too_wide, order, windows};
use crate::portfolio::{Application, Dependency, DependencyKind, Portfolio, Strength, calendar};
use crate::solve::{Activity, Day, Lag, Project, Use};

/// What is already so, when a programme is planned anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Nothing that is not done or running moves before this date.
    pub today: Option<Date>,
    /// What has ended, or runs: it stays where it is.
    pub settled: BTreeMap<String, Date>,
}

/// A project, and what its parts stand for.
pub(crate) struct Model<'a> {
    pub portfolio: &'a Portfolio,
    pub project: Project,
    /// The first day's date.
    pub start: Date,
    /// The applications of each activity; none of the one that waits for the pilots.
    pub groups: Vec<Vec<usize>>,
    /// The activity of each application.
    pub activity_of: Vec<usize>,
    /// The applications that have ended, or run, and when.
    pub settled: BTreeMap<usize, Date>,
    /// The soft dependencies that it keeps, as places among the dependencies.
    pub soft: BTreeSet<usize>,
    /// The first day on which anything that is not settled may move, where it is not the first of all.
    pub first_open: Day,
    /// Where each lag comes from.
    pub lag_of: Vec<Constraint>,
    /// What each capacity is one of.
    pub resources: Vec<Resource>,
    /// Whether nothing could keep the dependencies, though the days may be possible: they go in a circle, or more move in lockstep
    /// than can run at a time.
    pub is_impossible: bool,
}

/// What a model is made for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    /// Constraints that are left out.
    pub without: BTreeSet<Constraint>,
    /// Soft dependencies that are kept, as places among the dependencies.
    pub soft: BTreeSet<usize>,
    /// What is already so.
    pub progress: Progress,
    /// How many days to look ahead, where the programme has no end.
    pub horizon: Day,
}

impl Terms {
    fn keeps(&self, place: usize, dependency: &Dependency) -> bool {
        match dependency.strength {
            Strength::Hard => !self.without.contains(&Constraint::Dependency(place)),
            Strength::Soft => self.soft.contains(&place),
        }
    }
}

impl<'a> Model<'a> {
    pub fn new(portfolio: &'a Portfolio, terms: &Terms) -> Self {
        let start = calendar::date(&portfolio.calendar.start).unwrap_or_default();
        let places: BTreeMap<&str, usize> =
            portfolio.applications.iter().enumerate().map(|(place, one)| (one.name.as_str(), place)).collect();
        let kept: Vec<Kept> = portfolio
            .dependencies
            .iter()
            .enumerate()
            .filter(|(place, one)| terms.keeps(*place, one))
            .filter_map(|(place, one)| {
                let settled = |name: &String| terms.progress.settled.contains_key(name);
                // What is done is done, whatever it should have waited for.
                if settled(&one.then) || (one.kind == DependencyKind::Together && settled(&one.first)) {
                    return None;
                }
                Some(Kept {
                    place,
                    first: *places.get(one.first.as_str())?,
                    then: *places.get(one.then.as_str())?,
                    dependency: one,
                })
            })
            .collect();
        let (groups, activity_of) = groups(portfolio.applications.len(), &kept);
        let horizon = days::horizon(portfolio, start, terms);
        let (resources, capacities) = resources::of(portfolio, start, horizon, terms);
        let days = days::of_groups(portfolio, start, horizon, terms, &groups);
        let settled = |application: &Application| terms.progress.settled.contains_key(&application.name);
        let activities = groups.iter().zip(days).map(|(group, days)| {
            let open = group.iter().map(|place| &portfolio.applications[*place]).filter(|one| !settled(one));
            let uses: Vec<Use> = open.flat_map(|one| resources::uses(portfolio, one, &resources, terms)).collect();
            Activity { duration: 1, uses: Use::added_up(&uses), days: Some(days) }
        });
        let date = |one: &Application| terms.progress.settled.get(&one.name).copied();
        let all_settled =
            portfolio.applications.iter().enumerate().filter_map(|(place, one)| Some((place, date(one)?))).collect();
        let order = order(&groups, &activity_of, &kept);
        let is_impossible = order.is_none() || is_too_wide(portfolio, &groups);
        let windows =
            windows(portfolio, start, horizon, terms, (&groups, &activity_of), &order.unwrap_or_default(), &kept);
        let project =
            Project { activities: activities.collect(), lags: Vec::new(), capacities, windows: Some(windows), horizon };
        let mut model = Self {
            portfolio,
            project,
            start,
            groups,
            activity_of,
            settled: all_settled,
            soft: kept.iter().map(|kept| kept.place).filter(|place| terms.soft.contains(place)).collect(),
            first_open: days::first_open(start, terms),
            lag_of: Vec::new(),
            resources,
            is_impossible,
        };
        model.add_dependencies(&kept);
        if !terms.without.contains(&Constraint::Pilots) {
            model.add_pilots(&terms.progress);
        }
        model
    }

    /// The date of a day.
    pub fn date(&self, day: Day) -> Date {
        self.start.saturating_add(jiff::Span::new().days(day))
    }

    /// The day of a date.
    pub fn day(&self, date: Date) -> Day {
        days::between(self.start, date)
    }

    /// Whether a dependency is kept, if it is a hard one or one of the soft ones that are.
    pub fn keeps(&self, place: usize) -> bool {
        self.portfolio.dependencies[place].strength == Strength::Hard || self.soft.contains(&place)
    }

    /// Whether any of an activity's applications moves.
    pub fn moves(&self, activity: usize) -> bool {
        self.groups[activity].iter().any(|place| self.portfolio.applications[*place].strategy.moves())
    }

    /// The first day of an activity for how long it is prepared.
    pub fn head(&self, activity: usize) -> Day {
        let applications = self.groups[activity].iter().map(|place| &self.portfolio.applications[*place]);
        let bare = applications.map(|one| 7 * bare_weeks(one)).max().unwrap_or_default();
        self.project.activities[activity].head().max(bare)
    }

    /// What ends an activity's window of a day before its time, first.
    pub fn first_cut(&self, activity: usize, day: Day) -> Option<Cut> {
        let terms = Terms::default();
        let one = |place: &usize| cuts::of_one(self.portfolio, self.start, &terms, *place);
        let all = cuts::of_all(self.portfolio, self.start, &terms).into_iter();
        let all = all.chain(self.groups[activity].iter().flat_map(one)).filter(|cut| cut.day == day);
        all.min_by_key(|cut| cut.minutes)
    }

    fn add_lag(&mut self, from: usize, to: usize, days: Day, constraint: Constraint) {
        if from != to || days > 0 {
            self.project.lags.push(Lag { from, to, days });
            self.lag_of.push(constraint);
        }
    }

    fn add_dependencies(&mut self, kept: &[Kept]) {
        for Kept { place, first, then, dependency } in kept {
            let moves = |place: &usize| self.portfolio.applications[*place].strategy.moves();
            // A window that opens in the evening ends on the next date.
            let after_window = Day::from(moves(first) && !moves(then));
            let (from, to) = (self.activity_of[*first], self.activity_of[*then]);
            let days = dependency.days.unwrap_or_default() as Day;
            let constraint = Constraint::Dependency(*place);
            match dependency.kind {
                DependencyKind::Together => {}
                DependencyKind::Before => self.add_lag(from, to, after_window, constraint),
                DependencyKind::NotBeforeDays => self.add_lag(from, to, days.max(after_window), constraint),
                DependencyKind::WithinDays => {
                    self.add_lag(from, to, after_window, constraint);
                    self.add_lag(to, from, -days, constraint);
                }
            }
        }
    }

    /// One more activity, after all pilots, before all others that move.
    fn add_pilots(&mut self, progress: &Progress) {
        let is_pilot = |group: &Vec<usize>| group.iter().any(|place| self.portfolio.applications[*place].pilot);
        let is_settled = |group: &Vec<usize>| {
            group.iter().all(|place| progress.settled.contains_key(&self.portfolio.applications[*place].name))
        };
        let all = 0..self.groups.len();
        let pilots: Vec<usize> = all.clone().filter(|activity| is_pilot(&self.groups[*activity])).collect();
        let others: Vec<usize> = all
            .filter(|activity| {
                !is_pilot(&self.groups[*activity]) && !is_settled(&self.groups[*activity]) && self.moves(*activity)
            })
            .collect();
        if pilots.is_empty() || others.is_empty() {
            return;
        }
        let gate = self.groups.len();
        self.project.activities.push(Activity::default());
        if let Some(windows) = &mut self.project.windows {
            windows.of_activity.push(Vec::new());
        }
        self.groups.push(Vec::new());
        pilots.into_iter().for_each(|pilot| self.add_lag(pilot, gate, 1, Constraint::Pilots));
        others.into_iter().for_each(|other| self.add_lag(gate, other, 0, Constraint::Pilots));
    }
}
