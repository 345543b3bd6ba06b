//! By whose links a plan may be agreed to, where it is the stack that asks: of the topic that it names, and of its own groups. Pure.
//!
//! A plan is written by those who want to move: a group of its own, with a channel of its own, is nobody whom the stack's owner knows. So where the stack
//! demands approval such a group has no link of any question of the run, precheck says so, and a yes by one is refused by who claims.

use serde_json::Value;

use super::Demanded;
use crate::ask::{of_group, of_topic};
use crate::plan::Group;
use crate::stakeholders::StackGroups;
use crate::{Finding, Plan};

impl Demanded {
    /// Groups of a plan's own that would answer in place of those whom the stack names. The plan is complete: it asks whom it has to.
    pub fn own_approvers(&self, plan: &Plan, stack: &StackGroups) -> Vec<Finding> {
        if !self.demands(plan) {
            return Vec::new();
        }
        let groups = plan.stakeholders.groups.iter().enumerate();
        let own = groups.filter(|(_, group)| group.may_answer && !stack.has(group));
        let finding = |(index, group): (usize, &Group)| {
            let problem =
                format!("`{}` is a group of the plan's own, and this stack says itself who agrees", group.name);
            let fix = "leave may_answer out, or have the group in the stack's `stakeholders`";
            Finding::environment(format!("$.stakeholders.groups[{index}].may_answer"), problem, fix)
        };
        own.map(finding).collect()
    }

    /// Whether a group's messages have the link that answers a question about this plan, as the question keeps it. What cannot be read, or is none,
    /// is taken for one that the stack has ask.
    pub fn lets_answer(&self, group: &Group, stack: &StackGroups, plan: &Value) -> bool {
        let is_demanded = || match serde_json::from_value::<Plan>(plan.clone()).ok() {
            Some(plan) => self.demands(&plan),
            None => self.is_any(),
        };
        group.may_answer && (stack.has(group) || !is_demanded())
    }

    /// Whether an answer by this recipient's link is one of those whom the stack asks.
    pub(super) fn is_by_theirs(&self, recipient: &str, plan: &Plan, stack: &StackGroups) -> bool {
        // A group of the plan stands in for one of the stack with the same name.
        let stands_in = |group: &&Group| {
            let mut own = plan.stakeholders.groups.iter();
            own.any(|own| own.name == group.name && own != *group)
        };
        let mut groups = stack.iter().filter(|group| group.may_answer && !stands_in(group));
        self.of_whom(None).ok().flatten().is_some_and(|topic| of_topic(topic) == recipient)
            || groups.any(|group| of_group(&group.name) == recipient)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ask::{Answer, Choice};
    use crate::error::name;

    const THEIRS: &str = "arn:aws:sns:eu-west-1:123456789012:changes";

    fn demanded(from: Value) -> Demanded {
        let rule = json!({ "topic_arn": THEIRS, "from": from, "tags": { "pci": "*" } });
        Demanded::read(&rule.to_string()).unwrap()
    }

    fn group(name: &str, to: &str, may_answer: bool) -> Value {
        json!({ "name": name, "channels": [{ "type": "mail", "to": [to] }], "may_answer": may_answer })
    }

    fn stack() -> StackGroups {
        let groups = json!([group("board", "board@example.com", true), group("team", "team@example.com", false)]);
        StackGroups::read(&groups.to_string()).unwrap()
    }

    fn plan(groups: Value, asks: bool) -> Plan {
        let approval = asks.then(|| json!({ "topic_arn": THEIRS }));
        let plan =
            json!({ "application": "shop", "routes": [], "approval": approval, "stakeholders": { "groups": groups } });
        serde_json::from_value(plan).unwrap()
    }

    fn groups() -> Value {
        json!([
            group("me", "me@example.net", true),
            group("others", "o@example.net", false),
            group("board", "me@example.net", true),
            group("board", "board@example.com", true),
        ])
    }

    #[test]
    fn a_plan_that_appoints_its_own_approvers_is_refused_where_the_stack_names_them() {
        let paths = |demanded: &Demanded, plan: &Plan| -> Vec<String> {
            demanded.own_approvers(plan, &stack()).into_iter().map(|finding| finding.path).collect()
        };
        let of_group = |index: usize| format!("$.stakeholders.groups[{index}].may_answer");
        let expected = [of_group(0), of_group(2)];
        assert_eq!(
            paths(&demanded(json!(1)), &plan(groups(), true)),
            expected,
            "the stack's own, written out, is the stack's"
        );
        assert_eq!(
            paths(&demanded(json!(null)), &plan(groups(), true)),
            expected,
            "by tags, once the plan is complete"
        );
        let none: [&str; 0] = [];
        assert_eq!(paths(&demanded(json!(null)), &plan(groups(), false)), none, "nothing of it is tagged");
        assert_eq!(paths(&demanded(json!(5)), &plan(groups(), false)), none, "asked by number, of more");
        assert_eq!(paths(&Demanded::default(), &plan(groups(), true)), none, "the stack asks nobody");
    }

    #[test]
    fn only_groups_of_the_stack_have_the_link_of_a_question_that_the_stack_has_asked() {
        let of = |group: Value| -> Group { serde_json::from_value(group).unwrap() };
        let asked = serde_json::to_value(plan(groups(), true)).unwrap();
        let free = serde_json::to_value(plan(groups(), false)).unwrap();
        let large = json!("too large to be shown");
        let (mine, board) = (of(group("board", "me@example.net", true)), of(group("board", "board@example.com", true)));
        for (demanded, plan, is_mine) in [
            (demanded(json!(1)), &asked, false),
            (demanded(json!(1)), &free, false),
            (demanded(json!(5)), &large, false),
            (demanded(json!(5)), &free, true),
            (Demanded::default(), &asked, true),
            (Demanded::default(), &large, true),
        ] {
            assert_eq!(demanded.lets_answer(&mine, &stack(), plan), is_mine, "{demanded:?} {plan}");
            assert!(demanded.lets_answer(&board, &stack(), plan));
            assert!(!demanded.lets_answer(&of(group("x", "x@example.net", false)), &stack(), plan));
        }
    }

    #[test]
    fn a_yes_by_the_link_of_a_plans_own_group_claims_nothing() {
        let answer = |recipient: &str| Answer {
            choice: Choice::Approve,
            by: "The Change Board".into(),
            verified: true,
            why: "agreed".into(),
            recipient: recipient.into(),
            at: "2026-11-27T02:00:00Z".parse().unwrap(),
        };
        let given = json!({ "by": "The Change Board", "why": "agreed", "plan": "abc", "question": "q" });
        let judged = |demanded: &Demanded, plan: &Plan, answer: Option<&Answer>| {
            demanded.judge(plan, Some(given.clone()), "abc", answer, &stack())
        };
        let (mine, plain) = (plan(json!([group("me", "me@example.net", true)]), true), plan(json!([]), true));
        for recipient in ["group.me", "group.team", "topic.shop", "group.changes", "changes"] {
            let error = judged(&demanded(json!(1)), &mine, Some(&answer(recipient))).unwrap_err();
            assert_eq!(error.name, name::PRECHECK_FAILED, "{recipient}");
            assert!(error.message.contains(recipient) && error.message.contains("nothing was touched"), "{error}");
            assert!(judged(&Demanded::default(), &mine, Some(&answer(recipient))).is_ok(), "whom the plan asks");
        }
        for recipient in ["topic.changes", "group.board"] {
            let kept = judged(&demanded(json!(1)), &plain, Some(&answer(recipient))).unwrap().unwrap();
            assert_eq!(kept["verified"], true);
        }
        let stands_in = plan(json!([group("board", "me@example.net", true)]), true);
        assert!(judged(&demanded(json!(1)), &stands_in, Some(&answer("group.board"))).is_err(), "by another's address");
        let error = judged(&demanded(json!(1)), &plain, None).unwrap_err();
        assert!(error.message.contains("has no answer"), "{error}");
    }
}
