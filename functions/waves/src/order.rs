//! A wave as it is gone by: applications by their places, each with its stage and its lockstep group. Written once, when the wave is claimed. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cutover::finding::Finding;
use cutover::plan::{Notify, Stakeholders};
use cutover::schedule::least_time;
use cutover::{Plan, Seconds};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::plan::{Announcement, Approval, Member, NeedsMoved, OnFailures, OnRed, Task, WavePlan, When};

/// The part of a wave in the journal that is its [`Order`]. No application has this name: theirs have no `#`.
pub const PART: &str = "#order";

/// A wave as it is gone by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The wave's name.
    pub wave: String,
    /// Its applications, in the order in which they were written.
    pub members: Vec<Placed>,
    /// How many cutovers run at a time.
    pub parallel_cutovers: usize,
    /// So many may fail.
    pub tolerated_failures: usize,
    /// The same in percent of those that were let go.
    pub tolerated_failures_percent: usize,
    /// What happens when more have.
    pub on_failures: OnFailures,
    /// What happens when precheck finds something wrong.
    pub on_red: OnRed,
    /// Who has to agree.
    pub approval: Option<Approval>,
    /// Nothing starts before.
    pub opens: Option<Timestamp>,
    /// What cannot finish before, does not start.
    pub closes: Option<Timestamp>,
    /// When some, or all, must not be moved.
    pub freezes: Vec<Frozen>,
    /// Over how long the first starts are spread, in seconds.
    pub spread_seconds: u64,
    /// How long the wave may take, in seconds.
    pub timeout_seconds: u64,
    /// Who is told.
    pub notify: Option<Notify>,
    /// Which groups hear of it.
    #[serde(default)]
    pub stakeholders: Stakeholders,
    /// What they are told besides.
    #[serde(default)]
    pub announcement: Announcement,
}

/// One application of a wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Its name.
    pub name: String,
    /// Whether it has a cutover: the others have tasks only.
    pub moves: bool,
    /// What people do for it.
    pub tasks: Vec<Task>,
    /// The places of what it needs: of all that move in lockstep with what was named.
    pub needs: Vec<usize>,
    /// What it needs of earlier waves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs_moved: Vec<NeedsMoved>,
    /// The places of its lockstep group, its own among them.
    pub with: Vec<usize>,
    /// From 1 on: later than what it needs.
    pub stage: usize,
    /// How long its cutover takes, in seconds, by its own estimate.
    pub takes_seconds: u64,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What becomes of it.
    pub strategy: Option<String>,
}

/// When some applications must not be moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// What it is.
    pub name: String,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// The places for which it counts; none: all.
    pub members: Vec<usize>,
}

impl Member {
    /// Whether it has a cutover.
    pub fn moves(&self) -> bool {
        self.cutover.is_some() || self.cutover_from.is_some()
    }
}

/// The lockstep group of each application: the place of the first of its group.
pub(crate) fn groups(wave: &WavePlan) -> Vec<usize> {
    let place_of: BTreeMap<&str, usize> =
        wave.applications.iter().enumerate().map(|(place, member)| (member.name.as_str(), place)).collect();
    let mut group: Vec<usize> = (0..wave.applications.len()).collect();
    for (place, member) in wave.applications.iter().enumerate() {
        for other in member.together_with.iter().filter_map(|name| place_of.get(name.as_str())) {
            let (one, two) = (group[place], group[*other]);
            let (least, most) = (one.min(two), one.max(two));
            group.iter_mut().filter(|group| **group == most).for_each(|group| *group = least);
        }
    }
    group
}

impl Order {
    /// The order of a wave that was read without an error; `plans` are the cutover plans, in the same places.
    pub fn of(wave: &WavePlan, plans: &[Option<Plan>]) -> Self {
        let place_of: BTreeMap<&str, usize> =
            wave.applications.iter().enumerate().map(|(place, member)| (member.name.as_str(), place)).collect();
        let group = groups(wave);
        let of_group = |of: usize| -> Vec<usize> { (0..group.len()).filter(|place| group[*place] == of).collect() };
        let needs: Vec<Vec<usize>> = wave
            .applications
            .iter()
            .map(|member| {
                let named = member.needs.iter().filter_map(|need| place_of.get(need.as_str()));
                let whole: BTreeSet<usize> = named.flat_map(|place| of_group(group[*place])).collect();
                whole.into_iter().collect()
            })
            .collect();
        let stages = stages(&needs, &group);
        let placed = |(place, member): (usize, &Member)| Placed {
            name: member.name.clone(),
            moves: member.moves(),
            tasks: member.tasks.clone(),
            needs: needs[place].clone(),
            needs_moved: member.needs_moved.clone(),
            with: of_group(group[place]),
            stage: stages[place],
            takes_seconds: takes(member, plans.get(place).and_then(Option::as_ref)).0,
            owner: member.owner.clone(),
            strategy: member.strategy.clone(),
        };
        let time = |text: &String| text.parse().ok();
        Self {
            wave: wave.wave.clone(),
            members: wave.applications.iter().enumerate().map(placed).collect(),
            parallel_cutovers: wave.parallel_cutovers as usize,
            tolerated_failures: wave.tolerated_failures as usize,
            tolerated_failures_percent: wave.tolerated_failures_percent as usize,
            on_failures: wave.on_failures,
            on_red: wave.on_red,
            approval: wave.approval.clone(),
            opens: wave.window.as_ref().and_then(|window| window.opens.as_ref()).and_then(time),
            closes: wave.window.as_ref().and_then(|window| time(&window.closes)),
            freezes: wave.freezes.iter().filter_map(|freeze| frozen(freeze, &place_of)).collect(),
            spread_seconds: wave.spread_starts_over.0,
            timeout_seconds: wave.timeout.0,
            notify: wave.notify.clone(),
            stakeholders: wave.stakeholders.clone(),
            announcement: wave.announcement.clone(),
        }
    }

    /// What can never start, since it takes longer than its window is open.
    pub fn problems(&self) -> Vec<Finding> {
        let (Some(opens), Some(closes)) = (self.opens, self.closes) else { return Vec::new() };
        let open_seconds = closes.as_second() - opens.as_second();
        let is_longer = |placed: &&Placed| i128::from(placed.takes_seconds) > i128::from(open_seconds);
        let problem = |placed: &Placed| {
            let problem = format!(
                "takes {}, longer than the window is open: it would never start",
                Seconds(placed.takes_seconds)
            );
            let fix = "open a longer window, shorten its holds, or move it in another wave";
            Finding::plan(format!("$.applications.{}", placed.name), problem, fix)
        };
        self.members.iter().filter(is_longer).map(problem).collect()
    }

    /// The last stage.
    pub fn stages(&self) -> usize {
        self.members.iter().map(|member| member.stage).max().unwrap_or(0)
    }

    /// The place of an application.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.name == name)
    }

    /// Those that need an application directly.
    pub fn dependents(&self, place: usize) -> impl Iterator<Item = usize> {
        (0..self.members.len()).filter(move |other| self.members[*other].needs.contains(&place))
    }
}

impl Placed {
    /// The tasks that are to be done at a time, with their places.
    pub fn tasks(&self, when: When) -> impl Iterator<Item = usize> {
        (0..self.tasks.len()).filter(move |task| self.tasks[*task].when == when)
    }
}

fn takes(member: &Member, plan: Option<&Plan>) -> Seconds {
    member.takes.or_else(|| plan.map(least_time)).unwrap_or_default()
}

fn frozen(freeze: &crate::plan::Freeze, place_of: &BTreeMap<&str, usize>) -> Option<Frozen> {
    let members = freeze.applications.iter().filter_map(|name| place_of.get(name.as_str()).copied()).collect();
    let (from, to) = (freeze.from.parse().ok()?, freeze.to.parse().ok()?);
    Some(Frozen { name: freeze.name.clone(), from, to, members })
}

/// The stage of each, its group's: one more than the latest of what the group needs. There is no circle.
fn stages(needs: &[Vec<usize>], group: &[usize]) -> Vec<usize> {
    let mut stages = vec![1; needs.len()];
    for _ in 0..needs.len() {
        let before = stages.clone();
        for place in 0..needs.len() {
            let members = (0..needs.len()).filter(|other| group[*other] == group[place]);
            let after = members.flat_map(|member| &needs[member]).map(|need| before[*need] + 1).max();
            stages[place] = after.unwrap_or(1).max(before[place]);
        }
        if stages == before {
            break;
        }
    }
    stages
}
