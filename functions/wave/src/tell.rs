//! What people are asked and told of a wave, by the topics that it names. Told twice where a look is tried again: a message says what is so, and does
//! no harm.

use std::fmt::Write as _;

use cutover::ask::{self, Kind, Question};
use cutover::budget::fit;
use cutover::text::{named, shown};
use cutover::{StepError, StepResult, gestures};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use waves::decide::left_behind;
use waves::news::{self, Where};
use waves::state::State;
use waves::{Order, ending};

use crate::{AskRequest, Clients};

/// SNS takes 100 characters of a subject (SNS API reference), and 256 KiB of a message.
const MOST_SUBJECT_BYTES: usize = 100;
/// More lines than this help nobody.
const MOST_LINES: usize = 100;

/// Whether those were asked who have to agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskReply {
    /// Whether the message was sent.
    pub sent: bool,
}

/// Asks those who have to agree: by a page, where the stack has those, and by commands.
pub(crate) async fn ask(clients: &Clients, request: &AskRequest, now: Timestamp) -> StepResult<AskReply> {
    let Some((order, state, _)) = crate::read(clients, &request.wave).await? else {
        return Ok(AskReply { sent: false });
    };
    let Some(approval) = &order.approval else { return Ok(AskReply { sent: false }) };
    let (topic_arn, token) = (&approval.topic_arn, &request.task_token);
    let asked = question(&order, &state, token, now);
    let asked = links::asking::remember(clients.pages.as_ref(), asked, topic_arn, now).await;
    let commands = gestures::answers(&clients.machines.wave, token);
    let subject = format!("Approval wanted: wave {}", order.wave);
    let link = asked.as_ref().map(|asked| asked.link.as_str());
    publish(clients, topic_arn, &subject, &message(&order, &state, link, &commands)).await?;
    Ok(AskReply { sent: true })
}

/// The question behind the message: who goes, who stays behind, and everything that the wave goes by.
fn question(order: &Order, state: &State, task_token: &str, now: Timestamp) -> Question {
    let within_seconds = order.approval.as_ref().map_or(0, |approval| approval.within.0);
    let (goes, behind) = who(order, state);
    let lists = json!([
        { "title": moves(order), "items": goes },
        { "title": "These would stay behind", "items": behind },
    ]);
    Question {
        kind: Kind::Wave,
        run_id: state.owner.clone(),
        application: order.wave.clone(),
        task_token: task_token.to_owned(),
        asked_at: now,
        ends_at: ask::ends_at(now, within_seconds),
        detail: fit(json!({ "within_seconds": within_seconds, "lists": lists }), ask::MOST_DETAIL_BYTES),
        plan: ask::kept(json!(order)),
    }
}

/// What they read before they agree: who goes, who stays behind, and why.
pub fn message(order: &Order, state: &State, link: Option<&str>, commands: &str) -> String {
    let (goes, behind) = who(order, state);
    let mut text = format!("Wave {} waits for your yes.\n\n{}:\n", order.wave, moves(order));
    lines(&mut text, goes.into_iter());
    if !behind.is_empty() {
        text.push_str("\nThese would stay behind:\n");
        lines(&mut text, behind.into_iter());
    }
    if let Some(closes) = order.closes {
        let _ = write!(text, "\nWhat would not finish before {closes} is not started.\n");
    }
    if let Some(link) = link {
        let _ = write!(text, "\n{}:\n  {link}\n", links::asking::BY_PAGE);
    }
    let _ = write!(text, "\n{commands}");
    text
}

fn moves(order: &Order) -> String {
    format!("It would move, {} at a time", order.parallel_cutovers)
}

/// A sentence for each that goes, in the order of their stages, and for each that stays behind.
fn who(order: &Order, state: &State) -> (Vec<String>, Vec<String>) {
    let behind = left_behind(order, state);
    let name = |place: usize| named(&order.members[place].name, 64);
    let mut goes: Vec<usize> = (0..order.members.len()).filter(|place| !behind.contains_key(place)).collect();
    goes.sort_by_key(|place| (order.members[*place].stage, *place));
    let sentence = |place: usize| {
        let placed = &order.members[place];
        let takes =
            if placed.moves { format!(", about {}", cutover::Seconds(placed.takes_seconds)) } else { String::new() };
        format!("stage {}: {}{takes}", placed.stage, name(place))
    };
    let stays = behind.iter().map(|(place, why)| format!("{}: {why}", name(*place)));
    (goes.into_iter().map(sentence).collect(), stays.collect())
}

fn lines(text: &mut String, all: impl Iterator<Item = String>) {
    let all: Vec<String> = all.collect();
    for line in all.iter().take(MOST_LINES) {
        let _ = writeln!(text, "- {line}");
    }
    if all.len() > MOST_LINES {
        let _ = writeln!(text, "- and {} more", all.len() - MOST_LINES);
    }
}

/// Tells that it has begun, or how it has ended. A topic that refuses is no reason to look after the wave any worse: that is logged.
///
/// # Errors
/// AWS errors that pass: it is told by the next look.
pub(crate) async fn tell(clients: &Clients, order: &Order, state: &State) -> StepResult<()> {
    let Some(notify) = &order.notify else { return Ok(()) };
    let (subject, text) = match state.ending {
        Some(ending) => (format!("Wave {} has ended: {}", order.wave, ending.words()), "It has ended"),
        None => (format!("Wave {} has begun", order.wave), "It has begun"),
    };
    let mut message = format!("{text}. How it stands:\n");
    for (words, names) in ending::told(order, state) {
        let _ = writeln!(message, "\n{} {words}:", names.len());
        lines(&mut message, names.into_iter());
    }
    let _ = write!(message, "\n{}", commands(clients, &order.wave));
    match publish(clients, &notify.topic_arn, &subject, &message).await {
        Err(error) if !error.is_passing() => {
            tracing::warn!(wave = order.wave, "people were not told: {error}");
            Ok(())
        }
        told => told,
    }
}

/// What groups of stakeholders have still to hear of it, to the topic from which `tell` brings it to them, once each. A topic that refuses is no reason to look
/// after the wave any worse.
///
/// # Errors
/// AWS errors that pass: it is told by the next look, in the same words.
pub(crate) async fn groups(clients: &Clients, order: &Order, state: &State) -> StepResult<()> {
    let place = Where { bucket: &clients.bucket, machine_arn: &clients.machines.wave };
    for news in &state.untold {
        let text = serde_json::to_string(&news::told(order, state, news, place));
        let text = text.map_err(|error| StepError::invalid(error.to_string()))?;
        let publish = clients.sns.publish().topic_arn(&clients.moments_topic_arn).message(text);
        match publish.send().await.map_err(|error| StepError::from_aws("sns:Publish", &error)) {
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => tracing::error!(wave = order.wave, "groups were not told: {error}"),
            Ok(_) => {}
        }
    }
    Ok(())
}

/// What a person can do.
fn commands(clients: &Clients, wave: &str) -> String {
    let say = |what: &str| gestures::of_wave(&clients.machines.wave, wave, what);
    format!(
        "What you can say ({}):\nNothing new starts for now:\n  {}\nIt goes on:\n  {}\nNothing new starts any more:\n  {}\nEverything goes back:\n  {}\n",
        gestures::FILL_IN,
        say("pause"),
        say("resume"),
        say("stop"),
        say("roll_back"),
    )
}

async fn publish(clients: &Clients, topic_arn: &str, subject: &str, message: &str) -> StepResult<()> {
    clients.topics.check("the wave's topic_arn", topic_arn)?;
    let publish =
        clients.sns.publish().topic_arn(topic_arn).subject(shown(subject, MOST_SUBJECT_BYTES)).message(message);
    publish.send().await.map(drop).map_err(|error| StepError::from_aws(&format!("sns:Publish {topic_arn}"), &error))
}
