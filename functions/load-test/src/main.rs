//! The Lambda function `load-test`: composes, nothing else.

use cutover::load::LoadLimits;
use load_test::store::Store;
use load_test::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let client = aws_sdk_s3::Client::new(&environment.aws);
            Ok(Clients {
                journal: journal::Journal::of(environment)?,
                reach: cutover::probe::Reach::of(environment)?,
                store: Store { client, bucket: environment.variable("REPORTS_BUCKET")? },
                secrets: aws_sdk_secretsmanager::Client::new(&environment.aws),
                limits: LoadLimits::of(environment)?,
            })
        },
        handle,
    )
}
