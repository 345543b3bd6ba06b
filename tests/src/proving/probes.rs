//! Calls that AWS refuses, or answers with nothing: does the emulated AWS say the same?
//!
//! Contract: [`ask`] makes each of [`probes`] on a ground that is as it was deployed, and notes what is answered. They read, or are refused: what one of them
//! would change, if AWS took it, is the ground's own name, which is put back before each trial.

use anyhow::Result;
use cutover::arn::target_group_dimension;
use serde_json::{Value, json};

use super::aws::{Aws, refused};
use super::ground::{Ground, TTL};

/// A call, and what is special about it.
pub struct Probe {
    service: &'static str,
    operation: &'static str,
    about: &'static str,
    parameters: Value,
}

/// Asks all of them.
///
/// # Errors
/// AWS was not reached.
pub async fn ask(aws: &Aws, ground: &Ground) -> Result<()> {
    for Probe { service, operation, about, parameters } in probes(ground) {
        match aws.ask(service, operation, about, parameters).await {
            Err(error) if refused(&error).is_none() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn probes(ground: &Ground) -> Vec<Probe> {
    let probe = |service, operation, about, parameters| Probe { service, operation, about, parameters };
    let (name, zone) = (&ground.name, &ground.zone);
    // As AWS makes them, and of nothing that is there.
    let nobodys = |arn: &str| format!("{}0123456789abcdef", &arn[..arn.len().saturating_sub(16)]);
    let too_heavy = json!([{ "Type": "forward", "ForwardConfig": {
        "TargetGroups": [{ "TargetGroupArn": ground.old_group, "Weight": 1000 }] } }]);
    let to_nobody = json!({ "ListenerArn": ground.listener,
        "DefaultActions": [{ "Type": "forward", "TargetGroupArn": nobodys(&ground.old_group) }] });
    let record =
        |value: &str| json!({ "Name": name, "Type": "A", "TTL": TTL, "ResourceRecords": [{ "Value": value }] });
    let change = |action: &str, record: Value| json!({ "HostedZoneId": zone, "ChangeBatch": { "Changes": [{ "Action": action, "ResourceRecordSet": record }] } });
    let mut weighted = record("192.0.2.11");
    weighted["SetIdentifier"] = json!("cutover-probe");
    weighted["Weight"] = json!(0);
    let mut alias_of_none = json!({ "Name": name, "Type": "AAAA" });
    alias_of_none["AliasTarget"] =
        json!({ "HostedZoneId": zone, "DNSName": format!("none.{name}"), "EvaluateTargetHealth": false });
    let execution = ground.cutover.replace(":stateMachine:", ":execution:");
    let nothing_there = json!({ "TableName": ground.journal, "Key": { "pk": { "S": "probe#nothing" } },
        "UpdateExpression": "SET probed = :yes", "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeValues": { ":yes": { "BOOL": true } } });
    let check = json!({ "TableName": ground.journal, "Key": { "pk": { "S": "probe#nothing" } },
        "ConditionExpression": "attribute_exists(pk)" });
    let no_lock = json!({ "TransactItems": [{ "ConditionCheck": check }] });
    let dimension = json!({ "Name": "TargetGroup", "Value": target_group_dimension(&ground.new_group) });
    let metric = json!({ "Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": [dimension] });
    let query = json!({ "Id": "requests", "MetricStat": { "Metric": metric, "Period": 60, "Stat": "Sum" } });
    let metrics =
        json!({ "MetricDataQueries": [query], "StartTime": "2026-01-01T00:00:00Z", "EndTime": "2026-01-01T00:10:00Z" });
    vec![
        probe("elbv2", "modify_listener", "to no group", to_nobody),
        probe("elbv2", "describe_target_groups", "of no group", json!({ "Names": ["cutover-none"] })),
        probe(
            "elbv2",
            "describe_target_health",
            "of no group",
            json!({ "TargetGroupArn": nobodys(&ground.old_group) }),
        ),
        probe("elbv2", "describe_listeners", "of no listener", json!({ "ListenerArns": [nobodys(&ground.listener)] })),
        probe(
            "elbv2",
            "modify_listener",
            "a weight of 1000",
            json!({ "ListenerArn": ground.listener, "DefaultActions": too_heavy }),
        ),
        probe("route53", "change_resource_record_sets", "made twice", change("CREATE", record(&ground.old_address))),
        probe("route53", "change_resource_record_sets", "weighted beside simple", change("CREATE", weighted)),
        probe("route53", "change_resource_record_sets", "removed as it is not", change("DELETE", record("192.0.2.11"))),
        probe("route53", "change_resource_record_sets", "an alias of nothing", change("CREATE", alias_of_none)),
        probe("route53", "list_resource_record_sets", "of no zone", json!({ "HostedZoneId": "Z0000000CUTOVERNONE" })),
        probe(
            "route53",
            "get_health_check",
            "of no check",
            json!({ "HealthCheckId": "00000000-0000-0000-0000-000000000000" }),
        ),
        probe(
            "stepfunctions",
            "describe_execution",
            "of no execution",
            json!({ "executionArn": format!("{execution}:cutover-none") }),
        ),
        probe(
            "stepfunctions",
            "start_execution",
            "no JSON",
            json!({ "stateMachineArn": ground.cutover, "input": "{" }),
        ),
        probe(
            "stepfunctions",
            "stop_execution",
            "of no execution",
            json!({ "executionArn": format!("{execution}:cutover-none") }),
        ),
        probe(
            "dynamodb",
            "get_item",
            "of no item",
            json!({ "TableName": ground.journal, "Key": { "pk": { "S": "probe#nothing" } } }),
        ),
        probe("dynamodb", "update_item", "a condition that fails", nothing_there),
        probe("dynamodb", "transact_write_items", "a condition that fails", no_lock),
        probe(
            "cloudwatch",
            "set_alarm_state",
            "of no alarm",
            json!({ "AlarmName": "cutover-none", "StateValue": "OK", "StateReason": "a probe" }),
        ),
        probe("cloudwatch", "get_metric_data", "of nobody's requests", metrics),
        probe("route53", "get_hosted_zone", "", json!({ "Id": zone })),
        probe("sns", "get_topic_attributes", "", json!({ "TopicArn": ground.topic })),
        probe(
            "lambda",
            "invoke",
            "a target",
            json!({ "FunctionName": ground.new_function, "Payload": r#"{"path": "/"}"# }),
        ),
        probe("lambda", "invoke", "of no function", json!({ "FunctionName": "cutover-none" })),
        probe("cloudwatch", "describe_alarms", "of no alarm", json!({ "AlarmNames": ["cutover-none"] })),
        probe("lambda", "get_function_configuration", "of no function", json!({ "FunctionName": "cutover-none" })),
        probe(
            "iam",
            "get_role_policy",
            "of no policy",
            json!({ "RoleName": ground.swap_role, "PolicyName": "cutover-none" }),
        ),
        probe(
            "sns",
            "publish",
            "a subject of 101 characters",
            json!({ "TopicArn": ground.topic, "Message": "x", "Subject": "x".repeat(101) }),
        ),
    ]
}
