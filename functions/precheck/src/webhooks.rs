//! What precheck looks at of stakeholders' webhooks: whether each secret can be read, and holds an address that messages can go to. The address itself
//! stands nowhere: whoever has it can write to the channel.
//!
//! Warnings, whatever is wrong: nobody's message is in the way of a cutover. Nor is a secret that nobody answers for.

use std::collections::BTreeMap;

use cutover::plan::{Channel, Group};
use cutover::{Finding, Plan, StepResult};
use futures_util::future::join_all;

use crate::{Clients, LONGEST, hearers};

const FIX: &str = "store the webhook's https address as the secret's whole text, and list the secret in `webhookSecretArns` of the stack";

/// Looks at every webhook of whoever hears of the run.
pub(crate) async fn observe(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) {
    let hearers = clients.stakeholders.hearers(&plan.stakeholders);
    let secrets = secrets_of(&hearers, plan);
    let looks = secrets.iter().map(async |(arn, place)| {
        let read = tokio::time::timeout(LONGEST, secrets::check_webhook(&clients.secrets, arn)).await;
        finding(arn, place, read.ok())
    });
    findings.extend(join_all(looks).await.into_iter().flatten());
}

/// The secrets of groups, each with the first place that names it, and whose it is.
fn secrets_of<'a>(groups: &[&'a Group], plan: &Plan) -> BTreeMap<&'a str, (String, &'a str)> {
    hearers::named_by(groups, plan, |channel| match channel {
        Channel::Webhook(webhook) => Some((&webhook.secret_arn, "secret_arn")),
        _ => None,
    })
}

/// What is told of a secret; none of one that holds an address. `read`: none where nobody answered in time.
fn finding(arn: &str, (path, group): &(String, &str), read: Option<StepResult<()>>) -> Option<Finding> {
    let why = match read {
        Some(Ok(())) => return None,
        Some(Err(error)) => error.message,
        None => format!("Secrets Manager did not answer within {} s", LONGEST.as_secs()),
    };
    let problem = format!("the group `{group}` would hear nothing by its webhook {arn}: {why}");
    Some(Finding::warning(path, problem, FIX))
}

#[cfg(test)]
mod tests {
    use cutover::error::name;
    use cutover::finding::Severity;
    use cutover::{StepError, stakeholders::StackGroups};
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat-AbCdEf";
    const OTHER: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf";

    #[test]
    fn each_secret_is_looked_at_once_and_told_where_a_person_can_change_it() {
        let group = |name: &str, arns: &[&str]| {
            let channels: Vec<_> = arns.iter().map(|arn| json!({ "type": "webhook", "secret_arn": arn })).collect();
            json!({ "name": name, "channels": channels })
        };
        let stack = StackGroups::read(&json!([group("executives", &[ARN])]).to_string()).unwrap();
        let plan = json!({ "application": "shop", "routes": [],
            "stakeholders": { "groups": [group("on-call", &[ARN, OTHER])] } });
        let plan: Plan = serde_json::from_value(plan).unwrap();
        let found = secrets_of(&stack.hearers(&plan.stakeholders), &plan);
        assert_eq!(found[ARN], ("$.stakeholders.of_stack".to_owned(), "executives"));
        assert_eq!(found[OTHER], ("$.stakeholders.groups[0].channels[1].secret_arn".to_owned(), "on-call"));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn whatever_is_wrong_is_a_warning() {
        let place = ("$.stakeholders".to_owned(), "on-call");
        assert_eq!(finding(ARN, &place, Some(Ok(()))), None);
        let denied = Some(Err(StepError::new(name::NOT_PERMITTED, "denied")));
        for (read, expected) in [(denied, "denied"), (None, "did not answer")] {
            let found = finding(ARN, &place, read).unwrap();
            assert!(found.severity == Severity::Warning && found.problem.contains(expected), "{found:?}");
        }
    }
}
