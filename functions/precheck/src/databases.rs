//! What precheck finds out about the plan's replications: those that cannot pass the gate, or bring nothing back.

use cutover::finding::{settled, soften};
use cutover::plan::Database;
use cutover::{Finding, Plan, Seconds, StepError, StepResult};
use jiff::Timestamp;
use replication::judge::{self, number};
use replication::{Replication, Services, Table, is_serverless, kind};

use crate::Clients;
use crate::elsewhere::reached;

/// A lag so many times the one that passes is told: it may take longer to fall than the gate waits.
const FAR_ABOVE: f64 = 2.0;
/// Datapoints come a minute or two late; a replication that runs reports every minute.
const LAG_WINDOW: Seconds = Seconds::minutes(15);

/// Which way a replication goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// To the new side: it has to pass the gate.
    Forward,
    /// Back to the old one: a rollback depends on it.
    Reverse,
}

/// Looks at the replications that a plan names.
pub(crate) async fn observe(
    clients: &Clients,
    plan: &Plan,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    let Some(database) = &plan.database else { return Ok(()) };
    findings.extend(no_way_back(database));
    let forward = [(Way::Forward, "replication_task_arn", Some(&database.replication_task_arn))];
    let reverse = [(Way::Reverse, "reverse_replication_task_arn", database.reverse_replication_task_arn.as_ref())];
    for (way, field, arn) in forward.into_iter().chain(reverse) {
        let Some(arn) = arn else { continue };
        let path = format!("$.database.{field}");
        let services = clients.replications.of(clients.routes.access(), arn).await;
        let Some(services) = &reached(services, &path, findings)? else { continue };
        match soften(replication::observe::replication(&services.dms, arn).await, &path, findings)? {
            None => {}
            Some(None) => findings.push(unknown(&path, arn)),
            Some(Some(replication)) => {
                let found = state(&path, arn, &replication);
                findings.extend(found.map(|found| if_a_hook_starts_it(plan, way, &replication, found)));
                let only_validates = replication::observe::only_validates(&services.dms, arn).await;
                if soften(only_validates, &path, findings)? == Some(true) {
                    findings.push(Finding::environment(&path, ONLY_VALIDATES, NAME_THE_COPYING));
                }
                one(services, (way, &path, arn), database, &replication, now, findings).await?;
            }
        }
    }
    Ok(())
}

/// Looks at one that is there.
async fn one(
    services: &Services,
    (way, path, arn): (Way, &str, &str),
    database: &Database,
    replication: &Replication,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> StepResult<()> {
    let mut found = Vec::new();
    if way == Way::Forward
        && let Some(all) = soften(replication::observe::tables(&services.dms, arn).await, path, findings)?
    {
        findings.extend(tables(path, arn, database, &all));
        found = all;
    }
    if !replication.is_running() || replication.is_full_load_only {
        return Ok(());
    }
    let metrics = replication::observe::metrics(services, arn, replication, LAG_WINDOW.0.cast_signed(), now).await;
    let newest = metrics.map(|metrics| metrics.newest_lag_seconds(now.as_second() - LAG_WINDOW.0.cast_signed()));
    findings.extend(loading((way, path), database, replication, &found));
    findings.extend(lag((way, path), database, newest)?);
    Ok(())
}

/// Two databases, and nothing that replicates back.
fn no_way_back(database: &Database) -> Option<Finding> {
    (!database.shared && database.reverse_replication_task_arn.is_none()).then(|| {
        let problem = "has no replication back: once the new side has traffic, there is no automatic rollback. Whatever fails then, \
                       or a stop, is held for a person to decide";
        let fix = "name reverse_replication_task_arn, or make sure that somebody is there who may decide";
        Finding::warning("$.database", problem, fix)
    })
}

/// DMS does not know it.
fn unknown(path: &str, arn: &str) -> Finding {
    if is_serverless(arn) {
        let problem = format!("{arn} does not exist, or was never started");
        return Finding::environment(path, problem, "start the serverless replication and let it catch up");
    }
    Finding::environment(path, format!("{arn} does not exist"), "name the DMS replication task by its ARN")
}

/// Whether changes flow, and will.
fn state(path: &str, arn: &str, replication: &Replication) -> Option<Finding> {
    if replication.is_full_load_only {
        let problem = "copies the tables once (its type is full-load), and none of the changes after that";
        let fix = format!("make the {} one of type full-load-and-cdc or cdc, and let it catch up", kind(arn));
        return Some(Finding::environment(path, problem, fix));
    }
    if replication.is_under_way() {
        let fix = "wait until it runs (start it, where it does not by itself), and let it catch up";
        return Some(Finding::environment(path, replication.told_status(), fix));
    }
    if !replication.is_running() {
        let fix = format!("start the {} and let it catch up", kind(arn));
        return Some(Finding::environment(path, replication.told_status(), fix));
    }
    replication.trouble().map(|problem| Finding::environment(path, problem, RELOAD))
}

/// A replication back that is there and not started may be meant to start once the writers have stopped, by a hook: it is told,
/// and refuses no plan that has one. Dead at a rollback, it holds that.
fn if_a_hook_starts_it(plan: &Plan, way: Way, replication: &Replication, found: Finding) -> Finding {
    let has_hook = !plan.hooks.quiesce.is_empty() || !plan.hooks.before_traffic.is_empty();
    let waits =
        ["ready", "created", "stopped"].contains(&replication.status.as_str()) && !replication.is_full_load_only;
    if way == Way::Reverse && has_hook && waits {
        let problem =
            format!("{}: unless a hook starts it before the first traffic, a rollback is held", found.problem);
        return Finding::warning(
            found.path,
            problem,
            "have a quiesce or before_traffic hook start it, or start it now",
        );
    }
    found
}

const ONLY_VALIDATES: &str = "only compares (ValidationOnly is set in its settings), and copies nothing";
const NAME_THE_COPYING: &str = "name the replication task that copies the changes";
const RELOAD: &str = "find the reason in the log of the replication, mend it, and reload these tables";

/// Tables that changes do not reach, or that can never pass the gate.
fn tables(path: &str, arn: &str, database: &Database, tables: &[Table]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(problem) = judge::left_out(tables) {
        findings.push(Finding::environment(path, problem, RELOAD));
    }
    if !database.require_validated_tables {
        return findings;
    }
    let validation = |table: &Table| table.is_validation_off();
    let names = |tables: String| tables.replace(" (Not enabled)", "");
    if let Some(off) = judge::named(tables, validation, |table| &table.validation).map(names) {
        let problem = format!("does not validate its data, so these tables can never pass: {off}");
        let fix = format!(
            "set ValidationSettings.EnableValidation to true in the settings of the {} (it has to be stopped for that), or \
             require_validated_tables to false in the plan",
            kind(arn)
        );
        findings.push(Finding::environment(path, problem, fix));
    }
    if let Some(problem) = judge::failed_validation(tables) {
        let fix =
            "look into awsdms_validation_failures_v1 on the target, mend the rows, and have the tables validated again";
        findings.push(Finding::environment(path, problem, fix));
    }
    let names = |tables: String| tables.replace(" (No primary key)", "");
    if let Some(keyless) = judge::named(tables, Table::has_no_key, |table| &table.validation).map(names) {
        let problem = format!("cannot validate tables without a primary key: {keyless}. They pass unseen");
        findings.push(Finding::warning(
            path,
            problem,
            "compare these tables by other means, or give them a primary key",
        ));
    }
    if tables.is_empty() {
        let problem = "lists no tables: until it does, the gate does not open";
        findings.push(Finding::warning(
            path,
            problem,
            "see whether its table mappings select the tables that are meant",
        ));
    }
    findings
}

/// Tables whose rows are still to be copied: the gate waits for them. Of a replication back DMS is asked for counts alone.
fn loading(
    (way, path): (Way, &str),
    database: &Database,
    replication: &Replication,
    tables: &[Table],
) -> Option<Finding> {
    let loading = judge::not_loaded(replication, tables)?;
    let fix = format!("start when they are loaded: {}", until_then(way, database));
    Some(Finding::warning(path, format!("has tables that are not loaded yet: {loading}"), fix))
}

/// What comes of a replication that is not where it has to be.
fn until_then(way: Way, database: &Database) -> String {
    match way {
        Way::Forward => format!("a run waits {} for that, and then gives up", database.give_up_after),
        Way::Reverse => "until then, a rollback is held".to_owned(),
    }
}

/// How far behind it is. What cannot be looked at here is a warning: the gate, and a rollback, look with permissions of their own.
fn lag((way, path): (Way, &str), database: &Database, lag: StepResult<Option<f64>>) -> StepResult<Option<Finding>> {
    let limit = database.max_lag;
    let (problem, fix) = match settled(lag)? {
        Ok(Some(lag)) if lag <= limit.0 as f64 * FAR_ABOVE => return Ok(None),
        Ok(Some(lag)) => {
            let problem = format!("is {} s behind, far above the {limit} that pass", number(lag));
            (problem, format!("start when it is nearly there: {}", until_then(way, database)))
        }
        Ok(None) => {
            let problem = format!("has reported no lag in the last {LAG_WINDOW}");
            let then = match way {
                Way::Forward => "the gate does not open",
                Way::Reverse => "a rollback is held",
            };
            (problem, format!("see its metrics in CloudWatch: without them {then}"))
        }
        Err(StepError { message, .. }) => {
            (format!("its lag was not looked at: {message}"), "allow precheck's role this action".to_owned())
        }
    };
    Ok(Some(Finding::warning(path, problem, fix)))
}

#[cfg(test)]
mod tests {
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
        let stopped =
            Replication { status: "stopped".to_owned(), reason: "Stop Reason NORMAL".to_owned(), ..running() };
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
            denied
                .is_some_and(|(severity, problem)| severity == Severity::Warning && problem.contains("GetMetricData"))
        );
        let passing = lag(forward, &database(true), Err(StepError::new(name::THROTTLED, "slow")));
        assert_eq!(passing.unwrap_err().name, name::THROTTLED, "it is tried again");
    }
}
