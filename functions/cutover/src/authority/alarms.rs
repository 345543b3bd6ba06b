//! Which alarms plans may set, and what these may do when they ring.
//!
//! An action of an alarm can stop a machine, run a document, or invoke a function, by CloudWatch's own authority: so a plan may name those alone
//! that the stack lists. The stack's own alarms, which page when a rollback fails, are none that a plan may change.

use super::{Patterns, refuse_first};
use crate::alarm::Alarm;
use crate::bootstrap::Environment;
use crate::{Finding, StepResult};

/// What a stack allows of alarms.
#[derive(Clone, Debug, Default)]
pub struct AllowedAlarms {
    names: Patterns,
    actions: Patterns,
    own: Patterns,
}

impl AllowedAlarms {
    /// From `ALARM_NAMES`, `ALARM_ACTIONS`, and `OWN_ALARM_NAMES`, those of the stack itself.
    ///
    /// # Errors
    /// One of them is not set, or is no list.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        let list = |name: &str| Patterns::of(environment, name);
        Ok(Self { names: list("ALARM_NAMES")?, actions: list("ALARM_ACTIONS")?, own: list("OWN_ALARM_NAMES")? })
    }

    /// From these lists.
    pub fn new(names: Patterns, actions: Patterns, own: Patterns) -> Self {
        Self { names, actions, own }
    }

    /// Everything in the plan's alarms that is not allowed.
    pub fn findings(&self, alarms: &[Alarm]) -> Vec<Finding> {
        let of = |(index, alarm): (usize, &Alarm)| self.of_one(alarm, &format!("$.alarms[{index}]"));
        alarms.iter().enumerate().flat_map(of).collect()
    }

    /// Whether one may be set, right before it is.
    ///
    /// # Errors
    /// `Cutover.NotPermitted`.
    pub fn check(&self, alarm: &Alarm, index: usize) -> StepResult<()> {
        refuse_first(self.of_one(alarm, &format!("$.alarms[{index}]")))
    }

    /// The first of an alarm's actions that could not be set, nor put back.
    pub fn denied<'a>(&self, actions: impl IntoIterator<Item = &'a String>) -> Option<&'a str> {
        actions.into_iter().map(String::as_str).find(|action| !self.actions.allow(action))
    }

    /// Whether an alarm without any action may be set: the role's condition cannot tell such a one from one whose actions it does not see.
    pub fn lets_do_nothing(&self) -> bool {
        self.actions.is_open()
    }

    fn of_one(&self, alarm: &Alarm, path: &str) -> Vec<Finding> {
        self.name(alarm, path).into_iter().chain(self.actions(alarm, path)).collect()
    }

    fn name(&self, alarm: &Alarm, path: &str) -> Option<Finding> {
        let (name, path) = (&alarm.alarm_name, format!("{path}.AlarmName"));
        if self.own.allow(name) {
            let problem = format!("`{name}` is an alarm of the stack itself, or named like one");
            return Some(Finding::environment(path, problem, "choose another name"));
        }
        (!self.names.allow(name)).then(|| {
            let problem = format!("`{name}` is none of the alarms that the stack's role may set");
            Finding::environment(path, problem, "choose a name of the stack's alarmNames, or add it there and deploy")
        })
    }

    fn actions(&self, alarm: &Alarm, path: &str) -> Vec<Finding> {
        let lists = [
            ("OKActions", &alarm.ok_actions),
            ("AlarmActions", &alarm.alarm_actions),
            ("InsufficientDataActions", &alarm.insufficient_data_actions),
        ];
        if lists.iter().all(|(_, actions)| actions.is_empty()) && !self.lets_do_nothing() {
            let problem = "has no action, and the stack's role may set alarms with listed actions alone";
            let fix = "name one of the stack's alarmActions, such as its topic";
            return vec![Finding::environment(format!("{path}.AlarmActions"), problem, fix)];
        }
        let each = lists.into_iter().flat_map(|(field, actions)| {
            actions.iter().enumerate().map(move |(index, action)| (format!("{path}.{field}[{index}]"), action))
        });
        let denied = each.filter(|(_, action)| !self.actions.allow(action));
        let finding = |(path, action): (String, &String)| {
            let problem = format!("`{action}` is no action that alarms of this stack may have");
            let fix = "name the stack's topic, or have the action listed in the stack's alarmActions";
            Finding::environment(path, problem, fix)
        };
        denied.map(finding).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::name;

    const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:cutover-pages";

    fn allowed(names: &str, actions: &str) -> AllowedAlarms {
        let list = |text: &str| Patterns::read(text).unwrap();
        AllowedAlarms::new(list(names), list(actions), list(r#"["cutover-*"]"#))
    }

    fn alarm(name: &str, actions: &[&str]) -> Alarm {
        let alarm_actions = actions.iter().map(|action| (*action).to_owned()).collect();
        Alarm { alarm_name: name.to_owned(), alarm_actions, ..Alarm::default() }
    }

    fn paths(allowed: &AllowedAlarms, alarms: &[Alarm]) -> Vec<String> {
        allowed.findings(alarms).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn an_alarm_that_the_role_could_not_set_is_found_at_its_name() {
        let alarms = ["shop-5xx", "portal-5xx", "shop"].map(|name| alarm(name, &[TOPIC]));
        let found = |names: &str| paths(&allowed(names, r#"["*"]"#), &alarms);
        assert_eq!(found(r#"["*"]"#), [""; 0]);
        assert_eq!(found(r#"["shop-*"]"#), ["$.alarms[1].AlarmName", "$.alarms[2].AlarmName"]);
        assert_eq!(found(r#"["shop-*", "portal-5xx", "sho?"]"#), [""; 0]);
        assert_eq!(found("[]").len(), 3);
    }

    #[test]
    fn an_alarm_that_terminates_an_instance_invokes_a_function_or_runs_a_document_is_refused_in_every_list() {
        let allowed = allowed(r#"["*"]"#, &format!(r#"["{TOPIC}"]"#));
        for action in [
            "arn:aws:automate:eu-west-1:ec2:terminate",
            "arn:aws:swf:eu-west-1:123456789012:action/actions/AWS_EC2.InstanceId.Terminate/1.0",
            "arn:aws:lambda:eu-west-1:123456789012:function:delete-everything",
            "arn:aws:ssm:eu-west-1:123456789012:opsitem:1",
            "arn:aws:sns:eu-west-1:999999999999:cutover-pages",
        ] {
            let in_one = Alarm { ok_actions: vec![action.to_owned()], ..alarm("a", &[TOPIC]) };
            let in_another = Alarm { insufficient_data_actions: vec![action.to_owned()], ..alarm("b", &[TOPIC]) };
            let alarms = [alarm("c", &[TOPIC, action]), in_one, in_another, alarm("d", &[TOPIC])];
            let expected =
                ["$.alarms[0].AlarmActions[1]", "$.alarms[1].OKActions[0]", "$.alarms[2].InsufficientDataActions[0]"];
            assert_eq!(paths(&allowed, &alarms), expected, "{action}");
            assert_eq!(allowed.check(&alarms[0], 0).unwrap_err().name, name::NOT_PERMITTED, "and again by who writes");
            assert_eq!(allowed.check(&alarms[3], 3), Ok(()));
        }
    }

    #[test]
    fn the_stacks_own_alarms_are_no_plans_even_where_all_names_are_open() {
        let allowed = allowed(r#"["*"]"#, r#"["*"]"#);
        let found = allowed.findings(&[alarm("cutover-stuck", &[TOPIC]), alarm("shop-cutover-errors", &[TOPIC])]);
        assert_eq!((found.len(), found[0].path.as_str()), (1, "$.alarms[0].AlarmName"));
        assert!(found[0].problem.contains("of the stack itself"));
    }

    #[test]
    fn an_alarm_without_actions_is_set_only_where_all_actions_are_open() {
        assert_eq!(paths(&allowed(r#"["*"]"#, r#"["arn:*"]"#), &[alarm("a", &[])]), ["$.alarms[0].AlarmActions"]);
        assert_eq!(paths(&allowed(r#"["*"]"#, r#"["*"]"#), &[alarm("a", &[])]), [""; 0]);
    }
}
