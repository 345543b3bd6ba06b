//! From findings to the report: pure.

use cutover::authority::Patterns;
use cutover::finding::{self, Kind};
use cutover::gestures;
use cutover::line::Line;
use cutover::plan::{Certificate, Probe, Route};
use cutover::probe::Tries;
pub(crate) use cutover::quiesce::{nobody_stops_writers, unverified as quiesce_unverified};
use cutover::text::is_word;
use cutover::{Finding, Plan, Seconds, Severity};
use jiff::Timestamp;
use journal::{Phase, Standing};
use routes::RouteState;
use serde_json::Value;

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
    Finding::environment("$.health_check.url", problem, tries.remedy.fix(probe))
}

/// A probe that takes any certificate for the host says so.
pub(crate) fn any_issuer(probe: &Probe) -> Option<Finding> {
    (probe.certificate == Certificate::AnyIssuer).then(|| {
        let problem = "is any_issuer: whoever answers at the URL passes, with a certificate of his own making";
        let fix = "leave it out where the new side's certificate is of a public authority";
        Finding::warning("$.health_check.certificate", problem, fix)
    })
}

/// A listener's other actions go back to AWS with each write, and AWS wants whoever sends them to be able to read the client of the pool.
pub(crate) fn pools_not_listed(before: &[RouteState], listed: &Patterns) -> Vec<Finding> {
    let pool = |action: &Value| action["cognito"]["user_pool_arn"].as_str().map(str::to_owned);
    let of = |(index, state): (usize, &RouteState)| {
        let RouteState::Listener(state) = state else { return None };
        let pool = state.others.iter().filter_map(pool).find(|pool| !listed.allow(pool))?;
        let problem =
            format!("authenticates with the user pool `{pool}`, whose clients the stack's functions may not read");
        Some(Finding::environment(
            format!("$.routes[{index}]"),
            problem,
            "list the pool in the stack's userPoolArns, and deploy",
        ))
    };
    before.iter().enumerate().filter_map(of).collect()
}

/// Whether a run is one of another state machine.
pub(crate) fn is_of_another_stack(holder: &str, run_id: &str) -> bool {
    let machine = |arn: &str| arn.rsplit_once(':').map(|(machine, _)| machine.to_owned());
    machine(holder) != machine(run_id)
}

/// What holds a route, and is none of this stack's runs.
pub(crate) fn held_elsewhere(holder: &str) -> (String, String) {
    let problem = format!("is held by {holder}, a run of another stack that shares its locks with this one");
    (problem, "wait until it has ended, or ask those who run that stack".to_owned())
}

/// Who holds a lock, and what a person can do about it: the run that stands in the way says which gesture ends it.
pub(crate) fn held_by(holder: &str, standing: Option<&Standing>) -> (String, String) {
    let application = standing.and_then(|standing| standing.application.as_deref());
    let name = application.filter(|name| is_word(name)).unwrap_or("APPLICATION");
    let gesture = |more: &str| format!(r#"{{"application": "{name}"{more}}}"#);
    let release = gesture(r#", "release": "YOUR NAME: YOUR REASON""#);
    let (is, fix) = match standing.and_then(|standing| standing.phase.map(|phase| (phase, standing.is_held))) {
        Some((Phase::Stuck, true)) => {
            let force = gesture(r#", "force": "YOUR NAME: YOUR REASON""#);
            (
                "is held itself: a person has to decide",
                format!("start `rollback` with {force}, or `cleanup` with {release}, as its page says"),
            )
        }
        Some((Phase::Stuck, false)) => {
            let again = gesture("");
            (
                "is stuck",
                format!(
                    "put right what its page says, then start `rollback` with {again}; or `cleanup` with {release}"
                ),
            )
        }
        Some((Phase::Finished, _)) => {
            let (back, now) = (gesture(""), gesture(r#", "now": true"#));
            (
                "has finished, and waits for its cleanup",
                format!("close it early: start `cleanup` with {now}; or roll it back: `rollback` with {back}"),
            )
        }
        Some((Phase::Claimed | Phase::Forward, _)) => {
            ("is under way", "wait until it has ended, or stop its execution, which rolls it back".to_owned())
        }
        Some((Phase::RollingBack, _)) => ("is being rolled back", "wait until that has ended".to_owned()),
        Some((Phase::Cleaning, _)) => ("is being cleaned up after", "wait until that has ended".to_owned()),
        _ => (
            "is not known to the journal as a whole",
            format!("see to its routes, then start `cleanup` with {release}"),
        ),
    };
    (format!("is held by {holder}, which {is}"), fix)
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

/// A line that is stopped: it may be lifted before this run claims, which is when it counts.
pub(crate) fn held_by_the_line(line: &Line, application: &str) -> Option<Finding> {
    let why = line.holds(application)?;
    Some(Finding::warning(
        "$.application",
        format!("{why}: as long as it is, nothing claims"),
        gestures::HOW_THE_LINE_IS_LIFTED,
    ))
}

#[cfg(test)]
mod tests {
    use cutover::probe::Remedy;
    use routes::name::NameState;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stopped_line_is_a_warning_that_says_how_it_is_lifted() {
        let stopped = json!({ "stopped": { "by": "Ada", "why": "packets are lost", "at": "2026-11-27T08:00:00Z" } });
        let line: Line = serde_json::from_value(stopped).unwrap();
        let found = held_by_the_line(&line, "shop").unwrap();
        assert_eq!((found.severity, found.path.as_str()), (Severity::Warning, "$.application"));
        assert!(found.problem.contains("packets are lost") && found.fix.contains("\"lift\""), "{found:?}");
        assert_eq!(held_by_the_line(&Line::default(), "shop"), None);
    }

    #[test]
    fn who_holds_a_lock_is_told_with_the_gesture_that_ends_it() {
        let of = |phase: Option<Phase>, is_held: bool| {
            let application = Some("shop".to_owned());
            held_by("arn:run", Some(&Standing { application, phase, is_held }))
        };
        let force = r#"start `rollback` with {"application": "shop", "force": "YOUR NAME: YOUR REASON"}"#;
        let release = r#"`cleanup` with {"application": "shop", "release": "YOUR NAME: YOUR REASON"}"#;
        let (problem, fix) = of(Some(Phase::Stuck), true);
        assert_eq!(problem, "is held by arn:run, which is held itself: a person has to decide");
        assert!(fix.contains(force) && fix.contains(release) && !fix.contains("wait"), "{fix}");
        let (problem, fix) = of(Some(Phase::Stuck), false);
        assert!(problem.ends_with("is stuck") && fix.contains(release) && !fix.contains("force"), "{fix}");
        for phase in Phase::ALL {
            let waits = of(Some(phase), false).1.starts_with("wait");
            assert_eq!(
                waits,
                matches!(phase, Phase::Claimed | Phase::Forward | Phase::RollingBack | Phase::Cleaning),
                "{phase}"
            );
        }
        assert!(of(None, false).1.contains(release));
        assert!(held_by("arn:run", None).1.contains(r#"{"application": "APPLICATION", "release""#));
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
    fn what_mends_a_probe_is_told_by_how_far_it_came() {
        let probe: Probe = serde_json::from_value(json!({ "url": "https://new.example.com/health" })).unwrap();
        let fix = |remedy| health_url(&probe, &Tries { attempts: 1, remedy, ..Tries::default() }).fix;
        assert_eq!(fix(Remedy::Answer), "the new side must answer 200-299, 2 times in a row");
        assert!(fix(Remedy::Network).contains("`probeNetworks`") && fix(Remedy::Network).contains("`probeVpc`"));
        let all =
            [Remedy::Answer, Remedy::Url, Remedy::Name, Remedy::Network, Remedy::Way, Remedy::Tls, Remedy::Protocol];
        let fixes: std::collections::BTreeSet<String> = all.into_iter().map(fix).collect();
        assert_eq!(fixes.len(), all.len(), "each its own");
        let stored: Tries = serde_json::from_value(json!({ "attempts": 1, "passed_in_row": 0, "seen": "x" })).unwrap();
        assert_eq!(stored.remedy, Remedy::Answer, "of a run that was under way");
    }

    #[test]
    fn a_listener_whose_user_pool_is_not_listed_is_found() {
        let pool = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_a";
        let forward = json!({ "order": 2, "target_group_arn": "g", "groups": [], "stickiness": null });
        let signing_on = json!({ "type": "listener", "forward": forward, "others": [{ "order": 1, "cognito": { "user_pool_arn": pool } }] });
        let plain = json!({ "type": "listener", "forward": forward, "others": [] });
        let before = [plain, signing_on].map(|state| serde_json::from_value::<RouteState>(state).unwrap());
        let found = |listed: &str| pools_not_listed(&before, &Patterns::read(listed).unwrap());
        assert_eq!(found(&json!([pool]).to_string()), []);
        assert_eq!(found("[]")[0].path, "$.routes[1]");
        assert!(found("[]")[0].problem.contains(pool));
    }

    #[test]
    fn a_run_of_another_stack_is_not_spoken_of_as_one_of_ours() {
        let of = |machine: &str| format!("arn:aws:states:eu-west-1:1:execution:{machine}:shop-1");
        assert!(!is_of_another_stack(&of("cutover"), &of("cutover")));
        assert!(is_of_another_stack(&of("blue-cutover"), &of("cutover")));
        let (problem, fix) = held_elsewhere(&of("blue-cutover"));
        assert!(problem.contains("another stack") && !fix.contains("release"), "{problem} {fix}");
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
