//! The Lambda function `sweep`: composes, nothing else.

use cutover::gestures::Machines;
use sweep::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                sfn: aws_sdk_sfn::Client::new(&environment.aws),
                sns: aws_sdk_sns::Client::new(&environment.aws),
                topics: cutover::authority::Topics::of(environment)?,
                journal: journal::Journal::of(environment)?,
                machines: Machines {
                    rollback: environment.variable("ROLLBACK_STATE_MACHINE_ARN")?,
                    cleanup: environment.variable("CLEANUP_STATE_MACHINE_ARN")?,
                },
            })
        },
        handle,
    )
}
