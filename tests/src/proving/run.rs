//! A run on the proving ground, from the outside: its executions, its item in the journal, and what it told.
//!
//! Contract: reads, but for [`start`] and [`roll_back`], which start executions as a person would, and [`heard`], which takes messages off the queue.
//! Everything is looked at every `look`; what does not come within [`LIMIT`] is an error.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::aws::Aws;
use super::ground::{APPLICATION, Ground};
use crate::control::Message;
use crate::follow::{self, End};

/// A run that has not come to its end by then never will.
pub const LIMIT: Duration = Duration::from_secs(45 * 60);
/// As many as SQS hands out at once.
const AT_ONCE: u64 = 10;

/// Starts an execution, and answers its ARN.
///
/// # Errors
/// AWS errors.
pub async fn start(aws: &Aws, machine: &str, name: &str, input: &Value) -> Result<String> {
    let name = format!("prove-{name}-{:08x}", rand::random::<u32>());
    let parameters = json!({ "stateMachineArn": machine, "name": name, "input": input.to_string() });
    let answer = aws.call("stepfunctions", "start_execution", parameters).await?;
    Ok(answer["executionArn"].as_str().context("StartExecution answered no executionArn")?.to_owned())
}

/// How an execution ended; none while it runs.
///
/// # Errors
/// AWS errors.
pub async fn end_of(aws: &Aws, execution: &str) -> Result<Option<End>> {
    let description = aws.call("stepfunctions", "describe_execution", json!({ "executionArn": execution })).await?;
    Ok(follow::end(&description))
}

/// The state that an execution has entered last.
///
/// # Errors
/// AWS errors.
pub async fn state(aws: &Aws, execution: &str) -> Result<Option<String>> {
    let page = json!({ "executionArn": execution, "reverseOrder": true, "maxResults": 20 });
    let history = aws.glance("stepfunctions", "get_execution_history", page).await?;
    let events = history["events"].as_array().into_iter().flatten();
    let mut names = events.filter_map(|event| event["stateEnteredEventDetails"]["name"].as_str());
    Ok(names.next().map(str::to_owned))
}

/// Lists what the machine `cutover` has run, for the shape of such a list.
///
/// # Errors
/// AWS errors.
pub async fn read_list(aws: &Aws, ground: &Ground) -> Result<()> {
    let list = json!({ "stateMachineArn": ground.cutover, "maxResults": 100 });
    aws.call("stepfunctions", "list_executions", list).await.map(drop)
}

/// Reads a whole history, for the shapes of what is in it.
///
/// # Errors
/// AWS errors.
pub async fn read_history(aws: &Aws, execution: &str) -> Result<()> {
    let mut page = json!({ "executionArn": execution, "maxResults": 1000 });
    loop {
        let mut history = aws.call("stepfunctions", "get_execution_history", page.clone()).await?;
        let next = history["nextToken"].take();
        if !next.is_string() {
            return Ok(());
        }
        page["nextToken"] = next;
    }
}

/// The run's item in the journal.
///
/// # Errors
/// AWS errors.
pub async fn item(aws: &Aws, ground: &Ground, key: &str) -> Result<Option<Value>> {
    let get = json!({ "TableName": ground.journal, "Key": { "pk": { "S": key } }, "ConsistentRead": true });
    let mut answer = aws.call("dynamodb", "get_item", get).await?;
    Ok(Some(answer["Item"].take()).filter(Value::is_object))
}

/// Its phase; none of one that was never claimed.
///
/// # Errors
/// AWS errors.
pub async fn phase(aws: &Aws, ground: &Ground, run_id: &str) -> Result<Option<String>> {
    let item = item(aws, ground, &format!("run#{run_id}")).await?;
    Ok(item.and_then(|item| item["phase"]["S"].as_str().map(str::to_owned)))
}

/// The run that holds the lock of the proving ground's application.
///
/// # Errors
/// AWS errors.
pub async fn holder(aws: &Aws, ground: &Ground) -> Result<Option<String>> {
    let lock = item(aws, ground, &format!("lock#application#{APPLICATION}")).await?;
    Ok(lock.and_then(|lock| lock["run_id"]["S"].as_str().map(str::to_owned)))
}

/// All items of the journal that are a run's, or that it holds.
///
/// # Errors
/// AWS errors.
pub async fn items(aws: &Aws, ground: &Ground, run_id: &str) -> Result<Vec<Value>> {
    let mut scan = json!({ "TableName": ground.journal, "ConsistentRead": true,
        "FilterExpression": "pk = :run OR run_id = :id",
        "ExpressionAttributeValues": { ":run": { "S": format!("run#{run_id}") }, ":id": { "S": run_id } } });
    let mut found = Vec::new();
    loop {
        let mut page = aws.call("dynamodb", "scan", scan.clone()).await?;
        found.extend(page["Items"].as_array().cloned().unwrap_or_default());
        let next = page["LastEvaluatedKey"].take();
        if !next.is_object() {
            return Ok(found);
        }
        scan["ExclusiveStartKey"] = next;
    }
}

/// Whether nobody has to do anything for a run any more. A finished one only waits for its cleanup, once that is under way.
///
/// # Errors
/// AWS errors.
pub async fn is_over(aws: &Aws, ground: &Ground, run_id: &str, closes: bool) -> Result<bool> {
    if end_of(aws, run_id).await?.is_none() {
        return Ok(false);
    }
    let Some(item) = item(aws, ground, &format!("run#{run_id}")).await? else { return Ok(true) };
    let text = |field: &str| item[field]["S"].as_str().unwrap_or_default().to_owned();
    let (phase, owner) = (text("phase"), text("owner"));
    match phase.as_str() {
        "finished" => Ok(!closes && owner.contains(":cleanup:")),
        // The rollback's own execution goes on to tell, and the closed run's cleanup too.
        "rolled_back" | "stuck" | "closed" => Ok(!owner.starts_with("arn:") || end_of(aws, &owner).await?.is_some()),
        _ => Ok(false),
    }
}

/// Starts a rollback as a person does, by the application's name, and waits for its end.
///
/// # Errors
/// The run is not rolled back; AWS errors.
pub async fn roll_back(aws: &Aws, ground: &Ground, run_id: &str, look: Duration) -> Result<()> {
    let execution = start(aws, &ground.rollback, "back", &json!({ "application": APPLICATION })).await?;
    let started = Instant::now();
    let end = loop {
        if let Some(end) = end_of(aws, &execution).await? {
            break end;
        }
        if started.elapsed() > LIMIT {
            bail!("the rollback {execution} does not end");
        }
        tokio::time::sleep(look).await;
    };
    match phase(aws, ground, run_id).await?.as_deref() {
        Some("rolled_back") => Ok(()),
        phase => bail!("a rollback by a person ended {} ({:?}), and the run is {phase:?}", end.status, end.output),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification {
    topic_arn: Option<String>,
    subject: Option<String>,
    message: String,
    timestamp: String,
}

/// What the queue has heard since it was last asked, in the order in which it was said; `patience` is for how many seconds it is waited for more.
///
/// # Errors
/// AWS errors.
pub async fn heard(aws: &Aws, ground: &Ground, patience: u64) -> Result<Vec<Message>> {
    let mut heard: Vec<Notification> = Vec::new();
    loop {
        let receive = json!({ "QueueUrl": ground.queue, "MaxNumberOfMessages": AT_ONCE, "WaitTimeSeconds": patience });
        let answer = aws.call("sqs", "receive_message", receive).await?;
        let some: Vec<&Value> = answer["Messages"].as_array().into_iter().flatten().collect();
        if some.is_empty() {
            break;
        }
        for message in some {
            let body = message["Body"].as_str().unwrap_or_default();
            heard.push(serde_json::from_str(body).context("a message on the queue is not SNS's")?);
            let taken = json!({ "QueueUrl": ground.queue, "ReceiptHandle": message["ReceiptHandle"] });
            aws.call("sqs", "delete_message", taken).await?;
        }
    }
    heard.sort_by(|one, other| one.timestamp.cmp(&other.timestamp));
    let message =
        |heard: Notification| Message { topic_arn: heard.topic_arn, subject: heard.subject, message: heard.message };
    Ok(heard.into_iter().map(message).collect())
}
