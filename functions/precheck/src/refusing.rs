//! Topics and hooks that would refuse the run, or reach nobody. What lies in another account lets the stack in by a policy of its own: the
//! stack publishes and invokes as itself, and looks at that policy in the role that it has there.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_lambda::Client as Lambda;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_sns::Client as Sns;
use cutover::arn::Place;
use cutover::authority::Patterns;
use cutover::error::name;
use cutover::finding::{settled, soften_to};
use cutover::text::region_option;
use cutover::{Finding, Plan, StepError, StepResult};

use crate::elsewhere::reached;
use crate::{Clients, LONGEST, policies};

/// Looks at the topics of a plan that the stack may publish to: one that is not listed is told of as such, and not asked for.
pub(crate) async fn topics(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) -> StepResult<()> {
    let notify = plan.notify.iter().map(|notify| ("$.notify.topic_arn", &notify.topic_arn));
    let approval = plan.approval.iter().map(|approval| ("$.approval.topic_arn", &approval.topic_arn));
    for (path, topic) in notify.chain(approval).filter(|(path, topic)| clients.topics.check(path, topic).is_ok()) {
        let Some(sns) = reached(whoever_sees(clients, topic).await, path, findings)? else { continue };
        let answer = sns.get_topic_attributes().topic_arn(topic).send().await;
        let answer = answer.map_err(|error| StepError::from_aws("sns:GetTopicAttributes", &error));
        let attributes =
            soften_to(answer, path, "name a topic that exists", findings)?.and_then(|answer| answer.attributes);
        let Some(attributes) = attributes else { continue };
        findings.extend(reaches_somebody(&attributes, path, &clients.topic_keys));
        findings.extend(another_account(clients, topic).and_then(|here| unpublished(&attributes, here, topic, path)));
    }
    Ok(())
}

/// In the role of the topic's account, where the stack has one; else as the stack itself, as the topic's policy may let it.
pub(crate) async fn whoever_sees(clients: &Clients, topic: &str) -> StepResult<Sns> {
    let access = clients.routes.access();
    let there = Place::of(topic).filter(|there| access.accounts().role(there.account).is_some());
    access.client(&clients.sns, there, Sns::new).await
}

/// The stack's account, where something is in another one, in the stack's own region: what is in other regions is told of as such.
fn another_account<'a>(clients: &'a Clients, arn: &str) -> Option<Place<'a>> {
    let here = clients.routes.access().here()?;
    Place::of(arn).is_some_and(|there| there.region == here.region && there.account != here.account).then_some(here)
}

/// A topic whose policy does not let the stack publish: pure.
fn unpublished(attributes: &HashMap<String, String>, here: Place<'_>, topic: &str, path: &str) -> Option<Finding> {
    let (why, fix) = shut(attributes.get("Policy").map_or("", String::as_str), here)?;
    Some(Finding::environment(path, format!("{topic} refuses: {why}"), fix))
}

/// What keeps the stack from publishing to another account's topic of this policy, and what would be right; none where nothing does: pure.
pub(crate) fn shut(policy: &str, here: Place<'_>) -> Option<(String, String)> {
    let account = here.account;
    (!policies::let_in(policy, ("sns", "Publish"), account)).then(|| {
        let why = format!("its policy lets nobody of the account {account} publish");
        (why, format!("allow arn:aws:iam::{account}:root the action sns:Publish in the topic's policy"))
    })
}

/// Looks at the hooks of a plan that are in the stack's region, each once; where one is not listed, that is told, and none is looked at.
pub(crate) async fn hooks(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) -> StepResult<()> {
    let Some(here) = clients.routes.access().here() else { return Ok(()) };
    if !clients.hooks.findings(&plan.application, &plan.hooks).is_empty() {
        return Ok(());
    }
    let mut seen = BTreeSet::new();
    for (point, hooks) in plan.hooks.points() {
        for (index, hook) in hooks.iter().enumerate() {
            let (arn, path) = (&hook.function_arn, format!("$.hooks.{point}[{index}].function_arn"));
            let there = Place::of(arn).filter(|there| there.region == here.region && seen.insert(arn));
            if let Some(there) = there {
                findings.extend(one_hook(clients, arn, &path, (here, there)).await?);
            }
        }
    }
    Ok(())
}

/// In the stack's own account its machines may invoke what the stack lists: there only a hook that does not exist is told.
async fn one_hook(
    clients: &Clients,
    arn: &str,
    path: &str,
    (here, there): (Place<'_>, Place<'_>),
) -> StepResult<Vec<Finding>> {
    let access = clients.routes.access();
    let is_ours = there.account == here.account;
    if !is_ours && access.accounts().role(there.account).is_none() {
        return Ok(vec![unseen(there, path)]);
    }
    let mut findings = Vec::new();
    let Some(settings) = reached(access.settings(Some(there)).await, path, &mut findings)? else { return Ok(findings) };
    let unanswered = || StepError::new(name::REFUSED, format!("Lambda did not answer within {} s", LONGEST.as_secs()));
    let policy = tokio::time::timeout(LONGEST, policy(&Lambda::new(&settings), arn)).await;
    match settled(policy.unwrap_or_else(|_| Err(unanswered())))? {
        Ok(None) => findings.push(no_function(arn, path)),
        Ok(Some(policy)) if !is_ours => findings.extend(uninvoked(&policy, here, arn, path)),
        Ok(Some(_)) => {}
        Err(error) => {
            let (unknown, fix) = match is_ours {
                true => ("it exists", "deploy the stack anew, with the hook in its hookFunctionArns"),
                false => (
                    "it lets the stack in",
                    "deploy the stack CutoverAccess there anew, with the hook in its hookFunctionArns",
                ),
            };
            findings.push(Finding::warning(path, format!("whether {unknown} was not seen: {}", error.message), fix));
        }
    }
    Ok(findings)
}

/// A function's policy, empty where it has none; none where there is no such function.
async fn policy(lambda: &Lambda, arn: &str) -> StepResult<Option<String>> {
    match lambda.get_policy().function_name(arn).send().await {
        Err(error) if error.as_service_error().and_then(ProvideErrorMetadata::message).is_some_and(is_no_function) => {
            Ok(None)
        }
        // A function without a policy answers as if something did not exist, too.
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => {
            Ok(Some(String::new()))
        }
        answer => answer
            .map(|answer| Some(answer.policy.unwrap_or_default()))
            .map_err(|error| StepError::from_aws(&format!("lambda:GetPolicy {arn}"), &error)),
    }
}

/// Whether Lambda says that the function itself does not exist: of a policy that does not, it says `The resource you requested does not
/// exist.`, by the same code.
fn is_no_function(message: &str) -> bool {
    message.starts_with("Function not found")
}

fn no_function(arn: &str, path: &str) -> Finding {
    Finding::environment(path, format!("{arn} does not exist"), "name a function that is there")
}

/// A hook whose policy does not let the state machines invoke it: pure.
fn uninvoked(policy: &str, here: Place<'_>, arn: &str, path: &str) -> Option<Finding> {
    (!policies::let_in(policy, ("lambda", "InvokeFunction"), here.account)).then(|| {
        let (account, region) = (here.account, region_option(arn));
        let there = Place::of(arn).map_or("", |there| there.account);
        let problem = format!("{arn} refuses: there is no such function, or its policy lets nobody of the account {account} invoke it");
        let fix = format!(
            "aws lambda add-permission --function-name {arn}{region} --profile {there} --statement-id cutover --action lambda:InvokeFunction \
             --principal {account}"
        );
        Finding::environment(path, problem, fix)
    })
}

fn unseen(there: Place<'_>, path: &str) -> Finding {
    let problem = format!(
        "is in the account {}, which the stack has no role for: whether it lets the stack in was not seen",
        there.account
    );
    Finding::warning(
        path,
        problem,
        "deploy the stack CutoverAccess there, or see that the function's policy lets this account invoke it",
    )
}

/// Whether a topic takes what is published, and passes it on: pure.
fn reaches_somebody(attributes: &HashMap<String, String>, path: &str, keys: &Patterns) -> Vec<Finding> {
    let mut findings = Vec::new();
    if attributes.get("SubscriptionsConfirmed").is_some_and(|count| count == "0") {
        let problem = "has no confirmed subscription: what is published there reaches nobody";
        findings.push(Finding::warning(path, problem, "subscribe to the topic, and confirm it"));
    }
    // The role of the function that publishes needs to use a key of the customer's own.
    let key = attributes.get("KmsMasterKeyId").filter(|key| !key.is_empty() && !key.ends_with("alias/aws/sns"));
    // A topic has its key as it was given to it: by ARN, id or alias; the stack lists ARNs.
    let is_listed = |key: &&String| keys.iter().any(|listed| listed == *key || listed.ends_with(&format!("/{key}")));
    if let Some(key) = key.filter(|key| !is_listed(key)) {
        let problem = format!("is encrypted with the key {key}");
        findings.push(Finding::warning(
            path,
            problem,
            "have the key's ARN listed in the stack's topicKeyArns, if it is not by another name",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'_> = Place { region: "eu-west-1", account: "123456789012" };

    #[test]
    fn a_topic_that_reaches_nobody_is_a_warning() {
        let found = |confirmed: &str, key: Option<&str>| {
            let count = [("SubscriptionsConfirmed", Some(confirmed)), ("KmsMasterKeyId", key)];
            let attributes = count.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
            let keys = Patterns::read(r#"["arn:aws:kms:eu-west-1:123456789012:key/0b1c"]"#).unwrap();
            let findings = reaches_somebody(&attributes.collect(), "$.notify.topic_arn", &keys);
            findings.into_iter().map(|finding| finding.fix).collect::<Vec<_>>()
        };
        assert_eq!(found("1", None), [""; 0]);
        assert_eq!(found("12", Some("alias/aws/sns")), [""; 0]);
        assert_eq!(found("0", None), ["subscribe to the topic, and confirm it"]);
        let fix = "have the key's ARN listed in the stack's topicKeyArns, if it is not by another name";
        for other in ["alias/ours", "1c", "arn:aws:kms:eu-west-1:222222222222:key/0b1c"] {
            assert_eq!(found("10", Some(other)), [fix], "{other}");
        }
        for listed in ["arn:aws:kms:eu-west-1:123456789012:key/0b1c", "0b1c"] {
            assert_eq!(found("1", Some(listed)), [""; 0], "{listed}: as of the stack's own topic");
        }
    }

    #[test]
    fn a_hook_that_does_not_exist_is_told_from_one_without_a_policy() {
        assert!(is_no_function("Function not found: arn:aws:lambda:eu-west-1:222222222222:function:stop"));
        assert!(!is_no_function("The resource you requested does not exist."));
    }

    #[test]
    fn what_refuses_the_stack_is_told_with_what_lets_it_in() {
        let arn = "arn:aws:lambda:eu-west-1:222222222222:function:stop";
        let found = uninvoked("", HERE, arn, "$.hooks.quiesce[0].function_arn").unwrap();
        assert!(found.fix.contains(
            "add-permission --function-name arn:aws:lambda:eu-west-1:222222222222:function:stop --region eu-west-1"
        ));
        assert!(
            found.fix.contains("--profile 222222222222") && found.fix.ends_with("--principal 123456789012"),
            "{}",
            found.fix
        );
        let policy =
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"lambda:InvokeFunction"}]}"#;
        assert_eq!(uninvoked(policy, HERE, arn, "$"), None);
        let attributes = |policy: &str| HashMap::from([("Policy".to_owned(), policy.to_owned())]);
        let topic = "arn:aws:sns:eu-west-1:222222222222:t";
        assert!(unpublished(&attributes(policy), HERE, topic, "$").is_some());
        assert!(
            unpublished(&attributes(&policy.replace("lambda:InvokeFunction", "SNS:Publish")), HERE, topic, "$")
                .is_none()
        );
    }
}
