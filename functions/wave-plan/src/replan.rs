//! Planning anew: what is done or runs stays, and of the rest as little as possible moves. Whatever still can be on its date is;
//! the rest moves later, to the first day that is free.

use std::collections::BTreeMap;

use crate::assemble;
use crate::model::{Model, Terms};
use crate::plan::by_halves;
use crate::portfolio::{Application, Dependency, DependencyKind, Portfolio, Strength, calendar};
use crate::programme::{Baseline, Change, Programme};
use crate::solve::{self, Day};

/// The programme before, as far as it can be kept.
pub(crate) struct Kept<'a> {
    pub model: Model<'a>,
    pub starts: Vec<Day>,
    /// The day that each activity had; 0 for what is new.
    pub had: Vec<Day>,
    end: Day,
    moves: usize,
}

/// The programme before, with as little changed as one pass needs. Nothing where that leads to no programme.
///
/// Soft dependencies never make it longer: those that the programme before kept are kept where the end allows it, the others where also
/// nothing more moves.
pub(crate) fn keep<'a>(
    portfolio: &'a Portfolio,
    terms: &Terms,
    previous: &Programme,
    is_late: &mut dyn FnMut() -> bool,
) -> Option<Kept<'a>> {
    let dates = dates(previous);
    let mut best = repaired(portfolio, terms, &dates)?;
    let mut terms = terms.clone();
    let soft = portfolio.dependencies.iter().enumerate().filter(|(_, one)| one.strength == Strength::Soft);
    let (kept, others): (Vec<_>, Vec<_>) = soft.partition(|(_, one)| was_kept(previous, &dates, one));
    for (soft, may_move_more) in [(kept, true), (others, false)] {
        let places = soft.into_iter().map(|(place, _)| place).collect();
        by_halves(places, is_late, &mut |part, _| {
            let mut with = terms.clone();
            with.soft.extend(part.iter().copied());
            let found = repaired(portfolio, &with, &dates);
            let found = found.filter(|found| found.end <= best.end && (may_move_more || found.moves <= best.moves));
            found.map(|found| (best, terms) = (found, with)).is_some()
        });
    }
    Some(best)
}

fn repaired<'a>(portfolio: &'a Portfolio, terms: &Terms, dates: &BTreeMap<&str, &str>) -> Option<Kept<'a>> {
    let model = Model::new(portfolio, terms);
    let had: Vec<Day> = (0..model.groups.len()).map(|activity| wished(&model, activity, dates)).collect();
    let starts = (!model.is_impossible).then(|| solve::repair(&model.project, &had)).flatten()?;
    let applications = portfolio.applications.iter().enumerate();
    let has_moved = |(place, one): &(usize, &Application)| {
        let date = dates.get(one.name.as_str()).copied().and_then(calendar::date);
        date.is_some_and(|date| model.day(date) != starts[model.activity_of[*place]])
    };
    let moves = applications.filter(has_moved).count();
    let end = model.project.end(&starts);
    Some(Kept { model, starts, had, end, moves })
}

/// Whether a programme kept a dependency: of what it has on one day, by the stages of its wave.
fn was_kept(programme: &Programme, dates: &BTreeMap<&str, &str>, one: &Dependency) -> bool {
    let date = |name: &str| dates.get(name).copied().and_then(calendar::date);
    let (Some(first), Some(then)) = (date(&one.first), date(&one.then)) else { return false };
    let days = first.until(then).map(|span| span.get_days()).unwrap_or_default();
    if days != 0 {
        return assemble::is_kept(one, 0, days);
    }
    let staged = |name: &str| programme.waves.iter().flat_map(|wave| &wave.applications).find(|one| one.name == name);
    match (staged(&one.first), staged(&one.then)) {
        (Some(first), Some(then)) if one.kind == DependencyKind::Together => then.together_with.contains(&first.name),
        (Some(first), Some(then)) => first.stage < then.stage && assemble::is_kept(one, 0, 0),
        _ => assemble::is_kept(one, 0, 0),
    }
}

/// The day that a group had.
fn wished(model: &Model, activity: usize, dates: &BTreeMap<&str, &str>) -> Day {
    let names = model.groups[activity].iter().map(|place| model.portfolio.applications[*place].name.as_str());
    let days = names.filter_map(|name| calendar::date(dates.get(name)?)).map(|date| model.day(date));
    days.max().unwrap_or_default()
}

fn dates(programme: &Programme) -> BTreeMap<&str, &str> {
    programme.placements.iter().map(|one| (one.application.as_str(), one.date.as_str())).collect()
}

/// Adds what is otherwise than before, and the slip against the first plan.
pub(crate) fn compare(mut programme: Programme, previous: &Programme) -> Programme {
    let (before, now) = (dates(previous), dates(&programme));
    let mut changes = Vec::new();
    let names: std::collections::BTreeSet<&str> = before.keys().chain(now.keys()).copied().collect();
    for name in names {
        let (before, now) = (before.get(name).copied(), now.get(name).copied());
        if before != now {
            changes.push(Change {
                application: name.to_owned(),
                before: before.map(str::to_owned),
                now: now.map(str::to_owned),
                days_later: later(before, now),
            });
        }
    }
    let first = previous.baseline.clone().unwrap_or_else(|| Baseline {
        end: previous.end.clone(),
        dates: before.iter().map(|(name, date)| ((*name).to_owned(), (*date).to_owned())).collect(),
        slip_days: 0,
    });
    let slip_days = later(Some(&first.end), Some(&programme.end));
    programme.changes = changes;
    programme.baseline = Some(Baseline { slip_days, ..first });
    programme
}

fn later(before: Option<&str>, now: Option<&str>) -> i32 {
    match (before.and_then(calendar::date), now.and_then(calendar::date)) {
        (Some(before), Some(now)) => before.until(now).map(|span| span.get_days()).unwrap_or_default(),
        _ => 0,
    }
}
