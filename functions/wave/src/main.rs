//! The Lambda function `wave`: composes, nothing else.

use cutover::stakeholders::StackGroups;
use wave::{Clients, Machines, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                journal: journal::Journal::of(environment)?,
                s3: aws_sdk_s3::Client::new(&environment.aws),
                sfn: aws_sdk_sfn::Client::new(&environment.aws),
                sns: aws_sdk_sns::Client::new(&environment.aws),
                pages: links::asking::Pages::of(environment)?,
                topics: cutover::authority::Topics::of(environment)?,
                mails: cutover::authority::Mails::of(environment)?,
                approval: cutover::authority::Demanded::of(environment)?,
                bucket: environment.variable("REPORTS_BUCKET")?,
                moments_topic_arn: environment.variable("MOMENTS_TOPIC_ARN")?,
                stack: StackGroups::read(&environment.variable("STAKEHOLDERS")?)?,
                machines: Machines {
                    cutover: environment.variable("CUTOVER_STATE_MACHINE_ARN")?,
                    rollback: environment.variable("ROLLBACK_STATE_MACHINE_ARN")?,
                    wave: environment.variable("WAVE_STATE_MACHINE_ARN")?,
                },
            })
        },
        handle,
    )
}
