//! The exact change that a person makes by hand to what is no route, as one AWS CLI command: pure.

use cutover::accounts::{Accounts, NOTE_OF_ACCOUNT};
use cutover::alarm::Alarm;
use cutover::arn::Place;
use cutover::plan::Hook;
use cutover::text::{json_word, region_option};
use journal::Run;
use serde_json::json;

/// The command that gives an alarm of a run its settings back, or deletes one that was not there before.
pub fn alarm(run_id: &str, planned: &Alarm, before: Option<&Alarm>) -> String {
    let region = region_option(planned.alarm_arn.as_deref().unwrap_or(run_id));
    match before {
        None => {
            let names = json_word(&json!({ "AlarmNames": [planned.alarm_name] }));
            format!("aws cloudwatch delete-alarms{region} --cli-input-json {names}")
        }
        Some(before) => {
            format!("aws cloudwatch put-metric-alarm{region} --cli-input-json {}", json_word(&json!(before)))
        }
    }
}

/// The command that invokes a hook which undoes quiesce, with what the state machine sends; and a note: version 1 of the AWS CLI
/// does not know `--cli-binary-format` (AWS CLI user guide, migration to version 2).
pub fn resume(run: &Run, hook: &Hook) -> String {
    let payload = json!({ "run_id": run.run_id, "application": run.plan.application, "hook": "resume" });
    format!(
        "aws lambda invoke --function-name {}{} --cli-binary-format raw-in-base64-out --payload {} /dev/stdout\n  (needs version 2 of the AWS CLI: see `aws --version`)",
        hook.function_arn,
        region_option(&hook.function_arn),
        json_word(&payload)
    )
}

/// A change of what may lie in another account than the run: then the command says that it is to be made there, and a note as whom Cutover
/// would make it.
pub fn at(change: &str, place: Option<Place<'_>>, run: &Run, accounts: &Accounts) -> String {
    let role = place.and_then(|place| accounts.role(place.account));
    let role = role.map_or_else(|| "no role: its stack has none for it".to_owned(), |role| role.arn);
    there(change, place, run, &format!("goes there as {role}"))
}

/// A hook that may be in another account than the run, which its own policy lets invoke it.
pub fn hook_at(change: &str, place: Option<Place<'_>>, run: &Run) -> String {
    there(change, place, run, "invokes it as the role of its state machine, by the function's own policy")
}

fn there(change: &str, place: Option<Place<'_>>, run: &Run, as_whom: &str) -> String {
    let Some((place, here)) = place.zip(Place::of(&run.run_id)) else { return change.to_owned() };
    let there = place.or(here);
    if there.account == here.account {
        return change.to_owned();
    }
    let (command, notes) = change.split_once('\n').map_or((change, None), |(command, notes)| (command, Some(notes)));
    let option = if command.starts_with("aws ") { format!(" --profile {}", there.account) } else { String::new() };
    let region = if place.region.is_empty() { String::new() } else { format!(", region {}", place.region) };
    let notes = notes.map(|notes| format!("\n{notes}")).unwrap_or_default();
    format!(
        "{command}{option}{notes}\n  {NOTE_OF_ACCOUNT}{}{region}: the profile is one of yours that may do it there; Cutover {as_whom})",
        there.account
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_another_account_is_changed_there() {
        let accounts =
            r#"[{ "role_arn": "arn:aws:iam::*:role/cutover-access", "external_id": "x", "accounts": ["2"] }]"#;
        let accounts = Accounts::read(accounts).unwrap();
        let plan = serde_json::from_value(json!({ "application": "portal", "routes": [] })).unwrap();
        let run = Run::claimed(&crate::caller(RUN, RUN), plan, vec![], jiff::Timestamp::UNIX_EPOCH);
        let told = |change: &str, place| at(change, place, &run, &accounts);
        let listener = Place::of("arn:aws:elasticloadbalancing:us-east-1:2:listener/app/a/1/2");
        let command = "aws elbv2 modify-listener --listener-arn l --region us-east-1\n  (a note)";
        assert_eq!(
            told(command, listener),
            "aws elbv2 modify-listener --listener-arn l --region us-east-1 --profile 2\n  (a note)\n  (in the account 2, region us-east-1: \
             the profile is one of yours that may do it there; Cutover goes there as arn:aws:iam::2:role/cutover-access)"
        );
        let zone = Some(Place { region: "", account: "3" });
        let unseen = told("make a answer: x", zone);
        assert!(unseen.starts_with("make a answer: x\n  (in the account 3: "), "{unseen}");
        assert!(unseen.contains("no role"), "{unseen}");
        for own in [None, Place::of(RUN), Some(Place { region: "", account: "" })] {
            assert_eq!(told(command, own), command);
        }
    }

    #[test]
    fn a_hook_in_another_account_is_invoked_there_and_not_in_the_role_of_the_functions() {
        let plan = serde_json::from_value(json!({ "application": "portal", "routes": [] })).unwrap();
        let run = Run::claimed(&crate::caller(RUN, RUN), plan, vec![], jiff::Timestamp::UNIX_EPOCH);
        let told = hook_at("aws lambda invoke", Place::of("arn:aws:lambda:eu-west-1:2:function:f"), &run);
        assert!(told.starts_with("aws lambda invoke --profile 2\n  (in the account 2, region eu-west-1: "), "{told}");
        assert!(told.contains("Cutover invokes it as the role of its state machine"), "{told}");
    }

    const RUN: &str = "arn:aws:states:eu-west-1:1:execution:cutover:run";

    #[test]
    fn a_hook_is_invoked_with_what_the_state_machine_sends() {
        let plan = serde_json::from_value(json!({ "application": "portal", "routes": [] })).unwrap();
        let run = Run::claimed(&crate::caller(RUN, RUN), plan, vec![], jiff::Timestamp::UNIX_EPOCH);
        let function_arn = "arn:aws:lambda:eu-west-1:1:function:resume".to_owned();
        assert_eq!(
            resume(&run, &Hook { function_arn, timeout: cutover::Seconds(60) }),
            "aws lambda invoke --function-name arn:aws:lambda:eu-west-1:1:function:resume --region eu-west-1 \
             --cli-binary-format raw-in-base64-out --payload '{\"application\":\"portal\",\"hook\":\"resume\",\
             \"run_id\":\"arn:aws:states:eu-west-1:1:execution:cutover:run\"}' /dev/stdout\n  (needs version 2 of the AWS CLI: see `aws --version`)"
        );
    }

    #[test]
    fn an_alarm_is_deleted_or_gets_its_settings_back() {
        let planned = |name: &str| Alarm { alarm_name: name.to_owned(), ..Alarm::default() };
        assert_eq!(
            alarm(RUN, &planned("it's late"), None),
            r#"aws cloudwatch delete-alarms --region eu-west-1 --cli-input-json '{"AlarmNames":["it'\''s late"]}'"#
        );
        let before = Alarm { alarm_name: "late".to_owned(), ..Alarm::default() };
        let command = alarm(RUN, &planned("late"), Some(&before));
        assert!(
            command.starts_with(
                r#"aws cloudwatch put-metric-alarm --region eu-west-1 --cli-input-json '{"AlarmName":"late","#
            ),
            "{command}"
        );
        let arn = Some("arn:aws:cloudwatch:us-east-1:2:alarm:late".to_owned());
        let there = alarm(RUN, &Alarm { alarm_arn: arn, ..planned("late") }, None);
        assert_eq!(
            there,
            r#"aws cloudwatch delete-alarms --region us-east-1 --cli-input-json '{"AlarmNames":["late"]}'"#
        );
    }
}
