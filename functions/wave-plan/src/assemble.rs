//! From days to a programme: waves, their stages, the teams' weeks, and the words.

use std::collections::BTreeMap;

use cutover::text::named;
use jiff::civil::Date;

use crate::explain::Explainer;
use crate::model::{Model, preparation_weeks, working_parts};
use crate::portfolio::{Application, Dependency, DependencyKind, Strength};
use crate::programme::{Placement, Programme, Quality, Staged, TeamLoad, Wave, WeekLoad};
use crate::risk;
use crate::solve::{Day, Effort, Solution};

/// The programme of a schedule; `had` are the days of the programme before, if that is kept to.
pub(crate) fn programme(
    model: &Model,
    starts: &[Day],
    had: Option<&[Day]>,
    solution: &Solution,
    effort: Effort,
) -> Programme {
    let portfolio = model.portfolio;
    let day_of = |place: usize| starts[model.activity_of[place]];
    let all = 0..portfolio.applications.len();
    let mut waves: Vec<Day> =
        all.clone().filter(|place| portfolio.applications[*place].strategy.moves()).map(day_of).collect();
    // What people say was done on another day was done in no window: that is no wave.
    waves.retain(|day| portfolio.calendar.window_on(model.date(*day)).is_some());
    waves.sort_unstable();
    waves.dedup();
    let mut explainer = Explainer::new(model, starts, &waves, had);
    let mut placements: Vec<Placement> =
        all.clone().map(|place| placement(model, &mut explainer, &waves, place, day_of(place))).collect();
    placements.sort_by(|one, other| {
        (&one.date, one.wave, &one.application).cmp(&(&other.date, other.wave, &other.application))
    });
    let path = explainer.as_mut().map(Explainer::critical_path).unwrap_or_default();
    let names =
        |activity: usize| model.groups[activity].iter().map(|place| portfolio.applications[*place].name.clone());
    let last = all.map(day_of).max().unwrap_or_default();
    Programme {
        portfolio: portfolio.name.clone(),
        time_zone: portfolio.calendar.time_zone.clone(),
        start: model.start.to_string(),
        end: model.date(last).to_string(),
        quality: quality(model, starts, solution, effort),
        waves: waves.iter().enumerate().map(|(number, day)| wave(model, starts, number + 1, *day)).collect(),
        placements,
        teams: teams(model, starts, last),
        critical_path: path.into_iter().flat_map(names).collect(),
        unmet: unmet(model, starts),
        baseline: None,
        changes: Vec::new(),
    }
}

fn quality(model: &Model, starts: &[Day], solution: &Solution, effort: Effort) -> Quality {
    let days = model.project.end(starts);
    let bound_days = solution.bound.max(1);
    Quality {
        days,
        bound_days,
        days_from_scratch: None,
        gap_percent: f64::from((days - bound_days) * 1000 / bound_days) / 10.0,
        is_shortest: days <= bound_days,
        schedules: solution.schedules,
        decisions: solution.decisions,
        seed: effort.seed,
        is_out_of_time: solution.is_out_of_time,
        contingency_percent: model.portfolio.contingency_percent,
    }
}

fn placement(model: &Model, explainer: &mut Option<Explainer>, waves: &[Day], place: usize, day: Day) -> Placement {
    let one = &model.portfolio.applications[place];
    let activity = model.activity_of[place];
    let weeks = preparation_weeks(model.portfolio, one);
    let wave = waves.binary_search(&day).ok().filter(|_| one.strategy.moves()).map(|place| place + 1);
    let settled_on = model.settled.get(&place);
    let is_settled = settled_on.is_some();
    let because = match (is_settled, explainer) {
        (true, _) => vec!["it has ended, or runs".to_owned()],
        (false, Some(explainer)) => explainer.reasons(activity),
        (false, None) => Vec::new(),
    };
    Placement {
        application: one.name.clone(),
        strategy: one.strategy,
        owner: one.owner.clone(),
        criticality: one.criticality,
        pilot: one.pilot,
        date: settled_on.copied().unwrap_or_else(|| model.date(day)).to_string(),
        wave,
        preparation_from: (weeks > 0).then(|| model.date((day - 7 * weeks).max(0)).to_string()),
        risk: risk::of(one),
        is_settled,
        because,
    }
}

fn wave(model: &Model, starts: &[Day], number: usize, day: Day) -> Wave {
    let portfolio = model.portfolio;
    let in_wave =
        |place: &usize| portfolio.applications[*place].strategy.moves() && starts[model.activity_of[*place]] == day;
    let places: Vec<usize> = (0..portfolio.applications.len()).filter(in_wave).collect();
    let mut activities: Vec<usize> = places.iter().map(|place| model.activity_of[*place]).collect();
    activities.sort_unstable();
    activities.dedup();
    let stages = stages(model, &places);
    let mut applications: Vec<Staged> = places
        .iter()
        .map(|place| Staged {
            name: portfolio.applications[*place].name.clone(),
            stage: stages[place],
            together_with: model.groups[model.activity_of[*place]]
                .iter()
                .filter(|other| *other != place)
                .map(|other| portfolio.applications[*other].name.clone())
                .collect(),
            also_after: also_after(model, &places, *place),
        })
        .collect();
    applications.sort_by(|one, other| (one.stage, &one.name).cmp(&(other.stage, &other.name)));
    let (opens, closes) = window(model, model.date(day));
    let windows = model.project.windows.as_ref();
    Wave {
        number,
        date: model.date(day).to_string(),
        opens,
        closes,
        applications,
        minutes: windows.map_or(0, |windows| windows.minutes_of(&activities)),
        planned_minutes_most: windows.map_or(0, |windows| windows.most_on(day, &activities)),
        risk: places.iter().map(|place| risk::of(&portfolio.applications[*place])).sum(),
    }
}

/// When a date's window opens and closes.
fn window(model: &Model, date: Date) -> (String, String) {
    let calendar = &model.portfolio.calendar;
    let at = calendar.window_on(date).and_then(|window| {
        let opens = calendar.opens_on(date)?;
        let closes = opens.checked_add(jiff::SignedDuration::from_secs(window.lasts.0 as i64)).ok()?;
        let text = |at: &jiff::Zoned| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        Some((text(&opens), text(&closes)))
    });
    at.unwrap_or_else(|| (date.to_string(), date.to_string()))
}

/// The dependencies that are kept, and in which one comes after the other.
fn ordered<'a>(model: &'a Model) -> impl Iterator<Item = (usize, &'a Dependency)> {
    let all = model.portfolio.dependencies.iter().enumerate();
    all.filter(|(place, one)| one.kind != DependencyKind::Together && model.keeps(*place))
}

/// Which of the same wave an application comes after by wishes that are kept.
fn also_after(model: &Model, places: &[usize], place: usize) -> Vec<String> {
    let applications = &model.portfolio.applications;
    let name = &applications[place].name;
    let in_wave = |other: &str| places.iter().any(|place| applications[*place].name == other);
    let soft =
        ordered(model).filter(|(_, one)| one.strength == Strength::Soft && one.then == *name && in_wave(&one.first));
    soft.map(|(_, one)| one.first.clone()).collect()
}

/// The stage of each application of a wave: after those that it needs. A lockstep group is in one stage.
fn stages(model: &Model, places: &[usize]) -> BTreeMap<usize, usize> {
    let mut stages: BTreeMap<usize, usize> = places.iter().map(|place| (*place, 1)).collect();
    let applications = &model.portfolio.applications;
    let by_name: BTreeMap<&str, usize> =
        places.iter().map(|place| (applications[*place].name.as_str(), *place)).collect();
    let ordered: Vec<(usize, usize)> = ordered(model)
        .filter_map(|(_, one)| Some((*by_name.get(one.first.as_str())?, *by_name.get(one.then.as_str())?)))
        .collect();
    let group = |place: usize| model.activity_of[place];
    // As often as a chain can be long.
    for _ in places {
        for (first, then) in &ordered {
            let least = stages[first] + 1;
            let then_group = group(*then);
            let later = |(place, stage): (&usize, &mut usize)| {
                if group(*place) == then_group {
                    *stage = (*stage).max(least);
                }
            };
            stages.iter_mut().for_each(later);
        }
    }
    stages
}

fn teams(model: &Model, starts: &[Day], last: Day) -> Vec<TeamLoad> {
    let offset = Day::from(model.start.weekday().to_monday_zero_offset());
    let weeks = ((last + offset) / 7 + 1) as usize;
    let parts = working_parts(model.portfolio, model.start, weeks * 7);
    let load = |team: &crate::portfolio::Team| {
        let mut days = vec![0.0; weeks];
        for (place, one) in model.portfolio.applications.iter().enumerate() {
            let effort: f64 =
                one.effort.iter().filter(|effort| effort.team == team.name).map(|effort| effort.days).sum();
            let length = 7 * preparation_weeks(model.portfolio, one);
            let end = starts[model.activity_of[place]];
            for day in (end - length..end).filter(|_| effort > 0.0) {
                days[(day.max(0) + offset) as usize / 7] += effort / f64::from(length);
            }
        }
        let round = |days: f64| (days * 100.0).round() / 100.0;
        let week = |(number, days): (usize, f64)| {
            let first = 7 * number as Day - offset;
            WeekLoad {
                monday: model.date(first).to_string(),
                days: round(days),
                capacity_days: round(team.days_per_week * parts[first.max(0) as usize]),
            }
        };
        TeamLoad { team: team.name.clone(), weeks: days.into_iter().enumerate().map(week).collect() }
    };
    model.portfolio.teams.iter().map(load).collect()
}

/// What is soft, and is not kept.
fn unmet(model: &Model, starts: &[Day]) -> Vec<String> {
    let portfolio = model.portfolio;
    let places: BTreeMap<&str, usize> =
        portfolio.applications.iter().enumerate().map(|(place, one)| (one.name.as_str(), place)).collect();
    let day = |name: &str| places.get(name).map(|place| starts[model.activity_of[*place]]);
    let is_settled = |name: &str| places.get(name).is_some_and(|place| model.settled.contains_key(place));
    let is_broken = |(place, one): &(usize, &Dependency)| match (day(&one.first), day(&one.then)) {
        (Some(first), Some(then)) if is_settled(&one.then) => !is_kept(one, first, then),
        // On one day, only what is kept on purpose has its order.
        (Some(first), Some(then)) => !model.keeps(*place) && (first == then || !is_kept(one, first, then)),
        _ => false,
    };
    let all = portfolio.dependencies.iter().enumerate();
    let soft = all.filter(|one| one.1.strength == Strength::Soft && is_broken(one));
    let mut unmet: Vec<String> =
        soft.map(|(place, _)| crate::model::Constraint::Dependency(place).words(portfolio)).collect();
    let misses = |(place, one): &(usize, &Application)| {
        let date = model.date(starts[model.activity_of[*place]]);
        !one.preferred.is_empty() && !one.preferred.iter().any(|period| period.contains(date))
    };
    let missing = portfolio.applications.iter().enumerate().filter(misses);
    unmet.extend(missing.map(|(_, one)| {
        let periods: Vec<String> =
            one.preferred.iter().map(|period| format!("{} to {}", period.from, period.to)).collect();
        format!("{} moves on a date that is preferred: {}", named(&one.name, 80), periods.join(", "))
    }));
    unmet
}

/// Whether two days are as a dependency asks.
pub(crate) fn is_kept(one: &Dependency, first: Day, then: Day) -> bool {
    let days = one.days.unwrap_or_default() as Day;
    match one.kind {
        DependencyKind::Before => then >= first,
        DependencyKind::Together => then == first,
        DependencyKind::NotBeforeDays => then >= first + days,
        DependencyKind::WithinDays => (first..=first + days).contains(&then),
    }
}
