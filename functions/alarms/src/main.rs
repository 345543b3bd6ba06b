//! The Lambda function `alarms`: composes, nothing else.

use alarms::{Clients, ELSEWHERE, handle};
use cutover::authority::AllowedAlarms;

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                cloudwatch: aws_sdk_cloudwatch::Client::new(&environment.aws),
                access: access::Access::of(environment, ELSEWHERE)?,
                journal: journal::Journal::of(environment)?,
                allowed: AllowedAlarms::of(environment)?,
            })
        },
        handle,
    )
}
