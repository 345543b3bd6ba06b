//! Sends a message by a channel, once: no answer is not asked for twice.

use std::error::Error;
use std::time::Duration;

use aws_sdk_ses::primitives::Blob;
use aws_sdk_ses::types::RawMessage;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use cutover::StepError;
use cutover::plan::{Channel, MailChannel};
use jiff::Timestamp;
use messages::mail::Envelope;
use messages::{Content, Told, chat, mail, text};

use crate::decide::Outcome;
use crate::{Clients, webhook};

/// All channels are sent to at once, and none is waited for any longer: this function's time-out is 30 s.
const LONGEST: Duration = Duration::from_secs(12);

/// Sends it.
pub(crate) async fn send(
    clients: &Clients,
    told: &Told,
    content: &Content,
    channel: &Channel,
    now: Timestamp,
) -> Outcome {
    let sending = async {
        match channel {
            Channel::Sns(to) => {
                let (body, failed) = text::body(content, clients.configuration.templates());
                if let Some(why) = failed {
                    layout_failed(told, content, &why);
                }
                publish(clients, &to.topic_arn, Some(text::topic_subject(content)), body).await
            }
            Channel::Chat(to) => publish(clients, &to.topic_arn, None, chat::amazon_q(content).to_string()).await,
            Channel::Mail(to) => mail(clients, told, content, to, now).await,
            Channel::Webhook(to) => {
                webhook::post(clients, to, &webhook::body(to.form, content, &told.at.to_string())).await
            }
        }
    };
    match tokio::time::timeout(LONGEST, sending).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::Unknown { why: format!("no answer within {} s", LONGEST.as_secs()) },
    }
}

async fn publish(clients: &Clients, topic: &str, subject: Option<String>, message: String) -> Outcome {
    if let Err(StepError { message: why, .. }) = clients.topics.check("its topic", topic) {
        return Outcome::Failed { why, is_final: true };
    }
    let answer = clients.sns.publish().topic_arn(topic).set_subject(subject).message(message).send().await;
    answer.map_or_else(|error| failed(&format!("sns:Publish {topic}"), &error), |_| Outcome::Sent)
}

/// The message itself says so, too.
fn layout_failed(told: &Told, content: &Content, why: &str) {
    tracing::warn!(run_id = told.run_id, group = content.group, "a layout of the team's was not used: {why}");
}

async fn mail(clients: &Clients, told: &Told, content: &Content, to: &MailChannel, now: Timestamp) -> Outcome {
    let configuration = &clients.configuration;
    let Some(from) = configuration.mail_from() else {
        let why = "the stack has no sender of mails: set mailFrom in its configuration, and deploy".to_owned();
        return Outcome::Failed { why, is_final: true };
    };
    if let Some(why) = clients.mails.refused(&to.to, &clients.stack) {
        return Outcome::Failed { why: format!("{why}: have it, or its domain, listed in its mailTo"), is_final: true };
    }
    let key = told.key();
    let from_name = configuration.from_name();
    let envelope = Envelope { from, from_name, to: &to.to, key: &key, run_id: &told.run_id, at: now };
    let raw = match mail::raw(content, configuration.templates(), &envelope) {
        Ok((raw, failed)) => {
            for why in failed {
                layout_failed(told, content, &why);
            }
            raw
        }
        Err(error) => return Outcome::Failed { why: format!("the mail could not be made: {error}"), is_final: true },
    };
    // Building fails where the data is missing only.
    let Ok(message) = RawMessage::builder().data(Blob::new(raw)).build() else {
        return Outcome::Failed { why: "the mail is empty".to_owned(), is_final: true };
    };
    let mail = clients.ses.send_raw_email().source(from).set_destinations(Some(to.to.clone())).raw_message(message);
    let answer = mail.set_configuration_set_name(configuration.configuration_set().map(str::to_owned)).send().await;
    answer.map_or_else(|error| failed("ses:SendRawEmail", &error), |_| Outcome::Sent)
}

/// An answer that says no is one; silence, and a fault of the service's own, are not.
pub(crate) fn failed<E>(call: &str, error: &SdkError<E, HttpResponse>) -> Outcome
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let StepError { message: why, .. } = StepError::from_aws(call, error);
    let is_fault = error.raw_response().is_some_and(|response| response.status().as_u16() >= 500);
    match (error.as_service_error(), error) {
        (None, SdkError::ConstructionFailure(_)) => Outcome::Failed { why, is_final: true },
        (None, _) => Outcome::Unknown { why },
        (Some(_), _) if is_fault => Outcome::Unknown { why },
        (Some(service), _) => {
            let is_final = service.code().is_some_and(|code| FINAL.contains(&code));
            Outcome::Failed { why, is_final }
        }
    }
}

/// What no later try changes (API references of SES and SNS): the account or the address is refused, or what was sent is wrong. A denial
/// is not among these: whoever reads of it may put it right within the minutes until the next try.
const FINAL: [&str; 8] = [
    "MessageRejected",
    "MailFromDomainNotVerifiedException",
    "ConfigurationSetDoesNotExist",
    "AccountSendingPausedException",
    "ConfigurationSetSendingPausedException",
    "NotFound",
    "InvalidParameter",
    "InvalidParameterValue",
];
