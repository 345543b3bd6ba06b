//! What people are asked and told of a wave, by the topics that it names. Told twice where a look is tried again: a message says what is so, and does
//! no harm.

use std::fmt::Write as _;

use cutover::text::{named, shown};
use cutover::{StepError, StepResult, gestures};
use serde::Serialize;
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

/// Asks those who have to agree.
pub(crate) async fn ask(clients: &Clients, request: &AskRequest) -> StepResult<AskReply> {
    let Some((order, state, _)) = crate::read(clients, &request.wave).await? else {
        return Ok(AskReply { sent: false });
    };
    let Some(approval) = &order.approval else { return Ok(AskReply { sent: false }) };
    let commands = gestures::answers(&clients.machines.wave, &request.task_token);
    let subject = format!("Approval wanted: wave {}", order.wave);
    publish(clients, &approval.topic_arn, &subject, &question(&order, &state, &commands)).await?;
    Ok(AskReply { sent: true })
}

/// What they read before they agree: who goes, who stays behind, and why.
pub fn question(order: &Order, state: &State, commands: &str) -> String {
    let behind = left_behind(order, state);
    let places = || 0..order.members.len();
    let line = |place: usize| {
        let placed = &order.members[place];
        let takes =
            if placed.moves { format!(", about {}", cutover::Seconds(placed.takes_seconds)) } else { String::new() };
        format!("- stage {}: {}{takes}", placed.stage, named(&placed.name, 64))
    };
    let mut goes: Vec<usize> = places().filter(|place| !behind.contains_key(place)).collect();
    goes.sort_by_key(|place| (order.members[*place].stage, *place));
    let mut text =
        format!("Wave {} waits for your yes.\n\nIt would move, {} at a time:\n", order.wave, order.parallel_cutovers);
    lines(&mut text, goes.into_iter().map(line));
    if !behind.is_empty() {
        text.push_str("\nThese would stay behind:\n");
        lines(
            &mut text,
            behind.iter().map(|(place, why)| format!("- {}: {why}", named(&order.members[*place].name, 64))),
        );
    }
    if let Some(closes) = order.closes {
        let _ = write!(text, "\nWhat would not finish before {closes} is not started.\n");
    }
    let _ = write!(text, "\n{commands}");
    text
}

fn lines(text: &mut String, all: impl Iterator<Item = String>) {
    let all: Vec<String> = all.collect();
    for line in all.iter().take(MOST_LINES) {
        let _ = writeln!(text, "{line}");
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
        lines(&mut message, names.into_iter().map(|name| format!("- {name}")));
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
    let publish =
        clients.sns.publish().topic_arn(topic_arn).subject(shown(subject, MOST_SUBJECT_BYTES)).message(message);
    publish.send().await.map(drop).map_err(|error| StepError::from_aws(&format!("sns:Publish {topic_arn}"), &error))
}
