//! The exact change that a person makes by hand, as one AWS CLI command: pure.

use cutover::alarm::Alarm;
use cutover::listener::{Forward, ListenerState};
use cutover::plan::{DnsRoute, Hook, ListenerRoute};
use cutover::record::{Change, NameState, RecordSet};
use cutover::text::region_option;
use journal::Run;
use serde_json::{Map, Value, json};

/// The command that gives a listener or rule its forward action back. Its other actions are sent as they are now, or, where
/// that was not seen, as they were before; what cannot be sent is said on a line of its own.
pub fn listener(route: &ListenerRoute, before: &ListenerState, live: Option<&ListenerState>) -> String {
    let (command, option) = match &route.rule_arn {
        Some(rule) => (format!("aws elbv2 modify-rule --rule-arn {rule}"), "--actions"),
        None => (format!("aws elbv2 modify-listener --listener-arn {}", route.arn()), "--default-actions"),
    };
    let others: Option<Vec<Value>> =
        live.unwrap_or(before).others.iter().map(listener_swap::observe::as_cli_json).collect();
    let note = match (&others, live) {
        (None, _) => "\n  (put the authentication action before it, as it is described now, into the same list)",
        (Some(others), None) if !others.is_empty() => {
            "\n  (the authentication action in it is the one from before: compare it with what is described now)"
        }
        _ => "",
    };
    let mut actions = others.unwrap_or_default();
    actions.push(forward(&before.forward));
    format!("{command}{} {option} {}{note}", region_option(route.arn()), quote(&json!(actions)))
}

fn forward(forward: &Forward) -> Value {
    let mut action = Map::from_iter([("Type".to_owned(), json!("forward"))]);
    if let Some(order) = forward.order {
        action.insert("Order".to_owned(), json!(order));
    }
    if let Some(arn) = &forward.target_group_arn {
        action.insert("TargetGroupArn".to_owned(), json!(arn));
    }
    if !forward.groups.is_empty() {
        let groups = forward.groups.iter().map(|group| {
            let mut tuple = Map::from_iter([("TargetGroupArn".to_owned(), json!(group.arn))]);
            tuple.extend(group.weight.map(|weight| ("Weight".to_owned(), json!(weight))));
            Value::Object(tuple)
        });
        let mut config = Map::from_iter([("TargetGroups".to_owned(), groups.collect())]);
        if let Some(stickiness) = forward.stickiness {
            let mut sticky = Map::from_iter([("Enabled".to_owned(), json!(stickiness.enabled))]);
            sticky.extend(stickiness.duration_seconds.map(|seconds| ("DurationSeconds".to_owned(), json!(seconds))));
            config.insert("TargetGroupStickinessConfig".to_owned(), Value::Object(sticky));
        }
        action.insert("ForwardConfig".to_owned(), Value::Object(config));
    }
    Value::Object(action)
}

/// The command that gives an alarm of a run its settings back, or deletes one that was not there before.
pub fn alarm(run_id: &str, name: &str, before: Option<&Alarm>) -> String {
    let region = region_option(run_id);
    match before {
        None => format!("aws cloudwatch delete-alarms{region} --alarm-names {}", word(name)),
        Some(before) => format!("aws cloudwatch put-metric-alarm{region} --cli-input-json {}", quote(&json!(before))),
    }
}

/// The command that invokes a hook which undoes quiesce, with what the state machine sends.
pub fn resume(run: &Run, hook: &Hook) -> String {
    let payload = json!({ "run_id": run.run_id, "application": run.plan.application, "hook": "resume" });
    format!(
        "aws lambda invoke --function-name {}{} --cli-binary-format raw-in-base64-out --payload {} /dev/stdout",
        hook.function_arn,
        region_option(&hook.function_arn),
        quote(&payload)
    )
}

/// The command that deletes a health check, once no record carries it.
pub fn health_check(id: &str) -> String {
    format!("aws route53 delete-health-check --health-check-id {id}")
}

/// What to do about health checks of which only the caller references are known.
pub fn unseen_health_checks(references: &[String]) -> String {
    let references = references.join(" or ");
    format!(
        "if `aws route53 list-health-checks` shows health checks with the caller reference {references}, delete them"
    )
}

/// The command that gives a name its record sets back, from what is there now.
pub fn records(route: &DnsRoute, live: &NameState, before: &NameState) -> String {
    let changes: Vec<Value> = live
        .batch_to(before)
        .iter()
        .map(|change| match change {
            Change::Delete(record) => json!({ "Action": "DELETE", "ResourceRecordSet": record_set(route, record) }),
            Change::Create(record) => json!({ "Action": "CREATE", "ResourceRecordSet": record_set(route, record) }),
        })
        .collect();
    if changes.is_empty() {
        return "nothing: the records are as they were before".to_owned();
    }
    format!(
        "aws route53 change-resource-record-sets --hosted-zone-id {} --change-batch {}",
        route.hosted_zone_id,
        quote(&json!({ "Changes": changes }))
    )
}

fn record_set(route: &DnsRoute, record: &RecordSet) -> Value {
    let values: Vec<Value> = record.values.iter().map(|value| json!({ "Value": value })).collect();
    let alias = record.alias.as_ref().map(|alias| {
        json!({
            "DNSName": alias.dns_name,
            "HostedZoneId": alias.hosted_zone_id,
            "EvaluateTargetHealth": alias.evaluate_target_health,
        })
    });
    let fields = [
        ("Name", Some(json!(route.normalised_name()))),
        ("Type", Some(json!(record.record_type))),
        ("SetIdentifier", record.set_identifier.as_ref().map(|identifier| json!(identifier))),
        ("Weight", record.weight.map(|weight| json!(weight))),
        ("TTL", record.ttl.map(|ttl| json!(ttl))),
        ("ResourceRecords", (!values.is_empty()).then_some(Value::Array(values))),
        ("AliasTarget", alias),
        ("HealthCheckId", record.health_check_id.as_ref().map(|id| json!(id))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

/// JSON as one word of a POSIX shell.
fn quote(value: &Value) -> String {
    word(&value.to_string())
}

fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use cutover::listener::WeightedGroup;
    use cutover::plan::{RecordChange, RecordData, RecordType};

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
             \"run_id\":\"arn:aws:states:eu-west-1:1:execution:cutover:run\"}' /dev/stdout"
        );
    }

    #[test]
    fn an_alarm_is_deleted_or_gets_its_settings_back() {
        assert_eq!(
            alarm(RUN, "it's late", None),
            r"aws cloudwatch delete-alarms --region eu-west-1 --alarm-names 'it'\''s late'"
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

    #[test]
    fn a_health_check_is_deleted_by_its_id_or_found_by_its_caller_reference() {
        assert_eq!(health_check("1f2e"), "aws route53 delete-health-check --health-check-id 1f2e");
        let change = unseen_health_checks(&["cutover-d-0-old".to_owned(), "cutover-d-0-new".to_owned()]);
        assert!(change.contains("caller reference cutover-d-0-old or cutover-d-0-new, delete"), "{change}");
    }

    fn listener_route() -> ListenerRoute {
        ListenerRoute {
            listener_arn: Some("arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/a/1/2".to_owned()),
            rule_arn: None,
            old_target_group_arn: "old".to_owned(),
            new_target_group_arn: "new".to_owned(),
            min_healthy_percent: 80,
            steps: vec![],
        }
    }

    fn state(others: Vec<Value>) -> ListenerState {
        let groups = vec![WeightedGroup { arn: "old".to_owned(), weight: Some(1) }];
        let forward = Forward { order: Some(1), target_group_arn: Some("old".to_owned()), groups, stickiness: None };
        ListenerState { forward, others }
    }

    #[test]
    fn a_listener_gets_exactly_its_forward_action_back() {
        let command = "aws elbv2 modify-listener --listener-arn \
             arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/a/1/2 --region eu-west-1 --default-actions \
             '[{\"ForwardConfig\":{\"TargetGroups\":[{\"TargetGroupArn\":\"old\",\"Weight\":1}]},\"Order\":1,\
             \"TargetGroupArn\":\"old\",\"Type\":\"forward\"}]'";
        assert_eq!(listener(&listener_route(), &state(vec![]), Some(&state(vec![]))), command);
        assert_eq!(listener(&listener_route(), &state(vec![]), None), command);
        let rule = "arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/a/1/2/3".to_owned();
        let command =
            listener(&ListenerRoute { rule_arn: Some(rule.clone()), ..listener_route() }, &state(vec![]), None);
        assert!(
            command.starts_with("aws elbv2 modify-rule --rule-arn ")
                && command.contains(" --region eu-west-1 --actions ")
        );
    }

    #[test]
    fn a_listener_keeps_its_authentication() {
        let cognito =
            |scope: &str| json!({ "type": "authenticate-cognito", "order": 1, "cognito": { "scope": scope } });
        let (before, live) = (state(vec![cognito("before")]), state(vec![cognito("now")]));
        let seen = listener(&listener_route(), &before, Some(&live));
        assert!(seen.contains(r#"'[{"AuthenticateCognitoConfig":{"Scope":"now"},"#) && !seen.contains('\n'), "{seen}");
        let unseen = listener(&listener_route(), &before, None);
        let lines: Vec<&str> = unseen.lines().collect();
        assert!(lines[0].contains(r#"{"Scope":"before"}"#) && lines[0].ends_with("}]'"), "{unseen}");
        assert!(lines[1].contains("compare it with what is described now"), "{unseen}");
        let unknown = listener(&listener_route(), &before, Some(&state(vec![json!({ "type": "jwt-validation" })])));
        let lines: Vec<&str> = unknown.lines().collect();
        assert!(lines[0].ends_with("}]'") && lines[1].contains("put the authentication action before it"), "{unknown}");
    }

    #[test]
    fn a_name_gets_exactly_its_records_back() {
        let record = |value: &str| RecordSet {
            record_type: "A".to_owned(),
            set_identifier: None,
            weight: None,
            ttl: Some(300),
            values: vec![value.to_owned()],
            alias: None,
            health_check_id: None,
        };
        let new = RecordData { values: Some(vec!["5.6.7.8".to_owned()]), alias: None };
        let route = DnsRoute {
            hosted_zone_id: "Z1".to_owned(),
            record_name: "app.example.com".to_owned(),
            records: vec![RecordChange { record_type: RecordType::A, new, old_set_identifier: None }],
            ttl: 60,
            health_checks: None,
            steps: vec![],
        };
        let command =
            records(&route, &NameState::new(vec![record("9.9.9.9")]), &NameState::new(vec![record("1.2.3.4")]));
        assert_eq!(
            command,
            "aws route53 change-resource-record-sets --hosted-zone-id Z1 --change-batch '{\"Changes\":[\
             {\"Action\":\"DELETE\",\"ResourceRecordSet\":{\"Name\":\"app.example.com.\",\"ResourceRecords\":[{\"Value\":\"9.9.9.9\"}],\"TTL\":300,\"Type\":\"A\"}},\
             {\"Action\":\"CREATE\",\"ResourceRecordSet\":{\"Name\":\"app.example.com.\",\"ResourceRecords\":[{\"Value\":\"1.2.3.4\"}],\"TTL\":300,\"Type\":\"A\"}}]}'"
        );
    }
}
