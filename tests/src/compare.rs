//! Two states of the account, compared: pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Where two values differ, one line each: `$.path: one -> other`.
pub fn differences(one: &Value, other: &Value) -> Vec<String> {
    at("$", one, other)
}

fn at(path: &str, one: &Value, other: &Value) -> Vec<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            let value = |map: &Map<String, Value>, key: &String| map.get(key).cloned().unwrap_or(Value::Null);
            keys.into_iter()
                .flat_map(|key| at(&format!("{path}.{key}"), &value(one, key), &value(other, key)))
                .collect()
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let pairs = one.iter().zip(other).enumerate();
            pairs.flat_map(|(index, (one, other))| at(&format!("{path}[{index}]"), one, other)).collect()
        }
        _ if one == other => vec![],
        _ => vec![format!("{path}: {one} -> {other}")],
    }
}

/// The differences between two states of one environment, with the names of the plan in the place of the environment's and
/// without ids that AWS gives: so that runs of one plan in two environments compare. `mapping` is what each name became.
pub fn in_plan_names(differences: &[String], mapping: &BTreeMap<String, String>) -> Vec<String> {
    let mut names: Vec<(&String, &String)> = mapping.iter().collect();
    // An ARN before what it contains.
    names.sort_by_key(|(_, became)| std::cmp::Reverse(became.len()));
    let named = |line: &String| {
        let line = names.iter().fold(line.clone(), |line, (planned, became)| line.replace(became.as_str(), planned));
        without_ids(&line)
    };
    let mut all: Vec<String> = differences.iter().map(named).collect();
    all.sort();
    all
}

/// Health checks' ids look like `3f2504e0-4f89-11d3-9a0c-0305e82c3301`, those of target groups like `73e2d6bc24d8a067`.
fn without_ids(text: &str) -> String {
    let is_of_id = |c: char| c.is_ascii_hexdigit() || c == '-';
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| !is_of_id(c)).unwrap_or(rest.len());
        if is_id(&rest[..end]) {
            out.push_str("<id>");
            rest = &rest[end..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn is_id(text: &str) -> bool {
    const LENGTHS: [usize; 2] = [16, 32];
    let digits = text.chars().filter(char::is_ascii_hexdigit).count();
    LENGTHS.contains(&digits) && [0, 4].contains(&(text.len() - digits))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_name_their_path() {
        let one = json!({ "a": [{ "b": 1 }], "c": 2 });
        assert_eq!(differences(&one, &json!({ "a": [{ "b": 3 }], "c": 2 })), ["$.a[0].b: 1 -> 3"]);
        assert_eq!(differences(&one, &json!({ "a": [], "c": 2 })), [r#"$.a: [{"b":1}] -> []"#]);
        assert_eq!(differences(&one, &json!({ "a": [{ "b": 1 }] })), ["$.c: 2 -> null"]);
    }

    #[test]
    fn environments_of_one_plan_compare() {
        let mapping =
            BTreeMap::from([("zone".to_owned(), "Z17".to_owned()), ("arn:shop".to_owned(), "arn:Z17".to_owned())]);
        let lines = [
            "$.Z17: 1 -> \"arn:Z17\"".to_owned(),
            "$.a: \"3f2504e0-4f89-11d3-9a0c-0305e82c3301é\"".to_owned(),
            "$.b: \"group/73e2d6bc24d8a067\" -> 123456789012".to_owned(),
        ];
        assert_eq!(
            in_plan_names(&lines, &mapping),
            ["$.a: \"<id>é\"", "$.b: \"group/<id>\" -> 123456789012", "$.zone: 1 -> \"arn:shop\""]
        );
    }
}
