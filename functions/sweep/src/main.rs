//! The Lambda function `sweep`: composes, nothing else.

use sweep::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let dynamodb = aws_sdk_dynamodb::Client::new(&environment.aws);
            Ok(Clients {
                sfn: aws_sdk_sfn::Client::new(&environment.aws),
                sns: aws_sdk_sns::Client::new(&environment.aws),
                journal: journal::Journal::new(dynamodb, environment.variable("JOURNAL_TABLE")?),
                rollback_machine: environment.variable("ROLLBACK_STATE_MACHINE_ARN")?,
                cleanup_machine: environment.variable("CLEANUP_STATE_MACHINE_ARN")?,
            })
        },
        handle,
    )
}
