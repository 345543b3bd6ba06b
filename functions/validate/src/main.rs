//! The Lambda function `validate`: composes, nothing else.

use validate::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                cloudwatch: aws_sdk_cloudwatch::Client::new(&environment.aws),
                journal: journal::Journal::of(environment)?,
                reach: cutover::probe::Reach::of(environment)?,
            })
        },
        handle,
    )
}
