//! What CloudWatch counts of a function's doing: log lines in its embedded metric format, so that counting asks nobody, costs no call, and fails nothing.
//!
//! CloudWatch Logs makes metrics of lines that have `_aws` (CloudWatch user guide, *Embedded metric format specification*); Lambda passes on as they are
//! lines that are JSON. What is counted twice by a function that runs twice is one too many in a chart: nothing is decided by these figures.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace of the stack's own metrics.
pub const NAMESPACE: &str = "Cutover";

/// One line: `counts` by name, of what the dimensions say.
pub fn line(now: Timestamp, dimensions: &[(&str, &str)], counts: &[(&str, u64)]) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let metrics: Vec<Value> = counts.iter().map(|(name, _)| json!({ "Name": name, "Unit": "Count" })).collect();
    let about = json!({ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": metrics });
    let mut line = Map::new();
    line.insert("_aws".to_owned(), json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [about] }));
    line.extend(dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    line.extend(counts.iter().map(|(name, count)| ((*name).to_owned(), json!(count))));
    Value::Object(line)
}

/// Counts.
pub fn count(now: Timestamp, dimensions: &[(&str, &str)], counts: &[(&str, u64)]) {
    println!("{}", line(now, dimensions, counts));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_counted_of_whom() {
        let now = "2026-11-27T22:00:00Z".parse().unwrap();
        let said = line(now, &[("Group", "executives")], &[("MessagesAccepted", 2), ("MessagesFailed", 0)]);
        let about = json!({
            "Namespace": "Cutover", "Dimensions": [["Group"]],
            "Metrics": [{ "Name": "MessagesAccepted", "Unit": "Count" }, { "Name": "MessagesFailed", "Unit": "Count" }],
        });
        assert_eq!(said["_aws"], json!({ "Timestamp": 1_795_816_800_000_i64, "CloudWatchMetrics": [about] }));
        assert_eq!(
            (&said["Group"], &said["MessagesAccepted"], &said["MessagesFailed"]),
            (&json!("executives"), &json!(2), &json!(0))
        );
    }
}
