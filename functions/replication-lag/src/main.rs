//! The Lambda function `replication-lag`: composes, nothing else.

use replication_lag::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                dms: aws_sdk_databasemigration::Client::new(&environment.aws),
                cloudwatch: aws_sdk_cloudwatch::Client::new(&environment.aws),
                journal: journal::Journal::of(environment)?,
            })
        },
        handle,
    )
}
