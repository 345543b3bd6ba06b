use cutover::plan::Step;
use cutover::{Seconds, Severity};

use super::*;
use crate::listener::{Forward, Stickiness, WeightedGroup};

fn route() -> ListenerRoute {
    ListenerRoute {
        listener_arn: Some("listener".to_owned()),
        rule_arn: None,
        old_target_group_arn: "old".to_owned(),
        new_target_group_arn: "new".to_owned(),
        min_healthy_percent: 80,
        group_stickiness: None,
        steps: vec![Step { new_weight: 50, hold: Seconds(0) }, Step { new_weight: 100, hold: Seconds(0) }],
    }
}

fn findings(groups: &[(&str, i32)], sticky: bool) -> Vec<(Severity, String)> {
    let groups = groups.iter().map(|(arn, weight)| WeightedGroup { arn: (*arn).to_owned(), weight: Some(*weight) });
    let stickiness = Some(Stickiness { enabled: sticky, duration_seconds: Some(3600) });
    let forward = Forward { order: None, target_group_arn: None, groups: groups.collect(), stickiness };
    let state = ListenerState { forward, others: vec![] };
    fits(&route(), &state, "$.routes[0]").into_iter().map(|finding| (finding.severity, finding.path)).collect()
}

#[test]
fn the_old_group_must_serve_and_the_new_one_must_not() {
    assert_eq!(findings(&[("old", 1)], false), []);
    let error = |field: &str| (Severity::Error, format!("$.routes[0].{field}"));
    assert_eq!(findings(&[("other", 1)], false), [error("old_target_group_arn")]);
    assert_eq!(
        findings(&[("old", 0), ("new", 1)], false),
        [error("old_target_group_arn"), error("new_target_group_arn")]
    );
}

#[test]
fn weights_that_neighbours_cannot_represent_are_found_by_step() {
    assert_eq!(
        findings(&[("old", 1), ("other", 1)], false),
        [(Severity::Error, "$.routes[0].steps[0].new_weight".to_owned())]
    );
    assert_eq!(findings(&[("old", 2), ("other", 1)], false), []);
}

#[test]
fn an_old_side_that_a_rollback_would_not_return_to_is_a_warning() {
    let used = TargetGroup::builder().load_balancer_arns("balancer").build();
    let severity = |healthy, total| sick_old_side(&route(), &used, (healthy, total), String::new()).map(|f| f.severity);
    assert_eq!(severity(4, 5), None);
    assert_eq!(severity(3, 5), Some(Severity::Warning));
    assert_eq!(severity(0, 0), Some(Severity::Warning));
}

#[test]
fn an_old_group_that_no_listener_uses_is_told_as_such_and_not_as_sick() {
    let told = sick_old_side(&route(), &TargetGroup::builder().build(), (0, 2), String::new()).unwrap();
    assert!(told.problem.starts_with("is of no listener or rule") && !told.problem.contains("healthy,"), "{told:?}");
    assert_eq!(told.fix, "name the target group that serves now");
}

#[test]
fn what_to_name_is_said_by_what_is_wrong_with_the_listener() {
    let of = |name, message: &str| what_to_name(&StepError::new(name, message));
    let missing = "elasticloadbalancing:DescribeListeners arn: ListenerNotFound: One or more listeners not found";
    assert_eq!(of(name::REFUSED, missing), NO_LISTENER);
    assert_eq!(of(name::REFUSED, "elasticloadbalancing:DescribeRules a: there is no such rule"), NO_LISTENER);
    assert_eq!(of(name::REFUSED, "a is a default rule, which only its listener can change"), DEFAULT_RULE);
    let redirect = "a: it forwards to no target group, its action is redirect";
    assert_eq!(of(name::DRIFT, redirect), NOT_FORWARDING);
}

fn plan_of(routes: &[(&str, &str)], delete: bool) -> Plan {
    let route = |(balancer, new): &(&str, &str)| {
        let arn = format!("arn:aws:elasticloadbalancing:r:1:listener/{balancer}/1/2");
        serde_json::json!({ "type": "listener", "listener_arn": arn, "old_target_group_arn": "old",
            "new_target_group_arn": new, "steps": [] })
    };
    let routes: Vec<_> = routes.iter().map(route).collect();
    let cleanup = serde_json::json!({ "delete_old_target_group": delete });
    serde_json::from_value(serde_json::json!({ "application": "a", "routes": routes, "cleanup": cleanup })).unwrap()
}

fn told_by_arns(routes: &[(&str, &str)], delete: bool) -> Vec<(Severity, String)> {
    let plan = plan_of(routes, delete);
    let index = routes.len() - 1;
    let Route::Listener(route) = &plan.routes[index] else { return Vec::new() };
    by_arns(&plan, index, route, "$").into_iter().map(|found| (found.severity, found.path)).collect()
}

#[test]
fn a_new_group_for_two_load_balancers_is_an_error_of_the_plan() {
    let error = (Severity::Error, "$.new_target_group_arn".to_owned());
    assert_eq!(told_by_arns(&[("app/one", "new"), ("app/two", "new")], false), [error]);
    assert_eq!(told_by_arns(&[("app/one", "new"), ("app/one", "new")], false), []);
    assert_eq!(told_by_arns(&[("app/one", "new"), ("app/two", "newer")], false), []);
}

#[test]
fn each_kind_of_load_balancer_is_told_by_its_arn() {
    assert_eq!(told_by_arns(&[("gwy/wall", "new")], false), [(Severity::Error, "$".to_owned())]);
    let connections = (Severity::Warning, "$".to_owned());
    assert_eq!(told_by_arns(&[("net/mail", "new")], false), std::slice::from_ref(&connections));
    let flows = (Severity::Warning, "$.old_target_group_arn".to_owned());
    assert_eq!(told_by_arns(&[("net/mail", "new")], true), [connections, flows]);
    assert_eq!(told_by_arns(&[("app/shop", "new")], true), []);
}

#[test]
fn a_new_group_without_targets_is_an_error_and_one_without_health_checks_a_warning() {
    let told = |kind: TargetTypeEnum, is_checked: bool, total: usize| {
        let group = TargetGroup::builder().target_type(kind).health_check_enabled(is_checked).build();
        new_targets(&route(), &group, ((0, total), ""), "$").map(|found| (found.severity, found.fix))
    };
    let error = |fix: &str| Some((Severity::Error, fix.to_owned()));
    assert_eq!(told(TargetTypeEnum::Lambda, false, 0), error("register the new side's function"));
    assert_eq!(told(TargetTypeEnum::Ip, true, 0), error("register the new side's targets"));
    assert_eq!(told(TargetTypeEnum::Ip, true, 1), None);
    assert_eq!(told(TargetTypeEnum::Lambda, true, 1), None);
    assert!(told(TargetTypeEnum::Lambda, false, 1).is_some_and(|(severity, _)| severity == Severity::Warning));
}

#[test]
fn a_new_group_that_is_checked_already_and_sick_is_a_warning() {
    let told = |balancers: Option<Vec<String>>, healthy| {
        let group = TargetGroup::builder().set_load_balancer_arns(balancers).build();
        new_targets(&route(), &group, ((healthy, 5), ""), "$").map(|found| found.severity)
    };
    let attached = || Some(vec!["balancer".to_owned()]);
    assert_eq!(told(attached(), 3), Some(Severity::Warning));
    assert_eq!(told(attached(), 4), None);
    assert_eq!(told(None, 0), None, "nobody checks it yet");
}

#[test]
fn a_rule_is_looked_at_with_its_listener() {
    let rule = "arn:aws:elasticloadbalancing:r:1:listener-rule/app/shop/1/2/3".to_owned();
    let of_rule = ListenerRoute { rule_arn: Some(rule), listener_arn: None, ..route() };
    let names = |route| parts(&route).into_iter().map(|(part, _)| part).collect::<Vec<_>>();
    let groups = [owners::OLD_GROUP, owners::NEW_GROUP];
    assert_eq!(names(of_rule), [&["the rule", "its listener", "the load balancer"][..], &groups].concat());
}

#[test]
fn stickiness_is_a_warning() {
    assert_eq!(findings(&[("old", 1)], true), [(Severity::Warning, "$.routes[0]".to_owned())]);
}
