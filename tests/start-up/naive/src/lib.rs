//! A function as a first version has it: everything by default, and its `main` a few lines.

use cutover::bootstrap::Environment;
use cutover::{StepResult, input};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

/// What the SDK finds by itself.
pub async fn environment() -> Environment {
    tracing_subscriber::fmt().json().with_max_level(tracing_subscriber::filter::LevelFilter::INFO).init();
    Environment { aws: aws_config::defaults(aws_config::BehaviorVersion::latest()).load().await }
}

/// Answers events by a handler.
pub async fn run<Clients, Request, Reply>(
    clients: Clients,
    handle: impl AsyncFn(&Clients, Request, Timestamp) -> StepResult<Reply>,
) -> Result<(), Error>
where
    Request: serde::de::DeserializeOwned,
    Reply: serde::Serialize,
{
    let answer = async |event: LambdaEvent<Value>| -> Result<Value, Error> {
        let request = input::read(event.payload)?;
        let reply = Box::pin(handle(&clients, request, Timestamp::now())).await;
        let reply = reply.map_err(|error| format!("{}: {}", error.name, error.message))?;
        Ok(serde_json::to_value(reply)?)
    };
    lambda_runtime::run(service_fn(answer)).await
}
