//! What happened, for `tell`: without what answers a state machine, since whoever has that can decide.

use std::time::Duration;

use cutover::text::shown_json;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{Clients, Request};

/// A state that tells may not hold its run up: what is not handed over by then is left.
const LONGEST: Duration = Duration::from_secs(3);
/// SNS takes 256 KiB; so much leaves room for escapes.
const MOST_BYTES: usize = 200 * 1024;
/// Of a detail that is too long, so much of each text is enough for messages.
const MOST_TEXT_BYTES: usize = 500;

/// Hands it over, or logs that it could not.
pub(crate) async fn publish(clients: &Clients, request: &Request, ask: Option<String>, now: Timestamp) {
    let run_id = &request.caller.run_id;
    let publish =
        clients.sns.publish().topic_arn(&clients.moments_topic_arn).message(message(request, ask.as_deref(), now));
    match tokio::time::timeout(LONGEST, publish.send()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            let error = cutover::StepError::from_aws("sns:Publish", &error);
            tracing::error!(
                run_id,
                error = error.name,
                "groups of stakeholders hear nothing of this: {}",
                error.message
            );
        }
        Err(_) => tracing::error!(run_id, "groups of stakeholders hear nothing of this: SNS did not answer"),
    }
}

/// A `cutover::told::Told`, as JSON.
pub(crate) fn message(request: &Request, ask: Option<&str>, now: Timestamp) -> String {
    let at = request.entered_at.as_deref().and_then(|at| at.parse().ok()).unwrap_or(now);
    let whole = told(request, ask, at, request.detail.clone());
    if whole.len() <= MOST_BYTES {
        return whole;
    }
    let shorter = told(request, ask, at, shown_json(&request.detail, MOST_TEXT_BYTES));
    if shorter.len() <= MOST_BYTES { shorter } else { told(request, ask, at, Value::Null) }
}

fn told(request: &Request, ask: Option<&str>, at: Timestamp, detail: Value) -> String {
    let Request { caller, application, event, stakeholders, .. } = request;
    let told = json!({
        "run_id": caller.run_id,
        "application": application,
        "event": event,
        "at": at,
        "detail": detail,
        "stakeholders": stakeholders,
        "ask": ask,
    });
    told.to_string()
}

#[cfg(test)]
mod tests {
    use cutover::contract::Caller;
    use cutover::told::Told;

    use super::*;
    use crate::Event;

    fn request(event: Event, detail: Value) -> Request {
        let caller = Caller { run_id: "r".into(), execution_arn: "e".into(), state: "s".into() };
        Request {
            caller,
            topic_arn: Some("t".into()),
            application: "shop".into(),
            event,
            detail,
            task_token: Some("TOKEN".into()),
            entered_at: Some("2026-11-26T21:40:00.5Z".into()),
            stakeholders: Value::Null,
            plan: Value::Null,
        }
    }

    #[test]
    fn every_event_is_a_moment_at_the_time_its_state_was_entered_and_gives_no_token_away() {
        let now: Timestamp = "2026-11-26T22:00:00Z".parse().unwrap();
        for event in Event::ALL {
            let message = message(&request(event, json!({ "why": "x" })), Some("0f"), now);
            assert!(!message.contains("TOKEN"), "{message}");
            let told: Told = serde_json::from_str(&message).unwrap();
            assert!(told.moment().is_some() && told.ask.as_deref() == Some("0f"), "{message}");
            assert_eq!(told.at.to_string(), "2026-11-26T21:40:00.5Z");
        }
        let late = Request { entered_at: Some("soon".into()), ..request(Event::Closed, Value::Null) };
        let told: Told = serde_json::from_str(&message(&late, None, now)).unwrap();
        assert_eq!(told.at, now);
    }

    #[test]
    fn a_detail_that_is_too_long_is_made_shorter() {
        let now: Timestamp = "2026-11-26T22:00:00Z".parse().unwrap();
        let read = |detail: Value| -> Told {
            let message = message(&request(Event::Stuck, detail), None, now);
            assert!(message.len() <= MOST_BYTES);
            serde_json::from_str(&message).unwrap()
        };
        let long = read(json!({ "why": "x".repeat(300_000), "routes": [] }));
        assert!(long.detail["why"].as_str().unwrap().len() < 700);
        assert_eq!(read(json!(vec!["x"; 100_000])).detail, Value::Null);
    }
}
