//! Which topics a stack publishes to.
//!
//! The first of `TOPIC_ARNS` is the stack's own. What is told of a plan that names another one than is listed, which may be a plan that nobody
//! could read, goes there: so somebody hears of it, and nobody whom the stack's owner does not know.

use super::{Patterns, refuse_first};
use crate::bootstrap::Environment;
use crate::plan::Channel;
use crate::{Finding, Plan, StepResult};

/// The topics that messages may go to.
#[derive(Clone, Debug, Default)]
pub struct Topics(Patterns);

impl Topics {
    /// From `TOPIC_ARNS`.
    ///
    /// # Errors
    /// It is not set, or is no list.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        Patterns::of(environment, "TOPIC_ARNS").map(Self)
    }

    /// Of this list.
    pub fn new(listed: Patterns) -> Self {
        Self(listed)
    }

    /// Where a message goes that is meant for this topic: there, if it is listed; else to the stack's own, if it has one.
    pub fn or_own<'a>(&'a self, wanted: &'a str) -> Option<&'a str> {
        if self.0.allow(wanted) { Some(wanted) } else { self.0.iter().next().filter(|own| own.starts_with("arn:")) }
    }

    /// Whether a message may go to this topic, of which `path` says where it is named.
    ///
    /// # Errors
    /// `Cutover.NotPermitted`.
    pub fn check(&self, path: &str, topic: &str) -> StepResult<()> {
        refuse_first(self.finding(path, topic).into_iter().collect())
    }

    /// Every topic of a plan that is not listed.
    pub fn findings(&self, plan: &Plan) -> Vec<Finding> {
        let notify = plan.notify.iter().map(|notify| ("$.notify.topic_arn".to_owned(), &notify.topic_arn));
        let approval = plan.approval.iter().map(|approval| ("$.approval.topic_arn".to_owned(), &approval.topic_arn));
        let groups = plan.stakeholders.groups.iter().enumerate().flat_map(|(group, of)| {
            of.channels.iter().enumerate().filter_map(move |(index, channel)| match channel {
                Channel::Sns(to) | Channel::Chat(to) => {
                    let path = format!("$.stakeholders.groups[{group}].channels[{index}].topic_arn");
                    Some((path, &to.topic_arn))
                }
                Channel::Mail(_) | Channel::Webhook(_) => None,
            })
        });
        notify.chain(approval).chain(groups).filter_map(|(path, topic)| self.finding(&path, topic)).collect()
    }

    fn finding(&self, path: &str, topic: &str) -> Option<Finding> {
        (!self.0.allow(topic)).then(|| {
            let problem = format!("`{topic}` is none of the topics that this stack publishes to");
            let fix = match self.0.iter().next().filter(|own| own.starts_with("arn:")) {
                Some(own) => {
                    format!("name the stack's own topic, {own}, or have this one listed in the stack's topicArns")
                }
                None => "have it listed in the stack's topicArns".to_owned(),
            };
            Finding::environment(path, problem, fix)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OWN: &str = "arn:aws:sns:eu-west-1:123456789012:cutover-pages";
    const THEIRS: &str = "arn:aws:sns:eu-west-1:999999999999:collector";

    fn topics(list: &[&str]) -> Topics {
        Topics::new(Patterns::read(&json!(list).to_string()).unwrap())
    }

    #[test]
    fn what_is_meant_for_a_topic_that_is_not_listed_goes_to_the_stacks_own() {
        assert_eq!(topics(&[OWN]).or_own(THEIRS), Some(OWN));
        assert_eq!(topics(&[OWN]).or_own("anything at all"), Some(OWN));
        assert_eq!(topics(&[OWN, THEIRS]).or_own(THEIRS), Some(THEIRS));
        assert_eq!(topics(&[OWN, "*"]).or_own(THEIRS), Some(THEIRS));
        assert_eq!(topics(&[]).or_own(THEIRS), None, "nowhere");
    }

    #[test]
    fn every_topic_of_a_plan_that_is_not_listed_is_found_at_its_place() {
        let channels = json!([{ "type": "sns", "topic_arn": THEIRS }, { "type": "sns", "topic_arn": OWN }, { "type": "chat", "topic_arn": THEIRS }]);
        let plan = json!({
            "application": "a", "notify": { "topic_arn": THEIRS }, "approval": { "topic_arn": THEIRS },
            "stakeholders": { "groups": [{ "name": "us", "channels": channels }] },
            "routes": [{ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com",
                "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }], "steps": [{ "new_weight": 100 }] }],
        });
        let plan = Plan::read(&plan).unwrap();
        let found = topics(&[OWN]).findings(&plan);
        let paths: Vec<&str> = found.iter().map(|finding| finding.path.as_str()).collect();
        let group = |index: usize| format!("$.stakeholders.groups[0].channels[{index}].topic_arn");
        assert_eq!(paths, ["$.notify.topic_arn", "$.approval.topic_arn", &group(0), &group(2)]);
        assert!(found[0].fix.contains(OWN), "{}", found[0].fix);
        assert_eq!(topics(&["arn:aws:sns:*"]).findings(&plan), []);
        assert!(topics(&[OWN]).check("$.approval.topic_arn", THEIRS).unwrap_err().message.starts_with("$.approval"));
    }
}
