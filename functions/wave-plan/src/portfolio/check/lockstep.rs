//! What no lockstep group can do: move one of its members after another, and move more of them than run at a time.

use std::collections::BTreeMap;

use super::{Report, quoted};
use crate::portfolio::{DependencyKind, Portfolio, Strength};

pub(super) fn check(portfolio: &Portfolio, report: &mut Report) {
    let place_of: BTreeMap<&str, usize> =
        portfolio.applications.iter().enumerate().map(|(place, one)| (one.name.as_str(), place)).collect();
    let hard: Vec<(usize, DependencyKind, usize, usize)> = portfolio
        .dependencies
        .iter()
        .enumerate()
        .filter(|(place, one)| {
            let is_read = |field: &str| report.is_read(&format!("$.dependencies[{place}].{field}"));
            one.strength == Strength::Hard && is_read("kind") && is_read("strength")
        })
        .filter_map(|(place, one)| Some((place, one.kind, *place_of.get(&*one.first)?, *place_of.get(&*one.then)?)))
        .collect();
    let mut group: Vec<usize> = (0..portfolio.applications.len()).collect();
    for (_, _, first, then) in hard.iter().filter(|(_, kind, ..)| *kind == DependencyKind::Together) {
        let (one, other) = (group[*first].min(group[*then]), group[*first].max(group[*then]));
        group.iter_mut().filter(|group| **group == other).for_each(|group| *group = one);
    }
    let name = |place: usize| quoted(&portfolio.applications[place].name);
    for (place, kind, first, then) in hard {
        if kind != DependencyKind::Together && first != then && group[first] == group[then] {
            let problem = format!("{} moves in lockstep with {}", name(first), name(then));
            let fix = "what is needed first cannot move at the same time: remove one of the two";
            report.say(format!("$.dependencies[{place}].first"), problem, fix);
        }
    }
    let mut sizes: BTreeMap<usize, u32> = BTreeMap::new();
    for (place, _) in portfolio.applications.iter().enumerate().filter(|(_, one)| one.has_cutover()) {
        *sizes.entry(group[place]).or_default() += 1;
    }
    let most = portfolio.limits.parallel_cutovers;
    let widest = sizes.into_iter().max_by_key(|(group, size)| (*size, std::cmp::Reverse(*group)));
    if let Some((group, size)) = widest.filter(|(_, size)| *size > most) {
        let problem = format!("is {most}, and {size} applications move in lockstep with {}", name(group));
        report.say("$.limits.parallel_cutovers", problem, format!("write {size} at the least"));
    }
}
