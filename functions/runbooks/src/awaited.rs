//! What people have to have done before an application moves: no machine can see that a contract is signed. In its wave they are its first tasks. Pure.

use cutover::text::named;
use wave_plan::portfolio::Strength;
use wave_plan::{Portfolio, Programme};

/// Something that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// As the wave's task says it.
    pub what: String,
    /// Who answers for it.
    pub owner: String,
}

/// All of it that is not done, in the order of the wave's tasks.
pub fn awaited(portfolio: &Portfolio, programme: &Programme, application: &str) -> Vec<Awaited> {
    let all = portfolio.dependencies.iter().filter(|one| one.then == application && one.strength == Strength::Hard);
    let entries = all.filter_map(|one| portfolio.applications.iter().find(|entry| entry.name == one.first));
    let told = entries.filter(|entry| !entry.strategy.moves()).filter_map(|entry| {
        let placed = programme.placements.iter().find(|placed| placed.application == entry.name);
        if placed.is_some_and(|placed| placed.is_settled) {
            return None;
        }
        let due = placed.map(|placed| format!(", due on {}", placed.date)).unwrap_or_default();
        let what = format!("see that {} is done: {}{due}", named(&entry.name, 64), entry.strategy.name());
        Some(Awaited { what, owner: entry.owner.clone() })
    });
    told.collect()
}
