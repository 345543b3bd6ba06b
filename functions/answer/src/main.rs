//! The Lambda function `answer`: composes, nothing else.

use answer::{Clients, handle};
use aws_smithy_types::retry::RetryConfig;
use links::key::Kept;

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let aws = &environment.aws;
            // What a second try of the same call is refused for may be what the first one has done.
            let once = aws.to_builder().retry_config(RetryConfig::disabled()).build();
            Ok(Clients {
                journal: journal::Journal::of(environment)?,
                secrets: aws_sdk_secretsmanager::Client::new(aws),
                sfn: aws_sdk_sfn::Client::new(&once),
                key_arn: environment.variable("ANSWERS_KEY_ARN")?,
                key: Kept::default(),
                identity_header: Some(environment.variable("ANSWERS_IDENTITY_HEADER")?).filter(|name| !name.is_empty()),
                origins: environment.variable("ANSWERS_ORIGINS")?.split_whitespace().map(str::to_owned).collect(),
            })
        },
        handle,
    )
}
