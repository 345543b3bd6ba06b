//! The Lambda function `tell`: composes, nothing else.

use aws_smithy_types::retry::RetryConfig;
use cutover::stakeholders::StackGroups;
use tell::{Clients, Configuration, Pages, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let aws = &environment.aws;
            // A lost answer may be that of a message which was sent: whoever asks again has to say so in it.
            let once = aws.to_builder().retry_config(RetryConfig::disabled()).build();
            Ok(Clients {
                journal: journal::Journal::of(environment)?,
                secrets: aws_sdk_secretsmanager::Client::new(aws),
                ses: aws_sdk_ses::Client::new(&once),
                sns: aws_sdk_sns::Client::new(&once),
                topics: cutover::authority::Topics::of(environment)?,
                mails: cutover::authority::Mails::of(environment)?,
                web: cutover::connector::to_anybody(),
                stack: StackGroups::read(&environment.variable("STAKEHOLDERS")?)?,
                approval: cutover::authority::Demanded::of(environment)?,
                configuration: Configuration::read(&environment.variable("MESSAGES")?)?,
                pages: Pages::of(environment)?,
            })
        },
        handle,
    )
}
