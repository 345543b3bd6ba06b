//! The Lambda function `alarms`: composes, nothing else.

use alarms::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let dynamodb = aws_sdk_dynamodb::Client::new(&environment.aws);
            Ok(Clients {
                cloudwatch: aws_sdk_cloudwatch::Client::new(&environment.aws),
                journal: journal::Journal::new(dynamodb, environment.variable("JOURNAL_TABLE")?),
            })
        },
        handle,
    )
}
