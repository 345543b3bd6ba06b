//! The one place where a function reads its environment and the clock, and where its clients are built: once, before
//! the first invocation, on one shared connector.

use std::future::Future;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector, http_client_fn};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use tracing::level_filters::LevelFilter;

use crate::connector::{self, Roots};
use crate::error::name;
use crate::read::NOT_A_GESTURE;
use crate::{StepError, StepResult, input};

/// One try of an AWS call, connecting included. Not set, a mute server holds a call past any function's time-out.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
/// One AWS call with its retries; two of them fit into a function's 30 s.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);

/// A larger input is refused unread: four times what Step Functions carries, and small enough that reading it never
/// takes a function's memory.
const MOST_INPUT_BYTES: usize = 1024 * 1024;

/// What a function is given by its deployment.
pub struct Environment {
    /// For AWS clients: region, credentials, connector, time-outs, retries.
    pub aws: SdkConfig,
}

impl Environment {
    /// A variable that the deployment must set.
    ///
    /// # Errors
    /// Names the missing variable.
    #[expect(clippy::disallowed_methods, reason = "the bootstrap is the one place that reads the environment")]
    pub fn variable(&self, name: &str) -> Result<String, lambda_runtime::Error> {
        std::env::var(name).map_err(|_| format!("the environment variable {name} is not set on this function").into())
    }
}

/// Runs a function: builds its clients by `build`, then answers each invocation by `handle`, which is given the
/// clients, the request and the time.
///
/// # Errors
/// A missing environment variable, or the Lambda runtime's own failure. Both end the process.
pub fn run<Clients, Request, Reply>(
    build: impl FnOnce(&Environment) -> Result<Clients, lambda_runtime::Error>,
    handle: impl AsyncFn(&Clients, Request, Timestamp) -> StepResult<Reply>,
) -> Result<(), lambda_runtime::Error>
where
    Request: DeserializeOwned,
    Reply: Serialize,
{
    start_logging();
    let clients = build(&environment()?)?;
    // Raw, so that input which cannot be read ends in our own error, not in the runtime's.
    let answer = async |event: LambdaEvent<Box<RawValue>>| -> Result<Value, Diagnostic> {
        // Boxed: the compiler gives up on futures that lie too deep in each other.
        Box::pin(invoke(&clients, event.payload.get(), &handle)).await.map_err(Diagnostic::from)
    };
    single_threaded(lambda_runtime::run(service_fn(answer)))?
}

async fn invoke<Clients, Request, Reply>(
    clients: &Clients,
    payload: &str,
    handle: &impl AsyncFn(&Clients, Request, Timestamp) -> StepResult<Reply>,
) -> StepResult<Value>
where
    Request: DeserializeOwned,
    Reply: Serialize,
{
    let payload = read(payload).inspect_err(|error| log_error(error, &Whose::default()))?;
    let whose = Whose::of(&payload);
    tracing::info!(
        execution = whose.execution,
        run_id = whose.run_id,
        state = whose.state,
        action = whose.action,
        "invoked"
    );
    answer(clients, payload, handle).await.inspect_err(|error| log_error(error, &whose))
}

async fn answer<Clients, Request, Reply>(
    clients: &Clients,
    payload: Value,
    handle: &impl AsyncFn(&Clients, Request, Timestamp) -> StepResult<Reply>,
) -> StepResult<Value>
where
    Request: DeserializeOwned,
    Reply: Serialize,
{
    let request = input::read(payload).map_err(|problem| not_right(&problem))?;
    let reply = handle(clients, request, now()).await?;
    serde_json::to_value(reply).map_err(|error| StepError::invalid(format!("the reply is not JSON: {error}")))
}

/// What a person has started a machine with is theirs to mend; all else should never have come.
fn not_right(problem: &str) -> StepError {
    match problem.find(NOT_A_GESTURE) {
        Some(at) => StepError::new(name::INVALID_GESTURE, &problem[at..]),
        None => StepError::invalid(format!("the function's input is not right: {problem}")),
    }
}

fn read(payload: &str) -> StepResult<Value> {
    if payload.len() > MOST_INPUT_BYTES {
        let problem = format!("the function's input has {} bytes, more than {MOST_INPUT_BYTES}", payload.len());
        return Err(StepError::invalid(problem));
    }
    serde_json::from_str(payload)
        .map_err(|error| StepError::invalid(format!("the function's input cannot be read: {error}")))
}

/// Whose invocation it is: in each line, so that a run, or the execution that works for it, can be followed through all
/// functions' logs.
#[derive(Debug, Default, PartialEq)]
struct Whose {
    execution: String,
    run_id: String,
    state: String,
    action: String,
}

impl Whose {
    fn of(payload: &Value) -> Self {
        let field = |name: &str| payload.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let execution = field("execution_arn").rsplit(':').next().unwrap_or_default().to_owned();
        Self { execution, run_id: field("run_id"), state: field("state"), action: field("action") }
    }
}

fn log_error(error: &StepError, whose: &Whose) {
    let Whose { execution, run_id, state, .. } = whose;
    tracing::error!(error = error.name, execution, run_id, state, "{}", error.message);
}

#[expect(clippy::disallowed_methods, reason = "the bootstrap is the one place that reads the clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// 0.8 ms less cold and 40 % less CPU warm than a thread pool: a function does one thing at a time.
fn single_threaded<F: Future>(future: F) -> std::io::Result<F::Output> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

#[expect(clippy::disallowed_methods, reason = "the bootstrap is the one place that reads the environment")]
fn start_logging() {
    // A level and no more: filters by module are a regular expressions engine in each binary.
    let level = std::env::var("RUST_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_ansi(false)
        .with_max_level(level)
        .init();
}

#[expect(clippy::disallowed_methods, reason = "the bootstrap is the one place that reads the environment")]
fn environment() -> Result<Environment, lambda_runtime::Error> {
    let region = std::env::var("AWS_REGION").map_err(|_| "the environment variable AWS_REGION is not set")?;
    let credentials = SharedCredentialsProvider::new(RoleCredentials);
    let endpoint = std::env::var("AWS_ENDPOINT_URL").ok();
    let connector = connector::to_aws(roots()?)?;
    Ok(Environment { aws: settings_over(connector, Region::new(region), credentials, endpoint) })
}

/// What the deployment says of roots of trust.
#[expect(clippy::disallowed_methods, reason = "the bootstrap is the one place that reads the environment")]
fn roots() -> Result<Roots, lambda_runtime::Error> {
    if let Ok(bundle) = std::env::var("AWS_CA_BUNDLE") {
        let pem = std::fs::read(&bundle)
            .map_err(|error| format!("AWS_CA_BUNDLE names {bundle}, which cannot be read: {error}"))?;
        return connector::named(pem)
            .map_err(|problem| format!("AWS_CA_BUNDLE names {bundle}, which {problem}").into());
    }
    let names_machines = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    Ok(if names_machines { Roots::Machine } else { Roots::AmazonFirst })
}

/// What every AWS client is made of: connector, time-outs, retries. A function has its role's credentials; a tool beside the
/// functions brings its own.
pub fn client_settings(
    region: Region,
    credentials: SharedCredentialsProvider,
    endpoint_url: Option<String>,
) -> SdkConfig {
    settings_over(connector::to_anybody(), region, credentials, endpoint_url)
}

fn settings_over(
    connector: SharedHttpConnector,
    region: Region,
    credentials: SharedCredentialsProvider,
    endpoint_url: Option<String>,
) -> SdkConfig {
    let mut aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .credentials_provider(credentials)
        .http_client(http_client(connector))
        .sleep_impl(TokioSleep::new())
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .operation_timeout(OPERATION_TIMEOUT)
                .build(),
        );
    aws.set_endpoint_url(endpoint_url);
    aws.build()
}

fn http_client(shared: SharedHttpConnector) -> SharedHttpClient {
    http_client_fn(move |_, _| shared.clone())
}

/// The execution role's credentials, which Lambda puts into the environment of the process.
#[derive(Debug)]
struct RoleCredentials;

impl ProvideCredentials for RoleCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(role_credentials())
    }
}

#[expect(clippy::disallowed_methods, reason = "the bootstrap is the one place that reads the environment")]
fn role_credentials() -> Result<Credentials, CredentialsError> {
    let variable = |name: &'static str| {
        std::env::var(name)
            .map_err(|_| CredentialsError::not_loaded(format!("the environment variable {name} is not set")))
    };
    let token = std::env::var("AWS_SESSION_TOKEN").ok();
    Ok(Credentials::new(variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?, token, None, "lambda"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_is_told_by_the_name_of_its_execution() {
        let payload = serde_json::json!({ "execution_arn": "arn:aws:states:eu-west-1:1:execution:cutover:shop-1", "run_id": "r", "state": "Claim" });
        let expected = Whose {
            execution: "shop-1".to_owned(),
            run_id: "r".to_owned(),
            state: "Claim".to_owned(),
            ..Whose::default()
        };
        assert_eq!(Whose::of(&payload), expected);
        assert_eq!(Whose::of(&Value::Null), Whose::default());
    }

    #[test]
    fn a_gesture_that_cannot_be_read_is_its_persons_to_mend() {
        #[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        struct Gesture {
            #[serde(rename = "application")]
            _application: Option<String>,
        }
        #[derive(Debug, serde::Deserialize)]
        struct Request {
            #[serde(deserialize_with = "crate::read::gesture", rename = "input")]
            _input: Gesture,
        }
        let error = |payload| not_right(&input::read::<Request>(payload).unwrap_err());
        let misspelt = error(serde_json::json!({ "input": { "aplication": "shop" } }));
        assert_eq!(misspelt.name, name::INVALID_GESTURE);
        assert!(
            misspelt.message.starts_with("nothing was done, since the input is not right: $.aplication"),
            "{misspelt:?}"
        );
        assert_eq!(error(serde_json::json!({})).name, name::INVALID_PLAN);
    }

    #[test]
    fn input_that_cannot_be_read_is_refused_by_name() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        let large = format!("\"{}\"", "x".repeat(5 * MOST_INPUT_BYTES));
        for (payload, expected) in [(deep.as_str(), "recursion limit"), (&large, "bytes"), (r#""\ud800""#, "column")] {
            let error = read(payload).unwrap_err();
            assert_eq!(error.name, crate::error::name::INVALID_PLAN);
            assert!(error.message.contains(expected) && error.message.len() < 200, "{}", error.message);
        }
        assert!(read("null").is_ok());
    }
}
