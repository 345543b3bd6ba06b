use super::*;
use crate::gestures::{answers, approval, decision};

#[test]
fn an_answer_says_what_the_commands_of_the_message_say() {
    let answer = |choice| Answer {
        choice,
        by: "YOUR NAME".into(),
        verified: false,
        why: "YOUR REASON".into(),
        recipient: "topic.cutovers".into(),
        at: "2026-11-27T02:00:00Z".parse().unwrap(),
    };
    let question = Question {
        kind: Kind::Approval,
        run_id: "r".into(),
        application: "a".into(),
        task_token: "T".into(),
        asked_at: "2026-11-27T02:00:00Z".parse().unwrap(),
        ends_at: "2026-11-27T02:00:00Z".parse().unwrap(),
        detail: Value::Null,
        plan: json!({}),
    };
    let commands = [approval("r", "T", &digest_of(&json!({}))), answers("r", "T"), decision("r", "T")].concat();
    for kind in Kind::ALL {
        for choice in kind.choices() {
            let expected = match choice.effect() {
                Effect::Succeed => {
                    let mut given: Value = serde_json::from_str(&answer(*choice).output(&question)).unwrap();
                    assert_eq!(given["question"].take(), json!(question.id()));
                    let said = json!({ "by": "YOUR NAME", "plan": digest_of(&json!({})), "question": null, "why": "YOUR REASON" });
                    assert_eq!(given, said);
                    "--task-output '{\"by\": \"YOUR NAME\", \"why\": \"YOUR REASON\"".to_owned()
                }
                Effect::Fail(error) => format!("--error {error} --cause '{}'", answer(*choice).cause()),
                Effect::Say => panic!("no question of a run is answered by {choice:?}"),
            };
            assert!(commands.contains(&expected), "{choice:?}: {expected}\n{commands}");
        }
    }
}

#[test]
fn a_question_is_known_by_its_run_and_token_and_gives_neither_away() {
    let one = id("run", "token");
    assert_eq!((one.len(), one.clone()), (32, id("run", "token")));
    for other in [id("run", "other"), id("other", "token"), id("run\ntoken", "")] {
        assert_ne!(one, other);
    }
    assert!(!one.contains("run") && !one.contains("token"));
}

#[test]
fn every_choice_has_a_letter_and_a_name_of_its_own() {
    let letters: std::collections::BTreeSet<_> = Choice::ALL.iter().map(|choice| choice.letter()).collect();
    let names: std::collections::BTreeSet<_> = Choice::ALL.iter().map(|choice| choice.name()).collect();
    assert_eq!((letters.len(), names.len()), (Choice::ALL.len(), Choice::ALL.len()));
    for choice in Choice::ALL {
        assert_eq!(serde_json::to_value(choice).unwrap(), choice.name());
    }
}

#[test]
fn who_does_not_say_who_and_why_is_told_what_to_write() {
    let problem = |name: &str, reason: &str| said(name, reason).unwrap_err().message;
    assert_eq!(problem(" ", "agreed"), "Your name is empty, and nothing was done: write who you are");
    assert_eq!(problem("Ada", ""), "Your reason is empty, and nothing was done: write why");
    assert!(problem("your NAME", "agreed").starts_with("Your name still says `YOUR NAME`"));
    assert!(problem("Ada", "YOUR REASON").contains("write why"));
    let long = problem(&"x".repeat(201), "agreed");
    assert_eq!(long, "Your name has 201 characters, and nothing was done: write 200 at the most");
    assert!(problem("Ada", &"x".repeat(1_001)).contains("write 1000 at the most"));
    assert_eq!(said(" Ada ", " agreed\n").unwrap(), ("Ada".to_owned(), "agreed".to_owned()));
}

#[test]
fn a_digest_is_that_of_the_content() {
    let one: Value = serde_json::from_str(r#"{ "b": [1, 0.5, "ü\n"], "a": { "d": null, "c": true } }"#).unwrap();
    assert_eq!(canonical(&one), r#"{"a":{"c":true,"d":null},"b":[1,0.5,"ü\n"]}"#);
    // printf '{"a":{"c":true,"d":null},"b":[1,0.5,"\u00fc\\n"]}' | sha256sum
    assert_eq!(digest_of(&one).len(), 64);
    assert_ne!(digest_of(&one), digest_of(&json!({})));
    assert_eq!(digest_of(&json!({})), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}
