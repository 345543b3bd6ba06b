//! What differs between two lists of other actions than the forward action, as `actions` normalises them: pure.
//!
//! Secrets are not in them. Parameters that are sent to whoever authenticates may be some: of those the names are told, and no more.

use std::collections::BTreeSet;

use cutover::text::named;
use serde_json::{Map, Value};

/// A value is told so far.
const MOST_VALUE_BYTES: usize = 80;
/// What holds the fields of an action of its kind.
const CONFIGURATIONS: [&str; 3] = ["oidc", "cognito", "jwt"];
/// Parameters, of which the names alone are told.
const PARAMETERS: &str = "extra_params";
/// What before-images of 0.2 and earlier do not have of an action.
const ADDED: &str = "jwt";

/// Whether two lists of actions are the same ones in the same order. A before-image that was stored before a configuration was looked at
/// does not say that somebody changed it.
pub(super) fn are_alike(one: &[Value], other: &[Value]) -> bool {
    let is_alike = |(one, other): (&Value, &Value)| {
        if one.get(ADDED).is_some() == other.get(ADDED).is_some() {
            one == other
        } else {
            without(one) == without(other)
        }
    };
    one.len() == other.len() && one.iter().zip(other).all(is_alike)
}

fn without(action: &Value) -> Value {
    let mut action = action.clone();
    if let Some(fields) = action.as_object_mut() {
        fields.remove(ADDED);
    }
    action
}

/// ` (client_id=other, scope=none)`: what this action has that another one has not, or nothing. Where the values of parameters differ:
/// which.
pub(super) fn told(action: &Value, beside: &Value) -> String {
    let (Some(action), Some(beside)) = (action.as_object(), beside.as_object()) else { return String::new() };
    if action.get("type") != beside.get("type") {
        return String::new();
    }
    let differing = differing(action, beside);
    if differing.is_empty() { String::new() } else { format!(" ({})", differing.join(", ")) }
}

fn differing(own: &Map<String, Value>, beside: &Map<String, Value>) -> Vec<String> {
    let fields: BTreeSet<&String> = own.keys().chain(beside.keys()).collect();
    let differs = |field: &&String| own.get(*field) != beside.get(*field);
    let of_field = |field: &String| match (own.get(field), beside.get(field)) {
        (Some(Value::Object(own)), Some(Value::Object(beside))) if CONFIGURATIONS.contains(&field.as_str()) => {
            differing(own, beside)
        }
        (own, beside) if field == PARAMETERS => {
            names_of_differing(own, beside).into_iter().map(|name| format!("another {PARAMETERS}.{name}")).collect()
        }
        (own, _) => vec![format!("{field}={}", value(own))],
    };
    fields.into_iter().filter(differs).flat_map(of_field).collect()
}

/// The names of parameters that differ.
fn names_of_differing(own: Option<&Value>, beside: Option<&Value>) -> Vec<String> {
    let empty = Map::new();
    let [own, beside] = [own, beside].map(|one| one.and_then(Value::as_object).unwrap_or(&empty));
    let names: BTreeSet<&String> = own.keys().chain(beside.keys()).collect();
    let differs = |name: &&String| own.get(*name) != beside.get(*name);
    names.into_iter().filter(differs).map(|name| named(name, MOST_VALUE_BYTES)).collect()
}

fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::String(text)) => named(text, MOST_VALUE_BYTES),
        Some(other) => named(&other.to_string(), MOST_VALUE_BYTES),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::listener::state::tests::state;

    fn oidc(client: &str, prompt: &str) -> Value {
        json!({ "type": "authenticate-oidc", "order": 1,
            "oidc": { "client_id": client, "issuer": "https://id.example.com", "scope": null, "extra_params": { "prompt": prompt } } })
    }

    fn with(action: Value) -> crate::listener::ListenerState {
        crate::listener::ListenerState { others: vec![action], ..state(&[("old", 1)]) }
    }

    #[test]
    fn what_differs_in_an_authentication_is_named_on_both_sides() {
        let (live, planned) = (with(oidc("other", "login")), with(oidc("client", "login")));
        assert_eq!(live.describe_beside(&planned), "old=1 authenticate-oidc (client_id=other)");
        assert_eq!(planned.describe_beside(&live), "old=1 authenticate-oidc (client_id=client)");
        assert_eq!(live.describe_beside(&live), "old=1 authenticate-oidc");
        let mut scoped = oidc("client", "login");
        scoped["oidc"]["scope"] = json!("openid email");
        assert_eq!(planned.describe_beside(&with(scoped.clone())), "old=1 authenticate-oidc (scope=none)");
        assert_eq!(with(scoped).describe_beside(&planned), "old=1 authenticate-oidc (scope=\"openid email\")");
    }

    #[test]
    fn a_parameter_is_named_and_its_value_is_nobodys() {
        let (live, planned) = (with(oidc("client", "s3cr3t")), with(oidc("client", "login")));
        assert_eq!(live.describe_beside(&planned), "old=1 authenticate-oidc (another extra_params.prompt)");
    }

    #[test]
    fn another_place_in_the_list_is_named() {
        let mut live = state(&[("old", 1)]);
        live.forward.order = Some(7);
        assert_eq!(live.describe_beside(&state(&[("old", 1)])), "old=1 forward order 7");
        assert!(!live.is_like(&state(&[("old", 1)])));
    }

    #[test]
    fn a_before_image_without_the_jwt_configuration_is_no_change_and_two_configurations_are() {
        let jwt = |issuer: &str| json!({ "type": "jwt-validation", "order": 1, "jwt": { "issuer": issuer } });
        let stored = json!({ "type": "jwt-validation", "order": 1 });
        assert!(with(jwt("a")).is_like(&with(stored.clone())) && with(stored.clone()).is_like(&with(jwt("a"))));
        assert!(!with(jwt("a")).is_like(&with(jwt("b"))));
        assert_eq!(with(jwt("b")).describe_beside(&with(jwt("a"))), "old=1 jwt-validation (issuer=b)");
        let other = json!({ "type": "jwt-validation", "order": 2 });
        assert!(!with(jwt("a")).is_like(&with(other)));
    }
}
