//! Whether the cutovers of one day fit into that day's maintenance window.
//!
//! A wave runs its cutovers on so many lanes, what depends on another after it. Whatever the order in which lanes become free,
//! such a wave ends within *chain + (sum - chain) / lanes* (Graham, 1966). That bound must fit: it holds even where single
//! estimates do not, and it never falls when a cutover is added.

use super::project::Day;

/// The maintenance windows, and what is to fit into them.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    /// The minutes that may be planned on each day; 0 where there is no window.
    pub minutes: Vec<i32>,
    /// Days on which there are fewer, with one of the activities: for each, the days. Activities that are not there have none.
    pub shorter: Vec<Vec<(Day, i32)>>,
    /// How many cutovers run at a time.
    pub lanes: i32,
    /// Every cutover, so that what needs another comes after it.
    pub cutovers: Vec<Cutover>,
    /// The cutovers of each activity, as places in [`Windows::cutovers`], ascending.
    pub of_activity: Vec<Vec<usize>>,
}

/// One cutover.
#[derive(Clone, Debug, Default)]
pub struct Cutover {
    /// How long it takes, in minutes.
    pub minutes: i32,
    /// Which must have ended before it begins, where they are on the same day: places before its own.
    pub needs: Vec<usize>,
}

impl Windows {
    /// How many minutes these activities take on one day, from above.
    pub fn minutes_of(&self, activities: &[usize]) -> i32 {
        let mut cutovers: Vec<usize> =
            activities.iter().flat_map(|activity| self.of_activity[*activity].iter().copied()).collect();
        cutovers.sort_unstable();
        let mut ends: Vec<(usize, i32)> = Vec::with_capacity(cutovers.len());
        let (mut sum, mut chain) = (0, 0);
        for cutover in cutovers {
            let needs = &self.cutovers[cutover].needs;
            let ready = ends.iter().filter(|(other, _)| needs.contains(other)).map(|(_, end)| *end).max();
            let end = ready.unwrap_or_default() + self.cutovers[cutover].minutes;
            sum += self.cutovers[cutover].minutes;
            chain = chain.max(end);
            ends.push((cutover, end));
        }
        chain + (sum - chain + self.lanes - 1) / self.lanes.max(1)
    }

    /// Whether an activity takes any of a window.
    pub fn concern(&self, activity: usize) -> bool {
        !self.of_activity[activity].is_empty()
    }

    /// Whether these activities fit on that day.
    pub fn fit(&self, day: Day, activities: &[usize]) -> bool {
        self.minutes_of(activities) <= self.most_on(day, activities)
    }

    /// How many minutes these activities may take on a day. It never rises when one is added.
    pub fn most_on(&self, day: Day, activities: &[usize]) -> i32 {
        let minutes = usize::try_from(day).ok().and_then(|day| self.minutes.get(day)).copied().unwrap_or_default();
        let shorter = activities.iter().filter_map(|activity| self.shorter.get(*activity));
        let on_day = shorter.flatten().filter(|(other, _)| *other == day).map(|(_, minutes)| *minutes);
        on_day.fold(minutes, i32::min)
    }

    /// The first day whose window is too short for what is on it, with a smallest set of activities that is too much for it.
    pub fn first_overfull(&self, starts: &[Day]) -> Option<(Day, Vec<usize>)> {
        let mut by_day: Vec<(Day, usize)> = (0..starts.len())
            .filter(|activity| self.concern(*activity))
            .map(|activity| (starts[activity], activity))
            .collect();
        by_day.sort_unstable();
        by_day.chunk_by(|one, other| one.0 == other.0).find_map(|on_day| {
            let day = on_day[0].0;
            let mut activities: Vec<usize> = on_day.iter().map(|(_, activity)| *activity).collect();
            if self.fit(day, &activities) {
                return None;
            }
            for activity in activities.clone() {
                let fewer: Vec<usize> = activities.iter().copied().filter(|other| *other != activity).collect();
                if !self.fit(day, &fewer) {
                    activities = fewer;
                }
            }
            Some((day, activities))
        })
    }
}
