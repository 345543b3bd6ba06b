//! Many cases, on several fields at once.
//!
//! Contract: every shape is recorded first, then its cases are run in turn by whichever field is free. A case that could not
//! be judged (the field broke down) counts as one that breaks the promise, and a new field takes over.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail, ensure};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::case::{Case, cases, covering};
use super::field::{Field, Played, Recorded};
use super::shape::Shape;
use crate::emulator::Options;
use crate::locked;

/// More names of cases than this help nobody who has mistyped one.
const MOST_NAMES: usize = 5;

/// Which cases of the recorded ones are run.
#[derive(Clone, Debug)]
pub enum Selection {
    /// Each operation with each fault, once for all shapes together.
    Quick,
    /// Every request with every fault; or a part of these.
    All(Part),
    /// Those of these names.
    Named(Vec<String>),
}

/// A part of all cases, evenly spread, so that several machines or sessions can share them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Part {
    number: usize,
    of: usize,
}

impl Part {
    /// All cases.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    fn holds(self, index: usize) -> bool {
        index % self.of + 1 == self.number
    }
}

impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match part {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err("a part is written 1/4: the first of four".to_owned()),
        }
    }
}

/// A case and what came of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The case.
    pub case: Case,
    /// What came of it.
    pub played: Played,
}

/// What a campaign tells while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A plan's runs were recorded: its name, and how many requests can be hit.
    Recorded(&'a str, usize),
    /// All plans are recorded, and so many cases were selected.
    Selected(usize),
    /// A case is over.
    Over(&'a Judged),
}

type Job = (Arc<Shape>, Arc<Recorded>, Case);

/// Runs the selected cases of all shapes on `fields` emulated AWSs at once.
pub async fn run(
    options: &Options,
    shapes: Vec<Shape>,
    selection: &Selection,
    fields: usize,
    mut watch: impl FnMut(Progress),
) -> Result<Vec<Judged>> {
    let names: Vec<String> = shapes.iter().map(|shape| shape.name.clone()).collect();
    let shapes: Vec<Arc<Shape>> =
        shapes.into_iter().filter(|shape| is_wanted(shape, selection)).map(Arc::new).collect();
    let begin = "a case begins with the name of its plan, and a /";
    ensure!(!shapes.is_empty(), "there is no such case: {begin}; there are {}", names.join(", "));
    let recorded = record(options, shapes, fields, &mut watch).await?;
    let all: Vec<Job> = recorded.iter().flat_map(jobs).collect();
    let ids: Vec<String> = all.iter().map(|(_, _, case)| case.id()).collect();
    let jobs = select(all, selection);
    if let Some(unknown) = unknown_case(&ids, selection).filter(|_| jobs.is_empty()) {
        bail!(unknown);
    }
    ensure!(!jobs.is_empty(), "there is no case to run");
    watch(Progress::Selected(jobs.len()));
    judge(options, jobs, fields, &mut watch).await
}

/// That one of the cases that were named is none, with those that are most like it.
fn unknown_case(ids: &[String], selection: &Selection) -> Option<String> {
    let Selection::Named(named) = selection else { return None };
    let unknown = named.iter().find(|name| !ids.contains(name))?;
    let alike = |id: &String| id.chars().zip(unknown.chars()).take_while(|(one, other)| one == other).count();
    let mut near: Vec<&String> = ids.iter().collect();
    near.sort_by_key(|id| std::cmp::Reverse(alike(id)));
    let near: Vec<String> = near.into_iter().take(MOST_NAMES).map(|id| format!("\n  {id}")).collect();
    let name = cutover::text::shown(unknown, 200);
    Some(format!("there is no case {name}; of {} cases these begin most like it:{}", ids.len(), near.concat()))
}

fn is_wanted(shape: &Shape, selection: &Selection) -> bool {
    match selection {
        Selection::Named(ids) => ids.iter().any(|id| id.split('/').next() == Some(&shape.name)),
        _ => true,
    }
}

fn jobs((shape, recorded): &(Arc<Shape>, Arc<Recorded>)) -> Vec<Job> {
    let cases = cases(&shape.name, &recorded.points, recorded.routes);
    cases.into_iter().map(|case| (shape.clone(), recorded.clone(), case)).collect()
}

fn select(all: Vec<Job>, selection: &Selection) -> Vec<Job> {
    match selection {
        Selection::All(part) => {
            all.into_iter().enumerate().filter(|(index, _)| part.holds(*index)).map(|(_, job)| job).collect()
        }
        Selection::Quick => covering(all, |(_, _, case)| case),
        Selection::Named(ids) => all.into_iter().filter(|(_, _, case)| ids.contains(&case.id())).collect(),
    }
}

async fn record(
    options: &Options,
    shapes: Vec<Arc<Shape>>,
    fields: usize,
    watch: &mut impl FnMut(Progress),
) -> Result<Vec<(Arc<Shape>, Arc<Recorded>)>> {
    let queue = Arc::new(Mutex::new(shapes.into_iter().collect::<VecDeque<_>>()));
    let mut workers = JoinSet::new();
    for _ in 0..fields.min(locked(&queue).len()) {
        let (queue, options) = (queue.clone(), options.clone());
        workers.spawn(async move {
            let field = Field::start(&options).await?;
            let mut done = Vec::new();
            while let Some(shape) = next(&queue) {
                let recorded = field.record(&shape).await.with_context(|| format!("the plan {}", shape.name))?;
                done.push((shape, Arc::new(recorded)));
            }
            field.stop().await?;
            anyhow::Ok(done)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = workers.join_next().await {
        for (shape, recorded) in done.context("a recording broke down")?? {
            watch(Progress::Recorded(&shape.name, recorded.points.len()));
            all.push((shape, recorded));
        }
    }
    all.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    Ok(all)
}

fn next<T>(queue: &Mutex<VecDeque<T>>) -> Option<T> {
    locked(queue).pop_front()
}

async fn judge(
    options: &Options,
    jobs: Vec<Job>,
    fields: usize,
    watch: &mut impl FnMut(Progress),
) -> Result<Vec<Judged>> {
    let fields = fields.min(jobs.len());
    let queue = Arc::new(Mutex::new(jobs.into_iter().collect::<VecDeque<_>>()));
    let (sender, mut judged) = mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    for _ in 0..fields {
        workers.spawn(work(options.clone(), queue.clone(), sender.clone()));
    }
    drop(sender);
    let mut all = Vec::new();
    while let Some(one) = judged.recv().await {
        watch(Progress::Over(&one));
        all.push(one);
    }
    while let Some(ended) = workers.join_next().await {
        ended.context("a field broke down")??;
    }
    Ok(all)
}

async fn work(options: Options, queue: Arc<Mutex<VecDeque<Job>>>, sender: mpsc::UnboundedSender<Judged>) -> Result<()> {
    let mut field = Field::start(&options).await?;
    while let Some((shape, recorded, case)) = next(&queue) {
        let played = match field.play(&shape, &case, &recorded.known).await {
            Ok(played) => played,
            Err(error) => {
                field.stop().await?;
                field = Field::start(&options).await?;
                Played::broken(&error)
            }
        };
        // Nobody listens any more when the campaign is given up.
        let _ = sender.send(Judged { case, played });
    }
    field.stop().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_together_are_all_cases_and_each_is_in_one() {
        let parts = ["1/3", "2/3", "3/3"].map(|text| text.parse::<Part>().expect("a part"));
        assert!((0..20).all(|index| parts.iter().filter(|part| part.holds(index)).count() == 1));
        for wrong in ["0/3", "4/3", "3", "a/b", "1/0", ""] {
            assert!(wrong.parse::<Part>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_case_that_is_none_is_told_with_those_most_like_it() {
        let ids: Vec<String> = (0..9).map(|n| format!("listener/denied/cutover.Shift/x/{n}")).collect();
        let named = |name: &str| Selection::Named(vec![ids[0].clone(), name.to_owned()]);
        assert_eq!(unknown_case(&ids, &named("listener/denied/cutover.Shift/x/8")), None);
        let told = unknown_case(&ids, &named("listener/denied/cutover.Shift/x/8a")).unwrap_or_default();
        assert!(told.contains("there is no case listener/denied/cutover.Shift/x/8a; of 9 cases"), "{told}");
        assert!(told.contains("\n  listener/denied/cutover.Shift/x/8\n") && told.lines().count() == 6, "{told}");
        assert_eq!(unknown_case(&ids, &Selection::Quick), None);
    }
}
