//! Errors as the state machines see them: a stable name that Catch and Retry match, and one line of text.
//!
//! A contract test proves that the names in the definitions, in this file and in the documents agree.

use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use lambda_runtime::Diagnostic;

use crate::rate::TooSlow;
use crate::text::shown;

/// A state machine carries 32,768 characters of an error (Step Functions API reference), and the endings tell more.
const MOST_MESSAGE_BYTES: usize = 10_000;

/// The names. What a person sees in the console is exactly this text.
pub mod name {
    /// AWS asked to slow down. Retried with full jitter.
    pub const THROTTLED: &str = "Cutover.Throttled";
    /// AWS failed, was slow or could not be reached; the same call may pass later. Retried with full jitter.
    pub const TRANSIENT: &str = "Cutover.Transient";
    /// The plan, or a function's input, is not what it should be.
    pub const INVALID_PLAN: &str = "Cutover.InvalidPlan";
    /// What a person asks of `rollback` or `cleanup` cannot be done as it stands: they have to say more, or it is no run's.
    pub const INVALID_GESTURE: &str = "Cutover.InvalidGesture";
    /// A portfolio is not what it should be; every error at once. Nothing was written.
    pub const INVALID_PORTFOLIO: &str = "Cutover.InvalidPortfolio";
    /// There is no programme for a portfolio: what contradicts each other is named. Nothing was written.
    pub const NO_PROGRAMME: &str = "Cutover.NoProgramme";
    /// The environment is not what the plan says. Nothing was touched.
    pub const PRECHECK_FAILED: &str = "Cutover.PrecheckFailed";
    /// Another run holds the application or one of the routes. Nothing was touched.
    pub const CONFLICT: &str = "Cutover.Conflict";
    /// The line is stopped: nothing new claims. Nothing was touched.
    pub const LINE_STOPPED: &str = "Cutover.LineStopped";
    /// Those who were asked said no, or nothing. Nothing was touched.
    pub const REJECTED: &str = "Cutover.Rejected";
    /// Somebody else changed a route: its live state is neither the before-image nor a planned state.
    pub const DRIFT: &str = "Cutover.Drift";
    /// The new side, or the database, is measurably not well.
    pub const UNHEALTHY: &str = "Cutover.Unhealthy";
    /// There is no data to judge by, for longer than the plan allows.
    pub const INCONCLUSIVE: &str = "Cutover.Inconclusive";
    /// The run is no longer this caller's to move: rolled back, taken over or ended.
    pub const FENCED: &str = "Cutover.Fenced";
    /// AWS denied a call.
    pub const NOT_PERMITTED: &str = "Cutover.NotPermitted";
    /// AWS refused a call for a reason that repeating does not change.
    pub const REFUSED: &str = "Cutover.Refused";
    /// Ending of a run: everything is exactly as it was before.
    pub const ROLLED_BACK: &str = "Cutover.RolledBack";
    /// Ending of a run: a person was told precisely what is left to do.
    pub const STUCK: &str = "Cutover.Stuck";
    /// Ending of a run: to go back could do harm, so nothing was put back, and a person has to decide.
    pub const HELD: &str = "Cutover.Held";
    /// The cutover's execution ends before its rollback does; the rule and the sweep bring that to its own ending.
    pub const ROLLBACK_UNFINISHED: &str = "Cutover.RollbackUnfinished";
    /// Ending of a wave: each application is wholly on one of its sides, and not all of them where they were to be.
    pub const INCOMPLETE: &str = "Cutover.Incomplete";
    /// The deadline of the plan has passed.
    pub const DEADLINE_EXCEEDED: &str = "Cutover.DeadlineExceeded";

    /// All of them, for the contract test.
    pub const ALL: [&str; 22] = [
        THROTTLED,
        TRANSIENT,
        INVALID_PLAN,
        INVALID_GESTURE,
        INVALID_PORTFOLIO,
        NO_PROGRAMME,
        PRECHECK_FAILED,
        CONFLICT,
        LINE_STOPPED,
        REJECTED,
        DRIFT,
        UNHEALTHY,
        INCONCLUSIVE,
        FENCED,
        NOT_PERMITTED,
        REFUSED,
        ROLLED_BACK,
        STUCK,
        HELD,
        ROLLBACK_UNFINISHED,
        INCOMPLETE,
        DEADLINE_EXCEEDED,
    ];
}

/// The result of a step.
pub type StepResult<T> = Result<T, StepError>;

/// Why a step failed: one of [`name`] and a text that can be read alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepError {
    /// One of the constants of [`name`].
    pub name: &'static str,
    /// One line for a person: what was tried, on what, and what came back.
    pub message: String,
}

impl StepError {
    /// An error of this name.
    pub fn new(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, message: message.into() }
    }

    /// Whether the same call may pass later.
    pub fn is_passing(&self) -> bool {
        matches!(self.name, name::THROTTLED | name::TRANSIENT)
    }

    /// A function's input that is not what its state machine should have sent.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(name::INVALID_PLAN, message)
    }

    /// What was written reads back differently. As it was before (`is_behind`), that is a read that is behind: whoever tries
    /// again sees the change, or writes it again. Otherwise somebody else changed it.
    pub fn unlike_written(is_behind: bool, problem: String) -> Self {
        Self::new(if is_behind { name::TRANSIENT } else { name::DRIFT }, problem)
    }

    /// Classifies an AWS error. `call` names the API action and its object, e.g. `route53:GetChange C123`.
    ///
    /// Throttling codes come from the services' API models; Route 53 answers `Throttling` with HTTP 400 and
    /// `PriorRequestNotComplete` while an earlier change is pending.
    pub fn from_aws<E>(call: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Some(service_error) = error.as_service_error() else {
            if let Some(slow) = too_slow(error) {
                return Self::new(name::THROTTLED, format!("{call}: {slow}"));
            }
            return Self::new(name::TRANSIENT, format!("{call}: {}", chain(error)));
        };
        let code = service_error.code().unwrap_or("Unknown");
        if code.starts_with("ExpiredToken") {
            crate::accounts::note_session_ended();
        }
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        let message = service_error.message().unwrap_or("no message");
        Self::new(classify(code, status), format!("{call}: {code}: {message}"))
    }
}

/// The name for an AWS error code and its HTTP status.
fn classify(code: &str, status: u16) -> &'static str {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "ProvisionedThroughputExceededException"
        | "RequestThrottled"
        | "KMSThrottling"
        | "KMSThrottlingException"
        | "KmsThrottlingException"
        | "SlowDown"
        | "PriorRequestNotComplete" => name::THROTTLED,
        "AccessDenied"
        | "KMSAccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "NotAuthorized"
        | "UnauthorizedOperation"
        | "UnrecognizedClientException" => name::NOT_PERMITTED,
        // Whoever tries again has new credentials: see `accounts::sessions_ended`.
        "ExpiredToken" | "ExpiredTokenException" => name::TRANSIENT,
        "TransactionInProgressException"
        | "TransactionConflictException"
        | "RequestTimeout"
        | "RequestTimeoutException" => name::TRANSIENT,
        _ if status == 429 => name::THROTTLED,
        _ if status == 403 => name::NOT_PERMITTED,
        _ if status >= 500 => name::TRANSIENT,
        _ => name::REFUSED,
    }
}

/// Whether a request was not sent, since its turn comes too late.
fn too_slow<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TooSlow> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(slow) = error.downcast_ref() {
            return Some(slow);
        }
        next = error.source();
    }
    None
}

/// An error with its sources on one line: the chain is printed once, here, at the boundary.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

impl fmt::Display for StepError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.message)
    }
}

impl Error for StepError {}

impl From<StepError> for Diagnostic {
    fn from(error: StepError) -> Self {
        Self { error_type: error.name.to_owned(), error_message: shown(&error.message, MOST_MESSAGE_BYTES) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttles_denials_and_faults_are_told_apart() {
        for (code, status, expected) in [
            ("Throttling", 400, name::THROTTLED),
            ("PriorRequestNotComplete", 400, name::THROTTLED),
            ("KMSThrottling", 400, name::THROTTLED), // SNS, of the key of an encrypted topic
            ("Whatever", 429, name::THROTTLED),
            ("AccessDenied", 403, name::NOT_PERMITTED),
            ("AccessDeniedException", 400, name::NOT_PERMITTED),
            ("InternalError", 500, name::TRANSIENT),
            ("InvalidChangeBatch", 400, name::REFUSED),
        ] {
            assert_eq!(classify(code, status), expected, "{code} {status}");
        }
    }

    #[test]
    fn a_diagnostic_carries_the_name_as_error_type() {
        let diagnostic = Diagnostic::from(StepError::new(name::DRIFT, "listener x"));
        assert_eq!(
            (diagnostic.error_type.as_str(), diagnostic.error_message.as_str()),
            ("Cutover.Drift", "listener x")
        );
    }
}
