//! The link of a page: the one that answers, for groups that may; that of an incident, for those who respond; that of a wave's checklists, for engineers.

use std::time::Duration;

use cutover::StepResult;
use cutover::ask::Choice;
use cutover::plan::{Format, Group};
use cutover::told::{INCIDENT, timeline};
use incidents::by_page;
use jiff::Timestamp;
use links::Link;
use links::asking::Pages;
use messages::Told;

use crate::Clients;

/// A message may not wait for longer: this function's time-out is 30 s.
const LONGEST: Duration = Duration::from_secs(5);

/// A group's link; none where it may not answer, nothing is asked, no page answers, or it could not be made.
pub(crate) async fn link(clients: &Clients, told: &Told, group: &Group, now: Timestamp) -> Option<String> {
    let (pages, of) = (clients.pages.as_ref()?, of(told, group)?);
    let made = tokio::time::timeout(LONGEST, make(clients, pages, of, group, now)).await;
    let why = match made {
        Ok(Ok(link)) => return link,
        Ok(Err(error)) => error.message,
        Err(_) => format!("that took more than {} s", LONGEST.as_secs()),
    };
    tracing::error!(run_id = told.run_id, group = group.name, "the message has no link that answers: {why}");
    None
}

/// What a link is of.
enum Of<'a> {
    /// A question of a run, by its id.
    Question(&'a str),
    /// An incident.
    Incident {
        /// Its id.
        id: &'a str,
        /// When the link ends.
        ends_at: Timestamp,
    },
    /// A wave's checklists.
    Checklists {
        /// The wave.
        wave: &'a str,
        /// When the link ends.
        ends_at: Timestamp,
    },
}

/// Questions are answered by groups that may, of any moment. Of an incident whoever responds may say something, while it is not over: that changes nothing
/// of a cutover. What is on a checklist is said to be done by engineers, who have the list.
fn of<'a>(told: &'a Told, group: &Group) -> Option<Of<'a>> {
    if matches!(told.event.as_str(), timeline::MILESTONE | timeline::REMINDER) {
        let opens = told.detail["opens"].as_str()?.parse().ok()?;
        let ends_at = timelines::by_page::ends_at(opens, told.at);
        let has_list = told.detail["checklist"].as_array().is_some_and(|items| !items.is_empty());
        let has_it = has_list && group.format() == Format::Technical;
        return has_it.then_some(Of::Checklists { wave: &told.run_id, ends_at });
    }
    if told.event != INCIDENT {
        return told.ask.as_deref().filter(|_| group.may_answer).map(Of::Question);
    }
    let opened_at = told.detail["opened_at"].as_str()?.parse().ok()?;
    let is_open = told.detail["status"] != "resolved";
    let ends_at = by_page::ends_at(opened_at, told.at);
    (is_open && group.level().is_some()).then_some(Of::Incident { id: &told.run_id, ends_at })
}

/// None where the stack names those who answer, and the group is the plan's own.
async fn make(
    clients: &Clients,
    pages: &Pages,
    of: Of<'_>,
    group: &Group,
    now: Timestamp,
) -> StepResult<Option<String>> {
    let (journal, recipient) = (&clients.journal, cutover::ask::of_group(&group.name));
    match of {
        Of::Question(id) => {
            let question = links::asking::stored(journal, id).await?;
            if !clients.approval.lets_answer(group, &clients.stack, &question.plan) {
                return Ok(None);
            }
            links::asking::link(pages, &question, &recipient, now).await.map(Some)
        }
        Of::Incident { id, ends_at } => {
            let link = Link { question: id.to_owned(), choices: by_page::CHOICES.to_vec(), ends_at, recipient };
            remembered(clients, pages, &link, now).await.map(Some)
        }
        Of::Checklists { wave, ends_at } => {
            let question = timelines::by_page::id(wave);
            let link = Link { question, choices: vec![Choice::Tick], ends_at, recipient };
            remembered(clients, pages, &link, now).await.map(Some)
        }
    }
}

/// The address of a link that is no question's: the journal knows it from now on.
async fn remembered(clients: &Clients, pages: &Pages, link: &Link, now: Timestamp) -> StepResult<String> {
    let journal = &clients.journal;
    let path = link.path(&links::asking::key_of(pages, now).await?);
    journal.remember_page_link(&link.question, &links::hash(&path), &link.recipient, link.ends_at).await?;
    Ok(pages.address(&path))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(event: &str, detail: Value, ask: Option<&str>) -> Told {
        let told = json!({ "run_id": "i-0123456789ab", "application": "shop", "event": event, "at": "2026-11-27T02:00:00Z",
            "detail": detail, "ask": ask });
        serde_json::from_value(told).unwrap()
    }

    fn group(responds: u8, may_answer: bool) -> Group {
        let channels = json!([{ "type": "mail", "to": ["a@example.com"] }]);
        let group = json!({ "name": "team", "channels": channels, "responds": responds, "may_answer": may_answer });
        serde_json::from_value(group).unwrap()
    }

    #[test]
    fn whoever_responds_has_the_link_of_an_incident_and_who_may_answer_that_of_a_question() {
        let open = json!({ "opened_at": "2026-11-27T01:00:00Z", "status": "investigating" });
        let over = json!({ "opened_at": "2026-11-27T01:00:00Z", "status": "resolved" });
        for (told, group, expected) in [
            (told(INCIDENT, open.clone(), None), group(1, false), true),
            (told(INCIDENT, open.clone(), None), group(0, true), false),
            (told(INCIDENT, over, None), group(1, true), false),
            (told(INCIDENT, json!({}), None), group(1, true), false),
            (told("approval", json!({}), Some("q")), group(1, false), false),
            (told("approval", json!({}), Some("q")), group(0, true), true),
            (told("approval", json!({}), None), group(0, true), false),
        ] {
            assert_eq!(of(&told, &group).is_some(), expected, "{told:?} {group:?}");
        }
        let list = json!({ "opens": "2026-12-05T01:00:00Z", "checklist": [{ "item": "training" }] });
        let formats = |format: &str| Group { format: serde_json::from_value(json!(format)).ok(), ..group(0, true) };
        for (event, detail, format, expected) in [
            (timeline::MILESTONE, list.clone(), "technical", true),
            (timeline::REMINDER, list.clone(), "technical", true),
            (timeline::MILESTONE, list.clone(), "summary", false),
            (timeline::DURING, list.clone(), "technical", false),
            (timeline::MILESTONE, json!({ "opens": "2026-12-05T01:00:00Z", "checklist": [] }), "technical", false),
            (timeline::MILESTONE, json!({ "checklist": [{}] }), "technical", false),
        ] {
            assert_eq!(of(&told(event, detail, None), &formats(format)).is_some(), expected, "{event} {format}");
        }
        let told = told(INCIDENT, open, None);
        let Some(Of::Incident { id, ends_at }) = of(&told, &group(1, false)) else { panic!("{told:?}") };
        assert_eq!((id, ends_at.to_string().as_str()), ("i-0123456789ab", "2026-11-29T01:00:00Z"));
    }
}
