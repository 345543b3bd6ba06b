//! A complete schedule, of which single activities are moved or looked at.

use super::profile::Profile;
use super::project::{Day, Project};
use super::temporal::Temporal;

/// A schedule with what is left of everything beside it.
pub(crate) struct Placed<'a> {
    temporal: Temporal,
    profile: Profile<'a>,
    starts: Vec<Day>,
}

impl<'a> Placed<'a> {
    /// Nothing where the project's lags and calendars alone contradict each other.
    pub fn new(project: &'a Project, starts: &[Day]) -> Option<Self> {
        let temporal = Temporal::of(project).ok()?;
        let mut profile = Profile::new(project);
        starts.iter().enumerate().for_each(|(activity, start)| profile.place(activity, *start));
        Some(Self { temporal, profile, starts: starts.to_vec() })
    }

    pub fn starts(&self) -> &[Day] {
        &self.starts
    }

    pub fn remove(&mut self, activity: usize) {
        self.profile.remove(activity, self.starts[activity]);
    }

    pub fn place(&mut self, activity: usize, day: Day) {
        self.profile.place(activity, day);
        self.starts[activity] = day;
    }

    /// The days that the lags leave to an activity, all others where they are.
    pub fn limits(&self, activity: usize) -> (Day, Day) {
        let before = self.temporal.before[activity].iter().map(|(from, lag)| self.starts[*from] + lag);
        let after = self.temporal.after[activity].iter().map(|(to, lag)| self.starts[*to] - lag);
        let first = before.max().unwrap_or_default().max(self.temporal.earliest[activity]);
        (first, after.min().unwrap_or(Day::MAX).min(self.temporal.latest[activity]))
    }

    /// The first day from `first` to `last` on which there is room for an activity that was removed.
    pub fn earliest(&self, activity: usize, first: Day, last: Day) -> Option<Day> {
        self.profile.earliest(activity, first, last)
    }

    /// The resource that is short, and the last day on which it is, if an activity that was removed moves on a day.
    pub fn short_of(&self, activity: usize, day: Day) -> Option<(usize, Day)> {
        self.profile.short_of(activity, day)
    }

    /// Whether the window of a day has no room for an activity that was removed.
    pub fn has_no_window(&self, activity: usize, day: Day) -> bool {
        self.profile.has_no_window(activity, day)
    }
}
