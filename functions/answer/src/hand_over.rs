//! Gives an answer to whoever waits for it, by the same calls as the commands of the message.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::SdkError;
use aws_sdk_sfn::operation::send_task_failure::SendTaskFailureError;
use aws_sdk_sfn::operation::send_task_success::SendTaskSuccessError;
use cutover::ask::{Answer, Effect, Question};
use cutover::{StepError, StepResult};

/// Whether it was taken; not where nobody waits for it any more: the time is over, it was answered, or the run was stopped.
///
/// # Errors
/// AWS errors, after which nobody knows.
pub(crate) async fn send(sfn: &Client, question: &Question, answer: &Answer) -> StepResult<bool> {
    let token = question.task_token.as_str();
    match answer.choice.effect() {
        Effect::Succeed => {
            let sent = sfn.send_task_success().task_token(token).output(answer.output(question)).send().await;
            taken(sent, "states:SendTaskSuccess", success_is_over)
        }
        Effect::Fail(error) => {
            let send = sfn.send_task_failure().task_token(token).error(error).cause(answer.cause());
            taken(send.send().await, "states:SendTaskFailure", failure_is_over)
        }
        // No question of a run has such a choice.
        Effect::Say => Ok(false),
    }
}

fn taken<T, E>(sent: Result<T, SdkError<E>>, call: &str, is_over: impl Fn(&E) -> bool) -> StepResult<bool>
where
    E: aws_sdk_sfn::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    match sent {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(is_over) => Ok(false),
        Err(error) => Err(StepError::from_aws(call, &error)),
    }
}

/// A token that no longer counts, by whichever name (API reference of SendTaskSuccess).
fn success_is_over(error: &SendTaskSuccessError) -> bool {
    error.is_task_timed_out() || error.is_task_does_not_exist() || error.is_invalid_token()
}

/// The same (API reference of SendTaskFailure).
fn failure_is_over(error: &SendTaskFailureError) -> bool {
    error.is_task_timed_out() || error.is_task_does_not_exist() || error.is_invalid_token()
}
