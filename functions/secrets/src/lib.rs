//! The library of secrets: read where they are used, and kept nowhere.
//!
//! Reads: Secrets Manager. Writes: nothing. No error has anything of a secret's text in it.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use cutover::error::name;
use cutover::load::secret_headers;
use cutover::stakeholders::webhook_address;
use cutover::{StepError, StepResult};

/// The headers that a secret holds for a load test.
///
/// # Errors
/// AWS errors, with what to do where the call is denied; `Cutover.Refused` where the secret is not one of headers.
pub async fn load_test_headers(client: &Client, arn: &str) -> StepResult<BTreeMap<String, String>> {
    let text = read(client, arn, &format!("secretsmanager:GetSecretValue {arn}")).await.map_err(advised)?;
    secret_headers(&text).map_err(|problem| StepError::new(name::REFUSED, format!("{arn}: {problem}")))
}

/// Whether a secret holds the address of a webhook. The address is not answered: only `tell` needs it, and reads it where it is sent to.
///
/// # Errors
/// AWS errors; `Cutover.Refused` where the secret's text is no such address.
pub async fn check_webhook(client: &Client, arn: &str) -> StepResult<()> {
    let text = read(client, arn, "secretsmanager:GetSecretValue").await?;
    webhook_address(&text).map(drop).map_err(|problem| StepError::new(name::REFUSED, problem))
}

/// The secret's text, empty where it has none. `call`: what the read is called where it fails.
async fn read(client: &Client, arn: &str, call: &str) -> StepResult<String> {
    let read = client.get_secret_value().secret_id(arn).send().await;
    Ok(read.map_err(|error| StepError::from_aws(call, &error))?.secret_string.unwrap_or_default())
}

/// A secret is read by whom the stack lets, and its key has to let the same.
fn advised(error: StepError) -> StepError {
    if error.name != name::NOT_PERMITTED {
        return error;
    }
    let advice = "list the secret in `loadTestSecretArns` of the stack; one with a key of its own needs that key's policy to let the role in";
    StepError { message: format!("{}; {advice}", error.message), ..error }
}
