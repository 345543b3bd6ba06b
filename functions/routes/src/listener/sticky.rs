//! Where Elastic Load Balancing wants group stickiness: pure.
//!
//! A forward action with several groups, one of which has target stickiness by cookies (`stickiness.enabled`), is refused
//! unless the action has group stickiness: `InvalidConfigurationRequest` (reports of 2024 and later). The plan's
//! `group_stickiness` switches it on while the run has both groups in the action.

use std::collections::BTreeSet;

use cutover::Finding;
use cutover::plan::ListenerRoute;

use super::arns;
use super::planned::pair;
use super::state::ListenerState;

/// What does not fit, where these groups have cookies of their own.
pub(super) fn findings(
    route: &ListenerRoute,
    state: &ListenerState,
    cookies: &BTreeSet<String>,
    path: &str,
) -> Vec<Finding> {
    let field = format!("{path}.group_stickiness");
    let on_before = state.forward.sticky_seconds();
    if route.group_stickiness.is_some() && arns::is_network(route.arn()) {
        let problem = "is given for a Network Load Balancer, which has no group stickiness";
        return vec![Finding::plan(field, problem, "leave it out")];
    }
    let mut findings = Vec::new();
    if let (Some(_), Some(seconds)) = (route.group_stickiness, on_before) {
        let problem = format!("has no effect: group stickiness is on already, for {seconds} s");
        findings.push(Finding::warning(&field, problem, "leave it out"));
    }
    let prepared = state.planned(pair(route), 0).ok();
    if let Some(group) = prepared.as_ref().and_then(|prepared| refused_for(prepared, cookies)) {
        let problem = format!(
            "has target stickiness (stickiness.enabled) on {group}, with which AWS refuses an action of several target \
             groups unless group stickiness is on"
        );
        let fix = "add `\"group_stickiness\": \"1h\"` to the route: it is on while the run has both groups in the action, and \
                   put back after; or switch target stickiness off";
        findings.push(Finding::environment(path, problem, fix));
    } else if let Some(group) = refused_for(&state.finished(pair(route), true), cookies) {
        let problem = format!(
            "ends with several target groups, of which {group} has target stickiness (stickiness.enabled): AWS refuses \
             that unless group stickiness is on for good"
        );
        let fix = "switch group stickiness on at the listener itself, or target stickiness off at the group";
        findings.push(Finding::environment(path, problem, fix));
    }
    findings
}

/// The group for whose cookies AWS refuses this state.
fn refused_for<'a>(state: &'a ListenerState, cookies: &BTreeSet<String>) -> Option<&'a str> {
    let groups = state.forward.weights();
    let is_refused = groups.len() > 1 && state.forward.sticky_seconds().is_none();
    groups.into_keys().find(|group| is_refused && cookies.contains(*group))
}

#[cfg(test)]
mod tests {
    use cutover::{Seconds, Severity};
    use serde_json::json;

    use super::*;
    use crate::listener::state::Stickiness;
    use crate::listener::state::tests::state;

    fn route(group_stickiness: Option<u64>) -> ListenerRoute {
        let route = json!({ "listener_arn": "arn:aws:elasticloadbalancing:r:1:listener/app/a/1/2",
            "old_target_group_arn": "old", "new_target_group_arn": "new", "steps": [{ "new_weight": 100 }] });
        let route: ListenerRoute = serde_json::from_value(route).unwrap();
        ListenerRoute { group_stickiness: group_stickiness.map(Seconds), ..route }
    }

    fn found(route: &ListenerRoute, state: &ListenerState, cookies: &[&str]) -> Vec<(Severity, String)> {
        let cookies = cookies.iter().map(|arn| (*arn).to_owned()).collect();
        findings(route, state, &cookies, "$").into_iter().map(|found| (found.severity, found.fix)).collect()
    }

    #[test]
    fn cookies_of_a_group_want_group_stickiness_and_the_plan_may_give_it() {
        let before = state(&[("old", 1)]);
        for group in ["old", "new"] {
            let found = found(&route(None), &before, &[group]);
            assert!(matches!(&found[..], [(Severity::Error, fix)] if fix.contains("\"group_stickiness\": \"1h\"")));
        }
        assert_eq!(found(&route(None), &before, &[]), vec![]);
        assert_eq!(found(&route(None), &before, &["elsewhere"]), vec![]);
        assert_eq!(found(&route(Some(3600)), &before, &["old", "new"]), vec![]);
    }

    #[test]
    fn where_it_is_on_already_the_plan_need_not_give_it() {
        let mut before = state(&[("old", 1)]);
        before.forward.stickiness = Some(Stickiness { enabled: true, duration_seconds: Some(60) });
        assert_eq!(found(&route(None), &before, &["old"]), vec![]);
        assert_eq!(found(&route(Some(3600)), &before, &["old"]), [(Severity::Warning, "leave it out".to_owned())]);
    }

    #[test]
    fn a_new_group_with_cookies_beside_neighbours_wants_it_for_good() {
        let before = state(&[("old", 2), ("canary", 1)]);
        let found = found(&route(Some(3600)), &before, &["new"]);
        assert!(matches!(&found[..], [(Severity::Error, fix)] if fix.contains("at the listener itself")), "{found:?}");
    }

    #[test]
    fn a_network_load_balancer_has_none() {
        let arn = "arn:aws:elasticloadbalancing:r:1:listener/net/a/1/2".to_owned();
        let route = ListenerRoute { listener_arn: Some(arn), ..route(Some(60)) };
        assert_eq!(found(&route, &state(&[("old", 1)]), &[]), [(Severity::Error, "leave it out".to_owned())]);
    }
}
