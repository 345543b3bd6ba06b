//! Which question is behind a message; [`links::asking`] stores it, and makes the link.

use cutover::ask::{self, Kind, Question, normal};
use cutover::budget::fit;
use jiff::Timestamp;
use links::asking::{Asked, Pages};

use crate::{Event, Request};

/// A plan says for how long; this is for an input that does not.
const USUAL_SECONDS: u64 = 24 * 3600;

/// Stores what is asked, and makes the link; none where nothing is asked, or it could not be made.
pub(crate) async fn remember(pages: Option<&Pages>, request: &Request, now: Timestamp) -> Option<Asked> {
    let topic_arn = request.topic_arn.as_deref().unwrap_or_default();
    links::asking::remember(pages, question(request, now)?, topic_arn, now).await
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
    let within_seconds = detail["within_seconds"].as_u64().unwrap_or(USUAL_SECONDS);
    Some(Question {
        kind,
        run_id: caller.run_id.clone(),
        application: application.clone(),
        task_token: task_token.clone()?,
        asked_at: now,
        // The time of the task begins when it is given to this function, and with each of its tries again.
        ends_at: ask::ends_at(now, within_seconds),
        detail: fit(detail.clone(), ask::MOST_DETAIL_BYTES),
        plan: ask::kept(normal(plan)),
    })
}

#[cfg(test)]
mod tests {
    use cutover::budget::json_bytes;
    use cutover::contract::Caller;
    use serde_json::{Value, json};

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
        let key = links::Key::of(&"k".repeat(64)).unwrap();
        let asked = question(&request(Event::Holding, Value::Null), now()).unwrap();
        let [one, again, other] = ["topic.a", "topic.a", "topic.b"].map(|to| links::asking::path(&key, &asked, to));
        assert!(one == again && one != other);
        assert!(!one.contains("TOKEN") && one.contains("/ob/"), "{one}");
    }
}
