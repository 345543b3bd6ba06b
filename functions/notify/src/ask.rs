//! The question behind a message, where the stack has pages that answer: it is stored before the message is sent, and the message gets a link.
//!
//! Whatever fails here, the message goes out: its commands answer as well.

use std::time::Duration;

use cutover::ask::{Kind, Question, normal};
use cutover::budget::{MOST_FINDING_BYTES, MOST_PLAN_BYTES, fit, json_bytes};
use cutover::{StepError, StepResult};
use jiff::{SignedDuration, Timestamp};
use journal::Journal;
use links::{Key, Link};
use serde_json::json;

use crate::{Event, Request};

/// The message may not wait for longer.
const LONGEST: Duration = Duration::from_secs(5);
/// Findings and steps.
const MOST_DETAIL_BYTES: usize = 2 * MOST_FINDING_BYTES;
/// A plan says for how long; this is for an input that does not.
const USUAL_SECONDS: u64 = 24 * 3600;
/// No time to answer is longer (a plan's `within`), and no clock goes wrong by it.
const MOST_SECONDS: u64 = 400 * 24 * 3600;

/// The pages that answer.
#[derive(Clone, Debug)]
pub struct Pages {
    /// Where questions are stored.
    pub journal: Journal,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// The secret with the key that signs links.
    pub key_arn: String,
    /// The address of the pages, with a slash at its end.
    pub url: String,
    /// The key, once it was read.
    pub key: links::key::Kept,
}

/// A question that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Its id.
    pub(crate) id: String,
    /// What answers it, for those who read the topic.
    pub(crate) link: String,
}

/// Stores what is asked, and makes the link; none where nothing is asked, or no page answers, or that could not be done in time.
pub(crate) async fn remember(pages: Option<&Pages>, request: &Request, now: Timestamp) -> Option<Asked> {
    let (pages, question) = (pages?, question(request, now)?);
    let run_id = &request.caller.run_id;
    match tokio::time::timeout(LONGEST, store(pages, request, question, now)).await {
        Ok(Ok(asked)) => Some(asked),
        Ok(Err(error)) => {
            tracing::error!(run_id, error = error.name, "the message has no link that answers: {}", error.message);
            None
        }
        Err(_) => {
            tracing::error!(
                run_id,
                "the message has no link that answers: that took more than {} s",
                LONGEST.as_secs()
            );
            None
        }
    }
}

async fn store(pages: &Pages, request: &Request, question: Question, now: Timestamp) -> StepResult<Asked> {
    let journal = &pages.journal;
    let key = links::key::current(&pages.secrets, &pages.key_arn, &pages.key, now).await?;
    let id = question.id();
    // An earlier try of the same call may have stored it: the end is then that one's, and so is the link.
    let question = if journal.ask(&question).await? { question } else { stored(journal, &id).await? };
    let recipient = links::of_topic(request.topic_arn.as_deref().unwrap_or_default());
    let path = path(&key, &question, &recipient);
    journal.remember_link(&id, &links::hash(&path), &recipient).await?;
    Ok(Asked { id, link: format!("{}{path}", pages.url.trim_end_matches('/')) })
}

async fn stored(journal: &Journal, id: &str) -> StepResult<Question> {
    let asked = journal.asked(id).await?;
    asked.map(|asked| asked.question).ok_or_else(|| StepError::invalid(format!("the question {id} is gone")))
}

fn path(key: &Key, question: &Question, recipient: &str) -> String {
    let link = Link {
        question: question.id(),
        choices: question.kind.choices().to_vec(),
        ends_at: question.ends_at,
        recipient: recipient.to_owned(),
    };
    link.path(key)
}

/// What is asked, if anything. Pure.
fn question(request: &Request, now: Timestamp) -> Option<Question> {
    let Request { caller, application, event, detail, task_token, plan, .. } = request;
    let kind = match event {
        Event::Approval => Kind::Approval,
        Event::LoadTest => Kind::LoadTest,
        Event::Holding => Kind::Decision,
        _ => return None,
    };
    let seconds = detail["within_seconds"].as_u64().unwrap_or(USUAL_SECONDS).min(MOST_SECONDS);
    // The time of the task begins when it is given to this function, and with each of its tries again.
    let ends_at = now.checked_add(SignedDuration::from_secs(i64::try_from(seconds).ok()?)).ok()?;
    // A plan that is larger is none that precheck has passed.
    let plan = if json_bytes(plan) <= MOST_PLAN_BYTES { normal(plan) } else { json!("too large to be shown") };
    Some(Question {
        kind,
        run_id: caller.run_id.clone(),
        application: application.clone(),
        task_token: task_token.clone()?,
        asked_at: now,
        ends_at,
        detail: fit(detail.clone(), MOST_DETAIL_BYTES),
        plan,
    })
}

#[cfg(test)]
mod tests {
    use cutover::contract::Caller;
    use serde_json::Value;

    use super::*;

    fn request(event: Event, detail: Value) -> Request {
        Request {
            caller: Caller { run_id: "r".into(), execution_arn: "e".into(), state: "s".into() },
            topic_arn: Some("arn:aws:sns:eu-west-1:1:t".into()),
            application: "shop".into(),
            event,
            detail,
            task_token: Some("TOKEN".into()),
            entered_at: None,
            stakeholders: Value::Null,
            plan: json!({ "application": "shop" }),
        }
    }

    fn now() -> Timestamp {
        "2026-11-27T02:00:00Z".parse().unwrap()
    }

    #[test]
    fn only_what_is_asked_with_a_token_is_a_question() {
        for event in Event::ALL {
            let asks = matches!(event, Event::Approval | Event::LoadTest | Event::Holding);
            assert_eq!(question(&request(event, Value::Null), now()).is_some(), asks, "{event:?}");
            let without = Request { task_token: None, ..request(event, Value::Null) };
            assert!(question(&without, now()).is_none());
        }
    }

    #[test]
    fn its_time_ends_when_the_tasks_does() {
        let ends = |within: Value| {
            let request = request(Event::Approval, json!({ "within_seconds": within }));
            question(&request, now()).unwrap().ends_at.to_string()
        };
        assert_eq!(ends(json!(3600)), "2026-11-27T03:00:00Z");
        assert_eq!(ends(Value::Null), "2026-11-28T02:00:00Z");
        assert_eq!(ends(json!(u64::MAX)), "2028-01-01T02:00:00Z");
    }

    #[test]
    fn the_journal_has_room_for_whatever_is_asked() {
        let finding = json!({ "severity": "warning", "path": "$", "problem": "x".repeat(4_000) });
        let large = request(Event::Approval, json!({ "findings": vec![finding; 200], "within_seconds": 60 }));
        let large = Request { plan: json!(vec!["x".repeat(1_000); 100]), ..large };
        let asked = question(&large, now()).unwrap();
        assert!(json_bytes(&asked) < 300 * 1024, "{}", json_bytes(&asked));
        assert_eq!(asked.plan, "too large to be shown");
    }

    #[test]
    fn the_same_question_has_the_same_link_for_the_same_people() {
        let key = Key::of(&"k".repeat(64)).unwrap();
        let asked = question(&request(Event::Holding, Value::Null), now()).unwrap();
        let [one, again, other] = ["topic.a", "topic.a", "topic.b"].map(|to| path(&key, &asked, to));
        assert!(one == again && one != other);
        assert!(!one.contains("TOKEN") && one.contains("/ob/"), "{one}");
    }
}
