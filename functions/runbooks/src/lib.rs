//! Runbooks: what people do for one application of a programme, in order, with owners, checks, commands and the way back. Pure: values in, values out; no AWS, no clock.
//!
//! - [`runbook()`] makes one, of a portfolio's entry, its place in the programme, and its cutover plan as far as there is one.
//! - [`markdown()`] and [`page()`] show it. Names and texts were written by others: each escapes what means something to it.
//!
//! | module | is |
//! |---|---|
//! | [`awaited`] | what people have to have done before: the first tasks in its wave |
//! | [`book`] | what a runbook consists of |
//! | `moving`, `staying` | the parts of what is cut over, and of what people retire, retain or replace |
//! | `cutover`, `criteria` | a cutover plan in words: its steps, its gates, what it means that it succeeded |
//! | `commands` | what is pasted |
//! | `show` | Markdown and HTML |

pub mod awaited;
pub mod book;
mod commands;
mod criteria;
mod cutover_plan;
mod moving;
mod show;
mod staying;

use cutover::Plan;
use wave_plan::portfolio::{Application, DependencyKind};
use wave_plan::{Placement, Portfolio, Programme, Wave};

use crate::book::{Contact, Part, Runbook};
pub use crate::commands::Stack;
pub use crate::show::{markdown, page};

/// What a runbook is made of.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    /// The portfolio.
    pub portfolio: &'a Portfolio,
    /// Its programme.
    pub programme: &'a Programme,
    /// The application's entry.
    pub application: &'a Application,
    /// Its cutover plan, if it has one that can be read.
    pub plan: Option<&'a Plan>,
    /// The name of the wave in which it moves: the machine `wave` knows it by that.
    pub wave_name: &'a str,
    /// Where commands go.
    pub stack: &'a Stack,
}

impl<'a> Of<'a> {
    fn placement(&self) -> Option<&'a Placement> {
        self.programme.placements.iter().find(|one| one.application == self.application.name)
    }

    fn placement_of(&self, name: &str) -> Option<&'a Placement> {
        self.programme.placements.iter().find(|one| one.application == name)
    }

    fn wave(&self) -> Option<&'a Wave> {
        let number = self.placement()?.wave?;
        self.programme.waves.iter().find(|wave| wave.number == number)
    }

    /// The others of its lockstep group.
    fn together(&self) -> &'a [String] {
        let staged =
            self.wave().and_then(|wave| wave.applications.iter().find(|one| one.name == self.application.name));
        staged.map_or(&[], |one| one.together_with.as_slice())
    }

    fn entry(&self, name: &str) -> Option<&'a Application> {
        self.portfolio.applications.iter().find(|one| one.name == name)
    }
}

/// The runbook of one application.
pub fn runbook(of: &Of) -> Runbook {
    let application = of.application;
    let date = of.placement().map(|placed| placed.date.clone()).unwrap_or_default();
    let parts: Vec<Part> = if application.strategy.moves() { moving::parts(of) } else { staying::parts(of) };
    Runbook {
        application: application.name.clone(),
        strategy: application.strategy.name().to_owned(),
        programme: of.programme.portfolio.clone(),
        date,
        facts: facts(of),
        contacts: contacts(of),
        parts: parts.into_iter().filter(|part| !part.steps.is_empty()).collect(),
    }
}

/// Fact and value, for the first lines.
fn facts(of: &Of) -> Vec<(String, String)> {
    let application = of.application;
    let mut facts = vec![("what becomes of it".to_owned(), of_strategy(application).to_owned())];
    let mut add = |name: &str, value: String| facts.push((name.to_owned(), value));
    match (of.wave(), of.placement()) {
        (Some(wave), _) => {
            add("wave", format!("{} of {}", wave.number, of.programme.waves.len()));
            add("window", format!("{} to {}", wave.opens, wave.closes));
        }
        (None, Some(placed)) => add("due", placed.date.clone()),
        (None, None) => {}
    }
    if let Some(from) = of.placement().and_then(|placed| placed.preparation_from.clone()) {
        add("prepared from", from);
    }
    if application.strategy.moves() {
        add("planned for", application.cutover.to_string());
        if let Some(plan) = of.plan {
            add("least time, by its plan", cutover::schedule::least_time(plan).to_string());
        }
    }
    add("if it fails", of_criticality(application).to_owned());
    if let Some(data) = application.data_gib {
        add("data", format!("{data} GiB"));
    }
    if !of.together().is_empty() {
        add("in lockstep with", of.together().join(", "));
    }
    facts
}

fn of_strategy(application: &Application) -> &'static str {
    use wave_plan::portfolio::Strategy;
    match application.strategy {
        Strategy::Retire => "retire: it is switched off",
        Strategy::Retain => "retain: it stays where it is",
        Strategy::Rehost => "rehost: it moves as it is",
        Strategy::Relocate => "relocate: its whole platform moves as it is",
        Strategy::Replatform => "replatform: it moves, with some of what it stands on changed",
        Strategy::Repurchase => "repurchase: a product takes its place",
        Strategy::Refactor => "refactor: it is rebuilt for the cloud",
    }
}

fn of_criticality(application: &Application) -> &'static str {
    use wave_plan::portfolio::Criticality;
    match application.criticality {
        Criticality::Low => "hardly anybody notices",
        Criticality::Medium => "some people cannot work",
        Criticality::High => "customers notice",
        Criticality::Critical => "the business stands still",
    }
}

/// Who answers for what: each once.
fn contacts(of: &Of) -> Vec<Contact> {
    let mut contacts = vec![Contact { who: of.application.owner.clone(), what: "answers for it".to_owned() }];
    let mut add = |who: &str, what: String| {
        if contacts.iter().all(|one| one.who != who) {
            contacts.push(Contact { who: who.to_owned(), what });
        }
    };
    let by_others = of.application.tasks.iter().filter_map(|task| Some((task.owner.as_deref()?, &task.what)));
    by_others.for_each(|(who, what)| add(who, format!("does: {what}")));
    for team in &of.application.effort {
        add(&format!("team {}", team.team), format!("works for it, {} person-days", team.days));
    }
    for dependency in &of.portfolio.dependencies {
        let name = &of.application.name;
        let is_together = dependency.kind == DependencyKind::Together;
        let (other, what) = match (dependency.first == *name, dependency.then == *name) {
            (true, _) if is_together => (&dependency.then, "moves in lockstep with it"),
            (_, true) if is_together => (&dependency.first, "moves in lockstep with it"),
            (true, _) => (&dependency.then, "waits for it"),
            (_, true) => (&dependency.first, "comes before it"),
            _ => continue,
        };
        if let Some(entry) = of.entry(other) {
            add(&entry.owner, format!("answers for {other}, which {what}"));
        }
    }
    if let Some(topic) = of.plan.and_then(|plan| plan.approval.as_ref()) {
        add(&topic.topic_arn, "those who agree to the cutover".to_owned());
    }
    if let Some(topic) = of.plan.and_then(|plan| plan.notify.as_ref()) {
        add(&topic.topic_arn, "those who are told, and paged".to_owned());
    }
    contacts
}
