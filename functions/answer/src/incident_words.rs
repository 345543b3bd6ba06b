//! What the page of an incident says. Pure.

use cutover::text::quoted;
use incidents::by_page;
use incidents::incident::{Acknowledged, Incident, Update};
use incidents::wave::{Member, Standing};
use links::Link;
use serde::Serialize;

use crate::words::{Button, button, moment, of_whom};

/// So many of a wave's cutovers are shown; the rest is counted.
const MOST_CUTOVERS: usize = 100;
/// A line, each character of it escaped.
const MOST_SAID_BYTES: usize = 1_000;

/// What the template is filled with. Whatever somebody else wrote is as they wrote it: the template shows it fit.
#[derive(Debug, Serialize)]
pub(crate) struct Words {
    id: String,
    title: String,
    class: &'static str,
    standing: String,
    sentences: Vec<String>,
    choices: Vec<Button>,
    turn: u32,
    facts: Vec<(&'static str, String)>,
    cutovers: Vec<Cutover>,
    more_cutovers: usize,
    actions: Vec<String>,
    updates: Vec<Said>,
    recipient: String,
    ends_at: String,
}

#[derive(Debug, Serialize)]
struct Cutover {
    application: String,
    standing: &'static str,
    why: String,
}

#[derive(Debug, Serialize)]
struct Said {
    at: String,
    by: String,
    text: String,
}

impl Words {
    /// Of an incident as it stands.
    pub(crate) fn of(incident: &Incident, link: &Link) -> Self {
        let (class, standing, sentences) = standing(incident);
        let is_allowed = |choice: &&cutover::ask::Choice| link.choices.contains(choice);
        let said = |update: &Update| Said {
            at: moment(update.at),
            by: quoted(&update.by, MOST_SAID_BYTES),
            text: update.text.clone(),
        };
        Self {
            id: incident.id.clone(),
            title: incident.title.clone(),
            class,
            standing,
            sentences,
            choices: by_page::choices(incident).iter().filter(is_allowed).copied().map(button).collect(),
            turn: incident.turns,
            facts: facts(incident),
            cutovers: cutovers(incident),
            more_cutovers: members(incident).len().saturating_sub(MOST_CUTOVERS),
            actions: incident.actions_taken.clone(),
            updates: incident.updates.iter().rev().map(said).collect(),
            recipient: of_whom(&link.recipient),
            ends_at: moment(link.ends_at),
        }
    }
}

fn members(incident: &Incident) -> Vec<&Member> {
    let mut members: Vec<&Member> = incident.of_wave.iter().flat_map(|of_wave| &of_wave.members).collect();
    members.sort_by_key(|member| member.standing);
    members
}

/// Of a wave, those that need a person first.
fn cutovers(incident: &Incident) -> Vec<Cutover> {
    let cutover = |member: &Member| Cutover {
        application: member.application.clone(),
        standing: match member.standing {
            Standing::Left => "needs a person",
            Standing::GoesBack => "goes back",
            Standing::Over => "is back",
        },
        why: if member.standing == Standing::Over { String::new() } else { member.why.clone() },
    };
    members(incident).into_iter().take(MOST_CUTOVERS).map(cutover).collect()
}

/// How it stands, and who looks after it.
fn standing(incident: &Incident) -> (&'static str, String, Vec<String>) {
    let last = incident.updates.last();
    if let Some(Update { at, by, .. }) = last.filter(|_| incident.is_resolved()) {
        let by = quoted(by, MOST_SAID_BYTES);
        return ("good", "It is over.".to_owned(), vec![format!("Said by {by}, {}.", moment(*at))]);
    }
    let open = format!("Open since {}, {}.", moment(incident.opened_at), incident.status().name());
    match &incident.acknowledged {
        Some(Acknowledged { at, by }) => {
            let standing = format!("{} looks after it.", quoted(by, MOST_SAID_BYTES));
            let runs_out = incident.severity.is_severe();
            let runs_out = runs_out.then(|| {
                "That runs out after a while: then those who respond are asked again, and by this page too.".to_owned()
            });
            let since = format!("Since {}.", moment(*at));
            ("note", standing, [Some(since), runs_out, Some(open)].into_iter().flatten().collect())
        }
        None => {
            let called = "Those who respond are called again and again until somebody does.".to_owned();
            ("bad", "Nobody looks after it.".to_owned(), vec![called, open])
        }
    }
}

fn facts(incident: &Incident) -> Vec<(&'static str, String)> {
    let facts = [
        ("Severity", incident.severity.name().to_owned()),
        ("Wave", incident.of_wave.as_ref().map(|of_wave| of_wave.wave.clone()).unwrap_or_default()),
        ("Application", incident.application.clone().unwrap_or_default()),
        ("What happened", incident.description.clone()),
        ("Impact", incident.impact.clone()),
        ("Next steps", incident.next_steps.clone()),
        ("May be over", incident.estimated_resolution.clone()),
    ];
    facts.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect()
}
