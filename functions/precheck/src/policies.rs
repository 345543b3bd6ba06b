//! Whether a policy of something lets another account in: pure, and as far as a person would tell by reading it. A condition that is not understood
//! may hold: what is refused for certain is told, and nothing else.

use cutover::authority::fits;
use serde_json::Value;

/// Conditions that say which account may, in lower case (IAM user guide, global condition keys; SNS developer guide, the policy that a topic has
/// at first).
const ACCOUNTS: [&str; 3] = ["aws:sourceowner", "aws:sourceaccount", "aws:principalaccount"];

/// Whether somebody of an account may do this, by a policy as AWS answers it; an empty one lets nobody in.
pub(crate) fn let_in(policy: &str, (service, operation): (&str, &str), account: &str) -> bool {
    let action = &format!("{service}:{operation}");
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let concerned = |effect: &str| {
        let statements: Vec<&Value> = many(&policy["Statement"]);
        let of = move |statement: &&Value| statement["Effect"] == effect && concerns(statement, action, account);
        statements.into_iter().filter(of).collect::<Vec<_>>()
    };
    let is_unconditional =
        |statement: &&Value| statement["Condition"].as_object().is_none_or(serde_json::Map::is_empty);
    !concerned("Deny").iter().any(is_unconditional)
        && concerned("Allow").iter().any(|statement| may_hold(&statement["Condition"], account))
}

fn concerns(statement: &Value, action: &str, account: &str) -> bool {
    let listed =
        |of: &Value| texts(of).into_iter().any(|pattern| fits(&pattern.to_lowercase(), &action.to_lowercase()));
    let of_action =
        if statement["NotAction"].is_null() { listed(&statement["Action"]) } else { !listed(&statement["NotAction"]) };
    let principal = &statement["Principal"];
    let named = if principal.is_string() { texts(principal) } else { texts(&principal["AWS"]) };
    of_action
        && (named.iter().any(|who| *who == "*" || *who == account || who.contains(&format!("::{account}:")))
            || !statement["NotPrincipal"].is_null())
}

/// Whether a condition may hold for somebody of the account.
fn may_hold(condition: &Value, account: &str) -> bool {
    condition.as_object().into_iter().flatten().all(|(operator, keys)| {
        !operator.to_lowercase().starts_with("string")
            || operator.to_lowercase().contains("not")
            || keys.as_object().into_iter().flatten().all(|(key, wanted)| {
                !ACCOUNTS.contains(&key.to_lowercase().as_str())
                    || texts(wanted).into_iter().any(|one| fits(one, account))
            })
    })
}

/// One, or several.
fn many(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

fn texts(value: &Value) -> Vec<&str> {
    many(value).into_iter().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HERE: &str = "123456789012";

    fn of(statements: Value) -> bool {
        let_in(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string(), ("sns", "Publish"), HERE)
    }

    fn allow(principal: Value, action: Value) -> Value {
        json!({ "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*" })
    }

    #[test]
    fn whoever_is_named_with_the_action_is_let_in() {
        for principal in [
            json!("*"),
            json!({ "AWS": "*" }),
            json!({ "AWS": HERE }),
            json!({ "AWS": ["999999999999", "arn:aws:iam::123456789012:root"] }),
            json!({ "AWS": "arn:aws:iam::123456789012:role/cutover-Functions-notify" }),
        ] {
            assert!(of(json!([allow(principal.clone(), json!("SNS:Publish"))])), "{principal}");
            assert!(of(allow(principal.clone(), json!(["sns:Get*", "sns:*"]))), "{principal}");
            assert!(!of(json!([allow(principal.clone(), json!("sns:Subscribe"))])), "{principal}");
        }
        for principal in
            [json!({ "AWS": "999999999999" }), json!({ "Service": "cloudwatch.amazonaws.com" }), json!(null)]
        {
            assert!(!of(json!([allow(principal.clone(), json!("sns:*"))])), "{principal}");
        }
        assert!(!let_in("", ("sns", "Publish"), HERE) && !let_in("{}", ("sns", "Publish"), HERE));
    }

    #[test]
    fn the_policy_that_a_topic_has_at_first_lets_its_own_account_in_alone() {
        let with = |condition: Value| {
            let mut statement = allow(json!({ "AWS": "*" }), json!("SNS:Publish"));
            statement["Condition"] = condition;
            of(json!([statement]))
        };
        assert!(!with(json!({ "StringEquals": { "AWS:SourceOwner": "222222222222" } })));
        assert!(with(json!({ "StringEquals": { "AWS:SourceOwner": HERE } })));
        assert!(!with(json!({ "StringLike": { "aws:PrincipalAccount": ["2*", "3*"] } })));
        assert!(with(json!({ "StringEquals": { "aws:PrincipalOrgID": "o-1" } })), "what is not known may hold");
        assert!(with(json!({ "Bool": { "aws:SecureTransport": "true" } })));
    }

    #[test]
    fn a_plain_no_is_a_no() {
        let no = json!({ "Effect": "Deny", "Principal": "*", "Action": "sns:*", "Resource": "*" });
        assert!(!of(json!([allow(json!("*"), json!("sns:*")), no])));
        let mut insecure = no.clone();
        insecure["Condition"] = json!({ "Bool": { "aws:SecureTransport": "false" } });
        assert!(of(json!([allow(json!("*"), json!("sns:*")), insecure])));
    }
}
