//! Which functions a plan may name as hooks, by application.

use std::collections::BTreeMap;

use crate::Finding;
use crate::bootstrap::Environment;
use crate::plan::{Hook, Hooks};

/// Of each application the ARNs that its plans may name, as they are written: a role's permission for a function says nothing of its versions and
/// aliases. Those of `*` are every application's; the ARN `*` is any.
#[derive(Clone, Debug, Default)]
pub struct AllowedHooks(BTreeMap<String, Vec<String>>);

impl AllowedHooks {
    /// From `HOOK_FUNCTION_ARNS`.
    ///
    /// # Errors
    /// It is not set, or is no such object.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        Self::read(&environment.variable("HOOK_FUNCTION_ARNS")?).map_err(Into::into)
    }

    /// From a JSON object of application to ARNs.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text)
            .map(Self)
            .map_err(|error| format!("HOOK_FUNCTION_ARNS is no object of application to ARNs: {error}"))
    }

    fn allow(&self, application: &str, arn: &str) -> bool {
        let lists = [self.0.get("*"), self.0.get(application)];
        lists.into_iter().flatten().flatten().any(|allowed| allowed == "*" || allowed == arn)
    }

    /// Hooks whose invocation would be denied, or that are another application's. Found out at `resume`, that leaves the old side's writers stopped.
    pub fn findings(&self, application: &str, hooks: &Hooks) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (point, list) in hooks.points() {
            for (index, Hook { function_arn, .. }) in list.iter().enumerate() {
                if !self.allow(application, function_arn) {
                    let fix = "list this ARN, as the plan writes it, in the stack's hookFunctionArns, and deploy";
                    findings.push(Finding::environment(
                        format!("$.hooks.{point}[{index}].function_arn"),
                        format!("{function_arn} may not be invoked for {application} by the state machines"),
                        fix,
                    ));
                }
            }
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Seconds, Severity};

    fn arn(name: &str) -> String {
        format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}")
    }

    fn hook(name: &str) -> Hook {
        Hook { function_arn: arn(name), timeout: Seconds(60) }
    }

    fn hooks() -> Hooks {
        Hooks {
            quiesce: vec![hook("stop"), hook("stop:live")],
            resume: vec![hook("go")],
            before_traffic: vec![hook("stop")],
            after_traffic: vec![hook("test")],
            on_rollback: vec![hook("look")],
        }
    }

    fn paths(allowed: serde_json::Value) -> Vec<String> {
        let findings = AllowedHooks::read(&allowed.to_string()).unwrap().findings("shop", &hooks());
        assert!(findings.iter().all(|finding| finding.severity == Severity::Error), "{findings:?}");
        findings.into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn every_hook_that_may_not_be_invoked_is_found_at_its_place() {
        assert_eq!(paths(json!({ "*": ["*"] })), [""; 0]);
        assert_eq!(
            paths(json!({ "*": [arn("stop"), arn("test")], "shop": [arn("look")] })),
            ["$.hooks.quiesce[1].function_arn", "$.hooks.resume[0].function_arn"],
            "a qualified name is another one"
        );
        assert_eq!(paths(json!({})).len(), 6, "none is allowed unless told otherwise");
        assert!(AllowedHooks::read("*").is_err() && AllowedHooks::read("").is_err());
    }

    #[test]
    fn a_hook_of_another_application_is_not_invoked() {
        let all = ["stop", "stop:live", "go", "test", "look"].map(arn);
        assert_eq!(paths(json!({ "shop": all })), [""; 0]);
        assert_eq!(paths(json!({ "billing": all, "sho": all, "Shop": all })).len(), 6);
    }
}
