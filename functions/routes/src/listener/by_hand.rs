//! The exact change that a person makes by hand, as one AWS CLI command: pure.

use cutover::plan::ListenerRoute;
use cutover::text::{json_word, region_option};
use serde_json::{Map, Value, json};

use super::state::{Forward, ListenerState};

/// The command that gives a listener or rule its forward action back. Its other actions are sent as they are now, or, where
/// that was not seen, as they were before; what cannot be sent is said on a line of its own.
pub fn command(route: &ListenerRoute, before: &ListenerState, live: Option<&ListenerState>) -> String {
    let (command, option) = match &route.rule_arn {
        Some(rule) => (format!("aws elbv2 modify-rule --rule-arn {rule}"), "--actions"),
        None => (format!("aws elbv2 modify-listener --listener-arn {}", route.arn()), "--default-actions"),
    };
    let others: Option<Vec<Value>> = live.unwrap_or(before).others.iter().map(as_cli_json).collect();
    let note = match (&others, live) {
        (None, _) => "\n  (put the authentication action before it, as it is described now, into the same list)",
        (Some(others), None) if !others.is_empty() => {
            "\n  (the authentication action in it is the one from before: compare it with what is described now)"
        }
        _ => "",
    };
    let mut actions = others.unwrap_or_default();
    actions.push(forward(&before.forward));
    format!("{command}{} {option} {}{note}", region_option(route.arn()), json_word(&json!(actions)))
}

fn forward(forward: &Forward) -> Value {
    let mut action = Map::from_iter([("Type".to_owned(), json!("forward"))]);
    if let Some(order) = forward.order {
        action.insert("Order".to_owned(), json!(order));
    }
    if let Some(arn) = &forward.target_group_arn {
        action.insert("TargetGroupArn".to_owned(), json!(arn));
    }
    if !forward.groups.is_empty() {
        let groups = forward.groups.iter().map(|group| {
            let mut tuple = Map::from_iter([("TargetGroupArn".to_owned(), json!(group.arn))]);
            tuple.extend(group.weight.map(|weight| ("Weight".to_owned(), json!(weight))));
            Value::Object(tuple)
        });
        let mut config = Map::from_iter([("TargetGroups".to_owned(), groups.collect())]);
        if let Some(stickiness) = forward.stickiness {
            let mut sticky = Map::from_iter([("Enabled".to_owned(), json!(stickiness.enabled))]);
            sticky.extend(stickiness.duration_seconds.map(|seconds| ("DurationSeconds".to_owned(), json!(seconds))));
            config.insert("TargetGroupStickinessConfig".to_owned(), Value::Object(sticky));
        }
        action.insert("ForwardConfig".to_owned(), Value::Object(config));
    }
    Value::Object(action)
}

/// Another action of a listener's state as the AWS CLI takes it, with the secret that AWS keeps; none for a kind of which not
/// all is known.
pub(super) fn as_cli_json(other: &Value) -> Option<Value> {
    let kind = other["type"].as_str()?;
    let (key, known, config) = match kind {
        "authenticate-oidc" => ("AuthenticateOidcConfig", &OIDC[..], other.get("oidc")?),
        "authenticate-cognito" => ("AuthenticateCognitoConfig", &COGNITO[..], other.get("cognito")?),
        "jwt-validation" => ("JwtValidationConfig", &JWT[..], other.get("jwt")?),
        _ => return None,
    };
    let given = |(name, field): &(&str, &str)| Some(((*name).to_owned(), config.get(*field)?.clone()));
    let mut sent: Map<String, Value> =
        known.iter().chain(&COMMON).filter_map(given).filter(|(_, value)| !value.is_null()).collect();
    if kind == "authenticate-oidc" {
        sent.insert("UseExistingClientSecret".to_owned(), json!(true));
    }
    let mut action = json!({ "Type": kind, key: sent });
    if !other["order"].is_null() {
        action["Order"] = other["order"].clone();
    }
    Some(action)
}

/// What `normalise` calls a field, by its name in the API.
const OIDC: [(&str, &str); 5] = [
    ("Issuer", "issuer"),
    ("AuthorizationEndpoint", "authorization_endpoint"),
    ("TokenEndpoint", "token_endpoint"),
    ("UserInfoEndpoint", "user_info_endpoint"),
    ("ClientId", "client_id"),
];
const COGNITO: [(&str, &str); 3] = [
    ("UserPoolArn", "user_pool_arn"),
    ("UserPoolClientId", "user_pool_client_id"),
    ("UserPoolDomain", "user_pool_domain"),
];
const JWT: [(&str, &str); 3] =
    [("JwksEndpoint", "jwks_endpoint"), ("Issuer", "issuer"), ("AdditionalClaims", "additional_claims")];
/// Of those that authenticate.
const COMMON: [(&str, &str); 5] = [
    ("SessionCookieName", "session_cookie_name"),
    ("Scope", "scope"),
    ("SessionTimeout", "session_timeout"),
    ("AuthenticationRequestExtraParams", "extra_params"),
    ("OnUnauthenticatedRequest", "on_unauthenticated"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listener::state::WeightedGroup;

    fn listener_route() -> ListenerRoute {
        ListenerRoute {
            listener_arn: Some("arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/a/1/2".to_owned()),
            rule_arn: None,
            old_target_group_arn: "old".to_owned(),
            new_target_group_arn: "new".to_owned(),
            min_healthy_percent: 80,
            group_stickiness: None,
            steps: vec![],
        }
    }

    fn state(others: Vec<Value>) -> ListenerState {
        let groups = vec![WeightedGroup { arn: "old".to_owned(), weight: Some(1) }];
        let forward = Forward { order: Some(1), target_group_arn: Some("old".to_owned()), groups, stickiness: None };
        ListenerState { forward, others }
    }

    #[test]
    fn a_listener_gets_exactly_its_forward_action_back() {
        let expected = "aws elbv2 modify-listener --listener-arn \
             arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/a/1/2 --region eu-west-1 --default-actions \
             '[{\"ForwardConfig\":{\"TargetGroups\":[{\"TargetGroupArn\":\"old\",\"Weight\":1}]},\"Order\":1,\
             \"TargetGroupArn\":\"old\",\"Type\":\"forward\"}]'";
        assert_eq!(command(&listener_route(), &state(vec![]), Some(&state(vec![]))), expected);
        assert_eq!(command(&listener_route(), &state(vec![]), None), expected);
        let rule = "arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/a/1/2/3".to_owned();
        let command =
            command(&ListenerRoute { rule_arn: Some(rule.clone()), ..listener_route() }, &state(vec![]), None);
        assert!(
            command.starts_with("aws elbv2 modify-rule --rule-arn ")
                && command.contains(" --region eu-west-1 --actions ")
        );
    }

    #[test]
    fn a_listener_keeps_its_authentication() {
        let cognito =
            |scope: &str| json!({ "type": "authenticate-cognito", "order": 1, "cognito": { "scope": scope } });
        let (before, live) = (state(vec![cognito("before")]), state(vec![cognito("now")]));
        let seen = command(&listener_route(), &before, Some(&live));
        assert!(seen.contains(r#"'[{"AuthenticateCognitoConfig":{"Scope":"now"},"#) && !seen.contains('\n'), "{seen}");
        let unseen = command(&listener_route(), &before, None);
        let lines: Vec<&str> = unseen.lines().collect();
        assert!(lines[0].contains(r#"{"Scope":"before"}"#) && lines[0].ends_with("}]'"), "{unseen}");
        assert!(lines[1].contains("compare it with what is described now"), "{unseen}");
        let unknown = command(&listener_route(), &before, Some(&state(vec![json!({ "type": "jwt-validation" })])));
        let lines: Vec<&str> = unknown.lines().collect();
        assert!(lines[0].ends_with("}]'") && lines[1].contains("put the authentication action before it"), "{unknown}");
    }
}
