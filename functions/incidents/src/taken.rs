//! What an execution's input makes of an incident: opened, raised, spoken of, followed on, or left as it is. Pure.
//!
//! An execution of `rollback` that begins opens a high one; one that ends otherwise than well raises it to critical; one that puts everything back
//! ends it. Events come late, twice, and in any order: what began after its own end is nothing new.

use cutover::plan::Stakeholders;
use cutover::text::{named, quoted};
use jiff::{SignedDuration, Timestamp};

use crate::asked::{Event, Open, Say, What, with_action};
use crate::incident::{Acknowledged, Heard, Incident, Severity, Status, Update};
use crate::means::{Means, described, left_of, means};
use crate::timing::Timing;

pub(crate) const MOST_NAME_BYTES: usize = 64;
pub(crate) const MOST_CAUSE_BYTES: usize = 600;
/// So many updates are kept: the first one, and the newest.
const MOST_UPDATES: usize = 40;
/// So many executions whose end is known.
const MOST_ENDED: usize = 20;
/// Who speaks where nobody does.
pub(crate) const ITSELF: &str = "Cutover";

/// What becomes of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The incident as it is now; none where nothing has to be written.
    pub incident: Option<Incident>,
    /// Whether this execution follows it.
    pub follows: bool,
    /// What was done, for the execution's output.
    pub said: String,
}

fn nothing(said: &str) -> Taken {
    Taken { incident: None, follows: false, said: said.to_owned() }
}

/// A run that went back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfRun {
    /// Its execution's ARN.
    pub run_id: String,
    /// The application's name.
    pub application: String,
}

/// The id of what a thing has one incident of.
pub fn id_of(thing: &str) -> String {
    format!("i-{}", cutover::contract::digest(thing).chars().take(12).collect::<String>())
}

/// A person opens one.
pub fn opened(open: Open, id: &str, me: &str, stakeholders: Stakeholders, now: Timestamp) -> Taken {
    let Open { severity, title, by, application, description, impact, next_steps, estimated_resolution } = open;
    let text = format!("opened as {}", severity.name());
    let incident = Incident {
        application,
        title,
        description,
        impact,
        next_steps,
        estimated_resolution,
        stakeholders: Some(stakeholders).filter(|wanted| *wanted != Stakeholders::default()),
        updates: vec![Update { at: now, status: Status::Investigating, text, by }],
        ..blank(id, me, severity, now, now)
    };
    Taken { incident: Some(incident), follows: true, said: format!("{id} is open") }
}

pub(crate) fn blank(id: &str, owner: &str, severity: Severity, opened_at: Timestamp, first_at: Timestamp) -> Incident {
    Incident {
        id: id.to_owned(),
        owner: owner.to_owned(),
        run_id: None,
        application: None,
        severity,
        title: String::new(),
        description: String::new(),
        impact: String::new(),
        actions_taken: Vec::new(),
        next_steps: String::new(),
        estimated_resolution: String::new(),
        left: None,
        opened_at,
        first_at,
        updates: Vec::new(),
        turns: 0,
        acknowledged: None,
        ended: Vec::new(),
        stakeholders: None,
        of_wave: None,
        heard: None,
    }
}

/// A person says something.
///
/// # Errors
/// What cannot be said, in a person's words.
pub fn said(incident: Incident, what: What, say: Say, now: Timestamp) -> Result<Taken, String> {
    said_by(incident, what, say, None, now)
}

/// The same, by a link that was made for a recipient.
///
/// # Errors
/// As [`said`].
pub fn said_by(
    mut incident: Incident,
    what: What,
    say: Say,
    link_for: Option<&str>,
    now: Timestamp,
) -> Result<Taken, String> {
    if incident.is_resolved() && what != What::Resolved {
        return Err(format!("{} is resolved, and nothing was done: open a new one if it is back", incident.id));
    }
    if incident.is_resolved() {
        return Ok(nothing("it was resolved before"));
    }
    let Say { by, text, status, severity, action_taken, next_steps, estimated_resolution } = say;
    let status = match what {
        What::Resolved => Status::Resolved,
        _ => status.unwrap_or(incident.status()),
    };
    if what != What::Updated {
        incident.turns += 1;
    }
    if what == What::Acknowledged {
        if incident.acknowledged.as_ref().is_some_and(|acknowledged| acknowledged.by == by && text.is_empty()) {
            // Said again: it lasts from now on, and nobody hears of it.
            incident.acknowledged = Some(Acknowledged { at: now, by });
            return Ok(Taken { said: "acknowledged anew".to_owned(), incident: Some(incident), follows: false });
        }
        incident.acknowledged = Some(Acknowledged { at: now, by: by.clone() });
    }
    let by_link = link_for.map(|recipient| format!(" by the link for {recipient}")).unwrap_or_default();
    let mut words = vec![match what {
        What::Acknowledged => format!("acknowledged{by_link}"),
        What::Updated => format!("{}{by_link}", status.name()),
        What::Resolved => format!("resolved{by_link}"),
    }];
    if let Some(severity) = severity.filter(|severity| *severity != incident.severity) {
        words.push(format!("{} from now on, was {}", severity.name(), incident.severity.name()));
        incident.severity = severity;
    }
    let text = [words.join(", "), text].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
    incident.actions_taken = with_action(incident.actions_taken, action_taken);
    incident.next_steps = next_steps.unwrap_or(incident.next_steps);
    incident.estimated_resolution = estimated_resolution.unwrap_or(incident.estimated_resolution);
    let incident = with_update(incident, Update { at: now, status, text: text.clone(), by });
    Ok(Taken { incident: Some(incident), follows: false, said: text })
}

/// This execution follows one in the place of another, which is over.
pub fn followed(incident: Incident, me: &str) -> Taken {
    let said = format!("{} is followed on", incident.id);
    let is_over = incident.is_resolved() && incident.heard.as_ref().is_none_or(|heard| heard.is_end_told);
    if is_over || incident.owner == me {
        return Taken { incident: None, follows: !is_over, said };
    }
    Taken { incident: Some(Incident { owner: me.to_owned(), ..incident }), follows: true, said }
}

/// A rollback has begun or ended.
pub fn of_rollback(
    incident: Option<Incident>,
    event: &Event,
    run: &OfRun,
    me: &str,
    timing: &Timing,
    now: Timestamp,
) -> Taken {
    let means = means(event);
    let was_ended = incident.as_ref().is_some_and(|incident| incident.ended.contains(&event.execution_arn));
    if was_ended {
        return nothing("its end is known");
    }
    let first_at = now + SignedDuration::from_secs(i64::from(timing.first_after_seconds));
    let new = || Incident {
        run_id: Some(run.run_id.clone()),
        application: Some(run.application.clone()),
        title: format!("The cutover of {} goes back", named(&run.application, MOST_NAME_BYTES)),
        description: described(event),
        impact: "Its traffic is moved back to the old side. Until then some of it may be on the new one.".to_owned(),
        next_steps: "The rollback works by itself, and its end is told.".to_owned(),
        ..blank(&id_of(&run.run_id), me, Severity::High, now, first_at)
    };
    match (means, incident) {
        (Means::Begins, None) => Taken { incident: Some(new()), follows: true, said: "a high one is open".to_owned() },
        (Means::Begins, Some(_)) => nothing("there is one of this run"),
        (Means::Nothing, None) => nothing("nothing went back"),
        (Means::Nothing, Some(incident)) => {
            over(incident, event, "there was nothing to put back, or another rollback is at it", false, now)
        }
        (Means::Back, incident) => {
            over(incident.unwrap_or_else(new), event, "everything is exactly as it was before", true, now)
        }
        (Means::Left(why), incident) => raised(incident.unwrap_or_else(new), event, &why, me, now),
    }
}

/// How a run stands of which nothing is left to put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunIsOver {
    /// Everything is as it was before.
    Back,
    /// A person has released it as it was: who, and why.
    Released(String),
    /// Its new side stays.
    Stays,
}

/// The run of an incident is over, by whatever was not told of; the incident as it is then, unless it was over before.
pub fn run_is_over(incident: &Incident, run: &RunIsOver, now: Timestamp) -> Option<Incident> {
    if incident.is_resolved() {
        return None;
    }
    let text = match run {
        RunIsOver::Back => "everything is exactly as it was before".to_owned(),
        RunIsOver::Released(by) => {
            format!("a person has released the run as it was: {}", quoted(by, MOST_CAUSE_BYTES))
        }
        RunIsOver::Stays => "the run is closed, and its new side stays".to_owned(),
    };
    Some(resolved(incident.clone(), &text, *run != RunIsOver::Back, incident.moment(now)))
}

fn resolved(mut incident: Incident, text: &str, keeps_impact: bool, at: Timestamp) -> Incident {
    incident.turns += 1;
    incident.next_steps = "Find out what went wrong before the next try: the run's report has the figures.".to_owned();
    if !keeps_impact {
        incident.impact = "None any more.".to_owned();
    }
    with_update(incident, Update { at, status: Status::Resolved, text: text.to_owned(), by: ITSELF.to_owned() })
}

/// It is over where nothing is left; what another rollback has left stays open.
fn over(incident: Incident, event: &Event, text: &str, is_certain: bool, now: Timestamp) -> Taken {
    let incident = ended(incident, event);
    let is_left = incident.severity == Severity::Critical && !is_certain;
    if incident.is_resolved() || is_left {
        return Taken { incident: Some(incident), follows: false, said: "noted".to_owned() };
    }
    let incident = resolved(incident, text, !is_certain, now);
    Taken { incident: Some(incident), follows: false, said: format!("resolved: {text}") }
}

/// A person is needed.
fn raised(incident: Incident, event: &Event, why: &str, me: &str, now: Timestamp) -> Taken {
    let mut incident = ended(incident, event);
    let is_dead = incident.is_resolved();
    let is_new = incident.updates.is_empty() && incident.owner == me;
    incident.severity = Severity::Critical;
    incident.impact = "Some of its traffic may not be where it should be.".to_owned();
    incident.next_steps = "Say that you look after it. The operators' message of this run, on its plan's topic, says what is left and how it is put right; \
        then roll back once more, or release the run."
        .to_owned();
    incident.left = Some(left_of(event));
    if let Some(heard) = &mut incident.heard {
        heard.is_end_told = false;
    }
    if is_dead {
        incident.turns += 1;
    }
    if is_dead || is_new {
        incident.owner = me.to_owned();
        incident.first_at = now;
    }
    let update = Update { at: now, status: Status::Identified, text: why.to_owned(), by: ITSELF.to_owned() };
    let said = format!("critical: {why}");
    Taken { incident: Some(with_update(incident, update)), follows: is_dead || is_new, said }
}

fn ended(mut incident: Incident, event: &Event) -> Incident {
    incident.ended.push(event.execution_arn.clone());
    let first = incident.ended.len().saturating_sub(MOST_ENDED);
    incident.ended.drain(..first);
    incident
}

/// With one more update; of too many the older ones go, and what was told of them is counted down.
pub(crate) fn with_update(mut incident: Incident, update: Update) -> Incident {
    incident.updates.push(update);
    if incident.updates.len() > MOST_UPDATES {
        incident.updates.remove(1);
        if let Some(Heard { updates, .. }) = &mut incident.heard {
            *updates = updates.saturating_sub(1);
        }
    }
    incident
}

#[cfg(test)]
#[path = "taken_tests.rs"]
mod tests;
