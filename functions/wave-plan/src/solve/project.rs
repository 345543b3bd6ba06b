//! The problem that the planner solves, without a word of migrations in it: activities with start days, lags between them,
//! resources with a capacity a day. In the field's terms: RCPSP/max (resource-constrained project scheduling with minimum and
//! maximum lags), with calendars.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::window::Windows;

/// A day, counted from the first day of the project; or a number of days. Instances of other origin may mean another unit.
pub type Day = i32;

/// Activities, what binds them, and what they share.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// What has to be placed.
    pub activities: Vec<Activity>,
    /// What has to be kept between two of them.
    pub lags: Vec<Lag>,
    /// The capacity of each resource, for each day from 0 to [`Project::horizon`] (exclusive).
    pub capacities: Vec<Vec<i32>>,
    /// Whether what is placed on one day fits into that day's maintenance window.
    pub windows: Option<Windows>,
    /// Everything has ended by then: days from 0 on, exclusive.
    pub horizon: Day,
}

/// Something that starts on one day.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    /// How many days after its start it has ended.
    pub duration: Day,
    /// What it takes of the resources: on one day one use of each at the most, as [`Use::added_up`] has them. Each is compared by
    /// itself with what is free.
    pub uses: Vec<Use>,
    /// The days on which it may start; all, if there is no list.
    pub days: Option<Arc<Days>>,
}

/// What an activity takes of one resource, on each of some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The place among [`Project::capacities`].
    pub resource: usize,
    /// The first of the days, counted from the start: negative for what comes before it.
    pub offset: Day,
    /// How many days.
    pub length: Day,
    /// How much on each of them.
    pub amount: i32,
}

impl Use {
    /// Uses of one activity, those of the same resource added up: cut into pieces of which no two lie on one day.
    pub fn added_up(uses: &[Self]) -> Vec<Self> {
        let mut edges: BTreeMap<usize, BTreeMap<Day, i32>> = BTreeMap::new();
        for used in uses.iter().filter(|used| used.length > 0) {
            let of_resource = edges.entry(used.resource).or_default();
            *of_resource.entry(used.offset).or_default() += used.amount;
            *of_resource.entry(used.offset + used.length).or_default() -= used.amount;
        }
        let mut pieces = Vec::new();
        for (resource, edges) in edges {
            let (mut offset, mut amount) = (0, 0);
            // Where one ends as another of the same amount begins, nothing changes.
            for (day, change) in edges.into_iter().filter(|(_, change)| *change != 0) {
                if amount > 0 {
                    pieces.push(Self { resource, offset, length: day - offset, amount });
                }
                (offset, amount) = (day, amount + change);
            }
        }
        pieces
    }
}

/// `to` starts no earlier than `days` after the start of `from`. A negative number is a maximum lag the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The place of the first activity.
    pub from: usize,
    /// The place of the second.
    pub to: usize,
    /// The least number of days between their starts.
    pub days: Day,
}

/// Days on which something may start, with the next and the one before of each at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Days {
    next: Vec<Day>,
    previous: Vec<Day>,
}

impl Days {
    /// From whether each day is one of them.
    pub fn new(is_allowed: &[bool]) -> Self {
        let (mut next, mut previous) = (vec![Day::MAX; is_allowed.len()], vec![Day::MIN; is_allowed.len()]);
        let mut last = Day::MIN;
        for (day, allowed) in is_allowed.iter().enumerate() {
            last = if *allowed { day as Day } else { last };
            previous[day] = last;
        }
        let mut first = Day::MAX;
        for (day, allowed) in is_allowed.iter().enumerate().rev() {
            first = if *allowed { day as Day } else { first };
            next[day] = first;
        }
        Self { next, previous }
    }

    /// The first of them that is no earlier than a day.
    pub fn at_or_after(&self, day: Day) -> Option<Day> {
        self.next.get(day.max(0) as usize).copied().filter(|day| *day != Day::MAX)
    }

    /// The last of them that is no later than a day.
    pub fn at_or_before(&self, day: Day) -> Option<Day> {
        let place = usize::try_from(day).ok()?.min(self.previous.len().checked_sub(1)?);
        Some(self.previous[place]).filter(|day| *day != Day::MIN)
    }

    /// Whether a day is one of them.
    pub fn contains(&self, day: Day) -> bool {
        self.at_or_after(day) == Some(day)
    }
}

impl Activity {
    /// The first day from `day` on, on which its calendar lets it start.
    pub fn at_or_after(&self, day: Day) -> Option<Day> {
        self.days.as_ref().map_or(Some(day), |days| days.at_or_after(day))
    }

    /// The last day up to `day`, on which its calendar lets it start.
    pub fn at_or_before(&self, day: Day) -> Option<Day> {
        self.days.as_ref().map_or(Some(day), |days| days.at_or_before(day))
    }

    /// The first day on which it could start, for what comes before its start.
    pub fn head(&self) -> Day {
        self.uses.iter().map(|used| -used.offset).max().unwrap_or_default().max(0)
    }

    /// How long it lasts with all that it uses.
    pub fn tail(&self) -> Day {
        self.uses.iter().map(|used| used.offset + used.length).max().unwrap_or_default().max(self.duration)
    }
}

impl Project {
    /// The day on which everything has ended.
    pub fn end(&self, starts: &[Day]) -> Day {
        self.activities.iter().zip(starts).map(|(activity, start)| start + activity.duration).max().unwrap_or_default()
    }

    /// Whether a schedule keeps everything: calendars, lags, capacities, windows. Written apart from what makes schedules.
    pub fn is_kept_by(&self, starts: &[Day]) -> bool {
        let in_time = |(activity, start): (&Activity, &Day)| {
            *start >= activity.head()
                && start + activity.tail() <= self.horizon
                && activity.at_or_after(*start) == Some(*start)
        };
        starts.len() == self.activities.len()
            && self.activities.iter().zip(starts).all(in_time)
            && self.lags.iter().all(|lag| starts[lag.to] >= starts[lag.from] + lag.days)
            && self.is_within_capacities(starts)
            && self.windows.as_ref().is_none_or(|windows| windows.first_overfull(starts).is_none())
    }

    fn is_within_capacities(&self, starts: &[Day]) -> bool {
        let mut free: Vec<Vec<i64>> =
            self.capacities.iter().map(|days| days.iter().map(|free| i64::from(*free)).collect()).collect();
        for (activity, start) in self.activities.iter().zip(starts) {
            for used in &activity.uses {
                let first = (start + used.offset) as usize;
                for day in &mut free[used.resource][first..first + used.length as usize] {
                    *day -= i64::from(used.amount);
                }
            }
        }
        free.iter().flatten().all(|free| *free >= 0)
    }
}
