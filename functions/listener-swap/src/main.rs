//! The Lambda function `listener-swap`: composes, nothing else.

use listener_swap::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let dynamodb = aws_sdk_dynamodb::Client::new(&environment.aws);
            Ok(Clients {
                elb: aws_sdk_elasticloadbalancingv2::Client::new(&environment.aws),
                journal: journal::Journal::new(dynamodb, environment.variable("JOURNAL_TABLE")?),
            })
        },
        handle,
    )
}
