//! What a run without a fault has to leave, whatever the product thinks of it: pure.
//!
//! Contract: [`problems`] answers what is wrong with a finished run, one sentence each: more has changed than the plan says, a
//! listener lost something but the weights of its pair, or a name lost its time to live or keeps an old answer.

use serde_json::{Value, json};

use super::left::{Left, of_account};
use crate::compare::differences;
use crate::routes::{Place, Route, Side, Sides};

/// Parts of the account that follow from the routes, or that a plan may ask for.
const OTHERS: [&str; 4] =
    ["$.elbv2.target_groups.", "$.elbv2.tags.", "$.route53.health_checks.", "$.cloudwatch.alarms."];

/// What is wrong with a finished run.
pub fn problems(left: &Left, routes: &[Route], sides: &Sides) -> Vec<String> {
    let is_other = |line: &str| OTHERS.iter().any(|path| line.starts_with(path));
    let strange = left.changes.iter().filter(|change| change.route.is_none() && !is_other(&change.line));
    let mut found: Vec<String> = strange.map(|change| format!("changed as well: {}", change.line)).collect();
    for route in routes {
        let (before, after) = (of_account(&left.before, route), of_account(&left.after, route));
        found.extend(match &route.place {
            Place::Forward { .. } => forward(&before, &after, sides),
            Place::Name { types, .. } => {
                types.iter().flat_map(|kind| name(&of_type(&before, kind), &of_type(&after, kind), sides)).collect()
            }
        });
    }
    found
}

fn of_type<'a>(records: &[&'a Value], kind: &str) -> Vec<&'a Value> {
    records.iter().copied().filter(|record| record["Type"] == kind).collect()
}

/// Only the pair's weights may differ, and the old group's is 0, unless cleanup has removed it.
fn forward(before: &[&Value], after: &[&Value], sides: &Sides) -> Vec<String> {
    let without_pair = |parts: &[&Value]| {
        let mut parts = json!(parts);
        for action in actions(&mut parts) {
            if let Some(fields) = action.as_object_mut() {
                fields.remove("TargetGroupArn");
            }
            if let Some(groups) = action["ForwardConfig"]["TargetGroups"].as_array_mut() {
                groups.retain(|group| side(group, sides) == Side::Other);
            }
        }
        parts
    };
    let lost = differences(&without_pair(before), &without_pair(after));
    let mut found: Vec<String> = lost.iter().map(|line| format!("more than the pair's weights: {line}")).collect();
    let mut after = json!(after);
    for action in actions(&mut after) {
        for group in action["ForwardConfig"]["TargetGroups"].as_array().into_iter().flatten() {
            let is_right = match side(group, sides) {
                Side::Old => group["Weight"] == 0,
                Side::New => group["Weight"] != 0,
                _ => true,
            };
            if !is_right {
                found.push(format!("a finished listener forwards to {group}"));
            }
        }
    }
    found
}

fn side(group: &Value, sides: &Sides) -> Side {
    group["TargetGroupArn"].as_str().map_or(Side::Other, |arn| sides.of(arn))
}

fn actions(parts: &mut Value) -> impl Iterator<Item = &mut Value> {
    let lists = parts.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut);
    let lists =
        lists.flat_map(|part| part.iter_mut().filter(|(key, _)| ["DefaultActions", "Actions"].contains(&key.as_str())));
    lists.filter_map(|(_, list)| list.as_array_mut()).flatten().filter(|action| action["Type"] == "forward")
}

/// The new answer with the old time to live; neighbours as they were; an old record that is kept has weight 0.
fn name(before: &[&Value], after: &[&Value], sides: &Sides) -> Vec<String> {
    let ttl = before.iter().find_map(|record| record["TTL"].as_u64());
    let mut found = Vec::new();
    for record in after {
        let is_right = match answer(record, sides) {
            Side::Old => {
                record["Weight"] == 0 && before.iter().any(|old| old["SetIdentifier"] == record["SetIdentifier"])
            }
            Side::New => {
                record["Weight"] != 0 && (record["TTL"].is_null() || ttl.is_none() || record["TTL"].as_u64() == ttl)
            }
            _ => before.contains(record),
        };
        if !is_right {
            found.push(format!("a finished name has the record {record}, and had a time to live of {ttl:?}"));
        }
    }
    found
}

fn answer(record: &Value, sides: &Sides) -> Side {
    let value = record["ResourceRecords"][0]["Value"].as_str().or(record["AliasTarget"]["DNSName"].as_str());
    value.map_or(Side::Nowhere, |value| sides.of(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides() -> Sides {
        Sides::new(&json!({ "old": ["arn:old", "192.0.2.1"], "new": ["arn:new", "198.51.100.7"] }))
    }

    fn listener(groups: Value, sticky: u64) -> Value {
        let config = json!({ "TargetGroups": groups, "TargetGroupStickinessConfig": { "DurationSeconds": sticky } });
        json!({ "DefaultActions": [{ "Type": "forward", "ForwardConfig": config }] })
    }

    #[test]
    fn a_listener_keeps_all_but_the_weights_of_its_pair() {
        let group = |arn: &str, weight: u64| json!({ "TargetGroupArn": arn, "Weight": weight });
        let before = listener(json!([group("arn:old", 4), group("arn:canary", 1)]), 60);
        let good = listener(json!([group("arn:old", 0), group("arn:new", 4), group("arn:canary", 1)]), 60);
        assert_eq!(forward(&[&before], &[&good], &sides()), Vec::<String>::new());
        for bad in [
            listener(json!([group("arn:old", 1), group("arn:new", 3), group("arn:canary", 1)]), 60),
            listener(json!([group("arn:old", 0), group("arn:new", 4)]), 60),
            listener(json!([group("arn:old", 0), group("arn:new", 4), group("arn:canary", 1)]), 61),
        ] {
            assert_eq!(forward(&[&before], &[&bad], &sides()).len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_name_has_the_new_answer_at_the_old_time_to_live() {
        let record =
            |value: &str, ttl: u64| json!({ "Type": "A", "TTL": ttl, "ResourceRecords": [{ "Value": value }] });
        let before = record("192.0.2.1", 300);
        assert!(name(&[&before], &[&record("198.51.100.7", 300)], &sides()).is_empty());
        assert_eq!(name(&[&before], &[&record("198.51.100.7", 60)], &sides()).len(), 1);
        assert_eq!(name(&[&before], &[&before], &sides()).len(), 1);
    }
}
