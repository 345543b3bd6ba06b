//! The Lambda function `status-report`: composes, nothing else.

use status_report::store::Store;
use status_report::{Clients, handle, settings};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let store = Store {
                client: aws_sdk_s3::Client::new(&environment.aws),
                bucket: environment.variable("REPORTS_BUCKET")?,
            };
            Ok(Clients {
                journal: journal::Journal::of(environment)?,
                states: aws_sdk_sfn::Client::new(&environment.aws),
                store,
                cutover_arn: environment.variable("CUTOVER_STATE_MACHINE_ARN")?,
                settings: settings(&environment.variable("STATUS")?)?,
            })
        },
        handle,
    )
}
