//! Serial schedule generation: block after block, each activity on the first day that is free.
//!
//! A block of several activities has maximum lags within it. Where the last of them finds no day in time, what holds it back
//! is moved later by what is missing, and the block is placed anew (Franck's right shift); so often, and no more.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::profile::Profile;
use super::project::{Day, Project};
use super::temporal::Temporal;

/// In which order things are placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// The blocks, none before those from which lags lead to it.
    pub blocks: Vec<usize>,
    /// Within a block, lower ones go first: a number for each activity.
    pub keys: Vec<Day>,
}

impl Order {
    /// The blocks by their lowest keys, none before those that it needs.
    pub fn by(temporal: &Temporal, keys: Vec<Day>) -> Self {
        let key = |block: usize| temporal.blocks[block].iter().map(|member| keys[*member]).min().unwrap_or_default();
        let mut waits: Vec<usize> = temporal.blocks_before.iter().map(Vec::len).collect();
        let ready = (0..waits.len()).filter(|block| waits[*block] == 0);
        let mut open: BinaryHeap<Reverse<(Day, usize)>> = ready.map(|block| Reverse((key(block), block))).collect();
        let mut blocks = Vec::with_capacity(waits.len());
        while let Some(Reverse((_, block))) = open.pop() {
            blocks.push(block);
            for next in &temporal.blocks_after[block] {
                waits[*next] -= 1;
                if waits[*next] == 0 {
                    open.push(Reverse((key(*next), *next)));
                }
            }
        }
        Self { blocks, keys }
    }
}

/// Places activities; keeps what it allocates.
pub(crate) struct Generator<'a> {
    temporal: &'a Temporal,
    pub profile: Profile<'a>,
    starts: Vec<Day>,
    is_placed: Vec<bool>,
}

impl<'a> Generator<'a> {
    pub fn new(project: &'a Project, temporal: &'a Temporal) -> Self {
        let count = project.activities.len();
        let profile = Profile::new(project);
        Self { temporal, profile, starts: vec![0; count], is_placed: vec![false; count] }
    }

    /// The starts that an order leads to; nothing where one finds no day. `wished` are days before which nothing starts.
    pub fn generate(&mut self, order: &Order, wished: Option<&[Day]>) -> Option<Vec<Day>> {
        self.profile.clear();
        self.is_placed.fill(false);
        for block in &order.blocks {
            match self.temporal.blocks[*block][..] {
                [activity] => {
                    let least = self.least(activity).max(wished.map_or(Day::MIN, |wished| wished[activity]));
                    let day = self.profile.earliest(activity, least, self.temporal.latest[activity])?;
                    self.place(activity, day);
                }
                _ => self.place_block(*block, &order.keys, wished)?,
            }
        }
        Some(self.starts.clone())
    }

    fn place(&mut self, activity: usize, day: Day) {
        self.profile.place(activity, day);
        self.starts[activity] = day;
        self.is_placed[activity] = true;
    }

    /// The earliest day that what is placed leaves.
    fn least(&self, activity: usize) -> Day {
        let before = self.temporal.before[activity].iter();
        let placed = before.filter(|(from, _)| self.is_placed[*from]).map(|(from, lag)| self.starts[*from] + lag);
        placed.max().unwrap_or_default().max(self.temporal.earliest[activity])
    }

    fn place_block(&mut self, block: usize, keys: &[Day], wished: Option<&[Day]>) -> Option<()> {
        let temporal = self.temporal;
        let members = &temporal.blocks[block];
        let mut least: Vec<Day> = members.iter().map(|member| self.least(*member)).collect();
        if let Some(wished) = wished {
            members.iter().zip(&mut least).for_each(|(member, least)| *least = (*least).max(wished[*member]));
        }
        for _ in 0..10 + 4 * members.len() {
            let Some((held_by, missing)) = self.try_block(members, &least, keys)? else { return Some(()) };
            for member in members {
                if std::mem::take(&mut self.is_placed[*member]) {
                    self.profile.remove(*member, self.starts[*member]);
                }
            }
            let place = members.iter().position(|member| *member == held_by)?;
            least[place] = least[place].max(self.starts[held_by]) + missing;
        }
        None
    }

    /// Places a block. Where a member comes too late: which other one would have to be later, and by how much; nothing at all,
    /// where no day would do.
    fn try_block(&mut self, members: &[usize], least: &[Day], keys: &[Day]) -> Option<Option<(usize, Day)>> {
        let mut limits = Limits::new(self.temporal, members, least)?;
        for _ in 0..members.len() {
            let member = self.next(members, &limits, keys)?;
            let place = limits.place_of(member);
            let (first, last) = (limits.earliest[place], limits.latest[place]);
            match self.profile.earliest(member, first, last) {
                Some(day) => {
                    self.place(member, day);
                    limits.fix(self.temporal, member, day);
                }
                None => {
                    let day = self.profile.earliest(member, first, self.temporal.latest[member])?;
                    return limits.held_by[place].map(|held_by| Some((held_by, day - last)));
                }
            }
        }
        Some(None)
    }

    /// The member to place next: of those whose forerunners are placed, the one of the lowest key.
    fn next(&self, members: &[usize], limits: &Limits, keys: &[Day]) -> Option<usize> {
        let open = || members.iter().copied().filter(|member| !self.is_placed[*member]);
        let is_ready = |member: &usize| {
            let mut before = self.temporal.before[*member].iter();
            before.all(|(from, lag)| *lag <= 0 || self.is_placed[*from] || !limits.has(*from))
        };
        open().filter(is_ready).min_by_key(|member| (keys[*member], *member)).or_else(|| open().next())
    }
}

/// The days that are left to the members of a block.
struct Limits<'a> {
    members: &'a [usize],
    earliest: Vec<Day>,
    latest: Vec<Day>,
    /// Which placed member the latest day comes from.
    held_by: Vec<Option<usize>>,
}

impl<'a> Limits<'a> {
    fn new(temporal: &Temporal, members: &'a [usize], least: &[Day]) -> Option<Self> {
        let latest: Vec<Day> = members.iter().map(|member| temporal.latest[*member]).collect();
        let held_by = vec![None; members.len()];
        let mut limits = Self { members, earliest: vec![Day::MIN; members.len()], latest, held_by };
        for (place, least) in least.iter().enumerate() {
            limits.raise(temporal, place, *least);
        }
        let is_possible = limits.earliest.iter().zip(&limits.latest).all(|(first, last)| first <= last);
        is_possible.then_some(limits)
    }

    fn has(&self, activity: usize) -> bool {
        self.members.binary_search(&activity).is_ok()
    }

    fn place_of(&self, activity: usize) -> usize {
        self.members.binary_search(&activity).unwrap_or_default()
    }

    fn fix(&mut self, temporal: &Temporal, member: usize, day: Day) {
        let place = self.place_of(member);
        self.raise(temporal, place, day);
        self.lower(temporal, place, day, member);
    }

    fn raise(&mut self, temporal: &Temporal, place: usize, day: Day) {
        let mut open = vec![(place, day)];
        while let Some((place, day)) = open.pop() {
            if day > self.earliest[place] {
                self.earliest[place] = day;
                let after = temporal.after[self.members[place]].iter();
                open.extend(after.filter(|(to, _)| self.has(*to)).map(|(to, lag)| (self.place_of(*to), day + lag)));
            }
        }
    }

    fn lower(&mut self, temporal: &Temporal, place: usize, day: Day, because_of: usize) {
        let mut open = vec![(place, day)];
        while let Some((place, day)) = open.pop() {
            if day < self.latest[place] {
                self.latest[place] = day;
                self.held_by[place] = Some(because_of);
                let before = temporal.before[self.members[place]].iter();
                open.extend(before.filter(|(to, _)| self.has(*to)).map(|(to, lag)| (self.place_of(*to), day - lag)));
            }
        }
    }
}
