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
mod tests;
