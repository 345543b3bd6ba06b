//! What is left of the resources on each day, while activities are placed and taken away.

use super::project::{Day, Project};

/// A partial schedule's use of everything that is shared.
#[derive(Clone, Debug)]
pub(crate) struct Profile<'a> {
    project: &'a Project,
    free: Vec<Vec<i32>>,
    /// What takes a part of a window, by day.
    on_day: Vec<Vec<usize>>,
}

impl<'a> Profile<'a> {
    pub fn new(project: &'a Project) -> Self {
        let days = if project.windows.is_some() { project.horizon.max(0) as usize } else { 0 };
        Self { project, free: project.capacities.clone(), on_day: vec![Vec::new(); days] }
    }

    /// Begins anew, without allocating.
    pub fn clear(&mut self) {
        for (free, capacity) in self.free.iter_mut().zip(&self.project.capacities) {
            free.copy_from_slice(capacity);
        }
        self.on_day.iter_mut().for_each(Vec::clear);
    }

    pub fn place(&mut self, activity: usize, start: Day) {
        self.change(activity, start, -1);
        if self.takes_a_window(activity) {
            self.on_day[start as usize].push(activity);
        }
    }

    pub fn remove(&mut self, activity: usize, start: Day) {
        self.change(activity, start, 1);
        if self.takes_a_window(activity) {
            self.on_day[start as usize].retain(|other| *other != activity);
        }
    }

    fn change(&mut self, activity: usize, start: Day, sign: i32) {
        for used in &self.project.activities[activity].uses {
            let first = (start + used.offset) as usize;
            for free in &mut self.free[used.resource][first..first + used.length as usize] {
                *free += sign * used.amount;
            }
        }
    }

    fn takes_a_window(&self, activity: usize) -> bool {
        self.project.windows.as_ref().is_some_and(|windows| windows.concern(activity))
    }

    /// The first day from `least` to `most`, on which an activity can start beside what is placed.
    pub fn earliest(&self, activity: usize, least: Day, most: Day) -> Option<Day> {
        let what = &self.project.activities[activity];
        let most = most.min(self.project.horizon - what.tail());
        let mut day = what.at_or_after(least.max(what.head()))?;
        while day <= most {
            match self.last_overfull(activity, day) {
                Some((offset, overfull)) => day = what.at_or_after(overfull + 1 - offset)?,
                None if self.has_no_window(activity, day) => day = what.at_or_after(day + 1)?,
                None => return Some(day),
            }
        }
        None
    }

    /// The last day from `least` to `most`, on which an activity can start beside what is placed.
    pub fn latest(&self, activity: usize, least: Day, most: Day) -> Option<Day> {
        let what = &self.project.activities[activity];
        let least = least.max(what.head());
        let mut day = what.at_or_before(most.min(self.project.horizon - what.tail()))?;
        while day >= least {
            match self.first_overfull(activity, day) {
                Some((end, overfull)) => day = what.at_or_before(overfull - end)?,
                None if self.has_no_window(activity, day) => day = what.at_or_before(day - 1)?,
                None => return Some(day),
            }
        }
        None
    }

    /// The resource that is short, if an activity starts on a day, and the last day on which it is.
    pub fn short_of(&self, activity: usize, start: Day) -> Option<(usize, Day)> {
        self.project.activities[activity].uses.iter().find_map(|used| {
            let (first, free) = (start + used.offset, &self.free[used.resource]);
            let is_short = |day: &Day| free[*day as usize] < used.amount;
            (first..first + used.length).rev().find(is_short).map(|day| (used.resource, day))
        })
    }

    /// Whether the day's window has no room for an activity.
    pub fn has_no_window(&self, activity: usize, start: Day) -> bool {
        let Some(windows) = self.project.windows.as_ref().filter(|windows| windows.concern(activity)) else {
            return false;
        };
        let mut together = self.on_day[start as usize].clone();
        together.push(activity);
        !windows.fit(start, &together)
    }

    fn last_overfull(&self, activity: usize, start: Day) -> Option<(Day, Day)> {
        self.project.activities[activity].uses.iter().find_map(|used| {
            let first = (start + used.offset) as usize;
            let days = &self.free[used.resource][first..first + used.length as usize];
            let place = days.iter().rposition(|free| *free < used.amount)?;
            Some((used.offset, (first + place) as Day))
        })
    }

    fn first_overfull(&self, activity: usize, start: Day) -> Option<(Day, Day)> {
        self.project.activities[activity].uses.iter().find_map(|used| {
            let first = (start + used.offset) as usize;
            let days = &self.free[used.resource][first..first + used.length as usize];
            let place = days.iter().position(|free| *free < used.amount)?;
            Some((used.offset + used.length, (first + place) as Day))
        })
    }
}
