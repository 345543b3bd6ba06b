//! The proving ground as AWS's public API tells it: what a run must leave as it was.
//!
//! Contract: [`read`] answers what `/_local/dump` of the emulated AWS answers, in the same form, of what belongs to the ground: the judge of the faults reads
//! it. What differs from one moment to the next is left out, and so is the state of the alarm, which no run sets. [`routing`] is where traffic
//! is led, now. Both only read.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::Result;
use cutover::alarm::STATE;
use serde_json::{Map, Value, json};

use super::aws::Aws;
use super::ground::Ground;
use crate::control::{ForwardState, GroupWeight, RecordMember, RecordState, Routing};
use crate::routes::Route;

/// What says when, or how far an answer goes, and not what is there; so does an alarm's [`STATE`].
const VOLATILE: [&str; 2] = ["CreatedTime", "NextToken"];
/// The caller references of health checks that runs make.
const RUNS_CHECK: &str = "cutover-";

/// The ground, part by part.
///
/// # Errors
/// AWS errors.
pub async fn read(aws: &Aws, ground: &Ground) -> Result<Value> {
    let alarms = aws.call("cloudwatch", "describe_alarms", json!({ "AlarmNames": [ground.alarm] })).await?;
    let dump = json!({
        "elbv2": balancing(aws, ground).await?,
        "route53": {
            "hosted_zones": { &ground.zone: { "ResourceRecordSets": records(aws, ground).await? } },
            "health_checks": health_checks(aws).await?,
        },
        "cloudwatch": { "alarms": by(&alarms["MetricAlarms"], "AlarmName") },
    });
    Ok(stable(dump))
}

async fn balancing(aws: &Aws, ground: &Ground) -> Result<Value> {
    let elb = async |operation: &str, parameters: Value| aws.call("elbv2", operation, parameters).await;
    let balancer = ground.balancer();
    let balancers = elb("describe_load_balancers", json!({ "LoadBalancerArns": [balancer] })).await?;
    let listeners = elb("describe_listeners", json!({ "LoadBalancerArn": balancer })).await?;
    let mut rules = elb("describe_rules", json!({ "ListenerArn": ground.listener })).await?;
    // A listener's default rule shows its default action once more.
    if let Some(rules) = rules["Rules"].as_array_mut() {
        rules.retain(|rule| rule["IsDefault"] != true);
    }
    let groups = [&ground.old_group, &ground.new_group];
    let described = elb("describe_target_groups", json!({ "TargetGroupArns": groups })).await?;
    let mut target_groups = by(&described["TargetGroups"], "TargetGroupArn");
    for arn in groups {
        let health = elb("describe_target_health", json!({ "TargetGroupArn": arn })).await?;
        let attributes = elb("describe_target_group_attributes", json!({ "TargetGroupArn": arn })).await?;
        target_groups[arn]["TargetHealth"] = health["TargetHealthDescriptions"].clone();
        target_groups[arn]["Attributes"] = by(&attributes["Attributes"], "Key");
    }
    let arns = json!({ "ResourceArns": [balancer, ground.listener, ground.old_group, ground.new_group] });
    let tags = elb("describe_tags", arns).await?;
    Ok(json!({
        "load_balancers": by(&balancers["LoadBalancers"], "LoadBalancerArn"),
        "listeners": by(&listeners["Listeners"], "ListenerArn"),
        "rules": by(&rules["Rules"], "RuleArn"),
        "target_groups": target_groups,
        "tags": digests(&tags["TagDescriptions"]),
    }))
}

/// How many tags a thing has, and a digest of them: whether they change is of interest, and what they say is their owner's.
fn digests(described: &Value) -> Value {
    let digest = |one: &Value| {
        let tags = &one["Tags"];
        let mut hasher = DefaultHasher::new();
        tags.to_string().hash(&mut hasher);
        let count = tags.as_array().map_or(0, Vec::len);
        Some((one["ResourceArn"].as_str()?.to_owned(), json!(format!("{count}, digest {:08x}", hasher.finish() >> 32))))
    };
    Value::Object(described.as_array().into_iter().flatten().filter_map(digest).collect())
}

async fn health_checks(aws: &Aws) -> Result<Value> {
    let mut found = aws.call("route53", "list_health_checks", json!({})).await?;
    if let Some(checks) = found["HealthChecks"].as_array_mut() {
        checks.retain(|check| check["CallerReference"].as_str().is_some_and(|text| text.starts_with(RUNS_CHECK)));
    }
    Ok(by(&found["HealthChecks"], "Id"))
}

/// The record sets of the ground's name, by `<name> <type> <set identifier>`.
async fn records(aws: &Aws, ground: &Ground) -> Result<Value> {
    let mut found = Map::new();
    for record in records_of_name(aws, ground).await? {
        let text = |field: &str| record[field].as_str().unwrap_or_default().trim_end_matches('.').to_owned();
        let key = [text("Name"), text("Type"), text("SetIdentifier")].join(" ").trim_end().to_owned();
        found.insert(key, record);
    }
    Ok(Value::Object(found))
}

/// The record sets of the ground's name.
///
/// # Errors
/// AWS errors.
pub async fn records_of_name(aws: &Aws, ground: &Ground) -> Result<Vec<Value>> {
    let mut listed = aws.call("route53", "list_resource_record_sets", json!({ "HostedZoneId": ground.zone })).await?;
    let Value::Array(records) = listed["ResourceRecordSets"].take() else { return Ok(vec![]) };
    let is_of_name = |record: &Value| {
        let name = record["Name"].as_str().unwrap_or_default();
        name.trim_end_matches('.').eq_ignore_ascii_case(&ground.name)
    };
    Ok(records.into_iter().filter(is_of_name).collect())
}

/// Where both routes lead now.
///
/// # Errors
/// AWS errors.
pub async fn routing(aws: &Aws, ground: &Ground) -> Result<Routing> {
    let described = aws.call("elbv2", "describe_listeners", json!({ "ListenerArns": [ground.listener] })).await?;
    let records = records_of_name(aws, ground).await?;
    Ok(Routing {
        listeners: BTreeMap::from([(ground.listener.clone(), forward(&described["Listeners"][0]["DefaultActions"]))]),
        records: BTreeMap::from([(Route::record_key(&ground.zone, &ground.name, "A"), answers(&records))]),
    })
}

fn forward(actions: &Value) -> ForwardState {
    let action = actions.as_array().into_iter().flatten().find(|action| action["Type"] == "forward");
    let config = action.map(|action| &action["ForwardConfig"]);
    let groups = config.and_then(|config| config["TargetGroups"].as_array()).into_iter().flatten();
    let group = |group: &Value| GroupWeight {
        arn: group["TargetGroupArn"].as_str().unwrap_or_default().to_owned(),
        weight: group["Weight"].as_u64().unwrap_or(1),
    };
    let sticky = config.map(|config| &config["TargetGroupStickinessConfig"]).filter(|sticky| sticky["Enabled"] == true);
    ForwardState {
        target_groups: groups.map(group).collect(),
        sticky_seconds: sticky.and_then(|sticky| sticky["DurationSeconds"].as_u64()),
    }
}

fn answers(records: &[Value]) -> RecordState {
    let member = |record: &Value| {
        let values = record["ResourceRecords"].as_array().into_iter().flatten();
        RecordMember {
            set_identifier: record["SetIdentifier"].as_str().map(str::to_owned),
            weight: record["Weight"].as_u64(),
            values: Some(values.filter_map(|value| value["Value"].as_str()).map(str::to_owned).collect()),
            ..RecordMember::default()
        }
    };
    RecordState {
        ttl: records.first().and_then(|record| record["TTL"].as_u64()),
        members: records.iter().filter(|record| record["Type"] == "A").map(member).collect(),
    }
}

/// A list as a map by a key of its items.
fn by(list: &Value, key: &str) -> Value {
    let items = list.as_array().into_iter().flatten();
    let named = items.filter_map(|item| Some((item[key].as_str()?.to_owned(), item.clone())));
    Value::Object(named.collect())
}

fn stable(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept =
                fields.into_iter().filter(|(name, _)| !VOLATILE.iter().chain(&STATE).any(|left_out| name == left_out));
            Value::Object(kept.map(|(name, value)| (name, stable(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(stable).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_and_a_name_are_read_as_they_lead() {
        let groups = json!([{ "TargetGroupArn": "old", "Weight": 75 }, { "TargetGroupArn": "new", "Weight": 25 }]);
        let sticky = json!({ "Enabled": true, "DurationSeconds": 77 });
        let action = json!([{ "Type": "forward", "ForwardConfig": {
            "TargetGroups": groups, "TargetGroupStickinessConfig": sticky } }]);
        let state = forward(&action);
        assert_eq!((state.target_groups[1].weight, state.sticky_seconds), (25, Some(77)));
        let record = |weight: u64, value: &str| {
            json!({ "Name": "a.", "Type": "A", "TTL": 30, "Weight": weight,
            "SetIdentifier": value, "ResourceRecords": [{ "Value": value }] })
        };
        let state = answers(&[record(1, "192.0.2.10"), record(0, "198.51.100.10")]);
        assert_eq!((state.ttl, state.members.len(), state.members[0].weight), (Some(30), 2, Some(1)));
    }

    #[test]
    fn of_tags_only_a_digest_is_kept() {
        let described = |value: &str| json!([{ "ResourceArn": "arn:a", "Tags": [{ "Key": "owner", "Value": value }] }]);
        let (one, other) = (digests(&described("acme")), digests(&described("others")));
        assert!(one != other && one["arn:a"].as_str().is_some_and(|text| text.starts_with("1, digest ")), "{one}");
        assert!(!one.to_string().contains("acme") && one == digests(&described("acme")));
    }

    #[test]
    fn times_are_left_out() {
        let seen = json!({ "alarms": { "a": { "StateValue": "OK", "StateUpdatedTimestamp": "now", "Period": 60 } } });
        assert_eq!(stable(seen), json!({ "alarms": { "a": { "Period": 60 } } }));
    }
}
