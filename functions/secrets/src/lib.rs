//! The library of secrets: read where they are used, and kept nowhere.
//!
//! Reads: Secrets Manager. Writes: nothing. No error has anything of a secret's text in it.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use cutover::error::name;
use cutover::load::secret_headers;
use cutover::{StepError, StepResult};

/// The headers that a secret holds for a load test.
///
/// # Errors
/// AWS errors, with what to do where the call is denied; `Cutover.Refused` where the secret is not one of headers.
pub async fn load_test_headers(client: &Client, arn: &str) -> StepResult<BTreeMap<String, String>> {
    let read = client.get_secret_value().secret_id(arn).send().await;
    let read =
        read.map_err(|error| advised(StepError::from_aws(&format!("secretsmanager:GetSecretValue {arn}"), &error)))?;
    secret_headers(read.secret_string().unwrap_or_default())
        .map_err(|problem| StepError::new(name::REFUSED, format!("{arn}: {problem}")))
}

/// Whether a secret holds the address of a webhook. The address is not answered: only `tell` needs it, and reads it where it is sent to.
///
/// # Errors
/// AWS errors; `Cutover.Refused` where the secret's text is no such address.
pub async fn check_webhook(client: &Client, arn: &str) -> StepResult<()> {
    let read = client.get_secret_value().secret_id(arn).send().await;
    let read = read.map_err(|error| StepError::from_aws("secretsmanager:GetSecretValue", &error))?;
    let address = cutover::stakeholders::webhook_address(read.secret_string().unwrap_or_default());
    address.map(drop).map_err(|problem| StepError::new(name::REFUSED, problem))
}

/// A secret is read by whom the stack lets, and its key has to let the same.
fn advised(error: StepError) -> StepError {
    if error.name != name::NOT_PERMITTED {
        return error;
    }
    let advice = "list the secret in `loadTestSecretArns` of the stack; one with a key of its own needs that key's policy to let the role in";
    StepError { message: format!("{}; {advice}", error.message), ..error }
}
