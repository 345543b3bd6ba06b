//! Why an application has its place: what keeps it from the days before.

use std::collections::BTreeSet;

use cutover::text::{named, quoted};

use crate::model::{Constraint, Model, Resource};
use crate::portfolio::{DependencyKind, calendar};
use crate::solve::{Day, Placed};

/// How many reasons are told of one application.
const MOST_REASONS: usize = 3;

/// Looks at a complete schedule.
pub(crate) struct Explainer<'a, 'b> {
    model: &'a Model<'b>,
    placed: Placed<'a>,
    starts: Vec<Day>,
    wave_of_day: Box<dyn Fn(Day) -> Option<usize> + 'a>,
    /// The days that the activities had in the programme before, if there is one that is kept to.
    had: Option<&'a [Day]>,
}

/// Something in the way of an earlier day.
struct Reason {
    words: String,
    /// The activity that is in the way, if it is one.
    blocker: Option<usize>,
}

impl<'a, 'b> Explainer<'a, 'b> {
    /// Nothing where the schedule is none.
    pub fn new(model: &'a Model<'b>, starts: &[Day], waves: &'a [Day], had: Option<&'a [Day]>) -> Option<Self> {
        let wave_of_day = Box::new(|day| waves.binary_search(&day).ok().map(|place| place + 1));
        Some(Self { model, placed: Placed::new(&model.project, starts)?, starts: starts.to_vec(), wave_of_day, had })
    }

    /// Why an activity is not earlier.
    pub fn reasons(&mut self, activity: usize) -> Vec<String> {
        let Some(day) = self.day_before(activity, self.starts[activity]) else {
            return vec!["it is the first day on which anything like it can be".to_owned()];
        };
        let mut reasons = self.against(activity, day);
        // One more window back, where nothing is against the last: then it could be earlier.
        if reasons.is_empty() && self.had.is_some_and(|had| had[activity] == self.starts[activity]) {
            return vec!["it could be earlier, and stays on the date that it had".to_owned()];
        }
        if reasons.is_empty() {
            return vec!["it could be earlier, and is here to spread the risk, or for a preferred date".to_owned()];
        }
        reasons.sort_by_key(|reason| reason.blocker.is_none());
        let mut seen = BTreeSet::new();
        reasons.retain(|reason| seen.insert(reason.words.clone()));
        let more = reasons.len().saturating_sub(MOST_REASONS);
        let mut words: Vec<String> = reasons.into_iter().take(MOST_REASONS).map(|reason| reason.words).collect();
        if more > 0 {
            words.push(format!("{more} more"));
        }
        words
    }

    /// From the activity that ends last back, each time to what it waits for.
    pub fn critical_path(&mut self) -> Vec<usize> {
        let Some(mut at) = (0..self.starts.len())
            .rev()
            .filter(|activity| !self.model.groups[*activity].is_empty())
            .max_by_key(|activity| self.starts[*activity])
        else {
            return Vec::new();
        };
        let mut path = vec![at];
        while let Some(day) = self.day_before(at, self.starts[at]) {
            let blockers = self.against(at, day).into_iter().filter_map(|reason| reason.blocker);
            let earlier = blockers.filter(|other| self.starts[*other] <= self.starts[at] && !path.contains(other));
            let Some(next) = earlier.max_by_key(|other| (self.starts[*other], *other)) else { break };
            path.push(next);
            at = next;
        }
        path.reverse();
        path
    }

    /// The last day before another on which something like an activity could be: for what moves, a maintenance window.
    fn day_before(&self, activity: usize, day: Day) -> Option<Day> {
        let calendar = &self.model.portfolio.calendar;
        let moves = self.model.moves(activity);
        (0..day).rev().find(|day| match moves {
            true => calendar.window_on(self.model.date(*day)).is_some(),
            false => calendar.is_working(self.model.date(*day)),
        })
    }

    fn against(&mut self, activity: usize, day: Day) -> Vec<Reason> {
        let mut reasons = self.lags(activity, day);
        reasons.extend(self.calendar(activity, day).into_iter().map(|words| Reason { words, blocker: None }));
        let head = self.model.head(activity);
        if day < head {
            let weeks = head / 7;
            let words = format!("its preparation takes {weeks} week{}", if weeks == 1 { "" } else { "s" });
            reasons.push(Reason { words, blocker: None });
        } else {
            reasons.extend(self.room(activity, day));
        }
        reasons
    }

    fn lags(&self, activity: usize, day: Day) -> Vec<Reason> {
        let lags = self.model.project.lags.iter().zip(&self.model.lag_of);
        let broken = lags.filter(|(lag, _)| lag.to == activity && self.starts[lag.from] + lag.days > day);
        broken
            .map(|(lag, constraint)| Reason { words: self.lag(*constraint, activity), blocker: self.behind(lag.from) })
            .collect()
    }

    /// The activity itself, or the last of the pilots that it stands for.
    fn behind(&self, activity: usize) -> Option<usize> {
        if !self.model.groups[activity].is_empty() {
            return Some(activity);
        }
        let pilots = self.model.project.lags.iter().filter(|lag| lag.to == activity).map(|lag| lag.from);
        pilots.max_by_key(|pilot| self.starts[*pilot])
    }

    fn lag(&self, constraint: Constraint, activity: usize) -> String {
        let Constraint::Dependency(place) = constraint else { return "the pilots go first".to_owned() };
        let one = &self.model.portfolio.dependencies[place];
        let days = one.days.unwrap_or_default();
        // Of a group, it is one of them that waits.
        let it = if self.model.groups[activity].len() > 1 { named(&one.then, 80) } else { "it".to_owned() };
        match one.kind {
            DependencyKind::NotBeforeDays => {
                format!("{it} comes no earlier than {days} days after {}", self.with_wave(&one.first))
            }
            DependencyKind::WithinDays if self.has(activity, &one.first) => {
                format!("{} follows it within {days} days", self.with_wave(&one.then))
            }
            DependencyKind::WithinDays => format!("{it} follows {}", self.with_wave(&one.first)),
            DependencyKind::Before | DependencyKind::Together => format!("{it} needs {}", self.with_wave(&one.first)),
        }
    }

    fn has(&self, activity: usize, name: &str) -> bool {
        self.model.groups[activity].iter().any(|place| self.model.portfolio.applications[*place].name == name)
    }

    /// `billing (wave 2)`, or the date of what does not move.
    fn with_wave(&self, name: &str) -> String {
        let place = self.model.portfolio.applications.iter().position(|one| one.name == name);
        let day = place.map(|place| self.starts[self.model.activity_of[place]]).unwrap_or_default();
        let moves = place.is_some_and(|place| self.model.portfolio.applications[place].strategy.moves());
        match (self.wave_of_day)(day).filter(|_| moves) {
            Some(wave) => format!("{} (wave {wave})", named(name, 80)),
            None => format!("{} ({})", named(name, 80), self.model.date(day)),
        }
    }

    fn calendar(&self, activity: usize, day: Day) -> Vec<String> {
        let date = self.model.date(day);
        let portfolio = self.model.portfolio;
        let mut reasons = Vec::new();
        if day < self.model.first_open {
            reasons.push(format!("nothing is planned before {} any more", self.model.date(self.model.first_open)));
        }
        for one in self.model.groups[activity].iter().map(|place| &portfolio.applications[*place]) {
            for freeze in portfolio.calendar.freezes.iter().filter(|freeze| freeze.holds(date, &one.name)) {
                reasons.push(format!("the freeze {} ends on {}", quoted(&freeze.name, 80), freeze.to));
            }
            for period in one.forbidden.iter().filter(|period| period.contains(date)) {
                reasons.push(format!("{} must not move until {}", named(&one.name, 80), period.to));
            }
            if let Some(first) =
                one.not_before.as_deref().filter(|first| calendar::date(first).is_some_and(|first| first > date))
            {
                reasons.push(format!("{} moves on {first} at the earliest", named(&one.name, 80)));
            }
        }
        reasons
    }

    fn cut(&self, constraint: Constraint) -> String {
        let portfolio = self.model.portfolio;
        match constraint {
            Constraint::Freeze(place) => {
                let freeze = &portfolio.calendar.freezes[place];
                format!("is too short for it before the freeze {} begins on {}", quoted(&freeze.name, 80), freeze.from)
            }
            Constraint::Forbidden(place, index) => {
                let one = &portfolio.applications[place];
                let from = &one.forbidden[index].from;
                format!("is too short for it before {from}, from when on {} must not move", named(&one.name, 80))
            }
            _ => "is too short for it".to_owned(),
        }
    }

    /// What is short on a day, with the activity that takes the most recent part of it.
    fn room(&mut self, activity: usize, day: Day) -> Option<Reason> {
        self.placed.remove(activity);
        let short = self.placed.short_of(activity, day);
        let is_full = self.placed.has_no_window(activity, day);
        self.placed.place(activity, self.starts[activity]);
        let date = self.model.date(day);
        let (words, resource, day) = match short.map(|(place, day)| (place, self.model.resources[place], day)) {
            Some((place, Resource::Team(team), short_on)) => {
                let name = named(&self.model.portfolio.teams[team].name, 80);
                (format!("team {name} is busy until {}", self.model.date(short_on)), place, short_on)
            }
            Some((place, Resource::PerWave, _)) => {
                (format!("the wave of {date} has as many applications as it may"), place, day)
            }
            Some((place, Resource::CriticalPerWave, _)) => {
                (format!("the wave of {date} has as many critical applications as it may"), place, day)
            }
            Some((place, Resource::WindowMinutes, _)) => (format!("the window of {date} is full"), place, day),
            None if is_full => {
                let minutes = self.model.resources.iter().position(|resource| *resource == Resource::WindowMinutes)?;
                let cut = self.model.first_cut(activity, day).map(|cut| self.cut(cut.constraint));
                let words = cut.unwrap_or_else(|| "is too short for it beside the others".to_owned());
                (format!("the window of {date} {words}"), minutes, day)
            }
            None => return None,
        };
        let uses_it = |other: &usize| {
            let uses = &self.model.project.activities[*other].uses;
            let on_day = |offset: Day, length: Day| {
                let first = self.starts[*other] + offset;
                (first..first + length).contains(&day)
            };
            *other != activity && uses.iter().any(|used| used.resource == resource && on_day(used.offset, used.length))
        };
        let blocker = (0..self.starts.len())
            .filter(uses_it)
            .filter(|other| self.starts[*other] <= self.starts[activity])
            .max_by_key(|other| self.starts[*other]);
        Some(Reason { words, blocker })
    }
}
