//! AWS's public API in the user's own credentials, and what it answered.
//!
//! Contract: [`Aws::call`] makes one call by `calls.py` (boto3), and notes the shape of its answer; nothing else reaches AWS. A refusal of AWS is a
//! [`Refusal`] in the error's chain; where AWS was not reached, the error says what to do. An endpoint on this machine is an emulated AWS:
//! it gets no real credentials.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

use super::shape::{ANSWERED, Answers, Shape, note};
use crate::control::Refusal;
use crate::draft::account::Account;

const PROGRAM: &str = "src/proving/calls.py";

/// Who speaks to AWS.
#[derive(Debug)]
pub struct Aws {
    pipe: Mutex<Pipe>,
    answers: std::sync::Mutex<Answers>,
}

#[derive(Debug)]
struct Pipe {
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    asked: u64,
    _process: Child,
}

#[derive(Deserialize)]
enum Answer {
    #[serde(rename = "answer")]
    Given(Value),
    #[serde(rename = "refusal")]
    Refused { code: String, message: String, status: u16 },
    #[serde(rename = "failure")]
    Failed { kind: String, message: String },
}

impl Answer {
    /// What a call is told.
    fn of(self, call: String) -> Result<Value> {
        match self {
            Self::Given(answer) => Ok(answer),
            Self::Refused { code, message, .. } => Err(Refusal { code, message }).context(call),
            Self::Failed { kind, message } => Err(anyhow!(what_to_do(&kind, &message))),
        }
    }
}

impl Aws {
    /// Starts `calls.py` with the interpreter of [`crate::setup::python_environment`].
    ///
    /// # Errors
    /// The endpoint is no URL, or Python cannot be started.
    pub fn start(python: &Path, account: &Account) -> Result<Self> {
        let program: PathBuf = crate::setup::Checkout::python_path().join(PROGRAM);
        let mut command = Command::new(python);
        // In a group of its own: Ctrl-C reaches only us, and there is something to put back.
        command.arg(program).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).kill_on_drop(true);
        for (name, value) in account.variables()? {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let mut process = command.spawn().with_context(|| format!("cannot start {}", python.display()))?;
        let stdin = process.stdin.take().context("calls.py has no stdin")?;
        let stdout = BufReader::new(process.stdout.take().context("calls.py has no stdout")?).lines();
        let pipe = Mutex::new(Pipe { stdin, stdout, asked: 0, _process: process });
        Ok(Self { pipe, answers: std::sync::Mutex::default() })
    }

    /// Calls an operation, names as boto3 has them.
    ///
    /// # Errors
    /// AWS refused, or was not reached.
    pub async fn call(&self, service: &str, operation: &str, parameters: Value) -> Result<Value> {
        self.ask(service, operation, "", parameters).await
    }

    /// The same of a call that is another one than others of its operation; `about` says how.
    ///
    /// # Errors
    /// AWS refused, or was not reached.
    pub async fn ask(&self, service: &str, operation: &str, about: &str, parameters: Value) -> Result<Value> {
        let call = format!("{service} {operation}");
        let name = if about.is_empty() { call.clone() } else { format!("{call} ({about})") };
        let answer = self.exchange(service, operation, parameters).await?;
        match &answer {
            Answer::Given(answer) => self.note(&name, ANSWERED, Shape::of(&of_aws(service, answer.clone()))),
            Answer::Refused { code, status, .. } => self.note(&name, &format!("{code} {status}"), Shape::default()),
            Answer::Failed { .. } => {}
        }
        answer.of(call)
    }

    /// The same, and nothing is noted: what is asked again and again shows now this and now that.
    ///
    /// # Errors
    /// AWS refused, or was not reached.
    pub async fn glance(&self, service: &str, operation: &str, parameters: Value) -> Result<Value> {
        self.exchange(service, operation, parameters).await?.of(format!("{service} {operation}"))
    }

    /// What was answered so far.
    pub fn answers(&self) -> Answers {
        crate::locked(&self.answers).clone()
    }

    fn note(&self, call: &str, outcome: &str, shape: Shape) {
        note(&mut crate::locked(&self.answers), call, outcome, shape);
    }

    async fn exchange(&self, service: &str, operation: &str, parameters: Value) -> Result<Answer> {
        let request = json!({ "service": service, "operation": operation, "parameters": parameters });
        let mut pipe = self.pipe.lock().await;
        pipe.asked += 1;
        let line = format!("{}\n", json!([pipe.asked, request]));
        pipe.stdin.write_all(line.as_bytes()).await.context("calls.py does not listen")?;
        loop {
            let Some(line) = pipe.stdout.next_line().await.context("calls.py does not answer")? else {
                bail!("calls.py ended by itself: what it said stands above");
            };
            let answered: (u64, Answer) =
                serde_json::from_str(&line).context("calls.py answered something else than was agreed")?;
            // An earlier one is that of a call that nobody waited for any more.
            if answered.0 == pipe.asked {
                return Ok(answered.1);
            }
        }
    }
}

/// What AWS says in an answer: the fields of a table's items are Cutover's own, and differ from run to run.
fn of_aws(service: &str, mut answer: Value) -> Value {
    let members = answer.as_object_mut().filter(|_| service == "dynamodb");
    for (name, member) in members.into_iter().flatten() {
        match (name.as_str(), member) {
            ("Item", item) => *item = json!({}),
            ("Items", Value::Array(items)) => items.fill(json!({})),
            _ => {}
        }
    }
    answer
}

/// The code of AWS's refusal, if an error is one.
pub fn refused(error: &anyhow::Error) -> Option<&str> {
    error.downcast_ref::<Refusal>().map(|refusal| refusal.code.as_str())
}

fn what_to_do(kind: &str, message: &str) -> String {
    let fix = match kind {
        "NoCredentialsError" | "PartialCredentialsError" | "CredentialRetrievalError" => {
            "sign in (aws configure, aws sso login), or name a profile that is (--profile)"
        }
        "SSOTokenLoadError" | "UnauthorizedSSOTokenError" | "TokenRetrievalError" | "SSOError" => {
            "sign in again: aws sso login, with the same --profile"
        }
        "ProfileNotFound" => "see `aws configure list-profiles`, and name one of them (--profile)",
        "NoRegionError" => "say where the stacks are: --region, or AWS_REGION",
        "EndpointConnectionError" | "ConnectTimeoutError" | "ReadTimeoutError" => {
            "see the network, --region and --endpoint-url, and try again"
        }
        _ => "AWS was not reached",
    };
    format!("{message}; {fix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_says_what_to_do() {
        let told = what_to_do("NoCredentialsError", "Unable to locate credentials");
        assert_eq!(
            told,
            "Unable to locate credentials; sign in (aws configure, aws sso login), or name a profile that is (--profile)"
        );
        assert!(what_to_do("NoRegionError", "You must specify a region.").ends_with("--region, or AWS_REGION"));
    }

    #[test]
    fn the_fields_of_an_item_are_not_awss() {
        let item = json!({ "pk": { "S": "run#r" }, "sweeps": { "N": "1" } });
        assert_eq!(of_aws("dynamodb", json!({ "Item": item })), json!({ "Item": {} }));
        let some = json!({ "Items": [item, item], "Count": 2 });
        assert_eq!(of_aws("dynamodb", some.clone()), json!({ "Items": [{}, {}], "Count": 2 }));
        assert_eq!(of_aws("sqs", some.clone()), some);
    }

    #[test]
    fn answers_are_read_as_calls_py_writes_them() {
        let refusal = r#"{"refusal": {"code": "ValidationError", "message": "no", "status": 400}}"#;
        assert!(matches!(serde_json::from_str(refusal), Ok(Answer::Refused { status: 400, .. })));
        assert!(matches!(serde_json::from_str(r#"{"answer": {}}"#), Ok(Answer::Given(_))));
    }
}
