//! The Lambda function `notify`: composes, nothing else.

use cutover::bootstrap::Environment;
use cutover::gestures::Machines;
use links::key::Kept;
use notify::{Clients, Pages, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                sns: aws_sdk_sns::Client::new(&environment.aws),
                topics: cutover::authority::Topics::of(environment)?,
                moments_topic_arn: environment.variable("MOMENTS_TOPIC_ARN")?,
                machines: Machines {
                    rollback: environment.variable("ROLLBACK_STATE_MACHINE_ARN")?,
                    cleanup: environment.variable("CLEANUP_STATE_MACHINE_ARN")?,
                },
                pages: pages(environment)?,
            })
        },
        handle,
    )
}

/// Where the stack has them.
fn pages(environment: &Environment) -> Result<Option<Pages>, lambda_runtime::Error> {
    let (url, key_arn) = (environment.variable("ANSWERS_URL")?, environment.variable("ANSWERS_KEY_ARN")?);
    let pages = || -> Result<Pages, lambda_runtime::Error> {
        let secrets = aws_sdk_secretsmanager::Client::new(&environment.aws);
        Ok(Pages {
            journal: journal::Journal::of(environment)?,
            secrets,
            key_arn,
            url: url.clone(),
            key: Kept::default(),
        })
    };
    if url.is_empty() { Ok(None) } else { pages().map(Some) }
}
