//! Reading a function's input: every error names the field.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a value. Parts that are flattened or tagged are read from a copy, which has no place: their errors name the field
/// themselves.
///
/// # Errors
/// What is wrong, and in which field.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| match error.path().to_string().as_str() {
        "." => error.inner().to_string(),
        path => format!("`{path}`: {}", error.inner()),
    })
}

/// A field that must be a text.
///
/// # Errors
/// Names the field.
pub fn text(value: &Value, field: &str) -> Result<String, String> {
    match value.get(field) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("`{field}` is not a text")),
        None => Err(format!("missing field `{field}`")),
    }
}

/// What is wrong with an `action` that is none of these.
pub fn not_an_action(action: &str, actions: &[&str]) -> String {
    format!("`action` is `{action}`, and should be one of {}", actions.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::RouteRequest;

    #[test]
    fn every_error_names_its_field() {
        let request = json!({ "run_id": "r", "execution_arn": "e", "state": "s", "action": "shift", "route": 0 });
        assert!(read::<RouteRequest>(request.clone()).is_ok());
        for (field, value) in
            [("run_id", json!(7)), ("state", json!(null)), ("route", json!(-1)), ("new_weight", json!(256))]
        {
            let mut wrong = request.clone();
            wrong[field] = value;
            let problem = read::<RouteRequest>(wrong).unwrap_err();
            assert!(problem.contains(&format!("`{field}`")), "{field}: {problem}");
        }
        for field in ["run_id", "execution_arn", "state", "action", "route"] {
            let mut wrong = request.clone();
            wrong.as_object_mut().unwrap().remove(field);
            assert_eq!(read::<RouteRequest>(wrong).unwrap_err(), format!("missing field `{field}`"));
        }
    }
}
