//! From findings to the report: pure.

use cutover::finding::{self, Kind};
use cutover::plan::{Certificate, Hook, Hooks, Probe, Route};
use cutover::probe::Tries;
use cutover::{Finding, Plan, Seconds, Severity};
use jiff::Timestamp;
use routes::RouteState;

use crate::{Reply, steps_of};

/// The name of the ending that the findings call for. Another run's hold explains most other differences, so it comes
/// before them.
fn ending(findings: &[Finding]) -> Option<&'static str> {
    let has = |kind| findings.iter().any(|finding| finding.severity == Severity::Error && finding.kind == kind);
    match (has(Kind::Plan), has(Kind::Conflict), has(Kind::Environment)) {
        (true, _, _) => Some("InvalidPlan"),
        (_, true, _) => Some("Conflict"),
        (_, _, true) => Some("PrecheckFailed"),
        _ => None,
    }
}

/// The report.
pub(crate) fn report(
    plan: Option<Plan>,
    mut findings: Vec<Finding>,
    before: Vec<RouteState>,
    tries: Tries,
    now: Timestamp,
) -> Reply {
    findings.sort_by(|one, other| other.severity.cmp(&one.severity).then_with(|| one.path.cmp(&other.path)));
    let ending = ending(&findings);
    let findings = finding::first(findings);
    let (steps, history_events) = plan.as_ref().map(steps_of).unwrap_or_default();
    Reply {
        settled: true,
        wait_seconds: 0,
        tries,
        ending,
        findings,
        plan,
        before,
        steps,
        history_events,
        at: now.to_string(),
    }
}

/// Not yet: the health URL is tried again after a wait.
pub(crate) fn try_again(interval: Seconds, tries: Tries, now: Timestamp) -> Reply {
    let reply = report(None, Vec::new(), Vec::new(), tries, now);
    Reply { settled: false, wait_seconds: interval.0, ..reply }
}

/// The health URL did not pass.
pub(crate) fn health_url(probe: &Probe, tries: &Tries) -> Finding {
    let problem =
        format!("{} did not pass; attempt {} of {}: {}", probe.title(), tries.attempts, probe.attempts, tries.seen);
    let fix = format!("the new side must answer {}, {} times in a row", probe.expect_status, probe.successes);
    Finding::environment("$.health_check.url", problem, fix)
}

/// A probe that takes any certificate for the host says so.
pub(crate) fn any_issuer(probe: &Probe) -> Option<Finding> {
    (probe.certificate == Certificate::AnyIssuer).then(|| {
        let problem = "is any_issuer: whoever answers at the URL passes, with a certificate of his own making";
        let fix = "leave it out where the new side's certificate is of a public authority";
        Finding::warning("$.health_check.certificate", problem, fix)
    })
}

/// The functions that the state machines may invoke as hooks, as the deployment tells them.
#[derive(Clone, Debug)]
pub enum AllowedHooks {
    /// Whatever a plan names: where nothing is enforced, as in a rehearsal.
    Any,
    /// These ARNs, as they are written: a role's permission for a function says nothing of its versions and aliases.
    Only(Vec<String>),
}

impl AllowedHooks {
    /// From the variable: `*`, or ARNs with commas in between.
    pub fn read(text: &str) -> Self {
        match text {
            "*" => Self::Any,
            list => Self::Only(list.split(',').filter(|arn| !arn.is_empty()).map(str::to_owned).collect()),
        }
    }

    fn allow(&self, arn: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(list) => list.iter().any(|allowed| allowed == arn),
        }
    }
}

/// Hooks whose invocation would be denied. Found out at `resume`, that leaves the old side's writers stopped.
pub(crate) fn hooks_not_allowed(hooks: &Hooks, allowed: &AllowedHooks) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (point, list) in hooks.points() {
        for (index, Hook { function_arn, .. }) in list.iter().enumerate() {
            if !allowed.allow(function_arn) {
                let fix = "list this ARN, as the plan writes it, in the stack's hookFunctionArns, and deploy";
                findings.push(Finding::environment(
                    format!("$.hooks.{point}[{index}].function_arn"),
                    format!("{function_arn} may not be invoked by the state machines"),
                    fix,
                ));
            }
        }
    }
    findings
}

/// A hold in which nothing is looked at is only a wait.
pub(crate) fn nothing_watched(plan: &Plan, findings: &mut Vec<Finding>) {
    let watched = &plan.monitoring;
    let has_listener = plan.routes.iter().any(|route| routes::kind::new_target_group(route).is_some());
    if !has_listener && watched.metrics.is_empty() && watched.alarms.is_empty() && watched.target_groups.is_empty() {
        let problem = "watches nothing: a step is held, and nothing is looked at";
        findings.push(Finding::warning(
            "$.monitoring",
            problem,
            "name metrics, alarms or target groups of the new side",
        ));
    }
}

/// Writers that go on writing after the last look at replication leave behind what traffic then misses.
pub(crate) fn nobody_stops_writers(plan: &Plan) -> Option<Finding> {
    let has_two_databases = plan.database.as_ref().is_some_and(|database| !database.shared);
    (has_two_databases && plan.hooks.quiesce.is_empty()).then(|| {
        let problem = "is empty: what is written to the old database between the last look at the lag and the shift may be \
                       missing from the new one";
        Finding::warning("$.hooks.quiesce", problem, "add a hook that stops the writers, and resume, its undo")
    })
}

/// Whether the hooks have stopped the writers is seen in the replication of a database that only the old side writes to.
pub(crate) fn quiesce_unverified(plan: &Plan) -> Option<Finding> {
    if plan.hooks.quiesce.is_empty() || plan.verifies_quiesce() {
        return None;
    }
    let why = match plan.database {
        Some(_) => "both sides share the database, and whoever else uses it may write on",
        None => "the plan names no replication of the database, which would show it",
    };
    let problem = format!("is taken at its word: nobody sees whether the writers have stopped, since {why}");
    let fix = "let the hook itself wait until the writers have stopped, and fail if they do not";
    Some(Finding::warning("$.hooks.quiesce", problem, fix))
}

/// How long the names' answers from before are waited out, one name after the other: once before the first step, and after
/// each step where that takes longer than the plan alone tells.
pub(crate) fn old_ttls(plan: &Plan, before: &[RouteState]) -> Seconds {
    let of_route = |(route, before): (&Route, &RouteState)| {
        let known = match route {
            Route::Listener(_) => 0,
            Route::Dns(route) => route.settle_seconds(),
        };
        let of_step = u64::from(before.settle_seconds(route)).saturating_sub(known);
        u64::from(before.longest_ttl_seconds()) + of_step * route.steps().len() as u64
    };
    Seconds(plan.routes.iter().zip(before).map(of_route).sum())
}

#[cfg(test)]
mod tests {
    use routes::name::NameState;
    use serde_json::{Value, json};

    use super::*;

    fn hook(name: &str) -> Hook {
        Hook { function_arn: arn(name), timeout: Seconds(60) }
    }

    fn arn(name: &str) -> String {
        format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}")
    }

    #[test]
    fn every_hook_that_may_not_be_invoked_is_found_at_its_place() {
        let hooks = Hooks {
            quiesce: vec![hook("stop"), hook("stop:live")],
            resume: vec![hook("go")],
            before_traffic: vec![hook("stop")],
            after_traffic: vec![hook("test")],
        };
        let paths = |allowed: &str| -> Vec<String> {
            let findings = hooks_not_allowed(&hooks, &AllowedHooks::read(allowed));
            assert!(findings.iter().all(|finding| finding.severity == Severity::Error), "{findings:?}");
            findings.into_iter().map(|finding| finding.path).collect()
        };
        assert_eq!(paths("*"), Vec::<String>::new());
        assert_eq!(
            paths(&format!("{},{}", arn("stop"), arn("test"))),
            ["$.hooks.quiesce[1].function_arn", "$.hooks.resume[0].function_arn"],
            "a qualified name is another one"
        );
        assert_eq!(
            paths(&format!("{},{}", arn("stop:live"), arn("go"))),
            [
                "$.hooks.quiesce[0].function_arn",
                "$.hooks.before_traffic[0].function_arn",
                "$.hooks.after_traffic[0].function_arn"
            ]
        );
        assert_eq!(paths("").len(), 5, "none is allowed unless told otherwise");
    }

    #[test]
    fn writers_that_nobody_stops_are_a_warning() {
        let found =
            |shared: bool, hooks| nobody_stops_writers(&plan(Some(shared), hooks)).map(|finding| finding.severity);
        assert_eq!(found(false, json!({})), Some(Severity::Warning));
        assert_eq!(found(false, stopping()), None);
        assert_eq!(found(true, json!({})), None);
    }

    #[test]
    fn a_quiesce_that_nobody_can_see_is_a_warning() {
        let found = |shared, hooks| quiesce_unverified(&plan(shared, hooks)).map(|finding| finding.problem);
        assert_eq!(found(Some(false), stopping()), None);
        assert!(found(Some(true), stopping()).is_some_and(|problem| problem.contains("both sides share the database")));
        assert!(found(None, stopping()).is_some_and(|problem| problem.contains("names no replication")));
        assert_eq!(found(Some(true), json!({})), None);
    }

    fn stopping() -> serde_json::Value {
        let hook =
            |name: &str| json!([{ "function_arn": format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}") }]);
        json!({ "quiesce": hook("stop"), "resume": hook("go") })
    }

    fn plan(shared: Option<bool>, hooks: serde_json::Value) -> Plan {
        let database = shared.map(
            |shared| json!({ "replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:T", "shared": shared }),
        );
        let plan = json!({
            "application": "a", "hooks": hooks, "database": database,
            "routes": [{ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com",
                "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }], "steps": [{ "new_weight": 100 }] }],
        });
        Plan::read(&plan).unwrap()
    }

    #[test]
    fn each_names_longest_ttl_is_waited_out() {
        let name = |ttls: &[i64]| {
            let record = |ttl: &i64| json!({ "type": "A", "ttl": ttl, "values": [] });
            serde_json::from_value::<NameState>(json!(ttls.iter().map(record).collect::<Vec<_>>())).unwrap()
        };
        let before = [&[300, 60][..], &[900]].map(|ttls| RouteState::from(name(ttls)));
        let route = |steps: Value| {
            json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com", "steps": steps,
                "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }] })
        };
        let mut plan = plan(None, json!({}));
        let steps = json!([{ "new_weight": 50 }, { "new_weight": 100 }]);
        plan.routes = vec![serde_json::from_value(route(steps)).unwrap(); 2];
        assert_eq!(old_ttls(&plan, &before), Seconds(1200));
        let alias = json!({ "dns_name": "blue.example.com.", "hosted_zone_id": "Z1", "evaluate_target_health": false });
        let before = json!({ "type": "dns", "records": [{ "type": "A", "values": [], "alias": alias }],
            "alias_ttls": { "A blue.example.com.": 3600 } });
        let before = [serde_json::from_value(before).unwrap()];
        assert_eq!(old_ttls(&plan, &before), Seconds(3600 + 2 * (3600 - 60)), "after each step as well");
    }

    #[test]
    fn the_ending_is_named_by_the_weightiest_finding() {
        let plan = Finding::plan("$", "", "");
        let conflict = Finding::conflict("$", "", "");
        let environment = Finding::environment("$", "", "");
        let warning = Finding::warning("$", "", "");
        assert_eq!(ending(std::slice::from_ref(&warning)), None);
        assert_eq!(ending(&[warning, environment.clone()]), Some("PrecheckFailed"));
        assert_eq!(ending(&[environment.clone(), conflict.clone()]), Some("Conflict"));
        assert_eq!(ending(&[environment, conflict, plan]), Some("InvalidPlan"));
    }
}
