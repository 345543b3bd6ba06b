//! Planning anew: what is done or runs stays, and of the rest as little as possible moves. Whatever still can be on its date is;
//! the rest moves later, to the first day that is free.

use std::collections::BTreeMap;

use crate::model::{Model, Terms};
use crate::portfolio::{Portfolio, Strength, calendar};
use crate::programme::{Baseline, Change, Programme};
use crate::solve::{self, Day};

/// The programme before, with as little changed as one pass needs. Nothing where that leads to no programme.
pub(crate) fn keep<'a>(portfolio: &'a Portfolio, terms: &Terms, previous: &Programme) -> Option<(Model<'a>, Vec<Day>)> {
    let dates = dates(previous);
    let mut with = terms.clone();
    let is_soft = |place: &usize| portfolio.dependencies[*place].strength == Strength::Soft;
    with.soft = (0..portfolio.dependencies.len()).filter(is_soft).collect();
    [with, terms.clone()].into_iter().find_map(|terms| {
        let model = Model::new(portfolio, &terms);
        let wished: Vec<Day> = (0..model.groups.len()).map(|activity| wished(&model, activity, &dates)).collect();
        let starts = (!model.is_impossible).then(|| solve::repair(&model.project, &wished)).flatten()?;
        Some((model, starts))
    })
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
