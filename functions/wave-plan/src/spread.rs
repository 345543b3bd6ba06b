//! Of the schedules of one length, a better one: risk is spread over the waves, what is risky comes later and what is worth
//! much earlier, and owners get the dates that they prefer. One activity at a time moves to its best day, all others where they
//! are, until none does.

use crate::model::Model;
use crate::portfolio::Application;
use crate::risk;
use crate::solve::{Day, Placed, Random};

/// A date that its owner did not prefer weighs as much as this.
const NOT_PREFERRED: i64 = 400;
/// The square of a wave's risk weighs this much.
const CONCENTRATION: i64 = 10;
/// Rounds, if something moves in each.
const MOST_ROUNDS: usize = 8;

/// Spreads a schedule's activities. Nothing ends later than before, and nothing that is settled moves.
pub(crate) fn spread(model: &Model, starts: &[Day], seed: u64, is_late: &mut dyn FnMut() -> bool) -> Vec<Day> {
    let Some(mut placed) = Placed::new(&model.project, starts) else { return starts.to_vec() };
    let end = model.project.end(starts);
    let mut wishes = Wishes::new(model, starts, end);
    let mut order: Vec<usize> = (0..starts.len()).filter(|activity| !model.groups[*activity].is_empty()).collect();
    let mut random = Random::new(seed);
    for _ in 0..MOST_ROUNDS {
        for place in (1..order.len()).rev() {
            order.swap(place, random.below(place + 1));
        }
        let mut has_moved = false;
        for activity in &order {
            if is_late() {
                return placed.starts().to_vec();
            }
            has_moved |= improve(model, &mut placed, &mut wishes, *activity, end);
        }
        if !has_moved {
            break;
        }
    }
    placed.starts().to_vec()
}

fn improve(model: &Model, placed: &mut Placed, wishes: &mut Wishes, activity: usize, end: Day) -> bool {
    let old = placed.starts()[activity];
    placed.remove(activity);
    wishes.change(activity, old, -1);
    let (first, last) = placed.limits(activity);
    let last = last.min(end - model.project.activities[activity].duration);
    let mut best = (wishes.cost(activity, old), old);
    let mut next = placed.earliest(activity, first, last);
    while let Some(day) = next {
        best = best.min((wishes.cost(activity, day), day));
        next = placed.earliest(activity, day + 1, last);
    }
    placed.place(activity, best.1);
    wishes.change(activity, best.1, 1);
    best.1 != old
}

/// What is wished of a schedule, apart from its end.
struct Wishes<'a, 'b> {
    model: &'a Model<'b>,
    risk: Vec<i64>,
    value: Vec<i64>,
    risk_on: Vec<i64>,
    end: Day,
}

impl<'a, 'b> Wishes<'a, 'b> {
    fn new(model: &'a Model<'b>, starts: &[Day], end: Day) -> Self {
        let sum = |activity: usize, of: fn(&Application) -> i64| {
            model.groups[activity].iter().map(|place| of(&model.portfolio.applications[*place])).sum()
        };
        let all = || 0..model.groups.len();
        let risk = all().map(|activity| sum(activity, risk::of)).collect();
        let value = all().map(|activity| sum(activity, |one| i64::from(one.business_value))).collect();
        let mut wishes = Self { model, risk, value, risk_on: vec![0; model.project.horizon as usize + 1], end };
        starts.iter().enumerate().for_each(|(activity, day)| wishes.change(activity, *day, 1));
        wishes
    }

    fn change(&mut self, activity: usize, day: Day, sign: i64) {
        self.risk_on[day as usize] += sign * self.risk[activity];
    }

    /// What it costs to have an activity on a day, on which it is not counted yet.
    fn cost(&self, activity: usize, day: Day) -> i64 {
        let (risk, others) = (self.risk[activity], self.risk_on[day as usize]);
        let concentration = (others + risk).pow(2) - others.pow(2);
        let weeks_left = i64::from(self.end - day) / 7;
        let date = self.model.date(day);
        let is_unwelcome = |place: &&usize| {
            let preferred = &self.model.portfolio.applications[**place].preferred;
            !preferred.is_empty() && !preferred.iter().any(|period| period.contains(date))
        };
        let unwelcome = self.model.groups[activity].iter().filter(is_unwelcome).count() as i64;
        // What does not move has nothing to spread: it is done as early as it can be.
        let wait =
            if self.model.moves(activity) { self.value[activity] / 10 * i64::from(day) / 7 } else { i64::from(day) };
        concentration * CONCENTRATION + risk * weeks_left + wait + unwelcome * NOT_PREFERRED
    }
}
