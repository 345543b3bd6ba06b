//! The Lambda function `monitor`: composes, nothing else.

use monitor::{Clients, ELSEWHERE, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                cloudwatch: aws_sdk_cloudwatch::Client::new(&environment.aws),
                routes: routes::any::Clients::new(environment, ELSEWHERE)?,
                journal: journal::Journal::of(environment)?,
            })
        },
        handle,
    )
}
