//! What is on one day together: lockstep groups, the order within a wave, and what has to fit into its window.

use jiff::civil::Date;

use super::{Terms, cuts, resources};
use crate::portfolio::{Dependency, DependencyKind, Portfolio};
use crate::solve::{Cutover, Day, Windows};

/// A dependency that is kept, with its applications' places.
pub(super) struct Kept<'a> {
    pub place: usize,
    pub first: usize,
    pub then: usize,
    pub dependency: &'a Dependency,
}

/// What moves together, and which group each application is in.
pub(super) fn groups(count: usize, kept: &[Kept]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut root: Vec<usize> = (0..count).collect();
    fn find(root: &mut [usize], mut at: usize) -> usize {
        while root[at] != at {
            root[at] = root[root[at]];
            at = root[at];
        }
        at
    }
    for Kept { first, then, .. } in kept.iter().filter(|kept| kept.dependency.kind == DependencyKind::Together) {
        let (one, other) = (find(&mut root, *first), find(&mut root, *then));
        root[one.max(other)] = one.min(other);
    }
    let (mut groups, mut group_of) = (Vec::<Vec<usize>>::new(), vec![usize::MAX; count]);
    for place in 0..count {
        let root = find(&mut root, place);
        if group_of[root] == usize::MAX {
            group_of[root] = groups.len();
            groups.push(Vec::new());
        }
        group_of[place] = group_of[root];
        groups[group_of[place]].push(place);
    }
    (groups, group_of)
}

/// All applications, none before those that it needs; a lockstep group is one of them, since it starts at once. Nothing where
/// dependencies go in a circle, which an order within a group is too.
pub(super) fn order(groups: &[Vec<usize>], group_of: &[usize], kept: &[Kept]) -> Option<Vec<usize>> {
    let ordered = kept.iter().filter(|kept| kept.dependency.kind != DependencyKind::Together);
    let edges: Vec<(usize, usize)> = ordered.map(|kept| (group_of[kept.first], group_of[kept.then])).collect();
    Some(sorted(groups.len(), &edges)?.into_iter().flat_map(|group| groups[group].iter().copied()).collect())
}

/// Whether more would move in lockstep than can run at a time.
pub(super) fn is_too_wide(portfolio: &Portfolio, groups: &[Vec<usize>]) -> bool {
    let cutovers =
        |group: &Vec<usize>| group.iter().filter(|place| portfolio.applications[**place].has_cutover()).count();
    groups.iter().any(|group| group.len() > 1 && cutovers(group) > portfolio.limits.parallel_cutovers as usize)
}

/// Kahn's topological order, if there is one.
fn sorted(count: usize, edges: &[(usize, usize)]) -> Option<Vec<usize>> {
    let (mut waits, mut after) = (vec![0; count], vec![Vec::new(); count]);
    for (first, then) in edges {
        waits[*then] += 1;
        after[*first].push(*then);
    }
    let mut open: Vec<usize> = (0..count).rev().filter(|place| waits[*place] == 0).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(place) = open.pop() {
        order.push(place);
        for then in &after[place] {
            waits[*then] -= 1;
            if waits[*then] == 0 {
                open.push(*then);
            }
        }
    }
    (order.len() == count).then_some(order)
}

pub(super) fn windows(
    portfolio: &Portfolio,
    start: Date,
    horizon: Day,
    terms: &Terms,
    (groups, group_of): (&[Vec<usize>], &[usize]),
    order: &[usize],
    kept: &[Kept],
) -> Windows {
    let mut rank = vec![None; portfolio.applications.len()];
    let mut cutovers: Vec<Cutover> = Vec::new();
    for place in order.iter().filter(|place| portfolio.applications[**place].strategy.moves()) {
        rank[*place] = Some(cutovers.len());
        let minutes = portfolio.applications[*place].cutover.0.div_ceil(60) as i32;
        cutovers.push(Cutover { minutes, needs: Vec::new() });
    }
    for kept in kept.iter().filter(|kept| kept.dependency.kind != DependencyKind::Together) {
        // A lockstep group starts when the last that any of it needs has ended.
        let all = |one: usize| groups[group_of[one]].iter().filter_map(|place| rank[*place]);
        for then in all(kept.then) {
            cutovers[then].needs.extend(all(kept.first));
        }
    }
    let of_group = |group: &Vec<usize>| {
        let is_settled = |place: &&usize| terms.progress.settled.contains_key(&portfolio.applications[**place].name);
        let mut ranks: Vec<usize> =
            group.iter().filter(|place| !is_settled(place)).filter_map(|place| rank[*place]).collect();
        ranks.sort_unstable();
        ranks
    };
    let shorter = |group: &Vec<usize>| -> Vec<(Day, i32)> {
        let cuts = group.iter().flat_map(|place| cuts::of_one(portfolio, start, terms, *place));
        cuts.map(|cut| (cut.day, cut.minutes)).collect()
    };
    Windows {
        shorter: groups.iter().map(shorter).collect(),
        minutes: resources::window_minutes(portfolio, start, horizon, terms),
        lanes: portfolio.limits.parallel_cutovers as i32,
        cutovers,
        of_activity: groups.iter().map(of_group).collect(),
    }
}
