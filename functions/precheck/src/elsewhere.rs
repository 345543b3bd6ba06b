//! What a plan names in another region or account than the run's own, where nothing leads there: pure. AWS would say of it that there is no
//! such thing. Routes, replications and alarms may be in every account that the stack has a role for.

use cutover::accounts::Accounts;
use cutover::alarm::Alarm;
use cutover::arn::Place;
use cutover::finding::{settled, unreached};
use cutover::plan::Route;
use cutover::{Finding, Plan, StepResult};

/// Something that a plan names: where it stands, where it is, and who lets the run get there.
pub(crate) type Named<'a> = (String, Place<'a>, Way);

/// By what something in another account is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The role that the stack has for that account, in whichever region.
    Role,
    /// What that account lets in by a policy of the thing itself, as of topics and functions; in the run's own region.
    Policy,
}

/// Everything that is not where the run is, by the ARN of its execution.
pub(crate) fn findings(plan: &Plan, run_id: &str, accounts: &Accounts) -> Vec<Finding> {
    let Some(here) = Place::of(run_id) else { return Vec::new() };
    named(plan)
        .into_iter()
        .filter_map(|(path, there, way)| match way {
            Way::Role => without_role(path, there.or(here), here, accounts),
            Way::Policy => in_another_region(path, there, here),
        })
        .collect()
}

/// What AWS says of a thing that is elsewhere only repeats that it is not here.
pub(crate) fn tell_instead(elsewhere: Vec<Finding>, findings: &mut Vec<Finding>) {
    for found in &elsewhere {
        let parent = if found.path.ends_with(']') { Some(found.path.as_str()) } else { None };
        let parent = parent.or(found.path.rsplit_once('.').map(|(parent, _)| parent)).unwrap_or("$");
        let is_of = |path: &str| path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        findings.retain(|finding| !is_of(&finding.path));
    }
    findings.extend(elsewhere);
}

/// What is in an account that the stack has no role for. Another region of the stack's own account is entered by a role, too.
fn without_role(path: String, there: Place<'_>, here: Place<'_>, accounts: &Accounts) -> Option<Finding> {
    (there != here && accounts.role(there.account).is_none()).then(|| {
        let (problem, fix) = Accounts::no_role(there, here);
        Finding::environment(path, problem, fix)
    })
}

/// What the state machine invokes, and what is published to, by the stack's own role: Step Functions and SNS reach their own region alone.
fn in_another_region(path: String, there: Place<'_>, here: Place<'_>) -> Option<Finding> {
    (!there.region.is_empty() && there.region != here.region).then(|| {
        let problem = format!("is in {}, and this run is in {}", there.region, here.region);
        let fix = format!(
            "name one of {}, or start the run in {}, by the Cutover that is installed there",
            here.region, there.region
        );
        Finding::environment(path, problem, fix)
    })
}

/// Actions of alarms that CloudWatch would refuse: it takes those of the alarm's own region, in whichever account. (What it says to others:
/// `Invalid region eu-west-1 specified. Only eu-central-1 is supported.`)
pub(crate) fn actions(plan: &Plan, run_id: &str) -> Vec<Finding> {
    let Some(here) = Place::of(run_id) else { return Vec::new() };
    let of = |(index, alarm): (usize, &Alarm)| {
        let region = alarm.place().map_or(here, |place| place.or(here)).region.to_owned();
        let lists = [
            ("OKActions", &alarm.ok_actions),
            ("AlarmActions", &alarm.alarm_actions),
            ("InsufficientDataActions", &alarm.insufficient_data_actions),
        ];
        let each =
            lists.into_iter().flat_map(|(field, actions)| actions.iter().enumerate().map(move |one| (field, one)));
        let wrong = each.filter_map(|(field, (place, action))| {
            let there = Place::of(action)?.region;
            (!there.is_empty() && there != region).then(|| {
                let problem = format!(
                    "is in {there}, and its alarm in {region}: CloudWatch takes actions of the alarm's own region alone"
                );
                let fix = format!("name a topic in {region}");
                Finding::environment(format!("$.alarms[{index}].{field}[{place}]"), problem, fix)
            })
        });
        wrong.collect::<Vec<_>>()
    };
    plan.alarms.iter().enumerate().flat_map(of).collect()
}

/// What is looked at by in another account; a finding where that does not let the stack in.
///
/// # Errors
/// What a repetition may cure.
pub(crate) fn reached<T>(there: StepResult<T>, path: &str, findings: &mut Vec<Finding>) -> StepResult<Option<T>> {
    settled(there).map(|there| match there {
        Ok(there) => Some(there),
        Err(error) => {
            findings.push(unreached(path, &error));
            None
        }
    })
}

pub(crate) fn named(plan: &Plan) -> Vec<Named<'_>> {
    let mut named = Vec::new();
    for (index, route) in plan.routes.iter().enumerate() {
        let route = match route {
            Route::Listener(route) => route,
            Route::Dns(route) => {
                named.extend(route.place().map(|place| (format!("$.routes[{index}].account"), place, Way::Role)));
                continue;
            }
        };
        let arns = [
            ("listener_arn", route.listener_arn.as_deref()),
            ("rule_arn", route.rule_arn.as_deref()),
            ("old_target_group_arn", Some(route.old_target_group_arn.as_str())),
            ("new_target_group_arn", Some(route.new_target_group_arn.as_str())),
        ];
        let arns = arns
            .into_iter()
            .filter_map(|(field, arn)| Some((format!("$.routes[{index}].{field}"), Place::of(arn?)?, Way::Role)));
        named.extend(arns);
    }
    for (index, group) in plan.monitoring.target_groups.iter().enumerate() {
        let path = format!("$.monitoring.target_groups[{index}].target_group_arn");
        named.extend(Place::of(&group.target_group_arn).map(|place| (path, place, Way::Role)));
    }
    for (index, name) in plan.monitoring.alarms.iter().enumerate() {
        named.extend(Place::of(name).map(|place| (format!("$.monitoring.alarms[{index}]"), place, Way::Role)));
    }
    for (index, alarm) in plan.alarms.iter().enumerate() {
        named.extend(alarm.place().map(|place| (format!("$.alarms[{index}].AlarmArn"), place, Way::Role)));
    }
    if let Some(database) = &plan.database {
        let tasks = [
            ("replication_task_arn", Some(&database.replication_task_arn)),
            ("reverse_replication_task_arn", database.reverse_replication_task_arn.as_ref()),
        ];
        let tasks = tasks
            .into_iter()
            .filter_map(|(field, arn)| Some((format!("$.database.{field}"), Place::of(arn?)?, Way::Role)));
        named.extend(tasks);
    }
    for (point, hooks) in plan.hooks.points() {
        let path = |index: usize| format!("$.hooks.{point}[{index}].function_arn");
        let hooks = hooks.iter().enumerate();
        named
            .extend(hooks.filter_map(|(index, hook)| Some((path(index), Place::of(&hook.function_arn)?, Way::Policy))));
    }
    let notify = plan.notify.iter().map(|notify| ("$.notify.topic_arn", &notify.topic_arn));
    let approval = plan.approval.iter().map(|approval| ("$.approval.topic_arn", &approval.topic_arn));
    named
        .extend(notify.chain(approval).filter_map(|(path, arn)| Some((path.to_owned(), Place::of(arn)?, Way::Policy))));
    named
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RUN: &str = "arn:aws:states:eu-west-1:123456789012:execution:cutover:shop-1";

    /// A plan that names one of each, all of them in the same place.
    fn plan(place: &str) -> Plan {
        let arn = |service: &str, resource: &str| format!("arn:aws:{service}:{place}:{resource}");
        let elb = |resource: &str| arn("elasticloadbalancing", resource);
        let hook = |name: &str| json!([{ "function_arn": arn("lambda", &format!("function:{name}")) }]);
        let plan = json!({
            "application": "a",
            "routes": [{ "type": "listener", "listener_arn": elb("listener/app/a/1/2"), "old_target_group_arn": elb("targetgroup/old/1"),
                "new_target_group_arn": elb("targetgroup/new/1"), "steps": [{ "new_weight": 100 }] }],
            "monitoring": { "target_groups": [{ "target_group_arn": elb("targetgroup/new/1") }] },
            "database": { "replication_task_arn": arn("dms", "task:T") },
            "hooks": { "quiesce": hook("stop"), "resume": hook("go") },
            "notify": { "topic_arn": arn("sns", "t") },
        });
        Plan::read(&plan).unwrap()
    }

    fn paths(place: &str) -> Vec<String> {
        findings(&plan(place), RUN, &Accounts::default()).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn what_is_in_another_region_is_told_with_both() {
        assert_eq!(paths("eu-west-1:123456789012"), [""; 0]);
        assert_eq!(paths("us-east-1:123456789012").len(), 8, "everything that has an ARN");
        let found = &findings(&plan("us-east-1:123456789012"), RUN, &Accounts::default())[0];
        assert_eq!(
            (found.path.as_str(), found.problem.as_str()),
            (
                "$.routes[0].listener_arn",
                "is in us-east-1, and this run is in eu-west-1, whose stack has no role for it"
            )
        );
        assert_eq!(findings(&plan("us-east-1:123456789012"), "run-1", &Accounts::default()), []);
    }

    #[test]
    fn routes_and_replications_may_be_in_every_account_that_the_stack_has_a_role_for() {
        let listed = r#"[{ "role_arn": "arn:aws:iam::*:role/cutover-access", "external_id": "x", "accounts": ["210987654321"] }]"#;
        let accounts = Accounts::read(listed).unwrap();
        let paths = |place: &str| -> Vec<String> {
            findings(&plan(place), RUN, &accounts).into_iter().map(|finding| finding.path).collect()
        };
        assert_eq!(paths("eu-west-1:210987654321"), [""; 0]);
        let by_policy = ["$.hooks.quiesce[0].function_arn", "$.hooks.resume[0].function_arn", "$.notify.topic_arn"];
        assert_eq!(paths("us-east-1:210987654321"), by_policy, "in any region");
        assert_eq!(paths("eu-west-1:222222222222").len(), 5, "there is none for that one");
        let mut named = plan("eu-west-1:123456789012");
        let zone = json!({ "type": "dns", "hosted_zone_id": "Z1", "account": "222222222222", "record_name": "a.example.com",
            "records": [], "steps": [] });
        named.routes.push(serde_json::from_value(zone).unwrap());
        let found = findings(&named, RUN, &accounts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "$.routes[1].account");
        assert!(found[0].fix.contains("CutoverAccess in the account 222222222222"), "{:?}", found[0]);
    }

    #[test]
    fn alarms_may_be_where_there_is_a_role_and_their_actions_in_their_own_region_alone() {
        let alarm = |arn: Option<&str>, topic: &str| {
            json!({ "AlarmName": "late", "AlarmArn": arn, "Namespace": "N", "MetricName": "M", "Statistic": "Sum", "Period": 60,
                "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [topic] })
        };
        let there = "arn:aws:cloudwatch:us-east-1:222222222222:alarm:late";
        let topic = |region: &str| format!("arn:aws:sns:{region}:333333333333:t");
        let mut named = plan("eu-west-1:123456789012");
        named.monitoring.alarms = vec!["slow".to_owned(), there.to_owned()];
        let alarms = [(Some(there), "us-east-1"), (Some(there), "eu-west-1"), (None, "eu-west-1"), (None, "us-east-1")];
        named.alarms = alarms
            .into_iter()
            .map(|(arn, region)| serde_json::from_value(alarm(arn, &topic(region))).unwrap())
            .collect();
        let paths = |findings: Vec<Finding>| findings.into_iter().map(|found| found.path).collect::<Vec<_>>();
        assert_eq!(
            paths(findings(&named, RUN, &Accounts::default())),
            ["$.monitoring.alarms[1]", "$.alarms[0].AlarmArn", "$.alarms[1].AlarmArn"]
        );
        assert_eq!(paths(actions(&named, RUN)), ["$.alarms[1].AlarmActions[0]", "$.alarms[3].AlarmActions[0]"]);
    }

    #[test]
    fn topics_and_functions_may_be_of_another_account() {
        let expected = [
            "$.routes[0].listener_arn",
            "$.routes[0].old_target_group_arn",
            "$.routes[0].new_target_group_arn",
            "$.monitoring.target_groups[0].target_group_arn",
            "$.database.replication_task_arn",
        ];
        assert_eq!(paths("eu-west-1:210987654321"), expected);
    }

    #[test]
    fn what_aws_says_of_it_is_left_out() {
        let of = |path: &str| Finding::environment(path, "p", "f");
        let mut all = ["$.routes[0]", "$.routes[0].steps", "$.routes[01]", "$.routes[1]", "$"].map(of).to_vec();
        tell_instead(vec![of("$.routes[0].rule_arn")], &mut all);
        let paths: Vec<&str> = all.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(paths, ["$.routes[01]", "$.routes[1]", "$", "$.routes[0].rule_arn"]);
        let mut all = ["$.monitoring.alarms[1]", "$.monitoring.alarms[0]", "$.monitoring.metrics"].map(of).to_vec();
        tell_instead(vec![of("$.monitoring.alarms[1]")], &mut all);
        let paths: Vec<&str> = all.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(paths, ["$.monitoring.alarms[0]", "$.monitoring.metrics", "$.monitoring.alarms[1]"]);
    }
}
