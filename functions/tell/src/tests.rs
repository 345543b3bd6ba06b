use super::*;

#[test]
fn what_is_told_of_a_plan_that_holds_says_so_and_stays_the_same_message() {
    let told: Told = serde_json::from_value(serde_json::json!({
        "run_id": "r", "application": "shop", "event": "started", "at": "2026-11-26T22:00:00Z", "detail": { "steps": [] } }))
    .unwrap();
    let known = Known { holds_on_failure: true, began_at: Some("2026-11-26T21:00:00Z".to_owned()), ..Known::default() };
    let held = with_run(&told, &known);
    assert_eq!((held.detail["holds_on_failure"].as_bool(), held.key()), (Some(true), told.key()));
    assert_eq!(held.detail["began_at"], "2026-11-26T21:00:00Z");
    assert_eq!(with_run(&told, &Known::default()), told);
    let bare = Told { detail: Value::Null, ..told };
    assert_eq!(with_run(&bare, &known), bare);
}

#[test]
fn what_was_accepted_is_counted_by_group() {
    let lost = || Outcome::Unknown { why: "no answer".to_owned() };
    let outcomes = [("board/sns.0", Outcome::Sent), ("team/mail.0", lost()), ("team/sns.1", Outcome::Sent)];
    let outcomes = outcomes.map(|(key, outcome)| (key.to_owned(), outcome));
    let counted = |accepted, failed| [("MessagesAccepted", accepted), ("MessagesFailed", failed)];
    assert_eq!(by_group(&outcomes), BTreeMap::from([("board", counted(1, 0)), ("team", counted(1, 1))]));
}
