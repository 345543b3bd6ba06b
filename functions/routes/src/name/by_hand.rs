//! The exact change that a person makes by hand, as one AWS CLI command: pure.

use cutover::plan::DnsRoute;
use cutover::text::json_word;
use serde_json::{Map, Value, json};

use super::batch::Change;
use super::record::RecordSet;
use super::state::NameState;

/// The command that gives a name its record sets back, from what is there now; where that
/// was not seen, what they were.
pub fn command(route: &DnsRoute, before: &NameState, live: Option<&NameState>) -> String {
    let Some(live) = live else { return format!("make {} answer: {}", route.record_name, before.describe()) };
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
        json_word(&json!({ "Changes": changes }))
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

#[cfg(test)]
mod tests {
    use cutover::plan::{RecordChange, RecordData, RecordType};

    use super::*;

    #[test]
    fn a_health_check_is_deleted_by_its_id_or_found_by_its_caller_reference() {
        assert_eq!(health_check("1f2e"), "aws route53 delete-health-check --health-check-id 1f2e");
        let change = unseen_health_checks(&["cutover-d-0-old".to_owned(), "cutover-d-0-new".to_owned()]);
        assert!(change.contains("caller reference cutover-d-0-old or cutover-d-0-new, delete"), "{change}");
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
        let new = RecordData { values: Some(vec!["5.6.7.8".to_owned()]), ..RecordData::default() };
        let route = DnsRoute {
            hosted_zone_id: "Z1".to_owned(),
            account: None,
            record_name: "app.example.com".to_owned(),
            records: vec![RecordChange { record_type: RecordType::A, new: Some(new), old_set_identifier: None }],
            ttl: 60,
            health_checks: None,
            steps: vec![],
        };
        let command =
            command(&route, &NameState::new(vec![record("1.2.3.4")]), Some(&NameState::new(vec![record("9.9.9.9")])));
        assert_eq!(
            command,
            "aws route53 change-resource-record-sets --hosted-zone-id Z1 --change-batch '{\"Changes\":[\
             {\"Action\":\"DELETE\",\"ResourceRecordSet\":{\"Name\":\"app.example.com.\",\"ResourceRecords\":[{\"Value\":\"9.9.9.9\"}],\"TTL\":300,\"Type\":\"A\"}},\
             {\"Action\":\"CREATE\",\"ResourceRecordSet\":{\"Name\":\"app.example.com.\",\"ResourceRecords\":[{\"Value\":\"1.2.3.4\"}],\"TTL\":300,\"Type\":\"A\"}}]}'"
        );
    }
}
