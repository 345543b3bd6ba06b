//! Whether a request is let in, and what it does. Pure.

use cutover::ask::{self, Answer, Choice};
use jiff::Timestamp;
use journal::Asked;
use links::{Link, Refused};

use crate::page::Notice;
use crate::request::{MOST_PATH_BYTES, Request};

/// What a form says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// Who, as they wrote it.
    pub(crate) name: String,
    /// Why.
    pub(crate) reason: String,
    /// The name of the button.
    pub(crate) choice: String,
    /// Of an incident: the turn in which the page was opened.
    pub(crate) turn: String,
}

/// What a POST does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing: it is answered, and the run has the answer or does not wait for it any more.
    Seen,
    /// An earlier one has answered, and may not have sent it: it is sent.
    HandOver(Answer),
    /// This answers.
    Answer(Answer),
    /// Something has to be written first.
    Incomplete(String),
}

/// A method that is known, a path of a link's length, and, where it answers, from a page of ours.
pub(crate) fn is_acceptable(request: &Request, origins: &[String]) -> Result<(), Notice> {
    match request.request_context.method.as_str() {
        "GET" | "HEAD" => {}
        "POST" if is_of_this_site(request, origins) => {}
        "POST" => return Err(Notice::ElsewhereSent),
        _ => return Err(Notice::Method),
    }
    if request.raw_path.len() > MOST_PATH_BYTES { Err(Notice::Wrong) } else { Ok(()) }
}

/// Whether a form was sent from a page of ours, as far as the browser says. Browsers that say it by `Sec-Fetch-Site` are believed; of others
/// the origin must be ours. Under `no-referrer` a page's own form has the origin `null` (Fetch standard, Origin header): that says nothing, and
/// neither does none. The signature in the path is what guards the answer; this keeps pages elsewhere from sending what somebody gave them.
fn is_of_this_site(request: &Request, origins: &[String]) -> bool {
    if let Some(site) = request.header("sec-fetch-site") {
        return site == "same-origin";
    }
    match request.header("origin") {
        None | Some("null") => true,
        Some(origin) => {
            let own = format!("https://{}", request.request_context.domain_name);
            origin == own || origins.iter().any(|known| known == origin)
        }
    }
}

impl From<Refused> for Notice {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Wrong => Self::Wrong,
            Refused::Over => Self::Over,
        }
    }
}

/// The question of a link, if the journal knows both.
pub(crate) fn of_link(asked: Option<Asked>, link: &Link, hash: &str) -> Result<Asked, Notice> {
    // It is removed some days after its time, and a link ends with that.
    let asked = asked.ok_or(Notice::Over)?;
    let is_known = asked.links.contains_key(hash) && asked.question.id() == link.question;
    if is_known { Ok(asked) } else { Err(Notice::Wrong) }
}

/// What may be answered by a link to this question.
pub(crate) fn choices(asked: &Asked, link: &Link) -> Vec<Choice> {
    asked.question.kind.choices().iter().copied().filter(|choice| link.choices.contains(choice)).collect()
}

/// What a form does. Whoever has signed on answers under that name, whatever the form says.
pub(crate) fn turn(asked: &Asked, link: &Link, form: &Form, signed_on: Option<&str>, now: Timestamp) -> Turn {
    match (&asked.answer, asked.handed) {
        (Some(_), Some(_)) => return Turn::Seen,
        (Some(answer), None) => return Turn::HandOver(answer.clone()),
        (None, _) => {}
    }
    let Some(choice) = choices(asked, link).into_iter().find(|choice| choice.name() == form.choice) else {
        return Turn::Incomplete("Nothing was done: use one of the two buttons.".to_owned());
    };
    match ask::said(signed_on.unwrap_or(&form.name), &form.reason) {
        Ok((by, why)) => {
            let (verified, recipient) = (signed_on.is_some(), link.recipient.clone());
            Turn::Answer(Answer { choice, by, verified, why, recipient, at: now })
        }
        Err(error) => Turn::Incomplete(format!("{}.", error.message)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashMap;

    use cutover::ask::{Handed, Kind, Question};
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn asked(kind: Kind) -> Asked {
        let question = Question {
            kind,
            run_id: "arn:aws:states:eu-west-1:123456789012:execution:cutover:shop-1".into(),
            application: "shop".into(),
            task_token: "TOKEN".into(),
            asked_at: "2026-11-27T01:00:00Z".parse().unwrap(),
            ends_at: "2026-11-27T05:00:00Z".parse().unwrap(),
            detail: json!({ "within_seconds": 14_400 }),
            plan: json!({ "application": "shop" }),
        };
        Asked { question, links: HashMap::new(), answer: None, handed: None }
    }

    pub(crate) fn link(asked: &Asked) -> Link {
        Link {
            question: asked.question.id(),
            choices: asked.question.kind.choices().to_vec(),
            ends_at: asked.question.ends_at,
            recipient: "topic.cutovers".into(),
        }
    }

    pub(crate) fn answer(choice: Choice) -> Answer {
        Answer {
            choice,
            by: "Ada".into(),
            verified: false,
            why: "agreed".into(),
            recipient: "topic.cutovers".into(),
            at: "2026-11-27T02:00:00Z".parse().unwrap(),
        }
    }

    fn form(name: &str, reason: &str, choice: &str) -> Form {
        Form { name: name.into(), reason: reason.into(), choice: choice.into(), turn: String::new() }
    }

    fn now() -> Timestamp {
        "2026-11-27T02:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_first_complete_form_answers_and_no_later_one_does() {
        for kind in Kind::ALL {
            let open = asked(kind);
            for choice in kind.choices() {
                let filled = form(" Ada ", "agreed", choice.name());
                assert_eq!(turn(&open, &link(&open), &filled, None, now()), Turn::Answer(answer(*choice)));
                for earlier in kind.choices() {
                    let given = Asked { answer: Some(answer(*earlier)), ..asked(kind) };
                    // Sent anew, whatever this form says: what counts is what was written.
                    assert_eq!(turn(&given, &link(&open), &filled, None, now()), Turn::HandOver(answer(*earlier)));
                    for handed in [Handed::Taken, Handed::Late, Handed::TakenOrLate] {
                        let done = Asked { handed: Some(handed), ..given.clone() };
                        assert_eq!(turn(&done, &link(&open), &filled, None, now()), Turn::Seen);
                    }
                }
            }
        }
    }

    #[test]
    fn whoever_has_signed_on_answers_under_that_name() {
        let open = asked(Kind::Approval);
        let filled = form("Grace", "agreed", "approve");
        let Turn::Answer(given) = turn(&open, &link(&open), &filled, Some("ada@example.com"), now()) else { panic!() };
        assert_eq!((given.by.as_str(), given.verified), ("ada@example.com", true));
        let Turn::Answer(given) = turn(&open, &link(&open), &filled, None, now()) else { panic!() };
        assert_eq!((given.by.as_str(), given.verified), ("Grace", false));
    }

    #[test]
    fn a_form_that_does_not_say_who_why_and_what_answers_nothing() {
        let open = asked(Kind::Approval);
        for (form, expected) in [
            (form("", "agreed", "approve"), "Your name is empty"),
            (form("Ada", " \n", "reject"), "Your reason is empty"),
            (form("YOUR NAME", "agreed", "approve"), "Your name still says `YOUR NAME`"),
            (form("Ada", "your reason", "approve"), "Your reason still says `YOUR REASON`"),
            (form(&"x".repeat(201), "agreed", "approve"), "Your name has 201 characters"),
            (form("Ada", "agreed", ""), "use one of the two buttons"),
            (form("Ada", "agreed", "go_on"), "use one of the two buttons"),
            (form("Ada", "agreed", "APPROVE"), "use one of the two buttons"),
        ] {
            match turn(&open, &link(&open), &form, None, now()) {
                Turn::Incomplete(problem) => assert!(problem.contains(expected), "{problem}"),
                other => panic!("{form:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_link_answers_only_what_it_was_made_for() {
        let open = asked(Kind::Approval);
        let only_no = Link { choices: vec![Choice::Reject], ..link(&open) };
        assert_eq!(choices(&open, &only_no), [Choice::Reject]);
        assert!(matches!(turn(&open, &only_no, &form("Ada", "x", "approve"), None, now()), Turn::Incomplete(_)));
        let known = Asked { links: [("h".to_owned(), "topic.t".to_owned())].into(), ..asked(Kind::Approval) };
        assert!(of_link(Some(known.clone()), &link(&open), "h").is_ok());
        assert_eq!(of_link(Some(known.clone()), &link(&open), "x").unwrap_err(), Notice::Wrong);
        assert_eq!(of_link(None, &link(&open), "h").unwrap_err(), Notice::Over);
        let mut other = known;
        other.question.run_id.push('x');
        assert_eq!(of_link(Some(other), &link(&open), "h").unwrap_err(), Notice::Wrong, "another run's");
    }

    #[test]
    fn a_form_from_a_page_elsewhere_is_refused() {
        let own = "https://x.lambda-url.eu-west-1.on.aws";
        let origins = ["https://answers.example.com".to_owned()];
        for (headers, expected) in [
            (json!({}), true),
            (json!({ "sec-fetch-site": "same-origin", "origin": "null" }), true),
            (json!({ "origin": "null" }), true),
            (json!({ "origin": own }), true),
            (json!({ "origin": "https://answers.example.com" }), true),
            (json!({ "origin": "https://evil.example.com" }), false),
            (json!({ "origin": "http://x.lambda-url.eu-west-1.on.aws" }), false),
            (json!({ "sec-fetch-site": "cross-site", "origin": own }), false),
            (json!({ "sec-fetch-site": "same-site", "origin": "null" }), false),
            (json!({ "sec-fetch-site": "none" }), false),
        ] {
            let request = request("POST", headers.clone());
            let expected = if expected { Ok(()) } else { Err(Notice::ElsewhereSent) };
            assert_eq!(is_acceptable(&request, &origins), expected, "{headers}");
        }
    }

    #[test]
    fn other_methods_and_endless_paths_are_refused() {
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "get", ""] {
            assert_eq!(is_acceptable(&request(method, json!({})), &[]), Err(Notice::Method));
        }
        let long = Request { raw_path: "/".repeat(MOST_PATH_BYTES + 1), ..request("GET", json!({})) };
        assert_eq!(is_acceptable(&long, &[]), Err(Notice::Wrong));
        // Whoever opens a link from a mail comes from another site.
        assert_eq!(is_acceptable(&request("GET", json!({ "sec-fetch-site": "cross-site" })), &[]), Ok(()));
    }

    fn request(method: &str, headers: Value) -> Request {
        let context = json!({ "domainName": "x.lambda-url.eu-west-1.on.aws", "http": { "method": method } });
        serde_json::from_value(json!({ "rawPath": "/a", "headers": headers, "requestContext": context })).unwrap()
    }
}
