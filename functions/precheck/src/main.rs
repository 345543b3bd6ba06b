//! The Lambda function `precheck`: composes, nothing else.

use precheck::{AllowedHooks, Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let aws = &environment.aws;
            Ok(Clients {
                cloudwatch: aws_sdk_cloudwatch::Client::new(aws),
                dms: aws_sdk_databasemigration::Client::new(aws),
                routes: routes::any::Clients::new(aws),
                sns: aws_sdk_sns::Client::new(aws),
                journal: journal::Journal::of(environment)?,
                hooks: AllowedHooks::read(&environment.variable("HOOK_FUNCTION_ARNS")?),
            })
        },
        handle,
    )
}
