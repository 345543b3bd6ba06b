//! The Lambda function `validate`: composes, nothing else.

use validate::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let dynamodb = aws_sdk_dynamodb::Client::new(&environment.aws);
            Ok(Clients { journal: journal::Journal::new(dynamodb, environment.variable("JOURNAL_TABLE")?) })
        },
        handle,
    )
}
