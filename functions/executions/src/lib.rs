//! The library of executions: described, and started once, with the permissions of whoever calls.
//!
//! Reads: executions. Writes: new ones. Undo: none; what is started undoes itself. Errors: AWS errors.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use cutover::{StepError, StepResult};
use serde_json::Value;

/// An execution; none where there is no such.
///
/// # Errors
/// AWS errors.
pub async fn describe(sfn: &Client, arn: &str) -> StepResult<Option<DescribeExecutionOutput>> {
    match sfn.describe_execution().execution_arn(arn).send().await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist()) => Ok(None),
        Err(error) => Err(StepError::from_aws(&format!("states:DescribeExecution {arn}"), &error)),
    }
}

/// The status of an execution; none for one that is not there.
///
/// # Errors
/// AWS errors.
pub async fn status(sfn: &Client, arn: &str) -> StepResult<Option<String>> {
    Ok(describe(sfn, arn).await?.map(|execution| execution.status().as_str().to_owned()))
}

/// Starts an execution of a machine, unless there is one of that name.
///
/// # Errors
/// AWS errors.
pub async fn start(sfn: &Client, machine_arn: &str, name: &str, input: &Value) -> StepResult<()> {
    let started = sfn.start_execution().state_machine_arn(machine_arn).name(name).input(input.to_string()).send().await;
    match started {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_already_exists()) => Ok(()),
        Err(error) => Err(StepError::from_aws(&format!("states:StartExecution {machine_arn} {name}"), &error)),
    }
}
