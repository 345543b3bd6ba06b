//! What precheck looks at of the topics by which groups of people are told: whether each is where the stack publishes, and, as far as the stack may look,
//! whether it is there and lets the stack in.
//!
//! Warnings, whatever is wrong: nobody's message is in the way of a cutover. What may not be looked at is not told of.

use std::collections::BTreeMap;

use cutover::arn::Place;
use cutover::plan::{Channel, Group};
use cutover::{Finding, Plan};
use futures_util::future::join_all;

use crate::{Clients, LONGEST, refusing};

/// What is known of a topic.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// It is there, with this policy.
    Policy(String),
    /// It is not there.
    Missing,
    /// Nobody says.
    NotKnown,
}

/// Looks at every topic of whoever hears of the run.
pub(crate) async fn observe(clients: &Clients, plan: &Plan, findings: &mut Vec<Finding>) {
    let Some(here) = clients.routes.access().here() else { return };
    let hearers = clients.stakeholders.hearers(&plan.stakeholders);
    let topics = topics_of(&hearers, plan);
    let looks = topics.iter().map(async |(arn, (path, group))| {
        let elsewhere = in_another_region(arn, here);
        // One that the stack does not publish to is told of as such elsewhere.
        let why = match elsewhere {
            None if clients.topics.check(path, arn).is_ok() => wrong(arn, here, look(clients, arn).await),
            elsewhere => elsewhere,
        };
        why.map(|(why, fix)| {
            Finding::warning(path, format!("the group `{group}` would hear nothing by its topic {arn}: {why}"), fix)
        })
    });
    findings.extend(join_all(looks).await.into_iter().flatten());
}

/// The topics of groups, each with the first place that names it, and whose it is.
fn topics_of<'a>(groups: &[&'a Group], plan: &Plan) -> BTreeMap<&'a str, (String, &'a str)> {
    named_by(groups, plan, |channel| match channel {
        Channel::Sns(to) | Channel::Chat(to) => Some((&to.topic_arn, "topic_arn")),
        _ => None,
    })
}

/// What a field of groups' channels names, each with the first place that does, and whose it is.
pub(crate) fn named_by<'a>(
    groups: &[&'a Group],
    plan: &Plan,
    field: impl Fn(&'a Channel) -> Option<(&'a str, &'static str)>,
) -> BTreeMap<&'a str, (String, &'a str)> {
    let mut named = BTreeMap::new();
    for group in groups {
        let own = plan.stakeholders.groups.iter().position(|own| own.name == group.name);
        for (index, channel) in group.channels.iter().enumerate() {
            let Some((what, field)) = field(channel) else { continue };
            let path = own.map_or_else(
                || "$.stakeholders.of_stack".to_owned(),
                |own| format!("$.stakeholders.groups[{own}].channels[{index}].{field}"),
            );
            named.entry(what).or_insert((path, group.name.as_str()));
        }
    }
    named
}

async fn look(clients: &Clients, arn: &str) -> Seen {
    let Ok(sns) = refusing::whoever_sees(clients, arn).await else { return Seen::NotKnown };
    let asked = sns.get_topic_attributes().topic_arn(arn).send();
    match tokio::time::timeout(LONGEST, asked).await {
        Ok(Ok(answer)) => Seen::Policy(answer.attributes.and_then(|mut all| all.remove("Policy")).unwrap_or_default()),
        Ok(Err(error)) if error.as_service_error().is_some_and(|error| error.is_not_found_exception()) => Seen::Missing,
        _ => Seen::NotKnown,
    }
}

/// SNS is asked in the stack's own region, which knows no other's topics.
fn in_another_region(arn: &str, here: Place<'_>) -> Option<(String, String)> {
    let there = Place::of(arn).filter(|there| there.region != here.region)?;
    let why = format!("it is in {}, and the stack publishes in {}", there.region, here.region);
    Some((why, format!("name a topic in {}", here.region)))
}

/// What is wrong with a topic of the stack's region, and what to do; none where nothing is, or nobody says.
fn wrong(arn: &str, here: Place<'_>, seen: Seen) -> Option<(String, String)> {
    match seen {
        Seen::Missing => Some(("it does not exist".to_owned(), "name a topic that exists".to_owned())),
        Seen::Policy(policy) => {
            let is_other = Place::of(arn).is_some_and(|there| there.account != here.account);
            refusing::shut(&policy, here).filter(|_| is_other)
        }
        Seen::NotKnown => None,
    }
}

#[cfg(test)]
mod tests {
    use cutover::stakeholders::StackGroups;
    use serde_json::json;

    use super::*;

    fn arn(place: &str) -> String {
        format!("arn:aws:sns:{place}:team")
    }

    fn here() -> Place<'static> {
        Place::of("arn:aws:states:eu-west-1:123456789012:execution:cutover:run").unwrap()
    }

    #[test]
    fn a_topic_that_reaches_nobody_is_told_before_the_run() {
        let own = arn("eu-west-1:123456789012");
        let other = arn("eu-west-1:999999999999");
        let told = |arn: &str, seen: Seen| wrong(arn, here(), seen).map(|(why, _)| why).unwrap_or_default();
        assert_eq!(told(&own, Seen::Missing), "it does not exist");
        assert_eq!(told(&own, Seen::Policy(String::new())), "", "the stack's own role may publish");
        assert!(told(&other, Seen::Policy("{}".to_owned())).contains("lets nobody of the account 123456789012"));
        assert_eq!(told(&other, Seen::NotKnown), "", "the role may not look");
    }

    #[test]
    fn a_topic_of_another_region_is_told_without_a_call() {
        let (why, fix) = in_another_region(&arn("us-east-1:123456789012"), here()).unwrap();
        assert!(why.contains("us-east-1") && fix.contains("eu-west-1"), "{why}; {fix}");
        assert_eq!(in_another_region(&arn("eu-west-1:999999999999"), here()), None);
    }

    #[test]
    fn each_topic_is_looked_at_once_and_told_where_a_person_can_change_it() {
        let group = |name: &str, arns: &[&str]| {
            let channels: Vec<_> = arns.iter().map(|arn| json!({ "type": "sns", "topic_arn": arn })).collect();
            json!({ "name": name, "channels": channels })
        };
        let (one, two) = (arn("eu-west-1:123456789012"), arn("eu-west-1:999999999999"));
        let stack = StackGroups::read(&json!([group("executives", &[&one])]).to_string()).unwrap();
        let plan = json!({ "application": "shop", "routes": [],
            "stakeholders": { "groups": [group("on-call", &[&one, &two])] } });
        let plan: Plan = serde_json::from_value(plan).unwrap();
        let found = topics_of(&stack.hearers(&plan.stakeholders), &plan);
        assert_eq!(found[one.as_str()], ("$.stakeholders.of_stack".to_owned(), "executives"));
        assert_eq!(found[two.as_str()], ("$.stakeholders.groups[0].channels[1].topic_arn".to_owned(), "on-call"));
    }
}
