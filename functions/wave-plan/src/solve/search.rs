//! The search for every size: schedules from orders, improved forwards and backwards, and new orders from the best ones
//! (a genetic algorithm over activity lists, after Hartmann and Valls et al.), with restarts. It stops by the number of
//! schedules, so that the same portfolio leads to the same programme everywhere.

use super::generate::{Generator, Order};
use super::justify;
use super::project::{Day, Project};
use super::random::Random;
use super::temporal::Temporal;

/// How long to search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// How many schedules are made at the most.
    pub schedules: usize,
    /// No schedule ends before this day: one that ends then is the best.
    pub bound: Day,
    /// What the sequence of choices begins with.
    pub seed: u64,
}

/// What the search found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The best schedule's end and starts.
    pub best: Option<(Day, Vec<Day>)>,
    /// How many schedules were made.
    pub schedules: usize,
    /// Whether the clock ended it.
    pub is_out_of_time: bool,
}

/// How many orders live at a time.
const POPULATION: usize = 40;
/// So many schedules without a better one begin a new population.
const PATIENCE: usize = 1_000;

/// Searches. `is_late` is the backstop.
pub(crate) fn search(
    project: &Project,
    temporal: &Temporal,
    effort: Effort,
    is_late: &mut dyn FnMut() -> bool,
) -> Found {
    let mut search = Search {
        project,
        temporal,
        generator: Generator::new(project, temporal),
        random: Random::new(effort.seed),
        effort,
        found: Found::default(),
    };
    while !search.is_over() && !search.found.is_out_of_time {
        search.live_once(is_late);
    }
    search.found
}

struct Search<'a> {
    project: &'a Project,
    temporal: &'a Temporal,
    generator: Generator<'a>,
    random: Random,
    effort: Effort,
    found: Found,
}

/// An order, and the end of the schedule that it leads to.
#[derive(Clone)]
struct Member {
    end: Day,
    order: Order,
}

impl Search<'_> {
    fn is_over(&self) -> bool {
        let is_best = self.found.best.as_ref().is_some_and(|(end, _)| *end <= self.effort.bound);
        is_best || self.found.schedules >= self.effort.schedules
    }

    /// One population, from its first members until nothing gets better.
    fn live_once(&mut self, is_late: &mut dyn FnMut() -> bool) {
        let mut members: Vec<Member> = Vec::new();
        let (mut best, mut since) = (Day::MAX, 0);
        while !self.is_over() && since < PATIENCE {
            if is_late() {
                self.found.is_out_of_time = true;
                return;
            }
            let order = match members.len() < POPULATION.min(self.effort.schedules / 4) {
                true if self.found.schedules == 0 => self.order(&self.temporal.latest.clone(), 0),
                true => self.order(&self.temporal.latest.clone(), 40),
                false => self.child(&members),
            };
            let member = self.schedule(&order);
            since += 1;
            if member.end < best {
                (best, since) = (member.end, 0);
            }
            self.admit(&mut members, member);
        }
    }

    /// Makes a schedule and improves it. An order that leads to none is kept, with the worst of ends.
    fn schedule(&mut self, order: &Order) -> Member {
        self.found.schedules += 1;
        let Some(mut starts) = self.generator.generate(order, None) else {
            return Member { end: Day::MAX, order: order.clone() };
        };
        justify::improve(self.project, self.temporal, &mut self.generator.profile, &mut starts);
        let end = self.project.end(&starts);
        let order = self.order(&starts, 0);
        if self.found.best.as_ref().is_none_or(|(best, _)| end < *best) {
            self.found.best = Some((end, starts));
        }
        Member { end, order }
    }

    fn admit(&self, members: &mut Vec<Member>, member: Member) {
        if members.iter().any(|other| other.end == member.end && other.order == member.order) {
            return;
        }
        let place = members.partition_point(|other| other.end <= member.end);
        members.insert(place, member);
        members.truncate(POPULATION);
    }

    /// An order by ascending keys, with so much of chance, in percent of their range, mixed in.
    fn order(&mut self, keys: &[Day], percent: usize) -> Order {
        let (least, most) = (keys.iter().min().copied().unwrap_or(0), keys.iter().max().copied().unwrap_or(0));
        let noise = ((most - least) as usize * percent / 100).max(1);
        let keys: Vec<Day> = keys.iter().map(|key| key + self.random.below(noise) as Day).collect();
        Order::by(self.temporal, keys)
    }

    /// An order from two: what lies between two points comes in the order of the one, the rest in that of the other.
    fn child(&mut self, members: &[Member]) -> Order {
        let (one, other) = (self.parent(members), self.parent(members));
        let (one, other) = (&members[one].order, &members[other].order);
        let count = one.blocks.len();
        let (first, last) = (self.random.below(count + 1), self.random.below(count + 1));
        let (first, last) = (first.min(last), first.max(last));
        let mut blocks = one.blocks[..first].to_vec();
        let mut is_in = vec![false; count];
        blocks.iter().for_each(|block| is_in[*block] = true);
        for (parent, until) in [(other, last), (one, count)] {
            for block in &parent.blocks {
                if blocks.len() < until && !std::mem::replace(&mut is_in[*block], true) {
                    blocks.push(*block);
                } else if blocks.len() >= until {
                    break;
                }
            }
        }
        let keys = one.keys.iter().zip(&other.keys);
        let mut keys: Vec<Day> = keys.map(|(one, other)| if self.random.percent(50) { *one } else { *other }).collect();
        self.mutate(&mut blocks, &mut keys);
        Order { blocks, keys }
    }

    /// The better of two.
    fn parent(&mut self, members: &[Member]) -> usize {
        self.random.below(members.len()).min(self.random.below(members.len()))
    }

    fn mutate(&mut self, blocks: &mut [usize], keys: &mut [Day]) {
        for place in 1..blocks.len() {
            let needs = &self.temporal.blocks_before[blocks[place]];
            if self.random.percent(5) && needs.binary_search(&blocks[place - 1]).is_err() {
                blocks.swap(place - 1, place);
            }
        }
        if self.temporal.blocks.iter().any(|block| block.len() > 1) {
            for place in 0..keys.len() {
                if self.random.percent(5) {
                    let other = self.random.below(keys.len());
                    keys.swap(place, other);
                }
            }
        }
    }
}
