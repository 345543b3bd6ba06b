//! What a rehearsal deploys, straight from the checkout, is what the CDK app's template deploys. Both are read through
//! AWS's APIs.

use crate::harness::{Test, asynchronous};
use crate::support::Ground;
use crate::support::template::synthesize;
use anyhow::{Context, Result, ensure};
use cutover_tests::compare::differences;
use cutover_tests::setup::Checkout;
use serde_json::{Map, Value, json};

const SPEED: f64 = 1.0;

/// What differs by intent: of what, its key, and why. An entry that does not differ fails the test.
const DIFFERENT: [(&str, &str, &str); 28] = [
    ("functions", "Role", LOCAL_ROLE),
    ("machines", "roleArn", LOCAL_ROLE),
    ("targets", "RoleArn", LOCAL_ROLE),
    ("functions", "Architectures", "what runs are this machine's binaries, whatever is said"),
    ("functions", "CodeSha256", "a pointer to the binary, and a script that runs it: compared by where they lead"),
    ("functions", "TracingConfig", TELEMETRY),
    ("machines", "tracingConfiguration", TELEMETRY),
    ("machines", "loggingConfiguration", TELEMETRY),
    ("functions", "Description", FOR_PEOPLE),
    ("rules", "Description", FOR_PEOPLE),
    ("targets", "DeadLetterConfig", "a rehearsal has no alarm that looks into the queue; deliveries fail in the log"),
    ("targets", "RetryPolicy", "the emulated AWS makes one attempt"),
    ("functions", "Environment.Variables.HOOK_FUNCTION_ARNS", "a rehearsal's plan may name any hook"),
    ("functions", "Environment.Variables.ALARM_ACTIONS", "a rehearsal's alarms may do what they will do"),
    ("functions", "Environment.Variables.USER_POOL_ARNS", "a rehearsal's listeners may authenticate with any pool"),
    ("functions", "Environment.Variables.ACCOUNTS", "a rehearsal's world may have other accounts"),
    ("functions", "Environment.Variables.TOPIC_ARNS", "a rehearsal's plan may name any topic"),
    ("functions", "Environment.Variables.TOPIC_KEY_ARNS", "a rehearsal's topics are not encrypted"),
    ("functions", "Environment.Variables.MAIL_TO", "a rehearsal's mails go nowhere"),
    ("functions", "Environment.Variables.LOAD_TEST_HOSTS", "a rehearsal's sides are on this machine"),
    ("functions", "Environment.Variables.LOAD_TEST_SECRET_ARNS", "a rehearsal's secrets are made for it"),
    ("functions", "Environment.Variables.MAX_LOAD_RATE_PER_SECOND", "a rehearsal's sides are its own"),
    ("functions", "Environment.Variables.SCHEDULE_ROLE_ARN", LOCAL_ROLE),
    ("tables", "DeletionProtectionEnabled", "a rehearsal's journal goes with it"),
    ("tables", "SSEDescription", "nothing is encrypted in the emulated AWS"),
    ("functions", "LastModified", WHEN),
    ("machines", "creationDate", WHEN),
    ("tables", "CreationDateTime", WHEN),
];
const LOCAL_ROLE: &str = "a rehearsal has one role for all, and permissions are not enforced";
const TELEMETRY: &str = "the emulated AWS writes no traces, and no logs of machines";
const FOR_PEOPLE: &str = "it is for people who look at the account";
const WHEN: &str = "they were made one after the other";

async fn a_rehearsal_deploys_what_the_template_deploys() -> Result<()> {
    let template = synthesize("same", &[])?;
    let (rehearsed, provisioned) = tokio::join!(Ground::new(SPEED), Ground::from(SPEED, template));
    let (rehearsed, provisioned) = (rehearsed?, provisioned?);
    for ground in [&rehearsed, &provisioned] {
        ensure_code_of_this_build(ground).await?;
    }
    let (mut rehearsed, mut provisioned) = (deployed(&rehearsed).await?, deployed(&provisioned).await?);
    for (kind, key, why) in DIFFERENT {
        let (one, other) = (take(&mut rehearsed[kind], key), take(&mut provisioned[kind], key));
        ensure!(one != other, "{key} of {kind} is listed as different ({why}), and is the same: {one:?}");
    }
    let found = differences(&rehearsed, &provisioned);
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

/// Removes a key, or one within others (`Environment.Variables`), of everything of a kind, and answers what it held.
fn take(kind: &mut Value, key: &str) -> Vec<Option<Value>> {
    let (around, key) = key.rsplit_once('.').unwrap_or(("", key));
    let around = around.split('.').filter(|key| !key.is_empty()).map(|key| format!("/{key}")).collect::<String>();
    let items = kind.as_object_mut().into_iter().flat_map(|items| items.values_mut());
    items.map(|item| item.pointer_mut(&around)?.as_object_mut()?.remove(key)).collect()
}

async fn ensure_code_of_this_build(ground: &Ground) -> Result<()> {
    let code = ground.client.code().await?;
    ensure!(code.len() == 23, "{} functions", code.len());
    for (function, code) in code {
        let binary = Checkout::of_this_build().bin_dir().join(function.trim_start_matches("cutover-"));
        let code = code.trim_end().trim_end_matches('\'');
        ensure!(code.ends_with(&*binary.to_string_lossy()), "{function} runs {code}");
    }
    Ok(())
}

/// Everything by kind, and by its name.
async fn deployed(ground: &Ground) -> Result<Value> {
    let machines = list(ground, "stepfunctions", "list_state_machines", json!({}), "stateMachines").await?;
    let mut described = Vec::new();
    for machine in &machines {
        let parameters = json!({ "stateMachineArn": machine["stateMachineArn"] });
        described.push(ground.client.call("stepfunctions", "describe_state_machine", parameters).await?);
    }
    let mut functions = list(ground, "lambda", "list_functions", json!({}), "Functions").await?;
    // Of the packages that lead to the binaries: as long as the paths of this checkout.
    functions.iter_mut().for_each(|function| function["CodeSize"] = Value::Null);
    let rules = list(ground, "events", "list_rules", json!({}), "Rules").await?;
    let mut targets = Map::new();
    for rule in &rules {
        let name = rule["Name"].as_str().context("a rule without a name")?;
        let of_rule = list(ground, "events", "list_targets_by_rule", json!({ "Rule": name }), "Targets").await?;
        targets.extend(of_rule.into_iter().enumerate().map(|(index, target)| (format!("{name} {index}"), target)));
    }
    let table = json!({ "TableName": ground.emulator.ready().journal_table });
    let table = ground.client.call("dynamodb", "describe_table", table).await?["Table"].take();
    Ok(json!({
        "machines": by(described, "name"),
        "functions": by(functions, "FunctionName"),
        "rules": by(rules, "Name"),
        "targets": targets,
        "tables": by(vec![table], "TableName"),
    }))
}

async fn list(ground: &Ground, service: &str, operation: &str, parameters: Value, key: &str) -> Result<Vec<Value>> {
    let mut answer = ground.client.call(service, operation, parameters).await?;
    serde_json::from_value(answer[key].take()).with_context(|| format!("{operation} answers no {key}"))
}

fn by(items: Vec<Value>, key: &str) -> Value {
    items
        .into_iter()
        .map(|item| (item[key].as_str().unwrap_or_default().to_owned(), item))
        .collect::<Map<_, _>>()
        .into()
}

/// What is run.
pub fn tests() -> Vec<Test> {
    // It compares two accounts.
    asynchronous![a_rehearsal_deploys_what_the_template_deploys].into_iter().map(|test| test.with_seats(2)).collect()
}
