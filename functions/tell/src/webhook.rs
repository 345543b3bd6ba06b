//! Webhooks. The address is a secret, since whoever has it can write to the channel: it is read where it is used, and stands in no message
//! of ours.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use cutover::plan::{WebhookChannel, WebhookForm};
use cutover::stakeholders::webhook_address;
use messages::{Content, chat};
use serde_json::Value;

use crate::Clients;
use crate::decide::Outcome;
use crate::send::failed;

/// Slack, Teams and incident tools answer within a second or two.
const LONGEST: Duration = Duration::from_secs(6);

/// What is sent.
pub(crate) fn body(form: WebhookForm, content: &Content, at: &str) -> Value {
    match form {
        WebhookForm::Json => chat::plain(content, at),
        WebhookForm::Slack => chat::slack(content),
        WebhookForm::Teams => chat::teams(content),
    }
}

/// Posts it. Redirects are not followed.
pub(crate) async fn post(clients: &Clients, to: &WebhookChannel, body: &Value) -> Outcome {
    let secret = clients.secrets.get_secret_value().secret_id(&to.secret_arn).send().await;
    let secret = match secret {
        Ok(secret) => secret.secret_string.unwrap_or_default(),
        Err(error) => return not_sent(failed(&format!("secretsmanager:GetSecretValue {}", to.secret_arn), &error)),
    };
    let address = match webhook_address(&secret) {
        Ok(address) => address,
        Err(why) => return Outcome::Failed { why: why.to_owned(), is_final: true },
    };
    let mut request = HttpRequest::new(SdkBody::from(body.to_string()));
    // What it says of an address that it refuses names the address.
    if request.set_method("POST").is_err() || request.set_uri(address).is_err() {
        return Outcome::Failed { why: "the secret's text is no address".to_owned(), is_final: true };
    }
    request.headers_mut().insert("content-type", "application/json");
    request.headers_mut().insert("user-agent", "cutover");
    match tokio::time::timeout(LONGEST, clients.web.call(request)).await {
        Err(_) => Outcome::Unknown { why: format!("the webhook did not answer within {} s", LONGEST.as_secs()) },
        Ok(Err(error)) if error.is_user() => {
            Outcome::Failed { why: "the webhook's address cannot be used".to_owned(), is_final: true }
        }
        Ok(Err(_)) => Outcome::Unknown { why: "the webhook was not reached, or hung up".to_owned() },
        Ok(Ok(answer)) => of_status(answer.status().as_u16()),
    }
}

/// A secret that was not read has sent nothing.
fn not_sent(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Unknown { why } => Outcome::Failed { why, is_final: false },
        other => other,
    }
}

/// 429 and faults pass; other refusals stay (Slack, incoming webhooks: 400, 403, 404, 410 do).
fn of_status(status: u16) -> Outcome {
    let why = format!("the webhook answered {status}");
    match status {
        200..=299 => Outcome::Sent,
        408 | 429 | 500.. => Outcome::Failed { why, is_final: false },
        _ => Outcome::Failed { why, is_final: true },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_another_try_may_help() {
        let failed =
            |status: u16, is_final| Outcome::Failed { why: format!("the webhook answered {status}"), is_final };
        for (status, expected) in [
            (200, Outcome::Sent),
            (202, Outcome::Sent),
            (302, failed(302, true)),
            (404, failed(404, true)),
            (429, failed(429, false)),
            (500, failed(500, false)),
        ] {
            assert_eq!(of_status(status), expected);
        }
    }
}
