//! What every programme has to keep, written apart from the planner: over dates, not over its model.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use wave_plan::portfolio::{Criticality, DependencyKind, Strength, Weekday};
use wave_plan::{Portfolio, Programme};

fn days(from: Date, to: Date) -> i64 {
    from.until(to).unwrap().get_days().into()
}

/// Panics with what is not kept.
pub fn check(portfolio: &Portfolio, programme: &Programme) {
    let dates: BTreeMap<&str, Date> =
        programme.placements.iter().map(|one| (one.application.as_str(), one.date.parse().unwrap())).collect();
    assert_eq!(dates.len(), portfolio.applications.len(), "each application has one place");
    calendar(portfolio, programme, &dates);
    dependencies(portfolio, &dates);
    pilots(portfolio, &dates);
    limits(portfolio, programme);
    teams(portfolio, programme);
}

fn calendar(portfolio: &Portfolio, programme: &Programme, dates: &BTreeMap<&str, Date>) {
    let calendar = &portfolio.calendar;
    for one in &portfolio.applications {
        let date = dates[one.name.as_str()];
        let name = &one.name;
        assert!(date >= calendar.start.parse().unwrap(), "{name} is before the start");
        assert!(calendar.end.as_ref().is_none_or(|end| date <= end.parse().unwrap()), "{name} is after the end");
        for freeze in &calendar.freezes {
            let is_frozen = freeze.applications.is_empty() || freeze.applications.contains(name);
            let is_in = (freeze.from.parse::<Date>().unwrap()..=freeze.to.parse().unwrap()).contains(&date);
            assert!(!(is_frozen && is_in), "{name} moves in the freeze {}", freeze.name);
        }
        for period in &one.forbidden {
            let is_in = (period.from.parse::<Date>().unwrap()..=period.to.parse().unwrap()).contains(&date);
            assert!(!is_in, "{name} moves when it must not");
        }
        let placed = programme.placements.iter().find(|placed| placed.application == *name).unwrap();
        let prepared: Option<Date> = placed.preparation_from.as_ref().map(|from| from.parse().unwrap());
        if let Some(from) = prepared {
            assert!(
                from >= calendar.start.parse().unwrap() && days(from, date) % 7 == 0,
                "{name} is prepared from {from} on"
            );
        }
        if one.strategy.moves() {
            assert!(
                calendar.windows.iter().any(|window| window.days.contains(&Weekday::of(date))),
                "{name} has no window on {date}"
            );
        }
    }
}

fn dependencies(portfolio: &Portfolio, dates: &BTreeMap<&str, Date>) {
    for one in portfolio.dependencies.iter().filter(|one| one.strength == Strength::Hard) {
        let between = days(dates[one.first.as_str()], dates[one.then.as_str()]);
        let wanted = i64::from(one.days.unwrap_or_default());
        let is_kept = match one.kind {
            DependencyKind::Before => between >= 0,
            DependencyKind::Together => between == 0,
            DependencyKind::NotBeforeDays => between >= wanted,
            DependencyKind::WithinDays => (0..=wanted).contains(&between),
        };
        assert!(is_kept, "{one:?}: {between} days between them");
    }
}

fn pilots(portfolio: &Portfolio, dates: &BTreeMap<&str, Date>) {
    let mut pilots: BTreeSet<&str> =
        portfolio.applications.iter().filter(|one| one.pilot).map(|one| one.name.as_str()).collect();
    // What moves in lockstep with a pilot goes with it.
    for _ in 0..portfolio.applications.len() {
        for one in portfolio.dependencies.iter().filter(|one| one.kind == DependencyKind::Together) {
            if pilots.contains(one.first.as_str()) || pilots.contains(one.then.as_str()) {
                pilots.extend([one.first.as_str(), one.then.as_str()]);
            }
        }
    }
    let dates_of = |is_pilot: bool| -> Vec<Date> {
        let moving = portfolio.applications.iter().filter(|one| one.strategy.moves()).map(|one| one.name.as_str());
        moving.filter(|name| pilots.contains(name) == is_pilot).map(|name| dates[name]).collect()
    };
    if let (Some(last), Some(first)) = (dates_of(true).into_iter().max(), dates_of(false).into_iter().min()) {
        assert!(last < first, "a pilot moves on {last}, another on {first}");
    }
}

fn limits(portfolio: &Portfolio, programme: &Programme) {
    let criticality: BTreeMap<&str, Criticality> =
        portfolio.applications.iter().map(|one| (one.name.as_str(), one.criticality)).collect();
    for wave in &programme.waves {
        let critical =
            wave.applications.iter().filter(|one| criticality[one.name.as_str()] == Criticality::Critical).count();
        assert!(wave.applications.len() <= portfolio.limits.applications_per_wave as usize, "{wave:?}");
        assert!(critical <= portfolio.limits.critical_per_wave as usize, "{wave:?}");
        assert!(wave.minutes <= wave.planned_minutes_most, "{wave:?}");
    }
}

/// On every day: what all who are prepared then take of a team in a week.
fn teams(portfolio: &Portfolio, programme: &Programme) {
    let planned = f64::from(100 - portfolio.contingency_percent) / 100.0;
    for team in &portfolio.teams {
        let mut rate: BTreeMap<Date, f64> = BTreeMap::new();
        for one in &programme.placements {
            let application = portfolio.applications.iter().find(|other| other.name == one.application).unwrap();
            let effort: f64 =
                application.effort.iter().filter(|effort| effort.team == team.name).map(|effort| effort.days).sum();
            let Some(from) = one.preparation_from.as_ref().filter(|_| effort > 0.0) else { continue };
            let (from, to): (Date, Date) = (from.parse().unwrap(), one.date.parse().unwrap());
            let length = days(from, to);
            assert!(length >= 7 && length % 7 == 0, "{} is prepared in {length} days", one.application);
            (0..length).for_each(|day| {
                *rate.entry(from.saturating_add(jiff::Span::new().days(day))).or_default() +=
                    effort * 7.0 / length as f64
            });
        }
        for (date, rate) in rate {
            let least = team.days_per_week * planned + 0.01;
            assert!(rate <= least, "team {} does {rate} days a week on {date}", team.name);
        }
    }
    for (load, team) in programme.teams.iter().zip(&portfolio.teams) {
        for week in &load.weeks {
            let most = week.capacity_days * planned + 0.02;
            assert!(
                week.days <= most,
                "team {} does {} of {most} in the week of {}",
                team.name,
                week.days,
                week.monday
            );
        }
    }
}
