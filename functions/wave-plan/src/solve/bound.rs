//! Days before which no schedule can end, from lags, calendars, capacities and windows alone.

use std::sync::Arc;

use super::profile::Profile;
use super::project::{Day, Days, Project, Use};
use super::temporal::Temporal;

/// The most sets of late beginners that are looked at for each resource: more say little more, and take long.
const MOST_HEADS: usize = 200;

/// The latest of: the longest chain of lags, the end of each activity as if there were no other, and for each resource what has to be
/// done with it after some day and before the end. After the horizon where there is no schedule.
pub(crate) fn lower(project: &Project, temporal: &Temporal) -> Day {
    let empty = Profile::new(project);
    let alone = project.activities.iter().enumerate().map(|(place, activity)| {
        let day = empty.earliest(place, temporal.earliest[place], temporal.latest[place]);
        day.map_or(project.horizon + 1, |day| day + activity.duration)
    });
    let chain = alone.max();
    let tails = tails(project, temporal);
    let work = (0..project.capacities.len()).filter_map(|resource| work(project, temporal, &tails, resource)).max();
    chain.unwrap_or_default().max(work.unwrap_or_default())
}

/// How many days each activity's start lies before the end at least.
fn tails(project: &Project, temporal: &Temporal) -> Vec<Day> {
    let mut tails: Vec<Day> = project.activities.iter().map(|activity| activity.duration).collect();
    let mut open: Vec<usize> = (0..tails.len()).collect();
    while let Some(to) = open.pop() {
        for (from, lag) in &temporal.before[to] {
            if tails[to] + lag > tails[*from] {
                tails[*from] = tails[to] + lag;
                open.push(*from);
            }
        }
    }
    tails
}

/// One use of a resource: not before `head`, at least `tail` days before the end.
struct Work {
    head: Day,
    tail: Day,
    amount: i64,
}

fn work(project: &Project, temporal: &Temporal, tails: &[Day], resource: usize) -> Option<Day> {
    let of_use = |activity: usize, used: &Use| Work {
        head: temporal.earliest[activity] + used.offset,
        tail: (tails[activity] - used.offset - used.length).max(0),
        amount: i64::from(used.amount) * i64::from(used.length),
    };
    let mut works: Vec<Work> = Vec::new();
    for (activity, what) in project.activities.iter().enumerate() {
        works.extend(what.uses.iter().filter(|used| used.resource == resource).map(|used| of_use(activity, used)));
    }
    works.sort_by_key(|work| -work.tail);
    let mut until: Vec<i64> = vec![0];
    for (capacity, is_open) in project.capacities[resource].iter().zip(open_days(project, resource)) {
        let capacity = if is_open { i64::from((*capacity).max(0)) } else { 0 };
        until.push(until.last().copied().unwrap_or_default() + capacity);
    }
    let mut heads: Vec<Day> = works.iter().map(|work| work.head).collect();
    heads.sort_unstable();
    heads.dedup();
    heads.iter().take(MOST_HEADS).filter_map(|head| end_of(&works, *head, &until)).max()
}

/// The days on which anything can use a resource. What is used on the day of a start alone is used on the days of calendars only.
fn open_days(project: &Project, resource: usize) -> Vec<bool> {
    let mut open = vec![false; project.capacities[resource].len()];
    let mut seen: Vec<*const Days> = Vec::new();
    for activity in &project.activities {
        for used in activity.uses.iter().filter(|used| used.resource == resource) {
            match &activity.days {
                Some(days) if used.offset == 0 && used.length == 1 => {
                    if !seen.contains(&Arc::as_ptr(days)) {
                        seen.push(Arc::as_ptr(days));
                        open.iter_mut().enumerate().for_each(|(day, open)| *open |= days.contains(day as Day));
                    }
                }
                _ => return vec![true; open.len()],
            }
        }
    }
    open
}

/// The first end that leaves room for what cannot begin before `head`: of all of it, and of each part with the longest tails.
fn end_of(works: &[Work], head: Day, until: &[i64]) -> Option<Day> {
    let (mut sum, mut latest) = (0, None);
    let done = until[(head as usize).min(until.len() - 1)];
    for work in works.iter().filter(|work| work.head >= head) {
        sum += work.amount;
        let day = until.partition_point(|enough| *enough < done + sum) as Day;
        latest = latest.max(Some(day + work.tail));
    }
    latest
}
