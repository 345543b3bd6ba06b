//! Actions in Elastic Load Balancing's API: what they mean, and the list that is sent.

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, ForwardActionConfig, TargetGroupStickinessConfig, TargetGroupTuple,
};
use cutover::StepResult;
use serde_json::{Value, json};

use super::state::{Forward, ListenerState, Stickiness, WeightedGroup};

/// The live actions, as AWS described them and as a value.
#[derive(Clone, Debug)]
pub struct Live {
    actions: Vec<Action>,
    /// What they mean.
    pub state: ListenerState,
}

impl Live {
    /// Actions, and what they mean.
    ///
    /// # Errors
    /// The text of the problem, where there is not exactly one forward action.
    pub(super) fn of(actions: Vec<Action>) -> Result<Self, String> {
        let state = state_of(&actions)?;
        Ok(Self { actions, state })
    }

    /// The live actions with another forward action: everything else is sent back as it was described, but for the
    /// secret of an OIDC action, which AWS does not describe and keeps where it is told to (API reference of
    /// AuthenticateOidcActionConfig).
    ///
    /// # Errors
    /// A forward action that cannot be sent.
    pub fn actions_with(&self, forward: &Forward) -> StepResult<Vec<Action>> {
        let forward = forward_action(forward)?;
        Ok(self
            .actions
            .iter()
            .map(|action| match action.r#type() {
                Some(ActionTypeEnum::Forward) => forward.clone(),
                Some(ActionTypeEnum::AuthenticateOidc) => keeping_secret(action.clone()),
                _ => action.clone(),
            })
            .collect())
    }
}

fn keeping_secret(mut action: Action) -> Action {
    if let Some(oidc) = action.authenticate_oidc_config.as_mut() {
        oidc.client_secret = None;
        oidc.use_existing_client_secret = Some(true);
    }
    action
}

fn forward_action(forward: &Forward) -> StepResult<Action> {
    let groups = forward
        .groups
        .iter()
        .map(|group| TargetGroupTuple::builder().target_group_arn(&group.arn).set_weight(group.weight).build());
    let stickiness = forward.stickiness.map(|stickiness| {
        TargetGroupStickinessConfig::builder()
            .enabled(stickiness.enabled)
            .set_duration_seconds(stickiness.duration_seconds)
            .build()
    });
    let config = (!forward.groups.is_empty() || stickiness.is_some()).then(|| {
        ForwardActionConfig::builder()
            .set_target_groups(Some(groups.collect()))
            .set_target_group_stickiness_config(stickiness)
            .build()
    });
    Ok(Action::builder()
        .r#type(ActionTypeEnum::Forward)
        .set_order(forward.order)
        .set_target_group_arn(forward.target_group_arn.clone())
        .set_forward_config(config)
        .build())
}

/// What a list of actions means.
fn state_of(actions: &[Action]) -> Result<ListenerState, String> {
    let (forwards, others): (Vec<&Action>, Vec<&Action>) =
        actions.iter().partition(|action| action.r#type() == Some(&ActionTypeEnum::Forward));
    let [forward] = forwards[..] else {
        return Err(match forwards.len() {
            0 => {
                let kinds = others.iter().filter_map(|action| action.r#type()).map(ActionTypeEnum::as_str);
                format!("it forwards to no target group, its action is {}", kinds.collect::<Vec<_>>().join(", "))
            }
            several => format!("it has {several} forward actions, and should have one"),
        });
    };
    let config = forward.forward_config();
    let groups = config.map(ForwardActionConfig::target_groups).unwrap_or_default().iter().map(|group| WeightedGroup {
        arn: group.target_group_arn().unwrap_or_default().to_owned(),
        weight: group.weight(),
    });
    let stickiness = config.and_then(ForwardActionConfig::target_group_stickiness_config).map(|stickiness| {
        Stickiness { enabled: stickiness.enabled().unwrap_or(false), duration_seconds: stickiness.duration_seconds() }
    });
    let forward = Forward {
        order: forward.order(),
        target_group_arn: forward.target_group_arn().map(str::to_owned),
        groups: groups.collect(),
        stickiness,
    };
    Ok(ListenerState { forward, others: others.into_iter().map(normalise).collect() })
}

/// Another action as JSON, without its secret: enough to see that it changed.
fn normalise(action: &Action) -> Value {
    let kind = action.r#type().map(ActionTypeEnum::as_str);
    let mut value = json!({ "type": kind, "order": action.order() });
    if let Some(oidc) = action.authenticate_oidc_config() {
        value["oidc"] = json!({
            "issuer": oidc.issuer(),
            "authorization_endpoint": oidc.authorization_endpoint(),
            "token_endpoint": oidc.token_endpoint(),
            "user_info_endpoint": oidc.user_info_endpoint(),
            "client_id": oidc.client_id(),
            "session_cookie_name": oidc.session_cookie_name(),
            "scope": oidc.scope(),
            "session_timeout": oidc.session_timeout(),
            "extra_params": oidc.authentication_request_extra_params(),
            "on_unauthenticated": oidc.on_unauthenticated_request().map(|behaviour| behaviour.as_str()),
        });
    }
    if let Some(cognito) = action.authenticate_cognito_config() {
        value["cognito"] = json!({
            "user_pool_arn": cognito.user_pool_arn(),
            "user_pool_client_id": cognito.user_pool_client_id(),
            "user_pool_domain": cognito.user_pool_domain(),
            "session_cookie_name": cognito.session_cookie_name(),
            "scope": cognito.scope(),
            "session_timeout": cognito.session_timeout(),
            "extra_params": cognito.authentication_request_extra_params(),
            "on_unauthenticated": cognito.on_unauthenticated_request().map(|behaviour| behaviour.as_str()),
        });
    }
    if let Some(jwt) = action.jwt_validation_config() {
        let claims = jwt.additional_claims().iter().map(|claim| {
            let format = claim.format().map(|format| format.as_str());
            json!({ "Name": claim.name(), "Format": format, "Values": claim.values() })
        });
        value["jwt"] = json!({
            "jwks_endpoint": jwt.jwks_endpoint(),
            "issuer": jwt.issuer(),
            "additional_claims": claims.collect::<Vec<_>>(),
        });
    }
    value
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::{
        AuthenticateCognitoActionConfig, AuthenticateOidcActionConditionalBehaviorEnum, AuthenticateOidcActionConfig,
        JwtValidationActionAdditionalClaim, JwtValidationActionConfig,
    };

    use super::*;
    use crate::listener::by_hand::as_cli_json;

    #[test]
    fn an_action_that_was_observed_is_one_that_the_cli_takes() {
        let config = AuthenticateOidcActionConfig::builder()
            .issuer("https://id.example.com")
            .authorization_endpoint("https://id.example.com/authorize")
            .token_endpoint("https://id.example.com/token")
            .user_info_endpoint("https://id.example.com/user")
            .client_id("client")
            .session_timeout(3600)
            .authentication_request_extra_params("prompt", "login")
            .on_unauthenticated_request(AuthenticateOidcActionConditionalBehaviorEnum::Authenticate)
            .build();
        let oidc = Action::builder().r#type(ActionTypeEnum::AuthenticateOidc).order(1).authenticate_oidc_config(config);
        let expected = json!({
            "Type": "authenticate-oidc", "Order": 1,
            "AuthenticateOidcConfig": {
                "Issuer": "https://id.example.com", "AuthorizationEndpoint": "https://id.example.com/authorize",
                "TokenEndpoint": "https://id.example.com/token", "UserInfoEndpoint": "https://id.example.com/user",
                "ClientId": "client", "SessionTimeout": 3600, "OnUnauthenticatedRequest": "authenticate",
                "AuthenticationRequestExtraParams": { "prompt": "login" }, "UseExistingClientSecret": true,
            },
        });
        assert_eq!(as_cli_json(&normalise(&oidc.build())), Some(expected));

        let config = AuthenticateCognitoActionConfig::builder()
            .user_pool_arn("arn:pool")
            .user_pool_client_id("client")
            .user_pool_domain("shop")
            .scope("openid")
            .build();
        let kind = ActionTypeEnum::AuthenticateCognito;
        let cognito = Action::builder().r#type(kind).authenticate_cognito_config(config).build();
        let expected = json!({
            "Type": "authenticate-cognito",
            "AuthenticateCognitoConfig": {
                "UserPoolArn": "arn:pool", "UserPoolClientId": "client", "UserPoolDomain": "shop", "Scope": "openid",
            },
        });
        assert_eq!(as_cli_json(&normalise(&cognito)), Some(expected));
    }

    fn jwt(issuer: &str) -> Action {
        let claim = JwtValidationActionAdditionalClaim::builder().name("scope").values("shop");
        let claim = claim.format("space-separated-values".into()).build();
        let config = JwtValidationActionConfig::builder()
            .jwks_endpoint("https://id.example.com/jwks")
            .issuer(issuer)
            .additional_claims(claim)
            .build();
        Action::builder().r#type(ActionTypeEnum::JwtValidation).order(1).jwt_validation_config(config).build()
    }

    #[test]
    fn another_jwt_configuration_is_another_action_and_the_cli_takes_it() {
        let of = |issuer: &str| normalise(&jwt(issuer));
        assert_ne!(of("https://id.example.com"), of("https://other.example.com"));
        let expected = json!({
            "Type": "jwt-validation", "Order": 1,
            "JwtValidationConfig": {
                "Issuer": "https://id.example.com", "JwksEndpoint": "https://id.example.com/jwks",
                "AdditionalClaims": [{ "Name": "scope", "Format": "space-separated-values", "Values": ["shop"] }],
            },
        });
        assert_eq!(as_cli_json(&of("https://id.example.com")), Some(expected));
    }

    #[test]
    fn an_action_of_which_not_all_is_known_is_not_sent() {
        let unknown = Action::builder().r#type(ActionTypeEnum::from("jwt-validation")).build();
        assert_eq!(as_cli_json(&normalise(&unknown)), None);
        assert_eq!(as_cli_json(&json!({ "type": "authenticate-oidc", "order": 1 })), None);
    }
}
