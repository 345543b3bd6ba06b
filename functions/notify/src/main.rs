//! The Lambda function `notify`: composes, nothing else.

use cutover::gestures::Machines;
use notify::{Clients, Pages, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                sns: aws_sdk_sns::Client::new(&environment.aws),
                topics: cutover::authority::Topics::of(environment)?,
                moments_topic_arn: environment.variable("MOMENTS_TOPIC_ARN")?,
                machines: Machines {
                    rollback: environment.variable("ROLLBACK_STATE_MACHINE_ARN")?,
                    cleanup: environment.variable("CLEANUP_STATE_MACHINE_ARN")?,
                },
                pages: Pages::of(environment)?,
            })
        },
        handle,
    )
}
