//! The exact change that a person makes by hand to what is no route, as one AWS CLI command: pure.

use cutover::alarm::Alarm;
use cutover::plan::Hook;
use cutover::text::{json_word, region_option};
use journal::Run;
use serde_json::json;

/// The command that gives an alarm of a run its settings back, or deletes one that was not there before.
pub fn alarm(run_id: &str, name: &str, before: Option<&Alarm>) -> String {
    let region = region_option(run_id);
    match before {
        None => {
            let names = json_word(&json!({ "AlarmNames": [name] }));
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(
            alarm(RUN, "it's late", None),
            r#"aws cloudwatch delete-alarms --region eu-west-1 --cli-input-json '{"AlarmNames":["it'\''s late"]}'"#
        );
        let before = Alarm { alarm_name: "late".to_owned(), ..Alarm::default() };
        let command = alarm(RUN, "late", Some(&before));
        assert!(
            command.starts_with(
                r#"aws cloudwatch put-metric-alarm --region eu-west-1 --cli-input-json '{"AlarmName":"late","#
            ),
            "{command}"
        );
    }
}
