//! What comes of an old target group that the plan asks cleanup to delete: told before anything moves. Pure.

use cutover::{Finding, Plan};
use routes::behind::Behind;

/// A group that something which the plan leaves behind goes on forwarding to is not deleted: AWS deletes none that is in use.
pub(crate) fn stays(plan: &Plan, behind: &[Behind]) -> Option<Finding> {
    if !plan.cleanup.delete_old_target_group {
        return None;
    }
    let forwards = |one: &&Behind| one.what.contains(":listener") && one.is_named_in(&plan.leaves_behind);
    let mut forwarding = behind.iter().filter(forwards);
    let first = forwarding.next()?;
    let others = match forwarding.count() {
        0 => String::new(),
        1 => ", and another one to it or another old group".to_owned(),
        more => format!(", and {more} others to it or other old groups"),
    };
    let problem = format!("keeps the group of {}: {} goes on forwarding to it{others}", first.path, first.what);
    let fix = "move that with a route of its own, or leave delete_old_target_group out";
    Some(Finding::warning("$.cleanup.delete_old_target_group", problem, fix))
}

#[cfg(test)]
mod tests {
    use cutover::Severity;
    use serde_json::json;

    use super::*;

    const RULE: &str = "arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/shop/1/2/3";

    fn told(delete: bool, named: &[&str], behind: &[&str]) -> Option<Finding> {
        let named: Vec<_> = named.iter().map(|what| json!({ "what": what, "why": "it stays" })).collect();
        let cleanup = json!({ "delete_old_target_group": delete });
        let plan = json!({ "application": "a", "routes": [], "cleanup": cleanup, "leaves_behind": named });
        let behind = behind.iter().map(|what| Behind {
            path: "$.routes[0].old_target_group_arn".to_owned(),
            what: (*what).to_owned(),
            problem: String::new(),
            fix: String::new(),
        });
        stays(&serde_json::from_value(plan).unwrap(), &behind.collect::<Vec<_>>())
    }

    #[test]
    fn a_group_that_a_rule_goes_on_forwarding_to_is_told_to_stay() {
        let finding = told(true, &[RULE], &[RULE]).unwrap();
        assert_eq!(finding.severity, Severity::Warning);
        assert!(finding.problem.contains(RULE) && finding.problem.contains("$.routes[0]"), "{}", finding.problem);
        assert_eq!(told(false, &[RULE], &[RULE]), None, "nobody asks to delete it");
        assert_eq!(told(true, &[], &[RULE]), None, "the plan is refused for it");
        assert_eq!(told(true, &["AAAA a.example.com"], &["AAAA a.example.com"]), None, "a record has no group");
    }
}
