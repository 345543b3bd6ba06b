//! The Lambda function `report`: composes, nothing else.

use report::store::Store;
use report::{Clients, ELSEWHERE, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let store = Store {
                client: aws_sdk_s3::Client::new(&environment.aws),
                bucket: environment.variable("REPORTS_BUCKET")?,
            };
            Ok(Clients {
                cloudwatch: aws_sdk_cloudwatch::Client::new(&environment.aws),
                access: access::Access::of(environment, ELSEWHERE)?,
                journal: journal::Journal::of(environment)?,
                states: aws_sdk_sfn::Client::new(&environment.aws),
                store,
            })
        },
        handle,
    )
}
