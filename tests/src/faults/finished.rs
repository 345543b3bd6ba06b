//! What a run without a fault has to leave, whatever the product thinks of it: pure.
//!
//! Contract: [`problems`] answers what is wrong with a finished run, one sentence each: more has changed than the plan says, a
//! listener has lost something but the weights of its pair or another stickiness than the plan says, or a name has lost its
//! time to live or its health check, or keeps an old answer.

use serde_json::{Value, json};

use super::left::{Left, of_account};
use crate::compare::differences;
use crate::routes::{Place, Route, Side, Sides};

/// Parts of the account that follow from the routes, or that a plan may ask for.
const OTHERS: [&str; 4] =
    ["$.elbv2.target_groups.", "$.elbv2.tags.", "$.route53.health_checks.", "$.cloudwatch.alarms."];

/// What is wrong with a finished run of a plan with the environment's names.
pub fn problems(left: &Left, plan: &Value, routes: &[Route], sides: &Sides) -> Vec<String> {
    let is_other = |line: &str| OTHERS.iter().any(|path| line.starts_with(path));
    let strange = left.changes.iter().filter(|change| change.route.is_none() && !is_other(&change.line));
    let mut found: Vec<String> = strange.map(|change| format!("changed as well: {}", change.line)).collect();
    for (index, route) in routes.iter().enumerate() {
        let planned = &plan["routes"][index];
        let (before, after) = (of_account(&left.before, route), of_account(&left.after, route));
        found.extend(match &route.place {
            Place::Forward { .. } => forward(&before, &after, sides, seconds(&planned["group_stickiness"])),
            Place::Name { types, .. } => {
                let of_kind = |kind: &String| {
                    let new = record(planned, kind).map(|record| &record["new"]);
                    name(&of_type(&before, kind), &of_type(&after, kind), sides, new.unwrap_or(&Value::Null))
                };
                types.iter().flat_map(of_kind).collect()
            }
        });
    }
    found
}

fn record<'a>(route: &'a Value, kind: &str) -> Option<&'a Value> {
    route["records"].as_array()?.iter().find(|record| record["type"] == kind)
}

fn seconds(duration: &Value) -> Option<u64> {
    humantime::parse_duration(duration.as_str()?).ok().map(|duration| duration.as_secs())
}

fn of_type<'a>(records: &[&'a Value], kind: &str) -> Vec<&'a Value> {
    records.iter().copied().filter(|record| record["Type"] == kind).collect()
}

/// Only the pair's weights may differ, and the old group's is 0, unless cleanup has removed it. Until then group stickiness is
/// on where it was off, if the plan says so.
fn forward(before: &[&Value], after: &[&Value], sides: &Sides, sticky_seconds: Option<u64>) -> Vec<String> {
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
    let mut wanted = without_pair(before);
    if has_old(after, sides)
        && let Some(seconds) = sticky_seconds
    {
        make_sticky(&mut wanted, seconds);
    }
    let lost = differences(&wanted, &without_pair(after));
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

/// Whether the old group is in the action still.
fn has_old(parts: &[&Value], sides: &Sides) -> bool {
    let mut parts = json!(parts);
    actions(&mut parts).any(|action| {
        let groups = action["ForwardConfig"]["TargetGroups"].as_array();
        groups.is_some_and(|groups| groups.iter().any(|group| side(group, sides) == Side::Old))
    })
}

/// What is on already stays as it is.
fn make_sticky(parts: &mut Value, seconds: u64) {
    for action in actions(parts) {
        let sticky = &mut action["ForwardConfig"]["TargetGroupStickinessConfig"];
        if sticky["Enabled"] != true {
            *sticky = json!({ "Enabled": true, "DurationSeconds": seconds });
        }
    }
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

/// The new answer with the old time to live, and the health check that the plan names or that it inherits; neighbours as they
/// were; an old record that is kept has weight 0.
fn name(before: &[&Value], after: &[&Value], sides: &Sides, planned: &Value) -> Vec<String> {
    let ttl = before.iter().find_map(|record| record["TTL"].as_u64());
    // Of a new record that was there its own, else the old one's.
    let of_side = |side: Side| before.iter().find(|record| answer(record, sides) == side);
    let inherited = of_side(Side::New).or(of_side(Side::Old)).map(|record| &record["HealthCheckId"]);
    let check = planned.get("health_check_id").or(inherited).unwrap_or(&Value::Null);
    let mut found = Vec::new();
    for record in after {
        let is_right = match answer(record, sides) {
            Side::Old => {
                record["Weight"] == 0 && before.iter().any(|old| old["SetIdentifier"] == record["SetIdentifier"])
            }
            Side::New => {
                let is_as_long = record["TTL"].is_null() || ttl.is_none() || record["TTL"].as_u64() == ttl;
                record["Weight"] != 0 && is_as_long && record["HealthCheckId"] == *check
            }
            _ => before.contains(record),
        };
        if !is_right {
            found.push(format!("a finished name has the record {record}, with a time to live of {ttl:?} before and {check} as health check to come"));
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
        assert_eq!(forward(&[&before], &[&good], &sides(), None), Vec::<String>::new());
        for bad in [
            listener(json!([group("arn:old", 1), group("arn:new", 3), group("arn:canary", 1)]), 60),
            listener(json!([group("arn:old", 0), group("arn:new", 4)]), 60),
            listener(json!([group("arn:old", 0), group("arn:new", 4), group("arn:canary", 1)]), 61),
        ] {
            assert_eq!(forward(&[&before], &[&bad], &sides(), None).len(), 1, "{bad}");
        }
    }

    #[test]
    fn the_runs_own_stickiness_is_there_as_long_as_the_old_group() {
        let group = |arn: &str, weight: u64| json!({ "TargetGroupArn": arn, "Weight": weight });
        let action = |groups: &[Value], sticky: Value| {
            let config = json!({ "TargetGroups": groups, "TargetGroupStickinessConfig": sticky });
            json!({ "DefaultActions": [{ "Type": "forward", "ForwardConfig": config }] })
        };
        let (off, on) = (json!({ "Enabled": false }), json!({ "Enabled": true, "DurationSeconds": 300 }));
        let before = action(&[group("arn:old", 1)], off.clone());
        let both = [group("arn:old", 0), group("arn:new", 100)];
        let alone = [group("arn:new", 1)];
        let is_right = |after: Value, seconds| forward(&[&before], &[&after], &sides(), seconds).is_empty();
        assert!(is_right(action(&both, on.clone()), Some(300)) && is_right(action(&alone, off.clone()), Some(300)));
        assert!(!is_right(action(&both, off.clone()), Some(300)), "it was never switched on");
        assert!(!is_right(action(&both, on.clone()), Some(60)), "it is on for another time");
        assert!(!is_right(action(&both, on.clone()), None), "nobody asked for it");
        assert!(!is_right(action(&alone, on.clone()), Some(300)), "it did not go with the old group");
        let owners = json!({ "Enabled": true, "DurationSeconds": 900 });
        let before = action(&[group("arn:old", 1)], owners.clone());
        assert!(forward(&[&before], &[&action(&both, owners)], &sides(), Some(300)).is_empty(), "its owner's stays");
    }

    #[test]
    fn a_name_has_the_new_answer_at_the_old_time_to_live() {
        let record =
            |value: &str, ttl: u64| json!({ "Type": "A", "TTL": ttl, "ResourceRecords": [{ "Value": value }] });
        let before = record("192.0.2.1", 300);
        let found = |after: &Value| name(&[&before], &[after], &sides(), &json!({})).len();
        assert_eq!(found(&record("198.51.100.7", 300)), 0);
        assert_eq!(found(&record("198.51.100.7", 60)), 1);
        assert_eq!(found(&before), 1);
    }

    #[test]
    fn a_name_keeps_the_health_check_that_the_plan_names_or_that_it_inherits() {
        let record = |value: &str, check: Option<&str>| {
            let mut record = json!({ "Type": "A", "TTL": 300, "ResourceRecords": [{ "Value": value }] });
            record["HealthCheckId"] = check.map_or(Value::Null, |id| json!(id));
            record
        };
        let before = record("192.0.2.1", Some("owners"));
        let is_right = |check: Option<&str>, planned: Value| {
            name(&[&before], &[&record("198.51.100.7", check)], &sides(), &planned).is_empty()
        };
        assert!(is_right(Some("owners"), json!({})), "it is inherited");
        assert!(!is_right(None, json!({})) && !is_right(Some("runs"), json!({})), "the run's own has to go");
        let named = json!({ "health_check_id": "named" });
        assert!(is_right(Some("named"), named.clone()) && !is_right(Some("owners"), named));
        let none = json!({ "health_check_id": null });
        assert!(is_right(None, none.clone()) && !is_right(Some("owners"), none));
    }
}
