//! The Lambda function `validate`: composes, nothing else.

use validate::{Clients, ELSEWHERE, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                cloudwatch: aws_sdk_cloudwatch::Client::new(&environment.aws),
                access: access::Access::of(environment, ELSEWHERE)?,
                journal: journal::Journal::of(environment)?,
                reach: cutover::probe::Reach::of(environment)?,
            })
        },
        handle,
    )
}
