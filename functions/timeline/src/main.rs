//! The Lambda function `timeline`: composes, nothing else.

use timeline::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                journal: journal::Journal::of(environment)?,
                s3: aws_sdk_s3::Client::new(&environment.aws),
                sfn: aws_sdk_sfn::Client::new(&environment.aws),
                sns: aws_sdk_sns::Client::new(&environment.aws),
                bucket: environment.variable("REPORTS_BUCKET")?,
                moments_topic_arn: environment.variable("MOMENTS_TOPIC_ARN")?,
                cutover_arn: environment.variable("CUTOVER_STATE_MACHINE_ARN")?,
                machine_arn: environment.variable("TIMELINE_STATE_MACHINE_ARN")?,
            })
        },
        handle,
    )
}
