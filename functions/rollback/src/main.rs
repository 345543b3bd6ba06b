//! The Lambda function `rollback`: composes, nothing else.

use rollback::{Clients, ELSEWHERE, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let aws = &environment.aws;
            Ok(Clients {
                routes: routes::any::Clients::new(environment, ELSEWHERE)?,
                replications: replication::Services::new(aws),
                sfn: aws_sdk_sfn::Client::new(aws),
                journal: journal::Journal::of(environment)?,
            })
        },
        handle,
    )
}
