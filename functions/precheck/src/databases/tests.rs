use cutover::Severity;
use replication::Stats;
use serde_json::json;

use cutover::error::name;

use super::*;

const PATH: &str = "$.database.replication_task_arn";
const TASK: &str = "arn:aws:dms:eu-west-1:123456789012:task:T";
const SERVERLESS: &str = "arn:aws:dms:eu-west-1:123456789012:replication-config:S";

fn database(validated: bool) -> Database {
    let database = json!({ "replication_task_arn": TASK, "require_validated_tables": validated });
    serde_json::from_value(database).unwrap()
}

#[test]
fn a_database_without_a_way_back_is_told_before_anybody_agrees() {
    let of = |more: serde_json::Value| {
        let mut given = json!({ "replication_task_arn": TASK });
        given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        no_way_back(&serde_json::from_value(given).unwrap())
    };
    assert_eq!(of(json!({})).map(|finding| finding.severity), Some(Severity::Warning));
    assert_eq!(of(json!({ "shared": true })), None);
    assert_eq!(of(json!({ "reverse_replication_task_arn": TASK })), None);
}

fn table(name: &str, validation: &str) -> Table {
    Table {
        name: name.to_owned(),
        state: "Table completed".to_owned(),
        validation: validation.to_owned(),
        ..Table::default()
    }
}

fn found(validated: bool, found: &[Table]) -> Vec<(Severity, String, String)> {
    let findings = tables(PATH, TASK, &database(validated), found);
    findings.into_iter().map(|finding| (finding.severity, finding.problem, finding.fix)).collect()
}

fn running() -> Replication {
    Replication { status: "running".to_owned(), ..Replication::default() }
}

#[test]
fn validation_that_is_off_is_told_with_both_ways_out() {
    let off = [table("public.orders", "Not enabled"), table("public.items", "Validated")];
    let [(severity, problem, fix)] = &found(true, &off)[..] else { panic!("{:?}", found(true, &off)) };
    assert_eq!(*severity, Severity::Error);
    assert_eq!(problem, "does not validate its data, so these tables can never pass: public.orders");
    assert!(fix.contains("EnableValidation") && fix.contains("require_validated_tables to false"), "{fix}");
    assert!(fix.len() <= 300, "it would be cut");
    assert_eq!(found(false, &off), []);
}

#[test]
fn tables_that_failed_their_validation_are_errors_and_those_without_a_key_a_warning() {
    for state in ["Mismatched records", "Suspended tables", "Suspended records", "Error", "Table error"] {
        let findings = found(true, &[table("public.orders", state)]);
        assert_eq!(findings.len(), 1, "{state}");
        assert!(findings[0].0 == Severity::Error && findings[0].1.contains(state), "{findings:?}");
        assert_eq!(found(false, &[table("public.orders", state)]), [], "{state}");
    }
    let findings = found(true, &[table("public.log", "No primary key"), table("public.orders", "Validated")]);
    assert!(findings.len() == 1 && findings[0].0 == Severity::Warning, "{findings:?}");
    assert!(findings[0].1.contains("primary key: public.log."), "{findings:?}");
    let pending = ["Pending records", "Pending validation", "Preparing table", "Pending revalidation"];
    assert_eq!(found(true, &pending.map(|state| table("public.orders", state))), [], "the gate waits for these");
    assert_eq!(found(true, &[])[0].0, Severity::Warning);
}

#[test]
fn a_table_that_changes_do_not_reach_is_an_error_whatever_the_plan_requires() {
    for state in ["Table error", "Table cancelled", "Table does not exist"] {
        let table = Table { state: state.to_owned(), ..table("public.orders", "Validated") };
        for validated in [true, false] {
            let findings = found(validated, std::slice::from_ref(&table));
            assert!(findings.len() == 1 && findings[0].0 == Severity::Error, "{state}: {findings:?}");
        }
    }
}

#[test]
fn a_replication_has_to_run_and_to_go_on() {
    assert_eq!(state(PATH, TASK, &running()), None);
    let stopped = Replication { status: "stopped".to_owned(), reason: "Stop Reason NORMAL".to_owned(), ..running() };
    let finding = state(PATH, SERVERLESS, &stopped).unwrap();
    assert_eq!(finding.problem, "is stopped (Stop Reason NORMAL)");
    assert_eq!(finding.fix, "start the serverless replication and let it catch up");
    for status in ["starting", "creating", "modifying", "moving", "testing", "provisioning_capacity"] {
        let finding = state(PATH, TASK, &Replication { status: status.to_owned(), ..running() }).unwrap();
        assert!(finding.fix.starts_with("wait until it runs"), "{status}: {}", finding.fix);
    }
    let once = Replication { is_full_load_only: true, ..stopped };
    let finding = state(PATH, TASK, &once).unwrap();
    assert!(finding.fix.contains("full-load-and-cdc or cdc"), "{finding:?}");
    let errored = Replication { stats: Some(Stats { errored: 2, unloaded: 0 }), ..running() };
    assert!(state(PATH, TASK, &errored).is_some_and(|finding| finding.problem.contains("2 tables in error")));
    assert!(unknown(PATH, SERVERLESS).problem.contains("never started"));
    assert!(!unknown(PATH, TASK).problem.contains("never started"));
}

#[test]
fn a_replication_back_that_a_hook_may_start_is_a_warning() {
    let found = |way, status: &str, hooks: serde_json::Value| {
        let plan = json!({ "application": "a", "routes": [], "hooks": hooks });
        let plan: Plan = serde_json::from_value(plan).unwrap();
        let replication = Replication { status: status.to_owned(), ..running() };
        if_a_hook_starts_it(&plan, way, &replication, state(PATH, TASK, &replication).unwrap()).severity
    };
    let hook = || json!([{ "function_arn": "arn:aws:lambda:eu-west-1:1:function:f", "timeout": 60 }]);
    let starts = || json!({ "before_traffic": hook() });
    assert_eq!(found(Way::Reverse, "ready", starts()), Severity::Warning);
    assert_eq!(found(Way::Reverse, "stopped", json!({ "quiesce": hook() })), Severity::Warning);
    assert_eq!(found(Way::Reverse, "ready", json!({})), Severity::Error, "nobody starts it");
    assert_eq!(found(Way::Reverse, "failed", starts()), Severity::Error);
    assert_eq!(found(Way::Forward, "ready", starts()), Severity::Error);
}

#[test]
fn what_is_behind_silent_or_loading_holds_the_gate_on_the_way_there_and_a_rollback_on_the_way_back() {
    let behind = |way, value| lag((way, PATH), &database(true), Ok(value)).unwrap().unwrap().fix;
    let loading = |way| {
        let replication = Replication { stats: Some(Stats { errored: 0, unloaded: 2 }), ..running() };
        loading((way, PATH), &database(true), &replication, &[]).unwrap().fix
    };
    for fix in [behind(Way::Forward, Some(7_200.0)), loading(Way::Forward)] {
        assert!(fix.ends_with("a run waits 30m for that, and then gives up"), "{fix}");
    }
    for fix in [behind(Way::Reverse, Some(7_200.0)), loading(Way::Reverse)] {
        assert!(fix.ends_with("until then, a rollback is held"), "{fix}");
    }
    assert!(behind(Way::Forward, None).ends_with("without them the gate does not open"));
    assert!(behind(Way::Reverse, None).ends_with("without them a rollback is held"));
}

#[test]
fn tables_that_are_being_loaded_are_a_warning_whatever_the_plan_requires() {
    for state in ["Before load", "Full load", "Table is being reloaded"] {
        let tables = [Table { state: state.to_owned(), ..table("public.orders", "Not enabled") }];
        let finding = loading((Way::Forward, PATH), &database(false), &running(), &tables).unwrap();
        assert_eq!(finding.severity, Severity::Warning);
        assert_eq!(finding.problem, format!("has tables that are not loaded yet: public.orders ({state})"));
    }
    assert_eq!(loading((Way::Forward, PATH), &database(false), &running(), &[table("public.orders", "")]), None);
}

#[test]
fn a_lag_far_above_or_unknown_is_a_warning() {
    let forward = (Way::Forward, PATH);
    let found =
        |value| lag(forward, &database(true), value).unwrap().map(|finding| (finding.severity, finding.problem));
    assert_eq!(found(Ok(Some(120.0))), None);
    let (severity, problem) = found(Ok(Some(240.0))).unwrap();
    assert_eq!((severity, problem.as_str()), (Severity::Warning, "is 240 s behind, far above the 1m that pass"));
    assert!(found(Ok(None)).is_some_and(|(severity, _)| severity == Severity::Warning));
    let denied = found(Err(StepError::new(name::NOT_PERMITTED, "cloudwatch:GetMetricData: AccessDenied: no")));
    assert!(
        denied.is_some_and(|(severity, problem)| severity == Severity::Warning && problem.contains("GetMetricData"))
    );
    let passing = lag(forward, &database(true), Err(StepError::new(name::THROTTLED, "slow")));
    assert_eq!(passing.unwrap_err().name, name::THROTTLED, "it is tried again");
}
