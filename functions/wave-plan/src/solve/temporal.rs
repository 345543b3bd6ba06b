//! What the lags and calendars alone say: the earliest and latest days, contradictions among the lags, and which activities
//! bind each other both ways.

use super::project::{Day, Project};

/// The lags, from each activity's side, and what follows from them.
#[derive(Clone, Debug)]
pub(crate) struct Temporal {
    /// Lags that begin at an activity: the other one, and the days.
    pub after: Vec<Vec<(usize, Day)>>,
    /// Lags that end at an activity: the other one, and the days.
    pub before: Vec<Vec<(usize, Day)>>,
    /// The earliest days.
    pub earliest: Vec<Day>,
    /// The latest days, for the project's horizon.
    pub latest: Vec<Day>,
    /// The activities of each block: one, or several that bind each other both ways. Lags lead from lower blocks to higher ones.
    pub blocks: Vec<Vec<usize>>,
    /// The blocks from which lags lead to a block.
    pub blocks_before: Vec<Vec<usize>>,
    /// The blocks to which lags lead from a block.
    pub blocks_after: Vec<Vec<usize>>,
}

/// Why lags and calendars alone cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Contradiction {
    /// Lags in a circle that ask for more than they allow: places in [`Project::lags`].
    Cycle(Vec<usize>),
    /// No day is left for an activity.
    NoDay(usize),
}

impl Temporal {
    /// # Errors
    /// Where lags and calendars alone contradict each other.
    pub fn of(project: &Project) -> Result<Self, Contradiction> {
        let count = project.activities.len();
        let (mut after, mut before) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        for lag in &project.lags {
            after[lag.from].push((lag.to, lag.days));
            before[lag.to].push((lag.from, lag.days));
        }
        if let Some(cycle) = positive_cycle(project) {
            return Err(Contradiction::Cycle(cycle));
        }
        let earliest = earliest(project, &after)?;
        let latest = latest(project, &before)?;
        if let Some(activity) = (0..count).find(|activity| earliest[*activity] > latest[*activity]) {
            return Err(Contradiction::NoDay(activity));
        }
        let blocks = blocks(&after);
        let mut block_of = vec![0; count];
        for (block, members) in blocks.iter().enumerate() {
            members.iter().for_each(|member| block_of[*member] = block);
        }
        let mut blocks_before = vec![Vec::new(); blocks.len()];
        for lag in project.lags.iter().filter(|lag| block_of[lag.from] != block_of[lag.to]) {
            blocks_before[block_of[lag.to]].push(block_of[lag.from]);
        }
        for before in &mut blocks_before {
            before.sort_unstable();
            before.dedup();
        }
        let mut blocks_after = vec![Vec::new(); blocks.len()];
        for (block, before) in blocks_before.iter().enumerate() {
            before.iter().for_each(|other| blocks_after[*other].push(block));
        }
        Ok(Self { after, before, earliest, latest, blocks, blocks_before, blocks_after })
    }
}

/// Lags in a circle whose days add up to more than nothing (Bellman and Ford).
fn positive_cycle(project: &Project) -> Option<Vec<usize>> {
    let count = project.activities.len();
    let mut starts = vec![0_i64; count];
    let mut through: Vec<Option<usize>> = vec![None; count];
    let mut changed = None;
    for _ in 0..=count {
        changed = None;
        for (place, lag) in project.lags.iter().enumerate() {
            let least = starts[lag.from] + i64::from(lag.days);
            if least > starts[lag.to] {
                starts[lag.to] = least;
                through[lag.to] = Some(place);
                changed = Some(lag.to);
            }
        }
        changed?;
    }
    let mut at = changed?;
    for _ in 0..count {
        at = project.lags[through[at]?].from;
    }
    let (first, mut cycle) = (at, Vec::new());
    loop {
        let lag = through[at]?;
        cycle.push(lag);
        at = project.lags[lag].from;
        if at == first {
            cycle.reverse();
            return Some(cycle);
        }
    }
}

fn earliest(project: &Project, after: &[Vec<(usize, Day)>]) -> Result<Vec<Day>, Contradiction> {
    let activities = &project.activities;
    let mut days: Vec<Day> = Vec::with_capacity(activities.len());
    for (place, activity) in activities.iter().enumerate() {
        days.push(activity.at_or_after(activity.head()).ok_or(Contradiction::NoDay(place))?);
    }
    let mut open: Vec<usize> = (0..activities.len()).rev().collect();
    while let Some(from) = open.pop() {
        for (to, lag) in &after[from] {
            if days[from] + lag > days[*to] {
                let day = activities[*to].at_or_after(days[from] + lag).ok_or(Contradiction::NoDay(*to))?;
                if day > project.horizon {
                    return Err(Contradiction::NoDay(*to));
                }
                days[*to] = day;
                open.push(*to);
            }
        }
    }
    Ok(days)
}

fn latest(project: &Project, before: &[Vec<(usize, Day)>]) -> Result<Vec<Day>, Contradiction> {
    let activities = &project.activities;
    let mut days: Vec<Day> = Vec::with_capacity(activities.len());
    for (place, activity) in activities.iter().enumerate() {
        let last = project.horizon - activity.tail();
        days.push(activity.at_or_before(last).ok_or(Contradiction::NoDay(place))?);
    }
    let mut open: Vec<usize> = (0..activities.len()).collect();
    while let Some(to) = open.pop() {
        for (from, lag) in &before[to] {
            if days[to] - lag < days[*from] {
                days[*from] = activities[*from].at_or_before(days[to] - lag).ok_or(Contradiction::NoDay(*from))?;
                open.push(*from);
            }
        }
    }
    Ok(days)
}

/// The strongly connected components, in topological order (Tarjan, without recursion).
fn blocks(after: &[Vec<(usize, Day)>]) -> Vec<Vec<usize>> {
    let count = after.len();
    let (mut index, mut low, mut on_stack) = (vec![usize::MAX; count], vec![0; count], vec![false; count]);
    let (mut stack, mut found, mut next) = (Vec::new(), Vec::new(), 0);
    for root in 0..count {
        let mut calls = if index[root] == usize::MAX { vec![(root, 0)] } else { Vec::new() };
        while let Some((at, edge)) = calls.pop() {
            if edge == 0 {
                (index[at], low[at], on_stack[at]) = (next, next, true);
                next += 1;
                stack.push(at);
            } else {
                low[at] = low[at].min(low[after[at][edge - 1].0]);
            }
            let unseen = (edge..after[at].len()).find(|edge| {
                let to = after[at][*edge].0;
                if index[to] != usize::MAX && on_stack[to] {
                    low[at] = low[at].min(index[to]);
                }
                index[to] == usize::MAX
            });
            if let Some(edge) = unseen {
                calls.push((at, edge + 1));
                calls.push((after[at][edge].0, 0));
            } else if low[at] == index[at] {
                let first = stack.iter().rposition(|member| *member == at).unwrap_or_default();
                let mut block = stack.split_off(first);
                block.iter().for_each(|member| on_stack[*member] = false);
                block.sort_unstable();
                found.push(block);
            }
        }
    }
    found.reverse();
    found
}
