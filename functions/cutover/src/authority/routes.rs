//! What plans of a stack may change: its listeners, rules and names, and the old groups that cleanup deletes.
//!
//! IAM holds these, in the policies of those who write; here it is told beforehand what these will refuse, since a run finds that out after people have agreed and
//! its claim is made, and cleanup days later. A denial is only told here: nothing is allowed by it. Of another account or region IAM asks the role there, whose lists
//! the stack does not see.

use super::Patterns;
use crate::arn::Place;
use crate::bootstrap::Environment;
use crate::dns::normalise_name;
use crate::plan::{DnsRoute, ListenerRoute, Route};
use crate::{Finding, Plan};

/// The lists, as the roles' policies have them.
#[derive(Clone, Debug, Default)]
pub struct AllowedRoutes {
    listeners: Patterns,
    rules: Patterns,
    names: Patterns,
    groups: Patterns,
}

impl AllowedRoutes {
    /// From `LISTENERS`, `RULES`, `RECORD_NAMES` and `TARGET_GROUPS`.
    ///
    /// # Errors
    /// One of them is not set, or is no list.
    pub fn of(environment: &Environment) -> Result<Self, lambda_runtime::Error> {
        let list = |name: &str| Patterns::of(environment, name);
        let (listeners, rules) = (list("LISTENERS")?, list("RULES")?);
        Ok(Self { listeners, rules, names: list("RECORD_NAMES")?, groups: list("TARGET_GROUPS")? })
    }

    /// Of these lists: ARNs, and names in any spelling; of names `*` alone is a pattern, and means all.
    pub fn new(listeners: Patterns, rules: Patterns, names: Patterns, groups: Patterns) -> Self {
        Self { listeners, rules, names, groups }
    }

    /// Everything that the run, or its cleanup, would be denied where the stack is; none of what is elsewhere.
    pub fn findings(&self, plan: &Plan, here: Option<Place<'_>>) -> Vec<Finding> {
        let is_here = |route: &&(usize, &Route)| {
            here.is_none_or(|here| route.1.place().is_none_or(|there| there.or(here) == here))
        };
        let routes: Vec<(usize, &Route)> = plan.routes.iter().enumerate().collect();
        let here: Vec<_> = routes.iter().filter(is_here).collect();
        let denied = here.iter().filter_map(|(index, route)| match route {
            Route::Listener(route) => self.of_listener(route, *index),
            Route::Dns(route) => self.of_name(route, *index),
        });
        let mut findings: Vec<Finding> = denied.collect();
        if plan.cleanup.delete_old_target_group {
            let groups = here.iter().filter_map(|(index, route)| match route {
                Route::Listener(route) => Some((*index, route.old_target_group_arn.as_str())),
                Route::Dns(_) => None,
            });
            findings.extend(self.of_groups(groups));
        }
        findings
    }

    fn of_listener(&self, route: &ListenerRoute, index: usize) -> Option<Finding> {
        let (field, list, allowed) = match &route.rule_arn {
            Some(_) => ("rule_arn", "rules", &self.rules),
            None => ("listener_arn", "listeners", &self.listeners),
        };
        (!allowed.allow(route.arn())).then(|| {
            let problem = format!("`{}` is none of the {list} that plans of this stack may change", route.arn());
            Finding::environment(format!("$.routes[{index}].{field}"), problem, listed(list))
        })
    }

    /// IAM compares names whole (`StringEquals`), and as Route 53 stores them.
    fn of_name(&self, route: &DnsRoute, index: usize) -> Option<Finding> {
        let name = route.normalised_name();
        let is_listed = self.names.is_open() || self.names.iter().any(|listed| normalise_name(listed) == name);
        (!is_listed).then(|| {
            let problem = format!("`{}` is none of the names that plans of this stack may change", route.record_name);
            Finding::environment(format!("$.routes[{index}].record_name"), problem, listed("recordNames"))
        })
    }

    fn of_groups<'a>(&self, groups: impl Iterator<Item = (usize, &'a str)>) -> Option<Finding> {
        let denied: Vec<(usize, &str)> = groups.filter(|(_, group)| !self.groups.allow(group)).collect();
        let (index, group) = denied.first()?;
        let more = match denied.len() {
            1 => String::new(),
            others => format!(", nor {} others", others - 1),
        };
        let problem = format!("wants the group of $.routes[{index}] deleted, {group}, which this stack may not{more}");
        let fix = "have it listed in the stack's targetGroups, or leave delete_old_target_group out";
        Some(Finding::environment("$.cleanup.delete_old_target_group", problem, fix))
    }
}

fn listed(list: &str) -> String {
    format!("have it listed in the stack's {list}, and the stack deployed, or move what is")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Severity;

    const HERE: Place<'_> = Place { region: "eu-west-1", account: "123456789012" };

    fn arn(resource: &str) -> String {
        format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{resource}")
    }

    fn listener(field: &str, resource: &str, old: &str) -> Value {
        json!({ "type": "listener", field: arn(resource), "old_target_group_arn": arn(old), "new_target_group_arn": arn("targetgroup/new/2"),
            "steps": [{ "new_weight": 100 }] })
    }

    fn name(name: &str, account: Value) -> Value {
        json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": name, "account": account, "records": [],
            "steps": [{ "new_weight": 100 }] })
    }

    fn plan(routes: &[Value], deletes: bool) -> Plan {
        let plan =
            json!({ "application": "shop", "routes": routes, "cleanup": { "delete_old_target_group": deletes } });
        serde_json::from_value(plan).unwrap()
    }

    fn allowed(listeners: Value, rules: Value, names: Value, groups: Value) -> AllowedRoutes {
        let [listeners, rules, names, groups] =
            [listeners, rules, names, groups].map(|list| Patterns::read(&list.to_string()).unwrap());
        AllowedRoutes::new(listeners, rules, names, groups)
    }

    fn paths(allowed: &AllowedRoutes, plan: &Plan) -> Vec<String> {
        let findings = allowed.findings(plan, Some(HERE));
        assert!(findings.iter().all(|finding| finding.severity == Severity::Error), "{findings:?}");
        findings.into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn what_iam_will_refuse_is_told_before_anybody_agrees() {
        let plan = plan(
            &[
                listener("listener_arn", "listener/app/shop/1/2", "targetgroup/old/1"),
                listener("rule_arn", "listener-rule/app/shop/1/2/3", "targetgroup/other/1"),
                name("shop.example.com", Value::Null),
            ],
            true,
        );
        let none: [&str; 0] = [];
        let all = json!(["*"]);
        assert_eq!(paths(&allowed(all.clone(), all.clone(), all.clone(), all.clone()), &plan), none);
        let nothing = allowed(json!([]), json!([]), json!([]), json!([]));
        let every = [
            "$.routes[0].listener_arn",
            "$.routes[1].rule_arn",
            "$.routes[2].record_name",
            "$.cleanup.delete_old_target_group",
        ];
        assert_eq!(paths(&nothing, &plan), every);
        let told = nothing.findings(&plan, Some(HERE));
        assert!(
            told[0].fix.contains("listeners") && told[1].fix.contains("rules") && told[2].fix.contains("recordNames")
        );
        assert!(told[3].problem.contains("targetgroup/old/1") && told[3].problem.contains("nor 1 others"), "{told:?}");
        let theirs = allowed(
            json!([arn("listener/app/shop/*")]),
            json!([arn("listener-rule/app/shop/1/2/3")]),
            json!(["shop.example.com"]),
            json!([arn("targetgroup/o*")]),
        );
        assert_eq!(paths(&theirs, &plan), none);
        let swapped = allowed(json!([arn("listener-rule/*")]), json!([arn("listener/*")]), all.clone(), all);
        assert_eq!(paths(&swapped, &plan), every[..2], "a list is of its own kind");
    }

    #[test]
    fn names_are_compared_whole_and_as_iam_has_them() {
        for (listed, asked, is_listed) in [
            ("\\052.shop.example.com", "*.Shop.example.com.", true),
            ("Shop.Example.com.", "shop.example.com", true),
            ("*.example.com", "shop.example.com", false),
            ("shop.example.com", "shop.example.com.evil.net", false),
            ("example.com", "shop.example.com", false),
            ("*", "shop.example.com", true),
        ] {
            let allowed = allowed(json!([]), json!([]), json!([listed]), json!([]));
            let found = paths(&allowed, &plan(&[name(asked, Value::Null)], true));
            assert_eq!(found.is_empty(), is_listed, "{listed} {asked}");
        }
    }

    #[test]
    fn of_another_account_or_region_the_roles_there_say_what_may_change() {
        let nothing = allowed(json!([]), json!([]), json!([]), json!([]));
        let elsewhere = |from: &str, to: &str| -> Value {
            let listener = listener("listener_arn", "listener/app/shop/1/2", "targetgroup/old/1").to_string();
            serde_json::from_str(&listener.replace(from, to)).unwrap()
        };
        let there = [
            elsewhere("123456789012", "222222222222"),
            elsewhere("eu-west-1", "eu-central-1"),
            name("a.b", json!("222222222222")),
        ];
        assert_eq!(nothing.findings(&plan(&there, true), Some(HERE)), []);
        assert_eq!(
            paths(&nothing, &plan(&[name("a.b", json!("123456789012"))], true)).len(),
            1,
            "its own account, said aloud"
        );
        assert_eq!(nothing.findings(&plan(&there, true), None).len(), 4, "a tool that is nowhere tells of all");
    }
}
