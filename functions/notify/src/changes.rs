//! What those read who are asked whether a plan may be carried out: everything that it would change, beside its digest. Pure.

use cutover::Plan;
use cutover::ask::plan_digest;
use cutover::plan::{RecordData, Route};
use serde_json::{Value, json};

use crate::{Event, Request};

/// What of a detail is the plan's digest.
pub(crate) const DIGEST: &str = "plan_digest";
/// And what it would change, a line each.
pub(crate) const CHANGES: &str = "changes";

/// A request for approval with what is to be approved; every other one as it is.
pub(crate) fn shown(mut request: Request) -> Request {
    if request.event == Event::Approval && !request.plan.is_null() {
        let read = serde_json::from_value::<Plan>(request.plan.clone()).ok();
        let (digest, lines) = (plan_digest(&request.plan), read.as_ref().map(lines).unwrap_or_default());
        match &mut request.detail {
            Value::Object(detail) => {
                detail.insert(DIGEST.to_owned(), json!(digest));
                detail.insert(CHANGES.to_owned(), json!(lines));
            }
            other => *other = json!({ DIGEST: digest, CHANGES: lines }),
        }
    }
    request
}

/// Routes with where they lead then, records, alarms, hooks, and what is deleted in the end.
fn lines(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> = plan.routes.iter().flat_map(of_route).collect();
    lines.extend(plan.alarms.iter().map(|alarm| format!("alarm {}: {}", alarm.key(), alarm.summary())));
    for (point, hooks) in plan.hooks.points() {
        lines.extend(hooks.iter().map(|hook| format!("hook {point}: invokes {}", hook.function_arn)));
    }
    if plan.cleanup.delete_old_target_group {
        lines.push(format!("after {} the old target groups are deleted", plan.cleanup.after));
    }
    lines
}

fn of_route(route: &Route) -> Vec<String> {
    let title = route.title();
    match route {
        Route::Listener(route) => {
            let (old, new) = (&route.old_target_group_arn, &route.new_target_group_arn);
            vec![format!("{title}: users go to {new}, and no longer to {old}")]
        }
        Route::Dns(route) => {
            let of = |new: &Option<RecordData>| {
                new.as_ref().map_or("goes".to_owned(), |new| format!("becomes {}", data(new)))
            };
            route
                .records
                .iter()
                .map(|record| format!("{title}: {} {}", record.record_type.as_str(), of(&record.new)))
                .collect()
        }
    }
}

fn data(new: &RecordData) -> String {
    match (&new.values, &new.alias) {
        (Some(values), _) => values.join(", "),
        (None, Some(alias)) => format!("an alias to {}", alias.dns_name),
        (None, None) => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_asked_reads_every_route_destination_record_alarm_and_hook() {
        let group = |name: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/{name}/1");
        let steps = json!([{ "new_weight": 100 }]);
        let alarm = json!({ "AlarmName": "shop-5xx", "Namespace": "N", "MetricName": "M", "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": ["arn:aws:sns:eu-west-1:1:t"] });
        let plan = json!({
            "application": "shop", "alarms": [alarm], "hooks": { "after_traffic": [{ "function_arn": "arn:aws:lambda:eu-west-1:1:function:f" }] },
            "cleanup": { "after": 3600, "delete_old_target_group": true },
            "routes": [
                { "type": "listener", "listener_arn": "arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/shop/1/2",
                    "old_target_group_arn": group("old"), "new_target_group_arn": group("new"), "steps": steps },
                { "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com", "steps": steps, "records": [
                    { "type": "A", "new": { "values": ["10.0.0.1", "10.0.0.2"] } },
                    { "type": "AAAA", "new": { "alias": { "dns_name": "lb.example.net", "hosted_zone_id": "Z2" } } },
                    { "type": "CNAME", "new": null } ] },
            ],
        });
        let told = lines(&serde_json::from_value(plan).unwrap()).join("\n");
        for part in [
            &group("new"),
            &group("old"),
            "a.example.com in zone Z1: A becomes 10.0.0.1, 10.0.0.2",
            "AAAA becomes an alias to lb.example.net",
            "CNAME goes",
            "alarm shop-5xx: N M, Sum of 60 s, GreaterThanThreshold 5",
            "tells arn:aws:sns:eu-west-1:1:t",
            "hook after_traffic: invokes arn:aws:lambda:eu-west-1:1:function:f",
            "after 1h the old target groups are deleted",
        ] {
            assert!(told.contains(part), "no {part} in\n{told}");
        }
    }
}
