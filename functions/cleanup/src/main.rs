//! The Lambda function `cleanup`: composes, nothing else.

use cleanup::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            let aws = &environment.aws;
            Ok(Clients {
                cloudwatch: aws_sdk_cloudwatch::Client::new(aws),
                elb: aws_sdk_elasticloadbalancingv2::Client::new(aws),
                route53: aws_sdk_route53::Client::new(aws),
                journal: journal::Journal::of(environment)?,
            })
        },
        handle,
    )
}
