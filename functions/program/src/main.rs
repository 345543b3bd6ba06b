//! The Lambda function `program`: composes, nothing else.

use cutover::gestures::Machines;
use program::schedules::Schedules;
use program::store::Store;
use program::{Clients, handle};
use runbooks::Stack;

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let bucket = environment.variable("REPORTS_BUCKET")?;
            Ok(Clients {
                journal: journal::Journal::of(environment)?,
                sns: aws_sdk_sns::Client::new(&environment.aws),
                pages: links::asking::Pages::of(environment)?,
                topics: cutover::authority::Topics::of(environment)?,
                stack: Stack {
                    cutover: environment.variable("CUTOVER_STATE_MACHINE_ARN")?,
                    machines: Machines {
                        rollback: environment.variable("ROLLBACK_STATE_MACHINE_ARN")?,
                        cleanup: environment.variable("CLEANUP_STATE_MACHINE_ARN")?,
                    },
                    wave: environment.variable("WAVE_STATE_MACHINE_ARN")?,
                    bucket: bucket.clone(),
                },
                store: Store { client: aws_sdk_s3::Client::new(&environment.aws), bucket },
                schedules: Schedules {
                    client: aws_sdk_scheduler::Client::new(&environment.aws),
                    group: environment.variable("SCHEDULE_GROUP")?,
                    role_arn: environment.variable("SCHEDULE_ROLE_ARN")?,
                    dead_letters_arn: environment.variable("SCHEDULE_DEAD_LETTERS_ARN")?,
                    start_arn: environment.variable("START_STATE_MACHINE_ARN")?,
                    wave_arn: environment.variable("WAVE_STATE_MACHINE_ARN")?,
                    timeline_arn: environment.variable("TIMELINE_STATE_MACHINE_ARN")?,
                },
            })
        },
        handle,
    )
}
