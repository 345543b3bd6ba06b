//! The Lambda function `incident`: composes, nothing else.

use cutover::stakeholders::StackGroups;
use incident::{Clients, handle};
use incidents::timing::Timing;

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                journal: journal::Journal::of(environment)?,
                sns: aws_sdk_sns::Client::new(&environment.aws),
                moments_topic_arn: environment.variable("MOMENTS_TOPIC_ARN")?,
                machine_arn: environment.variable("INCIDENT_STATE_MACHINE_ARN")?,
                stack: StackGroups::read(&environment.variable("STAKEHOLDERS")?)?,
                timing: Timing::read(&environment.variable("INCIDENTS")?)?,
            })
        },
        handle,
    )
}
