//! The Lambda function `cleanup`: composes, nothing else.

use cleanup::{Clients, ELSEWHERE, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let aws = &environment.aws;
            Ok(Clients {
                cloudwatch: aws_sdk_cloudwatch::Client::new(aws),
                routes: routes::any::Clients::new(environment, ELSEWHERE)?,
                journal: journal::Journal::of(environment)?,
            })
        },
        handle,
    )
}
