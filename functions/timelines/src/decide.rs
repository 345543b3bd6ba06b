//! What is due of a timeline: what to tell, what to check, and when to look again. Pure.
//!
//! | what | due | to |
//! |---|---|---|
//! | a milestone | 30 days, 7 days and 24 hours before, and 24 hours after | all |
//! | not begun | a quarter of an hour after its window opens, if it has not | all |
//! | in progress | every 30 minutes while it runs; after a day, every six hours | all |
//! | checks | when a round of prechecks has turned something red or green | engineers, and those who decide |
//! | a reminder | when something of a checklist is late | engineers |
//! | moved | when the date is another one, or none, and somebody has heard of the old one; milestones that are to come by the new one come again, with nothing of their checklists done | all |
//! | a digest | Mondays at 08:00 to those who decide, every day at 07:00 to engineers, by the programme's clock | its format |
//!
//! Of milestones that are past when a wave is scheduled the last one is told, and says so; those before it are passed over, and their checklists come with it. What
//! is told 24 hours before waits for the prechecks of that moment.

use cutover::Seconds;
use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::checks::{self, Sight};
use crate::milestone::{Milestone, plus};
use crate::state::{News, Period, State, Told, What};

const DAY: i64 = 24 * 3600;
/// How often it is told that a wave runs, in seconds.
const DURING: i64 = 1800;
/// The same of one that has run for more than a day.
const LONG: i64 = 6 * 3600;
/// A look comes so often at the least, in seconds: a date that has moved is noticed within this.
const LONGEST_WAIT: Seconds = Seconds::hours(6);
/// While prechecks run.
const CHECKING: i64 = 60;
/// While a wave is about to begin.
const BEGINNING: i64 = 300;
/// A timeline whose wave has no date any more waits so long for another one, in days.
const WAITS_DAYS: i64 = 40;

/// What was seen of a wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When its window opens, by the programme in force; none: it has no such wave.
    pub opens: Option<Timestamp>,
    /// What has a cutover, and is prechecked.
    pub applications: Vec<String>,
    /// How far it is.
    pub run: Run,
    /// The programme's time zone.
    pub time_zone: String,
}

/// How far a wave is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It was not started, or nothing of it moves yet.
    NotBegun,
    /// It runs since then.
    Going(Timestamp),
    /// It is over.
    Over,
}

/// What comes after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Another look, at this time.
    Look(Timestamp),
    /// Nothing any more.
    Over,
}

/// What is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Next {
    /// How the timeline stands now, with what is to be told.
    pub state: State,
    /// Whose prechecks are to be started.
    pub start: Vec<String>,
    /// And after that.
    pub then: Then,
}

/// What is due at `at`. `sights`: what was seen of the prechecks that run.
pub fn next(mut state: State, seen: &Seen, sights: &[(String, Sight)], at: Timestamp) -> Next {
    moved(&mut state, seen, at);
    let mut start = Vec::new();
    if let Some(opens) = state.opens {
        start = checked(&mut state, seen, opens, sights, at);
        before(&mut state, seen, opens, at);
        after(&mut state, seen, opens, at);
        reminders(&mut state, opens, at);
    }
    digests(&mut state, seen, at);
    let then = then(&state, seen, at);
    state.is_over = then == Then::Over;
    Next { state, start, then }
}

fn tell(state: &mut State, what: What, at: Timestamp) {
    state.untold.push(News { what, at });
}

/// Whether the date is another one. Of a wave that has begun the date stays: a programme that is planned anew does not have it any more.
fn moved(state: &mut State, seen: &Seen, at: Timestamp) {
    if seen.run != Run::NotBegun && state.opens.is_some() || state.opens == seen.opens {
        return;
    }
    let was = state.opens;
    if state.is_heard_of() && (was.is_some() || seen.opens.is_some()) {
        tell(state, What::Moved { was }, at);
    }
    state.was = was.or(state.was);
    state.opens = seen.opens;
    state.checks.forget();
    if let Some(opens) = seen.opens {
        begin_again(state, opens, at);
    }
}

/// What is to come by a new date was told, and done, of the old one: a go of the day before that was is none.
fn begin_again(state: &mut State, opens: Timestamp, at: Timestamp) {
    state.is_heard = state.is_heard_of();
    for milestone in Milestone::ALL.into_iter().filter(|milestone| milestone.at(opens) > at) {
        if state.told.remove(&milestone).is_some() {
            state.reminded.retain(|reminded| *reminded != milestone);
            for item in milestone.items() {
                state.ticks.remove(item.name);
            }
        }
    }
}

fn checked(state: &mut State, seen: &Seen, opens: Timestamp, sights: &[(String, Sight)], at: Timestamp) -> Vec<String> {
    if seen.run == Run::NotBegun {
        state.checks.begin(opens, &seen.applications, at);
    }
    let (start, turned) = state.checks.go_on(sights, at);
    if let Some(turned) = turned {
        tell(state, What::Check { red: turned.red, green: turned.green }, at);
    }
    start
}

/// The milestones before its window opens.
fn before(state: &mut State, seen: &Seen, opens: Timestamp, at: Timestamp) {
    let is_due = |milestone: &Milestone| !state.told.contains_key(milestone) && milestone.at(opens) <= at;
    let due: Vec<Milestone> = Milestone::BEFORE.into_iter().filter(is_due).collect();
    let Some((last, passed_over)) = due.split_last() else { return };
    let is_past = at >= opens || seen.run != Run::NotBegun;
    if !is_past && *last == Milestone::DayBefore && !is_checked(state, seen, opens) {
        return;
    }
    for milestone in passed_over {
        state.told.insert(*milestone, Told { at, passed_over: true });
    }
    state.told.insert(*last, Told { at, passed_over: is_past });
    if !is_past {
        let (is, passed_over) = (*last, passed_over.to_vec());
        tell(state, What::Milestone { is, due_at: is.at(opens), passed_over }, at);
    }
}

/// Whether the prechecks of a day before are over.
fn is_checked(state: &State, seen: &Seen, opens: Timestamp) -> bool {
    let day_before = Milestone::DayBefore.at(opens);
    seen.applications.is_empty() || state.checks.last_at.is_some_and(|last| last >= day_before)
}

/// From when its window opens on.
fn after(state: &mut State, seen: &Seen, opens: Timestamp, at: Timestamp) {
    let due_at = Milestone::Start.at(opens);
    // The wave says by itself that it has begun.
    let is_no_news = seen.run != Run::NotBegun || at >= Milestone::DayAfter.at(opens);
    let is_told = state.told.contains_key(&Milestone::Start);
    if !is_told && (is_no_news || at >= due_at) {
        state.told.insert(Milestone::Start, Told { at, passed_over: is_no_news });
        if !is_no_news {
            tell(state, What::Milestone { is: Milestone::Start, due_at, passed_over: Vec::new() }, at);
        }
    }
    if let Run::Going(began) = seen.run {
        let last = state.during_at.unwrap_or(began);
        let passed = at.duration_since(last).as_secs() / every(began, last);
        if passed >= 1 {
            state.during_at = Some(plus(last, passed * every(began, last)));
            tell(state, What::During, at);
        }
    }
    let due_at = Milestone::DayAfter.at(opens);
    if at >= due_at && !state.told.contains_key(&Milestone::DayAfter) {
        state.told.insert(Milestone::DayAfter, Told { at, passed_over: false });
        tell(state, What::Milestone { is: Milestone::DayAfter, due_at, passed_over: Vec::new() }, at);
    }
}

/// When it is next told that a wave runs, after this.
pub(crate) fn during_next(seen: &Seen, at: Timestamp) -> Option<Timestamp> {
    let Run::Going(began) = seen.run else { return None };
    Some(plus(at, every(began, at)))
}

/// How often it is told that a wave runs, in seconds.
fn every(began: Timestamp, last: Timestamp) -> i64 {
    if last.duration_since(began).as_secs() < DAY { DURING } else { LONG }
}

/// What is late is reminded of once. What was late already when people first heard of it stands in that message.
fn reminders(state: &mut State, opens: Timestamp, at: Timestamp) {
    for milestone in Milestone::ALL {
        let due_at = milestone.items_due(opens);
        let Some(told) = state.told.get(&milestone).copied() else { continue };
        if at < due_at || state.reminded.contains(&milestone) || milestone.items().is_empty() {
            continue;
        }
        state.reminded.push(milestone);
        if told.at < due_at && state.has_open_items(milestone) {
            tell(state, What::Reminder(milestone), at);
        }
    }
}

/// Of programmes: a single cutover is in none.
fn digests(state: &mut State, seen: &Seen, at: Timestamp) {
    if state.single.is_some() {
        return;
    }
    for period in Period::ALL {
        let Some((last, _)) = around(period, &seen.time_zone, at) else { continue };
        match state.digests.insert(period, last) {
            Some(before) if before < last => tell(state, What::Digest(period), last),
            _ => {}
        }
    }
}

/// When a digest was last due, and when the next one is.
pub fn around(period: Period, time_zone: &str, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let zone = TimeZoneDatabase::bundled().get(time_zone).unwrap_or(TimeZone::UTC);
    let today = at.to_zoned(zone.clone()).date();
    let (hour, days) = match period {
        Period::Weekly => (8, i64::from(today.weekday().since(Weekday::Monday))),
        Period::Daily => (7, 0),
    };
    let step = if period == Period::Weekly { 7 } else { 1 };
    let on = |days: i64| {
        let day = today.checked_add(jiff::Span::new().days(days)).ok()?;
        Some(day.at(hour, 0, 0, 0).to_zoned(zone.clone()).ok()?.timestamp())
    };
    let this = on(-days)?;
    if this <= at { Some((this, on(step - days)?)) } else { Some((on(-days - step)?, this)) }
}

fn then(state: &State, seen: &Seen, at: Timestamp) -> Then {
    let waits = |latest: Timestamp| Then::Look(latest.min(plus(at, LONGEST_WAIT.0 as i64)).max(plus(at, 1)));
    let Some(opens) = state.opens else {
        let ends = state.was.map_or(plus(state.since, WAITS_DAYS * DAY), |was| plus(was, DAY));
        return if at >= ends { Then::Over } else { waits(ends) };
    };
    let untold = Milestone::ALL.into_iter().filter(|milestone| !state.told.contains_key(milestone));
    let unreminded = state.open_checklists().filter(|milestone| {
        !milestone.items().is_empty() && !state.reminded.contains(milestone) && state.has_open_items(*milestone)
    });
    let is_going = matches!(seen.run, Run::Going(_));
    let mut times: Vec<Timestamp> = untold.map(|milestone| milestone.at(opens)).collect();
    times.extend(unreminded.map(|milestone| milestone.items_due(opens)));
    if times.is_empty() && !is_going {
        return Then::Over;
    }
    let digests = Period::ALL.into_iter().filter(|_| state.single.is_none());
    times.extend(digests.filter_map(|period| Some(around(period, &seen.time_zone, at)?.1)));
    times.extend(checks::next_at(opens, at).filter(|_| seen.run == Run::NotBegun));
    times.extend(state.checks.round.as_ref().map(|_| plus(at, CHECKING)));
    match seen.run {
        Run::NotBegun if at < opens => times.push(opens),
        Run::NotBegun => times.push(plus(at, BEGINNING)),
        Run::Going(began) => {
            let last = state.during_at.unwrap_or(began);
            times.push(plus(last, every(began, last)));
        }
        Run::Over => {}
    }
    times.retain(|time| *time > at);
    times.into_iter().min().map_or_else(|| waits(plus(at, CHECKING)), waits)
}

/// When the next message comes to a format for sure, unless something changes before.
pub fn next_message(state: &State, format: &str, time_zone: &str, at: Timestamp) -> Option<Timestamp> {
    let opens = state.opens?;
    let untold = Milestone::ALL.into_iter().filter(|milestone| !state.told.contains_key(milestone));
    // That it has not begun is nothing that is planned.
    let planned = untold.filter(|milestone| *milestone != Milestone::Start).map(|milestone| milestone.at(opens));
    let begins = (at < opens).then_some(opens);
    let digest = Period::ALL.into_iter().filter(|period| period.format() == format);
    let digest = digest.filter_map(|period| Some(around(period, time_zone, at)?.1));
    planned
        .chain(begins)
        .chain(digest.filter(|_| !state.is_over && state.single.is_none()))
        .filter(|time| *time > at)
        .min()
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
