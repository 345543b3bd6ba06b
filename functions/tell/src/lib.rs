//! `tell`: tells groups of people what a run does, each in its words and by its channels.
//!
//! Reads: the run's plan, the record of what was told of a moment, webhooks' secrets. Writes: that record (`told#<run>#<event>#<time>` in the journal's
//! table), which messages of a run were not delivered (`undelivered#<run>`), how many messages a place gets in a second (`pace#<place>#<second>`), and one message a group and channel. Undo: there is none, since what was read cannot be unread.
//!
//! It is not called by a state machine: `notify` publishes what happened to the stack's topic of moments, and Lambda calls this
//! with it, some seconds later. So nothing that is slow, denied or down here can change or delay a cutover, and the function that pages
//! operators stays as small as it was. Lambda tries again twice, after one and two minutes, what this function ends with an error.
//!
//! Once: a message is claimed in the record before it is sent, and its outcome is written after. One that was refused is tried again, but
//! for a refusal that stays; one whose outcome is not known is sent again, and says that it may be a repeat. What asks something that was decided
//! meanwhile is left: an incident tool would open again what it had closed.
//!
//! What could not be delivered is in the run's summary: its record is what `report`, `cleanup` and `status-report` read ([`undelivered`]).
//!
//! A group that may answer has the link of the page that does so in what it hears of a question; that the link was made is remembered with the
//! question (`ask#<id>`) first. Those who respond have a link of the incident in the same way (`ask#<incident>#<hash>`), and engineers that of a wave's checklists. Where that fails the message goes
//! out without.
//!
//! What a wave, or its incident, says of all its runs is not told again of each ([`quiet`]).
//!
//! Errors: `Cutover.Transient` where something is left to try again, `Cutover.Refused` where something was refused for good.

mod answering;
mod configuration;
mod decide;
mod pace;
mod quiet;
mod record;
mod send;
mod undelivered;
mod webhook;

use std::collections::BTreeMap;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use cutover::counted;
use cutover::error::name;
use cutover::plan::{Channel, Group, Moment, OnFailure, Stakeholders};
use cutover::stakeholders::StackGroups;
use cutover::told::Record;
use cutover::{StepError, StepResult};
use futures_util::future::join_all;
use jiff::Timestamp;
use journal::{Journal, Phase};
use messages::{Content, Told};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::configuration::Configuration;
use crate::decide::{Outcome, Turn};
pub use links::asking::Pages;

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The journal: runs' plans, and what was told.
    pub journal: Journal,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// SES, which asks once.
    pub ses: aws_sdk_ses::Client,
    /// SNS, which asks once.
    pub sns: aws_sdk_sns::Client,
    /// The topics that messages may go to.
    pub topics: cutover::authority::Topics,
    /// The addresses that mail may go to.
    pub mails: cutover::authority::Mails,
    /// For webhooks.
    pub web: SharedHttpConnector,
    /// The stack's groups.
    pub stack: StackGroups,
    /// Who has to agree: of a plan that the stack has ask, its own groups alone have links that answer.
    pub approval: cutover::authority::Demanded,
    /// Sender, branding, templates.
    pub configuration: Configuration,
    /// The pages that answer; none where the stack has none.
    pub pages: Option<Pages>,
}

/// What SNS calls Lambda with (SNS developer guide, Lambda endpoints): one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The notifications.
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What was sent now: `<group>/<channel>` each.
    pub sent: Vec<String>,
}

/// Tells everybody of each record.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let mut reply = Reply::default();
    for record in &request.records {
        reply.sent.extend(tell(clients, &record.told()?, now).await?);
    }
    Ok(reply)
}

/// One message to one group by one channel.
struct Delivery<'a> {
    key: String,
    group: &'a Group,
    channel: &'a Channel,
}

/// All messages of a moment.
fn deliveries<'a>(groups: Vec<&'a Group>, told: &Told, moment: Moment) -> Vec<Delivery<'a>> {
    let hearing = groups.into_iter().filter(|group| told.is_for(group, moment));
    let of_group = |group: &'a Group| {
        let key = move |(index, channel): (usize, &'a Channel)| Delivery {
            key: format!("{}/{}.{index}", group.name, channel.kind()),
            group,
            channel,
        };
        group.channels.iter().enumerate().map(key)
    };
    hearing.flat_map(of_group).collect()
}

async fn tell(clients: &Clients, told: &Told, now: Timestamp) -> StepResult<Vec<String>> {
    let Some(moment) = told.moment() else { return Ok(Vec::new()) };
    let known = known(clients, told).await?;
    let told = &with_run(told, &known);
    let Known { wanted, wave, .. } = known;
    let mut groups = clients.stack.hearers(&wanted);
    if let Some(wave) = &wave {
        quiet::quiet(clients, (&told.run_id, wave), moment, &mut groups).await?;
    }
    let deliveries = deliveries(groups, told, moment);
    if deliveries.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<&str> = deliveries.iter().map(|delivery| delivery.key.as_str()).collect();
    let turns = record::claim(&clients.journal, &told.key(), &keys, now).await?;
    let was_tried = turns.iter().any(|turn| matches!(turn, Turn::Send { is_again: true, .. }));
    let is_late = was_tried && is_decided(clients, told).await?;
    let sending = deliveries.iter().zip(&turns).filter_map(|(delivery, turn)| match turn {
        Turn::Send { is_again: true, .. } if is_late => None,
        Turn::Send { may_be_repeat, .. } => Some(attempt(clients, told, moment, delivery, *may_be_repeat, now)),
        Turn::Leave | Turn::Wait => None,
    });
    let outcomes: Vec<(String, Outcome)> = join_all(sending).await;
    // Before the record: what is refused for good is not looked at again.
    undelivered::remember(&clients.journal, told, moment, &outcomes, was_tried, now).await;
    record::write(&clients.journal, &told.key(), &outcomes, now).await?;
    for (group, counts) in by_group(&outcomes) {
        counted::count(now, &[("Group", group)], &counts);
    }
    ended(&outcomes, turns.contains(&Turn::Wait))
}

/// Whether what is asked has been decided since it was first told: it is not told again then.
async fn is_decided(clients: &Clients, told: &Told) -> StepResult<bool> {
    // Nobody has to be asked for what no run decides.
    if decide::is_decided(&told.event, Some(Phase::Closed)) {
        let run = clients.journal.read(&told.run_id).await?;
        return Ok(decide::is_decided(&told.event, run.map(|run| run.phase)));
    }
    Ok(false)
}

/// How many messages to each group were accepted, and how many were not.
fn by_group(outcomes: &[(String, Outcome)]) -> BTreeMap<&str, [(&'static str, u64); 2]> {
    let mut groups = BTreeMap::new();
    for (key, outcome) in outcomes {
        let (group, _) = addressee(key);
        let counts = groups.entry(group).or_insert([("MessagesAccepted", 0), ("MessagesFailed", 0)]);
        counts[usize::from(*outcome != Outcome::Sent)].1 += 1;
    }
    groups
}

/// A delivery's group, and the kind of its channel.
fn addressee(key: &str) -> (&str, &str) {
    let (group, channel) = key.rsplit_once('/').unwrap_or((key, ""));
    (group, channel.split('.').next().unwrap_or_default())
}

/// What the journal says of a run, as far as it does.
#[derive(Debug, Default)]
struct Known {
    /// Whom its plan names.
    wanted: Stakeholders,
    /// The wave that it is a part of.
    wave: Option<String>,
    /// Whether a person decides where a check fails: then nothing goes back by itself.
    holds_on_failure: bool,
    /// When it was claimed, RFC 3339.
    began_at: Option<String>,
}

async fn known(clients: &Clients, told: &Told) -> StepResult<Known> {
    if let Some(wanted) = &told.stakeholders {
        return Ok(Known { wanted: wanted.clone(), ..Known::default() });
    }
    let run = clients.journal.read(&told.run_id).await?;
    let known = run.map(|run| Known {
        holds_on_failure: run.plan.monitoring.on_failure == OnFailure::Hold,
        began_at: Some(run.started_at),
        wanted: run.plan.stakeholders,
        wave: run.plan.wave,
    });
    Ok(known.unwrap_or_default())
}

/// What happened, with what its words depend on beside: the machines do not say it.
fn with_run(told: &Told, known: &Known) -> Told {
    let mut told = told.clone();
    if let Some(detail) = told.detail.as_object_mut() {
        if known.holds_on_failure {
            detail.insert("holds_on_failure".to_owned(), Value::Bool(true));
        }
        if let Some(began_at) = &known.began_at {
            detail.insert("began_at".to_owned(), Value::from(began_at.as_str()));
        }
    }
    told
}

async fn attempt(
    clients: &Clients,
    told: &Told,
    moment: Moment,
    delivery: &Delivery<'_>,
    may_be_repeat: bool,
    now: Timestamp,
) -> (String, Outcome) {
    let Delivery { key, group, channel } = delivery;
    let mut content = Content::of(told, moment, group, may_be_repeat, clients.configuration.templates());
    content.answer_link = answering::link(clients, told, group, now).await;
    for note in &content.notes {
        tracing::warn!(run_id = told.run_id, group = group.name, "{note}");
    }
    let outcome = if pace::wait(clients, channel, now).await {
        send::send(clients, told, &content, channel, now).await
    } else {
        Outcome::Failed { why: "too many messages go there just now".to_owned(), is_final: false }
    };
    match &outcome {
        Outcome::Sent => tracing::info!(run_id = told.run_id, moment = moment.name(), to = key, "told"),
        Outcome::Failed { why, .. } | Outcome::Unknown { why } => {
            tracing::error!(
                run_id = told.run_id,
                moment = moment.name(),
                to = key,
                "not told, as far as is known: {why}"
            );
        }
    }
    (key.clone(), outcome)
}

/// An error where Lambda has to call again, or people have to hear that somebody did not.
fn ended(outcomes: &[(String, Outcome)], somebody_else_sends: bool) -> StepResult<Vec<String>> {
    let told = |(key, outcome): &(String, Outcome)| outcome.why().map(|why| format!("{key}: {why}"));
    let failed: Vec<String> = outcomes.iter().filter_map(told).collect();
    let is_left = somebody_else_sends || outcomes.iter().any(|(_, outcome)| outcome.is_left());
    match (is_left, failed.is_empty()) {
        (true, true) => {
            Err(StepError::new(name::TRANSIENT, "another call is sending this, or was cut off: to be seen later"))
        }
        (true, false) => Err(StepError::new(name::TRANSIENT, format!("not told yet: {}", failed.join("; ")))),
        (false, false) => Err(StepError::new(name::REFUSED, format!("not told: {}", failed.join("; ")))),
        (false, true) => Ok(outcomes.iter().map(|(key, _)| key.clone()).collect()),
    }
}

#[cfg(test)]
mod tests;
